/** Linear systems, inverses and determinants of matrices, as routines whose rules are written in public operators. */
import { forEachOffset, fromValues, type NDArray } from "../../array.ts";
import {
  diagonalOf,
  factorLU,
  type Grid,
  roomFor,
  setDiagonal,
  solveLU,
  solveTriangle,
  turned,
  unload,
  Workspace,
} from "../../backend/routines/factor.ts";
import { ValueError } from "../../errors.ts";
import { physicalOf } from "../../mapped.ts";
import { liftNothing, type Structural, structural } from "../../op.ts";
import { broadcastShapes, broadcastStrides, contiguousStrides, type Shape, sizeOf } from "../../shape.ts";
import { absorb, add, multiply, negative, subtract } from "../pointwise.ts";
import { expandDims, part, slice, summed } from "../structural.ts";
import { doubles, fromDoubles, lowerPart, sidesOf, transposed } from "./matrices.ts";
import { matmul } from "./products.ts";

/** What is known of the matrix on the left: nothing, or that it is triangular, when the other elements are not read. */
export type Form = "full" | "lower" | "upper";

const SINGULAR = "the matrix is singular; use pinv or lstsq, or add a multiple of np.eye(n)";

/** The square matrices of x, one after another, factored in a workspace that has room for `more` elements besides. */
function eachLU(
  x: NDArray,
  more: number,
  columns: number,
  visit: (factors: Grid, sign: number, exchanged: Int32Array, work: Workspace, index: number) => void,
): void {
  const n = x.shape.at(-1)!;
  const values = doubles(x);
  const work = new Workspace(2 * roomFor(n, n) + more, n, Math.max(n, columns), n);
  const exchanged = new Int32Array(n);
  try {
    for (let i = 0, count = sizeOf(x.shape.slice(0, -2)); i < count; i++) {
      const mark = work.mark();
      const a = work.load(values, i * n * n, n, n);
      visit(a, factorLU(a, n, exchanged, work), exchanged, work, i);
      work.release(mark);
    }
  } finally {
    work.free();
  }
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
    const out = new Float64Array(sizeOf(batch) * n * m);
    if (out.length === 0) return fromDoubles(out, [...batch, n, m], a!.code);
    const [lefts, rights] = [doubles(a!), doubles(b!)];
    // Which matrix on either side belongs to each result.
    const [left, right] = [a!, b!].map(x => places(x.shape.slice(0, -2), batch));
    const work = new Workspace(2 * roomFor(n, n) + 2 * roomFor(n, m), n, Math.max(n, m), n);
    try {
      const exchanged = new Int32Array(n);
      const start = work.mark();
      let x: Grid | undefined;
      for (let i = 0; i < left!.length; i++) {
        // Neighbours that share a matrix share its factors.
        if (x === undefined || left![i] !== left![i - 1]) {
          work.release(start);
          x = work.load(lefts, left![i]! * n * n, n, n);
          if (form === "full") {
            factorLU(x, n, exchanged, work);
            if (diagonalOf(x, n).includes(0)) throw new ValueError(`${operator}: ${SINGULAR}`);
          }
        }
        const mark = work.mark();
        const y = work.load(rights, right![i]! * n * m, n, m);
        if (form === "full") solveLU(x, exchanged, y, n, m, work);
        else solveTriangle(x, y, n, m, form === "lower", false, work);
        unload(y, n, m, out, i * n * m);
        work.release(mark);
      }
    } finally {
      work.free();
    }
    return fromDoubles(out, [...batch, n, m], a!.code);
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
    const out = new Float64Array(x!.size);
    eachLU(x!, 2 * roomFor(n, n), n, (a, _, exchanged, work, i) => {
      if (diagonalOf(a, n).includes(0)) {
        if (!quiet) throw new ValueError(`${operator}: ${SINGULAR}`);
        out.fill(Number.NaN, i * n * n, (i + 1) * n * n);
        return;
      }
      const y = work.unit(n);
      solveLU(a, exchanged, y, n, n, work);
      unload(y, n, n, out, i * n * n);
    });
    return fromDoubles(out, x!.shape, x!.code);
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
  run: ([x]) => {
    const out = new Float64Array(2 * sizeOf(x!.shape.slice(0, -2)));
    eachLU(x!, 0, 0, (a, sign, _, __, i) => {
      const all = diagonalOf(a, x!.shape.at(-1)!);
      out[2 * i] = all.reduce((s, v) => s * Math.sign(v), sign) + 0;
      out[2 * i + 1] = all.reduce((sum, v) => sum + Math.log(Math.abs(v)), 0);
    });
    return fromDoubles(out, [...x!.shape.slice(0, -2), 2], x!.code);
  },
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
  run: ([x]) => {
    const lead = x!.shape.slice(0, -2);
    const out = new Float64Array(sizeOf(lead));
    eachLU(x!, 0, 0, (a, sign, _, __, i) => {
      // Never -0, as in NumPy.
      out[i] = productOf(diagonalOf(a, x!.shape.at(-1)!), sign) + 0;
    });
    return fromDoubles(out, lead, x!.code);
  },
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
    const out = new Float64Array(x!.size);
    eachLU(x!, 2 * roomFor(n, n), n, (a, sign, exchanged, work, i) => {
      const found = diagonalOf(a, n);
      const largest = found.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
      if (largest === 0) return void (n === 1 && (out[i] = 1));
      const used = found.map(v => v || largest * 2 ** -52);
      setDiagonal(a, used);
      const y = work.unit(n);
      solveLU(a, exchanged, y, n, n, work);
      const determinant = productOf(used, sign);
      unload(turned(y), n, n, out, i * n * n);
      for (let k = i * n * n; k < (i + 1) * n * n; k++) out[k]! *= determinant;
    });
    return fromDoubles(out, x!.shape, x!.code);
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
  eachLU(x, 0, 0, a => {
    const sizes = diagonalOf(a, x.shape.at(-1)!).map(Math.abs);
    found ||= Math.min(...sizes) < SMALL * Math.max(...sizes) || sizes.includes(0);
  });
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
