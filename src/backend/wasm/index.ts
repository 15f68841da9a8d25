/** The WebAssembly backend's contents page: what operators call. */
export { call1, call2, call3, call4, call5, compile, rows1, rows2, rows3, rows4, rows5 } from "./drivers.ts";
export { copy, fill, gather, multiply, scatterAdd, strided } from "./kernels.ts";
