/**
 * The walk under strain: graphs whose parts share memory, heads and buffers of every kind, branches not taken, long
 * chains. Gradients are compared with differences.
 */
import { autograd, GradError, grad, type NDArray, np, npx } from "nabla";
import { describe, expect, test } from "vitest";
import { memoryOf } from "../src/array.ts";
import { address } from "../src/backend/wasm/heap.ts";
import { checkDerivatives } from "./support/derivatives.ts";
import { arrayWithin, randomNumbers, valuesOf } from "./support/sampling.ts";

const f64 = (values: number[]): NDArray => np.array(Float64Array.from(values));
const list = (x: NDArray | null): unknown => (x === null ? null : x.tolist());
const next = randomNumbers(99);
const numbers = (shape: readonly number[]): NDArray => arrayWithin(shape, [0.4, 2], next);
const { record } = autograd;

/** Order 1 and 2 of a function of float64 arrays against differences. */
const expectRight = (f: (...xs: NDArray[]) => NDArray, ...xs: NDArray[]): void => expect(checkDerivatives(f, xs, 2, next)).toBe("");

describe("cotangents that share memory", () => {
  test("x + x", () => {
    const x = np.array([1, 2, 3]).attachGrad();
    record(() => x.add(x)).backward(np.array([1, 10, 100]));
    expect(list(x.grad)).toEqual([2, 20, 200]);
    expectRight(v => v.add(v), numbers([4]));
  });
  test("x.T + x", () => {
    const x = np
      .array([
        [1, 2],
        [3, 4],
      ])
      .attachGrad();
    record(() => x.T.add(x)).backward([
      [1, 10],
      [100, 1000],
    ]);
    expect(list(x.grad)).toEqual([
      [2, 110],
      [110, 2000],
    ]);
    expectRight(v => v.T.add(v).mul(v), numbers([3, 3]));
    expectRight(v => v.add(v.T), numbers([3, 3]));
    expectRight(v => v.add(v.T).add(v), numbers([3, 3]));
  });
  test("[x, x] concatenated", () => {
    expectRight(v => np.concatenate([v, v]), numbers([3]));
    expectRight(v => np.concatenate([v, v.mul(v), v], 1), numbers([2, 3]));
    expectRight(v => np.stack([v, v], 1).mul(np.stack([v, v.at("::-1")], 1)), numbers([3]));
  });
  test("sums that pass one cotangent to many", () => {
    expectRight(v => v.add(v).add(v).add(v), numbers([3]));
    expectRight(v => v.sub(v).add(v), numbers([3]));
    expectRight((v, w) => v.add(w).sub(w.add(v)).add(v), numbers([3]), numbers([3]));
    expectRight(v => np.positive(v).add(np.positive(v)), numbers([3]));
    expectRight(v => v.reshape(2, 3).T.add(v.reshape(3, 2)), numbers([6]));
    expectRight(v => v.at("::-1").add(v).add(v.at(0)), numbers([3]));
    expectRight(v => np.broadcastTo(v, [2, 3]).add(v), numbers([3]));
    expectRight(v => v.sum().add(v.sum()).add(v), numbers([3]));
  });
  test("x * x * x, and diamonds", () => {
    expectRight(v => v.mul(v).mul(v), numbers([3]));
    const x = np.array([1, 2]).attachGrad();
    record(() => {
      const y = x.mul(x);
      return y.mul(y).add(y);
    }).backward();
    expect(list(x.grad)).toEqual([6, 36]);
    expectRight(
      v => {
        const a = v.exp();
        const b = a.mul(v);
        const c = a.add(b);
        return b.mul(c).add(a.mul(c)).add(c);
      },
      numbers([2, 2]),
    );
    // Many paths: 2 to the power of 12 of them.
    const y = np.array([1.0]).attachGrad();
    record(() => {
      let z: NDArray = y;
      for (let i = 0; i < 12; i++) z = z.add(z);
      return z;
    }).backward();
    expect(list(y.grad)).toEqual([4096]);
  });
  test("large ones, in pieces and with views", () => {
    const n = 70000;
    const x = np.ones(n).attachGrad();
    record(() => x.add(x).add(x.at("::-1")).add(x.mul(3))).backward();
    expect(valuesOf(x.grad!).every(v => v === 6)).toBe(true);
    const w = np.ones([300, 300]).attachGrad();
    record(() => w.T.add(w).add(w)).backward();
    expect(valuesOf(w.grad!).every(v => v === 3)).toBe(true);
  });

  class Keeps extends autograd.Function {
    static kept: NDArray[] = [];
    forward(x: NDArray): NDArray {
      return x.mul(2);
    }
    backward(dy: NDArray): NDArray {
      Keeps.kept.push(dy);
      return dy;
    }
  }
  test("a Function that keeps its cotangent and hands it on", () => {
    Keeps.kept = [];
    const x = np.array([1, 2, 3]).attachGrad();
    record(() => {
      const y = new Keeps().apply(x);
      return y.add(y).add(x).add(x);
    }).backward(np.array([1, 2, 3]));
    expect(list(x.grad)).toEqual([4, 8, 12]);
    expect(list(Keeps.kept[0]!)).toEqual([2, 4, 6]);
    // What it kept is not written over by the next backward, nor by later results.
    const kept = Keeps.kept[0]!;
    record(() => new Keeps().apply(x.mul(5)).mul(x)).backward();
    for (let i = 0; i < 50; i++) x.mul(i);
    expect(list(kept)).toEqual([2, 4, 6]);
  });
  test("a Function that gives what it saved", () => {
    class Gives extends autograd.Function {
      forward(x: NDArray): NDArray {
        this.saveForBackward(x);
        return x.sum();
      }
      backward(): NDArray {
        return this.savedTensors[0]!;
      }
    }
    const x = np.array([1, 2, 3]).attachGrad();
    const g = autograd.grad(
      record(() => new Gives().apply(x)),
      x,
    );
    g.imul(100);
    expect(list(x)).toEqual([1, 2, 3]);
    expect(list(g)).toEqual([100, 200, 300]);
    x.imul(7);
    expect(list(g)).toEqual([100, 200, 300]);
    record(() => new Gives().apply(x).add(x.sum())).backward();
    expect(list(x.grad)).toEqual([8, 15, 22]);
    expect(list(x)).toEqual([7, 14, 21]);
  });
  test("results of autograd.grad share memory with nothing", () => {
    const x = np.array([1, 2, 3]).attachGrad();
    const z = np.array([1, 1, 1]).attachGrad();
    const seed = np.array([1, 1, 1]);
    for (const f of [() => x.add(z), () => x.add(z).reshape(3), () => np.positive(x.add(z))]) {
      const [a, b] = autograd.grad(record(f), [x, z], { headGrads: seed }) as [NDArray, NDArray];
      a.iadd(10);
      expect(list(b)).toEqual([1, 1, 1]);
      expect(list(seed)).toEqual([1, 1, 1]);
      b.iadd(5);
      expect(list(a)).toEqual([11, 11, 11]);
    }
    const [p, q] = autograd.grad(
      record(() => x.mul(2)),
      [x, x],
    ) as [NDArray, NDArray];
    p.iadd(1);
    expect(list(q)).toEqual([2, 2, 2]);
    const own = autograd.grad(x, x, { headGrads: seed });
    own.iadd(1);
    expect(list(seed)).toEqual([1, 1, 1]);
  });
  test("a seed stays as it was, and may be written afterwards", () => {
    const x = np.array([1, 2, 3]).attachGrad();
    const seed = np.array([1, 2, 3]);
    record(() => x.add(x).add(x)).backward(seed);
    expect(list(seed)).toEqual([1, 2, 3]);
    seed.imul(0);
    expect(list(x.grad)).toEqual([3, 6, 9]);
    x.backward(seed);
    seed.iadd(1);
    expect(list(x.grad)).toEqual([0, 0, 0]);
    record(() => x.mul(1)).backward(x.grad);
    expect(list(x.grad)).toEqual([0, 0, 0]);
  });
});

describe("heads", () => {
  test("a leaf is its own head", () => {
    const x = np.array([1, 2]).attachGrad();
    x.backward();
    expect(list(x.grad)).toEqual([1, 1]);
    x.backward([5, 7]);
    expect(list(x.grad)).toEqual([5, 7]);
    expect(x.gradIsFresh).toBe(true);
  });
  test("the same head twice adds", () => {
    const x = np.array([1, 2]).attachGrad();
    const y = record(() => x.mul(x));
    autograd.backward([y, y]);
    expect(list(x.grad)).toEqual([4, 8]);
    const z = record(() => x.mul(x));
    autograd.backward([z, z], [np.array([1, 0]), np.array([0, 10])]);
    expect(list(x.grad)).toEqual([2, 40]);
    autograd.backward([x, x, x]);
    expect(list(x.grad)).toEqual([3, 3]);
  });
  test("a head upstream of another", () => {
    const x = np.array([3]).attachGrad();
    const [y, z] = record(() => {
      const a = x.mul(x);
      return [a, a.mul(2)];
    }) as [NDArray, NDArray];
    autograd.backward([z, y, x], [null, np.array([10]), null]);
    expect(list(x.grad)).toEqual([6 * 2 + 60 + 1]);
  });
  test("heads of different shapes and dtypes", () => {
    const x = np.array([1, 2, 3]).attachGrad();
    const [a, b, c] = record(() => [x.sum(), x.mul(2), x.astype("float64").mul(3)]) as [NDArray, NDArray, NDArray];
    autograd.backward([a, b, c], [np.array(2), null, f64([1, 1, 2])]);
    expect(list(x.grad)).toEqual([2 + 2 + 3, 7, 2 + 2 + 6]);
    expect(x.grad!.dtype).toBe("float32");
  });
  test("a failed backward changes nothing", () => {
    const x = np.array([1, 2]).attachGrad();
    record(() => x.mul(3)).backward();
    const y = record(() => x.mul(5));
    expect(() => autograd.backward([y, np.array([1, 2])])).toThrow(GradError);
    expect(() => autograd.backward([y, y], [np.array([1, 2])])).toThrow(GradError);
    expect(() => y.backward([1, 2, 3])).toThrow(/shape/);
    expect(() => y.backward(2)).toThrow(/0-d/);
    expect(list(x.grad)).toEqual([3, 3]);
    y.backward();
    expect(list(x.grad)).toEqual([5, 5]);
  });
  test("a rule that throws leaves flags, buffers and cotangents clean", () => {
    class Throws extends autograd.Function {
      static broken = true;
      forward(x: NDArray): NDArray {
        return x.mul(2);
      }
      backward(dy: NDArray): NDArray {
        if (Throws.broken) throw new RangeError("on purpose");
        return dy.mul(2);
      }
    }
    const x = np.array([1, 2]).attachGrad();
    const w = np.array([1, 2]).attachGrad();
    const y = record(() => new Throws().apply(x.mul(1)).add(w.mul(3)));
    expect(() => y.backward()).toThrow(RangeError);
    expect([autograd.isRecording(), autograd.isTraining()]).toEqual([false, false]);
    expect([list(x.grad), list(w.grad)]).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect([x.gradIsFresh, w.gradIsFresh]).toEqual([false, false]);
    Throws.broken = false;
    y.backward();
    expect([list(x.grad), list(w.grad)]).toEqual([
      [2, 2],
      [3, 3],
    ]);
  });
});

describe("requests and buffers", () => {
  test("the buffer is the same array and memory throughout", () => {
    const x = np.array([1, 2, 3]).attachGrad();
    const g = x.grad!;
    const { block } = g.storage;
    const at = address(block);
    for (let i = 1; i < 5; i++) {
      record(() => x.mul(i).mul(x)).backward();
      expect(x.grad).toBe(g);
      expect(list(g)).toEqual([2 * i, 4 * i, 6 * i]);
    }
    x.zeroGrad();
    expect(x.grad).toBe(g);
    expect(g.storage.block).toBe(block);
    if (address(block) === at) expect(memoryOf(g.code)[at / 4]).toBe(0);
    x.isub(np.array([1, 1, 1]));
    expect(x.grad).toBe(g);
    x.attachGrad();
    expect(x.grad === g).toBe(false);
  });
  test("write, add, null", () => {
    const a = np.array([1, 2]).attachGrad("write");
    const b = np.array([1, 2]).attachGrad("add");
    const c = np.array([1, 2]).attachGrad("null");
    for (let i = 1; i <= 3; i++) record(() => a.mul(2).add(b.mul(3)).add(c.mul(5))).backward();
    expect([list(a.grad), list(b.grad), c.grad]).toEqual([[2, 2], [9, 9], null]);
    b.grad!.set(0);
    record(() => b.mul(b).add(b)).backward();
    expect(list(b.grad)).toEqual([3, 5]);
    expect(() => record(() => c.mul(2)).backward()).toThrow(/require gradients/);
  });
  test("add into a buffer that a graph reads", () => {
    const x = np.array([1, 2]).attachGrad("add");
    record(() => x.mul(2)).backward();
    const y = record(() => x.mul(x.grad!));
    y.backward(null, { retainGraph: true });
    expect(list(x.grad)).toEqual([4, 4]);
    y.backward();
    // The graph keeps the 2 it saw.
    expect(list(x.grad)).toEqual([6, 6]);
  });
  test("what a backward does not reach stays", () => {
    const x = np.array([1, 2]).attachGrad();
    const y = np.array([3, 4]).attachGrad();
    record(() => x.mul(y)).backward();
    y.gradIsFresh = false;
    record(() => x.mul(2)).backward();
    expect([list(x.grad), list(y.grad), y.gradIsFresh]).toEqual([[2, 2], [1, 2], false]);
  });
  test("retainGraph twice, then not", () => {
    const x = np.array([1, 2, 3]).attachGrad("add");
    const y = record(() => {
      const z = x.mul(x);
      return z.mul(z).sum();
    });
    y.backward(null, { retainGraph: true });
    const once = valuesOf(x.grad!);
    expect(once).toEqual([4, 32, 108]);
    y.backward(null, { retainGraph: true });
    expect(valuesOf(x.grad!)).toEqual(once.map(v => 2 * v));
    y.backward();
    expect(valuesOf(x.grad!)).toEqual(once.map(v => 3 * v));
    expect(() => y.backward()).toThrow(/freed/);
    expect(valuesOf(x.grad!)).toEqual(once.map(v => 3 * v));
  });
  test("two losses that share a part", () => {
    const x = np.array([1, 2]).attachGrad();
    const [a, b] = record(() => {
      const y = x.mul(x);
      return [y.mul(2), y.mul(3)];
    }) as [NDArray, NDArray];
    a.backward();
    expect(() => b.backward()).toThrow(/freed/);
    expect(list(x.grad)).toEqual([4, 8]);
  });
  test("a kept intermediate", () => {
    const x = np.array([1, 2, 3, 4]).attachGrad();
    const y = np.array([5, 6, 7, 8]).attachGrad();
    const [u, z] = record(() => {
      const a = x.mul(y);
      return [a, a.mul(x)];
    }) as [NDArray, NDArray];
    u.retainGrad();
    z.retainGrad();
    z.backward(np.full(4, 10), { retainGraph: true });
    expect(list(u.grad)).toEqual([10, 20, 30, 40]);
    expect(list(z.grad)).toEqual([10, 10, 10, 10]);
    expect(list(x.grad)).toEqual([100, 240, 420, 640]);
    expect(list(y.grad)).toEqual([10, 40, 90, 160]);
    for (const v of [u, z, y]) v.dropGrad();
    z.backward(np.full(4, 0.5));
    expect([u.grad, z.grad, y.grad]).toEqual([null, null, null]);
    expect(list(x.grad)).toEqual([5, 12, 21, 32]);
  });
  test("buffers of the caller's, also with gaps", () => {
    const x = np.array([
      [1, 2],
      [3, 4],
    ]);
    const wide = np.full([2, 4], 7);
    autograd.markVariables(x, wide.at(":", "::2"));
    record(() => x.mul(x)).backward();
    expect(list(wide)).toEqual([
      [2, 7, 4, 7],
      [6, 7, 8, 7],
    ]);
    const y = np.array([1, 2]);
    const sum = np.array([10, 20, 30]);
    autograd.markVariables([y], [sum.at("1:")], "add");
    record(() => y.mul(3)).backward();
    expect(list(sum)).toEqual([10, 23, 33]);
  });
});

describe("zero slopes and branches", () => {
  test.each<[string, (x: NDArray) => NDArray]>([
    ["sqrt", x => x.sqrt()],
    ["sqrt of sqrt", x => x.sqrt().sqrt()],
    ["log", x => x.log()],
    ["reciprocal", x => x.reciprocal()],
    ["a quotient", x => x.add(1).div(x)],
    ["a power", x => x.pow(0.3)],
    ["x to the x", x => x.log().mul(x).exp()],
    ["log of sqrt", x => x.sqrt().log().mul(x.sqrt())],
  ])("the branch not taken gives exactly 0 in each of five orders: %s", (_, f) => {
    const x = f64([-1, 0, Number.NEGATIVE_INFINITY, 1.5]);
    const taken = np.array([false, false, false, true]);
    let branched = (v: NDArray): NDArray => np.where(taken, f(np.where(taken, v, v)), v.mul(0).at(3)).sum();
    let plain = (v: NDArray): NDArray => f(v).sum();
    for (let order = 1; order <= 5; order++) {
      const [p, q] = [branched, plain];
      const slopes = valuesOf(grad(p)(x));
      expect(slopes.slice(0, 3).map(Math.abs), `order ${order}`).toEqual([0, 0, 0]);
      expect(slopes[3]).toBeCloseTo(valuesOf(grad(q)(f64([1.5])))[0]!, 9);
      branched = v => grad(p)(v).sum();
      plain = v => grad(q)(v).sum();
    }
  });
  test.each<[string, number, number, number, (x: NDArray) => NDArray]>([
    ["(x² - 1)² at 1", 1, 3, 24, x => x.mul(x).sub(1).mul(x.mul(x).sub(1))],
    ["x·x·x·x at 0", 0, 4, 24, x => x.mul(x).mul(x).mul(x)],
    ["x² · sin x at 0", 0, 3, 6, x => np.sin(x).mul(x.mul(x))],
    ["x⁵ by factors at 0", 0, 5, 120, x => x.mul(x).mul(x).mul(x).mul(x)],
    ["a product of sums at their zero", 0.5, 3, 48, x => x.mul(2).sub(1).pow(3)],
  ])("where a cotangent is 0 as a function of x, higher orders are right: %s", (_, at, order, want, f) => {
    let g = f;
    for (let k = 0; k < order; k++) g = grad(g);
    expect(g(f64([at]).reshape([])).item()).toBeCloseTo(want, 9);
  });
  test("a zero that is reached by mathematics has its second derivative", () => {
    const f = (x: NDArray): NDArray => {
      const y = x.mul(x).sub(1);
      return y.mul(y);
    };
    expect(grad(grad(f))(1).item()).toBe(8);
    expect(grad(grad((x: NDArray) => x.pow(2).sub(1).pow(2)))(1).item()).toBe(8);
    expect(grad(grad((x: NDArray) => x.pow(1)))(0).item()).toBe(0);
    expect(grad((x: NDArray) => x.pow(0))(0).item()).toBe(0);
  });
  test("npx.stopGradient arrives as a real 0", () => {
    const x = np.array([1, 2]).attachGrad();
    x.grad!.set(7);
    record(() => npx.stopGradient(x.mul(x))).backward();
    expect([list(x.grad), x.gradIsFresh]).toEqual([[0, 0], true]);
  });
});

describe("long and wide graphs", () => {
  test("a chain of 1,000,000 operators (a tenth of them in the smallest memory)", () => {
    const x = np.array([1, 2]).attachGrad();
    const n = process.env.TORTURE === "on" ? 100_000 : 1_000_000;
    const y = record(() => {
      let z: NDArray = x;
      for (let i = 0; i < n; i++) z = z.add(1);
      return z;
    });
    y.backward();
    expect(list(x.grad)).toEqual([1, 1]);
    expect(y.item(0)).toBe(n + 1);
  }, 20_000);
  test("a chain whose gradient is recorded", () => {
    const x = f64([1]).attachGrad();
    record(() => {
      let z: NDArray = x;
      for (let i = 0; i < 2000; i++) z = z.mul(x).mul(0.5).add(0.5);
      return autograd.grad(z, x, { createGraph: true }).sum();
    }).backward();
    expect(x.grad!.toTypedArray().every(Number.isFinite)).toBe(true);
  });
  test("one variable read 10,000 times", () => {
    const x = np.array([1, 2, 3]).attachGrad();
    record(() => {
      let total = x.mul(0);
      for (let i = 0; i < 10_000; i++) total = total.add(x);
      return total;
    }).backward();
    expect(list(x.grad)).toEqual([10_000, 10_000, 10_000]);
  });
  test("a thousand arrays joined", () => {
    const x = np.array([1, 2]).attachGrad();
    record(() => np.stack(Array.from({ length: 1000 }, (_, i) => x.mul(i)))).backward();
    expect(list(x.grad)).toEqual([499500, 499500]);
  });
});

test("a recorded gradient of mixed dtypes is as accurate as one that is not", () => {
  const a = np.array([1.5, 2, 3], { dtype: "float64" });
  const b = np.array([3, 7, 11]);
  for (const f of [np.divide, np.multiply, np.power, np.arctan2, np.hypot]) {
    const [x, z] = [a.copy().attachGrad(), b.copy().attachGrad()];
    const y = autograd.record(() => f(x, z));
    const plain = autograd.grad(y, [x, z], { retainGraph: true });
    const recorded = autograd.record(() => autograd.grad(y, [x, z], { createGraph: true }));
    plain.forEach((g, i) => {
      expect(recorded[i]!.dtype).toBe(g.dtype);
      const off = np.abs(recorded[i]!.sub(g)).div(np.abs(g)).max().item();
      expect(off).toBeLessThan(i === 0 ? 1e-15 : 1e-7);
    });
  }
});

test("nodes that keep every input, and not the result", () => {
  // The shapes and dtypes of their inputs stand in the list of what is kept, which has a place for the result besides.
  const x = np.array([[2, 3, 5]]).attachGrad();
  record(() => np.prod(x, 1)).backward();
  expect(list(x.grad)).toEqual([[15, 10, 6]]);
  expectRight((a, b) => np.matmul(a, b), numbers([2, 3]), numbers([3, 2]));
  expectRight((a, b) => np.stack([np.prod(a, 0), np.prod(b, 0)]), numbers([4, 300]), numbers([2, 300]));
});

describe("a matrix that is a factor of many products", () => {
  // In every way a product is computed: strips, packed, of few rows, deeper than one sum in registers.
  test.each([
    [3, 4, 5],
    [32, 64, 96],
    [60, 300, 50],
    [120, 100, 130],
  ])("%i × %i · %i", (m, k, n) => {
    const signed = (shape: readonly number[]): NDArray => numbers(shape).sub(1.2);
    const some = (shape: readonly number[]): NDArray[] => Array.from({ length: 5 }, () => signed(shape));
    const [xs, hs, ys, gs] = [some([m, k]), some([m, n]), some([n, m]), some([k, m])];
    const w = signed([k, n]).attachGrad();
    const v = np.zeros([k, n], { dtype: "float64" }).attachGrad();
    const seed = signed([k, n]);
    // The sum sends one cotangent to both; what is added for w must not reach v.
    record(() => {
      const right = xs.map((x, i) => x.matmul(w).mul(hs[i]!).sum());
      const left = ys.map((y, i) => w.matmul(y).mul(gs[i]!).sum());
      return [...right, ...left, w.add(v).mul(seed).sum()].reduce((a, b) => a.add(b));
    }).backward();
    expect(list(v.grad)).toEqual(list(seed));
    const parts = [...xs.map((x, i) => x.T.matmul(hs[i]!)), ...ys.map((y, i) => gs[i]!.matmul(y.T))];
    const want = valuesOf(parts.reduce((a, b) => a.add(b), seed));
    valuesOf(w.grad!).forEach((g, i) => void expect(g).toBeCloseTo(want[i]!, 9));
  });
});
