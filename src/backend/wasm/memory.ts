/** The memory of all arrays and kernels. */

export const PAGE = 65536;
/** 2 GB: addresses stay positive as 32-bit integers, for JavaScript's shifts too. */
export const MAX_PAGES = 32768;

/**
 * Shared from the start where threads could ever use it, for kernels are compiled for one kind of memory: in Node, and in
 * pages that are isolated from other origins. They run equally fast on both.
 */
function createMemory(): WebAssembly.Memory {
  if (typeof SharedArrayBuffer === "function" && globalThis.crossOriginIsolated !== false)
    try {
      return new WebAssembly.Memory({ initial: 1, maximum: MAX_PAGES, shared: true });
    } catch {
      // No room in the address space for all it may become.
    }
  return new WebAssembly.Memory({ initial: 1 });
}

export const memory = createMemory();
export const isShared = !(memory.buffer instanceof ArrayBuffer);
