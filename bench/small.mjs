/** Small arrays: what a call, its record and its way back cost, beside a bare tape. Knows nabla as a user does. */
// @ts-check
import { autograd, np, npx } from "nabla";
import * as bare from "./bare-tape.mjs";
import { duration, ratio } from "./report.mjs";
import { interleave } from "./timing.mjs";

/** @param {import("./timing.mjs").Time} ours @param {import("./timing.mjs").Time} floor @param {number} [bar] @param {number} [per] */
const beside = (ours, floor, bar, per = 1) => [
  { ours: duration(ours, per), other: `bare tape ${duration(floor, per)}`, ...ratio(ours, floor, bar) },
];

/** @type {import("./report.mjs").Row} */
export const W1 = {
  title: "the first example with its way back",
  how: "y = 2·dot(x, x) of 4 float32 elements and y.backward(), against the same on bench/bare-tape.mjs",
  run() {
    const x = np.arange(4).attachGrad();
    const x0 = bare.variable([0, 1, 2, 3]);
    const { ours, floor } = interleave({
      ours: () => autograd.record(() => np.multiply(2, np.dot(x, x))).backward(),
      floor: () => bare.backward(bare.record(() => bare.scale(bare.dot(x0, x0), 2))),
    });
    return beside(ours, floor, 2);
  },
};

/** @type {import("./report.mjs").Row} */
export const W2 = {
  title: "a chain of 100 operators, per operator",
  how: "of 16 elements: y·1.01, y + z and tanh(y) in turns, then sum and backward: time of all by 101, against the bare tape",
  run() {
    const z = np.full(16, 0.1).attachGrad();
    const z0 = bare.variable(new Array(16).fill(0.1));
    const chain = () => {
      let y = z;
      for (let i = 0; i < 100; i++) y = i % 3 === 0 ? np.multiply(y, 1.01) : i % 3 === 1 ? np.add(y, z) : np.tanh(y);
      return y.sum();
    };
    const chain0 = () => {
      let y = z0;
      for (let i = 0; i < 100; i++) y = i % 3 === 0 ? bare.scale(y, 1.01) : i % 3 === 1 ? bare.add(y, z0) : bare.tanh(y);
      return bare.sum(y);
    };
    const { ours, floor } = interleave({
      ours: () => autograd.record(chain).backward(),
      floor: () => bare.backward(bare.record(chain0)),
    });
    return beside(ours, floor, 1.2, 101);
  },
};

/** @type {import("./report.mjs").Row} */
export const W3 = {
  title: "the chapter's control flow with its way back",
  how: "f(0.37): 12 doublings, each with a norm that is read, a sum that is read, backward; against the bare tape",
  run() {
    /** @param {import("nabla").NDArray} a */
    const f = a => {
      let b = a.mul(2);
      while (Number(np.linalg.norm(b)) < 1000) b = b.mul(2);
      return Number(b.sum()) > 0 ? b : b.mul(100);
    };
    /** @param {ReturnType<typeof bare.variable>} a */
    const f0 = a => {
      let b = bare.scale(a, 2);
      while (bare.norm(b).data[0] < 1000) b = bare.scale(b, 2);
      return bare.sum(b).data[0] > 0 ? b : bare.scale(b, 100);
    };
    const a = np.array(0.37).attachGrad();
    const a0 = bare.variable([0.37]);
    const { ours, floor } = interleave({
      ours: () => autograd.record(() => f(a)).backward(),
      floor: () => bare.backward(bare.record(() => f0(a0))),
    });
    return beside(ours, floor);
  },
};

/** @type {import("./report.mjs").Row} */
export const calls = {
  title: "one call on 4 elements, not recorded",
  how: "the same call in a loop; each operator alone",
  run() {
    const x = np.arange(4);
    const m = np.ones([2, 2]);
    const s = np.array(3);
    const row = np.ones([1, 4]);
    const calls = {
      "np.add(x, y)": () => np.add(x, x),
      "np.multiply(x, 2)": () => np.multiply(x, 2),
      "x.mul(2)": () => x.mul(2),
      "np.multiply(2, 0-d)": () => np.multiply(2, s),
      "np.tanh(x)": () => np.tanh(x),
      "np.dot(x, x)": () => np.dot(x, x),
      "x.sum()": () => x.sum(),
      "np.matmul of 2 × 2": () => np.matmul(m, m),
      "np.add of (1, 4) and (4,)": () => np.add(row, x),
      "np.where": () => np.where(x, x, 0),
      "x.reshape([2, 2])": () => x.reshape([2, 2]),
      "m.T": () => m.T,
      "m.at(0)": () => m.at(0),
      "x.item(0)": () => x.item(0),
      "np.array of 4 numbers": () => np.array([0, 1, 2, 3]),
      "autograd.record(() => 0)": () => autograd.record(() => 0),
    };
    const times = interleave(calls, { seconds: 4 });
    return Object.entries(times).map(([what, time]) => ({ what, ours: duration(time) }));
  },
};

/** One step of gradient descent of a net with one hidden layer. @param {number} batch @param {readonly [number, number, number]} sizes */
function trainingStep(batch, [inputs, hidden, outputs]) {
  const w1 = np.random.normal(0, 0.05, [inputs, hidden]).attachGrad();
  const b1 = np.zeros(hidden).attachGrad();
  const w2 = np.random.normal(0, 0.05, [hidden, outputs]).attachGrad();
  const b2 = np.zeros(outputs).attachGrad();
  const x = np.random.uniform(-1, 1, [batch, inputs]);
  const labels = np.array(Array.from({ length: batch }, (_, i) => i % outputs)).astype("int32");
  return () => {
    const loss = autograd.record(() => {
      const h = npx.relu(np.add(np.matmul(x, w1), b1));
      const logits = np.add(np.matmul(h, w2), b2);
      return np.negative(np.mean(npx.pick(npx.logSoftmax(logits), labels)));
    });
    loss.backward();
    for (const p of [w1, b1, w2, b2]) if (p.grad) p.isub(p.grad.mul(0.01));
  };
}

/** @type {import("./report.mjs").Row} */
export const training = {
  title: "a training step of a net with one hidden layer",
  how: "matmul, bias, relu, matmul, bias, logSoftmax, pick, mean, backward, update; no memory word",
  run() {
    const steps = {
      "16 × 4 to 16 to 3": trainingStep(16, [4, 16, 3]),
      "64 × 784 to 128 to 10": trainingStep(64, [784, 128, 10]),
    };
    // As in the row of np.add: past the memory that nothing has touched yet.
    for (let i = 0; i < 200; i++) for (const step of Object.values(steps)) step();
    const times = interleave(steps, { seconds: 3, sample: 20 });
    return Object.entries(times).map(([what, time]) => ({ what, ours: duration(time) }));
  },
};
