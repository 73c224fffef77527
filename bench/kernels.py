"""The reference against PyTorch: time as ratios from one interleaved run, and agreement over random settings.

    python bench/kernels.py                     a table of times
    python bench/kernels.py --agreement 2000    how far results differ over so many random settings
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch.nn import functional as T

from cnncourse import functional as F

LAYERS = {  # batch, in_channels, out_channels, size, kernel, settings
    "first layer of VGG-16": (1, 3, 64, 224, 3, {"padding": 1}),
    "3x3, 64 channels": (1, 64, 64, 56, 3, {"padding": 1}),
    "3x3, 256 channels, stride 2": (1, 256, 256, 28, 3, {"stride": 2, "padding": 1}),
    "1x1, 256 to 64 channels": (1, 256, 64, 56, 1, {}),
    "3x3, 32 groups": (1, 128, 128, 28, 3, {"padding": 1, "groups": 32}),
    "batch of 16 digits, 5x5": (16, 6, 16, 14, 5, {}),
}
Work = Callable[[], object]


def convolutions(rng: np.random.Generator) -> Iterator[tuple[str, Work, Work]]:
    for name, (batch, channels, filters, size, kernel, settings) in LAYERS.items():
        x = rng.standard_normal((batch, channels, size, size), np.float32)
        weight = rng.standard_normal((filters, channels // settings.get("groups", 1), kernel, kernel), np.float32)
        tx, tweight = torch.tensor(x, requires_grad=True), torch.tensor(weight, requires_grad=True)
        out = T.conv2d(tx, tweight, **settings)
        grad_out = rng.standard_normal(out.shape, np.float32)
        given = torch.from_numpy(grad_out)
        yield (f"{name}, forward", lambda x=x, w=weight, s=settings: F.conv2d(x, w, **s),
               lambda x=tx, w=tweight, s=settings: T.conv2d(x.detach(), w.detach(), **s))
        yield (f"{name}, backward", lambda x=x, w=weight, s=settings, g=grad_out: F.conv2d_backward(g, x, w, **s),
               lambda o=out, x=tx, w=tweight, g=given: torch.autograd.grad(o, (x, w), g, retain_graph=True))


def pools(rng: np.random.Generator) -> Iterator[tuple[str, Work, Work]]:
    x = rng.standard_normal((1, 64, 112, 112), np.float32)
    given = torch.from_numpy(x)
    yield "max pool 3x3, stride 2", lambda: F.max_pool2d(x, 3, 2, 1), lambda: T.max_pool2d(given, 3, 2, 1)
    yield "average pool 2x2", lambda: F.avg_pool2d(x, 2), lambda: T.avg_pool2d(given, 2)
    yield "L2 pool 2x2", lambda: F.lp_pool2d(x, 2, 2), lambda: T.lp_pool2d(given, 2, 2)


def milliseconds(work: Work) -> float:
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


def speed(rounds: int) -> None:
    rng = np.random.default_rng(0)
    torch.set_num_threads(1)
    print(f"medians of {rounds} rounds, one thread each, float32\n{'':44}{'ours':>10}{'PyTorch':>10}{'ratio':>8}")
    for name, ours, theirs in (*convolutions(rng), *pools(rng)):
        ours(), theirs()  # compiled, and memory touched
        times = [(milliseconds(ours), milliseconds(theirs)) for _ in range(rounds)]
        mine, other = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"{name:44}{mine:7.2f} ms{other:7.2f} ms{mine / other:8.1f}")


def error(found: np.ndarray, expected: torch.Tensor) -> float:
    """Largest difference, relative to the largest expected value."""
    other = expected.detach().numpy()
    assert found.shape == other.shape and found.dtype == other.dtype
    return float(np.abs(found - other).max() / max(np.abs(other).max(), 1e-30))


def random_window(rng: np.random.Generator, pooling: bool) -> tuple[tuple[int, ...], ...]:
    """Size, kernel, stride, padding and dilation along one axis, as they fit."""
    kernel, stride, dilation = rng.integers(1, 6), rng.integers(1, 5), rng.integers(1, 4)
    padding = rng.integers(0, kernel // 2 + 1 if pooling else 4)
    extent = dilation * (kernel - 1) + 1
    return tuple(map(int, (max(extent - 2 * padding, 1) + rng.integers(0, 9), kernel, stride, padding, dilation)))


def compare(rng: np.random.Generator, dtype: type) -> Iterator[tuple[str, float]]:
    """One random setting of each operation."""
    size, kernel, stride, padding, dilation = zip(random_window(rng, False), random_window(rng, False), strict=True)
    groups, depth, per_group, batch = map(int, rng.integers(1, 4, 4))
    settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    x, weight, bias = (rng.standard_normal(shape).astype(dtype) for shape in (
        (batch, groups * depth, *size), (groups * per_group, depth, *kernel), (groups * per_group,)))
    inputs = [torch.tensor(array, requires_grad=True) for array in (x, weight, bias)]
    expected = T.conv2d(*inputs, **settings)
    grad_out = rng.standard_normal(expected.shape).astype(dtype)
    yield "conv2d", error(F.conv2d(x, weight, bias, **settings), expected)
    grads = torch.autograd.grad(expected, inputs, torch.from_numpy(grad_out))
    found = F.conv2d_backward(grad_out, x, weight, **settings)
    yield "conv2d_backward", max(error(one, other) for one, other in zip(found, grads, strict=True))

    size, kernel, stride, padding, dilation = zip(random_window(rng, True), random_window(rng, True), strict=True)
    x = (rng.integers(-8, 9, (batch, depth, *size)) / 4).astype(dtype)
    ceil_mode, counted, power = bool(rng.integers(2)), bool(rng.integers(2)), float(rng.choice((1, 2, 2.5, 3)))
    window, positive = (kernel, stride, padding), np.abs(x) + dtype(0.25)
    operations: list[tuple[str, np.ndarray, tuple, dict]] = [
        ("max_pool2d", x, window, {"dilation": dilation}),
        ("avg_pool2d", x, window, {"count_include_pad": counted}),
    ]
    if all(map(int.__ge__, size, kernel)):  # there is no padding in PyTorch's
        operations.append(("lp_pool2d", positive, (power, kernel, stride), {}))
    for name, x, arguments, rules in operations:
        rules["ceil_mode"] = ceil_mode
        out = getattr(F, name)(x, *arguments, **rules)
        if np.isinf(out).any():
            continue  # dilation steps over the whole input, where PyTorch's backward pass writes out of bounds
        given = torch.tensor(x, requires_grad=True)
        expected = getattr(T, name)(given, *arguments, **rules)
        yield name, error(out, expected)
        grad_out = rng.standard_normal(out.shape).astype(dtype)
        (grad_x,) = torch.autograd.grad(expected, given, torch.from_numpy(grad_out))
        yield f"{name}_backward", error(getattr(F, f"{name}_backward")(grad_out, x, *arguments, **rules), grad_x)


def agreement(settings: int) -> None:
    rng = np.random.default_rng(0)
    for dtype in (np.float32, np.float64):
        worst: dict[str, float] = {}
        tried: dict[str, int] = {}
        for _ in range(settings):
            for name, difference in compare(rng, dtype):
                worst[name] = max(worst.get(name, 0.0), difference)
                tried[name] = tried.get(name, 0) + 1
        print(f"\n{np.dtype(dtype)}: {'settings':>34}  worst error, relative to the largest value")
        for name, difference in worst.items():
            print(f"  {name:32}{tried[name]:9}  {difference:.1e}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agreement", type=int, metavar="SETTINGS", help="compare results over random settings")
    parser.add_argument("--rounds", type=int, default=15, help="rounds of timing")
    options = parser.parse_args()
    if options.agreement:
        agreement(options.agreement)
    else:
        speed(options.rounds)
