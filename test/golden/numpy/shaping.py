"""Cases of creation, joining, shaping, splitting, padding, inserting. Writes shaping.json."""

import numpy as np

from common import *  # noqa: F403

SHAPE_ERRORS = (np.AxisError, ValueError, IndexError, TypeError)


def ref(shape, dtype=F32, seed=0):
    return Ref(values(tuple(shape), dtype, seed))


def some(shape, dtype=F32):
    """An array of the shape in C order and two views with gaps or reversed."""
    all_views = views(tuple(shape), dtype)
    return [all_views[0], *[v for v in all_views[1:4]]]


def check(fn, args, compute, wrong=None, errors=SHAPE_ERRORS, **more):
    """A case; what NumPy refuses has to fail with the class `wrong`."""
    case(fn, args, compute if wrong is None else lambda: fails(wrong, *errors)(compute), **more)


# ---- creation

def creation():
    for args in [(0, 3, 4), (0, 1), (2, -2, 3), (1, 1, 2), (0, 2, 1), (0, 2, 0), (-1, 1, 6)]:
        for base in [None, 2, 2.5]:
            for endpoint in [True, False]:
                for dtype in [None, F64]:
                    if len(args) == 2 and dtype is None:
                        continue
                    how = {"endpoint": endpoint, **({"base": base} if base else {}), **({"dtype": dtype} if dtype else {})}
                    case("np.logspace", [*args, *([None] if len(args) == 2 else [])],
                        lambda: np.logspace(*args, endpoint=endpoint, base=base or 10.0).astype(dtype or F32), how, ulp=4)
    for args in [(1, 1000, 4), (1, 256, 9), (1000, 1, 4), (-1, -8, 4), (2, 2, 3), (1e-30, 1e30, 7), (3, 5, 1), (3, 5, 0), (0.1, 0.2, 5)]:
        for endpoint in [True, False]:
            for dtype in [None, F64]:
                how = {"endpoint": endpoint, **({"dtype": dtype} if dtype else {})}
                case("np.geomspace", args, lambda: np.geomspace(*args, endpoint=endpoint).astype(dtype or F32), how, ulp=2 if dtype is None else 80)
    for args in [(0, 1, 3), (1, 0, 3), (-1, 1, 3)]:
        case("np.geomspace", args, raising("ValueError"))
    for fn in ["np.logspace", "np.geomspace"]:
        case(fn, [1, 2, -1], raising("ValueError"))
        case(fn, [1, 2, 2.5], raising("ValueError"))
    for start, stop in [(ref([2], F64), ref([2], F64, 1)), (ref([2, 1], F64), ref([3], F64)), (0, ref([2], F64)), (ref([], F64), 1)]:
        for endpoint in [True, False]:
            p, q = [a.x if isinstance(a, Ref) else a for a in (start, stop)]
            case("np.linspace", [start, stop, 5], lambda: np.linspace(p, q, 5, endpoint=endpoint), {"endpoint": endpoint}, ulp=4, scale=4)
    for args in [(0,), (3,), (3, 2), (2, 4), (3, 3, 1), (3, 3, -1), (2, 4, 9), (4, 2, -9), (3, None, 1), (0, 3), (3, 0)]:
        for dtype in [None, *DTYPES]:
            case("np.tri", args, lambda: np.tri(*args, dtype=dtype or F32), {"dtype": dtype} if dtype else None)
    for dims in [[], 3, [2], [2, 3], [2, 0], [1, 2, 3]]:
        for dtype in [None, F32, U8]:
            case("np.indices", [dims], lambda: np.indices(dims if isinstance(dims, list) else (dims,), dtype or np.int32), {"dtype": dtype} if dtype else None)
    case("np.indices", [[-1]], raising("ShapeError"))
    for dims, fn in [(3, "square"), ([0], "negative"), ([2, 3], "add"), ([3, 0], "multiply"), ([2, 2], "greater"), ([2, 1, 3], "where")]:
        for dtype in [None, F64, I32]:
            given = dims if isinstance(dims, list) else (dims,)
            case("np.fromfunction", [{"function": f"np.{fn}"}, dims], lambda: np.fromfunction(getattr(np, fn), given, dtype=dtype or F32),
                {"dtype": dtype} if dtype else None)
    case("np.fromfunction", [{"function": "np.add"}, [-1, 2]], raising("ShapeError"))
    case("np.fromfunction", [3, [2]], raising("ValueError"))
    lists = [[], [ref([3])], [ref([3]), ref([2], I32)], [ref([3], F64), ref([0])], [ref([2]), ref([3]), ref([4], BOOL)], [2, ref([2, 2])]]
    for xs in lists:
        for how in [{}, {"indexing": "ij"}, {"indexing": "xy", "sparse": True}, {"indexing": "ij", "sparse": True}]:
            case("np.meshgrid", xs, lambda: np.meshgrid(*[a.x if isinstance(a, Ref) else np.float32(a) for a in xs], **how), how or None)
    case("np.meshgrid", [ref([2])], raising("ValueError"), {"indexing": "yx"})
    for shape in [[], 3, [2, 3], [0, 3], [1, 1]]:
        target = shape if isinstance(shape, list) else [shape]
        for v in [ref([], F64), ref([3], I32), ref([1], BOOL), ref([2, 1]), True]:
            value = v.x if isinstance(v, Ref) else np.bool_(v)
            check("np.full", [shape, v], lambda: np.full(target, value), "ShapeError", shares=False)
            check("np.full", [shape, v], lambda: np.full(target, value, F64), "ShapeError", options={"dtype": F64})
            check("np.fullLike", [ref(target, I8), v], lambda: np.full(target, value).astype(I8), "ShapeError")


# ---- joining

def joining():
    groups = [
        [ref([3]), ref([3], seed=1)], [ref([2, 3]), ref([2, 3], I32)], [ref([2, 3]), ref([3])], [ref([]), ref([], F64)],
        [ref([2, 1, 3], I8), ref([2, 1, 3], U8)], [ref([2, 2]), ref([2, 1])], [ref([2, 2]), ref([1, 2])], [ref([0, 2]), ref([1, 2])],
        [ref([2]), ref([3])], [ref([2, 3, 2], BOOL)], [Ref(values((3, 2), F32), ["T"]), ref([2, 3])], [ref([2]), ref([2, 1, 2])],
        [ref([1, 2]), ref([2]), ref([1, 2])],
    ]
    for fn, numpy in {"np.vstack": np.vstack, "np.hstack": np.hstack, "np.dstack": np.dstack, "np.columnStack": np.column_stack}.items():
        for xs in groups:
            met, _ = meet(*xs)
            check(fn, [xs], lambda: numpy([a.x.astype(met) for a in xs]), "ShapeError")
        case(fn, [[]], raising("ValueError"))
        case(fn, [ref([2, 3, 2])], lambda: numpy(list(values((2, 3, 2), F32))))
    pairs = [(ref([3]), ref([2])), (ref([2, 3]), ref([1, 3], I32)), (ref([2, 3], I8), ref([2], U8)), (ref([]), ref([2])), (ref([0, 3]), ref([2, 3])), (ref([2, 2], BOOL), ref([2, 2], BOOL))]
    for x, v in pairs:
        met, _ = meet(x, v)
        for axis in [None, 0, 1, -1, 2]:
            check("np.append", [x, v, axis], lambda: np.append(x.x.astype(met), v.x.astype(met), axis), "ShapeError")
        check("np.append", [x, 5], lambda: np.append(x.x.astype(promote(dtype_of(x), F32)), np.float32(5)))
    for shape in [(), (3,), (0,), (2, 3), (2, 3, 1), (1, 2, 3, 1)]:
        for x in [ref(shape, I8), *([views(shape, F32)[1]] if shape and 0 not in shape else [])]:
            case("np.atleast1d", [x], lambda: np.atleast_1d(x.x), shares=True)
            case("np.atleast2d", [x], lambda: np.atleast_2d(x.x), shares=True)
            case("np.atleast3d", [x], lambda: np.atleast_3d(x.x), shares=True)
    case("np.atleast2d", [5], lambda: np.array([[5]], F32))
    for xs in [[], [ref([3])], [ref([3]), ref([2, 1], I32)], [ref([]), ref([2, 0])], [ref([1, 3]), ref([2, 1, 1]), 7]]:
        case("np.broadcastArrays", xs, lambda: [np.array(y) for y in np.broadcast_arrays(*[a.x if isinstance(a, Ref) else np.float32(a) for a in xs])])
    case("np.broadcastArrays", [ref([2]), ref([3])], raising("ShapeError"))


# ---- moving

def moving():
    shapes = [(), (4,), (2, 3), (0, 3), (2, 3, 4)]
    for shape in shapes:
        for x in [ref(shape), *(views(shape, F64)[1:4] if shape and 0 not in shape else [])]:
            case("np.ravel", [x], lambda: x.x.ravel())
            case("ravel", [x], lambda: x.x.ravel())
            case("flatten", [x], lambda: x.x.flatten(), shares=False)
        case("np.ravel", [ref(shape)], lambda: values(shape, F32).ravel(), shares=True)
        x = ref(shape, I32)
        n = len(shape)
        for axis in [None, *range(-n, n), *([[0, -1]] if n > 1 else []), [], n, -n - 1]:
            check("np.flip", [x, axis], lambda: np.flip(x.x, tuple(axis) if isinstance(axis, list) else axis), "ShapeError", shares=True)
        for fn, numpy in {"np.fliplr": np.fliplr, "np.flipud": np.flipud}.items():
            check(fn, [x], lambda: numpy(x.x), "ShapeError", shares=True)
        for axis in range(-n - 1, n + 1):
            for start in [None, *range(-n - 1, n + 2)]:
                check("np.rollaxis", [x, axis, start], lambda: np.rollaxis(x.x, axis, start or 0), "ShapeError", shares=True)
        for k in [None, 0, 1, 2, 3, -1, 6]:
            check("np.rot90", [x, k], lambda: np.rot90(x.x, 1 if k is None else k), "ShapeError", shares=True)
    case("np.flip", [ref([2, 2]), [0, -2]], raising("ValueError"))
    deep = ref([2, 3, 4], F64)
    for k in [0, 1, 2, 3, -1]:
        for axes in [[0, 1], [1, 0], [0, 2], [-1, -2]]:
            case("np.rot90", [deep, k, axes], lambda: np.rot90(deep.x, k, axes), shares=True)
    for axes, kind in [([0, 0], "ValueError"), ([0, -3], "ValueError"), ([0, 3], "ShapeError"), ([0], "ValueError"), ([0, 1, 2], "ValueError")]:
        case("np.rot90", [deep, 1, axes], raising(kind))
    case("np.rot90", [deep, 0.5], raising("ValueError"))
    for source, to in [(0, 0), (0, 1), (0, -1), (2, 0), (-1, -3), ([0, 1], [1, 0]), ([0, 1], [-1, -2]), ([2, 0], [0, 2]), ([], []), ([0, 1, 2], [2, 0, 1])]:
        case("np.moveaxis", [deep, source, to], lambda: np.moveaxis(deep.x, source, to), shares=True)
    for source, to, kind in [(3, 0, "ShapeError"), (0, -4, "ShapeError"), ([0, 1], 0, "ValueError"), ([0, 0], [0, 1], "ValueError"), ([0, 1], [1, 1], "ValueError")]:
        case("np.moveaxis", [deep, source, to], raising(kind))
    for x in [ref([]), ref([5]), ref([0]), ref([2, 3], I32), ref([0, 3]), *views((2, 3, 2), F64)[1:4], ref([4], BOOL)]:
        n = x.x.ndim
        for shift, axis in [(0, None), (1, None), (-2, None), (13, None), ([1, 2], None), (1, 0), (-1, -1), (5, 1), ([1, 2], [0, 1]), (1, [0, 1]), ([1, 1], 0), ([1, 2], [0, 0]), ([1, 2, 3], [0, 1]), (1, 3)]:
            check("np.roll", [x, shift, axis], lambda: np.roll(x.x, shift, tuple(axis) if isinstance(axis, list) else axis), "ShapeError", shares=False)
    case("np.roll", [ref([3]), 0.5], raising("ValueError"))


# ---- repeating

def repeating():
    for x in [ref([]), ref([3]), ref([2, 3], I8), ref([0, 2]), *views((2, 2), F64)[1:5]]:
        for reps in [0, 1, 2, [2, 1], [1, 2], [2, 0], [], [2, 1, 2]]:
            case("np.tile", [x, reps], lambda: np.tile(x.x, reps), shares=False)
        for shape in [[], 4, [2, 3], [0, 2], [7], [2, 2, 2]]:
            case("np.resize", [x, shape], lambda: np.resize(x.x, shape), shares=False)
    case("np.tile", [ref([2]), -1], raising("ShapeError"))
    case("np.resize", [ref([2]), [-1]], raising("ShapeError"))
    for x in [ref([]), ref([3]), ref([2, 3], I8), ref([0, 3]), *views((3, 2), F64)[1:5], ref([2], BOOL)]:
        for n in [0, 1, 2, [2], [1, 0, 2], [2, 1], [], ref([2], U8)]:
            for axis in [None, 0, -1, 1, 2]:
                # An axis of a 0-d array is an error here, as it is in most of NumPy.
                if x.x.ndim == 0 and axis in (0, -1):
                    continue
                counts = n.x if isinstance(n, Ref) else np.array(n, np.int64)
                check("np.repeat", [x, n, axis], lambda: np.repeat(x.x, counts, axis), "ShapeError", shares=False)
    for n in [-1, 1.5, [1, -1]]:
        case("np.repeat", [ref([2]), n], raising("ValueError"))


# ---- padding

def padding():
    cases = [
        ([], [1, [0, 2]]), ([3], [0, 1, 2, [1, 2], [[0, 3]], [2]]), ([2, 3], [1, [1, 2], [[1, 2], [0, 3]], [[1, 0]], [[1], [2]]]), ([1], [2]), ([0], [0, 2]),
        ([0, 2], [[[0, 0], [1, 1]]]), ([2, 1, 2], [[[1, 0], [2, 1], [0, 0]]]),
    ]
    for shape, widths in cases:
        for width in widths:
            for mode in [None, "constant", "edge", "reflect", "symmetric", "wrap"]:
                x = ref(shape)
                how = {"mode": mode} if mode else {}
                if 0 in shape and mode not in (None, "constant"):
                    check("np.pad", [x, width], lambda: np.pad(x.x, width, mode), "ValueError", options=how)
                    continue
                # NumPy 1.24 wraps and mirrors wide margins otherwise than its newer versions, which go on by the period.
                if mode in ("wrap", "reflect", "symmetric") and shape and np.max(width) > min(shape) - (mode == "reflect") and min(shape) > 1:
                    index = [periodic(mode, n, w) for n, w in zip(shape, np.broadcast_to(width, (len(shape), 2)))]
                    case("np.pad", [x, width], lambda: x.x[np.ix_(*index)], how)
                    continue
                case("np.pad", [x, width], lambda: np.pad(x.x, width, **how), how or None, shares=False)
    for x in [*views((2, 3), F64)[1:6], ref([2, 2], I32), ref([2, 2], BOOL), ref([3], U8)]:
        for mode in ["constant", "edge", "reflect", "wrap", "symmetric"]:
            case("np.pad", [x, [1, 1]], lambda: np.pad(x.x, [1, 1], mode), {"mode": mode})
    for x in [ref([2, 2], I32), ref([2, 2]), ref([2], BOOL)]:
        for constants in [5, [1, 2], *([[[1, 2], [3, 4]]] if x.x.ndim == 2 else []), [-1], 0.5]:
            case("np.pad", [x, 1], lambda: np.pad(x.x, 1, constant_values=constants), {"constantValues": constants})
    case("np.pad", [ref([2], F64), [1, 0]], lambda: np.pad(ref([2], F64).x, [1, 0], constant_values=0.1), {"constantValues": 0.1})
    x = ref([2, 3])
    for width, how, kind in [
        (-1, {}, "ValueError"), (0.5, {}, "ValueError"), ([1, 2, 3], {}, "ShapeError"), ([[1, 1], [1, 1], [1, 1]], {}, "ShapeError"), (1, {"mode": "bogus"}, "ValueError"),
        (1, {"constantValues": [1, 2, 3]}, "ShapeError"), (1, {"mode": 5}, "ValueError"),
    ]:
        case("np.pad", [x, width], raising(kind), how)


def periodic(mode, n, width):
    i = np.arange(-width[0], n + width[1])
    if mode == "wrap":
        return i % n
    period = 2 * n - 2 if mode == "reflect" else 2 * n
    i = i % period
    return np.minimum(i, period - i if mode == "reflect" else period - 1 - i)


# ---- triangles and diagonals

def diagonals():
    for shape in [(3, 3), (2, 4), (4, 2), (0, 2), (2, 2, 3), (3,), (1, 1)]:
        for dtype in [F32, I8] if shape != (3, 3) else DTYPES:
            for k in [None, 0, 1, -1, 2, -9, 9]:
                x = ref(shape, dtype)
                case("np.tril", [x, k], lambda: np.tril(x.x, k or 0), shares=False)
                case("np.triu", [x, k], lambda: np.triu(x.x, k or 0), shares=False)
    odd = Ref(np.array([[np.nan, np.inf], [-np.inf, -0.0]], F32))
    case("np.tril", [odd], lambda: np.tril(odd.x))
    case("np.triu", [odd], lambda: np.triu(odd.x))
    for x in views((2, 3), F64)[1:6]:
        case("np.tril", [x], lambda: np.tril(x.x))
        case("np.diag", [x], lambda: np.diag(x.x), shares=True)
        case("np.trace", [x], lambda: np.trace(x.x))
        case("np.diagonal", [x, 1], lambda: np.diagonal(x.x, 1), shares=True)
    for fn in ["np.tril", "np.triu", "np.diagonal", "np.trace"]:
        case(fn, [5], raising("ShapeError"))
    case("np.diagonal", [ref([3])], raising("ShapeError"))
    for shape in [(3, 3), (2, 4), (4, 2), (0, 2), (2, 3, 4), (2, 2, 2, 3)]:
        x = ref(shape, F32 if len(shape) < 4 else U8)
        n = len(shape)
        for offset in [None, 0, 1, -1, 3, -5]:
            for axis1, axis2 in [(None, None), (0, 1), (1, 0), (-1, 0), (n - 1, n - 2), (0, n), (0, 0), (0, -n)]:
                kind = "ValueError" if axis1 is not None and axis1 % n == axis2 % n and axis2 != n else "ShapeError"
                args = [x, offset, axis1, axis2]
                given = [offset or 0, 0 if axis1 is None else axis1, 1 if axis2 is None else axis2]
                check("np.diagonal", args, lambda: np.diagonal(x.x, *given), kind, shares=True)
                check("np.trace", args, lambda: np.trace(x.x, *given).astype(I32 if dtype_of(x) == U8 else F32), kind)
    for dtype in DTYPES:
        x = ref([3, 3], dtype)
        case("np.trace", [x], lambda: np.trace(x.x).astype(dtype if dtype in FLOATS else I32))
        case("np.trace", [x, None, None, None], lambda: np.trace(x.x, dtype=F64), {"dtype": F64})
        v = ref([2], dtype)
        for k in [None, 0, 2, -1]:
            case("np.diag", [v, k], lambda: np.diag(v.x, k or 0))
            case("np.diag", [x, k], lambda: np.diag(x.x, k or 0), shares=True)
            case("np.diagflat", [x, k], lambda: np.diagflat(x.x, k or 0), shares=False)
    for shape in [(), (0,), (2, 1), (2, 0)]:
        case("np.diagflat", [ref(shape)], lambda: np.diagflat(ref(shape).x))
    case("np.diag", [ref([])], raising("ShapeError"))
    case("np.diag", [ref([1, 1, 1])], raising("ShapeError"))
    case("np.diag", [ref([2]), 0.5], raising("ValueError"))


# ---- splitting

def splitting():
    for shape in [(6,), (4, 2), (2, 4, 2), (0, 2)]:
        for x in [ref(shape), *(views(shape, I32)[1:2] if 0 not in shape else [])]:
            for sections in [1, 2, 3, 5, [1], [1, 3], [3, 1], [-1], [0, 9], []]:
                for axis in [None, 0, 1, -1, 2]:
                    args = [x, sections, axis]
                    if axis is not None and not -x.x.ndim <= axis < x.x.ndim:
                        case("np.split", args, raising("ShapeError"))
                        continue
                    check("np.split", args, lambda: np.split(x.x, sections, axis or 0), "ShapeError")
                    case("np.arraySplit", args, lambda: np.array_split(x.x, sections, axis or 0))
                for fn, numpy in {"np.hsplit": np.hsplit, "np.vsplit": np.vsplit, "np.dsplit": np.dsplit}.items():
                    check(fn, [x, sections], lambda: numpy(x.x, sections), "ShapeError")
    for fn in ["np.split", "np.arraySplit"]:
        for sections, kind in [(0, "ValueError"), (-1, "ValueError"), (1.5, "ValueError"), ([0.5], "DTypeError"), ("x", "ValueError"), ([[1]], "ShapeError")]:
            case(fn, [ref([4]), sections], raising(kind))
        case(fn, [5, 1], raising("ShapeError"))
    case("np.hsplit", [5, 1], raising("ShapeError"))
    case("np.split", [ref([4]), ref([], U8)], lambda: np.split(ref([4]).x, int(ref([], U8).x) or 1) if int(ref([], U8).x) in (1, 2, 4) else raising("ShapeError")())


# ---- putting in, leaving out

def editing():
    def where_of(i):
        return slice(*i["slice"]) if isinstance(i, dict) else np.array(i, np.intp) if isinstance(i, list) else i

    for x in [ref([4]), ref([2, 3], F64), ref([0]), ref([], I32), Ref(values((3, 2), I32), ["T"])]:
        for i in [0, 1, -1, 9, [0], [-1], [0, 1], [1, 0, 1], [], [0, 9], {"slice": [None, None, 2]}, {"slice": [None, None, -1]}, {"slice": [1, 2, None]}]:
            for axis in [None, 0, 1, -1, 3]:
                n = x.x.size if axis is None else x.x.shape[axis] if -x.x.ndim <= axis < x.x.ndim else None
                kind = "ShapeError" if n is None else "IndexError"
                check("np.delete", [x, i, axis], lambda: np.delete(x.x, where_of(i), axis), kind)
                if isinstance(i, list) and n is None:
                    case("np.insert", [x, i, 5, axis], raising(kind))
                    continue
                if isinstance(i, list) and n is not None and any(not -n <= k <= n for k in i):
                    case("np.insert", [x, i, 5, axis], raising("IndexError"))
                    continue
                for v in [5, ref([2], F64, 3), ref([3, 1], F32, 4), ref([2, 3], F64, 5)]:
                    value = v.x if isinstance(v, Ref) else v
                    if isinstance(i, list) and len(i) > 1 and n == 0:
                        continue
                    out = n is not None and isinstance(i, int) and not -n <= i <= n
                    check("np.insert", [x, i, v, axis], lambda: np.insert(x.x, where_of(i), value, axis), "IndexError" if out else "ShapeError")
    x = ref([3, 2])
    case("np.delete", [x, ref([3], BOOL, 3), 0], lambda: np.delete(x.x, ref([3], BOOL, 3).x, 0))
    case("np.delete", [x, [True, False, True], 0], lambda: np.delete(x.x, [0, 2], 0))
    case("np.insert", [x, [True, False, True], 7, 0], lambda: np.insert(x.x, [0, 2], 7, 0))
    case("np.delete", [x, [True, False], 0], raising("ShapeError"))
    case("np.delete", [x, 0.5], raising("DTypeError"))
    case("np.insert", [x, [0.5], 1], raising("DTypeError"))
    case("np.insert", [ref([2], I32), 0, float("nan")], raising("ValueError"))
    case("np.insert", [ref([2], I32), 0, 2.7], lambda: np.insert(ref([2], I32).x, 0, 2.7))
    case("np.insert", [ref([2], F64), 0, [0.1, 0.2]], lambda: np.insert(ref([2], F64).x, 0, [0.1, 0.2]))


def uniques():
    for dtype in DTYPES:
        for x in [ref([], dtype), ref([0], dtype), ref([9], dtype), ref([4, 5], dtype), Ref(values((5, 4), dtype), ["T"])]:
            case("np.unique", [x], lambda: np.unique(x.x))
            parts = lambda: [p if i == 0 else p.astype(I32) for i, p in enumerate(np.unique(x.x, return_index=True, return_inverse=True, return_counts=True))]
            case("np.unique", [x], parts, {"returnIndex": True, "returnInverse": True, "returnCounts": True})
            case("np.unique", [x], lambda: [parts()[0], parts()[3]], {"returnCounts": True, "returnIndex": False})
    odd = Ref(np.array([np.nan, 1, np.inf, np.nan, -np.inf, 0, 1], F32))
    case("np.unique", [odd], lambda: [p if i == 0 else p.astype(I32) for i, p in enumerate(np.unique(odd.x, return_inverse=True, return_counts=True))], {"returnInverse": True, "returnCounts": True})
    rows = Ref(np.array([[1, 2, 1], [0, 5, 0], [1, 2, 1], [0, 4, 0], [-1, 2, -1]], F32))
    deep = Ref(np.array([0, 1, 1, 0] * 4, I32).reshape(2, 4, 2))
    for x in [rows, deep, ref([0, 3]), ref([4], I8)]:
        for axis in range(-x.x.ndim, x.x.ndim):
            if 0 in x.x.shape and axis % x.x.ndim:
                continue
            case("np.unique", [x], lambda: np.unique(x.x, axis=axis), {"axis": axis})
            parts = lambda: [p if i == 0 else p.astype(I32) for i, p in enumerate(np.unique(x.x, return_index=True, return_inverse=True, return_counts=True, axis=axis))]
            case("np.unique", [x], parts, {"axis": axis, "returnIndex": True, "returnInverse": True, "returnCounts": True})
        case("np.unique", [x], raising("ShapeError"), {"axis": x.x.ndim})


write([creation, joining, moving, repeating, padding, diagonals, splitting, editing, uniques])
