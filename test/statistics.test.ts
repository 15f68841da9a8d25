/** Reductions, scans and statistics at the points where a careless formula fails: zeros, ties, NaN, infinities, large means. */
import { autograd, DTypeError, grad, hessian, jacobian, jvp, type NDArray, np, ShapeError, ValueError, vmap } from "nabla";
import { describe, expect, test } from "vitest";
import { expectDerivatives, type Fn, randomArray } from "./support/derivatives.ts";
import { closeness, randomNumbers, valuesOf } from "./support/sampling.ts";

const f64 = (values: readonly number[]): NDArray => np.array(Float64Array.from(values));
/** The elements; -0 as 0. */
const list = (x: NDArray): number[] => Array.from(x.toTypedArray(), v => v + 0);
/** Every tuple of n places, in C order. */
const tuples = (n: number, order: number): number[][] =>
  order === 0 ? [[]] : tuples(n, order - 1).flatMap(t => Array.from({ length: n }, (_, i) => [...t, i]));
const slopes = (f: (x: NDArray) => NDArray, x: NDArray): number[] => list(grad((v: NDArray) => f(v).sum())(x));

// ---------------------------------------------------------------- products

/** Products of which some factors are 0, by how many. */
const FACTORS = [
  [2, -3, 4, 0.5],
  [2, 0, 4, 0.5],
  [0, 3, 0, 5],
  [0, 0, 2, 0],
  [0, 0, 0, 0],
];

describe("products where factors are 0", () => {
  /** The derivative of the product of the first `count` factors by those at the places: what is left of it, or 0. */
  const left = (x: readonly number[], count: number, places: readonly number[]): number =>
    new Set(places).size < places.length || places.some(i => i >= count)
      ? 0
      : x.slice(0, count).reduce((y, v, i) => (places.includes(i) ? y : y * v), 1);

  const wanted = (x: readonly number[], order: number, weights: readonly number[]): number[] =>
    tuples(x.length, order).map(t => weights.reduce((sum, w, i) => sum + w * left(x, i + 1, t), 0));
  const FUNCTIONS = [
    ["prod", [0, 0, 0, 1], (v: NDArray): NDArray => v.prod()],
    [
      "cumprod",
      [3, -2, 5, 7],
      (v: NDArray): NDArray =>
        v
          .cumprod()
          .mul(f64([3, -2, 5, 7]))
          .sum(),
    ],
  ] as const;

  test.each(FUNCTIONS)("%s: first and second derivatives", (_, weights, f) => {
    for (const x of FACTORS) {
      expect(list(grad(f)(f64(x)))).toEqual(wanted(x, 1, weights));
      expect(list(hessian(f)(f64(x)))).toEqual(wanted(x, 2, weights));
    }
  });

  test.each(FUNCTIONS)("%s: third derivatives", (_, weights, f) => {
    for (const x of FACTORS) expect(list(jacobian(hessian(f))(f64(x)))).toEqual(wanted(x, 3, weights));
  });

  test("over several axes, in float32, of views", () => {
    const x = np
      .array([
        [1, 0, 2],
        [3, 4, 0],
      ])
      .attachGrad();
    autograd.record(() => x.T.prod(0)).backward(np.array([10, 1]));
    expect(x.grad!.tolist()).toEqual([
      [0, 20, 0],
      [0, 0, 12],
    ]);
    autograd.record(() => x.prod([1, 0], { keepdims: true })).backward();
    expect(list(x.grad!)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test("a cotangent of 0 stays 0 beside infinite factors", () => {
    const f = (v: NDArray): NDArray => np.where([true, false], v.cumprod(), 0);
    expect(slopes(f, f64([2, Number.POSITIVE_INFINITY]))).toEqual([1, 0]);
  });
});

// ---------------------------------------------------------------- means and moments

describe("means and moments", () => {
  const n = 1_000_000;
  const next = randomNumbers(5);
  const DATA: Record<string, () => number> = {
    "0.1": () => 0.1,
    "from 0 to 1": next,
    "about 10000": () => 10000 + next(),
    "about 1e6": () => 1e6 + next() + next(),
    "about 0": () => next() - 0.5,
  };

  test.each(Object.entries(DATA))("of a million float32 %s, to one unit in the last place", (name, draw) => {
    const values = Float32Array.from({ length: n }, draw);
    const exact = (f: (v: number) => number): number => {
      let sum = 0;
      let rest = 0;
      for (const v of values) {
        const y = f(v) - rest;
        const t = sum + y;
        rest = t - sum - y;
        sum = t;
      }
      return sum / n;
    };
    const mean = exact(v => v);
    const variance = exact(v => (v - mean) ** 2);
    const near = (got: NDArray, want: number): void =>
      expect(Math.abs((got.item() as number) - want)).toBeLessThanOrEqual(2 ** -23 * Math.abs(want));
    const x = np.array(values);
    near(x.mean(), mean);
    near(x.reshape(1000, 1000).mean(0).mean(), mean);
    if (name === "0.1") {
      expect(x.var().item()).toBe(0);
      return;
    }
    near(x.var(), variance);
    near(x.nanvar(), variance);
    near(x.std(), Math.sqrt(variance));
    let sum = 0;
    const sums = x.cumsum().toTypedArray();
    for (let i = 0; i < n; i++) {
      sum += values[i]!;
      if (!(Math.abs(sums[i]! - sum) <= 2 ** -23 * Math.abs(sum) + 1e-10)) expect.fail(`cumsum at ${i}: ${sums[i]}, wanted ${sum}`);
    }
    const rows = x.reshape(1000, 1000).cumsum(0).toTypedArray();
    let column = 0;
    for (let i = 7; i < n; i += 1000)
      expect(Math.abs(rows[i]! - (column += values[i]!))).toBeLessThanOrEqual(2 ** -23 * Math.abs(column) + 1e-10);
  });

  test.each(["std", "nanstd"] as const)("%s of equal elements: 0, with slopes 0 of order 1 and 2", name => {
    for (const v of [0.1, 1 / 3, -7e22, 0])
      for (const count of [1, 3, 10, 1000]) {
        const x = np.full([count], v, { dtype: "float64" });
        const f = (u: NDArray): NDArray => u[name]();
        expect(f(x).item()).toBe(0);
        expect(list(grad(f)(x)).every(g => g === 0)).toBe(true);
        if (count < 20) expect(list(hessian(f)(x)).every(g => g === 0)).toBe(true);
      }
  });

  test("var far from 0 keeps its slopes", () => {
    const x = np.array([1e6, 1e6 + 1, 1e6 + 5]);
    expect(slopes(v => v.var(), x)).toEqual([-2, -1, 3].map(d => Math.fround((d * 2) / 3)));
  });

  test("densities of integers divide by the widths before these are rounded", () => {
    const x = np.array([202], { dtype: "uint8" });
    const y = np.histogram(x, 15, { density: true });
    expect(y.map(v => v.dtype)).toEqual(["float32", "float32"]);
    expect(y[0].max().item()).toBe(15);
    expect(np.histogram(x, 15, { density: true, weights: Float64Array.of(2) })[0].dtype).toBe("float64");
  });

  test("rules for bins of numbers whose differences or squares overflow lose no element", () => {
    const x = np.array([-3e38, -3e38, 1, 1e38, 1e38]);
    const wide = f64([-1e200, -1e200, 3, 1e200, 1e200]);
    expect(np.histogram(x, "sturges")[0].tolist()).toEqual([2, 0, 0, 3]);
    for (const rule of ["auto", "doane", "fd", "rice", "scott", "sqrt", "stone", "sturges"] as const)
      for (const values of [x, wide]) expect(np.histogram(values, rule)[0].sum().item(), rule).toBe(5);
  });

  test("edges of a histogram move with the ends, and densities with the edges", () => {
    const next = randomNumbers(71);
    const x = f64([0.3, -1.2, 2.1, 0.4, 5]);
    expectDerivatives("edges", v => np.histogram(v!, 3)[1], [x], 3, next);
    expectDerivatives("density", v => np.histogram(v!, 3, { density: true })[0], [x], 2, next);
    const second = (v: NDArray): NDArray => np.histogram(v, 2)[1].at(1);
    expect(list(grad(second)(f64([1, 1, 3])))).toEqual([0.25, 0.25, 0.5]);
    const rows = np.array([
      [1, 1, 3],
      [2, 5, 1],
    ]);
    expect(vmap(grad(second))(rows).tolist()).toEqual([
      [0.25, 0.25, 0.5],
      [0, 0.5, 0.5],
    ]);
    expect(list(grad((v: NDArray) => np.histogram(v, 2, { range: [0, 5] })[1].sum())([1, 2]))).toEqual([0, 0]);
  });

  test("rules for bins: edges move with the ends, and nothing is counted that is out of range", () => {
    const next = randomNumbers(72);
    // Of 7 elements no rule gives a whole number, which rounding could lift.
    const x = f64([0.3, -1.2, 2.1, 0.4, 5, 0.2, -0.4]);
    for (const rule of ["auto", "fd", "doane", "scott", "stone", "rice", "sturges", "sqrt"] as const) {
      const [counts, edges] = x.histogram(rule);
      expect(counts.sum().item(), rule).toBe(7);
      expect(edges.shape[0], rule).toBeGreaterThan(rule === "stone" ? 1 : 2);
      expectDerivatives(rule, v => np.histogram(v!, rule)[1], [x], 2, next);
      expect(np.histogram(x, rule, { range: [0.25, 0.5], weights: null }).map(y => y.shape[0]! > 0)).toEqual([true, true]);
      expect(() => x.histogram(rule, { weights: x })).toThrow(/^histogram: a rule for bins knows no weights/);
      expect(() => vmap((v: NDArray) => np.histogram(v, rule)[0])(np.stack([x, x])), rule).toThrow(/^vmap: /);
      // The number of bins is no function of the elements that has a slope.
      expect(autograd.record(() => np.histogram(x.copy().attachGrad(), rule)[1]).shape).toEqual(edges.shape);
    }
    expect(() => x.histogram("best" as "auto")).toThrow(/^histogram: a rule for bins is "auto", "doane", .* or "sturges", got "best"/);
    expect(() => np.histogram([1, Number.NaN], "fd")).toThrow(/^histogram: elements from NaN to NaN leave no range/);
  });

  test("rules at cubes, where n to the power nearest to a third decides about a bin", () => {
    // NumPy's own: 216 ** (1 / 3) is 5.999999999999999 there, and what is divided by it comes out a whole number or above.
    const bins = (n: number, rule: "rice" | "fd"): number => np.histogram(np.linspace(0, 1, n, { dtype: "float64" }), rule)[0].size;
    expect([8, 27, 64, 125, 216, 343, 512, 729, 1000].map(n => bins(n, "rice"))).toEqual([4, 6, 8, 10, 12, 14, 16, 18, 20]);
    expect([8, 27, 64, 125, 216, 343, 512, 729, 1000].map(n => bins(n, "fd"))).toEqual([3, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test("average is differentiable in its weights", () => {
    const w = f64([1, 2, 5]);
    const x = f64([4, -1, 3]);
    const mean = (4 - 2 + 15) / 8;
    slopes(v => np.average(x, null, { weights: v }), w).forEach((g, i) => {
      expect(g).toBeCloseTo(([4, -1, 3][i]! - mean) / 8, 14);
    });
  });

  test("integers are summed in 64 bits and wrap in the result", () => {
    const x = np.array(new Int32Array([2 ** 31 - 1, 2 ** 31 - 1, 3]));
    expect(x.sum().item()).toBe((2 * (2 ** 31 - 1) + 3) | 0);
    expect(x.mean().item()).toBe(Math.fround((2 * (2 ** 31 - 1) + 3) / 3));
    expect(
      np
        .array(new Int8Array([127, 127]))
        .cumsum()
        .tolist(),
    ).toEqual([127, 254]);
  });
});

// ---------------------------------------------------------------- NaN and infinities

describe("NaN and infinities", () => {
  const x = f64([3, Number.NaN, 1, 3]);
  test.each([
    ["nansum", [1, 0, 1, 1]],
    ["nanmean", [1 / 3, 0, 1 / 3, 1 / 3]],
    ["nanmax", [0.5, 0, 0, 0.5]],
    ["nanmin", [0, 0, 1, 0]],
    ["nanvar", [4 / 9, 0, -8 / 9, 4 / 9]],
  ] as const)("%s has slope 0 at NaN", (name, want) => {
    slopes(v => v[name](), x).forEach((g, i) => {
      expect(g).toBeCloseTo(want[i]!, 14);
    });
    // Where there is nothing but NaN too.
    expect(slopes(v => v[name](), f64([Number.NaN, Number.NaN]))).toEqual([0, 0]);
  });

  test("nanmax tells an infinite element from NaN", () => {
    const y = f64([Number.NaN, Number.NEGATIVE_INFINITY]);
    expect(y.nanmax().item()).toBe(Number.NEGATIVE_INFINITY);
    expect(slopes(v => v.nanmax(), y)).toEqual([0, 1]);
  });

  test("logsumexp: slopes are shares, 0 where the sum is, and nothing overflows", () => {
    const f = (v: NDArray): NDArray => v.logsumexp();
    const inf = Number.POSITIVE_INFINITY;
    for (const [given, value, slope] of [
      [[1000, 1000], 1000 + Math.LN2, [0.5, 0.5]],
      [[-2000, -2000], -2000 + Math.LN2, [0.5, 0.5]],
      [[-inf, -inf], -inf, [0, 0]],
      [[-inf, 4], 4, [0, 1]],
      [[inf, 4], inf, [1, 0]],
      [[inf, inf], inf, [0.5, 0.5]],
      [[1.7e308, -1.7e308], 1.7e308, [1, 0]],
    ] as const) {
      expect(f(f64(given)).item()).toBe(value);
      expect(slopes(f, f64(given))).toEqual(slope);
      expect(list(hessian(f)(f64(given))).every(Number.isFinite)).toBe(true);
    }
    expect(np.zeros([0, 2]).logsumexp(0).tolist()).toEqual([-inf, -inf]);
  });

  test("quantiles between infinite elements", () => {
    const inf = Number.POSITIVE_INFINITY;
    // An infinite way has no part, as in NumPy; a method that chooses an element does.
    expect(np.quantile([1, inf, inf], [0, 0.5, 1]).tolist()).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(np.quantile([1, inf, inf], [0, 0.5, 1], null, { method: "lower" }).tolist()).toEqual([1, inf, inf]);
    expect([np.median([1, inf]), np.median([1, inf, inf]), np.median([1, 2, inf])].map(y => y.item())).toEqual([inf, inf, 2]);
    expect(np.median([-inf, inf]).item()).toBeNaN();
  });
});

// ---------------------------------------------------------------- order

describe("order statistics", () => {
  test("the gradient goes to the elements chosen, by their weights", () => {
    const x = f64([5, 1, 4, 2]);
    expect(slopes(v => v.median(), x)).toEqual([0, 0, 0.5, 0.5]);
    slopes(v => v.quantile(0.9), x).forEach((g, i) => {
      expect(g).toBeCloseTo([0.7, 0, 0.3, 0][i]!, 14);
    });
    expect(slopes(v => v.quantile(1), x)).toEqual([1, 0, 0, 0]);
    expect(slopes(v => v.quantile(0.9, null, { method: "lower" }), x)).toEqual([0, 0, 1, 0]);
    // Ties are chosen by place.
    expect(slopes(v => v.median(), f64([2, 2, 2]))).toEqual([0, 1, 0]);
    expect(slopes(v => v.median(), f64([7, 7]))).toEqual([0.5, 0.5]);
    expect(slopes(v => v.median(), f64([Number.NaN, 1]))).toEqual([0, 0]);
  });

  test("quantile is differentiable in q", () => {
    expect(slopes(q => np.quantile([10, 20, 50], q), f64([0.25, 0.75]))).toEqual([20, 60]);
    expect(slopes(q => np.percentile([10, 20, 50], q), f64([75]))[0]).toBeCloseTo(0.6, 14);
  });

  test("every method that interpolates is differentiable in q, forwards, mapped, and to order 2", () => {
    const next = randomNumbers(41);
    const x = f64([0.4, -1, 1.3, 0.1, -0.6, 2, 3, 0.2, -2, 1, 0.6, -0.3]).reshape(2, 6);
    // No place is so near to an element that differences reach over it.
    const q = f64([0.31, 0.52, 0.77]);
    for (const [method, slope] of [
      ["linear", 5],
      ["interpolated_inverted_cdf", 6],
      ["hazen", 6],
      ["weibull", 7],
      ["median_unbiased", 6 + 1 / 3],
      ["normal_unbiased", 6.25],
    ] as const) {
      const f: Fn = (v, p) => np.quantile(v!, p!, 1, { method });
      expectDerivatives(method, f, [x, q], 2, next);
      // One place further per so much of q.
      const way = grad((p: NDArray) => f(f64([0, 1, 2, 3, 4, 5]).reshape(1, 6), p).sum())(q);
      expect(closeness(valuesOf(way), [slope, slope, slope], 1e-13), method).toBe("");
      const [, tangent] = jvp((p: NDArray) => f(x, p), q, np.onesLike(q));
      expect(closeness(valuesOf(tangent.sum()), valuesOf(grad((p: NDArray) => f(x, p).sum())(q).sum()), 1e-12), method).toBe("");
      const both = vmap(f, [0, null])(np.stack([x, x.neg()]), q);
      expect(closeness(valuesOf(both), valuesOf(np.stack([f(x, q), f(x.neg(), q)])), 0), method).toBe("");
      // Before the first and behind the last there is nothing to go to.
      if (method !== "linear")
        expect(
          slopes(p => f(x, p), f64([0.001])),
          method,
        ).toEqual([0]);
    }
    for (const method of ["inverted_cdf", "averaged_inverted_cdf", "closest_observation", "midpoint", "nearest"] as const) {
      expectDerivatives(method, v => np.percentile(v!, [31, 52, 77], 1, { method }), [x], 2, next);
      const inQ = (): NDArray => grad((p: NDArray) => np.quantile(x, p, null, { method }).sum())(q);
      // A part of two elements that stays the same has slope 0; which element is taken has none.
      if (method === "midpoint" || method === "averaged_inverted_cdf") expect(list(inQ())).toEqual([0, 0, 0]);
      else expect(inQ, method).toThrow(/quantile has no derivative/);
    }
  });

  test("a method that is not there is refused with those that are", () => {
    expect(() => np.quantile([1, 2], 0.5, null, { method: "inverted" as "linear" })).toThrow(
      /^quantile: method is "inverted_cdf", "averaged_inverted_cdf", .*" or "nearest", got "inverted"/,
    );
    expect(() => np.percentile([1, 2], 50, null, { methods: "linear" } as object)).toThrow(/^percentile: unknown option "methods"/);
    expect(np.quantile([1, 2], 0.5, undefined, { method: null }).item()).toBe(1.5);
  });

  test("argmax and argmin down columns, with NaN and zeros of both signs", () => {
    const next = randomNumbers(8);
    const SPECIAL = [Number.NaN, 0, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const dtype of ["float32", "float64", "int32", "int8", "uint8", "bool"] as const)
      for (const [outer, n, inner] of [
        [1, 9, 8],
        [3, 5, 17],
        [2, 40, 33],
        [2, 1, 9],
        [1, 300, 70],
      ] as const) {
        const draw = (): number => {
          if (dtype === "bool") return Number(next() < 0.2);
          const v = Math.floor(next() * 100);
          return dtype.startsWith("float") && next() < 0.1 ? SPECIAL[Math.floor(next() * SPECIAL.length)]! : v;
        };
        const values = Array.from({ length: outer * n * inner }, draw);
        const x = np.array(values, { dtype }).reshape(outer, n, inner);
        for (const name of ["argmax", "argmin"] as const) {
          const got = x[name](1).toTypedArray();
          for (let k = 0; k < outer * inner; k++) {
            const column = Array.from({ length: n }, (_, i) => values[(Math.floor(k / inner) * n + i) * inner + (k % inner)]!);
            const best = column.some(Number.isNaN) ? Number.NaN : name === "argmax" ? Math.max(...column) : Math.min(...column);
            const want = column.findIndex(v => v === best || (Number.isNaN(v) && Number.isNaN(best)));
            if (got[k] !== want)
              expect.fail(`${name} ${dtype} [${outer}, ${n}, ${inner}] column ${k}: ${got[k]}, wanted ${want} of ${column}`);
          }
        }
      }
  });
});

// ---------------------------------------------------------------- under vmap, and what ended a graph

test("vmap maps them all at once", () => {
  const x = np.array([
    [3, 1, 2],
    [5, 0, 4],
    [0, 2, 0],
  ]);
  for (const name of [
    "prod",
    "mean",
    "var",
    "std",
    "ptp",
    "median",
    "logsumexp",
    "cumsum",
    "cumprod",
    "nansum",
    "nanmax",
    "nanstd",
  ] as const) {
    const f = (v: NDArray): NDArray => v[name]();
    const rows = [0, 1, 2].map(i => x.at(i));
    expect(list(vmap(f)(x)), name).toEqual(list(np.stack(rows.map(f))));
    const g = grad((v: NDArray) => f(v).sum());
    expect(list(vmap(g)(x)), `grad of ${name}`).toEqual(list(np.stack(rows.map(v => g(v)))));
  }
  expect(vmap((v: NDArray) => np.quantile(v, 0.25))(x).tolist()).toEqual([1.5, 2, 0]);
  expect(vmap((v: NDArray) => v.countNonzero())(x).tolist()).toEqual([3, 2, 1]);
});

test("what ended a graph is named further on", () => {
  const x = np.array([1, 2, 3]).attachGrad();
  const why = (f: () => NDArray, message: RegExp): void => {
    const y = autograd.record(f);
    expect(() => y.backward()).toThrow(message);
  };
  why(() => x.gt(1).sum(), /greater has no derivative/);
  why(() => x.gt(1).all(), /greater has no derivative/);
  why(() => x.astype("int32").sum(), /astype has no derivative/);
  why(() => x.gt(1).mean(), /a comparison has no derivative/);
  // A number computed from a mask is no mask.
  const picked = autograd.record(() => np.array([5, 6, 7]).at(x.gt(1).astype("float32")));
  expect(picked.tolist()).toEqual([5, 6, 6]);
});

test("differences of bools are refused, as in NumPy, and numbers beside them are not", () => {
  const bools = np.array([true, false, false]);
  const before = bools.tolist();
  for (const f of [np.negative, np.positive, np.sign, np.ptp, np.ediff1d, (x: NDArray) => x.sub(x), (x: NDArray) => x.isub(x)])
    expect(() => f(bools)).toThrow(DTypeError);
  for (const f of [np.subtract, np.gcd, np.lcm, np.cross]) expect(() => f(bools, bools)).toThrow(DTypeError);
  expect(() => np.ediff1d(bools)).toThrow(/^ediff1d: takes no bools; use astype/);
  expect(bools.tolist()).toEqual(before);
  expect([np.diff(bools).dtype, list(np.diff(bools))]).toEqual(["bool", [1, 0]]);
  expect([bools.sub(1).dtype, list(bools.sub(1)), list(np.subtract(1.5, bools))]).toEqual(["int32", [0, -1, -1], [0.5, 1.5, 1.5]]);
  expect([np.gcd(bools, 3).tolist(), np.lcm(6, bools).tolist()]).toEqual([
    [1, 3, 3],
    [6, 0, 0],
  ]);
  expect(list(np.subtract(bools, np.array([1, 2, 3], { dtype: "int8" })))).toEqual([0, -2, -3]);
});

test("ends of differences: what they are refused for, and by whom", () => {
  const x = np.array([
    [1, 2],
    [3, 5],
  ]);
  expect(() => np.diff(x, 1, 0, { prepend: [[1, 2, 3]] })).toThrow(/^diff: array 1 has shape \(2, 2\), array 0 \(1, 3\)/);
  expect(() => np.diff(x, 1, 0, { append: [1, 2] })).toThrow(ShapeError);
  expect(() => x.diff(1, 0, { before: 1 } as object)).toThrow(/^diff: unknown option "before"; known options: prepend, append/);
  expect(() => np.diff(np.array([1], { dtype: "uint8" }), 1, 0, { prepend: 300 })).toThrow(/^diff: 300 does not fit uint8/);
  const whole = np.array([1, 5], { dtype: "int32" });
  expect(() => np.ediff1d(whole, { toBegin: 0.5 })).toThrow(DTypeError);
  expect(() => np.ediff1d(whole, { toEnd: x })).toThrow(/^ediff1d: toEnd is float32, which does not go into an int32 array; use astype/);
  expect(() => np.ediff1d(whole.astype("uint8"), { toEnd: whole })).toThrow(DTypeError);
  expect(() => whole.ediff1d({ to_end: 1 } as object)).toThrow(/^ediff1d: unknown option "to_end"; known options: toBegin, toEnd/);
  const absent = [np.diff(x, null, null, { prepend: null, append: undefined }), np.ediff1d(x, { toBegin: null, toEnd: undefined })];
  expect(absent.map(y => y.tolist())).toEqual([
    [[1], [2]],
    [1, 1, 2],
  ]);
  // Beside float64, numbers keep all their digits.
  expect(np.diff(f64([1]), 1, 0, { prepend: 0.1 }).item()).toBe(0.9);
  expect(np.diff([1], 1, 0, { prepend: 0.1, append: f64([2]) }).tolist()).toEqual([0.9, 1]);
});

test("differences with ends: derivatives of order 1 and 2, forwards and mapped", () => {
  const next = randomNumbers(31);
  const random = (...shape: number[]): NDArray => randomArray(shape, "float64", next);
  const diff: Fn = (x, p, a) => np.diff(x!, 2, 0, { prepend: p!, append: a! });
  const ediff1d: Fn = (x, p, a) => np.ediff1d(x!, { toBegin: p!, toEnd: a! });
  for (const [f, xs] of [
    [diff, [random(3, 2), random(), random(2, 2)]],
    [ediff1d, [random(3, 2), random(), random(2, 2)]],
  ] as const) {
    expectDerivatives("differences", (...v) => f(...v).square(), xs, 2, next);
    // Linear in all of them together.
    const vs = xs.map(x => random(...x.shape));
    expect(closeness(valuesOf(jvp(f, [...xs], vs)[1]), valuesOf(f(...vs)), 1e-12)).toBe("");
    const mapped = vmap(f)(...xs.map((x, i) => np.stack([x, vs[i]!])));
    expect(closeness(valuesOf(mapped), valuesOf(np.stack([f(...xs), f(...vs)])), 1e-14)).toBe("");
  }
});

test("what a fold begins with must fit its dtype", () => {
  const small = np.array([1, 2], { dtype: "uint8" });
  expect(np.max(small, null, { initial: 200.7 }).item()).toBe(200);
  for (const initial of [300, -1, Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => np.max(small, null, { initial })).toThrow(/^max: initial is .*, which does not fit uint8$/);
  expect(() => np.sum(small, null, { initial: 3e10 })).toThrow(ValueError);
  expect(np.sum(np.array([1, 2]), null, { initial: Number.POSITIVE_INFINITY }).item()).toBe(Number.POSITIVE_INFINITY);
});
