/** What `npx` has: MXNet's extensions of NumPy. A contents page. */
export { keep, memoryInfo, scope, setMemoryLimit } from "./functions/memory.ts";
export { dropout, logSoftmax, oneHot, pick, softmax, topk } from "./functions/nn.ts";
export { setNp, waitall } from "./functions/settings.ts";
export { relu, sigmoid, stopGradient } from "./ops/pointwise.ts";
export { seed } from "./random.ts";
