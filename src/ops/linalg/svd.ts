/** Singular value decompositions, as routines whose rules are written in public operators. */
import type { NDArray } from "../../array.ts";
import { singular, singularSpace } from "../../backend/matrices/spectral.ts";
import { liftNothing, type Structural, structural } from "../../op.ts";
import { absorb, add, multiply, subtract } from "../pointwise.ts";
import { expandDims } from "../structural.ts";
import { eachMatrix, inverted, sidesOf, transposed, unpacked, type Write } from "./matrices.ts";
import { matmul } from "./products.ts";

/** So many left vectors, the singular values, and so many right vectors behind one another. @internal */
export function decomposed(x: NDArray, lefts: number, rights: number): NDArray {
  const [m, n] = sidesOf(x.shape);
  const length = m * lefts + Math.min(m, n) + rights * n;
  const write: Write = (from, to, work) => singular(from, m, n, to, lefts, rights, work);
  return eachMatrix(x, [length], () => singularSpace(m, n, lefts, rights), write, "svd");
}

/** U, s and Vh behind one another along the last axis. */
const svdRow: Structural<null> = structural("svd", {
  kind: "function",
  run: ([x]) => {
    const k = Math.min(...sidesOf(x!.shape));
    return decomposed(x!, k, k);
  },
  grad: (g, { y, like }) => {
    const [m, n] = sidesOf(like[0]!.shape);
    return [svdSlope(thinParts(y, m, n), thinParts(g, m, n))];
  },
  reads: [[1]],
  lift: liftNothing,
});

export type SvdParts = readonly [u: NDArray, s: NDArray, vh: NDArray];

/** Giles (2008), 3.4, and Townsend (2016), with the parts outside of the spaces of the vectors. @internal */
export function svdSlope([u, s, vh]: SvdParts, [gu, gs, gv]: SvdParts): NDArray {
  const k = s.shape.at(-1)!;
  const row = expandDims(s, -2);
  const column = expandDims(s, -1);
  const p = matmul(transposed(u), gu);
  const q = matmul(vh, transposed(gv));
  const skewP = subtract(p, transposed(p));
  const skewQ = subtract(q, transposed(q));
  // Where singular values are equal, functions that do not depend on the choice of vectors have no part along the difference.
  const inner = add(absorb(add(skewP, skewQ), inverted(subtract(row, column))), absorb(subtract(skewP, skewQ), inverted(add(row, column))));
  let left = add(matmul(u, multiply(0.5, inner)), absorb(expandDims(gs, -2), u));
  if (u.shape.at(-2)! > k) left = add(left, absorb(subtract(gu, matmul(u, p)), inverted(row)));
  const x = matmul(left, vh);
  return vh.shape.at(-1)! > k ? add(x, matmul(u, absorb(subtract(gv, matmul(transposed(q), vh)), inverted(column)))) : x;
}

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
