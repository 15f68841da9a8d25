/** Timing of functions side by side. It knows nothing of what they do. */
// @ts-check

/** @typedef {{ min: number, median: number }} Time In nanoseconds of one call. */

const WARM_UP = 300; // ms for each function

/** @param {readonly number[]} values @returns {Time} */
export function summary(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return { min: sorted[0] ?? Number.NaN, median: sorted[sorted.length >> 1] ?? Number.NaN };
}

/** @param {() => unknown} fn @param {number} times */
function timed(fn, times) {
  const begun = performance.now();
  for (let i = 0; i < times; i++) fn();
  return performance.now() - begun;
}

/** Runs a function until it is as fast as it gets; how many calls fill a sample. @param {() => unknown} fn @param {number} sample */
function warmUp(fn, sample) {
  let times = 1;
  for (let spent = 0; spent < WARM_UP; ) {
    const took = timed(fn, times);
    spent += took;
    if (took < sample / 2) times *= 2;
    else times = Math.max(1, Math.round((times * sample) / took));
  }
  return times;
}

/**
 * Times functions in turns, forwards and backwards through the list, so that what the machine does meanwhile meets all
 * of them alike.
 * @template {string} K
 * @param {Record<K, () => unknown>} fns
 * @param {{ seconds?: number, sample?: number }} [options] seconds for all of them together, milliseconds for a sample
 * @returns {Record<K, Time>}
 */
export function interleave(fns, { seconds = 2, sample = 4 } = {}) {
  const names = /** @type {K[]} */ (Object.keys(fns));
  const times = names.map(name => warmUp(fns[name], sample));
  /** @type {number[][]} */
  const samples = names.map(() => []);
  const end = performance.now() + seconds * 1000;
  for (let round = 0; round < 15 || performance.now() < end; round++)
    for (let i = 0; i < names.length; i++) {
      const k = round % 2 === 0 ? i : names.length - 1 - i;
      const n = /** @type {number} */ (times[k]);
      samples[k]?.push((timed(fns[/** @type {K} */ (names[k])], n) / n) * 1e6);
    }
  return /** @type {Record<K, Time>} */ (Object.fromEntries(names.map((name, i) => [name, summary(samples[i] ?? [])])));
}
