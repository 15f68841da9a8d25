/** The plugin for bundlers: what it leaves out of a program, what it keeps, and that nabla itself misses none of it. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { autograd, checkGrad, checkpoint, grad, hessian, NDArray, np, npx, vmap } from "nabla";
import { nabla } from "nabla/vite";
import ts from "typescript";
import { build, type InlineConfig, type Plugin, type Rolldown, resolveConfig } from "vite";
import { afterAll, describe, expect, test } from "vitest";
import * as members from "../src/members.ts";
import { arraysFor, made, results, rows, sampled } from "./support/rows.ts";
import { randomNumbers, seedOf } from "./support/sampling.ts";
import { ROOT } from "./support/source.ts";

const NAMES = Object.keys(members);

const folder = mkdtempSync(join(tmpdir(), "nabla-bundling-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
mkdirSync(join(folder, "node_modules"));
symlinkSync(ROOT, join(folder, "node_modules/nabla"), "junction");
writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));

interface Built {
  /** Every file of the bundle, one after the other. */
  readonly text: string;
  /** The text of one file of the bundle. */
  readonly textOf: (start: string) => string;
  /** What the entry exports, run. */
  readonly run: () => Promise<Record<string, never>>;
}

let count = 0;

/** Builds files whose first is the entry, as a user does, in a folder of their own. */
async function built(files: Record<string, string>, plugins: Plugin[] = [nabla()], config: InlineConfig = {}): Promise<Built> {
  const root = join(folder, `program${count++}`);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  const entry = Object.keys(files)[0]!;
  const { output } = (await build({
    configFile: false,
    root,
    logLevel: "silent",
    ...config,
    plugins,
    build: {
      target: "es2022",
      modulePreload: false,
      ...config.build,
      rollupOptions: {
        input: join(root, entry),
        preserveEntrySignatures: "strict",
        output: { entryFileNames: "entry.js" },
        ...config.build?.rollupOptions,
      },
    },
  })) as Rolldown.RolldownOutput;
  const texts = output.map(file => [file.fileName, file.type === "chunk" ? file.code : String(file.source)] as const);
  return {
    text: texts.map(([, text]) => text).join("\n"),
    textOf: start => texts.filter(([name]) => name.startsWith(start)).map(([, text]) => text)[0]!,
    run: () => import(/* @vite-ignore */ pathToFileURL(join(root, "dist/entry.js")).href),
  };
}

/** The names that a bundle leaves out, as they stand in it; null where the plugin was not at work. */
const leftOut = (text: string): string[] | null => {
  const found = /(["'`])([\w ]*)\1\.match\(\/\\w\+\/g\)/.exec(text);
  return found && found[2]!.split(" ");
};
const kept = (text: string): string[] => NAMES.filter(name => !leftOut(text)!.includes(name)).sort();

describe("a program built with the plugin", () => {
  test("has what any of its modules names: in a circle, behind dynamic imports, in TypeScript, by other plugins, in strings", async () => {
    const other: Plugin = {
      name: "other",
      // A module under a name of the plugin's own that takes a while, and an import that stays outside.
      resolveId: source => {
        if (source === "virtual:made") return "\0made";
        return source === "outside" ? { id: "node:path", external: true } : null;
      },
      async load(id) {
        if (id !== "\0made") return null;
        await new Promise(resolve => setTimeout(resolve, 20));
        return "export const made = x => x.ptp();";
      },
      // An entry that no module imports.
      transform(_, id) {
        if (id.endsWith("late.ts")) this.emitFile({ type: "chunk", id: "./emitted.js", importer: id });
        return null;
      },
    };
    const files = {
      "main.js": `
        import { np } from "nabla";
        import { around } from "./circle.js";
        import { made } from "virtual:made";
        import { join } from "outside";
        // A word in a comment is no use: argsort.
        for (var word of ["a"]) delete { word }.word;
        export const x = np.arange(6);
        export const late = async () => (await import("./late.ts")).late(x);
        export const values = () => [around(), made(x), x["cumprod"](0), join("a", "b")].map(String);
      `,
      "circle.js": `import { x } from "./main.js"; export const around = () => { const { median } = x; return median.call(x); };`,
      "late.ts": `
        import type { NDArray } from "nabla";
        import { name } from "./deep/name.js";
        export const late = (x: NDArray): string => String((x as unknown as Record<string, () => NDArray>)[name]!());
      `,
      "deep/name.js": `export const name = \`\${""}cumsum\`;`,
      "emitted.js": `export const emitted = x => x.kron(x);`,
    };
    for (const plugins of [
      [nabla(), other],
      [other, nabla()],
    ]) {
      const { text, run } = await built(files, plugins);
      // Vite's own module for dynamic imports names a few others.
      expect(kept(text)).toEqual(expect.arrayContaining(["cumprod", "cumsum", "kron", "median", "ptp"]));
      expect(leftOut(text)).toEqual(expect.arrayContaining(["argsort", "delete", "var"]));
      const { values, late } = (await run()) as unknown as { values: () => string[]; late: () => Promise<string> };
      expect(values()).toEqual(["2.5", "5.0", "[0. 0. 0. 0. 0. 0.]", join("a", "b")]);
      expect(await late()).toBe("[ 0.  1.  3.  6. 10. 15.]");
    }
  });

  test("has what any of its entries and pages names, at every build anew", async () => {
    const page = (method: string): string =>
      `<script type="module">import { np } from "nabla"; postMessage(np.ones(3).${method}());</script><script type="module" src="./${method}.js"></script>`;
    const files = {
      "index.html": page("median"),
      "median.js": "postMessage(x => x.ptp());",
      "second.html": page("trace"),
      "trace.js": "postMessage(x => x.kron(x));",
    };
    const inputs = (...names: string[]): InlineConfig => ({
      build: { rollupOptions: { input: names.map(name => join(folder, `program${count}`, name)) } },
    });
    const plugin = nabla();
    expect(kept((await built(files, [plugin], inputs("index.html", "second.html"))).text)).toEqual(["kron", "median", "ptp", "trace"]);
    expect(kept((await built(files, [plugin], inputs("second.html"))).text)).toEqual(["kron", "trace"]);
  });

  test("leaves the bundle of a worker to the worker's plugins", async () => {
    const files = {
      "main.js": `
        import { np } from "nabla";
        export const w = () => new Worker(new URL("./work.js", import.meta.url), { type: "module" });
        export const x = () => np.ones(3).median();
      `,
      "work.js": `import { np } from "nabla"; postMessage(np.eye(3).trace().item());`,
    };
    const worker = (plugins: Plugin[]): InlineConfig => ({ worker: { format: "es", plugins: () => plugins } });
    const whole = await built(files, [nabla()], worker([]));
    expect(kept(whole.textOf("entry"))).toEqual(["median"]);
    expect(leftOut(whole.textOf("assets/work"))).toBeNull();
    const reduced = await built(files, [nabla()], worker([nabla()]));
    expect(kept(reduced.textOf("entry"))).toEqual(["median"]);
    expect(kept(reduced.textOf("assets/work"))).toEqual(["trace"]);
  });

  test("does not wait for another copy of nabla, nor for its plugin", async () => {
    const copy = join(folder, "copy");
    cpSync(join(ROOT, "dist"), join(copy, "dist"), { recursive: true });
    cpSync(join(ROOT, "package.json"), join(copy, "package.json"));
    const { nabla: another } = (await import(/* @vite-ignore */ pathToFileURL(join(copy, "dist/bundling/vite.js")).href)) as {
      nabla: typeof nabla;
    };
    const files = {
      "main.js": `
        import { np } from "nabla";
        import * as other from "../copy/dist/index.js";
        export const values = () => [np.ones(3).cumsum(), other.np.ones(3).cumprod()].map(String);
      `,
    };
    const { run } = await built(files, [nabla(), another()]);
    const { values } = (await run()) as unknown as { values: () => string[] };
    expect(values()).toEqual(["[1. 2. 3.]", "[1. 1. 1.]"]);
  });

  /** Calls a method by a name that no module spells out. */
  const CALL = `
    import { np, npx } from "nabla";
    const call = (x, ...parts) => x[parts.join("")](1);
    export const shown = (...parts) => { try { return String(call(np.arange(3), ...parts)); } catch (error) { return String(error); } };
    export const fused = (...parts) => { try { return String(npx.fuse(x => call(x, ...parts))(np.arange(3))); } catch (error) { return String(error); } };
  `;
  type Call = { shown: (...parts: string[]) => string; fused: (...parts: string[]) => string };

  test("says so where a method was left out, inside npx.fuse too", async () => {
    const { shown, fused } = (await (await built({ "main.js": CALL })).run()) as unknown as Call;
    const error = (name: string): string =>
      `ValueError: ${name}: this bundle has no such method, since no module names it; list it in nabla({ keep: ["${name}"] })`;
    expect(shown("ro", "ll")).toBe(error("roll"));
    expect(fused("a", "dd")).toBe(error("add"));
    expect(fused("re", "tainGrad")).toMatch("retainGrad: inside npx.fuse");
  });

  test("has what is kept", async () => {
    const { text, run } = await built({ "main.js": CALL }, [nabla({ keep: ["roll", "add"] })]);
    expect(kept(text)).toEqual(["add", "roll"]);
    const { shown, fused } = (await run()) as unknown as Call;
    expect(shown("ro", "ll")).toBe("[2. 0. 1.]");
    expect(fused("a", "dd")).toBe("[1. 2. 3.]");
  });

  test("has every method where every one is named", async () => {
    const program = `
      import { NDArray } from "nabla";
      export const names = ${JSON.stringify(NAMES.join(" "))}.split(" ");
      export const texts = names.map(name => String(NDArray.prototype[name]));
    `;
    const { text, run } = await built({ "main.js": program });
    expect(kept(text)).toEqual([...NAMES].sort());
    const { texts } = (await run()) as unknown as { texts: string[] };
    expect(texts).toHaveLength(NAMES.length);
    expect(texts.filter(text => !/\bthis\b/.test(text) || text.includes("no such method"))).toEqual([]);
  });

  test("is not built where something is kept that is no method, or a module has an error", async () => {
    const program = { "main.js": `import { NDArray } from "nabla"; console.log(NDArray);` };
    await expect(built(program, [nabla({ keep: ["sum", "medain"] })])).rejects.toThrow(
      "nabla: keep lists medain, which is not a method of arrays that can be left out",
    );
    expect(() => nabla({ keep: "sum" as unknown as string[] })).toThrow(TypeError);
    await expect(built({ ...program, "bad.js": "let = = 3;", "main.js": `import "nabla"; import "./bad.js";` })).rejects.toThrow(
      "Unexpected token",
    );
  });
});

test("a plugin of Vite and of Rolldown, for builds alone", async () => {
  const forVite: Plugin = nabla();
  const forRolldown: Rolldown.Plugin = nabla();
  expect(forVite.name).toBe(forRolldown.name);
  const plugins = async (command: "build" | "serve"): Promise<string[]> =>
    (await resolveConfig({ configFile: false, plugins: [nabla()] }, command)).plugins.map(({ name }) => name);
  expect(await plugins("build")).toContain("nabla");
  expect(await plugins("serve")).not.toContain("nabla");
});

describe("nabla itself", () => {
  test("calls none of these methods", () => {
    const { config } = ts.readConfigFile(join(ROOT, "tsconfig.build.json"), ts.sys.readFile);
    const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
    const program = ts.createProgram(fileNames, options);
    const checker = program.getTypeChecker();
    const isArray = (type: ts.Type): boolean =>
      (type.flags & ts.TypeFlags.Any) !== 0 ||
      (type.isUnionOrIntersection() ? type.types.some(isArray) : ["NDArray", "Mapped", "Traced"].includes(type.symbol?.name));
    const found: string[] = [];
    let others = 0;
    const visit = (node: ts.Node): void => {
      const name = ts.isPropertyAccessExpression(node)
        ? node.name.text
        : ts.isBindingElement(node)
          ? (node.propertyName ?? node.name).getText()
          : "";
      if (name !== "") {
        const of = ts.isPropertyAccessExpression(node) ? node.expression : node.parent;
        if (isArray(checker.getApparentType(checker.getTypeAtLocation(of)))) {
          if (NAMES.includes(name)) found.push(`${node.getSourceFile().fileName}: ${node.getText()}`);
          else others++;
        }
      }
      ts.forEachChild(node, visit);
    };
    for (const file of fileNames) visit(program.getSourceFile(file)!);
    // What there is of `x.shape`, `x.size` and the like, or this would find nothing ever.
    expect(others).toBeGreaterThan(500);
    expect(found).toEqual([]);
  });

  test("computes, differentiates, prints, reads and writes without them", () => {
    const { prototype } = NDArray;
    const whole = new Map(NAMES.map(name => [name, Object.getOwnPropertyDescriptor(prototype, name)!]));
    const called: string[] = [];
    const next = randomNumbers(seedOf("without methods"));
    const refuse = (name: string) => (): never => {
      called.push(name);
      throw new Error(name);
    };
    // The arguments of samples are made before, as they may be made by methods.
    const calls = sampled.flatMap(([, { fn, list }]) =>
      list.map(sample => {
        const xs = arraysFor(sample, "float64", next).map(x => x.attachGrad());
        return { fn, args: sample.args(...xs) };
      }),
    );
    for (const name of NAMES) Object.defineProperty(prototype, name, { value: refuse(name), configurable: true, writable: true });
    try {
      for (const { fn, args } of calls) {
        const ys = autograd.record(() => results(fn(...args)));
        for (const y of ys) {
          String(y);
          y.tolist();
          // Some have no derivative, and say so.
          try {
            autograd.record(() => np.sum(np.multiply(y, y))).backward();
          } catch {}
        }
      }
      for (const { fn, p } of rows) {
        const dtype = p.spec.dtype === "integer" ? "int32" : "float32";
        const xs = Array.from({ length: p.arity }, (_, i) => made(p, dtype, [3], i, next));
        String(fn(...xs));
        if (p.spec.grad !== null)
          grad(
            (...ys: NDArray[]) => np.sum(fn(...ys)),
            xs.map((_, i) => i),
          )(...xs);
      }
      const x = np.zeros([2, 3]);
      x.attachGrad();
      x.iadd(1).imul(2);
      expect(String([...x][0])).toBe("[2. 2. 2.]");
      expect(String(x.flatten())).toBe("[2. 2. 2. 2. 2. 2.]");
      expect(String(x.compress([false, true], 0))).toBe("[[2. 2. 2.]]");
      expect(String(x.T)).toContain("2.");
      const f = (v: NDArray): NDArray => np.sum(np.power(v, 3));
      expect(String(vmap(grad(f))([[1], [2]]))).toBe("[[ 3.]\n [12.]]");
      expect(String(hessian(f)([1]))).toBe("[[6.]]");
      expect(
        checkGrad(
          npx.fuse((v: NDArray) => np.tanh(v)),
          [[0.5]],
        ),
      ).toBeLessThan(1e-6);
      expect(String(grad((v: NDArray) => checkpoint(f)(v))([2]))).toBe("[12.]");
    } finally {
      for (const [name, descriptor] of whole) Object.defineProperty(prototype, name, descriptor);
    }
    expect(calls.length).toBeGreaterThan(100);
    expect(called).toEqual([]);
  });
});
