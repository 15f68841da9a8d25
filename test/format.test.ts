/** format.ts against NumPy's own texts (golden/make-format.py, whose recipe of arrays stands here a second time) and by properties. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { DType } from "../src/dtype.ts";
import { type Element, repr, str } from "../src/format.ts";
import { sizeOf } from "../src/shape.ts";

type Texts = [repr: string, str: string];
interface Golden {
  small: number[][];
  large: number[][];
  thresholds: number[];
  batch: number;
  given: [dtype: DType, shape: number[], words: string, repr: string, str: string][];
  groups: { dtype: DType; kind: string; texts: Texts[]; digests: string[] }[];
  scalarBatch: number;
  scalars: string[];
}
const golden = JSON.parse(readFileSync(new URL("./golden/format.json", import.meta.url), "utf8")) as Golden;

const bytes = new DataView(new ArrayBuffer(8));
const float32Of = (word: number): number => {
  bytes.setUint32(0, word);
  return bytes.getFloat32(0);
};
const float64Of = (high: number, low: number): number => {
  bytes.setUint32(0, high);
  bytes.setUint32(4, low);
  return bytes.getFloat64(0);
};
const tenTo = (e: number): number => Number(`1e${e}`);
const scaled = (x: number, e: number): number => (e >= 0 ? x * tenTo(e) : x / tenTo(-e));

function mix(seed: number, index: number): number {
  let x = Math.imul(seed, 0x9e3779b1) + Math.imul(index, 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

const SPECIAL = [Number.NaN, Infinity, -Infinity, 0, -0];

function toValue(dtype: DType, kind: string, b: number, w: number, v: number): number {
  const single = dtype === "float32";
  const low = single ? -45 : -323;
  const power = tenTo(low + ((b + (v % 4)) % (single ? 84 : 632)));
  switch (kind) {
    case "integers":
      return (w % 201) - 100;
    case "words":
      return w - 2 ** 31;
    case "decimals":
      return scaled((w % 2000001) - 1000000, -(b % 10));
    case "bits":
      return single ? float32Of(w) : float64Of(w, v);
    case "uniform":
      return scaled((w - 2 ** 31) / 2 ** 31, (b % 25) - 12);
    case "scales":
      return ((w - 2 ** 31) / 2 ** 31) * 2 ** ((v % 21) - 10);
    case "binary":
      return ((w % 2 ** 18) - 2 ** 17) / 2 ** (b % 14);
    case "tens":
      return power;
    case "neighbours":
      return (single ? Math.fround(power) : power) * (1 + ((w % 5) - 2) * (single ? 2 ** -23 : 2 ** -52));
    case "twos":
      return 2 ** (single ? -149 + ((b + (v % 8)) % 277) : -1074 + ((b + (v % 8)) % 2098));
    case "fives":
      return ((w % 1e9) * 10 + 5) * tenTo(v % 3);
    case "thresholds":
      return golden.thresholds[w % golden.thresholds.length]!;
    default:
      throw new Error(`no kind ${kind}`);
  }
}

function arrayOf(group: number, number: number): [Element, number[], DType] {
  const { dtype, kind, texts } = golden.groups[group]!;
  const seed = group * 1000 + number;
  const [a, b, c] = [0, 1, 2].map(i => mix(seed, 0xfffffff0 + i)) as [number, number, number];
  const list = a % 16 === 0 ? golden.large : golden.small;
  const shape = number < texts.length ? golden.small[number]! : list[Math.floor(a / 16) % list.length]!;
  const element = (i: number): number => {
    const w = mix(seed, 2 * i);
    const v = mix(seed, 2 * i + 1);
    if (dtype === "bool") return w & 1;
    if (dtype === "int32") return (w | 0) >> (b % 32);
    if (dtype === "int8") return ((w | 0) >> 24) >> (b % 8);
    if (dtype === "uint8") return (w >>> 24) >> (b % 8);
    const x = c % 3 === 0 && v % 7 === 0 ? SPECIAL[(v >>> 8) % 5]! : toValue(dtype, kind, b, w, v);
    return dtype === "float32" ? Math.fround(x) : x;
  };
  return [element, shape, dtype];
}

const digest = (lines: string[]): string => createHash("sha256").update(lines.join("\0")).digest("hex").slice(0, 12);
const listed =
  (values: ArrayLike<number>): Element =>
  i =>
    values[i]!;

describe("the same texts as NumPy", () => {
  test("given arrays", () => {
    for (const [dtype, shape, words, wantedRepr, wantedStr] of golden.given) {
      const numbers = words
        .split(" ")
        .filter(Boolean)
        .map(word => Number(word.replace("inf", "Infinity")));
      const values = dtype === "float32" ? Float32Array.from(numbers) : numbers;
      const texts = [repr(listed(values), shape, dtype), str(listed(values), shape, dtype)];
      expect(texts, `${dtype} ${shape} ${words}`).toEqual([wantedRepr, wantedStr]);
    }
  });

  for (const [group, { dtype, kind, texts, digests }] of golden.groups.entries())
    test(`${dtype}: ${kind}`, () => {
      for (const [number, wanted] of texts.entries()) {
        const array = arrayOf(group, number);
        expect([repr(...array), str(...array)], `number ${number}`).toEqual(wanted);
      }
      for (const [k, wanted] of digests.entries()) {
        const lines: string[] = [];
        for (let number = texts.length + k * golden.batch; lines.length < 2 * golden.batch; number++) {
          const array = arrayOf(group, number);
          lines.push(repr(...array), str(...array));
        }
        expect(digest(lines), `batch ${k}`).toBe(wanted);
      }
    });

  test("100,000 float32 bit patterns as 0-d arrays", () => {
    for (const [k, wanted] of golden.scalars.entries()) {
      const lines = Array.from({ length: golden.scalarBatch }, (_, i) => {
        const x = float32Of(mix(77, k * golden.scalarBatch + i));
        return str(() => x, [], "float32");
      });
      expect(digest(lines), `batch ${k}`).toBe(wanted);
    }
  });
});

test("the chapter's own lines, independent of the golden file", () => {
  const printed = (values: number[], dtype: DType = "float32", shape = [values.length]): string => repr(listed(values), shape, dtype);
  expect(printed([0, 4, 8, 12])).toBe("array([ 0.,  4.,  8., 12.])");
  expect(printed([28], "float32", [])).toBe("array(28.)");
  expect(str(() => 28, [], "float32")).toBe("28.0");
  expect(printed([1, 1, 1, 1], "bool")).toBe("array([ True,  True,  True,  True])");
  expect(printed([3], "float64", [])).toBe("array(3., dtype=float64)");
  expect(printed([5], "int32", [])).toBe("array(5, dtype=int32)");
  expect(printed([], "float32", [0, 3])).toBe("array([], shape=(0, 3))");
  expect(repr(i => i, [1001], "float32")).toBe("array([   0.,    1.,    2., ...,  998.,  999., 1000.])");
  expect(repr(i => i, [1000], "float32")).not.toContain("...");
});

describe("properties", () => {
  test("a printed float32 reads back as itself, and with one digit less it does not", () => {
    for (let k = 0; k < 120_000; k++) {
      // Half of the patterns have few bits set: round numbers, ties and powers of two.
      const word = k % 2 ? mix(5, k) : mix(6, k) & (0xff800000 | (0x7fffff << (k % 23)));
      const x = float32Of(word);
      const text = str(() => x, [], "float32");
      if (!Number.isFinite(x)) continue;
      if (!Object.is(Math.fround(Number(text)), x)) expect.fail(`${text} for ${x}`);
      const digits = text
        .replace(/e.*/, "")
        .replace(/^-?0*\.?0*/, "")
        .replace(".", "")
        .replace(/0+$/, "").length;
      if (digits > 1 && Math.fround(Number(x.toPrecision(digits - 1))) === x) expect.fail(`${text} for ${x} has a digit too many`);
    }
  });

  test("only what is printed is read", () => {
    for (const shape of [[1e8], [1e4, 1e4], [2, 5e7], [100, 100, 100, 100]]) {
      let reads = 0;
      const element = (i: number): number => {
        expect(i >= 0 && i < sizeOf(shape)).toBe(true);
        reads++;
        return Math.fround(i);
      };
      repr(element, shape, "float32");
      expect(reads).toBe(shape.reduce((n, size) => n * Math.min(size, 6), 1));
    }
    // Axes of at most six are never cut, so a deep array may show any number of elements.
    expect(repr(() => 1, new Array<number>(17).fill(2), "float32").match(/1\./g)!.length).toBe(2 ** 17);
    const wanted = "array([       0,        1,        2, ..., 99999997, 99999998, 99999999],\n      dtype=int32)";
    expect(repr(i => i, [1e8], "int32")).toBe(wanted);
    const unreadable = (): number => expect.fail("an empty array was read");
    expect(repr(unreadable, [0, 5], "float32") + str(unreadable, [0, 5], "float32")).toBe("array([], shape=(0, 5))[]");
  });

  test("no line is longer than 75 columns", () => {
    for (const group of golden.groups.keys())
      for (let number = 0; number < 100; number++) {
        const [element, shape, dtype] = arrayOf(group, number);
        // float64's dtype is appended to a line that was full already.
        const text = repr(element, shape, dtype).replace(", dtype=float64)", ")");
        for (const line of `${text}\n${str(element, shape, dtype)}`.split("\n")) expect(line.length).toBeLessThanOrEqual(75);
      }
  });
});
