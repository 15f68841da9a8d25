/** Arrays from nothing: constants, ranges, host data. Values are made on the host and copied once. */
import { type ArrayInput, fromValues, NDArray } from "../array.ts";
import { checkValues, fromNested, fromTypedArray, toArray } from "../convert.ts";
import { filled } from "../cotangent.ts";
import { BOOL, DTYPES, type DType, dtypeCode, F32, I32, isFloat, promote, typedArrayOf } from "../dtype.ts";
import { checkFunction, checkOptions, describe, flag, under, ValueError, wholeNumber } from "../errors.ts";
import type { Binary } from "../op.ts";
import { add, equal, lessEqual, multiply } from "../ops/pointwise.ts";
import { astype, broadcastTo, copy, expandDims, joined, reshape, zeroed } from "../ops/structural.ts";
import { checkSize, SCALAR, type Shape, sizeOf, toShape } from "../shape.ts";
import { valueFor } from "./indexing.ts";

export interface DTypeOption {
  /** The element type; float32 by default, or that of the data. */
  dtype?: DType;
}

function codeOf(options: DTypeOption | undefined, operator: string, otherwise: number): number {
  checkOptions(operator, options, ["dtype"]);
  return options?.dtype === undefined ? otherwise : dtypeCode(options.dtype, operator);
}

/**
 * A new array of the data: numbers become float32 (also integral ones), booleans bool, a TypedArray keeps its kind, an
 * array is copied. NumPy's array, MXNet's default dtype.
 * @throws ShapeError for ragged lists, ValueError for anything but numbers and booleans, DTypeError for other TypedArrays.
 * @example np.array([[1, 2], [3, 4]]) // array([[1., 2.],\n       [3., 4.]])
 * @example np.array([1, 2], { dtype: "int32" }) // array([1, 2], dtype=int32)
 */
export function array(data: ArrayInput, options?: DTypeOption): NDArray {
  return newArray("array", data, options);
}

/** `array` on behalf of another operator. */
export function newArray(operator: string, data: ArrayInput, options: DTypeOption | undefined): NDArray {
  checkOptions(operator, options, ["dtype"]);
  const code = options?.dtype === undefined ? undefined : dtypeCode(options.dtype, operator);
  if (data instanceof NDArray) return code === undefined || code === data.code ? copy(data) : astype(data, options!.dtype!);
  if (typeof data === "number") {
    checkValues([data], code ?? F32, operator);
    return fromValues([code === BOOL ? Number(data !== 0) : data], SCALAR, code ?? F32);
  }
  if (Array.isArray(data)) return fromNested(data, code, operator);
  const x = ArrayBuffer.isView(data) ? fromTypedArray(data, operator) : toArray(data, operator);
  if (code === undefined || code === x.code) return x;
  if (isFloat(x.code)) checkValues(x.toTypedArray(), code, operator);
  return astype(x, options!.dtype!);
}

/**
 * The array itself if it is one already (of the dtype), else a new array of the data. NumPy's asarray.
 * @example np.asarray([1, 2]) // array([1., 2.])
 */
export function asarray(data: ArrayInput, options?: DTypeOption): NDArray {
  if (data instanceof NDArray && codeOf(options, "asarray", data.code) === data.code) return data;
  return newArray("asarray", data, options);
}

function whole(name: string, shape: number | readonly number[], options: DTypeOption | undefined, value: ArrayInput): NDArray {
  const s = toShape(shape, name);
  if (typeof value !== "number") {
    const data = toArray(value, name);
    const code = codeOf(options, name, data.code);
    return copy(valueFor(value instanceof NDArray ? data : value, code, s, name));
  }
  const code = codeOf(options, name, F32);
  checkValues([value], code, name);
  return value === 0 ? zeroed(s, code) : filled(s, code, code === BOOL ? Number(value !== 0) : value);
}

/**
 * An array of zeros. NumPy's zeros.
 * @throws ShapeError for a shape that is none.
 * @example np.zeros([2, 2]) // array([[0., 0.],\n       [0., 0.]])
 */
export const zeros = (shape: number | readonly number[], options?: DTypeOption): NDArray => whole("zeros", shape, options, 0);

/**
 * An array of ones. NumPy's ones.
 * @throws ShapeError for a shape that is none.
 * @example np.ones(3) // array([1., 1., 1.])
 */
export const ones = (shape: number | readonly number[], options?: DTypeOption): NDArray => whole("ones", shape, options, 1);

/**
 * An array of one number, or of a smaller array that is broadcast. NumPy's full; of a number float32 unless given.
 * @throws ShapeError for a shape that is none, or that the value does not broadcast to.
 * @example np.full([2], 7) // array([7., 7.])
 */
export function full(shape: number | readonly number[], value: ArrayInput, options?: DTypeOption): NDArray {
  return whole("full", shape, options, value);
}

/**
 * An array whose contents do not matter; here they are zeros. NumPy's empty.
 * @example np.empty([2]).shape // [ 2 ]
 */
export const empty = (shape: number | readonly number[], options?: DTypeOption): NDArray => whole("empty", shape, options, 0);

function like(name: string, x: ArrayInput, options: DTypeOption | undefined, value: ArrayInput): NDArray {
  const a = toArray(x, name);
  checkOptions(name, options, ["dtype"]);
  return whole(name, a.shape, { dtype: options?.dtype ?? a.dtype }, value);
}

/** Zeros in the shape and dtype of an array. NumPy's zeros_like. @example np.zerosLike([1, 2]) // array([0., 0.]) */
export const zerosLike = (x: ArrayInput, options?: DTypeOption): NDArray => like("zerosLike", x, options, 0);

/** Ones in the shape and dtype of an array. NumPy's ones_like. @example np.onesLike([1, 2]) // array([1., 1.]) */
export const onesLike = (x: ArrayInput, options?: DTypeOption): NDArray => like("onesLike", x, options, 1);

/** One number, or a smaller array, in the shape and dtype of an array. NumPy's full_like. @example np.fullLike([1, 2], 5) // array([5., 5.]) */
export const fullLike = (x: ArrayInput, value: ArrayInput, options?: DTypeOption): NDArray => like("fullLike", x, options, value);

/** An array of the shape and dtype, whose contents do not matter. NumPy's empty_like. @example np.emptyLike([1, 2]).shape // [ 2 ] */
export const emptyLike = (x: ArrayInput, options?: DTypeOption): NDArray => like("emptyLike", x, options, 0);

function made(shape: Shape, code: number, value: (i: number) => number, operator: string): NDArray {
  checkSize(shape, operator);
  const values = new (typedArrayOf(code))(sizeOf(shape));
  for (let i = 0; i < values.length; i++) values[i] = code === BOOL ? Number(value(i) !== 0) : value(i);
  return fromValues(values, shape, code);
}

function checkNumbers(operator: string, named: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(named))
    if (typeof value !== "number" || !Number.isFinite(value))
      throw new ValueError(`${operator}: ${name} is a finite number, got ${describe(value)}`);
}

/** Whether a positional argument is left out, or the options stand in its place. */
const isAbsent = (value: unknown): boolean => value === undefined || value === null || (typeof value === "object" && !Array.isArray(value));

/**
 * Evenly spaced numbers from `start` (0 by default) up to but without `stop`. NumPy's arange; float32 unless given.
 * @throws ValueError for a step of 0 or bounds that are no finite numbers.
 * @example np.arange(4) // array([0., 1., 2., 3.])
 * @example np.arange(1, 2, 0.25) // array([1.  , 1.25, 1.5 , 1.75])
 */
export function arange(start: number, stop?: number | DTypeOption | null, step: number | DTypeOption = 1, options?: DTypeOption): NDArray {
  const trailing = [stop, step, options].find((v): v is DTypeOption => typeof v === "object" && v !== null);
  const two = !isAbsent(stop);
  const from = two ? start : 0;
  const to = two ? (stop as number) : start;
  const by = isAbsent(step) ? 1 : (step as number);
  checkNumbers("arange", { start: from, stop: to, step: by });
  if (by === 0) throw new ValueError("arange: the step is 0; give a step that leads from start to stop");
  const code = codeOf(trailing, "arange", F32);
  return made([Math.max(0, Math.ceil((to - from) / by))], code, i => from + i * by, "arange");
}

export interface LinspaceOptions extends DTypeOption {
  /** Whether `stop` is the last number (the default). */
  endpoint?: boolean;
}

/** n numbers in even steps as a function of their position, the last one exact. */
function steps(start: number, stop: number, n: number, endpoint: boolean): (i: number) => number {
  const step = (stop - start) / Math.max(1, endpoint ? n - 1 : n);
  return i => (endpoint && i === n - 1 && n > 1 ? stop : start + i * step);
}

/** The arguments that linspace, logspace and geomspace have in common. */
function spaced(
  operator: string,
  num: unknown,
  options: LinspaceOptions | undefined,
  known: readonly string[] = [],
): [number, boolean, number] {
  checkOptions(operator, options, ["endpoint", "dtype", ...known]);
  return [
    wholeNumber(operator, "num", num ?? 50, 0),
    flag(operator, "endpoint", options?.endpoint, true),
    options?.dtype === undefined ? F32 : dtypeCode(options.dtype, operator),
  ];
}

/**
 * `num` evenly spaced numbers from `start` to `stop` inclusive; between arrays along a new first axis, differentiable.
 * NumPy's linspace; float32 unless given.
 * @throws ValueError for a count that is no whole number >= 0.
 * @example np.linspace(0, 1, 5) // array([0.  , 0.25, 0.5 , 0.75, 1.  ])
 */
export function linspace(start: ArrayInput, stop: ArrayInput, num: number | null = 50, options?: LinspaceOptions): NDArray {
  const [n, endpoint, code] = spaced("linspace", num, options);
  if (typeof start !== "number" || typeof stop !== "number") {
    const ends = [start, stop].map((x, i) => (typeof x === "number" ? x : toArray(x, "linspace", i === 0 ? stop : start)));
    const arrays = ends.filter(x => typeof x !== "number");
    const met = arrays.reduce((c, x) => promote(c, x.code), F32);
    const line = [n, ...new Array<number>(Math.max(...arrays.map(x => x.ndim))).fill(1)];
    const [a, b] = ends.map((x, i) => multiply(made(line, met, steps(1 - i, i, n, endpoint), "linspace"), x));
    const y = under("linspace", () => add(a!, b!));
    return options?.dtype === undefined || y.code === code ? y : astype(y, options.dtype);
  }
  checkNumbers("linspace", { start, stop });
  const value = steps(start, stop, n, endpoint);
  return made([n], code, isFloat(code) ? value : i => Math.floor(value(i)), "linspace");
}

export interface LogspaceOptions extends LinspaceOptions {
  /** What is raised to the powers; 10 by default. */
  base?: number;
}

/**
 * `num` numbers from base ** start to base ** stop inclusive, each the same multiple of the one before. NumPy's logspace;
 * float32 unless given.
 * @throws ValueError for a count that is no whole number >= 0.
 * @example np.logspace(0, 3, 4) // array([   1.,   10.,  100., 1000.])
 */
export function logspace(start: number, stop: number, num: number | null = 50, options?: LogspaceOptions): NDArray {
  const [n, endpoint, code] = spaced("logspace", num, options, ["base"]);
  const base = options?.base ?? 10;
  checkNumbers("logspace", { start, stop, base });
  const exponent = steps(start, stop, n, endpoint);
  return made([n], code, i => base ** exponent(i), "logspace");
}

/**
 * `num` numbers from `start` to `stop` inclusive, each the same multiple of the one before. NumPy's geomspace; float32
 * unless given.
 * @throws ValueError where an end is 0 or the signs differ, or for a count that is no whole number >= 0.
 * @example np.geomspace(1, 8, 4) // array([1., 2., 4., 8.])
 */
export function geomspace(start: number, stop: number, num: number | null = 50, options?: LinspaceOptions): NDArray {
  const [n, endpoint, code] = spaced("geomspace", num, options);
  checkNumbers("geomspace", { start, stop });
  const sign = Math.sign(start);
  if (sign === 0 || sign !== Math.sign(stop))
    throw new ValueError(`geomspace: from ${start} to ${stop}; the ends must have one sign, and not be 0`);
  const exponent = steps(Math.log10(sign * start), Math.log10(sign * stop), n, endpoint);
  return made([n], code, i => (i === 0 ? start : endpoint && i === n - 1 ? stop : sign * 10 ** exponent(i)), "geomspace");
}

/** How the columns of an n × m matrix compare with the one where the k-th diagonal stands in each row. */
function diagonalMask(compare: Binary, n: number, m: number, k: number): NDArray {
  const at = Math.min(Math.max(k, -n), m);
  return compare(
    made([m], I32, i => i, "tri"),
    made([n, 1], I32, i => i + at, "tri"),
  );
}

/** True up to the k-th diagonal of an n × m matrix, and below it. @internal */
export const belowDiagonal = (n: number, m: number, k: number): NDArray => diagonalMask(lessEqual, n, m, k);

function ofDiagonal(operator: string, compare: Binary, rows: number, m: unknown, k: unknown, options: unknown): NDArray {
  const trailing = [m, k, options].find((v): v is DTypeOption => typeof v === "object" && v !== null);
  const [n, columns] = toShape([rows, isAbsent(m) ? rows : m], operator) as [number, number];
  const code = codeOf(trailing, operator, F32);
  return astype(diagonalMask(compare, n, columns, isAbsent(k) ? 0 : wholeNumber(operator, "k", k)), DTYPES[code]!);
}

/**
 * A matrix of n rows and m columns (n by default) with ones on the k-th diagonal. NumPy's eye.
 * @throws ShapeError for sizes that are none.
 * @example np.eye(2) // array([[1., 0.],\n       [0., 1.]])
 */
export const eye = (n: number, m?: number | null | DTypeOption, k: number | DTypeOption = 0, options?: DTypeOption): NDArray =>
  ofDiagonal("eye", equal, n, m, k, options);

/** The n × n identity matrix. NumPy's identity. @example np.identity(2) // array([[1., 0.],\n       [0., 1.]]) */
export const identity = (n: number, options?: DTypeOption): NDArray => ofDiagonal("identity", equal, n, n, 0, options);

/**
 * A matrix of n rows and m columns (n by default) with ones on the k-th diagonal and below. NumPy's tri.
 * @throws ShapeError for sizes that are none.
 * @example np.tri(2, 3) // array([[1., 0., 0.],\n       [1., 1., 0.]])
 */
export const tri = (n: number, m?: number | null | DTypeOption, k: number | DTypeOption = 0, options?: DTypeOption): NDArray =>
  ofDiagonal("tri", lessEqual, n, m, k, options);

/** For each axis of a shape the position along it, as views of that shape. */
const grid = (shape: Shape, code: number, operator: string): NDArray[] =>
  shape.map((n, axis) => {
    const line = shape.map((_, i) => (i === axis ? n : 1));
    return broadcastTo(
      made(line, code, i => i, operator),
      shape,
    );
  });

/**
 * The positions in an array of a shape: entry i along axis 0 holds those along axis i. int32 unless given. NumPy's indices.
 * @throws ShapeError for a shape that is none.
 * @example np.indices([2, 3]).at(1) // array([[0, 1, 2],\n       [0, 1, 2]], dtype=int32)
 */
export function indices(dimensions: number | readonly number[], options?: DTypeOption): NDArray {
  const shape = toShape(dimensions, "indices");
  const code = codeOf(options, "indices", I32);
  checkSize([shape.length, ...shape], "indices");
  if (shape.length === 0) return zeroed([0], code);
  return joined(
    grid(shape, code, "indices").map(x => expandDims(x, 0)),
    0,
  );
}

/**
 * What a function gives for the positions along each axis of a shape, which it gets as arrays. NumPy's fromfunction;
 * positions are float32 unless given.
 * @throws ShapeError for a shape that is none, ValueError where there is no function.
 * @example np.fromfunction((i, j) => i.mul(10).add(j), [2, 2]) // array([[ 0.,  1.],\n       [10., 11.]])
 */
export function fromfunction(
  f: (...positions: NDArray[]) => ArrayInput,
  shape: number | readonly number[],
  options?: DTypeOption,
): NDArray {
  const code = codeOf(options, "fromfunction", F32);
  checkFunction("fromfunction", f);
  const list = grid(toShape(shape, "fromfunction"), code, "fromfunction");
  return toArray(f(...list.map(x => copy(x))), "fromfunction");
}

export interface MeshgridOptions {
  /** "xy" (the default) puts the first array along the second axis, as for a plot; "ij" each along its own. */
  indexing?: "xy" | "ij";
  /** Leave the arrays at size 1 along all axes but their own. */
  sparse?: boolean;
}

/**
 * Coordinates of a grid from the coordinates along each axis: one array of the grid's shape for each. NumPy's meshgrid.
 * @throws ValueError for another indexing.
 * @example np.meshgrid([1, 2, 3], [5, 6])[1] // array([[5., 5., 5.],\n       [6., 6., 6.]])
 */
export function meshgrid(...arrays: (ArrayInput | MeshgridOptions)[]): NDArray[] {
  const last: unknown = arrays[arrays.length - 1];
  const bare = typeof last === "object" && last !== null && !Array.isArray(last) && !ArrayBuffer.isView(last) && !(last instanceof NDArray);
  const options = (bare ? arrays.pop() : undefined) as MeshgridOptions | undefined;
  checkOptions("meshgrid", options, ["indexing", "sparse"]);
  const indexing = options?.indexing ?? "xy";
  if (indexing !== "xy" && indexing !== "ij") throw new ValueError(`meshgrid: indexing is "xy" or "ij", got ${describe(indexing)}`);
  const sparse = flag("meshgrid", "sparse", options?.sparse, false);
  const xs = arrays.map(x => toArray(x as ArrayInput, "meshgrid"));
  // Axis 0 and 1 change places in a picture.
  const axisOf = (i: number): number => (indexing === "xy" && xs.length > 1 && i < 2 ? 1 - i : i);
  const shape = xs.map((_, i) => xs[axisOf(i)]!.size);
  if (!sparse) checkSize(shape, "meshgrid");
  return xs.map((x, i) => {
    const line = reshape(
      x,
      shape.map((n, axis) => (axis === axisOf(i) ? n : 1)),
    );
    return copy(sparse ? line : broadcastTo(line, shape));
  });
}
