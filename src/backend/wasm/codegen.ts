/**
 * Renders kernels as WebAssembly functions: SIMD of 128 bits, the same bits on every machine. Knows expressions and
 * kernels, not arrays; who calls the functions, and with which addresses, is the drivers' and the heap's matter.
 *
 * A kernel's function takes the byte addresses of its inputs and of its output, and the number of elements. It may
 * read up to a vector past an input's end, and never writes past the output's.
 */
import { BOOL, BYTES, F32 as FLOAT32, F64 as FLOAT64, I32 as INT32, U8 as UINT8 } from "../../dtype.ts";
import { isMask } from "../../expr.ts";
import type { Kernel, MapKernel, ReduceKernel } from "../../kernel.ts";
import { REDUCTION } from "../../kernel.ts";
import { gcd, piReduce, remainder } from "../routines/exact.ts";
import type { Func, Local, Module, ValueType } from "./assembler.ts";
import { BY_LANES, bitsOf, Graph, lanesOf, type Node, OPCODES } from "./instructions.ts";
import { F32, F32x4, F64, F64x2, I16x8, I32, I32x4, V128 } from "./opcodes.ts";

/** Bodies of at most this many instructions are written several times, for as many vectors in one turn of the loop. */
const UNROLLED_INSTRUCTIONS = 10;
const UNROLL = 4;

/** Shuffles: the low byte of every lane to the front, the lower halves of two vectors, a vector turned by some bytes. */
const BYTES_OF_FOUR = [0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const BYTES_OF_TWO = [0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const LOWER_HALVES = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
const turn = (bytes: number): number[] => Array.from({ length: 16 }, (_, i) => (i + bytes) & 15);

/** Writes the code of a graph's nodes into one function. */
class Body {
  /** The nodes whose locals hold their values, latest last. */
  private readonly trail: Node[] = [];
  private readonly lanes: number;

  constructor(
    private readonly module: Module,
    private readonly f: Func,
    private readonly kernel: Kernel,
    private readonly root: Node,
  ) {
    this.lanes = lanesOf(kernel.lane);
  }

  /** Computes before the loop what is the same in every turn: constants, single operands and what is made of them. */
  hoist(): void {
    const seen = new Set<Node>();
    const visit = (node: Node): void => {
      if (seen.has(node)) return;
      seen.add(node);
      if (node.kind === "constant" && node.bits[0] === 0 && node.bits[1] === 0) return; // zero is made in one cheap instruction
      if (!node.varies) this.settle(node);
      else for (const s of node.kind === "rare" ? node.src.slice(0, 2) : node.src) visit(s); // the slow part stays where it is
    };
    visit(this.root);
    this.trail.length = 0; // ready for good
  }

  /** Pushes a node's value for the vector `at` vectors behind the pointers. */
  private push(node: Node, at: number): void {
    if (node.ready) {
      this.f.push(node.local!);
      return;
    }
    this.compute(node, at);
    if (node.uses > 1 && node.kind !== "constant") {
      node.local ??= this.f.local("v128");
      this.f.tee(node.local);
      this.markReady(node);
    }
  }

  /** Puts a node's value into its local. */
  private settle(node: Node, at = 0): void {
    if (node.ready) return;
    this.compute(node, at);
    node.local ??= this.f.local("v128");
    this.f.set(node.local);
    this.markReady(node);
  }

  private markReady(node: Node): void {
    node.ready = true;
    this.trail.push(node);
  }

  private forget(since: number): void {
    while (this.trail.length > since) this.trail.pop()!.ready = false;
  }

  /** Pushes the value of the whole graph for one vector. */
  value(at = 0): void {
    this.push(this.root, at);
    this.forget(0);
  }

  private compute(node: Node, at: number): void {
    const { f } = this;
    switch (node.kind) {
      case "input":
        if (node.varies) this.loadVector(node.code, at);
        else this.loadSplat(node.code);
        return;
      case "constant":
        f.wordsConst(node.bits[0], node.bits[1], node.bits[0], node.bits[1]);
        return;
      case "plain":
        for (const s of node.src) this.push(s, at);
        f.op(node.code);
        return;
      case "shift":
        this.push(node.src[0]!, at);
        f.op(node.code, node.bits[0]);
        return;
      case "halves":
        for (const s of node.src) this.push(s, at);
        if (node.src.length === 2) f.shuffle(LOWER_HALVES);
        else {
          const x = f.local("v128");
          f.tee(x).push(x).shuffle(turn(8));
        }
        return;
      case "lanes":
        this.computeLanes(node, at);
        return;
      case "rare":
        this.computeRare(node, at);
        return;
      case "held":
        throw new Error("a held value is always ready");
    }
  }

  private computeLanes(node: Node, at: number): void {
    const { f, module } = this;
    const { lane } = this.kernel;
    const op = BY_LANES[node.code]!;
    const { extractLane, replaceLane } = lane === FLOAT32 ? F32x4 : lane === FLOAT64 ? F64x2 : I32x4;
    const compute = op === "gcd" ? gcd(module) : op === "fmod" ? remainder(module) : piReduce(module);
    const operands = node.src.map((s, i) => {
      const x = f.local("v128");
      this.push(s, at);
      // The first stays, for its lanes to be replaced.
      if (i === 0) f.tee(x);
      else f.set(x);
      return x;
    });
    for (let i = 0; i < this.lanes; i++) {
      for (const x of operands) {
        f.push(x).lane(extractLane, i);
        if (lane === FLOAT32) f.op(F64.promoteF32);
      }
      if (operands.length === 1) f.push(op === "piQuadrant" ? 1 : 0);
      f.call(compute);
      if (lane === FLOAT32) f.op(F32.demoteF64);
      f.lane(replaceLane, i);
    }
  }

  private computeRare(node: Node, at: number): void {
    const { f } = this;
    const [mask, fast, slow] = node.src as [Node, Node, Node];
    const value = f.local("v128");
    this.settle(mask, at);
    this.push(fast, at);
    f.set(value);
    f.op(V128.anyTrue, mask.local!);
    f.if(() => {
      const since = this.trail.length;
      this.push(slow, at);
      f.op(V128.bitselect, value, mask.local!).set(value);
      this.forget(since); // what was computed here is not there outside
    });
    f.push(value);
  }

  private loadVector(input: number, at: number): void {
    const { f } = this;
    const { lane } = this.kernel;
    const { dtype } = this.kernel.inputs[input]!;
    const offset = at * this.lanes * BYTES[dtype]!;
    f.push(f.param(input));
    if (dtype === FLOAT32) {
      if (lane === FLOAT32) f.memory(V128.load, offset);
      else if (lane === FLOAT64) f.memory(V128.load64Zero, offset).op(F64x2.promoteLowF32x4);
      else f.memory(V128.load, offset).op(I32x4.truncSatF32x4S);
      return;
    }
    if (dtype === FLOAT64) {
      f.memory(V128.load, offset);
      if (lane === FLOAT64) return;
      const narrow = lane === FLOAT32 ? F32x4.demoteF64x2Zero : I32x4.truncSatF64x2SZero;
      f.op(narrow).push(f.param(input));
      f.memory(V128.load, offset + 16)
        .op(narrow)
        .shuffle(LOWER_HALVES);
      return;
    }
    if (dtype === INT32) f.memory(lane === FLOAT64 ? V128.load64Zero : V128.load, offset);
    else {
      f.memory(lane === FLOAT64 ? V128.load16Splat : V128.load32Zero, offset);
      if (dtype >= UINT8) f.op(I16x8.extendLowI8x16U).op(I32x4.extendLowI16x8U);
      else f.op(I16x8.extendLowI8x16S).op(I32x4.extendLowI16x8S);
    }
    if (lane === FLOAT32) f.op(F32x4.convertI32x4S);
    else if (lane === FLOAT64) f.op(F64x2.convertLowI32x4S);
  }

  private loadSplat(input: number): void {
    const { f } = this;
    const { lane } = this.kernel;
    const { dtype } = this.kernel.inputs[input]!;
    f.push(f.param(input));
    if (dtype === FLOAT32) {
      f.memory(F32.load);
      if (lane === FLOAT64) f.op(F64.promoteF32);
      else if (lane === INT32) f.op(I32.truncSatF32S);
    } else if (dtype === FLOAT64) {
      f.memory(F64.load);
      if (lane === FLOAT32) f.op(F32.demoteF64);
      else if (lane === INT32) f.op(I32.truncSatF64S);
    } else {
      f.memory(dtype === INT32 ? I32.load : dtype >= UINT8 ? I32.load8U : I32.load8S);
      if (lane === FLOAT32) f.op(F32.convertI32S);
      else if (lane === FLOAT64) f.op(F64.convertI32S);
    }
    f.op(lane === FLOAT32 ? F32x4.splat : lane === FLOAT64 ? F64x2.splat : I32x4.splat);
  }
}

/** Stores vectors of a lane as a dtype: whole ones, or some leading elements. */
class Store {
  private readonly low: Local;
  /** The second vector of four float64. */
  private readonly high: Local | null;
  private readonly width: number;
  private readonly lanes: number;

  constructor(
    private readonly f: Func,
    private readonly lane: number,
    private readonly out: number,
    private readonly pointer: Local,
  ) {
    this.low = f.local("v128");
    this.lanes = lanesOf(lane);
    this.width = BYTES[out]!;
    this.high = this.lanes * this.width === 32 ? f.local("v128") : null;
  }

  /** Takes a vector made by Graph.stored from the stack. */
  pack(): void {
    const { f, low, high } = this;
    if (high !== null) {
      const widen = this.lane === FLOAT32 ? F64x2.promoteLowF32x4 : F64x2.convertLowI32x4S;
      f.tee(low).push(low).shuffle(turn(8)).op(widen).set(high).op(widen, low);
    } else if (this.width === 1) {
      // From float64 lanes numbers come as two neighbours, masks and booleans as lanes of 64 bits.
      const lowest = this.lanes === 2 && this.out === BOOL ? BYTES_OF_TWO : BYTES_OF_FOUR;
      f.tee(low).push(low).shuffle(lowest);
    }
    f.set(low);
  }

  whole(at = 0): void {
    const { f, low, high, pointer } = this;
    const bytes = this.lanes * this.width;
    const offset = at * bytes;
    f.push(pointer, low);
    this.leading(bytes, offset);
    if (high === null) return;
    f.push(pointer, high);
    this.leading(16, offset + 16);
  }

  /** Stores the first `count` elements, 0 < count < lanes; changes the pointer. */
  part(count: Local): void {
    const { f, low, high, pointer, width } = this;
    if (this.lanes === 4) {
      const half = 2 * width;
      f.op(I32.and, count, 2);
      f.if(() => {
        f.push(pointer, low);
        this.leading(half, 0);
        if (high !== null) f.push(high);
        else f.push(low, low).shuffle(turn(half));
        f.set(low).increment(pointer, half);
      });
      f.op(I32.and, count, 1);
      f.if(() => this.first());
    } else this.first();
  }

  /** Stores the first element. */
  first(): void {
    this.f.push(this.pointer, this.low);
    this.leading(this.width, 0);
  }

  /** Stores the vector on the stack, or so many of its first bytes. */
  private leading(bytes: number, offset: number): void {
    const { f } = this;
    if (bytes >= 16) f.memory(V128.store, offset);
    else {
      const store = bytes === 8 ? V128.store64Lane : bytes === 4 ? V128.store32Lane : bytes === 2 ? V128.store16Lane : V128.store8Lane;
      f.memoryLane(store, 0, offset);
    }
  }
}

/** The parameter types of a kernel of so many inputs: their addresses, the output's, the number of elements. */
export const kernelParams = (inputs: number): ValueType[] => new Array<ValueType>(inputs + 2).fill("i32");

/** Writes the function of a kernel into a module, exported under a name. */
export function emit(kernel: Kernel, module: Module, name: string): Func {
  const f = module.func(name, kernelParams(kernel.inputs.length));
  if (kernel.kind === "map") emitMap(kernel, module, f);
  else emitReduce(kernel, module, f);
  return f;
}

/** Moves the pointers of the operands that lie side by side by so many vectors. */
function advance(f: Func, kernel: Kernel, vectors: number): void {
  kernel.inputs.forEach(({ dtype, mode }, i) => {
    if (mode === "v") f.increment(f.param(i), vectors * lanesOf(kernel.lane) * BYTES[dtype]!);
  });
}

function emitMap(kernel: MapKernel, module: Module, f: Func): void {
  const { lane, out } = kernel;
  const lanes = lanesOf(lane);
  const pointer = f.param(kernel.inputs.length);
  const n = f.param(kernel.inputs.length + 1);
  const graph = new Graph(lane, kernel.inputs);
  const root = graph.stored(graph.lower(kernel.value), isMask(kernel.value), out);
  const body = new Body(module, f, kernel, root);
  const store = new Store(f, lane, out, pointer);
  const step = (vectors: number): void => {
    advance(f, kernel, vectors);
    f.increment(pointer, vectors * lanes * BYTES[out]!);
    f.increment(n, -vectors * lanes);
  };
  body.hoist();
  if (graph.instructions <= UNROLLED_INSTRUCTIONS) {
    const many = UNROLL * lanes;
    f.op(I32.geS, n, many);
    f.if(() => {
      f.loop(again => {
        for (let at = 0; at < UNROLL; at++) {
          body.value(at);
          store.pack();
          store.whole(at);
        }
        step(UNROLL);
        f.op(I32.geS, n, many).brIf(again);
      });
      f.op(I32.eqz, n);
      f.if(() => f.return());
    });
  }
  f.block(partial => {
    f.loop(again => {
      body.value();
      store.pack();
      f.op(I32.ltS, n, lanes).brIf(partial);
      store.whole();
      step(1);
      f.push(n).brIf(again);
    });
    f.return();
  });
  store.part(n);
}

function emitReduce(kernel: ReduceKernel, module: Module, f: Func): void {
  const { lane, out, combine } = kernel;
  const lanes = lanesOf(lane);
  const pointer = f.param(kernel.inputs.length);
  const n = f.param(kernel.inputs.length + 1);
  const graph = new Graph(lane, kernel.inputs);
  const root = graph.numeric(graph.lower(kernel.value), isMask(kernel.value));
  const body = new Body(module, f, kernel, root);
  const { ACCUMULATORS, integerIdentity } = REDUCTION;
  const fold = OPCODES[lane]![combine]!;
  const identity = f.local("v128");
  const value = f.local("v128");
  const count = f.local("i32");
  const [a, b, c, d] = f.locals("v128", 4);
  const accumulators = [a, b, c, d];
  const [low, high] = bitsOf((lane === INT32 ? integerIdentity : REDUCTION.identity)[combine], lane);
  f.wordsConst(low, high, low, high).set(identity);
  for (const accumulator of accumulators) f.set(accumulator, identity);
  body.hoist();

  if (graph.instructions <= UNROLLED_INSTRUCTIONS) {
    const many = ACCUMULATORS * lanes;
    f.op(I32.geS, n, many);
    f.if(() => {
      f.loop(again => {
        accumulators.forEach((accumulator, at) => {
          f.push(accumulator);
          body.value(at);
          f.op(fold).set(accumulator);
        });
        advance(f, kernel, ACCUMULATORS);
        f.increment(n, -many);
        f.op(I32.geS, n, many).brIf(again);
      });
    });
  }

  // One vector at a time: the accumulators take turns in the first place, and at the end turn until they are in order.
  const inOrder = ACCUMULATORS - 1;
  const rotate = (): void => {
    f.set(a, b).set(b, c).set(c, d).set(d, value).increment(count, 1);
  };
  f.op(I32.gtS, n, 0);
  f.if(() => {
    f.loop(again => {
      body.value();
      f.set(value);
      f.op(I32.ltS, n, lanes);
      f.if(() => {
        f.push(value, identity);
        if (lanes === 2) f.wordsConst(0, 0, 1, 1);
        else f.wordsConst(0, 1, 2, 3);
        f.op(I32x4.splat, n).op(I32x4.ltS).op(V128.bitselect).set(value);
      });
      f.op(fold, a, value).set(value);
      rotate();
      advance(f, kernel, 1);
      f.op(I32.sub, n, lanes).tee(n).op(I32.gtS, 0).brIf(again);
    });
    f.whileLoop(
      () => f.op(I32.and, count, inOrder),
      () => {
        f.set(value, a);
        rotate();
      },
    );
  });

  f.op(fold, a, b).op(fold, c, d).op(fold).set(a);
  for (let bytes = 8; bytes >= BYTES[lane]!; bytes /= 2) f.push(a, a, a).shuffle(turn(bytes)).op(fold).set(a);
  new Body(module, f, kernel, graph.stored(graph.held(a), false, out)).value();
  const store = new Store(f, lane, out, pointer);
  store.pack();
  store.first();
}
