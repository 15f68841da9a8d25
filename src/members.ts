/** The functions whose first parameter is an array: each is a method too, under the same name. Nothing but the list. */
export { at, set } from "./functions/indexing.ts";
export { sort, take, takeAlongAxis } from "./functions/joining.ts";
export { dropout, logSoftmax, oneHot, pick, softmax, topk } from "./functions/nn.ts";
export { mean } from "./functions/statistics.ts";
export { dot, matmul, norm, outer } from "./ops/linalg.ts";
export {
  abs,
  absolute,
  add,
  clip,
  cos,
  divide,
  divide as div,
  divide as trueDivide,
  equal,
  equal as eq,
  exp,
  greater,
  greater as gt,
  greaterEqual,
  greaterEqual as ge,
  less,
  less as lt,
  lessEqual,
  lessEqual as le,
  log,
  maximum,
  minimum,
  multiply,
  multiply as mul,
  negative,
  negative as neg,
  notEqual,
  notEqual as ne,
  positive,
  power,
  power as pow,
  reciprocal,
  relu,
  sigmoid,
  sign,
  sin,
  sqrt,
  square,
  stopGradient,
  subtract,
  subtract as sub,
  tanh,
  where,
} from "./ops/pointwise.ts";
export { all, any, max, min, sum } from "./ops/reduction.ts";
export { argmax, argmin, argsort } from "./ops/selection.ts";
export { astype, broadcastTo, copy, expandDims, reshape, squeeze, swapaxes, transpose } from "./ops/structural.ts";
