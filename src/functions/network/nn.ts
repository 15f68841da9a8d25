/** Functions of neural networks that need no kernel of their own. */
import { type ArrayInput, blank, type NDArray } from "../../array.ts";
import { toArray } from "../../convert.ts";
import { isFloat } from "../../dtype.ts";
import { checkOptions, describe, flag, oneOf, ShapeError, under, ValueError, wholeNumber } from "../../errors.ts";
import * as E from "../../expr.ts";
import { foldOver, onColumns } from "../../fold.ts";
import type { Combine } from "../../kernel.ts";
import { compute, discard, perLane } from "../../launch.ts";
import { physicalOf } from "../../mapped.ts";
import { type HasRow, liftAxis, type Structural, structural } from "../../op.ts";
import { isfinite } from "../../ops/elementary.ts";
import { absorb, divide, equal, exp, less, multiply, negative, subtract, where } from "../../ops/pointwise.ts";
import { max, sum } from "../../ops/reduction.ts";
import { argsort } from "../../ops/selection.ts";
import { astype, checkPositions, copy, expandDims, flat, inFloat, reshape, type Slice, slice } from "../../ops/structural.ts";
import { uniform } from "../../random/index.ts";
import * as scalar from "../../scalar.ts";
import { broadcastShapes, onesOf, sameShape, showShape, toAxis } from "../../shape.ts";
import { training, unrecorded } from "../../tape.ts";
import { arange } from "../creation.ts";
import { takeAlongAxis } from "../searching.ts";

export interface MaskedSoftmaxOptions {
  /** Divides x first: above 1 evens the result out, below 1 sharpens it. */
  temperature?: number;
}

export interface SoftmaxOptions extends MaskedSoftmaxOptions {
  /** How many positions along the axis count, in the array's shape without it. */
  length?: ArrayInput | null;
}

const EXPONENTIAL = perLane(lane => scalar.exp(E.sub(E.arg(0), E.arg(1)), lane));
const LOGARITHM = perLane(lane => scalar.log(E.arg(0), lane));
const ELEMENT = E.arg(0);
const QUOTIENT = E.div(E.arg(0), E.arg(1));
const PRODUCT = E.absorb(E.arg(0), E.arg(1));
const SHIFTED = E.sub(E.sub(E.arg(0), E.arg(1)), E.arg(2));
const SOFTMAX_SLOPE = E.sub(PRODUCT, E.absorb(E.arg(2), E.arg(1)));
const LOG_SOFTMAX_SLOPE = perLane(lane => E.sub(E.arg(0), E.absorb(E.arg(2), scalar.exp(E.arg(1), lane))));

/** The fold of an expression along an axis, which stays with size 1. */
function foldAlong(combine: Combine, xs: readonly NDArray[], axis: number, value: E.Expr = ELEMENT): NDArray {
  const { shape, code } = xs[0]!;
  const kept = shape.map((n, i) => (i === axis ? 1 : n));
  return foldOver(combine, xs, shape, [axis], code, value, kept);
}

const like = (x: NDArray): NDArray => blank(x.shape, x.size, x.code);

/** The sum over an axis of h times x, with that axis. */
const inner = (h: NDArray, x: NDArray, axis: number): NDArray => sum(absorb(h, x), axis, { keepdims: true });

/** The gradient of softmax: g·y - (g, y)·y. It is its own adjoint in g. */
const softmaxSlope: Structural<number> = structural("softmaxSlope", {
  kind: "function",
  lift: liftAxis,
  run: (xs, axis) =>
    onColumns(xs, axis, ([g, y], at) => {
      const s = foldAlong("add", [g!, y!], at, PRODUCT);
      const slope = compute(SOFTMAX_SLOPE, [g!, y!, s], y!.code, like(y!));
      discard(s, y!);
      return slope;
    }),
  grad: (h, { inputs: [g, y], attrs: axis, wants }) => [
    wants[0] ? softmaxSlope([h, y!], axis) : null,
    wants[1] ? subtract(subtract(absorb(h, g!), absorb(h, inner(g!, y!, axis))), absorb(inner(h, y!, axis), g!)) : null,
  ],
  reads: [[1], [0, 1]],
});

const softmaxRow: Structural<number> = structural("softmax", {
  kind: "function",
  cheap: true,
  lift: liftAxis,
  run: (xs, axis) =>
    onColumns(xs, axis, ([x], at) => {
      const top = foldAlong("max", [x!], at);
      const y = compute(EXPONENTIAL(x!.code), [x!, top], x!.code, like(x!));
      discard(top, y);
      const s = foldAlong("add", [y], at);
      compute(QUOTIENT, [y, s], y.code, y);
      discard(s, y);
      return y;
    }),
  grad: (g, { y, attrs: axis }) => [softmaxSlope([g, y], axis)],
  reads: [[1]],
});

/** The gradient of logSoftmax: g - (g, 1)·exp(y). */
const logSoftmaxSlope: Structural<number> = structural("logSoftmaxSlope", {
  kind: "function",
  lift: liftAxis,
  run: (xs, axis) =>
    onColumns(xs, axis, ([g, y], at) => {
      const s = foldAlong("add", [g!], at);
      const slope = compute(LOG_SOFTMAX_SLOPE(y!.code), [g!, y!, s], y!.code, like(y!));
      discard(s, y!);
      return slope;
    }),
  grad: (h, { inputs: [g, y], attrs: axis, wants }) => {
    const p = exp(y!);
    return [
      wants[0] ? subtract(h, inner(h, p, axis)) : null,
      wants[1] ? negative(absorb(absorb(h, sum(g!, axis, { keepdims: true })), p)) : null,
    ];
  },
  reads: [[1], [0, 1]],
});

const logSoftmaxRow: Structural<number> = structural("logSoftmax", {
  kind: "function",
  cheap: true,
  lift: liftAxis,
  run: (xs, axis) =>
    onColumns(xs, axis, ([x], at) => {
      const top = foldAlong("max", [x!], at);
      const s = foldAlong("add", [x!, top], at, EXPONENTIAL(x!.code));
      compute(LOGARITHM(s.code), [s], s.code, s);
      const y = compute(SHIFTED, [x!, top, s], s.code, like(x!));
      discard(top, y);
      discard(s, y);
      return y;
    }),
  grad: (g, { y, attrs: axis }) => [logSoftmaxSlope([g, y], axis)],
  reads: [[1]],
});

/** An array of a float dtype: integers and bools become float32. @internal */
export function floating(x: ArrayInput, operator: string): NDArray {
  const a = toArray(x, operator);
  return inFloat(a);
}

/** Whether no element is NaN or infinity, of an array without negative ones. @internal */
export const areFinite = (x: NDArray): boolean => x.size === 0 || unrecorded(() => Number.isFinite(max(physicalOf(x)).item()));

/** A vector as an array that broadcasts along the axis of one with `ndim` axes. @internal */
export const alongAxis = (v: NDArray, axis: number, ndim: number): NDArray => reshape(v, [v.size, ...onesOf(ndim - axis - 1)]);

/** A vector with one element for each entry along an axis of `x`, so that it broadcasts with it. @internal */
export function perEntry(v: NDArray, x: NDArray, axis: number, operator: string, name: string): NDArray {
  if (v.ndim !== 1 || v.size !== x.shape[axis])
    throw new ShapeError(
      `${operator}: ${name} of shape ${showShape(v.shape)} for axis ${axis} of an array of shape ${showShape(x.shape)}; wanted (${x.shape[axis] ?? 1},)`,
    );
  return alongAxis(v, axis, x.ndim);
}

/** Which of n positions along a new axis are below the lengths. @internal */
export const within = (length: NDArray, n: number, axis: number): NDArray =>
  less(alongAxis(arange(0, n, 1, { dtype: "int32" }), axis, length.ndim + 1), expandDims(length, axis));

/** x through a temperature, shifted before so that the largest element along the axis is 0, and no quotient too large. */
function cooled(x: NDArray, axis: number, temperature: number): NDArray {
  const top = unrecorded(() => max(x, axis, { keepdims: true }));
  return divide(subtract(x, where(isfinite(top), top, 0)), temperature);
}

function normalised(
  name: string,
  row: Structural<number>,
  x: ArrayInput,
  axis: number | null | undefined,
  options: SoftmaxOptions | undefined,
  given?: ArrayInput,
): NDArray {
  const a = floating(x, name);
  checkOptions(name, options, given === undefined ? ["temperature", "length"] : ["temperature"]);
  const temperature = options?.temperature ?? 1;
  if (typeof temperature !== "number" || !(temperature > 0))
    throw new ValueError(`${name}: the temperature is a number > 0, got ${describe(temperature)}`);
  const along = toAxis(axis ?? -1, a.ndim, name);
  const length = options?.length;
  let mask: NDArray | null = null;
  if (given !== undefined) {
    mask = toArray(given, name);
    if (!sameShape(broadcastShapes(a.shape, mask.shape, name), a.shape))
      throw new ShapeError(`${name}: a mask of shape ${showShape(mask.shape)} for an array of shape ${showShape(a.shape)}`);
  } else if (length !== undefined && length !== null) {
    const lengths = toArray(length, name);
    const want = a.shape.filter((_, i) => i !== along);
    if (!sameShape(lengths.shape, want))
      throw new ShapeError(
        `${name}: lengths of shape ${showShape(lengths.shape)} for axis ${along} of an array of shape ${showShape(a.shape)}; wanted ${showShape(want)}`,
      );
    mask = within(lengths, a.shape[along]!, along);
  }
  if (a.size === 0) return multiply(a, 1);
  const shown = mask === null ? a : where(mask, a, Number.NEGATIVE_INFINITY);
  const y = row([temperature === 1 ? shown : cooled(shown, along, temperature)], along);
  // Where nothing is shown y is NaN, which this choice, and its gradient before, put out of sight.
  return mask === null ? y : where(mask, y, 0);
}

/**
 * Exponentials that sum to 1 along an axis (the last by default), safe for large arguments. With `length` positions
 * beyond it give 0 and take no part. MXNet's npx.softmax.
 * @throws ShapeError for an axis that is not there or lengths that do not fit, ValueError for a temperature that is not > 0.
 * @example npx.softmax([0, 0]) // array([0.5, 0.5])
 */
export const softmax: ((x: ArrayInput, axis?: number | null, options?: SoftmaxOptions) => NDArray) & HasRow = Object.assign(
  (x: ArrayInput, axis: number | null = -1, options?: SoftmaxOptions): NDArray => normalised("softmax", softmaxRow, x, axis, options),
  { op: softmaxRow.op },
);

/**
 * The logarithm of softmax along an axis (the last by default), without ever forming it. With `length` positions beyond
 * it give 0 and take no part. MXNet's npx.log_softmax.
 * @throws ShapeError for an axis that is not there or lengths that do not fit, ValueError for a temperature that is not > 0.
 * @example npx.logSoftmax([0, 0]) // array([-0.6931472, -0.6931472])
 */
export const logSoftmax: ((x: ArrayInput, axis?: number | null, options?: SoftmaxOptions) => NDArray) & HasRow = Object.assign(
  (x: ArrayInput, axis: number | null = -1, options?: SoftmaxOptions): NDArray => normalised("logSoftmax", logSoftmaxRow, x, axis, options),
  { op: logSoftmaxRow.op },
);

/**
 * softmax over the elements where the mask is true (it broadcasts to x), 0 elsewhere; a row with none gives zeros, and
 * so does its gradient. MXNet's npx.masked_softmax.
 * @throws ShapeError for an axis that is not there or a mask that does not fit, ValueError for a temperature that is not > 0.
 * @example npx.maskedSoftmax([0, 5, 0], [true, false, true]) // array([0.5, 0. , 0.5])
 */
export function maskedSoftmax(x: ArrayInput, mask: ArrayInput, axis: number | null = -1, options?: MaskedSoftmaxOptions): NDArray {
  return normalised("maskedSoftmax", softmaxRow, x, axis, options, mask ?? []);
}

export interface DropoutOptions {
  /** Axes along which one decision holds for all elements. */
  axes?: readonly number[];
  /** "always" drops in predict mode too. */
  mode?: "training" | "always";
}

/**
 * In training mode sets each element to 0 with probability p and divides the others by 1-p; in predict mode it gives a copy.
 * MXNet's npx.dropout.
 * @throws ValueError for a p outside [0, 1) or an unknown mode.
 * @example npx.dropout([1, 2, 3]) // array([1., 2., 3.])
 */
export function dropout(x: ArrayInput, p = 0.5, options?: DropoutOptions): NDArray {
  const a = toArray(x, "dropout");
  checkOptions("dropout", options, ["axes", "mode"]);
  const mode = oneOf("dropout", "mode", options?.mode, ["training", "always"]);
  if (typeof p !== "number" || !(p >= 0 && p < 1))
    throw new ValueError(`dropout: p is a number from 0 up to but without 1, got ${describe(p)}`);
  const axes = options?.axes ?? [];
  if (!Array.isArray(axes)) throw new ValueError(`dropout: axes are a list, got ${describe(axes)}`);
  const shared = Array.from(axes, axis => toAxis(axis, a.ndim, "dropout"));
  if (p === 0 || (mode === "training" && !training)) return copy(a);
  const shape = a.shape.map((n, axis) => (shared.includes(axis) ? 1 : n));
  const kept = less(uniform(0, 1, shape), 1 - p);
  return multiply(a, divide(astype(kept, isFloat(a.code) ? a.dtype : "float32"), 1 - p));
}

export interface PickOptions {
  /** Keep the axis, with size 1. */
  keepdims?: boolean;
  /** What becomes of positions out of range: the nearest end, counting around, or an IndexError. */
  mode?: "clip" | "wrap" | "raise";
}

/**
 * One element along an axis for each position: `index` has the array's shape without the axis. MXNet's npx.pick.
 * @throws ShapeError where the shapes do not fit, IndexError in mode "raise" for a position out of range.
 * @example npx.pick([[1, 2], [3, 4]], [0, 1]) // array([1., 4.])
 */
export function pick(x: ArrayInput, index: ArrayInput, axis: number | null = -1, options?: PickOptions): NDArray {
  const a = toArray(x, "pick");
  const given = toArray(index, "pick");
  checkOptions("pick", options, ["keepdims", "mode"]);
  const keepdims = flag("pick", "keepdims", options?.keepdims, false);
  const mode = oneOf("pick", "mode", options?.mode, ["clip", "wrap", "raise"]);
  const along = toAxis(axis ?? -1, a.ndim, "pick");
  const want = a.shape.filter((_, i) => i !== along);
  const kept = given.ndim === a.ndim ? given.shape.filter((_, i) => i !== along) : given.shape;
  if (kept.length !== want.length || kept.some((n, i) => n !== want[i]) || (given.ndim === a.ndim && given.shape[along] !== 1))
    throw new ShapeError(
      `pick: positions of shape ${showShape(given.shape)} for an array of shape ${showShape(a.shape)}; wanted ${showShape(want)}`,
    );
  const places = checkPositions(given, along, a.shape[along]!, "pick", mode);
  const y = takeAlongAxis(a, given.ndim === a.ndim ? places : expandDims(places, along), along);
  return keepdims ? y : reshape(y, want);
}

/**
 * 1 at each position and 0 elsewhere along a new last axis of size `depth`, float32; positions out of range give zeros.
 * MXNet's npx.one_hot.
 * @throws ValueError for a depth that is no whole number >= 0.
 * @example npx.oneHot([0, 2], 3) // array([[1., 0., 0.],\n       [0., 0., 1.]])
 */
export function oneHot(index: ArrayInput, depth: number): NDArray {
  const a = toArray(index, "oneHot");
  return under("oneHot", () => astype(equal(expandDims(a, a.ndim), arange(wholeNumber("oneHot", "depth", depth, 0))), "float32"));
}

export type TopkReturn = "indices" | "value" | "both" | "mask";

export interface TopkOptions<R extends TopkReturn = TopkReturn> {
  k?: number;
  axis?: number | null;
  retTyp?: R;
  /** Take the smallest instead of the largest. */
  isAscend?: boolean;
}

/**
 * The k largest (or smallest) elements along an axis, in order, as positions (int32), values, both (a list), or a mask
 * (bool) of the array's shape. Ties go to the first. MXNet's npx.topk.
 * @throws ValueError for a k outside 1 … the axis' size, or an unknown retTyp.
 * @example npx.topk([3, 9, 5], { k: 2, retTyp: "value" }) // array([9., 5.])
 */
export function topk<R extends TopkReturn = "indices">(
  x: ArrayInput,
  options?: TopkOptions<R>,
): R extends "both" ? [NDArray, NDArray] : NDArray {
  return selectTop(x, options) as R extends "both" ? [NDArray, NDArray] : NDArray;
}

function selectTop(x: ArrayInput, options: TopkOptions | undefined): NDArray | [NDArray, NDArray] {
  const given = toArray(x, "topk");
  checkOptions("topk", options, ["k", "axis", "retTyp", "isAscend"]);
  const { k = 1, axis = -1 } = options ?? {};
  const retTyp = oneOf("topk", "retTyp", options?.retTyp, ["indices", "value", "both", "mask"]);
  const isAscend = flag("topk", "isAscend", options?.isAscend, false);
  const a = axis === null ? flat(given) : given;
  const along = toAxis(axis ?? 0, a.ndim, "topk");
  const n = a.shape[along]!;
  if (!Number.isInteger(k) || k < 1 || k > n)
    throw new ValueError(`topk: k is a whole number from 1 to ${n}, the size of axis ${along}, got ${describe(k)}`);
  const keys = isAscend ? a : negative(isFloat(a.code) ? a : astype(a, "float64"));
  const counts = a.shape.map((size, i) => (i === along ? k : size));
  const first: Slice = { starts: counts.map(() => 0), steps: counts.map(() => 1), counts, shape: counts };
  const order = argsort(keys, along);
  // What sorts a permutation is its inverse: the rank of each element.
  if (retTyp === "mask") return astype(less(argsort(order, along), k), "bool");
  const index = slice([order], first);
  if (retTyp === "indices") return index;
  const value = takeAlongAxis(a, index, along);
  return retTyp === "value" ? value : [value, index];
}
