/** Normalisation over batches, groups of channels and single channels. */
import { type ArrayInput, NDArray } from "../../array.ts";
import { toArray } from "../../convert.ts";
import { DTYPES, F64, isFloat, promote } from "../../dtype.ts";
import { checkOptions, DTypeError, describe, flag, ShapeError, ValueError, wholeNumber } from "../../errors.ts";
import { checkWritable } from "../../op.ts";
import { isfinite } from "../../ops/elementary.ts";
import { normalised, shifted, varianceAbout } from "../../ops/network/normalisation.ts";
import { add, divide, multiply, sqrt, where } from "../../ops/pointwise.ts";
import { reshape, typed } from "../../ops/structural.ts";
import { sameShape, showShape, sizeOf, toAxis } from "../../shape.ts";
import { training, unrecorded } from "../../tape.ts";
import { full } from "../creation.ts";
import { set } from "../indexing.ts";
import { mean } from "../statistics/moments.ts";
import { areFinite, floating, perEntry } from "./nn.ts";

export interface NormOptions {
  /** Added to the variance, so that its root is not 0. */
  eps?: number;
}

export interface BatchNormOptions extends NormOptions {
  /** What the running arrays keep of their old values. */
  momentum?: number;
  /** The axis of channels. */
  axis?: number;
  /** Take gamma for 1, with a gradient of 0. */
  fixGamma?: boolean;
  /** Normalise with the running arrays in training mode too. */
  useGlobalStats?: boolean;
}

export interface GroupNormOptions extends NormOptions {
  numGroups?: number;
}

function nonNegative(operator: string, name: string, value: unknown, otherwise: number): number {
  const given = value ?? otherwise;
  if (typeof given !== "number" || !(given >= 0)) throw new ValueError(`${operator}: ${name} is a number >= 0, got ${describe(given)}`);
  return given;
}

/** x and vectors with an element for each channel, in the dtype in which x and those called gamma and beta meet. */
function operands(operator: string, x: ArrayInput, axis: number, given: Record<string, ArrayInput>): [NDArray, ...NDArray[]] {
  const a = floating(x, operator);
  const at = toAxis(axis, a.ndim, operator);
  const vs = Object.entries(given).map(([name, v]) => {
    const vector = toArray(v, operator);
    if (!sameShape(vector.shape, [a.shape[at]!]))
      throw new ShapeError(
        `${operator}: ${name} of shape ${showShape(vector.shape)} for x of shape ${showShape(a.shape)}; wanted (${a.shape[at]},), one for each channel`,
      );
    return vector;
  });
  const code = promote(promote(a.code, vs[0]!.code), vs[1]!.code);
  return [typed(a, code), ...vs];
}

/**
 * x with mean 0 and variance 1 for each channel (axis 1 by default), times gamma, plus beta. In training mode these are
 * the mean and the (biased) variance of the batch, and the running arrays are updated in place, also while recording, to
 * `running * momentum + batch * (1 - momentum)`; in predict mode, and with useGlobalStats, they are the running arrays.
 * gamma, beta and the running arrays have one element for each channel. MXNet's npx.batch_norm.
 * @throws ShapeError where these do not fit, DTypeError for running arrays of integers, ValueError for running numbers that
 * are no array where they are to be updated.
 * @example
 * const [mean, variance] = [np.zeros(2), np.ones(2)];
 * const x = [[1, 0], [3, 8]];
 * npx.batchNorm(x, [1, 1], [0, 5], mean, variance, { eps: 0 }) // array([[ 1.,  5.],\n       [ 3., 13.]])
 * autograd.trainMode(() => npx.batchNorm(x, [1, 1], [0, 5], mean, variance, { eps: 0 })) // array([[-1.,  4.],\n       [ 1.,  6.]])
 * mean // array([0.2, 0.4])
 * variance // array([1. , 2.5])
 */
export function batchNorm(
  x: ArrayInput,
  gamma: ArrayInput,
  beta: ArrayInput,
  runningMean: ArrayInput,
  runningVar: ArrayInput,
  options?: BatchNormOptions,
): NDArray {
  const operator = "batchNorm";
  checkOptions(operator, options, ["eps", "momentum", "axis", "fixGamma", "useGlobalStats"]);
  const eps = nonNegative(operator, "eps", options?.eps, 1e-5);
  const momentum = nonNegative(operator, "momentum", options?.momentum, 0.9);
  const fixed = flag(operator, "fixGamma", options?.fixGamma, false);
  const frozen = flag(operator, "useGlobalStats", options?.useGlobalStats, false);
  const given = operands(operator, x, options?.axis ?? 1, { gamma, beta, runningMean, runningVar });
  const [a, g, b, centre, spread] = given as [NDArray, NDArray, NDArray, NDArray, NDArray];
  for (const r of [centre, spread])
    if (!isFloat(r.code)) throw new DTypeError(`${operator}: running arrays of ${r.dtype}; they must be float32 or float64`);
  const axis = toAxis(options?.axis ?? 1, a.ndim, operator);
  const seen = reshape(a, [sizeOf(a.shape.slice(0, axis)), g.size, sizeOf(a.shape.slice(axis + 1))]);
  // In the dtype of x, or what is made of the running arrays alone would be made in theirs.
  const along = (v: NDArray): NDArray => reshape(typed(v, a.code), [1, g.size, 1]);
  const slope = along(fixed ? where(true, 1, g) : g);
  if (!training || frozen || a.size === 0) {
    const y = shifted(seen, along(centre), divide(slope, sqrt(add(along(spread), eps))), along(b));
    return reshape(y, a.shape);
  }
  for (const r of [runningMean, runningVar]) {
    if (!(r instanceof NDArray))
      throw new ValueError(`${operator}: running arrays are updated, so they must be arrays, got ${describe(r)}`);
    checkWritable(r, operator);
  }
  const [y, ...stats] = standardised(seen, slope, along(b), [0, 2], eps);
  unrecorded(() => {
    for (const [i, r] of [centre, spread].entries())
      set(r, add(multiply(r, momentum), multiply(reshape(stats[i]!, r.shape), 1 - momentum)));
  });
  return reshape(y, a.shape);
}

/** The mean and the variance over axes, which stay with size 1; not recorded. */
const moments = (x: NDArray, axes: readonly number[]): [NDArray, NDArray] =>
  unrecorded(() => {
    const centre = mean(x, axes, { keepdims: true });
    return [centre, varianceAbout(x, centre, axes)];
  });

/**
 * x with mean 0 and variance 1 over axes, times gamma, plus beta; and the mean and the variance. Where the variance is out
 * of the dtype's range x is made smaller, which only changes what eps means.
 */
function standardised(x: NDArray, gamma: NDArray, beta: NDArray, axes: readonly number[], eps: number): [NDArray, NDArray, NDArray] {
  const [centre, variance] = moments(x, axes);
  const y = normalised([x, gamma, beta, centre, variance], { axes, eps });
  if (areFinite(variance)) return [y, centre, variance];
  // So that squares of the largest numbers, and sums of as many as there may be, fit the dtype.
  const scale = x.code === F64 ? 2 ** -600 : 2 ** -90;
  const scaled = multiply(x, scale);
  const other = normalised([scaled, gamma, beta, ...moments(scaled, axes)], { axes, eps: eps * scale * scale });
  return [where(isfinite(variance), y, other), centre, variance];
}

/** x in groups of channels, each of them with mean 0 and variance 1 for each entry of the batch. */
function grouped(operator: string, x: ArrayInput, gamma: ArrayInput, beta: ArrayInput, numGroups: number | null, eps: unknown): NDArray {
  const e = nonNegative(operator, "eps", eps, 1e-5);
  const { shape: given } = toArray(x, operator);
  if (given.length < 2) throw new ShapeError(`${operator}: x of shape ${showShape(given)}; wanted (batch, channels, …)`);
  const [a, g, b] = operands(operator, x, 1, { gamma, beta }) as [NDArray, NDArray, NDArray];
  const channels = g.size;
  const groups = numGroups ?? channels;
  if (groups > 0 && channels % groups !== 0)
    throw new ShapeError(`${operator}: ${channels} channels are not divisible into ${groups} groups`);
  const shape = [groups, groups === 0 ? 0 : channels / groups];
  const along = (v: NDArray): NDArray => reshape(typed(v, a.code), [1, ...shape, 1]);
  const seen = reshape(a, [a.shape[0]!, ...shape, sizeOf(a.shape.slice(2))]);
  return reshape(standardised(seen, along(g), along(b), [2, 3], e)[0], a.shape);
}

/**
 * x (batch, channels, …) with mean 0 and variance 1 over each of `numGroups` groups of neighbouring channels of each entry,
 * times gamma, plus beta, which have one element for each channel. The same in both modes. MXNet's npx.group_norm.
 * @throws ShapeError where shapes do not fit, or the channels are not divisible.
 * @example npx.groupNorm([[1, 3, 5, 5]], [1, 1, 1, 1], [0, 0, 7, 7], { numGroups: 2, eps: 0.25 }) // array([[-0.8944272,  0.8944272,  7.       ,  7.       ]])
 */
export function groupNorm(x: ArrayInput, gamma: ArrayInput, beta: ArrayInput, options?: GroupNormOptions): NDArray {
  checkOptions("groupNorm", options, ["numGroups", "eps"]);
  const groups = wholeNumber("groupNorm", "numGroups", options?.numGroups ?? 1, 1);
  return grouped("groupNorm", x, gamma, beta, groups, options?.eps);
}

/**
 * x (batch, channels, …) with mean 0 and variance 1 for each channel of each entry, times gamma, plus beta, which have one
 * element for each channel. The same in both modes. MXNet's npx.instance_norm.
 * @throws ShapeError where shapes do not fit.
 * @example npx.instanceNorm([[[1, 3]]], [2], [1], { eps: 0 }) // array([[[-1.,  3.]]])
 */
export function instanceNorm(x: ArrayInput, gamma: ArrayInput, beta: ArrayInput, options?: NormOptions): NDArray {
  checkOptions("instanceNorm", options, ["eps"]);
  return grouped("instanceNorm", x, gamma, beta, null, options?.eps);
}

export interface LayerNormOptions extends NormOptions {
  axis?: number;
}

/**
 * x shifted and scaled to mean 0 and variance 1 along an axis (the last by default), times gamma, plus beta: vectors with
 * an element for each entry along the axis, or null. MXNet's npx.layer_norm.
 * @throws ShapeError where gamma or beta do not fit the axis, ValueError for an eps below 0.
 * @example npx.layerNorm([[1, 2, 3]], [1, 1, 1], [0, 0, 0]) // array([[-1.2247356,  0.       ,  1.2247356]])
 */
export function layerNorm(x: ArrayInput, gamma?: ArrayInput | null, beta?: ArrayInput | null, options?: LayerNormOptions): NDArray {
  const a = floating(x, "layerNorm");
  checkOptions("layerNorm", options, ["axis", "eps"]);
  const eps = nonNegative("layerNorm", "eps", options?.eps, 1e-5);
  const axis = toAxis(options?.axis ?? -1, a.ndim, "layerNorm");
  const entries = Object.entries({ gamma, beta }).map(([name, v]) => {
    if (v === undefined || v === null) return null;
    return perEntry(toArray(v, "layerNorm", a), a, axis, "layerNorm", name);
  });
  const code = entries.reduce((met, v) => (v === null ? met : promote(met, v.code)), a.code);
  const as = (v: NDArray): NDArray => typed(v, code);
  const ones = a.shape.map(() => 1);
  const [g, b] = entries.map((v, i) =>
    v === null
      ? full(ones, 1 - i, { dtype: DTYPES[code]! })
      : reshape(
          as(v),
          a.shape.map((size, i) => (i === axis ? size : 1)),
        ),
  ) as [NDArray, NDArray];
  return standardised(as(a), g, b, [axis], eps)[0];
}
