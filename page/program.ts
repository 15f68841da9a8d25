/** What a page does with nabla: the chapter's first program and its control flow, written into the page. */
import { autograd, type NDArray, np } from "nabla";

const lines: string[] = [];

const x = np.arange(4).attachGrad();
const y = autograd.record(() => np.dot(x, x).mul(2));
y.backward();
lines.push(`${y}`, `${x.grad}`);

function f(a: NDArray): NDArray {
  let b = a.mul(2);
  while (Number(np.linalg.norm(b)) < 1000) b = b.mul(2);
  return Number(b.sum()) > 0 ? b : b.mul(100);
}
for (const value of [0.5, -0.5]) {
  const a = np.array(value).attachGrad();
  const d = autograd.record(() => f(a));
  d.backward();
  lines.push(`${d} ${a.grad}`);
}

lines.push(`isolated: ${crossOriginIsolated}`);
document.querySelector("#output")!.textContent = lines.join("\n");
