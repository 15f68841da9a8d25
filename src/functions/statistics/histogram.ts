/** Histograms: the edges of bins, how many elements lie between them, and the rules that say how many bins there are. */
import type { ArrayInput, NDArray } from "../../array.ts";
import { toArray } from "../../convert.ts";
import { BOOL, DTYPES, F32, F64, isFloat } from "../../dtype.ts";
import { checkOptions, describe, flag, oneOf, ValueError, wholeNumber } from "../../errors.ts";
import { logicalAnd } from "../../ops/arithmetic.ts";
import { divide, greaterEqual, lessEqual, power, subtract } from "../../ops/pointwise.ts";
import { sum } from "../../ops/reduction.ts";
import { binEdges, binOf } from "../../ops/selection.ts";
import { astype, flat, part, slice, typed } from "../../ops/structural.ts";
import { checkSize, showShape } from "../../shape.ts";
import { counted, extract, weightsOf } from "../searching.ts";
import { diff } from "./differences.ts";
import { mean, ptp, std } from "./moments.ts";
import { percentile } from "./quantiles.ts";

// ---- how many bins

/** The rules by which NumPy finds the width of bins. */
export type HistogramRule = "auto" | "doane" | "fd" | "rice" | "scott" | "sqrt" | "stone" | "sturges";

const valueOf = (y: NDArray): number => y.item();

/**
 * n to the float64 power nearest to 1/3, and to its negative. At cubes rounded right: there it decides whether the number of
 * bins that follows is a whole one or just above, and engines differ.
 */
function cubeRoot(n: number): [root: number, inverse: number] {
  const near = Math.cbrt(n);
  const whole = Math.round(near);
  const k = whole ** 3 === n ? whole : near;
  // What the exponent lacks, times the logarithm.
  const lost = (2 ** -54 / 3) * Math.log(n);
  const y = 1 / k;
  const high = Math.fround(y);
  return [k - k * lost, y + ((1 - k * high - k * (y - high)) / k + y * lost)];
}

/** The number of bins that a rule gives; it sees what lies within the range, in a float dtype. */
function binsBy(rule: string, values: NDArray, given: readonly [number, number] | null, weights: unknown): number {
  /** The width of a bin, 0 for one bin. */
  const rules: Record<HistogramRule, () => number> = {
    auto: () => Math.min(rules.fd() || Number.POSITIVE_INFINITY, rules.sturges()),
    doane: () => {
      const sigma = valueOf(std(x));
      if (n < 3 || sigma === 0) return 0;
      const skewness = valueOf(mean(power(divide(subtract(x, mean(x)), sigma), 3)));
      const spread = Math.sqrt((6 * (n - 2)) / ((n + 1) * (n + 3)));
      return all / (1 + Math.log2(n) + Math.log2(1 + Math.abs(skewness) / spread));
    },
    fd: () => {
      const [high, low] = percentile(typed(x, F64), [75, 25]).toTypedArray();
      return 2 * (high! - low!) * cubeRoot(n)[1];
    },
    rice: () => all / (2 * cubeRoot(n)[0]),
    scott: () => Math.cbrt((24 * Math.sqrt(Math.PI)) / n) * valueOf(std(x)),
    sqrt: () => all / Math.sqrt(n),
    stone: () => {
      let [best, least] = [1, Number.POSITIVE_INFINITY];
      for (let bins = 1; bins <= 100 || bins <= Math.sqrt(n); bins++) {
        let squares = 0;
        for (const count of histogram(x, bins, { range: [low, high] })[0].toTypedArray()) squares += count * count;
        // Whole numbers: of equal ones the first is taken, and not that which rounding makes smaller.
        const loss = bins * (2 * n * n - (n + 1) * squares);
        if (loss < least) [best, least] = [bins, loss];
      }
      return all / best;
    },
    sturges: () => all / (Math.log2(n) + 1),
  };
  const widthBy = rules[oneOf("histogram", "a rule for bins", rule, Object.keys(rules) as HistogramRule[])];
  if (weights !== undefined && weights !== null) throw new ValueError("histogram: a rule for bins knows no weights; give their number");
  const [low, high] = binEdges(typed(values, F64), 1, given).toTypedArray() as unknown as [number, number];
  const floats = isFloat(values.code) ? values : typed(values, F64);
  const x = extract(logicalAnd(greaterEqual(floats, low), lessEqual(floats, high)), floats);
  const n = x.size;
  if (n === 0) return 1;
  const own = valueOf(ptp(x));
  // Numbers of float32 may lie further apart than float32 reaches.
  const all = own < Number.POSITIVE_INFINITY ? own : valueOf(ptp(typed(x, F64)));
  // Where all are equal there is one bin, however it is wide.
  const width = all && widthBy();
  const bins = width === 0 ? 1 : Math.ceil((given === null ? all : high - low) / width);
  // A rule finds no width where squares of elements are out of range.
  return bins >= 1 ? bins : 1;
}

// ---- histograms

export interface HistogramOptions {
  /** The ends of the bins, where only their number or a rule is given; by default those of the elements. */
  range?: readonly [number, number] | null;
  /** What each element counts; of the shape of x. */
  weights?: ArrayInput | null;
  /** Divide by the sum and the widths, so that the integral is 1. */
  density?: boolean;
}

/**
 * How many elements fall into each bin, and the edges of the bins: `bins` of equal width, as many as a rule says
 * ("auto", "doane", "fd", "rice", "scott", "sqrt", "stone", "sturges"), or between the given edges. A bin holds its
 * lower edge, the last one both. Counts are int32, and so are sums of integer weights; those of floats, and densities, are
 * floats. NumPy's histogram.
 * @throws ValueError for no bins, edges that do not rise, an empty or infinite range, a rule beside weights; ShapeError for
 * weights of another shape.
 * @example np.histogram([1, 2, 2, 5], 2) // [array([3, 1], dtype=int32), array([1., 3., 5.])]
 * @example np.histogram([1, 2, 2, 5], "sqrt") // [array([3, 1], dtype=int32), array([1., 3., 5.])]
 */
export function histogram(
  x: ArrayInput,
  bins: number | HistogramRule | ArrayInput | null = 10,
  options?: HistogramOptions,
): [NDArray, NDArray] {
  const operator = "histogram";
  const a = toArray(x, operator);
  checkOptions(operator, options, ["range", "weights", "density"]);
  const density = flag(operator, "density", options?.density, false);
  const values = flat(a);
  let edges: NDArray;
  const even = typeof bins !== "object" || bins === null;
  if (even) {
    const range = options?.range ?? null;
    if (range !== null && (!Array.isArray(range) || range.length !== 2 || !range.every(Number.isFinite) || range[0] > range[1]))
      throw new ValueError(`${operator}: the range is [low, high], finite numbers, got ${describe(range)}`);
    const n =
      typeof bins === "string" ? binsBy(bins, values, range, options?.weights) : wholeNumber(operator, "the number of bins", bins ?? 10, 1);
    checkSize([n], operator);
    edges = binEdges(values, n, range);
  } else {
    edges = toArray(bins, operator, x);
    if (edges.ndim !== 1 || edges.size === 0)
      throw new ValueError(`${operator}: expected a list of edges, got shape ${showShape(edges.shape)}`);
  }
  const n = edges.shape[0]! - 1;
  // Elements in no bin are counted in one behind the last.
  const all = counted(flat(weightsOf(a, options?.weights, "int32", operator)), binOf(values, edges), n + 1);
  const counts = slice([all], part(all.shape, 0, 0, n));
  // Edges between integers are found in float64, and so are the widths, of which rounded edges leave few digits.
  const rounded = even && !isFloat(a.code);
  const given = rounded ? astype(edges, DTYPES[F32]!) : edges;
  if (!density) return [counts, given];
  const perWidth = divide(counts, diff(edges.code === BOOL ? astype(edges, "int32") : edges));
  const y = divide(perWidth, astype(sum(counts), perWidth.dtype));
  return [rounded && counts.code !== F64 ? astype(y, DTYPES[F32]!) : y, given];
}
