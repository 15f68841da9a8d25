/** The element types: names, codes, sizes, TypedArrays and the one promotion table. Knows nothing of arrays. */
import { DTypeError, describe, ValueError } from "./errors.ts";

/** The name of an element type, as NumPy spells it. */
export type DType = "float32" | "float64" | "int32" | "int8" | "uint8" | "bool";

/** A TypedArray of one of the element types' own kinds. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Int8Array | Uint8Array;

/** Small integers that stand for dtypes wherever speed matters; the index into every table below. */
export const F32 = 0;
export const F64 = 1;
export const I32 = 2;
export const I8 = 3;
export const U8 = 4;
export const BOOL = 5;

export const DTYPES: readonly DType[] = ["float32", "float64", "int32", "int8", "uint8", "bool"];
/** Bytes of an element, by code. */
export const BYTES: readonly number[] = [4, 8, 4, 1, 1, 1];
/** How far an element index is shifted to give a byte offset, by code. */
export const SHIFT: readonly number[] = [2, 3, 2, 0, 0, 0];

export const isFloat = (code: number): boolean => code <= F64;

/** The TypedArray class whose elements are stored as this dtype's. */
export function typedArrayOf(code: number): new (source: number | ArrayLike<number>) => TypedArray {
  switch (code) {
    case F32:
      return Float32Array;
    case F64:
      return Float64Array;
    case I32:
      return Int32Array;
    case I8:
      return Int8Array;
    default:
      return Uint8Array;
  }
}

/** The code of a dtype's name; `operator` opens the message when the name is unknown. */
export function dtypeCode(name: unknown, operator: string): number {
  const code = DTYPES.indexOf(name as DType);
  if (code < 0) throw new DTypeError(`${operator}: no dtype ${describe(name)}; there are ${DTYPES.join(", ")}`);
  return code;
}

/** The dtype of sums and products: that of floats, int32 for bool and all integers; or the one asked for. */
export const sumCode = (code: number, asked: unknown, operator: string): number =>
  asked === undefined || asked === null ? (isFloat(code) ? code : I32) : dtypeCode(asked, operator);

/** The dtype of means: that of floats, float32 for bool and all integers; or the float asked for. */
export function meanCode(code: number, asked: unknown, operator: string): number {
  const found = asked === undefined || asked === null ? (isFloat(code) ? code : F32) : dtypeCode(asked, operator);
  if (!isFloat(found)) throw new DTypeError(`${operator}: the result is a fraction, so its dtype is float32 or float64, not ${asked}`);
  return found;
}

// int + float is the float, int + int the wider, bool + T is T, int8 + uint8 is int32.
const PROMOTION: readonly (readonly number[])[] = [
  [F32, F64, F32, F32, F32, F32],
  [F64, F64, F64, F64, F64, F64],
  [F32, F64, I32, I32, I32, I32],
  [F32, F64, I32, I8, I32, I8],
  [F32, F64, I32, I32, U8, U8],
  [F32, F64, I32, I8, U8, BOOL],
];

/** The dtype in which two arrays meet. */
export const promote = (a: number, b: number): number => PROMOTION[a]![b]!;

// Bools, unsigned and signed integers, floats.
const KIND: readonly number[] = [3, 3, 2, 2, 1, 0];

/** Whether results of one dtype may be written over another's, losing digits but not their kind: NumPy's "same_kind". */
export const sameKind = (from: number, to: number): boolean => KIND[from]! <= KIND[to]!;

/** The least and the greatest value of each dtype. */
export const RANGE: readonly (readonly [number, number])[] = [
  [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  [-2147483648, 2147483647],
  [-128, 127],
  [0, 255],
  [0, 1],
];

/** Whether an integer dtype holds a whole number; bool counts as int32, which it becomes beside numbers. */
export function fits(code: number, value: number): boolean {
  const [low, high] = RANGE[code === BOOL ? I32 : code]!;
  return value >= low && value <= high;
}

/**
 * The dtype in which an array and a JavaScript number meet: numbers are weak. An integral number keeps an integer
 * dtype (if it fits), bool becomes int32, any other number makes an integer array float32.
 */
export function promoteNumber(code: number, value: number, operator: string): number {
  if (code <= F64) return code;
  if (!Number.isInteger(value)) return F32;
  const kind = code === BOOL ? I32 : code;
  const [low, high] = RANGE[kind]!;
  if (!fits(code, value)) throw new ValueError(`${operator}: ${value} does not fit ${DTYPES[kind]}, which holds ${low} to ${high}`);
  return kind;
}
