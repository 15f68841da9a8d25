"""Cases of reductions over some elements (`where`) and onto a number (`initial`). Writes folds.json."""

import numpy as np

from common import *  # noqa: F403
import common

# What NumPy's functions make of the dtypes that nabla has: integers are summed in int32, their means are float32.
SUMS = {F32: F32, F64: F64, I32: I32, I8: I32, U8: I32, BOOL: I32}
MEANS = {F32: F32, F64: F64, I32: F32, I8: F32, U8: F32, BOOL: F32}
SAME = {d: d for d in DTYPES}
BOOLS = {d: BOOL for d in DTYPES}

# For each function: its dtypes, whether it takes `initial`, whether `where` needs it.
FOLDS = {
    "sum": (SUMS, True, False), "prod": (SUMS, True, False), "nansum": (SUMS, True, False),
    "max": (SAME, True, True), "min": (SAME, True, True), "nanmax": (SAME, True, True), "nanmin": (SAME, True, True),
    "mean": (MEANS, False, False), "var": (MEANS, False, False), "std": (MEANS, False, False),
    "nanmean": (MEANS, False, False), "nanvar": (MEANS, False, False), "nanstd": (MEANS, False, False),
    "all": (BOOLS, False, False), "any": (BOOLS, False, False),
}
common.SIGNLESS += ("np.nansum", "np.nanmax", "np.nanmin", "np.prod", "np.nanmean")


def folded(name, x, axis, options):
    """What NumPy answers; computed in float64 where it would round in float16, or in a smaller integer."""
    fn, (dtypes, _, _) = getattr(np, name), FOLDS[name]
    given = {k: v.x if isinstance(v, Ref) else np.asarray(v, bool) if k == "where" else v for k, v in options.items()}
    axis = tuple(axis) if isinstance(axis, list) else axis
    wide = x.x.astype(F64) if dtypes is MEANS else x.x
    return np.asarray(fn(wide, axis=axis, **given)).astype(dtypes[str(x.x.dtype)])


def tried(name, x, axis, options):
    ulp = 4 if FOLDS[name][0] is MEANS else 0
    written = {k: form_of(v) for k, v in options.items()}
    case(f"np.{name}", [x, axis], lambda: fails("ValueError", ValueError)(lambda: folded(name, x, axis, options)), written, ulp=ulp,
         scale=4 if ulp else None)


def masks(shape):
    n = len(shape)
    out = [Ref(values(shape, BOOL, 5)), Ref(values(shape, BOOL, 6)[..., :1]), True, False]
    return out + ([Ref(values(shape[1:], BOOL, 8)), Ref(values(shape[::-1], BOOL, 9), ["T"])] if n > 1 else [])


def parts():
    for name, (_, starts, needs) in FOLDS.items():
        for shape, dtype in [((5,), F32), ((3, 4), F64), ((2, 3, 4), F32), ((3, 4), I32), ((0, 3), F32), ((40, 9), F64)]:
            x = Ref(values(shape, dtype, 2))
            for where in masks(shape):
                for axis in [None, *range(len(shape)), *([[0, -1]] if len(shape) > 1 else [])]:
                    tried(name, x, axis, {"where": where, **({"initial": 2} if needs else {}), "keepdims": axis == 0})
        for dtype in DTYPES:
            x = Ref(values((3, 4), dtype, 3))
            tried(name, x, 0, {"where": Ref(values((3, 4), BOOL, 4)), **({"initial": 1} if needs else {})})
        for dtype in FLOATS:
            x = Ref(np.array([[1, np.nan, 3], [np.nan, np.nan, np.nan], [np.inf, 2, -np.inf]], dtype))
            for where in [[[True, False, True]] * 3, [[False, True, False]] * 3, [[True], [False], [True]]]:
                tried(name, x, 1, {"where": where, **({"initial": 0.5} if needs else {})})
        scalar = Ref(np.array(2.5, F64))
        for where in [True, False]:
            tried(name, scalar, None, {"where": where, **({"initial": 1} if needs else {})})
        x = Ref(values((3, 4), F32, 3))
        for wrong in [[True, False], [[[True]]], [[True] * 4] * 2]:
            case(f"np.{name}", [x, None], raising("ShapeError"), {"where": wrong, **({"initial": 1} if needs else {})})
        case(f"np.{name}", [x, None], raising("ValueError"), {"where": "all", **({"initial": 1} if needs else {})})
        if needs:
            case(f"np.{name}", [x, None], raising("ValueError"), {"where": [True, True, False, True]})
    for name in ["var", "std", "nanvar", "nanstd"]:
        x = Ref(values((4, 5), F64, 3))
        for ddof in [0, 1, 3]:
            tried(name, x, 0, {"where": Ref(values((4, 5), BOOL, 4)), "ddof": ddof})


def starts():
    for name, (dtypes, takes, _) in FOLDS.items():
        x = Ref(values((3, 4), F32, 3))
        if not takes:
            case(f"np.{name}", [x, None], raising("ValueError"), {"initial": 1})
            continue
        for dtype in DTYPES:
            x = Ref(values((3, 4), dtype, 3))
            for start in [0, 3, 2.5, 1 if dtype == U8 else -1]:
                result = dtypes[dtype]
                if result == BOOL:
                    start = start != 0
                first = np.array(start).astype(result)[()]
                for axis in [None, 0, 1]:
                    case(f"np.{name}", [x, axis], lambda: np.asarray(getattr(np, name)(x.x, axis=axis, initial=first)).astype(result),
                         {"initial": start})
        for shape in [(0,), (0, 3), (3, 0)]:
            x = Ref(values(shape, F64, 1))
            for axis in [None, *range(len(shape))]:
                for keepdims in [False, True]:
                    tried(name, x, axis, {"initial": 1.5, "keepdims": keepdims})
        x = Ref(np.array([[1, np.nan], [np.nan, np.nan]], F64))
        for start in [0.5, 7.0]:
            tried(name, x, 1, {"initial": start})
            tried(name, x, 1, {"initial": Ref(np.array(start, F64))})
        case(f"np.{name}", [x, None], raising("ShapeError"), {"initial": [1]})
        case(f"np.{name}", [x, None], raising("ValueError"), {"initial": "0"})


def about(name, x, mean, axis, ddof, keepdims, where):
    """NumPy 2's var with a mean, which 1.24 has not: by its definition. Of nothing, nanvar is NaN."""
    values, part = x.x.astype(F64), np.broadcast_to(where, x.x.shape)
    if name.startswith("nan"):
        part = part & ~np.isnan(values)
    count = np.sum(part, axis, keepdims=keepdims) - ddof
    squares = np.where(part, (values - np.asarray(mean, F64)) ** 2, 0)
    y = np.sum(squares, axis, keepdims=keepdims) / np.maximum(count, 0)
    y = np.where(count > 0, y, np.nan) if name.startswith("nan") else y
    return np.asarray(np.sqrt(y) if name.endswith("std") else y).astype(MEANS[str(x.x.dtype)])


def means():
    for name in ["var", "std", "nanvar", "nanstd"]:
        for dtype in DTYPES:
            for shape, axis in [((3, 4), 0), ((3, 4), 1), ((2, 3, 4), [0, 2]), ((5,), None)]:
                x = Ref(values(shape, dtype, 3))
                at = tuple(axis) if isinstance(axis, list) else axis
                exact = np.mean(x.x.astype(F64), at, keepdims=True)
                for mean in [Ref(exact), Ref(exact.astype(F32) + np.float32(0.5)), Ref(values((), F64, 1)), Ref(values((), I32, 1)), 0.25]:
                    for ddof, keepdims in [(0, False), (1, True)]:
                        if isinstance(mean, float) and ddof == 1 and dtype == BOOL:
                            continue
                        given = mean if isinstance(mean, float) else mean.x
                        case(f"np.{name}", [x, axis], lambda: about(name, x, given, at, ddof, keepdims, True),
                             {"mean": form_of(mean), "keepdims": keepdims, **({"correction": ddof} if ddof else {})}, ulp=4, scale=4)
        x = Ref(np.where(values((4, 5), BOOL, 7), np.nan, values((4, 5), F64, 3)))
        mask = Ref(values((4, 5), BOOL, 4))
        for axis, mean in [(0, Ref(values((1, 5), F64, 2))), (0, Ref(values((5,), F32, 2))), (1, Ref(values((4, 1), F32, 2))), (None, 1.5)]:
            given = mean if isinstance(mean, float) else mean.x
            for where in [mask, True]:
                part = where if where is True else where.x
                case(f"np.{name}", [x, axis], lambda: about(name, x, given, axis, 1, False, part),
                     {"mean": form_of(mean), "where": form_of(where), "ddof": 1}, ulp=4, scale=4)
        x = Ref(values((4, 4), F64, 3))
        for ddof in [0, 1, 2.5, 9]:
            case(f"np.{name}", [x, 1], lambda: getattr(np, name)(x.x, 1, ddof=ddof), {"correction": ddof}, ulp=4, scale=4)
        # A mean whose axes were not kept would stand along others.
        for wrong in [[1, 2, 3, 4], [[1, 2, 3, 4]] * 4, [1, 2], [[[1]]]]:
            case(f"np.{name}", [x, 1], raising("ShapeError"), {"mean": wrong})
        for how in [{"ddof": 0, "correction": 0}, {"correction": "1"}, {"correction": {"x": "nan"}}, {"mean": "0"}]:
            case(f"np.{name}", [x, 1], raising("ValueError"), how)
    case("np.mean", [x, 1], raising("ValueError"), {"mean": 0})


write([parts, starts, means])
