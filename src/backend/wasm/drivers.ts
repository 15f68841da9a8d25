/** The compiler and the drivers over the heap's memory: the only ways kernels are made and called. */
import { createCompiler } from "./compiler.ts";
import { isShared, memory } from "./heap.ts";

export const compiler = createCompiler(memory, isShared);
export const { compile, routines } = compiler;
export const { call1, call2, call3, call4, call5, call6, rows1, rows2, rows3, rows4, rows5, rows6 } = compiler.drivers;
