/** The error classes. One form everywhere: `operator: what was given, what is wanted, the remedy`. Knows nothing else. */

/** The common base of everything nabla throws on purpose. */
export class NablaError extends Error {
  override name = "NablaError";
}

/** Shapes that do not fit: broadcasting, reshape sizes, mask shapes, head gradients, axes out of range. */
export class ShapeError extends NablaError {
  override name = "ShapeError";
}

/** A dtype that is unknown, not there, or not allowed in this place. */
export class DTypeError extends NablaError {
  override name = "DTypeError";
}

/** A position outside its axis, or more index items than axes. */
export class IndexError extends NablaError {
  override name = "IndexError";
}

/** A value, mode or option that an operator does not take. */
export class ValueError extends NablaError {
  override name = "ValueError";
}

/** Everything about graphs: nothing recorded, freed, detached, unreachable, written to while recording. */
export class GradError extends NablaError {
  override name = "GradError";
}

/** Runs a composition: what one of its parts refuses is refused by the function that was called, and the message says so. */
export function under<T>(operator: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof NablaError) throw new (error.constructor as typeof NablaError)(error.message.replace(/^[\w.]+/, operator));
    throw error;
  }
}

/** A short text for any wrong argument, safe for every value a caller can pass. */
export function describe(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number" || typeof value === "boolean" || value === undefined) return String(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "symbol") return "a symbol";
  if (typeof value === "function") return `the function ${value.name || "(anonymous)"}`;
  if (Array.isArray(value)) {
    const part = (v: unknown): string => (Array.isArray(v) ? `a list of ${v.length}` : describe(v));
    return value.length > 6 ? `a list of ${value.length}` : `[${Array.from(value, part).join(", ")}]`;
  }
  const name = (value as object).constructor?.name;
  return name && name !== "Object" ? `${/^(NDA|[AEIO])/.test(name) ? "an" : "a"} ${name}` : "an object";
}

/** The constructor of async functions, which has no global name. */
const AsyncFunction: unknown = (async () => {}).constructor;

/** What is said of a callback that is asynchronous, or whose result turns out to be a promise. */
export const asynchronous = (operator: string): GradError =>
  new GradError(`${operator}: the function is asynchronous, but must be done when it returns; await data first`);

/** Refuses what is no function, and an asynchronous one before it runs. */
export function checkFunction(operator: string, f: unknown): void {
  if (typeof f !== "function") throw new ValueError(`${operator}: expected a function, got ${describe(f)}`);
  if (f.constructor === AsyncFunction) throw asynchronous(operator);
}

/** An option that is true or false; `otherwise` where it is not given. */
export function flag(operator: string, name: string, value: unknown, otherwise: boolean): boolean {
  if (value === undefined || value === null) return otherwise;
  if (typeof value !== "boolean") throw new ValueError(`${operator}: ${name} is true or false, got ${describe(value)}`);
  return value;
}

/** One of a few words; the first where none is given. */
export function oneOf<T extends string>(operator: string, name: string, value: unknown, words: readonly T[]): T {
  if (value === undefined || value === null) return words[0]!;
  if (!words.includes(value as T))
    throw new ValueError(`${operator}: ${name} is "${words.slice(0, -1).join('", "')}" or "${words.at(-1)}", got ${describe(value)}`);
  return value as T;
}

/** A whole number among the arguments; `least` is the smallest allowed. */
export function wholeNumber(operator: string, name: string, value: unknown, least: number = Number.NEGATIVE_INFINITY): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < least)
    throw new ValueError(`${operator}: ${name} is a whole number${least > -1 ? ` >= ${least}` : ""}, got ${describe(value)}`);
  return value;
}

/** An object as written down in braces: not a list, map, date, promise or array. */
export function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Refuses an options object that is none, or that names an option the operator does not know. */
export function checkOptions(operator: string, options: unknown, known: readonly string[]): void {
  if (options === undefined || options === null) return;
  if (!isPlain(options))
    throw new ValueError(`${operator}: options are an object, got ${describe(options)}; known options: ${known.join(", ") || "none"}`);
  for (const key of Object.keys(options))
    if (!known.includes(key))
      throw new ValueError(`${operator}: unknown option ${JSON.stringify(key)}; known options: ${known.join(", ") || "none"}`);
}
