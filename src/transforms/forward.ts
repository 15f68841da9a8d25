/** Forward mode: the tape read from the variables to the result, by the rules that the walk applies the other way. */
import { blank, type NDArray } from "../array.ts";
import { filled, fitted } from "../cotangent.ts";
import { DTYPES } from "../dtype.ts";
import { GradError } from "../errors.ts";
import * as E from "../expr.ts";
import { behind } from "../functions/recording.ts";
import { callRule, cotangents, likesOf, whyNoGraph } from "../grad.ts";
import { runMap } from "../launch.ts";
import { edgeOf, FREED, type Pointwise, type Row, restore, type Slope } from "../op.ts";
import { add } from "../ops/pointwise.ts";
import { astype, broadcastTo, copy, zeroed } from "../ops/structural.ts";
import { sameShape, sizeOf } from "../shape.ts";
import { freeNode, type Like, leaf, type Node, passing, recording, setRecording } from "../tape.ts";

type Tangent = NDArray | null;

/**
 * The tangent of y for tangents of the variables, which have their shapes and dtypes. Recorded if recording is on; if
 * not, the nodes in between are freed.
 */
export const push = (y: NDArray, variables: readonly NDArray[], tangents: readonly NDArray[]): NDArray =>
  passing(() => [pushAll(y, variables, tangents)])[0][0]!;

/** Whether every node behind y, down to the variables, has its tangent at once: none goes by the adjoint of its rule. */
export function isDirect(y: NDArray, variables: readonly NDArray[]): boolean {
  const oldest = variables.reduce((id, v) => Math.min(id, v.edge!.id), Number.POSITIVE_INFINITY);
  for (const { id, row } of behind([y], oldest, "hvp").keys())
    if (id >= oldest && row !== null && row.pointwise === undefined && row.linear === undefined) return false;
  return true;
}

function pushAll(y: NDArray, variables: readonly NDArray[], tangents: readonly NDArray[]): NDArray {
  const head = edgeOf(y);
  if (head === null && typeof y.cause === "string") throw new GradError(`jvp: ${whyNoGraph(y)}`);
  const found = new Map<Node, NDArray>();
  let oldest = Number.POSITIVE_INFINITY;
  variables.forEach((v, i) => {
    const node = v.edge!;
    found.set(node, tangents[i]!);
    oldest = Math.min(oldest, node.id);
  });
  const likes = behind([y], oldest, "jvp");
  const between: Node[] = [];
  for (const node of likes.keys()) if (node.id >= oldest && node.row !== null && !found.has(node)) between.push(node);
  between.sort((a, b) => a.id - b.id);
  for (const node of between) {
    const t = pushed(node, node.row!, found, likes.get(node)!);
    if (t !== null) found.set(node, t);
  }
  const ty = (head && found.get(head)) ?? zeroed(y.shape, y.code);
  if (!recording) for (const node of between) freeNode(node, FREED);
  const own = ty.base === null && ty.view === null && tangents.every(t => t.storage !== ty.storage);
  const result = own ? ty : copy(ty);
  // A tangent that does not depend on anything, perhaps a mask, is a constant for the next derivative, and no dead end.
  if (result.edge === null) result.cause = recording;
  return result;
}

function pushed(node: Node, row: Row, found: ReadonlyMap<Node, NDArray>, like: Like): Tangent {
  const { parents } = node;
  const n = parents.length;
  const ts = new Array<Tangent>(n).fill(null);
  let count = 0;
  let only = 0;
  for (let i = 0; i < n; i++) {
    const p = parents[i]!;
    const t = p === null ? undefined : found.get(p);
    if (t === undefined) continue;
    ts[i] = t;
    count++;
    only = i;
  }
  if (count === 0) return null;
  if (row.pointwise !== undefined) {
    if (recording) return byRule(node, row, row.pointwise, ts, like);
    const t = ts[only]!;
    // The kernel is that of the gradient, if its cotangent is as large as the result.
    if (count === 1 && t.code === like.code && sameShape(t.shape, like.shape)) return row.fused!(node, t, only);
    return byKernel(node, row.pointwise, ts, like);
  }
  return (row.linear && linearly(node, row.linear, ts, like)) ?? byAdjoint(node, row, ts, like);
}

// ---------------------------------------------------------------- pointwise rows: the Jacobian is diagonal

const sums = new WeakMap<Pointwise, (Slope | undefined)[]>();

/** The sum of the slopes of some inputs, each times a tangent of its own: source arity + 1 + i is that of input i. */
function slopeOf(p: Pointwise, lane: number, ts: readonly Tangent[]): Slope {
  let known = sums.get(p);
  if (known === undefined) sums.set(p, (known = []));
  const key = ts.reduce((bits, t, i) => bits | (t === null ? 0 : 4 << i), lane);
  let found = known[key];
  if (found === undefined) {
    const sources: number[] = [];
    const parts = p.slopesOf(lane).flatMap((slope, i) => {
      if (ts[i] === null || slope.sources.length === 0) return [];
      const places = slope.sources.map(s => {
        const source = s > p.arity ? s + i : s;
        const at = sources.indexOf(source);
        return E.arg(at < 0 ? sources.push(source) - 1 : at);
      });
      return [E.substitute(slope.value, places)];
    });
    const value = parts.length === 0 ? E.arg(0) : parts.reduce((a, b) => E.add(a, b));
    known[key] = found = { sources, value, passes: value.op === "arg", uniform: null, families: new Map() };
  }
  return found;
}

/** All inputs' parts by one kernel, as long as it has not got too many operands. */
function byKernel(node: Node, p: Pointwise, ts: readonly Tangent[], { shape, code }: Like): Tangent {
  const slope = slopeOf(p, code, ts);
  const { sources } = slope;
  if (sources.length === 0) return null;
  if (sources.length > 5) {
    const parts = ts.map(
      (t, i) =>
        t &&
        byKernel(
          node,
          p,
          ts.map((_, j) => (j === i ? t : null)),
          { shape, code },
        ),
    );
    return total(parts);
  }
  if (slope.passes) {
    const t = ts[sources[0]! - p.arity - 1]!;
    if (t.code === code) return sameShape(t.shape, shape) ? t : broadcastTo(t, shape);
  }
  const out = blank(shape, sizeOf(shape), code);
  const operands = sources.map(s => (s > p.arity ? ts[s - p.arity - 1]! : restore(node.kept(s), null, out)!));
  const codes = operands.map(x => (typeof x === "number" ? code : x.code));
  runMap(p.slopeFamily(slope, codes, code), operands, out);
  return out;
}

/** The same in public operators, which are recorded. */
function byRule(node: Node, row: Row, p: Pointwise, ts: readonly Tangent[], { shape, code }: Like): Tangent {
  const likes = node.like ?? [];
  const reads = p.reads(code);
  const parts = ts.map((t, i): Tangent => {
    if (t === null) return null;
    const wide = sameShape(t.shape, shape) ? t : broadcastTo(t, shape);
    const g = wide.code === code ? wide : astype(wide, DTYPES[code]!);
    // What only other inputs' gradients read is withheld, so that they are not computed.
    const kept = node.saved.map((k, j) => (reads[i]!.includes(j) ? k : null));
    const part = callRule(
      node,
      row,
      g,
      ts.map((_, j) => j === i),
      likes,
      kept,
    )[i];
    return typeof part === "number" || part === undefined ? null : part;
  });
  return total(parts);
}

function total(parts: readonly Tangent[]): Tangent {
  return parts.reduce((a, b) => (a === null ? b : b === null ? a : add(a, b)), null);
}

// ---------------------------------------------------------------- other rows

/** A linear row is its own derivative. */
function linearly(node: Node, row: NonNullable<Row["linear"]>, ts: readonly Tangent[], like: Like): Tangent {
  const likes = likesOf(node, like);
  const kept = (i: number): NDArray | null => {
    const x = restore(node.kept(i), node.parent(i), { ...like, size: sizeOf(like.shape) } as NDArray);
    return typeof x === "number" ? filled([], like.code, x) : x;
  };
  if (row.in === "jointly")
    return row.apply(
      ts.map((t, i) => t ?? kept(i) ?? zeroed(likes[i]!.shape, likes[i]!.code)),
      node.attrs,
    );
  const xs = ts.map((_, i) => kept(i));
  const parts: Tangent[] = [];
  for (let i = 0; i < ts.length; i++) {
    const t = ts[i]!;
    if (t === null) continue;
    const given = xs.map((x, j) => (j === i ? t : x));
    if (given.includes(null)) return null;
    parts.push(row.apply(given as NDArray[], node.attrs));
  }
  return total(parts);
}

/**
 * The general way: what the rule makes of a cotangent g is linear in g, so the gradient of its inner product with the
 * tangents, with respect to g, is the tangent of the result.
 */
function byAdjoint(node: Node, row: Row, ts: readonly Tangent[], like: Like): Tangent {
  const nested = recording;
  const likes = likesOf(node, like);
  const g = filled(like.shape, like.code, 1);
  g.edge = leaf();
  const wants = ts.map(t => t !== null);
  setRecording(true);
  let hs: Tangent[];
  try {
    const parts = callRule(node, row, g, wants, likes, node.saved, nested);
    hs = parts.map((part, i) => (ts[i] === null || typeof part === "number" ? null : fitted(part, likes[i]!)));
  } finally {
    setRecording(nested);
  }
  const found = hs.map((h, i): Tangent => {
    if (h === null) return null;
    if (edgeOf(h) !== null) return cotangents(h, [g], ts[i]!, { createGraph: nested, retainGraph: true })[0]!;
    if (h.toTypedArray().some(v => v !== 0))
      throw new GradError(`jvp: the gradient of ${row.name} is not computed in operators of its cotangent; write its backward with those`);
    return null;
  });
  return total(found);
}
