/** Derivatives of functions: gradients, Jacobians and their products, of any order, over the walk. */
import { type ArrayInput, NDArray } from "../array.ts";
import { toArray } from "../convert.ts";
import { filled } from "../cotangent.ts";
import { F64, isFloat } from "../dtype.ts";
import { checkFunction, checkOptions, DTypeError, describe, GradError, ShapeError, ValueError, wholeNumber } from "../errors.ts";
import { stack } from "../functions/joining.ts";
import { record, within } from "../functions/recording.ts";
import { cotangents } from "../grad.ts";
import { mapping, physicalOf, wrapped } from "../mapped.ts";
import { type ArrayFunction, liftNothing, type Structural, structural } from "../op.ts";
import { add, multiply } from "../ops/pointwise.ts";
import { sum } from "../ops/reduction.ts";
import { astype, reshape, zeroed } from "../ops/structural.ts";
import { sameShape, showShape } from "../shape.ts";
import { leaf, recording } from "../tape.ts";
import { lower, mappedEverywhere, raise } from "../vmap.ts";
import { isDirect, push } from "./forward.ts";

type Fn = ((...args: never[]) => NDArray) | ArrayFunction;

const callWith = (f: Fn, args: readonly unknown[]): NDArray => (f as (...args: unknown[]) => NDArray)(...args);

const alias: Structural<null> = structural("alias", {
  linear: "jointly",
  run: ([x]) => new NDArray(x!.storage, x!.offset, x!.shape, x!.view, x!.size, x!.code),
  grad: g => [g],
  lift: liftNothing,
});

/** An argument as a variable of its own, that still passes gradients on to an outer graph it comes from. */
function variable(x: ArrayInput, operator: string): NDArray {
  const a = toArray(x, operator);
  if (!isFloat(a.code))
    throw new DTypeError(`${operator}: an argument is ${a.dtype}, which has no derivative; use astype("float32") first`);
  // Under vmap every entry has a derivative of its own, also with respect to what all entries share.
  const v = alias([mapping > 0 ? mappedEverywhere(a) : a], null);
  const physical = physicalOf(v);
  if (physical.edge === null) physical.edge = leaf();
  return v;
}

interface Recorded {
  readonly y: NDArray;
  readonly variables: NDArray[];
  /** Whether derivatives are to be recorded in their turn. */
  readonly nested: boolean;
  /** How many vmaps were under way. */
  readonly levels: number;
}

/** Runs f with the arguments at `argnums` as variables. */
function trace(operator: string, f: Fn, args: readonly ArrayInput[], argnums: readonly number[]): Recorded {
  const nested = recording;
  const variables: NDArray[] = [];
  const traced = (): NDArray => {
    const given: unknown[] = args.slice();
    for (const i of argnums) {
      if (i >= args.length) throw new ValueError(`${operator}: argument ${i} is wanted, but ${args.length} are given`);
      const first = argnums.indexOf(i);
      const v = first < variables.length ? variables[first]! : variable(args[i]!, operator);
      given[i] = v;
      variables.push(v);
    }
    return callWith(f, given);
  };
  const y = within(operator, [traced], true, true);
  if (!(y instanceof NDArray)) throw new GradError(`${operator}: the function must return an array, got ${describe(y)}`);
  return { y, variables, nested, levels: mapping };
}

function pullBack({ y, variables, nested, levels }: Recorded, g: NDArray, retainGraph: boolean): NDArray[] {
  const how = { createGraph: nested, retainGraph: retainGraph || nested };
  if (mapping === 0) return cotangents(y, variables, g, how);
  // The tape knows arrays as they lie in memory; vmaps that came after the function ran map over cotangents only.
  const gs = cotangents(physicalOf(mappedEverywhere(y, levels)), variables.map(physicalOf), lower(g, levels), how);
  return gs.map(part => raise(part, levels));
}

function argumentNumbers(operator: string, argnums: number | readonly number[]): readonly number[] {
  const list = typeof argnums === "number" ? [argnums] : argnums;
  if (!Array.isArray(list) || list.length === 0 || Array.from(list).some(i => !Number.isInteger(i) || i < 0))
    throw new ValueError(`${operator}: argnums are positions of arguments, counted from 0, got ${describe(argnums)}`);
  return list;
}

function checkScalar(operator: string, y: NDArray): void {
  if (y.ndim !== 0)
    throw new GradError(`${operator}: the function's value has shape ${showShape(y.shape)}, but must be 0-d; use jacobian, or sum it`);
}

type Grad<N> = N extends number ? NDArray : NDArray[];

/**
 * The function that gives f's value and its gradient with respect to the argument(s) at `argnums`. JAX's value_and_grad.
 * @throws GradError if f's value is not 0-d.
 * @example valueAndGrad(x => x.mul(x).sum())([1, 2]) // [array(5.), array([2., 4.])]
 */
export function valueAndGrad<N extends number | readonly number[] = 0>(
  f: ArrayFunction,
  argnums?: N,
): (...args: ArrayInput[]) => [NDArray, Grad<N>] {
  checkFunction("valueAndGrad", f);
  const numbers = argumentNumbers("valueAndGrad", argnums ?? 0);
  return (...args) => {
    const traced = trace("valueAndGrad", f, args, numbers);
    checkScalar("valueAndGrad", traced.y);
    const gs = pullBack(traced, filled([], traced.y.code, 1), false);
    const value = traced.nested ? traced.y : withoutGraph(traced.y);
    return [value, (Array.isArray(argnums) ? gs : gs[0]!) as Grad<N>];
  };
}

/** The same contents without history; what a transform returns outside of recording. */
function withoutGraph(y: NDArray): NDArray {
  const x = physicalOf(y);
  const bare = new NDArray(x.storage, x.offset, x.shape, x.view, x.size, x.code);
  return x === y ? bare : wrapped(bare);
}

/**
 * The function that gives the gradient of f with respect to the argument(s) at `argnums`: one array for one number, a
 * list for a list. It takes derivatives itself, to any order: grad(grad(f)). Where f does not depend on an argument, zeros.
 * JAX's grad.
 * @throws GradError if f's value is not 0-d; use jacobian there.
 * @example grad(x => x.pow(3))(2) // array(12.)
 * @example grad(grad(x => x.pow(3)))(2) // array(12.)
 */
export function grad<N extends number | readonly number[] = 0>(f: ArrayFunction, argnums?: N): (...args: ArrayInput[]) => Grad<N> {
  checkFunction("grad", f);
  const numbers = argumentNumbers("grad", argnums ?? 0);
  return (...args) => {
    const traced = trace("grad", f, args, numbers);
    checkScalar("grad", traced.y);
    const gs = pullBack(traced, filled([], traced.y.code, 1), false);
    return (Array.isArray(argnums) ? gs : gs[0]!) as Grad<N>;
  };
}

/**
 * The value of f at the arguments, and the function that pulls a cotangent of the value back to them: one array for one
 * argument, a list for several. JAX's vjp.
 * @example vjp(x => x.mul(x), [1, 2])[1]([1, 10]) // array([ 2., 40.])
 */
export function vjp(f: ArrayFunction, ...args: ArrayInput[]): [NDArray, (g: ArrayInput) => NDArray | NDArray[]] {
  checkFunction("vjp", f);
  const traced = trace(
    "vjp",
    f,
    args,
    args.map((_, i) => i),
  );
  const pull = (g: ArrayInput): NDArray | NDArray[] => {
    const seed = toArray(g, "vjp");
    if (!sameShape(seed.shape, traced.y.shape))
      throw new ShapeError(
        `vjp: the cotangent has shape ${showShape(seed.shape)}, the value ${showShape(traced.y.shape)}; they must be equal`,
      );
    const gs = pullBack(
      { ...traced, nested: traced.nested || recording },
      seed.code === traced.y.code ? seed : astype(seed, traced.y.dtype),
      true,
    );
    return args.length === 1 ? gs[0]! : gs;
  };
  return [traced.nested ? traced.y : withoutGraph(traced.y), pull];
}

/** How many arrays a function takes; the options that np's own have besides are none. */
const arityOf = (f: Fn): number => ("op" in f ? (f.op.pointwise?.arity ?? 1) : f.length);

/** Whether a list is one of arguments, and not one array. */
const isArguments = (list: unknown, f: Fn): list is readonly ArrayInput[] =>
  Array.isArray(list) && (arityOf(f) > 1 || list.some(x => x instanceof NDArray || ArrayBuffer.isView(x)));

/**
 * The value of f at the arguments, and the derivative of the value along tangents of the arguments, found in one pass
 * forwards. One array and one tangent for one argument, lists for several; a list of plain numbers is one array, unless
 * f takes several. JAX's jvp.
 * @throws ShapeError for a tangent that has not its argument's shape, DTypeError for an argument that is not a float.
 * @example jvp(x => x.mul(x), [1, 2], [1, 10]) // [array([1., 4.]), array([ 2., 40.])]
 * @example jvp((x, y) => x.mul(y), [2, 3], [1, 0]) // [array(6.), array(3.)]
 */
export function jvp(
  f: ArrayFunction,
  primals: ArrayInput | readonly ArrayInput[],
  tangents: ArrayInput | readonly ArrayInput[],
): [NDArray, NDArray] {
  checkFunction("jvp", f);
  const several = isArguments(primals, f);
  const args = Array.from(several ? primals : [primals], x => toArray(x, "jvp"));
  const given = several ? tangents : [tangents];
  if (!Array.isArray(given) || given.length !== args.length)
    throw new ValueError(`jvp: a list of ${args.length} arguments, but ${describe(tangents)} as tangents; give a list with one for each`);
  const ts = args.map((x, i) => along("jvp", x, given[i] as ArrayInput));
  const traced = trace(
    "jvp",
    f,
    args,
    args.map((_, i) => i),
  );
  return [traced.nested ? traced.y : withoutGraph(traced.y), pushForward(traced, ts)];
}

/** A tangent or direction at x, in its dtype. */
function along(operator: string, x: NDArray, given: ArrayInput): NDArray {
  const t = toArray(given, operator);
  if (!sameShape(x.shape, t.shape))
    throw new ShapeError(
      `${operator}: the tangent has shape ${showShape(t.shape)}, its argument ${showShape(x.shape)}; they must be equal`,
    );
  return t.code === x.code || !isFloat(x.code) ? t : astype(t, x.dtype);
}

function pushForward({ y, variables, levels }: Recorded, ts: readonly NDArray[]): NDArray {
  if (mapping === 0) return push(y, variables, ts);
  const physical = (x: NDArray): NDArray => physicalOf(mappedEverywhere(x, levels));
  return wrapped(push(physical(y), variables.map(physicalOf), ts.map(physical)));
}

/**
 * The function that gives the Jacobian of f with respect to the argument(s) at `argnums`: an array of the value's shape
 * followed by the argument's. JAX's jacobian.
 * @example jacobian(x => x.mul(x))([1, 2]) // array([[2., 0.],\n       [0., 4.]])
 */
export function jacobian<N extends number | readonly number[] = 0>(f: ArrayFunction, argnums?: N): (...args: ArrayInput[]) => Grad<N> {
  checkFunction("jacobian", f);
  const numbers = argumentNumbers("jacobian", argnums ?? 0);
  return (...args) => {
    const traced = trace("jacobian", f, args, numbers);
    const { y, variables } = traced;
    const rows: NDArray[][] = variables.map(() => []);
    for (let i = 0; i < y.size; i++) {
      const seed = new Float64Array(y.size);
      seed[i] = 1;
      const g = reshape(astype(toArray(seed, "jacobian"), y.dtype), y.shape);
      pullBack(traced, g, true).forEach((row, k) => rows[k]!.push(row));
    }
    const out = variables.map((v, k) => {
      const shape = [...y.shape, ...v.shape];
      return y.size === 0 ? zeroed(shape, v.code) : reshape(stack(rows[k]!), shape);
    });
    return (Array.isArray(argnums) ? out : out[0]!) as Grad<N>;
  };
}

/**
 * The function that gives the matrix of second derivatives of f with respect to the argument at `argnum`. JAX's hessian.
 * @throws GradError if f's value is not 0-d.
 * @example hessian(x => x.pow(3).sum())([1, 2]) // array([[ 6.,  0.],\n       [ 0., 12.]])
 */
export function hessian(f: ArrayFunction, argnum = 0): (...args: ArrayInput[]) => NDArray {
  checkFunction("hessian", f);
  return jacobian(grad(f, argnum) as (...args: NDArray[]) => NDArray, argnum);
}

/**
 * The product of f's Hessian at x with a direction v, without forming the Hessian. Pearlmutter (1994).
 * @throws GradError if f's value is not 0-d, ShapeError if v has not x's shape.
 * @example hvp(x => x.pow(3).sum(), [1, 2], [1, 1]) // array([ 6., 12.])
 */
export function hvp(f: (x: NDArray) => NDArray, x: ArrayInput, v: ArrayInput): NDArray {
  checkFunction("hvp", f);
  const a = toArray(x, "hvp");
  const direction = along("hvp", a, v);
  const traced = trace("hvp", f, [a], [0]);
  const { y, variables } = traced;
  checkScalar("hvp", y);
  // Forwards first is faster, unless a node on the way would need its rule's adjoint.
  if (isDirect(physicalOf(y), variables.map(physicalOf)))
    return pullBack({ ...traced, y: record(() => pushForward(traced, [direction])) }, filled([], y.code, 1), false)[0]!;
  const g = record(() => pullBack({ ...traced, nested: true }, filled([], y.code, 1), true)[0]!);
  return pullBack({ ...traced, y: g }, direction, false)[0]!;
}

export interface CheckGradOptions {
  /** Up to which order derivatives are checked; 2 by default. */
  order?: number;
  /** The relative error above which it throws; 1e-6 by default. */
  tolerance?: number;
}

/**
 * Checks derivatives of f at the arguments against differences, in float64 along random directions, up to `order`.
 * Gives the worst relative error. JAX's test_util.check_grads.
 * @throws GradError if that exceeds the tolerance, or f's value has no graph.
 * @example checkGrad(x => x.mul(x).sum(), [[1, 2, 3]]) < 1e-8 // true
 */
export function checkGrad(f: ArrayFunction, args: readonly ArrayInput[], options?: CheckGradOptions): number {
  checkFunction("checkGrad", f);
  checkOptions("checkGrad", options, ["order", "tolerance"]);
  const { order = 2, tolerance = 1e-6 } = options ?? {};
  wholeNumber("checkGrad", "the order", order, 1);
  if (typeof tolerance !== "number" || !(tolerance >= 0))
    throw new ValueError(`checkGrad: the tolerance is a number >= 0, got ${describe(tolerance)}`);
  if (!Array.isArray(args)) throw new ValueError(`checkGrad: the arguments are a list, got ${describe(args)}`);
  const xs = Array.from(args, x => {
    const a = toArray(x, "checkGrad");
    return a.code === F64 ? a : astype(a, "float64");
  });
  const worst = directionalError(f, xs, order, direction(17));
  if (!(worst <= tolerance))
    throw new GradError(`checkGrad: the worst relative error is ${worst.toExponential(1)}, above the tolerance ${tolerance}`);
  return worst;
}

/** Numbers in [-1, 1) that are the same at every run. */
function direction(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2147483648;
  };
}

function directionalError(f: Fn, xs: readonly NDArray[], order: number, next: () => number): number {
  const random = (like: NDArray): NDArray => {
    const values = Float64Array.from({ length: like.size }, next);
    return reshape(toArray(values, "checkGrad"), like.shape);
  };
  // In training mode, as where it is recorded.
  const call = (args: readonly NDArray[]): NDArray => within("checkGrad", [() => callWith(f, args)], null, true) as NDArray;
  const y0 = call(xs);
  if (!(y0 instanceof NDArray)) throw new GradError(`checkGrad: the function must return an array, got ${describe(y0)}`);
  const u = random(y0);
  const vs = xs.map(random);
  const value = (args: readonly NDArray[]): NDArray => sum(multiply(call(args), u));
  const beside = (h: number): number => Number(value(xs.map((x, i) => add(x, multiply(vs[i]!, h)))).item());
  // Five points: the error falls with h⁴, so that h can be large enough for rounding not to matter.
  const h = 1e-3;
  const difference = (8 * (beside(h) - beside(-h)) - (beside(2 * h) - beside(-2 * h))) / (12 * h);
  const derivative = (...args: NDArray[]): NDArray => {
    const traced = trace(
      "checkGrad",
      ((...inner: NDArray[]) => value(inner)) as Fn,
      args,
      args.map((_, i) => i),
    );
    const gs = pullBack(traced, filled([], F64, 1), false);
    return gs.map((g, i) => sum(multiply(g, vs[i]!))).reduce((a, b) => add(a, b));
  };
  const exact = Number(derivative(...xs).item());
  const error = Math.abs(difference - exact) / Math.max(1, Math.abs(difference), Math.abs(exact));
  const here = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
  return order === 1 ? here : Math.max(here, directionalError(derivative as Fn, xs, order - 1, next));
}
