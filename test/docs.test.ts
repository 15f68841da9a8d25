/** What the documentation quotes and lists is there: pieces of source word for word, functions by their names. Its programs are run by examples.test.ts. */
import { existsSync } from "node:fs";
import { join, posix } from "node:path";
import * as nabla from "nabla";
import { expect, test } from "vitest";
import { filesBelow, ROOT, textOf } from "./support/source.ts";

const pages = filesBelow("").filter(path => path.endsWith(".md"));

test("quoted source is the source", () => {
  // A block whose fence names a file of the repository.
  const quotes = pages.flatMap(page => [...textOf(page).matchAll(/^```ts (\S+\/\S+)\n([\s\S]*?)^```/gm)].map(found => [page, ...found]));
  expect(quotes.length).toBeGreaterThan(1);
  expect(quotes.filter(([, , file, quote]) => !textOf(file!).includes(quote!)).map(([page, , file]) => `${page}: ${file}`)).toEqual([]);
});

test("files that pages name are there", () => {
  const missing = pages.flatMap(page =>
    [...textOf(page).matchAll(/\]\(([^)#:]+)\)|`((?:src|test|docs|bench|tour|page|scripts)\/[\w./-]+\.\w+)`/g)]
      .map(([, link, name]) => (link === undefined ? name! : posix.join(posix.dirname(page), link)))
      .filter(path => !existsSync(join(ROOT, path)))
      .map(path => `${page}: ${path}`),
  );
  expect(missing).toEqual([]);
});

/** The names in a table of the README that begins with `| of |`: a column of namespaces and one of their functions. */
function listed(): [string, string][] {
  const table = /^\| of \|.*\n\|.*\n((?:\|.*\n)+)/m.exec(textOf("README.md"))?.[1] ?? "";
  return table
    .trim()
    .split("\n")
    .flatMap(row => {
      const [, of, names] = row.split("|");
      const space = /`([\w.]+)`/.exec(of!)?.[1] ?? "";
      return [...names!.matchAll(/`(\w+)`/g)].map(([, name]): [string, string] => [space, name!]);
    });
}

test("what the README says is there is there", () => {
  const names = listed();
  expect(names.length).toBeGreaterThan(80);
  const has = ([space, name]: [string, string]): boolean => {
    let at: unknown = { ...nabla, array: nabla.NDArray.prototype };
    for (const part of space === "" ? [name] : [...space.split("."), name]) {
      if ((typeof at !== "object" && typeof at !== "function") || at === null || !(part in at)) return false;
      at = space === "array" && at === nabla.NDArray.prototype ? undefined : (at as Record<string, unknown>)[part];
    }
    return true;
  };
  expect(names.filter(name => !has(name)).map(([space, name]) => `${space}.${name}`)).toEqual([]);
});
