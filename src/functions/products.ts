/** Products of tensors, and what signals and polynomials are multiplied with. */
export {};
