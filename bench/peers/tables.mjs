/** The tables of docs/performance.md that say how nabla stands beside other libraries. It measures nothing. */
// @ts-check
import { round } from "../report.mjs";

/**
 * @typedef {object} Cell Times in microseconds, or resident megabytes, or why there are none.
 * @property {number} [median]
 * @property {number} [min]
 * @property {string} [error]
 * @property {number} [start]
 * @property {number | null} [mid]
 * @property {number} [end]
 * @property {number} [peak]
 * @property {number} [steps]
 * @property {number} [of]
 */

/** Between these lines of the page stands what is written by machine. */
export const MARKS = /** @type {const} */ (["<!-- peers: written by bench/peers/run.mjs -->", "<!-- peers: end -->"]);

/** What is measured, and what one figure is divided by. @type {Readonly<Record<string, readonly [title: string, per?: number]>>} */
export const ROWS = {
  W1: ["W1 first example and back"],
  W2: ["W2 chain of 100, per operator", 100],
  W3: ["W3 control flow and back"],
  W4: ["W4 tanh(x·y + x), 10⁶, and back"],
  W5f256: ["W5 matmul 256"],
  W5f512: ["W5 matmul 512"],
  W5f1024: ["W5 matmul 1024"],
  W5g256: ["W5 matmul 256 and back"],
  W5g512: ["W5 matmul 512 and back"],
  W5g1024: ["W5 matmul 1024 and back"],
  W6: ["W6 perceptron step, 256 × 784"],
  W7: ["W7 LeNet step, batch 64"],
  W8: ["W8 Hessian times vector, 1000"],
  W11: ["W11 LSTM of 32 steps and back"],
  W12: ["W12 softmax and layerNorm, 1024²"],
  W13: ["W13 600 operators of 10⁶"],
  W9: ["W9 process to first gradient"],
  W10a: ["W1, 100,000 steps"],
  W10b: ["W6, 2,000 steps"],
};

/** @param {number} microseconds */
function inUnit(microseconds) {
  const [unit, size] = microseconds < 1 ? ["ns", 1e-3] : microseconds < 1000 ? ["µs", 1] : microseconds < 1e6 ? ["ms", 1e3] : ["s", 1e6];
  return { unit: String(unit), size: Number(size) };
}

/** The median and in brackets the fastest sample; of others how many times as long as nabla, by the fastest. @param {Cell | undefined} cell @param {Cell | undefined} ours @param {number} per */
function timeOf(cell, ours, per) {
  if (cell?.median === undefined || cell.min === undefined) return "–";
  const { unit, size } = inUnit(cell.median / per);
  const text = `${round(cell.median / per / size)} (${round(cell.min / per / size)}) ${unit}`;
  return cell === ours || ours?.min === undefined ? text : `${text}, ${round(cell.min / ours.min)} ×`;
}

/** @param {Cell | undefined} cell */
function memoryOf(cell) {
  if (cell?.end === undefined) return "–";
  const cut = Number(cell.steps) < Number(cell.of) ? `, cut at ${cell.steps}` : "";
  return `${cell.start} / ${cell.mid ?? "–"} / ${cell.end}${cut}`;
}

/** @param {readonly (readonly string[])[]} lines The first is the heading. */
function aligned(lines) {
  const widths = (lines[0] ?? []).map((_, i) => Math.max(...lines.map(line => (line[i] ?? "").length)));
  const text = (/** @type {readonly string[]} */ line) => `| ${widths.map((width, i) => (line[i] ?? "").padEnd(width)).join(" | ")} |`;
  const rule = `| ${widths.map(width => "-".repeat(width)).join(" | ")} |`;
  return lines.map((line, i) => (i === 0 ? `${text(line)}\n${rule}` : text(line))).join("\n");
}

/** Only columns that have a figure. @param {readonly (readonly string[])[]} lines */
function dense(lines) {
  const kept = (lines[0] ?? []).map((_, i) => i === 0 || lines.slice(1).some(line => line[i] !== "–"));
  return lines.map(line => line.filter((_, i) => kept[i]));
}

/** @param {Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, Cell>>>>>>} found @param {readonly string[]} libraries */
export function tables(found, libraries) {
  let text = "";
  // The newest first.
  for (const version of Object.keys(found).sort().reverse()) {
    const rows = Object.keys(ROWS).filter(row => found[version]?.[row] !== undefined);
    const line = (
      /** @type {string} */ row,
      /** @type {(cell: Cell | undefined, ours: Cell | undefined, per: number) => string} */ show,
    ) => {
      const cells = found[version]?.[row] ?? {};
      const [title, per = 1] = ROWS[row] ?? [row];
      return [title, ...libraries.map(name => show(cells[name], cells.nabla, per))];
    };
    const times = rows.filter(row => !row.startsWith("W10"));
    const memory = rows.filter(row => row.startsWith("W10"));
    if (times.length > 0)
      text += `Node ${version.slice(1)}:\n\n${aligned(dense([["", ...libraries], ...times.map(row => line(row, timeOf))]))}\n\n`;
    if (memory.length > 0)
      text += `Node ${version.slice(1)}, W10, resident megabytes at the start / in the middle / at the end of one synchronous loop:\n\n${aligned(dense([["", ...libraries], ...memory.map(row => line(row, memoryOf))]))}\n\n`;
  }
  return text;
}
