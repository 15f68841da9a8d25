/** The chapter on automatic differentiation, cell by cell. Knows only what any program sees of nabla. */

// %% Three names
// `np` holds arrays and mathematics, `npx` what goes beyond NumPy, `autograd` the recording. Nothing needs setting up:
// `setNp` without options is the default.
import { autograd, type NDArray, np, npx } from "nabla";

npx.setNp();

// %% An array
// Numbers live in arrays of one element type, float32 unless something else is asked for.
const x = np.arange(4);
x;

// %% A place for the gradient
// Attaching gives an array one gradient buffer, full of zeros, which every later backward pass writes in place:
// a step taken too early changes nothing, and a million steps need no new memory.
x.attachGrad();
x.grad;

// %% Recording
// Only what runs inside `record` leaves a trace. The value is there at once; the trace hangs on the result.
let y = autograd.record(() => np.dot(x, x).mul(2));
y;

// %% Walking back
// y = 2·xᵀx has the gradient 4x.
y.backward();
x.grad;

// %% Comparing
// A comparison gives booleans, as in NumPy.
x.grad!.eq(x.mul(4));

// %% The older way of printing a comparison
// The chapter was written when comparisons gave numbers. One setting brings that back; it stays on from here.
npx.setNp({ comparison: "float32" });
x.grad!.eq(x.mul(4));

// %% The next pass overwrites
// Nothing is added up unless the array was attached with "add".
y = autograd.record(() => x.sum());
y.backward();
x.grad;

// %% A vector at the end
// Backward from a vector is backward from its sum: what one wants of the losses of a batch.
y = autograd.record(() => x.mul(x));
y.backward();
const copy = x.copy().attachGrad();
const total = autograd.record(() => copy.mul(copy).sum());
total.backward();
x.grad!.eq(copy.grad!);

// %% Cutting the trace
// `detach` keeps the value and forgets where it came from, so `factor` is a constant here, and dz/dx is x² and not 3x².
const [square, factor, z] = autograd.record(() => {
  const square = x.mul(x);
  const factor = square.detach();
  return [square, factor, factor.mul(x)] as const;
});
z.backward();
x.grad!.eq(factor);

// %% The part that was cut off
// The square was recorded all the same, and has a gradient of its own.
square.backward();
x.grad!.eq(x.mul(2));

// %% Attaching in the middle
// An intermediate result that is attached becomes a beginning: gradients arrive there and go no further.
const twos = np.ones(4).mul(2).attachGrad();
const [middle, end] = autograd.record(() => {
  const middle = x.mul(twos).attachGrad();
  return [middle, middle.mul(5).sub(x)] as const;
});
end.backward();
[x.grad, middle.grad, twos.grad];

// %% Ordinary control flow
// How often the loop turns and which way the branch goes depend on the value. That is plain TypeScript: each call
// records the operations that really ran.
function f(a: NDArray): NDArray {
  let b = a.mul(2);
  while (Number(np.linalg.norm(b)) < 1000) b = b.mul(2);
  return Number(b.sum()) > 0 ? b : b.mul(100);
}

// %% Its gradient
// Wherever it does not jump, f is a straight line through the origin, f(a) = k·a, so the slope must be f(a) / a.
np.random.seed(1);
const a = np.random.normal().attachGrad();
const d = autograd.record(() => f(a));
d.backward();
a.grad!.eq(d.div(a));

// %% Both sides of zero
// 0.5 is doubled eleven times; for −0.5 the factor 100 comes on top.
[0.5, -0.5].map(value => {
  const at = np.array(value).attachGrad();
  const result = autograd.record(() => f(at));
  result.backward();
  return [result, at.grad];
});

// %% When the check is less exact than the gradient
// Every step of the backward pass is a multiplication by a power of two or by 100, so the slope is exact: 204800.
// The quotient divides two rounded numbers, and misses it by one unit in the last place.
const rounded = np.array(-0.649).attachGrad();
const quotient = autograd.record(() => f(rounded));
quotient.backward();
[rounded.grad, quotient.div(rounded)];

// %% Training and prediction
// Some layers behave differently while a model learns (dropout, batch normalisation). Recording says which it is.
console.log(autograd.isTraining());
autograd.record(() => console.log(autograd.isTraining()));
