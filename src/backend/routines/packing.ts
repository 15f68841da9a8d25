/**
 * Writes the functions that copy a matrix into panels, in the order in which the product reads it. Elements may lie
 * anywhere: a step apart, or where tables of offsets say. Knows nothing of what is done with the panels.
 */
import { F32x4, F64x2, type Func, I32, I32x4, type Local, type Module, F32 as Op32, F64 as Op64, V128 } from "../wasm/assembler.ts";

/** What differs between the dtypes that are multiplied. */
export interface Lanes {
  /** log2 of the bytes of an element, and how many fill a vector. */
  readonly shift: number;
  readonly lanes: number;
  readonly load: number;
  readonly store: number;
  readonly splat: number;
  readonly storeLane: number;
  readonly mul: number;
  readonly add: number;
  /** a·b + c in one instruction, where the engine may have it. */
  readonly madd?: number;
  readonly addScalar: number;
}

const WORD = { shift: 2, lanes: 4, splat: V128.load32Splat, storeLane: V128.store32Lane };

/** By code: float32, float64, int32. */
export const LANES: readonly Lanes[] = [
  { ...WORD, load: Op32.load, store: Op32.store, mul: F32x4.mul, add: F32x4.add, madd: F32x4.relaxedMadd, addScalar: Op32.add },
  {
    shift: 3,
    lanes: 2,
    splat: V128.load64Splat,
    storeLane: V128.store64Lane,
    load: Op64.load,
    store: Op64.store,
    mul: F64x2.mul,
    add: F64x2.add,
    madd: F64x2.relaxedMadd,
    addScalar: Op64.add,
  },
  { ...WORD, load: I32.load, store: I32.store, mul: I32x4.mul, add: I32x4.add, addScalar: I32.add },
];

// Shuffles of two vectors: their elements of 4 bytes in turns, or their halves; the lower ones first, then the upper.
const ZIPS = [0, 8].map(first => [0, 16, 4, 20].flatMap(word => [0, 1, 2, 3].map(byte => first + word + byte)));
const HALVES = [0, 8].map(first => [0, 16].flatMap(half => [0, 1, 2, 3, 4, 5, 6, 7].map(byte => first + half + byte)));

/**
 * Turns squares of vectors: the rows stand in `rows` (as many as a vector has lanes), and the columns are left on the
 * stack one by one, each for `use`, which must take it.
 */
export function writeTurn(
  f: Func,
  rows: readonly Local[],
  spare: readonly Local[],
  before: (k: number) => void,
  use: (k: number) => void,
): void {
  const pairs = rows.length === 2 ? rows : spare;
  if (rows.length === 4)
    for (const [k, pair] of spare.entries())
      f.push(rows[k & 2]!, rows[(k & 2) + 1]!)
        .shuffle(ZIPS[k & 1]!)
        .set(pair);
  for (const k of rows.keys()) {
    before(k);
    f.push(pairs[k >> 1]!, pairs[(k >> 1) + rows.length / 2]!).shuffle(HALVES[k & 1]!);
    use(k);
  }
}

/**
 * pack(to, from, n, k, step, kStep): panels of `width` of n columns; each is k rows of its `width` elements, one behind
 * another. Element (i, l) lies `i·step + l·kStep` bytes behind `from`; with `tables`, step and kStep are the addresses of
 * int32 offsets for every i and l instead. What a last panel has too much repeats column n - 1.
 */
export function writePack(module: Module, name: string, lanes: Lanes, width: number, tables: boolean): Func {
  const panel = writePanel(module, lanes, width, tables);
  const f = module.func(name, 6);
  const [to, from, n, k, step, kStep] = f.params;
  f.whileLoop(
    () => f.op(I32.gtS, n, 0),
    () => {
      f.call(panel, ...f.params);
      f.push(to)
        .op(I32.mul, k, width << lanes.shift)
        .op(I32.add)
        .set(to);
      if (tables) f.increment(step, 4 * width);
      else f.push(from).op(I32.mul, step, width).op(I32.add).set(from);
      f.increment(n, -width);
    },
  );
  void kStep;
  return f;
}

/** One panel of pack, with the same arguments: of the first `width` columns or as many as there are. */
export function writePanel(module: Module, { shift, lanes, load, store, storeLane }: Lanes, width: number, tables: boolean): Func {
  const f = module.func("", 6);
  const [to, from, n, k, step, kStep] = f.params;
  const bytes = 1 << shift;
  const row = width * bytes;
  const offsets = f.locals("i32", width);
  const [p, jumps, run] = f.locals("i32", 3);
  const vectors = f.locals("v128", lanes);
  const pairs = lanes === 4 ? vectors.map(() => f.local("v128")) : vectors;

  // The columns' offsets; whether they are neighbours.
  for (const [i, offset] of offsets.entries()) {
    if (i > 0) f.op(I32.gtS, n, i);
    if (tables) {
      if (i > 0) f.op(I32.shl, 2).op(I32.add, step).tee(step);
      else f.push(step);
      f.memory(I32.load).set(offset);
    } else if (i > 0)
      f.op(I32.mul, step)
        .op(I32.add, offsets[i - 1]!)
        .set(offset);
    if (i > 0)
      f.op(I32.sub, offset, offsets[i - 1]!)
        .op(I32.xor, bytes)
        .op(I32.or, jumps)
        .set(jumps);
  }
  const place = (): Func => (tables ? f.push(from, kStep).memory(I32.load).op(I32.add) : f.push(from)).set(p);
  const next = (rows: number): void => {
    f.increment(to, rows * row).increment(k, -rows);
    if (tables) f.increment(kStep, 4 * rows);
    else for (let i = 0; i < rows; i++) f.increment(from, kStep);
  };
  const each = (body: () => void): Func => f.whileLoop(() => f.op(I32.gtS, k, 0), body);

  f.op(I32.eqz, jumps);
  f.if(() => {
    each(() => {
      place();
      f.op(I32.add, p, offsets[0]!).set(p);
      for (let at = 0; at < row; at += 16) {
        f.push(to, p).memory(V128.load, at);
        if (row - at >= 16) f.memory(V128.store, at);
        else f.memoryLane(row - at === 8 ? V128.store64Lane : V128.store32Lane, 0, at);
      }
      next(1);
    });
    f.return();
  });
  if (!tables) f.op(I32.eq, kStep, bytes).set(run);
  each(() => {
    place();
    f.op(I32.geS, k, lanes);
    if (tables) {
      // Whether the next rows are neighbours: read only where there are as many.
      f.if(
        () => {
          f.push(0);
          for (let l = 1; l < lanes; l++)
            f.push(kStep)
              .memory(I32.load, 4 * l)
              .push(kStep)
              .memory(I32.load)
              .op(I32.sub)
              .op(I32.xor, l * bytes)
              .op(I32.or);
          f.op(I32.eqz);
        },
        () => f.push(0),
        "i32",
      );
    } else f.op(I32.and, run);
    f.if(
      () => {
        let i = 0;
        for (; i + lanes <= width; i += lanes) {
          for (let r = 0; r < lanes; r++)
            f.op(I32.add, p, offsets[i + r]!)
              .memory(V128.load)
              .set(vectors[r]!);
          writeTurn(
            f,
            vectors,
            pairs,
            () => f.push(to),
            l => f.memory(V128.store, l * row + i * bytes),
          );
        }
        for (; i < width; i++) {
          f.op(I32.add, p, offsets[i]!).memory(V128.load).set(vectors[0]!);
          for (let l = 0; l < lanes; l++) f.push(to, vectors[0]!).memoryLane(storeLane, l, l * row + i * bytes);
        }
        next(lanes);
      },
      () => {
        for (const [i, offset] of offsets.entries())
          f.push(to)
            .op(I32.add, p, offset)
            .memory(load)
            .memory(store, i * bytes);
        next(1);
      },
    );
  });
  return f;
}
