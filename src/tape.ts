/** The tape: flags, and the nodes that recorded results carry. It knows no operator and does not walk. */
import type { NDArray } from "./array.ts";
import { Block, free, noteBlocks } from "./backend/wasm/heap.ts";
import type { Row } from "./op.ts";
import type { Shape } from "./shape.ts";

/** Whether operators on arrays with an edge are recorded, and whether layers behave as in training. */
export let recording = false;
export let training = false;

/** Sets the flag and returns its previous value. */
export function setRecording(on: boolean): boolean {
  const was = recording;
  recording = on;
  return was;
}

/** What f gives, with nothing recorded. */
export function unrecorded<T>(f: () => T): T {
  const was = setRecording(false);
  try {
    return f();
  } finally {
    setRecording(was);
  }
}

/** Sets the flag and returns its previous value. */
export function setTraining(on: boolean): boolean {
  const was = training;
  training = on;
  return was;
}

/** What a backward pass does with the gradient of an attached array. */
export type GradReq = "write" | "add" | "null";

/** A value as it was when it was recorded: the block is kept from being overwritten while `block.saved` counts it. */
export class Saved {
  constructor(
    readonly block: Block,
    readonly offset: number,
    readonly shape: Shape,
    readonly view: readonly number[] | null,
    readonly size: number,
    readonly code: number,
  ) {
    block.saved++;
  }
}

/**
 * What a rule finds in the place of an input: a kept value, a number, or null where it does not read it. A block alone
 * is a value that fills it from its start, in the shape and dtype of the node's result.
 */
export type Kept = Saved | Block | number | null;

/** The block behind a kept value. */
export const blockOf = (kept: Kept): Block | null =>
  kept === null || typeof kept === "number" ? null : kept instanceof Block ? kept : kept.block;

/** The shape and dtype of an input, kept where they differ from the result's. */
export interface Like {
  readonly shape: Shape;
  readonly code: number;
}

/** Where backward leaves a gradient. */
export class Variable {
  /** Whether a backward has reached the array since. */
  fresh = false;

  constructor(
    readonly buffer: NDArray,
    readonly req: GradReq,
  ) {}
}

let clock = 0;

/** One recorded call, or (without a row) an attached array. Numbered by creation, which is a topological order. */
export class Node {
  readonly id = ++clock;
  /** The number of the last walk that found the node: negative if it does not need its cotangent. */
  mark = 0;
  /** The next older node of the walk under way: the walk's list, without a list to grow. */
  next: Node | null = null;
  /** The cotangent while a walk passes, and whether its memory is the walk's own. */
  cotangent: NDArray | null = null;
  owned = false;
  /** Where the gradient of an attached or retained array goes. */
  variable: Variable | null = null;

  constructor(
    /** Null for an attached array; FREED once a backward has passed without retainGraph. */
    public row: Row | null,
    /** The number of inputs. */
    public arity: number,
    /** The edges of up to two inputs; null for an input that nobody differentiates. */
    public first: Node | null,
    public second: Node | null,
    /** What the rule of up to two inputs reads: a place for each input, then one for the result. */
    public kept0: Kept,
    public kept1: Kept,
    public kept2: Kept,
    /** Null when every input has the result's shape and dtype. */
    public like: readonly Like[] | null,
    public attrs: unknown = null,
    /** The same for any number of inputs, where that is more than two; lists of their own would double what a node takes. */
    public wide: Wide | null = null,
  ) {}

  /** The edge of an input. */
  parent(i: number): Node | null {
    return this.wide !== null ? this.wide.parents[i]! : i === 0 ? this.first : this.second;
  }

  /** What is kept in a place: those of the inputs, and behind them that of the result. */
  kept(i: number): Kept {
    return this.wide !== null ? (this.wide.saved[i] ?? null) : i === 0 ? this.kept0 : i === 1 ? this.kept1 : this.kept2;
  }

  get parents(): readonly (Node | null)[] {
    return this.wide?.parents ?? [this.first, this.second].slice(0, this.arity);
  }

  get saved(): readonly Kept[] {
    return this.wide?.saved ?? [this.kept0, this.kept1, this.kept2].slice(0, this.arity + 1);
  }
}

interface Wide {
  readonly parents: readonly (Node | null)[];
  readonly saved: readonly Kept[];
}

/** A node of any number of inputs: their edges, and what the rule reads, as lists. */
export function nodeOf(
  row: Row,
  attrs: unknown,
  parents: readonly (Node | null)[],
  saved: readonly Kept[],
  like: readonly Like[] | null,
): Node {
  const [first = null, second = null] = parents;
  const [kept0 = null, kept1 = null, kept2 = null] = saved;
  const wide = parents.length > 2 || saved.length > 3 ? { parents, saved } : null;
  return new Node(row, parents.length, first, second, kept0, kept1, kept2, like, attrs, wide);
}

function letGo(kept: Kept): void {
  const block = blockOf(kept);
  if (block !== null && --block.saved === 0 && block.passing) free(block);
}

/** Lets go of what a node holds; a later walk finds it freed. */
export function freeNode(node: Node, freed: Row): void {
  if (node.wide !== null) node.wide.saved.forEach(letGo);
  else {
    letGo(node.kept0);
    letGo(node.kept1);
    letGo(node.kept2);
  }
  node.row = freed;
  node.arity = 0;
  node.first = node.second = null;
  node.kept0 = node.kept1 = node.kept2 = null;
  node.attrs = node.like = node.wide = null;
}

export const leaf = (): Node => new Node(null, 0, null, null, null, null, null, null);

/** How often code of the caller's ran inside a walk: what it saw, it may keep. */
let foreign = 0;

export function noteForeign(): void {
  foreign++;
}

/**
 * Runs work of which nobody sees more than the results; what else it made is given back at once, or by the nodes that
 * saved it. Gives, beside the results, what of them was made in it and is seen by nobody else; null where code of the
 * caller's ran, which may have kept anything.
 */
export function passing<X extends NDArray | null>(work: () => X[]): [X[], ReadonlySet<Block> | null] {
  const before = foreign;
  const [results, made] = noteBlocks(work);
  if (foreign !== before) return [results, null];
  const own = new Set<Block>();
  const kept = new Set(results.map(x => x?.storage.block));
  for (const block of made) {
    if (block.lasting) continue;
    if (kept.has(block)) own.add(block);
    else if (block.saved === 0) free(block);
    else block.passing = true;
  }
  return [results, own];
}
