/** What samples and NumPy's answers do not see of creating, shaping, joining and splitting: lists of views, writes through them, graphs. */
import { autograd, grad, hessian, jacobian, type NDArray, np, ShapeError, ValueError, vmap } from "nabla";
import { describe, expect, test } from "vitest";

const counted = (...shape: number[]): NDArray => np.arange(shape.reduce((a, b) => a * b, 1)).reshape(shape);

describe("views", () => {
  test("parts of a split share the array's memory", () => {
    for (const parts of [
      (x: NDArray) => np.split(x, 2),
      (x: NDArray) => np.arraySplit(x, [1], 1),
      (x: NDArray) => np.hsplit(x, [2]),
      (x: NDArray) => np.vsplit(x, 2),
      (x: NDArray) => x.T.split(3),
    ]) {
      const x = counted(2, 3);
      const list = parts(x);
      list[1]!.set(-1);
      expect(x.lt(0).sum().item()).toBe(list[1]!.size);
    }
  });

  test("broadcast arrays share memory and refuse writes; one of the shape already takes them", () => {
    const x = np.array([1, 2]);
    const [a, b] = np.broadcastArrays(x, np.zeros([2, 2]));
    expect(() => a!.set(0)).toThrow(ValueError);
    x.set(7, 0);
    expect(a!.tolist()).toEqual([
      [7, 2],
      [7, 2],
    ]);
    b!.set(1);
  });

  test("writing through a diagonal writes to the matrix", () => {
    const x = np.zeros([2, 3, 3]);
    x.diagonal(0, 1, 2).set([1, 2, 3]);
    x.at(1).diagonal(1).iadd(5);
    x.at(0).diag(-1).at("::-1").set([8, 9]);
    expect(x.tolist()).toEqual([
      [
        [1, 0, 0],
        [9, 2, 0],
        [0, 8, 3],
      ],
      [
        [1, 5, 0],
        [0, 2, 5],
        [0, 0, 3],
      ],
    ]);
  });

  test("a recorded write through a diagonal has its gradient", () => {
    const x = counted(3, 3).attachGrad();
    const v = np.array([2, 3, 4]).attachGrad();
    autograd
      .record(() => {
        const y = np.square(x);
        const before = y.diagonal();
        np.flip(before).set(v.mul(v));
        return y.mul(counted(3, 3)).sum().add(before.sum());
      })
      .backward();
    expect(x.grad!.tolist()).toEqual([
      [0, 2, 8],
      [18, 0, 50],
      [72, 98, 0],
    ]);
    // Backwards on the diagonal, the values are weighted 8, 4 and 0; and each counts once more in the sum.
    expect(v.grad!.tolist()).toEqual([36, 30, 8]);
  });

  test("copies are copies, also where nothing moves", () => {
    const x = np.array([1, 2]);
    for (const y of [
      ...[np.roll(x, 0), np.roll(x, 2), np.tile(x, 1), np.tile(x, []), np.repeat(x, 1), np.pad(x, 0), np.resize(x, 2)],
      ...[np.pad(x, 0, { mode: "edge" }), np.pad(x, 0, { constantValues: 1 }), np.insert(x, [], 1), np.delete(x, []), np.unique(x)],
      ...[x.flatten(), np.meshgrid(x)[0]!, np.meshgrid(x, { sparse: true })[0]!, np.full(2, x), np.tril([[1]])],
    ])
      y.set(9);
    expect(x.tolist()).toEqual([1, 2]);
  });
});

describe("graphs", () => {
  test("third derivatives run through moves, joins and splits", () => {
    const f = (x: NDArray): NDArray => {
      const y = np.pad(np.roll(np.tile(x, 2), 1), 1, { mode: "reflect" });
      const [a, b] = np.split(np.insert(y, [1, 1], np.flip(x).at(":2")), 2) as [NDArray, NDArray];
      return np.append(np.power(a, 4), np.power(np.repeat(np.delete(b, 0), [0, 1, 2, 1]), 4)).sum();
    };
    const third = grad(x => grad(x2 => grad(f)(x2).sum())(x).sum())(np.array([1, 2, 3], { dtype: "float64" }));
    // Each place that holds x four times differentiated contributes 24 x.
    const places = jacobian((x: NDArray) => grad(f)(x))(np.ones(3, { dtype: "float64" }))
      .diagonal()
      .div(12);
    expect(third.tolist()).toEqual(places.mul([1, 2, 3]).mul(24).tolist());
  });

  test("what a triangle cuts off has gradient 0, whatever its slope is", () => {
    const x = np.array([
      [1, 0],
      [4, -1],
    ]);
    const g = grad((y: NDArray) =>
      np
        .tril(
          np.sqrt(
            y
              .mul([
                [1, 1],
                [1, 0],
              ])
              .add([
                [0, 0],
                [0, 1],
              ]),
          ),
        )
        .sum(),
    )(x);
    expect(g.tolist()).toEqual([
      [0.5, 0],
      [0.25, 0],
    ]);
    expect(
      np
        .triu([
          [1, Number.NaN],
          [Number.POSITIVE_INFINITY, 2],
        ])
        .tolist(),
    ).toEqual([
      [1, Number.NaN],
      [0, 2],
    ]);
  });

  test("grids, lines between arrays and filled arrays carry gradients to their arguments", () => {
    const x = np.array([1, 2]);
    expect(grad((v: NDArray) => np.meshgrid(v, [1, 2, 3])[0]!.sum())(x).tolist()).toEqual([3, 3]);
    expect(grad((v: NDArray) => np.linspace(0, v, 5).sum())(x).tolist()).toEqual([2.5, 2.5]);
    expect(grad((v: NDArray) => np.full([3, 2], v).sum())(x).tolist()).toEqual([3, 3]);
    expect(grad((v: NDArray) => np.vstack([v, np.columnStack([v, v.mul(3)])]).sum())(x).tolist()).toEqual([5, 5]);
    expect(grad((v: NDArray) => np.fromfunction((i, j) => i.mul(v).add(j), [2, 2]).sum())(x).tolist()).toEqual([1, 1]);
    const h = hessian((v: NDArray) => np.unique(v).at(0).pow(2).mul(3))(np.array([4, 2, 2]));
    expect(h.tolist()).toEqual([
      [0, 0, 0],
      [0, 6, 0],
      [0, 0, 0],
    ]);
  });

  test("constants of a margin that are an array have a gradient", () => {
    const f = (x: NDArray, c: NDArray): NDArray =>
      np
        .square(
          np.pad(
            x,
            [
              [1, 0],
              [0, 2],
            ],
            { constantValues: c },
          ),
        )
        .sum();
    const x = np.array([[1, 2]]);
    expect(
      np
        .pad(
          x,
          [
            [1, 0],
            [0, 2],
          ],
          {
            constantValues: np.array([
              [3, 4],
              [5, 6],
            ]),
          },
        )
        .tolist(),
    ).toEqual([
      [3, 3, 6, 6],
      [1, 2, 6, 6],
    ]);
    const [gx, gc] = grad(f, [0, 1])(
      x,
      np.array([
        [3, 4],
        [5, 6],
      ]),
    ) as NDArray[];
    expect([gx!.tolist(), gc!.tolist()]).toEqual([
      [[2, 4]],
      [
        [12, 0],
        [0, 48],
      ],
    ]);
    // Also where it is 0, and one for all sides.
    expect(hessian((c: NDArray) => f(x, c))(0).item()).toBe(12);
  });

  test("vmap goes through all of it", () => {
    const f = (x: NDArray): NDArray => {
      const turned = np.rot90(
        np.pad(
          np.tril(x, 1),
          [
            [1, 0],
            [0, 2],
          ],
          { mode: "wrap" },
        ),
      );
      const [a] = np.split(np.moveaxis(np.tile(turned, [1, 2]), 0, 1), 2) as [NDArray];
      const b = np.concatenate([np.diag(np.diagonal(a, -1)).ravel(), np.roll(np.flip(a, 0), 2).ravel(), np.repeat(x, 2)]);
      return np.resize(np.insert(np.delete(b, [0, 2]), 3, np.trace(x)), 60);
    };
    const xs = counted(4, 3, 3);
    expect(vmap(f)(xs).tolist()).toEqual(np.stack(Array.from({ length: 4 }, (_, i) => f(xs.at(i)))).tolist());
  });
});

test("arguments that are positions of other things", () => {
  expect(np.linspace([0, 1], 2, 3, { endpoint: false }).shape).toEqual([3, 2]);
  expect(np.linspace([0, 1], [1, 3], 3, { dtype: "int32" }).dtype).toBe("int32");
  expect(np.full(2, true).dtype).toBe("bool");
  expect(np.meshgrid()).toEqual([]);
  expect(np.broadcastArrays()).toEqual([]);
  expect(np.fromfunction(() => 3, 4).tolist()).toBe(3);
  expect(() => np.full([2], [1, 2, 3])).toThrow(ShapeError);
  expect(() => np.repeat(np.zeros(2), 2 ** 30)).toThrow(ShapeError);
  expect(() => np.tile(np.zeros(4), 2 ** 28)).toThrow(ShapeError);
  expect(() => np.pad(np.zeros([2, 2]), 2 ** 20)).toThrow(ShapeError);
  const whole = np.array([1, 2], { dtype: "int32" });
  expect(() => np.pad(whole, 1, { constantValues: Number.NaN })).toThrow(/^pad: NaN .* no place in an int32 array/);
  expect(() => np.diag(np.zeros(3), 2 ** 20)).toThrow(ShapeError);
  expect(() => np.meshgrid(np.zeros(2 ** 15), np.zeros(2 ** 15))).toThrow(ShapeError);
  // A float64 array takes numbers as they are, not by way of float32.
  expect(np.zeros(2, { dtype: "float64" }).set(0.1).tolist()).toEqual([0.1, 0.1]);
  expect(np.full(1, [0.1], { dtype: "float64" }).tolist()).toEqual([0.1]);
  expect(np.zeros(1, { dtype: "int32" }).set(16777217).tolist()).toEqual([16777217]);
});

test("a transposed copy of any size is the transpose, read and written", () => {
  const wrong: string[] = [];
  for (const dtype of ["float32", "float64", "int32", "uint8"] as const)
    for (const n of [1, 2, 3, 4, 5, 7, 8, 31, 33, 64, 67])
      for (const m of [1, 2, 3, 4, 6, 9, 32, 37, 66]) {
        const x = counted(n, m + 3)
          .astype(dtype)
          .at(":", "1:-2");
        const at = (i: number, j: number): number => (i * (m + 3) + j + 1) % (dtype === "uint8" ? 256 : 2 ** 30);
        const label = `${dtype} ${n}×${m}`;
        for (const [name, y, value] of [
          ["copy", x.T.copy(), (j: number, i: number) => at(i, j)],
          ["reversed", x.at("::-1", "::-1").T.copy(), (j: number, i: number) => at(n - 1 - i, m - 1 - j)],
          [
            "into a view",
            np
              .zeros([m, n + 2], { dtype })
              .at(":", "1:-1")
              .set(x.T),
            (j: number, i: number) => at(i, j),
          ],
          ["with an axis between", np.stack([x, x]).transpose(2, 0, 1).copy().at(":", 1), (j: number, i: number) => at(i, j)],
        ] as const) {
          const got = y.toTypedArray();
          for (let k = 0; k < got.length; k++)
            if (got[k] !== value(Math.floor(k / n), k % n)) {
              wrong.push(`${label} ${name}: ${got[k]} at ${k}`);
              break;
            }
        }
      }
  expect(wrong).toEqual([]);
});

describe("lists to arrays and back", () => {
  test("values of every kind, in runs", () => {
    const rows = Array.from({ length: 5 }, (_, i) => Array.from({ length: 3000 }, (_, j) => i * 3000 + j));
    const x = np.array(rows);
    expect(x.tolist()).toEqual(rows);
    expect(x.T.at(2999).tolist()).toEqual([2999, 5999, 8999, 11999, 14999]);
    expect(np.array(rows.map(row => Float64Array.from(row)) as never).tolist()).toEqual(rows);
    expect(np.array([x.at(1), x.at(0)] as never).tolist()).toEqual([rows[1], rows[0]]);
    const truths = Array.from({ length: 9000 }, (_, i) => i % 3 === 0);
    expect(np.array(truths).dtype).toBe("bool");
    expect(np.array(truths).tolist()).toEqual(truths);
    expect(np.array([...truths, 5]).tolist()).toEqual([...truths.map(Number), 5]);
    expect(np.array([5, ...truths]).tolist()).toEqual([5, ...truths.map(Number)]);
    expect(np.array([np.array(true), false] as never).dtype).toBe("bool");
    expect(np.array(rows, { dtype: "bool" }).sum().item()).toBe(14999);
    expect(np.zeros([2, 0, 3]).tolist()).toEqual([[], []]);
    expect(np.array(5).tolist()).toBe(5);
  });

  test("what is no number is named by its place", () => {
    const long = Array.from({ length: 5000 }, () => [1, 2]);
    expect(() => np.array([...long, [1, "a"]] as never)).toThrow('array: expected numbers, got "a" at [5000][1]');
    expect(() => np.array([...long, [1, [2]]] as never)).toThrow("ragged lists: expected a number at [5000][1], got a list of 1");
    expect(() => np.array([...long, [1]])).toThrow("ragged lists: expected 2 elements at [5000], got 1");
    expect(() => np.array([...long, 1])).toThrow("ragged lists: expected 2 elements at [5000], got 1");
    expect(() => np.array([...long, [1, Number.NaN]], { dtype: "int32" })).toThrow("NaN at position 10001");
    const x = np.array(2).attachGrad();
    expect(() => autograd.record(() => np.array([1, x.mul(2)] as never))).toThrow("whose graph would be lost");
  });
});
