/**
 * What the functions of scalar.ts and special.ts share: clamps, polynomials, and numbers taken apart and put together again.
 */
import { F32 } from "../dtype.ts";
import {
  add,
  div,
  type Expr,
  eq,
  exponent,
  floor,
  gt,
  high,
  lt,
  mantissa,
  mul,
  ne,
  nearest,
  neg,
  or,
  pow2,
  select,
  sub,
  toExpr,
} from "../expr.ts";
import { COS, EXP2, type Lanes, LOG_TAIL, SIN } from "./tables.ts";

export const INF = Number.POSITIVE_INFINITY;

export const of = <T>(table: Lanes<T>, dtype: number): T => (dtype === F32 ? table[0] : table[1]);

/** c₀ + c₁x + c₂x² + … by Horner's rule. */
export const poly = (x: Expr, c: readonly number[]): Expr =>
  c.slice(0, -1).reduceRight<Expr>((sum, ci) => add(ci, mul(x, sum)), toExpr(c.at(-1)!));

export const atMost = (x: Expr, hi: number): Expr => select(lt(hi, x), hi, x);
export const atLeast = (x: Expr, lo: number): Expr => select(lt(x, lo), lo, x);

/** The value of an odd function at x from y, its value at |x|. */
export const odd = (x: Expr, y: Expr): Expr => select(gt(x, 0), y, select(lt(x, 0), neg(y), x));

/** p·2ⁿ, in two steps, because 2ⁿ alone may be beyond the normal numbers where the product is not. */
export function scale(p: Expr, n: Expr): Expr {
  const half = nearest(mul(n, 0.5));
  return mul(mul(p, pow2(half)), pow2(sub(n, half)));
}

const MIN_NORMAL: Lanes<number> = [2 ** -126, 2 ** -1022];
const SUBNORMAL_SHIFT: Lanes<number> = [24, 54];

/** m and n of a positive finite x = m·2ⁿ with m in [√½, √2). */
export function splitLog(x: Expr, dtype: number) {
  const subnormal = lt(x, of(MIN_NORMAL, dtype));
  const shift = of(SUBNORMAL_SHIFT, dtype);
  const normal = mul(x, select(subnormal, 2 ** shift, 1));
  return { m: mantissa(normal), n: sub(exponent(normal), select(subnormal, shift, 0)) };
}

export const sinReduced = (r: Expr, z: Expr, dtype: number): Expr => add(r, mul(mul(r, z), poly(z, of(SIN, dtype))));
export const cosReduced = (z: Expr, dtype: number): Expr => add(sub(1, mul(z, 0.5)), mul(mul(z, z), poly(z, of(COS, dtype))));

/** Whether an integer is odd. */
export function isOdd(n: Expr): Expr {
  const half = mul(n, 0.5);
  return ne(half, floor(half));
}

// 2/(3·ln 2), whole and in two parts.
const LOG2_SCALE = 2 / (3 * Math.LN2);
const LOG2_SCALE_HIGH: Lanes<number> = [0.961669921875, 0.9617966860532761];
const LOG2_SCALE_LOW: Lanes<number> = [0.00012677205086220056, 7.872699542894897e-9];

/** log₂(m·2ⁿ) as h + l, h with half of the lane's digits; relative error 2⁻³⁴ (float32), 2⁻⁶⁴ (float64). */
export function log2Pair(m: Expr, n: Expr, dtype: number): { h: Expr; l: Expr } {
  // s = (m - 1)/(m + 1) = sh + sl
  const f = sub(m, 1);
  const d = add(m, 1);
  const dh = high(d);
  const dl = sub(m, sub(dh, 1));
  const inverse = div(1, d);
  const s = mul(f, inverse);
  const sh = high(s);
  const sl = mul(sub(sub(f, mul(sh, dh)), mul(sh, dl)), inverse);
  // 3·artanh(s)/s = 3 + s² + z²P(z) = th + tl
  const z = mul(s, s);
  const sh2 = mul(sh, sh);
  const rest = add(mul(mul(z, z), poly(z, of(LOG_TAIL, dtype))), mul(sl, add(sh, s)));
  const th = high(add(3, add(sh2, rest)));
  const tl = sub(rest, sub(sub(th, 3), sh2));
  // s·(th + tl) = ph + pl
  const u = mul(sh, th);
  const v = add(mul(sl, th), mul(tl, s));
  const ph = high(add(u, v));
  const pl = sub(v, sub(ph, u));
  // times 2/(3·ln 2), plus n
  const q = mul(ph, of(LOG2_SCALE_HIGH, dtype));
  const ql = add(mul(ph, of(LOG2_SCALE_LOW, dtype)), mul(pl, LOG2_SCALE));
  const h = high(add(add(q, ql), n));
  return { h, l: sub(ql, sub(sub(h, n), q)) };
}

/** 2^(w·(h + l) + more) as p·2ᵏ, for an h with half of the lane's digits; far beyond the range of the lane it saturates. */
export function powerOfTwo(w: Expr, h: Expr, l: Expr, dtype: number, more?: Expr): { p: Expr; k: Expr } {
  const wh = high(w);
  const limit = dtype === F32 ? 250 : 2000;
  const wide = mul(wh, h);
  const main = atLeast(atMost(wide, limit), -limit);
  const low = add(mul(sub(w, wh), h), mul(w, l));
  const rest = select(eq(main, wide), more === undefined ? low : add(low, more), 0);
  const k = nearest(add(main, rest));
  const r = add(sub(main, k), rest);
  return { p: add(1, mul(r, poly(r, of(EXP2, dtype)))), k };
}

/** Whether a number is below 0, or is -0; a NaN is not. */
export const isNegative = (x: Expr): Expr => or(lt(x, 0), lt(div(1, x), 0));
