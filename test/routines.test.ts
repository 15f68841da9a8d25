/** The hand-written routines against plain loops: order among elements, and Philox against its authors' vectors. */
import { describe, expect, test } from "vitest";
import { type Kind, philox } from "../src/backend/routines/philox.ts";
import { philoxAt } from "../src/backend/routines/scattered.ts";
import { sorting } from "../src/backend/routines/sorting.ts";
import { address, allocate, F32, F64, I8, I32, U8 } from "../src/backend/wasm/heap.ts";
import { BYTES, DTYPES, type TypedArray, typedArrayOf } from "../src/dtype.ts";
import { plainBlock, plainOpen32, plainSigned32, plainUniform32, plainUniform64, plainWords } from "./support/philox.ts";

/** A small generator of its own for the cases. */
function makeRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const GUARD = 64;
const MARK = 0xa5;

/** Memory with marked bytes before and after, to see that nothing else is written. */
class Guarded {
  private readonly block;
  constructor(private readonly bytes: number) {
    this.block = allocate(bytes + 2 * GUARD);
    U8.fill(MARK, address(this.block), address(this.block) + bytes + 2 * GUARD);
  }

  get at(): number {
    return address(this.block) + GUARD;
  }

  intact(): boolean {
    const from = this.at;
    const { bytes } = this;
    return U8.subarray(from - GUARD, from).every(b => b === MARK) && U8.subarray(from + bytes, from + bytes + GUARD).every(b => b === MARK);
  }
}

function viewAt(code: number, at: number, n: number): TypedArray {
  const memory = [F32, F64, I32, I8, U8, U8][code]!;
  return memory.subarray(at / BYTES[code]!, at / BYTES[code]! + n);
}

/** Values with many ties, signed zeros and, for floats, NaN and infinities. */
function sample(code: number, random: () => number): number {
  const r = random();
  if (code <= 1) {
    if (r < 0.05) return Number.NaN;
    if (r < 0.1) return r < 0.075 ? -0 : 0;
    if (r < 0.14) return r < 0.12 ? -Infinity : Infinity;
    return r < 0.5 ? Math.floor(random() * 7) - 3 : random() * 2e3 - 1e3;
  }
  if (code === 5) return r < 0.5 ? 0 : 1;
  const [low, high] = [
    [-(2 ** 31), 2 ** 31 - 1],
    [-128, 127],
    [0, 255],
  ][code - 2]!;
  if (r < 0.1) return r < 0.05 ? low! : high!;
  return r < 0.5 ? Math.floor(random() * 5) : low! + Math.floor(random() * (high! - low! + 1));
}

/** -1, 0 or 1 as NumPy orders: NaN last. */
function compare(x: number, y: number): number {
  if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
  return x < y ? -1 : x > y ? 1 : 0;
}

const plainArgsort = (row: TypedArray): number[] => Array.from(row, (_, i) => i).sort((i, j) => compare(row[i]!, row[j]!) || i - j);

function plainArgExtreme(row: TypedArray, sign: 1 | -1): number {
  let best = 0;
  for (let i = 0; i < row.length; i++) {
    if (Number.isNaN(row[i])) return i;
    if (sign * row[i]! > sign * row[best]!) best = i;
  }
  return best;
}

interface Results {
  readonly argsort: Int32Array;
  readonly argmax: Int32Array;
  readonly argmin: Int32Array;
}

function runAll(code: number, values: TypedArray, n: number, rows: number): Results {
  const src = new Guarded(n * rows * BYTES[code]!);
  const out = new Guarded(n * rows * 4);
  const work = new Guarded(n * 4);
  const short = new Guarded(rows * 4);
  viewAt(code, src.at, n * rows).set(values);
  sorting().argsort(code, src.at, out.at, work.at, n, rows);
  const argsort = viewAt(2, out.at, n * rows).slice() as Int32Array;
  sorting().argmax(code, src.at, short.at, n, rows);
  const argmax = viewAt(2, short.at, rows).slice() as Int32Array;
  sorting().argmin(code, src.at, short.at, n, rows);
  const argmin = viewAt(2, short.at, rows).slice() as Int32Array;
  for (const piece of [src, out, work, short]) if (!piece.intact()) throw new Error("bytes beside the buffers were written");
  const kept = viewAt(code, src.at, n * rows);
  if (values.some((v, i) => !Object.is(v, kept[i]))) throw new Error("the source was written");
  return { argsort, argmax, argmin };
}

/** The first disagreement with the plain loops, or "". */
function disagreement(code: number, values: TypedArray, n: number, rows: number): string {
  const found = runAll(code, values, n, rows);
  for (let row = 0; row < rows; row++) {
    const x = values.subarray(row * n, (row + 1) * n);
    const order = plainArgsort(x);
    const bad = order.findIndex((p, i) => found.argsort[row * n + i] !== p);
    if (bad >= 0) return `argsort, n = ${n}, row ${row}: position ${bad} is ${found.argsort[row * n + bad]}, not ${order[bad]}`;
    for (const name of ["argmax", "argmin"] as const) {
      const want = plainArgExtreme(x, name === "argmax" ? 1 : -1);
      if (found[name][row] !== want) return `${name}, n = ${n}, row ${row}: ${found[name][row]}, not ${want}`;
    }
  }
  return "";
}

describe.each(DTYPES.map((name, code) => [name, code] as const))("order of %s", (_, code) => {
  test("as a plain loop has it, for every small n", () => {
    const random = makeRandom(code + 1);
    for (let n = 1; n <= 70; n++) {
      const rows = 9;
      const values = new (typedArrayOf(code))(n * rows);
      // The last row has no special values, so that long stretches without NaN are tested too.
      for (let i = 0; i < values.length; i++) values[i] = i >= n * (rows - 1) ? Math.floor(random() * 2) : sample(code, random);
      expect(disagreement(code, values, n, rows)).toBe("");
    }
  });

  test("and for large ones, random, sorted, reversed, constant", () => {
    const random = makeRandom(code + 100);
    for (const n of [255, 256, 257, 1000, 1025, 4099, 33333]) {
      const values = new (typedArrayOf(code))(n);
      const check = (fill: (i: number) => number): void => {
        for (let i = 0; i < n; i++) values[i] = fill(i);
        expect(disagreement(code, values, n, 1)).toBe("");
      };
      check(() => sample(code, random));
      check(() => Math.floor(random() * 100));
      check(i => (code === 5 ? Number(i > n / 2) : Math.floor((i * 100) / n)));
      check(i => (code === 5 ? Number(i < n / 2) : 100 - Math.floor((i * 100) / n)));
      check(() => 1);
    }
  });

  test("the best value is found wherever it stands, the first of two, and a NaN before it", () => {
    for (const n of [1, 5, 64, 300, 1500]) {
      for (let at = 0; at < n; at += n < 100 ? 1 : 13) {
        const values = new (typedArrayOf(code))(n).fill(code === 5 ? 0 : 3);
        values[at] = code === 5 ? 1 : 5;
        values[Math.min(n - 1, at + 7)] = values[at]!;
        expect(runAll(code, values, n, 1).argmax[0]).toBe(at);
        if (code === 5) continue;
        values[at] = 1;
        values[Math.min(n - 1, at + 7)] = 1;
        expect(runAll(code, values, n, 1).argmin[0]).toBe(at);
        if (code > 1) continue;
        values[at] = Number.NaN;
        values[n - 1] = Number.NaN;
        const { argmax, argmin } = runAll(code, values, n, 1);
        expect([argmax[0], argmin[0]]).toEqual([at, at]);
      }
    }
  });
});

test("nothing but infinities has a first extreme too", () => {
  const values = new Float32Array(40).fill(-Infinity);
  expect(runAll(0, values, 40, 1).argmax[0]).toBe(0);
  expect(
    runAll(
      0,
      values.map(x => -x),
      40,
      1,
    ).argmin[0],
  ).toBe(0);
});

test("the order of nothing", () => {
  const out = new Guarded(0);
  sorting().argsort(0, out.at, out.at, out.at, 0, 3);
  expect(out.intact()).toBe(true);
});

// ---- Philox

const FROM_WORDS: Record<Kind, (words: readonly number[]) => number> = {
  words: ([w]) => w! | 0,
  uniform32: ([w]) => plainUniform32(w!),
  open32: ([w]) => plainOpen32(w!),
  signed32: ([w]) => plainSigned32(w!),
  uniform64: ([low, high]) => plainUniform64(low!, high!),
};

function draw(kind: Kind, n: number, skip: number, c: readonly number[], key: readonly number[]): number[] {
  const code = kind === "words" ? 2 : kind === "uniform64" ? 1 : 0;
  const out = new Guarded(n * BYTES[code]!);
  philox(kind)(out.at, n, skip, c[0]!, c[1]!, c[2]!, c[3]!, key[0]!, key[1]!);
  if (!out.intact()) throw new Error("bytes beside the buffer were written");
  return Array.from(viewAt(code, out.at, n));
}

const hex = (words: readonly number[]): string => words.map(w => (w >>> 0).toString(16).padStart(8, "0")).join(" ");

describe("philox", () => {
  test.each([
    [[0, 0, 0, 0], [0, 0], "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
    [[-1, -1, -1, -1], [-1, -1], "408f276d 41c83b0e a20bc7c6 6d5451fd"],
    [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], "d16cfe09 94fdcceb 5001e420 24126ea1"],
  ])("its authors' known answers for counter %j, key %j", (counter, key, answer) => {
    expect(hex(draw("words", 4, 0, counter, key))).toBe(answer);
    expect(hex(plainBlock(counter, key))).toBe(answer);
  });

  test.each(["words", "uniform32", "open32", "signed32", "uniform64"] as const)(
    "%s as plain arithmetic gives them, for every n and skip",
    kind => {
      const width = kind === "uniform64" ? 2 : 1;
      const random = makeRandom(7);
      const word = (): number => Math.floor(random() * 2 ** 32) | 0;
      for (let n = 0; n <= 75; n++) {
        for (let skip = 0; skip < 4 / width; skip++) {
          // Every third counter carries into its second word within the fill.
          const c = [n % 3 === 0 ? -2 : word(), n % 6 === 0 ? -1 : word(), word(), word()];
          const key = [word(), word()];
          const words = plainWords(n * width, skip * width, c, key);
          const want = Array.from({ length: n }, (_, i) => FROM_WORDS[kind](words.slice(i * width, (i + 1) * width)));
          expect(draw(kind, n, skip, c, key)).toEqual(want);
        }
      }
    },
  );

  test("long fills, beyond one inner call", () => {
    const [counter, key] = [
      [0xffffff00, 1, 2, 3],
      [4, 5],
    ];
    const n = 70001;
    const words = plainWords(n, 3, counter, key).map(w => w | 0);
    expect(draw("words", n, 3, counter, key)).toEqual(words);
  });

  test("blocks at any places give two numbers each, in rows of their own", () => {
    const [low, high, c2, c3, key] = [0xfffffff0, 0xffffffff, 11, 12, [13, 14]];
    const list = [0, 1, 15, 16, 17, 3, 2 ** 31, 2 ** 32 - 1, 5, 5, 4000, 2, 1, 0, 7, 9];
    const places = new Guarded(4 * list.length);
    viewAt(2, places.at, list.length).set(list.map(i => i | 0));
    const out = new Guarded(2 * 8 * 20);
    philoxAt()(out.at, 160, places.at, 2, low, high, c2, c3, key[0]!, key[1]!);
    expect(out.intact()).toBe(true);
    const [first, second] = [viewAt(1, out.at, 16), viewAt(1, out.at + 160, 16)];
    list.forEach((place, i) => {
      const counter = (BigInt(high) << 32n) + BigInt(low) + BigInt(place);
      const block = plainBlock([Number(counter & 0xffffffffn), Number((counter >> 32n) & 0xffffffffn), c2, c3], key);
      expect([first[i], second[i]]).toEqual([plainUniform64(block[0]!, block[1]!), plainUniform64(block[2]!, block[3]!)]);
    });
  });

  test("extreme words stay within the intervals", () => {
    expect([0x7fffffff, -0x80000000, 0, -1].map(w => FROM_WORDS.signed32([w]))).toEqual([0.5, -0.5, 2 ** -33, -(2 ** -33)]);
    expect([0, 0xffffffff].map(w => FROM_WORDS.open32([w]))).toEqual([2 ** -33, 1]);
    expect([0, 0xffffffff].map(w => FROM_WORDS.uniform32([w]))).toEqual([0, 1 - 2 ** -24]);
    expect([0, 0xffffffff].map(w => FROM_WORDS.uniform64([w, w]))).toEqual([0, 1 - 2 ** -53]);
  });
});
