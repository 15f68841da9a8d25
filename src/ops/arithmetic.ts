/** Arithmetic of two operands beyond the four operations: remainders, extremes, angles, bits, logic; one row each. */
import type { NDArray } from "../array.ts";
import { I32 } from "../dtype.ts";
import * as E from "../expr.ts";
import { type Binary, binary } from "../op.ts";
import * as division from "../scalar/division.ts";
import * as scalar from "../scalar.ts";
import { absorb, equal, greaterEqual, less, lessEqual, multiply, negative, notEqual, sigmoid, sign, square, where } from "./pointwise.ts";

// ---- quotients and remainders

/** Quotient and remainder of integers towards 0. By 0 and by -1 (whose quotient may not fit) the remainder is 0. */
function divideIntegers(a: E.Expr, b: E.Expr): { q: E.Expr; r: E.Expr } {
  const divisor = E.select(E.or(E.eq(b, 0), E.eq(b, -1)), 1, b);
  const q = E.div(a, divisor);
  return { q, r: E.sub(a, E.mul(q, divisor)) };
}

/** Whether a remainder towards 0 is not that of rounding down: it has the other sign than the divisor. */
const opposite = (r: E.Expr, b: E.Expr): E.Expr => E.and(E.ne(r, 0), E.xor(E.lt(r, 0), E.lt(b, 0)));

function floorIntegers(a: E.Expr, b: E.Expr): E.Expr {
  const { q, r } = divideIntegers(a, b);
  const down = E.select(opposite(r, b), E.sub(q, 1), q);
  return E.select(E.eq(b, 0), 0, E.select(E.eq(b, -1), E.neg(a), down));
}

/** Near 1 no quotient comes near another whole number. */
const NEAR_ONE = [1, 1.9] as const;

/**
 * The quotient of two arrays rounded down, element by element, broadcast; slope 0. Integers by 0 give 0. NumPy's floor_divide.
 * @example np.floorDivide([7, -7], 2) // array([ 3., -4.])
 */
export const floorDivide: Binary = binary("floorDivide", {
  value: (a, b, lane) => (lane === I32 ? floorIntegers(a, b) : division.floorDivide(a, b, lane)),
  grad: () => [0, 0],
  bool: "int",
  domain: NEAR_ONE,
});

/**
 * What rounding the quotient down leaves, exactly, with the sign of the second operand; element by element, broadcast.
 * Integers by 0 give 0. NumPy's remainder, which is Python's `%`.
 * @example np.remainder([7, -7], 3) // array([1., 2.])
 */
export const remainder: Binary = binary("remainder", {
  value: (a, b, lane) => {
    if (lane !== I32) return division.mod(a, b, lane);
    const { r } = divideIntegers(a, b);
    return E.select(opposite(r, b), E.add(r, b), r);
  },
  grad: (g, _, a, b) => [g, negative(absorb(g, floorDivide(a, b)))],
  bool: "int",
  domain: NEAR_ONE,
});

/** The remainder with the sign of the second operand, as np.remainder. @example np.mod([7, -7], 3) // array([1., 2.]) */
export const mod: Binary = remainder;

/**
 * What rounding the quotient towards 0 leaves, exactly, with the sign of the first operand; element by element, broadcast.
 * Integers by 0 give 0. NumPy's fmod, which is C's and JavaScript's `%`.
 * @example np.fmod([7, -7], 3) // array([ 1., -1.])
 */
export const fmod: Binary = binary("fmod", {
  value: (a, b, lane) => (lane === I32 ? divideIntegers(a, b).r : division.fmod(a, b, lane)),
  grad: (g, _, a, b) => [g, negative(absorb(g, quotient(a, b)))],
  bool: "int",
  domain: NEAR_ONE,
});

/** The quotient rounded towards 0. */
const quotient: Binary = binary("quotient", {
  value: (a, b, lane) => E.nearest(E.div(E.sub(a, division.fmod(a, b, lane)), b)),
  grad: () => [0, 0],
});

// ---- extremes that pass over NaN

/** Where the first operand is chosen, given where it is where both are numbers. */
const chosen = (ordered: NDArray, a: NDArray, b: NDArray): NDArray => logicalOr(ordered, logicalAnd(notEqual(b, b), equal(a, a)));
const ignoring = (a: E.Expr, b: E.Expr, extreme: E.Expr): E.Expr => E.select(E.ne(a, a), b, E.select(E.ne(b, b), a, extreme));

/**
 * The larger of two arrays, element by element, broadcast; a NaN only if both are. The left operand takes the gradient of
 * a tie, and a NaN none. NumPy's fmax.
 * @example np.fmax([1, NaN, 5], [3, 2, NaN]) // array([3., 2., 5.])
 */
export const fmax: Binary = binary("fmax", {
  value: (a, b) => ignoring(a, b, E.max(a, b)),
  grad: (g, _, a, b) => [where(chosen(greaterEqual(a, b), a, b), g, 0), where(chosen(less(a, b), b, a), g, 0)],
});

/**
 * The smaller of two arrays, element by element, broadcast; a NaN only if both are. The left operand takes the gradient
 * of a tie, and a NaN none. NumPy's fmin.
 * @example np.fmin([1, NaN, 5], [3, 2, NaN]) // array([1., 2., 5.])
 */
export const fmin: Binary = binary("fmin", {
  value: (a, b) => ignoring(a, b, E.min(a, b)),
  grad: (g, _, a, b) => [where(chosen(lessEqual(a, b), a, b), g, 0), where(chosen(less(b, a), b, a), g, 0)],
});

// ---- the plane

/** a/√(a² + b²), 0 at the origin, and without overflow: how far in the direction of (a, b) its first coordinate goes. */
const cosine: Binary = binary("cosine", {
  value: (a, b) => {
    const p = E.abs(a);
    const q = E.abs(b);
    const t = E.div(E.min(p, q), E.max(p, q));
    const long = E.div(1, E.sqrt(E.add(1, E.mul(t, t))));
    const size = E.select(E.lt(p, q), E.mul(t, long), long);
    return E.select(E.gt(a, 0), size, E.select(E.lt(a, 0), E.neg(size), a));
  },
  grad: (g, y, a, b) => {
    const other = cosine(b, a);
    const short = inverseHypot(a, b);
    return [absorb(g, multiply(square(other), short)), negative(absorb(g, multiply(multiply(y, other), short)))];
  },
});

/** 1/√(a² + b²); 0 at the origin, where nothing then becomes infinite in any derivative. */
const inverseHypot: Binary = binary("inverseHypot", {
  value: (a, b, lane) => {
    const h = scalar.hypot(a, b, lane);
    return E.select(E.eq(h, 0), 0, E.div(1, h));
  },
  grad: (g, y, a, b) => {
    const slope = square(y);
    return [negative(absorb(g, multiply(cosine(a, b), slope))), negative(absorb(g, multiply(cosine(b, a), slope)))];
  },
});

const OFF_ORIGIN = [0.5, 2] as const;

/**
 * The length √(x1² + x2²) of each pair of elements, broadcast, without overflow; slopes 0 at (0, 0). NumPy's hypot.
 * @example np.hypot([3, 5], [4, 12]) // array([ 5., 13.])
 */
export const hypot: Binary = binary("hypot", {
  value: (a, b, lane) => scalar.hypot(a, b, lane),
  grad: (g, _, a, b) => [absorb(g, cosine(a, b)), absorb(g, cosine(b, a))],
  dtype: "float",
  domain: OFF_ORIGIN,
});

/**
 * The angle of the point (x2, x1) in radians, from -π to π, element by element, broadcast; slopes 0 at (0, 0). NumPy's arctan2.
 * @example np.arctan2([1, -1], [0, -1]) // array([ 1.5707964, -2.3561945])
 */
export const arctan2: Binary = binary("arctan2", {
  value: (a, b, lane) => scalar.arctan2(a, b, lane),
  grad: (g, _, a, b) => {
    const short = inverseHypot(a, b);
    return [absorb(g, multiply(cosine(b, a), short)), negative(absorb(g, multiply(cosine(a, b), short)))];
  },
  dtype: "float",
  domain: OFF_ORIGIN,
});

/**
 * The first operand's size with the second's sign, element by element, broadcast; a NaN counts as positive. Slope ±1 in the
 * first, 0 where that is 0. NumPy's copysign.
 * @example np.copysign([1, -2], [-0, 3]) // array([-1.,  2.])
 */
export const copysign: Binary = binary("copysign", {
  value: (a, b) => division.copysign(a, b),
  grad: (g, _, a, b) => [absorb(g, multiply(sign(a), copysign(1, b))), 0],
  dtype: "float",
});

/**
 * 0 below 0, 1 above, and the second operand at 0; element by element, broadcast. Slope 0 in the first. NumPy's heaviside.
 * @example np.heaviside([-2, 0, 3], 0.5) // array([0. , 0.5, 1. ])
 */
export const heaviside: Binary = binary("heaviside", {
  value: (a, b) => E.select(E.eq(a, 0), b, E.select(E.lt(a, 0), 0, E.select(E.gt(a, 0), 1, a))),
  grad: (g, _, a) => [0, where(equal(a, 0), g, 0)],
  dtype: "float",
});

// ---- powers of 2 and logarithms of sums

/**
 * x1 times 2 to the power of x2, element by element, broadcast; exact where x2 is a whole number. NumPy's ldexp.
 * @example np.ldexp([0.75, 3], [4, -1]) // array([12. ,  1.5])
 */
export const ldexp: Binary = binary("ldexp", {
  value: (a, b, lane) => division.ldexp(a, b, lane),
  grad: (g, y, _, b) => [absorb(g, ldexp(1, b)), absorb(g, multiply(y, Math.LN2))],
  dtype: "float",
});

/** a - b; 0 for two equal infinities. */
const gap: Binary = binary("gap", {
  value: (a, b) => difference(a, b),
  grad: g => [g, negative(g)],
});

const difference = (a: E.Expr, b: E.Expr): E.Expr => E.select(E.eq(a, b), 0, E.sub(a, b));
/** The smaller less the larger. */
const belowLarger = (a: E.Expr, b: E.Expr): E.Expr => E.neg(E.abs(difference(a, b)));

/**
 * log(eˣ¹ + eˣ²), element by element, broadcast, without overflow. NumPy's logaddexp.
 * @example np.logaddexp([0, 1000], [0, 1000]) // array([6.9314718e-01, 1.0006932e+03])
 */
export const logaddexp: Binary = binary("logaddexp", {
  value: (a, b, lane) => E.add(E.max(a, b), scalar.softplus(belowLarger(a, b), lane)),
  grad: (g, _, a, b) => [absorb(g, sigmoid(gap(a, b))), absorb(g, sigmoid(gap(b, a)))],
  dtype: "float",
});

/**
 * log₂(2ˣ¹ + 2ˣ²), element by element, broadcast, without overflow. NumPy's logaddexp2.
 * @example np.logaddexp2([0, 1000], [2, 1000]) // array([   2.321928, 1001.      ])
 */
export const logaddexp2: Binary = binary("logaddexp2", {
  value: (a, b, lane) => E.add(E.max(a, b), E.mul(scalar.log1p(scalar.exp2(belowLarger(a, b), lane), lane), Math.LOG2E)),
  grad: (g, _, a, b) => [absorb(g, sigmoid(multiply(gap(a, b), Math.LN2))), absorb(g, sigmoid(multiply(gap(b, a), Math.LN2)))],
  dtype: "float",
});

// ---- logic

/**
 * Where both operands are not 0, as bool, broadcast. NumPy's logical_and.
 * @example np.logicalAnd([0, 1, 2], [1, 0, 3]) // array([False, False,  True])
 */
export const logicalAnd: Binary = binary("logicalAnd", { value: (a, b) => E.and(E.truth(a), E.truth(b)), grad: null, dtype: "bool" });
/**
 * Where an operand is not 0, as bool, broadcast. NumPy's logical_or.
 * @example np.logicalOr([0, 1, 0], [1, 0, 0]) // array([ True,  True, False])
 */
export const logicalOr: Binary = binary("logicalOr", { value: (a, b) => E.or(E.truth(a), E.truth(b)), grad: null, dtype: "bool" });
/**
 * Where one operand is 0 and the other is not, as bool, broadcast. NumPy's logical_xor.
 * @example np.logicalXor([0, 1, 2], [1, 0, 3]) // array([ True,  True, False])
 */
export const logicalXor: Binary = binary("logicalXor", { value: (a, b) => E.xor(E.truth(a), E.truth(b)), grad: null, dtype: "bool" });

// ---- bits and whole numbers

/**
 * The bits set in both operands, element by element, broadcast; of bools, "and". NumPy's bitwise_and.
 * @throws DTypeError for floats; numbers and lists of whole numbers count as int32.
 * @example np.bitwiseAnd([12, 10], 6) // array([4, 2], dtype=int32)
 */
export const bitwiseAnd: Binary = binary("bitwiseAnd", { value: (a, b) => E.and(a, b), grad: null, dtype: "integer" });
/**
 * The bits set in either operand, element by element, broadcast; of bools, "or". NumPy's bitwise_or.
 * @throws DTypeError for floats; numbers and lists of whole numbers count as int32.
 * @example np.bitwiseOr([12, 10], 6) // array([14, 14], dtype=int32)
 */
export const bitwiseOr: Binary = binary("bitwiseOr", { value: (a, b) => E.or(a, b), grad: null, dtype: "integer" });
/**
 * The bits set in one operand only, element by element, broadcast; of bools, "not equal". NumPy's bitwise_xor.
 * @throws DTypeError for floats; numbers and lists of whole numbers count as int32.
 * @example np.bitwiseXor([12, 10], 6) // array([10, 12], dtype=int32)
 */
export const bitwiseXor: Binary = binary("bitwiseXor", { value: (a, b) => E.xor(a, b), grad: null, dtype: "integer" });

/** 2ⁿ in int32 lanes, for an n of 0 … 31. */
function powerOfTwo(n: E.Expr): E.Expr {
  let p: E.Expr = E.constant(1);
  for (let bit = 1; bit < 32; bit *= 2) p = E.select(E.ne(E.and(n, bit), 0), E.mul(p, 2 ** bit), p);
  return p;
}

/** Whether int32 lanes have so many bits; those of narrower dtypes go on as the sign does, and are cut off. */
const withinLane = (n: E.Expr, most: number): E.Expr => E.and(E.ge(n, 0), E.le(n, most));

/**
 * The bits of the first operand moved up by the second, element by element, broadcast; 0 where they are moved by all of
 * their number or more. NumPy's left_shift.
 * @throws DTypeError for floats; numbers and lists of whole numbers count as int32.
 * @example np.leftShift([1, 3], [4, 1]) // array([16,  6], dtype=int32)
 */
export const leftShift: Binary = binary("leftShift", {
  value: (a, n) => E.select(withinLane(n, 31), E.mul(a, powerOfTwo(n)), 0),
  grad: null,
  dtype: "integer",
  bool: "int",
});

/**
 * The bits of the first operand moved down by the second, element by element, broadcast; the sign fills up. NumPy's right_shift.
 * @throws DTypeError for floats; numbers and lists of whole numbers count as int32.
 * @example np.rightShift([16, -5], [2, 1]) // array([ 4, -3], dtype=int32)
 */
export const rightShift: Binary = binary("rightShift", {
  value: (a, n) => {
    const p = powerOfTwo(n);
    // The quotient of what is left without the bits that are cut off, which is exact.
    const down = E.div(E.and(a, E.neg(p)), p);
    return E.select(withinLane(n, 30), down, E.select(E.lt(a, 0), -1, 0));
  },
  grad: null,
  dtype: "integer",
  bool: "int",
});

/**
 * The greatest common divisor of each pair of elements, broadcast, never negative. NumPy's gcd.
 * @throws DTypeError for floats and bools; numbers and lists of whole numbers count as int32.
 * @example np.gcd([12, -20], 18) // array([6, 2], dtype=int32)
 */
export const gcd: Binary = binary("gcd", {
  value: (a, b) => E.gcd(E.abs(a), E.abs(b)),
  grad: null,
  dtype: "integer",
  bool: "refused",
});

/**
 * The least common multiple of each pair of elements, broadcast, never negative. NumPy's lcm.
 * @throws DTypeError for floats and bools; numbers and lists of whole numbers count as int32.
 * @example np.lcm([12, -20], 18) // array([ 36, 180], dtype=int32)
 */
export const lcm: Binary = binary("lcm", {
  value: (a, b) => {
    const p = E.abs(a);
    const q = E.abs(b);
    return E.mul(E.abs(E.div(p, E.gcd(p, q))), q);
  },
  grad: null,
  dtype: "integer",
  bool: "refused",
});
