/**
 * Order among elements: stable argsort, argmax and argmin, written by hand in WebAssembly for every dtype. Knows
 * addresses and element counts, not arrays.
 */
import { BOOL, F32 as FLOAT32, F64 as FLOAT64, I8 as INT8, I32 as INT32, U8 as UINT8 } from "../../dtype.ts";
import type { Func, Local, ValueType } from "../wasm/assembler.ts";
import { F32, F32x4, F64, F64x2, I8x16, I32, I32x4, type Module, V128 } from "../wasm/assembler.ts";
import { routines } from "../wasm/drivers.ts";

/** All addresses are in bytes; rows lie one behind another, n elements each. */
export interface SortingRoutines {
  /**
   * Writes to `out` the int32 positions of each row's elements in ascending order. Equal elements (-0 and 0 too) keep
   * their order, NaN come last. `work` is room for n int32.
   */
  argsort(code: number, src: number, out: number, work: number, n: number, rows: number): void;
  /** Writes to `out` the int32 position of each row's first largest element, or of its first NaN. n >= 1. */
  argmax(code: number, src: number, out: number, n: number, rows: number): void;
  /** Writes to `out` the int32 position of each row's first smallest element, or of its first NaN. n >= 1. */
  argmin(code: number, src: number, out: number, n: number, rows: number): void;
  /** argmax down the columns of `blocks` blocks of n rows of `width` elements. `work` is room for a row. */
  argmaxRows(code: number, src: number, out: number, work: number, n: number, width: number, blocks: number): void;
  /** The same for argmin. */
  argminRows(code: number, src: number, out: number, work: number, n: number, width: number, blocks: number): void;
}

/** What differs between dtypes. */
interface Element {
  readonly type: ValueType;
  /** log2 of the bytes of an element. */
  readonly shift: number;
  readonly load: number;
  readonly store: number;
  readonly eq: number;
  readonly ne: number;
  readonly lt: number;
  readonly le: number;
  readonly gt: number;
  readonly splat: number;
  readonly extract: number;
  /** The larger and the smaller; for floats NaN if either is. Integers have no such scalar operation. */
  readonly vectorMax: number;
  readonly vectorMin: number;
  readonly max?: number;
  readonly min?: number;
}

const INTEGER = { type: "i32", eq: I32.eq, ne: I32.ne, lt: I32.ltS, le: I32.leS, gt: I32.gtS } as const;

/** By code; bool is stored, and ordered, as uint8. */
const ELEMENTS: Readonly<Record<number, Element>> = {
  [FLOAT32]: {
    type: "f32",
    shift: 2,
    load: F32.load,
    store: F32.store,
    eq: F32.eq,
    ne: F32.ne,
    lt: F32.lt,
    le: F32.le,
    gt: F32.gt,
    splat: F32x4.splat,
    extract: F32x4.extractLane,
    vectorMax: F32x4.max,
    vectorMin: F32x4.min,
    max: F32.max,
    min: F32.min,
  },
  [FLOAT64]: {
    type: "f64",
    shift: 3,
    load: F64.load,
    store: F64.store,
    eq: F64.eq,
    ne: F64.ne,
    lt: F64.lt,
    le: F64.le,
    gt: F64.gt,
    splat: F64x2.splat,
    extract: F64x2.extractLane,
    vectorMax: F64x2.max,
    vectorMin: F64x2.min,
    max: F64.max,
    min: F64.min,
  },
  [INT32]: {
    ...INTEGER,
    shift: 2,
    load: I32.load,
    store: I32.store,
    splat: I32x4.splat,
    extract: I32x4.extractLane,
    vectorMax: I32x4.maxS,
    vectorMin: I32x4.minS,
  },
  [INT8]: {
    ...INTEGER,
    shift: 0,
    load: I32.load8S,
    store: I32.store8,
    splat: I8x16.splat,
    extract: I8x16.extractLaneS,
    vectorMax: I8x16.maxS,
    vectorMin: I8x16.minS,
  },
  [UINT8]: {
    ...INTEGER,
    shift: 0,
    load: I32.load8U,
    store: I32.store8,
    splat: I8x16.splat,
    extract: I8x16.extractLaneU,
    vectorMax: I8x16.maxU,
    vectorMin: I8x16.minU,
  },
};

const isFloat = (e: Element): boolean => e.max !== undefined;

/** Pushes the address of element `index` of the run at `base`. */
function at(f: Func, base: Local, index: Local, shift: number): Func {
  f.push(base, index);
  if (shift > 0) f.op(I32.shl, shift);
  return f.op(I32.add);
}

/** Pushes whether `later` has to come before `earlier`, which stands in front of it: strictly smaller, with NaN as the largest. */
function overtakes(f: Func, e: Element, later: Local, earlier: Local): Func {
  if (!isFloat(e)) return f.op(e.lt, later, earlier);
  f.op(e.le, earlier, later).op(I32.eqz);
  return f.op(e.eq, later, later).op(I32.and);
}

/** Runs of this length are sorted by insertion, then merged. */
const RUN = 16;

/** insertion(src, out, from, to): writes the positions from … to - 1 in order. */
function writeInsertion(module: Module, e: Element): Func {
  const f = module.func("", 4);
  const [src, out, from, to] = f.params;
  const [i, p, start, hole] = f.locals("i32", 4);
  const [x, y] = f.locals(e.type, 2);
  at(f, out, from, 2).set(start);
  f.forLoop(i, from, to, 1, () => {
    at(f, src, i, e.shift).memory(e.load).set(x);
    at(f, out, i, 2).set(hole);
    f.whileLoop(
      () => f.op(I32.ne, hole, start),
      leave => {
        f.op(I32.sub, hole, 4).memory(I32.load).set(p);
        at(f, src, p, e.shift).memory(e.load).set(y);
        overtakes(f, e, x, y).op(I32.eqz).brIf(leave);
        f.push(hole, p).memory(I32.store);
        f.increment(hole, -4);
      },
    );
    f.push(hole, i).memory(I32.store);
  });
  return f;
}

/** merge(src, left, right, end, to): merges the sorted positions left … right and right … end of one buffer into another. */
function writeMerge(module: Module, e: Element): Func {
  const f = module.func("", 5);
  const [src, left, right, end, to] = f.params;
  const [middle, p, q] = f.locals("i32", 3);
  const [x, y] = f.locals(e.type, 2);
  const fetch = (from: Local, position: Local, value: Local): void => {
    f.push(from).memory(I32.load).set(position);
    at(f, src, position, e.shift).memory(e.load).set(value);
  };
  f.set(middle, right);
  f.block(leave => {
    f.op(I32.eq, right, end).brIf(leave);
    // Runs that are in order already are copied: sorting what is sorted costs no comparison per element.
    f.op(I32.sub, right, 4).set(p);
    fetch(p, p, x);
    fetch(right, q, y);
    overtakes(f, e, y, x).op(I32.eqz).brIf(leave);
    fetch(left, p, x);
    // Branches, though unpredictable: arithmetic in their place makes every load wait for the comparison, and takes twice as long.
    f.loop(again => {
      overtakes(f, e, y, x);
      f.if(
        () => {
          f.push(to, q).memory(I32.store);
          f.increment(to, 4);
          f.increment(right, 4);
          f.op(I32.eq, right, end).brIf(leave);
          fetch(right, q, y);
          f.br(again);
        },
        () => {
          f.push(to, p).memory(I32.store);
          f.increment(to, 4);
          f.increment(left, 4);
          f.op(I32.eq, left, middle).brIf(leave);
          fetch(left, p, x);
          f.br(again);
        },
      );
    });
  });
  f.push(to, left).op(I32.sub, middle, left).memoryCopy();
  f.push(to).op(I32.sub, middle, left).op(I32.add).push(right).op(I32.sub, end, right).memoryCopy();
  return f;
}

/** argsort(src, out, work, n, rows): runs, then merges to and fro between the two buffers, so that the last ends in `out`. */
function writeArgsort(module: Module, e: Element): void {
  const insertion = writeInsertion(module, e);
  const merge = writeMerge(module, e);
  const f = module.func("argsort", 5);
  const [src, out, work, n, rows] = f.params;
  const [row, width, double, from] = f.locals("i32", 4);
  const [bound, here, there] = f.locals("i32", 3);
  const swap = (): Func => f.push(here).set(here, there).set(there);
  /** Pushes from + by, or n if that is less. */
  const limit = (by: Local): Func => {
    f.op(I32.add, from, by).tee(bound).push(n);
    return f.op(I32.ltS, bound, n).select();
  };
  f.forLoop(row, 0, rows, 1, () => {
    f.set(here, out).set(there, work);
    f.set(width, RUN);
    f.whileLoop(
      () => f.op(I32.ltS, width, n),
      () => {
        swap();
        f.op(I32.shl, width, 1).set(width);
      },
    );
    f.set(width, RUN);
    f.forLoop(from, 0, n, width, () => {
      f.push(src, here, from);
      limit(width).call(insertion);
    });
    f.whileLoop(
      () => f.op(I32.ltS, width, n),
      () => {
        f.op(I32.shl, width, 1).set(double);
        f.set(from, 0);
        f.loop(again => {
          f.push(src);
          at(f, here, from, 2);
          limit(width).set(bound);
          at(f, here, bound, 2);
          limit(double).set(bound);
          at(f, here, bound, 2);
          at(f, there, from, 2).call(merge);
          f.op(I32.add, from, double).tee(from).op(I32.ltS, n).brIf(again);
        });
        swap();
        f.set(width, double);
      },
    );
    f.push(src).op(I32.shl, n, e.shift).op(I32.add).set(src);
    f.push(out).op(I32.shl, n, 2).op(I32.add).set(out);
  });
}

type Direction = "max" | "min";

/** The bytes that are searched for a position only if they hold a better value than all before them. */
const BLOCK = 1024;
const ACCUMULATORS = 4;

/** extreme(src, n): the largest or smallest of n >= 1 elements; NaN if there is one. */
function writeExtreme(module: Module, e: Element, direction: Direction): Func {
  const f = module.func("", 2, [e.type]);
  const [src, n] = f.params;
  const [i, wide] = f.locals("i32", 2);
  const [x, best] = f.locals(e.type, 2);
  const acc = f.locals("v128", ACCUMULATORS);
  const [vector, scalar, better] = direction === "max" ? [e.vectorMax, e.max, e.gt] : [e.vectorMin, e.min, e.lt];
  /** best = the better of best and x, which is on the stack. */
  const improve = (): Func => {
    if (scalar !== undefined) return f.op(scalar, best).set(best);
    return f.tee(x).push(best).op(better, x, best).select().set(best);
  };
  f.push(src).memory(e.load).set(best);
  const step = (16 >> e.shift) * ACCUMULATORS;
  f.push(n).op(I32.remU, n, step).op(I32.sub).tee(wide);
  f.if(() => {
    f.op(e.splat, best).set(acc[0]!);
    for (let k = 1; k < ACCUMULATORS; k++) f.set(acc[k]!, acc[0]!);
    f.forLoop(i, 0, wide, step, () => {
      acc.forEach((a, k) => {
        f.push(a, src)
          .memory(V128.load, 16 * k)
          .op(vector)
          .set(a);
      });
      f.increment(src, 16 * ACCUMULATORS);
    });
    for (let k = 1; k < ACCUMULATORS; k++) f.op(vector, acc[0]!, acc[k]!).set(acc[0]!);
    for (let bytes = 8; bytes >= 1 << e.shift; bytes >>= 1) {
      const rotated = Array.from({ length: 16 }, (_, k) => (k + bytes) & 15);
      f.push(acc[0]!, acc[0]!, acc[0]!).shuffle(rotated).op(vector).set(acc[0]!);
    }
    f.push(acc[0]!).lane(e.extract, 0).set(best);
  });
  f.forLoop(i, wide, n, 1, () => {
    f.push(src).memory(e.load);
    improve();
    f.increment(src, 1 << e.shift);
  });
  f.push(best);
  return f;
}

/** find(src, x): the first position of x, or of a NaN if x is one; there must be one. */
function writeFind(module: Module, e: Element): Func {
  const f = module.func("", ["i32", e.type], ["i32"]);
  const [src, x] = f.params;
  const [i, y] = [f.local("i32"), f.local(e.type)];
  f.loop(again => {
    at(f, src, i, e.shift).memory(e.load).tee(y).op(e.ne, x);
    if (isFloat(e)) f.op(e.eq, y, x).op(e.eq, y, y).op(I32.or).op(I32.and);
    f.if(() => {
      f.increment(i, 1);
      f.br(again);
    });
  });
  f.push(i);
  return f;
}

/** argmax or argmin(src, out, n, rows): finds the first block that holds the best value, then the place in it. */
function writeArgExtreme(module: Module, e: Element, direction: Direction): void {
  const extreme = writeExtreme(module, e, direction);
  const find = writeFind(module, e);
  const f = module.func(`arg${direction}`, 4);
  const [src, out, n, rows] = f.params;
  const [row, from, left, found] = f.locals("i32", 4);
  const [x, best] = f.locals(e.type, 2);
  const count = BLOCK >> e.shift;
  const better = direction === "max" ? e.gt : e.lt;
  f.forLoop(row, 0, rows, 1, () => {
    f.set(found, 0);
    f.push(src).memory(e.load).set(best);
    f.forLoop(from, 0, n, count, leave => {
      f.op(I32.sub, n, from).set(left);
      at(f, src, from, e.shift);
      f.push(left, count).op(I32.ltS, left, count).select().call(extreme).set(x);
      // A NaN is neither: it ends the search.
      f.op(better, x, best);
      if (isFloat(e)) f.op(e.ne, x, x).op(I32.or);
      f.if(() => f.set(found, from).set(best, x));
      if (isFloat(e)) f.op(e.ne, x, x).brIf(leave);
    });
    f.push(out);
    at(f, src, found, e.shift).call(find, best).op(I32.add, found).memory(I32.store);
    f.increment(out, 4);
    f.push(src).op(I32.shl, n, e.shift).op(I32.add).set(src);
  });
}

/** Where x, of row `index`, is better than the best so far, it takes its place: for the elements `from` … `to` - 1 of the rows. */
function writeImprove(module: Module, e: Element, direction: Direction): Func {
  const f = module.func("", 6);
  const [row, best, out, index, j, to] = f.params;
  const [x, y] = f.locals(e.type, 2);
  f.forLoop(j, j, to, 1, () => {
    at(f, row, j, e.shift).memory(e.load).set(x);
    at(f, best, j, e.shift).memory(e.load).set(y);
    f.op(direction === "max" ? e.gt : e.lt, x, y);
    // The first NaN is better than all numbers.
    if (isFloat(e)) f.op(e.ne, x, x).op(e.eq, y, y).op(I32.and).op(I32.or);
    f.if(() => {
      at(f, best, j, e.shift).push(x).memory(e.store);
      at(f, out, j, 2).push(index).memory(I32.store);
    });
  });
  return f;
}

/** Goes down the rows with the best element of each column; a vector in which nothing is better costs one comparison. */
function writeRowExtreme(module: Module, e: Element, direction: Direction): void {
  const improve = writeImprove(module, e, direction);
  const f = module.func(`arg${direction}Rows`, 6);
  const [src, out, best, n, width, blocks] = f.params;
  const [block, i, j, end, whole, bytes] = f.locals("i32", 6);
  const current = f.local("v128");
  const lanes = 16 >> e.shift;
  f.op(I32.shl, width, e.shift).set(bytes);
  f.push(width).op(I32.remU, width, lanes).op(I32.sub).set(whole);
  f.forLoop(block, 0, blocks, 1, () => {
    f.push(best, src, bytes).memoryCopy();
    f.push(out, 0).op(I32.shl, width, 2).memoryFill();
    f.increment(src, bytes);
    f.forLoop(i, 1, n, 1, () => {
      f.forLoop(j, 0, whole, lanes, () => {
        at(f, best, j, e.shift).memory(V128.load).tee(current).push(current);
        at(f, src, j, e.shift)
          .memory(V128.load)
          .op(direction === "max" ? e.vectorMax : e.vectorMin)
          .op(V128.xor)
          .op(V128.anyTrue);
        f.if(() => {
          f.op(I32.add, j, lanes).set(end);
          f.call(improve, src, best, out, i, j, end);
        });
      });
      f.call(improve, src, best, out, i, whole, width);
      f.increment(src, bytes);
    });
    f.push(out).op(I32.shl, width, 2).op(I32.add).set(out);
  });
}

type Argsort = (src: number, out: number, work: number, n: number, rows: number) => void;
type ArgExtreme = (src: number, out: number, n: number, rows: number) => void;
type RowExtreme = (src: number, out: number, work: number, n: number, width: number, blocks: number) => void;

interface Exports {
  readonly argsort: Argsort;
  readonly argmax: ArgExtreme;
  readonly argmin: ArgExtreme;
  readonly argmaxRows: RowExtreme;
  readonly argminRows: RowExtreme;
}

function build(e: Element): Exports {
  return routines(module => {
    writeArgsort(module, e);
    for (const direction of ["max", "min"] as const) {
      writeArgExtreme(module, e, direction);
      writeRowExtreme(module, e, direction);
    }
  }) as unknown as Exports;
}

const built: Exports[] = [];

/** The functions for a dtype, assembled when they are first asked for. */
function exportsOf(code: number): Exports {
  const stored = code === BOOL ? UINT8 : code;
  built[stored] ??= build(ELEMENTS[stored]!);
  return built[stored];
}

const ROUTINES: SortingRoutines = {
  argsort: (code, src, out, work, n, rows) => exportsOf(code).argsort(src, out, work, n, rows),
  argmax: (code, src, out, n, rows) => exportsOf(code).argmax(src, out, n, rows),
  argmin: (code, src, out, n, rows) => exportsOf(code).argmin(src, out, n, rows),
  argmaxRows: (code, src, out, work, n, width, blocks) => exportsOf(code).argmaxRows(src, out, work, n, width, blocks),
  argminRows: (code, src, out, work, n, width, blocks) => exportsOf(code).argminRows(src, out, work, n, width, blocks),
};

export const sorting = (): SortingRoutines => ROUTINES;
