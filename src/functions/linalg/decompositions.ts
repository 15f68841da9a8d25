/** Decompositions of matrices, and the numbers that are read off them. */
import type { ArrayInput, NDArray } from "../../array.ts";
import { toArray } from "../../convert.ts";
import { F64 } from "../../dtype.ts";
import { checkOptions, flag, oneOf, under, ValueError } from "../../errors.ts";
import { completeQrOf, fullSvdOf } from "../../ops/linalg/complete.ts";
import { choleskyOf, eighOf, eigvalshOf, qrOf } from "../../ops/linalg/factorisation.ts";
import { matricesOf, mirrored, sidesOf, squareOf, transposed, unpacked } from "../../ops/linalg/matrices.ts";
import { matmul } from "../../ops/linalg/products.ts";
import { detOf, inverseOf, slogdetOf } from "../../ops/linalg/solving.ts";
import { singularValues, svdOf } from "../../ops/linalg/svd.ts";
import { divide, greater, multiply, notEqual, reciprocal, where } from "../../ops/pointwise.ts";
import { any, max, sum } from "../../ops/reduction.ts";
import { astype, expandDims, gathered, joined, part, positions, slice } from "../../ops/structural.ts";
import { sizeOf } from "../../shape.ts";
import { norm } from "../products.ts";

// ---------------------------------------------------------------- symmetric matrices

export interface TriangleOption {
  /** Which triangle is read: the lower ("L", the default) or the upper ("U"). */
  UPLO?: "L" | "U";
}

/** The symmetric matrices of which one triangle is read; the gradient is in that triangle. */
function symmetric(x: NDArray, uplo: unknown, operator: string): NDArray {
  const side = oneOf(operator, "UPLO", uplo, ["L", "U"]);
  return mirrored(side === "L" ? x : transposed(x));
}

/**
 * The lower triangular L with x = L·Lᵀ, of symmetric positive definite matrices in the last two axes. As in NumPy one triangle
 * is read, the lower one by default, so the gradient is in that triangle, and 0 in the other: for a symmetric gradient take
 * the factor of `x.add(x.T).mul(0.5)`. NumPy's linalg.cholesky; Murray (2016) for derivatives.
 * @throws ValueError where a matrix is not positive definite, ShapeError where it is not square.
 * @example np.linalg.cholesky([[4, 2], [2, 5]]) // array([[2., 0.],\n       [1., 2.]])
 */
export function cholesky(x: ArrayInput, options?: TriangleOption): NDArray {
  checkOptions("cholesky", options, ["UPLO"]);
  return choleskyOf([symmetric(squareOf(x, "cholesky"), options?.UPLO, "cholesky")], null);
}

/**
 * The eigenvalues, ascending, and the eigenvectors, as columns, of symmetric matrices in the last two axes: [w, v]. Which
 * triangle is read, and where the gradient is, as for `cholesky`. Derivatives of the vectors are those for distinct
 * eigenvalues; the signs of the vectors are as they come. NumPy's linalg.eigh; Giles (2008) for derivatives.
 * @throws ShapeError where a matrix is not square, ValueError for NaN and infinity.
 * @example np.linalg.eigh([[2, 1], [1, 2]])[0] // array([1., 3.])
 */
export function eigh(x: ArrayInput, options?: TriangleOption): [NDArray, NDArray] {
  checkOptions("eigh", options, ["UPLO"]);
  return eighOf(symmetric(squareOf(x, "eigh"), options?.UPLO, "eigh"));
}

/**
 * The eigenvalues of symmetric matrices alone, ascending; otherwise as `eigh`. NumPy's linalg.eigvalsh.
 * @throws ShapeError where a matrix is not square, ValueError for NaN and infinity.
 * @example np.linalg.eigvalsh([[2, 1], [1, 2]]) // array([1., 3.])
 */
export function eigvalsh(x: ArrayInput, options?: TriangleOption): NDArray {
  checkOptions("eigvalsh", options, ["UPLO"]);
  return eigvalshOf([symmetric(squareOf(x, "eigvalsh"), options?.UPLO, "eigvalsh")], null);
}

// ---------------------------------------------------------------- any matrices

export interface QrOptions {
  /** "reduced": as many columns of Q as the smaller side; "complete": a square Q; "r": R alone. */
  mode?: "reduced" | "complete" | "r";
}

/** Of wide matrices the first square is factored, and Qᵀ times the rest stands beside its R. */
function reducedQr(x: NDArray): [NDArray, NDArray] {
  const [m, n] = sidesOf(x.shape);
  if (m >= n) return qrOf(x);
  const columns = (start: number, count: number): NDArray => slice([x], part(x.shape, x.ndim - 1, start, count));
  const [q, r] = qrOf(columns(0, m));
  return [q, joined([r, matmul(transposed(q), columns(m, n - m))], x.ndim - 1)];
}

/**
 * Matrices as products of Q, whose columns are orthonormal, and R, which is upper triangular: [q, r], in mode "r" R alone.
 * Derivatives need the first min(m, n) columns to be independent; the further columns of a complete Q of a tall matrix
 * have none (a GradError). NumPy's linalg.qr; Walter & Lehmann (2010) for derivatives.
 * @throws ValueError for another mode, ShapeError for what is no matrix.
 * @example np.linalg.qr([[3, 1], [4, 2]], { mode: "r" }) // array([[-5. , -2.2],\n       [ 0. ,  0.4]])
 */
export function qr(x: ArrayInput, options?: { mode?: "reduced" | "complete" }): [NDArray, NDArray];
export function qr(x: ArrayInput, options: { mode: "r" }): NDArray;
export function qr(x: ArrayInput, options?: QrOptions): [NDArray, NDArray] | NDArray;
export function qr(x: ArrayInput, options?: QrOptions): [NDArray, NDArray] | NDArray {
  const a = matricesOf(x, "qr");
  checkOptions("qr", options, ["mode"]);
  const mode = oneOf("qr", "mode", options?.mode, ["reduced", "complete", "r"]);
  const [m, n] = sidesOf(a.shape);
  if (mode === "complete" && m > n) return completeQrOf(a);
  const both = reducedQr(a);
  return mode === "r" ? both[1] : both;
}

export interface SvdOptions {
  /** Square matrices of vectors; those beyond the smaller side are not determined, and have no derivative. */
  fullMatrices?: boolean;
  /** The vectors too; false gives the singular values alone. */
  computeUv?: boolean;
  /** The matrices are symmetric: their lower triangle is read. */
  hermitian?: boolean;
}

/**
 * The singular value decomposition of the matrices in the last two axes: [u, s, vh] with x = u·diag(s)·vh, the singular
 * values descending; with { computeUv: false } they alone. Derivatives of the vectors are those for distinct singular
 * values; the signs of the vectors are as they come. NumPy's linalg.svd, with thin matrices by default; Townsend (2016).
 * @throws ValueError for NaN and infinity, ShapeError for what is no matrix.
 * @example np.linalg.svd([[3, 0], [0, 4]])[1] // array([4., 3.])
 */
export function svd(x: ArrayInput, options?: SvdOptions & { computeUv?: true }): [NDArray, NDArray, NDArray];
export function svd(x: ArrayInput, options: SvdOptions & { computeUv: false }): NDArray;
export function svd(x: ArrayInput, options?: SvdOptions): [NDArray, NDArray, NDArray] | NDArray;
export function svd(x: ArrayInput, options?: SvdOptions): [NDArray, NDArray, NDArray] | NDArray {
  checkOptions("svd", options, ["fullMatrices", "computeUv", "hermitian"]);
  const full = flag("svd", "fullMatrices", options?.fullMatrices, false);
  const vectors = flag("svd", "computeUv", options?.computeUv, true);
  const a = plainOrSymmetric(x, options?.hermitian, "svd");
  return vectors ? (full ? fullSvdOf : svdOf)(a) : singularValues([a], null);
}

/** The matrices as they are, or as symmetric ones. @internal */
export function plainOrSymmetric(x: ArrayInput, hermitian: unknown, operator: string): NDArray {
  return flag(operator, "hermitian", hermitian, false) ? symmetric(squareOf(x, operator), null, operator) : matricesOf(x, operator);
}

// ---------------------------------------------------------------- determinants

/**
 * The determinants of the matrices in the last two axes. The gradient, the matrix of cofactors, is exact for singular
 * matrices too, and so are higher derivatives. (Near singular ones these come from a recursion of n products of matrices,
 * which loses digits beyond about a dozen rows.) NumPy's linalg.det; Giles (2008), 2.2.4.
 * @throws ShapeError where a matrix is not square.
 * @example np.linalg.det([[2, 1], [2, 4]]) // array(6.)
 * @example grad((x: NDArray) => np.linalg.det(x))([[1, 2], [2, 4]]) // array([[ 4., -2.],\n       [-2.,  1.]])
 */
export function det(x: ArrayInput): NDArray {
  return detOf([squareOf(x, "det")], null);
}

/**
 * The signs of determinants and the logarithms of their sizes, [sign, logdet], where the determinant itself may be out of
 * range; of a singular matrix 0 and -inf. The sign has slope 0; the gradient of the logarithm is the transposed inverse,
 * NaN where there is none. NumPy's linalg.slogdet.
 * @throws ShapeError where a matrix is not square.
 * @example np.linalg.slogdet(np.multiply(np.eye(3), -1e30)) // [array(-1.), array(207.23267)]
 */
export function slogdet(x: ArrayInput): [NDArray, NDArray] {
  return unpacked(slogdetOf([squareOf(x, "slogdet")], null), [], []) as [NDArray, NDArray];
}

// ---------------------------------------------------------------- ranks and conditions

export interface RankOptions {
  /** Singular values up to this count as 0; by default the largest times the longer side times the dtype's epsilon. */
  tol?: ArrayInput | null;
  /** The matrices are symmetric: their lower triangle is read. */
  hermitian?: boolean;
}

/**
 * How many singular values are not 0: the rank of the matrices in the last two axes, as int32; of a 1-d or 0-d array 1 or 0.
 * NumPy's linalg.matrix_rank.
 * @throws ValueError for NaN and infinity, and without a tolerance for matrices without elements, which have no largest value.
 * @example np.linalg.matrixRank([[1, 2], [2, 4]]) // array(1, dtype=int32)
 */
export function matrixRank(x: ArrayInput, options?: RankOptions): NDArray {
  checkOptions("matrixRank", options, ["tol", "hermitian"]);
  const given = toArray(x, "matrixRank");
  if (given.ndim < 2) return astype(any(notEqual(given, 0)), "int32");
  const a = plainOrSymmetric(given, options?.hermitian, "matrixRank");
  const s = under("matrixRank", () => singularValues([a], null));
  const epsilon = 2 ** (a.code === F64 ? -52 : -23);
  const tol = options?.tol ?? null;
  const limit =
    tol === null
      ? multiply(
          under("matrixRank", () => max(s, -1, { keepdims: true })),
          Math.max(...sidesOf(a.shape)) * epsilon,
        )
      : expandDims(toArray(tol, "matrixRank"), -1);
  return sum(greater(s, limit), -1);
}

/**
 * The condition of matrices: by default, and for the orders 2 and -2, the largest singular value over the smallest or the
 * reverse; else the norm (of an order of `norm`) times that of the inverse. A singular matrix has the condition inf.
 * NumPy's linalg.cond.
 * @throws ShapeError for what is no (for other orders: no square) matrix, ValueError for an order that matrices do not have.
 * @example np.linalg.cond([[2, 0], [0, 8]]) // array(4.)
 */
export function cond(x: ArrayInput, order?: number | "fro" | "nuc" | null): NDArray {
  const p = order ?? 2;
  // 0/0 and the inverse of a singular matrix are not numbers, but infinite conditions.
  const finished = (y: NDArray): NDArray => where(notEqual(y, y), Number.POSITIVE_INFINITY, y);
  const a = p === 2 || p === -2 ? matricesOf(x, "cond") : squareOf(x, "cond");
  if (sizeOf(a.shape.slice(-2)) === 0) throw new ValueError("cond: the matrices are empty, and have no condition");
  if (p === 2 || p === -2 || p === "nuc") {
    const s = under("cond", () => singularValues([a], null));
    if (p === "nuc") return finished(multiply(sum(s, -1), sum(reciprocal(s), -1)));
    const last = s.ndim - 1;
    const [largest, smallest] = [0, s.shape[last]! - 1].map(i => gathered([s, positions([i], [])], last)) as [NDArray, NDArray];
    return finished(p === 2 ? divide(largest, smallest) : divide(smallest, largest));
  }
  // In float64, for squares of elements and of those of the inverse may be out of float32's range.
  const wide = a.code === F64 ? a : astype(a, "float64");
  const size = (y: NDArray): NDArray => under("cond", () => norm(y, p, [a.ndim - 2, a.ndim - 1]));
  const own = size(wide);
  // What is not a number in the matrix itself stays so.
  const found = where(notEqual(own, own), own, finished(multiply(own, size(inverseOf(wide, "cond", true)))));
  return a.code === F64 ? found : astype(found, a.dtype);
}
