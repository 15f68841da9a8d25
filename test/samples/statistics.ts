/** Samples for the operators of this family that are not pointwise. */
import { curved, linear, of, type Sample } from "../support/sample.ts";
import type { Shape } from "../support/sampling.ts";

const places: readonly [Shape, ...unknown[]][] = [
  [[5]],
  [[]],
  [[3, 4]],
  [[3, 4], 0],
  [[3, 4], -1, { keepdims: true }],
  [
    [2, 3, 4],
    [0, 2],
  ],
  [[2, 3, 4], [2, 1], { keepdims: true }],
  [[2, 1, 3, 2], 1],
  [[3, 2], []],
  [[9, 3], 0],
];
const over: readonly Sample[] = places.map(([shape, ...rest]) => curved(shape, ...rest));
const moments: readonly Sample[] = [
  ...places.filter(([shape, axis]) => shape.length > 0 && !Array.isArray(axis)).map(([shape, ...rest]) => curved(shape, ...rest)),
  curved([3, 4], 1, { ddof: 1 }),
  curved([2, 3, 4], [0, 2], { ddof: 1.5, keepdims: true }),
];
/** Which elements of (3, 4) take part. */
const CHOSEN = [
  [true, false, true, true],
  [true, true, false, true],
  [false, true, true, true],
];
const parts: readonly Sample[] = [
  curved([3, 4], 1, { where: CHOSEN }),
  curved([3, 4], 0, { where: [[true], [false], [true]], keepdims: true }),
];
/** About a mean that is given: one for each line, or for all elements. */
const about: readonly Sample[] = [
  of(
    [
      [3, 4],
      [3, 1],
    ],
    (x, mean) => [x, 1, { mean, correction: 1 }],
  ),
  of([[2, 3, 4], []], (x, mean) => [x, [0, 2], { mean, keepdims: true }]),
  of([[3, 4], [4]], (x, mean) => [x, 0, { mean, where: CHOSEN }]),
];
export const linearParts: readonly Sample[] = parts.map(sample => ({ ...sample, linear: "jointly" as const }));
/** Folds onto an array, of all elements or of some. */
export const started: readonly Sample[] = [
  of([[3, 4], []], (x, initial) => [x, 1, { initial }]),
  of([[3, 4], []], (x, initial) => [x, 0, { where: CHOSEN, initial, keepdims: true }]),
  of([[0, 3], []], (x, initial) => [x, 0, { initial }]),
];
export const linearStarted: readonly Sample[] = started.map(sample => ({ ...sample, linear: "jointly" as const }));
const scans: readonly [Shape, ...unknown[]][] = [
  [[5]],
  [[]],
  [[3, 4]],
  [[3, 4], 0],
  [[2, 3, 4], 1],
  [[4, 9], 0],
  [[2, 2, 9], -2],
  [[0, 3], 1],
];
const chains = [
  { axis: 0, reverse: false, late: false },
  { axis: 0, reverse: false, late: true },
  { axis: 0, reverse: true, late: false },
  { axis: 0, reverse: true, late: true },
];

export const statistics = {
  prod: [...over, curved([0, 3], 0), curved([2, 0], 0), ...started],
  var: [...moments, ...parts, ...about],
  std: [...moments, ...parts, ...about],
  average: [
    curved([3, 4], 0),
    of(
      [
        [3, 4],
        [3, 4],
      ],
      (x, w) => [x, [0, 1], { weights: w!.add(30) }],
    ),
    of([[3, 4], [4]], (x, w) => [x, -1, { weights: w!.add(30), keepdims: true }]),
    of(
      [
        [2, 3, 2],
        [2, 2],
      ],
      (x, w) => [x, [2, 0], { weights: w!.add(30), returned: true }],
    ),
    curved([3, 4], 1, { returned: true }),
  ],
  ptp: over,
  countNonzero: over,
  nanmax: [...over, ...started],
  nanmin: [...over, ...started],
  nansum: [...places.map(([shape, ...rest]) => linear(shape, ...rest)), ...linearStarted],
  nanmean: [...places.map(([shape, ...rest]) => linear(shape, ...rest)), ...linearParts],
  nanvar: [...moments, ...parts, ...about],
  nanstd: [...moments, ...parts, ...about],
  median: over,
  quantile: [
    curved([5], 0.3),
    curved([3, 4], 0.75, 0),
    curved([2, 3, 4], [0, 0.41, 1], [2, 0], { keepdims: true }),
    curved([4, 2], [[0.2], [0.5]], 0, { method: "higher" }),
    curved([5], 0.4, null, { method: "midpoint" }),
    of([[3, 5], [2]], (x, q) => [x, q!.mul(0.1).add(0.5), 1, { method: "median_unbiased" }]),
    of([[2, 6], [2]], (x, q) => [x, q!.mul(0.1).add(0.5), 1, { method: "interpolated_inverted_cdf" }]),
    ...["hazen", "weibull", "normal_unbiased", "inverted_cdf", "averaged_inverted_cdf", "closest_observation"].map(method =>
      curved([2, 5], [0.1, 0.43, 1], 1, { method }),
    ),
    of([[3, 5], [2]], (x, q) => [x, q!.mul(0.1).add(0.5), 1]),
    curved([2, 5], [0.1, 0.43, 1], 1, { method: "inverted_cdf", weights: [1, 0.5, 2, 0, 1] }),
    curved([2, 3, 2], 0.6, [2, 0], {
      method: "inverted_cdf",
      keepdims: true,
      weights: [
        [1, 2],
        [3, 1],
      ],
    }),
  ],
  percentile: [curved([5], 30), curved([3, 4], [12.5, 60], 1)],
  diff: [
    linear([5]),
    linear([3, 4]),
    linear([3, 4], 2, 0),
    linear([2, 3, 4], 1, -2),
    linear([2, 1]),
    linear([3], 5),
    linear([3], 0),
    of([[4], [], [2]], (x, p, a) => [x, 1, -1, { prepend: p, append: a }], "jointly"),
    of(
      [
        [3, 2],
        [1, 2],
      ],
      (x, p) => [x, 2, 0, { prepend: p, append: 0.5 }],
    ),
    of(
      [
        [2, 3],
        [2, 2],
      ],
      (x, a) => [x, 3, 1, { append: a }],
      "jointly",
    ),
  ],
  ediff1d: [
    linear([5]),
    linear([2, 3]),
    linear([]),
    of([[4], [], [2, 2]], (x, p, a) => [x, { toBegin: p, toEnd: a }], "jointly"),
    of([[1], [3]], (x, p) => [x, { toBegin: p, toEnd: [1, 2] }]),
  ],
  trapezoid: [
    linear([5]),
    linear([3, 4], null, { dx: 0.5, axis: 0 }),
    of([[3, 4], [4]], (y, x) => [y, x], "each"),
    of(
      [
        [3, 4],
        [3, 4],
      ],
      (y, x) => [y, x, { axis: 0 }],
      "each",
    ),
  ],
  logsumexp: over,
  cumsum: scans.map(([shape, ...rest]) => linear(shape, ...rest)),
  cumprod: scans.map(([shape, ...rest]) => curved(shape, ...rest)),
  chained: chains.flatMap(attrs => [[4], [3, 2], [3, 9]].map(shape => of([shape, shape], (b, a) => [[b, a], attrs]))),
} satisfies Record<string, readonly Sample[]>;
