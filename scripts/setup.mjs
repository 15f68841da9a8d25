/**
 * Makes a checkout ready: installs what the lock file asks for and builds `dist`, each only where something changed.
 * Needs Node and npm alone, and does not know what will be run afterwards.
 */
// @ts-check
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
/** @param {string} path */
const at = path => join(root, path);

/** @param {string} what @param {string} command @param {string[]} args */
function run(what, command, args) {
  const started = Date.now();
  process.stderr.write(`${what} … `);
  const result = spawnSync(command, args, { cwd: root, encoding: "utf8", shell: process.platform === "win32" });
  if (result.status !== 0) {
    process.stderr.write(`failed\n${result.stdout ?? ""}${result.stderr ?? ""}${result.error ?? ""}\n`);
    process.exit(1);
  }
  process.stderr.write(`${((Date.now() - started) / 1000).toFixed(1)} s\n`);
}

/** @param {string} path */
const packagesOf = path => JSON.parse(readFileSync(at(path), "utf8")).packages;

/** Whether every package of the lock file is there in its version; those for other platforms may be missing. */
function isInstalled() {
  if (!existsSync(at("node_modules/.package-lock.json"))) return false;
  const installed = packagesOf("node_modules/.package-lock.json");
  return Object.entries(packagesOf("package-lock.json")).every(
    ([path, wanted]) => path === "" || wanted.optional || installed[path]?.version === wanted.version,
  );
}

/** The time of the last change below a path, folders included, so that a deleted file counts too. @param {string} path @returns {number} */
function lastChange(path) {
  const status = statSync(path);
  if (!status.isDirectory()) return status.mtimeMs;
  return Math.max(status.mtimeMs, ...readdirSync(path).map(name => lastChange(join(path, name))));
}

const STAMP = "dist/.built";

function isBuilt() {
  if (!existsSync(at(STAMP))) return false;
  const built = statSync(at(STAMP)).mtimeMs;
  return ["src", "bundling", "scripts/bundle.mjs", "tsconfig.json", "tsconfig.build.json", "package-lock.json"].every(
    path => lastChange(at(path)) < built,
  );
}

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`nabla needs Node 20.19 or newer; this is ${process.version}`);
  process.exit(1);
}

if (!isInstalled()) run("installing", "npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);

if (!process.argv.includes("--no-build") && !isBuilt()) {
  // Built beside and then moved, so that a failed build leaves the last good one alone.
  const begun = new Date();
  rmSync(at("dist.new"), { recursive: true, force: true });
  const tsc = at("node_modules/typescript/bin/tsc");
  run("building", process.execPath, [tsc, "-p", "tsconfig.build.json", "--outDir", "dist.new"]);
  run("building the plugin", process.execPath, [tsc, "-p", "bundling", "--outDir", "dist.new/bundling"]);
  const { bundle } = await import("./bundle.mjs");
  writeFileSync(at("dist.new/nabla.js"), bundle(at("dist.new/index.js")));
  rmSync(at("dist"), { recursive: true, force: true });
  renameSync(at("dist.new"), at("dist"));
  writeFileSync(at(STAMP), "");
  // What is edited while the build runs is newer than the build.
  utimesSync(at(STAMP), begun, begun);
}
