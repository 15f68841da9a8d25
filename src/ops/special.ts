/** Special functions, one row each: the error functions, the gamma family, Bessel's i0, sinc. */
import * as E from "../expr.ts";
import { type Unary, unary } from "../op.ts";
import * as special from "../scalar/special.ts";
import * as scalar from "../scalar.ts";
import { absorb, add, clip, exp, multiply, negative, square } from "./pointwise.ts";

/** A family of rows, one for each order of a derivative, made when they are first asked for. */
/* @__NO_SIDE_EFFECTS__ */
function byOrder(make: (order: number) => Unary): (order: number) => Unary {
  const rows: Unary[] = [];
  return order => (rows[order] ??= make(order));
}

// ---- error functions

/** 2/√π·e^(-x²): the slope of erf. */
const erfSlope: Unary = unary("erfSlope", {
  value: (x, t) => {
    // x² in two parts, of which the first is exact: its error counts x² times in the result.
    const head = E.high(x);
    const rest = E.mul(E.sub(x, head), E.add(x, head));
    const y = E.mul(scalar.exp(E.neg(E.mul(head, head)), t), E.mul(scalar.exp(E.neg(rest), t), 2 / Math.sqrt(Math.PI)));
    return E.select(E.eq(E.abs(x), Number.POSITIVE_INFINITY), 0, y);
  },
  // Beyond 40 y is 0, and no infinity may meet it.
  grad: (g, y, x) => [absorb(g, multiply(y, multiply(-2, clip(x, -40, 40))))],
  dtype: "float",
});

/**
 * The error function of each element. MXNet's npx.erf.
 * @example npx.erf([0, 1]) // array([0.       , 0.8427008])
 */
export const erf: Unary = unary("erf", {
  value: (x, t) => scalar.erf(x, t),
  grad: (g, _, x) => [absorb(g, erfSlope(x))],
  dtype: "float",
});

/**
 * 1 - erf(x) of each element, with every digit also where that is small. SciPy's special.erfc.
 * @example npx.erfc([0, 3]) // array([1.0000000e+00, 2.2090497e-05])
 */
export const erfc: Unary = unary("erfc", {
  value: (x, t) => scalar.erfc(x, t),
  grad: (g, _, x) => [negative(absorb(g, erfSlope(x)))],
  dtype: "float",
});

/**
 * The number whose error function each element is, ±inf at ±1, NaN beyond. MXNet's npx.erfinv.
 * @example npx.erfinv([0, 0.5]) // array([0.        , 0.47693628])
 */
export const erfinv: Unary = unary("erfinv", {
  value: (x, t) => special.erfinv(x, t),
  grad: (g, y) => [absorb(g, multiply(Math.sqrt(Math.PI) / 2, exp(square(y))))],
  dtype: "float",
  domain: [-0.8, 0.8],
});

// ---- the gamma family

/** The derivatives of digamma, by order; digamma itself for 0. @internal */
export const polygamma: (order: number) => Unary = byOrder(n =>
  unary(n === 0 ? "digamma" : `polygamma${n}`, {
    value: (x, t) => special.polygamma(n, x, t),
    grad: (g, _, x) => [absorb(g, polygamma(n + 1)(x))],
    dtype: "float",
    domain: [0.5, 3],
  }),
);

/**
 * The slope of gammaln at each element; at 0 it is infinite, at negative whole numbers NaN. MXNet's npx.digamma.
 * @example npx.digamma([1, 2]) // array([-0.5772158 ,  0.42278433])
 */
export const digamma: Unary = polygamma(0);

/**
 * The gamma function of each element: (x - 1)! of whole numbers; at 0 it is infinite, at negative whole numbers NaN.
 * MXNet's npx.gamma.
 * @example npx.gamma([1, 5, 0.5]) // array([ 1.       , 24.       ,  1.7724539])
 */
export const gamma: Unary = unary("gamma", {
  value: (x, t) => special.gamma(x, t),
  grad: (g, y, x) => [absorb(g, multiply(y, digamma(x)))],
  dtype: "float",
  domain: [0.5, 3],
});

/**
 * The logarithm of the absolute value of the gamma function of each element; infinite at 0 and negative whole numbers.
 * MXNet's npx.gammaln.
 * @example npx.gammaln([1, 5]) // array([0.      , 3.178054])
 */
export const gammaln: Unary = unary("gammaln", {
  value: (x, t) => special.gammaln(x, t),
  grad: (g, _, x) => [absorb(g, digamma(x))],
  dtype: "float",
  domain: [0.5, 3],
});

// ---- the others

const bessel = byOrder(n =>
  unary(`i${n}`, {
    value: (x, t) => special.bessel(n, x, t),
    grad: (g, _, x) => [absorb(g, n === 0 ? bessel(1)(x) : multiply(0.5, add(bessel(n - 1)(x), bessel(n + 1)(x))))],
    dtype: "float",
  }),
);

/**
 * The modified Bessel function of order 0 of each element. NumPy's i0.
 * @example np.i0([0, 1]) // array([1.       , 1.2660658])
 */
export const i0: Unary = bessel(0);

const sincs = byOrder(n =>
  unary(n === 0 ? "sinc" : `sinc${n}`, {
    value: (x, t) => special.sinc(n, x, t),
    grad: (g, _, x) => [absorb(g, sincs(n + 1)(x))],
    dtype: "float",
  }),
);

/**
 * sin(πx)/(πx) of each element, 1 at 0; the derivatives of all orders are right at 0 too. NumPy's sinc.
 * @example np.sinc([0, 0.5, 1]) // array([1.        , 0.63661975, 0.        ])
 */
export const sinc: Unary = sincs(0);
