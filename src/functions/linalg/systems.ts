/** Linear systems, inverses, powers and products of matrices. */
import type { ArrayInput, NDArray } from "../../array.ts";
import { toArray, toArrays } from "../../convert.ts";
import { F64, isFloat, promote } from "../../dtype.ts";
import { checkOptions, describe, ShapeError, under, ValueError, wholeNumber } from "../../errors.ts";
import { physicalOf } from "../../mapped.ts";
import { leastOf, pinvOf } from "../../ops/linalg/leastsquares.ts";
import { sidesOf, squareOf } from "../../ops/linalg/matrices.ts";
import { matmul, meeting } from "../../ops/linalg/products.ts";
import { inverseOf, solved } from "../../ops/linalg/solving.ts";
import { greater, multiply, square, subtract } from "../../ops/pointwise.ts";
import { sum } from "../../ops/reduction.ts";
import { astype, broadcastTo, copy, expandDims, part, reshape, slice, transpose, typed, zeroed } from "../../ops/structural.ts";
import { axesOf, sameShape, showShape, sizeOf } from "../../shape.ts";
import { identity } from "../creation.ts";
import { plainOrSymmetric } from "./decompositions.ts";

/**
 * The inverses of the matrices in the last two axes; to solve a system, `solve` is faster and more accurate. NumPy's linalg.inv.
 * @throws ValueError where a matrix is singular, ShapeError where it is not square.
 * @example np.linalg.inv([[2, 0], [0, 4]]) // array([[0.5 , 0.  ],\n       [0.  , 0.25]])
 */
export function inv(x: ArrayInput): NDArray {
  return inverseOf(squareOf(x, "inv"), "inv");
}

/** Both sides of a system in the dtype in which they meet, float32 for integers. */
function floatsOf(operator: string, a: ArrayInput, b: ArrayInput): [NDArray, NDArray] {
  const both = meeting(toArray(a, operator, b), toArray(b, operator, a));
  return isFloat(both[0].code) ? both : [astype(both[0], "float32"), astype(both[1], "float32")];
}

/** What does not go together in the rows of a system. */
const rowsDiffer = (operator: string, a: NDArray, b: NDArray, rows: number, others: number | undefined): ShapeError =>
  new ShapeError(
    `${operator}: a of shape ${showShape(a.shape)} has ${rows} rows, b of shape ${showShape(b.shape)} has ${others}; they must be equal`,
  );

/**
 * The x with a·x = b, for matrices in the last two axes of a: b is a vector (1-d), or its last two axes are matrices of
 * right sides; leading axes broadcast. (Where b can only be a stack of vectors, one for each matrix, it is.) By LU
 * factorisation with partial pivoting. NumPy's linalg.solve.
 * @throws ValueError where a matrix is singular, ShapeError where a is not square or b has another number of rows.
 * @example np.linalg.solve([[2, 1], [1, 3]], [3, 5]) // array([0.8, 1.4])
 */
export function solve(a: ArrayInput, b: ArrayInput): NDArray {
  const [x, y] = floatsOf("solve", a, b);
  squareOf(x, "solve");
  const n = x.shape.at(-1)!;
  if (y.ndim === 0) throw new ShapeError("solve: the right side is 0-d; give a vector or a matrix");
  const vectors = y.ndim === 1 || (y.ndim === x.ndim - 1 && y.shape.at(-2) !== n && sameShape(y.shape, x.shape.slice(0, -1)));
  const right = vectors ? expandDims(y, -1) : y;
  if (right.shape.at(-2) !== n) throw rowsDiffer("solve", x, y, n, right.shape.at(-2));
  const z = solved([x, right]);
  return vectors ? reshape(z, z.shape.slice(0, -1)) : z;
}

// ---------------------------------------------------------------- least squares

export interface LstsqOptions {
  /**
   * Singular values up to this part of the largest count as 0; by default float64's epsilon times the longer side, below 0
   * half of that epsilon.
   */
  rcond?: number | null;
}

function cutOf(operator: string, given: unknown, otherwise: number): number {
  if (given === undefined || given === null) return otherwise;
  if (typeof given !== "number" || Number.isNaN(given)) throw new ValueError(`${operator}: rcond is a number, got ${describe(given)}`);
  return given;
}

/**
 * The x for which a·x is nearest to b, the shortest of them: [x, residuals, rank, s]. b is a vector or a matrix of right
 * sides; residuals are the sums of squares of b - a·x (of no elements unless a has more rows than columns and independent
 * columns), rank (int32) is how many singular values count, s are these; all in float64, and rounded at the end. Derivatives
 * are those at constant rank. NumPy's linalg.lstsq; Golub & Pereyra (1973).
 * @throws ShapeError unless a is a matrix and b has as many rows, ValueError for NaN and infinity.
 * @example np.linalg.lstsq([[1, 0], [1, 1], [1, 2]], [1, 3, 5])[0] // array([1., 2.])
 */
export function lstsq(a: ArrayInput, b: ArrayInput, options?: LstsqOptions): [NDArray, NDArray, NDArray, NDArray] {
  checkOptions("lstsq", options, ["rcond"]);
  const [x, y] = floatsOf("lstsq", a, b);
  if (x.ndim !== 2 || y.ndim < 1 || y.ndim > 2)
    throw new ShapeError(
      `lstsq: shapes ${showShape(x.shape)} and ${showShape(y.shape)}; give a matrix, and a vector or a matrix (for stacks, use vmap)`,
    );
  const [m, n] = sidesOf(x.shape) as [number, number];
  if (y.shape[0] !== m) throw rowsDiffer("lstsq", x, y, m, y.shape[0]);
  if (x.code !== F64) {
    const [z, residuals, rank, s] = lstsq(astype(x, "float64"), astype(y, "float64"), options);
    return [astype(z, x.dtype), astype(residuals, x.dtype), rank, astype(s, x.dtype)];
  }
  const given = cutOf("lstsq", options?.rcond, Math.max(m, n) * 2 ** -52);
  // As LAPACK has it, whose epsilon is that of rounding.
  const rcond = given < 0 ? 2 ** -53 : given;
  const right = y.ndim === 1 ? expandDims(y, 1) : y;
  const [z, s] = leastOf(x, right, { operator: "lstsq", rcond });
  const k = s.shape[0]!;
  const rank = sum(greater(s, k === 0 ? 0 : multiply(slice([s], part([k], 0, 0, 1)), rcond)));
  const whole =
    m > n &&
    physicalOf(rank)
      .toTypedArray()
      .every(r => r === n);
  const residuals = whole ? sum(square(subtract(right, matmul(x, z))), 0) : zeroed([0], x.code);
  return [y.ndim === 1 ? reshape(z, [n]) : z, residuals, rank, s];
}

export interface PinvOptions {
  /** Singular values up to this part of the largest count as 0. */
  rcond?: number | null;
  /** The matrices are symmetric: their lower triangle is read. */
  hermitian?: boolean;
}

/**
 * The pseudo-inverses (Moore & Penrose) of the matrices in the last two axes. Derivatives are those at constant rank.
 * NumPy's linalg.pinv; Golub & Pereyra (1973).
 * @throws ValueError for NaN and infinity, ShapeError for what is no matrix.
 * @example np.linalg.pinv([[2, 0], [0, 0]]) // array([[0.5, 0. ],\n       [0. , 0. ]])
 */
export function pinv(x: ArrayInput, options?: PinvOptions): NDArray {
  checkOptions("pinv", options, ["rcond", "hermitian"]);
  return pinvOf([plainOrSymmetric(x, options?.hermitian, "pinv")], { operator: "pinv", rcond: cutOf("pinv", options?.rcond, 1e-15) });
}

// ---------------------------------------------------------------- powers and products

/**
 * The matrices in the last two axes to a whole power, by squaring; a negative one is that of the inverse. Integer matrices
 * stay so for powers >= 0. NumPy's linalg.matrix_power.
 * @throws ValueError for another power and for singular matrices, ShapeError where a matrix is not square.
 * @example np.linalg.matrixPower([[1, 1], [1, 0]], 10) // array([[89., 55.],\n       [55., 34.]])
 */
export function matrixPower(x: ArrayInput, n: number): NDArray {
  const given = toArray(x, "matrixPower");
  const a = squareOf(given, "matrixPower");
  wholeNumber("matrixPower", "the power", n);
  if (n === 0) return copy(broadcastTo(identity(a.shape.at(-1)!, { dtype: given.dtype }), given.shape));
  let base = n < 0 ? inverseOf(a, "matrixPower") : given;
  let power: NDArray | null = null;
  for (let rest = Math.abs(n); ; base = matmul(base, base)) {
    if (rest % 2 === 1) power = power === null ? base : matmul(power, base);
    rest = Math.floor(rest / 2);
    if (rest === 0) return power === given ? copy(given) : power!;
  }
}

/**
 * The product of several matrices, in the order that needs the fewest multiplications; the first and the last may be
 * vectors. NumPy's linalg.multi_dot.
 * @throws ValueError for fewer than two arrays, ShapeError where they do not fit.
 * @example np.linalg.multiDot([[[1, 2]], [[3], [4]], [5]]) // array([55.])
 */
export function multiDot(arrays: readonly ArrayInput[]): NDArray {
  if (!Array.isArray(arrays) || arrays.length < 2)
    throw new ValueError(`multiDot: expected a list of two arrays at least, got ${describe(arrays)}`);
  const xs = toArrays(arrays, "multiDot");
  const code = xs.reduce((c, x) => promote(c, x.code), xs[0]!.code);
  const last = xs.length - 1;
  const factors = xs.map((x, i) => {
    const y = x.ndim === 1 && (i === 0 || i === last) ? expandDims(x, i === 0 ? 0 : 1) : x;
    if (y.ndim !== 2)
      throw new ShapeError(
        `multiDot: array ${i} has shape ${showShape(x.shape)}; they are matrices, the first and the last perhaps vectors`,
      );
    return typed(y, code);
  });
  const sizes = [factors[0]!.shape[0]!, ...factors.map(x => x.shape[1]!)];
  factors.forEach((x, i) => {
    if (x.shape[0] !== sizes[i])
      throw new ShapeError(`multiDot: array ${i - 1} has ${sizes[i]} columns, array ${i} ${x.shape[0]} rows; they must be equal`);
  });
  // The least cost of the factors i … j, and where their last product divides them.
  const costs = factors.map(() => new Array<number>(last + 1).fill(0));
  const cuts = factors.map(() => new Array<number>(last + 1).fill(0));
  for (let length = 1; length <= last; length++)
    for (let i = 0, j = length; j <= last; i++, j++) {
      costs[i]![j] = Number.POSITIVE_INFINITY;
      for (let k = i; k < j; k++) {
        const cost = costs[i]![k]! + costs[k + 1]![j]! + sizes[i]! * sizes[k + 1]! * sizes[j + 1]!;
        if (cost < costs[i]![j]!) [costs[i]![j], cuts[i]![j]] = [cost, k];
      }
    }
  const product = (i: number, j: number): NDArray =>
    i === j ? factors[i]! : matmul(product(i, cuts[i]![j]!), product(cuts[i]![j]! + 1, j));
  const y = product(0, last);
  const shape = [...(xs[0]!.ndim === 1 ? [] : [sizes[0]!]), ...(xs[last]!.ndim === 1 ? [] : [sizes[last + 1]!])];
  return sameShape(y.shape, shape) ? y : reshape(y, shape);
}

// ---------------------------------------------------------------- tensors

/**
 * The inverse for tensordot over `ind` axes: the first `ind` axes of x count as one, the others as another, of the same size.
 * NumPy's linalg.tensorinv.
 * @throws ValueError for ind < 1 and where there is no inverse, ShapeError where the sizes differ.
 * @example np.linalg.tensorinv(np.eye(6).reshape(2, 3, 6), 2).shape // [ 6, 2, 3 ]
 */
export function tensorinv(x: ArrayInput, ind: number | null = 2): NDArray {
  const a = toArray(x, "tensorinv");
  const count = wholeNumber("tensorinv", "ind", ind ?? 2, 1);
  const [first, rest] = [a.shape.slice(0, count), a.shape.slice(count)];
  if (sizeOf(first) !== sizeOf(rest))
    throw new ShapeError(
      `tensorinv: ${count} axes of ${showShape(a.shape)} have ${sizeOf(first)} elements, the others ${sizeOf(rest)}; they must be equal`,
    );
  return under("tensorinv", () => reshape(inv(reshape(a, [sizeOf(first), sizeOf(rest)])), [...rest, ...first]));
}

export interface TensorsolveOptions {
  /** Axes of a that are moved to its end first, in their order. */
  axes?: number | readonly number[] | null;
}

/**
 * The x with tensordot(a, x, x.ndim) = b: a has the axes of b, then those of x, and as many elements along either. NumPy's
 * linalg.tensorsolve.
 * @throws ValueError where the system is singular, ShapeError where the sizes differ.
 * @example np.linalg.tensorsolve(np.eye(6).reshape(2, 3, 6), np.ones([2, 3])).shape // [ 6 ]
 */
export function tensorsolve(a: ArrayInput, b: ArrayInput, options?: TensorsolveOptions): NDArray {
  checkOptions("tensorsolve", options, ["axes"]);
  let x = toArray(a, "tensorsolve", b);
  const y = toArray(b, "tensorsolve", a);
  const axes = options?.axes ?? null;
  if (axes !== null) {
    const last = axesOf(axes, x.ndim, "tensorsolve");
    x = transpose(x, [...[...x.shape.keys()].filter(i => !last.includes(i)), ...last]);
  }
  const tail = x.shape.slice(y.ndim);
  if (sizeOf(tail) !== y.size || x.size !== y.size * y.size)
    throw new ShapeError(
      `tensorsolve: a of shape ${showShape(x.shape)} and b of shape ${showShape(y.shape)}; a needs the axes of b, then others with as many elements`,
    );
  return reshape(solve(reshape(x, [y.size, y.size]), reshape(y, [y.size])), tail);
}
