/**
 * Large results that had to make room are computed again from what they were computed from: whatever was written to,
 * released or evicted in between, they are what they were. Each program runs on plain lists beside.
 */
import { autograd, type NDArray, np, npx } from "nabla";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { randomNumbers } from "./support/sampling.ts";

/** Float64 elements: of an array that the collector watches, and of one that is smaller. */
const LARGE = 20_000;
const MIDDLE = 9_000;
const SMALL = 1_100;
let N = LARGE;
const LEAST = 2 ** 20;
/** With the smallest rings fewer places in them are tried. */
const LESS = process.env.TORTURE === "on";

let limit: number;
beforeEach(() => {
  limit = npx.memoryInfo().limit;
  npx.setMemoryLimit(LEAST);
  N = LARGE;
});
afterEach(() => npx.setMemoryLimit(limit));

/** So many large arrays that nothing older stays in memory. */
function crowd(): void {
  for (let i = 0; i < 30; i++) np.add(np.ones(N, { dtype: "float64" }), i);
}

const same = (x: NDArray, y: ArrayLike<number>): void => {
  const have = x.toTypedArray();
  expect(have.length).toBe(y.length);
  const at = have.findIndex((v, i) => !Object.is(v, y[i]));
  expect(at, at < 0 ? "" : `${have[at]} and not ${y[at]} at ${at}`).toBe(-1);
};

const sequence = (from: number): NDArray => np.arange(N, { dtype: "float64" }).add(from);
const list = (f: (i: number) => number): Float64Array => Float64Array.from({ length: N }, (_, i) => f(i));

describe("a result that had to make room", () => {
  test("is not copied, and is computed again when it is read", () => {
    const x = sequence(1);
    const y = x.multiply(2);
    const z = y.add(x);
    crowd();
    const before = npx.memoryInfo();
    same(
      z,
      list(i => 3 * (i + 1)),
    );
    same(
      y,
      list(i => 2 * (i + 1)),
    );
    expect(npx.memoryInfo().returns).toBeGreaterThan(before.returns);
  });

  test("keeps its value when what it was computed from is written to, before and after", () => {
    const x = sequence(1);
    const early = x.multiply(2);
    x.set(-1, np.slice(0, 5));
    const late = x.multiply(2);
    crowd();
    x.set(-7, np.slice(0, 10));
    np.add(x, 1, { out: x });
    same(
      early,
      list(i => 2 * (i + 1)),
    );
    same(
      late,
      list(i => (i < 5 ? -2 : 2 * (i + 1))),
    );
    same(
      x,
      list(i => (i < 10 ? -6 : i + 2)),
    );
  });

  test("can be written to itself, in memory and out of it, and through views", () => {
    const x = sequence(0);
    const [y, z] = [x.add(1), x.add(2)];
    const view = z.at(np.slice(10, 20));
    y.set(50, 0);
    crowd();
    z.set(60, 0);
    view.set(70);
    crowd();
    same(
      y,
      list(i => (i === 0 ? 50 : i + 1)),
    );
    same(
      z,
      list(i => (i === 0 ? 60 : i >= 10 && i < 20 ? 70 : i + 2)),
    );
    same(view, new Float64Array(10).fill(70));
  });

  test("reads numbers of a call as they were, beside what comes back in the same call", () => {
    const x = sequence(0);
    const y = x.multiply(3).add(0.5);
    const bias = np.array(0.25, { dtype: "float64" });
    const z = y.add(bias);
    bias.set(8);
    crowd();
    same(
      np.subtract(1000, z),
      list(i => 1000 - (3 * i + 0.75)),
    );
    crowd();
    const dead = np.where(z.gt(30), z, np.power(y, 2));
    crowd();
    same(
      dead,
      list(i => (3 * i + 0.75 > 30 ? 3 * i + 0.75 : (3 * i + 0.5) ** 2)),
    );
  });

  test("reads small operands as they were: rows, views of small arrays and of large ones", () => {
    const x = sequence(0).reshape(-1, 2);
    const row = np.array([0.25, -4], { dtype: "float64" });
    const wide = sequence(100);
    const parts = [row, row.at("::-1"), wide.at("::10000"), np.broadcastTo(row.at(0), [2])];
    const ys = parts.map(part => x.mul(part).add(1));
    row.set(1e6);
    wide.set(-1e6);
    crowd();
    const wanted = [
      [0.25, -4],
      [-4, 0.25],
      [100, 10100],
      [0.25, 0.25],
    ];
    ys.forEach((y, k) => {
      same(
        y,
        list(i => i * wanted[k]![i % 2]! + 1),
      );
    });
  });

  test("outlives a scope that gives back what it was computed from", () => {
    const x = sequence(0);
    const z = npx.scope(() => {
      const inner = x.add(5);
      const outer = inner.multiply(inner);
      crowd();
      return outer;
    });
    crowd();
    same(
      z,
      list(i => (i + 5) ** 2),
    );
  });

  test("is what a backward needs of it, and gradients are written where later results were computed from them", () => {
    const x = sequence(1);
    x.attachGrad();
    const kept: NDArray[] = [];
    for (let step = 0; step < 4; step++) {
      const y = autograd.record(() => {
        const a = x.multiply(x);
        crowd();
        const b = a.multiply(x);
        crowd();
        return b.multiply(step + 1);
      });
      crowd();
      y.backward();
      kept.push(x.grad!.multiply(0.5));
      crowd();
    }
    kept.forEach((k, step) => {
      // 3 x² exactly, as sums of the products in the walk's order are exact here.
      same(
        k,
        list(i => 1.5 * (step + 1) * (i + 1) ** 2),
      );
    });
  });

  test("a chain of them ends in a copy now and then", () => {
    let x = sequence(0);
    const kept = [x];
    for (let i = 0; i < 40; i++) kept.push((x = x.add(1)));
    crowd();
    kept.forEach((k, step) => {
      same(
        k,
        list(i => i + step),
      );
    });
  });
});

describe("what was released on the way", () => {
  /** Adds 1, a hundred times, each in a scope of its own, whose other results are released. */
  const climb = (x: NDArray, steps: number): NDArray => {
    for (let i = 0; i < steps; i++) x = npx.scope(() => x.multiply(2).subtract(x).add(1));
    return x;
  };

  test("is computed again on the way to what was kept of it", () => {
    const x = sequence(0);
    const y = climb(x, 100);
    crowd();
    same(
      y,
      list(i => i + 100),
    );
  });

  test("is not computed again from what was written to since, wherever in the chain that was", () => {
    for (const [before, after] of [
      [0, 3],
      [3, 0],
      [2, 2],
    ] as const) {
      const x = sequence(0);
      const y = climb(x, 3);
      for (let i = 0; i < before; i++) crowd();
      x.set(-5, np.slice(0, 10));
      const z = climb(x, 2);
      for (let i = 0; i < after; i++) crowd();
      np.add(x, 1, { out: x });
      crowd();
      same(
        y,
        list(i => i + 3),
      );
      same(
        z,
        list(i => (i < 10 ? -3 : i + 2)),
      );
      same(
        x,
        list(i => (i < 10 ? -4 : i + 1)),
      );
    }
  });

  test("may be an array that the program disposed itself", () => {
    const x = sequence(0);
    const a = x.add(1);
    const b = a.multiply(2);
    const c = a.multiply(b);
    (a as unknown as { [Symbol.dispose](): void })[Symbol.dispose ?? Symbol.for("Symbol.dispose")]();
    crowd();
    x.set(7);
    crowd();
    same(
      b,
      list(i => 2 * (i + 1)),
    );
    same(
      c,
      list(i => 2 * (i + 1) ** 2),
    );
    expect(() => a.add(1)).toThrow(/released/);
  });

  test("may be read by two, each of which two read: a chain takes as many steps as it has", () => {
    let [x, y] = [sequence(0), sequence(1)];
    let [a, b] = [list(i => i), list(i => i + 1)];
    for (let k = 0; k < 60; k++) {
      [x, y] = npx.scope(() => [y.multiply(1), x.add(y).multiply(0.5)] as [NDArray, NDArray]);
      [a, b] = [b, a.map((v, i) => (v + b[i]!) * 0.5)];
    }
    crowd();
    same(y, b);
    same(x, a);
  });
});

describe("a long chain", () => {
  test("can be read from its end, in little memory", () => {
    const kept = [sequence(0)];
    for (let i = 0; i < 100; i++) kept.push(kept[i]!.add(1));
    crowd();
    const { wasm } = npx.memoryInfo();
    for (let i = 100; i >= 0; i--) expect(kept[i]!.item(17)).toBe(17 + i);
    for (let i = 100; i >= 0; i -= 9)
      same(
        kept[i]!,
        list(j => j + i),
      );
    expect(npx.memoryInfo().wasm).toBeLessThan(wasm + 40 * 8 * N);
  });
});

describe("a call with which much comes back", () => {
  /** What a program gives in memory that holds everything, with nothing else in it, and what it gives here after so many other arrays. */
  function compare(program: (others: number) => number, most: number): void {
    npx.setMemoryLimit(2 ** 30);
    const expected = program(0);
    npx.setMemoryLimit(LEAST);
    const found = Array.from({ length: most }, (_, others) => program(others));
    expect(found).toEqual(found.map(() => expected));
  }

  test("keeps an operand where it is that the other one is computed from again, in many steps", () => {
    const functions = [(x: NDArray) => npx.layerNorm(x), (x: NDArray) => npx.softmax(x), (x: NDArray) => npx.logSoftmax(x)];
    for (const f of functions)
      compare(() => {
        const x = np
          .sin(np.arange(150_000, { dtype: "float64" }))
          .reshape([30_000, 5])
          .copy();
        const y = f(x);
        crowd();
        // Nothing else was used of late.
        for (let i = 0; i < 10; i++) x.item(0, 0);
        return np.vdot(x, y).item();
      }, 3);
  });

  test("keeps a 0-d operand where it is while what computes the other one again has 0-d results", () => {
    compare(
      others => {
        const scale = np.array(7, { dtype: "float64" }).add(0);
        let y = np.sin(sequence(0)).reshape([1, N]);
        for (let i = 0; i < 7; i++) y = npx.softmax(y);
        for (let i = 0; i < others; i++) np.add(scale, i);
        crowd();
        return scale.multiply(y).sum().item();
      },
      LESS ? 24 : 130,
    );
  });

  test("keeps a small operand where it is while what computes the other one again has small results", () => {
    compare(
      others => {
        const row = np.arange(200, { dtype: "float64" }).add(0);
        const ones = np.ones(200, { dtype: "float64" });
        let y = np.sin(np.arange(40_000, { dtype: "float64" })).reshape([200, 200]);
        for (let i = 0; i < 7; i++) y = npx.layerNorm(y, row, ones);
        for (let i = 0; i < others; i++) ones.add(i);
        crowd();
        return row.multiply(y).sum().item();
      },
      LESS ? 12 : 40,
    );
  });

  test("keeps the number it has already set, and the array it has already addressed", () => {
    const x = sequence(0);
    const y = np.subtract(5, x);
    let z = y;
    for (let i = 0; i < 6; i++) z = z.add(y);
    crowd();
    same(
      np.subtract(1000, y),
      list(i => 1000 - (5 - i)),
    );
    crowd();
    const fresh = sequence(3);
    for (let i = 0; i < 5; i++) fresh.add(i);
    same(
      np.subtract(fresh, z),
      list(i => i + 3 - 7 * (5 - i)),
    );
  });

  test("keeps the first of three operands while the second is computed again and the third copied back", () => {
    const x = sequence(0);
    let y = x.multiply(2);
    for (let i = 0; i < 6; i++) y = y.add(1);
    const [a, b] = [sequence(2), sequence(3)];
    crowd();
    a.add(1);
    const middle = np.where(a, y, b);
    same(
      middle,
      list(i => 2 * i + 6),
    );
    crowd();
    a.add(1);
    const all = npx.fuse((p: NDArray, q: NDArray, r: NDArray) => p.multiply(1000).add(q).subtract(r))(a, y, b);
    same(
      all,
      list(i => (i + 2) * 1000 + 2 * i + 6 - (i + 3)),
    );
  });

  test("a cotangent that was added to in place is not computed again as it was before", () => {
    class Crowded extends autograd.Function {
      override forward(x: NDArray): NDArray {
        return x.multiply(4);
      }
      override backward(dy: NDArray): NDArray {
        crowd();
        return dy.multiply(4);
      }
    }
    const x = sequence(1);
    x.attachGrad();
    autograd
      .record(() => {
        const oldest = new Crowded().apply(x);
        const older = x.multiply(2);
        return x.add(x).add(older).add(oldest);
      })
      .backward();
    same(x.grad!, new Float64Array(N).fill(8));
  });
});

describe.each([
  [LARGE, 14, 200],
  [MIDDLE, 14, 200],
  [SMALL, 80, 1000],
] as const)("random programs on arrays of %d elements in the least memory", (size, most, steps) => {
  for (let seed = 0; seed < 12; seed++)
    test(`number ${seed}`, () => {
      N = size;
      const next = randomNumbers(seed + 1);
      const pick = (n: number): number => Math.floor(next() * n);
      const arrays: [NDArray, Float64Array][] = [];
      const add = (x: NDArray, y: Float64Array): void => {
        if (arrays.length < most) arrays.push([x, y]);
        else arrays[pick(most)] = [x, y];
      };
      for (let i = 0; i < 3; i++)
        add(
          sequence(i),
          list(j => j + i),
        );
      for (let step = 0; step < steps; step++) {
        const [x, a] = arrays[pick(arrays.length)]!;
        const [y, b] = arrays[pick(arrays.length)]!;
        const c = pick(9) - 4;
        switch (pick(10)) {
          case 0:
          case 1:
            add(
              x.add(y),
              a.map((v, i) => v + b[i]!),
            );
            break;
          case 2:
            add(
              x.subtract(y),
              a.map((v, i) => v - b[i]!),
            );
            break;
          case 3:
            add(
              np.maximum(x, y).multiply(0.5),
              a.map((v, i) => Math.max(v, b[i]!) * 0.5),
            );
            break;
          case 4:
            add(
              x.multiply(0.25).add(c),
              a.map(v => v * 0.25 + c),
            );
            break;
          case 5:
            add(
              npx.scope(() => {
                const mean = x.add(y).multiply(0.5);
                return mean.add(mean.multiply(mean).multiply(0)).subtract(c).negative().multiply(2).add(mean);
              }),
              a.map((v, i) => {
                const mean = (v + b[i]!) * 0.5;
                return -(mean + mean * mean * 0 - c) * 2 + mean;
              }),
            );
            break;
          case 6: {
            const [from, to] = [pick(N), pick(N)].sort((p, q) => p - q) as [number, number];
            x.set(c, np.slice(from, to));
            a.fill(c, from, to);
            break;
          }
          case 7:
            np.add(x, c, { out: x });
            a.forEach((v, i) => {
              a[i] = v + c;
            });
            break;
          case 8: {
            if (pick(3) === 0) crowd();
            const at = pick(N);
            expect(x.item(at)).toBe(a[at]);
            break;
          }
          default:
            add(
              x.at(np.slice(null, null, -1)).add(y),
              Float64Array.from(a, (_, i) => a[N - 1 - i]! + b[i]!),
            );
        }
      }
      for (const [x, a] of arrays) same(x, a);
    });
});
