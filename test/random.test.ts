/** np.random: the same numbers for ever and everywhere, the right distributions, gradients, and errors that change nothing. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fromValues, type NDArray } from "../src/array.ts";
import { DTYPES, dtypeCode, F32, F64, I8, I32 } from "../src/dtype.ts";
import { DTypeError, GradError, type NablaError, ShapeError, ValueError } from "../src/errors.ts";
import { attach } from "../src/functions/recording.ts";
import { backward } from "../src/grad.ts";
import { multiply } from "../src/ops/pointwise.ts";
import { slice, transpose } from "../src/ops/structural.ts";
import {
  bernoulli,
  beta,
  binomial,
  chisquare,
  choice,
  exponential,
  gamma,
  gumbel,
  laplace,
  logistic,
  lognormal,
  multinomial,
  normal,
  pareto,
  permutation,
  poisson,
  type RandomOptions,
  rand,
  randint,
  randn,
  rayleigh,
  seed,
  shuffle,
  uniform,
  weibull,
} from "../src/random/index.ts";
import { setRecording } from "../src/tape.ts";
import golden from "./golden/random.json" with { type: "json" };
import { plainOpen32, plainUniform32, plainUniform64, plainWords } from "./support/philox.ts";

const FLOATS = ["float32", "float64"] as const;
const list = (x: NDArray): number[] => Array.from(x.toTypedArray());
const array = (values: readonly number[], code = F32): NDArray => fromValues(values, [values.length], code);

beforeEach(() => seed(42));
afterEach(() => void setRecording(false));

describe("the numbers", () => {
  /** Each drawn right after seed(42). */
  const DRAWS: Record<string, () => NDArray> = {};
  for (const dtype of FLOATS) {
    DRAWS[`uniform ${dtype}`] = () => uniform(0, 1, 8, { dtype });
    DRAWS[`uniform -2 3 ${dtype}`] = () => uniform(-2, 3, 8, { dtype });
    DRAWS[`normal ${dtype}`] = () => normal(0, 1, 8, { dtype });
    DRAWS[`normal 5 0.1 ${dtype}`] = () => normal(5, 0.1, 8, { dtype });
    DRAWS[`rand ${dtype}`] = () => rand(8, { dtype });
    DRAWS[`randn ${dtype}`] = () => randn(8, { dtype });
    DRAWS[`beta 0.5 3 ${dtype}`] = () => beta(0.5, 3, 8, { dtype });
    DRAWS[`chisquare 5 ${dtype}`] = () => chisquare(5, 8, { dtype });
    DRAWS[`exponential ${dtype}`] = () => exponential(1, 8, { dtype });
    DRAWS[`gamma 0.1 ${dtype}`] = () => gamma(0.1, 1, 8, { dtype });
    DRAWS[`gamma 20 3 ${dtype}`] = () => gamma(20, 3, 8, { dtype });
    DRAWS[`gumbel ${dtype}`] = () => gumbel(0, 1, 8, { dtype });
    DRAWS[`laplace ${dtype}`] = () => laplace(0, 1, 8, { dtype });
    DRAWS[`logistic ${dtype}`] = () => logistic(0, 1, 8, { dtype });
    DRAWS[`lognormal ${dtype}`] = () => lognormal(0, 1, 8, { dtype });
    DRAWS[`pareto 2 ${dtype}`] = () => pareto(2, 8, { dtype });
    DRAWS[`rayleigh ${dtype}`] = () => rayleigh(1, 8, { dtype });
    DRAWS[`weibull 3 ${dtype}`] = () => weibull(3, 8, { dtype });
  }
  DRAWS["randint 10"] = () => randint(10, null, 8);
  DRAWS["randint full int32"] = () => randint(-(2 ** 31), 2 ** 31, 8);
  DRAWS["randint int8"] = () => randint(-128, 128, 8, { dtype: "int8" });
  DRAWS["randint uint8"] = () => randint(0, 256, 8, { dtype: "uint8" });
  DRAWS["randint bool"] = () => randint(0, 2, 8, { dtype: "bool" });
  DRAWS.bernoulli = () => bernoulli(0.4, 8);
  DRAWS["binomial 10 0.3"] = () => binomial(10, 0.3, 8);
  DRAWS["binomial 1000 0.7"] = () => binomial(1000, 0.7, 8);
  DRAWS["poisson 3"] = () => poisson(3, 8);
  DRAWS["poisson 300"] = () => poisson(300, 8);
  DRAWS["multinomial 90"] = () => multinomial(90, [0.1, 0.3, 0.4, 0.2], 2);
  DRAWS.permutation = () => permutation(8);
  const p = [0.1, 0.2, 0, 0.4, 0.05, 0.05, 0.1, 0.05, 0.03, 0.02];
  DRAWS["choice 10"] = () => choice(10, 8);
  DRAWS["choice 10 once"] = () => choice(10, 8, { replace: false });
  DRAWS["choice 10 weighted"] = () => choice(10, 8, { p });
  DRAWS["choice 10 weighted once"] = () => choice(10, 8, { replace: false, p });

  test("golden: the first eight after seed 42, to the last bit", () => {
    const found = Object.fromEntries(
      Object.entries(DRAWS).map(([name, draw]) => {
        seed(42);
        return [name, list(draw())];
      }),
    );
    expect(found).toEqual(golden);
  });

  const words = (n: number, stream: number, key = [42, 0]): number[] => plainWords(n, 0, [0, 0, stream, 0], key);
  const doubles = (n: number, stream: number, key?: number[]): number[] => {
    const w = words(2 * n, stream, key);
    return Array.from({ length: n }, (_, i) => plainUniform64(w[2 * i]!, w[2 * i + 1]!));
  };

  test("uniform and randint are Philox's words, with the seed as the key", () => {
    expect(list(uniform(0, 1, 30))).toEqual(words(30, 0).map(plainUniform32));
    seed(2 ** 40 + 3);
    expect(list(uniform(0, 1, 30, { dtype: "float64" }))).toEqual(doubles(30, 1, [3, 256]));
    seed(2 ** 53);
    expect(list(randint(-5, 90, 30))).toEqual(doubles(30, 6, [0, 2 ** 21]).map(u => Math.floor(u * 95) - 5));
  });

  test("a list is a seed of its own", () => {
    // What SplitMix64 gives first after 1234567, as published; the list's length, 1, is in its state.
    const key = 6457827717110365317n;
    seed([1234567 ^ 1]);
    expect(list(uniform(0, 1, 30))).toEqual(words(30, 0, [Number(key & 0xffffffffn), Number(key >> 32n)]).map(plainUniform32));
    const near = [0, 1, 2, 2 ** 32, 2 ** 53];
    const seeds = [...near, ...near.map(n => [n]), ...near.flatMap(n => near.map(m => [n, m])), [0, 0, 0], [1, 0, 0], [0, 0, 1]];
    const first = seeds.map(n => {
      seed(n);
      const y = list(rand(4)).join();
      seed(n);
      expect(list(rand(4)).join()).toBe(y);
      return y;
    });
    expect(new Set(first).size).toBe(seeds.length);
    for (const wrong of [[], [-1], [0.5], [1, "2"], [[1]], [Number.NaN], [2 ** 54], new Array(2), [true], Promise.resolve(1), [null]])
      expect(() => seed(wrong as unknown as number[]), String(wrong)).toThrow(
        /^random\.seed: a seed is a whole number from 0 to 2\^53, or a list/,
      );
  });

  test("choice is a search, or waiting times, of them", () => {
    const p = [0.1, 0.2, 0, 0.4, 0.05, 0.25];
    const u = doubles(40, 6);
    expect(list(choice(6, 40))).toEqual(u.map(v => Math.floor(v * 6)));
    const sums = p.map((_, i) => p.slice(0, i + 1).reduce((s, v) => s + v, 0));
    seed(42);
    expect(list(choice(6, 40, { p: fromValues(p, [6], F64) }))).toEqual(u.map(v => sums.findIndex(s => s / sums[5]! > v)));
    seed(42);
    const waits = p.map((q, i) => -Math.log(1 - u[i]!) / q);
    const order = [0, 1, 3, 4, 5].sort((i, j) => waits[i]! - waits[j]!);
    expect(list(choice(6, 5, { replace: false, p: fromValues(p, [6], F64) }))).toEqual(order);
  });

  test("normal is Box and Muller's map of them", () => {
    const n = 2000;
    const radius = words(n, 2).map(plainOpen32);
    const angle = words(n, 3).map(plainUniform32);
    const single = list(normal(0, 1, n));
    seed(42);
    const double = list(normal(0, 1, n, { dtype: "float64" }));
    const [u, v] = [doubles(n, 4), doubles(n, 5)];
    for (let i = 0; i < n; i++) {
      const z32 = Math.sqrt(-2 * Math.log(radius[i]!)) * Math.cos(2 * Math.PI * angle[i]!);
      const z64 = Math.sqrt(-2 * Math.log(1 - u[i]!)) * Math.cos(2 * Math.PI * v[i]!);
      expect(Math.abs(single[i]! - z32)).toBeLessThan(3e-6);
      expect(Math.abs(double[i]! - z64)).toBeLessThan(1e-14);
    }
  });
});

describe("a number depends on the seed and its place only", () => {
  const KINDS: Record<string, (n: number) => NDArray> = {
    uniform: n => uniform(-1, 1, n),
    "uniform float64": n => uniform(-1, 1, n, { dtype: "float64" }),
    normal: n => normal(1, 2, n),
    "normal float64": n => normal(1, 2, n, { dtype: "float64" }),
    randint: n => randint(0, 1000, n),
    "randint int8": n => randint(-100, 100, n, { dtype: "int8" }),
  };

  test.each(Object.keys(KINDS))("%s: however it is split", kind => {
    const draw = KINDS[kind]!;
    const whole = list(draw(200));
    for (const sizes of [[10, 5, 185], [1, 1, 1, 197], [0, 3, 64, 65, 68], [33, 167], new Array<number>(200).fill(1)]) {
      seed(42);
      expect(sizes.flatMap(n => list(draw(n)))).toEqual(whole);
    }
  });

  test.each(Object.keys(KINDS))("%s: across the pieces of long arrays", kind => {
    const draw = KINDS[kind]!;
    const whole = list(draw(140_001));
    seed(42);
    const parts = [65_537, 3, 74_461].flatMap(n => list(draw(n)));
    expect(parts.findIndex((v, i) => v !== whole[i])).toBe(-1);
    expect(parts.length).toBe(whole.length);
  });

  test("and the shape does not matter", () => {
    const flat = list(normal(0, 1, 24));
    seed(42);
    const shaped = normal(0, 1, [2, 3, 4]);
    expect(shaped.shape).toEqual([2, 3, 4]);
    expect(list(shaped)).toEqual(flat);
  });

  test("every function moves on by the number of elements", () => {
    const MOVES: (() => unknown)[] = [
      () => uniform(0, 1, [5, 2]),
      () => normal(0, 1, 10, { dtype: "float64" }),
      () => normal(array([1, 2, 3, 4, 5]), 1, [2, 5]),
      () => rand(10),
      () => randn(2, 5),
      () => randint(3, null, 10),
      () => permutation(10),
      () => shuffle(array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])),
    ];
    const after = list(rand(20)).slice(10);
    for (const move of MOVES) {
      seed(42);
      move();
      expect(list(rand(10))).toEqual(after);
    }
  });

  test("without a number the seed is another one each time", () => {
    const draw = (): number[] => list(uniform(0, 1, 4));
    seed();
    const first = draw();
    seed(null);
    const second = draw();
    seed();
    expect(new Set([first, second, draw()].map(String)).size).toBe(3);
  });

  test("seeds differ, also in their upper half", () => {
    const first = [0, 1, 2, 2 ** 32, 2 ** 32 + 1, 2 ** 53].map(n => {
      seed(n);
      return list(rand(4)).join();
    });
    expect(new Set(first).size).toBe(first.length);
  });

  test("number parameters and array parameters give the same bits", () => {
    for (const [code, dtype] of [
      [F32, "float32"],
      [F64, "float64"],
    ] as const) {
      // Multiples of 1/8, so that high - low has no rounding of its own.
      const [low, high] = [-2.125, 3.5];
      seed(42);
      const numbers = [uniform(low, high, 100, { dtype }), normal(low, high, 100, { dtype })].map(list);
      seed(42);
      const arrays = [
        uniform(array([low], code), array([high], code), 100, { dtype }),
        normal(array([low], code), array([high], code), 100, { dtype }),
      ];
      expect(arrays.map(list)).toEqual(numbers);
    }
    for (const dtype of ["int32", "int8", "uint8"] as const) {
      seed(42);
      const numbers = [randint(3, 90, 100, { dtype }), randint(7, null, 100, { dtype })];
      seed(42);
      const arrays = [randint([3], array([90], I32), 100, { dtype }), randint(array([7], F64), null, 100, { dtype })];
      arrays.forEach((y, i) => void expect([y.dtype, list(y)]).toEqual([dtype, list(numbers[i]!)]));
    }
  });
});

describe("shapes and dtypes", () => {
  test("randint between arrays: each of its own range, also at the ends of int32", () => {
    const low = fromValues([-(2 ** 31), 0, 5], [3], I32);
    const high = [
      [-(2 ** 31) + 1, 1, 6],
      [2 ** 31, 2 ** 31, 2 ** 31],
    ];
    const y = randint(low, high);
    expect([y.dtype, y.shape]).toEqual(["int32", [2, 3]]);
    expect(list(y).slice(0, 3)).toEqual(list(low));
    const many = randint(low, 7, [500, 3]);
    expect(new Set(list(many).filter((_, i) => i % 3 === 2))).toEqual(new Set([5, 6]));
    expect(list(many).every((v, i) => v < 7 && v >= list(low)[i % 3]!)).toBe(true);
    expect(randint([0, 0], 2, null, { dtype: "bool" }).dtype).toBe("bool");
  });

  test("without a size: 0-d float32, or the parameters' broadcast shape", () => {
    for (const x of [uniform(), normal(), rand(), randn(), uniform(0, 1, null), normal(undefined, undefined, undefined)]) {
      expect([x.shape, x.dtype]).toEqual([[], "float32"]);
    }
    expect([randint(5).shape, randint(5).dtype]).toEqual([[], "int32"]);
    const column = fromValues([1, 2], [2, 1], F32);
    expect(normal(column, array([1, 2, 3])).shape).toEqual([2, 3]);
    expect(uniform(column, [5, 6, 7], [4, 2, 3]).shape).toEqual([4, 2, 3]);
    expect(uniform(0, 1, 0).size + normal(0, 1, [3, 0]).size + randint(0, 5, 0).size).toBe(0);
    expect(uniform(0, 1, 5).shape).toEqual([5]);
    expect(rand(2, 3).shape).toEqual([2, 3]);
    expect(randn(2, 3, { dtype: "float64" }).dtype).toBe("float64");
  });

  test("float64 where asked for or where a parameter has it, float32 where asked for", () => {
    expect(normal(array([1], F64)).dtype).toBe("float64");
    expect(normal(array([1], F64), 1, null, { dtype: "float32" }).dtype).toBe("float32");
    expect(normal(array([1]), 1, null, { dtype: "float64" }).dtype).toBe("float64");
    expect(normal(array([1], I32)).dtype).toBe("float32");
    const fine = list(uniform(array([0], F64), 1, 50));
    expect(fine.some(u => (u * 2 ** 24) % 1 !== 0)).toBe(true);
  });

  test("small integer parameters do not wrap around", () => {
    const x = list(uniform(array([-100], I8), array([100], I8), 1000));
    expect(Math.min(...x)).toBeLessThan(-90);
    expect(Math.max(...x)).toBeGreaterThan(90);
  });

  test.each(["int32", "int8", "uint8", "bool"] as const)("randint as %s reaches both ends and no further", dtype => {
    const [low, high] = { int32: [-3, 4], int8: [-128, 128], uint8: [0, 256], bool: [0, 2] }[dtype] as [number, number];
    const x = randint(low, high, 20_000, { dtype });
    expect(x.dtype).toBe(dtype);
    expect([...new Set(list(x))].sort((a, b) => a - b)).toEqual(Array.from({ length: high - low }, (_, i) => low + i));
  });

  test("randint over all of int32", () => {
    const x = list(randint(-(2 ** 31), 2 ** 31, 10_000));
    expect(Math.min(...x)).toBeLessThan(-(2 ** 31) * 0.999);
    expect(Math.max(...x)).toBeGreaterThan(2 ** 31 * 0.999);
  });

  test("uniform never leaves its interval", () => {
    for (let i = 0; i < 300; i++) {
      const [low, width] = list(uniform([-300, 0], [300, 1e-3], null, { dtype: "float64" })) as [number, number];
      const high = low + width;
      for (const x of [uniform(low, high, 3000), uniform(array([low]), array([high]), 3000)].map(list))
        for (const v of x) if (v < Math.fround(low) || v > Math.fround(high)) expect.fail(`${v} is outside ${low} … ${high}`);
    }
  });
});

// ---- distributions, with a fixed seed

/** Kolmogorov and Smirnov's distance, times the root of n: beyond 1.95 once in a thousand. */
function kolmogorov(values: readonly number[], cdf: (x: number) => number): number {
  const sorted = Float64Array.from(values).sort();
  const n = sorted.length;
  let worst = 0;
  for (let i = 0; i < n; i++) {
    const p = cdf(sorted[i]!);
    worst = Math.max(worst, p - i / n, (i + 1) / n - p);
  }
  return worst * Math.sqrt(n);
}

/**
 * How many standard deviations chi-square is from its mean, by Wilson and Hilferty's cube root; the counts expected are
 * all alike or in a list, and where that has 0 nothing may be counted.
 */
function chiSquare(counts: readonly number[], expected: number | readonly number[]): number {
  const want = counts.map((_, i) => (typeof expected === "number" ? expected : expected[i]!));
  const k = want.filter(w => w > 0).length - 1;
  const x = counts.reduce((sum, c, i) => sum + (want[i] === 0 ? c * 1e9 : (c - want[i]!) ** 2 / want[i]!), 0);
  return (Math.cbrt(x / k) - (1 - 2 / (9 * k))) / Math.sqrt(2 / (9 * k));
}

/** The standard normal distribution, by Simpson's rule from 0: good to 1e-12. */
function normalCdf(x: number): number {
  const steps = 400;
  const h = x / steps;
  const f = (t: number): number => Math.exp((-t * t) / 2);
  let sum = f(0) + f(x);
  for (let i = 1; i < steps; i++) sum += (i % 2 === 1 ? 4 : 2) * f(i * h);
  return 0.5 + (sum * h) / 3 / Math.sqrt(2 * Math.PI);
}

function moments(x: readonly number[]): { mean: number; variance: number; skew: number; kurtosis: number } {
  const n = x.length;
  const mean = x.reduce((s, v) => s + v, 0) / n;
  const central = (k: number): number => x.reduce((s, v) => s + (v - mean) ** k, 0) / n;
  const variance = central(2);
  return { mean, variance, skew: central(3) / variance ** 1.5, kurtosis: central(4) / variance ** 2 };
}

/** The correlation with the neighbour `lag` places on, times the root of n. */
function neighbours(x: readonly number[], lag: number): number {
  const { mean, variance } = moments(x);
  let sum = 0;
  for (let i = lag; i < x.length; i++) sum += (x[i]! - mean) * (x[i - lag]! - mean);
  return sum / variance / Math.sqrt(x.length);
}

describe("distributions", () => {
  const n = 200_000;
  const root = Math.sqrt(n);

  test.each(FLOATS)("uniform %s", dtype => {
    const x = list(uniform(-1, 3, n, { dtype }));
    expect(kolmogorov(x, v => (v + 1) / 4)).toBeLessThan(1.95);
    const m = moments(x);
    expect(Math.abs(m.mean - 1) * root).toBeLessThan(4 * Math.sqrt(16 / 12));
    expect(Math.abs(m.variance - 16 / 12)).toBeLessThan(0.02);
    expect(m.kurtosis).toBeCloseTo(1.8, 1);
    for (const lag of [1, 2, 3, 4, 8, 16, 32]) expect(Math.abs(neighbours(x, lag))).toBeLessThan(4);
  });

  test.each(FLOATS)("normal %s", dtype => {
    const x = list(normal(0, 1, n, { dtype }));
    expect(kolmogorov(x.slice(0, 20_000), normalCdf)).toBeLessThan(1.95);
    const m = moments(x);
    expect(Math.abs(m.mean) * root).toBeLessThan(4);
    expect(Math.abs(m.variance - 1) * root).toBeLessThan(4 * Math.SQRT2);
    expect(Math.abs(m.skew) * root).toBeLessThan(4 * Math.sqrt(6));
    expect(Math.abs(m.kurtosis - 3) * root).toBeLessThan(4 * Math.sqrt(24));
    for (const lag of [1, 2, 3, 4, 8, 16, 32]) expect(Math.abs(neighbours(x, lag))).toBeLessThan(4);
    // The tail: 63.3 of a million are beyond 4 on either side.
    const beyond = list(normal(0, 1, 1_000_000, { dtype })).filter(v => Math.abs(v) > 4).length;
    expect(Math.abs(beyond - 63.3)).toBeLessThan(4 * Math.sqrt(63.3));
  });

  test("normal with loc and scale", () => {
    const m = moments(list(normal(-7, 0.25, n)));
    expect(Math.abs(m.mean + 7) * root).toBeLessThan(1);
    expect(Math.abs(m.variance - 0.0625) * root).toBeLessThan(4 * Math.SQRT2 * 0.0625);
  });

  test.each([2, 3, 6, 7, 10, 100, 1000])("randint over %i values", k => {
    const counts = new Array<number>(k).fill(0);
    for (const i of list(randint(0, k, n))) counts[i]!++;
    expect(Math.abs(chiSquare(counts, n / k))).toBeLessThan(4);
  });

  test("the bits of words are even, and so are pairs of neighbours", () => {
    const x = list(uniform(0, 1, n));
    for (let bit = 0; bit < 24; bit++) {
      const ones = x.filter(u => Math.floor(u * 2 ** (bit + 1)) % 2 === 1).length;
      expect(Math.abs(ones - n / 2) / Math.sqrt(n / 4)).toBeLessThan(4);
    }
    const counts = new Array<number>(256).fill(0);
    for (let i = 0; i + 1 < n; i += 2) counts[Math.floor(x[i]! * 16) * 16 + Math.floor(x[i + 1]! * 16)]!++;
    expect(Math.abs(chiSquare(counts, n / 512))).toBeLessThan(4);
  });

  test("every order of four is as likely", () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const order = list(permutation(4)).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    expect(Math.abs(chiSquare([...counts.values()], 1000))).toBeLessThan(4);
  });
});

describe("orders", () => {
  test.each([0, 1, 2, 7, 1000, 70_000])("permutation(%i) holds every number once", n => {
    const x = permutation(n);
    expect([x.dtype, x.shape]).toEqual(["int32", [n]]);
    expect(list(x).sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
  });

  test.each(DTYPES)("rows of %s move as wholes, in place, in views too", dtype => {
    const code = dtypeCode(dtype, "test");
    const values = Array.from({ length: 60 }, (_, i) => (dtype === "bool" ? i % 2 : i));
    const make = (): NDArray => fromValues(values, [20, 3], code);
    const order = list(permutation(20));
    const want = order.map(i => values.slice(3 * i, 3 * i + 3));
    const same = (x: NDArray): void => {
      expect(list(x)).toEqual(want.flat());
    };
    seed(42);
    same(permutation(make()));
    seed(42);
    const x = make();
    expect(shuffle(x)).toBe(undefined);
    same(x);
    // A transposed array, and one with gaps: what lies between stays.
    seed(42);
    const t = transpose(
      fromValues(
        Array.from({ length: 60 }, (_, i) => values[(i % 20) * 3 + Math.floor(i / 20)]!),
        [3, 20],
        code,
      ),
    );
    shuffle(t);
    same(t);
    seed(42);
    const wide = fromValues(
      values.flatMap((v, i) => (i % 3 === 2 ? [v, 1, 0] : [v])),
      [20, 5],
      code,
    );
    const part = slice([wide], { starts: [0, 0], steps: [1, 1], counts: [20, 3], shape: [20, 3] });
    shuffle(part);
    same(part);
    expect(list(wide).filter((_, i) => i % 5 > 2)).toEqual(Array.from({ length: 40 }, (_, i) => 1 - (i % 2)));
  });

  test("entries along another axis move as those along the first of the array turned", () => {
    const make = (): NDArray =>
      fromValues(
        Array.from({ length: 24 }, (_, i) => i),
        [2, 3, 4],
        F32,
      );
    for (const [axis, order] of [
      [1, [1, 0, 2]],
      [-1, [2, 1, 0]],
    ] as const) {
      const turn = (x: NDArray): NDArray => transpose(x, order);
      const want = list(turn(permutation(turn(make()))));
      seed(42);
      expect(list(permutation(make(), axis))).toEqual(want);
      seed(42);
      const x = make();
      shuffle(x, axis);
      expect(list(x)).toEqual(want);
      seed(42);
    }
    expect(list(permutation(make(), 1))).not.toEqual(list(make()));
  });

  test("empty rows and empty arrays", () => {
    shuffle(fromValues([], [0, 3], F32));
    shuffle(fromValues([], [3, 0], F32));
    expect(permutation(fromValues([], [3, 0], F32)).shape).toEqual([3, 0]);
  });
});

describe("choice", () => {
  test("shapes, dtypes, and what is drawn", () => {
    expect([choice(5).shape, choice(5).dtype]).toEqual([[], "int32"]);
    expect(choice(5, [2, 3]).shape).toEqual([2, 3]);
    expect(choice(5, 0).shape).toEqual([0]);
    expect(choice(0, 0).shape).toEqual([0]);
    expect(choice(0, [2, 0], { replace: false }).shape).toEqual([2, 0]);
    for (const dtype of DTYPES) {
      const code = dtypeCode(dtype, "test");
      const x = fromValues(dtype === "bool" ? [1, 1, 1] : [7, 8, 9], [3], code);
      for (const options of [{}, { replace: false }, { p: [0, 1, 0] }, { replace: false, p: [0.25, 0.5, 0.25] }]) {
        const y = choice(x, options.p?.[1] === 1 ? 9 : 3, options);
        expect(y.dtype).toBe(dtype);
        if (dtype === "bool") expect(list(y)).toEqual(list(y).map(() => 1));
        else if (options.p?.[1] === 1) expect(list(y)).toEqual(new Array(9).fill(8));
        else if (options.replace === false) expect(list(y).sort()).toEqual([7, 8, 9]);
        else for (const v of list(y)) expect([7, 8, 9]).toContain(v);
      }
    }
    const every = slice([fromValues([0, 1, 2, 3, 4, 5], [6], F32)], { starts: [5], steps: [-2], counts: [3], shape: [3] });
    expect(list(choice(every, 3, { replace: false })).sort()).toEqual([1, 3, 5]);
    expect(list(choice(1_000_000_000, 3)).every(v => v < 1e9)).toBe(true);
  });

  test("along an axis whole entries are drawn, and size stands in its place", () => {
    const x = fromValues(
      Array.from({ length: 12 }, (_, i) => i),
      [3, 4],
      F32,
    );
    for (const options of [{}, { replace: false }, { p: [0.1, 0.2, 0.3, 0.4] }]) {
      seed(42);
      const places = list(choice(4, 3, options));
      seed(42);
      const y = choice(x, 3, { ...options, axis: -1 });
      expect(y.shape).toEqual([3, 3]);
      expect(list(y)).toEqual([0, 4, 8].flatMap(row => places.map(i => row + i)));
    }
    expect(choice(x, null, { axis: 0 }).shape).toEqual([4]);
    expect(choice(x, [2, 2], { axis: 0 }).shape).toEqual([2, 2, 4]);
  });

  test("without replacement nothing comes twice, and all of it is an order", () => {
    for (const n of [1, 2, 10, 1000]) {
      const even = new Array<number>(n).fill(1 / n);
      for (const options of [{ replace: false }, { replace: false, p: fromValues(even, [n], F64) }]) {
        expect(list(choice(n, n, options)).sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
        expect(new Set(list(choice(n, Math.ceil(n / 2), options))).size).toBe(Math.ceil(n / 2));
      }
    }
  });

  const n = 60_000;
  const p = [0.1, 0.2, 0, 0.4, 0.05, 0.25];
  const countsOf = (values: readonly number[], k: number): number[] => {
    const counts = new Array<number>(k).fill(0);
    for (const v of values) counts[v]!++;
    return counts;
  };
  const expectFit = (counts: readonly number[], shares: readonly number[], total: number): void => {
    const misfit = chiSquare(
      counts,
      shares.map(q => q * total),
    );
    expect(Math.abs(misfit)).toBeLessThan(4);
  };

  test("the frequencies are the probabilities", () => {
    expectFit(countsOf(list(choice(6, n)), 6), new Array<number>(6).fill(1 / 6), n);
    for (const code of [F32, F64]) expectFit(countsOf(list(choice(6, n, { p: array(p, code) })), 6), p, n);
    // Pairs of neighbours are independent.
    const x = list(choice(6, n, { p }));
    const pairs = Array.from({ length: n / 2 }, (_, i) => x[2 * i]! * 6 + x[2 * i + 1]!);
    const both = p.flatMap(a => p.map(b => a * b));
    expectFit(countsOf(pairs, 36), both, n / 2);
  });

  test("without replacement each draw has the probabilities of what is left", () => {
    const turns = 20_000;
    for (const weights of [[0.5, 0.3, 0, 0.2], null]) {
      const k = weights === null ? 5 : 4;
      const q = weights ?? new Array<number>(k).fill(1 / k);
      const options = weights === null ? { replace: false } : { replace: false, p: weights };
      const pairs = Array.from({ length: turns }, () => {
        const [a, b] = list(choice(k, 2, options)) as [number, number];
        return a * k + b;
      });
      const shares = q.flatMap((a, i) => q.map((b, j) => (i === j ? 0 : (a * b) / (1 - a))));
      expectFit(countsOf(pairs, k * k), shares, turns);
    }
  });

  test("probabilities so small that their waiting time overflows come last", () => {
    const tiny = fromValues([5e-324, 1, 0], [3], F64);
    for (let i = 0; i < 20; i++) expect(list(choice(3, 2, { replace: false, p: tiny }))).toEqual([1, 0]);
  });

  test("gradients flow to the array, added where an element came twice", () => {
    const x = array([1, 2, 3]);
    attach(x, "write", "test");
    setRecording(true);
    const y = choice(x, [5, 2], { p: [0.5, 0.5, 0] });
    setRecording(false);
    backward(y);
    const counts = [1, 2, 3].map(v => list(y).filter(w => w === v).length);
    expect(list(x.edge!.variable!.buffer)).toEqual(counts);
  });
});

describe("gradients", () => {
  function attached(values: readonly number[], code = F32): NDArray {
    const x = array(values, code);
    attach(x, "write", "test");
    return x;
  }
  const gradientOf = (x: NDArray): number[] => list(x.edge!.variable!.buffer);

  function recorded(fn: () => NDArray): NDArray {
    setRecording(true);
    const y = fn();
    setRecording(false);
    backward(y);
    return y;
  }

  test.each([F32, F64])("of normal: 1 to loc, z to scale, summed where they are broadcast (code %i)", code => {
    const loc = attached([1, -2, 3], code);
    const scale = attached([0.5], code);
    const z = list(normal(0, 1, [4, 3], { dtype: DTYPES[code]! }));
    seed(42);
    const y = recorded(() => normal(loc, scale, [4, 3]));
    expect(list(y)[4]).toBeCloseTo(-2 + 0.5 * z[4]!, 5);
    expect(gradientOf(loc)).toEqual([4, 4, 4]);
    expect(gradientOf(scale)[0]).toBeCloseTo(
      z.reduce((s, v) => s + v, 0),
      code === F64 ? 12 : 4,
    );
  });

  test("of uniform: 1 - u to low, u to high", () => {
    const low = attached([0, 0, -1]);
    const high = attached([1, 2, 5]);
    const u = list(uniform(0, 1, 3));
    seed(42);
    recorded(() => uniform(low, high));
    gradientOf(high).forEach((g, i) => void expect(g).toBeCloseTo(u[i]!, 6));
    gradientOf(low).forEach((g, i) => void expect(g).toBeCloseTo(1 - u[i]!, 6));
  });

  test("through a parameter of another dtype", () => {
    const loc = attached([1, 2], F64);
    recorded(() => normal(loc, 1, null, { dtype: "float32" }));
    expect(gradientOf(loc)).toEqual([1, 1]);
  });

  test("through permutation", () => {
    const x = attached([1, 2, 3, 4]);
    const y = recorded(() => permutation(x));
    expect(list(y).sort()).toEqual([1, 2, 3, 4]);
    expect(gradientOf(x)).toEqual([1, 1, 1, 1]);
  });

  test("number parameters record nothing", () => {
    setRecording(true);
    expect([uniform(1, 2, 3), normal(1, 2, 3), randint(5), permutation(3)].map(x => x.edge)).toEqual([null, null, null, null]);
  });
});

describe("errors say what is wrong and change nothing", () => {
  const bad = <T>(value: unknown): T => value as T;
  const CASES: [string, typeof NablaError, RegExp, () => unknown][] = [
    ["a negative seed", ValueError, /^random\.seed: .*whole number from 0.*got -1/, () => seed(-1)],
    ["a fractional seed", ValueError, /got 1\.5/, () => seed(1.5)],
    ["NaN as seed", ValueError, /got NaN/, () => seed(Number.NaN)],
    ["too large a seed", ValueError, /random\.seed/, () => seed(2 ** 54)],
    ["a text as seed", ValueError, /got "7"/, () => seed(bad("7"))],
    ["low > high", ValueError, /^random\.uniform: low is greater than high.*got 2 and 1/, () => uniform(2, 1)],
    ["low > high somewhere", ValueError, /^random\.uniform: low is greater/, () => uniform([0, 3], [1, 2])],
    ["NaN as low", ValueError, /finite/, () => uniform(Number.NaN, 1)],
    ["an endless interval", ValueError, /finite/, () => uniform(0, Infinity)],
    ["an interval too long for float32", ValueError, /finite float32, got -3e\+38 and 3e\+38/, () => uniform(-3e38, 3e38)],
    ["an endless interval somewhere", ValueError, /finite/, () => uniform(0, [1, Infinity])],
    ["scale < 0", ValueError, /^random\.normal: scale must be >= 0, got -1/, () => normal(0, -1)],
    ["scale < 0 somewhere", ValueError, /^random\.normal: scale must be >= 0/, () => normal(0, [1, -1])],
    ["parameters that do not fit", ShapeError, /^random\.normal: cannot broadcast \(2,\) with \(3,\)/, () => normal([1, 2], [1, 2, 3])],
    ["a size that does not fit", ShapeError, /^random\.normal: cannot broadcast/, () => normal([1, 2], 1, [3, 3])],
    ["a size that is too small", ShapeError, /^random\.uniform: .*\(2,\).*size \(\)/, () => uniform([1, 2], 3, [])],
    ["a size of 1 to enlarge", ShapeError, /^random\.uniform: /, () => uniform([1, 2], 3, [1])],
    ["a negative size", ShapeError, /^random\.uniform: .*-1/, () => uniform(0, 1, -1)],
    ["a negative size of rand", ShapeError, /^random\.rand: .*-1/, () => rand(2, -1)],
    ["a list of sizes of randn", ShapeError, /^random\.randn: /, () => randn(bad<number>([2, 3]))],
    ["an unknown option", ValueError, /unknown option "dtpye"/, () => normal(0, 1, 3, bad({ dtpye: "float32" }))],
    ["an unknown option of rand", ValueError, /unknown option "x"/, () => rand(3, bad<RandomOptions>({ x: 1 }))],
    ["an integer dtype", DTypeError, /^random\.normal: .*"int32"/, () => normal(0, 1, 3, { dtype: "int32" })],
    ["an unknown dtype", DTypeError, /float16/, () => uniform(0, 1, 3, bad({ dtype: "float16" }))],
    ["a missing parameter", ValueError, /random\.uniform/, () => uniform(bad("1"))],
    ["randint of nothing", ValueError, /^random\.randint: .*0.*low must be less/, () => randint(0)],
    ["randint from equal bounds", ValueError, /low must be less/, () => randint(5, 5)],
    ["randint from exchanged bounds", ValueError, /low must be less/, () => randint(5, 2)],
    ["randint of a fraction", ValueError, /whole numbers, got 2\.5/, () => randint(2.5)],
    ["randint of NaN", ValueError, /whole numbers, got NaN/, () => randint(0, Number.NaN)],
    ["randint without bounds", ValueError, /random\.randint: .*got undefined/, () => randint(bad(undefined))],
    ["randint of a fraction somewhere", ValueError, /^random\.randint: .*whole numbers, got 2\.5/, () => randint([1, 2.5])],
    ["randint from exchanged bounds somewhere", ValueError, /from 3 to below 2; low must be less/, () => randint([0, 3], 2)],
    ["randint of bounds beyond int8", ValueError, /128 does not fit int8/, () => randint(0, [1, 129], null, { dtype: "int8" })],
    ["randint of bounds that do not fit", ShapeError, /^random\.randint: cannot broadcast/, () => randint([0, 0], [1, 2, 3])],
    ["randint of a size that does not fit", ShapeError, /^random\.randint: .*size \(3,\)/, () => randint([[1], [2]], null, 3)],
    ["randint beyond int32", ValueError, /2147483648 does not fit int32/, () => randint(0, 2 ** 31 + 1)],
    ["randint below int8", ValueError, /-129 does not fit int8/, () => randint(-129, 4, 3, { dtype: "int8" })],
    ["randint beyond bool", ValueError, /2 does not fit bool/, () => randint(0, 3, 3, { dtype: "bool" })],
    ["randint of a float dtype", DTypeError, /^random\.randint: .*"float32"/, () => randint(0, 3, 3, { dtype: "float32" })],
    ["shuffle of a list", ValueError, /^random\.shuffle: .*permutation/, () => shuffle(bad([1, 2]))],
    ["shuffle along an axis out of range", ShapeError, /^random\.shuffle: axis 2/, () => shuffle(fromValues([1, 2], [1, 2], F32), 2)],
    ["permutation along an axis out of range", ShapeError, /^random\.permutation: axis 1/, () => permutation([1, 2], 1)],
    ["choice along an axis out of range", ShapeError, /^random\.choice: axis 1/, () => choice([1, 2], 1, { axis: 1 })],
    [
      "choice with probabilities of another axis",
      ShapeError,
      /3 elements/,
      () => choice(fromValues([1, 2, 3], [1, 3], F32), 1, { axis: 1, p: [1] }),
    ],
    ["shuffle of a 0-d array", ValueError, /0-d/, () => shuffle(fromValues([1], [], F32))],
    ["permutation of a fraction", ValueError, /got 2\.5/, () => permutation(2.5)],
    ["permutation of a negative number", ValueError, /got -1/, () => permutation(-1)],
    ["choice of a fraction", ValueError, /^random\.choice: expected a whole number.*got 2\.5/, () => choice(2.5)],
    ["choice of a matrix", ValueError, /1-d array, got one of shape \(2, 2\)/, () => choice(fromValues([1, 2, 3, 4], [2, 2], F32))],
    ["choice of a 0-d array", ValueError, /1-d array, got one of shape \(\)/, () => choice(fromValues([3], [], F32))],
    ["choice of nothing", ValueError, /1 elements cannot be drawn from 0/, () => choice(0)],
    ["choice of too many", ValueError, /4 elements cannot be drawn without replacement from 3/, () => choice(3, 4, { replace: false })],
    ["choice of too many that can come", ValueError, /from 1;/, () => choice(3, 2, { replace: false, p: [0, 1, 0] })],
    ["choice with too few probabilities", ShapeError, /p has shape \(2,\).*3 elements/, () => choice(3, 1, { p: [0.5, 0.5] })],
    ["choice with a matrix of probabilities", ShapeError, /p has shape/, () => choice(2, 1, { p: [[0.5, 0.5]] })],
    ["choice with a negative probability", ValueError, /probabilities must be >= 0/, () => choice(3, 1, { p: [1, -0.5, 0.5] })],
    ["choice with NaN as probability", ValueError, /probabilities must be >= 0/, () => choice(2, 1, { p: [1, Number.NaN] })],
    ["choice with probabilities of 0.9", ValueError, /add up to 0\.9\d*; divide p/, () => choice(2, 1, { p: [0.5, 0.4] })],
    [
      "choice with an unknown option",
      ValueError,
      /unknown option "P"; known options: replace, p, axis/,
      () => choice(2, 1, bad({ P: [1, 0] })),
    ],
    ["choice with a text for replace", ValueError, /replace is true or false/, () => choice(2, 1, bad({ replace: "no" }))],
    ["choice of more than memory holds", ShapeError, /random\.choice: /, () => choice(2 ** 40, 1, { replace: false })],
    ["permutation of a 0-d array", ValueError, /0-d/, () => permutation(fromValues([3], [], F32))],
  ];

  test.each(CASES)("%s", (what, kind, message, call) => {
    const next = list(rand(4));
    seed(42);
    let caught: unknown;
    try {
      call();
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(kind);
    expect((caught as Error).message).toMatch(message);
    expect((caught as Error).message.startsWith("random.")).toBe(true);
    expect(list(rand(4)), what).toEqual(next);
  });

  test("a recorded array is not shuffled in place, nor a view of one", () => {
    const x = array([1, 2, 3]);
    attach(x, "write", "test");
    setRecording(true);
    expect(() => shuffle(x)).toThrow(GradError);
    setRecording(false);
    const part = slice([x], { starts: [0], steps: [1], counts: [2], shape: [2] });
    setRecording(true);
    expect(() => shuffle(part)).toThrow(GradError);
    expect(list(x)).toEqual([1, 2, 3]);
    const data = array([1, 2, 3]);
    shuffle(data);
    expect(list(data).sort()).toEqual([1, 2, 3]);
  });

  test("what a graph has saved is not shuffled with the array", () => {
    const w = array([1, 1, 1]);
    attach(w, "write", "test");
    const data = array([10, 20, 30]);
    setRecording(true);
    const y = multiply(w, data);
    setRecording(false);
    shuffle(data);
    expect(list(data)).not.toEqual([10, 20, 30]);
    backward(y);
    expect(list(w.edge!.variable!.buffer)).toEqual([10, 20, 30]);
  });
});

test("without a seed two runs differ", async () => {
  const { vi } = await import("vitest");
  const runs: string[] = [];
  for (let i = 0; i < 2; i++) {
    vi.resetModules();
    const fresh = await import("../src/random/index.ts");
    runs.push(Array.from(fresh.rand(4).toTypedArray()).join());
  }
  expect(runs[0]).not.toBe(runs[1]);
});
