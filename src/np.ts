/** What `np` has: NumPy's names. A contents page. */
export { allclose, arrayEqual, isclose } from "./functions/comparison.ts";
export {
  arange,
  array,
  asarray,
  empty,
  emptyLike,
  eye,
  fromfunction,
  full,
  fullLike,
  geomspace,
  identity,
  indices,
  linspace,
  logspace,
  meshgrid,
  ones,
  onesLike,
  tri,
  zeros,
  zerosLike,
} from "./functions/creation.ts";
export { range as slice } from "./functions/indexing.ts";
export {
  append,
  atleast1d,
  atleast2d,
  atleast3d,
  broadcastArrays,
  columnStack,
  concatenate,
  dstack,
  hstack,
  stack,
  vstack,
} from "./functions/joining.ts";
export { convolve, correlate, cross, einsum, inner, kron, polyval, tensordot, vdot } from "./functions/products.ts";
export {
  argpartition,
  argwhere,
  bincount,
  choose,
  compress,
  diagIndices,
  extract,
  flatnonzero,
  interp,
  ix,
  lexsort,
  nonzero,
  partition,
  putAlongAxis,
  ravelMultiIndex,
  select,
  sort,
  take,
  takeAlongAxis,
  trilIndices,
  triuIndices,
  unravelIndex,
  where,
} from "./functions/searching.ts";
export {
  arraySplit,
  delete,
  diag,
  diagflat,
  diagonal,
  dsplit,
  flip,
  fliplr,
  flipud,
  hsplit,
  insert,
  moveaxis,
  pad,
  ravel,
  repeat,
  resize,
  roll,
  rollaxis,
  rot90,
  split,
  tile,
  trace,
  tril,
  triu,
  unique,
  vsplit,
} from "./functions/shaping.ts";
export { diff, ediff1d, trapezoid } from "./functions/statistics/differences.ts";
export { histogram } from "./functions/statistics/histogram.ts";
export {
  average,
  logsumexp,
  mean,
  nanmean,
  nanstd,
  nansum,
  nanvar,
  ptp,
  std,
  var,
} from "./functions/statistics/moments.ts";
export { median, percentile, quantile } from "./functions/statistics/quantiles.ts";
export * as linalg from "./linalg.ts";
export {
  arctan2,
  bitwiseAnd,
  bitwiseOr,
  bitwiseXor,
  copysign,
  floorDivide,
  fmax,
  fmin,
  fmod,
  gcd,
  heaviside,
  hypot,
  lcm,
  ldexp,
  leftShift,
  logaddexp,
  logaddexp2,
  logicalAnd,
  logicalOr,
  logicalXor,
  mod,
  remainder,
  rightShift,
} from "./ops/arithmetic.ts";
export {
  arccos,
  arccosh,
  arcsin,
  arcsinh,
  arctan,
  arctanh,
  bitwiseNot,
  cbrt,
  ceil,
  cosh,
  degrees,
  exp2,
  expm1,
  fix,
  floor,
  isfinite,
  isinf,
  isnan,
  isneginf,
  isposinf,
  log1p,
  log2,
  log10,
  logicalNot,
  nanToNum,
  radians,
  rint,
  round,
  sinh,
  tan,
  trunc,
} from "./ops/elementary.ts";
export { dot, matmul, outer } from "./ops/linalg/products.ts";
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
} from "./ops/pointwise.ts";
export { all, any, countNonzero, max, max as amax, min, min as amin, nanmax, nanmin, prod, sum } from "./ops/reduction.ts";
export { cumprod, cumsum } from "./ops/scan.ts";
export { argmax, argmin, argsort, digitize, isin, searchsorted } from "./ops/selection.ts";
export { i0, sinc } from "./ops/special.ts";
export { astype, broadcastTo, copy, expandDims, reshape, squeeze, swapaxes, transpose } from "./ops/structural.ts";
export * as random from "./random/index.ts";

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
