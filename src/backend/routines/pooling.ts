/**
 * Sums over windows, their adjoint, and the largest element of each, written by hand in WebAssembly for both float dtypes.
 * Knows addresses and two tables, not axes: element i of window j is at rows[i] + columns[j] in a plane.
 */
import { F64 as FLOAT64 } from "../../dtype.ts";
import type { Func, Local } from "../wasm/assembler.ts";
import { F32, F64, I32, Module } from "../wasm/assembler.ts";
import { memory } from "../wasm/heap.ts";

/**
 * Addresses, tables (of int32) and `step` are in bytes. A window has m elements, a plane n windows, and `count` planes lie
 * `step` apart.
 */
type Routine = (plane: number, rows: number, columns: number, values: number, m: number, n: number, count: number, step: number) => void;

export interface PoolingRoutines {
  /** values[j] = Σᵢ plane[rows[i] + columns[j]]. */
  readonly sum: Routine;
  /** plane[rows[i] + columns[j]] += values[j]. */
  readonly spread: Routine;
  /** values[j] = where in the plane the first largest element of window j is, or its first NaN: int32, in elements. */
  readonly places: Routine;
}

const ELEMENTS = [
  { type: "f32", shift: 2, load: F32.load, store: F32.store, add: F32.add, eq: F32.eq, le: F32.le },
  { type: "f64", shift: 3, load: F64.load, store: F64.store, add: F64.add, eq: F64.eq, le: F64.le },
] as const;

/** What is done with a window: before its elements, with the element at an address, and after them. */
interface Body {
  readonly begin: (window: Local, rows: Local) => void;
  readonly element: (at: Local) => void;
  readonly finish: (plane: Local) => void;
}

function write(module: Module, name: string, bytes: number, bodyOf: (f: Func, values: Local) => Body): void {
  const f = module.func(name, new Array<"i32">(8).fill("i32"), []);
  const [plane, rows, columns, values, m, n, count, step] = f.params as [Local, Local, Local, Local, Local, Local, Local, Local];
  const [j, column, window, row, end, at] = Array.from({ length: 6 }, () => f.local("i32")) as [Local, Local, Local, Local, Local, Local];
  const { begin, element, finish } = bodyOf(f, values);
  f.get(rows).get(m).i32Const(2).op(I32.shl).op(I32.add).set(end);
  f.whileLoop(
    () => f.get(count),
    () => {
      f.get(columns).set(column);
      f.forLoop(j, 0, n, 1, () => {
        f.get(plane).get(column).memory(I32.load).op(I32.add).set(window);
        begin(window, rows);
        f.get(rows).set(row);
        f.loop(again => {
          f.get(window).get(row).memory(I32.load).op(I32.add).set(at);
          element(at);
          f.get(row).i32Const(4).op(I32.add).tee(row).get(end).op(I32.ne).brIf(again);
        });
        finish(plane);
        f.increment(values, bytes).increment(column, 4);
      });
      f.increment(plane, step).increment(count, -1);
    },
  );
}

function build(e: (typeof ELEMENTS)[number]): PoolingRoutines {
  const module = new Module(!(memory.buffer instanceof ArrayBuffer));
  const bytes = 1 << e.shift;
  write(module, "sum", bytes, (f, values) => {
    const sum = f.local(e.type);
    return {
      begin: () => (e.type === "f32" ? f.f32Const(0) : f.f64Const(0)).set(sum),
      element: at => f.get(sum).get(at).memory(e.load).op(e.add).set(sum),
      finish: () => f.get(values).get(sum).memory(e.store),
    };
  });
  write(module, "spread", bytes, (f, values) => {
    const value = f.local(e.type);
    return {
      begin: () => f.get(values).memory(e.load).set(value),
      element: at => f.get(at).get(at).memory(e.load).get(value).op(e.add).memory(e.store),
      finish: () => {},
    };
  });
  write(module, "places", 4, (f, values) => {
    const [x, best, place] = [f.local(e.type), f.local(e.type), f.local("i32")];
    return {
      begin: (window, rows) => f.get(window).get(rows).memory(I32.load).op(I32.add).tee(place).memory(e.load).set(best),
      element: at => {
        // A NaN is not at most anything, and nothing comes after it.
        f.get(at).get(place);
        f.get(at).memory(e.load).tee(x).get(best).op(e.le).op(I32.eqz).get(best).get(best).op(e.eq).op(I32.and);
        f.select().set(place);
        f.get(place).memory(e.load).set(best);
      },
      finish: plane => f.get(values).get(place).get(plane).op(I32.sub).i32Const(e.shift).op(I32.shrU).memory(I32.store),
    };
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.finish()), { m: { m: memory } });
  return exports as unknown as PoolingRoutines;
}

const built: (PoolingRoutines | undefined)[] = [];

/** The routines for float32 or float64, assembled when they are first asked for. */
export const pooling = (code: number): PoolingRoutines => (built[code] ??= build(ELEMENTS[code === FLOAT64 ? 1 : 0]));
