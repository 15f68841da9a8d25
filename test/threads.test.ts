/**
 * Threads: the same bits with any number of them, from sizes below to above where work is shared; growth, exceptions and
 * changes of the number meanwhile; no call lost in very many; and a process that ends by itself.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sharing } from "../src/backend/threads/sharing.ts";
import * as heap from "../src/backend/wasm/heap.ts";
import { autograd, type NDArray, np, npx, ValueError } from "../src/index.ts";
import { ROOT } from "./support/source.ts";

const bits = (x: NDArray): Uint8Array => {
  const values = x.toTypedArray();
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
};

/** Waits until workers run: nothing else does, and nothing needs to. */
async function workers(): Promise<void> {
  const end = Date.now() + 30_000;
  while (!sharing!.isWorthwhile(1e6)) {
    if (Date.now() > end) throw new Error("no worker came up");
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}

test("numbers of threads", () => {
  for (const n of [0, -1, 1.5, Number.NaN, 257, "2", null, undefined]) expect(() => npx.setNumThreads(n as number)).toThrow(ValueError);
  expect(npx.setNumThreads(1)).toBe(1);
  expect(sharing).toBe(null);
});

test.runIf(process.env.TORTURE)("without shared memory there is one thread", () => {
  expect(heap.isShared).toBe(false);
  expect(npx.setNumThreads(4)).toBe(1);
  expect(sharing).toBe(null);
});

describe.skipIf(process.env.TORTURE)("with threads", () => {
  afterAll(() => void npx.setNumThreads(1));

  const random = (shape: number | number[], dtype: "float32" | "float64" = "float32"): NDArray =>
    np.random.uniform(-2, 2, shape, { dtype });

  /** What is computed; large and small in turns. */
  const programs: Record<string, () => NDArray[]> = {};
  beforeAll(() => {
    np.random.seed(5);
    // Where arrays begin to take the general way, where kernels are heavy enough, where light ones are; and their neighbours.
    for (const n of [8192, 8193, 16384, 16385, 40_001, 65_536, 65_537, 200_003, 1_000_000]) {
      const x = random(n);
      const y = random(n);
      programs[`maps of ${n}`] = () => [np.add(x, y), np.tanh(x), x.mul(2.5), np.less(x, y), np.where(x.gt(0), x, y), x.astype("int32")];
    }
    const d = random(300_001, "float64");
    programs.float64 = () => [np.exp(d), np.sin(d), d.sum(), d.astype("float32")];
    const m = random([1003, 517]);
    const row = random(517);
    const column = random([1003, 1]);
    const wide = random([5, 200_001]);
    programs.rows = () => [
      m.add(row),
      m.mul(column),
      np.exp(column.mul(row)),
      wide.add(column.at("0:5")),
      m.T.add(column.at(":", 0)),
      m.at(":", "3:400").add(1),
      m.at(":", "::-1").tanh(),
      random([4, 50, 700])
        .mul(0)
        .add(np.tanh(m.at("0:50", 0).reshape([50, 1]))),
    ];
    programs.reductions = () => [
      m.sum(),
      m.sum(0),
      m.sum(1),
      m.mean(0),
      wide.max(1),
      np.var(m),
      m.argmax(1),
      m.cumsum(0),
      np.dot(row, row),
    ];
    const a = random([257, 300]);
    const b = random([300, 411]);
    const many = random([40, 30, 50]);
    programs.products = () => [
      ...[np.matmul(a, b), a.T.matmul(a), np.matmul(a.astype("float64"), b.astype("float64")), np.matmul(m, row), row.matmul(m.T)],
      ...[np.matmul(m, random([517, 9]).mul(0).add(row.at(":", null))), np.matmul(many, many.swapaxes(1, 2)), npx.softmax(m)],
      ...[
        random([900, 310])
          .mul(0)
          .add(1)
          .matmul(random([310, 1100]).mul(0).add(0.1)),
        np.take(m, [5, 1, 1000], 0),
      ],
    ];
    programs.gradients = () => {
      const v = m.copy().attachGrad();
      const loss = autograd.record(() => np.tanh(v.mul(row).add(v)).sum());
      loss.backward();
      return [loss, v.grad!];
    };
    programs["in place"] = () => [m.copy().iadd(row).imul(m), np.exp(m, { out: np.zeros([1003, 517]) })];
  });

  test("the same bits with one, two and three", async () => {
    npx.setNumThreads(1);
    const names = Object.keys(programs);
    const alone = names.map(name => programs[name]!().map(bits));
    for (const n of [2, 3]) {
      expect(npx.setNumThreads(n)).toBe(n);
      await workers();
      names.forEach((name, i) => {
        // Twice, since a worker must first compile what it is asked for.
        for (let again = 0; again < 2; again++)
          programs[name]!().forEach((y, k) => {
            if (Buffer.compare(bits(y), alone[i]![k]!) !== 0) throw new Error(`${name}, result ${k}, differs with ${n} threads`);
          });
      });
    }
  });

  /** Calls that say which thread made them would be needed to see sharing; instead every call leaves its mark. */
  test("every call is made once", async () => {
    npx.setNumThreads(3);
    await workers();
    const one = np.ones(1);
    for (const n of [16_384, 16_385, 100_000, 1_048_576]) {
      const x = np.zeros(n);
      const kernel = np.add.op.pointwise!.sameFamily(0).kernel(2);
      for (let i = 0; i < 50; i++) {
        const [from, step] = [heap.address(x.storage.block), heap.address(one.storage.block)];
        expect(sharing!.isWorthwhile(1e6)).toBe(true);
        sharing!.run(kernel, [from, step, from], n, [4, 0, 4]);
      }
      expect(x.eq(50).all().item()).toBe(true);
      const rows = n >> 7;
      const [from, step] = [heap.address(x.storage.block), heap.address(one.storage.block)];
      sharing!.rows(kernel, [from, step, from], 128, rows, [512, 0, 512]);
      expect(
        x
          .at(`:${rows * 128}`)
          .eq(51)
          .all()
          .item(),
      ).toBe(true);
    }
  });

  test("memory that grows meanwhile", async () => {
    npx.setNumThreads(2);
    await workers();
    const before = npx.memoryInfo().wasm;
    npx.setMemoryLimit(2 ** 31);
    try {
      const kept: NDArray[] = [];
      for (let i = 1; i <= 40; i++) {
        kept.push(np.full(500_000, i));
        const y = np.exp(kept[kept.length - 1]!.mul(0).add(np.tanh(kept[kept.length - 1]!.mul(0))));
        expect(y.eq(1).all().item()).toBe(true);
      }
      expect(npx.memoryInfo().wasm).toBeGreaterThan(before + 40e6);
      kept.forEach(
        (x, i) =>
          void expect(
            x
              .eq(i + 1)
              .all()
              .item(),
          ).toBe(true),
      );
    } finally {
      npx.setMemoryLimit(64 * 2 ** 20);
    }
  });

  test("what leaves the memory while others compute comes back whole", async () => {
    /** A hash of results of a program that keeps 60 arrays of 160 kB, writes to some and reads old ones. */
    const program = (): number[] => {
      np.random.seed(11);
      let seed = 1;
      const below = (n: number): number => {
        seed = (seed * 48271) % 2147483647;
        return seed % n;
      };
      const kept = Array.from({ length: 4 }, () => random([200, 200]));
      const seen: number[] = [];
      for (let i = 0; i < 400; i++) {
        const [x, y] = [kept[below(kept.length)]!, kept[below(kept.length)]!];
        const made = [
          () => np.matmul(x, y).mul(0.07),
          () => np.matmul(x.T, y).mul(0.07),
          () => np.tanh(x.add(y)),
          () => x.isub(y.mul(0.01)).copy(),
          () => npx.softmax(x).mul(3),
        ][below(5)]!();
        kept[kept.length < 60 ? kept.length : below(60)] = made;
        if (i % 7 === 0) seen.push(kept[below(kept.length)]!.sum().item());
      }
      return [...seen, ...kept.map(x => x.sum().item())];
    };
    npx.setNumThreads(1);
    const expected = program();
    npx.setNumThreads(2);
    await workers();
    npx.setMemoryLimit(2 ** 20);
    try {
      const { evictions, returns } = npx.memoryInfo();
      expect(program()).toEqual(expected);
      expect(npx.memoryInfo().evictions).toBeGreaterThan(evictions + 100);
      expect(npx.memoryInfo().returns).toBeGreaterThan(returns + 50);
    } finally {
      npx.setMemoryLimit(64 * 2 ** 20);
    }
  });

  test("up and down, with work in between", async () => {
    const x = random(100_000);
    const expected = bits(np.tanh(x));
    for (const n of [2, 1, 3, 2, 1, 4, 2]) {
      expect(npx.setNumThreads(n)).toBe(n);
      if (n > 2) await workers();
      for (let i = 0; i < 20; i++) expect(Buffer.compare(bits(np.tanh(x)), expected)).toBe(0);
    }
  });

  test("a stack that is too deep in the middle of a job", async () => {
    npx.setNumThreads(2);
    await workers();
    const x = np.ones(20_000);
    const out = np.zeros(20_000);
    let depth = 0;
    const fall = (): void => {
      depth++;
      np.tanh(x, { out });
      fall();
    };
    for (let i = 0; i < 3; i++) expect(fall).toThrow(RangeError);
    expect(depth).toBeGreaterThan(100);
    const expected = np.tanh(np.ones(1)).item();
    for (let i = 0; i < 200; i++) expect(np.tanh(x).eq(expected).all().item()).toBe(true);
  });

  test("a hundred thousand short jobs", async () => {
    npx.setNumThreads(3);
    await workers();
    // The shortest there are: every call of the kernel takes a few nanoseconds, so threads meet at every word.
    const x = np.zeros(64);
    const one = np.ones(1);
    const kernel = np.add.op.pointwise!.sameFamily(0).kernel(2);
    const [from, step] = [heap.address(x.storage.block), heap.address(one.storage.block)];
    for (let i = 0; i < 100_000; i++) {
      sharing!.parts(kernel, [from, step, from, 64], [16, 0, 16], 3, 4);
      // Now and then long enough for the workers to fall asleep.
      if (i % 20_000 === 0) for (const end = performance.now() + 2; performance.now() < end; );
    }
    expect(x.tolist()).toEqual(new Array(64).fill(100_000));
  }, 60_000);

  describe("a process", () => {
    let folder = "";
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "nabla-threads-"));
      await build({
        entryPoints: [join(ROOT, "src/index.ts")],
        outfile: join(folder, "nabla.mjs"),
        bundle: true,
        format: "esm",
        target: "es2022",
      });
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    const run = (program: string): [status: number | null, stdout: string, stderr: string] => {
      writeFileSync(join(folder, "program.mjs"), `import { np, npx } from "./nabla.mjs";\n${program}`);
      const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, "program.mjs")], { encoding: "utf8", timeout: 30_000 });
      return [status, stdout, stderr];
    };
    const WORK = "const x = np.ones(1e6); const work = ms => { for (const end = Date.now() + ms; Date.now() < end; ) np.tanh(x); };";

    test("ends by itself, with workers asleep, at work, and on their way", () => {
      for (const program of [
        `npx.setNumThreads(3); ${WORK} work(300); setTimeout(() => { work(50); console.log("done"); }, 100);`,
        `npx.setNumThreads(2); ${WORK} work(1); console.log("done");`,
        `npx.setNumThreads(2); ${WORK} work(200); npx.setNumThreads(1); npx.setNumThreads(2); work(50); console.log("done"); process.exit(0);`,
      ])
        expect(run(program)).toEqual([0, "done\n", ""]);
    });
  });
});
