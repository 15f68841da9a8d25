/** Mean 0 and variance 1 over axes: what layers that normalise have in common. */
import { blank, type NDArray } from "../../array.ts";
import { F64 } from "../../dtype.ts";
import * as E from "../../expr.ts";
import { foldOver, onColumns } from "../../fold.ts";
import { compute, discard } from "../../launch.ts";
import { liftAxes, liftAxis, type Structural, structural } from "../../op.ts";
import { absorb, add, multiply, negative, reciprocal, sqrt, subtract } from "../../ops/pointwise.ts";
import { sum } from "../../ops/reduction.ts";
import { mean } from "../statistics.ts";

interface Over {
  readonly axes: readonly number[];
  readonly eps: number;
}

const CENTRED = E.sub(E.arg(0), E.arg(1));
const SQUARE = E.mul(CENTRED, CENTRED);
const STANDARD = E.div(CENTRED, E.sqrt(E.add(E.arg(2), E.arg(3))));
const PRODUCT = E.absorb(E.arg(0), E.arg(1));
const QUOTIENT = E.div(E.arg(0), E.arg(1));
const SCALE = E.div(1, E.sqrt(E.add(E.arg(0), E.arg(1))));
const SLOPE = E.absorb(E.sub(E.sub(E.arg(0), E.arg(3)), E.absorb(E.arg(4), E.arg(1))), E.arg(2));

const like = (x: NDArray): NDArray => blank(x.shape, x.size, x.code);

const countOf = (x: NDArray, axes: readonly number[]): number => axes.reduce((n, axis) => n * x.shape[axis]!, 1);

/** The mean of an expression over axes, which stay with size 1; summed in `lane`. */
function meanOf(xs: readonly NDArray[], axes: readonly number[], lane: number, value: E.Expr): NDArray {
  const { shape, code } = xs[0]!;
  const kept = shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
  const total = foldOver("add", xs, shape, axes, lane, value, kept);
  const n = countOf(xs[0]!, axes);
  if (lane === code) return compute(QUOTIENT, [total, n], lane, total);
  const y = compute(QUOTIENT, [total, n], lane, blank(kept, total.size, code));
  discard(total, y);
  return y;
}

const along = (
  xs: readonly NDArray[],
  axes: readonly number[],
  run: (xs: readonly NDArray[], axes: readonly number[]) => NDArray,
): NDArray => (axes.length === 1 ? onColumns(xs, axes[0]!, (turned, axis) => run(turned, [axis])) : run(xs, axes));

// The mean and the variance are inputs only to be computed once. Each of these rows has, for x, the gradient through
// them too, and none for them.

/** The variance over axes of x, given its mean. */
const varianceRow: Structural<readonly number[]> = structural("varianceAbout", {
  kind: "reduction",
  run: ([x, centre], axes) => meanOf([x!, centre!], axes, F64, SQUARE),
  grad: (g, { inputs: [x, centre], attrs: axes }) => [absorb(multiply(g, 2 / countOf(x!, axes)), subtract(x!, centre!)), null],
  reads: [[0, 1], []],
  lift: axes => axes.map(liftAxis),
});

/** (g - mean(g) - mean(g·y)·y) / sqrt(variance + eps), the gradient of what follows, for its result y: its own adjoint in g. */
const slope: Structural<Over> = structural("standardisedSlope", {
  kind: "function",
  run: (xs, { axes, eps }) =>
    along(xs, axes, ([g, y, variance], axes) => {
      const { code } = y!;
      const scale = compute(SCALE, [variance!, eps], code, like(variance!));
      const level = meanOf([g!], axes, code, E.arg(0));
      const tilt = meanOf([g!, y!], axes, code, PRODUCT);
      const result = compute(SLOPE, [g!, y!, scale, level, tilt], code, like(y!));
      for (const x of [scale, level, tilt]) discard(x, result);
      return result;
    }),
  grad: (h, { inputs: [g, y, variance], attrs, wants }) => {
    const { axes, eps } = attrs;
    const over = { keepdims: true };
    const first = slope([h, y!, variance!], attrs);
    if (!wants[1] && !wants[2]) return [first, null, null];
    const scale = reciprocal(sqrt(add(variance!, eps)));
    const scaled = absorb(h, scale);
    const tilt = mean(absorb(g!, y!), axes, over);
    const plain = subtract(subtract(g!, mean(g!, axes, over)), absorb(tilt, y!));
    const toScale = sum(absorb(h, plain), axes, over);
    return [
      first,
      negative(add(absorb(scaled, tilt), absorb(mean(absorb(scaled, y!), axes, over), g!))),
      absorb(absorb(toScale, -0.5), multiply(scale, multiply(scale, scale))),
    ];
  },
  reads: [
    [1, 2],
    [0, 1, 2],
    [0, 1, 2],
  ],
  lift: liftAxes,
});

/** (x - mean) / sqrt(variance + eps), given the mean and the variance of x. */
const standardRow: Structural<Over> = structural("standardised", {
  kind: "function",
  cheap: true,
  run: (xs, { axes, eps }) =>
    along(xs, axes, ([x, centre, variance]) => compute(STANDARD, [x!, centre!, variance!, eps], x!.code, like(x!))),
  grad: (g, { y, inputs: [, , variance], attrs }) => [slope([g, y, variance!], attrs), null, null],
  reads: [[2, 3], [], []],
  lift: liftAxes,
});

/**
 * A float array with mean 0 and variance 1 over axes (ascending), `eps` added to the variance first; and the mean and
 * the variance that were, with these axes of size 1. @internal
 */
export function standardised(x: NDArray, axes: readonly number[], eps: number): [NDArray, NDArray, NDArray] {
  const centre = mean(x, axes, { keepdims: true });
  const variance = varianceRow([x, centre], axes);
  return [standardRow([x, centre, variance], { axes, eps }), centre, variance];
}
