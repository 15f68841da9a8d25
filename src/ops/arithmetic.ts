/** Arithmetic of two operands beyond the four operations: remainders, extremes, bits, logic; one row each. */
export {};
