/** Means, moments and their kin: compositions of reductions, and the few rows they need. */
import { type ArrayInput, blank, type NDArray } from "../../array.ts";
import { fitting, toArray } from "../../convert.ts";
import { filled } from "../../cotangent.ts";
import { F32, F64, isFloat, meanCode, promote } from "../../dtype.ts";
import { describe, flag, ShapeError, under, ValueError } from "../../errors.ts";
import * as E from "../../expr.ts";
import { foldAxes, foldOver, keptOf } from "../../fold.ts";
import { compute, discard, perLane } from "../../launch.ts";
import { physicalOf } from "../../mapped.ts";
import { binary, type HasRow, liftAxes, type Structural, structural, unary } from "../../op.ts";
import { logicalAnd } from "../../ops/arithmetic.ts";
import { absorb, add, divide, equal, greater, log, maximum, multiply, negative, square, subtract, where } from "../../ops/pointwise.ts";
import {
  type Axis,
  type FoldOptions,
  max,
  min,
  type PartOptions,
  type ReduceOptions,
  type Reduction,
  reduceArguments,
  restoreAxes,
  sum,
  takingPart,
} from "../../ops/reduction.ts";
import {
  broadcastTo,
  copy,
  expandAxes,
  inFloat,
  inverse,
  type OverAxes,
  reshape,
  spread,
  spreadOut,
  squeeze,
  transpose,
  typed,
} from "../../ops/structural.ts";
import * as scalar from "../../scalar.ts";
import { countOf, reducedShape, sameShape, showShape } from "../../shape.ts";

// ---- means and moments

const QUOTIENT = E.div(E.arg(0), E.arg(1));
const ELEMENT = E.arg(0);
/** An element less so many means, and the squares of these. */
const CENTRED = [ELEMENT, E.sub(ELEMENT, E.arg(1)), E.sub(E.sub(ELEMENT, E.arg(1)), E.arg(2))];
const SQUARES = CENTRED.map(e => E.mul(e, e));

/** A sum in float64, which is given away, divided. */
function divided(total: NDArray, n: number, code: number): NDArray {
  const y = compute(QUOTIENT, [total, n], F64, code === F64 ? total : blank(total.shape, total.size, code));
  discard(total, y);
  return y;
}

/** The mean over axes; summed in float64. */
const meanOver = (x: NDArray, axes: readonly number[], n: number, code: number): NDArray => divided(foldAxes("add", x, axes, F64), n, code);

const meanRow: Structural<OverAxes> = structural("mean", {
  linear: "jointly",
  kind: "reduction",
  run: ([x], { axes, code }) => meanOver(x!, axes, countOf(x!.shape, axes), code),
  grad: (g, { attrs: { axes }, like }) => [spread(divide(g, countOf(like[0]!.shape, axes)), axes, like[0]!.shape)],
  fused: (node, g) => {
    const { axes } = node.attrs as OverAxes;
    return spreadOut(node, g, axes, countOf((node.like?.[0] ?? g).shape, axes));
  },
  lift: liftAxes,
});

const MEAN = ["keepdims", "dtype", "where"];

/**
 * The mean over axes (all of them by default), summed in float64; integers give float32, nothing at all gives NaN.
 * NumPy's mean.
 * @throws DTypeError for a dtype that is not a float.
 * @example np.mean([[1, 2], [3, 4]], 0) // array([2., 3.])
 */
export const mean: Reduction<PartOptions> & HasRow = /* @__PURE__ */ Object.assign(
  (x: ArrayInput, axis?: Axis, options?: PartOptions): NDArray => meanFor("mean", false, x, axis, options),
  { op: meanRow.op },
);

/** The mean over axes; `nan` leaves NaN out. */
function meanFor(name: string, nan: boolean, x: ArrayInput, axis: Axis | undefined, options: PartOptions | undefined): NDArray {
  const given = toArray(x, name);
  const skips = nan && isFloat(given.code);
  const [a, axes, keepdims] = reduceArguments(name, given, axis, options, MEAN, !skips);
  const code = meanCode(a.code, options?.dtype, name);
  const part = partFor(name, a, options?.where, skips);
  if (part === null) return restoreAxes(meanRow([a], { axes, code }), axes, keepdims);
  return dropped(typed(meanOfTaken(...taken(a, part, axes), axes), code), axes, keepdims);
}

/**
 * The mean in float64, the axes kept with size 1. Means of float64 are rounded: for these also the mean of what the first
 * left, so that with both taken off equal elements give exactly 0.
 */
function meansOf(x: NDArray, axes: readonly number[]): NDArray[] {
  const n = countOf(x.shape, axes);
  const kept = reducedShape(x.shape, axes);
  const first = divided(foldOver("add", [x], x.shape, axes, F64, ELEMENT, kept), n, F64);
  if (x.code !== F64) return [first];
  return [first, divided(foldOver("add", [x, first], x.shape, axes, F64, CENTRED[1]!, kept), n, F64)];
}

function centre(x: NDArray, axes: readonly number[], code: number): NDArray {
  const means = meansOf(x, axes);
  const y = compute(CENTRED[means.length]!, [x, ...means], F64, blank(x.shape, x.size, code));
  for (const mean of means) discard(mean, x);
  return y;
}

/** What the elements are above the mean over axes: linear, and its own adjoint. */
const centred: Structural<OverAxes> = structural("centred", {
  linear: "jointly",
  kind: "reduction",
  run: ([x], { axes, code }) => centre(x!, axes, code),
  grad: (g, { attrs }) => [centred([g], { axes: attrs.axes, code: g.code })],
  lift: liftAxes,
});

interface Spread extends OverAxes {
  /** What the sum of squares is divided by. */
  readonly by: number;
}

/** The mean of the squares of what elements are above their means. */
const squaresOver = (x: NDArray, means: readonly NDArray[], { axes, code, by }: Spread): NDArray =>
  divided(foldOver("add", [x, ...means], x.shape, axes, F64, SQUARES[means.length]!, keptOf(x.shape, axes)), by, code);

const varRow: Structural<Spread> = structural("var", {
  kind: "reduction",
  run: ([x], attrs) => {
    const means = meansOf(x!, attrs.axes);
    const y = squaresOver(x!, means, attrs);
    for (const mean of means) discard(mean, x!);
    return y;
  },
  grad: (g, { inputs: [x], attrs: { axes, by }, like }) => [
    absorb(spread(absorb(g, 2 / by), axes, like[0]!.shape), centred([x!], { axes, code: g.code })),
  ],
  reads: [[0]],
  lift: liftAxes,
});

/** The same about means that are given, the axes kept. */
const aboutRow: Structural<Spread> = structural("var", {
  kind: "reduction",
  run: ([x, about], attrs) => squaresOver(x!, [about!], attrs),
  grad: (g, { inputs: [x, about], attrs: { axes, by }, like }) => {
    const slopes = absorb(spread(absorb(g, 2 / by), axes, like[0]!.shape), subtract(x!, about!));
    return [slopes, negative(sum(slopes, axes, { keepdims: true }))];
  },
  reads: [
    [0, 1],
    [0, 1],
  ],
  lift: liftAxes,
});

/** The square root with slope 0 at 0, where all elements are equal. */
const deviation = unary("std", {
  value: x => E.sqrt(x),
  grad: (g, y) => [where(equal(y, 0), 0, absorb(g, divide(0.5, y)))],
});

export interface VarOptions extends PartOptions {
  /** What is taken off the count that the squares are divided by: 0, or 1 for an estimate from samples. */
  ddof?: number;
  /** Another name of ddof: one of them is given. */
  correction?: number;
  /**
   * The mean, where it is known already: a number, or an array with the reduced axes of size 1, as `mean` gives it with
   * `keepdims`. Its gradient is its own.
   */
  mean?: ArrayInput | null;
}

export type Moment = (x: ArrayInput, axis?: Axis, options?: VarOptions) => NDArray;

const MOMENT = [...MEAN, "ddof", "correction", "mean"];

/** The variance over axes; `nan` leaves NaN out, and gives it where too little is left. */
function varOver(name: string, nan: boolean, x: ArrayInput, axis: Axis | undefined, options: VarOptions | undefined): NDArray {
  const given = toArray(x, name);
  const skips = nan && isFloat(given.code);
  const [a, axes, keepdims] = reduceArguments(name, given, axis, options, MOMENT, !skips);
  const { ddof, correction, mean: about, dtype, where: some } = options ?? {};
  const less = ddof ?? correction ?? 0;
  if (typeof less !== "number" || Number.isNaN(less)) throw new ValueError(`${name}: ddof is a number, got ${describe(less)}`);
  if ((ddof ?? null) !== null && (correction ?? null) !== null)
    throw new ValueError(`${name}: ddof and correction are one; give one of them`);
  const code = meanCode(a.code, dtype, name);
  const line = reducedShape(a.shape, axes);
  const known = (about ?? null) === null ? null : broadcastTo(fitting(about!, "mean", line, name, a), line);
  const part = partFor(name, a, some, skips);
  if (part === null) {
    const attrs = { axes, code, by: Math.max(countOf(a.shape, axes) - less, 0) };
    return restoreAxes(known === null ? varRow([a], attrs) : aboutRow([a, known], attrs), axes, keepdims);
  }
  const [clean, count] = taken(a, part, axes);
  let d = where(part, subtract(clean, known === null ? meanOfTaken(clean, count, axes) : typed(known, F64)), 0);
  // As in `centre`.
  if (a.code === F64 && known === null) d = where(part, subtract(d, meanOfTaken(d, count, axes)), 0);
  const by = subtract(count, less);
  const y = divide(sum(square(d), axes, { keepdims: true }), maximum(by, 0));
  return dropped(typed(skips ? where(greater(by, 0), y, Number.NaN) : y, code), axes, keepdims);
}

/**
 * The variance over axes (all of them by default): the mean of the squares of what elements are above their mean, with
 * `ddof` taken off the count; integers give float32. NumPy's var.
 * @throws DTypeError for a dtype that is not a float, ShapeError for a mean that does not fit the axes.
 * @example np.var([1, 2, 3, 4]) // array(1.25)
 */
const variance: Moment & HasRow = /* @__PURE__ */ Object.assign(
  (x: ArrayInput, axis?: Axis, options?: VarOptions): NDArray => varOver("var", false, x, axis, options),
  { op: varRow.op },
);

export {
  /** The variance over axes, as np.var: `x.var(0, { ddof: 1 })`. A method has its words from here, because of the name. */
  variance as var,
};

/**
 * The standard deviation over axes (all of them by default): the square root of the variance; slope 0 where all elements
 * are equal. NumPy's std.
 * @throws DTypeError for a dtype that is not a float.
 * @example np.std([1, 2, 3, 4], null, { ddof: 1 }) // array(1.2909944)
 */
export const std: Moment = (x, axis, options) => deviation(varOver("std", false, x, axis, options));

export interface AverageOptions {
  /** Of the array's shape, or of the shape of the named axes alone, in their order. All equal by default. */
  weights?: ArrayInput | null;
  /** Also the sum of the weights, in the shape of the mean. */
  returned?: boolean;
  /** Keep the reduced axes, with size 1. */
  keepdims?: boolean;
}

/** What `average` gives: a list where the sum of the weights is asked for. */
export type Average<O> = O extends { returned: true } ? [NDArray, NDArray] : NDArray;

/** Weights as they broadcast to an array: of its shape, or of that of the reduced axes, in their order. @internal */
export function weightsFor(operator: string, a: NDArray, weights: ArrayInput, axis: Axis | undefined): NDArray {
  const w = toArray(weights, operator, a);
  if (sameShape(w.shape, a.shape)) return w;
  const named = (typeof axis === "number" ? [axis] : (axis ?? [])).map(i => (i < 0 ? i + a.ndim : i));
  const order = [...named, ...[...a.shape.keys()].filter(i => !named.includes(i))];
  const shape = order.map((i, k) => (k < named.length ? a.shape[i]! : 1));
  if (named.length === 0 || !sameShape(w.shape, shape.slice(0, named.length)))
    throw new ShapeError(
      `${operator}: weights of shape ${showShape(w.shape)} for an array of shape ${showShape(a.shape)}; give weights of that shape, or of that of the named axes`,
    );
  return transpose(reshape(w, shape), inverse(order));
}

/**
 * The weighted mean over axes (all of them by default). Differentiable in the weights too. With `returned` a list: the mean,
 * and the sum of the weights. NumPy's average.
 * @throws ShapeError for weights that fit neither the array nor the axes, ValueError where they add up to 0.
 * @example np.average([1, 2, 3], null, { weights: [3, 1, 0] }) // array(1.25)
 * @example np.average([1, 2, 3], null, { weights: [3, 1, 0], returned: true }) // [array(1.25), array(4.)]
 */
export function average<O extends AverageOptions>(x: ArrayInput, axis?: Axis, options?: O): Average<O> {
  const known = ["weights", "returned", "keepdims"];
  const weights = options?.weights ?? null;
  const [a, axes, keepdims] = reduceArguments("average", x, axis, options as ReduceOptions, known, weights === null);
  const returned = flag("average", "returned", options?.returned, false);
  if (weights === null) {
    const y = mean(a, axes, { keepdims });
    return (returned ? [y, filled(y.shape, y.code, countOf(a.shape, axes))] : y) as Average<O>;
  }
  const w = weightsFor("average", a, weights, axis);
  const met = promote(a.code, w.code);
  const lane = isFloat(met) ? met : F64;
  const total = sum(typed(w, lane), axes);
  if (physicalOf(total).toTypedArray().includes(0)) throw new ValueError("average: the weights add up to 0");
  const y = divide(sum(multiply(typed(a, lane), typed(w, lane)), axes), total);
  const given = (x: NDArray): NDArray => restoreAxes(typed(x, isFloat(met) ? met : F32), axes, keepdims);
  return (returned ? [given(y), given(copy(broadcastTo(total, y.shape)))] : given(y)) as Average<O>;
}

/**
 * The largest less the smallest element over axes (all of them by default). NumPy's ptp.
 * @throws ValueError where there is nothing to choose from, DTypeError for bools.
 * @example np.ptp([[1, 5], [3, 4]], 1) // array([4., 1.])
 */
export function ptp(x: ArrayInput, axis?: Axis, options?: ReduceOptions): NDArray {
  const [a, axes, keepdims] = reduceArguments("ptp", x, axis, options, ["keepdims"]);
  return under("ptp", () => subtract(max(a, axes, { keepdims }), min(a, axes, { keepdims })));
}

// ---- of some elements

/** The elements that take part, with 0 for the others; and how many there are, the axes kept. */
function taken(x: NDArray, part: NDArray, axes: readonly number[]): [NDArray, NDArray] {
  return [where(part, x, 0), sum(broadcastTo(part, x.shape), axes, { keepdims: true, dtype: "float64" })];
}

/** The mean of what `taken` gave, in float64, the axes kept. */
const meanOfTaken = (x: NDArray, count: NDArray, axes: readonly number[]): NDArray =>
  divide(sum(x, axes, { keepdims: true, dtype: "float64" }), count);

/** Without the axes that were kept. */
const dropped = (y: NDArray, axes: readonly number[], keepdims: boolean): NDArray => (keepdims ? y : squeeze(y, axes));

/** Which elements take part, without NaN if that is asked for; null for all of them. */
function partFor(name: string, x: NDArray, given: ArrayInput | null | undefined, skips: boolean): NDArray | null {
  const part = takingPart(name, x, given);
  if (!skips) return part;
  return part === null ? equal(x, x) : logicalAnd(equal(x, x), part);
}

/**
 * The sum over axes (all of them by default) of what is not NaN; slope 0 at NaN. NumPy's nansum.
 * @example np.nansum([1, np.nan, 3]) // array(4.)
 */
export const nansum: Reduction<FoldOptions> = (x, axis, options) => {
  const a = toArray(x, "nansum");
  return under("nansum", () => sum(isFloat(a.code) ? where(equal(a, a), a, 0) : a, axis, options));
};

/**
 * The mean over axes (all of them by default) of what is not NaN, NaN where there is nothing else; slope 0 at NaN. NumPy's
 * nanmean.
 * @throws DTypeError for a dtype that is not a float.
 * @example np.nanmean([1, np.nan, 3]) // array(2.)
 */
export const nanmean: Reduction<PartOptions> = (x, axis, options) => meanFor("nanmean", true, x, axis, options);

/**
 * The variance over axes (all of them by default) of what is not NaN, NaN where too little is left; slope 0 at NaN. NumPy's
 * nanvar.
 * @throws DTypeError for a dtype that is not a float.
 * @example np.nanvar([1, np.nan, 3]) // array(1.)
 */
export const nanvar: Moment = (x, axis, options) => varOver("nanvar", true, x, axis, options);

/**
 * The standard deviation over axes (all of them by default) of what is not NaN; slope 0 at NaN and where all elements are
 * equal. NumPy's nanstd.
 * @throws DTypeError for a dtype that is not a float.
 * @example np.nanstd([1, np.nan, 3]) // array(1.)
 */
export const nanstd: Moment = (x, axis, options) => deviation(varOver("nanstd", true, x, axis, options));

// ---- logsumexp

/** e to the x - y, the part of x in the sum whose logarithm is y; also where both are infinite. */
const share = binary("share", {
  value: (x, y, lane) => {
    const infinite = E.eq(x, Number.NEGATIVE_INFINITY);
    return scalar.exp(E.select(E.eq(x, y), E.select(infinite, x, 0), E.sub(x, y)), lane);
  },
  grad: (g, p) => [absorb(g, p), negative(absorb(g, p))],
});

/** e to the x - y. */
const EXPONENTIAL = perLane(lane => scalar.exp(E.sub(E.arg(0), E.arg(1)), lane));

const logsumexpRow: Structural<OverAxes> = structural("logsumexp", {
  kind: "reduction",
  run: ([x], { axes, code }) => {
    const top = foldAxes("max", x!, axes, code);
    // An infinite one cannot be taken off.
    const shift = where(equal(subtract(top, top), 0), top, 0);
    const operands = [x!, expandAxes(shift, axes)];
    return add(shift, log(foldOver("add", operands, x!.shape, axes, code, EXPONENTIAL(code), shift.shape)));
  },
  grad: (g, { y, inputs: [x], attrs: { axes }, like }) => {
    const { shape } = like[0]!;
    // Shares of what they add up to: that takes off the rounding of y, which a large one brings into all of them.
    const shares = share(x!, spread(y, axes, shape));
    const total = sum(shares, axes);
    return [absorb(spread(where(equal(total, 0), 0, divide(g, total)), axes, shape), shares)];
  },
  reads: [[0, 1]],
  lift: liftAxes,
});

/**
 * The logarithm of the sum of the exponentials over axes (all of them by default), safe for large arguments; -inf where
 * there is nothing. SciPy's logsumexp.
 * @example np.logsumexp([1000, 1000]) // array(1000.6932)
 */
export const logsumexp: Reduction & HasRow = /* @__PURE__ */ Object.assign(
  (x: ArrayInput, axis?: Axis, options?: ReduceOptions): NDArray => {
    const [a, axes, keepdims] = reduceArguments("logsumexp", x, axis, options, ["keepdims"]);
    const f = inFloat(a);
    return restoreAxes(logsumexpRow([f], { axes, code: f.code }), axes, keepdims);
  },
  { op: logsumexpRow.op },
);
