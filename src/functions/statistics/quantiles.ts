/** Order statistics: medians, and quantiles by every method of NumPy. */
import { type ArrayInput, fromValues, type NDArray } from "../../array.ts";
import { toArray, WIDE } from "../../convert.ts";
import { F32, F64, isFloat } from "../../dtype.ts";
import { describe, IndexError, oneOf, ValueError } from "../../errors.ts";
import * as E from "../../expr.ts";
import { physicalOf } from "../../mapped.ts";
import { liftNothing, type Structural, structural, ternary } from "../../op.ts";
import { absorb, add, divide, equal, less, minimum, multiply, subtract, where } from "../../ops/pointwise.ts";
import { type Axis, countNonzero, type ReduceOptions, reduceArguments, restoreAxes } from "../../ops/reduction.ts";
import { cumsum } from "../../ops/scan.ts";
import { argsort } from "../../ops/selection.ts";
import { astype, broadcastTo, gathered, positions, reshape, transpose, typed } from "../../ops/structural.ts";
import { onesOf, showShape, sizeOf } from "../../shape.ts";
import { sort, takeAlongAxis } from "../searching.ts";
import { mean, weightsFor } from "./moments.ts";

export interface MedianOptions {
  /** Keep the reduced axes, with size 1. */
  keepdims?: boolean;
}

/** NumPy's names for what stands for the part q of n elements in order. */
export type QuantileMethod =
  | "inverted_cdf"
  | "averaged_inverted_cdf"
  | "closest_observation"
  | "interpolated_inverted_cdf"
  | "hazen"
  | "weibull"
  | "linear"
  | "median_unbiased"
  | "normal_unbiased"
  | "lower"
  | "higher"
  | "midpoint"
  | "nearest";

export interface QuantileOptions extends MedianOptions {
  /**
   * An element ("inverted_cdf", "closest_observation", "lower", "higher", "nearest"), the middle of two
   * ("averaged_inverted_cdf", "midpoint"), or their interpolation: "linear" by default, which counts from the first
   * element to the last, or one of those that estimate from a sample.
   */
  method?: QuantileMethod | null;
  /**
   * How often each element counts, which need not be whole: of the array's shape, or of the shape of the named axes alone, in
   * their order. Of method "inverted_cdf" alone. They have no gradient.
   */
  weights?: ArrayInput | null;
}

/** The part of the way from a to b, exact at both ends; of an infinite way NaN, as NumPy has it. */
const between = ternary("lerp", {
  value: (a, b, t) => {
    const way = E.sub(b, a);
    return E.select(E.lt(t, 0.5), E.add(a, E.mul(way, t)), E.sub(b, E.mul(way, E.sub(1, t))));
  },
  grad: (g, _, a, b, t) => [absorb(g, subtract(1, t)), absorb(g, t), absorb(g, subtract(b, a))],
});

/** What is made of a place between two elements, counted from 0. */
type Choice = (place: number) => number;

/** To the nearest whole number, of two to the even one. */
const nearest: Choice = v => {
  const up = Math.round(v);
  return up - v === 0.5 ? 2 * Math.round(v / 2) : up;
};

/**
 * Methods by Hyndman and Fan's two numbers, which say where the part q of n elements is. Then the one element that is taken
 * for a place; or (behind null) how much is taken of the element above, made of what the place is above the one below, which
 * is the share itself where nothing stands here.
 */
const METHODS: Record<QuantileMethod, readonly [alpha: number, beta: number, element?: Choice | null, share?: Choice]> = {
  inverted_cdf: [0, 1, Math.ceil],
  averaged_inverted_cdf: [0, 1, null, above => (above === 0 ? 0.5 : 1)],
  closest_observation: [0, 1, nearest],
  interpolated_inverted_cdf: [0, 1],
  hazen: [0.5, 0.5],
  weibull: [0, 0],
  linear: [1, 1],
  median_unbiased: [1 / 3, 1 / 3],
  normal_unbiased: [3 / 8, 3 / 8],
  lower: [1, 1, Math.floor],
  higher: [1, 1, Math.ceil],
  midpoint: [1, 1, null, above => (above === 0 ? 0 : 0.5)],
  nearest: [1, 1, nearest],
};

/** The place of the part q among n elements: in NumPy's order of operations, and rounded as q is, which decides about elements. */
function placeOf(q: number, n: number, alpha: number, beta: number, round: Choice): number {
  if (alpha === 1) return round((n - 1) * q);
  return round(round(round(n * q) + round(round(alpha) + round(q * round(1 - alpha - beta)))) - 1);
}

interface Places {
  readonly name: string;
  /** How many elements there are. */
  readonly n: number;
  /** What q is counted in. */
  readonly scale: number;
  readonly method: QuantileMethod;
  readonly what: "low" | "high" | "share";
}

/**
 * For each q the place of the element below (or of the one taken), that of the one above, or how much of the latter is taken:
 * this moves evenly with q, where a method has nothing else to say about it.
 */
const placed: Structural<Places> = structural("quantile", {
  kind: "selection",
  run: ([q], { name, n, scale, method, what }) => {
    const round = q!.code === F32 ? Math.fround : (v: number): number => v;
    const [alpha, beta, element, share] = METHODS[method];
    const values = Array.from(q!.toTypedArray(), v => {
      if (!(v >= 0 && v <= scale)) throw new ValueError(`${name}: q is from 0 to ${scale}, got ${v}`);
      const place = placeOf(round(v / scale), n, alpha, beta, round);
      const low = (element ?? Math.floor)(place);
      if (what === "share") return share === undefined ? place - low : share(place - low);
      return Math.max(0, Math.min(what === "low" ? low : low + 1, n - 1));
    });
    return what === "share" ? fromValues(values, q!.shape, F64) : positions(values, q!.shape);
  },
  grad: (g, { attrs: { n, scale, method } }) => {
    const [alpha, beta, , share] = METHODS[method];
    return [share === undefined ? multiply(g, (n + 1 - alpha - beta) / scale) : null];
  },
  lift: liftNothing,
});

/** For each q and each line (along axis 0, in order) the place at which the sum of the weights reaches the part q of all. */
function weightedPlaces(name: string, w: NDArray, q: NDArray, scale: number): NDArray {
  const n = w.shape[0]!;
  const sums = cumsum(w, 0);
  const shares = where(less(w, 0), Number.NaN, divide(sums, gathered([sums, positions([n - 1], [])], 0)));
  if (physicalOf(shares).toTypedArray().some(Number.isNaN)) throw new ValueError(`${name}: weights are finite, >= 0 and not all 0`);
  // As NumPy rounds; the part 0 begins with the first weight that is not 0.
  const parts = divide(isFloat(q.code) ? q : typed(q, F64), scale);
  const reached = typed(where(equal(sums, 0), -1, shares), parts.code);
  const rest = w.shape.slice(1);
  const before = less(reshape(reached, [n, ...onesOf(q.ndim), ...rest]), reshape(parts, [...q.shape, ...onesOf(rest.length)]));
  return minimum(countNonzero(before, 0), n - 1);
}

function orderStatistic(
  name: string,
  x: ArrayInput,
  q: ArrayInput,
  scale: number,
  axis: Axis | undefined,
  options: QuantileOptions | undefined,
): NDArray {
  const known = name === "median" ? ["keepdims"] : ["keepdims", "method", "weights"];
  const [a, axes, keepdims] = reduceArguments(name, x, axis, options as ReduceOptions, known, true);
  const method = oneOf(name, "method", options?.method ?? "linear", Object.keys(METHODS) as QuantileMethod[]);
  const weights = options?.weights ?? null;
  if (weights !== null && method !== "inverted_cdf")
    throw new ValueError(`${name}: weights are for method "inverted_cdf", got ${describe(method)}`);
  // Numbers stay in float64 on their way to positions.
  const wanted = toArray(q, name, WIDE);
  const kept = [...a.shape.keys()].filter(i => !axes.includes(i));
  const n = sizeOf(axes.map(i => a.shape[i]!));
  const rest = kept.map(i => a.shape[i]!);
  const restore = (y: NDArray): NDArray =>
    restoreAxes(
      y,
      axes.map(i => i + wanted.ndim),
      keepdims,
    );
  if (n === 0) {
    const shape = [...wanted.shape, ...rest];
    if (name !== "median" && sizeOf(shape) > 0)
      throw new IndexError(`${name}: an array of shape ${showShape(a.shape)} has no elements along the reduced axes`);
    return restore(broadcastTo(mean(a, axes), shape));
  }
  const whole = Boolean(METHODS[method][2]);
  const linesOf = (x: NDArray): NDArray => reshape(transpose(x, [...axes, ...kept]), [n, ...rest]);
  const lines = linesOf(a);
  const order = weights === null ? null : argsort(lines, 0);
  const sorted = order === null ? sort(isFloat(a.code) || whole ? lines : astype(lines, "float64"), 0) : takeAlongAxis(lines, order, 0);
  const at = (what: Places["what"]): NDArray => placed([wanted], { name, n, scale, method, what });
  const taken = (what: "low" | "high"): NDArray => gathered([sorted, at(what)], 0);
  // This checks q.
  let y = taken("low");
  if (order !== null) {
    const w = typed(linesOf(broadcastTo(weightsFor(name, a, weights!, axis), a.shape)), F64);
    const places = weightedPlaces(name, takeAlongAxis(w, order, 0), wanted, scale);
    y = reshape(takeAlongAxis(sorted, reshape(places, [wanted.size, ...rest]), 0), places.shape);
  }
  // The mean of an infinite element and another is infinite.
  if (name === "median") y = n % 2 === 1 ? y : multiply(add(y, taken("high")), 0.5);
  else if (!whole) y = between(y, taken("high"), reshape(typed(at("share"), sorted.code), [...wanted.shape, ...onesOf(rest.length)]));
  if (isFloat(a.code)) {
    const last = gathered([sorted, positions([n - 1], [])], 0);
    y = where(equal(last, last), y, Number.NaN);
  } else if (!whole) y = astype(y, "float32");
  return restore(y);
}

/**
 * The middle element over axes (all of them by default) in order, or the mean of the two in the middle; NaN if there is one
 * or nothing at all. Integers give float32. The gradient goes to the elements chosen. NumPy's median.
 * @example np.median([3, 1, 2, 10]) // array(2.5)
 */
export function median(x: ArrayInput, axis?: Axis, options?: MedianOptions): NDArray {
  return orderStatistic("median", x, 0.5, 1, axis, options);
}

/**
 * The element below which the part q (from 0 to 1, a number or array) of the elements over axes lies, interpolated between
 * the nearest two, or by another method; NaN if there is one, or if one of the two is infinite. The axes of q
 * come first in the result. Differentiable in x, and in q where the method interpolates. NumPy's quantile.
 * @throws ValueError for a q out of range, and for weights below 0 or without a sum; IndexError where there is nothing to
 * choose from; ShapeError for weights that fit neither the array nor the axes.
 * @example np.quantile([1, 2, 3, 4], [0.25, 0.5]) // array([1.75, 2.5 ])
 * @example np.quantile([1, 2, 3, 4], 0.3, null, { method: "median_unbiased" }) // array(1.6333333)
 * @example np.quantile([1, 2, 3], 0.5, null, { method: "inverted_cdf", weights: [1, 1, 4] }) // array(3.)
 */
export function quantile(x: ArrayInput, q: ArrayInput, axis?: Axis, options?: QuantileOptions): NDArray {
  return orderStatistic("quantile", x, q, 1, axis, options);
}

/**
 * quantile with q from 0 to 100. NumPy's percentile.
 * @throws ValueError for a q out of range, IndexError where there is nothing to choose from.
 * @example np.percentile([1, 2, 3, 4], 50) // array(2.5)
 */
export function percentile(x: ArrayInput, q: ArrayInput, axis?: Axis, options?: QuantileOptions): NDArray {
  return orderStatistic("percentile", x, q, 100, axis, options);
}
