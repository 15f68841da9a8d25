/**
 * The walk gives the memory of large cotangents back while it passes, those that several nodes hold with the last of
 * them. Each program runs on large arrays, where that is so, and on small ones, where it is not: the same bits.
 */
import { autograd, grad, type NDArray, np } from "nabla";
import { describe, expect, test } from "vitest";
import { randomNumbers } from "./support/sampling.ts";

const ROW = [0.5, -1.25, 2, 0.75];
const LARGE = 2048;

class Keeper extends autograd.Function {
  static kept: NDArray[] = [];
  override forward(x: NDArray): NDArray {
    return x.multiply(2);
  }
  override backward(dy: NDArray): NDArray {
    Keeper.kept.push(dy);
    return dy;
  }
}

/** Rows of ROW, scaled. */
const rows = (n: number, scale: number): NDArray =>
  np
    .broadcastTo(np.array(ROW, { dtype: "float64" }), [n, 4])
    .copy()
    .multiply(scale);

/** What is seen of a program of random operators on n rows: gradients of all kinds. */
function run(seed: number, n: number): NDArray[] {
  const next = randomNumbers(seed);
  const pick = (k: number): number => Math.floor(next() * k);
  const [x, y] = [rows(n, 1).attachGrad(), rows(n, 3).attachGrad(pick(2) === 0 ? "add" : "write")];
  const head = rows(n, 0.25);
  Keeper.kept = [];
  const seen: NDArray[] = [];
  const inner: NDArray[] = [];
  const program = (p: NDArray, q: NDArray): NDArray => {
    const made = [p, q, p.add(q)];
    for (let step = 0; step < 14; step++) {
      const a = made[pick(made.length)]!;
      const b = made[pick(made.length)]!;
      let c: NDArray;
      switch (pick(11)) {
        case 0:
          c = a.add(b);
          break;
        case 1:
          c = a.add(a);
          break;
        case 2:
          c = a.multiply(0.5).subtract(b);
          break;
        case 3:
          c = np.tanh(a.multiply(b));
          break;
        case 4:
          c = a.reshape(-1).reshape(n, 4).add(b);
          break;
        case 5:
          c = a.T.add(b.T).T;
          break;
        case 6:
          c = np.stack([a, b]).sum(0);
          break;
        case 7:
          c = new Keeper().apply(a);
          break;
        case 8:
          c = np.where(a.gt(b), a, b);
          break;
        case 9:
          c = a.subtract(b.mean(1, { keepdims: true }));
          break;
        default:
          c = a.copy();
          c.set(b.at(np.slice(), 1), np.slice(), 0);
      }
      made.push(c);
      if (pick(6) === 0 && c.size === 4 * n) inner.push(c);
    }
    return made.reduce((s, v) => s.add(v));
  };
  const result = autograd.record(() => {
    const out = program(x, y);
    for (const c of inner) if (c.edge !== null) c.retainGrad();
    return out;
  });
  result.backward(head, { retainGraph: true });
  seen.push(x.grad!.copy(), y.grad!.copy(), ...inner.flatMap(c => (c.grad == null ? [] : [c.grad.copy()])));
  const [gx] = autograd.grad([result], [x, ...inner.filter(c => c.edge !== null)], { headGrads: [head], retainGraph: true });
  seen.push(gx!);
  result.backward(gx!.multiply(0.5));
  seen.push(gx!, head, x.grad!, y.grad!, ...Keeper.kept);
  inner.length = 0;
  seen.push(grad((p: NDArray) => program(p, y).sum())(rows(n, 2)));
  return seen;
}

describe("random programs on large and on small arrays", () => {
  for (let seed = 1; seed <= 60; seed++)
    test(`number ${seed}`, () => {
      const [small, large] = [run(seed, 2), run(seed, LARGE)];
      expect(large.length).toBe(small.length);
      small.forEach((s, i) => {
        const want = s.tolist() as number[][];
        const have = large[i]!.tolist() as number[][];
        expect(have.length).toBe(LARGE);
        for (const at of [0, 1, 700, LARGE - 1]) expect(have[at]).toEqual(want[at % 2]);
        expect(have.every(row => row.every((v, k) => Object.is(v, have[0]![k])))).toBe(true);
      });
    });
});
