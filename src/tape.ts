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
    public attrs: unknown,
    /** The inputs' edges; null for an input that nobody differentiates. */
    public parents: readonly (Node | null)[],
    /** What the rule reads: a place for each input, then one for the result. */
    public saved: readonly Kept[],
    /** Null when every input has the result's shape and dtype. */
    public like: readonly Like[] | null,
  ) {}
}

// Not frozen: the walk reads these lists together with others, and one kind of list is read faster than two.
const NOTHING: readonly never[] = [];

/** Lets go of what a node holds; a later walk finds it freed. */
export function freeNode(node: Node, freed: Row): void {
  for (let i = 0; i < node.saved.length; i++) {
    const block = blockOf(node.saved[i]!);
    if (block !== null && --block.saved === 0 && block.passing) free(block);
  }
  node.row = freed;
  node.attrs = null;
  node.parents = node.saved = NOTHING;
  node.like = null;
}

export const leaf = (): Node => new Node(null, null, NOTHING, NOTHING, null);

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
