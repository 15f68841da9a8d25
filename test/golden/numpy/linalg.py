"""np.linalg: NumPy's answers where they are unique; vectors, whose signs are not, are tested by what they are for."""

import common
from common import *

common.SIGNLESS += ("np.linalg.inv", "np.linalg.solve", "np.linalg.qr", "np.linalg.matrixPower", "np.linalg.multiDot", "np.linalg.pinv",
    "np.linalg.det", "np.linalg.tensorinv", "np.linalg.tensorsolve", "np.linalg.cholesky", "np.linalg.lstsq", "np.linalg.eigvalsh")
L = np.linalg
F = "np.linalg."
ERRORS = (L.LinAlgError, ValueError)


def double(x):
    return np.asarray(x).astype(F64)


def float_of(*refs):
    met = F32
    for r in refs:
        d = dtype_of(r)
        met = F64 if d == F64 else met
    return met if any(dtype_of(r) in FLOATS for r in refs) else F32


def of(fn, refs, compute, rest=(), options=None, ulp=64, kind=None):
    """A case computed in float64 and rounded, to within epsilons of the largest element of the answers."""
    dtype = float_of(*refs)

    def rounded():
        try:
            y = compute(*[double(r.x) for r in refs])
        except ERRORS as e:
            raise Wrong(kind or ("ValueError" if "ingular" in str(e) or "definite" in str(e) else "ShapeError")) from e
        give = lambda a: np.asarray(a) if str(np.asarray(a).dtype) == I32 else np.asarray(a).astype(dtype)
        return [give(a) for a in y] if isinstance(y, (list, tuple)) else give(y)

    scale = 1.0
    try:
        y = rounded()
        parts = y if isinstance(y, list) else [y]
        finite = [np.abs(p[np.isfinite(p)]) for p in parts if p.size and str(p.dtype) in FLOATS]
        scale = max([1e-300, *[f.max() for f in finite if f.size]])
    except Wrong:
        pass
    case(F + fn, [*refs, *rest], rounded, options, ulp, scale)


def square(n, dtype, seed, lead=()):
    """Far from singular."""
    x = values((*lead, n, n), dtype, seed)
    return Ref((x + 6 * np.eye(n)).astype(dtype))


def definite(n, dtype, seed, lead=()):
    x = values((*lead, n, n), F64, seed) / 4
    return Ref((x @ np.swapaxes(x, -1, -2) + np.eye(n)).astype(dtype))


SINGULAR = [np.zeros((1, 1)), np.zeros((2, 2)), np.ones((3, 3)), np.array([[1.0, 2], [2, 4]]), np.array([[0.0, 1], [0, 0]])]
SHAPES = [(2, 3), (3, 2), (3,), (), (2, 2, 3)]
EMPTY = [(0, 0), (0, 2, 2), (2, 0, 0), (0, 3, 3)]


def everywhere(fn, compute, make=square, ulp=64, errors=True, **more):
    for dtype in [F32, F64, *([I32] if make is square else [])]:
        for n in [1, 2, 3, 5, 12]:
            of(fn, [make(n, dtype, n)], compute, ulp=ulp, **more)
        for lead in [(2,), (2, 3)]:
            of(fn, [make(3, dtype, 7, lead)], compute, ulp=ulp, **more)
    for shape in EMPTY:
        of(fn, [Ref(np.zeros(shape, F32))], compute, **more)
    if errors:
        for shape in SHAPES:
            of(fn, [Ref(np.ones(shape, F32))], compute, kind="ShapeError", **more)


def sloped(x):
    """slogdet as a list of two arrays."""
    sign, logarithm = L.slogdet(x)
    return [sign, logarithm]


def determinants():
    everywhere("inv", L.inv)
    everywhere("det", L.det)
    everywhere("slogdet", sloped)
    for x in SINGULAR:
        of("inv", [Ref(x)], L.inv)
        of("det", [Ref(x)], lambda a: 0.0 if a.shape != (1, 1) or a[0, 0] == 0 else L.det(a))
        of("slogdet", [Ref(x)], sloped)
    for x in views((3, 3), F64, 4):
        y = Ref(x.base, *x.steps)
        if abs(L.det(y.x)) > 0.1:
            of("inv", [y], L.inv, ulp=1000)
            of("det", [y], L.det, ulp=1000)


def systems():
    for dtype in [F32, F64]:
        for n, b in [(1, (1,)), (2, (2,)), (3, (3, 2)), (5, (5, 1)), (12, (12, 3)), (3, (0,)), (3, (2,)), (3, (3, 0))]:
            right = Ref(values(b, F64 if dtype == F64 else F32, 3))
            of("solve", [square(n, dtype, n), right], L.solve, kind="ShapeError")
        for lead, b in [((2,), (3, 2)), ((2, 2), (2, 3, 1)), ((1,), (4, 3, 2))]:
            # NumPy 1 takes a right side of one axis less for vectors.
            of("solve", [square(3, dtype, 5, lead), Ref(values(b, dtype, 3))], lambda x, y: L.solve(x, y.reshape((1,) * (x.ndim - y.ndim) + y.shape)))
        # A 1-d right side is one vector for all matrices, as in NumPy 2.
        of("solve", [square(3, dtype, 5, (2,)), Ref(values((3,), dtype, 3))], lambda a, b: L.solve(a, b[None, :, None])[..., 0])
        of("solve", [square(3, dtype, 5, (2,)), Ref(values((2, 3), dtype, 3))], lambda a, b: L.solve(a, b[..., None])[..., 0])
    of("solve", [square(3, F32, 1), Ref(values((3,), F64, 2))], L.solve)
    of("solve", [square(3, I32, 1), Ref(values((3,), I32, 2))], L.solve)
    for x in SINGULAR:
        of("solve", [Ref(x), Ref(np.ones(len(x)))], L.solve)
    of("solve", [Ref(np.zeros((0, 0), F32)), Ref(np.zeros((0, 2), F32))], L.solve)
    for n in [2, 4]:
        x = np.round(values((n, n, n * n), F64, n) + 3 * np.eye(n * n).reshape(n, n, -1), 3)
        of("tensorsolve", [Ref(x), Ref(values((n, n), F64, 1))], L.tensorsolve, ulp=1000)
        of("tensorinv", [Ref(x)], L.tensorinv, ulp=1000)
        y = np.moveaxis(x, 2, 0)
        case(F + "tensorsolve", [Ref(np.ascontiguousarray(y)), Ref(values((n, n), F64, 1))],
            lambda: L.tensorsolve(y, values((n, n), F64, 1), axes=(0,)), {"axes": [0]}, 1000, 10)
    of("tensorinv", [square(3, F64, 1)], lambda x: L.tensorinv(x, 1), [1])


def least(a, b):
    x, residuals, rank, s = L.lstsq(a, b, rcond=None)
    return [x, residuals, np.asarray(rank).astype(I32), s]


def least_squares():
    for dtype in [F64, F32]:
        for m, n in [(1, 1), (3, 2), (2, 3), (4, 4), (7, 3), (3, 7)]:
            for k in [None, 1, 2]:
                a = Ref(values((m, n), dtype, m + n) + np.eye(m, n).astype(dtype) * 4)
                of("lstsq", [a, Ref(values((m,) if k is None else (m, k), dtype, 2))], least, ulp=500)
    low = np.outer([1, 2, -1, 3], [2, 0, 1])
    of("lstsq", [Ref(low.astype(F64)), Ref(values((4,), F64, 2))], least, ulp=500)
    of("lstsq", [Ref(np.zeros((3, 2))), Ref(np.ones(3))], least)
    for a, b in [((3, 2), (2,)), ((3,), (3,)), ((2, 3, 2), (3,)), ((3, 2), ())]:
        case(F + "lstsq", [Ref(np.ones(a)), Ref(np.ones(b))], raising("ShapeError"))
    for dtype in [F64, F32]:
        for shape in [(1, 1), (3, 2), (2, 3), (4, 4), (2, 5, 3), (0, 2), (2, 0), (0, 2, 2)]:
            x = values(shape, dtype, 9) + (np.eye(*shape[-2:]) * 4).astype(dtype)
            of("pinv", [Ref(x)], L.pinv, ulp=500)
    of("pinv", [Ref(low.astype(F64))], lambda x: L.pinv(x, 1e-12), options={"rcond": 1e-12})
    of("pinv", [Ref(np.zeros((2, 3)))], L.pinv)


def factorisations():
    everywhere("cholesky", L.cholesky, definite)
    for x in [np.zeros((2, 2)), -np.eye(2), np.array([[1.0, 2], [2, 1]])]:
        of("cholesky", [Ref(x)], L.cholesky)
    lower = np.array([[4.0, 0], [2, 5]])
    of("cholesky", [Ref(lower)], L.cholesky)
    of("cholesky", [Ref(lower.T.copy())], lambda x: L.cholesky(x.T), options={"UPLO": "U"})
    for dtype in [F32, F64]:
        for shape in [(1, 1), (3, 3), (5, 2), (2, 5), (12, 9), (2, 4, 3), (2, 2, 3, 4), (0, 0), (3, 0), (0, 3), (0, 2, 2)]:
            x = Ref(values(shape, dtype, 6))
            # NumPy 1.24 has no stacks of modes other than these three.
            of("qr", [x], lambda a: list(L.qr(a)), ulp=500)
            of("qr", [x], lambda a: L.qr(a, "r"), options={"mode": "r"}, ulp=500)
            if shape[-2] <= shape[-1] or 0 in shape:
                of("qr", [x], lambda a: list(L.qr(a, "complete")), options={"mode": "complete"}, ulp=500)
    for shape in [(3,), ()]:
        of("qr", [Ref(np.ones(shape))], L.qr, kind="ShapeError")
    everywhere("eigvalsh", L.eigvalsh, definite)
    for side in ["L", "U"]:
        for x in [values((4, 4), F64, 3), values((2, 3, 3), F32, 3)]:
            of("eigvalsh", [Ref(x)], lambda a: L.eigvalsh(a, side), options={"UPLO": side})
    for dtype in [F32, F64]:
        for shape in [(1, 1), (3, 3), (5, 2), (2, 5), (12, 9), (2, 4, 3), (0, 0), (3, 0), (0, 2, 2)]:
            of("svd", [Ref(values(shape, dtype, 6))], lambda a: L.svd(a, compute_uv=False), options={"computeUv": False})
    for x in [np.array([[np.nan, 1], [1, 2]]), np.array([[np.inf, 1], [1, 2]])]:
        for fn in ["svd", "eigh", "eigvalsh", "pinv", "matrixRank"]:
            case(F + fn, [Ref(x)], raising("ValueError"))


def numbers():
    rank = lambda x, *a: np.asarray(L.matrix_rank(x, *a)).astype(I32)
    for x in [*SINGULAR, np.eye(3), np.diag([1, 1e-20, 1]), values((4, 3), F64, 2), values((2, 3, 3), F64, 2), np.zeros((0, 2, 2)),
            np.zeros(3), np.ones(3), np.array(0.0), np.array(2.0)]:
        of("matrixRank", [Ref(np.asarray(x, F64))], rank)
    of("matrixRank", [Ref(np.diag([1, 1e-3]))], lambda x: rank(x, 0.01), options={"tol": 0.01})
    for order in [None, 2, -2, 1, -1, INF, -INF, "fro", "nuc"]:
        for x in [square(3, F64, 2), square(2, F32, 3), square(3, F64, 4, (2,)), *[Ref(s) for s in SINGULAR[1:]]]:
            # NumPy fails here where the inverse is not a number.
            infinite = order == "nuc" and any(abs(L.det(m)) == 0 for m in x.x.reshape(-1, *x.x.shape[-2:]))
            if infinite and x.x.any():
                continue
            of("cond", [x], lambda a: INF if infinite else L.cond(a, order), [] if order is None else [order], ulp=1e4)
    of("cond", [Ref(values((4, 2), F64, 2))], L.cond)
    for x in [[[np.nan]], [[4, 2, 6], [2, 5, 1], [6, 1, np.nan]], [[np.nan, 0], [0, 1]]]:
        case(F + "cholesky", [Ref(np.array(x))], lambda: np.linalg.cholesky(np.array(x)))
    for shape in [(0, 0), (3, 0)]:
        case(F + "cond", [Ref(np.zeros(shape))], raising("ValueError"))
    for n in [0, 1, 2, 3, 7, -1, -3]:
        for x in [square(3, F64, 2), square(2, F32, 3, (2,))]:
            of("matrixPower", [x], lambda a: L.matrix_power(a, n), [n], ulp=500)
        if n >= 0:
            whole = Ref(values((2, 2), I32, 4))
            case(F + "matrixPower", [whole, n], lambda: L.matrix_power(whole.x, n).astype(I32))
    for n, kind in [(0.5, "ValueError"), ("x", "ValueError")]:
        case(F + "matrixPower", [square(2, F64, 1), n], raising(kind))
    for shapes in [[(2, 3), (3, 4)], [(3,), (3, 2)], [(2, 3), (3,)], [(3,), (3,)], [(10, 2), (2, 30), (30, 3), (3, 2)], [(3,), (3, 5), (5, 4), (4,)],
            [(2, 0), (0, 3)]]:
        for dtype in [F32, F64, I32]:
            xs = [Ref(values(s, dtype, i)) for i, s in enumerate(shapes)]
            case(F + "multiDot", [xs], lambda: L.multi_dot([x.x for x in xs]))
    for shapes, kind in [([(2, 2)], "ValueError"), ([(2, 3), (2, 3)], "ShapeError"), ([(2, 2), (2,), (2, 2)], "ShapeError"), ([(2, 2, 2), (2, 2)], "ShapeError")]:
        case(F + "multiDot", [[Ref(np.ones(s)) for s in shapes]], raising(kind))


INF = float("inf")
write([determinants, systems, least_squares, factorisations, numbers])
