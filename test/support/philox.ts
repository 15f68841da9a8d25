/** Philox 4×32-10 in big integers, slow and plain: what the fast one is compared with. */

/** The four words of one block. */
export function plainBlock(counter: readonly number[], key: readonly number[]): number[] {
  const mask = 0xffffffffn;
  let [x0, x1, x2, x3] = counter.map(c => BigInt(c >>> 0)) as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key.map(k => BigInt(k >>> 0)) as [bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const p = 0xd2511f53n * x0;
    const q = 0xcd9e8d57n * x2;
    [x0, x1, x2, x3] = [(q >> 32n) ^ x1 ^ k0, q & mask, (p >> 32n) ^ x3 ^ k1, p & mask];
    k0 = (k0 + 0x9e3779b9n) & mask;
    k1 = (k1 + 0xbb67ae85n) & mask;
  }
  return [x0, x1, x2, x3].map(Number);
}

/** Words of successive blocks, the first two words of the counter counting up as one number. */
export function plainWords(n: number, skip: number, c: readonly number[], key: readonly number[]): number[] {
  const out: number[] = [];
  let counter = (BigInt(c[1]! >>> 0) << 32n) | BigInt(c[0]! >>> 0);
  for (; out.length < skip + n; counter++)
    out.push(...plainBlock([Number(counter & 0xffffffffn), Number((counter >> 32n) & 0xffffffffn), c[2]!, c[3]!], key));
  return out.slice(skip, skip + n);
}

export const plainUniform32 = (word: number): number => (word >>> 8) * 2 ** -24;
export const plainOpen32 = (word: number): number => Math.fround(Math.fround(word) * 2 ** -32 + 2 ** -33);
export const plainSigned32 = (word: number): number => Math.fround(Math.fround(word | 0) * 2 ** -32 + 2 ** -33);
export const plainUniform64 = (low: number, high: number): number => Number(((BigInt(high) << 32n) | BigInt(low)) >> 11n) * 2 ** -53;
