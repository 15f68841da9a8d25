/** Reductions over axes, one row each: the monoid that is folded, and its gradient. */
import type { ArrayInput, NDArray } from "../array.ts";
import { toArray } from "../convert.ts";
import { BOOL, type DType, dtypeCode, I32, isFloat } from "../dtype.ts";
import { checkOptions, flag, ValueError } from "../errors.ts";
import { foldAxes } from "../fold.ts";
import { type HasRow, structural } from "../op.ts";
import { showShape, toAxes } from "../shape.ts";
import { absorb, divide, equal } from "./pointwise.ts";
import { astype, expandAxes, type OverAxes, spread, summed } from "./structural.ts";

export type Axis = number | readonly number[] | null;

export interface ReduceOptions {
  /** Keep the reduced axes, with size 1. */
  keepdims?: boolean;
  /** The dtype to compute and return in. */
  dtype?: DType;
}

/** What the arguments of a reduction say; a boolean in the place of options is refused like any other mistake. */
export function reduceArguments(
  name: string,
  x: ArrayInput,
  axis: Axis | undefined,
  options: ReduceOptions | undefined,
  known: readonly string[],
): [NDArray, readonly number[], boolean] {
  const a = toArray(x, name);
  checkOptions(name, options, known);
  return [a, toAxes(axis, a.ndim, name), flag(name, "keepdims", options?.keepdims, false)];
}

export function restoreAxes(y: NDArray, axes: readonly number[], keepdims: boolean): NDArray {
  return keepdims ? expandAxes(y, axes) : y;
}

/**
 * The sum over axes (all of them by default); bool and small integers are summed in int32. NumPy's sum.
 * @example np.sum([[1, 2], [3, 4]], 0) // array([4., 6.])
 */
export const sum: ((x: ArrayInput, axis?: Axis, options?: ReduceOptions) => NDArray) & HasRow = Object.assign(
  (x: ArrayInput, axis?: Axis, options?: ReduceOptions): NDArray => {
    const [a, axes, keepdims] = reduceArguments("sum", x, axis, options, ["keepdims", "dtype"]);
    const code = options?.dtype === undefined ? (isFloat(a.code) ? a.code : I32) : dtypeCode(options.dtype, "sum");
    return restoreAxes(summed([a], { axes, code }), axes, keepdims);
  },
  { op: summed.op },
);

function extreme(name: "max" | "min") {
  const row = structural<OverAxes>(name, {
    kind: "reduction",
    run: ([x], { axes, code }) => foldAxes(name, x!, axes, code),
    // Ties share the gradient evenly.
    grad: (g, { y, inputs: [x], attrs, like }) => {
      const shape = like[0]!.shape;
      const mask = astype(equal(x!, spread(y, attrs.axes, shape)), g.dtype);
      const count = spread(summed([mask], { axes: attrs.axes, code: g.code }), attrs.axes, shape);
      return [absorb(spread(g, attrs.axes, shape), divide(mask, count))];
    },
    reads: [[0, 1]],
  });
  const fn = (x: ArrayInput, axis?: Axis, options?: ReduceOptions): NDArray => {
    const [a, axes, keepdims] = reduceArguments(name, x, axis, options, ["keepdims"]);
    if (a.size === 0 && axes.some(i => a.shape[i] === 0))
      throw new ValueError(
        `${name}: an array of shape ${showShape(a.shape)} has no elements along the reduced axes, so there is no ${name}`,
      );
    return restoreAxes(row([a], { axes, code: a.code }), axes, keepdims);
  };
  return Object.defineProperty(Object.assign(fn, { op: row.op }), "name", { value: name });
}

/**
 * The largest element over axes (all of them by default); NaN if there is one. Tied elements share the gradient evenly.
 * NumPy's max.
 * @throws ValueError where there is nothing to choose from.
 * @example np.max([[1, 5], [3, 4]], 1) // array([5., 4.])
 */
export const max: ((x: ArrayInput, axis?: Axis, options?: ReduceOptions) => NDArray) & HasRow = extreme("max");

/**
 * The smallest element over axes (all of them by default); NaN if there is one. Tied elements share the gradient evenly.
 * NumPy's min.
 * @throws ValueError where there is nothing to choose from.
 * @example np.min([[1, 5], [3, 4]], 1) // array([1., 3.])
 */
export const min: ((x: ArrayInput, axis?: Axis, options?: ReduceOptions) => NDArray) & HasRow = extreme("min");

function quantifier(name: "all" | "any", combine: "min" | "max") {
  const row = structural<readonly number[]>(name, {
    kind: "selection",
    run: ([x], axes) => foldAxes(combine, x!, axes, BOOL),
    grad: null,
  });
  const fn = (x: ArrayInput, axis?: Axis, options?: ReduceOptions): NDArray => {
    const [a, axes, keepdims] = reduceArguments(name, x, axis, options, ["keepdims"]);
    return restoreAxes(row([a.code === BOOL ? a : astype(a, "bool")], axes), axes, keepdims);
  };
  return Object.defineProperty(Object.assign(fn, { op: row.op }), "name", { value: name });
}

/**
 * Whether all elements over axes are true (not 0); true where there are none. NumPy's all.
 * @example np.all([true, false]) // array(False)
 */
export const all: ((x: ArrayInput, axis?: Axis, options?: ReduceOptions) => NDArray) & HasRow = quantifier("all", "min");

/**
 * Whether any element over axes is true (not 0); false where there are none. NumPy's any.
 * @example np.any([true, false]) // array(True)
 */
export const any: ((x: ArrayInput, axis?: Axis, options?: ReduceOptions) => NDArray) & HasRow = quantifier("any", "max");
