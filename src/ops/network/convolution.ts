/**
 * Convolution as three maps, each linear in both of its operands: of data and weight to the result, of the result and
 * weight back to data, of data and result to the weight. The gradients of each are the other two, so there is every order.
 */
import { addressOf, blank, type NDArray, viewOf } from "../../array.ts";
import { windows } from "../../backend/routines/convolution.ts";
import { free } from "../../backend/wasm/heap.ts";
import { copy, fill, multiply } from "../../backend/wasm/index.ts";
import { BYTES } from "../../dtype.ts";
import { contiguous, copyStrided, discard } from "../../launch.ts";
import { type Structural, structural } from "../../op.ts";
import { contiguousStrides, type Shape, sizeOf } from "../../shape.ts";
import { addInto, broadcastTo, lattice, reshape, sliceView, transpose, zeroed } from "../structural.ts";

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

/** The most elements of a matrix of windows that stands in memory at a time: it should stay in the second cache. */
const MOST = 32768;

/** Element counts of a group: of its data, with padding, of the weight of one channel of its result, of that channel. */
function sizes(a: Convolution): { data: number; plane: number; height: number; width: number } {
  const { channels } = a;
  return {
    data: channels * sizeOf(a.size),
    plane: channels * sizeOf(paddedSize(a)),
    height: channels * sizeOf(a.kernel),
    width: sizeOf(windowCounts(a)),
  };
}

/** Where the data of image after image is, with padding: in place, or copied to one place, which is the second result. */
function images(x: NDArray, a: Convolution): [(image: number) => number, NDArray] {
  const size = a.groups * sizes(a).data;
  if (a.pad.every(p => p === 0)) return [i => addressOf(x) + i * size * BYTES[x.code]!, x];
  const shape = [a.groups * a.channels, ...a.size];
  const whole = zeroed([shape[0]!, ...paddedSize(a)], x.code);
  const target = inside(whole, a);
  const copied = (i: number): number => {
    copyStrided(viewOf(x, x.offset + i * size, shape, null, size), target);
    return addressOf(whole);
  };
  return [copied, whole];
}

/** Calls `visit` with runs of windows that are neighbours, so many that a matrix with `height` rows stays small. */
function eachBlock(a: Convolution, height: number, visit: (first: number, count: number, run: number) => void): void {
  const counts = windowCounts(a);
  const total = sizeOf(counts);
  const run = a.stride.at(-1) === 1 ? counts.at(-1)! : 1;
  const most = Math.max(1, Math.floor(MOST / height));
  const inner = run > most ? run : total;
  const step = run > most ? most : most - (most % run);
  for (let start = 0; start < total; start += inner)
    for (let at = start; at < start + inner; at += step) {
      const count = Math.min(step, start + inner - at);
      visit(at, count, run > most ? count : run);
    }
}

/** The sums of products of each window with each of the filters in its group. @internal */
export const convolve: Structural<Convolution> = structural("convolution", {
  linear: "each",
  run: ([x, w], a) => {
    const { code } = x!;
    const filters = w!.shape[0]!;
    const shape = [x!.shape[0]!, filters, ...windowCounts(a)];
    const y = zeroed(shape, code);
    const { plane, height, width } = sizes(a);
    if (y.size === 0 || height === 0) return y;
    const source = contiguous(x!);
    const weight = contiguous(w!);
    const [image, copied] = images(source, a);
    const [rows, columns] = offsets(a, a.channels, BYTES[code]!);
    const matrix = blank([MOST + height + 4], MOST + height + 4, code);
    const bytes = BYTES[code]!;
    const each = filters / a.groups;
    for (let i = 0; i < shape[0]!; i++) {
      const p = image(i);
      for (let g = 0; g < a.groups; g++)
        eachBlock(a, height, (first, count, run) => {
          windows(code).unfold(p + g * plane * bytes, addressOf(rows), addressOf(columns) + first * 4, addressOf(matrix), height, count, run);
          const from = addressOf(weight) + g * each * height * bytes;
          const to = addressOf(y) + ((i * a.groups + g) * each * width + first) * bytes;
          multiply(code, from, addressOf(matrix), to, each, count, height, height * bytes, bytes, count * bytes, width * bytes);
        });
    }
    free(matrix.storage.block);
    discard(copied, source);
    discard(source, x!);
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
    const n = y!.shape[0]!;
    const each = w!.shape[0]! / a.groups;
    const x = zeroed([n, a.groups * a.channels, ...a.size], code);
    const { data, plane, height, width } = sizes(a);
    if (x.size === 0 || y!.size === 0) return x;
    const source = contiguous(y!);
    const weight = contiguous(w!);
    const [rows, columns] = offsets(a, a.channels, BYTES[code]!);
    const matrix = blank([MOST + height + 4], MOST + height + 4, code);
    const bytes = BYTES[code]!;
    const pads = a.pad.some(p => p > 0);
    const whole = pads ? zeroed([a.groups * a.channels, ...paddedSize(a)], code) : x;
    for (let i = 0; i < n; i++) {
      const p = addressOf(whole) + (pads ? 0 : i * a.groups * data * bytes);
      if (pads) fill(p, 0, a.groups * plane * bytes);
      for (let g = 0; g < a.groups; g++)
        eachBlock(a, height, (first, count, run) => {
          const from = addressOf(source) + ((i * a.groups + g) * each * width + first) * bytes;
          const left = addressOf(weight) + g * each * height * bytes;
          multiply(code, left, from, addressOf(matrix), height, count, each, bytes, height * bytes, width * bytes, count * bytes);
          windows(code).fold(p + g * plane * bytes, addressOf(rows), addressOf(columns) + first * 4, addressOf(matrix), height, count, run);
        });
      if (pads) copyStrided(inside(whole, a), viewOf(x, i * a.groups * data, [a.groups * a.channels, ...a.size], null, a.groups * data));
    }
    free(matrix.storage.block);
    discard(whole, x);
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
    const n = x!.shape[0]!;
    const filters = y!.shape[1]!;
    const each = filters / a.groups;
    const w = zeroed([filters, a.channels, ...a.kernel], code);
    const { plane, height, width } = sizes(a);
    if (w.size === 0 || y!.size === 0) return w;
    const source = contiguous(x!);
    const result = contiguous(y!);
    const [image, copied] = images(source, a);
    const [rows, columns] = offsets(a, a.channels, BYTES[code]!);
    const most = Math.max(1, Math.floor(MOST / height));
    const matrix = blank([most * height + 4], most * height + 4, code);
    const part = blank([each, height], each * height, code);
    const bytes = BYTES[code]!;
    for (let i = 0; i < n; i++) {
      const p = image(i);
      for (let g = 0; g < a.groups; g++)
        for (let first = 0; first < width; first += most) {
          const count = Math.min(most, width - first);
          windows(code).unfold(p + g * plane * bytes, addressOf(columns) + first * 4, addressOf(rows), addressOf(matrix), count, height, 1);
          const from = addressOf(result) + ((i * a.groups + g) * each * width + first) * bytes;
          multiply(code, from, addressOf(matrix), addressOf(part), each, height, count, width * bytes, bytes, height * bytes, height * bytes);
          addInto(viewOf(w, g * each * height, [each, height], null, each * height), part);
        }
    }
    free(matrix.storage.block);
    discard(copied, source);
    discard(source, x!);
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
