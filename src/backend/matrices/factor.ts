/**
 * Factorisations of one matrix of float64 in WebAssembly's memory: by halves, so that nearly all of the work is matrix
 * products. Toledo (1997) for LU, Elmroth & Gustavson (2000) for QR. Knows places counted in elements, not arrays.
 */
import { F64 as memory } from "../wasm/heap.ts";
import { substitute } from "./dense.ts";
import { dense, from, type Grid, native, put, roomFor, turned, Workspace } from "./workspace.ts";

/** The matrix read from its end: what was upper triangular is lower triangular. */
const backwards = (x: Grid, m: number, n: number): Grid => ({ ...from(x, m - 1, n - 1), row: -x.row, column: -x.column });
const upsideDown = (x: Grid, m: number): Grid => ({ ...from(x, m - 1, 0), row: -x.row });

// ---------------------------------------------------------------- triangles

/** Matrices of at most this many rows are solved without products. */
const FEW = 32;

/** Solves t·x = b in place, t lower triangular of n rows, b of m columns. */
function forward(t: Grid, b: Grid, n: number, m: number, unit: boolean, work: Workspace): void {
  if (n <= FEW) return substitute()(8 * t.at, 8 * t.row, 8 * t.column, 8 * b.at, 8 * b.row, n, m, Number(unit));
  const half = n >> 1;
  const below = from(b, half, 0);
  forward(t, b, half, m, unit, work);
  work.subtract(below, from(t, half, 0), b, n - half, m, half);
  forward(from(t, half, half), below, n - half, m, unit, work);
}

/** The same for a lower or an upper triangle. */
export function solveTriangle(t: Grid, b: Grid, n: number, m: number, lower: boolean, unit: boolean, work: Workspace): void {
  if (n === 0) return;
  if (native?.triangle(t, b, n, m, lower, unit)) return;
  if (lower) forward(t, b, n, m, unit, work);
  else forward(backwards(t, n, n), upsideDown(b, n), n, m, unit, work);
}

// ---------------------------------------------------------------- LU

/** Panels of at most this many columns are factored one after another. */
const NARROW = 8;

/** A workspace for the factors of n rows, and for so many right sides beside them. */
export const spaceLU = (n: number, columns: number): Workspace =>
  new Workspace(2 * roomFor(n, n) + 2 * roomFor(n, columns) + roomFor(1, n), n, Math.max(n, columns), n);

/**
 * Loads the n rows that lie at `first`, and factors them: P·L·U, L with ones on its diagonal, where rows are exchanged so
 * that each pivot is the largest of its column. Writes with which row each was exchanged; gives the factors in one grid,
 * and the sign of the permutation.
 */
export function factorLU(first: number, n: number, exchanged: Int32Array, work: Workspace): [Grid, number] {
  const theirs = native?.lu(first, n, exchanged, work) ?? null;
  if (theirs !== null) return [theirs, exchanged.reduce((sign, other, i) => (other === i ? sign : -sign), 1)];
  const x = work.load(first, n, n);
  return [x, ownLU(x, n, exchanged, work)];
}

/** The same in place; gives the sign. */
function ownLU(x: Grid, n: number, exchanged: Int32Array, work: Workspace): number {
  let sign = 1;
  const panel = (first: number, last: number): void => {
    const a = memory;
    const { row } = x;
    for (let j = first; j < last; j++) {
      let best = j;
      let largest = -1;
      for (let i = j, p = x.at + j * row + j; i < n; i++, p += row) {
        const size = Math.abs(a[p]!);
        // What is not a number stays where it is, and spreads.
        if (size > largest) {
          largest = size;
          best = i;
        }
      }
      exchanged[j] = best;
      const top = x.at + j * row;
      if (best !== j) {
        sign = -sign;
        for (let p = top, q = x.at + best * row, end = top + n; p < end; p++, q++) {
          const t = a[p]!;
          a[p] = a[q]!;
          a[q] = t;
        }
      }
      const pivot = a[top + j]!;
      if (pivot === 0) continue;
      for (let p = top + row, end = x.at + n * row; p < end; p += row) {
        const factor = (a[p + j] = a[p + j]! / pivot);
        if (factor !== 0) for (let c = j + 1; c < last; c++) a[p + c]! -= factor * a[top + c]!;
      }
    }
  };
  const halve = (first: number, count: number): void => {
    if (count <= NARROW) return panel(first, first + count);
    const half = (count >> 1) & ~1;
    const next = first + half;
    halve(first, half);
    const right = from(x, first, next);
    forward(from(x, first, first), right, half, count - half, true, work);
    work.subtract(from(x, next, next), from(x, next, first), right, n - next, count - half, half);
    halve(next, count - half);
  };
  halve(0, n);
  return sign;
}

/** The diagonal of a matrix of n rows. */
export const diagonalOf = (x: Grid, n: number): Float64Array =>
  Float64Array.from({ length: n }, (_, i) => memory[x.at + i * (x.row + x.column)]!);

export function setDiagonal(x: Grid, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) memory[x.at + i * (x.row + x.column)] = values[i]!;
}

/** Solves x·y = b in place for the factors of x and m columns of b. */
export function solveLU(x: Grid, exchanged: Int32Array, b: Grid, n: number, m: number, work: Workspace): void {
  const a = memory;
  for (let i = 0; i < n; i++) {
    const other = exchanged[i]!;
    if (other === i) continue;
    for (let p = b.at + i * b.row, q = b.at + other * b.row, end = p + m; p < end; p++, q++) {
      const t = a[p]!;
      a[p] = a[q]!;
      a[q] = t;
    }
  }
  solveTriangle(x, b, n, m, true, true, work);
  solveTriangle(x, b, n, m, false, false, work);
}

// ---------------------------------------------------------------- Cholesky

/** x = Uᵀ·U in place, of the upper triangle of x; gives false where x is not positive definite. */
function ownCholesky(x: Grid, n: number, work: Workspace): boolean {
  const few = (first: number, last: number): boolean => {
    const a = memory;
    for (let j = first; j < last; j++) {
      const top = x.at + j * x.row;
      const pivot = a[top + j]!;
      // What is not a number spreads.
      if (pivot <= 0) return false;
      const root = Math.sqrt(pivot);
      a[top + j] = root;
      for (let c = j + 1; c < last; c++) a[top + c]! /= root;
      for (let i = j + 1; i < last; i++) {
        const factor = a[top + i]!;
        for (let c = i, p = x.at + i * x.row; c < last; c++) a[p + c]! -= factor * a[top + c]!;
      }
    }
    return true;
  };
  const halve = (first: number, count: number): boolean => {
    if (count <= 2 * NARROW) return few(first, first + count);
    const half = (count >> 1) & ~1;
    const rest = count - half;
    const next = first + half;
    if (!halve(first, half)) return false;
    const right = from(x, first, next);
    forward(turned(from(x, first, first)), right, half, rest, false, work);
    const mark = work.mark();
    const negative = work.negated(right, half, rest);
    // Row by row of blocks: what is below the diagonal is not needed.
    const block = 2 * FEW;
    for (let i = 0; i < rest; i += block)
      work.multiply(
        from(x, next + i, next + i),
        turned(from(right, 0, i)),
        from(negative, 0, i),
        Math.min(block, rest - i),
        rest - i,
        half,
        true,
      );
    work.release(mark);
    return halve(next, rest);
  };
  return halve(0, n);
}

/** A workspace for `cholesky` of n rows. */
export const choleskySpace = (n: number): Workspace => new Workspace(2 * roomFor(n, n), n, n, n);

/** Writes to `to` the lower triangular L with x = L·Lᵀ, for the n rows at `first`; gives false where x is not positive definite. */
export function cholesky(first: number, n: number, to: number, work: Workspace): boolean {
  const out = dense(to, n);
  if (!native?.cholesky(first, n, to)) {
    const mark = work.mark();
    const a = work.load(first, n, n);
    if (!ownCholesky(a, n, work)) return false;
    put(turned(a), out, n, n);
    work.release(mark);
  }
  for (let i = 0; i < n; i++) memory.fill(0, to + i * n + i + 1, to + (i + 1) * n);
  return true;
}

// ---------------------------------------------------------------- QR

/** The Euclidean length of n elements, also where their squares are out of range. */
export function lengthOf(at: number, step: number, n: number): number {
  const a = memory;
  let sum = 0;
  for (let i = 0, p = at; i < n; i++, p += step) sum += a[p]! * a[p]!;
  if (sum > 1e-280 && sum < 1e300) return Math.sqrt(sum);
  let largest = 0;
  for (let i = 0, p = at; i < n; i++, p += step) largest = Math.max(largest, Math.abs(a[p]!));
  if (!(largest > 0 && largest < Number.POSITIVE_INFINITY)) return largest;
  sum = 0;
  for (let i = 0, p = at; i < n; i++, p += step) sum += (a[p]! / largest) ** 2;
  return largest * Math.sqrt(sum);
}

/** The least length whose quotients have all digits. */
const SMALLEST = 2 ** -960;

/**
 * A reflection I - τ·v·vᵀ that takes n elements to a multiple of the first unit. Leaves that multiple in their first, and
 * the rest of v, whose first is 1, in the others; gives τ.
 */
export function reflect(at: number, step: number, n: number): number {
  const a = memory;
  const below = lengthOf(at + step, step, n - 1);
  if (below === 0) return 0;
  const alpha = a[at]!;
  const length = Math.hypot(alpha, below);
  if (length < SMALLEST) {
    // Subnormal numbers have not the digits for quotients of theirs.
    for (let i = 0, p = at; i < n; i++, p += step) a[p]! *= 2 ** 600;
    const tau = reflect(at, step, n);
    a[at]! *= 2 ** -600;
    return tau;
  }
  const beta = (alpha < 0 || Object.is(alpha, -0) ? 1 : -1) * length;
  for (let i = 1, p = at + step; i < n; i++, p += step) a[p]! /= alpha - beta;
  a[at] = beta;
  return (beta - alpha) / beta;
}

/** The triangle T of narrow reflections with H₁·H₂·… = I - V·T·Vᵀ, from their factors, which stand on its diagonal. */
function triangleOfFew(v: Grid, t: Grid, m: number, n: number): void {
  const a = memory;
  const inner = new Float64Array(n);
  for (let j = 1; j < n; j++) {
    const tau = a[t.at + j * t.row + j]!;
    for (let i = 0; i < j; i++) {
      let sum = 0;
      for (let r = j, p = v.at + j * v.row; r < m; r++, p += v.row) sum += a[p + i]! * a[p + j]!;
      inner[i] = sum;
    }
    for (let i = 0; i < j; i++) {
      let sum = 0;
      for (let k = i; k < j; k++) sum += a[t.at + i * t.row + k]! * inner[k]!;
      a[t.at + i * t.row + j] = -tau * sum;
    }
  }
}

/** The part of T above the diagonal that joins the first `half` of n reflections with the others. */
function joinTriangles(v: Grid, t: Grid, m: number, n: number, half: number, work: Workspace): void {
  const rest = n - half;
  const mark = work.mark();
  const inner = work.take(half, rest);
  const left = work.take(half, rest);
  const below = from(v, half, 0);
  work.multiply(inner, turned(below), from(below, 0, half), half, rest, m - half);
  work.multiply(left, t, inner, half, rest, half);
  work.multiply(from(t, 0, half), work.negated(left, half, rest), from(t, half, half), half, rest, rest);
  work.release(mark);
}

/** The triangle T of any number of reflections. */
export function triangleOf(v: Grid, t: Grid, m: number, n: number, work: Workspace): void {
  if (n <= NARROW) return triangleOfFew(v, t, m, n);
  const half = (n >> 1) & ~1;
  triangleOf(v, t, m, half, work);
  triangleOf(from(v, half, half), from(t, half, half), m - half, n - half, work);
  joinTriangles(v, t, m, n, half, work);
}

/** x = Q·R for m >= n rows: R in the upper triangle of x, and Q = I - V·T·Vᵀ in v (m × n) and t (n × n), which are zeros before. */
export function factorQR(x: Grid, v: Grid, t: Grid, m: number, n: number, work: Workspace): void {
  if (n <= NARROW) {
    const a = memory;
    for (let j = 0; j < n; j++) {
      const top = x.at + j * x.row + j;
      const tau = reflect(top, x.row, m - j);
      a[t.at + j * t.row + j] = tau;
      a[v.at + j * v.row + j] = 1;
      for (let i = j + 1, p = top + x.row, q = v.at + i * v.row + j; i < m; i++, p += x.row, q += v.row) {
        a[q] = a[p]!;
        a[p] = 0;
      }
      for (let c = 1; c < n - j; c++) {
        let sum = 0;
        for (let i = j, p = top + c, q = v.at + j * v.row + j; i < m; i++, p += x.row, q += v.row) sum += a[p]! * a[q]!;
        sum *= tau;
        for (let i = j, p = top + c, q = v.at + j * v.row + j; i < m; i++, p += x.row, q += v.row) a[p]! -= sum * a[q]!;
      }
    }
    return triangleOfFew(v, t, m, n);
  }
  const half = (n >> 1) & ~1;
  const rest = n - half;
  factorQR(x, v, t, m, half, work);
  const right = from(x, 0, half);
  const mark = work.mark();
  const inner = work.take(half, rest);
  const left = work.take(half, rest);
  work.multiply(inner, turned(v), right, half, rest, m);
  work.multiply(left, turned(t), inner, half, rest, half);
  work.subtract(right, v, left, m, rest, half);
  work.release(mark);
  factorQR(from(x, half, half), from(v, half, half), from(t, half, half), m - half, rest, work);
  joinTriangles(v, t, m, n, half, work);
}

/** q = the first `columns` columns of I - V·T·Vᵀ. */
export function writeQ(q: Grid, columns: number, v: Grid, t: Grid, m: number, n: number, work: Workspace): void {
  const a = memory;
  for (let i = 0; i < m; i++) {
    const start = q.at + i * q.row;
    a.fill(0, start, start + columns);
    if (i < columns) a[start + i] = 1;
  }
  const mark = work.mark();
  const inner = work.take(n, columns);
  work.multiply(inner, t, turned(v), n, columns, n);
  work.subtract(q, v, inner, m, columns, n);
  work.release(mark);
}

/** A workspace for `orthogonal`. */
export const orthogonalSpace = (m: number, n: number, columns: number): Workspace =>
  new Workspace(
    Math.max(2 * roomFor(m, n) + 4 * roomFor(n, columns) + roomFor(m, columns), native?.qrSpace(m, n, columns) ?? 0),
    m,
    Math.max(n, columns),
    m,
  );

/** Writes Q (m × columns) and R (columns × n) of the m >= n rows at `first` behind one another. */
export function orthogonal(first: number, m: number, n: number, columns: number, to: number, work: Workspace): void {
  const below = to + m * columns;
  if (!native?.qr(first, m, n, columns, to, work)) {
    const mark = work.mark();
    const a = work.load(first, m, n);
    const v = work.zeros(m, n);
    const t = work.zeros(n, n);
    factorQR(a, v, t, m, n, work);
    const q = work.take(m, columns);
    writeQ(q, columns, v, t, m, n, work);
    put(q, dense(to, columns), m, columns);
    put(a, dense(below, n), columns, n);
    work.release(mark);
  }
  for (let i = 1, row = below + n; i < columns; i++, row += n) memory.fill(0, row, row + Math.min(i, n));
}
