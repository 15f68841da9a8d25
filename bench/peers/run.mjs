/**
 * `node bench/peers/run.mjs FOLDER [--rounds 3] [--python python3] [--node PATH] [W1 W6 …]`: times nabla beside other
 * libraries, whose workloads and harness stand in a folder outside of this repository, and writes the tables into
 * docs/performance.md. Every cell is a process of its own, and in each round all libraries have their turn at one workload
 * before the next, so that what the machine does meanwhile meets all of them. It computes nothing itself.
 */
// @ts-check
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { summary } from "../timing.mjs";
import { MARKS, ROWS, tables } from "./tables.mjs";

/** @typedef {import("./tables.mjs").Cell} Cell */
/**
 * @typedef {object} Library
 * @property {string} name As the tables call it.
 * @property {string} adapter
 * @property {string} variant
 * @property {string} [cold] The first program, for W9.
 * @property {boolean} [python]
 * @property {readonly string[]} [slow] Rows of seconds a step, which are left out.
 */

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const OURS = fileURLToPath(new URL("adapter.mjs", import.meta.url));
const PAGE = join(ROOT, "docs/performance.md");
const KEPT = join(ROOT, "out/peers.json");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "3" },
    python: { type: "string", default: "python3" },
    node: { type: "string", multiple: true },
  },
});
const [given, ...wanted] = positionals;
const unknown = wanted.filter(row => !(row in ROWS));
if (given === undefined || !existsSync(join(given, "bench.mjs")) || unknown.length > 0) {
  console.error(
    unknown.length > 0
      ? `no row ${unknown.join(", ")}; there are ${Object.keys(ROWS).join(", ")}`
      : "node bench/peers/run.mjs FOLDER [--rounds 3] [--python python3] [--node PATH] [W1 …]: FOLDER holds the peers' bench.mjs",
  );
  process.exit(1);
}
const folder = resolve(given);
const rounds = Number(values.rounds);
const chosen = Object.keys(ROWS).filter(row => wanted.length === 0 || wanted.includes(row));
const carried = join(folder, "node_modules/node24/bin/node");
const nodes = values.node ?? [process.execPath, ...(existsSync(carried) ? [carried] : [])];

/** @type {readonly Library[]} */
const LIBRARIES = [
  {
    name: "nabla",
    adapter: relative(join(folder, "adapters"), OURS).replace(/\.mjs$/, ""),
    variant: "",
    cold: join(ROOT, "bench/cold/first-program.mjs"),
  },
  { name: "nabla, 2 threads", adapter: relative(join(folder, "adapters"), OURS).replace(/\.mjs$/, ""), variant: "2t" },
  { name: "jax-js eager", adapter: "jax", variant: "eager", cold: "cold/jax.mjs" },
  { name: "jax-js jit", adapter: "jax", variant: "jit" },
  { name: "tfjs wasm", adapter: "tfjs", variant: "wasm", cold: "cold/tfjs-wasm.mjs", slow: ["W5g512", "W5g1024"] },
  {
    name: "tfjs cpu",
    adapter: "tfjs",
    variant: "cpu",
    cold: "cold/tfjs-cpu.mjs",
    slow: ["W5f1024", "W5g512", "W5g1024", "W7", "W11", "W13"],
  },
  { name: "torch, 1 thread", adapter: "torch", variant: "1t", cold: "cold/w1_torch.py", python: true },
  { name: "torch, 2 threads", adapter: "torch", variant: "2t", python: true },
];

/** A process of the folder: its output, and the time it took. @param {string} program @param {readonly string[]} args @param {string} [variant] */
function execute(program, args, variant = "") {
  const threads = variant === "1t" ? { OPENBLAS_NUM_THREADS: "1", OMP_NUM_THREADS: "1" } : {};
  const begun = performance.now();
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd: folder,
    encoding: "utf8",
    timeout: 180_000,
    env: { ...process.env, ...threads, PEERS: `${pathToFileURL(folder).href}/` },
  });
  const milliseconds = performance.now() - begun;
  const line = (stdout ?? "")
    .split("\n")
    .filter(text => text.startsWith("{"))
    .pop();
  return {
    milliseconds,
    answer: line === undefined ? null : JSON.parse(line),
    failed: status !== 0 && (error?.message ?? stderr.trim().slice(-200)),
  };
}

/** @param {Library} library @param {string} node */
const programOf = (library, node) => (library.python === true ? values.python : node);

/** One cell once: times in microseconds, or why there are none. @param {Library} library @param {string} node @param {string} row @returns {Cell | null} */
function measure(library, node, row) {
  const { adapter, variant, python } = library;
  const program = programOf(library, node);
  if (row === "W9") {
    if (library.cold === undefined) return null;
    const starts = [];
    for (let i = 0; i < 6; i++) {
      const { milliseconds, failed } = execute(program, [library.cold]);
      if (failed !== false) return { error: failed };
      // The first start reads files that are not in memory yet.
      if (i > 0) starts.push(milliseconds * 1000);
    }
    return summary(starts);
  }
  if (row.startsWith("W10")) {
    const [workload, steps] = row === "W10a" ? ["W1", "100000"] : ["W6", "2000"];
    const { answer, failed } = execute(program, [python === true ? "mem.py" : "mem.mjs", adapter, workload, variant, steps, "60"]);
    return answer === null || answer.error !== undefined ? { error: answer?.error ?? String(failed) } : answer;
  }
  const { answer, failed } = execute(program, [python === true ? "bench.py" : "bench.mjs", adapter, row, variant], variant);
  if (answer === null) return { error: String(failed) };
  if (answer.skip === true) return null;
  return answer.error === undefined ? { median: answer.median_us, min: answer.min_us } : { error: answer.error };
}

/** Of several rounds the lowest median and the fastest sample. @param {readonly Cell[]} cells @returns {Cell} */
function together(cells) {
  const timed = cells.filter(cell => cell.median !== undefined);
  if (timed.length === 0) return cells[0] ?? {};
  const lowest = (/** @type {"min" | "median"} */ key) => Math.min(...timed.map(cell => Number(cell[key])));
  return { median: lowest("median"), min: lowest("min") };
}

/** @type {Record<string, Record<string, Record<string, Cell>>>} By Node's version, row and library. */
const found = existsSync(KEPT) ? JSON.parse(readFileSync(KEPT, "utf8")) : {};
const versions = nodes.map(node => spawnSync(node, ["--version"], { encoding: "utf8" }).stdout.trim());

/** Writes down what is known so far. */
function write() {
  mkdirSync(join(ROOT, "out"), { recursive: true });
  writeFileSync(KEPT, JSON.stringify(found));
  const page = readFileSync(PAGE, "utf8");
  const [before, after] = MARKS.map(mark => page.indexOf(mark));
  if (before === undefined || after === undefined || before < 0 || after < before) throw new Error(`${PAGE}: no ${MARKS.join(" … ")}`);
  const text = tables(
    found,
    LIBRARIES.map(library => library.name),
  );
  writeFileSync(PAGE, `${page.slice(0, before + MARKS[0].length)}\n\n${text}${page.slice(after)}`);
}

for (const row of chosen) {
  /** @type {Map<string, Cell[]>} */
  const cells = new Map();
  for (let round = 0; round < (row.startsWith("W10") ? 1 : rounds); round++)
    for (const library of LIBRARIES) {
      if (library.slow?.includes(row)) continue;
      nodes.forEach((node, i) => {
        // Python is the same beside each Node.
        if (library.python === true && i > 0) return;
        const cell = measure(library, node, row);
        if (cell === null) return;
        const key = `${library.name}@${i}`;
        cells.set(key, [...(cells.get(key) ?? []), cell]);
      });
    }
  versions.forEach((version, i) => {
    const line = LIBRARIES.flatMap(library => {
      const list = cells.get(`${library.name}@${library.python === true ? 0 : i}`);
      return list === undefined ? [] : [/** @type {const} */ ([library.name, together(list)])];
    });
    (found[version] ??= {})[row] = Object.fromEntries(line);
    console.log(
      version,
      row,
      line.map(([name, { min, error }]) => `${name} ${min === undefined ? (error ?? "done") : `${min.toPrecision(3)} µs`}`).join(" · "),
    );
  });
  write();
}
console.log(`written to ${relative(process.cwd(), PAGE)}`);
