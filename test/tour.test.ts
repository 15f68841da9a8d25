/** The tour runs from end to end, and its cells give what the chapter and its exercises say. */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { CHAPTERS, runChapter } from "../scripts/tour.mjs";
import * as nabla from "../src/index.ts";
import { filesBelow, ROOT } from "./support/source.ts";

type Cells = Awaited<ReturnType<typeof runChapter>>;

const load = (specifier: string): unknown => (specifier === "nabla" ? nabla : import(specifier));

/** Runs a file of the tour once, and gives its cells by their titles. */
function cellsOf(name: string): (title: string) => Cells[number] {
  const cells = new Map<string, Cells[number]>();
  beforeAll(async () => {
    try {
      for (const cell of await runChapter(name, load)) cells.set(cell.title, cell);
    } finally {
      nabla.npx.setNp();
    }
  });
  return title => {
    const cell = cells.get(title);
    if (!cell) throw new Error(`tour/${name}.ts has no cell "${title}"`);
    return cell;
  };
}

test("every file of the tour is run", () => {
  expect(filesBelow("tour").sort()).toEqual(CHAPTERS.map(name => `tour/${name}.ts`).sort());
});

const ONES = "array([1., 1., 1., 1.])";

describe("the chapter", () => {
  const cell = cellsOf("chapter");
  const results: readonly (readonly [string, string])[] = [
    ["An array", "array([0., 1., 2., 3.])"],
    ["A place for the gradient", "array([0., 0., 0., 0.])"],
    ["Recording", "array(28.)"],
    ["Walking back", "array([ 0.,  4.,  8., 12.])"],
    ["Comparing", "array([ True,  True,  True,  True])"],
    ["The older way of printing a comparison", ONES],
    ["The next pass overwrites", ONES],
    ["A vector at the end", ONES],
    ["Cutting the trace", ONES],
    ["The part that was cut off", ONES],
    ["Attaching in the middle", "[array([-1., -1., -1., -1.]), array([5., 5., 5., 5.]), array([0., 0., 0., 0.])]"],
    ["Its gradient", "array(1.)"],
    ["Both sides of zero", "[[array(1024.), array(2048.)], [array(-102400.), array(204800.)]]"],
    ["When the check is less exact than the gradient", "[array(204800.), array(204800.02)]"],
  ];
  test.each(results)("%s", (title, result) => expect(cell(title).result).toBe(result));

  test("Training and prediction", () => expect(cell("Training and prediction").output).toEqual(["false", "true"]));

  test("a random number is a scalar of float32 that can be attached", () => {
    const a = nabla.np.random.normal();
    expect([a.shape, a.dtype]).toEqual([[], "float32"]);
    expect(a.attachGrad().grad!.shape).toEqual([]);
  });
});

describe("the exercises", () => {
  const cell = cellsOf("exercises");

  test("1: each order records more, by a growing amount", () => {
    const counts = cell("Exercise 1: why does a second derivative cost so much more than a first?").output.map(line =>
      Number(/(\d+) recorded/.exec(line)?.[1]),
    );
    expect(counts).toHaveLength(6);
    counts.forEach((count, i) => {
      if (i > 0) expect(count).toBeGreaterThan(1.5 * counts[i - 1]!);
    });
  });

  test("1: the matrix of second derivatives", () => {
    const rows = [0, 1, 2, 3].map(i => `[${[0, 1, 2, 3].map(j => (i === j ? "4." : "0.")).join(", ")}]`);
    expect(cell("And there are more of them").result).toBe(`array([${rows.join(",\n       ")}])`);
  });

  test("2: going back twice", () => {
    const { output, result } = cell("Exercise 2: going back twice");
    expect(output).toHaveLength(1);
    expect(output[0]).toMatch(/^GradError: .*freed.*retainGraph/s);
    expect(result).toBe("array([ 0.,  4.,  8., 12.])");
    expect(cell("Keeping the graph").result).toBe("array([ 0.,  8., 16., 24.])");
  });

  test("3: vectors and matrices", () => {
    const k = "array([512., 512., 512.])";
    expect(cell("Exercise 3: the control flow on a vector").result).toBe(`[array([  512., -1024.,  1536.]), ${k}, ${k}]`);
    expect(cell("On a vector with a negative sum").result).toBe("array([102400., 102400.])");
    expect(cell("On a matrix").result).toBe("array([[256., 256.],\n       [256., 256.]])");
    expect(cell("Where the analysis ends").result).toBe("[array([1024., 1024.]), array([1024.,   nan])]");
  });

  test("4: the slope of an iterated root", () => {
    const { output, result } = cell("Exercise 4: another control flow");
    expect(output).toHaveLength(4);
    expect(output[1]).toMatch(/^√2 = 1\.41421[34], slope 0\.35355/);
    expect(result).toBe("true");
  });

  test("5: the sine and its slope, without a cosine", () => {
    const gap = Number(/: (.*)$/.exec(cell("Exercise 5: the sine and its slope").output[0] ?? "")?.[1]);
    expect(gap).toBeLessThan(1e-8);
    expect(readFileSync(`${ROOT}tour/exercises.ts`, "utf8")).not.toMatch(/\bcos\b/);
    const svg = readFileSync(`${ROOT}out/sin.svg`, "utf8");
    const [sine, slope] = [...svg.matchAll(/points="([^"]*)"/g)].map(match => match[1]!.split(" "));
    expect(sine).toHaveLength(121);
    // A quarter turn later the sine is where the slope is now.
    expect(slope!.slice(0, -15).map(point => point.split(",")[1])).toEqual(sine!.slice(15).map(point => point.split(",")[1]));
    expect(cell("And on the terminal").output[0]!.split("\n")).toHaveLength(15);
  });

  test("6: auctions", () => {
    expect(cell("Exercise 6: a second-price auction").result).toBe("[array(7.), array([0., 1., 0.])]");
    expect(cell("For contrast, the first-price auction").result).toBe("[array(10.), array([1., 0., 0.])]");
    expect(cell("A tie").result).toMatch(/^\[array\(10\.\), array\(\[(1\., 0\.|0\., 1\.), 0\.\]\)\]$/);
    expect(cell("The honest column").result).toBe("true");
  });

  test("the other control flow of the course: a component chosen by a branch", () => {
    const { autograd, np } = nabla;
    const a = np.array([0.3, -0.7]).attachGrad();
    const c = autograd.record(() => {
      let b = a.mul(2);
      while (Number(np.abs(b).sum()) < 1000) b = b.mul(2);
      return Number(b.sum()) >= 0 ? b.at(0) : b.at(1);
    });
    c.backward();
    expect(Number(c)).toBeCloseTo(-716.8, 3);
    expect(a.grad!.tolist()).toEqual([0, 1024]);
  });

  test("third powers have second derivatives", () => {
    const { autograd, np } = nabla;
    const x = np.array([1, 2, 3]).attachGrad();
    const g = autograd.record(() => autograd.grad(np.power(x, 3).sum(), x, { createGraph: true }));
    expect(g.tolist()).toEqual([3, 12, 27]);
    g.backward();
    expect(x.grad!.tolist()).toEqual([6, 12, 18]);
  });
});

describe("real data", () => {
  const cell = cellsOf("iris");

  test("the model learns, and knows flowers it has not seen", () => {
    const losses = cell("Gradient descent").output.map(line => Number(/loss ([\d.]+)/.exec(line)?.[1]));
    expect(losses.length).toBeGreaterThan(4);
    losses.forEach((loss, i) => {
      if (i > 0) expect(loss).toBeLessThan(losses[i - 1]!);
    });
    const [learnt, aside] = cell("Flowers it has never seen").output.map(line => Number(/: ([\d.]+) % right$/.exec(line)?.[1]));
    expect(learnt).toBeGreaterThan(95);
    expect(aside).toBeGreaterThan(90);
  });

  test("and learns the same each time", async () => {
    const again = await runChapter("iris", load);
    expect(again.map(({ output, result }) => [output, result])).toEqual(again.map(({ title }) => [cell(title).output, cell(title).result]));
  });
});
