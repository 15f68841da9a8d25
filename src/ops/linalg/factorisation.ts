/** Factorisations of matrices, as routines whose rules are written in public operators. */
import type { NDArray } from "../../array.ts";
import { factorCholesky, factorQR, roomFor, turned, unload, Workspace, writeQ } from "../../backend/routines/factor.ts";
import { eigen, eigenSpace, singular, singularSpace } from "../../backend/routines/spectral.ts";
import { ValueError } from "../../errors.ts";
import { liftNothing, type Structural, structural } from "../../op.ts";
import { type Shape, sizeOf } from "../../shape.ts";
import { absorb, add, multiply, subtract } from "../pointwise.ts";
import { expandDims } from "../structural.ts";
import { checkFinite, doubles, fromDoubles, inverted, lowerPart, sidesOf, transposed, unpacked } from "./matrices.ts";
import { matmul } from "./products.ts";
import { solved } from "./solving.ts";

type Write = (values: Float64Array, first: number, out: Float64Array, to: number, work: Workspace) => void;

/**
 * A row's result, of shape `tail` for each of the matrices in the last two axes: what `write` makes of that at `first` goes
 * to `out` from `to` on. One workspace serves them all. With a name, elements must be finite.
 */
function eachMatrix(x: NDArray, tail: Shape, space: () => Workspace, write: Write, finite = ""): NDArray {
  const lead = x.shape.slice(0, -2);
  const size = sizeOf(x.shape.slice(-2));
  const length = sizeOf(tail);
  const out = new Float64Array(sizeOf(lead) * length);
  if (out.length > 0) {
    const values = doubles(x);
    if (finite !== "") checkFinite(values, finite);
    const work = space();
    try {
      for (let i = 0; i * length < out.length; i++) write(values, i * size, out, i * length, work);
    } finally {
      work.free();
    }
  }
  return fromDoubles(out, [...lead, ...tail], x.code);
}

// ---------------------------------------------------------------- singular values

/** So many left vectors, the singular values, and so many right vectors behind one another. */
function decomposed(x: NDArray, lefts: number, rights: number): NDArray {
  const [m, n] = sidesOf(x.shape);
  const length = m * lefts + Math.min(m, n) + rights * n;
  const write: Write = (values, first, out, to, work) => singular(values, first, m, n, out, to, lefts, rights, work);
  return eachMatrix(x, [length], () => singularSpace(m, n, lefts, rights), write, "svd");
}

/** U, s and Vh behind one another along the last axis. */
const svdRow: Structural<null> = structural("svd", {
  kind: "function",
  run: ([x]) => {
    const k = Math.min(...sidesOf(x!.shape));
    return decomposed(x!, k, k);
  },
  // Giles (2008), 3.4, and Townsend (2016), with the parts outside of the spaces of the vectors.
  grad: (g, { y, like }) => {
    const [m, n] = sidesOf(like[0]!.shape);
    const [u, s, vh] = thinParts(y, m, n);
    const [gu, gs, gv] = thinParts(g, m, n);
    const k = Math.min(m, n);
    const row = expandDims(s, -2);
    const column = expandDims(s, -1);
    const p = matmul(transposed(u), gu);
    const q = matmul(vh, transposed(gv));
    const skewP = subtract(p, transposed(p));
    const skewQ = subtract(q, transposed(q));
    // Where singular values are equal, functions that do not depend on the choice of vectors have no part along the difference.
    const inner = add(
      absorb(add(skewP, skewQ), inverted(subtract(row, column))),
      absorb(subtract(skewP, skewQ), inverted(add(row, column))),
    );
    let left = add(matmul(u, multiply(0.5, inner)), absorb(expandDims(gs, -2), u));
    if (m > k) left = add(left, absorb(subtract(gu, matmul(u, p)), inverted(row)));
    const x = matmul(left, vh);
    return [n > k ? add(x, matmul(u, absorb(subtract(gv, matmul(transposed(q), vh)), inverted(column)))) : x];
  },
  reads: [[1]],
  lift: liftNothing,
});

const thinParts = (packed: NDArray, m: number, n: number): [NDArray, NDArray, NDArray] => {
  const k = Math.min(m, n);
  return unpacked(packed, [m, k], [k], [k, n]) as [NDArray, NDArray, NDArray];
};

/**
 * The thin singular value decomposition of the matrices in the last two axes: U, the singular values (descending) and
 * the transpose of V. Computed in float64; the signs of the vectors are as they come. Derivatives of the vectors are
 * exact for distinct singular values, those of the values alone for any.
 * @throws ValueError for NaN or infinity.
 * @internal
 */
export const svdOf = (x: NDArray): [NDArray, NDArray, NDArray] => thinParts(svdRow([x], null), ...sidesOf(x.shape));

const fullRow: Structural<null> = structural("svd of full matrices", {
  kind: "function",
  run: ([x]) => decomposed(x!, ...sidesOf(x!.shape)),
  grad: null,
  lift: liftNothing,
});

/** The same with square matrices of vectors, which are not determined by the matrix, and have no derivative. @internal */
export function fullSvdOf(x: NDArray): [NDArray, NDArray, NDArray] {
  const [m, n] = sidesOf(x.shape);
  return m === n ? svdOf(x) : (unpacked(fullRow([x], null), [m, m], [Math.min(m, n)], [n, n]) as [NDArray, NDArray, NDArray]);
}

/** The singular values alone, descending; exact derivatives wherever they are not 0. @internal */
export const singularValues: Structural<null> = structural("svd", {
  kind: "function",
  run: ([x]) => decomposed(x!, 0, 0),
  grad: (g, { inputs: [x] }) => {
    const [u, , vh] = svdOf(x!);
    return [matmul(absorb(expandDims(g, -2), u), vh)];
  },
  reads: [[0]],
  lift: liftNothing,
});

// ---------------------------------------------------------------- eigenvalues

function eigenvalues(name: string, x: NDArray, vectors: boolean): NDArray {
  const n = x.shape.at(-1)!;
  const write: Write = (values, first, out, to, work) => {
    if (!eigen(values, first, n, out, to, vectors, work)) throw new ValueError(`${name}: the eigenvalues did not converge; scale the matrix`);
  };
  return eachMatrix(x, [vectors ? n + n * n : n], () => eigenSpace(n), write, name);
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

/** Lower triangular matrices mirrored at the diagonal. */
const mirrored = (x: NDArray): NDArray => add(lowerPart(x), transposed(lowerPart(x, true)));

/** The lower triangular L with x = L·Lᵀ of symmetric matrices. @internal */
export const choleskyOf: Structural<null> = structural("cholesky", {
  kind: "function",
  run: ([x]) => {
    const n = x!.shape.at(-1)!;
    const write: Write = (values, first, out, to, work) => {
      const mark = work.mark();
      const a = work.load(values, first, n, n);
      if (!factorCholesky(a, n, work))
        throw new ValueError("cholesky: the matrix is not positive definite; add a multiple of np.eye(n), or use eigh");
      unload(turned(a), n, n, out, to);
      for (let i = 0; i < n; i++) out.fill(0, to + i * n + i + 1, to + (i + 1) * n);
      work.release(mark);
    };
    return eachMatrix(x!, [n, n], () => new Workspace(2 * roomFor(n, n), n, n, n), write);
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

/** Q (m × columns) and R (columns × n) behind one another, of m >= n rows. */
function factored(x: NDArray, columns: number): NDArray {
  const [m, n] = sidesOf(x.shape);
  const wide = Math.max(n, columns);
  const write: Write = (values, first, out, to, work) => {
    const mark = work.mark();
    const a = work.load(values, first, m, n);
    const v = work.zeros(m, n);
    const t = work.zeros(n, n);
    factorQR(a, v, t, m, n, work);
    const q = work.take(m, columns);
    writeQ(q, columns, v, t, m, n, work);
    unload(q, m, columns, out, to);
    unload(a, columns, n, out, to + m * columns);
    for (let i = 1, row = to + m * columns + n; i < columns; i++, row += n) out.fill(0, row, row + Math.min(i, n));
    work.release(mark);
  };
  const space = (): Workspace => new Workspace(2 * roomFor(m, n) + 4 * roomFor(n, wide) + roomFor(m, columns), m, wide, m);
  return eachMatrix(x, [(m + n) * columns], space, write);
}

const qrRow: Structural<null> = structural("qr", {
  kind: "function",
  run: ([x]) => factored(x!, x!.shape.at(-1)!),
  // Walter & Lehmann (2010): (Q̄ + Q·(the lower part of R·R̄ᵀ - Q̄ᵀ·Q, mirrored))·R⁻ᵀ.
  grad: (g, { y, like }) => {
    const [m, n] = sidesOf(like[0]!.shape);
    const [q, r] = unpacked(y, [m, n], [n, n]) as [NDArray, NDArray];
    const [gq, gr] = unpacked(g, [m, n], [n, n]) as [NDArray, NDArray];
    const inner = mirrored(subtract(matmul(r, transposed(gr)), matmul(transposed(gq), q)));
    return [transposed(solved([r, transposed(add(gq, matmul(q, inner)))], "upper"))];
  },
  reads: [[1]],
  lift: liftNothing,
});

/** Q and R of matrices with at least as many rows as columns, Q with as many columns as they. @internal */
export function qrOf(x: NDArray): [NDArray, NDArray] {
  const [m, n] = sidesOf(x.shape);
  return unpacked(qrRow([x], null), [m, n], [n, n]) as [NDArray, NDArray];
}

const completeRow: Structural<null> = structural("qr in complete mode", {
  kind: "function",
  run: ([x]) => factored(x!, x!.shape.at(-2)!),
  grad: null,
  lift: liftNothing,
});

/** The same with a square Q, whose further columns are not determined by the matrix and have no derivative. @internal */
export function completeQrOf(x: NDArray): [NDArray, NDArray] {
  const [m, n] = sidesOf(x.shape);
  return unpacked(completeRow([x], null), [m, m], [m, n]) as [NDArray, NDArray];
}
