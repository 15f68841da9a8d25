/**
 * FEATURES.md: every public function with what was found true of it here. A cell that is empty without a reason that
 * mathematics gives fails. Run `npx vitest run --project plain test/features.test.ts -u` to write the file anew.
 */
import * as nabla from "nabla";
import { type DType, jvp, NDArray, np, npx, vmap } from "nabla";
import { expect, test } from "vitest";
import type { HasRow } from "../src/op.ts";
import { checkDerivatives, type Fn, inner, pull, randomArray } from "./support/derivatives.ts";
import { type AnyFn, arraysFor, domainOf, results, samplesOf } from "./support/rows.ts";
import { of, type Sample, seeded } from "./support/sample.ts";
import { arrayOf, closeness, type Next, randomNumbers, samples, seedOf, sizeOf, valuesOf } from "./support/sampling.ts";
import { filesBelow, textOf } from "./support/source.ts";
import { UNMAPPED } from "./support/unmapped.ts";

// ---------------------------------------------------------------- what there is

const SPACES: Record<string, object> = { np, "np.linalg": np.linalg, "np.random": np.random, npx };

/** Functions that take no arrays to differentiate or map over. */
const NO_OPERANDS: Record<string, string> = {
  makes:
    "array asarray zeros ones full empty zerosLike onesLike fullLike emptyLike arange eye identity tri indices fromfunction slice trilIndices triuIndices diagIndices ix",
  draws: "seed rand randn randint shuffle permutation choice bernoulli binomial multinomial poisson",
  sets: "setNp waitall scope keep memoryInfo setMemoryLimit setNumThreads useBlas fuse",
};

/** Numbers drawn after the same seed, as functions of the parameters. */
const positive: Sample = of([[3]], x => [np.exp(seeded(x) as NDArray), [2, 3]]);
const both: Sample = of([[3], [2, 1]], (x, y) => [np.exp(seeded(x) as NDArray), np.exp(y), [2, 3]]);
const DRAWN: Record<string, Sample> = {
  ...Object.fromEntries("chisquare exponential pareto rayleigh weibull".split(" ").map(name => [name, positive])),
  ...Object.fromEntries("beta gamma gumbel laplace logistic lognormal normal".split(" ").map(name => [name, both])),
  multivariateNormal: of(
    [
      [2, 1, 3],
      [2, 3, 3],
    ],
    (x, y) => [seeded(x), np.add(np.matmul(y, np.swapaxes(y, -1, -2)), np.eye(3)), [2, 2]],
  ),
  uniform: of([[3], [2, 1]], (x, y) => [seeded(x), np.add(np.exp(y), 3), [2, 3]]),
};
const drawn = new Map<unknown, string>(Object.keys(DRAWN).map(name => [(np.random as Record<string, unknown>)[name], name]));
const IMPLICIT = ["beta", "chisquare", "gamma"];

/** Whether a derivative of what the function gives makes sense is seen from its results; these are the other reasons. */
function reasonOf(name: string, fn: AnyFn, column: Column): string | undefined {
  const draw = drawn.get(fn);
  if (draw === undefined)
    return column === "vmap" ? UNMAPPED[name] : name === "stopGradient" && !/float/.test(column) ? "stops" : undefined;
  if (column === "vmap") return "draws";
  if (IMPLICIT.includes(draw)) return column.startsWith("order") ? "implicit" : undefined;
  return column === "float32" ? "anew" : undefined;
}

const LEGEND: Record<string, string> = {
  whole: "gives positions, whole numbers or truth values, which have no derivative",
  stops: "stops gradients on purpose",
  shape: "the shape of the result depends on the values, so that entries do not fit into one array",
  place: "writes in place; a mapped array has no memory of its own",
  draws: "draws random numbers for every entry anew",
  anew: "draws other numbers in float32 than in float64",
  implicit:
    "moves numbers with their place in the distribution, to any order, which no difference of draws shows; test/distributions.test.ts",
  integers: "takes whole numbers and truth values only",
  bare: "gives a JavaScript boolean or number",
};

const COLUMNS = ["order 1", "order 2", "float32", "float64", "jvp", "vmap"] as const;
type Column = (typeof COLUMNS)[number];

// ---------------------------------------------------------------- what is true of it

interface Case {
  /** All results, for what gives several. */
  readonly all: (...xs: NDArray[]) => unknown[];
  readonly xs: readonly NDArray[];
}

/** Calls to try, in the dtype, the same numbers in both. */
function casesOf(fn: AnyFn, dtype: DType, seed: number): Case[] | null {
  const next = randomNumbers(seed);
  const p = (fn as unknown as Partial<HasRow>).op?.pointwise;
  const draw = drawn.get(fn);
  const known = draw === undefined ? samplesOf.get(fn) : { list: [DRAWN[draw]!] };
  if (known === undefined && p !== undefined) {
    const [low, high] = domainOf(p);
    return [[3], [2, 2]].map(shape => {
      const xs = Array.from({ length: p.arity }, (_, i) => {
        const x = arrayOf(samples(sizeOf(shape), [low, high], i, next), shape, "float64");
        if (p.spec.dtype === "integer") return x.mul(4).astype("int32");
        return p.spec.discrete?.includes(i) ? x.gt(0) : x.astype(dtype);
      });
      const mapped = xs.filter(x => x.dtype === dtype || x.dtype === "int32");
      const all = (...given: NDArray[]): unknown[] => [fn(...xs.map(x => (mapped.includes(x) ? given[mapped.indexOf(x)]! : x)))];
      return { all, xs: mapped };
    });
  }
  if (known === undefined) return null;
  return known.list
    .map(sample => ({ sample, xs: arraysFor(sample, dtype, next) }))
    .filter(({ xs }) => xs.every(x => x.size > 0))
    .slice(0, 4)
    .map(({ sample, xs }) => {
      const all = (...given: NDArray[]): unknown[] => results(fn(...sample.args(...given)));
      return { all, xs };
    });
}

/** Other floats do not depend on the arrays of the sample: they have the dtype of something else. */
const isDouble = (y: unknown): y is NDArray => y instanceof NDArray && y.dtype === "float64";
const isFloat = (y: unknown): boolean => y instanceof NDArray && y.dtype.startsWith("float");

function derivativesOf(cases: readonly Case[], order: number, next: Next): string {
  let checked = 0;
  for (const { all, xs } of cases)
    for (const [k, y] of all(...xs).entries()) {
      if (!isDouble(y)) continue;
      checked++;
      const fault = checkDerivatives((...given) => all(...given)[k] as NDArray, xs, order, next);
      if (fault !== "") return fault;
    }
  return checked === 0 ? "whole" : "✓";
}

/** The tangent by forward mode against the cotangents by reverse mode. */
function forwardOf(cases: readonly Case[], next: Next): string {
  let checked = 0;
  for (const { all, xs } of cases)
    for (const [k, y] of all(...xs).entries()) {
      if (!isDouble(y)) continue;
      checked++;
      const f: Fn = (...given) => all(...given)[k] as NDArray;
      const vs = xs.map(x => randomArray(x.shape, "float64", next));
      const u = randomArray((y as NDArray).shape, "float64", next);
      const [value, tangent] = jvp(f, xs.length === 1 ? xs[0]! : [...xs], xs.length === 1 ? vs[0]! : vs);
      if (closeness(valuesOf(value), valuesOf(y as NDArray), 1e-14) !== "") return "another value";
      const left = inner(u, tangent);
      const right = pull(f, xs, u, false).reduce((sum, g, i) => sum + inner(g, vs[i]!), 0);
      if (!(Math.abs(left - right) <= 1e-10 * (1 + Math.abs(left)))) return `${left} forwards, ${right} in reverse`;
    }
  return checked === 0 ? "whole" : "✓";
}

function mappedOf(cases: readonly Case[]): string {
  const { all, xs } = cases[0]!;
  const entries = [xs, xs.map(x => (x.dtype === "int32" ? np.multiply(x, 2) : np.multiply(x, 0.9)))];
  const got = vmap((...given) => all(...given) as NDArray[])(...xs.map((_, i) => np.stack(entries.map(e => e[i]!))));
  for (const [k, y] of got.entries())
    for (const [n, given] of entries.entries())
      if (closeness(valuesOf(y.at(n)), valuesOf(all(...given)[k] as NDArray), 1e-12) !== "") return "another value";
  return "✓";
}

/** The results in the dtype are those in float64, rounded. */
function dtypeOf(name: string, narrow: readonly Case[], wide: readonly Case[], dtype: DType): string {
  for (const [i, { all, xs }] of narrow.entries()) {
    const exact = wide[i]!.all(...xs.map(x => x.astype("float64")));
    for (const [k, y] of all(...xs).entries()) {
      if (!(y instanceof NDArray)) continue;
      if (name !== "astype" && isFloat(y) && y.dtype !== dtype && isFloat(exact[k]) && (exact[k] as NDArray).dtype === "float64")
        return `gives ${y.dtype}`;
      if (closeness(valuesOf(y), valuesOf(exact[k] as NDArray), dtype === "float32" ? 1e-4 : 1e-14) !== "") return "far off";
    }
  }
  return "✓";
}

function marksOf(name: string, fn: AnyFn): Record<Column, string> | null {
  const seed = seedOf(name) + 30;
  const wide = casesOf(fn, "float64", seed);
  if (wide === null || wide.length === 0) return null;
  const attempt = (column: Column, run: () => string): string => {
    const reason = reasonOf(name, fn, column);
    if (reason !== undefined) return reason;
    try {
      return run();
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`;
    }
  };
  const integers = (fn as unknown as Partial<HasRow>).op?.pointwise?.spec.dtype === "integer";
  const bare = wide[0]!.all(...wide[0]!.xs).some(y => !(y instanceof NDArray));
  const next = randomNumbers(seed + 1);
  return {
    "order 1": bare ? "bare" : integers ? "integers" : attempt("order 1", () => derivativesOf(wide, 1, next)),
    "order 2": bare ? "bare" : integers ? "integers" : attempt("order 2", () => derivativesOf(wide.slice(0, 2), 2, next)),
    float32: integers ? "integers" : attempt("float32", () => dtypeOf(name, casesOf(fn, "float32", seed)!, wide, "float32")),
    float64: integers ? "integers" : attempt("float64", () => dtypeOf(name, wide, wide, "float64")),
    jvp: bare ? "bare" : integers ? "integers" : attempt("jvp", () => forwardOf(wide.slice(0, 2), next)),
    vmap: bare ? "bare" : attempt("vmap", () => mappedOf(wide)),
  };
}

// ---------------------------------------------------------------- the page

/** The function of another library that a function's documentation names. */
const ORIGIN = new Map<string, string>();
for (const file of filesBelow("src").filter(path => path.endsWith(".ts")))
  for (const [, comment, name] of textOf(file).matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(?:export )?(?:const|function|class) (\w+)/g)) {
    const found = /(NumPy|MXNet|SciPy|JAX|PyTorch)'s ((?:npx?\.)?[a-z]\w*(?:\.\w+)*)|nabla's own/.exec(
      comment!.replace(/\s*\n\s*\*\s*/g, " "),
    );
    const renamed = new RegExp(`^ *(?:export \\{ )?${name} as (\\w+)`, "m").exec(textOf(file))?.[1];
    for (const known of [name!, ...(renamed === undefined ? [] : [renamed])]) {
      const key = file.startsWith("src/random/") ? `np.random.${known}` : known;
      if (found !== null && !ORIGIN.has(key)) ORIGIN.set(key, found[1] === undefined ? found[0] : `${found[1]} ${found[2]}`);
    }
  }

const isFunction = (value: unknown): value is AnyFn => typeof value === "function" && !/^class\b/.test(String(value));
const KINDS = new Map(Object.entries(NO_OPERANDS).flatMap(([kind, names]) => names.split(" ").map(name => [name, kind] as const)));

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((text, i) => Math.max(text.length, 3, ...rows.map(row => row[i]!.length)));
  const line = (cells: readonly string[]): string => `| ${cells.map((text, i) => text.padEnd(widths[i]!)).join(" | ")} |`;
  return [line(head), `| ${widths.map(w => "-".repeat(w)).join(" | ")} |`, ...rows.map(line)].join("\n");
}

test("FEATURES.md says what is there, and no cell is empty without a reason", async () => {
  const empty: string[] = [];
  const sections: string[] = [];
  let marks = 0;
  for (const [space, members] of Object.entries(SPACES)) {
    const rows: string[][] = [];
    const others: string[][] = [];
    const seen = new Map<AnyFn, string[]>();
    const originOf = (name: string, fn: AnyFn): string => {
      const origin =
        ORIGIN.get(`${space}.${name}`) ??
        ORIGIN.get(samplesOf.get(fn)?.name ?? name) ??
        ORIGIN.get(fn.name) ??
        ORIGIN.get(`np.random.${name}`) ??
        "";
      if (origin === "") empty.push(`${space}.${name}: its documentation names no source`);
      return origin;
    };
    for (const [name, fn] of Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (!isFunction(fn)) continue;
      const first = seen.get(fn);
      const known = first === undefined ? marksOf(fn.name === "" ? name : (samplesOf.get(fn)?.name ?? name), fn) : null;
      if (known === null && first === undefined) {
        others.push([`\`${name}\``, originOf(name, fn)]);
        if (!KINDS.has(name)) empty.push(`${space}.${name}: neither samples nor a reason to have none`);
        continue;
      }
      if (first !== undefined) {
        rows.push([`\`${name}\``, ...first]);
        continue;
      }
      const cells = COLUMNS.map(column => {
        const cell = known![column];
        if (cell === "✓") marks++;
        else if (!(cell in LEGEND)) empty.push(`${space}.${name}, ${column}: ${cell}`);
        return cell in LEGEND || cell === "✓" ? cell : "";
      });
      const origin = originOf(name, fn);
      seen.set(fn, [`${origin}, as \`${name}\``, ...cells]);
      rows.push([`\`${name}\``, origin, ...cells]);
    }
    sections.push(
      `## ${space}\n\n${table(["function", "as", ...COLUMNS], rows)}${others.length > 0 ? `\n\nWithout arrays to differentiate:\n\n${table(["function", "as"], others)}` : ""}`,
    );
  }
  const transforms = ["grad", "valueAndGrad", "vjp", "jvp", "jacobian", "hessian", "hvp", "vmap", "checkpoint", "checkGrad"];
  for (const name of transforms) if (!(name in nabla)) empty.push(`${name} is not exported`);
  const legend = Object.entries(LEGEND).map(([word, text]) => `- _${word}_: ${text}.`);
  const text = `# What there is

Made by test/features.test.ts from the exports and from what it tries on them. A mark means that it was tried and found right:
derivatives of order 1 and 2 in float64 against differences (relative error below 1e-8), results in float32 and float64, the
forward derivative (\`jvp\`) against the reverse one, \`vmap\` against a loop. Any other word says why there is none:

${legend.join("\n")}

${sections.join("\n\n")}

## Transforms

${transforms.map(name => `\`${name}\``).join(", ")}: of ordinary functions of arrays, nested in any order; and \`npx.fuse\`.

## What is not there

- Complex numbers, and with them \`fft\` and \`linalg.eig\`.
- The dtypes int64, float16 and bfloat16, and arrays of strings or objects. Integers are int32, int8 and uint8.
- Sparse arrays, masked arrays, structured dtypes.
- \`dtype\` of \`einsum\` and \`matmul\`: \`astype\` says the same. Arguments that \`fromfunction\` hands on, and a function as the
  mode of \`pad\`: closures, and \`concatenate\`.
- \`check_valid\` and \`tol\` of \`multivariate_normal\`: what is no covariance is an error. Generator objects.
- Parameters that mean nothing here: memory layouts (\`order\`), subclasses (\`subok\`, \`like\`), kinds of sorting, which are all
  stable, and hints that only save time (\`assume_unique\`, \`overwrite_input\`).
- Asynchronous execution and devices other than the processor.

## Where it is not as NumPy

- \`list.map(np.atleast1d)\` hands on positions too, which are arrays as well: \`list.map(x => np.atleast1d(x))\`.
- A mean given to \`var\` or \`std\` must have the reduced axes with size 1 (NumPy lets others stand along other axes), and leaves
  the dtype of the result; \`ddof\` and \`correction\` together are an error.
- Lists of numbers are float32, as MXNet's np has it; beside float64 arrays they are float64.
- Where NumPy makes floats of integers, they are float32, weights of \`bincount\` too; positions, counts and sums of integers are
  int32. \`bincount\` of nothing with weights has their dtype and a gradient, where NumPy counts in integers.
- \`floor\`, \`ceil\`, \`trunc\` and \`fix\` keep integers and bools, as in NumPy 2.
- Elements of a matrix that \`linalg.cholesky\`, \`eigh\` and \`eigvalsh\` do not read, those above the diagonal, have a gradient of
  0, and those below it one for both: as NumPy's functions change with them, and not as PyTorch's symmetric gradients.
`;
  expect(empty.join("\n"), `${empty.length} empty cells`).toBe("");
  expect(marks).toBeGreaterThan(300);
  await expect(text).toMatchFileSnapshot("../FEATURES.md");
});
