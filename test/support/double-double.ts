/** Arithmetic on sums of two doubles, some 104 bits, for results that tests can trust; finite numbers of ordinary size only. */

export type Pair = readonly [number, number];

const SPLITTER = 2 ** 27 + 1;

function split(a: number): Pair {
  const t = SPLITTER * a;
  const h = t - (t - a);
  return [h, a - h];
}

function sum(a: number, b: number): Pair {
  const s = a + b;
  const v = s - a;
  return [s, a - (s - v) + (b - v)];
}

function product(a: number, b: number): Pair {
  const p = a * b;
  const [ah, al] = split(a);
  const [bh, bl] = split(b);
  return [p, ah * bh - p + ah * bl + al * bh + al * bl];
}

export function add(a: Pair, b: Pair): Pair {
  const [s, e] = sum(a[0], b[0]);
  const [t, f] = sum(a[1], b[1]);
  const [u, g] = sum(s, e + t);
  return sum(u, g + f);
}

export function multiply(a: Pair, b: Pair): Pair {
  const [p, e] = product(a[0], b[0]);
  return sum(p, e + (a[0] * b[1] + a[1] * b[0]));
}

export function divide(a: Pair, b: number): Pair {
  const q = a[0] / b;
  const [p, e] = product(q, b);
  return sum(q, (a[0] - p - e + a[1]) / b);
}

const scale = (a: Pair, c: number): Pair => [a[0] * c, a[1] * c];

const LN2: Pair = [Math.LN2, 2.3190468138462996e-17];
const HALVINGS = 8;
const INVERSE_FACTORIALS = (() => {
  const list: Pair[] = [[1, 0]];
  for (let n = 1; n <= 10; n++) list.push(divide(list[n - 1]!, n));
  return list;
})();

/** eᵃ as p·2ⁿ. */
export function exp(a: Pair): { p: Pair; n: number } {
  const n = Math.round(a[0] / Math.LN2);
  const r = scale(add(a, multiply([-n, 0], LN2)), 2 ** -HALVINGS);
  let p = INVERSE_FACTORIALS.at(-1)!;
  for (let i = INVERSE_FACTORIALS.length - 2; i >= 0; i--) p = add(INVERSE_FACTORIALS[i]!, multiply(r, p));
  for (let i = 0; i < HALVINGS; i++) p = multiply(p, p);
  return { p, n };
}

/** log(x): near 1 by its series, elsewhere by one of Newton's steps from a double near it. */
export function log(x: number): Pair {
  const f: Pair = [x - 1, 0];
  if (Math.abs(f[0]) < 2 ** -10) {
    let result: Pair = [0, 0];
    for (let n = 11; n > 0; n--) result = multiply(f, add(divide([1, 0], n), [-result[0], -result[1]]));
    return result;
  }
  const rough = Math.log(x);
  const { p, n } = exp([-rough, 0]);
  const half = Math.trunc(n / 2);
  const error = add(multiply(p, [x * 2 ** half * 2 ** (n - half), 0]), [-1, 0]);
  // log(1 + error), whose square is still felt
  return add([rough, 0], add(error, [-error[0] * error[0] * 0.5, 0]));
}

/** p·2ⁿ as a double, rounded twice if it is subnormal. */
export function toDouble({ p, n }: { p: Pair; n: number }): number {
  const half = Math.trunc(n / 2);
  return (p[0] + p[1]) * 2 ** half * 2 ** (n - half);
}
