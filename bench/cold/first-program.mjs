/** The chapter's first program, for the time from the start of a process to the first gradient, and for its bundled size. */
import { autograd, np } from "nabla";

const x = np.arange(4).attachGrad();
const y = autograd.record(() => np.dot(x, x).mul(2));
y.backward();
console.log(String(x.grad));
