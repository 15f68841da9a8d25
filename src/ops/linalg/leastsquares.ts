/** Pseudo-inverses and least squares, as routines whose rules are written in public operators. */
import type { NDArray } from "../../array.ts";
import { singular, singularSpace } from "../../backend/routines/spectral.ts";
import { liftNothing, type Structural, structural } from "../../op.ts";
import { sizeOf } from "../../shape.ts";
import { absorb, add, negative, subtract } from "../pointwise.ts";
import { expandDims } from "../structural.ts";
import { checkFinite, doubles, fromDoubles, sidesOf, transposed, unpacked } from "./matrices.ts";
import { matmul } from "./products.ts";
import { svdOf } from "./svd.ts";

/** Singular values up to `rcond` times the largest count as 0. */
interface Cut {
  readonly operator: string;
  readonly rcond: number;
}

/** The thin decomposition of each matrix: u from 0 on, s from m·k on, and vh behind; rank is how many values count. */
function eachDecomposed(x: NDArray, { operator, rcond }: Cut, visit: (parts: Float64Array, rank: number, index: number) => void): void {
  const [m, n] = sidesOf(x.shape);
  const k = Math.min(m, n);
  const values = doubles(x);
  checkFinite(values, operator);
  const parts = new Float64Array((m + 1 + n) * k);
  const work = singularSpace(m, n, k, k);
  try {
    for (let i = 0, count = sizeOf(x.shape.slice(0, -2)); i < count; i++) {
      singular(values, i * m * n, m, n, parts, 0, k, k, work);
      const s = parts.subarray(m * k, m * k + k);
      visit(parts, s.filter(v => v > rcond * s[0]!).length, i);
    }
  } finally {
    work.free();
  }
}

/** out = V·S⁺·Uᵀ·b, b of m rows, both of `columns`; without b, of the unit matrix. */
function applyInverse(
  parts: Float64Array,
  rank: number,
  m: number,
  n: number,
  b: Float64Array | null,
  from: number,
  columns: number,
  out: Float64Array,
  to: number,
  step: number,
): void {
  const k = Math.min(m, n);
  const line = new Float64Array(columns);
  for (let j = 0; j < rank; j++) {
    const s = parts[m * k + j]!;
    if (b === null) for (let i = 0; i < m; i++) line[i] = parts[i * k + j]!;
    else {
      line.fill(0);
      for (let i = 0, p = from; i < m; i++) {
        const u = parts[i * k + j]!;
        for (let c = 0; c < columns; c++) line[c]! += u * b[p++]!;
      }
    }
    for (let c = 0; c < columns; c++) line[c]! /= s;
    for (let i = 0; i < n; i++) {
      const v = parts[(m + 1) * k + j * n + i]!;
      for (let c = 0, p = to + i * step; c < columns; c++) out[p++]! += v * line[c]!;
    }
  }
}

/** The pseudo-inverse; its derivative is that of matrices of the same rank. @internal */
export const pinvOf: Structural<Cut> = structural("pinv", {
  kind: "function",
  run: ([x], cut) => {
    const [m, n] = sidesOf(x!.shape);
    const out = new Float64Array(x!.size);
    if (out.length > 0) eachDecomposed(x!, cut, (parts, rank, i) => applyInverse(parts, rank, m, n, null, 0, m, out, i * m * n, m));
    return fromDoubles(out, [...x!.shape.slice(0, -2), n, m], x!.code);
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
    const out = new Float64Array(sizeOf(lead) * length);
    if (m * n > 0) {
      const right = doubles(b!);
      checkFinite(right, cut.operator);
      eachDecomposed(a!, cut, (parts, rank, i) => {
        applyInverse(parts, rank, m, n, right, i * m * columns, columns, out, i * length, columns);
        out.set(parts.subarray(m * k, m * k + k), i * length + n * columns);
      });
    }
    return fromDoubles(out, [...lead, length], a!.code);
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
