/** Arrays from arrays: joining. */
import { type ArrayInput, NDArray } from "../array.ts";
import { toArray } from "../convert.ts";
import { DTYPES, promote } from "../dtype.ts";
import { describe, ShapeError, ValueError } from "../errors.ts";
import { astype, expandDims, gathered, joined, positions, reshape } from "../ops/structural.ts";
import { sameShape, showShape, toAxis } from "../shape.ts";

function listOf(arrays: unknown, operator: string): NDArray[] {
  const list =
    arrays instanceof NDArray
      ? arrays.ndim === 0
        ? []
        : Array.from({ length: arrays.shape[0]! }, (_, i) => gathered([arrays, positions([i], [])], 0))
      : arrays;
  if (!Array.isArray(list) || list.length === 0)
    throw new ValueError(`${operator}: expected a list of at least one array, got ${describe(arrays)}`);
  const xs = Array.from(list, x => toArray(x as ArrayInput, operator));
  const code = xs.reduce((c, x) => promote(c, x.code), xs[0]!.code);
  return xs.map(x => (x.code === code ? x : astype(x, DTYPES[code]!)));
}

/**
 * Arrays joined along an axis they have (null flattens them first); other axes must have equal sizes. NumPy's concatenate.
 * @throws ShapeError where other axes differ, ValueError for an empty list.
 * @example np.concatenate([[1, 2], [3]]) // array([1., 2., 3.])
 */
export function concatenate(arrays: readonly ArrayInput[] | NDArray, axis: number | null = 0): NDArray {
  let xs = listOf(arrays, "concatenate");
  if (axis === null) xs = xs.map(x => reshape(x, [x.size]));
  const first = xs[0]!;
  if (first.ndim === 0) throw new ShapeError("concatenate: 0-d arrays have no axis to join along; use stack");
  const at = toAxis(axis ?? 0, first.ndim, "concatenate");
  xs.forEach((x, i) => {
    if (x.ndim !== first.ndim || x.shape.some((n, k) => k !== at && n !== first.shape[k]))
      throw new ShapeError(
        `concatenate: array ${i} has shape ${showShape(x.shape)}, array 0 ${showShape(first.shape)}; all axes but axis ${at} must be equal`,
      );
  });
  return joined(xs, at);
}

/**
 * Arrays of one shape joined along a new axis. NumPy's stack.
 * @throws ShapeError where shapes differ, ValueError for an empty list.
 * @example np.stack([[1, 2], [3, 4]]) // array([[1., 2.],\n       [3., 4.]])
 */
export function stack(arrays: readonly ArrayInput[] | NDArray, axis = 0): NDArray {
  const xs = listOf(arrays, "stack");
  const first = xs[0]!;
  xs.forEach((x, i) => {
    if (!sameShape(x.shape, first.shape))
      throw new ShapeError(`stack: array ${i} has shape ${showShape(x.shape)}, array 0 ${showShape(first.shape)}; shapes must be equal`);
  });
  const at = toAxis(axis, first.ndim + 1, "stack");
  return joined(
    xs.map(x => expandDims(x, at)),
    at,
  );
}
