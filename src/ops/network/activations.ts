/**
 * Activation functions of neural networks, one row each. Where a function has a corner at 0, its slope there is the one
 * from the left, as in MXNet; far out on either side all of them go on to their limits, and so do all derivatives.
 */
import type { ArrayInput, NDArray } from "../../array.ts";
import { checkOptions, flag } from "../../errors.ts";
import * as E from "../../expr.ts";
import { type Binary, binary, type HasRow, type OutOption, type Trailing, type Unary, unary } from "../../op.ts";
import * as scalar from "../../scalar.ts";
import {
  absolute,
  absorb,
  add,
  clip,
  exp,
  greater,
  less,
  multiply,
  reciprocal,
  sigmoid,
  sigmoidSlope,
  sign,
  square,
  tanh,
  where,
} from "../pointwise.ts";

/**
 * The number beside which everything of the size of e^-|x| is 0 in both float dtypes. x is held inside it where it meets
 * such a factor, so that no infinity does.
 */
const FAR = 800;
const near = (x: NDArray): NDArray => clip(x, -FAR, FAR);

/**
 * The logarithm of 1 + eˣ, a smooth relu, without overflow. MXNet's npx.activation "softrelu".
 * @example npx.softrelu([-1, 0, 1]) // array([0.3132617, 0.6931472, 1.3132617])
 */
export const softrelu: Unary = unary("softrelu", {
  value: (x, t) => scalar.softplus(x, t),
  grad: (g, _, x) => [absorb(g, sigmoid(x))],
  dtype: "float",
});

/** The logarithm of 1 + eˣ: another name of softrelu. MXNet's npx.activation "softrelu". @example npx.softplus(0) // array(0.6931472) */
export const softplus: Unary = softrelu;

/**
 * The logarithm of sigmoid(x), without ever forming it. MXNet's npx.activation "log_sigmoid".
 * @example npx.logSigmoid([-1, 0, 100]) // array([-1.3132617e+00, -6.9314718e-01, -3.7835059e-44])
 */
export const logSigmoid: Unary = unary("logSigmoid", {
  value: (x, t) => E.neg(scalar.softplus(E.neg(x), t)),
  grad: (g, _, x) => [absorb(g, sigmoid(multiply(-1, x)))],
  dtype: "float",
});

/**
 * x/(1 + |x|). MXNet's npx.activation "softsign".
 * @example npx.softsign([-1, 0, 3]) // array([-0.5 ,  0.  ,  0.75])
 */
export const softsign: Unary = unary("softsign", {
  value: x => {
    const size = E.abs(x);
    return E.select(E.eq(size, Number.POSITIVE_INFINITY), E.max(E.min(x, 1), -1), E.div(x, E.add(1, size)));
  },
  grad: (g, _, x) => [absorb(g, square(reciprocal(add(1, absolute(x)))))],
  dtype: "float",
});

/** x times a factor that falls to 0 on the left as eˣ does, or faster. */
const gated = (x: E.Expr, gate: E.Expr): E.Expr => E.mul(E.max(x, -FAR), gate);

/**
 * x·sigmoid(x), also called swish. MXNet's gluon.nn.SiLU.
 * @example npx.silu([-1, 0, 1]) // array([-0.26894143,  0.        ,  0.7310586 ])
 */
export const silu: Unary = unary("silu", {
  value: (x, t) => gated(x, scalar.sigmoid(x, t)),
  grad: (g, _, x) => [absorb(g, add(sigmoid(x), multiply(near(x), sigmoidSlope(x))))],
  dtype: "float",
});

/**
 * x·tanh(softplus(x)). MXNet's npx.activation "mish".
 * @example npx.mish([-1, 0, 1]) // array([-0.30340147,  0.        ,  0.8650984 ])
 */
export const mish: Unary = unary("mish", {
  value: (x, t) => {
    // tanh(log(1 + eˣ)) = n/(n + 2) with n = eˣ(eˣ + 2); for x > 0 both are divided by e²ˣ.
    const e = scalar.exp(E.neg(E.abs(x)), t);
    const right = E.gt(x, 0);
    const n = E.select(right, E.add(1, E.add(e, e)), E.mul(e, E.add(e, 2)));
    return gated(x, E.div(n, E.add(n, E.select(right, E.mul(2, E.mul(e, e)), 2))));
  },
  // tanh' of softplus, which is 4·sigmoid' of twice as much, times softplus'.
  grad: (g, _, x) => {
    const s = softrelu(x);
    const slope = multiply(multiply(4, sigmoidSlope(multiply(2, s))), sigmoid(x));
    return [absorb(g, add(tanh(s), multiply(near(x), slope)))];
  },
  dtype: "float",
});

/** The standard normal distribution: how much of it is below x. */
const normalCdf: Unary = unary("normalCdf", {
  value: (x, t) => normalBelow(x, t),
  grad: (g, _, x) => [absorb(g, normalDensity(x))],
  dtype: "float",
});

/** From the tail's own function, so that it keeps its digits. */
const normalBelow = (x: E.Expr, t: number): E.Expr => E.mul(0.5, scalar.erfc(E.mul(x, -Math.SQRT1_2), t));
const normalDensity = (x: NDArray): NDArray => multiply(1 / Math.sqrt(2 * Math.PI), exp(multiply(-0.5, square(near(x)))));

const geluRow: Unary = unary("gelu", {
  value: (x, t) => gated(x, normalBelow(x, t)),
  grad: (g, _, x) => [absorb(g, add(normalCdf(x), multiply(near(x), normalDensity(x))))],
  dtype: "float",
});

const TANH_SCALE = 2 * Math.sqrt(2 / Math.PI);
const TANH_CUBIC = 0.044715;

/** (1 + tanh(u))/2 = sigmoid(2u), and the sum would cancel. @internal */
export const geluTanh: Unary = unary("geluTanh", {
  value: (x, t) => gated(x, scalar.sigmoid(E.mul(TANH_SCALE, E.mul(x, E.add(1, E.mul(TANH_CUBIC, E.mul(x, x))))), t)),
  grad: (g, _, x) => {
    const a = near(x);
    const z = square(a);
    const u = multiply(TANH_SCALE, multiply(a, add(1, multiply(TANH_CUBIC, z))));
    const slope = multiply(TANH_SCALE, add(1, multiply(3 * TANH_CUBIC, z)));
    return [absorb(g, add(sigmoid(u), multiply(multiply(a, slope), sigmoidSlope(u))))];
  },
  dtype: "float",
});

export interface GeluOptions extends OutOption {
  /** tanh(√(2/π)·(x + 0.044715·x³)) in the place of erf(x/√2). */
  approximate?: boolean;
}

/**
 * x times the part of the standard normal distribution below x. MXNet's npx.leaky_relu "gelu".
 * @example npx.gelu([-1, 0, 1]) // array([-0.15865526,  0.        ,  0.8413448 ])
 * @example npx.gelu([-1, 0, 1], { approximate: true }) // array([-0.158808,  0.      ,  0.841192])
 */
export const gelu: ((x: ArrayInput, options?: Trailing<GeluOptions>) => NDArray) & HasRow = Object.assign(
  (x: ArrayInput, options?: Trailing<GeluOptions>): NDArray => {
    if (typeof options !== "object" || options === null) return geluRow(x);
    checkOptions("gelu", options, ["approximate", "out"]);
    const { approximate, ...rest } = options;
    return (flag("gelu", "approximate", approximate, false) ? geluTanh : geluRow)(x, rest);
  },
  { op: geluRow.op },
);

const eluRow: Binary = binary("elu", {
  value: (x, alpha, t) => E.select(E.gt(x, 0), x, E.mul(alpha, scalar.expm1(x, t))),
  grad: (g, _, x, alpha) => {
    const right = greater(x, 0);
    return [where(right, g, absorb(g, multiply(alpha, exp(x)))), where(right, 0, absorb(g, eluRow(x, 1)))];
  },
  dtype: "float",
});

/**
 * x above 0, alpha·(eˣ - 1) below; slope alpha at 0. Differentiable in alpha too. MXNet's npx.leaky_relu "elu".
 * @example npx.elu([-1, 0, 2]) // array([-0.63212055,  0.        ,  2.        ])
 */
export const elu: ((x: ArrayInput, alpha?: ArrayInput | null, options?: OutOption) => NDArray) & HasRow = Object.assign(
  (x: ArrayInput, alpha?: ArrayInput | null, options?: OutOption): NDArray => eluRow(x, alpha ?? 1, options),
  { op: eluRow.op },
);

const SELU_SCALE = 1.0507009873554805;
const SELU_ALPHA = 1.6732632423543772;

/**
 * elu with the alpha and the scale that keep mean 0 and variance 1 from layer to layer. MXNet's npx.leaky_relu "selu".
 * @example npx.selu([-1, 0, 1]) // array([-1.1113307,  0.       ,  1.050701 ])
 */
export const selu: Unary = unary("selu", {
  value: (x, t) => E.mul(E.select(E.gt(x, 0), x, E.mul(SELU_ALPHA, scalar.expm1(x, t))), SELU_SCALE),
  grad: (g, _, x) => [absorb(g, where(greater(x, 0), SELU_SCALE, multiply(SELU_SCALE * SELU_ALPHA, exp(x))))],
  dtype: "float",
});

const leakyRow: Binary = binary("leakyRelu", {
  value: (x, slope) => E.select(E.gt(x, 0), x, E.mul(x, slope)),
  grad: (g, _, x, slope) => {
    const right = greater(x, 0);
    return [where(right, g, absorb(g, slope)), where(right, 0, absorb(g, x))];
  },
  dtype: "float",
});

/**
 * x above 0, slope·x below; slope `slope` at 0. Differentiable in `slope` too. MXNet's npx.leaky_relu "leaky".
 * @example npx.leakyRelu([-4, 0, 2]) // array([-1.,  0.,  2.])
 */
export const leakyRelu: ((x: ArrayInput, slope?: ArrayInput | null, options?: OutOption) => NDArray) & HasRow = Object.assign(
  (x: ArrayInput, slope?: ArrayInput | null, options?: OutOption): NDArray => leakyRow(x, slope ?? 0.25, options),
  { op: leakyRow.op },
);

const smoothRow: Binary = binary("smoothL1", {
  value: (x, s) => {
    const size = E.abs(x);
    const z = E.mul(s, s);
    const edge = E.div(1, z);
    return E.select(E.lt(size, edge), E.mul(E.mul(0.5, z), E.mul(x, x)), E.sub(size, E.mul(0.5, edge)));
  },
  grad: (g, _, x, s) => {
    const z = square(s);
    const inside = less(absolute(x), reciprocal(z));
    return [
      // Times 1, because bools have no sign.
      absorb(g, where(inside, multiply(z, x), sign(multiply(1, x)))),
      absorb(g, where(inside, multiply(s, square(x)), reciprocal(multiply(z, s)))),
    ];
  },
  dtype: "float",
  domain: [0.3, 0.55],
});

/**
 * (scalar·x)²/2 where |x| < 1/scalar², else |x| - 1/(2·scalar²): the Huber loss. MXNet's npx.smooth_l1.
 * @example npx.smoothL1([-2, 0.5]) // array([1.5  , 0.125])
 */
export const smoothL1: ((x: ArrayInput, scalar?: ArrayInput | null, options?: OutOption) => NDArray) & HasRow = Object.assign(
  (x: ArrayInput, factor?: ArrayInput | null, options?: OutOption): NDArray => smoothRow(x, factor ?? 1, options),
  { op: smoothRow.op },
);
