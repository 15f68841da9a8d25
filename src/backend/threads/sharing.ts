/**
 * The way from long work to threads, for those who have some. Nothing stands behind it until a program asks for threads,
 * so that a program that does not has no more than this file.
 */
import type { Routine } from "../wasm/compiler.ts";

type Numbers = readonly number[];

/** Calls on all threads and in any order: none may read what another one writes. */
export interface Sharing {
  readonly threads: number;
  /** Whether work that takes about so many µs should be shared. Where it says no, the caller does it alone. */
  isWorthwhile(work: number): boolean;
  /** A kernel over n elements; `steps` bytes from one to the next of each operand and of the result, which comes last. */
  run(kernel: number, addresses: Numbers, n: number, steps: Numbers): void;
  /** A kernel over n elements `outer` times; `steps` bytes from one time to the next. */
  rows(kernel: number, addresses: Numbers, n: number, outer: number, steps: Numbers): void;
  /**
   * A function for `part` at a time of what args[counter] counts; from call to call args[k] moves on by steps[k], if there
   * is one, and args[0] by `own` from thread to thread.
   */
  parts(f: number | Routine, args: Numbers, steps: Numbers, counter: number, part: number, own?: number): void;
}

/** Null while the caller is the only thread. */
export let sharing: Sharing | null = null;

/** Up to so many elements nobody need ask whether there is somebody to share them with. */
export const alone = 4096;

export function setSharing(others: Sharing | null): void {
  sharing = others;
}
