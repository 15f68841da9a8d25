/**
 * The machine's own BLAS and LAPACK, called through the optional package koffi on WebAssembly memory as it lies. Off until
 * asked for, and in Node alone. Knows addresses, not arrays.
 */
import { describe, ValueError } from "../errors.ts";
import { I32, reserve, U8 } from "./wasm/heap.ts";

type Foreign = (...args: number[]) => number;

interface Library {
  func(name: string, result: string, params: readonly string[]): Foreign;
}

interface Koffi {
  load(path: string): Library;
  address(view: Uint8Array): bigint;
  config(options?: { sync_stack_size: number }): { sync_stack_size: number };
}

/** c = a·b, row by row: the leading dimensions of a and b are negative where they are given transposed. */
export type Gemm = (lane: number, m: number, n: number, k: number, a: number, lda: number, b: number, ldb: number, c: number) => void;

/** Set while a library is in use. */
export let gemm: Gemm | null = null;

let koffi: Koffi | null = null;
let library: Library | null = null;
let seen: Uint8Array | null = null;
let base = 0;

/** Where WebAssembly memory begins for native code; growing may move it. */
function start(): number {
  if (seen !== U8) {
    seen = U8;
    base = Number(koffi!.address(U8));
  }
  return base;
}

const TYPES: Readonly<Record<string, string>> = { v: "void", i: "int", l: "size_t", f: "float", d: "double", p: "void *" };

const declare = (from: Library, name: string, types: string): Foreign =>
  from.func(
    name,
    TYPES[types[0]!]!,
    Array.from(types.slice(1), letter => TYPES[letter]!),
  );

/**
 * A function of the library in use, or null if there is none: its result's type and those of its arguments as letters (v
 * void, i int, l size_t, f float, d double, p an address in WebAssembly memory). So `foreign("cblas_ddot", "dipipi")` is BLAS'.
 */
export function foreign(name: string, types: string): Foreign | null {
  return (
    library &&
    known(name, () => {
      try {
        const f = declare(library!, name, types);
        return (...args) => {
          const at = start();
          return f(...args.map((x, i) => (types[i + 1] === "p" ? at + x : x)));
        };
      } catch {
        return null;
      }
    })
  );
}

/** What was asked for of the library in use, by name. */
const asked = new Map<string, Foreign | null>();

function known(name: string, find: () => Foreign | null): Foreign | null {
  let f = asked.get(name);
  if (f === undefined) asked.set(name, (f = find()));
  return f;
}

/** Whether a function of the library in use was asked for by name, and is there. */
export const wasAsked = (name: string): boolean => (asked.get(name) ?? null) !== null;

/** The numbers and letters of a call: Fortran's subroutines want their addresses. */
let cells = 0;
const CELLS = 16;

/** A subroutine's arguments: numbers, letters as their codes, addresses. Gives LAPACK's `info`, its last argument. */
export type Subroutine = Foreign;

/**
 * A subroutine of LAPACK by its name without the underscore, or null if there is none: its arguments but the last as
 * letters (c a letter, i a whole number, p an address in WebAssembly memory). So `subroutine("dpotrf", "cipi")`.
 */
export function subroutine(name: string, types: string): Subroutine | null {
  return (
    library &&
    known(name, () => {
      // Behind the arguments stand the lengths of the letters, which compilers of Fortran pass.
      const lengths = Array.from(types)
        .filter(type => type === "c")
        .map(() => 1);
      const f = foreign(`${name}_`, `v${"p".repeat(types.length + 1)}${"l".repeat(lengths.length)}`);
      if (f === null) return null;
      return (...args) => {
        if (cells === 0) cells = reserve(4 * CELLS);
        const first = cells >> 2;
        const places = args.map((x, i) => {
          if (types[i] === "p") return x;
          I32[first + i] = x;
          return cells + 4 * i;
        });
        f(...places, cells + 4 * args.length, ...lengths);
        return I32[first + args.length]!;
      };
    })
  );
}

/** Names under which systems know a library with the C interface of BLAS. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  darwin: ["/System/Library/Frameworks/Accelerate.framework/Accelerate", "libopenblas.dylib"],
  win32: ["libopenblas.dll", "mkl_rt.2.dll", "mkl_rt.dll"],
  linux: ["libopenblas.so.0", "libopenblas.so", "libmkl_rt.so.2", "libmkl_rt.so", "libcblas.so.3", "libblas.so.3"],
};

/** Bytes of the stack on which native code runs: OpenBLAS lays a table for its threads there that koffi's 2 MB do not hold. */
const STACK = 16 * 2 ** 20;

function loadKoffi(): Koffi {
  const node = typeof process === "object" ? process : undefined;
  const createRequire = node?.getBuiltinModule?.("node:module").createRequire;
  if (createRequire === undefined)
    throw new ValueError("useBlas: native libraries need Node 20.16 or newer; elsewhere products run in WebAssembly, leave it off");
  let found: Koffi | undefined;
  // Beside the program that runs, or where it was started.
  for (const place of [node!.argv[1] ?? "", `${node!.cwd()}/nabla.js`])
    try {
      found ??= createRequire(place)("koffi") as Koffi;
    } catch {}
  if (found === undefined)
    throw new ValueError(
      "useBlas: the package koffi is not there, through which native libraries are called; install it with npm install koffi",
    );
  const { sync_stack_size: size } = found.config();
  if (size < STACK)
    try {
      found.config({ sync_stack_size: STACK });
    } catch {
      throw new ValueError(
        `useBlas: koffi is in use with a stack of ${size} bytes, less than the threads of OpenBLAS need; call useBlas before other libraries are loaded`,
      );
    }
  return found;
}

/** Uses the library of a path, or the first that the system knows (true), or none (false); gives its name. */
export function chooseBlas(on: boolean | string): string | null {
  if (on === false) {
    gemm = library = null;
    asked.clear();
    return null;
  }
  koffi ??= loadKoffi();
  const names = on === true ? (NAMES[process.platform] ?? NAMES.linux!) : [on];
  let reason = "";
  for (const name of names)
    try {
      const loaded = koffi.load(name);
      const kernels = ["f", "d"].map(x => declare(loaded, `cblas_${x === "f" ? "s" : "d"}gemm`, `viiiiii${x}pipi${x}pi`));
      library = loaded;
      asked.clear();
      // 101: by rows; 111 and 112: as it lies and transposed.
      gemm = (lane, m, n, k, a, lda, b, ldb, c) => {
        const at = start();
        const [ta, tb] = [lda < 0 ? 112 : 111, ldb < 0 ? 112 : 111];
        kernels[lane]!(101, ta, tb, m, n, k, 1, at + a, Math.abs(lda), at + b, Math.abs(ldb), 0, at + c, n);
      };
      return name;
    } catch (error) {
      reason = (error as Error).message;
    }
  throw new ValueError(
    `useBlas: no library with cblas_sgemm among ${names.map(describe).join(", ")} (${reason}); install OpenBLAS, or give the path of one`,
  );
}
