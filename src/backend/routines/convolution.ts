/**
 * What convolutions need beside the matrix product, written by hand in WebAssembly for both float dtypes: a matrix of
 * windows added back to where they lie, and those whose groups have one channel, plane by plane. Knows addresses and tables
 * of offsets, not axes.
 */
import { F64 as FLOAT64 } from "../../dtype.ts";
import { sharing } from "../threads/sharing.ts";
import type { Func, Local, Module } from "../wasm/assembler.ts";
import { F32, F32x4, F64, F64x2, I32, V128 } from "../wasm/assembler.ts";
import type { Routine } from "../wasm/compiler.ts";
import { routines } from "../wasm/drivers.ts";
import { hasMadd } from "./contract.ts";
import { LANES, type Lanes } from "./packing.ts";
import { storePart, writeGroups, writeProduct } from "./strips.ts";

/**
 * plane[rows[i] + columns[j]] += matrix[i, j], for an m × n matrix. Addresses and tables (of int32) are in bytes. Columns
 * come in runs of `run` neighbours.
 */
export type Fold = (plane: number, rows: number, columns: number, matrix: number, m: number, n: number, run: number) => void;

const ELEMENTS = [
  { shift: 2, load: F32.load, store: F32.store, add: F32.add, vectorAdd: F32x4.add },
  { shift: 3, load: F64.load, store: F64.store, add: F64.add, vectorAdd: F64x2.add },
] as const;

function build(e: (typeof ELEMENTS)[number]): Fold {
  return routines(module => {
    const f = module.func("fold", 7);
    const [plane, rows, columns, matrix, m, n, run] = f.params;
    const [row, column, at, end, wide] = f.locals("i32", 5);
    const last = f.local("i32");
    /** Adds from the matrix to the plane, moving on in both, as long as the place is below `limit`. */
    const add = (limit: Local, bytes: number, load: number, plus: number, store: number): Func =>
      f.whileLoop(
        () => f.op(I32.ltU, at, limit),
        () => {
          f.push(at, at).memory(load).push(matrix).memory(load).op(plus).memory(store);
          f.increment(at, bytes).increment(matrix, bytes);
        },
      );
    f.push(columns).op(I32.shl, n, 2).op(I32.add).set(last);
    f.op(I32.shl, run, e.shift).set(wide);
    f.whileLoop(
      () => f.push(m),
      () => {
        f.push(plane, rows).memory(I32.load).op(I32.add).set(row);
        f.set(column, columns);
        f.whileLoop(
          () => f.op(I32.ne, column, last),
          () => {
            f.push(row, column).memory(I32.load).op(I32.add).tee(at).op(I32.add, wide).set(end);
            f.push(at).op(I32.and, wide, -16).op(I32.add).tee(n);
            f.op(I32.ne, at);
            f.if(() => add(n, 16, V128.load, e.vectorAdd, V128.store));
            add(end, 1 << e.shift, e.load, e.add, e.store);
            f.op(I32.shl, run, 2).op(I32.add, column).set(column);
          },
        );
        f.increment(rows, 4).increment(m, -1);
      },
    );
  }).fold as unknown as Fold;
}

const folds: (Fold | undefined)[] = [];

/** The routine for float32 or float64, assembled when it is first asked for. */
export const fold = (code: number): Fold => (folds[code] ??= build(ELEMENTS[code === FLOAT64 ? 1 : 0]));

// ---- planes by themselves

/** Planes of windows; addresses and steps are in bytes. Windows are neighbours in the data, and so are their results. */
export interface Planes {
  readonly count: number;
  /** Where the first plane of each is, and how much further the next one is. */
  readonly data: readonly [at: number, step: number];
  readonly weight: readonly [at: number, step: number];
  readonly result: readonly [at: number, step: number];
  /** How many rows of windows there are, and how many windows in a row. */
  readonly rows: number;
  readonly width: number;
  /** From one row of windows to the next in the data. */
  readonly row: number;
  /** How many elements a window has, and the address of a table (of int32) of where they are from its first on. */
  readonly elements: number;
  readonly offsets: number;
}

/** Vectors of results that are computed together, and elements of a window. */
const VECTORS = [4, 2, 1];
const SUMS = [4, 2, 1];
/** About how many µs a multiplication takes, and the least µs of a call that threads share. */
const WORK = 8e-5;
const PART = 10;

type Routines = Readonly<Record<"windows" | "weights", Routine>>;

const built: Routines[] = [];

function routinesOf(code: number): Routines {
  return (built[code] ??= routines(module => {
    const fused = hasMadd();
    const row = writeRow(module, LANES[code]!, fused);
    writeGroups(
      module,
      "windows",
      6,
      [[1, row]],
      [
        [0, 3],
        [2, 4],
      ],
    );
    writeWeights(module, LANES[code]!, fused);
  }) as unknown as Routines);
}

/** row(x, w, y, n, k, offsets, xRow, yRow, adds): n results, or what they are more. */
function writeRow(module: Module, lanes: Lanes, fused: boolean): Func {
  const f = module.func("", 9);
  const [x, w, y, n, k, offsets, , , adds] = f.params;
  const [l, at, weight] = f.locals("i32", 3);
  const sums = VECTORS.map(() => f.local("v128")).concat(f.local("v128"));
  const [factor, value] = f.locals("v128", 2);
  for (const vectors of VECTORS) {
    const used = sums.slice(0, vectors);
    const width = vectors * lanes.lanes;
    f.whileLoop(
      () => f.op(I32.geS, n, vectors > 1 ? width : 1),
      () => {
        for (const sum of used) f.i32x4Const(0).set(sum);
        f.set(weight, w);
        f.forLoop(l, 0, k, 1, () => {
          f.push(offsets).op(I32.shl, l, 2).op(I32.add).memory(I32.load).op(I32.add, x).set(at);
          f.push(weight).memory(lanes.splat).set(factor);
          used.forEach((sum, v) => {
            f.push(at)
              .memory(V128.load, 16 * v)
              .set(value);
            writeProduct(f, lanes, fused, sum, factor, value);
          });
          f.increment(weight, 1 << lanes.shift);
        });
        f.push(adds);
        f.if(() => {
          used.forEach((sum, v) => {
            f.push(sum, y)
              .memory(V128.load, 16 * v)
              .op(lanes.add)
              .set(sum);
          });
        });
        used.forEach((sum, v) => {
          if (vectors > 1) f.push(y, sum).memory(V128.store, 16 * v);
          else storePart(f, lanes, y, sum, n);
        });
        for (const p of [x, y]) f.increment(p, 16 * vectors);
        f.increment(n, -width);
      },
    );
  }
  return f;
}

/**
 * weights(count, x, w, y, xStep, wStep, yStep, rows, n, k, offsets, xRow, yRow): for each plane, w[l] += the sum over all
 * windows of element l of the window times its y.
 */
function writeWeights(module: Module, lanes: Lanes, fused: boolean): void {
  const groups = SUMS.map(count => writeSums(module, lanes, fused, count));
  const f = module.func("weights", 13);
  const [count, x, w, y, xStep, wStep, yStep, rows, n, k, offsets, xRow, yRow] = f.params;
  const [left, at, weight] = f.locals("i32", 3);
  f.whileLoop(
    () => f.push(count),
    () => {
      f.set(left, k).set(at, offsets).set(weight, w);
      SUMS.forEach((some, i) => {
        f.whileLoop(
          () => f.op(I32.geS, left, some),
          () => {
            f.call(groups[i]!, x, weight, y, rows, n, at, xRow, yRow);
            f.increment(at, 4 * some)
              .increment(weight, some << lanes.shift)
              .increment(left, -some);
          },
        );
      });
      f.increment(x, xStep).increment(w, wStep).increment(y, yStep).increment(count, -1);
    },
  );
}

/** The same for a few elements of the windows of one plane: a vector of running sums for each. */
function writeSums(module: Module, lanes: Lanes, fused: boolean, count: number): Func {
  const f = module.func("", 8);
  const [x, w, y, rows, n, offsets, xRow, yRow] = f.params;
  const sums = f.locals("v128", count);
  const at = sums.map(() => f.local("i32"));
  const [c, whole, z] = f.locals("i32", 3);
  const [result, value] = f.locals("v128", 2);
  const one = lanes.lanes === 4 ? V128.load32Zero : V128.load64Zero;
  const step = (load: number, bytes: number): void => {
    f.push(z).memory(load).set(result);
    sums.forEach((sum, i) => {
      f.push(at[i]!).memory(load).set(value);
      writeProduct(f, lanes, fused, sum, result, value);
    });
    for (const p of [z, ...at]) f.increment(p, bytes);
  };
  f.op(I32.and, n, -lanes.lanes).set(whole);
  f.whileLoop(
    () => f.push(rows),
    () => {
      at.forEach((p, i) => {
        f.push(offsets)
          .memory(I32.load, 4 * i)
          .op(I32.add, x)
          .set(p);
      });
      f.set(z, y);
      f.forLoop(c, 0, whole, lanes.lanes, () => step(V128.load, 16));
      f.forLoop(c, whole, n, 1, () => step(one, 1 << lanes.shift));
      f.increment(x, xRow).increment(y, yRow).increment(rows, -1);
    },
  );
  sums.forEach((sum, i) => {
    for (let bytes = 8; bytes >= 1 << lanes.shift; bytes /= 2)
      f.push(sum, sum, sum)
        .shuffle(Array.from({ length: 16 }, (_, j) => (j + bytes) & 15))
        .op(lanes.add)
        .set(sum);
    f.push(w)
      .memory(lanes.splat, i << lanes.shift)
      .op(lanes.add, sum)
      .set(sum);
    f.push(w, sum).memoryLane(lanes.storeLane, 0, i << lanes.shift);
  });
  return f;
}

/** Shares planes among threads: each of them is one's own. */
function share(f: Routine, args: readonly number[], { count, rows, width, elements, data, weight, result }: Planes): void {
  const work = rows * width * elements * WORK;
  if (!sharing?.isWorthwhile(count * work)) return f(...args);
  const part = Math.ceil(PART / work);
  sharing.parts(f, args, [0, data[1] * part, weight[1] * part, result[1] * part], 0, part);
}

/** result[j] = Σ weight[l]·data[window j's element l], or that added to it. */
export function windows(code: number, p: Planes, adds: boolean): void {
  const [x, w, y] = [p.data, p.weight, p.result];
  const ends = [p.width, p.elements, p.offsets, p.row, p.width << LANES[code]!.shift, adds ? 1 : 0];
  share(routinesOf(code).windows, [p.count, x[0], w[0], y[0], x[1], w[1], y[1], p.rows, ...ends], p);
}

/** weight[l] += Σ result[j]·data[window j's element l]. */
export function weights(code: number, p: Planes): void {
  const [x, w, y] = [p.data, p.weight, p.result];
  const ends = [p.width, p.elements, p.offsets, p.row, p.width << LANES[code]!.shift];
  share(routinesOf(code).weights, [p.count, x[0], w[0], y[0], x[1], w[1], y[1], p.rows, ...ends], p);
}
