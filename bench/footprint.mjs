/** What the package costs whoever takes it in: the start of a process, the bytes of a bundle, the time of a type check. */
// @ts-check
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { duration, ratio, round } from "./report.mjs";
import { summary } from "./timing.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FIRST = fileURLToPath(new URL("cold/first-program.mjs", import.meta.url));
const NOTHING = fileURLToPath(new URL("cold/nothing.mjs", import.meta.url));

/** @param {readonly string[]} args */
function execute(args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${args.join(" ")}\n${stdout}${stderr}`);
  return stderr;
}

/** From the start of a process to its end, in nanoseconds. @param {readonly string[]} args */
function clockTime(args) {
  const begun = performance.now();
  execute(args);
  return (performance.now() - begun) * 1e6;
}

const TELL_USAGE = 'process.on("exit", () => { const { user, system } = process.cpuUsage(); console.error(user + system); })';

/** The same in processor time, which other processes change less. @param {readonly string[]} args */
function processorTime(args) {
  return Number(execute(["--import", `data:text/javascript,${encodeURIComponent(TELL_USAGE)}`, ...args]).trim()) * 1000;
}

/**
 * Starts two processes in turns.
 * @param {readonly [readonly string[], readonly string[]]} programs
 * @param {(args: readonly string[]) => number} start
 * @param {number} times
 */
function startInTurns(programs, start, times) {
  // The first start of each reads files that are not in memory yet.
  for (const args of programs) start(args);
  const samples = programs.map(() => /** @type {number[]} */ ([]));
  for (let i = 0; i < times; i++) programs.forEach((args, k) => samples[k]?.push(start(args)));
  return /** @type {[import("./timing.mjs").Time, import("./timing.mjs").Time]} */ (samples.map(summary));
}

/** The first program as one file, as vite makes it for a browser. @param {import("vite").Plugin[]} plugins */
async function bundle(...plugins) {
  const { build } = await import("vite");
  const result = await build({
    configFile: false,
    root: ROOT,
    logLevel: "silent",
    plugins,
    build: { write: false, target: "es2022", rollupOptions: { input: FIRST } },
  });
  return /** @type {{ output: [{ code: string }] }} */ (/** @type {unknown} */ (result)).output[0].code;
}

/** @param {string} prefix @param {(folder: string) => T} fn @template T */
function withFolder(prefix, fn) {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  try {
    return fn(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @type {import("./report.mjs").Row} */
export const cold = {
  title: "from the start of a process to the first gradient",
  how: "whole processes in turns: the first program, printing its gradient, against one that only prints",
  async run() {
    const [ours, bare] = startInTurns([[FIRST], [NOTHING]], clockTime, 15);
    const text = await bundle();
    const [bundled, again] = withFolder("nabla-cold-", folder => {
      const file = join(folder, "bundled.mjs");
      writeFileSync(file, text);
      return startInTurns([[file], [NOTHING]], clockTime, 15);
    });
    return [
      { what: "as installed", ours: duration(ours), other: `bare Node ${duration(bare)}`, ...ratio(ours, bare, 1.5) },
      { what: "as one bundled file", ours: duration(bundled), other: `bare Node ${duration(again)}`, ...ratio(bundled, again) },
    ];
  },
};

/** @type {import("./report.mjs").Row} */
export const size = {
  title: "the first program, bundled",
  how: "vite for a browser, minified, then gzip; with the plugin nabla/vite, as README.md says, and without",
  async run() {
    const { nabla } = await import("nabla/vite");
    /** @param {string} what @param {string} text @param {number} [bar] */
    const line = (what, text, bar) => {
      const kilobytes = gzipSync(text).length / 1000;
      const before = `${round(text.length / 1000)} kB before gzip`;
      return { what, ours: `${round(kilobytes)} kB`, other: before, value: kilobytes, unit: "kB", ...(bar === undefined ? {} : { bar }) };
    };
    return [line("with the plugin", await bundle(nabla()), 60), line("with every method", await bundle())];
  },
};

const IMPORTS_ALL = `
import * as all from "nabla";
import { autograd, np, npx, type NDArray } from "nabla";
const x: NDArray = np.arange(4).attachGrad();
const y = autograd.record(() => np.dot(x, x).mul(2));
y.backward();
const g: NDArray | null = x.grad;
const z = npx.relu(np.tanh(x.add(1))).sum(0);
export { all, g, z };
`;

/** @type {import("./report.mjs").Row} */
export const types = {
  title: "a program that imports everything, checked",
  how: "processor time of tsc as a process, strict, nothing of nabla's skipped; an empty program beside it",
  run() {
    const { ours, empty } = withFolder("nabla-types-", folder => {
      mkdirSync(join(folder, "node_modules"));
      symlinkSync(ROOT, join(folder, "node_modules/nabla"), "junction");
      writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
      /** @param {string} name @param {string} text */
      const project = (name, text) => {
        writeFileSync(join(folder, `${name}.ts`), text);
        const compilerOptions = {
          strict: true,
          noEmit: true,
          skipDefaultLibCheck: true,
          module: "nodenext",
          target: "es2022",
          lib: ["es2022", "dom"],
          types: [],
        };
        const config = join(folder, `${name}.json`);
        writeFileSync(config, JSON.stringify({ compilerOptions, files: [`${name}.ts`] }));
        return [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", config];
      };
      const programs = /** @type {const} */ ([project("program", IMPORTS_ALL), project("empty", "export {};")]);
      const [ours, empty] = startInTurns(programs, processorTime, 3);
      return { ours, empty };
    });
    const bar = 3;
    return [{ ours: duration(ours), other: `empty program ${duration(empty)}`, value: ours.min / 1e9, bar, unit: "s" }];
  },
};
