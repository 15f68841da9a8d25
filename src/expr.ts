/**
 * Scalar expressions over a small set of machine operations: what an operator computes for one element, as data.
 * Every backend renders them; nothing here knows arrays, shapes or kernels.
 *
 * A lane is float32, float64 or int32 (the dtype an expression is rendered in). A comparison gives a mask, which is
 * read by `select`, `rare`, `and`, `or`, `xor` and `not`, and becomes 0 or 1 when it is stored.
 */
import { describe, ValueError } from "./errors.ts";
import type { Row } from "./op.ts";

/** The machine operations, by number of operands. The numbers of a name are its operands. */
export const MACHINE = {
  /** Operand number `value` of the kernel. */
  arg: 0,
  /** The constant `value`, rounded to the lane's type. */
  const: 0,
  neg: 1,
  abs: 1,
  sqrt: 1,
  /** To the nearest integer, ties to even. */
  nearest: 1,
  floor: 1,
  ceil: 1,
  trunc: 1,
  /** 2ⁿ for an integral n in the range of normal numbers (float32: -126 … 127, float64: -1022 … 1023); else undefined. */
  pow2: 1,
  /** For a normal x > 0, the integer e with x = m·2ᵉ and sqrt(1/2) <= m < sqrt(2); see `splitExponent`. */
  exponent: 1,
  /** The m that belongs to `exponent`. */
  mantissa: 1,
  /** x with the lower half of its significand cleared (float32 keeps 12 bits, float64 26), so that products of two are exact. */
  high: 1,
  /** Mask or bits: complement. */
  not: 1,
  /** x reduced exactly by multiples of π/2 to [-π/4, π/4], rounded to float64 and then to the lane; slow, for the third operand of `rare`. */
  piRemainder: 1,
  /** The integer n mod 4 that belongs to `piRemainder`: x = n·π/2 + r. */
  piQuadrant: 1,
  add: 2,
  sub: 2,
  mul: 2,
  /** The quotient; in int32 lanes truncated, and made an int32 as stores do: saturated, 0 for 0/0. */
  div: 2,
  /** Float lanes: what is left of x after whole multiples of y, exact, with the sign of x; slow, for the third operand of `rare`. */
  fmod: 2,
  /** int32 lanes, taken as unsigned: the greatest common divisor; slow. */
  gcd: 2,
  /** The smaller; NaN if either is NaN; -0 is smaller than 0. */
  min: 2,
  /** The larger; NaN if either is NaN. */
  max: 2,
  lt: 2,
  le: 2,
  gt: 2,
  ge: 2,
  eq: 2,
  ne: 2,
  /** Masks, or the bits of int32 lanes. */
  and: 2,
  or: 2,
  xor: 2,
  /** The absorbing product: 0 where the first operand is 0, else the product. A cotangent times a slope. */
  absorb: 2,
  /** select(mask, a, b): a where the mask is set, else b. Both are computed. */
  select: 3,
  /** rare(mask, fast, slow): as select(mask, slow, fast), but slow is computed only if some lane's mask is set. */
  rare: 3,
} as const;

export type Machine = keyof typeof MACHINE;

export class Expr {
  constructor(
    readonly op: Machine,
    readonly src: readonly Expr[],
    /** The constant of `const`, the operand's number of `arg`; else 0. */
    readonly value = 0,
  ) {}
}

let traced = 0;

/**
 * A symbol that remembers the operator it came from: what `fuse` runs a function on. Without a row, number `value` of the
 * function's arguments, or a constant. It stands in for an expression only so that operators know it as a symbol.
 */
export class Traced extends Expr {
  /** What messages call it. */
  static override readonly name = "symbol of npx.fuse";
  readonly id = ++traced;
  constructor(
    readonly row: Row | null,
    readonly operands: readonly Traced[],
    value = 0,
    readonly constant = false,
  ) {
    super("arg", [], value);
  }
}

/** The symbol for an operator's call on symbols and numbers. */
export function trace(row: Row, given: readonly unknown[]): Traced {
  const operands = given.map(x => {
    if (x instanceof Traced) return x;
    if (typeof x === "number" || typeof x === "boolean") return new Traced(null, [], Number(x), true);
    throw new ValueError(
      `${row.name}: ${describe(x)} inside npx.fuse is neither a number nor made of the arguments; make it an argument of the function`,
    );
  });
  return new Traced(row, operands);
}

/** What builds an expression: an expression, or a number that becomes a constant. */
export type Operand = Expr | number;

export const constant = (value: number): Expr => new Expr("const", [], value);
const ARGS: Expr[] = [];
/** The operand of a number, always the same object: kernels are known by their expression. */
export const arg = (index: number): Expr => (ARGS[index] ??= new Expr("arg", [], index));
export const toExpr = (x: Operand): Expr => (typeof x === "number" ? constant(x) : x);

const isConst = (x: Operand, value: number): boolean =>
  typeof x === "number" ? Object.is(x, value) : x.op === "const" && Object.is(x.value, value);

const unary =
  (op: Machine) =>
  (x: Operand): Expr =>
    new Expr(op, [toExpr(x)]);
const binary =
  (op: Machine) =>
  (x: Operand, y: Operand): Expr =>
    new Expr(op, [toExpr(x), toExpr(y)]);

// Folding happens only where IEEE 754 gives the same bits: x·1, x/1, x-0, -(-x). Not x·0, not x+0.
export const neg = (x: Operand): Expr => {
  const e = toExpr(x);
  return e.op === "neg" ? e.src[0]! : e.op === "const" ? constant(-e.value) : new Expr("neg", [e]);
};
export const mul = (x: Operand, y: Operand): Expr => (isConst(x, 1) ? toExpr(y) : isConst(y, 1) ? toExpr(x) : binary("mul")(x, y));
export const div = (x: Operand, y: Operand): Expr => (isConst(y, 1) ? toExpr(x) : binary("div")(x, y));
export const sub = (x: Operand, y: Operand): Expr => (isConst(y, 0) ? toExpr(x) : binary("sub")(x, y));
export const add = binary("add");
export const fmod = binary("fmod");
export const gcd = binary("gcd");
export const min = binary("min");
export const max = binary("max");
export const lt = binary("lt");
export const le = binary("le");
export const gt = binary("gt");
export const ge = binary("ge");
export const eq = binary("eq");
export const ne = binary("ne");
export const and = binary("and");
export const or = binary("or");
export const xor = binary("xor");
export const abs = unary("abs");
export const sqrt = unary("sqrt");
export const nearest = unary("nearest");
export const floor = unary("floor");
export const ceil = unary("ceil");
export const trunc = unary("trunc");
export const pow2 = unary("pow2");
export const exponent = unary("exponent");
export const mantissa = unary("mantissa");
export const high = unary("high");
export const not = unary("not");
export const piRemainder = unary("piRemainder");
export const piQuadrant = unary("piQuadrant");
/** The only product that folds a 0: that is its meaning. */
export const absorb = (g: Operand, s: Operand): Expr =>
  isConst(g, 0) || isConst(s, 0) ? constant(0) : isConst(s, 1) ? toExpr(g) : isConst(g, 1) ? toExpr(s) : binary("absorb")(g, s);
export const select = (mask: Expr, a: Operand, b: Operand): Expr => new Expr("select", [mask, toExpr(a), toExpr(b)]);
export const rare = (mask: Expr, fast: Operand, slow: Operand): Expr => new Expr("rare", [mask, toExpr(fast), toExpr(slow)]);

const COMPARISONS: ReadonlySet<Machine> = new Set<Machine>(["lt", "le", "gt", "ge", "eq", "ne"]);

/** Whether an expression gives a mask, not a number. */
export function isMask(e: Expr): boolean {
  if (COMPARISONS.has(e.op)) return true;
  if (e.op === "and" || e.op === "or" || e.op === "xor" || e.op === "not") return isMask(e.src[0]!);
  return false;
}

/** Whether a number is not 0, as a mask; masks stay as they are. */
export const truth = (e: Expr): Expr => (isMask(e) ? e : ne(e, 0));

/** The operands an expression reads, ascending. */
export function argsOf(e: Expr): number[] {
  const found = new Set<number>();
  const seen = new Set<Expr>();
  const visit = (x: Expr): void => {
    if (seen.has(x)) return;
    seen.add(x);
    if (x.op === "arg") found.add(x.value);
    else x.src.forEach(visit);
  };
  visit(e);
  return [...found].sort((a, b) => a - b);
}

/** How many different machine operations an expression has. */
export function operationsOf(e: Expr): number {
  const seen = new Set<Expr>();
  const visit = (x: Expr): void => {
    if (x.src.length === 0 || seen.has(x)) return;
    seen.add(x);
    x.src.forEach(visit);
  };
  visit(e);
  return seen.size;
}

/** The expression with its operands replaced. */
export function substitute(e: Expr, operands: readonly Expr[]): Expr {
  const done = new Map<Expr, Expr>();
  const visit = (x: Expr): Expr => {
    if (x.op === "arg") return operands[x.value]!;
    if (x.op === "const") return x;
    let y = done.get(x);
    if (y === undefined) done.set(x, (y = new Expr(x.op, x.src.map(visit), x.value)));
    return y;
  };
  return visit(e);
}

/** A text that equal expressions share: the key of compiled kernels, and what snapshots show. Shared parts are named once. */
export function show(e: Expr): string {
  const names = new Map<Expr, number>();
  const uses = new Map<Expr, number>();
  const count = (x: Expr): void => {
    const n = uses.get(x) ?? 0;
    uses.set(x, n + 1);
    if (n === 0) x.src.forEach(count);
  };
  count(e);
  const visit = (x: Expr): string => {
    if (x.op === "arg") return `x${x.value}`;
    if (x.op === "const") return Object.is(x.value, -0) ? "-0" : String(x.value);
    const name = names.get(x);
    if (name !== undefined) return `$${name}`;
    const text = `${x.op}(${x.src.map(visit).join(",")})`;
    if (uses.get(x)! === 1) return text;
    names.set(x, names.size);
    return `$${names.size - 1}=${text}`;
  };
  return visit(e);
}
