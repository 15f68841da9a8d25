"""Products of tensors, norms of all orders, polynomials and signals: NumPy's answers."""

import common
from common import *

# The order in which factors are multiplied and summed decides about the sign of a zero.
common.SIGNLESS += ("np.tensordot", "np.einsum")
INF = float("inf")


def cast(refs):
    """The operands in the dtype in which they meet."""
    met, xs = meet(*refs)
    return [np.asarray(x).astype(met) for x in xs]


def try_one(fn, refs, call, *rest):
    """A case whose error, if there is one, is about shapes."""
    case(fn, [*refs, *rest], lambda: fails("ShapeError", ValueError)(lambda: call(*cast(refs))))


def inner_products():
    shapes = [(), (3,), (1,), (0,), (2, 3), (3, 2), (2, 2, 3), (0, 3), (2, 0)]
    for s in shapes:
        for t in shapes:
            a, b = Ref(values(s, F32, 1)), Ref(values(t, F32, 2))
            try_one("np.vdot", [a, b], np.vdot)
            try_one("np.inner", [a, b], np.inner)
    for p in DTYPES:
        for q in DTYPES:
            for s, t in [((3,), (3,)), ((2, 3), (2, 3))]:
                a, b = Ref(values(s, p, 3)), Ref(values(t, q, 4))
                try_one("np.vdot", [a, b], np.vdot)
                try_one("np.inner", [a, b], np.inner)
    for a in views((2, 3), F64, 5):
        for b in views((2, 3), F64, 6)[:4]:
            try_one("np.vdot", [a, b], np.vdot)
            try_one("np.inner", [a, b], np.inner)
    x = Ref(np.array([1, np.nan, np.inf], F32))
    try_one("np.vdot", [x, x], np.vdot)
    try_one("np.inner", [x, Ref(np.array([1, 0, 2], F32))], np.inner)


def more_dots():
    """What core has not: dot and matmul of more than two axes, of all strides."""
    for s, t in [((2, 3), (2, 3, 4)), ((2, 2, 3), (2, 3, 2)), ((3,), (2, 2, 3, 2)), ((2, 1, 3), (3,)), ((2, 0), (3, 0, 2)),
            ((2, 2, 2), (0, 2, 3))]:
        for p, q in [(F32, F32), (F64, F32), (I32, I8), (U8, U8), (BOOL, BOOL)]:
            a, b = Ref(values(s, p, 1)), Ref(values(t, q, 2))
            try_one("np.dot", [a, b], np.dot)
    for a in views((2, 2, 3), F32, 1)[1:]:
        for b in views((2, 3, 2), F32, 2)[1:4]:
            try_one("np.dot", [a, b], np.dot)
    for s, t in [((3, 1, 2, 2), (2, 2, 3)), ((0, 2, 3), (3, 2)), ((2, 3), (0, 3, 2)), ((2, 0, 2), (2, 2, 0)), ((1, 1), (2, 1, 1))]:
        for dtype in [F64, I8, BOOL]:
            try_one("np.matmul", [Ref(values(s, dtype, 1)), Ref(values(t, dtype, 2))], np.matmul)


def tensordots():
    a, b, c = [Ref(values(s, F32, i)) for i, s in enumerate([(2, 3, 4), (4, 3, 2), (3, 4)])]
    for x, y, axes in [(a, b, 1), (a, b, 0), (c, c, None), (a, c, 1), (a, c, 2), (c, c, 2), (c, c, [0, 0]), (c, c, [1, -1]),
            (c, c, [[0], [0]]), (a, b, [[1, 2], [1, 0]]), (a, b, [[2, 0], [0, 2]]), (a, b, [[0, 1, 2], [2, 1, 0]]),
            (a, b, [[-1, -2], [0, 1]]), (a, b, [[], []]), (a, c, [[1, 2], [0, 1]]), (a, b, [1, 2]), (a, b, [0, 0])]:
        given = [x, y] if axes is None else [x, y, axes]
        # For two numbers NumPy takes one axis of each.
        case("np.tensordot", given, lambda: fails("ShapeError", ValueError)(lambda: np.tensordot(x.x, y.x, 2 if axes is None else axes)))
    for axes, kind in [(3, "ShapeError"), ([2, 0], "ShapeError"), ([-3, 0], "ShapeError"), ([[0, 0], [0, 1]], "ValueError"),
            ([[0, 1], [0]], "ValueError"), (0.5, "ValueError"), ("x", "ValueError"), ([0, 1, 0], "ValueError")]:
        case("np.tensordot", [c, c, axes], raising(kind))
    for p in DTYPES:
        for q in [F64, I32, I8, U8, BOOL]:
            x, y = Ref(values((2, 3), p, 1)), Ref(values((3, 2), q, 2))
            try_one("np.tensordot", [x, y], lambda s, t: np.tensordot(s, t, 1), 1)
    for x in views((2, 3, 2), F64, 1)[1:]:
        for y in views((3, 2), F64, 2)[:4]:
            try_one("np.tensordot", [x, y], lambda s, t: np.tensordot(s, t, [[1, 2], [0, 1]]), [[1, 2], [0, 1]])
    for s, t, n in [((), (), 0), ((3,), (), 0), ((0,), (0,), 1), ((2, 0), (0, 3), 1), ((2, 0), (3,), 0)]:
        try_one("np.tensordot", [Ref(values(s, F32)), Ref(values(t, F32))], lambda p, q: np.tensordot(p, q, n), n)


def einsums():
    def contraction(subscripts, *refs):
        case("np.einsum", [subscripts, *refs], lambda: np.asarray(np.einsum(subscripts, *cast(refs))))

    def floats(*shapes):
        return [Ref(values(s, F32, i)) for i, s in enumerate(shapes)]

    for subscripts, *shapes in [
            ("i", (3,)), ("i->", (3,)), ("ii", (3, 3)), ("ii->i", (3, 3)), ("ij->ji", (2, 3)), ("ji", (2, 3)), ("ij->j", (2, 3)),
            ("ij->", (2, 3)), ("iii->i", (2, 2, 2)), ("iij->ji", (2, 2, 3)), ("iji", (2, 3, 2)), ("aA", (2, 3)), ("bB,a", (2, 3), (2,)),
            ("Ab,bC", (2, 3), (3, 2)), ("i,i", (3,), (3,)), ("i,j", (3,), (2,)), ("i,i->i", (3,), (3,)), ("i,j->ji", (3,), (2,)),
            ("ij,jk", (2, 3), (3, 4)), ("ij,jk->ki", (2, 3), (3, 4)), ("ij,kj->ik", (2, 3), (4, 3)), ("ij,ij", (2, 3), (2, 3)),
            ("ij,ij->j", (2, 3), (2, 3)), ("ij,ji->", (2, 3), (3, 2)), ("ij,k->i", (2, 3), (4,)), ("ij,ik->jk", (2, 3), (2, 4)),
            ("bij,bjk->bik", (2, 2, 3), (2, 3, 4)), ("bij,bjk->kib", (2, 2, 3), (2, 3, 4)), ("bhqd,bhkd->bhqk", (2, 2, 2, 3), (2, 2, 4, 3)),
            ("ijk,kj", (2, 3, 4), (4, 3)), ("ijk,jil->kl", (2, 3, 4), (3, 2, 2)), ("ii,i->i", (3, 3), (3,)), ("ii,jj->ij", (2, 2), (3, 3)),
            ("ij,j,i", (2, 3), (3,), (2,)), ("ij,jk,kl->il", (2, 3), (3, 2), (2, 4)), ("a,b,c,d", (2,), (2,), (1,), (3,)),
            ("i,i,i,i->", (3,), (3,), (3,), (3,)), ("ab,bc,ca", (2, 3), (3, 2), (2, 2)), ("ab,cd,bc->ad", (2, 3), (2, 3), (3, 2)),
            ("ea,fb,abcd,gc,hd->efgh", (2, 2), (2, 2), (2, 2, 2, 2), (2, 2), (2, 2)), ("ij,ij,i->j", (2, 3), (2, 3), (2,)),
            ("...", (2, 3)), ("...->...", (2, 3)), ("...i", (2, 3)), ("i...", (2, 3)), ("i...->...i", (2, 3, 4)), ("...i->...", (2, 3)),
            ("...ii->...i", (2, 3, 3)), ("...ii", (2, 3, 3)), ("i...i", (3, 2, 3)), ("...,...", (2, 3), (3,)), ("...i,...i", (2, 3), (3,)),
            ("...ij,...jk", (2, 2, 3), (3, 2)), ("...ij,...jk->...ik", (2, 1, 2, 3), (3, 3, 2)), ("i...,j...->ij...", (2, 3), (4, 1)),
            ("ij...,jk...->ik...", (2, 3, 2), (3, 2, 1)), ("a...b,b...a", (2, 3, 2), (2, 3, 2)), ("...i->i", (3,)), ("i->...i", (3,)),
            ("ij->ij...", (2, 3)), ("...,...,...->...", (2, 1), (3,), ()), ("", ()), ("->", ()), (",", (), ()), (",i", (), (3,)),
            (",,->", (), (), ()), (" i j , j k -> k i ", (2, 3), (3, 2)), ("i,i->i", (1,), (3,)), ("i,i", (1,), (3,)),
            ("ij,jk", (2, 1), (3, 2)), ("ij,i->ij", (1, 3), (2,)), ("i,i,i", (1,), (3,), (3,)), ("i,i->i", (0,), (1,)), ("i,i", (0,), (0,)),
            ("ij,jk", (2, 0), (0, 3)), ("ij,jk", (0, 2), (2, 3)), ("ij->j", (0, 3)), ("ij->i", (0, 3)), ("ii", (0, 0)), ("ij,ij->i", (2, 0), (2, 0)),
            ("bij,bjk", (0, 2, 3), (0, 3, 2)), ("i,j->", (0,), (3,)), ("ii,ii", (1, 1), (1, 1)), ("iijj->ij", (2, 2, 3, 3)),
            ("ijij", (2, 3, 2, 3)), ("ijij->ji", (2, 3, 2, 3))]:
        contraction(subscripts, *floats(*shapes))
    for subscripts, kind, *shapes in [
            ("ij,jk", "ValueError", (2, 3)), ("i", "ValueError", (3,), (3,)), ("i.j", "ValueError", (2, 3)), ("..i", "ValueError", (3,)),
            ("ij->ii", "ValueError", (2, 3)), ("ij->ik", "ValueError", (2, 3)), ("ij->i->j", "ValueError", (2, 3)), ("ij-i", "ValueError", (2, 3)),
            ("ij>i", "ValueError", (2, 3)), ("......", "ValueError", (3,)), ("...i...", "ValueError", (3,)), ("ij", "ValueError", (3,)),
            ("i", "ValueError", (3, 2)), ("i1", "ValueError", (2, 3)), ("i->i,", "ValueError", (3,)), ("...i->i", "ValueError", (2, 3)),
            ("i,", "ValueError", (3,)), ("", "ValueError", (3,)), ("i->j...", "ValueError", (3,)), ("ij...", "ValueError", (3,)),
            ("ii", "ShapeError", (1, 3)), ("ii->i", "ShapeError", (3, 2)), ("i,i", "ShapeError", (2,), (3,)), ("ij,jk", "ShapeError", (2, 3), (2, 3)),
            ("...,...", "ShapeError", (2, 3), (2,)), ("i,i,i", "ShapeError", (2,), (1,), (3,)), ("i,i", "ShapeError", (0,), (2,))]:
        refs = floats(*shapes)
        try:
            np.einsum(subscripts, *[r.x for r in refs])
            raise AssertionError(subscripts)
        except ValueError:
            case("np.einsum", [subscripts, *refs], raising(kind))
    for p in DTYPES:
        for q in DTYPES:
            contraction("ij,jk->ki", Ref(values((2, 3), p, 1)), Ref(values((3, 2), q, 2)))
        for subscripts in ["ij->", "ij->j", "ij->ji", "ii->i" if p == F32 else "ij,ij->i", "ij,kl->il"]:
            shape = (3, 3) if subscripts == "ii->i" else (2, 3)
            contraction(subscripts, *[Ref(values(shape, p, k)) for k in range(subscripts.count(",") + 1)])
    for x in views((2, 3), F64, 1)[1:]:
        for y in views((3, 2), F64, 2)[1:]:
            contraction("ij,jk->ki", x, y)
        contraction("ij->j", x)
        contraction("ij,ij->i", x, x)
    for x in views((2, 3, 3), F32, 1)[1:]:
        contraction("ijj->ji", x)
        contraction("ijk,ikj->i", x, x)


def krons():
    for s, t in [((), ()), ((), (2,)), ((3,), ()), ((2,), (3,)), ((2, 2), (2, 3)), ((3,), (2, 2)), ((2, 1, 2), (2, 2)), ((0,), (2,)), ((2, 0), (3,)),
            ((2,), (0, 2))]:
        try_one("np.kron", [Ref(values(s, F32, 1)), Ref(values(t, F32, 2))], np.kron)
    for p in DTYPES:
        for q in DTYPES:
            try_one("np.kron", [Ref(values((2,), p, 1)), Ref(values((2,), q, 2))], np.kron)
    for x in views((2, 2), F32, 1)[1:]:
        try_one("np.kron", [x, Ref(values((1, 2), F32, 3))], np.kron)


def crosses():
    for s, t, axis in [((3,), (3,), None), ((2,), (2,), None), ((2,), (3,), None), ((3,), (2,), None), ((2, 3), (3,), None), ((2, 3), (2, 3), -1),
            ((4, 2), (2,), None), ((2, 1, 3), (4, 3), None), ((3, 4), (3, 4), 0), ((2, 4), (3, 4), 0), ((2, 4), (2, 4), 0), ((3, 5, 1), (3, 1, 4), 0),
            ((2, 3, 2), (2, 3, 2), 1), ((2, 3, 2), (2, 2, 2), -2), ((0, 3), (3,), None), ((0, 2), (0, 2), None), ((4,), (4,), None), ((3,), (4,), None),
            ((1,), (3,), None), ((2, 3), (4, 3), None), ((0,), (3,), None)]:
        rest = [] if axis is None else [axis]
        try_one("np.cross", [Ref(values(s, F32, 1)), Ref(values(t, F32, 2))], lambda a, b: np.cross(a, b, axis=-1 if axis is None else axis), *rest)
    x = Ref(values((3,), F32))
    case("np.cross", [x, x, 1], raising("ShapeError"))
    case("np.cross", [x, x, 0.5], raising("ValueError"))
    case("np.cross", [2, x], raising("ShapeError"))
    for p in DTYPES[:-1]:
        for q in DTYPES[:-1]:
            try_one("np.cross", [Ref(values((3,), p, 1)), Ref(values((3,), q, 2))], np.cross)
    for a in views((2, 3), F64, 1):
        for b in views((2, 3), F64, 2)[1:4]:
            try_one("np.cross", [a, b], np.cross)

    def try_axes(refs, axis, **axes):
        for a in [axis, None] if axis is None or refs[0].x.ndim > 1 else [axis]:
            case("np.cross", [*refs, a], lambda: fails("ShapeError", ValueError)(lambda: np.cross(*cast(refs), axis=a, **axes)), axes)

    for s, t in [((3, 4), (4, 3)), ((2, 4), (4, 3)), ((3, 4), (4, 2)), ((2, 4), (4, 2)), ((3,), (4, 3)), ((3, 5, 4), (5, 4, 3)), ((5, 2, 4), (3, 5, 4)),
            ((2, 3, 2), (3, 2, 2)), ((3, 1, 4), (5, 1, 2)), ((0, 3), (3, 0)), ((3, 2, 3), (2, 3)), ((3,), (3,)), ((2,), (3,)), ((2, 2), (2, 2))]:
        a, b = Ref(values(s, F32, 1)), Ref(values(t, F32, 2))
        for p in range(-len(s), len(s) + 1):
            for q in range(-len(t), len(t) + 1):
                for r in [-1, 0, 1, -2, 3]:
                    if r in (-1, 0) or (p + q + len(s)) % 3 == 0:
                        try_axes([a, b], None, axisa=p, axisb=q, axisc=r)
        try_axes([a, b], None, axisa=0)
        try_axes([a, b], None, axisb=0)
        try_axes([a, b], None, axisc=0)
        try_axes([a, b], 0, axisa=1, axisb=-1, axisc=9)
        try_axes([a, b], -1, axisa=9)
    for p in DTYPES:
        for q in DTYPES:
            if p == q == BOOL:
                case("np.cross", [Ref(values((2,), p, 1)), Ref(values((3,), q, 2))], raising("DTypeError"))
                continue
            for m, n in [(2, 3), (3, 2), (2, 2)]:
                try_axes([Ref(values((m, 2), p, 1)), Ref(values((n,), q, 2))], None, axisa=0)
    for data in [[np.inf, 2, 3], [0, -np.inf, 1], [1, 2, np.inf], [-0.0, 0.0, 1], [np.nan, 0, -0.0]]:
        for other in [[0, -1], [-0.0, 5], [np.inf, 0], [1, 0, -np.inf]]:
            a, b = Ref(np.array(data, F64)), Ref(np.array(other, F64))
            try_one("np.cross", [a, b], np.cross)
            try_one("np.cross", [b, a], np.cross)
    for a in views((4, 3), F32, 1):
        for b in views((2, 4), F32, 2):
            try_axes([a, b], None, axisb=0, axisc=0)
    case("np.cross", [x, x, None], raising("ValueError"), {"axisa": 0.5})
    case("np.cross", [x, x, None], raising("ValueError"), {"axes": 0})


def polynomials():
    for s, t in [((3,), (4,)), ((3,), ()), ((1,), (2, 2)), ((0,), (2,)), ((4,), (0,)), ((2, 3), (3,)), ((4,), (2, 3))]:
        try_one("np.polyval", [Ref(values(s, F32, 1)), Ref(values(t, F32, 2))], np.polyval)
    for p in DTYPES[:-1]:
        for q in DTYPES[:-1]:
            try_one("np.polyval", [Ref(values((2,), p, 1)), Ref(values((3,), q, 2))], np.polyval)
    for a in views((3,), F64, 1)[1:]:
        for x in views((2, 2), F64, 2)[1:]:
            try_one("np.polyval", [a, x], np.polyval)
    x = Ref(np.array([0.5, -2, np.nan, np.inf], F64))
    case("np.polyval", [[0.1, -0.2, 3], x], lambda: np.polyval([0.1, -0.2, 3], x.x), ulp=1)
    case("np.polyval", [[3, 0, 1], Ref(np.array([5, -2], I32))], lambda: np.polyval([3, 0, 1], np.array([5, -2], I32)).astype(I32))
    case("np.polyval", [[1, 2], 3], lambda: np.float32(5))
    case("np.polyval", [2, x], raising("ShapeError"))


def signals():
    for fn, call in [("np.convolve", np.convolve), ("np.correlate", np.correlate)]:
        for n in [1, 2, 3, 4, 7]:
            for k in [1, 2, 3, 6]:
                a, v = Ref(values((n,), F32, 1)), Ref(values((k,), F32, 2))
                for mode in ["full", "same", "valid"]:
                    try_one(fn, [a, v], lambda p, q: call(p, q, mode), mode)
                try_one(fn, [a, v], call)
        for p in DTYPES:
            for q in DTYPES:
                try_one(fn, [Ref(values((4,), p, 1)), Ref(values((2,), q, 2))], call)
        for a in views((5,), F64, 1):
            for v in views((3,), F64, 2)[1:]:
                try_one(fn, [a, v], lambda p, q: call(p, q, "same"), "same")
        # What is not finite touches the places it reaches, and no others.
        for data in [[1, 2, INF, 3, 4], [np.nan, 1, 2, 3, -INF]]:
            for kernel in [[INF, 1, 2], [1, np.nan, 2, -INF], [0, 0, -INF, 1, 2, 3, 4]]:
                for dtype in FLOATS:
                    for p, q in [(data, kernel), (data, kernel[::-1]), ([1, 2, 3, 4, 5], kernel)]:
                        a, v = Ref(np.array(p, dtype)), Ref(np.array(q, dtype))
                        for mode in ["full", "same", "valid"]:
                            try_one(fn, [a, v], lambda p, q: call(p, q, mode), mode)
        x, none, table = Ref(values((3,), F32)), Ref(values((0,), F32)), Ref(values((2, 3), F32))
        for given, kind in [([none, x], "ValueError"), ([x, none], "ValueError"), ([table, x], "ShapeError"), ([x, table], "ShapeError"),
                ([x, x, "all"], "ValueError"), ([x, x, 3], "ValueError")]:
            case(fn, given, raising(kind))
        x = Ref(np.array([1, np.nan, 2, np.inf, 0, 0], F32))
        try_one(fn, [x, Ref(np.array([1, 2], F32))], call)
    try_one("np.convolve", [Ref(values((), F32, 2)), Ref(values((3,), F32))], np.convolve)
    case("np.correlate", [Ref(values((), F32)), x], raising("ShapeError"))


def norms():
    def floating(x):
        return x if str(x.dtype) in FLOATS else x.astype(F32)

    def of(x, order, axis, keepdims, ulp, scale=None):
        at = tuple(axis) if isinstance(axis, list) else axis

        def compute():
            # In extended precision where NumPy has it, so that the answer is right to the last place.
            a = floating(x.x)
            wide = a.astype(F64) if order in (2, -2, "nuc") else a.astype(np.longdouble)
            y = np.linalg.norm(wide, order, at, keepdims)
            return np.asarray(y).astype(a.dtype)

        case("np.linalg.norm", [x, order, axis], lambda: fails("ValueError", ValueError)(compute), {"keepdims": True} if keepdims else None,
            ulp=ulp, scale=scale)

    vectors = [1, 2, 3, 4, 2.5, 0.5, -1, -2, 0, INF, -INF]
    matrices = ["fro", "nuc", 1, -1, 2, -2, INF, -INF]
    x, y, z = Ref(values((5,), F32, 1)), Ref(values((3, 4), F64, 3)), Ref(values((2, 3, 4), F32, 4))
    for order in vectors:
        of(x, order, None, False, 4)
        of(x, order, 0, True, 4)
        of(y, order, 1, False, 4)
        of(y, order, 0, True, 4)
        of(z, order, -2, False, 4)
        of(z, order, [1], False, 4)
        of(Ref(np.array([3, 0, -4], F32)), order, None, False, 4)
        of(Ref(np.zeros(3, F64)), order, None, False, 4)
        of(Ref(values((4,), I32, 5)), order, None, False, 4)
        of(Ref(values((4,), BOOL, 5)), order, None, False, 4)
        of(Ref(np.array([1, np.nan, 0], F32)), order, None, False, 4)
        of(Ref(np.array([1, -np.inf, 2], F32)), order, None, False, 4)
        of(Ref(values((0, 3), F32)), order, 1, False, 4)
        of(Ref(values((0, 3), F32)), order, 0, False, 4)
        for v in views((2, 3), F32, 6)[1:]:
            of(v, order, 1, False, 4)
    for order in matrices:
        of(y, order, None, False, 4, 8)
        of(y, order, [1, 0], True, 4, 8)
        of(z, order, [0, 2], False, 4, 8)
        of(z, order, [2, 1], False, 4, 8)
        of(z, order, [-1, 0], True, 4, 8)
        of(Ref(values((3, 3), I32, 5)), order, None, False, 4, 8)
        of(Ref(values((2, 2), BOOL, 5)), order, None, False, 4, 8)
        of(Ref(np.zeros((2, 3), F32)), order, None, False, 4)
        of(Ref(np.outer([1, 2, 3], [1, -1, 2]).astype(F64)), order, None, False, 4, 16)
        of(Ref(values((1, 1), F32, 2)), order, None, True, 4)
        of(Ref(values((4, 1), F32, 2)), order, None, False, 4, 2)
        for shape in [(0, 3), (3, 0), (0, 2, 3), (2, 0, 3)]:
            of(Ref(values(shape, F32)), order, [-2, -1], False, 4)
        for v in views((3, 2), F32, 6)[1:]:
            of(v, order, None, False, 4, 8)
        of(x, order, 0, False, 4)
    nan = Ref(np.array([[1, np.nan], [2, 3]], F32))
    for order in ["fro", 1, -1, INF, -INF]:
        of(nan, order, None, False, 4)
    for order in [2, -2, "nuc"]:
        case("np.linalg.norm", [nan, order], raising("ValueError"))
    for order in [3, 0, 0.5, "x"]:
        case("np.linalg.norm", [y, order], raising("ValueError"))
        case("np.linalg.norm", [y, order, [0, 1]], raising("ValueError"))
    for order, axis in [("nuc", 0), ("x", 0), (2, [0, 1, 2]), (1, []), (2, None)]:
        case("np.linalg.norm", [z, order, axis], raising("ValueError"))
    case("np.linalg.norm", [3, 2], raising("ValueError"))
    case("np.linalg.norm", [z, 2, [0, 0]], raising("ValueError"))
    case("np.linalg.norm", [z, 2, [0, 3]], raising("ShapeError"))


write([inner_products, more_dots, tensordots, einsums, krons, crosses, polynomials, signals, norms])
