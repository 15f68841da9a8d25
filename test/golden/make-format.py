"""Writes format.json: what NumPy (1.24) prints, for the recipe of arrays that format.test.ts follows word for word too.

Of every group (a dtype and a kind of values) the first cases are kept as texts, the others as digests of 100 cases each.
Run: python3 make-format.py
"""

import hashlib
import json
import os
import re

import numpy as np

SMALL = [[], [1], [2], [3], [5], [7], [12], [30], [2, 3], [3, 2], [1, 1], [5, 1], [2, 9], [2, 2, 2], [3, 1, 4], [2, 1, 2, 3],
         [0], [0, 3], [2, 0], [1, 0, 2]]
LARGE = [[1000], [1001], [1], [9, 100], [7, 200], [6, 200], [2, 600], [600, 2], [11, 11, 11], [3, 7, 8, 9], [1, 1, 1200],
         [1200, 1, 1], [0, 5000]]
KINDS = ["integers", "words", "decimals", "bits", "uniform", "scales", "binary", "tens", "twos", "fives", "thresholds",
         "neighbours"]
GROUPS = [(dtype, kind) for dtype in ("float32", "float64") for kind in KINDS]
GROUPS += [(dtype, "ints") for dtype in ("int32", "int8", "uint8", "bool")]
THRESHOLDS = [1e-4, 9.9999e-5, 1.00001e-4, 0.1, 1.0, 100.0, 1000.0, 1000.0001, 1000.01, 99999992.0, 99999999.0, 99999999.9999, 1e8, 1e15,
              9999999999999998.0, 1e16, 0.00123, 0.12345678, 0.123456785, 67108872.0]
SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0]
TEXTS, CASES, BATCH = len(SMALL), 620, 100
SCALARS, SCALAR_BATCH = 100000, 5000


def mix(seed, index):
    """A 32-bit word for a seed and an index."""
    x = np.uint64(seed) * np.uint64(0x9E3779B1) + np.asarray(index, np.uint64) * np.uint64(0x85EBCA6B)
    x = x & np.uint64(0xFFFFFFFF)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x = ((x ^ (x >> np.uint64(shift))) * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
    return x ^ (x >> np.uint64(16))


def scaled(x, e):
    return x * float(f"1e{e}") if e >= 0 else x / float(f"1e{-e}")


def array(group, case):
    dtype, kind = GROUPS[group]
    seed = group * 1000 + case
    a, b, c = (int(mix(seed, 0xFFFFFFF0 + i)) for i in range(3))
    if case < TEXTS:
        shape = SMALL[case]
    else:
        shape = LARGE[a // 16 % len(LARGE)] if a % 16 == 0 else SMALL[a // 16 % len(SMALL)]
    i = np.arange(int(np.prod(shape)), dtype=np.uint64)
    w, v = mix(seed, 2 * i), mix(seed, 2 * i + np.uint64(1))
    x, y = w.astype(np.float64), v.astype(np.int64)
    single = dtype == "float32"
    signed = w.astype(np.uint32).view(np.int32)
    if kind == "ints":
        if dtype == "bool":
            out = signed & 1 == 1
        elif dtype == "int32":
            out = signed >> (b % 32)
        elif dtype == "int8":
            out = (signed >> 24) >> (b % 8)
        else:
            out = (w >> np.uint64(24)).astype(np.int32) >> (b % 8)
        return out.astype(dtype).reshape(shape)
    if kind == "integers":
        out = x % 201 - 100
    elif kind == "words":
        out = x - 2.0**31
    elif kind == "decimals":
        out = scaled(x % 2000001 - 1000000, -(b % 10))
    elif kind == "bits":
        out = w.astype(np.uint32).view(np.float32).astype(np.float64) if single else (w << np.uint64(32) | v).view(np.float64)
    elif kind == "uniform":
        out = scaled((x - 2.0**31) / 2.0**31, b % 25 - 12)
    elif kind == "scales":
        out = (x - 2.0**31) / 2.0**31 * 2.0 ** (y % 21 - 10)
    elif kind == "binary":
        out = (x % 2**18 - 2**17) / 2.0 ** (b % 14)
    elif kind in ("tens", "neighbours"):
        low, count = (-45, 84) if single else (-323, 632)
        powers = [float(f"1e{low + (b + int(word) % 4) % count}") for word in y]
        out = np.array(powers, np.float64).astype(dtype).astype(np.float64)
        if kind == "neighbours":
            out = out * (1 + (x % 5 - 2) * (2.0**-23 if single else 2.0**-52))
    elif kind == "twos":
        low, count = (-149, 277) if single else (-1074, 2098)
        out = np.array([float.fromhex(f"0x1p{low + (b + int(word) % 8) % count}") for word in y], np.float64)
    elif kind == "fives":
        out = (x % 1e9 * 10 + 5) * np.array([1.0, 10.0, 100.0])[y % 3]
    else:
        out = np.array(THRESHOLDS)[w.astype(np.int64) % len(THRESHOLDS)]
    if c % 3 == 0:
        out = np.where(y % 7 == 0, np.array(SPECIAL)[(y >> 8) % 5], out)
    return out.astype(dtype).reshape(shape)


def texts(x):
    """NumPy's repr with the chapter's rules for the dtype, and NumPy's str."""
    text = repr(x)
    if x.dtype == np.float32:
        text = re.sub(r",\s*dtype=float32\)$", ")", text)
    elif x.dtype == np.float64 and x.size > 0:
        text = text[:-1] + ", dtype=float64)"
    return [text, str(x)]


def digest(lines):
    return hashlib.sha256("\0".join(lines).encode()).hexdigest()[:12]


def parsed(dtype, shape, words):
    values = words.split()
    if dtype.startswith("float"):
        return np.array([float(word) for word in values], dtype).reshape(shape)
    return np.array([int(word) for word in values], dtype).reshape(shape)


GIVEN = [line.split(":") for line in """
float32 3: nan 1 2
float32 3: .1 .25 3
float32 -: 0.33333334
float32 -: -0
float32 -: nan
float32 -: inf
float32 -: -inf
float32 1: 1e8
float32 1: 1e7
float32 1: 123456789
float32 2x2x2: 0 1 2 3 4 5 6 7
int32 3: 1 2 3
int32 -: 5
uint8 2: 1 255
bool 2: 1 0
bool -: 1
bool -: 0
float64 2: .1 .2
float64 -: 3
float32 -: 28
float32 -: 1e15
float32 -: 1e-4
float64 -: 1e-4
float32 -: 1e16
float64 -: 1e16
float64 -: 1e22
float64 -: 1.5e300
float64 -: 5e-324
float32 -: 1e-45
float32 -: 3.4028235e38
float32 -: 1.1754944e-38
float32 -: 16777216
float32 -: 33554432
float32 -: 67108872
float32 -: 1.2621775e-29
float32 -: 1.5474251e26
float32 -: 1.2379401e27
float32 2: 1.2621775e-29 1.2621774e-29
float32 1: 1.5474251e26
float32 -: 2097152.25
float32 -: 2097152.75
float32 -: 128.015625
float32 2: 131072.125 131072.375
float64 -: 2251799813685248.25
float64 2: 0.001953125 0.005859375
float64 2: 1234567885 1234567895
float64 2: 0.1 0.30000000000000004
float64 2: 0.99999999999 1.000000005
float32 2: 0.1 123456792
float32 2: 0 1.5e10
float32 3: -0 0 1e-9
float64 2: 1e100 -1
float64 2: 5e-324 123456.789
float32 2: nan inf
float32 2: nan -inf
float32 4: -1 inf -inf nan
float32 2: 1 1000
float32 2: 1 1000.00006
float64 2: 1 1000.0000000000001
float32 0:
float32 0x3:
int32 0:
bool 0:
bool 2x0:
float64 0:
int8 0x1x2:
uint8 3x0:
int32 0x1x1x1x1x1x1x1x1x1x1x1x1x1x1:
int32 0x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1:
float64 0x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1:
float32 0x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1:
int8 2: -128 127
int32 2: -2147483648 2147483647
int32 1x1x1x1: 7
float64 6: 99999999.12345678 1 0 -1 1e5 1e6
""".strip().splitlines()]
GIVEN = [(head.split()[0], [int(n) for n in head.split()[1].split("x")] if "-" not in head else [], words.strip()) for head, words in GIVEN]
# Lines of every length around the width, where words and dtypes wrap.
for count in range(14, 26):
    GIVEN.append(("int32", [count], " ".join(str(10 + k) for k in range(count))))
    GIVEN.append(("int8", [count], " ".join(["-5"] + ["1"] * (count - 1))))
    GIVEN += [(dtype, [count], " ".join(str(k % 10) for k in range(count))) for dtype in ("float32", "float64", "uint8")]


def main():
    groups = []
    for group, (dtype, kind) in enumerate(GROUPS):
        cases = [texts(array(group, case)) for case in range(CASES)]
        rest = [text for pair in cases[TEXTS:] for text in pair]
        digests = [digest(rest[k:k + 2 * BATCH]) for k in range(0, len(rest), 2 * BATCH)]
        groups.append({"dtype": dtype, "kind": kind, "texts": cases[:TEXTS], "digests": digests})
    scalars = [str(x) for x in mix(77, np.arange(SCALARS)).astype(np.uint32).view(np.float32)]
    out = {
        "small": SMALL, "large": LARGE, "thresholds": THRESHOLDS, "batch": BATCH,
        "given": [[dtype, shape, words, *texts(parsed(dtype, shape, words))] for dtype, shape, words in GIVEN],
        "groups": groups,
        "scalarBatch": SCALAR_BATCH,
        "scalars": [digest(scalars[k:k + SCALAR_BATCH]) for k in range(0, SCALARS, SCALAR_BATCH)],
    }
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "format.json"), "w", encoding="utf-8") as file:
        json.dump(out, file, separators=(",", ":"))
        file.write("\n")


with np.errstate(all="ignore"):
    main()
