/** Differences of neighbours, and the sums of what lies between them. */
import { type ArrayInput, fromValues, type NDArray } from "../../array.ts";
import { isWide, toArray, toIntegers } from "../../convert.ts";
import { BOOL, F64, isFloat, promoteNumber, sameKind } from "../../dtype.ts";
import { checkOptions, DTypeError, describe, ShapeError, under, ValueError, wholeNumber } from "../../errors.ts";
import { add, multiply, notEqual, subtract } from "../../ops/pointwise.ts";
import { sum } from "../../ops/reduction.ts";
import { broadcastTo, flat, inFloat, joined, part, reshape, slice, typed } from "../../ops/structural.ts";
import { sameShape, showShape, toAxis } from "../../shape.ts";
import { concatenate } from "../joining.ts";

/** All but the last along an axis, and all but the first. */
function neighbours(x: NDArray, axis: number): [NDArray, NDArray] {
  const n = x.shape[axis]!;
  const count = Math.max(n - 1, 0);
  return [slice([x], part(x.shape, axis, 0, count)), slice([x], part(x.shape, axis, n - count, count))];
}

/**
 * The array, and what options of two names put at its ends. There numbers have the dtype in which they meet the array, and
 * lists of whole numbers beside integers are integers.
 */
function withEnds(operator: string, x: ArrayInput, options: object | undefined, names: readonly string[]): [NDArray, ...NDArray[][]] {
  checkOptions(operator, options, names);
  const given = names.map(name => (options as Record<string, ArrayInput | null> | undefined)?.[name]);
  const wide = [x, ...given].find(isWide) as ArrayInput | undefined;
  const a = toArray(x, operator, wide);
  const code = wide === undefined ? a.code : F64;
  const end = (v: ArrayInput): NDArray => {
    if (typeof v === "number") return fromValues([v], [], promoteNumber(code, v, operator));
    return isFloat(code) ? toArray(v, operator, wide) : toIntegers(v, operator);
  };
  return [a, ...given.map(v => (v === undefined || v === null ? [] : [end(v)]))];
}

export interface DiffOptions {
  /** What stands before the first along the axis: one number for all other places, or an array with that axis. */
  prepend?: ArrayInput | null;
  /** The same, behind the last. */
  append?: ArrayInput | null;
}

/**
 * Each element less the one before it along an axis (the last by default), n times over; whether they differ for bool.
 * With `prepend` and `append` joined to the array first, unless n is 0. NumPy's diff.
 * @throws ValueError for an n that is no whole number >= 0, ShapeError for ends that do not fit the other axes.
 * @example np.diff([1, 4, 9, 16]) // array([3., 5., 7.])
 * @example np.diff([1, 4, 9], 1, -1, { prepend: 0 }) // array([1., 3., 5.])
 */
export function diff(x: ArrayInput, n: number | null = 1, axis: number | null = -1, options?: DiffOptions): NDArray {
  const [a, ...ends] = withEnds("diff", x, options, ["prepend", "append"]);
  const times = wholeNumber("diff", "n", n ?? 1, 0);
  if (times === 0) return a;
  const at = toAxis(axis ?? -1, a.ndim, "diff");
  const one = a.shape.map((size, i) => (i === at ? 1 : size));
  const [before, after] = ends.map(end => end.map(v => (v.ndim === 0 ? broadcastTo(v, one) : v))) as [NDArray[], NDArray[]];
  const all = [...before, a, ...after];
  let y = all.length === 1 ? a : under("diff", () => concatenate(all, at));
  for (let i = Math.min(times, y.shape[at]!); i > 0; i--) {
    const [low, high] = neighbours(y, at);
    y = y.code === BOOL ? notEqual(high, low) : subtract(high, low);
  }
  return y;
}

export interface Ediff1dOptions {
  /** What stands before the differences, in their dtype. */
  toBegin?: ArrayInput | null;
  /** What stands behind them. */
  toEnd?: ArrayInput | null;
}

/**
 * Each element of the flattened array less the one before it, between `toBegin` and `toEnd` (flattened too). NumPy's ediff1d.
 * @throws DTypeError for bools, and for ends of a kind that the array's dtype does not hold, as floats beside integers.
 * @example np.ediff1d([[1, 4], [9, 16]]) // array([3., 5., 7.])
 * @example np.ediff1d([1, 4, 9], { toBegin: -99, toEnd: [88, 99] }) // array([-99.,   3.,   5.,  88.,  99.])
 */
export function ediff1d(x: ArrayInput, options?: Ediff1dOptions): NDArray {
  const names = ["toBegin", "toEnd"];
  const [a, ...ends] = withEnds("ediff1d", x, options, names);
  const [low, high] = neighbours(flat(a), 0);
  const inner = under("ediff1d", () => subtract(high, low));
  const [before, after] = ends.map((end, i) =>
    end.map(v => {
      if (!sameKind(v.code, a.code))
        throw new DTypeError(`ediff1d: ${names[i]} is ${v.dtype}, which does not go into an ${a.dtype} array; use astype`);
      return typed(flat(v), a.code);
    }),
  ) as [NDArray[], NDArray[]];
  const all = [...before, inner, ...after];
  return all.length === 1 ? inner : joined(all, 0);
}

export interface TrapezoidOptions {
  /** The distance between samples, where x is not given. */
  dx?: number;
  axis?: number;
}

/**
 * The integral along an axis (the last by default) of samples y at the points x, or at distances dx, by the trapezoidal
 * rule. NumPy's trapezoid (trapz).
 * @throws ShapeError for an x that fits neither y nor the axis.
 * @example np.trapezoid([1, 2, 3]) // array(4.)
 */
export function trapezoid(y: ArrayInput, x?: ArrayInput | null, options?: TrapezoidOptions): NDArray {
  const a = toArray(y, "trapezoid", x ?? undefined);
  checkOptions("trapezoid", options, ["dx", "axis"]);
  const { dx = 1 } = options ?? {};
  if (typeof dx !== "number") throw new ValueError(`trapezoid: dx is a number, got ${describe(dx)}`);
  const axis = toAxis(options?.axis ?? -1, a.ndim, "trapezoid");
  const f = inFloat(a);
  const [before, after] = neighbours(f, axis);
  let pairs = add(before, after);
  let factor = dx / 2;
  if (x !== undefined && x !== null) {
    const points = toArray(x, "trapezoid", y);
    if (!sameShape(points.shape, a.shape) && (points.ndim !== 1 || points.size !== a.shape[axis]))
      throw new ShapeError(
        `trapezoid: points of shape ${showShape(points.shape)} for samples of shape ${showShape(a.shape)}; give points of that shape, or one for each position of axis ${axis}`,
      );
    const line = a.shape.map((n, i) => (i === axis ? n : 1));
    pairs = multiply(pairs, diff(points.ndim === a.ndim ? points : reshape(points, line), 1, axis));
    factor = 0.5;
  }
  return multiply(sum(pairs, axis), factor);
}
