/** Means and their kin: compositions of reductions. */
import type { ArrayInput, NDArray } from "../array.ts";
import { DTYPES, dtypeCode, F32, isFloat } from "../dtype.ts";
import { divide } from "../ops/pointwise.ts";
import { type Axis, type ReduceOptions, reduceArguments, restoreAxes } from "../ops/reduction.ts";
import { astype, summed } from "../ops/structural.ts";

/**
 * The mean over axes (all of them by default); integers give float32. NumPy's mean.
 * @example np.mean([[1, 2], [3, 4]], 0) // array([2., 3.])
 */
export function mean(x: ArrayInput, axis?: Axis, options?: ReduceOptions): NDArray {
  const [a, axes, keepdims] = reduceArguments("mean", x, axis, options, ["keepdims", "dtype"]);
  const code = options?.dtype === undefined ? (isFloat(a.code) ? a.code : F32) : dtypeCode(options.dtype, "mean");
  const n = axes.reduce((size, i) => size * a.shape[i]!, 1);
  // Integers are summed in float64, so that large ones lose nothing before the division.
  const source = isFloat(a.code) ? a : astype(a, "float64");
  const total = divide(summed([source], { axes, code: isFloat(a.code) ? code : source.code }), n);
  return restoreAxes(total.code === code ? total : astype(total, DTYPES[code]!), axes, keepdims);
}
