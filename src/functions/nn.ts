/** Functions of neural networks that need no kernel of their own. */
import type { ArrayInput, NDArray } from "../array.ts";
import { toArray } from "../convert.ts";
import { DTYPES, F32, isFloat } from "../dtype.ts";
import { checkOptions, describe, flag, ShapeError, ValueError } from "../errors.ts";
import { type HasRow, type Structural, structural } from "../op.ts";
import { absorb, divide, equal, exp, less, log, multiply, negative, subtract } from "../ops/pointwise.ts";
import { max, sum } from "../ops/reduction.ts";
import { argsort } from "../ops/selection.ts";
import { astype, checkPositions, expandDims, positions, reshape, type Slice, slice } from "../ops/structural.ts";
import { uniform } from "../random.ts";
import { showShape, toAxis } from "../shape.ts";
import { training } from "../tape.ts";
import { arange, zeros } from "./creation.ts";
import { set } from "./indexing.ts";
import { takeAlongAxis } from "./searching.ts";

export interface SoftmaxOptions {
  /** Divides x first: above 1 evens the result out, below 1 sharpens it. */
  temperature?: number;
}

const softmaxRow: Structural<number> = structural("softmax", {
  kind: "function",
  run: ([x], axis) => {
    const e = exp(subtract(x!, max(x!, axis, { keepdims: true })));
    return divide(e, sum(e, axis, { keepdims: true }));
  },
  grad: (g, { y, attrs: axis }) => {
    const h = absorb(g, y);
    return [subtract(h, multiply(y, sum(h, axis, { keepdims: true })))];
  },
  reads: [[1]],
});

const logSoftmaxRow: Structural<number> = structural("logSoftmax", {
  kind: "function",
  run: ([x], axis) => {
    const shifted = subtract(x!, max(x!, axis, { keepdims: true }));
    return subtract(shifted, log(sum(exp(shifted), axis, { keepdims: true })));
  },
  grad: (g, { y, attrs: axis }) => [subtract(g, absorb(sum(g, axis, { keepdims: true }), exp(y)))],
  reads: [[1]],
});

function normalised(
  name: string,
  row: Structural<number>,
  x: ArrayInput,
  axis: number | null,
  options: SoftmaxOptions | undefined,
): NDArray {
  const given = toArray(x, name);
  checkOptions(name, options, ["temperature"]);
  const temperature = options?.temperature ?? 1;
  if (typeof temperature !== "number" || !(temperature > 0))
    throw new ValueError(`${name}: the temperature is a number > 0, got ${describe(temperature)}`);
  const a = isFloat(given.code) ? given : astype(given, DTYPES[F32]!);
  const along = toAxis(axis ?? -1, a.ndim, name);
  if (a.size === 0) return multiply(a, 1);
  return row([temperature === 1 ? a : divide(a, temperature)], along);
}

/**
 * Exponentials that sum to 1 along an axis (the last by default), safe for large arguments. MXNet's npx.softmax.
 * @throws ShapeError for an axis that is not there, ValueError for a temperature that is not > 0.
 * @example npx.softmax([0, 0]) // array([0.5, 0.5])
 */
export const softmax: ((x: ArrayInput, axis?: number | null, options?: SoftmaxOptions) => NDArray) & HasRow = Object.assign(
  (x: ArrayInput, axis: number | null = -1, options?: SoftmaxOptions): NDArray => normalised("softmax", softmaxRow, x, axis, options),
  { op: softmaxRow.op },
);

/**
 * The logarithm of softmax along an axis (the last by default), without ever forming it. MXNet's npx.log_softmax.
 * @throws ShapeError for an axis that is not there, ValueError for a temperature that is not > 0.
 * @example npx.logSoftmax([0, 0]) // array([-0.6931472, -0.6931472])
 */
export const logSoftmax: ((x: ArrayInput, axis?: number | null, options?: SoftmaxOptions) => NDArray) & HasRow = Object.assign(
  (x: ArrayInput, axis: number | null = -1, options?: SoftmaxOptions): NDArray => normalised("logSoftmax", logSoftmaxRow, x, axis, options),
  { op: logSoftmaxRow.op },
);

export interface DropoutOptions {
  /** Axes along which one decision holds for all elements. */
  axes?: readonly number[];
  /** "always" drops in predict mode too. */
  mode?: "training" | "always";
}

/**
 * In training mode sets each element to 0 with probability p and divides the others by 1-p; in predict mode x itself.
 * MXNet's npx.dropout.
 * @throws ValueError for a p outside [0, 1) or an unknown mode.
 * @example npx.dropout([1, 2, 3]) // array([1., 2., 3.])
 */
export function dropout(x: ArrayInput, p = 0.5, options?: DropoutOptions): NDArray {
  const a = toArray(x, "dropout");
  checkOptions("dropout", options, ["axes", "mode"]);
  const mode = options?.mode ?? "training";
  if (mode !== "training" && mode !== "always") throw new ValueError(`dropout: mode is "training" or "always", got ${describe(mode)}`);
  if (typeof p !== "number" || !(p >= 0 && p < 1))
    throw new ValueError(`dropout: p is a number from 0 up to but without 1, got ${describe(p)}`);
  const axes = options?.axes ?? [];
  if (!Array.isArray(axes)) throw new ValueError(`dropout: axes are a list, got ${describe(axes)}`);
  const shared = axes.map(axis => toAxis(axis, a.ndim, "dropout"));
  if (p === 0 || (mode === "training" && !training)) return a;
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
  const mode = options?.mode ?? "clip";
  if (mode !== "clip" && mode !== "wrap" && mode !== "raise")
    throw new ValueError(`pick: mode is "clip", "wrap" or "raise", got ${describe(mode)}`);
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
  if (!Number.isInteger(depth) || depth < 0) throw new ValueError(`oneHot: the depth is a whole number >= 0, got ${describe(depth)}`);
  return astype(equal(expandDims(a, a.ndim), arange(depth)), "float32");
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
  const { k = 1, axis = -1, retTyp = "indices" } = options ?? {};
  const isAscend = flag("topk", "isAscend", options?.isAscend, false);
  if (!["indices", "value", "both", "mask"].includes(retTyp))
    throw new ValueError(`topk: retTyp is "indices", "value", "both" or "mask", got ${describe(retTyp)}`);
  const a = axis === null ? reshape(given, [given.size]) : given;
  const along = toAxis(axis ?? 0, a.ndim, "topk");
  const n = a.shape[along]!;
  if (!Number.isInteger(k) || k < 1 || k > n)
    throw new ValueError(`topk: k is a whole number from 1 to ${n}, the size of axis ${along}, got ${describe(k)}`);
  const keys = isAscend ? a : negative(isFloat(a.code) ? a : astype(a, "float64"));
  const counts = a.shape.map((size, i) => (i === along ? k : size));
  const first: Slice = { starts: counts.map(() => 0), steps: counts.map(() => 1), counts, shape: counts };
  const index = slice([argsort(keys, along)], first);
  if (retTyp === "indices") return index;
  if (retTyp === "mask") {
    const mask = zeros(a.size, { dtype: "bool" });
    const flat = takeAlongAxis(
      reshape(
        positions(
          Int32Array.from({ length: a.size }, (_, i) => i),
          [a.size],
        ),
        a.shape,
      ),
      index,
      along,
    );
    set(mask, true, flat);
    return reshape(mask, a.shape);
  }
  const value = takeAlongAxis(a, index, along);
  return retTyp === "value" ? value : [value, index];
}
