/** Samples for the operators of this family that are not pointwise. */
import { np } from "nabla";
import { curved, linear, of, row, type Sample } from "../support/sample.ts";

const moved: readonly Sample[] = [linear([3, 4]), linear([2, 3, 4]), linear([0, 2])];
const halves: readonly Sample[] = [linear([4, 2, 2], 2), linear([2, 4, 2], [1]), linear([2, 2, 2], [0, -1, 5])];
const triangles: readonly Sample[] = [
  linear([3, 4]),
  linear([4, 3], 1),
  linear([2, 3, 3], -1),
  linear([3]),
  linear([0, 2]),
  linear([2, 2], 5),
];
const squares: readonly Sample[] = [
  linear([3, 3]),
  linear([3, 4], 1),
  linear([4, 3], -2),
  linear([2, 3, 4], 0, 1, 2),
  linear([2, 3, 4], 1, -1, 0),
  linear([2, 2, 3, 2], 0, 3, 1),
  linear([2, 3], 7),
  linear([0, 2]),
];
const padded = (mode: string): readonly Sample[] => [
  linear([3], 2, { mode }),
  linear(
    [3, 4],
    [
      [1, 2],
      [0, 5],
    ],
    { mode },
  ),
  linear([2, 1], [1, 3], { mode }),
];

/** Between two positive arrays. */
const growing = (options: object): Sample =>
  of(
    [
      [2, 1],
      [1, 3],
    ],
    (a, b) => [a!.square().add(1), b!.square().add(2), 4, options],
  );

export const shaping = {
  linspace: [
    of([[], []], (a, b) => [a, b, 5], "jointly"),
    of([[2, 1], [3]], (a, b) => [a, b, 4, { axis: -1, endpoint: false }], "jointly"),
    of([[2], [2]], (a, b) => [a, b, 3, { retstep: true }], "jointly"),
    of([[2], [2]], (a, b) => [a, b, 1], "jointly"),
  ],
  logspace: [of([[], [2]], (a, b) => [a, b, 3]), of([[2], [2], [2]], (a, b, base) => [a, b, 3, { axis: 1, base: base!.square().add(1) }])],
  geomspace: [growing({}), growing({ axis: -1, endpoint: false })],
  diagonalOf: [row([3, 4], { offset: 1, axis1: 0, axis2: 1 }), row([2, 3, 3], { offset: -1, axis1: 2, axis2: 0 })],
  onDiagonal: [
    row([2], { offset: 1, axis1: 0, axis2: 1, shape: [3, 3] }),
    row([2, 3], { offset: 0, axis1: 2, axis2: 0, shape: [3, 2, 3] }),
    row([0], { offset: 3, axis1: 0, axis2: 1, shape: [3, 3] }),
  ],
  ravel: [linear([]), linear([5]), linear([2, 3, 4]), linear([0, 2])],
  moveaxis: [
    linear([2, 3, 4], 0, -1),
    linear([2, 3, 4], [0, 1], [-1, 0]),
    linear([2, 1, 3, 2], [3, 0, 2], [0, 1, 3]),
    linear([2, 3], [], []),
  ],
  rollaxis: [linear([2, 3, 4], 2), linear([2, 3, 4], 0, 3), linear([2, 3, 4], 1, 2), linear([2, 3, 4], -1, -2)],
  flip: [...moved, linear([2, 3, 4], 1), linear([2, 3, 4], [0, -1]), linear([])],
  fliplr: moved,
  flipud: [...moved, linear([5])],
  roll: [
    ...[linear([5], 2), linear([5], -7), linear([3, 4], 5), linear([3, 4], 1, 1), linear([3, 4], [1, -2], [1, 0])],
    ...[linear([2, 3, 4], 1, [0, 2]), linear([2, 3], [1, 2], 1), linear([0, 3], 1, 0), linear([], 3), linear([3], 0)],
  ],
  rot90: [linear([3, 4]), linear([3, 4], 2), linear([3, 4], -1), linear([3, 4], 4), linear([2, 3, 4], 1, [2, 0]), linear([0, 2], 3)],
  tile: [linear([3], 2), linear([2, 3], [2, 1]), linear([2, 1], [3, 1, 2]), linear([], [2, 2]), linear([3], 1), linear([2, 2], 0)],
  repeat: [
    ...[linear([3], 2), linear([2, 3], 3), linear([2, 3], 2, 0), linear([2, 3, 2], 1, 1), linear([2, 3], [1, 0, 3], 1)],
    ...[linear([3], [2, 0, 1]), linear([2, 2], 0, -1), linear([], 3), linear([2, 2], [2], 0)],
  ],
  resize: [linear([3], 7), linear([2, 3], [2, 2]), linear([2, 2], [3, 3]), linear([], 3), linear([0], 2), linear([4], [2, 2])],
  pad: [
    ...[
      linear([3], 2),
      linear([3, 4], 1),
      linear([3, 4], [1, 2]),
      linear([3, 4], { 1: [0, 2] }),
      linear(
        [2, 3, 2],
        [
          [0, 1],
          [2, 0],
          [0, 0],
        ],
      ),
      linear([], 1),
      linear([0], 2),
    ],
    ...["edge", "reflect", "symmetric", "wrap", "mean", "linear_ramp"].flatMap(padded),
    ...["maximum", "minimum", "median"].map(mode => curved([3, 4], [1, 2], { mode, statLength: [[2, 3]] })),
    ...["reflect", "symmetric"].map(mode => linear([3, 2], [4, 1], { mode, reflectType: "odd" })),
    linear([0, 2], 1, { mode: "empty" }),
    of([[3], [1, 2]], (x, ends) => [x, 2, { mode: "linear_ramp", endValues: ends }], "jointly"),
    curved([2, 2], 1, { constantValues: 3 }),
    curved(
      [2, 3],
      [
        [0, 2],
        [1, 0],
      ],
      {
        constantValues: [
          [1, 2],
          [3, 4],
        ],
      },
    ),
  ],
  tril: triangles,
  triu: triangles,
  diagonal: squares,
  trace: squares,
  diag: [linear([3]), linear([3], 1), linear([2], -2), linear([3, 3]), linear([3, 4], 2), linear([0])],
  diagflat: [linear([2, 2]), linear([3], 1), linear([]), linear([2, 0], -1)],
  split: [linear([6], 3), linear([2, 4], 2, 1), linear([5], [1, 3]), linear([5], [4, 2, 9, -1]), linear([0, 2], 3)],
  arraySplit: [linear([7], 3), linear([2, 5], 2, -1), linear([2], 4), linear([3, 2], [1])],
  hsplit: [...halves.slice(1), linear([4], 2)],
  vsplit: halves,
  dsplit: halves,
  atleast1d: [linear([]), linear([3]), of([[], [2, 3], [2]], (...xs) => xs, "jointly")],
  atleast2d: [linear([]), linear([3]), linear([2, 2]), of([[], [2, 1, 3], [2]], (...xs) => xs, "jointly")],
  atleast3d: [linear([]), linear([3]), linear([2, 3]), linear([1, 2, 3]), of([[2, 3], [2]], (...xs) => xs, "jointly")],
  append: [
    of([[3], [2]], (x, v) => [x, v], "jointly"),
    of([[2, 2], [2]], (x, v) => [x, v, null], "jointly"),
    of(
      [
        [2, 3],
        [2, 1],
      ],
      (x, v) => [x, v, 1],
      "jointly",
    ),
  ],
  insert: [
    of([[4], []], (x, v) => [x, 1, v], "jointly"),
    of([[4], [3]], (x, v) => [x, -1, v], "jointly"),
    of([[4], [3]], (x, v) => [x, [3, 0, 3], v], "jointly"),
    of([[3, 2], [2]], (x, v) => [x, 3, v, 0], "jointly"),
    of([[3, 2], [3]], (x, v) => [x, 1, v, 1], "jointly"),
    of(
      [
        [3, 2],
        [3, 1],
      ],
      (x, v) => [x, [1], v, -1],
      "jointly",
    ),
    of(
      [
        [2, 3],
        [2, 2],
      ],
      (x, v) => [x, np.slice(null, null, 2), v, 1],
      "jointly",
    ),
    of([[2, 2], []], (x, v) => [x, [], v], "jointly"),
    of([[2, 3], []], (x, v) => [x, [true, false, true], v, 1], "jointly"),
  ],
  delete: [
    ...[linear([4], 1), linear([4], [0, -1, 0]), linear([2, 3], 4), linear([2, 3], -1, 1), linear([3, 2], np.slice(0, 2), 0)],
    ...[linear([3], [true, false, true]), linear([3], []), linear([2, 2], [0, 1], 0)],
  ],
  unique: [
    ...[curved([5]), curved([2, 3]), curved([3, 2], { axis: 0 }), curved([2, 3], { axis: -1, returnIndex: true }), curved([])],
    curved([4], { returnIndex: true, returnInverse: true, returnCounts: true }),
    curved([5], { equalNan: false }),
  ],
  concatenate: [
    of([[2], [3]], (a, b) => [[a, b]], "jointly"),
    of(
      [
        [2, 1],
        [2, 3],
      ],
      (a, b) => [[a, b], -1],
      "jointly",
    ),
    of([[2], [1, 2]], (a, b) => [[a, b], null], "jointly"),
  ],
  stack: [
    of([[3], [3]], (a, b) => [[a, b]], "jointly"),
    of(
      [
        [2, 3],
        [2, 3],
      ],
      (a, b) => [[a, b], 1],
      "jointly",
    ),
    of([[], []], (a, b) => [[a, b]], "jointly"),
  ],
  vstack: [of([[3], [2, 3]], (a, b) => [[a, b]], "jointly"), of([[], []], (a, b) => [[a, b]], "jointly")],
  hstack: [
    of([[3], [2]], (a, b) => [[a, b]], "jointly"),
    of(
      [
        [2, 1],
        [2, 3],
      ],
      (a, b) => [[a, b]],
      "jointly",
    ),
  ],
  dstack: [
    of([[3], [3]], (a, b) => [[a, b]], "jointly"),
    of(
      [
        [2, 1, 2],
        [2, 1, 1],
      ],
      (a, b) => [[a, b]],
      "jointly",
    ),
  ],
  columnStack: [of([[2], [2, 3]], (a, b) => [[a, b]], "jointly"), of([[3], [3]], (a, b) => [[a, b]], "jointly")],
  broadcastArrays: [of([[3], [2, 1]], (a, b) => [a, b]), of([[], [2]], (a, b) => [a, b])],
  meshgrid: [of([[3], [2]], (a, b) => [a, b]), of([[3], [2]], (a, b) => [a, b, { indexing: "ij", sparse: true }])],
} satisfies Record<string, readonly Sample[]>;
