/**
 * jvp, checkpoint and fuse: forward mode against the reverse one for every operator there is, functions that run twice
 * against those that run once, fused operators against what they are made of.
 */
import { autograd, checkGrad, checkpoint, GradError, grad, hvp, jvp, NablaError, type NDArray, np, npx, vjp, vmap } from "nabla";
import { describe, expect, test } from "vitest";
import { checkDerivatives, type Fn, inner, pull, randomArray, zeroCotangents } from "./support/derivatives.ts";
import { arraysFor, byName, domainOf, results, rows, sampled } from "./support/rows.ts";
import { arrayOf, arrayWithin, difference, randomNumbers, type Shape, samples, seedOf, sizeOf, valuesOf } from "./support/sampling.ts";

const next = randomNumbers(4711);
const f64 = (...values: number[]): NDArray => np.array(Float64Array.from(values));
const numbers = (shape: Shape, range: readonly [number, number] = [0.4, 2]): NDArray => arrayWithin(shape, range, next);
const attached = (...values: number[]): NDArray => f64(...values).attachGrad();
const list = (x: NDArray | null): unknown => (x === null ? null : x.tolist());
const flags = (): [boolean, boolean] => [autograd.isRecording(), autograd.isTraining()];
const { record } = autograd;

function expectClose(a: NDArray, b: NDArray, tolerance = 1e-12): void {
  expect(a.shape).toEqual(b.shape);
  expect(a.dtype).toBe(b.dtype);
  const [p, q] = [valuesOf(a), valuesOf(b)];
  p.forEach((v, i) => {
    if (!(Math.abs(v - q[i]!) <= tolerance * (1 + Math.abs(q[i]!)))) throw new Error(`element ${i} is ${v}, not ${q[i]}`);
  });
}

// ---------------------------------------------------------------- jvp

/** ⟨u, J t⟩ forwards and backwards, in the recorded and the unrecorded way; then the derivative of J t. */
function checkForward(f: Fn, xs: readonly NDArray[], order: number, random: () => number): void {
  const ts = xs.map(x => randomArray(x.shape, "float64", random));
  const [y, ty] = jvp(f, xs, ts);
  expect(difference(y.toTypedArray(), f(...xs).toTypedArray())).toBe("");
  expect([ty.shape, ty.dtype]).toEqual([y.shape, y.dtype]);
  const u = randomArray(y.shape, "float64", random);
  const gs = pull(f, xs, u, false);
  const backwards = gs.reduce((sum, g, i) => sum + inner(g, ts[i]!), 0);
  const scale = gs.reduce((sum, g, i) => sum + inner(np.abs(g), np.abs(ts[i]!)), 1e-3);
  expect(Math.abs(inner(u, ty) - backwards)).toBeLessThanOrEqual(1e-11 * scale);
  const vs = xs.map(x => np.copy(x).attachGrad());
  const recorded = record(() => jvp(f, vs, ts)[1]);
  expectClose(recorded, ty, 1e-11);
  if (order > 0) expect(checkDerivatives((...zs) => jvp(f, zs, ts)[1], xs, order, random, 1e-7)).toBe("");
}

describe("forward mode of every pointwise operator", () => {
  const differentiable = rows.filter(r => r.p.spec.grad !== null && r.name !== "stopGradient");
  test.each(byName(differentiable))("%s", (name, { fn, p }) => {
    const free = [...Array(p.arity).keys()].filter(i => !p.spec.discrete?.includes(i));
    const local = randomNumbers(seedOf(name) + 77);
    const shapes: Shape[] = [[3, 4], [4], [3, 1]];
    for (const turn of [0, 1]) {
      const all = Array.from({ length: p.arity }, (_, i) => {
        const shape = turn === 0 ? [3, 4] : shapes[i]!;
        return arrayOf(samples(sizeOf(shape), domainOf(p), i, local), shape, "float64");
      });
      const f: Fn = (...xs) => {
        const args = all.slice();
        free.forEach((i, k) => {
          args[i] = xs[k]!;
        });
        return fn(...args.map((x, i) => (p.spec.discrete?.includes(i) ? x.gt(0.5) : x)));
      };
      checkForward(
        f,
        free.map(i => all[i]!),
        turn,
        local,
      );
    }
  });
});

describe("forward mode of every other operator", () => {
  test.each(sampled)("%s", (name, { fn, list: tried }) => {
    const local = randomNumbers(seedOf(name) + 78);
    for (const sample of tried) {
      const xs = arraysFor(sample, "float64", local);
      const kinds = results(fn(...sample.args(...xs)));
      kinds.forEach((kind, k) => {
        if (kind.dtype !== "float64" || kind.size === 0) return;
        const f: Fn = (...zs) => results(fn(...sample.args(...zs)))[k]!;
        const vs = xs.map(x => np.copy(x).attachGrad());
        if (autograd.graphSize(record(() => f(...vs))) === 0) return;
        checkForward(f, xs, 0, local);
      });
    }
  });
});

describe("jvp", () => {
  const f = (x: NDArray): NDArray => np.linalg.norm(np.exp(x).mul(x.at("::-1")));
  const x = f64(0.3, 0.5, 0.7);
  const v = f64(1, 2, -1);

  test("one array, lists, and lists of plain numbers", () => {
    const product = (a: NDArray, b: NDArray): NDArray => a.mul(b);
    const square = (a: NDArray): NDArray => a.mul(a);
    expect(jvp(square, [1, 2], [1, 10]).map(list)).toEqual([
      [1, 4],
      [2, 40],
    ]);
    expect(jvp(square, [np.array([1, 2])], [np.array([1, 10])]).map(list)).toEqual([
      [1, 4],
      [2, 40],
    ]);
    expect(jvp(product, [2, 3], [1, 0]).map(list)).toEqual([6, 3]);
    expect(jvp(product, [np.array([2, 4]), 3], [[1, 1], 0]).map(list)).toEqual([
      [6, 12],
      [3, 3],
    ]);
  });
  test("what the value does not depend on has no part", () => {
    expect(jvp(() => np.ones([2]), 3, 1).map(list)).toEqual([
      [1, 1],
      [0, 0],
    ]);
    expect(list(jvp((a, _b) => a.mul(2), [1, 5], [1, 9])[1])).toBe(2);
    expect(list(jvp(a => np.sign(a), [3], [1])[1])).toEqual([0]);
    expect(() => jvp(a => np.argmax(a), [3, 4], [1, 1])).toThrow(/argmax has no derivative/);
  });
  test("is an array of its own", () => {
    const t = f64(1, 2);
    for (const same of [(a: NDArray) => a, (a: NDArray) => a.add(0), (a: NDArray) => a.reshape(2)]) {
      const ty = jvp(same, f64(3, 4), t)[1];
      ty.set(9);
      expect(t.tolist()).toEqual([1, 2]);
      expect(ty.base).toBe(null);
    }
    const a = f64(3, 4);
    expect(autograd.graphSize(jvp(z => z.mul(z), a, t)[0])).toBe(0);
    expect(autograd.graphSize(jvp(z => z.mul(z), a, t)[1])).toBe(0);
  });
  test("nests with everything, in any order", () => {
    const h = hvp(f, x, v);
    expectClose(jvp(grad(f), x, v)[1], h);
    expectClose(grad(z => jvp(f, z, v)[1])(x), h);
    expectClose(grad(z => np.dot(grad(f)(z), v))(x), h);
    const second = np.dot(h, v);
    expectClose(jvp(z => jvp(f, z, v)[1], x, v)[1], second);
    expectClose(jvp(z => np.dot(grad(f)(z), v), x, v)[1], second);
    expectClose(jvp(t => jvp(f, x, t)[1], v, v)[1], jvp(f, x, v)[1]);
    expect(checkGrad(z => jvp(y => jvp(f, y, v)[1], z, v)[1], [x], { order: 2 })).toBeLessThan(1e-6);
    expectClose(np.stack([0, 1, 2].map(i => jvp(grad(f), x, np.eye(3, { dtype: "float64" }).at(i))[1])), np.stack([...nablaHessian(f, x)]));
  });
  test("the product with a Hessian is that of the Hessian, whichever way it goes", () => {
    const functions: readonly ((z: NDArray) => NDArray)[] = [
      z => z.at("1:").sub(z.at(":-1").square()).square().sum(),
      () => np.array(3, { dtype: "float64" }),
      z => z.sum().mul(3),
      z => npx.softmax(z).mul(z).sum(),
      z => np.dot(z, z.exp()),
      z => np.linalg.norm(z.mul(z)),
      z => z.square().max().mul(z.sum()),
      z => np.matmul(z.reshape(1, -1), z.tanh().reshape(-1, 1)).sum(),
      z => grad((u: NDArray) => u.pow(3).mul(z).sum())(z).sum(),
    ];
    for (const g of functions) {
      const h = np.dot(np.stack([...nablaHessian(g, x)]), v);
      expectClose(hvp(g, x, v), h);
      expectClose(vmap((w: NDArray) => hvp(g, x, w))(np.stack([v, v])), np.stack([h, h]));
      expectClose(vmap((z: NDArray) => hvp(g, z, v))(np.stack([x, x])), np.stack([h, h]));
      expectClose(grad(z => np.dot(hvp(g, z, v), v))(x), grad(z => jvp(u => np.dot(grad(g)(u), v), z, v)[1])(x));
    }
  });
  test("tangents that are recorded", () => {
    const t = attached(1, 2, -1);
    record(() => jvp(f, x, t)[1]).backward();
    expectClose(t.grad!, grad(f)(x));
  });
  test("variables of an outer derivative stay constants of an inner one", () => {
    // d/da of a·(d/db of a·b) is 2a, whatever the names of the tangents.
    const g = (a: NDArray): NDArray => a.mul(jvp(b => a.mul(b), 1, 1)[1]);
    expect(list(jvp(g, 3, 1)[1])).toBe(6);
    expect(list(grad(g)(3))).toBe(6);
  });
  test("within a walk, over nodes of that walk", () => {
    const inside = (z: NDArray): NDArray => z.mul(z).mul(z);
    class Weighted extends autograd.Function {
      forward(z: NDArray): NDArray {
        this.saveForBackward(z);
        return inside(z);
      }
      backward(dz: NDArray): NDArray {
        const [z] = this.savedTensors;
        return jvp(inside, z!, dz)[1];
      }
    }
    const z = attached(1, 2);
    const once = record(() => new Weighted().apply(z.mul(z)));
    once.backward();
    expect(list(z.grad)).toEqual([6, 6 * 32]);
    // And its rule by the general way, of order 2.
    const w = (a: NDArray): NDArray => new Weighted().apply(a).sum();
    expectClose(jvp(w, f64(2, 3), f64(1, 1))[1], np.array(39, { dtype: "float64" }));
    expect(checkGrad(a => jvp(w, a, f64(1, 2))[1], [f64(2, 3)], { order: 1 })).toBeLessThan(1e-8);
  });
  test("leaves an outer graph and its flags alone", () => {
    const a = attached(2, 3);
    const y = record(() => a.mul(a));
    expect(list(jvp(b => b.mul(y), [1, 1], [1, 2])[1])).toEqual([4, 18]);
    y.backward();
    expect(list(a.grad)).toEqual([4, 6]);
    expect(flags()).toEqual([false, false]);
  });
  test("writes in place, branches not taken, dtypes", () => {
    const write = (a: NDArray): NDArray => {
      const c = np.exp(a);
      c.set(a.at(1), 0);
      c.imul(2);
      return c;
    };
    checkForward(write, [f64(1, 2, 3)], 1, next);
    expect(list(jvp(a => np.where(a.gt(0), np.sqrt(a), 0), [4, 0, -1], [1, 1, 1])[1])).toEqual([0.25, 0, 0]);
    const [y, ty] = jvp((a, b) => a.mul(b), [np.array([1, 2]), f64(3, 4)], [f64(1, 1), [1, 1]]);
    expect([y.dtype, ty.dtype, list(ty)]).toEqual(["float64", "float64", [4, 6]]);
    expect(jvp(a => a.astype("float64").sum(), [1, 2], [1, 1])[1].dtype).toBe("float64");
  });
  test("a backward that is not written in operators of its cotangent is refused", () => {
    class Blind extends autograd.Function {
      forward(a: NDArray): NDArray {
        return a.mul(2);
      }
      backward(dy: NDArray): NDArray {
        return np.array((dy.tolist() as number[]).map(d => 2 * d));
      }
    }
    expect(() => jvp(a => new Blind().apply(a), [1, 2], [1, 1])).toThrow(/Blind.*write its backward/s);
  });
  test("errors say what is wrong", () => {
    expect(() => jvp(a => a, [1, 2], [1, 2, 3])).toThrow("jvp: the tangent has shape (3,), its argument (2,); they must be equal");
    expect(() => jvp((a, b) => a.add(b), [1, 2], 1)).toThrow(/a list of 2 arguments, but 1 as tangents/);
    expect(() => jvp(a => a, np.array([1], { dtype: "int32" }), [1])).toThrow(/int32, which has no derivative/);
    expect(() => jvp(() => 3 as unknown as NDArray, [1], [1])).toThrow(GradError);
    const failing = (): NDArray => {
      throw new RangeError("mine");
    };
    expect(() => jvp(failing, [1], [1])).toThrow(RangeError);
    expect(flags()).toEqual([false, false]);
  });
  test("under vmap", () => {
    const xs = numbers([4, 3]);
    const vs = numbers([4, 3]);
    const each = np.stack([0, 1, 2, 3].map(i => jvp(f, xs.at(i), vs.at(i))[1]));
    expectClose(vmap((a: NDArray, b: NDArray) => jvp(f, a, b)[1])(xs, vs), each);
    expectClose(vmap((b: NDArray) => jvp(f, x, b)[1])(vs), np.stack([0, 1, 2, 3].map(i => jvp(f, x, vs.at(i))[1])));
    expectClose(jvp(vmap(f), xs, vs)[1], each);
  });
});

function* nablaHessian(f: Fn, x: NDArray): Generator<NDArray> {
  for (let i = 0; i < x.size; i++) yield grad(z => grad(f)(z).at(i))(x);
}

// ---------------------------------------------------------------- checkpoint

describe("checkpoint", () => {
  const w = attached(1.5, 2, 3);
  const layer = (x: NDArray): NDArray => np.tanh(x.mul(w)).add(x);
  const kept = checkpoint(layer);
  const point = (): NDArray => attached(0.3, 0.5, 0.7);

  /** The gradients of x and w for a loss made of two layers. */
  function gradients(one: typeof layer, two: typeof layer): NDArray[] {
    const x = point();
    w.zeroGrad();
    record(() => two(one(x)).sum()).backward();
    return [x.grad!.copy(), w.grad!.copy()];
  }

  test("has f's value and f's gradients, of captured arrays too", () => {
    expect(list(kept(point()))).toEqual(list(layer(point())));
    const plain = gradients(layer, layer);
    const again = gradients(kept, kept);
    plain.forEach((g, i) => expect(list(again[i]!)).toEqual(list(g)));
    expect(gradients(kept, layer).map(list)).toEqual(plain.map(list));
  });
  test("keeps one node, whatever f records", () => {
    const x = point();
    const deep = (a: NDArray): NDArray => {
      let y = a;
      for (let i = 0; i < 50; i++) y = np.sin(y);
      return y;
    };
    expect(autograd.graphSize(record(() => deep(x)))).toBe(51);
    expect(autograd.graphSize(record(() => checkpoint(deep)(x)))).toBe(2);
    expect(autograd.graphSize(record(() => kept(x)))).toBe(3);
    expect(autograd.graphSize(record(() => kept(f64(1, 2, 3))))).toBe(2);
    expect(autograd.graphSize(record(() => checkpoint(deep)(f64(1, 2))))).toBe(0);
    expect(autograd.graphSize(kept(x))).toBe(0);
  });
  test("several arguments and results, and arguments that are no arrays", () => {
    const both = (a: NDArray, b: NDArray, k: number, o: { bias: NDArray }): NDArray[] => [
      a.mul(b).mul(k),
      np.argmax(a),
      b.sum().add(o.bias),
      a.astype("float32"),
    ];
    const run = (f: typeof both): unknown[] => {
      const [a, b, bias] = [attached(1, 2), attached(3, 4), attached(5)];
      const ys = record(() => f(a, b, 3, { bias }));
      expect(ys.map(y => y.dtype)).toEqual(["float64", "int32", "float64", "float32"]);
      record(() => ys[0]!.sum().add(ys[2]!.sum()).add(ys[3]!.mul(7).sum())).backward();
      return [a, b, bias].map(x => list(x.grad));
    };
    expect(run(checkpoint(both))).toEqual(run(both));
  });
  test("results that are arguments, captured arrays, or both twice", () => {
    const a = attached(1, 2);
    const b = attached(3, 4);
    const c = record(() => b.mul(2));
    const [p, q, r, s] = record(() => checkpoint((z: NDArray) => [z, b, c, z])(a)) as [NDArray, NDArray, NDArray, NDArray];
    record(() => p.add(q.mul(10)).add(r.mul(100)).add(s)).backward();
    expect([list(a.grad), list(b.grad)]).toEqual([
      [2, 2],
      [210, 210],
    ]);
  });
  test("a captured intermediate and what it was made of", () => {
    const a = attached(1, 2);
    const run = (f: (z: NDArray) => NDArray): unknown => {
      a.zeroGrad();
      record(() => f(np.exp(a)).sum()).backward();
      return list(a.grad);
    };
    const c = record(() => a.mul(a));
    const d = record(() => c.mul(2));
    const f = (z: NDArray): NDArray => z.mul(c).mul(d).mul(a);
    // The derivative of eᵛ·v²·2v²·v.
    const want = [1, 2].map(v => 2 * (v ** 5 + 5 * v ** 4) * Math.exp(v));
    (run(checkpoint(f)) as number[]).forEach((g, i) => expect(g).toBeCloseTo(want[i]!, 9));
  });
  test("nested, and within itself", () => {
    const outer = checkpoint((x: NDArray) => kept(kept(x)).mul(2));
    const plain = (x: NDArray): NDArray => layer(layer(x)).mul(2);
    gradients(outer, outer).forEach((g, i) => expectClose(g, gradients(plain, plain)[i]!));
    const twice = checkpoint(outer);
    gradients(twice, kept).forEach((g, i) => expectClose(g, gradients(plain, layer)[i]!));
  });
  test("any order, in any direction", () => {
    const x = numbers([3]);
    const loss = (f: typeof layer) => (z: NDArray) => f(f(z)).square().sum();
    expect(checkGrad(loss(kept), [x], { order: 3 })).toBeLessThan(1e-7);
    const v = numbers([3]);
    expectClose(hvp(loss(kept), x, v), hvp(loss(layer), x, v));
    expectClose(jvp(loss(kept), x, v)[1], jvp(loss(layer), x, v)[1]);
    expectClose(grad(z => jvp(loss(kept), z, v)[1])(x), hvp(loss(layer), x, v));
    const second = (f: typeof layer): unknown => {
      w.zeroGrad();
      const a = point();
      record(() => autograd.grad(f(a).sum(), a, { createGraph: true }).square().sum()).backward();
      return [list(a.grad), list(w.grad)];
    };
    expect(second(kept)).toEqual(second(layer));
  });
  test("random numbers and the mode are those of the first run", () => {
    const drop = (x: NDArray): NDArray => npx.dropout(x, 0.5).mul(x);
    const run = (f: typeof drop, trainMode: boolean): unknown => {
      np.random.seed(5);
      const x = np.ones([40], { dtype: "float64" }).attachGrad();
      const y = record(() => f(f(x)), { trainMode });
      const after = np.random.rand(3);
      y.backward(null, { trainMode: !trainMode });
      return [list(y), list(x.grad), list(after), list(np.random.rand(3))];
    };
    expect(run(checkpoint(drop), true)).toEqual(run(drop, true));
    expect(run(checkpoint(drop), false)).toEqual(run(drop, false));
  });
  test("a seed between the runs changes nothing", () => {
    const drop = checkpoint((x: NDArray) => npx.dropout(x, 0.5));
    const x = np.ones([40]).attachGrad();
    const y = record(() => drop(x));
    npx.seed(123);
    y.backward();
    expect(list(x.grad)).toEqual(list(y));
  });
  test("arguments that are overwritten meanwhile count as they were", () => {
    const a = f64(1, 2);
    const b = attached(3, 4);
    const y = record(() => checkpoint((p: NDArray, q: NDArray) => p.mul(q).mul(q))(a, b));
    a.set(100);
    b.set(100);
    y.backward();
    expect(list(b.grad)).toEqual([6, 16]);
  });
  test("anything else that changes is an error, never another gradient", () => {
    const a = attached(1, 2);
    const c = f64(3, 4);
    const y = record(() => checkpoint((z: NDArray) => z.mul(c))(a));
    c.set(9);
    expect(() => y.backward()).toThrow(/gave something else when it ran again/);
    let count = 0;
    const z = record(() => checkpoint((p: NDArray) => p.mul(++count))(a));
    expect(() => z.backward()).toThrow(GradError);
    let other = attached(5, 6);
    const u = record(() => checkpoint((p: NDArray) => p.add(other.mul(0)))(a));
    other = attached(5, 6);
    expect(() => u.backward()).toThrow(GradError);
    expect(list(a.grad)).toEqual([0, 0]);
    expect(flags()).toEqual([false, false]);
  });
  test("errors pass through, and leave flags and the generator as they were", () => {
    let fail = true;
    const f = checkpoint((x: NDArray): NDArray => {
      const y = x.mul(np.random.rand(2));
      if (fail) throw new RangeError("mine");
      return y;
    });
    const x = attached(1, 2);
    expect(() => record(() => f(x))).toThrow(RangeError);
    expect(flags()).toEqual([false, false]);
    fail = false;
    const y = record(() => f(x));
    fail = true;
    np.random.seed(3);
    expect(() => y.backward()).toThrow(RangeError);
    expect(flags()).toEqual([false, false]);
    const after = np.random.rand(2);
    np.random.seed(3);
    expect(list(np.random.rand(2))).toEqual(list(after));
    expect(() => checkpoint(3 as unknown as () => NDArray)).toThrow("checkpoint: expected a function, got 3");
    expect(() => record(() => checkpoint(() => [3] as unknown as NDArray[])())).toThrow(/returns an array or a list of arrays, got 3/);
    expect(() => record(() => checkpoint((async () => x) as unknown as () => NDArray)())).toThrow(GradError);
  });
  test("a retained graph can be walked again, a used one not", () => {
    const x = point();
    const y = record(() => kept(x).sum());
    y.backward(null, { retainGraph: true });
    const first = list(x.grad);
    y.backward();
    expect(list(x.grad)).toEqual(first);
    expect(() => y.backward()).toThrow(/freed by an earlier backward/);
  });
  test("lets go of what f computed", () => {
    const x = np.ones([256, 1024]).attachGrad();
    const block = (a: NDArray): NDArray => {
      let y = a;
      for (let i = 0; i < 8; i++) y = np.tanh(y);
      return y;
    };
    const before = np.exp(x);
    const probe: NDArray[] = [];
    const noted = checkpoint((a: NDArray) => {
      const y = block(a);
      probe.push(y);
      return np.sin(y);
    });
    const y = record(() => noted(x));
    expect(probe[0]!.storage.block.saved).toBe(0);
    expect(y.storage.block.saved).toBe(0);
    expect(x.storage.block.saved).toBe(1);
    y.backward();
    expect(x.storage.block.saved).toBe(0);
    expect(before.size).toBe(x.size);
  });
  test("under vmap", () => {
    const xs = numbers([4, 3]);
    const f = (one: typeof layer) => (z: NDArray) => one(one(z)).sum();
    expectClose(vmap(grad(f(kept)))(xs), vmap(grad(f(layer)))(xs));
    expectClose(grad(z => vmap(f(kept))(z).sum())(xs), grad(z => vmap(f(layer))(z).sum())(xs));
  });
});

// ---------------------------------------------------------------- fuse

describe("fuse", () => {
  type Case = readonly [string, (...xs: NDArray[]) => NDArray];
  const cases: readonly Case[] = [
    ["one argument", x => x.sin().mul(x.exp()).add(x.pow(3)).div(x.square().add(2))],
    ["a constant to a power", x => np.sqrt(x.square().add(1)).pow(x).sub(np.power(1.5, x))],
    ["branches", (x, y) => np.where(x.gt(y), x.tanh().mul(y), np.log(np.add(1, x.square()))).sub(3)],
    ["a mask as a number", (x, y) => x.gt(y).mul(x).add(y.le(1).mul(2))],
    [
      "three arguments",
      (x, y, z) =>
        x
          .mul(y)
          .add(z.exp().div(x.square().add(1)))
          .tanh(),
    ],
    ["four arguments", (x, y, z, w) => x.mul(y).add(z.mul(w).sin()).mul(np.maximum(x, y)).sub(w.div(y))],
    ["an argument that is not used", (x, _y) => npx.sigmoid(x).neg()],
    ["nothing at all", x => x],
    ["functions of np and npx", (x, y) => np.clip(npx.relu(x), 0.5, 1.5).add(np.abs(y)).sub(np.reciprocal(y))],
  ];
  const fused = cases.map(([name, f]) => {
    // A parameter list of its own: what is fused is counted by it.
    const op = [
      () => npx.fuse(a => f(a)),
      () => npx.fuse((a, b) => f(a, b)),
      () => npx.fuse((a, b, c) => f(a, b, c)),
      () => npx.fuse((a, b, c, d) => f(a, b, c, d)),
    ][f.length - 1]!() as unknown as Fn;
    return [name, { f, op }] as const;
  });

  describe.each(fused)("%s", (_, { f, op }) => {
    const shapes: Shape[] = [[3, 4], [4], [3, 1], []];
    const args = (broadcast: boolean): NDArray[] =>
      Array.from({ length: f.length }, (_u, i) => {
        const shape = broadcast ? shapes[i]! : [3, 4];
        return arrayOf(samples(sizeOf(shape), [0.4, 2], i, next), shape, "float64");
      });

    test("has the bits of what it is made of", () => {
      for (const dtype of ["float32", "float64"] as const)
        for (const broadcast of [false, true]) {
          const xs = args(broadcast).map(x => x.astype(dtype));
          const [y, want] = [op(...xs), f(...xs)];
          if (y.shape.length === want.shape.length) expect(difference(y.toTypedArray(), want.toTypedArray())).toBe("");
          expect(y.dtype).toBe(dtype);
          const turned = xs.map(x => (x.ndim === 2 ? x.T.copy().T : x));
          expect(difference(op(...turned).toTypedArray(), y.toTypedArray())).toBe("");
        }
    });
    test("derivatives of any order are right", () => {
      const xs = args(true);
      expect(checkDerivatives(op, xs, 3, next)).toBe("");
      const gs = pull(op, xs, np.onesLike(op(...xs)), false);
      const want = pull((...zs) => f(...zs).add(np.zerosLike(op(...xs))), xs, np.onesLike(op(...xs)), false);
      gs.forEach((g, i) => expectClose(g, want[i]!));
    });
    test("forwards too", () => checkForward(op, args(true), 1, next));
    test("a zero cotangent gives zeros, at infinities and NaN too", () => {
      const bad = [0, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e300];
      const xs = Array.from({ length: f.length }, (_u, i) => f64(...bad.map((_v, k) => bad[(k * (i + 1)) % bad.length]!)));
      for (const [order, gs] of Object.entries(zeroCotangents(op, xs, 2, next)))
        for (const g of gs)
          expect(
            valuesOf(g).every(v => v === 0),
            order,
          ).toBe(true);
    });
  });

  test("one kernel for the value and one for each gradient", () => {
    let runs = 0;
    const op = npx.fuse((x, y) => {
      runs++;
      return np.exp(x.mul(y)).sub(1);
    });
    const x = attached(1, 2);
    const y = attached(3, 4);
    const z = record(() => op(x, y));
    expect(autograd.graphSize(z)).toBe(3);
    z.backward();
    expect(runs).toBe(1);
    expect(op.op.pointwise!.slopesOf(1).map(s => s.sources)).toEqual([
      [0, 1, 3],
      [0, 1, 3],
    ]);
  });
  test("gradients are as accurate as those of the operators inside", () => {
    const op = npx.fuse(x => np.tanh(x));
    // 1 - tanh² would be 0 here.
    expect(list(grad(x => op(x).sum())([15]))).toEqual(list(grad(x => np.tanh(x).sum())([15])));
    expect(grad(x => op(x))(15).item()).toBeGreaterThan(3e-13);
  });
  test("dtypes are those of any row", () => {
    const int = np.array([1, 2, 3], { dtype: "int32" });
    const double = npx.fuse(x => x.mul(2).add(1));
    expect([double(int).dtype, list(double(int))]).toEqual(["int32", [3, 5, 7]]);
    expect(double(np.array([1, 2], { dtype: "uint8" })).dtype).toBe("uint8");
    expect(list(npx.fuse(x => x.mul(2.5))(int))).toEqual([2.5, 5, 7.5]);
    expect(npx.fuse(x => x.exp())(int).dtype).toBe("float32");
    expect(list(npx.fuse(x => x.gt(1.5))(int))).toEqual([false, true, true]);
    expect(list(npx.fuse(x => np.sin(x).gt(0.5))(int))).toEqual([true, true, false]);
    expect(npx.fuse((x, y) => x.add(y))(int, f64(1, 2, 3)).dtype).toBe("float64");
    expect(list(npx.fuse((c, x) => np.where(c, x, 0))([true, false], int.at(":2")))).toEqual([1, 0]);
    expect(npx.fuse((c, x) => np.where(c, x, 0))(f64(1, 0), int.at(":2")).dtype).toBe("int32");
    expect(list(npx.fuse(c => np.where(c, 1, 0))([3, 0]))).toEqual([1, 0]);
    expect(list(double(4))).toBe(9);
  });
  test("out, numbers, empty arrays, missing and surplus arguments", () => {
    const op = npx.fuse((x, y) => x.mul(y).add(1));
    const out = np.zeros(2);
    expect((op as unknown as Fn)(np.array([1, 2]), 3 as unknown as NDArray, { out } as unknown as NDArray)).toBe(out);
    expect(list(out)).toEqual([4, 7]);
    expect(op(np.zeros([0, 3]), 2).shape).toEqual([0, 3]);
    expect(() => (op as unknown as Fn)(np.ones(2))).toThrow(/is an argument missing/);
    expect(() => op([1, 2], [1, 2, 3])).toThrow(/cannot broadcast \(2,\) with \(3,\)/);
    expect([[1, 2]].map(npx.fuse(x => x.add(1)) as unknown as (x: number[]) => NDArray).map(list)).toEqual([[2, 3]]);
  });
  test("within another, within vmap", () => {
    const inside = npx.fuse((x, y) => np.exp(x.mul(y)).sub(1));
    const outside = npx.fuse((x, y) => inside(x, y).mul(x).add(inside(y, y)));
    const plain: Fn = (x, y) =>
      np
        .exp(x!.mul(y!))
        .sub(1)
        .mul(x!)
        .add(np.exp(y!.mul(y!)).sub(1));
    const xs = [numbers([3]), numbers([3])] as [NDArray, NDArray];
    expectClose(outside(...xs), plain(...xs));
    expect(checkDerivatives(outside as unknown as Fn, xs, 3, next)).toBe("");
    const g = (a: NDArray, b: NDArray): NDArray => grad(z => outside(z, b).sum())(a);
    expectClose(vmap(g)(...xs), g(...xs));
  });
  test("higher orders beyond what a kernel can read", () => {
    const op = npx.fuse((x, y, z) => np.exp(x.mul(y)).mul(np.sin(z.mul(x))));
    expect(checkDerivatives(op as unknown as Fn, [numbers([2]), numbers([2]), numbers([2])], 4, next, 1e-6)).toBe("");
    const f32 = npx.fuse(x => x.div(3).exp());
    let g = (x: NDArray): NDArray => f32(x);
    for (let i = 0; i < 6; i++) {
      const last = g;
      g = x => grad(last)(x);
    }
    expect(g(np.array(0.5, { dtype: "float64" })).item()).toBeCloseTo(Math.exp(0.5 / 3) / 729, 15);
  });
  test("what is not pointwise says so by name", () => {
    const captured = np.array([1, 2]);
    const wrong: Record<string, (x: NDArray) => NDArray> = {
      "sum: not a pointwise operator": x => x.sum(),
      "matmul: not a pointwise operator": x => np.matmul(x, x),
      "stack: ": x => np.stack([x, x]),
      "reshape: not a pointwise operator": x => x.reshape(2),
      "item: inside npx.fuse": x => (x.item() > 0 ? x : x.neg()),
      "at: inside npx.fuse": x => x.at(0),
      "shape: inside npx.fuse": x => x.mul(x.shape[0]!),
      "T: inside npx.fuse": x => x.T,
      "toPrimitive: inside npx.fuse": x => ((x as unknown as number) > 0 ? x : x.neg()),
      "backward: inside npx.fuse": x => {
        x.backward();
        return x;
      },
      "iadd: inside npx.fuse": x => x.iadd(1),
      "multiply: an NDArray inside npx.fuse is neither": x => x.mul(captured),
      "add: an NDArray inside npx.fuse is neither": x => captured.add(x),
      "fuse: the function must return": () => captured,
    };
    for (const [message, f] of Object.entries(wrong)) {
      const call = (): unknown => npx.fuse(x => f(x));
      expect(call).toThrow(NablaError);
      expect(call).toThrow(message);
    }
    expect(() => npx.fuse((...xs) => xs[0]!)).toThrow(/takes 0 arrays/);
    expect(() => npx.fuse((a, b, c, d, e) => a.add(b).add(c).add(d).add(e))).toThrow(/takes 5 arrays.*must be 1 to 4/);
    expect(() => npx.fuse(7 as unknown as () => NDArray)).toThrow("fuse: expected a function, got 7");
  });
});

describe("walks give back what only they saw", () => {
  test("what a recorded walk made and nobody kept is used again", () => {
    const x = numbers([5000]);
    const f = (z: NDArray): NDArray => z.sin().mul(z).square().sum();
    grad(z => grad(f)(z).sum())(x);
    const before = npx.memoryInfo().resident;
    for (let i = 0; i < 20; i++) grad(z => grad(f)(z).square().sum())(x);
    const forward = 20 * 7 * 5000 * 8;
    expect(npx.memoryInfo().resident - before).toBeLessThanOrEqual(forward);
  });
  test("results and what a user's backward saw stay", () => {
    const seen: NDArray[] = [];
    class Peek extends autograd.Function {
      forward(z: NDArray): NDArray {
        return z.mul(1);
      }
      backward(dy: NDArray): NDArray {
        const twice = dy.mul(2);
        seen.push(dy, twice);
        return dy;
      }
    }
    const x = attached(1, 2, 3);
    const gs = record(() => {
      const y = new Peek().apply(x.square()).square().sum();
      const g = autograd.grad(y, x, { createGraph: true });
      return [g, g.at("1:"), autograd.grad(g.sum(), x, { createGraph: true })];
    });
    gs[2]!.sum().add(0);
    record(() => gs[0]!.add(gs[2]!).sum()).backward();
    expect(gs.map(list)).toEqual([
      [4, 32, 108],
      [32, 108],
      [12, 48, 108],
    ]);
    expect(seen.map(list).slice(0, 2)).toEqual([
      [2, 8, 18],
      [4, 16, 36],
    ]);
  });
  test("a graph older than the variables of a gradient is left alone", () => {
    const a = attached(2, 3);
    const y = record(() => a.mul(a));
    expect(list(grad(z => z.mul(y).sum())([1, 1]))).toEqual([4, 9]);
    expect(list(vjp(z => z.mul(y), [1, 1])[1]([1, 1]) as NDArray)).toEqual([4, 9]);
    y.backward();
    expect(list(a.grad)).toEqual([4, 6]);
  });
});

test("checkGrad takes differences in the mode in which it differentiates: in training", () => {
  const [x, gamma, beta] = [np.random.normal(0, 1, [6, 3], { dtype: "float64" }), f64(1, 2, 0.5), f64(0, 1, -1)];
  const [mean, variance] = [np.zeros(3, { dtype: "float64" }), np.ones(3, { dtype: "float64" })];
  const normalised = (v: NDArray, g: NDArray, b: NDArray): NDArray => npx.batchNorm(v, g, b, mean, variance).square().sum();
  expect(checkGrad(normalised, [x, gamma, beta])).toBeLessThan(1e-6);
  expect(autograd.isTraining()).toBe(false);
});
