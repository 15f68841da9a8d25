/**
 * The matrix product c = a·b, or c += a·b, of large matrices: operands are packed block by block, and tiles of c kept in
 * registers. Knows addresses and steps in bytes, not arrays.
 */
import { type Func, I32, type Local, Module, V128 } from "../wasm/assembler.ts";
import { memory } from "../wasm/heap.ts";
import { LANES, type Lanes, writePack } from "./packing.ts";

/**
 * Where element (i, j) of a matrix is: at `at + i·row + j·column`, in bytes. With `tables`, `row` and `column` are the
 * addresses of int32 offsets in bytes for every i and every j instead, and the element is at `at + rows[i] + columns[j]`.
 */
export interface Operand {
  readonly at: number;
  readonly row: number;
  readonly column: number;
  readonly tables?: boolean;
  /** How many bytes further the matrix of the next product lies; 0 if all share one. */
  readonly batch: number;
}

/** The result: rows of neighbours, `row` bytes apart. With a batch step of 0 all products are added up in one. */
export interface Target {
  readonly at: number;
  readonly row: number;
  readonly batch: number;
}

export interface Sizes {
  /** How many products there are. */
  readonly count: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** Bytes of a row of a tile: two vectors. */
const TILE = 32;
/** Sums of this many products are made in registers, and added to c. */
const DEPTH = 256;
/** How many tiles one above another are packed of a, and how many bytes of b's columns, so that both stay in the cache. */
const TILES_DOWN = 16;
const COLUMN_BYTES = 4096;
/** If all products share a, so many tiles of it are packed once for all of them. */
const SHARED_TILES = 128;
/** Bytes for one tile at an edge. */
const EDGE = 256;
/** One call multiplies at most about this often. */
const CALL = 2 ** 23;

type Routine = (...args: number[]) => void;

interface Routines {
  readonly rows: number;
  readonly exports: Readonly<Record<"packA" | "packATables" | "packB" | "packBTables" | "store" | "add", Routine>>;
}

/** Whether the engine has the fused multiply-add of relaxed SIMD. */
export function hasMadd(): boolean {
  const module = new Module(false);
  const f = module.func("", ["v128"], ["v128"]);
  const x = f.param(0);
  f.get(x).get(x).get(x).op(LANES[0]!.madd!);
  return WebAssembly.validate(module.finish());
}

const built: Routines[] = [];
let madd: boolean | undefined;

function routinesOf(lane: number): Routines {
  return (built[lane] ??= build(LANES[lane]!));
}

function build(lanes: Lanes): Routines {
  madd ??= hasMadd();
  const fused = madd && lanes.madd !== undefined;
  // As many accumulators as the sixteen registers of x64 leave: without a fused instruction one is needed for the product.
  const rows = fused ? 6 : 5;
  const module = new Module(!(memory.buffer instanceof ArrayBuffer));
  writePack(module, "packA", lanes, rows, false);
  writePack(module, "packATables", lanes, rows, true);
  writePack(module, "packB", lanes, TILE >> lanes.shift, false);
  writePack(module, "packBTables", lanes, TILE >> lanes.shift, true);
  const store = writeTile(module, lanes, rows, fused, false);
  writeTiles(module, "store", lanes, rows, store, store);
  writeTiles(module, "add", lanes, rows, writeTile(module, lanes, rows, fused, true), store);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.finish()), { m: { m: memory } });
  return { rows, exports: exports as unknown as Routines["exports"] };
}

/** tile(a, b, c, k, cRow): one tile of c from a panel of each; k >= 1. */
function writeTile(module: Module, lanes: Lanes, rows: number, fused: boolean, adds: boolean): Func {
  const f = module.func("", new Array(5).fill("i32"), []);
  const [a, b, c, k, cRow] = f.params as [Local, Local, Local, Local, Local];
  const sums = Array.from({ length: 2 * rows }, () => f.local("v128"));
  const [left, right, factor] = [f.local("v128"), f.local("v128"), f.local("v128")];
  f.loop(again => {
    f.get(b).memory(V128.load).set(left).get(b).memory(V128.load, 16).set(right);
    for (let i = 0; i < rows; i++) {
      f.get(a)
        .memory(lanes.splat, i << lanes.shift)
        .set(factor);
      for (const [v, column] of [left, right].entries()) {
        const sum = sums[2 * i + v]!;
        if (fused) f.get(factor).get(column).get(sum).op(lanes.madd!).set(sum);
        else f.get(factor).get(column).op(lanes.mul).get(sum).op(lanes.add).set(sum);
      }
    }
    f.increment(a, rows << lanes.shift).increment(b, TILE);
    f.get(k).i32Const(-1).op(I32.add).tee(k).brIf(again);
  });
  for (let i = 0; i < rows; i++) {
    for (const v of [0, 1]) {
      f.get(c).get(sums[2 * i + v]!);
      if (adds)
        f.get(c)
          .memory(V128.load, 16 * v)
          .op(lanes.add);
      f.memory(V128.store, 16 * v);
    }
    if (i + 1 < rows) f.increment(c, cRow);
  }
  return f;
}

/**
 * …(a, b, c, m, n, k, cRow, edge): m × n elements of c from packed panels. A tile that reaches over c's edge is computed
 * into `edge` and copied in part.
 */
function writeTiles(module: Module, name: string, lanes: Lanes, rows: number, tile: Func, store: Func): void {
  const width = TILE >> lanes.shift;
  const part = writePart(module, lanes, name === "add");
  const f = module.func(name, new Array(8).fill("i32"), []);
  const [a, b, c, m, n, k, cRow, edge] = f.params as [Local, Local, Local, Local, Local, Local, Local, Local];
  const [i, j, p, q] = [f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32")];
  f.forLoop(j, 0, n, width, () => {
    f.get(a).set(p).get(c).set(q);
    f.forLoop(i, 0, m, rows, () => {
      f.get(m).get(i).op(I32.sub).i32Const(rows).op(I32.geS);
      f.get(n).get(j).op(I32.sub).i32Const(width).op(I32.geS).op(I32.and);
      f.if(
        () => f.get(p).get(b).get(q).get(k).get(cRow).call(tile),
        () => {
          f.get(p).get(b).get(edge).get(k).i32Const(TILE).call(store);
          f.get(edge).get(q).get(m).get(i).op(I32.sub).get(n).get(j).op(I32.sub).get(cRow).call(part);
        },
      );
      f.get(k)
        .i32Const(rows << lanes.shift)
        .op(I32.mul)
        .get(p)
        .op(I32.add)
        .set(p);
      f.get(cRow).i32Const(rows).op(I32.mul).get(q).op(I32.add).set(q);
    });
    f.get(k).i32Const(TILE).op(I32.mul).get(b).op(I32.add).set(b);
    f.increment(c, TILE);
  });

  /** part(from, to, m, n, toRow): the part of an edge tile that lies in c, m × n of it or all of it. */
  function writePart(inside: Module, { shift, load, store: put, addScalar }: Lanes, adds: boolean): Func {
    const g = inside.func("", new Array(5).fill("i32"), []);
    const [from, to, rowsLeft, left, toRow] = g.params as [Local, Local, Local, Local, Local];
    const [row, end, x, y] = [g.local("i32"), g.local("i32"), g.local("i32"), g.local("i32")];
    const least = (value: Local, most: number): Func => g.get(value).i32Const(most).get(value).i32Const(most).op(I32.ltS).select();
    least(left, width).i32Const(shift).op(I32.shl).set(end);
    least(rowsLeft, rows).set(rowsLeft);
    g.forLoop(row, 0, rowsLeft, 1, () => {
      g.forLoop(x, 0, end, 1 << shift, () => {
        g.get(to).get(x).op(I32.add).tee(y).get(from).get(x).op(I32.add).memory(load);
        if (adds) g.get(y).memory(load).op(addScalar);
        g.memory(put);
      });
      g.increment(from, TILE).increment(to, toRow);
    });
    return g;
  }
}

const up = (n: number, step: number): number => Math.ceil(n / step) * step;

/** How many rows of a are packed together, and how many columns of b. */
function blocks(lane: number, rows: number, { count, m, n }: Sizes, shared: boolean): [number, number] {
  const tiles = count > 1 && shared && m <= SHARED_TILES * rows ? SHARED_TILES : TILES_DOWN;
  const width = TILE >> LANES[lane]!.shift;
  return [Math.min(up(m, rows), tiles * rows), Math.min(up(n, width), COLUMN_BYTES >> LANES[lane]!.shift)];
}

/** The bytes of memory that `contract` needs for what it packs. `shared`: all products have one a (its batch step is 0). */
export function contractBytes(lane: number, sizes: Sizes, shared = false): number {
  const { rows } = routinesOf(lane);
  const [down, across] = blocks(lane, rows, sizes, shared);
  return EDGE + 16 + (((down + across) * Math.min(sizes.k, DEPTH)) << LANES[lane]!.shift);
}

/**
 * c = a·b, or with `accumulate` c += a·b: a is m × k, b k × n, of one dtype (lane 0, 1, 2: float32, float64, int32), and
 * count of them lie their batch steps apart. `work` is the address of `contractBytes` bytes. Each element is the sum of
 * sums of 256 products, whatever the size and wherever it lies; so a caller may divide c into parts. k >= 1.
 */
export function contract(lane: number, sizes: Sizes, a: Operand, b: Operand, c: Target, work: number, accumulate = false): void {
  const { count, m, n, k } = sizes;
  const { rows, exports } = routinesOf(lane);
  const { shift } = LANES[lane]!;
  const [down, across] = blocks(lane, rows, sizes, a.batch === 0);
  const packA = a.tables ? exports.packATables : exports.packA;
  const packB = b.tables ? exports.packBTables : exports.packB;
  const depth = Math.min(k, DEPTH);
  const panelsB = work + EDGE;
  const panelsA = panelsB + ((across * depth) << shift);
  // What b's block was packed from, and a's, so that what is shared is packed once.
  for (let j = 0; j < n; j += across) {
    const width = Math.min(across, n - j);
    for (let l = 0; l < k; l += depth) {
      const d = Math.min(depth, k - l);
      for (let g = 0; g < count; g++) {
        const multiply = accumulate || l > 0 || (g > 0 && c.batch === 0) ? exports.add : exports.store;
        if (g === 0 || b.batch !== 0) pack(packB, panelsB, b, g, j, l, width, d, true);
        for (let i = 0; i < m; i += down) {
          const height = Math.min(down, m - i);
          if (g === 0 || a.batch !== 0 || height < m) pack(packA, panelsA, a, g, i, l, height, d, false);
          // Few columns at a time, so that no call takes long.
          const step = Math.max(TILE >> shift, Math.floor(CALL / (height * d)) & -(TILE >> shift));
          for (let x = 0; x < width; x += step)
            multiply(
              panelsA,
              panelsB + ((x * d) << shift),
              c.at + g * c.batch + i * c.row + ((j + x) << shift),
              height,
              Math.min(step, width - x),
              d,
              c.row,
              work,
            );
        }
      }
    }
  }
}

/** Packs `width` rows of a from i on, or (`across`) columns of b, over `depth` of the inner index from l on. */
function pack(
  routine: Routine,
  to: number,
  x: Operand,
  batch: number,
  i: number,
  l: number,
  width: number,
  depth: number,
  across: boolean,
): void {
  const [step, inner] = across ? [x.column, x.row] : [x.row, x.column];
  const at = x.at + batch * x.batch;
  if (x.tables) routine(to, at, width, depth, step + 4 * i, inner + 4 * l);
  else routine(to, at + i * step + l * inner, width, depth, step, inner);
}
