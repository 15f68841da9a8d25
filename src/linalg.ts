/** What `np.linalg` has. A contents page. */
export { norm } from "./ops/linalg.ts";
