/** Products and factorisations of dense matrices, beside NumPy where there is one. Knows nabla and NumPy as a user does. */
// @ts-check
import { spawnSync } from "node:child_process";
import { autograd, np, npx } from "nabla";
import { duration, ratio } from "./report.mjs";
import { summary } from "./timing.mjs";

const ROUNDS = 5;

/** What measures in Python: a dictionary `calls` of what is called for a size n, so often, for each of these sizes. */
const program = (/** @type {readonly number[]} */ sizes, /** @type {string} */ calls, /** @type {number} */ times) => `
import json, time, sys
import numpy as np
L, out = np.linalg, {}
rng = np.random.default_rng(1)
for n in ${JSON.stringify(sizes)}:
${calls}
    for name, call in calls.items():
        times = []
        for _ in range(${times}):
            begun = time.perf_counter(); call(); times.append((time.perf_counter() - begun) * 1e9)
        out[f"{name}, {n}"] = times
json.dump(out, sys.stdout)
`;

/** NumPy's times of a few calls of each, in nanoseconds, or nothing where there is no NumPy. @param {string} text @returns {Record<string, number[]>} */
function numpyTimes(text) {
  const { OPENBLAS_CORETYPE: _, OPENBLAS_L2_SIZE: __, ...env } = process.env;
  const python = process.env.PYTHON ?? "python3";
  const { status, stdout } = spawnSync(python, ["-c", text], { encoding: "utf8", env: { ...env, OPENBLAS_NUM_THREADS: "2" } });
  return status === 0 ? JSON.parse(stdout) : {};
}

/**
 * Measures calls in turns with NumPy's.
 * @param {Record<string, () => unknown>} calls By the name and the size.
 * @param {string} text The same in Python.
 * @param {number} times
 * @param {Record<string, number>} bars The most a call may take beside NumPy.
 */
async function inTurns(calls, text, times, bars) {
  /** @type {Record<string, number[]>} */
  const ours = {};
  /** @type {Record<string, number[]>} */
  const theirs = {};
  for (const call of Object.values(calls)) call();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [label, samples] of Object.entries(numpyTimes(text))) (theirs[label] ??= []).push(...samples);
    for (const [label, call] of Object.entries(calls)) {
      for (let k = 0; k < times; k++) {
        const begun = performance.now();
        call();
        (ours[label] ??= []).push((performance.now() - begun) * 1e6);
      }
      await new Promise(resolve => setTimeout(resolve, 1));
    }
  }
  return Object.keys(calls).map(label => {
    const time = summary(ours[label] ?? []);
    const line = { what: `${label} rows`, ours: duration(time) };
    const beside = theirs[label];
    if (beside === undefined) return line;
    const other = summary(beside);
    return { ...line, other: `NumPy ${duration(other)}`, ...ratio(time, other, bars[label]) };
  });
}

const HOW = "in turns with NumPy on two threads ($PYTHON, or python3), whose time stands beside ours if there is one";

const FACTORED = [256, 512];
const FACTORISATIONS = `
    a = rng.standard_normal((n, n)); s = a @ a.T + n * np.eye(n); y = a + a.T
    calls = {"solve, a vector": lambda: L.solve(a, a[0]), "solve, n vectors": lambda: L.solve(a, y), "inv": lambda: L.inv(a),
        "cholesky": lambda: L.cholesky(s), "qr": lambda: L.qr(a), "eigvalsh": lambda: L.eigvalsh(y), "eigh": lambda: L.eigh(y), "svd": lambda: L.svd(a)
    }`;

/** @type {import("./report.mjs").Row} */
export const linalg = {
  title: "np.linalg of n × n, float64",
  how: HOW,
  run() {
    const { linalg: L } = np;
    /** @type {Record<string, () => unknown>} */
    const calls = {};
    for (const n of FACTORED) {
      const a = np.random.normal(0, 1, [n, n], { dtype: "float64" });
      const s = np.add(np.matmul(a, a.T), np.multiply(np.eye(n), n));
      const y = np.add(a, a.T);
      const row = a.at(0);
      calls[`solve, a vector, ${n}`] = () => L.solve(a, row);
      calls[`solve, n vectors, ${n}`] = () => L.solve(a, y);
      calls[`inv, ${n}`] = () => L.inv(a);
      calls[`cholesky, ${n}`] = () => L.cholesky(s);
      calls[`qr, ${n}`] = () => L.qr(a);
      calls[`eigvalsh, ${n}`] = () => L.eigvalsh(y);
      calls[`eigh, ${n}`] = () => L.eigh(y);
      calls[`svd, ${n}`] = () => L.svd(a);
    }
    return inTurns(calls, program(FACTORED, FACTORISATIONS, 4), 4, { "solve, a vector, 512": 5, "cholesky, 512": 5 });
  },
};

const MULTIPLIED = [256, 512, 1024];
const PRODUCTS = `
    a = rng.standard_normal((n, n)).astype("f"); b = rng.standard_normal((n, n)).astype("f"); g = np.ones((n, n), "f")
    calls = {"matmul": lambda: a @ b, "matmul and two gradients": lambda: (a @ b, g @ b.T, a.T @ g)}`;

/** @type {import("./report.mjs").Row} */
export const blas = {
  title: "products of n × n, float32, by npx.useBlas",
  how: `${HOW}; needs koffi in the current folder and OpenBLAS`,
  async run() {
    try {
      npx.useBlas();
    } catch (error) {
      return [{ what: /** @type {Error} */ (error).message, ours: "" }];
    }
    npx.setNumThreads(2);
    /** @type {Record<string, () => unknown>} */
    const calls = {};
    for (const n of MULTIPLIED) {
      const a = np.random.normal(0, 1, [n, n]).attachGrad();
      const b = np.random.normal(0, 1, [n, n]).attachGrad();
      calls[`matmul, ${n}`] = () => np.matmul(a, b);
      calls[`matmul and two gradients, ${n}`] = () => autograd.record(() => np.matmul(a, b).sum()).backward();
    }
    return inTurns(calls, program(MULTIPLIED, PRODUCTS, 20), 20, { "matmul, 256": 1.3, "matmul, 512": 1.3, "matmul, 1024": 1.3 });
  },
};
