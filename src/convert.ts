/** What callers hand in, as arrays: numbers, booleans, nested lists, TypedArrays. */
import { type ArrayInput, fromValues, NDArray, type Nested } from "./array.ts";
import { BOOL, DTYPES, F32, F64, I8, I32, type TypedArray, U8 } from "./dtype.ts";
import { DTypeError, describe, GradError, ShapeError, ValueError } from "./errors.ts";
import { MAX_NDIM, SCALAR, sizeOf } from "./shape.ts";
import { recording } from "./tape.ts";

/** An argument as an array: arrays as they are, numbers and lists as float32, booleans as bool, a TypedArray in its own kind. */
export function toArray(x: ArrayInput, operator: string): NDArray {
  if (x instanceof NDArray) return x;
  if (typeof x === "number") return fromValues([x], SCALAR, F32);
  if (typeof x === "boolean") return fromValues([x ? 1 : 0], SCALAR, BOOL);
  if (ArrayBuffer.isView(x)) return fromTypedArray(x, operator);
  if (Array.isArray(x)) return fromNested(x, undefined, operator);
  throw new ValueError(`${operator}: expected an array, a number, a list or a TypedArray, got ${describe(x)}${hint(x)}`);
}

const hint = (x: unknown): string =>
  x === undefined
    ? " (is an argument missing?)"
    : x instanceof Promise
      ? "; await it first"
      : typeof x === "string"
        ? "; convert it with Number first"
        : "";

export function fromTypedArray(x: ArrayBufferView, operator: string): NDArray {
  // The tag and not the constructor, so that subclasses count as what they extend.
  const kind = (x as unknown as { [Symbol.toStringTag]: string })[Symbol.toStringTag];
  const code = { Float32Array: F32, Float64Array: F64, Int32Array: I32, Int8Array: I8, Uint8Array: U8, Uint8ClampedArray: U8 }[kind];
  if (code === undefined)
    throw new DTypeError(`${operator}: a ${kind} has no dtype here; convert it first, as in Float64Array.from(x, Number)`);
  const values = x as TypedArray;
  return fromValues(values, [values.length], code);
}

/** Nested lists as an array; without a dtype booleans make bool, numbers float32. Rows that are arrays are read out. */
export function fromNested(x: readonly unknown[], code: number | undefined, operator: string): NDArray {
  const shape: number[] = [];
  for (let list = asList(x); list !== null; list = list.length === 0 ? null : asList(list[0])) {
    shape.push(list.length);
    if (shape.length > MAX_NDIM)
      throw new ShapeError(`${operator}: lists nested deeper than ${MAX_NDIM} levels, the most axes an array has`);
  }
  const size = sizeOf(shape);
  const values = new Float64Array(size);
  let at = 0;
  let booleans = size > 0;
  const visit = (given: unknown, depth: number, path: string): void => {
    const list = asList(given);
    if (depth < shape.length) {
      if (list === null || list.length !== shape[depth])
        throw new ShapeError(
          `${operator}: ragged lists: expected ${shape[depth]} elements at ${path || "the outside"}, got ${list === null ? describe(given) : list.length}`,
        );
      for (let i = 0; i < list.length; i++) visit(list[i], depth + 1, `${path}[${i}]`);
      return;
    }
    const value = given instanceof NDArray ? given.item() : given;
    if (typeof value === "number") booleans = false;
    else if (typeof value !== "boolean")
      throw list === null
        ? new ValueError(`${operator}: expected numbers, got ${describe(given)} at ${path}`)
        : new ShapeError(`${operator}: ragged lists: expected a number at ${path}, got a list of ${list.length}`);
    values[at++] = Number(value);
  };
  visit(x, 0, "");
  const kind = code ?? (booleans ? BOOL : F32);
  checkValues(values, kind, operator);
  return fromValues(kind === BOOL ? values.map(v => (v !== 0 ? 1 : 0)) : values, shape, kind);
}

function asList(x: unknown): readonly unknown[] | null {
  if (Array.isArray(x)) return x;
  if (x instanceof NDArray) {
    if (recording && x.edge !== null)
      throw new GradError(
        "array: a list holds a recorded or attached array, whose graph would be lost; join with np.stack, or use detach()",
      );
    return x.ndim === 0 ? null : (x.tolist() as readonly Nested[]);
  }
  if (ArrayBuffer.isView(x) && !(x instanceof DataView)) return Array.from(x as TypedArray);
  return null;
}

/** NaN and infinities have no place in an integer array. */
export function checkValues(values: ArrayLike<number>, code: number, operator: string): void {
  if (code <= F64 || code === BOOL) return;
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i]!))
      throw new ValueError(`${operator}: ${values[i]} at position ${i} has no place in an ${DTYPES[code]} array`);
}
