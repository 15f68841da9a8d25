/** How arrays are folded over axes: which kernels run over which elements, in an order that the shape alone decides. */
import { addressOf, blank, memoryOf, type NDArray, viewOf } from "./array.ts";
import { free, scratch } from "./backend/wasm/heap.ts";
import { call1, call2, compile, rows1, rows2, strided } from "./backend/wasm/index.ts";
import { BYTES, SHIFT } from "./dtype.ts";
import { arg, type Expr, max as maxOf, min as minOf, mul, operationsOf, add as plus, substitute } from "./expr.ts";
import { type Combine, type Mode, REDUCTION } from "./kernel.ts";
import { collapse, contiguous, discard, Family, laneOf, launchRows, runMap, spreadRows, transposeView } from "./launch.ts";
import { broadcastStrides, SCALAR, type Shape, sizeOf } from "./shape.ts";

const COMBINE: Record<Combine, (a: Expr, b: Expr) => Expr> = { add: plus, mul, min: minOf, max: maxOf };

/** The most inputs of a kernel. */
const MOST = 5;

/** The kernels of one monoid, over an expression of operands of given dtypes, for one dtype out. */
class Fold {
  private readonly runs: number[] = [];
  private cost = 0;
  private start: Family | undefined;
  private step: Family | undefined;
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

  /** The expression of a row of each operand: how a row of accumulators starts. */
  get first(): Family {
    return (this.start ??= new Family(this.value, this.codes, laneOf(this.to), this.to));
  }

  /** Combines that of a further row into the accumulators. */
  get next(): Family {
    if (this.step === undefined) {
      const value = substitute(
        this.value,
        this.codes.map((_, i) => arg(i + 1)),
      );
      this.step = new Family(COMBINE[this.combine](arg(0), value), [this.to, ...this.codes], laneOf(this.to), this.to);
    }
    return this.step;
  }

  /** About how many µs an element takes. */
  get work(): number {
    return (this.cost ||= 5e-5 * (1 + operationsOf(this.value)));
  }

  /** The fold of what this one left. */
  get rest(): Fold {
    return foldOf(this.combine, [this.to], this.to, ELEMENT);
  }
}

/** By expression (callers keep theirs, so that the same one comes again), then by monoid and dtypes. */
const folds = new WeakMap<Expr, Map<string, Fold>>();
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
/** So many elements at a time are turned into columns: they stay in the first cache. */
const TILE = 8192;

/**
 * Folds an expression of each element of x over the axes (ascending); the result has the kept axes only. The order of
 * combining depends on the shape alone.
 */
export function foldAxes(combine: Combine, x: NDArray, axes: readonly number[], to: number, value: Expr = ELEMENT): NDArray {
  const { shape } = x;
  const fold = foldOf(combine, [x.code], to, value);
  const count = axes.length;
  const plain = x.view === null && x.size > 0;
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
  if (plain && count > 0 && next - first === count) {
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
    if (n > 1) {
      const out = blank(kept, outer * inner, to);
      if (x.size < LARGE && inner > 1 && n <= ROW_BLOCK) foldSmall(fold, x, outer, n, inner, out);
      else foldPlain(fold, x, outer, n, inner, out);
      return out;
    }
  }
  return foldOver(combine, [x], shape, axes, to, value, kept);
}

/** Rows of an array without gaps, straight from addresses to the kernels: in the order of `foldRows`. */
function foldSmall(f: Fold, x: NDArray, outer: number, n: number, inner: number, out: NDArray): void {
  const first = f.first.kernel(0);
  const next = f.next.kernel(0);
  const from = inner * BYTES[x.code]!;
  const to = inner * BYTES[f.to]!;
  let p = addressOf(x);
  let q = addressOf(out);
  if (outer > n) {
    // The longer of the two loops over rows runs inside.
    rows1(first, p, q, inner, outer, n * from, to);
    for (let row = 1; row < n; row++) rows2(next, q, p + row * from, q, inner, outer, to, n * from, to);
    return;
  }
  for (let o = 0; o < outer; o++) {
    rows1(first, p, q, inner, 1, 0, 0);
    rows2(next, q, p + from, q, inner, n - 1, 0, from, 0);
    p += n * from;
    q += to;
  }
}

/** A shape without some axes. */
export const keptOf = (shape: Shape, axes: readonly number[]): number[] => shape.filter((_, axis) => !axes.includes(axis));

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

/** The sum of an expression of operands, which broadcast to g's shape, down to a shape that broadcasts to it; in g's dtype. */
export function foldTo(xs: readonly (NDArray | number)[], shape: Shape, g: NDArray, value: Expr): NDArray {
  const lead = g.ndim - shape.length;
  const axes = [...g.shape.keys()].filter(axis => axis < lead || (shape[axis - lead] === 1 && g.shape[axis] !== 1));
  return foldOver("add", xs, g.shape, axes, g.code, value, shape);
}

/** How an axis of n elements, with `inner` behind it, is folded: the shape alone decides. */
interface Way {
  /** Short runs are folded as columns side by side. */
  readonly short: boolean;
  /** So many narrow rows are taken as one. */
  readonly together: number;
  /** So many blocks are folded each for itself, and so many elements are left. */
  readonly blocks: number;
  readonly count: number;
}

function wayOf(outer: number, n: number, inner: number): Way {
  const large = outer * n * inner >= LARGE;
  const narrow = large && inner > 1 && inner < NARROW;
  const together = narrow ? Math.max(1, Math.min(Math.floor(WIDE / inner), Math.floor(Math.sqrt(n)))) : 1;
  const blocks = Math.ceil(Math.floor(n / together) / (inner === 1 ? REDUCTION.BLOCK : ROW_BLOCK));
  return { short: large && inner === 1 && n <= SHORT, together, blocks, count: blocks * together };
}

/** Steps of one operand in elements: along the axis that is folded, along what is inside of it, and along axes outside. */
interface Steps {
  readonly n: number;
  readonly inner: number;
  readonly outer: readonly number[];
}

const INSIDE: Steps = { n: 1, inner: 1, outer: [] };

/** Folds the middle one of the three axes of which x is made. */
function foldPlain(f: Fold, x: NDArray, outer: number, n: number, inner: number, out: NDArray): void {
  const way = wayOf(outer, n, inner);
  const { count } = way;
  const target = count === 1 ? out : blank([outer, count, inner], outer * count * inner, f.to);
  foldWay(f, way, [x], n, inner, [outer], [[n * inner]], [inner === 1 ? INSIDE : { n: inner, inner: 1, outer: [] }], target);
  if (count === 1) return;
  foldPlain(f.rest, target, outer, count, inner, out);
  free(target.storage.block);
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
  if (along < 0) return runMap(f.first, xs, viewOf(out, 0, shape, null, out.size));

  // Its last group of folded axes is folded now, and then the others.
  const n = sizes[along]!;
  const inner = along === groups.length - 1 ? 1 : sizes[along + 1]!;
  const lead = groups.slice(0, along).flat();
  const leading = lead.map(axis => shape[axis]!);
  const outer = sizeOf(leading);
  const way = wayOf(outer, n, inner);
  const steps = xs.map((x): Steps => {
    if (typeof x === "number") return { n: 0, inner: 0, outer: leading.map(() => 0) };
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
      (way.short || s.inner === 0 || s.inner === 1) &&
      (way.together === 1 || (s.n === inner && s.inner === 1) || (s.n === 0 && s.inner === 0)),
  );
  if (!fits || xs.length === MOST) {
    const only = xs[0]!;
    if (xs.length === 1 && typeof only !== "number" && only.view !== null) {
      const copy = contiguous(only);
      foldInto(f, [copy], shape, folded, out);
      return discard(copy, only);
    }
    const values = blank(shape, sizeOf(shape), f.to);
    runMap(f.first, xs, values);
    foldInto(f.rest, [values], shape, folded, out);
    return free(values.storage.block);
  }
  const { count } = way;
  const [outerSizes, outerSteps] = collapse(
    leading,
    steps.map(s => s.outer),
  );
  const more = isFolded.indexOf(true) < along;
  const whole = count === 1 && !more;
  const left = [...leading, count, inner];
  const target = whole ? out : blank(left, outer * count * inner, f.to);
  foldWay(f, way, xs, n, inner, outerSizes, outerSteps, steps, target);
  if (whole) return;
  if (more) foldInto(f.rest, [target], left, [...lead.map(axis => folded[axis]!), true, false], out);
  else foldPlain(f.rest, target, outer, count, inner, out);
  free(target.storage.block);
}

/** Folds along one axis, at every place of the axes outside of it; `target` takes what is left there. */
function foldWay(
  f: Fold,
  { short, together, blocks, count }: Way,
  xs: readonly (NDArray | number)[],
  n: number,
  inner: number,
  sizes: readonly number[],
  outerSteps: readonly (readonly number[])[],
  steps: readonly Steps[],
  target: NDArray,
): void {
  const columns = short ? Math.floor(TILE / n) : 0;
  const turned = short ? xs.map((_, i) => blank([n, columns], n * columns, f.codes[i]!)) : [];
  const at = xs.map((x, i) => (typeof x === "number" ? scratch(i, x, f.codes[i]!) : addressOf(x)));
  const buffers = turned.map(addressOf);
  let q = addressOf(target);
  const bytes = f.codes.map(code => BYTES[code]!);
  const size = BYTES[f.to]!;
  const scalars = steps.reduce((bits, s, i) => bits | (s.inner === 0 ? 1 << i : 0), 0);
  const step = steps.map((s, i) => s.n * bytes[i]!);
  const last = sizes.length - 1;
  const many = sizes[last]!;
  const stepOuter = outerSteps.map((s, i) => s[last]! * bytes[i]!);
  const position = new Array<number>(last).fill(0);
  for (let block = 0, all = sizeOf(sizes.slice(0, last)); block < all; block++, q += many * count * inner * size) {
    const p = at.map((a, i) => a + position.reduce((sum, k, axis) => sum + k * outerSteps[i]![axis]!, 0) * bytes[i]!);
    if (short) {
      for (let done = 0; done < many; done += columns) {
        const m = Math.min(columns, many - done);
        steps.forEach((s, i) => {
          strided(p[i]! + done * stepOuter[i]!, buffers[i]!, SHIFT[f.codes[i]!]!, [n, m], [s.n, outerSteps[i]![last]!], [m, 1]);
        });
        const across = bytes.map(b => m * b);
        foldRows(f, buffers, across, 0, n, q + done * size, m, 1, across);
      }
    } else if (inner === 1) foldRuns(f.work, f.run(scalars), p, step, n, q, many, stepOuter, size);
    else if (count === 1) foldRows(f, p, step, scalars, n, q, inner, many, stepOuter);
    else
      for (let o = 0; o < many; o++)
        foldBlocks(
          f,
          p.map((a, i) => a + o * stepOuter[i]!),
          step,
          scalars,
          n,
          q + o * count * inner * size,
          inner,
          together,
          blocks,
        );
    for (let axis = last - 1; axis >= 0; axis--) {
      if (++position[axis]! < sizes[axis]!) break;
      position[axis] = 0;
    }
  }
  for (const x of turned) free(x.storage.block);
}

/** Folds `many` runs of n elements each, in blocks that are still to be folded. Steps are in bytes. */
function foldRuns(
  work: number,
  kernel: number,
  p: readonly number[],
  step: readonly number[],
  n: number,
  q: number,
  many: number,
  stepOuter: readonly number[],
  size: number,
): void {
  if (n <= REDUCTION.BLOCK) return spreadRows(work, kernel, p, q, n, many, stepOuter, size);
  const whole = Math.floor(n / REDUCTION.BLOCK);
  const rest = n - whole * REDUCTION.BLOCK;
  const steps = step.map(s => s * REDUCTION.BLOCK);
  for (let o = 0; o < many; o++) {
    const from = p.map((a, i) => a + o * stepOuter[i]!);
    spreadRows(work, kernel, from, q, REDUCTION.BLOCK, whole, steps, size);
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

/** Folds blocks of rows, several narrow ones `together`, to a row each. Steps are in bytes. */
function foldBlocks(
  f: Fold,
  p: readonly number[],
  step: readonly number[],
  scalars: number,
  n: number,
  q: number,
  inner: number,
  together: number,
  blocks: number,
): void {
  const rows = Math.floor(n / together);
  const width = together * inner;
  const steps = step.map(s => s * together);
  const line = width * BYTES[f.to]!;
  for (let b = 0; b < blocks; b++) {
    const from = p.map((a, i) => a + b * ROW_BLOCK * steps[i]!);
    foldRows(f, from, steps, scalars, Math.min(ROW_BLOCK, rows - b * ROW_BLOCK), q + b * line, width, 1, steps);
  }
  // Rows that are left beside those taken together go to the last block.
  const rest = n - rows * together;
  if (rest === 0) return;
  const to = q + (blocks - 1) * line;
  const last = p.map((a, i) => a + rows * steps[i]!);
  launchRows(f.next.kernel(scalars << 1), [to, ...last], to, rest * inner, 1, [0, ...step], 0);
}

/** Folds n rows of `width` elements to one, `many` times. Steps are in bytes. */
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
  const first = f.first.kernel(scalars);
  const next = n > 1 ? f.next.kernel(scalars << 1) : 0;
  const line = width * BYTES[f.to]!;
  const at = p.slice();
  if (many > n) {
    // The longer of the two loops over rows runs inside.
    spreadRows(f.work, first, at, q, width, many, stepOuter, line);
    for (let row = 1; row < n; row++) {
      for (let i = 0; i < at.length; i++) at[i]! += step[i]!;
      spreadRows(f.work, next, [q, ...at], q, width, many, [line, ...stepOuter], line);
    }
    return;
  }
  const from = [q, ...p];
  const onto = [0, ...step];
  for (let o = 0; o < many; o++, q += line) {
    launchRows(first, at, q, width, 1, step, 0);
    from[0] = q;
    for (let i = 0; i < at.length; i++) {
      from[i + 1] = at[i]! + step[i]!;
      at[i]! += stepOuter[i]!;
    }
    if (n > 1) launchRows(next, from, q, width, n - 1, onto, 0);
  }
}

/**
 * Runs what works along an axis of arrays; where that is a short last one, on copies that have it first, in which the
 * kernels' runs are long.
 */
export function onColumns(xs: readonly NDArray[], axis: number, run: (xs: readonly NDArray[], axis: number) => NDArray): NDArray {
  const { shape, size } = xs[0]!;
  const n = shape[axis]!;
  if (axis < shape.length - 1 || n === 1 || n > SHORT || size < LARGE) return run(xs, axis);
  const turned = xs.map(x => contiguous(transposeView(x, [axis, ...x.shape.keys()].slice(0, -1))));
  const y = run(turned, 0);
  const result = contiguous(
    transposeView(
      y,
      [...shape.keys()].map(i => (i + 1) % shape.length),
    ),
  );
  for (const [i, x] of turned.entries()) discard(x, xs[i]!);
  discard(y, result);
  return result;
}

const PRODUCT = mul(arg(0), arg(1));
const products: (Fold | undefined)[] = [];

/** The sum of the products of two arrays of one dtype, contiguous and of n elements each, as a 0-d array. */
export function foldProduct(x: NDArray, y: NDArray): NDArray {
  const { code, size: n } = x;
  return n > 0 && n <= REDUCTION.BLOCK ? blockProduct(x, y, code, n) : foldOver("add", [x, y], [n], [0], code, PRODUCT, SCALAR);
}

function blockProduct(x: NDArray, y: NDArray, code: number, n: number): NDArray {
  const kernel = (products[code] ??= foldOf("add", [code, code], code, PRODUCT)).run();
  const out = blank(SCALAR, 1, code);
  const a = addressOf(x);
  const b = addressOf(y);
  call2(kernel, a, b, addressOf(out), n);
  return out;
}
