/** How measurements are written: rows, their figures with units, and one table. It measures nothing. */
// @ts-check

/** @typedef {import("./timing.mjs").Time} Time */

/**
 * @typedef {object} Line One figure of a row, with a bar if there is one.
 * @property {string} [what] Which of the row's figures.
 * @property {string} ours
 * @property {string} [other] What it is held against.
 * @property {number} [value] What the bar is on.
 * @property {number} [median] The same by medians.
 * @property {number} [bar] The most it may be.
 * @property {string} [unit]
 */

/**
 * @typedef {object} Row
 * @property {string} title
 * @property {string} how
 * @property {() => Line[] | Promise<Line[]>} run
 */

/** Three digits. @param {number} value */
export const round = value => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));

/** A time in its unit, the median in brackets. @param {Time} time @param {number} [per] */
export function duration({ min, median }, per = 1) {
  const scale = median / per;
  const [unit, size] = scale < 1000 ? ["ns", 1] : scale < 1e6 ? ["µs", 1e3] : scale < 1e9 ? ["ms", 1e6] : ["s", 1e9];
  return `${round(min / per / size)} ${unit} (${round(median / per / size)})`;
}

/** @param {Time} ours @param {Time} other @param {number} [bar] */
export const ratio = (ours, other, bar) => ({
  value: ours.min / other.min,
  median: ours.median / other.median,
  unit: "×",
  ...(bar === undefined ? {} : { bar }),
});

/** @param {Line} line */
function verdict({ value, bar, unit }) {
  if (value === undefined || bar === undefined) return ["", ""];
  return [`≤ ${bar} ${unit}`, value <= bar ? "met" : "MISSED"];
}

/** @param {Line} line */
function valueOf({ value, median, unit }) {
  if (value === undefined) return "";
  return `${round(value)}${median === undefined ? "" : ` (${round(median)})`} ${unit}`;
}

const WIDTHS = [8, 46, 21, 31, 18, 8, 6];

/** @param {readonly string[]} cells */
const tableLine = cells =>
  cells
    .map((cell, i) => cell.padEnd(WIDTHS[i] ?? 0))
    .join(" ")
    .trimEnd();

export const HEADING = [
  "Fastest sample, the median in brackets; a bar is held against the fastest.",
  "",
  tableLine(["row", "", "nabla", "beside it", "", "bar", ""]),
  "-".repeat(WIDTHS.reduce((sum, width) => sum + width + 1, -1)),
].join("\n");

/** A row as lines of the table. @param {string} name @param {Row} row @param {readonly Line[]} lines */
export function show(name, row, lines) {
  const out = lines.map((line, i) => {
    const cells = [line.what === undefined ? row.title : `  ${line.what}`, line.ours, line.other ?? "", valueOf(line), ...verdict(line)];
    return tableLine([i === 0 && line.what === undefined ? name : "", ...cells]);
  });
  if (lines[0]?.what !== undefined) out.unshift(tableLine([name, row.title]));
  out.push(tableLine(["", `: ${row.how}`]));
  return out.join("\n");
}
