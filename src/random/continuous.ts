/** Distributions over the real numbers that are an expression of one or two evenly spread numbers. */
import type { ArrayInput, NDArray } from "../array.ts";
import { DTYPES, F32 } from "../dtype.ts";
import { under, ValueError } from "../errors.ts";
import * as E from "../expr.ts";
import { runMap } from "../launch.ts";
import { wrapped } from "../mapped.ts";
import { expm1 } from "../ops/elementary.ts";
import { add, divide, equal, exp, minimum, multiply, power, reciprocal, subtract, where } from "../ops/pointwise.ts";
import * as scalar from "../scalar.ts";
import type { Shape } from "../shape.ts";
import { notNegative, positive, type RandomOptions, requested, type Size, some, undrawn } from "./arguments.ts";
import { ANGLE, advance, compute, familyOf, fill, normalNumber, RADIUS, SIGNED, type Stream, UNIFORM } from "./generator.ts";

// ---- evenly spread

/**
 * Numbers spread evenly over low <= x < high (rounding may give `high` itself). float32 with 24 random bits, float64 with
 * 53. `low` and `high` may be arrays, which broadcast with each other and to `size`; gradients flow to them. NumPy's
 * random.uniform.
 * @throws ValueError where low > high, or high - low is not a finite number of the dtype; ShapeError where shapes do not fit.
 * @example
 * np.random.seed(7)
 * np.random.uniform(-1, 1, 3) // array([ 0.90919423,  0.50030434, -0.7716453 ])
 */
export function uniform(low: ArrayInput | null = 0, high: ArrayInput | null = 1, size?: Size, options?: RandomOptions): NDArray {
  const name = "random.uniform";
  const { code, shape, parameters } = requested(name, [low ?? 0, high ?? 1], size, options);
  const [a, b] = parameters as [NDArray | number, NDArray | number];
  const range = typeof a !== "number" || typeof b !== "number" ? subtract(b, a) : code === F32 ? Math.fround(b - a) : b - a;
  if (some(range, r => r < 0)) throw new ValueError(`${name}: low is greater than high${bothNumbers(a, b)}; exchange them`);
  if (some(range, r => !Number.isFinite(r)))
    throw new ValueError(`${name}: high - low must be a finite ${DTYPES[code]}${bothNumbers(a, b)}`);
  const y = undrawn(shape, code);
  fill(y, UNIFORM[code]!, advance(y.size));
  // In one of twenty intervals the rounded sum can be beyond `high`.
  if (typeof a !== "number" || typeof b !== "number" || typeof range !== "number") return minimum(add(multiply(wrapped(y), range), a), b);
  if (a !== 0 || b !== 1) runMap(familyOf("uniform", uniformExpr, 4, code, code), [y, a, range, b], y);
  return wrapped(y);
}

const bothNumbers = (a: NDArray | number, b: NDArray | number): string =>
  typeof a === "number" && typeof b === "number" ? `, got ${a} and ${b}` : "";

const uniformExpr = (): E.Expr => E.min(E.add(E.mul(E.arg(0), E.arg(2)), E.arg(1)), E.arg(3));

// ---- a standard form, scaled and shifted

/** A number drawn: its streams by the dtype's code, and the number as an expression of theirs. */
interface Standard {
  readonly streams: readonly (readonly Stream[])[];
  readonly value: (code: number) => E.Expr;
}

/** Numbers of the standard form times `scale`, plus `loc`: where both are numbers, in one kernel. */
function scaled(
  name: string,
  { streams, value }: Standard,
  loc: NDArray | number,
  scale: NDArray | number,
  shape: Shape,
  code: number,
): NDArray {
  const y = undrawn(shape, code);
  const k = streams.length;
  const numbers = typeof loc === "number" && typeof scale === "number";
  const family = familyOf(name, () => E.add(E.mul(value(code), E.arg(k + 1)), E.arg(k)), k + 2, code, code);
  compute(
    y,
    family,
    streams.map(s => s[code]!),
    numbers ? [loc, scale] : [0, 1],
  );
  return numbers ? wrapped(y) : add(multiply(wrapped(y), scale), loc);
}

const NORMAL: Standard = {
  streams: [RADIUS, ANGLE],
  value: code => normalNumber(code === F32 ? E.arg(0) : E.sub(1, E.arg(0)), E.arg(1), code),
};

/** A form of a number s on [-1/2, 1/2], never 0, so that both tails have all their digits. */
const signed = (value: (s: E.Expr, size: E.Expr, code: number) => E.Expr): Standard => ({
  streams: [SIGNED],
  value: code => {
    const s = code === F32 ? E.arg(0) : E.add(E.sub(E.arg(0), 0.5), 2 ** -54);
    return value(s, E.abs(s), code);
  },
});

/** -log of u or 1 - u. */
const waiting = (s: E.Expr, size: E.Expr, code: number): E.Expr =>
  E.neg(E.select(E.lt(s, 0), scalar.log(size, code), scalar.log1p(E.neg(size), code)));
/** With the sign of s. */
const withSign = (s: E.Expr, x: E.Expr): E.Expr => E.select(E.lt(s, 0), E.neg(x), x);

const EXPONENTIAL = /* @__PURE__ */ signed(waiting);
const RAYLEIGH = /* @__PURE__ */ signed((s, size, code) => E.sqrt(E.mul(waiting(s, size, code), 2)));
const GUMBEL = /* @__PURE__ */ signed((s, size, code) => E.neg(scalar.log(waiting(s, size, code), code)));
const LAPLACE = /* @__PURE__ */ signed((s, size, code) => withSign(s, E.neg(scalar.log(E.mul(size, 2), code))));
const LOGISTIC = /* @__PURE__ */ signed((s, size, code) => withSign(s, E.sub(scalar.log1p(E.neg(size), code), scalar.log(size, code))));

/** A distribution of `loc` and `scale`. */
function located(
  name: string,
  form: Standard,
  loc: ArrayInput | null,
  scale: ArrayInput | null,
  size: Size | undefined,
  options: RandomOptions | undefined,
  scaleName = "scale",
): NDArray {
  const { code, shape, parameters } = requested(name, [loc ?? 0, scale ?? 1], size, options);
  const [a, b] = parameters as [NDArray | number, NDArray | number];
  notNegative(b, scaleName, name);
  return scaled(name, form, a, b, shape, code);
}

/**
 * Normally distributed numbers with mean `loc` and standard deviation `scale`. Both may be arrays, which broadcast with
 * each other and to `size`; the result is loc + scale·z, and gradients flow to them. Box and Muller's method; NumPy's
 * random.normal.
 * @throws ValueError unless scale >= 0; ShapeError where shapes do not fit.
 * @example
 * np.random.seed(7)
 * np.random.normal(10, 0.5, 3) // array([ 9.855523, 10.202404, 10.35491 ])
 */
export const normal = (loc: ArrayInput | null = 0, scale: ArrayInput | null = 1, size?: Size, options?: RandomOptions): NDArray =>
  located("random.normal", NORMAL, loc, scale, size, options);

/**
 * Numbers from the Laplace distribution, with density e^(-|x - loc|/scale)/(2·scale). Both may be arrays, which broadcast
 * with each other and to `size`; gradients flow to them. NumPy's random.laplace.
 * @throws ValueError unless scale >= 0; ShapeError where shapes do not fit.
 * @example
 * np.random.seed(7)
 * np.random.laplace(0, 2, 3) // array([ 0.07736639, -2.31489   ,  0.99701357])
 */
export const laplace = (loc: ArrayInput | null = 0, scale: ArrayInput | null = 1, size?: Size, options?: RandomOptions): NDArray =>
  located("random.laplace", LAPLACE, loc, scale, size, options);

/**
 * Numbers from the logistic distribution, whose distribution function is sigmoid((x - loc)/scale). Both may be arrays, which broadcast
 * with each other and to `size`; gradients flow to them. NumPy's random.logistic.
 * @throws ValueError unless scale >= 0; ShapeError where shapes do not fit.
 * @example
 * np.random.seed(7)
 * np.random.logistic(0, 2, 3) // array([ 0.15185106, -3.3592658 ,  1.6593053 ])
 */
export const logistic = (loc: ArrayInput | null = 0, scale: ArrayInput | null = 1, size?: Size, options?: RandomOptions): NDArray =>
  located("random.logistic", LOGISTIC, loc, scale, size, options);

/**
 * Numbers from the Gumbel distribution of largest values, with distribution function exp(-e^(-(x - loc)/scale)). Both may be arrays, which broadcast
 * with each other and to `size`; gradients flow to them. NumPy's random.gumbel.
 * @throws ValueError unless scale >= 0; ShapeError where shapes do not fit.
 * @example
 * np.random.seed(7)
 * np.random.gumbel(0, 2, 3) // array([ 0.84347916, -1.2310114 ,  2.032215  ])
 */
export const gumbel = (loc: ArrayInput | null = 0, scale: ArrayInput | null = 1, size?: Size, options?: RandomOptions): NDArray =>
  located("random.gumbel", GUMBEL, loc, scale, size, options);

/**
 * Numbers from the exponential distribution with mean `scale`, which may be an array that broadcasts to `size`; gradients
 * flow to it. NumPy's random.exponential.
 * @throws ValueError unless scale >= 0; ShapeError where shapes do not fit.
 * @example
 * np.random.seed(7)
 * np.random.exponential(2, 3) // array([1.3118097 , 3.7011843 , 0.72400254])
 */
export const exponential = (scale: ArrayInput | null = 1, size?: Size, options?: RandomOptions): NDArray =>
  located("random.exponential", EXPONENTIAL, 0, scale, size, options);

/**
 * Numbers from the Rayleigh distribution: the lengths of vectors of two normal numbers with standard deviation `scale`,
 * which may be an array that broadcasts to `size`; gradients flow to it. NumPy's random.rayleigh.
 * @throws ValueError unless scale >= 0; ShapeError where shapes do not fit.
 * @example
 * np.random.seed(7)
 * np.random.rayleigh(2, 3) // array([2.2906852, 3.8476925, 1.7017667])
 */
export const rayleigh = (scale: ArrayInput | null = 1, size?: Size, options?: RandomOptions): NDArray =>
  located("random.rayleigh", RAYLEIGH, 0, scale, size, options);

/**
 * Numbers whose logarithms are normally distributed with mean `mean` and standard deviation `sigma`. Both may be arrays,
 * which broadcast with each other and to `size`; gradients flow to them. NumPy's random.lognormal.
 * @throws ValueError unless sigma >= 0; ShapeError where shapes do not fit.
 * @example
 * np.random.seed(7)
 * np.random.lognormal(0, 0.5, 3) // array([0.8654753, 1.2243425, 1.4260528])
 */
export const lognormal = (mean: ArrayInput | null = 0, sigma: ArrayInput | null = 1, size?: Size, options?: RandomOptions): NDArray =>
  exp(located("random.lognormal", NORMAL, mean, sigma, size, options, "sigma"));

/** Exponential numbers with mean 1, and the parameter of what is made of them. */
function shaped(
  name: string,
  a: ArrayInput,
  size: Size | undefined,
  options: RandomOptions | undefined,
  check: typeof positive,
): [NDArray, NDArray | number] {
  const { code, shape, parameters } = requested(name, [a], size, options);
  check(parameters[0]!, "a", name);
  return [scaled("random.exponential", EXPONENTIAL, 0, 1, shape, code), parameters[0]!];
}

/**
 * Numbers from the Weibull distribution of shape a and scale 1, with distribution function 1 - exp(-xᵃ); zeros for a = 0.
 * `a` may be an array, which broadcasts to `size`; gradients flow to it. NumPy's random.weibull.
 * @throws ValueError unless a >= 0; ShapeError where shapes do not fit.
 * @example
 * np.random.seed(7)
 * np.random.weibull(2, 3) // array([0.80987954, 1.3603647 , 0.60166544])
 */
export function weibull(a: ArrayInput, size?: Size, options?: RandomOptions): NDArray {
  const [x, k] = shaped("random.weibull", a, size, options, notNegative);
  if (typeof k === "number") return k === 0 ? multiply(x, 0) : power(x, 1 / k);
  const none = equal(k, 0);
  return where(none, 0, power(x, reciprocal(where(none, 1, k))));
}

/**
 * Numbers from the Pareto distribution of the second kind (Lomax's), with distribution function 1 - (1 + x)⁻ᵃ; add 1 for
 * the first kind. `a` may be an array, which broadcasts to `size`; gradients flow to it. NumPy's random.pareto.
 * @throws ValueError unless a > 0; ShapeError where shapes do not fit.
 * @example
 * np.random.seed(7)
 * np.random.pareto(3, 3) // array([0.24437693, 0.85310763, 0.12824924])
 */
export function pareto(a: ArrayInput, size?: Size, options?: RandomOptions): NDArray {
  const [x, k] = shaped("random.pareto", a, size, options, positive);
  return expm1(divide(x, k));
}

// ---- sizes as arguments

/** Sizes of axes, and options at the end. */
type Dims = readonly number[] | readonly [...number[], RandomOptions];

function splitDims(given: Dims): [number[], RandomOptions | undefined] {
  const last = given.at(-1);
  const options = typeof last === "object" && last !== null && !Array.isArray(last) ? (last as RandomOptions) : undefined;
  return [(options === undefined ? given.slice() : given.slice(0, -1)) as number[], options];
}

/**
 * Numbers spread evenly over 0 <= x < 1, with the sizes of the axes as arguments. NumPy's random.rand.
 * @throws ShapeError for a size that is not a whole number >= 0.
 * @example
 * np.random.seed(7)
 * np.random.rand(2, 2) // array([[0.9545971 , 0.7501522 ], [0.11417735, 0.08565784]])
 */
export function rand(...dims: Dims): NDArray {
  const [sizes, options] = splitDims(dims);
  return under("random.rand", () => uniform(0, 1, sizes, options));
}

/**
 * Normally distributed numbers of mean 0 and variance 1, with the sizes of the axes as arguments. NumPy's random.randn.
 * @throws ShapeError for a size that is not a whole number >= 0.
 * @example
 * np.random.seed(7)
 * np.random.randn(2, 2) // array([[-0.28895292,  0.4048078 ], [ 0.70982075, -1.395766  ]])
 */
export function randn(...dims: Dims): NDArray {
  const [sizes, options] = splitDims(dims);
  return under("random.randn", () => normal(0, 1, sizes, options));
}
