/** Philox for blocks that lie anywhere, in WebAssembly. Knows addresses and counters, not what the numbers are for. */
import { I32, V128 } from "../wasm/assembler.ts";
import { routines } from "../wasm/drivers.ts";
import { FIRST_PAIRS, GROUP, LAST_PAIRS, pushCounter, toUniform64, writeGroups } from "./philox.ts";

/**
 * Writes two "uniform64" numbers for each of 8·groups elements, made of the one block whose first two words are c0 and c1
 * as 64 bits plus the element's entry in `places` (uint32). The first number goes to `out`, the second `plane` bytes on.
 */
export type FillAt = (
  out: number,
  plane: number,
  places: number,
  groups: number,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  key0: number,
  key1: number,
) => void;

function build(): FillAt {
  return routines(module => {
    const f = module.func("at", 10);
    const [out, plane, places, groups, c0, c1, c2, c3, key0, key1] = f.params;
    const counter = f.local("i64");
    pushCounter(f, c0, c1).set(counter);
    writeGroups(f, groups, counter, [c2, c3, key0, key1], {
      pushOffsets: half => f.push(places).memory(V128.load, 16 * half),
      store: ({ x, low }, half) => {
        for (const word of [0, 2] as const)
          [FIRST_PAIRS, LAST_PAIRS].forEach((pairs, j) => {
            f.push(x[word], x[word === 0 ? 1 : 3])
              .shuffle(pairs)
              .set(low[0]);
            f.push(out);
            if (word === 2) f.op(I32.add, plane);
            toUniform64(f, low[0]).memory(V128.store, 32 * half + 16 * j);
          });
      },
      advance: () => f.increment(out, 8 * GROUP).increment(places, 4 * GROUP),
    });
  }).at as unknown as FillAt;
}

let built: FillAt | undefined;

/** The function, assembled when it is first asked for. */
export const philoxAt = (): FillAt => (built ??= build());
