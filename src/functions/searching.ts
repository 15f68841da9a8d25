/** Selecting from arrays by position, condition or order, counting, and the positions of what was found. */
import type { ArrayInput, NDArray } from "../array.ts";
import { isWide, toArray, toArrays } from "../convert.ts";
import { BOOL, type DType, isFloat } from "../dtype.ts";
import { checkOptions, describe, IndexError, oneOf, ShapeError, under, ValueError, wholeNumber } from "../errors.ts";
import type { HasRow } from "../op.ts";
import { logicalAnd, logicalOr, remainder } from "../ops/arithmetic.ts";
import { isnan } from "../ops/elementary.ts";
import { add, divide, equal, greater, greaterEqual, less, multiply, where as row, subtract } from "../ops/pointwise.ts";
import { max, min } from "../ops/reduction.ts";
import { argsort, searchsorted, unravelled } from "../ops/selection.ts";
import {
  along,
  astype,
  broadcastTo,
  checkPositions,
  expandDims,
  flat,
  gathered,
  inFloat,
  joined,
  lattice,
  listAlong,
  type PositionMode,
  part,
  positions,
  putAdded,
  reshape,
  setPlaces,
  slice,
} from "../ops/structural.ts";
import {
  broadcastShapes,
  checkSize,
  contiguousStrides,
  MAX_NDIM,
  type Shape,
  sameShape,
  showShape,
  sizeOf,
  toAxis,
  toShape,
} from "../shape.ts";
import { belowDiagonal } from "./creation.ts";
import { checkTarget, put } from "./indexing.ts";
import { entriesOf, met, stacked } from "./joining.ts";

// ---- by position

export interface TakeOptions {
  /** What becomes of positions out of range: an IndexError, the nearest end, or counting around. */
  mode?: "raise" | "clip" | "wrap";
}

const modeOf = (mode: unknown, operator: string): "raise" | "clip" | "wrap" => oneOf(operator, "mode", mode, ["raise", "clip", "wrap"]);

/** The mode for positions that are not counted from the end. */
function exactMode(mode: unknown, operator: string): PositionMode {
  const known = modeOf(mode, operator);
  return known === "raise" ? "exact" : known;
}

/**
 * The entries at the given positions of an axis (of the flattened array by default), in the shape of the positions.
 * NumPy's take.
 * @throws IndexError for a position out of range.
 * @example np.take([10, 20, 30], [2, 0]) // array([30., 10.])
 */
export function take(x: ArrayInput, index: ArrayInput, axis?: number | null, options?: TakeOptions): NDArray {
  checkOptions("take", options, ["mode"]);
  const mode = modeOf(options?.mode, "take");
  const [source, at] = listAlong("take", toArray(x, "take"), axis);
  const given = toArray(index, "take");
  if (given.size > 0 && source.shape[at] === 0) throw new IndexError(`take: axis ${at} has size 0, so there is nothing to take`);
  return gathered([source, checkPositions(given, at, source.shape[at]!, "take", mode)], at);
}

/** Checked positions along an axis as places in memory: `starts` of the rows, and what lies between neighbours. */
function placesOf(index: NDArray, first: number, shape: Shape, strides: readonly number[], axis: number): NDArray {
  const starts = lattice(
    first,
    shape.map((n, i) => (i === axis ? 1 : n)),
    strides,
  );
  const moved = strides[axis] === 1 ? index : multiply(index, strides[axis]!);
  return starts.size === 1 && first === 0 ? moved : add(moved, starts);
}

/** The entries at checked positions along an axis, row by row. */
function picked(x: NDArray, index: NDArray, axis: number): NDArray {
  return gathered([flat(x), placesOf(index, 0, x.shape, contiguousStrides(x.shape), axis)], 0);
}

/** The array, positions and axis of a call; other axes of both must broadcast. */
function aligned(x: NDArray, index: ArrayInput, axis: number | null, operator: string): [NDArray, NDArray, number] {
  const given = toArray(index, operator);
  const [a, at] = along(operator, x, axis);
  if (given.ndim !== a.ndim || given.shape.some((n, i) => i !== at && n !== a.shape[i] && n !== 1 && a.shape[i] !== 1))
    throw new ShapeError(
      `${operator}: positions of shape ${showShape(given.shape)} for an array of shape ${showShape(a.shape)}; all axes but axis ${at} must be equal, or 1`,
    );
  return [a, checkPositions(given, at, a.shape[at]!, operator), at];
}

/**
 * The entries that an array of positions names along an axis (the last by default; null flattens first), row by row: the
 * other axes of both broadcast. With argsort and argmax it selects what they found. NumPy's take_along_axis.
 * @throws ShapeError where other axes differ, IndexError for a position out of range.
 * @example np.takeAlongAxis([[3, 1, 2]], [[1, 2, 0]], 1) // array([[1., 2., 3.]])
 */
export function takeAlongAxis(x: ArrayInput, index: ArrayInput, axis: number | null = -1): NDArray {
  return picked(...aligned(toArray(x, "takeAlongAxis"), index, axis, "takeAlongAxis"));
}

/**
 * Writes values, broadcast and cast, to the places that an array of positions names along an axis (null: of the flattened
 * array), row by row, in place; of several for one place the last stays. While recording, gradients flow to both the old
 * contents and the values. Gives the array. NumPy's put_along_axis.
 * @throws ShapeError where other axes differ, IndexError for a position out of range, GradError as `set`.
 * @example np.putAlongAxis(np.zeros([2, 2]), [[1], [0]], 5, 1) // array([[0., 5.],\n       [5., 0.]])
 */
export function putAlongAxis(x: ArrayInput, index: ArrayInput, values: ArrayInput, axis: number | null): NDArray {
  const operator = "putAlongAxis";
  const a = toArray(x, operator);
  checkTarget(a, operator);
  const first = a.offset - (a.base ?? a).offset;
  const flattened = axis === undefined || axis === null;
  const [, places, at] = aligned(a, index, axis, operator);
  const offsets = flattened
    ? gathered([flat(lattice(first, a.shape, a.strides)), places], 0)
    : placesOf(places, first, a.shape, a.strides, at);
  return put(a, offsets, values, true, operator);
}

/**
 * For each position the element of the array that it numbers, all of them broadcast. NumPy's choose.
 * @throws IndexError for a position out of range, ShapeError where arrays do not broadcast.
 * @example np.choose([1, 0], [[1, 2], [3, 4]]) // array([3., 2.])
 */
export function choose(index: ArrayInput, choices: readonly ArrayInput[] | NDArray, options?: TakeOptions): NDArray {
  const operator = "choose";
  const given = toArray(index, operator);
  checkOptions(operator, options, ["mode"]);
  const mode = exactMode(options?.mode, operator);
  const list = listOf(choices, operator);
  const shape = list.reduce<Shape>((s, c) => broadcastShapes(s, c.shape, operator), given.shape);
  const all = stacked(met(list).map(c => broadcastTo(c, shape)));
  const places = broadcastTo(checkPositions(given, 0, list.length, operator, mode), shape);
  return reshape(picked(all, expandDims(places, 0), 0), shape);
}

const listOf = (arrays: unknown, operator: string, beside?: ArrayInput): NDArray[] =>
  toArrays(entriesOf(arrays, operator), operator, beside);

// ---- by condition

const asMask = (x: NDArray): NDArray => (x.code === BOOL ? x : astype(x, "bool"));

/**
 * With three arguments: elements of x where the condition holds, else of y, broadcast; the branch not taken has gradient
 * exactly 0. With the condition alone: its nonzero. NumPy's where.
 * @throws ValueError for two arguments.
 * @example np.where([true, false], [1, 2], [3, 4]) // array([1., 4.])
 * @example np.where([0, 5, 6]) // [array([1, 2], dtype=int32)]
 */
export const where: (<B extends readonly [] | readonly [x: ArrayInput, y: ArrayInput]>(
  condition: ArrayInput,
  ...branches: B
) => B extends readonly [] ? NDArray[] : NDArray) &
  HasRow = Object.assign(
  ((condition: ArrayInput, x?: ArrayInput | null, y?: ArrayInput | null): NDArray | NDArray[] => {
    const missing = [x, y].filter(v => v === undefined || v === null).length;
    if (missing === 2) return nonzeroOf(toArray(condition, "where"));
    if (missing === 1) throw new ValueError("where: a condition and one array; give both branches, or neither");
    return row(condition, x!, y!);
  }) as never,
  { op: row.op },
);

/** For each axis the positions along it where elements are not 0, in C order; a 0-d array counts as a list of one. */
function nonzeroOf(x: NDArray): NDArray[] {
  return unravelled(setPlaces(asMask(x)), x.ndim === 0 ? [1] : x.shape);
}

/**
 * The positions of the elements that are not 0 (NaN is not), in C order: a list of one int32 array for each axis, good as
 * an index. NumPy's nonzero.
 * @example np.nonzero([[0, 5], [6, 0]]) // [array([0, 1], dtype=int32), array([1, 0], dtype=int32)]
 */
export const nonzero = (x: ArrayInput): NDArray[] => nonzeroOf(toArray(x, "nonzero"));

/**
 * The positions in the flattened array of the elements that are not 0. int32. NumPy's flatnonzero.
 * @example np.flatnonzero([[0, 5], [6, 0]]) // array([1, 2], dtype=int32)
 */
export const flatnonzero = (x: ArrayInput): NDArray => setPlaces(asMask(toArray(x, "flatnonzero")));

/**
 * The positions of the elements that are not 0, one in each row, int32. NumPy's argwhere.
 * @example np.argwhere([[0, 5], [6, 0]]) // array([[0, 1],\n       [1, 0]], dtype=int32)
 */
export function argwhere(x: ArrayInput): NDArray {
  const a = toArray(x, "argwhere");
  const found = nonzeroOf(a);
  return a.ndim === 0 ? lattice(0, [found[0]!.size, 0], [0, 0]) : stacked(found, 1);
}

/**
 * The entries along an axis (of the flattened array by default) where a list of conditions holds, which may be shorter
 * than the axis. NumPy's compress; as a method `x.compress(condition, axis)`.
 * @throws ShapeError unless the condition has one axis, IndexError where it holds beyond the end.
 * @example np.compress([false, true], [[1, 2], [3, 4]], 0) // array([[3., 4.]])
 */
export function compress(condition: ArrayInput, x: ArrayInput, axis?: number | null): NDArray {
  const given = toArray(condition, "compress");
  if (given.ndim !== 1) throw new ShapeError(`compress: the condition has one axis, got shape ${showShape(given.shape)}`);
  const [a, at] = listAlong("compress", toArray(x, "compress"), axis);
  return gathered([a, checkPositions(setPlaces(asMask(given)), at, a.shape[at]!, "compress")], at);
}

/**
 * The elements of x where the condition holds, both flattened. NumPy's extract.
 * @throws IndexError where the condition holds beyond the end.
 * @example np.extract([[true, false], [false, true]], [[1, 2], [3, 4]]) // array([1., 4.])
 */
export function extract(condition: ArrayInput, x: ArrayInput): NDArray {
  const places = setPlaces(asMask(toArray(condition, "extract")));
  const a = flat(toArray(x, "extract"));
  return gathered([a, checkPositions(places, 0, a.size, "extract")], 0);
}

/**
 * Elements of the first choice whose condition holds, `otherwise` where none does; all broadcast. NumPy's select.
 * @throws ValueError unless there are as many choices as conditions, at least one.
 * @example np.select([[true, false, false], [true, true, false]], [[1, 2, 3], [4, 5, 6]], 9) // array([1., 5., 9.])
 */
export function select(conditions: readonly ArrayInput[], choices: readonly ArrayInput[], otherwise: ArrayInput = 0): NDArray {
  const masks = listOf(conditions, "select");
  const list = listOf(choices, "select", otherwise);
  if (masks.length !== list.length) throw new ValueError(`select: ${masks.length} conditions for ${list.length} choices; give as many`);
  const wide = list.find(isWide);
  const last = otherwise ?? 0;
  const rest = wide === undefined ? last : toArray(last, "select", wide);
  return under("select", () => list.reduceRight<ArrayInput>((y, choice, i) => row(masks[i]!, choice, y), rest)) as NDArray;
}

// ---- positions of several axes

/**
 * For each axis of a shape the positions along it that positions in the flattened array mean: a list of int32 arrays.
 * NumPy's unravel_index.
 * @throws IndexError for a position out of range.
 * @example np.unravelIndex([1, 5], [2, 3]) // [array([0, 1], dtype=int32), array([1, 2], dtype=int32)]
 */
export function unravelIndex(index: ArrayInput, shape: number | readonly number[]): NDArray[] {
  const operator = "unravelIndex";
  const given = toArray(index, operator);
  const sizes = toShape(shape, operator);
  return unravelled(checkPositions(given, 0, sizeOf(sizes), operator, "exact"), sizes);
}

/**
 * The positions in the flattened array that positions along each axis mean, broadcast, int32. NumPy's ravel_multi_index.
 * @throws IndexError for a position out of range, ValueError unless there is one list for each axis.
 * @example np.ravelMultiIndex([[0, 1], [1, 2]], [2, 3]) // array([1, 5], dtype=int32)
 */
export function ravelMultiIndex(
  indices: readonly ArrayInput[] | NDArray,
  shape: number | readonly number[],
  options?: { mode?: TakeOptions["mode"] | readonly TakeOptions["mode"][] },
): NDArray {
  const operator = "ravelMultiIndex";
  checkOptions(operator, options, ["mode"]);
  const list = listOf(indices, operator);
  const sizes = toShape(shape, operator);
  const mode = options?.mode;
  if (list.length !== sizes.length)
    throw new ValueError(`${operator}: ${list.length} lists of positions for the shape ${showShape(sizes)}; give one for each axis`);
  const places = list.map((index, axis) => {
    if (sizes[axis] === 0 && index.size > 0) throw new IndexError(`${operator}: axis ${axis} has size 0, so it has no positions`);
    return checkPositions(index, axis, sizes[axis]!, operator, exactMode(Array.isArray(mode) ? mode[axis] : mode, operator));
  });
  places.reduce<Shape>((s, p) => broadcastShapes(s, p.shape, operator), []);
  return places.reduce((total, p, axis) => add(multiply(total, sizes[axis]!), p));
}

function triangle(operator: string, n: number, k: number | null, m: number | null | undefined, lower: boolean): NDArray[] {
  const [rows, columns] = toShape([n, m ?? n], operator);
  const offset = wholeNumber(operator, "k", k ?? 0);
  const below = belowDiagonal(rows!, columns!, lower ? offset : offset - 1);
  return nonzeroOf(lower ? below : less(below, true));
}

/**
 * The rows and columns of the elements of an n × m matrix (m is n by default) up to the k-th diagonal. NumPy's tril_indices.
 * @example np.trilIndices(2) // [array([0, 1, 1], dtype=int32), array([0, 0, 1], dtype=int32)]
 */
export const trilIndices = (n: number, k: number | null = 0, m?: number | null): NDArray[] => triangle("trilIndices", n, k, m, true);

/**
 * The rows and columns of the elements of an n × m matrix (m is n by default) from the k-th diagonal on. NumPy's triu_indices.
 * @example np.triuIndices(2) // [array([0, 0, 1], dtype=int32), array([0, 1, 1], dtype=int32)]
 */
export const triuIndices = (n: number, k: number | null = 0, m?: number | null): NDArray[] => triangle("triuIndices", n, k, m, false);

/**
 * The positions of the diagonal of an array of `ndim` axes of length n. NumPy's diag_indices.
 * @example np.diagIndices(2) // [array([0, 1], dtype=int32), array([0, 1], dtype=int32)]
 */
export function diagIndices(n: number, ndim: number | null = 2): NDArray[] {
  const [length, count] = toShape([n, ndim ?? 2], "diagIndices");
  if (count! > MAX_NDIM) throw new ShapeError(`diagIndices: ${count} axes; an array has ${MAX_NDIM} at most`);
  return Array.from({ length: count! }, () => lattice(0, [length!], [1]));
}

/**
 * Lists of positions (or masks) turned so that together they index a grid: list i along axis i. NumPy's ix_.
 * @throws ShapeError unless each list has one axis.
 * @example np.arange(6).reshape(2, 3).at(...np.ix([0, 1], [2, 0])) // array([[2., 0.],\n       [5., 3.]])
 */
export function ix(...lists: ArrayInput[]): NDArray[] {
  return lists.map((list, axis) => {
    const a = Array.isArray(list) && list.length === 0 ? positions([], [0]) : toArray(list, "ix");
    if (a.ndim !== 1) throw new ShapeError(`ix: list ${axis} has shape ${showShape(a.shape)}; each has one axis`);
    // Against which axis they are, nobody knows here.
    const places = a.code === BOOL ? setPlaces(a) : checkPositions(a, axis, 0, "ix", "signed");
    return reshape(
      places,
      lists.map((_, i) => (i === axis ? places.size : 1)),
    );
  });
}

// ---- counting

/**
 * How often each number 0, 1, 2 … occurs in a list, int32; with `weights` the sum of what belongs to it. At least
 * `minlength` numbers. NumPy's bincount.
 * @throws ShapeError unless x and weights have one axis of one size, ValueError for negative numbers.
 * @example np.bincount([0, 2, 2]) // array([1, 0, 2], dtype=int32)
 */
export function bincount(x: ArrayInput, options?: { weights?: ArrayInput; minlength?: number }): NDArray {
  const operator = "bincount";
  const a = toArray(x, operator);
  checkOptions(operator, options, ["weights", "minlength"]);
  const minlength = wholeNumber(operator, "minlength", options?.minlength ?? 0, 0);
  if (a.ndim !== 1) throw new ShapeError(`${operator}: expected a list with one axis, got shape ${showShape(a.shape)}`);
  const low = a.size === 0 ? 0 : (min(a).item() as number);
  if (low < 0) throw new ValueError(`${operator}: ${low} among the numbers to count, which are 0 or more`);
  const n = Math.max(minlength, a.size === 0 ? 0 : (max(a).item() as number) + 1);
  if (Number.isInteger(n)) checkSize([n], operator);
  return counted(weightsOf(a, options?.weights, "float32", operator), checkPositions(a, 0, n, operator), n);
}

/** What is to be added up for each element: ones, or numbers of the same shape, integers in the given dtype. @internal */
export function weightsOf(x: NDArray, weights: ArrayInput | null | undefined, integers: DType, operator: string): NDArray {
  if (weights === undefined || weights === null) return lattice(1, x.shape, new Array<number>(x.ndim).fill(0));
  const w = toArray(weights, operator, x);
  if (!sameShape(w.shape, x.shape))
    throw new ShapeError(`${operator}: weights of shape ${showShape(w.shape)} for an array of shape ${showShape(x.shape)}`);
  return isFloat(w.code) ? w : astype(w, integers);
}

/** What is added up at each of n places. @internal */
export const counted = (weights: NDArray, places: NDArray, n: number): NDArray => putAdded([weights, places], { axis: 0, shape: [n] });

// ---- interpolation

export interface InterpOptions {
  /** The values before the first and behind the last point: by default those of these points. */
  left?: ArrayInput;
  right?: ArrayInput;
  /** Points and positions repeat at this distance; then points need not be in order. */
  period?: number;
}

/**
 * The values at x of the line through points with ascending positions xp and values fp. Differentiable in all three.
 * NumPy's interp.
 * @throws ShapeError unless xp and fp are lists of one length, ValueError where they are empty or the period is 0.
 * @example np.interp([1.5, 9], [1, 2, 3], [10, 20, 0]) // array([15.,  0.])
 */
export function interp(x: ArrayInput, xp: ArrayInput, fp: ArrayInput, options?: InterpOptions): NDArray {
  const operator = "interp";
  let [v, px, py] = met(toArrays([x, xp, fp], operator)).map(a => inFloat(a)) as [NDArray, NDArray, NDArray];
  checkOptions(operator, options, ["left", "right", "period"]);
  if (px.ndim !== 1 || py.ndim !== 1 || px.size !== py.size)
    throw new ShapeError(`${operator}: points of shapes ${showShape(px.shape)} and ${showShape(py.shape)}; give two lists of one length`);
  if (px.size === 0) throw new ValueError(`${operator}: there are no points`);
  let { left, right } = options ?? {};
  const period = options?.period ?? null;
  if (period !== null) {
    if (typeof period !== "number" || !Number.isFinite(period) || period === 0)
      throw new ValueError(`${operator}: the period is a number but 0, got ${describe(period)}`);
    const p = Math.abs(period);
    [v, px] = [remainder(v, p), remainder(px, p)];
    const order = argsort(px);
    [px, py] = [gathered([px, order], 0), gathered([py, order], 0)];
    // The last point once more before the first, and the first behind the last.
    const ends = (a: NDArray, shift: number): NDArray => {
      const end = (i: number): NDArray => slice([a], part(a.shape, 0, i, 1));
      return joined([subtract(end(a.size - 1), shift), a, add(end(0), shift)], 0);
    };
    [px, py] = [ends(px, p), ends(py, 0)];
    left = right = undefined;
  }
  const last = px.size - 1;
  const low = checkPositions(subtract(searchsorted(px, v, { side: "right" }), 1), 0, Math.max(last, 1), operator, "clip");
  const high = checkPositions(add(low, 1), 0, last + 1, operator, "clip");
  const at = (a: NDArray, index: NDArray | number): NDArray => gathered([a, typeof index === "number" ? positions([index], []) : index], 0);
  const [x0, y0, x1, y1] = [at(px, low), at(py, low), at(px, high), at(py, high)];
  const slope = divide(subtract(y1, y0), subtract(x1, x0));
  const line = add(multiply(slope, subtract(v, x0)), y0);
  // Where points are not finite the line may be drawn from its other end, and needs none between equal ones.
  const back = add(multiply(slope, subtract(v, x1)), y1);
  const level = logicalAnd(logicalAnd(isnan(back), equal(y0, y1)), equal(v, v));
  const inside = row(isnan(line), row(logicalOr(equal(v, x0), level), y0, back), line);
  const end = at(py, last);
  const upper = row(greaterEqual(v, at(px, last)), end, inside);
  const bounded = right === undefined || right === null ? upper : row(greater(v, at(px, last)), right, upper);
  return row(less(v, at(px, 0)), left ?? at(py, 0), bounded);
}

// ---- by order

function sorted(x: ArrayInput, axis: number | null, operator: string): NDArray {
  const [a, at] = along(operator, toArray(x, operator), axis);
  return picked(a, argsort(a, at), at);
}

/**
 * A sorted copy along an axis (the last by default; null flattens first): stable, NaN last. The gradient goes to the
 * places the elements came from. NumPy's sort.
 * @example np.sort([3, 1, 2]) // array([1., 2., 3.])
 */
export const sort = (x: ArrayInput, axis: number | null = -1): NDArray => sorted(x, axis, "sort");

/** Places of elements that a partition is to be right about, checked. */
function checkPlaces(x: ArrayInput, k: number | readonly number[], axis: number | null, operator: string): void {
  const [a, at] = listAlong(operator, toArray(x, operator), axis);
  // In an array without elements any k will do, as in NumPy.
  if (a.size > 0) checkPositions(toArray(k as ArrayInput, operator), at, a.shape[at]!, operator);
}

/**
 * A copy in which element k along an axis (the last by default; null flattens first) is what it would be in the sorted
 * array, smaller ones before it, others behind it; k may be a list. NumPy's partition, here in full order.
 * @throws IndexError for a k that is not there.
 * @example np.partition([3, 1, 2], 1) // array([1., 2., 3.])
 */
export function partition(x: ArrayInput, k: number | readonly number[], axis: number | null = -1): NDArray {
  checkPlaces(x, k, axis, "partition");
  return sorted(x, axis, "partition");
}

/**
 * The positions that would partition along an axis, as `partition` does. int32. NumPy's argpartition.
 * @throws IndexError for a k that is not there.
 * @example np.argpartition([3, 1, 2], 1) // array([1, 2, 0], dtype=int32)
 */
export function argpartition(x: ArrayInput, k: number | readonly number[], axis: number | null = -1): NDArray {
  checkPlaces(x, k, axis, "argpartition");
  return argsort(...listAlong("argpartition", toArray(x, "argpartition"), axis));
}

/**
 * The positions that would sort by several keys of one shape along an axis: by the last, where that is equal by the one
 * before it, and so on. Stable, int32. NumPy's lexsort.
 * @throws ShapeError where shapes differ, ValueError for an empty list.
 * @example np.lexsort([[2, 1, 0], [1, 1, 0]]) // array([2, 1, 0], dtype=int32)
 */
export function lexsort(keys: readonly ArrayInput[] | NDArray, axis: number | null = -1): NDArray {
  const list = listOf(keys, "lexsort");
  const { shape } = list[0]!;
  const other = list.find(key => !sameShape(key.shape, shape));
  if (other !== undefined)
    throw new ShapeError(`lexsort: keys of shapes ${showShape(shape)} and ${showShape(other.shape)}; they must be equal`);
  // As in NumPy, a 0-d key has an axis 0 here.
  const at = toAxis(axis ?? -1, Math.max(shape.length, 1), "lexsort");
  if (shape.length === 0) return reshape(argsort(list[0]!), []);
  return list.slice(1).reduce((order, key) => picked(order, argsort(picked(key, order, at), at), at), argsort(list[0]!, at));
}
