/**
 * Every public function by its arguments: a method is the function; what no function takes throws a NablaError, leaves
 * flags and arrays as they were; and an option that nobody knows is refused by name.
 */
import * as nabla from "nabla";
import { autograd, NablaError, NDArray, np, npx, ValueError } from "nabla";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { describe as describeWrong } from "../src/errors.ts";
import * as members from "../src/members.ts";
import type { HasRow } from "../src/op.ts";
import { MODULES, SAMPLES } from "./samples.ts";
import { type AnyFn, arraysFor, dtypesOf, made, results, rows, samplesOf } from "./support/rows.ts";
import type { Sample } from "./support/sample.ts";
import { difference, randomNumbers, seedOf, valuesOf } from "./support/sampling.ts";
import { nodesOf, parse } from "./support/source.ts";

// ---------------------------------------------------------------- methods

const same = (a: unknown, b: unknown, label: string): void => {
  const [p, q] = [results(a), results(b)];
  expect(p.length, label).toBe(q.length);
  p.forEach((x, i) => {
    expect(x, label).toBeInstanceOf(NDArray);
    expect(x.dtype, label).toBe(q[i]!.dtype);
    expect(x.shape, label).toEqual(q[i]!.shape);
    expect(difference(x.toTypedArray(), q[i]!.toTypedArray()), label).toBe("");
  });
};

describe("a method is the function", () => {
  const method = (x: NDArray, name: string): AnyFn => ((x as unknown as Record<string, AnyFn>)[name] as AnyFn).bind(x);

  test.each(Object.keys(members))("%s", name => {
    const fn = (members as unknown as Record<string, AnyFn>)[name]!;
    const next = randomNumbers(seedOf(name) + 14);
    expect(NDArray.prototype).toHaveProperty(name);
    const p = (fn as unknown as Partial<HasRow>).op?.pointwise;
    if (p !== undefined) {
      for (const dtype of dtypesOf(p)) {
        const xs = Array.from({ length: p.arity }, (_, i) => made(p, dtype, [3, 4], i, next));
        same(method(xs[0]!, name)(...xs.slice(1)), fn(...xs), name);
        const numbers = xs.slice(1).map(() => (p.spec.dtype === "integer" ? 3 : 1.5));
        if (p.arity > 1) same(method(xs[0]!, name)(...numbers), fn(xs[0]!, ...numbers), name);
        const out = np.zeros([3, 4], { dtype: (fn(...xs) as NDArray).dtype });
        if (p.arity < 3) expect(method(xs[0]!, name)(...xs.slice(1), { out }), name).toBe(out);
      }
      return;
    }
    // What reads of an array no more than its shape and dtype has no samples.
    if (!samplesOf.has(fn)) {
      expect(name).toMatch(/Like$/);
      const x = np.ones([2, 3], { dtype: "int32" });
      const rest = name === "fullLike" ? [7] : [];
      same(method(x, name)(...rest), fn(x, ...rest), name);
      same(method(x, name)(...rest, { dtype: "float64" }), fn(x, ...rest, { dtype: "float64" }), name);
      return;
    }
    for (const sample of samplesOf.get(fn)!.list) {
      const xs = arraysFor(sample, "float32", next);
      const [x, ...rest] = sample.args(...xs) as [NDArray, ...unknown[]];
      const viaMethod = method(x, name)(...rest);
      same(viaMethod, fn(...sample.args(...xs)), name);
    }
  });

  test("np, npx and linalg offer each of them under one name at least", () => {
    const known = new Set<unknown>([...Object.values(np), ...Object.values(npx), ...Object.values(np.linalg)]);
    const only = Object.entries(members).filter(([, fn]) => !known.has(fn));
    expect(only.map(([name]) => name).sort()).toEqual(["at", "set"]);
  });

  test("what np, npx and linalg call with an array first is a method", () => {
    const listed = new Set<unknown>(Object.values(members));
    const x = np.array([
      [1.5, 2],
      [3, 4],
    ]);
    // Of np.linalg the norm alone is one.
    for (const [where, module] of Object.entries({ np, npx, linalg: { norm: np.linalg.norm } }))
      for (const [name, fn] of Object.entries(module)) {
        if (typeof fn !== "function" || listed.has(fn)) continue;
        // A public function that is no method does not take a bare array, or is one of those that make or manage arrays.
        expect(NO_METHODS, `${where}.${name}`).toContain(name);
      }
    void x;
  });
});

/** Public functions that are no methods: what makes arrays, joins lists of them, and settings. */
const NO_METHODS: readonly string[] = [
  ...["arange", "array", "asarray", "empty", "eye", "full", "identity", "linspace", "ones", "zeros"],
  ...["logspace", "geomspace", "tri", "meshgrid", "indices", "fromfunction", "broadcastArrays"],
  ...["vstack", "hstack", "dstack", "columnStack"],
  ...["concatenate", "stack", "slice", "einsum", "keep", "memoryInfo", "scope", "seed", "setMemoryLimit", "setNp", "waitall"],
  "useBlas",
  ...["compress", "select", "ravelMultiIndex", "trilIndices", "triuIndices", "diagIndices", "ix", "lexsort", "fuse", "setNumThreads"],
];

// ---------------------------------------------------------------- wrong arguments

const { grad, valueAndGrad, vjp, jvp, jacobian, hessian, hvp, checkpoint, checkGrad } = nabla;
const transforms = { grad, valueAndGrad, vjp, jvp, jacobian, hessian, hvp, checkpoint, checkGrad };
const promise = Promise.resolve([1, 2]);
/** What no argument of any function may be silently taken for; some of it is allowed to stand for "omitted". */
const WRONG: readonly unknown[] = [
  ...[
    undefined,
    null,
    "two",
    promise,
    [[1, 2], [3]],
    [1, "a"],
    { bogus: 1 },
    7.5,
    -9,
    [0, 99],
    [[[]]],
    Symbol("s"),
    5n,
    () => 1,
    new Date(0),
    new Map(),
  ],
  ...[{ axis: 0 }, Number.NaN, new BigInt64Array(2), new DataView(new ArrayBuffer(8)), [null], [undefined], true],
];

/** Runs a call that may only give a value or throw a NablaError, and leaves no trace. */
function attempt(label: () => string, call: () => unknown): "threw" | "gave" {
  let outcome: "threw" | "gave" = "gave";
  try {
    const value = call();
    if (typeof (value as { end?: unknown } | null)?.end === "function") (value as { end: () => void }).end();
  } catch (error) {
    if (!(error instanceof NablaError)) throw new Error(`${label()} threw ${error instanceof Error ? error.stack : String(error)}`);
    if (!/^[\w.]+( \(head \d+\))?: ./.test(error.message))
      throw new Error(`${label()}: the message does not begin with the operator: ${error.message}`);
    outcome = "threw";
  }
  const left = [autograd.setRecording(false), autograd.setTraining(false)];
  if (left.includes(true) && !/\.set(Recording|Training)\(/.test(label())) throw new Error(`${label()} left a flag on`);
  return outcome;
}

describe("wrong arguments throw a NablaError, or are none", () => {
  const places: Record<string, Record<string, unknown>> = {
    np,
    npx,
    "np.linalg": np.linalg,
    "np.random": np.random,
    autograd,
    nabla: transforms,
  };
  const publicFunctions = Object.entries(places).flatMap(([place, module]) =>
    Object.entries(module)
      .filter(([, fn]) => typeof fn === "function" && !/^class\b/.test(String(fn)))
      .map(([name, fn]): [string, AnyFn] => [`${place}.${name}`, fn as AnyFn]),
  );
  const good = (): NDArray =>
    np.array([
      [1, 2.5],
      [3, 4],
    ]);
  const { limit } = npx.memoryInfo();

  test.each(publicFunctions)("%s", (name: string, fn: AnyFn) => {
    const attached = good().attachGrad();
    for (let position = 0; position < 5; position++)
      for (const wrong of WRONG)
        for (const filler of position === 0 ? [good] : [() => 1, () => attached]) {
          const args = Array.from({ length: position }, (): unknown => filler());
          attempt(
            () => `${name}(${[...args, wrong].map(describeWrong).join(", ")})`,
            () => fn(...args, wrong),
          );
        }
    // Shuffling it is what shuffle is for.
    expect(name === "np.random.shuffle" ? valuesOf(attached).sort() : valuesOf(attached)).toEqual([1, 2.5, 3, 4]);
    if (!/backward|markVariables/.test(name)) expect(valuesOf(attached.grad!)).toEqual([0, 0, 0, 0]);
    expect(autograd.graphSize(attached)).toBe(1);
    npx.setNp();
    npx.setMemoryLimit(limit);
    npx.useBlas(false);
  });

  // at and set are methods only.
  test.each(Object.keys(members).filter(name => name !== "at" && name !== "set"))("%s of nothing, a string, a promise", name => {
    const fn = (members as unknown as Record<string, AnyFn>)[name]!;
    const arity = Math.max(fn.length, (fn as unknown as Partial<HasRow>).op?.pointwise?.arity ?? 0);
    for (const wrong of [undefined, null, "two", promise, [[1, 2], [3]], { bogus: 1 }, Symbol("s"), 5n, () => 1]) {
      const rest = Array.from({ length: Math.max(0, arity - 1) }, () => 0);
      expect(
        attempt(
          () => `${name}(${describeWrong(wrong)}, …)`,
          () => fn(wrong, ...rest),
        ),
        `${name}(${describeWrong(wrong)})`,
      ).toBe("threw");
    }
  });

  test.each(Object.keys(members))("%s as a method", name => {
    for (let position = 0; position < 4; position++)
      for (const wrong of WRONG)
        for (const filler of position === 0 ? [good] : [good, () => 1]) {
          const args = Array.from({ length: position }, (): unknown => filler());
          const x = good();
          attempt(
            () => `x.${name}(${[...args, wrong].map(describeWrong).join(", ")})`,
            () => (x as unknown as Record<string, AnyFn>)[name]!(...args, wrong),
          );
        }
  });

  test.each([
    "attachGrad",
    "backward",
    "iadd",
    "isub",
    "imul",
    "idiv",
    "imod",
    "ipow",
    "item",
    "tolist",
    "detach",
    "dropGrad",
    "zeroGrad",
    "retainGrad",
    "flatten",
    "ravel",
  ])("%s", name => {
    for (let position = 0; position < 3; position++)
      for (const wrong of WRONG)
        for (const make of [
          good,
          () => good().attachGrad(),
          () => {
            const x = good().attachGrad();
            return autograd.record(() => x.mul(2));
          },
        ]) {
          const x = make();
          const before = valuesOf(x);
          const args: unknown[] = Array.from({ length: position }, () => 1);
          const outcome = attempt(
            () => `x.${name}(${[...args, wrong].map(describeWrong).join(", ")})`,
            () => (x as unknown as Record<string, AnyFn>)[name]!(...args, wrong),
          );
          if (outcome === "threw") expect(valuesOf(x)).toEqual(before);
        }
  });

  test.each([
    "sum",
    "mean",
    "max",
    "min",
    "all",
    "any",
    "argmax",
    "argmin",
    "argsort",
    "sort",
    "softmax",
    "logSoftmax",
    "squeeze",
    "expandDims",
  ])("%s of an axis that is not there", name => {
    for (const axis of [2, -3, 0.5, Number.NaN, "0", [0, 0], [5], {}, [0.5], ["a"], ...(ONE_AXIS.includes(name) ? [[0, 1], [0]] : [])]) {
      if (name === "expandDims" && (axis === 2 || axis === -3)) continue;
      const x = np.ones([1, 1]);
      expect(
        attempt(
          () => name,
          () => (x as unknown as Record<string, AnyFn>)[name]!(axis),
        ),
        `${name} of axis ${describeWrong(axis)}`,
      ).toBe("threw");
    }
  });
});

const ONE_AXIS = ["argmax", "argmin", "argsort", "sort", "softmax", "logSoftmax"];

/** The position of the parameter named "options" in exported functions, by name, read off the sources. */
function optionPositions(): Map<string, number> {
  const found = new Map<string, number>();
  const note = (name: string, parameters: readonly ts.ParameterDeclaration[]): void => {
    const at = parameters.findIndex(q => q.name.getText() === "options");
    if (at >= 0) found.set(name, at);
  };
  for (const path of [...Object.keys(MODULES).map(m => `src/${m}.ts`), "src/random/index.ts"])
    for (const node of nodesOf(parse(path))) {
      if (ts.isFunctionDeclaration(node) && node.name !== undefined) note(node.name.text, [...node.parameters]);
      if (!ts.isVariableDeclaration(node) || !ts.isIdentifier(node.name)) continue;
      const name = node.name.text;
      const typed = node.type === undefined ? [] : [...nodesOf(node.type)].filter(ts.isFunctionTypeNode);
      for (const f of typed) note(name, [...f.parameters]);
      if (node.initializer !== undefined && ts.isArrowFunction(node.initializer)) note(name, [...node.initializer.parameters]);
    }
  for (const { name, p } of rows) if (p.arity < 3) found.set(name, p.arity);
  return found;
}

describe("an unknown option is refused by name", () => {
  const positions = optionPositions();
  const optioned = Object.entries({ ...np.random, ...np.linalg, ...npx, ...np }).flatMap(([name, fn]): [string, AnyFn, number][] =>
    typeof fn === "function" && positions.has(name) ? [[name, fn as AnyFn, positions.get(name)!]] : [],
  );
  test("there are some", () => expect(optioned.length).toBeGreaterThan(50));
  test.each(optioned)("%s", (name, fn, position) => {
    const sample = (SAMPLES as Record<string, readonly Sample[] | undefined>)[name]?.[1];
    const start = sample === undefined ? [1, 2, 3, 4] : sample.args(...arraysFor(sample, "float32", randomNumbers(1)));
    const args = Array.from({ length: position }, (_, i) =>
      Object.getPrototypeOf(Object(start[i])) === Object.prototype ? undefined : start[i],
    );
    expect(() => fn(...args, { bogus: 1 }), name).toThrow(/bogus/);
    expect(() => fn(...args, { bogus: 1 }), name).toThrow(ValueError);
  });
});
