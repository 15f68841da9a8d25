/** What `np.linalg` has. A contents page. */
export { cholesky, cond, det, eigh, eigvalsh, matrixRank, qr, slogdet, svd } from "./functions/linalg/decompositions.ts";
export { inv, lstsq, matrixPower, multiDot, pinv, solve, tensorinv, tensorsolve } from "./functions/linalg/systems.ts";
export { norm } from "./functions/products.ts";
