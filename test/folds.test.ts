/**
 * Folds over axes of every size and layout: against plain loops, and with the same bits however the elements lie; and
 * what is made of them in one kernel, against the same composed of operators.
 */
import { autograd, grad, type NDArray, np, npx } from "nabla";
import { describe, expect, test } from "vitest";
import { randomNumbers } from "./support/sampling.ts";

type Shape = readonly number[];

const sizeOf = (shape: Shape): number => shape.reduce((n, size) => n * size, 1);

/** Numbers between -4 and 4 in a shape, which float32 holds; whole ones between -500 and 500. */
function drawn(shape: Shape, dtype: "float32" | "float64" | "int32" | "bool" = "float64", seed = 1): NDArray {
  const next = randomNumbers(seed);
  const values = Float64Array.from({ length: sizeOf(shape) }, () => {
    const u = 2 * next() - 1;
    return dtype === "bool" ? Number(u > 0) : dtype === "int32" ? Math.round(500 * u) : Math.fround(4 * u);
  });
  return np
    .array(values)
    .reshape([...shape])
    .astype(dtype);
}

const bitsOf = (x: NDArray): string => {
  const data = x.toTypedArray();
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64");
};

/** The elements of x summed over axes in doubles, and the sums of their absolute values. */
function plainSums(x: NDArray, axes: readonly number[]): [number[], number[]] {
  const kept = x.shape.filter((_, axis) => !axes.includes(axis));
  const sums = new Array<number>(sizeOf(kept)).fill(0);
  const sizes = sums.slice();
  Array.from(x.toTypedArray(), Number).forEach((v, i) => {
    let rest = i;
    let at = 0;
    let step = 1;
    for (let axis = x.ndim - 1; axis >= 0; axis--) {
      const k = rest % x.shape[axis]!;
      rest = Math.floor(rest / x.shape[axis]!);
      if (axes.includes(axis)) continue;
      at += k * step;
      step *= x.shape[axis]!;
    }
    sums[at]! += v;
    sizes[at]! += Math.abs(v);
  });
  return [sums, sizes];
}

/** The same array with other strides: transposed, every second element, backwards, an inner part. */
function layouts(x: NDArray): NDArray[] {
  const backwards = np.slice(null, null, -1);
  const turned = x.transpose().copy().transpose();
  const gaps = np.zeros([...x.shape, 2], { dtype: x.dtype });
  const seen = gaps.at(...x.shape.map(() => np.slice()), 0);
  seen.set(x);
  const reversed = x.at(...x.shape.map(() => backwards)).copy();
  const padded = np.pad(
    x,
    x.shape.map(() => [1, 2]),
  );
  return [turned, seen, reversed.at(...x.shape.map(() => backwards)), padded.at(...x.shape.map(n => np.slice(1, 1 + n)))];
}

const CASES: readonly [Shape, readonly (readonly number[])[]][] = [
  [[5], [[0]]],
  [[20_001], [[0]]],
  [
    [4, 5],
    [[0], [1], [0, 1]],
  ],
  [
    [9001, 3],
    [[0], [1], [0, 1]],
  ],
  [
    [3, 9001],
    [[0], [1]],
  ],
  [
    [4100, 8],
    [[0], [1]],
  ],
  [
    [300, 70],
    [[0], [1]],
  ],
  [
    [2000, 17],
    [[0], [1]],
  ],
  [
    [700, 2, 13],
    [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]],
  ],
  [
    [3, 40, 1, 50, 4],
    [[1], [0, 3], [0, 4], [1, 4], [0, 1, 3], [2]],
  ],
  [
    [2, 5000, 2],
    [[1], [0, 2], [2]],
  ],
  [
    [1, 30_000],
    [[0], [1]],
  ],
];

describe("sums over axes", () => {
  test.each(CASES)("of %j", (shape, many) => {
    for (const dtype of ["float32", "float64", "int32", "bool"] as const) {
      const x = drawn(shape, dtype);
      const [first, ...views] = [x, ...layouts(x)];
      for (const axes of many) {
        const sum = first!.sum(axes);
        const [sums, sizes] = plainSums(x, axes);
        expect(sum.shape).toEqual(shape.filter((_, axis) => !axes.includes(axis)));
        const unit = dtype === "float32" ? 2 ** -24 : dtype === "float64" ? 2 ** -53 : 0;
        Array.from(sum.toTypedArray()).forEach((v, i) => {
          if (Math.abs(v - sums[i]!) > 64 * unit * sizes[i]!) expect([dtype, axes, i, v]).toEqual([dtype, axes, i, sums[i]]);
        });
        for (const view of views) expect(bitsOf(view.sum(axes)), `${dtype} over ${axes}`).toBe(bitsOf(sum));
      }
    }
  });

  test("of a broadcast view and of what it shows, and extremes with NaN", () => {
    const row = drawn([200]);
    for (const shape of [
      [300, 200],
      [20, 300, 200],
    ]) {
      const view = np.broadcastTo(row, shape);
      for (const axes of shape.map((_, axis) => axis)) {
        expect(bitsOf(view.sum(axes))).toBe(bitsOf(view.copy().sum(axes)));
        expect(bitsOf(view.mean(axes))).toBe(bitsOf(view.copy().mean(axes)));
      }
    }
    for (const shape of [
      [30_000, 3],
      [3, 30_000],
      [300, 100],
    ])
      for (const axis of [0, 1]) {
        const x = drawn(shape);
        x.set(Number.NaN, 1, 2);
        const most = x.max(axis).toTypedArray();
        const lines = axis === 0 ? x.transpose() : x;
        Array.from(most).forEach((v, i) => {
          if (i === (axis === 0 ? 2 : 1)) expect(v).toBeNaN();
          else if (i % 97 === 0) expect(v).toBe(Math.max(...(lines.at(i).tolist() as number[])));
        });
      }
  });
});

// ---------------------------------------------------------------- gradients of broadcast operands

/** Shapes of an operand that is broadcast to (…) of each size, below and above where one kernel does it all. */
const BROADCASTS: readonly [Shape, Shape][] = [
  [[6, 5], [5]],
  [
    [6, 5],
    [6, 1],
  ],
  [[300, 70], [70]],
  [
    [300, 70],
    [300, 1],
  ],
  [[300, 70], []],
  [[9001, 3], [3]],
  [
    [9001, 3],
    [9001, 1],
  ],
  [
    [4, 6, 30, 40],
    [1, 6, 1, 1],
  ],
  [
    [4, 6, 30, 40],
    [30, 1],
  ],
  [[1, 30_000], [1]],
];

const ROWS: readonly [string, (x: NDArray, w: NDArray) => NDArray][] = [
  ["add", (x, w) => np.add(x, w)],
  ["multiply", (x, w) => np.multiply(x, w)],
  ["divide", (x, w) => np.divide(x, w)],
  ["arctan2", (x, w) => np.arctan2(w, x)],
  ["maximum", (x, w) => np.maximum(x, w)],
  ["where", (x, w) => np.where(x.gt(0), w, x)],
  ["power", (x, w) => np.power(np.abs(x).add(0.5), w)],
];

describe("the gradient of a broadcast operand", () => {
  test.each(BROADCASTS)("%j and %j: the bits of the rule's product, summed", (shape, small) => {
    for (const dtype of ["float32", "float64"] as const) {
      const whole = drawn(shape, dtype);
      const g = drawn(shape, dtype, 2);
      const w = drawn(small, dtype, 3).add(9).attachGrad();
      for (const x of [whole, layouts(whole)[dtype === "float32" ? 0 : 1]!])
        for (const [name, f] of ROWS) {
          autograd.record(() => f(x, w)).backward(g);
          const recorded = autograd.record(() => autograd.grad(f(x, w), w, { headGrads: g, createGraph: true }));
          expect(w.grad!.shape).toEqual(small);
          expect(bitsOf(w.grad!), `${name}, ${dtype}`).toBe(bitsOf(recorded));
        }
    }
  });

  test("of a sum, whose cotangent is one element", () => {
    const x = drawn([300, 70]);
    const w = drawn([70], "float64", 3).attachGrad();
    autograd.record(() => x.mul(w).sum()).backward();
    const [sums] = plainSums(x, [0]);
    w.grad!.toTypedArray().forEach((v, i) => void expect(v).toBeCloseTo(sums[i]!, 9));
  });

  test("of order 2", () => {
    const x = drawn([300, 70]);
    const w = drawn([70], "float64", 3);
    const second = grad((v: NDArray) => grad((u: NDArray) => x.mul(u).pow(3).sum())(v).sum())(w);
    const [cubes] = plainSums(x.pow(3), [0]);
    const at = w.toTypedArray();
    second.toTypedArray().forEach((v, i) => void expect(v).toBeCloseTo(6 * at[i]! * cubes[i]!, 6));
  });

  test("a zero cotangent is exactly 0, also where the slope is infinite; a NaN stays one", () => {
    for (const m of [3, 3000]) {
      const x = np.ones([m, 10]);
      x.set(Number.POSITIVE_INFINITY, 1, 2);
      x.set(Number.NaN, 2, 3);
      const g = np.ones([m, 10]);
      const w = np.ones(10).attachGrad();
      autograd.record(() => x.mul(w)).backward(g);
      const all = (w.grad!.tolist() as number[]).slice();
      expect(all.map(String)).toEqual(all.map((_, i) => String([m, m, Number.POSITIVE_INFINITY, Number.NaN][i] ?? m)));
      g.set(0, 1);
      g.set(0, 2);
      autograd.record(() => x.mul(w)).backward(g);
      expect(w.grad!.tolist()).toEqual(new Array(10).fill(m - 2));
    }
  });
});

// ---------------------------------------------------------------- softmax and its kin

const PLAIN: Record<string, [(x: NDArray, axis: number) => NDArray, (x: NDArray, axis: number) => NDArray]> = {
  softmax: [
    (x, axis) => npx.softmax(x, axis),
    (x, axis) => {
      const e = np.exp(x.sub(x.max(axis, { keepdims: true }).detach()));
      return e.div(e.sum(axis, { keepdims: true }));
    },
  ],
  logSoftmax: [(x, axis) => npx.logSoftmax(x, axis), (x, axis) => x.sub(np.log(np.exp(x).sum(axis, { keepdims: true })))],
  layerNorm: [
    (x, axis) => npx.layerNorm(x, null, null, { axis, eps: 0.01 }),
    (x, axis) => {
      const d = x.sub(x.mean(axis, { keepdims: true }));
      return d.div(np.sqrt(d.mul(d).mean(axis, { keepdims: true }).add(0.01)));
    },
  ],
  var: [
    (x, axis) => x.var(axis),
    (x, axis) => {
      const d = x.sub(x.mean(axis, { keepdims: true }));
      return d.mul(d).mean(axis);
    },
  ],
  logsumexp: [(x, axis) => np.logsumexp(x, axis), (x, axis) => np.log(np.exp(x).sum(axis))],
};

const ALONG: readonly [Shape, number][] = [
  [[4, 6], 1],
  [[300, 70], 1],
  [[300, 70], 0],
  [[6000, 3], 1],
  [[70, 40, 8], 2],
  [[20, 30, 40], 1],
  [[20_000, 1], 1],
];

function expectClose(x: NDArray, y: NDArray, what: string): void {
  expect(x.shape).toEqual(y.shape);
  const off = np.abs(x.sub(y)).max().item();
  const scale = np.abs(y).max().item();
  expect(off, what).toBeLessThanOrEqual(1e-12 * (1 + scale));
}

describe.each(Object.entries(PLAIN))("%s", (name, [ours, plain]) => {
  test.each(ALONG)("of %j along %j: values, gradients, gradients of gradients, as composed", (shape, axis) => {
    const given = drawn(shape);
    for (const x of [given, layouts(given)[0]!]) {
      const y = ours(x, axis);
      expectClose(y, plain(x, axis), "value");
      const g = drawn(y.shape, "float64", 2);
      const h = drawn(shape, "float64", 4);
      const slope = (f: typeof ours) => grad((v: NDArray) => f(v, axis).mul(g).sum());
      expectClose(slope(ours)(x), slope(plain)(x), "gradient");
      const second = (f: typeof ours): NDArray => grad((v: NDArray) => slope(f)(v).mul(h).sum())(x);
      expectClose(second(ours), second(plain), "gradient of the gradient");
    }
  });

  test("rows without a cotangent get none, even with NaN in them", () => {
    if (name === "var" || name === "logsumexp") return;
    for (const shape of [
      [4, 6],
      [4, 5000],
      [6000, 3],
    ]) {
      const x = drawn(shape);
      x.set(Number.NaN, 1, 1);
      const g = drawn(shape, "float64", 2);
      g.set(0, 1);
      x.attachGrad();
      autograd.record(() => ours(x, 1)).backward(g);
      const row = (i: number): number[] => x.grad!.at(i).tolist() as number[];
      expect(row(1).every(v => v === 0)).toBe(true);
      expect(row(0).some(v => v !== 0)).toBe(true);
      expect(row(2).some(Number.isNaN)).toBe(false);
    }
  });
});
