/** What memory is made of: regions, which the allocator has, the tokens for them that arrays hold, and the queues they stand in. */

/** How many bytes must be evicted for the room of a queue to shrink by one. */
const SLOW = 64;

/** What the collector's callback of a large array holds, until the region is evicted. */
export interface Seat {
  region: Region | null;
}

export class Region {
  /** Copies of the bytes, piece by piece, while the region is evicted. */
  host: ArrayBufferLike[] | null = null;
  /** The neighbours in the queue of a large region, least recently used first. */
  older: Region | null = null;
  newer: Region | null = null;
  stamp = 0;
  /** Where the collector tells that its block is gone; null where it does not. */
  seat: Seat | null = null;
  /** The ring of a slab. */
  home: object | null = null;
  /** How a large region is computed again; while it is neither in memory nor copied, that is what there is of it. */
  recipe: Recipe | null = null;
  /** How often the bytes were written over since they were made. */
  version = 0;
  /** How many regions have nothing but a recipe that reads this one: its bytes stay as they are. */
  needed = 0;
  /** How many nodes of a walk hold this region of its own; 0 where that is not counted. */
  shares = 0;
  /** Nobody wants it but those. */
  orphan = false;
  /** Nobody wants it at all; but what still has its bytes may one day be computed from it again. */
  gone = false;
  /** What it must be when it is computed again; kept under torture only. */
  proof: ArrayBufferLike[] | null = null;
  constructor(
    /** Where the bytes are in memory; 0 while they are not. */
    public address: number,
    public bytes: number,
    /** Where a large region stands while it is in memory; a slab in none. */
    public queue: Queue | null,
  ) {}
}

/** Large regions in memory, in the order of their use. */
export class Queue {
  oldest: Region | null = null;
  newest: Region | null = null;
  /** The bytes of all, and how many they may be before the oldest are evicted, whatever the limit of memory. */
  bytes = 0;
  room: number;
  constructor(private readonly least: number) {
    this.room = least;
  }

  /** After something was read again that had been evicted. */
  grow(bytes: number, limit: number): void {
    if (this.room < limit) this.room += bytes;
  }

  /** After an eviction. */
  shrink(bytes: number): void {
    this.room = Math.max(this.least, this.room - bytes / SLOW);
  }
}

/**
 * How a region is computed again from others (rematerialisation). It holds regions and no blocks, so that it keeps
 * nothing from being collected while the region is in memory; what it reads may be gone by the time of eviction.
 */
export interface Recipe {
  readonly reads: readonly Region[];
  /** Their versions when they were read. */
  readonly versions: readonly number[];
  /** Where the chain of recipes begins: what there must be for it, whatever else is evicted. */
  readonly sources: readonly Region[];
  /** The recipes one after another. */
  readonly depth: number;
  /** The result, in a block of its own. */
  readonly compute: () => Block;
}

export class Block {
  /** How many graph nodes need the bytes as they are: a write must first give the writer a copy. */
  saved = 0;
  /** Belongs to an attached array or a gradient buffer: a scope does not release it. */
  lasting = false;
  /** Made by a walk, and seen by nothing but nodes: the last of them gives it back. */
  passing = false;
  constructor(
    public region: Region,
    public offset: number,
    public bytes: number,
  ) {}
}
