/** Operators that answer with positions. They have no derivative: what they select with `take` has. */
import { type ArrayInput, addressOf, blank, fromValues, memoryOf, type NDArray } from "../array.ts";
import { sorting } from "../backend/routines/sorting.ts";
import { address, allocate, free } from "../backend/wasm/heap.ts";
import { toArray } from "../convert.ts";
import { BOOL, BYTES, F32, F64, I32 } from "../dtype.ts";
import { checkOptions, flag, oneOf, ShapeError, ValueError } from "../errors.ts";
import { contiguous, discard, transposeView } from "../launch.ts";
import { type HasRow, liftAxis, liftNothing, type Structural, structural } from "../op.ts";
import { contiguousStrides, onesOf, type Shape, sameShape, showShape, sizeOf, toAxis } from "../shape.ts";
import { multiply } from "./pointwise.ts";
import { max, min, type Reduction, sum } from "./reduction.ts";
import { cast, checkPositions, expandAxes, flat, gathered, inverse, joined, listAlong, reshape } from "./structural.ts";

/** Rows of at least this many elements are gone down together; columns of shorter ones are moved side by side first. */
const ROW = 8;

/* @__NO_SIDE_EFFECTS__ */
function position(name: "argmax" | "argmin") {
  const row = structural<number>(name, {
    kind: "selection",
    lift: liftAxis,
    run: ([x], axis) => {
      const n = x!.shape[axis]!;
      const inner = sizeOf(x!.shape.slice(axis + 1));
      const order = [...x!.shape.keys()].filter(i => i !== axis).concat(axis);
      const seen = inner >= ROW ? x! : transposeView(x!, order);
      const source = contiguous(seen);
      const shape = x!.shape.filter((_, i) => i !== axis);
      const y = blank(shape, sizeOf(shape), I32);
      if (y.size === 0) return y;
      const work = allocate(inner * BYTES[x!.code]!);
      const p = addressOf(source);
      const q = addressOf(y);
      if (inner >= ROW) sorting()[`${name}Rows`](source.code, p, q, address(work), n, inner, y.size / inner);
      else sorting()[name](source.code, p, q, n, y.size);
      free(work);
      discard(source, seen);
      return y;
    },
    grad: null,
  });
  const fn = (x: ArrayInput, axis?: number | null, options?: { keepdims?: boolean }): NDArray => {
    const a = toArray(x, name);
    checkOptions(name, options, ["keepdims"]);
    const keepdims = flag(name, "keepdims", options?.keepdims, false);
    // As in NumPy, a 0-d array has an axis 0 here.
    const whole = axis === undefined || axis === null || a.ndim === 0;
    const source = whole ? flat(a) : a;
    const at = toAxis(axis ?? 0, source.ndim, name);
    if (source.shape[at] === 0) throw new ValueError(`${name}: an array of shape ${showShape(a.shape)} has no elements along the axis`);
    const y = row([source], at);
    if (!keepdims) return y;
    return whole ? reshape(y, onesOf(a.ndim)) : expandAxes(y, [at]);
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
export const argsort: ((x: ArrayInput, axis?: number | null) => NDArray) & HasRow = /* @__PURE__ */ (() => {
  const row = structural<number>("argsort", {
    kind: "selection",
    lift: liftAxis,
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
    const [a, at] = listAlong("argsort", toArray(x, "argsort"), axis);
    return row([a], at);
  };
  return Object.defineProperty(Object.assign(fn, { op: row.op }), "name", { value: "argsort" });
})();

function back(y: NDArray, order: readonly number[]): NDArray {
  return contiguous(transposeView(y, inverse(order)));
}

interface Unravelled {
  readonly stride: number;
  readonly n: number;
}

const unravelRow: Structural<Unravelled> = structural("unravelIndex", {
  kind: "selection",
  lift: liftNothing,
  run: ([index], { stride, n }) => {
    const source = contiguous(index!);
    const y = blank(index!.shape, index!.size, I32);
    const from = addressOf(source) >> 2;
    const to = addressOf(y) >> 2;
    const memory = memoryOf(I32);
    for (let i = 0; i < y.size; i++) memory[to + i] = ((memory[from + i]! / stride) | 0) % n;
    discard(source, index!);
    return y;
  },
  grad: null,
});

/** For each axis of the shape the positions along it that positions in the flat array mean. Checked by the caller. @internal */
export function unravelled(index: NDArray, shape: Shape): NDArray[] {
  const strides = contiguousStrides(shape);
  return shape.map((n, axis) => unravelRow([index], { stride: strides[axis]!, n }));
}

// ---- searching in lists of numbers

interface Search {
  /** How many leading axes the list and the values share: each of these rows is searched alone. */
  readonly depth: number;
  readonly operator: string;
}

const liftSearch = <A extends Search>(a: A): A => ({ ...a, depth: a.depth + 1 });

/** How many of n ascending values (NaN last) stand before v; with `right` also those that equal it. */
function standing(list: Float64Array, v: number, right: boolean): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const e = list[middle]!;
    const before = right ? !(v < e || (Number.isNaN(e) && !Number.isNaN(v))) : e < v || (Number.isNaN(v) && !Number.isNaN(e));
    if (before) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A row that answers each value by what `prepare` makes of the list of its row. */
/* @__NO_SIDE_EFFECTS__ */
function search<A extends Search>(name: string, code: number, prepare: (list: Float64Array, attrs: A) => (v: number) => number) {
  return structural<A>(name, {
    kind: "selection",
    lift: liftSearch,
    run: ([values, list], attrs) => {
      const lists = cast(list!, F64).toTypedArray() as Float64Array;
      const wide = cast(values!, F64);
      const y = blank(values!.shape, values!.size, code);
      const rows = sizeOf(values!.shape.slice(0, attrs.depth));
      const [n, m] = [y.size / rows, lists.length / rows];
      const from = addressOf(wide) >> 3;
      const to = addressOf(y) / BYTES[code]!;
      const source = memoryOf(F64);
      const out = memoryOf(code);
      for (let row = 0; row < rows; row++) {
        const answer = prepare(lists.subarray(row * m, (row + 1) * m), attrs);
        for (let i = row * n; i < (row + 1) * n; i++) out[to + i] = answer(source[from + i]!);
      }
      discard(wide, values!);
      return y;
    },
    grad: null,
  });
}

const sorted = search<Search & { readonly right: boolean }>(
  "searchsorted",
  I32,
  (list, { right }) =>
    v =>
      standing(list, v, right),
);

export interface SearchsortedOptions {
  /** Before ("left") or behind ("right") the elements that are equal. */
  side?: "left" | "right";
  /** Positions that sort x, where it is not sorted itself. */
  sorter?: ArrayInput;
}

function listOf(x: ArrayInput, operator: string, beside?: ArrayInput): NDArray {
  const list = toArray(x, operator, beside);
  if (list.ndim !== 1) throw new ShapeError(`${operator}: the list that is searched has one axis, got shape ${showShape(list.shape)}`);
  return list;
}

/**
 * For each value the position in the ascending list x before which it belongs, int32, in the shape of v; NaN counts as
 * largest. NumPy's searchsorted.
 * @throws ShapeError unless x, and the sorter, have one axis and one size; ValueError for another side.
 * @example np.searchsorted([1, 2, 3], [2, 5]) // array([1, 3], dtype=int32)
 * @example np.searchsorted([1, 2, 3], 2, { side: "right" }) // array(2, dtype=int32)
 */
export function searchsorted(x: ArrayInput, v: ArrayInput, options?: SearchsortedOptions): NDArray {
  const operator = "searchsorted";
  const given = listOf(x, operator, v);
  checkOptions(operator, options, ["side", "sorter"]);
  const side = oneOf(operator, "side", options?.side, ["left", "right"]);
  const sorter = options?.sorter ?? null;
  let list = given;
  if (sorter !== null) {
    const order = listOf(sorter, operator);
    if (!sameShape(order.shape, given.shape))
      throw new ShapeError(`${operator}: a sorter of shape ${showShape(order.shape)} for an array of shape ${showShape(given.shape)}`);
    list = gathered([given, checkPositions(order, 0, given.size, operator)], 0);
  }
  return sorted([toArray(v, operator, x), list], { depth: 0, operator, right: side === "right" });
}

const binned = search<Search & { readonly right: boolean }>("digitize", I32, (list, { right, operator }) => {
  // NaN counts as largest.
  const up = list.every((e, i) => i === 0 || e >= list[i - 1]! || Number.isNaN(e));
  if (!up && !list.every((e, i) => i === 0 || e <= list[i - 1]! || Number.isNaN(list[i - 1])))
    throw new ValueError(`${operator}: bins neither rise nor fall throughout; sort them`);
  const rising = up ? list : list.slice().reverse();
  return up ? v => standing(list, v, !right) : v => list.length - standing(rising, v, !right);
});

/**
 * For each value the number of the bin it falls into, int32: i where bins[i-1] <= x < bins[i] (with `right`
 * bins[i-1] < x <= bins[i]), 0 before the first. Bins may fall too. NumPy's digitize.
 * @throws ValueError for bins that neither rise nor fall throughout, ShapeError unless they have one axis.
 * @example np.digitize([0.5, 2, 9], [1, 2, 3]) // array([0, 2, 3], dtype=int32)
 */
export function digitize(x: ArrayInput, bins: ArrayInput, options?: { right?: boolean }): NDArray {
  const a = toArray(x, "digitize", bins);
  checkOptions("digitize", options, ["right"]);
  return binned([a, listOf(bins, "digitize", x)], {
    depth: 0,
    operator: "digitize",
    right: flag("digitize", "right", options?.right, false),
  });
}

const member = search<Search & { readonly invert: boolean }>("isin", BOOL, (list, { invert }) => {
  const ascending = list.slice().sort();
  // NaN, the last, equals nothing.
  return v => Number((ascending[standing(ascending, v, false)] === v) !== invert);
});

/**
 * Where elements are among those of a list, as bool, in the shape of x; `invert` asks where they are not. NaN equals
 * nothing. NumPy's isin.
 * @example np.isin([1, 2, 3], [3, 1]) // array([ True, False,  True])
 */
export function isin(x: ArrayInput, list: ArrayInput, options?: { invert?: boolean }): NDArray {
  const a = toArray(x, "isin", list);
  const b = toArray(list, "isin", x);
  checkOptions("isin", options, ["invert"]);
  return member([a, flat(b)], { depth: 0, operator: "isin", invert: flag("isin", "invert", options?.invert, false) });
}

/** For each value the number of its bin between edges, the number of bins where it is in none; the last bin holds its end too. @internal */
export const binOf = (x: NDArray, edges: NDArray): NDArray => between([x, edges], { depth: 0, operator: "histogram" });

const between = search<Search>("histogram", I32, (edges, { operator }) => {
  const n = edges.length - 1;
  if (!edges.every((e, i) => i === 0 || e >= edges[i - 1]!)) throw new ValueError(`${operator}: edges of bins must rise; sort them`);
  const [first, last] = [edges[0]!, edges[n]!];
  return v => (v === last ? n - 1 : v >= first && v < last ? standing(edges, v, true) - 1 : n);
});

/** The edges of n bins of equal width, from the smallest element to the largest where no range is given. @internal */
export function binEdges(x: NDArray, bins: number, range: readonly [number, number] | null): NDArray {
  const given = range ?? (x.size === 0 ? [0, 1] : null);
  const end = (of: Reduction): NDArray => of(x, -1, { keepdims: true });
  const ends = given === null ? joined([end(min), end(max)], 0) : fromValues(given, [2], F64);
  return edgesRow([ends], { bins, code: x.code === F32 ? F32 : F64 });
}

const edgesRow: Structural<{ readonly bins: number; readonly code: number }> = structural("histogram", {
  kind: "selection",
  lift: liftNothing,
  run: ([ends], { bins, code }) => {
    const values = ends!.toTypedArray();
    const out: number[] = [];
    for (let at = 0; at < values.length; at += 2) {
      let [low, high] = [values[at]!, values[at + 1]!];
      if (!Number.isFinite(high - low)) throw new ValueError(`histogram: elements from ${low} to ${high} leave no range; give one`);
      if (low === high) [low, high] = [low - 0.5, high + 0.5];
      const step = (high - low) / bins;
      for (let i = 0; i <= bins; i++) out.push(i === bins ? high : low + i * step);
    }
    return fromValues(out, [...ends!.shape.slice(0, -1), bins + 1], code);
  },
  grad: (g, { attrs: { bins } }) => {
    const parts = Array.from({ length: bins + 1 }, (_, i) => i / bins);
    const shares = fromValues([...parts.slice().reverse(), ...parts], [2, bins + 1], g.code);
    return [sum(multiply(expandAxes(g, [g.ndim - 1]), shares), -1)];
  },
});
