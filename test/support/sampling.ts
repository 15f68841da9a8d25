/** Numbers to try operators on, and arrays of every layout made of them. Knows no operator. */
import { type DType, type NDArray, np } from "nabla";
import { forEachOffset } from "../../src/array.ts";
import { DTYPES, type TypedArray, typedArrayOf } from "../../src/dtype.ts";

export type Shape = readonly number[];
export type Next = () => number;

/** Numbers in [0, 1): a counter, multiplied and mixed; the same at every run. */
export function randomNumbers(seed: number): Next {
  let state = Math.imul(seed, 0x9e3779b9) >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** A seed of a name, so that each row has numbers of its own. */
export const seedOf = (name: string): number => [...name].reduce((h, c) => (Math.imul(h, 31) + c.charCodeAt(0)) | 0, 7);

export const sizeOf = (shape: Shape): number => shape.reduce((n, k) => n * k, 1);

/** Where number formats and functions have corners: zeros, the ends of the range, subnormals, halves, no numbers. */
export const SPECIAL: Record<DType, readonly number[]> = {
  float32: [0, -0, 1, -1, 0.5, -2.5, 3, 1e-3, 88.5, -104, 3.4e38, -3.4e38, 1.2e-38, -1e-40, 1.4e-45, Infinity, -Infinity, Number.NaN],
  float64: [0, -0, 1, -1, 0.5, -2.5, 3, 1e-3, 709.5, -746, 1.7e308, -1.7e308, 2.3e-308, -1e-310, 5e-324, Infinity, -Infinity, Number.NaN],
  int32: [0, 1, -1, 2, 7, -8, 65536, 16777217, 2147483647, -2147483648],
  int8: [0, 1, -1, 2, 7, 100, 127, -128],
  uint8: [0, 1, 2, 7, 100, 128, 200, 255],
  bool: [0, 1],
};

/**
 * n numbers for operand number `operand`, inside the domain and away from every corner that a function may have there:
 * on a grid of steps of 0.1 (a tenth of the domain if that is narrow), shifted from its lines by another part for each
 * operand, so that no two operands, no operand and 0 or a multiple of 0.1 come nearer than a fifth of a step. Without
 * repetition as long as the domain has enough of them.
 */
export function samples(n: number, domain: readonly [number, number], operand: number, next: Next): Float64Array {
  const [low, high] = domain;
  const step = Math.min(0.1, (high - low) / 10);
  const shift = [0.5, 0.2, 0.8, 0.35, 0.65][operand % 5]! * step;
  const first = Math.ceil((low - shift) / step + 0.3);
  const last = Math.floor((high - shift) / step - 0.3);
  const grid = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step + shift);
  const out = new Float64Array(n);
  let left: number[] = [];
  for (let i = 0; i < n; i++) {
    if (left.length === 0) left = grid.slice();
    out[i] = left.splice(Math.floor(next() * left.length), 1)[0]!;
  }
  return out;
}

/** An array of host values in a shape and dtype. */
export const arrayOf = (values: ArrayLike<number>, shape: Shape, dtype: DType): NDArray =>
  np.reshape(np.array(typed(values, dtype), { dtype }), shape);

function typed(values: ArrayLike<number>, dtype: DType): TypedArray {
  return new (typedArrayOf(DTYPES.indexOf(dtype)))(values);
}

/** A way for an array of a shape to lie in memory: a view of a larger one. */
export interface Layout {
  readonly name: string;
  readonly fits: (shape: Shape) => boolean;
  /** The shape of the array that the view is of. */
  readonly base: (shape: Shape) => Shape;
  readonly view: (base: NDArray, shape: Shape) => NDArray;
}

const hasAxes = (shape: Shape): boolean => shape.length > 0;

export const LAYOUTS: readonly Layout[] = [
  { name: "contiguous", fits: () => true, base: s => s, view: x => x },
  { name: "offset", fits: () => true, base: s => [sizeOf(s) + 3], view: (x, s) => x.at(np.slice(1, sizeOf(s) + 1)).reshape(s) },
  { name: "strided", fits: hasAxes, base: s => [...s.slice(0, -1), s.at(-1)! * 2], view: x => x.at("...", "::2") },
  { name: "rows apart", fits: s => s.length > 1, base: s => [...s.slice(0, -1), s.at(-1)! + 1], view: x => x.at("...", ":-1") },
  { name: "reversed", fits: hasAxes, base: s => s, view: (x, s) => x.at(...s.map(() => "::-1")) },
  { name: "transposed", fits: s => s.length > 1, base: s => s.slice().reverse(), view: x => x.T },
  { name: "one column of many", fits: hasAxes, base: s => [...s, 3], view: x => x.at("...", 1) },
];

/** A layout whose elements share memory along an axis; operands must be able to repeat, so the values do. */
export const BROADCAST: Layout = {
  name: "broadcast",
  fits: hasAxes,
  base: s => [...s.slice(0, -1), Math.min(1, s.at(-1)!)],
  view: (x, s) => np.broadcastTo(x, s),
};

/** A base whose view in the layout has the values, in C order; everything else in it is a number that none of them is. */
export function laid(values: ArrayLike<number>, shape: Shape, dtype: DType, layout: Layout): { base: NDArray; view: NDArray } {
  const baseShape = layout.base(shape);
  const plain = np.zeros(baseShape, { dtype });
  const probe = layout.view(plain, shape);
  const data = typed(new Array<number>(sizeOf(baseShape)).fill(dtype === "bool" ? 1 : 91), dtype);
  forEachOffset(probe.shape, probe.strides, (at, i) => {
    data[probe.offset + at] = values[i]!;
  });
  const base = arrayOf(data, baseShape, dtype);
  return { base, view: layout.view(base, shape) };
}

/** Every element of an array, in C order, as numbers. */
export const valuesOf = (x: NDArray): number[] => Array.from(x.toTypedArray());

/** The shape two shapes broadcast to. */
export function broadcastShape(a: Shape, b: Shape): Shape {
  const n = Math.max(a.length, b.length);
  return Array.from({ length: n }, (_, i) => {
    const p = a[i - n + a.length] ?? 1;
    const q = b[i - n + b.length] ?? 1;
    return p === 1 ? q : p;
  });
}

/** The values of an array of `shape` repeated to a larger shape, by counting. */
export function broadcastValues(values: ArrayLike<number>, shape: Shape, target: Shape): number[] {
  const out: number[] = [];
  for (let i = 0, n = sizeOf(target); i < n; i++) {
    let rest = i;
    let at = 0;
    let step = 1;
    for (let axis = target.length - 1, k = shape.length - 1; k >= 0; axis--, k--) {
      const p = rest % target[axis]!;
      rest = Math.floor(rest / target[axis]!);
      if (shape[k] !== 1) at += p * step;
      step *= shape[k]!;
    }
    out.push(values[at]!);
  }
  return out;
}

/** Why two lists of numbers differ in their bits (NaNs are equal, zeros of two signs not); empty where they do not. */
export function difference(actual: ArrayLike<number>, expected: ArrayLike<number>): string {
  if (actual.length !== expected.length) return `${actual.length} elements, not ${expected.length}`;
  for (let i = 0; i < actual.length; i++)
    if (!Object.is(actual[i], expected[i])) return `element ${i} of ${actual.length} is ${show(actual[i]!)}, not ${show(expected[i]!)}`;
  return "";
}

const show = (x: number): string => (Object.is(x, -0) ? "-0" : String(x));

/** Why numbers are further apart than the tolerance, relative to the wanted ones above 1; empty where they are not. */
export function closeness(actual: readonly number[], wanted: readonly number[], tolerance: number): string {
  if (actual.length !== wanted.length) return `${actual.length} elements, not ${wanted.length}`;
  for (let i = 0; i < actual.length; i++) {
    const [a, w] = [actual[i]!, wanted[i]!];
    if (!Object.is(a, w) && !(Math.abs(a - w) <= tolerance * Math.max(1, Math.abs(w)))) return `element ${i} is ${a}, not ${w}`;
  }
  return "";
}

/** A float64 array of numbers within a domain. */
export const arrayWithin = (shape: readonly number[], domain: readonly [number, number], next: () => number): NDArray =>
  arrayOf(
    samples(
      shape.reduce((n, k) => n * k, 1),
      domain,
      0,
      next,
    ),
    shape,
    "float64",
  );

/**
 * All of a list, or every fifth of it in the smallest memory, where a test asks about memory more than about the operator;
 * `npm test -- --full` takes all there too.
 */
export const some = <T>(list: readonly T[]): readonly T[] =>
  process.env.TORTURE === "on" && process.env.TEST_FULL !== "on" ? list.filter((_, i) => i % 5 === 1) : list;
