"""Cases of the rarer parameters of functions whose usual ones are tried elsewhere. Writes options.json."""

import numpy as np

from common import *  # noqa: F403
import common


def ref(shape, dtype=F32, seed=0):
    return Ref(values(tuple(shape), dtype, seed))


def given(how, **words):
    """Options as NumPy names them; arrays as NumPy takes them, in the place of their numbers."""
    return {words.get(k, k): v.x if isinstance(v, Ref) else v for k, v in how.items()}


def written_down(how):
    return {k: f"@{v.id}" if isinstance(v, Ref) else v for k, v in how.items()} or None


# ---- creation

def creation():
    for data in [1.5, [1, 2], [[1, 2], [3, 4]], ref([2, 3], I8), ref([], BOOL)]:
        plain = data.x if isinstance(data, Ref) else np.array(data, F32)
        for ndmin in [0, 1, 2, 4]:
            for dtype in [None, F64, I32]:
                how = {"ndmin": ndmin, **({"dtype": dtype} if dtype else {})}
                case("np.array", [data], lambda: np.array(plain, dtype=dtype or plain.dtype, ndmin=ndmin), how)
    for ndmin, kind in [(-1, "ValueError"), (0.5, "ValueError"), (33, "ShapeError"), (True, "ValueError")]:
        case("np.array", [[1, 2]], raising(kind), {"ndmin": ndmin})
    case("np.asarray", [[1, 2]], raising("ValueError"), {"ndmin": 2})
    for x in [ref([2, 3]), ref([2, 3], U8), Ref(values((3, 2), F64), ["T"]), ref([])]:
        for shape in [[], 3, [2, 2], [0, 4]]:
            for dtype in [None, I32]:
                how = {"shape": shape, **({"dtype": dtype} if dtype else {})}
                case("np.zerosLike", [x], lambda: np.zeros_like(x.x, **how), how)
                case("np.onesLike", [x], lambda: np.ones_like(x.x, **how), how)
                case("np.emptyLike", [x], lambda: np.zeros_like(x.x, **how), how)
                case("np.fullLike", [x, 3], lambda: np.full_like(x.x, 3, **how), how)
        case("np.fullLike", [x, [1, 2]], lambda: np.full_like(x.x, [1, 2], shape=(3, 2)), {"shape": [3, 2]})
        case("np.fullLike", [x, [1, 2]], raising("ShapeError"), {"shape": [3]})
        case("np.onesLike", [x], raising("ShapeError"), {"shape": [-1]})
    for dims in [[], 3, [2, 3], [2, 0], [1, 2, 3]]:
        for dtype in [None, F64, U8]:
            how = {"sparse": True, **({"dtype": dtype} if dtype else {})}
            case("np.indices", [dims], lambda: list(np.indices(dims if isinstance(dims, list) else (dims,), dtype or np.int32, sparse=True)), how)
        case("np.indices", [dims], lambda: np.indices(dims if isinstance(dims, list) else (dims,), np.int32), {"sparse": False})
    case("np.indices", [[2]], raising("ValueError"), {"sparse": 1})


def ranges():
    ends = [
        (0, 3), (ref([2], F64), ref([2], F64, 1)), (ref([2, 1], F64), ref([3], F64)), (0, ref([2], F64)), (ref([], F64), 1),
        (ref([2, 3], F32), 2.5), (ref([2], I32), ref([2], F32)), (ref([2], I32), ref([2], I8, 1)), (ref([0], F64), 1),
    ]
    for a, b in ends:
        p, q = [v.x if isinstance(v, Ref) else v for v in (a, b)]
        met = F32 if not any(isinstance(v, Ref) for v in (a, b)) else promote(meet(a, b)[0], F32)
        ndim = np.broadcast(p, q).ndim
        for num in [0, 1, 4]:
            for axis in [None, 0, -1, ndim, ndim + 1]:
                for how in [{}, {"endpoint": False}, {"retstep": True}, {"retstep": True, "endpoint": False, "dtype": I32}]:
                    options = {**how, **({"axis": axis} if axis is not None else {})}

                    def compute():
                        if ndim < (axis or 0):
                            raise Wrong("ShapeError")
                        found = np.linspace(np.asarray(p, np.float64), np.asarray(q, np.float64), num, **{**options, "dtype": np.float64})
                        y, step = found if how.get("retstep") else (found, None)
                        # Whole numbers are rounded down.
                        y = np.floor(y).astype(I32) if "dtype" in how else y.astype(met)
                        # NaN, which stands for no step, has the dtype of the numbers.
                        kind = met if num > 1 or "endpoint" in how and num == 1 else F32 if "dtype" in how else met
                        return [y, np.asarray(step, np.float64).astype(kind)] if step is not None else y

                    case("np.linspace", [a, b, num], compute, options, ulp=4, scale=4)
    p = ref([2], F64)
    for fn, args in [("np.linspace", [0, 1, 3]), ("np.logspace", [0, 1, 3]), ("np.geomspace", [1, 2, 3]), ("np.linspace", [p, 1, 3])]:
        case(fn, args, raising("ShapeError"), {"axis": 2})
        case(fn, args, raising("ValueError"), {"axis": 0.5})
        case(fn, args, raising("ValueError"), {"endpoint": 1})
    case("np.linspace", [0, 1, 3], raising("ValueError"), {"retstep": "yes"})
    case("np.linspace", [[0.1, 0.2], 0.7, 3], lambda: np.linspace([0.1, 0.2], 0.7, 3), {"dtype": F64}, ulp=2)
    # The last of whole numbers is below the end by rounding in float32, but not of float64 ends.
    exact = Ref(np.array([-7.0, 10.0]))
    case("np.linspace", [exact, Ref(np.array([7.0, -10.0])), 8], lambda: np.linspace(exact.x, [7, -10], 8, dtype=np.int32), {"dtype": I32})

    for a, b in ends[1:]:
        p, q = [np.asarray(v.x if isinstance(v, Ref) else v, np.float64) for v in (a, b)]
        met = promote(meet(a, b)[0], F32)
        for num in [0, 1, 4]:
            for axis in [0, -1]:
                for base in [None, 2, Ref(np.array([[2.0], [3.0]], met)), Ref(np.array([2, 5], U8))]:
                    for endpoint in [True, False]:
                        v = 10.0 if base is None else base.x.astype(np.float64) if isinstance(base, Ref) else base

                        def compute():
                            shape = fails("ShapeError")(lambda: np.broadcast(p, q, v)).shape
                            full = [np.broadcast_to(part, shape) for part in (p, q, v)]
                            return np.moveaxis(full[2] ** np.linspace(full[0], full[1], num, endpoint=endpoint), 0, axis).astype(met)

                        how = {"axis": axis, "endpoint": endpoint, **({} if base is None else {"base": base})}
                        case("np.logspace", [a, b, num], compute, written_down(how), ulp=40)
    for met in FLOATS:
        for start, stop in [([1, -2, 3], [8, -1, 3]), ([[1], [1e-30]], [1e30, 5]), (2, [4, 8]), ([-1, -3], -9), ([], 1)]:
            p, q = [np.array(v, met) for v in (start, stop)]
            a, b = Ref(p), stop if isinstance(stop, (int, float)) else Ref(q)
            for num in [0, 1, 5]:
                for axis in [0, -1]:
                    for endpoint in [True, False]:
                        wide = [np.array(v, np.float64) for v in np.broadcast_arrays(p, q)]
                        case("np.geomspace", [a, b, num], lambda: np.geomspace(*wide, num, endpoint=endpoint, axis=axis).astype(met), {"axis": axis, "endpoint": endpoint}, ulp=2 if met == F32 else 80)
    for start, stop in [([1, 0], 2), ([1, -1], 2), (1, [[2], [-2]])]:
        case("np.geomspace", [start, stop, 3], raising("ValueError"))
    case("np.geomspace", [[1, 2], [1, 2, 3], 3], raising("ShapeError"))
    case("np.logspace", [[1, 2], [1, 2, 3], 3], raising("ShapeError"))


# ---- joining

def joining():
    groups = [[ref([2, 2]), ref([2, 2], F64)], [ref([2, 2], I8), ref([2, 2], I32)], [ref([2, 2], BOOL), ref([2, 2], U8)], [ref([2, 2], I32)]]
    kinds = {BOOL: 0, U8: 1, I8: 2, I32: 2, F32: 3, F64: 3}
    for xs in groups:
        for dtype in DTYPES:
            refused = any(kinds[dtype_of(x)] > kinds[dtype] for x in xs)
            for fn, numpy, args in [
                ("np.concatenate", np.concatenate, [0]), ("np.concatenate", np.concatenate, [None]), ("np.stack", np.stack, [-1]), ("np.stack", np.stack, [None]),
                ("np.vstack", np.vstack, []), ("np.hstack", np.hstack, []),
            ]:
                def compute():
                    if refused:
                        raise Wrong("DTypeError")
                    given = [0] if fn == "np.stack" and args == [None] else args
                    return numpy([x.x for x in xs], *given, dtype=dtype)

                case(fn, [xs, *args], compute, {"dtype": dtype})
    for fn, args in [("np.concatenate", [0]), ("np.stack", [0]), ("np.vstack", []), ("np.hstack", [])]:
        # Numbers and lists have no dtype yet.
        y = np.array([[1, 2], [3, 4]])
        y = y.reshape(-1) if fn in ("np.concatenate", "np.hstack") else y
        for dtype in [F64, I32, U8]:
            case(fn, [[[1, 2], [3, 4]], *args], lambda: y.astype(dtype), {"dtype": dtype})
        case(fn, [[[0.1, 0.2], ref([2])], *args], lambda: getattr(np, fn[3:])([np.array([0.1, 0.2]), ref([2]).x], dtype=F64), {"dtype": F64})
        case(fn, [[ref([2])], *args], raising("DTypeError"), {"dtype": "float16"})
        case(fn, [[ref([2])], *args], raising("ValueError"), {"casting": "unsafe"})


# ---- padding

def padding():
    statistics = ["maximum", "minimum", "mean", "median"]
    for dtype in DTYPES:
        for shape, widths in [([5], [2, [0, 3], [1, 0]]), ([3, 4], [1, [[1, 2], [0, 3]], [[0, 0], [2, 1]]]), ([1], [2]), ([2, 1, 3], [1])]:
            x = ref(shape, dtype, 3)
            for width in widths:
                for mode in statistics:
                    for length in [None, 1, 2, [2, 3], [[1, 3]]]:
                        how = {"mode": mode, **({} if length is None else {"statLength": length})}
                        case("np.pad", [x, width], lambda: np.pad(x.x, width, **given(how, statLength="stat_length")), how, ulp=1)
                for end in [None, 0, 3, [2, 8], *([[[1, 2], [3, 4]]] if len(shape) == 2 else []), 0.5]:
                    if isinstance(end, float) and dtype in (U8, BOOL):
                        continue
                    how = {"mode": "linear_ramp", **({} if end is None else {"endValues": end})}
                    case("np.pad", [x, width], lambda: np.pad(x.x, width, **given(how, endValues="end_values")), how, ulp=2, scale=8)
                narrow = np.max(width) < min(shape)
                for mode in ["reflect", "symmetric"] if narrow else []:
                    for kind in ["even", "odd"]:
                        if dtype == BOOL and kind == "odd":
                            continue
                        how = {"mode": mode, "reflectType": kind}
                        case("np.pad", [x, width], lambda: np.pad(x.x, width, mode, reflect_type=kind), how)
                case("np.pad", [x, width], lambda: np.pad(x.x, width), {"mode": "empty"})
    # Wider than the array: mirrored on and on. NumPy 1.24 stops at the wrong places.
    line = Ref(np.array([1.0, 2.0, 4.0]))
    case("np.pad", [line, [6, 5]], lambda: mirrored(line.x, 6, 5, 1), {"mode": "reflect", "reflectType": "odd"})
    case("np.pad", [line, [7, 8]], lambda: mirrored(line.x, 7, 8, 0), {"mode": "symmetric", "reflectType": "odd"})
    case("np.pad", [Ref(np.array([3.0])), 2], lambda: np.full(5, 3.0), {"mode": "reflect", "reflectType": "odd"})
    flags = Ref(np.array([True, False, True]))
    case("np.pad", [flags, 1], lambda: np.pad(flags.x, 1, "reflect", reflect_type="odd"), {"mode": "reflect", "reflectType": "odd"})
    odd = Ref(np.array([[np.nan, 1, 2], [3, np.inf, 4]], F32))
    for mode in statistics:
        case("np.pad", [odd, 1], lambda: np.pad(odd.x, 1, mode), {"mode": mode})
    large = Ref(np.array([2**31 - 1, 2**31 - 3, 5], I32))
    for mode in ["mean", "median", "maximum"]:
        case("np.pad", [large, 1], lambda: np.pad(large.x, 1, mode), {"mode": mode})
    ends = ref([2, 2], F64, 5)
    case("np.pad", [ref([3, 2], F64), 2], lambda: np.pad(ref([3, 2], F64).x, 2, "linear_ramp", end_values=ends.x), {"mode": "linear_ramp", "endValues": f"@{ends.id}"}, ulp=2, scale=8)
    x = ref([2, 3])
    for how, kind in [
        ({"mode": "linear_ramp", "constantValues": 1}, "ValueError"), ({"mode": "edge", "constantValues": 1}, "ValueError"), ({"endValues": 1}, "ValueError"),
        ({"mode": "mean", "reflectType": "odd"}, "ValueError"), ({"mode": "reflect", "reflectType": "strange"}, "ValueError"), ({"mode": "mean", "statLength": -1}, "ValueError"),
        ({"mode": "mean", "statLength": 1.5}, "ValueError"), ({"mode": "mean", "statLength": [1, 2, 3]}, "ShapeError"), ({"mode": "maximum", "statLength": 0}, "ValueError"),
        ({"mode": "linear_ramp", "endValues": [1, 2, 3]}, "ShapeError"), ({"mode": "toString"}, "ValueError"), ({"mode": "wrap", "statLength": 1}, "ValueError"),
    ]:
        case("np.pad", [x, 1], raising(kind), how)
    for mode in [*statistics, "linear_ramp"]:
        case("np.pad", [ref([0]), 1], raising("ValueError"), {"mode": mode})
        case("np.pad", [ref([0, 2]), [[0, 0], [1, 1]]], lambda: np.zeros((0, 4), F32), {"mode": mode})
    case("np.pad", [ref([0, 2]), 1], lambda: np.zeros((2, 4), F32), {"mode": "empty"})


def by_axis():
    """NumPy 2's widths by axis: those that are not named are 0."""
    x = ref([2, 3, 2])
    for widths in [{}, {0: 1}, {1: [0, 2]}, {-1: [1, 0], 0: [2, 1]}, {2: 0, 1: 1}]:
        full = [[0, 0] for _ in range(3)]
        for axis, width in widths.items():
            full[axis] = [width, width] if isinstance(width, int) else width
        for how in [{}, {"mode": "edge"}, {"constantValues": 5}]:
            case("np.pad", [x, widths], lambda: np.pad(x.x, full, **given(how, constantValues="constant_values")), how or None)
    for wrong, kind in [({3: 1}, "ShapeError"), ({-4: 1}, "ShapeError"), ({0: 1, -3: 2}, "ValueError"), ({"a": 1}, "ValueError"), ({0.5: 1}, "ValueError"),
            ({0: -1}, "ValueError"), ({0: None}, "ValueError"), ({0: [1, 2, 3]}, "ShapeError"), ({0: "1"}, "ValueError"), ({1: [1.5, 0]}, "ValueError")]:
        case("np.pad", [x, wrong], raising(kind))
    case("np.pad", [ref([]), {}], lambda: ref([]).x)
    case("np.pad", [ref([]), {0: 1}], raising("ShapeError"))


def products():
    """Matrices in any axes, and subscripts as lists of labels."""
    pairs = [
        ((2, 3, 4), (4, 3, 2), [[2, 0], [2, 0], [0, 1]]), ((2, 3, 4), (4, 3, 2), [[1, 2], [0, 1], [-1, 0]]), ((2, 3), (2, 4), [[1, 0], [0, 1], [1, 0]]),
        ((3, 2, 4), (2, 5), [[0, 1], [0, 1], [-1, -2]]), ((2, 1, 3, 4), (3, 4, 5), [[-3, -1], [1, 2], [2, 0]]), ((3, 4), (4,), [[0, 1], [0], [0]]),
        ((3, 4), (3,), [[1, 0], 0, 0]), ((4,), (2, 4, 3), [0, [1, 0], 1]), ((4,), (2, 4, 3), [[0], [-2, -1], [0]]), ((4,), (4,), [0, 0, []]),
        ((4,), (4,), [[0], [-1], []]), ((0, 3), (3, 2), [[0, 1], [0, 1], [1, 0]]), ((3, 0), (0, 2), [[0, 1], [0, 1], [1, 0]]),
    ]
    for s, t, axes in pairs:
        tuples = [tuple(a) if isinstance(a, list) else a for a in axes]
        for p, q in [(F32, F32), (F64, I32), (I32, I8), (BOOL, F32)]:
            x, y = ref(s, p, 1), ref(t, q, 2)
            out = promote(p, q)
            case("np.matmul", [x, y], lambda: np.matmul(x.x.astype(out), y.x.astype(out), axes=tuples), {"axes": axes})
    turned = Ref(values((4, 3, 2), F64, 1), ["T"])
    case("np.matmul", [turned, ref([4, 2], F64)], lambda: np.matmul(turned.x, ref([4, 2], F64).x, axes=[(0, 2), (0, 1), (0, 2)]), {"axes": [[0, 2], [0, 1], [0, 2]]})
    m, v = ref([3, 3]), ref([3])
    for x, y, axes, kind in [
        (v, v, [0, 0, 0], "ShapeError"), (v, v, [0, 0], "ValueError"), (m, m, [[0, 1], [1, 0]], "ValueError"), (m, m, [[0, 0], [1, 0], [0, 1]], "ValueError"), (m, m, [[0, 1], [1, 0], [0, 0]], "ValueError"),
        (m, m, [[0, 2], [1, 0], [0, 1]], "ShapeError"), (m, m, [[0, 1], [1, 0], [0, 2]], "ShapeError"), (m, m, [[0, 1], [1, 0], 0], "ValueError"), (m, m, 5, "ValueError"),
        (m, m, [[0, 1], [1, 0], [0, 1, 0]], "ValueError"), (m, m, [[0.5, 1], [1, 0], [0, 1]], "ValueError"), (m, m, "01", "ValueError"), (m, m, [], "ValueError"),
        (m, m, [[0, 1]] * 4, "ValueError"), (ref([]), m, [0, [0, 1], 0], "ShapeError"), (ref([2, 3]), m, [[1, 0], [0, 1], [0, 1]], "ShapeError"), (m, v, [[0, 1], [0, 1], 0], "ShapeError"),
    ]:
        case("np.matmul", [x, y], raising(kind), {"axes": axes})
    case("np.matmul", [m, m], lambda: np.matmul(m.x, m.x), {"axes": None})
    for name in ["axis", "keepdims", "dtype"]:
        case("np.matmul", [m, m], raising("ValueError"), {name: 0})

    dots = lambda labels: [Ellipsis if l == "..." else l for l in labels] if isinstance(labels, list) else labels
    for args in [
        [(2, 3), [0, 1]], [(2, 3), [1, 0]], [(2, 3), [0, 1], [1, 0]], [(2, 3), [5, 40], []], [(2, 3), [40, 5]], [(3, 3), [7, 7]], [(3, 3), [7, 7], [7]],
        [(2, 3), [0, 1], (3, 4), [1, 2]], [(2, 3), [0, 1], (3, 4), [1, 2], [2, 0]], [(2, 3), [0, 1], (3,), [1], (2,), [0]], [(), [], (3,), [1]],
        [(2, 3, 4), [0, "..."]], [(2, 3, 4), [0, "..."], ["...", 0]], [(2, 3, 4), ["...", 1, 0], ["..."]], [(2, 3, 4), ["..."]],
        [(2, 2, 3), ["...", 0, 1], (3, 2), ["...", 1, 2], ["...", 0, 2]], [(2, 3), ["..."], (3,), ["..."]], [(2, 3), [0, 1], (2, 3), [0, 1], [1]],
        [(2, 3), [0, 1], (3, 2), [1, 2], (2, 4), [2, 3], [0, 3]], [(2, 0), [0, 1], (0, 3), [1, 2]], [(3, 3, 2), [0, 0, 51], [51, 0]],
    ]:
        for dtype in [F32, F64, I32]:
            refs = [ref(a, dtype, i) if isinstance(a, tuple) else a for i, a in enumerate(args)]
            case("np.einsum", refs, lambda: np.asarray(np.einsum(*[a.x if isinstance(a, Ref) else dots(a) for a in refs])))
    case("np.einsum", [ref([2, 3], F64), [0, 1], ref([3], I32), [1]], lambda: np.einsum("ij,j", ref([2, 3], F64).x, ref([3], I32).x))
    case("np.einsum", [[[1, 2]], [0, 1], [1, 0]], lambda: np.array([[1], [2]], F32))
    x = ref([2, 3])
    for args, kind in [
        ([x, [0]], "ValueError"), ([x, [0, 1, 2]], "ValueError"), ([x, [0, -1]], "ValueError"), ([x, [0, 0.5]], "ValueError"), ([x, [0, True]], "ValueError"), ([x, [0, "1"]], "ValueError"),
        ([x, [0, 1], [0, 0]], "ValueError"), ([x, [0, 1], [2]], "ValueError"), ([x], "ValueError"), ([], "ValueError"), ([x, ["...", "..."]], "ValueError"), ([x, [0, "..."], [0]], "ValueError"),
        ([x, "ij"], "ValueError"), ([x, 0], "ValueError"), ([x, [0, 1], x], "ValueError"), ([x, [0, 1], x, [0]], "ValueError"), ([x, [0, 0]], "ShapeError"), ([x, [0, 1], x, [1, 2]], "ShapeError"),
        ([None, [0]], "ValueError"), ([x, None], "ValueError"), ([x, [0, [1]]], "ValueError"), ([x, [0, 1], "ij"], "ValueError"), ([x, [0, 1], None], "ValueError"),
    ]:
        case("np.einsum", args, raising(kind))


def mirrored(x, before, after, skip):
    """Mirrored at points, from the definition: each mirror takes the element off twice the one at the edge (or beside it)."""
    n = len(x)

    def at(i):
        if i < 0:
            return 2 * x[0] - at(-i - (1 - skip))
        return x[i] if i < n else 2 * x[n - 1] - at(2 * n - 1 - skip - i)

    return np.array([at(i) for i in range(-before, n + after)])


# ---- the rest

def averages():
    for dtype in [F32, F64, I32, BOOL]:
        x = ref([2, 3, 4], dtype, 1)
        out = dtype if dtype in FLOATS else F32
        for axis in [None, 0, -1, [0, 2]]:
            for keepdims in [False, True]:
                how = {"returned": True, **({"keepdims": True} if keepdims else {})}
                case("np.average", [x, axis], lambda: [np.asarray(y).astype(out) for y in np.average(x.x.astype(np.float64), tuple(axis) if isinstance(axis, list) else axis,
                    returned=True, keepdims=keepdims)], how, ulp=2)
        full, line, plane, turned = [Ref((np.abs(values(s, F64, 2)) + 1).astype(out)) for s in [(2, 3, 4), (3,), (2, 4), (4, 2)]]
        spread = {full.id: full.x, line.id: line.x.reshape(1, 3, 1), plane.id: plane.x.reshape(2, 1, 4), turned.id: turned.x.T.reshape(2, 1, 4)}
        for w, axis in [(full, None), (full, 1), (full, [0, 2]), (line, 1), (line, -2), (plane, [0, 2]), (turned, [2, 0]), (turned, [-1, 0])]:
            for how in [{}, {"returned": True}, {"returned": True, "keepdims": True}]:
                def compute():
                    every = np.broadcast_to(spread[w.id].astype(np.float64), x.x.shape)
                    at = tuple(axis) if isinstance(axis, list) else axis
                    y = np.average(x.x.astype(np.float64), at, every, keepdims=how.get("keepdims", False))
                    # The weights are those given, not those that they are repeated to.
                    total = np.sum(spread[w.id], at, keepdims=how.get("keepdims", False)) * np.ones_like(y)
                    return [y.astype(out), total.astype(out)] if how.get("returned") else y.astype(out)

                case("np.average", [x, axis], compute, {**how, "weights": f"@{w.id}"}, ulp=8, scale=4)
        for w, axis in [(turned, [0, 2]), (plane, [0, 1]), (line, 0), (line, None), (plane, None), (plane, 0), (line, [0, 1])]:
            case("np.average", [x, axis], raising("ShapeError"), {"weights": f"@{w.id}"})
    case("np.average", [[1, 2]], raising("ValueError"), {"returned": 1})


def uniques():
    odd = Ref(np.array([np.nan, 1, np.inf, np.nan, -np.inf, 0, 1, np.nan], F32))
    rows = Ref(np.array([[1, np.nan], [2, 3], [np.nan, 1], [1, np.nan], [2, 3]], F64))
    words = {"equalNan": "equal_nan", "returnIndex": "return_index", "returnInverse": "return_inverse", "returnCounts": "return_counts"}
    for x, axes in [(odd, [None, 0]), (rows, [None, 0]), (ref([4, 5], I32), [None, 1])]:
        for axis in axes:
            for equal in [None, True, False]:
                for extras in [{}, {"returnIndex": True, "returnInverse": True, "returnCounts": True}]:
                    how = {**extras, **({} if equal is None else {"equalNan": equal}), **({} if axis is None else {"axis": axis})}

                    def compute():
                        y = np.unique(x.x, **given(how, **words))
                        return [y[0], *[p.astype(I32) for p in y[1:]]] if extras else y

                    case("np.unique", [x], compute, how or None)
    case("np.unique", [odd], raising("ValueError"), {"equalNan": "no"})


def repeated(x, q, w):
    """The weighted quantile of a line, for whole weights: of as many of each element."""
    return np.quantile(np.repeat(x, w), q, method="inverted_cdf")


def reached(x, q, w):
    """By the definition, for any weights: the first element in order up to which weights make the part q of all."""
    order = np.argsort(x, kind="stable")
    part = np.cumsum(w[order]) / np.sum(w[order])
    part[part == 0] = -1
    # In the dtype of q: 0.4 of float32 is more than 0.4.
    part = part.astype(np.asarray(q).dtype)
    found = [x[order][min(np.sum(part < each), len(x) - 1)] for each in np.reshape(q, -1)]
    return np.reshape(np.nan if np.isnan(x).any() else found, np.shape(q))


def weighted(line, x, q, axes, w):
    """For lines along axes; w has the array's shape. The axes of q come first."""
    rest = [i for i in range(x.ndim) if i not in axes]
    lines, weights = [np.transpose(v, [*rest, *axes]).reshape(*[x.shape[i] for i in rest], -1) for v in (x, w)]
    out = np.empty((*lines.shape[:-1], *np.shape(q)), x.dtype)
    for i in np.ndindex(lines.shape[:-1]):
        out[i] = line(lines[i], q, weights[i])
    return np.moveaxis(out, range(len(rest), out.ndim), range(np.ndim(q)))


def quantiles():
    """NumPy 2's weights, which 1.24 has not: of method "inverted_cdf"."""
    r = np.random.RandomState(5)
    cdf = {"method": "inverted_cdf"}
    for fn, scale in [("np.quantile", 1), ("np.percentile", 100)]:
        parts = [0, 1, 0.5, 0.3, [0.25, 0.75], [[0], [0.1], [1]]]
        parts = [np.multiply(q, scale).tolist() for q in parts] + [Ref(np.array([0.125, 0.4, 1], F32) * np.float32(scale)), Ref(np.array([0, 1], I32))]
        for q in parts:
            given = np.asarray(q.x if isinstance(q, Ref) else q)
            part = np.asarray(given / (np.float32(scale) if given.dtype == F32 else scale))
            for shape, axis in [((6,), None), ((6,), 0), ((3, 4), None), ((3, 4), 1), ((2, 3, 4), [2, 0]), ((2, 3, 4), -2)]:
                axes = list(range(len(shape))) if axis is None else [a % len(shape) for a in (axis if isinstance(axis, list) else [axis])]
                for dtype in [F32, F64, I32] if len(shape) < 3 else [F64]:
                    x = ref(shape, dtype, 2)
                    whole = r.randint(0, 4, shape)
                    whole[tuple(slice(None) if i in axes else 0 for i in range(len(shape)))] += 1
                    if np.any(np.sum(whole, tuple(axes)) == 0):
                        whole += 1
                    w = Ref(whole.astype(I32))
                    case(fn, [x, q, axis], lambda: weighted(repeated, x.x, part, axes, whole), {**cdf, "weights": f"@{w.id}"})
                    w = Ref((r.randint(1, 9, shape) / 8).astype(F32))
                    case(fn, [x, q, axis], lambda: weighted(reached, x.x, part, axes, w.x.astype(F64)), {**cdf, "weights": f"@{w.id}"})
                    if axis is not None and len(shape) > 1:
                        named = [axis] if isinstance(axis, int) else axis
                        some = Ref(np.arange(np.prod([shape[a] for a in named]), dtype=F64).reshape([shape[a] for a in named]))
                        spread = np.ones(shape)
                        turned = np.transpose(some.x, np.argsort([a % len(shape) for a in named]))
                        spread *= turned.reshape([n if i in axes else 1 for i, n in enumerate(shape)])
                        case(fn, [x, q, axis], lambda: weighted(reached, x.x, part, axes, spread), {**cdf, "weights": f"@{some.id}"})
        x = ref([3, 4], F64, 2)
        odd = Ref(np.array([[1, np.nan, 2, 0], [3, np.inf, -np.inf, 5]]))
        w = Ref(np.array([1, 0, 2, 1.0]))
        for keepdims in [False, True]:
            case(fn, [odd, 0.5 * scale, 1], lambda: (lambda y: y[..., None] if keepdims else y)(weighted(reached, odd.x, 0.5, [1], np.broadcast_to(w.x, (2, 4)))),
                {**cdf, "weights": f"@{w.id}", "keepdims": keepdims})
        for wrong, kind in [([1, -1, 1, 1], "ValueError"), ([0, 0, 0, 0], "ValueError"), (Ref(np.array([1, np.nan, 1, 1])), "ValueError"),
                (Ref(np.array([1, np.inf, 1, 1])), "ValueError"), ([1, 2, 3], "ShapeError"), ([[1, 2, 3, 4]], "ShapeError"), (1, "ShapeError"),
                ("1", "ValueError"), (Ref(np.vstack([np.ones((2, 4)), np.zeros((1, 4))])), "ValueError")]:
            case(fn, [x, 0.5, 1], raising(kind), {**cdf, "weights": form_of(wrong)})
        case(fn, [x, 0.5, None], raising("ShapeError"), {**cdf, "weights": [1, 1, 1, 1]})
        for q in [-0.1, scale + 0.1, {"x": "nan"}]:
            case(fn, [x, q, 1], raising("ValueError"), {**cdf, "weights": [1, 1, 1, 1]})
        for method in [{}, {"method": "linear"}, {"method": "higher"}, {"method": "averaged_inverted_cdf"}]:
            case(fn, [x, 0.5, 1], raising("ValueError"), {**method, "weights": [1, 1, 1, 1]})
    case("np.median", [x, 1], raising("ValueError"), {"weights": [1, 1, 1, 1]})


def close():
    a, b = Ref(np.array([1, 2, 3, np.nan, np.inf])), Ref(np.array([1.1, 2.5, 3, np.nan, np.inf]))
    tolerances = Ref(np.array([0.2, 0.2, 0, 1, 1])), Ref(np.array([[0.0], [1.0]]))
    for how in [{"rtol": 0, "atol": tolerances[0]}, {"rtol": tolerances[0]}, {"rtol": tolerances[1], "atol": tolerances[0], "equalNan": True}]:
        def compute():
            rtol, atol = [how[k].x if isinstance(how.get(k), Ref) else how.get(k, v) for k, v in (("rtol", 1e-5), ("atol", 1e-8))]
            y = (np.abs(a.x - b.x) <= atol + rtol * np.abs(b.x)) | (a.x == b.x)
            return y | (np.isnan(a.x) & np.isnan(b.x)) if how.get("equalNan") else y

        case("np.isclose", [a, b], compute, written_down(how))
        case("np.allclose", [a, b], lambda: bool(np.all(compute())), written_down(how))
    case("np.isclose", [a, b], raising("ShapeError"), {"rtol": [1, 2]})
    case("np.allclose", [a, b], raising("ValueError"), {"atol": None})


def replaced():
    """NumPy's nan_to_num copies arrays into x where it is no number: they broadcast to it, and take its dtype."""
    words = ("nan", "posinf", "neginf")
    for dtype in FLOATS:
        odd = Ref(np.array([[np.nan, 1, np.inf], [-np.inf, np.nan, 2]], dtype))
        turned = Ref(np.array([[np.nan, 1], [np.inf, np.inf], [-np.inf, 0]], dtype), ["T"])
        for x in [odd, turned]:
            for put in [ref([3], dtype), ref([2, 1], F64), ref([2, 3], I32), ref([], U8), ref([3], BOOL), Ref(np.array([np.nan, np.inf, 1e300]))]:
                for names in [words[:1], words[1:2], words[2:], words]:
                    how = {name: put for name in names}
                    case("np.nanToNum", [x], lambda: np.nan_to_num(x.x, **given(how)), written_down(how))
        case("np.nanToNum", [odd], lambda: np.nan_to_num(odd.x, nan=np.array([0.1, 0.2, 0.3]), posinf=3), {"nan": [0.1, 0.2, 0.3], "posinf": 3})
        for wrong in [[1, 2], [[1, 2, 3]] * 3, [[[1]]], []]:
            case("np.nanToNum", [odd], raising("ShapeError"), {"neginf": wrong})
    whole = ref([3], I32)
    case("np.nanToNum", [whole], lambda: np.nan_to_num(whole.x, nan=np.array([1.5])), {"nan": [1.5]})
    case("np.nanToNum", [whole], raising("ValueError"), {"nan": "0"})


def raised():
    for name, fn in [("np.atleast1d", np.atleast_1d), ("np.atleast2d", np.atleast_2d), ("np.atleast3d", np.atleast_3d)]:
        for xs in [[ref([]), ref([2, 3], I8)], [ref([3], F64), ref([], BOOL), ref([1, 2, 3, 1])], [ref([2]), ref([0, 2], U8)]]:
            case(name, xs, lambda: fn(*[x.x for x in xs]))
        case(name, [5, [1, 2], True], lambda: fn(np.array(5, F32), np.array([1, 2], F32), True))
        case(name, [5, "x"], raising("ValueError"))


def along():
    x = ref([2, 3, 2], F32, 4)
    i = Ref(np.array([[[0, 1], [1, 0], [0, 0]]], I32))
    case("np.takeAlongAxis", [x, i], lambda: np.take_along_axis(x.x, np.broadcast_to(i.x, (2, 3, 2)), -1))
    case("np.takeAlongAxis", [ref([3]), [2, 0]], lambda: ref([3]).x[[2, 0]])


common.SIGNLESS += ("np.matmul", "np.einsum")
write([creation, ranges, joining, padding, by_axis, products, averages, uniques, quantiles, close, replaced, raised, along])
