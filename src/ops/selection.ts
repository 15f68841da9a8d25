/** Operators that answer with positions. They have no derivative: what they select with `take` has. */
import { type ArrayInput, addressOf, blank, type NDArray } from "../array.ts";
import { address, allocate } from "../backend/wasm/heap.ts";
import { sorting } from "../backend/wasm/sorting.ts";
import { toArray } from "../convert.ts";
import { I32 } from "../dtype.ts";
import { checkOptions, flag, ValueError } from "../errors.ts";
import { contiguous, transposeView } from "../launch.ts";
import { type HasRow, structural } from "../op.ts";
import { showShape, sizeOf, toAxis } from "../shape.ts";
import { expandAxes, inverse, reshape } from "./structural.ts";

function position(name: "argmax" | "argmin") {
  const row = structural<number>(name, {
    kind: "selection",
    run: ([x], axis) => {
      const order = [...x!.shape.keys()].filter(i => i !== axis).concat(axis);
      const source = contiguous(transposeView(x!, order));
      const shape = x!.shape.filter((_, i) => i !== axis);
      const y = blank(shape, sizeOf(shape), I32);
      if (y.size === 0) return y;
      const p = addressOf(source);
      sorting()[name](source.code, p, addressOf(y), x!.shape[axis]!, y.size);
      return y;
    },
    grad: null,
  });
  const fn = (x: ArrayInput, axis?: number | null, options?: { keepdims?: boolean }): NDArray => {
    const a = toArray(x, name);
    checkOptions(name, options, ["keepdims"]);
    const keepdims = flag(name, "keepdims", options?.keepdims, false);
    const flat = axis === undefined || axis === null;
    const source = flat ? reshape(a, [a.size]) : a;
    const at = toAxis(flat ? 0 : axis, source.ndim, name);
    if (source.shape[at] === 0) throw new ValueError(`${name}: an array of shape ${showShape(a.shape)} has no elements along the axis`);
    const y = row([source], at);
    if (!keepdims) return y;
    return flat ? reshape(y, new Array<number>(a.ndim).fill(1)) : expandAxes(y, [at]);
  };
  return Object.defineProperty(Object.assign(fn, { op: row.op }), "name", { value: name });
}

/**
 * The position of the largest element along an axis (of the flattened array by default), the first of several; NaN
 * counts as largest. int32. NumPy's argmax.
 * @throws ValueError where there is nothing to choose from.
 * @example np.argmax([[1, 5], [7, 4]], 1) // array([1, 0], dtype=int32)
 */
export const argmax: ((x: ArrayInput, axis?: number | null, options?: { keepdims?: boolean }) => NDArray) & HasRow = position("argmax");

/**
 * The position of the smallest element along an axis (of the flattened array by default), the first of several; NaN
 * counts as smallest. int32. NumPy's argmin.
 * @throws ValueError where there is nothing to choose from.
 * @example np.argmin([[1, 5], [7, 4]], 1) // array([0, 1], dtype=int32)
 */
export const argmin: ((x: ArrayInput, axis?: number | null, options?: { keepdims?: boolean }) => NDArray) & HasRow = position("argmin");

/**
 * The positions that would sort along an axis (the last by default; null flattens first), stable, NaN last. int32.
 * NumPy's argsort with kind "stable".
 * @example np.argsort([3, 1, 2]) // array([1, 2, 0], dtype=int32)
 */
export const argsort: ((x: ArrayInput, axis?: number | null) => NDArray) & HasRow = (() => {
  const row = structural<number>("argsort", {
    kind: "selection",
    run: ([x], axis) => {
      const order = [...x!.shape.keys()].filter(i => i !== axis).concat(axis);
      const source = contiguous(transposeView(x!, order));
      const y = blank(source.shape, source.size, I32);
      if (y.size === 0) return back(y, order);
      const work = allocate(x!.shape[axis]! * 4);
      const p = addressOf(source);
      const w = address(work);
      const n = x!.shape[axis]!;
      sorting().argsort(source.code, p, addressOf(y), w, n, y.size / n);
      return back(y, order);
    },
    grad: null,
  });
  const fn = (x: ArrayInput, axis: number | null = -1): NDArray => {
    const a = toArray(x, "argsort");
    if (axis === null || a.ndim === 0) return row([reshape(a, [a.size])], 0);
    return row([a], toAxis(axis, a.ndim, "argsort"));
  };
  return Object.defineProperty(Object.assign(fn, { op: row.op }), "name", { value: "argsort" });
})();

function back(y: NDArray, order: readonly number[]): NDArray {
  return contiguous(transposeView(y, inverse(order)));
}
