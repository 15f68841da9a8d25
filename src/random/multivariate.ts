/** The normal distribution of vectors. */
import type { ArrayInput, NDArray } from "../array.ts";
import { toArray } from "../convert.ts";
import { DTYPES } from "../dtype.ts";
import { ShapeError, ValueError } from "../errors.ts";
import { cholesky } from "../functions/linalg/decompositions.ts";
import { physicalOf } from "../mapped.ts";
import { semidefiniteOf } from "../ops/linalg/factorisation.ts";
import { matmul } from "../ops/linalg/products.ts";
import { add } from "../ops/pointwise.ts";
import { expandDims, squeeze } from "../ops/structural.ts";
import { showShape } from "../shape.ts";
import { cast, floatCode, type RandomOptions, resultShape, type Size, toSize } from "./arguments.ts";
import { normal } from "./continuous.ts";

/** An L with L·Lᵀ = cov: Cholesky's, or one of a semidefinite matrix where there is none. */
function rootOf(cov: NDArray, name: string): NDArray {
  const bad = Array.from(physicalOf(cov).toTypedArray()).find(v => !Number.isFinite(v));
  if (bad !== undefined) throw new ValueError(`${name}: cov holds ${bad}; covariances are finite`);
  try {
    return cholesky(cov);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    return semidefiniteOf(cov, `${name}: cov`);
  }
}

/**
 * Normally distributed vectors with mean `mean`, of shape (…, d), and covariance `cov`, of shape (…, d, d); the result has
 * an axis of length d behind those of `size`, to which the other axes of both broadcast. It is mean + L·z with
 * Cholesky's L·Lᵀ = cov, and gradients flow to both. Where one of `cov` is only semidefinite, all L are found with the
 * largest pivots first, and have no derivative by cov. NumPy's random.multivariate_normal with check_valid="raise".
 * @throws ValueError where a covariance is not positive semidefinite or holds NaN or infinity; ShapeError where shapes do
 * not fit.
 * @example
 * np.random.seed(7)
 * np.random.multivariateNormal([0, 10], [[4, 1], [1, 2]], 2) // array([[-0.57790583, 10.391034  ], [ 1.4196415 ,  8.508486  ]])
 */
export function multivariateNormal(mean: ArrayInput, cov: ArrayInput, size?: Size, options?: RandomOptions): NDArray {
  const name = "random.multivariateNormal";
  const given = [toArray(mean, name), toArray(cov, name)] as const;
  const code = floatCode(options, given, name);
  const [m, c] = given.map(x => cast(x, code)) as [NDArray, NDArray];
  const d = m.shape.at(-1);
  if (d === undefined || c.ndim < 2 || c.shape.at(-1) !== d || c.shape.at(-2) !== d)
    throw new ShapeError(
      `${name}: mean has shape ${showShape(m.shape)} and cov ${showShape(c.shape)}; wanted (…, d) and (…, d, d) with the same d`,
    );
  const lead = [{ shape: m.shape.slice(0, -1) }, { shape: c.shape.slice(0, -2) }];
  const shape = resultShape(toSize(size, name), lead, name);
  const factor = rootOf(c, name);
  // A product for each vector: so it is the same whatever is drawn beside it.
  const z = normal(0, 1, [...shape, d], { dtype: DTYPES[code]! });
  return add(squeeze(matmul(factor, expandDims(z, -1)), -1), m);
}
