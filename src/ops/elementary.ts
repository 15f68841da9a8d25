/** Elementary functions of one argument and the rounding family, one row each. */
import type { ArrayInput, NDArray } from "../array.ts";
import { fitting, toArray, toIntegers } from "../convert.ts";
import { BOOL, DTYPES, F32, I32, isFloat } from "../dtype.ts";
import { checkOptions, DTypeError, under, wholeNumber } from "../errors.ts";
import * as E from "../expr.ts";
import { type OutOption, type Trailing, type Unary, unary } from "../op.ts";
import * as scalar from "../scalar.ts";
import { absorb, add, divide, equal, exp, multiply, negative, reciprocal, square, subtract, where } from "./pointwise.ts";
import { astype, copy, typed } from "./structural.ts";

const INF = Number.POSITIVE_INFINITY;

// ---- exponentials and logarithms

/**
 * 2 to the power of each element. NumPy's exp2.
 * @example np.exp2([0, 1, 3]) // array([1., 2., 8.])
 */
export const exp2: Unary = unary("exp2", {
  value: (x, t) => scalar.exp2(x, t),
  grad: (g, y) => [absorb(g, multiply(y, Math.LN2))],
  dtype: "float",
});

/**
 * eˣ - 1 of each element, with every digit also where x is small. NumPy's expm1.
 * @example np.expm1([0, 1e-6]) // array([0.0000000e+00, 1.0000005e-06])
 */
export const expm1: Unary = unary("expm1", {
  value: (x, t) => scalar.expm1(x, t),
  // y + 1 would lose every digit where y is near -1.
  grad: (g, _, x) => [absorb(g, exp(x))],
  dtype: "float",
});

/**
 * The logarithm of each element to base 2; -inf at 0, NaN below. NumPy's log2.
 * @example np.log2([1, 2, 8]) // array([0., 1., 3.])
 */
export const log2: Unary = unary("log2", {
  value: (x, t) => scalar.log2(x, t),
  grad: (g, _, x) => [absorb(g, divide(Math.LOG2E, x))],
  dtype: "float",
  domain: [0.2, 3],
});

/**
 * The logarithm of each element to base 10; -inf at 0, NaN below. NumPy's log10.
 * @example np.log10([1, 10, 1000]) // array([0., 1., 3.])
 */
export const log10: Unary = unary("log10", {
  value: (x, t) => scalar.log10(x, t),
  grad: (g, _, x) => [absorb(g, divide(Math.LOG10E, x))],
  dtype: "float",
  domain: [0.2, 3],
});

/**
 * log(1 + x) of each element, with every digit also where x is small; -inf at -1, NaN below. NumPy's log1p.
 * @example np.log1p([0, 1e-6]) // array([0.000000e+00, 9.999995e-07])
 */
export const log1p: Unary = unary("log1p", {
  value: (x, t) => scalar.log1p(x, t),
  grad: (g, _, x) => [absorb(g, reciprocal(add(1, x)))],
  dtype: "float",
  domain: [-0.6, 3],
});

/**
 * The cube root of each element, negative ones included; slope infinite at 0. NumPy's cbrt.
 * @example np.cbrt([-8, 27]) // array([-2.,  3.])
 */
export const cbrt: Unary = unary("cbrt", {
  value: (x, t) => scalar.cbrt(x, t),
  grad: (g, y) => [absorb(g, divide(1 / 3, square(y)))],
  dtype: "float",
  domain: [0.2, 3],
});

// ---- trigonometric and hyperbolic functions

/**
 * The tangent of each element, in radians. NumPy's tan.
 * @example np.tan([0, np.pi / 4]) // array([0., 1.])
 */
export const tan: Unary = unary("tan", {
  value: (x, t) => scalar.tan(x, t),
  grad: (g, y) => [absorb(g, add(1, square(y)))],
  dtype: "float",
  domain: [-1, 1],
});

// The slopes y of the inverse functions are rows of their own, and beside them x·y where that has a limit at infinity:
// their derivatives are products of each other, which neither overflow nor become 0·∞ or ∞ - ∞ at the ends.

const cubed = (x: NDArray): NDArray => multiply(x, square(x));

const arcsinSlope: Unary = unary("arcsinSlope", {
  value: x => E.div(1, E.sqrt(E.mul(E.sub(1, x), E.add(1, x)))),
  grad: (g, y, x) => [absorb(g, multiply(multiply(x, y), square(y)))],
  dtype: "float",
});

/** x·slope(x), and what that becomes at infinity. */
const timesX = (x: E.Expr, slope: E.Expr, limit: E.Operand): E.Expr => E.select(E.eq(E.abs(x), INF), limit, E.mul(x, slope));

/**
 * The angle in [-π/2, π/2] whose sine each element is, NaN beyond [-1, 1]; slope infinite at both ends. NumPy's arcsin.
 * @example np.arcsin([0, 1]) // array([0.       , 1.5707964])
 */
export const arcsin: Unary = unary("arcsin", {
  value: (x, t) => scalar.arcsin(x, t),
  grad: (g, _, x) => [absorb(g, arcsinSlope(x))],
  dtype: "float",
  domain: [-0.8, 0.8],
});

/**
 * The angle in [0, π] whose cosine each element is, NaN beyond [-1, 1]; slope infinite at both ends. NumPy's arccos.
 * @example np.arccos([1, 0]) // array([0.       , 1.5707964])
 */
export const arccos: Unary = unary("arccos", {
  value: (x, t) => scalar.arccos(x, t),
  grad: (g, _, x) => [negative(absorb(g, arcsinSlope(x)))],
  dtype: "float",
  domain: [-0.8, 0.8],
});

const arctanDerivative = (x: E.Expr): E.Expr => E.div(1, E.add(1, E.mul(x, x)));

const arctanSlope: Unary = unary("arctanSlope", {
  value: arctanDerivative,
  grad: (g, y, x) => [absorb(g, multiply(-2, multiply(arctanRatio(x), y)))],
  dtype: "float",
});

const arctanRatio: Unary = unary("arctanRatio", {
  value: x => timesX(x, arctanDerivative(x), 0),
  grad: (g, _, x) => {
    const y = arctanSlope(x);
    return [absorb(g, multiply(y, subtract(multiply(2, y), 1)))];
  },
  dtype: "float",
});

/**
 * The angle in [-π/2, π/2] whose tangent each element is. NumPy's arctan.
 * @example np.arctan([0, 1]) // array([0.       , 0.7853981])
 */
export const arctan: Unary = unary("arctan", {
  value: (x, t) => scalar.arctan(x, t),
  grad: (g, _, x) => [absorb(g, arctanSlope(x))],
  dtype: "float",
});

/**
 * The hyperbolic sine of each element. NumPy's sinh.
 * @example np.sinh([0, 1]) // array([0.       , 1.1752012])
 */
export const sinh: Unary = unary("sinh", {
  value: (x, t) => scalar.sinh(x, t),
  grad: (g, _, x) => [absorb(g, cosh(x))],
  dtype: "float",
});

/**
 * The hyperbolic cosine of each element. NumPy's cosh.
 * @example np.cosh([0, 1]) // array([1.       , 1.5430806])
 */
export const cosh: Unary = unary("cosh", {
  value: (x, t) => scalar.cosh(x, t),
  grad: (g, _, x) => [absorb(g, sinh(x))],
  dtype: "float",
});

/** 1/√(1 + x²), without overflow. */
function arcsinhDerivative(x: E.Expr): E.Expr {
  const size = E.abs(x);
  const large = E.gt(size, 1);
  const m = E.select(large, E.div(1, size), size);
  const s = E.div(1, E.sqrt(E.add(1, E.mul(m, m))));
  return E.select(large, E.mul(m, s), s);
}

const arcsinhSlope: Unary = unary("arcsinhSlope", {
  value: arcsinhDerivative,
  grad: (g, y, x) => [negative(absorb(g, multiply(arcsinhRatio(x), square(y))))],
  dtype: "float",
});

const arcsinhRatio: Unary = unary("arcsinhRatio", {
  value: x => timesX(x, arcsinhDerivative(x), E.select(E.lt(x, 0), -1, 1)),
  grad: (g, _, x) => [absorb(g, cubed(arcsinhSlope(x)))],
  dtype: "float",
});

/**
 * The number whose hyperbolic sine each element is. NumPy's arcsinh.
 * @example np.arcsinh([0, 1]) // array([0.       , 0.8813736])
 */
export const arcsinh: Unary = unary("arcsinh", {
  value: (x, t) => scalar.arcsinh(x, t),
  grad: (g, _, x) => [absorb(g, arcsinhSlope(x))],
  dtype: "float",
});

const arccoshDerivative = (x: E.Expr): E.Expr => E.div(1, E.mul(E.sqrt(E.sub(x, 1)), E.sqrt(E.add(x, 1))));

const arccoshSlope: Unary = unary("arccoshSlope", {
  value: arccoshDerivative,
  grad: (g, y, x) => [negative(absorb(g, multiply(arccoshRatio(x), square(y))))],
  dtype: "float",
});

const arccoshRatio: Unary = unary("arccoshRatio", {
  value: x => timesX(x, arccoshDerivative(x), 1),
  grad: (g, _, x) => [negative(absorb(g, cubed(arccoshSlope(x))))],
  dtype: "float",
});

/**
 * The number >= 0 whose hyperbolic cosine each element is, NaN below 1; slope infinite at 1. NumPy's arccosh.
 * @example np.arccosh([1, 2]) // array([0.      , 1.316958])
 */
export const arccosh: Unary = unary("arccosh", {
  value: (x, t) => scalar.arccosh(x, t),
  grad: (g, _, x) => [absorb(g, arccoshSlope(x))],
  dtype: "float",
  domain: [1.3, 3],
});

const arctanhSlope: Unary = unary("arctanhSlope", {
  value: x => E.div(1, E.mul(E.sub(1, x), E.add(1, x))),
  grad: (g, y, x) => [absorb(g, multiply(multiply(2, x), square(y)))],
  dtype: "float",
});

/**
 * The number whose hyperbolic tangent each element is, ±inf at ±1, NaN beyond. NumPy's arctanh.
 * @example np.arctanh([0, 0.5]) // array([0.        , 0.54930615])
 */
export const arctanh: Unary = unary("arctanh", {
  value: (x, t) => scalar.arctanh(x, t),
  grad: (g, _, x) => [absorb(g, arctanhSlope(x))],
  dtype: "float",
  domain: [-0.8, 0.8],
});

/**
 * Radians in degrees. NumPy's degrees.
 * @example np.degrees([0, np.pi]) // array([  0., 180.])
 */
export const degrees: Unary = unary("degrees", {
  value: x => E.mul(x, 180 / Math.PI),
  grad: g => [multiply(g, 180 / Math.PI)],
  dtype: "float",
});

/**
 * Degrees in radians. NumPy's radians.
 * @example np.radians([0, 180]) // array([0.       , 3.1415927])
 */
export const radians: Unary = unary("radians", {
  value: x => E.mul(x, Math.PI / 180),
  grad: g => [multiply(g, Math.PI / 180)],
  dtype: "float",
});

// ---- rounding

/**
 * The largest whole number that is not above each element; slope 0. Integers stay as they are. NumPy's floor.
 * @example np.floor([-1.5, 1.5]) // array([-2.,  1.])
 */
export const floor: Unary = unary("floor", { value: x => E.floor(x), grad: () => [0] });

/**
 * The smallest whole number that is not below each element; slope 0. Integers stay as they are. NumPy's ceil.
 * @example np.ceil([-1.5, 1.5]) // array([-1.,  2.])
 */
export const ceil: Unary = unary("ceil", { value: x => E.ceil(x), grad: () => [0] });

/**
 * Each element without what stands behind the point; slope 0. Integers stay as they are. NumPy's trunc.
 * @example np.trunc([-1.5, 1.5]) // array([-1.,  1.])
 */
export const trunc: Unary = unary("trunc", { value: x => E.trunc(x), grad: () => [0] });

/** Each element rounded towards 0, as np.trunc. NumPy's fix. @example np.fix([-1.5, 1.5]) // array([-1.,  1.]) */
export const fix: Unary = trunc;

/**
 * The whole number nearest to each element, halves to the even one; slope 0. Integers become float32. NumPy's rint.
 * @example np.rint([0.5, 1.5, 2.6]) // array([0., 2., 3.])
 */
export const rint: Unary = unary("rint", { value: x => E.nearest(x), grad: () => [0], dtype: "float" });

/**
 * Each element rounded to so many decimals, halves to the even one; a negative number of them rounds to tens, hundreds …
 * Slope 0; the dtype stays, but bools become float32. NumPy's round.
 * @throws ValueError for decimals that are no whole number, DTypeError for decimals of bools.
 * @example np.round([1.25, -0.567], 1) // array([ 1.2, -0.6])
 */
export function round(x: ArrayInput, decimals: number | null = 0): NDArray {
  const a = toArray(x, "round");
  const places = wholeNumber("round", "decimals", decimals ?? 0);
  if (a.code === BOOL && places !== 0) throw new DTypeError('round: bools have no decimals to round; use astype("float32")');
  if (places === 0 && (isFloat(a.code) || a.code === BOOL)) return rint(a);
  if (!isFloat(a.code)) return places >= 0 ? copy(a) : astype(round(astype(a, "float64"), places), DTYPES[a.code]!);
  const unit = 10 ** Math.min(Math.abs(places), a.code === F32 ? 38 : 308);
  return places > 0 ? divide(rint(multiply(a, unit)), unit) : multiply(rint(divide(a, unit)), unit);
}

// ---- questions, and bits

/** False for every integer: none differs from itself. */
const never = (x: E.Expr): E.Expr => E.ne(x, x);

/**
 * Where an array is NaN, as bool; integers never are. NumPy's isnan.
 * @example np.isnan([1, np.nan]) // array([False,  True])
 */
export const isnan: Unary = unary("isnan", { value: never, grad: null, dtype: "bool" });

/**
 * Where an array is infinite, as bool; integers never are. NumPy's isinf.
 * @example np.isinf([1, -np.inf]) // array([False,  True])
 */
export const isinf: Unary = unary("isinf", {
  value: (x, lane) => (lane === I32 ? never(x) : E.eq(E.abs(x), INF)),
  grad: null,
  dtype: "bool",
});

/**
 * Where an array is neither NaN nor infinite, as bool. NumPy's isfinite.
 * @example np.isfinite([1, np.nan, np.inf]) // array([ True, False, False])
 */
export const isfinite: Unary = unary("isfinite", {
  value: (x, lane) => (lane === I32 ? E.eq(x, x) : E.lt(E.abs(x), INF)),
  grad: null,
  dtype: "bool",
});

/**
 * Where an array is infinite and positive, as bool. NumPy's isposinf.
 * @example np.isposinf([np.inf, -np.inf]) // array([ True, False])
 */
export const isposinf: Unary = unary("isposinf", {
  value: (x, lane) => (lane === I32 ? never(x) : E.eq(x, INF)),
  grad: null,
  dtype: "bool",
});

/**
 * Where an array is infinite and negative, as bool. NumPy's isneginf.
 * @example np.isneginf([np.inf, -np.inf]) // array([False,  True])
 */
export const isneginf: Unary = unary("isneginf", {
  value: (x, lane) => (lane === I32 ? never(x) : E.eq(x, -INF)),
  grad: null,
  dtype: "bool",
});

/**
 * Where an array is 0, as bool. NumPy's logical_not.
 * @example np.logicalNot([true, false]) // array([False,  True])
 */
export const logicalNot: Unary = unary("logicalNot", { value: x => E.eq(x, 0), grad: null, dtype: "bool" });

const complement: Unary = unary("bitwiseNot", { value: x => E.not(x), grad: null, dtype: "integer" });

/**
 * Each element with all bits turned: -x - 1, or 255 - x for uint8; of bool, what is not. NumPy's bitwise_not (invert).
 * @throws DTypeError for floats.
 * @example np.bitwiseNot([0, 5]) // array([-1, -6], dtype=int32)
 */
export function bitwiseNot(x: ArrayInput, options?: Trailing<OutOption>): NDArray {
  const a = toIntegers(x, "bitwiseNot");
  return a.code === BOOL ? under("bitwiseNot", () => logicalNot(a, options)) : complement(a, options);
}

export interface NanToNumOptions {
  /** What stands for NaN, a number or an array that broadcasts to x; 0 unless given. */
  nan?: ArrayInput | null;
  /** What stands for infinity, and for minus infinity; the largest number of the dtype and its negative unless given. */
  posinf?: ArrayInput | null;
  neginf?: ArrayInput | null;
}

/**
 * The same values with others in place of NaN and the infinities, in the dtype of x. The gradient flows to x where it stays
 * (slope 0 where it was replaced), and to arrays where they are put in. NumPy's nan_to_num.
 * @throws ShapeError for an array that does not broadcast to the shape of x.
 * @example np.nanToNum([1, np.nan, np.inf], { posinf: 9 }) // array([1., 0., 9.])
 * @example np.nanToNum([[1, np.nan], [np.nan, 2]], { nan: [5, 6] }) // array([[1., 6.],\n       [5., 2.]])
 */
export function nanToNum(x: ArrayInput, options?: NanToNumOptions): NDArray {
  const known = ["nan", "posinf", "neginf"] as const;
  checkOptions("nanToNum", options, known);
  const a = toArray(x, "nanToNum");
  const largest = a.code === F32 ? 2 ** 128 - 2 ** 104 : Number.MAX_VALUE;
  const [nan, posinf, neginf] = known.map((name, i) => {
    const value = options?.[name] ?? [0, largest, -largest][i]!;
    return typeof value === "number" ? value : typed(fitting(value, name, a.shape, "nanToNum", a), a.code);
  }) as [ArrayInput, ArrayInput, ArrayInput];
  if (!isFloat(a.code)) return copy(a);
  return where(isnan(a), nan, where(equal(a, INF), posinf, where(equal(a, -INF), neginf, a)));
}
