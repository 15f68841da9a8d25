/**
 * Runs every check one after the other, whatever the earlier ones say, and sums them up: format and lint, types, tests.
 * Knows the tools, not what they check.
 */
// @ts-check
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const REPORT = join(root, "out/tests.json");
const SUMMARY = join(root, "out/summary.txt");
const started = Date.now();
/** `--full`: in the smallest memory too, every operator is tried. */
const env = process.argv.includes("--full") ? { ...process.env, TEST_FULL: "on" } : process.env;
let passed = 0;
let failed = 0;

/** Runs one tool with its output shown; true when it ended well. @param {string} title @param {string[]} args */
function step(title, args) {
  console.log(`\n── ${title}`);
  const begun = Date.now();
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit", env });
  console.log(`── ${title}: ${status === 0 ? "well" : "FAILED"} (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
  return status === 0;
}

/** @param {boolean} well */
function count(well) {
  if (well) passed++;
  else failed++;
}

/** What the test run reported. A file that could not be loaded holds no test, and counts as one failure. */
function countTests() {
  if (!existsSync(REPORT)) return false;
  const report = JSON.parse(readFileSync(REPORT, "utf8"));
  const before = failed;
  for (const file of report.testResults) {
    const tests = file.assertionResults;
    for (const test of tests) {
      if (test.status === "passed") passed++;
      else if (test.status === "failed") failed++;
    }
    if (file.status === "failed" && !tests.some(/** @param {{ status: string }} test */ test => test.status === "failed")) failed++;
  }
  return report.numTotalTests > 0 && (report.success || failed > before);
}

mkdirSync(join(root, "out"), { recursive: true });
rmSync(REPORT, { force: true });
rmSync(SUMMARY, { force: true });

count(step("format and lint", ["node_modules/@biomejs/biome/bin/biome", "ci", "--error-on-warnings", "."]));
count(step("types", ["node_modules/typescript/bin/tsc", "-p", "tsconfig.json"]));
const before = failed;
const well = step("tests", [
  "node_modules/vitest/vitest.mjs",
  "run",
  "--reporter=default",
  "--reporter=json",
  `--outputFile.json=${REPORT}`,
]);
const counted = countTests();
if (!counted || (!well && failed === before)) failed++;

console.log(`\n${((Date.now() - started) / 1000).toFixed(0)} s`);
const line = `${passed} passed, ${failed} failed`;
writeFileSync(SUMMARY, `${line}\n`);
console.log(line);
process.exitCode = failed === 0 ? 0 : 1;
