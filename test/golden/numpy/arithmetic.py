"""Cases of the operators of two operands beyond the four operations: remainders, extremes, angles, bits, logic, closeness. Writes
arithmetic.json."""

import numpy as np

from common import *  # noqa: F403

# ---- operands

CORNERS = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, -7.0, 1e-30, -1e30, 5.25, 1e5, -1e-40]
WHOLE = {
    I32: [0, 1, -1, 2, -3, 7, -8, 10, 46341, -65536, 2**31 - 1, -2**31], I8: [0, 1, -1, 2, -3, 7, -8, 10, 100, 127, -128],
    U8: [0, 1, 2, 3, 7, 8, 10, 100, 128, 200, 255], BOOL: [0, 1],
}
COUNTS = [-2**31, -33, -9, -1, 0, 1, 2, 5, 7, 8, 9, 15, 30, 31, 32, 33, 100]


def corners(dtype):
    return np.array(CORNERS if dtype in FLOATS else WHOLE[dtype]).astype(dtype)


def against(name, p, q):
    """All pairs of corners of two dtypes, by broadcasting a column against a row."""
    try_pair(name, Ref(p.reshape(-1, 1)), Ref(q))


# ---- floats and integers

def wide(fn):
    """In extended precision, rounded once."""
    return lambda x, y: fn(x.astype(np.longdouble), y.astype(np.longdouble)).astype(x.dtype)


def scaled(x, n):
    return np.ldexp(x.astype(np.longdouble), np.clip(n, -20000, 20000).astype(np.int32)).astype(x.dtype)


# By name: the function of two arrays of one dtype, whether integers become float32, the tolerance in units of the last place.
NUMERIC = {
    "np.floorDivide": (np.floor_divide, False, 0), "np.remainder": (np.remainder, False, 0), "np.mod": (np.mod, False, 0),
    "np.fmod": (np.fmod, False, 0), "np.fmax": (np.fmax, False, 0), "np.fmin": (np.fmin, False, 0),
    "np.hypot": (wide(np.hypot), True, 2), "np.arctan2": (wide(np.arctan2), True, 3), "np.copysign": (np.copysign, True, 0),
    "np.heaviside": (np.heaviside, True, 0), "np.logaddexp": (wide(np.logaddexp), True, 3),
    "np.logaddexp2": (wide(np.logaddexp2), True, 3),
}
LOGIC = {"np.logicalAnd": np.logical_and, "np.logicalOr": np.logical_or, "np.logicalXor": np.logical_xor}
INTEGRAL = {
    "np.bitwiseAnd": np.bitwise_and, "np.bitwiseOr": np.bitwise_or, "np.bitwiseXor": np.bitwise_xor, "np.leftShift": np.left_shift,
    "np.rightShift": np.right_shift, "np.gcd": np.gcd, "np.lcm": np.lcm,
}


def numeric(name):
    fn, floating, _ = NUMERIC[name]

    def compute(a, b):
        if floating:
            a, b = [v if not isinstance(v, Ref) or dtype_of(v) in FLOATS else Ref(v.x.astype(F32)) for v in (a, b)]
        met, (x, y) = meet(a, b)
        return fails("ShapeError", ValueError)(lambda: fn(x.astype(met), y.astype(met)))

    return compute


def integral(name):
    def compute(a, b):
        met, (x, y) = meet(a, b)
        if met in FLOATS:
            raise Wrong("DTypeError")
        return fails("ShapeError", ValueError)(lambda: fails("DTypeError", TypeError)(lambda: INTEGRAL[name](x.astype(met), y.astype(met))))

    return compute


def logical(name):
    def compute(a, b):
        x, y = [v.x if isinstance(v, Ref) else np.asarray(v) for v in (a, b)]
        return fails("ShapeError", ValueError)(lambda: LOGIC[name](x, y))

    return compute


def try_pair(name, a, b, args=None):
    """One call; logarithms of sums may cancel, and are measured beside 1."""
    fn = numeric if name in NUMERIC else integral if name in INTEGRAL else logical
    how = {"ulp": NUMERIC[name][2]} if name in NUMERIC else {}
    case(name, args or [a, b], lambda: fn(name)(a, b), scale=1 if "logadd" in name else None, **how)


def pairs():
    for name in [*NUMERIC, *LOGIC, *INTEGRAL]:
        if name == "np.mod":
            against(name, corners(F32), corners(F32))
            continue
        for dtype in DTYPES:
            if name in INTEGRAL and dtype in FLOATS:
                continue
            against(name, corners(dtype), corners(dtype))
        for p in DTYPES:
            for q in DTYPES:
                if p == q or name == "np.heaviside" and U8 not in (p, q):
                    continue
                a, b = Ref(values([4], p, 5)), Ref(values([4], q, 6))
                try_pair(name, a, b)
            a = Ref(values([3], p, 5))
            thorough = name in ("np.floorDivide", "np.bitwiseAnd", "np.fmax")
            for v in [2, 0.5, -3, 0, 300, float("nan"), float("-inf"), True] if thorough else [3, 0.5]:
                other = Ref(np.array(v)) if v is True else v
                for args, given in [([a, v], (a, other)), ([v, a], (other, a))]:
                    try_pair(name, *given, args)


def large():
    """Quotients that have more digits than the dtype."""
    r = np.random.RandomState(5)
    for dtype, reach in [(F32, 120), (F64, 900)]:
        x = (r.uniform(-2, 2, 40) * 2.0 ** r.randint(-reach, reach, 40)).astype(dtype)
        y = (r.uniform(-2, 2, 40) * 2.0 ** r.randint(-reach, reach, 40)).astype(dtype)
        whole = (y[:20] * r.randint(1, 5000, 20)).astype(dtype)
        near = [whole, np.nextafter(whole, dtype(np.inf) if callable(dtype) else np.array(np.inf, dtype)),
            np.nextafter(whole, np.array(-np.inf, dtype))]
        tiny = np.array([1, 3, 77, 2**20 + 1], dtype) * np.finfo(dtype).smallest_subnormal
        for name in ["np.fmod", "np.remainder", "np.floorDivide"]:
            for p, q in [(x, y), *[(n, y[:20]) for n in near], (x[:4], tiny), (tiny[::-1], tiny)]:
                a, b = Ref(p), Ref(q)
                try_pair(name, a, b)
            top = Ref(np.array([np.finfo(dtype).max, -np.finfo(dtype).max], dtype).reshape(2, 1))
            b = Ref(np.array([3, 0.7, 1e-20, np.finfo(dtype).smallest_subnormal, np.finfo(dtype).tiny], dtype))
            try_pair(name, top, b)
    for dtype in FLOATS:
        top = np.finfo(dtype).max
        a = Ref(np.array([top, top / 2, 1e-30, np.finfo(dtype).tiny, np.finfo(dtype).smallest_subnormal * 3], dtype).reshape(5, 1))
        b = Ref(np.array([top / 4, -1e-30, 3, 0, np.finfo(dtype).smallest_subnormal * 4], dtype))
        for name in ["np.hypot", "np.arctan2"]:
            try_pair(name, a, b)
        a = Ref(np.array([top, -top, 1000, -1000, 80, 1e-3], dtype).reshape(6, 1))
        b = Ref(np.array([-top, 1001, -1000, 0.25, 79.5], dtype))
        for name in ["np.logaddexp", "np.logaddexp2"]:
            try_pair(name, a, b)


def scaling():
    for dtype, reach in [(F32, 150), (F64, 1080)]:
        least = np.finfo(dtype).smallest_subnormal
        data = np.array([0.0, -0.0, 1, -1.5, 3.1415927, np.inf, -np.inf, np.nan, np.finfo(dtype).max, np.finfo(dtype).tiny, least,
            -5 * least], dtype)
        a = Ref(data.reshape(-1, 1))
        n = np.array([0, 1, -1, 10, -24, -25, -54, reach, -reach, reach // 2, 2 * reach, -2 * reach, 2**31 - 1, -2**31], np.int32)
        b = Ref(n)
        case("np.ldexp", [a, b], lambda: scaled(a.x, b.x))
        r = np.random.RandomState(6)
        x = Ref((r.uniform(-2, 2, 30) * 2.0 ** r.randint(-reach // 2, reach // 2, 30)).astype(dtype))
        k = Ref(r.randint(-2 * reach, reach, 30).astype(np.int32))
        case("np.ldexp", [x, k], lambda: scaled(x.x, k.x))
        case("np.ldexp", [x, 3], lambda: scaled(x.x, np.int32(3)))
    for dtype in [I32, U8, BOOL]:
        x = Ref(values([4], dtype, 1))
        case("np.ldexp", [x, Ref(np.array([1, -1, 3, 0], I8))], lambda: np.ldexp(x.x.astype(F32), [1, -1, 3, 0]))
    case("np.ldexp", [[1, 2.5], [3, -2]], lambda: np.array([8, 0.625], F32))
    case("np.ldexp", [1.5, 4], lambda: np.float32(24))


def shifting():
    for name in ["np.leftShift", "np.rightShift"]:
        for dtype in [I32, I8, U8]:
            low, high = LIMITS[dtype]
            against(name, corners(dtype), np.array([c for c in COUNTS if low <= c <= high], dtype))
        against(name, corners(I8), np.array(COUNTS, np.int32))
        against(name, corners(U8), np.array(COUNTS, np.int32))
    for name, fn in INTEGRAL.items():
        case(name, [12, 10], lambda: fn(np.int32(12), np.int32(10)))
        case(name, [[12, 10, 7], 2], lambda: fn(np.array([12, 10, 7], np.int32), np.int32(2)))
        case(name, [[[3], [5]], [6, 10]], lambda: fn(np.array([[3], [5]], np.int32), np.array([6, 10], np.int32)))
        for other in [1.5, [1.5, 2], float("nan"), Ref(np.array([1, 2], F32)), Ref(np.array(1, F64)), Ref(np.zeros(1, F32))]:
            case(name, [Ref(np.array([1, 2], I32)), other], raising("DTypeError"))
            case(name, [other, 3], raising("DTypeError"))
        bits = np.array([True, False])
        case(name, [True, [True, False]], lambda: fails("DTypeError", TypeError)(lambda: fn(bits[0], bits)))


def laid_out():
    shapes = [((), (3,)), ((3, 1), (1, 4)), ((2, 3, 4), (4,)), ((0, 3), (3,)), ((1,), (0,)), ((), ()), ((3,), (4,)), ((2, 3), (2,))]
    for name in [*NUMERIC, *LOGIC, *INTEGRAL]:
        dtype = I32 if name in INTEGRAL else F32
        for s, t in shapes:
            a, b = Ref(values(s, dtype, 7)), Ref(values(t, dtype, 8))
            try_pair(name, a, b)
        for a in views((2, 3), U8 if name in INTEGRAL else F64, 9)[1:]:
            for b in views((3,), I8 if name in INTEGRAL else I32, 10)[1:]:
                try_pair(name, a, b)


# ---- equal and close

def close():
    data = [Ref(np.array(v, F32)) for v in [[1, 1.00001, 1.1, np.nan, np.inf, -np.inf, 0], [1, 1, 1, np.nan, np.inf, np.inf, 1e-8],
        [1, 1.0001, -1.1, 1, 1, 5, 1e-7], 1.0, [[1.0], [np.nan]]]]
    data += [Ref(np.array([1, 2, 3, 127, 2**31 - 1, -2**31, 0], I32)), Ref(np.zeros(0, F32)), Ref(np.array([True, False]))]
    data += [Ref(np.arange(14, dtype=F64) / 7, ["at", "::2"])]
    for a in data:
        for b in data:
            for options in [None, {"rtol": 0, "atol": 0.5}, {"rtol": 0.01}, {"atol": 0}, {"equalNan": True}]:
                # Integers are compared in float64, float32 in its own digits.
                words = {"equalNan": "equal_nan"}
                given = {words.get(k, k): v for k, v in (options or {}).items()}

                def run(fn):
                    x, y = [v.x if dtype_of(v) in FLOATS else v.x.astype(F64) for v in (a, b)]
                    return fails("ShapeError", ValueError)(lambda: fn(x, y, **given))

                if options is None or a is not b:
                    case("np.isclose", [a, b], lambda: run(np.isclose), options)
                    case("np.allclose", [a, b], lambda: bool(run(np.allclose)), options)
            for equal_nan in [False, True]:
                case("np.arrayEqual", [a, b], lambda: bool(np.array_equal(*[v.x.astype(promote(dtype_of(a), dtype_of(b)))
                    for v in (a, b)], equal_nan=equal_nan)), {"equalNan": True} if equal_nan else None)
    case("np.arrayEqual", [[1, 2], [1, 2]], lambda: True)
    case("np.arrayEqual", [[1, 2], [[1, 2]]], lambda: False)
    case("np.arrayEqual", [1, 1], lambda: True)
    case("np.allclose", [[1, 2], 1], lambda: False)
    case("np.isclose", [1, 1.000001], lambda: np.array(True))
    for fn in ["np.isclose", "np.allclose"]:
        case(fn, [1, 1], raising("ValueError"), {"rtol": "small"})
        case(fn, [1, 1], raising("ValueError"), {"tolerance": 1})


write([pairs, large, scaling, shifting, laid_out, close])
