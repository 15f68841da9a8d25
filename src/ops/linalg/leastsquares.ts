/** Pseudo-inverses and least squares, as routines whose rules are written in public operators. */
import type { NDArray } from "../../array.ts";
import { singular, singularSpace } from "../../backend/matrices/spectral.ts";
import { dense, type Grid, put, roomFor, turned, type Workspace } from "../../backend/matrices/workspace.ts";
import { F64 as memory } from "../../backend/wasm/heap.ts";
import { liftNothing, type Structural, structural } from "../../op.ts";
import { sizeOf } from "../../shape.ts";
import { absorb, add, negative, subtract } from "../pointwise.ts";
import { expandDims } from "../structural.ts";
import { checkFinite, computed, eachMatrix, sidesOf, transposed, unpacked, type Write } from "./matrices.ts";
import { matmul } from "./products.ts";
import { svdOf } from "./svd.ts";

/** Singular values up to `rcond` times the largest count as 0. */
interface Cut {
  readonly operator: string;
  readonly rcond: number;
}

/** A workspace for the thin decomposition of m × n, with which `columns` right sides are solved, and the length of its parts. */
const leastSpace = (m: number, n: number, columns: number): Workspace => {
  const k = Math.min(m, n);
  const more = roomFor(1, (m + 1 + n) * k) + roomFor(k, columns);
  return singularSpace(m, n, k, k, more, columns);
};

/**
 * Writes V·S⁺·Uᵀ·b to `to`, for the m × n matrix U·S·Vᵀ at `first` and b of m rows of `columns`; without b, of the unit
 * matrix. Gives where the singular values are, in memory that the caller takes back.
 */
function applyInverse(
  first: number,
  m: number,
  n: number,
  rcond: number,
  b: Grid | null,
  columns: number,
  to: number,
  work: Workspace,
): number {
  const k = Math.min(m, n);
  const { at } = work.take(1, (m + 1 + n) * k);
  singular(first, m, n, at, k, k, work);
  const values = at + m * k;
  let rank = 0;
  while (rank < k && memory[values + rank]! > rcond * memory[values]!) rank++;
  const inner = work.take(k, columns);
  const u = turned(dense(at, k));
  if (b === null) put(u, inner, rank, m);
  else work.multiply(inner, u, b, rank, columns, m);
  for (let j = 0, row = inner.at; j < rank; j++, row += inner.row)
    for (let c = row; c < row + columns; c++) memory[c]! /= memory[values + j]!;
  if (rank === 0) memory.fill(0, to, to + n * columns);
  else work.multiply(dense(to, columns), turned(dense(values + k, n)), inner, n, columns, rank);
  return values;
}

/** The pseudo-inverse; its derivative is that of matrices of the same rank. @internal */
export const pinvOf: Structural<Cut> = structural("pinv", {
  kind: "function",
  run: ([x], cut) => {
    const [m, n] = sidesOf(x!.shape);
    const write: Write = (from, to, work) => {
      const mark = work.mark();
      applyInverse(from, m, n, cut.rcond, null, m, to, work);
      work.release(mark);
    };
    return eachMatrix(x!, [n, m], () => leastSpace(m, n, m), write, cut.operator);
  },
  // Golub & Pereyra (1973), (4.12): dP = -P·dA·P + P·Pᵀ·dAᵀ·(I - A·P) + (I - P·A)·dAᵀ·Pᵀ·P.
  grad: (g, { y: p, inputs: [a] }) => {
    const pt = transposed(p);
    const gt = transposed(g);
    const outside = subtract(gt, matmul(a!, matmul(p, gt)));
    const beside = subtract(gt, matmul(matmul(gt, p), a!));
    const inner = matmul(pt, matmul(g, pt));
    return [subtract(add(matmul(matmul(outside, p), pt), matmul(pt, matmul(p, beside))), inner)];
  },
  reads: [[0, 1]],
  lift: liftNothing,
});

/** The shortest x with the least |a·x - b| (n × k), and the singular values of a, behind one another. */
const leastRow: Structural<Cut> = structural("lstsq", {
  kind: "function",
  run: ([a, b], cut) => {
    const [m, n] = sidesOf(a!.shape);
    const columns = b!.shape.at(-1)!;
    const k = Math.min(m, n);
    const lead = a!.shape.slice(0, -2);
    const length = n * columns + k;
    return computed(
      [a!, b!],
      [...lead, length],
      () => leastSpace(m, n, columns),
      ([left, right], to, work) => {
        checkFinite(left!, a!.size, cut.operator);
        checkFinite(right!, b!.size, cut.operator);
        for (let i = 0, count = sizeOf(lead); i < count; i++, to += length) {
          const mark = work.mark();
          const b = dense(right! + i * m * columns, columns);
          const values = applyInverse(left! + i * m * n, m, n, cut.rcond, b, columns, to, work);
          put(dense(values, k), dense(to + n * columns, k), 1, k);
          work.release(mark);
        }
      },
    );
  },
  // As of the pseudo-inverse times b, without forming products that are larger than a.
  grad: (g, { y, inputs: [a, b], like, attrs, wants }) => {
    const [m, n] = sidesOf(like[0]!.shape);
    const shapes = [[n, like[1]!.shape.at(-1)!], [Math.min(m, n)]];
    const [gx, gs] = unpacked(g, ...shapes) as [NDArray, NDArray];
    const p = pinvOf([a!], attrs);
    const pt = transposed(p);
    const gb = matmul(pt, gx);
    if (!wants[0]) return [null, gb];
    const x = unpacked(y, ...shapes)[0]!;
    const residual = subtract(b!, matmul(a!, x));
    const outside = subtract(gx, matmul(p, matmul(a!, gx)));
    const [u, , vh] = svdOf(a!);
    const parts = [
      matmul(residual, transposed(matmul(p, gb))),
      matmul(matmul(pt, x), transposed(outside)),
      matmul(absorb(expandDims(gs, -2), u), vh),
    ];
    return [parts.reduce((sum, part) => add(sum, part), negative(matmul(gb, transposed(x)))), gb];
  },
  reads: [[0, 1, 2], [0]],
  lift: liftNothing,
});

/** The solutions of least squares and the singular values; b has the leading axes of a. @internal */
export function leastOf(a: NDArray, b: NDArray, cut: Cut): [NDArray, NDArray] {
  const [m, n] = sidesOf(a.shape);
  return unpacked(leastRow([a, b], cut), [n, b.shape.at(-1)!], [Math.min(m, n)]) as [NDArray, NDArray];
}
