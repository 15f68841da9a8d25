/** Products of tensors, what signals and polynomials are multiplied with, and norms. */
import { type ArrayInput, fromValues, type NDArray } from "../array.ts";
import { toArray, toArrays } from "../convert.ts";
import { BOOL, promote } from "../dtype.ts";
import { checkOptions, describe, flag, oneOf, ShapeError, under, ValueError, wholeNumber } from "../errors.ts";
import type { HasRow } from "../op.ts";
import { correlation, dot, euclidean, matmul, meeting, padded, reversed } from "../ops/linalg/products.ts";
import { singularValues } from "../ops/linalg/svd.ts";
import { abs, add, equal, multiply, notEqual, power, sign, subtract, where } from "../ops/pointwise.ts";
import { type Axis, max, min, restoreAxes, sum } from "../ops/reduction.ts";
import {
  diagonalOf,
  flat,
  gathered,
  inFloat,
  part,
  positions,
  reshape,
  slice,
  squeeze,
  summed,
  transpose,
  typed,
  zeroed,
} from "../ops/structural.ts";
import { axesOf, onesOf, type Shape, showShape, sizeOf, toAxes, toAxis } from "../shape.ts";
import { moveaxis } from "./shaping.ts";

// ---------------------------------------------------------------- contractions

/** An array with a label for each axis: equal labels mean one index. */
interface Labelled {
  readonly x: NDArray;
  readonly labels: readonly number[];
}

const sizesOf = ({ x, labels }: Labelled, wanted: readonly number[]): number[] => wanted.map(l => x.shape[labels.indexOf(l)]!);

/** The array with its axes in the order of the given labels. */
const arranged = ({ x, labels }: Labelled, order: readonly number[]): NDArray =>
  labels.every((l, i) => l === order[i])
    ? x
    : transpose(
        x,
        order.map(l => labels.indexOf(l)),
      );

/** Summed over the labels that are not to be kept. */
function totalled({ x, labels }: Labelled, keep: (label: number) => boolean): Labelled {
  const axes = [...labels.keys()].filter(i => !keep(labels[i]!));
  return axes.length === 0 ? { x, labels } : { x: summed([x], { axes, code: x.code }), labels: labels.filter(keep) };
}

/** The product of two labelled arrays of one dtype, summed over the labels that are not to be kept; shared sizes are equal. */
function contract(p: Labelled, q: Labelled, keep: (label: number) => boolean): Labelled {
  const a = totalled(p, l => keep(l) || q.labels.includes(l));
  const b = totalled(q, l => keep(l) || p.labels.includes(l));
  const common = a.labels.filter(l => b.labels.includes(l));
  const batch = common.filter(keep);
  // In the order of the larger array, which then is the less likely to be copied.
  const inner = (a.x.size < b.x.size ? b : a).labels.filter(l => common.includes(l) && !keep(l));
  const left = a.labels.filter(l => !common.includes(l));
  const right = b.labels.filter(l => !common.includes(l));
  const [gs, ls, ks] = [batch, left, inner].map(list => sizesOf(a, list)) as [number[], number[], number[]];
  const rs = sizesOf(b, right);
  const [m, n, k] = [ls, rs, ks].map(sizeOf) as [number, number, number];
  const labels = [...batch, ...left, ...right];
  const single = m * n === 1;
  if (inner.length === 0 || (single && batch.length > 0)) {
    const ones = (list: Shape): number[] => list.map(() => 1);
    const x = reshape(arranged(a, [...batch, ...left, ...inner]), [...gs, ...ls, ...ones(rs), ...ks]);
    const y = reshape(arranged(b, [...batch, ...right, ...inner]), [...gs, ...ones(ls), ...rs, ...ks]);
    return totalled({ x: multiply(x, y), labels: [...labels, ...inner] }, keep);
  }
  const [rows, columns] = single
    ? [[k], [k]]
    : [
        [...gs, m, k],
        [...gs, k, n],
      ];
  const x = reshape(arranged(a, [...batch, ...left, ...inner]), rows);
  const y = reshape(arranged(b, [...batch, ...inner, ...right]), columns);
  return { x: reshape(single ? dot(x, y) : matmul(x, y), [...gs, ...ls, ...rs]), labels };
}

function contractAxes(operator: string, x: NDArray, y: NDArray, axesX: unknown, axesY: unknown): NDArray {
  const [a, b] = meeting(x, y);
  const [p, q] = [axesOf(axesX, a.ndim, operator), axesOf(axesY, b.ndim, operator)];
  if (p.length !== q.length)
    throw new ValueError(`${operator}: ${p.length} axes of the first array and ${q.length} of the second; name as many of both`);
  p.forEach((axis, i) => {
    if (a.shape[axis] !== b.shape[q[i]!])
      throw new ShapeError(
        `${operator}: shapes ${showShape(a.shape)} and ${showShape(b.shape)} do not fit: axis ${axis} of the first has size ${a.shape[axis]}, axis ${q[i]} of the second ${b.shape[q[i]!]}; they must be equal`,
      );
  });
  const labels = b.shape.map((_, i) => (q.includes(i) ? p[q.indexOf(i)]! : a.ndim + i));
  return contract({ x: a, labels: [...a.shape.keys()] }, { x: b, labels }, l => !p.includes(l)).x;
}

/**
 * The sum of products over axes: over the last `axes` of the first and the first `axes` of the second array, or over two
 * lists of axes, [of the first, of the second]. The result has the other axes of the first, then of the second. NumPy's tensordot.
 * @throws ShapeError where the summed sizes differ, ValueError where the lists do.
 * @example np.tensordot(np.ones([2, 3, 4]), np.ones([4, 3]), [[1, 2], [1, 0]]) // array([12., 12.])
 */
export function tensordot(a: ArrayInput, b: ArrayInput, axes: number | readonly [Axis, Axis] | null = 2): NDArray {
  const x = toArray(a, "tensordot", b);
  const y = toArray(b, "tensordot", a);
  const given: unknown = axes ?? 2;
  if (Array.isArray(given) && given.length === 2) return contractAxes("tensordot", x, y, given[0], given[1]);
  if (!Number.isInteger(given) || (given as number) < 0)
    throw new ValueError(`tensordot: axes are a whole number >= 0 or two lists of axes, got ${describe(given)}`);
  const count = given as number;
  if (count > Math.min(x.ndim, y.ndim))
    throw new ShapeError(
      `tensordot: ${count} axes of arrays of shapes ${showShape(x.shape)} and ${showShape(y.shape)}, which have not so many`,
    );
  const first = Array.from({ length: count }, (_, i) => i);
  return contractAxes(
    "tensordot",
    x,
    y,
    first.map(i => i - count),
    first,
  );
}

/**
 * The sum of products over the last axes of both arrays; a 0-d array multiplies. NumPy's inner.
 * @throws ShapeError where the last axes differ in size.
 * @example np.inner([[1, 2], [3, 4]], [10, 1]) // array([12., 34.])
 */
export function inner(a: ArrayInput, b: ArrayInput): NDArray {
  const x = toArray(a, "inner", b);
  const y = toArray(b, "inner", a);
  return x.ndim === 0 || y.ndim === 0 ? multiply(x, y) : contractAxes("inner", x, y, -1, -1);
}

/**
 * The sum of the products of all elements, both arrays flattened. NumPy's vdot.
 * @throws ShapeError where sizes differ.
 * @example np.vdot([[1, 2], [3, 4]], [[5, 6], [7, 8]]) // array(70.)
 */
export function vdot(a: ArrayInput, b: ArrayInput): NDArray {
  const x = toArray(a, "vdot", b);
  const y = toArray(b, "vdot", a);
  if (x.size !== y.size)
    throw new ShapeError(
      `vdot: shapes ${showShape(x.shape)} and ${showShape(y.shape)} have ${x.size} and ${y.size} elements; give as many`,
    );
  return dot(flat(x), flat(y));
}

const TERM = /^([A-Za-z]*)(\.\.\.)?([A-Za-z]*)$/;

interface Subscripts {
  /** The labels before and after the ellipsis, if there is one. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly ellipsis: boolean;
}

function parseTerm(text: string): Subscripts {
  const found = TERM.exec(text);
  if (found === null) throw new ValueError(`einsum: ${describe(text)} are no subscripts; write letters and at most one "..."`);
  const codes = (s: string): number[] => Array.from(s, c => c.charCodeAt(0));
  return { before: codes(found[1]!), after: codes(found[3]!), ellipsis: found[2] !== undefined };
}

/** The same of a list of numbers and at most one "...". */
function listTerm(list: unknown): Subscripts {
  if (!Array.isArray(list))
    throw new ValueError(
      `einsum: each array has a list of labels behind it, as in einsum(x, [0, 1], y, [1, 2], [0, 2]), got ${describe(list)}`,
    );
  const at = list.indexOf("...");
  const labels = (part: readonly unknown[]): number[] => Array.from(part, l => wholeNumber("einsum", "a label", l, 0));
  return at < 0
    ? { before: labels(list), after: [], ellipsis: false }
    : { before: labels(list.slice(0, at)), after: labels(list.slice(at + 1)), ellipsis: true };
}

/** A label for each axis; those that an ellipsis stands for count -1, -2 … from its end. */
function labelsOf({ before, after }: Subscripts, spare: number): number[] {
  return [...before, ...Array.from({ length: spare }, (_, i) => i - spare), ...after];
}

/** What is to be computed: the labels of each array and of the result, and how the caller wrote them. */
interface Contraction {
  readonly arrays: readonly NDArray[];
  readonly inputs: number[][];
  readonly output: number[];
  readonly text: string;
}

/** The arguments as arrays, a term for each, and one for the result if it is given. */
function readTerms(args: readonly unknown[]): [NDArray[], Subscripts[], Subscripts | undefined, string] {
  const [first, ...rest] = args;
  if (typeof first === "string") {
    const arrays = toArrays(rest as ArrayInput[], "einsum");
    const [left, right, ...more] = first.replace(/\s/g, "").split("->") as [string, string?, ...string[]];
    const terms = left.split(",").map(parseTerm);
    if (more.length > 0 || terms.length !== arrays.length)
      throw new ValueError(
        `einsum: ${describe(first)} has subscripts for ${terms.length} arrays and one result; ${arrays.length} arrays are given`,
      );
    return [arrays, terms, right === undefined ? undefined : parseTerm(right), describe(first)];
  }
  const count = Math.floor(args.length / 2);
  if (count === 0)
    throw new ValueError(
      `einsum: first come subscripts, as in "ij,jk->ik", or an array and a list of labels, got ${args.map(describe).join(", ") || "nothing"}`,
    );
  const lists = args.filter((_, i) => i % 2 === 1 || i === 2 * count);
  const [terms, arrays] = [lists.map(listTerm), toArrays(args.filter((_, i) => i % 2 === 0 && i < 2 * count) as ArrayInput[], "einsum")];
  return [arrays, terms.slice(0, count), terms[count], lists.map(describe).join(", ")];
}

function readSubscripts(args: readonly unknown[]): Contraction {
  const [arrays, terms, result, text] = readTerms(args);
  const inputs = terms.map((term, i) => {
    const { ndim, shape } = arrays[i]!;
    const spare = ndim - term.before.length - term.after.length;
    if (spare < 0 || (spare > 0 && !term.ellipsis))
      throw new ValueError(
        `einsum: array ${i} of shape ${showShape(shape)} has ${ndim} axes, its subscripts in ${text} name ${ndim - spare}; ` +
          'use one for each, or "..."',
      );
    return labelsOf(term, spare);
  });
  const all = inputs.flat();
  const depth = -Math.min(0, ...all);
  if (result === undefined) {
    const once = all.filter(l => l >= 0 && all.indexOf(l) === all.lastIndexOf(l)).sort((a, b) => a - b);
    return { arrays, inputs, output: labelsOf({ before: [], after: once, ellipsis: true }, depth), text };
  }
  if (depth > 0 && !result.ellipsis) throw new ValueError(`einsum: the result in ${text} needs a "..." too`);
  const output = labelsOf(result, depth);
  output.forEach((l, i) => {
    if (!all.includes(l) || output.indexOf(l) < i)
      throw new ValueError(
        `einsum: the result in ${text} names ${typeof args[0] === "string" ? describe(String.fromCharCode(l)) : l}, which ${all.includes(l) ? "it names already" : "no array has"}`,
      );
  });
  return { arrays, inputs, output, text };
}

/** The diagonals of repeated labels; axes of size 1 go where others with the label are longer. */
function simplified(x: NDArray, given: readonly number[], sizes: ReadonlyMap<number, number>): Labelled {
  let y = x;
  let labels = given.slice();
  for (let second = 0; second < labels.length; second++) {
    const label = labels[second]!;
    const first = labels.indexOf(label);
    if (first === second) continue;
    if (y.shape[first] !== y.shape[second])
      throw new ShapeError(
        `einsum: an index runs over two axes of ${showShape(x.shape)} with sizes ${y.shape[first]} and ${y.shape[second]}; they must be equal`,
      );
    y = diagonalOf([y], { offset: 0, axis1: first, axis2: second });
    labels = [...labels.filter((_, i) => i !== first && i !== second), label];
    second = -1;
  }
  const wanted = labels.filter((l, i) => y.shape[i] === sizes.get(l));
  return { x: wanted.length === labels.length ? y : reshape(y, sizesOf({ x: y, labels }, wanted)), labels: wanted };
}

/** The axes of an array for `einsum`: a label for each, and "..." for those that broadcast. */
export type AxisLabels = readonly (number | "...")[];

/**
 * Sums of products by Einstein's convention: each letter is an index along an axis of every array that carries it, and
 * what the result (after "->"; by default the letters that occur once, in alphabetical order) does not name is summed.
 * "..." stands for further axes, which broadcast. Several arrays are contracted in pairs, those that shrink most first.
 * In the place of subscripts each array may be followed by a list of its labels, whole numbers from 0 on, and the list of the
 * result may come last. NumPy's einsum.
 * @throws ValueError for subscripts that are none or do not match the arrays, ShapeError where the sizes of an index differ.
 * @example np.einsum("ij,jk->ik", [[1, 2]], [[3], [4]]) // array([[11.]])
 * @example np.einsum("ii", [[1, 2], [3, 4]]) // array(5.)
 * @example np.einsum([[1, 2]], [0, 1], [[3], [4]], [1, 2], [0, 2]) // array([[11.]])
 * @example np.einsum(np.ones([2, 3, 4]), [0, "..."], ["...", 0]).shape // [ 3, 4, 2 ]
 */
export function einsum(subscripts: string, ...operands: ArrayInput[]): NDArray;
export function einsum(x: ArrayInput, labels: AxisLabels, ...rest: (ArrayInput | AxisLabels)[]): NDArray;
export function einsum(...args: unknown[]): NDArray {
  const { arrays: given, inputs, output, text } = readSubscripts(args);
  const code = given.reduce((c, x) => promote(c, x.code), given[0]!.code);
  const sizes = new Map<number, number>();
  given.forEach((x, k) => {
    inputs[k]!.forEach((label, axis) => {
      const [n, have = 1] = [x.shape[axis]!, sizes.get(label)];
      if (n !== 1 && have !== 1 && n !== have)
        throw new ShapeError(
          `einsum: an index of ${text} has size ${n} in array ${k} of shape ${showShape(x.shape)}, but ${have} before; sizes must be equal, or one of them 1`,
        );
      sizes.set(label, n === 1 ? have : n);
    });
  });
  let terms = given.map((x, k) => simplified(typed(x, code), inputs[k]!, sizes));
  while (terms.length > 1) {
    let best: [number, number] = [0, 1];
    let least = Number.POSITIVE_INFINITY;
    const wanted = (i: number, j: number) => (label: number) =>
      output.includes(label) || terms.some((t, k) => k !== i && k !== j && t.labels.includes(label));
    for (let i = 0; i < terms.length; i++)
      for (let j = i + 1; j < terms.length; j++) {
        const kept = [...new Set([...terms[i]!.labels, ...terms[j]!.labels])].filter(wanted(i, j));
        const grown = sizeOf(kept.map(l => sizes.get(l)!)) - terms[i]!.x.size - terms[j]!.x.size;
        if (grown < least) [least, best] = [grown, [i, j]];
      }
    const [i, j] = best;
    terms = [...terms.filter((_, k) => k !== i && k !== j), contract(terms[i]!, terms[j]!, wanted(i, j))];
  }
  const y = arranged(
    totalled(terms[0]!, l => output.includes(l)),
    output,
  );
  return y === given[0] ? reshape(y, y.shape) : y;
}

/**
 * The Kronecker product: the second array as blocks, multiplied by the elements of the first; missing axes in front
 * count as size 1. NumPy's kron.
 * @example np.kron([1, 10], [1, 2, 3]) // array([ 1.,  2.,  3., 10., 20., 30.])
 */
export function kron(a: ArrayInput, b: ArrayInput): NDArray {
  const x = toArray(a, "kron", b);
  const y = toArray(b, "kron", a);
  const ndim = Math.max(x.ndim, y.ndim);
  const [p, q] = [x, y].map(({ shape }) => [...onesOf(ndim - shape.length), ...shape]) as [number[], number[]];
  const product = under("kron", () =>
    multiply(
      reshape(
        x,
        p.flatMap(n => [n, 1]),
      ),
      reshape(
        y,
        q.flatMap(n => [1, n]),
      ),
    ),
  );
  return reshape(
    product,
    p.map((n, i) => n * q[i]!),
  );
}

export interface CrossOptions {
  /** The axis of the vectors in a, in b and in the product: the last by default, and always the axis where that is given. */
  axisa?: number | null;
  axisb?: number | null;
  axisc?: number | null;
}

/**
 * The cross product of the vectors along an axis (the last by default, or one for each array), 3-d or 2-d ones; other axes
 * broadcast. A 2-d vector has third component 0; of two 2-d vectors only the third component of the product is given,
 * without the axis. NumPy's cross.
 * @throws ShapeError for vectors of other sizes, axes that are not there, and where the other axes do not broadcast.
 * @example np.cross([1, 0, 0], [0, 1, 0]) // array([0., 0., 1.])
 * @example np.cross([[1], [0], [0]], [[0, 1, 0]], null, { axisa: 0 }) // array([[0., 0., 1.]])
 */
export function cross(a: ArrayInput, b: ArrayInput, axis?: number | null, options?: CrossOptions): NDArray {
  const names = ["axisa", "axisb", "axisc"] as const;
  checkOptions("cross", options, names);
  const axisOf = (i: number, ndim: number): number => toAxis(axis ?? options?.[names[i]!] ?? -1, ndim, "cross");
  const [x, y] = toArrays([a, b], "cross").map((v, i) => {
    const at = axisOf(i, v.ndim);
    const n = v.shape[at]!;
    if (n !== 2 && n !== 3) throw new ShapeError(`cross: axis ${at} of ${showShape(v.shape)} has size ${n}; a vector has size 2 or 3`);
    // In front, where components lie in one piece.
    return moveaxis(v, at, 0);
  }) as [NDArray, NDArray];
  const [m, n] = [x.shape[0]!, y.shape[0]!];
  const ndim = Math.max(x.ndim, y.ndim);
  const plane = m + n === 4;
  const at = plane ? 0 : axisOf(2, ndim);
  /** Components by their numbers; one that is not there is some other. */
  const chosen = (v: NDArray, list: readonly number[]): NDArray => {
    const own = list.map(k => Math.min(k, v.shape[0]! - 1));
    const c = gathered([v, positions(own, [own.length])], 0);
    return reshape(c, [own.length, ...onesOf(ndim - v.ndim), ...v.shape.slice(1)]);
  };
  /** Products of components, and `otherwise` for those with one that is not there: 0 times it need not be 0. */
  const products = (p: readonly number[], q: readonly number[], otherwise: number): NDArray => {
    const z = multiply(chosen(x, p), chosen(y, q));
    const there = p.map((k, i) => Number(k < m && q[i]! < n));
    return there.includes(0) ? where(fromValues(there, [3, ...z.shape.slice(1).fill(1)], BOOL), z, fromValues([otherwise], [], z.code)) : z;
  };
  return under("cross", () => {
    const [next, last] = plane
      ? [[0], [1]]
      : [
          [1, 2, 0],
          [2, 0, 1],
        ];
    // Less what is there, -0 is the negative.
    const z = subtract(products(next, last, -0), products(last, next, 0));
    return plane ? squeeze(z, 0) : moveaxis(z, 0, at);
  });
}

// ---------------------------------------------------------------- polynomials and signals

/**
 * The polynomial with the coefficients p, that of the highest power first, at every element of x. NumPy's polyval.
 * @throws ShapeError for a 0-d p.
 * @example np.polyval([1, 0, -1], [2, 3]) // array([3., 8.])
 */
export function polyval(p: ArrayInput, x: ArrayInput): NDArray {
  const at = toArray(x, "polyval", p);
  // Numbers in a list meet x as numbers do, with all their digits.
  let coefficients: readonly (NDArray | number)[];
  if (Array.isArray(p) && Array.from(p).every(c => typeof c === "number")) coefficients = p;
  else {
    const list = toArray(p, "polyval", x);
    if (list.ndim === 0) throw new ShapeError("polyval: the coefficients are 0-d; give a list of them, that of the highest power first");
    const { shape } = list;
    coefficients = Array.from({ length: shape[0]! }, (_, i) => slice([list], { ...part(shape, 0, i, 1), shape: shape.slice(1) }));
  }
  return under("polyval", () => coefficients.reduce<NDArray>((y, c) => add(multiply(y, at), c), zeroed(at.shape, at.code)));
}

function slide(operator: "convolve" | "correlate", a: ArrayInput, v: ArrayInput, mode: unknown): NDArray {
  const flips = operator === "convolve";
  const [x, y] = toArrays([a, v], operator).map(z => {
    if (z.ndim > 1 || (z.ndim === 0 && !flips))
      throw new ShapeError(`${operator}: an array of shape ${showShape(z.shape)}; both must be 1-d`);
    if (z.size === 0) throw new ValueError(`${operator}: an array is empty; both must have elements`);
    return flat(z);
  }) as [NDArray, NDArray];
  oneOf(operator, "mode", mode, ["full", "same", "valid"]);
  const swapped = y.size > x.size;
  const [long, short] = swapped ? meeting(y, x) : meeting(x, y);
  const n = short.size;
  const before = mode === "full" ? n - 1 : mode === "same" ? Math.floor(n / 2) : 0;
  const after = mode === "same" ? n - 1 - before : before;
  const z = correlation([padded(long, before, after), flips ? reversed(short) : short], [before, after]);
  return swapped && !flips ? reversed(z) : z;
}

/**
 * The convolution of two 1-d arrays: all places where they overlap ("full"), as many as the longer has ("same"), or
 * where they overlap wholly ("valid"). NumPy's convolve.
 * @throws ShapeError unless both are 1-d, ValueError for an empty array or another mode.
 * @example np.convolve([1, 2, 3], [1, 10]) // array([ 1., 12., 23., 30.])
 */
export function convolve(a: ArrayInput, v: ArrayInput, mode: "full" | "same" | "valid" | null = "full"): NDArray {
  return slide("convolve", a, v, mode ?? "full");
}

/**
 * The correlation of two 1-d arrays: sums of a[n + k]·v[n] for every shift k of the mode, as in `convolve`. NumPy's correlate.
 * @throws ShapeError unless both are 1-d, ValueError for an empty array or another mode.
 * @example np.correlate([1, 2, 3], [1, 10]) // array([21., 32.])
 */
export function correlate(a: ArrayInput, v: ArrayInput, mode: "full" | "same" | "valid" | null = "valid"): NDArray {
  return slide("correlate", a, v, mode ?? "valid");
}

// ---------------------------------------------------------------- norms

export interface NormOptions {
  /** Keep the reduced axes, with size 1. */
  keepdims?: boolean;
}

/** The p-norm along one axis. Slopes are 0 where an element, or the whole vector, is 0. */
function vectorNorm(x: NDArray, p: number, axis: number): NDArray {
  if (p === 0) return sum(where(notEqual(x, 0), 1, sign(x)), axis);
  const size = abs(x);
  if (p === 1) return sum(size, axis);
  if (Math.abs(p) === Number.POSITIVE_INFINITY) return (p > 0 ? max : min)(size, axis);
  // An even power needs no absolute value, whose slope would hide the higher derivatives at 0.
  const nought = equal(x, 0);
  const powers = p > 0 && p % 2 === 0 ? power(x, p) : where(nought, p > 0 ? 0 : Number.POSITIVE_INFINITY, power(where(nought, 1, size), p));
  const total = sum(powers, axis);
  if (p < 0) return power(total, 1 / p);
  const none = equal(total, 0);
  return where(none, 0, power(where(none, 1, total), 1 / p));
}

/** The norm of the matrices in two axes. */
function matrixNorm(x: NDArray, order: number | "nuc", row: number, column: number): NDArray {
  const extreme = order === "nuc" ? sum : order > 0 ? max : min;
  if (order === "nuc" || Math.abs(order) === 2) {
    const others = [...x.shape.keys()].filter(i => i !== row && i !== column);
    // Like an absolute value, a singular value has slope 0 where it is 0.
    return extreme(abs(singularValues([transpose(x, [...others, row, column])], null)), -1);
  }
  const [first, second] = Math.abs(order) === 1 ? [row, column] : [column, row];
  return extreme(sum(abs(x), first), second - Number(second > first));
}

const MATRIX_ORDERS: readonly unknown[] = [1, -1, 2, -2, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, "nuc"];

/**
 * The norm of the vectors along an axis, or of the matrices in a list of two; without axis of the whole array, which must be
 * 1-d or 2-d if an order is given. Orders of vectors: any p (the p-th root of the sum of |x|ᵖ; 2 by default), inf and
 * -inf (the largest and smallest |x|), 0 (how many are not 0); of matrices: "fro" (the default, Euclidean), "nuc" (the sum
 * of singular values), 2 and -2 (the largest and smallest), 1 and -1 (of the sums of columns), inf and -inf (of rows).
 * The slope at 0 is 0. |x|ᵖ may overflow as in NumPy. NumPy's linalg.norm.
 * @throws ValueError for an order that vectors or matrices do not have, and for singular values of NaN or infinity.
 * @example np.linalg.norm([3, 4]) // array(5.)
 * @example np.linalg.norm([[1, -2], [3, 4]], np.inf) // array(7.)
 */
export const norm: ((x: ArrayInput, ord?: number | "fro" | "nuc" | null, axis?: Axis, options?: NormOptions) => NDArray) & HasRow =
  Object.assign(
    (x: ArrayInput, ord?: number | "fro" | "nuc" | null, axis?: Axis, options?: NormOptions): NDArray => {
      const given = toArray(x, "norm");
      checkOptions("norm", options, ["keepdims"]);
      const keepdims = flag("norm", "keepdims", options?.keepdims, false);
      const axes = toAxes(axis, given.ndim, "norm");
      const a = inFloat(given);
      const count = axes.length;
      let y: NDArray;
      const some = (axis ?? null) === null || count === 1 || count === 2;
      if (((ord ?? null) === null && some) || (count === 1 && ord === 2) || (count === 2 && ord === "fro")) y = euclidean([a], axes);
      else if (count === 1 && typeof ord === "number" && !Number.isNaN(ord)) y = under("norm", () => vectorNorm(a, ord, axes[0]!));
      else if (count === 2 && MATRIX_ORDERS.includes(ord)) {
        const [row, column] = Array.isArray(axis) ? Array.from(axis, i => toAxis(i, a.ndim, "norm")) : axes;
        y = under("norm", () => matrixNorm(a, ord as number | "nuc", row!, column!));
      } else
        throw new ValueError(
          `norm: order ${describe(ord)} over ${count} axes; over one it is a number, over two "fro", "nuc", 1, -1, 2, -2, inf or -inf`,
        );
      return restoreAxes(y, axes, keepdims);
    },
    { op: euclidean.op },
  );
