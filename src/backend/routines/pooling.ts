/**
 * Sums over windows, their adjoint, and the largest element of each, written by hand in WebAssembly for both float dtypes.
 * Knows addresses and two tables, not axes: element i of window j is at rows[i] + columns[j] in a plane.
 */
import { F64 as FLOAT64 } from "../../dtype.ts";
import type { Func, Local } from "../wasm/assembler.ts";
import { F32, F32x4, F64, F64x2, I32, I32x4, type Module, V128 } from "../wasm/assembler.ts";
import { routines } from "../wasm/drivers.ts";

/**
 * Addresses, tables (of int32) and `step` are in bytes. A window has m elements, a plane n windows, and `count` planes lie
 * `step` apart.
 */
type Routine = (plane: number, rows: number, columns: number, values: number, m: number, n: number, count: number, step: number) => void;
type InRuns = (...args: [...Parameters<Routine>, run: number, apart: number]) => void;

export interface PoolingRoutines {
  /** values[j] = Σᵢ plane[rows[i] + columns[j]]. */
  readonly sum: Routine;
  /** plane[rows[i] + columns[j]] += values[j]. */
  readonly spread: Routine;
  /**
   * values[j] = where in the plane the first largest element of window j is, or its first NaN: int32, in elements. Windows
   * come in runs of `run`, `apart` elements apart.
   */
  readonly places: InRuns;
}

const ELEMENTS = [
  { type: "f32", shift: 2, load: F32.load, store: F32.store, add: F32.add, one: V128.load32Zero, eq: F32x4.eq, le: F32x4.le },
  { type: "f64", shift: 3, load: F64.load, store: F64.store, add: F64.add, one: V128.load64Zero, eq: F64x2.eq, le: F64x2.le },
] as const;

/** What is done with a window: before its elements, with the element at an address, and after them. */
interface Body {
  readonly begin: (window: Local, rows: Local) => void;
  readonly element: (at: Local) => void;
  readonly finish: (plane: Local) => void;
}

function write(module: Module, name: string, bytes: number, bodyOf: (f: Func, values: Local) => Body): void {
  const f = module.func(name, 8);
  const [plane, rows, columns, values, m, n, count, step] = f.params;
  const [j, column, window, row, end, at] = f.locals("i32", 6);
  const { begin, element, finish } = bodyOf(f, values);
  f.push(rows).op(I32.shl, m, 2).op(I32.add).set(end);
  f.whileLoop(
    () => f.push(count),
    () => {
      f.set(column, columns);
      f.forLoop(j, 0, n, 1, () => {
        f.push(plane, column).memory(I32.load).op(I32.add).set(window);
        begin(window, rows);
        f.set(row, rows);
        f.loop(again => {
          f.push(window, row).memory(I32.load).op(I32.add).set(at);
          element(at);
          f.op(I32.add, row, 4).tee(row).op(I32.ne, end).brIf(again);
        });
        finish(plane);
        f.increment(values, bytes).increment(column, 4);
      });
      f.increment(plane, step).increment(count, -1);
    },
  );
}

/** A vector of windows at a time where they are neighbours, or every second element, else one. */
function writePlaces(module: Module, e: (typeof ELEMENTS)[number]): void {
  const f = module.func("places", 10);
  const [plane, rows, columns, values, m, n, count, step] = f.params;
  const [run, apart] = [f.param(8), f.param(9)];
  const [column, last, window, row, end, left] = f.locals("i32", 6);
  const [x, best, place, better] = f.locals("v128", 4);
  const bytes = 1 << e.shift;
  const lanes = 16 >> e.shift;
  const even = Array.from({ length: 16 }, (_, i) => Math.floor(i / bytes) * 2 * bytes + (i % bytes));
  /** What the row table points to, for windows so many elements apart; 0 for one window. */
  const load = (distance: number): Func => {
    f.push(window, row).memory(I32.load).op(I32.add);
    if (distance === 0) return f.memory(e.one);
    if (distance === 1) return f.memory(V128.load);
    f.tee(left).memory(V128.load);
    return f.push(left).memory(V128.load, 16).shuffle(even);
  };
  const search = (distance: number): void => {
    const many = distance === 0 ? 1 : lanes;
    f.set(row, rows);
    load(distance).set(best);
    f.push(row).memory(I32.load).op(I32x4.splat).set(place);
    f.whileLoop(
      () => f.op(I32.add, row, 4).tee(row).op(I32.ne, end),
      () => {
        // A NaN is not at most anything, and nothing comes after it.
        load(distance).set(x);
        f.op(e.eq, best, best).op(e.le, x, best).op(V128.andnot).set(better);
        f.op(V128.bitselect, x, best, better).set(best);
        f.push(row).memory(I32.load).op(I32x4.splat).op(V128.bitselect, place, better).set(place);
      },
    );
    f.op(I32.sub, window, plane).set(window);
    for (let i = 0; i < many; i++) {
      f.push(values, place)
        .lane(I32x4.extractLane, (i * 4) / lanes)
        .op(I32.add, window);
      f.op(I32.shrU, e.shift)
        .op(I32.add, i * distance)
        .memory(I32.store, 4 * i);
    }
    f.increment(values, 4 * many).increment(column, 4 * many);
  };
  f.push(rows).op(I32.shl, m, 2).op(I32.add).set(end);
  f.push(columns).op(I32.shl, n, 2).op(I32.add).set(last);
  // Runs that are no vectors in any case are taken one by one.
  f.op(I32.gtS, apart, 2);
  f.if(() => f.set(run, 1));
  f.whileLoop(
    () => f.push(count),
    () => {
      f.set(column, columns);
      f.whileLoop(
        () => f.op(I32.ne, column, last),
        () => {
          f.push(plane, column).memory(I32.load).op(I32.add).set(window);
          // How many there are up to the end of the run.
          f.push(run).op(I32.sub, column, columns).op(I32.shrU, 2).op(I32.remU, run).op(I32.sub);
          f.op(I32.geS, lanes);
          f.if(
            () => {
              f.op(I32.eq, apart, 1);
              f.if(
                () => search(1),
                () => search(2),
              );
            },
            () => search(0),
          );
        },
      );
      f.increment(plane, step).increment(count, -1);
    },
  );
}

function build(e: (typeof ELEMENTS)[number]): PoolingRoutines {
  return routines(module => {
    const bytes = 1 << e.shift;
    write(module, "sum", bytes, (f, values) => {
      const sum = f.local(e.type);
      return {
        begin: () => (e.type === "f32" ? f.f32Const(0) : f.f64Const(0)).set(sum),
        element: at => f.push(sum, at).memory(e.load).op(e.add).set(sum),
        finish: () => f.push(values, sum).memory(e.store),
      };
    });
    write(module, "spread", bytes, (f, values) => {
      const value = f.local(e.type);
      return {
        begin: () => f.push(values).memory(e.load).set(value),
        element: at => f.push(at, at).memory(e.load).op(e.add, value).memory(e.store),
        finish: () => {},
      };
    });
    writePlaces(module, e);
  }) as unknown as PoolingRoutines;
}

const built: (PoolingRoutines | undefined)[] = [];

/** The routines for float32 or float64, assembled when they are first asked for. */
export const pooling = (code: number): PoolingRoutines => (built[code] ??= build(ELEMENTS[code === FLOAT64 ? 1 : 0]));
