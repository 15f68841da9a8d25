/** Arrays from nothing: constants, ranges, host data. Values are made on the host and copied once. */
import { type ArrayInput, fromValues, NDArray } from "../array.ts";
import { checkValues, fromNested, fromTypedArray, toArray, toArrays, WIDE } from "../convert.ts";
import { filled } from "../cotangent.ts";
import { BOOL, DTYPES, type DType, dtypeCode, F32, F64, I32, isFloat, typedArrayOf } from "../dtype.ts";
import { checkFunction, checkOptions, describe, flag, oneOf, ShapeError, under, ValueError, wholeNumber } from "../errors.ts";
import { physicalOf } from "../mapped.ts";
import type { Binary } from "../op.ts";
import { floor } from "../ops/elementary.ts";
import { abs, add, divide, equal, exp, lessEqual, log, multiply, power, sign, subtract, where } from "../ops/pointwise.ts";
import { astype, broadcastTo, copy, expandAxes, expandDims, inFloat, joined, reshape, transpose, zeroed } from "../ops/structural.ts";
import { broadcastShapes, checkSize, MAX_NDIM, SCALAR, type Shape, showShape, sizeOf, toAxis, toShape } from "../shape.ts";
import { valueFor } from "./indexing.ts";

export interface DTypeOption {
  /** The element type; float32 by default, or that of the data. */
  dtype?: DType;
}

export interface ArrayOptions extends DTypeOption {
  /** The least number of axes; missing ones are put in front, with size 1. */
  ndmin?: number;
}

export interface LikeOptions extends DTypeOption {
  /** Another shape than the array's. */
  shape?: number | readonly number[];
}

function codeOf(options: DTypeOption | undefined, operator: string, otherwise: number, known: readonly string[] = []): number {
  checkOptions(operator, options, ["dtype", ...known]);
  return options?.dtype === undefined ? otherwise : dtypeCode(options.dtype, operator);
}

/**
 * A new array of the data: numbers become float32 (also integral ones), booleans bool, a TypedArray keeps its kind, an
 * array is copied. NumPy's array, MXNet's default dtype.
 * @throws ShapeError for ragged lists, ValueError for anything but numbers and booleans, DTypeError for other TypedArrays.
 * @example np.array([[1, 2], [3, 4]]) // array([[1., 2.],\n       [3., 4.]])
 * @example np.array([1, 2], { dtype: "int32" }) // array([1, 2], dtype=int32)
 */
export function array(data: ArrayInput, options?: ArrayOptions): NDArray {
  checkOptions("array", options, ["dtype", "ndmin"]);
  const least = wholeNumber("array", "ndmin", options?.ndmin ?? 0, 0);
  if (least > MAX_NDIM) throw new ShapeError(`array: ndmin ${least}; an array has ${MAX_NDIM} axes at most`);
  const x = newArray("array", data, options && { dtype: options.dtype });
  return x.ndim < least ? expandAxes(x, [...new Array(least - x.ndim).keys()]) : x;
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

function like(name: string, x: ArrayInput, options: LikeOptions | undefined, value: ArrayInput): NDArray {
  const a = toArray(x, name);
  checkOptions(name, options, ["dtype", "shape"]);
  return whole(name, options?.shape ?? a.shape, { dtype: options?.dtype ?? a.dtype }, value);
}

/** Zeros in the shape (or another one) and dtype of an array. NumPy's zeros_like. @example np.zerosLike([1, 2]) // array([0., 0.]) */
export const zerosLike = (x: ArrayInput, options?: LikeOptions): NDArray => like("zerosLike", x, options, 0);

/** Ones in the shape (or another one) and dtype of an array. NumPy's ones_like. @example np.onesLike([1, 2]) // array([1., 1.]) */
export const onesLike = (x: ArrayInput, options?: LikeOptions): NDArray => like("onesLike", x, options, 1);

/** One number, or a smaller array, in the shape (or another one) and dtype of an array. NumPy's full_like. @example np.fullLike([1, 2], 5) // array([5., 5.]) */
export const fullLike = (x: ArrayInput, value: ArrayInput, options?: LikeOptions): NDArray => like("fullLike", x, options, value);

/** An array of the shape and dtype, whose contents do not matter. NumPy's empty_like. @example np.emptyLike([1, 2]).shape // [ 2 ] */
export const emptyLike = (x: ArrayInput, options?: LikeOptions): NDArray => like("emptyLike", x, options, 0);

/** A new array of what is computed for each place. @internal */
export function made(shape: Shape, code: number, value: (i: number) => number, operator: string): NDArray {
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

export interface GeomspaceOptions extends DTypeOption {
  /** Whether `stop` is the last number (the default). */
  endpoint?: boolean;
  /** Where in the result the axis of the numbers stands; in front unless given. */
  axis?: number;
}

export interface LinspaceOptions extends GeomspaceOptions {
  /** Also the step between two numbers. */
  retstep?: boolean;
}

export interface LogspaceOptions extends GeomspaceOptions {
  /** What is raised to the powers; 10 by default. */
  base?: ArrayInput;
}

/** What `linspace` gives: a list where the step is asked for. */
export type Linspace<O> = O extends { retstep: true } ? [NDArray, NDArray] : NDArray;

/** What linspace, logspace and geomspace have in common. */
interface Spacing {
  readonly operator: string;
  readonly n: number;
  readonly endpoint: boolean;
  /** How many steps there are from start to stop. */
  readonly parts: number;
  /** That of the result where all is given as numbers. */
  readonly code: number;
  readonly options: GeomspaceOptions | undefined;
}

function spacing(operator: string, num: unknown, options: GeomspaceOptions | undefined, known: readonly string[] = []): Spacing {
  const code = codeOf(options, operator, F32, ["endpoint", "axis", ...known]);
  const n = wholeNumber(operator, "num", num ?? 50, 0);
  const endpoint = flag(operator, "endpoint", options?.endpoint, true);
  return { operator, n, endpoint, parts: endpoint ? n - 1 : n, code, options };
}

const isLast = ({ n, endpoint }: Spacing, i: number): boolean => endpoint && i === n - 1 && n > 1;

/** Numbers in even steps as a function of their position, the last one exact. */
function steps(start: number, stop: number, s: Spacing): (i: number) => number {
  const step = (stop - start) / Math.max(1, s.parts);
  return i => (isLast(s, i) ? stop : start + i * step);
}

/** The arguments as arrays of floats, which broadcast. */
const ends = (s: Spacing, given: readonly ArrayInput[]): NDArray[] =>
  toArrays(given, s.operator, s.code === F64 && s.options?.dtype !== undefined ? WIDE : undefined).map(x => inFloat(x));

/** Along a new first axis what a number is for each position, beside arrays of `ndim` axes. */
const along = (s: Spacing, ndim: number, code: number, value: (i: number) => number): NDArray =>
  made([s.n, ...new Array<number>(ndim).fill(1)], code, value, s.operator);

/** Numbers in even steps between two arrays, along a new first axis. */
function between(start: NDArray, stop: NDArray, s: Spacing): NDArray {
  const step = under(s.operator, () => divide(subtract(stop, start), Math.max(1, s.parts)));
  const places = along(s, step.ndim, step.code, i => i);
  const y = add(multiply(places, step), start);
  if (!isLast(s, s.n - 1)) return y;
  const last = along(s, step.ndim, BOOL, i => Number(isLast(s, i)));
  return where(last, stop, y);
}

/** The numbers along the first axis in the dtype wanted, with that axis where it was asked for. */
function arrangedAs(s: Spacing, y: NDArray): NDArray {
  const at = toAxis(s.options?.axis ?? 0, y.ndim, s.operator);
  const order = [...y.shape.keys()].slice(1);
  order.splice(at, 0, 0);
  const dtype = s.options?.dtype ?? y.dtype;
  const z = dtype === y.dtype ? y : astype(y, dtype);
  return at === 0 ? z : transpose(z, order);
}

const areNumbers = (given: readonly ArrayInput[]): given is number[] => given.every(x => typeof x === "number");

/**
 * `num` evenly spaced numbers from `start` to `stop` inclusive; between arrays along a new axis, differentiable. With
 * `retstep` a list: the numbers, and the step between them (a 0-d NaN where there is none). NumPy's linspace; float32 unless given.
 * @throws ValueError for a count that is no whole number >= 0, ShapeError for an axis out of range.
 * @example np.linspace(0, 1, 5) // array([0.  , 0.25, 0.5 , 0.75, 1.  ])
 */
export function linspace<O extends LinspaceOptions>(
  start: ArrayInput,
  stop: ArrayInput,
  num: number | null = 50,
  options?: O,
): Linspace<O> {
  const s = spacing("linspace", num, options, ["retstep"]);
  const retstep = flag("linspace", "retstep", options?.retstep, false);
  const given = [start, stop];
  let y: NDArray;
  let step: () => NDArray;
  if (areNumbers(given)) {
    const [a, b] = given as [number, number];
    checkNumbers("linspace", { start, stop });
    const value = steps(a, b, s);
    y = made([s.n], s.code, isFloat(s.code) ? value : i => Math.floor(value(i)), "linspace");
    step = () => fromValues([(b - a) / s.parts], SCALAR, isFloat(s.code) ? s.code : F32);
  } else {
    const [a, b] = ends(s, given) as [NDArray, NDArray];
    y = between(a, b, s);
    if (s.options?.dtype !== undefined && !isFloat(s.code)) y = floor(y);
    step = () => divide(subtract(b, a), s.parts);
  }
  y = arrangedAs(s, y);
  if (!retstep) return y as Linspace<O>;
  return [y, s.parts > 0 ? step() : fromValues([Number.NaN], SCALAR, isFloat(y.code) ? y.code : F32)] as Linspace<O>;
}

/**
 * `num` numbers from base ** start to base ** stop inclusive, each the same multiple of the one before; of arrays along a
 * new axis, differentiable. NumPy's logspace; float32 unless given.
 * @throws ValueError for a count that is no whole number >= 0, ShapeError for an axis out of range.
 * @example np.logspace(0, 3, 4) // array([   1.,   10.,  100., 1000.])
 */
export function logspace(start: ArrayInput, stop: ArrayInput, num: number | null = 50, options?: LogspaceOptions): NDArray {
  const s = spacing("logspace", num, options, ["base"]);
  const given = [start, stop, options?.base ?? 10];
  if (areNumbers(given)) {
    const [from, to, base] = given as [number, number, number];
    checkNumbers("logspace", { start: from, stop: to, base });
    const exponent = steps(from, to, s);
    return arrangedAs(
      s,
      made([s.n], s.code, i => base ** exponent(i), "logspace"),
    );
  }
  const list = ends(s, given);
  // An array of bases broadcasts with the ends, before the new axis.
  const shape = list.reduce<Shape>((met, x) => broadcastShapes(met, x.shape, "logspace"), SCALAR);
  const [a, b, base] = list.map(x => broadcastTo(x, shape)) as [NDArray, NDArray, NDArray];
  return arrangedAs(s, power(base, between(a, b, s)));
}

/**
 * `num` numbers from `start` to `stop` inclusive, each the same multiple of the one before; between arrays along a new axis,
 * differentiable. NumPy's geomspace; float32 unless given.
 * @throws ValueError where an end is 0 or the signs differ, or for a count that is no whole number >= 0; ShapeError for an
 * axis out of range.
 * @example np.geomspace(1, 8, 4) // array([1., 2., 4., 8.])
 */
export function geomspace(start: ArrayInput, stop: ArrayInput, num: number | null = 50, options?: GeomspaceOptions): NDArray {
  const s = spacing("geomspace", num, options);
  const given = [start, stop];
  const refuse = (what: string): never => {
    throw new ValueError(`geomspace: from ${what}; the ends must have one sign, and not be 0`);
  };
  if (areNumbers(given)) {
    const [from, to] = given as [number, number];
    checkNumbers("geomspace", { start: from, stop: to });
    const sign = Math.sign(from);
    if (sign === 0 || sign !== Math.sign(to)) refuse(`${from} to ${to}`);
    const exponent = steps(Math.log10(sign * from), Math.log10(sign * to), s);
    const value = (i: number): number => (i === 0 ? from : isLast(s, i) ? to : sign * 10 ** exponent(i));
    return arrangedAs(s, made([s.n], s.code, value, "geomspace"));
  }
  const [a, b] = ends(s, given) as [NDArray, NDArray];
  const way = under("geomspace", () => multiply(sign(a), sign(b)));
  if (
    physicalOf(way)
      .toTypedArray()
      .some((v: number) => v <= 0)
  )
    refuse(`an array of shape ${showShape(a.shape)} to one of shape ${showShape(b.shape)}`);
  // Logarithms have fewer digits left than the numbers.
  const [p, q] = [a, b].map(x => log(abs(astype(x, "float64")))) as [NDArray, NDArray];
  const y = astype(multiply(sign(a), exp(between(p, q, s))), way.dtype);
  const first = along(s, way.ndim, BOOL, i => Number(i === 0));
  const last = along(s, way.ndim, BOOL, i => Number(isLast(s, i)));
  return arrangedAs(s, where(first, a, where(last, b, y)));
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

/** For each axis of a shape the positions along it, with size 1 along the others. */
const lines = (shape: Shape, code: number, operator: string): NDArray[] =>
  shape.map((n, axis) =>
    made(
      shape.map((_, i) => (i === axis ? n : 1)),
      code,
      i => i,
      operator,
    ),
  );

export interface IndicesOptions extends DTypeOption {
  /** Leave the positions along each axis at size 1 along all others: a list of arrays. */
  sparse?: boolean;
}

/** What `indices` gives: a list where it is sparse. */
export type Indices<O> = O extends { sparse: true } ? NDArray[] : NDArray;

/**
 * The positions in an array of a shape: entry i along axis 0 holds those along axis i; with `sparse` a list of arrays that
 * broadcast to these. int32 unless given. NumPy's indices.
 * @throws ShapeError for a shape that is none.
 * @example np.indices([2, 3]).at(1) // array([[0, 1, 2],\n       [0, 1, 2]], dtype=int32)
 */
export function indices<O extends IndicesOptions>(dimensions: number | readonly number[], options?: O): Indices<O> {
  const shape = toShape(dimensions, "indices");
  const code = codeOf(options, "indices", I32, ["sparse"]);
  const all = (): NDArray => {
    checkSize([shape.length, ...shape], "indices");
    const list = lines(shape, code, "indices");
    return shape.length === 0
      ? zeroed([0], code)
      : joined(
          list.map(x => expandDims(broadcastTo(x, shape), 0)),
          0,
        );
  };
  return (flag("indices", "sparse", options?.sparse, false) ? lines(shape, code, "indices") : all()) as Indices<O>;
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
  const sizes = toShape(shape, "fromfunction");
  return toArray(f(...lines(sizes, code, "fromfunction").map(x => copy(broadcastTo(x, sizes)))), "fromfunction");
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
  const indexing = oneOf("meshgrid", "indexing", options?.indexing, ["xy", "ij"]);
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
