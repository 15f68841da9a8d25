/** Normalisation over batches, groups of channels and single channels. */
import type { ArrayInput, NDArray } from "../../array.ts";
import { toArray } from "../../convert.ts";
import { isFloat } from "../../dtype.ts";
import { checkOptions, DTypeError, describe, flag, ShapeError, ValueError, wholeNumber } from "../../errors.ts";
import { checkWritable } from "../../op.ts";
import { add, divide, multiply, sqrt, square, subtract, where } from "../../ops/pointwise.ts";
import { astype, reshape } from "../../ops/structural.ts";
import { sameShape, showShape, sizeOf, toAxis } from "../../shape.ts";
import { setRecording, training } from "../../tape.ts";
import { set } from "../indexing.ts";
import { mean } from "../statistics.ts";
import { alongAxis, floating } from "./nn.ts";

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

/** A vector with an element for each channel. */
function perChannel(operator: string, name: string, given: ArrayInput, x: NDArray, axis: number): NDArray {
  const v = toArray(given, operator);
  if (!sameShape(v.shape, [x.shape[axis]!]))
    throw new ShapeError(
      `${operator}: ${name} of shape ${showShape(v.shape)} for x of shape ${showShape(x.shape)}; wanted (${x.shape[axis]},), one for each channel`,
    );
  return v;
}

/** With mean 0 and variance 1 over axes: also the mean and the variance that were, with these axes of size 1. */
function standardised(x: NDArray, axes: readonly number[], eps: number): [NDArray, NDArray, NDArray] {
  const centre = mean(x, axes, { keepdims: true });
  const centred = subtract(x, centre);
  const variance = mean(square(centred), axes, { keepdims: true });
  return [divide(centred, sqrt(add(variance, eps))), centre, variance];
}

/**
 * x with mean 0 and variance 1 for each channel (axis 1 by default), times gamma, plus beta. In training mode these are
 * the mean and the (biased) variance of the batch, and the running arrays are updated in place, also while recording, to
 * `running * momentum + batch * (1 - momentum)`; in predict mode, and with useGlobalStats, they are the running arrays.
 * gamma, beta and the running arrays have one element for each channel. MXNet's npx.batch_norm.
 * @throws ShapeError where these do not fit, DTypeError for running arrays of integers.
 * @example
 * const [mean, variance] = [np.zeros(2), np.ones(2)];
 * const x = [[1, 0], [3, 8]];
 * npx.batchNorm(x, [1, 1], [0, 5], mean, variance, { eps: 0 }) // array([[ 1.,  5.],\n       [ 3., 13.]])
 * autograd.trainMode(() => npx.batchNorm(x, [1, 1], [0, 5], mean, variance, { eps: 0 })) // array([[-1.,  4.],\n       [ 1.,  6.]])
 * [mean, variance] // [ array([0.20000005, 0.40000010]), array([1. , 2.5]) ]
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
  const a = floating(x, operator);
  checkOptions(operator, options, ["eps", "momentum", "axis", "fixGamma", "useGlobalStats"]);
  const eps = nonNegative(operator, "eps", options?.eps, 1e-5);
  const momentum = nonNegative(operator, "momentum", options?.momentum, 0.9);
  const axis = toAxis(options?.axis ?? 1, a.ndim, operator);
  const fixed = flag(operator, "fixGamma", options?.fixGamma, false);
  const frozen = flag(operator, "useGlobalStats", options?.useGlobalStats, false);
  const given = { gamma, beta, runningMean, runningVar };
  const [g, b, centre, spread] = Object.entries(given).map(([name, v]) => perChannel(operator, name, v, a, axis)) as [
    NDArray,
    NDArray,
    NDArray,
    NDArray,
  ];
  for (const r of [centre, spread])
    if (!isFloat(r.code)) throw new DTypeError(`${operator}: running arrays of ${r.dtype}; they must be float32 or float64`);
  // In the dtype of x, or what is made of the running arrays alone would be made in theirs.
  const along = (v: NDArray): NDArray => alongAxis(v.code === a.code ? v : astype(v, a.dtype), axis, a.ndim);
  const scaled = (y: NDArray): NDArray => add(multiply(y, along(fixed ? where(true, 1, g) : g)), along(b));
  if (!training || frozen || a.size === 0) return scaled(divide(subtract(a, along(centre)), sqrt(add(along(spread), eps))));
  for (const r of [centre, spread]) checkWritable(r, operator);
  const axes = [...a.shape.keys()].filter(i => i !== axis);
  const [y, batchMean, batchVar] = standardised(a, axes, eps);
  const z = scaled(y);
  const wasRecording = setRecording(false);
  try {
    for (const [running, batch] of [
      [centre, batchMean],
      [spread, batchVar],
    ] as const)
      set(running, add(multiply(running, momentum), multiply(reshape(batch, running.shape), 1 - momentum)));
  } finally {
    setRecording(wasRecording);
  }
  return z;
}

/** x in groups of channels, each of them with mean 0 and variance 1 for each entry of the batch. */
function grouped(
  operator: string,
  x: ArrayInput,
  gamma: ArrayInput,
  beta: ArrayInput,
  options: NormOptions | undefined,
  groups: number | null,
): NDArray {
  const a = floating(x, operator);
  const eps = nonNegative(operator, "eps", options?.eps, 1e-5);
  if (a.ndim < 2) throw new ShapeError(`${operator}: x of shape ${showShape(a.shape)}; wanted (batch, channels, …)`);
  const [n, channels] = a.shape as [number, number];
  const count = groups ?? channels;
  if (count > 0 && channels % count !== 0) throw new ShapeError(`${operator}: ${channels} channels are not divisible into ${count} groups`);
  const g = perChannel(operator, "gamma", gamma, a, 1);
  const b = perChannel(operator, "beta", beta, a, 1);
  const inner = count === 0 ? 0 : (channels / count) * sizeOf(a.shape.slice(2));
  const y = a.size === 0 ? a : reshape(standardised(reshape(a, [n, count, inner]), [2], eps)[0], a.shape);
  return add(multiply(y, alongAxis(g, 1, a.ndim)), alongAxis(b, 1, a.ndim));
}

/**
 * x (batch, channels, …) with mean 0 and variance 1 over each of `numGroups` groups of neighbouring channels of each entry,
 * times gamma, plus beta, which have one element for each channel. The same in both modes. MXNet's npx.group_norm.
 * @throws ShapeError where shapes do not fit, or the channels are not divisible.
 * @example npx.groupNorm([[1, 3, 5, 5]], [1, 1, 1, 1], [0, 0, 7, 7], { numGroups: 2, eps: 0.25 }) // array([[-0.8944272,  0.8944272,  7.       ,  7.       ]])
 */
export function groupNorm(x: ArrayInput, gamma: ArrayInput, beta: ArrayInput, options?: GroupNormOptions): NDArray {
  checkOptions("groupNorm", options, ["numGroups", "eps"]);
  return grouped("groupNorm", x, gamma, beta, options, wholeNumber("groupNorm", "numGroups", options?.numGroups ?? 1, 1));
}

/**
 * x (batch, channels, …) with mean 0 and variance 1 for each channel of each entry, times gamma, plus beta, which have one
 * element for each channel. The same in both modes. MXNet's npx.instance_norm.
 * @throws ShapeError where shapes do not fit.
 * @example npx.instanceNorm([[[1, 3]]], [2], [1], { eps: 0 }) // array([[[-1.,  3.]]])
 */
export function instanceNorm(x: ArrayInput, gamma: ArrayInput, beta: ArrayInput, options?: NormOptions): NDArray {
  checkOptions("instanceNorm", options, ["eps"]);
  return grouped("instanceNorm", x, gamma, beta, options, null);
}
