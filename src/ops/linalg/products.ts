/** Products of vectors and matrices: contract rows and what is made of them. */
import { type ArrayInput, addressOf, blank, blankLike, memoryOf, NDArray, unshare } from "../../array.ts";
import { canAdd, multiply as multiplyMatrices, type Operand, wantsCopies, workBytes } from "../../backend/routines/contract.ts";
import { address, allocate, free } from "../../backend/wasm/heap.ts";
import { call2 } from "../../backend/wasm/index.ts";
import { toArray } from "../../convert.ts";
import { BYTES, F64, I32, isFloat, promote, SHIFT, type TypedArray } from "../../dtype.ts";
import { describe, ShapeError, under, ValueError } from "../../errors.ts";
import { absorb as absorbExpr, arg, mul } from "../../expr.ts";
import { foldAxes, foldProduct, keptOf } from "../../fold.ts";
import { CHUNK, collapse, contiguous, copyStrided, discard, Family, laneOf, runMap, view } from "../../launch.ts";
import { isMapped, mapping } from "../../mapped.ts";
import {
  checkOut,
  edgeOf,
  type HasRow,
  liftAxis,
  type OutOption,
  outOf,
  recordPair,
  restore,
  type Structural,
  save,
  structural,
  type Trailing,
} from "../../op.ts";
import { broadcastShapes, broadcastStrides, SCALAR, type Shape, showShape, sizeOf } from "../../shape.ts";
import { Node, recording, type Saved } from "../../tape.ts";
import { absorb, add, divide, equal, multiply, sqrt, where } from "../pointwise.ts";
import { cast, expandDims, movedAxes, part, reshape, slice, spread, swapaxes, transpose, typed, unslice, zeroed } from "../structural.ts";

/** Two arrays in the dtype in which they meet. @internal */
export function meeting(a: NDArray, b: NDArray): [NDArray, NDArray] {
  const code = promote(a.code, b.code);
  return [typed(a, code), typed(b, code)];
}

function dotProduct(a: NDArray, b: NDArray): NDArray {
  const p = contiguous(a);
  const q = a === b ? p : contiguous(b);
  const y = foldProduct(p, q);
  discard(p, a);
  if (q !== p) discard(q, b);
  return y;
}

/** Each factor's gradient reads the other, as bits for recordPair. */
const DOT_READS: readonly number[] = [2, 1];

const dotRow: Structural<null> = structural("dot", {
  linear: "each",
  run: ([a, b]) => dotProduct(a!, b!),
  grad: (g, { inputs: [a, b], wants }) => [wants[0] ? absorb(g, b!) : null, wants[1] ? absorb(g, a!) : null],
  fused: (node, g, input) => scaled(absorb.op.pointwise!.sameFamily(g.code), g, node.kept(1 - input) as Saved),
  reads: [[1], [0]],
});

/** An array's dot product with itself: one gradient instead of two equal ones that would have to be added. */
const squaresRow: Structural<null> = structural("dot", {
  run: ([x]) => dotProduct(x!, x!),
  grad: (g, { inputs: [x] }) => [add(absorb(g, x!), absorb(g, x!))],
  fused: (node, g) => {
    doubled[g.code] ??= new Family(absorbExpr(arg(0), mul(2, arg(1))), [g.code, g.code], g.code, g.code);
    return scaled(doubled[g.code]!, g, node.kept(0) as Saved);
  },
  reads: [[0]],
});

const doubled: Family[] = [];

/** A kernel of a 0-d cotangent and a kept vector. */
function scaled(family: Family, g: NDArray, kept: Saved): NDArray {
  const y = blankLike(kept);
  if (kept.view === null && kept.size <= CHUNK && kept.size > 0) {
    const from = addressOf(g);
    const vector = address(kept.block) + (kept.offset << SHIFT[kept.code]!);
    call2(family.kernel(1), from, vector, addressOf(y), kept.size);
  } else runMap(family, [g, restore(kept, null, g) as NDArray], y);
  return y;
}

const matmulRow: Structural<null> = structural("matmul", {
  linear: "each",
  run: ([a, b]) => matrixProduct(a!, b!),
  grad: (g, { inputs: [a, b], wants, like }) => [
    wants[0] ? matmulRow([g, swapaxes(b!, -1, -2)], null) : null,
    wants[1] ? rightGrad(a!, g, like[1]!.shape) : null,
  ],
  addTo: (target, g, input, [a, b]) =>
    target.code === g.code &&
    g.ndim === 2 &&
    (input === 0 ? addProduct(target, g, swapaxes(b!, -1, -2)) : addProduct(target, swapaxes(a!, -1, -2), g)),
  broadcasts: true,
  reads: [[1], [0]],
});

/** Adds the product of two matrices to a third, if that needs no other array. */
function addProduct(target: NDArray, a: NDArray, b: NDArray): boolean {
  if (a.code !== b.code || laneOf(a.code) !== a.code || target.ndim !== 2 || target.size === 0) return false;
  const sizes = { count: 1, m: a.shape[0]!, k: a.shape[1]!, n: b.shape[1]! };
  const [p, q] = [operandOf(a), operandOf(b)];
  if (sizes.k === 0 || !canAdd(a.code, sizes, p, q)) return false;
  const wanted = workBytes(a.code, sizes, p, q);
  const work = wanted > 0 ? allocate(wanted) : null;
  p.at = addressOf(a);
  q.at = addressOf(b);
  const at = work === null ? 0 : address(work);
  multiplyMatrices(a.code, sizes, p, q, addressOf(target), at, true);
  if (work !== null) free(work);
  return true;
}

/** The gradient for b of `shape`: if there is one b for many a, one product over the rows of all of them, not a sum of many. */
function rightGrad(a: NDArray, g: NDArray, shape: Shape): NDArray {
  const [k, n] = shape.slice(-2) as [number, number];
  if (g.ndim === 2 || sizeOf(shape) > k * n || g.size === 0) return matmulRow([swapaxes(a, -1, -2), g], null);
  const rows = sizeOf(g.shape.slice(0, -1));
  const y = matmulRow([swapaxes(reshape(a, [rows, k]), -1, -2), reshape(g, [rows, n])], null);
  return shape.length === 2 ? y : reshape(y, shape);
}

/** An array's last two axes as an operand of the product; where it is comes later. */
function operandOf(x: NDArray): Operand {
  const bytes = BYTES[x.code]!;
  const { view: steps, shape } = x;
  const last = shape.length - 1;
  const [row, column] = steps === null ? [shape[last]!, 1] : [steps[last - 1]!, steps[last]!];
  return { at: 0, row: row * bytes, column: column * bytes, batch: 0 };
}

/** The products of the matrices in the last two axes of arrays of one dtype, the other axes broadcast. */
function matrixProduct(a: NDArray, b: NDArray): NDArray {
  const lane = laneOf(a.code);
  if (lane !== a.code) return cast(matrixProduct(cast(a, I32), cast(b, I32)), a.code);
  const [m, k, n] = [a.shape[a.ndim - 2]!, a.shape[a.ndim - 1]!, b.shape[b.ndim - 1]!];
  const flat = a.ndim === 2 && b.ndim === 2;
  const batch = flat ? SCALAR : broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2), "matmul");
  const shape = flat ? [m, n] : [...batch, m, n];
  const y = k === 0 ? zeroed(shape, lane) : blank(shape, sizeOf(shape), lane);
  if (y.size === 0 || k === 0) return y;
  const sizes = { count: 1, m, n, k };
  let [left, right] = [a, b];
  let [p, q] = [operandOf(a), operandOf(b)];
  for (;;) {
    const copies = wantsCopies(lane, sizes, p, q, y.size > m * n);
    if (copies === "a") p = operandOf((left = contiguous(a)));
    else if (copies === "b") q = operandOf((right = contiguous(b)));
    else break;
  }
  let lead: readonly number[] = SCALAR;
  let steps: number[][] = [];
  const bytes = BYTES[lane]!;
  if (!flat) {
    const [counts, all] = collapse(
      batch,
      [left, right].map(x => broadcastStrides(x.shape.slice(0, -2), x.strides.slice(0, -2), batch)),
    );
    sizes.count = counts.pop()!;
    p.batch = all[0]!.pop()! * bytes;
    q.batch = all[1]!.pop()! * bytes;
    [lead, steps] = [counts, all];
    // Many on the left and one on the right are one matrix on the left, if the rows of all of them follow one another.
    if (sizes.count > 1 && q.batch === 0 && p.batch === m * p.row) {
      sizes.m *= sizes.count;
      sizes.count = 1;
    }
  }
  const wanted = workBytes(lane, sizes, p, q);
  const work = wanted > 0 ? allocate(wanted) : null;
  p.at = addressOf(left);
  q.at = addressOf(right);
  let to = addressOf(y);
  const atWork = work === null ? 0 : address(work);
  const visit = (axis: number): void => {
    if (axis === lead.length) {
      multiplyMatrices(lane, sizes, p, q, to, atWork);
      to += sizes.count * sizes.m * n * bytes;
      return;
    }
    const [stepA, stepB] = [steps[0]![axis]! * bytes, steps[1]![axis]! * bytes];
    const size = lead[axis]!;
    for (let i = 0; i < size; i++, p.at += stepA, q.at += stepB) visit(axis + 1);
    p.at -= size * stepA;
    q.at -= size * stepB;
  };
  visit(0);
  if (work !== null) free(work);
  discard(left, a);
  discard(right, b);
  return y;
}

/** The product of arrays of one dtype that are not 0-d. */
function product(p: NDArray, q: NDArray): NDArray {
  checkInner("matmul", p, q, p.ndim - 1, q.ndim === 1 ? 0 : q.ndim - 2);
  const y = matmulRow([p.ndim === 1 ? expandDims(p, 0) : p, q.ndim === 1 ? expandDims(q, 1) : q], null);
  const added = [p, q].flatMap((x, i) => (x.ndim === 1 ? y.ndim - 2 + i : []));
  return added.length === 0 ? y : reshape(y, keptOf(y.shape, added));
}

/** The same of matrices and vectors in other axes than the last. */
function productAlong(p: NDArray, q: NDArray, axes: readonly unknown[]): NDArray {
  if (axes.length !== 3) throw new ValueError(`matmul: axes are three lists, of both operands and of the result, got ${describe(axes)}`);
  const last = (count: number): number[] => [-2, -1].slice(2 - count);
  const [m, n] = [Math.min(p.ndim, 2), Math.min(q.ndim, 2)];
  const y = product(movedAxes(p, axes[0], last(m), "matmul"), movedAxes(q, axes[1], last(n), "matmul"));
  return movedAxes(y, last(m + n - 2), axes[2], "matmul");
}

export interface MatmulOptions extends OutOption {
  /**
   * Where matrices lie, in the place of the last two axes: two axes of each operand and two of the result, as in
   * `[[0, 1], [0, 1], [-2, -1]]`. A vector has one, and so has the result beside one; of two vectors it has none: `[0, 0, []]`.
   */
  axes?: readonly (number | readonly number[])[] | null;
}

/**
 * The matrix product: of the last two axes, the others broadcast; a 1-d operand counts as a row or column. NumPy's matmul.
 * @throws ShapeError where inner sizes differ, or an operand is 0-d; ValueError for axes that are not two for each matrix.
 * @example np.matmul([[1, 2], [3, 4]], [[1, 0], [0, 1]]) // array([[1., 2.],\n       [3., 4.]])
 * @example np.matmul(np.ones([3, 4, 2]), np.ones([4, 5, 2]), { axes: [[0, 1], [0, 1], [1, 2]] }).shape // [ 2, 3, 5 ]
 */
export const matmul: ((a: ArrayInput, b: ArrayInput, options?: Trailing<MatmulOptions>) => NDArray) & HasRow =
  /* @__PURE__ */ Object.assign(
    (a: ArrayInput, b: ArrayInput, options?: Trailing<MatmulOptions>): NDArray => {
      const [p, q] = meeting(toArray(a, "matmul", b), toArray(b, "matmul", a));
      if (p.ndim === 0 || q.ndim === 0)
        throw new ShapeError(`matmul: shapes ${showShape(p.shape)} and ${showShape(q.shape)}; a 0-d array is no matrix, use multiply`);
      const out = outOf(options, "matmul", ["out", "axes"]);
      const axes = (options as MatmulOptions | undefined)?.axes ?? null;
      const y = axes === null ? product(p, q) : productAlong(p, q, axes);
      if (out === undefined) return y;
      checkOut(out, y.shape, y.code, [p, q], "matmul");
      unshare(out);
      copyStrided(y, out);
      return out;
    },
    { op: matmulRow.op },
  );

function checkInner(name: string, a: NDArray, b: NDArray, axisA: number, axisB: number): void {
  const p = a.shape[axisA]!;
  const q = b.shape[axisB]!;
  if (p !== q)
    throw new ShapeError(
      `${name}: shapes ${showShape(a.shape)} and ${showShape(b.shape)} do not fit: axis ${axisA} of the first has size ${p}, axis ${axisB} of the second ${q}; they must be equal`,
    );
}

/**
 * The dot product: the inner product of vectors, the matrix product of matrices, a product with a 0-d array, and in
 * general the sum over the last axis of the first and the second-last of the second. NumPy's dot.
 * @throws ShapeError where the summed sizes differ.
 * @example np.dot([1, 2, 3], [4, 5, 6]) // array(32.)
 */
export const dot: ((a: ArrayInput, b: ArrayInput) => NDArray) & HasRow = Object.assign(
  (a: ArrayInput, b: ArrayInput): NDArray => {
    const x = toArray(a, "dot", b);
    const y = b === a ? x : toArray(b, "dot", a);
    if (mapping > 0 && y.ndim <= 2 && (isMapped(x) || isMapped(y)))
      return x.ndim === 0 || y.ndim === 0 ? multiply(x, y) : product(...meeting(x, y));
    if (x.shape.length === 1 && y.shape.length === 1 && x.code === y.code && x.size === y.size && x.code <= F64) {
      const z = dotProduct(x, y);
      if (recording) {
        const edge = x === y ? edgeOf(x) : null;
        if (edge !== null) {
          const kept = save(x);
          z.edge = new Node(squaresRow.op, 1, edge, null, kept, null, null, [kept]);
        } else recordPair(dotRow.op, x, y, z, DOT_READS, false);
      }
      return z;
    }
    if (x.ndim === 0 || y.ndim === 0) return multiply(x, y);
    const [p, q] = x.code === y.code ? [x, y] : meeting(x, y);
    const summedAxis = q.ndim === 1 ? 0 : q.ndim - 2;
    checkInner("dot", p, q, p.ndim - 1, summedAxis);
    if (p.ndim === 1 && q.ndim === 1) return dotRow([p, q], null);
    if (q.ndim <= 2) return product(p, q);
    const k = p.shape[p.ndim - 1]!;
    const rest = q.shape.filter((_, i) => i !== summedAxis);
    const order = [summedAxis, ...[...q.shape.keys()].filter(i => i !== summedAxis)];
    const right = reshape(transpose(q, order), [k, sizeOf(rest)]);
    const left = reshape(p, [sizeOf(p.shape.slice(0, -1)), k]);
    return reshape(matmulRow([left, right], null), [...p.shape.slice(0, -1), ...rest]);
  },
  { op: dotRow.op },
);

/**
 * The products of every element of the first with every element of the second, as a matrix; operands are flattened.
 * NumPy's outer.
 * @example np.outer([1, 2], [3, 4]) // array([[3., 4.],\n       [6., 8.]])
 */
export function outer(a: ArrayInput, b: ArrayInput): NDArray {
  const x = toArray(a, "outer", b);
  const y = toArray(b, "outer", a);
  return under("outer", () => multiply(reshape(x, [x.size, 1]), reshape(y, [1, y.size])));
}

const SQUARE = mul(arg(0), arg(0));

/** The square root of the sum of squares over axes; slope 0 at 0. @internal */
export const euclidean: Structural<readonly number[]> = structural("norm", {
  kind: "reduction",
  lift: axes => axes.map(liftAxis),
  run: ([x], axes) => sqrt(foldAxes("add", x!, axes, x!.code, SQUARE)),
  // The slope at the zero vector is 0.
  grad: (g, { y, inputs: [x], attrs, like }) => {
    const shape = like[0]!.shape;
    const length = spread(y, attrs, shape);
    return [absorb(spread(g, attrs, shape), where(equal(length, 0), 0, divide(x!, length)))];
  },
  reads: [[0, 1]],
});

/**
 * Along the last axes y[i] = Σⱼ x[i + j]·k[j], where k lies wholly in x; other axes broadcast. The attribute says how many
 * of the first and the last elements of x are zeros that were put there: they take no part. @internal
 */
export const correlation: Structural<Margins> = structural("correlate", {
  linear: "each",
  run: ([x, k], margins) => {
    const source = contiguous(x!);
    const n = k!.shape[k!.ndim - 1]!;
    const count = x!.shape[x!.ndim - 1]! - n + 1;
    const lead = x!.shape.slice(0, -1);
    // Row j of the windows is x from its element j on: they share its memory.
    const windows = view(source, source.offset, [...lead, n, count], [...source.strides.slice(0, -1), 1, 1]);
    const weights = view(k!, k!.offset, [...k!.shape.slice(0, -1), 1, n], [...k!.strides.slice(0, -1), 0, k!.strides[k!.ndim - 1]!]);
    const y = matrixProduct(weights, windows);
    const z = new NDArray(y.storage, 0, [...y.shape.slice(0, -2), count], null, y.size, y.code);
    takeOutMargins(z, source, k!, margins);
    discard(source, x!);
    return z;
  },
  grad: (g, { inputs: [x, k], wants, like, attrs }) => {
    const end = like[1]!.shape.at(-1)! - 1;
    return [wants[0] ? correlation([padded(g, end, end), reversed(k!)], [end, end]) : null, wants[1] ? correlation([x!, g], attrs) : null];
  },
  reads: [[1], [0]],
  broadcasts: true,
});

type Margins = readonly [before: number, after: number];

/** Sums again without the margins of x what a number that is not finite has met there. */
function takeOutMargins(y: NDArray, x: NDArray, k: NDArray, [before, after]: Margins): void {
  if (before + after === 0 || !isFloat(k.code) || k.toTypedArray().every(Number.isFinite)) return;
  const lead = y.shape.slice(0, -1);
  const spreadOut = (a: NDArray): NDArray => {
    const shape = [...lead, a.shape.at(-1)!];
    return view(a, a.offset, shape, broadcastStrides(a.shape, a.strides, shape));
  };
  const [values, weights] = [x, k].map(a => spreadOut(a).toTypedArray()) as [TypedArray, TypedArray];
  const [count, m, n] = [y, x, k].map(a => a.shape.at(-1)!) as [number, number, number];
  const start = addressOf(y) >> SHIFT[y.code]!;
  const out = memoryOf(y.code);
  for (let at = 0; at < y.size; at++) {
    const i = at % count;
    const row = (at - i) / count;
    if (i >= before && i + n <= m - after) continue;
    let sum = 0;
    for (let j = Math.max(0, before - i); j < Math.min(n, m - after - i); j++) sum += values[row * m + i + j]! * weights[row * n + j]!;
    out[start + at] = sum;
  }
}

/** With zeros before and after, along the last axis. @internal */
export function padded(x: NDArray, before: number, after: number): NDArray {
  const n = x.shape.at(-1)!;
  const shape = [...x.shape.slice(0, -1), before + n + after];
  return before + after === 0 ? x : unslice([x], { slice: part(shape, x.ndim - 1, before, n), shape });
}

/** Backwards along the last axis. @internal */
export function reversed(x: NDArray): NDArray {
  const whole = part(x.shape, x.ndim - 1, 0, x.shape.at(-1)!);
  const backwards = (list: readonly number[], last: number): number[] => [...list.slice(0, -1), last];
  return slice([x], { ...whole, starts: backwards(whole.starts, x.shape.at(-1)! - 1), steps: backwards(whole.steps, -1) });
}
