/**
 * The algebra of indices and views, property by property: every index and chain of views against lists of positions that
 * plain loops work out, in values, in shared memory, in writes and in gradients.
 */
import { inspect } from "node:util";
import * as fc from "fast-check";
import { autograd, NablaError, type NDArray, np } from "nabla";
import { describe, expect, test } from "vitest";
import { type Shape, sizeOf, valuesOf } from "./support/sampling.ts";

/** Runs a property on values that it draws itself, from a fixed seed. */
const holds = (runs: number, property: (draw: fc.GeneratorValue) => void): void =>
  fc.assert(fc.property(fc.gen(), property), { numRuns: runs, seed: 20, includeErrorInReport: true });

/** A shape, and for each element in C order its position in the array it came from. */
interface Model {
  readonly shape: Shape;
  readonly positions: readonly number[];
}

const whole = (shape: Shape): Model => ({ shape, positions: Array.from({ length: sizeOf(shape) }, (_, i) => i) });

/** Calls `visit` with every multi-index of a shape, in C order. */
function eachIndex(shape: Shape, visit: (index: readonly number[]) => void): void {
  const walk = (index: readonly number[]): void => {
    if (index.length === shape.length) visit(index);
    else for (let i = 0; i < shape[index.length]!; i++) walk([...index, i]);
  };
  walk([]);
}

const flat = (shape: Shape, index: readonly number[]): number => index.reduce((at, i, axis) => at * shape[axis]! + i, 0);

/** The model of a result whose element at an index is the source's at `from(index)`. */
function rearranged(m: Model, shape: Shape, from: (index: readonly number[]) => readonly number[]): Model {
  const positions: number[] = [];
  eachIndex(shape, index => {
    positions.push(m.positions[flat(m.shape, from(index))]!);
  });
  return { shape, positions };
}

// ---------------------------------------------------------------- indices

/** An item as the model knows it, and as `at` takes it. */
type Item =
  | { kind: "integer"; at: number; given: unknown }
  | { kind: "slice"; list: number[]; given: unknown }
  | { kind: "new"; given: unknown }
  /** An ellipsis: it separates lists, also where it stands for no axis. */
  | { kind: "dots"; given: unknown }
  | { kind: "lists"; lists: number[][]; shape: Shape; given: unknown };

const nested = (values: readonly number[], shape: Shape): unknown => {
  if (shape.length === 0) return values[0];
  const step = sizeOf(shape.slice(1));
  return Array.from({ length: shape[0]! }, (_, i) => nested(values.slice(i * step, (i + 1) * step), shape.slice(1)));
};

/** The positions of Python's slice(start, stop, step) along an axis of n, by walking. */
function walkSlice(start: number | null, stop: number | null, step: number, n: number): number[] {
  const out: number[] = [];
  const fromEnd = (v: number): number => (v < 0 ? v + n : v);
  const first = start === null ? (step > 0 ? 0 : n - 1) : fromEnd(start);
  // A start outside of the axis is moved to its nearest end.
  const begin = step > 0 ? Math.max(first, 0) : Math.min(first, n - 1);
  for (let i = begin; i >= 0 && i < n; i += step) {
    const end = stop === null ? null : fromEnd(stop);
    if (end !== null && (step > 0 ? i >= end : i <= end)) break;
    out.push(i);
  }
  return out;
}

const DRAWN_SHAPE = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
const FULL_SHAPE = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 });

function drawItem(draw: fc.GeneratorValue, shape: Shape, axis: number, left: number, listShape: Shape): [Item, number] {
  const n = shape[axis]!;
  const kind = draw(fc.integer, { min: 0, max: 9 });
  if (kind <= 1 && n > 0) {
    const at = draw(fc.integer, { min: -n, max: n - 1 });
    return [{ kind: "integer", at: at < 0 ? at + n : at, given: at }, 1];
  }
  if (kind <= 6) {
    const bound = (): number | null => draw(fc.option, fc.integer({ min: -6, max: 6 }), {});
    const [start, stop] = [bound(), bound()];
    const step = draw(fc.constantFrom, ...[1, 1, 2, 3, -1, -2, -3]);
    const text = `${start ?? ""}:${stop ?? ""}${step === 1 && draw(fc.boolean) ? "" : `:${step}`}`;
    const given = draw(fc.boolean) ? text : np.slice(start, stop, step);
    return [{ kind: "slice", list: walkSlice(start, stop, step, n), given }, 1];
  }
  if (kind === 7) {
    // A mask over one or two axes.
    const k = left > 1 && draw(fc.boolean) ? 2 : 1;
    const covered = shape.slice(axis, axis + k);
    const bits = Array.from({ length: sizeOf(covered) }, () => draw(fc.boolean));
    // Lists broadcast together: as many entries as the others, or one.
    const want = listShape.at(-1) ?? 1;
    let set = bits.flatMap((b, i) => (b ? [i] : []));
    if (set.length > want) set = set.slice(0, want);
    if (set.length !== want && set.length > 1) set = set.slice(0, 1);
    if (set.length === 0 && want !== 0 && listShape.length > 0) {
      if (bits.length === 0) return drawSlice(shape, axis);
      set = [0];
    }
    const mask = np.reshape(
      np.array(
        bits.map((_, i) => set.includes(i)),
        { dtype: "bool" },
      ),
      covered,
    );
    const lists = covered.map((size, q) => set.map(i => Math.floor(i / sizeOf(covered.slice(q + 1))) % size));
    const given = draw(fc.boolean) || mask.size === 0 ? mask : mask.tolist();
    return [{ kind: "lists", lists, shape: [set.length], given }, k];
  }
  if (n === 0) return drawSlice(shape, axis);
  // A list of integers, in a shape that broadcasts with the others.
  const own = listShape
    .slice(draw(fc.integer, { min: 0, max: listShape.length }))
    .map(size => (draw(fc.integer, { min: 0, max: 3 }) === 0 ? 1 : size));
  const raw = Array.from({ length: sizeOf(own) }, () => draw(fc.integer, { min: -n, max: n - 1 }));
  const asList = nested(raw, own);
  const given = own.length === 0 || draw(fc.boolean) ? np.reshape(np.array(Int32Array.from(raw)), own) : asList;
  return [{ kind: "lists", lists: [raw.map(i => (i < 0 ? i + n : i))], shape: own, given }, 1];
}

const drawSlice = (shape: Shape, axis: number): [Item, number] => [
  { kind: "slice", list: walkSlice(null, null, 1, shape[axis]!), given: ":" },
  1,
];

/** Items for a shape, with an ellipsis at random, and what they take. */
function drawItems(draw: fc.GeneratorValue, shape: Shape): { items: Item[]; given: unknown[] } {
  const items: Item[] = [];
  const given: unknown[] = [];
  // Lists broadcast to this shape.
  const listShape = draw(fc.constantFrom, ...([[], [2], [3], [2, 3], [1], [0]] as Shape[]));
  const used = draw(fc.integer, { min: 0, max: shape.length });
  const dots = draw(fc.integer, { min: -2, max: used });
  let axis = 0;
  let taken = 0;
  while (taken <= used) {
    if (taken >= dots && dots >= 0 && !given.includes("...")) {
      given.push("...");
      items.push({ kind: "dots", given: null });
      // The ellipsis stands for all axes that no item takes.
      for (let k = used; k < shape.length; k++) items.push({ kind: "slice", list: walkSlice(null, null, 1, shape[axis++]!), given: null });
    }
    if (draw(fc.integer, { min: 0, max: 5 }) === 0) {
      items.push({ kind: "new", given: null });
      given.push(np.newaxis);
    }
    if (taken === used) break;
    const [item, k] = drawItem(draw, shape, axis, given.includes("...") ? shape.length - axis : used - taken, listShape);
    items.push(item);
    given.push(item.given);
    axis += k;
    taken += k;
  }
  while (axis < shape.length) items.push({ kind: "slice", list: walkSlice(null, null, 1, shape[axis++]!), given: null });
  return { items, given };
}

/** NumPy's rules, element by element. */
function indexed(m: Model, items: readonly Item[]): Model {
  const fancy = items.some(i => i.kind === "lists");
  interface Axis {
    readonly list: readonly number[] | null;
    readonly lists: readonly { values: readonly number[]; shape: Shape }[] | null;
  }
  // Each item as axes of the source: a list of places, a new axis (nothing), or lists that take part in broadcasting.
  const parts: Axis[] = items.map(item => {
    if (item.kind === "new" || item.kind === "dots") return { list: null, lists: null };
    if (item.kind === "slice") return { list: item.list, lists: null };
    if (item.kind === "integer")
      return fancy ? { list: null, lists: [{ values: [item.at], shape: [] }] } : { list: [item.at], lists: null };
    return { list: null, lists: item.lists.map(values => ({ values, shape: item.shape })) };
  });
  let together: Shape = [];
  for (const { lists } of parts)
    for (const { shape } of lists ?? []) {
      const n = Math.max(together.length, shape.length);
      together = Array.from({ length: n }, (_, i) => {
        const p = together[i - n + together.length] ?? 1;
        const q = shape[i - n + shape.length] ?? 1;
        return p === 1 ? q : p;
      });
    }
  const at = parts.flatMap((part, i) => (part.lists === null ? [] : [i]));
  const adjacent = at.every((p, i) => i === 0 || p === at[i - 1]! + 1);
  const place = fancy ? (adjacent ? at[0]! : 0) : -1;
  // The result's axes in order: each is an item's own, or the block of the lists.
  const order: (number | "lists")[] = [];
  parts.forEach((part, i) => {
    if (adjacent && i === place) order.push("lists");
    if (part.lists === null && items[i]!.kind !== "integer" && items[i]!.kind !== "dots") order.push(i);
  });
  if (fancy && !adjacent) order.unshift("lists");
  const shape = order.flatMap(o => (o === "lists" ? together : [parts[o]!.list === null ? 1 : parts[o]!.list!.length]));
  return rearranged(m, shape, index => {
    const chosen = new Map<number, number>();
    let joint: readonly number[] = [];
    let k = 0;
    for (const o of order) {
      if (o === "lists") joint = index.slice(k, (k += together.length));
      else chosen.set(o, index[k++]!);
    }
    const out: number[] = [];
    parts.forEach((part, i) => {
      if (part.lists !== null)
        for (const { values, shape: own } of part.lists) {
          const tail = joint.slice(joint.length - own.length).map((q, axis) => (own[axis] === 1 ? 0 : q));
          out.push(values[flat(own, tail)]!);
        }
      else if (part.list !== null) out.push(part.list[items[i]!.kind === "integer" ? 0 : chosen.get(i)!]!);
    });
    return out;
  });
}

const arange = (shape: Shape, dtype: "float32" | "int32" = "float32"): NDArray =>
  np.reshape(np.arange(sizeOf(shape), null, 1, { dtype }), shape);
const shown = (given: readonly unknown[]): string => inspect(given, { depth: 5, breakLength: Number.POSITIVE_INFINITY });

describe("indexing is NumPy's", () => {
  test("at", () => {
    let views = 0;
    let copies = 0;
    holds(3000, draw => {
      const shape = draw(() => DRAWN_SHAPE);
      const { items, given } = drawItems(draw, shape);
      const x = arange(shape);
      const m = indexed(whole(shape), items);
      const y = x.at(...(given as []));
      expect(y.shape, shown(given)).toEqual(m.shape);
      expect(valuesOf(y), shown(given)).toEqual(m.positions);
      const fancy = items.some(i => i.kind === "lists");
      expect(y.storage === x.storage, `shares memory: ${shown(given)}`).toBe(!fancy);
      if (fancy) copies++;
      else views++;
    });
    expect(Math.min(views, copies)).toBeGreaterThan(500);
  });

  test("at of views", () => {
    holds(1500, draw => {
      const { x, model } = drawView(
        draw,
        draw(() => FULL_SHAPE),
      );
      const { items, given } = drawItems(draw, model.shape);
      const m = indexed(model, items);
      const y = x.at(...(given as []));
      expect(y.shape, shown(given)).toEqual(m.shape);
      expect(valuesOf(y), shown(given)).toEqual(m.positions);
    });
  });

  test("set: the last of repeated places stays, everything else is untouched", () => {
    holds(3000, draw => {
      const shape = draw(() => DRAWN_SHAPE);
      const { items, given } = drawItems(draw, shape);
      const m = indexed(whole(shape), items);
      const x = arange(shape);
      const expected = valuesOf(x);
      // The value's shape is the place's, without leading axes, with some axes of size 1.
      const own = m.shape
        .slice(draw(fc.integer, { min: 0, max: m.shape.length }))
        .map(n => (draw(fc.integer, { min: 0, max: 3 }) === 0 ? 1 : n));
      const value = np.add(arange(own), 1000);
      const repeated = valuesOf(np.broadcastTo(value, m.shape));
      m.positions.forEach((p, i) => {
        expected[p] = repeated[i]!;
      });
      const given2 = sizeOf(own) === 1 && own.length === 0 ? value.item() : draw(fc.boolean) && value.size > 0 ? value.tolist() : value;
      expect(x.set(given2 as NDArray, ...(given as []))).toBe(x);
      expect(valuesOf(x), shown(given)).toEqual(expected);
    });
  });

  test("set through views, recorded or not", () => {
    holds(1200, draw => {
      const base = draw(() => FULL_SHAPE);
      const recorded = draw(fc.boolean);
      const leaf = arange(base).attachGrad();
      const run = (): void => {
        const { x, model, root } = drawView(draw, base, recorded ? leaf.mul(1) : arange(base), false);
        const { items, given } = drawItems(draw, model.shape);
        const m = indexed(model, items);
        const expected = valuesOf(root);
        const value = np.add(np.reshape(np.arange(sizeOf(m.shape)), m.shape), 1000);
        m.positions.forEach((p, i) => {
          expected[p] = 1000 + i;
        });
        x.set(value, ...(given as []));
        expect(valuesOf(root), shown(given)).toEqual(expected);
        expect(valuesOf(x)).toEqual(model.positions.map(p => expected[p]));
        if (!recorded) return;
        // What was overwritten gets no gradient, what is read through the view as much as it is read.
        x.mul(2).sum().add(root.sum()).backward();
        const slope = expected.map((v, p) => (v >= 1000 ? 0 : 1 + 2 * model.positions.filter(q => q === p).length));
        expect(valuesOf(leaf.grad!), shown(given)).toEqual(slope);
      };
      if (recorded) autograd.record(run);
      else run();
    });
  });

  test("the gradient of at is a scatter of ones", () => {
    holds(1200, draw => {
      const shape = draw(() => DRAWN_SHAPE);
      const { items, given } = drawItems(draw, shape);
      const m = indexed(whole(shape), items);
      const x = arange(shape).attachGrad();
      const weights = m.positions.map((_, i) => (i % 5) + 1);
      const u = np.reshape(np.array(Float32Array.from(weights)), m.shape);
      autograd.record(() => x.at(...(given as []))).backward(u);
      const expected = new Array<number>(sizeOf(shape)).fill(0);
      m.positions.forEach((p, i) => {
        expected[p]! += weights[i]!;
      });
      expect(valuesOf(x.grad!), shown(given)).toEqual(expected);
    });
  });

  test("what is out of range, too much or no index throws, and writes nothing", () => {
    holds(600, draw => {
      const shape = draw(() => DRAWN_SHAPE);
      const x = arange(shape);
      const before = valuesOf(x);
      const n = shape[0] ?? 0;
      const candidates: readonly (readonly unknown[])[] = [
        ...[
          [n],
          [-n - 1],
          [n + 7],
          [0.5],
          [Number.NaN],
          ["1;2"],
          ["::0"],
          ["a"],
          [undefined],
          [{}],
          ["...", "..."],
          [() => 0],
          ["1:2:3:4"],
        ],
        ...[[[n]], [[0, -n - 1]], [[0.5]], [[true, ...new Array<boolean>(n).fill(false)]], [["0"]]],
        new Array<unknown>(shape.length + 1).fill(":"),
      ];
      const wrong = candidates[draw(fc.integer, { min: 0, max: candidates.length - 1 })]!;
      expect(() => x.at(...(wrong as [])), shown(wrong)).toThrow(NablaError);
      expect(() => x.set(5, ...(wrong as [])), shown(wrong)).toThrow(NablaError);
      expect(valuesOf(x)).toEqual(before);
    });
  });
});

// ---------------------------------------------------------------- views

type Step = (x: NDArray, m: Model) => [NDArray, Model];

function permutation(draw: fc.GeneratorValue, n: number): number[] {
  const left = Array.from({ length: n }, (_, i) => i);
  return Array.from({ length: n }, () => left.splice(draw(fc.integer, { min: 0, max: left.length - 1 }), 1)[0]!);
}

/** A random operation that may give a view, with its model. */
function drawStep(draw: fc.GeneratorValue, m: Model, repeats: boolean): Step {
  const { shape } = m;
  const n = shape.length;
  const sign = (axis: number, of: number): number => (draw(fc.boolean) ? axis : axis - of);
  switch (draw(fc.integer, { min: 0, max: repeats ? 8 : 7 })) {
    case 0: {
      const order = permutation(draw, n);
      return x => [
        np.transpose(
          x,
          order.map(a => sign(a, n)),
        ),
        rearranged(
          m,
          order.map(a => shape[a]!),
          index => {
            const from = new Array<number>(n);
            order.forEach((a, i) => {
              from[a] = index[i]!;
            });
            return from;
          },
        ),
      ];
    }
    case 1:
      return x => [x.T, rearranged(m, shape.slice().reverse(), index => index.slice().reverse())];
    case 2: {
      if (n === 0) return x => [x, m];
      const [p, q] = [draw(fc.integer, { min: 0, max: n - 1 }), draw(fc.integer, { min: 0, max: n - 1 })];
      const swap = <T>(list: readonly T[]): T[] => list.map((v, i) => (i === p ? list[q]! : i === q ? list[p]! : v));
      return x => [x.swapaxes(sign(p, n), sign(q, n)), rearranged(m, swap(shape), swap)];
    }
    case 3: {
      const ones = shape.flatMap((k, i) => (k === 1 ? [i] : []));
      const all = draw(fc.boolean) || ones.length === 0;
      const gone = all ? ones : [ones[draw(fc.integer, { min: 0, max: ones.length - 1 })]!];
      return x => [
        all ? x.squeeze() : x.squeeze(draw(fc.boolean) ? gone[0]! : [gone[0]! - n]),
        { shape: shape.filter((_, i) => !gone.includes(i)), positions: m.positions },
      ];
    }
    case 4: {
      const axis = draw(fc.integer, { min: 0, max: n });
      return x => [x.expandDims(sign(axis, n + 1)), { shape: [...shape.slice(0, axis), 1, ...shape.slice(axis)], positions: m.positions }];
    }
    case 5: {
      // Another shape of the same size: its prime factors dealt out.
      const factors: number[] = [];
      for (let rest = sizeOf(shape), f = 2; rest > 1; ) {
        if (rest % f === 0) {
          factors.push(f);
          rest /= f;
        } else f++;
      }
      const target = new Array<number>(draw(fc.integer, { min: factors.length > 0 ? 1 : 0, max: 4 })).fill(1);
      for (const f of factors) target[draw(fc.integer, { min: 0, max: target.length - 1 })]! *= f;
      if (sizeOf(shape) === 0) return x => [x.reshape(shape.slice().reverse()), { shape: shape.slice().reverse(), positions: [] }];
      const given = target.slice();
      if (given.length > 0 && draw(fc.boolean)) given[draw(fc.integer, { min: 0, max: given.length - 1 })] = -1;
      return x => [
        draw(fc.boolean) ? x.reshape(given) : x.reshape(...(given.length === 0 ? [given] : given)),
        { shape: target, positions: m.positions },
      ];
    }
    case 6:
    case 7: {
      const items: Item[] = [];
      const given: unknown[] = [];
      for (const size of shape) {
        const step = draw(fc.constantFrom, ...[1, 1, -1, 2]);
        const start = draw(fc.boolean) ? null : draw(fc.integer, { min: 0, max: Math.max(0, size - 1) });
        items.push({ kind: "slice", list: walkSlice(start, null, step, size), given: null });
        given.push(np.slice(start, null, step));
      }
      return x => [x.at(...(given as [])), indexed(m, items)];
    }
    default: {
      const lead = Array.from({ length: draw(fc.integer, { min: 0, max: 1 }) }, () => draw(fc.integer, { min: 1, max: 3 }));
      const target = [...lead, ...shape.map(k => (k === 1 ? draw(fc.integer, { min: 1, max: 3 }) : k))];
      return x => [
        np.broadcastTo(x, target),
        rearranged(m, target, index => index.slice(lead.length).map((q, i) => (shape[i] === 1 ? 0 : q))),
      ];
    }
  }
}

/** A chain of views of an array, with its model. */
function drawView(
  draw: fc.GeneratorValue,
  shape: Shape,
  root = arange(shape),
  repeats = true,
): { x: NDArray; model: Model; root: NDArray } {
  let x = root;
  let model = whole(shape);
  for (let k = draw(fc.integer, { min: 0, max: 4 }); k > 0 && model.positions.length < 200; k--) {
    const step = drawStep(draw, model, repeats);
    const [y, m] = step(x, model);
    // A reshape that had to move elements is a copy, and no view of the root any more.
    if (!repeats && y.storage !== root.storage) break;
    [x, model] = [y, m];
  }
  return { x, model, root };
}

describe("views", () => {
  test("chains of views agree with loops, and share memory unless a reshape had to copy", () => {
    let shared = 0;
    holds(2500, draw => {
      const shape = draw(() => DRAWN_SHAPE);
      const root = arange(shape, draw(fc.boolean) ? "float32" : "int32");
      let x = root;
      let m = whole(shape);
      for (let k = draw(fc.integer, { min: 1, max: 5 }); k > 0 && m.positions.length < 300; k--) {
        const [y, n] = drawStep(draw, m, true)(x, m);
        expect(y.shape).toEqual(n.shape);
        expect(y.size).toBe(n.positions.length);
        expect(valuesOf(y)).toEqual(n.positions.map(p => p));
        expect(valuesOf(y.copy())).toEqual(n.positions);
        expect(valuesOf(np.add(y, 0))).toEqual(n.positions);
        if (y.storage === x.storage) shared++;
        else expect(String(y.shape) !== String(x.shape) && x.view !== null, "only a reshape of a view with gaps copies").toBe(true);
        // Strides say where each element is.
        if (y.storage === root.storage && y.size > 0)
          eachIndex(y.shape, index => {
            const offset = index.reduce((at, i, axis) => at + i * y.strides[axis]!, y.offset);
            expect(offset).toBe(n.positions[flat(y.shape, index)]);
          });
        [x, m] = [y, n];
      }
    });
    expect(shared).toBeGreaterThan(3000);
  });

  test("a write through a view shows in the root and in other views", () => {
    holds(800, draw => {
      const shape = draw(() => FULL_SHAPE);
      const root = arange(shape);
      const a = drawView(draw, shape, root, false);
      const b = drawView(draw, shape, root, false);
      a.x.iadd(1000);
      const expected = whole(shape).positions.map(p => (a.model.positions.includes(p) ? p + 1000 : p));
      expect(valuesOf(root)).toEqual(expected);
      expect(valuesOf(b.x)).toEqual(b.model.positions.map(p => expected[p]));
    });
  });

  test("gradients through chains of views come back to their places", () => {
    holds(800, draw => {
      const shape = draw(() => FULL_SHAPE);
      const leaf = arange(shape).attachGrad();
      const { y, model } = autograd.record(() => {
        const { x, model: m } = drawView(draw, shape, leaf);
        return { y: x, model: m };
      });
      const weights = model.positions.map((_, i) => (i % 7) - 3);
      y.backward(np.reshape(np.array(Float32Array.from(weights)), model.shape));
      const expected = new Array<number>(sizeOf(shape)).fill(0);
      model.positions.forEach((p, i) => {
        expected[p]! += weights[i]!;
      });
      expect(valuesOf(leaf.grad!).map(v => v + 0)).toEqual(expected.map(v => v + 0));
    });
  });

  test("sums over axes of views agree with loops", () => {
    holds(1000, draw => {
      const { x, model } = drawView(
        draw,
        draw(() => FULL_SHAPE),
      );
      const axes = model.shape.flatMap((_, i) => (draw(fc.boolean) ? [i] : []));
      const kept = model.shape.map((n, i) => (axes.includes(i) ? 1 : n));
      const totals = new Array<number>(sizeOf(kept)).fill(0);
      const largest = new Array<number>(sizeOf(kept)).fill(Number.NEGATIVE_INFINITY);
      eachIndex(model.shape, index => {
        const at = flat(
          kept,
          index.map((q, i) => (axes.includes(i) ? 0 : q)),
        );
        const v = model.positions[flat(model.shape, index)]!;
        totals[at]! += v;
        largest[at] = Math.max(largest[at]!, v);
      });
      expect(valuesOf(x.sum(axes, { keepdims: true }))).toEqual(totals);
      expect(valuesOf(x.max(axes))).toEqual(largest);
      expect(x.sum(axes).shape).toEqual(model.shape.filter((_, i) => !axes.includes(i)));
    });
  });

  test("iteration walks axis 0 in views", () => {
    holds(300, draw => {
      const { x } = drawView(
        draw,
        draw(() => FULL_SHAPE),
      );
      if (x.ndim === 0) expect(() => [...x]).toThrow(NablaError);
      else expect([...x].map(row => row.tolist())).toEqual(x.tolist());
    });
  });
});
