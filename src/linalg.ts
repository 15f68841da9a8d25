/** What `np.linalg` has. A contents page. */
export { norm } from "./functions/products.ts";
