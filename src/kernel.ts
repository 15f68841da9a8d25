/**
 * The narrow waist: what a backend is asked to compute, as plain data. Operators above make kernels, backends below
 * render them; neither knows the other.
 */
import type { Expr } from "./expr.ts";
import { show } from "./expr.ts";

/**
 * How an operand lies along the run of n elements that a kernel works through: "v", n elements side by side; or "s",
 * one element that stands for all of them (a 0-d array, a number, an axis that is broadcast).
 */
export type Mode = "v" | "s";

export interface KernelInput {
  /** The dtype code in which the operand is stored; it is converted to the lane on loading. */
  readonly dtype: number;
  readonly mode: Mode;
}

interface Pointwise {
  readonly inputs: readonly KernelInput[];
  /** The dtype code computed in: F32, F64 or I32 (int8, uint8 and bool are computed in int32 lanes). */
  readonly lane: number;
  /** The dtype code stored. From int32 lanes the low bits are kept, from float lanes int32 saturates; bool stores 1 for a set mask, or for a number that is not 0. */
  readonly out: number;
  /** What is computed for each element; its `arg` numbers are positions in `inputs`. */
  readonly value: Expr;
}

/** out[i] = value(inputs[…][i]) for i < n. Called with the byte addresses of the inputs and of out, and n. */
export interface MapKernel extends Pointwise {
  readonly kind: "map";
}

export type Combine = "add" | "mul" | "min" | "max";

/** out[0] = value(0) ∘ value(1) ∘ … ∘ value(n-1), in the fixed order that `REDUCTION` describes. Called like a map. */
export interface ReduceKernel extends Pointwise {
  readonly kind: "reduce";
  readonly combine: Combine;
}

export type Kernel = MapKernel | ReduceKernel;

/**
 * The order of a reduction, which depends on n and the lane only. With L lanes to a vector (4 for float32 and int32, 2
 * for float64) there are ACCUMULATORS vectors, all starting at the identity; vector k of the run (elements kL … kL+L-1)
 * is combined into accumulator k mod ACCUMULATORS, lanes beyond n counting as the identity. At the end accumulators are
 * combined as (0∘1)∘(2∘3), then its lanes as (0∘2)∘(1∘3) for four of them, 0∘1 for two.
 * Runs longer than BLOCK are reduced block by block by the caller, and the results reduced again.
 */
export const REDUCTION = {
  ACCUMULATORS: 4,
  BLOCK: 4096,
  /** -0 and not 0 for sums: -0 + x is x for every x. */
  identity: { add: -0, mul: 1, min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY } satisfies Record<Combine, number>,
  /** The same for int32 lanes. */
  integerIdentity: { add: 0, mul: 1, min: 2147483647, max: -2147483648 } satisfies Record<Combine, number>,
} as const;

/** A text that equal kernels share. */
export function kernelKey(k: Kernel): string {
  const inputs = k.inputs.map(i => `${i.dtype}${i.mode}`).join("");
  return `${k.kind === "map" ? "map" : k.combine}:${inputs}>${k.lane}>${k.out}:${show(k.value)}`;
}
