/**
 * WebAssembly memory as a cache over storage that the garbage collector owns. This file alone holds views on that
 * memory. It knows bytes, not arrays.
 *
 * A Region is a piece of the memory and belongs to the allocator; evicting copies its bytes into ArrayBuffers. A Block
 * is the token that says somebody wants bytes of a region: arrays and graph nodes hold it, the allocator never does.
 * So a region that nobody wants is evicted once and then collected; nobody calls anything.
 *
 * The rule of every call: allocate the outputs, read the inputs' addresses, and last of all the output's. Reading an
 * address may evict something else. The bytes of what was addressed in the last few steps stay where they are (see GUARD,
 * Nursery and cells), so inputs can be read there even if evicted meanwhile; but a write to what was evicted is lost, so
 * nothing may come between the output's address and the kernel.
 */
import { ValueError } from "../../errors.ts";
import { addHole, addSpare, hasSpares, joinSpares, roundUp, takeHole, takeSpare } from "./holes.ts";
import { isShared, MAX_PAGES, memory, PAGE } from "./memory.ts";
import { Block, Queue, type Recipe, Region, type Seat } from "./region.ts";

/** Bytes of a slab. One kept small array keeps its slab's copy, so slabs are small. */
const SLAB = 4096;
/** Arrays up to this size share slabs; larger ones have a region of their own. */
export const SMALL = 2048;
/** Evicting in pieces of this size is 1.2 to 4 times as fast as in one: the C heap reuses them without new page faults. */
const PIECE = 262144;
/** How many of the latest large regions are never evicted: more than any call addresses. */
const GUARD = 8;
/** Only the blocks of arrays of at least this size tell the collector's end of them (a registration costs 200 ns). */
export const WATCHED = 131072;
/** Bytes that regions of these kinds have at least. */
const UNWATCHED = 2 ** 20;
const REPEATABLE = 2 ** 24;
/**
 * How long chains of recipes may be: coming back takes so many kernels at most, and the end of a chain is copied. They get
 * longer while nothing comes back from far.
 */
const [SHALLOWEST, DEEPEST] = [8, 48];
/** How many given-back places of one size are remembered. */
const MOST_SPARE = 256;
/** Bytes never allocated at the end of the memory, so that a vector may be loaded past the end of any array. */
const SLACK = 64;
/** The bytes of a 0-d result. */
const CELL = 8;
/** Cells for the numbers of a call, one vector apart; the first 64 bytes stay unused so that no address is 0. */
const SCRATCH = 64;
const FIRST = 4096;

export { Block, isShared, memory, Region };

/** Views on the memory, renewed after every growth. Read them anew in every call; never keep one. */
export let U8 = new Uint8Array(memory.buffer);
export let I8 = new Int8Array(memory.buffer);
export let I32 = new Int32Array(memory.buffer);
export let F32 = new Float32Array(memory.buffer);
export let F64 = new Float64Array(memory.buffer);

let limit = 64 * 2 ** 20;
let torture = false;
/** How long chains of recipes are now. */
let deepest = SHALLOWEST;
/** The end of what was ever handed out. */
let top = FIRST;
let resident = 0;
let evictions = 0;
let returns = 0;

function renewViews(): void {
  const buffer = memory.buffer;
  U8 = new Uint8Array(buffer);
  I8 = new Int8Array(buffer);
  I32 = new Int32Array(buffer);
  F32 = new Float32Array(buffer);
  F64 = new Float64Array(buffer);
}

/** Hands out fresh memory at the top, growing it in steps of an eighth. */
function extend(bytes: number): number {
  const address = top;
  const end = top + bytes + SLACK;
  const have = U8.length;
  if (end > have) {
    const wanted = Math.ceil((end - have) / PAGE);
    const step = Math.min(Math.max(wanted, have >> 19), MAX_PAGES - have / PAGE);
    if (wanted > step || !grow(step)) {
      if (wanted > MAX_PAGES - have / PAGE || !grow(wanted))
        throw new ValueError(`array: out of memory: ${bytes} bytes wanted, ${top} in use; drop arrays, or work inside npx.scope`);
    }
    renewViews();
  }
  top += bytes;
  return address;
}

/** Memory for good, at a multiple of 128: what threads tell each other. */
export function reserve(bytes: number): number {
  // Rounded, for what comes after it must be aligned too.
  return (extend((bytes + 255) & ~127) + 127) & ~127;
}

function grow(pages: number): boolean {
  try {
    return memory.grow(pages) >= 0;
  } catch {
    return false;
  }
}

// ---- large regions: one array each, the least recently used is evicted first

/** Of watched ones only the limit says when to evict, since between jobs the collector may tell that they are dead. */
const watched = new Queue(Infinity);
/** Watched ones that are computed again: to evict one costs nothing, and its memory is still in the processor's cache. */
const repeatable = new Queue(REPEATABLE);
/** The others: little, so that they stay in that cache, and that what is evicted is still young, as with slabs. */
const unwatched = new Queue(UNWATCHED);
let clock = 0;

function unlink(r: Region): void {
  const queue = r.queue!;
  if (r.older === null) queue.oldest = r.newer;
  else r.older.newer = r.newer;
  if (r.newer === null) queue.newest = r.older;
  else r.newer.older = r.older;
  r.older = r.newer = null;
}

function append(r: Region): void {
  const queue = r.queue!;
  r.stamp = ++clock;
  r.older = queue.newest;
  if (queue.newest === null) queue.oldest = r;
  else queue.newest.newer = r;
  queue.newest = r;
}

function touch(r: Region, queue: Queue): number {
  // What is held keeps the stamp that says so.
  if (begun.length > 0 && isHeld(r)) return r.address;
  // Of the other queues newer ones may have been used since.
  if (r === queue.newest) r.stamp = ++clock;
  else {
    unlink(r);
    append(r);
  }
  return r.address;
}

/** Moves a region that is in memory to another queue, as used last. */
function enqueue(r: Region, queue: Queue): void {
  unlink(r);
  r.queue!.bytes -= r.bytes;
  r.queue = queue;
  queue.bytes += r.bytes;
  append(r);
}

/** Puts a large region where the memory for it was found. */
function settle(r: Region, address: number): void {
  r.address = address;
  resident += r.bytes;
  r.queue!.bytes += r.bytes;
  append(r);
}

/** A copy of bytes. A buffer's own `slice` sets them once; of a shared buffer it would be shared too. */
const copied = (from: number, to: number): ArrayBufferLike => (isShared ? U8.slice(from, to).buffer : U8.buffer.slice(from, to));

function copyOut(address: number, bytes: number): ArrayBufferLike[] {
  const pieces: ArrayBufferLike[] = [];
  for (let at = 0; at < bytes; at += PIECE) pieces.push(copied(address + at, address + Math.min(at + PIECE, bytes)));
  evictions++;
  return pieces;
}

function release(r: Region, place: (address: number, bytes: number) => void = addHole): void {
  unlink(r);
  place(r.address, roundUp(r.bytes));
  resident -= r.bytes;
  r.queue!.bytes -= r.bytes;
  r.address = 0;
  if (r.seat !== null) {
    // A registered block would outlive all but full collections, and the evicted bytes with it. Nor may anything be
    // registered that leads to them: what is left of it does until then.
    registry.unregister(r.seat);
    r.seat = r.seat.region = null;
  }
}

/** The clocks when the computing of evicted regions began, one for another: what was addressed just before stays where it is. */
const begun: number[] = [];

const isHeld = ({ stamp }: Region): boolean => begun.some(then => stamp > then - GUARD && stamp <= then);
const isFresh = (r: Region): boolean => r.stamp > clock - GUARD || isHeld(r);

/** Whether a region has a recipe that still holds. `seen` are regions that have one. */
function isRepeatable({ recipe }: Region, seen?: Set<Region>): boolean {
  if (recipe === null) return false;
  const { reads, versions } = recipe;
  for (let i = 0; i < reads.length; i++) {
    const x = reads[i]!;
    if (x.version !== versions[i]) return false;
    if (x.gone) {
      if (seen?.has(x)) continue;
      seen ??= new Set();
      seen.add(x);
      if (!isRepeatable(x, seen)) return false;
    } else if (x.address === 0 && x.host === null && x.recipe === null) return false;
  }
  return true;
}

/** Lets go of a recipe: from now on the region must be copied. */
function forget(r: Region): void {
  r.recipe = null;
  if (r.queue !== repeatable) return;
  if (r.address === 0) r.queue = watched;
  else enqueue(r, watched);
}

/** Leaves of a region no more than its recipe, which holds. */
function giveUp(r: Region, place = addHole): void {
  need(r.recipe!);
  if (torture) r.proof = copyOut(r.address, r.bytes);
  evictions++;
  release(r, place);
}

/** Moves a region out of memory: with a recipe that still holds nothing is copied. */
function evict(r: Region, place = addHole): void {
  if (isRepeatable(r)) return giveUp(r, place);
  if (r.queue === repeatable && deepest < DEEPEST) deepest++;
  r.host = copyOut(r.address, r.bytes);
  release(r, place);
  forget(r);
}

/** What nobody wants any more goes, unless another region is computed from it: then with its recipe, or not at all. */
function dispose(r: Region, place?: typeof addSpare): void {
  if (r.needed > 0) {
    r.orphan = true;
    if (r.address !== 0 && isRepeatable(r)) giveUp(r);
    return;
  }
  if (r.address !== 0) {
    if (!isRepeatable(r)) r.recipe = null;
    release(r, place);
  } else if (r.host === null && r.recipe !== null && !r.gone) unneed(r.recipe);
  r.host = r.proof = null;
  r.gone = r.recipe !== null;
}

/** Counts a region more that has nothing but this recipe. */
function need(recipe: Recipe): void {
  for (const x of recipe.reads) {
    x.needed++;
    if (x.gone) {
      x.gone = false;
      x.orphan = true;
      need(x.recipe!);
    }
  }
}

function unneed(recipe: Recipe): void {
  for (const x of recipe.reads) if (--x.needed === 0 && x.orphan) dispose(x);
}

/**
 * Computes what has a recipe only, and gives its address. The caller may have addressed other regions and set numbers:
 * both stay.
 */
function recompute(r: Region): number {
  const recipe = r.recipe!;
  const [outer, then] = [scope, clock];
  const numbers = U8.slice(0, FIRST);
  const back: Region[] = [];
  let made: Region;
  scope = null;
  begun.push(clock);
  try {
    // One after another, so that of a long chain only few are in memory at once.
    for (const x of recipe.reads)
      if (x.address !== 0) touch(x, x.queue!);
      else {
        bringBack(x);
        back.push(x);
      }
    made = recipe.compute().region;
  } finally {
    begun.pop();
    scope = outer;
    U8.set(numbers, 0);
  }
  const a = made.address;
  release(made, () => {});
  clock = then;
  for (const x of back) x.stamp = then - GUARD;
  // What the caller wants is copied the next time; what is on the way to it is not.
  if (begun.length === 0) {
    forget(r);
    if (recipe.depth > SHALLOWEST) deepest = Math.max(SHALLOWEST, deepest >> 1);
  }
  unneed(recipe);
  r.proof?.forEach((piece, i) => {
    if (new Uint8Array(piece).some((byte, at) => byte !== U8[a + i * PIECE + at]))
      throw new ValueError("array: it was not computed again as it was");
  });
  r.proof = null;
  return a;
}

/** Brings a large region back into memory. */
function bringBack(r: Region): number {
  const { host, queue } = r;
  returns++;
  if (begun.length === 0) queue!.grow(r.bytes, limit);
  const a = host === null ? recompute(r) : place(r.bytes, queue!);
  if (host !== null) for (let i = 0, at = a; i < host.length; at += host[i++]!.byteLength) U8.set(new Uint8Array(host[i]!), at);
  settle(r, a);
  r.host = null;
  return a;
}

/**
 * Says how a large result, just computed, is computed again from what was read: large arrays, which a write gives other
 * blocks from then on. It is not kept where it would keep (much) more than twice the bytes of the result, or takes too many steps.
 */
export function remember(block: Block, reads: readonly Region[], compute: () => Block): void {
  if (block.region.address === 0) return;
  const most = 2.25 * block.bytes;
  const sources: Region[] = [];
  let depth = 1;
  let bytes = 0;
  for (const r of reads) {
    if (r.queue === null || r === block.region) return;
    if (r.recipe !== null) depth = Math.max(depth, r.recipe.depth + 1);
    for (const s of r.recipe?.sources ?? [r]) {
      if (sources.includes(s)) continue;
      sources.push(s);
      bytes += s.bytes;
    }
    if (bytes > most) return;
  }
  // The end of a chain is copied as soon as its turn comes: then it is still young, and so is the copy.
  if (depth <= deepest) block.region.recipe = { reads, versions: reads.map(r => r.version), sources, depth, compute };
  if (block.region.queue === watched) enqueue(block.region, repeatable);
}

/**
 * Before a write over the bytes of a block that is in memory and that no region needs: what was computed from them is not
 * computed again from what they are then.
 */
export function overwrite({ region }: Block): void {
  forget(region);
  region.version++;
}

const evictable = (r: Region | null): r is Region => r !== null && !isFresh(r);

function longestUnused(): Region | null {
  let found = watched.oldest;
  for (const { oldest } of [repeatable, unwatched]) if (oldest !== null && !(found !== null && found.stamp < oldest.stamp)) found = oldest;
  return found;
}

/** Evicts the oldest of a queue until so many bytes more fit its room. */
function makeRoom(queue: Queue, bytes: number): void {
  for (let r = queue.oldest; queue.bytes + bytes > queue.room && evictable(r); r = queue.oldest) {
    queue.shrink(r.bytes);
    // Most likely the next is as large.
    evict(r, addSpare);
  }
}

/** The bytes that made way for others since `evictAhead`. */
let shortage = 0;

/** Evicts what was longest unused; gives its bytes, or 0 where nothing may go. */
function makeWay(): number {
  const r = longestUnused();
  if (!evictable(r)) return 0;
  shortage += r.bytes;
  evict(r);
  return r.bytes;
}

/** Finds memory for a large region: a hole, fresh memory below the limit, or the place of what was longest unused. */
function place(bytes: number, queue: Queue): number {
  if (torture) shake();
  const wanted = roundUp(bytes);
  makeRoom(queue === unwatched ? unwatched : repeatable, bytes);
  // What was extended beyond the limit, where no hole was large enough, does not stay filled; nor what a limit before allowed.
  while (resident + wanted > limit && makeWay() > 0);
  let address = takeSpare(wanted) || takeHole(wanted);
  if (address !== 0) return address;
  if (top + wanted <= limit) return extend(wanted);
  if (hasSpares()) {
    joinSpares();
    address = takeHole(wanted);
    if (address !== 0) return address;
  }
  for (let evicted = 0, bytes = -1; evicted < 4 * wanted && bytes !== 0; evicted += bytes) {
    bytes = makeWay();
    address = takeHole(wanted);
    if (address !== 0) return address;
  }
  return extend(wanted);
}

/**
 * Evicts as much again as had to make way since the last time, or about `most` bytes: while other threads compute, that takes
 * no time. Nothing is written to the memory, so it may be between an output's address and the end of its kernel.
 */
export function evictAhead(most: number): void {
  if (shortage === 0 || begun.length > 0) return;
  for (let left = Math.min(shortage, most), bytes = -1; left > 0 && bytes !== 0; left -= bytes) bytes = makeWay();
  shortage = 0;
}

const registry = new FinalizationRegistry<Seat>(seat => {
  if (seat.region !== null) dispose(seat.region);
});

function allocateLarge(bytes: number): Block {
  if (bytes > MAX_PAGES * PAGE - FIRST - SLACK)
    throw new ValueError(`array: out of memory: ${bytes} bytes wanted for one array, which can have ${MAX_PAGES * PAGE} at most`);
  const queue = bytes < WATCHED ? unwatched : watched;
  const r = new Region(0, bytes, queue);
  settle(r, place(bytes, queue));
  const block = new Block(r, 0, bytes);
  if (bytes >= WATCHED) {
    r.seat = { region: r };
    registry.register(block, r.seat, r.seat);
  }
  return block;
}

// ---- small arrays: slabs in rings, evicted in the order in which they were filled

class Nursery {
  private readonly base: number;
  private readonly slabs: (Region | null)[];
  private position = 0;
  private used = 0;
  private current: Region;

  /**
   * `count` slabs, of which `guard` are kept empty ahead: more than the blocks of one call can fill. Few slabs, so that
   * what is evicted is still young: the collector frees young ArrayBuffers in passing, but those held by a region that
   * has grown old only in a full collection.
   */
  constructor(
    private readonly count: number,
    private readonly guard: number,
  ) {
    this.base = extend(count * SLAB);
    this.slabs = new Array<Region | null>(count).fill(null);
    this.current = this.open();
  }

  /** Places that were given back, by size: hot in cache, and they save filling and evicting slabs. */
  private readonly spareRegions: Region[][] = [];
  private readonly spareOffsets: number[][] = [];

  allocate(bytes: number): Block {
    const spare = this.spareRegions[bytes];
    if (spare !== undefined && spare.length > 0) {
      const region = spare.pop()!;
      const offset = this.spareOffsets[bytes]!.pop()!;
      if (region.address !== 0) return new Block(region, offset, bytes);
    }
    if (this.used + bytes > SLAB) this.advance();
    const block = new Block(this.current, this.used, bytes);
    this.used += bytes;
    return block;
  }

  free(block: Block): void {
    const { bytes } = block;
    if (this.spareRegions[bytes] === undefined) {
      this.spareRegions[bytes] = [];
      this.spareOffsets[bytes] = [];
    }
    if (this.spareRegions[bytes].length >= MOST_SPARE) return;
    this.spareRegions[bytes].push(block.region);
    this.spareOffsets[bytes]!.push(block.offset);
  }

  /** Opens the next slab, and clears the one `guard` slabs ahead: what is in memory now stays there for that long. */
  private advance(): void {
    this.current.bytes = this.used;
    const ahead = (this.position + 1 + this.guard) % this.count;
    const old = this.slabs[ahead]!;
    if (old !== null) this.moveOut(old);
    this.slabs[ahead] = null;
    this.position = (this.position + 1) % this.count;
    this.current = this.open();
    this.used = 0;
  }

  private open(): Region {
    const r = new Region(this.base + this.position * SLAB, SLAB, null);
    r.home = this;
    this.slabs[this.position] = r;
    return r;
  }

  /** Evicts everything and starts again; the ring's memory is not reused. */
  evictAll(): void {
    this.current.bytes = this.used;
    for (const r of this.slabs) if (r !== null) this.moveOut(r);
  }

  private moveOut(r: Region): void {
    r.host = copyOut(r.address, r.bytes);
    r.address = 0;
  }
}

// ---- 0-d results: a ring of cells. One that must make room leaves its bits in its block, so a kept loss keeps nothing else

/** The region of all cells, and what stands in a block instead once its bits are in `offset` and `bytes`. */
const CELLS = new Region(0, 0, null);
const MOVED = new Region(0, 0, null);
// Few, since blocks that the ring holds through a collection grow old, and die only in a full one.
let cellCount = 128;
let cellBlocks: (Block | null)[] = [];
let nextCell = 0;

function allocateCell(): Block {
  if (CELLS.address === 0) {
    CELLS.address = extend(cellCount * CELL);
    cellBlocks = new Array<Block | null>(cellCount).fill(null);
  }
  const cell = nextCell;
  nextCell = cell + 1 === cellCount ? 0 : cell + 1;
  // The cell GUARD places ahead is given up now, so that its bytes can still be read until they are needed.
  const ahead = (cell + GUARD) % cellCount;
  const old = cellBlocks[ahead]!;
  if (old !== null) {
    moveCell(old);
    cellBlocks[ahead] = null;
  }
  const block = new Block(CELLS, cell * CELL, CELL);
  cellBlocks[cell] = block;
  return block;
}

function moveCell(block: Block): void {
  const at = (CELLS.address + block.offset) >> 2;
  block.region = MOVED;
  block.offset = I32[at]!;
  block.bytes = I32[at + 1]!;
}

function cellBack(block: Block): number {
  const home = allocateCell();
  const at = (CELLS.address + home.offset) >> 2;
  I32[at] = block.offset;
  I32[at + 1] = block.bytes;
  block.region = CELLS;
  block.offset = home.offset;
  block.bytes = CELL;
  cellBlocks[home.offset / CELL] = block;
  return at << 2;
}

let results: Nursery | null = null;
let hosts: Nursery | null = null;

// ---- the outside of it

let scope: Block[] | null = null;

/** Computing something again moves nothing on in the rings: the caller may have addressed what would go then. */
const isSmall = (bytes: number): boolean => bytes <= SMALL && begun.length === 0;

function noted(block: Block): Block {
  if (scope !== null) scope.push(block);
  return block;
}

/** Memory for an operator's result. */
export function allocate(bytes: number): Block {
  if (!isSmall(bytes)) return noted(allocateLarge(bytes));
  if (torture) shake();
  if (bytes <= CELL) return noted(allocateCell());
  if (results === null) results = new Nursery(32, 8);
  return noted(results.allocate((bytes + 15) & ~15));
}

/** A region of its own, however small: it moves nothing on in the rings of small arrays. */
export const allocateRegion = (bytes: number): Block => noted(allocateLarge(bytes));

/** Memory for what comes from outside and stays: host data, parameters, gradient buffers. */
export function allocateHost(bytes: number): Block {
  if (!isSmall(bytes)) return noted(allocateLarge(bytes));
  if (torture) shake();
  if (hosts === null) hosts = new Nursery(32, 8);
  return noted(hosts.allocate((bytes + 15) & ~15 || 16));
}

/** The byte address of a block, which is brought back into memory if need be. Good until the kernel of this call has run. */
export function address(block: Block): number {
  const r = block.region;
  const a = r.address;
  if (a === 0) return comeBack(block);
  const { queue } = r;
  return (queue === null ? a : touch(r, queue)) + block.offset;
}

function comeBack(block: Block): number {
  const r = block.region;
  if (r === MOVED) return cellBack(block);
  const { host, recipe } = r;
  if (host === null && recipe === null)
    throw new ValueError("array: it was released: it was made inside npx.scope and not returned, or disposed; keep it with npx.keep");
  if (r.queue !== null) return bringBack(r);
  returns++;
  const outer = scope;
  scope = null;
  const home = allocate(block.bytes);
  scope = outer;
  const a = home.region.address + home.offset;
  U8.set(new Uint8Array(host![0]!, block.offset, block.bytes), a);
  block.region = home.region;
  block.offset = home.offset;
  return a;
}

const RELEASED = new Region(0, 0, null);

/** Gives back at once what nobody will read again. Using the block afterwards is an error, not a wrong number. */
export function free(block: Block): void {
  const r = block.region;
  if (r.queue !== null) dispose(r, addSpare);
  else if (r.address !== 0) {
    if (r === CELLS) cellBlocks[block.offset / CELL] = null;
    else if (r.home === results) results?.free(block);
  }
  block.region = RELEASED;
}

export const isReleased = (block: Block): boolean => block.region === RELEASED;

/** Puts a number of a call into one of eight scratch cells, as float32, float64 or int32, and gives its address. */
export function scratch(slot: number, value: number, lane: number): number {
  const at = SCRATCH + slot * 16;
  if (lane === 0) F32[at >> 2] = value;
  else if (lane === 1) F64[at >> 3] = value;
  else I32[at >> 2] = value;
  return at;
}

/** Runs `fn` noting the blocks made inside; gives them beside the result. */
export function noteBlocks<T>(fn: () => T): [T, Block[]] {
  const outer = scope;
  const made: Block[] = [];
  scope = made;
  try {
    return [fn(), made];
  } finally {
    scope = outer;
    if (outer !== null) for (const b of made) outer.push(b);
  }
}

/** Sets how many bytes of memory arrays may take before the least recently used are moved out of it. */
export function setLimit(bytes: number): void {
  limit = bytes;
}

export interface MemoryInfo {
  /** Bytes of memory that large arrays may take before eviction. */
  limit: number;
  /** Bytes of WebAssembly memory. */
  wasm: number;
  /** Bytes of large arrays in it now. */
  resident: number;
  /** How often a region was moved out since the start, and how often something came back. */
  evictions: number;
  returns: number;
}

export const memoryInfo = (): MemoryInfo => ({ limit, wasm: U8.length, resident, evictions, returns });

/** Makes every weakness show: the smallest rings, a budget of 1 MB, and views renewed at every allocation. For tests. */
export function setTorture(): void {
  torture = true;
  for (const ring of [results, hosts]) ring?.evictAll();
  results = hosts = null;
  for (const block of cellBlocks) if (block !== null) moveCell(block);
  nextCell = CELLS.address = 0;
  cellCount = 2 * GUARD + 4;
  limit = 2 ** 20;
}

function shake(): void {
  memory.grow(0);
  renewViews();
}
