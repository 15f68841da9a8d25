/**
 * What nabla means, case by case: the chapter's cells (S), its exercises (E), flags (R), buffers (G), heads (B), writes (M),
 * views (V), higher order (H), Function (F), dtypes and special values (D), printing (P); then the decisions behind them (Z)
 * and the details of the contract (K), npx and random (N). The names carry the cases' numbers; the rows that wait for a
 * function stand at the end.
 */
import { inspect } from "node:util";
import { autograd, checkGrad, GradError, grad, hessian, jacobian, type NDArray, np, npx, valueAndGrad, vjp } from "nabla";
import { afterEach, describe, expect, test } from "vitest";

const { record, pause, predictMode, trainMode } = autograd;
const flags = (): [boolean, boolean] => [autograd.isRecording(), autograd.isTraining()];
const vector = (...values: number[]): NDArray => np.array(values).attachGrad();
const list = (x: NDArray | null): unknown => (x === null ? null : x.tolist());
/** The number of an array of size 1. */
const value = (x: NDArray): number => Number(x.item());

/** What a call throws, as "Class: message". */
function thrown(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
  return "nothing";
}

/** Elements in a bound that a float32 result has. */
function expectClose(x: NDArray | null, wanted: readonly number[], tolerance = 1e-6): void {
  const got = Array.from(x!.toTypedArray());
  expect(got.length).toBe(wanted.length);
  wanted.forEach((w, i) => {
    if (!Object.is(got[i], w) && !(Math.abs(got[i]! - w) <= tolerance * Math.max(1, Math.abs(w))))
      expect.fail(`${inspect(x)}, wanted [${wanted}]`);
  });
}

afterEach(() => {
  expect(flags(), "flags after a case").toEqual([false, false]);
  npx.setNp();
});

describe("the chapter's cells", () => {
  /** The chapter's function whose course depends on the data. */
  function f(a: NDArray): NDArray {
    let b = a.mul(2);
    while (value(np.linalg.norm(b)) < 1000) b = b.mul(2);
    return value(b.sum()) > 0 ? b : b.mul(100);
  }

  for (const comparison of ["bool", "float32"] as const) {
    const all = comparison === "bool" ? "array([ True,  True,  True,  True])" : "array([1., 1., 1., 1.])";

    test(`S01-S10, comparisons in ${comparison}`, () => {
      npx.setNp({ comparison });
      const x = np.arange(4);
      expect(inspect(x), "S01").toBe("array([0., 1., 2., 3.])");
      x.attachGrad();
      expect(inspect(x.grad), "S02").toBe("array([0., 0., 0., 0.])");
      let y = record(() => np.dot(x, x).mul(2));
      expect([inspect(y), y.shape], "S03").toEqual(["array(28.)", []]);
      y.backward();
      expect(inspect(x.grad), "S04").toBe("array([ 0.,  4.,  8., 12.])");
      expect(inspect(x.grad!.eq(x.mul(4))), "S05").toBe(all);
      y = record(() => x.sum());
      y.backward();
      expect(inspect(x.grad), "S06").toBe("array([1., 1., 1., 1.])");
      y = record(() => x.mul(x));
      y.backward();
      const u = x.copy().attachGrad();
      record(() => u.mul(u).sum()).backward();
      expect([list(x.grad), inspect(x.grad!.eq(u.grad!))], "S07").toEqual([[0, 2, 4, 6], all]);
      let held: NDArray | undefined;
      const z = record(() => {
        y = x.mul(x);
        held = y.detach();
        return held.mul(x);
      });
      z.backward();
      expect([list(x.grad), inspect(x.grad!.eq(held!))], "S08").toEqual([[0, 1, 4, 9], all]);
      y.backward();
      expect([list(x.grad), inspect(x.grad!.eq(x.mul(2)))], "S09").toEqual([[0, 2, 4, 6], all]);
      const w = np.ones(4).mul(2).attachGrad();
      let v: NDArray | undefined;
      record(() => {
        v = x.mul(w).attachGrad();
        return v.mul(5).sub(x);
      }).backward();
      expect(
        [x.grad, v!.grad, w.grad].map(g => inspect(g)),
        "S10",
      ).toEqual(["array([-1., -1., -1., -1.])", "array([5., 5., 5., 5.])", "array([0., 0., 0., 0.])"]);
    });

    test(`S11-S13, comparisons in ${comparison}`, () => {
      npx.setNp({ comparison });
      const yes = comparison === "bool" ? "array(True)" : "array(1.)";
      const no = comparison === "bool" ? "array(False)" : "array(0.)";
      for (const [id, start, value, slope, answer] of [
        ["S11", 0.5, 1024, 2048, yes],
        ["S12", -0.5, -102400, 204800, yes],
        ["S13", -0.649, -0.649 * 204800, 204800, no],
      ] as const) {
        const a = np.array(start).attachGrad();
        const d = record(() => f(a));
        d.backward();
        expect([d.shape, a.grad!.item(), inspect(a.grad!.eq(d.div(a)))], id).toEqual([[], slope, answer]);
        expectClose(d, [value]);
      }
    });
  }

  test("S14", () => {
    const x = np.random.normal();
    expect([x.shape, x.dtype]).toEqual([[], "float32"]);
    expect(list(x.attachGrad().grad)).toBe(0);
    // Many times: each loop has another length, so that results and cotangents come to lie in ever other places.
    np.random.seed(4);
    const wrong: number[] = [];
    for (let i = 0; i < 8000; i++) {
      const a = np.random.normal().attachGrad();
      const d = record(() => f(a));
      d.backward();
      if (!(Math.abs((value(a.grad!) * value(a)) / value(d) - 1) < 1e-6)) wrong.push(i);
    }
    expect(wrong).toEqual([]);
  });

  test("S15", () => {
    expect([autograd.isTraining(), record(() => autograd.isTraining())]).toEqual([false, true]);
  });

  test("S16", () => {
    expect([npx.setNp(), npx.waitall()]).toEqual([undefined, undefined]);
  });

  test("E1a", () => {
    const x = vector(1, 2, 3);
    const g = record(() => autograd.grad(x.pow(3).sum(), [x], { createGraph: true })[0]!);
    expect(list(g)).toEqual([3, 12, 27]);
    g.backward();
    expect(list(x.grad)).toEqual([6, 12, 18]);
  });

  test("E1b", () => {
    const x = np.arange(4).attachGrad();
    const y = record(() => np.dot(x, x).mul(2));
    const before = autograd.graphSize(y);
    const g = record(() => autograd.grad(y, x, { createGraph: true }));
    expect(autograd.graphSize(g)).toBeGreaterThan(before);
    const rows = np.eye(4).tolist() as number[][];
    expect(rows.map(row => list(autograd.grad(g, x, { headGrads: np.array(row), retainGraph: true })))).toEqual(np.eye(4).mul(4).tolist());
  });

  test("E2a", () => {
    const x = np.arange(4).attachGrad();
    const y = record(() => np.dot(x, x).mul(2));
    y.backward();
    expect(thrown(() => y.backward())).toMatch(/^GradError: .*freed by an earlier backward.*retainGraph/);
    expect(list(x.grad)).toEqual([0, 4, 8, 12]);
  });

  test("E2b, E2c", () => {
    for (const [req, wanted] of [
      ["write", [0, 4, 8, 12]],
      ["add", [0, 8, 16, 24]],
    ] as const) {
      const x = np.arange(4).attachGrad(req);
      const y = record(() => np.dot(x, x).mul(2));
      y.backward(null, { retainGraph: true });
      y.backward();
      expect(list(x.grad)).toEqual(wanted);
      expect(thrown(() => y.backward())).toMatch(/^GradError: .*retainGraph/);
      expect(list(x.grad)).toEqual(wanted);
    }
  });

  test("E3a-E3d", () => {
    for (const [id, start, value, slope] of [
      ["E3a", [1, -2, 3], [512, -1024, 1536], 512],
      [
        "E3b",
        [
          [1, 2],
          [3, 4],
        ],
        [
          [256, 512],
          [768, 1024],
        ],
        256,
      ],
      ["E3c", [-1, 0.5], [-102400, 51200], 102400],
      ["E3d", [1, 0], [1024, 0], 1024],
    ] as const) {
      const a = np.array(start).attachGrad();
      const d = record(() => f(a));
      d.backward();
      expect([list(d), list(a.grad!.eq(slope).all())], id).toEqual([value, true]);
    }
    const a = np.array([1, 0]);
    expect(list(np.equal([1024, 1024], f(a).div(a)))).toEqual([true, false]);
  });

  test("E4a", () => {
    const piece = (x: NDArray): NDArray => {
      const v = x.item() as number;
      let y = x;
      if (v < 0.75) for (let i = 0; i < Math.floor(1 / (1 - v)); i++) y = y.mul(x);
      else y = y.mul(0);
      return y;
    };
    // At 0.5 the count is 2, so y is x³; each slope is that of the branch taken.
    const wanted = [0, 0.2, 0.4, 0.6, 0.8, 0.75, 1.08, 1.372, 0, 0];
    wanted.forEach((slope, i) => {
      const x = np.array(i / 10).attachGrad();
      record(() => piece(x)).backward();
      expectClose(x.grad, [slope], 1e-5);
    });
  });

  test("E4b", () => {
    const a = vector(0.3, -0.7);
    const c = record(() => {
      let b = a.mul(2);
      while (value(np.abs(b).sum()) < 1000) b = b.mul(2);
      return value(b.sum()) >= 0 ? b.at(0) : b.at(1);
    });
    c.backward();
    expect(list(a.grad)).toEqual([0, 1024]);
    expectClose(c, [-716.8]);
  });

  test("E5", () => {
    const x = vector(0, Math.PI / 6, Math.PI / 2, Math.PI);
    record(() => np.sin(x)).backward();
    expectClose(x.grad, [1, 0.8660254, -4.371139e-8, -1]);
    expectClose(x.grad!.at(2).mul(1e8), [-4.371139], 1e-5);
  });

  test("E6a-E6c", () => {
    const bids = vector(10, 7, 3);
    const price = record(() => np.sort(bids).at(1));
    price.backward();
    expect([list(price), list(bids.grad)], "E6a by sort").toEqual([7, [0, 1, 0]]);
    const second = record(() => npx.topk(bids, { k: 2, retTyp: "value" }).at(1));
    second.backward();
    expect([list(second), list(bids.grad)], "E6a by topk").toEqual([7, [0, 1, 0]]);
    record(() => bids.max()).backward();
    expect(list(bids.grad), "E6b").toEqual([1, 0, 0]);
    const tied = vector(10, 10, 3);
    const tie = record(() => np.sort(tied).at(1));
    tie.backward();
    expect([list(tie), list(tied.grad!.sum()), list(tied.grad!.max()), list(tied.grad!.at(2))], "E6c").toEqual([10, 1, 1, 0]);
  });
});

describe("scopes and flags", () => {
  test("R01-R05", () => {
    expect(flags(), "R01").toEqual([false, false]);
    expect([record(flags), record(flags, { trainMode: false })], "R02").toEqual([
      [true, true],
      [true, false],
    ]);
    record(() => {
      expect([pause(flags), flags(), pause(flags, { trainMode: true }), flags()], "R03").toEqual([
        [false, false],
        [true, true],
        [false, true],
        [true, true],
      ]);
      expect(predictMode(flags), "R04").toEqual([true, false]);
      expect(flags(), "R04").toEqual([true, true]);
    });
    expect(
      record(() => trainMode(flags), { trainMode: false }),
      "R04",
    ).toEqual([true, true]);
    expect(trainMode(flags), "R05").toEqual([false, true]);
  });

  test("R06", () => {
    for (const scope of [record, pause, trainMode, predictMode] as ((fn: () => unknown) => unknown)[]) {
      const boom = new Error("boom");
      const outer = (): unknown =>
        record(() => {
          expect(() =>
            scope(() => {
              throw boom;
            }),
          ).toThrow(boom);
          return flags();
        });
      expect(outer()).toEqual([true, true]);
      expect(() =>
        scope(() => {
          throw boom;
        }),
      ).toThrow(boom);
      expect(flags()).toEqual([false, false]);
    }
  });

  test("R07", () => {
    const seen: unknown[] = [];
    record(() => {
      record(() => {});
      seen.push(flags());
    });
    expect([...seen, flags()]).toEqual([
      [true, true],
      [false, false],
    ]);
  });

  test("R07 as scopes without a callback", () => {
    const outer = record();
    expect(flags()).toEqual([true, true]);
    const inner = pause({ trainMode: true });
    expect(flags()).toEqual([false, true]);
    inner.end();
    expect(flags()).toEqual([true, true]);
    const predict = predictMode();
    expect(flags()).toEqual([true, false]);
    const key = Symbol.dispose ?? Symbol.for("Symbol.dispose");
    (predict as unknown as Record<symbol, () => void>)[key as symbol]!();
    const off = record({ trainMode: false });
    expect(flags()).toEqual([true, false]);
    off.end();
    outer.end();
    const train = trainMode();
    expect(flags()).toEqual([false, true]);
    train.end();
  });

  test("R08", () => {
    expect([autograd.setRecording(true), autograd.setRecording(false), autograd.setTraining(true), autograd.setTraining(false)]).toEqual([
      false,
      true,
      false,
      true,
    ]);
    for (const wrong of [1, 0, null, undefined, "true"])
      for (const setter of [autograd.setRecording, autograd.setTraining])
        expect(thrown(() => setter(wrong as unknown as boolean))).toMatch(/^ValueError: .*true or false/);
  });

  test("R10", () => {
    const x = vector(1, 2);
    record(() => {
      x.mul(x).backward();
      expect(list(x.grad)).toEqual([2, 4]);
      expect(flags()).toEqual([true, true]);
      x.mul(3).backward();
    });
    expect(list(x.grad)).toEqual([3, 3]);
  });

  test("R12", () => {
    const x = np.ones([10, 10]).attachGrad();
    const y = record(() => npx.dropout(x, 0.5));
    y.backward();
    const kinds = new Set(y.toTypedArray());
    expect([...kinds].sort()).toEqual([0, 2]);
    expect(list(x.grad)).toEqual(list(y));
    expect(list(npx.dropout(x, 0.5))).toEqual(list(x));
    const same = record(() => predictMode(() => npx.dropout(x, 0.5).mul(1)));
    same.backward(null, { trainMode: false });
    expect([list(same), list(x.grad)]).toEqual([list(x), list(np.ones([10, 10]))]);
    expect(list(record(() => pause(() => npx.dropout(x, 0.5))))).toEqual(list(x));
  });

  test("R14", async () => {
    // The flags belong to the synchronous program: what would let them leak past an await is refused.
    let called = false;
    expect(
      thrown(() =>
        record(async () => {
          called = true;
        }),
      ),
    ).toMatch(/^GradError: .*asynchronous/);
    expect(called).toBe(false);
    expect(thrown(() => record(() => Promise.resolve(1)))).toMatch(/^GradError: .*asynchronous/);
    expect(flags()).toEqual([false, false]);
    await Promise.resolve();
    expect(flags()).toEqual([false, false]);
  });
});

describe("buffers", () => {
  test("G01-G03", () => {
    expect(np.array([1, 2]).grad, "G01").toBe(null);
    const x = np.array([[1, 2]], { dtype: "float64" }).attachGrad();
    expect([list(x.grad), x.grad!.shape, x.grad!.dtype], "G02").toEqual([[[0, 0]], [1, 2], "float64"]);
    expect(record(() => x.mul(2)).grad, "G03").toBe(null);
  });

  test("G04-G06", () => {
    const x = vector(1, 2);
    const g = x.grad!;
    record(() => x.mul(2)).backward();
    expect([list(g), x.grad === g], "G04").toEqual([[2, 2], true]);
    x.attachGrad();
    expect([list(x.grad), list(g)], "G05").toEqual([
      [0, 0],
      [2, 2],
    ]);
    const y = record(() => x.mul(3));
    const old = x.grad!;
    x.attachGrad();
    y.backward();
    expect([list(x.grad), list(old)], "G06").toEqual([
      [0, 0],
      [3, 3],
    ]);
  });

  test("G07-G09", () => {
    const x = np.array([1, 2]).attachGrad("add");
    record(() => x.mul(x)).backward();
    expect(list(x.grad), "G07").toEqual([2, 4]);
    record(() => x.mul(x)).backward();
    expect(list(x.grad), "G07").toEqual([4, 8]);
    x.grad!.set(0);
    record(() => x.mul(x)).backward();
    expect(list(x.grad), "G08").toEqual([2, 4]);
    x.zeroGrad();
    record(() => x.mul(x).add(x)).backward();
    expect(list(x.grad), "G09").toEqual([3, 5]);
  });

  test("G11, G12", () => {
    const x = np.array([1, 2]).attachGrad("null");
    const w = vector(5, 6);
    record(() => x.mul(w)).backward();
    expect([list(w.grad), x.grad], "G11").toEqual([[1, 2], null]);
    expect(
      thrown(() => record(() => x.mul(2)).backward()),
      "G12",
    ).toMatch(/^GradError: .*require gradients/);
  });

  test("G13", () => {
    expect(thrown(() => np.array([1]).attachGrad("foo" as "add"))).toMatch(/^ValueError: .*"write", "add" or "null".*"foo"/);
  });

  test("G14", () => {
    const x = vector(1, 2);
    const d = x.detach();
    expect(d.grad).toBe(null);
    d.set(9, 0);
    expect(list(x)).toEqual([9, 2]);
    expect(thrown(() => d.backward())).toMatch(/^GradError: .*detached/);
  });

  test("G17, G18", () => {
    const x = np.array([1, 2]);
    const dx = np.full(2, 7);
    autograd.markVariables([x], [dx]);
    expect(list(x.grad)).toEqual([7, 7]);
    record(() => x.mul(2)).backward();
    expect([list(dx), x.grad === dx], "G17").toEqual([[2, 2], true]);
    const y = np.array([1, 2]);
    const both = np.zeros(2);
    for (const [variables, gradients, reqs, message] of [
      [[y, x], [np.zeros(2), np.zeros(3)], "write", /^ShapeError/],
      [[y, x], [np.zeros(2), np.zeros(2, { dtype: "float64" })], "write", /^DTypeError/],
      [[y, x], [np.zeros(2)], "write", /^ValueError: .*2 variables.*1 gradients/],
      [[y, x], [np.zeros(2), np.zeros(2)], ["write"], /^ValueError/],
      [[y, x], [np.zeros(2), np.zeros(2)], "foo", /^ValueError: .*"write", "add" or "null"/],
      [[y, np.array([1], { dtype: "int32" })], [np.zeros(2), np.zeros(1, { dtype: "int32" })], "write", /^DTypeError: .*astype/],
      [[y, x], [np.zeros(2), np.broadcastTo(0, 2)], "write", /^ValueError: .*broadcast view/],
      [[y, x], [np.zeros(2), y.at("::-1")], "write", /^ValueError: .*memory of a variable/],
      [[y, x], [both, both], "write", /^ValueError: .*listed twice/],
      [[y, y], [np.zeros(2), np.zeros(2)], "write", /^ValueError: .*listed twice/],
    ] as const) {
      expect(
        thrown(() =>
          autograd.markVariables(variables as readonly unknown[] as NDArray[], gradients as readonly unknown[] as NDArray[], reqs as "add"),
        ),
        "G18",
      ).toMatch(message);
      expect([y.grad, x.grad === dx], "G18").toEqual([null, true]);
    }
    autograd.markVariables(y, np.ones(2), "add");
    record(() => y.mul(2)).backward();
    expect(list(y.grad)).toEqual([3, 3]);
  });

  test("G21", () => {
    const x = vector(1, 2);
    const y = vector(3, 4);
    expect([x.gradIsFresh, y.gradIsFresh]).toEqual([false, false]);
    record(() => x.mul(2)).backward();
    expect([x.gradIsFresh, y.gradIsFresh]).toEqual([true, false]);
    x.gradIsFresh = false;
    record(() => y.mul(2)).backward();
    expect([x.gradIsFresh, y.gradIsFresh, list(x.grad)]).toEqual([false, true, [2, 2]]);
    record(() => npx.stopGradient(x)).backward();
    expect([x.gradIsFresh, list(x.grad)]).toEqual([true, [0, 0]]);
    x.zeroGrad();
    expect(x.gradIsFresh).toBe(false);
    expect(
      thrown(() => {
        np.array([1]).gradIsFresh = true;
      }),
    ).toMatch(/^GradError: .*attachGrad/);
  });

  test("G22, G23", () => {
    const x = vector(1, 2, 3, 4);
    const y = vector(5, 6, 7, 8);
    const [u, z] = record(() => {
      const product = x.mul(y).retainGrad();
      return [product, product.mul(x).retainGrad()] as const;
    });
    z.backward(np.full(4, 10), { retainGraph: true });
    expect([u.grad, z.grad, x.grad, y.grad].map(list), "G22").toEqual([
      [10, 20, 30, 40],
      [10, 10, 10, 10],
      [100, 240, 420, 640],
      [10, 40, 90, 160],
    ]);
    u.dropGrad();
    z.dropGrad();
    y.dropGrad();
    z.backward(np.full(4, 0.1));
    expect([u.grad, z.grad, y.grad], "G23").toEqual([null, null, null]);
    expectClose(x.grad, [1, 2.4, 4.2, 6.4]);
  });

  test("G24", () => {
    const x = vector(1, 2);
    x.dropGrad();
    expect([x.grad, x.dropGrad() === x, np.array([1]).dropGrad().grad]).toEqual([null, true, null]);
  });
});

describe("heads", () => {
  test("B01, B02", () => {
    const x = vector(1, 2);
    expect(
      thrown(() => x.mul(x).backward()),
      "B01",
    ).toMatch(/^GradError: .*nothing was recording.*autograd\.record/);
    expect(
      thrown(() => record(() => np.array([1, 2]).mul(2)).backward()),
      "B02",
    ).toMatch(/^GradError: .*attachGrad/);
    expect(list(x.grad)).toEqual([0, 0]);
  });

  test("B03, B04", () => {
    const x = vector(1, 2);
    x.backward();
    expect(list(x.grad), "B03").toEqual([1, 1]);
    record(() => x).backward([5, 5]);
    expect(list(x.grad), "B04").toEqual([5, 5]);
  });

  test("B05", () => {
    const x = np.array(2).attachGrad();
    const y = record(() => x.pow(3));
    y.backward(y.mul(2));
    expect(list(x.grad)).toBe(192);
  });

  test("B07, B10, B11", () => {
    const x = vector(1, 1);
    autograd.backward(record(() => [x.mul(2), x.mul(3)]));
    expect(list(x.grad), "B07").toEqual([5, 5]);
    const heads = record(() => [x.mul(2), x.mul(3)]);
    expect(
      thrown(() => autograd.backward(heads, [np.ones(2)])),
      "B10",
    ).toMatch(/^GradError: .*2 heads.*1/);
    expect(
      thrown(() => autograd.backward([heads[0]!, x.mul(2)])),
      "B11",
    ).toMatch(/^GradError: .*head 1.*nothing was recording/);
    expect([list(x.grad), x.gradIsFresh]).toEqual([[5, 5], true]);
    autograd.backward(heads, [null, np.array([10, 20])]);
    expect(list(x.grad)).toEqual([32, 62]);
  });

  test("B12", () => {
    const x = np
      .array([
        [1, 2],
        [3, 4],
      ])
      .attachGrad();
    for (const shape of [[1], [2], [2, 1], [1, 2, 2], []])
      for (const retainGraph of [false, true]) {
        const y = record(() => x.mul(x));
        expect(thrown(() => y.backward(np.ones(shape), { retainGraph }))).toMatch(/^ShapeError: .*\(2, 2\)/);
        expect(list(x.grad)).toEqual([
          [0, 0],
          [0, 0],
        ]);
      }
    const y = record(() => x.mul(x));
    expect(thrown(() => y.backward(np.ones(2)))).toMatch(/^ShapeError/);
    y.backward();
    expect(list(x.grad), "the graph is whole after a refusal").toEqual([
      [2, 4],
      [6, 8],
    ]);
  });

  test("B13", () => {
    const x = vector(1, 2);
    record(() => x.mul(2)).backward([1, 10]);
    expect(list(x.grad)).toEqual([2, 20]);
    record(() => x.mul(2)).backward(Float64Array.of(3, 4));
    expect(list(x.grad)).toEqual([6, 8]);
    expect(thrown(() => record(() => x.mul(2)).backward(2))).toMatch(/^ShapeError: .*0-d head/);
    expect(thrown(() => record(() => x.mul(2)).backward("ones" as unknown as number))).toMatch(/^ValueError/);
    record(() => x.sum()).backward(2);
    expect(list(x.grad)).toEqual([2, 2]);
  });

  test("B14-B16", () => {
    const make = (x: NDArray): [NDArray, NDArray] =>
      record(() => {
        const y = x.mul(x);
        return [y.mul(2), y.mul(3)];
      });
    const x = vector(1, 2);
    let [a, b] = make(x);
    a.backward();
    expect(
      thrown(() => b.backward()),
      "B14",
    ).toMatch(/^GradError: .*freed by an earlier backward/);
    expect(list(x.grad), "B14").toEqual([4, 8]);
    const sum = np.array([1, 2]).attachGrad("add");
    [a, b] = make(sum);
    a.backward(null, { retainGraph: true });
    expect(list(sum.grad), "B15").toEqual([4, 8]);
    b.backward();
    expect(list(sum.grad), "B15").toEqual([10 + 4 - 4, 20]);
    [a, b] = make(x);
    autograd.backward([a, b]);
    expect(list(x.grad), "B16").toEqual([10, 20]);
  });

  test("B18, B20, B22", () => {
    const x = vector(1, 2);
    record(() => {
      const y = x.mul(x);
      return y.mul(y).add(y);
    }).backward();
    expect(list(x.grad), "B18").toEqual([6, 36]);
    record(() => {
      np.linalg.norm(x);
      return x.mul(2);
    }).backward();
    expect(list(x.grad), "B20").toEqual([2, 2]);
    for (const [f, wanted] of [
      [(v: NDArray) => v.div(2), [0.5, 0.5]],
      [(v: NDArray) => v.pow(2), [2, 4]],
      [(v: NDArray) => np.exp(v), [Math.E, Math.E ** 2]],
    ] as const) {
      record(() => f(x)).backward();
      expectClose(x.grad, wanted);
    }
  });
});

describe("writes", () => {
  test("M01", () => {
    const x = vector(1, 2);
    for (const write of [
      () => x.iadd(1),
      () => x.imul(2),
      () => x.idiv(2),
      () => x.isub(1),
      () => x.ipow(2),
      () => x.set(5),
      () => x.set(5, 0),
      () => x.at("1:").set(3),
      () => x.at("1:").iadd(3),
      () => x.T.set(1),
    ]) {
      expect(thrown(() => record(write))).toMatch(/^GradError: .*attached/);
      expect(list(x)).toEqual([1, 2]);
    }
  });

  test("M02", () => {
    const x = vector(1, 2, 3);
    const y = record(() => x.mul(x).set(5, 0));
    y.backward();
    expect([list(y), list(x.grad)]).toEqual([
      [5, 4, 9],
      [0, 4, 6],
    ]);
  });

  test("M03, M04", () => {
    const x = vector(1, 2, 3);
    const c = np.ones(3);
    record(() => c.iadd(x).mul(2)).backward();
    expect([list(c), list(x.grad)], "M03").toEqual([
      [2, 3, 4],
      [2, 2, 2],
    ]);
    const d = np.zeros(3);
    record(() => d.set(x).mul(2)).backward();
    expect([list(d), list(x.grad)], "M04").toEqual([
      [1, 2, 3],
      [2, 2, 2],
    ]);
    const e = np.zeros(3);
    record(() => e.set(x));
    e.backward();
    expect(list(x.grad), "M04").toEqual([1, 1, 1]);
  });

  test("M06", () => {
    const x = vector(1, 2);
    record(() => {
      const m = np.zeros(2).iadd(1).set(5, 0);
      expect([list(m), autograd.graphSize(m)]).toEqual([[5, 1], 0]);
      return x.mul(m);
    }).backward();
    expect(list(x.grad)).toEqual([5, 1]);
  });

  test("M08", () => {
    for (const write of [
      (x: NDArray) => x.set(10),
      (x: NDArray) => x.at(":").set(10),
      (x: NDArray) => x.detach().set(10),
      (x: NDArray) => x.iadd(10),
      (x: NDArray) => x.imul(0),
      (x: NDArray) => x.T.at("::-1").set([7, 8, 9]),
      (x: NDArray) => x.set(10, [0, 2]),
      (x: NDArray) => np.add(x, 1, { out: x }),
    ]) {
      const x = vector(1, 2, 3);
      const before = x.at(":");
      const y = record(() => x.mul(x));
      write(x);
      expect(list(before), "views follow").toEqual(list(x));
      y.backward();
      expect(list(x.grad)).toEqual([2, 4, 6]);
    }
  });

  test("M09, M10", () => {
    const x = vector(1, 2);
    record(() => x.mul(x)).backward();
    const g = x.grad;
    x.set(x.sub(x.grad!.mul(0.1)));
    expectClose(x, [0.8, 1.6]);
    x.isub(x.grad!.mul(0.1));
    expectClose(x, [0.6, 1.2]);
    expect(x.grad === g, "M09").toBe(true);
    record(() => x.mul(x)).backward();
    expectClose(x.grad, [1.2, 2.4]);
    expect(x.sub(x.grad!.mul(0.1)).grad, "M10").toBe(null);
  });
});

describe("views and indices", () => {
  test("V01, V02", () => {
    const x = vector(1, 2, 3, 4);
    const v = x.at("0:2");
    record(() => x.at("1:3").mul([1, 10])).backward();
    expect(list(x.grad), "V01").toEqual([0, 1, 10, 0]);
    expect(
      thrown(() => record(() => v.mul(v)).backward()),
      "V02",
    ).toMatch(/^GradError/);
  });

  test("V03, V04", () => {
    const x = np.array([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    x.at("0:1").set(-1);
    expect(list(x), "V03").toEqual([
      [-1, -1, -1],
      [4, 5, 6],
    ]);
    x.at(":", "::2").set(0);
    expect(list(x), "V04").toEqual([
      [0, -1, 0],
      [0, 5, 0],
    ]);
    x.T.set(9, 1);
    expect(list(x), "V04").toEqual([
      [0, 9, 0],
      [0, 9, 0],
    ]);
    x.at([0, 1]).set(7);
    x.at(x.gt(0)).set(7);
    x.at([
      [true, true, true],
      [true, true, true],
    ]).set(7);
    expect(list(x), "V04: copies").toEqual([
      [0, 9, 0],
      [0, 9, 0],
    ]);
  });

  test("V05, V07", () => {
    const x = vector(1, 2, 3);
    record(() => x.at([0, 1, 0])).backward();
    expect(list(x.grad), "V05").toEqual([2, 1, 0]);
    const data = np.arange(9).reshape(3, 3).attachGrad();
    record(() => data.at([false, true, true])).backward();
    expect(list(data.grad), "V07").toEqual([
      [0, 0, 0],
      [1, 1, 1],
      [1, 1, 1],
    ]);
  });

  test("V08-V11", () => {
    const x = np.arange(4);
    for (const i of [5, -5])
      expect(
        thrown(() => x.at(i)),
        "V08",
      ).toMatch(new RegExp(`^IndexError: .*${i}.*axis 0.*size 4`));
    expect([x.at("100:").shape, x.at(":-100").shape], "V09").toEqual([[0], [0]]);
    const zero = np.array(3);
    expect([list(zero.at()), list(zero.at("..."))], "V10").toEqual([3, 3]);
    expect(
      thrown(() => zero.at(0)),
      "V10",
    ).toMatch(/^IndexError/);
    const m = np
      .array([
        [1, 2],
        [3, 4],
      ])
      .attachGrad();
    record(() => m.reshape(-1).at(1).mul(3)).backward();
    expect(list(m.grad), "V11").toEqual([
      [0, 3],
      [0, 0],
    ]);
  });
});

describe("higher order", () => {
  /** The sum of second derivatives' rows: d/dx of the sum of f'(x), for an elementwise f. */
  const second = (f: (x: NDArray) => NDArray, at: readonly number[]): NDArray => {
    const x = np.array(at).attachGrad();
    const g = record(() => autograd.grad(f(x), x, { createGraph: true }));
    g.backward();
    return x.grad!;
  };

  test("H02, H04, H05, H13", () => {
    const at = [1, 2, 3];
    expectClose(second(np.sin, at), [-0.841471, -0.9092974, -0.14112]);
    expectClose(second(np.tanh, at), [-0.6397, -0.1362187, -0.0196345]);
    expectClose(second(npx.sigmoid, at), [-0.0908577, -0.0799625, -0.0408916]);
    expectClose(second(np.log, at), [-1, -0.25, -0.1111111]);
    for (const f of [npx.relu, np.abs]) expect(list(second(f, at))).toEqual([0, 0, 0]);
    expect([
      list(second(x => x.mul(x), at)),
      list(second(x => x.mul(2).mul(x), at)),
      list(second(x => x.pow(2), at)),
      list(second(x => np.dot(x, x), at)),
    ]).toEqual([
      [2, 2, 2],
      [4, 4, 4],
      [2, 2, 2],
      [2, 2, 2],
    ]);
  });

  test("H05 where the first derivative is a constant", () => {
    for (const f of [
      (x: NDArray) => np.clip(x, 0, 2),
      (x: NDArray) => x.mul(Math.PI / 180),
      (x: NDArray) => np.sort(x),
      (x: NDArray) => x.max(),
    ])
      expect(list(second(f, [1, 2, 3]))).toEqual([0, 0, 0]);
  });

  test("H07-H10", () => {
    for (const req of ["write", "add"] as const) {
      const x = np.array([1, 2]).attachGrad(req);
      const g = autograd.grad(
        record(() => x.mul(x)),
        x,
      );
      expect([list(g), list(x.grad), x.gradIsFresh], "H07, H08").toEqual([[2, 4], [0, 0], false]);
      const [h] = autograd.grad(
        record(() => x.mul(x)),
        [x],
      );
      expect(list(h!)).toEqual([2, 4]);
    }
    const x = vector(1, 2);
    const y = record(() => x.mul(x));
    expect(
      thrown(() => autograd.grad(y, [])),
      "H09",
    ).toMatch(/^GradError/);
    for (const [variable, why] of [
      [np.array([1, 2]), /^GradError: .*variable 1 does not require gradient/],
      [np.array([1, 2]).attachGrad("null"), /^GradError: .*variable 1 does not require gradient/],
      [vector(1, 2), /^GradError: .*variable 1 is unreachable/],
    ] as const)
      expect(
        thrown(() => autograd.grad(y, [x, variable])),
        "H10",
      ).toMatch(why);
    expect(list(autograd.grad(y, x))).toEqual([2, 4]);
  });

  test("H12", () => {
    const x = vector(1, 2);
    const y = record(() => x.mul(x));
    autograd.grad(y, x);
    expect(thrown(() => autograd.grad(y, x))).toMatch(/^GradError: .*freed/);
    const z = record(() => x.mul(x));
    autograd.grad(z, x, { retainGraph: true });
    expect(list(autograd.grad(z, x))).toEqual([2, 4]);
  });
});

describe("Function", () => {
  class Cube extends autograd.Function {
    override forward(x: NDArray): NDArray {
      this.saveForBackward(x);
      return x.pow(3);
    }
    override backward(dy: NDArray): NDArray {
      const [x] = this.savedTensors;
      return dy.mul(x!.pow(2)).mul(3);
    }
  }

  test("F02, F03", () => {
    const x = vector(1, 2);
    const cube = new Cube();
    expect(autograd.graphSize(cube.apply(x)), "F03").toBe(0);
    expect(
      thrown(() => cube.apply(x)),
      "F02",
    ).toMatch(/^GradError: Cube: .*new one/);
  });

  test("F05", () => {
    const seen: unknown[] = [];
    class Watch extends autograd.Function {
      override forward(x: NDArray): NDArray {
        seen.push(flags());
        if (seen.length > 1) throw new Error("boom");
        return x.mul(2);
      }
      override backward(dy: NDArray): NDArray {
        seen.push(flags());
        return dy.mul(2);
      }
    }
    const x = vector(1, 2);
    record(() => {
      new Watch().apply(x).backward();
      expect(flags()).toEqual([true, true]);
      expect(() => new Watch().apply(x)).toThrow("boom");
      expect(flags()).toEqual([true, true]);
    });
    expect(seen).toEqual([
      [false, true],
      [false, true],
      [false, true],
    ]);
  });

  test("F06", () => {
    const wrong: [unknown, RegExp][] = [
      [[], /^GradError: Wrong: backward returned 0 gradients for 1 inputs/],
      [[np.ones(2), np.ones(2)], /^GradError: Wrong: backward returned 2 gradients for 1 inputs/],
      ["abc", /^GradError: Wrong: backward returns arrays or null/],
      [5, /^GradError: Wrong: backward returns arrays or null/],
      [np.ones(3), /^ShapeError: Wrong: .*\(3,\).*\(2,\)/],
    ];
    for (const [result, message] of wrong) {
      class Wrong extends autograd.Function {
        override forward(x: NDArray): NDArray {
          return x.mul(2);
        }
        override backward(): NDArray {
          return result as NDArray;
        }
      }
      const x = vector(1, 2);
      const y = record(() => new Wrong().apply(x));
      expect(thrown(() => y.backward())).toMatch(message);
      expect([list(x.grad), x.gradIsFresh]).toEqual([[0, 0], false]);
    }
    class Nothing extends autograd.Function {
      override forward(): NDArray {
        return undefined as unknown as NDArray;
      }
      override backward(): null {
        return null;
      }
    }
    expect(thrown(() => new Nothing().apply([1]))).toMatch(/^GradError: Nothing: forward returns/);
  });

  test("F07, F08, twice differentiable, several results and inputs", () => {
    const x = np.array([1, 2]).attachGrad("add");
    const y = record(() => new Cube().apply(x));
    y.backward(null, { retainGraph: true });
    y.backward();
    expect(list(x.grad), "F07, F08").toEqual([6, 24]);
    const second = record(() => autograd.grad(new Cube().apply(x), x, { createGraph: true }));
    expect(list(autograd.grad(second, x))).toEqual([6, 12]);

    class Both extends autograd.Function {
      override forward(a: NDArray, b: NDArray): NDArray[] {
        this.saveForBackward(a, b);
        return [a.mul(b), a.add(b)];
      }
      override backward(du: NDArray, dv: NDArray): NDArray[] {
        const [a, b] = this.savedTensors;
        return [du.mul(b!).add(dv), du.mul(a!).add(dv)];
      }
    }
    const a = vector(1, 2);
    const b = vector(3, 4);
    record(() => {
      const [u, v] = new Both().apply<[NDArray, NDArray]>(a, b);
      return u.mul(10).add(v);
    }).backward();
    expect([list(a.grad), list(b.grad)]).toEqual([
      [31, 41],
      [11, 21],
    ]);
  });
});

describe("dtypes and special values", () => {
  test("D03, D05-D09", () => {
    const x = np.array([1, 2], { dtype: "float64" }).attachGrad();
    record(() => x.mul(np.array([0.1, 0.2]))).backward();
    expect(x.grad!.dtype, "D03").toBe("float64");
    const i = np.array([1, 2], { dtype: "int32" });
    expect([i.div(i).dtype, list(np.divide(i, [2, 4]))], "D05").toEqual(["float32", [0.5, 0.5]]);
    const y = vector(-1, 2);
    record(() => y.gt(0).mul(y)).backward();
    expect(list(y.grad), "D06").toEqual([0, 1]);
    const cut = record(() => y.astype("int32").astype("float32").mul(2));
    expect(
      thrown(() => cut.backward()),
      "D07",
    ).toMatch(/^GradError/);
    record(() => y.astype("float64").mul(2)).backward();
    expect([list(y.grad), y.grad!.dtype], "D07").toEqual([[2, 2], "float32"]);
    const a = np.array(3).attachGrad();
    record(() => a.mul(a)).backward();
    expect(inspect(a.grad), "D08").toBe("array(6.)");
    const none = np.zeros(0).attachGrad();
    const total = record(() => none.sum());
    total.backward();
    expect([inspect(total), inspect(none.grad)], "D09").toEqual(["array(0.)", "array([])"]);
  });

  test("D11, D16-D18, D20", () => {
    expect(
      thrown(() => np.max(np.zeros(0))),
      "D11",
    ).toMatch(/^ValueError/);
    const x = vector(-2, 0, 2);
    record(() => np.abs(x)).backward();
    expect(list(x.grad), "D16").toEqual([-1, 0, 1]);
    const y = vector(-1, 1);
    record(() => np.clip(y, -1, 1)).backward();
    expect(list(y.grad), "D17").toEqual([1, 1]);
    const zero = np.zeros(1).attachGrad();
    for (const f of [np.sqrt, np.log]) {
      record(() => f(zero)).backward();
      expect(list(zero.grad), "D18").toEqual([Number.POSITIVE_INFINITY]);
    }
    const origin = np.zeros(3).attachGrad();
    record(() => np.linalg.norm(origin)).backward();
    expect(list(origin.grad), "D20").toEqual([0, 0, 0]);
  });

  test("D21", () => {
    expect(Number(np.array([5]))).toBe(5);
    expect([np.array([2]) < (3 as unknown as NDArray), +np.array(2.5)]).toEqual([true, 2.5]);
    for (const x of [np.array([1, 2]), np.zeros(0)]) {
      expect(thrown(() => +x)).toMatch(/^ValueError: .*ambiguous/);
      expect(thrown(() => x < (3 as unknown as NDArray))).toMatch(/^ValueError: .*ambiguous/);
    }
  });
});

describe("printing", () => {
  const rows: [string, () => NDArray, string, string?][] = [
    ["P02", () => np.array([np.nan, 1, 2]), "array([nan,  1.,  2.])"],
    ["P03", () => np.array([0.1, 0.25, 3]), "array([0.1 , 0.25, 3.  ])", "[0.1  0.25 3.  ]"],
    ["P04", () => np.array(1 / 3), "array(0.33333334)", "0.33333334"],
    ["P04", () => np.array(-0), "array(-0.)", "-0.0"],
    ["P04", () => np.array(np.nan), "array(nan)", "nan"],
    ["P06", () => np.array([1e8]), "array([1.e+08])"],
    ["P06", () => np.array([1e7]), "array([10000000.])"],
    ["P06", () => np.array([123456789]), "array([1.2345679e+08])"],
    ["P08", () => np.arange(8).reshape(2, 2, 2), "array([[[0., 1.],\n        [2., 3.]],\n\n       [[4., 5.],\n        [6., 7.]]])"],
    ["P10", () => np.array([1, 2, 3], { dtype: "int32" }), "array([1, 2, 3], dtype=int32)"],
    ["P10", () => np.array([1, 255], { dtype: "uint8" }), "array([  1, 255], dtype=uint8)"],
    ["P11", () => np.array([true, false]), "array([ True, False])"],
    ["P11", () => np.array(true), "array(True)"],
    ["P12", () => np.array([0.1, 0.2], { dtype: "float64" }), "array([0.1, 0.2], dtype=float64)"],
    ["P13", () => np.zeros(0), "array([])"],
    ["P13", () => np.zeros([0, 3]), "array([], shape=(0, 3))"],
    ["P13", () => np.zeros(0, { dtype: "bool" }), "array([], dtype=bool)"],
    ["P16", () => np.arange(1001), "array([   0.,    1.,    2., ...,  998.,  999., 1000.])"],
    ["P18", () => np.array(28), "array(28.)", "28.0"],
    ["P18", () => np.array(1e15), "array(1.e+15)", "1000000000000000.0"],
    ["P18", () => np.array(1e-4), "array(1.e-04)", "1e-04"],
  ];
  for (const [id, make, repr, str] of rows)
    test(`${id}: ${repr.split("\n")[0]}`, () => {
      const x = make();
      expect(inspect(x)).toBe(repr);
      if (str !== undefined) expect([String(x), `${x}`, x.toString()]).toEqual([str, str, str]);
    });

  test("P16: a thousand elements are all shown", () => {
    const text = inspect(np.arange(1000));
    expect(text).not.toContain("...");
    expect(text.match(/\d+\./g)).toHaveLength(1000);
  });
});

describe("decisions", () => {
  test("Z01 comparisons: masks of either kind index and select", () => {
    for (const comparison of ["bool", "float32"] as const) {
      npx.setNp({ comparison });
      const x = np.array([-1, 2, 3]);
      expect([x.gt(0).dtype, list(x.at(x.gt(0))), list(np.where(x.gt(0), x, 0)), list(x.copy().set(0, x.lt(0)))]).toEqual([
        comparison,
        [2, 3],
        [0, 2, 3],
        [0, 2, 3],
      ]);
    }
    expect(thrown(() => npx.setNp({ comparison: "int32" as "bool" }))).toMatch(/^ValueError/);
  });

  test("Z01 comparisons in float32 change no gradient", () => {
    npx.setNp({ comparison: "float32" });
    const second = (f: (x: NDArray) => NDArray, at: readonly number[]): unknown => {
      const x = np.array(at).attachGrad();
      const g = record(() => autograd.grad(f(x.mul(x)), x, { createGraph: true }));
      g.backward();
      return [list(g), list(x.grad)];
    };
    expect(second(v => np.maximum(v, 2), [1, 2])).toEqual([
      [0, 4],
      [0, 2],
    ]);
    expect(second(v => np.clip(v, 0, 2), [1, 2])).toEqual([
      [2, 0],
      [2, 0],
    ]);
    expect(second(v => np.where(v.gt(2), v, 0), [1, 2])).toEqual([
      [0, 4],
      [0, 2],
    ]);
    expect(second(v => v.max(), [1, 2])).toEqual([
      [0, 4],
      [0, 2],
    ]);
    expect(list(grad((x: NDArray) => np.linalg.norm(x))([0, 0]))).toEqual([0, 0]);
    expect([list(npx.oneHot([0, 2], 3)), list(npx.topk([1, 3, 2], { retTyp: "mask" })), list(np.where([1, 0, 2], [1, 2, 3], 9))]).toEqual([
      [
        [1, 0, 0],
        [0, 0, 1],
      ],
      [false, true, false],
      [1, 9, 3],
    ]);
    const x = np.array([
      [-1, 2],
      [3, -4],
    ]);
    expect([list(x.at(x.gt(0))), list(x.at(x.T.gt(0).T))], "views of masks are masks").toEqual([
      [2, 3],
      [2, 3],
    ]);
  });

  test("Z02 attachGrad on a recorded array detaches it; retainGrad does not", () => {
    const x = vector(1, 2);
    let u: NDArray | undefined;
    record(() => {
      u = x.mul(2).attachGrad();
      return u.mul(3);
    }).backward();
    expect([list(u!.grad), list(x.grad)]).toEqual([
      [3, 3],
      [0, 0],
    ]);
    record(() => {
      u = x.mul(2).retainGrad();
      return u.mul(3);
    }).backward();
    expect([list(u!.grad), list(x.grad)]).toEqual([
      [3, 3],
      [6, 6],
    ]);
    expect(thrown(() => np.array([1]).retainGrad())).toMatch(/^GradError: .*attachGrad/);
  });

  test("Z03 no gradient is null", () => {
    expect([np.ones(2).grad, np.ones(2).attachGrad("null").grad, np.ones(2).attachGrad().dropGrad().grad]).toEqual([null, null, null]);
  });

  test("Z04 a variable that a backward does not reach keeps its buffer", () => {
    const x = vector(1, 2);
    const y = vector(1, 2);
    record(() => x.mul(y)).backward();
    record(() => x.mul(3)).backward();
    expect([list(x.grad), list(y.grad)]).toEqual([
      [3, 3],
      [1, 2],
    ]);
  });

  test("Z05 the same head twice counts twice, also above another head", () => {
    const x = vector(1, 2);
    const y = record(() => x.mul(x));
    autograd.backward([y, y]);
    expect(list(x.grad)).toEqual([4, 8]);
    const [a, b] = record(() => {
      const u = x.mul(3);
      return [u, u.mul(u)] as const;
    });
    autograd.backward([a, b], [np.array([1, 1]), np.array([1, 10])]);
    expect(list(x.grad)).toEqual([3 + 18, 3 + 360]);
    const z = record(() => x.mul(x));
    expect(list(autograd.grad([z, z], x, { headGrads: [null, [10, 10]] }))).toEqual([22, 44]);
  });

  test("Z06 grad: one for one, a list for a list, a variable twice, intermediates", () => {
    const x = vector(1, 2);
    const [u, y] = record(() => {
      const v = x.mul(x);
      return [v, v.mul(3)] as const;
    });
    const [a, b, c] = autograd.grad(y, [x, u, x]);
    expect([a!, b!, c!].map(list)).toEqual([
      [6, 12],
      [3, 3],
      [6, 12],
    ]);
    a!.set(0);
    expect(list(c!)).toEqual([6, 12]);
  });

  test("Z07 ties: max and min share, maximum and minimum go left, relu 0 at 0", () => {
    const x = np
      .array([
        [3, 3, 1],
        [2, 2, 2],
      ])
      .attachGrad();
    record(() => x.max(1)).backward();
    expectClose(x.grad, [0.5, 0.5, 0, 1 / 3, 1 / 3, 1 / 3]);
    record(() => x.min()).backward();
    expect(list(x.grad)).toEqual([
      [0, 0, 1],
      [0, 0, 0],
    ]);
    const a = vector(1, 2);
    const b = vector(1, 3);
    for (const f of [np.maximum, np.minimum]) {
      record(() => f(a, b)).backward();
      expect([a.grad!.at(0).item(), b.grad!.at(0).item()]).toEqual([1, 0]);
    }
    const z = np.zeros(1).attachGrad();
    record(() => npx.relu(z)).backward();
    expect(list(z.grad)).toEqual([0]);
    record(() => np.maximum(z, 0)).backward();
    expect(list(z.grad)).toEqual([1]);
    record(() => np.maximum(0, z)).backward();
    expect(list(z.grad)).toEqual([0]);
  });

  test("Z08 integers and bools have no gradient", () => {
    for (const dtype of ["int32", "int8", "uint8", "bool"] as const)
      expect(thrown(() => np.ones(2, { dtype }).attachGrad())).toMatch(new RegExp(`^DTypeError: .*${dtype}.*astype`));
  });

  test("Z09 where: the branch not taken has gradient 0 to any order", () => {
    const x = np.array([-1, 0, 4]).attachGrad();
    const f = (v: NDArray): NDArray => np.where(v.gt(0), np.sqrt(v), v.mul(v));
    const [g, h] = record(() => {
      const first = autograd.grad(f(x), x, { createGraph: true });
      return [first, autograd.grad(first, x, { createGraph: true })] as const;
    });
    expect([list(g), list(h)]).toEqual([
      [-2, 0, 0.25],
      [2, 2, -1 / 32],
    ]);
    const y = np.array([0, 1]).attachGrad();
    record(() => np.where([false, true], np.log(y), 7).sum()).backward();
    expect(list(y.grad)).toEqual([0, 1]);
    // Where the cotangent is 0 at a point but not around it, the second derivative must not vanish.
    const one = np.array(1).attachGrad();
    const second = record(() => {
      const v = one.mul(one).sub(1);
      return autograd.grad(v.mul(v), one, { createGraph: true });
    });
    expect(list(autograd.grad(second, one))).toBe(8);
  });

  test("Z10 head gradients are differentiated too", () => {
    const x = vector(1, 2);
    const v = vector(3, 4);
    const g = record(() => autograd.grad(x.mul(x), x, { headGrads: v, createGraph: true }));
    g.backward();
    expect([list(x.grad), list(v.grad)]).toEqual([
      [6, 8],
      [2, 4],
    ]);
  });

  test("Z11 no derivative, no silent zero", () => {
    const x = vector(3, 1, 2);
    for (const [name, f] of [
      ["argmax", () => x.argmax()],
      ["argsort", () => x.argsort()],
      ["greater", () => x.gt(0)],
      ["equal", () => x.eq(x)],
      ["astype", () => x.astype("int32")],
      ["all", () => x.all()],
    ] as const)
      expect(
        thrown(() => record(f).backward()),
        name,
      ).toMatch(new RegExp(`^GradError: .*${name}`));
    record(() => np.sign(x)).backward();
    expect(list(x.grad)).toEqual([0, 0, 0]);
  });

  test("Z12 graphs are collected with their results, a million operators deep", () => {
    const x = np.array(1).attachGrad();
    const y = record(() => {
      let z: NDArray = x;
      for (let i = 0; i < 1_000_000; i++) z = z.add(1);
      return z;
    });
    expect([y.item(), autograd.graphSize(y)]).toEqual([1_000_001, 1_000_001]);
    y.backward();
    expect(list(x.grad)).toBe(1);
  });

  test("Z13 a failed backward writes nothing and leaves the graph", () => {
    let fail = true;
    class Moody extends autograd.Function {
      override forward(x: NDArray): NDArray {
        return x.mul(2);
      }
      override backward(dy: NDArray): NDArray {
        if (fail) throw new Error("not today");
        return dy.mul(2);
      }
    }
    const x = vector(1, 2);
    const w = vector(5, 6);
    const y = record(() => new Moody().apply(x).mul(w));
    expect(() => y.backward()).toThrow("not today");
    expect([list(x.grad), list(w.grad), w.gradIsFresh]).toEqual([[0, 0], [0, 0], false]);
    fail = false;
    y.backward();
    expect([list(x.grad), list(w.grad)]).toEqual([
      [10, 12],
      [2, 4],
    ]);
  });

  test("Z14 dtypes and shapes of gradients are the variables'", () => {
    const x = np.ones([2, 1]).attachGrad();
    const w = np.ones([3], { dtype: "float64" }).attachGrad();
    const s = np.array(2).attachGrad();
    record(() => x.mul(w).mul(s)).backward();
    expect([x.grad!.dtype, list(x.grad), w.grad!.dtype, list(w.grad), list(s.grad)]).toEqual([
      "float32",
      [[6], [6]],
      "float64",
      [4, 4, 4],
      6,
    ]);
  });
});

describe("details of the contract", () => {
  test("K01 in place while recording: old contents and value, through views too", () => {
    const cases: [string, (c: NDArray, x: NDArray) => NDArray, (p: number[], q: number[]) => number[]][] = [
      ["iadd", (c, x) => c.iadd(x), (p, q) => p.map((v, i) => v + q[i]!)],
      ["isub", (c, x) => c.isub(x), (p, q) => p.map((v, i) => v - q[i]!)],
      ["imul", (c, x) => c.imul(x), (p, q) => p.map((v, i) => v * q[i]!)],
      ["idiv", (c, x) => c.idiv(x), (p, q) => p.map((v, i) => v / q[i]!)],
      ["ipow", (c, x) => c.ipow(x), (p, q) => p.map((v, i) => v ** q[i]!)],
      ["set one", (c, x) => c.set(x.at(1), 0), (p, q) => [q[1]!, ...p.slice(1)]],
      ["set a slice", (c, x) => c.set(x.at(":2"), "1:3"), (p, q) => [p[0]!, q[0]!, q[1]!, ...p.slice(3)]],
      ["set by list, one place twice", (c, x) => c.set(x.at(":3"), [0, 2, 0]), (p, q) => [q[2]!, p[1]!, q[1]!, ...p.slice(3)]],
      ["set by mask", (c, x) => c.set(x.at(0), c.gt(2)), (p, q) => p.map(v => (v > 2 ? q[0]! : v))],
      ["set broadcast", (c, x) => c.set(x.at(0)), (p, q) => p.map(() => q[0]!)],
      [
        "iadd a view",
        (c, x) => {
          c.at("::2").iadd(x.at(":2"));
          return c;
        },
        (p, q) => [p[0]! + q[0]!, p[1]!, p[2]! + q[1]!, p[3]!],
      ],
      [
        "imul a row of a reshaped view",
        (c, x) => {
          c.reshape(2, 2).at(1).imul(x.at("2:"));
          return c;
        },
        (p, q) => [p[0]!, p[1]!, p[2]! * q[2]!, p[3]! * q[3]!],
      ],
      ["twice", (c, x) => c.imul(x).iadd(x).imul(x), (p, q) => p.map((v, i) => (v * q[i]! + q[i]!) * q[i]!)],
      [
        "itself",
        (c, x) => {
          c.set(c.at("::-1"));
          return c.imul(x);
        },
        (p, q) => [...p].reverse().map((v, i) => v * q[i]!),
      ],
    ];
    const start = [1.5, 2.5, 3.5, 0.5];
    const other = [2, 0.5, 1.25, 3];
    for (const [name, write, plain] of cases) {
      // Difference quotients of the plain computation, weighted so that no two places look alike.
      const weights = [1, 10, 100, 1000];
      const value = (p: number[], q: number[]): number =>
        plain(
          p.map(v => v * v),
          q,
        ).reduce((sum, v, i) => sum + v * v * weights[i]!, 0);
      const slope = (k: number, of: "p" | "q"): number => {
        const h = 1e-5;
        const shift = (v: number[], d: number): number[] => v.map((e, i) => (i === k ? e + d : e));
        const at = (d: number): number => (of === "p" ? value(shift(start, d), other) : value(start, shift(other, d)));
        return (at(h) - at(-h)) / (2 * h);
      };
      const a = np.array(start, { dtype: "float64" }).attachGrad();
      const x = np.array(other, { dtype: "float64" }).attachGrad();
      const y = record(() => {
        const c = a.mul(a);
        const before = c.mul(3);
        const after = write(c, x);
        expect(after === c, `${name}: in place`).toBe(true);
        return after.mul(after).mul(weights).sum().add(before.sum().mul(0));
      });
      y.backward();
      expectClose(
        a.grad,
        start.map((_, k) => slope(k, "p")),
        1e-6,
      );
      expectClose(
        x.grad,
        other.map((_, k) => slope(k, "q")),
        1e-6,
      );
    }
  });

  test("K02 in place: what was computed before keeps the old contents", () => {
    const x = vector(1, 2, 3);
    let c: NDArray | undefined;
    const y = record(() => {
      c = np.exp(x);
      const d = c.mul(c);
      c.set(0, 1);
      return d;
    });
    y.backward();
    expectClose(
      x.grad,
      [1, 2, 3].map(v => 2 * Math.exp(2 * v)),
    );
    expectClose(c!, [Math.E, 0, Math.exp(3)]);
  });

  test("K03 numbers in arithmetic", () => {
    const i = np.array([1, 2], { dtype: "int32" });
    const u = np.array([200, 2], { dtype: "uint8" });
    const b = np.array([true, false]);
    expect([i.mul(2).dtype, i.mul(2.5).dtype, list(u.mul(2)), u.mul(2).dtype, i.add(np.array(0.5)).dtype]).toEqual([
      "int32",
      "float32",
      [144, 4],
      "uint8",
      "float32",
    ]);
    expect([
      np.add(np.ones(1, { dtype: "int8" }), np.ones(1, { dtype: "uint8" })).dtype,
      b.add(b).dtype,
      b.mul(b).dtype,
      b.add(2).dtype,
    ]).toEqual(["int32", "bool", "bool", "int32"]);
    expect([b.sum().dtype, u.sum().dtype, np.add(np.ones(1), np.ones(1, { dtype: "float64" })).dtype]).toEqual([
      "int32",
      "int32",
      "float64",
    ]);
    expect(thrown(() => u.add(300))).toMatch(/^ValueError: .*300 does not fit uint8/);
    expect(thrown(() => i.pow(-1))).toMatch(/^ValueError/);
    expect(thrown(() => np.array([np.nan], { dtype: "int32" }))).toMatch(/^ValueError/);
    expect(thrown(() => i.copy().set(np.inf))).toMatch(/^ValueError/);
    expect(list(i.copy().set(2.9, 0))).toEqual([2, 2]);
    expect(thrown(() => i.copy().iadd(0.5))).toMatch(/^DTypeError/);
    expect(thrown(() => i.copy().idiv(2))).toMatch(/^DTypeError/);
    expect([i.copy().iadd(2).dtype, np.ones(2).iadd(i).dtype]).toEqual(["int32", "float32"]);
  });

  test("K04 dtypes of new arrays", () => {
    expect([
      np.array([1, 2]).dtype,
      np.array([true]).dtype,
      np.array(1).dtype,
      np.array([1], { dtype: "int8" }).dtype,
      np.arange(3).dtype,
    ]).toEqual(["float32", "bool", "float32", "int8", "float32"]);
    for (const [kind, dtype] of [
      [Float32Array, "float32"],
      [Float64Array, "float64"],
      [Int32Array, "int32"],
      [Int8Array, "int8"],
      [Uint8Array, "uint8"],
      [Uint8ClampedArray, "uint8"],
    ] as const)
      expect([np.array(kind.of(1, 2)).dtype, np.add(kind.of(1, 2), kind.of(1, 2)).dtype]).toEqual([dtype, dtype]);
    for (const kind of [Int16Array, Uint16Array, Uint32Array, BigInt64Array, BigUint64Array])
      expect(thrown(() => np.array(new kind(2) as unknown as Int32Array))).toMatch(new RegExp(`^DTypeError: .*${kind.name}`));
    expect([np.argmax([1, 2]).dtype, np.argsort([2, 1]).dtype, npx.topk([1, 2]).dtype, npx.topk([1, 2], { retTyp: "mask" }).dtype]).toEqual(
      ["int32", "int32", "int32", "bool"],
    );
    expect([npx.oneHot([0], 2).dtype, np.random.normal(0, 1, 3).dtype, np.random.uniform(0, 1, 2, { dtype: "float64" }).dtype]).toEqual([
      "float32",
      "float32",
      "float64",
    ]);
  });

  test("K05 middle arguments may be undefined or null", () => {
    const x = np.array([
      [3, 4],
      [6, 8],
    ]);
    for (const nothing of [undefined, null]) {
      expect(list(np.linalg.norm(x, nothing, 1))).toEqual([5, 10]);
      expect(list(x.sum(nothing, { keepdims: true }))).toEqual([[21]]);
      expect(list(np.argmax(x, nothing))).toBe(3);
      expect(np.eye(2, nothing, 1).shape).toEqual([2, 2]);
      expect(list(np.clip(x, nothing as null, 4))).toEqual([
        [3, 4],
        [4, 4],
      ]);
      expect(list(np.take(x, [0], nothing))).toEqual([3]);
      expect(np.linspace(0, 1, nothing as null).size).toBe(50);
      expect(list(np.squeeze([[1, 2]], nothing))).toEqual([1, 2]);
    }
  });

  test("K06 float positions, surplus arguments", () => {
    const x = np.array([10, 20, 30]);
    expect(list(x.at(np.array([0, 2])))).toEqual([10, 30]);
    expect(list(x.take(np.array([2, 0])))).toEqual([30, 10]);
    expect(
      [
        [1, 2],
        [3, 4],
      ]
        .map(np.sin as (v: number[]) => NDArray)
        .map(y => y.shape),
    ).toEqual([[2], [2]]);
  });

  test("K07 sort by stable index; x.sort() is a copy", () => {
    const x = vector(2, 1, 2);
    expect(list(x.argsort())).toEqual([1, 0, 2]);
    record(() => x.sort().at(1)).backward();
    expect([list(x.grad), list(x)]).toEqual([
      [1, 0, 0],
      [2, 1, 2],
    ]);
    record(() => npx.topk(x, { k: 1, retTyp: "value" })).backward();
    expect(list(x.grad)).toEqual([1, 0, 0]);
    expect([list(np.argmax([1, 3, 3])), list(np.argmin([1, 3, 1]))]).toEqual([1, 0]);
  });

  test("K08 slopes at singular points", () => {
    const second = grad(grad((x: NDArray) => x.pow(1)));
    expect(list(second(0))).toBe(0);
    const square = grad(grad((x: NDArray) => x.pow(2)));
    expect(list(square(0))).toBe(2);
    expect(list(grad((x: NDArray) => x.pow(0))(0))).toBe(0);
    expect(list(grad((x: NDArray) => np.linalg.norm(x))([0, 0]))).toEqual([0, 0]);
    expect(list(grad((x: NDArray) => np.abs(x).sum())([-1, 0, 1]))).toEqual([-1, 0, 1]);
  });

  test("K09 transforms", () => {
    const f = (x: NDArray): NDArray => x.mul(x).sum();
    expect(list(grad(f)([1, 2]))).toEqual([2, 4]);
    expect(list(grad(() => np.array(1))([1, 2]))).toEqual([0, 0]);
    expect(thrown(() => grad((x: NDArray) => x.mul(2))([1, 2]))).toMatch(/^GradError: .*jacobian/);
    const [value, g] = valueAndGrad((x: NDArray, y: NDArray) => x.mul(y).sum(), [0, 1])([1, 2], [3, 4]);
    expect([list(value), g.map(list)]).toEqual([
      11,
      [
        [3, 4],
        [1, 2],
      ],
    ]);
    expect(list(jacobian((x: NDArray) => x.mul(x))([1, 2]))).toEqual([
      [2, 0],
      [0, 4],
    ]);
    expect(list(hessian((x: NDArray) => x.pow(3).sum())([1, 2]))).toEqual([
      [6, 0],
      [0, 12],
    ]);
    const [, one] = vjp((x: NDArray) => x.mul(x), [1, 2]);
    expect(list(one([1, 1]) as NDArray)).toEqual([2, 4]);
    const [, two] = vjp((x: NDArray, y: NDArray) => x.mul(y), [1, 2], [3, 4]);
    expect((two([1, 1]) as NDArray[]).map(list)).toEqual([
      [3, 4],
      [1, 2],
    ]);
    expect(checkGrad((x: NDArray) => np.tanh(x).sum(), [[0.1, 0.2]])).toBeLessThan(1e-8);
    class Broken extends autograd.Function {
      override forward(x: NDArray): NDArray {
        return x.mul(2);
      }
      override backward(dy: NDArray): NDArray {
        return dy.mul(3);
      }
    }
    expect(() => checkGrad((x: NDArray) => new Broken().apply(x).sum(), [[0.1, 0.2]])).toThrow(GradError);
    const x = vector(1, 2);
    grad(f)(x);
    expect([list(x.grad), x.gradIsFresh], "a transform leaves buffers alone").toEqual([[0, 0], false]);
    // Inside of a recording the gradient is itself differentiable with respect to x.
    record(() => grad(f)(x)).backward();
    expect(list(x.grad)).toEqual([2, 2]);
    // Duplicated positions are two separate results.
    expect(grad(f, [0, 0])([1, 2]).map(list)).toEqual([
      [2, 4],
      [2, 4],
    ]);
  });

  test("K10 out", () => {
    const x = np.array([1, 2]);
    const out = np.zeros(2);
    expect([np.add(x, 1, { out }) === out, list(out)]).toEqual([true, [2, 3]]);
    expect(
      [
        np.matmul(
          np.eye(2),
          [
            [1, 2],
            [3, 4],
          ],
          { out: np.zeros([2, 2]) },
        ),
      ].map(list),
    ).toEqual([
      [
        [1, 2],
        [3, 4],
      ],
    ]);
    np.exp(x, { out: x });
    expectClose(x, [Math.E, Math.E ** 2]);
    expect(thrown(() => np.add(x, 1, { out: np.zeros(3) }))).toMatch(/^ShapeError/);
    expect(thrown(() => np.add(x, 1, { out: np.zeros(2, { dtype: "float64" }) }))).toMatch(/^DTypeError/);
    expect(thrown(() => np.add(x, 1, { out: np.broadcastTo(np.array(1), [2]) }))).toMatch(/^ValueError/);
    const v = vector(1, 2);
    expect(thrown(() => record(() => np.add(v, 1, { out })))).toMatch(/^GradError/);
    expect(thrown(() => record(() => np.add(x, 1, { out: v })))).toMatch(/^GradError/);
    expect(list(v)).toEqual([1, 2]);
    const shifted = np.arange(6);
    np.add(shifted.at(":-1"), 1, { out: shifted.at("1:") });
    expect(list(shifted), "overlapping memory").toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("K11 broadcast views refuse writes", () => {
    const x = np.broadcastTo(np.array([1, 2]), [3, 2]);
    for (const write of [() => x.set(1), () => x.set(1, 0), () => x.iadd(1), () => np.add(x, 1, { out: x })])
      expect(thrown(write)).toMatch(/^ValueError: .*copy\(\)/);
    expect(list(np.broadcastTo(np.array([1, 2]), [1, 2]).set(5))).toEqual([[5, 5]]);
  });

  test("K12 methods: short and long names are the same function", () => {
    const x = np.array([1, 2, 3]);
    for (const [short, long] of [
      ["add", "add"],
      ["sub", "subtract"],
      ["mul", "multiply"],
      ["div", "divide"],
      ["pow", "power"],
      ["eq", "equal"],
      ["ne", "notEqual"],
      ["lt", "less"],
      ["le", "lessEqual"],
      ["gt", "greater"],
      ["ge", "greaterEqual"],
    ] as const)
      expect([list(x[short](2)), list(x[long](2))]).toEqual([list(np[long](x, 2)), list(np[long](x, 2))]);
    expect([list(x.neg()), list(x.abs()), list(x.norm())]).toEqual([[-1, -2, -3], [1, 2, 3], list(np.linalg.norm(x))]);
  });

  test("K13 iteration, item, tolist, toTypedArray", () => {
    const x = np.array([
      [1, 2],
      [3, 4],
    ]);
    expect([...x].map(list)).toEqual([
      [1, 2],
      [3, 4],
    ]);
    for (const row of x) row.set(0, 0);
    expect(list(x), "rows are views").toEqual([
      [0, 2],
      [0, 4],
    ]);
    expect(thrown(() => [...np.array(1)])).toMatch(/^ValueError/);
    expect([x.item(1, 1), x.item(-1, 0), np.array(true).item(), np.array([[7]]).item()]).toEqual([4, 0, true, 7]);
    expect(thrown(() => x.item())).toMatch(/^ValueError/);
    expect(thrown(() => x.item(2, 0))).toMatch(/^IndexError/);
    expect(thrown(() => x.item(0))).toMatch(/^IndexError/);
    const a = x.toTypedArray();
    a[0] = 99;
    expect(list(x)).toEqual([
      [0, 2],
      [0, 4],
    ]);
    expect([x.T.toTypedArray(), np.array([true]).toTypedArray()]).toEqual([Float32Array.of(0, 0, 2, 4), Uint8Array.of(1)]);
    const rows = record(() => {
      const v = np
        .array([
          [1, 2],
          [3, 4],
        ])
        .attachGrad();
      let sum = np.array(0);
      for (const [i, row] of [...v].entries()) sum = sum.add(row.mul(i + 1).sum());
      return [v, sum] as const;
    });
    rows[1].backward();
    expect(list(rows[0].grad), "rows are recorded").toEqual([
      [1, 1],
      [2, 2],
    ]);
  });

  test("K14 causes: a result without graph says why", () => {
    const x = vector(1, 2);
    const y = record(() => x.mul(x));
    y.backward();
    for (const [make, why] of [
      [() => x.mul(2), /nothing was recording/],
      [() => record(() => np.ones(2).mul(2)), /attachGrad/],
      [() => record(() => x.mul(2).detach()), /detached/],
      [() => y, /freed by an earlier backward/],
      [() => record(() => pause(() => x.mul(2))), /nothing was recording/],
      [() => record(() => x.argmax()), /argmax/],
    ] as const)
      expect(thrown(() => make().backward())).toMatch(why);
  });

  test("K15 random programs of recorded writes through views: their gradients are the slopes of what they compute", () => {
    let state = 1;
    const draw = (n: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor(((state >>> 4) / 2 ** 28) * n);
    };
    type Step = [kind: string, i: number, j: number, k: number];
    const KINDS = ["view", "iadd", "isub", "imul", "set", "set at", "set list", "new", "copy"];
    const run = (steps: readonly Step[], a: NDArray, b: NDArray): NDArray => {
      const pool = [a.mul(1.5), b.add(0.25), np.full([2, 3], 0.5, { dtype: "float64" })];
      for (const [kind, i, j, k] of steps) {
        const x = pool[i % pool.length]!;
        const y = [...pool, a, b][j % (pool.length + 2)]!;
        try {
          if (kind === "view") {
            const views = [
              () => x.at(":"),
              () => x.at(k % x.shape[0]!),
              () => x.at("...", "::-1"),
              () => x.T,
              () => x.reshape(-1),
              () => x.at("...", ":2"),
            ];
            pool.push(views[k % 6]!());
          } else if (kind === "iadd" || kind === "isub" || kind === "imul") x[kind](k % 2 ? y.sum().mul(0.3) : y);
          else if (kind === "set") x.set(y);
          else if (kind === "set at") x.set(y.reshape(-1).at(0).mul(0.5), k % x.shape[0]!);
          else if (kind === "set list") x.set(y.reshape(-1).at(":1"), [0, 1, 0]);
          else if (kind === "new") pool.push(np.tanh(y).mul(pool[k % pool.length]!.sum().mul(0.2)));
          else pool.push(y.copy().mul(0.7));
        } catch (error) {
          if (!/^(ShapeError|IndexError)$/.test((error as Error).name)) throw error;
        }
      }
      // Every element counts with a weight of its own.
      return pool.reduce(
        (sum, x, i) => {
          const weights = np.array(Float64Array.from({ length: x.size }, (_, e) => 1 + 0.37 * e + i)).reshape([...x.shape]);
          return sum.add(np.tanh(x.mul(0.3)).mul(weights).sum());
        },
        np.zeros([], { dtype: "float64" }),
      );
    };
    const start = [0.3, -0.2, 0.5, 0.7, -0.4, 0.1, 0.2, 0.6, -0.3, 0.4, 0.15, -0.5];
    const halves = (values: readonly number[]): [NDArray, NDArray] => {
      const [a, b] = [values.slice(0, 6), values.slice(6)].map(v => np.array(Float64Array.from(v)).reshape(2, 3));
      return [a!, b!];
    };
    const check = (steps: readonly Step[], what: string): void => {
      const [a, b] = halves(start);
      const y = record(() => run(steps, a.attachGrad(), b.attachGrad()));
      expect(y.item(), `${what}: recording changes nothing`).toBeCloseTo(run(steps, ...halves(start)).item() as number, 9);
      y.backward();
      const slopes = [...a.grad!.toTypedArray(), ...b.grad!.toTypedArray()];
      start.forEach((_, i) => {
        const value = (h: number): number => run(steps, ...halves(start.map((v, k) => (k === i ? v + h : v)))).item() as number;
        const error = (h: number): number => {
          const difference = (8 * (value(h) - value(-h)) - (value(2 * h) - value(-2 * h))) / (12 * h);
          return Math.abs(difference - slopes[i]!) / Math.max(1, Math.abs(slopes[i]!));
        };
        if (!(error(1e-4) < 1e-4 || error(1e-6) < 1e-4)) expect.fail(`${what}: slope ${i} is ${slopes[i]}, off by ${error(1e-6)}`);
      });
    };
    // A stale view read for a write to its own memory; a write to a reshaped copy.
    check(
      [
        ["view", 1, 0, 3],
        ["isub", 1, 0, 1],
        ["set", 3, 3, 0],
      ],
      "q.T after a write, set to itself",
    );
    check(
      [
        ["view", 2, 0, 2],
        ["iadd", 2, 3, 0],
        ["set", 2, 3, 0],
      ],
      "a reversed view after a write",
    );
    check(
      [
        ["view", 1, 0, 3],
        ["view", 3, 0, 4],
        ["set at", 4, 1, 2],
      ],
      "q.T.reshape(-1)",
    );
    check(
      [
        ["view", 0, 0, 5],
        ["view", 3, 0, 4],
        ["set list", 4, 0, 0],
      ],
      "p.at(..., :2).reshape(-1)",
    );
    for (let seed = 1; seed <= 30; seed++) {
      state = seed * 7919;
      const steps = Array.from({ length: 3 + draw(9) }, (): Step => [KINDS[draw(KINDS.length)]!, draw(1000), draw(1000), draw(1000)]);
      check(steps, `program ${seed} (${steps.map(s => s.join(" ")).join("; ")})`);
    }
  });

  test("K16 a Function that writes to its gradient harms nobody", () => {
    class Vandal extends autograd.Function {
      override forward(x: NDArray): NDArray {
        return x.mul(1);
      }
      override backward(dy: NDArray): NDArray {
        try {
          return dy.imul(0);
        } catch (error) {
          expect((error as Error).name).toBe("ValueError");
          return dy.mul(0);
        }
      }
    }
    const x = vector(1, 2);
    const seed = np.array([5, 6]);
    record(() => new Vandal().apply(x).add(x)).backward(seed);
    expect([list(seed), list(x.grad)]).toEqual([
      [5, 6],
      [5, 6],
    ]);
    let kept: NDArray | undefined;
    class Keeper extends Vandal {
      override backward(dy: NDArray): NDArray {
        kept = dy;
        return dy;
      }
    }
    record(() => new Keeper().apply(x.mul(2)).mul(3)).backward([5, 6]);
    np.ones(2).add(77);
    expect([list(kept!), list(x.grad)]).toEqual([
      [15, 18],
      [30, 36],
    ]);
  });

  test("K17 gradients share no memory with seeds, results or each other", () => {
    const x = vector(1, 2);
    const y = vector(3, 4);
    const [a, b] = autograd.grad(
      record(() => x.add(y)),
      [x, y],
    );
    a!.set(9);
    expect(list(b!)).toEqual([1, 1]);
    for (const f of [(v: NDArray) => v.add(0), (v: NDArray) => v.reshape(1, 2), (v: NDArray) => v.T, (v: NDArray) => v]) {
      const seed = np.array([3, 4]).reshape([...f(x).shape]);
      const g = autograd.grad(
        record(() => f(x)),
        x,
        { headGrads: seed },
      );
      g.set(7);
      expect(seed.reshape(-1).tolist()).toEqual([3, 4]);
      record(() => f(x)).backward(seed);
      x.grad!.set(7);
      expect(seed.reshape(-1).tolist()).toEqual([3, 4]);
    }
    const [u, z] = record(() => {
      const v = x.add(0).retainGrad();
      return [v, v.add(0)] as const;
    });
    z.backward();
    u.grad!.set(9);
    expect(list(x.grad)).toEqual([1, 1]);
  });

  test("K18 lists of recorded arrays: the right gradient or an error, no silent zero", () => {
    const x = vector(1, 2);
    let answer: unknown;
    try {
      record(() =>
        np
          .array([x, x] as unknown as number[])
          .mul(2)
          .sum()
          .add(x.sum()),
      ).backward();
      answer = list(x.grad);
    } catch (error) {
      answer = (error as Error).name;
    }
    expect([JSON.stringify([5, 5]), JSON.stringify("GradError")]).toContain(JSON.stringify(answer));
  });

  test("K19 the dtype asked for is the dtype given", () => {
    for (const dtype of ["float32", "float64", "int32", "int8", "uint8", "bool"] as const)
      for (const call of [
        () => np.sum([1, 2], null, { dtype }),
        () => np.mean([1, 2], null, { dtype }),
        () => np.array([1, 2], { dtype }),
        () => np.ones(2, { dtype }),
        () => np.arange(3, { dtype }),
        () => np.linspace(0, 1, 3, { dtype }),
        () => np.eye(2, { dtype }),
        () => np.onesLike([1], { dtype }),
        () => np.array([1]).astype(dtype),
      ])
        expect(["DTypeError", dtype]).toContain(
          (() => {
            try {
              return call().dtype;
            } catch (error) {
              return (error as Error).name;
            }
          })(),
        );
  });
});

describe("npx and random", () => {
  /** The slope of f at single points. */
  const slopes = (f: (x: NDArray) => NDArray, ...at: number[]): unknown => {
    const x = vector(...at);
    record(() => f(x)).backward();
    return list(x.grad);
  };

  test("N01 activations: gelu's slope at 0, no overflow, corners from the left", () => {
    expect(slopes(npx.gelu, 0, 50, -50)).toEqual([0.5, 1, 0]);
    expect(slopes(npx.logSigmoid, 1000, -1000)).toEqual([0, 1]);
    expect([list(npx.logSigmoid([-1000, 1000])), list(npx.softrelu([-1000, 1000]))]).toEqual([
      [-1000, -0],
      [0, 1000],
    ]);
    expect(slopes(x => npx.leakyRelu(x, 0.5), -1, 0, 1)).toEqual([0.5, 0.5, 1]);
    expect(slopes(x => npx.elu(x, 0.5), 0, 1)).toEqual([0.5, 1]);
    expect(slopes(npx.relu, 0)).toEqual([0]);
    expect(slopes(x => npx.activation(x, "softsign"), 0, 1)).toEqual([1, 0.25]);
  });

  test("N02 hardSigmoid is a clip with its slopes, smoothL1 a square inside 1/s²", () => {
    expect(list(npx.hardSigmoid([-3, -2.5, 0, 1, 3], 0.2, 0.5))).toEqual([0, 0, 0.5, 0.699999988079071, 1]);
    expect(slopes(x => npx.hardSigmoid(x, 0.25), -2, 0, 2, 2.5)).toEqual([0.25, 0.25, 0.25, 0]);
    expect(list(npx.smoothL1([-1, -0.125, 0.25, 1], 2))).toEqual([0.875, 0.03125, 0.125, 0.875]);
    expect(slopes(x => npx.smoothL1(x, 2), -1, -0.125, 0, 0.25)).toEqual([-1, -0.5, 0, 1]);
  });

  test("N03 positions: out of range is an IndexError, float positions that are whole pass, repeated ones add", () => {
    const w = np.array([
      [1, 2],
      [3, 4],
    ]);
    for (const call of [
      () => npx.embedding([2], w),
      () => npx.gatherNd(w, [[0], [2]]),
      () => npx.indexAdd(w, [[5]], 1),
      () => npx.indexUpdate(w, [[-3]], 1),
      () => npx.pick(w, [0, 2], -1, { mode: "raise" }),
    ])
      expect(thrown(call)).toMatch(/^IndexError: \w+: position -?\d is out of range for axis [01] of size 2/);
    expect(thrown(() => npx.embedding([0.5], w))).toMatch(/^DTypeError/);
    expect(list(npx.embedding(np.array([1, 0]), w))).toEqual([
      [3, 4],
      [1, 2],
    ]);
    const x = vector(1, 2);
    record(() => npx.embedding([0, 0, 1], x).mul([1, 10, 100])).backward();
    expect(list(x.grad)).toEqual([11, 100]);
    record(() => npx.gatherNd(x, [[1, 1]])).backward();
    expect(list(x.grad)).toEqual([0, 2]);
  });

  test("N04 masks: positions from the length on give 0 and have gradient 0, a row without any is 0", () => {
    const x = np
      .array([
        [0, 0, Number.NaN],
        [1, 2, 3],
      ])
      .attachGrad();
    const y = record(() => npx.softmax(x, -1, { length: [2, 0] }));
    y.backward([
      [1, 0, 5],
      [1, 1, 1],
    ]);
    expect([list(y), list(x.grad)]).toEqual([
      [
        [0.5, 0.5, 0],
        [0, 0, 0],
      ],
      [
        [0.25, -0.25, 0],
        [0, 0, 0],
      ],
    ]);
    expect(list(npx.maskedSoftmax([1, 1], [false, false]))).toEqual([0, 0]);
    expect(list(npx.sequenceMask([[1], [2]], [1]))).toEqual([[1], [0]]);
  });

  test("N05 fullyConnected: flat unless told otherwise, without a bias if it is null", () => {
    const x = np.ones([2, 2, 3]);
    for (const nothing of [undefined, null]) {
      expect(npx.fullyConnected(x, np.ones([4, 6]), nothing).shape).toEqual([2, 4]);
      expect(npx.fullyConnected(x, np.ones([4, 3]), nothing, { flatten: false }).shape).toEqual([2, 2, 4]);
    }
    expect(thrown(() => npx.fullyConnected(x, np.ones([4, 3])))).toMatch(/^ShapeError: fullyConnected/);
    expect(thrown(() => npx.fullyConnected(x, np.ones([4, 6]), null, { flat: true } as object))).toMatch(
      /^ValueError: .*"flat"; known options: flatten/,
    );
  });

  test("N06 dropout: one decision along the named axes, and the same for the gradient", () => {
    const x = np.ones([6, 50]).attachGrad();
    const y = record(() => npx.dropout(x, 0.5, { axes: [0] }));
    y.backward();
    expect(list(x.grad)).toEqual(list(y));
    expect(new Set((list(y) as number[][]).map(row => row.join())).size).toBe(1);
    expect(new Set(y.toTypedArray())).toEqual(new Set([0, 2]));
  });

  test("N07 one generator, whoever seeds it; choice, permutation and shuffle draw from it", () => {
    const draws = (): unknown => {
      const x = np.arange(9);
      np.random.shuffle(x);
      const [a, b] = [np.random.choice(9, 4), np.random.choice(x, [2, 2], { replace: false })];
      return [x, a, b, np.random.permutation(4), np.random.choice(3, 5, { p: [0.5, 0, 0.5] })].map(list);
    };
    npx.seed(5);
    const first = draws();
    np.random.seed(5);
    expect(draws()).toEqual(first);
    expect(draws()).not.toEqual(first);
  });
});

// Rows that wait for functions not there yet: H05's radians; section 0's var, std, median, quantile, repeat, cumprod, eigh,
// pinv, lstsq and prod with zeros; D21's bool() is toPrimitive here. Without a row: P19 (no format), int64, float16.
