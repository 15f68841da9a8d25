/**
 * Philox 4×32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw (2011, "Parallel random numbers: as easy
 * as 1, 2, 3"), in WebAssembly: the n-th number of a stream is a function of n, not of the one before it. Knows addresses
 * and counters, not arrays and seeds.
 */
import type { Func, Local } from "../wasm/assembler.ts";
import { F32x4, F64x2, I32, I32x4, I64, I64x2, type Module, V128 } from "../wasm/assembler.ts";
import { routines } from "../wasm/drivers.ts";
import { scratch } from "../wasm/heap.ts";

/** The state of np.random: the seed in two words, null until something is drawn or seeded; and how many numbers were drawn since. */
export const generator: { key: readonly [number, number] | null; position: number } = { key: null, position: 0 };

/**
 * Writes n elements to `out`. A block is what one counter value gives: four words, so four elements of one word each or
 * two of two words. The counter's words are c0 (lowest) … c3, and the first `skip` elements of the first block are left out.
 * Block after block c0 and c1 count up together as 64 bits. All words are int32 bit patterns.
 */
export type Fill = (
  out: number,
  n: number,
  skip: number,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  key0: number,
  key1: number,
) => void;

/**
 * What is written: "words" themselves (uint32);
 * "uniform32", float32 in [0, 1): the upper 24 bits of a word, times 2^-24;
 * "open32", float32 in (0, 1]: (word + 1/2)·2^-32 rounded, so that small numbers have all their digits;
 * "signed32", float32 in [-1/2, 1/2] without 0: the same of the word taken as a signed number;
 * "uniform64", float64 in [0, 1): the upper 53 bits of two words, times 2^-53; the first word is the lower half.
 */
export type Kind = "words" | "uniform32" | "open32" | "signed32" | "uniform64";

const ROUNDS = 10;
const MULTIPLIER0 = 0xd2511f53;
const MULTIPLIER1 = 0xcd9e8d57;
const WEYL0 = 0x9e3779b9;
const WEYL1 = 0xbb67ae85;

/** Four blocks are computed side by side, one to a lane; and two such fours in turn, because a round waits for its products. */
export const GROUP = 8;

/** A shuffle of whole 32-bit words; 4 … 7 are the second vector's. */
const words = (...order: readonly number[]): number[] => order.flatMap(i => [4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3]);
const EVEN = words(0, 2, 4, 6);
const ODD = words(1, 3, 5, 7);
export const FIRST_PAIRS = words(0, 4, 1, 5);
export const LAST_PAIRS = words(2, 6, 3, 7);
const FIRST_HALVES = words(0, 1, 4, 5);
const LAST_HALVES = words(2, 3, 6, 7);

/** Pushes what is stored for a block, whose words are in a vector that may be overwritten. */
type Convert = (f: Func, block: Local) => Func;

/** The state of four blocks, each word in a vector of its own, and room for their products. */
export interface Four {
  readonly x: readonly [Local, Local, Local, Local];
  readonly low: readonly [Local, Local];
  readonly high: readonly [Local, Local];
}

function begin(f: Func, { x }: Four, counter: Local, pushOffsets: () => Func, c2: Local, c3: Local): void {
  f.op(I32.wrapI64, counter).op(I32x4.splat).tee(x[1]);
  pushOffsets().op(I32x4.add).tee(x[0]);
  // A lane that wrapped around is smaller than where it began; its mask is -1, the carry.
  f.op(I32x4.ltU, x[1]).set(x[1]);
  f.op(I64.shrU, counter, 32n).op(I32.wrapI64).op(I32x4.splat).op(I32x4.sub, x[1]).set(x[1]);
  f.op(I32x4.splat, c2).set(x[2]).op(I32x4.splat, c3).set(x[3]);
}

function round(f: Func, { x, low, high }: Four, key0: Local, key1: Local): void {
  f.push(x[0]).i32x4Const(MULTIPLIER0).op(I64x2.extmulLowI32x4U).set(low[0]);
  f.push(x[0]).i32x4Const(MULTIPLIER0).op(I64x2.extmulHighI32x4U).set(high[0]);
  f.push(x[2]).i32x4Const(MULTIPLIER1).op(I64x2.extmulLowI32x4U).set(low[1]);
  f.push(x[2]).i32x4Const(MULTIPLIER1).op(I64x2.extmulHighI32x4U).set(high[1]);
  f.push(low[1], high[1]).shuffle(ODD).op(V128.xor, x[1]).op(V128.xor, key0).set(x[0]);
  f.push(low[1], high[1]).shuffle(EVEN).set(x[1]);
  f.push(low[0], high[0]).shuffle(ODD).op(V128.xor, x[3]).op(V128.xor, key1).set(x[2]);
  f.push(low[0], high[0]).shuffle(EVEN).set(x[3]);
}

/** From the words of four blocks to four blocks of words. */
function transpose(f: Func, { x, low, high }: Four): void {
  f.push(x[0], x[1]).shuffle(FIRST_PAIRS).set(low[0]).push(x[2], x[3]).shuffle(FIRST_PAIRS).set(low[1]);
  f.push(x[0], x[1]).shuffle(LAST_PAIRS).set(high[0]).push(x[2], x[3]).shuffle(LAST_PAIRS).set(high[1]);
  f.push(low[0], low[1]).shuffle(FIRST_HALVES).set(x[0]).push(low[0], low[1]).shuffle(LAST_HALVES).set(x[1]);
  f.push(high[0], high[1]).shuffle(FIRST_HALVES).set(x[2]).push(high[0], high[1]).shuffle(LAST_HALVES).set(x[3]);
}

/** What a loop over groups of blocks needs to know of them. */
export interface Groups {
  /** Pushes what is added to the counter in the four lanes of a group's first or second half. */
  readonly pushOffsets: (half: number) => Func;
  /** Stores what a half gives, whose words are in vectors that may be overwritten. */
  readonly store: (four: Four, half: number) => void;
  /** Moves on to the next group. */
  readonly advance: () => void;
}

/** Writes a loop over `count` groups; locals hold the counter (64 bits), the upper words and the key, which is overwritten. */
export function writeGroups(
  f: Func,
  count: Local,
  counter: Local,
  [c2, c3, key0, key1]: readonly [Local, Local, Local, Local],
  { pushOffsets, store, advance }: Groups,
): void {
  const vector = (): Local => f.local("v128");
  const keys = Array.from({ length: ROUNDS }, () => [vector(), vector()] as const);
  const fours: Four[] = [0, 1].map(() => ({
    x: [vector(), vector(), vector(), vector()],
    low: [vector(), vector()],
    high: [vector(), vector()],
  }));
  for (const [k0, k1] of keys) {
    f.op(I32x4.splat, key0).set(k0).op(I32x4.splat, key1).set(k1);
    f.increment(key0, WEYL0);
    f.increment(key1, WEYL1);
  }
  f.whileLoop(
    () => f.push(count),
    () => {
      fours.forEach((four, half) => {
        begin(f, four, counter, () => pushOffsets(half), c2, c3);
      });
      for (const [k0, k1] of keys) for (const four of fours) round(f, four, k0, k1);
      fours.forEach(store);
      advance();
      f.increment(count, -1);
    },
  );
}

/** groups(out, count, counter, c2, c3, key0, key1): eight blocks, `count` times. */
function writeBlocks(module: Module, convert: Convert): Func {
  const f = module.func("", ["i32", "i32", "i64", "i32", "i32", "i32", "i32"]);
  const [out, count, counter, c2, c3, key0, key1] = f.params;
  writeGroups(f, count, counter, [c2, c3, key0, key1], {
    pushOffsets: half => f.v128Const([0, 1, 2, 3].flatMap(lane => [4 * half + lane, 0, 0, 0])),
    store: (four, half) => {
      transpose(f, four);
      four.x.forEach((block, j) => {
        f.push(out);
        convert(f, block).memory(V128.store, 64 * half + 16 * j);
      });
    },
    advance: () => {
      f.increment(out, 16 * GROUP);
      f.op(I64.add, counter, BigInt(GROUP)).set(counter);
    },
  });
  return f;
}

/** The four words of a block as float32 in [0, 1). */
const toUniform32 = (f: Func, block: Local): Func =>
  f
    .op(I32x4.shrU, block, 8)
    .op(F32x4.convertI32x4S)
    .f32x4Const(2 ** -24)
    .op(F32x4.mul);

const toOpen32 = (f: Func, block: Local): Func =>
  f
    .op(F32x4.convertI32x4U, block)
    .f32x4Const(2 ** -32)
    .op(F32x4.mul)
    .f32x4Const(2 ** -33)
    .op(F32x4.add);

const toSigned32 = (f: Func, block: Local): Func =>
  f
    .op(F32x4.convertI32x4S, block)
    .f32x4Const(2 ** -32)
    .op(F32x4.mul)
    .f32x4Const(2 ** -33)
    .op(F32x4.add);

/** Below the bits of 2^84 and 2^52 an integer's two halves are float64 numbers; taking both powers away leaves the integer. */
export function toUniform64(f: Func, block: Local): Func {
  f.op(I64x2.shrU, block, 11).tee(block);
  f.op(I64x2.shrU, 32)
    .i64x2Const(0x4530000000000000n)
    .op(V128.or)
    .f64x2Const(2 ** 84 + 2 ** 52)
    .op(F64x2.sub);
  f.push(block).i64x2Const(0xffffffffn).op(V128.and).i64x2Const(0x4330000000000000n).op(V128.or).op(F64x2.add);
  return f.f64x2Const(2 ** -53).op(F64x2.mul);
}

/** Pushes a counter's first two words as 64 bits. */
export const pushCounter = (f: Func, c0: Local, c1: Local): Func =>
  f.op(I64.extendI32U, c1).op(I64.shl, 32n).op(I64.extendI32U, c0).op(I64.or);

/** How many groups one call computes, so that the engine can replace its first code in long fills. */
const GROUPS_PER_CALL = 1024;

/**
 * An exported Fill. Elements that do not make a whole group, at the front after a skip and at the end, go through the
 * scratch cells, which lie one behind another.
 */
function writeFill(module: Module, kind: Kind, shift: number, convert: Convert): void {
  const bytes = 16 * GROUP;
  const perGroup = bytes >> shift;
  const cells = scratch(0, 0, 0);
  const groups = writeBlocks(module, convert);
  const f = module.func(kind, 9);
  const [out, n, skip, ...words] = f.params;
  const [c0, c1, c2, c3, key0, key1] = words;
  const [counter, count, m] = [f.local("i64"), f.local("i32"), f.local("i32")];
  /** x = the smaller of x and y. */
  const limit = (x: Local, push: () => Func): void => {
    f.push(x);
    push().push(x);
    push().op(I32.ltU).select().set(x);
  };
  const inBytes = (x: Local): Func => f.op(I32.shl, x, shift);
  const run = (): Func => f.call(groups, count, counter, c2, c3, key0, key1);

  pushCounter(f, c0, c1).set(counter);
  f.whileLoop(
    () => f.push(n),
    () => {
      f.push(skip).op(I32.ltU, n, perGroup).op(I32.or);
      f.if(
        () => {
          f.op(I32.sub, perGroup, skip).set(m);
          limit(m, () => f.push(n));
          f.set(count, 1).push(cells);
          run();
          f.push(out, cells);
          inBytes(skip).op(I32.add);
          inBytes(m).memoryCopy();
          f.set(skip, 0);
        },
        () => {
          f.op(I32.divU, n, perGroup).set(count);
          limit(count, () => f.push(GROUPS_PER_CALL));
          f.op(I32.mul, count, perGroup).set(m).push(out);
          run();
        },
      );
      f.push(counter).op(I64.extendI32U, count).op(I64.mul, BigInt(GROUP)).op(I64.add).set(counter);
      f.push(out);
      inBytes(m).op(I32.add).set(out);
      f.op(I32.sub, n, m).set(n);
    },
  );
}

const CONVERT: Readonly<Record<Kind, Convert>> = {
  words: (f, block) => f.push(block),
  uniform32: toUniform32,
  open32: toOpen32,
  signed32: toSigned32,
  uniform64: toUniform64,
};

const built: Partial<Record<Kind, Fill>> = {};

function build(kind: Kind): Fill {
  return routines(module => writeFill(module, kind, kind === "uniform64" ? 3 : 2, CONVERT[kind]))[kind] as unknown as Fill;
}

/** The function that writes numbers of a kind, assembled when it is first asked for. */
export function philox(kind: Kind): Fill {
  built[kind] ??= build(kind);
  return built[kind];
}
