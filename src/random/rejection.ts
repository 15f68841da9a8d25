/**
 * Methods that draw until they accept. Every element has its own numbers for every attempt, so that it is the same
 * whatever is drawn beside it. All elements attempt at once, as a kernel, and those that were refused again.
 */
import { addressOf, blank, memoryOf, type NDArray, viewOf } from "../array.ts";
import { free } from "../backend/wasm/heap.ts";
import { F64, I32 } from "../dtype.ts";
import type * as E from "../expr.ts";
import { Family, runMap } from "../launch.ts";
import { fillAt } from "./generator.ts";

export interface Method {
  /** How many pairs of numbers 0 <= u < 1 it needs at a time. */
  readonly pairs: number;
  /** The value for these numbers and the parameters, in float64; NaN refuses. */
  readonly value: () => E.Expr;
  family?: Family;
}

/** As many elements at a time as stay in the second cache with what they need. */
const PIECE = 2048;

/** Replaces every NaN of `out`, whose elements stand at the places from `start` on, by an accepted value. */
export function untilAccepted(method: Method, parameters: readonly Float64Array[], out: Float64Array, stream: number, start: number): void {
  const inputs = 2 * method.pairs + parameters.length;
  const family = (method.family ??= new Family(method.value(), new Array<number>(inputs).fill(F64), F64, F64));
  // Blocks are made by eights.
  const room = (Math.min(PIECE, out.length) + 7) & ~7;
  const rows = blank([inputs + 1, room], (inputs + 1) * room, F64);
  const places = blank([room], room, I32);
  const row = (i: number, m: number): NDArray => viewOf(rows, i * room, [m], null, m);
  for (let from = 0; from < out.length; from += PIECE) {
    const end = Math.min(from + PIECE, out.length);
    let waiting: number[] = [];
    for (let i = from; i < end; i++) if (Number.isNaN(out[i])) waiting.push(i);
    for (let attempt = 1; waiting.length > 0; ) {
      const m = waiting.length;
      const at = addressOf(places) >> 2;
      const list = memoryOf(I32);
      for (let k = 0; k < m; k++) list[at + k] = waiting[k]! - from;
      for (let pair = 0; pair < method.pairs; pair++)
        fillAt(viewOf(rows, 2 * pair * room, [2, room], null, 2 * room), places, m, start + from, stream, attempt++);
      const top = addressOf(rows) >> 3;
      const memory = memoryOf(F64);
      parameters.forEach((p, j) => {
        const to = top + (2 * method.pairs + j) * room;
        for (let k = 0; k < m; k++) memory[to + k] = p[waiting[k]!]!;
      });
      runMap(
        family,
        Array.from({ length: inputs }, (_, j) => row(j, m)),
        row(inputs, m),
      );
      const drawn = (addressOf(rows) >> 3) + inputs * room;
      const values = memoryOf(F64);
      const refused: number[] = [];
      for (let k = 0; k < m; k++) {
        const v = values[drawn + k]!;
        if (Number.isNaN(v)) refused.push(waiting[k]!);
        else out[waiting[k]!] = v;
      }
      waiting = refused;
    }
  }
  free(rows.storage.block);
  free(places.storage.block);
}
