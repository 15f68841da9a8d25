/**
 * The module by which threads share the calls of a job: each of them claims one call after another until none is left.
 * Knows the words of a pool in shared memory, not who runs it, nor what is called.
 *
 * A job is a function called `COUNT` times, for i = 0, 1, …: argument k is ARGUMENTS[k] + i·STEPS[k], and in the last call
 * LAST[k] more. The calls are divided into a segment for each thread, which goes on with those of the others when its own
 * is done: so the same part of an array mostly stays in the cache of the same thread. The word of a segment holds the
 * job's number above the number of calls that nobody has claimed; a claim takes one off the latter, if the word is still
 * what was read. A job's words are written while no call of the job before it is left or running. So a thread that was
 * asleep meanwhile cannot claim with what it knows of an older job, and one that has claimed can rely on the job's words
 * until it says that it is done.
 */
import { ATOMIC, type Func, I32, I64, type Local, Module } from "../wasm/assembler.ts";
import { MAX_INPUTS, writeRows } from "../wasm/compiler.ts";

/** Where a pool's words are, in bytes from its address. What one thread waits for and others write has a cache line of its own. */
export const POOL = {
  /** The number of the job. */
  JOB: 0,
  DONE: 128,
  SLEEPING: 256,
  READY: 320,
  CLOSED: 324,
  FAILED: 328,
  SOURCES: 332,
  COUNT: 384,
  FUNCTION: 388,
  FORM: 392,
  /** How many threads there are. */
  THREADS: 396,
  /** 1 while a job of the main thread's is under way. */
  LED: 400,
  /** 1 while a call of the main thread's runs; and where the others write that they do, which nobody reads. */
  BUSY: 404,
  ELSEWHERE: 336,
  ARGUMENTS: 448,
  STEPS: 512,
  LAST: 576,
  SEGMENTS: 640,
} as const;

/** The bytes of a pool, with a cache line for each segment. */
const LINE = 64;
export const bytesOf = (threads: number): number => POOL.SEGMENTS + LINE * threads;

/** The most arguments a call can have. */
export const MAX_ARGUMENTS = 16;
/** A kernel has three at least. */
const MIN_ARGUMENTS = 3;

/** How a job's function is called: with so many arguments, or row by row by the driver for so many inputs. */
export const directly = (argumentCount: number): number => MAX_INPUTS + argumentCount;
export const byRows = (inputs: number): number => inputs;

/** How often a thread looks for the next job before it goes to sleep: about 200 µs. */
const PATIENCE = 700_000;

export interface Runner {
  /** For a worker: counts itself as ready. */
  enter(pool: number): void;
  /** For a worker: the number of the job, when it is another one than that (or now and then without reason). */
  rest(pool: number, job: number): number;
  /** The function that the job calls, or -1 when the pool is closed. */
  needs(pool: number): number;
  /** Claims and runs calls until none is left, or the job calls another function; first those of the thread's own segment. */
  share(pool: number, f: number, thread: number): void;
  /** For a worker whose call ended in an exception. */
  fail(pool: number): void;
  /** For the main thread: starts the job that was written, and takes part in it until no call is left to claim. */
  lead(pool: number): void;
  /** For the main thread afterwards: returns when all of the job is done. */
  await(pool: number): void;
  /** For the main thread whose own call ended in an exception: nobody claims any more, and all others are done. */
  recall(pool: number): void;
  /** For the main thread: no worker waits any longer. */
  close(pool: number): void;
}

export function assembleRunner(): Uint8Array<ArrayBuffer> {
  const module = new Module(true);
  module.useTable();
  const load = (f: Func, offset: number): Func => f.get(f.param(0)).memory(I32.load, offset);
  const loadNow = (f: Func, offset: number): Func => f.get(f.param(0)).memory(ATOMIC.load32, offset, 2);
  const add = (f: Func, offset: number, by: number): Func => f.get(f.param(0)).i32Const(by).memory(ATOMIC.add32, offset, 2).drop();
  const wake = (f: Func): void => {
    loadNow(f, POOL.SLEEPING);
    f.if(() => f.get(f.param(0)).i32Const(-1).memory(ATOMIC.notify, POOL.JOB, 2).drop());
  };
  /** Waits until DONE is what `expected` pushes. */
  const join = (f: Func, expected: () => Func): void => {
    f.loop(again => {
      loadNow(f, POOL.DONE);
      expected().op(I32.ne).brIf(again);
    });
  };

  const enter = module.func("enter", ["i32"], []);
  add(enter, POOL.READY, 1);

  const rest = module.func("rest", ["i32", "i32"], ["i32"]);
  {
    const left = rest.local("i32");
    rest.i32Const(PATIENCE).set(left);
    rest.block(moved => {
      rest.loop(again => {
        loadNow(rest, POOL.JOB).get(rest.param(1)).op(I32.ne).brIf(moved);
        rest.get(left).i32Const(1).op(I32.sub).tee(left).brIf(again);
      });
      add(rest, POOL.SLEEPING, 1);
      // Returns at once if the number is another one already.
      rest.get(rest.param(0)).get(rest.param(1)).i64Const(-1n).memory(ATOMIC.wait32, POOL.JOB, 2).drop();
      add(rest, POOL.SLEEPING, -1);
    });
    loadNow(rest, POOL.JOB);
  }

  const needs = module.func("needs", ["i32"], ["i32"]);
  loadNow(needs, POOL.CLOSED);
  needs.if(
    () => needs.i32Const(-1),
    () => loadNow(needs, POOL.FUNCTION),
    "i32",
  );

  const run = writeRun(module, load);
  /** Where segment s begins, and where that after it (`next`) does. */
  const begin = (f: Func, s: Local, next: 0 | 1): Func => {
    load(f, POOL.COUNT).get(s).i32Const(next).op(I32.add).op(I32.mul);
    return load(f, POOL.THREADS).op(I32.divU);
  };
  /** The address of a segment. */
  const segment = (f: Func, s: Local): Func => f.get(f.param(0)).get(s).i32Const(LINE).op(I32.mul).op(I32.add);

  // claim(pool, f, thread, busy): shares, with 1 in a word while a call is running.
  const claim = module.func("", ["i32", "i32", "i32", "i32"], []);
  {
    const [pool, f, s, busy] = claim.params as [Local, Local, Local, Local];
    const [at, left] = [claim.local("i32"), claim.local("i32")];
    const word = claim.local("i64");
    load(claim, POOL.THREADS).set(left);
    claim.block(leave => {
      claim.loop(next => {
        segment(claim, s).set(at);
        claim.block(empty => {
          claim.loop(again => {
            claim.get(at).memory(ATOMIC.load64, POOL.SEGMENTS, 3).tee(word).op(I32.wrapI64).op(I32.eqz).brIf(empty);
            load(claim, POOL.FUNCTION).get(f).op(I32.ne).brIf(leave);
            claim.get(at).get(word).get(word).i64Const(1n).op(I64.sub).memory(ATOMIC.compareExchange64, POOL.SEGMENTS, 3);
            claim.get(word).op(I64.ne).brIf(again);
            claim.get(busy).i32Const(1).memory(I32.store);
            claim.get(pool);
            begin(claim, s, 1).get(word).op(I32.wrapI64).op(I32.sub).call(run);
            claim.get(busy).i32Const(0).memory(I32.store);
            add(claim, POOL.DONE, 1);
            claim.br(again);
          });
        });
        claim.i32Const(0).get(s).i32Const(1).op(I32.add).tee(s).get(s);
        load(claim, POOL.THREADS).op(I32.eq).select().set(s);
        claim.get(left).i32Const(1).op(I32.sub).tee(left).brIf(next);
      });
    });
  }

  const share = module.func("share", ["i32", "i32", "i32"], []);
  for (const x of share.params) share.get(x);
  share.get(share.param(0)).i32Const(POOL.ELSEWHERE).op(I32.add).call(claim);

  const fail = module.func("fail", ["i32"], []);
  add(fail, POOL.FAILED, 1);
  add(fail, POOL.DONE, 1);

  const lead = module.func("lead", ["i32"], []);
  {
    const [job, s] = [lead.local("i32"), lead.local("i32")];
    const pool = lead.param(0);
    for (const word of [POOL.DONE, POOL.BUSY]) lead.get(pool).i32Const(0).memory(I32.store, word);
    lead.get(pool).i32Const(1).memory(I32.store, POOL.LED);
    loadNow(lead, POOL.JOB).i32Const(1).op(I32.add).set(job);
    lead.whileLoop(
      () => {
        lead.get(s);
        load(lead, POOL.THREADS).op(I32.ltU);
      },
      () => {
        segment(lead, s).get(job).op(I64.extendI32U).i64Const(32n).op(I64.shl);
        begin(lead, s, 1);
        begin(lead, s, 0).op(I32.sub).op(I64.extendI32U).op(I64.or).memory(ATOMIC.store64, POOL.SEGMENTS, 3);
        lead.increment(s, 1);
      },
    );
    lead.get(pool).get(job).memory(ATOMIC.store32, POOL.JOB, 2);
    wake(lead);
    lead.get(pool);
    load(lead, POOL.FUNCTION).i32Const(0).get(pool).i32Const(POOL.BUSY).op(I32.add).call(claim);
  }

  const wait = module.func("await", ["i32"], []);
  join(wait, () => load(wait, POOL.COUNT));
  wait.get(wait.param(0)).i32Const(0).memory(I32.store, POOL.LED);

  const recall = module.func("recall", ["i32"], []);
  {
    const [left, s] = [recall.local("i32"), recall.local("i32")];
    load(recall, POOL.LED);
    recall.if(() => {
      recall.whileLoop(
        () => {
          recall.get(s);
          load(recall, POOL.THREADS).op(I32.ltU);
        },
        () => {
          segment(recall, s).i32Const(0).memory(ATOMIC.exchange32, POOL.SEGMENTS, 2).get(left).op(I32.add).set(left);
          recall.increment(s, 1);
        },
      );
      // What was claimed, but for the call that failed, if it was one.
      join(recall, () => {
        load(recall, POOL.COUNT).get(left).op(I32.sub);
        return load(recall, POOL.BUSY).op(I32.sub);
      });
      recall.get(recall.param(0)).i32Const(0).memory(I32.store, POOL.LED);
    });
  }

  const close = module.func("close", ["i32"], []);
  add(close, POOL.CLOSED, 1);
  add(close, POOL.JOB, 1);
  wake(close);
  return module.finish();
}

/** run(pool, i): makes call i. */
function writeRun(module: Module, load: (f: Func, offset: number) => Func): Func {
  const f = module.func("", ["i32", "i32"], []);
  const i = f.param(1);
  const last = f.local("i32");
  const form = f.local("i32");
  load(f, POOL.COUNT).i32Const(1).op(I32.sub).get(i).op(I32.eq).set(last);
  load(f, POOL.FORM).set(form);
  const rows = Array.from({ length: MAX_INPUTS }, (_, k) => writeRows(module, "", k + 1));
  const push = (count: number): void => {
    for (let k = 0; k < count; k++) {
      load(f, POOL.ARGUMENTS + 4 * k);
      load(f, POOL.STEPS + 4 * k)
        .get(i)
        .op(I32.mul)
        .op(I32.add);
      load(f, POOL.LAST + 4 * k)
        .get(last)
        .op(I32.mul)
        .op(I32.add);
    }
  };
  const when = (which: number, call: () => void): void => {
    f.get(form).i32Const(which).op(I32.eq);
    f.if(call);
  };
  for (let n = MIN_ARGUMENTS; n <= MAX_ARGUMENTS; n++)
    when(directly(n), () => {
      push(n);
      load(f, POOL.FUNCTION).callIndirect(module.type(new Array(n).fill("i32"), []));
    });
  for (let k = 1; k <= MAX_INPUTS; k++)
    when(byRows(k), () => {
      load(f, POOL.FUNCTION);
      push(2 * k + 4);
      f.call(rows[k - 1]!);
    });
  return f;
}
