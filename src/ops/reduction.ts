/** Reductions over axes, one row each: the monoid that is folded, and its gradient. */
import type { ArrayInput, NDArray } from "../array.ts";
import { toArray } from "../convert.ts";
import { BOOL, DTYPES, type DType, I32, isFloat, sumCode } from "../dtype.ts";
import { checkOptions, flag, ValueError } from "../errors.ts";
import * as E from "../expr.ts";
import { foldAxes } from "../fold.ts";
import { type HasRow, liftAxes, liftAxis, type Structural, structural } from "../op.ts";
import { isOnly, SCALAR, showShape, toAxes } from "../shape.ts";
import { absorb, equal, reciprocal, where } from "./pointwise.ts";
import { productSlope } from "./scan.ts";
import { astype, cast, expandAxes, inverse, type OverAxes, reshape, spread, summed, transpose } from "./structural.ts";

export type Axis = number | readonly number[] | null;

export interface ReduceOptions {
  /** Keep the reduced axes, with size 1. */
  keepdims?: boolean;
  /** The dtype to compute and return in. */
  dtype?: DType;
}

export type Reduction = (x: ArrayInput, axis?: Axis, options?: ReduceOptions) => NDArray;

/**
 * What the arguments of a reduction say; a boolean in the place of options is refused like any other mistake. Unless
 * `strict`, a 0-d array is reduced over an axis 0 too.
 */
export function reduceArguments(
  name: string,
  x: ArrayInput,
  axis: Axis | undefined,
  options: ReduceOptions | undefined,
  known: readonly string[],
  strict = false,
): [NDArray, readonly number[], boolean] {
  const a = toArray(x, name);
  checkOptions(name, options, known);
  const axes = !strict && isOnly(axis, a.ndim) ? SCALAR : toAxes(axis, a.ndim, name);
  return [a, axes, flag(name, "keepdims", options?.keepdims, false)];
}

export function restoreAxes(y: NDArray, axes: readonly number[], keepdims: boolean): NDArray {
  return keepdims ? expandAxes(y, axes) : y;
}

/**
 * The sum over axes (all of them by default); bool and small integers are summed in int32. NumPy's sum.
 * @example np.sum([[1, 2], [3, 4]], 0) // array([4., 6.])
 */
export const sum: Reduction & HasRow = Object.assign(
  (x: ArrayInput, axis?: Axis, options?: ReduceOptions): NDArray => {
    const [a, axes, keepdims] = reduceArguments("sum", x, axis, options, ["keepdims", "dtype"]);
    return restoreAxes(summed([a], { axes, code: sumCode(a.code, options?.dtype, "sum") }), axes, keepdims);
  },
  { op: summed.op },
);

const productRow: Structural<OverAxes> = structural("prod", {
  kind: "reduction",
  run: ([x], { axes, code }) => foldAxes("mul", x!, axes, code),
  grad: (g, { inputs: [x], attrs: { axes }, like }) => {
    const { shape } = like[0]!;
    if (x!.size === 0) return [spread(g, axes, shape)];
    const kept = [...shape.keys()].filter(i => !axes.includes(i));
    const order = [...kept, ...axes];
    const moved = transpose(x!, order);
    const lines = reshape(moved, [...g.shape, -1]);
    const slopes = productSlope(expandAxes(g, [kept.length]), lines, kept.length);
    return [transpose(reshape(slopes, moved.shape), inverse(order))];
  },
  reads: [[0]],
  lift: liftAxes,
});

/**
 * The product over axes (all of them by default), 1 where there is nothing; bool and small integers are multiplied in
 * int32. The gradient is right where elements are 0, too. NumPy's prod.
 * @example np.prod([[1, 2], [3, 4]], 1) // array([ 2., 12.])
 */
export const prod: Reduction & HasRow = Object.assign(
  (x: ArrayInput, axis?: Axis, options?: ReduceOptions): NDArray => {
    const [given, axes, keepdims] = reduceArguments("prod", x, axis, options, ["keepdims", "dtype"]);
    const code = sumCode(given.code, options?.dtype, "prod");
    const a = code === given.code || !isFloat(code) ? given : astype(given, DTYPES[code]!);
    return restoreAxes(productRow([a], { axes, code }), axes, keepdims);
  },
  { op: productRow.op },
);

type Direction = "max" | "min";

/** Ties share the gradient evenly. What is folded is an expression of each element. */
function extremeRow(name: string, direction: Direction, value?: E.Expr): Structural<OverAxes> {
  return structural<OverAxes>(name, {
    kind: "reduction",
    run: ([x], { axes, code }) => foldAxes(direction, x!, axes, code, value),
    lift: liftAxes,
    grad: (g, { y, inputs: [x], attrs, like }) => {
      const shape = like[0]!.shape;
      const mask = equal(x!, spread(y, attrs.axes, shape));
      const each = absorb(g, reciprocal(summed([mask], { axes: attrs.axes, code: g.code })));
      return [absorb(spread(each, attrs.axes, shape), mask)];
    },
    reads: [[0, 1]],
  });
}

function extreme(name: string, row: (x: NDArray, attrs: OverAxes) => NDArray): Reduction {
  const fn = (x: ArrayInput, axis?: Axis, options?: ReduceOptions): NDArray => {
    const [a, axes, keepdims] = reduceArguments(name, x, axis, options, ["keepdims"]);
    if (a.size === 0 && axes.some(i => a.shape[i] === 0))
      throw new ValueError(
        `${name}: an array of shape ${showShape(a.shape)} has no elements along the reduced axes, so there is no ${name.slice(-3)}`,
      );
    return restoreAxes(row(a, { axes, code: a.code }), axes, keepdims);
  };
  return Object.defineProperty(fn, "name", { value: name });
}

function plainExtreme(name: Direction): Reduction & HasRow {
  const row = extremeRow(name, name);
  return Object.assign(
    extreme(name, (x, attrs) => row([x], attrs)),
    { op: row.op },
  );
}

/** Without the NaN, which no element can be equal to; NaN where there is nothing else. */
function nanExtreme(name: "nanmax" | "nanmin", plain: HasRow & Reduction): Reduction {
  const direction = plain.name as Direction;
  const infinite = direction === "max" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const row = extremeRow(name, direction, E.select(E.ne(E.arg(0), E.arg(0)), infinite, E.arg(0)));
  return extreme(name, (x, attrs) =>
    isFloat(x.code) ? where(any(equal(x, x), attrs.axes), row([x], attrs), Number.NaN) : plain(x, attrs.axes),
  );
}

/**
 * The largest element over axes (all of them by default); NaN if there is one. Tied elements share the gradient evenly.
 * NumPy's max.
 * @throws ValueError where there is nothing to choose from.
 * @example np.max([[1, 5], [3, 4]], 1) // array([5., 4.])
 */
export const max: Reduction & HasRow = plainExtreme("max");

/**
 * The smallest element over axes (all of them by default); NaN if there is one. Tied elements share the gradient evenly.
 * NumPy's min.
 * @throws ValueError where there is nothing to choose from.
 * @example np.min([[1, 5], [3, 4]], 1) // array([1., 3.])
 */
export const min: Reduction & HasRow = plainExtreme("min");

/**
 * The largest element over axes (all of them by default) that is not NaN; NaN where there is no other. NumPy's nanmax.
 * @throws ValueError where there is nothing to choose from.
 * @example np.nanmax([1, np.nan, 3]) // array(3.)
 */
export const nanmax: Reduction = nanExtreme("nanmax", max);

/**
 * The smallest element over axes (all of them by default) that is not NaN; NaN where there is no other. NumPy's nanmin.
 * @throws ValueError where there is nothing to choose from.
 * @example np.nanmin([1, np.nan, 3]) // array(1.)
 */
export const nanmin: Reduction = nanExtreme("nanmin", min);

/** Folds whether elements are true: not 0. */
function truths(name: string, combine: "min" | "max" | "add", code: number): Reduction & HasRow {
  const row = structural<readonly number[]>(name, {
    kind: "selection",
    run: ([x], axes) => foldAxes(combine, x!.code === BOOL ? x! : cast(x!, BOOL), axes, code),
    lift: axes => axes.map(liftAxis),
    grad: null,
  });
  const fn = (x: ArrayInput, axis?: Axis, options?: ReduceOptions): NDArray => {
    const [a, axes, keepdims] = reduceArguments(name, x, axis, options, ["keepdims"]);
    return restoreAxes(row([a], axes), axes, keepdims);
  };
  return Object.defineProperty(Object.assign(fn, { op: row.op }), "name", { value: name });
}

/**
 * Whether all elements over axes are true (not 0); true where there are none. NumPy's all.
 * @example np.all([true, false]) // array(False)
 */
export const all: Reduction & HasRow = truths("all", "min", BOOL);

/**
 * Whether any element over axes is true (not 0); false where there are none. NumPy's any.
 * @example np.any([true, false]) // array(True)
 */
export const any: Reduction & HasRow = truths("any", "max", BOOL);

/**
 * How many elements over axes (all of them by default) are not 0, as int32. NumPy's count_nonzero.
 * @example np.countNonzero([[0, 1], [2, 3]], 0) // array([1, 2], dtype=int32)
 */
export const countNonzero: Reduction & HasRow = truths("countNonzero", "add", I32);
