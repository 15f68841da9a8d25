/**
 * Every exported operator, without a line for any of them: values against the reference bit for bit, gradients of order
 * 1 and 2 against differences, cotangents of zeros, dtypes, views, methods and wrong arguments. What is tried comes from
 * the rows themselves and, for those that are not pointwise, from samples.ts.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import * as nabla from "nabla";
import { autograd, type DType, GradError, NablaError, NDArray, np, npx, ValueError } from "nabla";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { runMap } from "../src/backend/reference.ts";
import { DTYPES, isFloat, typedArrayOf } from "../src/dtype.ts";
import { describe as describeWrong } from "../src/errors.ts";
import { cotangents } from "../src/grad.ts";
import { CHUNK, laneOf } from "../src/launch.ts";
import * as members from "../src/members.ts";
import type { HasRow, Pointwise, Row } from "../src/op.ts";
import { MODULES, SAMPLES, type Sample, WITHOUT_OPERATORS } from "./samples.ts";
import { checkDerivatives, type Fn, inner, pull, randomArray, zeroCotangent } from "./support/derivatives.ts";
import {
  arrayOf,
  BROADCAST,
  broadcastShape,
  broadcastValues,
  difference,
  LAYOUTS,
  laid,
  type Next,
  randomNumbers,
  type Shape,
  SPECIAL,
  samples,
  seedOf,
  sizeOf,
  valuesOf,
} from "./support/sampling.ts";
import { nodesOf, parse, ROOT } from "./support/source.ts";

// ---------------------------------------------------------------- what there is

type AnyFn = (...args: unknown[]) => unknown;

/** Every exported function of the operator modules, once, under its first name. */
const functions = new Map<AnyFn, string>();
for (const module of Object.values(MODULES))
  for (const [name, value] of Object.entries(module))
    if (typeof value === "function" && !/^class\b/.test(String(value)) && !functions.has(value as AnyFn))
      functions.set(value as AnyFn, name);

interface PointwiseRow {
  readonly name: string;
  readonly fn: Fn;
  readonly row: Row;
  readonly p: Pointwise;
}

const rows: PointwiseRow[] = [];
for (const [fn, name] of functions) {
  const { op } = fn as unknown as Partial<HasRow>;
  if (op?.pointwise !== undefined) rows.push({ name, fn: fn as Fn, row: op, p: op.pointwise });
}
const byName = <T extends { name: string }>(list: readonly T[]): [string, T][] => list.map(item => [item.name, item]);
const differentiable = rows.filter(r => r.p.spec.grad !== null);
/** Rows whose gradient is not the derivative of their value, on purpose. */
const STOPS: ReadonlySet<string> = new Set(["stopGradient"]);

describe("nothing is left out", () => {
  test("every module of operators is listed", () => {
    const found = ["functions", "ops"].flatMap(folder =>
      readdirSync(join(ROOT, "src", folder)).map(file => `${folder}/${file.replace(/\.ts$/, "")}`),
    );
    expect(found.filter(m => !WITHOUT_OPERATORS.includes(m)).sort()).toEqual(Object.keys(MODULES).sort());
  });
  test("every row that is not pointwise has samples", () => {
    for (const [fn, name] of functions)
      if ("op" in fn && (fn as unknown as HasRow).op.pointwise === undefined) expect(Object.keys(SAMPLES)).toContain(name);
  });
  test("there are enough of them for the rest to mean something", () => {
    expect(rows.length).toBeGreaterThan(30);
    expect(functions.size).toBeGreaterThan(60);
  });
});

// ---------------------------------------------------------------- values of pointwise rows

type Operand = NDArray | number;

/** api.md's table: the dtype in which two arrays meet. */
function meet(a: DType, b: DType): DType {
  if (a === b || b === "bool") return a;
  if (a === "bool") return b;
  if (a === "float64" || b === "float64") return "float64";
  if (a === "float32" || b === "float32") return "float32";
  return "int32";
}

/** What a row makes of the dtype in which its operands meet: before it computes, and of its result. */
function computedIn({ spec }: Pointwise, met: DType): DType {
  if (spec.dtype === "float" && met !== "float64") return "float32";
  return spec.bool === "int" && met === "bool" ? "int32" : met;
}

function dtypeOf(p: Pointwise, xs: readonly Operand[]): DType {
  const discrete = p.spec.discrete ?? [];
  let met: DType | null = null;
  xs.forEach((x, i) => {
    if (typeof x !== "number" && !discrete.includes(i)) met = met === null ? x.dtype : meet(met, x.dtype);
  });
  let found = computedIn(p, met ?? "float32");
  xs.forEach((x, i) => {
    if (typeof x !== "number" || discrete.includes(i) || found === "float32" || found === "float64") return;
    if (!Number.isInteger(x)) found = "float32";
    else if (found === "bool") found = "int32";
  });
  return computedIn(p, found);
}

/** What the reference makes of the operands; null where the row does not exist for the dtype. */
function expected(p: Pointwise, xs: readonly Operand[]): { shape: Shape; dtype: DType; values: ArrayLike<number> } | null {
  const met = dtypeOf(p, xs);
  const code = DTYPES.indexOf(met);
  const lane = laneOf(code);
  const shape = xs.reduce<Shape>((s, x) => (typeof x === "number" ? s : broadcastShape(s, x.shape)), []);
  const dtype = p.spec.dtype === "bool" ? "bool" : met;
  const discrete = p.spec.discrete ?? [];
  const inputs = xs.map((x, i) => {
    const values = typeof x === "number" ? new Array<number>(sizeOf(shape)).fill(x) : broadcastValues(x.toTypedArray(), x.shape, shape);
    if (discrete.includes(i)) return { dtype: DTYPES.indexOf("bool"), values: values.map(v => (v !== 0 ? 1 : 0)) };
    return { dtype: typeof x === "number" ? lane : DTYPES.indexOf(x.dtype), values };
  });
  try {
    const kernel = {
      kind: "map" as const,
      inputs: inputs.map(i => ({ dtype: i.dtype, mode: "v" as const })),
      lane,
      out: DTYPES.indexOf(dtype),
      value: p.expression(lane),
    };
    return {
      shape,
      dtype,
      values: runMap(
        kernel,
        inputs.map(i => i.values),
        sizeOf(shape),
      ),
    };
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

function checkValue({ name, fn, p }: PointwiseRow, xs: readonly Operand[], what: string): void {
  const want = expected(p, xs);
  const call = fn as unknown as AnyFn;
  const label = `${name} ${what}: ${xs.map(x => (typeof x === "number" ? x : `${x.dtype}[${x.shape}]`)).join(", ")}`;
  if (want === null) {
    expect(() => call(...xs), label).toThrow(NablaError);
    return;
  }
  const y = call(...xs) as NDArray;
  if (y.dtype !== want.dtype || String(y.shape) !== String(want.shape))
    throw new Error(`${label}: gives ${y.dtype}[${y.shape}], not ${want.dtype}[${want.shape}]`);
  const fault = difference(y.toTypedArray(), want.values);
  if (fault !== "") throw new Error(`${label}: ${fault}`);
}

const domainOf = (p: Pointwise): readonly [number, number] => p.spec.domain ?? [-3, 3];

/** n values of a dtype for an operand of a row: from its domain, and every third one special. */
function mixed(p: Pointwise, dtype: DType, n: number, operand: number, next: Next): ArrayLike<number> {
  const special = SPECIAL[dtype];
  const inside = samples(n, domainOf(p), operand, next);
  const out = new (typedArrayOf(DTYPES.indexOf(dtype)))(n);
  for (let i = 0; i < n; i++)
    out[i] =
      next() < 1 / 3
        ? special[Math.floor(next() * special.length)]!
        : dtype === "bool"
          ? Number(next() < 0.5)
          : inside[i]! * (isFloat(DTYPES.indexOf(dtype)) ? 1 : 3);
  return out;
}

const made = (p: Pointwise, dtype: DType, shape: Shape, operand: number, next: Next): NDArray =>
  arrayOf(mixed(p, dtype, sizeOf(shape), operand, next), shape, dtype);

/** All tuples of k entries of a list; a random part of them where there are many. */
function tuples<T>(list: readonly T[], k: number, most: number, next: Next): T[][] {
  let out: T[][] = [[]];
  for (let i = 0; i < k; i++) out = out.flatMap(t => list.map(v => [...t, v]));
  while (out.length > most) out.splice(Math.floor(next() * out.length), 1);
  return out;
}

const FLOATS: readonly DType[] = ["float32", "float64"];
const ALL: readonly DType[] = ["float32", "float64", "int32", "int8", "uint8", "bool"];
const SHAPES: readonly Shape[] = [[], [1], [7], [3, 4], [2, 3, 4], [2, 1, 3, 2], [0], [2, 0, 3]];
const PAIRS: readonly (readonly [Shape, Shape])[] = [
  [[3, 4], [4]],
  [
    [3, 1],
    [1, 4],
  ],
  [[], [3]],
  [
    [2, 3, 1],
    [3, 4],
  ],
  [
    [5, 1, 2],
    [1, 3, 1],
  ],
  [
    [2, 3, 4],
    [2, 3, 1],
  ],
  [
    [0, 3],
    [1, 3],
  ],
  [[1], [0]],
  [[1], [5]],
  [[1, 1], [4]],
  [
    [7, 1],
    [7, 9],
  ],
];
/** Numbers as operands. The powers that have rows of their own are not among them. */
const NUMBERS: readonly number[] = [0, -0, 1.75, -2.5, 2, 1e-40, 1e30, Number.POSITIVE_INFINITY, Number.NaN];

describe("values are the reference's, bit for bit", () => {
  test.each(byName(rows))("%s", (_, r) => {
    const { name, p } = r;
    const k = p.arity;
    const next = randomNumbers(seedOf(name));
    for (const dtype of FLOATS) {
      // Special values against each other.
      const all = tuples(SPECIAL[dtype], k, 400, next);
      checkValue(
        r,
        Array.from({ length: k }, (_, i) =>
          arrayOf(
            all.map(t => t[i]!),
            [all.length],
            dtype,
          ),
        ),
        "of special values",
      );
      for (let n = 1; n <= 33; n++)
        checkValue(
          r,
          Array.from({ length: k }, (_, i) => made(p, dtype, [n], i, next)),
          "by size",
        );
      for (const shape of SHAPES) {
        checkValue(
          r,
          Array.from({ length: k }, (_, i) => made(p, dtype, shape, i, next)),
          "by shape",
        );
        for (let i = 0; i < k; i++)
          for (const layout of [...LAYOUTS, BROADCAST]) {
            if (!layout.fits(shape)) continue;
            const xs = Array.from({ length: k }, (_, j) =>
              j === i
                ? laid(mixed(p, dtype, sizeOf(shape), j, next), shape, dtype, layout).view
                : laid(mixed(p, dtype, sizeOf(shape), j, next), shape, dtype, pickLayout(shape, next)).view,
            );
            checkValue(r, xs, layout.name);
          }
      }
      if (k > 1)
        for (let turn = 0; turn < 2 * PAIRS.length; turn++) {
          const pair = PAIRS[turn >> 1]!;
          const shapes = Array.from({ length: k }, (_, i) => (i < 2 ? pair[(i + turn) % 2]! : [[], [1], pair[0]][Math.floor(next() * 3)]!));
          if (next() < 0.5) shapes.reverse();
          checkValue(
            r,
            shapes.map((shape, i) => laid(mixed(p, dtype, sizeOf(shape), i, next), shape, dtype, pickLayout(shape, next)).view),
            "broadcast",
          );
        }
    }
  });

  test.each(byName(rows.filter(r => r.p.arity > 1)))("%s with numbers as operands", (_, r) => {
    const { name, p } = r;
    const discrete = p.spec.discrete ?? [];
    const next = randomNumbers(seedOf(name) + 1);
    for (const dtype of ALL)
      for (const shape of [[], [1], [9], [3, 4], [0]] as Shape[])
        for (let i = 0; i < p.arity; i++)
          for (const v of NUMBERS) {
            if (name === "power" && i === 1 && v === 2) continue;
            const numbers = Array.from({ length: p.arity }, (_, j) =>
              j === i ? v : next() < 0.4 ? [0, -0, 3][Math.floor(next() * 3)]! : null,
            );
            const free = (i + 1) % p.arity;
            const xs = numbers.map((n, j) =>
              n === null || (j !== i && (j === free || discrete.includes(free))) ? made(p, dtype, shape, j, next) : n,
            );
            if (name === "power" && xs[1] === 2) continue;
            const fits = xs.every(
              (x, j) =>
                typeof x !== "number" ||
                discrete.includes(j) ||
                !Number.isInteger(x) ||
                isFloat(DTYPES.indexOf(dtype)) ||
                inRange(x, dtypeOf(p, xs)),
            );
            if (fits) checkValue(r, xs, "with a number");
            else expect(() => (r.fn as unknown as AnyFn)(...xs), `${name} of ${dtype} and ${v}`).toThrow(ValueError);
          }
  });

  test.each(byName(rows))("%s in every dtype, and in dtypes that differ", (_, r) => {
    const { name, p } = r;
    const next = randomNumbers(seedOf(name) + 2);
    for (const dtypes of tuples(ALL, p.arity, 40, next))
      for (const shape of [[], [21], [3, 5]] as Shape[])
        checkValue(
          r,
          dtypes.map((dtype, i) => made(p, dtype, shape, i, next)),
          "by dtype",
        );
  });

  test.each(byName(rows))("%s beyond one run of the kernel", (_, r) => {
    const { name, p } = r;
    const next = randomNumbers(seedOf(name) + 3);
    // The values repeat, so that the slow reference has little to do.
    const period = 97;
    const n = period * 700;
    expect(n).toBeGreaterThan(CHUNK);
    for (const dtype of FLOATS) {
      const short = Array.from({ length: p.arity }, (_, i) => mixed(p, dtype, period, i, next));
      const want = expected(
        p,
        short.map(v => arrayOf(v, [period], dtype)),
      )!;
      const long = short.map(v =>
        arrayOf(
          Float64Array.from({ length: n }, (_, i) => v[i % period]!),
          [n],
          dtype,
        ),
      );
      const tiled = (length: number): Float64Array => Float64Array.from({ length }, (_, i) => want.values[i % period]!);
      const y = (r.fn as unknown as AnyFn)(...long) as NDArray;
      expect(difference(y.toTypedArray(), tiled(n)), `${name} ${dtype}`).toBe("");
      const backwards = long.map(x => x.at("::-1"));
      const z = (r.fn as unknown as AnyFn)(...backwards) as NDArray;
      expect(difference(z.toTypedArray(), tiled(n).reverse()), `${name} ${dtype} reversed`).toBe("");
      if (p.arity > 1) {
        const rowsOf = (x: NDArray): NDArray => x.at(":1");
        const [first, ...rest] = long.map(x => x.reshape(700, period));
        const w = (r.fn as unknown as AnyFn)(first, ...rest.map(rowsOf)) as NDArray;
        expect(difference(w.toTypedArray(), tiled(n)), `${name} ${dtype} by rows`).toBe("");
      }
    }
  });
});

const INTEGER_RANGE: Partial<Record<DType, readonly [number, number]>> = {
  int32: [-2147483648, 2147483647],
  int8: [-128, 127],
  uint8: [0, 255],
};

function inRange(x: number, dtype: DType): boolean {
  const range = INTEGER_RANGE[dtype];
  return range === undefined || (x >= range[0] && x <= range[1]);
}

function pickLayout(shape: Shape, next: Next): (typeof LAYOUTS)[number] {
  const fitting = LAYOUTS.filter(l => l.fits(shape));
  return fitting[Math.floor(next() * fitting.length)]!;
}
// ---------------------------------------------------------------- gradients of pointwise rows

/** Every operand of a row but those that carry no gradient, as a function of the rest. */
function carrying(r: PointwiseRow, xs: readonly NDArray[]): { f: Fn; variables: NDArray[] } {
  const discrete = r.p.spec.discrete ?? [];
  const free = xs.map((_, i) => i).filter(i => !discrete.includes(i));
  const f: Fn = (...given) => {
    const all = xs.slice();
    free.forEach((i, k) => {
      all[i] = given[k]!;
    });
    return r.fn(...all);
  };
  return { f, variables: free.map(i => xs[i]!) };
}

/** An operand inside the row's domain; a condition of zeros and ones where the row wants one. */
function inside(p: Pointwise, dtype: DType, shape: Shape, operand: number, next: Next): NDArray {
  const n = sizeOf(shape);
  if (p.spec.discrete?.includes(operand))
    return arrayOf(
      Float64Array.from({ length: n }, () => Number(next() < 0.5)),
      shape,
      "bool",
    );
  return arrayOf(samples(n, domainOf(p), operand, next), shape, dtype);
}

const insideAll = (p: Pointwise, dtype: DType, shapes: readonly Shape[], next: Next): NDArray[] =>
  shapes.map((shape, i) => inside(p, dtype, shape, i, next));

function expectDerivatives(label: string, f: Fn, xs: readonly NDArray[], order: number, next: Next): void {
  const fault = checkDerivatives(f, xs, order, next);
  if (fault !== "") throw new Error(`${label}: ${fault}`);
}

describe("gradients are those of differences", () => {
  test.each(byName(differentiable.filter(r => !STOPS.has(r.name))))("%s", (_, r) => {
    const { name, p } = r;
    const next = randomNumbers(seedOf(name) + 4);
    for (const shape of SHAPES) {
      const xs = insideAll(p, "float64", new Array<Shape>(p.arity).fill(shape), next);
      const { f, variables } = carrying(r, xs);
      expectDerivatives(`${name} [${shape}]`, f, variables, shape.length === 1 ? 3 : 2, next);
      // Each operand alone, and as a view of the variable.
      variables.forEach((x, i) => {
        const alone: Fn = v => f(...variables.map((w, j) => (j === i ? v! : w)));
        expectDerivatives(`${name} [${shape}], operand ${i} alone`, alone, [x], 2, next);
        const twice = pickLayout(shape, next);
        for (const layout of [...LAYOUTS, BROADCAST]) {
          if (!layout.fits(shape)) continue;
          const { base } = laid(valuesOf(x), shape, "float64", layout);
          const through: Fn = v => f(...variables.map((w, j) => (j === i ? layout.view(v!, shape) : w)));
          expectDerivatives(`${name} [${shape}], operand ${i} ${layout.name}`, through, [base], layout === twice ? 2 : 1, next);
        }
      });
    }
  });

  test.each(byName(differentiable.filter(r => r.p.arity > 1)))("%s, broadcast", (_, r) => {
    const { name, p } = r;
    const next = randomNumbers(seedOf(name) + 5);
    for (const pair of PAIRS)
      for (let turn = 0; turn < p.arity; turn++) {
        const shapes = Array.from({ length: p.arity }, (_, i) => [pair[0], pair[1], pair[1]][(i + turn) % p.arity]!);
        const { f, variables } = carrying(r, insideAll(p, "float64", shapes, next));
        expectDerivatives(`${name} ${shapes.map(s => `[${s}]`).join(" ")}`, f, variables, 2, next);
      }
  });

  test.each(byName(differentiable.filter(r => r.p.arity > 1)))("%s, with numbers", (_, r) => {
    const { name, p } = r;
    const next = randomNumbers(seedOf(name) + 6);
    for (const shape of [[], [5], [2, 3]] as Shape[])
      for (let i = 0; i < p.arity; i++)
        for (const v of [...samples(2, domainOf(p), 3, next), 1, 2, 0.5, 3, -1]) {
          // Powers with a row of their own are defined at negative numbers too, but differ only there.
          const xs = insideAll(p, "float64", new Array<Shape>(p.arity).fill(shape), next);
          const call = r.fn as unknown as AnyFn;
          const withNumber: Fn = (...given) => call(...xs.map((_, j) => (j === i ? v : given[j]))) as NDArray;
          if (
            !withNumber(...xs)
              .toTypedArray()
              .every(Number.isFinite)
          )
            continue;
          for (let j = 0; j < p.arity; j++) {
            if (j === i || p.spec.discrete?.includes(j)) continue;
            const f: Fn = x => withNumber(...xs.map((w, k) => (k === j ? x! : w)));
            expectDerivatives(`${name} [${shape}], operand ${j} with ${v} as operand ${i}`, f, [xs[j]!], 2, next);
          }
        }
  });

  test.each(byName(differentiable))("%s in float32 is near float64", (_, r) => {
    const { name, p } = r;
    const next = randomNumbers(seedOf(name) + 7);
    const shape = [4, 6];
    const wide = insideAll(p, "float64", new Array<Shape>(p.arity).fill(shape), next).map(x =>
      x.dtype === "bool" ? x : x.astype("float32").astype("float64"),
    );
    const narrow = wide.map(x => (x.dtype === "bool" ? x : x.astype("float32")));
    const u = randomArray(shape, "float32", next);
    const v = randomArray(shape, "float32", next);
    const gradients = (xs: readonly NDArray[], dtype: DType): NDArray[] => {
      const { f, variables } = carrying(r, xs);
      const first = pull(f, variables, u.astype(dtype), false);
      const byRule = pull(f, variables, u.astype(dtype), true);
      first.forEach((g, i) => {
        expect(difference(g.toTypedArray(), byRule[i]!.toTypedArray()), `${name} ${dtype}, fused and by the rule`).toBe("");
      });
      const slope: Fn = (...given) =>
        pullRecorded(f, given, u.astype(dtype))
          .map(g => np.multiply(g, v.astype(dtype)))
          .reduce((a, b) => np.add(a, b));
      return [...first, ...pull(slope, variables, np.ones(shape, { dtype }), false)];
    };
    const exact = gradients(wide, "float64");
    gradients(narrow, "float32").forEach((g, i) => {
      expect(g.dtype).toBe("float32");
      const want = valuesOf(exact[i]!);
      const largest = want.reduce((m, w) => Math.max(m, Math.abs(w)), 0);
      valuesOf(g).forEach((x, k) => {
        if (!(Math.abs(x - want[k]!) <= 1e-4 * Math.max(Math.abs(want[k]!), 0.01 * largest, 1e-3)))
          throw new Error(`${name}: gradient ${i} at ${k} is ${x} in float32, ${want[k]} in float64`);
      });
    });
  });

  test.each(byName(differentiable.filter(r => r.p.arity > 1)))("%s of mixed dtypes gives each its own", (_, r) => {
    const { name, p } = r;
    const next = randomNumbers(seedOf(name) + 8);
    for (const shapes of [
      new Array<Shape>(p.arity).fill([3, 4]),
      Array.from({ length: p.arity }, (_, i): Shape => [[3, 4], [4], []][i % 3]!),
    ])
      for (const dtypes of tuples<DType>(["float32", "float64", "int32", "uint8", "bool"], p.arity, 60, next)) {
        const floats = dtypes.flatMap((dtype, i) => (FLOATS.includes(dtype) && !p.spec.discrete?.includes(i) ? [i] : []));
        if (floats.length === 0) continue;
        const xs = shapes.map((shape, i) =>
          FLOATS.includes(dtypes[i]!)
            ? inside(p, dtypes[i]!, shape, i, next)
            : arrayOf(new Array<number>(sizeOf(shape)).fill(1), shape, dtypes[i]!),
        );
        const wide = xs.map((x, i) => (floats.includes(i) ? x.astype("float64") : x));
        const of =
          (all: readonly NDArray[]): Fn =>
          (...given) =>
            r.fn(...all.map((x, i) => (floats.includes(i) ? given[floats.indexOf(i)]! : x)));
        const y = r.fn(...xs);
        const one = (dtype: DType): NDArray => np.ones(y.shape, { dtype });
        const exact = pull(
          of(wide),
          floats.map(i => wide[i]!),
          one("float64"),
          false,
        );
        for (const createGraph of [true, false])
          pull(
            of(xs),
            floats.map(i => xs[i]!),
            one(y.dtype),
            createGraph,
          ).forEach((g, k) => {
            const x = xs[floats[k]!]!;
            if (g.dtype !== x.dtype || String(g.shape) !== String(x.shape))
              throw new Error(`${name} of ${dtypes}: a gradient is ${g.dtype}[${g.shape}], its variable ${x.dtype}[${x.shape}]`);
            const want = valuesOf(exact[k]!);
            valuesOf(g).forEach((v, e) => {
              if (!(Math.abs(v - want[e]!) <= 1e-4 * Math.max(1, Math.abs(want[e]!))))
                throw new Error(`${name} of ${dtypes}: ${v}, not ${want[e]}`);
            });
          });
      }
  });
});

/** The gradients of ⟨u, f⟩ at arrays that are variables already, recorded. */
function pullRecorded(f: Fn, xs: readonly NDArray[], u: NDArray): NDArray[] {
  const y = autograd.record(() => f(...xs));
  return cotangents(y, xs, u, { createGraph: true, retainGraph: true });
}

/** Points where slopes are infinite, not a number, or jump. */
const EDGES = [0, -0, 1, -1, 2, -3, 1e-40, 1e30, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];

describe("a cotangent of zeros gives exactly 0", () => {
  test.each(byName(differentiable))("%s", (_, r) => {
    const { name, p } = r;
    const next = randomNumbers(seedOf(name) + 9);
    for (const dtype of FLOATS) {
      const all = tuples(EDGES, p.arity, 300, next);
      const xs = Array.from({ length: p.arity }, (_, i) =>
        p.spec.discrete?.includes(i)
          ? arrayOf(
              all.map((_, k) => k % 2),
              [all.length],
              "bool",
            )
          : arrayOf(
              all.map(t => t[i]!),
              [all.length],
              dtype,
            ),
      );
      const { f, variables } = carrying(r, xs);
      const { fused, first, second } = zeroCotangent(f, variables, next);
      for (const [what, gs] of Object.entries({ fused, first, second }))
        gs.forEach((g, i) => {
          valuesOf(g).forEach((v, k) => {
            if (v !== 0) throw new Error(`${name} ${dtype} at (${xs.map(x => valuesOf(x)[k])}): ${what} gradient ${i} is ${v}`);
          });
        });
    }
  });
});
// ---------------------------------------------------------------- rows with samples

const samplesOf = new Map<AnyFn, { name: string; list: readonly Sample[] }>();
for (const [name, list] of Object.entries(SAMPLES)) {
  const fn = (members as unknown as Record<string, AnyFn>)[name] ?? [...functions].find(([, known]) => known === name)?.[0];
  if (fn !== undefined) samplesOf.set(fn, { name, list });
}
const sampled = [...samplesOf].map(([fn, { name, list }]): [string, { fn: AnyFn; list: readonly Sample[] }] => [name, { fn, list }]);

/** Distinct numbers, far enough from each other that no difference changes their order. */
const arraysFor = (sample: Sample, dtype: DType, next: Next): NDArray[] => {
  const total = sample.shapes.reduce((n, shape) => n + sizeOf(shape), 0);
  const all = samples(total, [-0.06 * total - 1, 0.06 * total + 1], 0, next);
  let from = 0;
  return sample.shapes.map(shape => arrayOf(all.subarray(from, (from += sizeOf(shape))), shape, dtype));
};

const results = (value: unknown): NDArray[] => (Array.isArray(value) ? value : [value]) as NDArray[];

describe("rows that are not pointwise", () => {
  test("all samples belong to a function", () => expect(sampled.map(([name]) => name).sort()).toEqual(Object.keys(SAMPLES).sort()));

  test.each(sampled)("%s: gradients are those of differences", (name, { fn, list }) => {
    const next = randomNumbers(seedOf(name) + 10);
    list.forEach((sample, number) => {
      const xs = arraysFor(sample, "float64", next);
      results(fn(...sample.args(...xs))).forEach((y, output) => {
        if (y.dtype !== "float64") return;
        const f: Fn = (...given) => results(fn(...sample.args(...given)))[output]!;
        const label = `${name}, sample ${number}, [${sample.shapes.join("] [")}]`;
        expectDerivatives(label, f, xs, 2, next);
        xs.forEach((x, i) => {
          if (xs.length > 1) expectDerivatives(`${label}, array ${i} alone`, v => f(...xs.map((w, j) => (j === i ? v! : w))), [x], 2, next);
          const twice = pickLayout(x.shape, next);
          for (const layout of [...LAYOUTS, BROADCAST]) {
            if (!layout.fits(x.shape) || (layout === BROADCAST && sample.linear === undefined)) continue;
            const { base, view } = laid(valuesOf(x), x.shape, "float64", layout);
            const through = (v: NDArray): NDArray => f(...xs.map((w, j) => (j === i ? v : w)));
            if (layout !== BROADCAST) {
              const fault = closeness(valuesOf(through(view)), valuesOf(y), 1e-13);
              if (fault !== "") throw new Error(`${label}, array ${i} ${layout.name}: ${fault}`);
            }
            expectDerivatives(
              `${label}, array ${i} ${layout.name}`,
              v => through(layout.view(v!, x.shape)),
              [base],
              layout === twice ? 2 : 1,
              next,
            );
          }
        });
      });
    });
  });

  test.each(sampled)("%s: adjoint to rounding", (name, { fn, list }) => {
    const next = randomNumbers(seedOf(name) + 11);
    for (const sample of list) {
      if (sample.linear === undefined) continue;
      const xs = arraysFor(sample, "float64", next);
      const f: Fn = (...given) => fn(...sample.args(...given)) as NDArray;
      const y = f(...xs);
      if (y.dtype !== "float64") continue;
      const u = randomArray(y.shape, "float64", next);
      const vs = xs.map(x => randomArray(x.shape, "float64", next));
      const gs = pull(f, xs, u, false);
      const zero = xs.map(x => np.zerosLike(x));
      const images = vs.map((v, i) => f(...(sample.linear === "each" ? xs : zero).map((w, j) => (j === i ? v : w))));
      images.forEach((image, i) => {
        const left = inner(u, image);
        const right = inner(gs[i]!, vs[i]!);
        if (!(Math.abs(left - right) <= 1e-12 * (1 + Math.abs(left))))
          throw new Error(`${name} [${sample.shapes}]: <u, A v> is ${left}, <Aᵀu, v> ${right}`);
      });
      // The sum over one axis of a sum is the sum: linear it is.
      const twice = f(...(sample.linear === "each" ? xs.map((x, i) => (i === 0 ? np.multiply(x, 2) : x)) : xs.map(x => np.multiply(x, 2))));
      const fault = closeness(valuesOf(twice), valuesOf(np.multiply(y, 2)), 1e-14);
      if (fault !== "") throw new Error(`${name} [${sample.shapes}] is not linear: ${fault}`);
    }
  });

  test.each(sampled)("%s: float32 is near float64, and other dtypes keep theirs", (name, { fn, list }) => {
    const next = randomNumbers(seedOf(name) + 12);
    for (const sample of list) {
      const wide = arraysFor(sample, "float64", next).map(x => x.astype("float32").astype("float64"));
      const narrow = wide.map(x => x.astype("float32"));
      results(fn(...sample.args(...narrow))).forEach((y, output) => {
        const want = results(fn(...sample.args(...wide)))[output]!;
        if (name === "astype" || name === "summed") return;
        expect(y.dtype, name).toBe(want.dtype === "float64" ? "float32" : want.dtype);
        expect(closeness(valuesOf(y), valuesOf(want), 1e-5), name).toBe("");
        if (y.dtype !== "float32" || name === "oneHot") return;
        const u = randomArray(y.shape, "float32", next);
        const of: Fn = (...given) => results(fn(...sample.args(...given)))[output]!;
        const exact = pull(of, wide, u.astype("float64"), false);
        for (const createGraph of [false, true])
          pull(of, narrow, u, createGraph).forEach((g, i) => {
            expect(g.dtype).toBe("float32");
            expect(closeness(valuesOf(g), valuesOf(exact[i]!), 1e-4), `${name}, gradient ${i}`).toBe("");
          });
      });
    }
  });

  test.each(sampled)("%s: a cotangent of zeros gives 0", (name, { fn, list }) => {
    const next = randomNumbers(seedOf(name) + 13);
    for (const sample of list) {
      const xs = arraysFor(sample, "float64", next);
      results(fn(...sample.args(...xs))).forEach((y, output) => {
        if (y.dtype !== "float64") return;
        const f: Fn = (...given) => results(fn(...sample.args(...given)))[output]!;
        const { first, fused, second } = zeroCotangent(f, xs, next);
        for (const g of [...first, ...fused, ...second]) if (valuesOf(g).some(v => v !== 0)) throw new Error(`${name}: ${g}`);
      });
    }
  });
});

function closeness(actual: readonly number[], wanted: readonly number[], tolerance: number): string {
  if (actual.length !== wanted.length) return `${actual.length} elements, not ${wanted.length}`;
  for (let i = 0; i < actual.length; i++) {
    const [a, w] = [actual[i]!, wanted[i]!];
    if (!Object.is(a, w) && !(Math.abs(a - w) <= tolerance * Math.max(1, Math.abs(w)))) return `element ${i} is ${a}, not ${w}`;
  }
  return "";
}

// ---------------------------------------------------------------- what has no derivative

describe("an operator without derivative ends the graph and says so", () => {
  const ended = [
    ...rows
      .filter(r => r.p.spec.grad === null)
      .map(r => ({ name: r.name, row: r.row, call: (x: NDArray) => (r.fn as AnyFn)(...new Array(r.p.arity).fill(x)) })),
    ...[...functions]
      .filter(([fn]) => "op" in fn && (fn as unknown as HasRow).op.rule === null && (fn as unknown as HasRow).op.pointwise === undefined)
      .map(([fn, name]) => ({ name, row: (fn as unknown as HasRow).op, call: (x: NDArray) => fn(x) })),
  ];
  test.each(byName(ended))("%s", (name, { row, call }) => {
    const x = np.array([1, 2, 3]).attachGrad();
    const y = autograd.record(() => call(x)) as NDArray;
    expect(row.rule).toBe(null);
    // all and any make a mask of their input first; that ends the graph.
    if (name !== "all" && name !== "any") expect(() => y.backward()).toThrow(new RegExp(`${name} has no derivative`));
    expect(() => y.backward()).toThrow(GradError);
  });
});

// ---------------------------------------------------------------- methods

const same = (a: unknown, b: unknown, label: string): void => {
  const [p, q] = [results(a), results(b)];
  expect(p.length, label).toBe(q.length);
  p.forEach((x, i) => {
    expect(x, label).toBeInstanceOf(NDArray);
    expect(x.dtype, label).toBe(q[i]!.dtype);
    expect(x.shape, label).toEqual(q[i]!.shape);
    expect(difference(x.toTypedArray(), q[i]!.toTypedArray()), label).toBe("");
  });
};

describe("a method is the function", () => {
  const method = (x: NDArray, name: string): AnyFn => ((x as unknown as Record<string, AnyFn>)[name] as AnyFn).bind(x);

  test.each(Object.keys(members))("%s", name => {
    const fn = (members as unknown as Record<string, AnyFn>)[name]!;
    const next = randomNumbers(seedOf(name) + 14);
    expect(NDArray.prototype).toHaveProperty(name);
    const p = (fn as unknown as Partial<HasRow>).op?.pointwise;
    if (p !== undefined) {
      for (const dtype of FLOATS) {
        const xs = Array.from({ length: p.arity }, (_, i) => made(p, dtype, [3, 4], i, next));
        same(method(xs[0]!, name)(...xs.slice(1)), fn(...xs), name);
        if (p.arity > 1) same(method(xs[0]!, name)(...xs.slice(1).map(() => 1.5)), fn(xs[0]!, ...xs.slice(1).map(() => 1.5)), name);
        const out = np.zeros([3, 4], { dtype: (fn(...xs) as NDArray).dtype });
        if (p.arity < 3) expect(method(xs[0]!, name)(...xs.slice(1), { out }), name).toBe(out);
      }
      return;
    }
    for (const sample of samplesOf.get(fn)!.list) {
      const xs = arraysFor(sample, "float32", next);
      const [x, ...rest] = sample.args(...xs) as [NDArray, ...unknown[]];
      const viaMethod = method(x, name)(...rest);
      same(viaMethod, fn(...sample.args(...xs)), name);
    }
  });

  test("np, npx and linalg offer each of them under one name at least", () => {
    const known = new Set<unknown>([...Object.values(np), ...Object.values(npx), ...Object.values(np.linalg)]);
    const only = Object.entries(members).filter(([, fn]) => !known.has(fn));
    expect(only.map(([name]) => name).sort()).toEqual(["at", "set"]);
  });

  test("what np, npx and linalg call with an array first is a method", () => {
    const listed = new Set<unknown>(Object.values(members));
    const x = np.array([
      [1.5, 2],
      [3, 4],
    ]);
    for (const [where, module] of Object.entries({ np, npx, linalg: np.linalg }))
      for (const [name, fn] of Object.entries(module)) {
        if (typeof fn !== "function" || listed.has(fn)) continue;
        // A public function that is no method does not take a bare array, or is one of those that make or manage arrays.
        expect(NO_METHODS, `${where}.${name}`).toContain(name);
      }
    void x;
  });
});

/** Public functions that are no methods: what makes arrays, joins lists of them, and settings. */
const NO_METHODS: readonly string[] = [
  ...["arange", "array", "asarray", "empty", "emptyLike", "eye", "full", "fullLike", "identity", "linspace", "ones", "onesLike", "zeros"],
  ...["zerosLike", "concatenate", "stack", "slice", "keep", "memoryInfo", "scope", "seed", "setMemoryLimit", "setNp", "waitall"],
];

// ---------------------------------------------------------------- wrong arguments

const { grad, valueAndGrad, vjp, jacobian, hessian, hvp, checkGrad } = nabla;
const transforms = { grad, valueAndGrad, vjp, jacobian, hessian, hvp, checkGrad };
const promise = Promise.resolve([1, 2]);
/** What no argument of any function may be silently taken for; some of it is allowed to stand for "omitted". */
const WRONG: readonly unknown[] = [
  ...[
    undefined,
    null,
    "two",
    promise,
    [[1, 2], [3]],
    [1, "a"],
    { bogus: 1 },
    7.5,
    -9,
    [0, 99],
    [[[]]],
    Symbol("s"),
    5n,
    () => 1,
    new Date(0),
    new Map(),
  ],
  ...[{ axis: 0 }, Number.NaN, new BigInt64Array(2), new DataView(new ArrayBuffer(8)), [null], [undefined], true],
];

/** Runs a call that may only give a value or throw a NablaError, and leaves no trace. */
function attempt(label: () => string, call: () => unknown): "threw" | "gave" {
  let outcome: "threw" | "gave" = "gave";
  try {
    const value = call();
    if (typeof (value as { end?: unknown } | null)?.end === "function") (value as { end: () => void }).end();
  } catch (error) {
    if (!(error instanceof NablaError)) throw new Error(`${label()} threw ${error instanceof Error ? error.stack : String(error)}`);
    if (!/^[\w.]+( \(head \d+\))?: ./.test(error.message))
      throw new Error(`${label()}: the message does not begin with the operator: ${error.message}`);
    outcome = "threw";
  }
  const left = [autograd.setRecording(false), autograd.setTraining(false)];
  if (left.includes(true) && !/\.set(Recording|Training)\(/.test(label())) throw new Error(`${label()} left a flag on`);
  return outcome;
}

describe("wrong arguments throw a NablaError, or are none", () => {
  const places: Record<string, Record<string, unknown>> = {
    np,
    npx,
    "np.linalg": np.linalg,
    "np.random": np.random,
    autograd,
    nabla: transforms,
  };
  const publicFunctions = Object.entries(places).flatMap(([place, module]) =>
    Object.entries(module)
      .filter(([, fn]) => typeof fn === "function" && !/^class\b/.test(String(fn)))
      .map(([name, fn]): [string, AnyFn] => [`${place}.${name}`, fn as AnyFn]),
  );
  const good = (): NDArray =>
    np.array([
      [1, 2.5],
      [3, 4],
    ]);
  const { limit } = npx.memoryInfo();

  test.each(publicFunctions)("%s", (name: string, fn: AnyFn) => {
    const attached = good().attachGrad();
    for (let position = 0; position < 5; position++)
      for (const wrong of WRONG)
        for (const filler of position === 0 ? [good] : [() => 1, () => attached]) {
          const args = Array.from({ length: position }, (): unknown => filler());
          attempt(
            () => `${name}(${[...args, wrong].map(describeWrong).join(", ")})`,
            () => fn(...args, wrong),
          );
        }
    expect(valuesOf(attached)).toEqual([1, 2.5, 3, 4]);
    if (!/backward|markVariables/.test(name)) expect(valuesOf(attached.grad!)).toEqual([0, 0, 0, 0]);
    expect(autograd.graphSize(attached)).toBe(1);
    npx.setNp();
    npx.setMemoryLimit(limit);
  });

  // at and set are methods only.
  test.each(Object.keys(members).filter(name => name !== "at" && name !== "set"))("%s of nothing, a string, a promise", name => {
    const fn = (members as unknown as Record<string, AnyFn>)[name]!;
    const arity = Math.max(fn.length, (fn as unknown as Partial<HasRow>).op?.pointwise?.arity ?? 0);
    for (const wrong of [undefined, null, "two", promise, [[1, 2], [3]], { bogus: 1 }, Symbol("s"), 5n, () => 1]) {
      const rest = Array.from({ length: Math.max(0, arity - 1) }, () => 0);
      expect(
        attempt(
          () => `${name}(${describeWrong(wrong)}, …)`,
          () => fn(wrong, ...rest),
        ),
        `${name}(${describeWrong(wrong)})`,
      ).toBe("threw");
    }
  });

  test.each(Object.keys(members))("%s as a method", name => {
    for (let position = 0; position < 4; position++)
      for (const wrong of WRONG)
        for (const filler of position === 0 ? [good] : [good, () => 1]) {
          const args = Array.from({ length: position }, (): unknown => filler());
          const x = good();
          attempt(
            () => `x.${name}(${[...args, wrong].map(describeWrong).join(", ")})`,
            () => (x as unknown as Record<string, AnyFn>)[name]!(...args, wrong),
          );
        }
  });

  test.each([
    "attachGrad",
    "backward",
    "iadd",
    "isub",
    "imul",
    "idiv",
    "ipow",
    "item",
    "tolist",
    "detach",
    "dropGrad",
    "zeroGrad",
    "retainGrad",
    "flatten",
    "ravel",
  ])("%s", name => {
    for (let position = 0; position < 3; position++)
      for (const wrong of WRONG)
        for (const make of [
          good,
          () => good().attachGrad(),
          () => {
            const x = good().attachGrad();
            return autograd.record(() => x.mul(2));
          },
        ]) {
          const x = make();
          const before = valuesOf(x);
          const args: unknown[] = Array.from({ length: position }, () => 1);
          const outcome = attempt(
            () => `x.${name}(${[...args, wrong].map(describeWrong).join(", ")})`,
            () => (x as unknown as Record<string, AnyFn>)[name]!(...args, wrong),
          );
          if (outcome === "threw") expect(valuesOf(x)).toEqual(before);
        }
  });

  test.each([
    "sum",
    "mean",
    "max",
    "min",
    "all",
    "any",
    "argmax",
    "argmin",
    "argsort",
    "sort",
    "softmax",
    "logSoftmax",
    "squeeze",
    "expandDims",
  ])("%s of an axis that is not there", name => {
    for (const axis of [2, -3, 0.5, Number.NaN, "0", [0, 0], [5], {}, [0.5], ["a"], ...(ONE_AXIS.includes(name) ? [[0, 1], [0]] : [])]) {
      if (name === "expandDims" && (axis === 2 || axis === -3)) continue;
      const x = np.ones([1, 1]);
      expect(
        attempt(
          () => name,
          () => (x as unknown as Record<string, AnyFn>)[name]!(axis),
        ),
        `${name} of axis ${describeWrong(axis)}`,
      ).toBe("threw");
    }
  });
});

const ONE_AXIS = ["argmax", "argmin", "argsort", "sort", "softmax", "logSoftmax", "expandDims"];

/** The position of the parameter named "options" in exported functions, by name, read off the sources. */
function optionPositions(): Map<string, number> {
  const found = new Map<string, number>();
  const note = (name: string, parameters: readonly ts.ParameterDeclaration[]): void => {
    const at = parameters.findIndex(q => q.name.getText() === "options");
    if (at >= 0) found.set(name, at);
  };
  for (const path of [...Object.keys(MODULES).map(m => `src/${m}.ts`), "src/random.ts"])
    for (const node of nodesOf(parse(path))) {
      if (ts.isFunctionDeclaration(node) && node.name !== undefined) note(node.name.text, [...node.parameters]);
      if (!ts.isVariableDeclaration(node) || !ts.isIdentifier(node.name)) continue;
      const name = node.name.text;
      const typed = node.type === undefined ? [] : [...nodesOf(node.type)].filter(ts.isFunctionTypeNode);
      for (const f of typed) note(name, [...f.parameters]);
      if (node.initializer !== undefined && ts.isArrowFunction(node.initializer)) note(name, [...node.initializer.parameters]);
    }
  for (const { name, p } of rows) if (p.arity < 3) found.set(name, p.arity);
  return found;
}

describe("an unknown option is refused by name", () => {
  const positions = optionPositions();
  const optioned = Object.entries({ ...np.random, ...np.linalg, ...npx, ...np }).flatMap(([name, fn]): [string, AnyFn, number][] =>
    typeof fn === "function" && positions.has(name) ? [[name, fn as AnyFn, positions.get(name)!]] : [],
  );
  test("there are some", () => expect(optioned.length).toBeGreaterThan(50));
  test.each(optioned)("%s", (name, fn, position) => {
    const sample = (SAMPLES as Record<string, readonly Sample[] | undefined>)[name]?.[1];
    const start = sample === undefined ? [1, 2, 3, 4] : sample.args(...arraysFor(sample, "float32", randomNumbers(1)));
    const args = Array.from({ length: position }, (_, i) =>
      Object.getPrototypeOf(Object(start[i])) === Object.prototype ? undefined : start[i],
    );
    expect(() => fn(...args, { bogus: 1 }), name).toThrow(/bogus/);
    expect(() => fn(...args, { bogus: 1 }), name).toThrow(ValueError);
  });
});
