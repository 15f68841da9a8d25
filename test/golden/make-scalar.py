"""Makes scalar.json: float64 arguments of the elementary functions and the float64 nearest to each true result.

Needs Debian's python3-mpmath. Run it in this folder: python3 make-scalar.py
"""

import base64
import json
import math
import random
import struct

import mpmath as mp

rng = random.Random(20)


def nearest(v):
    """The float64 nearest to an mpf, also where that is subnormal or infinite."""
    if mp.isnan(v):
        return math.nan
    if mp.isinf(v) or v == 0:
        return float(v)
    exponent = max(int(mp.floor(mp.log(abs(v), 2))) - 53, -1074)
    n = int(mp.nint(mp.ldexp(v, -exponent)))
    while abs(n) >= 1 << 53 and exponent < 971:
        exponent += 1
        n = int(mp.nint(mp.ldexp(v, -exponent)))
    if abs(n) >= 1 << 53:
        return math.copysign(math.inf, n)
    return math.ldexp(n, exponent)


def step(x, n):
    """The n-th neighbour of x > 0."""
    return struct.unpack("<d", struct.pack("<q", struct.unpack("<q", struct.pack("<d", x))[0] + n))[0]


def uniform(low, high, n):
    return [rng.uniform(low, high) for _ in range(n)]


def logarithmic(low, high, n):
    """Significands at random, exponents from low to high."""
    return [math.ldexp(rng.uniform(1, 2), rng.randint(low, high)) for _ in range(n)]


def around(centre, n):
    """Neighbours of a point, near and nearer."""
    return [centre * (1 + rng.choice((-1, 1)) * rng.uniform(0.5, 1) * 2.0 ** -rng.randint(2, 52)) for _ in range(n)]


def both(xs):
    return [x if rng.random() < 0.5 else -x for x in xs]


def multiples(n):
    """Doubles close to multiples of pi/2, small and huge."""
    points = []
    with mp.workprec(1300):
        for _ in range(n):
            k = rng.randint(1, 2 ** rng.randint(1, 21)) if rng.random() < 0.8 else rng.randint(1, 2 ** rng.randint(22, 900))
            points.append(step(nearest(k * mp.pi / 2), rng.randint(-1, 1)))
    return both(points)


tiny = both(logarithmic(-1074, -30, 40))
subnormal = [math.ldexp(rng.randint(1, 2**52), -1074) for _ in range(20)]
trigonometric = multiples(150) + both(uniform(0, 10, 60)) + both(uniform(0, 3.3e6, 50)) + both(logarithmic(22, 1023, 50)) + tiny
positive = logarithmic(-1022, 1023, 80) + uniform(0, 4, 80) + around(1, 140) + subnormal
exponential = uniform(-745.2, 709.8, 120) + both(uniform(0, 1, 80)) + around(709.78, 15) + around(-708.4, 15) + uniform(-745.2, -708, 30) + tiny
hyperbolic = both(uniform(0, 711, 70)) + both(uniform(0, 22, 90)) + both(uniform(0, 1.5, 90)) + both(around(710.47, 15)) + tiny
unit = both(uniform(0, 1, 160)) + both([1 - 2.0 ** -rng.uniform(1, 53) for _ in range(60)]) + both(around(0.5, 40)) + tiny
everywhere = both(logarithmic(-60, 60, 120)) + both(logarithmic(-1022, 1023, 60)) + both(uniform(0, 4, 120)) + tiny


def sigmoid(x):
    return 1 / (1 + mp.exp(-x))


def softplus(x):
    return mp.log1p(mp.exp(x)) if x < 0 else x + mp.log1p(mp.exp(-x))


def cbrt(x):
    return mp.sign(x) * mp.root(abs(x), 3)


UNARY = {
    "exp": (mp.exp, exponential),
    "exp2": (lambda x: mp.power(2, x), uniform(-1074.9, 1024, 150) + both(uniform(0, 1, 80)) + uniform(-1075, -1021, 40) + tiny),
    "expm1": (mp.expm1, exponential + both(around(0.3466, 30))),
    "log": (mp.log, positive),
    "log2": (lambda x: mp.log(x, 2), positive),
    "log10": (mp.log10, positive),
    "log1p": (mp.log1p, [x - 1 for x in around(1, 80)] + uniform(-1, 4, 120) + logarithmic(2, 1023, 60) + tiny),
    "sin": (mp.sin, trigonometric),
    "cos": (mp.cos, trigonometric),
    "tan": (mp.tan, trigonometric),
    "sinh": (mp.sinh, hyperbolic),
    "cosh": (mp.cosh, hyperbolic),
    "tanh": (mp.tanh, hyperbolic + both(around(0.55, 40))),
    "arcsin": (mp.asin, unit),
    "arccos": (mp.acos, unit),
    "arctan": (mp.atan, everywhere + both(around(1, 40))),
    "arcsinh": (mp.asinh, everywhere),
    "arccosh": (mp.acosh, [1 + 2.0 ** -rng.uniform(1, 52) for _ in range(80)] + uniform(1, 4, 120) + logarithmic(2, 1023, 80)),
    "arctanh": (mp.atanh, unit),
    "cbrt": (cbrt, everywhere + subnormal),
    "sigmoid": (sigmoid, both(uniform(0, 40, 140)) + both(uniform(0, 1, 60)) + uniform(-745, -700, 40) + tiny),
    "softplus": (softplus, both(uniform(0, 40, 140)) + both(uniform(0, 1, 60)) + uniform(-745, -700, 40) + tiny),
    "erf": (mp.erf, both(uniform(0, 6, 180)) + both(around(0.8, 40)) + tiny),
    "erfc": (mp.erfc, uniform(-6, 6, 160) + uniform(0, 27.3, 120) + uniform(26, 27.3, 20) + around(0.8, 40) + tiny[:10]),
}


def powers():
    pairs = []
    for _ in range(200):
        x = rng.choice((math.ldexp(rng.uniform(1, 2), rng.randint(-1074, 1023)), rng.uniform(0, 4), around(1, 1)[0]))
        limit = rng.uniform(-1076, 1024) if rng.random() < 0.7 else rng.uniform(-1, 1)
        y = limit / math.log2(x) if x != 1 else 3.5
        pairs.append((x, y))
    for _ in range(80):
        x = -rng.uniform(0.5, 30)
        pairs.append((x, float(rng.randint(-200, 200))))
    return [(x, y) for x, y in pairs if math.isfinite(y)]


def plane(spread):
    pairs = []
    for _ in range(280):
        e = rng.randint(-1060, 1010)
        x = math.ldexp(rng.uniform(-2, 2), e)
        y = math.ldexp(rng.uniform(-2, 2), max(-1074, min(1022, e + rng.randint(-spread, spread))))
        pairs.append((x, y))
    return pairs


BINARY = {
    "power": (mp.power, powers()),
    "hypot": (mp.hypot, plane(30)),
    "arctan2": (mp.atan2, plane(60)),
}


def pack(values):
    return base64.b64encode(struct.pack(f"<{len(values)}d", *values)).decode()


cases = {}
for name, (f, xs) in UNARY.items():
    with mp.workprec(2300 if xs is trigonometric else 300):
        if name in ("log1p", "expm1", "tanh", "sinh", "erf", "arcsinh", "arctanh", "arcsin", "arctan", "arccosh"):
            mp.mp.prec = 2300  # these cancel near 0
        cases[name] = [pack(xs), pack([nearest(f(mp.mpf(x))) for x in xs])]
for name, (f, pairs) in BINARY.items():
    with mp.workprec(2300):
        results = [nearest(mp.re(f(mp.mpf(x), mp.mpf(y)))) for x, y in pairs]
    cases[name] = [pack([x for x, _ in pairs]), pack([y for _, y in pairs]), pack(results)]

with open("scalar.json", "w") as file:
    json.dump(cases, file, indent=0)
    file.write("\n")
