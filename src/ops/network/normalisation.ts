/** Normalisation with few passes over the data: the row, and what it needs to know of the data beforehand. */
import { blank, type NDArray } from "../../array.ts";
import { absorb as absorbOf, add as addOf, arg, type Expr, mul, sub } from "../../expr.ts";
import { foldOver } from "../../fold.ts";
import { Family, runMap } from "../../launch.ts";
import { mapping } from "../../mapped.ts";
import { liftAxes, pointwise, type Structural, structural } from "../../op.ts";
import type { Shape } from "../../shape.ts";
import { recording } from "../../tape.ts";
import { absorb, add, divide, multiply, negative, sqrt, square, subtract } from "../pointwise.ts";
import { sum } from "../reduction.ts";
import { sumTo } from "../structural.ts";

/** (x - m)·a + b. */
const SHIFTED = addOf(mul(sub(arg(0), arg(1)), arg(2)), arg(3));
const shiftedRow = pointwise<[NDArray, NDArray, NDArray, NDArray]>("normalise", 4, {
  value: (x, m, a, b) => addOf(mul(sub(x, m), a), b),
  grad: (g, _, x, m, a) => [absorb(g, a), negative(absorb(g, a)), absorb(g, subtract(x, m)), g],
});

/** (x - centre)·slope + shift, all of which broadcast. @internal */
export const shifted = (x: NDArray, centre: NDArray, slope: NDArray, shift: NDArray): NDArray => shiftedRow(x, centre, slope, shift);

export interface Norm {
  /** The axes (ascending) over which mean and variance are taken. */
  readonly axes: readonly number[];
  /** Added to the variance. */
  readonly eps: number;
}

const kept = (shape: Shape, axes: readonly number[]): number[] => shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
const countOf = (shape: Shape, axes: readonly number[]): number => axes.reduce((n, axis) => n * shape[axis]!, 1);
const total = (x: NDArray, axes: readonly number[]): NDArray => sum(x, axes, { keepdims: true });

const DEVIATION = mul(sub(arg(0), arg(1)), sub(arg(0), arg(1)));

const varianceRow: Structural<readonly number[]> = structural("variance", {
  kind: "reduction",
  run: ([x, centre], axes) => foldOver("add", [x!, centre!], x!.shape, axes, x!.code, DEVIATION, kept(x!.shape, axes)),
  grad: null,
  lift: axes => axes.map(axis => axis + 1),
});

/** The mean and the variance over axes, which stay with size 1. Not recorded. @internal */
export function moments(x: NDArray, axes: readonly number[]): [NDArray, NDArray] {
  const n = countOf(x.shape, axes);
  const centre = divide(total(x, axes), n);
  return [centre, divide(varianceRow([x, centre], axes), n)];
}

/** g·(x - m)·r, 0 where g is. */
const MOMENT = absorbOf(arg(0), mul(sub(arg(1), arg(2)), arg(3)));
/** a·g - p - (x - m)·q. */
const SLOPE = sub(sub(mul(arg(2), arg(0)), arg(4)), mul(sub(arg(1), arg(3)), arg(5)));

const families = new Map<Expr, (Family | undefined)[]>();

/** An expression of operands of one dtype, computed in that. */
function compute(value: Expr, xs: readonly NDArray[], shape: Shape): NDArray {
  const { code } = xs[0]!;
  let known = families.get(value);
  if (known === undefined) families.set(value, (known = []));
  const family = (known[code] ??= new Family(
    value,
    xs.map(() => code),
    code,
    code,
  ));
  const y = blank(shape, xs[0]!.size, code);
  runMap(family, xs, y);
  return y;
}

const rootOf = (variance: NDArray, eps: number): NDArray => divide(1, sqrt(add(variance, eps)));

/**
 * x with mean 0 and variance 1 over axes, times gamma, plus beta, which broadcast to it: of data, gamma, beta, and the
 * data's mean and variance, from which no gradient flows of its own. @internal
 */
export const normalised: Structural<Norm> = structural("normalise", {
  kind: "function",
  run: ([x, gamma, beta, centre, variance], { eps }) =>
    compute(SHIFTED, [x!, centre!, multiply(rootOf(variance!, eps), gamma!), beta!], x!.shape),
  grad: (g, { inputs: [x, gamma, , centre, variance], attrs: { axes, eps }, like, wants }) => {
    const { shape } = like[0]!;
    const n = countOf(shape, axes);
    if (recording || mapping > 0) {
      const centred = subtract(x!, divide(total(x!, axes), n));
      const root = rootOf(divide(total(square(centred), axes), n), eps);
      const unit = multiply(centred, root);
      const h = absorb(g, gamma!);
      const along = divide(total(absorb(h, unit), axes), n);
      const dx = absorb(subtract(subtract(h, divide(total(h, axes), n)), multiply(unit, along)), root);
      return [dx, absorb(g, unit), g, null, null];
    }
    // Over the axes along which gamma is the same too everything is summed at once; what is left is small.
    const scales = like[1]!.shape;
    const same = axes.filter(axis => scales[axis] === 1);
    const small = kept(shape, same);
    const root = rootOf(variance!, eps);
    const sums = foldOver("add", [g], shape, same, g.code, arg(0), small);
    const products = foldOver("add", [g, x!, centre!, root], shape, same, g.code, MOMENT, small);
    const shift = multiply(divide(total(multiply(sums, gamma!), axes), n), root);
    const along = multiply(divide(total(multiply(products, gamma!), axes), n), square(root));
    return [
      wants[0] ? compute(SLOPE, [g, x!, multiply(root, gamma!), centre!, shift, along], shape) : null,
      sumTo(products, scales),
      sumTo(sums, like[2]!.shape),
      null,
      null,
    ];
  },
  reads: [
    [0, 1, 3, 4],
    [0, 1, 3, 4],
    [0, 1, 3, 4],
  ],
  lift: liftAxes,
});
