/** np against NumPy's own answers (golden/numpy/, made by the programs there), read without knowing any function; and against plain loops over odd shapes. */
import { readdirSync, readFileSync } from "node:fs";
import * as nabla from "nabla";
import { type DType, NablaError, NDArray, np } from "nabla";
import { describe, expect, test } from "vitest";
import { some } from "./support/sampling.ts";

type Text = string;
/** An array, or steps that make a view of one. */
type Entry = Text | [of: number, ...steps: [name: string, ...args: unknown[]][]];
/** What a call gives: an array, a list of them, a bare boolean; or the class of its error. */
type Wanted = number | { bool: boolean };
type Given = [args: unknown[], wanted: Wanted | Wanted[] | string, how?: Record<string, unknown>];
interface Golden {
  /** Functions whose zeros may have either sign. */
  signless: string[];
  arrays: Entry[];
  cases: Record<string, Given[]>;
}

const FOLDER = new URL("./golden/numpy/", import.meta.url);
const families = readdirSync(FOLDER).filter(file => file.endsWith(".json"));
/** The family whose cases are being read. */
let golden: Golden;

const WORDS: Record<string, number> = { n: Number.NaN, i: Number.POSITIVE_INFINITY, "-i": Number.NEGATIVE_INFINITY };
const KINDS = { float32: Float32Array, float64: Float64Array, int32: Int32Array, int8: Int8Array, uint8: Uint8Array, bool: Uint8Array };
const EPSILON: Partial<Record<DType, number>> = { float32: 2 ** -23, float64: 2 ** -52 };

interface Plain {
  readonly dtype: DType;
  readonly shape: number[];
  readonly values: ArrayLike<number>;
}

function parse(text: Text): Plain {
  const [dtype, sizes, words] = text.split("|") as [DType, string, string];
  const shape = sizes === "" ? [] : sizes.split(",").map(Number);
  const size = shape.reduce((a, b) => a * b, 1);
  const list = words === "" ? [] : words.split(" ").map(w => WORDS[w] ?? (w === "*" ? 0 : Number(w)));
  const values = words.startsWith("* ") ? new Array<number>(size).fill(list[1]!) : list;
  return { dtype, shape, values: KINDS[dtype].from(values) };
}

type Call = (...args: unknown[]) => NDArray;

const method = (x: NDArray, name: string): Call => (x as unknown as Record<string, Call>)[name]!.bind(x);

/** A function by its path, as in "np.linalg.norm"; a bare name is a method of the first argument. */
function find(path: string): Call {
  if (!path.includes(".")) return (x, ...rest) => method(x as NDArray, path)(...rest);
  let found: unknown = nabla;
  for (const part of path.split(".")) found = (found as Record<string, unknown>)[part];
  return found as Call;
}

/** An input and, where it is a view, the array whose memory it shows. */
function build(id: number, roots: NDArray[]): NDArray {
  const entry = golden.arrays[id]!;
  if (typeof entry === "string") {
    const { dtype, shape, values } = parse(entry);
    const root = np.array(values as Float32Array, { dtype }).reshape(shape);
    roots.push(root);
    return root;
  }
  const [of, ...steps] = entry;
  let x = build(of, roots);
  for (const [name, ...args] of steps) x = name === "T" ? x.T : method(x, name)(...args.map(a => read(a, [])));
  return x;
}

/** An argument as JSON has it: "@3" is an array, {"x"} a number that JSON cannot write, {"slice"} a slice, {"function"} one by its path; any other object is one. */
function read(arg: unknown, roots: NDArray[]): unknown {
  if (typeof arg === "string" && /^@\d+$/.test(arg)) return build(Number(arg.slice(1)), roots);
  if (Array.isArray(arg)) return arg.map(a => read(a, roots));
  if (typeof arg === "object" && arg !== null) {
    const { x, slice, function: path } = arg as { x?: string; slice?: [number | null, number | null, number | null]; function?: string };
    if (path !== undefined) return find(path);
    if (x === undefined && slice === undefined)
      return Object.fromEntries(Object.entries(arg).map(([key, value]) => [key, read(value, roots)]));
    return slice
      ? np.slice(...slice)
      : Number(x === "nan" ? Number.NaN : x === "inf" ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY);
  }
  return arg;
}

const distance = (a: number, b: number, dtype: DType): number =>
  Math.abs(a - b) / ((EPSILON[dtype] ?? 1) * Math.max(Math.abs(a), Math.abs(b), 1e-300));

/** Why two arrays differ, or nothing. */
function difference(got: NDArray, wanted: Plain, signless: boolean, { $ulp: ulp = 0, $scale: scale = 0 }: Record<string, number>): string {
  if (got.dtype !== wanted.dtype) return `dtype ${got.dtype}, wanted ${wanted.dtype}`;
  if (`${got.shape}` !== `${wanted.shape}`) return `shape [${got.shape}], wanted [${wanted.shape}]`;
  const values = got.toTypedArray();
  for (let i = 0; i < values.length; i++) {
    const a = values[i]!;
    const b = wanted.values[i]!;
    if (Object.is(a, b) || (signless && a === b)) continue;
    if (ulp > 0 && (distance(a, b, got.dtype) <= ulp || Math.abs(a - b) <= ulp * scale * (EPSILON[got.dtype] ?? 1))) continue;
    return `element ${i} is ${Object.is(a, -0) ? "-0" : a}, wanted ${Object.is(b, -0) ? "-0" : b}`;
  }
  return "";
}

/** Whether a write to one array shows in the other. */
function sharesMemory(y: NDArray, x: NDArray): boolean {
  // A broadcast view takes no writes; that it is one says enough.
  if (y.strides.some((s, axis) => s === 0 && y.shape[axis]! > 1)) return true;
  const before = x.toTypedArray();
  y.set(y.dtype === "bool" ? y.eq(false) : y.add(1));
  return !before.every((v, i) => Object.is(v, x.toTypedArray()[i]) || Number.isNaN(v));
}

/** The same for a list of results. */
function differences(got: unknown, wanted: readonly Wanted[], fn: string, marks: Record<string, number>): string {
  if (!Array.isArray(got) || got.length !== wanted.length) return `gave no list of ${wanted.length}`;
  for (const [i, want] of wanted.entries()) {
    const y: unknown = got[i];
    if (typeof want === "object") {
      if (y !== want.bool) return `result ${i} is ${y}, wanted ${want.bool}`;
      continue;
    }
    if (!(y instanceof NDArray)) return `result ${i} is no array`;
    const why = difference(y, parse(golden.arrays[want] as string), golden.signless.includes(fn), marks);
    if (why !== "") return `result ${i}: ${why}`;
  }
  return "";
}

/** What is wrong about one case, or nothing. */
function judge(fn: string, [args, wanted, how = {}]: Given): string {
  const roots: NDArray[] = [];
  const given = args.map(a => read(a, roots));
  const options = Object.entries(how).filter(([key]) => !key.startsWith("$"));
  if (options.length > 0) given.push(Object.fromEntries(options.map(([key, value]) => [key, read(value, roots)])));
  const before = roots.map(r => r.toTypedArray());
  let got: unknown;
  try {
    got = find(fn)(...given);
  } catch (error) {
    const { name, message } = error as Error;
    if (typeof wanted !== "string") return `${name}: ${message}`;
    if (roots.some((r, i) => !r.toTypedArray().every((v, k) => Object.is(v, before[i]![k])))) return "an input changed before the error";
    return name === wanted || (wanted === "NablaError" && error instanceof NablaError) ? "" : `${name} (${message}), wanted ${wanted}`;
  }
  if (typeof wanted === "string") return `gave ${got}, wanted ${wanted}`;
  if (Array.isArray(wanted)) return differences(got, wanted, fn, how as Record<string, number>);
  if (typeof wanted !== "number") return differences([got], [wanted], fn, {});
  if (!(got instanceof NDArray)) return `gave no array`;
  const marks = how as Record<string, number>;
  const writes = fn === "set" || marks.$writes === 1;
  const touched = roots.find((r, i) => !(writes && i === 0) && !r.toTypedArray().every((v, k) => Object.is(v, before[i]![k])));
  if (touched) return "an input changed";
  const shares = marks.$shares;
  const wrong = difference(writes ? roots[0]! : got, parse(golden.arrays[wanted] as string), golden.signless.includes(fn), marks);
  if (wrong || shares === undefined) return wrong;
  const shared = roots.length > 0 && sharesMemory(got, roots[0]!);
  return shared === Boolean(shares) ? "" : shares ? "a copy, wanted a view" : "a view, wanted a copy";
}

/** A case as one would type it. */
function show(fn: string, [args, , how]: Given): string {
  const text = (a: unknown): string => {
    if (typeof a !== "string" || !a.startsWith("@")) return Array.isArray(a) ? `[${a.map(text).join(", ")}]` : JSON.stringify(a);
    const entry = golden.arrays[Number(a.slice(1))]!;
    return typeof entry === "string" ? `<${entry}>` : `<${golden.arrays[entry[0]]} ${JSON.stringify(entry.slice(1))}>`;
  };
  return `${fn}(${args.map(text).join(", ")}${how ? `, ${JSON.stringify(how)}` : ""})`;
}

test("every function of np and np.linalg has its cases", () => {
  const tried = new Set(families.flatMap(file => Object.keys((JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")) as Golden).cases)));
  const functions = (path: string, module: object): string[] =>
    Object.entries(module)
      .filter(([, f]) => typeof f === "function")
      .map(([name]) => `${path}.${name}`);
  // A slice is what Python has `slice` for: those that `at` is tried with.
  expect([...functions("np", np), ...functions("np.linalg", np.linalg)].filter(name => !tried.has(name))).toEqual(["np.slice"]);
});

describe.each(families)("NumPy's answers, %s", file => {
  const known = JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")) as Golden;
  for (const [fn, given] of Object.entries(known.cases))
    test(`${fn}: ${given.length} cases`, () => {
      golden = known;
      const wrong = some(given)
        .map(c => [show(fn, c), judge(fn, c)] as const)
        .filter(([, why]) => why !== "");
      expect(wrong.map(([call, why]) => `${call}: ${why}`).slice(0, 12), `${wrong.length} of ${given.length}`).toEqual([]);
    });
});

/** Numbers between -1 and 1 from a counter; multiples of 2^-10, so that products and short sums are exact. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return ((state >>> 11) - 2 ** 20) / 2 ** 20;
  };
}

/** An array of random values of the dtype: floats between -1 and 1, integers over their whole range or up to `limit`. */
function sample(shape: readonly number[], dtype: DType, seed: number, limit = 2 ** 31): NDArray {
  const next = random(seed);
  const n = shape.reduce((a, b) => a * b, 1);
  const bound = { float32: 1, float64: 1, int32: Math.min(limit, 2 ** 31), int8: 128, uint8: 256, bool: 2 }[dtype];
  const draw = (): number =>
    dtype === "bool"
      ? Number(next() > 0)
      : dtype === "uint8"
        ? Math.floor(Math.abs(next()) * 255)
        : dtype.startsWith("float")
          ? next()
          : Math.floor(next() * bound);
  return np.array(KINDS[dtype].from(Array.from({ length: n }, draw)), { dtype }).reshape([...shape]);
}

/** In the smallest memory everything is slow, and these sizes tell nothing more. */
const LESS = process.env.TORTURE === "on";
const SIZES = LESS
  ? [1, 3, 17, 65, 1025]
  : [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 129, 255, 256, 257, 511, 513, 1023, 1025, 2049, 4097];
const LARGE = LESS ? [65537] : [65535, 65536, 65537, 131073];

const OPERATIONS: Record<string, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  maximum: (a, b) => Math.max(a, b),
  minimum: (a, b) => Math.min(a, b),
};

/** What a stored result is: rounded to float32, or wrapped to the integer's width. */
function stored(v: number, dtype: DType): number {
  return dtype === "float32"
    ? Math.fround(v)
    : dtype === "float64"
      ? v
      : dtype === "int32"
        ? v | 0
        : dtype === "int8"
          ? (v << 24) >> 24
          : v & 255;
}

const product = (a: number, b: number, dtype: DType): number => (dtype === "int32" ? Math.imul(a, b) : stored(a * b, dtype));

function expectEqual(got: NDArray, wanted: ArrayLike<number>, what: string): void {
  const values = got.toTypedArray();
  expect(values.length, what).toBe(wanted.length);
  for (let i = 0; i < wanted.length; i++)
    if (!Object.is(values[i]!, wanted[i]!) && values[i] !== wanted[i])
      expect.fail(`${what}: element ${i} is ${values[i]}, wanted ${wanted[i]}`);
}

describe("plain loops", () => {
  for (const [name, op] of Object.entries(OPERATIONS))
    test(`${name} at every size, dtype and layout`, () => {
      for (const dtype of ["float32", "float64", "int32", "int8", "uint8"] as const)
        for (const n of dtype === "float32" && (name === "add" || name === "minimum") ? [...SIZES, ...LARGE] : SIZES) {
          const a = sample([n], dtype, n);
          const b = sample([n], dtype, n + 1);
          const p = a.toTypedArray();
          const q = b.toTypedArray();
          const compute = (x: number, y: number): number => (name === "multiply" ? product(x, y, dtype) : stored(op(x, y), dtype));
          const fn = find(`np.${name}`);
          const what = `${name} ${dtype} ${n}`;
          expectEqual(
            fn(a, b),
            Array.from(p, (v, i) => compute(v, q[i]!)),
            what,
          );
          expectEqual(
            fn(a, 3),
            Array.from(p, v => compute(v, 3)),
            `${what} with a number`,
          );
          expectEqual(
            fn(3, a),
            Array.from(p, v => compute(3, v)),
            `a number with ${what}`,
          );
          expectEqual(
            fn(a.at("::-1"), b),
            Array.from(p, (_, i) => compute(p[n - 1 - i]!, q[i]!)),
            `${what} reversed`,
          );
          if (n > 1) {
            expectEqual(
              fn(a.at("1:"), b.at(":-1")),
              Array.from({ length: n - 1 }, (_, i) => compute(p[i + 1]!, q[i]!)),
              `${what} shifted`,
            );
            expectEqual(
              fn(a.at("::2"), b.at("::-2").at(":", np.newaxis).at(":", 0)).at(0),
              [compute(p[0]!, q[n - 1]!)],
              `${what} in steps`,
            );
          }
        }
    });

  test("broadcasting of rows, columns and both, contiguous and not", () => {
    for (const [m, n] of [
      [1, 1],
      [3, 5],
      [5, 3],
      [17, 33],
      [2, 65],
      [64, 7],
      [129, 3],
      [3, 4099],
      [700, 300],
      [2, 70001],
    ] as const) {
      const a = sample([m, n], "float32", m);
      const row = sample([n], "float32", n);
      const column = sample([m, 1], "float32", m + n);
      const [p, q, r] = [a, row, column].map(x => x.toTypedArray()) as [Float32Array, Float32Array, Float32Array];
      const grid = (f: (i: number, j: number) => number): number[] =>
        Array.from({ length: m * n }, (_, k) => Math.fround(f(Math.floor(k / n), k % n)));
      expectEqual(
        a.add(row),
        grid((i, j) => p[i * n + j]! + q[j]!),
        `${m}×${n} + row`,
      );
      expectEqual(
        column.sub(a),
        grid((i, j) => r[i]! - p[i * n + j]!),
        `column - ${m}×${n}`,
      );
      expectEqual(
        row.mul(column),
        grid((i, j) => q[j]! * r[i]!),
        `row × column ${m}×${n}`,
      );
      const turned = sample([n, m], "float32", 5);
      const t = turned.toTypedArray();
      expectEqual(
        turned.T.add(row),
        grid((i, j) => t[j * m + i]! + q[j]!),
        `transposed ${m}×${n} + row`,
      );
      expectEqual(
        np.where(turned.T.gt(0), column, a),
        grid((i, j) => (t[j * m + i]! > 0 ? r[i]! : p[i * n + j]!)),
        `where ${m}×${n}`,
      );
      expectEqual(
        np.clip(a, row.mul(0.5), 0.75),
        grid((i, j) => Math.min(Math.max(p[i * n + j]!, Math.fround(q[j]! / 2)), 0.75)),
        `clip ${m}×${n}`,
      );
    }
  });

  test("sums, extremes and positions over every axis", () => {
    for (const shape of [
      [1],
      [7],
      [16],
      [33],
      [1000],
      [4097],
      [70001],
      [3, 5],
      [5, 300],
      [300, 5],
      [257, 64],
      [2, 70001],
      [70001, 2],
      [3, 4, 5],
      [9, 17, 33],
      [2, 300, 9],
      [300, 2, 9],
    ])
      for (const dtype of ["float32", "float64", "int32", "uint8", "bool"] as const) {
        const x = sample(shape, dtype, shape.length + shape[0]!, 1000);
        const v = x.toTypedArray();
        for (let axis = 0; axis < shape.length; axis++) {
          const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
          const n = shape[axis]!;
          const lines = Array.from({ length: v.length / n }, (_, k) => {
            const start = Math.floor(k / inner) * n * inner + (k % inner);
            return Array.from({ length: n }, (_, i) => v[start + i * inner]!);
          });
          const what = `${dtype} [${shape}] axis ${axis}`;
          const total = x.sum(axis).toTypedArray();
          lines.forEach((line, k) => {
            const exact = line.reduce((a, b) => a + b, 0);
            const bound = dtype === "float32" ? 2 ** -23 * line.reduce((a, b) => a + Math.abs(b), 0) * 40 : dtype === "float64" ? 1e-12 : 0;
            if (!(Math.abs(total[k]! - exact) <= bound)) expect.fail(`sum ${what}: ${total[k]} at ${k}, wanted ${exact}`);
          });
          const largest = lines.map(line => line.reduce((a, b) => Math.max(a, b)));
          expectEqual(x.max(axis), largest, `max ${what}`);
          expectEqual(
            x.argmax(axis),
            lines.map((line, k) => line.indexOf(largest[k]!)),
            `argmax ${what}`,
          );
          const smallest = lines.map(line => line.reduce((a, b) => Math.min(a, b)));
          expectEqual(x.min(axis), smallest, `min ${what}`);
          expectEqual(
            x.argmin(axis),
            lines.map((line, k) => line.indexOf(smallest[k]!)),
            `argmin ${what}`,
          );
          expectEqual(
            x.gt(0).any(axis),
            lines.map(line => Number(line.some(e => e > 0))),
            `any ${what}`,
          );
          expectEqual(
            x.gt(0).all(axis),
            lines.map(line => Number(line.every(e => e > 0))),
            `all ${what}`,
          );
          if (v.length < 20000) {
            const sorted = lines.map(line => [...line].sort((a, b) => a - b));
            const wanted = new Array<number>(v.length);
            sorted.forEach((line, k) => {
              const start = Math.floor(k / inner) * n * inner + (k % inner);
              line.forEach((e, i) => {
                wanted[start + i * inner] = e;
              });
            });
            expectEqual(x.sort(axis), wanted, `sort ${what}`);
          }
        }
      }
  });

  test("products of matrices of odd sizes and any strides", () => {
    for (const dtype of ["float32", "float64", "int32"] as const)
      for (const [m, k, n] of [
        [1, 1, 1],
        [1, 5, 1],
        [5, 1, 5],
        [2, 3, 4],
        [3, 7, 5],
        [4, 4, 4],
        [8, 8, 8],
        [7, 9, 11],
        [16, 16, 16],
        [17, 15, 33],
        [1, 100, 65],
        [65, 100, 1],
        [31, 257, 19],
        [64, 64, 64],
        [66, 130, 70],
        [129, 300, 35],
      ] as const) {
        // Multiples of 1/8 below 8: every partial sum is exact in float32.
        const whole = (shape: number[], seed: number): NDArray => {
          const ints = sample(shape, "int32", seed, 16);
          return dtype === "int32" ? ints : ints.astype(dtype).div(8);
        };
        const a = whole([m, k], m + n);
        const b = whole([k, n], k);
        const p = a.toTypedArray();
        const q = b.toTypedArray();
        const wanted = Array.from({ length: m * n }, (_, at) => {
          const i = Math.floor(at / n);
          let sum = 0;
          for (let s = 0; s < k; s++) sum += p[i * k + s]! * q[s * n + (at % n)]!;
          return sum;
        });
        const what = `${dtype} ${m}×${k}×${n}`;
        const turned = (x: NDArray): NDArray => x.T.copy().T;
        const gapped = (x: NDArray): NDArray => np.stack([x, x.mul(3)], -1).at("...", 0);
        const backwards = (x: NDArray): NDArray => x.at("::-1", "::-1").copy().at("::-1", "::-1");
        for (const [left, f] of [
          ["", (x: NDArray) => x],
          ["transposed", turned],
          ["gapped", gapped],
          ["backwards", backwards],
        ] as const)
          for (const [right, g] of [
            ["", (x: NDArray) => x],
            ["transposed", turned],
            ["gapped", gapped],
            ["backwards", backwards],
          ] as const) {
            expectEqual(f(a).matmul(g(b)), wanted, `${what} ${left}, ${right}`);
            if (m < 20) expectEqual(f(a).dot(g(b)), wanted, `dot ${what} ${left}, ${right}`);
          }
        expectEqual(
          np
            .stack([a, a.mul(2)])
            .matmul(b)
            .at(1),
          wanted.map(v => 2 * v),
          `batch of ${what}`,
        );
      }
  });

  test("views of views, read and written", () => {
    const next = random(3);
    const pick = (n: number): number => Math.floor(Math.abs(next()) * n);
    for (let round = 0; round < 300; round++) {
      const shape = [1 + pick(5), 1 + pick(6), 1 + pick(4)];
      const size = shape.reduce((a, b) => a * b, 1);
      const x = np.array(Float32Array.from({ length: size }, (_, i) => i)).reshape(shape);
      // The view, and beside it the place in x of each of its elements, both taken the same way.
      let view = x;
      let places = x.copy();
      for (let step = 0; step < 4; step++) {
        const kind = pick(4);
        const f = (y: NDArray): NDArray => {
          if (kind === 0) return y.T;
          if (kind === 1 && y.ndim > 0) return y.at("...", step % 2 ? "::-1" : "::2");
          if (kind === 2 && y.ndim > 1 && y.shape[0]! > 0) return y.at(-1);
          return y.expandDims(0);
        };
        view = f(view);
        places = f(places);
      }
      const what = `round ${round}`;
      expectEqual(view, places.toTypedArray(), what);
      view.set(view.mul(-1).sub(1));
      const wanted = Array.from({ length: size }, (_, i) => i);
      for (const at of places.toTypedArray()) wanted[at] = -at - 1;
      expectEqual(x, wanted, `${what}: written through ${view.shape}`);
      view.iadd(np.ones(view.shape).mul(2));
      for (const at of places.toTypedArray()) wanted[at]! += 2;
      expectEqual(x, wanted, `${what}: added through ${view.shape}`);
    }
  });
});
