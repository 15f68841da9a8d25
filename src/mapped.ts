/** Arrays seen without the axis that `vmap` maps over, and whether any are about. What is done with them stands in vmap.ts. */
import { NDArray, Storage } from "./array.ts";
import type { Block } from "./backend/wasm/heap.ts";
import { ValueError } from "./errors.ts";
import { contiguousStrides, type Shape, showShape } from "./shape.ts";

/** The memory of a mapped array: there is none, since it stands for many arrays. */
class Unreadable extends Storage {
  constructor() {
    super(null as unknown as Block);
    Object.defineProperty(this, "block", {
      get(): Block {
        throw new ValueError(
          "vmap: inside the mapped function an array stands for many, so its values cannot be read or written; choose with np.where, or return it",
        );
      },
    });
  }
}

let unreadable: Unreadable | undefined;

/** One array for each entry along the first axis of `physical`; its shape is that of one of them. */
export class Mapped extends NDArray {
  constructor(
    readonly physical: NDArray,
    /** How many vmaps there were around, this one included. */
    readonly level: number,
  ) {
    const shape = physical.shape.slice(1);
    // Never contiguous: so it takes the general way through every operator, which asks about it.
    super((unreadable ??= new Unreadable()), 0, shape, contiguousStrides(shape), physical.size / (physical.shape[0]! || 1), physical.code);
  }

  override toString(): string {
    return `mapped array of shape ${showShape(this.shape)} and dtype ${this.dtype}`;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** What rows do with mapped operands. */
export interface Mapper {
  /** The row's function on arrays, of which some are mapped; they broadcast. */
  readonly broadcast: (fn: (xs: readonly unknown[]) => NDArray, xs: readonly unknown[], operator: string) => NDArray;
  /** The same for a row with attributes. */
  readonly structural: <A>(
    fn: (xs: readonly NDArray[], attrs: A) => NDArray,
    rule: Lifting<A>,
    xs: readonly NDArray[],
    attrs: A,
  ) => NDArray;
  /** An array as one that all vmaps under way map over. */
  readonly everywhere: (x: NDArray) => NDArray;
}

/** How a row is applied to arrays with one more axis in front. Without any of these, to each entry alone. */
export interface Lifting<A> {
  /** The attributes for arrays of n entries along the new axis. */
  readonly lift?: ((attrs: A, n: number) => A) | undefined;
  /** Leading axes broadcast: operands only need as many axes as the others. */
  readonly broadcasts?: boolean | undefined;
  /** The whole result, n entries along its first axis, from operands that have that axis where `has` says so. */
  readonly mapped?: ((xs: readonly NDArray[], has: readonly boolean[], attrs: A, n: number) => NDArray) | undefined;
}

/** How many vmaps are under way. */
export let mapping = 0;
/** The number of entries each of them maps over. */
export const entries: number[] = [];
export let mapper: Mapper | null = null;

/** Runs f with one more axis mapped. */
export function withMapping<T>(rules: Mapper, n: number, f: (level: number) => T): T {
  mapper = rules;
  entries.push(n);
  mapping++;
  try {
    return f(mapping);
  } finally {
    mapping--;
    entries.pop();
  }
}

/** Runs f as if just these vmaps were under way, given by their numbers of entries. */
export function asMapping<T>(counts: readonly number[], f: () => T): T {
  const outer = entries.splice(0, entries.length, ...counts);
  mapping = counts.length;
  try {
    return f();
  } finally {
    entries.splice(0, entries.length, ...outer);
    mapping = outer.length;
  }
}

export const isMapped = (x: unknown): x is Mapped => x instanceof Mapped;

/** An array with axes in front, as the vmaps above level `from` (none by default) up to `to` show it. */
export function wrapped(x: NDArray, from = 0, to = mapping): NDArray {
  let y = x;
  for (let level = from + 1; level <= to; level++) y = new Mapped(y, level);
  return y;
}

/** A shape with an axis in front for each vmap under way: how many numbers are drawn when one asks for that shape inside. */
export const spreadShape = (shape: Shape): Shape => (mapping === 0 ? shape : [...entries, ...shape]);

/** The array behind all levels, with their axes in front, and which levels these are. */
export function unwrapped(x: NDArray): [NDArray, number[]] {
  const levels: number[] = [];
  let inner = x;
  while (isMapped(inner)) {
    levels.unshift(inner.level);
    inner = inner.physical;
  }
  return [inner, levels];
}

/** The array behind all levels. */
export const physicalOf = (x: NDArray): NDArray => (isMapped(x) ? unwrapped(x)[0] : x);
