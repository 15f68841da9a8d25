/**
 * The engine in a browser's page, under a policy that allows its own scripts and WebAssembly and nothing else, with and
 * without the isolation that shared memory needs. Where no Chromium is installed it says so and is skipped.
 */
import { accessSync, constants } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { delimiter, join } from "node:path";
import { type BuildOptions, build } from "esbuild";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROOT, textOf } from "./support/source.ts";

function findBrowser(): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const candidates = names.flatMap(name => folders.map(folder => join(folder, name)));
  return [...(process.env.CHROMIUM ? [process.env.CHROMIUM] : []), ...candidates].find(path => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

const executablePath = findBrowser();
if (executablePath === undefined) console.warn("page.test.ts is skipped: no Chromium on the PATH (or name one in CHROMIUM)");

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--disable-quic",
];

const POLICY = { "Content-Security-Policy": "default-src 'self'; img-src data:; script-src 'self' 'wasm-unsafe-eval'" };
const ISOLATION = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

/** A program as built for a browser, from its text or its file. */
async function bundled(program: Pick<BuildOptions, "stdin" | "entryPoints">): Promise<string> {
  const result = await build({
    ...program,
    alias: { nabla: join(ROOT, "src/index.ts") },
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    external: ["node:*"],
  });
  return result.outputFiles[0]!.text;
}

/** Serves the page with a program, and the files of further ones, under the headers given. */
async function serve(headers: Record<string, string>, program: string, further: Record<string, string> = {}): Promise<Server> {
  const files: Record<string, readonly [string, string]> = { "/": ["text/html", textOf("page/index.html")] };
  for (const [name, text] of Object.entries({ ...further, "/program.js": program })) files[name] = ["text/javascript", text];
  const server = createServer((request, response) => {
    const file = files[request.url ?? ""];
    if (!file) return void response.writeHead(404).end();
    response.writeHead(200, { ...headers, "Content-Type": `${file[0]}; charset=utf-8` }).end(file[1]);
  });
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  return server;
}

describe.skipIf(executablePath === undefined)("a page", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executablePath!, args: FLAGS });
  });
  afterAll(() => browser?.close());

  for (const isolated of [false, true]) {
    test(isolated ? "isolated, with shared memory" : "without isolation", async () => {
      const program = await bundled({ entryPoints: [join(ROOT, "page/program.ts")] });
      const server = await serve(isolated ? { ...POLICY, ...ISOLATION } : POLICY, program);
      const errors: string[] = [];
      const page = await browser.newPage();
      try {
        page.on("pageerror", error => errors.push(String(error)));
        page.on("console", message => {
          if (message.type() === "error") errors.push(message.text());
        });
        page.on("requestfailed", request => errors.push(`not loaded: ${request.url()}`));
        await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
        await page.waitForSelector("#output:not(:empty)", { timeout: 15_000 }).catch(() => errors.push("the program wrote nothing"));
        const output = await page.textContent("#output");
        expect(errors).toEqual([]);
        expect(output?.split("\n")).toEqual(["28.0", "[ 0.  4.  8. 12.]", "1024.0 2048.0", "-102400.0 204800.0", `isolated: ${isolated}`]);
      } finally {
        await page.close();
        server.close();
      }
    });
  }

  /** Computes alone and then with threads asked for, waiting for workers as long as told. */
  const threads = (wait: number): string => `
import { np, npx } from "nabla";
import { sharing } from "./src/backend/threads/sharing.ts";
const x = np.random.uniform(-2, 2, [150_001]);
const compute = () => [np.tanh(x), np.exp(x).sum(), np.where(x.gt(0), x, 2)].map(y => y.toTypedArray());
npx.setNumThreads(1);
const alone = compute();
const n = npx.setNumThreads(3);
const end = performance.now() + ${wait};
compute();
while (!sharing?.isWorthwhile(1e6) && performance.now() < end) await new Promise(resolve => setTimeout(resolve, 5));
const running = true === sharing?.isWorthwhile(1e6);
let same = true;
for (let i = 0; i < 5; i++) compute().forEach((y, k) => { same &&= y.every((v, j) => Object.is(v, alone[k][j])); });
document.querySelector("#output").textContent = [n, running, same].join(" ");
`;
  for (const [what, headers, file, expected, workers] of [
    ["shares work with workers, where it is isolated", { ...POLICY, ...ISOLATION }, true, "3 true true", 2],
    ["computes alone without isolation", POLICY, true, "1 false true", 0],
    ["computes alone where the worker's file is missing", { ...POLICY, ...ISOLATION }, false, "3 false true", 0],
  ] as const)
    test(what, async () => {
      const program = await bundled({ stdin: { contents: threads(workers > 0 ? 20_000 : 500), resolveDir: ROOT, loader: "ts" } });
      const worker = await bundled({ entryPoints: [join(ROOT, "src/backend/threads/worker.ts")] });
      const server = await serve(headers, program, file ? { "/worker.js": worker } : {});
      const page = await browser.newPage();
      const warnings: string[] = [];
      const errors: string[] = [];
      try {
        page.on("pageerror", error => errors.push(String(error)));
        page.on("console", message => {
          if (message.type() === "warning") warnings.push(message.text());
        });
        await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
        await page.waitForSelector("#output:not(:empty)", { timeout: 30_000 }).catch(() => errors.push("the program wrote nothing"));
        expect(await page.textContent("#output")).toBe(expected);
        expect(errors).toEqual([]);
        expect(page.workers().length).toBe(workers);
        expect(warnings.length).toBe(file ? 0 : 1);
        if (!file) expect(warnings[0]).toMatch(/worker/);
      } finally {
        await page.close();
        server.close();
      }
    });
});
