/**
 * vmap, for every operator, against a loop over the entries: values and gradients, any operand mapped, along any axis; and
 * nested with itself and with the other transforms.
 */
import { GradError, grad, hessian, hvp, jacobian, NablaError, type NDArray, np, npx, ShapeError, ValueError, vjp, vmap } from "nabla";
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
  });
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
