/**
 * np.linalg: backward errors over sizes, scales and kinds of matrices, by plain loops; what happens at the edges; and
 * derivatives that the samples do not reach: of singular matrices, of equal values, of triangles.
 */
import { autograd, GradError, grad, hessian, jvp, NDArray, np, ShapeError, ValueError, vmap } from "nabla";
import { describe, expect, test } from "vitest";
import { expectDerivatives, type Fn } from "./support/derivatives.ts";
import { arrayOf, closeness, LAYOUTS, laid, type Next, randomNumbers, sizeOf, some, valuesOf } from "./support/sampling.ts";

const { linalg } = np;
const EPSILON = { float32: 2 ** -23, float64: 2 ** -52 } as const;
type Float = keyof typeof EPSILON;
const FLOATS: readonly Float[] = ["float32", "float64"];

// ---------------------------------------------------------------- plain matrices, for comparison

interface Plain {
  readonly m: number;
  readonly n: number;
  readonly at: (i: number, j: number) => number;
}

const plain = (x: NDArray): Plain => {
  const values = valuesOf(x);
  const [m, n] = x.shape as [number, number];
  return { m, n, at: (i, j) => values[i * n + j]! };
};
const turned = ({ m, n, at }: Plain): Plain => ({ m: n, n: m, at: (i, j) => at(j, i) });
const unit = (n: number): Plain => ({ m: n, n, at: (i, j) => Number(i === j) });
const diagonal = (x: NDArray): Plain => {
  const values = valuesOf(x);
  return { m: x.size, n: x.size, at: (i, j) => (i === j ? values[i]! : 0) };
};
const stored = (m: number, n: number, f: (i: number, j: number) => number): Plain => {
  const values = Float64Array.from({ length: m * n }, (_, p) => f(Math.floor(p / n), p % n));
  return { m, n, at: (i, j) => values[i * n + j]! };
};
const flat = ({ m, n, at }: Plain): Float64Array => {
  const values = new Float64Array(m * n);
  for (let i = 0, p = 0; i < m; i++) for (let j = 0; j < n; j++) values[p++] = at(i, j);
  return values;
};
function product(a: Plain, b: Plain): Plain {
  const [p, q] = [flat(a), flat(b)];
  const out = new Float64Array(a.m * b.n);
  for (let i = 0; i < a.m; i++)
    for (let k = 0; k < a.n; k++) for (let j = 0; j < b.n; j++) out[i * b.n + j]! += p[i * a.n + k]! * q[k * b.n + j]!;
  return { m: a.m, n: b.n, at: (i, j) => out[i * b.n + j]! };
}

/** The largest element, which no scale takes out of range. */
const size = ({ m, n, at }: Plain): number => {
  let largest = 0;
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) largest = Math.max(largest, Math.abs(at(i, j)));
  return largest;
};

/** How far apart two matrices are, in units of the dtype's epsilon beside a size. */
const apart = (a: Plain, b: Plain, beside: number, dtype: Float): number => {
  expect([a.m, a.n]).toEqual([b.m, b.n]);
  const error = size(stored(a.m, a.n, (i, j) => a.at(i, j) - b.at(i, j)));
  return error === 0 ? 0 : error / (beside * EPSILON[dtype]);
};

const wide = (values: readonly (readonly number[])[] | number[]): NDArray => np.array(values, { dtype: "float64" });

/** Kinds of matrices, all with elements of about 1 at most. */
const KINDS: Record<string, (m: number, n: number, next: Next) => number[]> = {
  random: (m, n, next) => Array.from({ length: m * n }, () => 2 * next() - 1),
  Hilbert: (m, n) => Array.from({ length: m * n }, (_, p) => 1 / (Math.floor(p / n) + (p % n) + 1)),
  "graded rows": (m, n, next) => Array.from({ length: m * n }, (_, p) => (2 * next() - 1) * 10 ** (-12 * (Math.floor(p / n) / m))),
  "graded columns": (m, n, next) => Array.from({ length: m * n }, (_, p) => (2 * next() - 1) * 10 ** (-12 * ((p % n) / n))),
  "of rank 1": (m, n, next) => {
    const [u, v] = [m, n].map(k => Array.from({ length: k }, () => 2 * next() - 1)) as [number[], number[]];
    return Array.from({ length: m * n }, (_, p) => u[Math.floor(p / n)]! * v[p % n]!);
  },
  "of whole numbers": (m, n, next) => Array.from({ length: m * n }, () => Math.floor(5 * next()) - 2),
  "of ones": (m, n) => new Array<number>(m * n).fill(1),
  "of zeros": (m, n) => new Array<number>(m * n).fill(0),
};
/** Their sizes, around those where methods change; the larger ones for one kind only. */
const SIDES = [1, 2, 3, 9, 17, 36];
const SCALES: Record<Float, readonly number[]> = { float32: [1, 1e30, 1e-30], float64: [1, 1e150, 1e-290] };

interface Case {
  readonly label: string;
  readonly x: NDArray;
  readonly dtype: Float;
  /** So many epsilons are few for a matrix of this size. */
  readonly few: number;
}

function* cases(sides: readonly (readonly [number, number])[], kinds = Object.keys(KINDS)): Generator<Case> {
  const next = randomNumbers(7);
  for (const dtype of FLOATS)
    for (const kind of kinds)
      for (const [m, n] of some(sides))
        for (const scale of m > 9 ? [1] : SCALES[dtype]) {
          const values = KINDS[kind]!(m, n, next).map(v => v * scale);
          yield {
            label: `${dtype} ${kind}, ${m} × ${n}, by ${scale}`,
            x: arrayOf(values, [m, n], dtype),
            dtype,
            few: 4 + 2 * Math.max(m, n),
          };
        }
}

const squares = SIDES.map((n): [number, number] => [n, n]);
const oblongs: readonly (readonly [number, number])[] = [...squares, [5, 2], [2, 5], [1, 4], [4, 1], [20, 9], [9, 20], [33, 17], [17, 33]];

function within(what: string, error: number, few: number): void {
  if (!(error <= few)) throw new Error(`${what}: ${error} epsilons, more than ${few}`);
}

describe("backward errors are a few epsilons", () => {
  test("qr", () => {
    for (const { label, x, dtype, few } of cases(oblongs)) {
      const a = plain(x);
      const [q, r] = linalg.qr(x).map(plain) as [Plain, Plain];
      within(`${label}: QᵀQ`, apart(product(turned(q), q), unit(q.n), 1, dtype), few);
      within(`${label}: QR`, apart(product(q, r), a, size(a), dtype), few);
      within(`${label}: below R's diagonal`, size(stored(r.m, r.n, (i, j) => (i > j ? r.at(i, j) : 0))), 0);
      if (a.m <= a.n) continue;
      const [whole, tall] = linalg.qr(x, { mode: "complete" }).map(plain) as [Plain, Plain];
      within(`${label}: complete QᵀQ`, apart(product(turned(whole), whole), unit(a.m), 1, dtype), few);
      within(`${label}: complete QR`, apart(product(whole, tall), a, size(a), dtype), few);
    }
  });

  test("svd", () => {
    for (const { label, x, dtype, few } of cases(oblongs)) {
      const a = plain(x);
      for (const fullMatrices of [false, true]) {
        const [u, s, vh] = linalg.svd(x, { fullMatrices });
        const values = valuesOf(s);
        const k = values.length;
        const [left, right] = [plain(u), plain(vh)];
        within(`${label}: UᵀU`, apart(product(turned(left), left), unit(left.n), 1, dtype), few);
        within(`${label}: VᵀV`, apart(product(right, turned(right)), unit(right.m), 1, dtype), few);
        const scaled = stored(a.m, k, (i, j) => left.at(i, j) * values[j]!);
        const whole = product(scaled, { ...right, m: k });
        within(`${label}: USV`, apart(whole, a, Math.max(values[0]!, size(a)), dtype), few);
        expect(
          values.every((v, i) => v >= 0 && (i === 0 || v <= values[i - 1]!)),
          label,
        ).toBe(true);
        expect(closeness(valuesOf(linalg.svd(x, { computeUv: false })), values, 1e-14 * Math.max(1, values[0]!)), label).toBe("");
      }
    }
  });

  test("eigh", () => {
    for (const { label, x, dtype, few } of cases(squares)) {
      const b = plain(x);
      const symmetric = stored(b.m, b.m, (i, j) => (i >= j ? b.at(i, j) : b.at(j, i)));
      const a = arrayOf(
        Array.from({ length: b.m * b.m }, (_, p) => symmetric.at(Math.floor(p / b.m), p % b.m)),
        [b.m, b.m],
        dtype,
      );
      for (const given of [a, x]) {
        const [w, v] = linalg.eigh(given, given === x ? { UPLO: "L" } : {});
        const vectors = plain(v);
        within(`${label}: VᵀV`, apart(product(turned(vectors), vectors), unit(b.m), 1, dtype), few);
        const whole = product(product(vectors, diagonal(w)), turned(vectors));
        const largest = Math.max(size(symmetric), ...valuesOf(w).map(Math.abs));
        within(`${label}: VWVᵀ`, apart(whole, symmetric, largest, dtype), few);
        expect(
          valuesOf(w).every((value, i, all) => i === 0 || value >= all[i - 1]!),
          label,
        ).toBe(true);
        within(`${label}: eigvalsh`, apart(diagonal(linalg.eigvalsh(given, { UPLO: "L" })), diagonal(w), largest, dtype), few);
      }
    }
  });

  test("cholesky", () => {
    for (const { label, x, dtype } of cases(squares, ["random", "graded rows", "of whole numbers"])) {
      if (/by 1e/.test(label)) continue;
      const n = x.shape[0]!;
      const a = np.add(np.matmul(x, x.T), np.multiply(np.eye(n, { dtype }), 0.01));
      const l = plain(linalg.cholesky(a));
      within(`${label}: LLᵀ`, apart(product(l, turned(l)), plain(a), size(plain(a)), dtype), 4 + n);
      within(`${label}: above the diagonal`, size(stored(n, n, (i, j) => (i < j ? l.at(i, j) : Number(i === j && !(l.at(i, j) > 0))))), 0);
    }
  });

  test("solve and inv", () => {
    const next = randomNumbers(3);
    for (const { label, x, dtype, few } of cases([...squares, [70, 70]], ["random", "Hilbert", "graded rows", "graded columns"])) {
      const n = x.shape[0]!;
      const b = arrayOf(
        Array.from({ length: n * 3 }, () => 2 * next() - 1),
        [n, 3],
        dtype,
      );
      const y = linalg.solve(x, b);
      // A float32 result is rounded once more; where it overflows there is nothing to compare.
      if (!valuesOf(y).every(v => Number.isFinite(v) && (v === 0 || Math.abs(v) > 1e-36))) continue;
      const [a, z] = [plain(x), plain(y)];
      within(`${label}: solve`, apart(product(a, z), plain(b), n * size(a) * size(z) + 1, dtype), few);
      const inverse = plain(linalg.inv(x));
      within(`${label}: inv`, apart(product(a, inverse), unit(n), n * size(a) * size(inverse), dtype), few);
    }
  });

  test("lstsq and pinv", () => {
    for (const { label, x, dtype } of cases(oblongs, ["random", "of rank 1", "of whole numbers", "of zeros"])) {
      if (x.shape[0]! > 9 && dtype === "float32") continue;
      const [a, p] = [plain(x), plain(linalg.pinv(x, { rcond: 1e-6 }))];
      // The four conditions of Penrose, with the condition of the matrix in the bound.
      const s = valuesOf(linalg.svd(x, { computeUv: false })).filter((v, _, all) => v > 1e-6 * all[0]!);
      const condition = s.length === 0 ? 1 : s[0]! / s.at(-1)!;
      const few = 10 * a.m * a.n * condition;
      const [ap, pa] = [product(a, p), product(p, a)];
      within(`${label}: APA`, apart(product(ap, a), a, size(a) || 1, dtype), few);
      within(`${label}: PAP`, apart(product(pa, p), p, size(p) || 1, dtype), few);
      within(`${label}: AP`, apart(ap, turned(ap), 1, dtype), few);
      within(`${label}: PA`, apart(pa, turned(pa), 1, dtype), few);
      const b = np.ones([a.m, 2], { dtype });
      const [y, residuals, rank, values] = linalg.lstsq(x, b, { rcond: 1e-6 });
      within(`${label}: lstsq`, apart(plain(y), product(p, plain(b)), a.m * size(p) || 1, dtype), few);
      expect(rank.item()).toBe(s.length);
      expect(rank.dtype).toBe("int32");
      expect(values.shape).toEqual([Math.min(a.m, a.n)]);
      expect(residuals.shape).toEqual(a.m > a.n && s.length === a.n ? [2] : [0]);
    }
  });

  test("of matrices of subnormal numbers", () => {
    for (const [m, n] of [
      [3, 3],
      [5, 4],
      [4, 5],
      [40, 30],
    ] as const) {
      const next = randomNumbers(m);
      const x = np.array(Float64Array.from({ length: m * n }, () => Math.round(8 * next() - 4) * 5e-324)).reshape(m, n);
      for (const mode of ["reduced", "complete"] as const) {
        const [q, r] = linalg.qr(x, { mode });
        const off = np.subtract(np.matmul(q.T, q), np.eye(q.shape[1]!, { dtype: "float64" }));
        within(`${m} × ${n}: QᵀQ`, np.max(np.abs(off)).item() / EPSILON.float64, 20 * n);
        expect(np.max(np.abs(np.subtract(np.matmul(q, r), x))).item()).toBeLessThan(5e-324 * 4 * n);
      }
    }
  });

  test("of matrices of some hundred rows", () => {
    const next = randomNumbers(11);
    const n = 150;
    const x = arrayOf(KINDS.random!(n, n, next), [n, n], "float64");
    const square = (y: NDArray): NDArray => np.matmul(y.T, y);
    const error = (a: NDArray, b: NDArray): number => np.max(np.abs(np.subtract(a, b))).item() / EPSILON.float64;
    const one = np.eye(n, { dtype: "float64" });
    const [q, r] = linalg.qr(x);
    const [u, s, vh] = linalg.svd(x);
    const [w, v] = linalg.eigh(np.add(x, x.T));
    within("QᵀQ", error(square(q), one), n);
    within("QR", error(np.matmul(q, r), x), n);
    within("UᵀU", error(square(u), one), n);
    within("VᵀV", error(square(vh.T), one), n);
    within("USV", error(np.matmul(np.multiply(u, s), vh), x), 5 * n);
    within("eigenvectors", error(square(v), one), n);
    within("VWVᵀ", error(np.matmul(np.multiply(v, w), v.T), np.add(x, x.T)), 5 * n);
    const definite = np.add(square(x), one);
    const l = linalg.cholesky(definite);
    within("LLᵀ", error(np.matmul(l, l.T), definite), 20 * n);
    for (const shape of [
      [400, 60],
      [60, 400],
    ]) {
      const z = arrayOf(KINDS.random!(400, 60, next), shape, "float64");
      const [tall, values, wideOnes] = linalg.svd(z);
      within("long sides", error(np.matmul(np.multiply(tall, values), wideOnes), z), 5 * n);
    }
    const y = linalg.solve(x, x);
    within("solve", error(np.matmul(x, y), x), 100 * n);
    const [sign, logarithm] = linalg.slogdet(x);
    expect(logarithm.item()).toBeCloseTo(np.sum(np.log(s)).item(), 9);
    expect(sign.item()).toBe(Math.sign(linalg.det(x).item()));
  });
});

// ---------------------------------------------------------------- layouts, stacks, edges

/** Every function of one square matrix, as a list of results. */
const OF_SQUARE: Record<string, (x: NDArray) => NDArray[]> = {
  inv: x => [linalg.inv(x)],
  det: x => [linalg.det(x)],
  slogdet: x => linalg.slogdet(x),
  cholesky: x => [linalg.cholesky(np.add(np.matmul(x, np.swapaxes(x, -1, -2)), np.eye(x.shape.at(-1)!)))],
  qr: x => linalg.qr(x),
  "qr r": x => [linalg.qr(x, { mode: "r" })],
  svd: x => linalg.svd(x),
  "singular values": x => [linalg.svd(x, { computeUv: false })],
  eigh: x => linalg.eigh(x, { UPLO: "L" }),
  eigvalsh: x => [linalg.eigvalsh(x, { UPLO: "U" })],
  pinv: x => [linalg.pinv(x)],
  matrixRank: x => [linalg.matrixRank(x)],
  matrixPower: x => [linalg.matrixPower(x, 3)],
  cond: x => [linalg.cond(x)],
  "cond 1": x => [linalg.cond(x, 1)],
};

describe.each(Object.entries(OF_SQUARE))("%s", (name, f) => {
  const next = randomNumbers(17);
  const values = (...shape: number[]): number[] => Array.from({ length: sizeOf(shape) }, () => 2 * next() - 1);

  test("is the same of any layout, and of stacks", () => {
    for (const dtype of FLOATS) {
      const list = values(2, 2, 3, 3);
      const stack = arrayOf(list, [2, 2, 3, 3], dtype);
      const whole = f(stack);
      for (let i = 0; i < 4; i++) {
        const x = arrayOf(list.slice(9 * i, 9 * i + 9), [3, 3], dtype);
        f(x).forEach((y, k) => {
          const part = whole[k]!.at(i >> 1, i & 1);
          expect([part.shape, part.dtype]).toEqual([y.shape, y.dtype]);
          expect(valuesOf(part), `matrix ${i}`).toEqual(valuesOf(y));
        });
        for (const layout of LAYOUTS) {
          const { view } = laid(valuesOf(x), [3, 3], dtype, layout);
          f(view).forEach((y, k) => expect(valuesOf(y), layout.name).toEqual(valuesOf(f(x)[k]!)));
        }
      }
    }
  });

  test("of integers is that of float32", () => {
    const x = arrayOf([4, 1, 0, 1, 5, 2, 0, 2, 6], [3, 3], "int32");
    f(x).forEach((y, k) => {
      if (name !== "matrixPower") expect(y.dtype).toBe(f(x.astype("float32"))[k]!.dtype);
      expect(valuesOf(y)).toEqual(valuesOf(f(x.astype("float32"))[k]!));
    });
  });

  test("of nothing", () => {
    if (name.startsWith("cond")) return void expect(() => f(np.zeros([0, 0]))).toThrow(ValueError);
    // Nothing has no largest singular value.
    if (name === "matrixRank") expect(() => f(np.zeros([0, 0]))).toThrow(ValueError);
    else for (const y of f(np.zeros([0, 0]))) expect(y).toBeInstanceOf(NDArray);
    for (const y of f(np.zeros([0, 3, 3]))) expect(y.size).toBe(0);
  });

  test("refuses what is no matrix", () => {
    if (name === "matrixRank") return;
    expect(() => f(np.ones([3]))).toThrow(ShapeError);
    expect(() => f(np.array(2))).toThrow(ShapeError);
  });
});

describe("edges", () => {
  const rows = (x: NDArray): unknown => x.tolist();

  test("of zero-size matrices NumPy's values", () => {
    const none = np.zeros([0, 0]);
    expect(linalg.det(none).item()).toBe(1);
    expect(linalg.slogdet(none).map(x => x.item())).toEqual([1, 0]);
    expect(linalg.inv(none).shape).toEqual([0, 0]);
    expect(linalg.matrixRank(none, { tol: 0 }).item()).toBe(0);
    expect(linalg.qr(np.zeros([3, 0])).map(x => x.shape)).toEqual([
      [3, 0],
      [0, 0],
    ]);
    const [q] = linalg.qr(np.zeros([2, 0]), { mode: "complete" });
    expect(rows(q)).toEqual([
      [1, 0],
      [0, 1],
    ]);
    const [u, s, vh] = linalg.svd(np.zeros([0, 2]), { fullMatrices: true });
    expect([u.shape, s.shape, rows(vh)]).toEqual([
      [0, 0],
      [0],
      [
        [1, 0],
        [0, 1],
      ],
    ]);
    expect(linalg.solve(none, np.zeros([0, 2])).shape).toEqual([0, 2]);
    expect(linalg.lstsq(np.zeros([0, 2]), np.zeros([0]))[0].tolist()).toEqual([0, 0]);
    expect(linalg.lstsq(np.zeros([2, 0]), np.ones([2])).map(x => x.shape)).toEqual([[0], [1], [], [0]]);
    expect(linalg.pinv(np.zeros([2, 0])).shape).toEqual([0, 2]);
    for (const order of [2, -2, 1, "fro", "nuc"] as const) {
      expect(linalg.cond(np.zeros([0, 3, 3]), order).shape).toEqual([0]);
      expect(() => linalg.cond(np.zeros([2, 0, 0]), order)).toThrow(/^cond: the matrices are empty/);
    }
  });

  test("conditions of float32 matrices whose squares are out of its range", () => {
    const x = np.array([
      [2e-25, 0],
      [0, 1e-25],
    ]);
    expect([1, "fro", 2].map(order => linalg.cond(x, order as 1).item())).toEqual([2, 2.5, 2]);
    expect(linalg.cond(x, "fro").dtype).toBe("float32");
  });

  test("what is not a number spreads through elimination, and is refused by what iterates", () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const x = wide([
        [1, bad],
        [2, 3],
      ]);
      expect(
        valuesOf(linalg.solve(x, [1, 1])).some(v => !(Math.abs(v) >= 0 && Math.abs(v) < 1e300)) || bad === Number.POSITIVE_INFINITY,
      ).toBe(true);
      expect(valuesOf(linalg.qr(x)[1]).some(Number.isNaN)).toBe(true);
      for (const f of [linalg.svd, linalg.pinv, linalg.matrixRank, linalg.cond] as ((x: NDArray) => unknown)[])
        expect(() => f(x)).toThrow(ValueError);
      for (const f of [linalg.eigh, linalg.eigvalsh] as ((x: NDArray) => unknown)[]) {
        expect(() => f(x.T)).toThrow(ValueError);
        expect(() => f(np.add(x, x.T))).toThrow(ValueError);
      }
      expect(() => linalg.lstsq(x, [1, 1])).toThrow(ValueError);
    }
    expect(linalg.det([[Number.NaN]]).item()).toBeNaN();
    expect(linalg.cholesky([[Number.NaN]]).tolist()).toEqual([[Number.NaN]]);
    // As in NumPy, what is before it in the order of the columns keeps its value.
    for (const n of [3, 40]) {
      const values = valuesOf(linalg.cholesky(np.multiply(np.eye(n), np.where(np.equal(np.arange(n), 2), Number.NaN, 4))));
      expect(values.slice(0, 3)).toEqual([2, 0, 0].map(v => v));
    }
    expect(() =>
      linalg.cholesky([
        [-1, 0],
        [0, Number.NaN],
      ]),
    ).toThrow(/not positive definite/);
    // NaN on one side only: the lower triangle is read.
    expect(
      linalg
        .cholesky([
          [4, Number.NaN],
          [2, 5],
        ])
        .tolist(),
    ).toEqual([
      [2, 0],
      [1, 2],
    ]);
  });

  test("singular matrices", () => {
    const x = wide([
      [1, 2],
      [2, 4],
    ]);
    expect(() => linalg.inv(x)).toThrow(/^inv: the matrix is singular; use pinv/);
    expect(() => linalg.solve(x, [1, 1])).toThrow(/^solve: the matrix is singular/);
    expect(() => linalg.matrixPower(x, -1)).toThrow(/^matrixPower: the matrix is singular/);
    expect(() => linalg.tensorinv(x, 1)).toThrow(ValueError);
    expect(linalg.det(x).item()).toBe(0);
    expect(linalg.slogdet(x).map(y => y.item())).toEqual([0, Number.NEGATIVE_INFINITY]);
    expect([linalg.cond(x, 1), linalg.cond(np.zeros([2, 2])), linalg.cond(np.zeros([2, 2]), "fro")].map(y => y.item())).toEqual([
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ]);
    expect(linalg.cond([[Number.NaN]], 1).item()).toBeNaN();
    expect(() => linalg.cholesky([[-1]])).toThrow(ValueError);
    expect(() => linalg.cholesky(np.zeros([2, 2]))).toThrow(ValueError);
    // One singular matrix of a stack is enough.
    expect(() => linalg.inv(np.stack([np.eye(2), np.zeros([2, 2])]))).toThrow(ValueError);
  });

  test("which triangle is read", () => {
    const symmetric = wide([
      [4, 2],
      [2, 5],
    ]);
    // However near to symmetric: as in NumPy.
    for (const other of [99, 2.1, 2 + 1e-9]) {
      const x = wide([
        [4, other],
        [2, 5],
      ]);
      for (const f of [(y: NDArray) => linalg.cholesky(y), (y: NDArray) => linalg.eigvalsh(y), (y: NDArray) => linalg.eigh(y)[1]])
        expect(valuesOf(f(x))).toEqual(valuesOf(f(symmetric)));
      expect(valuesOf(linalg.svd(x, { computeUv: false, hermitian: true }))).toEqual(valuesOf(linalg.svd(symmetric, { computeUv: false })));
      expect(valuesOf(linalg.cholesky(x.T, { UPLO: "U" }))).toEqual(valuesOf(linalg.cholesky(symmetric)));
      expect(valuesOf(linalg.eigvalsh(x.T, { UPLO: "U" }))).toEqual(valuesOf(linalg.eigvalsh(symmetric)));
    }
    // An element below the diagonal counts for both; of the symmetric part each has a half.
    const slope = (f: (y: NDArray) => NDArray): number[] => valuesOf(grad((y: NDArray) => f(y).sum())(symmetric));
    const [a, b, c, d] = slope(y => linalg.cholesky(y)) as [number, number, number, number];
    expect(b).toBe(0);
    expect(slope(y => linalg.cholesky(y, { UPLO: "U" }))).toEqual([a, c, 0, d]);
    expect(slope(y => linalg.cholesky(y.add(y.T).mul(0.5)))).toEqual([a, c / 2, c / 2, d]);
    // What is not read does not matter, be it no number.
    const half = wide([
      [4, Number.NaN],
      [2, 5],
    ]);
    expect(valuesOf(linalg.cholesky(half, { UPLO: "L" }))).toEqual(valuesOf(linalg.cholesky(symmetric)));
  });

  test("right sides of every shape", () => {
    const next = randomNumbers(23);
    const random = (...shape: number[]): NDArray =>
      arrayOf(
        Float64Array.from({ length: sizeOf(shape) }, () => 2 * next() - 1),
        shape,
        "float64",
      );
    for (const [a, b, want] of [
      [[3, 3], [3], [3]],
      [
        [3, 3],
        [3, 2],
        [3, 2],
      ],
      [[2, 3, 3], [3], [2, 3]],
      [
        [2, 3, 3],
        [2, 3],
        [2, 3],
      ],
      [
        [2, 3, 3],
        [3, 4],
        [2, 3, 4],
      ],
      [
        [3, 3],
        [4, 2, 3, 1],
        [4, 2, 3, 1],
      ],
      [
        [4, 1, 3, 3],
        [2, 3, 2],
        [4, 2, 3, 2],
      ],
    ] as const) {
      const [x, y] = [random(...a), random(...b)];
      const z = linalg.solve(x, y);
      expect(z.shape).toEqual(want);
      const vectors = b.length === 1 || (a.length === 3 && b.length === 2 && b[0] === 2);
      const back = vectors ? np.squeeze(np.matmul(x, np.expandDims(z, -1)), -1) : np.matmul(x, z);
      expect(closeness(valuesOf(back), valuesOf(np.broadcastTo(y, back.shape)), 1e-12)).toBe("");
    }
    expect(() => linalg.solve(random(3, 3), random(2))).toThrow(/^solve: a of shape \(3, 3\) has 3 rows, b of shape \(2,\) has 2/);
    expect(() => linalg.solve(random(2, 3), random(2))).toThrow(ShapeError);
    expect(() => linalg.solve(random(3, 3), 1)).toThrow(ShapeError);
    // Whole numbers keep their digits beside float64.
    const large = np.array([16777217], { dtype: "int32" }).reshape(1, 1);
    expect(linalg.solve(large, wide([16777217])).item()).toBe(1);
    expect(linalg.solve(np.eye(1, { dtype: "float64" }), [0.1]).item()).toBe(0.1);
    expect(() => linalg.solve(random(2, 3, 3), random(5, 3, 1))).toThrow(ShapeError);
  });

  test("products of several matrices, tensors and powers", () => {
    const next = randomNumbers(29);
    const random = (...shape: number[]): NDArray =>
      arrayOf(
        Float64Array.from({ length: sizeOf(shape) }, () => 2 * next() - 1),
        shape,
        "float64",
      );
    const xs = [random(10, 2), random(2, 30), random(30, 3), random(3, 7)];
    const want = xs.reduce((a, b) => np.matmul(a, b));
    expect(closeness(valuesOf(linalg.multiDot(xs)), valuesOf(want), 1e-13)).toBe("");
    expect(linalg.multiDot([random(2), random(2, 3), random(3)]).shape).toEqual([]);
    expect(linalg.multiDot([np.ones([2, 2], { dtype: "int32" }), np.ones([2, 2], { dtype: "int32" })]).dtype).toBe("int32");
    expect(() => linalg.multiDot([random(2, 2)])).toThrow(ValueError);
    expect(() => linalg.multiDot([random(2, 2), random(3, 2)])).toThrow(/array 0 has 2 columns, array 1 3 rows/);
    expect(() => linalg.multiDot([random(2, 2), random(2), random(2, 2)])).toThrow(ShapeError);
    const a = random(2, 3, 6);
    const b = random(2, 3);
    const x = linalg.tensorsolve(a, b);
    expect(closeness(valuesOf(np.tensordot(a, x, 1)), valuesOf(b), 1e-12)).toBe("");
    expect(closeness(valuesOf(linalg.tensorsolve(np.moveaxis(a, 2, 0), b, { axes: 0 })), valuesOf(x), 1e-12)).toBe("");
    expect(closeness(valuesOf(np.tensordot(linalg.tensorinv(a), b, 2)), valuesOf(x), 1e-12)).toBe("");
    // The last axes in the order that is given, as NumPy has them.
    const c = random(3, 6, 2);
    const turned = linalg.tensorsolve(c, random(6), { axes: [2, 0] });
    expect(turned.shape).toEqual([2, 3]);
    const ones = np.tensordot(np.transpose(c, [1, 2, 0]), turned, 2);
    expect(closeness(valuesOf(linalg.tensorsolve(c, ones, { axes: [-1, 0] })), valuesOf(turned), 1e-10)).toBe("");
    expect(() => linalg.tensorinv(a, 0)).toThrow(ValueError);
    expect(() => linalg.tensorinv(a, 1)).toThrow(ShapeError);
    expect(() => linalg.tensorsolve(a, random(3, 3))).toThrow(ShapeError);
    const p = random(3, 3);
    expect(valuesOf(linalg.matrixPower(p, 0))).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1]);
    expect(linalg.matrixPower(p, 1) === p).toBe(false);
    expect(closeness(valuesOf(linalg.matrixPower(p, -3)), valuesOf(linalg.inv(np.matmul(p, np.matmul(p, p)))), 1e-9)).toBe("");
    const whole = linalg.matrixPower(
      np.array(
        [
          [1, 1],
          [1, 0],
        ],
        { dtype: "int32" },
      ),
      20,
    );
    expect([whole.dtype, ...valuesOf(whole)]).toEqual(["int32", 10946, 6765, 6765, 4181]);
    expect(() => linalg.matrixPower(p, 0.5)).toThrow(ValueError);
  });

  test("ranks", () => {
    expect(valuesOf(linalg.matrixRank(np.stack([np.eye(3), np.ones([3, 3]), np.zeros([3, 3])])))).toEqual([3, 1, 0]);
    expect(linalg.matrixRank([0, 0]).item()).toBe(0);
    expect(linalg.matrixRank(5).item()).toBe(1);
    expect(
      linalg
        .matrixRank(
          [
            [1, 0],
            [0, 1e-3],
          ],
          { tol: 0.01 },
        )
        .item(),
    ).toBe(1);
    expect(valuesOf(linalg.matrixRank(np.stack([np.eye(2), np.eye(2)]), { tol: [0.5, 2] }))).toEqual([2, 0]);
    expect(
      linalg
        .matrixRank(
          [
            [1, 2],
            [2, 4],
          ],
          { hermitian: true },
        )
        .item(),
    ).toBe(1);
  });

  test("determinants out of range", () => {
    const n = 400;
    const x = np.multiply(np.eye(n, { dtype: "float64" }), 1e-3);
    expect(linalg.det(x).item()).toBe(0);
    expect(linalg.slogdet(x)[1].item()).toBeCloseTo(n * Math.log(1e-3), 8);
    // The product is in range, parts of it are not.
    const y = np.diag(wide([1e200, 1e-200, 1e200, 1e-200, 3]));
    expect(linalg.det(y).item()).toBeCloseTo(3, 12);
  });

  test("wrong modes and options", () => {
    const x = np.eye(2);
    expect(() => linalg.qr(x, { mode: "raw" as "r" })).toThrow(/^qr: mode is "reduced"/);
    expect(() => linalg.eigh(x, { UPLO: "X" as "L" })).toThrow(ValueError);
    expect(() => linalg.svd(x, { fullMatrices: 1 as unknown as boolean })).toThrow(ValueError);
    expect(() => linalg.lstsq(x, [1, 1], { rcond: "x" as unknown as number })).toThrow(ValueError);
    expect(() => linalg.lstsq(np.ones([2, 2, 2]), [1, 1])).toThrow(/use vmap/);
    expect(() => linalg.cond(x, 3)).toThrow(ValueError);
  });
});

// ---------------------------------------------------------------- derivatives

describe("derivatives", () => {
  const next = randomNumbers(41);
  const random = (...shape: number[]): NDArray =>
    arrayOf(
      Float64Array.from({ length: sizeOf(shape) }, () => 2 * next() - 1),
      shape,
      "float64",
    );
  const gradient = (f: (x: NDArray) => NDArray, x: NDArray): number[] => valuesOf(grad(f)(x));

  test("of the determinant of singular matrices, of every rank and order", () => {
    for (const n of [1, 2, 3, 4])
      for (let rank = 0; rank < n; rank++) {
        const x = np.matmul(random(n, rank), random(rank, n));
        expectDerivatives(`rank ${rank} of ${n}`, y => linalg.det(y!), [x], 3, next);
      }
    // Cofactors are those of whole numbers.
    const x = wide([
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ]);
    expect(closeness(gradient(linalg.det, x), [-3, 6, -3, 6, -12, 6, -3, 6, -3], 1e-13)).toBe("");
    const stack = np.stack([x, np.eye(3, { dtype: "float64" })]);
    const second = vmap((y: NDArray) => hessian(linalg.det)(y))(stack);
    for (let i = 0; i < 2; i++) expect(closeness(valuesOf(second.at(i)), valuesOf(hessian(linalg.det)(stack.at(i))), 1e-12)).toBe("");
  });

  const symmetricPart = (x: NDArray): NDArray => x.add(x.T).mul(0.5);

  test("of the logarithm of a determinant are the inverse, by three ways", () => {
    const b = random(4, 4);
    const a = np.add(np.matmul(b, b.T), np.eye(4, { dtype: "float64" }));
    const want = valuesOf(linalg.inv(a));
    const ways: ((x: NDArray) => NDArray)[] = [
      x => linalg.slogdet(x)[1],
      x => np.multiply(np.sum(np.log(np.diagonal(linalg.cholesky(x)))), 2),
      x => np.sum(np.log(linalg.eigvalsh(x))),
      x => np.sum(np.log(linalg.svd(x)[1])),
      x => np.sum(np.log(np.abs(np.diagonal(linalg.qr(x, { mode: "r" }))))),
      x => np.log(linalg.det(x)),
    ];
    for (const f of ways) {
      expect(
        closeness(
          gradient(x => f(symmetricPart(x)), a),
          want,
          1e-11,
        ),
      ).toBe("");
      expectDerivatives("logarithm", x => f(x!), [a], 2, next);
    }
    expectDerivatives("third", x => ways[1]!(x!), [a], 3, next);
  });

  test("of an eigenvalue are the square of its vector; of a triangle they stay there", () => {
    const b = random(3, 3);
    const a = np.add(b, b.T);
    const [, v] = linalg.eigh(a);
    const last = v.at(":", 2);
    expect(
      closeness(
        gradient(x => linalg.eigvalsh(symmetricPart(x)).at(2), a),
        valuesOf(np.outer(last, last)),
        1e-13,
      ),
    ).toBe("");
    for (const UPLO of ["L", "U"] as const) {
      const g = grad((x: NDArray) => linalg.eigvalsh(x, { UPLO }).at(2))(a);
      expect(valuesOf(UPLO === "L" ? np.triu(g, 1) : np.tril(g, -1)).every(p => p === 0)).toBe(true);
      expectDerivatives(UPLO, x => linalg.eigvalsh(x!, { UPLO }), [a], 2, next);
    }
  });

  test("of what does not depend on the choice of vectors are right where values are equal", () => {
    const one = np.eye(3, { dtype: "float64" });
    // tr exp, through the vectors.
    const exponential: Fn = x => {
      const [w, v] = linalg.eigh(x!);
      return np.trace(np.matmul(np.multiply(v, np.exp(w)), v.T));
    };
    expect(
      closeness(
        gradient(x => exponential(x), one),
        valuesOf(np.multiply(one, Math.E)),
        1e-13,
      ),
    ).toBe("");
    const rebuilt: Fn = x => {
      const [u, s, vh] = linalg.svd(x!);
      return np.sum(np.multiply(np.matmul(np.multiply(u, s), vh), random(1).item()));
    };
    for (const p of gradient(x => rebuilt(x), one)) expect(Number.isFinite(p)).toBe(true);
  });

  test("of pseudo-inverses and least squares at a lower rank", () => {
    // Changes that keep the rank: those of the factors.
    const f: Fn = (a, b) => linalg.pinv(np.matmul(a!, b!), { rcond: 1e-10 });
    const [left, right] = [np.add(random(4, 2), np.multiply(np.eye(4, 2), 3)), np.add(random(2, 3), np.multiply(np.eye(2, 3), 3))];
    expectDerivatives("pinv of rank 2", f, [left, right], 2, next);
    const c = random(4);
    const g: Fn = (a, b) => linalg.lstsq(np.matmul(a!, b!), c, { rcond: 1e-10 })[0];
    expectDerivatives("lstsq of rank 2", g, [left, right], 2, next);
    const h: Fn = (a, b) => linalg.lstsq(a!, b!)[1];
    expectDerivatives("residuals", h, [random(5, 2), random(5)], 2, next);
  });

  test("of wide and tall matrices by qr; what is not determined has none", () => {
    expectDerivatives("wide", x => linalg.qr(x!)[1], [random(2, 5)], 3, next);
    const x = random(4, 2).attachGrad();
    for (const f of [() => linalg.qr(x, { mode: "complete" })[0], () => linalg.svd(x, { fullMatrices: true })[0]]) {
      const y = autograd.record(f);
      expect(() => y.backward()).toThrow(GradError);
    }
  });

  test("of what is determined beside what is not: values, the first vectors, R", () => {
    const full = (x: NDArray | undefined): NDArray[] => linalg.svd(x!, { fullMatrices: true });
    const complete = (x: NDArray | undefined): NDArray[] => linalg.qr(x!, { mode: "complete" }) as NDArray[];
    for (const shape of [
      [4, 2],
      [2, 4],
      [2, 3, 2],
    ]) {
      const x = random(...shape);
      expectDerivatives("values of full matrices", x => full(x)[1]!, [x], 3, next);
      expectDerivatives("first left vectors", x => np.square(full(x)[0]!.at("...", ":2")), [x], 2, next);
      expectDerivatives("first right vectors", x => np.square(full(x)[2]!.at("...", ":2", ":")), [x], 2, next);
      expectDerivatives("R of the complete mode", x => complete(x)[1]!, [x], 3, next);
      expectDerivatives("first columns of Q", x => complete(x)[0]!.at("...", ":2"), [x], 2, next);
    }
    const x = random(4, 2);
    const [, forwards] = jvp((z: NDArray) => full(z)[0]!, x, random(4, 2));
    expect(forwards.isnan().all(0).tolist()).toEqual([false, false, true, true]);
    // Beside something else that has a derivative too: an error, and not its share left out.
    x.attachGrad();
    const y = autograd.record(() => full(x)[0]!.sum().add(x.sum()));
    expect(() => y.backward()).toThrow(/^svd: the matrix does not determine all of these vectors/);
    expect(valuesOf(x.grad!)).toEqual(new Array(8).fill(0));
  });

  test("least squares with a tolerance below 0 cut at rounding, as LAPACK", () => {
    const ones = np.ones([2, 2], { dtype: "float64" });
    for (const rcond of [-1, null]) {
      const [x, , rank] = linalg.lstsq(ones, [1, 2], { rcond });
      expect([rank.item(), closeness(valuesOf(x), [0.75, 0.75], 1e-14)]).toEqual([1, ""]);
    }
    const graded = np.diag(np.array([1, 1e-12], { dtype: "float64" }));
    expect(linalg.lstsq(graded, [1, 1], { rcond: -1 })[2].item()).toBe(2);
  });

  test("least squares of float32 are computed and cut in float64, as NumPy's", () => {
    const t = np.linspace(0, 1, 20);
    const powers = np.stack(
      Array.from({ length: 9 }, (_, i) => np.power(t, i)),
      1,
    );
    const [x, residuals, rank, s] = linalg.lstsq(powers, np.ones([20]));
    expect([x, residuals, rank, s].map(y => y.dtype)).toEqual(["float32", "float32", "int32", "float32"]);
    expect(rank.item()).toBe(9);
    expect(closeness(valuesOf(x), [1, 0, 0, 0, 0, 0, 0, 0, 0], 1e-6)).toBe("");
    expect(residuals.at(0).item()).toBeLessThan(1e-14);
  });

  test("forwards and mapped, nested", () => {
    const a = np.add(random(3, 2, 2), np.multiply(np.eye(2, { dtype: "float64" }), 3));
    const b = random(3, 2);
    const f = (x: NDArray, y: NDArray): NDArray => np.sum(np.square(linalg.solve(x, y)));
    const mapped = vmap(grad(f))(a, b);
    const tangents = vmap((x: NDArray, y: NDArray) => jvp((z: NDArray) => linalg.solve(z, y), x, x)[1])(a, b);
    for (let i = 0; i < 3; i++) {
      expect(closeness(valuesOf(mapped.at(i)), valuesOf(grad(f)(a.at(i), b.at(i))), 1e-13)).toBe("");
      // The system is homogeneous of degree -1 in its matrix.
      expect(closeness(valuesOf(tangents.at(i)), valuesOf(linalg.solve(a.at(i), b.at(i)).neg()), 1e-13)).toBe("");
    }
    const [x, , rank] = vmap((y: NDArray) => linalg.lstsq(y, np.ones([2], { dtype: "float64" })))(a);
    expect([x!.shape, valuesOf(rank!)]).toEqual([
      [3, 2],
      [2, 2, 2],
    ]);
  });
});
