/** Samples for the operators of this family that are not pointwise. */
import { np } from "nabla";
import { curved, int32, linear, of, type Sample } from "../support/sample.ts";

const PAIR = int32([2, 0, 2, 1, 1, 1], [2, 3]);
const MASK = np.array([
  [true, false, true, true],
  [false, false, false, false],
  [true, true, true, true],
]);

const product = (a: readonly number[], b: readonly number[], ...rest: readonly unknown[]): Sample =>
  of([a, b], (x, y) => [x, y, ...rest], "each");

export const layers = {
  // activations
  prelu: [
    of([[3, 4], []], (x, g) => [x, g]),
    of([[3, 4], [1]], (x, g) => [x, g]),
    of([[3, 4], [4]], (x, g) => [x, g]),
    of([[2, 3, 4, 2], [3]], (x, g) => [x, g]),
    of([[5], [5]], (x, g) => [x, g]),
    of([[], []], (x, g) => [x, g]),
    of([[0, 3], [3]], (x, g) => [x, g]),
  ],
  hardSigmoid: [curved([5]), curved([3, 4], 0.31, 0.47), curved([0])],
  activation: [
    "relu",
    "sigmoid",
    "tanh",
    "softrelu",
    "softplus",
    "softsign",
    "logSigmoid",
    "log_sigmoid",
    "mish",
    "silu",
    "gelu",
    "elu",
    "selu",
    "leakyRelu",
    "hardSigmoid",
  ].map(name => curved([3, 4], name)),
  // softmax of part of an array
  maskedSoftmax: [
    curved([3, 4], MASK),
    curved([3, 4], MASK, 0),
    curved([3, 4], [false, true, false, true], -1, { temperature: 0.7 }),
    curved([2, 3, 4], MASK, 2),
    curved([4], [false, false, false, false]),
    curved([0, 4], [true, true, false, true]),
  ],
  // positions
  embedding: [
    of([[5, 2]], w => [int32([4, 0, 4, 1], [2, 2]), w], "jointly"),
    of([[3]], w => [int32([2, -1], [2]), w], "jointly"),
    of([[3, 2, 2]], w => [int32([1], []), w], "jointly"),
    of([[3, 2]], w => [int32([], [0]), w], "jointly"),
  ],
  gatherNd: [
    linear([3, 4], PAIR),
    linear([3, 4], int32([2, 0, 2], [1, 3])),
    linear([3, 2, 2], PAIR),
    linear([3, 2, 2], int32([1, -1], [2])),
    linear([3, 4], int32([0, 1, 2, 0, 1, 0, 3, 3], [2, 2, 2])),
    linear([3, 4], int32([], [2, 0])),
    linear([5], [[0, 4, 0]]),
  ],
  indexAdd: [
    of([[3, 4], [3]], (x, v) => [x, PAIR, v], "jointly"),
    of([[3, 4], []], (x, v) => [x, int32([2, 0, 2], [1, 3]), v], "jointly"),
    of([[3, 2, 2], [2]], (x, v) => [x, PAIR, v], "jointly"),
    of([[3, 2], [2]], (x, v) => [x, int32([1], [1]), v], "jointly"),
    of([[3, 4], [0]], (x, v) => [x, int32([], [2, 0]), v], "jointly"),
  ],
  indexUpdate: [
    of([[3, 4], [3]], (x, v) => [x, PAIR, v], "jointly"),
    of([[3, 4], []], (x, v) => [x, int32([2, 0, 2], [1, 3]), v], "jointly"),
    of(
      [
        [3, 2, 2],
        [3, 1],
      ],
      (x, v) => [x, PAIR, v],
      "jointly",
    ),
    of([[3, 2], [2]], (x, v) => [x, int32([1], [1]), v], "jointly"),
    of([[3, 4], [0]], (x, v) => [x, int32([], [2, 0]), v], "jointly"),
  ],
  sequenceMask: [
    linear([4, 3], [1, 4, 0]),
    curved([4, 3], [1, 4, 0], { value: -2.5 }),
    linear([3, 4, 2], [1, 9, 2], { axis: 1 }),
    linear([3, 4]),
    linear([0, 2], [1, 1]),
  ],
  // shapes
  reshapeLike: [linear([3, 4], np.zeros([2, 6])), linear([1], np.zeros([]))],
  broadcastLike: [linear([4], np.zeros([3, 4])), linear([3, 1], np.zeros([2, 3, 4])), linear([2], np.zeros([2]))],
  batchFlatten: [linear([3, 4]), linear([2, 3, 4]), linear([5]), linear([0, 2, 3]), linear([2, 0, 3])],
  // products
  batchDot: [
    product([2, 3, 4], [2, 4, 2]),
    product([2, 4, 3], [2, 4, 2], { transposeA: true }),
    product([2, 3, 4], [2, 2, 4], { transposeB: true }),
    product([2, 4, 3], [2, 2, 4], { transposeA: true, transposeB: true }),
    product([2, 1, 2, 3], [2, 1, 3, 2]),
    product([0, 2, 3], [0, 3, 2]),
  ],
  fullyConnected: [
    product([3, 4], [2, 4]),
    of([[3, 4], [2, 4], [2]], (x, w, b) => [x, w, b]),
    of([[2, 3, 2], [5, 6], [5]], (x, w, b) => [x, w, b]),
    of([[2, 3, 2], [5, 2], [5]], (x, w, b) => [x, w, b, { flatten: false }]),
    product([3], [2, 1]),
    product([3], [2, 3], null, { flatten: false }),
    product([0, 3], [2, 3]),
  ],
} satisfies Record<string, readonly Sample[]>;
