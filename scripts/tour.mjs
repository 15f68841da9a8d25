/**
 * The tour: runs the files of `tour/` cell by cell and prints each cell's own source with what it gave. A cell begins at
 * a line `// %% title`; the comment below it is its text. Knows the format of the cells, not what stands in them.
 */
// @ts-check
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { run, show } from "./notebook.mjs";

export const CHAPTERS = ["chapter", "exercises", "iris"];

/**
 * @typedef {object} Cell
 * @property {string} title
 * @property {string} text
 * @property {string} source
 * @property {string[]} output The lines it logged.
 * @property {string} result How its last expression printed, at that moment; empty where it ends in something else.
 */

/** @param {string} source @returns {(Cell & { line: number })[]} */
function readCells(source) {
  /** @type {(Cell & { line: number })[]} */
  const cells = [];
  const lines = source.split("\n");
  lines.forEach((line, i) => {
    if (line.startsWith("// %%")) cells.push({ line: i + 1, title: line.slice(5).trim(), text: "", source: "", output: [], result: "" });
  });
  cells.forEach((cell, i) => {
    const body = lines.slice(cell.line, (cells[i + 1]?.line ?? lines.length + 1) - 1);
    const textEnds = body.findIndex(line => !line.startsWith("//"));
    cell.text = body
      .slice(0, textEnds)
      .map(line => line.replace(/^\/\/ ?/, ""))
      .join("\n");
    cell.source = body.slice(textEnds).join("\n").trim();
  });
  return cells;
}

/**
 * Runs one file of the tour. The last expression of a cell is its result; what the cell logs is kept as its output.
 * @param {string} name
 * @param {(specifier: string) => unknown} load
 * @returns {Promise<Cell[]>}
 */
export async function runChapter(name, load) {
  const path = fileURLToPath(new URL(`../tour/${name}.ts`, import.meta.url));
  const source = readFileSync(path, "utf8");
  const cells = readCells(source);
  const first = cells[0];
  if (!first) throw new Error(`tour/${name}.ts has no cells`);
  let here = first;
  const lastLines = cells.map(cell => cell.line).slice(1);
  /** @param {number} line */
  const cellAt = line => cells[lastLines.filter(next => next <= line).length] ?? first;
  const log = (/** @type {unknown[]} */ ...values) => {
    here.output.push(values.map(value => (typeof value === "string" ? value : show(value))).join(" "));
  };
  try {
    await run(source, {
      load,
      scope: { console: { log } },
      onStatement: statement => {
        here = cellAt(statement.line);
        here.result = "";
      },
      onValue: (_statement, value) => {
        here.result = value === undefined ? "" : show(value);
      },
    });
  } catch (error) {
    const at = /** @type {{ line?: number }} */ (error).line;
    throw new Error(`tour/${name}.ts:${at}: ${error}`, { cause: error });
  }
  return cells;
}

/** @param {Cell} cell */
function print(cell) {
  const indent = (/** @type {string} */ text, /** @type {string} */ by) => text.replace(/^(?=.)/gm, by);
  console.log(`\n${bold(cell.title)}\n${cell.text ? `${cell.text}\n` : ""}`);
  console.log(dim(indent(cell.source, "    ")));
  const lines = cell.result === "" ? cell.output : [...cell.output, cell.result];
  if (lines.length > 0) console.log(`\n${indent(lines.join("\n"), "  ")}`);
}

const colours = process.stdout.isTTY && !process.env.NO_COLOR;
/** @param {string} text */
const bold = text => (colours ? `\x1b[1m${text}\x1b[0m` : `── ${text}`);
/** @param {string} text */
const dim = text => (colours ? text.replace(/^.+$/gm, line => `\x1b[36m${line}\x1b[0m`) : text);

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  for (const name of CHAPTERS) for (const cell of await runChapter(name, specifier => import(specifier))) print(cell);
}
