/** The machine's own BLAS, where koffi and a library are there: the same products, and LAPACK's functions by name. */
import { np, npx, ValueError } from "nabla";
import { afterAll, describe, expect, test } from "vitest";
import { foreign } from "../src/backend/blas.ts";
import { address, allocate, F64, I32, U8 } from "../src/backend/wasm/heap.ts";

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

test("what cannot be a library is refused, and what is wrong is said", () => {
  for (const bad of [1, null, {}, ""]) expect(() => npx.useBlas(bad as string)).toThrow(ValueError);
  expect(() => npx.useBlas("no-such-library")).toThrow(library === null ? ValueError : "no-such-library");
  if (library === null) expect(reason).toMatch(/^useBlas: .*(install|leave it off)/);
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
    const own = [np.matmul(a, b), np.matmul(a, c), np.matmul(np.swapaxes(c, 1, 2), c)];
    npx.useBlas();
    const others = [np.matmul(a, b), np.matmul(a, c), np.matmul(np.swapaxes(c, 1, 2), c)];
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
