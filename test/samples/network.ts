/** Samples for layers over windows and for normalisation, whose rows stand in `ops/network`. */
import { np, npx } from "nabla";
import type { Convolution } from "../../src/ops/network/convolution.ts";
import { curved, linear, of, type Sample } from "../support/sample.ts";
import type { Shape } from "../support/sampling.ts";

const layer = (x: Shape, w: Shape, options?: object): Sample => of([x, w], (a, b) => [a, b, null, options], "each");
const biased = (x: Shape, w: Shape, b: Shape, options?: object): Sample => of([x, w, b], (...xs) => [...xs, options]);

const PLANE: Convolution = { size: [4, 3], kernel: [2, 2], stride: [2, 1], pad: [1, 0], dilate: [1, 2], groups: 2, channels: 1 };
const LINE: Convolution = { size: [5], kernel: [3], stride: [1], pad: [1], dilate: [1], groups: 1, channels: 2 };
/** Data, weight and result of each. */
const PLANES: readonly Shape[] = [
  [2, 2, 4, 3],
  [4, 1, 2, 2],
  [2, 4, 3, 1],
];
const LINES: readonly Shape[] = [
  [2, 2, 5],
  [3, 2, 3],
  [2, 3, 5],
];

const bilinear = (first: number, second: number): readonly Sample[] =>
  [
    [PLANES, PLANE],
    [LINES, LINE],
  ].map(([shapes, attrs]) => of([(shapes as Shape[])[first]!, (shapes as Shape[])[second]!], (a, b) => [[a, b], attrs], "each"));

/** Of data, gamma and beta; mean and variance are found anew, as in a layer. */
const norm = (x: Shape, scale: Shape, axes: readonly number[]): Sample =>
  of([x, scale, scale], (a, g, b) => [
    [a, g, b, ...[np.mean, np.var].map(of => npx.stopGradient(of(a!, axes, { keepdims: true })))],
    { axes, eps: 0.1 },
  ]);

/** The tests record in training mode and take differences in predict mode. */
const FROZEN = { useGlobalStats: true };
const WINDOWS = { size: [4, 3], kernel: [2, 2], stride: [2, 1], pad: [1, 0], dilate: [1, 1] };

export const network = {
  convolution: [
    layer([2, 2, 5], [3, 2, 3]),
    layer([1, 2, 4, 5], [2, 2, 2, 3], { stride: [1, 2], pad: [1, 0] }),
    biased([2, 4, 4, 3], [4, 2, 2, 2], [4], { numGroup: 2, dilate: [2, 1], pad: 1 }),
    layer([1, 1, 3, 3, 2], [2, 1, 2, 2, 1], { pad: [0, 1, 0], stride: [1, 2, 1] }),
    layer([2, 3, 4], [2, 3, 1]),
    layer([0, 2, 4], [3, 2, 2]),
    layer([2, 0, 4], [3, 0, 2]),
  ],
  deconvolution: [
    layer([2, 3, 4], [3, 2, 3]),
    layer([1, 2, 2, 3], [2, 2, 2, 3], { stride: [1, 2], pad: [1, 0], adj: [0, 1] }),
    biased([2, 4, 3, 2], [4, 2, 2, 2], [4], { numGroup: 2, dilate: [2, 1], pad: 1, stride: 2 }),
    layer([1, 1, 2, 2, 2], [1, 2, 2, 2, 1], { stride: [1, 2, 1] }),
    layer([0, 2, 4], [2, 3, 2]),
  ],
  pooling: [
    curved([2, 2, 5], { kernel: 2 }),
    curved([1, 2, 4, 5], { kernel: [2, 3], stride: 2, pad: [1, 1] }),
    curved([1, 1, 3, 2, 3], { kernel: 2 }),
    curved([2, 3, 2, 2], { globalPool: true }),
    linear([2, 2, 4, 5], { kernel: [2, 3], poolType: "avg", stride: [2, 1] }),
    linear([1, 2, 4, 4], { kernel: 3, poolType: "avg", stride: 2, pad: 1, countIncludePad: false }),
    linear([2, 2, 6], { kernel: 3, poolType: "sum", pad: 1 }),
    linear([2, 2, 3, 2], { poolType: "avg", globalPool: true }),
    curved([1, 2, 3, 4], { kernel: 2, poolType: "lp", pad: [0, 1] }),
    curved([2, 1, 4], { kernel: 2, poolType: "lp", pValue: 4 }),
    linear([2, 1, 4], { kernel: 2, poolType: "lp", pValue: 1 }),
    linear([0, 2, 4], { kernel: 2, poolType: "sum" }),
    curved([2, 0, 4], { kernel: 2 }),
  ],
  batchNorm: [
    of([[4, 3], [3], [3], [3]], (x, g, b, m) => [x, g, b, m, [0.5, 1, 2], FROZEN]),
    of([[2, 3, 4], [3], [3], [3]], (x, g, b, v) => [x, g, b, [1, 0, -1], np.add(np.square(v!), 0.5), { ...FROZEN, eps: 0.1 }]),
    of([[2, 3, 2, 2], [2], [2]], (x, g, b) => [x, g, b, [0, 1], [1, 2], { ...FROZEN, axis: -1 }]),
    of([[2, 3, 2], [3]], (x, b) => [x, [5, 6, 7], b, [0, 1, 2], [1, 2, 3], { ...FROZEN, fixGamma: true }]),
    of([[0, 3], [3], [3]], (x, g, b) => [x, g, b, [0, 0, 0], [1, 1, 1], FROZEN]),
  ],
  groupNorm: [
    of([[2, 4, 3], [4], [4]], (x, g, b) => [x, g, b, { numGroups: 2 }]),
    of([[3, 4], [4], [4]], (x, g, b) => [x, g, b, { eps: 0.1 }]),
    of([[2, 3, 2, 2], [3], [3]], (x, g, b) => [x, g, b, { numGroups: 3 }]),
    of([[0, 2, 3], [2], [2]], (x, g, b) => [x, g, b]),
  ],
  instanceNorm: [
    of([[2, 3, 4], [3], [3]], (x, g, b) => [x, g, b]),
    of([[1, 2, 3, 2], [2], [2]], (x, g, b) => [x, g, b, { eps: 0.1 }]),
    of([[2, 0, 3], [0], [0]], (x, g, b) => [x, g, b]),
  ],
  layerNorm: [
    of([[3, 4], [4], [4]], (x, g, b) => [x, g, b]),
    of([[3, 4], [3], [3]], (x, g, b) => [x, g, b, { axis: 0, eps: 0.1 }]),
    of([[2, 3, 4], [3], [3]], (x, g, b) => [x, g, b, { axis: 1 }]),
    of([[5], [5]], (x, g) => [x, g]),
    of([[2, 3], [3]], (x, b) => [x, null, b]),
    of([[0, 3], [3], [3]], (x, g, b) => [x, g, b]),
  ],
  // rows
  normalised: [
    norm([2, 3, 4], [1, 3, 1], [0, 2]),
    norm([2, 2, 3, 2], [1, 2, 3, 1], [2, 3]),
    norm([3, 4], [1, 4], [1]),
    norm([2, 3], [1, 1], [1]),
  ],
  convolve: bilinear(0, 1),
  convolveBack: bilinear(2, 1),
  convolveWeight: bilinear(0, 2),
  windowSum: [of([[2, 4, 3]], x => [[x], WINDOWS], "jointly")],
  windowSpread: [of([[2, 3, 2]], y => [[y], WINDOWS], "jointly")],
} satisfies Record<string, readonly Sample[]>;
