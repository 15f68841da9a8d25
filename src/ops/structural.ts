/**
 * Structural operators: linear maps that only move, repeat or drop elements. Each stands beside its adjoint, and the
 * gradient of either is the other.
 */
import { type ArrayInput, addressOf, blank, forEachOffset, fromValues, memoryOf, type NDArray, viewOf } from "../array.ts";
import { fill, gather, scatterAdd } from "../backend/wasm/index.ts";
import { toArray } from "../convert.ts";
import { BYTES, type DType, dtypeCode, I32, isFloat, SHIFT } from "../dtype.ts";
import { DTypeError, describe, IndexError, ShapeError, ValueError } from "../errors.ts";
import { arg } from "../expr.ts";
import { foldAxes } from "../fold.ts";
import { contiguous, copyStrided, discard, Family, laneOf, runMap, transposeView, view } from "../launch.ts";
import { type HasRow, type Structural, structural } from "../op.ts";
import {
  broadcastStrides,
  contiguousStrides,
  reshaped,
  reshapeStrides,
  type Shape,
  sameShape,
  showShape,
  sizeOf,
  toAxes,
  toAxis,
  toShape,
} from "../shape.ts";

// ---- dtype and copy

const casts = new Map<number, Family>();

/** The same values in another dtype, always as a new array. */
export function cast(x: NDArray, code: number): NDArray {
  const y = blank(x.shape, x.size, code);
  const key = x.code * 8 + code;
  let family = casts.get(key);
  if (family === undefined) casts.set(key, (family = new Family(arg(0), [x.code], isFloat(code) ? code : laneOf(x.code), code)));
  runMap(family, [x], y);
  return y;
}

const castRow: Structural<number> = structural("astype", { run: ([x], code) => cast(x!, code), grad: g => [g] });

/**
 * The values in another dtype, as a new array. To integers, values are truncated; the gradient ends there. NumPy's astype.
 * @throws DTypeError for an unknown dtype.
 * @example np.astype([1.7, -1.7], "int32") // array([ 1, -1], dtype=int32)
 */
export const astype: ((x: ArrayInput, dtype: DType) => NDArray) & HasRow = Object.assign(
  (x: ArrayInput, dtype: DType): NDArray => castRow([toArray(x, "astype")], dtypeCode(dtype, "astype")),
  { op: castRow.op },
);

const copyRow: Structural<null> = structural("copy", {
  run: ([x]) => {
    const y = blank(x!.shape, x!.size, x!.code);
    copyStrided(x!, y);
    if (typeof x!.cause === "string") y.cause = x!.cause;
    return y;
  },
  grad: g => [g],
});

/**
 * A new array with the same contents, in C order; recorded, so gradients flow through it. NumPy's copy.
 * @example np.copy([1, 2]) // array([1., 2.])
 */
export const copy: ((x: ArrayInput) => NDArray) & HasRow = Object.assign((x: ArrayInput): NDArray => copyRow([toArray(x, "copy")], null), {
  op: copyRow.op,
});

// ---- shape: views wherever strides allow

const reshapeRow: Structural<Shape> = structural("reshape", {
  run: ([x], shape) => {
    const strides = x!.view === null ? contiguousStrides(shape) : reshapeStrides(x!.shape, x!.view, shape);
    if (strides !== null) return view(x!, x!.offset, shape, strides);
    // The copy itself, not a view of one without history: a recorded write to it must find where it came from.
    const y = blank(shape, x!.size, x!.code);
    copyStrided(x!, viewOf(y, 0, x!.shape, null, y.size));
    return y;
  },
  grad: (g, { like }) => [reshapeRow([g], like[0]!.shape)],
});

/** `reshape(x, 2, 3)` and `reshape(x, [2, 3])` mean the same. */
function shapeArguments(given: readonly unknown[]): unknown {
  return given.length === 1 ? given[0] : given;
}

/**
 * The same elements in another shape; one size may be -1. A view where strides allow. NumPy's reshape.
 * @throws ShapeError where sizes differ.
 * @example np.reshape([1, 2, 3, 4], [2, -1]) // array([[1., 2.],\n       [3., 4.]])
 */
export const reshape: ((x: ArrayInput, ...shape: (number | readonly number[])[]) => NDArray) & HasRow = Object.assign(
  (x: ArrayInput, ...shape: (number | readonly number[])[]): NDArray => {
    const a = toArray(x, "reshape");
    return reshapeRow([a], reshaped(a.shape, shapeArguments(shape), "reshape"));
  },
  { op: reshapeRow.op },
);

/** The array with axes of size 1 put at the positions (ascending, of the result). @internal */
export function expandAxes(x: NDArray, axes: readonly number[]): NDArray {
  const shape = x.shape.slice();
  for (const axis of axes) shape.splice(axis, 0, 1);
  return reshapeRow([x], shape);
}

/**
 * With an axis of size 1 added, before position `axis` of the result. A view. NumPy's expand_dims.
 * @example np.expandDims([1, 2], 0).shape // [ 1, 2 ]
 */
export const expandDims: (x: ArrayInput, axis: number) => NDArray = (x, axis) => {
  const a = toArray(x, "expandDims");
  return expandAxes(a, [toAxis(axis, a.ndim + 1, "expandDims")]);
};

/**
 * Without the axes of size 1, or without the named ones. A view. NumPy's squeeze.
 * @throws ShapeError for a named axis whose size is not 1.
 * @example np.squeeze([[[1, 2]]]).shape // [ 2 ]
 */
export const squeeze: (x: ArrayInput, axis?: number | readonly number[] | null) => NDArray = (x, axis) => {
  const a = toArray(x, "squeeze");
  const named = axis === undefined || axis === null ? null : toAxes(axis, a.ndim, "squeeze");
  for (const i of named ?? [])
    if (a.shape[i] !== 1)
      throw new ShapeError(`squeeze: axis ${i} of ${showShape(a.shape)} has size ${a.shape[i]}; only axes of size 1 can go`);
  return reshapeRow(
    [a],
    a.shape.filter((n, i) => (named === null ? n !== 1 : !named.includes(i))),
  );
};

const transposeRow: Structural<readonly number[]> = structural("transpose", {
  run: ([x], order) => transposeView(x!, order),
  grad: (g, { attrs }) => [transposeRow([g], inverse(attrs))],
});

export const inverse = (order: readonly number[]): number[] => order.map((_, i) => order.indexOf(i));

/**
 * With axes in another order: reversed by default, else axis i of the result is axis axes[i]. A view. NumPy's transpose.
 * @throws ValueError unless every axis is named once.
 * @example np.transpose([[1, 2], [3, 4]]) // array([[1., 3.],\n       [2., 4.]])
 */
export const transpose: ((x: ArrayInput, ...axes: (number | readonly number[] | null)[]) => NDArray) & HasRow = Object.assign(
  (x: ArrayInput, ...axes: (number | readonly number[] | null)[]): NDArray => {
    const a = toArray(x, "transpose");
    const given = shapeArguments(axes);
    if (axes.length === 0 || given === null || given === undefined) return transposeRow([a], [...a.shape.keys()].reverse());
    const list = (typeof given === "number" ? [given] : given) as readonly number[];
    if (!Array.isArray(list) || list.length !== a.ndim)
      throw new ValueError(`transpose: ${describe(given)} for an array with ${a.ndim} axes; name each axis once`);
    const order = list.map(i => toAxis(i, a.ndim, "transpose"));
    if (new Set(order).size !== order.length) throw new ValueError(`transpose: an axis is named twice in ${describe(given)}`);
    return transposeRow([a], order);
  },
  { op: transposeRow.op },
);

/**
 * With two axes exchanged. A view. NumPy's swapaxes.
 * @example np.swapaxes([[1, 2, 3]], 0, 1).shape // [ 3, 1 ]
 */
export const swapaxes: (x: ArrayInput, axis1: number, axis2: number) => NDArray = (x, axis1, axis2) => {
  const a = toArray(x, "swapaxes");
  const p = toAxis(axis1, a.ndim, "swapaxes");
  const q = toAxis(axis2, a.ndim, "swapaxes");
  return transposeRow(
    [a],
    a.shape.map((_, i) => (i === p ? q : i === q ? p : i)),
  );
};

const broadcastRow: Structural<Shape> = structural("broadcastTo", {
  run: ([x], shape) => view(x!, x!.offset, shape, broadcastStrides(x!.shape, x!.strides, shape)),
  grad: (g, { like }) => [sumTo(g, like[0]!.shape)],
});

/**
 * The array repeated to a larger shape without copying: a view that cannot be written to. NumPy's broadcast_to.
 * @throws ShapeError where the shape is not a broadcast of the array's.
 * @example np.broadcastTo([1, 2], [2, 2]) // array([[1., 2.],\n       [1., 2.]])
 */
export const broadcastTo: ((x: ArrayInput, shape: number | readonly number[]) => NDArray) & HasRow = Object.assign(
  (x: ArrayInput, shape: number | readonly number[]): NDArray => {
    const a = toArray(x, "broadcastTo");
    const target = toShape(shape, "broadcastTo");
    const lead = target.length - a.ndim;
    a.shape.forEach((n, i) => {
      if (lead < 0 || (n !== 1 && n !== target[lead + i]))
        throw new ShapeError(
          lead < 0
            ? `broadcastTo: ${showShape(target)} has fewer axes than the array's shape ${showShape(a.shape)}`
            : `broadcastTo: cannot broadcast ${showShape(a.shape)} to ${showShape(target)}: axis ${i} has size ${n}, not 1 or ${target[lead + i]}`,
        );
    });
    return sameShape(a.shape, target) ? a : broadcastRow([a], target);
  },
  { op: broadcastRow.op },
);

/** The adjoint of a sum over axes: the cotangent with the axes put back and repeated, as a view. @internal */
export function spread(g: NDArray, axes: readonly number[], shape: Shape): NDArray {
  const y = expandAxes(g, axes);
  return sameShape(y.shape, shape) ? y : broadcastRow([y], shape);
}

export interface OverAxes {
  /** Ascending. */
  readonly axes: readonly number[];
  /** The dtype's code in which the result is computed. */
  readonly code: number;
}

/** The sum over axes, which disappear: the adjoint of `spread`. @internal */
export const summed: Structural<OverAxes> = structural("sum", {
  kind: "reduction",
  run: ([x], { axes, code }) => foldAxes("add", x!, axes, code),
  grad: (g, { attrs, like }) => [spread(g, attrs.axes, like[0]!.shape)],
});

/** Sums an array down to a shape that broadcasts to its own: the adjoint of broadcastTo. @internal */
export function sumTo(x: NDArray, shape: Shape): NDArray {
  if (sameShape(x.shape, shape)) return x;
  const lead = x.ndim - shape.length;
  const axes = x.shape.map((n, axis) => (axis < lead || (shape[axis - lead] === 1 && n !== 1) ? axis : -1)).filter(axis => axis >= 0);
  const y = axes.length === 0 ? x : summed([x], { axes, code: x.code });
  return sameShape(y.shape, shape) ? y : reshapeRow([y], shape);
}

// ---- slices

/** Along each axis of the source `counts[i]` positions from `starts[i]` in steps of `steps[i]`, then seen in `shape`. */
export interface Slice {
  readonly starts: readonly number[];
  readonly steps: readonly number[];
  readonly counts: readonly number[];
  /** The counts with axes of size 1 dropped or added. */
  readonly shape: Shape;
}

/** The view that a slice names, not recorded. @internal */
export function sliceView(x: NDArray, s: Slice): NDArray {
  const { strides } = x;
  let offset = x.offset;
  const steps = s.steps.map((step, i) => {
    if (s.counts[i] !== 0) offset += s.starts[i]! * strides[i]!;
    return step * strides[i]!;
  });
  const inner = sizeOf(s.counts) === 0 ? contiguousStrides(s.shape) : reshapeStrides(s.counts, steps, s.shape)!;
  return view(x, offset, s.shape, inner);
}

/** The part of an array that basic indexing names, as a view. @internal */
export const slice: Structural<Slice> = structural("slice", {
  run: ([x], s) => sliceView(x!, s),
  grad: (g, { attrs, like }) => [unslice([g], { slice: attrs, shape: like[0]!.shape })],
});

/** Zeros, but the array in the place that the slice names: the adjoint of `slice`. @internal */
export const unslice: Structural<{ readonly slice: Slice; readonly shape: Shape }> = structural("unslice", {
  run: ([g], { slice: s, shape }) => {
    const y = zeroed(shape, g!.code);
    copyStrided(g!, sliceView(y, s));
    return y;
  },
  grad: (h, { attrs }) => [slice([h], attrs.slice)],
});

/** A new array of zeros, not for the public. */
export function zeroed(shape: Shape, code: number): NDArray {
  const size = sizeOf(shape);
  const y = blank(shape, size, code);
  if (size > 0) fill(addressOf(y), 0, size * BYTES[code]!);
  return y;
}

// ---- joining

const concatenateRow: Structural<number> = structural("concatenate", {
  run: (xs, axis) => {
    const first = xs[0]!;
    const shape = first.shape.slice();
    shape[axis] = xs.reduce((n, x) => n + x.shape[axis]!, 0);
    const y = blank(shape, sizeOf(shape), first.code);
    // Part by part: the list may be longer than what memory holds at once.
    let at = 0;
    for (const x of xs) {
      copyStrided(x, sliceView(y, part(shape, axis, at, x.shape[axis]!)));
      at += x.shape[axis]!;
    }
    return y;
  },
  grad: (g, { attrs: axis, like, wants }) => {
    let at = 0;
    return like.map(({ shape }, i) => {
      const from = at;
      at += shape[axis]!;
      return wants[i] ? slice([g], part(g.shape, axis, from, shape[axis]!)) : null;
    });
  },
});

function part(shape: Shape, axis: number, start: number, count: number): Slice {
  const counts = shape.map((n, i) => (i === axis ? count : n));
  return { starts: shape.map((_, i) => (i === axis ? start : 0)), steps: shape.map(() => 1), counts, shape: counts };
}

/** Arrays of one shape except along the axis, joined along it. Checked and cast by the caller. @internal */
export const joined = concatenateRow;

// ---- positions

/** int32 positions that are checked and belong to the graph alone, so that nobody overwrites them. */
export function positions(values: ArrayLike<number>, shape: Shape): NDArray {
  const x = fromValues(values, shape, I32);
  x.storage.block.lasting = true;
  return x;
}

function blocks(shape: Shape, axis: number): [number, number, number] {
  return [sizeOf(shape.slice(0, axis)), shape[axis]!, sizeOf(shape.slice(axis + 1))];
}

/** The entries of an axis that a list of checked positions names, in the list's shape. @internal */
export const gathered: Structural<number> = structural("take", {
  run: ([x, index], axis) => {
    const source = contiguous(x!);
    const [outer, n, inner] = blocks(x!.shape, axis);
    const places = contiguous(index!);
    const shape = [...x!.shape.slice(0, axis), ...places.shape, ...x!.shape.slice(axis + 1)];
    const y = blank(shape, sizeOf(shape), x!.code);
    if (y.size === 0) return y;
    const p = addressOf(source);
    const at = addressOf(places);
    const q = addressOf(y);
    const bytes = inner << SHIFT[x!.code]!;
    for (let o = 0; o < outer; o++) gather(x!.code, p + o * n * bytes, at, q + o * places.size * bytes, places.size, inner);
    discard(source, x!);
    discard(places, index!);
    return y;
  },
  grad: (g, { inputs: [, index], attrs: axis, like }) => [putAdded([g, index!], { axis, shape: like[0]!.shape }), null],
  reads: [[1], []],
});

/** Zeros, with the entries added at their positions: the adjoint of `gathered`. @internal */
export const putAdded: Structural<{ readonly axis: number; readonly shape: Shape }> = structural("putAdd", {
  run: ([g, index], { axis, shape }) => {
    const source = contiguous(g!);
    const places = contiguous(index!);
    const [outer, n, inner] = blocks(shape, axis);
    const y = zeroed(shape, g!.code);
    if (g!.size === 0) return y;
    const p = addressOf(source);
    const at = addressOf(places);
    const q = addressOf(y);
    const bytes = inner << SHIFT[g!.code]!;
    for (let o = 0; o < outer; o++) scatterAdd(g!.code, p + o * places.size * bytes, at, q + o * n * bytes, places.size, inner);
    discard(source, g!);
    discard(places, index!);
    return y;
  },
  grad: (h, { inputs: [, index], attrs }) => [gathered([h, index!], attrs.axis), null],
  reads: [[1], []],
});

/** A copy with zeros at the given positions of the flat array: what is left of a gradient where contents were overwritten. @internal */
export const erased: Structural<NDArray> = structural("erase", {
  run: ([x], index) => {
    const y = blank(x!.shape, x!.size, x!.code);
    copyStrided(x!, y);
    const first = addressOf(index) >> 2;
    const start = addressOf(y) >> SHIFT[y.code]!;
    const list = memoryOf(I32);
    const target = memoryOf(y.code);
    for (let i = 0; i < index.size; i++) target[start + list[first + i]!] = 0;
    return y;
  },
  grad: (g, { attrs }) => [erased([g], attrs)],
});

/** Element offsets of a view, relative to its base's first element, in the view's C order. */
export function offsetsOf(x: NDArray, base: NDArray): Int32Array {
  const out = new Int32Array(x.size);
  forEachOffset(x.shape, x.strides, (at, i) => {
    out[i] = x.offset - base.offset + at;
  });
  return out;
}

/** Whole positions from a list or array, negative ones counted from the end, each checked against the axis. */
export function checkPositions(
  given: NDArray,
  axis: number,
  n: number,
  operator: string,
  mode: "raise" | "clip" | "wrap" = "raise",
): NDArray {
  const values = given.toTypedArray();
  const out = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    let at = values[i]!;
    if (!Number.isInteger(at)) throw new DTypeError(`${operator}: a position is a whole number, got ${at}`);
    if (mode === "clip") at = Math.min(Math.max(at, 0), n - 1);
    else if (mode === "wrap") at = ((at % n) + n) % n;
    else if (at < -n || at >= n) throw new IndexError(`${operator}: position ${at} is out of range for axis ${axis} of size ${n}`);
    out[i] = at < 0 ? at + n : at;
  }
  return positions(out, given.shape);
}
