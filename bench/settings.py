"""The operations against PyTorch over random settings: how far results and gradients differ.

    course bench settings                  2,000 settings of each operation, single and double precision
    course bench settings --count 10000    more of them

Differences are relative to the largest expected value.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
import torch
from torch.nn import functional as T

from cnncourse import functional as F


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
    parser.add_argument("--count", type=int, default=2000, help="how many settings")
    agreement(parser.parse_args().count)
