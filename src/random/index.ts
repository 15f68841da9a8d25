/**
 * np.random: distributions drawn from one counter-based generator. The number at a place of the sequence depends on the
 * seed, the place, the function and the dtype, so that neither sizes nor machines change it.
 */
export type { RandintOptions, RandomOptions, Size } from "./arguments.ts";
export {
  exponential,
  gumbel,
  laplace,
  logistic,
  lognormal,
  normal,
  pareto,
  rand,
  randn,
  rayleigh,
  uniform,
  weibull,
} from "./continuous.ts";
export { bernoulli, binomial, type CountOptions, multinomial, poisson, randint } from "./discrete.ts";
export { beta, chisquare, gamma } from "./gamma.ts";
export { seed } from "./generator.ts";
export { multivariateNormal } from "./multivariate.ts";
export { type ChoiceOptions, choice, permutation, shuffle } from "./orders.ts";
