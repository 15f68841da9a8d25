/** Samples for the operators of this family that are not pointwise. */
import { np } from "nabla";
import { curved, int32, of, type Sample } from "../support/sample.ts";

const MASK = [true, false, true, true];

export const searching = {
  where: [of([[4], [4]], (a, b) => [np.array(MASK), a, b], "jointly"), of([[3, 1], [4]], (a, b) => [np.array(MASK), a, b], "jointly")],
  putAlongAxis: [
    of(
      [
        [2, 3],
        [2, 1],
      ],
      (x, v) => [np.copy(x!), int32([2, 0], [2, 1]), v, 1],
      "jointly",
    ),
    of([[3, 4], [4]], (x, v) => [np.copy(x!), int32([1, 0, 1, 2], [1, 4]), v, 0], "jointly"),
    of([[3, 2], [3]], (x, v) => [np.copy(x!), [5, 0, -1], v, null], "jointly"),
  ],
  choose: [
    of([[3], [3]], (a, b) => [int32([1, 0, 1], [3]), [a, b]], "jointly"),
    of([[2, 3], []], (a, b) => [int32([1, -1, 5], [3]), [a, b], { mode: "clip" }], "jointly"),
  ],
  extract: [of([[4]], x => [np.array(MASK), x], "jointly"), of([[2, 3]], x => [np.array(MASK), x], "jointly")],
  nonzero: [curved([3, 4]), curved([5])],
  flatnonzero: [curved([3, 4]), curved([5])],
  argwhere: [curved([3, 4]), curved([5])],
  searchsorted: [
    of([[4]], v => [np.array([-1, 0, 0, 1]), v]),
    of([[2, 3]], v => [np.array([1, -1, 0]), v, { side: "right", sorter: [1, 2, 0] }]),
  ],
  digitize: [curved([5], [-1, 0, 1]), curved([3, 4], [1, 0, -1], { right: true })],
  isin: [curved([3, 4], [1, 2]), curved([5], [[0.5]], { invert: true })],
  bincount: [
    of([[4]], w => [int32([0, 2, 2, 1], [4]), { weights: w }], "jointly"),
    of([[3]], w => [int32([1, 1, 1], [3]), { weights: w, minlength: 4 }], "jointly"),
  ],
  histogram: [
    of([[5]], w => [np.array([0, 1, 1.5, 4, 9]), 3, { range: [0, 4], weights: w }]),
    of([[2, 2]], w => [
      np.array([
        [0, 1],
        [1.5, 4],
      ]),
      [0, 1, 2, 4],
      { weights: np.add(w!, 3), density: true },
    ]),
  ],
  unravelIndex: [of([[3]], x => [np.argsort(x!), [1, 3]]), of([[2, 2]], x => [np.argsort(x!), 2])],
  interp: [
    of([[3], [4], [4]], (x, p, f) => [np.add(np.multiply(x!, 0.9), 1.5), np.add(np.arange(4), np.multiply(p!, 0.1)), f]),
    of([[2, 2], [3], [3]], (x, p, f) => [np.multiply(x!, 3), np.add([4, 0, 2], np.multiply(p!, 0.1)), f, { period: 5.5 }]),
    of([[4], [2], [2]], (x, p, f) => [np.multiply(x!, 3), np.add([-1, 1], np.multiply(p!, 0.1)), f, { left: 5, right: -5 }]),
  ],
  partition: [curved([5], 2), curved([3, 4], [0, -1], 0), curved([3, 4], 3, null)],
  argpartition: [curved([5], 2), curved([3, 4], 1, 0), curved([3, 4], 3, null)],
  compress: [of([[4]], x => [[true, false, true], x]), of([[2, 3]], x => [[0, 1, 1], x, 1])],
  select: [
    of([[3], [3]], (a, b) => [
      [
        [true, false, false],
        [true, true, false],
      ],
      [a, b],
      7,
    ]),
    of([[2], []], (a, b) => [[[true, false]], [a], b]),
  ],
  lexsort: [of([[4], [4]], (a, b) => [[a, b]]), of([[2, 3]], x => [[x, np.negative(x!)], 0])],
  ravelMultiIndex: [
    of([[3]], x => [
      [np.argsort(x!), [0, 1, 1]],
      [3, 2],
    ]),
  ],
} satisfies Record<string, readonly Sample[]>;
