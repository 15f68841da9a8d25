/** NDArray: a storage, a view on it and a dtype, with reading to JavaScript. Its operators and methods stand above. */
import {
  address,
  allocate,
  allocateHost,
  allocateRegion,
  Block,
  free,
  isReleased,
  overwrite,
  type Region,
  remember,
  SMALL,
  F32 as viewF32,
  F64 as viewF64,
  I8 as viewI8,
  I32 as viewI32,
  U8 as viewU8,
} from "./backend/wasm/heap.ts";
import { BOOL, BYTES, DTYPES, type DType, F32, F64, I8, I32, SHIFT, type TypedArray, typedArrayOf } from "./dtype.ts";
import { DTypeError, describe, IndexError, ValueError } from "./errors.ts";
import { repr, str } from "./format.ts";
import type { Methods } from "./methods.ts";
import { contiguousStrides, type Shape, showShape } from "./shape.ts";
import { type Node, recording, unrecorded } from "./tape.ts";

/** What an array and its views share. A write that must not disturb a graph gives the storage another block. */
export class Storage {
  constructor(public block: Block) {}
}

/** Nested lists of numbers or booleans, as `tolist` gives them and `np.array` takes them. */
export type Nested = number | boolean | readonly Nested[];

/** What stands for an array wherever one is expected. */
export type ArrayInput = NDArray | Nested | TypedArray | Uint8ClampedArray;

/**
 * An n-dimensional array of one dtype, as NumPy's ndarray. Made by `np.array`, `np.zeros` and their kin, never by `new`.
 * @example np.array([[1, 2], [3, 4]]).shape // [ 2, 2 ]
 */
export class NDArray {
  /** The node that made the contents, or the leaf of an attached array. @internal */
  edge: Node | null = null;
  /** The array whose memory a view shows; null for an array of its own. @internal */
  base: NDArray | null = null;
  /**
   * Why there may be no edge: made while recording (true) or not (false), or the name of what ended the graph. @internal
   */
  cause: boolean | string = recording;
  /** What the last recorded write to this memory left, to make a view's edge anew; in a view, that by which its edge was made. @internal */
  derive: ((view: NDArray) => Node | null) | null = null;

  /** @internal */
  constructor(
    /** @internal */ readonly storage: Storage,
    /** Where the view begins, in elements. @internal */
    readonly offset: number,
    /** The length of each axis. */
    readonly shape: Shape,
    /** Strides in elements, or null for C order without gaps. @internal */
    readonly view: readonly number[] | null,
    /** The number of elements. */
    readonly size: number,
    /** The dtype's code. @internal */
    readonly code: number,
  ) {
    if (!(storage instanceof Storage)) throw new ValueError("NDArray: arrays are not made with new; use np.array");
  }

  /** The name of the element type. */
  get dtype(): DType {
    return DTYPES[this.code]!;
  }

  /** The number of axes. */
  get ndim(): number {
    return this.shape.length;
  }

  /** How many elements lie between neighbours along each axis. */
  get strides(): readonly number[] {
    return this.view ?? contiguousStrides(this.shape);
  }

  /**
   * One element as a number (of a bool array as a boolean); without arguments that of an array of size 1. Negative
   * positions count from the end.
   * @throws IndexError for a position out of range, ValueError without arguments where size is not 1.
   * @example np.array([5, 6, 7]).item(-1) // 7
   */
  item<T extends number | boolean = number>(...index: number[]): T {
    let at = this.offset;
    if (index.length === 0) {
      if (this.size !== 1)
        throw new ValueError(`item: an array of shape ${showShape(this.shape)} has ${this.size} elements; name one, as in item(0)`);
    } else {
      if (index.length !== this.shape.length)
        throw new IndexError(`item: ${index.length} positions for the shape ${showShape(this.shape)}; give one for each axis`);
      const strides = this.strides;
      for (let axis = 0; axis < index.length; axis++) at += checkPosition(index[axis], axis, this.shape, "item") * strides[axis]!;
    }
    const start = address(this.storage.block) >> SHIFT[this.code]!;
    const value = memoryOf(this.code)[start + at]!;
    return (this.code === BOOL ? value !== 0 : value) as T;
  }

  /**
   * The elements as nested lists; a bare value for a 0-d array.
   * @example np.array([[1, 2], [3, 4]]).tolist() // [ [ 1, 2 ], [ 3, 4 ] ]
   */
  tolist(): Nested {
    const flat = this.toTypedArray();
    const { shape } = this;
    const bool = this.code === BOOL;
    const steps = contiguousStrides(shape);
    const nest = (axis: number, start: number): Nested => {
      if (axis === shape.length) return bool ? flat[start] !== 0 : flat[start]!;
      const n = shape[axis]!;
      const out = new Array<Nested>(n);
      if (axis < shape.length - 1) for (let i = 0; i < n; i++) out[i] = nest(axis + 1, start + i * steps[axis]!);
      else if (bool) for (let i = 0; i < n; i++) out[i] = flat[start + i] !== 0;
      else for (let i = 0; i < n; i++) out[i] = flat[start + i]!;
      return out;
    };
    return nest(0, 0);
  }

  /**
   * A fresh TypedArray of the elements in C order, of the dtype's own kind (bool as Uint8Array of 0 and 1).
   * @example np.array([1, 2]).toTypedArray() // Float32Array(2) [ 1, 2 ]
   */
  toTypedArray(): TypedArray {
    const start = (address(this.storage.block) >> SHIFT[this.code]!) + this.offset;
    const source = memoryOf(this.code);
    const kind = typedArrayOf(this.code);
    if (this.view === null) return new kind(source.subarray(start, start + this.size));
    const out = new kind(this.size);
    const last = this.shape.length - 1;
    const n = this.shape[last]!;
    const step = this.view[last]!;
    forEachOffset(this.shape.slice(0, last), this.view, (at, row) => {
      for (let i = row * n, p = start + at; i < (row + 1) * n; i++, p += step) out[i] = source[p]!;
    });
    return out;
  }

  /** What JSON.stringify takes: nested lists. @internal */
  toJSON(): Nested {
    return this.tolist();
  }

  /** NumPy's `str`: without commas, a bare number for 0-d. */
  toString(): string {
    return str(elementOf(this), this.shape, this.dtype);
  }

  /** NumPy's `repr`, what the console shows. @internal */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return repr(elementOf(this), this.shape, this.dtype);
  }

  /**
   * As a string NumPy's `str`; in arithmetic and comparison the number of an array of size 1.
   * Beware: an array is an object, so `if (x.gt(0))` is always true; write `if (x.gt(0).item())`.
   */
  [Symbol.toPrimitive](hint: string): string | number {
    if (hint === "string") return this.toString();
    if (this.size !== 1)
      throw new ValueError(
        `toPrimitive: the number of an array of shape ${showShape(this.shape)} is ambiguous; use item(i), or all() or any() of a comparison`,
      );
    return Number(this.item());
  }

  /** Shown by `Object.prototype.toString`. @internal */
  get [Symbol.toStringTag](): string {
    return "NDArray";
  }
}

/** The methods, which stand above (methods.ts). */
export interface NDArray extends Methods {}

/** The view on memory in which elements of the dtype are read and written. Ask for it after the address: finding that may renew it. */
export function memoryOf(code: number): TypedArray {
  return code === F32 ? viewF32 : code === F64 ? viewF64 : code === I32 ? viewI32 : code === I8 ? viewI8 : viewU8;
}

/** Calls `visit` with the element offset of each position, in C order. */
export function forEachOffset(shape: Shape, strides: readonly number[], visit: (offset: number, index: number) => void): void {
  const ndim = shape.length;
  let size = 1;
  for (const n of shape) size *= n;
  const position = new Array<number>(ndim).fill(0);
  for (let i = 0, at = 0; i < size; i++) {
    visit(at, i);
    for (let axis = ndim - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      if (++position[axis]! < shape[axis]!) break;
      at -= strides[axis]! * shape[axis]!;
      position[axis] = 0;
    }
  }
}

function elementOf(x: NDArray): (i: number) => number {
  const start = (address(x.storage.block) >> SHIFT[x.code]!) + x.offset;
  const source = memoryOf(x.code);
  const { shape, view } = x;
  if (view === null) return i => source[start + i]!;
  return i => {
    let at = start;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const n = shape[axis]!;
      at += (i % n) * view[axis]!;
      i = Math.floor(i / n);
    }
    return source[at]!;
  };
}

/** A position along an axis, counted from the front. */
export function checkPosition(given: unknown, axis: number, shape: Shape, operator: string): number {
  const n = shape[axis]!;
  if (typeof given !== "number") throw new IndexError(`${operator}: a position is a whole number, got ${describe(given)}`);
  if (!Number.isInteger(given)) throw new DTypeError(`${operator}: a position is a whole number, got ${given}`);
  if (given < -n || given >= n) throw new IndexError(`${operator}: position ${given} is out of range for axis ${axis} of size ${n}`);
  return given < 0 ? given + n : given;
}

/** A fresh array for an operator's result; its bytes are not set. */
export function blank(shape: Shape, size: number, code: number): NDArray {
  return new NDArray(new Storage(allocate(size * BYTES[code]!)), 0, shape, null, size, code);
}

/** The last two small arrays that the walk gave back, whole: its next cotangents of their shapes need nothing new. */
let newer: NDArray | null = null;
let older: NDArray | null = null;

type Similar = { readonly shape: Shape; readonly size: number; readonly code: number };

const isLike = (x: NDArray | null, g: Similar): x is NDArray => x !== null && x.shape === g.shape && x.code === g.code;

/** A result of the given shape and dtype, which nobody but the walk will hold: its bytes are not set. */
export function blankLike(g: Similar): NDArray {
  let x = newer;
  if (isLike(x, g)) newer = null;
  else {
    x = older;
    if (isLike(x, g)) older = null;
    else return blank(g.shape, g.size, g.code);
  }
  return isReleased(x.storage.block) ? blank(g.shape, g.size, g.code) : x;
}

/** Takes back an array of which the walk knows that nobody else holds it or its memory. */
export function recycle(x: NDArray): void {
  if (x.view !== null || x.base !== null || x.size > 64) free(x.storage.block);
  else if (newer === null) newer = x;
  else {
    if (older !== null) free(older.storage.block);
    older = newer;
    newer = x;
  }
}

/** An array that outlives the walk or the scope in which it was made. */
export function forGood(x: NDArray): NDArray {
  x.storage.block.lasting = true;
  return x;
}

/** A fresh array for host data or a gradient buffer; its bytes are not set. */
export function blankHost(shape: Shape, size: number, code: number): NDArray {
  return new NDArray(new Storage(allocateHost(size * BYTES[code]!)), 0, shape, null, size, code);
}

/** A view of x's memory. */
export function viewOf(x: NDArray, offset: number, shape: Shape, strides: readonly number[] | null, size: number): NDArray {
  const y = new NDArray(x.storage, offset, shape, strides, size, x.code);
  const base = x.base ?? x;
  // What ended a graph ended it for views too; so a view of a comparison's answer is known as a mask.
  if (typeof x.cause === "string" && x.cause !== "detach") y.cause = x.cause;
  y.base = base;
  y.derive = base.derive;
  return y;
}

/** Where an array's first element is: a byte address, good until the kernel of this call has run. */
export function addressOf(x: NDArray): number {
  return address(x.storage.block) + (x.offset << SHIFT[x.code]!);
}

/** Before a write: if a graph, or what is computed again from it, needs the bytes as they are, the storage moves to a copy of them. */
export function unshare(x: NDArray): void {
  const storage = x.storage;
  const old = storage.block;
  // Its address first: what is moved out to bring it back may be computed from it, and the block of a 0-d result whose
  // cell moved knows its size again only then.
  const from = address(old);
  if (old.saved === 0 && old.region.needed === 0) return overwrite(old);
  const fresh = allocateHost(old.bytes);
  const to = address(fresh);
  viewU8.copyWithin(to, from, from + old.bytes);
  // The array may live outside of a scope that is open now.
  fresh.lasting = true;
  storage.block = fresh;
}

/** How an operand is had again: a small one from its elements; a large one on its region alone, for a block would keep that from being collected. */
function again(x: NDArray | number): () => NDArray | number {
  if (typeof x === "number") return () => x;
  const { offset, shape, view, size, code } = x;
  if (!isLarge(x)) {
    const values = x.toTypedArray();
    return () => {
      const y = new NDArray(new Storage(allocateRegion(values.byteLength)), 0, shape, null, size, code);
      memoryOf(code).set(values, addressOf(y) >> SHIFT[code]!);
      return y;
    };
  }
  const { region, offset: start, bytes } = x.storage.block;
  return () => new NDArray(new Storage(new Block(region, start, bytes)), offset, shape, view, size, code);
}

/**
 * Says that a large result, just computed by `run` from `xs`, can be computed by it again, so that it need not be copied
 * when it must make room. `run` and `attrs` must hold no arrays, and it must take not much longer than a copy.
 */
export function repeatable<X extends NDArray | number, A>(
  y: NDArray,
  xs: readonly X[],
  attrs: A,
  run: (xs: readonly X[], attrs: A) => NDArray,
): NDArray {
  const reads: Region[] = [];
  for (const x of xs) if (typeof x !== "number" && isLarge(x)) reads.push(x.storage.block.region);
  const operands = xs.map(again) as (() => X)[];
  remember(y.storage.block, reads, () => {
    const result = unrecorded(() =>
      run(
        operands.map(operand => operand()),
        attrs,
      ),
    );
    return result.storage.block;
  });
  return y;
}

/** Whether a result has a region of its own: then remembering how it came about takes less time than a copy. */
export const isLarge = (y: NDArray): boolean => bytesOf(y) > SMALL;

/** Copies host values into a fresh array. Values are converted as JavaScript's TypedArrays do; checks are the caller's. */
export function fromValues(values: ArrayLike<number>, shape: Shape, code: number): NDArray {
  const x = blankHost(shape, values.length, code);
  const start = addressOf(x) >> SHIFT[code]!;
  memoryOf(code).set(values, start);
  return x;
}

/** The bytes of an array's elements. */
export const bytesOf = (x: NDArray): number => x.size * BYTES[x.code]!;
