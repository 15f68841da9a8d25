"""Cases of reductions, scans and statistics. Writes statistics.json."""

import numpy as np
from common import *
from scipy.special import logsumexp

SHAPES = [(), (5,), (3, 4), (2, 3, 4), (0,), (0, 3), (2, 1, 3), (9, 11)]
KINDS = [F32, F32, F32, F64, F32, F32, I32, F32]


def summed_dtype(x):
    return x.dtype if str(x.dtype) in FLOATS else np.int32


def in_float(fn):
    """A mean of some kind: computed in float64, rounded once; integers give float32."""

    def run(data, axis=None, keepdims=False, **more):
        y = fn(data.astype(np.float64), axis=axis, keepdims=keepdims, **more)
        return np.asarray(y).astype(F64 if data.dtype == np.float64 else F32)

    return run


def without_bools(fn):
    """A function that has no difference of bools to give."""
    return lambda x, **how: fails("DTypeError")(lambda: fn(x, **how)) if x.dtype == bool else fn(x, **how)


def log_of_sum(x, axis=None, keepdims=False):
    return np.asarray(logsumexp(x.astype(np.float64), axis=axis, keepdims=keepdims))


REDUCE = {
    "prod": lambda x, axis, keepdims: np.prod(x, axis=axis, keepdims=keepdims, dtype=summed_dtype(x)),
    "ptp": without_bools(np.ptp),
    "countNonzero": lambda x, axis, keepdims: np.asarray(np.count_nonzero(x, axis=axis, keepdims=keepdims)).astype(np.int32),
    "nansum": lambda x, axis, keepdims: np.nansum(x, axis=axis, keepdims=keepdims, dtype=summed_dtype(x)),
    "nanmax": np.nanmax,
    "nanmin": np.nanmin,
    "nanmean": in_float(np.nanmean),
    "nanvar": in_float(np.nanvar),
    "nanstd": in_float(np.nanstd),
    "var": in_float(np.var),
    "std": in_float(np.std),
    "median": in_float(np.median),
}
EXACT = ("prod", "ptp", "countNonzero", "nanmax", "nanmin")
# NumPy's own walk over the axes of a 0-d array stops at these.
NO_AXIS_OF_0D = ("var", "std", "median")


def holes(shape, dtype, seed):
    x = values(shape, dtype, seed)
    if dtype in FLOATS and x.size:
        x = x.copy()
        x.reshape(-1)[::3] = np.nan
        if x.ndim > 1:
            x[-1] = np.nan
    return x


def reductions():
    for name, fn in REDUCE.items():
        ulp = 0 if name in EXACT else 2
        full = name in ("prod", "var", "median", "nanmean")
        for i, shape in enumerate(SHAPES):
            x = Ref(holes(shape, KINDS[i], i) if name.startswith("nan") else values(shape, KINDS[i], i))
            for axis in axes_of(len(shape)) if full else [None, 0, -1, *([[0, -1]] if len(shape) > 1 else [])]:
                if not shape and axis in (0, -1) and name in NO_AXIS_OF_0D:
                    continue
                if axis == [] and 0 in shape and name == "median":
                    continue  # stumbles over what it takes the mean of
                for keepdims in [False, True] if len(shape) in (0, 2, 3) and isinstance(axis, (int, type(None))) else [False]:
                    case(f"np.{name}", [x, axis], lambda: reduce_with(fn, x.x, axis, keepdims),
                        {"keepdims": True} if keepdims else None, ulp=ulp)
        for dtype in DTYPES:
            x = Ref(values((3, 4), dtype, 3))
            for axis in [None, 0]:
                case(f"np.{name}", [x, axis], lambda: reduce_with(fn, x.x, axis, False), ulp=ulp)
        for x in [*views((3, 4), F32, 6)[1:], Ref(values((2, 3, 4), F64, 2), ["transpose", 1, 2, 0])]:
            for axis in [None, 0, -1]:
                case(f"np.{name}", [x, axis], lambda: reduce_with(fn, x.x, axis, False), ulp=ulp)
        for data in [[1, np.nan, 3], [np.nan, np.nan], [np.inf, -np.inf, 1], [np.inf, 1, 2], [-np.inf, 0], [-np.inf, np.nan],
            [np.inf, np.inf], [0.0, 0.0, 3.0], [7.0]]:
            for dtype in FLOATS:
                x = Ref(np.array(data, dtype))
                case(f"np.{name}", [x], lambda: fn(x.x, axis=None, keepdims=False), ulp=ulp)
    for name in ["var", "std", "nanvar", "nanstd"]:
        for x in [Ref(values((3, 4), F32, 5)), Ref(values((3, 4), I32, 5)), Ref(np.array([2.0], np.float32)), Ref(np.zeros((0, 3), np.float32))]:
            for axis in [None, 0]:
                for ddof in [1, 0.5, 3, 20]:
                    # Of integers those without NaN are the plain ones, also where too little is left.
                    fn = getattr(np, name) if x.x.dtype.kind == "f" else getattr(np, name.removeprefix("nan"))
                    case(f"np.{name}", [x, axis], lambda: in_float(fn)(x.x, axis=axis, ddof=ddof), {"ddof": ddof}, ulp=2)
        whole = Ref(values((2, 2), I32, 5))
        assert np.isinf(getattr(np, name)(whole.x, axis=0, ddof=3)).all()
        x = Ref(values((4, 5), F32, 1))
        case(f"np.{name}", [x, 0], lambda: getattr(np, name)(x.x, axis=0, dtype=np.float64, keepdims=True),
            {"dtype": F64, "keepdims": True}, ulp=2)
        # Far from 0, where the naive formula has nothing left.
        far = Ref((values((40,), F32, 4) + 1e5).astype(np.float32))
        case(f"np.{name}", [far], lambda: in_float(getattr(np, name))(far.x), ulp=2)
        far = Ref(values((40,), F64, 4) + 1e9)
        case(f"np.{name}", [far], lambda: getattr(np, name)(far.x - 1e9), ulp=2)
    for name in ["prod", "nansum", "cumsum", "cumprod"]:
        for source in DTYPES:
            x = Ref(np.abs(values((3, 2), source, 9)) if source != BOOL else values((3, 2), source, 9))
            for dtype in DTYPES:
                if source in FLOATS and dtype not in FLOATS:
                    continue
                case(f"np.{name}", [x, 0], lambda: getattr(np, name)(x.x, axis=0, dtype=dtype), {"dtype": dtype})
    big = Ref(np.array([2**16, 2**15, 3], np.int32))
    case("np.prod", [big], lambda: np.prod(big.x.astype(np.int64)).astype(np.int32))
    case("np.cumprod", [big], lambda: np.cumprod(big.x.astype(np.int64)).astype(np.int32))
    long = Ref(np.array([2**31 - 1] * 5, np.int32))
    case("np.cumsum", [long], lambda: np.cumsum(long.x.astype(np.int64)).astype(np.int32))
    case("np.mean", [long], lambda: np.float32(2**31 - 1))
    case("np.var", [long], lambda: np.float32(0))
    for x in [Ref(values((3, 4), F32, 2))]:
        for name in ["mean", "var", "nanmean"]:
            case(f"np.{name}", [x, 0], raising("DTypeError"), {"dtype": I32})
    for name in ["sum", "max", "min", "all", "any", "argmax", "argmin", "argsort", "cumsum", "cumprod"]:
        x = Ref(np.array(2.5, np.float32))
        for axis in [0, -1, 1, -2, [0]]:
            def compute():
                y = fails("ValueError" if isinstance(axis, list) and name in ("argmax", "argmin", "argsort", "cumsum", "cumprod")
                    else "ShapeError")(lambda: getattr(np, name)(x.x, axis=tuple(axis) if isinstance(axis, list) else axis))
                return np.asarray(y).astype(np.int32) if name.startswith("arg") else y
            case(f"np.{name}", [x, axis], compute)


def scans():
    for name in ["cumsum", "cumprod"]:
        fn = getattr(np, name)

        def run(x, axis):
            wide = x.astype(np.float64) if x.dtype == np.float32 and name == "cumsum" else x
            return fn(wide, axis=axis, dtype=wide.dtype if str(x.dtype) in FLOATS else np.int32).astype(summed_dtype(x))

        for i, shape in enumerate([*SHAPES, (3, 8), (8, 3), (2, 3, 9), (2, 9, 3), (12, 2, 8)]):
            for dtype in [F32, F64] if shape in [(9, 11), (3, 4)] else [[F32, I32, F64][i % 3]]:
                x = Ref(values(shape, dtype, i))
                for axis in [None, *range(-len(shape) - 1, len(shape) + 1)]:
                    if not shape and axis in (0, -1):
                        continue
                    case(f"np.{name}", [x, axis], lambda: fails("ShapeError", np.AxisError)(lambda: run(x.x, axis)))
        for dtype in DTYPES:
            x = Ref(values((3, 8), dtype, 3))
            for axis in [None, 0, 1]:
                case(f"np.{name}", [x, axis], lambda: run(x.x, axis))
        for x in [*views((3, 9), F32, 6)[1:], *views((9, 3), F32, 6)[1:4]]:
            for axis in [None, 0, -1]:
                case(f"np.{name}", [x, axis], lambda: run(x.x, axis))
        for data in [[1, np.nan, 3, 0], [np.inf, 1, -np.inf, 2], [0, np.inf, 1], [-0.0, 0.0], [2, 0, 3, 0, 4]]:
            x = Ref(np.array(data, np.float64))
            case(f"np.{name}", [x], lambda: run(x.x, None))


def orders():
    data = [Ref(values(s, d, i)) for i, (s, d) in enumerate([((), F32), ((5,), F32), ((6,), F64), ((3, 4), F32), ((4, 3), I32),
        ((2, 3, 4), F64), ((4,), U8), ((1,), F32), ((0, 3), F32), ((2, 3), BOOL)])]
    data += views((3, 4), F32, 4)[1:3]
    for dtype in FLOATS:
        data.append(Ref(np.array([[1, np.nan, 3], [4, 5, 6]], dtype)))
    for x in data:
        for axis in [None, *([0, -1] if x.x.ndim else []), *([[0, -1]] if x.x.ndim > 1 else []), 7]:
            for q in [0.5, 0, 1, 0.3, [0.25, 0.75], [[0.1], [0.9]]]:
                for method in ["linear"] if isinstance(q, list) else ["linear", "lower", "higher", "nearest", "midpoint"]:
                    if method != "linear" and x.x.ndim != 1 and q != 0.3:
                        continue

                    def compute():
                        a = x.x if method in ("lower", "higher", "nearest") and x.x.dtype != bool else x.x.astype(np.float64)
                        y = reduce_with(lambda a, axis, keepdims: np.quantile(a, q, axis=axis, keepdims=keepdims, method=method), a,
                            axis, q == 1)
                        keep = method in ("lower", "higher", "nearest") or x.x.dtype == np.float64
                        return np.asarray(y).astype(x.x.dtype if keep else F32)

                    how = {} if method == "linear" else {"method": method}
                    if q == 1:
                        how["keepdims"] = True
                    case("np.quantile", [x, q, axis], lambda: fails("IndexError", IndexError)(compute), how or None, ulp=2, scale=8)
    x = Ref(values((3, 5), F32, 8))
    for q in [0, 12.5, 50, 100, [30, 70]]:
        case("np.percentile", [x, q, 1], lambda: np.asarray(np.percentile(x.x.astype(np.float64), q, axis=1)).astype(F32), ulp=2, scale=4)
    for data in [[1, np.inf, np.inf], [-np.inf, 0, np.inf], [-np.inf, -np.inf, 4, 5], [0, 1, 2, np.inf], [np.inf], [np.nan, np.inf, 1]]:
        for x in [Ref(np.array(data, d)) for d in FLOATS]:
            for q in [0, 0.25, 0.5, 0.6, 1, [0.1, 0.9]]:
                for method in ["linear", "lower", "higher", "nearest", "midpoint"]:
                    case("np.quantile", [x, q, None], lambda: np.quantile(x.x.astype(F64), np.asarray(q, F64), method=method).astype(x.x.dtype), {"method": method}, ulp=2)
                case("np.percentile", [x, np.multiply(q, 100).tolist()], lambda: np.quantile(x.x.astype(F64), np.asarray(q, F64)).astype(x.x.dtype), ulp=2)
    x = Ref(values((3, 5), F32, 8))
    for q in [-0.1, 1.5, float("nan"), [0.5, 2]]:
        case("np.quantile", [x, q], raising("ValueError"))
    case("np.percentile", [x, 101], raising("ValueError"))
    case("np.quantile", [x, 0.5, None], raising("ValueError"), {"method": "best"})


WHOLE = ("inverted_cdf", "closest_observation", "lower", "higher", "nearest")
METHODS = [*WHOLE, "averaged_inverted_cdf", "interpolated_inverted_cdf", "hazen", "weibull", "linear", "median_unbiased", "normal_unbiased", "midpoint"]


def methods():
    """Every method, at the places where it goes from one element to the next; float64 to the last bit."""

    def by(fn, x, q, method, axis=None, keepdims=False):
        wide = x if x.dtype == F64 or method in WHOLE else x.astype(F64)
        y = np.asarray(getattr(np, fn)(wide, q, axis=axis, keepdims=keepdims, method=method))
        return y.astype(x.dtype if method in WHOLE or x.dtype == F64 else F32)

    def near(x):
        return {} if x.dtype == F64 else {"ulp": 1, "scale": np.max(np.abs(np.nan_to_num(x, posinf=1, neginf=1)), initial=1)}

    for method in METHODS:
        how = {"method": method}
        for n in [1, 2, 3, 4, 5, 6, 7, 10, 16]:
            r = np.random.RandomState(n)
            qs = sorted({*(i / n for i in range(n + 1)), *((i + 0.5) / n for i in range(n)), 0.1, 0.3, 0.7, float(r.rand()), 1 / 3, 0.999})
            # Distinct elements, so that each place is told from the next.
            for dtype, kind in [(F64, F64), (F64, F32), (F32, F64), (F32, F32)] if n < 8 else [(F64, F64)]:
                x, q = Ref(((r.permutation(n) ** 2 + 1) / 4).astype(dtype)), Ref(np.array(qs, kind))
                case("np.quantile", [x, q, None], lambda: by("quantile", x.x, q.x, method), how, **near(x.x))
            hundred = Ref(np.array(qs) * 100)
            case("np.percentile", [x, hundred, None], lambda: by("percentile", x.x, hundred.x, method), how, **near(x.x))
            case("np.quantile", [x, qs[-2], 0], lambda: by("quantile", x.x, qs[-2], method), how, **near(x.x))
        for dtype in [I32, I8, U8, BOOL]:
            x = Ref(values((7,), dtype, 2))
            for q in [0, 0.5, 0.3, 1, [0.25, 0.6]]:
                case("np.quantile", [x, q, None], lambda: by("quantile", x.x, np.asarray(q, F64), method), how, **near(x.x))
        x = Ref(values((3, 4, 2), F32, 5))
        for axis, keepdims in [(0, False), (-2, True), (2, False), ([0, 2], True)]:
            more = {**how, "keepdims": True} if keepdims else how
            for q in [0.35, [[0.2, 0.9]]]:
                case("np.quantile", [x, q, axis], lambda: by("quantile", x.x, np.asarray(q, F64).reshape(-1), method, tuple(axis) if isinstance(axis,
                    list) else axis, keepdims).reshape(np.shape(q) + np.quantile(x.x, 0.5, axis=tuple(axis) if isinstance(axis, list) else axis,
                    keepdims=keepdims).shape), more, **near(x.x))
        for data in [[1, np.inf, np.inf], [-np.inf, 0, np.inf], [-np.inf, -np.inf, 4, 5], [0, 1, 2, np.inf], [np.inf], [np.nan, np.inf, 1], [np.nan]]:
            x = Ref(np.array(data, F64))
            for q in [0, 0.25, 0.5, 0.6, 1, [0.1, 0.9]]:
                case("np.quantile", [x, q, None], lambda: by("quantile", x.x, np.asarray(q, F64), method), how)
        for x in [Ref(np.zeros(0, F32)), Ref(np.zeros((0, 3), F32)), Ref(np.zeros(0, I32))]:
            case("np.quantile", [x, 0.5, 0], raising("IndexError"), how)
        case("np.quantile", [Ref(np.zeros((3, 0), F32)), 0.5, 0], lambda: np.zeros(0, F32), how)
        for q in [-0.001, 1.001, float("nan")]:
            case("np.quantile", [Ref(np.ones(3, F32)), q, None], raising("ValueError"), how)
    for name in ["invertedCdf", "hyndman", "toString", 3]:
        case("np.percentile", [Ref(np.ones(3, F32)), 50, None], raising("ValueError"), {"method": name})


def averages():
    for dtype in DTYPES:
        x = Ref(values((3, 4), dtype, 1))
        for axis in [None, 0, -1, [0, 1], 2]:
            case("np.average", [x, axis], lambda: reduce_with(in_float(lambda a, axis, keepdims: np.average(a, axis=axis, keepdims=keepdims)),
                x.x, axis, False), ulp=2)
    for kind, other in [(F32, F32), (F64, F32), (I32, F32), (I32, U8)]:
        x = Ref(values((3, 4), kind, 1))
        full, row, column = [Ref((np.abs(values(s, other, 2)) + 1).astype(other)) for s in [(3, 4), (4,), (3,)]]
        out = promote(kind, other)
        for w, axis, keepdims in [(full, None, False), (full, 1, True), (full, [0, 1], False), (row, 1, False), (row, -1, True), (column, 0,
            False), (row, 0, False), (row, None, False), (column, 1, False)]:
            def compute():
                y = fails("ShapeError")(lambda: np.average(x.x.astype(np.float64), axis=tuple(axis) if isinstance(axis, list) else axis,
                    weights=w.x.astype(np.float64), keepdims=keepdims))
                return np.asarray(y).astype(out if out in FLOATS else F32)

            case("np.average", [x, axis], compute, {"weights": f"@{w.id}", **({"keepdims": True} if keepdims else {})}, ulp=4, scale=4)

    for w, axis in [([1, -1], None), ([0, 0], 0)]:
        case("np.average", [[3, 4], axis], lambda: fails("ValueError", ZeroDivisionError)(lambda: np.average([3, 4], axis, w)), {"weights": w})
    rows = [[1, 2], [2, -2]]
    case("np.average", [[[3, 4], [5, 6]], 1], lambda: fails("ValueError", ZeroDivisionError)(lambda: np.average([[3, 4], [5, 6]], 1, rows)), {"weights": rows})


def differences():
    for i, shape in enumerate([(5,), (3, 4), (2, 3, 4), (0,), (0, 3), (1, 3)]):
        for dtype in DTYPES if len(shape) == 2 else [F32, I32]:
            x = Ref(values(shape, dtype, i))
            for n in [0, 1, 2, 7]:
                for axis in range(-len(shape), len(shape)):
                    case("np.diff", [x, n, axis], lambda: np.diff(x.x, n, axis))
            case("np.ediff1d", [x], lambda: without_bools(np.ediff1d)(x.x))
            f = in_float(lambda a, axis, keepdims, **more: np.trapz(a, axis=axis, **more))
            for axis in [0, -1]:
                case("np.trapezoid", [x, None], lambda: f(x.x, axis=axis, dx=0.5), {"dx": 0.5, "axis": axis}, ulp=1)
                points = np.cumsum(np.arange(x.x.shape[axis]) % 3 + 0.5).astype(np.float64 if dtype == F64 else np.float32)
                p = Ref(points)
                case("np.trapezoid", [x, p], lambda: f(x.x, axis=axis, x=points.astype(np.float64)), {"axis": axis}, ulp=2, scale=16)
            both = Ref(np.sort(values(shape, F64 if dtype == F64 else F32, i + 1), axis=-1))
            case("np.trapezoid", [x, both], lambda: f(x.x, axis=-1, x=both.x.astype(np.float64)), ulp=2, scale=16)
    x = Ref(values((3, 4), F32))
    case("np.diff", [x, -1], raising("ValueError"))
    case("np.diff", [x, 0.5], raising("ValueError"))
    case("np.diff", [x, 1, 2], raising("ShapeError"))
    case("np.diff", [Ref(np.array(1.0, np.float32))], raising("ShapeError"))
    case("np.trapezoid", [x, Ref(np.zeros(3, np.float32))], raising("ShapeError"))
    case("np.ediff1d", [Ref(np.array(1.0, np.float32))], lambda: np.zeros(0, np.float32))
    for view in views((3, 4), F32, 2)[1:]:
        case("np.diff", [view], lambda: np.diff(view.x))
        case("np.diff", [view, 2, 0], lambda: np.diff(view.x, 2, 0))


def met_by(v, dtype):
    """What stands at an end, in the dtype in which nabla has it beside an array of the dtype."""
    return v.x if isinstance(v, Ref) else np.array(v, weak(dtype, v)) if isinstance(v, (int, float)) and not isinstance(v, bool) else np.asarray(v)


def with_ends(fn, args, compute, ends, names):
    """A case with arrays, numbers or lists at one end or both, under nabla's names."""
    case(fn, args, compute, {k: form_of(v) for k, v in zip(names, ends) if v is not None})


def ends_of_differences():
    def differences(x, n, axis, before, after):
        given = {k: met_by(v, str(x.dtype)) for k, v in [("prepend", before), ("append", after)] if v is not None}
        y = fails("ShapeError")(lambda: np.diff(x, n, axis, **given))
        dtype = str(x.dtype)
        for v in given.values():
            dtype = promote(dtype, str(v.dtype))
        return y.astype(dtype) if n > 0 else y

    for i, shape in enumerate([(4,), (3, 4), (2, 3, 2), (0,), (0, 3), (1, 2)]):
        x = Ref(values(shape, F32, i))
        for axis in range(-len(shape), len(shape)):
            one, two = [[s if k != axis % len(shape) else n for k, s in enumerate(shape)] for n in (1, 2)]
            arrays = [Ref(values(tuple(s), d, 5 + i)) for s, d in [(one, F32), (two, F32), (one, F64), (two, I32)]]
            for before, after in [(2, None), (None, -1.5), (0, 3), (Ref(np.float32(0.75)), None), (None, arrays[0]), (arrays[1], 1), (arrays[2],
                    arrays[1]), (arrays[3], None), (Ref(np.int32(3)), Ref(np.float64(0.125)))]:
                for n in [0, 1, 2, 9]:
                    with_ends("np.diff", [x, n, axis], lambda: differences(x.x, n, axis, before, after), [before, after], ["prepend", "append"])
    for dtype in DTYPES:
        x = Ref(values((2, 3), dtype, 4))
        for other in DTYPES:
            end = Ref(values((2, 1), other, 6))
            with_ends("np.diff", [x, None, None], lambda: differences(x.x, 1, -1, end, None), [end, None], ["prepend", "append"])
        for v in [3, 0.5, True, -1, 300, float("nan"), float("inf")]:
            with_ends("np.diff", [x, 1, 0], lambda: differences(x.x, 1, 0, v, None), [v, None], ["prepend", "append"])
    for view in views((3, 4), F32, 2)[1:]:
        end = Ref(values((4, 1), F32, 3), ["T"])
        with_ends("np.diff", [view, 1, 0], lambda: differences(view.x, 1, 0, end, view), [end, view], ["prepend", "append"])
    x = Ref(values((3, 4), F32))
    for end in [Ref(np.zeros(4, np.float32)), Ref(np.zeros((4, 1), np.float32)), Ref(np.zeros((1, 3, 1), np.float32))]:
        for n in [0, 1]:
            with_ends("np.diff", [x, n, None], lambda: differences(x.x, n, -1, end, None), [end, None], ["prepend", "append"])
            with_ends("np.diff", [x, n, None], lambda: differences(x.x, n, -1, None, end), [None, end], ["prepend", "append"])
    with_ends("np.diff", [x, 0.5, None], raising("ValueError"), [1, None], ["prepend", "append"])
    with_ends("np.diff", [x, 1, 2], raising("ShapeError"), [1, None], ["prepend", "append"])
    with_ends("np.diff", [Ref(np.float32(1)), 1, 0], raising("ShapeError"), [1, None], ["prepend", "append"])
    case("np.diff", [x, None, None], raising("ValueError"), {"toBegin": 1})

    def between(x, before, after):
        given = {k: met_by(v, str(x.dtype)) for k, v in [("to_begin", before), ("to_end", after)] if v is not None}
        # Arrays without axes are like others here, whatever their value.
        for v in given.values():
            if not np.can_cast(v.dtype, x.dtype, "same_kind"):
                raise Wrong("DTypeError")
        return fails("DTypeError", TypeError)(lambda: np.ediff1d(x, **given))

    names = ["toBegin", "toEnd"]
    for i, shape in enumerate([(4,), (2, 3), (0,), (1,), ()]):
        x = Ref(values(shape, F32, i))
        for before, after in [(1, None), (None, 0.5), (-1, 2), (Ref(values((2, 2), F32, 3)), None), (None, Ref(values((3,), F64, 4))), ([1, 2.5], 7),
                (Ref(np.float32(2)), Ref(values((0,), F32))), (Ref(values((2,), I32, 1)), Ref(values((2,), BOOL, 1)))]:
            with_ends("np.ediff1d", [x], lambda: between(x.x, before, after), [before, after], names)
    for dtype in DTYPES:
        x = Ref(values((4,), dtype, 4))
        for other in DTYPES:
            for end in [Ref(values((2,), other, 6)), Ref(values((), other, 6))]:
                with_ends("np.ediff1d", [x], lambda: between(x.x, end, None), [end, None], names)
                with_ends("np.ediff1d", [x], lambda: between(x.x, None, end), [None, end], names)
        for v in [3, 0.5, True, 300, -1, float("nan")]:
            with_ends("np.ediff1d", [x], lambda: between(x.x, v, None), [v, None], names)
        if dtype in (I32, I8):
            with_ends("np.ediff1d", [x], lambda: between(x.x, np.array([2, -3], I32), None), [[2, -3], None], names)
            with_ends("np.ediff1d", [x], raising("DTypeError"), [None, [2, 0.5]], names)
    for view in views((3, 4), F32, 2)[1:]:
        with_ends("np.ediff1d", [view], lambda: between(view.x, view, view), [view, view], names)
    case("np.ediff1d", [x], raising("ValueError"), {"prepend": 1})


def logarithms():
    data = [Ref(values((3, 4), d, 3)) for d in DTYPES] + views((3, 4), F32, 5)[1:] + [Ref(values((2, 3, 4), F64, 6))]
    data += [Ref(np.array(v, d)) for d in FLOATS for v in [[1000, 1000], [-1000, -1001], [-np.inf, -np.inf], [np.inf, 1], [np.inf,
        np.inf], [np.nan, 1], [-np.inf, 2], [np.inf, -np.inf], [1e30, -1e30]]]
    for x in data:
        for axis in [None, *([0, [0, 1]] if x.x.ndim > 1 else [])]:
            for keepdims in [False, True]:
                case("np.logsumexp", [x, axis], lambda: log_of_sum(x.x, tuple(axis) if isinstance(axis, list) else axis,
                    keepdims).astype(F64 if x.x.dtype == np.float64 else F32), {"keepdims": True} if keepdims else None, ulp=2, scale=4)
    case("np.logsumexp", [Ref(np.zeros((0, 2), np.float32)), 0], lambda: np.full(2, -np.inf, np.float32))


write([reductions, scans, orders, methods, averages, differences, ends_of_differences, logarithms])
