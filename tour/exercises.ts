/** The chapter's six exercises, each with an answer that runs. Knows only what any program sees of nabla. */
import { mkdirSync, writeFileSync } from "node:fs";
import { autograd, type NDArray, np } from "nabla";

// %% Exercise 1: why does a second derivative cost so much more than a first?
// A gradient is itself a computation: one step back for each step forward, and most of these use values of the way
// there. To differentiate it again all of that has to be recorded, and walked back. So each order works on a program
// that is several times longer than the one before.
const point = np.array([0.5, 1, 1.5]).attachGrad();
autograd.record(() => {
  let y: NDArray = np.exp(np.sin(np.square(point))).sum();
  for (let order = 1; order <= 6; order++) {
    let slope = y;
    // The best of ten, for the first one compiles its kernels.
    const times = Array.from({ length: 10 }, () => {
      const begun = performance.now();
      slope = autograd.grad(y, point, { createGraph: true });
      return performance.now() - begun;
    });
    console.log(`order ${order}: ${autograd.graphSize(slope)} recorded operations, ${Math.min(...times).toFixed(2)} ms`);
    y = slope.sum();
  }
});

// %% And there are more of them
// That was one number per component. All second derivatives together are a matrix, and each of its rows is a walk
// over the recorded first derivative of its own: here four walks for y = 2·xᵀx.
const vector = np.arange(4).attachGrad();
const slope = autograd.record(() => autograd.grad(np.dot(vector, vector).mul(2), vector, { createGraph: true }));
const rows = [0, 1, 2, 3].map(i => autograd.grad(slope, vector, { headGrads: np.eye(4).at(i), retainGraph: true }));
np.stack(rows);

// %% Exercise 2: going back twice
// The first pass frees what the graph kept as it goes. The second finds nothing to walk on, says so, and leaves the
// gradient alone.
const x = np.arange(4).attachGrad();
let y = autograd.record(() => np.dot(x, x).mul(2));
y.backward();
try {
  y.backward();
} catch (error) {
  console.log(String(error));
}
x.grad;

// %% Keeping the graph
// Whoever wants to come back says so beforehand. With "add" one sees that the second pass really ran.
x.attachGrad("add");
y = autograd.record(() => np.dot(x, x).mul(2));
y.backward(null, { retainGraph: true });
y.backward();
x.grad;

// %% Exercise 3: the control flow on a vector
// The norm of the whole vector decides how often it is doubled, its sum decides the branch, so there is still one
// number k for all components: f(a) = k·a. Backward sums the components first, and the gradient is k everywhere.
function f(a: NDArray): NDArray {
  let b = a.mul(2);
  while (Number(np.linalg.norm(b)) < 1000) b = b.mul(2);
  return Number(b.sum()) > 0 ? b : b.mul(100);
}
const list = np.array([1, -2, 3]).attachGrad();
const scaled = autograd.record(() => f(list));
scaled.backward();
[scaled, list.grad, scaled.div(list)];

// %% On a vector with a negative sum
// The other branch, and again one factor for all.
const negative = np.array([-1, 0.5]).attachGrad();
autograd.record(() => f(negative)).backward();
negative.grad;

// %% On a matrix
// The norm of a matrix is the Frobenius norm, the root of the sum of all squares. Nothing else changes.
const matrix = np
  .array([
    [1, 2],
    [3, 4],
  ])
  .attachGrad();
autograd.record(() => f(matrix)).backward();
matrix.grad;

// %% Where the analysis ends
// At a component that is 0 the quotient is 0/0 and says nothing, while the gradient is k there as everywhere. And at
// the values where the number of doublings changes, f jumps: no derivative exists, and backward gives the slope of
// the piece that was taken.
const zero = np.array([1, 0]).attachGrad();
const image = autograd.record(() => f(zero));
image.backward();
[zero.grad, image.div(zero)];

// %% Exercise 4: another control flow
// Newton's iteration for the square root, until the square is close enough: the number of rounds depends on the value.
// Nobody told autograd about roots; it differentiates the rounds. The analysis: the result is √a nearly exactly, so
// the slope must be 1/(2√a), that is 1/(2·result).
function root(a: NDArray): NDArray {
  let guess = a.add(1).div(2);
  while (Math.abs(Number(guess.mul(guess).sub(a))) > 1e-12 * Number(a)) guess = guess.add(a.div(guess)).div(2);
  return guess;
}
const roots = [0.25, 2, 9, 1000].map(value => {
  const a = np.array(value, { dtype: "float64" }).attachGrad();
  const result = autograd.record(() => root(a));
  const operations = autograd.graphSize(result);
  result.backward();
  console.log(`√${value} = ${Number(result).toFixed(6)}, slope ${Number(a.grad).toFixed(6)}, from ${operations} operations`);
  return [value, Number(result), Number(a.grad)] as const;
});
roots.every(([value, result, slope]) => Math.abs(result - Math.sqrt(value)) < 1e-9 * result && Math.abs(slope * 2 * result - 1) < 1e-9);

// %% Exercise 5: the sine and its slope
// The lower curve comes from the recorded sine. As a witness that knows no calculus: the difference quotient of the
// sine itself, half a step to either side.
const angle = np.linspace(-2 * np.pi, 2 * np.pi, 121, { dtype: "float64" }).attachGrad();
const sine = autograd.record(() => np.sin(angle));
sine.backward();
const step = 1e-5;
const quotients = np
  .sin(angle.add(step / 2))
  .sub(np.sin(angle.sub(step / 2)))
  .div(step);
const gap = Number(np.abs(quotients.sub(angle.grad!)).max());
console.log(`largest distance from the difference quotient: ${gap.toExponential(0)}`);

// %% Drawn into a file
// A curve is a list of points; SVG asks for no more.
const width = 640;
const height = 240;
function path(values: NDArray): string {
  const list = values.tolist() as number[];
  return list.map((v, i) => `${((i / (list.length - 1)) * width).toFixed(1)},${((1.1 - v) * (height / 2.2)).toFixed(1)}`).join(" ");
}
const line = (values: NDArray, colour: string) => `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${path(values)}"/>`;
const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}">
<path stroke="#bbb" d="M0 ${height / 2}H${width}M${width / 2} 0V${height}"/>
${line(sine, "#1f77b4")}
${line(angle.grad!, "#d62728")}
<text x="8" y="16" fill="#1f77b4">sin x</text><text x="8" y="34" fill="#d62728">its slope</text>
</svg>
`;
mkdirSync("out", { recursive: true });
writeFileSync("out/sin.svg", svg);
console.log("written: out/sin.svg");

// %% And on the terminal
// o is the sine, * its slope: the slope is where the sine will be a quarter turn later.
const canvas = Array.from({ length: 15 }, () => Array<string>(121).fill(" "));
canvas[7]!.fill("·");
for (const [values, mark] of [[sine, "o"] as const, [angle.grad!, "*"] as const]) {
  (values.tolist() as number[]).forEach((v, column) => {
    canvas[Math.round(7 - 7 * v)]![column] = mark;
  });
}
console.log(canvas.map(row => row.filter((_, column) => column % 2 === 0).join("")).join("\n"));

// %% Exercise 6: a second-price auction
// The highest bid wins and pays the second highest. The price does not move with the winner's own bid at all; it
// moves with the bid of the one who lost by the least.
const bids = np.array([10, 7, 3]).attachGrad();
const price = autograd.record(() => np.sort(bids).at(-2));
price.backward();
[price, bids.grad];

// %% For contrast, the first-price auction
// Here the winner pays the own bid: every cent less is a cent saved, as long as it still wins.
const paid = autograd.record(() => bids.max());
paid.backward();
[paid, bids.grad];

// %% A tie
// With two equal bids at the top the price is their common value. Sorting puts one of them second, and that one has
// the slope; the price has a kink there, and 1 is one of its one-sided slopes.
const tied = np.array([10, 10, 3]).attachGrad();
const tiedPrice = autograd.record(() => np.sort(tied).at(-2));
tiedPrice.backward();
[tiedPrice, tied.grad];

// %% What that says about the mechanism
// Somebody values the thing at 8. In each row the best rival bids something else; the columns are what is won by
// bidding 6, 7, 8, 9, 10. Bidding the true value is never worse than any other bid: shading cannot lower the price,
// it can only lose the thing, and bidding more wins only where winning costs more than 8. One zero in a gradient is
// the reason why honesty is the best strategy.
const gains = [5, 6.5, 7.5, 8.5, 9.5].map(rival => [6, 7, 8, 9, 10].map(bid => (bid > rival ? 8 - rival : 0)));
const table = np.array(gains);
table;

// %% The honest column
// The gain of bidding 8 minus that of every other bid: nowhere below zero.
Number(table.at(":", "2:3").sub(table).min()) >= 0;
