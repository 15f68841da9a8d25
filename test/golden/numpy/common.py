"""How calls of nabla and NumPy's (1.24) answers to them are written down, for numpy.test.ts, which knows no function by name.

Dtypes follow nabla's own table (numbers make float32, positions are int32), so operands are cast here before NumPy sees them.
Each family of functions is a program of its own beside this file: python3 core.py writes core.json, and so on.
"""

import json
import os
import random
import sys
import warnings

import numpy as np

F32, F64, I32, I8, U8, BOOL = "float32", "float64", "int32", "int8", "uint8", "bool"
DTYPES = [F32, F64, I32, I8, U8, BOOL]
FLOATS = (F32, F64)
LIMITS = {I32: (-2**31, 2**31 - 1), I8: (-128, 127), U8: (0, 255)}

# Which of 0 and -0 is larger, and the sign of an empty sum, differ from one NumPy to the next.
SIGNLESS = ("np.maximum", "np.minimum", "np.fmax", "np.fmin", "np.max", "np.min", "np.amax", "np.amin", "np.clip", "np.sum", "np.mean")

arrays, cases = {}, []
rng = random.Random(20)


class Wrong(Exception):
    """A case that has to fail, with the class of its error."""

    def __init__(self, kind):
        super().__init__(kind)
        self.kind = kind


class Ref:
    """An input array: contiguous data, and steps that make a view of it."""

    def __init__(self, data, *steps):
        self.base = np.ascontiguousarray(data).reshape(np.shape(data))
        self.steps = [list(s) for s in steps]
        self.x = self.base
        for name, *args in steps:
            if name == "T":
                self.x = self.x.T
            elif name == "at":
                self.x = self.x[tuple(index_of(a) for a in args)]
            elif name == "broadcastTo":
                self.x = np.broadcast_to(self.x, args[0])
            elif name == "transpose":
                self.x = self.x.transpose(args)
        self.id = entry([entry(written(self.base)), *self.steps] if self.steps else written(self.base))


def entry(form):
    """The place of an array in the table of all arrays."""
    return arrays.setdefault(json.dumps(form, separators=(",", ":")), len(arrays))


def number(v, dtype):
    """A value in the fewest digits that give it back."""
    if dtype not in FLOATS:
        return str(int(v))
    if np.isnan(v) or np.isinf(v):
        return {"nan": "n", "inf": "i", "-inf": "-i"}[str(float(v))]
    v = float(str(v))
    return str(int(v)) if v == int(v) and abs(v) < 1e6 and not (v == 0 and np.signbit(v)) else repr(v)


def written(a):
    """An array as text: dtype, sizes, values; a value for all of them once."""
    words = [number(v, str(a.dtype)) for v in np.asarray(a).reshape(-1)]
    if len(words) > 1 and len(set(words)) == 1:
        words = ["*", words[0]]
    return f"{a.dtype}|{','.join(map(str, a.shape))}|{' '.join(words)}"


def index_of(item):
    """An index item of nabla as one of NumPy."""
    if isinstance(item, str):
        if item.strip() == "...":
            return Ellipsis
        return slice(*[int(p) if p.strip() else None for p in item.split(":")])
    if isinstance(item, dict) and "slice" in item:
        return slice(*item["slice"])
    if isinstance(item, Ref):
        return item.x
    if isinstance(item, list):
        return np.array(item, dtype=None if item else np.int64)
    return item


def form_of(arg):
    if isinstance(arg, Ref):
        return f"@{arg.id}"
    if isinstance(arg, float) and not np.isfinite(arg):
        return {"x": str(arg)}
    if isinstance(arg, (list, tuple)):
        return [form_of(a) for a in arg]
    return arg


def case(fn, args, compute, options=None, ulp=0, scale=None, shares=None):
    """One call: `compute` gives an array of the dtype wanted (a list or tuple where nabla gives a list), or raises Wrong.

    `ulp` is the tolerance in units of the last place of each element, or (with `scale`) of `scale`; `shares` says whether
    the result is a view of the first array.
    """
    how = dict(options or {})
    try:
        y = compute()
        wanted = [result_of(fn, part) for part in y] if isinstance(y, (list, tuple)) else result_of(fn, y)
        if ulp:
            how["$ulp"] = ulp
        if scale is not None:
            how["$scale"] = float(scale)
        if shares is not None and np.size(y) > 0:
            how["$shares"] = int(shares)
    except Wrong as e:
        wanted = e.kind
    cases.append((fn, [[form_of(a) for a in args], wanted, *([how] if how else [])]))


def result_of(fn, y):
    """The place of a result in the table of arrays; a bare boolean, which NumPy gives for a question, as it is."""
    if isinstance(y, bool):
        return {"bool": y}
    y = np.asarray(y)
    if fn in SIGNLESS and str(y.dtype) in FLOATS:
        y = np.where(y == 0, np.abs(y), y)
    return entry(written(y))


def fails(kind, *errors):
    """Runs a NumPy call, turning its error into the class that nabla throws."""

    def run(compute):
        try:
            return compute()
        except (errors or (Exception,)) as e:
            raise Wrong(kind) from e

    return run


def values(shape, dtype, seed=0):
    """Small dyadic numbers, so that sums and products are exact in any order; and some zeros."""
    n = int(np.prod(shape))
    r = np.random.RandomState(seed + 31 * n + len(shape))
    if dtype == BOOL:
        return (r.randint(0, 2, n) == 1).reshape(shape)
    low, high = (0, 9) if dtype == U8 else (-8, 9)
    a = r.randint(low, high, n)
    return (a / 4 if dtype in FLOATS else a).astype(dtype).reshape(shape)


def views(shape, dtype, seed=0):
    """Arrays of the shape with every kind of strides."""
    out = [Ref(values(shape, dtype, seed))]
    if len(shape) >= 2:
        out.append(Ref(values(shape[::-1], dtype, seed), ["T"]))
    if len(shape) >= 1:
        out.append(Ref(values((2 * shape[0], *shape[1:]), dtype, seed), ["at", "::2"]))
        out.append(Ref(values(shape, dtype, seed), ["at", "...", "::-1"]))
        out.append(Ref(values((*shape[:-1], shape[-1] + 3), dtype, seed), ["at", "...", {"slice": [2, 2 + shape[-1], None]}]))
        out.append(Ref(values((1, *shape[1:]), dtype, seed), ["broadcastTo", list(shape)]))
    return out


# ---- dtypes

PROMOTION = {
    F32: [F32, F64, F32, F32, F32, F32], F64: [F64] * 6, I32: [F32, F64, I32, I32, I32, I32],
    I8: [F32, F64, I32, I8, I32, I8], U8: [F32, F64, I32, I32, U8, U8], BOOL: DTYPES,
}


def promote(a, b):
    return PROMOTION[a][DTYPES.index(b)]


def weak(dtype, v):
    """The dtype in which an array meets a number."""
    if dtype in FLOATS:
        return dtype
    if not np.isfinite(v) or v != int(v):
        return F32
    kind = I32 if dtype == BOOL else dtype
    if not LIMITS[kind][0] <= v <= LIMITS[kind][1]:
        raise Wrong("ValueError")
    return kind


def dtype_of(a):
    return str(a.x.dtype) if isinstance(a, Ref) else F32


def meet(*args):
    """The dtype in which operands meet, and the operands in it."""
    arrays = [a for a in args if isinstance(a, Ref)]
    met = dtype_of(arrays[0]) if arrays else F32
    for a in arrays:
        met = promote(met, dtype_of(a))
    for a in args:
        if not isinstance(a, Ref):
            met = promote(met, BOOL) if isinstance(a, bool) else weak(met, a)
    return met, [(a.x if isinstance(a, Ref) else np.asarray(a)) for a in args]

SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 3.75, -2.5, 1e-30, 1e30, 1e-40, 100.25, -7.125, 88.5,
    -87.25, 1e-8,
           12345.678, -0.1, 0.75, 3.1415927, 1e5]


def raising(kind):
    def compute():
        raise Wrong(kind)

    return compute


def in_double(fn):
    """A function computed in extended precision and rounded once."""
    return lambda x: fn(x.astype(np.longdouble)).astype(x.dtype)


def axes_of(ndim):
    out = [None, *range(-ndim, ndim)]
    if ndim >= 2:
        out += [[0, 1], [-1, 0], []]
    if ndim >= 3:
        out += [[0, 2], [2, 1], [0, 1, 2], [-2, -3]]
    return out + [ndim, -ndim - 1, [0, 0] if ndim else [0], 0.5, "x"]


def axis_error(axis, ndim):
    for a in axis if isinstance(axis, list) else [axis]:
        if not isinstance(a, int):
            return "ValueError"
        if not -ndim <= a < ndim:
            return "ShapeError"
    return "ValueError"


def reduce_with(fn, x, axis, keepdims):
    try:
        return fn(x, axis=tuple(axis) if isinstance(axis, list) else axis, keepdims=keepdims)
    except (np.AxisError, TypeError) as e:
        raise Wrong(axis_error(axis, x.ndim)) from e
    except ValueError as e:
        raise Wrong("ValueError") from e


def indexed(compute):
    """Runs an indexing of NumPy, turning its error into the class that nabla throws."""
    try:
        return compute()
    except IndexError as e:
        text = str(e)
        raise Wrong("ShapeError" if "boolean index did not match" in text or "could not be broadcast" in text else "IndexError") from e
    except ValueError as e:
        raise Wrong("ShapeError") from e


def write(groups):
    """Runs the functions that make cases, and writes what they made beside the program, under its name."""
    warnings.simplefilter("ignore")
    with np.errstate(all="ignore"):
        for group in groups:
            before = len(cases)
            group()
            print(f"{group.__name__}: {len(cases) - before}")
    grouped = {}
    for fn, given in {json.dumps(c, sort_keys=True): c for c in cases}.values():
        grouped.setdefault(fn, []).append(given)
    out = {"signless": SIGNLESS, "arrays": [json.loads(key) for key in arrays], "cases": grouped}
    path = os.path.splitext(os.path.abspath(sys.argv[0]))[0] + ".json"
    with open(path, "w", encoding="utf-8") as file:
        json.dump(out, file, separators=(",", ":"))
        file.write("\n")
    print(sum(map(len, grouped.values())), "cases,", os.path.getsize(path), "bytes,", len(json.dumps(out["arrays"])),
        "of them arrays")
