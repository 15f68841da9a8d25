/** The cotangents that nodes hold while a walk passes: how they are fitted to their nodes, added up and given back. */
import { addressOf, blank, memoryOf, type NDArray, recycle } from "./array.ts";
import { free } from "./backend/wasm/heap.ts";
import { DTYPES, SHIFT } from "./dtype.ts";
import { isMapped, mapping } from "./mapped.ts";
import type { Part } from "./op.ts";
import { add } from "./ops/pointwise.ts";
import { addInto, astype, broadcastTo, cast, sumTo, zeroed } from "./ops/structural.ts";
import { type Shape, sameShape, sizeOf } from "./shape.ts";
import { type Like, type Node, recording } from "./tape.ts";

/** One more node holds a large array of the walk's own that several hold. A mapped array has no memory to count. */
export function hold(g: NDArray): void {
  if (mapping > 0 && isMapped(g)) return;
  const { region } = g.storage.block;
  if (region.shares > 0) region.shares++;
}

/** A node lets go of a cotangent: what no other holds goes back. */
export function drop(g: NDArray, owned: boolean): void {
  if (mapping > 0 && isMapped(g)) return;
  if (owned) return recycle(g);
  const { block } = g.storage;
  if (block.region.shares > 0 && --block.region.shares === 0) free(block);
}

/**
 * Adds to a node's cotangent. The walk owns one only if it made its memory in this walk and nobody else holds it; only
 * into an owned one may it add in place.
 */
export function accumulate(node: Node, part: NDArray, owned: boolean): void {
  const have = node.cotangent;
  if (have === null) {
    node.cotangent = part;
    node.owned = owned;
  } else addTo(node, have, part, owned);
}

function addTo(node: Node, have: NDArray, part: NDArray, owned: boolean): void {
  if (recording || (mapping > 0 && (isMapped(have) || isMapped(part)))) {
    node.cotangent = add(have, part);
    node.owned = false;
  } else if (node.owned && have.view === null) {
    addInto(have, part);
    drop(part, owned);
  } else if (owned && part.view === null) {
    addInto(part, have);
    drop(have, false);
    node.cotangent = part;
    node.owned = true;
  } else {
    node.cotangent = add(have, part);
    drop(have, node.owned);
    drop(part, owned);
    node.owned = true;
  }
}

/** A part as the input's gradient: its shape and dtype, broadcast axes summed. */
export function fit(part: NDArray, like: Like): NDArray {
  return part.code === like.code && sameShape(part.shape, like.shape) ? part : refitted(part, like);
}

function refitted(part: NDArray, like: Like): NDArray {
  let y = part;
  if (!sameShape(y.shape, like.shape)) {
    const lead = y.ndim - like.shape.length;
    const larger = lead >= 0 && like.shape.every((n, i) => n === 1 || n === y.shape[lead + i]);
    y = larger ? sumTo(y, like.shape) : broadcastTo(y, like.shape);
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

/** What a rule gave for an input, as an array of its shape and dtype. */
export function fitted(given: Part | undefined, like: Like): NDArray | null {
  const part = partOf(given ?? null, like);
  return part === null ? null : fit(part, like);
}

export function filled(shape: Shape, code: number, value: number): NDArray {
  const size = sizeOf(shape);
  const y = blank(shape, size, code);
  const start = addressOf(y) >> SHIFT[code]!;
  const memory = memoryOf(code);
  if (size > 16) memory.fill(value, start, start + size);
  else for (let i = 0; i < size; i++) memory[start + i] = value;
  return y;
}
