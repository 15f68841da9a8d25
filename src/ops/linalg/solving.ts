/** Linear systems, inverses and determinants of matrices, as routines whose rules are written in public operators. */
import { forEachOffset, fromValues, type NDArray, recycle } from "../../array.ts";
import { diagonalOf, factorLU, setDiagonal, solveLU, solveTriangle, spaceLU } from "../../backend/matrices/factor.ts";
import { dense, type Grid, put, turned, type Workspace } from "../../backend/matrices/workspace.ts";
import { F64 as memory } from "../../backend/wasm/heap.ts";
import { ValueError } from "../../errors.ts";
import { physicalOf } from "../../mapped.ts";
import { liftNothing, type Structural, structural } from "../../op.ts";
import { broadcastShapes, broadcastStrides, contiguousStrides, type Shape, sizeOf } from "../../shape.ts";
import { absorb, add, multiply, negative, subtract } from "../pointwise.ts";
import { expandDims, part, slice, summed } from "../structural.ts";
import { computed, eachMatrix, lowerPart, sidesOf, transposed, type Write } from "./matrices.ts";
import { matmul } from "./products.ts";

/** What is known of the matrix on the left: nothing, or that it is triangular, when the other elements are not read. */
export type Form = "full" | "lower" | "upper";

const SINGULAR = "the matrix is singular; use pinv or lstsq, or add a multiple of np.eye(n)";

/** A result of so many elements for each of the square matrices of x, from their factors; with room for `columns` right sides. */
function eachLU(
  x: NDArray,
  tail: Shape,
  columns: number,
  visit: (factors: Grid, sign: number, exchanged: Int32Array, work: Workspace, to: number) => void,
): NDArray {
  const n = x.shape.at(-1)!;
  const exchanged = new Int32Array(n);
  const write: Write = (from, to, work) => {
    const mark = work.mark();
    const [a, sign] = factorLU(from, n, exchanged, work);
    visit(a, sign, exchanged, work, to);
    work.release(mark);
  };
  return eachMatrix(x, tail, () => spaceLU(n, columns), write);
}

// ---------------------------------------------------------------- systems

interface System {
  readonly operator: string;
  readonly form: Form;
}

const solveRow: Structural<System> = structural("solve", {
  kind: "function",
  run: ([a, b], { operator, form }) => {
    const [n, m] = sidesOf(b!.shape);
    const batch = broadcastShapes(a!.shape.slice(0, -2), b!.shape.slice(0, -2), operator);
    // Which matrix on either side belongs to each result.
    const [left, right] = [a!, b!].map(x => places(x.shape.slice(0, -2), batch)) as [Int32Array, Int32Array];
    const exchanged = new Int32Array(n);
    return computed(
      [a!, b!],
      [...batch, n, m],
      () => spaceLU(n, m),
      ([lefts, rights], to, work) => {
        const start = work.mark();
        let x: Grid | undefined;
        for (let i = 0; i < left.length; i++) {
          // Neighbours that share a matrix share its factors.
          if (x === undefined || left[i] !== left[i - 1]) {
            work.release(start);
            const from = lefts! + left[i]! * n * n;
            if (form === "full") {
              [x] = factorLU(from, n, exchanged, work);
              if (diagonalOf(x, n).includes(0)) throw new ValueError(`${operator}: ${SINGULAR}`);
            } else x = work.load(from, n, n);
          }
          const mark = work.mark();
          const y = work.load(rights! + right[i]! * n * m, n, m);
          if (form === "full") solveLU(x, exchanged, y, n, m, work);
          else solveTriangle(x, y, n, m, form === "lower", false, work);
          put(y, dense(to + i * n * m, m), n, m);
          work.release(mark);
        }
      },
    );
  },
  // Giles (2008), 2.3.1; of a triangle only what is read has a gradient.
  grad: (g, { y, inputs: [a], attrs, wants }) => {
    const form = attrs.form === "lower" ? "upper" : attrs.form === "upper" ? "lower" : "full";
    const gb = solveRow([transposed(a!), g], { ...attrs, form });
    if (!wants[0]) return [null, gb];
    const ga = negative(matmul(gb, transposed(y)));
    return [attrs.form === "full" ? ga : attrs.form === "lower" ? lowerPart(ga) : transposed(lowerPart(transposed(ga))), gb];
  },
  reads: [[0, 2], [0]],
  broadcasts: true,
});

/** For each position of a broadcast shape, in C order, the position in the shape that is repeated. */
function places(shape: Shape, target: Shape): Int32Array {
  const strides = broadcastStrides(shape, contiguousStrides(shape), target);
  const found = new Int32Array(sizeOf(target));
  forEachOffset(target, strides, (offset, i) => {
    found[i] = offset;
  });
  return found;
}

/** a⁻¹·b for the matrices in the last two axes of arrays of one dtype, the others broadcast. @internal */
export const solved = (xs: readonly [NDArray, NDArray], form: Form = "full", operator = "solve"): NDArray =>
  solveRow(xs, { form, operator });

/** What becomes of a singular matrix: an error, or an inverse that is not a number. */
interface Inverse {
  readonly operator: string;
  readonly quiet: boolean;
}

const inverseRow: Structural<Inverse> = structural("inv", {
  kind: "function",
  run: ([x], { operator, quiet }) => {
    const n = x!.shape.at(-1)!;
    return eachLU(x!, [n, n], n, (a, _, exchanged, work, to) => {
      if (diagonalOf(a, n).includes(0)) {
        if (!quiet) throw new ValueError(`${operator}: ${SINGULAR}`);
        memory.fill(Number.NaN, to, to + n * n);
        return;
      }
      const y = work.unit(n);
      solveLU(a, exchanged, y, n, n, work);
      put(y, dense(to, n), n, n);
    });
  },
  // Giles (2008), 2.2.3.
  grad: (g, { y }) => {
    const turned = transposed(y);
    return [negative(matmul(turned, matmul(g, turned)))];
  },
  reads: [[1]],
  lift: liftNothing,
});

/** The inverses of square matrices; if `quiet`, those of singular ones are not numbers. @internal */
export const inverseOf = (x: NDArray, operator: string, quiet = false): NDArray => inverseRow([x], { operator, quiet });

// ---------------------------------------------------------------- determinants

/** A number in front of two axes of size 1. */
const beforeMatrix = (x: NDArray): NDArray => expandDims(expandDims(x, -1), -1);

/** The sign of the determinant and the logarithm of its size. @internal */
export const slogdetOf: Structural<null> = structural("slogdet", {
  kind: "function",
  run: ([x]) =>
    eachLU(x!, [2], 0, (a, sign, _, __, to) => {
      const all = diagonalOf(a, x!.shape.at(-1)!);
      // Beside NaN a sign all the same, as LAPACK's.
      memory[to] = all.includes(0) ? 0 : all.reduce((s, v) => (v < 0 ? -s : s), sign);
      memory[to + 1] = all.reduce((sum, v) => sum + Math.log(Math.abs(v)), 0);
    }),
  grad: (g, { inputs: [x] }) => {
    const last = g.ndim - 1;
    const logarithm = slice([g], { ...part(g.shape, last, 1, 1), shape: g.shape.slice(0, -1) });
    return [absorb(beforeMatrix(logarithm), transposed(inverseOf(x!, "slogdet", true)))];
  },
  reads: [[0]],
  lift: liftNothing,
});

/** A product of many numbers, out of range only if it is. */
function productOf(values: Float64Array, first: number): number {
  let product = first;
  let exponent = 0;
  for (const v of values) {
    product *= v;
    const size = Math.abs(product);
    if (size > 2 ** 400 || (size < 2 ** -400 && size > 0)) {
      const up = size < 1 ? 400 : -400;
      product *= 2 ** up;
      exponent -= up;
    }
  }
  for (; exponent >= 400; exponent -= 400) product *= 2 ** 400;
  for (; exponent <= -400; exponent += 400) product *= 2 ** -400;
  return product;
}

/** The determinant. @internal */
export const detOf: Structural<null> = structural("det", {
  kind: "function",
  run: ([x]) =>
    eachLU(x!, [], 0, (a, sign, _, __, to) => {
      // Never -0, as in NumPy.
      memory[to] = productOf(diagonalOf(a, x!.shape.at(-1)!), sign) + 0;
    }),
  grad: (g, { inputs: [x] }) => [absorb(beforeMatrix(g), cofactors([x!], null))],
  reads: [[0]],
  lift: liftNothing,
});

/** Pivots beside the largest below which a matrix counts as singular where it is divided by its determinant. */
const SMALL = 1e-8;

/**
 * The derivatives of the determinant by the elements, also of singular matrices. A pivot of 0 is replaced by one of
 * rounding, which changes no polynomial by more: the determinant and the inverse are those of one and the same matrix. @internal
 */
export const cofactors: Structural<null> = structural("cofactors", {
  kind: "function",
  run: ([x]) => {
    const n = x!.shape.at(-1)!;
    return eachLU(x!, [n, n], n, (a, sign, exchanged, work, to) => {
      const found = diagonalOf(a, n);
      const largest = found.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
      if (largest === 0) return void memory.fill(Number(n === 1), to, to + n * n);
      const used = found.map(v => v || largest * 2 ** -52);
      setDiagonal(a, used);
      const y = work.unit(n);
      solveLU(a, exchanged, y, n, n, work);
      const determinant = productOf(used, sign);
      put(turned(y), dense(to, n), n, n);
      for (let k = to; k < to + n * n; k++) memory[k]! *= determinant;
    });
  },
  grad: (g, { y, inputs: [x] }) => {
    if (nearlySingular(physicalOf(x!))) return [cofactorSlope(x!, g)];
    // C = det·A⁻ᵀ, so its derivative is ⟨g, A⁻ᵀ⟩·C - A⁻ᵀ·gᵀ·C.
    const w = transposed(inverseOf(x!, "det"));
    const both = [x!.ndim - 2, x!.ndim - 1];
    const along = summed([absorb(g, w)], { axes: both, code: g.code });
    return [subtract(multiply(beforeMatrix(along), y), matmul(w, matmul(transposed(g), y)))];
  },
  reads: [[0, 1]],
  lift: liftNothing,
});

function nearlySingular(x: NDArray): boolean {
  let found = false;
  const unused = eachLU(x, [], 0, (a, _, __, ___, to) => {
    const sizes = diagonalOf(a, x.shape.at(-1)!).map(Math.abs);
    found ||= Math.min(...sizes) < SMALL * Math.max(...sizes) || sizes.includes(0);
    memory[to] = 0;
  });
  recycle(unused);
  return found;
}

/**
 * The derivative of the cofactors of a along g, by the recursion of Faddeev and LeVerrier, which divides by no element:
 * n products of matrices, and exact but for rounding also where the rank is low.
 */
function cofactorSlope(a: NDArray, g: NDArray): NDArray {
  const n = a.shape.at(-1)!;
  const unit = fromValues(
    Float64Array.from({ length: n * n }, (_, i) => Number(i % (n + 1) === 0)),
    [n, n],
    a.code,
  );
  const both = [a.ndim - 2, a.ndim - 1];
  const trace = (x: NDArray): NDArray => beforeMatrix(summed([multiply(x, unit)], { axes: both, code: x.code }));
  if (n === 1) return multiply(g, 0);
  // M₁ = I and c = -tr(A·M)/k give M ← A·M + c·I, up to M = ±adj(A); all of it beside its derivative.
  let m = unit;
  let slope = multiply(g, 0);
  for (let k = 1; k < n; k++) {
    const next = matmul(a, m);
    const nextSlope = add(matmul(g, m), matmul(a, slope));
    m = subtract(next, multiply(multiply(trace(next), 1 / k), unit));
    slope = subtract(nextSlope, multiply(multiply(trace(nextSlope), 1 / k), unit));
  }
  return transposed(n % 2 === 1 ? slope : negative(slope));
}
