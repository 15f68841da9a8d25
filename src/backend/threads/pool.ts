/**
 * The threads that calls of long jobs are shared with: when workers are started, and how a job is handed to them. A pool
 * that is not running yet is not used, and nothing waits for it: the caller takes part in every job, and needs no worker.
 * Knows functions by their numbers, not what they compute.
 */
import type { Routine, Source } from "../wasm/compiler.ts";
import { compiler } from "../wasm/drivers.ts";
import { evictAhead, I32, isShared, memory, reserve, U8 } from "../wasm/heap.ts";
import { assembleRunner, byRows, bytesOf, directly, POOL, type Runner } from "./runner.ts";
import { type Start, serve } from "./serve.ts";
import { setSharing } from "./sharing.ts";

/** The least work that is shared, in µs. */
const LEAST = 20;
/** How much of it has to come together, in µs, before threads that went to sleep are woken: that takes the caller up to 30 µs. */
const WORTH_WAKING = 300;

/**
 * A job is late if the caller waits longer for the others than it worked itself, by more than so many ms: somebody else
 * has the processor that one of them was at work on. Then the caller works alone for a while, so many times as long as the
 * job was late; where that happens again soon, for twice as long each time, up to so many ms.
 */
const LATE = 0.05;
const PENALTY = 4;
const LONGEST = 128;
/** How many times as long as the last while is soon. */
const SOON = 3;

/** How many threads are wanted, the caller's among them. */
let wanted = 1;
/** The work that could have been shared, in µs, while workers slept. */
let missed = 0;
/** When a job was late last, by how much, and how long the caller works alone since; all in ms. */
let late = 0;
let lateness = 0;
let pause = 0;
/** The address of the pool, or 0 while there is none. */
let pool = 0;
let runner: { readonly bytes: Uint8Array<ArrayBuffer>; readonly functions: Runner } | null = null;
let warned = false;

type Builtin = (name: string) => unknown;
/** Asked for like this, no bundler looks for them; and where there is no Node, there are none. */
const builtin = (): Builtin | undefined => (globalThis as { process?: { getBuiltinModule?: Builtin } }).process?.getBuiltinModule;

/** Says how many threads compute; gives how many there can be. */
export function setThreads(n: number): number {
  if (!isShared) return 1;
  if (n !== wanted) {
    if (pool !== 0) runner!.functions.close(pool);
    pool = 0;
    wanted = n;
    setSharing(n > 1 ? { threads: n, isWorthwhile, run, rows, parts } : null);
  }
  return n;
}

function isWorthwhile(work: number): boolean {
  if (work < LEAST) return false;
  if (pool === 0) open();
  if (I32[(pool + POOL.READY) >> 2] === 0) return false;
  // What takes longer than that is not worse off if it is late again.
  if (work < 1000 * lateness && performance.now() < late + pause) return false;
  if (I32[(pool + POOL.SLEEPING) >> 2] === 0) return true;
  missed += work;
  if (missed < WORTH_WAKING) return false;
  missed = 0;
  return true;
}

function open(): void {
  if (runner === null) {
    const bytes = assembleRunner().slice();
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { m: { m: memory, t: compiler.table } });
    runner = { bytes, functions: instance.exports as unknown as Runner };
  }
  pool = reserve(bytesOf(wanted));
  U8.fill(0, pool, pool + bytesOf(wanted));
  I32[(pool + POOL.THREADS) >> 2] = wanted;
  // What an earlier pool's workers could find, later ones can.
  I32[(pool + POOL.SOURCES) >> 2] = newest;
  const start = { memory, runner: runner.bytes, pool, sources: pool + POOL.SOURCES };
  try {
    for (let thread = 1; thread < wanted; thread++) startWorker({ ...start, thread });
  } catch (error) {
    goOn(error);
  }
}

function startWorker(start: Start): void {
  const threads = builtin()?.("node:worker_threads") as typeof import("node:worker_threads") | undefined;
  if (threads === undefined) {
    // In these words, for bundlers know them.
    const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    worker.onerror = event => {
      event.preventDefault();
      goOn(event.message);
    };
    worker.postMessage(start);
  } else {
    const text = `(${serve})(process.getBuiltinModule("node:worker_threads").workerData)`;
    const worker = new threads.Worker(text, { eval: true, workerData: start, execArgv: [] });
    worker.on("error", goOn);
    worker.unref();
  }
}

/** Without workers everything is computed all the same. */
function goOn(error: unknown): void {
  if (!warned) console.warn(`nabla: a worker could not be started, so fewer threads compute: ${error}`);
  warned = true;
}

// ---- what workers must compile

/** The address of the source that was published last. */
let newest = 0;
/** The functions whose sources were published, by number. */
const known: boolean[] = [];
const numbers = new Map<Routine, number>();

function sourceOf(has: (source: Source) => boolean): Source {
  const source = compiler.sources.find(has);
  if (source === undefined) throw new RangeError("a function that no module has");
  return source;
}

/** The number of a routine, which enters the table when it is first shared. */
function numberOf(routine: Routine): number {
  let number = numbers.get(routine);
  if (number === undefined) {
    const source = sourceOf(s => s.functions.includes(routine));
    source.first ||= compiler.enter(source.functions);
    source.functions.forEach((f, i) => void numbers.set(f, source.first + i));
    number = numbers.get(routine)!;
  }
  return number;
}

function publish(f: number): void {
  const { bytes, functions, first } = sourceOf(s => s.first > 0 && f >= s.first && f < s.first + s.functions.length);
  const at = reserve(16 + bytes.length);
  U8.set(bytes, at + 16);
  I32.set([newest, first, functions.length, bytes.length], at >> 2);
  newest = at;
  I32[(pool + POOL.SOURCES) >> 2] = at;
  functions.forEach((_, i) => {
    known[first + i] = true;
  });
}

// ---- jobs

/** Calls of a kernel or driver are shared in runs of about this many elements: what a thread has in its cache. */
const RUN = 16384;

type Numbers = readonly number[];

/** How many bytes the caller makes room for beforehand, for every ms that the function's last job took. */
const AHEAD = 2 ** 21;
/** How long the last job of each function took, in ms. */
const spans: number[] = [];

/**
 * Shares `count` calls: for i = 0, 1, … with args[k] + i·steps[k], and the last time with last[k] more; args[0] moves on by
 * `own` from thread to thread.
 */
function lead(f: number, form: number, count: number, args: Numbers, steps: Numbers, last: Numbers, own: number): void {
  if (known[f] !== true) publish(f);
  const at = pool >> 2;
  I32[at + (POOL.COUNT >> 2)] = count;
  I32[at + (POOL.FUNCTION >> 2)] = f;
  I32[at + (POOL.FORM >> 2)] = form;
  I32[at + (POOL.OWN >> 2)] = own;
  for (let k = 0; k < args.length; k++) {
    I32[at + (POOL.ARGUMENTS >> 2) + k] = args[k]!;
    I32[at + (POOL.STEPS >> 2) + k] = steps[k] ?? 0;
    I32[at + (POOL.LAST >> 2) + k] = last[k]!;
  }
  const here = pool;
  try {
    const begun = performance.now();
    runner!.functions.start(here);
    // Copying takes 0.2 ms for a megabyte: no longer than the others are at work.
    evictAhead((spans[f] ?? 0) * AHEAD);
    runner!.functions.lead(here);
    const worked = performance.now();
    runner!.functions.await(here);
    const now = performance.now();
    spans[f] = now - begun;
    note(now, worked - begun, worked);
  } catch (error) {
    // A stack that is too deep, for one; the others must not work on for a caller that is gone.
    pool = 0;
    runner!.functions.recall(here);
    pool = here;
    throw error;
  }
  const failed = (here + POOL.FAILED) >> 2;
  if (I32[failed]! > 0) {
    I32[failed] = 0;
    throw new Error("nabla: a call failed in a worker");
  }
}

/** Notes whether the job that ended now was late. */
function note(now: number, work: number, waitedSince: number): void {
  const by = now - waitedSince - work;
  if (by <= LATE) return;
  lateness = by;
  const again = now - late < SOON * pause ? 2 * pause : 0;
  pause = Math.min(LONGEST, Math.max(again, PENALTY * lateness));
  late = now;
}

function calls(f: number, form: number, args: Numbers, steps: Numbers, counter: number, part: number, own = 0): void {
  const size = args[counter]!;
  const count = Math.ceil(size / part);
  const first = args.slice();
  const last = args.map(() => 0);
  first[counter] = part;
  last[counter] = size - part * count;
  lead(f, form, count, first, steps, last, own);
}

function parts(f: number | Routine, args: Numbers, steps: Numbers, counter: number, part: number, own = 0): void {
  if (typeof f === "number") calls(f, directly(args.length), args, steps, counter, part, own);
  else if (args[counter]! <= part) f(...args);
  else calls(numberOf(f), directly(args.length), args, steps, counter, part, own);
}

function run(kernel: number, addresses: Numbers, n: number, steps: Numbers): void {
  parts(
    kernel,
    [...addresses, n],
    steps.map(s => s * RUN),
    addresses.length,
    RUN,
  );
}

function rows(kernel: number, addresses: Numbers, n: number, outer: number, steps: Numbers): void {
  const k = addresses.length;
  const part = Math.ceil(RUN / n);
  calls(
    kernel,
    byRows(k - 1),
    [...addresses, n, outer, ...steps],
    steps.map(s => s * part),
    k + 1,
    part,
  );
}
