/** The machine's own BLAS, where koffi and a library are there: the same products, and LAPACK's functions by name. */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { grad, type NDArray, np, npx, ValueError } from "nabla";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { foreign, subroutine, wasAsked } from "../src/backend/blas.ts";
import { address, allocate, F64, I32, U8 } from "../src/backend/wasm/heap.ts";
import { ROOT } from "./support/source.ts";

let library: string | null = null;
let reason = "";
try {
  library = npx.useBlas();
} catch (error) {
  expect(error).toBeInstanceOf(ValueError);
  reason = (error as Error).message;
}
npx.useBlas(false);
afterAll(() => npx.useBlas(false));
// The same matrices in every run: of some, the condition alone is more than the tolerance.
beforeEach(() => npx.seed(11));

test("what cannot be a library is refused, and what is wrong is said", () => {
  for (const bad of [1, null, {}, ""]) expect(() => npx.useBlas(bad as string)).toThrow(ValueError);
  expect(() => npx.useBlas("no-such-library")).toThrow(library === null ? ValueError : "no-such-library");
  if (library === null) expect(reason).toMatch(/^useBlas: .*(install|leave it off)/);
});

test("without koffi a program is told what to install", () => {
  const folder = mkdtempSync(join(tmpdir(), "nabla-blas-"));
  try {
    copyFileSync(join(ROOT, "dist/nabla.js"), join(folder, "nabla.mjs"));
    const program = `import("./nabla.mjs").then(({ npx, ValueError }) => {
      try { npx.useBlas(); } catch (error) { console.log(error instanceof ValueError, error.message); }
    });`;
    writeFileSync(join(folder, "program.cjs"), program);
    const { stdout } = spawnSync(process.execPath, ["program.cjs"], {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, NODE_PATH: "" },
    });
    expect(stdout).toMatch(/^true useBlas: the package koffi is not there, .*npm install koffi\n$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe.skipIf(library === null)(`with ${library ?? reason}`, () => {
  const cases = [
    [40, 50, 60],
    [1, 300, 200],
    [300, 200, 1],
    [200, 1, 300],
  ] as const;
  test.each(["float32", "float64"] as const)("products have the values of one's own, %s", dtype => {
    for (const [m, k, n] of cases)
      for (const turn of [0, 1, 2, 3]) {
        const matrix = (rows: number, columns: number, turned: number) =>
          turned > 0
            ? np.random.uniform(-1, 1, [2, columns, rows], { dtype }).at(1).T
            : np.random.uniform(-1, 1, [rows, columns + 5], { dtype }).at(np.slice(), np.slice(2, columns + 2));
        const [a, b] = [matrix(m, k, turn & 1), matrix(k, n, turn & 2)];
        const own = np.matmul(a, b);
        npx.useBlas();
        const other = np.matmul(a, b);
        npx.useBlas(false);
        expect(np.max(np.abs(np.subtract(own, other))).item()).toBeLessThan(k * (dtype === "float32" ? 2e-7 : 1e-15));
      }
  });

  test("many products, and operands that BLAS does not take", () => {
    const a = np.random.uniform(-1, 1, [3, 40, 50], { dtype: "float64" });
    const b = np.broadcastTo(np.random.uniform(-1, 1, [50, 1], { dtype: "float64" }), [50, 60]);
    const c = np.random.uniform(-1, 1, [3, 50, 40], { dtype: "float64" });
    const constant = np.broadcastTo(np.array(0.75, { dtype: "float64" }), [60, 50]);
    const products = (): NDArray[] => [
      np.matmul(a, b),
      np.matmul(a, c),
      np.matmul(np.swapaxes(c, 1, 2), c),
      np.matmul(constant, b),
      grad((x: NDArray) => np.matmul(x, a.at(0).T).sum())(constant),
    ];
    const own = products();
    npx.useBlas();
    const others = products();
    npx.useBlas(false);
    own.forEach((x, i) => {
      expect(np.max(np.abs(np.subtract(x, others[i]!))).item()).toBeLessThan(1e-13);
    });
  });

  test("LAPACK by name, on memory as it lies", ({ skip }) => {
    expect(foreign("dpotrf_", "vppppp")).toBe(null);
    npx.useBlas();
    const cholesky = foreign("dpotrf_", "vppppp");
    expect(foreign("no_such_function", "vp")).toBe(null);
    npx.useBlas(false);
    if (cholesky === null) return skip("the library has no LAPACK");
    const at = address(allocate(64));
    F64.set([4, 2, 2, 5], at / 8);
    I32.set([2, 2, 7], at / 4 + 8);
    U8[at + 48] = "L".charCodeAt(0);
    cholesky(at + 48, at + 32, at, at + 36, at + 40);
    expect([I32[at / 4 + 10], ...F64.subarray(at / 8, at / 8 + 4)]).toEqual([0, 2, 1, 2, 2]);
  });
});

// ---------------------------------------------------------------- LAPACK

const F8 = { dtype: "float64" } as const;
const random = (...shape: number[]): NDArray => np.random.normal(0, 1, shape, F8);
const largest = (x: NDArray): number => (x.size === 0 ? 0 : np.max(np.abs(x)).item());
const apart = (x: NDArray, y: NDArray): number => {
  expect([x.shape, x.dtype]).toEqual([y.shape, y.dtype]);
  return largest(np.subtract(x, y));
};
const turned = (x: NDArray): NDArray => np.swapaxes(x, -1, -2);
const gram = (x: NDArray): NDArray => np.matmul(x, turned(x));
/** What a call gives, with the library, or without any. */
function by<T>(path: boolean | string, f: () => T): T {
  npx.useBlas(path);
  try {
    return f();
  } finally {
    npx.useBlas(false);
  }
}
/** The first k along an axis. */
const first = (x: NDArray, axis: number, k: number): NDArray => np.take(x, np.arange(k, { dtype: "int32" }), axis);
const errorOf = (f: () => unknown): string => {
  try {
    f();
  } catch (error) {
    return (error as Error).message;
  }
  return "";
};
/** One element on the diagonal replaced. */
const symmetricWith = (x: NDArray, value: number): NDArray =>
  np.where(np.equal(np.cumsum(np.diag(np.ones([20]))).reshape(20, 20), 7), np.where(np.equal(x, 1), value, x), x);
const hasLapack = library !== null && by(library, () => subroutine("dgesdd", "ciipippipipip")) !== null;

describe.skipIf(!hasLapack)(`LAPACK of ${library ?? reason}`, () => {
  /** Squares and stacks of them, as they lie and turned, above the size from which on they are left to LAPACK. */
  const squares: readonly (() => NDArray)[] = [
    () => random(16, 16),
    () => random(3, 21, 21),
    () => turned(random(2, 33, 33)),
    () => random(100, 100).astype("float32"),
  ];
  const few = (x: NDArray): number => x.shape.at(-1)! ** 1.5 * (x.dtype === "float32" ? 2 ** -21 : 2 ** -50);

  test("what is asked of it is done by it", () => {
    const x = random(40, 40);
    for (const [name, f] of Object.entries<() => unknown>({
      dgetrf: () => np.linalg.det(x),
      dpotrf: () => np.linalg.cholesky(gram(x)),
      dgelqf: () => np.linalg.qr(x),
      dsyevd: () => np.linalg.eigh(gram(x)),
      dgesdd: () => np.linalg.pinv(x),
    }))
      by(true, () => {
        expect(wasAsked(name), name).toBe(false);
        f();
        expect(wasAsked(name), name).toBe(true);
      });
  });

  test.each(squares.map((make, i) => [i, make] as const))("squares have the values of one's own, %i", (_, make) => {
    const x = make();
    const b = np.random.normal(0, 1, [...x.shape.slice(0, -1), 30], { dtype: x.dtype });
    const s = np.add(gram(x), np.eye(x.shape.at(-1)!, { dtype: x.dtype }));
    for (const [name, f] of Object.entries<(library: boolean) => NDArray>({
      solve: () => np.multiply(np.linalg.solve(s, b), 1),
      inv: () => np.linalg.inv(s),
      "sign of the determinant": () => np.linalg.slogdet(x)[0],
      "logarithm of the determinant": () => np.linalg.slogdet(x)[1],
      cholesky: () => np.linalg.cholesky(s),
      q: () => np.linalg.qr(x)[0],
      r: () => np.linalg.qr(x)[1],
      eigvalsh: () => np.linalg.eigvalsh(s),
      "singular values": () => np.linalg.svd(x, { computeUv: false }),
      pinv: () => np.linalg.pinv(s),
    })) {
      const own = by(false, () => f(false));
      const other = by(true, () => f(true));
      expect(apart(own, other), name).toBeLessThan(100 * few(x) * Math.max(1, largest(own)));
    }
    const [w, v] = by(true, () => np.linalg.eigh(s));
    expect(largest(np.subtract(np.matmul(s, v), np.multiply(v, np.expandDims(w, -2))))).toBeLessThan(few(x) * largest(w));
    expect(largest(np.subtract(np.matmul(turned(v), v), np.eye(v.shape.at(-1)!)))).toBeLessThan(few(x));
  });

  const oblongs = [
    [16, 16],
    [40, 17],
    [17, 40],
    [2, 70, 20],
    [2, 20, 70],
  ];
  test.each(oblongs.map(shape => [shape]))("singular values and QR of %j", shape => {
    const x = random(...shape);
    const [m, n] = shape.slice(-2) as [number, number];
    for (const fullMatrices of [false, true]) {
      const own = by(false, () => np.linalg.svd(x, { fullMatrices }));
      const [u, s, vh] = by(true, () => np.linalg.svd(x, { fullMatrices }));
      expect([u, s, vh].map(y => y.shape)).toEqual(own.map(y => y.shape));
      expect(apart(s, own[1])).toBeLessThan(1e-12);
      const k = Math.min(m, n);
      const product = np.matmul(np.multiply(first(u, -1, k), np.expandDims(s, -2)), first(vh, -2, k));
      expect(apart(product, x)).toBeLessThan(1e-12);
      for (const q of [turned(u), vh]) expect(largest(np.subtract(gram(q), np.eye(q.shape.at(-2)!)))).toBeLessThan(1e-13);
    }
    for (const mode of ["reduced", "complete"] as const) {
      const own = by(false, () => np.linalg.qr(x, { mode }));
      const [q, r] = by(true, () => np.linalg.qr(x, { mode }));
      expect([q.shape, r.shape]).toEqual(own.map(y => y.shape));
      expect(apart(np.matmul(q, r), x)).toBeLessThan(1e-13);
      expect(apart(r, own[1])).toBeLessThan(1e-12);
      expect(largest(np.subtract(gram(turned(q)), np.eye(q.shape.at(-1)!)))).toBeLessThan(1e-13);
      expect(largest(np.subtract(r, np.triu(r)))).toBe(0);
    }
    const b = random(m, 3);
    const a = np.reshape(x, [-1, m, n]).at(0);
    const [own, other] = [false, true].map(on => by(on, () => np.linalg.lstsq(a, b)));
    const near = 1e-13 * (np.linalg.cond(a).item() as number);
    own!.forEach((y, i) => {
      expect(apart(y, other![i]!)).toBeLessThan(near * Math.max(1, largest(y)));
    });
  });

  test("what is singular, not definite or not finite is refused alike", () => {
    const ones = np.ones([20, 20], F8);
    const eye = np.eye(20, F8);
    const bad = np.where(np.equal(np.arange(20), 3), Number.NaN, eye);
    for (const f of [
      () => np.linalg.inv(ones),
      () => np.linalg.solve(ones, np.ones([20])),
      () => np.linalg.cholesky(np.negative(eye)),
      () => np.linalg.svd(bad),
      () => np.linalg.eigh(bad),
      () => np.linalg.lstsq(bad, np.ones([20])),
    ]) {
      const [own, other] = [false, true].map(on => by(on, () => errorOf(f)));
      expect(other).toMatch(/^(inv|solve|cholesky|svd|eigh|lstsq): /);
      expect(other).toBe(own);
    }
    expect(by(true, () => np.linalg.slogdet(ones)).map(x => x.item())).toEqual([0, Number.NEGATIVE_INFINITY]);
    const [own, other] = [false, true].map(on => by(on, () => np.isnan(np.linalg.cholesky(symmetricWith(eye, Number.NaN)))));
    expect(other!.tolist()).toEqual(own!.tolist());
  });

  test("derivatives are those of one's own", () => {
    const x = np.add(gram(random(18, 18)), np.multiply(np.arange(1, 19), np.eye(18, F8)));
    for (const f of [
      (y: NDArray) => np.linalg.slogdet(y)[1],
      (y: NDArray) => np.sum(np.sin(np.linalg.solve(y, np.ones([18])))),
      (y: NDArray) => np.sum(np.sin(np.linalg.cholesky(y))),
      (y: NDArray) => np.sum(np.square(np.linalg.qr(y)[0].at(3))),
      (y: NDArray) => np.sum(np.square(np.linalg.eigh(y)[1].at(3, np.slice(2, 5)))),
      (y: NDArray) => np.sum(np.square(np.linalg.svd(y)[0].at(3, np.slice(2, 5)))),
      (y: NDArray) => np.sum(np.linalg.pinv(y)),
      (y: NDArray) => np.linalg.det(np.divide(y, 50)),
    ]) {
      const [own, other] = [false, true].map(on => by(on, () => grad(f)(x)));
      expect(apart(own!, other!)).toBeLessThan(1e-9 * Math.max(1, largest(own!)));
    }
  });

  test("a library without it leaves the work to one's own", ({ skip }) => {
    // Where Debian keeps the reference BLAS, which has no LAPACK.
    const machine = process.arch === "arm64" ? "aarch64" : "x86_64";
    const path = ["", "usr", "lib", `${machine}-linux-gnu`, "blas", "libblas.so.3"].join("/");
    try {
      by(path, () => {});
    } catch {
      return skip("there is no library of BLAS alone");
    }
    const x = gram(random(20, 20));
    const all = (): NDArray[] => [np.linalg.inv(x), np.linalg.cholesky(x), ...np.linalg.qr(x), ...np.linalg.eigh(x), ...np.linalg.svd(x)];
    const own = all();
    const other = by(path, () => {
      expect(subroutine("dgetrf", "iipip")).toBe(null);
      return all();
    });
    other.forEach((y, i) => {
      expect(apart(y, own[i]!)).toBeLessThan(1e-8 * Math.max(1, largest(own[i]!)));
    });
  });
});
