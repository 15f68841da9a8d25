/** Shapes and strides as plain lists of numbers: sizes, broadcasting, axes, views. Pure functions, no state. */
import { describe, ShapeError, ValueError } from "./errors.ts";

export type Shape = readonly number[];

export const SCALAR: Shape = Object.freeze([]);
/** The largest number of elements an array may have: bytes must fit 32-bit addresses. */
export const MAX_SIZE = 2 ** 29;
/** The most axes, as in NumPy 1. */
export const MAX_NDIM = 32;

/** `(3, 4)`, `(3,)`, `()`: a shape the way Python prints it. */
export const showShape = (shape: Shape): string => (shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`);

export function sizeOf(shape: Shape): number {
  let n = 1;
  for (let i = 0; i < shape.length; i++) n *= shape[i]!;
  return n;
}

/** Strides, in elements, of a C-contiguous array. */
export function contiguousStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  for (let i = shape.length - 1, step = 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i]!;
  }
  return strides;
}

/** Whether elements lie in C order without gaps; axes of length 1 do not matter, nor does anything in an empty array. */
export function isContiguous(shape: Shape, strides: readonly number[]): boolean {
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    const n = shape[i]!;
    if (n === 0) return true;
    if (n !== 1 && strides[i] !== step) return false;
    step *= n;
  }
  return true;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Two shapes below each other as broadcasting pairs their axes, from the last; a mark below the axis where they do not fit. */
function picture(a: Shape, b: Shape, axis: number): string {
  const n = Math.max(a.length, b.length);
  const columns = Array.from({ length: n }, (_, i) => [a[i - n + a.length], b[i - n + b.length]].map(size => String(size ?? "")));
  const widths = columns.map(pair => Math.max(...pair.map(text => text.length)));
  const line = (texts: readonly string[]): string => texts.map((text, i) => text.padStart(widths[i]!)).join("  ");
  const rows = [columns.map(pair => pair[0]!), columns.map(pair => pair[1]!), columns.map((_, i) => (i === axis ? "^" : ""))];
  return rows.map(row => `\n    ${line(row).trimEnd()}`).join("");
}

/** The shape two shapes broadcast to, by NumPy's rule. */
export function broadcastShapes(a: Shape, b: Shape, operator: string): Shape {
  if (sameShape(a, b)) return a;
  const n = Math.max(a.length, b.length);
  const out = new Array<number>(n);
  for (let i = n - 1, p = a.length - 1, q = b.length - 1; i >= 0; i--, p--, q--) {
    const x = p < 0 ? 1 : a[p]!;
    const y = q < 0 ? 1 : b[q]!;
    if (x !== y && x !== 1 && y !== 1)
      throw new ShapeError(
        `${operator}: cannot broadcast ${showShape(a)} with ${showShape(b)}: axis ${i} has sizes ${x} and ${y}; sizes must be equal, or one of them 1${picture(a, b, i)}`,
      );
    out[i] = x === 1 ? y : x;
  }
  checkSize(out, operator);
  return out;
}

/** Strides that show an array of `shape` as the larger `target`: 0 along every repeated axis. */
export function broadcastStrides(shape: Shape, strides: readonly number[], target: Shape): number[] {
  const lead = target.length - shape.length;
  return target.map((n, i) => (i < lead || (shape[i - lead] === 1 && n !== 1) ? 0 : strides[i - lead]!));
}

/** A shape given by a caller: a number or a list of whole numbers >= 0. */
export function toShape(given: unknown, operator: string): Shape {
  const list = typeof given === "number" ? [given] : given;
  if (!Array.isArray(list)) throw new ShapeError(`${operator}: a shape is a number or a list of numbers, got ${describe(given)}`);
  for (let i = 0; i < list.length; i++) {
    const n: unknown = list[i];
    if (typeof n !== "number" || !Number.isInteger(n) || n < 0)
      throw new ShapeError(`${operator}: sizes are whole numbers >= 0, got ${describe(n)} at position ${i} of the shape`);
  }
  if (list.length > MAX_NDIM) throw new ShapeError(`${operator}: a shape of ${list.length} axes; an array has ${MAX_NDIM} at most`);
  checkSize(list, operator);
  return list.slice();
}

/** How many elements lie along axes. */
export const countOf = (shape: Shape, axes: readonly number[]): number => axes.reduce((n, axis) => n * shape[axis]!, 1);

/** A shape whose reduced axes stay, with size 1. */
export const reducedShape = (shape: Shape, axes: readonly number[]): number[] => shape.map((n, axis) => (axes.includes(axis) ? 1 : n));

/** The shape of n axes of size 1. */
export const onesOf = (n: number): number[] => new Array<number>(n).fill(1);

export function checkSize(shape: Shape, operator: string): void {
  if (sizeOf(shape) > MAX_SIZE)
    throw new ShapeError(`${operator}: the shape ${showShape(shape)} has more than ${MAX_SIZE} elements, the most an array can have`);
}

/** An axis given by a caller, counted from the front; negative ones count from the end. */
export function toAxis(axis: unknown, ndim: number, operator: string): number {
  if (typeof axis !== "number" || !Number.isInteger(axis))
    throw new ValueError(`${operator}: an axis is a whole number, got ${describe(axis)}`);
  if (axis < -ndim || axis >= ndim)
    throw new ShapeError(
      ndim === 0
        ? `${operator}: axis ${axis} of a 0-d array, which has no axes`
        : `${operator}: axis ${axis} is out of range for ${ndim} ${ndim === 1 ? "axis" : "axes"}; use ${-ndim} to ${ndim - 1}`,
    );
  return axis < 0 ? axis + ndim : axis;
}

/** One axis or a list of them, in the order given, each at most once. */
export function axesOf(axis: unknown, ndim: number, operator: string): number[] {
  const axes = Array.from(Array.isArray(axis) ? axis : [axis], i => toAxis(i, ndim, operator));
  const twice = axes.find((i, k) => axes.indexOf(i) < k);
  if (twice !== undefined) throw new ValueError(`${operator}: axis ${twice} is named twice in ${describe(axis)}`);
  return axes;
}

/** Whether some functions take a 0-d array for a list of one, as NumPy's do. */
export const isOnly = (axis: unknown, ndim: number): boolean => ndim === 0 && (axis === 0 || axis === -1);

/** All axes, by how many there are. */
const ALL_AXES: (readonly number[])[] = [];

/** The axes an operator works on, ascending and without repeats; null and undefined mean all of them. */
export function toAxes(axis: unknown, ndim: number, operator: string): readonly number[] {
  if (axis === undefined || axis === null) return (ALL_AXES[ndim] ??= Array.from({ length: ndim }, (_, i) => i));
  return axesOf(axis, ndim, operator).sort((p, q) => p - q);
}

/** The shape that `reshape` gives: at most one -1, which is found from the size. */
export function reshaped(shape: Shape, given: unknown, operator: string): Shape {
  const size = sizeOf(shape);
  const list = typeof given === "number" ? [given] : given;
  if (!Array.isArray(list)) throw new ShapeError(`${operator}: a shape is a number or a list of numbers, got ${describe(given)}`);
  let hole = -1;
  let known = 1;
  for (let i = 0; i < list.length; i++) {
    const n: unknown = list[i];
    if (n === -1) {
      if (hole >= 0) throw new ShapeError(`${operator}: only one size may be -1, got ${describe(list)}`);
      hole = i;
    } else if (typeof n !== "number" || !Number.isInteger(n) || n < 0)
      throw new ShapeError(`${operator}: sizes are whole numbers >= 0 or one -1, got ${describe(n)} at position ${i} of the shape`);
    else known *= n;
  }
  const out: number[] = list.slice();
  if (hole >= 0) out[hole] = known === 0 ? 0 : size / known;
  if (sizeOf(out) !== size || (hole >= 0 && (known === 0 || !Number.isInteger(size / known))))
    throw new ShapeError(
      `${operator}: cannot give ${showShape(shape)}, which has ${size} element${size === 1 ? "" : "s"}, the shape ${showShape(list)}`,
    );
  return out;
}

/** Strides of a view of the new shape on the same memory, or null where elements would have to move. */
export function reshapeStrides(shape: Shape, strides: readonly number[], target: Shape): number[] | null {
  if (sizeOf(shape) === 0) return contiguousStrides(target);
  // Blocks of old axes that together hold as much as a block of new axes must be contiguous in themselves.
  const old: [number, number][] = [];
  for (let i = 0; i < shape.length; i++) if (shape[i] !== 1) old.push([shape[i]!, strides[i]!]);
  const out = new Array<number>(target.length).fill(1);
  let i = 0;
  let j = 0;
  while (i < old.length && j < target.length) {
    let have = old[i]![0];
    let want = target[j]!;
    const firstOld = i++;
    const firstNew = j++;
    while (have !== want) {
      if (have < want) have *= old[i++]![0];
      else want *= target[j++]!;
    }
    for (let k = firstOld; k < i - 1; k++) if (old[k]![1] !== old[k + 1]![0] * old[k + 1]![1]) return null;
    for (let k = j - 1, step = old[i - 1]![1]; k >= firstNew; k--) {
      out[k] = step;
      step *= target[k]!;
    }
  }
  return out;
}
