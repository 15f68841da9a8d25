/** Scopes of recording and mode, marking variables, operators that a user writes with `Function`, and `checkpoint`. */
import { type ArrayInput, addressOf, blankHost, forGood, memoryOf, NDArray, Storage } from "../array.ts";
import { generator } from "../backend/routines/philox.ts";
import { toArray } from "../convert.ts";
import { DTYPES, isFloat, promote, SHIFT } from "../dtype.ts";
import { asynchronous, checkFunction, checkOptions, DTypeError, describe, flag, GradError, ShapeError, ValueError } from "../errors.ts";
import { pull, whyNoGraph } from "../grad.ts";
import { asMapping, entries, isMapped, Mapped, mapper, mapping, physicalOf, unwrapped, wrapped } from "../mapped.ts";
import { checkWritable, edgeOf, FREED, type Row, restoreSaved, save } from "../op.ts";
import { sum } from "../ops/reduction.ts";
import { astype, reshape, type Slice, slice, unslice, zeroed } from "../ops/structural.ts";
import { SCALAR, type Shape, sameShape, showShape, sizeOf } from "../shape.ts";
import * as tape from "../tape.ts";
import { freeNode, type Like, leaf, type Node, nodeOf, type Saved } from "../tape.ts";

/** `Symbol.dispose` where the engine has it; TypeScript's `using` looks for the same. */
const dispose: typeof Symbol.dispose = Symbol.dispose ?? (Symbol.for("Symbol.dispose") as typeof Symbol.dispose);

/** A scope that stays until it is disposed of by `using`, or ended by hand. */
export interface Scope {
  /** Restores the flags as they were before the scope. */
  end(): void;
  [Symbol.dispose](): void;
}

export interface ModeOptions {
  /** Whether layers such as dropout behave as in training. */
  trainMode?: boolean;
}

function checkFlag(value: unknown, operator: string): boolean {
  if (typeof value !== "boolean") throw new ValueError(`${operator}: expected true or false, got ${describe(value)}`);
  return value;
}

/**
 * Runs the function given, or opens a scope where nothing is given, with these flags; null leaves one as it is. Restores
 * both, also when the function throws. One that is given and undefined is a mistake, and no wish for a scope. @internal
 */
export function within<T>(operator: string, given: readonly [fn?: () => T], record: boolean | null, train: boolean | null): T | Scope {
  const fn = given[0];
  if (given.length > 0) checkFunction(operator, fn);
  const wasRecording = tape.recording;
  const wasTraining = tape.training;
  if (record !== null) tape.setRecording(record);
  if (train !== null) tape.setTraining(train);
  if (fn === undefined) return openScope(wasRecording, wasTraining);
  try {
    const result = fn();
    if (!(result instanceof NDArray) && typeof (result as { then?: unknown } | null | undefined)?.then === "function")
      throw asynchronous(operator);
    return result;
  } finally {
    tape.setRecording(wasRecording);
    tape.setTraining(wasTraining);
  }
}

function openScope(wasRecording: boolean, wasTraining: boolean): Scope {
  const end = (): void => {
    tape.setRecording(wasRecording);
    tape.setTraining(wasTraining);
  };
  return { end, [dispose]: end } as Scope;
}

/** What a scope was opened with: nothing, options, or a function and perhaps options. */
type Given<T> = [first?: (() => T) | ModeOptions, second?: ModeOptions];

function moded<T>(operator: string, given: Given<T>, record: boolean, train: boolean): T | Scope {
  const [first, second] = given;
  const alone = typeof first === "object" && first !== null;
  const options = alone ? first : second;
  if (options !== undefined) checkOptions(operator, options, ["trainMode"]);
  return within(
    operator,
    alone || given.length === 0 ? [] : [first as () => T],
    record,
    flag(operator, "trainMode", options?.trainMode, train),
  );
}

/**
 * Runs a function with recording and training mode on, and gives what it returns; flags are restored, also when it
 * throws. Called without a function, a scope for `using`, or to `end()` by hand. MXNet's autograd.record.
 * @throws GradError for an asynchronous function: the flags belong to the synchronous program; ValueError for an undefined one.
 * @example
 * const x = np.array([1, 2, 3]).attachGrad();
 * const y = autograd.record(() => x.mul(x).sum());
 * y.backward();
 * x.grad // array([2., 4., 6.])
 */
export function record<T>(fn: () => T, options?: ModeOptions): T;
export function record(options?: ModeOptions): Scope;
export function record<T>(...given: Given<T>): T | Scope {
  // Nothing but a function, which is the case that counts, needs no look at options.
  if (given.length === 1 && typeof given[0] === "function") return within("autograd.record", given as [() => T], true, true);
  return moded("autograd.record", given, true, true);
}

/**
 * Runs a function, or opens a scope, with recording and training mode off. MXNet's autograd.pause.
 * @example autograd.record(() => autograd.pause(() => autograd.isRecording())) // false
 */
export function pause<T>(fn: () => T, options?: ModeOptions): T;
export function pause(options?: ModeOptions): Scope;
export function pause<T>(...given: Given<T>): T | Scope {
  return moded("autograd.pause", given, false, false);
}

/**
 * Runs a function, or opens a scope, in training mode; recording stays as it is. MXNet's autograd.train_mode.
 * @example autograd.trainMode(() => autograd.isTraining()) // true
 */
export function trainMode<T>(fn: () => T): T;
export function trainMode(): Scope;
export function trainMode<T>(...given: [fn?: () => T]): T | Scope {
  return within("autograd.trainMode", given, null, true);
}

/**
 * Runs a function, or opens a scope, in prediction mode; recording stays as it is. MXNet's autograd.predict_mode.
 * @example autograd.record(() => autograd.predictMode(() => autograd.isTraining())) // false
 */
export function predictMode<T>(fn: () => T): T;
export function predictMode(): Scope;
export function predictMode<T>(...given: [fn?: () => T]): T | Scope {
  return within("autograd.predictMode", given, null, false);
}

/** Whether operators on attached arrays are recorded now. MXNet's autograd.is_recording. @example autograd.isRecording() // false */
export const isRecording = (): boolean => tape.recording;

/** Whether layers behave as in training now. MXNet's autograd.is_training. @example autograd.isTraining() // false */
export const isTraining = (): boolean => tape.training;

/**
 * Switches recording and gives the previous state. MXNet's autograd.set_recording.
 * @throws ValueError for anything but true and false.
 * @example autograd.setRecording(false) // false
 */
export const setRecording = (on: boolean): boolean => tape.setRecording(checkFlag(on, "autograd.setRecording"));

/**
 * Switches training mode and gives the previous state. MXNet's autograd.set_training.
 * @throws ValueError for anything but true and false.
 * @example autograd.setTraining(false) // false
 */
export const setTraining = (on: boolean): boolean => tape.setTraining(checkFlag(on, "autograd.setTraining"));

// ---------------------------------------------------------------- attaching

const REQS: readonly tape.GradReq[] = ["write", "add", "null"];

export function checkReq(req: unknown, operator: string): tape.GradReq {
  if (!REQS.includes(req as tape.GradReq)) throw new ValueError(`${operator}: gradReq is "write", "add" or "null", got ${describe(req)}`);
  return req as tape.GradReq;
}

/** Makes x a variable: a new leaf without history, whose gradient buffer is `buffer` (fresh zeros by default). */
export function attach(x: NDArray, req: tape.GradReq, operator: string, buffer?: NDArray): void {
  if (!isFloat(x.code)) throw new DTypeError(`${operator}: ${x.dtype} arrays have no derivative; use astype("float32") first`);
  const node = leaf();
  if (req !== "null") node.variable = new tape.Variable(forGood(buffer ?? zeros(x.shape, x.code)), req);
  forGood(x);
  x.edge = node;
  if (x.base !== null) x.derive = x.base.derive;
}

/** A buffer of zeros that lives with parameters, not among passing results. */
function zeros(shape: Shape, code: number): NDArray {
  const size = sizeOf(shape);
  const y = blankHost(shape, size, code);
  const start = addressOf(y) >> SHIFT[code]!;
  memoryOf(code).fill(0, start, start + size);
  return y;
}

/** Keeps the gradient of a recorded intermediate, without cutting its history. */
export function retain(x: NDArray): void {
  const node = edgeOf(x);
  if (node === null) throw new GradError(`retainGrad: ${whyNoGraph(x)}; for an array without history use attachGrad`);
  node.variable ??= new tape.Variable(forGood(zeros(x.shape, x.code)), "write");
}

/**
 * Attaches arrays to gradient buffers of the caller's, whose memory is then written by backward. One gradReq for all, or
 * a list. MXNet's autograd.mark_variables; everything is checked before anything changes.
 * @throws ValueError for lists of different lengths and for buffers that share memory, ShapeError and DTypeError for a buffer
 * unlike its variable.
 * @example
 * const x = np.array([1, 2]);
 * const dx = np.full(2, 7);
 * autograd.markVariables(x, dx);
 * autograd.record(() => x.mul(3)).backward();
 * dx // array([3., 3.])
 */
export function markVariables(
  variables: NDArray | readonly NDArray[],
  gradients: NDArray | readonly NDArray[],
  gradReqs: tape.GradReq | readonly tape.GradReq[] = "write",
): void {
  const operator = "autograd.markVariables";
  const xs = variables instanceof NDArray ? [variables] : variables;
  const gs = gradients instanceof NDArray ? [gradients] : gradients;
  if (!Array.isArray(xs) || !Array.isArray(gs)) throw new ValueError(`${operator}: variables and gradients are arrays or lists of arrays`);
  if (xs.length !== gs.length) throw new ValueError(`${operator}: ${xs.length} variables, but ${gs.length} gradients; give one for each`);
  const reqs: readonly unknown[] = Array.isArray(gradReqs) ? gradReqs : xs.map(() => gradReqs);
  if (reqs.length !== xs.length)
    throw new ValueError(`${operator}: ${xs.length} variables, but ${reqs.length} gradReqs; give one for each, or one for all`);
  const checked = Array.from(xs, (x: unknown, i) => {
    const g: unknown = gs[i];
    if (!(x instanceof NDArray) || !(g instanceof NDArray)) throw new ValueError(`${operator}: variable ${i} or its gradient is no array`);
    if (!isFloat(x.code))
      throw new DTypeError(`${operator}: variable ${i} is ${x.dtype}, which has no derivative; use astype("float32") first`);
    if (!sameShape(x.shape, g.shape))
      throw new ShapeError(
        `${operator}: variable ${i} has shape ${showShape(x.shape)}, its gradient ${showShape(g.shape)}; they must be equal`,
      );
    if (x.code !== g.code) throw new DTypeError(`${operator}: variable ${i} is ${x.dtype}, its gradient ${g.dtype}; they must be equal`);
    checkWritable(g, operator);
    if (xs.some((y: unknown) => y instanceof NDArray && y.storage === g.storage))
      throw new ValueError(
        `${operator}: gradient ${i} is in the memory of a variable, which backward would overwrite; give an array of its own`,
      );
    if (xs.indexOf(x) < i || gs.indexOf(g) < i)
      throw new ValueError(`${operator}: variable ${i} or its gradient is listed twice; each variable has one gradient of its own`);
    return { x, g, req: checkReq(reqs[i], operator) };
  });
  for (const { x, g, req } of checked) attach(x, req, operator, g);
}

// ---------------------------------------------------------------- what was recorded

/**
 * The nodes behind arrays, with the shape and dtype of each one's result; of nodes older than `oldest` only those that
 * newer ones lead to.
 * @throws GradError where a node was freed.
 */
export function behind(heads: readonly NDArray[], oldest: number, operator: string): Map<Node, Like> {
  const found = new Map<Node, Like>();
  for (const y of heads) {
    const edge = edgeOf(y);
    if (edge !== null) found.set(edge, { shape: y.shape, code: y.code });
  }
  for (const [node, like] of found) {
    if (node.id < oldest) continue;
    if (node.row === FREED)
      throw new GradError(`${operator}: this graph was freed by an earlier backward; pass { retainGraph: true } to that one`);
    const { parents } = node;
    for (let i = 0; i < parents.length; i++) {
      const p = parents[i]!;
      if (p !== null && !found.has(p)) found.set(p, node.like === null ? like : node.like[i]!);
    }
  }
  return found;
}

/** How many nodes are recorded behind an array, attached variables included. nabla's own. @example autograd.graphSize(np.array([1])) // 0 */
export function graphSize(y: NDArray): number {
  if (!(y instanceof NDArray)) throw new GradError(`graphSize: expected an array, got ${describe(y)}`);
  return behind([y], 0, "graphSize").size;
}

// ---------------------------------------------------------------- Function

/** Calls a user's backward with gradients that it may write to: a write goes to a copy, whoever else holds the memory. */
function guarded<T>(gs: readonly NDArray[], fn: (dys: NDArray[]) => T): T {
  tape.noteForeign();
  // What is mapped takes no writes.
  if (gs.some(isMapped)) return fn([...gs]);
  const dys = gs.map(g => {
    const { block } = g.storage;
    block.saved++;
    const dy = new NDArray(new Storage(block), g.offset, g.shape, g.view, g.size, g.code);
    dy.edge = edgeOf(g);
    return { dy, block };
  });
  try {
    return fn(dys.map(d => d.dy));
  } finally {
    for (const { block } of dys) block.saved--;
  }
}

/** One of several results, cut from the flat whole that the call's node stands for. */
const OUTPUT: Row = {
  name: "output",
  kind: "function",
  fused: null,
  rule: (g, { attrs, like }) => [unslice([reshape(g, [g.size])], { slice: attrs as Slice, shape: like[0]!.shape })],
};

/**
 * An operator of one's own: a subclass says how to compute it (`forward`) and its gradient (`backward`), and an instance
 * is applied once. `forward` is not recorded; `backward` gets one gradient for each result and returns one for each
 * input (null for none). Written with public functions, it can be differentiated again. MXNet's autograd.Function.
 * @example
 * class Cube extends autograd.Function {
 *   forward(x: NDArray) { this.saveForBackward(x); return x.pow(3); }
 *   backward(dy: NDArray) { return dy.mul(this.savedTensors[0]!.pow(2)).mul(3); }
 * }
 * const x = np.array([1, 2]).attachGrad();
 * autograd.record(() => new Cube().apply(x)).backward();
 * x.grad // array([ 3., 12.])
 */
export abstract class Function {
  private applied = false;
  private saved: readonly { value: Saved; edge: Node | null; levels: readonly number[] }[] = [];

  abstract forward(...inputs: NDArray[]): NDArray | readonly NDArray[];
  abstract backward(...outputGrads: NDArray[]): NDArray | null | readonly (NDArray | null)[];

  /** Keeps arrays for `backward`, as they are now. */
  saveForBackward(...arrays: NDArray[]): void {
    for (const { value } of this.saved) value.block.saved--;
    this.saved = arrays.map(array => {
      const [x, levels] = unwrapped(array);
      return { value: save(x), edge: edgeOf(x), levels };
    });
  }

  /** What `saveForBackward` kept. */
  get savedTensors(): NDArray[] {
    return this.saved.map(({ value, edge, levels }) =>
      levels.reduce<NDArray>((x, level) => new Mapped(x, level), restoreSaved(value, edge)),
    );
  }

  /** @internal */
  protected get label(): string {
    return this.constructor.name || "Function";
  }

  /** Computes `forward` on the inputs, recorded as one node if recording is on and an input has an edge. */
  apply(...inputs: ArrayInput[]): NDArray;
  apply<Y extends readonly NDArray[]>(...inputs: ArrayInput[]): Y;
  apply(...inputs: ArrayInput[]): NDArray | readonly NDArray[] {
    const name = this.label;
    if (this.applied) throw new GradError(`${name}: this instance was applied already; make a new one for each call`);
    this.applied = true;
    const given = inputs.map(x => toArray(x, name));
    // Under vmap the arrays behind are recorded, all with the mapped axes in front.
    const counts = given.some(isMapped) ? [...entries] : [];
    const lifted = counts.length > 0;
    const behind = (x: NDArray): NDArray => (lifted ? physicalOf(mapper!.everywhere(x)) : x);
    const seen = (x: NDArray): NDArray => (lifted ? wrapped(x) : x);
    const xs = given.map(behind);
    const edges = xs.map(edgeOf);
    const result: unknown = tape.unrecorded(() => this.forward(...xs.map(seen)));
    const single = result instanceof NDArray;
    const results = single ? [result] : result;
    if (!Array.isArray(results) || results.length === 0)
      throw new GradError(`${name}: forward returns an array or a list of arrays, got ${describe(result)}`);
    results.forEach((y, i) => {
      if (!(y instanceof NDArray)) throw new GradError(`${name}: forward returns arrays, got ${describe(y)} at position ${i}`);
    });
    // A handle of its own, so that an input returned as it is keeps its own edge.
    const ys = (results as readonly NDArray[]).map(behind).map(y => new NDArray(y.storage, y.offset, y.shape, y.view, y.size, y.code));
    if (tape.recording && edges.some(e => e !== null) && ys.some(y => isFloat(y.code))) this.record(name, xs, edges, ys, counts);
    else {
      if (tape.recording && edges.some(e => e !== null)) for (const y of ys) y.cause = name;
      this.saveForBackward();
    }
    return single ? seen(ys[0]!) : ys.map(seen);
  }

  /** What backward returned, checked: one gradient for each input. */
  private gradients(name: string, out: unknown, shapes: readonly Shape[]): (NDArray | null)[] {
    const list: readonly unknown[] = Array.isArray(out) ? out : [out];
    if (list.length !== shapes.length)
      throw new GradError(
        `${name}: backward returned ${list.length} gradients for ${shapes.length} inputs; return one for each, null for none`,
      );
    return list.map((part, i) => {
      if (part === null || part === undefined) return null;
      if (!(part instanceof NDArray))
        throw new GradError(`${name}: backward returns arrays or null, got ${describe(part)} at position ${i}`);
      if (!sameShape(part.shape, shapes[i]!))
        throw new ShapeError(
          `${name}: the gradient of input ${i} has shape ${showShape(part.shape)}, the input ${showShape(shapes[i]!)}; they must be equal`,
        );
      return part;
    });
  }

  private record(
    name: string,
    xs: readonly NDArray[],
    edges: readonly (Node | null)[],
    ys: readonly NDArray[],
    counts: readonly number[],
  ): void {
    const floats = ys.filter(y => isFloat(y.code));
    const code = floats.reduce((c, y) => promote(c, y.code), floats[0]!.code);
    const total = floats.reduce((n, y) => n + y.size, 0);
    let start = 0;
    const places = ys.map(y => {
      const place: Slice = { starts: [start], steps: [1], counts: [y.size], shape: [y.size] };
      if (isFloat(y.code)) start += y.size;
      return place;
    });
    const alone = ys.length === 1;
    const shapes = ys.map(y => y.shape);
    const codes = ys.map(y => y.code);
    const row: Row = {
      name,
      kind: "function",
      fused: null,
      rule: (g, { like }) => {
        const gs = alone
          ? [g]
          : shapes.map((shape, i) => {
              if (!isFloat(codes[i]!)) return zeroed(shape, codes[i]!);
              const part = reshape(slice([g], places[i]!), shape);
              return part.code === codes[i] ? part : astype(part, DTYPES[codes[i]!]!);
            });
        const lifted = counts.length > 0;
        if (lifted && isMapped(g))
          throw new ValueError(
            `${name}: it was applied under vmap, so its gradient cannot be mapped over in its turn; call the pull-back for each cotangent`,
          );
        const run = (): readonly (NDArray | null)[] =>
          this.gradients(
            name,
            guarded(gs, dys => this.backward(...dys.map(dy => (lifted ? wrapped(dy) : dy)))),
            like.map(l => l.shape.slice(counts.length)),
          );
        return lifted ? asMapping(counts, () => run().map(part => part && physicalOf(mapper!.everywhere(part)))) : run();
      },
    };
    const like = xs.map(x => ({ shape: x.shape, code: x.code }));
    // What forward saved stands behind the places of inputs and result, so that freeing the node lets go of it.
    const kept = [...new Array<null>(xs.length + 1).fill(null), ...this.saved.map(s => s.value)];
    const node = nodeOf(row, null, edges, kept, like);
    if (alone) ys[0]!.edge = node;
    else
      ys.forEach((y, i) => {
        if (isFloat(y.code)) y.edge = nodeOf(OUTPUT, places[i]!, [node], [], [{ shape: [total], code }]);
      });
  }
}

// ---------------------------------------------------------------- checkpoint

type Results = NDArray | readonly NDArray[];

/** A call of a function, recorded as one node that keeps the arguments; for its gradient the function runs again. */
class Rerun extends Function {
  private readonly training = tape.training;
  private readonly random = { ...generator };
  /** Where arrays stand among the arguments. */
  private readonly places: readonly number[];
  private first: readonly NDArray[] = [];
  /** What the function's results were computed from and was there before. */
  private sources: ReadonlyMap<Node, Like> = new Map();
  /** The sum of each result: the second run must give the same. */
  private sums: readonly number[] = [];

  constructor(
    private readonly f: (...args: never[]) => unknown,
    private readonly args: unknown[],
  ) {
    super();
    this.places = args.flatMap((x, i) => (x instanceof NDArray ? [i] : []));
  }

  protected override get label(): string {
    return "checkpoint";
  }

  /** Runs the function: its results, and the nodes of the run and behind it. */
  private run(args: readonly unknown[]): { ys: Results; list: readonly NDArray[]; inner: Node[]; sources: Map<Node, Like>; start: number } {
    const start = leaf().id;
    const ys = within("checkpoint", [() => this.f(...(args as never[]))], true, this.training) as Results;
    const list: readonly NDArray[] = Array.isArray(ys) ? Array.from(ys) : [ys];
    list.forEach((y: unknown) => {
      if (!(y instanceof NDArray)) throw new GradError(`checkpoint: the function returns an array or a list of arrays, got ${describe(y)}`);
    });
    const sources = behind(list, start, "checkpoint");
    const inner = [...sources.keys()].filter(node => node.id > start);
    for (const node of inner) sources.delete(node);
    return { ys, list, inner, sources, start };
  }

  call(): Results {
    const { ys, list, inner, sources } = this.run(this.args);
    this.random.key ??= generator.key;
    if (sources.size === 0) return ys;
    for (const node of inner) if (node.row !== null) freeNode(node, FREED);
    this.sources = sources;
    this.first = list;
    const given = [...sources].map(([node, { shape, code }]) => {
      const x = new NDArray(zeroed(SCALAR, code).storage, 0, shape, null, sizeOf(shape), code);
      x.edge = node;
      return x;
    });
    const out = this.apply<NDArray[]>(...given);
    return ys instanceof NDArray ? out[0]! : out;
  }

  forward(): readonly NDArray[] {
    const { first } = this;
    this.first = [];
    this.sums = first.map(total);
    this.saveForBackward(...this.places.map(i => this.args[i] as NDArray));
    for (const i of this.places) this.args[i] = null;
    return first;
  }

  backward(...dys: NDArray[]): NDArray[] {
    const args = this.args.slice();
    this.savedTensors.forEach((x, k) => {
      args[this.places[k]!] = x;
    });
    const now = { ...generator };
    Object.assign(generator, this.random);
    try {
      const { list, sources, start } = this.run(args);
      const differs = list.some((y, i) => dys[i] === undefined || !sameShape(y.shape, dys[i].shape) || !Object.is(total(y), this.sums[i]));
      if (differs || list.length !== dys.length || [...sources.keys()].some(node => !this.sources.has(node)))
        throw new GradError(
          "checkpoint: the function gave something else when it ran again for its gradient; what it uses besides its arguments must stay as it is until then",
        );
      const heads = list.flatMap((y, i) => (y.edge === null ? [] : [{ node: y.edge, g: dys[i]! }]));
      const nested = tape.recording;
      return pull(
        heads.map(h => h.node),
        heads.map(h => h.g),
        [...this.sources.keys()],
        [...this.sources.values()],
        start,
        { createGraph: nested, retainGraph: nested },
      );
    } finally {
      Object.assign(generator, now);
    }
  }
}

function total(y: NDArray): number {
  const was = tape.setRecording(false);
  try {
    return sum(y).item();
  } finally {
    tape.setRecording(was);
  }
}

/**
 * The function with f's value that keeps nothing of f for the backward pass but the arguments, and runs f again then:
 * less memory for more time. f may use attached arrays besides its arguments; random numbers are the same in both runs.
 * What f uses must stay as it is until then (arrays among the arguments are kept as they were). PyTorch's checkpoint.
 * @throws GradError where the second run gives something else.
 * @example
 * const x = np.array([1, 2]).attachGrad();
 * const layer = checkpoint((x: NDArray) => np.exp(np.sin(x)));
 * autograd.record(() => layer(layer(x)).sum()).backward();
 * x.grad // array([-1.775136 ,  1.5067427])
 */
export function checkpoint<A extends unknown[], Y extends NDArray | readonly NDArray[]>(f: (...args: A) => Y): (...args: A) => Y {
  checkFunction("checkpoint", f);
  return (...args) => {
    // Arrays of vmap have no memory of their own that could be kept.
    if (!tape.recording || mapping > 0) return within("checkpoint", [() => f(...args)], null, null) as Y;
    return new Rerun(f as (...args: never[]) => unknown, args).call() as Y;
  };
}
