/** Elementary functions of one argument and the rounding family, one row each. */
export {};
