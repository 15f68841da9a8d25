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
 * name(count, u, v, w, uBatch, vBatch, wBatch, size, …rest): for count products, calls each group's function with
 * (u, v, w, …rest) for so many rows as it takes, the first group as long as there are enough. `moves` says which of u, v, w
 * go on with the rows, and by which of the rest. If the rows are summed up, the last of the rest, `adds`, is 1 after the first call.
 */
export function writeGroups(
  module: Module,
  name: string,
  rest: number,
  groups: readonly (readonly [rows: number, Func])[],
  moves: readonly (readonly [operand: 0 | 1 | 2, step: number])[],
  sums = false,
): void {
  const f = module.func(name, new Array(8 + rest).fill("i32"), []);
  const [count, size] = [f.param(0), f.param(7)];
  const [operands, others] = [f.params.slice(1, 4), f.params.slice(8)];
  const [at, left, adds] = [operands.map(() => f.local("i32")), f.local("i32"), f.local("i32")];
  const given = others[rest - 1]!;
  f.whileLoop(
    () => f.get(count),
    () => {
      operands.forEach((operand, i) => f.get(operand).set(at[i]!));
      f.get(size).set(left).get(given).set(adds);
      for (const [rows, group] of groups)
        f.whileLoop(
          () => f.get(left).i32Const(rows).op(I32.geS),
          () => {
            for (const x of [...at, ...others.slice(0, -1), adds]) f.get(x);
            f.call(group).increment(left, -rows);
            if (sums) f.i32Const(1).set(adds);
            for (const [i, step] of moves) f.get(at[i]!).get(others[step]!).i32Const(rows).op(I32.mul).op(I32.add).set(at[i]!);
          },
        );
      operands.forEach((operand, i) => f.increment(operand, f.param(4 + i)));
      f.increment(count, -1);
    },
  );
}

/**
 * strips(count, a, b, c, aBatch, bBatch, cBatch, m, n, k, aRow, aColumn, bRow, cRow, adds): c = a·b, or c += a·b if `adds`
 * is not 0, for count matrices. a has any steps; b's and c's rows are neighbours.
 */
export function writeStrips(module: Module, lanes: Lanes, fused: boolean): void {
  const groups = STRIPS.map(([rows, tiles]) => [rows, writeStrip(module, lanes, fused, rows, tiles)] as const);
  writeGroups(module, "strips", 7, groups, [
    [0, 2],
    [2, 5],
  ]);
}

type Tuple7 = [Local, Local, Local, Local, Local, Local, Local];
type Tuple10 = [...Tuple7, Local, Local, Local];

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
export function storePart(f: Func, lanes: Lanes, at: Local, vector: Local, n: Local): void {
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

/**
 * dots(count, a, x, y, aBatch, xBatch, yBatch, m, k, aRow, yStep, adds): y[i] = Σ a[i, l]·x[l], or that added to y[i], where
 * the elements of each row of a and those of x are neighbours.
 */
export function writeDots(module: Module, lanes: Lanes, fused: boolean): void {
  const groups = [4, 1].map(rows => [rows, writeDot(module, lanes, fused, rows)] as const);
  writeGroups(module, "dots", 4, groups, [
    [0, 1],
    [2, 2],
  ]);
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

/**
 * sweeps(count, x, a, y, xBatch, aBatch, yBatch, k, n, xStep, aRow, adds): y = Σ x[l]·a[l], where the n elements of each row
 * a[l] are neighbours, and those of y; or that added to y.
 */
export function writeSweeps(module: Module, lanes: Lanes, fused: boolean): void {
  const groups = [8, 1].map(rows => [rows, writeSweep(module, lanes, fused, rows)] as const);
  const moves = [
    [0, 1],
    [1, 2],
  ] as const;
  writeGroups(module, "sweeps", 4, groups, moves, true);
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
