/**
 * Structural operators: linear maps that only move, repeat or drop elements. Each stands beside its adjoint, and the
 * gradient of either is the other.
 */
import { type ArrayInput, addressOf, blank, blankLike, fromValues, memoryOf, type NDArray, unshare, viewOf } from "../array.ts";
import { call2, count, fill, gather, places, scatterAdd } from "../backend/wasm/index.ts";
import { toArray } from "../convert.ts";
import { BYTES, type DType, dtypeCode, F32, I32, isFloat, SHIFT } from "../dtype.ts";
import { DTypeError, describe, IndexError, ShapeError, ValueError } from "../errors.ts";
import { arg } from "../expr.ts";
import { foldAxes } from "../fold.ts";
import { alone, CHUNK, contiguous, copyStrided, discard, Family, laneOf, runMap, transposeView, view } from "../launch.ts";
import { type HasRow, liftAxes, liftAxis, liftNothing, liftShape, type Structural, structural } from "../op.ts";
import {
  axesOf,
  broadcastStrides,
  contiguousStrides,
  isOnly,
  onesOf,
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
import type { Node } from "../tape.ts";
import { add, divide } from "./pointwise.ts";

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

const castRow: Structural<number> = structural("astype", {
  linear: "jointly",
  cheap: true,
  run: ([x], code) => cast(x!, code),
  grad: g => [g],
  lift: liftNothing,
});

/**
 * The values in another dtype, as a new array. To integers, values are truncated; the gradient ends there. NumPy's astype.
 * @throws DTypeError for an unknown dtype.
 * @example np.astype([1.7, -1.7], "int32") // array([ 1, -1], dtype=int32)
 */
export const astype: ((x: ArrayInput, dtype: DType) => NDArray) & HasRow = Object.assign(
  (x: ArrayInput, dtype: DType): NDArray => castRow([toArray(x, "astype")], dtypeCode(dtype, "astype")),
  { op: castRow.op },
);

/** The array in a dtype. @internal */
export const typed = (x: NDArray, code: number): NDArray => (x.code === code ? x : castRow([x], code));

/** The array in a float dtype: bools and integers as float32. @internal */
export const inFloat = (x: NDArray): NDArray => (isFloat(x.code) ? x : castRow([x], F32));

const copyRow: Structural<null> = structural("copy", {
  linear: "jointly",
  cheap: true,
  run: ([x]) => {
    const y = blank(x!.shape, x!.size, x!.code);
    copyStrided(x!, y);
    if (typeof x!.cause === "string") y.cause = x!.cause;
    return y;
  },
  grad: g => [g],
  lift: liftNothing,
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
  linear: "jointly",
  view: true,
  run: ([x], shape) => {
    const strides = x!.view === null ? contiguousStrides(shape) : reshapeStrides(x!.shape, x!.view, shape);
    if (strides !== null) return view(x!, x!.offset, shape, strides);
    // The copy itself, not a view of one without history: a recorded write to it must find where it came from.
    const y = blank(shape, x!.size, x!.code);
    copyStrided(x!, viewOf(y, 0, x!.shape, null, y.size));
    return y;
  },
  grad: (g, { like }) => [reshapeRow([g], like[0]!.shape)],
  lift: liftShape,
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

/** All elements along one axis. @internal */
export const flat = (x: NDArray): NDArray => reshape(x, [x.size]);

/** The array and one of its axes; without an axis the flattened array and 0. @internal */
export const along = (operator: string, a: NDArray, axis: number | null | undefined): [NDArray, number] =>
  axis === undefined || axis === null ? [flat(a), 0] : [a, toAxis(axis, a.ndim, operator)];

/** The same, where a 0-d array counts as a list of one. @internal */
export const listAlong = (operator: string, a: NDArray, axis: number | null | undefined): [NDArray, number] =>
  along(operator, a.ndim === 0 ? flat(a) : a, axis);

/** The array with axes of size 1 put at the positions (ascending, of the result). @internal */
export function expandAxes(x: NDArray, axes: readonly number[]): NDArray {
  const shape = x.shape.slice();
  for (const axis of axes) shape.splice(axis, 0, 1);
  return reshapeRow([x], shape);
}

/**
 * With an axis of size 1 added, before position `axis` of the result, or with several. A view. NumPy's expand_dims.
 * @throws ShapeError for a position that the result does not have, ValueError for one named twice.
 * @example np.expandDims([1, 2], 0).shape // [ 1, 2 ]
 */
export const expandDims: (x: ArrayInput, axis: number | readonly number[]) => NDArray = (x, axis) => {
  const a = toArray(x, "expandDims");
  const axes = Array.isArray(axis) ? axis : [axis];
  return expandAxes(a, toAxes(axes, a.ndim + axes.length, "expandDims"));
};

/**
 * Without the axes of size 1, or without the named ones. A view. NumPy's squeeze.
 * @throws ShapeError for a named axis whose size is not 1.
 * @example np.squeeze([[[1, 2]]]).shape // [ 2 ]
 */
export const squeeze: (x: ArrayInput, axis?: number | readonly number[] | null) => NDArray = (x, axis) => {
  const a = toArray(x, "squeeze");
  const named = axis === undefined || axis === null || isOnly(axis, a.ndim) ? null : toAxes(axis, a.ndim, "squeeze");
  for (const i of named ?? [])
    if (a.shape[i] !== 1)
      throw new ShapeError(`squeeze: axis ${i} of ${showShape(a.shape)} has size ${a.shape[i]}; only axes of size 1 can go`);
  return reshapeRow(
    [a],
    a.shape.filter((n, i) => (named === null ? n !== 1 : !named.includes(i))),
  );
};

const transposeRow: Structural<readonly number[]> = structural("transpose", {
  linear: "jointly",
  run: ([x], order) => transposeView(x!, order),
  view: true,
  grad: (g, { attrs }) => [transposeRow([g], inverse(attrs))],
  lift: order => [0, ...order.map(liftAxis)],
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
    return transposeRow([a], axesOf(list, a.ndim, "transpose"));
  },
  { op: transposeRow.op },
);

/** With axes moved to other places, the rest in their order. A view. @internal */
export function movedAxes(x: NDArray, source: unknown, destination: unknown, operator: string): NDArray {
  const from = axesOf(source, x.ndim, operator);
  const to = axesOf(destination, x.ndim, operator);
  if (from.length !== to.length)
    throw new ValueError(`${operator}: ${from.length} axes to ${to.length} places; there must be as many of both`);
  const order = [...x.shape.keys()].filter(i => !from.includes(i));
  for (const place of [...to].sort((p, q) => p - q)) order.splice(place, 0, from[to.indexOf(place)]!);
  return transpose(x, order);
}

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
  linear: "jointly",
  run: ([x], shape) => view(x!, x!.offset, shape, broadcastStrides(x!.shape, x!.strides, shape)),
  grad: (g, { like }) => [sumTo(g, like[0]!.shape)],
  mapped: ([x], _, shape, n) =>
    broadcastTo(reshapeRow([x!], [n, ...onesOf(shape.length + 1 - x!.ndim), ...x!.shape.slice(1)]), [n, ...shape]),
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

/**
 * The same as the gradient straight from memory, divided by n: where one number is repeated over a small array, an array
 * of its own, which the rules before it read faster than a view. @internal
 */
export function spreadOut(node: Node, g: NDArray, axes: readonly number[], n = 1): NDArray {
  const { shape } = node.like?.[0] ?? g;
  const size = sizeOf(shape);
  if (g.size !== 1 || size === 0 || size > alone) return spread(n === 1 ? g : divide(g, n), axes, shape);
  const from = addressOf(g);
  const y = blankLike({ shape, size, code: g.code });
  const start = addressOf(y) >> SHIFT[g.code]!;
  const memory = memoryOf(g.code);
  memory.fill(memory[from >> SHIFT[g.code]!]! / n, start, start + size);
  return y;
}

export interface OverAxes {
  /** Ascending. */
  readonly axes: readonly number[];
  /** The dtype's code in which the result is computed. */
  readonly code: number;
}

/** The sum over axes, which disappear: the adjoint of `spread`. @internal */
export const summed: Structural<OverAxes> = structural("sum", {
  linear: "jointly",
  kind: "reduction",
  run: ([x], { axes, code }) => foldAxes("add", x!, axes, code),
  grad: (g, { attrs, like }) => [spread(g, attrs.axes, like[0]!.shape)],
  fused: (node, g) => spreadOut(node, g, (node.attrs as OverAxes).axes),
  lift: liftAxes,
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

const liftSlice = (s: Slice, n: number): Slice => ({
  starts: [0, ...s.starts],
  steps: [1, ...s.steps],
  counts: [n, ...s.counts],
  shape: [n, ...s.shape],
});

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
  linear: "jointly",
  run: ([x], s) => sliceView(x!, s),
  view: true,
  into: (target, g, s) => addInto(sliceView(target, s), g),
  grad: (g, { attrs, like }) => [unslice([g], { slice: attrs, shape: like[0]!.shape })],
  lift: liftSlice,
});

/** Zeros, but the array in the place that the slice names: the adjoint of `slice`. @internal */
export const unslice: Structural<{ readonly slice: Slice; readonly shape: Shape }> = structural("unslice", {
  linear: "jointly",
  run: ([g], { slice: s, shape }) => {
    const y = zeroed(shape, g!.code);
    copyStrided(g!, sliceView(y, s));
    return y;
  },
  grad: (h, { attrs }) => [slice([h], attrs.slice)],
  lift: ({ slice: s, shape }, n) => ({ slice: liftSlice(s, n), shape: [n, ...shape] }),
});

/** Two axes of which a diagonal is taken: it begins at column `offset`, or at row `-offset`. */
export interface Diagonal {
  readonly offset: number;
  readonly axis1: number;
  readonly axis2: number;
}

const liftDiagonal = <D extends Diagonal>(d: D): D => ({ ...d, axis1: d.axis1 + 1, axis2: d.axis2 + 1 });

function diagonalView(x: NDArray, { offset, axis1, axis2 }: Diagonal): NDArray {
  const { shape, strides } = x;
  const row = Math.max(0, -offset);
  const column = Math.max(0, offset);
  const count = Math.max(0, Math.min(shape[axis1]! - row, shape[axis2]! - column));
  const first = x.offset + (count > 0 ? row * strides[axis1]! + column * strides[axis2]! : 0);
  const rest = [...shape.keys()].filter(i => i !== axis1 && i !== axis2);
  const pick = (list: readonly number[], last: number): number[] => [...rest.map(i => list[i]!), last];
  return view(x, first, pick(shape, count), pick(strides, strides[axis1]! + strides[axis2]!));
}

/** The diagonal of two axes, as a last axis: a view. @internal */
export const diagonalOf: Structural<Diagonal> = structural("diagonal", {
  linear: "jointly",
  run: ([x], d) => diagonalView(x!, d),
  grad: (g, { attrs, like }) => [onDiagonal([g], { ...attrs, shape: like[0]!.shape })],
  lift: liftDiagonal,
});

/** Zeros, but the array on a diagonal: the adjoint of `diagonalOf`. @internal */
export const onDiagonal: Structural<Diagonal & { readonly shape: Shape }> = structural("diag", {
  linear: "jointly",
  run: ([g], d) => {
    const y = zeroed(d.shape, g!.code);
    copyStrided(g!, diagonalView(y, d));
    return y;
  },
  grad: (h, { attrs }) => [diagonalOf([h], attrs)],
  lift: (d, n) => ({ ...liftDiagonal(d), shape: [n, ...d.shape] }),
});

/** target += part, for arrays of one shape and dtype; not recorded. */
export function addInto(target: NDArray, part: NDArray): void {
  if (target.view !== null || part.view !== null || target.size > CHUNK || target.size === 0) {
    add(target, part, { out: target });
    return;
  }
  unshare(target);
  const f = add.op.pointwise!.sameFamily(target.code).kernel(0);
  const from = addressOf(part);
  const to = addressOf(target);
  call2(f, to, from, to, target.size);
}

/** A new array of zeros, not for the public. */
export function zeroed(shape: Shape, code: number): NDArray {
  const size = sizeOf(shape);
  const y = blank(shape, size, code);
  if (size > 0) fill(addressOf(y), 0, size * BYTES[code]!);
  return y;
}

// ---- joining

const concatenateRow: Structural<number> = structural("concatenate", {
  linear: "jointly",
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
  lift: liftAxis,
});

/** A run of positions along one axis, all of the others. */
export function part(shape: Shape, axis: number, start: number, count: number): Slice {
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

/** `first`, and so much more for every step along each axis: int32, in C order. */
export function lattice(first: number, shape: Shape, strides: readonly number[]): NDArray {
  const y = blank(shape, sizeOf(shape), I32);
  if (y.size === 0) return y;
  const start = addressOf(y) >> 2;
  const out = memoryOf(I32);
  out[start] = first;
  // What is there already is repeated, shifted, along one axis after the other.
  for (let axis = shape.length - 1, size = 1; axis >= 0; size *= shape[axis--]!) {
    const step = strides[axis]!;
    for (let i = start + size, end = start + size * shape[axis]!; i < end; i++) out[i] = out[i - size]! + step;
  }
  return y;
}

/** Element offsets of a view, relative to its base's first element, in the view's shape. */
export const offsetsOf = (x: NDArray, base: NDArray): NDArray => lattice(x.offset - base.offset, x.shape, x.strides);

/** The positions in the flat array where a mask is set. */
export function setPlaces(mask: NDArray): NDArray {
  const source = contiguous(mask);
  const found = count(addressOf(source), mask.size);
  const y = blank([found], found, I32);
  const from = addressOf(source);
  places(from, addressOf(y), found);
  discard(source, mask);
  return y;
}

function blocks(shape: Shape, axis: number): [number, number, number] {
  return [sizeOf(shape.slice(0, axis)), shape[axis]!, sizeOf(shape.slice(axis + 1))];
}

/** The entries of an axis that a list of checked positions names, in the list's shape. @internal */
export const gathered: Structural<number> = structural("take", {
  linear: "jointly",
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
  into: (target, g, axis, [, index]) => addAt(target, g, index!, axis),
  reads: [[1], []],
  mapped: ([x, index], [many, places], axis, n) => {
    if (!places) return gathered([x!, index!], axis + 1);
    if (!many) {
      const y = gathered([x!, index!], axis);
      return transposeRow([y], [axis, ...[...y.shape.keys()].filter(i => i !== axis)]);
    }
    // One long axis for all entries: those of entry i begin at i times the length of one.
    const front = transposeRow([x!], [0, axis + 1, ...[...x!.shape.keys()].filter(i => i !== 0 && i !== axis + 1)]);
    const size = x!.shape[axis + 1]!;
    const starts = positions(
      Array.from({ length: n }, (_, i) => i * size),
      [n, ...onesOf(index!.ndim - 1)],
    );
    const y = gathered([reshapeRow([front], [n * size, ...front.shape.slice(2)]), add(index!, starts)], 0);
    const inner = index!.ndim - 1;
    const lead = Array.from({ length: axis }, (_, i) => 1 + inner + i);
    const rest = [...y.shape.keys()].filter(i => i > 0 && !lead.includes(i));
    return transposeRow([y], [0, ...lead, ...rest]);
  },
});

/** Adds entries to those of y at their positions along an axis, one after another. */
export function addAt(y: NDArray, g: NDArray, index: NDArray, axis: number): void {
  if (g.size === 0) return;
  const whole = contiguous(y);
  const source = contiguous(g);
  const places = contiguous(index);
  const [outer, n, inner] = blocks(y.shape, axis);
  const p = addressOf(source);
  const at = addressOf(places);
  const q = addressOf(whole);
  const bytes = inner << SHIFT[g.code]!;
  for (let o = 0; o < outer; o++) scatterAdd(g.code, p + o * places.size * bytes, at, q + o * n * bytes, places.size, inner);
  discard(source, g);
  discard(places, index);
  if (whole !== y) copyStrided(whole, y);
  discard(whole, y);
}

/** Zeros, with the entries added at their positions: the adjoint of `gathered`. @internal */
export const putAdded: Structural<{ readonly axis: number; readonly shape: Shape }> = structural("putAdd", {
  linear: "jointly",
  run: ([g, index], { axis, shape }) => {
    const y = zeroed(shape, g!.code);
    addAt(y, g!, index!, axis);
    return y;
  },
  grad: (h, { inputs: [, index], attrs }) => [gathered([h, index!], attrs.axis), null],
  reads: [[1], []],
});

/** A copy with zeros at the given positions of the flat array: what is left of a gradient where contents were overwritten. @internal */
export const erased: Structural<null> = structural("erase", {
  linear: "jointly",
  run: ([x, index]) => {
    const y = blank(x!.shape, x!.size, x!.code);
    copyStrided(x!, y);
    erase(y, index!);
    return y;
  },
  grad: (g, { inputs: [, index] }) => [erased([g, index!], null), null],
  reads: [[1], []],
});

/** Writes zeros to the given positions of an array without gaps. */
export function erase(y: NDArray, index: NDArray): void {
  const places = contiguous(index);
  const first = addressOf(places) >> 2;
  const start = addressOf(y) >> SHIFT[y.code]!;
  const list = memoryOf(I32);
  const target = memoryOf(y.code);
  for (let i = 0; i < index.size; i++) target[start + list[first + i]!] = 0;
  discard(places, index);
}

/** What becomes of positions out of range: an IndexError, the nearest end, or counting around. "exact" refuses negative ones too, "signed" none. */
export type PositionMode = "raise" | "clip" | "wrap" | "exact" | "signed";

interface Checked {
  readonly axis: number;
  readonly n: number;
  readonly operator: string;
  readonly mode: PositionMode;
}

const checkRow: Structural<Checked> = structural("positions", {
  kind: "selection",
  run: ([given], { axis, n, operator, mode }) => {
    const whole = isFloat(given!.code) || given!.code === I32 ? given! : cast(given!, I32);
    const source = contiguous(whole);
    const y = blank(given!.shape, given!.size, I32);
    const from = addressOf(source) >> SHIFT[source.code]!;
    const to = addressOf(y) >> 2;
    const values = memoryOf(source.code);
    const out = memoryOf(I32);
    const low = mode === "exact" ? 0 : -n;
    for (let i = 0; i < y.size; i++) {
      let at = values[from + i]!;
      if (at >= n || at < 0 || !Number.isInteger(at)) {
        if (!Number.isInteger(at)) throw new DTypeError(`${operator}: a position is a whole number, got ${at}`);
        if (mode === "clip") at = at < 0 ? 0 : n - 1;
        else if (mode === "wrap") at = ((at % n) + n) % n;
        else if (mode !== "signed" && (at < low || at >= n))
          throw new IndexError(`${operator}: position ${at} is out of range for axis ${axis} of size ${n}`);
        else if (mode !== "signed") at += n;
      }
      out[to + i] = at;
    }
    discard(source, given!);
    return y;
  },
  grad: null,
  lift: liftNothing,
});

/** Whole positions from a list or array, negative ones counted from the end, each checked against the axis. */
export const checkPositions = (given: NDArray, axis: number, n: number, operator: string, mode: PositionMode = "raise"): NDArray =>
  checkRow([given], { axis, n, operator, mode });
