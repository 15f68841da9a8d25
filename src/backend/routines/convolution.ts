/**
 * Windows over a plane, laid out as a matrix and added back from one, written by hand in WebAssembly for both float
 * dtypes. Knows addresses and two tables of positions, not axes: element (i, j) of the matrix is at rows[i] + columns[j].
 */
import { F64 as FLOAT64 } from "../../dtype.ts";
import type { Func, Local } from "../wasm/assembler.ts";
import { F32, F32x4, F64, F64x2, I32, Module, V128 } from "../wasm/assembler.ts";
import { memory } from "../wasm/heap.ts";

/** Addresses and tables (of int32) are in bytes. Every `run` columns are neighbours in the plane. */
type Routine = (plane: number, rows: number, columns: number, matrix: number, m: number, n: number, run: number) => void;

export interface WindowRoutines {
  /** matrix[i, j] = plane[rows[i] + columns[j]]. Writes up to 12 bytes beyond the end. */
  readonly unfold: Routine;
  /** plane[rows[i] + columns[j]] += matrix[i, j]. */
  readonly fold: Routine;
}

/** What the two float dtypes differ in. */
const ELEMENTS = [
  { shift: 2, load: F32.load, store: F32.store, add: F32.add, vectorAdd: F32x4.add },
  { shift: 3, load: F64.load, store: F64.store, add: F64.add, vectorAdd: F64x2.add },
] as const;

type Element = (typeof ELEMENTS)[number];

/** Walks the matrix in C order: `body` finds the addresses of run after run in two locals. */
function eachRun(f: Func, e: Element, body: (at: Local, matrix: Local, run: Local) => void): void {
  const [plane, rows, columns, matrix, m, n, run] = f.params as [Local, Local, Local, Local, Local, Local, Local];
  const [i, j, row, at] = [f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32")];
  f.forLoop(i, 0, m, 1, () => {
    f.get(plane).get(rows).memory(I32.load).op(I32.add).set(row);
    f.forLoop(j, 0, n, run, () => {
      f.get(columns).get(j).i32Const(2).op(I32.shl).op(I32.add).memory(I32.load).get(row).op(I32.add).set(at);
      body(at, matrix, run);
      f.get(matrix).get(run).i32Const(e.shift).op(I32.shl).op(I32.add).set(matrix);
    });
    f.increment(rows, 4);
  });
}

const address = (f: Func, e: Element, base: Local, index: Local): Func =>
  f.get(base).get(index).i32Const(e.shift).op(I32.shl).op(I32.add);

function build(e: Element): WindowRoutines {
  const module = new Module(!(memory.buffer instanceof ArrayBuffer));
  const params = new Array<"i32">(7).fill("i32");
  const lanes = 16 >> e.shift;

  const unfold = module.func("unfold", params, []);
  const k = unfold.local("i32");
  eachRun(unfold, e, (at, matrix, run) => {
    // What a vector writes too much the next one overwrites.
    unfold.get(run).i32Const(1).op(I32.eq);
    unfold.if(
      () => unfold.get(matrix).get(at).memory(e.load).memory(e.store),
      () =>
        unfold.forLoop(k, 0, run, lanes, () => {
          address(unfold, e, matrix, k);
          address(unfold, e, at, k).memory(V128.load).memory(V128.store);
        }),
    );
  });

  const fold = module.func("fold", params, []);
  const [l, whole, to] = [fold.local("i32"), fold.local("i32"), fold.local("i32")];
  eachRun(fold, e, (at, matrix, run) => {
    fold.get(run).i32Const(-lanes).op(I32.and).set(whole);
    const add = (load: number, plus: number, store: number): void => {
      address(fold, e, at, l).tee(to);
      fold.get(to).memory(load);
      address(fold, e, matrix, l).memory(load).op(plus).memory(store);
    };
    fold.forLoop(l, 0, whole, lanes, () => add(V128.load, e.vectorAdd, V128.store));
    fold.forLoop(l, whole, run, 1, () => add(e.load, e.add, e.store));
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.finish()), { m: { m: memory } });
  return exports as unknown as WindowRoutines;
}

const built: (WindowRoutines | undefined)[] = [];

/** The routines for float32 or float64, assembled when they are first asked for. */
export const windows = (code: number): WindowRoutines => (built[code] ??= build(ELEMENTS[code === FLOAT64 ? 1 : 0]));
