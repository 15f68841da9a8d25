/** What `npx` has: MXNet's extensions of NumPy. A contents page. */
export { dropout, logSoftmax, oneHot, pick, softmax, topk } from "./functions/nn.ts";
export { keep, memoryInfo, scope, setMemoryLimit, setNp, waitall } from "./functions/settings.ts";
export { relu, sigmoid, stopGradient } from "./ops/pointwise.ts";
export { seed } from "./random.ts";
