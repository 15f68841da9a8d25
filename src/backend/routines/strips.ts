/**
 * Writes the products of small and thin matrices, which are read where they lie: strips of a few rows of c; and of a
 * vector and a matrix, along the matrix' rows. Knows nothing of when which of them is the faster.
 */
import { type Func, I32, type Local, type Module, V128 } from "../wasm/assembler.ts";
import type { Lanes } from "./packing.ts";

/** sum = sum + x·y, in one instruction if the engine has it. */
export function writeProduct(f: Func, lanes: Lanes, fused: boolean, sum: Local, x: Local, y: Local): void {
  if (fused) f.op(lanes.madd!, x, y, sum).set(sum);
  else f.push(sum).op(lanes.mul, x, y).op(lanes.add).set(sum);
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
  const f = module.func(name, 8 + rest);
  const [count, size] = [f.param(0), f.param(7)];
  const [operands, others] = [f.params.slice(1, 4), f.params.slice(8)];
  const [at, left, adds] = [operands.map(() => f.local("i32")), f.local("i32"), f.local("i32")];
  const given = others[rest - 1]!;
  f.whileLoop(
    () => f.push(count),
    () => {
      operands.forEach((operand, i) => f.set(at[i]!, operand));
      f.set(left, size).set(adds, given);
      for (const [rows, group] of groups)
        f.whileLoop(
          () => f.op(I32.geS, left, rows),
          () => {
            f.call(group, ...at, ...others.slice(0, -1), adds).increment(left, -rows);
            if (sums) f.set(adds, 1);
            for (const [i, step] of moves) f.push(at[i]!).op(I32.mul, others[step]!, rows).op(I32.add).set(at[i]!);
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

/** One strip: its columns in tiles of so many vectors, the last of one perhaps in part. */
function writeStrip(module: Module, lanes: Lanes, fused: boolean, rows: number, tiles: readonly number[]): Func {
  const f = module.func("", 10);
  const [a, b, c, n, k, aRow, aColumn, bRow, cRow, adds] = f.params;
  const [p, q, r, l] = f.locals("i32", 4);
  const sums = f.locals("v128", rows * tiles[0]!);
  const columns = f.locals("v128", tiles[0]!);
  const factor = f.local("v128");
  for (const vectors of tiles) {
    const width = vectors * lanes.lanes;
    f.whileLoop(
      () => f.op(I32.geS, n, vectors > 1 ? width : 1),
      () => {
        const used = sums.slice(0, rows * vectors);
        for (const sum of used) f.i32x4Const(0).set(sum);
        f.set(p, a).set(q, b);
        f.forLoop(l, 0, k, 1, () => {
          for (let v = 0; v < vectors; v++)
            f.push(q)
              .memory(V128.load, 16 * v)
              .set(columns[v]!);
          f.set(r, p);
          for (let i = 0; i < rows; i++) {
            f.push(r).memory(lanes.splat).set(factor);
            if (i + 1 < rows) f.increment(r, aRow);
            for (let v = 0; v < vectors; v++) writeProduct(f, lanes, fused, used[i * vectors + v]!, factor, columns[v]!);
          }
          f.increment(p, aColumn).increment(q, bRow);
        });
        const eachSum = (use: (sum: Local, v: number) => void): void => {
          f.set(r, c);
          for (let i = 0; i < rows; i++) {
            for (let v = 0; v < vectors; v++) use(used[i * vectors + v]!, v);
            if (i + 1 < rows) f.increment(r, cRow);
          }
        };
        f.push(adds);
        f.if(() =>
          eachSum((sum, v) =>
            f
              .push(sum, r)
              .memory(V128.load, 16 * v)
              .op(lanes.add)
              .set(sum),
          ),
        );
        eachSum((sum, v) => {
          if (vectors > 1) f.push(r, sum).memory(V128.store, 16 * v);
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
  f.op(I32.geS, n, lanes.lanes);
  f.if(
    () => f.push(at, vector).memory(V128.store),
    () => {
      for (let lane = 0; lane < lanes.lanes - 1; lane++) {
        f.op(I32.gtS, n, lane);
        f.if(() => f.push(at, vector).memoryLane(lanes.storeLane, lane, lane << lanes.shift));
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
  const f = module.func("", 7);
  const [a, x, y, k, aRow, yStep, adds] = f.params;
  const vectors = 2;
  const width = vectors * lanes.lanes;
  const sums = f.locals("v128", vectors * rows);
  const parts = f.locals("v128", vectors);
  const value = f.local("v128");
  const [p, l] = f.locals("i32", 2);
  const at = f.locals("i32", rows);
  f.set(at[0]!, a);
  for (let i = 1; i < rows; i++) f.op(I32.add, at[i - 1]!, aRow).set(at[i]!);
  const step = (count: number, load: number): void => {
    for (let v = 0; v < count; v++)
      f.push(x)
        .memory(load, 16 * v)
        .set(parts[v]!);
    for (let i = 0; i < rows; i++)
      for (let v = 0; v < count; v++) {
        f.push(at[i]!)
          .memory(load, 16 * v)
          .set(value);
        writeProduct(f, lanes, fused, sums[i * vectors + v]!, value, parts[v]!);
      }
    const bytes = (load === V128.load ? count * lanes.lanes : 1) << lanes.shift;
    for (const q of [x, ...at]) f.increment(q, bytes);
  };
  f.op(I32.and, k, -width).set(p);
  f.forLoop(l, 0, p, width, () => step(vectors, V128.load));
  f.forLoop(l, p, k, 1, () => step(1, lanes.lanes === 4 ? V128.load32Zero : V128.load64Zero));
  for (let i = 0; i < rows; i++) {
    const [sum, other] = [sums[2 * i]!, sums[2 * i + 1]!];
    f.op(lanes.add, sum, other).set(sum);
    for (let bytes = 8; bytes >= 1 << lanes.shift; bytes /= 2)
      f.push(sum, sum, sum)
        .shuffle(Array.from({ length: 16 }, (_, j) => (j + bytes) & 15))
        .op(lanes.add)
        .set(sum);
    f.push(adds);
    f.if(() => f.push(y).memory(lanes.splat).op(lanes.add, sum).set(sum));
    f.push(y, sum).memoryLane(lanes.storeLane, 0);
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
  const f = module.func("", 7);
  const [x, a, y, n, xStep, aRow, adds] = f.params;
  const factors = f.locals("v128", rows);
  const at = f.locals("i32", rows);
  const [sum, value] = f.locals("v128", 2);
  for (let i = 0; i < rows; i++) {
    f.push(x).memory(lanes.splat).set(factors[i]!).set(at[i]!, a);
    if (i + 1 < rows) f.increment(x, xStep).increment(a, aRow);
  }
  f.whileLoop(
    () => f.op(I32.gtS, n, 0),
    () => {
      f.i32x4Const(0).set(sum);
      for (let i = 0; i < rows; i++) {
        f.push(at[i]!).memory(V128.load).set(value).increment(at[i]!, 16);
        writeProduct(f, lanes, fused, sum, value, factors[i]!);
      }
      f.push(adds);
      f.if(() => f.push(y).memory(V128.load).op(lanes.add, sum).set(sum));
      storePart(f, lanes, y, sum, n);
      f.increment(y, 16).increment(n, -lanes.lanes);
    },
  );
  return f;
}
