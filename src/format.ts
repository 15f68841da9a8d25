/** Arrays as text, the way NumPy prints them. Knows a shape, a dtype and how to ask for an element; nothing of arrays or memory. */
import type { DType } from "./dtype.ts";
import { contiguousStrides, type Shape, showShape, sizeOf } from "./shape.ts";

/** The element at a flat C-order index; bools are 0 or 1. */
export type Element = (index: number) => number;

const LINE_WIDTH = 75;
/** Arrays with more elements show only the corners, this many items from each end of an axis. */
const THRESHOLD = 1000;
const EDGE_ITEMS = 3;
/** The most digits after the point. */
const PRECISION = 8;

/** NumPy's `repr`, with MXNet's rule for the dtype: none for float32 and bool, always one for the others. */
export function repr(element: Element, shape: Shape, dtype: DType): string {
  const empty = sizeOf(shape) === 0;
  let text: string;
  if (!empty) text = body(element, shape, dtype, ", ", " ".repeat("array([".length), LINE_WIDTH - 1);
  else text = shape.length === 1 ? "[]" : `[], shape=${showShape(shape)}`;
  if (dtype === "float32" || (dtype === "bool" && !empty)) return `array(${text})`;

  const label = `dtype=${dtype})`;
  const head = `array(${text},`;
  // A dtype NumPy prints itself goes to a line of its own when it does not fit; MXNet appends float64 without looking.
  const appended = dtype === "float64" && !empty;
  const used = head.length - (head.lastIndexOf("\n") + 1);
  return head + (!appended && used + 1 + label.length > LINE_WIDTH ? `\n${" ".repeat("array(".length)}` : " ") + label;
}

/** NumPy's `str`: no commas, no dtype; a 0-d array prints as its element does. */
export function str(element: Element, shape: Shape, dtype: DType): string {
  if (shape.length === 0) return scalarText(element(0), dtype);
  return sizeOf(shape) === 0 ? "[]" : body(element, shape, dtype, " ", " ", LINE_WIDTH);
}

function scalarText(x: number, dtype: DType): string {
  if (dtype === "bool") return x ? "True" : "False";
  if (dtype !== "float32" && dtype !== "float64") return String(x);
  if (!Number.isFinite(x)) return nonFinite(x);
  const size = Math.abs(x);
  const short = shortest(size, dtype === "float32");
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) return sign(x) + padExponent(short.toExponential(), 2);
  return sign(x) + short + (Number.isInteger(short) ? ".0" : "");
}

/** The bracketed elements; `indent` is as wide as what stands before the first element. */
function body(element: Element, shape: Shape, dtype: DType, separator: string, indent: string, width: number): string {
  const summarised = sizeOf(shape) > THRESHOLD;
  const words = toWords(shownValues(element, shape, summarised), shape, dtype);
  let next = 0;

  const block = (axis: number): string => {
    if (axis === shape.length) return words[next++]!;
    const n = shape[axis]!;
    const cut = summarised && n > 2 * EDGE_ITEMS;
    const items = Array.from({ length: cut ? 2 * EDGE_ITEMS + 1 : n }, (_, i) => (cut && i === EDGE_ITEMS ? "..." : block(axis + 1)));
    const margin = indent + " ".repeat(axis);
    const deeper = shape.length - axis - 1;
    if (deeper > 0) return `[${items.join(separator.trimEnd() + "\n".repeat(deeper) + margin)}]`;
    // One column stays free for the comma or bracket after a word, and one for every bracket around.
    return `[${wrapped(items, separator, margin, width - 1 - axis)}]`;
  };
  return block(0);
}

/** The words in lines of that width behind a margin (the first line's is there already); a word too long for any line gets one. */
function wrapped(words: readonly string[], separator: string, margin: string, width: number): string {
  let text = "";
  let line = "";
  for (const [i, word] of words.entries()) {
    if (line !== "" && margin.length + line.length + word.length > width) {
      text += `${line.trimEnd()}\n${margin}`;
      line = "";
    }
    line += i < words.length - 1 ? word + separator : word;
  }
  return text + line;
}

/** The values that get printed, in printing order. */
function shownValues(element: Element, shape: Shape, summarised: boolean): number[] {
  const strides = contiguousStrides(shape);
  const values: number[] = [];
  const visit = (axis: number, offset: number): void => {
    if (axis === shape.length) {
      values.push(element(offset));
      return;
    }
    const n = shape[axis]!;
    for (let i = 0; i < n; i++) {
      if (summarised && i === EDGE_ITEMS && n > 2 * EDGE_ITEMS) i = n - EDGE_ITEMS;
      visit(axis + 1, offset + i * strides[axis]!);
    }
  };
  visit(0, 0);
  return values;
}

/** One word per value, all in the one format that suits them together. */
function toWords(values: readonly number[], shape: Shape, dtype: DType): string[] {
  if (dtype === "float32" || dtype === "float64") return floatWords(values, dtype === "float32");
  // NumPy sets True to the width of False, except where there is nothing to align it with.
  if (dtype === "bool") return values.map(x => (x ? (shape.length > 0 ? " True" : "True") : "False"));
  return rightAligned(values.map(String));
}

function rightAligned(words: readonly string[]): string[] {
  const width = words.reduce((most, word) => Math.max(most, word.length), 0);
  return words.map(word => word.padStart(width));
}

function floatWords(values: readonly number[], single: boolean): string[] {
  const words = isScientific(values, single) ? scientificWords(values, single) : positionalWords(values, single);
  return rightAligned(words);
}

function isScientific(values: readonly number[], single: boolean): boolean {
  let low = Infinity;
  let high = 0;
  for (const x of values) {
    const size = Math.abs(x);
    if (size === 0 || !Number.isFinite(size)) continue;
    if (size < low) low = size;
    if (size > high) high = size;
  }
  // The ratio is one of the array's own precision: 1000.00001 counts as 1000 in float32.
  return high > 0 && (high >= 1e8 || low < 1e-4 || (single ? Math.fround(high / low) : high / low) > 1000);
}

function positionalWords(values: readonly number[], single: boolean): string[] {
  const words = values.map(x => {
    if (!Number.isFinite(x)) return nonFinite(x);
    const size = Math.abs(x);
    // Digits before the point are all true ones: 67108872. where the shortest would do with 67108870.
    let text = String(Number.isInteger(size) ? size : shortest(size, single));
    const point = text.indexOf(".");
    if (point < 0) text += ".";
    else if (text.length - point - 1 > PRECISION) text = roundFixed(size).replace(/0+$/, "");
    return sign(x) + text;
  });
  const decimals = words.map(word => (word.includes(".") ? word.length - word.indexOf(".") - 1 : 0));
  const most = decimals.reduce((a, b) => Math.max(a, b));
  return words.map((word, i) => (word.includes(".") ? word + " ".repeat(most - decimals[i]!) : word));
}

function scientificWords(values: readonly number[], single: boolean): string[] {
  let digits = 0;
  let exponent = 2;
  const shorts = values.map(x => {
    if (!Number.isFinite(x)) return "";
    const size = Math.abs(x);
    let short = shortest(size, single).toExponential();
    if (decimalsOf(short) > PRECISION) short = roundExponential(size, PRECISION).replace(/\.?0*e/, "e");
    digits = Math.max(digits, decimalsOf(short));
    exponent = Math.max(exponent, short.length - short.indexOf("e") - 2);
    return short;
  });
  return values.map((x, i) => {
    if (!Number.isFinite(x)) return nonFinite(x);
    // All get the same number of digits, and those beyond the shortest are true ones: float32's 0.1 may show 1.00000001e-01.
    let text = decimalsOf(shorts[i]!) === digits ? shorts[i]! : roundExponential(Math.abs(x), digits);
    if (digits === 0) text = text.replace("e", ".e");
    return sign(x) + padExponent(text, exponent);
  });
}

const nonFinite = (x: number): string => (Number.isNaN(x) ? "nan" : x < 0 ? "-inf" : "inf");

const sign = (x: number): string => (x < 0 || Object.is(x, -0) ? "-" : "");

/** `1e-4` as `1e-04`: exponents have at least two digits, and in an array all the same number. */
function padExponent(text: string, digits: number): string {
  const at = text.indexOf("e") + 2;
  return text.slice(0, at) + text.slice(at).padStart(digits, "0");
}

/** How many digits stand after the point of a text that `toExponential` gave. */
const decimalsOf = (text: string): number => Math.max(0, text.indexOf("e") - 2);

/** The double whose shortest digits are the shortest ones that tell x >= 0 from all others of its own precision. */
function shortest(x: number, single: boolean): number {
  if (!single || (Number.isInteger(x) && x < 2 ** 24)) return x;
  // Up to six digits survive the way through a float32 and back, so no more than one decimal of that length can name x,
  // and a shorter one is the same with zeros at its end. Subnormals have fewer digits.
  for (let digits = x < 2 ** -126 ? 1 : 6; ; digits++) {
    if (Math.fround(Number(x.toPrecision(digits))) === x) return Number(roundExponential(x, digits - 1));
    // Below a power of two floats lie twice as close as above it. For three of them (2^-96, 2^87, 2^90) the nearest decimal
    // of eight digits is the next float's already, while the one above still reads as theirs.
    if (digits === 8) {
      const above = Number(roundExponential(x * (1 + 2 ** -24), digits - 1));
      if (Math.fround(above) === x) return above;
    }
  }
}

/** `x.toExponential(decimals)` and `x.toFixed(8)` for x >= 0, but halves go to the even digit; JavaScript rounds them up. */
function roundExponential(x: number, decimals: number): string {
  const up = x.toExponential(decimals);
  const exponent = Number(up.slice(up.indexOf("e") + 1));
  return isHalfway(x, decimals - exponent) ? toEven(x.toExponential(decimals + 1).replace(/\.?5e/, "e"), up) : up;
}

function roundFixed(x: number): string {
  const up = x.toFixed(PRECISION);
  return isHalfway(x, PRECISION) ? toEven(x.toFixed(PRECISION + 1).slice(0, -1), up) : up;
}

const toEven = (down: string, up: string): string => (/^[\d.]*[02468](e|$)/.test(down) ? down : up);

/** Whether x >= 0 lies exactly between two numbers of that many decimals; negative decimals are zeros before the point. */
function isHalfway(x: number, decimals: number): boolean {
  if (decimals >= 0) return (x * 2 ** (decimals + 1)) % 2 === 1;
  const unit = Number(`1e${-decimals}`);
  return unit <= 1e22 && x % unit === unit / 2;
}
