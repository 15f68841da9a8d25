/** The functions whose first parameter is an array: each is a method too, under the same name. Nothing but the list. */
import { divide, equal, greater, greaterEqual, less, lessEqual, multiply, negative, notEqual, power, subtract } from "./ops/pointwise.ts";

export { at, set } from "./functions/indexing.ts";
export { dropout, logSoftmax, oneHot, pick, softmax, topk } from "./functions/nn.ts";
export { sort, take, takeAlongAxis } from "./functions/searching.ts";
export { mean } from "./functions/statistics.ts";
export { dot, matmul, norm, outer } from "./ops/linalg.ts";
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
  where,
} from "./ops/pointwise.ts";
export { all, any, max, min, sum } from "./ops/reduction.ts";
export { argmax, argmin, argsort } from "./ops/selection.ts";
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
