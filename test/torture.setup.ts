/**
 * Before a test file of the project "torture": the smallest memory, so that arrays are moved out and come back all the
 * time, and views that are renewed at every allocation. It is not shared, so that a view of yesterday is an error and no
 * thread is there. Knows no test.
 */
Reflect.deleteProperty(globalThis, "SharedArrayBuffer");
const { setTorture } = await import("../src/backend/wasm/heap.ts");

setTorture();
