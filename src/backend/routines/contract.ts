/**
 * The matrix product c = a·b, or c += a·b, of large matrices: operands are packed block by block, and tiles of c kept in
 * registers. Knows addresses and steps in bytes, not arrays.
 */
import { gemm } from "../blas.ts";
import { type Sharing, sharing } from "../threads/sharing.ts";
import { type Func, I32, type Local, Module, V128 } from "../wasm/assembler.ts";
import type { Routine } from "../wasm/compiler.ts";
import { routines } from "../wasm/drivers.ts";
import { I32 as words } from "../wasm/heap.ts";
import { LANES, type Lanes, writePack, writePanel } from "./packing.ts";
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
/** About so many bytes of a are packed together: what stays in the second cache. */
const BLOCK = 2 ** 19;
/** Bytes for one tile at an edge. */
const EDGE = 256;
/** One call multiplies at most about this often, */
const CALL = 2 ** 23;
/** and where threads share the calls, at least about this often; and there are at most so many. */
const PART = 2 ** 19;
const MOST_CALLS = 32;
/** The least panels side by side that are a call, and tiles one above another. */
const LEAST_PANELS = 4;
const LEAST_TILES = 8;
/** A thread's own memory begins with the number of the block that it has packed, away from what the thread before writes. */
const HEADER = 128;
/** About how many µs a multiplication and addition take. */
const WORK = 3e-5;

interface Routines {
  readonly rows: number;
  readonly exports: Readonly<Record<"product" | "strips" | "dots" | "sweeps", Routine>>;
}

/** Whether the engine has the fused multiply-add of relaxed SIMD. */
export function hasMadd(): boolean {
  const module = new Module(false);
  const f = module.func("", ["v128"], ["v128"]);
  const x = f.param(0);
  f.op(LANES[0]!.madd!, x, x, x);
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
  const kinds = [false, true] as const;
  const [packs, panels] = [
    kinds.map(tables => writePack(module, "", lanes, rows, tables)),
    kinds.map(tables => writePanel(module, lanes, TILE >> lanes.shift, tables)),
  ];
  // By how many of a panel's rows they take.
  const counts = Array.from({ length: rows }, (_, i) => i + 1);
  const stores = counts.map(count => writeTile(module, lanes, rows, count, fused, false));
  const adds = counts.map((count, i) =>
    fused ? writeTile(module, lanes, rows, count, true, true) : writeAddedTile(module, lanes, count, stores[i]!),
  );
  const whole = stores[rows - 1]!;
  const columns = [stores, adds].flatMap(tiles => {
    const column = writeColumn(module, lanes, rows, tiles, whole, tiles === adds);
    return kinds.map((tables, i) => writeColumns(module, lanes, panels[i]!, column, tables));
  });
  writeWhole(module, packs, columns);
  writeStrips(module, lanes, fused);
  writeDots(module, lanes, fused);
  writeSweeps(module, lanes, fused);
}

/** tile(a, b, c, k, cRow, edge): one tile of c from a panel of each, or the first `rows` rows of one; a's panels are `height` rows. */
function writeTile(module: Module, lanes: Lanes, height: number, rows: number, fused: boolean, adds: boolean): Func {
  const f = module.func("", 6);
  const [a, b, c, k, cRow] = f.params;
  const sums = f.locals("v128", 2 * rows);
  const [left, right, factor] = f.locals("v128", 3);
  const l = f.local("i32");
  // V8 11 keeps all sums in registers in a loop of this form, but not in one that counts k down.
  f.forLoop(l, 0, k, 1, () => {
    f.push(b).memory(V128.load).set(left).push(b).memory(V128.load, 16).set(right);
    for (let i = 0; i < rows; i++) {
      f.push(a)
        .memory(lanes.splat, i << lanes.shift)
        .set(factor);
      for (const [v, column] of [left, right].entries()) writeProduct(f, lanes, fused, sums[2 * i + v]!, factor, column);
    }
    f.increment(a, height << lanes.shift).increment(b, TILE);
  });
  for (let i = 0; i < rows; i++) {
    for (const v of [0, 1]) {
      f.push(c, sums[2 * i + v]!);
      if (adds) writeSum(f, lanes, c, v);
      f.memory(V128.store, 16 * v);
    }
    if (i + 1 < rows) f.increment(c, cRow);
  }
  return f;
}

const writeSum = (f: Func, lanes: Lanes, c: Local, v: number): Func =>
  f
    .push(c)
    .memory(V128.load, 16 * v)
    .op(lanes.add);

/** The same for c += a·b out of `store`: without the fused instruction V8 11 would spill in the loop of a tile that adds. */
function writeAddedTile(module: Module, lanes: Lanes, rows: number, store: Func): Func {
  const f = module.func("", 6);
  const [a, b, c, k, cRow, edge] = f.params;
  f.call(store, a, b, edge, k, TILE, edge);
  for (let i = 0; i < rows; i++) {
    for (const v of [0, 1]) {
      f.push(c, edge).memory(V128.load, i * TILE + 16 * v);
      writeSum(f, lanes, c, v).memory(V128.store, 16 * v);
    }
    if (i + 1 < rows) f.increment(c, cRow);
  }
  return f;
}

/**
 * column(a, b, c, m, n, k, cRow, edge): the first n columns of a panel of b times packed panels of a, of m rows in all. If
 * n is less than all, tiles are computed into `edge` and copied in part.
 */
function writeColumn(module: Module, lanes: Lanes, rows: number, tiles: readonly Func[], whole: Func, adds: boolean): Func {
  const width = TILE >> lanes.shift;
  const part = writePart(module, lanes, adds);
  const f = module.func("", 8);
  const [a, b, c, m, n, k, cRow, edge] = f.params;
  const tile = (count: number): Func => f.call(tiles[count - 1]!, a, b, c, k, cRow, edge);
  const next = (): Func => {
    f.op(I32.mul, k, rows << lanes.shift)
      .op(I32.add, a)
      .set(a);
    f.op(I32.mul, cRow, rows).op(I32.add, c).set(c);
    return f.increment(m, -rows);
  };
  f.op(I32.ltS, n, width);
  f.if(() => {
    f.whileLoop(
      () => f.op(I32.gtS, m, 0),
      () => {
        f.call(whole, a, b, edge, k, TILE, edge);
        f.call(part, edge, c, m, n, cRow);
        next();
      },
    );
    f.return();
  });
  f.whileLoop(
    () => f.op(I32.geS, m, rows),
    () => {
      tile(rows);
      next();
    },
  );
  for (let count = 1; count < rows; count++) {
    f.op(I32.eq, m, count);
    f.if(() => tile(count));
  }
  return f;

  /** part(from, to, m, n, toRow): the part of an edge tile that lies in c, m × n of it or all of it. */
  function writePart(inside: Module, { shift, load, store: put, addScalar }: Lanes, adds: boolean): Func {
    const g = inside.func("", 5);
    const [from, to, rowsLeft, left, toRow] = g.params;
    const [row, end, x, y] = g.locals("i32", 4);
    const least = (value: Local, most: number): Func => g.push(value, most).op(I32.ltS, value, most).select();
    least(left, width).op(I32.shl, shift).set(end);
    least(rowsLeft, rows).set(rowsLeft);
    g.forLoop(row, 0, rowsLeft, 1, () => {
      g.forLoop(x, 0, end, 1 << shift, () => {
        g.op(I32.add, to, x).tee(y).op(I32.add, from, x).memory(load);
        if (adds) g.push(y).memory(load).op(addScalar);
        g.memory(put);
      });
      g.increment(from, TILE).increment(to, toRow);
    });
    return g;
  }
}

/**
 * …(a, b, c, m, n, k, bColumn, bRow, cRow, edge): m × n elements of c from packed panels of a, and b as it lies, whose panels
 * are packed behind `edge` one by one: so they are read from the first cache.
 */
function writeColumns(module: Module, lanes: Lanes, pack: Func, column: Func, tables: boolean): Func {
  const width = TILE >> lanes.shift;
  const f = module.func("", 10);
  const [a, b, c, m, n, k, bColumn, bRow, cRow, edge] = f.params;
  const panel = f.local("i32");
  f.op(I32.add, edge, EDGE).set(panel);
  f.whileLoop(
    () => f.op(I32.gtS, n, 0),
    () => {
      f.call(pack, panel, b, n, k, bColumn, bRow);
      f.call(column, a, panel, c, m, n, k, cRow, edge);
      if (tables) f.increment(bColumn, 4 * width);
      else f.op(I32.mul, bColumn, width).op(I32.add, b).set(b);
      f.increment(c, TILE).increment(n, -width);
    },
  );
  return f;
}

/**
 * product(own, a, aRow, aColumn, b, c, m, n, k, bColumn, bRow, cRow, block, kinds): m × n elements of c of operands as they
 * lie. `own` is a thread's own memory, where a is packed if it is another block than the last one there: threads that shared
 * a packed copy would take it out of each other's caches with every block. `kinds` counts 1 if a has tables, 2 if b has, 4 if
 * c is added to.
 */
function writeWhole(module: Module, packs: readonly Func[], columns: readonly Func[]): void {
  const f = module.func("product", 14);
  const [own, a, aRow, aColumn, b, c, m, n, k, bColumn, bRow, cRow, block, kinds] = f.params;
  const [edge, packed] = f.locals("i32", 2);
  f.op(I32.add, own, HEADER).set(edge);
  f.op(I32.mul, k, TILE).op(I32.add, edge).op(I32.add, EDGE).set(packed);
  f.push(own).memory(I32.load).op(I32.ne, block);
  f.if(() => {
    for (const [kind, pack] of packs.entries()) {
      f.op(I32.and, kinds, 1).op(I32.eq, kind);
      f.if(() => f.call(pack, packed, a, m, k, aRow, aColumn));
    }
    f.push(own, block).memory(I32.store);
  });
  for (const [kind, column] of columns.entries()) {
    f.op(I32.shrU, kinds, 1).op(I32.eq, kind);
    f.if(() => f.call(column, packed, b, c, m, n, k, bColumn, bRow, cRow, edge));
  }
}

const up = (n: number, step: number): number => Math.ceil(n / step) * step;

/** The bytes of each thread's own memory for products of at most these sizes. */
function ownBytes(lane: number, { m, k }: Sizes): number {
  const { rows } = routinesOf(lane);
  const depth = Math.min(k, DEPTH);
  const line = depth << LANES[lane]!.shift;
  return up(HEADER + EDGE + TILE * depth + Math.min(up(m, rows) * line, BLOCK + rows * line), HEADER);
}

/** The bytes of memory that `contract` needs for what it packs, of products of at most these sizes. */
export const contractBytes = (lane: number, sizes: Sizes): number => (sharing?.threads ?? 1) * ownBytes(lane, sizes);

/**
 * c = a·b, or with `accumulate` c += a·b: a is m × k, b k × n, of one dtype (lane 0, 1, 2: float32, float64, int32), and
 * count of them lie their batch steps apart. `work` is the address of `contractBytes` bytes. Each element is the sum of
 * sums of 256 products, whatever the size and wherever it lies; so a caller may divide c into parts. k >= 1.
 */
export function contract(lane: number, sizes: Sizes, a: Operand, b: Operand, c: Target, work: number, accumulate = false): void {
  const { count, m, n, k } = sizes;
  const { rows, exports } = routinesOf(lane);
  const { shift } = LANES[lane]!;
  const panel = TILE >> shift;
  const depth = Math.min(k, DEPTH);
  // Blocks of about one size, so that none is packed for a few rows.
  const down = up(Math.ceil(m / Math.ceil(m / Math.floor(BLOCK / (depth << shift)))), rows);
  const bytes = ownBytes(lane, sizes);
  const together = sharing?.isWorthwhile(count * m * n * k * WORK) ? sharing : null;
  const [parts, threads] = together === null ? [inTurn, 1] : [together.parts, together.threads];
  for (let t = 0; t < threads; t++) words[(work + t * bytes) >> 2] = 0;
  let block = 1;
  for (let l = 0; l < k; l += depth) {
    const d = Math.min(depth, k - l);
    for (let i = 0; i < m; i += down) {
      const height = Math.min(down, m - i);
      // What one call multiplies: few columns at a time, so that it does not take long; rows where they are the less to pack.
      const size = together === null ? CALL : Math.max(PART, (height * n * d) / MOST_CALLS);
      const wide = up(Math.max(size / (height * d), LEAST_PANELS * panel), panel);
      const tall = up(Math.max(size / (n * d), LEAST_TILES * rows), rows);
      const byRows = height > tall && (n <= wide || Math.ceil(height / tall) * n < (threads - 1) * height);
      for (let g = 0; g < count; g++) {
        if (a.batch !== 0 && g > 0) block += height;
        const adds = accumulate || l > 0 || (g > 0 && c.batch === 0);
        const kinds = (a.tables ? 1 : 0) + (b.tables ? 2 : 0) + (adds ? 4 : 0);
        const [x, y] = [a.at + g * a.batch, b.at + g * b.batch];
        const [p, aRow, aColumn] = a.tables ? [x, a.row + 4 * i, a.column + 4 * l] : [x + i * a.row + l * a.column, a.row, a.column];
        const [q, bRow] = b.tables ? [y, b.row + 4 * l] : [y + l * b.row, b.row];
        const args = [work, p, aRow, aColumn, q, c.at + g * c.batch + i * c.row, height, n, d, b.column, bRow, c.row, block, kinds];
        const steps = args.map(() => 0);
        if (byRows) {
          steps[a.tables ? 2 : 1] = tall * (a.tables ? 4 : a.row);
          steps[5] = tall * c.row;
          steps[12] = 1;
        } else {
          steps[b.tables ? 9 : 4] = wide * (b.tables ? 4 : b.column);
          steps[5] = wide << shift;
        }
        parts(exports.product, args, steps, byRows ? 6 : 7, byRows ? tall : wide, bytes);
      }
      block += height;
    }
  }
}

/** The calls that threads would share, by the caller alone. */
function inTurn(f: Routine, given: readonly number[], steps: readonly number[], counter: number, part: number): void {
  const args = given.slice();
  for (let left = given[counter]!; left > 0; left -= part) {
    args[counter] = Math.min(left, part);
    f(...args);
    for (let k = 0; k < steps.length; k++) args[k]! += steps[k]!;
  }
}

// ---- the way that fits a shape

/** Products of at most this size are computed in strips; and those with so few rows, columns or products in a sum. */
const SMALL = 2 ** 19;
/** The same with at most so many rows, which are few to pack a panel of b for. */
const SMALL_THIN = 2 ** 21;
const THIN = 40;
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
  const small = m <= FEW_ROWS || n <= FEW_COLUMNS || k <= SHALLOW || m * n * k <= (m <= THIN ? SMALL_THIN : SMALL);
  return small && runs(b.column, n) ? "strips" : "packed";
}

/**
 * Which operand is worth a copy in C order before `multiply`: one that BLAS cannot read as it lies (as a gradient that is
 * the same everywhere), a vector beside a matrix of neighbours, a thin b, and small ones of which there are `many`.
 */
export function wantsCopies(lane: number, sizes: Sizes, a: Operand, b: Operand, many: boolean): "a" | "b" | null {
  const { m, n, k } = sizes;
  const bytes = 1 << LANES[lane]!.shift;
  if (isForBlas(lane, sizes)) return leading(a, m, k, bytes) === 0 ? "a" : leading(b, k, n, bytes) === 0 ? "b" : null;
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

const isForBlas = (lane: number, { m, n, k }: Sizes): boolean => gemm !== null && lane < 2 && m * n * k >= NATIVE;

const isNative = (lane: number, sizes: Sizes, a: Operand, b: Operand): boolean =>
  isForBlas(lane, sizes) && leading(a, sizes.m, sizes.k, 4 << lane) !== 0 && leading(b, sizes.k, sizes.n, 4 << lane) !== 0;

/** The bytes of memory that `multiply` needs beside its operands. */
export function workBytes(lane: number, sizes: Sizes, a: Operand, b: Operand): number {
  if (isNative(lane, sizes, a, b)) return 0;
  return wayOf(1 << LANES[lane]!.shift, sizes, a, b) === "packed" ? contractBytes(lane, sizes) : 0;
}

/** Whether `multiply` can add to c. */
export function canAdd(lane: number, sizes: Sizes, a: Operand, b: Operand): boolean {
  const way = wayOf(1 << LANES[lane]!.shift, sizes, a, b);
  return (way === "packed" || way === "strips") && !isNative(lane, sizes, a, b);
}

/**
 * c = a·b, or where it can c += a·b, as `contract`, in the way that fits the shape. c's rows follow one another, `count`
 * matrices without gaps.
 */
export function multiply(lane: number, sizes: Sizes, a: Operand, b: Operand, c: number, work: number, accumulate = false): void {
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
      return contract(lane, sizes, a, b, { at: c, row, batch }, work, accumulate);
    case "strips":
      for (let l = 0; l < k; l += DEPTH) {
        const depth = Math.min(DEPTH, k - l);
        const [p, q] = [a.at + l * a.column, b.at + l * b.row];
        const adds = l > 0 || accumulate ? 1 : 0;
        for (let j = 0; j < n; j += STRIP) {
          const width = Math.min(STRIP, n - j);
          const at = j << shift;
          if (sharing?.isWorthwhile(count * m * width * depth * WORK)) {
            const args = [count, p, q + at, c + at, a.batch, b.batch, batch, m, width, depth, a.row, a.column, b.row, row, adds];
            if (count > 1) shareCalls(sharing, strips, args, 0, [0, a.batch, b.batch, batch], m * width * depth);
            else shareCalls(sharing, strips, args, 7, [0, a.row, 0, row], width * depth);
          } else strips(count, p, q + at, c + at, a.batch, b.batch, batch, m, width, depth, a.row, a.column, b.row, row, adds);
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
  together.parts(f, args, all, counter, part);
}
