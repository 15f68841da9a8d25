/** What `npx` has: MXNet's extensions of NumPy. A contents page. */
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
export { keep, memoryInfo, scope, setMemoryLimit, setNp, setNumThreads, useBlas, waitall } from "./functions/settings.ts";
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
export { relu, sigmoid, stopGradient } from "./ops/pointwise.ts";
export { digamma, erf, erfc, erfinv, gamma, gammaln } from "./ops/special.ts";
export { seed } from "./random/index.ts";
export { fuse } from "./transforms/fuse.ts";
