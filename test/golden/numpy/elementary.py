"""Cases of elementary and special functions of one argument, rounding, questions, bits. Writes elementary.json."""

import numpy as np
import scipy.special as sp

from common import *  # noqa: F403

# ---- functions

ZERO_SIZE = [(0,), (2, 0, 3)]


def rounded_once(fn):
    """SciPy's function, which knows double precision only."""
    return lambda x: fn(x.astype(F64)).astype(x.dtype)


# By name: the function, and the tolerance in units of the last place.
FLOATING = {
    "np.exp2": (np.exp2, 3), "np.expm1": (np.expm1, 3), "np.log2": (np.log2, 3), "np.log10": (np.log10, 3), "np.log1p": (np.log1p, 3),
    "np.cbrt": (np.cbrt, 3), "np.tan": (np.tan, 3), "np.arcsin": (np.arcsin, 3), "np.arccos": (np.arccos, 3),
    "np.arctan": (np.arctan, 3), "np.sinh": (np.sinh, 3), "np.cosh": (np.cosh, 3), "np.arcsinh": (np.arcsinh, 3),
    "np.arccosh": (np.arccosh, 3), "np.arctanh": (np.arctanh, 3), "np.degrees": (np.degrees, 2), "np.radians": (np.radians, 2),
    "np.i0": (np.i0, 8),
}
SCIPY = {
    "npx.erf": (sp.erf, 5), "npx.erfc": (sp.erfc, 10), "npx.erfinv": (sp.erfinv, 10), "npx.gammaln": (sp.gammaln, 10),
    "npx.gamma": (sp.gamma, 20), "npx.digamma": (sp.digamma, 40),
}
ROUNDING = {"np.floor": np.floor, "np.ceil": np.ceil, "np.trunc": np.trunc, "np.rint": np.rint, "np.fix": np.fix}
QUESTIONS = {
    "np.isnan": np.isnan, "np.isinf": np.isinf, "np.isfinite": np.isfinite, "np.isposinf": np.isposinf, "np.isneginf": np.isneginf,
    "np.logicalNot": np.logical_not,
}
HALVES = [-2.5, -1.5, -0.5, -0.3, 0.5, 1.5, 2.5, 0.49999997, 8388607.5, 16777217.0, 1e10, -1e30]


def whole(dtype):
    """Integers of every kind, and the ends of the range."""
    return [Ref(values([7], dtype, 1)), Ref(np.array([*LIMITS[dtype], 0, 1], dtype)) if dtype in LIMITS else Ref(np.array(True))]


def floating():
    functions = {name: (in_double(fn), ulp, None) for name, (fn, ulp) in FLOATING.items()}
    functions |= {name: (rounded_once(fn), ulp, None) for name, (fn, ulp) in SCIPY.items()}
    functions["np.sinc"] = (in_double(np.sinc), 2, 1)
    for name, (fn, ulp, scale) in functions.items():
        # NumPy 1.24's SciPy has infinities at the poles of gamma, and none of the subnormal results.
        special = [v for v in SPECIAL if not (name == "npx.gamma" and v <= 0 and v == int(v) if np.isfinite(v) else v < 0)]
        data = [Ref(np.array(special, dtype)) for dtype in FLOATS]
        for dtype in (I32, I8, U8, BOOL):
            if name == "npx.gamma" and dtype in (I32, I8):
                continue
            data += whole(dtype)
        for shape in [(), (3, 4)]:
            data += views(shape, F32, 2)[:4]
        data += [Ref(values(shape, F32)) for shape in ZERO_SIZE] + views((2, 3), F64, 3)[1:3] + views((2, 3), U8, 4)[1:3]
        for x in data:
            if name == "npx.gamma" and np.any((x.x <= 0) & (x.x == np.trunc(x.x))):
                x = Ref(np.abs(x.x) + x.x.dtype.type(1))
            case(name, [x], lambda: fn(x.x if dtype_of(x) in FLOATS else x.x.astype(F32)), ulp=ulp, scale=scale)
        case(name, [0.5], lambda: fn(np.array(0.5, F32)), ulp=ulp, scale=scale)
        case(name, [[[0.5, 1], [0.25, 0.125]]], lambda: fn(np.array([[0.5, 1], [0.25, 0.125]], F32)), ulp=ulp, scale=scale)


def rounding():
    for name, fn in ROUNDING.items():
        for dtype in FLOATS:
            for x in [Ref(np.array(SPECIAL + HALVES, dtype)), *views((2, 3), dtype, 5)]:
                case(name, [x], lambda: fn(x.x))
        # NumPy keeps the dtype of integers from 2.1 on, but has no rint of them.
        for dtype in (I32, I8, U8, BOOL):
            for x in whole(dtype):
                case(name, [x], lambda: x.x.astype(F32) if name == "np.rint" else x.x)
        case(name, [1.5], lambda: fn(np.array(1.5, F32)))


def decimals():
    for dtype in FLOATS:
        data = [Ref(np.array([v for v in SPECIAL + HALVES if not abs(v) > 1e20], dtype)), Ref(np.array([np.nan, np.inf, -np.inf], dtype))]
        data += [Ref(np.array([0.05, 0.15, 0.25, 1.005, 2.675, 123.456, -0.045, 45, 55, 1250, 99.995], dtype))] + views((3, 2), dtype, 6)
        for x in data:
            case("np.round", [x], lambda: np.round(x.x))
            for n in [None, 0, 1, 2, 5, -1, -2]:
                case("np.round", [x, n], lambda: np.round(x.x, n or 0))
    for dtype in (I32, I8, U8):
        for x in [Ref(np.array([0, 4, 5, 6, 14, 15, 16, 25, 35, 95, 104, 105, 120], dtype)), *views((3, 2), dtype, 6)[1:3]]:
            for n in [None, 0, 2, -1, -2, -3]:
                case("np.round", [x, n], lambda: np.round(x.x, n or 0))
    wide = Ref(np.array([-15, -25, -149, -150, -151, -250, 2147483600, -2147483600], I32))
    for n in [-1, -2, -9, -10]:
        case("np.round", [wide, n], lambda: np.round(wide.x, n))
    case("np.round", [Ref(np.array([True, False]))], lambda: np.round(np.array([True, False])).astype(F32))
    case("np.round", [Ref(np.array([True, False])), 1], lambda: fails("DTypeError", TypeError)(lambda: np.round(np.array([True, False]), 1)))
    case("np.round", [2.5], lambda: np.array(2, F32))
    case("np.round", [[[1.25, 2.35]], 1], lambda: np.round(np.array([[1.25, 2.35]], F32), 1))
    for n in [0.5, "1", np.nan]:
        case("np.round", [wide, n], raising("ValueError"))


def questions():
    for name, fn in QUESTIONS.items():
        data = [Ref(np.array(SPECIAL, dtype)) for dtype in FLOATS] + [x for dtype in (I32, I8, U8, BOOL) for x in whole(dtype)]
        data += views((2, 3), F32, 7) + [Ref(values(shape, F64)) for shape in ZERO_SIZE]
        for x in data:
            case(name, [x], lambda: fn(x.x))
        case(name, [np.nan], lambda: fn(np.array(np.nan, F32)))
        case(name, [[True, False]], lambda: fn(np.array([True, False])))


def bits():
    for dtype in (I32, I8, U8, BOOL):
        for x in [*whole(dtype), *views((2, 3), dtype, 8), Ref(values((0, 2), dtype))]:
            case("np.bitwiseNot", [x], lambda: np.bitwise_not(x.x))
    case("np.bitwiseNot", [[0, 5, -7]], lambda: np.bitwise_not(np.array([0, 5, -7], I32)))
    case("np.bitwiseNot", [True], lambda: np.array(False))
    for x in [Ref(values((3,), F32)), Ref(values((3,), F64)), 0.5, [1.5]]:
        case("np.bitwiseNot", [x], raising("DTypeError"))


def replacing():
    for dtype in FLOATS:
        for x in [Ref(np.array(SPECIAL, dtype)), Ref(np.array([[np.nan, 1], [np.inf, -np.inf]], dtype), ["T"]), Ref(np.array(np.nan, dtype))]:
            for options in [None, {}, {"nan": 1.5}, {"posinf": 7}, {"neginf": -7, "nan": 3}, {"nan": 1, "posinf": 2, "neginf": 3}]:
                case("np.nanToNum", [x], lambda: np.nan_to_num(x.x, **(options or {})), options)
    for dtype in (I32, I8, U8, BOOL):
        for x in [*whole(dtype), *views((2, 3), dtype, 9)[1:2]]:
            case("np.nanToNum", [x], lambda: np.nan_to_num(x.x), shares=False)
            case("np.nanToNum", [x], lambda: np.nan_to_num(x.x), {"nan": 5})
    x = Ref(values((3,), F32))
    case("np.nanToNum", [x], lambda: x.x, shares=False)
    case("np.nanToNum", [np.inf], lambda: np.nan_to_num(np.array(np.inf, F32)))
    case("np.nanToNum", [x], raising("ValueError"), {"nan": "0"})
    case("np.nanToNum", [x], raising("ValueError"), {"copy": True})


write([floating, rounding, decimals, questions, bits, replacing])
