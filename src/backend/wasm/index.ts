/** The WebAssembly backend's contents page: what operators call. */
export { call1, call2, call3, call4, call5, call6, compile, rows1, rows2, rows3, rows4, rows5, rows6 } from "./drivers.ts";
export { copy, count, fill, gather, places, type Step, scan, scatter, scatterAdd, strided } from "./kernels.ts";
