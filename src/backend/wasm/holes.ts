/**
 * Free memory for large regions: neighbours are joined, sizes sorted into classes of an eighth of an octave. It knows
 * addresses, and nothing of what is there.
 */

/** How many places of one size that were given back whole are remembered as such. */
const MOST_SPARE = 16;

class Hole {
  place = 0;
  constructor(
    public address: number,
    public bytes: number,
  ) {}
}

const byStart = new Map<number, Hole>();
const byEnd = new Map<number, Hole>();
const bins: Hole[][] = Array.from({ length: 256 }, () => []);

function sizeClass(bytes: number): number {
  const octave = 31 - Math.clz32(bytes);
  return (octave << 3) | ((bytes >>> (octave - 3)) & 7);
}

/** Sizes are rounded up to a class, so that memory given back fits the next array of about the size. */
export function roundUp(bytes: number): number {
  if (bytes <= 4096) return (bytes + 255) & ~255;
  const step = 2 ** (28 - Math.clz32(bytes - 1));
  return Math.ceil(bytes / step) * step;
}

export function addHole(address: number, bytes: number): void {
  const before = byEnd.get(address);
  if (before !== undefined) {
    removeHole(before);
    address = before.address;
    bytes += before.bytes;
  }
  const after = byStart.get(address + bytes);
  if (after !== undefined) {
    removeHole(after);
    bytes += after.bytes;
  }
  const hole = new Hole(address, bytes);
  byStart.set(address, hole);
  byEnd.set(address + bytes, hole);
  const bin = bins[sizeClass(bytes)]!;
  hole.place = bin.length;
  bin.push(hole);
}

function removeHole(hole: Hole): void {
  byStart.delete(hole.address);
  byEnd.delete(hole.address + hole.bytes);
  const bin = bins[sizeClass(hole.bytes)]!;
  const last = bin.pop()!;
  if (last !== hole) {
    bin[hole.place] = last;
    last.place = hole.place;
  }
}

/** A hole of at least the size, or 0. */
export function takeHole(bytes: number): number {
  for (let c = sizeClass(bytes); c < bins.length; c++) {
    const bin = bins[c]!;
    // Within the first class a hole may be too small; above it every hole fits.
    for (let i = bin.length - 1; i >= 0; i--) {
      const hole = bin[i]!;
      if (hole.bytes < bytes) continue;
      removeHole(hole);
      if (hole.bytes > bytes) addHole(hole.address + bytes, hole.bytes - bytes);
      return hole.address;
    }
  }
  return 0;
}

// Places that were given back whole, by class: the next array of the size takes one as it is, without joining and cutting.
const spares: number[][] = Array.from({ length: 256 }, () => []);
let spareCount = 0;

export function addSpare(address: number, bytes: number): void {
  const list = spares[sizeClass(bytes)]!;
  if (list.length >= MOST_SPARE) return addHole(address, bytes);
  list.push(address);
  spareCount++;
}

/** The latest place of the size that was given back whole, or 0. */
export function takeSpare(bytes: number): number {
  const spare = spares[sizeClass(bytes)]!;
  if (spare.length === 0) return 0;
  spareCount--;
  return spare.pop()!;
}

export const hasSpares = (): boolean => spareCount > 0;

/** Makes holes of all spare places. */
export function joinSpares(): void {
  spares.forEach((list, c) => {
    for (const address of list.splice(0)) addHole(address, (8 + (c & 7)) * 2 ** ((c >> 3) - 3));
  });
  spareCount = 0;
}
