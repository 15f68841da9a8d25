/**
 * Writes the products of small and thin matrices, which are read where they lie: strips of a few rows of c; and of a
 * vector and a matrix, along the matrix' rows. Knows nothing of when which of them is the faster.
 */
import { type Func, I32, type Local, type Module, V128 } from "../wasm/assembler.ts";
import type { Lanes } from "./packing.ts";

/** sum = sum + x·y, in one instruction if the engine has it. */
export function writeProduct(f: Func, lanes: Lanes, fused: boolean, sum: Local, x: Local, y: Local): void {
  if (fused) f.get(x).get(y).get(sum).op(lanes.madd!).set(sum);
  else f.get(sum).get(x).get(y).op(lanes.mul).op(lanes.add).set(sum);
}

/** Rows of c that are computed together, and vectors of each, such that eight sums wait for each other at most. */
const STRIPS: readonly (readonly [rows: number, vectors: readonly number[]])[] = [
  [4, [2, 1]],
  [2, [4, 1]],
  [1, [4, 1]],
];

/**
 * strips(count, a, b, c, aBatch, bBatch, cBatch, m, n, k, aRow, aColumn, bRow, cRow, adds): c = a·b, or c += a·b if `adds`
 * is not 0, for count matrices. a has any steps; b's and c's rows are neighbours.
 */
export function writeStrips(module: Module, lanes: Lanes, fused: boolean): void {
  const strips = STRIPS.map(([rows, vectors]) => writeStrip(module, lanes, fused, rows, vectors));
  const f = module.func("strips", new Array(15).fill("i32"), []);
  const [count, a, b, c, aBatch, bBatch, cBatch, m, n, k, aRow, aColumn, bRow, cRow, adds] = f.params as Tuple15;
  const [p, q, left] = [f.local("i32"), f.local("i32"), f.local("i32")];
  const move = (at: Local, step: Local, times: number): Func => f.get(at).get(step).i32Const(times).op(I32.mul).op(I32.add).set(at);
  f.whileLoop(
    () => f.get(count),
    () => {
      f.get(a).set(p).get(c).set(q).get(m).set(left);
      strips.forEach((strip, s) => {
        const rows = STRIPS[s]![0];
        f.whileLoop(
          () => f.get(left).i32Const(rows).op(I32.geS),
          () => {
            f.get(p).get(b).get(q).get(n).get(k).get(aRow).get(aColumn).get(bRow).get(cRow).get(adds).call(strip);
            f.increment(left, -rows);
            move(p, aRow, rows);
            move(q, cRow, rows);
          },
        );
      });
      f.increment(a, aBatch).increment(b, bBatch).increment(c, cBatch).increment(count, -1);
    },
  );
}

type Tuple7 = [Local, Local, Local, Local, Local, Local, Local];
type Tuple10 = [Local, Local, Local, Local, Local, Local, Local, Local, Local, Local];
type Tuple15 = [...Tuple10, Local, Local, Local, Local, Local];

/** One strip: its columns in tiles of so many vectors, the last of one perhaps in part. */
function writeStrip(module: Module, lanes: Lanes, fused: boolean, rows: number, tiles: readonly number[]): Func {
  const f = module.func("", new Array(10).fill("i32"), []);
  const [a, b, c, n, k, aRow, aColumn, bRow, cRow, adds] = f.params as Tuple10;
  const [p, q, r, l] = [f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32")];
  const sums = Array.from({ length: rows * tiles[0]! }, () => f.local("v128"));
  const columns = Array.from({ length: tiles[0]! }, () => f.local("v128"));
  const factor = f.local("v128");
  for (const vectors of tiles) {
    const width = vectors * lanes.lanes;
    f.whileLoop(
      () =>
        f
          .get(n)
          .i32Const(vectors > 1 ? width : 1)
          .op(I32.geS),
      () => {
        const used = sums.slice(0, rows * vectors);
        for (const sum of used) f.i32x4Const(0).set(sum);
        f.get(a).set(p).get(b).set(q);
        f.forLoop(l, 0, k, 1, () => {
          for (let v = 0; v < vectors; v++)
            f.get(q)
              .memory(V128.load, 16 * v)
              .set(columns[v]!);
          f.get(p).set(r);
          for (let i = 0; i < rows; i++) {
            f.get(r).memory(lanes.splat).set(factor);
            if (i + 1 < rows) f.increment(r, aRow);
            for (let v = 0; v < vectors; v++) writeProduct(f, lanes, fused, used[i * vectors + v]!, factor, columns[v]!);
          }
          f.increment(p, aColumn).increment(q, bRow);
        });
        const eachSum = (use: (sum: Local, v: number) => void): void => {
          f.get(c).set(r);
          for (let i = 0; i < rows; i++) {
            for (let v = 0; v < vectors; v++) use(used[i * vectors + v]!, v);
            if (i + 1 < rows) f.increment(r, cRow);
          }
        };
        f.get(adds);
        f.if(() =>
          eachSum((sum, v) =>
            f
              .get(sum)
              .get(r)
              .memory(V128.load, 16 * v)
              .op(lanes.add)
              .set(sum),
          ),
        );
        eachSum((sum, v) => {
          if (vectors > 1)
            f.get(r)
              .get(sum)
              .memory(V128.store, 16 * v);
          else storePart(f, lanes, r, sum, n);
        });
        f.increment(b, width << lanes.shift)
          .increment(c, width << lanes.shift)
          .increment(n, -width);
      },
    );
  }
  return f;
}

/** Stores the first n lanes of a vector, all of them if n is at least their number. */
function storePart(f: Func, lanes: Lanes, at: Local, vector: Local, n: Local): void {
  f.get(n).i32Const(lanes.lanes).op(I32.geS);
  f.if(
    () => f.get(at).get(vector).memory(V128.store),
    () => {
      for (let lane = 0; lane < lanes.lanes - 1; lane++) {
        f.get(n).i32Const(lane).op(I32.gtS);
        f.if(() =>
          f
            .get(at)
            .get(vector)
            .memoryLane(lanes.storeLane, lane, lane << lanes.shift),
        );
      }
    },
  );
}

/** Rows whose inner products are computed together. All in one order, wherever a row stands. */
const DOTS = [4, 1];

/**
 * dots(count, a, x, y, aBatch, xBatch, yBatch, m, k, aRow, yStep, adds): y[i] = Σ a[i, l]·x[l], or that added to y[i], where
 * the elements of each row of a and those of x are neighbours.
 */
export function writeDots(module: Module, lanes: Lanes, fused: boolean): void {
  const some = DOTS.map(rows => writeDot(module, lanes, fused, rows));
  const f = module.func("dots", new Array(12).fill("i32"), []);
  const [count, a, x, y, aBatch, xBatch, yBatch, m, k, aRow, yStep, adds] = f.params as [...Tuple10, Local, Local];
  const [p, q, left] = [f.local("i32"), f.local("i32"), f.local("i32")];
  f.whileLoop(
    () => f.get(count),
    () => {
      f.get(a).set(p).get(y).set(q).get(m).set(left);
      some.forEach((dot, s) => {
        const rows = DOTS[s]!;
        f.whileLoop(
          () => f.get(left).i32Const(rows).op(I32.geS),
          () => {
            f.get(p).get(x).get(q).get(k).get(aRow).get(yStep).get(adds).call(dot);
            f.increment(left, -rows);
            for (let i = 0; i < rows; i++) f.increment(p, aRow).increment(q, yStep);
          },
        );
      });
      f.increment(a, aBatch).increment(x, xBatch).increment(y, yBatch).increment(count, -1);
    },
  );
}

/** The inner products of a few rows with one vector: two vectors of running sums for each, and the rest one by one. */
function writeDot(module: Module, lanes: Lanes, fused: boolean, rows: number): Func {
  const f = module.func("", new Array(7).fill("i32"), []);
  const [a, x, y, k, aRow, yStep, adds] = f.params as Tuple7;
  const vectors = 2;
  const width = vectors * lanes.lanes;
  const sums = Array.from({ length: vectors * rows }, () => f.local("v128"));
  const parts = Array.from({ length: vectors }, () => f.local("v128"));
  const value = f.local("v128");
  const [p, l] = [f.local("i32"), f.local("i32")];
  const at = Array.from({ length: rows }, () => f.local("i32"));
  f.get(a).set(at[0]!);
  for (let i = 1; i < rows; i++)
    f.get(at[i - 1]!)
      .get(aRow)
      .op(I32.add)
      .set(at[i]!);
  const step = (count: number, load: number): void => {
    for (let v = 0; v < count; v++)
      f.get(x)
        .memory(load, 16 * v)
        .set(parts[v]!);
    for (let i = 0; i < rows; i++)
      for (let v = 0; v < count; v++) {
        f.get(at[i]!)
          .memory(load, 16 * v)
          .set(value);
        writeProduct(f, lanes, fused, sums[i * vectors + v]!, value, parts[v]!);
      }
    const bytes = (load === V128.load ? count * lanes.lanes : 1) << lanes.shift;
    for (const q of [x, ...at]) f.increment(q, bytes);
  };
  f.get(k).i32Const(-width).op(I32.and).set(p);
  f.forLoop(l, 0, p, width, () => step(vectors, V128.load));
  f.forLoop(l, p, k, 1, () => step(1, lanes.lanes === 4 ? V128.load32Zero : V128.load64Zero));
  for (let i = 0; i < rows; i++) {
    const [sum, other] = [sums[2 * i]!, sums[2 * i + 1]!];
    f.get(sum).get(other).op(lanes.add).set(sum);
    for (let bytes = 8; bytes >= 1 << lanes.shift; bytes /= 2)
      f.get(sum)
        .get(sum)
        .get(sum)
        .shuffle(Array.from({ length: 16 }, (_, j) => (j + bytes) & 15))
        .op(lanes.add)
        .set(sum);
    f.get(adds);
    f.if(() => f.get(y).memory(lanes.splat).get(sum).op(lanes.add).set(sum));
    f.get(y).get(sum).memoryLane(lanes.storeLane, 0);
    if (i + 1 < rows) f.increment(y, yStep);
  }
  return f;
}

/** Rows that are added up together. */
const SWEEPS = [8, 1];

/**
 * sweeps(count, x, a, y, xBatch, aBatch, yBatch, n, k, xStep, aRow, adds): y = Σ x[l]·a[l], where the n elements of each row
 * a[l] are neighbours, and those of y; or that added to y.
 */
export function writeSweeps(module: Module, lanes: Lanes, fused: boolean): void {
  const some = SWEEPS.map(rows => writeSweep(module, lanes, fused, rows));
  const f = module.func("sweeps", new Array(12).fill("i32"), []);
  const [count, x, a, y, xBatch, aBatch, yBatch, n, k, xStep, aRow, adds] = f.params as [...Tuple10, Local, Local];
  const [p, q, left, more] = [f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32")];
  f.whileLoop(
    () => f.get(count),
    () => {
      f.get(x).set(p).get(a).set(q).get(k).set(left).get(adds).set(more);
      some.forEach((sweep, s) => {
        const rows = SWEEPS[s]!;
        f.whileLoop(
          () => f.get(left).i32Const(rows).op(I32.geS),
          () => {
            f.get(p).get(q).get(y).get(n).get(xStep).get(aRow).get(more).call(sweep);
            f.i32Const(1).set(more).increment(left, -rows);
            for (let i = 0; i < rows; i++) f.increment(p, xStep).increment(q, aRow);
          },
        );
      });
      f.increment(x, xBatch).increment(a, aBatch).increment(y, yBatch).increment(count, -1);
    },
  );
}

/** A few rows times their factors, added up and to y. */
function writeSweep(module: Module, lanes: Lanes, fused: boolean, rows: number): Func {
  const f = module.func("", new Array(7).fill("i32"), []);
  const [x, a, y, n, xStep, aRow, adds] = f.params as Tuple7;
  const factors = Array.from({ length: rows }, () => f.local("v128"));
  const at = Array.from({ length: rows }, () => f.local("i32"));
  const [sum, value] = [f.local("v128"), f.local("v128")];
  for (let i = 0; i < rows; i++) {
    f.get(x).memory(lanes.splat).set(factors[i]!).get(a).set(at[i]!);
    if (i + 1 < rows) f.increment(x, xStep).increment(a, aRow);
  }
  f.whileLoop(
    () => f.get(n).i32Const(0).op(I32.gtS),
    () => {
      f.i32x4Const(0).set(sum);
      for (let i = 0; i < rows; i++) {
        f.get(at[i]!).memory(V128.load).set(value).increment(at[i]!, 16);
        writeProduct(f, lanes, fused, sum, value, factors[i]!);
      }
      f.get(adds);
      f.if(() => f.get(y).memory(V128.load).get(sum).op(lanes.add).set(sum));
      storePart(f, lanes, y, sum, n);
      f.increment(y, 16).increment(n, -lanes.lanes);
    },
  );
  return f;
}
