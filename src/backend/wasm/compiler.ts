/**
 * The compiler that puts kernels into a table, and the module of drivers that calls them there, once or row by row.
 * Knows nothing of what a kernel computes, nor whose memory it works on.
 */
import type { Kernel } from "../../kernel.ts";
import { Module } from "./assembler.ts";
import { emit, kernelParams } from "./codegen.ts";

/** The most inputs a kernel may have. */
export const MAX_INPUTS = 6;

type Call<Addresses extends number[]> = (f: number, ...addressesAndN: [...Addresses, out: number, n: number]) => void;
type Rows<Addresses extends number[]> = (
  f: number,
  ...addressesAndStrides: [...Addresses, out: number, n: number, outer: number, ...Addresses, strideOut: number]
) => void;
type A1 = [number];
type A2 = [number, number];
type A3 = [number, number, number];
type A4 = [number, number, number, number];
type A5 = [number, number, number, number, number];
type A6 = [number, number, number, number, number, number];

/**
 * For k inputs, `call{k}(f, p0 … pk-1, out, n)` calls the table's kernel f; `rows{k}(f, p0 … pk-1, out, n, outer,
 * s0 … sk-1, so)` calls it `outer` times, the addresses moving on by these strides in bytes.
 */
export interface Drivers {
  readonly call1: Call<A1>;
  readonly call2: Call<A2>;
  readonly call3: Call<A3>;
  readonly call4: Call<A4>;
  readonly call5: Call<A5>;
  readonly call6: Call<A6>;
  readonly rows1: Rows<A1>;
  readonly rows2: Rows<A2>;
  readonly rows3: Rows<A3>;
  readonly rows4: Rows<A4>;
  readonly rows5: Rows<A5>;
  readonly rows6: Rows<A6>;
}

/** The module of the drivers. */
export function assembleDrivers(shared: boolean): Uint8Array<ArrayBuffer> {
  const module = new Module(shared);
  module.useTable();
  for (let k = 1; k <= MAX_INPUTS; k++) {
    const kernel = kernelParams(k);
    const type = module.type(kernel, []);
    const call = module.func(`call${k}`, ["i32", ...kernel], []);
    for (let i = 1; i <= k + 2; i++) call.get(call.param(i));
    call.get(call.param(0)).callIndirect(type);

    const rows = module.func(`rows${k}`, ["i32", ...kernel, "i32", ...kernel.slice(1)], []);
    const outer = rows.param(k + 3);
    rows.whileLoop(
      () => rows.get(outer),
      () => {
        for (let i = 1; i <= k + 2; i++) rows.get(rows.param(i));
        rows.get(rows.param(0)).callIndirect(type);
        for (let i = 0; i <= k; i++) rows.increment(rows.param(i + 1), rows.param(k + 4 + i));
        rows.increment(outer, -1);
      },
    );
  }
  return module.finish();
}

/** The module of some kernels, exported under their positions in the list. */
export function assembleKernels(kernels: readonly Kernel[], shared: boolean): Uint8Array<ArrayBuffer> {
  const module = new Module(shared);
  kernels.forEach((kernel, i) => {
    emit(kernel, module, String(i));
  });
  return module.finish();
}

export interface Compiler {
  readonly table: WebAssembly.Table;
  readonly drivers: Drivers;
  /** Compiles kernels as one module; gives their entries in the table, none of which is 0. */
  compile(kernels: readonly Kernel[]): number[];
}

/** A compiler over a memory, which is shared or not. The table's first entry stays empty: 0 can mean "not compiled". */
export function createCompiler(memory: WebAssembly.Memory, shared: boolean): Compiler {
  const table = new WebAssembly.Table({ element: "anyfunc", initial: 1 });
  const instantiate = (bytes: Uint8Array<ArrayBuffer>, imports: WebAssembly.ModuleImports): WebAssembly.Exports =>
    new WebAssembly.Instance(new WebAssembly.Module(bytes), { m: imports }).exports;
  return {
    table,
    drivers: instantiate(assembleDrivers(shared), { m: memory, t: table }) as unknown as Drivers,
    compile(kernels) {
      for (const { inputs } of kernels)
        if (inputs.length > MAX_INPUTS) throw new RangeError(`a kernel of ${inputs.length} inputs; at most ${MAX_INPUTS} can be called`);
      // Not by element segments: in a module that imports the table each later change of the table costs as much again.
      const exports = instantiate(assembleKernels(kernels, shared), { m: memory });
      const first = table.grow(kernels.length);
      return kernels.map((_, i) => {
        table.set(first + i, exports[i]);
        return first + i;
      });
    },
  };
}
