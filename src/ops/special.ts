/** Special functions, one row each: the error functions, the gamma family, Bessel's i0, sinc. */
export {};
