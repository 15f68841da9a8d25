/** Whether arrays are equal or close. */
import type { ArrayInput, NDArray } from "../array.ts";
import { toArray, toArrays } from "../convert.ts";
import { isFloat } from "../dtype.ts";
import { checkOptions, flag, under } from "../errors.ts";
import * as E from "../expr.ts";
import { pointwise } from "../op.ts";
import { logicalAnd, logicalOr } from "../ops/arithmetic.ts";
import { equal, notEqual } from "../ops/pointwise.ts";
import { all } from "../ops/reduction.ts";
import { astype } from "../ops/structural.ts";
import { sameShape } from "../shape.ts";

export interface EqualOptions {
  /** Whether two NaN are equal; false by default. */
  equalNan?: boolean;
}

export interface CloseOptions extends EqualOptions {
  /** The tolerance relative to the second array; 1e-5 by default. Arrays of tolerances broadcast with both. */
  rtol?: ArrayInput;
  /** The tolerance beside it; 1e-8 by default. */
  atol?: ArrayInput;
}

/** Infinities are close to themselves only. */
const near = pointwise<[NDArray, NDArray, NDArray, NDArray]>("isclose", 4, {
  value: (a, b, rtol, atol) => {
    const size = E.abs(b);
    const within = E.le(E.abs(E.sub(a, b)), E.add(atol, E.mul(rtol, size)));
    return E.or(E.eq(a, b), E.and(within, E.lt(size, Number.POSITIVE_INFINITY)));
  },
  grad: null,
  dtype: "bool",
});

function closeness(operator: string, a: ArrayInput, b: ArrayInput, options: CloseOptions | undefined): NDArray {
  checkOptions(operator, options, ["rtol", "atol", "equalNan"]);
  const { rtol = 1e-5, atol = 1e-8, equalNan } = options ?? {};
  const nans = flag(operator, "equalNan", equalNan, false);
  // Differences of integers may not fit their dtype.
  const [x, y] = toArrays([a, b], operator).map(given => (isFloat(given.code) ? given : astype(given, "float64"))) as [NDArray, NDArray];
  const tolerance = (v: ArrayInput): NDArray | number => (typeof v === "number" ? v : toArray(v, operator, x));
  const close = under(operator, () => near(x, y, tolerance(rtol), tolerance(atol)));
  return nans ? orBothNan(close, x, y) : close;
}

const orBothNan = (same: NDArray, x: NDArray, y: NDArray): NDArray => logicalOr(same, logicalAnd(notEqual(x, x), notEqual(y, y)));

/**
 * Where |a - b| <= atol + rtol·|b|, as bool, broadcast. NumPy's isclose.
 * @example np.isclose([1, 1], [1.000001, 1.1]) // array([ True, False])
 */
export function isclose(a: ArrayInput, b: ArrayInput, options?: CloseOptions): NDArray {
  return closeness("isclose", a, b, options);
}

/**
 * Whether all elements are close, as isclose says: true or false. NumPy's allclose.
 * @throws ShapeError for shapes that do not broadcast.
 * @example np.allclose([1, 2], [1, 2.00001]) // true
 */
export function allclose(a: ArrayInput, b: ArrayInput, options?: CloseOptions): boolean {
  return Boolean(all(closeness("allclose", a, b, options)).item());
}

/**
 * Whether two arrays have one shape and equal elements: true or false. NumPy's array_equal.
 * @example np.arrayEqual([1, 2], [1, 2]) // true
 */
export function arrayEqual(a: ArrayInput, b: ArrayInput, options?: EqualOptions): boolean {
  checkOptions("arrayEqual", options, ["equalNan"]);
  const nans = flag("arrayEqual", "equalNan", options?.equalNan, false);
  const [x, y] = toArrays([a, b], "arrayEqual") as [NDArray, NDArray];
  if (!sameShape(x.shape, y.shape)) return false;
  const same = equal(x, y);
  return Boolean(all(nans ? orBothNan(same, x, y) : same).item());
}
