/** Arrays from one array by moving, repeating, padding, splitting and leaving out. */
import { type ArrayInput, fromValues, NDArray } from "../array.ts";
import { toArray } from "../convert.ts";
import { BOOL, type DType, I32, isFloat } from "../dtype.ts";
import {
  checkOptions,
  DTypeError,
  describe,
  flag,
  IndexError,
  isPlain,
  oneOf,
  ShapeError,
  under,
  ValueError,
  wholeNumber,
} from "../errors.ts";
import { floor, rint } from "../ops/elementary.ts";
import { add, multiply, subtract, where } from "../ops/pointwise.ts";
import { max, min, type Reduction, sum } from "../ops/reduction.ts";
import { argsort } from "../ops/selection.ts";
import {
  along,
  astype,
  broadcastTo,
  copy,
  diagonalOf,
  flat,
  gathered,
  joined,
  listAlong,
  movedAxes,
  onDiagonal,
  part,
  positions,
  reshape,
  slice,
  swapaxes,
  typed,
  unslice,
  zeroed,
} from "../ops/structural.ts";
import { axesOf, broadcastShapes, checkSize, onesOf, type Shape, sameShape, showShape, sizeOf, toAxes, toAxis, toShape } from "../shape.ts";
import { belowDiagonal, made, newArray } from "./creation.ts";
import { at, Range, resolve, valueFor } from "./indexing.ts";
import { mean } from "./statistics/moments.ts";
import { median } from "./statistics/quantiles.ts";

type Axis = number | readonly number[] | null;

const isAbsent = (value: unknown): value is null | undefined => value === undefined || value === null;
/** The remainder that counts around. */
const modulo = (i: number, n: number): number => ((i % n) + n) % n;

// ---- moving

/**
 * The elements as a 1-d array: a view where strides allow. NumPy's ravel.
 * @example np.ravel([[1, 2], [3, 4]]) // array([1., 2., 3., 4.])
 */
export const ravel = (x: ArrayInput): NDArray => flat(toArray(x, "ravel"));

/**
 * With axes moved to other places, the rest in their order. A view. NumPy's moveaxis.
 * @throws ValueError where the numbers of sources and destinations differ, or an axis is named twice.
 * @example np.moveaxis([[[1, 2, 3]]], -1, 0).shape // [ 3, 1, 1 ]
 */
export function moveaxis(x: ArrayInput, source: number | readonly number[], destination: number | readonly number[]): NDArray {
  return movedAxes(toArray(x, "moveaxis"), source, destination, "moveaxis");
}

/**
 * With an axis moved to stand before the one that is at `start` (0 by default). A view. NumPy's rollaxis.
 * @example np.rollaxis([[[1, 2, 3]]], 2).shape // [ 3, 1, 1 ]
 */
export function rollaxis(x: ArrayInput, axis: number, start?: number | null): NDArray {
  const a = toArray(x, "rollaxis");
  const from = toAxis(axis, a.ndim, "rollaxis");
  const before = start === a.ndim ? a.ndim : toAxis(start ?? 0, a.ndim, "rollaxis");
  return moveaxis(a, from, before > from ? before - 1 : before);
}

/**
 * With the order of elements reversed along axes (all of them by default). A view. NumPy's flip.
 * @example np.flip([[1, 2], [3, 4]], 1) // array([[2., 1.],\n       [4., 3.]])
 */
export const flip = (x: ArrayInput, axis?: Axis): NDArray => {
  const a = toArray(x, "flip");
  return reversed(a, toAxes(axis, a.ndim, "flip"));
};

function reversed(a: NDArray, axes: readonly number[]): NDArray {
  const { shape } = a;
  const starts = shape.map((n, i) => (axes.includes(i) ? n - 1 : 0));
  return slice([a], { starts, steps: shape.map((_, i) => (axes.includes(i) ? -1 : 1)), counts: shape, shape });
}

/** Reversed along axis 1. A view. NumPy's fliplr. @throws ShapeError for fewer than two axes. @example np.fliplr([[1, 2]]) // array([[2., 1.]]) */
export const fliplr = (x: ArrayInput): NDArray => {
  const a = toArray(x, "fliplr");
  return reversed(a, [toAxis(1, a.ndim, "fliplr")]);
};

/** Reversed along axis 0. A view. NumPy's flipud. @throws ShapeError for a 0-d array. @example np.flipud([1, 2]) // array([2., 1.]) */
export const flipud = (x: ArrayInput): NDArray => {
  const a = toArray(x, "flipud");
  return reversed(a, [toAxis(0, a.ndim, "flipud")]);
};

/**
 * With elements moved on along axes, those that leave at the end coming in at the start; without an axis the flattened
 * array is, and shaped as before. A copy. NumPy's roll.
 * @throws ShapeError where the numbers of shifts and axes do not match.
 * @example np.roll([1, 2, 3, 4], 1) // array([4., 1., 2., 3.])
 */
export function roll(x: ArrayInput, shift: number | readonly number[], axis?: Axis): NDArray {
  const a = toArray(x, "roll");
  if (isAbsent(axis)) return reshape(roll(flat(a), shift, 0), a.shape);
  const shifts: readonly unknown[] = Array.isArray(shift) ? shift : [shift];
  const axes: readonly unknown[] = Array.isArray(axis) ? axis : [axis];
  const totals = a.shape.map(() => 0);
  const [count] = broadcastShapes([shifts.length], [axes.length], "roll");
  for (let i = 0; i < count!; i++) {
    const at = toAxis(axes[axes.length === 1 ? 0 : i], a.ndim, "roll");
    totals[at]! += wholeNumber("roll", "shift", shifts[shifts.length === 1 ? 0 : i]);
  }
  let y = a;
  totals.forEach((total, at) => {
    const n = a.shape[at]!;
    const by = n === 0 ? 0 : modulo(total, n);
    if (by !== 0) y = joined([slice([y], part(y.shape, at, n - by, by)), slice([y], part(y.shape, at, 0, n - by))], at);
  });
  return y === a ? copy(a) : y;
}

/**
 * Turned by k quarters in the plane of two axes, from the first towards the second. A view. NumPy's rot90.
 * @throws ValueError unless two different axes are named.
 * @example np.rot90([[1, 2], [3, 4]]) // array([[2., 4.],\n       [1., 3.]])
 */
export function rot90(x: ArrayInput, k?: number | null, axes?: readonly number[] | null): NDArray {
  const a = toArray(x, "rot90");
  const turns = modulo(wholeNumber("rot90", "k", k ?? 1), 4);
  const [p, q, ...more] = axesOf(axes ?? [0, 1], a.ndim, "rot90");
  if (p === undefined || q === undefined || more.length > 0) throw new ValueError(`rot90: a plane has two axes, got ${describe(axes)}`);
  if (turns === 1) return swapaxes(reversed(a, [q]), p, q);
  return turns === 3 ? reversed(swapaxes(a, p, q), [q]) : reversed(a, turns === 2 ? [p, q] : []);
}

// ---- repeating

/** Seen with axes of size 1 at `at`, repeated along those to `to`, and given a shape: a copy. */
function repeated(a: NDArray, at: Shape, to: Shape, shape: Shape, operator: string): NDArray {
  checkSize(to, operator);
  const y = reshape(broadcastTo(reshape(a, at), to), shape);
  return y.storage === a.storage ? copy(y) : y;
}

/**
 * The array laid side by side, as often along each axis as `reps` says. NumPy's tile.
 * @throws ShapeError for repetitions that are no whole numbers >= 0.
 * @example np.tile([1, 2], 2) // array([1., 2., 1., 2.])
 */
export function tile(x: ArrayInput, reps: number | readonly number[]): NDArray {
  const a = toArray(x, "tile");
  const given = toShape(reps, "tile");
  const n = Math.max(a.ndim, given.length);
  const times = [...onesOf(n - given.length), ...given];
  const sizes = [...onesOf(n - a.ndim), ...a.shape];
  const pairs = (list: readonly number[]): number[] => sizes.flatMap((size, i) => [list[i]!, size]);
  return repeated(
    a,
    pairs(onesOf(n)),
    pairs(times),
    sizes.map((size, i) => size * times[i]!),
    "tile",
  );
}

/**
 * With each entry of an axis (of the flattened array by default) repeated, by one count or by a count for each. NumPy's
 * repeat.
 * @throws ValueError for counts that are no whole numbers >= 0, ShapeError where there is not one for each entry.
 * @example np.repeat([1, 2], 2) // array([1., 1., 2., 2.])
 * @example np.repeat([1, 2], [0, 3]) // array([2., 2., 2.])
 */
export function repeat(x: ArrayInput, n: number | ArrayInput, axis?: number | null): NDArray {
  const [a, at] = listAlong("repeat", toArray(x, "repeat"), axis);
  const counts: readonly number[] = typeof n === "number" ? [n] : [...toArray(n, "repeat").toTypedArray()];
  for (const count of counts) wholeNumber("repeat", "a count", count, 0);
  const { shape } = a;
  const size = shape[at]!;
  if (counts.length === 1) {
    const m = counts[0]!;
    const [lead, rest] = [shape.slice(0, at), shape.slice(at + 1)];
    return repeated(a, [...lead, size, 1, ...rest], [...lead, size, m, ...rest], [...lead, size * m, ...rest], "repeat");
  }
  if (counts.length !== size) throw new ShapeError(`repeat: ${counts.length} counts for axis ${at} of size ${size}; give one for each`);
  const total = counts.reduce((m, count) => m + count, 0);
  checkSize([...shape.slice(0, at), total, ...shape.slice(at + 1)], "repeat");
  const places = new Int32Array(total);
  let end = 0;
  counts.forEach((count, i) => {
    places.fill(i, end, (end += count));
  });
  return gathered([a, positions(places, [total])], at);
}

/**
 * The elements in another shape: repeated from the start where there are too few, left out at the end where too many.
 * A copy. NumPy's resize.
 * @throws ShapeError for a shape that is none.
 * @example np.resize([1, 2, 3], [2, 2]) // array([[1., 2.],\n       [3., 1.]])
 */
export function resize(x: ArrayInput, shape: number | readonly number[]): NDArray {
  const a = toArray(x, "resize");
  const to = toShape(shape, "resize");
  const n = sizeOf(to);
  if (a.size === 0 || n === 0) return zeroed(to, a.code);
  return reshape(slice([tile(flat(a), Math.ceil(n / a.size))], part([n], 0, 0, n)), to);
}

// ---- padding

export interface PadOptions {
  /**
   * What stands in the margin: a constant, the nearest element, the array mirrored at its outermost elements ("reflect")
   * or at its edges ("symmetric"), the array over again ("wrap"), numbers in even steps from an end value to the nearest
   * element ("linear_ramp"), a statistic along the axis, or what does not matter ("empty", here zeros).
   */
  mode?: Mode;
  /** Of mode "constant": one, [before, after], or such a pair for each axis; 0 by default. */
  constantValues?: ArrayInput;
  /** The outermost values of mode "linear_ramp", given as constants are; 0 by default. */
  endValues?: ArrayInput;
  /** How many elements from the edge a statistic is taken of, given as widths are; all of them by default. */
  statLength?: ArrayInput | null;
  /** Of modes "reflect" and "symmetric": with "odd" the mirrored elements are taken off twice the one at the edge. */
  reflectType?: "even" | "odd";
}

/** Widths by axis: of both sides, or [before, after]. */
export type Widths = Readonly<Record<number, number | readonly [number, number]>>;

type Mode = keyof typeof MODES;

/** The modes, each with the options that it has beside `mode`. */
const MODES = {
  constant: ["constantValues"],
  edge: [],
  reflect: ["reflectType"],
  symmetric: ["reflectType"],
  wrap: [],
  linear_ramp: ["endValues"],
  maximum: ["statLength"],
  minimum: ["statLength"],
  mean: ["statLength"],
  median: ["statLength"],
  empty: [],
};

/** Which element of n stands at position i beyond the ends. */
const BEYOND: Record<string, (i: number, n: number) => number> = {
  edge: (i, n) => Math.min(Math.max(i, 0), n - 1),
  wrap: modulo,
  reflect: (i, n) => (n === 1 ? 0 : n - 1 - Math.abs(n - 1 - modulo(i, 2 * n - 2))),
  symmetric: (i, n) => Math.min(modulo(i, 2 * n), 2 * n - 1 - modulo(i, 2 * n)),
};

const STATISTICS: Record<string, Reduction> = { maximum: max, minimum: min, mean, median };

/** One number, [before, after], or such a pair for each axis: as a pair for each axis. An array keeps its graph. */
function pairsOf(given: ArrayInput, ndim: number): NDArray {
  const pairs = given instanceof NDArray ? given : newArray("pad", given, { dtype: "float64" });
  const wanted = [ndim, 2];
  if (!sameShape(broadcastShapes(pairs.shape, wanted, "pad"), wanted))
    throw new ShapeError(`pad: widths or constants of shape ${showShape(pairs.shape)} for ${ndim} axes; give [before, after] for each`);
  return broadcastTo(pairs, wanted);
}

function countsOf(given: ArrayInput, ndim: number): [number, number][] {
  const pairs = pairsOf(given, ndim).tolist() as [number, number][];
  for (const n of pairs.flat()) wholeNumber("pad", "a width or length", n, 0);
  return pairs;
}

/** The widths of `pad`, also by axis: then those of others are 0. */
function widthsOf(given: ArrayInput | Widths, ndim: number): [number, number][] {
  const some = isPlain(given) ? (given as Widths) : {};
  const widths = countsOf(isPlain(given) ? 0 : given, ndim);
  axesOf(Object.keys(some).map(Number), ndim, "pad").forEach((axis, i) => {
    widths[axis] = countsOf(Object.values(some)[i]!, 1)[0]!;
  });
  return widths;
}

/** What stands in the margin of a width at one side of an axis, for the modes in which a margin is made of its own. */
function marginOf(
  mode: Mode,
  a: NDArray,
  options: PadOptions | undefined,
): (y: NDArray, axis: number, side: 0 | 1, width: number) => NDArray {
  const { ndim, code } = a;
  const statistic = STATISTICS[mode];
  // More than an axis can have.
  const lengths = countsOf(options?.statLength ?? 2 ** 31, ndim);
  const values = pairsOf(options?.constantValues ?? options?.endValues ?? 0, ndim);
  return (y, axis, side, width) => {
    const n = y.shape[axis]!;
    const { shape } = part(y.shape, axis, 0, width);
    if (mode === "constant") return valueFor(at(values, axis, side), code, shape, "pad");
    const count = statistic === undefined ? 1 : Math.min(lengths[axis]![side], n);
    let z = slice([y], part(y.shape, axis, side * (n - count), count));
    if (!isFloat(code)) z = astype(z, "float64");
    if (statistic !== undefined) z = statistic(z, axis, { keepdims: true });
    else {
      const from = valueFor(at(values, axis, side), z.code, [], "pad");
      const line = y.shape.map((_, i) => (i === axis ? width : 1));
      const parts = made(line, z.code, i => (side === 0 ? i : width - 1 - i) / width, "pad");
      z = add(multiply(subtract(z, from), parts), from);
    }
    if (z.code !== code) z = astype(code === BOOL ? z : statistic === undefined ? floor(z) : rint(z), a.dtype);
    return broadcastTo(z, shape);
  };
}

/**
 * With a margin around: `width` is one number for all sides, [before, after], such a pair for each axis, or an object with the
 * widths of some axes. A copy. NumPy's pad.
 * @throws ValueError for widths that are no whole numbers >= 0, another mode, an option of another mode, or an empty axis
 * to repeat.
 * @example np.pad([1, 2], 1) // array([0., 1., 2., 0.])
 * @example np.pad([[1, 2]], { 1: [0, 1] }) // array([[1., 2., 0.]])
 * @example np.pad([1, 2, 3], [2, 0], { mode: "reflect" }) // array([3., 2., 1., 2., 3.])
 */
export function pad(x: ArrayInput, width: ArrayInput | Widths, options?: PadOptions): NDArray {
  const a = toArray(x, "pad");
  const mode = oneOf("pad", "mode", options?.mode, Object.keys(MODES) as Mode[]);
  checkOptions("pad", options, ["mode", ...MODES[mode]]);
  const widths = widthsOf(width, a.ndim);
  const odd = oneOf("pad", "reflectType", options?.reflectType, ["even", "odd"]) === "odd";
  const shape = a.shape.map((n, axis) => n + widths[axis]![0] + widths[axis]![1]);
  checkSize(shape, "pad");
  // Zeros are around an array whose gradient is a part of that of the result.
  if (mode === "empty" || (mode === "constant" && (options?.constantValues ?? 0) === 0)) {
    const inner = { starts: widths.map(w => w[0]), steps: onesOf(a.ndim), counts: a.shape, shape: a.shape };
    return unslice([a], { slice: inner, shape });
  }
  const beyond = BEYOND[mode];
  const margin = beyond === undefined ? marginOf(mode, a, options) : null;
  let y = a;
  widths.forEach(([before, after], axis) => {
    const n = a.shape[axis]!;
    if (before + after === 0) return;
    if (n === 0 && mode !== "constant")
      throw new ValueError(`pad: axis ${axis} is empty, so there is nothing to repeat; use mode "constant"`);
    if (margin !== null) y = under("pad", () => joined([margin(y, axis, 0, before), y, margin(y, axis, 1, after)], axis));
    // Mirrored at points, as often as the axis goes into what is there already; everything else at once.
    else
      for (let [left, right] = [before, after]; left + right > 0; ) {
        const m = y.shape[axis]!;
        const skip = Number(mode === "reflect");
        const most = odd && n > skip ? m - skip - ((m - skip) % (n - skip)) : Number.POSITIVE_INFINITY;
        const [p, q] = [Math.min(left, most), Math.min(right, most)];
        const taken = (place: (i: number, n: number) => number): NDArray => {
          const places = Int32Array.from({ length: m + p + q }, (_, i) => place(i - p, m));
          return gathered([y, positions(places, [places.length])], axis);
        };
        let z = taken(beyond!);
        if (odd) {
          const points = subtract(multiply(taken(BEYOND.edge!), 2), z);
          const margin = (from: number, width: number): NDArray => slice([points], part(z.shape, axis, from, width));
          z = joined(
            [margin(0, p), y, margin(p + m, q)].map(x => typed(x, a.code)),
            axis,
          );
        }
        y = z;
        left -= p;
        right -= q;
      }
  });
  return y === a ? copy(a) : y;
}

// ---- triangles and diagonals

function triangle(operator: string, x: ArrayInput, k: unknown, lower: boolean): NDArray {
  const a = toArray(x, operator);
  const last = toAxis(-1, a.ndim, operator);
  const at = wholeNumber(operator, "k", k ?? 0);
  const below = belowDiagonal(a.shape[Math.max(0, last - 1)]!, a.shape[last]!, lower ? at : at - 1);
  // A number would make a bool array int32.
  const nothing = a.code === BOOL ? false : 0;
  return lower ? where(below, a, nothing) : where(below, nothing, a);
}

/**
 * The last two axes with zeros above the k-th diagonal, where the gradient is exactly 0. NumPy's tril.
 * @throws ShapeError for a 0-d array.
 * @example np.tril([[1, 2], [3, 4]]) // array([[1., 0.],\n       [3., 4.]])
 */
export const tril = (x: ArrayInput, k?: number | null): NDArray => triangle("tril", x, k, true);

/**
 * The last two axes with zeros below the k-th diagonal, where the gradient is exactly 0. NumPy's triu.
 * @throws ShapeError for a 0-d array.
 * @example np.triu([[1, 2], [3, 4]]) // array([[1., 2.],\n       [0., 4.]])
 */
export const triu = (x: ArrayInput, k?: number | null): NDArray => triangle("triu", x, k, false);

/**
 * The diagonal of two axes, which begins `offset` columns to the right (or rows below, where negative), as a last axis. A
 * view that can be written to. NumPy's diagonal.
 * @throws ShapeError for axes out of range, ValueError for the same axis twice.
 * @example np.diagonal([[1, 2], [3, 4]]) // array([1., 4.])
 */
export const diagonal = (x: ArrayInput, offset?: number | null, axis1?: number | null, axis2?: number | null): NDArray =>
  diagonalFor("diagonal", x, offset, axis1, axis2);

function diagonalFor(operator: string, x: ArrayInput, offset: unknown, axis1: unknown, axis2: unknown): NDArray {
  const a = toArray(x, operator);
  const [p, q] = axesOf([axis1 ?? 0, axis2 ?? 1], a.ndim, operator);
  return diagonalOf([a], { offset: wholeNumber(operator, "offset", offset ?? 0), axis1: p!, axis2: q! });
}

/**
 * The sum along a diagonal of two axes; small integers are summed in int32. NumPy's trace.
 * @throws ShapeError for axes out of range, ValueError for the same axis twice.
 * @example np.trace([[1, 2], [3, 4]]) // array(5.)
 */
export function trace(
  x: ArrayInput,
  offset?: number | null,
  axis1?: number | null,
  axis2?: number | null,
  options?: { dtype?: DType },
): NDArray {
  checkOptions("trace", options, ["dtype"]);
  return sum(diagonalFor("trace", x, offset, axis1, axis2), -1, options);
}

/**
 * A matrix with the elements of a 1-d array on its k-th diagonal and zeros beside it; of a matrix its k-th diagonal, as a
 * view. NumPy's diag.
 * @throws ShapeError for other numbers of axes.
 * @example np.diag([1, 2]) // array([[1., 0.],\n       [0., 2.]])
 */
export function diag(x: ArrayInput, k?: number | null): NDArray {
  const a = toArray(x, "diag");
  if (a.ndim === 1) return onDiagonalOf("diag", a, k);
  if (a.ndim !== 2) throw new ShapeError(`diag: an array of shape ${showShape(a.shape)}; it must have one axis or two`);
  return diagonalFor("diag", a, k, 0, 1);
}

function onDiagonalOf(operator: string, a: NDArray, k: unknown): NDArray {
  const offset = wholeNumber(operator, "k", k ?? 0);
  const n = a.size + Math.abs(offset);
  checkSize([n, n], operator);
  return onDiagonal([a], { offset, axis1: 0, axis2: 1, shape: [n, n] });
}

/**
 * A matrix with all elements of an array on its k-th diagonal. NumPy's diagflat.
 * @example np.diagflat([[1], [2]]) // array([[1., 0.],\n       [0., 2.]])
 */
export const diagflat = (x: ArrayInput, k?: number | null): NDArray => onDiagonalOf("diagflat", flat(toArray(x, "diagflat")), k);

// ---- splitting

function cut(operator: string, a: NDArray, sections: unknown, axis: number, even: boolean): NDArray[] {
  const n = a.shape[axis]!;
  const given = toArray(sections as ArrayInput, operator);
  const list = typeof sections === "number" ? [sections] : given.toTypedArray();
  if (given.ndim > 1) throw new ShapeError(`${operator}: sections are a number or a list, got one of shape ${showShape(given.shape)}`);
  let bounds: (i: number) => { start: number; count: number };
  let count = list.length + 1;
  if (given.ndim === 0) {
    count = wholeNumber(operator, "the number of sections", list[0], 1);
    if (even && n % count !== 0)
      throw new ShapeError(`${operator}: axis ${axis} of size ${n} does not divide into ${count} equal sections; use arraySplit`);
    checkSize([count], operator);
    const size = Math.floor(n / count);
    const longer = n % count;
    bounds = i => ({ start: i * size + Math.min(i, longer), count: size + Number(i < longer) });
  } else {
    for (const at of list) if (!Number.isInteger(at)) throw new DTypeError(`${operator}: a position is a whole number, got ${at}`);
    bounds = i => resolve(new Range(i === 0 ? 0 : list[i - 1]!, list[i] ?? n, 1), n);
  }
  return Array.from({ length: count }, (_, i) => {
    const { start, count: size } = bounds(i);
    return slice([a], part(a.shape, axis, start, size));
  });
}

/** A number of equal sections, or the positions where to cut. */
export type Sections = number | ArrayInput;

function splitting(operator: string, x: ArrayInput, sections: Sections, axis: unknown, even: boolean): NDArray[] {
  const a = toArray(x, operator);
  return cut(operator, a, sections, toAxis(axis ?? 0, a.ndim, operator), even);
}

/**
 * The parts of an array along an axis: so many of equal size, or those between the positions given. Views. NumPy's split.
 * @throws ShapeError where the axis does not divide, ValueError for a number of sections below 1.
 * @example np.split([1, 2, 3, 4], 2) // [array([1., 2.]), array([3., 4.])]
 * @example np.split([1, 2, 3, 4], [1]) // [array([1.]), array([2., 3., 4.])]
 */
export const split = (x: ArrayInput, sections: Sections, axis?: number | null): NDArray[] => splitting("split", x, sections, axis, true);

/**
 * As split, but where the axis does not divide the first parts are longer by one. Views. NumPy's array_split.
 * @throws ValueError for a number of sections below 1.
 * @example np.arraySplit([1, 2, 3], 2) // [array([1., 2.]), array([3.])]
 */
export const arraySplit = (x: ArrayInput, sections: Sections, axis?: number | null): NDArray[] =>
  splitting("arraySplit", x, sections, axis, false);

/** As split along axis 1, of a 1-d array along axis 0. Views. NumPy's hsplit. @throws as split. @example np.hsplit([1, 2], 2) // [array([1.]), array([2.])] */
export const hsplit = (x: ArrayInput, sections: Sections): NDArray[] => {
  const a = toArray(x, "hsplit");
  return splitting("hsplit", a, sections, a.ndim === 1 ? 0 : 1, true);
};

/** As split along axis 0, of an array with at least two axes. Views. NumPy's vsplit. @throws as split. @example np.vsplit([[1], [2]], 2) // [array([[1.]]), array([[2.]])] */
export const vsplit = (x: ArrayInput, sections: Sections): NDArray[] => {
  const a = toArray(x, "vsplit");
  return cut("vsplit", a, sections, toAxis(1, a.ndim, "vsplit") - 1, true);
};

/** As split along axis 2. Views. NumPy's dsplit. @throws as split. @example np.dsplit([[[1, 2]]], 2) // [array([[[1.]]]), array([[[2.]]])] */
export const dsplit = (x: ArrayInput, sections: Sections): NDArray[] => splitting("dsplit", x, sections, 2, true);

// ---- putting in, leaving out

/** Positions along an axis, as `insert` and `delete` take them: one, a list, a slice, or a mask. */
export type Places = ArrayInput | Range;

/** The positions named, each from 0 to below `end`. */
function placesOf(operator: string, given: Places, axis: number, n: number, end: number): number[] {
  if (given instanceof Range) {
    const { start, count } = resolve(given, n);
    return Array.from({ length: count }, (_, i) => start + i * given.step);
  }
  const list = typeof given === "number" ? null : toArray(given, operator);
  if (list?.code === BOOL) {
    if (!sameShape(list.shape, [n]))
      throw new ShapeError(`${operator}: a mask of shape ${showShape(list.shape)} for axis ${axis} of size ${n}; they must be equal`);
    return [...list.toTypedArray()].flatMap((set, k) => (set === 0 ? [] : [k]));
  }
  return Array.from(list === null ? [given as number] : list.toTypedArray(), at => {
    if (!Number.isInteger(at)) throw new DTypeError(`${operator}: a position is a whole number, got ${at}`);
    if (at < -n || at >= end) throw new IndexError(`${operator}: position ${at} is out of range for axis ${axis} of size ${n}`);
    return at < 0 ? at + n : at;
  });
}

/**
 * The array with values put in before positions of an axis; without an axis it is flattened first. Values broadcast, and
 * take the array's dtype; at one position there may be several. NumPy's insert.
 * @throws IndexError for a position out of range, ShapeError where the values do not fit.
 * @example np.insert([1, 2, 3], 1, 9) // array([1., 9., 2., 3.])
 */
export function insert(x: ArrayInput, i: Places, values: ArrayInput, axis?: number | null): NDArray {
  const [a, at] = along("insert", toArray(x, "insert"), axis);
  const n = a.shape[at]!;
  const list = placesOf("insert", i, at, n, n + 1);
  let v = values instanceof NDArray ? values : newArray("insert", values, { dtype: a.dtype });
  let m = list.length;
  let places: number[];
  if (m === 1) {
    if (v.ndim < a.ndim) v = reshape(v, [...onesOf(a.ndim - v.ndim), ...v.shape]);
    // A bare position takes away the axis, as x[i] does.
    if (typeof i === "number" || (i instanceof NDArray && i.ndim === 0)) v = moveaxis(v, 0, at);
    m = v.shape[at]!;
    places = Array.from({ length: m }, (_, j) => list[0]! + j);
  } else {
    places = new Array<number>(m);
    const order = [...list.keys()].sort((p, q) => list[p]! - list[q]! || p - q);
    order.forEach((j, rank) => {
      places[j] = list[j]! + rank;
    });
  }
  const shape = part(a.shape, at, 0, m).shape;
  const from = new Int32Array(n + m).fill(-1);
  places.forEach((place, j) => {
    from[place] = n + j;
  });
  let next = 0;
  const block = valueFor(v, a.code, shape, "insert");
  return gathered(
    [
      joined([a, block], at),
      positions(
        from.map(k => (k < 0 ? next++ : k)),
        [n + m],
      ),
    ],
    at,
  );
}

/**
 * The array without the entries at positions of an axis; without an axis it is flattened first. NumPy's delete.
 * @throws IndexError for a position out of range.
 * @example np.delete([1, 2, 3], 1) // array([1., 3.])
 */
function remove(x: ArrayInput, i: Places, axis?: number | null): NDArray {
  const [a, at] = along("delete", toArray(x, "delete"), axis);
  const n = a.shape[at]!;
  const gone = new Uint8Array(n);
  for (const place of placesOf("delete", i, at, n, n)) gone[place] = 1;
  const kept = new Int32Array(n - gone.reduce((m, v) => m + v, 0));
  for (let k = 0, j = 0; k < n; k++) if (gone[k] === 0) kept[j++] = k;
  return gathered([a, positions(kept, [kept.length])], at);
}

export { remove as delete };

// ---- unique

export interface UniqueOptions {
  /** Also where each first occurs. */
  returnIndex?: boolean;
  /** Also which of them each element of the (flattened) array is. */
  returnInverse?: boolean;
  /** Also how often each occurs. */
  returnCounts?: boolean;
  /** Compare whole entries along an axis instead of elements. */
  axis?: number | null;
  /** Whether all NaN are one element (they are unless given). Entries along an axis that hold NaN are never equal. */
  equalNan?: boolean;
}

/** What `unique` gives: a list where more than the elements is asked for. */
export type Unique<O> = O extends { returnIndex: true } | { returnInverse: true } | { returnCounts: true } ? NDArray[] : NDArray;

/**
 * The different elements in ascending order, NaN once and last; or the different entries along an axis. With more asked
 * for, a list: the elements, then (int32) the positions, inverse and counts. The gradient goes to the first of equals.
 * NumPy's unique.
 * @example np.unique([3, 1, 3]) // array([1., 3.])
 * @example np.unique([3, 1, 3], { returnCounts: true }) // [array([1., 3.]), array([1, 2], dtype=int32)]
 */
export function unique<O extends UniqueOptions>(x: ArrayInput, options?: O): Unique<O> {
  const names = ["returnIndex", "returnInverse", "returnCounts"] as const;
  checkOptions("unique", options, [...names, "axis", "equalNan"]);
  const asked = names.map(name => flag("unique", name, options?.[name], false));
  const whole = isAbsent(options?.axis);
  const oneNan = flag("unique", "equalNan", options?.equalNan, true) && whole;
  const [a, at] = along("unique", toArray(x, "unique"), options?.axis);
  const n = a.shape[at]!;
  const rows = flat(moveaxis(a, at, 0));
  const width = n === 0 ? 0 : a.size / n;
  const v = rows.toTypedArray();
  const compare = (i: number, j: number): number => {
    for (let k = 0; k < width; k++) {
      const p = v[i * width + k]!;
      const q = v[j * width + k]!;
      if (p !== q && !(Number.isNaN(p) && Number.isNaN(q))) return p < q || Number.isNaN(q) ? -1 : 1;
    }
    return 0;
  };
  const isOther = (i: number): boolean => !oneNan && v.subarray(i * width, (i + 1) * width).includes(Number.NaN);
  // Sorting is stable, so the first of equals comes first.
  const order = whole ? argsort(rows).toTypedArray() : [...new Array(n).keys()].sort(compare);
  const first: number[] = [];
  const counts: number[] = [];
  const inverse = new Int32Array(n);
  order.forEach((i: number, rank: number) => {
    if (rank === 0 || compare(order[rank - 1]!, i) !== 0 || isOther(i)) {
      first.push(i);
      counts.push(0);
    }
    inverse[i] = first.length - 1;
    counts[counts.length - 1]!++;
  });
  const y = gathered([a, positions(first, [first.length])], at);
  const extras = [first, inverse, counts].filter((_, i) => asked[i]).map(list => fromValues(list, [list.length], I32));
  return (extras.length === 0 ? y : [y, ...extras]) as Unique<O>;
}
