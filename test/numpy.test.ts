/** np against NumPy's own answers (golden/make-numpy.py), read without knowing any function; and against plain loops over odd shapes. */
import { readFileSync } from "node:fs";
import * as nabla from "nabla";
import { type DType, NDArray, np } from "nabla";
import { describe, expect, test } from "vitest";

type Text = string;
/** An array, or steps that make a view of one. */
type Entry = Text | [of: number, ...steps: [name: string, ...args: unknown[]][]];
type Given = [args: unknown[], wanted: number | string, how?: Record<string, unknown>];
const golden = JSON.parse(readFileSync(new URL("./golden/numpy.json", import.meta.url), "utf8")) as {
  arrays: Entry[];
  cases: Record<string, Given[]>;
};

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

/** An argument as JSON has it: "@3" is an array, {"x"} a number that JSON cannot write, {"slice"} a slice. */
function read(arg: unknown, roots: NDArray[]): unknown {
  if (typeof arg === "string" && /^@\d+$/.test(arg)) return build(Number(arg.slice(1)), roots);
  if (Array.isArray(arg)) return arg.map(a => read(a, roots));
  if (typeof arg === "object" && arg !== null) {
    const { x, slice } = arg as { x?: string; slice?: [number | null, number | null, number | null] };
    return slice ? np.slice(...slice) : Number(x === "nan" ? Number.NaN : x === "inf" ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY);
  }
  return arg;
}

const distance = (a: number, b: number, dtype: DType): number => Math.abs(a - b) / ((EPSILON[dtype] ?? 1) * Math.max(Math.abs(a), Math.abs(b), 1e-300));

/** Why two arrays differ, or nothing. */
function difference(got: NDArray, wanted: Plain, { $ulp: ulp = 0, $scale: scale = 0, $zeros = 0 }: Record<string, number>): string {
  if (got.dtype !== wanted.dtype) return `dtype ${got.dtype}, wanted ${wanted.dtype}`;
  if (`${got.shape}` !== `${wanted.shape}`) return `shape [${got.shape}], wanted [${wanted.shape}]`;
  const values = got.toTypedArray();
  for (let i = 0; i < values.length; i++) {
    const a = values[i]!;
    const b = wanted.values[i]!;
    if (Object.is(a, b) || ($zeros === 1 && a === b)) continue;
    if (ulp > 0 && (distance(a, b, got.dtype) <= ulp || Math.abs(a - b) <= ulp * scale * (EPSILON[got.dtype] ?? 1))) continue;
    return `element ${i} is ${Object.is(a, -0) ? "-0" : a}, wanted ${Object.is(b, -0) ? "-0" : b}`;
  }
  return "";
}

/** Whether a write to one array shows in the other. */
function sharesMemory(y: NDArray, x: NDArray): boolean {
  const before = x.toTypedArray();
  y.set(y.dtype === "bool" ? y.eq(false) : y.add(1));
  return !before.every((v, i) => Object.is(v, x.toTypedArray()[i]) || Number.isNaN(v));
}

/** What is wrong about one case, or nothing. */
function judge(fn: string, [args, wanted, how = {}]: Given): string {
  const roots: NDArray[] = [];
  const given = args.map(a => read(a, roots));
  const options = Object.entries(how).filter(([key]) => !key.startsWith("$"));
  if (options.length > 0) given.push(Object.fromEntries(options));
  const before = roots.map(r => r.toTypedArray());
  let got: NDArray;
  try {
    got = find(fn)(...given);
  } catch (error) {
    const { name, message } = error as Error;
    if (typeof wanted !== "string") return `${name}: ${message}`;
    if (roots.some((r, i) => !r.toTypedArray().every((v, k) => Object.is(v, before[i]![k])))) return "an input changed before the error";
    return name === wanted ? "" : `${name} (${message}), wanted ${wanted}`;
  }
  if (typeof wanted === "string") return `gave ${got.dtype} [${got.shape}] ${got}, wanted ${wanted}`;
  if (!(got instanceof NDArray)) return `gave no array`;
  const writes = fn === "set";
  const touched = roots.find((r, i) => !(writes && i === 0) && !r.toTypedArray().every((v, k) => Object.is(v, before[i]![k])));
  if (touched) return "an input changed";
  const marks = how as Record<string, number>;
  const shares = marks.$shares;
  const wrong = difference(writes ? roots[0]! : got, parse(golden.arrays[wanted] as string), marks);
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

describe("NumPy's answers", () => {
  for (const [fn, given] of Object.entries(golden.cases))
    test(`${fn}: ${given.length} cases`, () => {
      const wrong = given.map(c => [show(fn, c), judge(fn, c)] as const).filter(([, why]) => why !== "");
      expect(wrong.map(([call, why]) => `${call}: ${why}`).slice(0, 12), `${wrong.length} of ${given.length}`).toEqual([]);
    });
});
