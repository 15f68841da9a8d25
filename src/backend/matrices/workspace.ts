/**
 * Matrices of float64 in WebAssembly's memory and the scratch memory of factorisations. Knows places counted in elements,
 * not arrays.
 */

import { contract, contractBytes } from "../routines/contract.ts";
import { address, allocate, free, F64 as memory } from "../wasm/heap.ts";
import { negate } from "./dense.ts";

/** Where element (i, j) of a matrix lies: at + i·row + j·column, in elements of 8 bytes. */
export interface Grid {
  readonly at: number;
  readonly row: number;
  readonly column: number;
}

export const from = ({ at, row, column }: Grid, i: number, j: number): Grid => ({ at: at + i * row + j * column, row, column });
export const turned = ({ at, row, column }: Grid): Grid => ({ at, row: column, column: row });
/** The length of a row of n elements with its gap: even, and no power of two, whose rows would share a few places of the cache. */
const rowOf = (n: number): number => {
  const even = (n + 1) & ~1;
  return even % 32 === 0 ? even + 2 : even;
};

/** Room for m × n elements. */
export const roomFor = (m: number, n: number): number => m * rowOf(n) + 2;

/** Scratch memory that is handed out from its start; the products have a part of it. */
export class Workspace {
  private readonly block;
  private top: number;
  private readonly end: number;
  private readonly products: number;

  /** Of so many elements, for products of at most m rows and n columns, of sums of at most k. */
  constructor(elements: number, m: number, n: number, k: number) {
    const bytes = (contractBytes(1, { count: 1, m, n, k }) + 15) & ~15;
    // Always a region of its own: small ones are moved by and by.
    this.block = allocate(Math.max(4096, bytes + 8 * elements));
    this.products = address(this.block);
    this.top = (this.products + bytes) >> 3;
    this.end = this.top + elements;
  }

  /** m rows of n elements, not set; they are given back by `release` of what was there before. */
  take(m: number, n: number): Grid {
    const row = rowOf(n);
    const at = this.top;
    this.top += m * row;
    // What lies behind belongs to others.
    if (this.top > this.end) throw new RangeError("a workspace is too small");
    return { at, row, column: 1 };
  }

  /** A copy of the m rows of n elements that lie at `first` on; with `turn` its transpose. */
  load(first: number, m: number, n: number, turn = false): Grid {
    const x = turn ? this.take(n, m) : this.take(m, n);
    put(dense(first, n), turn ? turned(x) : x, m, n);
    return x;
  }

  zeros(m: number, n: number): Grid {
    const x = this.take(m, n);
    memory.fill(0, x.at, this.top);
    return x;
  }

  mark(): number {
    return this.top;
  }

  release(mark: number): void {
    this.top = mark;
  }

  free(): void {
    free(this.block);
  }

  /** c = a·b, or c += a·b; c's rows have no gaps between elements. */
  multiply(c: Grid, a: Grid, b: Grid, m: number, n: number, k: number, accumulate = false): void {
    const bytes = (x: Grid) => ({ at: 8 * x.at, row: 8 * x.row, column: 8 * x.column, batch: 0 });
    if (k > 0) contract(1, { count: 1, m, n, k }, bytes(a), bytes(b), bytes(c), this.products, accumulate);
  }

  /** c -= a·b; b's rows have no gaps between elements. */
  subtract(c: Grid, a: Grid, b: Grid, m: number, n: number, k: number): void {
    const mark = this.mark();
    this.multiply(c, a, this.negated(b, k, n), m, n, k, true);
    this.release(mark);
  }

  /** The unit matrix of n rows. */
  unit(n: number): Grid {
    const x = this.zeros(n, n);
    for (let i = 0; i < n; i++) memory[x.at + i * (x.row + 1)] = 1;
    return x;
  }

  negated(b: Grid, m: number, n: number): Grid {
    const c = this.take(m, n);
    negate()(8 * b.at, 8 * b.row, 8 * c.at, 8 * c.row, m, n);
    return c;
  }
}

/** Copies m rows of n elements. */
export function put(x: Grid, y: Grid, m: number, n: number): void {
  const a = memory;
  const side = x.column === 1 && y.column === 1;
  for (let i = 0, from = x.at, to = y.at; i < m; i++, from += x.row, to += y.row) {
    if (side && n > 16) a.copyWithin(to, from, from + n);
    else for (let j = 0, p = from, q = to; j < n; j++, p += x.column, q += y.column) a[q] = a[p]!;
  }
}

/** Rows of n elements that lie at `at` without gaps. */
export const dense = (at: number, n: number): Grid => ({ at, row: n, column: 1 });

// ---------------------------------------------------------------- others' ways

/** Ways by a library (lapack.ts). Each says whether it did the work; rooms are in elements, for a workspace. */
export interface Native {
  lu(first: number, n: number, exchanged: Int32Array, work: Workspace): Grid | null;
  triangle(t: Grid, b: Grid, n: number, m: number, lower: boolean, unit: boolean): boolean;
  cholesky(first: number, n: number, to: number): boolean;
  qrSpace(m: number, n: number, columns: number): number;
  qr(first: number, m: number, n: number, columns: number, to: number, work: Workspace): boolean;
  eigenSpace(n: number, vectors: boolean): number;
  eigen(first: number, n: number, to: number, vectors: boolean, work: Workspace): boolean;
  singularSpace(m: number, n: number, lefts: number, rights: number): number;
  singular(first: number, m: number, n: number, to: number, lefts: number, rights: number, work: Workspace): boolean;
}

/** Set while a library is in use: a program that never asks for one does not carry them. */
export let native: Native | null = null;

export function useNative(ways: Native | null): void {
  native = ways;
}
