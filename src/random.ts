/**
 * np.random: one counter-based generator, and the distributions drawn from it. The number at a place of the sequence
 * depends on the seed, the place, the function and the dtype, so that neither sizes nor machines change it.
 */
import { type ArrayInput, addressOf, blank, fromValues, memoryOf, NDArray, unshare, viewOf } from "./array.ts";
import { generator, type Kind, philox } from "./backend/routines/philox.ts";
import { free } from "./backend/wasm/heap.ts";
import { toArray } from "./convert.ts";
import { BOOL, BYTES, DTYPES, type DType, dtypeCode, F32, F64, isFloat, promoteNumber } from "./dtype.ts";
import { checkOptions, DTypeError, describe, flag, GradError, ShapeError, ValueError } from "./errors.ts";
import * as E from "./expr.ts";
import { CHUNK, copyStrided, Family, runMap } from "./launch.ts";
import { mapping, physicalOf, spreadShape, wrapped } from "./mapped.ts";
import { checkWritable, edgeOf } from "./op.ts";
import { add, divide, log, minimum, multiply, subtract } from "./ops/pointwise.ts";
import { astype, gathered, positions } from "./ops/structural.ts";
import * as scalar from "./scalar.ts";
import { broadcastShapes, SCALAR, type Shape, sameShape, showShape, sizeOf, toShape } from "./shape.ts";
import { recording } from "./tape.ts";

/** A shape, or nothing for that of the parameters: a 0-d array where they are numbers. */
export type Size = number | readonly number[] | null;

export interface RandomOptions {
  /** "float32" (the default, unless a parameter is a float64 array) or "float64". */
  dtype?: DType;
}

export interface RandintOptions {
  /** "int32" (the default), "int8", "uint8" or "bool". */
  dtype?: DType;
}

// ---- the generator

/** What no two kinds of draws have in common: the third word of the counter. */
interface Stream {
  readonly number: number;
  readonly kind: Kind;
}

/** By the dtype's code. */
const UNIFORM: readonly Stream[] = [
  { number: 0, kind: "uniform32" },
  { number: 1, kind: "uniform64" },
];
const RADIUS: readonly Stream[] = [
  { number: 2, kind: "open32" },
  { number: 4, kind: "uniform64" },
];
const ANGLE: readonly Stream[] = [
  { number: 3, kind: "uniform32" },
  { number: 5, kind: "uniform64" },
];
const INTEGER: Stream = { number: 6, kind: "uniform64" };

function entropy(): readonly [number, number] {
  const [low, high] = crypto.getRandomValues(new Uint32Array(2));
  return [low!, high!];
}

/** Writes the numbers of the stream from place `start` of the sequence on. */
function fill(out: NDArray, { number, kind }: Stream, start: number): void {
  const key = (generator.key ??= entropy());
  const perBlock = kind === "uniform64" ? 2 : 4;
  const block = Math.floor(start / perBlock);
  philox(kind)(addressOf(out), out.size, start - block * perBlock, block, Math.floor(block / 2 ** 32), number, 0, key[0], key[1]);
}

/** Fills `out` with an expression of streams and of numbers, and moves on; piece by piece, so that all stays in the cache. */
function compute(out: NDArray, family: Family, streams: readonly Stream[], parameters: readonly number[]): void {
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

function familyOf(name: string, value: () => E.Expr, inputs: number, lane: number, out: number): Family {
  const id = name + out;
  let found = families.get(id);
  if (found === undefined) families.set(id, (found = new Family(value(), new Array<number>(inputs).fill(lane), lane, out)));
  return found;
}

/**
 * Starts the generator's sequence anew: after the same seed the same calls give the same numbers, on every machine.
 * Without it the first draw takes a seed that nobody can foresee. NumPy's random.seed (the numbers are not NumPy's).
 * @throws ValueError unless `n` is a whole number from 0 to 2^53.
 * @example
 * np.random.seed(7)
 * const first = np.random.rand(3)
 * np.random.seed(7)
 * np.random.rand(3).eq(first).all() // array(True)
 */
export function seed(n: number): void {
  if (!Number.isInteger(n) || n < 0 || n > 2 ** 53)
    throw new ValueError(`random.seed: a seed is a whole number from 0 to 2^53, got ${describe(n)}`);
  generator.key = [n % 2 ** 32, Math.floor(n / 2 ** 32)];
  generator.position = 0;
}

// ---- arguments

function toSize(size: unknown, operator: string): Shape | null {
  return size === undefined || size === null ? null : toShape(size, operator);
}

function floatCode(options: RandomOptions | undefined, parameters: readonly (NDArray | number)[], operator: string): number {
  checkOptions(operator, options, ["dtype"]);
  if (options?.dtype === undefined) return parameters.some(x => typeof x !== "number" && x.code === F64) ? F64 : F32;
  const code = dtypeCode(options.dtype, operator);
  if (!isFloat(code))
    throw new DTypeError(`${operator}: samples are float32 or float64, got ${describe(options.dtype)}; convert them with astype`);
  return code;
}

function parameter(x: ArrayInput, operator: string): NDArray | number {
  return typeof x === "number" ? x : toArray(x, operator);
}

/** A parameter in the dtype of the samples: differences of small integers must not wrap around. */
function cast(p: NDArray | number, code: number): NDArray | number {
  return typeof p === "number" || p.code === code ? p : astype(p, DTYPES[code]!);
}

/** The shape of the result, which parameters must broadcast to. */
function resultShape(size: Shape | null, a: NDArray | number, b: NDArray | number, operator: string): Shape {
  const shape = broadcastShapes(typeof a === "number" ? SCALAR : a.shape, typeof b === "number" ? SCALAR : b.shape, operator);
  if (size === null) return shape;
  if (!sameShape(broadcastShapes(shape, size, operator), size))
    throw new ShapeError(
      `${operator}: parameters of shape ${showShape(shape)} do not broadcast to the size ${showShape(size)}; leave the size out, or enlarge it`,
    );
  return size;
}

/** A new array for numbers to be drawn into: under vmap, for all entries. */
function undrawn(shape: Shape, code: number): NDArray {
  const all = spreadShape(shape);
  return blank(all, sizeOf(all), code);
}

/** Positions drawn at random: under vmap, for every entry anew. */
function drawn(shape: Shape, draw: () => ArrayLike<number>): NDArray {
  if (mapping === 0) return positions(draw(), shape);
  const all = spreadShape(shape);
  const size = sizeOf(shape);
  const values = new Int32Array(sizeOf(all));
  for (let at = 0; at < values.length; at += size) values.set(draw(), at);
  return wrapped(positions(values, all));
}

/** Whether any value passes a test. */
function some(x: NDArray | number, test: (value: number) => boolean): boolean {
  return typeof x === "number" ? test(x) : physicalOf(x).toTypedArray().some(test);
}

// ---- distributions

/**
 * Numbers spread evenly over low <= x < high (rounding may give `high` itself). float32 with 24 random bits, float64 with
 * 53. `low` and `high` may be arrays, which broadcast with each other and to `size`; gradients flow to them. NumPy's
 * random.uniform.
 * @throws ValueError where low > high, or high - low is not a finite number of the dtype; ShapeError where shapes do not fit.
 * @example
 * np.random.seed(7)
 * np.random.uniform(-1, 1, 3) // array([ 0.90919423,  0.50030434, -0.7716453 ])
 */
export function uniform(low: ArrayInput | null = 0, high: ArrayInput | null = 1, size?: Size, options?: RandomOptions): NDArray {
  const name = "random.uniform";
  const given = [parameter(low ?? 0, name), parameter(high ?? 1, name)] as const;
  const code = floatCode(options, given, name);
  const shape = resultShape(toSize(size, name), ...given, name);
  const a = cast(given[0], code);
  const b = cast(given[1], code);
  const range = typeof a !== "number" || typeof b !== "number" ? subtract(b, a) : code === F32 ? Math.fround(b - a) : b - a;
  if (some(range, r => r < 0)) throw new ValueError(`${name}: low is greater than high${bothNumbers(a, b)}; exchange them`);
  if (some(range, r => !Number.isFinite(r)))
    throw new ValueError(`${name}: high - low must be a finite ${DTYPES[code]}${bothNumbers(a, b)}`);
  const y = undrawn(shape, code);
  fill(y, UNIFORM[code]!, generator.position);
  generator.position += y.size;
  // In one of twenty intervals the rounded sum can be beyond `high`.
  if (typeof a !== "number" || typeof b !== "number" || typeof range !== "number") return minimum(add(multiply(wrapped(y), range), a), b);
  if (a !== 0 || b !== 1) runMap(familyOf("uniform", uniformExpr, 4, code, code), [y, a, range, b], y);
  return wrapped(y);
}

const bothNumbers = (a: NDArray | number, b: NDArray | number): string =>
  typeof a === "number" && typeof b === "number" ? `, got ${a} and ${b}` : "";

const uniformExpr = (): E.Expr => E.min(E.add(E.mul(E.arg(0), E.arg(2)), E.arg(1)), E.arg(3));

/** Box and Muller's map from (0, 1] × [0, 1) to a normal number, then shift and scale. */
function normalExpr(code: number): E.Expr {
  const u = code === F32 ? E.arg(0) : E.sub(1, E.arg(0));
  const radius = E.sqrt(E.mul(scalar.log(u, code), -2));
  const z = E.mul(radius, scalar.cos(E.mul(E.arg(1), 2 * Math.PI), code));
  return E.add(E.mul(z, E.arg(3)), E.arg(2));
}

/**
 * Normally distributed numbers with mean `loc` and standard deviation `scale`. Both may be arrays, which broadcast with
 * each other and to `size`; the result is loc + scale·z, and gradients flow to them. Box and Muller's method; NumPy's
 * random.normal.
 * @throws ValueError where scale < 0; ShapeError where shapes do not fit.
 * @example
 * np.random.seed(7)
 * np.random.normal(10, 0.5, 3) // array([ 9.855523, 10.202404, 10.35491 ])
 */
export function normal(loc: ArrayInput | null = 0, scale: ArrayInput | null = 1, size?: Size, options?: RandomOptions): NDArray {
  const name = "random.normal";
  const given = [parameter(loc ?? 0, name), parameter(scale ?? 1, name)] as const;
  const code = floatCode(options, given, name);
  const shape = resultShape(toSize(size, name), ...given, name);
  const a = cast(given[0], code);
  const b = cast(given[1], code);
  if (some(b, s => s < 0))
    throw new ValueError(`${name}: scale must be >= 0${typeof b === "number" ? `, got ${b}` : ", some elements are not"}`);
  const y = undrawn(shape, code);
  const numbers = typeof a === "number" && typeof b === "number";
  compute(
    y,
    familyOf("normal", () => normalExpr(code), 4, code, code),
    [RADIUS[code]!, ANGLE[code]!],
    numbers ? [a, b] : [0, 1],
  );
  return numbers ? wrapped(y) : add(multiply(wrapped(y), b), a);
}

/** Sizes of axes, and options at the end. */
type Dims = readonly number[] | readonly [...number[], RandomOptions];

function splitDims(given: Dims): [number[], RandomOptions | undefined] {
  const last = given.at(-1);
  const options = typeof last === "object" && last !== null && !Array.isArray(last) ? (last as RandomOptions) : undefined;
  return [(options === undefined ? given.slice() : given.slice(0, -1)) as number[], options];
}

/**
 * Numbers spread evenly over 0 <= x < 1, with the sizes of the axes as arguments. NumPy's random.rand.
 * @throws ShapeError for a size that is not a whole number >= 0.
 * @example
 * np.random.seed(7)
 * np.random.rand(2, 2) // array([[0.9545971 , 0.7501522 ], [0.11417735, 0.08565784]])
 */
export function rand(...dims: Dims): NDArray {
  const [sizes, options] = splitDims(dims);
  return uniform(0, 1, toShape(sizes, "random.rand"), options);
}

/**
 * Normally distributed numbers of mean 0 and variance 1, with the sizes of the axes as arguments. NumPy's random.randn.
 * @throws ShapeError for a size that is not a whole number >= 0.
 * @example
 * np.random.seed(7)
 * np.random.randn(2, 2) // array([[-0.28895292,  0.4048078 ], [ 0.70982075, -1.395766  ]])
 */
export function randn(...dims: Dims): NDArray {
  const [sizes, options] = splitDims(dims);
  return normal(0, 1, toShape(sizes, "random.randn"), options);
}

const randintExpr = (): E.Expr => E.add(E.floor(E.mul(E.arg(0), E.arg(1))), E.arg(2));

/**
 * Whole numbers low <= i < high, each as likely as the others up to 2^-53; `randint(n)` draws from 0 to n - 1. int32
 * unless asked otherwise. NumPy's random.randint.
 * @throws ValueError where low >= high, or a bound is not whole or does not fit the dtype; DTypeError for a float dtype.
 * @example
 * np.random.seed(7)
 * np.random.randint(1, 7, 10) // array([5, 3, 6, 3, 6, 3, 1, 1, 4, 6], dtype=int32)
 */
export function randint(low: number, high?: number | null, size?: Size, options?: RandintOptions): NDArray {
  const name = "random.randint";
  checkOptions(name, options, ["dtype"]);
  const code = dtypeCode(options?.dtype ?? "int32", name);
  if (isFloat(code))
    throw new DTypeError(`${name}: samples are integers, got dtype ${describe(options?.dtype)}; convert them with astype, or use uniform`);
  const [from, to] = high === undefined || high === null ? [0, low] : [low, high];
  for (const bound of [from, to])
    if (!Number.isSafeInteger(bound)) throw new ValueError(`${name}: bounds are whole numbers, got ${describe(bound)}`);
  if (from >= to) throw new ValueError(`${name}: there is no whole number from ${from} to below ${to}; low must be less than high`);
  for (const bound of [from, to - 1]) {
    promoteNumber(code, bound, name);
    if (code === BOOL && bound !== 0 && bound !== 1) throw new ValueError(`${name}: ${bound} does not fit bool, which holds 0 and 1`);
  }
  const shape = toSize(size, name) ?? SCALAR;
  const y = undrawn(shape, code);
  compute(y, familyOf("randint", randintExpr, 3, F64, code), [INTEGER], [to - from, from]);
  return wrapped(y);
}

// ---- orders

/** Random numbers 0 <= u < 1 of 53 bits, one after the other, in pieces that stay in the cache; moves on by n. */
function forEachDraw(n: number, visit: (u: number, i: number) => void): void {
  const draws = blank([Math.min(n, CHUNK)], Math.min(n, CHUNK), F64);
  for (let at = 0; at < n; at += CHUNK) {
    fill(draws, INTEGER, generator.position + at);
    const start = addressOf(draws) / BYTES[F64]!;
    const u = memoryOf(F64);
    for (let k = 0; k < CHUNK && at + k < n; k++) visit(u[start + k]!, at + k);
  }
  free(draws.storage.block);
  generator.position += n;
}

/** The first `count` of the numbers 0 … n - 1 in random order (Fisher and Yates); moves on by `count`. */
function randomOrder(n: number, count = n): Int32Array {
  const order = new Int32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  forEachDraw(count, (u, i) => {
    const j = i + Math.floor(u * (n - i));
    const swapped = order[i]!;
    order[i] = order[j]!;
    order[j] = swapped;
  });
  return order.subarray(0, count);
}

/** The entries along axis 0 in random order. */
function shuffled(x: NDArray): NDArray {
  const n = x.shape[0]!;
  return gathered([x, drawn([n], () => randomOrder(n))], 0);
}

/**
 * Puts the entries of an array along its first axis into random order, in place; gives nothing back. NumPy's
 * random.shuffle.
 * @throws ValueError for what is not an array with at least one axis; GradError while recording an attached array.
 * @example
 * np.random.seed(7)
 * const x = np.array([1, 2, 3, 4])
 * np.random.shuffle(x)
 * x // array([3., 1., 4., 2.])
 */
export function shuffle(x: NDArray): void {
  const name = "random.shuffle";
  if (!(x instanceof NDArray)) throw new ValueError(`${name}: only an array can be changed in place, got ${describe(x)}; use permutation`);
  if (x.ndim === 0) throw new ValueError(`${name}: a 0-d array has no entries to put in order`);
  checkWritable(x, name);
  if (recording && (edgeOf(x) !== null || (x.base !== null && edgeOf(x.base) !== null)))
    throw new GradError(
      `${name}: the array is recorded and cannot be changed in place; permutation gives a copy through which gradients flow`,
    );
  const y = shuffled(x);
  unshare(x);
  copyStrided(y, x);
}

/**
 * A copy of an array with the entries along its first axis in random order, through which gradients flow; of a number n,
 * the numbers 0 … n - 1 in random order, int32. NumPy's random.permutation.
 * @throws ValueError for a number that is not whole and >= 0, or a 0-d array.
 * @example
 * np.random.seed(7)
 * np.random.permutation(5) // array([3, 2, 4, 0, 1], dtype=int32)
 */
export function permutation(x: ArrayInput): NDArray {
  const name = "random.permutation";
  if (typeof x === "number") {
    const [n] = Number.isInteger(x) && x >= 0 ? toShape(x, name) : [];
    if (n === undefined) throw new ValueError(`${name}: expected a whole number >= 0 or an array, got ${x}`);
    return drawn([n], () => randomOrder(n));
  }
  const a = toArray(x, name);
  if (a.ndim === 0) throw new ValueError(`${name}: a 0-d array has no entries to put in order; pass a number for that many positions`);
  return shuffled(a);
}

export interface ChoiceOptions {
  /** Whether an element may be drawn again (true unless given). */
  replace?: boolean;
  /** The probability of each element; all alike unless given. */
  p?: ArrayInput | null;
}

/** Probabilities that were checked: one for each of n elements, none below 0, with a sum of 1 up to rounding. */
function probabilities(p: ArrayInput, n: number, name: string): Float64Array {
  const given = toArray(p, name);
  if (given.ndim !== 1 || given.size !== n)
    throw new ShapeError(`${name}: p has shape ${showShape(given.shape)}; wanted one probability for each of ${n} elements`);
  const values = Float64Array.from(given.toTypedArray());
  if (!values.every(v => v >= 0)) throw new ValueError(`${name}: probabilities must be >= 0, some of p are not`);
  const total = values.reduce((sum, v) => sum + v, 0);
  if (!(Math.abs(total - 1) <= 1e-6)) throw new ValueError(`${name}: the probabilities add up to ${total}; divide p by its sum`);
  return values;
}

/** Positions drawn each by its own probability, anew each time. */
function drawWeighted(p: Float64Array, count: number): Int32Array {
  const sums = p.slice();
  for (let i = 1; i < sums.length; i++) sums[i]! += sums[i - 1]!;
  const total = sums.at(-1)!;
  const found = new Int32Array(count);
  forEachDraw(count, (u, i) => {
    // The first whose share reaches beyond u. The last sum divided by itself is 1, so there is one.
    let low = 0;
    for (let high = sums.length - 1; low < high; ) {
      const middle = (low + high) >> 1;
      if (sums[middle]! / total > u) high = middle;
      else low = middle + 1;
    }
    found[i] = low;
  });
  return found;
}

/**
 * The same without repetition: as waiting times, -log(1 - u)/p, of which the shortest come first. One that cannot come
 * waits for ever. The logarithm is our own kernel's, the same on every machine.
 */
function drawWeightedOnce(p: Float64Array, count: number): Int32Array {
  const n = p.length;
  const waits = new Float64Array(n);
  forEachDraw(n, (u, i) => {
    waits[i] = 1 - u;
  });
  const times = divide(log(fromValues(waits, [n], F64)), fromValues(p, [n], F64)).toTypedArray();
  const order = Int32Array.from({ length: n }, (_, i) => i).filter(i => p[i]! > 0);
  // Largest quotients first, which are all negative or 0.
  return order.sort((i, j) => times[j]! - times[i]! || i - j).subarray(0, count);
}

/**
 * Elements of a 1-d array drawn at random, in the shape `size` (one, 0-d, by default); of a number n, of the numbers
 * 0 … n - 1, int32. Each may come again unless `replace` is false, and all are alike unless `p` gives probabilities.
 * Gradients flow to the array. NumPy's random.choice.
 * @throws ValueError for what is not 1-d, more elements than there are, or probabilities below 0 or that do not add up to
 * 1 (within 1e-6); ShapeError for another number of probabilities.
 * @example
 * np.random.seed(7)
 * np.random.choice(5, 3) // array([3, 1, 4], dtype=int32)
 * @example
 * np.random.seed(7)
 * np.random.choice([10, 20, 30], 2, { replace: false, p: [0.5, 0.5, 0] }) // array([20., 10.])
 */
export function choice(a: ArrayInput, size?: Size, options?: ChoiceOptions): NDArray {
  const name = "random.choice";
  checkOptions(name, options, ["replace", "p"]);
  const replace = flag(name, "replace", options?.replace, true);
  const source = typeof a === "number" ? null : toArray(a, name);
  const n = source === null ? (a as number) : source.ndim === 1 ? source.size : -1;
  if (!Number.isInteger(n) || n < 0)
    throw new ValueError(
      `${name}: expected a whole number >= 0 or a 1-d array, got ${source === null ? a : `one of shape ${showShape(source.shape)}`}`,
    );
  const shape = toSize(size, name) ?? SCALAR;
  const count = sizeOf(shape);
  const p = options?.p === undefined || options.p === null ? null : probabilities(options.p, n, name);
  const possible = p === null ? n : p.filter(v => v > 0).length;
  if (count > (replace && possible > 0 ? Number.POSITIVE_INFINITY : possible))
    throw new ValueError(`${name}: ${count} elements cannot be drawn${replace ? "" : " without replacement"} from ${possible}; draw fewer`);
  const draw = (): ArrayLike<number> => {
    if (count === 0) return [];
    if (p === null) return randomOrder(toShape(n, name)[0]!, count);
    return (replace ? drawWeighted : drawWeightedOnce)(p, count);
  };
  const places = replace && p === null && count > 0 ? randint(0, n, shape) : drawn(shape, draw);
  return source === null ? places : gathered([source, places], 0);
}
