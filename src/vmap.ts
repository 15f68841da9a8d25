/**
 * A function of arrays as a function of batches of them: the function runs once, on arrays that hide the batch axis, and
 * every row it calls is applied to all entries together. What a row needs for that is one line of the row.
 */
import { type ArrayInput, NDArray } from "./array.ts";
import { isWide, toArray } from "./convert.ts";
import { checkFunction, describe, GradError, ShapeError, ValueError } from "./errors.ts";
import { at } from "./functions/indexing.ts";
import { stack } from "./functions/joining.ts";
import { entries, isMapped, Mapped, type Mapper, mapping, unwrapped, withMapping, wrapped } from "./mapped.ts";
import type { HasRow } from "./op.ts";
import { broadcastTo, reshape, transpose } from "./ops/structural.ts";
import { broadcastShapes, type Shape, showShape, toAxis } from "./shape.ts";

const levelOf = (xs: readonly unknown[]): number => xs.reduce<number>((level, x) => (isMapped(x) ? Math.max(level, x.level) : level), 0);

const isAt = (x: unknown, level: number): x is Mapped => isMapped(x) && x.level === level;

/** With axes of size 1 after the first, so that the others are `ndim`. */
function aligned(x: NDArray, ndim: number): NDArray {
  const missing = ndim + 1 - x.ndim;
  return missing <= 0 ? x : reshape(x, [x.shape[0]!, ...new Array<number>(missing).fill(1), ...x.shape.slice(1)]);
}

const rules: Mapper = {
  broadcast(fn, xs, operator) {
    const level = levelOf(xs);
    const wide = xs.find(isWide) as NDArray | undefined;
    const given = xs.map(x => (typeof x === "number" ? x : toArray(x as ArrayInput, operator, wide)));
    let shape: Shape = [];
    for (const x of given) if (typeof x !== "number") shape = broadcastShapes(shape, x.shape, operator);
    return new Mapped(fn(given.map(x => (isAt(x, level) ? aligned(x.physical, shape.length) : x))), level);
  },
  structural(fn, rule, xs, attrs) {
    const level = levelOf(xs);
    const n = entries[level - 1]!;
    const has = xs.map(x => isAt(x, level));
    const physical = xs.map(x => (isAt(x, level) ? x.physical : x));
    const prepared = (change: (x: NDArray) => NDArray, mapped: boolean): NDArray[] =>
      physical.map((x, i) => (has[i] === mapped ? change(x) : x));
    const applied = (): NDArray => {
      if (rule.mapped !== undefined) return rule.mapped(physical, has, attrs, n);
      if (rule.broadcasts === true) {
        const ndim = Math.max(...xs.map(x => x.ndim));
        return fn(
          prepared(x => aligned(x, ndim), true),
          attrs,
        );
      }
      if (rule.lift !== undefined)
        return fn(
          prepared(x => broadcastTo(x, [n, ...x.shape]), false),
          rule.lift(attrs, n),
        );
      // One entry after the other.
      if (n === 0) throw new ValueError("vmap: there are no entries, and an operator inside is only known for each entry alone");
      return stack(
        Array.from({ length: n }, (_, k) =>
          fn(
            prepared(x => at(x, k), true),
            attrs,
          ),
        ),
      );
    };
    return new Mapped(applied(), level);
  },
  everywhere: x => mappedEverywhere(x),
};

/** The array with an axis in front for each of the first `count` levels. */
function filledUp(x: NDArray, count: number): NDArray {
  const [inner, levels] = unwrapped(x);
  if (levels.length === count) return inner;
  const wanted = entries.slice(0, count);
  const rest = inner.shape.slice(levels.length);
  const kept = wanted.map((n, i) => (levels.includes(i + 1) ? n : 1));
  return broadcastTo(reshape(inner, [...kept, ...rest]), [...wanted, ...rest]);
}

/** The array as one that the first `count` vmaps (all by default) map over. @internal */
export const mappedEverywhere = (x: NDArray, count = mapping): NDArray => wrapped(filledUp(x, count), 0, count);

/** The axes of the levels above `levels` moved before the others, so that these can be seen as plain axes. @internal */
export function lower(x: NDArray, levels: number): NDArray {
  const all = filledUp(x, mapping);
  if (levels === mapping) return all;
  const axes = [...all.shape.keys()];
  return wrapped(transpose(all, [...axes.slice(levels, mapping), ...axes.slice(0, levels), ...axes.slice(mapping)]), levels);
}

/** What `lower` was given, from its result. @internal */
export function raise(x: NDArray, levels: number): NDArray {
  const above = mapping - levels;
  if (above === 0) return wrapped(x);
  // What does not depend on the mapped levels has not got their axes yet.
  const [inner, have] = unwrapped(x);
  const rest = inner.shape.slice(have.length);
  const kept = entries.slice(levels).map((n, i) => (have.includes(levels + i + 1) ? n : 1));
  const all = broadcastTo(reshape(inner, [...kept, ...rest]), [...entries.slice(levels), ...rest]);
  const axes = [...all.shape.keys()];
  return wrapped(transpose(all, [...axes.slice(above, mapping), ...axes.slice(0, above), ...axes.slice(mapping)]));
}

type Axes = number | null | readonly (number | null)[];

function axesOf(inAxes: Axes, count: number): readonly (number | null)[] {
  const list = typeof inAxes === "number" || inAxes === null ? new Array<number | null>(count).fill(inAxes) : inAxes;
  if (!Array.isArray(list) || list.length !== count || list.some(a => a !== null && !Number.isInteger(a)))
    throw new ValueError(
      `vmap: inAxes are a whole number or null, or a list with one of them for each of ${count} arguments, got ${describe(inAxes)}`,
    );
  return list;
}

/** The axis in front, the others in order. */
function toFront(x: NDArray, axis: number): NDArray {
  return axis === 0 ? x : transpose(x, [axis, ...[...x.shape.keys()].filter(i => i !== axis)]);
}

/**
 * The function that applies f to every entry along an axis of its arguments, all at once: `inAxes` says along which
 * axis of each (one for all, or a list; null for an argument that is the same for every entry). f is run once, on arrays
 * without that axis, whose values it cannot read; its results get the entries along their first axis. A list of results
 * gives a list. Nests with itself and with grad in any order. JAX's vmap.
 * @throws ShapeError where axes differ in length or are not there; ValueError where f reads values or writes in place.
 * @example vmap(x => np.dot(x, x))([[1, 2], [3, 4]]) // array([ 5., 25.])
 * @example vmap(grad(x => x.pow(3).sum()))([[1, 2], [3, 4]]) // array([[ 3., 12.],\n       [27., 48.]])
 */
export function vmap<R extends NDArray | readonly NDArray[] = NDArray>(
  f: ((...args: NDArray[]) => R) | HasRow,
  inAxes: Axes = 0,
): (...args: ArrayInput[]) => R extends NDArray ? NDArray : NDArray[] {
  checkFunction("vmap", f);
  return (...args) => {
    const axes = axesOf(inAxes, args.length);
    let n = -1;
    const given = args.map((arg, i) => {
      const x = toArray(arg, "vmap");
      const axis = axes[i]!;
      if (axis === null) return x;
      if (x.ndim === 0) throw new ShapeError(`vmap: argument ${i} is 0-d, so it has no axis ${axis}; give null for it in inAxes`);
      const y = toFront(x, toAxis(axis, x.ndim, "vmap"));
      if (n >= 0 && y.shape[0] !== n)
        throw new ShapeError(
          `vmap: argument ${i} of shape ${showShape(x.shape)} has ${y.shape[0]} entries along axis ${axis}, others have ${n}; they must be equal`,
        );
      n = y.shape[0]!;
      return y;
    });
    if (n < 0) throw new ValueError("vmap: no argument is mapped; at least one of inAxes must be an axis");
    return withMapping(rules, n, level => {
      const result: unknown = (f as (...args: NDArray[]) => R)(...given.map((x, i) => (axes[i] === null ? x : new Mapped(x, level))));
      const collect = (y: unknown): NDArray => {
        if (!(y instanceof NDArray)) throw new GradError(`vmap: the function must return an array or a list of arrays, got ${describe(y)}`);
        return isAt(y, level) ? y.physical : broadcastTo(y, [n, ...y.shape]);
      };
      return (Array.isArray(result) ? result.map(collect) : collect(result)) as R extends NDArray ? NDArray : NDArray[];
    });
  };
}
