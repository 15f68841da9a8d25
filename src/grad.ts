/**
 * The walk: from heads backwards over recorded nodes, applying rules and adding up cotangents. It knows rows only by
 * their `rule` and `fused`; broadcasting and dtypes are fitted here, once, and never by a rule.
 */
import { type ArrayInput, addressOf, forGood, NDArray, recycle, unshare } from "./array.ts";
import { free, I32, SMALL } from "./backend/wasm/heap.ts";
import { call1 } from "./backend/wasm/index.ts";
import { toArray } from "./convert.ts";
import { accumulate, drop, filled, fit, fitted, hold } from "./cotangent.ts";
import { BYTES, F64 } from "./dtype.ts";
import { checkOptions, describe, flag, GradError, ShapeError } from "./errors.ts";
import { CHUNK, copyStrided } from "./launch.ts";
import { isMapped, mapping } from "./mapped.ts";
import { edgeOf, FREED, type Part, type Row, restore } from "./op.ts";
import { add, positive } from "./ops/pointwise.ts";
import { astype, copy as copyOf, zeroed } from "./ops/structural.ts";
import { SCALAR, sameShape, showShape, sizeOf } from "./shape.ts";
import {
  freeNode,
  type Kept,
  type Like,
  type Node,
  nodeOf,
  passing,
  recording,
  setRecording,
  setTraining,
  training,
  unrecorded,
} from "./tape.ts";

export function whyNoGraph(x: NDArray): string {
  if (x.cause === "detach") return "this array was detached from its graph";
  if (typeof x.cause === "string") return `this array has no graph: ${x.cause} has no derivative, so it ended there`;
  if (x.cause) return "this array has no graph: no input of what computed it was attached; call attachGrad on the variables first";
  return "this array has no graph: nothing was recording when it was computed; compute it inside autograd.record";
}

// ---------------------------------------------------------------- the walk

let walks = 0;

/** How many walks are under way: a rule may start another over nodes of the one that called it. */
let depth = 0;

interface Marks {
  readonly mark: number;
  readonly next: Node | null;
  readonly cotangent: NDArray | null;
  readonly owned: boolean;
}

/** Nodes of the walks under way outside of this one, which it must not free. */
let shielded: ReadonlySet<Node> = new Set();

/** Runs a walk. One within another leaves the nodes they share as it found them. */
function walking<T>(heads: readonly Node[], fn: () => T, oldest = 0): T {
  if (depth === 0) return fn();
  const shared: Node[] = [];
  const marks: Marks[] = [];
  const seen = new Set<Node>(heads);
  for (const node of seen) {
    if (node.id >= oldest) for (const p of node.parents) if (p !== null) seen.add(p);
    if (node.mark === 0) continue;
    shared.push(node);
    marks.push({ mark: node.mark, next: node.next, cotangent: node.cotangent, owned: node.owned });
    node.cotangent = null;
  }
  const outer = shielded;
  shielded = new Set([...outer, ...shared]);
  try {
    return fn();
  } finally {
    shielded = outer;
    shared.forEach((node, i) => Object.assign(node, marks[i]));
  }
}

/**
 * Links all nodes behind the heads, newest first, each marked with the walk's number; gives the first. Those from which
 * a wanted node is reached are marked as useful: the targets, or without targets the nodes that have a buffer to fill.
 * What is older than `oldest` is found, but not what lies behind it.
 * @throws GradError where a node was freed.
 */
function search(heads: readonly Node[], targets: ReadonlySet<Node> | null, walk: number, operator: string, oldest = 0): Node {
  // What is found but not looked at yet is a stack, linked by the same field as the finished list.
  let top: Node | null = null;
  for (let i = 0; i < heads.length; i++) {
    const head = heads[i]!;
    if (head.mark === walk) continue;
    head.mark = walk;
    head.next = top;
    top = head;
  }
  let first: Node | null = null;
  let last: Node | null = null;
  let sorted = true;
  let allUseful = targets === null;
  while (top !== null) {
    const node: Node = top;
    const { row, wide } = node;
    top = node.next;
    node.next = null;
    if (last === null) first = node;
    else {
      if (node.id > last.id) sorted = false;
      last.next = node;
    }
    last = node;
    if (row === null) allUseful &&= node.variable !== null;
    else if (row === FREED && node.id >= oldest)
      throw new GradError(
        `${operator}: this graph was freed by an earlier backward; pass { retainGraph: true } to that one, or give all heads to one autograd.backward`,
      );
    if (node.id < oldest) continue;
    if (wide === null) {
      // The first goes on the stack last, and is looked at first.
      top = found(node.second, top, walk);
      top = found(node.first, top, walk);
    } else for (let i = 0; i < wide.parents.length; i++) top = found(wide.parents[i]!, top, walk);
  }
  if (!sorted || !allUseful) {
    const order: Node[] = [];
    for (let node = first; node !== null; node = node.next) order.push(node);
    if (!sorted) order.sort((a, b) => b.id - a.id);
    for (let i = 0; i < order.length; i++) order[i]!.next = order[i + 1] ?? null;
    first = order[0]!;
    if (!allUseful) markUseful(order, targets, walk);
  }
  return first!;
}

/** Lays a node that was not found before on the stack; gives its top. */
function found(node: Node | null, top: Node | null, walk: number): Node | null {
  if (node === null || node.mark === walk) return top;
  node.mark = walk;
  node.next = top;
  return node;
}

function markUseful(order: readonly Node[], targets: ReadonlySet<Node> | null, walk: number): void {
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i]!;
    let useful = keeps(node, targets);
    for (let j = 0; !useful && j < node.arity; j++) useful = node.parent(j)?.mark === walk;
    node.mark = useful ? walk : -walk;
  }
}

/** Whether a walk is there to find this node's cotangent. */
function keeps(node: Node, targets: ReadonlySet<Node> | null): boolean {
  return targets === null ? node.variable !== null : targets.has(node);
}

/** What the walk under way is there for: as `keeps` takes it. */
let wanted: ReadonlySet<Node> | null = null;

/**
 * The cotangent of a node as an array of the walk's own, to be added to in place; where the node is only a view of its
 * input, a view of that one's. So many reads of small parts of an array cost no array of its size each.
 */
function gathering(node: Node, like: Like, walk: number): NDArray {
  const have = node.cotangent;
  if (have === null) {
    const { row } = node;
    const parent = node.parent(0)!;
    if (row?.window && parent.mark === walk && !keeps(node, wanted)) {
      const y = row.window(gathering(parent, node.like === null ? like : node.like[0]!, walk), node.attrs);
      if (y !== null) return y;
    }
    node.cotangent = zeroed(like.shape, like.code);
  } else if (!node.owned || have.view !== null) node.cotangent = copyOf(have);
  node.owned = true;
  return node.cotangent!;
}

// The functions of the walk have no closures on their short ways: one would cost an allocation at every call.

/** Sends the cotangent g of a node to its parents. */
function pass(node: Node, row: Row, g: NDArray, owned: boolean, walk: number): void {
  if (row.fused === null || recording || (mapping > 0 && isMapped(g))) {
    passByRule(node, row, g, owned, walk);
    return;
  }
  const { arity, like } = node;
  // Where g itself passes to one parent only, its ownership goes along; where to none, its memory is free. A large one
  // that passes to several is counted, and goes with the last of them; until then this node is one of them.
  let through = 0;
  let last: Node | null = null;
  const { region } = g.storage.block;
  if (owned && region.queue !== null) region.shares = 1;
  for (let i = 0; i < arity; i++) {
    const parent = node.parent(i);
    if (parent === null || parent.mark !== walk) continue;
    const part = row.fused(node, g, i);
    const fitted = like === null ? part : fit(part, like[i]!);
    if (fitted.storage === g.storage) {
      hold(g);
      if (parent.cotangent !== null) {
        // It takes a sum, and does not hold g.
        accumulate(parent, fitted, false);
        continue;
      }
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
  if (last !== null && owned) region.shares = 0;
  if (last !== null) accumulate(last, g, owned);
  if (region.shares > 0) drop(g, false);
  else if (through === 0 && owned) recycle(g);
}

/** The same by the rule in public operators, recorded if recording is on. */
function passByRule(node: Node, row: Row, g: NDArray, owned: boolean, walk: number): void {
  const { parents } = node;
  const likes = likesOf(node, g);
  const wants = parents.map(p => p !== null && p.mark === walk);
  if (row.into !== undefined && wants[0] && !recording && mapping === 0) {
    const target = gathering(parents[0]!, likes[0]!, walk);
    unshare(target);
    row.into(target, g, node.attrs, keptOf(node, g));
    drop(g, owned);
    return;
  }
  const erases = row.erase !== undefined && wants[0] && !recording && mapping === 0;
  if (erases) wants[0] = false;
  if (row.addTo !== undefined && !recording && mapping === 0)
    for (let i = 0; i < parents.length; i++) if (wants[i] && addsTo(parents[i]!, row.addTo, node, g, i)) wants[i] = false;
  if (erases) hold(g);
  const large = !recording && mapping === 0 && (g.storage.block.region.queue !== null || parents.some((_, i) => isLargeLike(likes[i]!)));
  if (large) passLarge(node, row, g, owned && !erases, wants, likes);
  else {
    const parts = callRule(node, row, g, wants, likes);
    for (let i = 0; i < parents.length; i++) {
      if (!wants[i]) continue;
      const part = fitted(parts[i], likes[i]!);
      if (part !== null) accumulate(parents[i]!, part, false);
    }
  }
  if (!erases) return;
  const left = owned && g.view === null ? g : copyOf(g);
  if (left !== g) drop(g, owned);
  unshare(left);
  row.erase!(left, keptOf(node, left));
  accumulate(parents[0]!, left, true);
}

const isLargeLike = ({ shape, code }: Like): boolean => sizeOf(shape) * BYTES[code]! > SMALL;

/** The parts of a rule of large arrays: what it made on the way is given back, and the walk owns those that are new. */
function passLarge(node: Node, row: Row, g: NDArray, owned: boolean, wants: readonly boolean[], likes: readonly Like[]): void {
  const { parents } = node;
  const { region } = g.storage.block;
  if (owned && region.queue !== null) region.shares = 1;
  const [parts, own] = passing(() => {
    const given = callRule(node, row, g, wants, likes);
    return parents.map((_, i) => (wants[i] ? fitted(given[i], likes[i]!) : null));
  });
  if (own === null) region.shares = 0;
  parts.forEach((part, i) => {
    if (part === null) return;
    const { block } = part.storage;
    const single = own?.has(block) === true && parts.every((other, j) => j === i || other?.storage.block !== block);
    if (block.region === region) hold(g);
    accumulate(parents[i]!, part, single);
  });
  drop(g, false);
}

/** Lets a row add its gradient to a cotangent that is the walk's own. */
function addsTo(parent: Node, add: NonNullable<Row["addTo"]>, node: Node, g: NDArray, input: number): boolean {
  const have = parent.cotangent;
  if (have === null || !parent.owned || have.view !== null) return false;
  unshare(have);
  return add(have, g, input, keptOf(node, g));
}

const keptOf = (node: Node, g: NDArray): readonly NDArray[] => node.saved.map(kept => restore(kept, null, g)) as NDArray[];

/** The shape and dtype of each input of a node; `g` has those of its result. */
export const likesOf = (node: Node, { shape, code }: Like): readonly Like[] =>
  node.like ?? new Array<Like>(node.arity).fill({ shape, code });

/** What the rule of a node makes of g, reading what is `kept`: as constants unless `linked` to where they came from. */
export function callRule(
  node: Node,
  row: Row,
  g: NDArray,
  wants: readonly boolean[],
  like: readonly Like[],
  kept: readonly Kept[] = node.saved,
  linked = true,
): readonly Part[] {
  const { parents, attrs } = node;
  const inputs = parents.map((p, i) => {
    const x = restore(kept[i] ?? null, linked ? p : null, g);
    // A bare number would meet others as float32, whatever the dtype here.
    if (typeof x === "number") return filled(SCALAR, g.code, x);
    // A slope is computed in the dtype of the result, as by the kernel, and not in a narrower one of its operand.
    if (x === null || x.code === F64 || g.code !== F64 || row.pointwise === undefined) return x;
    return row.pointwise.spec.discrete?.includes(i) ? x : astype(x, "float64");
  });
  const y = restore(kept[parents.length] ?? null, linked ? node : null, g);
  return row.rule!(g, { y: y as NDArray, inputs: inputs as NDArray[], attrs, like, wants });
}

/**
 * Passes the seeds of the heads back over the nodes in order. Afterwards each node that the walk is there for holds its
 * cotangent, which the caller takes. Errors leave flags and cotangents clean.
 */
function run(
  first: Node,
  walk: number,
  heads: readonly Node[],
  seeds: readonly Seed[],
  targets: ReadonlySet<Node> | null,
  createGraph: boolean,
  trainMode: boolean,
  oldest = 0,
): void {
  const wasRecording = setRecording(createGraph);
  const wasTraining = setTraining(trainMode);
  const wasWanted = wanted;
  wanted = targets;
  depth++;
  try {
    for (let i = 0; i < heads.length; i++) {
      hold(seeds[i]!.g);
      accumulate(heads[i]!, seeds[i]!.g, seeds[i]!.owned);
    }
    for (let node: Node | null = first; node !== null; node = node.next) {
      const g = node.cotangent;
      if (g === null) continue;
      const useful = node.mark === walk;
      const kept = useful && keeps(node, targets);
      if (kept) hold(g);
      else node.cotangent = null;
      if (useful && node.row !== null && node.id >= oldest) pass(node, node.row, g, node.owned && !kept, walk);
    }
  } catch (error) {
    for (let node: Node | null = first; node !== null; node = node.next) node.cotangent = null;
    throw error;
  } finally {
    depth--;
    wanted = wasWanted;
    setRecording(wasRecording);
    setTraining(wasTraining);
  }
}

/** The node of every array whose graph is used up: a kept loss need not keep a node of its own. */
const USED_UP = nodeOf(FREED, null, [], [], null);

function forget(heads: readonly NDArray[]): void {
  for (let i = 0; i < heads.length; i++) {
    const head = heads[i]!;
    if (head.edge !== null && head.edge.row === FREED && head.edge.variable === null) head.edge = USED_UP;
  }
}

/**
 * Unlinks the nodes of a walk, writes what they still hold into their buffers, and frees them unless the graph is retained.
 * Nothing can fail any more.
 */
function finish(first: Node, retain: boolean, oldest = 0): void {
  for (let node: Node | null = first; node !== null; ) {
    const { next, cotangent }: Node = node;
    node.next = null;
    if (cotangent !== null) deliver(node, cotangent);
    if (!retain && node.row !== null && node.id >= oldest && (depth === 0 || !shielded.has(node))) freeNode(node, FREED);
    node = next;
  }
}

// ---------------------------------------------------------------- arguments of backward and grad

interface WalkOptions {
  retainGraph?: boolean;
  trainMode?: boolean;
}

function headList(heads: unknown, operator: string): NDArray[] {
  const list = heads instanceof NDArray ? [heads] : heads;
  if (!Array.isArray(list) || list.length === 0)
    throw new GradError(`${operator}: heads are one array or a list of at least one, got ${describe(heads)}`);
  return Array.from(list, (h, i) => {
    if (!(h instanceof NDArray)) throw new GradError(`${operator}: heads are arrays, got ${describe(h)} at position ${i}`);
    return h;
  });
}

/** The seed of a 0-d head, by dtype, made once. */
const ONE: Seed[][] = [];

interface Seed {
  readonly g: NDArray;
  readonly owned: boolean;
}

/**
 * The cotangents to begin with: ones, or the given arrays, which must have the heads' shapes. For a single head that is
 * the array itself; a list of one array or null is taken for what it lists.
 */
function seedsOf(heads: readonly NDArray[], given: unknown, single: boolean, operator: string): Seed[] {
  return single && (given === null || given === undefined) ? ones(heads[0]!) : seedList(heads, given, single, operator);
}

function ones(head: NDArray): Seed[] {
  return head.shape.length === 0
    ? (ONE[head.code] ??= [{ g: forGood(filled(SCALAR, head.code, 1)), owned: false }])
    : [{ g: filled(head.shape, head.code, 1), owned: true }];
}

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
      throw new ShapeError(
        `${operator}: the head gradient has shape ${showShape(seed.shape)}, its head ${showShape(head.shape)}; they must be equal`,
      );
    return { g: seed.code === head.code ? seed : astype(seed, head.dtype), owned: false };
  });
}

function headNodes(heads: readonly NDArray[], operator: string): Node[] {
  return heads.map((head, i) => {
    const node = edgeOf(head);
    if (node === null) throw new GradError(`${operator}${heads.length > 1 ? ` (head ${i})` : ""}: ${whyNoGraph(head)}`);
    return node;
  });
}

function checkFlags(operator: string, options: object | undefined, known: readonly string[]): void {
  if (options === undefined) return;
  checkOptions(operator, options, known);
  for (const [key, value] of Object.entries(options ?? {})) if (key !== "headGrads") flag(operator, key, value, false);
}

/**
 * Writes the gradients of the sum of the heads into the buffers of all attached arrays behind them. MXNet's autograd.backward.
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

// The lists of the most frequent walk, that of one head and not within another, are not made anew each time. They are
// emptied afterwards, or they would keep the last graph alive.
const oneHead: (NDArray | null)[] = [null];
const oneNode: (Node | null)[] = [null];

/** `backward` as a method: from one head. */
export function backwardOf(head: NDArray, headGrad: unknown, options: WalkOptions | undefined): void {
  if (depth > 0) return backwardFrom("backward", [head], headGrad, true, options);
  if (options !== undefined) checkFlags("backward", options, ["retainGraph", "trainMode"]);
  const node = edgeOf(head);
  if (node === null) throw new GradError(`backward: ${whyNoGraph(head)}`);
  oneHead[0] = head;
  oneNode[0] = node;
  try {
    backwardNodes("backward", oneNode as Node[], oneHead as NDArray[], headGrad, true, options);
  } finally {
    oneHead[0] = oneNode[0] = null;
  }
}

function backwardFrom(
  operator: string,
  heads: readonly NDArray[],
  headGrads: unknown,
  single: boolean,
  options: WalkOptions | undefined,
): void {
  checkFlags(operator, options, ["retainGraph", "trainMode"]);
  const nodes = headNodes(heads, operator);
  if (depth === 0) backwardNodes(operator, nodes, heads, headGrads, single, options);
  else backwardWithin(operator, nodes, heads, headGrads, single, options);
}

function backwardWithin(...args: Parameters<typeof backwardNodes>): void {
  walking(args[1], () => backwardNodes(...args));
}

function backwardNodes(
  operator: string,
  nodes: readonly Node[],
  heads: readonly NDArray[],
  headGrads: unknown,
  single: boolean,
  options: WalkOptions | undefined,
): void {
  const walk = ++walks;
  const first = search(nodes, null, walk, operator);
  let useful = false;
  for (let i = 0; i < nodes.length; i++) if (nodes[i]!.mark === walk) useful = true;
  if (!useful) throw new GradError(`${operator}: no inputs of the graph require gradients; all are attached with gradReq "null"`);
  const seeds = seedsOf(heads, headGrads, single, operator);
  run(first, walk, nodes, seeds, null, false, options?.trainMode ?? true);
  const retain = options?.retainGraph === true;
  finish(first, retain);
  if (!retain) forget(heads);
}

/** Words of 4 bytes that are copied in less time than a kernel is called: 11 to 15 ns of 23. */
const FEW = 8;

/** Writes or adds a node's cotangent into its buffer, in place, and lets go of it. */
function deliver(node: Node, g: NDArray): void {
  node.cotangent = null;
  const variable = node.variable!;
  const { buffer, req } = variable;
  variable.fresh = true;
  unshare(buffer);
  if (req === "write" && g.view === null && buffer.view === null && g.size <= CHUNK && g.size > 0) {
    const from = addressOf(g);
    const to = addressOf(buffer);
    const words = (g.size * BYTES[g.code]!) >> 2;
    if (words <= FEW) for (let i = 0; i < words; i++) I32[(to >> 2) + i] = I32[(from >> 2) + i]!;
    else call1(positive.op.pointwise!.sameFamily(g.code).kernel(0), from, to, g.size);
  } else if (g.size > 0) writeAnyhow(buffer, g, req === "add");
  if (!node.owned || node.row === null) drop(g, node.owned);
}

function writeAnyhow(buffer: NDArray, g: NDArray, adds: boolean): void {
  unrecorded(() => {
    if (adds) add(buffer, g, { out: buffer });
    else copyStrided(g, buffer);
  });
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
 * MXNet's autograd.grad.
 * @throws GradError where a variable is not attached or recorded, or no head depends on it.
 * @example
 * const x = np.array([1, 2, 3]).attachGrad();
 * const g = autograd.record(() => autograd.grad(x.pow(3).sum(), x, { createGraph: true }));
 * g.backward();
 * x.grad // array([ 6., 12., 18.])
 */
export function gradOf(heads: NDArray | readonly NDArray[], variables: NDArray, options?: GradOptions): NDArray;
export function gradOf(heads: NDArray | readonly NDArray[], variables: readonly NDArray[], options?: GradOptions): NDArray[];
export function gradOf(
  heads: NDArray | readonly NDArray[],
  variables: NDArray | readonly NDArray[],
  options?: GradOptions,
): NDArray | NDArray[] {
  const operator = "autograd.grad";
  checkFlags(operator, options, ["headGrads", "retainGraph", "createGraph", "trainMode"]);
  const list = headList(heads, operator);
  const single = variables instanceof NDArray;
  const wanted = single ? [variables] : variables;
  if (!Array.isArray(wanted) || wanted.length === 0)
    throw new GradError(`${operator}: variables are one array or a list of at least one, got ${describe(variables)}`);
  const targets = Array.from(wanted, (x: unknown, i) => {
    if (!(x instanceof NDArray)) throw new GradError(`${operator}: variables are arrays, got ${describe(x)} at position ${i}`);
    const node = edgeOf(x);
    if (node === null || (node.row === null && node.variable === null))
      throw new GradError(`${operator}: variable ${i} does not require gradient; call attachGrad on it before recording`);
    return node;
  });
  const nodes = headNodes(list, operator);
  const createGraph = options?.createGraph ?? false;
  const walked = (): NDArray[] => {
    const walk = ++walks;
    const set = new Set(targets);
    const first = search(nodes, set, walk, operator);
    targets.forEach((node, i) => {
      if (node.mark !== walk)
        throw new GradError(`${operator}: variable ${i} is unreachable from the heads: nothing in them was computed from it`);
    });
    const seeds = seedsOf(list, options?.headGrads, heads instanceof NDArray, operator);
    run(first, walk, nodes, seeds, set, createGraph, options?.trainMode ?? true);
    const found = collect(targets, wanted, seeds, createGraph);
    finish(first, options?.retainGraph ?? createGraph);
    return found;
  };
  const work = (): NDArray[] => walking(nodes, walked);
  const results = mapping > 0 ? work() : passing(work)[0];
  return single ? results[0]! : results;
}

/** The cotangents of variables for one head, zeros for those that it does not depend on. Everything is checked by the caller. */
export function cotangents(head: NDArray, variables: readonly NDArray[], seed: NDArray, options: Retaining): NDArray[] {
  const node = edgeOf(head);
  if (node === null) {
    if (typeof head.cause === "string") throw new GradError(`grad: ${whyNoGraph(head)}`);
    return variables.map(x => zeroed(x.shape, x.code));
  }
  const targets = variables.map(x => edgeOf(x)!);
  // Whatever is older than all variables does not depend on them.
  return pull([node], [seed], targets, variables, Math.min(...targets.map(t => t.id)), options);
}

interface Retaining {
  readonly createGraph: boolean;
  readonly retainGraph: boolean;
}

/** The cotangents of targets, of which `likes` are the shapes and dtypes, over nothing older than `oldest`. */
export function pull(
  heads: readonly Node[],
  gs: readonly NDArray[],
  targets: readonly Node[],
  likes: readonly Like[],
  oldest: number,
  { createGraph, retainGraph }: Retaining,
): NDArray[] {
  const walked = (): NDArray[] => {
    const walk = ++walks;
    const set = new Set(targets);
    const first = search(heads, set, walk, "grad", oldest);
    const seeds = gs.map(g => ({ g, owned: false }));
    run(first, walk, heads, seeds, set, createGraph, training, oldest);
    const results = collect(targets, likes, seeds, createGraph);
    finish(first, retainGraph, oldest);
    return results;
  };
  const work = (): NDArray[] => walking(heads, walked, oldest);
  return mapping > 0 ? work() : passing(work)[0];
}

/** A gradient that does not depend on the variables, so that differentiating it again gives them real zeros. */
function independent(g: NDArray, targets: readonly Node[], likes: readonly Like[]): NDArray {
  const y = new NDArray(g.storage, g.offset, g.shape, g.view, g.size, g.code);
  y.edge = nodeOf(
    INDEPENDENT,
    null,
    targets,
    [],
    likes.map(({ shape, code }) => ({ shape, code })),
  );
  return y;
}

const INDEPENDENT: Row = { name: "constant", kind: "function", fused: null, rule: (_, { like }) => like.map(() => 0) };

/** Takes the cotangents of a walk's targets, each as an array of its own: not a seed, not shared, not a view, not what a graph saved. */
function collect(targets: readonly Node[], likes: readonly Like[], seeds: readonly Seed[], createGraph: boolean): NDArray[] {
  const seen = new Set<NDArray>(seeds.map(s => s.g));
  const found = targets.map(node => node.cotangent);
  for (const node of targets) node.cotangent = null;
  for (const g of found) if (g !== null && !isMapped(g)) g.storage.block.region.shares = 0;
  return found.map((g, i) => {
    if (g === null) {
      const zero = zeroed(likes[i]!.shape, likes[i]!.code);
      return createGraph ? independent(zero, targets, likes) : zero;
    }
    if (createGraph && g.edge === null) return independent(g, targets, likes);
    const own = !createGraph && (seen.has(g) || g.view !== null || g.base !== null || g.storage.block.saved > 0) ? copyOf(g) : g;
    seen.add(g);
    return own;
  });
}
