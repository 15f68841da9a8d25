/**
 * Misuse: whatever a caller hands to a public function or method, it answers or throws one of nabla's errors, in the one form,
 * with arrays and flags as they were.
 */

import * as nabla from "nabla";
import {
  type ArrayInput,
  autograd,
  checkpoint,
  DTypeError,
  GradError,
  grad,
  hessian,
  hvp,
  IndexError,
  jacobian,
  jvp,
  NablaError,
  NDArray,
  np,
  npx,
  ShapeError,
  ValueError,
  valueAndGrad,
  vjp,
} from "nabla";
import { afterEach, describe, expect, test } from "vitest";
import { some } from "./support/sampling.ts";

type Call = (...args: unknown[]) => unknown;
const flags = (): [boolean, boolean] => [autograd.isRecording(), autograd.isTraining()];
const int = (...values: number[]): NDArray => np.array(values, { dtype: "int32" });

/** A list that contains itself, but that only stands so many looks at it. */
function cyclic(): unknown[] {
  let looks = 0;
  const list: unknown[] = new Proxy([0] as unknown[], {
    get(target, key) {
      if (key !== "0") return Reflect.get(target, key);
      if (++looks > 20000) throw new Error("a cyclic list was walked for ever");
      return list;
    },
  });
  return list;
}

function nested(depth: number): unknown {
  let list: unknown = 1;
  for (let i = 0; i < depth; i++) list = [list];
  return list;
}

/** Everything that is no sensible argument somewhere. Made anew for each call. */
const HOSTILE: Record<string, () => unknown> = {
  undefined: () => undefined,
  null: () => null,
  NaN: () => Number.NaN,
  Infinity: () => Number.POSITIVE_INFINITY,
  "-1": () => -1,
  "-7": () => -7,
  "1.5": () => 1.5,
  "1e9": () => 1e9,
  "2**53": () => 2 ** 53,
  true: () => true,
  "a string": () => "abc",
  "a number's string": () => "3",
  "an empty string": () => "",
  "a symbol": () => Symbol("s"),
  "a bigint": () => 3n,
  "an object": () => ({}),
  "an unknown option": () => ({ bogus: 1 }),
  "an object without prototype": () => Object.create(null),
  "a function": () => () => 1,
  "a class": () => class Any {},
  "a promise": () => Promise.resolve(1),
  "a date": () => new Date(0),
  "a map": () => new Map([[1, 2]]),
  "an empty list": () => [],
  "a list of NaN": () => [Number.NaN],
  "negative sizes": () => [2, -3],
  "huge sizes": () => [100000, 100000],
  "a hundred sizes": () => new Array(100).fill(1),
  "strings in a list": () => ["a", "b"],
  "nulls in a list": () => [null, undefined],
  "a sparse list": () => new Array(3),
  "ragged lists": () => [[1, 2], [3]],
  "a list with a symbol": () => [Symbol("s")],
  "bigints in a list": () => [1n, 2n],
  BigInt64Array: () => new BigInt64Array(2),
  Uint16Array: () => new Uint16Array(2),
  DataView: () => new DataView(new ArrayBuffer(8)),
  ArrayBuffer: () => new ArrayBuffer(8),
  "another shape": () => np.ones([7, 5]),
  "0-d": () => np.array(2),
  "an empty array": () => np.zeros([0, 3]),
  "bools in another shape": () => np.ones([7], { dtype: "bool" }),
  "positions far out": () => int(99, -99),
  "a proxy that refuses": () =>
    new Proxy(
      {},
      {
        get: (_, key) => (key === Symbol.toPrimitive || key === "constructor" ? undefined : 1),
        ownKeys: () => ["x"],
        getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: 1 }),
      },
    ),
};

/** A good call for functions whose arguments are not all arrays of one shape. */
const GOOD: Record<string, () => unknown[]> = {
  where: () => [
    [true, false],
    [1, 2],
    [3, 4],
  ],
  clip: () => [np.ones([2, 3]), 0, 1],
  take: () => [np.ones([2, 3]), [0], 1, { mode: "raise" }],
  putAlongAxis: () => [np.ones([2, 3]), int(0, 1).reshape(2, 1), 5, 1],
  choose: () => [int(0, 1, 1), [np.ones(3), np.zeros(3)], { mode: "raise" }],
  compress: () => [[true, false], np.ones([2, 3]), 0],
  extract: () => [[true, false], np.ones(2)],
  select: () => [[[true, false]], [np.ones(2)], 3],
  searchsorted: () => [[1, 2, 3], np.ones(2), { side: "right" }],
  digitize: () => [np.ones(2), [1, 2, 3], { right: true }],
  bincount: () => [int(0, 1, 1), { weights: [1, 2, 3], minlength: 4 }],
  histogram: () => [np.ones([2, 3]), 3, { range: [0, 4], density: true }],
  unravelIndex: () => [int(0, 5), [2, 3]],
  ravelMultiIndex: () => [[int(0, 1), int(2, 2)], [2, 3], { mode: "wrap" }],
  trilIndices: () => [3, 1, 4],
  triuIndices: () => [3, 1, 4],
  diagIndices: () => [3, 2],
  ix: () => [[0, 1], [1]],
  isin: () => [np.ones(3), [1, 2], { invert: true }],
  interp: () => [[0.5, 1], [0, 1, 2], [1, 2, 3], { left: 0, period: 4 }],
  partition: () => [np.ones([2, 3]), 1, 0],
  argpartition: () => [np.ones([2, 3]), 1, 0],
  lexsort: () => [[np.ones(3), np.ones(3)], 0],
  takeAlongAxis: () => [np.ones([2, 3]), int(0).reshape(1, 1).broadcastTo([2, 1]), 1],
  reshape: () => [np.ones([2, 3]), 3, 2],
  transpose: () => [np.ones([2, 3]), 1, 0],
  swapaxes: () => [np.ones([2, 3]), 0, 1],
  expandDims: () => [np.ones([2, 3]), 0],
  squeeze: () => [np.ones([1, 3]), 0],
  broadcastTo: () => [np.ones([1, 3]), [2, 3]],
  astype: () => [np.ones([2, 3]), "float64"],
  concatenate: () => [[np.ones(2), np.ones(2)], 0],
  stack: () => [[np.ones(2), np.ones(2)], 0],
  matmul: () => [np.ones([2, 2]), np.ones([2, 2]), {}],
  norm: () => [np.ones([2, 3]), null, 1, { keepdims: true }],
  at: () => [np.ones([2, 3]), 0, ":"],
  set: () => [np.ones([2, 3]), 5, 0, ":"],
  item: () => [np.ones([2, 3]), 0, 0],
  pick: () => [np.ones([2, 3]), [0, 1], -1, {}],
  oneHot: () => [[0, 1], 3],
  topk: () => [np.ones([2, 3]), { k: 2 }],
  dropout: () => [np.ones([2, 3]), 0.5, { axes: [0], mode: "always" }],
  maskedSoftmax: () => [np.ones([2, 3]), [true, false, true], -1, {}],
  embedding: () => [int(0, 1), np.ones([2, 3])],
  gatherNd: () => [np.ones([2, 3]), int(0, 1).reshape(2, 1)],
  indexAdd: () => [np.ones([2, 3]), int(0, 1).reshape(2, 1), [5]],
  indexUpdate: () => [np.ones([2, 3]), int(0, 1).reshape(2, 1), [5]],
  sequenceMask: () => [np.ones([2, 3]), [1, 2, 0], { axis: 0, value: 0 }],
  batchDot: () => [np.ones([1, 2, 3]), np.ones([1, 3, 2]), { transposeA: false }],
  fullyConnected: () => [np.ones([2, 3]), np.ones([4, 3]), np.ones(4), { flatten: true }],
  layerNorm: () => [np.ones([2, 3]), np.ones(3), np.ones(3), { axis: -1, eps: 1e-5 }],
  activation: () => [np.ones([2, 3]), "relu"],
  choice: () => [5, 2, { replace: false, p: [0.2, 0.2, 0.2, 0.2, 0.2] }],
  softmax: () => [np.ones([2, 3]), -1, {}],
  logSoftmax: () => [np.ones([2, 3]), -1, {}],
  array: () => [[1, 2], {}],
  asarray: () => [[1, 2], {}],
  zeros: () => [2, {}],
  ones: () => [2, {}],
  empty: () => [2, {}],
  full: () => [2, 7, {}],
  fullLike: () => [[1, 2], 7, {}],
  arange: () => [0, 5, 1, {}],
  linspace: () => [0, 1, 5, {}],
  eye: () => [2, 2, 0, {}],
  identity: () => [2, {}],
  slice: () => [0, 5, 1],
  seed: () => [7],
  setMemoryLimit: () => ["not a limit"],
  scope: () => [() => 1],
};

const groups: [string, Record<string, unknown>][] = [
  ["np", { ...np }],
  ["np.linalg", { ...np.linalg }],
  ["np.random", { ...np.random }],
  ["npx", { ...npx }],
];

/** What may be said at the head of a message: the operator, perhaps with a place in a list. */
const FORM = /^[A-Za-z][\w.]*( \([^)]+\))?: \S/;

/** Two names of one function, which speaks under the second. */
const SECOND: Record<string, string> = {
  abs: "absolute",
  amax: "max",
  amin: "min",
  fix: "trunc",
  mod: "remainder",
  seed: "random.seed",
  softplus: "softrelu",
  trueDivide: "divide",
};

/** What is wrong about how a call ended, or nothing. `name` is what the message has to begin with. */
function judge(call: () => unknown, arrays: readonly NDArray[], name = ""): string {
  const before = arrays.map(x => [...x.toTypedArray()]);
  const had = flags();
  let wrong = "";
  try {
    call();
  } catch (error) {
    if (!(error instanceof NablaError)) wrong = `${(error as Error)?.name}: ${String((error as Error)?.message).slice(0, 100)}`;
    else if (!FORM.test(error.message)) wrong = `says "${error.message.slice(0, 100)}"`;
    else if (name !== "" && /^[\w.]+/.exec(error.message)![0] !== name) wrong = `speaks for another: "${error.message.slice(0, 60)}"`;
    else if (error.message.length > 1000) wrong = `says ${error.message.length} characters`;
    else if (arrays.some((x, i) => x.toTypedArray().some((v, k) => v !== before[i]![k]))) wrong = "an array changed before the error";
  }
  if (`${flags()}` !== `${had}`) {
    wrong ||= `flags became ${flags()}`;
    autograd.setRecording(had[0]);
    autograd.setTraining(had[1]);
  }
  return wrong;
}

const goodArguments = (name: string): unknown[] =>
  Object.hasOwn(GOOD, name) ? GOOD[name]!() : [np.ones([2, 3]), np.ones([2, 3]), undefined];

/** Puts every hostile value in every place of a call. */
function sweep(name: string, path: string, call: (args: unknown[]) => unknown, skip: readonly string[] = []): string[] {
  const found: string[] = [];
  const good = goodArguments(name);
  const speaker = path.startsWith("x.") ? "" : name !== "seed" && path.startsWith("np.random.") ? `random.${name}` : (SECOND[name] ?? name);
  for (const [what, make] of Object.entries(HOSTILE)) {
    if (skip.includes(what)) continue;
    for (let place = 0; place <= good.length; place++) {
      const args = goodArguments(name);
      const arrays = args.filter(a => a instanceof NDArray);
      args[place] = make();
      const wrong = judge(() => call(args), arrays, speaker);
      if (wrong) found.push(`${path} with ${what} at ${place}: ${wrong}`);
    }
    const everywhere = judge(() => call([make(), make(), make()]), [], speaker);
    if (everywhere) found.push(`${path} with ${what} everywhere: ${everywhere}`);
  }
  return found;
}

const summary = (found: readonly string[]): string[] =>
  found.slice(0, 15).concat(found.length > 15 ? [`and ${found.length - 15} more`] : []);

afterEach(() => {
  npx.setNp();
  expect(flags(), "flags afterwards").toEqual([false, false]);
  expect(np.array([1, 2]).add([3, 4]).tolist(), "the engine afterwards").toEqual([4, 6]);
});

describe("anything anywhere", () => {
  for (const [path, group] of groups)
    for (const [name, fn] of some(Object.entries(group)))
      if (typeof fn === "function")
        test(`${path}.${name}`, () => {
          // A class given as a callback is the caller's own TypeError.
          const skip = name === "scope" ? ["a class"] : [];
          expect(summary(sweep(name, `${path}.${name}`, args => (fn as Call)(...args), skip))).toEqual([]);
        });

  const methods = Object.getOwnPropertyNames(NDArray.prototype).filter(
    name => name !== "constructor" && typeof Object.getOwnPropertyDescriptor(NDArray.prototype, name)!.value === "function",
  );
  for (const name of some(methods))
    test(`x.${name}`, () => {
      const call = (args: unknown[]): unknown => {
        const x = args[0] instanceof NDArray ? args[0] : np.ones([2, 3]);
        return (x[name as "add"] as Call).apply(x, args.slice(1));
      };
      expect(summary(sweep(name, `x.${name}`, call))).toEqual([]);
    });

  test("there is something to sweep", () => {
    expect(methods.length).toBeGreaterThan(50);
    expect(groups.every(([, g]) => Object.values(g).some(v => typeof v === "function"))).toBe(true);
  });

  for (const [name, call] of Object.entries<(v: unknown) => unknown>({
    "autograd.backward": v => autograd.backward(v as NDArray),
    "autograd.backward's head gradients": v => autograd.backward([recorded()], v),
    "autograd.backward's options": v => autograd.backward(recorded(), null, v as object),
    "autograd.grad": v => autograd.grad(v as NDArray, recorded()),
    "autograd.grad's variables": v => autograd.grad(recorded(), v as NDArray),
    "autograd.grad's options": v => autograd.grad(recorded(), recorded(), v as object),
    "autograd.markVariables": v => autograd.markVariables(v as NDArray, np.ones(2)),
    "autograd.markVariables' gradients": v => autograd.markVariables(np.ones(2), v as NDArray),
    "autograd.markVariables' gradReqs": v => autograd.markVariables(np.ones(2), np.ones(2), v as "add"),
    "autograd.graphSize": v => autograd.graphSize(v as NDArray),
    "x.backward": v => recorded().backward(v as NDArray),
    "x.backward's options": v => recorded().backward(null, v as object),
    "x.attachGrad": v => np.ones(2).attachGrad(v as "add"),
    "grad's function": v => grad(v as () => NDArray)([1, 2]),
    "grad's argnums": v => grad((x: NDArray) => x.sum(), v as number)([1, 2]),
    "grad's argument": v => grad((x: NDArray) => x.sum())(v as number),
    "grad of a function that returns it": v => grad(() => v as NDArray)([1]),
    "valueAndGrad's argument": v => valueAndGrad((x: NDArray) => x.sum())(v as number),
    "vjp's argument": v => vjp((x: NDArray) => x.mul(2), v as number),
    "vjp's cotangent": v => vjp((x: NDArray) => x.mul(2), [1, 2])[1](v as number),
    "jacobian's argument": v => jacobian((x: NDArray) => x.mul(2))(v as number),
    "hessian's argnum": v => hessian((x: NDArray) => x.sum(), v as number)([1]),
    "hvp's point": v => hvp((x: NDArray) => x.sum(), v as number, [1]),
    "hvp's direction": v => hvp((x: NDArray) => x.mul(x).sum(), [1], v as number),
    "jvp's function": v => jvp(v as () => NDArray, [1, 2], [1, 2]),
    "jvp's argument": v => jvp((x: NDArray) => x.mul(2), v as number, v as number),
    "jvp's list of arguments": v => jvp((x: NDArray, y: NDArray) => np.add(x, y), v as number, [1, 2]),
    "jvp's tangent": v => jvp((x: NDArray) => x.mul(2), [1, 2], v as number),
    "jvp's list of tangents": v => jvp((x: NDArray, y: NDArray) => x.mul(y), [1, 2], v as number),
    "jvp of a function that returns it": v => jvp(() => v as NDArray, [1, 2], [1, 2]),
    "checkpoint's function": v => autograd.record(() => checkpoint(v as () => NDArray)()),
    "checkpoint's argument": v => autograd.record(() => checkpoint((_x: unknown) => recorded())(v)),
    "checkpoint of a function that returns it": v => autograd.record(() => checkpoint(() => v as NDArray)()),
    "npx.fuse's function": v => npx.fuse(v as () => NDArray),
    "npx.fuse of a function that returns it": v => npx.fuse((_x: NDArray) => v as NDArray),
    "npx.fuse of a function that uses it": v => npx.fuse((x: NDArray) => x.add(v as NDArray)),
    "a fused function's argument": v => npx.fuse((x: NDArray, y: NDArray) => x.mul(y))(v as NDArray, [1, 2]),
    "checkGrad's arguments": v => nabla.checkGrad((x: NDArray) => x.sum(), v as number[]),
    "checkGrad's tolerance": v => nabla.checkGrad((x: NDArray) => x.sum(), [[1]], { tolerance: v as number }),
    "checkGrad of a function that returns it": v => nabla.checkGrad(() => v as NDArray, [[1]]),
    "checkGrad's options": v => nabla.checkGrad((x: NDArray) => x.sum(), [[1]], v as object),
    "npx.scope's result": v => npx.scope(() => v),
    "npx.keep": v => npx.scope(() => npx.keep(v)),
    "npx.setNp": v => npx.setNp(v as object),
    "npx.setMemoryLimit": v => (typeof v === "number" && v >= 2 ** 20 && v <= 2 ** 32 ? null : npx.setMemoryLimit(v as number)),
    "setters of flags": v => (typeof v === "boolean" ? null : autograd.setRecording(v as boolean)),
    "new Function().apply": v => new Twice().apply(v as number),
    "Function's forward": v => new Given(v, null).apply([1, 2]),
    "Function's backward": v => {
      const x = np.ones(2).attachGrad();
      autograd.record(() => new Given(np.ones(2), v).apply(x)).backward();
    },
    "a flag of freshness": v => {
      np.ones(2).attachGrad().gradIsFresh = v as boolean;
    },
  }))
    test(name, () => {
      const found: string[] = [];
      for (const [what, make] of Object.entries(HOSTILE)) {
        // A scope hands back whatever it is given, promises excepted.
        if (what === "a class" || (what === "an empty list" && name.startsWith("checkGrad"))) continue;
        const wrong = judge(() => call(make()), []);
        if (wrong) found.push(`${what}: ${wrong}`);
      }
      expect(summary(found)).toEqual([]);
    });

  for (const [name, scope] of Object.entries({
    record: autograd.record,
    pause: autograd.pause,
    trainMode: autograd.trainMode,
    predictMode: autograd.predictMode,
  } as unknown as Record<string, (v: unknown, o?: unknown) => unknown>))
    test(`autograd.${name}`, () => {
      const found: string[] = [];
      for (const [what, make] of Object.entries(HOSTILE)) {
        const v = make();
        // A plain object opens a scope; a function runs.
        if (["an object", "an object without prototype", "a function"].includes(what)) continue;
        const had = flags();
        try {
          scope(v);
          if (typeof v !== "function") found.push(`${what}: accepted`);
        } catch (error) {
          if (!(error instanceof NablaError) && typeof v !== "function")
            found.push(`${what}: ${(error as Error).name}: ${(error as Error).message}`);
        }
        if (`${flags()}` !== `${had}`) found.push(`${what}: flags became ${flags()}`);
        autograd.setRecording(false);
        autograd.setTraining(false);
        if (what === "a class" || name.endsWith("Mode") || v === null) continue;
        const wrong = judge(() => scope(() => 1, v), []);
        if (wrong) found.push(`${what} as options: ${wrong}`);
      }
      expect(summary(found)).toEqual([]);
    });
});

function recorded(): NDArray {
  const x = np.array([1, 2]).attachGrad();
  return autograd.record(() => x.mul(x));
}

class Twice extends autograd.Function {
  override forward(x: NDArray): NDArray {
    return x.mul(2);
  }
  override backward(dy: NDArray): NDArray {
    return dy.mul(2);
  }
}

/** Returns whatever it was made with. */
class Given extends autograd.Function {
  constructor(
    private readonly result: unknown,
    private readonly gradient: unknown,
  ) {
    super();
  }
  override forward(): NDArray {
    return this.result as NDArray;
  }
  override backward(): NDArray {
    return this.gradient as NDArray;
  }
}

/** Batch normalisation in training mode with these running values. */
const trained = (mean: ArrayInput, variance: ArrayInput): NDArray =>
  autograd.trainMode(() => npx.batchNorm([[1], [3]], [1], [0], mean, variance));

describe("callbacks", () => {
  const apply: Record<string, (f: never) => unknown> = {
    grad: f => grad(f)([1]),
    valueAndGrad: f => valueAndGrad(f)([1]),
    vjp: f => vjp(f, [1]),
    jvp: f => jvp(f, [1], [1]),
    jacobian: f => jacobian(f)([1]),
    hessian: f => hessian(f)([1]),
    hvp: f => hvp(f, [1], [1]),
    vmap: f => nabla.vmap(f)([1]),
    checkpoint: f => checkpoint(f)(np.ones(1)),
    checkGrad: f => nabla.checkGrad(f, [[1]]),
    fuse: f => npx.fuse(f),
    scope: f => npx.scope(f),
    fromfunction: f => np.fromfunction(f, [2]),
    "autograd.record": f => autograd.record(f),
    "autograd.pause": f => autograd.pause(f),
    "autograd.trainMode": f => autograd.trainMode(f),
    "autograd.predictMode": f => autograd.predictMode(f),
  };

  test.each(Object.entries(apply))("%s refuses an asynchronous function before it runs, and in its own name", (name, call) => {
    let ran = false;
    const f = async (x: NDArray): Promise<NDArray> => {
      ran = true;
      return x;
    };
    expect(() => call(f as never)).toThrow(GradError);
    expect(() => call(f as never)).toThrow(new RegExp(`^${name}: the function is asynchronous`));
    expect(ran).toBe(false);
  });

  test("a callback that is not there opens no scope", () => {
    for (const name of ["record", "pause", "trainMode", "predictMode"] as const) {
      const open = autograd[name] as (...given: unknown[]) => unknown;
      for (const nothing of [undefined, null]) {
        expect(() => open(nothing)).toThrow(ValueError);
        expect(() => open(nothing)).toThrow(`autograd.${name}: expected a function, got ${nothing}`);
      }
      expect(flags()).toEqual([false, false]);
    }
    const scope = autograd.record({ trainMode: false });
    expect(flags()).toEqual([true, false]);
    scope.end();
    const other = autograd.record();
    expect(flags()).toEqual([true, true]);
    other.end();
  });

  test("results are never the argument itself", () => {
    const x = np.array([[1, 2]]);
    for (const y of [npx.dropout(x), npx.dropout(x, 0, { mode: "always" }), npx.sequenceMask(x)]) {
      expect(y.tolist()).toEqual([[1, 2]]);
      y.set(7);
      expect(x.tolist()).toEqual([[1, 2]]);
    }
    const v = np.array([1, 2]).attachGrad();
    autograd.record(() => npx.dropout(v, 0).mul(v).sum()).backward();
    expect(v.grad!.tolist()).toEqual([2, 4]);
  });
});

describe("classes and messages", () => {
  type Class = new (message?: string) => NablaError;
  const x = (): NDArray => np.ones([2, 3]);
  const rows: [string, Class, RegExp, () => unknown][] = [
    // ShapeError: broadcasting, reshape sizes, mask shapes, head gradients, axes out of range
    [
      "broadcasting",
      ShapeError,
      /^add: cannot broadcast \(3, 4\) with \(2, 4\): axis 0 has sizes 3 and 2/,
      () => np.ones([3, 4]).add(np.ones([2, 4])),
    ],
    ["oneHot of a huge depth", ShapeError, /^oneHot: .*elements/, () => npx.oneHot([0], 1e12)],
    ["a huge outer", ShapeError, /^outer: .*elements/, () => np.outer(np.broadcastTo(0, [30000]), np.broadcastTo(0, [30000]))],
    ["a huge kron", ShapeError, /^kron: .*elements/, () => np.kron(np.broadcastTo(0, [30000]), np.broadcastTo(0, [30000]))],
    ["hardSigmoid's bounds", ShapeError, /^hardSigmoid: /, () => npx.hardSigmoid(x(), np.ones(2) as unknown as number)],
    ["broadcasting three", ShapeError, /^where: .*\(2,\).*\(3,\)/, () => np.where([true, false], [1, 2, 3], 0)],
    ["reshape", ShapeError, /^reshape: .*\(2, 3\).*6 elements.*\(4,\)/, () => x().reshape(4)],
    ["reshape with two holes", ShapeError, /^reshape: .*one.*-1/, () => x().reshape(-1, -1)],
    ["broadcastTo", ShapeError, /^broadcastTo: .*\(2, 3\).*\(3, 3\)/, () => x().broadcastTo([3, 3])],
    ["squeeze", ShapeError, /^squeeze: axis 0 .*\(2, 3\).*2/, () => x().squeeze(0)],
    ["a mask's shape", ShapeError, /^at: .*\(3,\).*\(2,\)/, () => x().at([true, false, true])],
    ["an axis out of range", ShapeError, /^sum: axis 2 .*-2 to 1/, () => x().sum(2)],
    ["an axis of 0-d", ShapeError, /^max: axis 1 of a 0-d array/, () => np.max(5, 1)],
    ["a head gradient", ShapeError, /^backward: .*\(3,\).*\(2,\)/, () => recorded().backward(np.ones(3))],
    ["matmul", ShapeError, /^matmul: .*\(2, 3\).*\(2, 3\).*axis 1.*3.*axis 0.*2/, () => x().matmul(x())],
    ["dot", ShapeError, /^dot: .*\(3,\).*\(2,\)/, () => np.dot([1, 2, 3], [1, 2])],
    ["matmul of 0-d", ShapeError, /^matmul: .*\(\).*multiply/, () => np.matmul(2, x())],
    ["concatenate", ShapeError, /^concatenate: array 1 .*\(2, 2\).*\(2, 3\)/, () => np.concatenate([x(), np.ones([2, 2])])],
    ["stack", ShapeError, /^stack: array 1 /, () => np.stack([x(), np.ones([2, 2])])],
    ["ragged lists", ShapeError, /^array: ragged lists: .*\[1\]/, () => np.array([[1, 2], [3]])],
    ["a value's shape", ShapeError, /^set: .*\(4,\).*\(2, 3\)/, () => x().set([1, 2, 3, 4])],
    ["iadd that grows", ShapeError, /^iadd: .*\(2, 2, 3\).*\(2, 3\)/, () => x().iadd(np.ones([2, 2, 3]))],
    ["a negative size", ShapeError, /^zeros: .*-3 at position 1/, () => np.zeros([2, -3])],
    ["NaN as a size", ShapeError, /^ones: .*NaN at position 0/, () => np.ones(Number.NaN)],
    ["a string as a shape", ShapeError, /^full: .*"3"/, () => np.full("3" as unknown as number, 1)],
    ["too large", ShapeError, /^zeros: .*\(1000000000,\)/, () => np.zeros(1e9)],
    ["too large a range", ShapeError, /^arange: /, () => np.arange(1e12)],
    ["too large a matrix", ShapeError, /^eye: /, () => np.eye(1e6)],
    ["too large a sample", ShapeError, /^random\.normal: /, () => np.random.normal(0, 1, [1e5, 1e5])],
    ["pick", ShapeError, /^pick: /, () => npx.pick(x(), [0, 1, 2])],
    ["takeAlongAxis", ShapeError, /^takeAlongAxis: /, () => np.takeAlongAxis(x(), [0], 1)],

    // What a function's parts refuse, it refuses in its own name.
    ["choice of more than int32 holds", ValueError, /^random\.choice: /, () => np.random.choice(2 ** 40, 3)],
    ["cond of NaN", ValueError, /^cond: .*NaN/, () => np.linalg.cond([[Number.NaN]])],
    ["cond's order", ValueError, /^cond: order 3/, () => np.linalg.cond([[1]], 3)],
    ["matrixRank of infinity", ValueError, /^matrixRank: .*Infinity/, () => np.linalg.matrixRank([[np.inf]])],
    ["a largest norm of nothing", ValueError, /^norm: .*no elements/, () => np.linalg.norm(np.zeros(0), np.inf)],
    ["tensorinv of zeros", ValueError, /^tensorinv: .*singular/, () => np.linalg.tensorinv(np.zeros([2, 2]), 1)],
    ["select's branches", ShapeError, /^select: cannot broadcast/, () => np.select([[true, false]], [[1, 2, 3]])],

    ["an array made with new", ValueError, /^NDArray: .*np\.array/, () => new (NDArray as unknown as new (x: number[]) => NDArray)([1, 2])],
    ["a list as running mean", ValueError, /^batchNorm: running .*\[0\]/, () => trained([0], np.ones(1))],
    ["a list as running variance", ValueError, /^batchNorm: running .*\[1\]/, () => trained(np.zeros(1), [1])],

    // IndexError: positions out of range, too many index items
    ["at", IndexError, /^at: position 5 .*axis 0 of size 2/, () => x().at(5)],
    ["set", IndexError, /^set: position -4 .*axis 1 of size 3/, () => x().set(1, 0, -4)],
    ["item", IndexError, /^item: position 9 .*axis 1 of size 3/, () => x().item(0, 9)],
    ["take", IndexError, /^take: position 6 .*size 6/, () => x().take([6])],
    ["takeAlongAxis's positions", IndexError, /^takeAlongAxis: position 3 /, () => np.takeAlongAxis([1, 2], [3], 0)],
    ["a list of positions", IndexError, /^at: position 7 /, () => x().at([0, 7])],
    ["too many items", IndexError, /^at: 3 index items .*2 axes.*\(2, 3\)/, () => x().at(0, 0, 0)],
    ["two ellipses", IndexError, /^at: .*"\.\.\."/, () => x().at("...", "...")],
    ["an index of 0-d", IndexError, /^at: /, () => np.array(1).at(0)],
    ["pick that raises", IndexError, /^pick: position 9 /, () => npx.pick(x(), [0, 9], -1, { mode: "raise" })],

    // DTypeError: dtypes and fractional indices
    [
      "an unknown dtype",
      DTypeError,
      /^zeros: no dtype "float128"; there are float32/,
      () => np.zeros(1, { dtype: "float128" as "float32" }),
    ],
    ["int64", DTypeError, /^astype: no dtype "int64"/, () => x().astype("int64" as "int32")],
    ["attachGrad of integers", DTypeError, /^attachGrad: int32 .*astype\("float32"\)/, () => int(1).attachGrad()],
    ["Uint16Array", DTypeError, /^array: a Uint16Array .*Float64Array\.from/, () => np.array(new Uint16Array(1) as unknown as Uint8Array)],
    ["BigInt64Array", DTypeError, /^add: a BigInt64Array /, () => np.add(new BigInt64Array(1) as unknown as Uint8Array, 1)],
    ["a fractional index", DTypeError, /^at: .*0\.5/, () => x().at(0.5)],
    ["fractional positions", DTypeError, /^take: .*0\.5/, () => x().take([0.5])],
    ["fractional positions in a list", DTypeError, /^at: .*1\.5/, () => x().at([0, 1.5])],
    ["iadd of a fraction", DTypeError, /^iadd: .*float32.*int32.*astype/, () => int(1).iadd(0.5)],
    [
      "out of another dtype",
      DTypeError,
      /^add: out is float64, the result float32/,
      () => np.add([1], 1, { out: np.zeros(1, { dtype: "float64" }) }),
    ],
    ["grad of integers", DTypeError, /^grad: .*int32.*astype/, () => grad((v: NDArray) => v.sum())(int(1))],

    // ValueError: values, modes, gradReq, malformed slices, unknown options
    ["gradReq", ValueError, /^attachGrad: gradReq is "write", "add" or "null", got "foo"/, () => x().attachGrad("foo" as "add")],
    ["a malformed slice", ValueError, /^at: malformed slice "1:2:3:4"/, () => x().at("1:2:3:4")],
    ["a slice's step 0", ValueError, /^at: .*step.*0/, () => x().at("::0")],
    ["np.slice with a step 0", ValueError, /^slice: .*step.*0/, () => np.slice(0, 1, 0)],
    ["a mode", ValueError, /^take: mode is "raise", "clip" or "wrap", got "foo"/, () => x().take([0], 0, { mode: "foo" as "clip" })],
    ["an axis that is none", ValueError, /^sum: an axis is a whole number, got "x"/, () => x().sum("x" as unknown as number)],
    ["an axis twice", ValueError, /^sum: axis 1 is named twice/, () => x().sum([1, -1])],
    ["max of nothing", ValueError, /^max: .*\(0,\).*no elements/, () => np.max([])],
    ["argmin of nothing", ValueError, /^argmin: .*no elements/, () => np.argmin([])],
    ["300 in uint8", ValueError, /^add: 300 does not fit uint8/, () => np.ones(1, { dtype: "uint8" }).add(300)],
    ["int ** -1", ValueError, /^power: int32 .*-1.*astype/, () => int(2).pow(-1)],
    ["int ** an array of -1", ValueError, /^power: /, () => int(2).pow(int(-1))],
    ["a number ** an int array of -1", ValueError, /^power: /, () => np.power(2, int(-1))],
    ["NaN in int32", ValueError, /^array: NaN .*int32/, () => np.array([Number.NaN], { dtype: "int32" })],
    ["Infinity set in int32", ValueError, /^set: Infinity .*int32/, () => int(1).set(Number.POSITIVE_INFINITY)],
    ["NaN cast by set", ValueError, /^set: NaN /, () => int(1).set(np.array([Number.NaN]))],
    ["clip without bounds", ValueError, /^clip: neither bound/, () => np.clip(x(), null, null)],
    ["a string as an array", ValueError, /^add: expected an array.*"3".*Number/, () => np.add("3" as unknown as number, 1)],
    ["a missing operand", ValueError, /^add: .*undefined.*missing/, () => (x().add as Call)()],
    ["a promise as an array", ValueError, /^add: .*await/, () => np.add(Promise.resolve(1) as unknown as number, 1)],
    ["arange with a step 0", ValueError, /^arange: .*step/, () => np.arange(0, 1, 0)],
    ["arange of a string", ValueError, /^arange: .*"5"/, () => np.arange(0, "5" as unknown as number)],
    ["arange by a string", ValueError, /^arange: .*"1"/, () => np.arange(0, 5, "1" as unknown as number)],
    ["linspace's count", ValueError, /^linspace: num .*-1/, () => np.linspace(0, 1, -1)],
    ["eye with a string", ShapeError, /^eye: .*"4"/, () => np.eye(3, "4" as unknown as number)],
    ["eye's diagonal", ValueError, /^eye: k .*"1"/, () => np.eye(3, 3, "1" as unknown as number)],
    ["fullLike without a value", ValueError, /^fullLike: .*undefined/, () => (np.fullLike as Call)([1, 2])],
    ["fullLike of a string", ValueError, /^fullLike: .*"a"/, () => np.fullLike([1], "a" as unknown as number)],
    ["full of a string", ValueError, /^full: .*"a"/, () => np.full(1, "a" as unknown as number)],
    ["squeeze's axis", ValueError, /^squeeze: an axis is a whole number/, () => x().squeeze("a" as unknown as number)],
    ["dropout's axes", ValueError, /^dropout: /, () => npx.dropout(x(), 0.5, { axes: 5 as unknown as number[], mode: "always" })],
    ["dropout's p", ValueError, /^dropout: p .*1\.5/, () => npx.dropout(x(), 1.5)],
    ["keepdims of another type", ValueError, /^sum: keepdims .*true or false/, () => x().sum(0, { keepdims: 1 as unknown as boolean })],
    ["keepdims of argmax", ValueError, /^argmax: keepdims/, () => x().argmax(0, { keepdims: "yes" as unknown as boolean })],
    ["keepdims of norm", ValueError, /^norm: keepdims/, () => np.linalg.norm(x(), null, 0, { keepdims: 1 as unknown as boolean })],
    ["endpoint of another type", ValueError, /^linspace: endpoint/, () => np.linspace(0, 1, 5, { endpoint: 0 as unknown as boolean })],
    [
      "what nanToNum puts in, too long",
      ShapeError,
      /^nanToNum: nan of shape \(4,\) does not broadcast to \(2, 3\)/,
      () => np.nanToNum(x(), { nan: [1, 2, 3, 4] }),
    ],
    ["a promise put in", ValueError, /^nanToNum: .*await/, () => np.nanToNum(x(), { posinf: Promise.resolve(1) as unknown as number })],
    [
      "labels that are none",
      ValueError,
      /^einsum: each array has a list of labels behind it.*"ij"/,
      () => np.einsum(x(), "ij" as unknown as number[]),
    ],
    ["a label below 0", ValueError, /^einsum: a label is a whole number >= 0, got -1/, () => np.einsum(x(), [0, -1])],
    [
      "a label that no array has",
      ValueError,
      /^einsum: the result in \[0, 1\], \[2\] names 2, which no array has/,
      () => np.einsum(x(), [0, 1], [2]),
    ],
    [
      "too few labels",
      ValueError,
      /^einsum: array 0 of shape \(2, 3\) has 2 axes, its subscripts in \[0\] name 1/,
      () => np.einsum(x(), [0]),
    ],
    ["einsum of an array alone", ValueError, /^einsum: first come subscripts.*an NDArray/, () => (np.einsum as Call)(x())],
    ["a promise among labels", ValueError, /^einsum: .*await/, () => np.einsum(Promise.resolve(1) as unknown as number, [])],
    ["axes of two operands", ValueError, /^matmul: axes are three lists, .*, got \[0, 1\]/, () => np.matmul(x(), x().T, { axes: [0, 1] })],
    ["an axis too few", ValueError, /^matmul: 2 axes to 1 places/, () => np.matmul(x(), x(), { axes: [[0, 1], [1, 0], [0]] })],
    ["ddof twice", ValueError, /^var: ddof and correction/, () => np.var(x(), 0, { ddof: 1, correction: 1 })],
    [
      "a mean without its axis",
      ShapeError,
      /^nanstd: mean of shape \(2,\) does not broadcast to \(2, 1\)/,
      () => np.nanstd(x(), 1, { mean: [1, 2] }),
    ],
    ["a promise as mean", ValueError, /^std: .*await/, () => np.std(x(), 1, { mean: Promise.resolve(1) as unknown as number })],
    [
      "weights by another method",
      ValueError,
      /^quantile: weights are for method "inverted_cdf", got "linear"/,
      () => np.quantile(x(), 0.5, 1, { weights: [1, 1, 1] }),
    ],
    [
      "weights below 0",
      ValueError,
      /^percentile: weights are finite, >= 0/,
      () => np.percentile(x(), 50, 1, { weights: [1, -1, 1], method: "inverted_cdf" }),
    ],
    ["an axis of pad that is not there", ShapeError, /^pad: axis 2 is out of range/, () => np.pad(x(), { 2: 1 })],
    ["a width of pad by axis", ValueError, /^pad: .*-1/, () => np.pad(x(), { 0: -1 })],
    ["a second array that is none", ValueError, /^atleast2d: .*"b"/, () => np.atleast2d(x(), "b" as unknown as number)],
    ["isAscend of another type", ValueError, /^topk: isAscend/, () => npx.topk([1, 2], { isAscend: 1 as unknown as boolean })],
    ["topk's k", ValueError, /^topk: k .*1 to 2.*5/, () => npx.topk([1, 2], { k: 5 })],
    ["softmax's temperature", ValueError, /^softmax: .*temperature.*0/, () => npx.softmax(x(), -1, { temperature: 0 })],
    ["oneHot's depth", ValueError, /^oneHot: .*depth.*2\.5/, () => npx.oneHot([0], 2.5)],
    ["a norm that is not there", ValueError, /^norm: order "x"/, () => np.linalg.norm(x(), "x" as "fro")],
    ["an empty list to join", ValueError, /^concatenate: .*\[\]/, () => np.concatenate([])],
    ["a cast of options", ValueError, /^zeros: options are an object, got "float64"/, () => np.zeros(1, "float64" as unknown as object)],
    [
      "zerosLike's options",
      ValueError,
      /^zerosLike: options are an object, got "float64"/,
      () => np.zerosLike([1], "float64" as unknown as object),
    ],
    ["a memory limit", ValueError, /^setMemoryLimit: /, () => npx.setMemoryLimit(1)],
    ["a seed", ValueError, /^random\.seed: /, () => npx.seed(-1)],
    ["iteration of 0-d", ValueError, /^\w+: .*0-d/, () => [...np.array(1)]],
    ["the number of many", ValueError, /^\w+: .*\(2, 3\).*ambiguous/, () => +x()],
    ["item of many", ValueError, /^item: .*\(2, 3\).*6 elements/, () => x().item()],
    ["a broadcast view", ValueError, /^set: a broadcast view.*copy\(\)/, () => np.broadcastTo(np.array(1), [2]).set(1)],
    [
      "a write to a disposed array",
      ValueError,
      /^\w+: .*released/,
      () => {
        const y = np.array([1, 2]).add(0);
        const key: symbol = Symbol.dispose ?? Symbol.for("Symbol.dispose");
        (y as unknown as Record<symbol, () => void>)[key]!();
        y.add(1);
      },
    ],

    // GradError: everything about graphs
    ["no recording", GradError, /^backward: .*nothing was recording/, () => np.ones(2).backward()],
    ["an asynchronous function", GradError, /^autograd\.record: .*asynchronous/, () => autograd.record(async () => 1)],
    ["a promise from the callback", GradError, /^autograd\.pause: .*asynchronous/, () => autograd.pause(() => Promise.resolve(1))],
    ["an asynchronous scope", GradError, /^scope: .*asynchronous/, () => npx.scope(async () => 1)],
    ["a promise from a scope", GradError, /^scope: .*asynchronous/, () => npx.scope(() => Promise.resolve(1))],
    [
      "a write to a variable",
      GradError,
      /^iadd: an attached array.*copy\(\)/,
      () => autograd.record(() => np.ones(2).attachGrad().iadd(1)),
    ],
    [
      "out while recording",
      GradError,
      /^add: out .*recording/,
      () => autograd.record(() => np.add(np.ones(2).attachGrad(), 1, { out: np.zeros(2) })),
    ],
    ["grad of a vector", GradError, /^grad: .*\(2,\).*jacobian/, () => grad((v: NDArray) => v)([1, 2])],
    ["grad of no array", GradError, /^grad: .*array.*5/, () => grad(() => 5 as unknown as NDArray)([1])],
    ["no variables", GradError, /^autograd\.grad: .*\[\]/, () => autograd.grad(recorded(), [])],
    ["no heads", GradError, /^backward: .*\[\]/, () => autograd.backward([])],
    ["a transform's async function", GradError, /asynchronous/, () => grad((async () => np.array(1)) as unknown as () => NDArray)([1])],
  ];
  for (const [what, type, message, call] of rows)
    test(`${type.name}: ${what}`, () => {
      let error: unknown;
      try {
        const result = call();
        error = new Error(`it gave ${typeof result === "object" ? String(result) : typeof result}`);
      } catch (e) {
        error = e;
      }
      expect(`${(error as Error).name}: ${(error as Error).message}`).toMatch(
        new RegExp(`^${type.name}: ${message.source.startsWith("^") ? message.source.slice(1) : `.*${message.source}`}`),
      );
      expect(error).toBeInstanceOf(type);
      expect(error).toBeInstanceOf(NablaError);
      expect(error).toBeInstanceOf(Error);
    });

  test("every class is a subclass of NablaError and bears its name", () => {
    for (const type of [ShapeError, DTypeError, IndexError, ValueError, GradError]) {
      const e = new type("x");
      expect([e.name, e instanceof NablaError, e instanceof Error, e.message]).toEqual([type.name, true, true, "x"]);
    }
  });

  const optional: [string, string[], (o: object) => unknown][] = [
    ["array", ["dtype", "ndmin"], o => np.array([1], o)],
    ["asarray", ["dtype"], o => np.asarray([1], o)],
    ["zeros", ["dtype"], o => np.zeros(1, o)],
    ["ones", ["dtype"], o => np.ones(1, o)],
    ["empty", ["dtype"], o => np.empty(1, o)],
    ["full", ["dtype"], o => np.full(1, 1, o)],
    ["zerosLike", ["dtype", "shape"], o => np.zerosLike([1], o)],
    ["onesLike", ["dtype", "shape"], o => np.onesLike([1], o)],
    ["fullLike", ["dtype", "shape"], o => np.fullLike([1], 1, o)],
    ["emptyLike", ["dtype", "shape"], o => np.emptyLike([1], o)],
    ["arange", ["dtype"], o => np.arange(3, o)],
    ["linspace", ["dtype", "endpoint", "axis", "retstep"], o => np.linspace(0, 1, 3, o)],
    ["logspace", ["dtype", "endpoint", "axis", "base"], o => np.logspace(0, 1, 3, o)],
    ["geomspace", ["dtype", "endpoint", "axis"], o => np.geomspace(1, 2, 3, o)],
    ["indices", ["dtype", "sparse"], o => np.indices(3, o)],
    ["concatenate", ["dtype"], o => np.concatenate([[1]], 0, o)],
    ["stack", ["dtype"], o => np.stack([[1]], 0, o)],
    ["vstack", ["dtype"], o => np.vstack([[1]], o)],
    ["hstack", ["dtype"], o => np.hstack([[1]], o)],
    ["average", ["weights", "returned", "keepdims"], o => np.average([1], 0, o)],
    ["unique", ["returnIndex", "returnInverse", "returnCounts", "axis", "equalNan"], o => np.unique([1], o)],
    ["pad", ["mode", "constantValues"], o => np.pad([1], 1, o)],
    ["pad", ["mode", "statLength"], o => np.pad([1], 1, { ...o, mode: "mean" })],
    ["random.choice", ["replace", "p", "axis"], o => np.random.choice(2, 1, o)],
    ["eye", ["dtype"], o => np.eye(2, o)],
    ["identity", ["dtype"], o => np.identity(2, o)],
    ["add", ["out"], o => np.add(1, 2, o)],
    ["sin", ["out"], o => np.sin(1, o)],
    ["power", ["out"], o => np.power([1], 2, o)],
    ["matmul", ["out", "axes"], o => np.matmul([[1]], [[1]], o)],
    ["sum", ["keepdims", "dtype", "where", "initial"], o => np.sum([1], 0, o)],
    ["mean", ["keepdims", "dtype", "where"], o => np.mean([1], 0, o)],
    ["max", ["keepdims", "where", "initial"], o => np.max([1], 0, o)],
    ["all", ["keepdims", "where"], o => np.all([true], 0, o)],
    ["argmax", ["keepdims"], o => np.argmax([1], 0, o)],
    ["norm", ["keepdims"], o => np.linalg.norm([1], null, 0, o)],
    ["cholesky", ["UPLO"], o => np.linalg.cholesky([[1]], o)],
    ["eigh", ["UPLO"], o => np.linalg.eigh([[1]], o)],
    ["qr", ["mode"], o => np.linalg.qr([[1]], o)],
    ["svd", ["fullMatrices", "computeUv", "hermitian"], o => np.linalg.svd([[1]], o)],
    ["matrixRank", ["tol", "hermitian"], o => np.linalg.matrixRank([[1]], o)],
    ["lstsq", ["rcond"], o => np.linalg.lstsq([[1]], [1], o)],
    ["pinv", ["rcond", "hermitian"], o => np.linalg.pinv([[1]], o)],
    ["tensorsolve", ["axes"], o => np.linalg.tensorsolve([[1]], [1], o)],
    ["take", ["mode"], o => np.take([1], [0], 0, o)],
    ["softmax", ["temperature", "length"], o => npx.softmax([1], 0, o)],
    ["logSoftmax", ["temperature", "length"], o => npx.logSoftmax([1], 0, o)],
    ["dropout", ["axes", "mode"], o => npx.dropout([1], 0.5, o)],
    ["pick", ["keepdims", "mode"], o => npx.pick([[1]], [0], 1, o)],
    ["topk", ["k", "axis", "retTyp", "isAscend"], o => npx.topk([1], o)],
    ["setNp", ["comparison"], o => npx.setNp(o)],
    ["random.normal", ["dtype"], o => np.random.normal(0, 1, 2, o)],
    ["random.uniform", ["dtype"], o => np.random.uniform(0, 1, 2, o)],
    ["autograd.record", ["trainMode"], o => autograd.record(() => 1, o)],
    ["autograd.pause", ["trainMode"], o => autograd.pause(() => 1, o)],
    ["backward", ["retainGraph", "trainMode"], o => recorded().backward(null, o)],
    ["autograd.grad", ["headGrads", "retainGraph", "createGraph", "trainMode"], o => autograd.grad(recorded(), recorded(), o)],
    ["checkGrad", ["order", "tolerance"], o => nabla.checkGrad((v: NDArray) => v.sum(), [[1]], o)],
  ];
  for (const [name, known, call] of optional)
    test(`${name} says which options it knows`, () => {
      let message = "nothing";
      try {
        call({ keepDims: true });
      } catch (error) {
        message = `${(error as Error).name}: ${(error as Error).message}`;
      }
      expect(message).toBe(`ValueError: ${name}: unknown option "keepDims"; known options: ${known.join(", ")}`);
    });
});

describe("large and deep", () => {
  test("results larger than memory are refused before anything is written", () => {
    const guard = np.zeros(100000);
    const near = np.add([1, 2, 3], 0);
    const column = np.full([32768, 1], 7);
    const row = np.ones([1, 32768]);
    const double = { dtype: "float64" } as const;
    const calls: [string, () => unknown][] = [
      ["add", () => np.add(column, row)],
      ["add of more", () => np.add(np.zeros([40000, 1]), np.zeros([1, 40000]))],
      ["where", () => np.where(column, row, 0)],
      ["less", () => np.less(np.zeros([65536, 1]), np.zeros([1, 65536]))],
      ["multiply in float64", () => np.multiply(np.zeros([16384, 1], double), np.ones([1, 32768], double))],
      ["outer", () => np.outer(column.reshape(-1), row.reshape(-1))],
      ["matmul", () => np.matmul(column, row)],
      ["dot", () => np.dot(column, row)],
      ["ones in float64", () => np.ones(2 ** 29, double)],
      ["a copy of a broadcast view", () => np.broadcastTo(np.array(1, double), [2 ** 28, 2]).copy()],
      ["a sum over an axis of a broadcast view", () => np.broadcastTo(np.array(1, double), [1, 2 ** 29]).sum(0)],
      ["oneHot", () => npx.oneHot(np.zeros(65536), 65536)],
      ["take", () => np.take(np.zeros([1, 65536]), np.zeros(65536), 0)],
      ["stack", () => np.stack(new Array(5).fill(np.broadcastTo(np.array(1), [2 ** 28])))],
      ["a mask", () => np.less(column, row)],
      ["argsort", () => np.broadcastTo(np.array(1), [32768, 32768]).argsort()],
    ];
    const wrong: string[] = [];
    for (const [name, call] of calls) {
      try {
        call();
        wrong.push(`${name}: no error`);
      } catch (error) {
        if (!(error instanceof NablaError)) wrong.push(`${name}: ${(error as Error).name}: ${(error as Error).message}`);
      }
      if (guard.toTypedArray().some(v => v !== 0) || `${near}` !== "[1. 2. 3.]" || column.item(0, 0) !== 7) {
        wrong.push(`${name}: other arrays were overwritten`);
        guard.set(0);
      }
      if (`${np.array([1, 2]).add([3, 4])}` !== "[4. 6.]") wrong.push(`${name}: the engine is broken`);
    }
    expect(wrong).toEqual([]);
  });

  test("cyclic and very deep lists end in an error", () => {
    const takers: Record<string, (v: unknown) => unknown> = {
      array: v => np.array(v as number[]),
      add: v => np.add(v as number[], 1),
      zeros: v => np.zeros(v as number[]),
      reshape: v => np.ones(1).reshape(v as number[]),
      sum: v => np.ones(1).sum(v as number[]),
      at: v => np.ones(1).at(v as number[]),
      concatenate: v => np.concatenate(v as number[]),
      transpose: v => np.ones(1).transpose(v as number[]),
      "an option": v => np.zeros(1, v as object),
      dtype: v => np.zeros(1, { dtype: v as "bool" }),
    };
    const real: unknown[] = [];
    real.push(real);
    for (const make of [cyclic, () => nested(50000), () => real])
      for (const [name, call] of Object.entries(takers)) {
        let error: unknown;
        try {
          call(make());
        } catch (e) {
          error = e;
        }
        expect(error, name).toBeInstanceOf(NablaError);
      }
  });
});

describe("JavaScript's own ways", () => {
  test("lists are mapped", () => {
    expect([0, Math.PI / 2].map(np.sin as (v: number) => NDArray).map(Number)).toEqual([0, 1]);
    expect(
      [
        [1, 2],
        [3, 4],
      ]
        .map(np.exp as (v: number[]) => NDArray)
        .map(y => y.shape),
    ).toEqual([[2], [2]]);
    const pairs = [
      [[1], [2]],
      [[3], [4]],
    ];
    expect([...pairs.map(np.vstack), ...pairs.map(np.hstack)].map(y => y.shape)).toEqual([[2, 1], [2, 1], [2], [2]]);
    expect([np.array([-1, 2])].map(npx.relu as (v: NDArray) => NDArray).map(y => y.tolist())).toEqual([[0, 2]]);
  });

  test("arrays are always true; item() is what to test", () => {
    const x = np.array(-1);
    expect(x.gt(0) ? "always" : "never").toBe("always");
    expect(x.gt(0).item() ? "yes" : "no").toBe("no");
  });

  test("comparison, arithmetic and text of an array of size 1", () => {
    for (const x of [np.array(2.5), np.array([2.5]), np.array([[2.5]])]) {
      const v = x as unknown as number;
      expect([
        v < 3,
        v > 3,
        v <= 2.5,
        v >= 2.6,
        +v,
        -v,
        v * 2,
        v + 1,
        1 + v,
        v % 2,
        v ** 2,
        Math.max(v, 1),
        Number(v),
        Math.round(v),
      ]).toEqual([true, false, true, false, 2.5, -2.5, 5, 3.5, 3.5, 0.5, 6.25, 2.5, 2.5, 3]);
    }
    expect([`${np.array(28)}`, `${np.array([1, 2])}`, String(np.array([true]))]).toEqual(["28.0", "[1. 2.]", "[ True]"]);
    expect([+np.array(true), (np.array(true) as unknown as number) + 1]).toEqual([1, 2]);
    expect(() => `${np.array([1, 2]) as unknown as number}`).not.toThrow();
  });

  test("more elements have no number", () => {
    for (const x of [np.array([1, 2]), np.zeros(0), np.ones([2, 2])]) {
      const v = x as unknown as number;
      for (const use of [() => v < 3, () => +v, () => v + 1, () => Math.max(v), () => Number(v), () => Math.round(v)])
        expect(use).toThrow(ValueError);
    }
  });

  test("awaiting an array is harmless, and it is no thenable", async () => {
    const x = np.array([1, 2]);
    expect(await x).toBe(x);
    expect(Object.prototype.toString.call(x)).toBe("[object NDArray]");
    expect(JSON.parse(JSON.stringify({ x: x.tolist() }))).toEqual({ x: [1, 2] });
  });

  test("shapes cannot be changed from outside", () => {
    const shape = [2, 2];
    const x = np.zeros(shape);
    shape[0] = 99;
    expect(x.shape).toEqual([2, 2]);
    const y = x.reshape(shape.slice(1).concat(2));
    expect(y.shape).toEqual([2, 2]);
    const target = [3, 2, 2];
    const z = x.broadcastTo(target);
    target[0] = 99;
    expect(z.shape).toEqual([3, 2, 2]);
    const source = Float32Array.of(1, 2);
    const copy = np.array(source);
    source[0] = 99;
    expect(copy.tolist()).toEqual([1, 2]);
  });

  test("subclasses and views of TypedArrays", () => {
    class Mine extends Float32Array {}
    expect(np.array(Float32Array.of(1, 2, 3).subarray(1)).tolist()).toEqual([2, 3]);
    expect(np.array(Mine.of(1, 2)).dtype).toBe("float32");
    expect(np.array(Buffer.from([1, 2])).dtype).toBe("uint8");
  });

  test("a list with a hole is no list of axes, sizes or numbers", () => {
    const x = np.ones([2, 3, 4]);
    const image = np.ones([1, 1, 4]);
    const hole = new Array<number>(1);
    const last = [0].concat(hole);
    const third = [0, 1].concat(hole);
    for (const call of [
      () => x.sum(hole),
      () => x.mean(last),
      () => x.max(hole),
      () => x.std(hole),
      () => np.median(x, hole),
      () => np.flip(x, hole),
      () => np.squeeze(x, hole),
      () => np.moveaxis(x, last, [1, 2]),
      () => np.moveaxis(x, [0, 1], last),
      () => np.transpose(x, third),
      () => np.tensordot(x, x, [last, [0, 1]]),
      () => np.linalg.norm(x, "fro", last),
      () => npx.dropout(x, 0.5, { axes: hole, mode: "always" }),
      () => npx.convolution(image, np.ones([1, 1, 2]), null, { pad: hole }),
      () => npx.deconvolution(image, np.ones([1, 1, 2]), null, { stride: hole }),
      () => npx.pooling(image, { kernel: hole }),
      () => np.polyval(last, 2),
      () => jvp((u: NDArray, v: NDArray) => u.mul(v), last, [1, 1]),
      () => autograd.markVariables(new Array<NDArray>(1), new Array<NDArray>(1)),
    ])
      expect(call, String(call)).toThrow(ValueError);
  });

  test("a TypedArray whose buffer was handed over has no elements to take", () => {
    const gone = Float32Array.of(1, 2);
    structuredClone(gone, { transfer: [gone.buffer] });
    for (const call of [() => np.array(gone), () => np.exp(gone), () => np.add(1, gone)]) expect(call).toThrow(ValueError);
    expect(np.array(new Float32Array(0)).shape).toEqual([0]);
  });

  test("lists of 0-d arrays are lists of numbers", () => {
    expect(np.array([np.array(1), 2] as unknown as number[]).tolist()).toEqual([1, 2]);
    expect(np.array([np.array([1, 2]), [3, 4]] as unknown as number[]).tolist()).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });
});

describe("throwing callbacks", () => {
  const boom = new Error("boom");
  const fail = (): never => {
    throw boom;
  };

  test("restore flags and pass the error on", () => {
    const x = np.ones(2).attachGrad();
    for (const call of [
      () => autograd.record(fail),
      () => autograd.pause(fail),
      () => autograd.trainMode(fail),
      () => autograd.predictMode(fail),
      () => npx.scope(fail),
      () => grad(fail)([1]),
      () => valueAndGrad(fail)([1]),
      () => vjp(fail, [1]),
      () => jacobian(fail)([1]),
      () => hessian(fail)([1]),
      () => hvp(fail, [1], [1]),
      () => jvp(fail, [1], [1]),
      () => checkpoint(fail)(),
      () => npx.fuse((_x: NDArray) => fail()),
      () => new Given(null, null).apply.call(Object.assign(new Twice(), { forward: fail }), x),
      () => autograd.record(() => Object.assign(new Twice(), { forward: fail }).apply(x)),
      () => autograd.record(() => Object.assign(new Twice(), { backward: fail }).apply(x)).backward(),
      () => autograd.record(() => autograd.grad(Object.assign(new Twice(), { backward: fail }).apply(x), x, { createGraph: true })),
    ] as (() => unknown)[])
      for (const outer of [false, true]) {
        const was = autograd.setRecording(outer);
        expect(call).toThrow(boom);
        expect(flags()).toEqual([outer, false]);
        autograd.setRecording(was);
      }
    expect(x.grad!.tolist()).toEqual([0, 0]);
  });

  test("an asynchronous function is refused before it is called", () => {
    let calls = 0;
    const asynchronous = async (): Promise<void> => {
      calls++;
    };
    for (const scope of [autograd.record, autograd.pause, autograd.trainMode, autograd.predictMode, npx.scope] as ((
      fn: () => unknown,
    ) => unknown)[])
      expect(() => scope(asynchronous)).toThrow(GradError);
    expect(calls).toBe(0);
  });

  test("a thenable is refused after the call, an array never", () => {
    // biome-ignore lint/suspicious/noThenProperty: it is what the test is about
    const thenable = { then: () => {} };
    for (const scope of [autograd.record, autograd.pause, autograd.trainMode, autograd.predictMode, npx.scope] as ((
      fn: () => unknown,
    ) => unknown)[]) {
      expect(() => scope(() => thenable)).toThrow(GradError);
      expect(flags()).toEqual([false, false]);
      expect(scope(() => null)).toBe(null);
      expect(scope(() => np.ones(1))).toBeInstanceOf(NDArray);
    }
  });
});
