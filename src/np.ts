/** What `np` has: NumPy's names. A contents page. */
export {
  arange,
  array,
  asarray,
  empty,
  emptyLike,
  eye,
  full,
  fullLike,
  identity,
  linspace,
  ones,
  onesLike,
  zeros,
  zerosLike,
} from "./functions/creation.ts";
export { range as slice } from "./functions/indexing.ts";
export { concatenate, stack } from "./functions/joining.ts";
export { sort, take, takeAlongAxis } from "./functions/searching.ts";
export { mean } from "./functions/statistics.ts";
export * as linalg from "./linalg.ts";
export { dot, matmul, outer } from "./ops/linalg.ts";
export {
  abs,
  absolute,
  add,
  clip,
  cos,
  divide,
  divide as trueDivide,
  equal,
  exp,
  greater,
  greaterEqual,
  less,
  lessEqual,
  log,
  maximum,
  minimum,
  multiply,
  negative,
  notEqual,
  positive,
  power,
  reciprocal,
  sign,
  sin,
  sqrt,
  square,
  subtract,
  tanh,
  where,
} from "./ops/pointwise.ts";
export { all, any, max, max as amax, min, min as amin, sum } from "./ops/reduction.ts";
export { argmax, argmin, argsort } from "./ops/selection.ts";
export { astype, broadcastTo, copy, expandDims, reshape, squeeze, swapaxes, transpose } from "./ops/structural.ts";
export * as random from "./random.ts";

/** The ratio of a circle's circumference to its diameter. */
export const pi: number = Math.PI;
/** The base of natural logarithms. */
export const e: number = Math.E;
export const inf: number = Number.POSITIVE_INFINITY;
export const nan: number = Number.NaN;
/** An index item that adds an axis of size 1. */
export const newaxis: null = null;
/** The names of the dtypes. */
export const float32 = "float32" as const;
export const float64 = "float64" as const;
export const int32 = "int32" as const;
export const int8 = "int8" as const;
export const uint8 = "uint8" as const;
export const bool = "bool" as const;
