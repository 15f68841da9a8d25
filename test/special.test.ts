/**
 * The special functions: values and derivatives of their own families against many digits, identities over wide ranges,
 * poles, and the points where slopes are infinite or would cancel. Gradients in general are the business of rows.test.ts.
 */
import { readFileSync } from "node:fs";
import { autograd, type DType, type NDArray, np, npx } from "nabla";
import { describe, expect, test } from "vitest";
import { evaluate } from "../src/backend/reference.ts";
import { F32, F64 } from "../src/dtype.ts";
import { arg, type Expr } from "../src/expr.ts";
import * as special from "../src/scalar/special.ts";
import { compileExpr } from "./support/compile-expr.ts";
import { randomNumbers, valuesOf } from "./support/sampling.ts";

const unpack = (text: string): Float64Array => new Float64Array(Uint8Array.from(Buffer.from(text, "base64")).buffer);
const golden = JSON.parse(readFileSync(new URL("golden/special.json", import.meta.url), "utf8")) as Record<string, [string, string]>;

const PLAIN = { gamma: special.gamma, gammaln: special.gammaln, erfinv: special.erfinv };
const FAMILIES = { polygamma: special.polygamma, bessel: special.bessel, sinc: special.sinc };

/** A function by its name in the golden file, as in "gamma" or "polygamma 2". */
function expression(name: string, dtype: number): Expr {
  const [family, order] = name.split(" ") as [string, string | undefined];
  if (order === undefined) return PLAIN[family as keyof typeof PLAIN](arg(0), dtype);
  return FAMILIES[family as keyof typeof FAMILIES](Number(order), arg(0), dtype);
}

/** The size below which an error counts as absolute: where parts of this size cancel around zeros. */
function sizeOfParts(name: string): number {
  const [family, order] = name.split(" ");
  if (family === "gammaln") return 1;
  if (family === "polygamma") return 2 * Math.PI ** Number(order);
  if (family === "sinc") return order === "0" ? 0 : Math.PI ** Number(order) / (Number(order) + 1);
  return 0;
}

const SMALLEST = [2 ** -126, 2 ** -1022];
const LARGEST = [2 ** 127, 2 ** 1023];
/** Decisions 20 asks for 1e-6 and 1e-13. */
const BARS = [1e-6, 1e-14];

describe.each(Object.keys(golden))("%s", name => {
  const [xs, wanted] = golden[name]!.map(unpack) as [Float64Array, Float64Array];

  test.each([F32, F64])("against many digits (dtype code %i)", dtype => {
    const f = compileExpr(expression(name, dtype), dtype);
    let tried = 0;
    xs.forEach((x, i) => {
      const want = wanted[i]!;
      if ((dtype === F32 && Math.fround(x) !== x) || !(Math.abs(want) < LARGEST[dtype]!)) return;
      tried++;
      const got = f(x);
      const size = Math.max(Math.abs(want), sizeOfParts(name), SMALLEST[dtype]!);
      if (!(Math.abs(got - want) <= BARS[dtype]! * size)) throw new Error(`${name}(${x}) is ${got}, should be ${want}`);
    });
    expect(tried).toBeGreaterThan(50);
  });

  test("compiled for this test as the reference interprets it", () => {
    for (const dtype of [F32, F64]) {
      const e = expression(name, dtype);
      const f = compileExpr(e, dtype);
      for (const x of [...xs.subarray(0, 40).map(Math.fround), 0, -0, -1, -2.5, 1e30, Infinity, -Infinity, Number.NaN])
        expect(f(x), `${name}(${x})`).toBe(Number(evaluate(e, dtype, [x])));
    }
  });
});

// ---------------------------------------------------------------- over wide ranges

/** n numbers of a dtype from a range, as an array. */
function numbers(n: number, low: number, high: number, dtype: DType, seed: number): NDArray {
  const next = randomNumbers(seed);
  return np.array(
    Float64Array.from({ length: n }, () => low + (high - low) * next()),
    { dtype },
  );
}

/** The largest |a - b| in parts of |b|, or of `floor` where that is larger. */
function worst(a: NDArray, b: NDArray, floor = 0): number {
  const p = valuesOf(a);
  const q = valuesOf(b);
  expect(p.length).toBe(q.length);
  return p.reduce((m, v, i) => {
    const error = Object.is(v, q[i]) ? 0 : Math.abs(v - q[i]!) / Math.max(Math.abs(q[i]!), floor);
    return error <= m ? m : error;
  }, 0);
}

describe.each([
  ["float32", 3e-6],
  ["float64", 1e-13],
] as [DType, number][])("identities over wide ranges, %s", (dtype, tolerance) => {
  const n = 100_000;
  const end = dtype === "float32" ? 30 : 160;
  test("Γ(x + 1) = x·Γ(x)", () => {
    // Steps of 2⁻¹⁶, so that x + 1 is exact.
    const x = np.array(
      valuesOf(numbers(n, -end, end, dtype, 1)).map(v => Math.round(v * 2 ** 16 + 0.5) / 2 ** 16),
      { dtype },
    );
    const inside = np.array(
      valuesOf(x).filter(v => v !== Math.floor(v)),
      { dtype },
    );
    expect(inside.size).toBeGreaterThan(n / 2);
    expect(worst(npx.gamma(inside.add(1)), npx.gamma(inside).mul(inside))).toBeLessThan(tolerance);
  });
  test("log|Γ| and its slope", () => {
    const x = numbers(n, -20, 20, dtype, 2);
    expect(worst(npx.gammaln(x), np.log(np.abs(npx.gamma(x))), 1)).toBeLessThan(dtype === "float32" ? 1e-5 : tolerance);
    const y = numbers(n, 0.01, 1000, dtype, 3);
    expect(worst(npx.digamma(y.add(1)), npx.digamma(y).add(np.reciprocal(y)), 1)).toBeLessThan(tolerance);
  });
  test("erf(erfinv(x)) = x, and what it is near 1", () => {
    const x = numbers(n, -1, 1, dtype, 4);
    expect(worst(npx.erf(npx.erfinv(x)), x)).toBeLessThan(tolerance);
  });
});

// ---------------------------------------------------------------- special values

const INF = Number.POSITIVE_INFINITY;
const NAN = Number.NaN;

test.each([
  ["gamma", npx.gamma, [0, -0, -1, -7, INF, -INF, NAN, 171.7, -1e30], [INF, -INF, NAN, NAN, INF, NAN, NAN, INF, NAN]],
  ["gammaln", npx.gammaln, [0, -0, -1, -7, INF, -INF, NAN, 1, 2], [INF, INF, INF, INF, INF, -INF, NAN, 0, 0]],
  ["digamma", npx.digamma, [0, -0, -1, -7, INF, -INF, NAN], [-INF, INF, NAN, NAN, INF, NAN, NAN]],
  ["erfinv", npx.erfinv, [0, -0, 1, -1, 1.5, -INF, NAN], [0, -0, INF, -INF, NAN, NAN, NAN]],
  ["erf", npx.erf, [0, -0, INF, -INF, NAN], [0, -0, 1, -1, NAN]],
  ["erfc", npx.erfc, [0, -0, INF, -INF, NAN], [1, 1, 0, 2, NAN]],
  ["sinc", np.sinc, [0, -0, 1, -2, 1e30, INF, NAN], [1, 1, 0, 0, 0, NAN, NAN]],
  ["i0", np.i0, [0, -0, 1e30, NAN], [1, 1, INF, NAN]],
] as [string, (x: NDArray) => NDArray, number[], number[]][])("special values of %s", (_, f, xs, wanted) => {
  for (const dtype of ["float32", "float64"] as const) expect(valuesOf(f(np.array(xs, { dtype })))).toEqual(wanted);
});

test("factorials are whole", () => {
  for (const [dtype, last] of [
    ["float32", 11],
    ["float64", 19],
  ] as const) {
    const wanted = [1];
    for (let n = 1; n < last - 1; n++) wanted.push(wanted[n - 1]! * n);
    expect(valuesOf(npx.gamma(np.arange(1, last, 1, { dtype })))).toEqual(wanted);
  }
});

// ---------------------------------------------------------------- slopes

/** The derivatives of f at x of orders 1, 2, …. */
function derivatives(f: (x: NDArray) => NDArray, x: number, orders: number, dtype: DType = "float64"): number[] {
  const v = np.array([x], { dtype }).attachGrad();
  return autograd.record(() => {
    let y = f(v);
    return Array.from({ length: orders }, () => {
      y = autograd.grad(y, v, { createGraph: true });
      return Number(y);
    });
  });
}

const { PI } = Math;

test.each([
  ["sinc at 0", np.sinc, 0, [0, -(PI ** 2) / 3, 0, PI ** 4 / 5, 0, -(PI ** 6) / 7]],
  ["sinc at 1", np.sinc, 1, [-1, 2, PI ** 2 - 6]],
  ["i0 at 0", np.i0, 0, [0, 0.5, 0, 3 / 8, 0, 5 / 16]],
  ["digamma at 1", npx.digamma, 1, [PI ** 2 / 6, -2.4041138063191885, PI ** 4 / 15, -24.886266123440883, (8 * PI ** 6) / 63]],
  ["digamma at -1/2", npx.digamma, -0.5, [PI ** 2 / 2 + 4, -0.8287966442, PI ** 4 + 96]],
  ["gammaln at 2", npx.gammaln, 2, [0.4227843350984671, PI ** 2 / 6 - 1]],
  ["erf at 0", npx.erf, 0, [2 / Math.sqrt(PI), 0, -4 / Math.sqrt(PI), 0]],
  ["erfc at 26", npx.erfc, 26, [(-2 / Math.sqrt(PI)) * Math.exp(-676)]],
  ["erfinv at 0", npx.erfinv, 0, [Math.sqrt(PI) / 2, 0, PI ** 1.5 / 4]],
  ["expm1 at -50", np.expm1, -50, [Math.exp(-50), Math.exp(-50)]],
  ["arcsinh far out", np.arcsinh, 1e200, [1e-200, 0]],
  ["arccosh far out", np.arccosh, 1e200, [1e-200, 0]],
  ["arctan far out", np.arctan, 1e100, [1e-200, -2e-300]],
  ["arcsin at 1", np.arcsin, 1, [INF, INF, INF]],
  ["arcsin at -1", np.arcsin, -1, [INF, -INF, INF]],
  ["arccos at 1", np.arccos, 1, [-INF, -INF, -INF]],
  ["arccosh at 1", np.arccosh, 1, [INF, -INF, INF]],
  ["arctanh at -1", np.arctanh, -1, [INF, -INF, INF]],
  ["cbrt at 0", np.cbrt, 0, [INF]],
  ["arcsinh at infinity", np.arcsinh, INF, [0, 0, 0]],
  ["arctan at infinity", np.arctan, INF, [0, 0, 0]],
  ["erf at infinity", npx.erf, INF, [0, 0, 0]],
  ["floor", np.floor, 1.5, [0]],
  ["round to tens", x => np.round(x, -1), 17, [0]],
] as [string, (x: NDArray) => NDArray, number, number[]][])("derivatives of %s", (_, f, x, wanted) => {
  derivatives(f, x, wanted.length).forEach((got, i) => {
    const want = wanted[i]!;
    if (!(Object.is(got, want) || Math.abs(got - want) <= 1e-9 * Math.abs(want) + 1e-14 * PI ** (i + 1)))
      throw new Error(`order ${i + 1} is ${got}, should be ${want}`);
  });
});

test("nanToNum stops the gradient where it replaced a number", () => {
  const x = np.array([1, NAN, INF, -INF, 3]).attachGrad();
  autograd.record(() => np.multiply(np.nanToNum(x), 2)).backward();
  expect(valuesOf(x.grad!)).toEqual([2, 0, 0, 0, 2]);
});

test("what nanToNum puts in has the gradient of the places where it stands", () => {
  const x = np
    .array([
      [1, NAN, INF],
      [NAN, -INF, 2],
    ])
    .attachGrad();
  const [nan, low] = [np.array([3, 4, 5]).attachGrad(), np.array([7, 8, 9], { dtype: "float64" }).attachGrad()];
  const y = autograd.record(() =>
    np.multiply(np.nanToNum(x, { nan, neginf: low }), [
      [1, 2, 4],
      [8, 16, 32],
    ]),
  );
  expect(y.dtype).toBe("float32");
  y.backward();
  expect(valuesOf(x.grad!)).toEqual([1, 0, 0, 0, 0, 32]);
  expect(valuesOf(nan.grad!)).toEqual([8, 2, 0]);
  expect(valuesOf(low.grad!)).toEqual([0, 16, 0]);
});

test("questions are answered in bool, and end the graph", () => {
  const x = np.array([1, NAN, INF]).attachGrad();
  const y = autograd.record(() => np.isnan(x));
  expect(y.dtype).toBe("bool");
  expect(() => y.backward()).toThrow(/isnan has no derivative/);
  expect(valuesOf(x.at(np.isfinite(x)))).toEqual([1]);
});
