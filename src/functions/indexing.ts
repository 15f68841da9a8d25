/** NumPy's indexing, read and written: integers, slices, newaxis, ellipsis, integer arrays and masks, mixed as one likes. */
import { type ArrayInput, addressOf, checkPosition, fromValues, memoryOf, NDArray, unshare } from "../array.ts";
import { checkValues, toArray } from "../convert.ts";
import { BOOL, DTYPES, F32, F64, isFloat, promote, promoteNumber, SHIFT, type TypedArray } from "../dtype.ts";
import { DTypeError, describe, GradError, IndexError, ShapeError, ValueError } from "../errors.ts";
import { contiguous, copyStrided } from "../launch.ts";
import { type Binary, checkWritable, edgeOf, isFloatMask, type Row } from "../op.ts";
import { divide, multiply } from "../ops/pointwise.ts";
import {
  astype,
  broadcastTo,
  checkPositions,
  erased,
  gathered,
  offsetsOf,
  positions,
  putAdded,
  reshape,
  type Slice,
  slice,
  sliceView,
  transpose,
} from "../ops/structural.ts";
import { broadcastShapes, contiguousStrides, type Shape, sameShape, showShape, sizeOf } from "../shape.ts";
import { Node, recording } from "../tape.ts";

/** A range of positions, as Python's slice: null leaves a side open. Made by `np.slice`. */
export class Range {
  constructor(
    readonly start: number | null,
    readonly stop: number | null,
    readonly step: number,
  ) {}
}

/** One item of an index, as `at` and `set` take them. */
export type IndexItem = number | string | null | Range | NDArray | TypedArray | readonly IndexList[];
type IndexList = number | boolean | readonly IndexList[];

/**
 * A slice for `at` and `set`, as Python's `slice(start, stop, step)`; null leaves a side open.
 * @throws ValueError for a step of 0 or parts that are no whole numbers.
 * @example np.arange(5).at(np.slice(1, null, 2)) // array([1., 3.])
 */
export function range(start?: number | null, stop?: number | null, step?: number | null): Range {
  for (const [name, value] of Object.entries({ start, stop, step }))
    if (value !== undefined && value !== null && !Number.isInteger(value))
      throw new ValueError(`slice: ${name} is a whole number or null, got ${describe(value)}`);
  if (step === 0) throw new ValueError("slice: the step is 0; use a positive or negative step");
  return new Range(start ?? null, stop ?? null, step ?? 1);
}

const SLICE = /^\s*(-?\d+)?\s*:\s*(-?\d+)?\s*(?::\s*(-?\d+)?\s*)?$/;

function parseSlice(text: string, operator: string): Range {
  const found = SLICE.exec(text);
  if (found === null) throw new ValueError(`${operator}: malformed slice ${describe(text)}; write ":", "1:5", "::-1" or "..."`);
  const part = (s: string | undefined): number | null => (s === undefined ? null : Number(s));
  const step = part(found[3]) ?? 1;
  if (step === 0) throw new ValueError(`${operator}: the step of ${describe(text)} is 0; use a positive or negative step`);
  return new Range(part(found[1]), part(found[2]), step);
}

/** Start and count of a slice along an axis of n, clamped as in Python. */
function resolve(r: Range, n: number): { start: number; count: number } {
  const clamp = (v: number, low: number, high: number): number => Math.min(Math.max(v < 0 ? v + n : v, low), high);
  if (r.step > 0) {
    const start = r.start === null ? 0 : clamp(r.start, 0, n);
    const stop = r.stop === null ? n : clamp(r.stop, 0, n);
    return { start, count: Math.max(0, Math.ceil((stop - start) / r.step)) };
  }
  const start = r.start === null ? n - 1 : clamp(r.start, -1, n - 1);
  const stop = r.stop === null ? -1 : clamp(r.stop, -1, n - 1);
  return { start, count: Math.max(0, Math.ceil((stop - start) / r.step)) };
}

/** An index understood: a basic slice, and the axes of its result that lists of positions select from. */
interface Plan {
  readonly slice: Slice;
  /** Axes of the sliced array, ascending, each with its positions. */
  readonly fancy: readonly { axis: number; index: NDArray }[];
  /** Whether these stand side by side in the index, so that the result has their axes in their place. */
  readonly adjacent: boolean;
}

function asFancy(item: NDArray | TypedArray | readonly unknown[], operator: string): NDArray {
  if (item instanceof NDArray) return item;
  if (Array.isArray(item) && item.length === 0) return positions([], [0]);
  return toArray(item as ArrayInput, operator);
}

function understand(x: NDArray, items: readonly unknown[], operator: string): Plan {
  const { shape } = x;
  // How many axes the items take, so that an ellipsis can take the rest.
  const parsed = items.map((item, i) => {
    if (item === null || typeof item === "number" || item instanceof Range) return item;
    if (typeof item === "string") return item.trim() === "..." ? "..." : parseSlice(item, operator);
    if (item instanceof NDArray || Array.isArray(item) || (ArrayBuffer.isView(item) && !(item instanceof DataView))) {
      const list = asFancy(item as NDArray, operator);
      const index = isFloatMask(list) ? astype(list, "bool") : list;
      if (index.code === BOOL && index.ndim === 0)
        throw new IndexError(`${operator}: a 0-d mask selects no axis; give one of the array's shape`);
      return index;
    }
    throw new IndexError(
      `${operator}: ${describe(item)} at position ${i} is no index; use whole numbers, "1:5", "...", np.newaxis, np.slice, lists or arrays`,
    );
  });
  const taken = parsed.reduce<number>(
    (n, item) => n + (item === null || item === "..." ? 0 : item instanceof NDArray && item.code === BOOL ? item.ndim : 1),
    0,
  );
  if (parsed.filter(item => item === "...").length > 1) throw new IndexError(`${operator}: an index may have one "..." only`);
  if (taken > shape.length)
    throw new IndexError(
      `${operator}: ${taken} index items for an array with ${shape.length} ${shape.length === 1 ? "axis" : "axes"} (shape ${showShape(shape)})`,
    );
  if (!parsed.includes("...")) parsed.push("...");
  const anyFancy = parsed.some(item => item instanceof NDArray);

  const starts: number[] = [];
  const steps: number[] = [];
  const counts: number[] = [];
  const result: number[] = [];
  const fancy: { axis: number; index: NDArray }[] = [];
  const places: number[] = [];
  let axis = 0;
  const keep = (start: number, step: number, count: number): void => {
    starts.push(start);
    steps.push(step);
    counts.push(count);
    axis++;
  };
  parsed.forEach((item, place) => {
    if (item === null) result.push(1);
    else if (item === "...") {
      for (const end = axis + shape.length - taken; axis < end; ) {
        result.push(shape[axis]!);
        keep(0, 1, shape[axis]!);
      }
    } else if (typeof item === "number") {
      const at = checkPosition(item, axis, shape, operator);
      if (anyFancy) {
        // Beside lists an integer is a list of one place, which takes part in their broadcasting.
        fancy.push({ axis: result.length, index: positions([at], []) });
        places.push(place);
        result.push(shape[axis]!);
        keep(0, 1, shape[axis]!);
      } else keep(at, 1, 1);
    } else if (item instanceof Range) {
      const { start, count } = resolve(item, shape[axis]!);
      result.push(count);
      keep(start, item.step, count);
    } else if (item instanceof NDArray && item.code === BOOL) {
      const covered = shape.slice(axis, axis + item.ndim);
      if (!sameShape(covered, item.shape))
        throw new ShapeError(
          `${operator}: a mask of shape ${showShape(item.shape)} for axes of shape ${showShape(covered)}; they must be equal`,
        );
      for (const index of nonzeroOf(item)) {
        fancy.push({ axis: result.length, index });
        places.push(place);
        result.push(shape[axis]!);
        keep(0, 1, shape[axis]!);
      }
    } else if (item instanceof NDArray) {
      fancy.push({ axis: result.length, index: checkPositions(item, axis, shape[axis]!, operator) });
      places.push(place);
      result.push(shape[axis]!);
      keep(0, 1, shape[axis]!);
    }
  });
  const adjacent = places.every((p, i) => i === 0 || p - places[i - 1]! <= 1);
  return { slice: { starts, steps, counts, shape: result }, fancy, adjacent };
}

/** The positions where a mask is set, one list for each of its axes. */
export function nonzeroOf(mask: NDArray): NDArray[] {
  const values = mask.toTypedArray();
  const strides = contiguousStrides(mask.shape);
  const found: number[] = [];
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) found.push(i);
  return mask.shape.map((n, axis) =>
    positions(
      found.map(i => Math.floor(i / strides[axis]!) % n),
      [found.length],
    ),
  );
}

/** All lists of an index as one list of places in the axes they select from, and the shape they broadcast to. */
function combine(fancy: Plan["fancy"], shape: Shape, operator: string): { places: Int32Array; shape: Shape } {
  let together: Shape = fancy[0]!.index.shape;
  for (const { index } of fancy) together = broadcastShapes(together, index.shape, operator);
  const places = new Int32Array(sizeOf(together));
  for (const { axis, index } of fancy) {
    const values = broadcastTo(index, together).toTypedArray();
    const n = shape[axis]!;
    for (let i = 0; i < places.length; i++) places[i] = places[i]! * n + values[i]!;
  }
  return { places, shape: together };
}

/**
 * Part of an array, as `x[…]` in NumPy: a view for integers, slices, newaxis and ellipsis, a copy where a list, an
 * integer array or a mask selects. Recorded, so gradients flow back to the places that were read.
 * @throws IndexError for positions out of range or too many items, ValueError for malformed slices.
 */
export function at(x: NDArray, ...items: IndexItem[]): NDArray {
  const plan = understand(x, items, "at");
  const { fancy } = plan;
  const identical = fancy.length > 0 && sameShape(plan.slice.shape, x.shape) && plan.slice.steps.every(s => s === 1);
  const y = identical ? x : slice([x], plan.slice);
  if (fancy.length === 0) return y;
  if (fancy.length === 1) return gathered([y, fancy[0]!.index], fancy[0]!.axis);
  const chosen = fancy.map(f => f.axis);
  const rest = [...y.shape.keys()].filter(axis => !chosen.includes(axis));
  const { places, shape } = combine(fancy, y.shape, "at");
  const front = transpose(y, [...chosen, ...rest]);
  const flat = reshape(front, [chosen.reduce((n, axis) => n * y.shape[axis]!, 1), ...rest.map(axis => y.shape[axis]!)]);
  const z = gathered([flat, positions(places, shape)], 0);
  const before = plan.adjacent ? rest.filter(axis => axis < chosen[0]!).length : 0;
  if (before === 0) return z;
  const b = shape.length;
  const order = [
    ...Array.from({ length: before }, (_, i) => b + i),
    ...Array.from({ length: b }, (_, i) => i),
    ...Array.from({ length: rest.length - before }, (_, i) => b + before + i),
  ];
  return transpose(z, order);
}

/** Where an index points: the view of a basic one, or element offsets from the array's base with their shape. */
type Target = { view: NDArray } | { offsets: Int32Array; shape: Shape };

function targetOf(x: NDArray, items: readonly unknown[], operator: string): Target {
  const plan = understand(x, items, operator);
  const view = sliceView(x, plan.slice);
  if (plan.fancy.length === 0) return { view };
  const { fancy } = plan;
  const chosen = fancy.map(f => f.axis);
  const rest = [...view.shape.keys()].filter(axis => !chosen.includes(axis));
  const { places, shape } = combine(fancy, view.shape, operator);
  const { strides } = view;
  const restShape = rest.map(axis => view.shape[axis]!);
  const inner: number[] = [0];
  for (const axis of rest) {
    const have = inner.splice(0);
    for (const o of have) for (let i = 0; i < view.shape[axis]!; i++) inner.push(o + i * strides[axis]!);
  }
  const before = plan.adjacent ? rest.filter(axis => axis < chosen[0]!).length : 0;
  const offsets = new Int32Array(places.length * inner.length);
  // Results lie as (rest before, lists, rest after); offsets are filled in that order.
  const head = sizeOf(restShape.slice(0, before));
  const tail = inner.length / Math.max(head, 1);
  const first = view.offset - (x.base ?? x).offset;
  let k = 0;
  for (let h = 0; h < head; h++)
    for (let p = 0; p < places.length; p++) {
      let place = places[p]!;
      let o = first;
      for (let f = fancy.length - 1; f >= 0; f--) {
        const n = view.shape[fancy[f]!.axis]!;
        o += (place % n) * strides[fancy[f]!.axis]!;
        place = Math.floor(place / n);
      }
      for (let t = 0; t < tail; t++) offsets[k++] = o + inner[h * tail + t]!;
    }
  return { offsets, shape: [...restShape.slice(0, before), ...shape, ...restShape.slice(before)] };
}

/** The value of an assignment, in the target's dtype and shape. */
function valueFor(value: ArrayInput, x: NDArray, shape: Shape, operator: string): NDArray {
  if (typeof value === "number") checkValues([value], x.code, operator);
  let v = toArray(value, operator);
  if (v.code !== x.code) {
    if (isFloat(v.code) && !isFloat(x.code)) checkValues(v.toTypedArray(), x.code, operator);
    v = astype(v, x.dtype);
  }
  while (v.ndim > shape.length && v.shape[0] === 1) v = reshape(v, v.shape.slice(1));
  if (sameShape(v.shape, shape)) return v;
  const lead = shape.length - v.ndim;
  if (lead < 0 || v.shape.some((n, i) => n !== 1 && n !== shape[lead + i]))
    throw new ShapeError(
      `${operator}: cannot broadcast the value of shape ${showShape(v.shape)} to the place of shape ${showShape(shape)}`,
    );
  return broadcastTo(v, shape);
}

function checkUnattached(x: NDArray, operator: string): void {
  if (!recording) return;
  const root = x.base ?? x;
  for (const a of [x, root])
    if (a.edge !== null && a.edge.row === null)
      throw new GradError(
        `${operator}: an attached array cannot be written to while recording; write outside of autograd.record, or to a copy()`,
      );
}

/**
 * Writes to part of an array, as `x[…] = value` in NumPy; without index items to all of it. Broadcasts, casts to the
 * array's dtype. While recording, gradients flow to both the old contents and the value. Gives the array.
 * @throws GradError for an attached array while recording, ShapeError where the value does not fit.
 */
export function set(x: NDArray, value: ArrayInput, ...items: IndexItem[]): NDArray {
  checkWritable(x, "set");
  checkUnattached(x, "set");
  const target = targetOf(x, items, "set");
  const shape = "view" in target ? target.view.shape : target.shape;
  let v = valueFor(value, x, shape, "set");
  if (v.size === 0) return x;
  if (v.storage === x.storage) v = ownCopy(v);
  const root = x.base ?? x;
  const recorded = recording && (edgeOf(root) !== null || edgeOf(x) !== null || edgeOf(v) !== null);
  const before = recorded ? edgeOf(root) : null;
  unshare(x);
  if ("view" in target) copyStrided(v, target.view);
  else writeAt(root, target.offsets, v);
  if (recorded) recordWrite(root, before, v, "view" in target ? offsetsOf(target.view, root) : target.offsets, shape);
  return x;
}

function ownCopy(v: NDArray): NDArray {
  const y = contiguous(v);
  if (y !== v) {
    y.edge = edgeOf(v);
    return y;
  }
  const z = fromValues(v.toTypedArray(), v.shape, v.code);
  z.edge = edgeOf(v);
  return z;
}

function writeAt(root: NDArray, offsets: Int32Array, value: NDArray): void {
  const values = value.toTypedArray();
  const start = addressOf(root) >> SHIFT[root.code]!;
  const memory = memoryOf(root.code);
  for (let i = 0; i < offsets.length; i++) memory[start + offsets[i]!] = values[i]!;
}

interface Written {
  readonly places: NDArray;
  /** 1 where the value at a place is the one that stayed, 0 where a later one overwrote it; null if all stayed. */
  readonly stayed: NDArray | null;
}

/** A write to an array's contents as a function of what was there and of the value. */
const WRITE: Row = {
  name: "set",
  kind: "structural",
  fused: null,
  rule: (g, { attrs, like, wants }) => {
    const { places, stayed } = attrs as Written;
    const old = wants[0] ? erased([g], places) : null;
    if (!wants[1]) return [old, null];
    const read = gathered([reshape(g, [g.size]), places], 0);
    const mine = stayed === null ? read : multiply(read, stayed);
    return [old, reshape(mine, like[1]!.shape)];
  },
};

/** Reading a view of an array that was written to while recording. */
const WINDOW: Row = {
  name: "view",
  kind: "structural",
  fused: null,
  rule: (g, { attrs, like }) => {
    const { shape } = like[0]!;
    return [reshape(putAdded([reshape(g, [g.size]), attrs as NDArray], { axis: 0, shape: [sizeOf(shape)] }), shape)];
  },
};

function recordWrite(root: NDArray, before: Node | null, value: NDArray, offsets: Int32Array, shape: Shape): void {
  if (root.view !== null)
    throw new GradError("set: a recorded write through a detached view with gaps has no gradient; write to a copy() of it");
  const seen = new Map<number, number>();
  offsets.forEach((o, i) => {
    seen.set(o, i);
  });
  const stayed =
    seen.size === offsets.length
      ? null
      : fromValues(
          Float64Array.from(offsets, (o, i) => Number(seen.get(o) === i)),
          [offsets.length],
          isFloat(root.code) ? root.code : F64,
        );
  const attrs: Written = { places: positions(offsets, [offsets.length]), stayed };
  root.edge = new Node(
    WRITE,
    attrs,
    [before, edgeOf(value)],
    [],
    [
      { shape: root.shape, code: root.code },
      { shape, code: value.code },
    ],
  );
  root.writes++;
  root.derive = view =>
    new Node(WINDOW, positions(offsetsOf(view, root), [view.size]), [root.edge], [], [{ shape: root.shape, code: root.code }]);
}

/** `x op= v`: the array's contents replaced by an operator's result. While recording, with the right gradients. */
export function update(name: string, operator: Binary, x: NDArray, value: ArrayInput): NDArray {
  checkWritable(x, name);
  checkUnattached(x, name);
  const v = typeof value === "number" ? value : toArray(value, name);
  const met = typeof v === "number" ? promoteNumber(x.code, v, name) : promote(x.code, v.code);
  const result = operator === divide && !isFloat(met) ? F32 : met;
  if (isFloat(result) && !isFloat(x.code))
    throw new DTypeError(
      `${name}: the result is ${DTYPES[result]}, which does not go into an ${x.dtype} array; use astype, or a new array`,
    );
  if (typeof v !== "number" && !sameShape(broadcastShapes(x.shape, v.shape, name), x.shape))
    throw new ShapeError(
      `${name}: the result of shape ${showShape(broadcastShapes(x.shape, v.shape, name))} does not fit the array's ${showShape(x.shape)}`,
    );
  if (!recording && result === x.code) return operator(x, v, { out: x });
  const y = operator(x, v);
  return set(x, y);
}
