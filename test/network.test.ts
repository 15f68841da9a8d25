/**
 * Layers over windows and normalisation beside what the automatic tests see: PyTorch's numbers and LeNet's gradients, plain
 * loops over any geometry, ties, padding, running arrays, large numbers, errors.
 */
import { autograd, type DType, DTypeError, grad, type NDArray, np, npx, ShapeError, ValueError, vmap } from "nabla";
import { describe, expect, test } from "vitest";
import golden from "./golden/torch/network.json" with { type: "json" };
import { expectDerivatives } from "./support/derivatives.ts";
import { arrayOf, randomNumbers, type Shape, sizeOf, valuesOf } from "./support/sampling.ts";

type AnyFn = (...args: unknown[]) => NDArray;
const call = (name: string, ...args: unknown[]): NDArray => (npx as unknown as Record<string, AnyFn>)[name]!(...args);

/** The numbers of the golden program. */
const numbers = (shape: Shape, seed: number, dtype: DType = "float64", scale = 1): NDArray =>
  arrayOf(
    Float64Array.from({ length: sizeOf(shape) }, (_, i) => ((((i * 7919 + seed * 104729) % 1013) - 506) / 512) * scale),
    shape,
    dtype,
  );

interface Digest {
  shape: number[];
  sums: number[];
}

/** Whether an array has a shape, and products with two vectors, to so many parts of the sum of their absolute values. */
function expectDigest(y: NDArray, want: Digest, tolerance: number, what: string): void {
  expect(y.shape, what).toEqual(want.shape);
  const values = valuesOf(y);
  want.sums.forEach((sum, k) => {
    const weights = valuesOf(numbers(want.shape, 91 + k));
    const got = values.reduce((s, v, i) => s + v * weights[i]!, 0);
    const size = values.reduce((s, v, i) => s + Math.abs(v * weights[i]!), 1e-3);
    if (!(Math.abs(got - sum) <= tolerance * size)) throw new Error(`${what}: sum ${k} is ${got}, not ${sum}`);
  });
}

describe("layers are PyTorch's", () => {
  test.each(
    golden.cases.map((c, i): [string, (typeof golden.cases)[number]] => [`${i}: ${c.name} ${JSON.stringify(c.options)}`, c as never]),
  )("%s", (_, c) => {
    for (const [dtype, tolerance] of [
      ["float64", 1e-12],
      ["float32", 2e-5],
    ] as const) {
      const xs = c.shapes.map((s, i) => numbers(s, i + 1, dtype).attachGrad());
      const running = c.running && [numbers(c.running[0]!.shape, 5, dtype), numbers(c.running[0]!.shape, 6, dtype).add(2)];
      const between = c.name.endsWith("Norm") ? (running ?? []) : xs.length < 3 && c.name !== "pooling" ? [null] : [];
      const y = autograd.record(() => call(c.name, ...xs, ...between, c.options));
      expect(y.dtype).toBe(dtype);
      expectDigest(y, c.y, tolerance, "value");
      y.backward(numbers(y.shape, 50, dtype));
      xs.forEach((x, i) => void expectDigest(x.grad!, c.grads[i]!, tolerance, `gradient ${i}`));
      running?.forEach((r, i) => void expectDigest(r, c.running![i]!, tolerance, `running array ${i}`));
    }
  });

  test.each([
    ["float64", 1e-9],
    ["float32", 1e-4],
  ] as const)("a step of LeNet on 64 images, %s", (dtype, tolerance) => {
    const { shapes, scales, loss, grads } = golden.lenet;
    const x = numbers([64, 1, 28, 28], 1, dtype);
    const p = shapes.map((s, i) => numbers(s, i + 2, dtype, scales[i]!).attachGrad());
    const pool = { kernel: 2, stride: 2 };
    const labels = np.array(Array.from({ length: 64 }, (_, i) => (i * 3) % 10));
    const l = autograd.record(() => {
      let h = npx.pooling(npx.sigmoid(npx.convolution(x, p[0]!, p[1], { pad: 2 })), { ...pool, poolType: "avg" });
      h = npx.pooling(npx.sigmoid(npx.convolution(h, p[2]!, p[3])), pool);
      h = npx.sigmoid(npx.fullyConnected(npx.sigmoid(npx.fullyConnected(h, p[4]!, p[5])), p[6]!, p[7]));
      return npx
        .pick(npx.logSoftmax(npx.fullyConnected(h, p[8]!, p[9])), labels)
        .mean()
        .neg();
    });
    l.backward();
    expect(Math.abs(l.item() - loss)).toBeLessThan(tolerance);
    grads.forEach((want, i) => {
      const g = p[i]!.grad!;
      expectDigest(g, want, tolerance, `gradient ${i}`);
      const values = valuesOf(g);
      expect(Math.abs(Math.hypot(...values) - want.norm)).toBeLessThan(tolerance * want.norm);
      const step = Math.max(1, Math.floor(g.size / 5));
      want.some.forEach((w, k) => void expect(Math.abs(values[k * step]! - w)).toBeLessThan(tolerance * want.norm));
    });
  });
});

// ---------------------------------------------------------------- plain loops

interface Geometry {
  n: number;
  groups: number;
  /** Channels of data, and of the result, in a group. */
  channels: number;
  filters: number;
  size: number[];
  kernel: number[];
  stride: number[];
  pad: number[];
  dilate: number[];
}

/** Calls `visit` with every triple of elements of data, weight and result that belong together. */
function eachTriple(a: Geometry, visit: (x: number, w: number, y: number) => void): number[] {
  const out = a.size.map((n, i) => Math.floor((n + 2 * a.pad[i]! - a.dilate[i]! * (a.kernel[i]! - 1) - 1) / a.stride[i]!) + 1);
  const unravel = (at: number, shape: readonly number[]): number[] => {
    const place: number[] = [];
    for (let axis = shape.length - 1; axis >= 0; at = Math.floor(at / shape[axis--]!)) place.unshift(at % shape[axis]!);
    return place;
  };
  const [inner, taps, outer] = [sizeOf(a.size), sizeOf(a.kernel), sizeOf(out)];
  for (let p = 0; p < outer; p++)
    for (let k = 0; k < taps; k++) {
      const tap = unravel(k, a.kernel);
      const place = unravel(p, out).map((o, i) => o * a.stride[i]! - a.pad[i]! + tap[i]! * a.dilate[i]!);
      if (place.some((q, i) => q < 0 || q >= a.size[i]!)) continue;
      const at = place.reduce((flat, q, i) => flat * a.size[i]! + q, 0);
      for (let i = 0; i < a.n; i++)
        for (let g = 0; g < a.groups; g++)
          for (let c = 0; c < a.channels; c++)
            for (let f = 0; f < a.filters; f++) {
              const filter = g * a.filters + f;
              visit(
                (((i * a.groups + g) * a.channels + c) * inner + at) | 0,
                (filter * a.channels + c) * taps + k,
                (i * a.groups * a.filters + filter) * outer + p,
              );
            }
    }
  return out;
}

describe("convolution is what plain loops make of it", () => {
  const next = randomNumbers(77);
  const whole = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  const each = (d: number, low: number, high: number): number[] => Array.from({ length: d }, () => whole(low, high));
  const random = (): Geometry => {
    const d = whole(1, 3);
    return {
      ...{ n: whole(1, 3), groups: whole(1, 3), channels: whole(1, 4), filters: whole(1, 8) },
      ...{ size: each(d, 7, d === 1 ? 40 : 12), kernel: each(d, 1, 3), stride: each(d, 1, 3), pad: each(d, 0, 3), dilate: each(d, 1, 3) },
    };
  };
  const one = { n: 1, groups: 1, channels: 2, filters: 3, stride: [1, 1], pad: [1, 1], dilate: [1, 1] };
  const large: Geometry[] = [
    // More than one block: of windows, of images, in the middle of a line.
    { ...one, size: [40, 50], kernel: [5, 5] },
    { ...one, n: 9, groups: 2, size: [30, 40], kernel: [3, 2], stride: [2, 1] },
    { ...one, size: [20000], kernel: [3], stride: [1], pad: [1], dilate: [2] },
    { ...one, n: 3, channels: 120, size: [15, 15], kernel: [1, 3], pad: [0, 1] },
  ];
  // Planes by themselves: one channel in a group, few filters.
  const planes = (): Geometry => ({ ...random(), groups: whole(2, 9), channels: 1, filters: whole(1, 3) });
  const cases = [...Array.from({ length: 16 }, random), ...large, ...Array.from({ length: 24 }, planes)];
  test.each(cases.map(a => [JSON.stringify(a), a] as const))("%s", (_, a) => {
    const shapes = [
      [a.n, a.groups * a.channels, ...a.size],
      [a.groups * a.filters, a.channels, ...a.kernel],
    ];
    const [x, w] = shapes.map((s, i) => numbers(s, i + 3).attachGrad()) as [NDArray, NDArray];
    const [p, q] = [valuesOf(x), valuesOf(w)];
    const y = autograd.record(() => npx.convolution(x, w, null, { stride: a.stride, pad: a.pad, dilate: a.dilate, numGroup: a.groups }));
    const u = numbers(y.shape, 9);
    const h = valuesOf(u);
    y.backward(u);
    const [want, dx, dw] = [y, x, w].map(v => new Float64Array(v.size)) as [Float64Array, Float64Array, Float64Array];
    const out = eachTriple(a, (i, j, k) => {
      want[k]! += p[i]! * q[j]!;
      dx[i]! += h[k]! * q[j]!;
      dw[j]! += h[k]! * p[i]!;
    });
    expect(y.shape).toEqual([a.n, a.groups * a.filters, ...out]);
    for (const [got, plain] of [
      [y, want],
      [x.grad!, dx],
      [w.grad!, dw],
    ] as const) {
      const values = valuesOf(got);
      const size = plain.reduce((m, v) => Math.max(m, Math.abs(v)), 1);
      values.forEach((v, i) => {
        if (!(Math.abs(v - plain[i]!) <= 1e-12 * size)) throw new Error(`element ${i} is ${v}, not ${plain[i]}`);
      });
    }
    // The transposed layer is the gradient for the data, where it gives data of that size.
    const rest = a.size.map((n, i) => (n + 2 * a.pad[i]! - a.dilate[i]! * (a.kernel[i]! - 1) - 1) % a.stride[i]!);
    const z = npx.deconvolution(u, w, null, { stride: a.stride, pad: a.pad, dilate: a.dilate, adj: rest, numGroup: a.groups });
    expect(valuesOf(z)).toEqual(valuesOf(x.grad!));
  });

  test.each([1, 2])("planes by themselves in float32, %i apart", stride => {
    const [x, w] = [numbers([3, 40, 33, 35], 1), numbers([40, 1, 5, 3], 2)];
    const results = (["float64", "float32"] as const).map(dtype => {
      const [a, b] = [x.astype(dtype).attachGrad(), w.astype(dtype).attachGrad()];
      const y = autograd.record(() => npx.convolution(a, b, null, { numGroup: 40, pad: [2, 1], stride }));
      y.backward(y.detach());
      return [y, a.grad!, b.grad!].map(valuesOf);
    });
    results[0]!.forEach((list, k) => {
      const size = list.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
      const worst = list.reduce((most, v, i) => Math.max(most, Math.abs(results[1]![k]![i]! - v)), 0);
      expect(worst).toBeLessThan(1e-5 * size);
    });
  });

  test("views of data and weight are read where they lie", () => {
    const x = numbers([6, 5, 3, 2], 1).transpose([3, 2, 1, 0]).at(":", "::-1");
    const w = numbers([2, 2, 3, 8], 2).transpose([3, 2, 1, 0]).at("::2");
    const y = npx.convolution(x, w);
    expect(valuesOf(y)).toEqual(valuesOf(npx.convolution(x.copy(), w.copy())));
  });

  test("a weight for each entry", () => {
    const [x, w] = [numbers([4, 2, 2, 6], 1), numbers([4, 3, 2, 3], 2)];
    const f = (a: NDArray, b: NDArray): NDArray => npx.convolution(a, b, null, { pad: 1 });
    const all = vmap(f)(x, w);
    for (let i = 0; i < 4; i++) expect(valuesOf(all.at(i))).toEqual(valuesOf(f(x.at(i), w.at(i))));
  });
});

// ---------------------------------------------------------------- pooling

describe("pooling", () => {
  const line = (...values: number[]): NDArray => np.array([[values]]);
  const windows = (x: NDArray, poolType: "max" | "avg" | "sum" | "lp", options: object = {}): number[] =>
    valuesOf(npx.pooling(x, { kernel: 2, stride: 2, poolType, ...options }));

  test("the first of the largest has the gradient, a NaN wins", () => {
    const x = line(3, 3, 1, 2, -1, -1).attachGrad();
    autograd.record(() => npx.pooling(x, { kernel: 3 }).sum()).backward();
    expect(valuesOf(x.grad!)).toEqual([1, 1, 0, 2, 0, 0]);
    const whole = line(5, 1, 5).attachGrad();
    autograd.record(() => npx.pooling(whole, { globalPool: true }).sum()).backward();
    expect(valuesOf(whole.grad!)).toEqual([1, 0, 0]);
    const nan = line(1, Number.NaN, Number.NaN, 7, 2, 9).attachGrad();
    const y = autograd.record(() => npx.pooling(nan, { kernel: 3, stride: 3 }));
    y.backward();
    expect(valuesOf(y)).toEqual([Number.NaN, 9]);
    expect(valuesOf(nan.grad!)).toEqual([0, 1, 0, 0, 0, 1]);
  });

  test("what stands beyond the ends is never the largest", () => {
    const x = line(-5, -7, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY).attachGrad();
    const y = autograd.record(() => npx.pooling(x, { kernel: 3, stride: 3, pad: 1 }));
    y.backward();
    expect(valuesOf(y)).toEqual([-5, Number.NEGATIVE_INFINITY]);
    expect(valuesOf(x.grad!)).toEqual([1, 0, 1, 0]);
  });

  test("a window that does not fit is left out, and zeros beyond the ends may count", () => {
    expect(windows(line(1, 2, 3, 4, 5), "sum")).toEqual([3, 7]);
    expect(windows(line(1, 2, 3, 4), "avg", { pad: 1 })).toEqual([0.5, 2.5, 2]);
    expect(windows(line(1, 2, 3, 4), "avg", { pad: 1, countIncludePad: false })).toEqual([1, 2.5, 4]);
    expect(windows(line(3, 4, 6, 8), "lp")).toEqual([5, 10]);
    expect(windows(line(1, 7, 0, -2), "lp", { pValue: 3 })).toEqual([7.0067958, -2].map(v => expect.closeTo(v, 6)));
    expect(windows(np.array([[[1, 2]]], { dtype: "int32" }), "avg")).toEqual([1.5]);
  });

  test("a root of 0 has slope 0", () => {
    for (const pValue of [2, 3, 4]) {
      const f = (x: NDArray): NDArray => npx.pooling(x, { kernel: 2, poolType: "lp", pValue }).sum();
      const g = grad(f);
      expect(valuesOf(g(line(0, 0, 1)))).toEqual([0, 0, 1]);
      expect(valuesOf(grad((x: NDArray) => g(x).sum())(line(0, 0, 0)))).toEqual([0, 0, 0]);
    }
  });

  test("a global pool is over everything", () => {
    const x = numbers([2, 3, 4, 5], 1);
    const flat = x.reshape([2, 3, 20]);
    const all = (poolType: "max" | "avg" | "sum" | "lp"): NDArray => npx.pooling(x, { poolType, globalPool: true }).reshape([2, 3]);
    expect(valuesOf(all("max"))).toEqual(valuesOf(flat.max(-1)));
    expect(valuesOf(all("avg"))).toEqual(valuesOf(flat.mean(-1)));
    expect(valuesOf(all("sum"))).toEqual(valuesOf(flat.sum(-1)));
    expect(np.allclose(all("lp"), np.linalg.norm(flat, undefined, -1))).toBe(true);
  });
});

// ---------------------------------------------------------------- normalisation

describe("normalisation", () => {
  const next = randomNumbers(5);
  const four = (): NDArray[] => [numbers([4, 3, 5], 1), numbers([3], 2), numbers([3], 3)];

  test("batchNorm in training mode, with two derivatives", () => {
    for (const axis of [0, 1, 2]) {
      const f = (x: NDArray, g: NDArray, b: NDArray): NDArray =>
        autograd.trainMode(() => npx.batchNorm(x, g, b, np.zeros(3), np.ones(3), { axis, eps: 0.1 }));
      const shape = [4, 5];
      shape.splice(axis, 0, 3);
      expectDerivatives(`axis ${axis}`, f, [numbers(shape, 1), numbers([3], 2), numbers([3], 3)], 2, next);
    }
  });

  test("batchNorm follows the mode, and keeps running arrays in place", () => {
    const [x, g, b] = four() as [NDArray, NDArray, NDArray];
    const [m, v] = [np.array([1, 2, 3]), np.array([1, 4, 9])];
    const plain = npx.batchNorm(x, g, b, m, v, { eps: 0 });
    const want = x
      .sub(m.reshape([3, 1]))
      .div(np.sqrt(v).reshape([3, 1]))
      .mul(g.reshape([3, 1]))
      .add(b.reshape([3, 1]));
    expect(np.allclose(plain, want)).toBe(true);
    expect([m.tolist(), v.tolist()]).toEqual([
      [1, 2, 3],
      [1, 4, 9],
    ]);
    const frozen = autograd.trainMode(() => npx.batchNorm(x, g, b, m, v, { eps: 0, useGlobalStats: true }));
    expect(valuesOf(frozen)).toEqual(valuesOf(plain));
    expect(m.tolist()).toEqual([1, 2, 3]);
    x.attachGrad();
    const y = autograd.record(() => npx.batchNorm(x, g, b, m, v, { momentum: 0.75 }));
    const spread = np.var(x, [0, 2]);
    expect(
      np.allclose(
        m,
        np
          .array([1, 2, 3])
          .mul(0.75)
          .add(np.mean(x, [0, 2]).mul(0.25)),
      ),
    ).toBe(true);
    expect(np.allclose(v, np.array([1, 4, 9]).mul(0.75).add(spread.mul(0.25)))).toBe(true);
    expect(autograd.isRecording()).toBe(false);
    y.backward();
    expect(m.dtype).toBe("float32");
    // The sum over a batch with mean 0 does not depend on it.
    for (const d of valuesOf(x.grad!)) expect(Math.abs(d)).toBeLessThan(1e-12);
  });

  test("running arrays that are attached are updated without a trace, and views too", () => {
    const [x, g, b] = four() as [NDArray, NDArray, NDArray];
    const table = np.zeros([3, 2]);
    const [m, v] = [table.at(":", 0), np.ones(3).attachGrad()];
    x.attachGrad();
    const y = autograd.record(() => npx.batchNorm(x, g, b, m, v).square().sum());
    y.backward();
    expect(np.allclose(table.at(":", 0), np.mean(x, [0, 2]).mul(0.1))).toBe(true);
    expect(valuesOf(table.at(":", 1))).toEqual([0, 0, 0]);
    expect(v.gradIsFresh).toBe(false);
  });

  test("fixGamma takes gamma for 1 and gives it a gradient of 0", () => {
    const [x, g, b] = four() as [NDArray, NDArray, NDArray];
    g.attachGrad();
    const run = (gamma: NDArray, fixGamma: boolean): NDArray => npx.batchNorm(x, gamma, b, np.zeros(3), np.ones(3), { fixGamma });
    const y = autograd.record(() => run(g, true));
    expect(valuesOf(y)).toEqual(valuesOf(autograd.trainMode(() => run(np.ones(3, { dtype: "float64" }), false))));
    y.backward();
    expect(valuesOf(g.grad!)).toEqual([0, 0, 0]);
  });

  test("far from 0 and nearly constant, large, and one single element", () => {
    const x = numbers([8, 2, 50], 1);
    const one = np.ones(2);
    const norms: [string, (a: NDArray) => NDArray][] = [
      ["batchNorm", a => autograd.trainMode(() => npx.batchNorm(a, one, one, np.zeros(2), one.copy()))],
      ["groupNorm", a => npx.groupNorm(a, one, one)],
      ["instanceNorm", a => npx.instanceNorm(a, one, one)],
    ];
    for (const [name, f] of norms) {
      const want = valuesOf(f(x));
      const shifted = x.mul(16).add(4096).astype("float32");
      valuesOf(f(shifted)).forEach((v, i) => void expect(Math.abs(v - want[i]!), name).toBeLessThan(2e-4));
      valuesOf(f(x.mul(1e18).astype("float32"))).forEach((v, i) => void expect(Math.abs(v - want[i]!), name).toBeLessThan(1e-4));
      expect(valuesOf(f(np.full([1, 2, 1], 7))), name).toEqual([1, 1]);
      expect(f(np.zeros([0, 2, 3])).shape, name).toEqual([0, 2, 3]);
    }
    const [m, v] = [np.zeros(2), np.ones(2)];
    autograd.trainMode(() => npx.batchNorm(np.zeros([0, 2]), one, one, m, v));
    expect([m.tolist(), v.tolist()]).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });
});

// ---------------------------------------------------------------- errors

describe("numbers whose squares are out of range", () => {
  const small = [0.5, -0.25, 0.125, 1, 0.75, -1, 0.375, 0.625];
  const weights = np.array([1, 4, -2, 3, 2, -5, 1, 2], { dtype: "float64" });
  const norms: Record<string, (x: NDArray, o: { eps: number }) => NDArray> = {
    layerNorm: (x, o) => npx.layerNorm(x.reshape(2, 4), [1, 2, 3, 4], [1, 1, 1, 1], o),
    groupNorm: (x, o) => npx.groupNorm(x.reshape(1, 4, 2), [1, 2, 3, 4], [1, 1, 1, 1], { ...o, numGroups: 2 }),
    instanceNorm: (x, o) => npx.instanceNorm(x.reshape(1, 2, 4), [1, 2], [1, 1], o),
    batchNorm: (x, o) =>
      autograd.trainMode(() => npx.batchNorm(x.reshape(4, 2), [1, 2], [1, 1], np.zeros(2), np.ones(2), { ...o, momentum: 1 })),
  };
  const scales = { float32: [1e10, 1e19, 1e20, 3e37], float64: [1e100, 1e154, 1e200, 1e307] } as const;
  const close = (y: NDArray, want: NDArray, tolerance: number, what: string): void => {
    const [a, b] = [valuesOf(y), valuesOf(want)];
    const size = Math.max(...b.map(Math.abs));
    for (const [i, v] of a.entries())
      expect(Math.abs(v - b[i]!), `${what}, element ${i}: ${v}, wanted ${b[i]}`).toBeLessThan(tolerance * size);
  };

  for (const [name, norm] of Object.entries(norms))
    test(`${name} does not depend on the size of x, nor do its slopes but by it`, () => {
      for (const dtype of ["float32", "float64"] as const) {
        const tolerance = dtype === "float32" ? 2e-6 : 1e-14;
        const x = np.array(small, { dtype: "float64" });
        const loss = (y: NDArray): NDArray => np.ravel(y).square().mul(np.astype(weights, y.dtype)).sum();
        const f = (z: NDArray): NDArray => norm(z, { eps: 0 });
        for (const scale of scales[dtype]) {
          const what = `${dtype} times ${scale}`;
          const large = np.astype(x.mul(scale), dtype);
          close(norm(large, { eps: 1e-5 }), f(x), tolerance, what);
          // The slope for large · z, whose size does not depend on that of x.
          const [slope, along] = [large, x].map(at => {
            const g = grad((z: NDArray) => loss(f(z.mul(at))));
            const one = np.onesLike(at);
            return [g(one), grad((z: NDArray) => g(z).mul(np.astype(weights, at.dtype)).sum())(one)] as const;
          }) as [readonly [NDArray, NDArray], readonly [NDArray, NDArray]];
          close(slope[0], along[0], 10 * tolerance, `${what}, slope`);
          close(slope[1], along[1], 100 * tolerance, `${what}, second slope`);
          // Under vmap there is no running array to update.
          if (name === "batchNorm") continue;
          close(vmap((z: NDArray) => f(z))(np.stack([large, np.astype(x, dtype)])), np.stack([f(x), f(x)]), tolerance, `${what}, mapped`);
        }
      }
    });

  test("rows of all sizes stand beside each other, and those that are no numbers stay so", () => {
    const x = np.array([
      [1, 2, 3, -1],
      [1e30, 2e30, 3e30, -1e30],
      [3e38, -3e38, 3e38, -3e38],
      [1, Number.NaN, 3, 4],
      [Number.POSITIVE_INFINITY, 1, 2, 3],
    ]);
    const gamma = np.ones(4);
    const w = np.array([1, 5, -2, 3]);
    gamma.attachGrad();
    x.attachGrad();
    const y = autograd.record(() => npx.layerNorm(x, gamma, np.zeros(4), { eps: 0 }));
    const rows = np.array([1, 1, 1, 0, 0]).reshape(5, 1);
    y.backward(rows.mul(w));
    const plain = npx.layerNorm(np.array([1, 2, 3, -1]), null, null, { eps: 0 });
    close(y.at(0), plain, 1e-6, "small");
    close(y.at(1), plain, 1e-6, "large");
    close(y.at(2), np.array([1, -1, 1, -1]), 1e-6, "largest");
    for (const i of [3, 4]) expect(valuesOf(y.at(i)).every(Number.isNaN)).toBe(true);
    close(
      gamma.grad!,
      plain
        .mul(2)
        .add(np.array([1, -1, 1, -1]))
        .mul(w),
      1e-6,
      "gamma",
    );
    close(x.grad!.at(1).mul(1e30), x.grad!.at(0), 1e-5, "slope");
    for (const i of [3, 4]) expect(valuesOf(x.grad!.at(i))).toEqual([0, 0, 0, 0]);
  });

  test("pooled with a power, and through a temperature", () => {
    for (const dtype of ["float32", "float64"] as const)
      for (const pValue of [2, 3, 4, 7, 50])
        for (const scale of scales[dtype]) {
          const o = { kernel: [2], stride: [2], poolType: "lp", pValue } as const;
          const x = np.array([[[1, 0.5, 0.25, 0.25, 0.125, 1, 1e-3, 0]]], { dtype: "float64" });
          const f = (z: NDArray): NDArray => npx.pooling(z, o);
          const large = np.astype(x.mul(scale), dtype);
          // The last window is small beside the others, and its powers may be out of range on the other side.
          const first = (y: NDArray): NDArray => y.at(0, 0, ":3");
          close(first(f(large)).mul(1 / scale), first(f(x)), dtype === "float32" ? 1e-5 : 1e-13, `${dtype}, ${pValue}, ${scale}`);
          const slope = (at: NDArray): NDArray =>
            grad((z: NDArray) =>
              first(f(z))
                .mul(np.array([1, 2, 3]))
                .sum(),
            )(at);
          close(slope(large), slope(x), dtype === "float32" ? 1e-4 : 1e-12, `${dtype}, ${pValue}, ${scale}, slope`);
        }
    for (const s of [1, -1]) {
      const x = np.array([3e38, 1, -3e38]).mul(s);
      expect(valuesOf(npx.softmax(x, -1, { temperature: 1e-3 }))).toEqual(s > 0 ? [1, 0, 0] : [0, 0, 1]);
      expect(valuesOf(npx.maskedSoftmax(x, [s < 0, true, s > 0], -1, { temperature: 1e-3 }))).toEqual([0, 1, 0]);
    }
    const x = np.array([1, 3, 2, Number.NEGATIVE_INFINITY], { dtype: "float64" });
    close(npx.softmax(x, -1, { temperature: 0.5 }), npx.softmax(x.mul(2)), 1e-15, "temperature");
    expectDerivatives(
      "temperature",
      z => npx.logSoftmax(z!, -1, { temperature: 3 }),
      [np.array([1, 3, 2], { dtype: "float64" })],
      2,
      randomNumbers(5),
    );
  });
});

describe("what does not fit is said", () => {
  const x = np.zeros([2, 4, 5, 6]);
  const w = np.zeros([3, 4, 2, 2]);
  const four = np.zeros(4);
  const cases: [string, () => unknown, new (...args: never[]) => Error, RegExp][] = [
    ["x has no spatial axis", () => npx.convolution(np.zeros([2, 3]), w), ShapeError, /convolution: x of shape \(2, 3\)/],
    ["axes differ", () => npx.convolution(x, np.zeros([3, 4, 2])), ShapeError, /weight of shape \(3, 4, 2\)/],
    ["channels differ", () => npx.convolution(x, np.zeros([3, 3, 2, 2])), ShapeError, /4 channels in 1 group;/],
    ["filters do not divide", () => npx.convolution(x, np.zeros([3, 2, 2, 2]), null, { numGroup: 2 }), ShapeError, /in 2 groups/],
    ["the kernel is too large", () => npx.convolution(x, np.zeros([3, 4, 6, 2])), ShapeError, /larger than data of shape \(5, 6\)/],
    ["an empty kernel", () => npx.convolution(x, np.zeros([3, 4, 0, 2])), ShapeError, /empty kernel/],
    ["a bias of another size", () => npx.convolution(x, w, [1, 2]), ShapeError, /bias of shape \(2,\) for 3 channels/],
    ["a stride of 0", () => npx.convolution(x, w, null, { stride: 0 }), ValueError, /stride is a whole number >= 1, got 0/],
    ["too many strides", () => npx.convolution(x, w, null, { stride: [1, 1, 1] }), ValueError, /one for each of 2 spatial axes/],
    ["a negative pad", () => npx.convolution(x, w, null, { pad: -1 }), ValueError, /pad is a whole number >= 0/],
    ["no group", () => npx.convolution(x, w, null, { numGroup: 0 }), ValueError, /numGroup is a whole number >= 1/],
    ["a kernel option", () => npx.convolution(x, w, null, { kernel: 2 } as never), ValueError, /unknown option "kernel"/],
    ["channels differ", () => npx.deconvolution(x, w), ShapeError, /deconvolution: a weight of shape \(3, 4, 2, 2\) for 4 channels/],
    ["adj is too large", () => npx.deconvolution(x, np.zeros([4, 1, 2, 2]), null, { adj: 1 }), ValueError, /adj/],
    ["nothing is left", () => npx.deconvolution(x, np.zeros([4, 1, 1, 1]), null, { pad: 3 }), ShapeError, /leaves \(-1, 0\)/],
    ["no kernel", () => npx.pooling(x), ValueError, /pooling: kernel/],
    ["no spatial axis", () => npx.pooling(np.zeros([2, 3]), { kernel: 2 }), ShapeError, /spatial axes/],
    ["a kernel too large", () => npx.pooling(x, { kernel: 6 }), ShapeError, /kernel of shape \(6, 6\) is larger/],
    ["a pad like the kernel", () => npx.pooling(x, { kernel: 2, pad: 2 }), ValueError, /not less than the kernel/],
    [
      "an unknown kind",
      () => npx.pooling(x, { kernel: 2, poolType: "min" as never }),
      ValueError,
      /poolType is "max", "avg", "sum" or "lp"/,
    ],
    ["a power of 0", () => npx.pooling(x, { kernel: 2, poolType: "lp", pValue: 0 }), ValueError, /pValue/],
    ["nothing to pool", () => npx.pooling(np.zeros([2, 3, 0]), { globalPool: true }), ShapeError, /nothing to pool/],
    ["gamma of another size", () => npx.batchNorm(x, [1, 2], four, four, four), ShapeError, /gamma of shape \(2,\)/],
    ["the variance too", () => npx.batchNorm(x, four, four, four, [1]), ShapeError, /runningVar of shape \(1,\)/],
    ["integers", () => npx.batchNorm(x, four, four, np.zeros(4, { dtype: "int32" }), four), DTypeError, /running arrays of int32/],
    ["an axis too many", () => npx.batchNorm(x, four, four, four, four, { axis: 4 }), ShapeError, /axis 4/],
    ["eps below 0", () => npx.batchNorm(x, four, four, four, four, { eps: -1 }), ValueError, /eps is a number >= 0/],
    ["channels do not divide", () => npx.groupNorm(x, four, four, { numGroups: 3 }), ShapeError, /4 channels/],
    ["no channels", () => npx.instanceNorm([1, 2], [1], [1]), ShapeError, /instanceNorm: x of shape \(2,\)/],
  ];
  test.each(cases)("%s", (_, run, kind, text) => {
    expect(run).toThrow(kind);
    expect(run).toThrow(text);
  });

  test("running arrays that cannot be written are refused before anything is", () => {
    const stuck = np.broadcastTo(np.zeros(1), [4]);
    const m = np.zeros(4);
    expect(() => autograd.trainMode(() => npx.batchNorm(x.add(1), four, four, m, stuck))).toThrow(ValueError);
    expect(m.tolist()).toEqual([0, 0, 0, 0]);
    expect(() => autograd.trainMode(() => vmap((a: NDArray) => npx.batchNorm(a, four, four, m, np.ones(4)))(np.ones([3, 2, 4])))).toThrow(
      /vmap/,
    );
  });
});
