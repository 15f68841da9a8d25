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
  const f = module.func("", ["i32"], ["i64"]);
  const words = [0n];
  for (let i = 0; i < TWO_OVER_PI.length; i += 16) words.push(BigInt(`0x${TWO_OVER_PI.slice(i, i + 16)}`));
  const nest = (labels: readonly Label[]): void => {
    const i = labels.length;
    if (i === words.length) {
      f.get(f.param(0)).brTable(labels, labels[0]!);
      return;
    }
    f.block(leave => nest([...labels, leave]));
    f.i64Const(words[i]!).return();
  };
  nest([]);
  return f;
}

/** mulHigh(a, b): the upper 64 bits of the unsigned product. */
function writeMulHigh(module: Module): Func {
  const f = module.func("", ["i64", "i64"], ["i64"]);
  const [a, b] = [f.param(0), f.param(1)];
  const [low, middle, t, u] = [f.local("i64"), f.local("i64"), f.local("i64"), f.local("i64")];
  const lower = (x: Local): Func => f.get(x).i64Const(0xffffffffn).op(I64.and);
  const upper = (x: Local): Func => f.get(x).i64Const(32n).op(I64.shrU);
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
  f.get(u);
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
  const [x, quadrant] = [f.param(0), f.param(1)];
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
    f.get(high).get(shift).op(I64.shl).get(low).i64Const(1n).op(I64.shrU).i64Const(63n).get(shift).op(I64.sub).op(I64.shrU).op(I64.or);
  const less = (a: Local, b: Local): Func => f.get(a).get(b).op(I64.ltU).op(I64.extendI32U);

  f.get(x).op(F64.abs).f64Const(Number.POSITIVE_INFINITY).op(F64.lt).op(I32.eqz);
  f.if(() => f.get(x).get(x).op(F64.sub).return());
  f.get(x).op(F64.abs).f64Const(QUARTER_PI).op(F64.le);
  f.if(() => f.f64Const(0).get(x).get(quadrant).select().return());

  // The window begins at bit e - 1 of 2/π, which the word of zeros makes bit e + 62 from 0; e is the biased exponent - 1075.
  f.get(x).op(F64.abs).op(I64.reinterpretF64).tee(m).i64Const(52n).op(I64.shrU).op(I32.wrapI64).i32Const(1013).op(I32.sub).set(start);
  f.get(m).i64Const(0xfffffffffffffn).op(I64.and).i64Const(0x10000000000000n).op(I64.or).set(m);
  for (const [i, part] of t.entries()) f.get(start).i32Const(6).op(I32.shrU).i32Const(i).op(I32.add).call(word).set(part);
  f.get(start).op(I64.extendI32U).i64Const(63n).op(I64.and).set(shift);
  for (let i = 0; i < 3; i++) funnel(t[2 - i]!, t[3 - i]!).set(window[i]!);

  // p = m·window mod 2¹⁹², least significant word first.
  f.get(m).get(window[0]).op(I64.mul).set(p[0]);
  f.get(m).get(window[0]).call(mulHigh).tee(carry);
  f.get(m).get(window[1]).op(I64.mul).op(I64.add).set(p[1]);
  less(p[1], carry);
  f.get(m).get(window[1]).call(mulHigh).op(I64.add);
  f.get(m).get(window[2]).op(I64.mul).op(I64.add).set(p[2]);

  f.get(x).f64Const(0).op(F64.lt).set(negative);
  f.get(quadrant);
  f.if(() => {
    f.get(p[2]).i64Const(0x2000000000000000n).op(I64.add).i64Const(62n).op(I64.shrU).op(I32.wrapI64).set(n);
    f.i32Const(0).get(n).op(I32.sub).get(n).get(negative).select();
    f.i32Const(3).op(I32.and).op(F64.convertI32S).return();
  });

  // Without its two upper bits p is the signed distance from the nearest multiple, in units of 2⁻¹⁹².
  f.i64Const(2n).set(shift);
  funnel(p[2], p[1]).set(p[2]);
  funnel(p[1], p[0]).set(p[1]);
  f.get(p[0]).i64Const(2n).op(I64.shl).set(p[0]);
  f.get(p[2]).i64Const(0n).op(I64.ltS);
  f.if(() => {
    f.get(negative).op(I32.eqz).set(negative);
    f.i64Const(0n).get(p[0]).op(I64.sub).tee(p[0]).op(I64.eqz).op(I64.extendI32U).set(carry);
    f.get(p[1]).i64Const(-1n).op(I64.xor).get(carry).op(I64.add).tee(p[1]).op(I64.eqz).op(I64.extendI32U);
    f.get(carry).op(I64.and).get(p[2]).i64Const(-1n).op(I64.xor).op(I64.add).set(p[2]);
  });

  f.get(p[2]).op(I64.clz).tee(shift).set(exponent); // p[2] is not 0: see above
  funnel(p[2], p[1]).set(p[2]);
  funnel(p[1], p[0]).set(p[1]);

  // Times π/2: the upper 128 of 256 bits in (high, low).
  const [high, low] = [t[0], t[1]];
  f.get(p[2]).i64Const(HALF_PI_HIGH).call(mulHigh);
  f.get(p[2]).i64Const(HALF_PI_LOW).call(mulHigh).tee(carry);
  f.get(p[2]).i64Const(HALF_PI_HIGH).op(I64.mul).op(I64.add).set(low);
  less(low, carry).op(I64.add).set(high);
  f.get(p[1]).i64Const(HALF_PI_HIGH).call(mulHigh).tee(carry).get(low).op(I64.add).set(low);
  less(low, carry).get(high).op(I64.add).set(high);
  f.get(high).i64Const(0n).op(I64.geS);
  f.if(() => {
    f.i64Const(1n).set(shift);
    funnel(high, low).set(high);
    f.get(low).i64Const(1n).op(I64.shl).set(low);
    f.get(exponent).i64Const(1n).op(I64.add).set(exponent);
  });
  // A last bit that stands for all below it makes the conversion to float64 the one rounding.
  f.get(high).get(low).op(I64.eqz).op(I32.eqz).op(I64.extendI32U).op(I64.or).op(F64.convertI64U);
  f.i64Const(960n).get(exponent).op(I64.sub).i64Const(52n).op(I64.shl).op(F64.reinterpretI64).op(F64.mul).set(x); // ·2⁻⁶³⁻ᵉ
  f.get(x).op(F64.neg).get(x).get(negative).select();
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
  const [x, y] = [f.param(0), f.param(1)];
  const [r, m, left, by] = [f.local("i64"), f.local("i64"), f.local("i64"), f.local("i64")];
  f.get(y).op(F64.abs).set(y);
  f.get(x).op(F64.abs).get(y).op(F64.lt);
  f.if(() => f.get(x).return());
  // Infinite x, NaN and y = 0.
  f.get(x).op(F64.abs).f64Const(Number.POSITIVE_INFINITY).op(F64.lt).get(y).f64Const(0).op(F64.gt).op(I32.and).op(I32.eqz);
  f.if(() => f.f64Const(Number.NaN).return());
  /** Leaves the significand of a number >= 0 in a local, and the exponent that is stored (1 for subnormal ones) on the stack. */
  const split = (of: () => void, significand: typeof r): void => {
    of();
    f.op(I64.reinterpretF64).tee(significand).i64Const(52n).op(I64.shrU).tee(by);
    f.op(I64.eqz);
    f.if(
      () => f.i64Const(1n).set(by),
      () => f.get(significand).i64Const(SIGNIFICAND).op(I64.and).i64Const(UNIT).op(I64.or).set(significand),
    );
    f.get(by);
  };
  split(() => f.get(x).op(F64.abs), r);
  split(() => f.get(y), m);
  f.op(I64.sub).set(left);
  f.get(r).get(m).op(I64.remU).set(r);
  f.whileLoop(
    () => f.get(left).i64Const(0n).op(I64.gtS),
    () => {
      f.get(left).i64Const(11n).get(left).i64Const(11n).op(I64.ltS).select().set(by);
      f.get(r).get(by).op(I64.shl).get(m).op(I64.remU).set(r);
      f.get(left).get(by).op(I64.sub).set(left);
    },
  );
  // r times the last place of y, which is y's power of 2 (at least that of the subnormal numbers) less 52 binary places.
  f.get(r).op(F64.convertI64U);
  f.get(y).op(I64.reinterpretF64).i64Const(~SIGNIFICAND).op(I64.and).op(F64.reinterpretI64);
  f.f64Const(2 ** -1022)
    .op(F64.max)
    .f64Const(2 ** -52)
    .op(F64.mul)
    .op(F64.mul);
  f.get(x).op(F64.copysign);
  return f;
}

/** The function of a module, written at its first use: (x: f64, y: f64) → f64. */
export const remainder = (module: Module): Func => module.helper("remainder", writeRemainder);

function writeGcd(module: Module): Func {
  const f = module.func("", ["i32", "i32"], ["i32"]);
  const [a, b] = [f.param(0), f.param(1)];
  f.whileLoop(
    () => f.get(b),
    () => f.get(b).get(a).get(b).op(I32.remU).set(b).set(a),
  );
  f.get(a);
  return f;
}

/** The same: (a: i32, b: i32) → i32, unsigned. */
export const gcd = (module: Module): Func => module.helper("gcd", writeGcd);
