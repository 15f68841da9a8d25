/** Samples for the operators of this family that are not pointwise. */
import type { Sample } from "../support/sample.ts";

export const searching = {} satisfies Record<string, readonly Sample[]>;
