/** Large arrays: the speed of memory, of functions and of the matrix product. Knows nabla as a user does. */
// @ts-check
import { autograd, np, npx } from "nabla";
import { duration, ratio, round } from "./report.mjs";
import { interleave } from "./timing.mjs";

const N = 1e6;

/** @type {import("./report.mjs").Row} */
export const add = {
  title: "np.add of 1,000,000 float32 elements",
  how: "against dst.set(src) of plain Float32Arrays of that size, in one synchronous loop, in which no finalizer runs",
  run() {
    const source = new Float32Array(N).fill(1);
    const target = new Float32Array(N);
    const x = np.ones(N);
    const y = np.ones(N);
    const out = np.ones(N);
    // The first arrays take memory that no process has touched yet, where a page costs more than the sum that fills it.
    for (let i = 0; i < 200; i++) np.add(x, y);
    const { set, ...ours } = interleave(
      {
        set: () => target.set(source),
        "with out": () => np.add(x, y, { out }),
        "inside npx.scope": () => npx.scope(() => void np.add(x, y)),
        "without a memory word": () => np.add(x, y),
      },
      // Long samples, so that each of them has its share of arrays moved out.
      { seconds: 6, sample: 40 },
    );
    /** @type {Record<string, number>} */
    const bars = { "with out": 2.3, "inside npx.scope": 4, "without a memory word": 10 };
    return Object.entries(ours).map(([what, time]) => ({
      what,
      ours: duration(time),
      other: `set ${duration(set)}`,
      ...ratio(time, set, bars[what]),
    }));
  },
};

/** @type {import("./report.mjs").Row} */
export const maps = {
  title: "functions of 1,000,000 elements, per element",
  how: "with out where there is one, so that memory plays no part",
  run() {
    const x = np.random.uniform(-2, 2, [N]);
    const x64 = x.astype("float64");
    const out = np.ones(N);
    const out64 = out.astype("float64");
    const times = interleave(
      {
        "exp, float32": () => np.exp(x, { out }),
        "tanh, float32": () => np.tanh(x, { out }),
        "sin, float32": () => np.sin(x, { out }),
        "sum, float32": () => x.sum(),
        "exp, float64": () => np.exp(x64, { out: out64 }),
        "tanh, float64": () => np.tanh(x64, { out: out64 }),
      },
      { seconds: 4 },
    );
    return Object.entries(times).map(([what, time]) => ({ what, ours: duration(time, N) }));
  },
};

/** @type {import("./report.mjs").Row} */
export const matmul = {
  title: "matrix products, n × n where nothing else is said",
  how: "np.matmul(a, b) without out; 2·n³ operations by the fastest sample (by the median), or the bytes of the matrix",
  run() {
    const random = (/** @type {number[]} */ shape, dtype = "float32") =>
      np.random.uniform(-1, 1, shape).astype(/** @type {"float32"} */ (dtype));
    const speed = (/** @type {import("./timing.mjs").Time} */ time, /** @type {number} */ work, /** @type {string} */ unit) =>
      `${round(work / time.min)} ${unit} (${round(work / time.median)})`;
    const lines = [];
    /** @type {Record<number, number>} milliseconds */
    const bars = { 256: 0.9, 512: 6.5, 1024: 52 };
    for (const dtype of ["float32", "float64"])
      for (const n of [32, 128, 256, 512, 1024]) {
        const [a, b] = [random([n, n], dtype), random([n, n], dtype)];
        const [at, bt] = [a.T, b.T];
        /** @type {Record<string, () => unknown>} */
        const products = { a·b: () => np.matmul(a, b) };
        if (n === 512) Object.assign(products, { aᵀ·b: () => np.matmul(at, b), a·bᵀ: () => np.matmul(a, bt) });
        const times = interleave(products, { seconds: 1 });
        for (const [what, time] of Object.entries(times)) {
          const bar = dtype === "float32" && what === "a·b" ? bars[n] : undefined;
          const held = bar === undefined ? {} : { value: time.min / 1e6, median: time.median / 1e6, bar, unit: "ms" };
          lines.push({ what: `${what}, n = ${n}, ${dtype}`, ours: duration(time), other: speed(time, 2 * n ** 3, "GFLOP/s"), ...held });
        }
      }
    const [a, x] = [random([1024, 1024]), random([1024])];
    const [at, small] = [a.T, random([1000, 4, 4])];
    const { batch, ...vectors } = interleave(
      {
        "a·x, n = 1024, float32": () => np.matmul(a, x),
        aᵀ·x: () => np.matmul(at, x),
        x·a: () => np.matmul(x, a),
        x·aᵀ: () => np.matmul(x, at),
        batch: () => np.matmul(small, small),
      },
      { seconds: 2 },
    );
    for (const [what, time] of Object.entries(vectors)) lines.push({ what, ours: duration(time), other: speed(time, a.size * 4, "GB/s") });
    lines.push({ what: "1000 products of 4 × 4", ours: duration(batch), other: speed(batch, 128_000, "GFLOP/s") });
    return lines;
  },
};

/** @type {import("./report.mjs").Row} */
export const layouts = {
  title: "operands of other layouts, 1000 × 1000 float32",
  how: "inside npx.scope, against np.add of two contiguous arrays; what is far above 1 takes a way it should not",
  run() {
    const x = np.random.uniform(-1, 1, [1000, 1000]);
    const row = np.ones(1000);
    const column = np.ones([1000, 1]);
    const narrow = x.reshape([100_000, 10]);
    const ten = np.ones(10);
    const half = x.at(np.slice(), np.slice(0, 500));
    const reversed = x.at(np.slice(), np.slice(null, null, -1));
    const positive = x.gt(0);
    const places = np.arange(1000).astype("int32");
    const { same, ...others } = interleave(
      {
        same: () => npx.scope(() => void np.add(x, x)),
        "(1000, 1000) + (1000,)": () => npx.scope(() => void np.add(x, row)),
        "(1000, 1000) + (1000, 1)": () => npx.scope(() => void np.add(x, column)),
        "(1000, 1) · (1, 1000)": () => npx.scope(() => void np.multiply(column, column.T)),
        "(100000, 10) + (10,)": () => npx.scope(() => void np.add(narrow, ten)),
        "x + x.T": () => npx.scope(() => void np.add(x, x.T)),
        "x + x[:, ::-1]": () => npx.scope(() => void np.add(x, reversed)),
        "x[:, :500] + 1": () => npx.scope(() => void np.add(half, 1)),
        "np.where(mask, x, 0)": () => npx.scope(() => void np.where(positive, x, 0)),
        "sum over rows": () => npx.scope(() => void x.sum(0)),
        "sum over columns": () => npx.scope(() => void x.sum(1)),
        "argmax over rows": () => npx.scope(() => void x.argmax(0)),
        "np.take of all rows": () => npx.scope(() => void np.take(x, places, 0)),
        "x.at(mask)": () => npx.scope(() => void x.at(positive)),
        "npx.softmax": () => npx.scope(() => void npx.softmax(x)),
      },
      { seconds: 6 },
    );
    return Object.entries(others).map(([what, time]) => ({
      what,
      ours: duration(time),
      other: `same shape ${duration(same)}`,
      ...ratio(time, same),
    }));
  },
};

/** @type {import("./report.mjs").Row} */
export const reductions = {
  title: "sums of 1,000,000 float32 elements over axes",
  how: "inside npx.scope, against the sum of all of them; what is far above 1 takes a way it should not",
  run() {
    /** @type {[number[], number[]][]} */
    const cases = [
      [[1000, 1000], [1]],
      [[1000, 1000], [0]],
      [[333_333, 3], [1]],
      [[333_333, 3], [0]],
      [[3, 333_333], [0]],
      [[100_000, 10], [1]],
      [[100_000, 10], [0]],
      [[100, 100, 100], [1]],
      [
        [100, 100, 100],
        [0, 2],
      ],
    ];
    const whole = np.random.uniform(-1, 1, [N]);
    const half = np.random.uniform(-1, 1, [1000, 2000]).at(np.slice(), np.slice(0, 1000));
    /** @type {Record<string, () => void>} */
    const sums = { "x[:, :1000] over rows": () => npx.scope(() => void half.sum(0)) };
    for (const [shape, axes] of cases) {
      const x = np.random.uniform(-1, 1, shape);
      sums[`(${shape.join(", ")}) over ${axes.join(", ")}`] = () => npx.scope(() => void x.sum(axes));
    }
    const { all, ...others } = interleave({ all: () => npx.scope(() => void whole.sum()), ...sums }, { seconds: 5 });
    return Object.entries(others).map(([what, time]) => ({
      what,
      ours: duration(time),
      other: `all ${duration(all)}`,
      ...ratio(time, all),
    }));
  },
};

/** @type {import("./report.mjs").Row} */
export const W12 = {
  title: "softmax and layer norm of 1024 × 1024 float32, forward and backward",
  how: "inside npx.scope; the first is 0.1·log(softmax(x)).sum() + (layerNorm(x)·w).sum(), with the gradient of x",
  run() {
    const x = np.random.uniform(-1, 1, [1024, 1024]).attachGrad();
    const w = np.random.uniform(-1, 1, [1024, 1024]);
    const gain = np.ones(1024).attachGrad();
    const bias = np.zeros(1024).attachGrad();
    /** @param {() => import("nabla").NDArray} f */
    const both = f => () => npx.scope(() => autograd.record(f).backward());
    const times = interleave(
      {
        "both, with log": both(() => np.log(npx.softmax(x, 1)).sum().mul(0.1).add(npx.layerNorm(x).mul(w).sum())),
        softmax: both(() => npx.softmax(x).mul(w).sum()),
        logSoftmax: both(() => npx.logSoftmax(x).mul(w).sum()),
        "layerNorm with gain and bias": both(() => npx.layerNorm(x, gain, bias).mul(w).sum()),
        "softmax alone, forward": () => npx.scope(() => void npx.softmax(x)),
        "layerNorm alone, forward": () => npx.scope(() => void npx.layerNorm(x)),
        "var over columns, forward": () => npx.scope(() => void x.var(1)),
      },
      { seconds: 6 },
    );
    return Object.entries(times).map(([what, time]) => ({ what, ours: duration(time) }));
  },
};
