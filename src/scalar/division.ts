/** Quotients and remainders as expressions, exact whatever the sizes of the operands; and scaling by powers of 2. */
import { F32 } from "../dtype.ts";
import {
  abs,
  add,
  and,
  div,
  type Expr,
  eq,
  fmod as exactRemainder,
  floor,
  ge,
  gt,
  high,
  lt,
  mul,
  ne,
  nearest,
  neg,
  type Operand,
  pow2,
  rare,
  select,
  sub,
  toExpr,
  trunc,
  xor,
} from "../expr.ts";
import { atLeast, atMost, isNegative, of, poly, scale } from "./parts.ts";
import { EXP2 } from "./tables.ts";

/** x less the multiple of y next to it on the side of 0, exact. C's and NumPy's fmod. */
export function fmod(x: Operand, y: Operand, dtype: number): Expr {
  const a = toExpr(x);
  const p = abs(a);
  const q = abs(y);
  // A quotient of half of the lane's digits times either half of y is exact, and so are both differences; it may be one too large.
  const n = trunc(div(p, q));
  const h = high(q);
  const rest = sub(sub(p, mul(n, h)), mul(n, sub(q, h)));
  const r = select(lt(rest, 0), add(rest, q), rest);
  const size = rare(ge(n, dtype === F32 ? 2 ** 12 : 2 ** 26), r, exactRemainder(p, q));
  return select(lt(p, q), a, select(lt(a, 0), neg(size), size));
}

/** fmod with the sign of y. NumPy's mod, which is Python's. */
export function mod(x: Operand, y: Operand, dtype: number): Expr {
  const b = toExpr(y);
  const r = fmod(x, b, dtype);
  return select(eq(r, 0), select(lt(b, 0), -0, 0), select(xor(lt(r, 0), lt(b, 0)), add(r, b), r));
}

/** x/y rounded down, through the exact remainder. NumPy's floor_divide: ±∞ for y = 0. */
export function floorDivide(x: Operand, y: Operand, dtype: number): Expr {
  const a = toExpr(x);
  const b = toExpr(y);
  const r = fmod(a, b, dtype);
  const ratio = div(a, b);
  const whole = div(sub(a, r), b);
  const below = sub(whole, select(and(ne(r, 0), xor(lt(r, 0), lt(b, 0))), 1, 0));
  const low = floor(below);
  const nearby = select(gt(sub(below, low), 0.5), add(low, 1), low);
  // 0 has the sign of the ratio.
  return select(eq(b, 0), ratio, select(eq(below, 0), floor(ratio), nearby));
}

/** x·2ⁿ, exact for an integral n but for the one rounding of a subnormal result. */
export function ldexp(x: Operand, exponent: Operand, dtype: number): Expr {
  const [least, most, limit] = dtype === F32 ? [-126, 127, 300] : [-1022, 1023, 2200];
  const a = atLeast(atMost(toExpr(exponent), limit), -limit);
  const n = nearest(a);
  const r = sub(a, n);
  const main = atLeast(atMost(n, most), least);
  // What one power of 2 cannot hold comes first: if that makes x subnormal, the result is 0.
  return mul(scale(mul(x, add(1, mul(r, poly(r, of(EXP2, dtype))))), sub(n, main)), pow2(main));
}

/** The size of x with the sign of y. */
export const copysign = (x: Operand, y: Operand): Expr => select(isNegative(toExpr(y)), neg(abs(x)), abs(x));
