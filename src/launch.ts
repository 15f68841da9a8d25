/** From arrays to kernels: the kernels of an expression by dtype and layout, and how operands of any view reach them. */
import { addressOf, blank, bytesOf, fromValues, isLarge, type NDArray, repeatable, unshare, viewOf } from "./array.ts";
import { alone, sharing } from "./backend/threads/sharing.ts";
import { free, scratch } from "./backend/wasm/heap.ts";
import {
  call1,
  call2,
  call3,
  call4,
  call5,
  call6,
  compile,
  copy,
  rows1,
  rows2,
  rows3,
  rows4,
  rows5,
  rows6,
  strided,
} from "./backend/wasm/index.ts";
import { BOOL, BYTES, F64, I32, SHIFT } from "./dtype.ts";
import { arg, type Expr, operationsOf } from "./expr.ts";
import type { MapKernel, Mode } from "./kernel.ts";
import { broadcastStrides, contiguousStrides, isContiguous, SCALAR, type Shape, sameShape, sizeOf } from "./shape.ts";

/** For those who go straight to a kernel: up to so many elements. */
export { alone } from "./backend/threads/sharing.ts";

/** Maps enter wasm in runs of at most this many elements, so that the engine can replace baseline code between them. */
export const CHUNK = 65536;

/** The dtype computed in for a dtype stored. */
export const laneOf = (code: number): number => (code <= F64 ? code : I32);

/** One expression in one combination of dtypes; its kernels by layout are compiled when they are first used. */
export class Family {
  /** By the set of inputs in mode "s", as bits; 0 where not compiled yet. */
  private readonly indexes: number[];
  constructor(
    readonly value: Expr,
    readonly codes: readonly number[],
    readonly lane: number,
    readonly out: number,
  ) {
    this.indexes = new Array<number>(1 << codes.length).fill(0);
  }

  private cost = 0;

  /** About how many µs an element takes. */
  get work(): number {
    return (this.cost ||= 1e-4 + operationsOf(this.value) * (this.lane === F64 ? 1e-4 : 5e-5));
  }

  kernel(scalars: number): number {
    return this.indexes[scalars]! || this.compile(scalars);
  }

  private compile(scalars: number): number {
    // Up to two inputs all layouts are compiled as one module; with more there would be many that nobody uses.
    const all = this.codes.length <= 2 && this.indexes.every(i => i === 0);
    const masks = all ? this.indexes.map((_, mask) => mask).filter(mask => mask === 0 || mask !== this.indexes.length - 1) : [scalars];
    if (!masks.includes(scalars)) masks.push(scalars);
    compile(masks.map(mask => this.describe(mask))).forEach((index, i) => {
      this.indexes[masks[i]!] = index;
    });
    return this.indexes[scalars]!;
  }

  describe(scalars: number): MapKernel {
    const inputs = this.codes.map((dtype, i) => ({ dtype, mode: ((scalars >> i) & 1 ? "s" : "v") as Mode }));
    return { kind: "map", inputs, lane: this.lane, out: this.out, value: this.value };
  }
}

function launch(
  family: Family,
  scalars: number,
  at: readonly number[],
  out: number,
  n: number,
  step: readonly number[],
  stepOut: number,
): void {
  const f = family.kernel(scalars);
  if (n > alone && sharing?.isWorthwhile(n * family.work)) return sharing.run(f, [...at, out], n, [...step, stepOut]);
  const p = at as number[];
  for (let left = n; left > 0; left -= CHUNK) {
    const m = left < CHUNK ? left : CHUNK;
    switch (p.length) {
      case 1:
        call1(f, p[0]!, out, m);
        break;
      case 2:
        call2(f, p[0]!, p[1]!, out, m);
        break;
      case 3:
        call3(f, p[0]!, p[1]!, p[2]!, out, m);
        break;
      case 4:
        call4(f, p[0]!, p[1]!, p[2]!, p[3]!, out, m);
        break;
      case 5:
        call5(f, p[0]!, p[1]!, p[2]!, p[3]!, p[4]!, out, m);
        break;
      default:
        call6(f, p[0]!, p[1]!, p[2]!, p[3]!, p[4]!, p[5]!, out, m);
    }
    for (let i = 0; i < p.length; i++) p[i]! += step[i]! * CHUNK;
    out += stepOut * CHUNK;
  }
}

/** A kernel row by row, in any order and by all threads: no row reads what another one writes. An element takes about `work` µs. */
export function spreadRows(
  work: number,
  f: number,
  p: readonly number[],
  out: number,
  n: number,
  outer: number,
  s: readonly number[],
  stepOut: number,
): void {
  if (outer > 1 && n * outer > alone && sharing?.isWorthwhile(n * outer * work)) sharing.rows(f, [...p, out], n, outer, [...s, stepOut]);
  else launchRows(f, p, out, n, outer, s, stepOut);
}

/** A kernel row by row, in order: a row may read what one before it wrote. */
export function launchRows(
  f: number,
  p: readonly number[],
  out: number,
  n: number,
  outer: number,
  s: readonly number[],
  stepOut: number,
): void {
  switch (p.length) {
    case 1:
      return rows1(f, p[0]!, out, n, outer, s[0]!, stepOut);
    case 2:
      return rows2(f, p[0]!, p[1]!, out, n, outer, s[0]!, s[1]!, stepOut);
    case 3:
      return rows3(f, p[0]!, p[1]!, p[2]!, out, n, outer, s[0]!, s[1]!, s[2]!, stepOut);
    case 4:
      return rows4(f, p[0]!, p[1]!, p[2]!, p[3]!, out, n, outer, s[0]!, s[1]!, s[2]!, s[3]!, stepOut);
    case 5:
      return rows5(f, p[0]!, p[1]!, p[2]!, p[3]!, p[4]!, out, n, outer, s[0]!, s[1]!, s[2]!, s[3]!, s[4]!, stepOut);
    default:
      return rows6(f, p[0]!, p[1]!, p[2]!, p[3]!, p[4]!, p[5]!, out, n, outer, s[0]!, s[1]!, s[2]!, s[3]!, s[4]!, s[5]!, stepOut);
  }
}

/** A copy of the elements in C order. */
export function contiguous(x: NDArray): NDArray {
  if (x.view === null) return x;
  const y = blank(x.shape, x.size, x.code);
  if (x.size > 0) copyStrided(x, y);
  return y;
}

/** Gives back the copy that `contiguous` made of an array, if it made one; or any array of our own that is not `original`. */
export function discard(copy: NDArray, original: NDArray): void {
  if (copy.storage !== original.storage) free(copy.storage.block);
}

/** Copies x to y of the same shape and dtype, either of them any view. */
export function copyStrided(x: NDArray, y: NDArray): void {
  if (x.size === 0) return;
  const from = addressOf(x);
  const to = addressOf(y);
  if (x.view === null && y.view === null) return copy(to, from, bytesOf(x));
  strided(from, to, SHIFT[x.code]!, x.shape, x.view ?? contiguousStrides(x.shape), y.view ?? contiguousStrides(x.shape));
}

/**
 * Computes an expression of the operands into `out`, which must have the broadcast shape and be contiguous. Numbers are
 * operands too. This is the general way; rows take shorter ones where operands are contiguous and of one shape.
 */
export function runMap(family: Family, operands: readonly (NDArray | number)[], out: NDArray): void {
  if (out.size === 0) return;
  const { shape } = out;
  const k = operands.length;
  let scalars = 0;
  let plain = true;
  for (let i = 0; i < k; i++) {
    const x = operands[i]!;
    if (typeof x === "number" || x.size === 1) {
      if (out.size > 1) scalars |= 1 << i;
    } else if (x.view !== null || !sameShape(x.shape, shape)) plain = false;
  }
  if (plain) {
    const at = operands.map((x, i) => (typeof x === "number" ? scratch(i, x, family.codes[i]!) : addressOf(x)));
    const to = addressOf(out);
    const step = operands.map((_, i) => ((scalars >> i) & 1 ? 0 : BYTES[family.codes[i]!]!));
    return launch(family, scalars, at, to, out.size, step, BYTES[out.code]!);
  }
  // Operands with gaps along the innermost axis are copied first; then every inner stride is 0 or 1.
  const seen = (xs: readonly (NDArray | number)[]): [number[], number[][]] =>
    collapse(
      shape,
      xs.map(x => (typeof x === "number" ? shape.map(() => 0) : broadcastStrides(x.shape, x.strides, shape))),
    );
  let arrays = operands;
  let [sizes, steps] = seen(arrays);
  if (steps.some(s => s[s.length - 1]! >>> 0 > 1)) {
    const bad = steps.map(s => s[s.length - 1]! >>> 0 > 1);
    arrays = operands.map((x, i) => (bad[i] ? contiguous(x as NDArray) : x));
    [sizes, steps] = seen(arrays);
  }
  const last = sizes.length - 1;
  scalars = 0;
  for (let i = 0; i < k; i++) if (steps[i]![last] === 0) scalars |= 1 << i;
  const n = sizes[last]!;
  const outer = last >= 1 ? sizes[last - 1]! : 1;
  const f = family.kernel(scalars);
  const at = arrays.map((x, i) => (typeof x === "number" ? scratch(i, x, family.codes[i]!) : addressOf(x)));
  const to = addressOf(out);
  const bytes = family.codes.map(c => BYTES[c]!);
  const size = BYTES[out.code]!;
  const rowSteps = steps.map((s, i) => (last >= 1 ? s[last - 1]! * bytes[i]! : 0));
  const innerSteps = steps.map((s, i) => s[last]! * bytes[i]!);
  const lead = sizes.slice(0, Math.max(0, last - 1));
  const position = lead.map(() => 0);
  for (let block = 0, blocks = sizeOf(lead); block < blocks; block++) {
    const p = at.map((a, i) => a + position.reduce((sum, q, axis) => sum + q * steps[i]![axis]!, 0) * bytes[i]!);
    const q = to + block * outer * n * size;
    if (n <= CHUNK) spreadRows(family.work, f, p, q, n, outer, rowSteps, n * size);
    else
      for (let row = 0; row < outer; row++)
        launch(
          family,
          scalars,
          p.map((a, i) => a + row * rowSteps[i]!),
          q + row * n * size,
          n,
          innerSteps,
          size,
        );
    for (let axis = lead.length - 1; axis >= 0; axis--) {
      if (++position[axis]! < lead[axis]!) break;
      position[axis] = 0;
    }
  }
  arrays.forEach((x, i) => {
    if (typeof x !== "number") discard(x, operands[i] as NDArray);
  });
}

interface Mapping {
  readonly family: Family;
  readonly shape: Shape;
}

const mapped = (xs: readonly (NDArray | number)[], { family, shape }: Mapping): NDArray => {
  const y = blank(shape, sizeOf(shape), family.out);
  runMap(family, xs, y);
  return y;
};

/** Says that a large result, just computed by the kernels of a family, can be computed by them again. */
export const mappedAgain = (y: NDArray, family: Family, xs: readonly (NDArray | number)[]): NDArray =>
  repeatable(y, xs, { family, shape: y.shape }, mapped);

/** Computes an expression into a fresh array, which is computed again where it had to make room. */
export function mapAnew(family: Family, xs: readonly (NDArray | number)[], shape: Shape): NDArray {
  const y = mapped(xs, { family, shape });
  return isLarge(y) ? mappedAgain(y, family, xs) : y;
}

/** An expression for each lane, made once. */
export function perLane(make: (lane: number) => Expr): (lane: number) => Expr {
  const made: (Expr | undefined)[] = [];
  return lane => (made[lane] ??= make(lane));
}

const families = new Map<Expr, Map<number, Family>>();

/** Computes an expression, which the caller keeps, of at most six operands of any dtypes into `out`, in a lane. */
export function compute(value: Expr, operands: readonly (NDArray | number)[], lane: number, out: NDArray): NDArray {
  const codes = operands.map(x => (typeof x === "number" ? lane : x.code));
  let known = families.get(value);
  if (known === undefined) families.set(value, (known = new Map()));
  const key = codes.reduce((k, c) => k * 8 + c, lane * 8 + out.code);
  let family = known.get(key);
  if (family === undefined) known.set(key, (family = new Family(value, codes, lane, out.code)));
  runMap(family, operands, out);
  return out;
}

/** "Not zero", as a mask, for each dtype: how any array becomes a condition. */
const truth: Family[] = [];

/** Any array, or a number, as a mask: what is not 0. */
export function asCondition(x: NDArray | number): NDArray {
  if (typeof x === "number") return fromValues([x !== 0 ? 1 : 0], SCALAR, BOOL);
  if (x.code === BOOL) return x;
  const y = blank(x.shape, x.size, BOOL);
  truth[x.code] ??= new Family(arg(0), [x.code], laneOf(x.code), BOOL);
  runMap(truth[x.code]!, [x], y);
  return y;
}

/** Drops axes of size 1 and joins neighbours along which every operand runs on without a jump. */
export function collapse(shape: Shape, strides: readonly (readonly number[])[]): [number[], number[][]] {
  const sizes: number[] = [];
  const out: number[][] = strides.map(() => []);
  for (let axis = 0; axis < shape.length; axis++) {
    const n = shape[axis]!;
    if (n === 1) continue;
    const last = sizes.length - 1;
    if (last >= 0 && strides.every((s, i) => out[i]![last] === s[axis]! * n)) {
      sizes[last]! *= n;
      strides.forEach((s, i) => {
        out[i]![last] = s[axis]!;
      });
    } else {
      sizes.push(n);
      strides.forEach((s, i) => out[i]!.push(s[axis]!));
    }
  }
  if (sizes.length === 0) {
    sizes.push(1);
    for (const s of out) s.push(1);
  }
  return [sizes, out];
}

/** Computes into an array that exists: through a copy where it has gaps, or where an operand overlaps it otherwise than element on element. */
export function writeMap(family: Family, xs: readonly (NDArray | number)[], out: NDArray): void {
  unshare(out);
  const overlaps = xs.some(
    x =>
      typeof x !== "number" &&
      x.storage === out.storage &&
      !(x.offset === out.offset && x.view === null && x.code === out.code && sameShape(x.shape, out.shape)),
  );
  if (out.view === null && !overlaps) return runMap(family, xs, out);
  const y = blank(out.shape, out.size, out.code);
  runMap(family, xs, y);
  copyStrided(y, out);
  free(y.storage.block);
}

/** A view, in C order if its strides say so. */
export function view(x: NDArray, offset: number, shape: Shape, strides: readonly number[]): NDArray {
  return viewOf(x, offset, shape, isContiguous(shape, strides) ? null : strides, sizeOf(shape));
}

/** Axis i of the result is axis order[i] of x; not recorded. */
export function transposeView(x: NDArray, order: readonly number[]): NDArray {
  const { strides } = x;
  return view(
    x,
    x.offset,
    order.map(i => x.shape[i]!),
    order.map(i => strides[i]!),
  );
}
