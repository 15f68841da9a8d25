/** NumPy's indexing, read and written: integers, slices, newaxis, ellipsis, integer arrays and masks, mixed as one likes. */
import { type ArrayInput, addressOf, blank, checkPosition, fromValues, NDArray, unshare } from "../array.ts";
import { scatter } from "../backend/wasm/index.ts";
import { checkValues, fromNested, toArray } from "../convert.ts";
import { BOOL, DTYPES, I32, isFloat, promote, promoteNumber, sameKind, type TypedArray } from "../dtype.ts";
import { DTypeError, describe, GradError, IndexError, ShapeError, under, ValueError } from "../errors.ts";
import { contiguous, copyStrided, discard } from "../launch.ts";
import { type Binary, checkWritable, edgeOf, isFloatMask, type Row, save } from "../op.ts";
import { add, equal, multiply, where } from "../ops/pointwise.ts";
import { unravelled } from "../ops/selection.ts";
import {
  addAt,
  astype,
  broadcastTo,
  checkPositions,
  copy,
  erase,
  erased,
  gathered,
  lattice,
  offsetsOf,
  positions,
  putAdded,
  reshape,
  type Slice,
  setPlaces,
  slice,
  sliceView,
  transpose,
} from "../ops/structural.ts";
import { broadcastShapes, contiguousStrides, onesOf, reshapeStrides, SCALAR, type Shape, sameShape, showShape, sizeOf } from "../shape.ts";
import { type Like, type Node, nodeOf, recording } from "../tape.ts";

/** A range of positions, as Python's slice: null leaves a side open. Made by `np.slice`. */
export class Range {
  constructor(
    readonly start: number | null,
    readonly stop: number | null,
    readonly step: number,
  ) {}
}

/** One item of an index, as `at` and `set` take them. */
export type IndexItem = number | boolean | string | null | Range | NDArray | TypedArray | readonly IndexList[];
type IndexList = number | boolean | readonly IndexList[];

/**
 * A slice for `at` and `set`, as Python's `slice(start, stop, step)`; null leaves a side open. NumPy's s_.
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
export function resolve(r: Range, n: number): { start: number; count: number } {
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

/** Positions that select along some axes of the sliced array, which are seen as one axis. */
interface Selection {
  readonly axis: number;
  readonly span: number;
  readonly index: NDArray;
}

/** An index understood: a basic slice, and what selects from the axes of its result. */
interface Plan {
  readonly slice: Slice;
  /** By their axes, ascending. */
  readonly selections: readonly Selection[];
  /** How many axes of the result stand before those that the selections broadcast to: none where these are apart in the index. */
  readonly before: number;
  /** Whether a place may be selected twice. */
  readonly repeats: boolean;
}

type Item = number | null | "..." | Range | NDArray;

function readItem(item: unknown, i: number, operator: string): Item {
  if (item === null || typeof item === "number" || item instanceof Range) return item;
  if (typeof item === "string") return item.trim() === "..." ? "..." : parseSlice(item, operator);
  if (Array.isArray(item) && item.length === 0) return positions([], [0]);
  if (
    item instanceof NDArray ||
    typeof item === "boolean" ||
    Array.isArray(item) ||
    (ArrayBuffer.isView(item) && !(item instanceof DataView))
  ) {
    const list = toArray(item as ArrayInput, operator);
    return isFloatMask(list) ? astype(list, "bool") : list;
  }
  throw new IndexError(
    `${operator}: ${describe(item)} at position ${i} is no index; use whole numbers, "1:5", "...", np.newaxis, np.slice, lists or arrays`,
  );
}

function understand(x: NDArray, given: readonly unknown[], operator: string): Plan {
  const { shape } = x;
  const items = given.map((item, i) => readItem(item, i, operator));
  // How many axes the items take, so that an ellipsis can take the rest.
  const taken = items.reduce<number>(
    (n, item) => n + (item === null || item === "..." ? 0 : item instanceof NDArray && item.code === BOOL ? item.ndim : 1),
    0,
  );
  if (items.filter(item => item === "...").length > 1) throw new IndexError(`${operator}: an index may have one "..." only`);
  if (taken > shape.length)
    throw new IndexError(
      `${operator}: ${taken} index items for an array with ${shape.length} ${shape.length === 1 ? "axis" : "axes"} (shape ${showShape(shape)})`,
    );
  if (!items.includes("...")) items.push("...");

  const starts: number[] = [];
  const steps: number[] = [];
  const counts: number[] = [];
  const result: number[] = [];
  const selections: Selection[] = [];
  // Where in the index lists stand, and the integers that count as lists beside them.
  const places: number[] = [];
  let before = 0;
  let repeats = false;
  let axis = 0;
  const keep = (start: number, step: number, count: number): void => {
    starts.push(start);
    steps.push(step);
    counts.push(count);
    axis++;
  };
  const all = (count: number): void => {
    for (; count > 0; count--) {
      result.push(shape[axis]!);
      keep(0, 1, shape[axis]!);
    }
  };
  const select = (span: number, index: NDArray): void => {
    selections.push({ axis: result.length, span, index });
    all(span);
  };
  items.forEach((item, place) => {
    if (typeof item === "number" || item instanceof NDArray) {
      if (places.length === 0) before = result.length;
      places.push(place);
    }
    if (item === null) result.push(1);
    else if (item === "...") all(shape.length - taken);
    else if (typeof item === "number") keep(checkPosition(item, axis, shape, operator), 1, 1);
    else if (item instanceof Range) {
      const { start, count } = resolve(item, shape[axis]!);
      result.push(count);
      keep(start, item.step, count);
    } else if (item.code !== BOOL) {
      repeats ||= item.size > 1;
      select(1, checkPositions(item, axis, shape[axis]!, operator));
    } else {
      const covered = shape.slice(axis, axis + item.ndim);
      if (!sameShape(covered, item.shape))
        throw new ShapeError(
          `${operator}: a mask of shape ${showShape(item.shape)} for axes of shape ${showShape(covered)}; they must be equal`,
        );
      const index = setPlaces(item);
      if (item.ndim > 0) select(item.ndim, index);
      else {
        // A new axis of size 1, of which it selects all or nothing.
        selections.push({ axis: result.length, span: 1, index });
        result.push(1);
      }
    }
  });
  if (places.some((p, i) => i > 0 && p - places[i - 1]! > 1)) before = 0;
  return { slice: { starts, steps, counts, shape: result }, selections, before, repeats };
}

const product = (shape: Shape, { axis, span }: Selection): number => sizeOf(shape.slice(axis, axis + span));

/** The shape that the positions of all selections broadcast to. */
function together(selections: readonly Selection[], operator: string): Shape {
  return selections.reduce<Shape>((shape, s) => broadcastShapes(shape, s.index.shape, operator), selections[0]!.index.shape);
}

/**
 * Part of an array, as `x[…]` in NumPy: a view for integers, slices, newaxis and ellipsis, a copy where a list, an
 * integer array or a mask selects. Recorded, so gradients flow back to the places that were read.
 * @throws IndexError for positions out of range or too many items, ValueError for malformed slices.
 */
export function at(x: NDArray, ...items: IndexItem[]): NDArray {
  const plan = understand(x, items, "at");
  const { selections, before } = plan;
  if (selections.length === 0) return slice([x], plan.slice);
  const { shape } = plan.slice;
  const identical = sameShape(shape, x.shape) && plan.slice.steps.every(s => s === 1);
  let y = identical ? x : slice([x], plan.slice);
  const [{ axis, span, index: only }, second] = selections as [Selection, Selection?];
  if (second === undefined && span === 1 && axis === before) return gathered([y, only], axis);
  const b = together(selections, "at").length;
  const chosen = selections.flatMap(s => Array.from({ length: s.span }, (_, i) => s.axis + i));
  let first = chosen[0]!;
  const end = chosen[chosen.length - 1]! + 1;
  const rest = [...shape.keys()].filter(axis => !chosen.includes(axis));
  if (end - first !== chosen.length) {
    y = transpose(y, [...chosen, ...rest]);
    first = 0;
  }
  const restShape = rest.map(axis => shape[axis]!);
  // All chosen axes become one, and all positions one list along it.
  if (chosen.length > 1)
    y = reshape(y, [...restShape.slice(0, first), sizeOf(chosen.map(axis => shape[axis]!)), ...restShape.slice(first)]);
  const index = selections.slice(1).reduce((list, s) => add(multiply(list, product(shape, s)), s.index), selections[0]!.index);
  const z = gathered([y, index], first);
  if (first === before) return z;
  const axes = [...z.shape.keys()];
  const lists = axes.splice(first, b);
  axes.splice(before, 0, ...lists);
  return transpose(z, axes);
}

/** Offsets from the first element of an array's base to the elements that an index names, in the result's shape. */
function offsetsAt(view: NDArray, base: NDArray, { selections, before }: Plan, operator: string): NDArray {
  const { shape, strides } = view;
  const rest = [...shape.keys()].filter(axis => !selections.some(s => axis >= s.axis && axis < s.axis + s.span));
  const list = together(selections, operator);
  const first = view.offset - base.offset;
  let offsets: NDArray | null = null;
  if (rest.length > 0) {
    const place = (given: readonly number[]): number[] => {
      const kept = rest.map(axis => given[axis]!);
      return [...kept.slice(0, before), ...list.map(() => 1), ...kept.slice(before)];
    };
    offsets = lattice(first, place(shape), place(strides));
  }
  const after = onesOf(rest.length - before);
  const move = (given: NDArray, step: number): void => {
    const index = after.length > 0 ? reshape(given, [...given.shape, ...after]) : given;
    const moved = step === 1 ? index : multiply(index, step);
    offsets = offsets === null ? moved : add(offsets, moved);
  };
  for (const s of selections) {
    const sizes = shape.slice(s.axis, s.axis + s.span);
    const steps = strides.slice(s.axis, s.axis + s.span);
    const step = reshapeStrides(sizes, steps, [sizeOf(sizes)]);
    if (step !== null) move(s.index, step[0]!);
    else unravelled(s.index, sizes).forEach((index, i) => move(index, steps[i]!));
  }
  return rest.length > 0 || first === 0 ? offsets! : add(offsets!, first);
}

/** The value of an assignment, in the target's dtype and shape. */
export function valueFor(value: ArrayInput, code: number, shape: Shape, operator: string): NDArray {
  // Numbers and lists go straight into the dtype: by way of float32 a float64 place would get less than was given.
  let v: NDArray;
  if (typeof value === "number") {
    checkValues([value], code, operator);
    v = fromValues([code === BOOL ? Number(value !== 0) : value], SCALAR, code);
  } else v = Array.isArray(value) ? fromNested(value, code, operator) : toArray(value, operator);
  if (v.code !== code) {
    if (isFloat(v.code) && !isFloat(code)) checkValues(v.toTypedArray(), code, operator);
    v = astype(v, DTYPES[code]!);
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

/**
 * Writes to part of an array, as `x[…] = value` in NumPy; without index items to all of it. Broadcasts, casts to the
 * array's dtype. While recording, gradients flow to both the old contents and the value. Gives the array.
 * @throws GradError for an attached array while recording, ShapeError where the value does not fit.
 */
export function set(x: NDArray, value: ArrayInput, ...items: IndexItem[]): NDArray {
  checkTarget(x, "set");
  const plan = understand(x, items, "set");
  const view = sliceView(x, plan.slice);
  if (plan.selections.length > 0) return put(x, offsetsAt(view, x.base ?? x, plan, "set"), value, plan.repeats, "set");
  const v = valueFor(value, x.code, view.shape, "set");
  if (v.size > 0)
    write(
      x,
      v,
      () => offsetsOf(view, x.base ?? x),
      false,
      w => copyStrided(w, view),
    );
  return x;
}

/** Refuses an array that may not be written to now. */
export function checkTarget(x: NDArray, operator: string): void {
  checkWritable(x, operator);
  if (!recording) return;
  const root = x.base ?? x;
  for (const a of [x, root])
    if (a.edge !== null && a.edge.row === null)
      throw new GradError(
        `${operator}: an attached array cannot be written to while recording; write outside of autograd.record, or to a copy()`,
      );
}

/** Writes a value, which is broadcast and cast, to elements at offsets from the first element of x's base. Of several for one place the last stays. */
export function put(x: NDArray, offsets: NDArray, value: ArrayInput, repeats: boolean, operator: string): NDArray {
  const v = valueFor(value, x.code, offsets.shape, operator);
  if (v.size === 0) return x;
  const root = x.base ?? x;
  write(
    x,
    v,
    () => offsets,
    repeats,
    w => {
      const source = contiguous(w);
      const p = addressOf(source);
      const index = addressOf(offsets);
      scatter(x.code, p, index, addressOf(root), offsets.size);
      discard(source, w);
    },
  );
  return x;
}

/** A write of a value of the target's shape, by `store`; recorded with the offsets of the target. */
function write(x: NDArray, value: NDArray, offsets: () => NDArray, repeats: boolean, store: (value: NDArray) => void): void {
  const root = x.base ?? x;
  const v = value.storage === x.storage ? copy(value) : value;
  const recorded = recording && (edgeOf(root) !== null || edgeOf(x) !== null || edgeOf(v) !== null);
  const before = recorded ? edgeOf(root) : null;
  unshare(x);
  store(v);
  if (recorded) recordWrite(root, before, v, offsets(), repeats);
}

/** A write to an array's contents as a function of what was there and of the value; then its offsets, and which of them stayed. */
const WRITE: Row = {
  name: "set",
  kind: "structural",
  fused: null,
  erase: (g, [, , places]) => erase(g, places!),
  rule: (g, { inputs, like, wants }) => {
    const [, , places, stayed] = inputs as readonly (NDArray | null)[];
    const old = wants[0] ? erased([g, places!], null) : null;
    if (!wants[1]) return [old, null];
    const read = gathered([reshape(g, [g.size]), places!], 0);
    return [old, reshape(stayed === null ? read : where(stayed!, read, 0), like[1]!.shape)];
  },
};

/** Reading a view of an array that was written to while recording. */
const WINDOW: Row = {
  name: "view",
  kind: "structural",
  fused: null,
  into: (target, g, _, [, places]) => addAt(reshape(target, [target.size]), g, places!, 0),
  rule: (g, { inputs: [, places], like }) => {
    const { shape } = like[0]!;
    return [reshape(putAdded([g, places as NDArray], { axis: 0, shape: [sizeOf(shape)] }), shape)];
  },
};

const likeOf = (x: NDArray): Like => ({ shape: x.shape, code: x.code });

function recordWrite(root: NDArray, before: Node | null, value: NDArray, places: NDArray, repeats: boolean): void {
  if (root.view !== null)
    throw new GradError("set: a recorded write through a detached view with gaps has no gradient; write to a copy() of it");
  const stayed = repeats ? lasting(places, root.size) : null;
  const likes = [root, value, places, places].map(likeOf);
  root.edge = nodeOf(
    WRITE,
    null,
    [before, edgeOf(value), null, null],
    [null, null, save(places), stayed === null ? null : save(stayed), null],
    likes,
  );
  root.derive = view => nodeOf(WINDOW, null, [root.edge, null], [null, save(offsetsOf(view, root)), null], [likes[0]!, likes[2]!]);
}

/** Whether each place is the last of those that are equal: whose value stayed where all are written to in order. */
function lasting(places: NDArray, size: number): NDArray {
  const order = lattice(0, places.shape, contiguousStrides(places.shape));
  const last = blank([size], size, I32);
  const p = addressOf(order);
  const index = addressOf(places);
  scatter(I32, p, index, addressOf(last), places.size);
  return equal(gathered([last, places], 0), order);
}

/** `x op= v`: the array's contents replaced by an operator's result. While recording, with the right gradients. */
export function update(name: string, operator: Binary, x: NDArray, value: ArrayInput): NDArray {
  checkTarget(x, name);
  const v = typeof value === "number" ? value : toArray(value, name, x);
  const row = operator.op.pointwise!;
  const met = typeof v === "number" ? promoteNumber(row.meet(x.code, true), v, name) : promote(x.code, v.code);
  const result = under(name, () => row.meet(met));
  if (!sameKind(result, x.code))
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
