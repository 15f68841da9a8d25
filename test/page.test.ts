/**
 * The engine in a browser's page, under a policy that allows its own scripts and WebAssembly and nothing else, with and
 * without the isolation that shared memory needs. Where no Chromium is installed it says so and is skipped.
 */
import { accessSync, constants } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { delimiter, join } from "node:path";
import { build } from "esbuild";
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

/** Serves the page and its program, as built for a browser, under the headers given. */
async function serve(headers: Record<string, string>): Promise<Server> {
  const result = await build({
    entryPoints: [join(ROOT, "page/program.ts")],
    alias: { nabla: join(ROOT, "src/index.ts") },
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    external: ["node:*"],
  });
  const files: Record<string, readonly [string, string]> = {
    "/": ["text/html", textOf("page/index.html")],
    "/program.js": ["text/javascript", result.outputFiles[0]!.text],
  };
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
      const server = await serve(isolated ? { ...POLICY, ...ISOLATION } : POLICY);
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
});
