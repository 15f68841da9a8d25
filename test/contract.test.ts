/** The matrix product against plain loops: every way it is computed, layouts, edges, tables of offsets, parts of the whole. */
import { autograd, grad, type NDArray, np, npx, vmap } from "nabla";
import { describe, expect, test } from "vitest";
import { contract, contractBytes, type Operand } from "../src/backend/routines/contract.ts";
import { address, allocate, type Block, F32, F64, I32, U8 } from "../src/backend/wasm/heap.ts";
import { BYTES, DTYPES, type DType, type TypedArray } from "../src/dtype.ts";
import { randomNumbers } from "./support/sampling.ts";

const next = randomNumbers(5);
npx.seed(5);
const EPS: Partial<Record<DType, number>> = { float32: 2 ** -24, float64: 2 ** -53 };

function random(shape: readonly number[], dtype: DType): NDArray {
  const x = np.random.uniform(-1, 1, shape, { dtype: dtype === "int32" ? "float32" : dtype });
  return dtype === "int32" ? np.multiply(x, 100).astype(dtype) : x;
}

/** Entry (i, j) and the sum of absolute products, in float64. */
function entry(a: TypedArray, b: TypedArray, i: number, j: number, n: number, k: number): [number, number] {
  let [sum, size] = [0, 0];
  for (let l = 0; l < k; l++) {
    const product = a[i * k + l]! * b[l * n + j]!;
    sum += product;
    size += Math.abs(product);
  }
  return [sum, size];
}

/** "" if y is the product of the last two axes, else where it is not. Of large ones some entries are looked at. */
function difference(y: NDArray, a: NDArray, b: NDArray): string {
  const batch = y.shape.slice(0, -2);
  const [m, k] = a.shape.slice(-2) as [number, number];
  const n = b.shape.at(-1)!;
  if (y.dtype !== a.dtype || y.shape.at(-2) !== m || y.shape.at(-1) !== n) return `${y.dtype} ${y.shape}`;
  const count = batch.reduce((p, size) => p * size, 1);
  const [va, vb] = [a, b].map(x => np.broadcastTo(x, [...batch, ...x.shape.slice(-2)]).toTypedArray()) as [TypedArray, TypedArray];
  const vy = y.toTypedArray();
  const step = Math.max(1, Math.floor((count * m * n * k) / 200_000));
  for (let at = 0; at < vy.length; at += step % 7 === 0 ? step + 1 : step) {
    const g = Math.floor(at / (m * n));
    const [i, j] = [Math.floor(at / n) % m, at % n];
    const [want, size] = entry(va.subarray(g * m * k), vb.subarray(g * k * n), i, j, n, k);
    const off = a.dtype in EPS ? Math.abs(vy[at]! - want) : Math.abs(vy[at]! - (want | 0));
    if (!(off <= 2 * (k + 2) * (EPS[a.dtype] ?? 0) * size)) return `${[g, i, j]}: ${vy[at]}, not ${want}`;
  }
  return "";
}

/** The same elements in other layouts. */
const LAYOUTS: Record<string, (shape: readonly number[], dtype: DType) => NDArray> = {
  "C order": random,
  turned: (shape, dtype) => np.swapaxes(random([...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!], dtype), -1, -2),
  "with gaps": (shape, dtype) =>
    random([...shape.slice(0, -1), 2 * shape.at(-1)! + 1], dtype).at("...", np.slice(1, 2 * shape.at(-1)! + 1, 2)),
  "rows apart": (shape, dtype) => random([...shape.slice(0, -1), shape.at(-1)! + 3], dtype).at("...", np.slice(2, shape.at(-1)! + 2)),
  backwards: (shape, dtype) => random(shape, dtype).at("...", np.slice(null, null, -1), np.slice(null, null, -1)),
  "one row": (shape, dtype) => np.broadcastTo(random([...shape.slice(0, -2), 1, shape.at(-1)!], dtype), shape),
  "one column": (shape, dtype) => np.broadcastTo(random([...shape.slice(0, -1), 1], dtype), shape),
};

const SIZES: readonly (readonly [m: number, k: number, n: number])[] = [
  [1, 1, 1],
  [2, 3, 4],
  [5, 7, 6],
  [1, 9, 70],
  [70, 9, 1],
  [1, 300, 5],
  [7, 300, 9],
  [9, 40, 33],
  [13, 8, 41],
  [40, 560, 41],
];

describe.each(["float32", "float64", "int32"] as const)("matmul, %s", dtype => {
  const names = Object.keys(LAYOUTS);
  test.each(SIZES)("(%i × %i) · (%i columns) in all layouts", (m, k, n) => {
    for (const [i, left] of names.entries())
      for (const turn of [0, 1, 3]) {
        const right = names[(i + turn) % names.length]!;
        const [a, b] = [LAYOUTS[left]!([m, k], dtype), LAYOUTS[right]!([k, n], dtype)];
        expect(difference(np.matmul(a, b), a, b), `${left}, ${right}`).toBe("");
      }
  });

  test.each([
    [[3], [], [4, 5, 6]],
    [[3], [3], [4, 5, 6]],
    [[], [3], [4, 5, 6]],
    [
      [2, 1, 3],
      [4, 1],
      [2, 3, 9],
    ],
    [[2, 3], [1], [1, 9, 70]],
    [[3], [3], [70, 9, 1]],
    [[4], [4], [3, 9, 40]],
    [
      [2, 2],
      [2, 1],
      [67, 260, 66],
    ],
    [[3], [], [67, 30, 110]],
    [[], [3], [67, 30, 110]],
  ] as const)("batches %j and %j of %j", (batchA, batchB, [m, k, n]) => {
    for (const left of ["C order", "turned"])
      for (const right of ["C order", "turned"]) {
        const [a, b] = [LAYOUTS[left]!([...batchA, m, k], dtype), LAYOUTS[right]!([...batchB, k, n], dtype)];
        expect(difference(np.matmul(a, b), a, b), `${left}, ${right}`).toBe("");
      }
  });

  test("nothing of size 0 is read", () => {
    expect(np.matmul(np.ones([2, 0], { dtype }), np.ones([0, 3], { dtype })).tolist()).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    for (const [m, k, n] of [
      [0, 3, 2],
      [3, 2, 0],
      [0, 0, 0],
    ] as const)
      expect(np.matmul(np.ones([m, k], { dtype }), np.ones([k, n], { dtype })).shape).toEqual([m, n]);
    expect(np.matmul(np.ones([0, 2, 3], { dtype }), np.ones([3, 4], { dtype })).shape).toEqual([0, 2, 4]);
  });
});

test("small integers are multiplied as int32 and wrap", () => {
  const x = np.array([[100, 100]], { dtype: "int8" });
  expect(np.matmul(x, x.T).item()).toBe((20_000 << 24) >> 24);
});

test("long sums keep their digits", () => {
  // Added one after another, float32 would be off by more than 2 in 1000.
  const k = 300_000;
  const a = np.full([1, k], 0.1);
  for (const n of [1, 3, 70]) {
    const y = np.matmul(a, np.ones([k, n])).toTypedArray();
    expect(Math.abs(y[n - 1]! / (Math.fround(0.1) * k) - 1)).toBeLessThan(n < 64 ? 5e-5 : 5e-4);
  }
});

test.each([
  [3, 5, 4],
  [1, 70, 70],
  [70, 70, 1],
  [3, 300, 4],
  [140, 300, 60],
])("NaN and infinities reach the entries that read them, and no others: %i × %i × %i", (m, k, n) => {
  for (const [turnA, turnB] of [
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const [a, b] = [np.ones([m, k]), np.ones([k, n])];
      a.set(bad, m - 1, k - 1);
      b.set(bad, k - 1, n - 1);
      const lay = (x: NDArray, turn: boolean | undefined): NDArray => (turn ? x.T.copy().T : x);
      const y = np.matmul(lay(a, turnA), lay(b, turnB));
      const flat = y.toTypedArray();
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) {
          const want = i === m - 1 || j === n - 1 ? bad : k;
          if (!Object.is(flat[i * n + j], want)) expect(`${[i, j]} ${flat[i * n + j]}`).toBe(want);
        }
    }
});

describe("gradients", () => {
  test("of a product with one matrix for a whole batch", () => {
    const [x, w] = [random([3, 4, 5], "float64"), random([5, 2], "float64")];
    const weights = random([3, 4, 2], "float64");
    const g = grad((v: NDArray) => np.sum(np.multiply(np.matmul(x, v), weights)))(w);
    const want = np.matmul(x.reshape([12, 5]).T, weights.reshape([12, 2]));
    expect(np.max(np.abs(np.subtract(g, want))).item()).toBeLessThan(1e-14);
    const twice = vmap((row: NDArray) => grad((v: NDArray) => np.sum(np.square(np.matmul(row, v))))(w))(x);
    expect(twice.shape).toEqual([3, 5, 2]);
  });

  test("a packed product in the smallest memory", () => {
    const [a, b] = [random([200, 300], "float32").attachGrad(), random([300, 220], "float32").attachGrad()];
    autograd.record(() => np.sum(np.matmul(a, b))).backward();
    const ones = np.ones([200, 220]);
    expect(difference(a.grad!, ones, b.T.copy())).toBe("");
    expect(difference(b.grad!, a.T.copy(), ones)).toBe("");
  });
});

describe("contract", () => {
  const MARK = 0xa5;
  const memoryOf = (lane: number): TypedArray => [F32, F64, I32][lane]!;

  interface Case {
    lane: number;
    count: number;
    m: number;
    n: number;
    k: number;
  }

  /** Fresh memory holding numbers, and marked bytes where nothing may be written. */
  function filled(lane: number, size: number): Block {
    const block = allocate(size * BYTES[lane]! + 64);
    const at = address(block);
    const view = memoryOf(lane);
    for (let i = 0; i < size; i++) view[at / BYTES[lane]! + i] = lane === 2 ? Math.floor(next() * 50) : 2 * next() - 1;
    U8.fill(MARK, at + size * BYTES[lane]!, at + size * BYTES[lane]! + 64);
    return block;
  }

  /** Runs a case whose element offsets are given by functions; `rows` are the parts that c is computed in. */
  function run(
    { lane, count, m, n, k }: Case,
    tables: readonly [boolean, boolean],
    shared: readonly [boolean, boolean, boolean],
    accumulate: boolean,
    parts: readonly number[],
    offset: (i: number) => number,
  ): string[] {
    const bytes = BYTES[lane]!;
    const [groupA, groupB] = [offset(m * k), offset(k * n)];
    const a = filled(lane, count * groupA + 1);
    const b = filled(lane, count * groupB + 1);
    const c = filled(lane, (shared[2] ? 1 : count) * m * n);
    const table = (list: number[]): Block => {
      const block = allocate(4 * list.length);
      I32.set(list, address(block) / 4);
      return block;
    };
    const steps = (size: number, step: number): number[] => Array.from({ length: size }, (_, i) => offset(i * step) * bytes);
    // Rows are apart by whole rows, so that an element's offset is the sum of two.
    const lists = [steps(m, k), steps(k, 1), steps(k, n), steps(n, 1)];
    const held = lists.map(table);
    const work = allocate(contractBytes(lane, { count, m, n, k }));
    const before = [a, b, c].map(x => memoryOf(lane).slice(address(x) / bytes, (address(x) + x.bytes) / bytes));
    let from = 0;
    for (const rows of [...parts, m]) {
      const to = Math.min(m, from + rows);
      const at = [a, b].map(address);
      const tableAt = held.map(address);
      const operand = (x: 0 | 1, row: number): Operand => {
        const batch = shared[x] ? 0 : [groupA, groupB][x]! * bytes;
        const list = lists[2 * x]!;
        const step = list.length > 1 ? list[1]! : 0;
        const other = lists[2 * x + 1]!;
        return tables[x]
          ? { at: at[x]!, row: tableAt[2 * x]! + 4 * row, column: tableAt[2 * x + 1]!, tables: true, batch }
          : { at: at[x]! + row * step, row: step, column: other.length > 1 ? other[1]! : 0, batch };
      };
      const target = { at: address(c) + from * n * bytes, row: n * bytes, batch: shared[2] ? 0 : m * n * bytes };
      contract(lane, { count, m: to - from, n, k }, operand(0, from), operand(1, 0), target, address(work), accumulate);
      from = to;
    }
    const result = memoryOf(lane).slice(address(c) / bytes, (address(c) + c.bytes) / bytes);
    const wrong: string[] = [];
    const size = (shared[2] ? 1 : count) * m * n;
    for (let at = 0; at < size; at++) {
      let [want, scale] = accumulate ? [before[2]![at]!, Math.abs(before[2]![at]!)] : [0, 0];
      const [i, j] = [Math.floor(at / n) % m, at % n];
      for (let g = shared[2] ? 0 : Math.floor(at / (m * n)), end = shared[2] ? count : g + 1; g < end; g++)
        for (let l = 0; l < k; l++) {
          const x = before[0]![(shared[0] ? 0 : g * groupA) + (lists[0]![i]! + lists[1]![l]!) / bytes]!;
          const y = before[1]![(shared[1] ? 0 : g * groupB) + (lists[2]![l]! + lists[3]![j]!) / bytes]!;
          want += x * y;
          scale += Math.abs(x * y);
        }
      const eps = EPS[DTYPES[lane]!] ?? 0;
      if (!(Math.abs(result[at]! - want) <= 2 * (count * k + 3) * eps * scale)) wrong.push(`${[at]}: ${result[at]}, not ${want}`);
    }
    const marked = address(c) + size * bytes;
    if (U8.subarray(marked, marked + 64).some(byte => byte !== MARK)) wrong.push("bytes behind c are written");
    return wrong.slice(0, 3);
  }

  const plain = (i: number): number => i;
  const spread = (i: number): number => 2 * i;
  /** Runs of some neighbours, with gaps between. */
  const broken = (i: number): number => i + 3 * Math.floor(i / 7);

  test.each([0, 1, 2])("steps and tables, lane %i", lane => {
    for (const [m, n, k] of [
      [1, 1, 1],
      [6, 8, 4],
      [5, 4, 3],
      [13, 19, 9],
      [7, 30, 260],
    ] as const)
      for (const tables of [
        [false, false],
        [false, true],
        [true, false],
        [true, true],
      ] as const)
        for (const offset of [plain, spread, ...(tables[0] && tables[1] ? [broken] : [])])
          expect(run({ lane, count: 1, m, n, k }, tables, [false, false, false], false, [], offset), `${[m, n, k, tables]}`).toEqual([]);
  });

  test.each([
    [[true, false, false], false],
    [[false, true, false], true],
    [[false, false, true], false],
    [[false, false, true], true],
    [[true, false, true], true],
  ] as const)("many products, shared a, b, c: %j, added to c: %s", (shared, accumulate) => {
    for (const [m, n, k] of [
      [5, 9, 7],
      [110, 20, 270],
    ] as const)
      expect(run({ lane: 0, count: 3, m, n, k }, [false, true], shared, accumulate, [], plain)).toEqual([]);
  });

  test("parts of c have the bits of the whole", () => {
    const [m, n, k] = [150, 70, 600];
    const [a, b] = [filled(0, m * k), filled(0, k * n)];
    const whole = (cuts: readonly number[]): TypedArray => {
      const c = allocate(4 * m * n);
      const work = allocate(contractBytes(0, { count: 1, m, n, k }));
      const edges = [0, ...cuts, m];
      for (let i = 0; i + 1 < edges.length; i++) {
        const [from, to] = [edges[i]!, edges[i + 1]!];
        const left = { at: address(a) + from * k * 4, row: 4 * k, column: 4, batch: 0 };
        const right = { at: address(b), row: 4 * n, column: 4, batch: 0 };
        const target = { at: address(c) + from * n * 4, row: 4 * n, batch: 0 };
        contract(0, { count: 1, m: to - from, n, k }, left, right, target, address(work));
      }
      return F32.slice(address(c) / 4, address(c) / 4 + m * n);
    };
    expect(whole([1, 20, 101])).toEqual(whole([]));
  });
});
