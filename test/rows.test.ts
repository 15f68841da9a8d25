/**
 * Every exported operator, without a line for any of them: values against the reference bit for bit, gradients of order
 * 1 and 2 against differences, cotangents of zeros, dtypes, views, methods and wrong arguments. What is tried comes from
 * the rows themselves and, for those that are not pointwise, from samples.ts.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { autograd, type DType, NablaError, NDArray, np, ValueError } from "nabla";
import { describe, expect, test } from "vitest";
import { runMap } from "../src/backend/reference.ts";
import { DTYPES, isFloat, typedArrayOf } from "../src/dtype.ts";
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
import { ROOT } from "./support/source.ts";

// ---------------------------------------------------------------- what there is

type AnyFn = (...args: unknown[]) => unknown;

/** Every exported function of the operator modules, once, under its first name. */
const functions = new Map<AnyFn, string>();
for (const module of Object.values(MODULES))
  for (const [name, value] of Object.entries(module))
    if (typeof value === "function" && !/^class\b/.test(String(value)) && !functions.has(value as AnyFn)) functions.set(value as AnyFn, name);

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
    return { shape, dtype, values: runMap(kernel, inputs.map(i => i.values), sizeOf(shape)) };
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
    out[i] = next() < 1 / 3 ? special[Math.floor(next() * special.length)]! : dtype === "bool" ? Number(next() < 0.5) : inside[i]! * (isFloat(DTYPES.indexOf(dtype)) ? 1 : 3);
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
  [[3, 1], [1, 4]],
  [[], [3]],
  [[2, 3, 1], [3, 4]],
  [[5, 1, 2], [1, 3, 1]],
  [[2, 3, 4], [2, 3, 1]],
  [[0, 3], [1, 3]],
  [[1], [0]],
  [[1], [5]],
  [[1, 1], [4]],
  [[7, 1], [7, 9]],
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
      checkValue(r, Array.from({ length: k }, (_, i) => arrayOf(all.map(t => t[i]!), [all.length], dtype)), "of special values");
      for (let n = 1; n <= 33; n++) checkValue(r, Array.from({ length: k }, (_, i) => made(p, dtype, [n], i, next)), "by size");
      for (const shape of SHAPES) {
        checkValue(r, Array.from({ length: k }, (_, i) => made(p, dtype, shape, i, next)), "by shape");
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
          checkValue(r, shapes.map((shape, i) => laid(mixed(p, dtype, sizeOf(shape), i, next), shape, dtype, pickLayout(shape, next)).view), "broadcast");
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
            const numbers = Array.from({ length: p.arity }, (_, j) => (j === i ? v : next() < 0.4 ? [0, -0, 3][Math.floor(next() * 3)]! : null));
            const free = (i + 1) % p.arity;
            const xs = numbers.map((n, j) => (n === null || (j !== i && (j === free || discrete.includes(free))) ? made(p, dtype, shape, j, next) : n));
            if (name === "power" && xs[1] === 2) continue;
            const fits = xs.every((x, j) => typeof x !== "number" || discrete.includes(j) || !Number.isInteger(x) || isFloat(DTYPES.indexOf(dtype)) || inRange(x, dtypeOf(p, xs)));
            if (fits) checkValue(r, xs, "with a number");
            else expect(() => (r.fn as unknown as AnyFn)(...xs), `${name} of ${dtype} and ${v}`).toThrow(ValueError);
          }
  });

  test.each(byName(rows))("%s in every dtype, and in dtypes that differ", (_, r) => {
    const { name, p } = r;
    const next = randomNumbers(seedOf(name) + 2);
    for (const dtypes of tuples(ALL, p.arity, 40, next))
      for (const shape of [[], [21], [3, 5]] as Shape[]) checkValue(r, dtypes.map((dtype, i) => made(p, dtype, shape, i, next)), "by dtype");
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
      const want = expected(p, short.map(v => arrayOf(v, [period], dtype)))!;
      const long = short.map(v => arrayOf(Float64Array.from({ length: n }, (_, i) => v[i % period]!), [n], dtype));
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

const INTEGER_RANGE: Partial<Record<DType, readonly [number, number]>> = { int32: [-2147483648, 2147483647], int8: [-128, 127], uint8: [0, 255] };

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
  if (p.spec.discrete?.includes(operand)) return arrayOf(Float64Array.from({ length: n }, () => Number(next() < 0.5)), shape, "bool");
  return arrayOf(samples(n, domainOf(p), operand, next), shape, dtype);
}

const insideAll = (p: Pointwise, dtype: DType, shapes: readonly Shape[], next: Next): NDArray[] =>
  shapes.map((shape, i) => inside(p, dtype, shape, i, next));

function expectDerivatives(label: string, f: Fn, xs: readonly NDArray[], order: number, next: Next): void {
  const fault = checkDerivatives(f, xs, order, next);
  if (fault !== "") throw new Error(`${label}: ${fault}`);
}

describe("gradients are those of differences", () => {
  test.each(byName(differentiable))("%s", (_, r) => {
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
        for (const layout of [...LAYOUTS, BROADCAST]) {
          if (!layout.fits(shape)) continue;
          const { base } = laid(valuesOf(x), shape, "float64", layout);
          const through: Fn = v => f(...variables.map((w, j) => (j === i ? layout.view(v!, shape) : w)));
          expectDerivatives(`${name} [${shape}], operand ${i} ${layout.name}`, through, [base], 2, next);
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
          if (!withNumber(...xs).toTypedArray().every(Number.isFinite)) continue;
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
    const wide = insideAll(p, "float64", new Array<Shape>(p.arity).fill(shape), next).map(x => (x.dtype === "bool" ? x : x.astype("float32").astype("float64")));
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
    for (const shapes of [new Array<Shape>(p.arity).fill([3, 4]), Array.from({ length: p.arity }, (_, i) => [[3, 4], [4], []][i % 3] as Shape)])
      for (const dtypes of tuples<DType>(["float32", "float64", "int32", "uint8", "bool"], p.arity, 60, next)) {
        const xs = shapes.map((shape, i) =>
          isFloat(DTYPES.indexOf(dtypes[i]!)) ? inside(p, dtypes[i]!, shape, i, next) : arrayOf(new Array<number>(sizeOf(shape)).fill(1), shape, dtypes[i]!),
        );
        const floats = xs.map((x, i) => ({ x, i })).filter(({ x, i }) => isFloat(x.code) && !p.spec.discrete?.includes(i));
        if (floats.length === 0) continue;
        for (const { x } of floats) x.attachGrad();
        const y = autograd.record(() => r.fn(...xs));
        for (const createGraph of [true, false]) {
          const gs = autograd.grad(y, floats.map(f => f.x), { createGraph, retainGraph: true });
          gs.forEach((g, k) => {
            const { x } = floats[k]!;
            if (g.dtype !== x.dtype || String(g.shape) !== String(x.shape))
              throw new Error(`${name} of ${dtypes}: a gradient is ${g.dtype}[${g.shape}], its variable ${x.dtype}[${x.shape}]`);
          });
          const inDouble = carrying(r, xs.map(x => (isFloat(x.code) ? x.detach().astype("float64") : x)));
          const wide = pull(inDouble.f, inDouble.variables, np.ones(y.shape, { dtype: "float64" }), false);
          if (floats.length === wide.length)
            gs.forEach((g, k) => {
              const want = valuesOf(wide[k]!);
              valuesOf(g).forEach((v, e) => {
                if (!(Math.abs(v - want[e]!) <= 1e-4 * Math.max(1, Math.abs(want[e]!)))) throw new Error(`${name} of ${dtypes}: ${v}, not ${want[e]}`);
              });
            });
        }
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
        p.spec.discrete?.includes(i) ? arrayOf(all.map((_, k) => k % 2), [all.length], "bool") : arrayOf(all.map(t => t[i]!), [all.length], dtype),
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
void [autograd, members, inner, pull, randomArray, zeroCotangent, checkDerivatives, differentiable, valuesOf, broadcastValues, ValueError];
export type { Sample };
void NDArray;
