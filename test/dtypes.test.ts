/**
 * The dtypes of results, sentence by sentence as the contract has them: for every operator of two operands, every pair of
 * dtypes, and everything that stands for an operand. Expected dtypes come from the table here, not from the rows.
 */
import { autograd, type DType, DTypeError, GradError, NablaError, type NDArray, np, npx, ValueError } from "nabla";
import { describe, expect, test } from "vitest";
import { rows } from "./support/rows.ts";
import { valuesOf } from "./support/sampling.ts";

const DTYPES: readonly DType[] = ["float32", "float64", "int32", "int8", "uint8", "bool"];
const INTEGERS: readonly DType[] = ["int32", "int8", "uint8"];
const FLOATS: readonly DType[] = ["float32", "float64"];
const isFloat = (dtype: DType): boolean => FLOATS.includes(dtype);

/** Rows: the dtype of one operand; columns: of the other, in the order of DTYPES. */
const MEETING: Record<DType, readonly DType[]> = {
  float32: ["float32", "float64", "float32", "float32", "float32", "float32"],
  float64: ["float64", "float64", "float64", "float64", "float64", "float64"],
  int32: ["float32", "float64", "int32", "int32", "int32", "int32"],
  int8: ["float32", "float64", "int32", "int8", "int32", "int8"],
  uint8: ["float32", "float64", "int32", "int32", "uint8", "uint8"],
  bool: ["float32", "float64", "int32", "int8", "uint8", "bool"],
};
const meet = (a: DType, b: DType): DType => MEETING[a][DTYPES.indexOf(b)]!;

/** What an operator makes of the dtype its operands meet in. */
const KINDS = {
  keeps: (met: DType): DType => met,
  /** Bools alone are refused, as in NumPy. */
  differs: (met: DType): DType | null => (met === "bool" ? null : met),
  counts: (met: DType): DType => (met === "bool" ? "int8" : met),
  divides: (met: DType): DType => (isFloat(met) ? met : "float32"),
  asks: (): DType => "bool",
  /** Floats are refused, and for divisors bools alone. */
  bits: (met: DType): DType | null => (isFloat(met) ? null : met),
  divisors: (met: DType): DType | null => (isFloat(met) || met === "bool" ? null : met),
  countsBits: (met: DType): DType | null => (isFloat(met) ? null : met === "bool" ? "int8" : met),
} as const;

type Fn = (a: unknown, b: unknown) => NDArray;
const NAMES: Record<keyof typeof KINDS, readonly string[]> = {
  keeps: ["add", "multiply", "maximum", "minimum", "fmax", "fmin"],
  differs: ["subtract"],
  counts: ["power", "floorDivide", "remainder", "fmod"],
  divides: ["divide", "hypot", "arctan2", "copysign", "heaviside", "ldexp", "logaddexp", "logaddexp2"],
  asks: ["equal", "notEqual", "less", "lessEqual", "greater", "greaterEqual", "logicalAnd", "logicalOr", "logicalXor"],
  bits: ["bitwiseAnd", "bitwiseOr", "bitwiseXor"],
  countsBits: ["leftShift", "rightShift"],
  divisors: ["gcd", "lcm"],
};
interface Operator {
  readonly name: string;
  readonly fn: Fn;
  readonly of: (met: DType) => DType | null;
}
const OPERATORS: readonly Operator[] = (Object.keys(KINDS) as (keyof typeof KINDS)[]).flatMap(kind =>
  NAMES[kind].map(name => ({ name, fn: (np as unknown as Record<string, Fn>)[name]!, of: KINDS[kind] })),
);
const each = OPERATORS.map((o): [string, Operator] => [o.name, o]);
const arithmetic = OPERATORS.filter(o => !NAMES.asks.includes(o.name));

/** Ones and zeros, which every operator and every dtype takes. */
const make = (dtype: DType, shape: readonly number[] = [3]): NDArray => np.ones(shape, { dtype });

function expectDtype(label: string, call: () => NDArray, want: DType | null): void {
  if (want === null) {
    expect(call, label).toThrow(DTypeError);
    return;
  }
  expect(call().dtype, label).toBe(want);
}

test("every operator of two operands of np is in the table", () => {
  const known = new Set<unknown>(OPERATORS.map(o => o.fn));
  const missing = Object.entries(np).filter(([, fn]) => rows.some(r => r.p.arity === 2 && r.fn === fn) && !known.has(fn));
  expect(missing.map(([name]) => name)).toEqual([]);
});

describe("int and float give the float, float32 and float64 float64, ints the wider, int8 and uint8 int32, bool and T give T", () => {
  test.each(each)("%s", (name, { fn, of }) => {
    for (const a of DTYPES)
      for (const b of DTYPES) {
        const want = of(meet(a, b));
        for (const [s, t] of [
          [[3], [3]],
          [[2, 3], [3]],
          [[], [3]],
          [[3], []],
          [[], []],
          [[0], [1]],
        ] as const)
          expectDtype(`${name}: ${a}[${s}] and ${b}[${t}]`, () => fn(make(a, s), make(b, t)), want);
        expectDtype(`${name}: views of ${a} and ${b}`, () => fn(make(a, [4]).at("::2"), make(b, [2, 2]).T), want);
      }
  });

  test("where and clip of arrays", () => {
    for (const a of DTYPES)
      for (const b of DTYPES) {
        expect(np.where(make("bool"), make(a), make(b)).dtype).toBe(meet(a, b));
        for (const c of DTYPES) expect(np.clip(make(a), make(b), make(c)).dtype).toBe(meet(meet(a, b), c));
      }
  });
});

/** The dtype in which an array meets a number, or the class of the error. */
function meetNumber(dtype: DType, value: number): DType | "error" {
  if (isFloat(dtype)) return dtype;
  if (!Number.isInteger(value)) return "float32";
  const [low, high] = { uint8: [0, 255], int8: [-128, 127] }[dtype as "uint8"] ?? [-(2 ** 31), 2 ** 31 - 1];
  if (value < low! || value > high!) return "error";
  return dtype === "bool" ? "int32" : dtype;
}
const VALUES = [0, 1, 2, -1, 2.5, 127, 128, 255, 256, -129, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 1e30, Number.NaN, Number.POSITIVE_INFINITY];

describe("a number with an integer array is an integer if it is integral and fits, else the result is float32", () => {
  test.each(arithmetic.map((o): [string, Operator] => [o.name, o]))("%s", (name, { fn, of }) => {
    // Quotients and the like are floats, so any number fits.
    const floats = of("int32") === "float32";
    for (const dtype of DTYPES)
      for (const v of VALUES)
        for (const [label, call] of [
          [`${name}(${dtype}, ${v})`, () => fn(make(dtype), v)],
          [`${name}(${v}, ${dtype})`, () => fn(v, make(dtype))],
          [`${name}(${dtype} 0-d, ${v})`, () => fn(make(dtype, []), v)],
          [`${name}(${dtype} empty, ${v})`, () => fn(make(dtype, [0]), v)],
        ] as const) {
          const met = floats ? of(dtype)! : meetNumber(dtype, v);
          const negativePower = name === "power" && met !== "error" && !isFloat(met) && v < 0 && label.indexOf(`, ${v}`) > 0;
          if (met === "error" || negativePower) expect(call, label).toThrow(of(dtype) === null ? /./ : ValueError);
          else expectDtype(label, call, of(met));
        }
  });

  test("as the contract says it", () => {
    const int32 = np.array([1, -7], { dtype: "int32" });
    const uint8 = np.array([200, 2], { dtype: "uint8" });
    const int8 = np.array([100, -100], { dtype: "int8" });
    const bit = np.array([true, false]);
    expect([int32.mul(2).dtype, int32.mul(2.5).dtype, valuesOf(int32.mul(2.5))]).toEqual(["int32", "float32", [2.5, -17.5]]);
    expect([uint8.mul(2).dtype, valuesOf(uint8.mul(2)), valuesOf(uint8.sub(3)), valuesOf(int8.mul(2))]).toEqual([
      "uint8",
      [144, 4],
      [197, 255],
      [-56, 56],
    ]);
    expect([bit.add(bit).dtype, bit.mul(bit).dtype, valuesOf(bit.add(bit)), bit.add(2).dtype, valuesOf(bit.add(2))]).toEqual([
      "bool",
      "bool",
      [1, 0],
      "int32",
      [3, 2],
    ]);
    expect(() => uint8.add(300)).toThrow("300 does not fit uint8");
    expect(() => int32.pow(-1)).toThrow(ValueError);
    expect(() => np.power(2, int32)).toThrow(ValueError);
    expect([int32.div(2).dtype, np.divide(uint8, int8).dtype, np.float64]).toEqual(["float32", "float32", "float64"]);
  });

  test("in any order: a fraction makes the result float32, in which every number fits", () => {
    for (const dtype of [...INTEGERS, "bool"] as const)
      for (const [low, high] of [
        [1.5, 1e30],
        [-1e30, 1.5],
        [0.5, 300],
        [Number.NEGATIVE_INFINITY, 300],
        [-300, Number.POSITIVE_INFINITY],
      ] as const) {
        expect(np.clip(make(dtype), low, high).dtype).toBe("float32");
        expect(np.clip(make(dtype), high, low).dtype).toBe("float32");
      }
    expect(np.clip(make("uint8"), 0, 2).dtype).toBe("uint8");
    expect(() => np.clip(make("uint8"), 0, 300)).toThrow(ValueError);
    expect(np.where([true, false], make("int8", [2]), 0.5).dtype).toBe("float32");
    expect(np.where([true, false], 1, 2).dtype).toBe("float32");
  });
});

describe("comparisons answer in bool, of any number", () => {
  test.each(each.filter(([name]) => NAMES.asks.includes(name)))("%s", (name, { fn }) => {
    for (const dtype of DTYPES)
      for (const v of VALUES) {
        const x = make(dtype);
        expect(fn(x, v).dtype).toBe("bool");
        const narrow = dtype === "float32" ? Math.fround(v) : v;
        expect(valuesOf(fn(x, v)), `${name}(${dtype}, ${v})`).toEqual(valuesOf(fn(make("float64"), narrow)));
        expect(valuesOf(fn(v, x)), `${name}(${v}, ${dtype})`).toEqual(valuesOf(fn(narrow, make("float64"))));
      }
  });

  test("or in float32, which masks all the same", () => {
    const x = np.array([1, 2, 3]);
    npx.setNp({ comparison: "float32" });
    try {
      const both = np.logicalAnd(x.gt(1), x.lt(3));
      expect([both.dtype, valuesOf(both)]).toEqual(["float32", [0, 1, 0]]);
      expect(valuesOf(x.at(both))).toEqual([2]);
      expect(valuesOf(x.at(np.logicalXor(both, x.gt(0))))).toEqual([1, 3]);
    } finally {
      npx.setNp();
    }
  });
});

describe("what stands for an array has its own dtype", () => {
  const uint8 = np.array([1, 2], { dtype: "uint8" });
  const int32 = np.array([1, 2], { dtype: "int32" });
  test.each<[string, NDArray, DType]>([
    ["a list of numbers is float32", np.add(int32, [1, 2]), "float32"],
    ["two lists", np.add([1, 2], [3, 4]), "float32"],
    ["two numbers", np.add(1, 2), "float32"],
    ["a list of booleans is bool", np.add(int32, [true, false]), "int32"],
    ["a boolean", np.add(uint8, true), "uint8"],
    ["two booleans", np.multiply(true, false), "bool"],
    ["a boolean and a number", np.add(true, 2), "int32"],
    ["a boolean and a fraction", np.add(true, 0.5), "float32"],
    ["Float64Array", np.add(uint8, Float64Array.of(1, 2)), "float64"],
    ["Float32Array", np.add(uint8, Float32Array.of(1, 2)), "float32"],
    ["Int32Array", np.add(uint8, Int32Array.of(1, 2)), "int32"],
    ["Int8Array", np.add(uint8, Int8Array.of(1, 2)), "int32"],
    ["Uint8ClampedArray", np.add(uint8, Uint8ClampedArray.of(1, 2)), "uint8"],
    ["a 0-d array is not weak", np.add(uint8, np.array(1)), "float32"],
    ["nor one of int32", np.add(uint8, np.array(1, { dtype: "int32" })), "int32"],
    ["nor one of float64", np.add(np.array([1, 2]), np.array(1, { dtype: "float64" })), "float64"],
    ["whole numbers for operators of integers", np.gcd(12, 18), "int32"],
    ["lists of them", np.bitwiseAnd([12, 10], [[6]]), "int32"],
    ["beside an array they are weak", np.bitwiseOr(uint8, 4), "uint8"],
    ["a list is not", np.bitwiseOr(uint8, [4, 5]), "int32"],
  ])("%s", (_, y, dtype) => expect(y.dtype).toBe(dtype));

  test("an operator of integers refuses floats by name, however they come", () => {
    const x = np.array([1, 2]);
    for (const name of [...NAMES.bits, ...NAMES.countsBits]) {
      const fn = (np as unknown as Record<string, Fn>)[name]!;
      for (const [a, b] of [
        [x, 1],
        [1, x],
        [x, x],
        [x, int32],
        [int32, 0.5],
        [0.5, 2],
        [[1.5], 2],
        [Float32Array.of(1), 1],
        [x.at("::-1"), int32],
        [2 ** 31, 1],
      ] as const)
        expect(() => fn(a, b), name).toThrow(new RegExp(`^${name}: .*(float32|does not fit)`));
    }
  });
});

describe("in place, results keep their kind: NumPy's same_kind", () => {
  /** Bools, unsigned and signed integers, floats: a result may go to its own kind or a later one. */
  const KIND: Record<DType, number> = { bool: 0, uint8: 1, int8: 2, int32: 2, float32: 3, float64: 3 };
  const IN_PLACE: Record<string, Operator> = Object.fromEntries(
    Object.entries({ iadd: "add", isub: "subtract", imul: "multiply", idiv: "divide", imod: "remainder", ipow: "power" }).map(
      ([method, name]) => [method, OPERATORS.find(o => o.name === name)!],
    ),
  );
  type InPlace = Record<string, (v: unknown) => NDArray>;

  test.each(Object.entries(IN_PLACE))("%s", (method, { fn, of }) => {
    for (const a of DTYPES)
      for (const b of [...DTYPES, 2, 2.5, true, -1, 300] as const)
        for (const recording of [false, true]) {
          const x = make(a);
          const v = typeof b === "string" ? make(b) : b;
          const label = `${a}.${method}(${b})`;
          const call = (): NDArray => (x as unknown as InPlace)[method]!(v);
          const run = (): NDArray => (recording ? autograd.record(call) : call());
          let plain: NDArray;
          try {
            plain = fn(x, v);
          } catch {
            expect(run, label).toThrow(NablaError);
            expect(valuesOf(x), label).toEqual([1, 1, 1]);
            continue;
          }
          const met = plain.dtype;
          const allowed = KIND[met] <= KIND[a];
          expect(met, label).toBe(of(typeof b === "number" ? (meetNumber(a, b) as DType) : meet(a, b === true ? "bool" : (b as DType))));
          if (!allowed) {
            expect(run, label).toThrow(DTypeError);
            expect(run, label).toThrow(new RegExp(`^${method}: .*${met}.*${a}`));
            expect(valuesOf(x), label).toEqual([1, 1, 1]);
          } else {
            expect(run(), label).toBe(x);
            expect([x.dtype, valuesOf(x)], label).toEqual([a, valuesOf(plain.astype(a))]);
          }
        }
  });

  test("as the contract and NumPy say it", () => {
    const of = (dtype: DType, ...values: number[]): NDArray => np.array(values, { dtype });
    expect(() => of("int32", 1).iadd(0.5)).toThrow(DTypeError);
    expect(() => np.array([true]).iadd(1)).toThrow(DTypeError);
    expect(() => of("uint8", 1).iadd(of("int32", 1))).toThrow(DTypeError);
    expect(() => of("uint8", 1).iadd(of("int8", 1))).toThrow(DTypeError);
    expect(() => of("uint8", 1).iadd(300)).toThrow(ValueError);
    expect(valuesOf(of("int8", 100).iadd(of("int32", 100)))).toEqual([-56]);
    expect(valuesOf(of("int8", 100).iadd(of("uint8", 100)))).toEqual([-56]);
    expect(valuesOf(np.array([true, false]).iadd([true, false]))).toEqual([1, 0]);
    expect(valuesOf(of("int32", 7, -7).imod(3))).toEqual([1, 2]);
    expect(valuesOf(of("int32", 7, -7).imod(0))).toEqual([0, 0]);
    expect(valuesOf(of("float32", 7.5).imod(of("float64", 2)))).toEqual([1.5]);
  });

  test("imod of a recorded copy has the right gradient", () => {
    const x = np.array([7.5, -7.5]).attachGrad();
    const y = np.array([2, 2]).attachGrad();
    autograd
      .record(() => {
        const c = x.copy();
        c.imod(y);
        return c.mul([1, 10]);
      })
      .backward();
    expect([valuesOf(x.grad!), valuesOf(y.grad!)]).toEqual([
      [1, 10],
      [-3, 40],
    ]);
  });
});

describe("integers", () => {
  test("divided by zero give 0 without throwing", () => {
    for (const dtype of INTEGERS) {
      const x = np.array([0, 1, 100], { dtype });
      const zero = np.zeros(3, { dtype });
      for (const fn of [np.floorDivide, np.remainder, np.mod, np.fmod]) {
        expect([fn(x, zero).dtype, valuesOf(fn(x, zero))]).toEqual([dtype, [0, 0, 0]]);
        expect(valuesOf(fn(x, 0))).toEqual([0, 0, 0]);
        expect(valuesOf(fn(5, zero))).toEqual([0, 0, 0]);
      }
      expect(valuesOf(np.divide(x, zero))).toEqual([Number.NaN, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
    }
    const least = np.array([-(2 ** 31)], { dtype: "int32" });
    expect([np.floorDivide, np.remainder, np.fmod].map(fn => valuesOf(fn(least, -1)))).toEqual([[-(2 ** 31)], [0], [0]]);
  });

  test("summed give int32, added up in 64 bits", () => {
    for (const dtype of ["bool", "int8", "uint8", "int32"] as const) expect(make(dtype).sum().dtype).toBe("int32");
    expect(
      np
        .array(new Int32Array(4).fill(2 ** 31 - 1))
        .sum()
        .item(),
    ).toBe((4 * (2 ** 31 - 1)) | 0);
    expect(np.array(new Uint8Array(1000).fill(255)).sum().item()).toBe(255000);
    expect(
      np
        .array(new Int32Array([2 ** 31 - 1, 1]))
        .mean()
        .item(),
    ).toBe(2 ** 30);
  });

  test("take values by truncation, but neither NaN nor infinities", () => {
    const x = np.zeros(2, { dtype: "int32" });
    expect(valuesOf(x.set([2.9, -2.9]))).toEqual([2, -2]);
    expect(valuesOf(x.set(np.array([3.9, -3.9])))).toEqual([3, -3]);
    for (const v of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => x.set(v)).toThrow(ValueError);
      expect(() => x.set([v, 1])).toThrow(ValueError);
      expect(() => x.set(np.array([v, 1]))).toThrow(ValueError);
      expect(() => np.array([v], { dtype: "int8" })).toThrow(ValueError);
      expect(() => np.full(2, v, { dtype: "uint8" })).toThrow(ValueError);
    }
    expect(valuesOf(x)).toEqual([3, -3]);
  });

  test("end the gradient", () => {
    const x = np.array([1.5, 2.5]).attachGrad();
    const y = autograd.record(() => x.astype("int32"));
    expect(() => y.backward()).toThrow(/astype/);
    expect(() => autograd.record(() => x.astype("int32").mul(2)).backward()).toThrow(GradError);
  });
});
