/** Gradients through indices of every kind, read and written; reads of parts of an array that add up in one gradient; orders. */
import { autograd, grad, type NDArray, np } from "nabla";
import { describe, expect, test } from "vitest";
import { expectDerivatives, randomArray } from "./support/derivatives.ts";
import { int32 } from "./support/sample.ts";
import { type Next, randomNumbers, sizeOf, valuesOf } from "./support/sampling.ts";

const { record } = autograd;
const below = (n: number, next: Next): number => Math.floor(next() * n);
const pick = <T>(list: readonly T[], next: Next): T => list[below(list.length, next)]!;

/** A random index for an array of the shape; its lists broadcast. */
function randomIndex(shape: readonly number[], next: Next): unknown[] {
  const lists = pick(
    [
      [[2, 3], [3], [2, 1], []],
      [[2], [1], []],
      [[0], [1]],
    ],
    next,
  );
  const count = lists[0]!.at(-1)!;
  const items: unknown[] = [];
  for (let axis = 0; axis < shape.length && next() < 0.95; ) {
    const n = shape[axis]!;
    const kind = below(9, next);
    if (kind === 0) items.push(below(2 * n, next) - n);
    else if (kind === 1) items.push(np.slice(pick([null, 1, -2], next), pick([null, n - 1], next), pick([null, 2, -1, -2], next)));
    else if (kind === 2 || kind === 3) {
      const s = pick(lists, next);
      const list = Array.from({ length: sizeOf(s) }, () => below(2 * n, next) - n);
      items.push(int32(list, s));
    } else if (kind === 4 || kind === 5) {
      const covered = shape.slice(axis, axis + (kind - 3));
      const flat = new Array<boolean>(sizeOf(covered)).fill(false);
      for (let k = 0; k < Math.min(count, flat.length); k++) flat[(k * 2) % flat.length] = true;
      items.push(np.array(flat).reshape([...covered]));
      axis += covered.length - 1;
    } else if (kind === 6) items.push(null);
    else if (kind === 7) {
      items.push(next() < 0.5);
      continue;
    } else if (!items.includes("...")) {
      items.push("...");
      axis = Math.max(axis, shape.length - below(2, next)) - 1;
    }
    if (kind !== 6) axis++;
  }
  return items;
}

function reads(x: NDArray, items: unknown[]): NDArray | null {
  try {
    return x.at(...(items as number[]));
  } catch {
    // Lists that do not broadcast, items too many.
    return null;
  }
}

const show = (items: unknown[]): string =>
  items.map(i => (typeof i === "object" && i !== null ? `${JSON.stringify(i)} ${i}` : i)).join(", ");

describe("gradients of order 1 and 2 through every index", () => {
  test("read", () => {
    const next = randomNumbers(7);
    for (let k = 0; k < 250; k++) {
      const shape = Array.from({ length: 1 + below(3, next) }, () => 1 + below(4, next));
      const x = randomArray(shape, "float64", next);
      const items = randomIndex(shape, next);
      if (reads(x, items) === null) continue;
      expectDerivatives(`at [${shape}]: ${show(items)}`, v => np.square(v!.at(...(items as number[]))), [x], 2, next);
      expectDerivatives(`at [${shape}] turned: ${show(items)}`, v => np.square(v!.T.at(...(items as number[]))), [x.T.copy()], 1, next);
    }
  });

  test("written", () => {
    const next = randomNumbers(8);
    for (let k = 0; k < 200; k++) {
      const shape = Array.from({ length: 1 + below(3, next) }, () => 1 + below(4, next));
      const x = randomArray(shape, "float64", next);
      const items = randomIndex(shape, next);
      const target = reads(x, items);
      if (target === null) continue;
      const v = randomArray(
        target.shape.slice(below(2, next)).map(n => (next() < 0.3 ? 1 : n)),
        "float64",
        next,
      );
      const through = (a: NDArray, b: NDArray): NDArray => {
        const y = np.copy(a);
        y.set(np.square(b), ...(items as number[]));
        return np.multiply(np.square(y), y.at("::-1"));
      };
      expectDerivatives(`set [${shape}]: ${show(items)}`, (a, b) => through(a!, b!), [x, v], 2, next);
    }
  });

  test("a chain of writes and reads", () => {
    const next = randomNumbers(9);
    const f = (x: NDArray): NDArray => {
      const y = np.copy(x);
      for (let i = 1; i < 6; i++) y.set(y.at(i - 1).mul(y.at(i)), i);
      y.set(y.at([0, 2, 2]).mul(3), [3, 3, 4]);
      return y.at("::-1").at([0, 1, 5]).add(y.at(4));
    };
    expectDerivatives("chain", x => f(x!), [randomArray([6], "float64", next)], 2, next);
  });
});

describe("many reads of one array", () => {
  const values = Float64Array.from({ length: 24 }, (_, i) => i / 8 - 1);
  const make = (): NDArray => np.array(values, { dtype: "float64" }).reshape(4, 6);

  test("through views of views, beside whole uses, add up", () => {
    const f = (x: NDArray): NDArray => {
      let s = x.mul(x).sum();
      for (let i = 0; i < 4; i++) s = s.add(x.at(i).mul(i).sum());
      for (let i = 0; i < 6; i++) s = s.add(x.T.at(i).at("::-1").at(1).mul(i));
      s = s
        .add(x.reshape(6, 4).at([1, 1, 5]).sum())
        .add(x.at("1:3").at(1).at(2))
        .add(x.T.reshape(4, 6).at(3).sum());
      return s.add(x.add(x).at(2, 3));
    };
    const x = make().attachGrad();
    record(() => f(x)).backward();
    const first = valuesOf(x.grad!);
    const second = valuesOf(grad(f)(make()));
    expect(first).toEqual(second);
    // By differences, which are exact for a quadratic.
    const at = (i: number, h: number): number =>
      f(
        np
          .array(
            values.map((v, k) => (k === i ? v + h : v)),
            { dtype: "float64" },
          )
          .reshape(4, 6),
      ).item() as number;
    values.forEach((_, i) => expect(first[i]!).toBeCloseTo((at(i, 0.5) - at(i, -0.5)) / 1, 9));
  });

  test("a view whose gradient is kept has it", () => {
    const x = make().attachGrad();
    const [y, row] = record(() => {
      const v = x.at(1).retainGrad();
      return [
        v
          .at(2)
          .mul(5)
          .add(v.at([2, 2, 0]).sum())
          .add(x.at(1, 2)),
        v,
      ];
    });
    y.backward();
    expect(valuesOf(row.grad!)).toEqual([1, 0, 7, 0, 0, 0]);
    expect(valuesOf(x.grad!).slice(6, 12)).toEqual([1, 0, 8, 0, 0, 0]);
  });

  test("a view as a variable of grad beside its array", () => {
    const x = make().attachGrad();
    record(() => {
      const v = x.at(1);
      const y = v.at(2).mul(5).add(v.at(0));
      const [gx, gv] = autograd.grad(y, [x, v], { retainGraph: true });
      expect(valuesOf(gv!)).toEqual([1, 0, 5, 0, 0, 0]);
      expect(valuesOf(gx!).slice(6, 12)).toEqual([1, 0, 5, 0, 0, 0]);
      expect(autograd.grad(y, v).tolist()).toEqual([1, 0, 5, 0, 0, 0]);
    });
  });

  test("gradReq add, two backwards, and a head that is a view", () => {
    const x = make().attachGrad("add");
    for (let k = 0; k < 2; k++) record(() => x.at(0).at(1).add(x.T.at(1).sum())).backward();
    expect(valuesOf(x.grad!).filter(v => v !== 0)).toEqual([4, 2, 2, 2]);
    const y = record(() => x.at(3));
    y.backward(np.arange(6).astype("float64"));
    expect(valuesOf(x.grad!).slice(18)).toEqual([0, 3, 2, 3, 4, 5]);
  });

  test("a head gradient is not written to", () => {
    const x = make().attachGrad();
    const g = np.ones([4, 6], { dtype: "float64" });
    const [y, z] = record(() => [x.mul(1), x.at(1)]);
    autograd.backward([y, z], [g, null]);
    expect(valuesOf(g).every(v => v === 1)).toBe(true);
    expect(valuesOf(x.grad!).slice(4, 8)).toEqual([1, 1, 2, 2]);
  });

  test.skipIf(process.env.TORTURE === "on")("cost what is read, not the whole each time", () => {
    const time = (rows: number): number => {
      const x = np.ones([rows, 64]).attachGrad();
      const times = Array.from({ length: 6 }, () => {
        const begun = performance.now();
        record(() =>
          Array.from({ length: rows }, (_, i) => x.at(i))
            .reduce((s, v) => s.add(v))
            .sum(),
        ).backward();
        return performance.now() - begun;
      });
      return Math.min(...times);
    };
    time(300);
    // Ten times the rows are ten times the work, and not a hundred times.
    const few = time(300);
    expect(time(3000) / few).toBeLessThan(40);
  });
});

describe("order", () => {
  test("a partition has smaller elements before, larger behind", () => {
    const next = randomNumbers(3);
    for (let k = 0; k < 40; k++) {
      const n = 1 + below(60, next);
      const x = np.array(Float64Array.from({ length: n }, () => below(12, next)));
      const place = below(n, next);
      const y = valuesOf(np.partition(x, place));
      const z = valuesOf(np.takeAlongAxis(x, np.argpartition(x, place), 0));
      for (const v of [y, z]) {
        expect(v.slice(0, place).every(e => e <= v[place]!)).toBe(true);
        expect(v.slice(place).every(e => e >= v[place]!)).toBe(true);
        expect([...v].sort((a, b) => a - b)).toEqual([...valuesOf(x)].sort((a, b) => a - b));
      }
    }
  });

  test("a partition of nothing takes any place", () => {
    for (const f of [np.partition, np.argpartition]) {
      expect(f(np.zeros([0, 3]), 5, 0).shape).toEqual([0, 3]);
      expect(f(np.zeros([2, 0]), [0, -1], null).shape).toEqual([0]);
    }
  });

  test("interp of operands of several dtypes has the digits of the widest", () => {
    const [xp, fp] = [np.array([0, 3, 5], { dtype: "int32" }), np.array([0, 1, 2])];
    expect(np.interp(Float64Array.of(1, 4), xp, fp).tolist()).toEqual([1 / 3, 1.5]);
    expect(np.interp(Float64Array.of(1.1), xp, fp, { period: 7 }).tolist()).toEqual([1.1 / 3]);
    const wide = np.array([16777217, 16777219], { dtype: "int32" });
    expect(np.interp(Float64Array.of(16777218), wide, [0, 1]).tolist()).toEqual([0.5]);
  });

  test("interp: slopes on either side, 0 outside, exact at the points", () => {
    const line = (x: NDArray): NDArray => np.interp(x, [0, 1, 3], [0, 2, 0]).sum();
    expect(valuesOf(grad(line)([-1, 0.5, 2, 9]))).toEqual([0, 2, -1, 0]);
    expect(np.interp([0, 1, 3], [0, 1, 3], [0.1, 0.7, 0.3]).tolist()).toEqual(np.array([0.1, 0.7, 0.3]).tolist());
  });
});
