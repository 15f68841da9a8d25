/** Entries in random order, and elements drawn from a list. */
import { type ArrayInput, fromValues, NDArray, unshare } from "../array.ts";
import { toArray } from "../convert.ts";
import { F64 } from "../dtype.ts";
import { checkOptions, describe, flag, GradError, ShapeError, under, ValueError } from "../errors.ts";
import { copyStrided } from "../launch.ts";
import { checkWritable, edgeOf } from "../op.ts";
import { divide, log } from "../ops/pointwise.ts";
import { gathered } from "../ops/structural.ts";
import { SCALAR, showShape, sizeOf, toAxis, toShape } from "../shape.ts";
import { recording } from "../tape.ts";
import { drawn, type Size, toSize } from "./arguments.ts";
import { randint } from "./discrete.ts";
import { forEachDraw } from "./generator.ts";

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

/** The entries along an axis in random order. */
function shuffled(x: NDArray, axis: number): NDArray {
  const n = x.shape[axis]!;
  return gathered([x, drawn([n], () => randomOrder(n))], axis);
}

/**
 * Puts the entries of an array along an axis (the first by default) into random order, in place; gives nothing back. NumPy's
 * random.shuffle, with the axis of Generator.shuffle.
 * @throws ValueError for what is not an array with at least one axis, ShapeError for an axis out of range; GradError while
 * recording an attached array.
 * @example
 * np.random.seed(7)
 * const x = np.array([1, 2, 3, 4])
 * np.random.shuffle(x)
 * x // array([3., 1., 4., 2.])
 */
export function shuffle(x: NDArray, axis: number | null = 0): void {
  const name = "random.shuffle";
  if (!(x instanceof NDArray)) throw new ValueError(`${name}: only an array can be changed in place, got ${describe(x)}; use permutation`);
  if (x.ndim === 0) throw new ValueError(`${name}: a 0-d array has no entries to put in order`);
  const at = toAxis(axis ?? 0, x.ndim, name);
  checkWritable(x, name);
  if (recording && (edgeOf(x) !== null || (x.base !== null && edgeOf(x.base) !== null)))
    throw new GradError(
      `${name}: the array is recorded and cannot be changed in place; permutation gives a copy through which gradients flow`,
    );
  const y = shuffled(x, at);
  unshare(x);
  copyStrided(y, x);
}

/**
 * A copy of an array with the entries along an axis (the first by default) in random order, through which gradients flow;
 * of a number n, the numbers 0 … n - 1 in random order, int32. NumPy's random.permutation, with the axis of
 * Generator.permutation.
 * @throws ValueError for a number that is not whole and >= 0, or a 0-d array; ShapeError for an axis out of range.
 * @example
 * np.random.seed(7)
 * np.random.permutation(5) // array([3, 2, 4, 0, 1], dtype=int32)
 */
export function permutation(x: ArrayInput, axis: number | null = 0): NDArray {
  const name = "random.permutation";
  if (typeof x === "number") {
    const [n] = Number.isInteger(x) && x >= 0 ? toShape(x, name) : [];
    if (n === undefined) throw new ValueError(`${name}: expected a whole number >= 0 or an array, got ${x}`);
    return drawn([n], () => randomOrder(n));
  }
  const a = toArray(x, name);
  if (a.ndim === 0) throw new ValueError(`${name}: a 0-d array has no entries to put in order; pass a number for that many positions`);
  return shuffled(a, toAxis(axis ?? 0, a.ndim, name));
}

export interface ChoiceOptions {
  /** Whether an element may be drawn again (true unless given). */
  replace?: boolean;
  /** The probability of each element; all alike unless given. */
  p?: ArrayInput | null;
  /** Draw entries along this axis of an array, which then may have several. */
  axis?: number | null;
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
 * 0 … n - 1, int32; with `axis` entries along an axis of any array, whose place `size` takes. Each may come again unless
 * `replace` is false, and all are alike unless `p` gives probabilities. Gradients flow to the array. NumPy's random.choice,
 * with the axis of Generator.choice.
 * @throws ValueError for what is not 1-d and has no axis named, more elements than there are, or probabilities below 0 or that do not add up to
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
  checkOptions(name, options, ["replace", "p", "axis"]);
  const replace = flag(name, "replace", options?.replace, true);
  const source = typeof a === "number" ? null : toArray(a, name);
  const named = options?.axis ?? null;
  const at = source === null || named === null ? 0 : toAxis(named, source.ndim, name);
  const n = source === null ? (a as number) : source.ndim === 1 || named !== null ? source.shape[at]! : -1;
  if (!Number.isInteger(n) || n < 0)
    throw new ValueError(
      `${name}: expected a whole number >= 0 or a 1-d array, got ${source === null ? a : `one of shape ${showShape(source.shape)}; name an axis to draw entries along it`}`,
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
  const places = replace && p === null && count > 0 ? under(name, () => randint(0, n, shape)) : drawn(shape, draw);
  return source === null ? places : gathered([source, places], at);
}
