"""Makes network.json: layers over windows and normalisation as PyTorch has them, with gradients, and a step of LeNet.

Needs PyTorch. Run it in this folder: python3 network.py. Inputs come of a formula that the test knows too; of each result
there are its shape and its products with two vectors of that formula, which every element takes part in.
"""

import json

import torch
import torch.nn.functional as F

D = torch.float64


def numbers(shape, seed, scale=1.0):
    n = 1
    for s in shape:
        n *= s
    return torch.tensor([((i * 7919 + seed * 104729) % 1013 - 506) / 512 * scale for i in range(n)], dtype=D).reshape(shape)


def digest(t):
    t = t.detach()
    return {"shape": list(t.shape), "sums": [(t * numbers(t.shape, s)).sum().item() for s in (91, 92)]}


def case(name, shapes, options, run):
    """Arrays are filled with numbers of the seeds 1, 2, …; the cotangent with those of seed 50."""
    xs = [numbers(s, i + 1).requires_grad_() for i, s in enumerate(shapes)]
    y = run(*xs)
    y.backward(numbers(y.shape, 50))
    return {"name": name, "shapes": shapes, "options": options, "y": digest(y), "grads": [digest(x.grad) for x in xs]}


def per_axis(value, count):
    return list(value) if isinstance(value, (list, tuple)) else [value] * count


def convolution(x, w, bias=True, stride=1, pad=0, dilate=1, groups=1):
    d = len(x) - 2
    conv = [F.conv1d, F.conv2d, F.conv3d][d - 1]
    s, p, l = per_axis(stride, d), per_axis(pad, d), per_axis(dilate, d)
    shapes = [x, w] + ([[w[0]]] if bias else [])
    return case("convolution", shapes, {"stride": stride, "pad": pad, "dilate": dilate, "numGroup": groups},
                lambda a, k, b=None: conv(a, k, b, s, p, l, groups))


def deconvolution(x, w, bias=True, stride=1, pad=0, dilate=1, adj=0, groups=1):
    d = len(x) - 2
    conv = [F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d][d - 1]
    s, p, l, o = (per_axis(v, d) for v in (stride, pad, dilate, adj))
    shapes = [x, w] + ([[w[1] * groups]] if bias else [])
    return case("deconvolution", shapes, {"stride": stride, "pad": pad, "dilate": dilate, "adj": adj, "numGroup": groups},
                lambda a, k, b=None: conv(a, k, b, s, p, o, groups, l))


def pooling(x, kind, kernel, stride=1, pad=0, counted=True, power=2):
    d = len(x) - 2
    k, s, p = per_axis(kernel, d), per_axis(stride, d), per_axis(pad, d)
    size = 1
    for n in k:
        size *= n
    most = [F.max_pool1d, F.max_pool2d, F.max_pool3d][d - 1]
    mean = [F.avg_pool1d, F.avg_pool2d, F.avg_pool3d][d - 1]

    def run(a):
        if kind == "max":
            return most(a, k, s, p)
        if kind == "lp":
            return (mean(a ** power, k, s, p) * size) ** (1 / power)
        return mean(a, k, s, p, count_include_pad=counted) * (size if kind == "sum" else 1)

    return case("pooling", [x], {"kernel": kernel, "stride": stride, "pad": pad, "poolType": kind, "countIncludePad": counted,
                                 "pValue": power}, run)


def batch(x, eps=1e-5, momentum=0.9, axis=1):
    c = x[axis]
    seen = {}

    def run(a, g, b):
        front = a.movedim(axis, 1)
        flat = front.detach().transpose(0, 1).reshape(c, -1)
        mean, var = flat.mean(1), flat.var(1, unbiased=False)
        seen["mean"] = numbers([c], 5) * momentum + mean * (1 - momentum)
        seen["var"] = (numbers([c], 6) + 2) * momentum + var * (1 - momentum)
        return F.batch_norm(front, None, None, g, b, True, 0, eps).movedim(1, axis)

    out = case("batchNorm", [x, [c], [c]], {"eps": eps, "momentum": momentum, "axis": axis}, run)
    return {**out, "running": [digest(seen["mean"]), digest(seen["var"])]}


def group(x, groups, eps=1e-5):
    return case("groupNorm", [x, [x[1]], [x[1]]], {"numGroups": groups, "eps": eps},
                lambda a, g, b: F.group_norm(a, groups, g, b, eps))


def instance(x, eps=1e-5):
    return case("instanceNorm", [x, [x[1]], [x[1]]], {"eps": eps},
                lambda a, g, b: F.instance_norm(a, None, None, g, b, True, 0, eps))


def lenet():
    shapes = [[6, 1, 5, 5], [6], [16, 6, 5, 5], [16], [120, 400], [120], [84, 120], [84], [10, 84], [10]]
    scales = [0.4, 0.1, 0.15, 0.1, 0.1, 0.1, 0.15, 0.1, 0.2, 0.1]
    x = numbers([64, 1, 28, 28], 1)
    P = [numbers(s, i + 2, k).requires_grad_() for i, (s, k) in enumerate(zip(shapes, scales))]
    h = F.avg_pool2d(torch.sigmoid(F.conv2d(x, P[0], P[1], padding=2)), 2)
    h = F.max_pool2d(torch.sigmoid(F.conv2d(h, P[2], P[3])), 2).flatten(1)
    h = torch.sigmoid(F.linear(h, P[4], P[5]))
    h = F.linear(torch.sigmoid(F.linear(h, P[6], P[7])), P[8], P[9])
    loss = F.cross_entropy(h, torch.tensor([(i * 3) % 10 for i in range(64)]))
    loss.backward()
    return {"shapes": shapes, "scales": scales, "loss": loss.item(),
            "grads": [{**digest(p.grad), "norm": p.grad.norm().item(), "some": p.grad.flatten()[:: max(1, p.numel() // 5)][:5].tolist()}
                      for p in P]}


cases = [
    convolution([2, 3, 9], [4, 3, 3]),
    convolution([2, 3, 20], [4, 3, 5], stride=3, pad=4, dilate=2),
    convolution([3, 4, 11], [6, 2, 3], pad=1, groups=2),
    convolution([2, 3, 7, 6], [5, 3, 3, 2]),
    convolution([2, 3, 8, 9], [4, 3, 3, 3], False, stride=2, pad=1),
    convolution([2, 4, 9, 8], [8, 2, 3, 2], stride=[2, 1], pad=[0, 2], dilate=[1, 2], groups=2),
    convolution([2, 5, 6, 6], [5, 1, 3, 3], pad=1, groups=5),
    convolution([3, 8, 5, 5], [7, 8, 1, 1]),
    convolution([1, 2, 40, 37], [9, 2, 5, 5], pad=2, dilate=[2, 1]),
    convolution([2, 2, 5, 4, 6], [3, 2, 2, 3, 2]),
    convolution([1, 4, 5, 6, 5], [4, 2, 3, 2, 3], stride=[1, 2, 2], pad=[1, 0, 2], dilate=[1, 2, 1], groups=2),
    deconvolution([2, 3, 6], [3, 4, 3]),
    deconvolution([2, 4, 5], [4, 3, 4], stride=3, pad=2, adj=1, groups=2),
    deconvolution([2, 3, 4, 5], [3, 2, 3, 3], stride=2, pad=1, adj=[1, 0]),
    deconvolution([1, 4, 3, 4], [4, 1, 2, 3], False, stride=[1, 3], dilate=[2, 1], groups=4),
    deconvolution([1, 2, 3, 2, 3], [2, 3, 2, 2, 3], stride=[2, 1, 2], pad=[0, 1, 1], adj=[1, 0, 0]),
    pooling([2, 3, 9], "max", 3, 2),
    pooling([2, 3, 9, 8], "max", [3, 2], [2, 3], [1, 1]),
    pooling([2, 2, 12, 12], "max", 5, 1, 2),
    pooling([1, 2, 5, 6, 7], "max", 3, 2, 1),
    pooling([2, 3, 10], "avg", 4, 3, 1),
    pooling([2, 3, 9, 8], "avg", [3, 2], 2, [1, 0], False),
    pooling([1, 2, 5, 6, 7], "avg", 2, [1, 2, 2], 1),
    pooling([2, 3, 7, 8], "sum", 3, 2, 1),
    pooling([2, 3, 7, 8], "lp", 3, 2, 1),
    pooling([2, 3, 7, 8], "lp", 2, 1, 0, True, 4),
    batch([6, 5], 1e-3),
    batch([4, 3, 7], momentum=0.7),
    batch([3, 4, 5, 6]),
    batch([3, 4, 5, 2], axis=3),
    group([3, 6, 5], 3, 1e-3),
    group([2, 4, 3, 5], 1),
    instance([2, 3, 8]),
    instance([3, 2, 4, 5], 1e-3),
]
with open("network.json", "w") as f:
    f.write(json.dumps({"cases": cases, "lenet": lenet()}, separators=(",", ":")).replace('{"name"', '\n{"name"').replace('"lenet"', '\n"lenet"') + "\n")
