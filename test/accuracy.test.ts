/** The error of every elementary function in units of the last place, over all of float32 and float64; knows expressions only. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { evaluate } from "../src/backend/reference.ts";
import { DTYPES, F32, F64 } from "../src/dtype.ts";
import { arg, type Expr, type Operand } from "../src/expr.ts";
import * as scalar from "../src/scalar.ts";
import { compileExpr } from "./support/compile-expr.ts";
import * as pairs from "./support/double-double.ts";

type Name = keyof typeof scalar;
type Random = () => number;

const BINARY: ReadonlySet<Name> = new Set<Name>(["power", "hypot", "arctan2"]);
const NAMES = Object.keys(scalar) as Name[];
const LIMIT = [2, 4];
const FUNCTIONS = { ...scalar };

function expression(name: Name, dtype: number): Expr {
  if (BINARY.has(name)) return (FUNCTIONS[name] as (x: Operand, y: Operand, dtype: number) => Expr)(arg(0), arg(1), dtype);
  return (FUNCTIONS[name] as (x: Operand, dtype: number) => Expr)(arg(0), dtype);
}

// ---- the true values, in double precision

const TWO_OVER_ROOT_PI: pairs.Pair = [1.1283791670955126, 1.533545961316588e-17];

/** For |x| < 1, by the Taylor series, whose terms alternate but hardly cancel. */
function erfSeries(x: number): number {
  const z = pairs.multiply([x, 0], [-x, 0]);
  let power: pairs.Pair = [x, 0];
  let sum = power;
  for (let n = 1; Math.abs(power[0]) > 1e-22 * Math.abs(x); n++) {
    power = pairs.divide(pairs.multiply(power, z), n);
    sum = pairs.add(sum, pairs.divide(power, 2 * n + 1));
  }
  return pairs.multiply(sum, TWO_OVER_ROOT_PI)[0];
}

/** For x >= 1/2, by a continued fraction. */
function erfcFraction(x: number): number {
  if (x > 28) return 0;
  let f = x;
  for (let n = Math.ceil(20 + 180 / (x * x)); n > 0; n--) f = x + n / 2 / f;
  const { p, n } = pairs.exp(pairs.multiply([x, 0], [-x, 0]));
  return pairs.toDouble({ p: [(p[0] / f) * (TWO_OVER_ROOT_PI[0] / 2), 0], n });
}

const erf = (x: number): number => (x === 0 ? x : x >= 1 ? 1 - erfcFraction(x) : x <= -1 ? erfcFraction(-x) - 1 : erfSeries(x));
const erfc = (x: number): number => (x >= 0.5 ? erfcFraction(x) : 1 - erf(x));

/** NumPy's power, which is C's; JavaScript's differs for a base of ±1, and loses hundreds of units with large exponents. */
function power(x: number, y: number): number {
  if (x === 1 || (x === -1 && Math.abs(y) === Number.POSITIVE_INFINITY)) return 1;
  const rough = x ** y;
  const size = Math.abs(y * Math.log2(Math.abs(x)));
  if (!(size < 1100) || size < 1e-300 || Number.isNaN(rough)) return rough;
  const result = pairs.toDouble(pairs.exp(pairs.multiply([y, 0], pairs.log(Math.abs(x)))));
  return rough < 0 || Object.is(rough, -0) ? -result : result;
}

const small = (x: number): number => Math.exp(-Math.abs(x));

/** The meaning of each function, and how many units this double computation may be wrong itself. */
const MEANING: Record<Name, [(x: number, y: number) => number, number]> = {
  exp: [Math.exp, 1],
  exp2: [x => 2 ** x, 1],
  expm1: [Math.expm1, 1],
  log: [Math.log, 1],
  log2: [Math.log2, 1],
  log10: [Math.log10, 1],
  log1p: [Math.log1p, 1],
  sin: [Math.sin, 1],
  cos: [Math.cos, 1],
  tan: [Math.tan, 1],
  sinh: [Math.sinh, 1],
  cosh: [Math.cosh, 1],
  tanh: [Math.tanh, 1],
  arcsin: [Math.asin, 1],
  arccos: [Math.acos, 1],
  arctan: [Math.atan, 1],
  arcsinh: [Math.asinh, 1],
  arccosh: [Math.acosh, 1],
  arctanh: [Math.atanh, 1],
  cbrt: [Math.cbrt, 1],
  power: [power, 1],
  hypot: [Math.hypot, 1],
  arctan2: [Math.atan2, 1],
  sigmoid: [x => (x < 0 ? small(x) : 1) / (1 + small(x)), 3],
  softplus: [x => Math.max(x, 0) + Math.log1p(small(x)), 2],
  erf: [erf, 1],
  erfc: [erfc, 3],
};

// ---- units in the last place

const DIGITS = [23, 52];
const LOWEST = [-126, -1022];
const HIGHEST = [127, 1023];

/** The exponent of the power of 2 at or below a normal x > 0. Math.log2 alone may be off by one next to a power. */
function exponentOf(x: number): number {
  const e = Math.floor(Math.log2(x));
  return 2 ** e > x ? e - 1 : 2 ** (e + 1) <= x ? e + 1 : e;
}

/** The distance of `got` from the true value, in the spacing of the dtype there; infinite if the kind or the sign of a zero differs. */
function distance(got: number, want: number, dtype: number): number {
  if (Object.is(got, want)) return 0;
  if (Number.isNaN(got) || Number.isNaN(want) || want === 0) return Number.POSITIVE_INFINITY;
  if (got === 0 && Object.is(got, -0) !== want < 0) return Number.POSITIVE_INFINITY;
  const top = 2 ** HIGHEST[dtype]!;
  // Halved, so that the first number that is too large can stand for infinity.
  const half = (x: number): number => Math.max(-top, Math.min(top, x / 2));
  const spacing = 2 ** (exponentOf(Math.max(Math.min(Math.abs(want), top), 2 ** LOWEST[dtype]!)) - DIGITS[dtype]!);
  return Math.abs(want) >= top / 2 ? (2 * Math.abs(half(got) - half(want))) / spacing : Math.abs(got - want) / spacing;
}

// ---- arguments

/** A small generator (mulberry32), so that a failure repeats. */
function generator(seed: number): Random {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const bits = new Uint32Array(2);
const asFloat = new Float32Array(bits.buffer);
const asDouble = new Float64Array(bits.buffer);

/** Any bit pattern. */
function anyNumber(random: Random, dtype: number): number {
  bits[0] = random() * 2 ** 32;
  bits[1] = random() * 2 ** 32;
  return dtype === F32 ? asFloat[0]! : asDouble[0]!;
}

/** The number some few places of the dtype above or below. */
function neighbour(x: number, places: number, dtype: number): number {
  if (dtype === F32) {
    asFloat[0] = x;
    bits[0]! += places;
    return asFloat[0]!;
  }
  return x + places * 2 ** (Math.floor(Math.log2(Math.abs(x) || 1)) - 52);
}

const SPECIAL = [
  0,
  1,
  2,
  3,
  4,
  0.5,
  0.25,
  1.5,
  2.5,
  8,
  10,
  27,
  100,
  1000,
  1e5,
  2 ** 24 - 1,
  2 ** 24,
  2 ** 53 - 1,
  2 ** 53,
  1e30,
  Infinity,
  NaN,
];
const EXTREME = [
  [2 ** -149, 2 ** -126, 2 ** -126 - 2 ** -149, 2 ** 128 - 2 ** 104, 1 - 2 ** -24, 1 + 2 ** -23],
  [2 ** -1074, 2 ** -1022, 2 ** -1022 - 2 ** -1074, Number.MAX_VALUE, 1 - 2 ** -53, 1 + 2 ** -52],
];
const specials = (dtype: number): number[] => [...SPECIAL, ...EXTREME[dtype]!].flatMap(x => [x, -x]);

const signed = (random: Random, x: number): number => (random() < 0.5 ? x : -x);
const between = (random: Random, low: number, high: number): number => low + random() * (high - low);
/** Near a centre, and with the same chance nearer and nearer to it. */
const around = (random: Random, centre: number): number => centre * (1 + signed(random, random() * 2 ** -Math.floor(random() * 54)));
const multipleOfPi = (random: Random, dtype: number): number => {
  const n = Math.floor(2 ** (random() * 22));
  return signed(random, neighbour(Math.fround(1) * n * (Math.PI / 2), Math.floor(random() * 5) - 2, dtype));
};

/** Where a function is most itself: intervals, and points it is hard near. */
const INTERVALS: Partial<Record<Name, [number, number][]>> = {
  exp: [
    [-104, 89],
    [-746, 710],
    [-1, 1],
  ],
  exp2: [
    [-150, 129],
    [-1076, 1025],
    [-1, 1],
  ],
  expm1: [
    [-40, 89],
    [-40, 710],
    [-1, 1],
  ],
  log: [[0, 4]],
  log2: [[0, 4]],
  log10: [[0, 4]],
  log1p: [
    [-1, 4],
    [-0.5, 0.5],
  ],
  sin: [
    [-10, 10],
    [-3.3e6, 3.3e6],
  ],
  cos: [
    [-10, 10],
    [-3.3e6, 3.3e6],
  ],
  tan: [
    [-10, 10],
    [-3.3e6, 3.3e6],
  ],
  sinh: [
    [-2, 2],
    [-90, 90],
    [-711, 711],
  ],
  cosh: [
    [-2, 2],
    [-90, 90],
    [-711, 711],
  ],
  tanh: [
    [-1, 1],
    [-10, 10],
    [-20, 20],
  ],
  arcsin: [[-1, 1]],
  arccos: [[-1, 1]],
  arctan: [[-4, 4]],
  arcsinh: [
    [-4, 4],
    [-1000, 1000],
  ],
  arccosh: [
    [1, 4],
    [1, 1000],
  ],
  arctanh: [[-1, 1]],
  cbrt: [[-8, 8]],
  sigmoid: [
    [-2, 2],
    [-40, 40],
    [-105, -80],
    [-746, -700],
  ],
  softplus: [
    [-2, 2],
    [-40, 40],
    [-105, -80],
    [-746, -700],
  ],
  erf: [
    [-2, 2],
    [-6, 6],
  ],
  erfc: [
    [-2, 2],
    [0, 10.1],
    [0, 27.3],
  ],
};
const HARD: Partial<Record<Name, number[]>> = {
  exp: [88.7228, -87.3365, -103.97, 709.7827, -708.396, -745.13],
  exp2: [128, -126, -149, 1024, -1022, -1074],
  expm1: [88.7228, 709.7827, 0.34657],
  log: [1],
  log2: [1, Math.SQRT2],
  log10: [1],
  log1p: [-1, 0.41421356],
  sinh: [1, 89.416, 710.4758],
  cosh: [1, 89.416, 710.4758],
  tanh: [0.55, 9.01, 19.06],
  arcsin: [0.5, 1],
  arccos: [0.5, -0.5, 1, -1],
  arctan: [1],
  arcsinh: [2 ** 30, 2 ** 60],
  arccosh: [1, 2, 2 ** 30, 2 ** 60],
  arctanh: [0.5, 1],
  erf: [0.8],
  erfc: [0.8, 10.05, 26.54],
};

const toLane = (x: number, dtype: number): number => (dtype === F32 ? Math.fround(x) : x);

function* unaryArguments(name: Name, dtype: number, random: Random): Generator<number> {
  yield* specials(dtype);
  const trigonometric = name === "sin" || name === "cos" || name === "tan";
  // Huge angles take the slow exact path.
  for (let i = 0; i < (trigonometric ? 20_000 : 60_000); i++) yield anyNumber(random, dtype);
  if (trigonometric) for (let i = 0; i < 50_000; i++) yield multipleOfPi(random, dtype);
  const intervals = INTERVALS[name]!;
  for (const [low, high] of intervals) for (let i = 0; i < 36_000 / intervals.length; i++) yield between(random, low, high);
  for (const centre of HARD[name] ?? []) for (let i = 0; i < 3000; i++) yield around(random, centre);
  for (let i = 0; i < 4000; i++) yield signed(random, 2 ** (random() * -60));
  for (let i = 0; i < 4000; i++) yield signed(random, random() * 2 ** (LOWEST[dtype]! + 1));
}

function* powerArguments(dtype: number, random: Random): Generator<[number, number]> {
  const range = HIGHEST[dtype]! + DIGITS[dtype]! + 2;
  for (let i = 0; i < 30_000; i++) {
    const x = 2 ** between(random, LOWEST[dtype]! - DIGITS[dtype]!, HIGHEST[dtype]!);
    yield [x, between(random, -range, range) / Math.log2(x)];
  }
  for (let i = 0; i < 30_000; i++) {
    const x = toLane(around(random, 1), dtype);
    yield [x, between(random, -range, range) / Math.log2(x)];
  }
  for (let i = 0; i < 20_000; i++) yield [between(random, 0, 4), between(random, -100, 100)];
  for (let i = 0; i < 20_000; i++) yield [between(random, -9, 9), Math.round(between(random, -60, 60))];
}

function* planeArguments(dtype: number, random: Random): Generator<[number, number]> {
  for (let i = 0; i < 50_000; i++) yield [between(random, -100, 100), between(random, -100, 100)];
  for (let i = 0; i < 30_000; i++) {
    const x = anyNumber(random, dtype);
    yield [x, signed(random, x * 2 ** between(random, -30, 30))];
  }
}

function* binaryArguments(name: Name, dtype: number, random: Random): Generator<[number, number]> {
  for (const x of specials(dtype)) for (const y of specials(dtype)) yield [x, y];
  for (let i = 0; i < 40_000; i++) yield [anyNumber(random, dtype), anyNumber(random, dtype)];
  yield* name === "power" ? powerArguments(dtype, random) : planeArguments(dtype, random);
}

// ---- the tests

interface Worst {
  units: number;
  text: string;
}

/** Takes note of a result if it is worse than the worst. */
function note(worst: Worst, units: number, operands: readonly number[], got: number, want: number): void {
  if (!(units > worst.units)) return;
  worst.units = units;
  worst.text = `${units.toFixed(3)} units at ${operands.join(", ")}: got ${got}, want ${want}`;
}

function worstOverRange(name: Name, dtype: number): Worst {
  const f = compileExpr(expression(name, dtype), dtype);
  const [meaning] = MEANING[name];
  const random = generator(NAMES.indexOf(name) + 1);
  const worst: Worst = { units: 0, text: "" };
  if (BINARY.has(name)) {
    for (const [a, b] of binaryArguments(name, dtype, random)) {
      const x = toLane(a, dtype);
      const y = toLane(b, dtype);
      const got = f(x, y);
      const want = meaning(x, y);
      const units = distance(got, want, dtype);
      if (units > worst.units) note(worst, units, [x, y], got, want);
    }
  } else {
    for (const a of unaryArguments(name, dtype, random)) {
      const x = toLane(a, dtype);
      const got = f(x);
      const want = meaning(x, 0);
      const units = distance(got, want, dtype);
      if (units > worst.units) note(worst, units, [x], got, want);
    }
  }
  return worst;
}

const unpack = (text: string): Float64Array => new Float64Array(Uint8Array.from(Buffer.from(text, "base64")).buffer);
const golden = JSON.parse(readFileSync(new URL("golden/scalar.json", import.meta.url), "utf8")) as Record<Name, string[]>;

describe.each(NAMES)("%s", name => {
  for (const dtype of [F32, F64]) {
    test(`${DTYPES[dtype]} over its whole range`, () => {
      const worst = worstOverRange(name, dtype);
      // A double computation is exact beside float32; beside float64 its own error counts.
      expect(worst.units, worst.text).toBeLessThanOrEqual(LIMIT[dtype]! + (dtype === F32 ? 1e-6 : MEANING[name][1]));
    });
  }

  test("compiled for this test as the reference interprets it", () => {
    const random = generator(7);
    for (const dtype of [F32, F64]) {
      const e = expression(name, dtype);
      const f = compileExpr(e, dtype);
      const operands = (): number[] => [anyNumber(random, dtype), toLane(between(random, -9, 9), dtype)];
      for (let i = 0; i < 100; i++) {
        const xs = i % 2 === 0 ? operands() : operands().reverse();
        expect(f(...xs), `${DTYPES[dtype]} at ${xs}`).toBe(Number(evaluate(e, dtype, xs)));
      }
    }
  });

  test("float64 against many digits", () => {
    const f = compileExpr(expression(name, F64), F64);
    const columns = golden[name].map(unpack);
    const results = columns.pop()!;
    const worst: Worst = { units: 0, text: "" };
    results.forEach((want, i) => {
      const operands = columns.map(column => column[i]!);
      const got = f(...operands);
      note(worst, distance(got, want, F64), operands, got, want);
    });
    // The golden results are rounded themselves: 3 units from them is at most 3.5 from the truth.
    expect(worst.units, worst.text).toBeLessThanOrEqual(3);
  });
});
