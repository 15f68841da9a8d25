/**
 * The floor for the overhead of a call: the least that records and walks back. One dtype, no checks, no views, no
 * broadcasting, plain loops. It is there to be compared with, and knows nothing of nabla.
 */

let recording = false;
let clock = 0;
let walks = 0;

class Bare {
  constructor(data, shape) {
    this.data = data;
    this.shape = shape;
    this.node = null;
    this.grad = null;
  }
}

/** `x` and `y` are whatever the rule reads; `left` and `right` the nodes of the operands. */
class Node {
  constructor(rule, x, y, left, right) {
    this.rule = rule;
    this.x = x;
    this.y = y;
    this.left = left;
    this.right = right;
    this.g = null;
    this.leaf = null;
    this.id = clock++;
    this.mark = 0;
  }
}

export function variable(values) {
  const x = new Bare(Float32Array.from(values), [values.length]);
  x.grad = new Bare(new Float32Array(values.length), x.shape);
  x.node = new Node(null, null, null, null, null);
  x.node.leaf = x;
  return x;
}

export function record(fn) {
  recording = true;
  const y = fn();
  recording = false;
  return y;
}

export function backward(y) {
  const walk = ++walks;
  const stack = [y.node];
  const order = [];
  while (stack.length > 0) {
    const node = stack.pop();
    if (node.mark === walk) continue;
    node.mark = walk;
    order.push(node);
    if (node.left) stack.push(node.left);
    if (node.right) stack.push(node.right);
  }
  let sorted = true;
  for (let i = 1; i < order.length; i++)
    if (order[i].id > order[i - 1].id) {
      sorted = false;
      break;
    }
  if (!sorted) order.sort((p, q) => q.id - p.id);
  y.node.g = filled(y, 1);
  for (const node of order) {
    const { g } = node;
    if (g === null) continue;
    node.g = null;
    if (node.leaf) node.leaf.grad.data.set(g.data);
    else {
      node.rule(node, g);
      node.x = node.y = null;
    }
  }
}

function accumulate(node, g) {
  if (node) node.g = node.g === null ? g : added(node.g, g);
}

// ---- numbers

function sameShape(a, b) {
  const p = a.shape;
  const q = b.shape;
  if (p === q) return true;
  if (p.length !== q.length) return false;
  for (let i = 0; i < p.length; i++) if (p[i] !== q[i]) return false;
  return true;
}

function added(a, b) {
  const p = a.data;
  const q = b.data;
  const o = new Float32Array(p.length);
  for (let i = 0; i < o.length; i++) o[i] = p[i] + q[i];
  return new Bare(o, a.shape);
}

function scaled(a, s) {
  const p = a.data;
  const o = new Float32Array(p.length);
  for (let i = 0; i < o.length; i++) o[i] = p[i] * s;
  return new Bare(o, a.shape);
}

function filled(like, value) {
  const o = new Float32Array(like.data.length);
  o.fill(value);
  return new Bare(o, like.shape);
}

function scalar(value) {
  const o = new Float32Array(1);
  o[0] = value;
  return new Bare(o, []);
}

function product(a, b) {
  const p = a.data;
  const q = b.data;
  let s = 0;
  for (let i = 0; i < p.length; i++) s += p[i] * q[i];
  return s;
}

// ---- operators, each with its rule

export function add(a, b) {
  if (!sameShape(a, b)) throw new Error("shapes differ");
  const y = added(a, b);
  if (recording && (a.node || b.node)) y.node = new Node(addRule, null, null, a.node, b.node);
  return y;
}
function addRule(node, g) {
  accumulate(node.left, g);
  accumulate(node.right, g);
}

export function scale(a, s) {
  const y = scaled(a, s);
  if (recording && a.node) y.node = new Node(scaleRule, s, null, a.node, null);
  return y;
}
function scaleRule(node, g) {
  accumulate(node.left, scaled(g, node.x));
}

export function tanh(a) {
  const p = a.data;
  const o = new Float32Array(p.length);
  for (let i = 0; i < o.length; i++) o[i] = Math.tanh(p[i]);
  const y = new Bare(o, a.shape);
  if (recording && a.node) y.node = new Node(tanhRule, y, null, a.node, null);
  return y;
}
function tanhRule(node, g) {
  const y = node.x.data;
  const p = g.data;
  const o = new Float32Array(p.length);
  for (let i = 0; i < o.length; i++) o[i] = p[i] * (1 - y[i] * y[i]);
  accumulate(node.left, new Bare(o, g.shape));
}

export function sum(a) {
  const p = a.data;
  let s = 0;
  for (let i = 0; i < p.length; i++) s += p[i];
  const y = scalar(s);
  if (recording && a.node) y.node = new Node(sumRule, a, null, a.node, null);
  return y;
}
function sumRule(node, g) {
  accumulate(node.left, filled(node.x, g.data[0]));
}

export function dot(a, b) {
  const y = scalar(product(a, b));
  if (recording && (a.node || b.node)) y.node = new Node(dotRule, a, b, a.node, b.node);
  return y;
}
function dotRule(node, g) {
  if (node.left) accumulate(node.left, scaled(node.y, g.data[0]));
  if (node.right) accumulate(node.right, scaled(node.x, g.data[0]));
}

export function norm(a) {
  const y = scalar(Math.sqrt(product(a, a)));
  if (recording && a.node) y.node = new Node(normRule, a, y, a.node, null);
  return y;
}
function normRule(node, g) {
  accumulate(node.left, scaled(node.x, g.data[0] / node.y.data[0]));
}
