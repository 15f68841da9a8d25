/**
 * What the factorisations of matrices do to rows of float64, written by hand in WebAssembly: substitution, products with
 * vectors, updates of rank two, rotations. Knows addresses and steps in bytes, not what is factored; the elements of a row
 * lie side by side.
 */
import { F64, F64x2, type Func, I32, type Local, type Module, V128, type ValueType } from "../wasm/assembler.ts";
import { routines } from "../wasm/drivers.ts";

const locals = (f: Func, type: ValueType, count: number): Local[] => Array.from({ length: count }, () => f.local(type));

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
      () => f.get(left).i32Const(run.elements).op(I32.geS),
      () => {
        body(run);
        for (const p of pointers) f.increment(p, 8 * run.elements);
        f.increment(left, -run.elements);
      },
    );
}

function writeSubstitute(module: Module): void {
  const f = module.func("substitute", new Array(8).fill("i32"), []);
  const [t, tRow, tColumn, b, bRow, n, m, unit] = f.params as Local[] as [Local, Local, Local, Local, Local, Local, Local, Local];
  const [i, k, p, q, row, out] = locals(f, "i32", 6) as [Local, Local, Local, Local, Local, Local];
  const sums = locals(f, "v128", 4);
  const factor = f.local("v128");
  inRuns(f, 4, m, [b], run => {
    const each = sums.slice(0, run.vectors);
    f.get(t).set(row).get(b).set(out);
    f.forLoop(i, 0, n, 1, () => {
      each.forEach((sum, v) =>
        f
          .get(out)
          .memory(run.load, 16 * v)
          .set(sum),
      );
      f.get(row).set(p).get(b).set(q);
      f.forLoop(k, 0, i, 1, () => {
        f.get(p).memory(V128.load64Splat).set(factor);
        each.forEach((sum, v) =>
          f
            .get(sum)
            .get(factor)
            .get(q)
            .memory(run.load, 16 * v)
            .op(F64x2.mul)
            .op(F64x2.sub)
            .set(sum),
        );
        f.increment(p, tColumn).increment(q, bRow);
      });
      f.get(unit).op(I32.eqz);
      f.if(() => {
        f.get(p).memory(V128.load64Splat).set(factor);
        for (const sum of each) f.get(sum).get(factor).op(F64x2.div).set(sum);
      });
      each.forEach((sum, v) => {
        f.get(out).get(sum);
        run.store(f, 16 * v);
      });
      f.increment(row, tRow).increment(out, bRow);
    });
  });
}

/** Leaves the sum of both lanes. */
const lanesSum = (f: Func, x: Local): Func => f.get(x).lane(F64x2.extractLane, 0).get(x).lane(F64x2.extractLane, 1).op(F64.add);

function writeNegate(module: Module): void {
  const f = module.func("negate", new Array(6).fill("i32"), []);
  const [a, aRow, c, cRow, m, n] = f.params as Local[] as [Local, Local, Local, Local, Local, Local];
  const [i, left, p, q] = locals(f, "i32", 4) as [Local, Local, Local, Local];
  f.forLoop(i, 0, m, 1, () => {
    f.get(a).set(p).get(c).set(q).get(n).set(left);
    inRuns(f, 1, left, [p, q], run => {
      f.get(q).get(p).memory(run.load).op(F64x2.neg);
      run.store(f, 0);
    });
    f.increment(a, aRow).increment(c, cRow);
  });
}

function writeTimesVector(module: Module): void {
  const f = module.func("timesVector", new Array(6).fill("i32"), []);
  const [a, aRow, x, y, m, n] = f.params as Local[] as [Local, Local, Local, Local, Local, Local];
  const [left, p, q, r] = locals(f, "i32", 4) as [Local, Local, Local, Local];
  const sums = locals(f, "v128", 4);
  const part = f.local("v128");
  for (const rows of [4, 1]) {
    const each = sums.slice(0, rows);
    f.whileLoop(
      () => f.get(m).i32Const(rows).op(I32.geS),
      () => {
        for (const sum of each) f.i32x4Const(0).set(sum);
        f.get(a).set(p).get(x).set(q).get(n).set(left);
        inRuns(f, 1, left, [p, q], run => {
          f.get(q).memory(run.load).set(part).get(p).set(r);
          for (const sum of each) {
            f.get(sum).get(part).get(r).memory(run.load).op(F64x2.mul).op(F64x2.add).set(sum);
            if (rows > 1) f.increment(r, aRow);
          }
        });
        each.forEach((sum, i) => {
          f.get(y);
          lanesSum(f, sum).memory(F64.store, 8 * i);
          f.increment(a, aRow);
        });
        f.increment(y, 8 * rows).increment(m, -rows);
      },
    );
  }
}

function writeRankTwo(module: Module): void {
  const f = module.func("rankTwo", new Array(5).fill("i32"), []);
  const [a, aRow, v, w, n] = f.params as Local[] as [Local, Local, Local, Local, Local];
  const [i, left, to, p, q, at, other] = locals(f, "i32", 7) as [Local, Local, Local, Local, Local, Local, Local];
  const [s, t] = locals(f, "v128", 2) as [Local, Local];
  f.get(v).set(at).get(w).set(other);
  f.forLoop(i, 0, n, 1, () => {
    f.get(at).memory(V128.load64Splat).set(s).get(other).memory(V128.load64Splat).set(t);
    f.get(a).set(to).get(v).set(p).get(w).set(q).get(n).set(left);
    inRuns(f, 2, left, [to, p, q], run => {
      for (let k = 0; k < run.vectors; k++) {
        const product = (factor: Local, from: Local): Func =>
          f
            .get(factor)
            .get(from)
            .memory(run.load, 16 * k)
            .op(F64x2.mul);
        f.get(to)
          .get(to)
          .memory(run.load, 16 * k);
        product(s, q);
        product(t, p).op(F64x2.add).op(F64x2.sub);
        run.store(f, 16 * k);
      }
    });
    f.increment(a, aRow).increment(at, 8).increment(other, 8);
  });
}

function writeRotations(module: Module): void {
  const f = module.func("rotations", new Array(5).fill("i32"), []);
  const [z, zRow, turns, count, n] = f.params as Local[] as [Local, Local, Local, Local, Local];
  const [k, at, pair] = locals(f, "i32", 3) as [Local, Local, Local];
  const carried = locals(f, "v128", 4);
  const [c, s, x] = locals(f, "v128", 3) as [Local, Local, Local];
  // The row that two turns share stays in registers between them.
  inRuns(f, 4, n, [z], run => {
    const each = carried.slice(0, run.vectors);
    f.get(z).get(zRow).op(I32.sub).set(at).get(turns).set(pair);
    each.forEach((y, v) =>
      f
        .get(at)
        .memory(run.load, 16 * v)
        .set(y),
    );
    f.forLoop(k, 0, count, 1, () => {
      f.get(pair).memory(V128.load64Splat).set(c).get(pair).memory(V128.load64Splat, 8).set(s);
      each.forEach((y, v) => {
        f.get(at)
          .get(zRow)
          .op(I32.add)
          .memory(run.load, 16 * v)
          .set(x);
        f.get(at).get(s).get(x).op(F64x2.mul).get(c).get(y).op(F64x2.mul).op(F64x2.add);
        run.store(f, 16 * v);
        f.get(c).get(x).op(F64x2.mul).get(s).get(y).op(F64x2.mul).op(F64x2.sub).set(y);
      });
      f.increment(at, zRow).increment(pair, 16);
    });
    each.forEach((y, v) => {
      f.get(at).get(y);
      run.store(f, 16 * v);
    });
  });
}

function writeOrthogonalise(module: Module): void {
  const turn = module.func("", ["i32", "i32", "i32", "f64", "f64"], []);
  {
    const f = turn;
    const [p, q, n, cosine, sine] = f.params as Local[] as [Local, Local, Local, Local, Local];
    const [c, s, x, y] = locals(f, "v128", 4) as [Local, Local, Local, Local];
    f.get(cosine).op(F64x2.splat).set(c).get(sine).op(F64x2.splat).set(s);
    inRuns(f, 2, n, [p, q], run => {
      for (let v = 0; v < run.vectors; v++) {
        f.get(p)
          .memory(run.load, 16 * v)
          .set(x)
          .get(q)
          .memory(run.load, 16 * v)
          .set(y);
        f.get(p).get(c).get(x).op(F64x2.mul).get(s).get(y).op(F64x2.mul).op(F64x2.sub);
        run.store(f, 16 * v);
        f.get(q).get(s).get(x).op(F64x2.mul).get(c).get(y).op(F64x2.mul).op(F64x2.add);
        run.store(f, 16 * v);
      }
    });
  }
  const f = module.func("orthogonalise", [...new Array<ValueType>(7).fill("i32"), "f64", "f64"], ["i32"]);
  const [w, wRow, n, v, vRow, long, count, tolerance, least] = f.params as Local[] as [
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
  ];
  const [q, p, r, other, otherV, left, tally] = locals(f, "i32", 7) as [Local, Local, Local, Local, Local, Local, Local];
  const [aa, bb, ab, x, y] = locals(f, "v128", 5) as [Local, Local, Local, Local, Local];
  const [alpha, beta, gamma, size, zeta, root, t, c] = locals(f, "f64", 8) as [Local, Local, Local, Local, Local, Local, Local, Local];
  f.get(w).set(other).get(v).set(otherV);
  f.forLoop(q, 1, count, 1, () => {
    f.increment(other, wRow).increment(otherV, vRow);
    for (const sum of [aa, bb, ab]) f.i32x4Const(0).set(sum);
    f.get(w).set(p).get(other).set(r).get(n).set(left);
    inRuns(f, 1, left, [p, r], run => {
      f.get(p).memory(run.load).set(x).get(r).memory(run.load).set(y);
      for (const [sum, first, second] of [
        [aa, x, x],
        [bb, y, y],
        [ab, x, y],
      ] as const)
        f.get(sum).get(first).get(second).op(F64x2.mul).op(F64x2.add).set(sum);
    });
    lanesSum(f, aa).set(alpha);
    lanesSum(f, bb).set(beta);
    lanesSum(f, ab).set(gamma);
    f.get(alpha).op(F64.sqrt).get(beta).op(F64.sqrt).op(F64.mul).tee(size);
    f.get(tolerance).op(F64.mul).get(gamma).op(F64.abs).op(F64.lt);
    f.get(size).get(least).op(F64.gt).op(I32.and);
    f.if(() => {
      // The tangent of the angle: ±1 / (|ζ| + √(1 + ζ²)), where ζ² may be out of range.
      f.get(beta).get(alpha).op(F64.sub).get(gamma).get(gamma).op(F64.add).op(F64.div).tee(zeta).op(F64.abs).tee(root);
      f.f64Const(1).get(zeta).get(zeta).op(F64.mul).op(F64.add).op(F64.sqrt);
      f.get(root).f64Const(1e150).op(F64.gt).select().get(root).op(F64.add).set(root);
      f.f64Const(1).get(zeta).op(F64.copysign).get(root).op(F64.div).tee(t);
      f.get(t).op(F64.mul).f64Const(1).op(F64.add).op(F64.sqrt).set(root).f64Const(1).get(root).op(F64.div).tee(c);
      f.get(t).op(F64.mul).set(t);
      f.get(w).get(other).get(n).get(c).get(t).call(turn);
      f.get(v).get(otherV).get(long).get(c).get(t).call(turn);
      f.increment(tally, 1);
    });
  });
  f.get(tally);
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
