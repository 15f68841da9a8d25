/**
 * Lowers expressions to SIMD instructions, as a graph in which nothing is computed twice. Knows lanes and dtypes, not
 * where operands lie nor how code is written.
 */
import { BOOL, DTYPES, F32 as FLOAT32, F64 as FLOAT64, I32 as INT32 } from "../../dtype.ts";
import type { Expr, Machine } from "../../expr.ts";
import type { KernelInput } from "../../kernel.ts";
import type { Local } from "./assembler.ts";
import { F32x4, F64x2, I32x4, I64x2, V128 } from "./opcodes.ts";

type Opcodes = Readonly<Partial<Record<Machine, number>>>;
const BITWISE = { not: V128.not, and: V128.and, or: V128.or, xor: V128.xor } as const;

/** The machine operations that are one instruction, by lane. */
export const OPCODES: readonly Opcodes[] = [
  { ...F32x4, ...BITWISE },
  { ...F64x2, ...BITWISE },
  { ...I32x4, ...BITWISE, min: I32x4.minS, max: I32x4.maxS, lt: I32x4.ltS, le: I32x4.leS, gt: I32x4.gtS, ge: I32x4.geS },
];

export const lanesOf = (lane: number): number => (lane === FLOAT64 ? 2 : 4);

/** A number as int32 the way WebAssembly's saturating truncation makes it. */
const saturate = (x: number): number => (x >= 2147483647 ? 2147483647 : x <= -2147483648 ? -2147483648 : x | 0);

const scratch = new DataView(new ArrayBuffer(8));

/** The two 32-bit halves of a lane's bits; both are the same for lanes of 32 bits. */
type Bits = readonly [low: number, high: number];

export function bitsOf(value: number, lane: number): Bits {
  if (lane === FLOAT64) {
    scratch.setFloat64(0, value, true);
    return [scratch.getInt32(0, true), scratch.getInt32(4, true)];
  }
  if (lane === FLOAT32) scratch.setFloat32(0, value, true);
  else scratch.setInt32(0, saturate(value), true);
  const bits = scratch.getInt32(0, true);
  return [bits, bits];
}

/**
 * Instructions as a graph without repetitions. "input": operand number `code`; "constant": `bits`; "plain": the
 * instruction `code` on vectors; "shift": by low(bits); "halves": the lower halves of two, or the upper half of the first
 * in front if it is one; "lanes": scalar function number `code` on every lane; "rare": (mask, fast, slow); "held": a value
 * that is in its local already.
 */
type Kind = "input" | "constant" | "plain" | "shift" | "halves" | "lanes" | "rare" | "held";

/** The machine operations that a scalar function computes, lane by lane. */
export const BY_LANES: readonly Machine[] = ["piRemainder", "piQuadrant", "fmod", "gcd"];

export class Node {
  /** How often other nodes read it, and those of which it is the first operand. */
  uses = 0;
  readonly readers: Node[] = [];
  local: Local | null = null;
  /** Whether the local holds the value at the place that is being written. */
  ready = false;

  constructor(
    readonly kind: Kind,
    readonly code: number,
    readonly src: readonly Node[],
    readonly bits: Bits,
    /** Whether it differs from vector to vector. */
    readonly varies: boolean,
  ) {}
}

const NO_BITS: Bits = [0, 0];

export class Graph {
  private readonly constants = new Map<string, Node>();
  private readonly operands: Node[] = [];
  private readonly lowered = new Map<Expr, Node>();
  instructions = 0;

  constructor(
    private readonly lane: number,
    private readonly inputs: readonly KernelInput[],
  ) {}

  /** The node of an instruction, which is made once for the same operands. */
  private node(kind: Kind, code: number, src: readonly Node[], bits = NO_BITS): Node {
    const { readers } = src[0]!;
    for (const reader of readers)
      if (reader.code === code && reader.kind === kind && reader.bits[0] === bits[0] && reader.src.every((s, i) => s === src[i]))
        return reader;
    const node = new Node(
      kind,
      code,
      src,
      bits,
      src.some(s => s.varies),
    );
    for (const s of src) s.uses++;
    readers.push(node);
    this.instructions++;
    return node;
  }

  plain(code: number, ...src: readonly Node[]): Node {
    return this.node("plain", code, src);
  }

  private shift(code: number, x: Node, by: number): Node {
    return this.node("shift", code, [x], [by, 0]);
  }

  private bits(low: number, high = low): Node {
    const key = `${low | 0},${high | 0}`;
    let node = this.constants.get(key);
    if (node === undefined) this.constants.set(key, (node = new Node("constant", 0, [], [low | 0, high | 0], false)));
    return node;
  }

  number(value: number): Node {
    const [low, high] = bitsOf(value, this.lane);
    return this.bits(low, high);
  }

  /** A value that code written by hand leaves in a local. */
  held(local: Local): Node {
    const node = new Node("held", 0, [], NO_BITS, true);
    node.local = local;
    node.ready = true;
    return node;
  }

  lower(e: Expr): Node {
    let node = this.lowered.get(e);
    if (node === undefined) this.lowered.set(e, (node = this.lowerNew(e)));
    return node;
  }

  private lowerNew(e: Expr): Node {
    const { lane } = this;
    if (e.op === "arg") {
      const input = this.inputs[e.value];
      if (input === undefined) throw new RangeError(`the expression reads operand ${e.value} of ${this.inputs.length}`);
      return (this.operands[e.value] ??= new Node("input", e.value, [], NO_BITS, input.mode === "v"));
    }
    if (e.op === "const") return this.number(e.value);
    const src = e.src.map(s => this.lower(s));
    // Those that an operation does not have are not read.
    const x = src[0]!;
    const y = src[1]!;
    const z = src[2]!;
    const double = lane === FLOAT64;
    switch (e.op) {
      case "select":
        return this.plain(V128.bitselect, y, z, x);
      case "rare":
        return this.node("rare", 0, [x, y, z]);
      case "absorb":
        if (lane === INT32) return this.plain(I32x4.mul, x, y);
        return this.plain(
          V128.andnot,
          this.plain(double ? F64x2.mul : F32x4.mul, x, y),
          this.plain(double ? F64x2.eq : F32x4.eq, x, this.number(0)),
        );
      case "nearest":
      case "floor":
      case "ceil":
      case "trunc":
        if (lane === INT32) return x;
        break;
      case "piRemainder":
      case "piQuadrant":
      case "fmod":
      case "gcd":
        if ((lane === INT32) !== (e.op === "gcd")) break;
        return this.node("lanes", BY_LANES.indexOf(e.op), src);
      case "div":
        if (lane !== INT32) break;
        return this.node("halves", 0, [this.quotient(x, y), this.quotient(this.node("halves", 0, [x]), this.node("halves", 0, [y]))]);
      case "pow2": // n + bias ends in the significand of a float whose unit is 1, from where it moves to the exponent
        if (lane === FLOAT32) return this.shift(I32x4.shl, this.plain(F32x4.add, x, this.number(2 ** 23 + 127)), 23);
        if (double) return this.shift(I64x2.shl, this.plain(F64x2.add, x, this.number(2 ** 52 + 1023)), 52);
        break;
      case "exponent":
        if (lane === FLOAT32) return this.plain(F32x4.convertI32x4S, this.shift(I32x4.shrS, this.overSqrtHalf(x), 23));
        if (double) {
          // The signed 12 bits + 2048, made a float64 as the low bits of 2⁵².
          const biased = this.shift(I64x2.shrU, this.overSqrtHalf(x), 52);
          return this.plain(F64x2.sub, this.plain(V128.or, biased, this.number(2 ** 52)), this.number(2 ** 52 + 2048));
        }
        break;
      case "mantissa":
        if (lane === FLOAT32)
          return this.plain(I32x4.add, this.plain(V128.and, this.overSqrtHalf(x), this.bits(0x7fffff)), this.bits(0x3f3504f3));
        if (double)
          return this.plain(
            I64x2.add,
            this.plain(V128.and, this.overSqrtHalf(x), this.bits(-1, 0xfffff)),
            this.bits(0x667f3bcd, 0x3fe6a09e),
          );
        break;
      case "high":
        if (lane === FLOAT32) return this.plain(V128.and, x, this.bits(0xfffff000));
        if (double) return this.plain(V128.and, x, this.bits(0xf8000000, -1));
        break;
    }
    const code = OPCODES[lane]?.[e.op];
    if (code === undefined) throw new TypeError(`${e.op} is not an operation of ${DTYPES[lane]} lanes`);
    return this.plain(code, ...src);
  }

  /** The bits of x less those of sqrt(1/2); for float64 with the sign bit turned, because only unsigned shifts of 64 bits are fast. */
  private overSqrtHalf(x: Node): Node {
    return this.lane === FLOAT32
      ? this.plain(I32x4.sub, x, this.bits(0x3f3504f3))
      : this.plain(I64x2.sub, x, this.bits(0x667f3bcd, 0x3fe6a09e ^ 0x80000000));
  }

  /** The quotient of the first two lanes of int32, truncated: in float64 it is exact but for its last digit. */
  private quotient(x: Node, y: Node): Node {
    const wide = (z: Node): Node => this.plain(F64x2.convertLowI32x4S, z);
    return this.plain(I32x4.truncSatF64x2SZero, this.plain(F64x2.div, wide(x), wide(y)));
  }

  /** Masks become the numbers 0 and 1. */
  numeric(node: Node, mask: boolean): Node {
    return mask ? this.plain(V128.and, node, this.number(1)) : node;
  }

  /** What is stored as dtype `out`, as vectors that `Body.pack` needs only to shuffle or widen. */
  stored(node: Node, mask: boolean, out: number): Node {
    const { lane } = this;
    if (out === BOOL)
      return this.plain(V128.and, mask ? node : this.plain(OPCODES[lane]!.ne!, node, this.number(0)), this.bits(0x01010101));
    const value = this.numeric(node, mask);
    if (lane === FLOAT32) return out <= FLOAT64 ? value : this.plain(I32x4.truncSatF32x4S, value);
    if (lane === FLOAT64) {
      if (out === FLOAT64) return value;
      return this.plain(out === FLOAT32 ? F32x4.demoteF64x2Zero : I32x4.truncSatF64x2SZero, value);
    }
    return out === FLOAT32 ? this.plain(F32x4.convertI32x4S, value) : value;
  }
}
