/**
 * Elementary functions as expressions of the machine operations, for float32 and float64 lanes. Knows operands and the
 * lane's dtype code; nothing of operators, derivatives or kernels.
 *
 * Every operation rounds to the lane, so digits beyond it are kept in a second lane where a result needs them. Both
 * sides of a `select` are computed: what is garbage beyond a formula's range is selected away, never avoided.
 * A clamp is written select(hi < x, hi, x), which lets NaN through and is one instruction on most machines.
 */
import { F32 } from "./dtype.ts";
import {
  abs,
  add,
  and,
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
  type Operand,
  or,
  piQuadrant,
  piRemainder,
  pow2,
  rare,
  select,
  sqrt,
  sub,
  toExpr,
  xor,
} from "./expr.ts";
import {
  atLeast,
  atMost,
  cosReduced,
  INF,
  isNegative,
  isOdd,
  log2Pair,
  odd,
  of,
  poly,
  powerOfTwo,
  scale,
  sinReduced,
  splitLog,
} from "./scalar/parts.ts";
import {
  ARCCOSH,
  ARCSIN,
  ARCTAN,
  ARCTANH,
  CBRT,
  ERF,
  ERFC,
  ERFC_CENTRE_HIGH,
  ERFC_CENTRE_LOW,
  EXP,
  EXP2,
  type Lanes,
  LOG,
  SINH,
  TAN,
  TANH,
} from "./scalar/tables.ts";

// ln 2 and log₁₀ 2 in two parts, the first with so few bits that its product with an exponent is exact.
const LN2_HIGH: Lanes<number> = [0.693145751953125, 0.6931471805598903];
const LN2_LOW: Lanes<number> = [1.428606765330187e-6, 5.497923018708371e-14];
const LOG10_2_HIGH: Lanes<number> = [0.301025390625, 0.30102999566395283];
const LOG10_2_LOW: Lanes<number> = [4.605039066518657e-6, 2.8363394551044964e-14];

/** The least exponent that pow2 takes. */
const MIN_EXPONENT: Lanes<number> = [-126, -1022];

// Beyond these eˣ overflows even halved, or is less than half of the least subnormal.
const EXP_MAX: Lanes<number> = [90, 711];
const EXP_MIN: Lanes<number> = [-105, -746];
const clampExp = (x: Expr, dtype: number): Expr => atLeast(atMost(x, of(EXP_MAX, dtype)), of(EXP_MIN, dtype));

/**
 * The parts of e^(x - low) = 2ⁿ(1 + r + t) with |r| <= ln(2)/2, where low is far below x. r is rest - tail, and rest is
 * exact.
 */
function splitExp(x: Expr, dtype: number, low?: Expr) {
  const n = nearest(mul(low === undefined ? x : sub(x, low), Math.LOG2E));
  const rest = sub(x, mul(n, of(LN2_HIGH, dtype)));
  const below = mul(n, of(LN2_LOW, dtype));
  const tail = low === undefined ? below : add(below, low);
  const r = sub(rest, tail);
  return { n, rest, tail, r, t: mul(mul(r, r), poly(r, of(EXP, dtype))) };
}

export function exp(x: Operand, dtype: number): Expr {
  const { n, r, t } = splitExp(clampExp(toExpr(x), dtype), dtype);
  return scale(add(1, add(r, t)), n);
}

export function exp2(x: Operand, dtype: number): Expr {
  const limit = dtype === F32 ? 160 : 1100;
  const a = atLeast(atMost(toExpr(x), limit), -limit);
  const n = nearest(a);
  const r = sub(a, n);
  return scale(add(1, mul(r, poly(r, of(EXP2, dtype)))), n);
}

export function expm1(x: Operand, dtype: number): Expr {
  const a = toExpr(x);
  // Below -40 the result is -1 in both lanes.
  const { n, rest, tail, t } = splitExp(atLeast(atMost(a, of(EXP_MAX, dtype)), -40), dtype);
  // Near overflow 2ⁿ is beyond the normal numbers: an eighth of it there, and the 1 subtracted is far below the last digit.
  const large = gt(n, 100);
  const s = pow2(sub(n, select(large, 3, 0)));
  const y = add(add(sub(s, 1), mul(s, rest)), mul(s, sub(t, tail)));
  return select(eq(a, 0), a, mul(y, select(large, 8, 1)));
}

/** e^|x|/2, which overflows later than e^|x|. */
function halfExp(x: Expr, dtype: number): Expr {
  const { n, rest, tail, t } = splitExp(atMost(abs(x), of(EXP_MAX, dtype)), dtype);
  return scale(mul(add(1, add(rest, sub(t, tail))), 0.5), n);
}

export function sinh(x: Operand, dtype: number): Expr {
  const a = toExpr(x);
  const z = mul(a, a);
  const small = add(a, mul(mul(a, z), poly(z, of(SINH, dtype))));
  const half = halfExp(a, dtype);
  const large = sub(half, div(0.25, half));
  return select(lt(abs(a), 1), small, select(lt(a, 0), neg(large), large));
}

export function cosh(x: Operand, dtype: number): Expr {
  const half = halfExp(toExpr(x), dtype);
  return add(half, div(0.25, half));
}

export function tanh(x: Operand, dtype: number): Expr {
  const a = toExpr(x);
  const z = mul(a, a);
  // x(1 + …), not x + x(…), which would make 0 of -0.
  const small = mul(a, poly(z, [1, ...of(TANH, dtype)]));
  const size = abs(a);
  const { n, r, t } = splitExp(mul(atMost(size, 20), 2), dtype); // above 20 the result is 1
  const large = sub(1, div(2, add(mul(add(1, add(r, t)), pow2(n)), 1)));
  return select(lt(size, 0.55), small, select(lt(a, 0), neg(large), large));
}

/** e^-|x|, and what the last rounding lost of it. */
function expNegative(x: Expr, dtype: number): { e: Expr; lost: Expr } {
  const { n, rest, tail, t } = splitExp(atLeast(neg(abs(x)), of(EXP_MIN, dtype)), dtype);
  const d = add(rest, sub(t, tail));
  const p = add(1, d);
  return { e: scale(p, n), lost: mul(sub(d, sub(p, 1)), pow2(atLeast(n, of(MIN_EXPONENT, dtype)))) };
}

export function sigmoid(x: Operand, dtype: number): Expr {
  const a = toExpr(x);
  const { e, lost } = expNegative(a, dtype);
  const inverse = div(1, add(e, 1));
  const q = mul(e, inverse);
  // A step of Newton's for q·(1 + e) = e: three roundings, where e is just above a power of 2 and q below, are too many.
  const y = add(q, mul(inverse, add(sub(sub(e, q), mul(q, e)), mul(lost, inverse))));
  return select(lt(a, 0), y, sub(1, y));
}

/** log(1 + f) is f less this, for a 1 + f in [√½, √2]. */
function logShortfall(f: Expr, dtype: number): Expr {
  // With s = f/(2 + f), log(1 + f) = 2·artanh(s) = 2s + s³P(s²), and 2s = f - s·f.
  const s = div(f, add(f, 2));
  const z = mul(s, s);
  return mul(s, sub(f, mul(z, poly(z, of(LOG, dtype)))));
}

/** log(1 + f) + n·ln 2 */
const joinLog = (f: Expr, n: Expr, dtype: number): Expr =>
  add(mul(n, of(LN2_HIGH, dtype)), sub(f, sub(logShortfall(f, dtype), mul(n, of(LN2_LOW, dtype)))));

/** The result where 0 < x < ∞, and what every logarithm gives elsewhere. */
const logDomain = (x: Expr, result: Expr): Expr =>
  select(and(gt(x, 0), lt(x, INF)), result, select(eq(x, 0), -INF, select(lt(x, 0), Number.NaN, x)));

export function log(x: Operand, dtype: number): Expr {
  const a = toExpr(x);
  const { m, n } = splitLog(a, dtype);
  return logDomain(a, joinLog(sub(m, 1), n, dtype));
}

// In log₂ and log₁₀ the coefficient of f is split into a power of 2 and the rest, so that its rounding does not count.
export function log2(x: Operand, dtype: number): Expr {
  const a = toExpr(x);
  const { m, n } = splitLog(a, dtype);
  const f = sub(m, 1);
  const rest = sub(mul(f, Math.LOG2E - 1), mul(logShortfall(f, dtype), Math.LOG2E));
  return logDomain(a, add(n, add(f, rest)));
}

export function log10(x: Operand, dtype: number): Expr {
  const a = toExpr(x);
  const { m, n } = splitLog(a, dtype);
  const f = sub(m, 1);
  const rest = sub(mul(f, Math.LOG10E - 0.5), mul(logShortfall(f, dtype), Math.LOG10E));
  return logDomain(a, add(mul(n, of(LOG10_2_HIGH, dtype)), add(mul(f, 0.5), add(rest, mul(n, of(LOG10_2_LOW, dtype))))));
}

/** log(1 + x) for a finite x > -1, plus `more` times ln 2. */
function logOnePlus(x: Expr, dtype: number, more?: Expr): Expr {
  const u = add(1, x);
  const lost = sub(x, sub(u, 1));
  const n = exponent(u);
  // For huge x the exponent is beyond the range of pow2, and what was lost does not matter.
  const f = add(sub(mantissa(u), 1), mul(lost, pow2(atLeast(neg(n), of(MIN_EXPONENT, dtype)))));
  return joinLog(f, more === undefined ? n : add(n, more), dtype);
}

export function log1p(x: Operand, dtype: number): Expr {
  const a = toExpr(x);
  const regular = and(and(gt(a, -1), lt(a, INF)), ne(a, 0));
  return select(regular, logOnePlus(a, dtype), select(eq(a, -1), -INF, select(lt(a, -1), Number.NaN, a)));
}

export function softplus(x: Operand, dtype: number): Expr {
  const a = toExpr(x);
  return add(select(gt(a, 0), a, 0), logOnePlus(expNegative(a, dtype).e, dtype));
}

// Above this 1 is nothing beside x², which may overflow.
const HUGE: Lanes<number> = [2 ** 30, 2 ** 60];

export function arcsinh(x: Operand, dtype: number): Expr {
  const a = toExpr(x);
  const size = abs(a);
  const huge = gt(size, of(HUGE, dtype));
  const z = mul(size, size);
  const u = select(huge, size, add(size, div(z, add(1, sqrt(add(1, z))))));
  return select(lt(size, INF), odd(a, logOnePlus(u, dtype, select(huge, 1, 0))), a);
}

export function arccosh(x: Operand, dtype: number): Expr {
  const a = toExpr(x);
  const t = sub(a, 1);
  const root = sqrt(add(t, t));
  const small = add(root, mul(mul(root, t), poly(t, of(ARCCOSH, dtype))));
  const huge = gt(a, of(HUGE, dtype));
  const u = select(huge, a, add(a, sqrt(mul(t, add(t, 2)))));
  const large = joinLog(sub(mantissa(u), 1), add(exponent(u), select(huge, 1, 0)), dtype);
  return select(lt(t, 1), small, select(lt(a, INF), large, a));
}

export function arctanh(x: Operand, dtype: number): Expr {
  const a = toExpr(x);
  const z = mul(a, a);
  const small = add(a, mul(mul(a, z), poly(z, of(ARCTANH, dtype))));
  const size = abs(a);
  const u = div(add(1, size), sub(1, size));
  const log = mul(joinLog(sub(mantissa(u), 1), exponent(u), dtype), 0.5);
  const large = select(lt(size, 1), log, select(eq(size, 1), INF, Number.NaN));
  return select(lt(size, 0.5), small, select(lt(a, 0), neg(large), large));
}

/** Below this |x| the reduction by π/2 below is good to the last digit; beyond it `rare` takes the exact one. */
const TRIG_LIMIT = 2 ** 20 * Math.PI;

// π/2 in parts, for float64 of 31 bits each but the last: n < 2²² times a part is exact.
const HALF_PI_64 = [1.5707963267341256, 6.07710049817245e-11, 8.333742909677158e-20, 8.843720566135701e-29] as const;
// For float32, where n is 2¹¹·big + small, parts of 11 bits; the last of each list is all the rest.
const HALF_PI_SMALL = [1.5703125, 0.00048351287841796875, 3.1385570764541626e-7, 6.070877134334296e-11, 6.223371969669989e-14] as const;
const HALF_PI_BIG = [
  3216, 0.990234375, 0.0006427764892578125, 1.2433156371116638e-7, 1.2744294508593157e-10, 1.1716994900907475e-14,
] as const;

/** x - n·π/2 in [-π/4, π/4], to the last digit also where it is tiny, and n, both good up to TRIG_LIMIT. */
function reduceFast(x: Expr, dtype: number): { r: Expr; n: Expr } {
  if (dtype !== F32) {
    const n = nearest(mul(x, 2 / Math.PI));
    return { r: HALF_PI_64.reduce<Expr>((r, part) => sub(r, mul(n, part)), x), n };
  }
  const big = nearest(mul(x, 2 / Math.PI / 2 ** 11));
  const b = HALF_PI_BIG.map(part => mul(big, part)) as [Expr, Expr, Expr, Expr, Expr, Expr];
  const rough = sub(sub(x, b[0]), b[1]);
  const n = nearest(mul(sub(rough, b[2]), 2 / Math.PI)); // big·2¹¹ is a multiple of 4
  const s = HALF_PI_SMALL.map(part => mul(n, part)) as [Expr, Expr, Expr, Expr, Expr];
  // All sums of products and the first two differences are exact; of the next two, what rounding loses joins the last.
  const r2 = sub(sub(rough, s[0]), add(s[1], b[2]));
  const d3 = add(s[2], b[3]);
  const r3 = sub(r2, d3);
  const d4 = add(s[3], b[4]);
  const r4 = sub(r3, d4);
  const lost = add(sub(sub(r2, r3), d3), sub(sub(r3, r4), d4));
  return { r: add(r4, sub(lost, add(s[4], b[5]))), n };
}

function reduceTrig(x: Expr, dtype: number): { r: Expr; n: Expr } {
  const fast = reduceFast(x, dtype);
  const far = gt(abs(x), TRIG_LIMIT);
  return { r: rare(far, fast.r, piRemainder(x)), n: rare(far, fast.n, piQuadrant(x)) };
}

export function sin(x: Operand, dtype: number): Expr {
  const a = toExpr(x);
  const { r, n } = reduceTrig(a, dtype);
  const z = mul(r, r);
  const y = select(isOdd(n), cosReduced(z, dtype), sinReduced(r, z, dtype));
  return select(eq(a, 0), a, select(isOdd(floor(mul(n, 0.5))), neg(y), y));
}

export function cos(x: Operand, dtype: number): Expr {
  const { r, n } = reduceTrig(toExpr(x), dtype);
  const z = mul(r, r);
  const y = select(isOdd(n), sinReduced(r, z, dtype), cosReduced(z, dtype));
  return select(isOdd(floor(mul(add(n, 1), 0.5))), neg(y), y);
}

export function tan(x: Operand, dtype: number): Expr {
  const a = toExpr(x);
  const { r, n } = reduceTrig(a, dtype);
  // What the rounding of z = r² loses counts near π/4, where it moves the first coefficient by 0.8 of itself.
  const rh = high(r);
  const rl = sub(r, rh);
  const square = mul(rh, rh);
  const cross = mul(rl, add(r, rh));
  const z = add(square, cross);
  const lost = add(sub(square, z), cross);
  const [first, ...others] = of(TAN, dtype);
  const excess = mul(mul(r, z), add(first!, add(mul(z, poly(z, others)), mul(lost, 0.8))));
  const t = add(r, excess);
  // For odd n the result is -1/t, where t and the quotient may not be rounded: y has half of the lane's digits, and
  // y(1 + short + short²) is the rest of it.
  const th = high(t);
  const tl = add(sub(r, th), excess);
  const y = high(div(-1, t));
  const short = add(add(1, mul(y, th)), mul(y, tl));
  const inverted = add(y, mul(y, add(short, mul(short, short))));
  return select(eq(a, 0), a, select(isOdd(n), inverted, t));
}

const HALF_PI_HIGH: Lanes<number> = [1.5707963705062866, 1.5707963267948966];
const HALF_PI_LOW: Lanes<number> = [-4.371138828673793e-8, 6.123233995736766e-17];

/** arcsin(s) - s for |s| <= 1/2 */
function arcsinExcess(s: Expr, z: Expr, dtype: number): Expr {
  return mul(mul(s, z), poly(z, of(ARCSIN, dtype)));
}

export function arcsin(x: Operand, dtype: number): Expr {
  const a = toExpr(x);
  const size = abs(a);
  const small = lt(size, 0.5);
  // arcsin(x) = π/2 - 2·arcsin(√((1 - x)/2))
  const z = select(small, mul(a, a), mul(sub(1, size), 0.5));
  const s = select(small, a, sqrt(z));
  const excess = arcsinExcess(s, z, dtype);
  const large = sub(of(HALF_PI_HIGH, dtype), mul(add(s, sub(excess, of(HALF_PI_LOW, dtype) / 2)), 2));
  return select(small, add(a, excess), select(lt(a, 0), neg(large), large));
}

export function arccos(x: Operand, dtype: number): Expr {
  const a = toExpr(x);
  const size = abs(a);
  const small = lt(size, 0.5);
  const z = select(small, mul(a, a), mul(sub(1, size), 0.5));
  const s = select(small, a, sqrt(z));
  const excess = arcsinExcess(s, z, dtype);
  const middle = sub(sub(of(HALF_PI_HIGH, dtype), s), sub(excess, of(HALF_PI_LOW, dtype)));
  const end = add(s, excess);
  return select(small, middle, mul(select(lt(a, 0), sub(of(HALF_PI_HIGH, dtype), sub(end, of(HALF_PI_LOW, dtype))), end), 2));
}

/** arctan(t) + turns·π/2 for |t| <= 1 */
function arctanPlus(t: Expr, turns: Expr, dtype: number): Expr {
  const z = mul(t, t);
  const excess = mul(mul(t, z), poly(z, of(ARCTAN, dtype)));
  return add(add(mul(turns, of(HALF_PI_HIGH, dtype)), t), add(excess, mul(turns, of(HALF_PI_LOW, dtype))));
}

export function arctan(x: Operand, dtype: number): Expr {
  const a = toExpr(x);
  const size = abs(a);
  const steep = gt(size, 1);
  const t = div(select(steep, -1, size), select(steep, size, 1));
  return odd(a, arctanPlus(t, select(steep, 1, 0), dtype));
}

export function arctan2(y: Operand, x: Operand, dtype: number): Expr {
  const a = toExpr(y);
  const b = toExpr(x);
  const height = abs(a);
  const width = abs(b);
  const steep = gt(height, width);
  const left = isNegative(b);
  const ratio = div(select(steep, width, height), select(steep, height, width));
  // Two infinities count as equal, two zeros as an angle of 0 or π.
  const q = select(eq(height, width), select(eq(height, 0), 0, 1), ratio);
  const t = select(xor(steep, left), neg(q), q);
  const angle = arctanPlus(t, select(steep, 1, select(left, 2, 0)), dtype);
  return select(isNegative(a), neg(angle), angle);
}

// Squares of numbers between these neither overflow nor lose digits; others are scaled there and back.
const HYPOT_MAX: Lanes<number> = [2 ** 60, 2 ** 500];
const HYPOT_MIN: Lanes<number> = [2 ** -40, 2 ** -400];
const HYPOT_DOWN: Lanes<number> = [2 ** -70, 2 ** -600];
const HYPOT_UP: Lanes<number> = [2 ** 100, 2 ** 700];

export function hypot(x: Operand, y: Operand, dtype: number): Expr {
  const a = abs(x);
  const b = abs(y);
  const larger = select(lt(a, b), b, a);
  const factor = select(
    gt(larger, of(HYPOT_MAX, dtype)),
    of(HYPOT_DOWN, dtype),
    select(lt(larger, of(HYPOT_MIN, dtype)), of(HYPOT_UP, dtype), 1),
  );
  const p = mul(a, factor);
  const q = mul(b, factor);
  const size = div(sqrt(add(mul(p, p), mul(q, q))), factor);
  return select(or(eq(a, INF), eq(b, INF)), INF, size);
}

export function cbrt(x: Operand, dtype: number): Expr {
  const a = toExpr(x);
  const { m, n } = splitLog(abs(a), dtype);
  const third = nearest(mul(n, 1 / 3));
  const v = mul(m, pow2(sub(n, mul(third, 3))));
  // Halley's step cubes the error of the guess, 2⁻⁹.
  const improve = (y: Expr): Expr => {
    const cube = mul(mul(y, y), y);
    return add(y, div(mul(y, sub(v, cube)), add(add(cube, cube), v)));
  };
  const guess = poly(v, CBRT);
  const root = dtype === F32 ? improve(guess) : improve(improve(guess));
  return select(lt(abs(a), INF), odd(a, mul(root, pow2(third))), a);
}

const ERF_MIDDLE = 0.8;

/** erf(x) - x where |x| < ERF_MIDDLE */
function erfExcess(x: Expr, dtype: number): Expr {
  return mul(x, poly(mul(x, x), of(ERF, dtype)));
}

/** erfc(x) for x >= ERF_MIDDLE: e^(-x²)·w·G(w) with w = 1/(x + 1.625) and a G around 1 */
function erfcTail(x: Expr, dtype: number): Expr {
  const a = atMost(x, dtype === F32 ? 10.2 : 27.4);
  // w is wh(1 + wl), where wh has half of the lane's digits.
  const d = add(a, 1.625);
  const dh = high(d);
  const wh = high(div(1, d));
  const short = sub(sub(1, mul(wh, dh)), mul(wh, sub(a, sub(dh, 1.625))));
  const wl = add(short, mul(short, short));
  const u = add(sub(wh, of(ERFC_CENTRE_HIGH, dtype)), sub(mul(wh, wl), of(ERFC_CENTRE_LOW, dtype)));
  const g = mul(u, poly(u, of(ERFC, dtype)));
  // a² = square + low
  const ah = high(a);
  const square = mul(ah, ah);
  const low = mul(sub(a, ah), add(a, ah));
  const { n, rest, tail, r, t } = splitExp(neg(square), dtype, low);
  // 1 + rest + e is e^(-a²)·2⁻ⁿ(1 + wl), and 1 + g is gh + gl. The product wh·gh is exact; the sum begins with what is small.
  const e = add(sub(t, tail), mul(wl, add(1, add(r, t))));
  const gh = high(add(1, g));
  const gl = sub(g, sub(gh, 1));
  const main = mul(wh, gh);
  const small = add(mul(main, e), mul(mul(wh, gl), add(1, add(rest, e))));
  return scale(add(main, add(mul(main, rest), small)), n);
}

export function erf(x: Operand, dtype: number): Expr {
  const a = toExpr(x);
  const size = abs(a);
  const large = sub(1, erfcTail(size, dtype));
  return select(lt(size, ERF_MIDDLE), add(a, erfExcess(a, dtype)), select(lt(a, 0), neg(large), large));
}

export function erfc(x: Operand, dtype: number): Expr {
  const a = toExpr(x);
  const size = abs(a);
  const tail = erfcTail(size, dtype);
  return select(lt(size, ERF_MIDDLE), sub(sub(1, a), erfExcess(a, dtype)), select(lt(a, 0), sub(2, tail), tail));
}

export function power(x: Operand, y: Operand, dtype: number): Expr {
  const base = toExpr(x);
  const index = toExpr(y);
  const a = abs(base);
  const { m, n } = splitLog(a, dtype);
  const { h, l } = log2Pair(m, n, dtype);
  // |log₂ a| is at least the distance of 1 to its neighbour, so beyond this bound every power saturates.
  const bound = dtype === F32 ? 2 ** 33 : 2 ** 65;
  const w = atLeast(atMost(index, bound), -bound);
  const { p, k } = powerOfTwo(w, h, l, dtype);
  const size = scale(p, k);

  const integral = eq(floor(index), index);
  const flips = and(integral, isOdd(index));
  const finite = select(lt(base, 0), select(flips, neg(size), select(integral, size, Number.NaN)), size);
  // For x = ±0 or ±∞ (and NaN), x or 1/x has the size and for an odd y the sign.
  const limiting = select(gt(index, 0), base, div(1, base));
  const any = select(and(gt(a, 0), lt(a, INF)), finite, select(flips, limiting, abs(limiting)));
  return select(or(eq(index, 0), eq(base, 1)), 1, select(eq(index, index), any, index));
}
