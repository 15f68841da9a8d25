/**
 * Pointwise operators, one row each: the value of an element as an expression, the gradient as a line of mathematics in
 * public operators. A rule multiplies a cotangent by a slope with `absorb`, which gives 0 where the cotangent is 0.
 */
import type { ArrayInput, NDArray } from "../array.ts";
import { toArray } from "../convert.ts";
import { DTYPES, I32, isFloat } from "../dtype.ts";
import { under, ValueError } from "../errors.ts";
import * as E from "../expr.ts";
import { physicalOf } from "../mapped.ts";
import { type Binary, binary, type HasRow, type OutOption, type Ternary, type Trailing, ternary, type Unary, unary } from "../op.ts";
import * as scalar from "../scalar.ts";

// ---- arithmetic

/**
 * The sum of two arrays, element by element, broadcast. NumPy's add; `+` of two bool arrays is "or".
 * @example np.add([1, 2], 10) // array([11., 12.])
 */
export const add: Binary = binary("add", { value: (a, b) => E.add(a, b), grad: g => [g, g] });

/**
 * The difference of two arrays, element by element, broadcast. NumPy's subtract.
 * @throws DTypeError for bools alone.
 * @example np.subtract([5, 7], [1, 2]) // array([4., 5.])
 */
export const subtract: Binary = binary("subtract", { value: (a, b) => E.sub(a, b), grad: g => [g, negative(g)], bool: "refused" });

/**
 * The product of two arrays, element by element, broadcast. NumPy's multiply.
 * @example np.multiply([1, 2, 3], 2) // array([2., 4., 6.])
 */
export const multiply: Binary = binary("multiply", { value: (a, b) => E.mul(a, b), grad: (g, _, a, b) => [absorb(g, b), absorb(g, a)] });

/**
 * The quotient of two arrays, element by element, broadcast; integers give float32. NumPy's divide (true_divide).
 * @example np.divide([1, 2], 4) // array([0.25, 0.5 ])
 */
export const divide: Binary = binary("divide", {
  value: (a, b) => E.div(a, b),
  grad: (g, y, _, b) => [absorb(g, reciprocal(b)), negative(absorb(g, divide(y, b)))],
  dtype: "float",
  domain: [0.5, 2],
});

/** A cotangent times a slope: 0 where the cotangent is 0, whatever the slope. What rules multiply with. @internal */
export const absorb: Binary = binary("absorb", {
  value: (g, s) => E.absorb(g, s),
  grad: (h, _, g, s) => [absorb(h, s), mutual(g, h)],
});

/**
 * The product of two cotangents: 0 where either is 0, even if the other has become infinite on its way. Not a `where` on
 * one of them, which would cut the derivative with respect to that one: then order 3 is wrong where it is 0.
 */
const mutual: Binary = binary("mutual", {
  value: (g, h) => E.select(E.eq(h, 0), 0, E.absorb(g, h)),
  grad: (k, _, g, h) => [mutual(k, h), mutual(k, g)],
});

const powerRow: Binary = binary("power", {
  value: (a, b, lane) => (lane === I32 ? integerPower(a, b) : scalar.power(a, b, lane)),
  // absorb(b, …) is what makes the slope of x⁰ a real 0 at x = 0, where the other factor is infinite.
  grad: (g, y, a, b) => [absorb(g, absorb(b, powerRow(a, subtract(b, 1)))), absorb(g, absorb(y, log(a)))],
  bool: "int",
  domain: [0.3, 2],
});

/** Powers that need no logarithm, by exponent. */
const easyPower: ReadonlyMap<number, (x: NDArray) => NDArray> = new Map([
  [0.5, x => sqrt(x)],
  [1, x => positive(x)],
  [2, x => square(x)],
  [3, x => cube(x)],
  [-1, x => reciprocal(x)],
]);

/**
 * The first operand raised to the second, element by element, broadcast. NumPy's power: a negative number has powers
 * with integral exponents only (else NaN).
 * @throws ValueError for an integer array raised to a negative number.
 * @example np.power([1, 2, 3], 2) // array([1., 4., 9.])
 */
export const power: Binary = /* @__PURE__ */ Object.assign(
  (x1: ArrayInput, x2: ArrayInput, options?: Trailing<OutOption>): NDArray => {
    if ((x1 as unknown) instanceof E.Expr || (x2 as unknown) instanceof E.Expr || x1 === null || x2 === null)
      return (easyPower.get(x2 as number) ?? powerRow)(x1 as NDArray, x2, options);
    const base = typeof x1 === "number" ? x1 : toArray(x1, "power", x2);
    const exponent = typeof x2 === "number" ? x2 : toArray(x2, "power", x1);
    checkIntegerPower(base, exponent);
    const easy =
      typeof base !== "number" && typeof exponent === "number" && isFloat(base.code) && !options ? easyPower.get(exponent) : undefined;
    return easy === undefined ? powerRow(base, exponent, options) : easy(base as NDArray);
  },
  { op: powerRow.op },
);

/** A negative exponent of an integer gives no integer. */
function checkIntegerPower(base: NDArray | number, exponent: NDArray | number): void {
  const whole = (x: NDArray | number): boolean => (typeof x === "number" ? Number.isInteger(x) : !isFloat(x.code));
  if (!whole(base) || !whole(exponent) || (typeof base === "number" && typeof exponent === "number")) return;
  let low = typeof exponent === "number" ? exponent : 0;
  if (typeof exponent !== "number") for (const v of physicalOf(exponent).toTypedArray()) low = Math.min(low, v);
  if (low >= 0) return;
  const dtype = typeof base === "number" ? String(base) : DTYPES[base.code]!;
  throw new ValueError(`power: ${dtype} to the power of ${low} is no integer; use astype("float32") first`);
}

/** By squaring, one bit of the exponent after another, wrapping as int32 does. */
function integerPower(base: E.Expr, exponent: E.Expr): E.Expr {
  let result: E.Expr = E.constant(1);
  let square = base;
  for (let bit = 0; bit < 31; bit++) {
    const set = E.ne(E.and(exponent, 2 ** bit), 0);
    result = E.select(set, E.mul(result, square), result);
    square = E.mul(square, square);
  }
  return result;
}

/**
 * The negative of each element. NumPy's negative.
 * @throws DTypeError for bools.
 * @example np.negative([1, -2]) // array([-1.,  2.])
 */
export const negative: Unary = unary("negative", { value: x => E.neg(x), grad: g => [negative(g)], bool: "refused" });

/**
 * A copy with the same values. NumPy's positive.
 * @throws DTypeError for bools.
 * @example np.positive([1, -2]) // array([ 1., -2.])
 */
export const positive: Unary = unary("positive", { value: x => x, grad: g => [g], bool: "refused" });

/**
 * The absolute value of each element; slope 0 at 0. NumPy's absolute.
 * @example np.abs([-2, 0, 3]) // array([2., 0., 3.])
 */
export const absolute: Unary = unary("absolute", { value: x => E.abs(x), grad: (g, _, x) => [absorb(g, sign(x))] });

/** The absolute value of each element; slope 0 at 0. NumPy's abs. @example np.abs([-2, 3]) // array([2., 3.]) */
export const abs: Unary = absolute;

/**
 * -1, 0 or 1 by the sign of each element, NaN for NaN; slope 0. NumPy's sign.
 * @throws DTypeError for bools.
 * @example np.sign([-5, 0, 2]) // array([-1.,  0.,  1.])
 */
export const sign: Unary = unary("sign", {
  value: x => E.select(E.gt(x, 0), 1, E.select(E.lt(x, 0), -1, E.select(E.eq(x, 0), 0, x))),
  grad: () => [0],
  bool: "refused",
});

/**
 * The square of each element. NumPy's square.
 * @example np.square([1, 2, 3]) // array([1., 4., 9.])
 */
export const square: Unary = unary("square", {
  value: x => E.mul(x, x),
  grad: (g, _, x) => [absorb(g, multiply(2, x))],
  bool: "int",
});

const cube: Unary = unary("cube", { value: x => E.mul(E.mul(x, x), x), grad: (g, _, x) => [absorb(g, multiply(3, square(x)))] });

/**
 * The non-negative square root of each element, NaN for negative ones; slope infinite at 0. NumPy's sqrt.
 * @example np.sqrt([1, 4, 9]) // array([1., 2., 3.])
 */
export const sqrt: Unary = unary("sqrt", {
  value: x => E.sqrt(x),
  grad: (g, y) => [absorb(g, divide(0.5, y))],
  dtype: "float",
  domain: [0.2, 3],
});

/**
 * One divided by each element, of integers without what stands behind the point. NumPy's reciprocal.
 * @example np.reciprocal([2, 4]) // array([0.5 , 0.25])
 */
export const reciprocal: Unary = unary("reciprocal", {
  value: (x, lane) => (lane === I32 ? E.select(E.eq(E.abs(x), 1), x, 0) : E.div(1, x)),
  grad: (g, y) => [negative(absorb(g, square(y)))],
  bool: "int",
  domain: [0.5, 2],
});

// ---- exponential and trigonometric functions

/**
 * e to the power of each element. NumPy's exp.
 * @example np.exp([0, 1]) // array([1.       , 2.7182817])
 */
export const exp: Unary = unary("exp", { value: (x, t) => scalar.exp(x, t), grad: (g, y) => [absorb(g, y)], dtype: "float" });

/**
 * The natural logarithm of each element; -inf at 0, NaN below. NumPy's log.
 * @example np.log([1, 2]) // array([0.       , 0.6931472])
 */
export const log: Unary = unary("log", {
  value: (x, t) => scalar.log(x, t),
  grad: (g, _, x) => [absorb(g, reciprocal(x))],
  dtype: "float",
  domain: [0.2, 3],
});

/**
 * The sine of each element, in radians. NumPy's sin.
 * @example np.sin([0, np.pi / 2]) // array([0., 1.])
 */
export const sin: Unary = unary("sin", { value: (x, t) => scalar.sin(x, t), grad: (g, _, x) => [absorb(g, cos(x))], dtype: "float" });

/**
 * The cosine of each element, in radians. NumPy's cos.
 * @example np.cos([0, np.pi]) // array([ 1., -1.])
 */
export const cos: Unary = unary("cos", {
  value: (x, t) => scalar.cos(x, t),
  grad: (g, _, x) => [negative(absorb(g, sin(x)))],
  dtype: "float",
});

/**
 * The hyperbolic tangent of each element. NumPy's tanh.
 * @example np.tanh([0, 1]) // array([0.       , 0.7615942])
 */
export const tanh: Unary = unary("tanh", {
  value: (x, t) => scalar.tanh(x, t),
  // 1 - y·y would lose every digit where y is near 1.
  grad: (g, _, x) => [absorb(g, sechSquared(x))],
  dtype: "float",
});

/** 1/cosh²: the slope of tanh. */
const sechSquared: Unary = unary("sechSquared", {
  value: (x, t) => {
    const e = scalar.exp(E.mul(-2, E.abs(x)), t);
    const d = E.add(1, e);
    return E.div(E.mul(4, e), E.mul(d, d));
  },
  grad: (g, y, x) => [absorb(g, multiply(-2, multiply(tanh(x), y)))],
  dtype: "float",
});

/**
 * The logistic function 1/(1+e⁻ˣ) of each element. MXNet's npx.sigmoid.
 * @example npx.sigmoid([0, 2]) // array([0.5      , 0.8807971])
 */
export const sigmoid: Unary = unary("sigmoid", {
  value: (x, t) => scalar.sigmoid(x, t),
  grad: (g, _, x) => [absorb(g, sigmoidSlope(x))],
  dtype: "float",
});

/** e⁻ˣ/(1+e⁻ˣ)²: the slope of sigmoid, without the cancellation of y·(1-y). @internal */
export const sigmoidSlope: Unary = unary("sigmoidSlope", {
  value: (x, t) => {
    const e = scalar.exp(E.neg(E.abs(x)), t);
    const d = E.add(1, e);
    return E.div(e, E.mul(d, d));
  },
  grad: (g, y, x) => [negative(absorb(g, multiply(y, tanh(multiply(0.5, x)))))],
  dtype: "float",
});

/**
 * The larger of 0 and each element; slope 0 at 0, NaN for NaN. MXNet's npx.relu.
 * @example npx.relu([-1, 0, 2]) // array([0., 0., 2.])
 */
export const relu: Unary = unary("relu", { value: x => E.max(x, 0), grad: (g, y) => [absorb(g, sign(y))], domain: [0.1, 2] });

/**
 * The same values, but the gradient stops: it arrives as 0. MXNet's npx.stop_gradient.
 * @example npx.stopGradient([1, 2]) // array([1., 2.])
 */
export const stopGradient: Unary = unary("stopGradient", { value: x => x, grad: () => [0] });

// ---- comparison and selection

/**
 * Where two arrays are equal, as bool, broadcast. NaN equals nothing. NumPy's equal.
 * @example np.equal([1, 2], [1, 3]) // array([ True, False])
 */
export const equal: Binary = binary("equal", { value: (a, b) => E.eq(a, b), grad: null, dtype: "bool" });
/**
 * Where two arrays differ, as bool, broadcast. NumPy's not_equal.
 * @example np.notEqual([1, 2], [1, 3]) // array([False,  True])
 */
export const notEqual: Binary = binary("notEqual", { value: (a, b) => E.ne(a, b), grad: null, dtype: "bool" });
/**
 * Where the first is less than the second, as bool, broadcast. NumPy's less.
 * @example np.less([1, 2, 3], 2) // array([ True, False, False])
 */
export const less: Binary = binary("less", { value: (a, b) => E.lt(a, b), grad: null, dtype: "bool" });
/**
 * Where the first is at most the second, as bool, broadcast. NumPy's less_equal.
 * @example np.lessEqual([1, 2, 3], 2) // array([ True,  True, False])
 */
export const lessEqual: Binary = binary("lessEqual", { value: (a, b) => E.le(a, b), grad: null, dtype: "bool" });
/**
 * Where the first is greater than the second, as bool, broadcast. NumPy's greater. An array is an object, so
 * `if (x.gt(0))` is always true: write `if (x.gt(0).item())`.
 * @example np.greater([1, 2, 3], 2) // array([False, False,  True])
 */
export const greater: Binary = binary("greater", { value: (a, b) => E.gt(a, b), grad: null, dtype: "bool" });
/**
 * Where the first is at least the second, as bool, broadcast. NumPy's greater_equal.
 * @example np.greaterEqual([1, 2, 3], 2) // array([False,  True,  True])
 */
export const greaterEqual: Binary = binary("greaterEqual", { value: (a, b) => E.ge(a, b), grad: null, dtype: "bool" });

/**
 * The larger of two arrays, element by element, broadcast; NaN if either is. The left operand takes the gradient of a
 * tie. NumPy's maximum.
 * @example np.maximum([1, 5], [3, 2]) // array([3., 5.])
 */
export const maximum: Binary = binary("maximum", {
  value: (a, b) => E.max(a, b),
  grad: (g, _, a, b) => [where(greaterEqual(a, b), g, 0), where(less(a, b), g, 0)],
});

/**
 * The smaller of two arrays, element by element, broadcast; NaN if either is. The left operand takes the gradient of a
 * tie. NumPy's minimum.
 * @example np.minimum([1, 5], [3, 2]) // array([1., 2.])
 */
export const minimum: Binary = binary("minimum", {
  value: (a, b) => E.min(a, b),
  grad: (g, _, a, b) => [where(lessEqual(a, b), g, 0), where(greater(a, b), g, 0)],
});

/**
 * Elements of the second where the condition holds, else of the third, broadcast. The branch not taken has gradient
 * exactly 0. NumPy's where with three arguments.
 * @example np.where([true, false], [1, 2], [3, 4]) // array([1., 4.])
 */
export const where: Ternary = ternary("where", {
  value: (c, a, b) => E.select(E.truth(c), a, b),
  grad: (g, _, c) => [null, where(c, g, 0), where(c, 0, g)],
  discrete: [0],
});

const clipRow: Ternary = ternary("clip", {
  value: (x, low, high) => E.min(E.max(x, low), high),
  grad: (g, _, x, low, high) => [
    where(greaterEqual(x, low), where(lessEqual(x, high), g, 0), 0),
    where(less(x, low), where(lessEqual(low, high), g, 0), 0),
    where(greater(x, high), g, where(greater(low, high), g, 0)),
  ],
  domain: [-2, 2],
});

/**
 * Each element, but not below `low` nor above `high` (null leaves a side open); slope 1 on both bounds. NumPy's clip.
 * @throws ValueError if both bounds are missing.
 * @example np.clip([-5, 0.5, 5], -1, 1) // array([-1. ,  0.5,  1. ])
 */
export const clip: ((x: ArrayInput, low: ArrayInput | null, high: ArrayInput | null) => NDArray) & HasRow = /* @__PURE__ */ Object.assign(
  (x: ArrayInput, low: ArrayInput | null, high: ArrayInput | null): NDArray => {
    const noLow = low === null || low === undefined;
    const noHigh = high === null || high === undefined;
    if (noLow && noHigh) throw new ValueError("clip: neither bound is given; give low, high, or both");
    if (noLow || noHigh) return under("clip", () => (noLow ? minimum(x, high as ArrayInput) : maximum(x, low as ArrayInput)));
    return clipRow(x, low as ArrayInput, high);
  },
  { op: clipRow.op },
);
