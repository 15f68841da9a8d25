/**
 * The reference backend: interprets kernels one machine operation at a time, each rounded to the lane. Slow and plain on
 * purpose; what other backends compute must have the same bits. Knows nothing of them.
 */
import { BOOL, F32, F64, I8, I32, type TypedArray, typedArrayOf, U8 } from "../dtype.ts";
import type { Expr } from "../expr.ts";
import type { Combine, Kernel, MapKernel, ReduceKernel } from "../kernel.ts";
import { REDUCTION } from "../kernel.ts";

const view = new DataView(new ArrayBuffer(8));

const bits32 = (x: number): number => {
  view.setFloat32(0, x);
  return view.getInt32(0);
};
const fromBits32 = (bits: number): number => {
  view.setInt32(0, bits);
  return view.getFloat32(0);
};
const bits64 = (x: number): bigint => {
  view.setFloat64(0, x);
  return view.getBigInt64(0);
};
const fromBits64 = (bits: bigint): number => {
  view.setBigInt64(0, BigInt.asIntN(64, bits));
  return view.getFloat64(0);
};

/** A number as int32: truncated, the nearest there is if it does not fit, 0 for NaN. */
const saturate = (x: number): number => (x >= 2147483647 ? 2147483647 : x <= -2147483648 ? -2147483648 : x | 0);

/** A number rounded to a lane's type. */
const toLane = (x: number, lane: number): number => (lane === F32 ? Math.fround(x) : lane === F64 ? x : saturate(x));

/** The nearest integer, ties to even, -0 kept. */
function nearest(x: number): number {
  if (!(Math.abs(x) < 2 ** 52)) return x;
  const below = Math.floor(x);
  const rest = x - below;
  const n = rest < 0.5 ? below : rest > 0.5 ? below + 1 : below % 2 === 0 ? below : below + 1;
  return n === 0 && (x < 0 || Object.is(x, -0)) ? -0 : n;
}

const PI_BITS = 1500n;

/** π·2^PI_BITS by Machin's formula, some guard bits computed and dropped. */
function computePi(): bigint {
  const guard = 32n;
  const one = 1n << (PI_BITS + guard);
  const arctanOfInverse = (k: bigint): bigint => {
    let sum = 0n;
    let sign = 1n;
    for (let power = one / k, odd = 1n; power > 0n; power /= k * k, odd += 2n, sign = -sign) sum += (sign * power) / odd;
    return sum;
  };
  return (4n * (4n * arctanOfInverse(5n) - arctanOfInverse(239n))) >> guard;
}

let pi = 0n;

/** x = n·π/2 + r by exact arithmetic: r rounded once to float64, and n mod 4. */
function reducePi(x: number): { remainder: number; quadrant: number } {
  if (!Number.isFinite(x)) return { remainder: Number.NaN, quadrant: Number.NaN };
  if (pi === 0n) pi = computePi();
  const bits = BigInt.asUintN(64, bits64(Math.abs(x)));
  const biased = bits >> 52n;
  const significand = (bits & 0xfffffffffffffn) | (biased === 0n ? 0n : 1n << 52n);
  // |x|·2^(PI_BITS + 1), so that π/2 is a whole number of the same unit; exact, because no float64 ends below 2⁻¹⁰⁷⁴.
  const magnitude = significand << (PI_BITS + 1n + (biased === 0n ? 1n : biased) - 1075n);
  const quotient = (2n * magnitude + pi) / (2n * pi);
  if (quotient === 0n) return { remainder: x, quadrant: 0 };
  const rest = magnitude - quotient * pi;
  const sign = x < 0 ? -1n : 1n;
  return { remainder: round(sign * rest, PI_BITS + 1n), quadrant: Number(BigInt.asUintN(2, sign * quotient)) };
}

/** value·2^-scale as the nearest float64. */
function round(value: bigint, scale: bigint): number {
  const magnitude = value < 0n ? -value : value;
  const extra = BigInt(Math.max(0, magnitude.toString(2).length - 128));
  // 128 bits are enough with a last one that says whether anything was cut off; Number() rounds to nearest, ties to even.
  const kept = (magnitude >> extra) | (magnitude & ((1n << extra) - 1n) ? 1n : 0n);
  const rounded = Number(kept) * 2 ** -64 * 2 ** -64;
  const result = rounded * 2 ** Number(extra + 128n - scale);
  return value < 0n ? -result : result;
}

type Value = number | boolean;

/** The value of an expression in a lane, for operands that are numbers of that lane; masks are booleans. */
export function evaluate(value: Expr, lane: number, args: readonly number[]): Value {
  const done = new Map<Expr, Value>();
  const visit = (e: Expr): Value => {
    let v = done.get(e);
    if (v === undefined) done.set(e, (v = apply(e, lane, args, visit)));
    return v;
  };
  return visit(value);
}

function apply(e: Expr, lane: number, args: readonly number[], visit: (e: Expr) => Value): Value {
  const number = (i: number): number => {
    const v = visit(e.src[i]!);
    if (typeof v !== "number") throw new TypeError(`${e.op} wants a number as operand ${i}, not a mask`);
    return v;
  };
  const mask = (i: number): boolean => {
    const v = visit(e.src[i]!);
    if (typeof v !== "boolean") throw new TypeError(`${e.op} wants a mask as operand ${i}, not a number`);
    return v;
  };
  const masks = (): boolean => typeof visit(e.src[0]!) === "boolean";
  const bits = (i: number): number => {
    if (lane !== I32) throw new TypeError(`${e.op} of numbers is for int32 lanes`);
    return number(i);
  };
  const floating = (): void => {
    if (lane === I32) throw new TypeError(`${e.op} is for float lanes`);
  };
  /** Rounds to float lanes, wraps to int32. */
  const rounded = (x: number): number => (lane === I32 ? x | 0 : toLane(x, lane));
  const whole = (f: (x: number) => number): number => (lane === I32 ? number(0) : f(number(0)));

  switch (e.op) {
    case "arg": {
      const x = args[e.value];
      if (x === undefined) throw new RangeError(`the expression reads operand ${e.value} of ${args.length}`);
      return x;
    }
    case "const":
      return toLane(e.value, lane);
    case "neg":
      return rounded(-number(0));
    case "abs":
      return rounded(Math.abs(number(0)));
    case "sqrt":
      floating();
      return rounded(Math.sqrt(number(0)));
    case "nearest":
      return whole(nearest);
    case "floor":
      return whole(Math.floor);
    case "ceil":
      return whole(Math.ceil);
    case "trunc":
      return whole(Math.trunc);
    case "pow2":
      floating();
      return lane === F32 ? fromBits32(bits32(number(0) + (2 ** 23 + 127)) << 23) : fromBits64(bits64(number(0) + (2 ** 52 + 1023)) << 52n);
    case "exponent":
      floating();
      return lane === F32
        ? ((bits32(number(0)) - 0x3f3504f3) | 0) >> 23
        : Number(BigInt.asIntN(64, bits64(number(0)) - 0x3fe6a09e667f3bcdn) >> 52n);
    case "mantissa":
      floating();
      return lane === F32
        ? fromBits32(((bits32(number(0)) - 0x3f3504f3) & 0x7fffff) + 0x3f3504f3)
        : fromBits64(((bits64(number(0)) - 0x3fe6a09e667f3bcdn) & 0xfffffffffffffn) + 0x3fe6a09e667f3bcdn);
    case "high":
      floating();
      return lane === F32 ? fromBits32(bits32(number(0)) & ~0xfff) : fromBits64(bits64(number(0)) & ~0x7ffffffn);
    case "piRemainder":
      floating();
      return rounded(reducePi(number(0)).remainder);
    case "piQuadrant":
      floating();
      return reducePi(number(0)).quadrant;
    case "add":
      return rounded(number(0) + number(1));
    case "sub":
      return rounded(number(0) - number(1));
    case "mul":
      return lane === I32 ? Math.imul(number(0), number(1)) : rounded(number(0) * number(1));
    case "div":
      return toLane(number(0) / number(1), lane);
    case "fmod":
      floating();
      return number(0) % number(1);
    case "gcd": {
      let [a, b] = [bits(0) >>> 0, bits(1) >>> 0];
      while (b !== 0) [a, b] = [b, a % b];
      return a | 0;
    }
    case "min":
      return Math.min(number(0), number(1));
    case "max":
      return Math.max(number(0), number(1));
    case "lt":
      return number(0) < number(1);
    case "le":
      return number(0) <= number(1);
    case "gt":
      return number(0) > number(1);
    case "ge":
      return number(0) >= number(1);
    case "eq":
      return number(0) === number(1);
    case "ne":
      return number(0) !== number(1);
    case "not":
      return masks() ? !mask(0) : ~bits(0);
    case "and":
      return masks() ? mask(0) && mask(1) : bits(0) & bits(1);
    case "or":
      return masks() ? mask(0) || mask(1) : bits(0) | bits(1);
    case "xor":
      return masks() ? mask(0) !== mask(1) : bits(0) ^ bits(1);
    case "absorb":
      if (lane === I32) return Math.imul(number(0), number(1));
      return number(0) === 0 ? 0 : rounded(number(0) * number(1));
    case "select":
      return mask(0) ? number(1) : number(2);
    case "rare":
      return mask(0) ? number(2) : number(1);
  }
}

/** A value of a lane as it is stored in a dtype. */
function toStored(value: Value, out: number): number {
  if (typeof value === "boolean") return value ? 1 : 0;
  if (out === BOOL) return value !== 0 ? 1 : 0;
  if (out === F32) return Math.fround(value);
  if (out === F64) return value;
  const integer = saturate(value);
  return out === I8 ? (integer << 24) >> 24 : out === U8 ? integer & 255 : integer;
}

/** The kernel's value for element i. */
function element(kernel: Kernel, inputs: readonly ArrayLike<number>[], i: number): Value {
  const args = kernel.inputs.map(({ mode }, k) => toLane(inputs[k]![mode === "v" ? i : 0]!, kernel.lane));
  return evaluate(kernel.value, kernel.lane, args);
}

/** The n elements that a map stores. */
export function runMap(kernel: MapKernel, inputs: readonly ArrayLike<number>[], n: number): TypedArray {
  const out = new (typedArrayOf(kernel.out))(n);
  for (let i = 0; i < n; i++) out[i] = toStored(element(kernel, inputs, i), kernel.out);
  return out;
}

function combine(how: Combine, lane: number, x: number, y: number): number {
  if (how === "min") return Math.min(x, y);
  if (how === "max") return Math.max(x, y);
  if (lane === I32) return how === "add" ? (x + y) | 0 : Math.imul(x, y);
  return toLane(how === "add" ? x + y : x * y, lane);
}

/** The element that a reduction stores, in the order that `REDUCTION` describes. */
export function runReduce(kernel: ReduceKernel, inputs: readonly ArrayLike<number>[], n: number): number {
  const { lane } = kernel;
  const lanes = lane === F64 ? 2 : 4;
  const fold = (x: number, y: number): number => combine(kernel.combine, lane, x, y);
  const identity = (lane === I32 ? REDUCTION.integerIdentity : REDUCTION.identity)[kernel.combine];
  const accumulators = Array.from({ length: REDUCTION.ACCUMULATORS }, () => new Array<number>(lanes).fill(identity));
  for (let i = 0; i < n; i++) {
    const accumulator = accumulators[Math.floor(i / lanes) % REDUCTION.ACCUMULATORS]!;
    accumulator[i % lanes] = fold(accumulator[i % lanes]!, Number(element(kernel, inputs, i)));
  }
  const foldAll = (x: readonly number[], y: readonly number[]): number[] => x.map((a, i) => fold(a, y[i]!));
  const [a, b, c, d] = accumulators as [number[], number[], number[], number[]];
  let rest = foldAll(foldAll(a, b), foldAll(c, d));
  while (rest.length > 1) rest = foldAll(rest.slice(0, rest.length / 2), rest.slice(rest.length / 2));
  return toStored(rest[0]!, kernel.out);
}
