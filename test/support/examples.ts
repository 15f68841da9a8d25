/** Finds the examples of the documentation: `@example` in comments of src/, ts blocks in README.md and docs/. Runs nothing. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { filesBelow, ROOT, textOf } from "./source.ts";

export interface Example {
  readonly file: string;
  /** The line of the file on which the source's first line stands, counted from 1. */
  readonly line: number;
  readonly source: string;
}

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split("\n").length;

const withoutFences = (source: string): string => source.replace(/^ *```.*$/gm, "");

/** An example ends where the next tag or the comment does. */
function examplesOfComments(file: string): Example[] {
  const text = textOf(file);
  const found: Example[] = [];
  for (const comment of text.matchAll(/\/\*\*[\s\S]*?\*\//g)) {
    for (const tag of comment[0].matchAll(/@example\b[ \t]*([\s\S]*?)(?=\n[ \t*]*@\w|@example\b|\*\/$)/g)) {
      const start = comment.index + tag.index + tag[0].length - tag[1]!.length;
      const source = tag[1]!.replace(/\n[ \t]*\* ?/g, "\n").trimEnd();
      found.push({ file, line: lineAt(text, start), source: withoutFences(source) });
    }
  }
  return found;
}

/** A block marked `ts continued` goes on where the block before it stopped. */
function examplesOfPage(file: string): Example[] {
  const text = textOf(file);
  const found: Example[] = [];
  for (const block of text.matchAll(/^```ts( continued)?[ \t]*\n([\s\S]*?)^```/gm)) {
    const line = lineAt(text, block.index) + 1;
    const source = block[2]!.trimEnd();
    const before = found.at(-1);
    if (block[1] && before) {
      const gap = "\n".repeat(line - before.line - before.source.split("\n").length + 1);
      found[found.length - 1] = { ...before, source: before.source + gap + source };
    } else found.push({ file, line, source });
  }
  return found;
}

export function findExamples(): Example[] {
  const sources = filesBelow("src").filter(path => path.endsWith(".ts"));
  const docs = existsSync(join(ROOT, "docs")) ? filesBelow("docs") : [];
  const pages = [...filesBelow("").filter(path => path === "README.md"), ...docs.filter(path => path.endsWith(".md"))];
  return [...sources.flatMap(examplesOfComments), ...pages.flatMap(examplesOfPage)];
}
