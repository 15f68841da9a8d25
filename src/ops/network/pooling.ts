/** Sums over windows, and where the largest element of each is. The other poolings are made of these two. */
import { addressOf, blank, memoryOf, type NDArray } from "../../array.ts";
import { type PoolingRoutines, pooling } from "../../backend/routines/pooling.ts";
import { gather } from "../../backend/wasm/index.ts";
import { BYTES, I32 } from "../../dtype.ts";
import { contiguous, copyStrided, discard } from "../../launch.ts";
import { liftNothing, type Structural, structural } from "../../op.ts";
import { type Shape, sizeOf } from "../../shape.ts";
import { positions, zeroed } from "../structural.ts";
import { inside, offsets, paddedSize, unpadded, type Windows, windowCounts } from "./convolution.ts";

/** A routine works through about this many elements a call. */
const MOST = 65536;

function eachPlane(routine: keyof PoolingRoutines, planes: NDArray, values: NDArray, w: Windows): void {
  const [rows, columns] = offsets(w, 1, BYTES[planes.code]!);
  const step = sizeOf(paddedSize(w)) * BYTES[planes.code]!;
  const many = Math.ceil(MOST / sizeOf(paddedSize(w)));
  const call = pooling(planes.code)[routine];
  const run = windowCounts(w).at(-1)!;
  const total = planes.size / sizeOf(paddedSize(w));
  for (let first = 0; first < total; first += many) {
    const [p, r, c] = [addressOf(planes), addressOf(rows), addressOf(columns)];
    const v = addressOf(values) + first * columns.size * BYTES[values.code]!;
    call(p + first * step, r, c, v, rows.size, columns.size, Math.min(many, total - first), step, run, w.stride.at(-1)!);
  }
}

const leading = (x: NDArray, w: Windows): Shape => x.shape.slice(0, x.ndim - w.size.length);

/** The sum over each window; zeros stand beyond the ends. @internal */
export const windowSum: Structural<Windows> = structural("windowSum", {
  linear: "jointly",
  kind: "reduction",
  run: ([x], w) => {
    const lead = leading(x!, w);
    const shape = [...lead, ...windowCounts(w)];
    const y = blank(shape, sizeOf(shape), x!.code);
    if (y.size === 0) return y;
    const source = unpadded(w) ? contiguous(x!) : zeroed([...lead, ...paddedSize(w)], x!.code);
    if (!unpadded(w)) copyStrided(x!, inside(source, w));
    eachPlane("sum", source, y, w);
    discard(source, x!);
    return y;
  },
  grad: (g, { attrs }) => [windowSpread([g], attrs)],
  lift: liftNothing,
});

/** Each element of the result is the sum over the windows that it is in: the adjoint of `windowSum`. @internal */
export const windowSpread: Structural<Windows> = structural("windowSpread", {
  linear: "jointly",
  run: ([y], w) => {
    const lead = leading(y!, w);
    const whole = zeroed([...lead, ...paddedSize(w)], y!.code);
    const source = contiguous(y!);
    if (y!.size > 0) eachPlane("spread", whole, source, w);
    discard(source, y!);
    if (unpadded(w)) return whole;
    const x = blank([...lead, ...w.size], sizeOf(lead) * sizeOf(w.size), y!.code);
    copyStrided(inside(whole, w), x);
    discard(whole, x);
    return x;
  },
  grad: (h, { attrs }) => [windowSum([h], attrs)],
  lift: liftNothing,
});

/** For each place of a padded plane the nearest one of the plane within: in its windows, as a pad is less than a kernel. */
function nearest({ size, pad }: Windows): NDArray {
  let places = [0];
  size.forEach((n, axis) => {
    const p = pad[axis]!;
    const along = Array.from({ length: n + 2 * p }, (_, i) => Math.min(Math.max(i - p, 0), n - 1));
    places = places.flatMap(at => along.map(i => at * n + i));
  });
  return positions(places, [places.length]);
}

interface Places extends Windows {
  /** How many arrays lie one behind another; positions count from the start of each. */
  readonly entries: number;
}

const placesRow: Structural<Places> = structural("windowPlaces", {
  kind: "selection",
  run: ([x], w) => {
    const lead = leading(x!, w);
    const shape = [...lead, ...windowCounts(w)];
    const y = blank(shape, sizeOf(shape), I32);
    if (y.size === 0) return y;
    const source = contiguous(x!);
    const near = unpadded(w) ? null : nearest(w);
    const inner = sizeOf(w.size);
    const count = sizeOf(lead);
    let planes = source;
    if (near !== null) {
      planes = blank([...lead, ...paddedSize(w)], count * near.size, x!.code);
      const [p, i, q] = [addressOf(source), addressOf(near), addressOf(planes)];
      const bytes = BYTES[x!.code]!;
      for (let k = 0; k < count; k++) gather(x!.code, p + k * inner * bytes, i, q + k * near.size * bytes, near.size, 1);
    }
    eachPlane("places", planes, y, w);
    const n = y.size / count;
    const table = near === null ? 0 : addressOf(near) >> 2;
    const start = addressOf(y) >> 2;
    const memory = memoryOf(I32);
    for (let k = 0; k < count; k++) {
      const origin = (k % (count / w.entries)) * inner;
      for (let i = start + k * n; i < start + (k + 1) * n; i++)
        memory[i] = (near === null ? memory[i]! : memory[table + memory[i]!]!) + origin;
    }
    discard(planes, source);
    discard(source, x!);
    return y;
  },
  grad: null,
  lift: (w, n) => ({ ...w, entries: n * w.entries }),
});

/** Where in the flat array the first largest element of each window is. @internal */
export const windowPlaces = (x: NDArray, w: Windows): NDArray => placesRow([x], { ...w, entries: 1 });
