/** How samples are written down: the arguments to try an operator on that is not pointwise. */
import { type NDArray, np } from "nabla";
import type { Shape } from "./sampling.ts";

export interface Sample {
  /** The shapes of the arrays, each of them filled with distinct numbers. */
  readonly shapes: readonly Shape[];
  /** The arguments, made of the arrays; they may not depend on the arrays' values. */
  readonly args: (...xs: NDArray[]) => readonly unknown[];
  /** Linear in all arrays together, or in each alone: then adjointness holds to rounding. */
  readonly linear?: "jointly" | "each";
}

export const of = (shapes: readonly Shape[], args: Sample["args"], linear?: Sample["linear"]): Sample => ({
  shapes,
  args,
  ...(linear === undefined ? {} : { linear }),
});
/** Samples of one array and the rest of the arguments, for a linear operator. */
export const linear = (shape: Shape, ...rest: readonly unknown[]): Sample => of([shape], x => [x, ...rest], "jointly");
/** The same for one that is not. */
export const curved = (shape: Shape, ...rest: readonly unknown[]): Sample => of([shape], x => [x, ...rest]);
/** A row that takes a list of arrays. */
export const row = (shape: Shape, attrs: unknown): Sample => of([shape], x => [[x], attrs], "jointly");

/** The array, and the same random numbers for whoever takes it. */
export function seeded(x: NDArray | undefined): unknown {
  np.random.seed(3);
  return x;
}

export const int32 = (values: number[], shape: Shape): NDArray => np.reshape(np.array(values, { dtype: "int32" }), shape);
