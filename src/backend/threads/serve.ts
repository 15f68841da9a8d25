/**
 * What a worker does: waits for jobs, compiles what they call, and takes part in them. In Node its text alone is handed to
 * the worker, so nothing outside of the function may be named in it, and no function stands inside. Knows a pool's
 * functions and the list of its sources, not what they compute.
 */
import type { Runner } from "./runner.ts";

export interface Start {
  readonly memory: WebAssembly.Memory;
  /** The bytes of the runner's module. */
  readonly runner: Uint8Array<ArrayBuffer>;
  /** The number of the thread; the main one is 0. */
  readonly thread: number;
  /** Addresses: of the pool, and of the word that leads to its sources. */
  readonly pool: number;
  readonly sources: number;
}

/**
 * Returns when the pool is closed. A source is found in memory as four int32 (the address of the next one, the number
 * of the first function, how many there are, how many bytes) and the bytes of a module.
 */
export function serve({ memory, runner, thread, pool, sources }: Start): void {
  const table = new WebAssembly.Table({ element: "anyfunc", initial: 1 });
  const imports = { m: { m: memory, t: table } };
  const { enter, rest, needs, share, fail } = new WebAssembly.Instance(new WebAssembly.Module(runner), imports)
    .exports as unknown as Runner;
  const loaded = new Set<number>();
  enter(pool);
  for (let job = 0; ; ) {
    job = rest(pool, job);
    const f = needs(pool);
    if (f < 0) return;
    if (!loaded.has(f)) {
      const words = new Int32Array(memory.buffer);
      for (let at = words[sources >> 2]!; at > 0; at = words[at >> 2]!) {
        let place = words[(at >> 2) + 1]!;
        const end = place + words[(at >> 2) + 2]!;
        if (f < place || f >= end) continue;
        const bytes = new Uint8Array(memory.buffer, at + 16, words[(at >> 2) + 3]!).slice();
        const exports = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports;
        if (end > table.length) table.grow(end - table.length);
        for (const name in exports) {
          loaded.add(place);
          table.set(place++, exports[name]);
        }
        break;
      }
      // A number may be seen before the source it belongs to, but not before the job does: then there is one more round.
      if (!loaded.has(f)) continue;
    }
    try {
      share(pool, f, thread);
    } catch {
      fail(pool);
    }
  }
}
