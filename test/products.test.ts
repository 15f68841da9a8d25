/** What samples and golden cases do not see of products, norms and singular values: singular points, extreme matrices, contraction order. */
import { autograd, DTypeError, grad, jvp, type NDArray, np, ShapeError, ValueError, vmap } from "nabla";
import { describe, expect, test } from "vitest";
import { svdOf } from "../src/ops/linalg/svd.ts";
import { expectDerivatives, randomArray } from "./support/derivatives.ts";
import { closeness, randomNumbers, valuesOf } from "./support/sampling.ts";

const wide = (values: number[] | number[][]): NDArray => np.array(values, { dtype: "float64" });
const largest = (x: NDArray): number => valuesOf(x).reduce((most, v) => Math.max(most, Math.abs(v)), 0);
const turned = (x: NDArray): NDArray => np.swapaxes(x, -1, -2);

describe("singular values", () => {
  const next = randomNumbers(7);
  const random = (...shape: number[]): NDArray => randomArray(shape, "float64", next);
  const graded = np.power(10, np.linspace(0, -12, 8).astype("float64"));
  const MATRICES: Record<string, NDArray> = {
    "1 × 1": random(1, 1),
    tall: random(30, 4),
    wide: random(4, 30),
    square: random(40, 40),
    batch: random(2, 3, 5, 4),
    zeros: np.zeros([3, 5], { dtype: "float64" }),
    ones: np.ones([5, 3], { dtype: "float64" }),
    identity: np.eye(4).astype("float64"),
    "rank 1": np.outer(random(6), random(4)),
    "rank 2": np.matmul(random(20, 2), random(2, 15)),
    "a zero column": np.multiply(random(5, 3), [1, 0, 1]),
    huge: np.multiply(random(4, 3), 1e300),
    tiny: np.multiply(random(4, 3), 1e-290),
    graded: np.multiply(random(8, 8), graded),
    empty: np.zeros([0, 3], { dtype: "float64" }),
    "no matrices": np.zeros([0, 2, 3], { dtype: "float64" }),
  };

  test.each(Object.entries(MATRICES))("%s: orthonormal vectors, descending values, the matrix again", (_, a) => {
    const [u, s, vh] = svdOf(a);
    const [m, n] = a.shape.slice(-2) as [number, number];
    const k = Math.min(m, n);
    const lead = a.shape.slice(0, -2);
    expect([u.shape, s.shape, vh.shape]).toEqual([
      [...lead, m, k],
      [...lead, k],
      [...lead, k, n],
    ]);
    const one = np.eye(k).astype("float64");
    expect(largest(np.subtract(np.matmul(turned(u), u), one))).toBeLessThan(1e-14);
    expect(largest(np.subtract(np.matmul(vh, turned(vh)), one))).toBeLessThan(1e-14);
    expect(largest(np.subtract(np.matmul(np.multiply(u, np.expandDims(s, -2)), vh), a))).toBeLessThanOrEqual(2e-14 * largest(a));
    const values = valuesOf(s);
    values.forEach((v, i) => {
      if (!(v >= 0) || (i % k > 0 && v > values[i - 1]!)) throw new Error(`value ${i} is ${v}`);
    });
  });

  test("float32 is computed in double and rounded", () => {
    const a = randomArray([12, 7], "float32", next);
    const [, s] = svdOf(a);
    expect(s.dtype).toBe("float32");
    expect(closeness(valuesOf(s), valuesOf(svdOf(a.astype("float64"))[1].astype("float32")), 0)).toBe("");
  });

  test("NaN and infinity are refused", () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY])
      for (const order of [2, -2, "nuc"] as const)
        expect(() =>
          np.linalg.norm(
            [
              [1, bad],
              [2, 3],
            ],
            order,
          ),
        ).toThrow(ValueError);
  });

  test("what does not depend on the choice of vectors has its derivative where values are equal", () => {
    // The polar factor of A, whose derivative at the identity is the skew part of the direction.
    const polar = (x: NDArray): NDArray => {
      const [u, , vh] = svdOf(x);
      return np.matmul(u, vh);
    };
    const weights = wide([
      [1, 2],
      [4, -1],
    ]);
    const g = grad(x => np.sum(np.multiply(polar(x), weights)))(np.eye(2).astype("float64"));
    expect(closeness(valuesOf(g), [0, -1, 1, 0], 1e-15)).toBe("");
  });
});

describe("norms at singular points", () => {
  const ORDERS = [undefined, 0, 0.5, 1, 1.5, 2, 2.5, 3, 4, 6, -0.5, -1, -2, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  /** Gradients along fixed directions, of orders 1 to 3. */
  const gradients = (f: (x: NDArray) => NDArray, x: NDArray): NDArray[] => {
    const along = (h: (y: NDArray) => NDArray) => (y: NDArray) => {
      const direction = np.arange(x.size).astype("float64").add(1).reshape(x.shape);
      return np.sum(np.multiply(grad(h)(y), direction));
    };
    return [grad(f)(x), grad(along(f))(x), grad(along(along(f)))(x)];
  };

  test.each(ORDERS)("order %s: slopes 0 at the zero vector, and no NaN where an element is 0", order => {
    const f = (x: NDArray): NDArray => np.linalg.norm(x, order);
    for (const g of gradients(f, wide([0, 0, 0]))) expect(valuesOf(g)).toEqual([0, 0, 0]);
    for (const g of gradients(f, wide([3, 0, -4]))) expect(valuesOf(g).every(Number.isFinite), `${g}`).toBe(true);
    expect(Math.abs(valuesOf(grad(f)(wide([3, 0, -4])))[1]!)).toBe(0);
  });

  test.each(["fro", "nuc", 1, -1, 2, -2, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] as const)(
    "order %s: slopes 0 at the zero matrix, and no NaN at the identity",
    order => {
      const f = (x: NDArray): NDArray => np.linalg.norm(x, order);
      for (const shape of [
        [2, 2],
        [3, 2],
        [2, 3],
      ])
        for (const g of gradients(f, np.zeros(shape, { dtype: "float64" }))) expect(largest(g)).toBe(0);
      for (const g of gradients(f, np.eye(3).astype("float64"))) expect(valuesOf(g).every(Number.isFinite), `${g}`).toBe(true);
    },
  );

  test("tied elements share the slope of the largest", () =>
    expect(valuesOf(grad(x => np.linalg.norm(x, np.inf))(wide([2, -2, 1])))).toEqual([0.5, -0.5, 0]));

  test("even powers keep their higher derivatives where an element is 0", () => {
    // The fourth root of 1 + t⁴ has the fourth derivative 6 at 0.
    const f = (t: NDArray): NDArray => np.linalg.norm(np.stack([np.multiply(t, 0).add(1), t]), 4);
    expect(grad(grad(grad(grad(f))))(wide([0]).reshape([])).item()).toBe(6);
  });
});

describe("contractions", () => {
  test("several arrays are contracted in an order that fits into memory", () => {
    const [a, b, c] = [1, 2, 3].map(k => np.multiply(np.ones(1000), k)) as [NDArray, NDArray, NDArray];
    // From the left, the first three would make 10⁹ elements.
    expect(np.einsum("i,j,k,i,j,k", a, b, c, a, b, c).item()).toBe(Math.fround(36e9));
  });

  test("a diagonal is a view, and the same letters give another array", () => {
    const x = np.zeros([2, 2]);
    np.einsum("ii->i", x).set([5, 7]);
    expect(x.tolist()).toEqual([
      [5, 0],
      [0, 7],
    ]);
    expect(np.einsum("ij", x) === x).toBe(false);
  });

  test("third derivatives", () => {
    const next = randomNumbers(9);
    const random = (...shape: number[]): NDArray => randomArray(shape, "float64", next);
    const cubed = (x: NDArray): NDArray => np.power(x, 3);
    expectDerivatives("einsum", (a, b) => cubed(np.einsum("ij,jk,ij->ik", a!, b!, a!)), [random(2, 3), random(3, 2)], 3, next);
    expectDerivatives("convolve", (a, b) => cubed(np.convolve(a!, b!, "same")), [random(5), random(3)], 3, next);
    expectDerivatives("polyval", (p, x) => np.polyval(p!, x!), [random(4), random(3)], 3, next);
    expectDerivatives("norm", x => np.linalg.norm(x!, 3), [random(4)], 3, next);
    expectDerivatives("nuclear norm", x => np.linalg.norm(x!, "nuc"), [random(3, 2)], 3, next);
  });

  test("under vmap", () => {
    const next = randomNumbers(11);
    const a = randomArray([3, 4, 2], "float64", next);
    const s = vmap(x => np.linalg.norm(x, "nuc"))(a);
    const g = vmap(grad(x => np.linalg.norm(x, 2)))(a);
    for (let i = 0; i < 3; i++) {
      expect(s.item(i)).toBe(np.linalg.norm(a.at(i), "nuc").item());
      expect(closeness(valuesOf(g.at(i)), valuesOf(grad(x => np.linalg.norm(x, 2))(a.at(i))), 1e-14)).toBe("");
    }
    const v = randomArray([2], "float64", next);
    const y = vmap((x, w) => np.correlate(x, w, "full"), [0, null])(a.at(":", ":", 0), v);
    expect(closeness(valuesOf(y.at(1)), valuesOf(np.correlate(a.at(1, ":", 0), v, "full")), 1e-15)).toBe("");
  });

  test("coefficients in a list have all their digits beside float64", () => {
    const x = wide([1]).attachGrad();
    autograd.record(() => np.polyval([0.1, 0.2, 0.3], x)).backward();
    expect(np.polyval([0.1, 0.2, 0.3], x).item()).toBe(0.1 + 0.2 + 0.3);
    expect(x.grad!.item()).toBe(0.1 + (0.1 + 0.2));
  });
});

describe("cross products along axes of their own", () => {
  const next = randomNumbers(23);
  const random = (...shape: number[]): NDArray => randomArray(shape, "float64", next);

  test("derivatives of order 1 and 2, forwards and mapped", () => {
    for (const [s, t, axes] of [
      [[3, 4], [4, 3], { axisa: 0, axisc: 0 }],
      [[2, 4], [4, 3], { axisa: 0, axisb: 1 }],
      [[3, 2], [2], { axisa: 0, axisb: -1 }],
      [[4, 2], [2, 4], { axisb: 0 }],
    ] as const) {
      const [a, b, da, db] = [random(...s), random(...t), random(...s), random(...t)] as const;
      const f = (...xs: NDArray[]): NDArray => np.cross(xs[0]!, xs[1]!, null, axes);
      expectDerivatives(`cross of [${s}] and [${t}]`, f, [a, b], 2, next);
      const [, tangent] = jvp(f, [a, b], [da, db]);
      expect(closeness(valuesOf(tangent), valuesOf(f(da, b).add(f(a, db))), 1e-12)).toBe("");
      const mapped = vmap(f)(np.stack([a, da]), np.stack([b, db]));
      expect(closeness(valuesOf(mapped), valuesOf(np.stack([f(a, b), f(da, db)])), 1e-14)).toBe("");
    }
  });

  test("a component that is not there has no part, whatever it would be multiplied with", () => {
    const b = wide([0, Number.POSITIVE_INFINITY, 2]);
    expect(np.cross(wide([1, 0]), b).tolist()).toEqual([0, -2, Number.POSITIVE_INFINITY]);
    expect(grad((a: NDArray) => np.cross(a, b).at(":2").sum())(wide([1, 0])).tolist()).toEqual([-2, 2]);
  });

  test("what it is refused for", () => {
    const [a, b] = [np.ones([3, 4]), np.ones([4, 3])];
    expect(() => a.cross(b, null, { axisa: 2 })).toThrow(/^cross: axis 2 is out of range for 2 axes/);
    expect(() => a.cross(b, null, { axisa: 1 })).toThrow(/^cross: axis 1 of \(3, 4\) has size 4; a vector has size 2 or 3/);
    expect(() => a.cross(b, null, { axisa: 0, axisc: -3 })).toThrow(ShapeError);
    expect(() => a.cross(b, null, { axis: 0 } as object)).toThrow(/^cross: unknown option "axis"; known options: axisa, axisb, axisc/);
    expect(() => np.cross([true, false], [true, false, true])).toThrow(DTypeError);
    expect(a.cross(b, undefined, { axisa: 0, axisb: null, axisc: undefined }).shape).toEqual([4, 3]);
  });
});
