/**
 * Operators of two operands where the automatic tests do not look: exact remainders, ties, singular points and their higher
 * derivatives, both signs.
 */
import { autograd, checkGrad, type DType, grad, type NDArray, np, ValueError, vmap } from "nabla";
import { describe, expect, test } from "vitest";
import { expectDerivatives, type Fn } from "./support/derivatives.ts";
import { arrayOf, difference, randomNumbers, valuesOf } from "./support/sampling.ts";

const FLOATS: readonly DType[] = ["float32", "float64"];
const ROUND: Record<string, (x: number) => number> = { float32: Math.fround, float64: x => x };

/** Slopes of a sum of f at the operands, up to `order`, each with respect to one operand. */
function slopes(f: Fn, order: number, argument: number, ...at: number[]): number[] {
  let g: Fn = (...xs) => f(...xs).sum();
  return Array.from({ length: order }, () => {
    g = grad(g, argument) as Fn;
    return Number(g(...at.map(v => np.array(v, { dtype: "float64" }))).item());
  });
}

describe("remainders", () => {
  /** Any size of number, and multiples of the divisor with their neighbours. */
  function operands(dtype: DType, n: number): [Float64Array, Float64Array] {
    const next = randomNumbers(9);
    const round = ROUND[dtype]!;
    const reach = dtype === "float32" ? 100 : 1000;
    const x = new Float64Array(n);
    const y = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      y[i] = round((next() * 4 - 2) * 2 ** Math.floor((next() * 2 - 1) * reach));
      const kind = next();
      x[i] =
        kind < 0.4
          ? round((next() * 4 - 2) * 2 ** Math.floor((next() * 2 - 1) * reach))
          : round(round(y[i]! * Math.floor(2 ** (next() * 54))) * (1 + (kind < 0.7 ? 0 : (next() - 0.5) * 2 ** -50)));
    }
    return [x, y];
  }

  /** NumPy's npy_divmod, in JavaScript, whose % is C's fmod. */
  function divmod(a: number, b: number, round: (x: number) => number): [quotient: number, mod: number] {
    let mod = a % b;
    if (b === 0) return [round(a / b), mod];
    let div = round(round(a - mod) / b);
    if (mod === 0) mod = b < 0 ? -0 : 0;
    else if (b < 0 !== mod < 0) {
      mod = round(mod + b);
      div = round(div - 1);
    }
    if (div === 0) return [Math.sign(a / b) < 0 || Object.is(a / b, -0) ? -0 : 0, mod];
    const floor = Math.floor(div);
    return [div - floor > 0.5 ? floor + 1 : floor, mod];
  }

  test.each(FLOATS)("are exact in %s, however large the quotient", dtype => {
    const n = 20000;
    const [x, y] = operands(dtype, n);
    const [a, b] = [arrayOf(x, [n], dtype), arrayOf(y, [n], dtype)];
    const round = ROUND[dtype]!;
    const want = Array.from(x, (v, i) => divmod(v, y[i]!, round));
    expect(
      difference(
        np.fmod(a, b).toTypedArray(),
        Array.from(x, (v, i) => v % y[i]!),
      ),
    ).toBe("");
    expect(
      difference(
        np.mod(a, b).toTypedArray(),
        want.map(([, mod]) => mod),
      ),
    ).toBe("");
    expect(
      difference(
        np.floorDivide(a, b).toTypedArray(),
        want.map(([quotient]) => quotient),
      ),
    ).toBe("");
  });

  test("have slope 1 and minus the quotient rounded their way, in all four quadrants and to any order", () => {
    for (const [x, y] of [
      [7.3, 2],
      [-7.3, 2],
      [7.3, -2],
      [-7.3, -2],
      [1e6, 0.75],
      [0.5, 3],
      [-0.5, 3],
    ] as const) {
      expect(slopes((a, b) => np.mod(a!, b!), 3, 0, x, y)).toEqual([1, 0, 0]);
      expect(slopes((a, b) => np.mod(a!, b!), 2, 1, x, y).map(v => v + 0)).toEqual([-Math.floor(x / y) + 0, 0]);
      expect(slopes((a, b) => np.fmod(a!, b!), 3, 0, x, y)).toEqual([1, 0, 0]);
      expect(slopes((a, b) => np.fmod(a!, b!), 2, 1, x, y).map(v => v + 0)).toEqual([-Math.trunc(x / y) + 0, 0]);
      expect(slopes((a, b) => np.floorDivide(a!, b!), 2, 0, x, y)).toEqual([0, 0]);
      if (Math.abs(x) < 1000) {
        const at = [np.array([x], { dtype: "float64" }), np.array([y], { dtype: "float64" })];
        for (const fn of [np.mod, np.fmod]) expectDerivatives(`${fn.name} at ${x}, ${y}`, (a, b) => fn(a!, b!), at, 2, randomNumbers(3));
      }
    }
  });
});

describe("fmax and fmin", () => {
  test.each<[string, number, number, number[]]>([
    ["a tie goes to the left", 2, 2, [1, 0]],
    ["a tie of zeros too", -0, 0, [1, 0]],
    ["a tie of infinities", Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, [1, 0]],
    ["NaN on the left takes none", Number.NaN, 2, [0, 1]],
    ["NaN on the right takes none", 2, Number.NaN, [1, 0]],
    ["nor do two", Number.NaN, Number.NaN, [0, 0]],
  ])("%s", (_, x, y, want) => {
    for (const fn of [np.fmax, np.fmin])
      for (const createGraph of [false, true]) {
        const [a, b] = [np.array([x]).attachGrad(), np.array([y]).attachGrad()];
        const loss = autograd.record(() => fn(a, b).sum());
        expect(autograd.grad(loss, [a, b], { createGraph }).map(g => valuesOf(g)[0])).toEqual(want);
      }
  });

  test("pass over NaN, and 0 is above -0", () => {
    expect(valuesOf(np.fmax([Number.NaN, 1, Number.NaN, -0, 0], [2, Number.NaN, Number.NaN, 0, -0]))).toEqual([2, 1, Number.NaN, 0, 0]);
    expect(valuesOf(np.fmin([Number.NaN, 1, Number.NaN, -0, 0], [2, Number.NaN, Number.NaN, 0, -0]))).toEqual([2, 1, Number.NaN, -0, -0]);
  });
});

describe("hypot and arctan2", () => {
  const hypot: Fn = (a, b) => np.hypot(a!, b!);
  const arctan2: Fn = (a, b) => np.arctan2(a!, b!);

  test("have slope 0 at the origin, and no NaN in any order", () => {
    for (const f of [hypot, arctan2])
      for (const zero of [0, -0]) for (const argument of [0, 1]) expect(slopes(f, 3, argument, 0, zero).map(v => v + 0)).toEqual([0, 0, 0]);
  });

  test("have the derivatives of differences on the axes and in every quadrant, up to order 3", () => {
    for (const f of [hypot, arctan2])
      for (const [x, y] of [
        [1, 0],
        [-1.5, 0],
        [0, 1],
        [0, -2],
        [1, 2],
        [-1, 2],
        [1, -2],
        [-1, -2],
        [3, 0.25],
      ] as const) {
        if (f === arctan2 && x === 0 && y < 0) continue; // on the cut
        const at = [x, y].map(v => np.array([v], { dtype: "float64" }));
        expectDerivatives(`at ${x}, ${y}`, f, at, 3, randomNumbers(4));
      }
  });

  test("neither overflow nor underflow, nor do their slopes", () => {
    for (const [dtype, top, least] of [
      ["float32", 3e38, 2 ** -149],
      ["float64", 1.7e308, 2 ** -1074],
    ] as const) {
      const x = np.array([top / 2, top / 2, least * 3, 1, Number.POSITIVE_INFINITY, 1], { dtype }).attachGrad();
      const y = np.array([top / 4, -top / 2, least * 4, least, 1, Number.NEGATIVE_INFINITY], { dtype }).attachGrad();
      const h = autograd.record(() => np.hypot(x, y));
      expect(valuesOf(h).every(v => v > 0)).toBe(true);
      expect(valuesOf(h).slice(0, 2).every(Number.isFinite)).toBe(true);
      h.backward();
      const want = [
        [2 / Math.sqrt(5), Math.SQRT1_2, 0.6, 1, 1, 0],
        [1 / Math.sqrt(5), -Math.SQRT1_2, 0.8, 0, 0, -1],
      ];
      [x, y].forEach((v, i) => {
        valuesOf(v.grad!).forEach((s, k) => {
          expect(Math.abs(s - want[i]![k]!)).toBeLessThan(1e-6);
        });
      });
      autograd.record(() => np.arctan2(x, y)).backward();
      expect([...valuesOf(x.grad!), ...valuesOf(y.grad!)].some(Number.isNaN)).toBe(false);
    }
  });
});

describe("logaddexp and logaddexp2", () => {
  const INF = Number.POSITIVE_INFINITY;
  test("are stable at infinities, with the slopes of their limits", () => {
    for (const fn of [np.logaddexp, np.logaddexp2]) {
      const x = np.array([INF, -INF, INF, -INF, 0, 1e4, 3e38], { dtype: "float64" }).attachGrad();
      const y = np.array([INF, -INF, -INF, 1, INF, -1e4, -3e38], { dtype: "float64" }).attachGrad();
      const z = autograd.record(() => fn(x, y));
      expect(valuesOf(z)).toEqual([INF, -INF, INF, 1, INF, 1e4, 3e38]);
      z.backward();
      expect(valuesOf(x.grad!)).toEqual([0.5, 0.5, 1, 0, 0, 1, 1]);
      expect(valuesOf(y.grad!)).toEqual([0.5, 0.5, 0, 1, 1, 0, 0]);
    }
  });

  test("have the right derivatives where both operands are equal, up to order 3", () => {
    for (const f of [(a, b) => np.logaddexp(a!, b!), (a, b) => np.logaddexp2(a!, b!)] as Fn[]) {
      const at = [np.array([0.5, -3], { dtype: "float64" }), np.array([0.5, -3], { dtype: "float64" })];
      expectDerivatives("a tie", f, at, 3, randomNumbers(5));
    }
    expect(slopes((a, b) => np.logaddexp(a!, b!), 3, 0, 2, 2).map(v => v + 0)).toEqual([0.5, 0.25, 0]);
    expect(slopes((a, b) => np.logaddexp(a!, b!), 2, 0, 800, -800)).toEqual([1, 0]);
  });
});

describe("copysign, heaviside, ldexp", () => {
  test("slopes", () => {
    const f: Fn = (a, b) => np.copysign(a!, b!);
    expect(
      [
        [2, 3],
        [2, -3],
        [-2, 3],
        [-2, -0],
        [0, -1],
      ].map(([x, y]) => slopes(f, 2, 0, x!, y!)),
    ).toEqual([
      [1, 0],
      [-1, 0],
      [-1, 0],
      [1, 0],
      [-0, 0],
    ]);
    expect(slopes(f, 2, 1, 2, 3)).toEqual([0, 0]);
    const step: Fn = (a, b) => np.heaviside(a!, b!);
    expect([slopes(step, 2, 0, 0, 0.5), slopes(step, 2, 1, 0, 0.5), slopes(step, 1, 1, 2, 0.5)]).toEqual([[0, 0], [1, 0], [0]]);
    const scaled: Fn = a => np.ldexp(a!, np.array(-3, { dtype: "int32" }));
    expect(slopes(scaled, 2, 0, 5)).toEqual([0.125, 0]);
    expect(
      checkGrad(
        (a, b) => np.ldexp(a, b).sum(),
        [
          [1.5, -2],
          [0.5, 3],
        ],
        { order: 3 },
      ),
    ).toBeLessThan(1e-8);
  });

  test("an exponent of any integer dtype has no gradient and is no obstacle", () => {
    const x = np.array([3, 5]).attachGrad();
    for (const dtype of ["int32", "int8", "uint8", "bool"] as const) {
      autograd.record(() => np.ldexp(x, np.ones(2, { dtype }))).backward();
      expect(valuesOf(x.grad!)).toEqual([2, 2]);
    }
  });
});

describe("bits", () => {
  const WIDTH: Partial<Record<DType, (v: number) => number>> = { int32: v => v | 0, int8: v => (v << 24) >> 24, uint8: v => v & 255 };
  const all = (dtype: DType): NDArray =>
    dtype === "int32"
      ? np.array([0, 1, -1, 5, 255, -256, 65537, -65537, 2 ** 31 - 1, -(2 ** 31)], { dtype })
      : np.array(new (dtype === "int8" ? Int8Array : Uint8Array)(256).map((_, i) => i));

  test.each(["int32", "int8", "uint8"] as const)("of every %s", dtype => {
    const x = all(dtype);
    const values = valuesOf(x);
    const y = x.reshape(-1, 1);
    const wrap = WIDTH[dtype]!;
    const table = (f: (a: number, b: number) => number): number[] => values.flatMap(a => values.map(b => wrap(f(a, b))));
    expect(valuesOf(np.bitwiseAnd(y, x))).toEqual(table((a, b) => a & b));
    expect(valuesOf(np.bitwiseOr(y, x))).toEqual(table((a, b) => a | b));
    expect(valuesOf(np.bitwiseXor(y, x))).toEqual(table((a, b) => a ^ b));
    const moved = (a: number, n: number, f: (a: bigint, n: bigint) => bigint): number =>
      Number(BigInt.asIntN(32, n < 0 || n > 64 ? (f === up ? 0n : BigInt(a < 0 ? -1 : 0)) : f(BigInt(a), BigInt(n))));
    const up = (a: bigint, n: bigint): bigint => a << n;
    const down = (a: bigint, n: bigint): bigint => a >> n;
    expect(valuesOf(np.leftShift(y, x))).toEqual(table((a, n) => moved(a, n, up)));
    expect(valuesOf(np.rightShift(y, x))).toEqual(table((a, n) => moved(a, n, down)));
    const floor = (a: number, b: number): number => (b === 0 ? 0 : Math.floor(a / b));
    expect(valuesOf(np.floorDivide(y, x))).toEqual(table(floor));
    expect(valuesOf(np.remainder(y, x))).toEqual(table((a, b) => (b === 0 ? 0 : a - floor(a, b) * b)));
    expect(valuesOf(np.fmod(y, x)).map(v => v + 0)).toEqual(table((a, b) => (b === 0 ? 0 : (a % b) + 0)));
    const gcd = (a: number, b: number): number => (b === 0 ? Math.abs(a) : gcd(b, a % b));
    expect(valuesOf(np.gcd(y, x))).toEqual(table(gcd));
    const lcm = (a: number, b: number): number =>
      Number(BigInt.asIntN(32, gcd(a, b) === 0 ? 0n : BigInt(Math.abs(a) / gcd(a, b)) * BigInt(Math.abs(b))));
    expect(valuesOf(np.lcm(y, x))).toEqual(table(lcm));
  });
});

describe("under vmap", () => {
  const x = np.array(Int32Array.of(1, 2, 3, 0)).reshape(2, 2);
  test("integers have powers, and a negative exponent is found", () => {
    expect(vmap((v: NDArray) => np.power(v, v))(x).tolist()).toEqual([
      [1, 4],
      [27, 1],
    ]);
    expect(() => vmap((v: NDArray) => np.power(v, v.sub(2)))(x)).toThrow(ValueError);
  });

  test("a list beside integers holds integers", () => {
    const y = vmap((v: NDArray) => np.bitwiseXor(v, [1, 2]))(x);
    expect([y.dtype, y.tolist()]).toEqual([
      "int32",
      [
        [0, 0],
        [2, 2],
      ],
    ]);
  });
});

describe("closeness", () => {
  test("is asked of many shapes, and answers in a JavaScript boolean", () => {
    expect(np.allclose(np.zeros([2, 0]), 1)).toBe(true);
    expect(np.allclose([1, Number.NaN], [1, Number.NaN])).toBe(false);
    expect(np.allclose([1, Number.NaN], [1, Number.NaN], { equalNan: true })).toBe(true);
    expect(np.array([1, 2]).allclose([1, 2.1], { atol: 0.2 })).toBe(true);
    expect(np.arrayEqual(np.zeros([2, 0]), np.zeros([0, 2]))).toBe(false);
    expect(np.array([1, 2]).arrayEqual(np.array([1, 2], { dtype: "int32" }))).toBe(true);
    expect(np.isclose(np.array([2 ** 31 - 1], { dtype: "int32" }), np.array([-(2 ** 31)], { dtype: "int32" })).item()).toBe(false);
  });

  test("of recorded arrays ends the graph, and says so", () => {
    const x = np.array([1, 2]).attachGrad();
    expect(() => autograd.record(() => np.isclose(x, 1)).backward()).toThrow(/isclose has no derivative/);
  });
});
