"""Makes special.json: arguments of the special functions and of their derivatives, and the float64 nearest to each true result.

Every second argument is a float32 too. Needs Debian's python3-mpmath. Run it in this folder: python3 make-special.py
"""

import base64
import json
import math
import random
import struct

import mpmath as mp

mp.mp.dps = 60
rng = random.Random(21)


def uniform(low, high, n):
    return [rng.uniform(low, high) for _ in range(n)]


def logarithmic(low, high, n):
    """Significands at random, exponents from low to high."""
    return [math.ldexp(rng.uniform(1, 2), rng.randint(low, high)) for _ in range(n)]


def both(xs):
    return [x if rng.random() < 0.5 else -x for x in xs]


def near(points, n):
    """Neighbours of some points, near and nearer."""
    return [rng.choice(points) + rng.choice((-1, 1)) * 2.0 ** -rng.uniform(1, 40) for _ in range(n)]


def sinc(order, x):
    """The derivative of sin(pi x)/(pi x): its series, or what the product rule says of u times it."""
    u = mp.pi * x
    if abs(u) < 8 + order:
        total, k = mp.mpf(0), (order + 1) // 2
        while True:
            term = (-1) ** k * u ** (2 * k - order) / ((2 * k + 1) * mp.factorial(2 * k - order))
            total += term
            if k > order + abs(u) and abs(term) < mp.mpf(10) ** -50:
                return total * mp.pi**order
            k += 1
    s, c = mp.sinpi(x), mp.cospi(x)
    y = s / u
    for k in range(1, order + 1):
        y = ((s, c, -s, -c)[k % 4] - k * y) / u
    return y * mp.pi**order


def erfinv(x):
    """Newton's steps on erfc, from the other end where x is near 1."""
    size = abs(mp.mpf(x))
    y = mp.sqrt(mp.log(1 / (1 - size))) if size > 0.9 else size
    for _ in range(200):
        step = (mp.erfc(y) - (1 - size)) * mp.sqrt(mp.pi) / 2 * mp.exp(y * y)
        step = max(min(step, mp.mpf(1) / 2), -mp.mpf(1) / 2)
        y += step
        if abs(step) < mp.mpf(10) ** -45 * y:
            break
    return mp.sign(x) * y


def gammaln(x):
    return mp.loggamma(x) if x > 0 else mp.log(abs(mp.gamma(x)))


tiny = both(logarithmic(-60, -2, 20))
poles = near(range(-6, 1), 40)
signed = uniform(0, 5, 60) + uniform(-5, 0, 60) + poles + tiny + near((1, 2), 20)
wide = signed + both(uniform(0, 200, 40)) + logarithmic(3, 100, 20)
CASES = {
    "gamma": (mp.gamma, signed + uniform(0, 171.6, 60) + uniform(-170, 0, 60) + uniform(-34, 35, 40) + [float(n) for n in range(1, 19)]),
    "gammaln": (gammaln, wide),
    "erfinv": (erfinv, uniform(-1, 1, 100) + both([1 - 2.0 ** -rng.uniform(1, 24) for _ in range(60)]) +
        both([1 - 2.0 ** -rng.uniform(24, 53) for _ in range(40)]) + tiny),
}
for n in range(4):
    CASES[f"polygamma {n}"] = (lambda x, n=n: mp.psi(n, x), wide)
for n in range(4):
    CASES[f"bessel {n}"] = (lambda x, n=n: mp.besseli(n, x), both(uniform(0, 30, 80)) + both(uniform(0, 700, 40)) + both(uniform(9, 25, 40)) + tiny)
for n in range(5):
    CASES[f"sinc {n}"] = (lambda x, n=n: sinc(n, x), both(uniform(0, 2, 90)) + both(uniform(0, 30, 60)) + near(range(-4, 5), 40) + tiny)


def single(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def pack(values):
    return base64.b64encode(struct.pack(f"<{len(values)}d", *values)).decode()


cases = {}
for name, (fn, points) in CASES.items():
    xs = [x if i % 2 else single(x) for i, x in enumerate(points)]
    pairs = [(x, float(fn(mp.mpf(x)))) for x in xs if not (x <= 0 and x == int(x)) and abs(x) != 1 or name == "gamma" and x > 0]
    cases[name] = [pack(column) for column in zip(*[p for p in pairs if math.isfinite(p[1])])]
with open("special.json", "w", encoding="utf-8") as file:
    json.dump(cases, file, separators=(",", ":"))
    file.write("\n")
