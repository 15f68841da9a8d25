/** Reductions over axes, one row each: the monoid that is folded, and its gradient. */
import { type ArrayInput, fromValues, type NDArray } from "../array.ts";
import { fitting, toArray } from "../convert.ts";
import { BOOL, DTYPES, type DType, F64, fits, I32, isFloat, RANGE, sumCode } from "../dtype.ts";
import { checkOptions, flag, ShapeError, ValueError } from "../errors.ts";
import * as E from "../expr.ts";
import { foldAxes, keptOf } from "../fold.ts";
import { type HasRow, liftAxes, liftAxis, type Structural, structural } from "../op.ts";
import { isOnly, SCALAR, showShape, toAxes } from "../shape.ts";
import { fmax, fmin } from "./arithmetic.ts";
import { absorb, add, equal, maximum, minimum, multiply, reciprocal, where } from "./pointwise.ts";
import { productSlope } from "./scan.ts";
import { astype, broadcastTo, cast, expandAxes, inverse, type OverAxes, reshape, spread, summed, transpose, typed } from "./structural.ts";

export type Axis = number | readonly number[] | null;

export interface ReduceOptions {
  /** Keep the reduced axes, with size 1. */
  keepdims?: boolean;
  /** The dtype to compute and return in. */
  dtype?: DType;
}

export interface PartOptions extends ReduceOptions {
  /** Which elements take part: true, or not 0; it broadcasts to the array's shape. All by default. */
  where?: ArrayInput | null;
}

export interface FoldOptions extends PartOptions {
  /** What the elements are folded onto: a number or a 0-d array, in the result's dtype. */
  initial?: ArrayInput | null;
}

export type Reduction<Options = ReduceOptions> = (x: ArrayInput, axis?: Axis, options?: Options) => NDArray;

const FOLD = ["keepdims", "dtype", "where", "initial"];

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

/** Which elements take part, as bools; null for all of them. */
export function takingPart(name: string, a: NDArray, given: ArrayInput | null | undefined): NDArray | null {
  if (given === undefined || given === null) return null;
  const mask = fitting(given, "where", a.shape, name);
  return mask.code === BOOL ? mask : astype(mask, "bool");
}

/** The elements that take part, and in the place of the others a number that the fold does not see. */
function partOf(name: string, a: NDArray, options: FoldOptions | undefined, unseen: number): NDArray {
  const mask = takingPart(name, a, options?.where);
  return mask === null ? a : where(mask, a, fromValues([unseen], SCALAR, a.code));
}

/** What a fold begins with, in the dtype of its result; null where nothing is given. */
function startOf(name: string, given: ArrayInput | null | undefined, code: number): NDArray | null {
  if (given === undefined || given === null) return null;
  if (typeof given === "number" && !isFloat(code) && !fits(code, Math.trunc(given)))
    throw new ValueError(`${name}: initial is ${given}, which does not fit ${DTYPES[code]}`);
  const start = typeof given === "number" ? fromValues([given], SCALAR, isFloat(code) ? code : F64) : toArray(given, name);
  if (start.ndim > 0) throw new ShapeError(`${name}: initial of shape ${showShape(start.shape)}; it is a number or a 0-d array`);
  return typed(start, code);
}

export function restoreAxes(y: NDArray, axes: readonly number[], keepdims: boolean): NDArray {
  return keepdims ? expandAxes(y, axes) : y;
}

/**
 * The sum over axes (all of them by default); bool and small integers are summed in int32. NumPy's sum.
 * @example np.sum([[1, 2], [3, 4]], 0) // array([4., 6.])
 */
export const sum: Reduction<FoldOptions> & HasRow = /* @__PURE__ */ Object.assign(
  (x: ArrayInput, axis?: Axis, options?: FoldOptions): NDArray => {
    const [a, axes, keepdims] = reduceArguments("sum", x, axis, options, FOLD);
    const code = sumCode(a.code, options?.dtype, "sum");
    if (options === undefined) return summed([a], { axes, code });
    const start = startOf("sum", options?.initial, code);
    const y = summed([partOf("sum", a, options, 0)], { axes, code });
    return restoreAxes(start === null ? y : add(y, start), axes, keepdims);
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
export const prod: Reduction<FoldOptions> & HasRow = /* @__PURE__ */ Object.assign(
  (x: ArrayInput, axis?: Axis, options?: FoldOptions): NDArray => {
    const [given, axes, keepdims] = reduceArguments("prod", x, axis, options, FOLD);
    const code = sumCode(given.code, options?.dtype, "prod");
    const start = startOf("prod", options?.initial, code);
    const a = partOf("prod", given, options, 1);
    const y = productRow([code === a.code || !isFloat(code) ? a : astype(a, DTYPES[code]!)], { axes, code });
    return restoreAxes(start === null ? y : multiply(y, start), axes, keepdims);
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

/** What an extreme is taken on with, how, and what it does not see. */
interface Extreme {
  readonly row: (x: NDArray, attrs: OverAxes) => NDArray;
  readonly meet: (y: NDArray, start: NDArray) => NDArray;
  readonly unseen: (code: number) => number;
}

function extreme(name: string, { row, meet, unseen }: Extreme): Reduction<FoldOptions> {
  const fn = (x: ArrayInput, axis?: Axis, options?: FoldOptions): NDArray => {
    const [a, axes, keepdims] = reduceArguments(name, x, axis, options, ["keepdims", "where", "initial"]);
    const { code, shape } = a;
    const start = startOf(name, options?.initial, code);
    const part = partOf(name, a, options, unseen(code));
    if (start === null && part !== a)
      throw new ValueError(`${name}: where may leave nothing, and then there is no ${name.slice(-3)}; give initial too`);
    if (start === null && a.size === 0 && axes.some(i => shape[i] === 0))
      throw new ValueError(
        `${name}: an array of shape ${showShape(shape)} has no elements along the reduced axes, so there is no ${name.slice(-3)}`,
      );
    if (start !== null && a.size === 0) return restoreAxes(broadcastTo(start, keptOf(shape, axes)), axes, keepdims);
    const y = row(part, { axes, code });
    return restoreAxes(start === null ? y : meet(y, start), axes, keepdims);
  };
  return Object.defineProperty(fn, "name", { value: name });
}

const last = (direction: Direction, code: number): number => RANGE[code]![direction === "max" ? 0 : 1];

/* @__NO_SIDE_EFFECTS__ */
function plainExtreme(name: Direction, meet: Extreme["meet"]): Reduction<FoldOptions> & HasRow {
  const row = extremeRow(name, name);
  return Object.assign(extreme(name, { row: (x, attrs) => row([x], attrs), meet, unseen: code => last(name, code) }), { op: row.op });
}

/** Without the NaN, which no element can be equal to; NaN where there is nothing else. */
/* @__NO_SIDE_EFFECTS__ */
function nanExtreme(name: "nanmax" | "nanmin", plain: HasRow & Reduction, meet: Extreme["meet"]): Reduction<FoldOptions> {
  const direction = plain.name as Direction;
  const row = extremeRow(name, direction, E.select(E.ne(E.arg(0), E.arg(0)), last(direction, F64), E.arg(0)));
  return extreme(name, {
    row: (x, attrs) => (isFloat(x.code) ? where(any(equal(x, x), attrs.axes), row([x], attrs), Number.NaN) : plain(x, attrs.axes)),
    meet,
    unseen: code => (isFloat(code) ? Number.NaN : last(direction, code)),
  });
}

/**
 * The largest element over axes (all of them by default); NaN if there is one. Tied elements share the gradient evenly.
 * NumPy's max.
 * @throws ValueError where there is nothing to choose from, and for a `where` without `initial`.
 * @example np.max([[1, 5], [3, 4]], 1) // array([5., 4.])
 */
export const max: Reduction<FoldOptions> & HasRow = plainExtreme("max", maximum);

/**
 * The smallest element over axes (all of them by default); NaN if there is one. Tied elements share the gradient evenly.
 * NumPy's min.
 * @throws ValueError where there is nothing to choose from, and for a `where` without `initial`.
 * @example np.min([[1, 5], [3, 4]], 1) // array([1., 3.])
 */
export const min: Reduction<FoldOptions> & HasRow = plainExtreme("min", minimum);

/**
 * The largest element over axes (all of them by default) that is not NaN; NaN where there is no other. NumPy's nanmax.
 * @throws ValueError where there is nothing to choose from, and for a `where` without `initial`.
 * @example np.nanmax([1, np.nan, 3]) // array(3.)
 */
export const nanmax: Reduction<FoldOptions> = nanExtreme("nanmax", max, fmax);

/**
 * The smallest element over axes (all of them by default) that is not NaN; NaN where there is no other. NumPy's nanmin.
 * @throws ValueError where there is nothing to choose from, and for a `where` without `initial`.
 * @example np.nanmin([1, np.nan, 3]) // array(1.)
 */
export const nanmin: Reduction<FoldOptions> = nanExtreme("nanmin", min, fmin);

/** Folds whether elements are true: not 0. */
/* @__NO_SIDE_EFFECTS__ */
function truths<Options extends PartOptions>(
  name: string,
  combine: "min" | "max" | "add",
  code: number,
  known: readonly string[],
): Reduction<Options> & HasRow {
  const row = structural<readonly number[]>(name, {
    kind: "selection",
    run: ([x], axes) => foldAxes(combine, x!.code === BOOL ? x! : cast(x!, BOOL), axes, code),
    lift: axes => axes.map(liftAxis),
    grad: null,
  });
  const fn = (x: ArrayInput, axis?: Axis, options?: Options): NDArray => {
    const [a, axes, keepdims] = reduceArguments(name, x, axis, options, known);
    return restoreAxes(row([partOf(name, a, options, combine === "min" ? 1 : 0)], axes), axes, keepdims);
  };
  return Object.defineProperty(Object.assign(fn, { op: row.op }), "name", { value: name });
}

/**
 * Whether all elements over axes are true (not 0); true where there are none. NumPy's all.
 * @example np.all([true, false]) // array(False)
 */
export const all: Reduction<PartOptions> & HasRow = truths("all", "min", BOOL, ["keepdims", "where"]);

/**
 * Whether any element over axes is true (not 0); false where there are none. NumPy's any.
 * @example np.any([true, false]) // array(True)
 */
export const any: Reduction<PartOptions> & HasRow = truths("any", "max", BOOL, ["keepdims", "where"]);

/**
 * How many elements over axes (all of them by default) are not 0, as int32. NumPy's count_nonzero.
 * @example np.countNonzero([[0, 1], [2, 3]], 0) // array([1, 2], dtype=int32)
 */
export const countNonzero: Reduction & HasRow = truths<ReduceOptions>("countNonzero", "add", I32, ["keepdims"]);
