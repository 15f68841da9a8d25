/**
 * What each pointwise row becomes, written down: the size of its expression and of its kernel, what it keeps for
 * backward, and the sizes of its slopes. A change that alters a kernel has to say so, in golden/kernels.txt; run
 * `npx vitest run test/snapshots.test.ts -u` to write it anew.
 */
import { expect, test } from "vitest";
import { assembleKernels } from "../src/backend/wasm/compiler.ts";
import { DTYPES, F32, F64 } from "../src/dtype.ts";
import { type Expr, isMask } from "../src/expr.ts";
import type { HasRow, Pointwise } from "../src/op.ts";
import * as pointwise from "../src/ops/pointwise.ts";

/** Operations of an expression, shared ones counted once; operands and constants are none. */
function operations(e: Expr): number {
  const seen = new Set<Expr>();
  const visit = (x: Expr): void => {
    if (seen.has(x)) return;
    seen.add(x);
    x.src.forEach(visit);
  };
  visit(e);
  return [...seen].filter(x => x.op !== "arg" && x.op !== "const").length;
}

/** The bytes of the module of one kernel over arrays of the lane's dtype. */
const bytes = (value: Expr, arity: number, lane: number, out: number): number =>
  assembleKernels(
    [{ kind: "map", inputs: Array.from({ length: arity }, () => ({ dtype: lane, mode: "v" as const })), lane, out, value }],
    false,
  ).length;

/** "a", "b", "c" for the operands, "y" for the result, "g" for the cotangent. */
const letter = (source: number, arity: number): string => (source > arity ? "g" : source === arity ? "y" : "abc"[source]!);

function lines(p: Pointwise): string[] {
  return [F32, F64].map(lane => {
    const value = p.expression(lane);
    const out = isMask(value) ? p.resultCode(lane) : lane;
    const forward = `${operations(value)} operations, ${bytes(value, p.arity, lane, out)} bytes`;
    const slopes = p.slopesOf(lane).map(({ sources, value: slope, passes }, i) => {
      const name = letter(i, p.arity);
      if (passes) return `d${name}: g`;
      const kept = p.reads(lane)[i]!.map(j => letter(j, p.arity));
      const size = `${operations(slope)} operations, ${bytes(slope, Math.max(1, sources.length), lane, lane)} bytes`;
      return `d${name} keeps ${kept.join(" ") || "nothing"}: ${size}`;
    });
    return `  ${DTYPES[lane]}  ${[forward, ...(p.spec.grad === null ? ["no derivative"] : slopes)].join(" | ")}`;
  });
}

test("kernels are as they were", async () => {
  const rows = new Map<Pointwise, string>();
  for (const [name, value] of Object.entries(pointwise)) {
    const p = (value as unknown as Partial<HasRow>).op?.pointwise;
    if (p !== undefined && !rows.has(p)) rows.set(p, name);
  }
  const text = [...rows]
    .map(([p, name]): [string, string] => [p.name, [name === p.name ? name : `${p.name} (${name})`, ...lines(p)].join("\n")])
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, block]) => block);
  expect(text.length).toBeGreaterThan(30);
  await expect(`${text.join("\n")}\n`).toMatchFileSnapshot("golden/kernels.txt");
});
