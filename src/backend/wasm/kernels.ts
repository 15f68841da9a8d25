/** Kernels that are not expressions, written by hand on the assembler: moving elements, gather and scatter, scans. */

import { BYTES, F32 as FLOAT32, F64 as FLOAT64, SHIFT } from "../../dtype.ts";
import { writeTurn } from "../routines/packing.ts";
import { type Func, I32, type Module, F32 as Op32, F64 as Op64, V128, type ValueType } from "./assembler.ts";
import type { Routine } from "./compiler.ts";
import { routines } from "./drivers.ts";

/** Load and store of an element by its size's shift: bits only, so one of each size serves all dtypes. */
const LOAD: Record<number, number> = { 0: I32.load8U, 2: Op32.load, 3: Op64.load };
const STORE: Record<number, number> = { 0: I32.store8, 2: Op32.store, 3: Op64.store };

let moves: Record<string, Routine> | undefined;

function writeMoves(m: Module): void {
  const copy = m.func("copy", 3);
  copy.push(copy.param(0), copy.param(1), copy.param(2)).memoryCopy();
  const fill = m.func("fill", 3);
  fill.push(fill.param(0), fill.param(1), fill.param(2)).memoryFill();
  for (const shift of [0, 2, 3]) {
    writeStrided(m, shift);
    if (shift > 0) writeTurned(m, shift);
    writeGather(m, shift);
    writeScatter(m, `scatter${shift}`, shift, f => f.push(0).select(), LOAD[shift]!, STORE[shift]!);
  }
  writeCount(m);
  writePlaces(m);
  writeScatter(m, "scatterAdd0", 0, f => f.op(I32.add), I32.load8U, I32.store8);
  writeScatter(m, "scatterAddI32", 2, f => f.op(I32.add), I32.load, I32.store);
  writeScatter(m, "scatterAddF32", 2, f => f.op(Op32.add), Op32.load, Op32.store);
  writeScatter(m, "scatterAddF64", 3, f => f.op(Op64.add), Op64.load, Op64.store);
}

/** strided(from, to, n0, f0, t0, n1, f1, t1): two nested loops over elements, steps in bytes. */
function writeStrided(m: Module, shift: number): void {
  const f = m.func(`strided${shift}`, 8);
  const [from, to, n0, f0, t0, n1, f1, t1] = f.params;
  const i = f.local("i32");
  const j = f.local("i32");
  const p = f.local("i32");
  const q = f.local("i32");
  f.forLoop(i, 0, n0, 1, () => {
    f.set(p, from).set(q, to);
    f.forLoop(j, 0, n1, 1, () => {
      f.push(q, p).memory(LOAD[shift]!).memory(STORE[shift]!);
      f.increment(p, f1).increment(q, t1);
    });
    f.increment(from, f0).increment(to, t0);
  });
}

/**
 * turned(from, to, n0, t0, n1, f1): as strided where f0 and t1 are the size of an element and n0 and n1 whole vectors, so
 * that squares of vectors can be turned in registers.
 */
function writeTurned(m: Module, shift: number): void {
  const f = m.func(`turned${shift}`, 6);
  const [from, to, n0, t0, n1, f1] = f.params;
  const lanes = 16 >> shift;
  const [i, j, p, q, at] = f.locals("i32", 5);
  const rows = f.locals("v128", lanes);
  const zipped = lanes === 2 ? rows : rows.map(() => f.local("v128"));
  f.forLoop(i, 0, n0, lanes, () => {
    f.set(p, from).set(q, to);
    f.forLoop(j, 0, n1, lanes, () => {
      for (const row of rows) f.push(p).memory(V128.load).set(row).increment(p, f1);
      f.set(at, q);
      writeTurn(
        f,
        rows,
        zipped,
        () => f.push(at),
        () => f.memory(V128.store).increment(at, t0),
      );
      f.increment(q, 16);
    });
    f.increment(from, 16);
    for (const _ of rows) f.increment(to, t0);
  });
}

/** gather(src, index, out, n, row): out's row i is src's row index[i]; a row has `row` elements. */
function writeGather(m: Module, shift: number): void {
  const f = m.func(`gather${shift}`, 5);
  const [src, index, out, n, row] = f.params;
  const i = f.local("i32");
  const bytes = f.local("i32");
  const from = f.local("i32");
  f.op(I32.shl, row, shift).set(bytes);
  f.forLoop(i, 0, n, 1, () => {
    f.push(src, index).memory(I32.load).op(I32.mul, bytes).op(I32.add).set(from);
    f.op(I32.eq, row, 1);
    f.if(
      () => f.push(out, from).memory(LOAD[shift]!).memory(STORE[shift]!),
      () => f.push(out, from, bytes).memoryCopy(),
    );
    f.increment(out, bytes).increment(index, 4);
  });
}

/** scatter…(src, index, out, n, row): combines what is in out's row index[i] with src's row i, one after another. */
function writeScatter(m: Module, name: string, shift: number, combine: (f: Func) => void, load: number, store: number): void {
  const f = m.func(name, 5);
  const [src, index, out, n, row] = f.params;
  const i = f.local("i32");
  const j = f.local("i32");
  const to = f.local("i32");
  f.forLoop(i, 0, n, 1, () => {
    f.push(out, index).memory(I32.load).op(I32.mul, row).op(I32.shl, shift).op(I32.add).set(to);
    f.forLoop(j, 0, row, 1, () => {
      f.push(to, to).memory(load).push(src).memory(load);
      combine(f);
      f.memory(store);
      f.increment(to, 1 << shift).increment(src, 1 << shift);
    });
    f.increment(index, 4);
  });
}

/** count(src, n): how many of n bytes are not 0. */
function writeCount(m: Module): void {
  const f = m.func("count", 2, ["i32"]);
  const [src, n] = f.params;
  const i = f.local("i32");
  const found = f.local("i32");
  f.forLoop(i, 0, n, 1, () => {
    f.push(found).op(I32.add, src, i).memory(I32.load8U).op(I32.ne, 0).op(I32.add).set(found);
  });
  f.push(found);
}

/** places(src, out, count): the positions of the first `count` bytes that are not 0. */
function writePlaces(m: Module): void {
  const f = m.func("places", 3);
  const [src, out, count] = f.params;
  const i = f.local("i32");
  const end = f.local("i32");
  f.push(out).op(I32.shl, count, 2).op(I32.add).set(end);
  f.whileLoop(
    () => f.op(I32.ne, out, end),
    () => {
      // Written whether it is one or not, and overwritten if not: a branch would be mispredicted half of the time.
      f.push(out, i).memory(I32.store);
      f.push(out).op(I32.add, src, i).memory(I32.load8U).op(I32.ne, 0).op(I32.shl, 2).op(I32.add).set(out);
      f.increment(i, 1);
    },
  );
}

const moving = (): Record<string, Routine> => (moves ??= routines(writeMoves));

// The two called most are kept beside the record: a lookup in an instance's exports costs more than a small copy.
let copyRoutine: Routine | undefined;
let fillRoutine: Routine | undefined;

/** Copies bytes within memory; overlapping is allowed. */
export function copy(to: number, from: number, bytes: number): void {
  copyRoutine ??= moving().copy!;
  copyRoutine(to, from, bytes);
}

/** Sets bytes. */
export function fill(to: number, byte: number, bytes: number): void {
  fillRoutine ??= moving().fill!;
  fillRoutine(to, byte, bytes);
}

/** Tiles of this many elements a side keep a transposing copy within the first cache. */
const TILE = 32;

/** Copies elements of 1 << shift bytes from one view to another of the same shape; strides are in elements. */
export function strided(
  from: number,
  to: number,
  shift: number,
  shape: readonly number[],
  fromStrides: readonly number[],
  toStrides: readonly number[],
): void {
  const move = moving()[`strided${shift}`]!;
  // Axes by the step in the target, the innermost last; neighbours that run on are joined.
  const axes = shape.map((n, i) => ({ n, f: fromStrides[i]! << shift, t: toStrides[i]! << shift })).filter(a => a.n !== 1);
  axes.sort((p, q) => Math.abs(q.t) - Math.abs(p.t));
  for (let i = axes.length - 1; i > 0; i--) {
    const outer = axes[i - 1]!;
    const inner = axes[i]!;
    if (outer.f !== inner.f * inner.n || outer.t !== inner.t * inner.n) continue;
    axes.splice(i - 1, 2, { n: outer.n * inner.n, f: inner.f, t: inner.t });
  }
  const one = { n: 1, f: 0, t: 0 };
  const inner = axes.pop() ?? one;
  if (inner.f === 1 << shift && inner.t === 1 << shift && inner.n * inner.f >= 64) {
    walk(axes, from, to, (f, t) => copy(t, f, inner.n << shift));
    return;
  }
  // The second loop follows the source's smallest step, so that a transposition walks in tiles.
  let best = axes.length - 1;
  for (let i = 0; i < axes.length; i++) if (Math.abs(axes[i]!.f) < Math.abs(axes[best]!.f)) best = i;
  const second = best >= 0 ? axes.splice(best, 1)[0]! : one;
  const lanes = 16 >> shift;
  const turned = shift > 0 && second.f === 1 << shift && inner.t === 1 << shift ? moving()[`turned${shift}`]! : null;
  const tile = (f: number, t: number, n: number, m: number): void => {
    // What fills whole vectors is turned; a strip at the right and one at the bottom are left.
    const [a, b] = turned !== null && m >= lanes ? [n & -lanes, m & -lanes] : [0, 0];
    if (a > 0) turned!(f, t, a, second.t, b, inner.f);
    if (a > 0 && b < m) move(f + b * inner.f, t + b * inner.t, a, second.f, second.t, m - b, inner.f, inner.t);
    if (a < n) move(f + a * second.f, t + a * second.t, n - a, second.f, second.t, m, inner.f, inner.t);
  };
  walk(axes, from, to, (f, t) => {
    if (Math.abs(second.f) >= Math.abs(inner.f) || second.n <= TILE || inner.n <= TILE) return tile(f, t, second.n, inner.n);
    for (let i = 0; i < second.n; i += TILE)
      for (let j = 0; j < inner.n; j += TILE)
        tile(f + i * second.f + j * inner.f, t + i * second.t + j * inner.t, Math.min(TILE, second.n - i), Math.min(TILE, inner.n - j));
  });
}

function walk(axes: readonly { n: number; f: number; t: number }[], from: number, to: number, visit: (f: number, t: number) => void): void {
  const step = (axis: number, f: number, t: number): void => {
    if (axis === axes.length) return visit(f, t);
    const a = axes[axis]!;
    for (let i = 0; i < a.n; i++) step(axis + 1, f + i * a.f, t + i * a.t);
  };
  step(0, from, to);
}

/** out's row i is src's row index[i]; `index` holds n int32, which are not checked here. */
export function gather(code: number, src: number, index: number, out: number, n: number, row: number): void {
  moving()[`gather${SHIFT[code]}`]!(src, index, out, n, row);
}

/** How many of n bytes are not 0. */
export function count(src: number, n: number): number {
  return moving().count!(src, n) as unknown as number;
}

/** Writes to `out` the positions of the first `found` bytes that are not 0, as int32. */
export function places(src: number, out: number, found: number): void {
  moving().places!(src, out, found);
}

/** Writes src's element i to out's index[i], one after another; `index` holds n int32, which are not checked here. */
export function scatter(code: number, src: number, index: number, out: number, n: number): void {
  moving()[`scatter${SHIFT[code]}`]!(src, index, out, n, 1);
}

/** Adds src's row i to out's row index[i], in the order of i, so that repeated positions add up. */
export function scatterAdd(code: number, src: number, index: number, out: number, n: number, row: number): void {
  const name =
    code === FLOAT32 ? "scatterAddF32" : code === FLOAT64 ? "scatterAddF64" : BYTES[code] === 4 ? "scatterAddI32" : "scatterAdd0";
  moving()[name]!(src, index, out, n, row);
}

// ---- scans

/** How a scan goes on from y to the next x: y + x, y·x, or x plus the absorbing product of y and a further operand. */
export type Step = "add" | "mul" | "chain";

const NUMBERS: readonly { readonly type: ValueType; readonly shift: number; readonly op: typeof I32 | typeof Op32 | typeof Op64 }[] = [
  { type: "f32", shift: 2, op: Op32 },
  { type: "f64", shift: 3, op: Op64 },
  { type: "i32", shift: 2, op: I32 },
];

let scans: Record<string, Routine> | undefined;

/**
 * Along each of `lines` lines of n >= 1 elements, `step` bytes from one to the next and `gap` from line to line: out's
 * first element is x's, and each later one follows from that before it. `a` is the further operand for the second one.
 */
export function scan(
  how: Step,
  lane: number,
  x: number,
  a: number,
  out: number,
  n: number,
  step: number,
  lines: number,
  gap: number,
): void {
  scans ??= routines(writeScans);
  scans[`${how}${lane}`]!(x, a, out, n, step, lines, gap);
}

function writeScans(m: Module): void {
  for (const how of ["add", "mul", "chain"] as const)
    for (const lane of [0, 1, 2]) if (how !== "chain" || lane < 2) writeScan(m, how, lane);
}

function writeScan(m: Module, how: Step, lane: number): void {
  const { type, op } = NUMBERS[lane]!;
  const f = m.func(`${how}${lane}`, 7);
  const [x, a, out, n, step, lines, gap] = f.params;
  const [line, i, p, q, r] = f.locals("i32", 5);
  // Sums of float32 are kept in float64: what rounds is each result, not the sum.
  const wide = how === "add" && type === "f32";
  const y = f.local(wide ? "f64" : type);
  const load = (): Func => {
    f.push(p).memory(op.load);
    return wide ? f.op(Op64.promoteF32) : f;
  };
  const store = (): Func => (wide ? f.op(Op32.demoteF64) : f).memory(op.store);
  const sum = wide ? Op64.add : op.add;
  f.forLoop(line, 0, lines, 1, () => {
    f.set(p, x).set(q, a).set(r, out);
    load().set(y);
    f.push(r, y);
    store();
    f.forLoop(i, 1, n, 1, () => {
      f.increment(p, step).increment(r, step).push(r);
      if (how === "chain") {
        f.push(y, q).memory(op.load).op(op.mul).push(y, y);
        (type === "f32" ? f.f32Const(0) : f.f64Const(0)).op(op.ne).select().set(y);
        f.increment(q, step);
      }
      load()
        .op(how === "mul" ? op.mul : sum, y)
        .tee(y);
      store();
    });
    f.increment(x, gap).increment(a, gap).increment(out, gap);
  });
}
