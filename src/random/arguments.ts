/** What the distributions share about their arguments: sizes, dtypes, parameters, and what is drawn under vmap. */
import { type ArrayInput, blank, fromValues, type NDArray } from "../array.ts";
import { toArray } from "../convert.ts";
import { DTYPES, type DType, dtypeCode, F32, F64, isFloat } from "../dtype.ts";
import { checkOptions, DTypeError, describe, ShapeError, ValueError } from "../errors.ts";
import { mapping, physicalOf, spreadShape, wrapped } from "../mapped.ts";
import { add } from "../ops/pointwise.ts";
import { astype, positions } from "../ops/structural.ts";
import { broadcastShapes, SCALAR, type Shape, sameShape, showShape, sizeOf, toShape } from "../shape.ts";

/** A shape, or nothing for that of the parameters: a 0-d array where they are numbers. */
export type Size = number | readonly number[] | null;

export interface RandomOptions {
  /** "float32" (the default, unless a parameter is a float64 array) or "float64". */
  dtype?: DType;
}

export interface RandintOptions {
  /** "int32" (the default), "int8", "uint8" or "bool". */
  dtype?: DType;
}

export function toSize(size: unknown, operator: string): Shape | null {
  return size === undefined || size === null ? null : toShape(size, operator);
}

export function floatCode(options: RandomOptions | undefined, parameters: readonly (NDArray | number)[], operator: string): number {
  checkOptions(operator, options, ["dtype"]);
  if (options?.dtype === undefined) return parameters.some(x => typeof x !== "number" && x.code === F64) ? F64 : F32;
  const code = dtypeCode(options.dtype, operator);
  if (!isFloat(code))
    throw new DTypeError(`${operator}: samples are float32 or float64, got ${describe(options.dtype)}; convert them with astype`);
  return code;
}

export function parameter(x: ArrayInput, operator: string): NDArray | number {
  return typeof x === "number" ? x : toArray(x, operator);
}

/** A parameter in the dtype of the samples: differences of small integers must not wrap around. */
export function cast(p: NDArray | number, code: number): NDArray | number {
  return typeof p === "number" || p.code === code ? p : astype(p, DTYPES[code]!);
}

/** The shape of the result, which parameters must broadcast to. */
export function resultShape(size: Shape | null, parameters: readonly ({ readonly shape: Shape } | number)[], operator: string): Shape {
  let shape: Shape = SCALAR;
  for (const p of parameters) if (typeof p !== "number") shape = broadcastShapes(shape, p.shape, operator);
  if (size === null) return shape;
  if (!sameShape(broadcastShapes(shape, size, operator), size))
    throw new ShapeError(
      `${operator}: parameters of shape ${showShape(shape)} do not broadcast to the size ${showShape(size)}; leave the size out, or enlarge it`,
    );
  return size;
}

/** What is to be drawn: the dtype of the samples, their shape, and the parameters in that dtype. */
export interface Request {
  readonly code: number;
  readonly shape: Shape;
  readonly parameters: readonly (NDArray | number)[];
}

export function requested(
  operator: string,
  given: readonly ArrayInput[],
  size: Size | undefined,
  options: RandomOptions | undefined,
): Request {
  const all = given.map(x => parameter(x, operator));
  const code = floatCode(options, all, operator);
  const shape = resultShape(toSize(size, operator), all, operator);
  return { code, shape, parameters: all.map(p => cast(p, code)) };
}

/** Refuses a parameter with values that do not pass a test. */
export function requireAll(x: NDArray | number, test: (value: number) => boolean, wanted: string, operator: string): void {
  if (some(x, v => !test(v)))
    throw new ValueError(`${operator}: ${wanted}${typeof x === "number" ? `, got ${x}` : ", some elements are not"}`);
}

export const notNegative = (x: NDArray | number, what: string, operator: string): void =>
  requireAll(x, v => v >= 0, `${what} must be >= 0`, operator);

export const positive = (x: NDArray | number, what: string, operator: string): void =>
  requireAll(x, v => v > 0, `${what} must be > 0`, operator);

/** A new array for numbers to be drawn into: under vmap, for all entries. */
export function undrawn(shape: Shape, code: number): NDArray {
  const all = spreadShape(shape);
  return blank(all, sizeOf(all), code);
}

/** A parameter in float64, an element for each of a shape: under vmap, for all entries. */
export function everywhere(p: NDArray | number, shape: Shape): NDArray {
  const all = spreadShape(shape);
  const base = wrapped(fromValues(new Float64Array(sizeOf(all)).fill(typeof p === "number" ? p : 0), all, F64));
  return typeof p === "number" ? base : add(base, p);
}

/** Positions drawn at random: under vmap, for every entry anew. */
export function drawn(shape: Shape, draw: () => ArrayLike<number>): NDArray {
  if (mapping === 0) return positions(draw(), shape);
  const all = spreadShape(shape);
  const size = sizeOf(shape);
  const values = new Int32Array(sizeOf(all));
  for (let at = 0; at < values.length; at += size) values.set(draw(), at);
  return wrapped(positions(values, all));
}

/** Whether any value passes a test. */
export function some(x: NDArray | number, test: (value: number) => boolean): boolean {
  return typeof x === "number" ? test(x) : physicalOf(x).toTypedArray().some(test);
}
