"""Makes distributions.json: cells of distributions with their probabilities, and how gamma's quantiles move with the shape.

Needs Debian's python3-scipy and python3-mpmath. Run it in this folder: python3 make-distributions.py
"""

import json
import math

import mpmath as mp
import numpy as np
from scipy import stats

mp.mp.dps = 40

CONTINUOUS = {
    "exponential": [((2,), stats.expon(scale=2))],
    "laplace": [((1, 3), stats.laplace(1, 3))],
    "logistic": [((1, 3), stats.logistic(1, 3))],
    "gumbel": [((-1, 0.5), stats.gumbel_r(-1, 0.5))],
    "rayleigh": [((2,), stats.rayleigh(scale=2))],
    "lognormal": [((1, 0.5), stats.lognorm(0.5, scale=math.e))],
    "weibull": [((a,), stats.weibull_min(a)) for a in (0.5, 1, 5)],
    "pareto": [((a,), stats.lomax(a)) for a in (0.7, 3, 50)],
    "gamma": [((a, 2), stats.gamma(a, scale=2)) for a in (0.02, 0.3, 0.999, 1, 2.5, 30, 1e4, 1e8)],
    "chisquare": [((k,), stats.chi2(k)) for k in (0.5, 1, 7)],
    "beta": [(ab, stats.beta(*ab)) for ab in ((0.02, 0.03), (0.3, 2), (1, 1), (5, 3), (400, 1000))],
}
DISCRETE = {
    "poisson": [((m,), stats.poisson(m)) for m in (0.1, 3, 9.99, 10, 37.5, 1000, 1e6)],
    "binomial": [
        ((n, p), stats.binom(n, p))
        for n, p in ((1, 0.3), (20, 0.1), (20, 0.5), (25, 0.95), (50, 0.4), (300, 0.9), (10**6, 1e-6), (10**6, 0.3), (2**31 - 1, 0.5))
    ],
}


def cells(kind, law):
    """Mean, variance and excess kurtosis; upper bounds (included) of some twenty cells; the probability of each and of what is beyond."""
    bounds = [float(law.ppf(i / 20)) for i in range(1, 20)]
    if kind == "beta":  # beyond half of the float64 numbers below 1 there is no room for cells
        bounds = [b for b in bounds if b < 1 - 1e-12]
    bounds = sorted(set(b for b in bounds if (b <= 0 or b > 1e-290) and law.sf(b) > 0))
    below = [0.0] + [float(law.cdf(b)) for b in bounds]
    moments = [float(m) if math.isfinite(m) else None for m in law.stats("mvk")]
    return {"moments": moments, "bounds": bounds, "shares": [b - a for a, b in zip(below, below[1:])] + [float(law.sf(bounds[-1]))]}


def path(a, w, order):
    """Minus the derivative of this order of the distribution function by the shape, over the slope by w, at e^w."""
    a, z = mp.mpf(a), mp.exp(mp.mpf(w))
    with mp.workdps(60):
        slope = mp.diff(lambda s: mp.gammainc(s, 0, z, regularized=True), a, order, h=mp.mpf(10) ** -15 * a)
        return float(-slope / (mp.exp(a * mp.log(z) - z - mp.loggamma(a))))


def paths():
    rng = np.random.default_rng(5)
    shapes = [1e-2, 1e4, 1, 0.999, 2] + list(10 ** rng.uniform(-2, 4, 35))
    found = []
    for i, a in enumerate(shapes):
        q = float(stats.gamma(a).ppf(rng.uniform(1e-6, 1 - 1e-6)))
        w = math.log(q) if q > 0 else -600.0
        found.append([float(a), w, path(a, w, 1), path(a, w, 2)])
    return found


laws = {
    name: [{"parameters": list(parameters), **cells(name, law)} for parameters, law in cases]
    for name, cases in {**CONTINUOUS, **DISCRETE}.items()
}
with open("distributions.json", "w") as file:
    json.dump({"laws": laws, "paths": paths()}, file)
    file.write("\n")
