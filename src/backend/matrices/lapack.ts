/**
 * The same factorisations by LAPACK, where a library in use has it (blas.ts): each gives whether it did the work, and what it
 * did not falls to our own. LAPACK's matrices lie by columns, ours by rows: what it takes for a matrix is our matrix
 * transposed. So x = Q·R is its xᵀ = L·Qᵀ, x = U·S·Vᵀ its xᵀ = V·S·Uᵀ, a lower triangle its upper one, and nothing is
 * turned but what is factored by LU, and eigenvectors. Knows places counted in elements, not arrays.
 */
import { foreign, type Subroutine, subroutine } from "../blas.ts";
import { I32, F64 as memory, reserve } from "../wasm/heap.ts";
import { dense, type Grid, type Native, put, roomFor, turned, type Workspace } from "./workspace.ts";

const [N, S, U, V, A] = Array.from("NSUVA", letter => letter.charCodeAt(0)) as [number, number, number, number, number];

/** Below so many rows or columns our own takes less time than a call outside. */
const LEAST = 16;

const native = (side: number, name: string, types: string): Subroutine | null => (side < LEAST ? null : subroutine(name, types));

/** Solving by a triangle takes fewer multiplications than this where a call outside takes longer. */
const FEW = 2 ** 12;

let answer = 0;

/** The scratch elements a subroutine wants: asked with a length of -1, it leaves that number where they would begin. */
function wanted(ask: (at: number) => void): number {
  if (answer === 0) answer = reserve(64);
  ask(answer);
  return memory[answer >> 3]!;
}

/** Room for so many elements in one row, and its address. */
const row = (count: number, work: Workspace): number => 8 * work.take(1, count).at;
const rooms = (...counts: number[]): number => counts.reduce((sum, count) => sum + roomFor(1, count), 0);

// ---------------------------------------------------------------- LU and triangles

/** Loads and factors the n rows at `first`, as our own. */
function lu(first: number, n: number, exchanged: Int32Array, work: Workspace): Grid | null {
  const getrf = native(n, "dgetrf", "iipip");
  if (getrf === null) return null;
  const x = turned(work.load(first, n, n, true));
  const pivots = row(n, work);
  getrf(n, n, 8 * x.at, x.column, pivots);
  for (let i = 0, p = pivots >> 2; i < n; i++) exchanged[i] = I32[p + i]! - 1;
  return x;
}

/** Solves t·x = b in place for a triangle t. */
function triangle(t: Grid, b: Grid, n: number, m: number, lower: boolean, unit: boolean): boolean {
  const trsm = n * n * m >= FEW ? foreign("cblas_dtrsm", "viiiiiiidpipi") : null;
  if (trsm === null || b.column !== 1) return false;
  // By rows, t on the left; 111 and 112: as it lies and transposed; 121 and 122: its upper and its lower triangle as it lies.
  const flipped = t.column !== 1;
  const [uplo, trans] = [lower === flipped ? 121 : 122, flipped ? 112 : 111];
  trsm(101, 141, uplo, trans, unit ? 132 : 131, n, m, 1, 8 * t.at, flipped ? t.column : t.row, 8 * b.at, b.row);
  return true;
}

// ---------------------------------------------------------------- Cholesky and QR

/** Writes L over its square at `to`; above its diagonal is what the matrix has there. */
function cholesky(first: number, n: number, to: number): boolean {
  const potrf = native(n, "dpotrf", "cipi");
  if (potrf === null) return false;
  memory.copyWithin(to, first, first + n * n);
  return potrf(U, n, 8 * to, n) === 0;
}

/** dgelqf, dorglq, and how much scratch memory they want. */
function lq(m: number, n: number, columns: number): [Subroutine, Subroutine, number] | null {
  const [factor, form] = [native(n, "dgelqf", "iipippi"), native(n, "dorglq", "iiipippi")];
  if (factor === null || form === null) return null;
  const length = wanted(at => factor(n, m, at, columns, at, at, -1));
  return [
    factor,
    form,
    Math.max(
      length,
      wanted(at => form(columns, m, n, at, columns, at, at, -1)),
    ),
  ];
}

const qrSpace = (m: number, n: number, columns: number): number => rooms(n, lq(m, n, columns)?.[2] ?? 0);

/** Writes Q and R behind one another; below R's diagonal is anything. */
function qr(first: number, m: number, n: number, columns: number, to: number, work: Workspace): boolean {
  const found = lq(m, n, columns);
  if (found === null) return false;
  const [factor, form, length] = found;
  const mark = work.mark();
  const [tau, scratch] = [row(n, work), row(length, work)];
  const q = dense(to, columns);
  put(dense(first, n), q, m, n);
  factor(n, m, 8 * to, columns, tau, scratch, length);
  const r = to + m * columns;
  put(q, dense(r, n), n, n);
  memory.fill(0, r + n * n, r + columns * n);
  form(columns, m, n, 8 * to, columns, tau, scratch, length);
  work.release(mark);
  return true;
}

// ---------------------------------------------------------------- eigenvalues and singular values

/** dsyevd, and how much scratch memory it wants for numbers, and for whole numbers. */
function syevd(n: number, vectors: boolean): [Subroutine, number, number] | null {
  const f = native(n, "dsyevd", "ccipippipi");
  if (f === null) return null;
  let integers = 0;
  const length = wanted(at => {
    f(vectors ? V : N, U, n, at, n, at, at, -1, at + 16, -1);
    integers = I32[(at + 16) >> 2]!;
  });
  return [f, length, integers];
}

function eigenSpace(n: number, vectors: boolean): number {
  const [, length, integers] = syevd(n, vectors) ?? [null, 0, 0];
  return rooms(n * n, length, integers);
}

/** As our own; what does not converge is left to it. */
function eigen(first: number, n: number, to: number, vectors: boolean, work: Workspace): boolean {
  const found = syevd(n, vectors);
  if (found === null) return false;
  const [f, length, integers] = found;
  const mark = work.mark();
  const [a, scratch, places] = [row(n * n, work), row(length, work), row(integers, work)];
  memory.copyWithin(a >> 3, first, first + n * n);
  const done = f(vectors ? V : N, U, n, a, n, 8 * to, scratch, length, places, integers) === 0;
  if (done && vectors) put(turned(dense(a >> 3, n)), dense(to + n, n), n, n);
  work.release(mark);
  return done;
}

/** dgesdd, the letter for the vectors that are wanted, and how much scratch memory it wants. */
function gesdd(m: number, n: number, lefts: number, rights: number): [Subroutine, number, number] | null {
  const k = Math.min(m, n);
  const f = native(k, "dgesdd", "ciipippipipip");
  if (f === null) return null;
  const job = lefts + rights === 0 ? N : lefts === k && rights === k ? S : A;
  return [f, job, wanted(at => f(job, n, m, at, n, at, at, n, at, Math.max(1, lefts), at, -1, at))];
}

/** Elements of the eight whole numbers for each value. */
const wholeNumbers = (m: number, n: number): number => 4 * Math.min(m, n);

function singularSpace(m: number, n: number, lefts: number, rights: number): number {
  return rooms(m * n, gesdd(m, n, lefts, rights)?.[2] ?? 0, wholeNumbers(m, n));
}

/** As our own; what does not converge is left to it. */
function singular(first: number, m: number, n: number, to: number, lefts: number, rights: number, work: Workspace): boolean {
  const found = gesdd(m, n, lefts, rights);
  if (found === null) return false;
  const [f, job, length] = found;
  const mark = work.mark();
  const [a, scratch, places] = [row(m * n, work), row(length, work), row(wholeNumbers(m, n), work)];
  memory.copyWithin(a >> 3, first, first + m * n);
  const values = to + m * lefts;
  const vh = values + Math.min(m, n);
  const info = f(job, n, m, a, n, 8 * values, 8 * vh, n, 8 * to, Math.max(1, lefts), scratch, length, places);
  work.release(mark);
  return info === 0;
}

/** All of it, for a library in use. */
export const LAPACK: Native = { lu, triangle, cholesky, qrSpace, qr, eigenSpace, eigen, singularSpace, singular };
