/** The functions whose first parameter is an array: each is a method too, under the same name. Nothing but the list. */

import { divide, equal, greater, greaterEqual, less, lessEqual, multiply, negative, notEqual, power, subtract } from "./ops/pointwise.ts";
import { max, min } from "./ops/reduction.ts";

export { allclose, arrayEqual, isclose } from "./functions/comparison.ts";
export { emptyLike, fullLike, onesLike, zerosLike } from "./functions/creation.ts";
export { at, set } from "./functions/indexing.ts";
export { append, atleast1d, atleast2d, atleast3d } from "./functions/joining.ts";
export { convolution, deconvolution, pooling } from "./functions/network/convolution.ts";
export {
  activation,
  batchDot,
  batchFlatten,
  broadcastLike,
  embedding,
  fullyConnected,
  gatherNd,
  hardSigmoid,
  indexAdd,
  indexUpdate,
  prelu,
  reshapeLike,
  sequenceMask,
} from "./functions/network/layers.ts";
export { dropout, logSoftmax, maskedSoftmax, oneHot, pick, softmax, topk } from "./functions/network/nn.ts";
export { batchNorm, groupNorm, instanceNorm, layerNorm } from "./functions/network/normalisation.ts";
export { convolve, correlate, cross, inner, kron, norm, polyval, tensordot, vdot } from "./functions/products.ts";
export {
  argpartition,
  argwhere,
  bincount,
  choose,
  extract,
  flatnonzero,
  interp,
  nonzero,
  partition,
  putAlongAxis,
  sort,
  take,
  takeAlongAxis,
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
  elu,
  gelu,
  leakyRelu,
  logSigmoid,
  mish,
  selu,
  silu,
  smoothL1,
  softplus,
  softrelu,
  softsign,
} from "./ops/network/activations.ts";
export {
  abs,
  absolute,
  add,
  clip,
  cos,
  divide,
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
  relu,
  sigmoid,
  sign,
  sin,
  sqrt,
  square,
  stopGradient,
  subtract,
  tanh,
} from "./ops/pointwise.ts";
export { all, any, countNonzero, max, min, nanmax, nanmin, prod, sum } from "./ops/reduction.ts";
export { cumprod, cumsum } from "./ops/scan.ts";
export { argmax, argmin, argsort, digitize, isin, searchsorted } from "./ops/selection.ts";
export { digamma, erf, erfc, erfinv, gamma, gammaln, i0, sinc } from "./ops/special.ts";
export { astype, broadcastTo, copy, expandDims, reshape, squeeze, swapaxes, transpose } from "./ops/structural.ts";

/**
 * The difference, element by element, as np.subtract.
 * @example np.array([5, 7]).sub(2) // array([3., 5.])
 */
export const sub: typeof subtract = subtract;

/**
 * The product, element by element, as np.multiply.
 * @example np.array([5, 7]).mul(2) // array([10., 14.])
 */
export const mul: typeof multiply = multiply;

/**
 * The quotient, element by element, as np.divide.
 * @example np.array([5, 7]).div(2) // array([2.5, 3.5])
 */
export const div: typeof divide = divide;

/**
 * The power, element by element, as np.power.
 * @example np.array([5, 7]).pow(2) // array([25., 49.])
 */
export const pow: typeof power = power;

/**
 * The negative of each element, as np.negative.
 * @example np.array([5, -7]).neg() // array([-5.,  7.])
 */
export const neg: typeof negative = negative;

/**
 * Where two arrays are equal, as np.equal.
 * @example np.array([5, 7]).eq(7) // array([False,  True])
 */
export const eq: typeof equal = equal;

/**
 * Where two arrays differ, as np.notEqual.
 * @example np.array([5, 7]).ne(7) // array([ True, False])
 */
export const ne: typeof notEqual = notEqual;

/**
 * Where the array is less, as np.less. In a condition write `x.lt(7).item()`: an array is an object, which is always true.
 * @example np.array([5, 7]).lt(7) // array([ True, False])
 */
export const lt: typeof less = less;

/**
 * Where the array is at most the other, as np.lessEqual. In a condition write `x.le(7).item()`.
 * @example np.array([5, 7]).le(7) // array([ True,  True])
 */
export const le: typeof lessEqual = lessEqual;

/**
 * Where the array is greater, as np.greater. In a condition write `x.gt(0).item()`: an array is an object, which is always true.
 * @example np.array([5, 7]).gt(5) // array([False,  True])
 */
export const gt: typeof greater = greater;

/**
 * Where the array is at least the other, as np.greaterEqual. In a condition write `x.ge(0).item()`.
 * @example np.array([5, 7]).ge(5) // array([ True,  True])
 */
export const ge: typeof greaterEqual = greaterEqual;

/**
 * The quotient, element by element, as np.divide.
 * @example np.array([5, 7]).trueDivide(2) // array([2.5, 3.5])
 */
export const trueDivide: typeof divide = divide;

/**
 * The largest element over axes, as np.amax and np.max.
 * @example np.array([5, 7]).amax() // array(7.)
 */
export const amax: typeof max = max;

/**
 * The smallest element over axes, as np.amin and np.min.
 * @example np.array([5, 7]).amin() // array(5.)
 */
export const amin: typeof min = min;
