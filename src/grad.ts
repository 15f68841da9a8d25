/**
 * The walk: from heads backwards over recorded nodes, applying rules and adding up cotangents. It knows rows only by
 * their `rule` and `fused`; broadcasting and dtypes are fitted here, once, and never by a rule.
 */
import { addressOf, type ArrayInput, blank, blankHost, bytesOf, memoryOf, NDArray, unshare } from "./array.ts";
import { free } from "./backend/wasm/heap.ts";
import { copy } from "./backend/wasm/index.ts";
import { toArray } from "./convert.ts";
import { DTYPES, isFloat, SHIFT } from "./dtype.ts";
import { checkOptions, DTypeError, describe, GradError, ShapeError, ValueError } from "./errors.ts";
import { copyStrided } from "./launch.ts";
import { edgeOf, FREED, type Part, type Row, restore } from "./op.ts";
import { add } from "./ops/pointwise.ts";
import { astype, broadcastTo, cast, copy as copyOf, sumTo, zeroed } from "./ops/structural.ts";
import { type Shape, sameShape, showShape, sizeOf } from "./shape.ts";
import { freeNode, type GradReq, leaf, type Like, Node, recording, setRecording, setTraining, training } from "./tape.ts";

// ---------------------------------------------------------------- attaching

const REQS: readonly GradReq[] = ["write", "add", "null"];

export function checkReq(req: unknown, operator: string): GradReq {
  if (!REQS.includes(req as GradReq)) throw new ValueError(`${operator}: gradReq is "write", "add" or "null", got ${describe(req)}`);
  return req as GradReq;
}

/** Makes x a variable: a new leaf without history, whose gradient buffer is `buffer` (fresh zeros by default). */
export function attach(x: NDArray, req: GradReq, operator: string, buffer?: NDArray): void {
  if (!isFloat(x.code))
    throw new DTypeError(`${operator}: ${x.dtype} arrays have no derivative; use astype("float32") first`);
  const node = leaf();
  node.req = req;
  if (req !== "null") node.buffer = buffer ?? zeros(x.shape, x.code);
  x.storage.block.lasting = true;
  if (node.buffer !== null) node.buffer.storage.block.lasting = true;
  x.edge = node;
  x.writes = x.base === null ? x.writes : x.base.writes;
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
  if (node.buffer === null) node.buffer = zeros(x.shape, x.code);
}

export function whyNoGraph(x: NDArray): string {
  if (x.cause === "detach") return "this array was detached from its graph";
  if (typeof x.cause === "string") return `this array has no graph: ${x.cause} has no derivative, so it ended there`;
  if (x.cause) return "this array has no graph: no input of what computed it was attached; call attachGrad on the variables first";
  return "this array has no graph: nothing was recording when it was computed; compute it inside autograd.record";
}

// ---------------------------------------------------------------- the walk

let walks = 0;

/** All nodes behind the heads, newest first. */
function collect(heads: readonly Node[], walk: number): Node[] {
  const order: Node[] = [];
  const stack: Node[] = [];
  for (const head of heads)
    if (head.mark !== walk) {
      head.mark = walk;
      stack.push(head);
    }
  let sorted = true;
  let last = Number.POSITIVE_INFINITY;
  while (stack.length > 0) {
    const node = stack.pop()!;
    order.push(node);
    if (node.id > last) sorted = false;
    last = node.id;
    const { parents } = node;
    for (let i = 0; i < parents.length; i++) {
      const p = parents[i]!;
      if (p !== null && p.mark !== walk) {
        p.mark = walk;
        stack.push(p);
      }
    }
  }
  if (!sorted) order.sort((a, b) => b.id - a.id);
  return order;
}

/** Marks the nodes from which a wanted one is reached; the others need no cotangent. */
function mark(order: readonly Node[], walk: number, wanted: (node: Node) => boolean): void {
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i]!;
    let useful = wanted(node);
    const { parents } = node;
    for (let j = 0; !useful && j < parents.length; j++) useful = parents[j] !== null && parents[j]!.useful === walk;
    if (useful) node.useful = walk;
  }
}

/**
 * Adds to a node's cotangent. The walk owns one only if it made its memory in this walk and nobody else holds it; only
 * into an owned one may it add in place.
 */
function accumulate(node: Node, part: NDArray, owned: boolean): void {
  const have = node.cotangent;
  if (have === null) {
    node.cotangent = part;
    node.owned = owned;
  } else if (recording) {
    node.cotangent = add(have, part);
    node.owned = false;
  } else if (node.owned && have.view === null) {
    add(have, part, { out: have });
    if (owned) free(part.storage.block);
  } else if (owned && part.view === null) {
    add(have, part, { out: part });
    node.cotangent = part;
    node.owned = true;
  } else {
    node.cotangent = add(have, part);
    node.owned = true;
  }
}

/** A part as the input's gradient: its shape and dtype, broadcast axes summed. */
function fit(part: NDArray, like: Like): NDArray {
  let y = part;
  if (!sameShape(y.shape, like.shape)) {
    if (y.size < sizeOf(like.shape) || y.ndim < like.shape.length) y = broadcastTo(y, like.shape);
    else y = sumTo(y, like.shape);
  }
  return y.code === like.code ? y : recording ? astype(y, DTYPES[like.code]!) : cast(y, like.code);
}

/** What a rule returned, as an array: a number stands for a full array of the input's shape. */
function partOf(part: Part, like: Like): NDArray | null {
  if (part === null || part === undefined) return null;
  if (typeof part !== "number") return part;
  const y = zeroed(like.shape, like.code);
  return part === 0 ? y : add(y, part);
}

/** Sends the cotangent g of a node to its parents. */
function pass(node: Node, row: Row, g: NDArray, owned: boolean, walk: number): void {
  const { parents, like } = node;
  if (row.fused !== null && !recording) {
    // Where g itself passes to one parent only, its ownership goes along; where to none, its memory is free.
    let through = 0;
    let last: Node | null = null;
    for (let i = 0; i < parents.length; i++) {
      const parent = parents[i]!;
      if (parent === null || parent.useful !== walk) continue;
      const part = row.fused(node, g, i);
      const fitted = like === null ? part : fit(part, like[i]!);
      if (fitted.storage === g.storage) {
        through++;
        if (through > 1 || fitted !== g) owned = false;
        if (last !== null) accumulate(last, g, false);
        last = parent;
        if (fitted !== g) {
          accumulate(parent, fitted, false);
          last = null;
        }
      } else {
        if (fitted.storage !== part.storage && part.storage !== g.storage) free(part.storage.block);
        accumulate(parent, fitted, true);
      }
    }
    if (last !== null) accumulate(last, g, owned);
    else if (through === 0 && owned) free(g.storage.block);
    return;
  }
  const n = parents.length;
  const likes = like ?? new Array<Like>(n).fill({ shape: g.shape, code: g.code });
  const wants = parents.map(p => p !== null && p.useful === walk);
  const call = {
    y: restore(node.saved[n] ?? null, node) as NDArray,
    inputs: parents.map((p, i) => restore(node.saved[i] ?? null, p)) as NDArray[],
    attrs: node.attrs,
    like: likes,
    wants,
  };
  const parts = row.rule!(g, call);
  for (let i = 0; i < n; i++) {
    if (!wants[i]) continue;
    const part = partOf(parts[i] ?? null, likes[i]!);
    if (part !== null) accumulate(parents[i]!, fit(part, likes[i]!), false);
  }
}

interface Walk {
  readonly heads: readonly Node[];
  readonly seeds: readonly Seed[];
  readonly order: readonly Node[];
  readonly number: number;
  readonly createGraph: boolean;
  readonly trainMode: boolean;
  readonly retainGraph: boolean;
}

/**
 * Runs a prepared walk; `receive` gets the cotangent of every node, and says whether it keeps it. Errors leave flags and
 * cotangents clean.
 */
function run(walk: Walk, receive: (node: Node, g: NDArray, owned: boolean) => boolean): void {
  const { order, number } = walk;
  const wasRecording = setRecording(walk.createGraph);
  const wasTraining = setTraining(walk.trainMode);
  try {
    walk.heads.forEach((head, i) => accumulate(head, walk.seeds[i]!.g, walk.seeds[i]!.owned));
    for (let i = 0; i < order.length; i++) {
      const node = order[i]!;
      const g = node.cotangent;
      if (g === null) continue;
      node.cotangent = null;
      const { owned } = node;
      node.owned = false;
      const kept = receive(node, g, owned);
      if (node.row !== null && node.useful === number) pass(node, node.row, g, owned && !kept, number);
    }
  } catch (error) {
    for (const node of order) node.cotangent = null;
    throw error;
  } finally {
    setRecording(wasRecording);
    setTraining(wasTraining);
  }
  if (!walk.retainGraph) for (const node of order) if (node.row !== null) freeNode(node, FREED);
}

// ---------------------------------------------------------------- arguments of backward and grad

interface WalkOptions {
  retainGraph?: boolean;
  trainMode?: boolean;
}

function headList(heads: unknown, operator: string): NDArray[] {
  const list = heads instanceof NDArray ? [heads] : heads;
  if (!Array.isArray(list) || list.length === 0) throw new GradError(`${operator}: heads are one array or a list of at least one, got ${describe(heads)}`);
  list.forEach((h, i) => {
    if (!(h instanceof NDArray)) throw new GradError(`${operator}: heads are arrays, got ${describe(h)} at position ${i}`);
  });
  return list;
}

interface Seed {
  readonly g: NDArray;
  readonly owned: boolean;
}

/**
 * The cotangents to begin with: ones, or the given arrays, which must have the heads' shapes. For a single head that is
 * the array itself; a list of one array or null is taken for what it lists.
 */
function seedList(heads: readonly NDArray[], given: unknown, single: boolean, operator: string): Seed[] {
  const wrapped = Array.isArray(given) && given.length === 1 && (given[0] === null || given[0] instanceof NDArray);
  const list = given === null || given === undefined ? heads.map(() => null) : single && !wrapped ? [given] : given;
  if (!Array.isArray(list) || list.length !== heads.length)
    throw new GradError(
      `${operator}: ${heads.length} head${heads.length === 1 ? "" : "s"}, but ${Array.isArray(list) ? list.length : describe(given)} as head gradients; give a list with one for each, null for ones`,
    );
  return heads.map((head, i) => {
    const g: unknown = list[i];
    if (g === null || g === undefined) return { g: filled(head.shape, head.code, 1), owned: true };
    if (typeof g === "number" && head.ndim > 0)
      throw new ShapeError(`${operator}: a number is a head gradient for a 0-d head only; this one has shape ${showShape(head.shape)}`);
    const seed = toArray(g as ArrayInput, operator);
    if (!sameShape(seed.shape, head.shape))
      throw new ShapeError(`${operator}: the head gradient has shape ${showShape(seed.shape)}, its head ${showShape(head.shape)}; they must be equal`);
    return { g: seed.code === head.code ? seed : astype(seed, head.dtype), owned: false };
  });
}

export function filled(shape: Shape, code: number, value: number): NDArray {
  const size = sizeOf(shape);
  const y = blank(shape, size, code);
  const start = addressOf(y) >> SHIFT[code]!;
  memoryOf(code).fill(value, start, start + size);
  return y;
}

function headNodes(heads: readonly NDArray[], operator: string): Node[] {
  return heads.map((head, i) => {
    const node = edgeOf(head);
    const which = heads.length > 1 ? ` (head ${i})` : "";
    if (node === null) throw new GradError(`${operator}${which}: ${whyNoGraph(head)}`);
    return node;
  });
}

function checkAlive(order: readonly Node[], operator: string): void {
  for (const node of order)
    if (node.row === FREED)
      throw new GradError(
        `${operator}: this graph was freed by an earlier backward; pass { retainGraph: true } to that one, or give all heads to one autograd.backward`,
      );
}

function checkFlags(operator: string, options: object | undefined, known: readonly string[]): void {
  checkOptions(operator, options, known);
  for (const [key, value] of Object.entries(options ?? {}))
    if (key !== "headGrads" && value !== undefined && typeof value !== "boolean")
      throw new ValueError(`${operator}: ${key} is true or false, got ${describe(value)}`);
}

/**
 * Writes the gradients of the sum of the heads into the buffers of all attached arrays behind them.
 * @param heads one array or a list of arrays
 * @param headGrads ones by default: an array, or a list with null for ones
 * @throws GradError where a head has no graph, or its graph was freed; ShapeError for a head gradient of another shape.
 * @example
 * const x = np.array([1, 2]).attachGrad();
 * autograd.backward([autograd.record(() => x.mul(2)), autograd.record(() => x.mul(3))]);
 * x.grad // array([5., 5.])
 */
export function backward(heads: NDArray | readonly NDArray[], headGrads: unknown = null, options?: WalkOptions): void {
  backwardFrom("backward", headList(heads, "backward"), headGrads, heads instanceof NDArray, options);
}

export function backwardFrom(operator: string, heads: readonly NDArray[], headGrads: unknown, single: boolean, options: WalkOptions | undefined): void {
  checkFlags(operator, options, ["retainGraph", "trainMode"]);
  const nodes = headNodes(heads, operator);
  const number = ++walks;
  const order = collect(nodes, number);
  checkAlive(order, operator);
  let any = false;
  mark(order, number, node => {
    const receives = node.buffer !== null && (node.row !== null || node.req !== "null");
    if (receives) any = true;
    return receives;
  });
  if (!any) throw new GradError(`${operator}: no inputs of the graph require gradients; all are attached with gradReq "null"`);
  const seeds = seedList(heads, headGrads, single, operator);
  const found: { node: Node; g: NDArray; owned: boolean }[] = [];
  run(
    {
      heads: nodes,
      seeds,
      order,
      number,
      createGraph: false,
      trainMode: options?.trainMode ?? true,
      retainGraph: options?.retainGraph ?? false,
    },
    (node, g, owned) => {
      if (node.buffer === null) return false;
      found.push({ node, g, owned: owned && node.row === null });
      return true;
    },
  );
  // Buffers are written when nothing can fail any more.
  for (const { node, g, owned } of found) {
    write(node, g);
    if (owned) free(g.storage.block);
  }
}

/** Writes or adds a gradient into its buffer, in place. */
function write(node: Node, g: NDArray): void {
  const buffer = node.buffer!;
  node.fresh = true;
  const was = setRecording(false);
  try {
    if (node.req === "add" && node.row === null) {
      add(buffer, g, { out: buffer });
      return;
    }
    unshare(buffer);
    if (g.view === null && buffer.view === null) {
      if (g.size > 0) {
        const to = addressOf(buffer);
        copy(to, addressOf(g), bytesOf(g));
      }
    } else copyStrided(g, buffer);
  } finally {
    setRecording(was);
  }
}

export interface GradOptions extends WalkOptions {
  /** Cotangents of the heads: an array for one head, or a list with null for ones. */
  headGrads?: unknown;
  /** Record the reverse pass too, so that its results can be differentiated. */
  createGraph?: boolean;
}

/**
 * The gradients of the sum of the heads with respect to variables, as new arrays; buffers stay as they are.
 * One variable gives one array, a list gives a list. With createGraph they can be differentiated again, to any order.
 * @throws GradError where a variable is not attached or recorded, or no head depends on it.
 * @example
 * const x = np.array([1, 2, 3]).attachGrad();
 * const g = autograd.record(() => autograd.grad(x.pow(3).sum(), x, { createGraph: true }));
 * g.backward();
 * x.grad // array([ 6., 12., 18.])
 */
export function gradOf(heads: NDArray | readonly NDArray[], variables: NDArray, options?: GradOptions): NDArray;
export function gradOf(heads: NDArray | readonly NDArray[], variables: readonly NDArray[], options?: GradOptions): NDArray[];
export function gradOf(heads: NDArray | readonly NDArray[], variables: NDArray | readonly NDArray[], options?: GradOptions): NDArray | NDArray[] {
  const operator = "autograd.grad";
  checkFlags(operator, options, ["headGrads", "retainGraph", "createGraph", "trainMode"]);
  const list = headList(heads, operator);
  const single = variables instanceof NDArray;
  const wanted = single ? [variables] : variables;
  if (!Array.isArray(wanted) || wanted.length === 0)
    throw new GradError(`${operator}: variables are one array or a list of at least one, got ${describe(variables)}`);
  const targets = wanted.map((x: unknown, i) => {
    if (!(x instanceof NDArray)) throw new GradError(`${operator}: variables are arrays, got ${describe(x)} at position ${i}`);
    const node = edgeOf(x);
    if (node === null || (node.row === null && node.req === "null"))
      throw new GradError(`${operator}: variable ${i} does not require gradient; call attachGrad on it before recording`);
    return node;
  });
  const nodes = headNodes(list, operator);
  const number = ++walks;
  const order = collect(nodes, number);
  checkAlive(order, operator);
  targets.forEach((node, i) => {
    if (node.mark !== number) throw new GradError(`${operator}: variable ${i} is unreachable from the heads: nothing in them was computed from it`);
  });
  const seeds = seedList(list, options?.headGrads, heads instanceof NDArray, operator);
  const set = new Set(targets);
  mark(order, number, node => set.has(node));
  const found = new Map<Node, NDArray>();
  const createGraph = options?.createGraph ?? false;
  run(
    {
      heads: nodes,
      seeds,
      order,
      number,
      createGraph,
      trainMode: options?.trainMode ?? true,
      retainGraph: options?.retainGraph ?? createGraph,
    },
    (node, g) => {
      if (!set.has(node)) return false;
      found.set(node, g);
      return true;
    },
  );
  const results = separate(
    targets,
    wanted,
    found,
    seeds.map(s => s.g),
    createGraph,
  );
  return single ? results[0]! : results;
}

/** The cotangents of variables for one head, zeros for those that it does not depend on. Everything is checked by the caller. */
export function cotangents(
  head: NDArray,
  variables: readonly NDArray[],
  seed: NDArray,
  { createGraph, retainGraph }: { createGraph: boolean; retainGraph: boolean },
): NDArray[] {
  const node = edgeOf(head);
  const zeroes = (x: NDArray): NDArray => zeroed(x.shape, x.code);
  if (node === null) {
    if (typeof head.cause === "string") throw new GradError(`grad: ${whyNoGraph(head)}`);
    return variables.map(zeroes);
  }
  const targets = variables.map(x => edgeOf(x)!);
  const number = ++walks;
  const order = collect([node], number);
  checkAlive(order, "grad");
  const set = new Set(targets);
  mark(order, number, n => set.has(n));
  const found = new Map<Node, NDArray>();
  run(
    { heads: [node], seeds: [{ g: seed, owned: false }], order, number, createGraph, trainMode: training, retainGraph },
    (n, g) => {
      if (!set.has(n)) return false;
      found.set(n, g);
      return true;
    },
  );
  return separate(targets, variables, found, [seed], createGraph);
}

/** Each result as an array of its own: not a seed, not shared between variables, not a view. */
function separate(
  targets: readonly Node[],
  variables: readonly NDArray[],
  found: ReadonlyMap<Node, NDArray>,
  seeds: readonly NDArray[],
  createGraph: boolean,
): NDArray[] {
  const seen = new Set<NDArray>(seeds);
  return targets.map((node, i) => {
    const g = found.get(node) ?? zeroed(variables[i]!.shape, variables[i]!.code);
    const own = !createGraph && (seen.has(g) || g.view !== null || g.base !== null) ? copyOf(g) : g;
    seen.add(g);
    return own;
  });
}

/** How many nodes are recorded behind an array, attached variables included. @example autograd.graphSize(np.array([1])) // 0 */
export function graphSize(y: NDArray): number {
  if (!(y instanceof NDArray)) throw new GradError(`graphSize: expected an array, got ${describe(y)}`);
  const node = edgeOf(y);
  return node === null ? 0 : collect([node], ++walks).length;
}
