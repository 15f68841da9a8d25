/** Distributions over whole numbers. There is no derivative by their parameters, and graphs end here. */
import { type ArrayInput, fromValues, type NDArray } from "../array.ts";
import { toArray, WIDE } from "../convert.ts";
import { BOOL, type DType, dtypeCode, F64, I32, isFloat, promoteNumber } from "../dtype.ts";
import { checkOptions, DTypeError, describe, ShapeError, ValueError } from "../errors.ts";
import * as E from "../expr.ts";
import { physicalOf, spreadShape, wrapped } from "../mapped.ts";
import { liftNothing, type Structural, structural } from "../op.ts";
import { log1p } from "../ops/elementary.ts";
import { exp, multiply, negative } from "../ops/pointwise.ts";
import { gammalnRight } from "../scalar/special.ts";
import * as scalar from "../scalar.ts";
import { SCALAR, type Shape, showShape, sizeOf } from "../shape.ts";
import { everywhere, parameter, type RandintOptions, requireAll, resultShape, type Size, toSize, undrawn } from "./arguments.ts";
import { advance, BINOMIAL, compute, familyOf, forEachDraw, INTEGER, MULTINOMIAL, POISSON } from "./generator.ts";
import { type Method, untilAccepted } from "./rejection.ts";

const randintExpr = (): E.Expr => E.add(E.floor(E.mul(E.arg(0), E.arg(1))), E.arg(2));

/** Refuses bounds between which there is no whole number of the dtype. */
function checkBounds(from: number, to: number, code: number, name: string): void {
  for (const bound of [from, to])
    if (!Number.isSafeInteger(bound)) throw new ValueError(`${name}: bounds are whole numbers, got ${describe(bound)}`);
  if (from >= to) throw new ValueError(`${name}: there is no whole number from ${from} to below ${to}; low must be less than high`);
  for (const bound of [from, to - 1]) {
    promoteNumber(code, bound, name);
    if (code === BOOL && bound !== 0 && bound !== 1) throw new ValueError(`${name}: ${bound} does not fit bool, which holds 0 and 1`);
  }
}

/**
 * Whole numbers low <= i < high, each as likely as the others up to 2^-53; `randint(n)` draws from 0 to n - 1. The bounds may
 * be arrays, which broadcast with each other and to `size`. int32 unless asked otherwise. NumPy's random.randint.
 * @throws ValueError where low >= high, or a bound is not whole or does not fit the dtype; DTypeError for a float dtype;
 * ShapeError where shapes do not fit.
 * @example
 * np.random.seed(7)
 * np.random.randint(1, 7, 10) // array([5, 3, 6, 3, 6, 3, 1, 1, 4, 6], dtype=int32)
 */
export function randint(low: ArrayInput, high?: ArrayInput | null, size?: Size, options?: RandintOptions): NDArray {
  const name = "random.randint";
  checkOptions(name, options, ["dtype"]);
  const code = dtypeCode(options?.dtype ?? "int32", name);
  if (isFloat(code))
    throw new DTypeError(`${name}: samples are integers, got dtype ${describe(options?.dtype)}; convert them with astype, or use uniform`);
  const [from, to] = high === undefined || high === null ? [0, low] : [low, high];
  if (typeof from === "number" && typeof to === "number") {
    checkBounds(from, to, code, name);
    const y = undrawn(toSize(size, name) ?? SCALAR, code);
    compute(y, familyOf("randint", randintExpr, 3, F64, code), [INTEGER], [to - from, from]);
    return wrapped(y);
  }
  const bounds = [from, to].map(x => (typeof x === "number" ? x : toArray(x, name, WIDE)));
  const shape = resultShape(toSize(size, name), bounds, name);
  const [least, end] = bounds.map(x => everywhere(x, shape)) as [NDArray, NDArray];
  const ends = physicalOf(end).toTypedArray();
  physicalOf(least)
    .toTypedArray()
    .forEach((bound: number, i: number) => {
      checkBounds(bound, ends[i]!, code, name);
    });
  return drawAll(randintRow, [least, end], shape, code);
}

// ---- counts

/** Below this mean, the values are added up until they reach a random number. */
const SMALL = 10;

/**
 * The first k at which the sum of the probabilities is beyond u, where the first is r and each of the next is that before
 * times c/k + s. None is beyond `most`.
 */
function search(u: number, r: number, c: number, s: number, most: number): number {
  let k = 0;
  while (u >= r && k < most) {
    u -= r;
    r *= c / ++k + s;
  }
  return k;
}

/**
 * A whole number by transformed rejection (Hörmann 1993, "The transformed rejection method for generating Poisson random
 * variables" and "The generation of binomial random variates"), of the two evenly spread numbers that stand first: from
 * 0 to `most`, taken at once where the second is below `quick`, else where it is below the probability.
 */
function transformed(
  a: E.Expr,
  b: E.Expr,
  centre: E.Expr,
  quick: E.Expr,
  scale: E.Expr,
  most: E.Operand,
  logProbability: (k: E.Expr) => E.Expr,
): E.Expr {
  const u = E.sub(E.arg(0), 0.5);
  const v = E.arg(1);
  const rest = E.sub(0.5, E.abs(u));
  const k = E.floor(E.add(E.mul(E.add(E.div(E.mul(a, 2), rest), b), u), centre));
  const certain = E.and(E.ge(rest, 0.07), E.le(v, quick));
  const height = E.div(E.mul(v, scale), E.add(E.div(a, E.mul(rest, rest)), b));
  const taken = E.or(certain, E.le(scalar.log(height, F64), logProbability(k)));
  return E.select(E.and(E.and(E.ge(k, 0), E.le(k, most)), taken), k, Number.NaN);
}

const logFactorial = (k: E.Expr): E.Expr => gammalnRight(E.add(k, 1), F64);

const POISSONS: Method = {
  pairs: 1,
  value: () => {
    const mean = E.arg(2);
    const b = E.add(E.mul(E.sqrt(mean), 2.53), 0.931);
    return transformed(
      E.sub(E.mul(b, 0.02483), 0.059),
      b,
      E.add(mean, 0.43),
      E.sub(0.9277, E.div(3.6224, E.sub(b, 2))),
      E.add(1.1239, E.div(1.1328, E.sub(b, 3.4))),
      Number.POSITIVE_INFINITY,
      k => E.sub(E.sub(E.mul(k, scalar.log(mean, F64)), mean), logFactorial(k)),
    );
  },
};

const BINOMIALS: Method = {
  pairs: 1,
  value: () => {
    const n = E.arg(2);
    const many = E.gt(E.arg(3), 0.5);
    const p = E.select(many, E.sub(1, E.arg(3)), E.arg(3));
    const q = E.sub(1, p);
    const spread = E.sqrt(E.mul(E.mul(n, p), q));
    const b = E.add(E.mul(spread, 2.53), 1.15);
    const mode = E.floor(E.mul(E.add(n, 1), p));
    const both = (k: E.Expr): E.Expr => E.add(logFactorial(k), logFactorial(E.sub(n, k)));
    const k = transformed(
      E.add(E.sub(E.mul(b, 0.0248), 0.0873), E.mul(p, 0.01)),
      b,
      E.add(E.mul(n, p), 0.5),
      E.sub(0.92, E.div(4.2, b)),
      E.mul(spread, E.add(2.83, E.div(5.1, b))),
      n,
      k => E.add(E.sub(both(mode), both(k)), E.mul(E.sub(k, mode), scalar.log(E.div(p, q), F64))),
    );
    return E.select(many, E.sub(n, k), k);
  },
};

/**
 * Counts at the places from `start` on: where the mean is small, searched for from the probability of 0, whose logarithms
 * are given, else by attempts.
 */
function counted(
  method: Method,
  parameters: readonly Float64Array[],
  logZero: NDArray,
  mean: (i: number) => number,
  find: (u: number, r: number, i: number) => number,
  stream: number,
  start: number,
): Float64Array {
  const zero = exp(logZero).toTypedArray();
  const out = new Float64Array(zero.length).fill(Number.NaN);
  const visit = (u: number, i: number): void => {
    if (mean(i) < SMALL) out[i] = find(u, zero[i]!, i);
  };
  if (zero.some((_, i) => mean(i) < SMALL)) forEachDraw(zero.length, visit, { number: stream, kind: "uniform64" }, start);
  untilAccepted(method, parameters, out, stream, start);
  return out;
}

const vector = (x: Float64Array): NDArray => fromValues(x, [x.length], F64);

const drawPoisson = (mean: Float64Array, start: number): Float64Array =>
  counted(
    POISSONS,
    [mean],
    negative(vector(mean)),
    i => mean[i]!,
    // More than 60 have a probability below 1e-26.
    (u, r, i) => search(u, r, mean[i]!, 0, 60),
    POISSON,
    start,
  );

function drawBinomial(n: Float64Array, p: Float64Array, stream: number, start: number): Float64Array {
  const rarer = p.map(v => Math.min(v, 1 - v));
  const find = (u: number, r: number, i: number): number => {
    const odds = rarer[i]! / (1 - rarer[i]!);
    const k = search(u, r, (n[i]! + 1) * odds, -odds, n[i]!);
    return p[i]! > 0.5 ? n[i]! - k : k;
  };
  return counted(BINOMIALS, [n, p], multiply(vector(n), log1p(negative(vector(rarer)))), i => n[i]! * rarer[i]!, find, stream, start);
}

// ---- rows, which carry no gradient but are known to vmap

interface Drawn {
  readonly start: number;
  readonly code: number;
}

/** A row of float64 operands of one shape, that of the result, for which a function draws. */
const rowOf = /* @__NO_SIDE_EFFECTS__ */ (
  name: string,
  draw: (xs: readonly Float64Array[], start: number, k: number) => Float64Array,
): Structural<Drawn> =>
  structural(name, {
    kind: "function",
    lift: liftNothing,
    grad: null,
    run: (xs, { start, code }) => {
      const { shape } = xs.at(-1)!;
      const values = xs.map(x => x.toTypedArray() as Float64Array);
      return fromValues(draw(values, start, shape.at(-1) ?? 1), shape, code);
    },
  });

const poissonRow = rowOf("random.poisson", ([mean], start) => drawPoisson(mean!, start));
const binomialRow = rowOf("random.binomial", ([n, p], start) => drawBinomial(n!, p!, BINOMIAL, start));
const bernoulliRow = rowOf("random.bernoulli", ([p], start) => {
  const out = new Float64Array(p!.length);
  forEachDraw(out.length, (u, i) => void (out[i] = u < p![i]! ? 1 : 0), INTEGER, start);
  return out;
});

const randintRow = rowOf("random.randint", ([low, high], start) => {
  const out = new Float64Array(low!.length);
  forEachDraw(out.length, (u, i) => void (out[i] = Math.floor(u * (high![i]! - low![i]!)) + low![i]!), INTEGER, start);
  return out;
});

/** Categories one after another, each a binomial number of what the ones before have left. */
const multinomialRow = rowOf("random.multinomial", ([left, shares], start, k) => {
  const out = new Float64Array(shares!.length);
  const share = new Float64Array(left!.length);
  // The probability of each category and those after it; the last gets what all others leave of 1, but for rounding.
  const rest = shares!.slice();
  for (let end = k; end <= rest.length; end += k) {
    const others = rest.subarray(end - k, end - 1).reduce((sum, v) => sum + v, 0);
    if (Math.abs(others + rest[end - 1]! - 1) > TOLERANCE) rest[end - 1] = Math.max(0, 1 - others);
    for (let j = end - 2; j >= end - k; j--) rest[j]! += rest[j + 1]!;
  }
  for (let j = 0; j < k; j++) {
    for (let i = 0; i < share.length; i++) {
      const at = i * k + j;
      share[i] = j === k - 1 ? 1 : rest[at]! > 0 ? Math.min(1, shares![at]! / rest[at]!) : 0;
    }
    drawBinomial(left!, share, MULTINOMIAL + j, start).forEach((count, i) => {
      out[i * k + j] = count;
      left![i]! -= count;
    });
  }
  return out;
});

/** By how much the sum of probabilities may differ from 1. */
const TOLERANCE = 1e-6;

export interface CountOptions {
  /** "int32" (the default), "float32" or "float64". */
  dtype?: DType;
}

function countCode(options: CountOptions | undefined, name: string): number {
  checkOptions(name, options, ["dtype"]);
  const code = dtypeCode(options?.dtype ?? "int32", name);
  if (code !== I32 && !isFloat(code))
    throw new DTypeError(`${name}: counts are int32, float32 or float64, got ${describe(options?.dtype)}; convert them with astype`);
  return code;
}

/** Shape of the result, and the parameters with an element for each of its elements. */
function spread(name: string, given: readonly ArrayInput[], size: Size | undefined): [Shape, (NDArray | number)[]] {
  const parameters = given.map(x => parameter(x, name));
  return [resultShape(toSize(size, name), parameters, name), parameters];
}

const probability = (p: NDArray | number, what: string, name: string): void =>
  requireAll(p, v => v >= 0 && v <= 1, `${what} must be between 0 and 1`, name);
const trials = (n: NDArray | number, name: string): void =>
  requireAll(n, v => Number.isInteger(v) && v >= 0 && v < 2 ** 31, "n must be whole numbers from 0 to 2147483647", name);

/** Draws for every element of a shape: under vmap, for all entries. */
const drawAll = (row: Structural<Drawn>, operands: readonly NDArray[], shape: Shape, code: number): NDArray =>
  row(operands, { start: advance(sizeOf(spreadShape(shape))), code });

/**
 * 1 with probability p, else 0. `p` may be an array, which broadcasts to `size`. float32 unless asked otherwise. MXNet's
 * np.random.bernoulli.
 * @throws ValueError unless 0 <= p <= 1; ShapeError where shapes do not fit.
 * @example
 * np.random.seed(7)
 * np.random.bernoulli(0.7, 5) // array([1., 1., 0., 1., 0.])
 */
export function bernoulli(p: ArrayInput, size?: Size, options?: { dtype?: DType }): NDArray {
  const name = "random.bernoulli";
  checkOptions(name, options, ["dtype"]);
  const code = dtypeCode(options?.dtype ?? "float32", name);
  const [shape, [x]] = spread(name, [p], size);
  probability(x!, "p", name);
  return drawAll(bernoulliRow, [everywhere(x!, shape)], shape, code);
}

/**
 * How many of n trials succeed, each with probability p. Both may be arrays, which broadcast with each other and to
 * `size`. int32 unless asked otherwise. NumPy's random.binomial.
 * @throws ValueError unless n is whole and from 0 to 2147483647, and 0 <= p <= 1; ShapeError where shapes do not fit.
 * @example
 * np.random.seed(7)
 * np.random.binomial(10, 0.3, 5) // array([3, 4, 5, 2, 4], dtype=int32)
 */
export function binomial(n: ArrayInput, p: ArrayInput, size?: Size, options?: CountOptions): NDArray {
  const name = "random.binomial";
  const code = countCode(options, name);
  const [shape, [count, share]] = spread(name, [n, p], size);
  trials(count!, name);
  probability(share!, "p", name);
  return drawAll(binomialRow, [everywhere(count!, shape), everywhere(share!, shape)], shape, code);
}

/** Ten standard deviations below what int32 holds. */
const GREATEST_MEAN = 2147020000;

/**
 * How many events happen where `lam` are expected. It may be an array, which broadcasts to `size`. int32 unless asked
 * otherwise. NumPy's random.poisson.
 * @throws ValueError unless 0 <= lam <= 2147020000; ShapeError where shapes do not fit.
 * @example
 * np.random.seed(7)
 * np.random.poisson(3, 5) // array([2, 4, 2, 1, 3], dtype=int32)
 */
export function poisson(lam: ArrayInput | null = 1, size?: Size, options?: CountOptions): NDArray {
  const name = "random.poisson";
  const code = countCode(options, name);
  const [shape, [mean]] = spread(name, [lam ?? 1], size);
  requireAll(mean!, v => v >= 0 && v <= GREATEST_MEAN, `lam must be between 0 and ${GREATEST_MEAN}`, name);
  return drawAll(poissonRow, [everywhere(mean!, shape)], shape, code);
}

/**
 * How often each of k categories comes up in n trials; `pvals` holds their probabilities along the last axis, and the
 * last category gets what the others leave of 1. The result has an axis of length k behind those of `size`. n, and pvals
 * without that axis, may be arrays, which broadcast with each other and to `size`. int32 unless asked otherwise. NumPy's
 * random.multinomial.
 * @throws ValueError unless n is whole and from 0 to 2147483647, all probabilities are from 0 to 1, and those but the last
 * add up to at most 1; ShapeError for pvals without an axis, or where shapes do not fit.
 * @example
 * np.random.seed(7)
 * np.random.multinomial(20, [0.2, 0.3, 0.5], 2) // array([[ 2,  6, 12], [ 3,  7, 10]], dtype=int32)
 */
export function multinomial(n: ArrayInput, pvals: ArrayInput, size?: Size, options?: CountOptions): NDArray {
  const name = "random.multinomial";
  const code = countCode(options, name);
  const p = toArray(pvals, name);
  const k = p.shape.at(-1);
  if (k === undefined || k === 0)
    throw new ShapeError(`${name}: pvals has shape ${showShape(p.shape)}; wanted an axis with a probability for each category`);
  const count = parameter(n, name);
  const shape = resultShape(toSize(size, name), [count, { shape: p.shape.slice(0, -1) }], name);
  trials(count, name);
  probability(p, "pvals", name);
  const values = physicalOf(p).toTypedArray();
  for (let i = 0; i < values.length; i += k) {
    let sum = 0;
    for (let j = 0; j < k - 1; j++) sum += values[i + j]!;
    if (sum > 1 + TOLERANCE)
      throw new ValueError(`${name}: all but the last of pvals add up to ${sum}, which is more than 1; divide them by their sum`);
  }
  return drawAll(multinomialRow, [everywhere(count, shape), everywhere(p, [...shape, k])], shape, code);
}
