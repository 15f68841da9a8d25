/**
 * Runs TypeScript source statement by statement and reports the value of each expression: the tour's cells and the
 * examples of the documentation are executed by this. Knows nothing of arrays.
 */
// @ts-check
import { inspect } from "node:util";
import vm from "node:vm";
import ts from "typescript";

/**
 * @typedef {object} Statement
 * @property {string} text The source of the statement.
 * @property {number} start Where it starts in the source, without comments before it.
 * @property {number} line The line it starts on, counted from 1.
 * @property {string} claim What the comment after it says its value is; empty where there is none.
 * @property {boolean} isExpression
 */

/**
 * Reads a source into statements with the comments that follow them: `expression; // value`. A claim whose brackets are
 * still open goes on in the next comment lines.
 * @param {string} source
 */
function parse(source) {
  const file = ts.createSourceFile("notebook.ts", source, ts.ScriptTarget.ES2022, true);
  const nodes = [...file.statements];
  const statements = nodes.map(node => {
    const start = node.getStart(file);
    const line = file.getLineAndCharacterOfPosition(start).line + 1;
    return {
      node,
      text: node.getText(file),
      start,
      line,
      claim: claimAfter(source, node.end),
      isExpression: ts.isExpressionStatement(node),
    };
  });
  return { file, statements };
}

/** @param {string} text */
const depth = text => (text.match(/[[({]/g)?.length ?? 0) - (text.match(/[\])}]/g)?.length ?? 0);

/** @param {string} source @param {number} end */
function claimAfter(source, end) {
  const lines = source.slice(end).split("\n");
  let claim = /^[;\s]*\/\/ ?(.*?)\s*$/.exec(lines[0] ?? "")?.[1] ?? "";
  for (let i = 1; depth(claim) > 0; i++) {
    const more = /^\s*\/\/ ?(.*?)\s*$/.exec(lines[i] ?? "");
    if (!more) break;
    claim += `\n${more[1]}`;
  }
  return claim;
}

/** An import as a declaration that asks the caller for the module; nothing for a type import. @param {ts.ImportDeclaration} node */
function importAsDeclaration(node) {
  const clause = node.importClause;
  const from = `await $import(${node.moduleSpecifier.getText()})`;
  if (!clause) return `${from};`;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return "";
  const named = clause.namedBindings;
  if (named && ts.isNamespaceImport(named)) return `const ${named.name.text} = ${from};`;
  const names = (named?.elements ?? [])
    .filter(e => !e.isTypeOnly)
    .map(e => (e.propertyName ? `${e.propertyName.getText()}: ${e.name.text}` : e.name.text));
  if (clause.name) names.unshift(`default: ${clause.name.text}`);
  return `const { ${names.join(", ")} } = ${from};`;
}

/** Whether a claim is an error that the statement must throw. @param {string} claim */
export const claimsError = claim => /^[A-Z]\w*Error\b/.test(claim);

/**
 * Runs a source. `onValue` is called right after each expression statement with its value, or with the error that an
 * expression threw whose claim names one.
 * @param {string} source
 * @param {object} options
 * @param {(specifier: string) => unknown} options.load What an import in the source gets.
 * @param {Record<string, unknown>} [options.scope] More names that the source sees.
 * @param {(statement: Statement) => void} [options.onStatement] Called before each statement.
 * @param {(statement: Statement, value: unknown, threw: boolean) => void} options.onValue
 */
export async function run(source, { load, scope = {}, onStatement, onValue }) {
  const { file, statements } = parse(source);
  /** @type {Statement | undefined} */
  let at;
  const body = statements.map(({ node, text, claim, isExpression }, i) => {
    if (ts.isImportDeclaration(node)) return importAsDeclaration(node);
    if (isExpression) {
      const expression = /** @type {ts.ExpressionStatement} */ (node).expression.getText(file);
      const show = `$value(${i}, ${expression});`;
      return claimsError(claim) ? `$at(${i}); try { ${show} } catch (error) { $threw(${i}, error); }` : `$at(${i}); ${show}`;
    }
    const bare = text.replace(/^export /, "");
    // A declaration with its value beside it is held to it too.
    const name = ts.isVariableStatement(node) && node.declarationList.declarations[0]?.name.getText(file);
    return `$at(${i}); ${bare}${name && /^\[?array\(/.test(claim) ? `; $value(${i}, ${name});` : ""}`;
  });
  const names = Object.keys(scope);
  // In a block of its own, so that the source may declare a name again that it was given.
  const wrapped = `(async ($import, $at, $value, $threw, ${names.join(", ")}) => {{\n${body.join("\n")}\n}})`;
  const script = ts.transpile(wrapped, { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext });
  const start = vm.runInThisContext(script, { filename: "notebook.js" });
  /** @param {number} i */
  const statementOf = i => /** @type {Statement} */ (statements[i]);
  try {
    await start(
      load,
      /** @param {number} i */ i => {
        at = statementOf(i);
        onStatement?.(at);
      },
      /** @param {number} i @param {unknown} value */ (i, value) => onValue(statementOf(i), value, false),
      /** @param {number} i @param {unknown} error */ (i, error) => onValue(statementOf(i), error, true),
      ...Object.values(scope),
    );
  } catch (error) {
    throw Object.assign(/** @type {Error} */ (error), { line: at?.line });
  }
}

const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/** Whether a value, or something in nested lists, prints itself. @param {unknown} value @returns {boolean} */
const printsItself = value =>
  Array.isArray(value) ? value.some(printsItself) : typeof value === "object" && value !== null && INSPECT in value;

/** A value as a REPL shows it; lists that hold arrays the way Python writes them. @param {unknown} value @returns {string} */
export function show(value) {
  if (Array.isArray(value) && printsItself(value)) return `[${value.map(show).join(", ")}]`;
  return inspect(value, { breakLength: 140, depth: 6 });
}
