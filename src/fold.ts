/** How arrays are folded over axes: which kernels run over which elements, in an order that the shape alone decides. */
import { addressOf, blank, memoryOf, type NDArray } from "./array.ts";
import { call2, compile, rows1, rows2 } from "./backend/wasm/index.ts";
import { BYTES, SHIFT } from "./dtype.ts";
import { arg, type Expr, max as maxOf, min as minOf, mul, add as plus, substitute } from "./expr.ts";
import { type Combine, REDUCTION } from "./kernel.ts";
import { contiguous, discard, Family, laneOf, transposeView } from "./launch.ts";
import { SCALAR, sizeOf } from "./shape.ts";

const COMBINE: Record<Combine, (a: Expr, b: Expr) => Expr> = { add: plus, mul, min: minOf, max: maxOf };

/** The kernels of one monoid, over an expression of each element, for one dtype in and one out. */
class Fold {
  private run = 0;
  private first: Family | undefined;
  private next: Family | undefined;
  constructor(
    private readonly combine: Combine,
    private readonly value: Expr,
    readonly from: number,
    readonly lane: number,
    readonly to: number,
  ) {}

  /** Folds a run of elements to one. */
  runKernel(): number {
    if (this.run === 0)
      [this.run] = compile([
        {
          kind: "reduce",
          inputs: [{ dtype: this.from, mode: "v" }],
          lane: this.lane,
          out: this.to,
          value: this.value,
          combine: this.combine,
        },
      ]) as [number];
    return this.run;
  }

  /** Starts a row of accumulators, and combines a further row into it. */
  rowKernels(): [number, number] {
    this.first ??= new Family(this.value, [this.from], this.lane, this.to);
    this.next ??= new Family(COMBINE[this.combine](arg(0), substitute(this.value, [arg(1)])), [this.to, this.from], this.lane, this.to);
    return [this.first.kernel(0), this.next.kernel(0)];
  }
}

/** By expression (callers keep theirs, so that the same one comes again), then by monoid and dtypes. */
const folds = new Map<Expr, Map<string, Fold>>();
const ELEMENT = arg(0);

function foldOf(combine: Combine, from: number, to: number, value: Expr = ELEMENT): Fold {
  let known = folds.get(value);
  if (known === undefined) folds.set(value, (known = new Map()));
  const key = `${combine}${from}${to}`;
  let fold = known.get(key);
  if (fold === undefined) known.set(key, (fold = new Fold(combine, value, from, laneOf(to), to)));
  return fold;
}

/** Rows are folded in blocks of this many, and the results folded again: the error grows with the block, not the length. */
const ROW_BLOCK = 256;

/**
 * Folds an expression of each element of x over the axes (ascending); the result has the kept axes only. The order of
 * combining depends on the shape alone.
 */
export function foldAxes(combine: Combine, x: NDArray, axes: readonly number[], to: number, value: Expr = ELEMENT): NDArray {
  const kept = x.shape.filter((_, axis) => !axes.includes(axis));
  const out = blank(kept, sizeOf(kept), to);
  if (out.size === 0) return out;
  const n = axes.reduce((size, axis) => size * x.shape[axis]!, 1);
  if (n === 0) {
    const start = addressOf(out) >> SHIFT[to]!;
    memoryOf(to).fill(combine === "mul" || combine === "min" ? 1 : 0, start, start + out.size);
    return out;
  }
  const together = axes.every((axis, i) => i === 0 || axis === axes[i - 1]! + 1);
  let inner = together && axes.length > 0 ? sizeOf(x.shape.slice(axes[axes.length - 1]! + 1)) : 1;
  // The way is chosen by the shape and not by how the array lies, so that equal arrays have equal sums.
  let seen = x;
  if (!together || (inner > 1 && inner < 8 && n >= 64)) {
    seen = transposeView(x, [...x.shape.keys()].filter(axis => !axes.includes(axis)).concat(axes));
    inner = 1;
  }
  const source = contiguous(seen);
  if (axes.length === 0 || n === 1) inner = out.size;
  fold(foldOf(combine, x.code, to, value), combine, source, out, out.size / inner, n, inner);
  discard(source, seen);
  return out;
}

function fold(f: Fold, combine: Combine, x: NDArray, out: NDArray, outer: number, n: number, inner: number): void {
  const from = BYTES[f.from]!;
  const to = BYTES[f.to]!;
  if (inner === 1) {
    const kernel = f.runKernel();
    if (n <= REDUCTION.BLOCK) {
      const p = addressOf(x);
      return rows1(kernel, p, addressOf(out), n, outer, n * from, to);
    }
    const blocks = Math.ceil(n / REDUCTION.BLOCK);
    const whole = Math.floor(n / REDUCTION.BLOCK);
    const parts = blank([outer, blocks], outer * blocks, f.to);
    const p = addressOf(x);
    const q = addressOf(parts);
    for (let row = 0; row < outer; row++) {
      const at = p + row * n * from;
      const result = q + row * blocks * to;
      rows1(kernel, at, result, REDUCTION.BLOCK, whole, REDUCTION.BLOCK * from, to);
      if (whole < blocks) rows1(kernel, at + whole * REDUCTION.BLOCK * from, result + whole * to, n - whole * REDUCTION.BLOCK, 1, 0, 0);
    }
    return fold(foldOf(combine, f.to, f.to), combine, parts, out, outer, blocks, 1);
  }
  if (n > ROW_BLOCK) {
    const blocks = Math.ceil(n / ROW_BLOCK);
    const parts = blank([outer, blocks, inner], outer * blocks * inner, f.to);
    foldRows(f, x, parts, outer, n, inner, ROW_BLOCK);
    return fold(foldOf(combine, f.to, f.to), combine, parts, out, outer, blocks, inner);
  }
  foldRows(f, x, out, outer, n, inner, n);
}

/** out's rows are the folds of each `block` rows of x's n. */
function foldRows(f: Fold, x: NDArray, out: NDArray, outer: number, n: number, inner: number, block: number): void {
  const [first, next] = f.rowKernels();
  const from = BYTES[f.from]! * inner;
  const to = BYTES[f.to]! * inner;
  const p = addressOf(x);
  let q = addressOf(out);
  if (outer > n && n <= block) {
    // The longer of the two loops over rows runs inside.
    rows1(first, p, q, inner, outer, n * from, to);
    for (let row = 1; row < n; row++) rows2(next, q, p + row * from, q, inner, outer, to, n * from, to);
    return;
  }
  for (let o = 0; o < outer; o++)
    for (let row = 0; row < n; row += block) {
      const at = p + (o * n + row) * from;
      const rows = Math.min(block, n - row);
      rows1(first, at, q, inner, 1, 0, 0);
      if (rows > 1) rows2(next, q, at + from, q, inner, rows - 1, 0, from, 0);
      q += to;
    }
}

const products: number[] = [];

/** The sum of the products of two arrays of one dtype, contiguous and of n elements each, as a 0-d array. */
export function foldProduct(x: NDArray, y: NDArray): NDArray {
  const { code, size: n } = x;
  const out = blank(SCALAR, 1, code);
  if (products[code] === undefined) {
    const input = { dtype: code, mode: "v" } as const;
    products[code] = compile([
      { kind: "reduce", inputs: [input, input], lane: laneOf(code), out: code, value: mul(arg(0), arg(1)), combine: "add" },
    ])[0]!;
  }
  const kernel = products[code]!;
  if (n === 0) {
    const at = addressOf(out) >> SHIFT[code]!;
    memoryOf(code)[at] = 0;
  } else if (n <= REDUCTION.BLOCK) {
    const a = addressOf(x);
    const b = addressOf(y);
    call2(kernel, a, b, addressOf(out), n);
  } else {
    const blocks = Math.ceil(n / REDUCTION.BLOCK);
    const whole = Math.floor(n / REDUCTION.BLOCK);
    const parts = blank([blocks], blocks, code);
    const a = addressOf(x);
    const b = addressOf(y);
    const q = addressOf(parts);
    const step = REDUCTION.BLOCK * BYTES[code]!;
    rows2(kernel, a, b, q, REDUCTION.BLOCK, whole, step, step, BYTES[code]!);
    if (whole < blocks) call2(kernel, a + whole * step, b + whole * step, q + whole * BYTES[code]!, n - whole * REDUCTION.BLOCK);
    fold(foldOf("add", code, code), "add", parts, out, 1, blocks, 1);
  }
  return out;
}
