/**
 * vmap, for every operator, against a loop over the entries: values and gradients, any operand mapped, along any axis; and
 * nested with itself and with the other transforms.
 */
import {
  autograd,
  checkpoint,
  GradError,
  grad,
  hessian,
  hvp,
  jacobian,
  NablaError,
  type NDArray,
  np,
  npx,
  ShapeError,
  ValueError,
  vjp,
  vmap,
} from "nabla";
import { describe, expect, test } from "vitest";
import { randomArray } from "./support/derivatives.ts";
import { type AnyFn, arraysFor, byName, results, rows, sampled } from "./support/rows.ts";
import { closeness, type Next, randomNumbers, type Shape, seedOf, some, valuesOf } from "./support/sampling.ts";
import { UNMAPPED } from "./support/unmapped.ts";

const ENTRIES = 3;

const SHAPES: readonly (readonly [Shape, Shape])[] = [
  [[], []],
  [[4], [4]],
  [[2, 1], [3]],
  [[3], [2, 1, 3]],
];

type List = (...xs: NDArray[]) => NDArray[];

/** f over the entries of those arguments that are mapped, one after the other. */
function loop(f: List, args: readonly NDArray[], axes: readonly (number | null)[]): NDArray[] {
  const each = Array.from({ length: ENTRIES }, (_, k) => f(...args.map((x, i) => (axes[i] === null ? x : np.take(x, k, axes[i]!)))));
  return each[0]!.map((_, output) => np.stack(each.map(ys => ys[output]!)));
}

function compare(label: string, got: readonly NDArray[], want: readonly NDArray[]): void {
  expect(got.length, label).toBe(want.length);
  want.forEach((w, i) => {
    const g = got[i]!;
    if (g.dtype !== w.dtype || String(g.shape) !== String(w.shape))
      throw new Error(`${label}, result ${i}: ${g.dtype}[${g.shape}], not ${w.dtype}[${w.shape}]`);
    const fault = closeness(valuesOf(g), valuesOf(w), 1e-12);
    if (fault !== "") throw new Error(`${label}, result ${i}: ${fault}`);
  });
}

/** Values and gradients of f with any of its arguments mapped. */
function check(label: string, f: List, entries: readonly NDArray[][], next: Next): void {
  const count = entries[0]!.length;
  const all = Array.from({ length: count }, (_, i) => i);
  const choices = count === 1 ? [all] : [all, ...all.map(i => [i])];
  for (const mapped of choices)
    for (const axis of [0, -1]) {
      const axes = all.map(i => (mapped.includes(i) ? axis : null));
      const args = all.map(i =>
        mapped.includes(i)
          ? np.stack(
              entries.map(xs => xs[i]!),
              axis,
            )
          : entries[0]![i]!,
      );
      const what = `${label}, arguments ${mapped} mapped along ${axis}`;
      const want = loop(f, args, axes);
      compare(what, vmap(f, axes)(...args), want);
      if (axis !== 0) continue;
      want.forEach((w, output) => {
        if (w.dtype !== "float64") return;
        const u = randomArray(w.shape.slice(1), "float64", next);
        const loss = (...xs: NDArray[]): NDArray => np.sum(np.multiply(f(...xs)[output]!, u));
        const floats = all.filter(i => args[i]!.dtype === "float64");
        const slope: List = grad(loss, floats);
        compare(`${what}, gradient of result ${output}`, vmap(slope, axes)(...args), loop(slope, args, axes));
      });
    }
}

describe("every operator", () => {
  test.each(byName(some(rows)))("%s", (name, { fn, p }) => {
    const next = randomNumbers(seedOf(name) + 20);
    const [low, high] = p.spec.domain ?? [-3, 3];
    for (const shapes of SHAPES) {
      const entries = Array.from({ length: ENTRIES }, () =>
        Array.from({ length: p.arity }, (_, i) => {
          const x = randomArray(shapes[i % 2]!, "float64", next);
          if (p.spec.discrete?.includes(i)) return x.gt(0);
          const y = x
            .add(1.25)
            .mul((high - low) / 2.5)
            .add(low);
          return p.spec.dtype === "integer" ? y.mul(3).astype("int32") : y;
        }),
      );
      check(`${name} [${shapes.join("] [")}]`, (...xs) => [fn(...xs)], entries, next);
    }
  });

  test.each(some(sampled))("%s", (name, { fn, list }) => {
    const why = UNMAPPED[name];
    if (why === "draws" || why === "bare") return;
    const next = randomNumbers(seedOf(name) + 21);
    list.forEach((sample, number) => {
      const entries = Array.from({ length: ENTRIES }, () => arraysFor(sample, "float64", next));
      const f: List = (...xs) => results((fn as AnyFn)(...sample.args(...xs)));
      if (why !== undefined) {
        expect(() => vmap(f)(...entries[0]!.map((_, i) => np.stack(entries.map(xs => xs[i]!))))).toThrow(NablaError);
        return;
      }
      check(`${name}, sample ${number}, [${sample.shapes.join("] [")}]`, f, entries, next);
    });
  });
});

describe("nested", () => {
  const x = np.array([
    [1, 2],
    [3, 4],
    [5, 6],
  ]);
  const cubes = (v: NDArray): NDArray => v.pow(3).sum();

  test("vmap of grad gives the gradient of each entry, also for what all share", () => {
    const w = np.array([0.5, -1]);
    const loss = (p: NDArray, v: NDArray): NDArray => np.tanh(np.dot(p, v)).pow(2);
    const each = vmap(grad(loss), [null, 0])(w, x);
    expect(each.shape).toEqual([3, 2]);
    const want = np.stack([...x].map(v => grad(loss)(w, v)));
    expect(np.abs(each.sub(want)).max().item()).toBeLessThan(1e-6);
  });

  test("grad of vmap adds up", () => {
    const total = grad(v => vmap(cubes)(v).sum())(x);
    expect(total.tolist()).toEqual(x.pow(2).mul(3).tolist());
  });

  test("hessian, hvp and jacobian of each entry", () => {
    const h = vmap(hessian(cubes))(x);
    expect(h.shape).toEqual([3, 2, 2]);
    expect(h.at(2).tolist()).toEqual([
      [30, 0],
      [0, 36],
    ]);
    const v = np.ones([3, 2]);
    expect(vmap((p, d) => hvp(cubes, p, d))(x, v).tolist()).toEqual(x.mul(6).tolist());
    expect(
      vmap(jacobian(p => p.mul(p)))(x)
        .at(1)
        .tolist(),
    ).toEqual([
      [6, 0],
      [0, 8],
    ]);
  });

  test("a pull-back is mapped over cotangents, inside another vmap too", () => {
    const rowsOf = (p: NDArray): NDArray => {
      const [y, pull] = vjp(v => v.mul(v), p);
      return vmap(g => pull(g) as NDArray)(np.eye(y.size));
    };
    const one = rowsOf(x.at(1));
    expect(one.tolist()).toEqual([
      [6, 0],
      [0, 8],
    ]);
    const all = vmap(rowsOf)(x);
    expect(all.shape).toEqual([3, 2, 2]);
    expect(all.at(1).tolist()).toEqual(one.tolist());
    const twice = vmap(g => vjp(v => v.pow(3), x.at(0))[1](g) as NDArray)(np.eye(2));
    expect(twice.tolist()).toEqual([
      [3, 0],
      [0, 12],
    ]);
  });

  test("a mapped cotangent meets one that is the same for all entries", () => {
    // The slope of floor is 0 whatever comes; the walk owns what it makes of that, and must not add a mapped part into it.
    const [, pull] = vjp(v => {
      const a = np.sin(v);
      const older = np.cos(a);
      return np.append(older, np.floor(a.mul(2)));
    }, x.at(1));
    const rows = vmap(g => pull(g) as NDArray)(np.eye(4));
    [0, 1, 2, 3].forEach(i => expect(rows.at(i).tolist()).toEqual((pull(np.eye(4).at(i)) as NDArray).tolist()));
  });

  test("vmap in vmap, with operands of either level", () => {
    const table = vmap((a: NDArray) => vmap((b: NDArray) => np.dot(a, b).add(a.sum()))(x))(x);
    expect(table.tolist()).toEqual(
      np
        .dot(x, x.T)
        .add(x.sum(1, { keepdims: true }))
        .tolist(),
    );
    const slopes = vmap((a: NDArray) => vmap(grad((b: NDArray) => np.dot(a, b).pow(2)))(x))(x);
    expect(slopes.shape).toEqual([3, 3, 2]);
    expect(slopes.at(1, 2).tolist()).toEqual(
      x
        .at(1)
        .mul(2 * (3 * 5 + 4 * 6))
        .tolist(),
    );
  });

  test("several results, axes, and arguments that are the same for all", () => {
    const [a, b] = vmap((p: NDArray, q: NDArray) => [p.add(q), np.ones(2)], [1, null])(x, np.array([1, 1, 1])) as [NDArray, NDArray];
    expect(a.tolist()).toEqual(x.T.add(1).tolist());
    expect(b.shape).toEqual([2, 2]);
  });
});

describe("a Function of one's own", () => {
  const loops = (f: (...xs: NDArray[]) => NDArray, ...xs: NDArray[]): NDArray =>
    np.stack(Array.from({ length: xs[0]!.shape[0]! }, (_, k) => f(...xs.map(x => x.at(k)))));
  const near = (got: NDArray, want: NDArray): void => {
    expect(got.shape).toEqual(want.shape);
    expect(np.abs(got.sub(want)).max().item()).toBeLessThan(1e-12);
  };
  const f64 = (shape: number[], seed: number): NDArray =>
    np.array(Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(seed + i))).reshape(shape);
  class Product extends autograd.Function {
    forward(x: NDArray, w: NDArray): NDArray {
      this.saveForBackward(x, w);
      return np.dot(x, w).mul(x);
    }
    backward(dy: NDArray): NDArray[] {
      const [x, w] = this.savedTensors as [NDArray, NDArray];
      const s = np.dot(dy, x);
      return [dy.mul(np.dot(x, w)).add(w.mul(s)), x.mul(s)];
    }
  }
  class Halves extends autograd.Function {
    forward(x: NDArray): NDArray[] {
      this.saveForBackward(x);
      return [x.at("1:").mul(x.at(":-1")), np.argmax(x), x.at(0).mul(3)];
    }
    backward(da: NDArray, _: NDArray, db: NDArray): NDArray {
      const [x] = this.savedTensors as [NDArray];
      const zero = np.zeros([1], { dtype: "float64" });
      const left = np.concatenate([da.mul(x.at("1:")), zero]);
      const right = np.concatenate([db.reshape(1).mul(3), da.mul(x.at(":-1"))]);
      return left.add(right);
    }
  }
  const product = (x: NDArray, w: NDArray): NDArray => new Product().apply(x, w);
  const halves = (x: NDArray): NDArray => {
    const [a, at, b] = new Halves().apply<[NDArray, NDArray, NDArray]>(x);
    return np.tanh(a).sum().add(b.pow(2)).add(at);
  };
  const x = f64([4, 3], 1);
  const w = f64([4, 3], 9);

  test("has its value and gradients, for mapped and shared inputs, inside and outside", () => {
    near(vmap(product)(x, w), loops(product, x, w));
    near(
      vmap(product, [0, null])(x, w.at(1)),
      loops(v => product(v, w.at(1)), x),
    );
    const loss = (a: NDArray, b: NDArray): NDArray => product(a, b).pow(3).sum();
    for (const i of [0, 1]) {
      near(vmap(grad(loss, i))(x, w), loops(grad(loss, i), x, w));
      near(
        vmap(grad(loss, i), [0, null])(x, w.at(1)),
        loops(v => grad(loss, i)(v, w.at(1)), x),
      );
    }
    const total = (b: NDArray): NDArray => vmap(loss, [0, null])(x, b).sum();
    near(grad(total)(w.at(1)), loops(v => grad(loss, 1)(v, w.at(1)), x).sum(0));
    near(vmap(halves)(x), loops(halves, x));
    near(vmap(grad(halves))(x), loops(grad(halves), x));
  });

  test("has second derivatives, in vmap of vmap too", () => {
    const loss = (a: NDArray): NDArray => product(a, w.at(2)).pow(2).sum().add(halves(a));
    near(vmap(hessian(loss))(x), loops(hessian(loss), x));
    const pairs = vmap((a: NDArray) => vmap((b: NDArray) => grad(c => product(c, b).sum())(a))(w))(x);
    near(
      pairs,
      loops(a => loops(b => grad(c => product(c, b).sum())(a), w), x),
    );
    near(
      vmap((a: NDArray, d: NDArray) => hvp(loss, a, d))(x, w),
      loops((a, d) => hvp(loss, a, d), x, w),
    );
  });

  test("has a pull-back that is mapped over cotangents, unless it was applied under vmap itself", () => {
    const [y, pull] = vjp(v => product(v, w.at(0)), x.at(0));
    const gs = np.eye(y.size, y.size, 0, { dtype: "float64" });
    near(
      vmap(g => pull(g) as NDArray)(gs),
      loops(g => pull(g) as NDArray, gs),
    );
    const rowsOf = (p: NDArray): NDArray => vmap(g => vjp(v => product(v, w.at(0)), p)[1](g) as NDArray)(gs);
    near(
      rowsOf(x.at(0)),
      loops(g => pull(g) as NDArray, gs),
    );
    const [, within] = vjp(v => vmap(a => product(a, w.at(0)))(v), x);
    expect(() => vmap(g => within(g) as NDArray)(np.stack([x, x]))).toThrow(/^Product: it was applied under vmap/);
  });

  test("is told about gradients that do not fit, in the shape that it sees", () => {
    class Wrong extends autograd.Function {
      forward(v: NDArray): NDArray {
        return v.mul(2);
      }
      backward(dy: NDArray): NDArray {
        return dy.sum();
      }
    }
    expect(() => vmap(grad(v => new Wrong().apply(v).sum()))(x)).toThrow("Wrong: the gradient of input 0 has shape (), the input (3,)");
  });

  test("and checkpoint, which simply runs its function", () => {
    const layer = (v: NDArray): NDArray => np.sin(np.exp(v)).sum();
    near(vmap(grad(checkpoint(layer)))(x), loops(grad(layer), x));
    near(grad(v => vmap(checkpoint(layer))(v).sum())(x), loops(grad(layer), x));
  });
});

describe("random numbers", () => {
  const drawn = (draw: () => NDArray): NDArray => {
    np.random.seed(5);
    return vmap(v => v.sum().mul(0).add(draw()))(np.ones([4, 2]));
  };
  test("are drawn for every entry anew", () => {
    for (const draw of [
      () => np.random.uniform(0, 1, [3]),
      () => np.random.normal(0, 1, [3]),
      () => np.random.normal(np.zeros(3), 1),
      () => np.random.randint(0, 1000, [3]),
      () => np.random.choice(1000, [3], { replace: false }),
      () => np.random.permutation(50).at(":3"),
    ]) {
      const y = drawn(draw);
      expect(y.shape).toEqual([4, 3]);
      expect(new Set(y.ravel().tolist() as number[]).size).toBeGreaterThan(9);
      expect(drawn(draw).tolist()).toEqual(y.tolist());
    }
  });
  test("dropout has a mask for each", () => {
    const y = vmap(v => npx.dropout(v, 0.5, { mode: "always" }))(np.ones([20, 20]));
    expect(np.unique(y).tolist()).toEqual([0, 2]);
    expect(np.std(y, 0).min().item()).toBeGreaterThan(0);
  });
  test("parameters may be mapped, and gradients flow to them", () => {
    const y = vmap(scale => np.random.normal(0, scale, [500]))(np.array([1, 10]));
    expect(np.std(y.at(1)).item()).toBeGreaterThan(5);
    expect(() => vmap(scale => np.random.normal(0, scale))([1, -1])).toThrow(ValueError);
    expect(vmap(grad(loc => np.random.normal(loc, 1, [3]).sum()))([1, 2]).tolist()).toEqual([3, 3]);
    expect(vmap(low => np.random.randint(low, low.add(1), [3]))([1, 2]).tolist()).toEqual([
      [1, 1, 1],
      [2, 2, 2],
    ]);
  });
});

test("a detached array is mapped as before, without history", () => {
  const x = np.array([
    [1, 2],
    [3, 4],
  ]);
  expect(vmap(v => v.detach().mul(v))(x).tolist()).toEqual(x.mul(x).tolist());
  expect(vmap(grad(v => v.detach().mul(v).sum()))(x).tolist()).toEqual(x.tolist());
  expect(vmap(row => vmap(v => v.detach().mul(3))(row))(x).tolist()).toEqual(x.mul(3).tolist());
});

describe("misuse", () => {
  const x = np.ones([3, 2]);
  test("values cannot be read or written inside", () => {
    expect(() => vmap(v => (v.sum().item() > 0 ? v : v.neg()))(x)).toThrow(ValueError);
    expect(() => vmap(v => v.iadd(1))(x)).toThrow(ValueError);
    expect(() => vmap(v => v.set(0))(x)).toThrow(/vmap/);
    expect(() => vmap(v => v.attachGrad())(x)).toThrow(/vmap/);
    expect(() => vmap(v => v.add(1, { out: np.ones(2) }))(x)).toThrow(/vmap/);
    const seen: string[] = [];
    vmap(v => {
      seen.push(String(v));
      return v;
    })(x);
    expect(seen).toEqual(["mapped array of shape (2,) and dtype float32"]);
    expect(x.tolist()).toEqual(np.ones([3, 2]).tolist());
  });
  test("axes and lengths", () => {
    expect(() => vmap(v => v, 2)(x)).toThrow(ShapeError);
    expect(() => vmap(v => v)(1)).toThrow(ShapeError);
    expect(() => vmap((a, b) => a.add(b))(x, np.ones([2, 2]))).toThrow(/argument 1 .* has 2 entries along axis 0, others have 3/);
    expect(() => vmap(v => v, null)(x)).toThrow(ValueError);
    expect(() => vmap(v => v, [0, 0])(x)).toThrow(ValueError);
    expect(() => vmap(3 as unknown as (v: NDArray) => NDArray)).toThrow(ValueError);
    expect(() => vmap((() => 3) as unknown as (v: NDArray) => NDArray)(x)).toThrow(GradError);
  });
  test("an error inside leaves no mapping behind", () => {
    expect(() =>
      vmap(() => {
        throw new Error("mine");
      })(x),
    ).toThrow("mine");
    expect(np.dot(x.at(0), x.at(0)).item()).toBe(2);
    expect(vmap(v => v.sum())(np.zeros([0, 2])).shape).toEqual([0]);
  });
  test("an array that left the function says what it is", () => {
    let kept: NDArray | undefined;
    vmap(v => {
      kept = v;
      return v;
    })(x);
    expect(() => kept!.add(1).item()).toThrow(/vmap/);
  });
  test("npx functions", () => expect(vmap(v => npx.softmax(v))(x).tolist()).toEqual(npx.softmax(x).tolist()));
});
