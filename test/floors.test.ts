/**
 * The floors of src/: value imports go down and never in a circle, types may be named upwards, and no file, folder or
 * name grows into a dumping ground.
 */
import { posix } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { filesBelow, nodesOf, parse, textOf } from "./support/source.ts";

/** What stands on each floor, lowest first; paths below src/, without the ending. */
const FLOORS: readonly RegExp[] = [
  /^(errors|dtype|shape|format)$/,
  /^(expr|scalar[^/]*|scalar\/.*)$/,
  /^kernel$/,
  /^backend\/.*$/,
  /^(array|tape|convert|mapped)$/,
  /^(op|launch|fold)$/,
  /^ops\/.*$/,
  /^(grad|cotangent|random\/.*|functions\/.*)$/,
  /^(methods|members|transforms\/.*|vmap)$/,
  /^(index|np|npx|autograd|linalg)$/,
];

const MAX_LINES = 700;
const MAX_FILES = 12;
/** src/ itself lists the floors, one file or folder for each thing on them. */
const MAX_FILES_IN_SRC = 30;
/** Folders above a file, src/ included. */
const MAX_DEPTH = 3;
const VAGUE = /utils?\b|utils?[A-Z.]|manager|helper/i;

const files = filesBelow("src").filter(path => path.endsWith(".ts"));

const floorOf = (path: string): number => FLOORS.findIndex(floor => floor.test(path.slice("src/".length).replace(/\.ts$/, "")));

/** The modules a file needs at run time. A type-only import leaves nothing behind. */
function valueImports(path: string): string[] {
  const found: string[] = [];
  for (const node of nodesOf(parse(path))) {
    let from: ts.Expression | undefined;
    if (ts.isImportDeclaration(node)) {
      if (node.importClause?.phaseModifier !== ts.SyntaxKind.TypeKeyword) from = node.moduleSpecifier;
    } else if (ts.isExportDeclaration(node)) {
      if (!node.isTypeOnly) from = node.moduleSpecifier;
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      from = node.arguments[0];
    }
    if (from && ts.isStringLiteral(from)) found.push(from.text);
  }
  return found;
}

const graph = new Map<string, string[]>();
const foreign: string[] = [];
for (const file of files) {
  const imports = valueImports(file);
  graph.set(
    file,
    imports.filter(name => name.startsWith(".")).map(name => posix.join(posix.dirname(file), name)),
  );
  foreign.push(...imports.filter(name => !name.startsWith(".") && !name.startsWith("node:")).map(name => `${file}: ${name}`));
}

test("there is something to check", () => {
  expect(files.length).toBeGreaterThan(5);
  expect([...graph.values()].flat().length).toBeGreaterThan(5);
});

test("every file stands on a floor", () => {
  expect(files.filter(file => floorOf(file) < 0)).toEqual([]);
});

test("value imports go down or stay on their floor", () => {
  const upward = files.flatMap(file =>
    graph
      .get(file)!
      .filter(to => floorOf(to) > floorOf(file))
      .map(to => `${file} -> ${to}`),
  );
  expect(upward).toEqual([]);
});

test("value imports lead to files that are there", () => {
  const missing = files.flatMap(file =>
    graph
      .get(file)!
      .filter(to => !graph.has(to))
      .map(to => `${file} -> ${to}`),
  );
  expect(missing).toEqual([]);
});

test("no circle of value imports", () => {
  expect(files.map(circleFrom).filter(circle => circle !== null)).toEqual([]);
});

/** A way from a file back to itself, or null. */
function circleFrom(start: string): string | null {
  const seen = new Set<string>();
  const walk = (file: string, way: string[]): string | null => {
    for (const to of graph.get(file) ?? []) {
      if (to === start) return [...way, to].join(" -> ");
      if (seen.has(to)) continue;
      seen.add(to);
      const circle = walk(to, [...way, to]);
      if (circle !== null) return circle;
    }
    return null;
  };
  return walk(start, [start]);
}

test("the core needs no package, and nothing of Node before it runs", () => {
  expect(foreign).toEqual([]);
  const early = files.flatMap(file =>
    parse(file)
      .statements.filter(ts.isImportDeclaration)
      .filter(node => node.importClause?.phaseModifier !== ts.SyntaxKind.TypeKeyword && node.moduleSpecifier.getText().includes("node:"))
      .map(node => `${file}: ${node.getText()}`),
  );
  expect(early).toEqual([]);
});

test(`no file of more than ${MAX_LINES} lines`, () => {
  const long = files.map(file => [file, textOf(file).split("\n").length - 1] as const).filter(([, lines]) => lines > MAX_LINES);
  expect(long).toEqual([]);
});

test("folders stay small and shallow", () => {
  const entries = new Map<string, Set<string>>();
  for (const file of filesBelow("src")) {
    const parts = file.split("/");
    expect(parts.length - 1, `folders above ${file}`).toBeLessThanOrEqual(MAX_DEPTH);
    for (let i = 1; i < parts.length; i++) {
      const folder = parts.slice(0, i).join("/");
      entries.set(folder, (entries.get(folder) ?? new Set()).add(parts[i]!));
    }
  }
  const full = [...entries].filter(([folder, inside]) => inside.size > (folder === "src" ? MAX_FILES_IN_SRC : MAX_FILES));
  expect(full.map(([folder, inside]) => `${folder}: ${inside.size}`)).toEqual([]);
});

test("no name that says nothing", () => {
  const vague = files.filter(file => VAGUE.test(file));
  for (const file of files) {
    for (const node of nodesOf(parse(file))) {
      if (!ts.isDeclarationStatement(node) && !ts.isVariableDeclaration(node)) continue;
      const name = node.name?.getText() ?? "";
      if (VAGUE.test(name)) vague.push(`${file}: ${name}`);
    }
  }
  expect(vague).toEqual([]);
});
