/**
 * What the factorisations of matrices do to rows of float64, written by hand in WebAssembly: substitution, products with
 * vectors, updates of rank two, rotations. Knows addresses and steps in bytes, not what is factored; the elements of a row
 * lie side by side.
 */
import { F64, F64x2, type Func, I32, type Local, type Module, V128, type ValueType } from "../wasm/assembler.ts";
import { routines } from "../wasm/drivers.ts";

/** Runs of a row: whole groups of vectors, then single vectors, then what is left of one. */
interface Run {
  readonly vectors: number;
  readonly elements: number;
  readonly load: number;
  readonly store: (f: Func, offset: number) => void;
}

const whole = (vectors: number): Run => ({
  vectors,
  elements: 2 * vectors,
  load: V128.load,
  store: (f, offset) => f.memory(V128.store, offset),
});
const half: Run = { vectors: 1, elements: 1, load: V128.load64Zero, store: (f, offset) => f.memoryLane(V128.store64Lane, 0, offset) };

/** Writes the body for runs of `vectors` vectors as long as `left` elements suffice, then for single ones; `pointers` move on. */
function inRuns(f: Func, vectors: number, left: Local, pointers: readonly Local[], body: (run: Run) => void): void {
  for (const run of [whole(vectors), ...(vectors > 1 ? [whole(1)] : []), half])
    f.whileLoop(
      () => f.op(I32.geS, left, run.elements),
      () => {
        body(run);
        for (const p of pointers) f.increment(p, 8 * run.elements);
        f.increment(left, -run.elements);
      },
    );
}

function writeSubstitute(module: Module): void {
  const f = module.func("substitute", 8);
  const [t, tRow, tColumn, b, bRow, n, m, unit] = f.params;
  const [i, k, p, q, row, out] = f.locals("i32", 6);
  const sums = f.locals("v128", 4);
  const factor = f.local("v128");
  inRuns(f, 4, m, [b], run => {
    const each = sums.slice(0, run.vectors);
    f.set(row, t).set(out, b);
    f.forLoop(i, 0, n, 1, () => {
      each.forEach((sum, v) =>
        f
          .push(out)
          .memory(run.load, 16 * v)
          .set(sum),
      );
      f.set(p, row).set(q, b);
      f.forLoop(k, 0, i, 1, () => {
        f.push(p).memory(V128.load64Splat).set(factor);
        each.forEach((sum, v) =>
          f
            .push(sum, factor, q)
            .memory(run.load, 16 * v)
            .op(F64x2.mul)
            .op(F64x2.sub)
            .set(sum),
        );
        f.increment(p, tColumn).increment(q, bRow);
      });
      f.op(I32.eqz, unit);
      f.if(() => {
        f.push(p).memory(V128.load64Splat).set(factor);
        for (const sum of each) f.op(F64x2.div, sum, factor).set(sum);
      });
      each.forEach((sum, v) => {
        f.push(out, sum);
        run.store(f, 16 * v);
      });
      f.increment(row, tRow).increment(out, bRow);
    });
  });
}

/** Leaves the sum of both lanes. */
const lanesSum = (f: Func, x: Local): Func => f.push(x).lane(F64x2.extractLane, 0).push(x).lane(F64x2.extractLane, 1).op(F64.add);

function writeNegate(module: Module): void {
  const f = module.func("negate", 6);
  const [a, aRow, c, cRow, m, n] = f.params;
  const [i, left, p, q] = f.locals("i32", 4);
  f.forLoop(i, 0, m, 1, () => {
    f.set(p, a).set(q, c).set(left, n);
    inRuns(f, 1, left, [p, q], run => {
      f.push(q, p).memory(run.load).op(F64x2.neg);
      run.store(f, 0);
    });
    f.increment(a, aRow).increment(c, cRow);
  });
}

function writeTimesVector(module: Module): void {
  const f = module.func("timesVector", 6);
  const [a, aRow, x, y, m, n] = f.params;
  const [left, p, q, r] = f.locals("i32", 4);
  const sums = f.locals("v128", 4);
  const part = f.local("v128");
  for (const rows of [4, 1]) {
    const each = sums.slice(0, rows);
    f.whileLoop(
      () => f.op(I32.geS, m, rows),
      () => {
        for (const sum of each) f.i32x4Const(0).set(sum);
        f.set(p, a).set(q, x).set(left, n);
        inRuns(f, 1, left, [p, q], run => {
          f.push(q).memory(run.load).set(part).set(r, p);
          for (const sum of each) {
            f.push(sum, part, r).memory(run.load).op(F64x2.mul).op(F64x2.add).set(sum);
            if (rows > 1) f.increment(r, aRow);
          }
        });
        each.forEach((sum, i) => {
          f.push(y);
          lanesSum(f, sum).memory(F64.store, 8 * i);
          f.increment(a, aRow);
        });
        f.increment(y, 8 * rows).increment(m, -rows);
      },
    );
  }
}

function writeRankTwo(module: Module): void {
  const f = module.func("rankTwo", 5);
  const [a, aRow, v, w, n] = f.params;
  const [i, left, to, p, q, at, other] = f.locals("i32", 7);
  const [s, t] = f.locals("v128", 2);
  f.set(at, v).set(other, w);
  f.forLoop(i, 0, n, 1, () => {
    f.push(at).memory(V128.load64Splat).set(s).push(other).memory(V128.load64Splat).set(t);
    f.set(to, a).set(p, v).set(q, w).set(left, n);
    inRuns(f, 2, left, [to, p, q], run => {
      for (let k = 0; k < run.vectors; k++) {
        const product = (factor: Local, from: Local): Func =>
          f
            .push(factor, from)
            .memory(run.load, 16 * k)
            .op(F64x2.mul);
        f.push(to, to).memory(run.load, 16 * k);
        product(s, q);
        product(t, p).op(F64x2.add).op(F64x2.sub);
        run.store(f, 16 * k);
      }
    });
    f.increment(a, aRow).increment(at, 8).increment(other, 8);
  });
}

function writeRotations(module: Module): void {
  const f = module.func("rotations", 5);
  const [z, zRow, turns, count, n] = f.params;
  const [k, at, pair] = f.locals("i32", 3);
  const carried = f.locals("v128", 4);
  const [c, s, x] = f.locals("v128", 3);
  // The row that two turns share stays in registers between them.
  inRuns(f, 4, n, [z], run => {
    const each = carried.slice(0, run.vectors);
    f.op(I32.sub, z, zRow).set(at).set(pair, turns);
    each.forEach((y, v) =>
      f
        .push(at)
        .memory(run.load, 16 * v)
        .set(y),
    );
    f.forLoop(k, 0, count, 1, () => {
      f.push(pair).memory(V128.load64Splat).set(c).push(pair).memory(V128.load64Splat, 8).set(s);
      each.forEach((y, v) => {
        f.op(I32.add, at, zRow)
          .memory(run.load, 16 * v)
          .set(x);
        f.push(at).op(F64x2.mul, s, x).op(F64x2.mul, c, y).op(F64x2.add);
        run.store(f, 16 * v);
        f.op(F64x2.mul, c, x).op(F64x2.mul, s, y).op(F64x2.sub).set(y);
      });
      f.increment(at, zRow).increment(pair, 16);
    });
    each.forEach((y, v) => {
      f.push(at, y);
      run.store(f, 16 * v);
    });
  });
}

function writeOrthogonalise(module: Module): void {
  const turn = module.func("", ["i32", "i32", "i32", "f64", "f64"]);
  {
    const f = turn;
    const [p, q, n, cosine, sine] = f.params;
    const [c, s, x, y] = f.locals("v128", 4);
    f.op(F64x2.splat, cosine).set(c).op(F64x2.splat, sine).set(s);
    inRuns(f, 2, n, [p, q], run => {
      for (let v = 0; v < run.vectors; v++) {
        f.push(p)
          .memory(run.load, 16 * v)
          .set(x)
          .push(q)
          .memory(run.load, 16 * v)
          .set(y);
        f.push(p).op(F64x2.mul, c, x).op(F64x2.mul, s, y).op(F64x2.sub);
        run.store(f, 16 * v);
        f.push(q).op(F64x2.mul, s, x).op(F64x2.mul, c, y).op(F64x2.add);
        run.store(f, 16 * v);
      }
    });
  }
  const f = module.func("orthogonalise", [...new Array<ValueType>(7).fill("i32"), "f64", "f64"], ["i32"]);
  const [w, wRow, n, v, vRow, long, count, tolerance, least] = f.params;
  const [q, p, r, other, otherV, left, tally] = f.locals("i32", 7);
  const [aa, bb, ab, x, y] = f.locals("v128", 5);
  const [alpha, beta, gamma, size, zeta, root, t, c] = f.locals("f64", 8);
  f.set(other, w).set(otherV, v);
  f.forLoop(q, 1, count, 1, () => {
    f.increment(other, wRow).increment(otherV, vRow);
    for (const sum of [aa, bb, ab]) f.i32x4Const(0).set(sum);
    f.set(p, w).set(r, other).set(left, n);
    inRuns(f, 1, left, [p, r], run => {
      f.push(p).memory(run.load).set(x).push(r).memory(run.load).set(y);
      for (const [sum, first, second] of [
        [aa, x, x],
        [bb, y, y],
        [ab, x, y],
      ] as const)
        f.push(sum).op(F64x2.mul, first, second).op(F64x2.add).set(sum);
    });
    lanesSum(f, aa).set(alpha);
    lanesSum(f, bb).set(beta);
    lanesSum(f, ab).set(gamma);
    f.op(F64.sqrt, alpha).op(F64.sqrt, beta).op(F64.mul).tee(size);
    f.op(F64.mul, tolerance).op(F64.abs, gamma).op(F64.lt);
    f.op(F64.gt, size, least).op(I32.and);
    f.if(() => {
      // The tangent of the angle: ±1 / (|ζ| + √(1 + ζ²)), where ζ² may be out of range.
      f.op(F64.sub, beta, alpha).op(F64.add, gamma, gamma).op(F64.div).tee(zeta).op(F64.abs).tee(root);
      f.f64Const(1).op(F64.mul, zeta, zeta).op(F64.add).op(F64.sqrt);
      f.push(root).f64Const(1e150).op(F64.gt).select().op(F64.add, root).set(root);
      f.f64Const(1).op(F64.copysign, zeta).op(F64.div, root).tee(t);
      f.op(F64.mul, t).f64Const(1).op(F64.add).op(F64.sqrt).set(root).f64Const(1).op(F64.div, root).tee(c);
      f.op(F64.mul, t).set(t);
      f.call(turn, w, other, n, c, t);
      f.call(turn, v, otherV, long, c, t);
      f.increment(tally, 1);
    });
  });
  f.push(tally);
}

// Each routine is a module of its own, so that a program carries and compiles only those it uses.
const built: Record<string, unknown> = {};

function routine<F>(name: string, write: (module: Module) => void): F {
  return (built[name] ??= routines(write)[name]) as F;
}

type Substitute = (t: number, tRow: number, tColumn: number, b: number, bRow: number, n: number, m: number, unit: number) => void;
type Negate = (a: number, aRow: number, c: number, cRow: number, m: number, n: number) => void;
type TimesVector = (a: number, aRow: number, x: number, y: number, m: number, n: number) => void;
type RankTwo = (a: number, aRow: number, v: number, w: number, n: number) => void;
type Rotations = (z: number, zRow: number, turns: number, count: number, n: number) => void;
type Orthogonalise = (
  w: number,
  wRow: number,
  n: number,
  v: number,
  vRow: number,
  long: number,
  count: number,
  tolerance: number,
  least: number,
) => number;

/**
 * Solves t·x = b for n rows of m right sides, in place: t is lower triangular, with ones on its diagonal if `unit` is 1.
 * Any steps of t are allowed, negative ones too, with which an upper triangle read from its end is a lower one.
 */
export const substitute = (): Substitute => routine("substitute", writeSubstitute);

/** Writes -a to c: m rows of n. They may be the same. */
export const negate = (): Negate => routine("negate", writeNegate);

/** y = a·x for m rows of n. */
export const timesVector = (): TimesVector => routine("timesVector", writeTimesVector);

/** a -= v·wᵀ + w·vᵀ for n rows of n. */
export const rankTwo = (): RankTwo => routine("rankTwo", writeRankTwo);

/**
 * Turns rows of n elements in pairs, one pair after another: the k-th is the row k steps from z and the one before it.
 * `turns` holds a cosine and a sine for each.
 */
export const rotations = (): Rotations => routine("rotations", writeRotations);

/**
 * Turns the first of `count` rows of w with each later one until they are orthogonal (where their cosine is above the
 * tolerance, and the product of their lengths above `least`), and the rows of v, of `long` elements, along with them.
 * Gives how many it turned.
 */
export const orthogonalise = (): Orthogonalise => routine("orthogonalise", writeOrthogonalise);
