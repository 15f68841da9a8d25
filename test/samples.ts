/**
 * Arguments to try every exported operator on, for the tests that walk over them. Pointwise rows need none: theirs are
 * made from their arity and domain. The types ask for samples of every other one.
 */
import { type NDArray, np } from "nabla";
import * as comparison from "../src/functions/comparison.ts";
import * as creation from "../src/functions/creation.ts";
import * as indexing from "../src/functions/indexing.ts";
import * as joining from "../src/functions/joining.ts";
import * as decompositions from "../src/functions/linalg/decompositions.ts";
import * as systems from "../src/functions/linalg/systems.ts";
import * as convolution from "../src/functions/network/convolution.ts";
import * as layers from "../src/functions/network/layers.ts";
import * as nn from "../src/functions/network/nn.ts";
import * as normalisation from "../src/functions/network/normalisation.ts";
import * as products from "../src/functions/products.ts";
import * as searching from "../src/functions/searching.ts";
import * as shaping from "../src/functions/shaping.ts";
import * as differences from "../src/functions/statistics/differences.ts";
import * as histogram from "../src/functions/statistics/histogram.ts";
import * as moments from "../src/functions/statistics/moments.ts";
import * as quantiles from "../src/functions/statistics/quantiles.ts";
import type * as members from "../src/members.ts";
import type { HasRow } from "../src/op.ts";
import * as arithmetic from "../src/ops/arithmetic.ts";
import * as elementary from "../src/ops/elementary.ts";
import * as complete from "../src/ops/linalg/complete.ts";
import * as factorisation from "../src/ops/linalg/factorisation.ts";
import * as leastsquares from "../src/ops/linalg/leastsquares.ts";
import * as linalg from "../src/ops/linalg/products.ts";
import * as solving from "../src/ops/linalg/solving.ts";
import * as svd from "../src/ops/linalg/svd.ts";
import * as activations from "../src/ops/network/activations.ts";
import * as windows from "../src/ops/network/convolution.ts";
import * as norms from "../src/ops/network/normalisation.ts";
import * as pooling from "../src/ops/network/pooling.ts";
import * as pointwise from "../src/ops/pointwise.ts";
import * as reduction from "../src/ops/reduction.ts";
import * as scan from "../src/ops/scan.ts";
import * as selection from "../src/ops/selection.ts";
import * as special from "../src/ops/special.ts";
import * as structural from "../src/ops/structural.ts";
import { arithmetic as arithmeticSamples } from "./samples/arithmetic.ts";
import { elementary as elementarySamples } from "./samples/elementary.ts";
import { layers as layersSamples } from "./samples/layers.ts";
import { linalg as linalgSamples } from "./samples/linalg.ts";
import { network as networkSamples } from "./samples/network.ts";
import { products as productsSamples } from "./samples/products.ts";
import { searching as searchingSamples } from "./samples/searching.ts";
import { shaping as shapingSamples } from "./samples/shaping.ts";
import { linearParts, linearStarted, started, statistics as statisticsSamples } from "./samples/statistics.ts";
import { curved, int32, linear, of, row, type Sample, seeded } from "./support/sample.ts";
import type { Shape } from "./support/sampling.ts";

/** Every module of operators. A test compares the list with the folders. */
export const MODULES = {
  "functions/creation": creation,
  "functions/indexing": indexing,
  "functions/joining": joining,
  "functions/network/nn": nn,
  "functions/searching": searching,
  "ops/elementary": elementary,
  "ops/special": special,
  "ops/arithmetic": arithmetic,
  "ops/network/activations": activations,
  "ops/scan": scan,
  "ops/linalg/factorisation": factorisation,
  "ops/linalg/complete": complete,
  "ops/linalg/leastsquares": leastsquares,
  "ops/linalg/solving": solving,
  "ops/linalg/svd": svd,
  "functions/linalg/decompositions": decompositions,
  "functions/linalg/systems": systems,
  "functions/shaping": shaping,
  "functions/products": products,
  "functions/network/layers": layers,
  "functions/network/convolution": convolution,
  "functions/network/normalisation": normalisation,
  "ops/network/convolution": windows,
  "ops/network/pooling": pooling,
  "ops/network/normalisation": norms,
  "functions/comparison": comparison,
  "functions/statistics/moments": moments,
  "functions/statistics/differences": differences,
  "functions/statistics/quantiles": quantiles,
  "functions/statistics/histogram": histogram,
  "ops/linalg/products": linalg,
  "ops/pointwise": pointwise,
  "ops/reduction": reduction,
  "ops/selection": selection,
  "ops/structural": structural,
} as const;

/** Modules in the same folders that hold no operators. */
export const WITHOUT_OPERATORS: readonly string[] = ["functions/recording", "functions/settings", "ops/linalg/matrices"];

type Modules = typeof MODULES;
type RowsOf<M> = { [K in keyof M]: M[K] extends HasRow ? K : never }[keyof M];
/** Modules of pointwise rows alone. */
type PointwiseModule = "ops/pointwise" | "ops/elementary" | "ops/special" | "ops/arithmetic" | "ops/network/activations";
type NamesOf<M extends keyof Modules> = M extends PointwiseModule ? never : RowsOf<Modules[M]>;
type PointwiseName = { [M in PointwiseModule]: keyof Modules[M] }[PointwiseModule];
/** Other names under which pointwise rows are methods. */
type Alias = "div" | "eq" | "ge" | "gt" | "le" | "lt" | "mul" | "ne" | "neg" | "pow" | "sub" | "trueDivide" | "amax" | "amin";
/** Of an array these read the shape and the dtype alone. */
type Alike = "emptyLike" | "fullLike" | "onesLike" | "zerosLike";
/** The exported rows and the methods that are not pointwise. */
export type SampledName = NamesOf<keyof Modules> | Exclude<keyof typeof members, PointwiseName | Alias | Alike>;

/** A row that takes an array and positions. */
const chosen = (shape: Shape, index: NDArray, attrs: unknown): Sample => of([shape], x => [[x, index], attrs], "jointly");

const sumLike: readonly Sample[] = [
  linear([]),
  linear([5]),
  linear([3, 4]),
  linear([3, 4], 0),
  linear([3, 4], -1, { keepdims: true }),
  linear([2, 3, 4], [0, 2]),
  linear([2, 3, 4], [2, 1], { keepdims: true }),
  linear([2, 3, 4], []),
  linear([2, 1, 3, 2], 1),
  linear([9, 11], 0),
  linear([2, 9, 10], 1),
  linear([0, 3], 0),
  linear([2, 0], 0),
];
const extremes: readonly Sample[] = sumLike.slice(0, -2).map(({ shapes, args }) => of(shapes, args));
const quantifiers: readonly Sample[] = sumLike;
const positions: readonly Sample[] = [
  curved([5]),
  curved([3, 4]),
  curved([3, 4], 0),
  curved([3, 4], 1),
  curved([2, 3, 4], -2),
  curved([2, 3, 4], null),
];
const kept: readonly Sample[] = [curved([3, 4], 1, { keepdims: true }), curved([2, 3, 4], null, { keepdims: true })];
const softmaxes: readonly Sample[] = [
  curved([5]),
  curved([3, 4]),
  curved([3, 4], 0),
  curved([2, 3, 4], 1, { temperature: 2.5 }),
  curved([3, 4], -1, { length: [2, 0, 4] }),
  curved([3, 2], 0, { length: [1, 3], temperature: 0.4 }),
  curved([2, 1], -1),
  curved([0, 3]),
];

const SLICE = { starts: [1, 3], steps: [1, -2], counts: [2, 2], shape: [2, 2] };
const COLUMN = { starts: [0, 1], steps: [1, 1], counts: [3, 1], shape: [3] };
const NONE = { starts: [2, 0], steps: [1, 1], counts: [0, 4], shape: [0, 4] };

export const SAMPLES: Record<SampledName, readonly Sample[]> = {
  // structural
  astype: [linear([], "float64"), linear([3, 4], "float64"), linear([0], "float64")],
  copy: [linear([]), linear([3, 4]), linear([2, 3, 2, 2]), linear([0, 2])],
  reshape: [
    linear([6], 2, 3),
    linear([3, 4], [2, -1]),
    linear([2, 3, 4], [4, 3, 2]),
    linear([1], []),
    linear([], [1, 1]),
    linear([0, 3], [3, 0]),
    linear([3, 4], -1),
  ],
  transpose: [
    linear([]),
    linear([4]),
    linear([3, 4]),
    linear([2, 3, 4], 1, 2, 0),
    linear([2, 3, 4], [2, -2, 0]),
    linear([2, 1, 3, 2], null),
  ],
  swapaxes: [linear([3, 4], 0, 1), linear([2, 3, 4], -1, 0), linear([2, 3, 4], 1, 1)],
  expandDims: [linear([], 0), linear([3], 1), linear([3, 4], -3), linear([2, 3, 4], 2)],
  squeeze: [linear([1, 3, 1]), linear([1, 3, 1], 0), linear([1, 3, 1], [0, -1]), linear([2, 3])],
  broadcastTo: [
    linear([], [3]),
    linear([4], [3, 4]),
    linear([3, 1], [3, 4]),
    linear([1, 3, 1], [2, 2, 3, 4]),
    linear([3, 4], [3, 4]),
    linear([1], [0]),
    linear([3], 3),
  ],
  summed: [row([3, 4], { axes: [0], code: 1 }), row([2, 3, 4], { axes: [0, 2], code: 1 }), row([3], { axes: [], code: 1 })],
  slice: [row([3, 4], SLICE), row([3, 4], COLUMN), row([3, 4], NONE)],
  unslice: [
    row([2, 2], { slice: SLICE, shape: [3, 4] }),
    row([3], { slice: COLUMN, shape: [3, 4] }),
    row([0, 4], { slice: NONE, shape: [3, 4] }),
  ],
  joined: [
    of(
      [
        [2, 3],
        [2, 1],
        [2, 2],
      ],
      (x, y, z) => [[x, y, z], 1],
      "jointly",
    ),
    of([[2], [0], [3]], (x, y, z) => [[x, y, z], 0], "jointly"),
  ],
  gathered: [
    chosen([4], int32([3, 0, 0, 1], [2, 2]), 0),
    chosen([3, 4], int32([2, 1, 2], [3]), 1),
    chosen([2, 3, 4], int32([], [0]), 1),
    chosen([2, 3, 4], int32([1], []), 0),
  ],
  putAdded: [
    chosen([2, 2], int32([3, 0, 0, 1], [2, 2]), { axis: 0, shape: [4] }),
    chosen([3, 3], int32([2, 1, 2], [3]), { axis: 1, shape: [3, 4] }),
    chosen([2, 2, 4], int32([2, 2], [2]), { axis: 1, shape: [2, 3, 4] }),
  ],
  erased: [chosen([5], int32([1, 3, 1], [3]), null), chosen([2, 3], int32([0, 5], [2]), null), chosen([2, 3], int32([], [0]), null)],
  at: [
    linear([5], 2),
    linear([5], "1:4"),
    linear([3, 4], "::-1", "1::2"),
    linear([3, 4], "...", null, 1),
    linear([3, 4], [2, 0, 2]),
    linear([3, 4], ":", [1, 1]),
    linear([3, 4], [0, 2], [3, 1]),
    linear([2, 3, 4], 1, ":", [0, 3]),
    linear([2, 3, 4], [0, 1], "1:", [[0], [3]]),
    linear(
      [3, 4],
      [
        [true, false, true, true],
        [false, false, false, false],
        [true, false, false, false],
      ],
    ),
    linear([2, 3], "5:"),
  ],
  set: [
    of([[5], []], (x, v) => [np.copy(x!), v, 2], "jointly"),
    of([[3, 4], [2]], (x, v) => [np.copy(x!), v, "1:", "::2"], "jointly"),
    of(
      [
        [3, 4],
        [1, 4],
      ],
      (x, v) => [np.copy(x!), v, [2, 0, 2]],
      "jointly",
    ),
    of(
      [
        [3, 4],
        [3, 1],
      ],
      (x, v) => [np.copy(x!), v],
      "jointly",
    ),
    of(
      [
        [2, 3, 4],
        [2, 2],
      ],
      (x, v) => [np.copy(x!), v, 1, "1:", [0, 3]],
      "jointly",
    ),
  ],
  // joining and selecting
  take: [
    linear([5], [4, 0, 0]),
    linear(
      [3, 4],
      [
        [1, 2],
        [0, 1],
      ],
      1,
    ),
    linear([3, 4], [11, -1]),
    linear([3], [5, -4], 0, { mode: "wrap" }),
  ],
  takeAlongAxis: [
    linear([3, 4], [[1, 2, 0, 0]], 0),
    linear(
      [2, 3],
      [
        [2, 2],
        [0, 1],
      ],
      1,
    ),
    linear([4], [3, 3, 1], 0),
  ],
  sort: [curved([5]), curved([3, 4]), curved([3, 4], 0), curved([2, 3, 4], 1), curved([3, 4], null), curved([], null)],
  // reductions
  sum: [...sumLike, ...linearStarted],
  mean: [...sumLike.slice(0, -2), ...linearParts],
  max: [...extremes, ...started],
  min: [...extremes, ...started],
  all: quantifiers,
  any: quantifiers,
  argmax: [...positions, ...kept],
  argmin: [...positions, ...kept],
  argsort: positions,
  // products
  matmul: [
    of([[3], [3]], (a, b) => [a, b], "each"),
    of(
      [
        [2, 3],
        [3, 4],
      ],
      (a, b) => [a, b],
      "each",
    ),
    of([[3], [3, 2]], (a, b) => [a, b], "each"),
    of([[2, 3], [3]], (a, b) => [a, b], "each"),
    of(
      [
        [2, 2, 3],
        [3, 2],
      ],
      (a, b) => [a, b],
      "each",
    ),
    of(
      [
        [2, 1, 2, 3],
        [3, 3, 1],
      ],
      (a, b) => [a, b],
      "each",
    ),
    of(
      [
        [4, 9],
        [9, 5],
      ],
      (a, b) => [a, b],
      "each",
    ),
    of(
      [
        [2, 0],
        [0, 3],
      ],
      (a, b) => [a, b],
      "each",
    ),
    of(
      [
        [0, 2],
        [2, 3],
      ],
      (a, b) => [a, b],
      "each",
    ),
    of(
      [
        [2, 3, 2],
        [4, 2],
      ],
      (a, b) => [
        a,
        b,
        {
          axes: [
            [0, 2],
            [1, 0],
            [-1, 0],
          ],
        },
      ],
      "each",
    ),
    of([[3], [2, 3]], (a, b) => [a, b, { axes: [0, [1, 0], 0] }], "each"),
  ],
  dot: [
    of([[5], [5]], (a, b) => [a, b], "each"),
    of([[], [3]], (a, b) => [a, b], "each"),
    of(
      [
        [2, 3],
        [3, 4],
      ],
      (a, b) => [a, b],
      "each",
    ),
    of([[2, 3], [3]], (a, b) => [a, b], "each"),
    of([[3], [3, 2]], (a, b) => [a, b], "each"),
    of(
      [
        [2, 3],
        [2, 3, 2],
      ],
      (a, b) => [a, b],
      "each",
    ),
    of([[0], [0]], (a, b) => [a, b], "each"),
  ],
  outer: [of([[3], [4]], (a, b) => [a, b], "each"), of([[2, 2], [2]], (a, b) => [a, b], "each")],
  // nets
  softmax: softmaxes,
  logSoftmax: softmaxes,
  dropout: [
    of([[4, 5]], x => [seeded(x), 0.4, { mode: "always" }], "jointly"),
    of([[4, 5]], x => [seeded(x), 0.5, { mode: "always", axes: [0] }], "jointly"),
    linear([4, 5], 0),
  ],
  pick: [linear([3, 4], [1, 0, 3]), linear([3, 4], [[2, 1, 0, 0]], 0), linear([3, 4], [1, 9, 3], 1, { keepdims: true })],
  oneHot: [curved([3], 4), curved([2, 2], 3)],
  topk: [
    curved([5], { k: 2 }),
    curved([3, 4], { k: 2, axis: 0, retTyp: "value" }),
    curved([3, 4], { k: 3, axis: 1, retTyp: "both", isAscend: true }),
    curved([3, 4], { k: 3, axis: null, retTyp: "mask" }),
  ],
  ...arithmeticSamples,
  ...elementarySamples,
  ...layersSamples,
  ...networkSamples,
  ...linalgSamples,
  ...productsSamples,
  ...searchingSamples,
  ...shapingSamples,
  ...statisticsSamples,
};
