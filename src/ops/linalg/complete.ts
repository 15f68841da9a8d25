/** Square matrices of vectors, of which a matrix that is not square determines a part: what that part's derivatives are. */
import type { NDArray } from "../../array.ts";
import { GradError } from "../../errors.ts";
import { physicalOf } from "../../mapped.ts";
import { edgeOf, liftNothing, type Structural, structural } from "../../op.ts";
import { absorb, add } from "../pointwise.ts";
import { sum } from "../reduction.ts";
import { part, slice } from "../structural.ts";
import { factored, type QrParts, qrSlope } from "./factorisation.ts";
import { sidesOf, unpacked } from "./matrices.ts";
import { decomposed, type SvdParts, svdOf, svdSlope } from "./svd.ts";

/** So many rows (side -2) or columns (side -1) of matrices, from `start` on. */
const cut = (x: NDArray, side: -2 | -1, start: number, count: number): NDArray => slice([x], part(x.shape, x.ndim + side, start, count));

/**
 * The cotangent of a matrix with what that of vectors adds to it which the matrix does not determine: nothing where it is 0.
 * Else there is no derivative; where the cotangent is to be differentiated, as forwards, that shows as NaN.
 */
function undetermined(gradient: NDArray, vectors: NDArray, operator: string): NDArray {
  if (
    edgeOf(vectors) === null &&
    physicalOf(vectors)
      .toTypedArray()
      .some(v => v !== 0)
  )
    throw new GradError(
      `${operator}: the matrix does not determine all of these vectors, which have no derivative; use those of the smaller side`,
    );
  return add(gradient, sum(absorb(vectors, Number.NaN), [-2, -1], { keepdims: true }));
}

const fullRow: Structural<null> = structural("svd of full matrices", {
  kind: "function",
  run: ([x]) => decomposed(x!, ...sidesOf(x!.shape)),
  grad: (g, { y, like }) => {
    const [m, n] = sidesOf(like[0]!.shape);
    const k = Math.min(m, n);
    const thin = ([u, s, vh]: SvdParts): SvdParts => [cut(u, -1, 0, k), s, cut(vh, -2, 0, k)];
    const [gu, gs, gv] = fullParts(g, m, n);
    const x = svdSlope(thin(fullParts(y, m, n)), thin([gu, gs, gv]));
    const others = m > k ? cut(gu, -1, k, m - k) : cut(gv, -2, k, n - k);
    return [undetermined(x, others, "svd")];
  },
  reads: [[1]],
  lift: liftNothing,
});

const fullParts = (packed: NDArray, m: number, n: number): [NDArray, NDArray, NDArray] =>
  unpacked(packed, [m, m], [Math.min(m, n)], [n, n]) as [NDArray, NDArray, NDArray];

/** U, the singular values and the transpose of V with square U and V, as `svdOf` otherwise. @internal */
export function fullSvdOf(x: NDArray): [NDArray, NDArray, NDArray] {
  const [m, n] = sidesOf(x.shape);
  return m === n ? svdOf(x) : fullParts(fullRow([x], null), m, n);
}

const completeRow: Structural<null> = structural("qr in complete mode", {
  kind: "function",
  run: ([x]) => factored(x!, x!.shape.at(-2)!),
  grad: (g, { y, like }) => {
    const [m, n] = sidesOf(like[0]!.shape);
    const parts = (packed: NDArray): QrParts => unpacked(packed, [m, m], [m, n]) as [NDArray, NDArray];
    const reduced = ([q, r]: QrParts): QrParts => [cut(q, -1, 0, n), cut(r, -2, 0, n)];
    const given = parts(g);
    return [undetermined(qrSlope(reduced(parts(y)), reduced(given)), cut(given[0], -1, n, m - n), "qr")];
  },
  reads: [[1]],
  lift: liftNothing,
});

/** Q and R of matrices with more rows than columns, with a square Q. @internal */
export function completeQrOf(x: NDArray): [NDArray, NDArray] {
  const [m, n] = sidesOf(x.shape);
  return unpacked(completeRow([x], null), [m, m], [m, n]) as [NDArray, NDArray];
}
