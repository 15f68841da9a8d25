/** What callers hand in, as arrays: numbers, booleans, nested lists, TypedArrays. */
import { type ArrayInput, addressOf, blankHost, fromValues, memoryOf, NDArray, type Nested } from "./array.ts";
import { free } from "./backend/wasm/heap.ts";
import { BOOL, DTYPES, F32, F64, fits, I8, I32, SHIFT, type TypedArray, U8 } from "./dtype.ts";
import { DTypeError, describe, GradError, ShapeError, ValueError } from "./errors.ts";
import { Expr } from "./expr.ts";
import { checkSize, MAX_NDIM, SCALAR, type Shape, showShape, sizeOf } from "./shape.ts";
import { recording } from "./tape.ts";

/**
 * An argument as an array: arrays as they are, numbers and lists as float32, booleans as bool, a TypedArray in its own kind.
 * Numbers have no dtype of their own: where the operand that they meet, `beside`, is float64, so are they, and no float64
 * result holds one that was rounded.
 */
export function toArray(x: ArrayInput, operator: string, beside?: ArrayInput): NDArray {
  return x instanceof NDArray ? x : converted(x, operator, beside);
}

// On its own, so that the engine has room to inline the above, and the rest of a short call with it.
function converted(x: Exclude<ArrayInput, NDArray>, operator: string, beside: ArrayInput | undefined): NDArray {
  if (typeof x === "number") return fromValues([x], SCALAR, isWide(beside) ? F64 : F32);
  if (typeof x === "boolean") return fromValues([x ? 1 : 0], SCALAR, BOOL);
  if (ArrayBuffer.isView(x)) return fromTypedArray(x, operator);
  if (Array.isArray(x)) return fromNested(x, undefined, operator, isWide(beside) ? F64 : F32);
  if ((x as unknown) instanceof Expr)
    throw new ValueError(`${operator}: not a pointwise operator, so it cannot be part of npx.fuse; use it outside of the fused function`);
  throw new ValueError(`${operator}: expected an array, a number, a list or a TypedArray, got ${describe(x)}${hint(x)}`);
}

/** An option as an array that broadcasts to a shape. */
export function fitting(x: ArrayInput, name: string, shape: Shape, operator: string, beside?: ArrayInput): NDArray {
  const y = toArray(x, operator, beside);
  if (y.ndim > shape.length || y.shape.some((n, i) => n !== 1 && n !== shape[shape.length - y.ndim + i]))
    throw new ShapeError(`${operator}: ${name} of shape ${showShape(y.shape)} does not broadcast to ${showShape(shape)}`);
  return y;
}

/** Operands that meet, each other and perhaps one more. */
export function toArrays(xs: readonly ArrayInput[], operator: string, beside?: ArrayInput): NDArray[] {
  const wide = [...xs, beside].find(isWide);
  return Array.from(xs, x => toArray(x, operator, wide));
}

/** Stands beside numbers and lists that are to be float64. */
export const WIDE = new Float64Array(0);

/** Whether an operand is float64. */
export const isWide = (x: unknown): boolean => (x instanceof NDArray ? x.code === F64 : x instanceof Float64Array);

/** An argument of operators of integers: numbers and lists of whole numbers, which have no dtype yet, are int32. */
export function toIntegers(x: ArrayInput, operator: string): NDArray {
  const a = toArray(x, operator);
  if (x instanceof NDArray || ArrayBuffer.isView(x) || a.code !== F32) return a;
  const values = a.toTypedArray();
  return values.every(v => Number.isInteger(v) && fits(I32, v)) ? fromValues(values, a.shape, I32) : a;
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
  if (isDetached(values))
    throw new ValueError(`${operator}: the buffer of this ${kind} was handed over, so its elements are gone; copy it before`);
  return fromValues(values, [values.length], code);
}

/** Whether the buffer went to another owner; nothing else is asked of arrays that have elements. */
function isDetached(x: TypedArray): boolean {
  if (x.length > 0) return false;
  try {
    new Uint8Array(x.buffer);
    return false;
  } catch {
    return true;
  }
}

/** Nested lists as an array; without a dtype booleans make bool, numbers that of `numbers`. Rows that are arrays are read out. */
export function fromNested(x: readonly unknown[], code: number | undefined, operator: string, numbers = F32): NDArray {
  const shape: number[] = [];
  let leaf: unknown = x;
  for (let list = asList(x); list !== null; list = list.length === 0 ? null : asList(leaf)) {
    shape.push(list.length);
    leaf = list[0];
    if (shape.length > MAX_NDIM)
      throw new ShapeError(`${operator}: lists nested deeper than ${MAX_NDIM} levels, the most axes an array has`);
  }
  checkSize(shape, operator);
  const size = sizeOf(shape);
  const last = shape.length - 1;
  const kind = code ?? (isTruth(leaf) ? BOOL : numbers);
  const y = blankHost(shape, size, kind);
  // Values go over in runs: a host array of all of them would cost more than the rest.
  const run = new Float64Array(Math.min(size, RUN));
  let filled = 0;
  let written = 0;
  let truths = 0;
  const flush = (): void => {
    const values = filled === run.length ? run : run.subarray(0, filled);
    checkValues(values, kind, operator, written);
    if (kind === BOOL) for (let i = 0; i < filled; i++) values[i] = Number(values[i] !== 0);
    const start = (addressOf(y) >> SHIFT[kind]!) + written;
    memoryOf(kind).set(values, start);
    written += filled;
    filled = 0;
  };
  const place: number[] = [];
  const path = (depth: number, i?: number): string =>
    [...place.slice(0, depth), ...(i === undefined ? [] : [i])].map(k => `[${k}]`).join("");
  const ragged = (depth: number, got: number | string): ShapeError =>
    new ShapeError(`${operator}: ragged lists: expected ${shape[depth]} elements at ${path(depth) || "the outside"}, got ${got}`);
  const single = (given: unknown, i: number): number => {
    const list = asList(given);
    const value = list === null && given instanceof NDArray ? given.item<number | boolean>() : given;
    if (typeof value === "boolean") truths++;
    if (typeof value === "number" || typeof value === "boolean") return Number(value);
    throw list === null
      ? new ValueError(`${operator}: expected numbers, got ${describe(given)} at ${path(last, i)}`)
      : new ShapeError(`${operator}: ragged lists: expected a number at ${path(last, i)}, got a list of ${list.length}`);
  };
  const visit = (list: ArrayLike<unknown>, depth: number): void => {
    const n = list.length;
    if (n !== shape[depth]) throw ragged(depth, n);
    if (depth < last)
      for (let i = 0; i < n; i++) {
        place[depth] = i;
        const inner = asList(list[i]);
        if (inner === null) throw ragged(depth + 1, describe(list[i]));
        visit(inner, depth + 1);
      }
    else
      for (let i = 0; i < n; ) {
        if (filled === RUN) flush();
        let at = filled;
        for (const end = Math.min(n, i + RUN - at); i < end; i++) {
          const given = list[i];
          run[at++] = typeof given === "number" ? given : single(given, i);
        }
        filled = at;
      }
  };
  try {
    visit(x, 0);
    flush();
  } catch (error) {
    free(y.storage.block);
    throw error;
  }
  if (kind !== BOOL || code === BOOL || truths === size) return y;
  // Numbers after a boolean: all of them are numbers.
  free(y.storage.block);
  return fromNested(x, numbers, operator);
}

/** How many values are converted at a time. */
const RUN = 4096;

const isTruth = (x: unknown): boolean => typeof x === "boolean" || (x instanceof NDArray && x.code === BOOL);

function asList(x: unknown): ArrayLike<unknown> | null {
  if (Array.isArray(x)) return x;
  if (x instanceof NDArray) {
    if (recording && x.edge !== null)
      throw new GradError(
        "array: a list holds a recorded or attached array, whose graph would be lost; join with np.stack, or use detach()",
      );
    return x.ndim === 0 ? null : (x.tolist() as readonly Nested[]);
  }
  return ArrayBuffer.isView(x) && !(x instanceof DataView) ? (x as TypedArray) : null;
}

/** NaN and infinities have no place in an integer array. */
export function checkValues(values: ArrayLike<number>, code: number, operator: string, first = 0): void {
  if (code <= F64 || code === BOOL) return;
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i]!))
      throw new ValueError(`${operator}: ${values[i]} at position ${first + i} has no place in an ${DTYPES[code]} array`);
}
