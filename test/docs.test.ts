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

/** The names in the README's list of what works: each with what it belongs to, as `np.linalg`, "nabla" or "methods". */
function listed(): [string, string][] {
  const section = /^## What works today\n([\s\S]*?)^## /m.exec(textOf("README.md"))![1]!;
  return [...section.matchAll(/^- (?:from )?[`"]*([\w.]+)[^:\n]*:([^\n]*(?:\n {2}[^\n]*)*)/gm)].flatMap(([, of, names]) =>
    [...names!.matchAll(/`(\w+)`/g)].map(([, name]): [string, string] => [of!, name!]),
  );
}

test("what the README says is there is there", () => {
  const names = listed();
  expect(names.length).toBeGreaterThan(80);
  const owners: Readonly<Record<string, object>> = {
    nabla,
    np: nabla.np,
    npx: nabla.npx,
    autograd: nabla.autograd,
    "np.linalg": nabla.np.linalg,
    "np.random": nabla.np.random,
    methods: nabla.NDArray.prototype,
  };
  expect(names.filter(([of, name]) => !(name in owners[of]!)).map(([of, name]) => `${of}: ${name}`)).toEqual([]);
});
