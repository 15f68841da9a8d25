/** Normalisation with a gain and a shift, in few passes over the data. Mean and variance come from outside. */
import { blank, type NDArray } from "../../array.ts";
import { absorb as absorbOf, add as addOf, arg, div, type Expr, mul, sub } from "../../expr.ts";
import { foldOver, foldTo, onColumns } from "../../fold.ts";
import { compute } from "../../launch.ts";
import { mapping } from "../../mapped.ts";
import { liftAxes, liftAxis, pointwise, type Structural, structural } from "../../op.ts";
import { countOf, reducedShape } from "../../shape.ts";
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

const total = (x: NDArray, axes: readonly number[]): NDArray => sum(x, axes, { keepdims: true });

const DEVIATION = mul(sub(arg(0), arg(1)), sub(arg(0), arg(1)));
const QUOTIENT = div(arg(0), arg(1));

const varianceRow: Structural<readonly number[]> = structural("varianceAbout", {
  kind: "reduction",
  run: ([x, centre], axes) => {
    const y = foldOver("add", [x!, centre!], x!.shape, axes, x!.code, DEVIATION, reducedShape(x!.shape, axes));
    return compute(QUOTIENT, [y, countOf(x!.shape, axes)], y.code, y);
  },
  grad: null,
  lift: axes => axes.map(liftAxis),
});

/** The variance over axes (ascending), which stay with size 1, of x with this mean; without a gradient. @internal */
export const varianceAbout = (x: NDArray, centre: NDArray, axes: readonly number[]): NDArray => varianceRow([x, centre], axes);

/** g·(x - m)·r, 0 where g is. */
const MOMENT = absorbOf(arg(0), mul(sub(arg(1), arg(2)), arg(3)));
const ELEMENT = arg(0);
const WEIGHTED = absorbOf(arg(0), arg(1));
/** a·g - p - (x - m)·q, 0 where g, p and q are. */
const SLOPE = sub(sub(absorbOf(arg(0), arg(2)), arg(4)), absorbOf(arg(5), sub(arg(1), arg(3))));

/** An expression of operands of one dtype, computed in that, in the shape of the first. */
const computed = (value: Expr, xs: readonly NDArray[]): NDArray =>
  compute(value, xs, xs[0]!.code, blank(xs[0]!.shape, xs[0]!.size, xs[0]!.code));

const rootOf = (variance: NDArray, eps: number): NDArray => divide(1, sqrt(add(variance, eps)));

/**
 * x with mean 0 and variance 1 over axes, times gamma, plus beta, which broadcast to it: of data, gamma, beta, and the
 * data's mean and variance, from which no gradient flows of its own. @internal
 */
export const normalised: Structural<Norm> = structural("normalise", {
  kind: "function",
  cheap: true,
  run: (xs, { axes, eps }) => {
    const run = ([x, gamma, beta, centre, variance]: readonly NDArray[]): NDArray =>
      computed(SHIFTED, [x!, centre!, multiply(rootOf(variance!, eps), gamma!), beta!]);
    return axes.length === 1 ? onColumns(xs, axes[0]!, run) : run(xs);
  },
  grad: (g, { inputs: [x, gamma, , centre, variance], attrs: { axes, eps }, like, wants }) => {
    const { shape } = like[0]!;
    const n = countOf(shape, axes);
    if (recording || mapping > 0) {
      const centred = subtract(x!, divide(total(x!, axes), n));
      const root = rootOf(divide(total(square(centred), axes), n), eps);
      const unit = multiply(centred, root);
      const h = absorb(g, gamma!);
      const along = divide(total(absorb(h, unit), axes), n);
      const dx = absorb(subtract(subtract(h, divide(total(h, axes), n)), absorb(along, unit)), root);
      return [dx, absorb(g, unit), g, null, null];
    }
    const [scales, shifts] = [like[1]!.shape, like[2]!.shape];
    const root = rootOf(variance!, eps);
    const folded = (value: Expr, xs: readonly NDArray[], over: readonly number[]): NDArray =>
      foldOver("add", xs, shape, over, g.code, value, reducedShape(shape, over));
    /** The gradient for x of h · scale / root, of which these are sums over some of the axes; the second with the unit of x. */
    const slope = (h: NDArray, scale: NDArray, sums: NDArray, products: NDArray): NDArray => {
      const shift = absorb(divide(total(sums, axes), n), root);
      const along = absorb(divide(total(products, axes), n), square(root));
      return computed(SLOPE, [h, x!, scale, centre!, shift, along]);
    };
    // Over the axes along which gamma is the same too everything is summed at once; what is left is small.
    const same = axes.filter(axis => scales[axis] === 1);
    if (same.length > 0 && same.every(axis => shifts[axis] === 1)) {
      const sums = folded(ELEMENT, [g], same);
      const products = folded(MOMENT, [g, x!, centre!, root], same);
      return [
        wants[0] ? slope(g, multiply(root, gamma!), multiply(sums, gamma!), multiply(products, gamma!)) : null,
        sumTo(products, scales),
        sumTo(sums, shifts),
        null,
        null,
      ];
    }
    const dx = (): NDArray => {
      const h = computed(WEIGHTED, [g, gamma!]);
      return slope(h, root, folded(ELEMENT, [h], axes), folded(MOMENT, [h, x!, centre!, root], axes));
    };
    return [wants[0] ? dx() : null, wants[1] ? foldTo([g, x!, centre!, root], scales, g, MOMENT) : null, g, null, null];
  },
  reads: [
    [0, 1, 3, 4],
    [0, 1, 3, 4],
    [0, 1, 3, 4],
  ],
  lift: liftAxes,
});
