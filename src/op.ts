/**
 * What an operator is: the row, the factories that make a public function of one, and the way from arrays to kernels.
 * It knows no operator and not the walk.
 */
import { type ArrayInput, addressOf, blank, blankLike, isLarge, memoryOf, NDArray, repeatable, Storage } from "./array.ts";
import { address, Block, scratch } from "./backend/wasm/heap.ts";
import { call1, call2, call3 } from "./backend/wasm/index.ts";
import { isWide, toArray, toIntegers } from "./convert.ts";
import { BOOL, DTYPES, F32, F64, fits, I8, I32, isFloat, promote, promoteNumber, SHIFT } from "./dtype.ts";
import { checkOptions, DTypeError, describe, GradError, ShapeError, ValueError } from "./errors.ts";
import { arg, argsOf, Expr, substitute, Traced, toExpr, trace } from "./expr.ts";
import { foldTo, LARGE } from "./fold.ts";
import { alone, asCondition, Family, laneOf, mapAnew, mappedAgain, runMap, writeMap } from "./launch.ts";
import { isMapped, type Lifting, mapper, mapping } from "./mapped.ts";
import { broadcastShapes, SCALAR, type Shape, sameShape, showShape, sizeOf } from "./shape.ts";
import { type Kept, type Like, Node, nodeOf, recording, Saved } from "./tape.ts";

// ---------------------------------------------------------------- rows

/** What a rule may read, restored as arrays: null for what it did not ask to keep. */
export interface Call {
  readonly y: NDArray;
  readonly inputs: readonly (NDArray | number)[];
  readonly attrs: unknown;
  /** Shape and dtype of each input. */
  readonly like: readonly Like[];
  /** Whether anybody differentiates the input. */
  readonly wants: readonly boolean[];
}

export type Part = NDArray | number | null;

/** An operator. The walk applies `rule`, or `fused` where no graph of the gradient is wanted. */
export interface Row {
  readonly name: string;
  readonly kind: "pointwise" | "structural" | "reduction" | "selection" | "function" | "freed";
  /** Gradients for the inputs, written in public operators, so that they can be differentiated again. */
  readonly rule: ((g: NDArray, call: Call) => readonly Part[]) | null;
  /** The gradient for one input, by one kernel; g itself where it passes through unchanged. */
  readonly fused: ((node: Node, g: NDArray, input: number) => NDArray) | null;
  /** Adds the gradient of the first input, the only one differentiated, to an array of the walk's own. */
  readonly into?: ((target: NDArray, g: NDArray, attrs: unknown, inputs: readonly NDArray[]) => void) | undefined;
  /** Adds the gradient of one input to an array of the walk's own, or says false: then the rule makes it. */
  readonly addTo?: ((target: NDArray, g: NDArray, input: number, inputs: readonly NDArray[]) => boolean) | undefined;
  /** Turns the result's gradient, an array of the walk's own, into that of the first input, in place. */
  readonly erase?: (g: NDArray, inputs: readonly NDArray[]) => void;
  /** The result as a view of the input, or null where it would be a copy. */
  readonly window?: ((x: NDArray, attrs: unknown) => NDArray | null) | undefined;
  /** Linear in its float inputs: the row itself, to be applied to tangents. */
  readonly linear?: { readonly in: "jointly" | "each"; readonly apply: (xs: readonly NDArray[], attrs: unknown) => NDArray } | undefined;
  /** The kernels behind it, for snapshots and tests; only pointwise rows have them. */
  readonly pointwise?: Pointwise;
}

/** The row of a node that a backward has used up. */
export const FREED: Row = { name: "freed", kind: "freed", rule: null, fused: null };

export interface OutOption {
  /** An array of the result's shape and dtype that takes the result; not while recording an attached array. */
  out?: NDArray;
}

/** The `out` among options; what is no options object is a surplus argument. */
export function outOf(options: unknown, operator: string, known: readonly string[] = ["out"]): NDArray | undefined {
  // Surplus arguments are ignored, as when a function is handed to list.map.
  if (typeof options !== "object" || options === null || Array.isArray(options) || options instanceof NDArray) return undefined;
  checkOptions(operator, options, known);
  const { out } = options as OutOption;
  if (out !== undefined && !(out instanceof NDArray)) throw new ValueError(`${operator}: out must be an array, got ${describe(out)}`);
  return out;
}

/** Refuses an `out` of another shape or dtype, a broadcast view, and one that a graph would have to follow. */
export function checkOut(out: NDArray, shape: Shape, code: number, xs: readonly (NDArray | number)[], operator: string): void {
  if (!sameShape(out.shape, shape))
    throw new ShapeError(`${operator}: out has shape ${showShape(out.shape)}, the result ${showShape(shape)}; they must be equal`);
  if (out.code !== code) throw new DTypeError(`${operator}: out is ${out.dtype}, the result ${DTYPES[code]}; they must be equal`);
  checkWritable(out, operator);
  if (recording && (edgeOf(out) !== null || xs.some(x => typeof x !== "number" && edgeOf(x) !== null)))
    throw new GradError(
      `${operator}: out cannot be used while recording an attached array; leave it out, or compute inside autograd.pause`,
    );
}

export function checkWritable(x: NDArray, operator: string): void {
  if (x.size > 0 && x.view?.some((s, axis) => s === 0 && x.shape[axis]! > 1))
    throw new ValueError(`${operator}: a broadcast view cannot be written to, its elements share memory; write to a copy()`);
}

// ---------------------------------------------------------------- recording

/** The edge of an array for what is recorded now; a view's is made anew after a recorded write to its memory. */
export function edgeOf(x: NDArray): Node | null {
  return x.base === null ? x.edge : edgeOfView(x, x.base);
}

function edgeOfView(x: NDArray, { derive }: NDArray): Node | null {
  if (x.derive === derive) return x.edge;
  x.derive = derive;
  return (x.edge = derive!(x));
}

export const save = (x: NDArray): Saved => new Saved(x.storage.block, x.offset, x.shape, x.view, x.size, x.code);

/** The same for a node whose inputs all have its result's shape and dtype: mostly the block says it all. */
function saveUniform(x: NDArray): Kept {
  if (x.view !== null || x.offset !== 0) return save(x);
  const { block } = x.storage;
  block.saved++;
  return block;
}

/** A kept value as an array again; `result` is any array of the node's result's shape and dtype. */
export function restore(kept: Kept, edge: Node | null, result: NDArray): NDArray | number | null {
  if (kept === null || typeof kept === "number") return kept;
  if (kept instanceof Block) {
    const x = new NDArray(new Storage(kept), 0, result.shape, null, result.size, result.code);
    x.edge = edge;
    return x;
  }
  return restoreSaved(kept, edge);
}

export function restoreSaved(kept: Saved, edge: Node | null): NDArray {
  const x = new NDArray(new Storage(kept.block), kept.offset, kept.shape, kept.view, kept.size, kept.code);
  x.edge = edge;
  return x;
}

const likeOf = (x: NDArray | number, y: NDArray): Like =>
  typeof x === "number" ? { shape: SCALAR, code: y.code } : { shape: x.shape, code: x.code };

/** The likes of the inputs, by their numbers: what was kept of an input tells them too, in a list with one more place. */
function likes(xs: readonly (NDArray | number)[], kept: readonly Kept[], y: NDArray): readonly Like[] {
  for (let i = 0; i < xs.length; i++) if (!(kept[i] instanceof Saved)) return xs.map(x => likeOf(x, y));
  return kept as unknown as readonly Like[];
}

/**
 * Gives `y` its node if recording is on and an input has an edge. `reads[i]` lists what the gradient of input i reads:
 * numbers of inputs, and the number of inputs for the result.
 */
export function recordCall(
  row: Row,
  xs: readonly (NDArray | number)[],
  y: NDArray,
  attrs: unknown,
  reads: readonly (readonly number[])[],
): void {
  if (!recording) return;
  const n = xs.length;
  // Not grown by push, which makes room for 17.
  const parents: (Node | null)[] = n === 1 ? [null] : n === 2 ? [null, null] : new Array<Node | null>(n).fill(null);
  let found = false;
  let differ = false;
  for (let i = 0; i < n; i++) {
    const x = xs[i]!;
    if (typeof x === "number") continue;
    const edge = edgeOf(x);
    parents[i] = edge;
    if (edge !== null) found = true;
    if (x.code !== y.code || !sameShape(x.shape, y.shape)) differ = true;
  }
  if (!found) {
    for (const x of xs) if (typeof x !== "number" && typeof x.cause === "string") y.cause = passedOn(x.cause, y);
    return;
  }
  if (row.rule === null || !isFloat(y.code)) {
    y.cause = row.name;
    return;
  }
  const kept: Kept[] = n === 1 ? [null, null] : n === 2 ? [null, null, null] : new Array<Kept>(n + 1).fill(null);
  for (let i = 0; i < n; i++) {
    if (parents[i] === null) continue;
    const list = reads[i];
    if (list === undefined) continue;
    for (let k = 0; k < list.length; k++) {
      const j = list[k]!;
      if (kept[j] !== null) continue;
      const value = j === n ? y : xs[j]!;
      kept[j] = typeof value === "number" ? value : save(value);
    }
  }
  y.edge = nodeOf(row, attrs, parents, kept, differ ? likes(xs, kept, y) : null);
}

/** What ended the graph of an operand ended it for y too; but y is no mask for being computed from one. */
const passedOn = (cause: string, y: NDArray): boolean | string =>
  cause === "detach" || isFloatMask(y) ? y.cause : y.code === F32 && questions.has(cause) ? "a comparison" : cause;

const NO_MASKS: readonly number[] = [0, 0];

/**
 * recordCall for two operands, the most frequent case: what the gradient of each reads comes as bits (1 and 2 for the
 * operands, 4 for the result); `uniform` says that all three have one shape and dtype.
 */
export function recordPair(
  row: Row,
  a: NDArray | number,
  b: NDArray | number,
  y: NDArray,
  masks: readonly number[],
  uniform: boolean,
): void {
  const ea = typeof a === "number" ? null : edgeOf(a);
  const eb = typeof b === "number" ? null : edgeOf(b);
  if (ea === null && eb === null) return;
  if (row.rule === null || y.code > F64) {
    y.cause = row.name;
    return;
  }
  const mask = (ea === null ? 0 : masks[0]!) | (eb === null ? 0 : masks[1]!);
  const ka = mask & 1 ? (typeof a === "number" ? a : uniform ? saveUniform(a) : save(a)) : null;
  const kb = mask & 2 ? (typeof b === "number" ? b : uniform ? saveUniform(b) : save(b)) : null;
  const ky = mask & 4 ? (uniform ? saveUniform(y) : save(y)) : null;
  y.edge = new Node(row, 2, ea, eb, ka, kb, ky, uniform ? null : likes([a, b], [ka, kb, ky], y));
}

// ---------------------------------------------------------------- pointwise

/**
 * What a pointwise operator of operands X is. The rule is written on arrays; the same rule run on symbols becomes a kernel.
 */
export interface PointwiseSpec<X extends readonly NDArray[] = readonly NDArray[]> {
  /** The value of one element; the last argument is the lane's dtype code. */
  readonly value: (...args: [...{ [I in keyof X]: Expr }, number]) => Expr;
  /** Null: there is no derivative, and the graph ends here. */
  readonly grad: ((g: NDArray, y: NDArray, ...x: X) => readonly Part[]) | null;
  /** The result's dtype for the promoted one: "same", "float" (integers become float32), "integer" (floats are refused) or "bool". */
  readonly dtype?: "same" | "float" | "integer" | "bool";
  /** Integers become float32, whatever the dtype of the result. */
  readonly floats?: boolean;
  /** What bool operands count as: int8 ("int"), nothing this row takes ("refused"), or bools. Default: bools. */
  readonly bool?: "int" | "refused";
  /** Where tests and plots may sample each operand. */
  readonly domain?: readonly [number, number];
  /** Operands that carry no gradient: conditions. Their dtype does not take part in promotion. */
  readonly discrete?: readonly number[];
}

/** The gradient of one input as a kernel: which values it reads, and the expression over just those. */
export interface Slope {
  /** Numbers of inputs; the arity for the result, arity + 1 for the cotangent. */
  readonly sources: readonly number[];
  readonly value: Expr;
  /** The cotangent passes through unchanged. */
  readonly passes: boolean;
  /** Kernels for sources that all have the lane's dtype, and for others by their dtypes. */
  uniform: Family | null;
  readonly families: Map<number, Family>;
}

/** The dtype of comparisons: bool, or float32 as in the chapter. */
let comparison = BOOL;

export function setComparison(code: number): void {
  comparison = code;
}

/** Whether an array is the result of a comparison that was asked to answer in float32: a mask all the same. */
export const isFloatMask = (x: NDArray): boolean => x.code === F32 && typeof x.cause === "string" && questions.has(x.cause);

/** The names of the rows that answer in bool. */
const questions = new Set<string>();

/** Everything read off one pointwise spec. */
export class Pointwise {
  private readonly forward = new Map<number, Family>();
  private readonly uniform: (Family | undefined)[] = [];
  private readonly slopes: (readonly Slope[] | undefined)[] = [];
  private readonly kept: (readonly (readonly number[])[] | undefined)[] = [];
  private readonly bits: (readonly number[] | undefined)[] = [];

  constructor(
    readonly name: string,
    readonly arity: number,
    readonly spec: PointwiseSpec,
  ) {}

  /** The dtype computed in: that in which arrays meet, made float where the row says so; a number besides makes bools integers. */
  meet(promoted: number, besideNumber = false): number {
    if ((this.spec.dtype === "float" || this.spec.floats === true) && !isFloat(promoted)) return F32;
    if (this.spec.dtype === "integer" && isFloat(promoted))
      throw new DTypeError(`${this.name}: takes integers and bools, got ${DTYPES[promoted]}; use astype("int32")`);
    if (this.spec.bool === undefined || promoted !== BOOL) return promoted;
    if (besideNumber || this.spec.bool === "int") return besideNumber ? I32 : I8;
    throw new DTypeError(`${this.name}: takes no bools; use astype("int32"), or a logical function`);
  }

  resultCode(met: number): number {
    return this.spec.dtype === "bool" ? comparison : met;
  }

  expression(lane: number): Expr {
    const args = Array.from({ length: this.arity }, (_, i) => arg(i));
    return tracing(lane, () => this.spec.value(...args, lane));
  }

  /** The kernels for operands that all have the dtype they meet in. */
  sameFamily(code: number): Family {
    const key = this.resultCode(code) * 8 + code;
    return (this.uniform[key] ??= this.family(new Array<number>(this.arity).fill(code), code));
  }

  family(codes: readonly number[], met: number): Family {
    const key = codes.reduce((k, c) => k * 8 + c, this.resultCode(met) * 8 + met);
    let found = this.forward.get(key);
    if (found === undefined)
      this.forward.set(key, (found = new Family(this.expression(laneOf(met)), codes, laneOf(met), this.resultCode(met))));
    return found;
  }

  /** The gradients of all inputs as expressions, made by running the rule on symbols. */
  slopesOf(lane: number): readonly Slope[] {
    return (this.slopes[lane] ??= this.trace(lane));
  }

  private trace(lane: number): readonly Slope[] {
    const rule = this.spec.grad;
    if (rule === null) return [];
    const n = this.arity;
    const symbols = Array.from({ length: n + 2 }, (_, i) => arg(i));
    const asArrays = symbols as unknown as NDArray[];
    const parts = tracing(lane, () => rule(asArrays[n + 1]!, asArrays[n]!, ...asArrays.slice(0, n)));
    return Array.from({ length: n }, (_, i) => {
      const e = toExpr((parts[i] ?? 0) as unknown as Expr | number);
      const sources = argsOf(e);
      const renumbered: Expr[] = [];
      sources.forEach((s, position) => {
        renumbered[s] = arg(position);
      });
      const value = substitute(e, renumbered);
      return { sources, value, passes: e.op === "arg" && e.value === n + 1, uniform: null, families: new Map() };
    });
  }

  /** What the gradient of each input reads besides the cotangent. */
  reads(lane: number): readonly (readonly number[])[] {
    return (this.kept[lane] ??= this.slopesOf(lane).map(s => s.sources.filter(j => j <= this.arity)));
  }

  /** The same for two operands, as bits. */
  masks(lane: number): readonly number[] {
    if (lane > F64 || this.spec.grad === null) return NO_MASKS;
    return (this.bits[lane] ??= this.reads(lane).map(list => list.reduce((mask, j) => mask | (1 << j), 0)));
  }

  slopeFamily(slope: Slope, codes: readonly number[], lane: number): Family {
    const key = codes.reduce((k, c) => k * 8 + c, lane);
    let found = slope.families.get(key);
    if (found === undefined) slope.families.set(key, (found = new Family(slope.value, codes, lane, lane)));
    return found;
  }

  private operands(node: Node, g: NDArray, sources: readonly number[]): (NDArray | number)[] {
    return sources.map(s => (s > this.arity ? g : restore(node.kept(s), null, g)!));
  }

  /**
   * The gradient of one input by one kernel: of a large broadcast one summed to its shape, else in that of g. Differentiable rows
   * compute in floats, so the lane is the cotangent's dtype.
   */
  fused = (node: Node, g: NDArray, input: number): NDArray => {
    const lane = g.code;
    const slope = this.slopesOf(lane)[input]!;
    if (slope.passes) return g;
    const { sources } = slope;
    const k = sources.length;
    const like = node.like === null || g.size < LARGE ? null : node.like[input]!;
    if (like !== null && k > 0 && sizeOf(like.shape) < g.size) return foldTo(this.operands(node, g, sources), like.shape, g, slope.value);
    const out = blankLike(g);
    if (k === 0) {
      const start = addressOf(out) >> SHIFT[lane]!;
      memoryOf(lane).fill(slope.value.value, start, start + out.size);
      return out;
    }
    if (node.like === null && g.view === null && k <= 3 && g.size <= alone && g.size > 0) {
      // Everything has the result's shape and dtype: straight from addresses to the kernel.
      let scalars = 0;
      let plain = true;
      let a = 0;
      let b = 0;
      let c = 0;
      for (let i = 0; i < k; i++) {
        const source = sources[i]!;
        let at: number;
        if (source > this.arity) at = addressOf(g);
        else {
          const kept = node.kept(source);
          if (typeof kept === "number") {
            scalars |= 1 << i;
            at = scratch(i, kept, lane);
          } else if (kept instanceof Block) at = address(kept);
          else if (kept === null || kept.view !== null) {
            plain = false;
            break;
          } else at = address(kept.block) + (kept.offset << SHIFT[lane]!);
        }
        if (i === 0) a = at;
        else if (i === 1) b = at;
        else c = at;
      }
      if (plain) {
        const f = (slope.uniform ??= this.slopeFamily(slope, new Array<number>(k).fill(lane), lane)).kernel(scalars);
        const to = addressOf(out);
        if (k === 1) call1(f, a, to, g.size);
        else if (k === 2) call2(f, a, b, to, g.size);
        else call3(f, a, b, c, to, g.size);
        return out;
      }
    }
    const operands = this.operands(node, g, sources);
    const codes = operands.map(x => (typeof x === "number" ? lane : x.code));
    runMap(this.slopeFamily(slope, codes, lane), operands, out);
    return out;
  };
}

let tracedLane = F32;

function tracing<T>(lane: number, fn: () => T): T {
  const outer = tracedLane;
  tracedLane = lane;
  try {
    return fn();
  } finally {
    tracedLane = outer;
  }
}

/** A function made of a row carries it. */
export interface HasRow {
  readonly op: Row;
}

/**
 * What derivatives are taken of: a function of arrays, or one of np's own whose further parameters need not be arrays. (The
 * latter by its row and not by its parameters, from which the compiler would have to guess those of `x => …`.)
 */
export type ArrayFunction = ((...args: NDArray[]) => NDArray) | HasRow;

/** What stands last: options, or the position that list.map and list.reduce hand over, which counts for nothing. */
export type Trailing<O> = O | number;

export type Unary = ((x: ArrayInput, options?: Trailing<OutOption>) => NDArray) & HasRow;
export type Binary = ((x1: ArrayInput, x2: ArrayInput, options?: Trailing<OutOption>) => NDArray) & HasRow;
export type Ternary = ((x1: ArrayInput, x2: ArrayInput, x3: ArrayInput) => NDArray) & HasRow;

function pointwiseRow<X extends readonly NDArray[]>(name: string, arity: number, typed: PointwiseSpec<X>): [Row, Pointwise] {
  const spec = typed as unknown as PointwiseSpec;
  const p = new Pointwise(name, arity, spec);
  const { grad } = spec;
  if (spec.dtype === "bool") questions.add(name);
  const rule =
    grad === null
      ? null
      : (g: NDArray, call: Call): readonly Part[] => {
          const outer = withinRule;
          withinRule = true;
          try {
            return grad(g, call.y, ...(call.inputs as NDArray[]));
          } finally {
            withinRule = outer;
          }
        };
  return [{ name, kind: grad === null ? "selection" : "pointwise", rule, fused: grad === null ? null : p.fused, pointwise: p }, p];
}

/**
 * Whether a rule is running. It writes down the gradients of all inputs; what belongs to one that nobody differentiates
 * reads a value that was not kept, null, and gives null.
 */
let withinRule = false;

/** Any operands of a pointwise row: symbols, numbers, lists, arrays of several shapes and dtypes. */
export function applyPointwise(row: Row, p: Pointwise, given: readonly ArrayInput[], options: unknown): NDArray {
  const { name, arity, spec } = p;
  if (given.some(x => (x as unknown) instanceof Traced)) return trace(row, given) as unknown as NDArray;
  if (given.some(x => (x as unknown) instanceof Expr))
    return spec.value(...given.map(x => toExpr(x as unknown as Expr | number)), tracedLane) as unknown as NDArray;
  if (withinRule && given.includes(null as unknown as ArrayInput)) return null as unknown as NDArray;
  const read: typeof toArray = spec.dtype === "integer" ? toIntegers : toArray;
  const discrete = spec.discrete ?? [];
  const wide = given.find((x, i) => isWide(x) && !discrete.includes(i));
  const xs: (NDArray | number)[] = given.map(x => (typeof x === "number" ? x : read(x, name, wide)));
  if (mapping > 0 && xs.some(isMapped)) {
    if (outOf(options, name) !== undefined) throw new ValueError(`${name}: out cannot be given under vmap; leave it out`);
    return mapper!.broadcast(ys => applyPointwise(row, p, ys as ArrayInput[], undefined), xs, name);
  }
  if (xs.every((x, i) => typeof x === "number" || discrete.includes(i))) xs[arity - 1] = read(given[arity - 1]!, name);
  for (const i of discrete) xs[i] = asCondition(xs[i]!);
  let promoted = -1;
  let shape: Shape | null = null;
  xs.forEach((x, i) => {
    if (typeof x === "number") return;
    if (!discrete.includes(i)) promoted = promoted < 0 ? x.code : promote(promoted, x.code);
    shape = shape === null ? x.shape : broadcastShapes(shape, x.shape, name);
  });
  // Weak numbers come last: they follow the dtype of the arrays, and only change an integer one by not being integers themselves.
  const numbers = xs.filter(x => typeof x === "number");
  let met = p.meet(promoted, numbers.length > 0);
  for (const integral of [false, true])
    for (const x of numbers)
      if (Number.isInteger(x) === integral)
        met = promote(met, p.meet(spec.dtype === "bool" ? comparedWith(met, x) : promoteNumber(met, x, name)));
  const codes = xs.map(x => (typeof x === "number" ? laneOf(met) : x.code));
  const out = outOf(options, name);
  const code = p.resultCode(met);
  if (out !== undefined) checkOut(out, shape!, code, xs, name);
  const family = p.family(codes, met);
  const y = out ?? mapAnew(family, xs, shape!);
  if (out !== undefined) writeMap(family, xs, out);
  if (spec.dtype === "bool" && code !== BOOL) y.cause = name;
  const ends = spec.grad === null || !isFloat(code);
  if (recording && !ends) recordCall(row, xs, y, null, p.reads(code));
  else if (recording && xs.some(x => typeof x !== "number" && edgeOf(x) !== null)) y.cause = name;
  return y;
}

/** The dtype in which integers are compared with a number: float64 unless it is one of theirs, so that every number has an answer. */
function comparedWith(code: number, value: number): number {
  if (code <= F64) return code;
  return Number.isInteger(value) && fits(code, value) ? promoteNumber(code, value, "compare") : F64;
}

/* @__NO_SIDE_EFFECTS__ */
export function unary(name: string, spec: PointwiseSpec<[NDArray]>): Unary {
  const [row, p] = pointwiseRow(name, 1, spec);
  const differentiable = spec.grad !== null;
  const fn = (x: ArrayInput, options?: Trailing<OutOption>): NDArray => {
    if (x instanceof NDArray && options === undefined && x.view === null && x.size <= alone && x.size > 0) {
      const met = p.meet(x.code);
      if (met === x.code) {
        const family = p.sameFamily(met);
        const f = family.kernel(0);
        const y = blank(x.shape, x.size, family.out);
        const from = addressOf(x);
        call1(f, from, addressOf(y), x.size);
        if (isLarge(y)) mappedAgain(y, family, [x]);
        if (recording) {
          const edge = edgeOf(x);
          if (edge !== null) {
            if (!differentiable || !isFloat(met)) y.cause = name;
            else {
              const reads = p.reads(met)[0]!;
              const kx = reads[0] === 0 ? saveUniform(x) : null;
              const ky = reads[reads.length - 1] === 1 ? saveUniform(y) : null;
              y.edge = new Node(row, 1, edge, null, kx, ky, null, null);
            }
          }
        }
        return y;
      }
    }
    return applyPointwise(row, p, [x], options);
  };
  return Object.assign(rename(fn, name), { op: row });
}

/* @__NO_SIDE_EFFECTS__ */
export function binary(name: string, spec: PointwiseSpec<[NDArray, NDArray]>): Binary {
  const [row, p] = pointwiseRow(name, 2, spec);
  const masks = spec.dtype === "bool";
  const integral = spec.dtype === "integer";
  /** The kernel's result for two contiguous operands or numbers of one dtype, in the shape of `like`; `scalars` as in Family. */
  const run = (a: NDArray | number, b: NDArray | number, like: NDArray, scalars: number): NDArray => {
    const { code } = like;
    const family = p.sameFamily(code);
    const f = family.kernel(like.size === 1 ? 0 : scalars);
    const y = blank(like.shape, like.size, family.out);
    const first = typeof a === "number" ? scratch(0, a, code) : addressOf(a);
    const second = typeof b === "number" ? scratch(1, b, code) : addressOf(b);
    call2(f, first, second, addressOf(y), like.size);
    if (masks && comparison !== BOOL) y.cause = name;
    return isLarge(y) ? mappedAgain(y, family, [a, b]) : y;
  };
  const fn = (a: ArrayInput, b: ArrayInput, options?: Trailing<OutOption>): NDArray => {
    if (options === undefined) {
      if (a instanceof NDArray) {
        if (a.view === null && a.size <= alone && a.size > 0) {
          const { code } = a;
          if (b instanceof NDArray) {
            if (b.code === code && b.view === null && p.meet(code) === code) {
              if (sameShape(a.shape, b.shape)) {
                const y = run(a, b, a, 0);
                if (recording) recordPair(row, a, b, y, p.masks(y.code), true);
                return y;
              }
              if (b.size === 1 && b.shape.length <= a.shape.length) {
                const y = run(a, b, a, 2);
                if (recording) recordPair(row, a, b, y, p.masks(y.code), false);
                return y;
              }
            }
          } else if (typeof b === "number" && code <= F64 && !integral) {
            const y = run(a, b, a, 2);
            if (recording) recordPair(row, a, b, y, p.masks(y.code), true);
            return y;
          }
        }
      } else if (
        typeof a === "number" &&
        b instanceof NDArray &&
        b.view === null &&
        b.size <= alone &&
        b.size > 0 &&
        b.code <= F64 &&
        !integral
      ) {
        const y = run(a, b, b, 1);
        if (recording) recordPair(row, a, b, y, p.masks(y.code), true);
        return y;
      }
    }
    return applyPointwise(row, p, [a, b], options);
  };

  return Object.assign(rename(fn, name), { op: row });
}

export const ternary = /* @__NO_SIDE_EFFECTS__ */ (name: string, spec: PointwiseSpec<[NDArray, NDArray, NDArray]>): Ternary =>
  pointwise(name, 3, spec);

/** A function of any number of operands. */
/* @__NO_SIDE_EFFECTS__ */
export function pointwise<X extends readonly NDArray[]>(
  name: string,
  arity: number,
  spec: PointwiseSpec<X>,
): ((...xs: ArrayInput[]) => NDArray) & HasRow {
  const [row, p] = pointwiseRow(name, arity, spec);
  const fn = (...xs: ArrayInput[]): NDArray =>
    applyPointwise(
      row,
      p,
      Array.from({ length: arity }, (_, i) => xs[i]!),
      undefined,
    );
  return Object.assign(rename(fn, name), { op: row });
}

function rename<F extends (...args: never[]) => unknown>(fn: F, name: string): F {
  return Object.defineProperty(fn, "name", { value: name });
}

// ---------------------------------------------------------------- structural rows

export interface StructuralSpec<A> extends Lifting<A>, Pick<Row, "addTo"> {
  /** Computes the result; arguments are checked already. */
  readonly run: (xs: readonly NDArray[], attrs: A) => NDArray;
  /** Null: there is no derivative, and the graph ends here. */
  readonly grad: ((g: NDArray, call: Call & { readonly attrs: A; readonly inputs: readonly NDArray[] }) => readonly Part[]) | null;
  /** What the gradient of each input reads: numbers of inputs, and the number of inputs for the result. */
  readonly reads?: readonly (readonly number[])[];
  /** The gradient for one input straight from kernels, where the rule would take many small calls. */
  readonly fused?: Row["fused"];
  /** As in a row: what would be zeros but for some places need not be made for each of many reads. */
  readonly into?: (target: NDArray, g: NDArray, attrs: A, inputs: readonly NDArray[]) => void;
  /** Takes not much longer than a copy, with attributes that hold no arrays: a large result that must make room is computed again. */
  readonly cheap?: boolean;
  /** The result is a view of input 0, if its strides allow. */
  readonly view?: boolean;
  /** Linear in all float inputs together, or in each of them alone. */
  readonly linear?: "jointly" | "each";
  readonly kind?: Row["kind"];
}

/** A row that is applied to a list of arrays with attributes; the public function checks its arguments and calls it. */
export type Structural<A> = ((xs: readonly NDArray[], attrs: A) => NDArray) & HasRow;

/** How common attributes get one more axis in front. */
export const liftAxis = (axis: number): number => axis + 1;
export const liftShape = (shape: Shape, n: number): Shape => [n, ...shape];
export const liftAxes = <A extends { readonly axes: readonly number[] }>(attrs: A): A => ({ ...attrs, axes: attrs.axes.map(liftAxis) });
export const liftNothing = <A>(attrs: A): A => attrs;

const shown = (y: NDArray, x: NDArray): NDArray | null => (y.storage === x.storage ? y : null);

/* @__NO_SIDE_EFFECTS__ */
export function structural<A>(name: string, spec: StructuralSpec<A>): Structural<A> {
  const row: Row = {
    name,
    kind: spec.kind ?? "structural",
    rule: spec.grad as Row["rule"],
    fused: spec.fused ?? null,
    into: spec.into as Row["into"],
    addTo: spec.addTo,
    linear: spec.linear && { in: spec.linear, apply: (xs, attrs) => fn(xs, attrs as A) },
    window: spec.view === true ? (x, attrs) => shown(spec.run([x], attrs as A), x) : undefined,
  };
  const reads = spec.reads ?? [];
  const fn = (xs: readonly NDArray[], attrs: A): NDArray => {
    if (mapping > 0 && xs.some(isMapped)) return mapper!.structural(fn, spec, xs, attrs);
    const y = spec.run(xs, attrs);
    if (spec.cheap === true && isLarge(y)) repeatable(y, xs, attrs, spec.run);
    if (recording) recordCall(row, xs, y, attrs, reads);
    return y;
  };
  return Object.assign(rename(fn, name), { op: row });
}
