/**
 * The module by which threads share the calls of a job: each of them claims one call after another until none is left.
 * Knows the words of a pool in shared memory, not who runs it, nor what is called.
 *
 * A job is a function called `COUNT` times, for i = 0, 1, …: argument k is ARGUMENTS[k] + i·STEPS[k], and in the last call
 * LAST[k] more; ARGUMENTS[0] moves on by OWN from thread to thread besides. The calls are divided into a segment for each
 * thread, which goes on with those of the others when its own is done: so the same part of an array mostly stays in the cache
 * of the same thread. The word of a segment holds the job's number above the number of calls that nobody has claimed; a claim
 * takes one off the latter, if the word is still what was read. A job's words are written while no call of the job before it
 * is left or running. So a thread that was asleep meanwhile cannot claim with what it knows of an older job, and one that has
 * claimed can rely on the job's words until it says that it is done.
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
  OWN: 408,
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
  /** For the main thread: starts the job that was written. */
  start(pool: number): void;
  /** For the main thread: takes part in the job until no call is left to claim. */
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
  const load = (f: Func, offset: number): Func => f.push(f.param(0)).memory(I32.load, offset);
  const loadNow = (f: Func, offset: number): Func => f.push(f.param(0)).memory(ATOMIC.load32, offset, 2);
  const add = (f: Func, offset: number, by: number): Func => f.push(f.param(0), by).memory(ATOMIC.add32, offset, 2).drop();
  const wake = (f: Func): void => {
    loadNow(f, POOL.SLEEPING);
    f.if(() => f.push(f.param(0), -1).memory(ATOMIC.notify, POOL.JOB, 2).drop());
  };
  /** Waits until DONE is what `expected` pushes. */
  const join = (f: Func, expected: () => Func): void => {
    f.loop(again => {
      loadNow(f, POOL.DONE);
      expected().op(I32.ne).brIf(again);
    });
  };

  const enter = module.func("enter", 1);
  add(enter, POOL.READY, 1);

  const rest = module.func("rest", 2, ["i32"]);
  {
    const left = rest.local("i32");
    rest.set(left, PATIENCE);
    rest.block(moved => {
      rest.loop(again => {
        loadNow(rest, POOL.JOB).op(I32.ne, rest.param(1)).brIf(moved);
        rest.op(I32.sub, left, 1).tee(left).brIf(again);
      });
      add(rest, POOL.SLEEPING, 1);
      // Returns at once if the number is another one already.
      rest.push(rest.param(0), rest.param(1), -1n).memory(ATOMIC.wait32, POOL.JOB, 2).drop();
      add(rest, POOL.SLEEPING, -1);
    });
    loadNow(rest, POOL.JOB);
  }

  const needs = module.func("needs", 1, ["i32"]);
  loadNow(needs, POOL.CLOSED);
  needs.if(
    () => needs.push(-1),
    () => loadNow(needs, POOL.FUNCTION),
    "i32",
  );

  const run = writeRun(module, load);
  /** Where segment s begins, and where that after it (`next`) does. */
  const begin = (f: Func, s: Local, next: 0 | 1): Func => {
    load(f, POOL.COUNT).op(I32.add, s, next).op(I32.mul);
    return load(f, POOL.THREADS).op(I32.divU);
  };
  /** The address of a segment. */
  const segment = (f: Func, s: Local): Func => f.push(f.param(0)).op(I32.mul, s, LINE).op(I32.add);

  // claim(pool, f, thread, busy): shares, with 1 in a word while a call is running.
  const claim = module.func("", 4);
  {
    const [pool, f, s, busy] = claim.params;
    const [at, left, thread] = claim.locals("i32", 3);
    const word = claim.local("i64");
    claim.set(thread, s);
    load(claim, POOL.THREADS).set(left);
    claim.block(leave => {
      claim.loop(next => {
        segment(claim, s).set(at);
        claim.block(empty => {
          claim.loop(again => {
            claim.push(at).memory(ATOMIC.load64, POOL.SEGMENTS, 3).tee(word).op(I32.wrapI64).op(I32.eqz).brIf(empty);
            load(claim, POOL.FUNCTION).op(I32.ne, f).brIf(leave);
            claim.push(at, word).op(I64.sub, word, 1n).memory(ATOMIC.compareExchange64, POOL.SEGMENTS, 3);
            claim.op(I64.ne, word).brIf(again);
            claim.push(busy, 1).memory(I32.store);
            claim.push(pool);
            begin(claim, s, 1).op(I32.wrapI64, word).op(I32.sub).push(thread).call(run);
            claim.push(busy, 0).memory(I32.store);
            add(claim, POOL.DONE, 1);
            claim.br(again);
          });
        });
        claim.push(0).op(I32.add, s, 1).tee(s).push(s);
        load(claim, POOL.THREADS).op(I32.eq).select().set(s);
        claim.op(I32.sub, left, 1).tee(left).brIf(next);
      });
    });
  }

  const share = module.func("share", 3);
  for (const x of share.params) share.push(x);
  share.op(I32.add, share.param(0), POOL.ELSEWHERE).call(claim);

  const fail = module.func("fail", 1);
  add(fail, POOL.FAILED, 1);
  add(fail, POOL.DONE, 1);

  const start = module.func("start", 1);
  {
    const [job, s] = start.locals("i32", 2);
    const pool = start.param(0);
    for (const word of [POOL.DONE, POOL.BUSY]) start.push(pool, 0).memory(I32.store, word);
    start.push(pool, 1).memory(I32.store, POOL.LED);
    loadNow(start, POOL.JOB).op(I32.add, 1).set(job);
    start.whileLoop(
      () => {
        start.push(s);
        load(start, POOL.THREADS).op(I32.ltU);
      },
      () => {
        segment(start, s).op(I64.extendI32U, job).op(I64.shl, 32n);
        begin(start, s, 1);
        begin(start, s, 0).op(I32.sub).op(I64.extendI32U).op(I64.or).memory(ATOMIC.store64, POOL.SEGMENTS, 3);
        start.increment(s, 1);
      },
    );
    start.push(pool, job).memory(ATOMIC.store32, POOL.JOB, 2);
    wake(start);
  }

  const lead = module.func("lead", 1);
  lead.push(lead.param(0));
  load(lead, POOL.FUNCTION).push(0).op(I32.add, lead.param(0), POOL.BUSY).call(claim);

  const wait = module.func("await", 1);
  join(wait, () => load(wait, POOL.COUNT));
  wait.push(wait.param(0), 0).memory(I32.store, POOL.LED);

  const recall = module.func("recall", 1);
  {
    const [left, s] = recall.locals("i32", 2);
    load(recall, POOL.LED);
    recall.if(() => {
      recall.whileLoop(
        () => {
          recall.push(s);
          load(recall, POOL.THREADS).op(I32.ltU);
        },
        () => {
          segment(recall, s).push(0).memory(ATOMIC.exchange32, POOL.SEGMENTS, 2).op(I32.add, left).set(left);
          recall.increment(s, 1);
        },
      );
      // What was claimed, but for the call that failed, if it was one.
      join(recall, () => {
        load(recall, POOL.COUNT).op(I32.sub, left);
        return load(recall, POOL.BUSY).op(I32.sub);
      });
      recall.push(recall.param(0), 0).memory(I32.store, POOL.LED);
    });
  }

  const close = module.func("close", 1);
  add(close, POOL.CLOSED, 1);
  add(close, POOL.JOB, 1);
  wake(close);
  return module.finish();
}

/** run(pool, i, thread): makes call i on a thread. */
function writeRun(module: Module, load: (f: Func, offset: number) => Func): Func {
  const f = module.func("", 3);
  const [, i, thread] = f.params;
  const last = f.local("i32");
  const form = f.local("i32");
  load(f, POOL.COUNT).op(I32.sub, 1).op(I32.eq, i).set(last);
  load(f, POOL.FORM).set(form);
  const rows = Array.from({ length: MAX_INPUTS }, (_, k) => writeRows(module, "", k + 1));
  const push = (count: number): void => {
    for (let k = 0; k < count; k++) {
      load(f, POOL.ARGUMENTS + 4 * k);
      load(f, POOL.STEPS + 4 * k)
        .op(I32.mul, i)
        .op(I32.add);
      load(f, POOL.LAST + 4 * k)
        .op(I32.mul, last)
        .op(I32.add);
      if (k === 0) load(f, POOL.OWN).op(I32.mul, thread).op(I32.add);
    }
  };
  const when = (which: number, call: () => void): void => {
    f.op(I32.eq, form, which);
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
