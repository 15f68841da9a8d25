/** Layers of neural networks as functions. */
export {};
