/**
 * The compiler that puts kernels into a table, and the module of drivers that calls them there, once or row by row.
 * Knows nothing of what a kernel computes, nor whose memory it works on.
 */
import type { Kernel } from "../../kernel.ts";
import { type Func, Module } from "./assembler.ts";
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
    const call = module.func(`call${k}`, ["i32", ...kernel]);
    for (let i = 1; i <= k + 2; i++) call.push(call.param(i));
    call.push(call.param(0)).callIndirect(type);

    writeRows(module, `rows${k}`, k);
  }
  return module.finish();
}

/** Writes the driver that calls a kernel of k inputs row by row; the module uses the table. */
export function writeRows(module: Module, name: string, k: number): Func {
  const kernel = kernelParams(k);
  const type = module.type(kernel, []);
  const rows = module.func(name, ["i32", ...kernel, "i32", ...kernel.slice(1)]);
  const outer = rows.param(k + 3);
  return rows.whileLoop(
    () => rows.push(outer),
    () => {
      for (let i = 1; i <= k + 2; i++) rows.push(rows.param(i));
      rows.push(rows.param(0)).callIndirect(type);
      for (let i = 0; i <= k; i++) rows.increment(rows.param(i + 1), rows.param(k + 4 + i));
      rows.increment(outer, -1);
    },
  );
}

/** The module of some kernels, exported under their positions in the list. */
export function assembleKernels(kernels: readonly Kernel[], shared: boolean): Uint8Array<ArrayBuffer> {
  const module = new Module(shared);
  kernels.forEach((kernel, i) => {
    emit(kernel, module, String(i));
  });
  return module.finish();
}

/** A function written by hand: addresses and counts, all of them i32. */
export type Routine = (...args: number[]) => void;

/** A module that was compiled, for other threads to compile it too. */
export interface Source {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly functions: readonly Routine[];
  /** The entry of its first function in the table, or 0 while they are not there. */
  first: number;
}

export interface Compiler {
  readonly table: WebAssembly.Table;
  readonly drivers: Drivers;
  /** Every module so far; empty if the memory is not shared. */
  readonly sources: readonly Source[];
  /** Compiles kernels as one module; gives their entries in the table, none of which is 0. */
  compile(kernels: readonly Kernel[]): number[];
  /** Compiles a module of routines. */
  routines(write: (module: Module) => void): Record<string, Routine>;
  /** Puts functions into the table; gives the entry of the first. */
  enter(functions: readonly Routine[]): number;
}

/** A compiler over a memory, which is shared or not. The table's first entry stays empty: 0 can mean "not compiled". */
export function createCompiler(memory: WebAssembly.Memory, shared: boolean): Compiler {
  const table = new WebAssembly.Table({ element: "anyfunc", initial: 1 });
  const sources: Source[] = [];
  // The table keeps its functions for ever, so an expression that is built anew each time must find those it had.
  const compiled = new Map<string, number>();
  const latin = new TextDecoder("latin1");
  const instantiate = (bytes: Uint8Array<ArrayBuffer>, imports: WebAssembly.ModuleImports): Record<string, Routine> =>
    new WebAssembly.Instance(new WebAssembly.Module(bytes), { m: imports }).exports as unknown as Record<string, Routine>;
  const load = (bytes: Uint8Array<ArrayBuffer>, first: number): Record<string, Routine> => {
    const exports = instantiate(bytes, { m: memory });
    // The bytes stand where the next module will be written.
    if (shared) sources.push({ bytes: bytes.slice(), functions: Object.values(exports), first });
    return exports;
  };
  // Not by element segments: in a module that imports the table each later change of the table costs as much again.
  const enter = (functions: readonly Routine[]): number => {
    const first = table.grow(functions.length);
    functions.forEach((f, i) => void table.set(first + i, f));
    return first;
  };
  return {
    table,
    drivers: instantiate(assembleDrivers(shared), { m: memory, t: table }) as unknown as Drivers,
    sources,
    compile(kernels) {
      for (const { inputs } of kernels)
        if (inputs.length > MAX_INPUTS) throw new RangeError(`a kernel of ${inputs.length} inputs; at most ${MAX_INPUTS} can be called`);
      const bytes = assembleKernels(kernels, shared);
      const key = latin.decode(bytes);
      let first = compiled.get(key);
      if (first === undefined) {
        const exports = load(bytes, table.length);
        first = enter(kernels.map((_, i) => exports[i]!));
        compiled.set(key, first);
      }
      return kernels.map((_, i) => first + i);
    },
    routines(write) {
      const module = new Module(shared);
      write(module);
      return load(module.finish(), 0);
    },
    enter,
  };
}
