/**
 * nabla's side of the workloads that are timed beside other libraries: each as its user would write it, without a word
 * about memory. Inputs and answers come from the peers' folder, which drives it; it knows none of the peers.
 */
// @ts-check
import { autograd, hvp, np, npx } from "nabla";

/** @typedef {import("nabla").NDArray} NDArray */
/** @typedef {{ step: () => unknown, check: () => ArrayLike<number>, note?: string }} Workload */
/**
 * @typedef {object} Inputs
 * @property {(n: number, seed: number, scale?: number) => Float32Array} det The same numbers for every library.
 * @property {Int32Array} mlpLabels
 * @property {Int32Array} cnnLabels
 */

const { record } = autograd;

/** @type {Inputs} */
let inputs;

/** The peers' folder says where its inputs are; the variant, as in "2t", how many threads are to compute. @param {string} [variant] */
export async function init(variant = "") {
  const folder = process.env.PEERS;
  if (folder === undefined) throw new Error("PEERS is not set: the folder that holds lib.mjs");
  inputs = await import(new URL("lib.mjs", folder).href);
  const threads = Number.parseInt(variant, 10);
  if (Number.isNaN(threads)) return;
  npx.setNumThreads(threads);
  // A pool that has not started is not waited for by what is computed.
  await new Promise(resolve => setTimeout(resolve, 500));
}

/** @param {readonly number[]} shape @param {number} seed @param {number} [scale] */
const values = (shape, seed, scale) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return np.array(inputs.det(size, seed, scale)).reshape([...shape]);
};

/** @param {readonly number[]} shape @param {number} seed @param {number} [scale] */
const variable = (shape, seed, scale) => values(shape, seed, scale).attachGrad();

/** @param {number} n */
const bias = n => np.zeros(n).attachGrad();

/** @param {NDArray} x */
const gradOf = x => /** @type {NDArray} */ (x.grad);

/** Elements by their places in the flattened array. @param {NDArray} x @param {readonly number[]} places */
const elements = (x, ...places) => {
  const all = x.toTypedArray();
  return places.map(place => Number(all[place]));
};

/** A loss that is computed, read, and pulled back. @param {() => NDArray} forward */
const stepOf = forward => () => {
  const loss = record(forward);
  loss.backward();
  return loss.item();
};

/** @returns {Workload} */
function W1() {
  const x = np.arange(4).attachGrad();
  const step = () => {
    record(() => np.dot(x, x).mul(2)).backward();
    return gradOf(x).toTypedArray();
  };
  return { step, check: step };
}

/** @returns {Workload} */
function W2() {
  const x = variable([16], 1);
  const chain = () => {
    let y = x;
    for (let i = 0; i < 100; i++) y = i % 3 === 0 ? y.mul(1.01) : i % 3 === 1 ? y.add(0.01) : np.tanh(y);
    return y.sum();
  };
  const step = () => {
    record(chain).backward();
    return gradOf(x).toTypedArray();
  };
  const check = () => {
    step();
    return elements(gradOf(x), 0, 7);
  };
  return { step, check };
}

/** @returns {Workload} */
function W3() {
  const a = np.array(0.37).attachGrad();
  const f = () => {
    let b = a.mul(2);
    while (np.linalg.norm(b).item() < 1000) b = b.mul(2);
    return b.sum().item() > 0 ? b : b.mul(100);
  };
  const step = () => {
    record(f).backward();
    return gradOf(a).item();
  };
  return { step, check: () => [step()] };
}

/** @returns {Workload} */
function W4() {
  const [x, y] = [variable([1e6], 2), variable([1e6], 3)];
  const step = stepOf(() => np.tanh(x.mul(y).add(x)).sum());
  return { step, check: () => [step(), ...elements(gradOf(x), 123), ...elements(gradOf(y), 4567)] };
}

/** @param {number} n @returns {Workload} */
function product(n) {
  const [a, b] = [values([n, n], 10), values([n, n], 11)];
  const step = () => np.matmul(a, b);
  return { step, check: () => elements(step(), 3 * n + 5, n * n - 1) };
}

/** @param {number} n @returns {Workload} */
function productWithGradients(n) {
  const [a, b] = [variable([n, n], 10), variable([n, n], 11)];
  const step = stepOf(() => np.matmul(a, b).sum());
  return { step, check: () => [step(), ...elements(gradOf(a), n + 2), ...elements(gradOf(b), 2 * n + 1)] };
}

/** Descent along the mean cross entropy. @param {() => NDArray} scores @param {Int32Array} labels @param {readonly NDArray[]} parameters @param {number} rate @returns {Workload} */
function training(scores, labels, parameters, rate) {
  const classes = np.array(labels);
  const backward = stepOf(() => npx.pick(npx.logSoftmax(scores()), classes).mean().neg());
  const step = () => {
    const loss = backward();
    for (const p of parameters) p.isub(gradOf(p).mul(rate));
    return loss;
  };
  return { step, check: () => [step(), step(), step()] };
}

/** @returns {Workload} */
function W6() {
  const x = values([256, 784], 20);
  const [w1, b1, w2, b2] = [variable([784, 256], 21, 0.05), bias(256), variable([256, 10], 22, 0.05), bias(10)];
  const scores = () => npx.relu(x.matmul(w1).add(b1)).matmul(w2).add(b2);
  return training(scores, inputs.mlpLabels, [w1, b1, w2, b2], 0.01);
}

/** @returns {Workload} */
function W7() {
  const { convolution, pooling } = npx;
  const x = values([64, 1, 28, 28], 30);
  const [c1, c2] = [variable([6, 1, 5, 5], 31, 0.2), variable([16, 6, 5, 5], 32, 0.1)];
  const [d1, d2, d3] = [variable([400, 120], 33, 0.1), variable([120, 84], 34, 0.15), variable([84, 10], 35, 0.2)];
  const [b1, b2, b3, b4, b5] = [bias(6), bias(16), bias(120), bias(84), bias(10)];
  /** @param {NDArray} maps */
  const pooled = maps => pooling(npx.sigmoid(maps), { kernel: 2, stride: 2, poolType: "avg" });
  const scores = () => {
    const first = pooled(convolution(x, c1, b1, { pad: 2 }));
    const flat = pooled(convolution(first, c2, b2)).reshape(64, 400);
    return npx
      .sigmoid(npx.sigmoid(flat.matmul(d1).add(b3)).matmul(d2).add(b4))
      .matmul(d3)
      .add(b5);
  };
  return training(scores, inputs.cnnLabels, [c1, b1, c2, b2, d1, b3, d2, b4, d3, b5], 0.1);
}

/** @returns {Workload} */
function W8() {
  const [x, v] = [values([1000], 40).astype("float64"), values([1000], 41).astype("float64")];
  /** @param {NDArray} z */
  const rosenbrock = z => {
    const [a, b] = [z.at(":-1"), z.at("1:")];
    return b.sub(a.square()).square().mul(100).add(np.subtract(1, a).square()).sum();
  };
  const step = () => hvp(rosenbrock, x, v).toTypedArray();
  return { step, check: () => elements(hvp(rosenbrock, x, v), 0, 500, 999) };
}

/** @returns {Workload} */
function W11() {
  const [steps, batch, size, hidden] = [32, 32, 64, 128];
  const sequence = [...values([steps, batch, size], 50)];
  const wx = variable([size, 4 * hidden], 51, 0.1);
  const wh = variable([hidden, 4 * hidden], 52, 0.1);
  const b = variable([4 * hidden], 53, 0.1);
  const step = stepOf(() => {
    let h = np.zeros([batch, hidden]);
    let c = np.zeros([batch, hidden]);
    for (const x of sequence) {
      const gates = np.split(x.matmul(wx).add(h.matmul(wh)).add(b), 4, 1);
      const [i, f, g, o] = /** @type {[NDArray, NDArray, NDArray, NDArray]} */ (gates);
      c = npx
        .sigmoid(f)
        .mul(c)
        .add(npx.sigmoid(i).mul(np.tanh(g)));
      h = npx.sigmoid(o).mul(np.tanh(c));
    }
    return h.sum();
  });
  return { step, check: () => [step(), ...elements(gradOf(wx), 5), ...elements(gradOf(wh), 77), ...elements(gradOf(b), 130)] };
}

/** @returns {Workload} */
function W12() {
  const [x, w] = [variable([1024, 1024], 60), values([1024, 1024], 61)];
  const step = stepOf(() => {
    const entropy = np.log(npx.softmax(x, 1)).sum().mul(0.1);
    return entropy.add(npx.layerNorm(x).mul(w).sum());
  });
  return { step, check: () => [step(), ...elements(gradOf(x), 1000, 500000)] };
}

/** @returns {Workload} */
function W13() {
  const start = values([1e6], 70);
  const step = () => {
    let x = start;
    for (let i = 0; i < 300; i++) x = x.mul(1.0001).add(0.5);
    return x;
  };
  return { step, check: () => elements(step(), 0, 9) };
}

/** @type {Record<string, () => Workload>} */
export const W = { W1, W2, W3, W4, W6, W7, W8, W11, W12, W13 };
for (const n of [256, 512, 1024]) {
  W[`W5f${n}`] = () => product(n);
  W[`W5g${n}`] = () => productWithGradients(n);
}
