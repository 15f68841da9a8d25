/** How arrays are folded over axes: which kernels run over which elements, in an order that the shape alone decides. */
import { addressOf, blank, memoryOf, type NDArray, viewOf } from "./array.ts";
import { free, scratch } from "./backend/wasm/heap.ts";
import { call1, call2, compile, rows1, rows2, strided } from "./backend/wasm/index.ts";
import { BYTES, SHIFT } from "./dtype.ts";
import { arg, type Expr, max as maxOf, min as minOf, mul, add as plus, substitute } from "./expr.ts";
import { type Combine, type Mode, REDUCTION } from "./kernel.ts";
import { collapse, contiguous, discard, Family, laneOf, launchRows, runMap } from "./launch.ts";
import { broadcastStrides, SCALAR, type Shape, sizeOf } from "./shape.ts";

const COMBINE: Record<Combine, (a: Expr, b: Expr) => Expr> = { add: plus, mul, min: minOf, max: maxOf };

/** The most inputs of a kernel. */
const MOST = 5;

/** The kernels of one monoid, over an expression of operands of given dtypes, for one dtype out. */
class Fold {
  private readonly runs: number[] = [];
  private readonly chains: (Family | undefined)[] = [];
  constructor(
    private readonly combine: Combine,
    private readonly value: Expr,
    readonly codes: readonly number[],
    readonly to: number,
  ) {}

  /** Folds a run of elements to one; `scalars` as in Family. */
  run(scalars = 0): number {
    return (this.runs[scalars] ??= compile([
      {
        kind: "reduce",
        inputs: this.codes.map((dtype, i) => ({ dtype, mode: ((scalars >> i) & 1 ? "s" : "v") as Mode })),
        lane: laneOf(this.to),
        out: this.to,
        value: this.value,
        combine: this.combine,
      },
    ])[0]!);
  }

  /** Folds some rows, each of all operands, one after another: into a row, or (`onto`) further into a row of accumulators. */
  chain(rows: number, onto: boolean): Family {
    const key = 2 * rows + Number(onto);
    const known = this.chains[key];
    if (known !== undefined) return known;
    const codes = onto ? [this.to] : [];
    let all = onto ? arg(0) : null;
    for (let row = 0; row < rows; row++) {
      const value = substitute(
        this.value,
        this.codes.map((_, i) => arg(codes.length + i)),
      );
      codes.push(...this.codes);
      all = all === null ? value : COMBINE[this.combine](all, value);
    }
    return (this.chains[key] = new Family(all!, codes, laneOf(this.to), this.to));
  }

  /** The fold of what this one left. */
  get rest(): Fold {
    return foldOf(this.combine, [this.to], this.to, ELEMENT);
  }
}

/** By expression (callers keep theirs, so that the same one comes again), then by monoid and dtypes. */
const folds = new Map<Expr, Map<string, Fold>>();
const ELEMENT = arg(0);

function foldOf(combine: Combine, codes: readonly number[], to: number, value: Expr): Fold {
  let known = folds.get(value);
  if (known === undefined) folds.set(value, (known = new Map()));
  const key = codes.length === 1 ? `${combine}${codes[0]}${to}` : `${combine}${codes}>${to}`;
  let fold = known.get(key);
  if (fold === undefined) known.set(key, (fold = new Fold(combine, value, codes, to)));
  return fold;
}

/** Rows are folded in blocks of this many, and the results folded again: the error grows with the block, not the length. */
const ROW_BLOCK = 256;
/** Arrays of fewer elements are folded in the plainest way; what is arranged for larger ones takes longer than they do. */
export const LARGE = 16384;
/** Runs up to this long are folded as many columns side by side. */
const SHORT = 8;
/** Rows shorter than this are folded several as one row. */
const NARROW = 64;
/** The length of the rows made of them. */
const WIDE = 256;
/** So many accumulators at a time stay in the first cache. */
const TILE = 8192;

/**
 * Folds an expression of each element of x over the axes (ascending); the result has the kept axes only. The order of
 * combining depends on the shape alone.
 */
export function foldAxes(combine: Combine, x: NDArray, axes: readonly number[], to: number, value: Expr = ELEMENT): NDArray {
  const { shape } = x;
  const fold = foldOf(combine, [x.code], to, value);
  const count = axes.length;
  const plain = x.view === null && x.size > 0 && count > 0;
  if (plain && count === shape.length && x.size <= REDUCTION.BLOCK) {
    const kernel = fold.run();
    const out = blank(SCALAR, 1, to);
    const p = addressOf(x);
    call1(kernel, p, addressOf(out), x.size);
    return out;
  }
  const kept = keptOf(shape, axes);
  const first = axes[0]!;
  const next = axes[count - 1]! + 1;
  if (plain && next - first === count) {
    // Without gaps and along one axis in effect: what `foldInto` would do, without finding that out.
    let outer = 1;
    let n = 1;
    let inner = 1;
    for (let axis = 0; axis < first; axis++) outer *= shape[axis]!;
    for (let axis = first; axis < next; axis++) n *= shape[axis]!;
    for (let axis = next; axis < shape.length; axis++) inner *= shape[axis]!;
    const from = BYTES[x.code]!;
    const size = BYTES[to]!;
    if (inner === 1 && n <= REDUCTION.BLOCK && (n > SHORT || x.size < LARGE)) {
      const kernel = fold.run();
      const out = blank(kept, outer, to);
      const p = addressOf(x);
      rows1(kernel, p, addressOf(out), n, outer, n * from, size);
      return out;
    }
    if (inner > 1 && n <= ROW_BLOCK && x.size < LARGE) {
      const start = fold.chain(1, false).kernel(0);
      const step = fold.chain(1, true).kernel(0);
      const out = blank(kept, outer * inner, to);
      let p = addressOf(x);
      let q = addressOf(out);
      if (outer > n) {
        // The longer of the two loops over rows runs inside.
        const jump = n * inner * from;
        rows1(start, p, q, inner, outer, jump, inner * size);
        for (let row = 1; row < n; row++) rows2(step, q, p + row * inner * from, q, inner, outer, inner * size, jump, inner * size);
        return out;
      }
      for (let o = 0; o < outer; o++) {
        rows1(start, p, q, inner, 1, 0, 0);
        if (n > 1) rows2(step, q, p + inner * from, q, inner, n - 1, 0, inner * from, 0);
        p += n * inner * from;
        q += inner * size;
      }
      return out;
    }
  }
  return foldOver(combine, [x], shape, axes, to, value, kept);
}

const keptOf = (shape: Shape, axes: readonly number[]): number[] => shape.filter((_, axis) => !axes.includes(axis));

/**
 * Folds an expression of operands that broadcast to `shape` over axes (ascending) of that; without forming what the
 * expression gives for each element, but with the same bits. `kept` is the shape of the result, which may have axes of
 * size 1 where others were folded.
 */
export function foldOver(
  combine: Combine,
  xs: readonly (NDArray | number)[],
  shape: Shape,
  axes: readonly number[],
  to: number,
  value: Expr,
  kept: Shape,
): NDArray {
  const out = blank(kept, sizeOf(kept), to);
  if (out.size === 0) return out;
  if (axes.some(axis => shape[axis] === 0)) {
    const start = addressOf(out) >> SHIFT[to]!;
    memoryOf(to).fill(combine === "mul" || combine === "min" ? 1 : 0, start, start + out.size);
    return out;
  }
  const codes = xs.map(x => (typeof x === "number" ? laneOf(to) : x.code));
  foldInto(
    foldOf(combine, codes, to, value),
    xs,
    shape,
    shape.map((_, axis) => axes.includes(axis)),
    out,
  );
  return out;
}

/** Steps in elements along the axes of one operand. */
interface Steps {
  /** Along the group that is folded, and along the innermost one. */
  readonly n: number;
  readonly inner: number;
  readonly outer: readonly number[];
}

/** The step of axes (outermost first) taken as one, or NaN. */
function joint(strides: readonly number[], shape: Shape, axes: readonly number[]): number {
  let step = strides[axes[axes.length - 1]!]!;
  for (let i = axes.length - 1; i > 0; i--) if (strides[axes[i - 1]!] !== strides[axes[i]!]! * shape[axes[i]!]!) step = Number.NaN;
  return step;
}

function foldInto(f: Fold, xs: readonly (NDArray | number)[], shape: Shape, folded: readonly boolean[], out: NDArray): void {
  // Neighbouring axes that are all folded or all kept count as one, whatever the strides: the shape alone decides.
  const groups: number[][] = [];
  shape.forEach((size, axis) => {
    const group = groups[groups.length - 1];
    if (size === 1) return;
    if (group !== undefined && folded[group[0]!] === folded[axis]) group.push(axis);
    else groups.push([axis]);
  });
  const sizes = groups.map(group => group.reduce((size, axis) => size * shape[axis]!, 1));
  const isFolded = groups.map(group => folded[group[0]!]!);
  const along = isFolded.lastIndexOf(true);
  if (along < 0) return runMap(f.chain(1, false), xs, viewOf(out, 0, shape, null, out.size));

  // Its last group of folded axes is folded now, and then the others.
  const n = sizes[along]!;
  const inner = along === groups.length - 1 ? 1 : sizes[along + 1]!;
  const lead = groups.slice(0, along).flat();
  const outer = sizeOf(sizes.slice(0, along));
  const large = outer * n * inner >= LARGE;
  const short = inner === 1 && n <= SHORT && large;
  const together = inner > 1 && inner < NARROW && large ? Math.max(1, Math.min(Math.floor(WIDE / inner), Math.floor(Math.sqrt(n)))) : 1;
  const block = inner === 1 ? REDUCTION.BLOCK : ROW_BLOCK;
  const rows = Math.floor(n / together);
  const blocks = Math.ceil(rows / block);
  const width = together * inner;

  const steps = xs.map((x): Steps => {
    if (typeof x === "number") return { n: 0, inner: 0, outer: lead.map(() => 0) };
    const strides = broadcastStrides(x.shape, x.strides, shape);
    const step = joint(strides, shape, groups[along]!);
    return {
      n: step,
      inner: inner === 1 ? step : joint(strides, shape, groups[along + 1]!),
      outer: lead.map(axis => strides[axis]!),
    };
  });
  const fits = steps.every(
    s =>
      !Number.isNaN(s.n) &&
      (short || s.inner === 0 || s.inner === 1) &&
      (together === 1 || (s.n === inner && s.inner === 1) || (s.n === 0 && s.inner === 0)),
  );
  if (!fits) {
    const only = xs[0]!;
    if (xs.length === 1 && typeof only !== "number" && only.view !== null) {
      const copy = contiguous(only);
      foldInto(f, [copy], shape, folded, out);
      return discard(copy, only);
    }
    const values = blank(shape, sizeOf(shape), f.to);
    runMap(f.chain(1, false), xs, values);
    foldInto(f.rest, [values], shape, folded, out);
    return free(values.storage.block);
  }

  const count = blocks * together;
  const whole = count === 1 && isFolded.indexOf(true) === along;
  const left = [...sizes.slice(0, along), count, inner];
  const parts = whole ? out : blank(left, sizeOf(left), f.to);
  const columns = short ? Math.floor(TILE / n) : 0;
  const turned = short ? xs.map((_, i) => blank([n, columns], n * columns, f.codes[i]!)) : [];
  const at = xs.map((x, i) => (typeof x === "number" ? scratch(i, x, f.codes[i]!) : addressOf(x)));
  const buffers = turned.map(addressOf);
  const to = addressOf(parts);
  const bytes = f.codes.map(code => BYTES[code]!);
  const size = BYTES[f.to]!;
  const scalars = steps.reduce((bits, s, i) => bits | (s.inner === 0 ? 1 << i : 0), 0);
  const rowSteps = steps.map((s, i) => (together > 1 ? (s.inner === 0 ? 0 : width) : s.n) * bytes[i]!);
  const [outerSizes, outerSteps] = collapse(
    lead.map(axis => shape[axis]!),
    steps.map(s => s.outer),
  );
  eachBlock(outerSizes, outerSteps, (offsets, many, step, index) => {
    const p = at.map((a, i) => a + offsets[i]! * bytes[i]!);
    const s = step.map((e, i) => e * bytes[i]!);
    const q = to + index * count * inner * size;
    if (short) {
      for (let done = 0; done < many; done += columns) {
        const m = Math.min(columns, many - done);
        steps.forEach(({ n: along }, i) => {
          strided(p[i]! + done * s[i]!, buffers[i]!, SHIFT[f.codes[i]!]!, [n, m], [along, step[i]!], [m, 1]);
        });
        foldRows(
          f,
          buffers,
          bytes.map(b => m * b),
          0,
          n,
          q + done * size,
          m,
          1,
          s,
        );
      }
    } else if (inner === 1) foldRuns(f.run(scalars), p, rowSteps, n, q, many, s, size);
    else if (blocks === 1 && rows * together === n) foldRows(f, p, rowSteps, scalars, n / together, q, width, many, s);
    else
      for (let o = 0; o < many; o++)
        for (let b = 0; b < blocks; b++) {
          const from = p.map((a, i) => a + o * s[i]! + b * block * rowSteps[i]!);
          const target = q + (o * blocks + b) * width * size;
          foldRows(f, from, rowSteps, scalars, Math.min(block, rows - b * block), target, width, 1, s);
          // What is left beside rows made of several goes to the last block.
          const rest = (n - rows * together) * inner;
          if (b < blocks - 1 || rest === 0) continue;
          const last = p.map((a, i) => a + o * s[i]! + rows * rowSteps[i]!);
          launchRows(f.chain(1, true).kernel(scalars << 1), [target, ...last], target, rest, 1, [0, ...s], 0);
        }
  });
  for (const x of turned) free(x.storage.block);
  if (whole) return;
  const shapeLeft = [...lead.map(axis => shape[axis]!), count, inner];
  foldInto(f.rest, [viewOf(parts, 0, shapeLeft, null, parts.size)], shapeLeft, [...lead.map(axis => folded[axis]!), true, false], out);
  free(parts.storage.block);
}

/** Visits the positions of all axes but the last: where each operand is, how often and by which steps it goes on from there. */
function eachBlock(
  sizes: readonly number[],
  steps: readonly (readonly number[])[],
  visit: (offsets: readonly number[], many: number, step: readonly number[], index: number) => void,
): void {
  const last = sizes.length - 1;
  const many = sizes[last]!;
  const step = steps.map(s => s[last]!);
  const position = new Array<number>(last).fill(0);
  for (let block = 0, blocks = sizeOf(sizes.slice(0, last)); block < blocks; block++) {
    visit(
      steps.map(s => position.reduce((sum, q, axis) => sum + q * s[axis]!, 0)),
      many,
      step,
      block * many,
    );
    for (let axis = last - 1; axis >= 0; axis--) {
      if (++position[axis]! < sizes[axis]!) break;
      position[axis] = 0;
    }
  }
}

/** Folds `many` runs of n elements each, in blocks that are still to be folded. Steps are in bytes. */
function foldRuns(
  kernel: number,
  p: readonly number[],
  step: readonly number[],
  n: number,
  q: number,
  many: number,
  stepOuter: readonly number[],
  size: number,
): void {
  if (n <= REDUCTION.BLOCK) return launchRows(kernel, p, q, n, many, stepOuter, size);
  const whole = Math.floor(n / REDUCTION.BLOCK);
  const rest = n - whole * REDUCTION.BLOCK;
  const steps = step.map(s => s * REDUCTION.BLOCK);
  for (let o = 0; o < many; o++) {
    const from = p.map((a, i) => a + o * stepOuter[i]!);
    launchRows(kernel, from, q, REDUCTION.BLOCK, whole, steps, size);
    q += whole * size;
    if (rest === 0) continue;
    launchRows(
      kernel,
      from.map((a, i) => a + whole * steps[i]!),
      q,
      rest,
      1,
      steps,
      size,
    );
    q += size;
  }
}

/**
 * Folds n rows of `width` elements to one, `many` times: row upon row, though a call takes as many of all operands as a kernel
 * can. Steps are in bytes.
 */
function foldRows(
  f: Fold,
  p: readonly number[],
  step: readonly number[],
  scalars: number,
  n: number,
  q: number,
  width: number,
  many: number,
  stepOuter: readonly number[],
): void {
  const k = p.length;
  const size = BYTES[f.to]!;
  const atOnce = Math.max(1, Math.floor((MOST - 1) / k));
  const start = Math.min(n, Math.max(1, Math.floor(MOST / k)));
  /** Some rows of elements from `w` on, `turns` times: the addresses move on by `s` and `t`. */
  const launch = (
    rows: number,
    onto: boolean,
    at: readonly number[],
    out: number,
    w: number,
    turns: number,
    s: readonly number[],
    t: number,
  ) => {
    let bits = 0;
    const from: number[] = onto ? [out] : [];
    const steps: number[] = onto ? [t] : [];
    for (let row = 0; row < rows; row++)
      for (let i = 0; i < k; i++) {
        bits |= ((scalars >> i) & 1) << from.length;
        from.push(at[i]! + row * step[i]!);
        steps.push(s[i]!);
      }
    launchRows(f.chain(rows, onto).kernel(bits), from, out, w, turns, steps, t);
  };
  const moved = (at: readonly number[], by: readonly number[], times: number): number[] => at.map((a, i) => a + times * by[i]!);
  if (many > n) {
    // The longer of the two loops over rows runs inside.
    const tile = Math.max(1, Math.floor(TILE / width));
    for (let o = 0; o < many; o += tile) {
      const turns = Math.min(tile, many - o);
      const at = moved(p, stepOuter, o);
      const out = q + o * width * size;
      launch(start, false, at, out, width, turns, stepOuter, width * size);
      for (let row = start; row < n; row += atOnce)
        launch(Math.min(atOnce, n - row), true, moved(at, step, row), out, width, turns, stepOuter, width * size);
    }
    return;
  }
  const turns = Math.floor((n - start) / atOnce);
  const rest = n - start - turns * atOnce;
  const bytes = f.codes.map((code, i) => ((scalars >> i) & 1 ? 0 : BYTES[code]!));
  for (let o = 0; o < many; o++)
    for (let done = 0; done < width; done += TILE) {
      const w = Math.min(TILE, width - done);
      const at = moved(moved(p, stepOuter, o), bytes, done);
      const out = q + (o * width + done) * size;
      launch(start, false, at, out, w, 1, step, 0);
      if (turns > 0)
        launch(
          atOnce,
          true,
          moved(at, step, start),
          out,
          w,
          turns,
          step.map(s => s * atOnce),
          0,
        );
      if (rest > 0) launch(rest, true, moved(at, step, n - rest), out, w, 1, step, 0);
    }
}

const PRODUCT = mul(arg(0), arg(1));
const products: (Fold | undefined)[] = [];

/** The sum of the products of two arrays of one dtype, contiguous and of n elements each, as a 0-d array. */
export function foldProduct(x: NDArray, y: NDArray): NDArray {
  const { code, size: n } = x;
  if (n === 0 || n > REDUCTION.BLOCK) return foldOver("add", [x, y], [n], [0], code, PRODUCT, SCALAR);
  const kernel = (products[code] ??= foldOf("add", [code, code], code, PRODUCT)).run();
  const out = blank(SCALAR, 1, code);
  const a = addressOf(x);
  const b = addressOf(y);
  call2(kernel, a, b, addressOf(out), n);
  return out;
}
