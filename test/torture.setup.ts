/**
 * Before a test file of the project "torture": the smallest memory, so that arrays are moved out and come back all the
 * time, and views that are renewed at every allocation. Knows no test.
 */
import { setTorture } from "../src/backend/wasm/heap.ts";

setTorture();
