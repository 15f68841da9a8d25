/**
 * npx's activations and layers beside what the automatic tests see: true values and two derivatives far out, PyTorch's
 * numbers, limits, corners, what is masked, positions named twice, dtypes, errors.
 */
import { autograd, type DType, DTypeError, GradError, grad, IndexError, type NDArray, np, npx, ShapeError, ValueError, vmap } from "nabla";
import { describe, expect, test } from "vitest";
import { cotangents } from "../src/grad.ts";
import golden from "./golden/layers.json" with { type: "json" };
import { valuesOf } from "./support/sampling.ts";

type AnyFn = (...args: unknown[]) => NDArray;
const call = (name: string, ...args: unknown[]): NDArray => (npx as unknown as Record<string, AnyFn>)[name]!(...args);
const double = (values: unknown): NDArray => np.array(values as number[], { dtype: "float64" });
const single = (values: unknown): NDArray => np.array(values as number[], { dtype: "float32" });

/** f at x, and its derivatives up to an order, element by element. */
function derivatives(f: (x: NDArray) => NDArray, x: NDArray, order: number): number[][] {
  const v = np.copy(x).attachGrad();
  return autograd.record(() => {
    let y = f(v);
    const found = [valuesOf(y)];
    for (let k = 0; k < order; k++) {
      // A constant slope ends the graph; beyond it all derivatives are 0.
      try {
        y = autograd.grad(y, v, { createGraph: true });
      } catch (error) {
        if (!(error instanceof GradError)) throw error;
        y = np.zerosLike(x);
      }
      found.push(valuesOf(y));
    }
    return found;
  });
}

describe("activations are what they truly are, with two derivatives", () => {
  test.each(golden.activations.map((a): [string, typeof a] => [`${a.name} ${JSON.stringify(a.rest)}`, a]))("%s", (_, a) => {
    const f = (x: NDArray): NDArray => call(a.name, x, ...a.rest);
    for (const [dtype, eps, least] of [
      ["float64", 2 ** -53, 1e-300],
      ["float32", 2 ** -24, 1e-36],
    ] as const) {
      const found = derivatives(f, np.array(a.x, { dtype }), 2);
      [a.y, a.d1, a.d2].forEach((want, order) => {
        want.forEach((w, i) => {
          const x = a.x[i]!;
          // What one rounding of x² or x in an exponent makes of the result.
          const ulps = 8 * (1 + (a.name === "gelu" ? Math.min(x * x, 1500) : Math.min(Math.abs(x), 750)));
          const error = Math.abs(found[order]![i]! - w);
          if (!(error <= ulps * eps * Math.max(Math.abs(w), least)))
            throw new Error(
              `${a.name} ${dtype}, derivative ${order} at ${x}: ${found[order]![i]}, not ${w}: ${error / eps / Math.abs(w)} ulp`,
            );
        });
      });
    }
  });
});

describe("layers are PyTorch's, with two derivatives", () => {
  test.each(golden.layers.map((c, i): [string, (typeof golden.layers)[number]] => [`${i}: ${c.name}`, c as never]))("%s", (_, c) => {
    const run = (xs: readonly NDArray[]): NDArray =>
      call(c.name, ...(c.args as unknown[]).map(a => (typeof a === "string" ? xs[Number(a.slice(1))] : a)));
    const near = (got: NDArray, want: unknown, tolerance: number, what: string): void => {
      const w = valuesOf(double(want));
      const size = Math.max(1, ...w.map(Math.abs));
      expect(got.shape, what).toEqual(double(want).shape);
      valuesOf(got).forEach((v, i) => {
        if (!(Math.abs(v - w[i]!) <= tolerance * size)) throw new Error(`${what}, element ${i}: ${v}, not ${w[i]}`);
      });
    };
    const xs = c.arrays.map(a => double(a).attachGrad());
    // Nearly constant rows of 1e4 are a hundred thousand times their spread: so many digits are lost in the data.
    const tolerance = valuesOf(xs[0]!).some(v => v > 1e3) ? 1e-7 : 1e-13;
    autograd.record(() => {
      const y = run(xs);
      near(y, c.y, tolerance, "value");
      const gs = cotangents(y, xs, double(c.u), { createGraph: true, retainGraph: true });
      gs.forEach((g, i) => void near(g, c.d1[i], tolerance, `gradient ${i}`));
      const total = gs.map((g, i) => np.sum(np.multiply(g, double(c.v[i])))).reduce((a, b) => np.add(a, b));
      let hs = xs.map(x => np.zerosLike(x));
      if (autograd.graphSize(total) > 0) hs = cotangents(total, xs, double(1), { createGraph: true, retainGraph: true });
      hs.forEach((h, i) => void near(h, c.d2[i], 10 * tolerance, `second derivative ${i}`));
    });
    near(run(c.arrays.map(single)), c.y, tolerance === 1e-7 ? 2 : 2e-6, "in float32");
  });
});

describe("limits and corners", () => {
  const INF = Number.POSITIVE_INFINITY;
  // [name, at -∞, slope there, at ∞, slope there]
  test.each<[string, number, number, number, number]>([
    ["softrelu", 0, 0, INF, 1],
    ["logSigmoid", -INF, 1, 0, 0],
    ["softsign", -1, 0, 1, 0],
    ["silu", 0, 0, INF, 1],
    ["mish", 0, 0, INF, 1],
    ["gelu", 0, 0, INF, 1],
    ["elu", -1, 0, INF, 1],
    ["selu", -1.7580993408473766, 0, INF, 1.0507009873554805],
    ["leakyRelu", -INF, 0.25, INF, 1],
    ["smoothL1", INF, -1, INF, 1],
    ["hardSigmoid", 0, 0, 1, 0],
  ])("%s at the ends, and beyond in every derivative", (name, low, lowSlope, high, highSlope) => {
    const f = (x: NDArray): NDArray => call(name, x);
    for (const dtype of ["float32", "float64"] as const) {
      const far = dtype === "float32" ? 3e38 : 1.7e308;
      const x = np.array([-INF, INF, -far, far, -1e4, 1e4], { dtype });
      const close = (got: number, want: number): void =>
        void expect(
          Object.is(got, want) || Math.abs(got - want) < 2e-7 * Math.abs(want) || got === want,
          `${name}: ${got}, not ${want}`,
        ).toBe(true);
      const [y, ...ds] = derivatives(f, x, 3);
      close(y![0]!, low);
      close(y![1]!, high);
      ds[0]!.forEach(
        (d, i) =>
          void (Math.abs(valuesOf(x)[i]!) > 1e5 && name !== "softsign"
            ? close(d, i % 2 === 0 ? lowSlope : highSlope)
            : expect(d).not.toBeNaN()),
      );
      for (const d of [...ds[1]!, ...ds[2]!]) expect(Math.abs(d), name).toBeLessThan(1e-7);
      expect(valuesOf(f(np.array([Number.NaN], { dtype })))).toEqual([Number.NaN]);
      expect(valuesOf(f(np.array([-0.0], { dtype })))[0]! + 1, "at 0").toBeLessThan(2);
      expect(f(np.array([], { dtype })).shape).toEqual([0]);
    }
  });

  test("corners have the slope from the left; no derivative there is NaN", () => {
    const slopes = (name: string, ...rest: unknown[]): number[] =>
      derivatives(x => call(name, x, ...rest), double([0]), 3)
        .slice(1)
        .map(d => d[0]!);
    expect(slopes("relu")).toEqual([0, 0, 0]);
    expect(slopes("leakyRelu", 0.1)).toEqual([0.1, 0, 0]);
    expect(slopes("prelu", double([0.3]))).toEqual([0.3, 0, 0]);
    expect(slopes("elu", 0.5)).toEqual([0.5, 0.5, 0.5]);
    expect(slopes("selu")[0]).toBeCloseTo(1.0507009873554805 * 1.6732632423543772, 14);
    expect(slopes("softsign").map(Math.abs)).toEqual([1, 0, 0]);
    expect(slopes("smoothL1", 2)).toEqual([0, 4, 0]);
    expect(slopes("silu").slice(0, 2)).toEqual([0.5, 0.5]);
    expect(slopes("gelu")[0]).toBe(0.5);
    expect(derivatives(x => npx.smoothL1(x), double([-1, 1]), 2).slice(1)).toEqual([
      [-1, 1],
      [0, 0],
    ]);
    // clip's slope is 1 on both of its bounds.
    expect(derivatives(x => npx.hardSigmoid(x, 0.25, 0.5), double([-2, 2, -2.1, 2.1]), 1)[1]).toEqual([0.25, 0.25, 0, 0]);
    // prelu's gamma sees nothing of x >= 0.
    const gamma = double([0.5]).attachGrad();
    autograd.record(() => npx.prelu(double([-3, 0, 2]), gamma)).backward();
    expect(valuesOf(gamma.grad!)).toEqual([-3]);
  });

  test("other dtypes become float32", () => {
    for (const dtype of ["int32", "int8", "uint8", "bool"] as const)
      for (const name of [
        "softrelu",
        "logSigmoid",
        "softsign",
        "silu",
        "mish",
        "gelu",
        "elu",
        "selu",
        "leakyRelu",
        "smoothL1",
        "hardSigmoid",
        "softmax",
        "layerNorm",
      ])
        expect(call(name, np.array([0, 1, 1], { dtype })).dtype, `${name} of ${dtype}`).toBe("float32");
    expect(npx.leakyRelu(np.array([-4], { dtype: "int32" }), 2).item()).toBe(-8);
    expect(npx.prelu(single([-1]), double([0.5])).dtype).toBe("float64");
  });

  test("arguments that are left out, and options", () => {
    const x = double([-1, 0.5, 2]);
    for (const nothing of [undefined, null]) {
      expect(valuesOf(npx.elu(x, nothing))).toEqual(valuesOf(npx.elu(x, 1)));
      expect(valuesOf(npx.leakyRelu(x, nothing))).toEqual(valuesOf(npx.leakyRelu(x, 0.25)));
      expect(valuesOf(npx.smoothL1(x, nothing))).toEqual(valuesOf(npx.smoothL1(x, 1)));
      expect(valuesOf(npx.hardSigmoid(x, nothing, nothing))).toEqual(valuesOf(npx.hardSigmoid(x, 0.2, 0.5)));
      expect(npx.sequenceMask(x, nothing).set(7).tolist()).not.toEqual(x.tolist());
    }
    expect(valuesOf(npx.gelu(x, { approximate: false }))).toEqual(valuesOf(npx.gelu(x)));
    const out = np.zerosLike(x);
    expect(npx.gelu(x, { approximate: true, out })).toBe(out);
    expect(valuesOf(out)).toEqual(valuesOf(npx.gelu(x, { approximate: true })));
    expect([x].map(npx.gelu as (x: NDArray) => NDArray).map(valuesOf)).toEqual([valuesOf(npx.gelu(x))]);
    expect(() => npx.gelu(x, { approx: true } as never)).toThrow(/gelu: unknown option "approx".*approximate/);
    expect(() => npx.gelu(x, { approximate: "tanh" } as never)).toThrow(ValueError);
  });

  test("activation by name", () => {
    const x = double([-1.5, 0.5]);
    for (const [name, fn] of Object.entries({
      relu: npx.relu,
      log_sigmoid: npx.logSigmoid,
      logSigmoid: npx.logSigmoid,
      softrelu: npx.softplus,
      tanh: np.tanh,
    }))
      expect(valuesOf(npx.activation(x, name))).toEqual(valuesOf(fn(x)));
    for (const wrong of ["constructor", "Relu", "", null, undefined, 3, {}, Object.create(null)])
      expect(() => npx.activation(x, wrong as string)).toThrow(/^activation: actType is one of relu, .*, got/);
  });
});

describe("what is masked", () => {
  const x = double([
    [1, 2, Number.NaN],
    [4, Number.POSITIVE_INFINITY, 6],
    [7, 8, 9],
  ]);
  const lengths = [2, 1, 0];

  test.each<[string, (x: NDArray) => NDArray, number]>([
    ["softmax", v => npx.softmax(v, 1, { length: lengths }), 1],
    ["softmax of lengths beyond the ends", v => npx.softmax(v, 1, { length: [2, 1, -3] }), 1],
    ["logSoftmax", v => npx.logSoftmax(v, 1, { length: lengths }), 0],
    ["maskedSoftmax", v => npx.maskedSoftmax(v, np.less(np.arange(3), double(lengths).reshape(3, 1)), 1), 1],
  ])("%s: 0 there, and every derivative is exactly 0, whatever stands there", (_, f, total) => {
    const y = f(x);
    const shown = valuesOf(y);
    [2, 5, 6, 7, 8].forEach(i => void expect(shown[i]).toBe(0));
    expect(shown.some(Number.isNaN)).toBe(false);
    if (total === 1) expect(valuesOf(y.sum(1))).toEqual([1, 1, 0]);
    const v = np.copy(x).attachGrad();
    autograd.record(() => {
      let z = np.sum(
        np.multiply(
          f(v),
          double([
            [1, -2, 3],
            [4, 5, 6],
            [7, 8, 9],
          ]),
        ),
      );
      for (let k = 0; k < 3; k++) {
        const g = autograd.grad(z, v, { createGraph: true });
        const values = valuesOf(g);
        [2, 4, 5, 6, 7, 8].forEach(i => void expect(values[i], `order ${k + 1}`).toBe(0));
        expect(values.some(Number.isNaN)).toBe(false);
        z = np.sum(
          np.multiply(
            g,
            double([
              [3, 1, 1],
              [1, 2, 1],
              [5, 1, 1],
            ]),
          ),
        );
      }
    });
  });

  test("a mask broadcasts, along with the lengths of other axes", () => {
    const y = npx.maskedSoftmax(
      double([
        [0, 0, 0],
        [1, 1, 1],
      ]),
      [true, false, true],
    );
    expect(y.tolist()).toEqual([
      [0.5, 0, 0.5],
      [0.5, 0, 0.5],
    ]);
    expect(npx.softmax(np.zeros([2, 3]), 0, { length: [1, 2, 0] }).tolist()).toEqual([
      [1, 0.5, 0],
      [0, 0.5, 0],
    ]);
    expect(npx.maskedSoftmax(np.zeros([2]), [1, 0]).tolist()).toEqual([1, 0]);
  });

  test("sequenceMask: MXNet's layouts", () => {
    const z = np.ones([2, 3, 2]);
    expect(npx.sequenceMask(z, [1, 2, 0]).at(":", ":", 0).tolist()).toEqual([
      [1, 1, 0],
      [0, 1, 0],
    ]);
    expect(npx.sequenceMask(z, [1, 3], { axis: 1, value: -1 }).at(":", ":", 1).tolist()).toEqual([
      [1, -1, -1],
      [1, 1, 1],
    ]);
    const v = np.full([2, 2], Number.NaN).attachGrad();
    autograd.record(() => npx.sequenceMask(v, [1, 0]).sum()).backward();
    expect(valuesOf(v.grad!)).toEqual([1, 0, 0, 0]);
    expect(npx.sequenceMask(np.ones([2, 2], { dtype: "int32" }), [1, 0]).dtype).toBe("int32");
  });
});

describe("positions", () => {
  test("embedding: repeated rows add, out of range is an IndexError", () => {
    const w = np.zeros([3, 2]).attachGrad();
    autograd
      .record(() => npx.embedding([0, 2, 0], w))
      .backward(
        single([
          [1, 2],
          [3, 4],
          [5, 6],
        ]),
      );
    expect(w.grad!.tolist()).toEqual([
      [6, 8],
      [0, 0],
      [3, 4],
    ]);
    for (const wrong of [[3], [-4], [[0, 7]]]) expect(() => npx.embedding(wrong, w)).toThrow(IndexError);
    expect(() => npx.embedding([0.5], w)).toThrow(DTypeError);
    expect(npx.embedding([], w).shape).toEqual([0, 2]);
  });

  test("indexAdd adds what is named twice, indexUpdate keeps the last", () => {
    const at = [
      [0, 1, 0],
      [1, 1, 1],
    ];
    const x = double([
      [1, 2],
      [3, 4],
    ]).attachGrad();
    const v = double([10, 20, 30]).attachGrad();
    const results = autograd.record(() => [npx.indexAdd(x, at, v), npx.indexUpdate(x, at, v)]);
    expect(results.map(y => y.tolist())).toEqual([
      [
        [1, 42],
        [3, 24],
      ],
      [
        [1, 30],
        [3, 20],
      ],
    ]);
    const u = double([
      [1, 2],
      [3, 4],
    ]);
    results[0]!.backward(u);
    expect([x.grad!.tolist(), valuesOf(v.grad!)]).toEqual([
      [
        [1, 2],
        [3, 4],
      ],
      [2, 4, 2],
    ]);
    results[1]!.backward(u);
    expect([x.grad!.tolist(), valuesOf(v.grad!)]).toEqual([
      [
        [1, 0],
        [3, 0],
      ],
      [0, 4, 2],
    ]);
    expect(x.tolist()).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test.each<DType>(["float32", "float64", "int32", "int8", "uint8", "bool"])("of %s", dtype => {
    const x = np.array([1, 0, 1], { dtype });
    expect(npx.gatherNd(x, [[2, 1]]).dtype).toBe(dtype);
    for (const y of [npx.indexAdd(x, [[1, 1]], 1), npx.indexUpdate(x, [[1, 1]], [0, 1])]) expect(y.dtype).toBe(dtype);
    expect(valuesOf(npx.indexUpdate(x, [[1, 1]], [0, 1]))).toEqual([1, 1, 1]);
    expect(valuesOf(npx.indexAdd(x, [[1, 1]], 1))).toEqual([1, dtype === "bool" ? 1 : 2, 1]);
  });

  test("negative positions, views, blocks, nothing", () => {
    const x = np.arange(24).reshape(2, 3, 4).T;
    expect(npx.gatherNd(x, [[-1], [0]]).tolist()).toEqual([x.at(3, 0).tolist()]);
    expect(npx.gatherNd(x, [1, 2, 1]).item()).toBe(x.at(1, 2, 1).item());
    expect(npx.gatherNd(x, np.zeros([2, 0])).shape).toEqual([0, 2]);
    const y = npx.indexUpdate(x, [[1], [2]], [[-1, -2]]);
    expect(y.at(1, 2).tolist()).toEqual([-1, -2]);
    expect(x.at(1, 2).tolist()).not.toEqual([-1, -2]);
    expect(npx.indexUpdate(np.zeros([0, 3]), np.zeros([1, 0]), 5).shape).toEqual([0, 3]);
    const same = np.ones(3);
    expect(npx.indexUpdate(same, np.zeros([1, 0]), 5) === same).toBe(false);
  });
});

describe("under vmap positions and lengths may differ from entry to entry", () => {
  const places = np.array(
    [
      [
        [0, 0],
        [3, 3],
      ],
      [
        [2, 2],
        [1, 1],
      ],
    ],
    { dtype: "int32" },
  );
  const table = np.arange(24, { dtype: "float64" }).reshape(2, 3, 4).mul(0.1);
  const value = double([
    [5, 6],
    [7, 8],
  ]);
  const lengths = np.array(
    [
      [1, 4, 0],
      [2, 2, 2],
    ],
    { dtype: "int32" },
  );
  test.each<[string, (...xs: NDArray[]) => NDArray, NDArray[]]>([
    [
      "embedding",
      (x, i) => npx.embedding(i!, x!),
      [
        table,
        np.array(
          [
            [0, 2],
            [1, 1],
          ],
          { dtype: "int32" },
        ),
      ],
    ],
    ["gatherNd", (x, i) => npx.gatherNd(x!, i!), [table, places]],
    ["indexAdd", (x, i, v) => npx.indexAdd(x!, i!, v!), [table, places, value]],
    ["indexUpdate", (x, i, v) => npx.indexUpdate(x!, i!, v!), [table, places, value]],
    ["softmax", (x, n) => npx.softmax(x!, 1, { length: n! }), [table, lengths]],
    ["maskedSoftmax", (x, m) => npx.maskedSoftmax(x!, m!), [table, np.less(table, 1)]],
    ["sequenceMask", (x, n) => npx.sequenceMask(x!, n!, { axis: 1 }), [table, lengths]],
  ])("%s", (_, f, xs) => {
    const parts = (k: number): NDArray[] => xs.map(x => x.at(k));
    const all = vmap(f)(...xs);
    expect(all.tolist()).toEqual([f(...parts(0)).tolist(), f(...parts(1)).tolist()]);
    const slope = grad((...ys: NDArray[]) => np.sum(np.square(f(...ys))));
    const gs = vmap((...ys: NDArray[]) => slope(...ys) as NDArray)(...xs);
    expect(gs.tolist()).toEqual([0, 1].map(k => (slope(...parts(k)) as NDArray).tolist()));
  });
});

describe("products and norms", () => {
  test("fullyConnected flattens unless told otherwise", () => {
    const x = np.ones([2, 3, 4]);
    expect(npx.fullyConnected(x, np.ones([5, 12])).shape).toEqual([2, 5]);
    expect(npx.fullyConnected(x, np.ones([5, 4]), null, { flatten: false }).shape).toEqual([2, 3, 5]);
    expect(npx.fullyConnected(np.ones(3), np.ones([5, 1])).shape).toEqual([3, 5]);
    expect(npx.fullyConnected(np.ones(3), np.ones([5, 3]), undefined, { flatten: false }).shape).toEqual([5]);
    expect(
      npx
        .fullyConnected(np.ones([2, 0]), np.ones([5, 0]), np.arange(5))
        .at(1)
        .tolist(),
    ).toEqual([0, 1, 2, 3, 4]);
  });

  test("layerNorm of a constant row, of one element, and of large numbers in float32", () => {
    const x = double([[5, 5, 5]]).attachGrad();
    const y = autograd.record(() => npx.layerNorm(x, [1, 2, 3], [4, 5, 6]));
    expect(y.tolist()).toEqual([[4, 5, 6]]);
    y.backward(double([[1, 0, 0]]));
    valuesOf(x.grad!).forEach((g, i) => void expect(g).toBeCloseTo([2 / 3, -1 / 3, -1 / 3][i]! / Math.sqrt(1e-5), 9));
    expect(npx.layerNorm([[3]]).tolist()).toEqual([[0]]);
    const big = single([1e6 - 1, 1e6, 1e6 + 1]);
    valuesOf(npx.layerNorm(big)).forEach((v, i) => void expect(v).toBeCloseTo([-1.2247356, 0, 1.2247356][i]!, 5));
    expect(npx.layerNorm(np.zeros([2, 0])).shape).toEqual([2, 0]);
  });
});

test("what does not fit is refused by class", () => {
  const x = np.ones([2, 3]);
  const bad = <T>(value: unknown): T => value as T;
  const CASES: [typeof ShapeError | typeof ValueError, RegExp, () => unknown][] = [
    [ShapeError, /^prelu: gamma of shape \(2,\) .*wanted \(3,\)/, () => npx.prelu(x, [1, 2])],
    [ShapeError, /^prelu: gamma/, () => npx.prelu(1, [1, 2])],
    [ShapeError, /^softmax: lengths of shape \(3,\) .*wanted \(2,\)/, () => npx.softmax(x, -1, { length: [1, 2, 3] })],
    [ShapeError, /^softmax: /, () => npx.softmax(1)],
    [ValueError, /^softmax: the temperature/, () => npx.softmax(x, 0, { temperature: 0 })],
    [ShapeError, /^maskedSoftmax: a mask of shape \(4, 2, 3\)/, () => npx.maskedSoftmax(x, np.ones([4, 2, 3]))],
    [ShapeError, /^maskedSoftmax: cannot broadcast/, () => npx.maskedSoftmax(x, [true, false])],
    [
      ValueError,
      /^maskedSoftmax: unknown option "length"; known options: temperature/,
      () => npx.maskedSoftmax(x, x, 0, bad({ length: 1 })),
    ],
    [ShapeError, /^embedding: the table is 0-d/, () => npx.embedding([0], 3)],
    [ShapeError, /^gatherNd: indices of shape \(3, 1\)/, () => npx.gatherNd(x, [[0], [0], [0]])],
    [ShapeError, /^gatherNd: indices of shape \(\)/, () => npx.gatherNd(x, 0)],
    [
      ShapeError,
      /^indexAdd: .*value of shape \(2,\)/,
      () =>
        npx.indexAdd(
          x,
          [
            [0, 0, 1],
            [0, 1, 2],
          ],
          [1, 2],
        ),
    ],
    [ValueError, /^sequenceMask: axis is 0 or 1, got 2/, () => npx.sequenceMask(np.ones([1, 1, 1]), [1], { axis: 2 })],
    [ValueError, /^sequenceMask: value/, () => npx.sequenceMask(x, [1, 1, 1], bad({ value: "0" }))],
    [ShapeError, /^sequenceMask: lengths of shape \(2,\) .* axis 1/, () => npx.sequenceMask(x, [1, 1])],
    [ShapeError, /^batchFlatten: /, () => npx.batchFlatten(1)],
    [ShapeError, /^batchDot: shapes \(2, 3\)/, () => npx.batchDot(x, x)],
    [
      ShapeError,
      /^batchDot: .* with these transpositions/,
      () => npx.batchDot(np.ones([2, 3, 4]), np.ones([2, 4, 3]), { transposeA: true }),
    ],
    [ShapeError, /^batchDot: /, () => npx.batchDot(np.ones([2, 3, 4]), np.ones([1, 4, 3]))],
    [ShapeError, /^fullyConnected: a weight of shape \(5, 2\) .*wanted \(units, 3\)/, () => npx.fullyConnected(x, np.ones([5, 2]))],
    [ShapeError, /^fullyConnected: bias of shape \(4,\)/, () => npx.fullyConnected(x, np.ones([5, 3]), np.ones(4))],
    [ShapeError, /^fullyConnected: x is 0-d/, () => npx.fullyConnected(1, np.ones([5, 3]))],
    [ShapeError, /^layerNorm: beta of shape \(2,\)/, () => npx.layerNorm(x, null, [1, 2])],
    [ShapeError, /^layerNorm: axis 2/, () => npx.layerNorm(x, null, null, { axis: 2 })],
    [ValueError, /^layerNorm: eps/, () => npx.layerNorm(x, null, null, { eps: -1 })],
  ];
  for (const [kind, message, run] of CASES) {
    expect(run, String(message)).toThrow(kind);
    expect(run).toThrow(message);
  }
});
