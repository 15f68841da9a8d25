/** The distributions of np.random: cells and moments, numbers by place, gradients by the parameters, arguments. */
import { autograd, checkGrad, grad, jvp, type NDArray, np, vmap } from "nabla";
import { beforeEach, describe, expect, test } from "vitest";
import { DTypeError, GradError, type NablaError, ShapeError, ValueError } from "../src/errors.ts";
import { gammaPath } from "../src/random/gamma.ts";
import golden from "./golden/distributions.json" with { type: "json" };
import { plainBlock, plainUniform64 } from "./support/philox.ts";

const { random } = np;
beforeEach(() => random.seed(42));

const list = (x: NDArray): number[] => Array.from(x.toTypedArray());
const double = (x: Parameters<typeof np.array>[0]): NDArray => np.array(x, { dtype: "float64" });

type Values = readonly number[];
type Options = { dtype?: "float32" | "float64" | "int32" };
type Draw = (p: readonly (number | NDArray)[], size?: number | number[] | null, options?: Options) => NDArray;

/** All of the same form: parameters, size, options. */
const DRAWS = Object.fromEntries(
  Object.entries(golden.laws).map(([name, cases]) => {
    const fn = (random as unknown as Record<string, (...args: unknown[]) => NDArray>)[name]!;
    const draw: Draw = (p, size, options) => fn(...p, size, options);
    return [name, { draw, cases, discrete: name === "poisson" || name === "binomial" }];
  }),
);
const NAMES = Object.keys(DRAWS);
const REPARAMETERISED = NAMES.filter(name => !DRAWS[name]!.discrete);
/** Those whose number is a smooth function of the parameters and of what was drawn first. */
const SMOOTH = REPARAMETERISED.filter(name => !["gamma", "chisquare", "beta"].includes(name));
/** Parameters of each, somewhere in the middle. */
const middle = (name: string): Values => DRAWS[name]!.cases.at(-1)!.parameters.map(p => Math.min(p, 30));

/** How many standard deviations chi-square is from its mean, by Wilson and Hilferty's cube root. */
function misfit(counts: readonly number[], shares: readonly number[]): number {
  const total = counts.reduce((s, c) => s + c, 0);
  const k = counts.length - 1;
  const x = counts.reduce((s, c, i) => s + (c - total * shares[i]!) ** 2 / (total * shares[i]!), 0);
  return (Math.cbrt(x / k) - (1 - 2 / (9 * k))) / Math.sqrt(2 / (9 * k));
}

function countsOf(values: readonly number[], bounds: readonly number[]): number[] {
  const counts = new Array<number>(bounds.length + 1).fill(0);
  for (const v of values) {
    const cell = bounds.findIndex(b => v <= b);
    counts[cell < 0 ? bounds.length : cell]!++;
  }
  return counts;
}

describe("samples", () => {
  const N = 20_000;
  const CASES = NAMES.flatMap(name =>
    DRAWS[name]!.cases.flatMap(law =>
      (DRAWS[name]!.discrete ? (["int32"] as const) : (["float32", "float64"] as const)).map(
        dtype => [`${name}(${law.parameters}) ${dtype}`, name, law, dtype] as const,
      ),
    ),
  );

  test.each(CASES)("%s", (_, name, { parameters, bounds, shares, moments }, dtype) => {
    const x = DRAWS[name]!.draw(parameters, N, { dtype });
    expect([x.dtype, x.shape]).toEqual([dtype, [N]]);
    const values = list(x);
    expect(values.every(Number.isFinite)).toBe(true);
    // What float32 cannot tell from its neighbours, or from 0 or 1, is one cell.
    const kept = bounds.flatMap((b, i) => (dtype === "float32" && b > 0 && (b < 1e-37 || (name === "beta" && b > 1 - 1e-5)) ? [] : [i]));
    const ends = [-1, ...kept, bounds.length];
    const joined = ends.slice(1).map((end, i) => shares.slice(ends[i]! + 1, end + 1).reduce((s, p) => s + p, 0));
    const found = countsOf(
      values,
      kept.map(i => bounds[i]!),
    );
    if (found.length > 1) expect(Math.abs(misfit(found, joined))).toBeLessThan(4);
    const [mean, variance, kurtosis] = moments as [number | null, number | null, number | null];
    if (mean === null || variance === null) return;
    const average = values.reduce((s, v) => s + v, 0) / N;
    expect(Math.abs(average - mean)).toBeLessThan(4.5 * Math.sqrt(variance / N));
    if (kurtosis === null || kurtosis > 20) return;
    const spread = values.reduce((s, v) => s + (v - average) ** 2, 0) / N;
    expect(Math.abs(spread / variance - 1)).toBeLessThan(4.5 * Math.sqrt((kurtosis + 2) / N) + 1e-6);
  });

  test("bernoulli", () => {
    for (const p of [0, 1e-3, 0.3, 0.5, 1]) {
      const x = list(random.bernoulli(p, 50_000));
      const ones = x.filter(v => v === 1).length;
      expect(x.filter(v => v === 0).length).toBe(50_000 - ones);
      expect(Math.abs(ones - 50_000 * p)).toBeLessThanOrEqual(4 * Math.sqrt(50_000 * p * (1 - p)));
    }
    expect(random.bernoulli(0.5).dtype).toBe("float32");
    for (const dtype of ["float64", "int32", "int8", "uint8", "bool"] as const) {
      random.seed(1);
      const x = random.bernoulli([0.2, 0.9], [20, 2], { dtype });
      random.seed(1);
      expect([x.dtype, list(x)]).toEqual([dtype, list(random.bernoulli([0.2, 0.9], [20, 2]))]);
    }
  });

  test("multinomial: each category is binomial, all add up, and pairs are as they should", () => {
    const p = [0.1, 0.25, 0, 0.6, 0.05];
    for (const n of [1, 7, 300]) {
      const x = list(random.multinomial(n, p, 8000));
      const rows = Array.from({ length: 8000 }, (_, i) => x.slice(5 * i, 5 * i + 5));
      expect(rows.every(r => r.reduce((s, v) => s + v, 0) === n && r.every(v => v >= 0))).toBe(true);
      p.forEach((q, j) => {
        const average = rows.reduce((s, r) => s + r[j]!, 0) / 8000;
        expect(Math.abs(average - n * q)).toBeLessThanOrEqual(4 * Math.sqrt((n * q * (1 - q)) / 8000));
      });
      const product = rows.reduce((s, r) => s + (r[1]! - n * p[1]!) * (r[3]! - n * p[3]!), 0) / 8000;
      expect(Math.abs(product / (-n * p[1]! * p[3]!) - 1)).toBeLessThan(0.12);
    }
    const single = list(random.multinomial(1, p, 40_000));
    const counts = p.map((_, j) => single.filter((v, i) => i % 5 === j && v === 1).length);
    const there = [0, 1, 3, 4];
    expect(counts[2]).toBe(0);
    expect(
      Math.abs(
        misfit(
          there.map(j => counts[j]!),
          there.map(j => p[j]!),
        ),
      ),
    ).toBeLessThan(4);
    // As NumPy's, the last gets what the others leave.
    expect(list(random.multinomial(50, [0, 0.3, 0])).slice(0, 1)).toEqual([0]);
    expect(list(random.multinomial(50, [0, 0, 0]))).toEqual([0, 0, 50]);
    // Rounded probabilities leave nothing for one of 0.
    expect(list(random.multinomial(2e9, np.array([0.1, 0.2, 0.7, 0])))[3]).toBe(0);
    expect(
      random
        .multinomial(
          [[3], [5]],
          [
            [0.5, 0.5],
            [0.1, 0.9],
          ],
          [3, 2, 2],
        )
        .sum(-1)
        .toString(),
    ).toBe(np.broadcastTo(np.array([[3], [5]], { dtype: "int32" }), [3, 2, 2]).toString());
    expect([random.multinomial(3, p, 2, { dtype: "float64" }).dtype, random.multinomial(3, p).shape]).toEqual(["float64", [5]]);
  });

  test("values at the edges of the parameters", () => {
    expect(list(random.gamma([0, 1], [1, 0], [3, 2]))).toEqual([0, 0, 0, 0, 0, 0]);
    expect(list(random.poisson(0, 5))).toEqual([0, 0, 0, 0, 0]);
    expect(list(random.binomial(double([0, 9, 9, 2 ** 31 - 1]), [0.5, 0, 1, 1]))).toEqual([0, 0, 9, 2 ** 31 - 1]);
    expect(list(random.exponential(0, 2))).toEqual([0, 0]);
    // No attempt without an end where a shape is at the edge of float64.
    expect(list(random.gamma(double([1e300, 5e-324]))).map(v => v > 1e299)).toEqual([true, false]);
    expect(list(random.poisson(2147020000, 3)).every(v => Math.abs(v - 2147020000) < 3e5)).toBe(true);
    const tiny = list(random.beta(1e-10, 1e-10, 2000, { dtype: "float64" }));
    expect(tiny.every(v => v === 0 || v === 1)).toBe(true);
    expect(Math.abs(tiny.filter(v => v === 1).length - 1000)).toBeLessThan(100);
    for (const name of ["gumbel", "logistic", "laplace"])
      expect(list(DRAWS[name]!.draw([0, 1], 300_000)).every(Number.isFinite)).toBe(true);
    expect(list(random.exponential(1, 300_000)).every(v => v > 0)).toBe(true);
  });
});

describe("a number depends on the seed and its place", () => {
  const EVERY: Record<string, (size: number | number[]) => NDArray> = {
    bernoulli: size => random.bernoulli(0.3, size),
    ...Object.fromEntries(
      NAMES.flatMap(name =>
        DRAWS[name]!.cases.flatMap(({ parameters }) => [
          [`${name}(${parameters})`, (size: number | number[]) => DRAWS[name]!.draw(parameters, size)],
        ]),
      ),
    ),
  };

  test.each(Object.keys(EVERY))("%s: however it is split", name => {
    const draw = EVERY[name]!;
    const whole = list(draw(4500));
    random.seed(42);
    expect(list(draw([5, 900]))).toEqual(whole);
    random.seed(42);
    expect([0, 1, 7, 2041, 1, 2450].flatMap(n => list(draw(n)))).toEqual(whole);
    expect(list(draw(50))).not.toEqual(whole.slice(0, 50));
  });

  test("multinomial: however it is split", () => {
    const p = [0.3, 0.2, 0.5];
    const whole = list(random.multinomial(30, p, 1500));
    random.seed(42);
    expect([1, 699, 800].flatMap(n => list(random.multinomial(30, p, n)))).toEqual(whole);
  });

  test("not on the parameters beside it", () => {
    const [few, many] = [random.poisson([3, 500], [40, 2]), random.binomial([12, 4000], [0.2, 0.3], [40, 2])].map(list);
    for (const [i, [mean, n, p]] of [
      [3, 12, 0.2],
      [500, 4000, 0.3],
    ].entries()) {
      random.seed(42);
      const alone = [random.poisson(mean, [40, 2]), random.binomial(n!, p!, [40, 2])].map(list);
      [few, many].forEach((both, k) => void expect(both!.filter((_, j) => j % 2 === i)).toEqual(alone[k]!.filter((_, j) => j % 2 === i)));
    }
  });

  test("every function moves on by the size", () => {
    const after = list(random.rand(20)).slice(12);
    const moves = [...Object.values(EVERY).map(draw => () => draw(12)), () => random.multinomial(5, [0.5, 0.2, 0.3], 12)];
    for (const move of moves) {
      random.seed(42);
      move();
      expect(list(random.rand(8))).toEqual(after);
    }
  });

  test("gamma is Marsaglia and Tsang's method on blocks by place, stream and attempt", () => {
    const pair = (place: number, attempt: number): number[] => {
      const b = plainBlock([place, 0, 9, attempt], [42, 0]);
      return [plainUniform64(b[0]!, b[1]!), plainUniform64(b[2]!, b[3]!)];
    };
    for (const a of [0.4, 1.3]) {
      random.seed(42);
      const found = list(random.gamma(a, 1, 100, { dtype: "float64" }));
      const d = (a < 1 ? a + 1 : a) - 1 / 3;
      let attempts = 0;
      found.forEach((value, i) => {
        for (let attempt = 0; ; attempt++) {
          attempts++;
          const [[u, turn], [accept, power]] = [pair(i, 2 * attempt + 1), pair(i, 2 * attempt + 2)] as [[number, number], [number, number]];
          const x = Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * turn);
          const v = (1 + x / Math.sqrt(9 * d)) ** 3;
          if (!(v > 0 && Math.log(1 - accept) < (x * x) / 2 + d - d * v + d * Math.log(v))) continue;
          const want = d * v * (a < 1 ? (1 - power) ** (1 / a) : 1);
          expect(Math.abs(value / want - 1)).toBeLessThan(1e-13);
          break;
        }
      });
      expect(attempts).toBeGreaterThan(100);
    }
  });
});

describe("shapes and dtypes", () => {
  test.each(NAMES)("%s", name => {
    const { draw, discrete } = DRAWS[name]!;
    const p = middle(name);
    expect(draw(p, 0).shape).toEqual([0]);
    expect(draw(p, [3, 0]).shape).toEqual([3, 0]);
    expect([draw(p).shape, draw(p, null).shape, draw(p, [2, 3]).shape]).toEqual([[], [], [2, 3]]);
    expect(draw(p).dtype).toBe(discrete ? "int32" : "float32");
    const arrays = p.map((v, i) => np.array(i === 0 ? [[v], [v]] : [v, v, v]));
    expect(draw(arrays).shape).toEqual(p.length === 1 ? [2, 1] : [2, 3]);
    expect(draw(arrays, [4, 2, 3]).shape).toEqual([4, 2, 3]);
    expect(draw(p.map(v => np.zeros([0, 2]).add(v))).shape).toEqual([0, 2]);
    const wide = p.map(v => double([v]));
    expect(draw(wide).dtype).toBe(discrete ? "int32" : "float64");
    expect(draw(wide, null, { dtype: "float32" }).dtype).toBe("float32");
    // Arrays and numbers give the same numbers, and float32 the float64 ones rounded where both draw the same.
    random.seed(42);
    const numbers = list(draw(p, 60, { dtype: "float64" }));
    random.seed(42);
    list(draw(wide, 60)).forEach((v, i) => void expect(Math.abs(v - numbers[i]!)).toBeLessThanOrEqual(1e-13 * Math.abs(v)));
    expect(draw(p.map(v => np.array([Math.ceil(Math.min(v, 1))], { dtype: "int8" }))).size).toBe(1);
  });
});

describe("gradients", () => {
  test.each(SMOOTH)("%s: against differences, to order 2", name => {
    const p = middle(name);
    const worst = checkGrad(
      ((...args: NDArray[]) => {
        random.seed(3);
        return DRAWS[name]!.draw(args, [2, 3]);
      }) as (x: NDArray) => NDArray,
      p.map((v, i) => (i === 0 ? double([v, v + 0.5, v * 2]) : double(v))),
      { tolerance: 1e-7 },
    );
    expect(worst).toBeLessThan(1e-7);
  });

  test("the slope of log z by the shape, and the term of order 2, for shapes from 1e-2 to 1e4", () => {
    const column = (i: number): NDArray => double(golden.paths.map(row => row[i]!));
    for (const order of [1, 2]) {
      const want = golden.paths.map(row => row[order + 1]!);
      const first = golden.paths.map(row => row[2]!);
      list(gammaPath([column(1), column(0)], order)).forEach((v, i) => {
        const size = order === 1 ? Math.abs(want[i]!) : Math.abs(want[i]!) + first[i]! ** 2;
        expect(Math.abs(v - want[i]!) / size, `order ${order}, shape ${golden.paths[i]![0]}`).toBeLessThan(1e-10);
      });
    }
  });

  test("and its derivatives, against differences to order 3", () => {
    for (const [w, a] of [
      [0.3, 1.7],
      [-2, 0.4],
      [2.2, 6],
      [3.5, 40],
      [0.5, 0.1],
    ] as const)
      expect(checkGrad((x, y) => gammaPath([x!, y!], 1), [double([w]), double([a])], { order: 2, tolerance: 1e-6 })).toBeLessThan(1e-6);
  });

  test("gamma: the distribution function stays, to order 2", () => {
    const shapes = [0.05, 0.7, 1, 3.3, 25, 4000];
    const scale = 1.5;
    const draw = (a: NDArray): NDArray => {
      random.seed(5);
      return random.gamma(a, scale);
    };
    const z = list(draw(double(shapes))).map(v => v / scale);
    const slopes = list(grad(a => draw(a!).sum())(double(shapes)) as NDArray).map(v => v / scale);
    const second = list(grad(x => grad(a => draw(a!).sum())(x!).sum())(double(shapes)) as NDArray).map(v => v / scale);
    const at = (w: readonly number[], a: readonly number[]): number[] => list(gammaPath([double(w), double(a)], 1));
    const w = z.map(Math.log);
    const t = at(w, shapes);
    slopes.forEach((s, i) => void expect(Math.abs(s / (z[i]! * t[i]!) - 1)).toBeLessThan(1e-12));
    // Along the path log z moves with t, so d²z/da² = z(t² + dt/da).
    const h = shapes.map(a => 1e-4 * a);
    const moved = (k: number): number[] =>
      at(
        w.map((v, i) => v + k * h[i]! * t[i]! + ((k * h[i]!) ** 2 / 2) * curvature[i]!),
        shapes.map((a, i) => a + k * h[i]!),
      );
    let curvature = shapes.map(() => 0);
    for (let round = 0; round < 3; round++) {
      const [up, down] = [moved(1), moved(-1)];
      curvature = curvature.map((_, i) => (up[i]! - down[i]!) / (2 * h[i]!));
    }
    second.forEach((s, i) => {
      const want = z[i]! * (t[i]! ** 2 + curvature[i]!);
      expect(Math.abs(s - want) / (z[i]! * (t[i]! ** 2 + Math.abs(curvature[i]!)))).toBeLessThan(1e-6);
    });
  });

  test("means move as they should: gamma, chisquare, beta", () => {
    const N = 20_000;
    const mean = (f: (x: NDArray) => NDArray, at: number): number => Number((grad(x => f(x!).mean())(double(at)) as NDArray).item());
    expect(mean(a => random.gamma(a, 2, N), 0.6)).toBeCloseTo(2, 1);
    expect(mean(a => random.gamma(a, 2, N, { dtype: "float32" }), 7)).toBeCloseTo(2, 1);
    expect(mean(s => random.gamma(3, s, N), 2)).toBeCloseTo(3, 1);
    expect(mean(k => random.chisquare(k, N), 3)).toBeCloseTo(1, 1);
    // a/(a + b) has the slopes b/(a + b)² and -a/(a + b)².
    expect(mean(a => random.beta(a, 0.8, N), 0.5)).toBeCloseTo(0.8 / 1.3 ** 2, 1);
    expect(mean(b => random.beta(4, b, N), 6)).toBeCloseTo(-4 / 100, 2);
  });

  test("where numbers end at 0, or the shape is 0, gradients are 0 and not NaN", () => {
    const a = np.array([1e-4, 0.001, 0]).attachGrad();
    const y = autograd.record(() => random.gamma(a, 1, [200, 3]));
    y.backward();
    expect(list(a.grad!).every(Number.isFinite)).toBe(true);
    expect(a.grad!.at(2).item()).toBe(0);
    const second = grad(x => grad(v => random.gamma(v!, 1, 50).sum())(x!).sum())(double(0.001)) as NDArray;
    expect(Number.isFinite(second.item())).toBe(true);
  });

  test("forward and reverse agree", () => {
    const f = (a: NDArray): NDArray => {
      random.seed(5);
      return random.beta(a, 2, 4);
    };
    const [, tangent] = jvp(f, double(0.7), double(1));
    expect((tangent as NDArray).sum().item()).toBeCloseTo(Number((grad(a => f(a!).sum())(double(0.7)) as NDArray).item()), 12);
  });

  test("counts end the graph, and say so", () => {
    const p = np.array([0.5, 0.25]).attachGrad();
    for (const [name, draw] of [
      ["poisson", () => random.poisson(p)],
      ["binomial", () => random.binomial(5, p)],
      ["bernoulli", () => random.bernoulli(p)],
      ["multinomial", () => random.multinomial(5, p)],
    ] as const)
      expect(() => autograd.record(() => draw().astype("float32")).backward()).toThrow(new RegExp(name));
    expect(() => autograd.record(() => random.poisson(p)).backward()).toThrow(GradError);
  });
});

describe("vmap draws for every entry", () => {
  test.each(NAMES)("%s", name => {
    const { draw } = DRAWS[name]!;
    const p = middle(name);
    const columns = p.map((v, i) => (i === 0 ? double([[v], [v * 0.5], [v * 0.25]]) : double(v)));
    const steps = name === "binomial" ? [np.array([8, 4, 2], { dtype: "int32" }).reshape(3, 1), double(p[1]!)] : columns;
    const want = list(draw(steps, [3, 4]));
    random.seed(42);
    const mapped = vmap((first: NDArray) => draw([first, ...steps.slice(1)], 4))(steps[0]!.reshape(3));
    expect(mapped.shape).toEqual([3, 4]);
    expect(list(mapped)).toEqual(want);
    // Where nothing is mapped but the place.
    random.seed(42);
    const plain = vmap((x: NDArray) => np.add(draw(p, 4, { dtype: "float64" as const }), x))(double([0, 0, 0]));
    random.seed(42);
    expect(list(plain)).toEqual(list(draw(p, [3, 4], { dtype: "float64" })));
  });

  test("multinomial and bernoulli", () => {
    const p = np.array([
      [0.2, 0.8],
      [0.5, 0.5],
      [1, 0],
    ]);
    const want = [random.multinomial(9, p), random.bernoulli(p)].map(list);
    random.seed(42);
    expect(vmap((q: NDArray) => [random.multinomial(9, q), random.bernoulli(q)])(p).map(list)).toEqual(want);
  });

  test("gradients of each entry", () => {
    const a = double([0.5, 3, 11]);
    const want = list(grad(x => random.gamma(x!, 1).sum())(a) as NDArray);
    random.seed(42);
    const got = list(vmap((x: NDArray) => grad(v => random.gamma(v!, 1))(x) as NDArray)(a));
    got.forEach((g, i) => void expect(g).toBeCloseTo(want[i]!, 12));
  });
});

describe("multivariateNormal", () => {
  const MEAN = [1, -2, 0.5];
  const COV = [
    [4, 1, -0.5],
    [1, 2, 0.3],
    [-0.5, 0.3, 1],
  ];

  test.each(["float32", "float64"] as const)("means and covariances, %s", dtype => {
    const N = 20_000;
    const x = random.multivariateNormal(MEAN, COV, N, { dtype });
    expect([x.dtype, x.shape]).toEqual([dtype, [N, 3]]);
    const mean = list(x.mean(0));
    const centred = x.sub(x.mean(0));
    const cov = np.matmul(centred.T, centred).div(N).tolist() as number[][];
    for (let i = 0; i < 3; i++) {
      expect(Math.abs(mean[i]! - MEAN[i]!)).toBeLessThan(4.5 * Math.sqrt(COV[i]![i]! / N));
      for (let j = 0; j < 3; j++) {
        const error = Math.sqrt((COV[i]![i]! * COV[j]![j]! + COV[i]![j]! ** 2) / N);
        expect(Math.abs(cov[i]![j]! - COV[i]![j]!)).toBeLessThan(4.5 * error);
      }
    }
  });

  test("shapes, and the same vectors however they are split", () => {
    const whole = list(random.multivariateNormal(MEAN, COV, 1100));
    for (const sizes of [[1, 99, 1000], [1100], new Array<number>(1100).fill(1)]) {
      random.seed(42);
      expect(sizes.flatMap(n => list(random.multivariateNormal(MEAN, COV, n)))).toEqual(whole);
    }
    expect(random.multivariateNormal(MEAN, COV).shape).toEqual([3]);
    expect(random.multivariateNormal(MEAN, COV, 0).shape).toEqual([0, 3]);
    expect(random.multivariateNormal(MEAN, [COV, COV], [5, 2]).shape).toEqual([5, 2, 3]);
    expect(random.multivariateNormal(double(MEAN), COV).dtype).toBe("float64");
  });

  test("is mean + L·z, with gradients to order 2, and under vmap for every entry", () => {
    const z = random.normal(0, 1, [4, 3], { dtype: "float64" });
    random.seed(42);
    const x = random.multivariateNormal(double(MEAN), double(COV), 4);
    const want = list(np.matmul(z, np.linalg.cholesky(double(COV)).T).add(double(MEAN)));
    list(x).forEach((v, i) => void expect(v).toBeCloseTo(want[i]!, 12));
    const draw = (mean: NDArray, cov: NDArray): NDArray => {
      random.seed(3);
      return random.multivariateNormal(mean, cov, 2);
    };
    expect(checkGrad(draw, [double(MEAN), double(COV)], { tolerance: 1e-7 })).toBeLessThan(1e-7);
    const means = double([MEAN, [0, 0, 0]]);
    random.seed(42);
    const mapped = vmap((m: NDArray) => random.multivariateNormal(m, double(COV), 2))(means);
    random.seed(42);
    const looped = list(random.multivariateNormal(means.reshape(2, 1, 3), double(COV), [2, 2]));
    list(mapped).forEach((v, i) => void expect(v).toBeCloseTo(looped[i]!, 13));
  });

  test("errors change nothing", () => {
    const next = list(random.rand(3));
    random.seed(42);
    expect(() => random.multivariateNormal([0, 0], COV)).toThrow(/^random\.multivariateNormal: mean has shape \(2,\) and cov \(3, 3\)/);
    expect(() => random.multivariateNormal(1, [[1]])).toThrow(ShapeError);
    expect(() =>
      random.multivariateNormal(
        [0, 0],
        [
          [1, 2],
          [2, 1],
        ],
      ),
    ).toThrow(/^random\.multivariateNormal: cov is not positive semidefinite; add a multiple of np\.eye\(2\)/);
    expect(() => random.multivariateNormal([0], [[Number.NaN]])).toThrow(/^random\.multivariateNormal: cov holds NaN/);
    expect(() => random.multivariateNormal([[0], [0]], [[1]], 3)).toThrow(/^random\.multivariateNormal: /);
    expect(list(random.rand(3))).toEqual(next);
  });
});

test("multivariateNormal of covariances that are only semidefinite", () => {
  const factor = double([
    [1, 2],
    [0, 1],
    [2, -1],
  ]);
  for (const dtype of ["float32", "float64"] as const) {
    const cov = np.matmul(factor, factor.T).astype(dtype);
    random.seed(3);
    const x = random.multivariateNormal(np.zeros([3], { dtype }), cov, 20000, { dtype });
    expect(np.max(np.abs(np.subtract(np.divide(np.matmul(x.T, x), 20000), cov))).item()).toBeLessThan(0.15);
    // They stay in the plane of the columns: nothing along the axis at right angles to it.
    const normal = np.array([-2, 5, 1], { dtype });
    expect(np.max(np.abs(np.matmul(x, normal))).item()).toBeLessThan(dtype === "float32" ? 0.02 : 1e-6);
    expect(list(random.multivariateNormal([1, 2], np.zeros([2, 2], { dtype })))).toEqual([1, 2]);
  }
  expect(() => random.multivariateNormal([0, 0, 0], np.diag([1, 0, -0.1]))).toThrow(/not positive semidefinite/);
  const cov = np.ones([2, 2]);
  cov.attachGrad();
  expect(() => autograd.record(() => random.multivariateNormal([0, 0], cov).sum()).backward()).toThrow(GradError);
});

test("weibull of a = 0 is 0, also beside other values, and has no slope there", () => {
  expect(list(random.weibull(0, 3))).toEqual([0, 0, 0]);
  random.seed(9);
  const alone = list(random.weibull([1, 2, 3]));
  random.seed(9);
  expect(list(random.weibull([1, 0, 3]))).toEqual([alone[0], 0, alone[2]]);
  const slopes = list(grad((a: NDArray) => np.sum(random.weibull(a)))(double([2, 0, 1])));
  expect(slopes.map(Number.isFinite)).toEqual([true, true, true]);
  expect(slopes[1]).toBe(0);
});

describe("errors say what is wrong and change nothing", () => {
  const bad = <T>(value: unknown): T => value as T;
  const CASES: [string, typeof NablaError, RegExp, () => unknown][] = [
    ...["exponential", "rayleigh"].map((name): [string, typeof NablaError, RegExp, () => unknown] => [
      `${name} of a negative scale`,
      ValueError,
      new RegExp(`^random\\.${name}: scale must be >= 0, got -1$`),
      () => DRAWS[name]!.draw([-1]),
    ]),
    ...["laplace", "logistic", "gumbel"].map((name): [string, typeof NablaError, RegExp, () => unknown] => [
      `${name} of NaN somewhere`,
      ValueError,
      new RegExp(`^random\\.${name}: scale must be >= 0, some elements are not$`),
      () => DRAWS[name]!.draw([0, np.array([1, Number.NaN])]),
    ]),
    ["lognormal of a negative sigma", ValueError, /^random\.lognormal: sigma must be >= 0, got -2/, () => random.lognormal(0, -2)],
    ["weibull of a negative a", ValueError, /^random\.weibull: a must be >= 0, got -1/, () => random.weibull(-1)],
    ["pareto of NaN", ValueError, /^random\.pareto: a must be > 0, got NaN/, () => random.pareto(Number.NaN)],
    ["gamma of a negative shape", ValueError, /^random\.gamma: shape must be >= 0 and finite, got -1/, () => random.gamma(-1)],
    ["gamma of an endless shape", ValueError, /finite, got Infinity/, () => random.gamma(Number.POSITIVE_INFINITY)],
    ["gamma of a negative scale", ValueError, /^random\.gamma: scale must be >= 0/, () => random.gamma(1, [1, -1])],
    ["gamma of nothing", ValueError, /^random\.gamma: /, () => random.gamma(bad(undefined))],
    ["beta of 0", ValueError, /^random\.beta: b must be > 0 and finite, got 0/, () => random.beta(1, 0)],
    ["chisquare of 0", ValueError, /^random\.chisquare: df must be > 0 and finite/, () => random.chisquare([1, 0])],
    [
      "poisson of a negative number",
      ValueError,
      /^random\.poisson: lam must be between 0 and 2147020000, got -1/,
      () => random.poisson(-1),
    ],
    ["poisson of too much", ValueError, /lam must be/, () => random.poisson(2 ** 31)],
    ["poisson of NaN", ValueError, /lam must be/, () => random.poisson([1, Number.NaN])],
    [
      "binomial of a fraction",
      ValueError,
      /^random\.binomial: n must be whole numbers from 0 to 2147483647, got 2\.5/,
      () => random.binomial(2.5, 0.5),
    ],
    ["binomial of a negative number", ValueError, /n must be/, () => random.binomial([3, -1], 0.5)],
    ["binomial of p > 1", ValueError, /^random\.binomial: p must be between 0 and 1, got 1\.5/, () => random.binomial(3, 1.5)],
    ["bernoulli of NaN", ValueError, /^random\.bernoulli: p must be between 0 and 1/, () => random.bernoulli(Number.NaN)],
    [
      "multinomial of too much",
      ValueError,
      /^random\.multinomial: all but the last of pvals add up to 1\.2/,
      () => random.multinomial(3, [0.6, 0.6, 0]),
    ],
    ["multinomial of p < 0", ValueError, /pvals must be between 0 and 1/, () => random.multinomial(3, [-0.1, 0.6])],
    ["multinomial without categories", ShapeError, /^random\.multinomial: pvals has shape \(\)/, () => random.multinomial(3, 0.5)],
    ["multinomial of half a trial", ValueError, /n must be whole/, () => random.multinomial(0.5, [1])],
    [
      "multinomial of shapes that do not fit",
      ShapeError,
      /^random\.multinomial: /,
      () =>
        random.multinomial(
          [1, 2, 3],
          [
            [0.5, 0.5],
            [0.5, 0.5],
          ],
        ),
    ],
    ["parameters that do not fit", ShapeError, /^random\.gamma: cannot broadcast/, () => random.gamma([1, 2], [1, 2, 3])],
    ["a size that is too small", ShapeError, /^random\.beta: parameters of shape \(2,\)/, () => random.beta([1, 2], 3, [])],
    ["a negative size", ShapeError, /^random\.poisson: .*-1/, () => random.poisson(1, -1)],
    ["an integer dtype", DTypeError, /^random\.gamma: .*"int32"/, () => random.gamma(1, 1, 3, { dtype: "int32" })],
    ["a small integer dtype of counts", DTypeError, /^random\.poisson: counts are .*"int8"/, () => random.poisson(1, 3, { dtype: "int8" })],
    ["an unknown option", ValueError, /^random\.weibull: .*"dtpye"/, () => random.weibull(1, 3, bad({ dtpye: "float32" }))],
    ["an unknown option of bernoulli", ValueError, /^random\.bernoulli: .*"logit"/, () => random.bernoulli(0.5, 3, bad({ logit: true }))],
    ["a text", ValueError, /^random\.poisson/, () => random.poisson(bad("3"))],
  ];

  test.each(CASES)("%s", (what, kind, message, call) => {
    const next = list(random.rand(4));
    random.seed(42);
    let caught: unknown;
    try {
      call();
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(kind);
    expect((caught as Error).message).toMatch(message);
    expect(list(random.rand(4)), what).toEqual(next);
  });
});
