/**
 * The one counter-based generator: streams of numbers by place, kernels over them, and the seed. Knows no distribution.
 */
import { addressOf, blank, memoryOf, type NDArray, viewOf } from "../array.ts";
import { generator, type Kind, philox } from "../backend/routines/philox.ts";
import { philoxAt } from "../backend/routines/scattered.ts";
import { free } from "../backend/wasm/heap.ts";
import { BYTES, F64 } from "../dtype.ts";
import { describe, ValueError } from "../errors.ts";
import * as E from "../expr.ts";
import { CHUNK, Family, runMap } from "../launch.ts";
import * as scalar from "../scalar.ts";

/** What no two kinds of draws have in common: the third word of the counter. */
export interface Stream {
  readonly number: number;
  readonly kind: Kind;
}

/** By the dtype's code. */
export const UNIFORM: readonly Stream[] = [
  { number: 0, kind: "uniform32" },
  { number: 1, kind: "uniform64" },
];
export const RADIUS: readonly Stream[] = [
  { number: 2, kind: "open32" },
  { number: 4, kind: "uniform64" },
];
export const ANGLE: readonly Stream[] = [
  { number: 3, kind: "uniform32" },
  { number: 5, kind: "uniform64" },
];
export const INTEGER: Stream = { number: 6, kind: "uniform64" };
/** For float64 half of a step above -1/2 + u: on [-1/2, 1/2] without 0 too. */
export const SIGNED: readonly Stream[] = [
  { number: 7, kind: "signed32" },
  { number: 8, kind: "uniform64" },
];
// Streams of methods that reject, whose numbers are by place and attempt. Multinomial's categories have those from the last on.
export const GAMMA = 9;
export const SECOND_GAMMA = 10;
export const POISSON = 11;
export const BINOMIAL = 12;
export const MULTINOMIAL = 13;

function entropy(): readonly [number, number] {
  const [low, high] = crypto.getRandomValues(new Uint32Array(2));
  return [low!, high!];
}

const keyNow = (): readonly [number, number] => (generator.key ??= entropy());

/** Moves on by n places; gives the first of them. */
export function advance(n: number): number {
  const start = generator.position;
  generator.position += n;
  return start;
}

/** Writes the numbers of the stream from place `start` of the sequence on. */
export function fill(out: NDArray, { number, kind }: Stream, start: number): void {
  const key = keyNow();
  const perBlock = kind === "uniform64" ? 2 : 4;
  const block = Math.floor(start / perBlock);
  philox(kind)(addressOf(out), out.size, start - block * perBlock, block, Math.floor(block / 2 ** 32), number, 0, key[0], key[1]);
}

/** Fills `out` with an expression of streams and of numbers, and moves on; piece by piece, so that all stays in the cache. */
export function compute(out: NDArray, family: Family, streams: readonly Stream[], parameters: readonly number[]): void {
  const n = Math.min(out.size, CHUNK);
  const sources = streams.map((_, i) => blank([n], n, family.codes[i]!));
  for (let at = 0; at < out.size; at += CHUNK) {
    const m = Math.min(CHUNK, out.size - at);
    const parts = sources.map(x => viewOf(x, 0, [m], null, m));
    streams.forEach((stream, i) => void fill(parts[i]!, stream, generator.position + at));
    runMap(family, [...parts, ...parameters], viewOf(out, at, [m], null, m));
  }
  for (const x of sources) free(x.storage.block);
  generator.position += out.size;
}

const families = new Map<string, Family>();

export function familyOf(name: string, value: () => E.Expr, inputs: number, lane: number, out: number): Family {
  const id = name + out;
  let found = families.get(id);
  if (found === undefined) families.set(id, (found = new Family(value(), new Array<number>(inputs).fill(lane), lane, out)));
  return found;
}

/** Box and Muller's map from (0, 1] × [0, 1) to a normal number. */
export const normalNumber = (u: E.Expr, turn: E.Expr, code: number): E.Expr =>
  E.mul(E.sqrt(E.mul(scalar.log(u, code), -2)), scalar.cos(E.mul(turn, 2 * Math.PI), code));

/** A list as 64 bits. Each number is mixed in by the finaliser of SplitMix64, which is one-to-one, so none is lost. */
function mixed(list: readonly number[]): bigint {
  let h = BigInt(list.length);
  const mix = (shift: bigint, factor: bigint): void => {
    h = BigInt.asUintN(64, (h ^ (h >> shift)) * factor);
  };
  for (const n of list) {
    h = BigInt.asUintN(64, (h ^ BigInt(n)) + 0x9e3779b97f4a7c15n);
    mix(30n, 0xbf58476d1ce4e5b9n);
    mix(27n, 0x94d049bb133111ebn);
    mix(31n, 1n);
  }
  return h;
}

/**
 * Starts the generator's sequence anew: after the same seed, a number or a list of them, the same calls give the same numbers,
 * on every machine. Without one, as before the first call, it takes a seed that nobody can foresee. NumPy's random.seed (the
 * numbers are not NumPy's).
 * @throws ValueError unless `n` is a whole number from 0 to 2^53, or a list of at least one.
 * @example
 * np.random.seed(7)
 * const first = np.random.rand(3)
 * np.random.seed(7)
 * np.random.rand(3).eq(first).all() // array(True)
 */
export function seed(n?: number | readonly number[] | null): void {
  if (n === undefined || n === null) generator.key = null;
  else {
    const listed = Array.isArray(n);
    const list: number[] = listed ? Array.from(n) : [n as number];
    if (list.length === 0 || !list.every(v => Number.isInteger(v) && v >= 0 && v <= 2 ** 53))
      throw new ValueError(`random.seed: a seed is a whole number from 0 to 2^53, or a list of such, got ${describe(n)}`);
    const bits = listed ? mixed(list) : BigInt(list[0]!);
    generator.key = [Number(bits & 0xffffffffn), Number(bits >> 32n)];
  }
  generator.position = 0;
}

/** Calls `visit` with n numbers 0 <= u < 1 of 53 bits, one after the other; moves on by n, or takes places that were. */
export function forEachDraw(n: number, visit: (u: number, i: number) => void, stream = INTEGER, start: number = advance(n)): void {
  const draws = blank([Math.min(n, CHUNK)], Math.min(n, CHUNK), F64);
  for (let at = 0; at < n; at += CHUNK) {
    fill(draws, stream, start + at);
    const from = addressOf(draws) / BYTES[F64]!;
    const u = memoryOf(F64);
    for (let k = 0; k < CHUNK && at + k < n; k++) visit(u[from + k]!, at + k);
  }
  free(draws.storage.block);
}

/**
 * Writes two numbers 0 <= u < 1 of 53 bits for each of m places (`start` plus what stands in `places`), one to the first
 * row of `out` and one to the second. They depend on the seed, the place, the stream and the attempt, which is 1 or more:
 * 0 stands in the blocks that hold numbers of several places.
 */
export function fillAt(out: NDArray, places: NDArray, m: number, start: number, stream: number, attempt: number): void {
  const key = keyNow();
  const to = addressOf(out);
  const at = addressOf(places);
  const plane = out.shape[1]! * BYTES[F64]!;
  philoxAt()(to, plane, at, Math.ceil(m / 8), start, Math.floor(start / 2 ** 32), stream, attempt, key[0], key[1]);
}
