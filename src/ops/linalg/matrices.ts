/** What the rows of matrices share: how they reach host numbers and come back, and parts of them as arrays. */
import { type ArrayInput, addressOf, blank, fromValues, type NDArray, recycle } from "../../array.ts";
import type { Workspace } from "../../backend/matrices/workspace.ts";
import { F64 as memory } from "../../backend/wasm/heap.ts";
import { toArray } from "../../convert.ts";
import { BOOL, F64 } from "../../dtype.ts";
import { ShapeError, ValueError } from "../../errors.ts";
import { type Shape, showShape, sizeOf } from "../../shape.ts";
import { add, equal, reciprocal, where } from "../pointwise.ts";
import { cast, inFloat, part, reshape, slice, swapaxes } from "../structural.ts";

/** The elements in C order, widened to float64: factorisations compute in that, and round their results. */
export function doubles(x: NDArray): Float64Array {
  const values = x.toTypedArray();
  return values instanceof Float64Array ? values : new Float64Array(values);
}

/** Where arrays are read and written in the memory, in elements of float64: each input and the output, in C order. */
type Visit = (from: readonly number[], to: number) => void;

/**
 * A row's result: what `visit` makes of inputs, all as float64 in memory, in the workspace that `space` gives it. Nothing
 * may be allocated meanwhile, for that could move them.
 */
export function computed(
  xs: readonly NDArray[],
  shape: Shape,
  space: () => Workspace,
  visit: (...args: [...Parameters<Visit>, Workspace]) => void,
): NDArray {
  const { code } = xs[0]!;
  const y = blank(shape, sizeOf(shape), F64);
  if (y.size > 0) {
    const wide = xs.map(x => (x.code === F64 && x.view === null ? x : cast(x, F64)));
    const work = space();
    try {
      const from = wide.map(x => addressOf(x) / 8);
      visit(from, addressOf(y) / 8, work);
    } finally {
      work.free();
      wide.forEach((x, i) => {
        if (x !== xs[i]) recycle(x);
      });
    }
  }
  if (code === F64) return y;
  const z = cast(y, code);
  recycle(y);
  return z;
}

/** Refuses what is not finite among so many elements in memory. */
export function checkFinite(first: number, count: number, operator: string): void {
  for (let i = first; i < first + count; i++)
    if (!Number.isFinite(memory[i]!)) throw new ValueError(`${operator}: the matrix holds ${memory[i]}; all elements must be finite`);
}

export type Write = (from: number, to: number, work: Workspace) => void;

/**
 * A row's result, of shape `tail` for each of the matrices in the last two axes: what `write` makes of that at `from` goes
 * to `to`. With a name, elements must be finite.
 */
export function eachMatrix(x: NDArray, tail: Shape, space: () => Workspace, write: Write, finite = ""): NDArray {
  const lead = x.shape.slice(0, -2);
  const size = sizeOf(x.shape.slice(-2));
  const length = sizeOf(tail);
  return computed([x], [...lead, ...tail], space, ([first], to, work) => {
    if (finite !== "") checkFinite(first!, x.size, finite);
    for (let i = 0, count = sizeOf(lead); i < count; i++) write(first! + i * size, to + i * length, work);
  });
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
  return inFloat(x);
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

/** The symmetric matrices with these lower triangles, mirrored at the diagonal. @internal */
export const mirrored = (x: NDArray): NDArray => add(lowerPart(x), transposed(lowerPart(x, true)));
