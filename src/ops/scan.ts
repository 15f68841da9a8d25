/** Running sums and products along an axis, with their adjoints. */
export {};
