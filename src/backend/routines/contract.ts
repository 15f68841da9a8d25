/**
 * The matrix product c = a·b, or c += a·b, of large matrices: operands are packed block by block, and tiles of c kept in
 * registers. Knows addresses and steps in bytes, not arrays.
 */
import { gemm } from "../blas.ts";
import { type Sharing, sharing } from "../threads/sharing.ts";
import { type Func, I32, type Local, Module, V128 } from "../wasm/assembler.ts";
import type { Routine } from "../wasm/compiler.ts";
import { routines } from "../wasm/drivers.ts";
import { LANES, type Lanes, writePack } from "./packing.ts";
import { writeDots, writeProduct, writeStrips, writeSweeps } from "./strips.ts";

/**
 * Where element (i, j) of a matrix is: at `at + i·row + j·column`, in bytes. With `tables`, `row` and `column` are the
 * addresses of int32 offsets in bytes for every i and every j instead, and the element is at `at + rows[i] + columns[j]`.
 */
export interface Operand {
  at: number;
  readonly row: number;
  readonly column: number;
  readonly tables?: boolean;
  /** How many bytes further the matrix of the next product lies; 0 if all share one. */
  batch: number;
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
/** Bytes that packing overwrites behind a panel. */
const BEHIND = 16;
/** Bytes for one tile at an edge. */
const EDGE = 256;
/** One call multiplies at most about this often. */
const CALL = 2 ** 23;
/** So many tiles one above another, or panels side by side, are one call when threads share them. */
const TOGETHER = 8;
/** About how many µs a multiplication and addition take. */
const WORK = 3e-5;

interface Routines {
  readonly rows: number;
  readonly exports: Readonly<
    Record<"packA" | "packATables" | "packB" | "packBTables" | "store" | "add" | "strips" | "dots" | "sweeps", Routine>
  >;
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
  // As many sums as the sixteen registers of x64 leave; without a fused instruction the product needs one too.
  const rows = fused ? 6 : 5;
  const exports = routines(module => writeRoutines(module, lanes, fused, rows));
  // Copied, because looking a function up in an instance's exports costs more than a small product.
  return { rows, exports: { ...(exports as unknown as Routines["exports"]) } };
}

function writeRoutines(module: Module, lanes: Lanes, fused: boolean, rows: number): void {
  writePack(module, "packA", lanes, rows, false);
  writePack(module, "packATables", lanes, rows, true);
  writePack(module, "packB", lanes, TILE >> lanes.shift, false);
  writePack(module, "packBTables", lanes, TILE >> lanes.shift, true);
  const store = writeTile(module, lanes, rows, fused, false);
  writeTiles(module, "store", lanes, rows, store, store);
  const add = fused ? writeTile(module, lanes, rows, true, true) : writeAddedTile(module, lanes, rows, store);
  writeTiles(module, "add", lanes, rows, add, store);
  writeStrips(module, lanes, fused);
  writeDots(module, lanes, fused);
  writeSweeps(module, lanes, fused);
}

/** tile(a, b, c, k, cRow, edge): one tile of c from a panel of each. */
function writeTile(module: Module, lanes: Lanes, rows: number, fused: boolean, adds: boolean): Func {
  const f = module.func("", new Array(6).fill("i32"), []);
  const [a, b, c, k, cRow] = f.params as [Local, Local, Local, Local, Local];
  const sums = Array.from({ length: 2 * rows }, () => f.local("v128"));
  const [left, right, factor] = [f.local("v128"), f.local("v128"), f.local("v128")];
  const l = f.local("i32");
  // V8 11 keeps all sums in registers in a loop of this form, but not in one that counts k down.
  f.forLoop(l, 0, k, 1, () => {
    f.get(b).memory(V128.load).set(left).get(b).memory(V128.load, 16).set(right);
    for (let i = 0; i < rows; i++) {
      f.get(a)
        .memory(lanes.splat, i << lanes.shift)
        .set(factor);
      for (const [v, column] of [left, right].entries()) writeProduct(f, lanes, fused, sums[2 * i + v]!, factor, column);
    }
    f.increment(a, rows << lanes.shift).increment(b, TILE);
  });
  for (let i = 0; i < rows; i++) {
    for (const v of [0, 1]) {
      f.get(c).get(sums[2 * i + v]!);
      if (adds) writeSum(f, lanes, c, v);
      f.memory(V128.store, 16 * v);
    }
    if (i + 1 < rows) f.increment(c, cRow);
  }
  return f;
}

const writeSum = (f: Func, lanes: Lanes, c: Local, v: number): Func =>
  f
    .get(c)
    .memory(V128.load, 16 * v)
    .op(lanes.add);

/** The same for c += a·b out of `store`: without the fused instruction V8 11 would spill in the loop of a tile that adds. */
function writeAddedTile(module: Module, lanes: Lanes, rows: number, store: Func): Func {
  const f = module.func("", new Array(6).fill("i32"), []);
  const [a, b, c, k, cRow, edge] = f.params as [Local, Local, Local, Local, Local, Local];
  f.get(a).get(b).get(edge).get(k).i32Const(TILE).get(edge).call(store);
  for (let i = 0; i < rows; i++) {
    for (const v of [0, 1]) {
      f.get(c)
        .get(edge)
        .memory(V128.load, i * TILE + 16 * v);
      writeSum(f, lanes, c, v).memory(V128.store, 16 * v);
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
        () => f.get(p).get(b).get(q).get(k).get(cRow).get(edge).call(tile),
        () => {
          f.get(p).get(b).get(edge).get(k).i32Const(TILE).get(edge).call(store);
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
  const tiles = sharing !== null || (count > 1 && shared && m <= SHARED_TILES * rows) ? SHARED_TILES : TILES_DOWN;
  const width = TILE >> LANES[lane]!.shift;
  return [Math.min(up(m, rows), tiles * rows), Math.min(up(n, width), COLUMN_BYTES >> LANES[lane]!.shift)];
}

/** In so many calls threads share what is packed of a. Each of them has a tile at an edge, and bytes that are overwritten. */
const callsOf = (down: number, rows: number): number => (sharing === null ? 1 : Math.ceil(down / (TOGETHER * rows)));

/** The bytes of memory that `contract` needs for what it packs. `shared`: all products have one a (its batch step is 0). */
export function contractBytes(lane: number, sizes: Sizes, shared = false): number {
  const { rows } = routinesOf(lane);
  const [down, across] = blocks(lane, rows, sizes, shared);
  return callsOf(down, rows) * (EDGE + BEHIND) + (((down + across) * Math.min(sizes.k, DEPTH)) << LANES[lane]!.shift);
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
  const together = sharing?.isWorthwhile(count * m * n * k * WORK) ? sharing : null;
  const panelsB = work + callsOf(down, rows) * EDGE;
  const panelsA = panelsB + ((across * depth) << shift);
  const part = TOGETHER * rows;
  const columns = TOGETHER * (TILE >> shift);
  // What b's block was packed from, and a's, so that what is shared is packed once.
  for (let j = 0; j < n; j += across) {
    const width = Math.min(across, n - j);
    for (let l = 0; l < k; l += depth) {
      const d = Math.min(depth, k - l);
      const bytes = d << shift;
      for (let g = 0; g < count; g++) {
        const multiply = accumulate || l > 0 || (g > 0 && c.batch === 0) ? exports.add : exports.store;
        if (g === 0 || b.batch !== 0) pack(packB, panelsB, b, g, j, l, width, d, true, columns, columns * bytes, together);
        for (let i = 0; i < m; i += down) {
          const height = Math.min(down, m - i);
          if (g === 0 || a.batch !== 0 || height < m)
            pack(packA, panelsA, a, g, i, l, height, d, false, part, part * bytes + BEHIND, together);
          const at = c.at + g * c.batch + i * c.row + (j << shift);
          if (together !== null) {
            const args = [panelsA, panelsB, at, 0, width, d, c.row, work];
            together.parts(multiply, args, [part * bytes + BEHIND, 0, part * c.row, 0, 0, 0, 0, EDGE], 3, height, part);
            continue;
          }
          // Few columns at a time, so that no call takes long.
          const step = Math.max(TILE >> shift, Math.floor(CALL / (height * d)) & -(TILE >> shift));
          for (let x = 0; x < width; x += step)
            multiply(panelsA, panelsB + ((x * d) << shift), at + (x << shift), height, Math.min(step, width - x), d, c.row, work);
        }
      }
    }
  }
}

/**
 * Packs `size` rows of a from i on, or (`across`) columns of b, over `depth` of the inner index from l on. Threads share
 * them `part` at a time, `partBytes` from one part to the next.
 */
function pack(
  routine: Routine,
  to: number,
  x: Operand,
  batch: number,
  i: number,
  l: number,
  size: number,
  depth: number,
  across: boolean,
  part: number,
  partBytes: number,
  together: Sharing | null,
): void {
  const [step, inner] = across ? [x.column, x.row] : [x.row, x.column];
  const at = x.at + batch * x.batch;
  const args = x.tables ? [to, at, size, depth, step + 4 * i, inner + 4 * l] : [to, at + i * step + l * inner, size, depth, step, inner];
  if (together === null) routine(...args);
  else together.parts(routine, args, [partBytes, x.tables ? 0 : part * step, 0, 0, x.tables ? 4 * part : 0, 0], 2, size, part);
}

// ---- the way that fits a shape

/** Products of at most this size are computed in strips; and those with so few rows, columns or products in a sum. */
const SMALL = 2 ** 21;
const FEW_ROWS = 8;
const FEW_COLUMNS = 32;
const SHALLOW = 8;
/** Of many as small as this none is worth a call of its own. */
const TINY = 2 ** 15;
/** Bytes of rows that stay in the cache while several vectors are multiplied with them. */
const ROWS_BYTES = 2 ** 17;
/** Columns of one call, so that the engine can replace baseline code between them. */
const STRIP = 4096;
/** Inner products are added up in parts of this length, so that long sums stay accurate. */
const DOT_DEPTH = 4096;

type Way = "dots" | "turnedDots" | "sweeps" | "turnedSweeps" | "strips" | "packed";

/** By shape and by which steps are those of neighbours. */
function wayOf(bytes: number, { m, n, k }: Sizes, a: Operand, b: Operand): Way {
  const runs = (step: number, size: number): boolean => size === 1 || step === bytes;
  if (a.tables || b.tables) return "packed";
  if (n === 1 && runs(b.row, k) && runs(a.column, k)) return "dots";
  if (m <= FEW_ROWS && runs(a.column, k) && runs(b.row, k) && !runs(b.column, n)) return "turnedDots";
  if (m === 1 && n >= 64 && runs(b.column, n)) return "sweeps";
  if (n === 1 && m >= 64 && runs(a.row, m)) return "turnedSweeps";
  const small = m <= FEW_ROWS || n <= FEW_COLUMNS || k <= SHALLOW || m * n * k <= SMALL;
  return small && runs(b.column, n) ? "strips" : "packed";
}

/**
 * Which operand is worth a copy in C order before `multiply`: a vector beside a matrix of neighbours, a thin b, and small
 * ones of which there are `many`.
 */
export function wantsCopies(lane: number, { m, n, k }: Sizes, a: Operand, b: Operand, many: boolean): "a" | "b" | null {
  const bytes = 1 << LANES[lane]!.shift;
  const [runsA, runsB] = [k === 1 || a.column === bytes, n === 1 || b.column === bytes];
  if (n === 1) return runsA && k > 1 && b.row !== bytes ? "b" : null;
  if (runsB) return null;
  if (m === 1) return !runsA && b.row === bytes ? "a" : null;
  return (m > FEW_ROWS && (n <= FEW_COLUMNS || k <= SHALLOW)) || (many && m * n * k <= TINY) ? "b" : null;
}

/** Products of at least this size are left to BLAS, if one is in use. */
const NATIVE = 2 ** 15;

/** The leading dimension of a matrix as BLAS takes it, negative if transposed; 0 if it lies otherwise. */
function leading(x: Operand, rows: number, columns: number, bytes: number): number {
  if (columns === 1 || x.column === bytes) return rows === 1 ? columns : x.row >= columns * bytes ? x.row / bytes : 0;
  if (rows === 1 || x.row === bytes) return x.column >= rows * bytes ? -x.column / bytes : 0;
  return 0;
}

const isNative = (lane: number, { m, n, k }: Sizes, a: Operand, b: Operand): boolean =>
  gemm !== null && lane < 2 && m * n * k >= NATIVE && leading(a, m, k, 4 << lane) !== 0 && leading(b, k, n, 4 << lane) !== 0;

/** The bytes of memory that `multiply` needs beside its operands. */
export function workBytes(lane: number, sizes: Sizes, a: Operand, b: Operand): number {
  if (isNative(lane, sizes, a, b)) return 0;
  return wayOf(1 << LANES[lane]!.shift, sizes, a, b) === "packed" ? contractBytes(lane, sizes, a.batch === 0) : 0;
}

/** c = a·b as `contract`, in the way that fits the shape. c's rows follow one another, `count` matrices without gaps. */
export function multiply(lane: number, sizes: Sizes, a: Operand, b: Operand, c: number, work: number): void {
  const { count, m, n, k } = sizes;
  const { shift } = LANES[lane]!;
  const bytes = 1 << shift;
  const row = n << shift;
  const batch = m * row;
  if (isNative(lane, sizes, a, b)) {
    const [lda, ldb] = [leading(a, m, k, bytes), leading(b, k, n, bytes)];
    for (let g = 0; g < count; g++) gemm!(lane, m, n, k, a.at + g * a.batch, lda, b.at + g * b.batch, ldb, c + g * batch);
    return;
  }
  const { strips, dots, sweeps } = routinesOf(lane).exports;
  switch (wayOf(bytes, sizes, a, b)) {
    case "packed":
      return contract(lane, sizes, a, b, { at: c, row, batch }, work);
    case "strips":
      for (let l = 0; l < k; l += DEPTH) {
        const depth = Math.min(DEPTH, k - l);
        const [p, q] = [a.at + l * a.column, b.at + l * b.row];
        for (let j = 0; j < n; j += STRIP) {
          const width = Math.min(STRIP, n - j);
          const at = j << shift;
          if (sharing?.isWorthwhile(count * m * width * depth * WORK)) {
            const args = [count, p, q + at, c + at, a.batch, b.batch, batch, m, width, depth, a.row, a.column, b.row, row, l];
            if (count > 1) shareCalls(sharing, strips, args, 0, [0, a.batch, b.batch, batch], m * width * depth);
            else shareCalls(sharing, strips, args, 7, [0, a.row, 0, row], width * depth);
          } else strips(count, p, q + at, c + at, a.batch, b.batch, batch, m, width, depth, a.row, a.column, b.row, row, l);
        }
      }
      return;
    case "dots":
      for (let l = 0; l < k; l += DOT_DEPTH) {
        const at = l << shift;
        dots(count, a.at + at, b.at + at, c, a.batch, b.batch, batch, m, Math.min(DOT_DEPTH, k - l), a.row, bytes, l);
      }
      return;
    case "turnedDots": {
      const step = Math.max(4, (ROWS_BYTES / (Math.min(k, DOT_DEPTH) << shift)) & -4);
      for (let g = 0; g < count; g++)
        for (let l = 0; l < k; l += DOT_DEPTH) {
          const depth = Math.min(DOT_DEPTH, k - l);
          const x = a.at + g * a.batch + (l << shift);
          for (let j = 0; j < n; j += step) {
            const rows = b.at + g * b.batch + j * b.column + (l << shift);
            dots(m, rows, x, c + g * batch + (j << shift), 0, a.row, row, Math.min(step, n - j), depth, b.column, bytes, l);
          }
        }
      return;
    }
    case "sweeps":
      return sweeps(count, a.at, b.at, c, a.batch, b.batch, batch, k, n, a.column, b.row, 0);
    case "turnedSweeps":
      return sweeps(count, b.at, a.at, c, b.batch, a.batch, batch, k, m, b.row, a.column, 0);
  }
}

/** The least multiplications of a call that threads share. */
const PART = 2 ** 19;

/** Shares a routine's calls for the parts that args[counter] counts, each of so many multiplications. */
function shareCalls(
  together: Sharing,
  f: Routine,
  args: readonly number[],
  counter: number,
  steps: readonly number[],
  products: number,
): void {
  // Rows are taken by eight, so that no call begins within a strip.
  const unit = counter === 0 ? 1 : 8;
  const part = Math.ceil(PART / products / unit) * unit;
  const all = args.map((_, i) => (steps[i] ?? 0) * part);
  together.parts(f, args, all, counter, args[counter]!, part);
}
