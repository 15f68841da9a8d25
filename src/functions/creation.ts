/** Arrays from nothing: constants, ranges, host data. Values are made on the host and copied once. */
import { type ArrayInput, fromValues, NDArray } from "../array.ts";
import { checkValues, fromNested, fromTypedArray, toArray } from "../convert.ts";
import { BOOL, type DType, dtypeCode, F32, isFloat, typedArrayOf } from "../dtype.ts";
import { checkOptions, describe, flag, ValueError } from "../errors.ts";
import { filled } from "../grad.ts";
import { astype, copy, zeroed } from "../ops/structural.ts";
import { checkSize, SCALAR, type Shape, sizeOf, toShape } from "../shape.ts";

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

function newArray(operator: string, data: ArrayInput, options: DTypeOption | undefined): NDArray {
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

function whole(name: string, shape: number | readonly number[], options: DTypeOption | undefined, value: number): NDArray {
  const s = toShape(shape, name);
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

function checkNumber(operator: string, value: unknown): number {
  if (typeof value !== "number") throw new ValueError(`${operator}: the value is a number, got ${describe(value)}`);
  return value;
}

/**
 * An array of one number. NumPy's full; the dtype is float32 unless given.
 * @throws ShapeError for a shape that is none.
 * @example np.full([2], 7) // array([7., 7.])
 */
export function full(shape: number | readonly number[], value: number, options?: DTypeOption): NDArray {
  return whole("full", shape, options, checkNumber("full", value));
}

/**
 * An array whose contents do not matter; here they are zeros. NumPy's empty.
 * @example np.empty([2]).shape // [ 2 ]
 */
export const empty = (shape: number | readonly number[], options?: DTypeOption): NDArray => whole("empty", shape, options, 0);

function like(name: string, x: ArrayInput, options: DTypeOption | undefined, value: number): NDArray {
  const a = toArray(x, name);
  checkOptions(name, options, ["dtype"]);
  return whole(name, a.shape, { dtype: options?.dtype ?? a.dtype }, value);
}

/** Zeros in the shape and dtype of an array. NumPy's zeros_like. @example np.zerosLike([1, 2]) // array([0., 0.]) */
export const zerosLike = (x: ArrayInput, options?: DTypeOption): NDArray => like("zerosLike", x, options, 0);

/** Ones in the shape and dtype of an array. NumPy's ones_like. @example np.onesLike([1, 2]) // array([1., 1.]) */
export const onesLike = (x: ArrayInput, options?: DTypeOption): NDArray => like("onesLike", x, options, 1);

/** One number in the shape and dtype of an array. NumPy's full_like. @example np.fullLike([1, 2], 5) // array([5., 5.]) */
export const fullLike = (x: ArrayInput, value: number, options?: DTypeOption): NDArray =>
  like("fullLike", x, options, checkNumber("fullLike", value));

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

/**
 * `num` evenly spaced numbers from `start` to `stop` inclusive. NumPy's linspace; float32 unless given.
 * @throws ValueError for a count that is no whole number >= 0.
 * @example np.linspace(0, 1, 5) // array([0.  , 0.25, 0.5 , 0.75, 1.  ])
 */
export function linspace(start: number, stop: number, num: number | null = 50, options?: LinspaceOptions): NDArray {
  checkOptions("linspace", options, ["endpoint", "dtype"]);
  checkNumbers("linspace", { start, stop });
  const n = num ?? 50;
  if (!Number.isInteger(n) || n < 0) throw new ValueError(`linspace: num is a whole number >= 0, got ${describe(num)}`);
  const code = options?.dtype === undefined ? F32 : dtypeCode(options.dtype, "linspace");
  const endpoint = flag("linspace", "endpoint", options?.endpoint, true);
  const step = (stop - start) / Math.max(1, endpoint ? n - 1 : n);
  const value = (i: number): number => (endpoint && i === n - 1 && n > 1 ? stop : start + i * step);
  return made([n], code, isFloat(code) ? value : i => Math.floor(value(i)), "linspace");
}

/**
 * A matrix of n rows and m columns (n by default) with ones on the k-th diagonal. NumPy's eye.
 * @throws ShapeError for sizes that are none.
 * @example np.eye(2) // array([[1., 0.],\n       [0., 1.]])
 */
export function eye(n: number, m?: number | null | DTypeOption, k: number | DTypeOption = 0, options?: DTypeOption): NDArray {
  const trailing = [m, k, options].find((v): v is DTypeOption => typeof v === "object" && v !== null);
  return diagonalOnes("eye", [n, isAbsent(m) ? n : m], isAbsent(k) ? 0 : k, trailing);
}

function diagonalOnes(operator: string, sizes: unknown, k: unknown, options: DTypeOption | undefined): NDArray {
  const shape = toShape(sizes, operator);
  if (!Number.isInteger(k)) throw new ValueError(`${operator}: k is a whole number, got ${describe(k)}`);
  const diagonal = k as number;
  const columns = shape[1]!;
  return made(shape, codeOf(options, operator, F32), i => Number((i % columns) - Math.floor(i / columns) === diagonal), operator);
}

/** The n × n identity matrix. NumPy's identity. @example np.identity(2) // array([[1., 0.],\n       [0., 1.]]) */
export const identity = (n: number, options?: DTypeOption): NDArray => diagonalOnes("identity", [n, n], 0, options);
