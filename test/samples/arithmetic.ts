/** Samples for the operators of this family that are not pointwise. */
import { of, type Sample } from "../support/sample.ts";

const pairs: readonly Sample[] = [
  of([[5], [5]], (x, y) => [x, y]),
  of([[2, 3], [3]], (x, y) => [x, y, { rtol: 0, atol: 0.5 }]),
  of([[3]], x => [x, x, { equalNan: true }]),
  of([[0]], x => [x, 1]),
];
const whole: readonly Sample[] = [
  of([[5], [5]], (x, y) => [x, y]),
  of([[2, 3]], x => [x, x?.copy(), { equalNan: true }]),
  of([[2, 3], [3]], (x, y) => [x, y]),
];

export const arithmetic = { isclose: pairs, allclose: pairs, arrayEqual: whole } satisfies Record<string, readonly Sample[]>;
