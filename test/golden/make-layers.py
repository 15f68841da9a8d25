"""Makes layers.json: activations and their first two derivatives as they truly are, and layers as PyTorch has them.

Needs python3-mpmath and PyTorch. Run it in this folder: python3 make-layers.py
"""

import json
import random

import mpmath as mp
import torch
import torch.nn.functional as F

mp.mp.dps = 700
rng = random.Random(5)

# ---- activations: exact, at numbers that float32 has

POINTS = [-700, -300, -104.5, -40, -25.5, -13.25, -9.5, -6, -3.75, -2, -1, -0.625, -0.0625, -(2.0**-20), 0,
          2.0**-20, 0.125, 0.5, 1, 1.75, 3, 5.5, 9.25, 17, 30.5, 80, 250, 700]
ROOT_HALF = 1 / mp.sqrt(2)
SCALE, ALPHA = mp.mpf("1.0507009873554804934193349852946"), mp.mpf("1.6732632423543772848170429916717")


def sigmoid(x):
    return 1 / (1 + mp.exp(-x))


def softplus(x):
    return mp.log1p(mp.exp(x)) if x < 0 else x + mp.log1p(mp.exp(-x))


def smooth(x, s):
    return (s * x) ** 2 / 2 if abs(x) < 1 / s**2 else abs(x) - 1 / (2 * s**2)


# By name: the function, PyTorch's, and what follows x in a call.
ACTIVATIONS = {
    "softrelu": (softplus, lambda x: F.softplus(x, threshold=30), []),
    "logSigmoid": (lambda x: -softplus(-x), F.logsigmoid, []),
    "softsign": (lambda x: x / (1 + abs(x)), F.softsign, []),
    "silu": (lambda x: x * sigmoid(x), F.silu, []),
    "mish": (lambda x: x * mp.tanh(softplus(x)), F.mish, []),
    "gelu": (lambda x: x * mp.erfc(-x * ROOT_HALF) / 2, F.gelu, []),
    "gelu tanh": (lambda x: x * sigmoid(2 * mp.sqrt(2 / mp.pi) * (x + mp.mpf("0.044715") * x**3)),
                  lambda x: F.gelu(x, approximate="tanh"), [{"approximate": True}]),
    "elu": (lambda x: x if x > 0 else mp.expm1(x), F.elu, []),
    "elu 0.7": (lambda x: x if x > 0 else mp.mpf(0.7) * mp.expm1(x), lambda x: F.elu(x, 0.7), [0.7]),
    "selu": (lambda x: SCALE * (x if x > 0 else ALPHA * mp.expm1(x)), F.selu, []),
    "leakyRelu": (lambda x: x if x > 0 else x / 4, lambda x: F.leaky_relu(x, 0.25), []),
    "smoothL1": (lambda x: smooth(x, 1), lambda x: F.smooth_l1_loss(x, torch.zeros_like(x), reduction="none"), []),
    "smoothL1 3": (lambda x: smooth(x, 3), lambda x: F.smooth_l1_loss(x, torch.zeros_like(x), reduction="none", beta=1 / 9), [3]),
}
# Where the derivative of some order jumps.
CORNERS = {"softsign": [0], "elu": [0], "elu 0.7": [0], "selu": [0], "leakyRelu": [0], "smoothL1": [-1, 1]}


def activations():
    for name, (f, theirs, rest) in ACTIVATIONS.items():
        xs = [x for x in POINTS if x not in CORNERS.get(name, [])]
        rows = [[float(mp.diff(f, mp.mpf(x), n)) for x in xs] for n in range(3)]
        x = torch.tensor(xs, dtype=torch.float64, requires_grad=True)
        y = theirs(x)
        (g,) = torch.autograd.grad(y.sum(), x)
        for ours, other in ((rows[0], y), (rows[1], g)):
            assert torch.allclose(torch.tensor(ours, dtype=torch.float64), other.detach(), rtol=1e-9, atol=1e-12), name
        yield {"name": name.split()[0], "rest": rest, "x": xs, "y": rows[0], "d1": rows[1], "d2": rows[2]}


# ---- layers: PyTorch's value, gradients of a weighted sum, and gradients of a weighted sum of those

def numbers(*shape):
    size = 1
    for n in shape:
        size *= n
    return torch.tensor([round(rng.uniform(-2, 2), 3) for _ in range(size)], dtype=torch.float64).reshape(shape)


def short(x):
    return [short(v) for v in x] if isinstance(x, list) else float(f"{x:.16g}")


def layer(name, compute, arrays, args):
    """`args` has "a0", "a1", … in the places of the arrays."""
    xs = [a.clone().requires_grad_() for a in arrays]
    y = compute(*xs)
    u = numbers(*y.shape)
    gs = torch.autograd.grad((y * u).sum(), xs, create_graph=True)
    vs = [numbers(*a.shape) for a in arrays]
    total = sum((g * v).sum() for g, v in zip(gs, vs))
    hs = torch.autograd.grad(total, xs, allow_unused=True) if total.requires_grad else [None] * len(xs)
    hs = [torch.zeros_like(x) if h is None else h for x, h in zip(xs, hs)]
    lists = lambda many: [short(t.detach().tolist()) for t in many]
    return {"name": name, "arrays": lists(arrays), "args": args, "y": short(y.tolist()), "u": short(u.tolist()),
            "v": lists(vs), "d1": lists(gs), "d2": lists(hs)}


def masked(x, mask, axis, temperature=1, log=False):
    shown = torch.where(mask, x, torch.tensor(-1e300, dtype=x.dtype)) / temperature
    y = F.log_softmax(shown, axis) if log else F.softmax(shown, axis)
    return torch.where(mask, y, torch.zeros_like(y))


def below(lengths, n):
    return torch.arange(n) < torch.tensor(lengths).unsqueeze(-1)


def layers():
    x = numbers(3, 5)
    for t in (1, 0.3):
        o = {"temperature": t}
        yield layer("softmax", lambda x: F.softmax(x / t, 1), [x], ["a0", 1, o])
        yield layer("logSoftmax", lambda x: F.log_softmax(x / t, 0), [x], ["a0", 0, o])
        o = {"temperature": t, "length": [2, 5, 0]}
        mask = below([2, 5, 0], 5)
        yield layer("softmax", lambda x: masked(x, mask, 1, t), [x], ["a0", -1, o])
        yield layer("logSoftmax", lambda x: masked(x, mask, 1, t, True), [x], ["a0", -1, o])
        mask = torch.tensor([[True, False, True, False, True], [False] * 5, [True] * 5])
        yield layer("maskedSoftmax", lambda x: masked(x, mask, 1, t), [x], ["a0", mask.tolist(), 1, {"temperature": t}])
    z = numbers(2, 4, 3)
    yield layer("softmax", lambda x: masked(x.transpose(1, 2), below([[1, 4, 3], [2, 0, 9]], 4), 2).transpose(1, 2),
                [z], ["a0", 1, {"length": [[1, 4, 3], [2, 0, 9]]}])
    for axis in (2, 1):
        n = z.shape[axis]
        yield layer("layerNorm", lambda x, g, b: F.layer_norm(x.transpose(axis, 2), [n], g, b, 1e-5).transpose(axis, 2),
                    [z, numbers(n), numbers(n)], ["a0", "a1", "a2", {"axis": axis}])
    yield layer("layerNorm", lambda x, g, b: F.layer_norm(x, [5], g, b, 0.25), [x, numbers(5), numbers(5)],
                ["a0", "a1", "a2", {"eps": 0.25}])
    flat = 1e4 + 1e-2 * numbers(2, 6)
    yield layer("layerNorm", lambda x, g, b: F.layer_norm(x, [6], g, b, 1e-5), [flat, numbers(6), numbers(6)], ["a0", "a1", "a2"])
    yield layer("prelu", F.prelu, [numbers(2, 3, 4), numbers(3)], ["a0", "a1"])
    yield layer("prelu", F.prelu, [numbers(6), numbers(1)], ["a0", "a1"])
    yield layer("embedding", lambda w: F.embedding(torch.tensor([[3, 0], [3, 1]]), w), [numbers(4, 2)], [[[3, 0], [3, 1]], "a0"])
    i, j = torch.tensor([2, 0, 2, 1]), torch.tensor([1, 4, 1, 0])
    at = torch.stack([i, j]).tolist()
    yield layer("gatherNd", lambda x: x[i, j], [x], ["a0", at])
    yield layer("indexAdd", lambda x, v: x.index_put((i, j), v, accumulate=True), [x, numbers(4)], ["a0", at, "a1"])
    yield layer("indexUpdate", lambda x, v: x.index_put((i[1:], j[1:]), v[1:]), [x, numbers(4)], ["a0", at, "a1"])
    yield layer("batchDot", lambda a, b: a.transpose(1, 2) @ b.transpose(1, 2), [numbers(2, 3, 2), numbers(2, 4, 3)],
                ["a0", "a1", {"transposeA": True, "transposeB": True}])
    yield layer("fullyConnected", lambda x, w, b: F.linear(x.flatten(1), w, b), [z, numbers(2, 12), numbers(2)], ["a0", "a1", "a2"])
    yield layer("fullyConnected", F.linear, [z, numbers(2, 3), numbers(2)], ["a0", "a1", "a2", {"flatten": False}])
    keep = below([1, 4], 4)
    yield layer("sequenceMask", lambda x: torch.where(keep.unsqueeze(-1), x, torch.tensor(7.0, dtype=x.dtype)), [z],
                ["a0", [1, 4], {"axis": 1, "value": 7}])
    yield layer("sequenceMask", lambda x: torch.where(below([1, 2, 0, 2], 2).T.unsqueeze(-1), x, torch.tensor(0.0, dtype=x.dtype)), [z],
                ["a0", [1, 2, 0, 2]])
    yield layer("hardSigmoid", lambda x: torch.clamp(0.3 * x + 0.45, 0, 1), [x], ["a0", 0.3, 0.45])


def lines(items):
    return "[\n" + ",\n".join(json.dumps(item, separators=(",", ":")) for item in items) + "\n]"


with open("layers.json", "w") as file:
    file.write('{"activations":' + lines(activations()) + ',\n"layers":' + lines(layers()) + "}\n")
