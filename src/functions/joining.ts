/** Arrays from arrays: joining, and bringing to one shape. */
import { type ArrayInput, NDArray } from "../array.ts";
import { toArray, toArrays } from "../convert.ts";
import { type DType, dtypeCode, promote, sameKind } from "../dtype.ts";
import { checkOptions, DTypeError, describe, ShapeError, ValueError } from "../errors.ts";
import type { Trailing } from "../op.ts";
import { broadcastTo, expandAxes, expandDims, flat, gathered, joined, positions, reshape, typed } from "../ops/structural.ts";
import { broadcastShapes, SCALAR, type Shape, sameShape, showShape, toAxis } from "../shape.ts";
import { newArray } from "./creation.ts";

export interface JoinOptions {
  /** The dtype of the result, which must be of the arrays' kind or of a higher one; numbers and lists are taken into any. */
  dtype?: DType;
}

/** A list of arrays, or the entries of an array along its first axis. @internal */
export function entriesOf(arrays: unknown, operator: string): readonly ArrayInput[] {
  const list =
    arrays instanceof NDArray && arrays.ndim > 0
      ? Array.from({ length: arrays.shape[0]! }, (_, i) => gathered([arrays, positions([i], [])], 0))
      : arrays;
  if (!Array.isArray(list) || list.length === 0)
    throw new ValueError(`${operator}: expected a list of at least one array, got ${describe(arrays)}`);
  return list;
}

/** Arrays in the dtype in which all of them meet. @internal */
export function met(xs: readonly NDArray[], code = xs.reduce((c, x) => promote(c, x.code), xs[0]!.code)): NDArray[] {
  return xs.map(x => typed(x, code));
}

const listOf = (arrays: unknown, operator: string): NDArray[] => met(toArrays(entriesOf(arrays, operator), operator));

/** The same in the dtype that options may name. */
function listFor(arrays: unknown, operator: string, given: Trailing<JoinOptions> | undefined): NDArray[] {
  const options = typeof given === "number" ? undefined : given;
  checkOptions(operator, options, ["dtype"]);
  if (options?.dtype === undefined) return listOf(arrays, operator);
  const code = dtypeCode(options.dtype, operator);
  const xs = entriesOf(arrays, operator).map(x => (x instanceof NDArray ? x : newArray(operator, x, options)));
  const other = xs.find(x => !sameKind(x.code, code));
  if (other !== undefined) throw new DTypeError(`${operator}: an array of ${other.dtype} does not go into ${options.dtype}; use astype`);
  return met(xs, code);
}

/** Joins arrays of one dtype along an axis they all have. */
function join(xs: readonly NDArray[], axis: number, operator: string): NDArray {
  const first = xs[0]!;
  if (first.ndim === 0) throw new ShapeError(`${operator}: 0-d arrays have no axis to join along; use stack`);
  const at = toAxis(axis, first.ndim, operator);
  xs.forEach((x, i) => {
    if (x.ndim !== first.ndim || x.shape.some((n, k) => k !== at && n !== first.shape[k]))
      throw new ShapeError(
        `${operator}: array ${i} has shape ${showShape(x.shape)}, array 0 ${showShape(first.shape)}; all axes but axis ${at} must be equal`,
      );
  });
  return joined(xs, at);
}

/**
 * Arrays joined along an axis they have (null flattens them first); other axes must have equal sizes. NumPy's concatenate.
 * @throws ShapeError where other axes differ, ValueError for an empty list, DTypeError for arrays that do not go into `dtype`.
 * @example np.concatenate([[1, 2], [3]]) // array([1., 2., 3.])
 */
export function concatenate(arrays: readonly ArrayInput[] | NDArray, axis: number | null = 0, options?: JoinOptions): NDArray {
  const xs = listFor(arrays, "concatenate", options);
  return axis === null ? join(xs.map(flat), 0, "concatenate") : join(xs, axis, "concatenate");
}

/**
 * Arrays of one shape joined along a new axis. NumPy's stack.
 * @throws ShapeError where shapes differ, ValueError for an empty list, DTypeError for arrays that do not go into `dtype`.
 * @example np.stack([[1, 2], [3, 4]]) // array([[1., 2.],\n       [3., 4.]])
 */
export function stack(arrays: readonly ArrayInput[] | NDArray, axis: number | null = 0, options?: JoinOptions): NDArray {
  return stacked(listFor(arrays, "stack", options), axis);
}

/** Arrays of one dtype joined along a new axis. @internal */
export function stacked(xs: readonly NDArray[], axis: number | null = 0): NDArray {
  const first = xs[0]!;
  xs.forEach((x, i) => {
    if (!sameShape(x.shape, first.shape))
      throw new ShapeError(`stack: array ${i} has shape ${showShape(x.shape)}, array 0 ${showShape(first.shape)}; shapes must be equal`);
  });
  const at = toAxis(axis ?? 0, first.ndim + 1, "stack");
  return joined(
    xs.map(x => expandDims(x, at)),
    at,
  );
}

/** With axes of size 1 at the given positions, for an array of each number of axes that is too small. */
function atLeast(x: ArrayInput, operator: string, added: readonly (readonly number[])[]): NDArray {
  const a = toArray(x, operator);
  const axes = added[a.ndim];
  return axes === undefined ? a : expandAxes(a, axes);
}

/** What `atleast1d` and its kin give: a list where there are several arrays. */
export type OneOrAll<Others extends readonly ArrayInput[]> = Others extends readonly [] ? NDArray : NDArray[];

function allAtLeast<Others extends readonly ArrayInput[]>(
  xs: readonly [ArrayInput, ...Others],
  operator: string,
  added: readonly (readonly number[])[],
): OneOrAll<Others> {
  const ys = xs.map(x => atLeast(x, operator, added));
  return (ys.length === 1 ? ys[0] : ys) as OneOrAll<Others>;
}

const LINE = [[0]];
const ROW = [[0, 1], [0]];
const DEPTH = [[0, 1, 2], [0, 2], [2]];

/**
 * The array, a 0-d one with one axis; of several arrays the list of them. A view. Every argument counts, so a list
 * takes `list.map(x => np.atleast1d(x))`: `map` by itself hands on positions too. NumPy's atleast_1d.
 * @example np.atleast1d(5) // array([5.])
 * @example np.atleast1d(5, [6, 7]) // [array([5.]), array([6., 7.])]
 */
export const atleast1d = <Others extends readonly ArrayInput[]>(...xs: readonly [x: ArrayInput, ...others: Others]): OneOrAll<Others> =>
  allAtLeast(xs, "atleast1d", LINE);

/**
 * The array with at least two axes, missing ones in front; of several arrays the list of them. A view. Every argument counts,
 * as in atleast1d. NumPy's atleast_2d.
 * @example np.atleast2d([1, 2]) // array([[1., 2.]])
 */
export const atleast2d = <Others extends readonly ArrayInput[]>(...xs: readonly [x: ArrayInput, ...others: Others]): OneOrAll<Others> =>
  allAtLeast(xs, "atleast2d", ROW);

/**
 * The array with at least three axes: (n,) becomes (1, n, 1), (m, n) becomes (m, n, 1); of several arrays the list of them. A
 * view. Every argument counts, as in atleast1d. NumPy's atleast_3d.
 * @example np.atleast3d([1, 2]).shape // [ 1, 2, 1 ]
 */
export const atleast3d = <Others extends readonly ArrayInput[]>(...xs: readonly [x: ArrayInput, ...others: Others]): OneOrAll<Others> =>
  allAtLeast(xs, "atleast3d", DEPTH);

/**
 * Arrays joined as rows: along axis 0, 1-d ones as rows. NumPy's vstack.
 * @throws ShapeError where other axes differ, ValueError for an empty list, DTypeError for arrays that do not go into `dtype`.
 * @example np.vstack([[1, 2], [3, 4]]) // array([[1., 2.],\n       [3., 4.]])
 */
export function vstack(arrays: readonly ArrayInput[] | NDArray, options?: Trailing<JoinOptions>): NDArray {
  const xs = listFor(arrays, "vstack", options).map(x => atLeast(x, "vstack", ROW));
  return join(xs, 0, "vstack");
}

/**
 * Arrays joined side by side: along axis 1, 1-d ones along axis 0. NumPy's hstack.
 * @throws ShapeError where other axes differ, ValueError for an empty list, DTypeError for arrays that do not go into `dtype`.
 * @example np.hstack([[1, 2], [3]]) // array([1., 2., 3.])
 */
export function hstack(arrays: readonly ArrayInput[] | NDArray, options?: Trailing<JoinOptions>): NDArray {
  const xs = listFor(arrays, "hstack", options).map(x => atLeast(x, "hstack", LINE));
  return join(xs, xs[0]!.ndim === 1 ? 0 : 1, "hstack");
}

/**
 * Arrays joined along axis 2, after atleast3d. NumPy's dstack.
 * @throws ShapeError where other axes differ, ValueError for an empty list.
 * @example np.dstack([[1, 2], [3, 4]]) // array([[[1., 3.],\n        [2., 4.]]])
 */
export function dstack(arrays: readonly ArrayInput[] | NDArray): NDArray {
  const xs = listOf(arrays, "dstack").map(x => atLeast(x, "dstack", DEPTH));
  return join(xs, 2, "dstack");
}

/**
 * Arrays joined as the columns of a matrix: 1-d ones as columns, others along axis 1. NumPy's column_stack.
 * @throws ShapeError where other axes differ, ValueError for an empty list.
 * @example np.columnStack([[1, 2], [3, 4]]) // array([[1., 3.],\n       [2., 4.]])
 */
export function columnStack(arrays: readonly ArrayInput[] | NDArray): NDArray {
  const xs = listOf(arrays, "columnStack").map(x => (x.ndim < 2 ? reshape(x, [x.size, 1]) : x));
  return join(xs, 1, "columnStack");
}

/**
 * The array with values behind it along an axis; without an axis both are flattened first. NumPy's append.
 * @throws ShapeError where other axes differ.
 * @example np.append([1, 2], [3, 4]) // array([1., 2., 3., 4.])
 */
export function append(x: ArrayInput, values: ArrayInput, axis?: number | null): NDArray {
  const xs = listOf([x, values], "append");
  return axis === undefined || axis === null ? join(xs.map(flat), 0, "append") : join(xs, axis, "append");
}

/**
 * Arrays in the shape they broadcast to, as views; repeated ones cannot be written to. NumPy's broadcast_arrays.
 * @throws ShapeError where shapes do not broadcast.
 * @example np.broadcastArrays([1, 2], [[3], [4]]).map(x => x.shape) // [ [ 2, 2 ], [ 2, 2 ] ]
 */
export function broadcastArrays(...arrays: ArrayInput[]): NDArray[] {
  const xs = arrays.map(x => toArray(x, "broadcastArrays"));
  const shape = xs.reduce<Shape>((s, x) => broadcastShapes(s, x.shape, "broadcastArrays"), SCALAR);
  return xs.map(x => broadcastTo(x, shape));
}
