/**
 * Slow, exact scalar WebAssembly functions for what vectors have no instruction for: the reduction by multiples of π/2
 * (Payne and Hanek) for every float64, and Euclid's algorithm. Knows nothing of kernels.
 */
import type { Func, Label, Local, Module } from "../wasm/assembler.ts";
import { F64, I32, I64 } from "../wasm/assembler.ts";

// ---- reduction by π/2

/** 2/π in binary after the point: 19 words of 64 bits; the largest exponent reads up to bit 970 + 191. */
export const TWO_OVER_PI =
  "a2f9836e4e441529fc2757d1f534ddc0db6295993c439041fe5163abdebbc561b7246e3a424dd2e006492eea09d1921cfe1deb1cb129a73e" +
  "e88235f52ebb4484e99c7026b45f7e413991d639835339f49c845f8bbdf9283b1ff897ffde05980fef2f118b5a0a6d1f6d367ecf27cb09b7" +
  "4f463f669e5fea2d7527bac7ebe5f17b3d0739f78a5292ea6bfb5fb11f8d5d0856033046fc7b6bab";

/** π/2·2¹²⁷, rounded down, in two words. */
const HALF_PI_HIGH = 0xc90fdaa22168c234n;
const HALF_PI_LOW = 0xc4c6628b80dc1cd1n;

/** Below, x is its own remainder: the float64 under π/4. */
const QUARTER_PI = 0.7853981633974483;

/** word(i): a word of 2/π, with a word of zeros before the point because a window may begin there. */
function writeWord(module: Module): Func {
  const f = module.func("", 1, ["i64"]);
  const words = [0n];
  for (let i = 0; i < TWO_OVER_PI.length; i += 16) words.push(BigInt(`0x${TWO_OVER_PI.slice(i, i + 16)}`));
  const nest = (labels: readonly Label[]): void => {
    const i = labels.length;
    if (i === words.length) {
      f.push(f.param(0)).brTable(labels, labels[0]!);
      return;
    }
    f.block(leave => nest([...labels, leave]));
    f.push(words[i]!).return();
  };
  nest([]);
  return f;
}

/** mulHigh(a, b): the upper 64 bits of the unsigned product. */
function writeMulHigh(module: Module): Func {
  const f = module.func("", ["i64", "i64"], ["i64"]);
  const [a, b] = f.params;
  const [low, middle, t, u] = f.locals("i64", 4);
  const lower = (x: Local): Func => f.op(I64.and, x, 0xffffffffn);
  const upper = (x: Local): Func => f.op(I64.shrU, x, 32n);
  lower(a);
  lower(b).op(I64.mul).set(low);
  upper(a);
  lower(b).op(I64.mul);
  upper(low).op(I64.add).set(t);
  lower(a);
  upper(b).op(I64.mul);
  lower(t).op(I64.add).set(middle);
  upper(a);
  upper(b).op(I64.mul).set(u);
  f.push(u);
  upper(t).op(I64.add);
  upper(middle).op(I64.add);
  return f;
}

/**
 * piReduce(x, quadrant): the remainder r of x = n·π/2 + r, correctly rounded; or n mod 4, if `quadrant` is not 0.
 * NaN for infinities and NaN.
 *
 * With |x| = m·2ᵉ only the bits of 2/π from 2¹⁻ᵉ on matter mod 4. A window of 192 of them times m, mod 2¹⁹², is |x|·2/π
 * mod 4 in units of 2⁻¹⁹⁰, wrong by less than 2⁻¹³⁷. No float64 comes closer to a multiple of π/2 than about 2⁻⁶¹, so
 * that at least 76 bits of the remainder are right.
 */
function writePiReduce(module: Module): Func {
  const word = module.helper("pi word", writeWord);
  const mulHigh = module.helper("multiply high", writeMulHigh);
  const f = module.func("", ["f64", "i32"], ["f64"]);
  const [x, quadrant] = f.params;
  const start = f.local("i32");
  const negative = f.local("i32");
  const n = f.local("i32");
  const i64 = (): Local => f.local("i64");
  const m = i64();
  const exponent = i64();
  const shift = i64();
  const t = [i64(), i64(), i64(), i64()] as const;
  const window = [i64(), i64(), i64()] as const;
  const p = [i64(), i64(), i64()] as const;
  const carry = i64();
  /** high << shift | low >>> (64 - shift), for a shift of 0 … 63. */
  const funnel = (high: Local, low: Local): Func =>
    f.op(I64.shl, high, shift).op(I64.shrU, low, 1n).op(I64.sub, 63n, shift).op(I64.shrU).op(I64.or);
  const less = (a: Local, b: Local): Func => f.op(I64.ltU, a, b).op(I64.extendI32U);

  f.op(F64.abs, x).f64Const(Number.POSITIVE_INFINITY).op(F64.lt).op(I32.eqz);
  f.if(() => f.op(F64.sub, x, x).return());
  f.op(F64.abs, x).f64Const(QUARTER_PI).op(F64.le);
  f.if(() => f.f64Const(0).push(x, quadrant).select().return());

  // The window begins at bit e - 1 of 2/π, which the word of zeros makes bit e + 62 from 0; e is the biased exponent - 1075.
  f.op(F64.abs, x).op(I64.reinterpretF64).tee(m).op(I64.shrU, 52n).op(I32.wrapI64).op(I32.sub, 1013).set(start);
  f.op(I64.and, m, 0xfffffffffffffn).op(I64.or, 0x10000000000000n).set(m);
  for (const [i, part] of t.entries()) f.op(I32.shrU, start, 6).op(I32.add, i).call(word).set(part);
  f.op(I64.extendI32U, start).op(I64.and, 63n).set(shift);
  for (let i = 0; i < 3; i++) funnel(t[2 - i]!, t[3 - i]!).set(window[i]!);

  // p = m·window mod 2¹⁹², least significant word first.
  f.op(I64.mul, m, window[0]).set(p[0]);
  f.call(mulHigh, m, window[0]).tee(carry);
  f.op(I64.mul, m, window[1]).op(I64.add).set(p[1]);
  less(p[1], carry);
  f.call(mulHigh, m, window[1]).op(I64.add);
  f.op(I64.mul, m, window[2]).op(I64.add).set(p[2]);

  f.push(x).f64Const(0).op(F64.lt).set(negative);
  f.push(quadrant);
  f.if(() => {
    f.op(I64.add, p[2], 0x2000000000000000n).op(I64.shrU, 62n).op(I32.wrapI64).set(n);
    f.op(I32.sub, 0, n).push(n, negative).select();
    f.op(I32.and, 3).op(F64.convertI32S).return();
  });

  // Without its two upper bits p is the signed distance from the nearest multiple, in units of 2⁻¹⁹².
  f.set(shift, 2n);
  funnel(p[2], p[1]).set(p[2]);
  funnel(p[1], p[0]).set(p[1]);
  f.op(I64.shl, p[0], 2n).set(p[0]);
  f.op(I64.ltS, p[2], 0n);
  f.if(() => {
    f.op(I32.eqz, negative).set(negative);
    f.op(I64.sub, 0n, p[0]).tee(p[0]).op(I64.eqz).op(I64.extendI32U).set(carry);
    f.op(I64.xor, p[1], -1n).op(I64.add, carry).tee(p[1]).op(I64.eqz).op(I64.extendI32U);
    f.op(I64.and, carry).op(I64.xor, p[2], -1n).op(I64.add).set(p[2]);
  });

  f.op(I64.clz, p[2]).tee(shift).set(exponent); // p[2] is not 0: see above
  funnel(p[2], p[1]).set(p[2]);
  funnel(p[1], p[0]).set(p[1]);

  // Times π/2: the upper 128 of 256 bits in (high, low).
  const [high, low] = [t[0], t[1]];
  f.call(mulHigh, p[2], HALF_PI_HIGH);
  f.call(mulHigh, p[2], HALF_PI_LOW).tee(carry);
  f.op(I64.mul, p[2], HALF_PI_HIGH).op(I64.add).set(low);
  less(low, carry).op(I64.add).set(high);
  f.call(mulHigh, p[1], HALF_PI_HIGH).tee(carry).op(I64.add, low).set(low);
  less(low, carry).op(I64.add, high).set(high);
  f.op(I64.geS, high, 0n);
  f.if(() => {
    f.set(shift, 1n);
    funnel(high, low).set(high);
    f.op(I64.shl, low, 1n).set(low);
    f.op(I64.add, exponent, 1n).set(exponent);
  });
  // A last bit that stands for all below it makes the conversion to float64 the one rounding.
  f.push(high).op(I64.eqz, low).op(I32.eqz).op(I64.extendI32U).op(I64.or).op(F64.convertI64U);
  f.op(I64.sub, 960n, exponent).op(I64.shl, 52n).op(F64.reinterpretI64).op(F64.mul).set(x); // ·2⁻⁶³⁻ᵉ
  f.op(F64.neg, x).push(x, negative).select();
  return f;
}

/** The function of a module, written at its first use: (x: f64, quadrant: i32) → f64. */
export const piReduce = (module: Module): Func => module.helper("pi reduce", writePiReduce);

// ---- Euclid

const SIGNIFICAND = 0xfffffffffffffn;
const UNIT = 0x10000000000000n;

/**
 * remainder(x, y): x less the multiple of y next to it on the side of 0, NaN where there is none. Both are whole numbers
 * times powers of 2; the remainder of the first by the second is carried down to y's power, 11 bits at a time, which is
 * what 64 bits have room for.
 */
function writeRemainder(module: Module): Func {
  const f = module.func("", ["f64", "f64"], ["f64"]);
  const [x, y] = f.params;
  const [r, m, left, by] = f.locals("i64", 4);
  f.op(F64.abs, y).set(y);
  f.op(F64.abs, x).op(F64.lt, y);
  f.if(() => f.push(x).return());
  // Infinite x, NaN and y = 0.
  f.op(F64.abs, x).f64Const(Number.POSITIVE_INFINITY).op(F64.lt).push(y).f64Const(0).op(F64.gt).op(I32.and).op(I32.eqz);
  f.if(() => f.f64Const(Number.NaN).return());
  /** Leaves the significand of a number >= 0 in a local, and the exponent that is stored (1 for subnormal ones) on the stack. */
  const split = (of: () => void, significand: typeof r): void => {
    of();
    f.op(I64.reinterpretF64).tee(significand).op(I64.shrU, 52n).tee(by);
    f.op(I64.eqz);
    f.if(
      () => f.set(by, 1n),
      () => f.op(I64.and, significand, SIGNIFICAND).op(I64.or, UNIT).set(significand),
    );
    f.push(by);
  };
  split(() => f.op(F64.abs, x), r);
  split(() => f.push(y), m);
  f.op(I64.sub).set(left);
  f.op(I64.remU, r, m).set(r);
  f.whileLoop(
    () => f.op(I64.gtS, left, 0n),
    () => {
      f.push(left, 11n).op(I64.ltS, left, 11n).select().set(by);
      f.op(I64.shl, r, by).op(I64.remU, m).set(r);
      f.op(I64.sub, left, by).set(left);
    },
  );
  // r times the last place of y, which is y's power of 2 (at least that of the subnormal numbers) less 52 binary places.
  f.op(F64.convertI64U, r);
  f.op(I64.reinterpretF64, y).op(I64.and, ~SIGNIFICAND).op(F64.reinterpretI64);
  f.f64Const(2 ** -1022)
    .op(F64.max)
    .f64Const(2 ** -52)
    .op(F64.mul)
    .op(F64.mul);
  f.op(F64.copysign, x);
  return f;
}

/** The function of a module, written at its first use: (x: f64, y: f64) → f64. */
export const remainder = (module: Module): Func => module.helper("remainder", writeRemainder);

function writeGcd(module: Module): Func {
  const f = module.func("", 2, ["i32"]);
  const [a, b] = f.params;
  f.whileLoop(
    () => f.push(b),
    () => f.push(b).op(I32.remU, a, b).set(b).set(a),
  );
  f.push(a);
  return f;
}

/** The same: (a: i32, b: i32) → i32, unsigned. */
export const gcd = (module: Module): Func => module.helper("gcd", writeGcd);
