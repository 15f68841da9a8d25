/** Samples for the operators of this family that are not pointwise. */
import { type NDArray, np } from "nabla";
import { curved, of, type Sample } from "../support/sample.ts";
import type { Shape } from "../support/sampling.ts";

const unit = (x: NDArray): NDArray => np.eye(x.shape.at(-1)!, { dtype: x.dtype });
/** Far from singular: with a multiple of the unit matrix. */
const regular = (x: NDArray): NDArray => np.add(x, np.multiply(unit(x), 4));
/** Near a diagonal matrix of distinct numbers, so that no sum of a row or column is near another. */
const graded = (x: NDArray): NDArray => {
  const sizes = np.add(np.multiply(np.arange(x.shape.at(-1)!, { dtype: x.dtype }), 4), 3);
  return np.add(np.multiply(x, 0.3), np.multiply(unit(x), sizes));
};
/** Symmetric, with eigenvalues far from each other, and no element near 0, where the signs of vectors change. */
const symmetric = (x: NDArray): NDArray => {
  const y = graded(x);
  return np.add(np.add(y, np.swapaxes(y, -1, -2)), 2);
};
const definite = (x: NDArray): NDArray => np.add(np.matmul(x, np.swapaxes(x, -1, -2)), np.multiply(unit(x), 2));
/** The signs of vectors are not determined: squares of their elements are. */
const squares: Shape[] = [
  [1, 1],
  [2, 2],
  [3, 3],
  [2, 3, 3],
  [0, 0],
];
const with1 = (change: (x: NDArray) => NDArray, shape: Shape, ...rest: readonly unknown[]): Sample =>
  of([shape], x => [change(x!), ...rest]);
const rows = (change: (x: NDArray) => NDArray, shapes: readonly Shape[], attrs: unknown): Sample[] =>
  shapes.map(shape => of([shape], x => [[change(x!)], attrs]));
const system = (a: Shape, b: Shape): Sample => of([a, b], (x, y) => [regular(x!), y]);
const plain = (x: NDArray): NDArray => x;

export const linalg = {
  inv: squares.map(s => with1(regular, s)),
  det: [...squares.map(s => with1(plain, s)), with1(x => np.multiply(np.add(x, np.flip(x, 0)), 0.5), [3, 3])],
  slogdet: squares.map(s => with1(regular, s)),
  solve: [
    system([3, 3], [3]),
    system([3, 3], [3, 2]),
    system([2, 3, 3], [3, 2]),
    system([2, 2], [3, 1, 2, 1]),
    system([2, 3, 3], [2, 3]),
    system([0, 0], [0]),
  ],
  lstsq: [
    of([[4, 2], [4]], (a, b) => [a, b]),
    of(
      [
        [4, 2],
        [4, 3],
      ],
      (a, b) => [a, b],
    ),
    of([[2, 4], [2]], (a, b) => [a, b]),
  ],
  pinv: [curved([3, 2]), curved([2, 3]), curved([2, 3, 3]), with1(x => np.matmul(x, np.swapaxes(x, -1, -2)), [2, 3], { hermitian: true })],
  cholesky: [...squares.map(s => with1(definite, s)), with1(definite, [3, 3], { UPLO: "L" }), with1(definite, [3, 3], { UPLO: "U" })],
  qr: [
    curved([3, 3]),
    curved([4, 2]),
    curved([2, 4]),
    curved([2, 3, 2]),
    curved([3, 2], { mode: "r" }),
    curved([2, 2], { mode: "complete" }),
    curved([2, 0]),
  ],
  svd: [curved([3, 2]), curved([2, 3]), curved([2, 2, 2]), curved([3, 3], { computeUv: false }), curved([2, 2], { fullMatrices: true })],
  eigh: [...squares.map(s => with1(symmetric, s)), with1(symmetric, [3, 3], { UPLO: "U" })],
  eigvalsh: squares.map(s => with1(symmetric, s)),
  matrixRank: [curved([3, 2]), curved([2, 3, 3]), curved([4])],
  matrixPower: [curved([3, 3], 1), curved([3, 3], 2), curved([2, 2, 2], 5), with1(regular, [2, 2], -2)],
  cond: [curved([3, 3]), curved([3, 2], -2), ...[1, np.inf, "fro", "nuc"].map(order => with1(graded, [3, 3], order))],
  multiDot: [
    of(
      [
        [2, 3],
        [3, 4],
        [4, 2],
      ],
      (...xs) => [xs],
      "each",
    ),
    of([[3], [3, 2], [2, 4], [4]], (...xs) => [xs], "each"),
  ],
  tensorinv: [of([[4, 4]], x => [np.reshape(regular(x!), [2, 2, 4]), 2]), of([[2, 2]], x => [np.reshape(regular(x!), [2, 2, 1]), 1])],
  tensorsolve: [of([[4, 4], [4]], (a, b) => [np.reshape(regular(a!), [2, 2, 4]), np.reshape(b!, [2, 2])])],
  svdOf: [curved([3, 2]), curved([2, 3]), curved([2, 3, 3])],
  singularValues: rows(
    plain,
    [
      [3, 2],
      [2, 3, 3],
    ],
    null,
  ),
  eigvalshOf: rows(symmetric, [[3, 3]], null),
  choleskyOf: rows(definite, [[3, 3]], null),
  slogdetOf: rows(regular, [[3, 3]], null),
  detOf: rows(plain, [[3, 3]], null),
  cofactors: rows(
    plain,
    [
      [1, 1],
      [3, 3],
      [2, 2, 2],
    ],
    null,
  ),
  pinvOf: rows(plain, [[3, 2]], { operator: "pinv", rcond: 1e-15 }),
} satisfies Record<string, readonly Sample[]>;
