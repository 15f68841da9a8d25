/** How the tests run: TypeScript as it stands, with the package's own name leading to its source; once, and once more in the smallest memory. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Tests that compute nothing with arrays, or not in this process: once is enough for them. */
const ONCE = ["bundle", "bundling", "floors", "kernels", "page", "repository", "types"];
/** Tests of numbers and texts, where the smallest memory changes little: `npm test -- --full` takes them there too. */
const FULL = process.env.TEST_FULL === "on" ? [] : ["accuracy", "distributions", "examples", "features", "format", "random", "special"];

export default defineConfig({
  resolve: { alias: [{ find: /^nabla$/, replacement: fileURLToPath(new URL("src/index.ts", import.meta.url)) }] },
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // Memory tests ask for a collection.
    execArgv: ["--expose-gc"],
    // One of them alone: npx vitest run --project plain test/walk.test.ts
    projects: [
      { extends: true, test: { name: "plain" } },
      {
        extends: true,
        test: {
          name: "torture",
          setupFiles: ["test/torture.setup.ts"],
          // For tests that measure memory or count much: they skip themselves, or do less.
          env: { TORTURE: "on" },
          exclude: [`**/{${[...ONCE, ...FULL].join(",")}}.test.ts`],
        },
      },
    ],
  },
});
