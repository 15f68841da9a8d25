/**
 * The figures of these pages, measured anew on the built package: `npm run build`, then
 * `node --expose-gc docs/decisions/measure.mjs NAME`. Decides nothing; bench/ compares whole programs.
 */
const built = new URL("../../dist/", import.meta.url);
const load = path => import(new URL(path, built));

/** Times a piece of work that does something `n` times: nanoseconds for each, the least and the middle of some repetitions. */
function time(n, work, repetitions = 25) {
  const times = [];
  for (let i = 0; i < repetitions; i++) {
    const start = process.hrtime.bigint();
    work();
    times.push(Number(process.hrtime.bigint() - start) / n);
  }
  times.sort((a, b) => a - b);
  return [times[0], times[repetitions >> 1]];
}

const UNITS = { ns: 1, µs: 1e3, ms: 1e6 };
const digits = x => x.toFixed(x < 10 ? 2 : 0).padStart(8);

/** A line of the report: one figure, or the two that `time` gives. */
const line = (what, figure, unit) =>
  console.log(
    what.padEnd(58),
    [figure]
      .flat()
      .map(x => digits(x / (UNITS[unit] ?? 1)))
      .join(" "),
    unit,
  );

/** Copying bytes out of WebAssembly memory: plain or shared, by size and in pieces. */
function eviction() {
  for (const shared of [false, true]) {
    const memory = new WebAssembly.Memory({ initial: 128, maximum: 128, shared });
    const bytes = new Uint8Array(memory.buffer).fill(1);
    const kind = shared ? "shared" : "plain";
    const copy = (size, piece) => {
      const pieces = [];
      for (let at = 0; at < size; at += piece) pieces.push(bytes.slice(at, at + Math.min(piece, size - at)));
      return pieces;
    };
    const kept = new Array(32).fill(null);
    line(
      `4 kB, ${kind}`,
      time(10000, () => {
        for (let i = 0; i < 10000; i++) kept[i & 31] = copy(4096, 4096);
      }),
      "µs",
    );
    for (const piece of [2 ** 22, 2 ** 18])
      line(
        `4 MB in pieces of ${piece >> 10} kB, ${kind}`,
        time(8, () => {
          for (let i = 0; i < 8; i++) kept[i & 3] = copy(2 ** 22, piece);
        }),
        "ms",
      );
  }
}

/** A kernel on 16 elements through the driver, and as an export called from one place for many instances. */
async function calls() {
  const { memory } = await load("backend/wasm/heap.js");
  const { compile, call2 } = await load("backend/wasm/index.js");
  const { assembleKernels } = await load("backend/wasm/compiler.js");
  const { add, arg, constant, mul } = await load("expr.js");
  const input = { dtype: 0, mode: "v" };
  const kernel = i => ({ kind: "map", inputs: [input, input], lane: 0, out: 0, value: add(arg(0), mul(arg(1), constant(i + 2))) });
  for (const count of [1, 30, 200]) {
    const kernels = Array.from({ length: count }, (_, i) => kernel(i));
    const entries = kernels.map(k => compile([k])[0]);
    const exported = kernels.map(
      k => new WebAssembly.Instance(new WebAssembly.Module(assembleKernels([k], false)), { m: { m: memory } }).exports[0],
    );
    const n = 1_000_000;
    const driver = () => {
      for (let i = 0, at = 0; i < n; i++) {
        call2(entries[at], 1024, 1088, 1152, 16);
        at = at + 1 === count ? 0 : at + 1;
      }
    };
    const direct = () => {
      for (let i = 0, at = 0; i < n; i++) {
        exported[at](1024, 1088, 1152, 16);
        at = at + 1 === count ? 0 : at + 1;
      }
    };
    line(`one driver, ${count} kernels`, time(n, driver, 9), "ns");
    line(`exports called from one place, ${count} kernels`, time(n, direct, 9), "ns");
  }
}

/** Putting kernels into a shared table: by the module itself (an element segment), or by table.set. */
function table() {
  const modules = 1600;
  const name = text => [text.length, ...text.split("").map(c => c.charCodeAt(0))];
  const section = (id, ...content) => [id, content.length, ...content];
  const leb = n => (n < 64 ? [n] : [(n & 127) | 128, ...(n < 8192 ? [n >> 7] : [((n >> 7) & 127) | 128, n >> 14])]);
  const head = [0, 97, 115, 109, 1, 0, 0, 0, ...section(1, 1, 0x60, 4, 127, 127, 127, 127, 0)];
  const code = section(10, 1, 2, 0, 0x0b);
  const own = () => [...head, ...section(3, 1, 0), ...section(7, 1, ...name("f"), 0, 0), ...code];
  const segment = at => [
    ...head,
    ...section(2, 1, ...name("m"), ...name("t"), 1, 0x70, 0, 1),
    ...section(3, 1, 0),
    ...section(9, 1, 0, 0x41, ...leb(at), 0x0b, 1, 0),
    ...code,
  ];
  for (const bySegment of [false, true]) {
    const t = new WebAssembly.Table({ element: "anyfunc", initial: 1 });
    const times = [];
    const kept = [];
    for (let i = 0; i < modules; i++) {
      const start = process.hrtime.bigint();
      const at = t.grow(1);
      const instance = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bySegment ? segment(at) : own())), { m: { t } });
      if (!bySegment) t.set(at, instance.exports.f);
      kept.push(instance);
      times.push(Number(process.hrtime.bigint() - start));
    }
    for (const from of [0, 750, 1500]) {
      const part = times.slice(from, from + 100).sort((a, b) => a - b);
      line(`${bySegment ? "element segment" : "table.set"}, modules ${from} to ${from + 99}`, [part[0], part[50]], "ms");
    }
  }
}

/** What a long loop and kept results leave behind. */
async function memory() {
  const { autograd, np, npx } = await load("index.js");
  const used = () => {
    globalThis.gc?.();
    const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
    return [rss, heapUsed, arrayBuffers, npx.memoryInfo().wasm].map(bytes => (bytes / 2 ** 20).toFixed(1).padStart(7)).join(" ");
  };
  console.log("MB after:".padEnd(40), "    rss    heap buffers    wasm");
  const x = np.arange(4).attachGrad();
  const steps = n => {
    for (let i = 0; i < n; i++) autograd.record(() => np.dot(x, x).mul(2)).backward();
  };
  steps(10_000);
  console.log("10,000 steps of 2·x·x and its gradient".padEnd(40), used());
  steps(1_000_000);
  console.log("1,000,000 more, in the same job".padEnd(40), used());
  const losses = Array.from({ length: 10_000 }, () => autograd.record(() => np.dot(x, x).mul(2)));
  console.log("10,000 recorded losses kept".padEnd(40), used());
  for (const loss of losses) loss.backward();
  console.log("the same after their backward".padEnd(40), used());
  const rows = Array.from({ length: 10_000 }, () => {
    for (let i = 0; i < 99; i++) x.add(1);
    return x.add(1);
  });
  console.log("1 of each 100 results of 16 bytes kept".padEnd(40), used());
  const big = np.ones(2 ** 20);
  for (let i = 0; i < 300; i++) big.add(1);
  console.log("300 results of 4 MB, none kept".padEnd(40), used());
  if (rows.length + losses.length === 0) throw new Error("unreachable; it keeps the lists");
  for (const n of [16, 512, 1024, 65536, 2 ** 20]) {
    const a = np.ones(n);
    const count = Math.max(10, Math.min(40000, Math.floor(4e7 / n)));
    const loop = () => {
      for (let i = 0; i < count; i++) a.add(1);
    };
    loop();
    line(`x + 1 on ${n} elements, in a loop`, time(count, loop, 9), "ns");
    if (n > 512)
      line(
        "the same inside npx.scope, ten at a time",
        time(
          10,
          () =>
            npx.scope(() => {
              for (let i = 0; i < 10; i++) a.add(1);
            }),
          9,
        ),
        "ns",
      );
  }
}

/** A number as an operand beside an array as one. */
async function numbers() {
  const { np } = await load("index.js");
  const { compile } = await load("backend/wasm/index.js");
  const { add, arg, constant } = await load("expr.js");
  const a = np.ones(16);
  const b = np.ones(16);
  const n = 200_000;
  line(
    "a + b, 16 elements",
    time(n, () => {
      for (let i = 0; i < n; i++) a.add(b);
    }),
    "ns",
  );
  line(
    "a + 0.1·i, another number each time",
    time(n, () => {
      for (let i = 0; i < n; i++) a.add(0.1 * i);
    }),
    "ns",
  );
  const input = { dtype: 0, mode: "v" };
  let next = 0;
  line(
    "compiling a kernel with a number in it",
    time(20, () => {
      for (let i = 0; i < 20; i++) compile([{ kind: "map", inputs: [input], lane: 0, out: 0, value: add(arg(0), constant(++next)) }]);
    }),
    "µs",
  );
}

/** How exact and how fast sums are. */
async function reductions() {
  const { np } = await load("index.js");
  const n = 2 ** 20;
  const values = Float32Array.from({ length: n }, (_, i) => 0.1 + (i % 7) * 0.01);
  const exact = values.reduce((sum, v) => sum + v, 0);
  let plain = 0;
  for (const v of values) plain = Math.fround(plain + v);
  const x = np.array(values);
  const off = sum => Math.abs(sum / exact - 1) / 2 ** -24;
  line("one after another in float32, error", off(plain), "units of 2⁻²⁴");
  line("np.sum of the same, error", off(x.sum().item()), "units of 2⁻²⁴");
  line("np.sum over rows of a (2²⁰, 1)-like matrix (65536, 16)", off(np.sum(np.sum(x.reshape(-1, 16), 0)).item()), "units of 2⁻²⁴");
  const m = x.reshape(1024, 1024);
  line(
    "sum, 2²⁰ elements",
    time(n, () => x.sum()),
    "ns",
  );
  line(
    "sum over axis 1 of (1024, 1024)",
    time(n, () => m.sum(1)),
    "ns",
  );
  line(
    "sum over axis 0 of (1024, 1024)",
    time(n, () => m.sum(0)),
    "ns",
  );
}

/** An addition on every layout. */
async function layouts() {
  const { np } = await load("index.js");
  const n = 512;
  const a = np.random.uniform(0, 1, [n, n]);
  const b = np.random.uniform(0, 1, [n, n]);
  const out = np.zeros([n, n]);
  const cases = {
    "both contiguous": [a, b],
    "a row added to each": [a, b.at(0)],
    "a column added to each": [a, b.at(":", ":1")],
    "a transposed": [a.T, b],
    "every other row": [np.zeros([2 * n, n]).at("::2"), b],
    "every other column": [np.zeros([n, 2 * n]).at(":", "::2"), b],
  };
  for (const [what, [p, q]] of Object.entries(cases))
    line(
      `(${n}, ${n}) + …: ${what}`,
      time(n * n * 10, () => {
        for (let i = 0; i < 10; i++) np.add(p, q, { out });
      }),
      "ns",
    );
}

/** Writing in place, where a graph has saved the contents and where none has. */
async function writes() {
  const { autograd, np } = await load("index.js");
  const n = 100_000;
  for (const size of [16, 1024]) {
    const x = np.ones(size).attachGrad();
    const write = () => {
      for (let i = 0; i < n; i++) x.iadd(1);
    };
    const saved = () => {
      for (let i = 0; i < n; i++) {
        autograd.record(() => x.mul(x));
        x.iadd(1);
      }
    };
    const recorded = () => {
      for (let i = 0; i < n; i++) autograd.record(() => x.mul(x));
    };
    write();
    line(`x += 1 on ${size} elements`, time(n, write, 9), "ns");
    const alone = time(n, recorded, 9);
    const together = time(n, saved, 9);
    line(
      "the same where a dropped graph saved x",
      together.map((t, i) => t - alone[i]),
      "ns",
    );
  }
}

/** The absorbing product beside the plain one. */
async function absorbing() {
  const { addressOf } = await load("array.js");
  const { compile, call2 } = await load("backend/wasm/index.js");
  const { absorb, arg, mul } = await load("expr.js");
  const { np } = await load("index.js");
  const n = 4096;
  const [x, y, z] = [np.ones(n), np.ones(n), np.ones(n)];
  const input = { dtype: 0, mode: "v" };
  for (const [what, value] of [
    ["product", mul(arg(0), arg(1))],
    ["absorbing product", absorb(arg(0), arg(1))],
  ]) {
    const [f] = compile([{ kind: "map", inputs: [input, input], lane: 0, out: 0, value }]);
    const at = [x, y, z].map(addressOf);
    line(
      `${what}, ${n} elements in the first cache`,
      time(n * 1000, () => {
        for (let i = 0; i < 1000; i++) call2(f, ...at, n);
      }),
      "ns",
    );
  }
}

/** Times pieces of work in turns, each doing something `n` times, so that what else the machine does meets all alike. */
function beside(n, unit, works, repetitions = 200) {
  const times = Object.keys(works).map(() => []);
  for (let i = 0; i < repetitions; i++) Object.values(works).forEach((work, k) => times[k].push(time(n, work, 1)[0]));
  Object.keys(works).forEach((what, k) => {
    times[k].sort((a, b) => a - b);
    line(what, [times[k][0], times[k][repetitions >> 1]], unit);
  });
}

/** Forward mode beside the reverse one, and second derivatives either way. */
async function forward() {
  const { autograd, grad, hvp, jvp, np, vjp } = await load("index.js");
  for (const n of [16, 4096]) {
    const x = np.full(n, 0.1);
    const t = np.ones(n);
    const chain = z => {
      let y = z;
      for (let i = 0; i < 100; i++) y = i % 3 === 0 ? y.mul(1.01) : i % 3 === 1 ? y.add(z) : np.tanh(y);
      return y;
    };
    console.log(`a chain of 100 operators on ${n} elements, each`);
    beside(100, "ns", {
      "  the chain": () => chain(x),
      "  the chain, recorded": () => {
        const v = x.copy().attachGrad();
        autograd.record(() => chain(v));
      },
      "  jvp": () => jvp(chain, x, t),
      "  vjp and its pull": () => vjp(chain, x)[1](t),
    });
  }
  const x = np.random.normal(0, 1, 1000, { dtype: "float64" });
  const v = np.random.normal(0, 1, 1000, { dtype: "float64" });
  const rosenbrock = z => {
    const a = z.at(":-1");
    return z.at("1:").sub(a.square()).square().mul(100).add(np.subtract(1, a).square()).sum();
  };
  console.log("the Rosenbrock function of 1,000 float64 variables");
  beside(
    1,
    "µs",
    {
      "  value": () => rosenbrock(x),
      "  grad": () => grad(rosenbrock)(x),
      "  hvp": () => hvp(rosenbrock, x, v),
      "  reverse over reverse": () => vjp(grad(rosenbrock), x)[1](v),
      "  reverse over forward": () => grad(z => jvp(rosenbrock, z, v)[1])(x),
      "  forward over reverse": () => jvp(grad(rosenbrock), x, v),
    },
    2000,
  );
}

/** A deep chain with and without checkpoints: what the graph holds when it is recorded, and time. */
async function checkpoints() {
  const { autograd, checkpoint, np } = await load("index.js");
  const n = 65536;
  const x = np.full(n, 0.5).attachGrad();
  const part = z => {
    let y = z;
    for (let i = 0; i < 32; i++) y = np.tanh(y);
    return y;
  };
  const kept = checkpoint(part);
  for (const [what, f] of [
    ["plain", part],
    ["checkpoints", kept],
  ]) {
    const run = () =>
      autograd.record(() => {
        let y = x;
        for (let i = 0; i < 32; i++) y = f(y);
        return y.sum();
      });
    const y = run();
    const saved = new Set();
    const seen = new Set([y.edge]);
    for (const node of seen) {
      for (const p of node.parents) if (p) seen.add(p);
      for (const k of node.saved) if (k && typeof k !== "number") saved.add(k.block ?? k);
    }
    let bytes = 0;
    for (const block of saved) bytes += block.bytes;
    console.log(`32 × 32 tanh of ${n} elements, ${what}: ${autograd.graphSize(y)} nodes, ${(bytes / 2 ** 20).toFixed(1)} MB saved`);
    line(
      "  forward and backward",
      time(1, () => run().backward(), 7),
      "ms",
    );
  }
}

/** A fused function beside what it is made of. */
async function fused() {
  const { autograd, np, npx } = await load("index.js");
  const f = (x, y) => np.exp(x.mul(y)).sub(1).mul(np.tanh(x)).add(y);
  const op = npx.fuse((x, y) => f(x, y));
  for (const n of [16, 4096, 2 ** 20]) {
    const x = np.random.uniform(0, 1, n).attachGrad();
    const y = np.random.uniform(0, 1, n).attachGrad();
    console.log(`six operators on ${n} elements`);
    const works = {
      "  one after the other": () => f(x, y),
      "  fused": () => op(x, y),
      "  one after the other, with gradients": () => autograd.record(() => f(x, y)).backward(),
      "  fused, with gradients": () => autograd.record(() => op(x, y)).backward(),
    };
    const count = n > 10000 ? 1 : 100;
    for (const [what, work] of Object.entries(works))
      works[what] = () => {
        for (let i = 0; i < count; i++) work();
      };
    beside(count, n > 10000 ? "ms" : "µs", works, n > 10000 ? 15 : 200);
  }
  let c = 0;
  line(
    "fusing and the first gradient",
    time(
      10,
      () => {
        for (let i = 0; i < 10; i++) {
          c++;
          const g = npx.fuse(x => np.exp(x.mul(c)).add(x));
          const x = np.ones(4).attachGrad();
          autograd.record(() => g(x)).backward();
        }
      },
      9,
    ),
    "µs",
  );
}

/** Numbers drawn, and the slope of a gamma number by its shape, for each of many and for one alone. */
async function random() {
  const { autograd, np } = await load("index.js");
  const r = np.random;
  const draws = {
    uniform: n => r.uniform(0, 1, n),
    normal: n => r.normal(0, 1, n),
    exponential: n => r.exponential(1, n),
    "gamma(2)": n => r.gamma(2, 1, n),
    "gamma(0.1)": n => r.gamma(0.1, 1, n),
    "beta(2, 3)": n => r.beta(2, 3, n),
    "poisson(3)": n => r.poisson(3, n),
    "poisson(100)": n => r.poisson(100, n),
    "binomial(10, 0.3)": n => r.binomial(10, 0.3, n),
    "binomial(1000, 0.3)": n => r.binomial(1000, 0.3, n),
    "multinomial(20) of three": n => r.multinomial(20, [0.2, 0.3, 0.5], n),
  };
  for (const n of [1, 20000])
    for (const [name, draw] of Object.entries(draws)) {
      const count = n === 1 ? 1000 : 1;
      line(
        `${name}, ${n === 1 ? "one" : "each of many"}`,
        time(
          n * count,
          () => {
            for (let i = 0; i < count; i++) draw(n);
          },
          60,
        ),
        "ns",
      );
    }
  for (const n of [1, 20000]) {
    const a = np.full(n, 2.5).attachGrad();
    const y = autograd.record(() => r.gamma(a));
    line(
      `gradient by gamma's shape, ${n === 1 ? "one" : "each of many"}`,
      time(n, () => y.backward(null, { retainGraph: true }), 40),
      "ns",
    );
  }
}

/** The same work by one thread and by two. */
async function threads() {
  const { autograd, np, npx } = await load("nabla.js");
  const x = np.random.uniform(-1, 1, [1e6]).attachGrad();
  const y = np.random.uniform(-1, 1, [1e6]).attachGrad();
  const out = np.ones(1e6);
  const [a, b] = [512, 1024].map(n => np.random.uniform(-1, 1, [n, n]));
  const dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");
  const works = {
    "tanh of 10⁶, with out": () => np.tanh(out, { out }),
    "add of 10⁶, with out": () => np.add(x, y, { out }),
    "sum of 10⁶": () => x.sum(),
    "300 × (x·1.0001 + 0.5)": () => {
      let z = x;
      for (let i = 0; i < 300; i++) {
        const next = npx.scope(() => z.mul(1.0001).add(0.5));
        if (z !== x) z[dispose]();
        z = next;
      }
      z[dispose]();
    },
    "tanh(x·y + x) and two gradients, in a scope": () => npx.scope(() => autograd.record(() => np.tanh(x.mul(y).add(x)).sum()).backward()),
    "product of 512 × 512": () => npx.scope(() => void np.matmul(a, a)),
    "product of 1024 × 1024": () => npx.scope(() => void np.matmul(b, b)),
  };
  for (const n of [1, 2, 1, 2]) {
    npx.setNumThreads(n);
    // Until workers run and what they call is compiled well.
    for (const end = performance.now() + 1000; performance.now() < end; )
      for (const name in works) if (!name.startsWith("300")) works[name]();
    for (const name in works) line(`${name}, ${n} of 2`, time(1, works[name], 40), "ms");
  }
}

const all = {
  eviction,
  calls,
  table,
  memory,
  numbers,
  reductions,
  layouts,
  writes,
  absorbing,
  forward,
  checkpoints,
  fused,
  random,
  threads,
};
const wanted = process.argv.slice(2);
if (wanted.length === 0 || wanted.some(name => !(name in all))) {
  console.error(`name what to measure: ${Object.keys(all).join(", ")}`);
  process.exit(1);
}
for (const name of wanted) await all[name]();
