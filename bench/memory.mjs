/**
 * Long loops in one synchronous job without a memory word, and what memory they take: `node bench/memory.mjs steps`
 * prints a line of JSON. The tests hold it to the bars. Knows nabla as a user does.
 */
// @ts-check
import { autograd, checkpoint, jvp, np, npx, vmap } from "nabla";

const MB = 1e6;
/** @typedef {import("nabla").NDArray} NDArray */

/** Steps of the first example, whose gradient must stay the same array in the same place. */
function steps() {
  const x = np.arange(4).attachGrad();
  const { grad } = x;
  const before = placeOf(grad);
  const measured = measure(1_000_000, () => {
    autograd.record(() => np.multiply(2, np.dot(x, x))).backward();
  });
  const same = x.grad === grad && before === placeOf(grad) && String(grad) === "[ 0.  4.  8. 12.]";
  return { ...measured, same };
}

/** Operators on large arrays, of which each result is dropped as soon as the next is there. */
function operators() {
  let y = np.ones(1_000_000);
  const measured = measure(2_000, i => {
    y = i % 2 === 1 ? np.multiply(y, 0.5) : np.add(y, 1);
  });
  // The fixed point of y/2 + 1.
  return { ...measured, same: y.item(0) === 2 && y.item(-1) === 2 };
}

/** Graphs of some forty operators that nobody walks back. */
function graphs() {
  const x = np.arange(4).attachGrad();
  const w = np.full([8, 8], 0.1).attachGrad();
  const { grad } = x;
  const before = placeOf(grad);
  const measured = measure(20_000, () => {
    autograd.record(() => {
      let y = np.multiply(x, 2);
      for (let i = 0; i < 20; i++) y = np.tanh(y);
      let v = np.matmul(w, w);
      for (let i = 0; i < 16; i++) v = i % 2 === 0 ? np.add(v, w) : np.multiply(v, 0.5);
      return np.add(y.sum(), v.sum());
    });
  });
  return { ...measured, same: x.grad === grad && before === placeOf(grad) && String(grad) === "[0. 0. 0. 0.]" };
}

/** Training steps whose losses are all kept. */
function losses() {
  const x = np.full(16, 0.1).attachGrad();
  const { grad } = x;
  const before = placeOf(grad);
  /** @type {NDArray[]} */
  const kept = [];
  const measured = measure(100_000, () => {
    const loss = autograd.record(() => {
      let y = np.multiply(x, 1.01);
      for (let i = 0; i < 48; i++) y = i % 3 === 0 ? np.multiply(y, 1.01) : i % 3 === 1 ? np.add(y, x) : np.tanh(y);
      return y.sum();
    });
    loss.backward();
    kept.push(loss);
  });
  const same = x.grad === grad && before === placeOf(grad) && kept.every(loss => loss.item() === kept[0]?.item());
  return { ...measured, same };
}

/**
 * Large results of two sizes, one of which is computed again: its place fits the other more than once, so that holes are
 * left in which neither fits.
 */
function sizes() {
  npx.setMemoryLimit(32 * 2 ** 20);
  const [changing, x, weight] = [np.zeros([784, 256]), np.ones([256, 784]), np.ones([784, 256])];
  const measured = measure(1000, () => {
    changing.set(0.5);
    np.multiply(changing, 0.01);
    np.matmul(x, weight);
  });
  return { ...measured, same: np.matmul(x, weight).at(0, 0).item() === 784 };
}

/**
 * Operators of every kind on small arrays, walked and dropped in turn: the bytes that live after collections, at a third
 * and at the end. Resident memory would show less: it goes in steps of many megabytes with the engine's own heap.
 */
function kinds() {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error("kinds asks for collections: node --expose-gc bench/memory.mjs kinds");
  np.random.seed(1);
  /** @param {...number} shape */
  const parameter = (...shape) => np.random.normal(0, 1, shape).attachGrad();
  const [image, weight, bias] = [parameter(1, 2, 5, 5), parameter(3, 2, 2, 2), parameter(3)];
  const [two, zero, mean, variance] = [parameter(2), parameter(2), np.zeros(2), np.ones(2)];
  const [a, b, m, v] = [
    np.add(np.random.normal(0, 1, [4, 4]), np.multiply(np.eye(4), 5)).attachGrad(),
    parameter(4),
    parameter(3, 4),
    parameter(8),
  ];
  const shape = np.array([0.5, 3]).attachGrad();
  class Square extends autograd.Function {
    /** @param {NDArray} x */
    forward(x) {
      this.saveForBackward(x);
      return x.mul(x);
    }
    /** @param {NDArray} dy */
    backward(dy) {
      return dy.mul(/** @type {NDArray} */ (this.savedTensors[0])).mul(2);
    }
  }
  const mapped = vmap((/** @type {NDArray} */ row) => np.dot(row, row));
  const again = checkpoint((/** @type {NDArray} */ x) => np.tanh(np.sin(x)));
  /** @type {(() => NDArray)[]} */
  const steps = [
    () => npx.convolution(image, weight, bias, { pad: 1 }),
    () => npx.deconvolution(image, np.swapaxes(weight, 0, 1)),
    () => npx.pooling(image, { kernel: 2, stride: 2 }),
    () => npx.batchNorm(image, two, zero, mean, variance),
    () => npx.layerNorm(m, b, b),
    () => npx.softmax(m),
    () => np.linalg.solve(a, b),
    () => /** @type {NDArray} */ (np.linalg.svd(m)[1]),
    () => np.random.gamma(shape, 2),
    () => np.einsum("ij,jk->ik", m, a),
    () =>
      np
        .zeros(8)
        .set(v.at("0:4"), "4:")
        .set(v.at([1, 2, 2]), [0, 1, 2]),
    () => v.at(v.gt(0)),
    () => mapped(m),
    () => np.add(jvp(x => np.sin(x), v, np.ones(8))[1], v),
    () => again(v),
    () => npx.fuse((/** @type {NDArray} */ x) => np.tanh(x.mul(2)))(v),
    () => new Square().apply(v),
    () => autograd.grad(np.sin(v).sum(), v, { createGraph: true }),
    () => np.median(m),
  ];
  const count = 18_000;
  const begun = performance.now();
  /** @type {number[]} */
  const live = [];
  for (let i = 1; i <= count; i++) {
    const loss = autograd.record(() => np.sum(np.square(/** @type {() => NDArray} */ (steps[i % steps.length])())));
    if (i % 3 !== 0) loss.backward();
    if (i % (count / 3) === 0) {
      gc();
      live.push(process.memoryUsage().heapUsed / MB);
    }
  }
  return { third: live[0], end: live[2], seconds: (performance.now() - begun) / 1000 };
}

/** The token of an array's bytes: another place in memory has another. @param {NDArray | null} x */
function placeOf(x) {
  const { block } = /** @type {{ storage: { block?: object } }} */ (/** @type {unknown} */ (x)).storage;
  if (block === undefined) throw new Error("an array no longer says where its bytes are");
  return block;
}

/** @param {readonly number[]} values */
const median = values => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/**
 * Resident megabytes before `count` steps, after a tenth of them and at the end. It goes up and down with every
 * collection, so "after a tenth" and "at the end" are medians of fifty readings: over the second tenth, and over the last.
 * @param {number} count
 * @param {(i: number) => void} step
 */
function measure(count, step) {
  const every = count / 500;
  /** @type {number[]} */
  const readings = [];
  const begun = performance.now();
  const start = process.memoryUsage.rss() / MB;
  for (let i = 1; i <= count; i++) {
    step(i);
    if (i % every === 0) readings.push(process.memoryUsage.rss() / MB);
  }
  const seconds = (performance.now() - begun) / 1000;
  const [tenth, end] = [readings.slice(50, 100), readings.slice(450)].map(median);
  return { start, tenth, end, peak: Math.max(...readings), seconds };
}

const LOOPS = { steps, operators, graphs, losses, sizes, kinds };

const name = String(process.argv[2]);
if (!(name in LOOPS)) throw new Error(`no loop ${name}; there are ${Object.keys(LOOPS).join(", ")}`);
console.log(JSON.stringify({ loop: name, ...LOOPS[/** @type {keyof typeof LOOPS} */ (name)](), ...npx.memoryInfo() }));
