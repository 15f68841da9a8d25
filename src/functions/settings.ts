/** What a program may say to the library as a whole, none of it ever needed: how comparisons answer, whose BLAS multiplies, and memory (scopes, a limit, what is in use). */
import { NDArray } from "../array.ts";
import { chooseBlas } from "../backend/blas.ts";
import { LAPACK } from "../backend/matrices/lapack.ts";
import { useNative } from "../backend/matrices/workspace.ts";
import { setThreads } from "../backend/threads/pool.ts";
import { type Block, free, memoryInfo as heapInfo, type MemoryInfo, noteBlocks, setLimit } from "../backend/wasm/heap.ts";
import { BOOL, F32 } from "../dtype.ts";
import { asynchronous, checkFunction, checkOptions, describe, oneOf, ValueError } from "../errors.ts";
import { setComparison } from "../op.ts";

export interface NpOptions {
  /** What comparisons answer in: "bool" (the default), or "float32" as in the chapter's printing. */
  comparison?: "bool" | "float32";
}

/**
 * Chooses how comparisons answer; without options, the defaults. What remains of MXNet's npx.set_np.
 * @throws ValueError for another comparison.
 * @example npx.setNp() // undefined
 */
export function setNp(options?: NpOptions): void {
  checkOptions("setNp", options, ["comparison"]);
  setComparison(oneOf("setNp", "comparison", options?.comparison, ["bool", "float32"]) === "bool" ? BOOL : F32);
}

/**
 * Does nothing: every result is there when its call returns. MXNet's npx.waitall, for programs that call it.
 * @example npx.waitall() // undefined
 */
export function waitall(): void {}

/**
 * Leaves large matrix products of float32 and float64 to the machine's own BLAS (OpenBLAS, MKL or Accelerate), and the
 * factorisations of np.linalg to its LAPACK, if it has one, in Node with the package koffi: the first library that the
 * system knows, or that of a path; `false` ends it. Gives the library's name, or null. Results then differ in their last
 * bits between machines, and vectors of decompositions in their signs; threads are the library's own. nabla's own.
 * @throws ValueError where koffi or a library is missing, and in browsers; says what to do.
 * @example npx.useBlas(false) // null
 */
export function useBlas(on: boolean | string = true): string | null {
  if (typeof on !== "boolean" && (typeof on !== "string" || on === ""))
    throw new ValueError(`useBlas: expected true, false or the path of a library, got ${describe(on)}`);
  const name = chooseBlas(on);
  useNative(name === null ? null : LAPACK);
  return name;
}

// ---- memory

const kept = new Set<Block>();
let depth = 0;

/** Calls `visit` for every array in a value: itself, or in nested lists and plain objects. */
function eachArray(value: unknown, visit: (x: NDArray) => void, seen = new Set<object>()): void {
  if (value instanceof NDArray) return visit(value);
  if (typeof value !== "object" || value === null || seen.has(value) || ArrayBuffer.isView(value)) return;
  seen.add(value);
  if (value instanceof Map || value instanceof Set) for (const item of value.values()) eachArray(item, visit, seen);
  else for (const item of Object.values(value)) eachArray(item, visit, seen);
}

/**
 * Runs a function and releases at once the arrays made inside that are not in what it returns, nor attached, nor passed
 * to `npx.keep`, nor saved by a graph that is still alive. Never needed; large loops run faster with it. Using a
 * released array is a ValueError. nabla's own.
 * @throws GradError for an asynchronous function.
 * @example npx.scope(() => np.ones(3).mul(2).add(1)) // array([3., 3., 3.])
 */
export function scope<T>(fn: () => T): T {
  checkFunction("scope", fn);
  depth++;
  try {
    const [value, made] = noteBlocks(fn);
    if (typeof (value as { then?: unknown } | null)?.then === "function") throw asynchronous("scope");
    const wanted = new Set<Block>();
    eachArray(value, x => wanted.add(x.storage.block));
    for (const block of made) if (block.saved === 0 && !block.lasting && !wanted.has(block) && !kept.has(block)) free(block);
    return value;
  } finally {
    if (--depth === 0) kept.clear();
  }
}

/**
 * Keeps an array made inside `npx.scope` beyond its end, and gives it. Outside of scopes it does nothing. nabla's own.
 * @example npx.keep(np.ones(2)) // array([1., 1.])
 */
export function keep<T>(value: T): T {
  if (depth > 0) eachArray(value, x => kept.add(x.storage.block));
  return value;
}

/**
 * How much memory arrays take: the limit, bytes of WebAssembly memory, bytes of large arrays in it, and how often
 * something was moved out of it and came back. nabla's own.
 * @example npx.memoryInfo().limit > 0 // true
 */
export const memoryInfo = (): MemoryInfo => heapInfo();

/**
 * Sets how many bytes large arrays may take in WebAssembly memory before the least recently used are moved out of it
 * (to where the garbage collector frees them, or the next use brings them back). nabla's own.
 * @throws ValueError for less than 1 MB or anything but a number.
 * @example npx.setMemoryLimit(256 * 2 ** 20) // undefined
 */
export function setMemoryLimit(bytes: number): void {
  if (typeof bytes !== "number" || !(bytes >= 2 ** 20) || bytes > 2 ** 32)
    throw new ValueError(`setMemoryLimit: expected a number of bytes from 2**20 to 2**32, got ${describe(bytes)}`);
  setLimit(Math.floor(bytes));
}

/**
 * Says how many threads compute what is large, the caller's among them (1 until then), and gives how many there will be:
 * 1 where threads have no shared memory, as in a page that is not isolated from other origins. Results are the same bits
 * with any number. Workers are started when there is work for them, and keep no process alive; until they run, and where
 * they cannot, the caller computes alone. nabla's own.
 * @throws ValueError unless `n` is a whole number from 1 to 256.
 * @example npx.setNumThreads(1) // 1
 */
export function setNumThreads(n: number): number {
  if (!Number.isInteger(n) || n < 1 || n > 256)
    throw new ValueError(`setNumThreads: expected a whole number of threads from 1 to 256, got ${describe(n)}`);
  return setThreads(n);
}
