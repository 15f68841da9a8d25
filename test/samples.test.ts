/**
 * Every operator that is not pointwise, on the arguments of samples.ts: gradients of order 1 and 2 against differences,
 * adjointness to rounding, views, dtypes, cotangents of zeros; and operators without derivative, which say so.
 */
import { autograd, GradError, type NDArray, np, npx } from "nabla";
import { describe, expect, test } from "vitest";
import type { HasRow } from "../src/op.ts";
import { SAMPLES } from "./samples.ts";
import { expectDerivatives, type Fn, inner, pull, randomArray, zeroCotangents } from "./support/derivatives.ts";
import { type AnyFn, arraysFor, byName, functions, pickLayout, results, rows, sampled } from "./support/rows.ts";
import { BROADCAST, closeness, LAYOUTS, laid, randomNumbers, seedOf, some, valuesOf } from "./support/sampling.ts";

// ---------------------------------------------------------------- rows with samples

describe("rows that are not pointwise", () => {
  test("all samples belong to a function", () => expect(sampled.map(([name]) => name).sort()).toEqual(Object.keys(SAMPLES).sort()));

  test.each(some(sampled))("%s: gradients are those of differences", (name, { fn, list }) => {
    const next = randomNumbers(seedOf(name) + 10);
    list.forEach((sample, number) => {
      const xs = arraysFor(sample, "float64", next);
      results(fn(...sample.args(...xs))).forEach((y, output) => {
        if (y.dtype !== "float64") return;
        const f: Fn = (...given) => results(fn(...sample.args(...given)))[output]!;
        const label = `${name}, sample ${number}, [${sample.shapes.join("] [")}]`;
        expectDerivatives(label, f, xs, 2, next);
        xs.forEach((x, i) => {
          if (xs.length > 1) expectDerivatives(`${label}, array ${i} alone`, v => f(...xs.map((w, j) => (j === i ? v! : w))), [x], 2, next);
          const twice = pickLayout(x.shape, next);
          for (const layout of [...LAYOUTS, BROADCAST]) {
            if (!layout.fits(x.shape) || (layout === BROADCAST && sample.linear === undefined)) continue;
            const { base, view } = laid(valuesOf(x), x.shape, "float64", layout);
            const through = (v: NDArray): NDArray => f(...xs.map((w, j) => (j === i ? v : w)));
            if (layout !== BROADCAST) {
              const fault = closeness(valuesOf(through(view)), valuesOf(y), 1e-13);
              if (fault !== "") throw new Error(`${label}, array ${i} ${layout.name}: ${fault}`);
            }
            expectDerivatives(
              `${label}, array ${i} ${layout.name}`,
              v => through(layout.view(v!, x.shape)),
              [base],
              layout === twice ? 2 : 1,
              next,
            );
          }
        });
      });
    });
  });

  test.each(some(sampled))("%s: adjoint to rounding", (name, { fn, list }) => {
    const next = randomNumbers(seedOf(name) + 11);
    for (const sample of list) {
      if (sample.linear === undefined) continue;
      const xs = arraysFor(sample, "float64", next);
      const f: Fn = (...given) => fn(...sample.args(...given)) as NDArray;
      const y = f(...xs);
      if (y.dtype !== "float64") continue;
      const u = randomArray(y.shape, "float64", next);
      const vs = xs.map(x => randomArray(x.shape, "float64", next));
      const gs = pull(f, xs, u, false);
      const zero = xs.map(x => np.zerosLike(x));
      const images = vs.map((v, i) => f(...(sample.linear === "each" ? xs : zero).map((w, j) => (j === i ? v : w))));
      images.forEach((image, i) => {
        const left = inner(u, image);
        const right = inner(gs[i]!, vs[i]!);
        if (!(Math.abs(left - right) <= 1e-12 * (1 + Math.abs(left))))
          throw new Error(`${name} [${sample.shapes}]: <u, A v> is ${left}, <Aᵀu, v> ${right}`);
      });
      // The sum over one axis of a sum is the sum: linear it is.
      const twice = f(...(sample.linear === "each" ? xs.map((x, i) => (i === 0 ? np.multiply(x, 2) : x)) : xs.map(x => np.multiply(x, 2))));
      const fault = closeness(valuesOf(twice), valuesOf(np.multiply(y, 2)), 1e-14);
      if (fault !== "") throw new Error(`${name} [${sample.shapes}] is not linear: ${fault}`);
    }
  });

  test.each(some(sampled))("%s: float32 is near float64, and other dtypes keep theirs", (name, { fn, list }) => {
    const next = randomNumbers(seedOf(name) + 12);
    for (const sample of list) {
      const wide = arraysFor(sample, "float64", next).map(x => x.astype("float32").astype("float64"));
      const narrow = wide.map(x => x.astype("float32"));
      results(fn(...sample.args(...narrow))).forEach((y, output) => {
        const want = results(fn(...sample.args(...wide)))[output]!;
        if (name === "astype" || name === "summed") return;
        expect(y.dtype, name).toBe(want.dtype === "float64" ? "float32" : want.dtype);
        expect(closeness(valuesOf(y), valuesOf(want), 1e-5), name).toBe("");
        if (y.dtype !== "float32" || name === "oneHot") return;
        const u = randomArray(y.shape, "float32", next);
        const of: Fn = (...given) => results(fn(...sample.args(...given)))[output]!;
        const exact = pull(of, wide, u.astype("float64"), false);
        for (const createGraph of [false, true])
          pull(of, narrow, u, createGraph).forEach((g, i) => {
            expect(g.dtype).toBe("float32");
            expect(closeness(valuesOf(g), valuesOf(exact[i]!), 1e-4), `${name}, gradient ${i}`).toBe("");
          });
      });
    }
  });

  test.each(some(sampled))("%s: a cotangent of zeros gives 0", (name, { fn, list }) => {
    const next = randomNumbers(seedOf(name) + 13);
    for (const sample of list) {
      const xs = arraysFor(sample, "float64", next);
      results(fn(...sample.args(...xs))).forEach((y, output) => {
        if (y.dtype !== "float64") return;
        const f: Fn = (...given) => results(fn(...sample.args(...given)))[output]!;
        const found = zeroCotangents(f, xs, 3, next);
        for (const g of Object.values(found).flat()) if (valuesOf(g).some(v => v !== 0)) throw new Error(`${name}: ${g}`);
      });
    }
  });
});

// ---------------------------------------------------------------- kernels

describe("what was computed once compiles nothing when it is computed again", () => {
  /** The modules that are compiled while a function runs. */
  function modulesOf(fn: () => void): number {
    const { Module } = WebAssembly;
    let made = 0;
    WebAssembly.Module = new Proxy(Module, {
      construct(target, args: [BufferSource]) {
        made++;
        return new target(...args);
      },
    });
    try {
      fn();
    } finally {
      WebAssembly.Module = Module;
    }
    return made;
  }

  /** A value, its gradients, and theirs. */
  function twice(fn: AnyFn, args: (xs: NDArray[]) => readonly unknown[], xs: readonly NDArray[]): void {
    const vs = xs.map(x => x.copy().attachGrad());
    autograd.record(() => {
      const ys = results(fn(...args(vs))).filter(y => y.dtype === "float32" && autograd.graphSize(y) > 0);
      if (ys.length === 0) return;
      const gs = vs.flatMap(v => {
        try {
          return [autograd.grad(ys, v, { createGraph: true })];
        } catch (error) {
          if (error instanceof GradError) return [];
          throw error;
        }
      });
      const heads = gs.filter(g => autograd.graphSize(g) > 0);
      if (heads.length > 0) autograd.backward(heads);
    });
  }

  test.each(some(sampled))("%s", (name, { fn, list }) => {
    const next = randomNumbers(seedOf(name) + 14);
    const all = list.map(sample => ({ sample, xs: arraysFor(sample, "float32", next) }));
    const run = (): void => {
      for (const { sample, xs } of all) twice(fn, vs => sample.args(...vs), xs);
    };
    run();
    expect(modulesOf(run)).toBe(0);
  });

  test("a function that is fused anew each time", () => {
    const x = np.array([1, 2, 3]).attachGrad();
    const bias = np.array(1).attachGrad();
    const step = (): void => {
      const f = npx.fuse((u: NDArray, v: NDArray) => np.tanh(u.mul(2).add(v)));
      autograd.record(() => f(x, bias).sum()).backward();
    };
    step();
    expect(modulesOf(step)).toBe(0);
  });
});

// ---------------------------------------------------------------- what has no derivative

describe("an operator without derivative ends the graph and says so", () => {
  const ended = [
    ...rows
      .filter(r => r.p.spec.grad === null && r.p.spec.dtype !== "integer")
      .map(r => ({ name: r.name, row: r.row, call: (x: NDArray) => (r.fn as AnyFn)(...new Array(r.p.arity).fill(x)) })),
    ...[...functions]
      .filter(([fn]) => "op" in fn && (fn as unknown as HasRow).op.rule === null && (fn as unknown as HasRow).op.pointwise === undefined)
      .map(([fn, name]) => ({ name, row: (fn as unknown as HasRow).op, call: (x: NDArray) => fn(x) })),
  ];
  test.each(byName(ended))("%s", (name, { row, call }) => {
    const x = np.array([1, 2, 3]).attachGrad();
    const y = autograd.record(() => call(x)) as NDArray;
    expect(row.rule).toBe(null);
    expect(() => y.backward()).toThrow(new RegExp(`${name} has no derivative`));
    expect(() => y.backward()).toThrow(GradError);
  });
});
