/**
 * The gamma distribution and what is made of it. Logarithms are drawn, in float64 for every dtype, so that small shapes
 * do not end at 0; gradients flow to the shape by implicit reparameterisation.
 */
import { type ArrayInput, blank, fromValues, type NDArray, viewOf } from "../array.ts";
import { F64 } from "../dtype.ts";
import * as E from "../expr.ts";
import { contiguous, Family, runMap } from "../launch.ts";
import { spreadShape } from "../mapped.ts";
import { liftNothing, type Structural, structural } from "../op.ts";
import { absorb, add, divide, exp, less, multiply, negative, sigmoid, subtract, where } from "../ops/pointwise.ts";
import { polygamma } from "../ops/special.ts";
import { astype } from "../ops/structural.ts";
import { gammaRatio, gammaReach } from "../scalar/special.ts";
import * as scalar from "../scalar.ts";
import { type Shape, sizeOf } from "../shape.ts";
import { everywhere, notNegative, type RandomOptions, requested, requireAll, type Size } from "./arguments.ts";
import { advance, GAMMA, normalNumber, SECOND_GAMMA } from "./generator.ts";
import { type Method, untilAccepted } from "./rejection.ts";

// ---- the slope by the shape

/**
 * (∂ᵏp/∂aᵏ)/p for k = 0 … n, where p is the density of the gamma distribution of shape a at e^w: the complete Bell
 * polynomials of the derivatives of log p, which are w - ψ(a), -ψ′(a), -ψ″(a), …
 */
function scores(n: number, w: NDArray, a: NDArray): (NDArray | number)[] {
  const x = Array.from({ length: n }, (_, k) => (k === 0 ? subtract(w, polygamma(0)(a)) : negative(polygamma(k)(a))));
  const y: (NDArray | number)[] = [1];
  for (let m = 0; m < n; m++) {
    let sum = multiply(y[m]!, x[0]!);
    for (let k = 1, choose = 1; k <= m; k++) {
      choose = (choose * (m + 1 - k)) / k;
      sum = add(sum, multiply(multiply(y[m - k]!, choose), x[k]!));
    }
    y.push(sum);
  }
  return y;
}

/** Nodes and weights of Gauss and Legendre's rule on [0, 1], of which the nodes' squares are used: they lie closer to 0. */
function squaredNodes(n: number): [number, number][] {
  return Array.from({ length: n }, (_, i) => {
    // Bhaskara's approximation of the cosine, which is the same on all machines, and Newton's steps.
    const turn = (Math.min(i, n - 1 - i) + 0.75) / (n + 0.5);
    let x = (1 - 4 * turn * turn) / (1 + turn * turn);
    let slope = 0;
    for (let step = 0; step < 7; step++) {
      let [p, q] = [x, 1];
      for (let k = 2; k <= n; k++) [p, q] = [((2 * k - 1) * x * p - (k - 1) * q) / k, p];
      slope = (n * (x * p - q)) / (x * x - 1);
      x -= p / slope;
    }
    const node = (i < n / 2 ? 1 - x : 1 + x) / 2;
    return [node * node, (2 * node) / ((1 - x * x) * slope * slope)];
  });
}

/** 28 give eleven digits for shapes from 1e-2 to 1e7. */
const NODES = 28;
/** As many elements at a time as stay in the first cache with what is made of them. */
const PIECE = 1024;

let tools: { rule: [number, number][]; reach: Family; ratio: Family; sum: Family } | undefined;

/** The integral of u^k times `gammaRatio` over its reach, in units of reach^(k + 1), for k = 0 … n. */
function momentsOf(n: number, reach: NDArray, z: NDArray, a: NDArray): NDArray[] {
  const { rule, ratio, sum } = tools!;
  const { size } = z;
  const moments = Array.from({ length: n + 1 }, () => fromValues(new Float64Array(size), [size], F64));
  const density = blank([Math.min(size, PIECE)], Math.min(size, PIECE), F64);
  for (let at = 0; at < size; at += PIECE) {
    const m = Math.min(PIECE, size - at);
    const part = (x: NDArray): NDArray => viewOf(x, at, [m], null, m);
    const e = viewOf(density, 0, [m], null, m);
    for (const [node, weight] of rule) {
      runMap(ratio, [part(reach), part(z), part(a), node], e);
      let factor = weight;
      for (const moment of moments) {
        runMap(sum, [part(moment), e, factor], part(moment));
        factor *= node;
      }
    }
  }
  return moments;
}

/**
 * -(∂ⁿF/∂aⁿ)/(z·p) at z = e^w, for the density p and the distribution function F of shape a; of order 1, the slope of w
 * by a on which F does not change (Figurnov, Mohamed and Mnih 2018, "Implicit reparameterization gradients"). It is the
 * integral of (∂ⁿp/∂aⁿ)/p · tp(t)/(zp(z)) at t = z·eᵘ, from u = 0 to the nearer end of the distribution, where little
 * cancels. w and a are float64 and of one shape.
 */
export const gammaPath: Structural<number> = structural("random.gamma", {
  kind: "function",
  lift: liftNothing,
  run: (given, n) => {
    tools ??= {
      rule: squaredNodes(NODES),
      reach: new Family(gammaReach(E.arg(0), E.arg(1), F64), [F64, F64], F64, F64),
      ratio: new Family(gammaRatio(E.mul(E.arg(0), E.arg(3)), E.arg(1), E.arg(2), F64), [F64, F64, F64, F64], F64, F64),
      sum: new Family(E.add(E.arg(0), E.mul(E.arg(1), E.arg(2))), [F64, F64, F64], F64, F64),
    };
    const { shape, size } = given[0]!;
    if (size === 0) return blank(shape, 0, F64);
    // Without their edges: what happens here is not recorded.
    const [w, a] = given.map(x => viewOf(contiguous(x), x.view === null ? x.offset : 0, [size], null, size)) as [NDArray, NDArray];
    // F(a) is F(a + 1) and a term in closed form: below 1 the integral has a long tail.
    const small = less(a, 1);
    const b = where(small, add(a, 1), a);
    const z = exp(w);
    const reach = blank([size], size, F64);
    runMap(tools.reach, [z, b], reach);
    const score = scores(n, w, b);
    // (∂ⁿp/∂aⁿ)/p at z·eᵘ is the sum of (n over k)·(the same of order n - k at z)·uᵏ.
    let sum: NDArray | number = 0;
    momentsOf(n, reach, z, b)
      .reverse()
      .forEach((moment, i) => {
        let choose = 1;
        for (let k = 0; k < i; k++) choose = (choose * (n - k)) / (k + 1);
        sum = multiply(reach, add(sum, multiply(multiply(moment, choose), score[i]!)));
      });
    const y = where(small, divide(subtract(multiply(z, sum), score[n]!), a), sum);
    return viewOf(y, 0, shape, null, size);
  },
  grad: (g, { y, inputs, attrs: n }) => {
    const [w, a] = inputs as [NDArray, NDArray];
    const score = scores(n, w, a);
    return [
      negative(absorb(g, add(score[n]!, multiply(y, subtract(a, exp(w)))))),
      absorb(g, subtract(gammaPath([w, a], n + 1), multiply(y, score[1]!))),
    ];
  },
  reads: [
    [0, 1, 2],
    [0, 1, 2],
  ],
});

// ---- drawing

/**
 * The logarithm of a number from the gamma distribution of shape a (Marsaglia and Tsang 2000, "A simple method for
 * generating gamma variables"): of shape a + 1 below 1, times a number in (0, 1] to the power 1/a.
 */
function logGammaExpr(): E.Expr {
  const a = E.arg(4);
  const small = E.lt(a, 1);
  const d = E.sub(E.select(small, E.add(a, 1), a), 1 / 3);
  const x = normalNumber(E.sub(1, E.arg(0)), E.arg(1), F64);
  // d·(1 + y)³ is accepted with the probability of e to the x²/2 + d - d·(1 + y)³ + d·log (1 + y)³.
  const y = E.div(x, E.mul(E.sqrt(d), 3));
  const logCube = E.mul(scalar.log1p(y, F64), 3);
  const excess = E.mul(y, E.add(3, E.mul(y, E.add(3, y))));
  const bound = E.add(E.mul(E.mul(x, x), 0.5), E.mul(d, E.sub(logCube, excess)));
  const raised = E.select(small, E.div(scalar.log(E.sub(1, E.arg(3)), F64), a), 0);
  const w = E.add(E.add(scalar.log(d, F64), logCube), raised);
  return E.select(E.lt(scalar.log(E.sub(1, E.arg(2)), F64), bound), w, Number.NaN);
}

const LOG_GAMMA: Method = { pairs: 2, value: logGammaExpr };

const logGammaRow: Structural<{ stream: number; start: number }> = structural("random.gamma", {
  kind: "function",
  lift: liftNothing,
  run: ([a], { stream, start }) => {
    const w = new Float64Array(a!.size).fill(Number.NaN);
    untilAccepted(LOG_GAMMA, [a!.toTypedArray() as Float64Array], w, stream, start);
    return fromValues(w, a!.shape, F64);
  },
  grad: (g, { y, inputs }) => [absorb(g, gammaPath([y, inputs[0]!], 1))],
  reads: [[0, 1]],
});

/** Logarithms, in float64, of numbers of the gamma distribution at the places from `start` on. */
const logGamma = (a: NDArray | number, shape: Shape, stream: number, start: number): NDArray =>
  logGammaRow([everywhere(a, shape)], { stream, start });

const rounded = (x: NDArray, code: number): NDArray => (code === F64 ? x : astype(x, "float32"));
const finite = (x: NDArray | number, what: string, operator: string): void =>
  requireAll(x, v => v > 0 && v < Number.POSITIVE_INFINITY, `${what} must be > 0 and finite`, operator);

function drawGamma(a: NDArray | number, scale: NDArray | number, shape: Shape, code: number): NDArray {
  const w = logGamma(a, shape, GAMMA, advance(sizeOf(spreadShape(shape))));
  return rounded(multiply(exp(w), scale), code);
}

/**
 * Numbers from the gamma distribution of shape `shape` and scale `scale`, with mean shape·scale and variance
 * shape·scale². Both may be arrays, which broadcast with each other and to `size`. Gradients of all orders flow to both,
 * to the shape those with the number's place in the distribution held fast (Figurnov, Mohamed and Mnih 2018), which
 * differences of two draws do not show: another shape may be drawn another way. NumPy's random.gamma.
 * @throws ValueError unless shape >= 0 and finite, and scale >= 0; ShapeError where shapes do not fit.
 * @example
 * np.random.seed(7)
 * np.random.gamma(2, 0.5, 3) // array([0.13367459, 0.27388266, 1.695721  ])
 */
export function gamma(shape: ArrayInput, scale: ArrayInput | null = 1, size?: Size, options?: RandomOptions): NDArray {
  const name = "random.gamma";
  const { code, shape: all, parameters } = requested(name, [shape, scale ?? 1], size, options);
  const [a, b] = parameters as [NDArray | number, NDArray | number];
  requireAll(a, v => v >= 0 && v < Number.POSITIVE_INFINITY, "shape must be >= 0 and finite", name);
  notNegative(b, "scale", name);
  return drawGamma(a, b, all, code);
}

/**
 * Numbers from the chi-square distribution with `df` degrees of freedom: sums of as many squares of normal numbers, with
 * mean df and variance 2·df. `df` may be an array, which broadcasts to `size`, and gradients flow to it as to the shape
 * of gamma. NumPy's random.chisquare.
 * @throws ValueError unless df > 0 and finite; ShapeError where shapes do not fit.
 * @example
 * np.random.seed(7)
 * np.random.chisquare(4, 3) // array([0.53469837, 1.0955306 , 6.782884  ])
 */
export function chisquare(df: ArrayInput, size?: Size, options?: RandomOptions): NDArray {
  const name = "random.chisquare";
  const { code, shape, parameters } = requested(name, [df], size, options);
  const n = parameters[0]!;
  finite(n, "df", name);
  return drawGamma(typeof n === "number" ? n / 2 : multiply(n, 0.5), 2, shape, code);
}

/**
 * Numbers from the beta distribution over 0 < x < 1, with mean a/(a + b). Both may be arrays, which broadcast with each
 * other and to `size`; gradients flow to them as to the shape of gamma, of which a beta number is x/(x + y). Made of
 * logarithms, so that small a and b are no trouble. NumPy's random.beta.
 * @throws ValueError unless a and b are > 0 and finite; ShapeError where shapes do not fit.
 * @example
 * np.random.seed(7)
 * np.random.beta(2, 3, 3) // array([0.17746434, 0.05250103, 0.6677332 ])
 */
export function beta(a: ArrayInput, b: ArrayInput, size?: Size, options?: RandomOptions): NDArray {
  const name = "random.beta";
  const { code, shape, parameters } = requested(name, [a, b], size, options);
  finite(parameters[0]!, "a", name);
  finite(parameters[1]!, "b", name);
  const start = advance(sizeOf(spreadShape(shape)));
  const [x, y] = [GAMMA, SECOND_GAMMA].map((stream, i) => logGamma(parameters[i]!, shape, stream, start)) as [NDArray, NDArray];
  return rounded(sigmoid(subtract(x, y)), code);
}
