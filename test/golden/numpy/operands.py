"""Cases of lists and numbers beside arrays: no float64 result holds a number rounded to float32. Writes operands.json."""

import numpy as np

from common import *  # noqa: F403

LIST = [0.1, 0.7, 1 / 3]
MATRIX = [[0.1, 0.2, 1.3], [1 / 3, 1.1, 0.6], [0.9, 0.7, 2.1]]


def camel(name):
    first, *rest = name.split("_")
    return first + "".join(w.title() for w in rest)


def beside(fn, compute, x, given, *more, ulp=0):
    """The list before and behind a float64 array; alone and beside float32 it stays float32."""
    wide, narrow = Ref(np.array(x, F64)), Ref(np.array(x, F32))
    double, single = np.array(given, F64), np.array(given, F32)
    case(fn, [wide, given, *more], lambda: compute(wide.x, double, *more), ulp=ulp)
    case(fn, [given, wide, *more], lambda: compute(double, wide.x, *more), ulp=ulp)
    case(fn, [narrow, given, *more], lambda: compute(narrow.x, single, *more), ulp=ulp and 2)
    case(fn, [given, x, *more], lambda: compute(single, narrow.x, *more), ulp=ulp and 2)


def pairs():
    x = [0.1, 0.30000001192092896, 0.7]
    for name in ["add", "subtract", "multiply", "divide", "maximum", "minimum", "fmax", "fmin", "equal", "not_equal", "less",
                 "less_equal", "greater", "greater_equal", "remainder", "fmod", "floor_divide", "copysign"]:
        beside(f"np.{camel(name)}", getattr(np, name), x, LIST)
    for name in ["power", "hypot", "arctan2", "logaddexp"]:
        beside(f"np.{camel(name)}", getattr(np, name), x, LIST, ulp=2)
    wide = Ref(np.array(x, F64))
    case("np.add", [wide, [True, False, True]], lambda: wide.x + np.array([1, 0, 1], F64))
    case("np.add", [wide, [[0.1], [0.2]]], lambda: wide.x + np.array([[0.1], [0.2]], F64))
    whole = Ref(np.array([1, 2, 3], I32))
    case("np.add", [whole, LIST], lambda: whole.x.astype(F32) + np.array(LIST, F32))
    for name in ["isclose", "array_equal", "allclose"]:
        case(f"np.{camel(name)}", [Ref(np.array(LIST, F64)), LIST], lambda: np.isclose(
            LIST, LIST) if name == "isclose" else True)


def choices():
    x = Ref(np.array([0.1, 0.5, 0.7], F64))
    narrow = Ref(np.array([0.1, 0.5, 0.7], F32))
    mask = Ref(np.array([True, False, True]))
    case("np.where", [mask, LIST, x], lambda: np.where(mask.x, LIST, x.x))
    case("np.where", [mask, 0.1, x], lambda: np.where(mask.x, 0.1, x.x))
    # A condition has no say in the dtype.
    case("np.where", [x, LIST, narrow], lambda: np.where(x.x, np.array(LIST, F32), narrow.x))
    case("np.clip", [x, [0.2, 0.2, 0.2], 0.6], lambda: np.clip(x.x, [0.2] * 3, 0.6))
    case("np.select", [[mask], [x], LIST], lambda: np.select([mask.x], [x.x], np.array(LIST)))
    case("np.select", [[mask], [LIST], x], lambda: np.select([mask.x], [np.array(LIST)], x.x))
    case("np.select", [[mask, mask], [x, narrow], 0.1], lambda: np.select([mask.x, mask.x], [x.x, narrow.x], 0.1))
    case("np.choose", [[0, 1, 0], [LIST, x]], lambda: np.choose([0, 1, 0], [LIST, x.x]))
    case("np.searchsorted", [x, LIST], lambda: np.searchsorted(x.x, LIST).astype(I32))
    case("np.searchsorted", [[0.1, 0.5, 0.7], x], lambda: np.searchsorted([0.1, 0.5, 0.7], x.x).astype(I32))
    case("np.digitize", [x, [0.1, 0.5, 0.7]], lambda: np.digitize(x.x, [0.1, 0.5, 0.7]).astype(I32))
    case("np.isin", [x, LIST], lambda: np.isin(x.x, LIST))
    case("np.histogram", [x, [0.1, 0.3, 0.7]], lambda: [np.histogram(x.x, [0.1, 0.3, 0.7])[0].astype(I32), np.array([0.1, 0.3, 0.7])])
    case("np.interp", [0.3, x, LIST], lambda: np.asarray(np.interp(0.3, x.x, LIST)), ulp=4)
    case("np.interp", [x, [0.1, 0.5, 0.9], LIST], lambda: np.interp(x.x, [0.1, 0.5, 0.9], LIST), ulp=4)
    case("np.average", [x, None], lambda: np.average(x.x, weights=LIST), {"weights": LIST}, ulp=4)
    case("np.trapezoid", [x, LIST], lambda: np.trapz(x.x, LIST), ulp=4)
    case("np.trapezoid", [LIST, x], lambda: np.trapz(LIST, x.x), ulp=4)


def joins():
    x = Ref(np.array([0.1, 0.5], F64))
    whole = Ref(np.array([1, 2], I32))
    for name, fn in [("concatenate", np.concatenate), ("hstack", np.hstack)]:
        case(f"np.{name}", [[x, [0.1]]], lambda: fn([x.x, [0.1]]))
        case(f"np.{name}", [[[0.1], x, [1 / 3]]], lambda: fn([[0.1], x.x, [1 / 3]]))
    case("np.concatenate", [[[0.1], [1 / 3]]], lambda: np.array([0.1, 1 / 3], F32))
    case("np.concatenate", [[whole, [0.1]]], lambda: np.array([1, 2, 0.1], F32))
    for name, fn in [("stack", np.stack), ("vstack", np.vstack), ("columnStack", np.column_stack)]:
        case(f"np.{name}", [[x, [0.1, 0.2]]], lambda: fn([x.x, [0.1, 0.2]]))
    for v in [0.1, [0.1], [[1 / 3, 0.1]]]:
        case("np.append", [x, v], lambda: np.append(x.x, v))
        case("np.append", [v, x], lambda: np.append(v, x.x))
    case("np.insert", [x, 1, 0.1], lambda: np.insert(x.x, 1, 0.1))
    case("np.fullLike", [x, [0.1, 0.2]], lambda: np.full_like(x.x, [0.1, 0.2]))
    case("set", [x, [0.1, 0.2]], lambda: np.array([0.1, 0.2]))
    case("iadd", [x, [0.1, 0.2]], lambda: x.x + [0.1, 0.2], {"$writes": 1})
    case("np.linspace", [x, [0.3, 0.7], 3], lambda: np.linspace(x.x, [0.3, 0.7], 3), ulp=1)


def products():
    beside("np.outer", np.outer, LIST, LIST[:2])
    beside("np.kron", np.kron, LIST, LIST[:2])
    for name in ["dot", "inner", "vdot", "convolve", "correlate"]:
        beside(f"np.{name}", getattr(np, name), LIST, [0.3, 0.1, 0.2], ulp=4)
    beside("np.cross", np.cross, [0.1, 0.5, 0.7], [0.3, 0.1, 0.2], ulp=8)
    for name in ["matmul", "dot", "tensordot"]:
        beside(f"np.{name}", getattr(np, name), MATRIX, np.array(MATRIX).T.tolist(), *([1] if name == "tensordot" else []), ulp=4)
    x = Ref(np.array(MATRIX, F64))
    case("np.einsum", ["ij,j->i", x, LIST], lambda: np.einsum("ij,j->i", x.x, LIST), ulp=4)
    case("np.polyval", [x, 0.1], lambda: np.polyval(x.x, 0.1), ulp=4)
    case("npx.fullyConnected", [x, MATRIX, LIST], lambda: x.x @ np.array(MATRIX).T + LIST, ulp=4)
    case("npx.fullyConnected", [MATRIX, x], lambda: np.array(MATRIX) @ x.x.T, ulp=4)


write([pairs, choices, joins, products])
