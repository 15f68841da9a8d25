/**
 * Special functions as expressions, and with them the derivatives of those whose derivatives are functions of their own.
 * Where a series serves every order, its coefficients are computed when the expression is made.
 */
import { F32 } from "../dtype.ts";
import {
  abs,
  add,
  and,
  constant,
  div,
  type Expr,
  eq,
  gt,
  lt,
  mul,
  nearest,
  neg,
  type Operand,
  select,
  sqrt,
  sub,
  toExpr,
} from "../expr.ts";
import { erf, erfc, exp, expm1, log, log1p } from "../scalar.ts";
import { atMost, cosReduced, INF, isOdd, log2Pair, odd, of, poly, powerOfTwo, scale, sinReduced, splitLog } from "./parts.ts";
import { ERFINV_FAR, ERFINV_NEAR, GAMMALN, type Lanes, STIRLING } from "./tables.ts";

/** What a term may be of the whole before a series is cut off. */
const NEGLIGIBLE: Lanes<number> = [2 ** -27, 2 ** -55];

/** Products of equal factors. */
const raised = (x: Expr, n: number): Expr => (n === 0 ? constant(1) : n === 1 ? x : mul(x, raised(x, n - 1)));

const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));

/** The sine and the cosine of πr, where r is x less the nearest integer n; the cosine is not negative. */
function halfTurn(x: Expr, dtype: number): { n: Expr; r: Expr; sine: Expr; cosine: Expr } {
  const n = nearest(x);
  const r = sub(x, n);
  const size = abs(r);
  const steep = gt(size, 0.25);
  const angle = mul(select(steep, sub(0.5, size), size), Math.PI);
  const z = mul(angle, angle);
  const s = sinReduced(angle, z, dtype);
  const c = cosReduced(z, dtype);
  const sine = select(steep, c, s);
  return { n, r, sine: select(lt(r, 0), neg(sine), sine), cosine: select(steep, s, c) };
}

// ---- the gamma function

/**
 * a >= -1/2 brought to 2 by steps of 1: Γ(a) is Γ(2 + u)/v where `low`, Γ(2 + u)·v where not. From 3.5 on there is no step,
 * and `excess` is not logΓ(2 + u) but what Stirling's formula lacks.
 */
function stepsToTwo(a: Expr, dtype: number): { near: Expr; low: Expr; v: Expr; excess: Expr } {
  const tiny = lt(a, 0.5);
  const low = lt(a, 1.5);
  const middle = lt(a, 2.5);
  const near = lt(a, 3.5);
  const u = sub(a, select(tiny, 0, select(low, 1, select(middle, 2, 3))));
  const v = select(tiny, mul(a, add(a, 1)), select(low, a, select(middle, 1, sub(a, 1))));
  const w = div(1, a);
  const excess = select(near, mul(u, poly(u, of(GAMMALN, dtype))), mul(w, poly(mul(w, w), of(STIRLING, dtype))));
  return { near, low, v, excess };
}

// log₂ e, in two parts, the first with so few bits that its difference from a rounded logarithm is exact.
const LOG2_E_HIGH: Lanes<number> = [1.44140625, 1.4426946640014648];
const LOG2_E_LOW: Lanes<number> = [0.0012887908889634074, 3.768874985636099e-7];

// Γ of this is far beyond the lane.
const GAMMA_MAX: Lanes<number> = [48, 240];

export function gamma(x: Operand, dtype: number): Expr {
  const a = toExpr(x);
  const left = lt(a, -0.5);
  const { n, r, sine } = halfTurn(a, dtype);
  const size = atMost(select(left, neg(a), a), of(GAMMA_MAX, dtype));
  const { near, low, v, excess } = stepsToTwo(size, dtype);
  // Γ = p·2ᵏ/inverse, where p·2ᵏ is (size/e)^size·e^excess, or e^excess.
  const split = splitLog(size, dtype);
  const { h, l } = log2Pair(split.m, split.n, dtype);
  const more = mul(excess, Math.LOG2E);
  const { p, k } = powerOfTwo(select(near, 0, size), sub(h, of(LOG2_E_HIGH, dtype)), sub(l, of(LOG2_E_LOW, dtype)), dtype, more);
  const inverse = select(near, select(low, v, div(1, v)), sqrt(mul(size, 1 / (2 * Math.PI))));
  // Γ(x)·Γ(-x) = -π/(x·sin(πx))
  const reflected = div(mul(inverse, Math.PI), size);
  const turned = mul(select(isOdd(n), neg(sine), sine), p);
  const y = scale(div(select(left, reflected, p), select(left, turned, inverse)), select(left, neg(k), k));
  const pole = and(left, eq(r, 0));
  return select(eq(r, 0), select(pole, Number.NaN, nearest(y)), y);
}

/** log|Γ(a)| for a >= -1/2. */
export function gammalnRight(a: Expr, dtype: number): Expr {
  const { near, low, v, excess } = stepsToTwo(a, dtype);
  const logarithm = log(select(near, abs(v), a), dtype);
  const stirling = add(mul(sub(a, 0.5), sub(logarithm, 1)), Math.log(2 * Math.PI) / 2 - 0.5);
  return add(select(near, select(low, neg(logarithm), logarithm), stirling), excess);
}

/** log|Γ(x)| */
export function gammaln(x: Operand, dtype: number): Expr {
  const a = toExpr(x);
  const left = lt(a, -0.5);
  const size = select(left, neg(a), a);
  const y = gammalnRight(size, dtype);
  const reflected = sub(log(div(Math.PI, mul(size, abs(halfTurn(a, dtype).sine))), dtype), y);
  return select(eq(abs(a), INF), a, select(left, reflected, y));
}

/** B₂ₖ/(2k)! for k >= 1: ±2ζ(2k)/(2π)²ᵏ. */
function bernoulli(k: number): number {
  const first = [1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160][k - 1];
  return first ?? ((k % 2 === 0 ? -2 : 2) * (1 + 4 ** -k + 9 ** -k + 16 ** -k)) / (2 * Math.PI) ** (2 * k);
}

/** The coefficients of (the derivative of this order of cot)/cot^(order even ? 1 : 0) by cot². */
function cotangentDerivative(order: number): number[] {
  let c = [0, 1];
  for (let i = 0; i < order; i++) {
    const slope = c.slice(1).map((ck, k) => ck * (k + 1));
    c = [...slope, 0, 0].map((s, k) => -s - (slope[k - 2] ?? 0));
  }
  return c.filter((_, k) => k % 2 !== order % 2);
}

/** The derivative of digamma of this order; digamma itself for 0. */
export function polygamma(order: number, x: Operand, dtype: number): Expr {
  const a = toExpr(x);
  const left = lt(a, 0);
  const start = select(left, sub(1, a), a);
  // ±ψ is n!·Σ 1/(x + k)^(n+1) for the first few k, and Euler and Maclaurin's formula at z for the rest.
  const steps = order + (dtype === F32 ? 4 : 9);
  const z = add(start, steps);
  const w = div(1, z);
  const coefficients: number[] = [];
  for (let k = 1, rising = order === 0 ? 1 : order * (order + 1); ; k++) {
    const c = bernoulli(k) * rising;
    if (Math.abs(c) < of(NEGLIGIBLE, dtype) * steps ** (2 * k)) break;
    coefficients.push(c);
    rising *= (2 * k + order) * (2 * k + order + 1);
  }
  const w2 = mul(w, w);
  const correction = add(mul(w, Math.max(order, 1) / 2), mul(w2, poly(w2, coefficients)));
  const rest = order === 0 ? sub(correction, log(z, dtype)) : mul(mul(raised(w, order), factorial(order - 1)), add(correction, 1));
  let sum = raised(div(1, add(start, steps - 1)), order + 1);
  for (let k = steps - 2; k >= 0; k--) sum = add(sum, raised(div(1, k === 0 ? start : add(start, k)), order + 1));
  const size = add(mul(sum, factorial(order)), rest);
  // ψ(1 - x) - ψ(x) = π·cot(πx) and its derivatives; at a pole those of odd order are infinite on both sides.
  const { r, sine, cosine } = halfTurn(a, dtype);
  const cotangent = order % 2 === 0 ? select(eq(r, 0), Number.NaN, div(cosine, sine)) : div(cosine, sine);
  const series = poly(
    mul(cotangent, cotangent),
    cotangentDerivative(order).map(c => c * Math.PI ** (order + 1)),
  );
  const reflected = sub(neg(size), order % 2 === 0 ? mul(cotangent, series) : series);
  return select(left, reflected, order % 2 === 0 ? neg(size) : size);
}

// ---- the gamma distribution

/** Where the integrand below is less than e to the minus this, it does not count. */
const DEPTH = 32;

/**
 * How far from 0 the integral of `gammaRatio` by u counts, towards the end of the distribution of shape a >= 1 that is
 * nearer to z: -∞ < u < 0 for z < a, else 0 < u < ∞.
 */
export function gammaReach(z: Operand, a: Operand, dtype: number): Expr {
  // The logarithm is below -bs - z·s²/(2 + s) to the left, s = -u and b = a - z, and below bu - z·u²/2 to the right; for a
  // large u, z·eᵘ says more.
  const b = sub(a, z);
  const half = sub(b, DEPTH / 2);
  const left = div(-2 * DEPTH, add(half, sqrt(add(mul(half, half), mul(a, 2 * DEPTH)))));
  const right = div(2 * DEPTH, sub(sqrt(add(mul(b, b), mul(z, 2 * DEPTH))), b));
  const nearer = log1p(div(add(mul(a, right), DEPTH), z), dtype);
  return select(gt(b, 0), left, select(lt(nearer, right), nearer, right));
}

/** tp(t)/(zp(z)) at t = z·eᵘ for the density p of the gamma distribution of shape a. */
export const gammaRatio = (u: Operand, z: Operand, a: Operand, dtype: number): Expr => exp(sub(mul(a, u), mul(z, expm1(u, dtype))), dtype);

// ---- the others

export function erfinv(x: Operand, dtype: number): Expr {
  const a = toExpr(x);
  const size = abs(a);
  const rest = sub(1, size);
  const w = neg(log(mul(rest, add(1, size)), dtype));
  const ratio = select(lt(w, 5), poly(sub(w, 2.5), ERFINV_NEAR), poly(sub(sqrt(w), 3), of(ERFINV_FAR, dtype)));
  const guess = mul(size, ratio);
  let y = guess;
  if (dtype !== F32) {
    // A step of Halley's, which cubes the error.
    const miss = select(lt(size, 0.5), sub(erf(guess, dtype), size), sub(rest, erfc(guess, dtype)));
    const step = mul(miss, mul(exp(mul(guess, guess), dtype), Math.sqrt(Math.PI) / 2));
    y = sub(guess, div(step, add(1, mul(guess, step))));
  }
  return select(eq(size, 1), div(a, 0), odd(a, y));
}

/** The modified Bessel function Iₙ. */
export function bessel(order: number, x: Operand, dtype: number): Expr {
  const a = toExpr(x);
  const size = abs(a);
  // Not beyond where it overflows the lane.
  const limit = Math.min((dtype === F32 ? 10 : 20) + (order * order) / 2, dtype === F32 ? 90 : 700);
  // Its power series by z = x²/4, in units of a power of 2 above all z.
  const unit = 2 ** Math.ceil(2 * Math.log2(limit / 2));
  const powers: number[] = [];
  for (let k = 0, c = 1, sum = 0; c > of(NEGLIGIBLE, dtype) * sum; c *= unit / (++k * (k + order))) {
    powers.push(c / factorial(order));
    sum += c;
  }
  const half = mul(a, 0.5);
  const small = mul(raised(half, order), poly(mul(mul(half, half), 1 / unit), powers));
  // For large x, eˣ/√(2πx) times a series by 1/x that begins to grow again far behind what counts.
  const inverses: number[] = [];
  for (let k = 0, c = 1; Math.abs(c) > of(NEGLIGIBLE, dtype) * limit ** k; c *= ((2 * k - 1) ** 2 - 4 * order * order) / (8 * k)) {
    inverses.push(c);
    k++;
  }
  const root = exp(mul(size, 0.5), dtype);
  const series = div(poly(div(1, size), inverses), mul(sqrt(size), Math.sqrt(2 * Math.PI)));
  const large = mul(mul(root, series), root);
  return select(lt(size, limit), small, order % 2 === 0 ? large : select(lt(a, 0), neg(large), large));
}

/** The derivative of this order of sin(πx)/(πx). */
export function sinc(order: number, x: Operand, dtype: number): Expr {
  const a = toExpr(x);
  const { n, sine, cosine } = halfTurn(a, dtype);
  const flips = isOdd(n);
  const s = select(flips, neg(sine), sine);
  const c = select(flips, neg(cosine), cosine);
  const u = mul(a, Math.PI);
  // With f = sin(u)/u, u·f⁽ⁿ⁾ + n·f⁽ⁿ⁻¹⁾ is the derivative of order n of the sine.
  let y = div(s, u);
  for (let k = 1; k <= order; k++) y = div(sub([s, c, neg(s), neg(c)][k % 4]!, mul(y, k)), u);
  if (order === 0) return select(eq(a, 0), 1, add(y, 0)); // no -0
  const limit = 1 + order / 2;
  const powers: number[] = [];
  for (let j = order % 2; limit ** j / factorial(j) > of(NEGLIGIBLE, dtype); j += 2)
    powers.push((((j + order) % 4 === 0 ? 1 : -1) * Math.PI ** order) / ((j + order + 1) * factorial(j)));
  const series = poly(mul(u, u), powers);
  return select(lt(abs(u), limit), order % 2 === 0 ? series : mul(u, series), mul(y, Math.PI ** order));
}
