/**
 * Arrays whose memory moves: pools too large for it, combined and written at random beside plain numbers. No write may
 * be lost and no operand be another, however old.
 */
import { autograd, type NDArray, np, npx } from "nabla";
import { describe, expect, test } from "vitest";
import { allocate } from "../src/backend/wasm/heap.ts";
import { randomNumbers, valuesOf } from "./support/sampling.ts";

const list = (x: NDArray | null): unknown => (x === null ? null : x.tolist());
const { record } = autograd;

describe("memory that moves", () => {
  /** Fills the rings of small arrays a little further. */
  const churn = (bytes: number): void => {
    for (let done = 0; done < bytes; done += 1024) allocate(1024);
  };
  test("a small array written in place while its operand comes back", () => {
    // Operands of every age: whichever slab is cleared while one of them comes back, the write must not be lost.
    const wrong: string[] = [];
    for (let gap = 0; gap < 40; gap++) {
      const old = np.ones(256).mul(3);
      churn(gap * 2048);
      const x = np.ones(256).mul(5);
      for (let step = 0; step < 40; step++) {
        const expected = valuesOf(x)[0]! + 3;
        churn((step * 4 + gap) * 1024);
        x.iadd(old);
        const got = valuesOf(x)[0]!;
        if (got !== expected) wrong.push(`gap ${gap}, step ${step}: ${got}, not ${expected}`);
      }
    }
    expect(wrong.slice(0, 3)).toEqual([]);
  });
  test.each([
    ["0-d arrays", [0], 4000],
    ["small arrays", [1, 2, 7, 64, 300, 511], 1500],
    ["arrays of every size", [0, 1, 30, 512, 513, 5000, 40_000], 150],
  ])("%s of a large pool, combined and written at random, beside plain numbers", (_, sizes, count) => {
    const random = randomNumbers(5);
    const pick = (n: number): number => Math.floor(random() * n);
    // Every element of an array is the same number; float32 holds it exactly.
    const pool = Array.from({ length: count }, (_, i) => {
      const n = sizes[i % sizes.length]!;
      const value = pick(1000);
      return { x: n === 0 ? np.array(value) : i % 3 === 0 ? np.full(n, value) : np.ones(n).mul(value), n, value };
    });
    const same = (n: number): (typeof pool)[number] => {
      for (;;) {
        const item = pool[pick(count)]!;
        if (item.n === n) return item;
      }
    };
    for (let turn = 0; turn < (count > 1000 ? 20_000 : 3000); turn++) {
      const a = pool[pick(count)]!;
      const b = same(a.n);
      const c = same(a.n);
      const kind = pick(7);
      if (kind === 0) [a.x, a.value] = [b.x.add(c.x), b.value + c.value];
      else if (kind === 1) {
        a.x.iadd(b.x);
        a.value += b.value;
      } else if (kind === 2) {
        np.maximum(b.x, c.x, { out: a.x });
        a.value = Math.max(b.value, c.value);
      } else if (kind === 3) {
        a.x.set(b.x);
        a.value = b.value;
      } else if (kind === 4) [a.x, a.value] = [np.where(b.x.gt(c.x), b.x, c.x).copy(), Math.max(b.value, c.value)];
      else if (kind === 5) {
        a.x.set(b.value);
        a.value = b.value;
      } else if (a.n > 1) {
        a.x.at("::-1").set(b.x);
        a.value = b.value;
      }
      if (a.value > 1000) {
        a.x.set(a.value % 7);
        a.value %= 7;
      }
      for (const item of [a, b, c]) {
        const values = item.x.toTypedArray();
        if (values[0] !== item.value || values[values.length - 1] !== item.value)
          throw new Error(
            `turn ${turn}, operation ${kind}: ${values[0]} … ${values[values.length - 1]}, not ${item.value}, in an array of ${item.n}`,
          );
      }
    }
    for (const { x, value } of pool) expect(x.toTypedArray().every(v => v === value)).toBe(true);
  });
  test.each([1, -1])("a 0-d result that a graph keeps, written after its memory moved (times %d)", sign => {
    const x = np.array(2, { dtype: "float64" }).attachGrad();
    const [y, z] = record(() => {
      const a = x.exp().mul(sign);
      return [a, a.mul(x)];
    }) as [NDArray, NDArray];
    const e = y.item() as number;
    const kept = Array.from({ length: 5000 }, (_, i) => np.ones([]).mul(i));
    const before = npx.memoryInfo().wasm;
    y.set(7);
    expect(npx.memoryInfo().wasm - before).toBeLessThan(2 ** 24);
    expect(y.item()).toBe(7);
    y.iadd(1);
    const after = np.array([1, 2, 3]).mul(2);
    z.backward();
    expect(x.grad!.item()).toBe(3 * e);
    expect(y.item()).toBe(8);
    expect(list(after)).toEqual([2, 4, 6]);
    expect(kept.every((k, i) => k.item() === i)).toBe(true);
  });
  test("views of large arrays after many others", () => {
    const base = np.arange(100_000);
    const view = base.at("::7").at("10:20");
    for (let i = 0; i < 30; i++) np.ones(100_000).mul(i);
    expect(valuesOf(view)).toEqual(Array.from({ length: 10 }, (_, i) => (i + 10) * 7));
    view.iadd(1);
    expect(base.item(70)).toBe(71);
  });
});
