/** Selecting from arrays by position or order, and finding positions. */
import type { ArrayInput, NDArray } from "../array.ts";
import { toArray } from "../convert.ts";
import { checkOptions, describe, IndexError, ShapeError, ValueError } from "../errors.ts";
import { argsort } from "../ops/selection.ts";
import { checkPositions, gathered, positions, reshape } from "../ops/structural.ts";
import { contiguousStrides, showShape, toAxis } from "../shape.ts";

export interface TakeOptions {
  /** What becomes of positions out of range: an IndexError, the nearest end, or counting around. */
  mode?: "raise" | "clip" | "wrap";
}

function modeOf(options: TakeOptions | undefined, operator: string): "raise" | "clip" | "wrap" {
  checkOptions(operator, options, ["mode"]);
  const mode = options?.mode ?? "raise";
  if (mode !== "raise" && mode !== "clip" && mode !== "wrap")
    throw new ValueError(`${operator}: mode is "raise", "clip" or "wrap", got ${describe(mode)}`);
  return mode;
}

/**
 * The entries at the given positions of an axis (of the flattened array by default), in the shape of the positions.
 * NumPy's take.
 * @throws IndexError for a position out of range.
 * @example np.take([10, 20, 30], [2, 0]) // array([30., 10.])
 */
export function take(x: ArrayInput, index: ArrayInput, axis?: number | null, options?: TakeOptions): NDArray {
  const a = toArray(x, "take");
  const mode = modeOf(options, "take");
  const flat = axis === undefined || axis === null;
  const source = flat ? reshape(a, [a.size]) : a;
  const at = toAxis(flat ? 0 : axis, source.ndim, "take");
  const given = toArray(index, "take");
  if (given.size > 0 && source.shape[at] === 0) throw new IndexError(`take: axis ${at} has size 0, so there is nothing to take`);
  return gathered([source, checkPositions(given, at, source.shape[at]!, "take", mode)], at);
}

/**
 * The entries that an array of positions names along an axis, row by row: the other axes of both must be equal. With
 * argsort and argmax it selects what they found. NumPy's take_along_axis.
 * @throws ShapeError where other axes differ, IndexError for a position out of range.
 * @example np.takeAlongAxis([[3, 1, 2]], [[1, 2, 0]], 1) // array([[1., 2., 3.]])
 */
export function takeAlongAxis(x: ArrayInput, index: ArrayInput, axis: number): NDArray {
  const a = toArray(x, "takeAlongAxis");
  const given = toArray(index, "takeAlongAxis");
  const at = toAxis(axis, a.ndim, "takeAlongAxis");
  if (given.ndim !== a.ndim || given.shape.some((n, i) => i !== at && n !== a.shape[i]))
    throw new ShapeError(
      `takeAlongAxis: positions of shape ${showShape(given.shape)} for an array of shape ${showShape(a.shape)}; all axes but axis ${at} must be equal`,
    );
  const places = checkPositions(given, at, a.shape[at]!, "takeAlongAxis").toTypedArray();
  const inner = contiguousStrides(a.shape)[at]!;
  const n = a.shape[at]!;
  const m = given.shape[at]!;
  for (let i = 0; i < places.length; i++) {
    const row = Math.floor(i / (inner * m));
    places[i] = (row * n + places[i]!) * inner + (i % inner);
  }
  return gathered([reshape(a, [a.size]), positions(places, given.shape)], 0);
}

/**
 * A sorted copy along an axis (the last by default; null flattens first): stable, NaN last. The gradient goes to the
 * places the elements came from. NumPy's sort.
 * @example np.sort([3, 1, 2]) // array([1., 2., 3.])
 */
export function sort(x: ArrayInput, axis: number | null = -1): NDArray {
  const given = toArray(x, "sort");
  const a = axis === null || given.ndim === 0 ? reshape(given, [given.size]) : given;
  const at = axis === null || given.ndim === 0 ? 0 : toAxis(axis, a.ndim, "sort");
  const y = takeAlongAxis(a, argsort(a, at), at);
  return given.ndim === 0 ? reshape(y, []) : y;
}
