/** A user's function of pointwise operators as one operator: one kernel for its value, and one for each gradient. */
import { type ArrayInput, NDArray } from "../array.ts";
import { filled } from "../cotangent.ts";
import { isFloat } from "../dtype.ts";
import { checkFunction, describe, ValueError } from "../errors.ts";
import * as E from "../expr.ts";
import { Traced } from "../expr.ts";
import * as members from "../members.ts";
import { applyPointwise, binary, type HasRow, type Part, type PointwiseSpec, pointwise, type Row, unary } from "../op.ts";
import { add } from "../ops/pointwise.ts";

/** The most operands of a kernel. */
const MOST = 5;

type Operator = ((...xs: ArrayInput[]) => NDArray) & HasRow;

const specOf = (row: Row): PointwiseSpec => row.pointwise!.spec;

/** The symbols that a result is made of, each after its operands. */
function stepsOf(out: Traced): Traced[] {
  const found = new Set([out]);
  for (const step of found) for (const x of step.operands) found.add(x);
  return [...found].sort((a, b) => a.id - b.id);
}

/** The steps done again on other operands. */
function replay<T>(
  steps: readonly Traced[],
  inputs: readonly Traced[],
  given: readonly T[],
  constant: (value: number) => T,
  call: (row: Row, xs: readonly T[]) => T,
): T {
  const done = new Map<Traced, T>(inputs.map((x, i) => [x, given[i]!]));
  let last!: T;
  for (const step of steps) {
    if (!done.has(step))
      done.set(
        step,
        step.row === null
          ? constant(step.value)
          : call(
              step.row,
              step.operands.map(x => done.get(x)!),
            ),
      );
    last = done.get(step)!;
  }
  return last;
}

/** Whether the symbol is nothing but the condition of what it goes into. */
const isCondition = (row: Row, i: number): boolean => specOf(row).discrete?.includes(i) === true;

const toNumber = (e: E.Expr): E.Expr => (E.isMask(e) ? E.select(e, 1, 0) : e);

/** A result as an operator of its inputs, in their order. */
function operatorOf(name: string, inputs: readonly Traced[], out: Traced): Operator {
  const steps = stepsOf(out);
  const masks = out.row !== null && specOf(out.row).dtype === "bool";
  const fractional = (s: Traced): boolean => (s.row === null ? s.constant && !Number.isInteger(s.value) : specOf(s.row).dtype === "float");
  const uses = (x: Traced): boolean[] => steps.flatMap(s => s.operands.flatMap((o, k) => (o === x ? [isCondition(s.row!, k)] : [])));
  const conditions = inputs.flatMap((x, i) => (x !== out && uses(x).length > 0 && uses(x).every(Boolean) ? [i] : []));
  let slopes: readonly (Gradient | null)[] | null = null;
  const spec: PointwiseSpec = {
    value: (...args) => {
      const lane = args.pop() as number;
      const value = replay(steps, inputs, args as E.Expr[], E.constant, (row, xs) =>
        specOf(row).value(...xs.map((x, i) => (isCondition(row, i) ? x : toNumber(x))), lane),
      );
      return masks ? value : toNumber(value);
    },
    grad: masks
      ? null
      : (g, _, ...xs) => {
          slopes ??= gradientsOf(name, inputs, out, steps);
          return slopes.map(slope => (slope === null ? 0 : slope([...xs, g])));
        },
    dtype: masks ? "bool" : "same",
    floats: steps.some(fractional),
    ...(steps.some(s => s.row !== null && specOf(s.row).bool === "int") ? { bool: "int" as const } : {}),
    discrete: conditions.length < inputs.length ? conditions : [],
  };
  if (inputs.length === 1) return unary(name, spec as unknown as PointwiseSpec<[NDArray]>) as Operator;
  if (inputs.length === 2) return binary(name, spec as unknown as PointwiseSpec<[NDArray, NDArray]>) as Operator;
  return pointwise(name, inputs.length, spec);
}

/** The gradient of one input for a list of all inputs' values and the cotangent. */
type Gradient = (args: readonly NDArray[]) => Part;

/** The rules of the steps, run backwards on symbols: the gradients are made of operators as their function is. */
function gradientsOf(name: string, inputs: readonly Traced[], out: Traced, steps: readonly Traced[]): (Gradient | null)[] {
  const g = new Traced(null, []);
  const found = new Map<Traced, unknown>([[out, g]]);
  for (const step of [...steps].reverse()) {
    const h = found.get(step);
    if (h === undefined || step.row === null) continue;
    const parts = specOf(step.row).grad?.(h as NDArray, step as unknown as NDArray, ...(step.operands as unknown as NDArray[])) ?? [];
    step.operands.forEach((x, i) => {
      const part = parts[i] ?? 0;
      if (part === 0 || x.constant) return;
      const have = found.get(x);
      found.set(x, have === undefined ? part : add(have as NDArray, part as NDArray));
    });
  }
  return inputs.map(x => {
    const part = found.get(x);
    return part instanceof Traced ? gradientOf(`${name}Slope`, [...inputs, g], part) : null;
  });
}

/** One gradient as an operator of what it reads. Its own gradient's kernel reads a cotangent too; where that is too much, step by step. */
function gradientOf(name: string, all: readonly Traced[], out: Traced): Gradient {
  const steps = stepsOf(out);
  const places = all.flatMap((x, i) => (steps.includes(x) ? [i] : []));
  const inputs = places.map(i => all[i]!);
  if (inputs.length < MOST) {
    let operator: Operator | null = null;
    return args => (operator ??= operatorOf(name, inputs, out))(...places.map(i => args[i]!));
  }
  return args => {
    const symbol = args.find(x => (x as unknown) instanceof E.Expr);
    const code = args.reduce((c, x) => (x instanceof NDArray && isFloat(x.code) ? Math.max(c, x.code) : c), 0);
    const constant = (value: number): NDArray =>
      symbol === undefined
        ? filled([], code, value)
        : ((symbol instanceof Traced ? new Traced(null, [], value, true) : E.constant(value)) as unknown as NDArray);
    return replay(
      steps,
      inputs,
      places.map(i => args[i]!),
      constant,
      (row, xs) => applyPointwise(row, row.pointwise!, xs, undefined),
    );
  };
}

/** Gives symbols the methods of arrays: those that are operators, and for all others an error that says why not. */
function addMethods(): void {
  const refuse = (key: string | symbol): PropertyDescriptor => ({
    get(): never {
      const name = typeof key === "string" ? key : key.description!.replace("Symbol.", "");
      throw new ValueError(`${name}: inside npx.fuse an argument has no values and no shape; choose with np.where`);
    },
    configurable: true,
  });
  const { prototype } = Traced;
  for (const key of ["shape", "size", ...Reflect.ownKeys(NDArray.prototype)]) {
    const method: unknown =
      key !== "at" && key !== "set" && Object.hasOwn(members, key) && (members as Record<string | symbol, unknown>)[key];
    if (typeof method === "function")
      Object.defineProperty(prototype, key, {
        value(this: Traced, ...rest: unknown[]): unknown {
          return method(this, ...rest);
        },
        configurable: true,
      });
    // What Traced has itself is its constructor, and the methods that a bundle left out, which say so (bundling/vite.ts).
    else if (!Object.hasOwn(prototype, key) && key !== Symbol.toStringTag && String(key) !== "Symbol(nodejs.util.inspect.custom)")
      Object.defineProperty(prototype, key, refuse(key));
  }
}

/**
 * A function of one to four arrays made of pointwise operators, as one operator: f is run once, on symbols, and becomes
 * one kernel for its value and one for each gradient, of any order. It broadcasts and is recorded like any operator, and
 * its gradients are as accurate as those of the operators in f. Numbers that f uses are constants: one that changes must
 * be an argument. Integers become float32 if an operator in f makes them so. Choose with np.where, not with `if`.
 * nabla's own.
 * @throws ValueError where f takes other arguments, or uses what is not pointwise.
 * @example
 * const growth = npx.fuse((x, y) => np.exp(x.mul(y)).sub(1))
 * growth([0, 1], 2) // array([0.      , 6.389056])
 * grad(x => growth(x, 2).sum())([0, 1]) // array([ 2.      , 14.778112])
 */
export function fuse<X extends readonly NDArray[]>(
  f: (...xs: X) => NDArray,
): ((...xs: { [I in keyof X]: ArrayInput }) => NDArray) & HasRow {
  checkFunction("fuse", f);
  const arity = f.length;
  if (arity < 1 || arity >= MOST)
    throw new ValueError(
      `fuse: the function takes ${arity} arrays, counted without rest and default parameters; it must be 1 to ${MOST - 1}`,
    );
  if (!Object.hasOwn(Traced.prototype, "shape")) addMethods();
  const inputs = Array.from({ length: arity }, (_, i) => new Traced(null, [], i));
  const out: unknown = f(...(inputs as unknown as X));
  if (!(out instanceof Traced))
    throw new ValueError(`fuse: the function must return what it made of its arguments by pointwise operators, got ${describe(out)}`);
  return operatorOf(/^[A-Za-z]\w*$/.test(f.name) ? f.name : "fused", inputs, out) as unknown as ReturnType<typeof fuse<X>>;
}
