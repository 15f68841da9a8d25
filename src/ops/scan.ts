/** Running sums and products along an axis, with their adjoints. */
import { type ArrayInput, addressOf, blank, fromValues, type NDArray } from "../array.ts";
import { free } from "../backend/wasm/heap.ts";
import { type Step, scan } from "../backend/wasm/index.ts";
import { toArray } from "../convert.ts";
import { BYTES, DTYPES, type DType, F32, F64, sumCode } from "../dtype.ts";
import { checkOptions } from "../errors.ts";
import { absorb as absorbExpr, arg, type Expr, mul, add as plus } from "../expr.ts";
import { contiguous, discard, Family, laneOf, launchRows } from "../launch.ts";
import { type HasRow, liftAxis, type Structural, structural } from "../op.ts";
import { SCALAR, type Shape, sizeOf } from "../shape.ts";
import { absorb } from "./pointwise.ts";
import { astype, broadcastTo, cast, listAlong, part, slice, unslice } from "./structural.ts";

/** Rows of at least this many elements are combined by a kernel; shorter ones element by element along the axis. */
const ROW = 8;
/** The same for sums of float32, which take two kernels a row because they are kept in float64. */
const WIDE_ROW = 64;

const STEPS: Record<Step, Expr> = {
  add: plus(arg(0), arg(1)),
  mul: mul(arg(0), arg(1)),
  chain: plus(arg(1), absorbExpr(arg(0), arg(2))),
};

const families = new Map<string, Family>();

function family(value: Expr, name: string, codes: readonly number[], code: number): Family {
  const key = `${name}${codes}>${code}`;
  let found = families.get(key);
  if (found === undefined) families.set(key, (found = new Family(value, codes, code, code)));
  return found;
}

/** One place of a line after the other, each from the result before it. `a` holds the factors of a chain. */
function scanned(how: Step, x: NDArray, axis: number, reverse: boolean, a = x, late = false): NDArray {
  const lane = laneOf(x.code);
  if (lane !== x.code) return cast(scanned(how, cast(x, lane), axis, reverse), x.code);
  const out = blank(x.shape, x.size, lane);
  if (x.size === 0) return out;
  const n = x.shape[axis]!;
  const inner = sizeOf(x.shape.slice(axis + 1));
  const outer = x.size / (n * inner);
  const source = contiguous(x);
  const factors = a === x ? source : contiguous(a);
  const bytes = BYTES[lane]!;
  const row = (reverse ? -inner : inner) * bytes;
  const gap = n * inner * bytes;
  const start = reverse ? gap + row : 0;
  const wide = how === "add" && lane === F32;
  if (inner < (wide ? WIDE_ROW : ROW)) {
    const [p, q, r] = [addressOf(source) + start, addressOf(factors) + start + (late ? 0 : row), addressOf(out) + start];
    for (let j = 0; j < inner; j++) scan(how, lane, p + j * bytes, q + j * bytes, r + j * bytes, n, row, outer, gap);
  } else if (wide) {
    const sums = blank([outer, inner], outer * inner, F64);
    const first = family(arg(0), "first", [F32], F64).kernel(0);
    const next = family(STEPS.add, how, [F64, F32], F64).kernel(0);
    const last = family(arg(0), "first", [F64], F32).kernel(0);
    const [p, q, r] = [addressOf(source) + start, addressOf(sums), addressOf(out) + start];
    const line = inner * BYTES[F64]!;
    for (let i = 0; i < n; i++) {
      if (i === 0) launchRows(first, [p], q, inner, outer, [gap], line);
      else launchRows(next, [q, p + i * row], q, inner, outer, [line, gap], line);
      launchRows(last, [q], r + i * row, inner, outer, [line], gap);
    }
    free(sums.storage.block);
  } else {
    const first = family(arg(0), "first", [lane], lane).kernel(0);
    const next = family(STEPS[how], how, how === "chain" ? [lane, lane, lane] : [lane, lane], lane).kernel(0);
    const [p, q, r] = [addressOf(source) + start, addressOf(factors) + start + (late ? 0 : row), addressOf(out) + start];
    launchRows(first, [p], r, inner, outer, [gap], gap);
    // The longer of the two loops over rows runs inside.
    const [count, step, times, jump] = outer > n ? [outer, gap, n - 1, row] : [n - 1, row, outer, gap];
    for (let i = 0; i < times; i++) {
      const from = r + i * jump;
      const operands = [from, p + row + i * jump, ...(how === "chain" ? [q + i * jump] : [])];
      launchRows(next, operands, from + row, inner, count, [step, step, step], step);
    }
  }
  discard(source, x);
  if (factors !== source) discard(factors, a);
  return out;
}

interface Cumulated {
  readonly axis: number;
  /** From the end of the axis. */
  readonly reverse: boolean;
}

const liftAlong = <A extends Cumulated>(attrs: A): A => ({ ...attrs, axis: attrs.axis + 1 });

const cumsumRow: Structural<Cumulated> = structural("cumsum", {
  linear: "jointly",
  run: ([x], { axis, reverse }) => scanned("add", x!, axis, reverse),
  grad: (g, { attrs }) => [cumsumRow([g], { ...attrs, reverse: !attrs.reverse })],
  lift: liftAlong,
});

interface Chained extends Cumulated {
  /** Whether an element's result is multiplied by its own factor only on the way to the next. */
  readonly late: boolean;
}

/** The elements moved by one place along an axis, towards the end or the beginning; 0 comes in. */
function shifted(x: NDArray, axis: number, forward: boolean): NDArray {
  const { shape } = x;
  const count = Math.max(shape[axis]! - 1, 0);
  const [from, to] = forward ? [0, 1] : [1, 0];
  return unslice([slice([x], part(shape, axis, from, count))], { slice: part(shape, axis, to, count), shape });
}

/**
 * y(i) = b(i) + a(i)·y(i-1), or with `late` b(i) + a(i-1)·y(i-1); 0 stands before the first. The gradient of either is
 * the other from the other end. @internal
 */
export const chained: Structural<Chained> = structural("chain", {
  run: ([b, a], { axis, reverse, late }) => scanned("chain", b!, axis, reverse, a!, late),
  grad: (g, { y, inputs: [, a], attrs, wants }) => {
    const { axis, reverse, late } = attrs;
    const h = chained([g, a!], { axis, reverse: !reverse, late: !late });
    if (!wants[1]) return [h, null];
    return [h, late ? absorb(shifted(h, axis, reverse), y) : absorb(h, shifted(y, axis, !reverse))];
  },
  reads: [[1], [1, 2]],
  lift: liftAlong,
});

/** The number in the first place of each line, and 0 in all others; from the end with `reverse`. */
function atFirst(g: NDArray, shape: Shape, axis: number, reverse: boolean): NDArray {
  return unslice([g], { slice: part(shape, axis, reverse ? shape[axis]! - 1 : 0, 1), shape });
}

/**
 * The gradient of running products of x: for each place the sum of later cotangents times what stands between, times what
 * stands before it. No division, so it is right wherever x is 0.
 */
function productSlopes(g: NDArray, x: NDArray, axis: number): NDArray {
  const ones = broadcastTo(fromValues([1], SCALAR, x.code), part(x.shape, axis, 0, 1).counts);
  const before = chained([atFirst(ones, x.shape, axis, false), x], { axis, reverse: false, late: true });
  return absorb(chained([g, x], { axis, reverse: true, late: true }), before);
}

/** The gradient of the product along an axis, which g has with size 1. @internal */
export const productSlope = (g: NDArray, x: NDArray, axis: number): NDArray => productSlopes(atFirst(g, x.shape, axis, true), x, axis);

const cumprodRow: Structural<number> = structural("cumprod", {
  run: ([x], axis) => scanned("mul", x!, axis, false),
  grad: (g, { inputs: [x], attrs: axis }) => [x!.size === 0 ? g : productSlopes(g, x!, axis)],
  reads: [[0]],
  lift: liftAxis,
});

export interface ScanOptions {
  /** The dtype to compute and return in. */
  dtype?: DType;
}

export type Scan = ((x: ArrayInput, axis?: number | null, options?: ScanOptions) => NDArray) & HasRow;

/* @__NO_SIDE_EFFECTS__ */
function running(name: string, op: HasRow["op"], row: (x: NDArray, axis: number) => NDArray): Scan {
  const fn = (x: ArrayInput, axis?: number | null, options?: ScanOptions): NDArray => {
    const given = toArray(x, name);
    checkOptions(name, options, ["dtype"]);
    const code = sumCode(given.code, options?.dtype, name);
    return row(...listAlong(name, code === given.code ? given : astype(given, DTYPES[code]!), axis));
  };
  return Object.defineProperty(Object.assign(fn, { op }), "name", { value: name });
}

/**
 * The sum of each element and all before it along an axis (of the flattened array by default); bool and small integers are
 * summed in int32. NumPy's cumsum.
 * @example np.cumsum([1, 2, 3]) // array([1., 3., 6.])
 */
export const cumsum: Scan = running("cumsum", cumsumRow.op, (x, axis) => cumsumRow([x], { axis, reverse: false }));

/**
 * The product of each element and all before it along an axis (of the flattened array by default); bool and small integers
 * are multiplied in int32. The gradient is right at zeros too. NumPy's cumprod.
 * @example np.cumprod([1, 2, 3]) // array([1., 2., 6.])
 */
export const cumprod: Scan = running("cumprod", cumprodRow.op, (x, axis) => cumprodRow([x], axis));
