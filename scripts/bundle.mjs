/**
 * The one file that Node imports, for a short start: half of a cold start would go into loading fifty files, and a fifth
 * into reading comments and long names. Functions and classes keep their names, for whoever meets them in an error's stack.
 */
// @ts-check
import { buildSync, transformSync } from "esbuild";
import { parseAst } from "vite";

/**
 * @typedef {{ type: string, start: number, end: number, [key: string]: any }} Tree A part of a program.
 * @typedef {{ start: number, end: number, by: string }} Edit
 */

/** @param {string} text @param {Edit[]} edits which do not overlap */
function edited(text, edits) {
  let [out, at] = ["", 0];
  for (const { start, end, by } of edits.sort((a, b) => a.start - b.start)) {
    out += text.slice(at, start) + by;
    at = end;
  }
  return out + text.slice(at);
}

/** @param {string} text @returns {Tree[]} */
const statementsOf = text => /** @type {any} */ (parseAst(text)).body;

/**
 * Namespaces with their members as they are, filled where they are first read or at the end, and not with a getter for
 * every name: all they hold is constant.
 * @param {string} text
 */
function plainNamespaces(text) {
  /** @type {Edit[]} */
  const edits = [];
  const statements = statementsOf(text);
  const end = statements.at(-1)?.start ?? 0;
  /** @param {Tree} statement */
  const isSpace = ({ type, expression }) => type === "ExpressionStatement" && expression.callee?.name === "__export";
  const others = statements.filter(s => s.type === "ExpressionStatement" && !isSpace(s));
  for (const { start, end: stop, expression } of statements.filter(isSpace)) {
    const [space, list] = expression.arguments;
    const members = list.properties.map((/** @type {Tree} */ p) => `${p.key.name}: ${p.value.body.name}`);
    const reader = others.find(s => text.slice(s.start, s.end).includes(space.name));
    const at = reader?.start ?? end;
    edits.push(
      { start, end: stop, by: "" },
      { start: at, end: at, by: `Object.freeze(Object.assign(${space.name}, { ${members.join(", ")} }));\n` },
    );
  }
  return edited(text, edits);
}

/**
 * Outermost arrow functions as function expressions, over whose bodies the engine skips until they are called: what is no
 * part of a function or class has no `this` to lose.
 * @param {string} text
 */
function lateFunctions(text) {
  /** @type {Edit[]} */
  const edits = [];
  /** @param {unknown} part */
  const visit = part => {
    if (typeof part !== "object" || part === null) return;
    const { type, start, end, body, async } = /** @type {Tree} */ (part);
    if (type === "ArrowFunctionExpression" && !async) {
      const arrow = text.lastIndexOf("=>", body.start);
      const parameters = text.slice(start, arrow).trim();
      const value = text.slice(arrow + 2, end).trim();
      const list = parameters.startsWith("(") ? parameters : `(${parameters})`;
      edits.push({ start, end, by: `function${list}${body.type === "BlockStatement" ? value : `{ return ${value} }`}` });
    } else if (typeof type !== "string" || !/Function|Class/.test(type)) for (const inner of Object.values(part)) visit(inner);
  };
  visit(statementsOf(text));
  return edited(text, edits);
}

/** @param {string} entry a compiled module @returns {string} it and all it imports, as one module */
export function bundle(entry) {
  const built = buildSync({ entryPoints: [entry], write: false, bundle: true, format: "esm", target: "es2022" });
  const text = lateFunctions(plainNamespaces(built.outputFiles[0]?.text ?? ""));
  // Without its exports the text is a script to esbuild, whose outermost names it leaves alone.
  const exported = text.lastIndexOf("export {");
  return transformSync(text.slice(0, exported), { minify: true, lineLimit: 120, target: "es2022" }).code + text.slice(exported);
}
