/**
 * Every pointwise operator, without a line for any of them: values against the reference bit for bit, gradients of order
 * 1 and 2 (and 3) against differences, cotangents of zeros, dtypes, views, numbers as operands. What is tried comes from
 * the rows themselves.
 */
import { autograd, checkGrad, type DType, NablaError, type NDArray, np, npx, ValueError } from "nabla";
import { describe, expect, test } from "vitest";
import { runMap } from "../src/backend/reference.ts";
import { DTYPES, isFloat } from "../src/dtype.ts";
import { cotangents } from "../src/grad.ts";
import { CHUNK, laneOf } from "../src/launch.ts";
import type { HasRow, Pointwise } from "../src/op.ts";
import { MODULES, SAMPLES, WITHOUT_OPERATORS } from "./samples.ts";
import { expectDerivatives, type Fn, pull, randomArray, zeroCotangents } from "./support/derivatives.ts";
import {
  type AnyFn,
  byName,
  domainOf,
  dtypesOf,
  FLOATS,
  functions,
  made,
  mixed,
  type PointwiseRow,
  pickLayout,
  rows,
} from "./support/rows.ts";
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
  some,
  valuesOf,
} from "./support/sampling.ts";
import { filesBelow } from "./support/source.ts";

// ---------------------------------------------------------------- what there is

const differentiable = rows.filter(r => r.p.spec.grad !== null);
/** Rows whose gradient is not the derivative of their value, on purpose. */
const STOPS: ReadonlySet<string> = new Set(["stopGradient"]);

describe("nothing is left out", () => {
  test("every module of operators is listed", () => {
    const found = ["src/functions", "src/ops"].flatMap(filesBelow).map(file => file.replace(/^src\/(.*)\.ts$/, "$1"));
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
  return spec.bool === "int" && met === "bool" ? "int8" : met;
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
    // A comparison with a number is one of mathematical values, whether the number fits the dtype or not.
    if (p.spec.dtype === "bool") {
      found = "float64";
      return;
    }
    if (!Number.isInteger(x)) found = "float32";
    else if (met === "bool") found = "int32";
  });
  return computedIn(p, found);
}

/** What the reference makes of the operands; null where the row does not exist for the dtype. */
function expected(p: Pointwise, xs: readonly Operand[]): { shape: Shape; dtype: DType; values: ArrayLike<number> } | null {
  const met = dtypeOf(p, xs);
  const code = DTYPES.indexOf(met);
  const lane = laneOf(code);
  if ((p.spec.dtype === "integer" && FLOATS.includes(met)) || (p.spec.bool === "refused" && met === "bool")) return null;
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

/** Values that an operator refuses though its expression has an answer. */
const REFUSED: Record<string, (dtype: DType, xs: readonly Operand[]) => boolean> = {
  power: (dtype, [, exponent]) =>
    !FLOATS.includes(dtype) && (typeof exponent === "number" ? exponent < 0 : valuesOf(exponent!).some(v => v < 0)),
};

function checkValue({ name, fn, p }: PointwiseRow, xs: readonly Operand[], what: string): void {
  const want = expected(p, xs);
  const call = fn as unknown as AnyFn;
  const label = `${name} ${what}: ${xs.map(x => (typeof x === "number" ? x : `${x.dtype}[${x.shape}]`)).join(", ")}`;
  if (want === null) {
    expect(() => call(...xs), label).toThrow(NablaError);
    return;
  }
  if (REFUSED[name]?.(want.dtype, xs) === true) {
    expect(() => call(...xs), label).toThrow(ValueError);
    return;
  }
  const y = call(...xs) as NDArray;
  if (y.dtype !== want.dtype || String(y.shape) !== String(want.shape))
    throw new Error(`${label}: gives ${y.dtype}[${y.shape}], not ${want.dtype}[${want.shape}]`);
  const fault = difference(y.toTypedArray(), want.values);
  if (fault !== "") throw new Error(`${label}: ${fault}`);
}

/** All tuples of k entries of a list; a random part of them where there are many. */
function tuples<T>(list: readonly T[], k: number, most: number, next: Next): T[][] {
  let out: T[][] = [[]];
  for (let i = 0; i < k; i++) out = out.flatMap(t => list.map(v => [...t, v]));
  while (out.length > most) out.splice(Math.floor(next() * out.length), 1);
  return out;
}

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
  test.each(byName(some(rows)))("%s", (_, r) => {
    const { name, p } = r;
    const k = p.arity;
    const next = randomNumbers(seedOf(name));
    for (const dtype of dtypesOf(p)) {
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

  test.each(byName(some(rows.filter(r => r.p.arity > 1))))("%s with numbers as operands", (_, r) => {
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

  test.each(byName(some(rows)))("%s in every dtype, and in dtypes that differ", (_, r) => {
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

  test.each(byName(some(rows)))("%s beyond one run of the kernel", (_, r) => {
    const { name, p } = r;
    const next = randomNumbers(seedOf(name) + 3);
    // The values repeat, so that the slow reference has little to do.
    const period = 97;
    const n = period * 700;
    expect(n).toBeGreaterThan(CHUNK);
    for (const dtype of dtypesOf(p)) {
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

describe("what the contract says beside the table", () => {
  const bit = np.array([true, false]);
  const small = np.array([1, 2], { dtype: "int8" });
  const wide = np.array([1, 2], { dtype: "int32" });
  test.each<[string, NDArray, DType]>([
    ["bool + bool", np.add(bit, bit), "bool"],
    ["bool * bool", np.multiply(bit, bit), "bool"],
    ["bool - 1", np.subtract(bit, 1), "int32"],
    ["bool + 2", np.add(bit, 2), "int32"],
    ["bool + 0.5", np.add(bit, 0.5), "float32"],
    ["int8 * 2", np.multiply(small, 2), "int8"],
    ["int8 * 0.5", np.multiply(small, 0.5), "float32"],
    ["int32 / int32", np.divide(wide, wide), "float32"],
    ["int32 / bool", np.divide(wide, bit), "float32"],
    ["sqrt of int32", np.sqrt(wide), "float32"],
    ["square of int8", np.square(small), "int8"],
    ["int32 < int8", np.less(wide, small), "bool"],
    ["where(int32, int8, uint8)", np.where(wide, small, np.array([3, 4], { dtype: "uint8" })), "int32"],
  ])("%s", (_, y, dtype) => expect(y.dtype).toBe(dtype));

  // [operator, slopes at a tie of the two operands]
  test.each<[string, Fn, number[]]>([
    ["maximum", (a, b) => np.maximum(a!, b!), [1, 0]],
    ["minimum", (a, b) => np.minimum(a!, b!), [1, 0]],
    ["clip, below", (a, b) => np.clip(a!, b!, 9), [1, 0]],
    ["clip, above", (a, b) => np.clip(a!, -9, b!), [1, 0]],
    ["relu at 0", (a, b) => npx.relu(np.subtract(a!, b!)), [0, 0]],
    ["abs at 0", (a, b) => np.abs(np.subtract(a!, b!)), [0, 0]],
  ])("a tie in %s", (_, f, slopes) => {
    for (const dtype of FLOATS)
      for (const createGraph of [false, true]) {
        const xs = [np.array([2, -1], { dtype }), np.array([2, -1], { dtype })];
        const gs = pull(f, xs, np.ones(2, { dtype }), createGraph);
        expect(gs.map(g => valuesOf(g).map(Math.abs))).toEqual(slopes.map(v => [v, v]));
      }
  });
});

/** All of a list; in the smallest memory, where each array is slow to make, every third. */
const thinned = <T>(list: readonly T[]): readonly T[] => (process.env.TORTURE === "on" ? list.filter((_, i) => i % 3 === 2) : list);

describe("gradients are those of differences", () => {
  test.each(byName(some(differentiable.filter(r => !STOPS.has(r.name)))))("%s", (_, r) => {
    const { name, p } = r;
    const next = randomNumbers(seedOf(name) + 4);
    for (const shape of thinned(SHAPES)) {
      const xs = insideAll(p, "float64", new Array<Shape>(p.arity).fill(shape), next);
      const { f, variables } = carrying(r, xs);
      expectDerivatives(`${name} [${shape}]`, f, variables, shape.length === 1 ? 3 : 2, next);
      // Each operand alone, and as a view of the variable.
      variables.forEach((x, i) => {
        const alone: Fn = v => f(...variables.map((w, j) => (j === i ? v! : w)));
        expectDerivatives(`${name} [${shape}], operand ${i} alone`, alone, [x], 2, next);
        const twice = pickLayout(shape, next);
        for (const layout of thinned([...LAYOUTS, BROADCAST])) {
          if (!layout.fits(shape)) continue;
          const { base } = laid(valuesOf(x), shape, "float64", layout);
          const through: Fn = v => f(...variables.map((w, j) => (j === i ? layout.view(v!, shape) : w)));
          expectDerivatives(`${name} [${shape}], operand ${i} ${layout.name}`, through, [base], layout === twice ? 2 : 1, next);
        }
      });
    }
  });

  test.each(byName(some(differentiable.filter(r => r.p.arity > 1))))("%s, broadcast", (_, r) => {
    const { name, p } = r;
    const next = randomNumbers(seedOf(name) + 5);
    for (const pair of thinned(PAIRS))
      for (let turn = 0; turn < p.arity; turn++) {
        const shapes = Array.from({ length: p.arity }, (_, i) => [pair[0], pair[1], pair[1]][(i + turn) % p.arity]!);
        const { f, variables } = carrying(r, insideAll(p, "float64", shapes, next));
        expectDerivatives(`${name} ${shapes.map(s => `[${s}]`).join(" ")}`, f, variables, 2, next);
      }
  });

  test.each(byName(some(differentiable.filter(r => r.p.arity > 1))))("%s, with numbers", (_, r) => {
    const { name, p } = r;
    const next = randomNumbers(seedOf(name) + 6);
    for (const shape of [[], [5], [2, 3]] as Shape[])
      for (let i = 0; i < p.arity; i++)
        for (const v of thinned([...samples(2, domainOf(p), 3, next), 1, 2, 0.5, 3, -1])) {
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

  test.each(byName(some(differentiable)))("%s in float32 is near float64", (_, r) => {
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

  test("a recorded gradient beside integers has all digits of float64", () => {
    const b = np.array([3, 7, 5], { dtype: "int32" });
    const x = np.array(Float64Array.of(2.7, 0.7, 1.3));
    for (const f of [(v: NDArray) => np.divide(v, b), (v: NDArray) => np.power(b, v), (v: NDArray) => np.hypot(b, v)]) {
      const loss = (v: NDArray): NDArray => f(v).square().sum();
      const [plain, recorded] = [false, true].map(createGraph => {
        const v = x.copy().attachGrad();
        return autograd.record(() => autograd.grad(loss(v), v, { createGraph }));
      });
      expect(np.max(np.abs(recorded!.sub(plain!))).item()).toBeLessThan(1e-14 * np.max(np.abs(plain!)).item<number>());
      expect(checkGrad(loss, [x], { order: 3 })).toBeLessThan(1e-9);
    }
  });

  test.each(byName(some(differentiable.filter(r => r.p.arity > 1))))("%s of mixed dtypes gives each its own", (_, r) => {
    const { name, p } = r;
    const next = randomNumbers(seedOf(name) + 8);
    for (const shapes of [
      new Array<Shape>(p.arity).fill([3, 4]),
      Array.from({ length: p.arity }, (_, i): Shape => [[3, 4], [4], []][i % 3]!),
    ])
      for (const dtypes of tuples<DType>(
        ["float32", "float64", "int32", "uint8", "bool"],
        p.arity,
        process.env.TORTURE === "on" ? 20 : 60,
        next,
      )) {
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
  test.each(byName(some(differentiable)))("%s", (_, r) => {
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
      for (const [what, gs] of Object.entries(zeroCotangents(f, variables, 4, next)))
        gs.forEach((g, i) => {
          valuesOf(g).forEach((v, k) => {
            if (v !== 0) throw new Error(`${name} ${dtype} at (${xs.map(x => valuesOf(x)[k])}): gradient ${i}, ${what}, is ${v}`);
          });
        });
    }
  });
});
