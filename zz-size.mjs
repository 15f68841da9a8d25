import { gzipSync } from "node:zlib";
import { build } from "vite";
import { nabla } from "nabla/vite";
import { writeFileSync } from "node:fs";
const source = `
import { autograd, np } from "nabla";
const x = np.arange(4).attachGrad();
const y = autograd.record(() => np.dot(x, x).mul(2));
y.backward();
export const shown = String(x.grad);
export const same = x.grad.eq(x.mul(4)).all().item();
`;
for (const [n, plugins] of [["full", []], ["reduced", [nabla()]]]) {
  const r = await build({ configFile: false, root: process.cwd(), logLevel: "silent",
    plugins: [...plugins, { name: "program", resolveId: id => (id === "\0program" ? id : null), load: id => (id === "\0program" ? source : null) }],
    build: { write: false, target: "es2022", rollupOptions: { input: "\0program", preserveEntrySignatures: "strict" } } });
  const code = r.output[0].code;
  writeFileSync(`/tmp/bundle-${n}.js`, code);
  console.log(n, code.length, gzipSync(code).length);
}
