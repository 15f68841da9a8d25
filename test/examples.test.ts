/**
 * The documentation is true: every example in it runs, gives what the comment beside it says, and has the types that a
 * user's compiler would ask for; and every public function has one.
 */
import { dirname, join } from "node:path";
import { inspect } from "node:util";
import ts from "typescript";
import { beforeAll, describe, expect, test } from "vitest";
import { run, show } from "../scripts/notebook.mjs";
import * as nabla from "../src/index.ts";
import { type Example, findExamples } from "./support/examples.ts";
import { ROOT } from "./support/source.ts";

/** Public functions whose example is still to be written. */
const PENDING: ReadonlySet<string> = new Set<string>([]);

const examples = findExamples();
const scope: Record<string, unknown> = { ...nabla };

/** What an import gets: paths are relative to the page that the example stands on. */
const loadFor =
  (file: string) =>
  (specifier: string): unknown =>
    specifier === "nabla" ? nabla : import(specifier.startsWith(".") ? join(ROOT, dirname(file), specifier) : specifier);

/** A comment may write the line breaks of a printed array as blanks or as \n, and leave out the blanks that Node puts inside brackets. */
function normalise(text: string): string {
  const line = text.replace(/\s*(\n|\\n)\s*/g, " ").trim();
  return line.includes("array(") ? line : line.replace(/([[{]) | ([\]}])/g, "$1$2");
}

function texts(value: unknown, threw: boolean): string[] {
  if (threw) {
    const { name, message } = value as Error;
    return [name, `${name}: ${message}`];
  }
  return typeof value === "string" ? [inspect(value), JSON.stringify(value)] : [show(value)];
}

async function check({ file, line, source }: Example): Promise<void> {
  const wrong: string[] = [];
  try {
    await run(source, {
      load: loadFor(file),
      scope: { ...scope, console: { log: () => {} } },
      onValue: (statement, value, threw) => {
        if (statement.claim === "") return;
        const actual = texts(value, threw).map(normalise);
        if (!actual.includes(normalise(statement.claim))) {
          wrong.push(`${file}:${line + statement.line - 1}: ${statement.text}\n  gives ${actual.at(-1)}\n  not   ${statement.claim}`);
        }
      },
    });
  } catch (error) {
    const at = line + ((error as { line?: number }).line ?? 1) - 1;
    wrong.push(`${file}:${at}: ${error}`);
  } finally {
    nabla.npx.setNp();
  }
  if (nabla.autograd.isRecording()) wrong.push(`${file}:${line}: recording is still on at the end`);
  expect(wrong.join("\n")).toBe("");
}

describe("examples give what they say", () => {
  test("there are some", () => expect(examples.length).toBeGreaterThan(20));
  for (const example of examples) test(`${example.file}:${example.line}`, () => check(example));
});

describe("as a compiler sees them", () => {
  const virtual = new Map<string, string>();
  const nameOf = (i: number) => join(ROOT, dirname(examples[i]!.file), `example-${i}.ts`);
  let program: ts.Program;
  let checker: ts.TypeChecker;

  beforeAll(() => {
    const config = ts.getParsedCommandLineOfConfigFile(
      `${ROOT}tsconfig.json`,
      {},
      { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => {} },
    )!;
    examples.forEach((example, i) => void virtual.set(nameOf(i), `${example.source}\nexport {};\n`));
    // The public names without an import, as the examples use them; a declaration of the same name hides them.
    const names = Object.keys(nabla).map(name => `  const ${name}: typeof import("../src/index.ts").${name};`);
    const globals = `declare global {\n${names.join("\n")}\n  type NDArray = import("../src/index.ts").NDArray;\n}\nexport {};\n`;
    virtual.set(`${ROOT}test/example-names.ts`, globals);
    const host = ts.createCompilerHost(config.options, true);
    const { fileExists, readFile, getSourceFile } = host;
    host.fileExists = path => virtual.has(path) || fileExists(path);
    host.readFile = path => virtual.get(path) ?? readFile(path);
    host.getSourceFile = (path, options, ...rest) => {
      const text = virtual.get(path);
      return text === undefined ? getSourceFile(path, options, ...rest) : ts.createSourceFile(path, text, options, true);
    };
    program = ts.createProgram([`${ROOT}src/index.ts`, ...virtual.keys()], config.options, host);
    checker = program.getTypeChecker();
  });

  test("examples have the right types", () => {
    const wrong = examples.flatMap((example, i) => {
      const file = program.getSourceFile(nameOf(i))!;
      return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(found => {
        const at = example.line + file.getLineAndCharacterOfPosition(found.start ?? 0).line;
        return `${example.file}:${at}: ${ts.flattenDiagnosticMessageText(found.messageText, "\n")}`;
      });
    });
    expect(wrong.join("\n")).toBe("");
  });

  /** The public functions, by the name a user writes. */
  function publicFunctions(): Map<string, ts.Symbol> {
    const found = new Map<string, ts.Symbol>();
    const resolve = (symbol: ts.Symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol);
    const visit = (symbols: readonly ts.Symbol[], prefix: string, depth: number): void => {
      for (const alias of symbols) {
        const symbol = resolve(alias);
        if (!(symbol.flags & ts.SymbolFlags.Value)) continue;
        const type = checker.getTypeOfSymbol(symbol);
        const name = `${prefix}${alias.name}`;
        if (type.getCallSignatures().length > 0) found.set(name, symbol);
        else if (isNamespace(type) && depth < 2) visit(checker.getPropertiesOfType(type), `${name}.`, depth + 1);
      }
    };
    const index = checker.getSymbolAtLocation(program.getSourceFile(`${ROOT}src/index.ts`)!)!;
    visit(checker.getExportsOfModule(index), "", 0);
    return found;
  }

  /** np, npx, autograd and what hangs below them; not classes, arrays or constants. */
  const isNamespace = (type: ts.Type): boolean =>
    type.getConstructSignatures().length === 0 &&
    (type.flags & ts.TypeFlags.Object) !== 0 &&
    !type.isClass() &&
    type.symbol !== undefined &&
    (type.symbol.flags & (ts.SymbolFlags.ValueModule | ts.SymbolFlags.ObjectLiteral)) !== 0;

  test("every public function has an example on hover", () => {
    const all = publicFunctions();
    expect(all.size).toBeGreaterThan(20);
    const has = (symbol: ts.Symbol) => symbol.getJsDocTags(checker).some(tag => tag.name === "example");
    const missing = [...all].filter(([name, symbol]) => !has(symbol) && !PENDING.has(name)).map(([name]) => name);
    const done = [...PENDING].filter(name => !all.has(name) || has(all.get(name)!));
    expect(missing, "without an example").toEqual([]);
    expect(done, "pending no longer").toEqual([]);
  });
});
