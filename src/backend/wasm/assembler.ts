/**
 * Writes WebAssembly modules, byte by byte into growing Uint8Arrays: a module and its functions. Knows nothing of kernels
 * or arrays. The memory is imported as "m" of "m", the table as "t" of "m".
 */
import { I32 } from "./opcodes.ts";

export * from "./opcodes.ts";

export type ValueType = "i32" | "i64" | "f32" | "f64" | "v128";

const TYPE_CODE: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };
const FUNCREF = 0x70;
const EMPTY_BLOCK = 0x40;
/** The most pages 32-bit addresses reach: what a shared memory's import declares. */
const MAX_PAGES = 65536;

const SHUFFLE = 0xfd00d;
const V128_CONST = 0xfd00c;
const MEMORY_COPY = 0xfc00a;
const MEMORY_FILL = 0xfc00b;

/** A byte array that grows. */
class Bytes {
  private buffer = new Uint8Array(1024);
  length = 0;

  private reserve(count: number): void {
    if (this.length + count <= this.buffer.length) return;
    const grown = new Uint8Array(Math.max(2 * this.buffer.length, this.length + count));
    grown.set(this.buffer);
    this.buffer = grown;
  }

  byte(value: number): void {
    if (this.length === this.buffer.length) this.reserve(1);
    this.buffer[this.length++] = value;
  }

  // Not by `byte`, nor is an instruction with its immediate: it would be called so often before the first gradient that V8
  // compiles it, and for that brings 3 MB of its compiler into memory.

  /** LEB128, unsigned. */
  unsigned(value: number): void {
    this.reserve(5);
    let rest = value >>> 0;
    for (; rest > 127; rest >>>= 7) this.buffer[this.length++] = (rest & 127) | 128;
    this.buffer[this.length++] = rest;
  }

  /** A byte, and a number as LEB128, unsigned. */
  pair(value: number, other: number): void {
    this.reserve(1);
    this.buffer[this.length++] = value;
    this.unsigned(other);
  }

  /** LEB128, signed, 32 bits. */
  signed(value: number): void {
    this.reserve(5);
    let rest = value | 0;
    for (; rest > 63 || rest < -64; rest >>= 7) this.buffer[this.length++] = (rest & 127) | 128;
    this.buffer[this.length++] = rest & 127;
  }

  /** LEB128, signed, 64 bits. */
  signed64(value: bigint): void {
    let rest = BigInt.asIntN(64, value);
    while (rest > 63n || rest < -64n) {
      this.byte(Number(rest & 127n) | 128);
      rest >>= 7n;
    }
    this.byte(Number(rest & 127n));
  }

  append(bytes: ArrayLike<number>): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Writes bytes that are preceded by how many they are, as LEB128 of full length because that is known at the end. */
  sized(write: () => void): void {
    const at = this.length;
    for (let i = 0; i < 5; i++) this.byte(0x80);
    write();
    let size = this.length - at - 5;
    for (let i = 0; i < 4; i++, size >>>= 7) this.buffer[at + i] = (size & 127) | 128;
    this.buffer[at + 4] = size;
  }

  /** Names are ASCII. */
  name(text: string): void {
    this.unsigned(text.length);
    for (let i = 0; i < text.length; i++) this.byte(text.charCodeAt(i));
  }

  view(): Uint8Array<ArrayBuffer> {
    return this.buffer.subarray(0, this.length) as Uint8Array<ArrayBuffer>;
  }
}

/** Buffers of functions that were written out, for the next ones: making a buffer costs more than filling it. */
const spare: Bytes[] = [];

// Floating-point constants pass through this scratch; WebAssembly is little-endian, so is every machine that runs it fast.
const scratch = new DataView(new ArrayBuffer(8));
const scratchBytes = new Uint8Array(scratch.buffer);
const scratch4 = scratchBytes.subarray(0, 4);
const words = new Int32Array(4);
const wordBytes = new Uint8Array(words.buffer);

/** A parameter or local of one function. */
export class Local {
  constructor(
    readonly index: number,
    readonly type: ValueType,
  ) {}
}

type Four = readonly [Local, Local, Local, Local];
/** Several locals. As many are there as were asked for; so many can be named at once without a check of each. */
export type Locals = readonly [...Four, ...Four, ...Four, ...Four, ...Local[]];

/** What is put on the stack: a local, or a constant of type i32 (a number) or i64 (a bigint). */
export type Operand = Local | number | bigint;

/** Where a `br` goes: the nesting depth of the block it leaves, or of the loop it repeats. */
export type Label = number & { readonly label: unique symbol };

/** A function being written. Every method appends code and returns the function itself. */
export class Func {
  private readonly code = spare.pop() ?? new Bytes();
  private readonly localTypes: ValueType[] = [];
  private depth = 0;
  readonly params: Locals;

  constructor(
    /** The function's number in its module. */
    readonly index: number,
    readonly typeIndex: number,
    readonly exportName: string,
    params: readonly ValueType[],
  ) {
    this.params = params.map((type, i) => new Local(i, type)) as unknown as Locals;
  }

  param(index: number): Local {
    const found = this.params[index];
    if (found === undefined) throw new RangeError(`the function has ${this.params.length} parameters, not ${index + 1}`);
    return found;
  }

  local(type: ValueType): Local {
    this.localTypes.push(type);
    return new Local(this.params.length + this.localTypes.length - 1, type);
  }

  private immediate(opcode: number, value: number): this {
    this.code.pair(opcode, value);
    return this;
  }

  /** An opcode without immediates, as opcodes.ts encodes it, of these operands and what is on the stack before them. */
  op(opcode: number, ...operands: Operand[]): this {
    this.push(...operands);
    if (opcode > 0xff) this.code.pair(opcode >> 12, opcode & 0xfff);
    else this.code.byte(opcode);
    return this;
  }

  locals(type: ValueType, count: number): Locals {
    return Array.from({ length: count }, () => this.local(type)) as unknown as Locals;
  }

  /** Puts locals and constants on the stack. */
  push(...values: Operand[]): this {
    for (const value of values)
      if (typeof value === "number") {
        this.code.byte(0x41);
        this.code.signed(value);
      } else if (typeof value === "bigint") {
        this.code.byte(0x42);
        this.code.signed64(value);
      } else this.immediate(0x20, value.index);
    return this;
  }

  set(local: Local, ...value: Operand[]): this {
    return this.push(...value).immediate(0x21, local.index);
  }

  /** Sets a local and leaves the value on the stack. */
  tee(local: Local, ...value: Operand[]): this {
    return this.push(...value).immediate(0x22, local.index);
  }

  f32Const(value: number): this {
    this.code.byte(0x43);
    scratch.setFloat32(0, value, true);
    this.code.append(scratch4);
    return this;
  }

  f64Const(value: number): this {
    this.code.byte(0x44);
    scratch.setFloat64(0, value, true);
    this.code.append(scratchBytes);
    return this;
  }

  v128Const(bytes: ArrayLike<number>): this {
    if (bytes.length !== 16) throw new RangeError(`a vector has 16 bytes, not ${bytes.length}`);
    this.op(V128_CONST);
    this.code.append(bytes);
    return this;
  }

  f32x4Const(value: number): this {
    scratch.setFloat32(0, value, true);
    return this.i32x4Const(scratch.getInt32(0, true));
  }

  i32x4Const(value: number): this {
    return this.wordsConst(value, value, value, value);
  }

  f64x2Const(value: number): this {
    scratch.setFloat64(0, value, true);
    return this.pairConst();
  }

  i64x2Const(value: bigint): this {
    scratch.setBigInt64(0, BigInt.asIntN(64, value), true);
    return this.pairConst();
  }

  private pairConst(): this {
    const [low, high] = [scratch.getInt32(0, true), scratch.getInt32(4, true)];
    return this.wordsConst(low, high, low, high);
  }

  /**
   * A load (address on the stack) or store (address, then value), at a constant offset from the address. The alignment,
   * log2 of the bytes, is a hint that no engine of today uses; but atomic operations must have their own.
   */
  memory(opcode: number, offset = 0, alignment = 0): this {
    this.op(opcode);
    this.code.byte(alignment);
    this.code.unsigned(offset);
    return this;
  }

  /** A load into or store of one lane: address, then vector, on the stack. */
  memoryLane(opcode: number, lane: number, offset = 0): this {
    this.memory(opcode, offset);
    this.code.byte(lane);
    return this;
  }

  /** An extractLane or replaceLane. */
  lane(opcode: number, lane: number): this {
    this.op(opcode);
    this.code.byte(lane);
    return this;
  }

  /** A vector of four 32-bit words. */
  wordsConst(a: number, b: number, c: number, d: number): this {
    this.op(V128_CONST);
    words[0] = a;
    words[1] = b;
    words[2] = c;
    words[3] = d;
    this.code.append(wordBytes);
    return this;
  }

  /** i8x16.shuffle: bytes 0 … 15 are the first vector's, 16 … 31 the second's. */
  shuffle(bytes: ArrayLike<number>): this {
    if (bytes.length !== 16) throw new RangeError(`a shuffle has 16 bytes, not ${bytes.length}`);
    this.op(SHUFFLE);
    this.code.append(bytes);
    return this;
  }

  /** memory.copy: destination, source, count on the stack. */
  memoryCopy(): this {
    this.op(MEMORY_COPY);
    this.code.byte(0);
    this.code.byte(0);
    return this;
  }

  /** memory.fill: destination, byte, count on the stack. */
  memoryFill(): this {
    this.op(MEMORY_FILL);
    this.code.byte(0);
    return this;
  }

  /** select: the first of two values if the condition above them is not 0, else the second. Not for vectors. */
  select(): this {
    this.code.byte(0x1b);
    return this;
  }

  drop(): this {
    this.code.byte(0x1a);
    return this;
  }

  return(): this {
    this.code.byte(0x0f);
    return this;
  }

  unreachable(): this {
    this.code.byte(0x00);
    return this;
  }

  call(callee: Func, ...operands: Operand[]): this {
    return this.push(...operands).immediate(0x10, callee.index);
  }

  /** Calls the table's function whose number is on the stack, above the arguments. The type comes from Module.type. */
  callIndirect(typeIndex: number): this {
    this.code.byte(0x11);
    this.code.unsigned(typeIndex);
    this.code.byte(0);
    return this;
  }

  private open(opcode: number, result: ValueType | undefined): Label {
    this.code.byte(opcode);
    this.code.byte(result === undefined ? EMPTY_BLOCK : TYPE_CODE[result]);
    return ++this.depth as Label;
  }

  private close(): this {
    this.depth--;
    this.code.byte(0x0b);
    return this;
  }

  /** A block; branching to its label leaves it. */
  block(body: (leave: Label) => void, result?: ValueType): this {
    body(this.open(0x02, result));
    return this.close();
  }

  /** A loop; branching to its label repeats it, falling off its end leaves it. */
  loop(body: (again: Label) => void, result?: ValueType): this {
    body(this.open(0x03, result));
    return this.close();
  }

  /** Takes an i32 condition from the stack. Branching to the label leaves the if. */
  if(then: (leave: Label) => void, otherwise?: (leave: Label) => void, result?: ValueType): this {
    const label = this.open(0x04, result);
    then(label);
    if (otherwise !== undefined) {
      this.code.byte(0x05);
      otherwise(label);
    }
    return this.close();
  }

  br(label: Label): this {
    return this.immediate(0x0c, this.depth - label);
  }

  /** Branches if the i32 on the stack is not 0. */
  brIf(label: Label): this {
    return this.immediate(0x0d, this.depth - label);
  }

  /** Branches to labels[i] for the i on the stack, to `otherwise` if there is none. */
  brTable(labels: readonly Label[], otherwise: Label): this {
    this.code.byte(0x0e);
    this.code.unsigned(labels.length);
    for (const label of labels) this.code.unsigned(this.depth - label);
    this.code.unsigned(this.depth - otherwise);
    return this;
  }

  /** local += by, for an i32 local. */
  increment(local: Local, by: number | Local): this {
    return this.op(I32.add, local, by).set(local);
  }

  /** for (i = from; i < to; i += step), signed; the body may run no time. Branching to the label leaves the loop. */
  forLoop(i: Local, from: number | Local, to: number | Local, step: number | Local, body: (leave: Label) => void): this {
    return this.tee(i, from)
      .op(I32.ltS, to)
      .if(leave => {
        this.loop(again => {
          body(leave);
          this.op(I32.add, i, step).tee(i).op(I32.ltS, to).brIf(again);
        });
      });
  }

  /** Repeats the body while the condition (which leaves an i32) holds. Branching to the label leaves the loop. */
  whileLoop(condition: () => void, body: (leave: Label) => void): this {
    return this.block(leave => {
      this.loop(again => {
        condition();
        this.op(I32.eqz).brIf(leave);
        body(leave);
        this.br(again);
      });
    });
  }

  /** Writes the body as the code section holds it: size, locals by runs of one type, code. Nothing can be added afterwards. */
  finish(out: Bytes): void {
    if (this.depth !== 0) throw new Error("a block was left open");
    const types = this.localTypes;
    out.sized(() => {
      let runs = 0;
      for (let i = 0; i < types.length; i++) if (i === 0 || types[i] !== types[i - 1]) runs++;
      out.unsigned(runs);
      for (let i = 0, j = 0; i < types.length; i = j) {
        while (j < types.length && types[j] === types[i]) j++;
        out.unsigned(j - i);
        out.byte(TYPE_CODE[types[i]!]);
      }
      out.append(this.code.view());
      out.byte(0x0b);
    });
    this.code.length = 0;
    spare.push(this.code);
  }
}

const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
/** Every module's binary form is put together here. */
const output = new Bytes();

/** A module being written: it imports the memory, and the table if its functions call through it. */
export class Module {
  private readonly types: { params: readonly ValueType[]; results: readonly ValueType[] }[] = [];
  private readonly typeNumbers = new Map<string, number>();
  private readonly functions: Func[] = [];
  private readonly helpers = new Map<string, Func>();
  private usesTable = false;

  /** `shared`: whether the memory that will be imported is shared. */
  constructor(private readonly shared: boolean) {}

  /** The number of a function type. */
  type(params: readonly ValueType[], results: readonly ValueType[]): number {
    const key = `${params.join()}>${results.join()}`;
    let number = this.typeNumbers.get(key);
    if (number === undefined) {
      number = this.types.length;
      this.typeNumbers.set(key, number);
      this.types.push({ params, results });
    }
    return number;
  }

  /** A new function, exported if it has a name. Its parameters are so many i32, or of these types. */
  func(exportName: string, params: number | readonly ValueType[], results: readonly ValueType[] = []): Func {
    const types = typeof params === "number" ? new Array<ValueType>(params).fill("i32") : params;
    const f = new Func(this.functions.length, this.type(types, results), exportName, types);
    this.functions.push(f);
    return f;
  }

  /** A function that several others of the module call: written at its first use. */
  helper(name: string, write: (module: Module) => Func): Func {
    let f = this.helpers.get(name);
    if (f === undefined) this.helpers.set(name, (f = write(this)));
    return f;
  }

  /** Declares that the module calls through the table. */
  useTable(): void {
    this.usesTable = true;
  }

  /** The module's binary form. Nothing can be added afterwards. */
  finish(): Uint8Array<ArrayBuffer> {
    const out = output;
    out.length = 0;
    out.append(HEADER);
    const section = (id: number, count: number, write: () => void): void => {
      if (count === 0) return;
      out.byte(id);
      out.sized(() => {
        out.unsigned(count);
        write();
      });
    };
    const typeCodes = (types: readonly ValueType[]): void => {
      out.unsigned(types.length);
      for (const type of types) out.byte(TYPE_CODE[type]);
    };
    const exported = this.functions.filter(f => f.exportName !== "");
    section(1, this.types.length, () => {
      for (const { params, results } of this.types) {
        out.byte(0x60);
        typeCodes(params);
        typeCodes(results);
      }
    });
    section(2, this.usesTable ? 2 : 1, () => {
      out.name("m");
      out.name("m");
      out.append(this.shared ? [2, 3, 0] : [2, 0, 0]);
      if (this.shared) out.unsigned(MAX_PAGES);
      if (this.usesTable) {
        out.name("m");
        out.name("t");
        out.append([1, FUNCREF, 0, 0]);
      }
    });
    section(3, this.functions.length, () => {
      for (const f of this.functions) out.unsigned(f.typeIndex);
    });
    section(7, exported.length, () => {
      for (const f of exported) {
        out.name(f.exportName);
        out.byte(0);
        out.unsigned(f.index);
      }
    });
    section(10, this.functions.length, () => {
      for (const f of this.functions) f.finish(out);
    });
    return out.view().slice();
  }
}
