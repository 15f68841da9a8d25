/** Factorisations of dense matrices, beside NumPy where there is one. Knows nabla and NumPy as a user does. */
// @ts-check
import { spawnSync } from "node:child_process";
import { np } from "nabla";
import { duration, ratio } from "./report.mjs";
import { summary } from "./timing.mjs";

const SIDES = [256, 512];
const ROUNDS = 5;
/** The most a function may take beside NumPy, at 512 rows. */
const BARS = /** @type {Record<string, number>} */ ({ "solve, a vector": 5, cholesky: 5 });

const PROGRAM = `
import json, time, sys
import numpy as np
L, out = np.linalg, {}
rng = np.random.default_rng(1)
for n in ${JSON.stringify(SIDES)}:
    a = rng.standard_normal((n, n)); s = a @ a.T + n * np.eye(n); y = a + a.T
    calls = {"solve, a vector": lambda: L.solve(a, a[0]), "solve, n vectors": lambda: L.solve(a, y), "inv": lambda: L.inv(a),
        "cholesky": lambda: L.cholesky(s), "qr": lambda: L.qr(a), "eigvalsh": lambda: L.eigvalsh(y), "eigh": lambda: L.eigh(y), "svd": lambda: L.svd(a)}
    for name, call in calls.items():
        times = []
        for _ in range(4):
            begun = time.perf_counter(); call(); times.append((time.perf_counter() - begun) * 1e9)
        out[f"{name}, {n}"] = times
json.dump(out, sys.stdout)
`;

/** NumPy's times of a few calls of each, in nanoseconds, or nothing where there is no NumPy. @returns {Record<string, number[]>} */
function numpyTimes() {
  const { OPENBLAS_CORETYPE: _, OPENBLAS_L2_SIZE: __, ...env } = process.env;
  const python = process.env.PYTHON ?? "python3";
  const { status, stdout } = spawnSync(python, ["-c", PROGRAM], { encoding: "utf8", env: { ...env, OPENBLAS_NUM_THREADS: "2" } });
  return status === 0 ? JSON.parse(stdout) : {};
}

/** @type {import("./report.mjs").Row} */
export const linalg = {
  title: "np.linalg of n × n, float64",
  how: "in turns with NumPy on two threads ($PYTHON, or python3), whose time stands beside ours if there is one",
  run() {
    const { linalg: L } = np;
    /** @type {Record<string, number[]>} */
    const ours = {};
    /** @type {Record<string, number[]>} */
    const theirs = {};
    const calls = SIDES.flatMap(n => {
      const a = np.random.normal(0, 1, [n, n], { dtype: "float64" });
      const s = np.add(np.matmul(a, a.T), np.multiply(np.eye(n), n));
      const y = np.add(a, a.T);
      const row = a.at(0);
      /** @type {Record<string, () => unknown>} */
      const all = {
        "solve, a vector": () => L.solve(a, row),
        "solve, n vectors": () => L.solve(a, y),
        inv: () => L.inv(a),
        cholesky: () => L.cholesky(s),
        qr: () => L.qr(a),
        eigvalsh: () => L.eigvalsh(y),
        eigh: () => L.eigh(y),
        svd: () => L.svd(a),
      };
      return Object.entries(all).map(([name, call]) => ({ name, label: `${name}, ${n}`, call }));
    });
    for (const { call } of calls) call();
    for (let round = 0; round < ROUNDS; round++) {
      for (const [label, times] of Object.entries(numpyTimes())) (theirs[label] ??= []).push(...times);
      for (const { label, call } of calls)
        for (let k = 0; k < 4; k++) {
          const begun = performance.now();
          call();
          (ours[label] ??= []).push((performance.now() - begun) * 1e6);
        }
    }
    return calls.map(({ name, label }) => {
      const time = summary(ours[label] ?? []);
      const line = { what: `${label} rows`, ours: duration(time) };
      const beside = theirs[label];
      if (beside === undefined) return line;
      const other = summary(beside);
      return { ...line, other: `NumPy ${duration(other)}`, ...ratio(time, other, label.endsWith("512") ? BARS[name] : undefined) };
    });
  },
};
