"""Cases of the first functions: creation, arithmetic, reductions, shapes, indexing, products, softmax. Writes core.json."""

import numpy as np

from common import *  # noqa: F403

# ---- creation

def without_values(x):
    """What NumPy leaves open, and nabla makes zeros."""
    return np.zeros(x.shape, x.dtype)


def creation():
    for shape in [0, 3, [], [0], [2, 3], [0, 3], [2, 0, 3], [1, 1], [2, 1, 3]]:
        for dtype in [None, *DTYPES]:
            options = {"dtype": dtype} if dtype else None
            to = dtype or F32
            case("np.zeros", [shape], lambda: np.zeros(shape, to), options)
            case("np.ones", [shape], lambda: np.ones(shape, to), options)
            case("np.empty", [shape], lambda: without_values(np.empty(shape, to)), options)
            case("np.full", [shape, 2.5], lambda: np.full(shape, 2.5, to), options)
            a = Ref(values(shape if isinstance(shape, list) else [shape], to))
            case("np.zerosLike", [a], lambda: np.zeros_like(a.x))
            case("np.onesLike", [a], lambda: np.ones_like(a.x))
            case("np.emptyLike", [a], lambda: without_values(np.empty_like(a.x)))
            case("np.fullLike", [a, 3], lambda: np.full_like(a.x, 3))
            for other in [F64, U8]:
                case("np.onesLike", [a], lambda: np.ones_like(a.x, dtype=other), {"dtype": other})
    for data in [1.5, True, [], [1, 2], [[1, 2], [3, 4]], [[]], [[], []], [[[1], [2]]], [True, False], [[True], [False]], [True,
        2],
                 [0.1, 1e30, 1e-30], float("nan"), [-0.0]]:
        for dtype in [None, *DTYPES]:
            array = np.array(data)
            if dtype not in (None, *FLOATS, BOOL) and not np.all(np.isfinite(array)):
                case("np.array", [data], raising("ValueError"), {"dtype": dtype})
                continue
            if dtype in LIMITS and array.size and np.abs(array).max() > 100:
                continue
            natural = BOOL if array.dtype == bool and array.size else F32
            case("np.array", [data], lambda: array.astype(dtype or natural), {"dtype": dtype} if dtype else None)
    for data in [[1, [2]], [[1, 2], [3]], [[1], 2], [[1, 2], [3, 4, 5]], [[[1]], [[1, 2]]], [[], [1]]]:
        case("np.array", [data], raising("ShapeError"))
    for data in ["abc", ["a"], [None], None]:
        case("np.array", [data], raising("ValueError"))
    for dtype in DTYPES:
        a = Ref(values([2, 3], dtype), ["T"])
        for to in DTYPES:
            case("np.array", [a], lambda: a.x.astype(to), {"dtype": to}, shares=False)
            case("np.asarray", [a], lambda: a.x.astype(to), {"dtype": to}, shares=to == dtype)
            case("np.astype", [a, to], lambda: a.x.astype(to), shares=False)
        case("np.array", [a], lambda: a.x, shares=False)
        case("np.copy", [a], lambda: a.x, shares=False)
    wide = Ref(np.array([-129, -128, -1, 0, 127, 128, 255, 256, 65536, 2**31 - 1, -2**31], np.int32))
    for to in DTYPES:
        case("np.astype", [wide, to], lambda: wide.x.astype(to))
    fractions = Ref(np.array([-1.9, -1.0, -0.5, 0.0, 0.5, 1.0, 1.9, 100.99], np.float64))
    for to in [F32, F64, I32, I8, BOOL]:
        case("np.astype", [fractions, to], lambda: fractions.x.astype(to))
    for args in [(0,), (4,), (-3,), (2.5,), (1, 5), (5, 1), (1, 5, 2), (5, 1, -1), (5, 1, -2), (0, 1, 0.1), (0, 1, 0.3), (1, 2,
        0.25),
                 (0, -1, -0.1), (-5, 5, 3), (0, 0, 1), (3, 3.5), (1e6, 1e6 + 3), (0.5, 4), (10, 0, 3), (0, 1e-3, 1e-4)]:
        case("np.arange", args, lambda: np.arange(*[float(a) for a in args]).astype(F32), ulp=1)
        case("np.arange", args, lambda: np.arange(*[float(a) for a in args]), {"dtype": F64}, ulp=2,
            scale=max(abs(a) for a in args))
        if all(a == int(a) for a in args):
            case("np.arange", args, lambda: np.arange(*[int(a) for a in args], dtype=np.int32), {"dtype": I32})
    case("np.arange", [1, 2, 0], raising("ValueError"))
    for args in [(0, 1, 5), (0, 1), (1, 0, 3), (2, 3, 1), (2, 3, 0), (-1, 1, 4), (0, 0, 3), (0, 10, 11), (-5, -4, 7), (0, 1e-3,
        3), (-3, 3, 8)]:
        for endpoint in [True, False]:
            for dtype in [None, F64, I32]:
                options = {"endpoint": endpoint, **({"dtype": dtype} if dtype else {})}
                case("np.linspace", [*args, None][:3], lambda: np.linspace(*args, endpoint=endpoint,
                    dtype=None if dtype != I32 else np.int32).astype(dtype or F32),
                     options, ulp=1 if dtype != I32 else 0, scale=max(abs(a) for a in args[:2]) if dtype != I32 else None)
    case("np.linspace", [0, 1, -1], raising("ValueError"))
    case("np.linspace", [0, 1, 2.5], raising("ValueError"))
    for args in [(0,), (1,), (3,), (2, 3), (3, 2), (3, 0), (0, 3), (3, 3, 1), (3, 3, -1), (2, 4, 2), (4, 2, -3), (3, 3, 5), (3,
        3, -5), (3, None, 1)]:
        for dtype in [None, *DTYPES]:
            case("np.eye", args, lambda: np.eye(args[0], *args[1:], dtype=dtype or F32), {"dtype": dtype} if dtype else None)
    for n in [0, 1, 4]:
        case("np.identity", [n], lambda: np.identity(n, F32))
        case("np.identity", [n], lambda: np.identity(n, np.int32), {"dtype": I32})
    case("np.eye", [-1], raising("ShapeError"))
    for shape in [-1, [2, -1], [1.5], "3", None, [None], [[2]]]:
        case("np.zeros", [shape], raising("ShapeError"))


# ---- pointwise

def sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def reciprocal(x):
    """NumPy's, and 0 for an integer 0; of bools in int8."""
    if x.dtype.kind == "f":
        return np.reciprocal(x)
    whole = x.astype(I8) if x.dtype == bool else x
    return np.where(whole == 0, 0, np.reciprocal(np.where(whole == 0, 1, whole))).astype(whole.dtype)


# By name: the function, whether integers become float32, and the tolerance in units of the last place.
UNARY = {
    "np.abs": (np.abs, False, 0), "np.absolute": (np.absolute, False, 0), "np.negative": (np.negative, False, 0),
    "np.positive": (np.positive, False, 0), "np.sign": (np.sign, False, 0),
    "np.square": (np.square, False, 0), "np.sqrt": (np.sqrt, True, 0), "np.reciprocal": (reciprocal, False, 0),
    "np.exp": (in_double(np.exp), True, 3), "np.log": (in_double(np.log), True, 3), "np.sin": (in_double(np.sin), True, 3),
    "np.cos": (in_double(np.cos), True, 3), "np.tanh": (in_double(np.tanh), True, 3), "npx.sigmoid": (in_double(sigmoid), True,
        4),
    "npx.relu": (lambda x: np.maximum(x, np.zeros((), x.dtype)), False, 0), "npx.stopGradient": (np.copy, False, 0),
}


def unary():
    for name, (fn, floating, ulp) in UNARY.items():
        data = [Ref(np.array(SPECIAL, F32)), Ref(np.array(SPECIAL, F64))]
        for dtype in (I32, I8, U8, BOOL):
            data.append(Ref(values([7], dtype, 1)))
            data.append(Ref(np.array([LIMITS[dtype][0], LIMITS[dtype][1], 0, 1],
                dtype)) if dtype in LIMITS else Ref(np.array(True)))
        for shape in [(), (0,), (2, 0, 3), (3, 4), (1, 1)]:
            data += views(shape, F32, 2)
        data += views((2, 3, 4), F64, 3)[1:3] + views((2, 3), I32, 4)[1:4]
        for x in data:
            dtype = dtype_of(x)
            if name in ("np.negative", "np.positive", "np.sign") and dtype == BOOL:
                case(name, [x], lambda: fails("DTypeError", TypeError)(lambda: fn(x.x)))
                continue
            case(name, [x], lambda: fn(x.x.astype(F32) if floating and dtype not in FLOATS else x.x), ulp=ulp)
        case(name, [2], lambda: fn(np.array(2, F32)), ulp=ulp)
        case(name, [[[0.5, 1], [2, 3]]], lambda: fn(np.array([[0.5, 1], [2, 3]], F32)), ulp=ulp)


# By name: the function, and its result dtype for the dtype met.
BINARY = {
    "np.add": np.add, "np.subtract": np.subtract, "np.multiply": np.multiply, "np.divide": np.divide, "np.trueDivide": np.divide,
    "np.power": np.power, "np.maximum": np.maximum, "np.minimum": np.minimum,
}
COMPARE = {
    "np.equal": np.equal, "np.notEqual": np.not_equal, "np.less": np.less, "np.lessEqual": np.less_equal, "np.greater": np.greater,
    "np.greaterEqual": np.greater_equal,
}


def combine(name, a, b):
    """The binary function in nabla's dtypes."""
    if "ivide" in name:
        # Quotients are floats, so that any number fits beside an integer array.
        a, b = [v if not isinstance(v, Ref) or dtype_of(v) in FLOATS else Ref(v.x.astype(F32)) for v in (a, b)]
    met, (x, y) = meet(a, b)
    fn = BINARY.get(name) or COMPARE[name]
    if name == "np.power" and met not in FLOATS and np.any(np.asarray(y) < 0):
        raise Wrong("ValueError")
    with_shape = fails("ShapeError", ValueError)
    if name == "np.power":
        # In extended precision, then rounded once.
        wide = np.longdouble if met in FLOATS else np.int64
        given = I8 if met == BOOL else met
        return with_shape(lambda: np.power(x.astype(met).astype(wide), y.astype(met).astype(wide)).astype(given))
    return with_shape(lambda: fails("DTypeError", TypeError)(lambda: fn(x.astype(met), y.astype(met))))


def binary_case(name, a, b):
    met = "power" in name
    case(name, [a, b], lambda: combine(name, a, b), ulp=3 if met else 0)


def binary():
    names = [*BINARY, *COMPARE]
    positive = {}
    for dtype in DTYPES:
        positive[dtype] = Ref(np.array([1, 0, 2, 3, 1]).astype(dtype))
    for name in names:
        for p in DTYPES:
            for q in DTYPES:
                a = Ref(values([5], p, 5))
                b = positive[q] if "power" in name else Ref(values([5], q, 6))
                binary_case(name, a, b)
            a = Ref(values([5], p, 5))
            for v in [2, 2.5, -1, 0, 300, float("nan"), float("inf"), True]:
                try:
                    fits = weak(p, v) and True
                except Wrong:
                    fits = False
                if name in COMPARE and not fits:
                    continue
                if "power" in name and p not in FLOATS and v == 300:
                    continue
                right = Ref(np.array(v)) if v is True else v
                case(name, [a, v], lambda: combine(name, a, right), ulp=3 if "power" in name else 0)
                left = positive[p]
                if not (v is True and "power" in name):
                    case(name, [v, left], lambda: combine(name, right, left), ulp=3 if "power" in name else 0)
        special = Ref(np.array(SPECIAL[:12], F32).reshape(12, 1))
        binary_case(name, special, Ref(np.array(SPECIAL[:12], F32)))
        case(name, [3, 2], lambda: combine(name, Ref(np.array(3, F32)), Ref(np.array(2, F32))), ulp=1 if "power" in name else 0)
    shapes = [((), (3,)), ((3,), ()), ((3, 1), (1, 4)), ((2, 3, 4), (4,)), ((4,), (2, 3, 4)), ((0, 3), (3,)), ((2, 0), (1,)),
        ((1,), (0,)),
              ((2, 1, 4, 1), (3, 1, 2)), ((1, 1, 1), (2,)), ((2, 3), (2, 1)), ((1, 3), (2, 1)), ((3,), (4,)), ((2, 3), (3,
                  2)), ((0,), (2,)),
              ((2, 3, 4), (2, 4)), ((), ()), ((1,), ()), ((2, 1), (1, 0))]
    for name in ["np.add", "np.power", "np.less", "np.divide", "np.maximum"]:
        for s, t in shapes:
            binary_case(name, Ref(np.abs(values(s, F32, 7))), Ref(np.abs(values(t, F32, 8))))
    for name, (s, t), p, q in [("np.subtract", ((3, 4), (4,)), F32, F32), ("np.multiply", ((2, 3), (2, 3)), F64, F32),
        ("np.add", ((3, 4), (3, 1)), I32, I8),
                               ("np.greater", ((2, 3), (3,)), U8, F32), ("np.minimum", ((2, 2, 3), (2, 3)), F32, I32)]:
        for a in views(s, p, 9):
            for b in views(t, q, 10):
                binary_case(name, a, b)


def selecting():
    for c in [Ref(values([3, 1], BOOL, 1)), Ref(values([4], F32, 2)), Ref(values([3, 4], I32, 3), ["at", "::-1"]), True, False,
        0, 2.5, [[True], [False], [True]],
              Ref(np.array([np.nan, 0.0, -0.0, 1.0], F32))]:
        for a, b in [(Ref(values([3, 4], F32, 4)), Ref(values([4], F32, 5))), (Ref(values([4], I32, 4)), 2), (Ref(values([4],
            I32, 4)), 2.5),
                     (1, Ref(values([4, 3], F64, 5), ["T"])), (Ref(values([4], U8, 4)), Ref(values([1], I8, 4))), (1.5, 2.5),
                     (Ref(values([4], BOOL, 4)), Ref(values([4], BOOL, 5))), (float("nan"), Ref(values([4], F32, 6)))]:
            def run():
                met, (x, y) = meet(a, b)
                mask = c.x if isinstance(c, Ref) else np.asarray(c)
                return np.where(mask != 0, x.astype(met), y.astype(met))
            case("np.where", [c, a, b], run)
    case("np.where", [Ref(values([3], BOOL)), Ref(values([4], F32)), 0], raising("ShapeError"))
    case("np.where", [Ref(values([0], BOOL)), Ref(values([1], F32)), 0], lambda: np.zeros(0, F32))
    x = Ref(np.array([-5, -1, -0.5, 0, 0.5, 1, 5, np.nan, np.inf, -np.inf], F32))
    for low, high in [(-1, 1), (None, 1), (-1, None), (1, -1), (0, float("inf")), (0, 0)]:
        case("np.clip", [x, low, high], lambda: np.clip(x.x, None if low is None else np.float32(low),
            None if high is None else np.float32(high)))
    for x in [*views((3, 4), F32, 1), *views((3, 4), I32, 2), Ref(values([3, 4], U8)), Ref(np.array(3.5, F64)), Ref(np.zeros((0,
        4), F32))]:
        for low, high in [(0, 1), (0.5, 1.5), (Ref(values([4], F32, 3)), 2), (Ref(values([4], I32, 3)), Ref(values([4], I32,
            4)))]:
            def run():
                met, (p, q, r) = meet(x, low, high)
                return np.minimum(np.maximum(p.astype(met), q.astype(met)), r.astype(met))
            case("np.clip", [x, low, high], run)
    case("np.clip", [x, None, None], raising("ValueError"))
    case("np.clip", [Ref(values([3], F32)), Ref(values([2], F32)), 1], raising("ShapeError"))


# ---- reductions

def add_up(x, axis, keepdims):
    return np.sum(x, axis=axis, keepdims=keepdims, dtype=x.dtype if str(x.dtype) in FLOATS else np.int32)


def average(x, axis, keepdims):
    a = x if str(x.dtype) in FLOATS else x.astype(np.float64)
    y = np.mean(a, axis=axis, keepdims=keepdims)
    return np.asarray(y).astype(x.dtype if str(x.dtype) in FLOATS else F32)


REDUCE = {"np.sum": add_up, "np.mean": average, "np.max": np.max, "np.min": np.min, "np.all": np.all, "np.any": np.any,
    "np.amax": np.max, "np.amin": np.min}


def reductions():
    for name, fn in REDUCE.items():
        ulp = 1 if name == "np.mean" else 0
        alias = name in ("np.amax", "np.amin")
        for i, shape in enumerate([(), (5,), (3, 4), (2, 3, 4), (0,), (0, 3), (3, 0), (1, 1, 1), (2, 1, 3), (17, 9)]):
            if alias and i != 2:
                continue  # the same functions under other names
            dtype = [F32, F32, F32, F32, F32, F32, F32, F64, I32, F32][i]
            x = Ref(values(shape, dtype, i))
            for axis in axes_of(len(shape)) if name not in ("np.min", "np.any") else [None, 0, -1]:
                if not shape and axis in (0, -1):
                    # NumPy lets a 0-d array have an axis here and nowhere else.
                    continue
                case(name, [x, axis], lambda: reduce_with(fn, x.x, axis, False), ulp=ulp)
                if shape not in [(0, 3), (17, 9)]:
                    case(name, [x, axis], lambda: reduce_with(fn, x.x, axis, True), {"keepdims": True}, ulp=ulp)
        for dtype in DTYPES:
            x = Ref(values((3, 4), dtype, 3))
            for axis in [None, 0, 1]:
                case(name, [x, axis], lambda: reduce_with(fn, x.x, axis, False), ulp=ulp)
        for x in [*views((3, 4), F32, 6)[1:], *views((2, 3, 4), F64, 7)[1:], *views((3, 4), I8, 8)[1:], Ref(values((2, 3, 4),
            F32, 2), ["transpose", 1, 2, 0])]:
            for axis in [None, 0, -1, [0, 1]]:
                case(name, [x, axis], lambda: reduce_with(fn, x.x, axis, False), ulp=ulp)
        for data in [[1, np.nan, 3], [np.nan, np.nan], [np.inf, -np.inf, 1], [np.inf, 1], [-np.inf, 0], [0.0, -0.0], [-0.0,
            -0.0]]:
            for dtype in FLOATS:
                x = Ref(np.array(data, dtype))
                case(name, [x], lambda: fn(x.x, axis=None, keepdims=False))
    big = Ref(np.array([2**31 - 1, 1, 5], np.int32))
    case("np.sum", [big], lambda: add_up(big.x, None, False))
    case("np.mean", [big], lambda: average(big.x, None, False))
    case("np.mean", [Ref(np.array([255] * 9, np.uint8))], lambda: np.float32(255))
    case("np.sum", [Ref(np.array([127] * 9, np.int8))], lambda: np.int32(1143))
    for dtype in [F64, F32, I32, I8, U8, BOOL]:
        for source in DTYPES:
            x = Ref(np.abs(values((3, 4), source, 9)) if source != BOOL else values((3, 4), source, 9))
            if source in FLOATS and dtype not in FLOATS:
                continue
            case("np.sum", [x, 0], lambda: np.sum(x.x, axis=0, dtype=dtype), {"dtype": dtype})
    for name, fn in {"np.argmax": np.argmax, "np.argmin": np.argmin}.items():
        for i, shape in enumerate([(), (5,), (3, 4), (2, 3, 4), (0,), (0, 3), (3, 0), (1, 1, 1), (40,), (3, 33)]):
            x = Ref(values(shape, [F32, I32, F64][i % 3], i))
            for axis in [None, *range(-len(shape) - 1, len(shape) + 1)]:
                for keepdims in [False, True]:
                    if keepdims and not shape:
                        continue
                    if not shape and axis in (-1, 0):
                        continue
                    case(name, [x, axis], lambda: reduce_with(fn, x.x, axis, keepdims).astype(np.int32),
                        {"keepdims": True} if keepdims else None)
        for data in [[1, np.nan, 3, np.nan], [np.nan] * 3, [np.inf, 1, np.inf], [-np.inf, 1, -np.inf], [2, 2, 2], [0.0, -0.0],
            [-0.0, 0.0], [5, 1, 5, 1]]:
            for dtype in FLOATS:
                x = Ref(np.array(data, dtype))
                case(name, [x], lambda: fn(x.x).astype(np.int32))
        for dtype in [I32, I8, U8, BOOL]:
            x = Ref(values((3, 4), dtype, 2))
            for axis in [None, 0, 1]:
                case(name, [x, axis], lambda: fn(x.x, axis=axis).astype(np.int32))
        for x in views((3, 4), F32, 6)[1:]:
            for axis in [None, 0, -1]:
                case(name, [x, axis], lambda: np.asarray(fn(x.x, axis=axis)).astype(np.int32))


def sorting():
    def order(x, axis):
        return np.argsort(x, axis=axis, kind="stable").astype(np.int32)

    data = [Ref(values(s, d, i)) for i, (s, d) in enumerate([((5,), F32), ((3, 4), F32), ((2, 3, 4), F64), ((0,), F32), ((0, 3),
        F32), ((3, 0), I32), ((1, 1), F32),
                                                           ((33,), I32), ((65,), F32), ((7,), I8), ((7,), U8), ((7,),
                                                               BOOL), ((2, 40), F32)])]
    data += views((3, 4), F32, 3)[1:] + views((4, 3), I32, 3)[1:3]
    data += [Ref(np.array(v, d)) for d in FLOATS for v in [[3, np.nan, -1, np.inf, -np.inf, np.nan, 0], [np.nan] * 3, [0.0,
        -0.0, 0.0, -0.0], [1, 1, 1, 0, 0]]]
    data += [Ref(np.array(SPECIAL, F32)), Ref(np.array([2**31 - 1, -2**31, 0], np.int32))]
    for x in data:
        for axis in [None, *range(-x.x.ndim, x.x.ndim), "default"]:
            args = [x] if axis == "default" else [x, axis]
            at = -1 if axis == "default" else axis
            case("np.argsort", args, lambda: order(x.x, at))
            case("np.sort", args, lambda: np.sort(x.x, axis=at, kind="stable"), shares=False)
        for axis in [x.x.ndim, -x.x.ndim - 1]:
            case("np.argsort", [x, axis], raising("ShapeError"))
            case("np.sort", [x, axis], raising("ShapeError"))


# ---- shapes

def shaping():
    shares = np.shares_memory
    for shape in [(), (6,), (2, 3), (2, 3, 4), (0,), (0, 3), (1, 6), (2, 1, 3)]:
        for place, x in enumerate(views(shape, F32, 1)):
            n = x.x.size
            targets = [[-1], [1, n], [2, -1], [-1, 3], [3, 2], [], [4, 3, 2], [2, 12], [2, 2, -1], [0, 3]]
            if not x.steps:
                targets += [[n], [n, 1], [2, 3], [1], [0, -1], [-1, -1], [7], [-2, 3], [2.5], [6, 1, 1], [3, 0]]
            for target in targets:
                try:
                    y = x.x.reshape(target)
                    kept = shares(y, x.x)
                except Exception:
                    kept = None
                def compute():
                    try:
                        if any(isinstance(t, float) for t in target) or any(t < -1 for t in target):
                            raise ValueError
                        return x.x.reshape(target)
                    except ValueError as e:
                        raise Wrong("ShapeError") from e
                case("np.reshape", [x, target], compute, shares=kept)
            if place > 2:
                continue
            case("np.transpose", [x], lambda: x.x.T, shares=True)
            for axes in [[0], [1, 0], [0, 1], [-1, 0], [2, 0, 1], [1, 2, 0], [0, 0], [0, 2], [3, 0, 1]]:
                def compute():
                    if len(axes) != x.x.ndim:
                        raise Wrong("ValueError")
                    if any(not -x.x.ndim <= a < x.x.ndim for a in axes):
                        raise Wrong("ShapeError")
                    return fails("ValueError")(lambda: x.x.transpose(axes))
                case("np.transpose", [x, axes], compute, shares=True)
            for axis in range(-x.x.ndim - 2, x.x.ndim + 2):
                case("np.expandDims", [x, axis], lambda: fails("ShapeError")(lambda: np.expand_dims(x.x, axis)), shares=True)
            for axis in [None, 0, 1, -1, [0, 1], [1], [-1], 5] if shape else [None, 1, [0, 1], 5]:
                case("np.squeeze", [x, axis],
                     lambda: fails("ShapeError")(lambda: np.squeeze(x.x, tuple(axis) if isinstance(axis,
                         list) else axis)), shares=True)
            for a, b in [(0, 1), (0, -1), (1, 2), (-1, -2), (0, 0), (0, 3)]:
                case("np.swapaxes", [x, a, b], lambda: fails("ShapeError")(lambda: np.swapaxes(x.x, a, b)), shares=True)
    for x in [*views((3, 1), F32, 2), Ref(values((3,), I32)), Ref(np.array(2.5, F64)), Ref(values((1, 0), F32))]:
        for target in [[3, 4], [2, 3, 1], [3, 1], [3], 3, [3, 3], [], [2, 0], [0], [2, 3], [4, 3, 0], [2, 2]]:
            case("np.broadcastTo", [x, target], lambda: fails("ShapeError")(lambda: np.broadcast_to(x.x, target)))


def joining():
    groups = [[(2, 3), (1, 3)], [(2, 3), (2, 1)], [(3,), (0,), (2,)], [(2, 3)], [(2, 2, 2), (2, 2, 2)], [(0, 3), (2, 3)], [(2,
        3), (3, 2)], [(2, 3), (3,)], [(), ()], [(2, 0), (2, 0)]]
    for g, group in enumerate(groups):
        for kinds in [[F32] * 3, [F32, F64, I32], [I8, U8, BOOL], [BOOL] * 3]:
            for variant in [0, 1, 2, 3]:
                parts = []
                for i, (shape, dtype) in enumerate(zip(group, kinds)):
                    options = views(shape, dtype, g + i)
                    parts.append(options[variant % len(options)])
                met = dtype_of(parts[0])
                for p in parts:
                    met = promote(met, dtype_of(p))
                ndim = parts[0].x.ndim
                for axis in [None, *range(-ndim, ndim + 1)] if variant == 0 else [0]:
                    def join():
                        try:
                            return np.concatenate([p.x.astype(met) for p in parts], axis=axis)
                        except ValueError as e:
                            raise Wrong("ShapeError") from e
                    def pile():
                        try:
                            return np.stack([p.x.astype(met) for p in parts], axis=axis)
                        except ValueError as e:
                            raise Wrong("ShapeError") from e
                    case("np.concatenate", [parts, axis], join, shares=None)
                    if axis is not None:
                        case("np.stack", [parts, axis], pile)
                        case("np.stack", [parts, -axis - 1], lambda: fails("ShapeError",
                            ValueError)(lambda: np.stack([p.x.astype(met) for p in parts], axis=-axis - 1)))
    for fn in ["np.concatenate", "np.stack"]:
        case(fn, [[]], raising("ValueError"))
        case(fn, [5], raising("ValueError"))
    case("np.concatenate", [[[1, 2], [3]]], lambda: np.array([1, 2, 3], F32))
    case("np.stack", [[1, 2, 3]], lambda: np.array([1, 2, 3], F32))
    whole = Ref(values((3, 2, 2), F32, 4))
    case("np.concatenate", [whole], lambda: np.concatenate(whole.x))
    case("np.concatenate", [whole, 1], lambda: np.concatenate(whole.x, axis=1))
    case("np.stack", [whole, 1], lambda: np.stack(whole.x, axis=1))


def taking():
    for shape in [(5,), (3, 4), (2, 3, 4), (), (0,), (0, 3)]:
        for x in views(shape, F32, 1)[:3]:
            for index in [0, -1, [0], [2, 0, -1], [[0, 1], [-1, 2]], [], [9], [-9], 7, Ref(np.array([1, 0, 1], np.int32)),
                Ref(np.array([[1], [0]], np.uint8)),
                          Ref(np.array([0, 2], F32)), Ref(np.array([0, 1, 2, 1], np.int32), ["at", "::-2"])]:
                for axis in [None, *range(-x.x.ndim, x.x.ndim)]:
                    for mode in [None, "clip", "wrap"]:
                        if mode and (isinstance(index, Ref) or x.steps) or x.steps and not isinstance(index,
                            Ref) and index in (0, 7, [0], [9], [-9], []):
                            continue
                        i = index.x.astype(np.int64) if isinstance(index, Ref) else np.array(index, dtype=np.int64)
                        if x.x.size == 0 and (np.any(i >= max(x.x.shape, default=0)) or np.any(i < -1)):
                            # NumPy does not look at positions where the result is empty.
                            continue

                        def run():
                            if mode and np.size(i) == 0:
                                return np.take(x.x, i, axis=axis)
                            # NumPy counts negative positions as 0 when it clips; nabla too.
                            return fails("IndexError", IndexError)(lambda: np.take(x.x, i, axis=axis, mode=mode or "raise"))
                        case("np.take", [x, index, axis], run, {"mode": mode} if mode else None, shares=False)
    case("np.take", [Ref(values((3,), F32)), [0], 1], raising("ShapeError"))
    case("np.take", [Ref(values((3,), F32)), [0.5]], raising("DTypeError"))
    for shape, index, axis in [((3, 4), [[0, 1, 2, 0]], 0), ((3, 4), [[0], [3], [-1]], 1), ((3, 4), [[0, 1], [2, 3], [0, 0]],
        -1), ((5,), [4, 4, 0], 0), ((3, 4), [[4], [0], [0]], 1),
                               ((2, 3, 2), np.zeros((2, 1, 2), int).tolist(), 1), ((3, 4), [0, 1], 0), ((3, 4), [[0, 1, 2]],
                                   0), ((3, 4), [[0]], 2), ((0, 3), np.zeros((0, 3), int).tolist(), 0)]:
        for x in views(shape, F32, 2)[:4]:
            i = np.array(index, dtype=np.int64)
            def run():
                if axis == 2:
                    raise Wrong("ShapeError")
                if i.ndim != x.x.ndim or any(a != b for k, (a, b) in enumerate(zip(i.shape, x.x.shape)) if k != axis % x.x.ndim):
                    raise Wrong("ShapeError")
                return fails("IndexError", IndexError)(lambda: np.take_along_axis(x.x, i, axis))
            case("np.takeAlongAxis", [x, Ref(i.astype(np.int32)), axis], run, shares=False)


# ---- indexing

def item_for(n, kind):
    """A random index item for an axis of n."""
    if kind == "int":
        return rng.randint(-n - (rng.random() < 0.04), max(n - 1 + (rng.random() < 0.04), 0)) if n else 0
    if kind == "slice":
        parts = [rng.choice([None, rng.randint(-n - 2, n + 2)]) for _ in range(2)] + [rng.choice([None, None, 1, 2, -1, -2, 3,
            -3])]
        if rng.random() < 0.5:
            return {"slice": parts}
        return ":".join("" if p is None else str(p) for p in (parts if parts[2] is not None else parts[:2]))
    if kind == "list":
        shape = rng.choice([(2,), (3,), (1,), (2, 1), (1, 3), (2, 3), ()])
        if n == 0:
            shape = (0,)
        a = np.array([rng.randint(-n, n - 1) for _ in range(int(np.prod(shape)))], np.int32).reshape(shape)
        if a.size and rng.random() < 0.03:
            a.reshape(-1)[0] = n
        if shape in [(2,), (3,), (1,)] and rng.random() < 0.4:
            return a.tolist()
        return Ref(a)
    if kind == "mask":
        m = np.array([rng.random() < 0.5 for _ in range(n + (rng.random() < 0.04))], bool)
        return Ref(m) if rng.random() < 0.7 or m.size == 0 else m.tolist()
    return None


def random_array(fill):
    ndim = rng.choice([1, 1, 2, 2, 2, 3, 3, 4])
    shape = [rng.choice([1, 2, 3, 3, 4, 0 if rng.random() < 0.15 else 2]) for _ in range(ndim)]
    n = int(np.prod(shape))
    data = (np.arange(n) + fill).astype(F32).reshape(shape)
    steps = []
    if rng.random() < 0.3:
        steps.append(["transpose", *rng.sample(range(ndim), ndim)])
    if rng.random() < 0.3:
        steps.append(["at", "...", "::-1"])
    if rng.random() < 0.2:
        steps.append(["at", "::2"])
    return Ref(data, *steps)


def random_index(x, fancy):
    items, axis = [], 0
    ndim = x.x.ndim
    ellipsis = rng.random() < 0.25
    count = rng.randint(0, ndim + (rng.random() < 0.03))
    kinds = ["int", "slice", "slice", "int"] + (["list", "list", "mask"] if fancy else [])
    place = rng.randint(0, count) if ellipsis else -1
    for k in range(count):
        if k == place:
            items.append("...")
            axis = ndim - (count - k)
        if rng.random() < 0.12:
            items.append(None)
        n = x.x.shape[axis] if 0 <= axis < ndim else 2
        if fancy and rng.random() < 0.08 and k + 1 < count and axis + 1 < ndim and k + 1 != place:
            items.append(Ref(np.array([rng.random() < 0.5 for _ in range(n * x.x.shape[axis + 1])], bool).reshape(n,
                x.x.shape[axis + 1])))
            # The mask stands for two axes.
            axis += 2
            if sum(1 for _ in items) > ndim:
                break
            continue
        items.append(item_for(n, rng.choice(kinds)))
        axis += 1
    return items


def indexing():
    for k in range(420):
        x = random_array(0)
        items = random_index(x, k % 2 == 1)
        try:
            index = tuple(index_of(i) for i in items)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                try:
                    # The ellipsis gives a 0-d view where NumPy would give a bare number.
                    shared = np.shares_memory(x.x[index if Ellipsis in [i for i in index if i is Ellipsis] else (*index,
                        Ellipsis)], x.x)
                except (IndexError, ValueError):
                    if sum(isinstance(i, (Ref, list)) for i in items) > 1:
                        # Which of several errors comes first is nobody's business.
                        continue
                    shared = None
        except DeprecationWarning:
            continue
        case("at", [x, *items], lambda: indexed(lambda: x.x[index]), shares=shared)
    for k in range(380):
        x = random_array(0)
        items = random_index(x, k % 3 != 0)
        index = tuple(index_of(i) for i in items)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                target = np.shape(x.x[index])
        except (IndexError, ValueError, DeprecationWarning):
            if sum(isinstance(i, (Ref, list)) for i in items) > 1:
                continue
            target = ()
        if rng.random() < 0.3:
            value = rng.choice([7, -1.5, 100])
        else:
            shape = [n if rng.random() < 0.8 else 1 for n in target[rng.randint(0, len(target)):]] if target else []
            if rng.random() < 0.1:
                shape = [1, *shape]
            if rng.random() < 0.04 and shape:
                shape[-1] += 1
            value = Ref(-1 - np.arange(int(np.prod(shape)), dtype=F32).reshape(shape))
        def write():
            # Several values for one place: the last one stays, as in NumPy in practice.
            base = x.base.copy()
            copy = Ref(base, *x.steps)
            with warnings.catch_warnings():
                warnings.simplefilter("error", DeprecationWarning)
                copy.x[index] = value.x if isinstance(value, Ref) else value
            return copy.base
        try:
            case("set", [x, value, *items], lambda: indexed(write))
        except (DeprecationWarning, TypeError):
            # A single mask takes no value with an axis too many, though everything else does.
            continue
    for shape, axes in [((3, 0), (1, 0)), ((2, 0, 3), (2, 0, 1)), ((0, 4), (1, 0))]:
        x = Ref(values(shape, F32), ["transpose", *axes])
        case("set", [x, 5], lambda: x.base)
    for dtype in DTYPES:
        x = Ref(values((4,), dtype, 3))
        for value in [1, True, Ref(values((4,), I32, 5)), Ref(values((1,), F64, 5))]:
            def write():
                base = x.base.copy()
                v = value.x if isinstance(value, Ref) else np.asarray(value)
                base[:] = v.astype(dtype)
                return base
            case("set", [x, value], write)
            case("set", [x, value, ":"], write)


# ---- products

def products():
    shapes = [(), (3,), (2, 3), (2, 2, 3), (2, 1, 2, 3), (0,), (0, 3), (2, 0), (1, 3), (2, 0, 3), (1,), (1, 1)]
    others = [(), (3,), (3, 2), (2, 3, 4), (2, 1, 3, 2), (0,), (3, 0), (0, 4), (2, 3, 0), (3, 0, 4), (1,), (1, 1), (4,), (4, 5)]
    for s in shapes:
        for t in others:
            a, b = Ref(values(s, F32, 1)), Ref(values(t, F32, 2))
            case("np.dot", [a, b], lambda: fails("ShapeError", ValueError)(lambda: np.dot(a.x, b.x)))
            case("np.matmul", [a, b], lambda: fails("ShapeError", ValueError)(lambda: np.matmul(a.x, b.x)))
            if len(s) < 3 and len(t) < 3:
                case("np.outer", [a, b], lambda: np.outer(a.x, b.x))
    for p in DTYPES:
        for q in DTYPES:
            met = promote(p, q)
            for s, t in [((3,), (3,)), ((2, 3), (3, 2)), ((2, 3), (3,)), ((2, 2, 3), (2, 3, 2))]:
                a, b = Ref(values(s, p, 3)), Ref(values(t, q, 4))
                case("np.dot", [a, b], lambda: np.dot(a.x.astype(met), b.x.astype(met)))
                case("np.matmul", [a, b], lambda: np.matmul(a.x.astype(met), b.x.astype(met)))
                if len(s) == 1:
                    case("np.outer", [a, b], lambda: np.outer(a.x.astype(met), b.x.astype(met)))
    for dtype in [F32, F64, I32]:
        for a in views((2, 3), dtype, 5):
            for b in views((3, 4), dtype, 6):
                case("np.dot", [a, b], lambda: np.dot(a.x, b.x))
                case("np.matmul", [a, b], lambda: np.matmul(a.x, b.x))
        for a in views((3,), dtype, 7):
            for b in views((3,), dtype, 8):
                case("np.dot", [a, b], lambda: np.dot(a.x, b.x))
                case("np.outer", [a, b], lambda: np.outer(a.x, b.x))
        for a in views((2, 2, 3), dtype, 9):
            for b in views((2, 3, 2), dtype, 9):
                case("np.matmul", [a, b], lambda: np.matmul(a.x, b.x))
    for s, t in [((2, 2, 3), (3, 3, 2)), ((2, 3), (2, 3)), ((4, 1, 2, 3), (3, 2)), ((3,), (2, 3, 2)), ((2, 3, 2, 3), (3,)), ((3,
        1, 2, 3), (1, 2, 3, 1))]:
        a, b = Ref(values(s, F32, 1)), Ref(values(t, F32, 2))
        case("np.matmul", [a, b], lambda: fails("ShapeError", ValueError)(lambda: np.matmul(a.x, b.x)))
        case("np.dot", [a, b], lambda: fails("ShapeError", ValueError)(lambda: np.dot(a.x, b.x)))
    for a in [2, 2.5, -1]:
        x = Ref(values((3,), F32, 1))
        case("np.dot", [a, x], lambda: np.dot(np.float32(a), x.x))
        case("np.dot", [x, a], lambda: np.dot(x.x, np.float32(a)))
        case("np.matmul", [a, x], raising("ShapeError"))
        case("np.matmul", [x, a], raising("ShapeError"))
    nan = Ref(np.array([[1, np.nan], [np.inf, 0]], F32))
    case("np.matmul", [nan, nan], lambda: np.matmul(nan.x, nan.x))
    case("np.dot", [nan, [0, 1]], lambda: np.dot(nan.x, np.array([0, 1], F32)))


def norms():
    def length(x, axis, keepdims):
        a = x.astype(x.dtype if str(x.dtype) in FLOATS else F32)
        y = np.sqrt(np.sum((a * a).astype(np.longdouble), axis=axis, keepdims=keepdims))
        return np.asarray(y).astype(a.dtype)

    data = [Ref(values(s, d, i)) for i, (s, d) in enumerate([((), F32), ((5,), F32), ((3, 4), F64), ((2, 3, 4), F32), ((0,),
        F32), ((0, 3), F32), ((3, 0), F32), ((4,), I32), ((4,), BOOL)])]
    data += views((3, 4), F32, 2)[1:] + [Ref(np.array([3, np.nan], F32)), Ref(np.array([3, -np.inf], F32)), Ref(np.array([0.0,
        -0.0], F32))]
    for x in data:
        for axis in [None, *range(-x.x.ndim, x.x.ndim), *([[0, 1]] if x.x.ndim >= 2 else [])]:
            for keepdims in [False, True]:
                at = tuple(axis) if isinstance(axis, list) else axis
                case("np.linalg.norm", [x, None, axis], lambda: length(x.x, at, keepdims),
                    {"keepdims": True} if keepdims else None, ulp=2)
    x = Ref(values((3, 4), F32, 1))
    for order, axis, at in [(2, 0, 0), (2, 1, 1), ("fro", [0, 1], (0, 1)), ("fro", None, None)]:
        case("np.linalg.norm", [x, order, axis], lambda: np.linalg.norm(x.x, order, at), ulp=2)
    case("np.linalg.norm", [Ref(values((4,), F32)), 2], lambda: np.linalg.norm(values((4,), F32), 2), ulp=2)
    case("np.linalg.norm", [x, "x"], raising("ValueError"))
    case("np.linalg.norm", [x, None, 2], raising("ShapeError"))
    case("np.linalg.norm", [x, None, [0, 0]], raising("ValueError"))
    cube = Ref(values((2, 3, 4), F32))
    for axis in [[0, 1, 2], []]:
        case("np.linalg.norm", [cube, None, axis], lambda: fails("ValueError", ValueError)(lambda: np.linalg.norm(cube.x, None, tuple(axis))))


def softmaxes():
    def soft(x, axis):
        a = x.astype(np.longdouble)
        e = np.exp(a - a.max(axis=axis, keepdims=True))
        return e / e.sum(axis=axis, keepdims=True)

    for x in [*views((3, 4), F32, 1), *views((2, 3), F64, 2), Ref(values((2, 3, 4), F32, 3)), Ref(values((4,), I32, 4)),
        Ref(np.array([1000, 1001, -1000], F32)),
              Ref(np.array([-1e30, 0], F32)), Ref(np.array([1, np.nan], F32)), Ref(np.array([-np.inf, 0, 1], F32))]:
        kind = dtype_of(x) if dtype_of(x) in FLOATS else F32
        for axis in [None, *range(-x.x.ndim, x.x.ndim)]:
            at = -1 if axis is None else axis
            a = x.x.astype(kind)
            case("npx.softmax", [x, axis], lambda: soft(a, at).astype(kind), ulp=6)
            case("npx.logSoftmax", [x, axis], lambda: np.log(soft(a,
                at)).astype(kind) if np.all(np.abs(a[np.isfinite(a)]) < 100) else log_soft(a, at), ulp=6, scale=8)
    case("npx.softmax", [Ref(np.zeros((2, 0), F32))], lambda: np.zeros((2, 0), F32))
    case("npx.softmax", [Ref(values((3,), F32)), 1], raising("ShapeError"))


def log_soft(a, axis):
    w = a.astype(np.longdouble)
    m = w.max(axis=axis, keepdims=True)
    return (w - m - np.log(np.exp(w - m).sum(axis=axis, keepdims=True))).astype(a.dtype)


write([creation, unary, binary, selecting, reductions, sorting, shaping, joining, taking, indexing, products, norms, softmaxes])
