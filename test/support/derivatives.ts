/**
 * Derivatives checked against differences, of any order, and reverse passes against each other. Knows arrays and the
 * walk, but no operator by name.
 */
import { autograd, type DType, type NDArray, np } from "nabla";
import { filled } from "../../src/cotangent.ts";
import { cotangents } from "../../src/grad.ts";
import { arrayOf, type Next, type Shape, sizeOf, valuesOf } from "./sampling.ts";

export type Fn = (...xs: NDArray[]) => NDArray;

/** Central differences over eight points: the error falls with the step to the power of 8. */
const STENCIL = [4 / 5, -1 / 5, 4 / 105, -1 / 280];
const STEP = 0.003;

export const randomArray = (shape: Shape, dtype: DType, next: Next): NDArray =>
  arrayOf(
    Float64Array.from({ length: sizeOf(shape) }, () => (next() < 0.5 ? -1 : 1) * (0.25 + 0.75 * next())),
    shape,
    dtype,
  );

/** The inner product of arrays of one shape, on the host. */
export function inner(x: NDArray, y: NDArray): number {
  const a = valuesOf(x);
  const b = valuesOf(y);
  return a.reduce((sum, p, i) => sum + p * b[i]!, 0);
}

/** A variable of its own with the same contents. */
const fresh = (x: NDArray): NDArray => np.copy(x).attachGrad();

/** The gradients of ⟨u, f(xs)⟩ at new variables, by fused kernels, or by the rules where a graph of them is wanted. */
export function pull(f: Fn, xs: readonly NDArray[], u: NDArray, createGraph: boolean): NDArray[] {
  const vs = xs.map(fresh);
  const y = autograd.record(() => f(...vs));
  return cotangents(y, vs, u, { createGraph, retainGraph: false });
}

/** ⟨u, J(xs) vs⟩ by the reverse pass: a function of xs in its turn, recorded where recording is on. */
function along(f: Fn, u: NDArray, vs: readonly NDArray[]): Fn {
  return (...xs) => {
    const createGraph = autograd.isRecording();
    const variables = createGraph ? xs : xs.map(fresh);
    const y = autograd.record(() => f(...variables));
    const gs = cotangents(y, variables, u, { createGraph, retainGraph: createGraph });
    return gs.map((g, i) => np.sum(np.multiply(g, vs[i]!))).reduce((a, b) => np.add(a, b));
  };
}

/** J(xs) vs by differences of f. */
function differences(f: Fn, xs: readonly NDArray[], vs: readonly NDArray[]): Float64Array {
  const at = (t: number): number[] => valuesOf(f(...xs.map((x, i) => np.add(x, np.multiply(vs[i]!, t)))));
  const total = new Float64Array(f(...xs).size);
  STENCIL.forEach((c, k) => {
    const t = (k + 1) * STEP;
    const after = at(t);
    const before = at(-t);
    for (let i = 0; i < total.length; i++) total[i]! += (c * (after[i]! - before[i]!)) / STEP;
  });
  return total;
}

function sameWithin(a: NDArray, b: NDArray, tolerance: number): string {
  const p = valuesOf(a);
  const q = valuesOf(b);
  for (let i = 0; i < p.length; i++)
    if (!(Math.abs(p[i]! - q[i]!) <= tolerance * (1e-3 + Math.abs(q[i]!))))
      return `element ${i} is ${p[i]} in one and ${q[i]} in the other`;
  return "";
}

/**
 * Checks derivatives of f at float64 arrays up to `order`: along a random direction against differences, the fused
 * reverse pass against the recorded one, shapes and dtypes. Gives what is wrong, or nothing.
 */
export function checkDerivatives(f: Fn, xs: readonly NDArray[], order: number, next: Next, tolerance = 1e-8): string {
  const y = f(...xs);
  if (y.dtype !== "float64") return `the value is ${y.dtype}`;
  const u = randomArray(y.shape, "float64", next);
  const vs = xs.map(x => randomArray(x.shape, "float64", next));
  const gs = pull(f, xs, u, false);
  const hs = pull(f, xs, u, true);
  for (let i = 0; i < xs.length; i++) {
    const [x, g, h] = [xs[i]!, gs[i]!, hs[i]!];
    for (const z of [g, h])
      if (z.dtype !== x.dtype || String(z.shape) !== String(x.shape))
        return `gradient ${i} is ${z.dtype} [${z.shape}], its variable ${x.dtype} [${x.shape}]`;
    const fault = sameWithin(g, h, 1e-13);
    if (fault !== "") return `order 1 of ${order}: gradient ${i}, fused and by the rule: ${fault}`;
  }
  const byDifferences = differences(f, xs, vs);
  const weights = valuesOf(u);
  const forward = byDifferences.reduce((sum, d, i) => sum + d * weights[i]!, 0);
  const backward = gs.reduce((sum, g, i) => sum + inner(g, vs[i]!), 0);
  let scale = byDifferences.reduce((sum, d, i) => sum + Math.abs(d * weights[i]!), 0);
  gs.forEach((g, i) => {
    const p = valuesOf(g);
    const q = valuesOf(vs[i]!);
    scale += p.reduce((sum, a, k) => sum + Math.abs(a * q[k]!), 0);
  });
  const error = Math.abs(forward - backward);
  if (!(error <= tolerance * scale + 1e-12)) return `${order} orders left: by differences ${forward}, by the reverse pass ${backward}`;
  return order <= 1 ? "" : checkDerivatives(along(f, u, vs), xs, order - 1, next, tolerance);
}

/**
 * The gradients of ⟨0, f⟩, by fused kernels and by the rules, then of a random combination of these, and so on up to
 * `order`: all of them are zeros, whatever the slopes of f.
 */
export function zeroCotangents(f: Fn, xs: readonly NDArray[], order: number, next: Next): Record<string, NDArray[]> {
  const y = f(...xs);
  const zero = filled(y.shape, y.code, 0);
  const found: Record<string, NDArray[]> = { fused: pull(f, xs, zero, false) };
  const vs = xs.map(fresh);
  autograd.record(() => {
    let gs = cotangents(f(...vs), vs, zero, { createGraph: true, retainGraph: true });
    for (let k = 1; ; k++) {
      found[`order ${k}`] = gs;
      if (k === order) return;
      const total = gs.map(g => np.sum(np.multiply(g, randomArray(g.shape, g.dtype, next)))).reduce((a, b) => np.add(a, b));
      gs = cotangents(total, vs, filled([], total.code, 1), { createGraph: true, retainGraph: true });
    }
  });
  return found;
}

/** Checks derivatives as `checkDerivatives` does. @throws Error naming what was checked. */
export function expectDerivatives(label: string, f: Fn, xs: readonly NDArray[], order: number, next: Next): void {
  const fault = checkDerivatives(f, xs, order, next);
  if (fault !== "") throw new Error(`${label}: ${fault}`);
}
