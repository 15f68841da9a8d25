/** Renders an expression as a plain JavaScript function, so that tests can try it on a million numbers; it knows no kernels or arrays. */
import { F32 } from "../../src/dtype.ts";
import { argsOf, type Expr } from "../../src/expr.ts";

const float = new Float32Array(1);
const floatBits = new Int32Array(float.buffer);
const double = new Float64Array(1);
const doubleBits = new Uint32Array(double.buffer); // [low word, high word]

const ROUND_TO_INTEGER = 2 ** 52;

/** What each operation needs beside JavaScript's own arithmetic. Nothing here rounds: the rendered code does. */
const shared = {
  nearest(x: number): number {
    if (!(Math.abs(x) < ROUND_TO_INTEGER) || x === 0) return x;
    return x < 0 ? -(ROUND_TO_INTEGER - x - ROUND_TO_INTEGER) : ROUND_TO_INTEGER + x - ROUND_TO_INTEGER;
  },
};

const single = {
  ...shared,
  pow2(n: number): number {
    floatBits[0] = (n + 127) << 23;
    return float[0]!;
  },
  exponent(x: number): number {
    float[0] = x;
    return (floatBits[0]! - 0x3f3504f3) >> 23;
  },
  mantissa(x: number): number {
    float[0] = x;
    floatBits[0] = ((floatBits[0]! - 0x3f3504f3) & 0x7fffff) + 0x3f3504f3;
    return float[0]!;
  },
  high(x: number): number {
    float[0] = x;
    floatBits[0]! &= ~0xfff;
    return float[0]!;
  },
  piRemainder: (x: number): number => reduceByPi(x, 24, -149).remainder,
  piQuadrant: (x: number): number => reduceByPi(x, 24, -149).quadrant,
};

const SQRT_HALF = [0x667f3bcd, 0x3fe6a09e] as const;

const long = {
  ...shared,
  pow2(n: number): number {
    doubleBits[0] = 0;
    doubleBits[1] = (n + 1023) << 20;
    return double[0]!;
  },
  exponent(x: number): number {
    double[0] = x;
    const borrow = doubleBits[0]! < SQRT_HALF[0] ? 1 : 0;
    return (doubleBits[1]! - SQRT_HALF[1] - borrow) >> 20;
  },
  mantissa(x: number): number {
    double[0] = x;
    const low = doubleBits[0]! - SQRT_HALF[0];
    const high = (doubleBits[1]! - SQRT_HALF[1] - (low < 0 ? 1 : 0)) & 0xfffff;
    const sum = (low >>> 0) + SQRT_HALF[0];
    doubleBits[0] = sum >>> 0;
    doubleBits[1] = high + SQRT_HALF[1] + (sum >= 2 ** 32 ? 1 : 0);
    return double[0]!;
  },
  high(x: number): number {
    double[0] = x;
    doubleBits[0]! &= ~0x7ffffff;
    return double[0]!;
  },
  piRemainder: (x: number): number => reduceByPi(x, 53, -1074).remainder,
  piQuadrant: (x: number): number => reduceByPi(x, 53, -1074).quadrant,
};

// Fixed point with 1400 binary places: every double is a multiple of 2⁻¹⁰⁷⁴, and 2¹⁰²⁴ multiples of an error of 2⁻¹⁴⁰⁰
// still leave far more than the 53 + 61 places that the closest double to a multiple of π/2 needs.
const PLACES = 1400n;
const HALF_PI = (() => {
  const inverseTangent = (n: bigint): bigint => {
    let power = (1n << (PLACES + 32n)) / n;
    let sum = 0n;
    for (let k = 1n; power !== 0n; k += 4n) {
      sum += power / k - power / (n * n * (k + 2n));
      power /= n * n * n * n;
    }
    return sum;
  };
  return (8n * inverseTangent(5n) - 2n * inverseTangent(239n)) >> 32n; // Machin: π/4 = 4·atan(1/5) - atan(1/239)
})();

/** Correct rounding of n·2^scale to `bits` significant binary digits, but to no place below 2^lowest. */
function roundBig(n: bigint, scale: number, bits: number, lowest: number): number {
  const size = n < 0n ? -n : n;
  const cut = Math.max(size.toString(2).length - bits, lowest - scale, 0);
  const half = cut === 0 ? 0n : 1n << BigInt(cut - 1);
  let q = (size + half) >> BigInt(cut);
  if (cut > 0 && q & 1n && (size & ((half << 1n) - 1n)) === half) q -= 1n;
  const place = scale + cut;
  const first = Math.max(place, -1000);
  const value = Number(q) * 2 ** first * 2 ** (place - first);
  return n < 0n ? -value : value;
}

function reduceByPi(x: number, bits: number, lowest: number): { remainder: number; quadrant: number } {
  if (!Number.isFinite(x)) return { remainder: Number.NaN, quadrant: 0 };
  if (x === 0) return { remainder: x, quadrant: 0 };
  double[0] = x;
  const biased = (doubleBits[1]! >>> 20) & 0x7ff;
  const significand = (BigInt((doubleBits[1]! & 0xfffff) | (biased === 0 ? 0 : 0x100000)) << 32n) | BigInt(doubleBits[0]!);
  const fixed = (significand << PLACES) >> BigInt(1075 - Math.max(biased, 1));
  let n = (2n * fixed + HALF_PI) / (2n * HALF_PI);
  let r = fixed - n * HALF_PI;
  if (x < 0) [n, r] = [-n, -r];
  return { remainder: roundBig(r, -Number(PLACES), bits, lowest), quadrant: Number(n & 3n) };
}

const BINARY: Partial<Record<Expr["op"], string>> = { add: "+", sub: "-", mul: "*", div: "/", fmod: "%" };
const COMPARISON: Partial<Record<Expr["op"], string>> = { lt: "<", le: "<=", gt: ">", ge: ">=", eq: "===", ne: "!==" };
const MASK: Partial<Record<Expr["op"], string>> = { and: "&&", or: "||", xor: "!==" };

/** An expression of float lanes as a function of its operands; a mask gives 1 or 0. Slow sides of `rare` run only where they are taken. */
export function compileExpr(e: Expr, dtype: number): (...operands: number[]) => number {
  const lines: string[] = [];
  let count = 0;
  const round = (text: string): string => (dtype === F32 ? `fround(${text})` : text);
  /** `names` are the values already computed where the code stands; a block sees those outside it, not the reverse. */
  const visit = (x: Expr, names: Map<Expr, string>): string => {
    if (x.op === "arg") return `x${x.value}`;
    if (x.op === "const") {
      const value = dtype === F32 ? Math.fround(x.value) : x.value;
      return Object.is(value, -0) ? "(-0)" : value < 0 ? `(${value})` : String(value);
    }
    const known = names.get(x);
    if (known !== undefined) return known;
    if (x.op === "rare") {
      const mask = visit(x.src[0]!, names);
      const fast = visit(x.src[1]!, names);
      const name = `t${count++}`;
      lines.push(`let ${name} = ${fast};`, `if (${mask}) {`);
      const slow = visit(x.src[2]!, new Map(names));
      lines.push(`${name} = ${slow};`, "}");
      names.set(x, name);
      return name;
    }
    const s = x.src.map(y => visit(y, names)) as [string, string, string];
    const name = `t${count++}`;
    lines.push(`const ${name} = ${operation(x, s)};`);
    names.set(x, name);
    return name;
  };
  const operation = (x: Expr, [a, b, c]: [string, string, string]): string => {
    const op = x.op;
    if (BINARY[op]) return round(`${a} ${BINARY[op]} ${b}`);
    if (COMPARISON[op]) return `${a} ${COMPARISON[op]} ${b}`;
    if (MASK[op]) return `${a} ${MASK[op]} ${b}`;
    switch (op) {
      case "neg":
        return `-${a}`;
      case "not":
        return `!${a}`;
      case "sqrt":
        return round(`Math.sqrt(${a})`);
      case "absorb":
        return `${a} === 0 ? 0 : ${round(`${a} * ${b}`)}`;
      case "select":
        return `${a} ? ${b} : ${c}`;
      case "abs":
      case "floor":
      case "ceil":
      case "trunc":
      case "min":
      case "max":
        return `Math.${op}(${op === "min" || op === "max" ? `${a}, ${b}` : a})`;
      default:
        return `lane.${op}(${a})`;
    }
  };
  const result = visit(e, new Map());
  const operands = Array.from({ length: Math.max(-1, ...argsOf(e)) + 1 }, (_, i) => `x${i}`);
  const body = `return (${operands.join(", ")}) => {\n${lines.join("\n")}\nreturn +${result};\n};`;
  return new Function("lane", "fround", body)(dtype === F32 ? single : long, Math.fround);
}

/** How many machine operations an expression takes: its distinct nodes that are neither operands nor constants. */
export function countOperations(e: Expr): number {
  const seen = new Set<Expr>();
  const visit = (x: Expr): void => {
    if (seen.has(x) || x.op === "arg" || x.op === "const") return;
    seen.add(x);
    x.src.forEach(visit);
  };
  visit(e);
  return seen.size;
}
