/**
 * Writes in place, before, between and after what a graph reads, recorded and not, through every handle: gradients are
 * those of the same function written without writing.
 */
import { autograd, GradError, type NDArray, np, ValueError } from "nabla";
import { describe, expect, test } from "vitest";
import { checkDerivatives } from "./support/derivatives.ts";
import { arrayWithin, randomNumbers, valuesOf } from "./support/sampling.ts";

const f64 = (values: number[]): NDArray => np.array(Float64Array.from(values));
const list = (x: NDArray | null): unknown => (x === null ? null : x.tolist());
const next = randomNumbers(99);
const numbers = (shape: readonly number[]): NDArray => arrayWithin(shape, [0.4, 2], next);
const { record } = autograd;

/** Order 1 and 2 of a function of float64 arrays against differences. */
const expectRight = (f: (...xs: NDArray[]) => NDArray, ...xs: NDArray[]): void => expect(checkDerivatives(f, xs, 2, next)).toBe("");

describe("writes in place", () => {
  test("between forward and backward, through every handle (M08)", () => {
    for (const write of [
      (x: NDArray) => x.set(10),
      (x: NDArray) => x.at("::2").set(-1),
      (x: NDArray) => x.detach().set(5),
      (x: NDArray) => x.reshape(3, 1).T.set(7),
      (x: NDArray) => x.iadd(1),
      (x: NDArray) => x.imul(x),
      (x: NDArray) => x.at("::-1").isub(x),
      (x: NDArray) => np.add(x, 1, { out: x }),
      (x: NDArray) => np.exp(x, { out: x }),
      (x: NDArray) => x.set([1, 2], [0, 2]),
      (x: NDArray) => x.set(9, x.gt(1)),
    ]) {
      const x = np.array([1, 2, 3]).attachGrad();
      const y = record(() => x.mul(x).add(x.exp().mul(0)));
      const [before, g] = [valuesOf(y), x.grad];
      write(x);
      expect(valuesOf(x)).not.toEqual([1, 2, 3]);
      y.backward();
      expect(list(x.grad)).toEqual([2, 4, 6]);
      expect(x.grad).toBe(g);
      expect(valuesOf(y)).toEqual(before);
    }
  });
  test("on results that their own gradient reads", () => {
    for (const write of [
      (y: NDArray) => y.set(0),
      (y: NDArray) => y.imul(100),
      (y: NDArray) => np.negative(y, { out: y }),
      (y: NDArray) => y.at(1).set(5),
    ]) {
      const x = f64([0.5, 1, 2]).attachGrad();
      const y = record(() => x.exp());
      const e = valuesOf(y);
      write(y);
      y.backward();
      expect(valuesOf(x.grad!)).toEqual(e);
    }
  });
  test("views follow the storage when a write moves it", () => {
    const x = np.array([1, 2, 3, 4]).attachGrad();
    const before = x.at("1:3");
    const y = record(() => x.mul(x));
    const during = x.reshape(2, 2);
    x.iadd(10);
    expect(list(before)).toEqual([12, 13]);
    expect(list(during)).toEqual([
      [11, 12],
      [13, 14],
    ]);
    during.set(0, 0, 0);
    before.set(-1, 1);
    expect(list(x)).toEqual([0, 12, -1, 14]);
    y.backward();
    expect(list(x.grad)).toEqual([2, 4, 6, 8]);
  });
  test("after a backward nothing is copied", () => {
    const x = np.array([1, 2, 3]).attachGrad();
    record(() => x.mul(x).sum()).backward();
    const { block } = x.storage;
    x.isub(x.grad!.mul(0.1));
    expect(x.storage.block).toBe(block);
    expect(block.saved).toBe(0);
    // With a graph that reads it there is one copy, and then none.
    const y = record(() => x.mul(x).sum());
    x.isub(1);
    expect(x.storage.block).not.toBe(block);
    const moved = x.storage.block;
    x.isub(1);
    expect(x.storage.block).toBe(moved);
    y.backward();
    expect(block.saved).toBe(0);
  });
  test("an attached array refuses while recording, and is as it was", () => {
    const x = np.array([1, 2, 3]).attachGrad();
    record(() => {
      for (const write of [
        () => x.set(1),
        () => x.iadd(1),
        () => x.at("1:").set(5),
        () => x.T.imul(2),
        () => np.add(x, 1, { out: x }),
        () => x.set(1, [0, 1]),
      ])
        expect(write).toThrow(GradError);
    });
    expect(list(x)).toEqual([1, 2, 3]);
  });
  test("broadcast views refuse", () => {
    const x = np.broadcastTo(np.array([1, 2]), [3, 2]);
    for (const write of [() => x.set(1), () => x.iadd(1), () => x.at(0, ":").T.at(null).set(1, 0), () => np.add(1, x, { out: x })])
      try {
        write();
      } catch (error) {
        expect(error).toBeInstanceOf(ValueError);
      }
    expect(() => x.set(1)).toThrow(ValueError);
    expect(() => x.iadd(1)).toThrow(ValueError);
  });
});

/**
 * Programs that write in place while recording, beside the same functions without writing. `v` and `w` are recorded
 * intermediates or variables; each program starts from copies.
 */
const PROGRAMS: Record<string, readonly [(v: NDArray, w: NDArray) => NDArray, (v: NDArray, w: NDArray) => NDArray]> = {
  "iadd of a copy": [(v, w) => v.copy().iadd(w.mul(w)).mul(v), (v, w) => v.add(w.mul(w)).mul(v)],
  isub: [(v, w) => v.copy().isub(w).mul(w), (v, w) => v.sub(w).mul(w)],
  "imul by itself": [
    v => {
      const c = v.copy();
      c.imul(c);
      return c.imul(c);
    },
    v => v.mul(v).mul(v.mul(v)),
  ],
  idiv: [(v, w) => v.copy().idiv(w), (v, w) => v.div(w)],
  ipow: [(v, w) => v.copy().ipow(w), (v, w) => v.pow(w)],
  "ipow by a number": [v => v.copy().ipow(3).ipow(0.5), v => v.pow(1.5)],
  "set of everything": [
    (v, w) => {
      const c = np.zeros([4], { dtype: "float64" });
      c.set(v.mul(w));
      return c.mul(2);
    },
    (v, w) => v.mul(w).mul(2),
  ],
  "set of a place": [
    (v, w) => {
      const c = v.mul(v);
      c.set(w.at(1), 2);
      return c.mul(w);
    },
    (v, w) => np.where(np.array([false, false, true, false]), w.at(1), v.mul(v)).mul(w),
  ],
  "set of a number": [
    (v, w) => {
      const c = v.mul(w);
      c.set(5, "1:3");
      return c.mul(v);
    },
    (v, w) => np.where(np.array([false, true, true, false]), 5, v.mul(w)).mul(v),
  ],
  "set by positions that repeat": [
    (v, w) => {
      const c = v.copy();
      c.set(w.at(":3"), [1, 1, 3]);
      return c.mul(c);
    },
    (v, w) => {
      const c = np.stack([v.at(0), w.at(1), v.at(2), w.at(2)]);
      return c.mul(c);
    },
  ],
  "set by a mask": [
    (v, w) => {
      const c = v.mul(1);
      c.set(w.mul(w).at([1, 2]), [false, true, true, false]);
      return c.mul(v);
    },
    (v, w) => np.where(np.array([false, true, true, false]), w.mul(w), v).mul(v),
  ],
  "set through a view": [
    (v, w) => {
      const c = v.mul(w);
      const m = c.reshape(2, 2);
      m.at(":", 0).set(w.at(":2"));
      return c.mul(m.reshape(4));
    },
    (v, w) => {
      const p = v.mul(w);
      const c = np.stack([w.at(0), p.at(1), w.at(1), p.at(3)]);
      return c.mul(c);
    },
  ],
  "a view made before and read after": [
    (v, w) => {
      const c = v.mul(2);
      const view = c.at("::-1");
      c.imul(w);
      return view.mul(v);
    },
    (v, w) => v.mul(2).mul(w).at("::-1").mul(v),
  ],
  "a view made before, written to, and the base read": [
    (v, w) => {
      const c = v.mul(2);
      const view = c.at("1::2");
      view.iadd(w.at(":2"));
      view.imul(view);
      return c.mul(w);
    },
    (v, w) => {
      const d = v.mul(2);
      const p = d.at("1::2").add(w.at(":2"));
      const q = p.mul(p);
      return np.stack([d.at(0), q.at(0), d.at(2), q.at(1)]).mul(w);
    },
  ],
  "views of views": [
    (v, w) => {
      const c = v.mul(w);
      const m = c.reshape(2, 2);
      const t = m.T;
      t.at(0).set(v.at("2:"));
      m.at(1).imul(3);
      return t.reshape(4).add(c);
    },
    (v, w) => {
      const p = v.mul(w);
      const c = np.stack([v.at(2), p.at(1), v.at(3).mul(3), p.at(3).mul(3)]);
      return np.stack([c.at(0), c.at(2), c.at(1), c.at(3)]).add(c);
    },
  ],
  "what was read before a write keeps its value": [
    (v, w) => {
      const c = v.mul(v);
      const read = c.exp();
      const product = c.mul(w);
      c.set(0);
      return read.add(product).add(c);
    },
    (v, w) => v.mul(v).exp().add(v.mul(v).mul(w)),
  ],
  "a result overwritten whose gradient reads it": [
    (v, w) => {
      const c = v.exp();
      const d = c.mul(w);
      c.imul(w);
      return c.add(d);
    },
    (v, w) => v.exp().mul(w).mul(2),
  ],
  "shifted onto itself": [
    (v, w) => {
      const c = v.mul(w);
      c.set(c.at(":-1"), "1:");
      return c.mul(v);
    },
    (v, w) => {
      const p = v.mul(w);
      return np.stack([p.at(0), p.at(0), p.at(1), p.at(2)]).mul(v);
    },
  ],
  "a loop that fills": [
    (v, w) => {
      const c = np.zeros([4], { dtype: "float64" });
      for (let i = 0; i < 4; i++)
        c.set(
          i === 0
            ? v.at(0)
            : c
                .at(i - 1)
                .mul(w.at(i))
                .add(v.at(i)),
          i,
        );
      return c;
    },
    (v, w) => {
      const out = [v.at(0)];
      for (let i = 1; i < 4; i++) out.push(out[i - 1]!.mul(w.at(i)).add(v.at(i)));
      return np.stack(out);
    },
  ],
  "accumulated in place": [
    (v, w) => {
      const c = np.zeros([4], { dtype: "float64" });
      for (let i = 0; i < 5; i++) c.iadd(v.mul(w).pow(i));
      return c;
    },
    (v, w) => {
      let c: NDArray = np.zeros([4], { dtype: "float64" });
      for (let i = 0; i < 5; i++) c = c.add(v.mul(w).pow(i));
      return c;
    },
  ],
  "by a broadcast value": [
    (v, w) => {
      const c = np.stack([v, w]);
      c.imul(w);
      c.set(v.at(0).mul(w.at(0)), 1, "::2");
      return c.sum(0);
    },
    (v, w) => v.mul(w).add(np.where(np.array([true, false, true, false]), v.at(0).mul(w.at(0)), w.mul(w))),
  ],
};

describe("writes while recording have the right gradient", () => {
  test.each(Object.entries(PROGRAMS))("%s", (_, [written, plain]) => {
    const [v, w] = [numbers([4]), numbers([4])];
    const same = (a: NDArray, b: NDArray): void => valuesOf(a).forEach((x, i) => expect(x).toBeCloseTo(valuesOf(b)[i]!, 12));
    same(written(v, w), plain(v, w));
    expectRight(plain, v, w);
    expectRight(written, v, w);
    // The same, started from recorded intermediates.
    expectRight((x, y) => written(x.mul(y), y.add(x)), v, w);
  });
  test("a write that ends a dependence", () => {
    const x = np.array([1, 2, 3]).attachGrad();
    const y = record(() => {
      const c = x.mul(2);
      c.set(np.array([7, 7, 7]));
      return c.add(x);
    });
    y.backward();
    expect(list(x.grad)).toEqual([1, 1, 1]);
  });
  test("a write of nothing recorded into nothing recorded is no node", () => {
    const x = np.array([1, 2]).attachGrad();
    record(() => {
      const m = np.zeros(2);
      m.iadd(1);
      m.set(5, 0);
      expect(autograd.graphSize(m)).toBe(0);
      expect(list(m.mul(x))).toEqual([5, 2]);
    });
  });
  test("a pause inside: what is written there is a constant", () => {
    const x = np.array([1, 2, 3]).attachGrad();
    const y = record(() => {
      const c = x.mul(x);
      autograd.pause(() => c.imul(10));
      return c;
    });
    expect(list(y)).toEqual([10, 40, 90]);
    y.backward();
    expect(list(x.grad)).toEqual([2, 4, 6]);
  });
});
