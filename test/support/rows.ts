/** The exported operators as the tests walk over them: rows, functions with samples, arguments for either. Judges nothing. */
import { type DType, type NDArray, np } from "nabla";
import { DTYPES, isFloat, typedArrayOf } from "../../src/dtype.ts";
import * as members from "../../src/members.ts";
import type { HasRow, Pointwise, Row } from "../../src/op.ts";
import { MODULES, SAMPLES } from "../samples.ts";
import type { Fn } from "./derivatives.ts";
import type { Sample } from "./sample.ts";
import { arrayOf, LAYOUTS, type Next, type Shape, SPECIAL, samples, sizeOf } from "./sampling.ts";

export type AnyFn = (...args: unknown[]) => unknown;

/** Every exported function of the operator modules, once, under its first name. */
export const functions = new Map<AnyFn, string>();
for (const module of Object.values(MODULES))
  for (const [name, value] of Object.entries(module))
    if (typeof value === "function" && !/^class\b/.test(String(value)) && !functions.has(value as AnyFn))
      functions.set(value as AnyFn, name);

export interface PointwiseRow {
  readonly name: string;
  readonly fn: Fn;
  readonly row: Row;
  readonly p: Pointwise;
}

export const rows: PointwiseRow[] = [];
for (const [fn, name] of functions) {
  const { op } = fn as unknown as Partial<HasRow>;
  if (op?.pointwise !== undefined) rows.push({ name, fn: fn as Fn, row: op, p: op.pointwise });
}
export const byName = <T extends { name: string }>(list: readonly T[]): [string, T][] => list.map(item => [item.name, item]);
export const domainOf = (p: Pointwise): readonly [number, number] => p.spec.domain ?? [-3, 3];

/** n values of a dtype for an operand of a row: from its domain, and every third one special. */
export function mixed(p: Pointwise, dtype: DType, n: number, operand: number, next: Next): ArrayLike<number> {
  const special = SPECIAL[dtype];
  const inside = samples(n, domainOf(p), operand, next);
  const out = new (typedArrayOf(DTYPES.indexOf(dtype)))(n);
  for (let i = 0; i < n; i++)
    out[i] =
      next() < 1 / 3
        ? special[Math.floor(next() * special.length)]!
        : dtype === "bool"
          ? Number(next() < 0.5)
          : inside[i]! * (isFloat(DTYPES.indexOf(dtype)) ? 1 : 3);
  return out;
}

export const made = (p: Pointwise, dtype: DType, shape: Shape, operand: number, next: Next): NDArray =>
  arrayOf(mixed(p, dtype, sizeOf(shape), operand, next), shape, dtype);

export const FLOATS: readonly DType[] = ["float32", "float64"];
/** The dtypes to try a row in: floats, unless it refuses them. */
export const dtypesOf = (p: Pointwise): readonly DType[] => (p.spec.dtype === "integer" ? ["int32", "int8"] : FLOATS);

export function pickLayout(shape: Shape, next: Next): (typeof LAYOUTS)[number] {
  const fitting = LAYOUTS.filter(l => l.fits(shape));
  return fitting[Math.floor(next() * fitting.length)]!;
}
export const samplesOf = new Map<AnyFn, { name: string; list: readonly Sample[] }>();
for (const [name, list] of Object.entries(SAMPLES)) {
  const fn = (members as unknown as Record<string, AnyFn>)[name] ?? [...functions].find(([, known]) => known === name)?.[0];
  if (fn !== undefined) samplesOf.set(fn, { name, list });
}
export const sampled = [...samplesOf].map(([fn, { name, list }]): [string, { fn: AnyFn; list: readonly Sample[] }] => [name, { fn, list }]);

/** Distinct numbers, far enough from each other that no difference changes their order. */
export const arraysFor = (sample: Sample, dtype: DType, next: Next): NDArray[] => {
  const total = sample.shapes.reduce((n, shape) => n + sizeOf(shape), 0);
  const all = samples(total, [-0.06 * total - 1, 0.06 * total + 1], 0, next);
  let from = 0;
  return sample.shapes.map(shape => arrayOf(all.subarray(from, (from += sizeOf(shape))), shape, dtype));
};

/** What a function gives as a list of arrays; a bare boolean counts as one. */
export const results = (value: unknown): NDArray[] =>
  (Array.isArray(value) ? value : [typeof value === "boolean" ? np.array(value) : value]) as NDArray[];
