/** Kernels: what wasm computes has the bits of the reference, for every operation, dtype, length, layout and alignment. */
import { beforeAll, describe, expect, test } from "vitest";
import { evaluate, runMap, runReduce } from "../src/backend/reference.ts";
import { TWO_OVER_PI } from "../src/backend/routines/exact.ts";
import { assembleKernels, type Compiler, createCompiler, MAX_INPUTS } from "../src/backend/wasm/compiler.ts";
import { BOOL, BYTES, DTYPES, F32, F64, I8, I32, type TypedArray, typedArrayOf, U8 } from "../src/dtype.ts";
import * as E from "../src/expr.ts";
import { type Expr, isMask } from "../src/expr.ts";
import { type Combine, type Kernel, type KernelInput, kernelKey, type MapKernel, type ReduceKernel } from "../src/kernel.ts";

/** A generator of numbers in [0, 1): 32 bits of a multiplied and mixed counter. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return ((z ^ (z >>> 16)) >>> 0) / 2 ** 32;
  };
}

const memory = new WebAssembly.Memory({ initial: 32 });
const bytes = new Uint8Array(memory.buffer);
let compiler: Compiler;
beforeAll(() => {
  compiler = createCompiler(memory, false);
});

const call = (on: Compiler, f: number, addresses: readonly number[], n: number): void => {
  const driver = on.drivers[`call${addresses.length - 1}` as keyof Compiler["drivers"]] as (...args: number[]) => void;
  driver(f, ...addresses, n);
};

const SPECIAL_FLOATS = [
  ...[0, 1, 0.5, 1.5, 2.5, 3.4999, Math.SQRT1_2, Math.SQRT2, 0.1, 2, 3, 127.5, 128, 255, 256, 300.7, 65537, 2 ** 23 + 0.5, 2 ** 24 + 1],
  ...[
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32 + 5,
    2 ** 52 + 1,
    2 ** 53,
    1e10,
    1e20,
    3.4028234663852886e38,
    3.4028236e38,
    1e300,
    1.7976931348623157e308,
  ],
  ...[
    1.1754943508222875e-38,
    1.1754942e-38,
    1.401298464324817e-45,
    7e-46,
    2.2250738585072014e-308,
    5e-324,
    1e-310,
    Number.POSITIVE_INFINITY,
  ],
];
const SPECIAL: readonly (readonly number[])[] = [
  [...SPECIAL_FLOATS, ...SPECIAL_FLOATS.map(x => -x), Number.NaN],
  [...SPECIAL_FLOATS, ...SPECIAL_FLOATS.map(x => -x), Number.NaN],
  [0, 1, -1, 2, 3, 127, 128, 255, 256, 65535, 65536, 2 ** 24 + 1, -(2 ** 24) - 1, 2 ** 31 - 1, 2 ** 31 - 2, -(2 ** 31), 1 - 2 ** 31],
  [0, 1, -1, 2, 127, -128, -127, 64],
  [0, 1, 2, 127, 128, 200, 255],
  [0, 1],
];

/** n values of a dtype: its special values often, else numbers of every size. */
function sample(dtype: number, n: number, next: () => number): TypedArray {
  const special = SPECIAL[dtype]!;
  const out = new (typedArrayOf(dtype))(n);
  for (let i = 0; i < n; i++) {
    const sign = next() < 0.5 ? -1 : 1;
    const kind = next();
    if (kind < 0.3) out[i] = special[Math.floor(next() * special.length)]!;
    else if (dtype === BOOL) out[i] = kind < 0.6 ? 1 : 0;
    else if (dtype > F64) out[i] = Math.floor(next() * 2 ** 32);
    else if (kind < 0.8) out[i] = sign * next() * 10;
    else out[i] = sign * 2 ** (next() * 80 - 40);
  }
  return out;
}

/** Puts bytes of an array at any address, aligned or not. */
const put = (data: TypedArray, at: number): void => bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
const take = (dtype: number, n: number, at: number): TypedArray =>
  new (typedArrayOf(dtype))(bytes.slice(at, at + n * BYTES[dtype]!).buffer as ArrayBuffer as unknown as ArrayLike<number>);

/** The first place where two arrays differ, NaNs being equal and zeros of two signs not; -1 if there is none. */
const difference = (a: ArrayLike<number>, b: ArrayLike<number>, n: number): number => {
  for (let i = 0; i < n; i++) if (!Object.is(a[i], b[i])) return i;
  return -1;
};

const OUT = 2 ** 20;
const GUARD = 64;
const v = (dtype: number): KernelInput => ({ dtype, mode: "v" });
const s = (dtype: number): KernelInput => ({ dtype, mode: "s" });
const map = (value: Expr, lane: number, inputs: readonly KernelInput[], out = isMask(value) ? BOOL : lane): MapKernel => ({
  kind: "map",
  inputs,
  lane,
  out,
  value,
});
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);
const LENGTHS = upTo(67);

/** Runs a compiled map at each length, from addresses of any alignment, and compares it with the reference. */
function checkMap(kernel: MapKernel, f: number, inputs: readonly TypedArray[], lengths: readonly number[], on = compiler): void {
  const most = Math.max(...lengths);
  const expected = runMap(kernel, inputs, most);
  const width = BYTES[kernel.out]!;
  lengths.forEach((n, turn) => {
    const addresses = inputs.map((data, k) => {
      const at = 64 + k * 2 ** 17 + ((turn * (k + 3)) % 16);
      put(data, at);
      return at;
    });
    const out = OUT + ((turn * 5) % 16);
    bytes.fill(0xa5, out - GUARD, out + n * width + GUARD);
    call(on, f, [...addresses, out], n);
    const actual = take(kernel.out, n, out);
    const i = difference(actual, expected, n);
    if (i >= 0) {
      const operands = inputs.map((data, k) => data[kernel.inputs[k]!.mode === "v" ? i : 0]);
      throw new Error(`${kernelKey(kernel)}: element ${i} of ${n} is ${actual[i]}, not ${expected[i]}, for ${operands.join(", ")}`);
    }
    for (let g = 1; g <= GUARD; g++)
      if (bytes[out - g] !== 0xa5 || bytes[out + n * width + g - 1] !== 0xa5)
        throw new Error(`${kernelKey(kernel)}: wrote outside ${n} elements`);
  });
}

function checkMaps(kernels: readonly MapKernel[], seed: number, lengths: readonly number[] = LENGTHS): void {
  const next = random(seed);
  const entries = compiler.compile(kernels);
  kernels.forEach((kernel, k) => {
    const n = Math.max(...lengths);
    checkMap(
      kernel,
      entries[k]!,
      kernel.inputs.map(({ dtype, mode }) => sample(dtype, mode === "v" ? n : 1, next)),
      lengths,
    );
  });
}

const [x, y, z] = [E.arg(0), E.arg(1), E.arg(2)];

/** Operands for which an operation is defined to the bit. */
const integral = (e: Expr): Expr => E.nearest(E.min(E.max(E.select(E.eq(e, e), e, 0), -126), 127));
const positive = (e: Expr): Expr => E.select(E.gt(e, 1.2e-38), e, 1.25);
const number = (e: Expr): Expr => E.select(E.eq(e, e), e, -7);

const UNARY_FLOAT: Record<string, (e: Expr) => Expr> = {
  neg: e => new E.Expr("neg", [e]),
  abs: E.abs,
  sqrt: E.sqrt,
  nearest: E.nearest,
  floor: E.floor,
  ceil: E.ceil,
  trunc: E.trunc,
  pow2: e => E.pow2(integral(e)),
  exponent: e => E.exponent(positive(e)),
  mantissa: e => E.mantissa(positive(e)),
  exponentOfAny: e => E.exponent(number(e)),
  mantissaOfAny: e => E.mantissa(number(e)),
  high: e => E.high(number(e)),
  piRemainder: E.piRemainder,
  piQuadrant: E.piQuadrant,
};
const UNARY_INTEGER: Record<string, (e: Expr) => Expr> = {
  neg: UNARY_FLOAT.neg!,
  abs: E.abs,
  nearest: E.nearest,
  floor: E.floor,
  ceil: E.ceil,
  trunc: E.trunc,
  not: E.not,
};
const COMPARE = { lt: E.lt, le: E.le, gt: E.gt, ge: E.ge, eq: E.eq, ne: E.ne };
const BINARY_FLOAT = { add: E.add, sub: E.sub, mul: E.mul, div: E.div, fmod: E.fmod, min: E.min, max: E.max, absorb: E.absorb, ...COMPARE };
const BINARY_INTEGER = {
  add: E.add,
  sub: E.sub,
  mul: E.mul,
  div: E.div,
  gcd: E.gcd,
  min: E.min,
  max: E.max,
  absorb: E.absorb,
  and: E.and,
  or: E.or,
  xor: E.xor,
  ...COMPARE,
};
const TERNARY_OF_MASKS = {
  select: E.select(E.lt(x, y), x, z),
  rare: E.rare(E.lt(x, y), E.add(x, z), E.mul(x, y)),
  not: E.select(E.not(E.lt(x, y)), x, z),
  and: E.and(E.lt(x, y), E.lt(y, z)),
  or: E.or(E.lt(x, y), E.lt(y, z)),
  xor: E.xor(E.lt(x, y), E.lt(y, z)),
};

describe("each machine operation alone", () => {
  for (const lane of [F32, F64, I32]) {
    const integer = lane === I32;
    test(`unary, ${DTYPES[lane]}`, () => {
      const kernels = Object.values(integer ? UNARY_INTEGER : UNARY_FLOAT).flatMap(f => [
        map(f(x), lane, [v(lane)]),
        map(f(x), lane, [s(lane)]),
      ]);
      checkMaps(kernels, 1 + lane);
      const special = new (typedArrayOf(lane))(SPECIAL[lane]!);
      for (const kernel of kernels)
        if (kernel.inputs[0]!.mode === "v") checkMap(kernel, compiler.compile([kernel])[0]!, [special], [special.length]);
    });
    test(`binary, ${DTYPES[lane]}: lengths, offsets, modes`, () => {
      const kernels = Object.values(integer ? BINARY_INTEGER : BINARY_FLOAT).flatMap(f =>
        [
          [v, v],
          [v, s],
          [s, v],
          [s, s],
        ].map(([a, b]) => map(f(x, y), lane, [a!(lane), b!(lane)])),
      );
      checkMaps(kernels, 10 + lane);
    });
    test(`binary, ${DTYPES[lane]}: all pairs of special values`, () => {
      const kernels = Object.values(integer ? BINARY_INTEGER : BINARY_FLOAT).map(f => map(f(x, y), lane, [v(lane), v(lane)]));
      const special = SPECIAL[lane]!;
      const a = new (typedArrayOf(lane))(special.flatMap(p => special.map(() => p)));
      const b = new (typedArrayOf(lane))(special.flatMap(() => special));
      const entries = compiler.compile(kernels);
      for (const [k, kernel] of kernels.entries()) checkMap(kernel, entries[k]!, [a, b], [a.length]);
    });
    test(`masks, ${DTYPES[lane]}`, () => {
      const kernels = Object.values(TERNARY_OF_MASKS).flatMap(value => [
        map(value, lane, [v(lane), v(lane), v(lane)]),
        map(value, lane, [s(lane), v(lane), s(lane)]),
        ...(isMask(value) ? [F32, F64, I32, I8, U8].map(out => map(value, lane, [v(lane), v(lane), v(lane)], out)) : []),
      ]);
      checkMaps(kernels, 20 + lane);
    });
  }

  test("an operation that a lane does not have is refused", () => {
    for (const op of ["fmod", "sqrt", "pow2", "exponent", "mantissa", "high", "piRemainder", "piQuadrant"] as const) {
      const value = new E.Expr(op, op === "fmod" ? [x, x] : [x]);
      expect(() => compiler.compile([map(value, I32, [v(I32)])]), op).toThrow(`${op} is not an operation of int32 lanes`);
      expect(() => evaluate(value, I32, [1]), op).toThrow(TypeError);
    }
    expect(() => compiler.compile([map(E.gcd(x, x), F32, [v(F32)])])).toThrow("gcd is not an operation of float32 lanes");
    expect(() => evaluate(E.gcd(x, x), F32, [1])).toThrow(TypeError);
    expect(() => compiler.compile([map(y, F32, [v(F32)])])).toThrow("operand 1");
    expect(() => compiler.compile([map(x, F32, new Array<KernelInput>(MAX_INPUTS + 1).fill(v(F32)))])).toThrow("at most");
  });
});

describe("dtypes", () => {
  const all = DTYPES.map((_, code) => code);
  for (const lane of [F32, F64, I32])
    test(`every input and output of ${DTYPES[lane]} lanes`, () => {
      const kernels = all.flatMap(input =>
        all.flatMap(out => [
          map(x, lane, [v(input)], out),
          map(x, lane, [s(input)], out),
          map(E.add(x, y), lane, [v(input), v((input + out) % 6)], out),
          map(E.sub(x, y), lane, [v(input), s((input + 2 * out + 1) % 6)], out),
          map(E.gt(x, y), lane, [v(input), v((input + out + 3) % 6)], out),
        ]),
      );
      checkMaps(kernels, 30 + lane, [...upTo(19), 33, 66, 67]);
    });

  test("special values survive or saturate", () => {
    for (const lane of [F32, F64, I32])
      for (const input of all) {
        const data = new (typedArrayOf(input))(SPECIAL[input]!);
        const kernels = all.map(out => map(x, lane, [v(input)], out));
        const entries = compiler.compile(kernels);
        for (const [k, kernel] of kernels.entries()) checkMap(kernel, entries[k]!, [data], [data.length]);
      }
  });

  test("constants are rounded to the lane", () => {
    const values = [0.1, 1e300, -1e300, 16777217, 2.7, -2.7, 3e9, -3e9, -0, 1e-46, Number.NaN, Number.NEGATIVE_INFINITY];
    const kernels = [F32, F64, I32].flatMap(lane =>
      values.flatMap(c => [map(E.constant(c), lane, [v(lane)]), map(E.add(x, c), lane, [v(lane)])]),
    );
    checkMaps(kernels, 40, [1, 2, 3, 4, 5, 18]);
  });
});

describe("layouts", () => {
  test("in place", () => {
    const next = random(50);
    for (const dtype of DTYPES.keys()) {
      const lane = dtype > F64 ? I32 : dtype;
      const long = E.mul(E.add(E.mul(E.add(E.mul(x, y), x), y), x), E.add(E.mul(x, x), E.mul(y, 3)));
      for (const value of [E.add(x, y), E.mul(x, x), long]) {
        const kernel = map(value, lane, [v(dtype), v(dtype)], dtype);
        const f = compiler.compile([kernel])[0]!;
        for (const n of [...LENGTHS, 1001])
          for (const target of [0, 1]) {
            const inputs = [sample(dtype, n, next), sample(dtype, n, next)];
            const expected = runMap(kernel, inputs, n);
            const addresses = [1003, 2 ** 17 + 5];
            for (const [i, data] of inputs.entries()) put(data, addresses[i]!);
            const end = addresses[target]! + n * BYTES[dtype]!;
            bytes.fill(0xa5, end, end + GUARD);
            call(compiler, f, [...addresses, addresses[target]!], n);
            expect(difference(take(dtype, n, addresses[target]!), expected, n), kernelKey(kernel)).toBe(-1);
            expect(bytes.subarray(end, end + GUARD).every(b => b === 0xa5)).toBe(true);
          }
      }
    }
  });

  test("both operands and the output are one array", () => {
    const kernel = map(E.add(x, y), F32, [v(F32), v(F32)]);
    const data = sample(F32, 67, random(51));
    put(data, 1000);
    call(compiler, compiler.compile([kernel])[0]!, [1000, 1000, 1000], 67);
    expect(difference(take(F32, 67, 1000), runMap(kernel, [data, data], 67), 67)).toBe(-1);
  });

  test("five inputs, modes mixed", () => {
    const value = E.add(E.mul(x, y), E.select(E.gt(z, E.arg(3)), E.arg(4), E.sub(x, E.arg(4))));
    const kernels = [F32, F64, I32].flatMap(lane =>
      upTo(32).map(bits =>
        map(
          value,
          lane,
          [lane, F32, I8, F64, lane].map((dtype, i) => (((bits - 1) >> i) & 1 ? s(dtype) : v(dtype))),
        ),
      ),
    );
    checkMaps(kernels, 52, [1, 3, 4, 7, 16, 35]);
  });

  test("long runs", () => {
    const long = E.add(E.mul(E.add(E.mul(x, y), x), y), E.max(E.mul(x, x), E.sub(y, 3)));
    checkMaps(
      [F32, F64, I32].flatMap(lane => [map(E.add(x, y), lane, [v(lane), v(lane)]), map(long, lane, [v(lane), s(lane)])]),
      53,
      [1023, 4096, 8001],
    );
  });

  test("rows: addresses advance by strides in bytes, negative and zero too", () => {
    for (let k = 1; k <= MAX_INPUTS; k++) {
      const value = upTo(k - 1).reduce((sum, i) => E.add(E.mul(sum, 3), E.arg(i)), x);
      const kernel = map(
        value,
        F32,
        upTo(k).map(i => (i === 3 ? s(F32) : v(F32))),
      );
      const f = compiler.compile([kernel])[0]!;
      const rows = compiler.drivers[`rows${k}` as keyof Compiler["drivers"]] as (...args: number[]) => void;
      const next = random(60 + k);
      const floats = new Float32Array(memory.buffer);
      for (let i = 0; i < 40000; i++) floats[i] = next() - 0.5;
      const strides = [44, -36, 4, 0, 80, -8].slice(0, k);
      const starts = upTo(k).map(i => 20000 * i);
      for (const [n, outer] of [
        [7, 5],
        [16, 3],
        [1, 9],
        [3, 0],
      ] as const) {
        bytes.fill(0xa5, OUT - 1000, OUT + 2000);
        rows(f, ...starts, OUT, n, outer, ...strides, 104);
        for (let r = 0; r < outer; r++) {
          const inputs = starts.map((at, i) => floats.subarray((at + r * strides[i]!) / 4));
          expect(difference(take(F32, n, OUT + 104 * r), runMap(kernel, inputs, n), n)).toBe(-1);
          expect(bytes.subarray(OUT + 104 * r + 4 * n, OUT + 104 * (r + 1)).every(b => b === 0xa5)).toBe(true);
        }
        expect(bytes.subarray(OUT + 104 * outer, OUT + 2000).every(b => b === 0xa5)).toBe(true);
      }
    }
  });

  test("a shared memory", () => {
    const shared = new WebAssembly.Memory({ initial: 1, maximum: 4, shared: true });
    const on = createCompiler(shared, true);
    const kernels = [map(E.add(x, y), F32, [v(F32), v(F32)]), map(E.piRemainder(x), F32, [v(F32)])];
    const [f, g] = on.compile(kernels) as [number, number];
    expect([f, g]).toEqual([1, 2]);
    const floats = new Float32Array(shared.buffer);
    floats.set([1, 2, 3, 4, 5, 60, 70, 80, 90, 1e30]);
    on.drivers.call2(f, 0, 20, 80, 5);
    expect([...floats.subarray(20, 26)]).toEqual([61, 72, 83, 94, Math.fround(1e30), 0]);
    on.drivers.call1(g, 20, 160, 10);
    expect(difference(floats.subarray(40, 51), runMap(kernels[1]!, [floats.subarray(5)], 10), 10)).toBe(-1);
  });
});

/** A graph of operations over k operands in which parts are shared, within and across the slow parts of `rare`. */
function randomExpression(next: () => number, lane: number, operands: number, size: number): Expr {
  const numbers: Expr[] = upTo(operands).map(i => E.arg(i - 1));
  const masks: Expr[] = [E.lt(numbers[0]!, 0.5)];
  const pickFrom = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!;
  // Later nodes more often, so that graphs are deep; sometimes the same operation again as a new node.
  const late = (list: readonly Expr[]): Expr => list[Math.floor(Math.sqrt(next()) * list.length)]!;
  const unary = Object.values(lane === I32 ? UNARY_INTEGER : UNARY_FLOAT);
  const binary = Object.entries(lane === I32 ? BINARY_INTEGER : BINARY_FLOAT).filter(([name]) => !(name in COMPARE));
  const constants = lane === I32 ? [1, -3, 1000, 2 ** 30] : [1, 0, -0, 0.1, -2.5, 1e10, 1e-30, Number.POSITIVE_INFINITY];
  for (let i = 0; i < size; i++) {
    const kind = next();
    if (kind < 0.15) numbers.push(E.constant(pickFrom(constants)));
    else if (kind < 0.3) numbers.push(pickFrom(unary)(late(numbers)));
    else if (kind < 0.6) numbers.push(pickFrom(binary)[1](late(numbers), pickFrom(numbers)));
    else if (kind < 0.7) masks.push(pickFrom(Object.values(COMPARE))(late(numbers), pickFrom(numbers)));
    else if (kind < 0.75) masks.push(pickFrom([E.and, E.or, E.xor])(late(masks), pickFrom(masks)));
    else if (kind < 0.8) masks.push(E.not(late(masks)));
    else if (kind < 0.88) numbers.push(E.select(late(masks), late(numbers), pickFrom(numbers)));
    else if (kind < 0.97) numbers.push(E.rare(late(masks), late(numbers), late(numbers)));
    else {
      const e = late(numbers);
      numbers.push(new E.Expr(e.op, e.src, e.value));
    }
  }
  const tail = numbers.slice(-6).reduce((sum, e) => E.min(E.add(sum, e), E.max(sum, 3)));
  return next() < 0.15 ? E.ge(tail, late(numbers)) : tail;
}

describe("compositions", () => {
  for (const lane of [F32, F64, I32])
    test(`random graphs, ${DTYPES[lane]}`, () => {
      for (let seed = 0; seed < 150; seed++) {
        const next = random(1000 * lane + seed);
        const operands = 1 + Math.floor(next() * 4);
        const value = randomExpression(next, lane, operands, 4 + Math.floor(next() * 40));
        const dtypes = upTo(operands).map(() => (next() < 0.6 ? lane : Math.floor(next() * 6)));
        const inputs = dtypes.map(dtype => (next() < 0.3 ? s(dtype) : v(dtype)));
        const out = next() < 0.7 ? lane : Math.floor(next() * 6);
        checkMaps([map(value, lane, inputs, out)], seed, [1, 2, 3, 4, 5, 15, 16, 17, 40]);
      }
    });

  test("rare computes the slow part where a mask is set, with parts shared in every way", () => {
    const shared = E.sqrt(E.add(x, y));
    const slowOnly = E.div(E.mul(x, 3), E.add(y, 1));
    const inner = E.rare(E.gt(y, 2), E.add(shared, slowOnly), E.mul(slowOnly, E.sub(shared, slowOnly)));
    const values = [
      E.rare(E.gt(x, 1), shared, E.mul(shared, slowOnly)),
      E.add(E.rare(E.gt(x, 1), y, E.mul(shared, slowOnly)), shared),
      E.add(E.rare(E.gt(x, 1), y, slowOnly), E.rare(E.lt(x, -1), x, slowOnly)),
      E.rare(E.gt(x, 1), y, inner),
      E.add(E.add(E.rare(E.gt(x, 1), y, inner), inner), slowOnly),
      E.rare(E.gt(E.rare(E.gt(x, 0), x, slowOnly), 1), E.rare(E.gt(y, 0), y, shared), E.rare(E.gt(y, 1), shared, slowOnly)),
    ];
    const kernels = values.flatMap(value =>
      [F32, F64].flatMap(lane => [
        map(value, lane, [v(lane), v(lane)]),
        map(value, lane, [v(lane), s(lane)]),
        map(value, lane, [s(lane), s(lane)]),
      ]),
    );
    for (let seed = 0; seed < 5; seed++) checkMaps(kernels, 70 + seed, [1, 4, 5, 16, 35]);
  });

  test("shared parts are computed once, by identity or by structure", () => {
    let tower = x;
    for (let i = 0; i < 40; i++) tower = E.mul(tower, tower);
    checkMaps([map(tower, F32, [v(F32)])], 80);
    const part = (c = 2): Expr => upTo(8).reduce(e => E.sqrt(E.abs(E.sub(e, c))), E.mul(x, y));
    const once = part();
    const size = (value: Expr): number => assembleKernels([map(value, F32, [v(F32), v(F32)])], false).length;
    expect(size(E.mul(part(), part()))).toBe(size(E.mul(once, once)));
    expect(size(E.mul(part(), part(3)))).toBeGreaterThan(size(E.mul(once, once)));
  });
});

describe("π/2", () => {
  const kernels = [F32, F64].flatMap(lane => [map(E.piRemainder(x), lane, [v(lane)]), map(E.piQuadrant(x), lane, [v(lane)])]);
  const check = (make: (next: () => number) => number, n: number, seed: number): void => {
    const next = random(seed);
    const numbers = Array.from({ length: n }, () => make(next));
    const entries = compiler.compile(kernels);
    for (const [k, kernel] of kernels.entries()) checkMap(kernel, entries[k]!, [new (typedArrayOf(kernel.lane))(numbers)], [n]);
  };
  test("arguments of every size", () => {
    check(next => (next() < 0.5 ? -1 : 1) * (1 + next()) * 2 ** Math.floor(next() * 1024), 3000, 90);
    check(next => (next() < 0.5 ? -1 : 1) * (1 + next()) * 2 ** Math.floor(next() * 128), 3000, 91);
  });
  test("powers of two", () => {
    let exponent = -1075;
    check(() => 2 ** exponent++, 2100, 92);
  });
  test("the numbers that come closest to multiples", () => {
    // For every exponent e, the denominators q of the continued fraction of 2ᵉ·2/π: q·2ᵉ lies next to p·π/2.
    const bits = 1400n;
    const twoOverPi = BigInt(`0x${TWO_OVER_PI}`) << (bits - 1216n);
    const hard: number[] = [];
    for (let e = -52; e <= 970; e++) {
      let [a, b] = [e < 0 ? twoOverPi >> BigInt(-e) : twoOverPi << BigInt(e), 1n << bits];
      let [q, former] = [0n, 1n];
      while (b !== 0n) {
        const next: bigint = q * (a / b) + former;
        [former, q] = [q, next];
        [a, b] = [b, a % b];
        if (q >= 1n << 53n) break;
        if (q >= 1n << 24n) hard.push(Number(q) * 2 ** e * (hard.length & 1 ? -1 : 1));
      }
    }
    hard.push(6381956970095103 * 2 ** 797);
    // Multiples of such numbers for which a carry runs through the words of the product.
    hard.push(4.10647600542287e35, 2.8044583157070494e48, 1.3684053643282482e77, 1.6086710000645732e81, 4.8260130001937195e81);
    let i = 0;
    check(() => hard[i++]!, hard.length, 93);
    expect(hard.length).toBeGreaterThan(15000);
    expect(Math.min(...hard.map(h => Math.abs(evaluate(E.piRemainder(x), F64, [h]) as number)))).toBeLessThan(2 ** -58);
  });
  test("where the nearest multiple changes", () => {
    const around = [Math.PI / 4, Math.fround(Math.PI / 4)].flatMap(a =>
      [2 ** -53, 2 ** -24].flatMap(ulp => upTo(9).flatMap(i => [a + (i - 5) * ulp, -a - (i - 5) * ulp])),
    );
    let i = 0;
    check(() => around[i++]!, around.length, 97);
  });
  test("neighbours of multiples of π/4", () => {
    let k = 0;
    check(next => (Math.floor(++k / 3) * Math.PI) / 4 + (next() - 0.5) * 2 ** -50 * k, 3000, 94);
    check(next => Math.fround((Math.floor(next() * 2 ** 20) * Math.PI) / 2), 1000, 95);
  });
  test("the reference gives sines", () => {
    const next = random(96);
    for (let i = 0; i < 300; i++) {
      const a = (next() - 0.5) * 2 ** (next() * 20);
      const r = evaluate(E.piRemainder(x), F64, [a]) as number;
      const n = evaluate(E.piQuadrant(x), F64, [a]) as number;
      const sine = [Math.sin(r), Math.cos(r), -Math.sin(r), -Math.cos(r)][n]!;
      expect(Math.abs(sine - Math.sin(a))).toBeLessThan(4e-16);
      expect(Math.abs(r)).toBeLessThanOrEqual(Math.PI / 4);
    }
  });
});

describe("reductions", () => {
  const reduce = (combine: Combine, value: Expr, lane: number, inputs: readonly KernelInput[], out = lane): ReduceKernel => ({
    kind: "reduce",
    combine,
    inputs,
    lane,
    out,
    value,
  });
  const COMBINES: readonly Combine[] = ["add", "mul", "min", "max"];
  const check = (kernels: readonly ReduceKernel[], lengths: readonly number[], seed: number, tame = false): void => {
    const next = random(seed);
    const entries = compiler.compile(kernels);
    kernels.forEach((kernel, k) => {
      lengths.forEach((n, turn) => {
        const inputs = kernel.inputs.map(({ dtype, mode }) => {
          const data = sample(dtype, mode === "v" ? n : 1, next);
          return tame && dtype <= F64 ? data.map(() => next() * 2 - (turn & 1)) : data;
        });
        const addresses = inputs.map((data, i) => {
          const at = 64 + i * 2 ** 17 + ((turn * (i + 3)) % 16);
          put(data, at);
          // What lies behind must not count.
          bytes.fill(0x7f, at + data.byteLength, at + data.byteLength + 64);
          return at;
        });
        const out = OUT + ((turn * 5) % 16);
        bytes.fill(0xa5, out - GUARD, out + GUARD);
        call(compiler, entries[k]!, [...addresses, out], n);
        const expected = runReduce(kernel, inputs, n);
        const actual = take(kernel.out, 1, out)[0];
        if (!Object.is(actual, expected)) throw new Error(`${kernelKey(kernel)}: of ${n} gives ${actual}, not ${expected}`);
        const width = BYTES[kernel.out]!;
        for (let g = 1; g < GUARD; g++)
          if (bytes[out - g] !== 0xa5 || (g >= width && bytes[out + g] !== 0xa5)) throw new Error(`${kernelKey(kernel)}: wrote outside`);
      });
    });
  };
  const RUNS = [0, ...upTo(70)];

  for (const lane of [F32, F64, I32]) {
    const long = E.add(E.mul(E.add(E.mul(x, y), x), y), E.max(E.mul(x, x), E.sub(y, 3)));
    const kernels = COMBINES.flatMap(combine => [
      reduce(combine, x, lane, [v(lane)]),
      reduce(combine, E.mul(x, y), lane, [v(lane), v(lane)]),
      reduce(combine, long, lane, [v(lane), s(lane)]),
      reduce(combine, E.lt(x, y), lane, [v(lane), v(lane)]),
      reduce(combine, x, lane, [s(lane)]),
    ]);
    test(`every combination, ${DTYPES[lane]}`, () => {
      check(kernels, RUNS, 100 + lane);
      check(kernels, RUNS, 110 + lane, true);
    });
    test(`long runs, ${DTYPES[lane]}`, () => check(kernels, [100, 257, 1000, 4095, 4096, 5000], 120 + lane, true));
    test(`every dtype, ${DTYPES[lane]}`, () => {
      const dtypes = DTYPES.flatMap((_, input) =>
        DTYPES.flatMap((_, out) => COMBINES.map(combine => reduce(combine, x, lane, [v(input)], out))),
      );
      check(dtypes, [0, 1, 2, 3, 7, 16, 37], 130 + lane);
    });
  }

  test("random graphs", () => {
    for (let seed = 0; seed < 60; seed++) {
      const next = random(5000 + seed);
      const lane = [F32, F64, I32][seed % 3]!;
      const value = randomExpression(next, lane, 2, 4 + Math.floor(next() * 30));
      check(
        [reduce(COMBINES[seed % 4]!, value, lane, [v(lane), next() < 0.3 ? s(lane) : v(lane)])],
        [0, 1, 3, 8, 15, 16, 33, 70],
        seed,
        seed % 2 === 0,
      );
    }
  });

  test("a sum of nothing but -0 is -0, and rows of a matrix are summed one by one", () => {
    const kernel = reduce("add", x, F32, [v(F32)]);
    const f = compiler.compile([kernel])[0]!;
    const floats = new Float32Array(memory.buffer);
    floats.fill(-0, 100, 109);
    compiler.drivers.call1(f, 400, OUT, 9);
    expect(floats[OUT / 4]).toBe(-0);
    for (let i = 0; i < 60; i++) floats[100 + i] = i;
    compiler.drivers.rows1(f, 400, OUT, 10, 6, 40, 4);
    expect([...floats.subarray(OUT / 4, OUT / 4 + 6)]).toEqual([0, 1, 2, 3, 4, 5].map(r => 45 + 100 * r));
  });
});

test("kernels keep their entries as the table grows, and entry 0 stays empty", () => {
  const kernels: Kernel[] = upTo(5).map(i => map(E.add(x, i), F32, [v(F32)]));
  const entries = [...compiler.compile(kernels.slice(0, 2)), ...compiler.compile(kernels.slice(2))];
  expect(new Set(entries).size).toBe(5);
  expect(compiler.table.get(0)).toBe(null);
  const floats = new Float32Array(memory.buffer);
  floats[100] = 10;
  entries.forEach((f, i) => {
    compiler.drivers.call1(f, 400, OUT, 1);
    expect(floats[OUT / 4]).toBe(11 + i);
  });
});
