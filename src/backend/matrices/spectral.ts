/**
 * Eigenvalues of symmetric matrices and singular values, with their vectors, of one matrix of float64 in WebAssembly's
 * memory. Reflections and the implicit QL method (Golub & Van Loan, 8.3) for the former; a QR factorisation and one-sided
 * Jacobi rotations (Drmač & Veselić 2008) for the latter. Knows places counted in elements, not arrays.
 */
import { F64 as memory } from "../wasm/heap.ts";
import { orthogonalise, rankTwo, rotations, timesVector } from "./dense.ts";
import { factorQR, lengthOf, reflect, triangleOf, writeQ } from "./factor.ts";
import { dense, from, type Grid, native, put, roomFor, turned, Workspace } from "./workspace.ts";

// ---------------------------------------------------------------- eigenvalues

/** √(x² + y²) of numbers of which the larger one is nowhere near the ends of the range. */
const hypotenuse = (x: number, y: number): number => {
  const sum = x * x + y * y;
  return sum > 1e-280 ? Math.sqrt(sum) : Math.hypot(x, y);
};

/** Reflects the full symmetric x to tridiagonal form: its diagonal in d, what stands beside it in e, the reflections in v and t. */
function tridiagonalise(x: Grid, n: number, d: Float64Array, e: Float64Array, v: Grid, t: Grid, work: Workspace): void {
  const a = memory;
  const mark = work.mark();
  const y = work.take(1, n);
  for (let k = 0; k < n - 1; k++) {
    const length = n - k - 1;
    const row = x.at + k * x.row + k + 1;
    d[k] = a[row - 1]!;
    const tau = reflect(row, 1, length);
    e[k] = a[row]!;
    a[row] = 1;
    for (let i = 0, p = v.at + k * v.row + k; i < length; i++, p += v.row) a[p] = a[row + i]!;
    a[t.at + k * t.row + k] = tau;
    if (tau === 0) continue;
    const rest = row + x.row;
    timesVector()(8 * rest, 8 * x.row, 8 * row, 8 * y.at, length, length);
    let inner = 0;
    for (let i = 0; i < length; i++) inner += a[y.at + i]! * a[row + i]!;
    const shift = (tau * tau * inner) / 2;
    for (let i = 0; i < length; i++) a[y.at + i] = tau * a[y.at + i]! - shift * a[row + i]!;
    rankTwo()(8 * rest, 8 * x.row, 8 * row, 8 * y.at, length);
  }
  d[n - 1] = a[x.at + (n - 1) * x.row + n - 1]!;
  work.release(mark);
}

/** The eigenvalues of a tridiagonal matrix, in d; the rows of z, if there is one, are turned along. Gives false if it took too long. */
function implicitQL(d: Float64Array, e: Float64Array, n: number, z: Grid | null, turns: number): boolean {
  const a = memory;
  e[n - 1] = 0;
  for (let l = 0; l < n; l++)
    for (let round = 0; ; round++) {
      let m = l;
      for (; m < n - 1; m++) if (Math.abs(e[m]!) <= 2 ** -53 * (Math.abs(d[m]!) + Math.abs(d[m + 1]!))) break;
      if (m === l) break;
      if (round === 80) return false;
      const half = (d[l + 1]! - d[l]!) / (2 * e[l]!);
      let g = d[m]! - d[l]! + e[l]! / (half + (half < 0 ? -1 : 1) * Math.hypot(half, 1));
      let s = 1;
      let c = 1;
      let p = 0;
      let i = m - 1;
      let count = 0;
      for (; i >= l; i--) {
        const f = s * e[i]!;
        const b = c * e[i]!;
        let r = hypotenuse(f, g);
        e[i + 1] = r;
        if (r === 0) {
          // Underflow: what is beside the diagonal has become 0 there.
          d[i + 1]! -= p;
          e[m] = 0;
          break;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1]! - p;
        r = (d[i]! - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
        a[turns + 2 * count] = c;
        a[turns + 2 * count + 1] = s;
        count++;
      }
      if (z !== null) rotations()(8 * (z.at + (m - 1) * z.row), -8 * z.row, 8 * turns, count, n);
      if (i >= l) continue;
      d[l]! -= p;
      e[l] = g;
      e[m] = 0;
    }
  return true;
}

/** The power of two by which a largest element is brought to about 1, so that nothing is rounded and no square is out of range. */
export const scaleFor = (largest: number): number => 2 ** -Math.max(-1000, Math.min(1000, Math.floor(Math.log2(largest || 1))));

export const largestOf = (first: number, count: number): number => {
  const a = memory;
  let largest = 0;
  for (let i = first; i < first + count; i++) {
    const size = Math.abs(a[i]!);
    if (!(size <= largest)) largest = size;
    if (Number.isNaN(size)) return size;
  }
  return largest;
};

/** A workspace for `eigen` of n rows. */
export const eigenSpace = (n: number, vectors: boolean): Workspace =>
  new Workspace(Math.max(eigenRoom(n), native?.eigenSpace(n, vectors) ?? 0), n, n, n);

const eigenRoom = (n: number): number => 6 * roomFor(n, n) + 4 * n;

/**
 * Writes the eigenvalues of the symmetric matrix of n >= 1 rows at `first`, ascending, from `to` on, and behind
 * them (if `vectors`) the eigenvectors as columns. Gives false where the method did not converge. All elements are finite.
 */
export function eigen(first: number, n: number, to: number, vectors: boolean, work: Workspace): boolean {
  if (native?.eigen(first, n, to, vectors, work)) return true;
  const out = memory;
  const scale = scaleFor(largestOf(first, n * n));
  const start = work.mark();
  try {
    const a = work.load(first, n, n);
    for (let i = 0; i < n; i++) for (let j = 0, p = a.at + i * a.row; j < n; j++) memory[p++]! *= scale;
    const d = new Float64Array(n);
    const e = new Float64Array(n);
    const v = work.zeros(n, n);
    const t = work.zeros(n, n);
    tridiagonalise(a, n, d, e, v, t, work);
    const turns = work.take(1, 2 * n).at;
    const z = vectors ? work.unit(n) : null;
    if (!implicitQL(d, e, n, z, turns)) return false;
    const order = Array.from(d.keys()).sort((i, j) => d[i]! - d[j]!);
    order.forEach((from, k) => {
      out[to + k] = d[from]! / scale;
    });
    if (z === null) return true;
    // The rows of z are the vectors of the tridiagonal matrix; those of x are (I - V·T·Vᵀ) times them, but for the first element.
    if (n > 1) {
      const k = n - 1;
      triangleOf(v, t, k, k, work);
      const rest = from(z, 0, 1);
      // The matrix is not needed any more: its memory holds what lies between.
      work.multiply(a, rest, v, n, k, k);
      const left = work.take(n, k);
      work.multiply(left, a, turned(t), n, k, k);
      const negative = work.negated(left, n, k);
      work.multiply(rest, negative, turned(v), n, k, k, true);
    }
    order.forEach((from, k) => {
      for (let i = 0, p = z.at + from * z.row; i < n; i++, p++) out[to + n + i * n + k] = memory[p]!;
    });
    return true;
  } finally {
    work.release(start);
  }
}

// ---------------------------------------------------------------- singular values

/** Rows shorter than this, beside a longest of about 1, count as zero: their squares are no numbers to divide by. */
const NOTHING = 1e-140;

/** Turns rows of w (count × n) until they are orthogonal, and those of v along with them. */
function orthogonaliseRows(w: Grid, n: number, v: Grid, long: number, count: number): void {
  const tolerance = 2 ** -52 * Math.sqrt(n);
  const turn = orthogonalise();
  // Convergence is quadratic in the end; ten rounds are many.
  for (let round = 0, found = 1; found > 0 && round < 40; round++) {
    found = 0;
    for (let p = 0; p < count - 1; p++)
      found += turn(8 * (w.at + p * w.row), 8 * w.row, n, 8 * (v.at + p * v.row), 8 * v.row, long, count - p, tolerance, NOTHING * NOTHING);
  }
}

/** A unit vector orthogonal to the first `known` rows of u: what is left of a unit of the axis they cover least. */
function furtherUnit(u: Grid, known: number, n: number, at: number): void {
  const a = memory;
  let least = 0;
  for (let i = 0, lowest = Number.POSITIVE_INFINITY; i < n; i++) {
    let covered = 0;
    for (let k = 0, p = u.at + i; k < known; k++, p += u.row) covered += a[p]! * a[p]!;
    if (covered < lowest) [least, lowest] = [i, covered];
  }
  a.fill(0, at, at + n);
  a[at + least] = 1;
  for (let again = 0; again < 2; again++)
    for (let k = 0, p = u.at; k < known; k++, p += u.row) {
      let inner = 0;
      for (let i = 0; i < n; i++) inner += a[p + i]! * a[at + i]!;
      for (let i = 0; i < n; i++) a[at + i]! -= inner * a[p + i]!;
    }
  const length = lengthOf(at, 1, n);
  for (let i = 0; i < n; i++) a[at + i]! /= length;
}

/** Triangles from this many rows on are brought near to orthogonal rows first. */
const MANY = 32;

/** How far apart the diagonal elements of a triangle may be for that: the small singular values of others keep their digits. */
const SPREAD = 2 ** -20;

/**
 * Turns the rows of the triangle r until they are nearly orthogonal, by the eigenvectors of r·rᵀ, so that few of Jacobi's
 * rotations are left to do; gives by what they were turned.
 */
function firstTurns(r: Grid, k: number, work: Workspace): Grid {
  const diagonal = Array.from({ length: k }, (_, i) => Math.abs(memory[r.at + i * (r.row + 1)]!));
  if (k < MANY || Math.min(...diagonal) < SPREAD * Math.max(...diagonal)) return work.unit(k);
  const start = work.mark();
  const turns = work.take(k, k);
  const mark = work.mark();
  const square = work.take(1, k * k).at;
  const found = work.take(1, k + k * k).at;
  work.multiply(dense(square, k), r, turned(r), k, k, k);
  if (!eigen(square, k, found, true, work)) {
    work.release(start);
    return work.unit(k);
  }
  // The eigenvectors are columns, that of the largest value the last.
  put({ at: found + 2 * k - 1, row: -1, column: k }, turns, k, k);
  const triangle = work.take(k, k);
  put(r, triangle, k, k);
  work.multiply(r, turns, triangle, k, k, k);
  work.release(mark);
  return turns;
}

/** A workspace for `singular` of m × n, with so many left and right vectors; with `more` elements, and products of so many columns. */
export function singularSpace(m: number, n: number, lefts: number, rights: number, more = 0, columns = 0): Workspace {
  const [rows, k, wanted] = m >= n ? [m, n, lefts] : [n, m, rights];
  const wide = Math.max(k, wanted);
  const first = k < MANY ? 0 : 2 * roomFor(1, k + k * k) + eigenRoom(k);
  const own = 3 * roomFor(rows, k) + 5 * roomFor(k, wide) + Math.max(first, roomFor(rows, wanted) + roomFor(k, rows));
  return new Workspace(Math.max(own, native?.singularSpace(m, n, lefts, rights) ?? 0) + more, rows, Math.max(rows, columns), rows);
}

/**
 * Writes, one behind another from `to` on, for the matrix of m × n at `first`: its left singular vectors as columns,
 * the singular values, descending, and the right vectors as rows. There are `lefts` and `rights` vectors: none, as many as
 * values, or m and n, where further ones complete a basis. All elements are finite.
 */
export function singular(first: number, m: number, n: number, to: number, lefts: number, rights: number, work: Workspace): void {
  if (native?.singular(first, m, n, to, lefts, rights, work)) return;
  const out = memory;
  const tall = m >= n;
  const [rows, k, wanted] = tall ? [m, n, lefts] : [n, m, rights];
  const values = to + m * lefts;
  const scale = scaleFor(largestOf(first, m * n));
  /** Where element i of vector j goes: of the long vectors, and of the short ones. */
  const atLeft = (i: number, j: number): number => to + i * lefts + j;
  const atRight = (i: number, j: number): number => values + k + j * n + i;
  const [atFar, atNear] = tall ? [atLeft, atRight] : [atRight, atLeft];
  const start = work.mark();
  try {
    const given = work.load(first, m, n, !tall);
    // Longest columns first: so the rows of the triangle are nearly in order of length.
    const lengths = new Float64Array(k);
    for (let i = 0; i < rows; i++) for (let j = 0, p = given.at + i * given.row; j < k; j++, p++) lengths[j]! += (memory[p]! *= scale) ** 2;
    const columns = [...lengths.keys()].sort((i, j) => lengths[j]! - lengths[i]!);
    const a = work.take(rows, k);
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < k; j++) memory[a.at + i * a.row + j] = memory[given.at + i * given.row + columns[j]!]!;
    const v = work.zeros(rows, k);
    const t = work.zeros(k, k);
    factorQR(a, v, t, rows, k, work);
    for (let i = 1; i < k; i++) memory.fill(0, a.at + i * a.row, a.at + i * a.row + i);
    // R = J·Σ·Yᵀ: turning its rows until they are orthogonal leaves Σ·Yᵀ there, and Jᵀ in the turned unit matrix.
    const turns = firstTurns(a, k, work);
    orthogonaliseRows(a, k, turns, k, k);
    // Thousands of rotations, each rounded, have made the units a little longer or shorter than 1, and the rows with them.
    const sizes = new Float64Array(k);
    for (let j = 0; j < k; j++) {
      const long = lengthOf(turns.at + j * turns.row, 1, k);
      for (let i = 0, p = turns.at + j * turns.row; i < k; i++, p++) memory[p]! /= long;
      sizes[j] = lengthOf(a.at + j * a.row, 1, k) / long;
    }
    const order = [...sizes.keys()].sort((i, j) => sizes[j]! - sizes[i]!);
    order.forEach((j, i) => {
      out[values + i] = sizes[j]! > NOTHING ? sizes[j]! / scale : 0;
    });
    if ((tall ? rights : lefts) > 0) {
      const units = work.take(k, k);
      order.forEach((j, i) => {
        const unit = units.at + i * units.row;
        const row = a.at + j * a.row;
        const length = lengthOf(row, 1, k);
        if (sizes[j]! > NOTHING) for (let c = 0; c < k; c++) memory[unit + c] = memory[row + c]! / length;
        else furtherUnit(units, i, k, unit);
        for (let c = 0; c < k; c++) out[atNear(columns[c]!, i)] = memory[unit + c]!;
      });
    }
    if (wanted > 0) {
      const q = work.take(rows, wanted);
      writeQ(q, wanted, v, t, rows, k, work);
      // Each long vector is Q times a turned unit; what Q has beyond completes the basis.
      const found = work.take(k, rows);
      work.multiply(found, turns, turned(q), k, rows, k);
      for (let i = 0; i < wanted; i++) {
        const [p, step] = i < k ? [found.at + order[i]! * found.row, 1] : [q.at + i, q.row];
        for (let r = 0; r < rows; r++) out[atFar(r, i)] = memory[p + r * step]!;
      }
    }
  } finally {
    work.release(start);
  }
}
