/** Factorisations of matrices beside that by singular values, as routines whose rules are written in public operators. */
import type { NDArray } from "../../array.ts";
import { cholesky, choleskySpace, orthogonal, orthogonalSpace } from "../../backend/matrices/factor.ts";
import { eigen, eigenSpace } from "../../backend/matrices/spectral.ts";
import { F64 as memory } from "../../backend/wasm/heap.ts";
import { F32, F64 } from "../../dtype.ts";
import { ValueError } from "../../errors.ts";
import { liftNothing, type Structural, structural } from "../../op.ts";
import { absorb, add, multiply, subtract } from "../pointwise.ts";
import { expandDims } from "../structural.ts";
import { eachMatrix, inverted, mirrored, sidesOf, transposed, unpacked, type Write } from "./matrices.ts";
import { matmul } from "./products.ts";
import { solved } from "./solving.ts";

// ---------------------------------------------------------------- eigenvalues

function eigenvalues(name: string, x: NDArray, vectors: boolean): NDArray {
  const n = x.shape.at(-1)!;
  const write: Write = (from, to, work) => {
    if (!eigen(from, n, to, vectors, work)) throw new ValueError(`${name}: the eigenvalues did not converge; scale the matrix`);
  };
  return eachMatrix(x, [vectors ? n + n * n : n], () => eigenSpace(n, vectors), write, name);
}

/** The eigenvalues and the eigenvectors behind one another. */
const eighRow: Structural<null> = structural("eigh", {
  kind: "function",
  run: ([x]) => eigenvalues("eigh", x!, true),
  // Giles (2008), 3.1; the part along equal eigenvalues as above.
  grad: (g, { y, like }) => {
    const n = like[0]!.shape.at(-1)!;
    const [w, v] = unpacked(y, [n], [n, n]) as [NDArray, NDArray];
    const [gw, gv] = unpacked(g, [n], [n, n]) as [NDArray, NDArray];
    const p = matmul(transposed(v), gv);
    const inner = absorb(subtract(p, transposed(p)), inverted(subtract(expandDims(w, -2), expandDims(w, -1))));
    return [matmul(add(matmul(v, multiply(0.5, inner)), absorb(expandDims(gw, -2), v)), transposed(v))];
  },
  reads: [[1]],
  lift: liftNothing,
});

/** The eigenvalues of symmetric matrices, ascending, and their eigenvectors as columns. @internal */
export function eighOf(x: NDArray): [NDArray, NDArray] {
  const n = x.shape.at(-1)!;
  return unpacked(eighRow([x], null), [n], [n, n]) as [NDArray, NDArray];
}

/** The eigenvalues alone. @internal */
export const eigvalshOf: Structural<null> = structural("eigvalsh", {
  kind: "function",
  run: ([x]) => eigenvalues("eigvalsh", x!, false),
  grad: (g, { inputs: [x] }) => {
    const [, v] = eighOf(x!);
    return [matmul(absorb(expandDims(g, -2), v), transposed(v))];
  },
  reads: [[0]],
  lift: liftNothing,
});

// ---------------------------------------------------------------- triangular factors

/** The lower triangular L with x = L·Lᵀ of symmetric matrices. @internal */
export const choleskyOf: Structural<null> = structural("cholesky", {
  kind: "function",
  run: ([x]) => {
    const n = x!.shape.at(-1)!;
    const write: Write = (from, to, work) => {
      if (!cholesky(from, n, to, work))
        throw new ValueError("cholesky: the matrix is not positive definite; add a multiple of np.eye(n), or use eigh");
    };
    return eachMatrix(x!, [n, n], () => choleskySpace(n), write);
  },
  // Murray (2016): half of L⁻ᵀ·(the lower part of LᵀL̄, mirrored)·L⁻¹.
  grad: (g, { y }) => {
    const upper = transposed(y);
    const half = solved([upper, multiply(0.5, mirrored(matmul(upper, g)))], "upper");
    return [transposed(solved([upper, transposed(half)], "upper"))];
  },
  reads: [[1]],
  lift: liftNothing,
});

/** Pivots up to this part of the largest element count as 0, in float32 and in float64. */
const NEGLIGIBLE: Readonly<Record<number, number>> = { [F32]: 1e-5, [F64]: 1e-8 };

/** Cholesky's method with the largest pivot first: Higham (1990). The attribute is how errors begin. */
const semidefiniteRow: Structural<string> = structural("cholesky of a semidefinite matrix", {
  kind: "function",
  run: ([x], refusal) => {
    const n = x!.shape.at(-1)!;
    const write: Write = (from, to) => {
      const a = memory.slice(from, from + n * n);
      const limit = NEGLIGIBLE[x!.code]! * a.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
      memory.fill(0, to, to + n * n);
      for (let k = 0; k < n; k++) {
        let [best, pivot] = [0, limit];
        for (let i = 0; i < n; i++) if (a[i * (n + 1)]! > pivot) [best, pivot] = [i, a[i * (n + 1)]!];
        if (pivot === limit) break;
        for (let i = 0; i < n; i++) memory[to + i * n + k] = a[i * n + best]! / Math.sqrt(pivot);
        for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) a[i * n + j]! -= memory[to + i * n + k]! * memory[to + j * n + k]!;
      }
      if (a.some(v => Math.abs(v) > limit)) throw new ValueError(`${refusal} is not positive semidefinite; add a multiple of np.eye(${n})`);
    };
    return eachMatrix(x!, [n, n], () => choleskySpace(n), write);
  },
  grad: null,
  lift: liftNothing,
});

/** An L with L·Lᵀ = x for symmetric matrices that may be only semidefinite: no triangle, and without a derivative. @internal */
export const semidefiniteOf = (x: NDArray, refusal: string): NDArray => semidefiniteRow([x], refusal);

/** Q (m × columns) and R (columns × n) behind one another, of m >= n rows. @internal */
export function factored(x: NDArray, columns: number): NDArray {
  const [m, n] = sidesOf(x.shape);
  const write: Write = (from, to, work) => orthogonal(from, m, n, columns, to, work);
  return eachMatrix(x, [(m + n) * columns], () => orthogonalSpace(m, n, columns), write);
}

const qrRow: Structural<null> = structural("qr", {
  kind: "function",
  run: ([x]) => factored(x!, x!.shape.at(-1)!),
  grad: (g, { y, like }) => {
    const [m, n] = sidesOf(like[0]!.shape);
    const parts = (packed: NDArray): QrParts => unpacked(packed, [m, n], [n, n]) as [NDArray, NDArray];
    return [qrSlope(parts(y), parts(g))];
  },
  reads: [[1]],
  lift: liftNothing,
});

export type QrParts = readonly [q: NDArray, r: NDArray];

/** Walter & Lehmann (2010): (Q̄ + Q·(the lower part of R·R̄ᵀ - Q̄ᵀ·Q, mirrored))·R⁻ᵀ. @internal */
export function qrSlope([q, r]: QrParts, [gq, gr]: QrParts): NDArray {
  const inner = mirrored(subtract(matmul(r, transposed(gr)), matmul(transposed(gq), q)));
  return transposed(solved([r, transposed(add(gq, matmul(q, inner)))], "upper"));
}

/** Q and R of matrices with at least as many rows as columns, Q with as many columns as they. @internal */
export function qrOf(x: NDArray): [NDArray, NDArray] {
  const [m, n] = sidesOf(x.shape);
  return unpacked(qrRow([x], null), [m, n], [n, n]) as [NDArray, NDArray];
}
