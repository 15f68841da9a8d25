/**
 * A matrix of windows added back to where they lie, written by hand in WebAssembly for both float dtypes. Knows addresses
 * and two tables, not axes: element (i, j) of the matrix belongs to rows[i] + columns[j].
 */
import { F64 as FLOAT64 } from "../../dtype.ts";
import type { Func, Local } from "../wasm/assembler.ts";
import { F32, F32x4, F64, F64x2, I32, V128 } from "../wasm/assembler.ts";
import { routines } from "../wasm/drivers.ts";

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
    const f = module.func("fold", new Array<"i32">(7).fill("i32"), []);
    const [plane, rows, columns, matrix, m, n, run] = f.params as [Local, Local, Local, Local, Local, Local, Local];
    const [row, column, at, end, wide] = Array.from({ length: 5 }, () => f.local("i32")) as [Local, Local, Local, Local, Local];
    const last = f.local("i32");
    /** Adds from the matrix to the plane, moving on in both, as long as the place is below `limit`. */
    const add = (limit: Local, bytes: number, load: number, plus: number, store: number): Func =>
      f.whileLoop(
        () => f.get(at).get(limit).op(I32.ltU),
        () => {
          f.get(at).get(at).memory(load).get(matrix).memory(load).op(plus).memory(store);
          f.increment(at, bytes).increment(matrix, bytes);
        },
      );
    f.get(columns).get(n).i32Const(2).op(I32.shl).op(I32.add).set(last);
    f.get(run).i32Const(e.shift).op(I32.shl).set(wide);
    f.whileLoop(
      () => f.get(m),
      () => {
        f.get(plane).get(rows).memory(I32.load).op(I32.add).set(row);
        f.get(columns).set(column);
        f.whileLoop(
          () => f.get(column).get(last).op(I32.ne),
          () => {
            f.get(row).get(column).memory(I32.load).op(I32.add).tee(at).get(wide).op(I32.add).set(end);
            f.get(at).get(wide).i32Const(-16).op(I32.and).op(I32.add).tee(n);
            f.get(at).op(I32.ne);
            f.if(() => add(n, 16, V128.load, e.vectorAdd, V128.store));
            add(end, 1 << e.shift, e.load, e.add, e.store);
            f.get(run).i32Const(2).op(I32.shl).get(column).op(I32.add).set(column);
          },
        );
        f.increment(rows, 4).increment(m, -1);
      },
    );
  }).fold as unknown as Fold;
}

const built: (Fold | undefined)[] = [];

/** The routine for float32 or float64, assembled when it is first asked for. */
export const fold = (code: number): Fold => (built[code] ??= build(ELEMENTS[code === FLOAT64 ? 1 : 0]));
