/** nabla: NumPy's arrays and define-by-run autograd. The contents page of the package. */
/// <reference lib="esnext.disposable" preserve="true" />
export type { ArrayInput, Nested } from "./array.ts";
export * as autograd from "./autograd.ts";
export type { DType } from "./dtype.ts";
export { DTypeError, GradError, IndexError, NablaError, ShapeError, ValueError } from "./errors.ts";
export { checkpoint } from "./functions/recording.ts";
export { NDArray } from "./methods.ts";
export * as np from "./np.ts";
export * as npx from "./npx.ts";
export { checkGrad, grad, hessian, hvp, jacobian, jvp, valueAndGrad, vjp } from "./transforms/derivatives.ts";
export { vmap } from "./vmap.ts";
