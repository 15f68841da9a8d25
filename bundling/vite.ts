/**
 * A plugin for Vite, Rolldown and Rollup: a bundle has only those methods of arrays that its modules name. Runs while a
 * program is built and is no part of it; nothing of src/ knows it.
 */
import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A module as a bundler resolved it. What else it says (side effects, the package it is of) goes back to `load` as it is. */
interface Resolution {
  readonly id: string;
  readonly external?: boolean | "absolute" | "relative";
}

interface Module {
  readonly id: string;
  readonly code: string | null;
  readonly isEntry: boolean;
  readonly importedIds: readonly string[];
  readonly dynamicallyImportedIds: readonly string[];
  readonly exports: readonly string[] | null;
  /** Rollup alone says how the imports were resolved. */
  readonly importedIdResolutions?: readonly Resolution[];
  readonly dynamicallyImportedIdResolutions?: readonly Resolution[];
}

/** What the plugin needs of a bundler: the part that the contexts of Rolldown's and of Rollup's hooks share. */
interface Bundler {
  getModuleIds(): Iterable<string>;
  getModuleInfo(id: string): Module | null;
  load(module: { id: string; resolveDependencies?: boolean; moduleSideEffects?: boolean }): Promise<Module | null>;
  /** Rolldown is told the language, Rollup (which sees no TypeScript) whether there may be JSX. */
  parse(code: string, options?: { lang?: "js" | "jsx" | "ts" | "tsx"; jsx?: boolean }): object;
  resolve(
    source: string,
    importer?: string,
    options?: { isEntry?: boolean; skipSelf?: boolean; kind?: "import-statement" | "dynamic-import" | "require-call" },
  ): Promise<Resolution | null>;
}

/** The plugin: a `Plugin` of Vite, of Rolldown and of Rollup. */
export interface NablaPlugin {
  readonly name: "nabla";
  /** Vite: not while developing, where every method is there. */
  readonly apply: "build";
  readonly enforce: "pre";
  buildStart(): void;
  readonly resolveId: {
    readonly order: "pre";
    handler(
      this: Bundler,
      source: string,
      importer: string | undefined,
      options: { readonly isEntry: boolean },
    ): Promise<{ id: string; moduleSideEffects: true } | null>;
  };
  readonly load: { readonly order: "pre"; readonly filter: { id: RegExp }; handler(id: string): string | null };
  /** Rollup: the list is made anew in every build of watch mode. */
  shouldTransformCachedModule(module: { readonly id: string }): boolean;
  readonly transform: {
    readonly order: "pre";
    readonly filter: { id: RegExp };
    handler(this: Bundler, code: string, id: string): Promise<{ code: string; map: { mappings: "" } } | null>;
  };
}

/** The list of the methods, in the package that this file is of. */
const MEMBERS = realpathSync(fileURLToPath(new URL("../members.js", import.meta.url)));
/** What the reduced list is called: it stands beside the whole one, so that it is one of nabla's own modules. */
const REDUCED = "?named";
/** Its name and the names of marks (see wordsOf). Bundlers that know filters ask for nothing else. */
const FILTER = { id: /[\\/]members\.js\?named\d*$/ };

const isReduced = (id: string): boolean => id.endsWith(REDUCED) && isMembers(id.slice(0, -REDUCED.length));

function isMembers(path: string): boolean {
  try {
    return realpathSync(path) === MEMBERS;
  } catch {
    return false;
  }
}

/**
 * Leaves out of a bundle the methods of NDArray that no module of the program names, with all that only they need. A
 * method is named by its name anywhere in a module's code: as an identifier, as a property, or within a string. In `keep`
 * stand those that are reached by names made at run time alone. Calling one that was left out is a ValueError that says
 * so. Only builds are reduced: Vite's server for developing has every method. The bundle of a worker has plugins of its own.
 * @throws TypeError for a `keep` that is no list of strings; and the build fails where a name in it is no method.
 * @example
 * // vite.config.js
 * import { nabla } from "nabla/vite";
 * export default { plugins: [nabla({ keep: ["median"] })], worker: { plugins: () => [nabla()] } };
 */
export function nabla(options: { readonly keep?: readonly string[] } = {}): NablaPlugin {
  const keep: unknown = options.keep ?? [];
  if (!Array.isArray(keep) || !keep.every(name => typeof name === "string"))
    throw new TypeError('nabla: keep must be a list of methods\' names, as nabla({ keep: ["median"] })');
  let entries: Promise<Resolution | null>[] = [];
  return {
    name: "nabla",
    apply: "build",
    enforce: "pre",
    buildStart() {
      entries = [];
    },
    // Without a filter, so as to hear of every entry. That costs 15 microseconds for each import.
    resolveId: {
      order: "pre",
      async handler(source, importer, { isEntry }) {
        if (isEntry) entries.push(this.resolve(source, importer, { isEntry, skipSelf: true }).catch(() => null));
        if (!/(?:^|[\\/])members\.js$/.test(source) || importer === undefined || isReduced(importer)) return null;
        const whole = await this.resolve(source, importer, { skipSelf: true });
        return whole && isMembers(whole.id) ? { id: whole.id + REDUCED, moduleSideEffects: true } : null;
      },
    },
    load: {
      order: "pre",
      filter: FILTER,
      handler: id => (FILTER.id.test(id) && isMembers(id.replace(/\?named\d*$/, "")) ? "export {};" : null),
    },
    shouldTransformCachedModule: ({ id }) => isReduced(id),
    // Here and not in load, of which Rollup runs only so many at a time: this one waits for all others.
    transform: {
      order: "pre",
      filter: FILTER,
      async handler(_, id) {
        if (!isReduced(id)) return null;
        const whole = id.slice(0, -REDUCED.length);
        const names = [...((await this.load({ id: whole }))?.exports ?? [])].sort();
        const unknown = keep.filter(name => !names.includes(name));
        if (unknown.length > 0)
          throw new Error(`nabla: keep lists ${unknown.join(", ")}, which is not a method of arrays that can be left out`);
        const words = await wordsOf(this, entries, whole);
        const named = (name: string): boolean => words.has(name) || keep.includes(name);
        const left = names.filter(name => !named(name));
        return { code: reduced(names.filter(named), left), map: { mappings: "" } };
      },
    },
  };
}

/** The list without the methods that are left out, which throw. Symbols of npx.fuse have the methods of arrays too. */
function reduced(names: readonly string[], left: readonly string[]): string {
  return `
export { ${names.join(", ")} } from "./members.js";
import { NDArray } from "./array.js";
import { ValueError } from "./errors.js";
import { Traced } from "./expr.js";
for (const name of ${JSON.stringify(left.join(" "))}.match(/\\w+/g) ?? []) {
  const value = () => {
    throw new ValueError(\`\${name}: this bundle has no such method, since no module names it; list it in nabla({ keep: ["\${name}"] })\`);
  };
  for (const { prototype } of [NDArray, Traced]) Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
}
`;
}

/**
 * The words of every module of the program except nabla's own, which stand beside its list: the graph from the entries,
 * loaded as the bundler would. Own modules are never waited for, as they wait for this.
 */
async function wordsOf(bundler: Bundler, entries: Promise<Resolution | null>[], list: string): Promise<ReadonlySet<string>> {
  const own = list.slice(0, -"members.js".length);
  const words = new Set<string>();
  const seen = new Set<string>();
  const visit = async (resolution: Resolution): Promise<void> => {
    if (seen.has(resolution.id)) return;
    seen.add(resolution.id);
    // Another copy of nabla has a list that waits as well.
    if (resolution.id.startsWith(own) || FILTER.id.test(resolution.id)) return;
    const module = await bundler.load({ ...resolution, resolveDependencies: true });
    // One that cannot be loaded fails the build elsewhere.
    if (module === null) return;
    addWords(bundler, module, words);
    await Promise.all((await importsOf(bundler, module, seen)).map(visit));
  };
  for (let round = 0; ; round++) {
    // Plugins add entries while they read other modules. Rolldown has taken them up when it comes to a module asked for later.
    await bundler.load({ id: `${list}${REDUCED}${round}`, moduleSideEffects: false });
    const known: (Resolution | null)[] = await Promise.all(entries);
    for (const id of bundler.getModuleIds())
      if ((bundler.getModuleInfo(id)?.code ?? null) !== null && !FILTER.id.test(id)) known.push({ id });
    const more = known.filter(module => module !== null && !module.external && !seen.has(module.id));
    if (more.length === 0) return words;
    await Promise.all(more.map(module => visit(module!)));
  }
}

/** Where a module says what it imports, whatever else looks like that: `from "a"`, `import "a"`, `import("a")`, `require("a")`. */
const SPECIFIER = /\b(from|import|require)\b\s*(\()?(?:\s|\/\*.*?\*\/)*(["'`])((?:(?!\3)[^\\\n])+)\3/gs;

/**
 * The imports of a module that are not external. Rolldown tells an external import from a module that is still loading
 * only where it is resolved, and waiting for it would never end.
 */
async function importsOf(bundler: Bundler, module: Module, seen: ReadonlySet<string>): Promise<Resolution[]> {
  if (module.importedIdResolutions)
    return [...module.importedIdResolutions, ...(module.dynamicallyImportedIdResolutions ?? [])].filter(({ external }) => !external);
  const found: Resolution[] = [];
  const open = new Set<string>();
  for (const id of [...module.importedIds, ...module.dynamicallyImportedIds])
    if (!seen.has(id)) {
      const known = bundler.getModuleInfo(id);
      if (known !== null && (known.code !== null || id.startsWith("\0"))) found.push({ id });
      else open.add(id);
    }
  if (open.size === 0) return found;
  const resolved = new Map<string, Resolution | null>();
  const resolve = async (source: string, kind?: "import-statement" | "dynamic-import" | "require-call"): Promise<void> => {
    const resolution = await bundler.resolve(source, module.id, kind && { kind }).catch(() => null);
    // What is not found stays external under its own name, or fails the build elsewhere.
    resolved.set(resolution?.id ?? source, resolution);
  };
  await Promise.all(
    [...(module.code ?? "").matchAll(SPECIFIER)].map(([, word, call, , source]) =>
      resolve(source!, word === "require" ? "require-call" : call ? "dynamic-import" : "import-statement"),
    ),
  );
  for (const id of open) {
    // What compilers import by themselves stands in no code.
    if (!resolved.has(id)) await resolve(id);
    const resolution = resolved.get(id) ?? (id.startsWith("\0") ? { id } : null);
    if (resolution && !resolution.external) found.push(resolution);
  }
  return found;
}

/** Adds the words in a module's identifiers, properties and strings; all its words where it is not a program. */
function addWords(bundler: Bundler, { id, code }: Module, words: Set<string>): void {
  const [, lang = "js"] = /\.[cm]?(jsx|tsx?)(?:\?|$)/.exec(id) ?? [];
  const rest: unknown[] = [code];
  try {
    rest[0] = bundler.parse(code ?? "", { lang: lang as "jsx" | "ts" | "tsx", jsx: lang.endsWith("x") });
  } catch {}
  // No recursion: the sum of ten thousand strings is a tree of that depth.
  while (rest.length > 0) {
    const part = rest.pop();
    if (typeof part === "string") for (const word of part.match(/[A-Za-z_]\w*/g) ?? []) words.add(word);
    else if (typeof part === "object" && part !== null)
      for (const [key, value] of Object.entries(part)) if (!SYNTAX.has(key)) rest.push(value);
  }
}

/** What the nodes of a tree say in words of the language, as "var", "set" and "delete". */
const SYNTAX: ReadonlySet<string> = new Set(["type", "kind", "operator", "comments"]);
