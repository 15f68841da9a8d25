/** Switches for the whole program. */
import { BOOL, F32 } from "../dtype.ts";
import { checkOptions, describe, ValueError } from "../errors.ts";
import { setComparison } from "../op.ts";

export interface NpOptions {
  /** What comparisons answer in: "bool" (the default), or "float32" as in the chapter's printing. */
  comparison?: "bool" | "float32";
}

/**
 * Chooses how comparisons answer; without options, the defaults. What remains of MXNet's npx.set_np.
 * @throws ValueError for another comparison.
 * @example npx.setNp() // undefined
 */
export function setNp(options?: NpOptions): void {
  checkOptions("setNp", options, ["comparison"]);
  const comparison = options?.comparison ?? "bool";
  if (comparison !== "bool" && comparison !== "float32")
    throw new ValueError(`setNp: comparison is "bool" or "float32", got ${describe(comparison)}`);
  setComparison(comparison === "bool" ? BOOL : F32);
}

/**
 * Does nothing: every result is there when its call returns. MXNet's npx.waitall, for programs that call it.
 * @example npx.waitall() // undefined
 */
export function waitall(): void {}
