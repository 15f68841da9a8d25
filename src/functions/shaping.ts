/** Arrays from one array by moving, repeating, padding and splitting. */
export {};
