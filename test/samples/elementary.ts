/** Samples for the operators of this family that are not pointwise. */
import { np } from "nabla";
import { of, type Sample } from "../support/sample.ts";

/** Where numbers stand that nanToNum replaces. */
const SPECIAL = [
  [np.nan, 0, np.inf],
  [-np.inf, np.nan, 0],
];
const ODD = [
  [true, false, true],
  [true, true, false],
];

export const elementary = {
  round: [of([[3, 4]], x => [x]), of([[5]], x => [x, -1])],
  nanToNum: [
    of([[3, 4]], x => [x], "jointly"),
    of([[5]], x => [x, { nan: 1, posinf: 2, neginf: 3 }], "jointly"),
    of([[2, 3], [3], [2, 1], []], (x, nan, posinf, neginf) => [np.where(ODD, SPECIAL, x!), { nan, posinf, neginf }]),
  ],
  bitwiseNot: [of([[3, 4]], x => [x!.astype("int32")]), of([[5]], x => [x!.astype("bool")])],
} satisfies Record<string, readonly Sample[]>;
