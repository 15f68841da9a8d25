/** Samples for the operators of this family that are not pointwise. */
import { of, type Sample } from "../support/sample.ts";

export const elementary = {
  round: [of([[3, 4]], x => [x]), of([[5]], x => [x, -1])],
  nanToNum: [of([[3, 4]], x => [x], "jointly"), of([[5]], x => [x, { nan: 1, posinf: 2, neginf: 3 }], "jointly")],
  bitwiseNot: [of([[3, 4]], x => [x!.astype("int32")]), of([[5]], x => [x!.astype("bool")])],
} satisfies Record<string, readonly Sample[]>;
