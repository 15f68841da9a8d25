/** Activation functions of neural networks, one row each. */
export {};
