/** What the rows of matrices share: how they reach host numbers and come back, and parts of them as arrays. */
import { type ArrayInput, addressOf, blank, fromValues, memoryOf, type NDArray } from "../../array.ts";
import type { Workspace } from "../../backend/routines/factor.ts";
import { toArray } from "../../convert.ts";
import { BOOL, DTYPES, F32, isFloat, SHIFT } from "../../dtype.ts";
import { ShapeError, ValueError } from "../../errors.ts";
import { type Shape, showShape, sizeOf } from "../../shape.ts";
import { equal, reciprocal, where } from "../pointwise.ts";
import { astype, part, reshape, slice, swapaxes } from "../structural.ts";

/** The elements in C order, widened to float64: factorisations compute in that, and round their results. */
export function doubles(x: NDArray): Float64Array {
  const values = x.toTypedArray();
  return values instanceof Float64Array ? values : new Float64Array(values);
}

export function fromDoubles(values: Float64Array, shape: Shape, code: number): NDArray {
  const y = blank(shape, values.length, code);
  const start = addressOf(y) >> SHIFT[code]!;
  memoryOf(code).set(values, start);
  return y;
}

export function checkFinite(values: Float64Array, operator: string): void {
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i]!)) throw new ValueError(`${operator}: the matrix holds ${values[i]}; all elements must be finite`);
}

export type Write = (values: Float64Array, first: number, out: Float64Array, to: number, work: Workspace) => void;

/**
 * A row's result, of shape `tail` for each of the matrices in the last two axes: what `write` makes of that at `first` goes
 * to `out` from `to` on. One workspace serves them all. With a name, elements must be finite.
 */
export function eachMatrix(x: NDArray, tail: Shape, space: () => Workspace, write: Write, finite = ""): NDArray {
  const lead = x.shape.slice(0, -2);
  const size = sizeOf(x.shape.slice(-2));
  const length = sizeOf(tail);
  const out = new Float64Array(sizeOf(lead) * length);
  if (out.length > 0) {
    const values = doubles(x);
    if (finite !== "") checkFinite(values, finite);
    const work = space();
    try {
      for (let i = 0; i * length < out.length; i++) write(values, i * size, out, i * length, work);
    } finally {
      work.free();
    }
  }
  return fromDoubles(out, [...lead, ...tail], x.code);
}

/** Arrays that lie behind one another along the last axis of one, each in a shape of its own: so a row has several results. */
export function unpacked(packed: NDArray, ...shapes: Shape[]): NDArray[] {
  const lead = packed.shape.slice(0, -1);
  let at = 0;
  return shapes.map(shape => {
    const size = sizeOf(shape);
    at += size;
    return reshape(slice([packed], part(packed.shape, lead.length, at - size, size)), [...lead, ...shape]);
  });
}

/** The rows and columns of the matrices in the last two axes. */
export const sidesOf = (shape: Shape): [number, number] => [shape.at(-2)!, shape.at(-1)!];

export const transposed = (x: NDArray): NDArray => swapaxes(x, -1, -2);

/** Matrices in the last two axes, in a float dtype: integers become float32. */
export function matricesOf(given: ArrayInput, operator: string): NDArray {
  const x = toArray(given, operator);
  if (x.ndim < 2)
    throw new ShapeError(`${operator}: an array of shape ${showShape(x.shape)} is no matrix; give at least two axes, as with reshape`);
  return isFloat(x.code) ? x : astype(x, DTYPES[F32]!);
}

/** The same, where the matrices must be square. */
export function squareOf(given: ArrayInput, operator: string): NDArray {
  const x = matricesOf(given, operator);
  const [m, n] = sidesOf(x.shape);
  if (m !== n)
    throw new ShapeError(`${operator}: the matrices of an array of shape ${showShape(x.shape)} are ${m} × ${n}; they must be square`);
  return x;
}

/** 1/x, and 0 for 0. */
export const inverted = (x: NDArray): NDArray => where(equal(x, 0), 0, reciprocal(x));

/** The elements of square matrices below their diagonal and on it, or strictly below; zeros elsewhere. @internal */
export function lowerPart(x: NDArray, strictly = false): NDArray {
  const n = x.shape.at(-1)!;
  const mask = new Uint8Array(n * n);
  for (let i = 0; i < n; i++) mask.fill(1, i * n, i * n + i + Number(!strictly));
  return where(fromValues(mask, [n, n], BOOL), x, 0);
}
