/** Layers of neural networks as functions: compositions, with gradients of any order. */
import { type ArrayInput, addressOf, memoryOf, type NDArray } from "../../array.ts";
import { toArray } from "../../convert.ts";
import { I32, SHIFT } from "../../dtype.ts";
import { checkOptions, describe, flag, ShapeError, under, ValueError } from "../../errors.ts";
import { type Structural, structural } from "../../op.ts";
import { matmul } from "../../ops/linalg/products.ts";
import { elu, gelu, leakyRelu, logSigmoid, mish, selu, silu, softrelu, softsign } from "../../ops/network/activations.ts";
import { add, clip, greaterEqual, maximum, multiply, relu, sigmoid, tanh, where } from "../../ops/pointwise.ts";
import { broadcastTo, checkPositions, copy, gathered, putAdded, reshape, swapaxes, transpose, zeroed } from "../../ops/structural.ts";
import { onesOf, type Shape, sameShape, showShape, sizeOf } from "../../shape.ts";
import { at, valueFor } from "../indexing.ts";
import { alongAxis, floating, perEntry, within } from "./nn.ts";

// ---- activations made of others

/**
 * x above 0, gamma·x below, with one gamma or one for each channel (axis 1); gamma learns. Slope gamma at 0. MXNet's
 * npx.leaky_relu "prelu".
 * @throws ShapeError for a gamma that has neither one element nor one for each channel.
 * @example npx.prelu([[-4, -4, 2]], [0.25, 0.5, 1]) // array([[-1., -2.,  2.]])
 */
export function prelu(x: ArrayInput, gamma: ArrayInput): NDArray {
  const a = toArray(x, "prelu", gamma);
  const g = toArray(gamma, "prelu", x);
  if (g.size === 1) return leakyRelu(a, reshape(g, []));
  return leakyRelu(a, perEntry(g, a, a.ndim < 2 ? 0 : 1, "prelu", "gamma"));
}

/**
 * clip(alpha·x + beta, 0, 1): sigmoid in three straight pieces; slope alpha on both ends of the middle one. MXNet's
 * npx.hard_sigmoid.
 * @example npx.hardSigmoid([-4, 0, 1]) // array([0. , 0.5, 0.7])
 */
export function hardSigmoid(x: ArrayInput, alpha?: number | null, beta?: number | null): NDArray {
  const a = floating(x, "hardSigmoid");
  return under("hardSigmoid", () => clip(add(multiply(a, alpha ?? 0.2), beta ?? 0.5), 0, 1));
}

const ACTIVATIONS: Readonly<Record<string, (x: ArrayInput) => NDArray>> = {
  relu,
  sigmoid,
  tanh,
  softrelu,
  softplus: softrelu,
  softsign,
  logSigmoid,
  log_sigmoid: logSigmoid,
  mish,
  silu,
  gelu,
  elu,
  selu,
  leakyRelu,
  hardSigmoid,
};

/**
 * An activation by its name: "relu", "sigmoid", "tanh", "softrelu", "softsign", "logSigmoid" (or MXNet's "log_sigmoid"),
 * "mish", "silu", "gelu", "elu", "selu", "leakyRelu" or "hardSigmoid". MXNet's npx.activation.
 * @throws ValueError for another name.
 * @example npx.activation([-1, 2], "relu") // array([0., 2.])
 */
export function activation(x: ArrayInput, actType: string): NDArray {
  const a = toArray(x, "activation");
  if (typeof actType !== "string" || !Object.hasOwn(ACTIVATIONS, actType))
    throw new ValueError(`activation: actType is one of ${Object.keys(ACTIVATIONS).join(", ")}, got ${describe(actType)}`);
  return ACTIVATIONS[actType]!(a);
}

// ---- positions

/**
 * The rows of a table that `index` names, in its shape; the table's gradient adds at rows named twice. A negative
 * position counts from the end. MXNet's npx.embedding.
 * @throws IndexError for a position out of range.
 * @example npx.embedding([2, 0], [[1, 2], [3, 4], [5, 6]]) // array([[5., 6.],\n       [1., 2.]])
 */
export function embedding(index: ArrayInput, weight: ArrayInput): NDArray {
  const given = toArray(index, "embedding");
  const table = toArray(weight, "embedding");
  if (table.ndim === 0) throw new ShapeError("embedding: the table is 0-d; wanted (rows, columns)");
  return gathered([table, checkPositions(given, 0, table.shape[0]!, "embedding")], 0);
}

/** The shape of x with its first axes made one, and the positions in that one that the columns of `indices` name. */
function columns(x: NDArray, indices: ArrayInput, operator: string): [Shape, NDArray] {
  const given = toArray(indices, operator);
  const m = given.shape[0] ?? 0;
  if (m === 0 || m > x.ndim)
    throw new ShapeError(
      `${operator}: indices of shape ${showShape(given.shape)} for an array of shape ${showShape(x.shape)}; wanted (m, …) with positions in its first m axes`,
    );
  const rows = x.shape.slice(0, m).map((n, axis) => checkPositions(at(given, axis), axis, n, operator));
  const places = rows.reduce((flat, row, axis) => add(multiply(flat, x.shape[axis]!), row));
  return [[sizeOf(x.shape.slice(0, m)), ...x.shape.slice(m)], places];
}

/**
 * The elements, or blocks of the last axes, at positions that stand in the columns of `indices` (m, …): row i holds the
 * positions in axis i. The result has the shape of a row, then the axes that are left. MXNet's npx.gather_nd.
 * @throws IndexError for a position out of range, ShapeError for more rows than axes.
 * @example npx.gatherNd([[1, 2], [3, 4]], [[0, 1], [1, 0]]) // array([2., 3.])
 */
export function gatherNd(x: ArrayInput, indices: ArrayInput): NDArray {
  const a = toArray(x, "gatherNd");
  const [shape, places] = columns(a, indices, "gatherNd");
  return gathered([reshape(a, shape), places], 0);
}

/**
 * A copy of x with `value` added at positions as gatherNd's; what is named twice is added twice. `value` broadcasts, and
 * is cast to the dtype of x. MXNet's npx.index_add.
 * @throws IndexError for a position out of range, ShapeError where shapes do not fit.
 * @example npx.indexAdd([1, 2, 3], [[0, 0]], [10, 20]) // array([31.,  2.,  3.])
 */
export function indexAdd(x: ArrayInput, indices: ArrayInput, value: ArrayInput): NDArray {
  const a = toArray(x, "indexAdd");
  const [shape, places] = columns(a, indices, "indexAdd");
  const v = valueFor(value, a.code, [...places.shape, ...shape.slice(1)], "indexAdd");
  return add(a, reshape(putAdded([v, places], { axis: 0, shape }), a.shape));
}

/** For each of n entries the number of the last position that names it, -1 where none does. */
const lastNaming: Structural<number> = structural("lastNaming", {
  kind: "selection",
  run: ([places], n) => {
    const y = zeroed([n], I32);
    const list = places!.toTypedArray();
    const start = addressOf(y) >> SHIFT[I32]!;
    const memory = memoryOf(I32).subarray(start, start + n);
    memory.fill(-1);
    list.forEach((place, i) => {
      memory[place] = i;
    });
    return y;
  },
  grad: null,
});

/**
 * A copy of x with `value` in the places that gatherNd would read; of several values for one place the last stays, and
 * only that one has a gradient. `value` broadcasts, and is cast to the dtype of x. MXNet's npx.index_update.
 * @throws IndexError for a position out of range, ShapeError where shapes do not fit.
 * @example npx.indexUpdate([1, 2, 3], [[0, 0]], [10, 20]) // array([20.,  2.,  3.])
 */
export function indexUpdate(x: ArrayInput, indices: ArrayInput, value: ArrayInput): NDArray {
  const a = toArray(x, "indexUpdate");
  const [shape, places] = columns(a, indices, "indexUpdate");
  const rest = shape.slice(1);
  const v = valueFor(value, a.code, [...places.shape, ...rest], "indexUpdate");
  if (v.size === 0) return copy(a);
  const source = lastNaming([places], shape[0]!);
  const values = gathered([reshape(v, [places.size, ...rest]), maximum(source, 0)], 0);
  return reshape(where(alongAxis(greaterEqual(source, 0), 0, shape.length), values, reshape(a, shape)), a.shape);
}

export interface SequenceMaskOptions {
  /** What stands in the place of what was masked. */
  value?: number;
  /** The axis of time: 0 for (time, batch, …), 1 for (batch, time, …). */
  axis?: number;
}

/**
 * Sequences in a batch with everything from their lengths on replaced by `value`; gradients there are 0. Without lengths
 * a copy of the array. MXNet's npx.sequence_mask.
 * @throws ShapeError unless there is one length for each sequence, ValueError for an axis other than 0 and 1.
 * @example npx.sequenceMask([[1, 2, 3], [4, 5, 6]], [1, 2], { axis: 1 }) // array([[1., 0., 0.],\n       [4., 5., 0.]])
 */
export function sequenceMask(x: ArrayInput, length?: ArrayInput | null, options?: SequenceMaskOptions): NDArray {
  const a = toArray(x, "sequenceMask");
  checkOptions("sequenceMask", options, ["value", "axis"]);
  const { value = 0, axis = 0 } = options ?? {};
  if (axis !== 0 && axis !== 1) throw new ValueError(`sequenceMask: axis is 0 or 1, got ${describe(axis)}`);
  if (typeof value !== "number") throw new ValueError(`sequenceMask: value is a number, got ${describe(value)}`);
  if (length === undefined || length === null) return copy(a);
  const n = toArray(length, "sequenceMask");
  if (a.ndim < 2 || n.ndim !== 1 || n.size !== a.shape[1 - axis])
    throw new ShapeError(
      `sequenceMask: lengths of shape ${showShape(n.shape)} for an array of shape ${showShape(a.shape)}; wanted one for each entry along axis ${1 - axis}`,
    );
  const mask = within(n, a.shape[axis]!, axis);
  return where(reshape(mask, [...mask.shape, ...onesOf(a.ndim - 2)]), a, value);
}

// ---- shapes

/**
 * The elements of x in the shape of another array. MXNet's npx.reshape_like.
 * @throws ShapeError where sizes differ.
 * @example npx.reshapeLike([1, 2, 3, 4], [[0, 0], [0, 0]]) // array([[1., 2.],\n       [3., 4.]])
 */
export function reshapeLike(x: ArrayInput, like: ArrayInput): NDArray {
  const a = toArray(x, "reshapeLike");
  return under("reshapeLike", () => reshape(a, toArray(like, "reshapeLike").shape));
}

/**
 * x repeated to the shape of another array, as a view. MXNet's npx.broadcast_like.
 * @throws ShapeError where that is no broadcast of x's.
 * @example npx.broadcastLike([1, 2], [[0, 0], [0, 0]]) // array([[1., 2.],\n       [1., 2.]])
 */
export function broadcastLike(x: ArrayInput, like: ArrayInput): NDArray {
  const a = toArray(x, "broadcastLike");
  return under("broadcastLike", () => broadcastTo(a, toArray(like, "broadcastLike").shape));
}

/**
 * All axes but the first made one: (n, …) becomes (n, m). A view where strides allow. MXNet's npx.batch_flatten.
 * @throws ShapeError for a 0-d array.
 * @example npx.batchFlatten([[[1, 2], [3, 4]]]) // array([[1., 2., 3., 4.]])
 */
export function batchFlatten(x: ArrayInput): NDArray {
  const a = toArray(x, "batchFlatten");
  if (a.ndim === 0) throw new ShapeError("batchFlatten: a 0-d array has no first axis to keep; use reshape");
  return reshape(a, [a.shape[0]!, sizeOf(a.shape.slice(1))]);
}

// ---- products

export interface BatchDotOptions {
  /** Exchange the last two axes of the first operand. */
  transposeA?: boolean;
  /** Exchange the last two axes of the second operand. */
  transposeB?: boolean;
}

/**
 * The matrix products of the entries of two batches: (…, m, k) and (…, k, n) give (…, m, n). MXNet's npx.batch_dot.
 * @throws ShapeError unless all leading axes are equal, and the inner ones fit.
 * @example npx.batchDot([[[1, 2]]], [[[3, 4]]], { transposeB: true }) // array([[[11.]]])
 */
export function batchDot(a: ArrayInput, b: ArrayInput, options?: BatchDotOptions): NDArray {
  const x = toArray(a, "batchDot", b);
  const y = toArray(b, "batchDot", a);
  checkOptions("batchDot", options, ["transposeA", "transposeB"]);
  const [left, right] = (["transposeA", "transposeB"] as const).map(name => flag("batchDot", name, options?.[name], false));
  const inner = x.shape.at(left ? -2 : -1);
  if (x.ndim < 3 || !sameShape(x.shape.slice(0, -2), y.shape.slice(0, -2)) || inner !== y.shape.at(right ? -1 : -2))
    throw new ShapeError(
      `batchDot: shapes ${showShape(x.shape)} and ${showShape(y.shape)} do not fit${left || right ? " with these transpositions" : ""}; wanted (…, m, k) and (…, k, n) with at least one more axis, the same in both`,
    );
  return matmul(left ? swapaxes(x, -1, -2) : x, right ? swapaxes(y, -1, -2) : y);
}

export interface FullyConnectedOptions {
  /** Make all axes but the first one (the default); else the last axis alone is the input, and the others stay. */
  flatten?: boolean;
}

/**
 * x·weightᵀ + bias, with a weight of shape (units, in) and a bias of shape (units,) or none. MXNet's npx.fully_connected.
 * @throws ShapeError where the shapes do not fit.
 * @example npx.fullyConnected([[1, 2]], [[1, 0], [0, 1], [1, 1]], [0, 0, 10]) // array([[ 1.,  2., 13.]])
 */
export function fullyConnected(x: ArrayInput, weight: ArrayInput, bias?: ArrayInput | null, options?: FullyConnectedOptions): NDArray {
  const given = toArray(x, "fullyConnected", weight);
  const w = toArray(weight, "fullyConnected", x);
  checkOptions("fullyConnected", options, ["flatten"]);
  const flatten = flag("fullyConnected", "flatten", options?.flatten, true);
  if (given.ndim === 0) throw new ShapeError("fullyConnected: x is 0-d; wanted (batch, …)");
  const a = flatten && given.ndim !== 2 ? batchFlatten(given) : given;
  const inputs = a.shape.at(-1)!;
  if (w.ndim !== 2 || w.shape[1] !== inputs)
    throw new ShapeError(
      `fullyConnected: a weight of shape ${showShape(w.shape)} for x of shape ${showShape(given.shape)}; wanted (units, ${inputs})`,
    );
  const y = matmul(a, transpose(w));
  if (bias === undefined || bias === null) return y;
  return add(y, perEntry(toArray(bias, "fullyConnected", y), y, y.ndim - 1, "fullyConnected", "bias"));
}
