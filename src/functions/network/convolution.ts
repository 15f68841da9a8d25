/** Layers that slide windows over the last axes: their arguments, and what is made of the maps in `ops/network`. */
import type { ArrayInput, NDArray } from "../../array.ts";
import { toArray } from "../../convert.ts";
import { F64 } from "../../dtype.ts";
import { checkOptions, describe, flag, oneOf, ShapeError, ValueError, wholeNumber } from "../../errors.ts";
import { cbrt, isfinite } from "../../ops/elementary.ts";
import { meeting } from "../../ops/linalg/products.ts";
import { type Convolution, convolve, convolveBack, type Windows, windowCounts } from "../../ops/network/convolution.ts";
import { windowPlaces, windowSum } from "../../ops/network/pooling.ts";
import { absolute, add, divide, equal, multiply, power, sign, sqrt, where } from "../../ops/pointwise.ts";
import { sum } from "../../ops/reduction.ts";
import { argmax } from "../../ops/selection.ts";
import { flat, gathered, reshape } from "../../ops/structural.ts";
import { sameShape, showShape, sizeOf } from "../../shape.ts";
import { unrecorded } from "../../tape.ts";
import { ones } from "../creation.ts";
import { takeAlongAxis } from "../searching.ts";
import { alongAxis, areFinite, floating } from "./nn.ts";

/** One number for all spatial axes, or one for each. */
export type PerAxis = number | readonly number[];

export interface ConvolutionOptions {
  stride?: PerAxis;
  /** Zeros before and after each axis. */
  pad?: PerAxis;
  /** How far neighbours of a window lie apart. */
  dilate?: PerAxis;
  /** Into how many groups the channels are split, each of which sees only its own. */
  numGroup?: number;
}

export interface DeconvolutionOptions extends ConvolutionOptions {
  /** Elements added at the end of each axis of the result; less than the stride. */
  adj?: PerAxis;
}

/** A whole number for each of `count` axes. */
function perAxis(operator: string, name: string, given: unknown, count: number, otherwise: number | undefined, least: number): number[] {
  const value = given ?? otherwise;
  const list = typeof value === "number" ? new Array<number>(count).fill(value) : value;
  if (!Array.isArray(list) || list.length !== count)
    throw new ValueError(`${operator}: ${name} is a number or one for each of ${count} spatial axes, got ${describe(value)}`);
  return Array.from(list, v => wholeNumber(operator, name, v, least));
}

/** Data and weight in one float dtype, with as many axes. */
function operands(operator: string, x: ArrayInput, weight: ArrayInput): [NDArray, NDArray] {
  const [a, w] = meeting(floating(x, operator), floating(weight, operator));
  if (a.ndim < 3 || a.ndim > 5 || w.ndim !== a.ndim)
    throw new ShapeError(
      `${operator}: x of shape ${showShape(a.shape)} and a weight of shape ${showShape(w.shape)}; both are wanted with one to three spatial axes, x as (batch, channels, …)`,
    );
  if (w.shape.slice(2).includes(0)) throw new ShapeError(`${operator}: a weight of shape ${showShape(w.shape)} has an empty kernel`);
  return [a, w];
}

function withBias(operator: string, y: NDArray, bias: ArrayInput | null | undefined): NDArray {
  if (bias === undefined || bias === null) return y;
  const b = toArray(bias, operator);
  if (!sameShape(b.shape, [y.shape[1]!]))
    throw new ShapeError(`${operator}: a bias of shape ${showShape(b.shape)} for ${y.shape[1]} channels; wanted (${y.shape[1]},)`);
  return add(y, alongAxis(b, 1, y.ndim));
}

/**
 * Windows of x (batch, channels, …) times a weight (filters, channels/numGroup, …kernel), plus a bias (filters,) or none:
 * (batch, filters, …), with one to three spatial axes. As usual the kernel is not turned around. MXNet's npx.convolution.
 * @throws ShapeError where the shapes do not fit, or the kernel is larger than the padded data.
 * @example npx.convolution([[[1, 2, 3, 4]]], [[[1, 0, -1]]]) // array([[[-2., -2.]]])
 */
export function convolution(x: ArrayInput, weight: ArrayInput, bias?: ArrayInput | null, options?: ConvolutionOptions): NDArray {
  const operator = "convolution";
  checkOptions(operator, options, ["stride", "pad", "dilate", "numGroup"]);
  const [a, w] = operands(operator, x, weight);
  const count = a.ndim - 2;
  const groups = wholeNumber(operator, "numGroup", options?.numGroup ?? 1, 1);
  if (w.shape[1]! * groups !== a.shape[1] || w.shape[0]! % groups !== 0)
    throw new ShapeError(
      `${operator}: a weight of shape ${showShape(w.shape)} for ${a.shape[1]} channels in ${groups} group${groups > 1 ? "s" : ""}; wanted (filters, channels/numGroup, …kernel), both divisible by numGroup`,
    );
  const attrs: Convolution = {
    size: a.shape.slice(2),
    kernel: w.shape.slice(2),
    stride: perAxis(operator, "stride", options?.stride, count, 1, 1),
    pad: perAxis(operator, "pad", options?.pad, count, 0, 0),
    dilate: perAxis(operator, "dilate", options?.dilate, count, 1, 1),
    groups,
    channels: w.shape[1]!,
  };
  if (windowCounts(attrs).some(n => n < 1))
    throw new ShapeError(
      `${operator}: a kernel of shape ${showShape(attrs.kernel)} is larger than data of shape ${showShape(attrs.size)}; give a pad`,
    );
  return withBias(operator, convolve([a, w], attrs), bias);
}

/**
 * The transpose of a convolution, its gradient for the data: each element of x (batch, channels, …) times the kernels of a
 * weight (channels, filters/numGroup, …kernel) is added to the result (batch, filters, …), in steps of `stride`; `pad`
 * takes off at both ends, `adj` adds at the end. MXNet's npx.deconvolution.
 * @throws ShapeError where the shapes do not fit, or nothing is left; ValueError for an adj that is not less than the stride.
 * @example npx.deconvolution([[[1, 2]]], [[[1, 10, 100]]], null, { stride: 2 }) // array([[[  1.,  10., 102.,  20., 200.]]])
 */
export function deconvolution(x: ArrayInput, weight: ArrayInput, bias?: ArrayInput | null, options?: DeconvolutionOptions): NDArray {
  const operator = "deconvolution";
  checkOptions(operator, options, ["stride", "pad", "dilate", "adj", "numGroup"]);
  const [a, w] = operands(operator, x, weight);
  const count = a.ndim - 2;
  const groups = wholeNumber(operator, "numGroup", options?.numGroup ?? 1, 1);
  if (w.shape[0] !== a.shape[1] || a.shape[1]! % groups !== 0)
    throw new ShapeError(
      `${operator}: a weight of shape ${showShape(w.shape)} for ${a.shape[1]} channels in ${groups} group${groups > 1 ? "s" : ""}; wanted (channels, filters/numGroup, …kernel), channels divisible by numGroup`,
    );
  const kernel = w.shape.slice(2);
  const stride = perAxis(operator, "stride", options?.stride, count, 1, 1);
  const pad = perAxis(operator, "pad", options?.pad, count, 0, 0);
  const dilate = perAxis(operator, "dilate", options?.dilate, count, 1, 1);
  const adj = perAxis(operator, "adj", options?.adj, count, 0, 0);
  if (adj.some((n, i) => n >= stride[i]!))
    throw new ValueError(`${operator}: adj ${describe(adj)} is not less than the stride ${describe(stride)}`);
  const size = a.shape.slice(2).map((n, i) => (n - 1) * stride[i]! - 2 * pad[i]! + dilate[i]! * (kernel[i]! - 1) + 1 + adj[i]!);
  if (size.some(n => n < 1))
    throw new ShapeError(`${operator}: of x of shape ${showShape(a.shape)} this padding leaves ${showShape(size)}; give a smaller pad`);
  return withBias(operator, convolveBack([a, w], { size, kernel, stride, pad, dilate, groups, channels: w.shape[1]! }), bias);
}

export interface PoolingOptions {
  /** The sizes of a window; not needed for globalPool. */
  kernel?: PerAxis;
  /** The largest element of a window, their mean, their sum, or the pValue-th root of the sum of their pValue-th powers. */
  poolType?: "max" | "avg" | "sum" | "lp";
  stride?: PerAxis;
  /** How far windows reach beyond each end; less than the kernel. */
  pad?: PerAxis;
  /** One window over everything; kernel, stride and pad do not count. */
  globalPool?: boolean;
  /** Whether zeros beyond the ends count in a mean. */
  countIncludePad?: boolean;
  pValue?: number;
}

const POOLS = ["max", "avg", "sum", "lp"] as const;

/**
 * What is in each window of x (batch, channels, …), with one to three spatial axes, as one number: (batch, channels, …).
 * A window that does not fit in any more is left out. Of equal largest elements the first has the gradient; the root of
 * a sum that is 0 has slope 0. MXNet's npx.pooling.
 * @throws ShapeError where x has other axes or is smaller than a window; ValueError for a pad that is not less than the kernel.
 * @example npx.pooling([[[1, 5, 2, 4]]], { kernel: 2, stride: 2 }) // array([[[5., 4.]]])
 * @example npx.pooling([[[1, 5, 2, 4]]], { poolType: "avg", globalPool: true }) // array([[[3.]]])
 */
export function pooling(x: ArrayInput, options?: PoolingOptions): NDArray {
  const operator = "pooling";
  const a = floating(x, operator);
  checkOptions(operator, options, ["kernel", "poolType", "stride", "pad", "globalPool", "countIncludePad", "pValue"]);
  const poolType = oneOf(operator, "poolType", options?.poolType, POOLS);
  const everything = flag(operator, "globalPool", options?.globalPool, false);
  const counted = flag(operator, "countIncludePad", options?.countIncludePad, true);
  const p = wholeNumber(operator, "pValue", options?.pValue ?? 2, 1);
  const size = a.shape.slice(2);
  const count = size.length;
  if (count < 1 || count > 3)
    throw new ShapeError(`${operator}: x of shape ${showShape(a.shape)}; wanted (batch, channels, …) with one to three spatial axes`);
  const kernel = everything ? size : perAxis(operator, "kernel", options?.kernel, count, undefined, 1);
  const stride = perAxis(operator, "stride", options?.stride, count, 1, 1);
  const pad = perAxis(operator, "pad", options?.pad, count, 0, 0);
  const windows: Windows = { size, kernel, stride, pad, dilate: size.map(() => 1) };
  if (everything) {
    if (size.includes(0)) throw new ShapeError(`${operator}: x of shape ${showShape(a.shape)} has nothing to pool`);
    if (poolType === "max") {
      const planes = reshape(a, [...a.shape.slice(0, 2), sizeOf(size)]);
      return reshape(takeAlongAxis(planes, argmax(planes, 2, { keepdims: true }), 2), [...a.shape.slice(0, 2), ...size.map(() => 1)]);
    }
  } else {
    if (pad.some((n, i) => n >= kernel[i]!))
      throw new ValueError(
        `${operator}: a pad of ${describe(pad)} is not less than the kernel ${describe(kernel)}; its windows would be empty`,
      );
    if (size.includes(0) || windowCounts(windows).some(n => n < 1))
      throw new ShapeError(
        `${operator}: a kernel of shape ${showShape(kernel)} is larger than data of shape ${showShape(size)}; give a pad`,
      );
    if (poolType === "max") return gathered([flat(a), windowPlaces(a, windows)], 0);
  }
  const total = (of: NDArray): NDArray =>
    everything
      ? sum(
          of,
          size.map((_, i) => i + 2),
          { keepdims: true },
        )
      : windowSum([of], windows);
  if (poolType === "lp") {
    if (p === 1) return total(a);
    const norm = (of: NDArray): NDArray => root(total(power(of, p)), p);
    let y = norm(a);
    // Where the powers are out of the dtype's range, those of smaller elements, by as much as leaves them digits.
    const [least, all] = a.code === F64 ? [900, 1024] : [100, 128];
    const step = least / p;
    for (let octaves = step; octaves < all + step && !unrecorded(() => areFinite(absolute(y))); octaves += step) {
      const scale = 2 ** -Math.min(octaves, all - 1);
      y = where(isfinite(y), y, divide(norm(multiply(a, scale)), scale));
    }
    return y;
  }
  const y = total(a);
  if (poolType === "sum") return y;
  if (everything || counted || pad.every(n => n === 0)) return divide(y, sizeOf(kernel));
  return divide(y, windowSum([ones(size, { dtype: a.dtype })], windows));
}

/** The p-th root, with slope 0 at 0. */
function root(y: NDArray, p: number): NDArray {
  const zero = equal(y, 0);
  const safe = where(zero, 1, y);
  const found = p === 2 ? sqrt(safe) : p === 3 ? cbrt(safe) : multiply(sign(safe), power(absolute(safe), 1 / p));
  return where(zero, 0, found);
}
