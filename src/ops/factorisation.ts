/** Factorisations of matrices, as routines whose rules are written in public operators. */
export {};
