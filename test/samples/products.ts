/** Samples for the operators of this family that are not pointwise. */
import { curved, of, type Sample } from "../support/sample.ts";
import type { Shape } from "../support/sampling.ts";

/** Two arrays and the rest of the arguments, for an operator that is linear in each. */
const each = (a: Shape, b: Shape, ...rest: readonly unknown[]): Sample => of([a, b], (x, y) => [x, y, ...rest], "each");
const summed = (subscripts: string, ...shapes: Shape[]): Sample => of(shapes, (...xs) => [subscripts, ...xs], "each");
const { POSITIVE_INFINITY: INF, NEGATIVE_INFINITY: LEAST } = Number;

export const products = {
  vdot: [each([5], [5]), each([2, 3], [3, 2]), each([], []), each([0], [0])],
  inner: [each([4], [4]), each([2, 3], [4, 3]), each([2, 2, 3], [3]), each([], [2, 3]), each([2, 0], [3, 0])],
  tensordot: [
    each([2, 3], [2, 3]),
    each([2, 3], [3, 4], 1),
    each([2, 3], [2], 0),
    each(
      [2, 3, 4],
      [4, 3, 2],
      [
        [1, 2],
        [1, 0],
      ],
    ),
    each([2, 3], [4, 2], [0, -1]),
    each([2, 0], [0, 3], 1),
  ],
  einsum: [
    summed("ij,jk->ik", [2, 3], [3, 4]),
    summed("ij,jk->ki", [2, 3], [3, 4]),
    summed("bij,bjk", [2, 2, 3], [2, 3, 2]),
    summed("ij,ij->i", [3, 4], [3, 4]),
    summed("i,i", [5], [5]),
    summed("ii", [3, 3]),
    summed("ii->i", [3, 3]),
    summed("iij->j", [2, 2, 3]),
    summed("ij->ji", [2, 3]),
    summed("ij->", [2, 3]),
    summed("...ij,...j->...i", [2, 2, 3], [2, 3]),
    summed("i...,...->...i", [2, 3], [4, 1]),
    summed("i,i->i", [1], [3]),
    summed("ij,j,k", [2, 3], [3], [2]),
    summed("ab,bc,cd,de->ae", [2, 3], [3, 2], [2, 4], [4, 2]),
    summed("i,j,i->ij", [2], [3], [2]),
    summed("ijk,jil->kl", [2, 3, 2], [3, 2, 2]),
    summed(",i", [], [3]),
    summed("ij,jk->ik", [2, 0], [0, 3]),
    of(
      [
        [2, 3],
        [3, 4],
      ],
      (x, y) => [x, [7, 1], y, [1, 2], [2, 7]],
      "each",
    ),
    of([[2, 2, 3], [3]], (x, y) => [x, ["...", 0], y, [0], ["..."]], "each"),
  ],
  kron: [each([2], [3]), each([2, 3], [2, 2]), each([3], [2, 2]), each([], [2]), each([1, 2, 1], [2, 2])],
  cross: [
    each([3], [3]),
    each([2], [2]),
    each([2, 3], [3]),
    each([4, 3], [4, 2]),
    each([3, 2], [2, 2], 0),
    each([4, 1, 3], [2, 3]),
    each([3, 4], [3, 4], 0),
    each([3, 4], [4, 2], null, { axisa: 0, axisc: 0 }),
    each([2, 2], [2], null, { axisa: 0 }),
  ],
  polyval: [
    of([[4], [3]], (p, x) => [p, x]),
    of([[3], []], (p, x) => [p, x]),
    of([[1], [2, 2]], (p, x) => [p, x]),
    of([[0], [2]], (p, x) => [p, x]),
  ],
  convolve: [each([5], [3]), each([2], [5]), each([4], [4], "same"), each([6], [3], "same"), each([3], [4], "valid"), each([1], [1])],
  correlate: [
    each([5], [3]),
    each([2], [5]),
    each([4], [4], "same"),
    each([3], [6], "same"),
    each([6], [4], "same"),
    each([4], [3], "full"),
    each([2], [5], "full"),
  ],
  norm: [
    curved([5]),
    curved([3, 4]),
    curved([3, 4], null, 0),
    curved([3, 4], 2, 1, { keepdims: true }),
    curved([2, 3, 4], "fro", [0, 2]),
    curved([5], 1),
    curved([3, 4], 3, 1),
    curved([3, 4], 2.5, 0, { keepdims: true }),
    curved([4], 4),
    curved([4], 0.5),
    curved([4], -1),
    curved([4], INF),
    curved([2, 4], LEAST, 1),
    curved([4], 0),
    ...[1, -1, 2, -2, INF, LEAST, "nuc"].flatMap(order => [
      curved([3, 2], order),
      curved([2, 3], order),
      curved([2, 3, 2], order, [2, 1], { keepdims: true }),
    ]),
    curved([3, 2, 2], 2, [0, 1]),
  ],
  euclidean: [of([[3, 4]], x => [[x], [0]]), of([[2, 3]], x => [[x], [0, 1]])],
  correlation: [
    of(
      [[5], [3]],
      (x, k) => [
        [x, k],
        [1, 2],
      ],
      "each",
    ),
    of(
      [
        [2, 5],
        [3, 1, 2],
      ],
      (x, k) => [
        [x, k],
        [1, 2],
      ],
      "each",
    ),
  ],
} satisfies Record<string, readonly Sample[]>;
