/**
 * Convolution as three maps, each linear in both of its operands: of data and weight to the result, of the result and
 * weight back to data, of data and result to the weight. The gradients of each are the other two, so there is every order.
 */
import { addressOf, blank, fromValues, type NDArray, viewOf } from "../../array.ts";
import { contract, contractBytes } from "../../backend/routines/contract.ts";
import { fold, type Planes, weights, windows } from "../../backend/routines/convolution.ts";
import { address, allocate, free } from "../../backend/wasm/heap.ts";
import { fill } from "../../backend/wasm/index.ts";
import { BYTES, I32 } from "../../dtype.ts";
import { contiguous, copyStrided, discard } from "../../launch.ts";
import { type Structural, structural } from "../../op.ts";
import { contiguousStrides, type Shape, sizeOf } from "../../shape.ts";
import { broadcastTo, lattice, reshape, sliceView, transpose, zeroed } from "../structural.ts";

/** How windows lie in the last axes of an array. */
export interface Windows {
  /** The sizes of these axes. */
  readonly size: Shape;
  readonly kernel: Shape;
  readonly stride: readonly number[];
  /** Zeros before and after each axis. */
  readonly pad: readonly number[];
  readonly dilate: readonly number[];
}

export interface Convolution extends Windows {
  readonly groups: number;
  /** The channels of data in a group. */
  readonly channels: number;
}

/** How many windows there are along each axis; less than one where the kernel does not fit. */
export const windowCounts = ({ size, kernel, stride, pad, dilate }: Windows): number[] =>
  size.map((n, i) => Math.floor((n + 2 * pad[i]! - dilate[i]! * (kernel[i]! - 1) - 1) / stride[i]!) + 1);

export const unpadded = ({ pad }: Windows): boolean => pad.every(p => p === 0);

export const paddedSize = ({ size, pad }: Windows): number[] => size.map((n, i) => n + 2 * pad[i]!);

/** Where the elements of a window lie from its first on, and the first elements of all windows, in padded planes: in bytes. */
export function offsets(w: Windows, planes: number, bytes: number): [NDArray, NDArray] {
  const whole = paddedSize(w);
  const strides = contiguousStrides(whole).map(s => s * bytes);
  return [
    lattice(0, [planes, ...w.kernel], [sizeOf(whole) * bytes, ...strides.map((s, i) => s * w.dilate[i]!)]),
    lattice(
      0,
      windowCounts(w),
      strides.map((s, i) => s * w.stride[i]!),
    ),
  ];
}

/** What is left of a padded array when the padding goes. */
export function inside(padded: NDArray, { size, pad }: Windows): NDArray {
  const lead = padded.shape.slice(0, padded.ndim - size.length);
  const counts = [...lead, ...size];
  return sliceView(padded, { starts: [...lead.map(() => 0), ...pad], steps: counts.map(() => 1), counts, shape: counts });
}

// ---- on memory

/** The most elements that stand in memory at a time of what is only made on the way: they should stay in the second cache. */
const MOST = 65536;

/** Element counts of a group: of its padded data, of the weight of one channel of its result, of that channel. */
function sizes(a: Convolution): { plane: number; height: number; width: number } {
  const { channels } = a;
  return {
    plane: channels * sizeOf(paddedSize(a)),
    height: channels * sizeOf(a.kernel),
    width: sizeOf(windowCounts(a)),
  };
}

/** The images from `first` on as an array of their own, a view. */
function imagesOf(x: NDArray, first: number, count: number): NDArray {
  const size = x.size / x.shape[0]!;
  return viewOf(x, x.offset + first * size, [count, ...x.shape.slice(1)], null, count * size);
}

/** Calls `visit` with images of the data, some at a time, with their padding. */
function eachPadded(x: NDArray, a: Convolution, visit: (images: NDArray, first: number) => void): void {
  if (unpadded(a)) onAll(x, visit);
  else eachLaid(x, paddedSize(a), (from, images) => copyStrided(from, inside(images, a)), visit);
}

function onAll(x: NDArray, visit: (images: NDArray, first: number) => void): void {
  const source = contiguous(x);
  visit(source, 0);
  discard(source, x);
}

/** Calls `visit` with images laid out anew, some at a time: of this size, zeros but for where `place` copies them. */
function eachLaid(
  x: NDArray,
  size: Shape,
  place: (source: NDArray, images: NDArray) => void,
  visit: (images: NDArray, first: number) => void,
): void {
  const source = contiguous(x);
  const [n, channels] = x.shape as [number, number];
  const many = Math.min(n, Math.ceil(MOST / (channels * sizeOf(size))));
  const whole = zeroed([many, channels, ...size], x.code);
  for (let first = 0; first < n; first += many) {
    const images = imagesOf(whole, 0, Math.min(many, n - first));
    place(imagesOf(source, first, images.shape[0]!), images);
    visit(images, first);
  }
  free(whole.storage.block);
  discard(source, x);
}

// ---- groups of one channel: each plane by itself, where it lies

/** Whether the general way would make a product of a few rows for every plane. */
const isDepthwise = (a: Convolution, filters: number): boolean => a.channels === 1 && filters <= FEW * a.groups;
const FEW = 3;

/** Every so many columns from the one at a place on, of the last axis. */
function everyNth(x: NDArray, shape: Shape, start: number, step: number): NDArray {
  const last = x.ndim - 1;
  return sliceView(x, {
    starts: shape.map((_, axis) => (axis === last ? start : 0)),
    steps: shape.map((_, axis) => (axis === last ? step : 1)),
    counts: shape,
    shape,
  });
}

/**
 * Data with its padding such that windows are neighbours whatever their stride: each row as first the columns 0, stride, …,
 * then 1, 1 + stride, … .
 */
function eachInTurns(x: NDArray, a: Convolution, visit: (images: NDArray, first: number) => void): void {
  const stride = a.stride.at(-1)!;
  if (stride === 1) return eachPadded(x, a, visit);
  const [width, pad] = [a.size.at(-1)!, a.pad.at(-1)!];
  const place = (source: NDArray, images: NDArray): void => {
    for (let turn = 0; turn < stride; turn++) {
      const first = Math.ceil(Math.max(0, pad - turn) / stride);
      const from = turn + first * stride - pad;
      if (from >= width) continue;
      const counts = [...source.shape.slice(0, -1), Math.ceil((width - from) / stride)];
      const to = sliceView(images, {
        starts: [0, 0, ...a.pad.slice(0, -1), turn, first],
        steps: [...counts, 1].map(() => 1),
        counts: [...counts.slice(0, -1), 1, counts.at(-1)!],
        shape: counts,
      });
      copyStrided(everyNth(source, counts, from, stride), to);
    }
  };
  eachLaid(x, inTurns(a), place, visit);
}

/** The sizes of a plane in that order. */
function inTurns(a: Convolution): number[] {
  const stride = a.stride.at(-1)!;
  const whole = paddedSize(a);
  return [...whole.slice(0, -1), stride, Math.ceil(whole.at(-1)! / stride)];
}

/** Where the elements of a window are from its first on in planes in that order, in bytes. */
function places(a: Convolution, bytes: number): NDArray {
  const steps = contiguousStrides(inTurns(a));
  const rows = lattice(
    0,
    a.kernel.slice(0, -1),
    a.kernel.slice(0, -1).map((_, i) => steps[i]! * a.dilate[i]!),
  ).toTypedArray();
  const stride = a.stride.at(-1)!;
  const columns = Array.from({ length: a.kernel.at(-1)! }, (_, i) => i * a.dilate.at(-1)!);
  const all = Array.from(rows).flatMap(row => columns.map(c => (row + (c % stride) * steps.at(-2)! + Math.floor(c / stride)) * bytes));
  return fromValues(all, [all.length], I32);
}

/**
 * Calls `run` with the planes of some images, those of all groups at a time: addresses of the first image's data, of the
 * weights, and of its results. Each group has so many planes of data and of results, of which one is 1.
 */
function onPlanes(
  a: Convolution,
  code: number,
  count: number,
  [x, w, y]: readonly [number, number, number],
  [ins, outs]: readonly [number, number],
  table: NDArray,
  run: (p: Planes, adds: boolean) => void,
): void {
  const bytes = BYTES[code]!;
  const sizes = inTurns(a);
  const counts = windowCounts(a);
  const [plane, result] = [sizeOf(sizes) * bytes, sizeOf(counts) * bytes];
  const steps = contiguousStrides(sizes).map((s, i) => s * (a.stride[i] ?? 1) * bytes);
  const rows = counts.length > 1 ? counts.at(-2)! : 1;
  const width = counts.at(-1)!;
  const elements = sizeOf(a.kernel);
  const deep = counts.length > 2 ? counts[0]! : 1;
  const each = Math.max(ins, outs);
  const shape = {
    count: a.groups,
    rows,
    width,
    row: counts.length > 1 ? steps[counts.length - 2]! : 0,
    elements,
    offsets: addressOf(table),
  };
  for (let i = 0; i < count; i++)
    for (let e = 0; e < each; e++)
      for (let z = 0; z < deep; z++)
        run(
          {
            ...shape,
            data: [x + (i * a.groups * ins + (e % ins)) * plane + z * steps[0]!, ins * plane],
            weight: [w + e * elements * bytes, each * elements * bytes],
            result: [y + (i * a.groups * outs + (e % outs)) * result + z * rows * width * bytes, outs * result],
          },
          e >= outs,
        );
}

/** `convolve` for groups of one channel. */
function convolvePlanes(x: NDArray, w: NDArray, a: Convolution, y: NDArray): void {
  const weight = contiguous(w);
  const table = places(a, BYTES[x.code]!);
  const each = w.shape[0]! / a.groups;
  const size = (y.size / y.shape[0]!) * BYTES[y.code]!;
  eachInTurns(x, a, (images, first) => {
    const at = [addressOf(images), addressOf(weight), addressOf(y) + first * size] as const;
    onPlanes(a, x.code, images.shape[0]!, at, [1, each], table, (p, adds) => windows(x.code, p, adds));
  });
  discard(weight, w);
}

/** `convolveBack` for them: the windows of the result, apart by the stride and between zeros, times the weights backwards. */
function convolvePlanesBack(y: NDArray, w: NDArray, a: Convolution, x: NDArray): void {
  const code = y.code;
  const backwards = sliceView(w, {
    starts: [0, 0, ...a.kernel.map(n => n - 1)],
    steps: [1, 1, ...a.kernel.map(() => -1)],
    counts: w.shape,
    shape: w.shape,
  });
  const weight = contiguous(backwards);
  const before = a.kernel.map((n, i) => (n - 1) * a.dilate[i]! - a.pad[i]!);
  const size = a.size.map((n, i) => n + (a.kernel[i]! - 1) * a.dilate[i]!);
  const ones = a.size.map(() => 1);
  const turned = { ...a, size, stride: ones, pad: ones.map(() => 0) };
  const table = places(turned, BYTES[code]!);
  const each = w.shape[0]! / a.groups;
  const visit = (images: NDArray, first: number): void => {
    const at = [addressOf(images), addressOf(weight), addressOf(x) + first * (x.size / x.shape[0]!) * BYTES[code]!] as const;
    onPlanes(turned, code, images.shape[0]!, at, [each, 1], table, (p, adds) => windows(code, p, adds));
  };
  const place = (source: NDArray, images: NDArray): void =>
    copyStrided(
      source,
      sliceView(images, { starts: [0, 0, ...before], steps: [1, 1, ...a.stride], counts: source.shape, shape: source.shape }),
    );
  eachLaid(y, size, place, visit);
  discard(weight, w);
}

/** `convolveWeight` for them. */
function convolvePlanesWeight(x: NDArray, y: NDArray, a: Convolution, w: NDArray): void {
  const result = contiguous(y);
  const table = places(a, BYTES[x.code]!);
  const each = y.shape[1]! / a.groups;
  const size = (y.size / y.shape[0]!) * BYTES[y.code]!;
  eachInTurns(x, a, (images, first) => {
    const at = [addressOf(images), addressOf(w), addressOf(result) + first * size] as const;
    onPlanes(a, x.code, images.shape[0]!, at, [1, each], table, p => weights(x.code, p));
  });
  discard(result, y);
}

// ---- the maps

/** The sums of products of each window with each of the filters in its group. @internal */
export const convolve: Structural<Convolution> = structural("convolution", {
  linear: "each",
  run: ([x, w], a) => {
    const { code } = x!;
    const [n, filters] = [x!.shape[0]!, w!.shape[0]!];
    const shape = [n, filters, ...windowCounts(a)];
    const { plane, height, width } = sizes(a);
    if (sizeOf(shape) === 0 || height === 0) return zeroed(shape, code);
    const y = blank(shape, sizeOf(shape), code);
    if (isDepthwise(a, filters)) {
      convolvePlanes(x!, w!, a, y);
      return y;
    }
    const weight = contiguous(w!);
    const [rows, columns] = offsets(a, a.channels, BYTES[code]!);
    const each = filters / a.groups;
    const bytes = BYTES[code]!;
    const product = { count: n, m: each, n: width, k: height };
    const work = allocate(contractBytes(code, product));
    eachPadded(x!, a, (images, first) => {
      const [p, q, r] = [addressOf(weight), addressOf(images), addressOf(y) + first * filters * width * bytes];
      const tables = { row: addressOf(rows), column: addressOf(columns), tables: true };
      for (let g = 0; g < a.groups; g++)
        contract(
          code,
          { ...product, count: images.shape[0]! },
          { at: p + g * each * height * bytes, row: height * bytes, column: bytes, batch: 0 },
          { at: q + g * plane * bytes, ...tables, batch: a.groups * plane * bytes },
          { at: r + g * each * width * bytes, row: width * bytes, batch: filters * width * bytes },
          address(work),
        );
    });
    free(work);
    discard(weight, w!);
    return y;
  },
  grad: (g, { inputs: [x, w], wants, attrs }) => [
    wants[0] ? convolveBack([g, w!], attrs) : null,
    wants[1] ? convolveWeight([x!, g], attrs) : null,
  ],
  reads: [[1], [0]],
  mapped: (xs, has, a, n) => (has[1] ? inGroups(convolve, xs, has, a, n, 1) : inBatches(convolve, xs, a, n)),
});

/** The data that a result came from, as far as its windows know: the adjoint of convolution for a fixed weight. @internal */
export const convolveBack: Structural<Convolution> = structural("deconvolution", {
  linear: "each",
  run: ([y, w], a) => {
    const { code } = y!;
    const [n, filters] = [y!.shape[0]!, w!.shape[0]!];
    const x = zeroed([n, a.groups * a.channels, ...a.size], code);
    if (x.size === 0 || y!.size === 0) return x;
    // Padding that no window needs would have to be cut off the result.
    if (isDepthwise(a, filters) && a.pad.every((p, i) => p <= (a.kernel[i]! - 1) * a.dilate[i]!)) {
      convolvePlanesBack(y!, w!, a, x);
      return x;
    }
    const { plane, height, width } = sizes(a);
    const source = contiguous(y!);
    const weight = contiguous(w!);
    const [rows, columns] = offsets(a, a.channels, BYTES[code]!);
    const each = filters / a.groups;
    const bytes = BYTES[code]!;
    const last = windowCounts(a).at(-1)!;
    const run = a.stride.at(-1) === 1 ? last : 1;
    // Whole rows of windows, of many images if these are small, of a part of one if it is large.
    const across = Math.min(width, Math.ceil(MOST / height / last) * last);
    const many = Math.min(n, across < width ? 1 : Math.ceil(MOST / (height * width)));
    const matrix = blank([many * height * across], many * height * across, code);
    const product = { count: many, m: height, n: across, k: each };
    const work = allocate(contractBytes(code, product));
    const whole = unpadded(a) ? null : zeroed([many, a.groups * a.channels, ...paddedSize(a)], code);
    for (let first = 0; first < n; first += many) {
      const count = Math.min(many, n - first);
      const images = imagesOf(whole ?? x, whole === null ? first : 0, count);
      if (first > 0 && whole !== null) fill(addressOf(whole), 0, whole.size * bytes);
      for (let g = 0; g < a.groups; g++)
        for (let j = 0; j < width; j += across) {
          const wide = Math.min(across, width - j);
          const [p, q, r] = [addressOf(weight), addressOf(source), addressOf(matrix)];
          const [row, column] = [addressOf(rows), addressOf(columns) + 4 * j];
          const to = addressOf(images) + g * plane * bytes;
          contract(
            code,
            { ...product, count, n: wide },
            { at: p + g * each * height * bytes, row: bytes, column: height * bytes, batch: 0 },
            {
              at: q + ((first * filters + g * each) * width + j) * bytes,
              row: width * bytes,
              column: bytes,
              batch: filters * width * bytes,
            },
            { at: r, row: wide * bytes, batch: height * wide * bytes },
            address(work),
          );
          for (let i = 0; i < count; i++)
            fold(code)(to + i * a.groups * plane * bytes, row, column, r + i * height * wide * bytes, height, wide, run);
        }
      if (whole !== null) copyStrided(inside(images, a), imagesOf(x, first, count));
    }
    free(work);
    for (const made of [matrix, whole]) if (made !== null) free(made.storage.block);
    discard(source, y!);
    discard(weight, w!);
    return x;
  },
  grad: (g, { inputs: [y, w], wants, attrs }) => [
    wants[0] ? convolve([g, w!], attrs) : null,
    wants[1] ? convolveWeight([g, y!], attrs) : null,
  ],
  reads: [[1], [0]],
  mapped: (xs, has, a, n) => (has[1] ? inGroups(convolveBack, xs, has, a, n, 1) : inBatches(convolveBack, xs, a, n)),
});

/** The weight whose elements are the sums of all products that they take part in. @internal */
export const convolveWeight: Structural<Convolution> = structural("convolutionWeight", {
  linear: "each",
  run: ([x, y], a) => {
    const { code } = x!;
    const filters = y!.shape[1]!;
    const each = filters / a.groups;
    const w = zeroed([filters, a.channels, ...a.kernel], code);
    if (w.size === 0 || y!.size === 0) return w;
    if (isDepthwise(a, filters)) {
      convolvePlanesWeight(x!, y!, a, w);
      return w;
    }
    const { plane, height, width } = sizes(a);
    const result = contiguous(y!);
    const [rows, columns] = offsets(a, a.channels, BYTES[code]!);
    const bytes = BYTES[code]!;
    const product = { count: y!.shape[0]!, m: each, n: height, k: width };
    const work = allocate(contractBytes(code, product));
    eachPadded(x!, a, (images, first) => {
      const [p, q, r] = [addressOf(result) + first * filters * width * bytes, addressOf(images), addressOf(w)];
      const tables = { row: addressOf(columns), column: addressOf(rows), tables: true };
      for (let g = 0; g < a.groups; g++)
        contract(
          code,
          { ...product, count: images.shape[0]! },
          { at: p + g * each * width * bytes, row: width * bytes, column: bytes, batch: filters * width * bytes },
          { at: q + g * plane * bytes, ...tables, batch: a.groups * plane * bytes },
          { at: r + g * each * height * bytes, row: height * bytes, batch: 0 },
          address(work),
          first > 0,
        );
    });
    free(work);
    discard(result, y!);
    return w;
  },
  grad: (g, { inputs: [x, y], wants, attrs }) => [
    wants[0] ? convolveBack([y!, g], attrs) : null,
    wants[1] ? convolve([x!, g], attrs) : null,
  ],
  reads: [[1], [0]],
  mapped: (xs, has, a, n) => inGroups(convolveWeight, xs, has, a, n, 2),
});

// ---- under vmap

/** Two neighbouring axes made one. */
const joined = (x: NDArray, axis: number): NDArray =>
  reshape(x, [...x.shape.slice(0, axis), x.shape[axis]! * x.shape[axis + 1]!, ...x.shape.slice(axis + 2)]);

/** One axis made two, of which the first has n entries. */
const parted = (x: NDArray, axis: number, n: number): NDArray =>
  reshape(x, [...x.shape.slice(0, axis), n, n === 0 ? 0 : x.shape[axis]! / n, ...x.shape.slice(axis + 1)]);

/** The first two axes exchanged. */
const exchanged = (x: NDArray): NDArray => transpose(x, [1, 0, ...[...x.shape.keys()].slice(2)]);

/** One weight for all entries: they are more images. */
const inBatches = (row: Structural<Convolution>, [x, w]: readonly NDArray[], a: Convolution, n: number): NDArray =>
  parted(row([joined(x!, 0), w!], a), 0, n);

/** Entries as groups of channels. `weight` says which operand is a weight, and 2 that the result is one. */
function inGroups(
  row: Structural<Convolution>,
  xs: readonly NDArray[],
  has: readonly boolean[],
  a: Convolution,
  n: number,
  weight: number,
): NDArray {
  const given = xs.map((x, i) => {
    const all = has[i] ? x : broadcastTo(x, [n, ...x.shape]);
    return i === weight ? joined(all, 0) : joined(exchanged(all), 1);
  });
  const y = row(given, { ...a, groups: n * a.groups });
  return weight === 2 ? parted(y, 0, n) : exchanged(parted(y, 1, n));
}
