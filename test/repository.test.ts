/** Rules for the text of the repository that no compiler knows. */
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { filesBelow, lineOf, nodesOf, parse, textOf } from "./support/source.ts";

const BINARY = /\.(png|ico|wasm|npy|npz|safetensors|gz|woff2?)$/;
const files = filesBelow("").filter(path => !BINARY.test(path));
const code = files.filter(path => /\.(ts|mts|mjs|js)$/.test(path));
const source = files.filter(path => path.startsWith("src/") && path.endsWith(".ts"));

/** `file:line: text` of every line that matches. */
function linesWith(pattern: RegExp, paths: readonly string[]): string[] {
  return paths.flatMap(path =>
    textOf(path)
      .split("\n")
      .flatMap((line, i) => (pattern.test(line) ? [`${path}:${i + 1}: ${line.trim().slice(0, 120)}`] : [])),
  );
}

test("there is something to check", () => {
  expect(source.length).toBeGreaterThan(5);
  expect(files).toContain("package.json");
});

describe("src", () => {
  // A weak reference keeps its target alive until the job ends, so a synchronous loop would grow without bound.
  test("no weak references", () => expect(linesWith(/\bWeakRef\b/, source)).toEqual([]));

  test("no code made from text at run time", () => expect(linesWith(/\bnew Function\b|\beval\(/, source)).toEqual([]));

  test("no type `any`", () => {
    const found = source.flatMap(path =>
      [...nodesOf(parse(path))].filter(node => node.kind === ts.SyntaxKind.AnyKeyword).map(node => `${path}:${lineOf(node)}`),
    );
    expect(found).toEqual([]);
  });
});

test("every code file opens by saying what it is for", () => {
  expect(code.filter(path => !/^\/\*\*\s*\S/.test(textOf(path)))).toEqual([]);
});

// The words are put together here so that this file does not find itself.
const word = (...parts: string[]) => parts.join("");
const FORBIDDEN: readonly (readonly [string, RegExp])[] = [
  ["a registry's host", new RegExp(word("registry\\.", "npmjs|registry\\.", "yarnpkg|npm", 'mirror|"res', 'olved":'), "i")],
  ["a path of one machine", /(?<![\w.:*/!-])\/(work|tmp|home|root|Users|mnt|opt|usr)\/\w/],
  ["how the text was made", new RegExp(word("\\bses", "sions?\\b|\\bsub-?", "agents?\\b|\\bchat", "bot|language ", "models? wrote"), "i")],
];

for (const [what, pattern] of FORBIDDEN) {
  const own = /^test\/repository\.test\.ts$/;
  test(`no file mentions ${what}`, () =>
    expect(
      linesWith(
        pattern,
        files.filter(path => !own.test(path) && path !== "LICENSE"),
      ),
    ).toEqual([]));
}
