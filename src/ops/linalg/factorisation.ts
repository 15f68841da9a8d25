/** Factorisations of matrices, as routines whose rules are written in public operators. */
import { addressOf, blank, memoryOf, type NDArray } from "../../array.ts";
import { SHIFT } from "../../dtype.ts";
import { ValueError } from "../../errors.ts";
import { liftNothing, type Structural, structural } from "../../op.ts";
import { sizeOf } from "../../shape.ts";
import { absorb, add, equal, multiply, reciprocal, subtract, where } from "../pointwise.ts";
import { expandDims, part, reshape, slice, swapaxes } from "../structural.ts";
import { matmul } from "./products.ts";

// ---------------------------------------------------------------- singular values

/** Columns shorter than this, beside a longest of about 1, count as zero: their squares are no numbers to divide by. */
const NOTHING = 1e-140;

/**
 * Turns the columns (of `rows` elements, one after another in w) until they are orthogonal, and the columns of v along
 * with them: one-sided Jacobi. A pair is left alone when its cosine is below rounding.
 */
function orthogonalise(w: Float64Array, v: Float64Array, rows: number, columns: number): void {
  const tolerance = 2 ** -52 * Math.sqrt(rows);
  const turn = (x: Float64Array, length: number, p: number, q: number, c: number, s: number): void => {
    for (let i = 0, a = p * length, b = q * length; i < length; i++, a++, b++) {
      const t = x[a]!;
      x[a] = c * t - s * x[b]!;
      x[b] = s * t + c * x[b]!;
    }
  };
  // Convergence is quadratic in the end; ten rounds are many.
  for (let round = 0, turned = true; turned && round < 40; round++) {
    turned = false;
    for (let p = 0; p < columns - 1; p++)
      for (let q = p + 1; q < columns; q++) {
        let alpha = 0;
        let beta = 0;
        let gamma = 0;
        for (let i = 0, a = p * rows, b = q * rows; i < rows; i++, a++, b++) {
          alpha += w[a]! * w[a]!;
          beta += w[b]! * w[b]!;
          gamma += w[a]! * w[b]!;
        }
        const size = Math.sqrt(alpha) * Math.sqrt(beta);
        if (!(Math.abs(gamma) > tolerance * size) || size < NOTHING * NOTHING) continue;
        turned = true;
        const zeta = (beta - alpha) / (2 * gamma);
        const t = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
        const c = 1 / Math.sqrt(1 + t * t);
        turn(w, rows, p, q, c, c * t);
        turn(v, columns, p, q, c, c * t);
      }
  }
}

const lengthOf = (x: Float64Array): number => Math.sqrt(x.reduce((sum, e) => sum + e * e, 0));

/** A unit vector orthogonal to all of the given ones (each of `rows` elements): what is left of a unit of the axis they cover least. */
function furtherUnit(known: readonly Float64Array[], rows: number): Float64Array {
  let least = 0;
  const covered = (i: number): number => known.reduce((sum, u) => sum + u[i]! * u[i]!, 0);
  for (let i = 1, lowest = covered(0); i < rows; i++) {
    const here = covered(i);
    if (here < lowest) [least, lowest] = [i, here];
  }
  const x = new Float64Array(rows);
  x[least] = 1;
  for (let again = 0; again < 2; again++)
    for (const u of known) {
      const inner = u.reduce((sum, e, i) => sum + e * x[i]!, 0);
      for (let i = 0; i < rows; i++) x[i]! -= inner * u[i]!;
    }
  const length = lengthOf(x);
  return x.map(e => e / length);
}

/** Writes U, s and Vh of the matrix of m rows and n columns at `from`, one after another, to `to`. */
function decompose(source: ArrayLike<number>, from: number, m: number, n: number, out: Float64Array, to: number): void {
  const tall = m >= n;
  const [rows, columns] = tall ? [m, n] : [n, m];
  let largest = 0;
  for (let i = from; i < from + m * n; i++) {
    if (!Number.isFinite(source[i]!)) throw new ValueError(`svd: the matrix holds ${source[i]}; all elements must be finite`);
    largest = Math.max(largest, Math.abs(source[i]!));
  }
  // A power of two, so that nothing is rounded and no square is out of range.
  const scale = 2 ** -Math.max(-1000, Math.floor(Math.log2(largest || 1)));
  const w = new Float64Array(rows * columns);
  for (let j = 0; j < columns; j++) for (let i = 0; i < rows; i++) w[j * rows + i] = source[from + (tall ? i * n + j : j * n + i)]! * scale;
  const v = new Float64Array(columns * columns);
  for (let j = 0; j < columns; j++) v[j * columns + j] = 1;
  orthogonalise(w, v, rows, columns);
  // Thousands of rotations, each rounded, have made the columns of v a little longer or shorter than 1, those of w with them.
  const turned = [...Array(columns).keys()].map(j => {
    const unit = v.subarray(j * columns, (j + 1) * columns);
    const long = lengthOf(unit);
    const image = w.subarray(j * rows, (j + 1) * rows).map(e => e / long);
    return { unit: unit.map(e => e / long), image, length: lengthOf(image) };
  });
  turned.sort((a, b) => b.length - a.length);
  const images: Float64Array[] = [];
  turned.forEach(({ unit, image, length }, k) => {
    images.push(length > NOTHING ? image.map(e => e / length) : furtherUnit(images, rows));
    out[to + m * columns + k] = length > NOTHING ? length / scale : 0;
    const [left, right] = tall ? [images[k]!, unit] : [unit, images[k]!];
    for (let i = 0; i < m; i++) out[to + i * columns + k] = left[i]!;
    for (let i = 0; i < n; i++) out[to + (m + 1) * columns + k * n + i] = right[i]!;
  });
}

/** U, s and Vh behind one another along the last axis: so a single row has three results. */
const svdRow: Structural<null> = structural("svd", {
  kind: "function",
  run: ([x]) => {
    const [m, n] = x!.shape.slice(-2) as [number, number];
    const length = (m + 1 + n) * Math.min(m, n);
    const shape = [...x!.shape.slice(0, -2), length];
    const values = x!.toTypedArray();
    const out = new Float64Array(sizeOf(shape));
    if (length > 0) for (let i = 0; i * length < out.length; i++) decompose(values, i * m * n, m, n, out, i * length);
    const y = blank(shape, out.length, x!.code);
    const start = addressOf(y) >> SHIFT[y.code]!;
    memoryOf(y.code).set(out, start);
    return y;
  },
  grad: (g, { y, like }) => {
    const [m, n] = like[0]!.shape.slice(-2) as [number, number];
    const [u, s, vh] = partsOf(y, m, n);
    const [gu, gs, gv] = partsOf(g, m, n);
    const k = Math.min(m, n);
    const turned = (x: NDArray): NDArray => swapaxes(x, -1, -2);
    const row = expandDims(s, -2);
    const column = expandDims(s, -1);
    const p = matmul(turned(u), gu);
    const q = matmul(vh, turned(gv));
    const skewP = subtract(p, turned(p));
    const skewQ = subtract(q, turned(q));
    // Where singular values are equal, functions that do not depend on the choice of vectors have no part along the difference.
    const inner = add(
      absorb(add(skewP, skewQ), inverted(subtract(row, column))),
      absorb(subtract(skewP, skewQ), inverted(add(row, column))),
    );
    let left = add(matmul(u, multiply(0.5, inner)), absorb(expandDims(gs, -2), u));
    if (m > k) left = add(left, absorb(subtract(gu, matmul(u, p)), inverted(row)));
    const x = matmul(left, vh);
    return [n > k ? add(x, matmul(u, absorb(subtract(gv, matmul(turned(q), vh)), inverted(column)))) : x];
  },
  reads: [[1]],
  lift: liftNothing,
});

const inverted = (x: NDArray): NDArray => where(equal(x, 0), 0, reciprocal(x));

function partsOf(packed: NDArray, m: number, n: number): [NDArray, NDArray, NDArray] {
  const k = Math.min(m, n);
  const lead = packed.shape.slice(0, -1);
  const piece = (from: number, ...shape: number[]): NDArray =>
    reshape(slice([packed], part(packed.shape, lead.length, from, sizeOf(shape))), [...lead, ...shape]);
  return [piece(0, m, k), piece(m * k, k), piece((m + 1) * k, k, n)];
}

/**
 * The thin singular value decomposition of the matrices in the last two axes: U, the singular values (descending) and
 * the transpose of V. Computed in float64; the signs of the vectors are as they come. Derivatives of the vectors are
 * exact for distinct singular values, those of the values alone for any.
 * @throws ValueError for NaN or infinity.
 * @internal
 */
export const svdOf = (x: NDArray): [NDArray, NDArray, NDArray] => partsOf(svdRow([x], null), x.shape[x.ndim - 2]!, x.shape[x.ndim - 1]!);
