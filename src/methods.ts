/** The methods of NDArray: every function of members.ts, and what concerns an array itself. Typed by one mapped type. */
import { type ArrayInput, NDArray } from "./array.ts";
import { free } from "./backend/wasm/heap.ts";
import { describe, GradError, ValueError } from "./errors.ts";
import { at, set, update } from "./functions/indexing.ts";
import type { OneOrAll } from "./functions/joining.ts";
import type { TopkOptions, TopkReturn } from "./functions/network/nn.ts";
import { attach, checkReq, retain } from "./functions/recording.ts";
import { compress } from "./functions/searching.ts";
import type { Places, Unique, UniqueOptions } from "./functions/shaping.ts";
import type { Average, AverageOptions } from "./functions/statistics/moments.ts";
import { backwardOf } from "./grad.ts";
import { isMapped, Mapped } from "./mapped.ts";
import * as members from "./members.ts";
import { edgeOf } from "./op.ts";
import { remainder } from "./ops/arithmetic.ts";
import { add, divide, multiply, power, subtract } from "./ops/pointwise.ts";
import type { Axis } from "./ops/reduction.ts";
import { copy, reshape, transpose } from "./ops/structural.ts";
import { type GradReq, unrecorded } from "./tape.ts";

/** A function of an array and more, as a method of the array. */
type Method<F> = F extends (x: never, ...rest: infer R) => infer Y ? (...rest: R) => Y : never;
type MethodsOf<T> = { [K in keyof T]: Method<T[K]> };

/**
 * What of a module is listed in members.ts. From the module itself and not from the list: only where a function is
 * declared does its documentation stand, and only `Pick` carries it on. (topk, unique, average, where, atleast1d and its kin, whose results
 * depend on their arguments, are in Own; so is delete, which is exported under another name than its own.)
 */
type From<M> = MethodsOf<Pick<M, Exclude<keyof M & keyof typeof members, keyof Own | "delete">>>;

export type Methods = From<typeof import("./functions/indexing.ts")> &
  From<typeof import("./functions/creation.ts")> &
  From<typeof import("./functions/shaping.ts")> &
  From<typeof import("./functions/joining.ts")> &
  From<typeof import("./functions/products.ts")> &
  From<typeof import("./functions/network/layers.ts")> &
  From<typeof import("./functions/network/convolution.ts")> &
  From<typeof import("./functions/network/normalisation.ts")> &
  From<typeof import("./functions/comparison.ts")> &
  From<typeof import("./functions/network/nn.ts")> &
  From<typeof import("./functions/searching.ts")> &
  From<typeof import("./functions/statistics/moments.ts")> &
  From<typeof import("./functions/statistics/differences.ts")> &
  From<typeof import("./functions/statistics/quantiles.ts")> &
  From<typeof import("./functions/statistics/histogram.ts")> &
  From<typeof import("./ops/elementary.ts")> &
  From<typeof import("./ops/special.ts")> &
  From<typeof import("./ops/arithmetic.ts")> &
  From<typeof import("./ops/network/activations.ts")> &
  From<typeof import("./ops/scan.ts")> &
  From<typeof import("./ops/linalg/factorisation.ts")> &
  From<typeof import("./ops/linalg/products.ts")> &
  From<typeof import("./ops/pointwise.ts")> &
  From<typeof import("./ops/reduction.ts")> &
  From<typeof import("./ops/selection.ts")> &
  From<typeof import("./ops/structural.ts")> &
  MethodsOf<
    Pick<typeof members, "sub" | "mul" | "div" | "pow" | "neg" | "eq" | "ne" | "lt" | "le" | "gt" | "ge" | "trueDivide" | "amax" | "amin">
  > &
  Own;

/** What is a method only. */
export interface Own {
  /** The array with its axes reversed: a view. */
  readonly T: NDArray;
  /**
   * Makes the array a variable: allocates a gradient buffer of zeros, and forgets how the array was computed. Gives the
   * array. gradReq: "write" overwrites the buffer at each backward, "add" adds to it, "null" leaves it out.
   * @throws DTypeError for an integer or bool array, ValueError for another gradReq.
   * @example np.array([1, 2]).attachGrad().grad // array([0., 0.])
   */
  attachGrad(gradReq?: GradReq): NDArray;
  /** The gradient buffer, the same array at every read until attached again; null where there is none. */
  readonly grad: NDArray | null;
  /** Whether a backward has reached the array since it was attached or this was set to false. */
  gradIsFresh: boolean;
  /**
   * Writes the gradients of the sum of the elements (weighted by outGrad) into the buffers of the attached arrays it was
   * computed from.
   * @throws GradError without a graph, or where an earlier backward freed it; ShapeError for an outGrad of another shape.
   * @example
   * const x = np.array([1, 2]).attachGrad();
   * autograd.record(() => x.mul(x)).backward();
   * x.grad // array([2., 4.])
   */
  backward(outGrad?: ArrayInput | null, options?: { retainGraph?: boolean; trainMode?: boolean }): void;
  /**
   * The same memory without history: a constant for every later backward. A write to it writes to the array.
   * @example np.array([1, 2]).attachGrad().detach().grad // null
   */
  detach(): NDArray;
  /** Ends being a variable: the gradient buffer goes, and `grad` is null. Without a buffer it does nothing. */
  dropGrad(): NDArray;
  /** Sets the gradient buffer to zeros. Without a buffer it does nothing. */
  zeroGrad(): NDArray;
  /**
   * Keeps the gradient of a recorded intermediate at the next backward, without cutting its history as attachGrad would.
   * @throws GradError for an array that was not recorded.
   */
  retainGrad(): NDArray;
  /** `x += v`: in place. @throws GradError for an attached array while recording, DTypeError where the result does not fit. */
  iadd(v: ArrayInput): NDArray;
  /** `x -= v`: in place. @throws as iadd. */
  isub(v: ArrayInput): NDArray;
  /** `x *= v`: in place. @throws as iadd. */
  imul(v: ArrayInput): NDArray;
  /** `x /= v`: in place. @throws as iadd. */
  idiv(v: ArrayInput): NDArray;
  /** `x %= v`: in place. @throws as iadd. */
  imod(v: ArrayInput): NDArray;
  /** `x **= v`: in place. @throws as iadd. */
  ipow(v: ArrayInput): NDArray;
  /**
   * The k largest (or smallest) elements along an axis, as np's topk: positions (int32), values, both, or a mask.
   * @example np.array([3, 9, 5]).topk({ k: 2, retTyp: "value" }) // array([9., 5.])
   */
  topk<R extends TopkReturn = "indices">(options?: TopkOptions<R>): R extends "both" ? [NDArray, NDArray] : NDArray;
  /**
   * The array without the entries at positions of an axis, as np.delete; without an axis it is flattened first.
   * @example np.array([1, 2, 3]).delete(1) // array([1., 3.])
   */
  delete(i: Places, axis?: number | null): NDArray;
  /**
   * The different elements in ascending order, or the different entries along an axis, as np.unique; a list where more is
   * asked for.
   * @example np.array([3, 1, 3]).unique() // array([1., 3.])
   */
  unique<O extends UniqueOptions>(options?: O): Unique<O>;
  /**
   * The weighted mean over axes (all of them by default), as np.average; with `returned` a list, the mean and the sum of the
   * weights.
   * @example np.array([1, 2, 3]).average(null, { weights: [3, 1, 0] }) // array(1.25)
   */
  average<O extends AverageOptions>(axis?: Axis, options?: O): Average<O>;
  /**
   * With two arrays: elements of x where the array, as a condition, holds, else of y; alone: its nonzero. As np.where.
   * @example np.array([true, false]).where([1, 2], [3, 4]) // array([1., 4.])
   */
  where<B extends readonly [] | readonly [x: ArrayInput, y: ArrayInput]>(...branches: B): B extends readonly [] ? NDArray[] : NDArray;
  /**
   * The entries along an axis (of the flattened array by default) where a list of conditions holds. NumPy's compress.
   * @throws ShapeError unless the condition has one axis, IndexError where it holds beyond the end.
   * @example np.array([5, 6, 7]).compress([true, false, true]) // array([5., 7.])
   */
  compress(condition: ArrayInput, axis?: number | null): NDArray;
  /**
   * The array, a 0-d one with one axis, as np.atleast1d; with others the list of all.
   * @example np.array(5).atleast1d() // array([5.])
   */
  atleast1d<Others extends readonly ArrayInput[]>(...others: Others): OneOrAll<Others>;
  /**
   * The array with at least two axes, as np.atleast2d; with others the list of all.
   * @example np.array([1, 2]).atleast2d() // array([[1., 2.]])
   */
  atleast2d<Others extends readonly ArrayInput[]>(...others: Others): OneOrAll<Others>;
  /**
   * The array with at least three axes, as np.atleast3d; with others the list of all.
   * @example np.array([1, 2]).atleast3d().shape // [ 1, 2, 1 ]
   */
  atleast3d<Others extends readonly ArrayInput[]>(...others: Others): OneOrAll<Others>;
  /** A copy of the elements as a 1-d array. @example np.eye(2).flatten() // array([1., 0., 0., 1.]) */
  flatten(): NDArray;
  /** The entries along axis 0. @throws ValueError for a 0-d array. */
  [Symbol.iterator](): IterableIterator<NDArray>;
  /** Releases the memory at once. Never needed; using the array afterwards is a ValueError. */
  [Symbol.dispose](): void;
}

const dispose: typeof Symbol.dispose = Symbol.dispose ?? (Symbol.for("Symbol.dispose") as typeof Symbol.dispose);

const own: ThisType<NDArray> & Record<string | symbol, unknown> = {
  attachGrad(gradReq: GradReq = "write"): NDArray {
    attach(this, checkReq(gradReq, "attachGrad"), "attachGrad");
    return this;
  },
  backward(outGrad: unknown = null, options?: { retainGraph?: boolean; trainMode?: boolean }): void {
    backwardOf(this, outGrad, options);
  },
  detach(): NDArray {
    if (isMapped(this)) return new Mapped(this.physical.detach(), this.level);
    const y = new NDArray(this.storage, this.offset, this.shape, this.view, this.size, this.code);
    y.cause = "detach";
    return y;
  },
  dropGrad(): NDArray {
    const node = this.edge;
    if (node === null) return this;
    if (node.row === null) this.edge = null;
    else node.variable = null;
    return this;
  },
  zeroGrad(): NDArray {
    const variable = edgeOf(this)?.variable ?? null;
    if (variable === null) return this;
    unrecorded(() => set(variable.buffer, 0));
    variable.fresh = false;
    return this;
  },
  retainGrad(): NDArray {
    retain(this);
    return this;
  },
  iadd(v: ArrayInput): NDArray {
    return update("iadd", add, this, v);
  },
  isub(v: ArrayInput): NDArray {
    return update("isub", subtract, this, v);
  },
  imul(v: ArrayInput): NDArray {
    return update("imul", multiply, this, v);
  },
  idiv(v: ArrayInput): NDArray {
    return update("idiv", divide, this, v);
  },
  imod(v: ArrayInput): NDArray {
    return update("imod", remainder, this, v);
  },
  ipow(v: ArrayInput): NDArray {
    return update("ipow", power, this, v);
  },
  compress(condition: ArrayInput, axis?: number | null): NDArray {
    return compress(condition, this, axis);
  },
  flatten(): NDArray {
    return reshape(copy(this), [this.size]);
  },
  *[Symbol.iterator](): IterableIterator<NDArray> {
    if (this.ndim === 0) throw new ValueError("iteration: a 0-d array has no axis to walk along; use item()");
    for (let i = 0; i < this.shape[0]!; i++) yield at(this, i);
  },
  [dispose](): void {
    if (this.storage.block.saved > 0)
      throw new GradError("dispose: a graph still needs this array; drop the graph or run its backward first");
    free(this.storage.block);
  },
};

const accessors: Record<string, PropertyDescriptor & ThisType<NDArray>> = {
  T: {
    get(): NDArray {
      return transpose(this);
    },
  },
  grad: {
    get(): NDArray | null {
      return this.edge?.variable?.buffer ?? null;
    },
  },
  gradIsFresh: {
    get(): boolean {
      return this.edge?.variable?.fresh ?? false;
    },
    set(fresh: boolean): void {
      if (typeof fresh !== "boolean") throw new ValueError(`gradIsFresh: expected true or false, got ${describe(fresh)}`);
      const variable = this.edge?.variable ?? null;
      if (variable === null) throw new GradError("gradIsFresh: this array has no gradient; call attachGrad first");
      variable.fresh = fresh;
    },
  },
};

/** A function of an array as a method; pointwise ones, which are called most, without spreading arguments. */
function asMethod(fn: (...args: never[]) => unknown): unknown {
  const call = fn as unknown as (...args: unknown[]) => unknown;
  if ("op" in fn && fn.length >= 2 && fn.length <= 3)
    return fn.length === 2
      ? function (this: NDArray, options: unknown) {
          return call(this, options);
        }
      : function (this: NDArray, x2: unknown, options: unknown) {
          return call(this, x2, options);
        };
  return function (this: NDArray, ...rest: unknown[]) {
    return call(this, ...rest);
  };
}

function define(key: PropertyKey, descriptor: PropertyDescriptor): void {
  Object.defineProperty(NDArray.prototype, key, { ...descriptor, configurable: true });
}

// No loops: for one outside of functions V8 compiles the whole file once more.
Object.entries(members).forEach(([name, fn]) => {
  define(name, { value: asMethod(fn as (...args: never[]) => unknown), writable: true });
});
Reflect.ownKeys(own).forEach(key => {
  define(key, { value: own[key as string], writable: true });
});
Object.entries(accessors).forEach(([name, accessor]) => {
  define(name, accessor);
});

export { NDArray };
