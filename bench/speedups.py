"""How much faster the reference's convolution is than what one otherwise meets, on a batch of small pictures.

    course bench speedups                  100 pictures 3x31x31, 25 filters 3x3, stride 2, padding 1, one thread
    course bench speedups --cpu-time       with other processes beside it: time on the processor

Plain Python loops run on one picture, whose time counts a hundredfold. All run in turn; a time is the median of the
rounds, a ratio the median of the rounds' ratios. All are held to one thread and have to agree first. The gradients are
those of input, weight and bias; nothing is kept for them from the forward pass.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
from numba import njit
from rich.console import Console
from rich.table import Table
from scipy.signal import correlate2d
from threadpoolctl import threadpool_limits

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]

from cnncourse import config
from cnncourse import functional as F
from tests import naive

PICTURES, STRIDE, PADDING = 100, 2, 1
TOLERANCE = {np.float32: 1e-5, np.float64: 1e-13}  # relative to the largest value
ROUND = 0.02  # seconds for which each is repeated in a round, of which the median counts
SETTINGS = {"stride": STRIDE, "padding": PADDING}
NAIVE = {"stride": (STRIDE,) * 2, "padding": ((PADDING,) * 2,) * 2, "dilation": (1, 1), "groups": 1}
OURS, LOOPS = "cnncourse", "plain Python loops"
Work = Callable[[int], object]  # for the first so many pictures; returns one array or a tuple of them


def columns(x: np.ndarray, kernel: tuple[int, ...]) -> np.ndarray:
    """Every window as a column, in the order (channel, tap) by (picture, position)."""
    padded = np.pad(x, ((0, 0), (0, 0), (PADDING, PADDING), (PADDING, PADDING)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel, (2, 3))[:, :, ::STRIDE, ::STRIDE]
    return windows.transpose(1, 4, 5, 0, 2, 3).reshape(x.shape[1] * kernel[0] * kernel[1], -1)


def vectorized(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Im2col and one matrix product."""
    product = weight.reshape(len(weight), -1) @ columns(x, weight.shape[2:]) + bias[:, None]
    size = (x.shape[2] + 2 * PADDING - weight.shape[2]) // STRIDE + 1
    return np.ascontiguousarray(product.reshape(len(weight), len(x), size, -1).transpose(1, 0, 2, 3))


def vectorized_backward(grad_out: np.ndarray, x: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, ...]:
    """Two matrix products and col2im, one tap after the other."""
    filters, channels, *kernel = weight.shape
    batch, _, height, width = grad_out.shape
    upstream = grad_out.transpose(1, 0, 2, 3).reshape(filters, -1)
    grad_weight = (upstream @ columns(x, weight.shape[2:]).T).reshape(weight.shape)
    grad_columns = (weight.reshape(filters, -1).T @ upstream).reshape(channels, *kernel, batch, height, width)
    padded = np.zeros((batch, channels, x.shape[2] + 2 * PADDING, x.shape[3] + 2 * PADDING), x.dtype)
    for r, s in np.ndindex(*kernel):
        rows, places = (slice(tap, tap + STRIDE * size, STRIDE) for tap, size in ((r, height), (s, width)))
        padded[:, :, rows, places] += grad_columns[:, r, s].transpose(1, 0, 2, 3)
    return padded[:, :, PADDING:-PADDING, PADDING:-PADDING], grad_weight, upstream.sum(axis=1)


def scipys(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Every picture, filter and channel by itself at stride 1; what the stride leaves out is computed too."""
    return np.stack([[sum(correlate2d(plane, taps, "same")[::STRIDE, ::STRIDE]
                          for plane, taps in zip(picture, kernel, strict=True)) + start
                      for kernel, start in zip(weight, bias, strict=True)] for picture in x])


@njit
def jitted(x, weight, bias):  # type: ignore[no-untyped-def]
    """Seven loops, compiled as they are."""
    N, C, H, W = x.shape
    K, _, R, S = weight.shape
    P, Q = (H + 2 * PADDING - R) // STRIDE + 1, (W + 2 * PADDING - S) // STRIDE + 1
    out = np.empty((N, K, P, Q), x.dtype)
    for n in range(N):
        for k in range(K):
            for p in range(P):
                for q in range(Q):
                    total = bias[k]
                    for c in range(C):
                        for r in range(R):
                            for s in range(S):
                                i, j = p * STRIDE + r - PADDING, q * STRIDE + s - PADDING
                                if 0 <= i < H and 0 <= j < W:
                                    total += weight[k, c, r, s] * x[n, c, i, j]
                    out[n, k, p, q] = total
    return out


def contestants(dtype: type) -> dict[str, dict[str, Work]]:
    """For the forward pass and the gradients, everybody by name; ours is the first."""
    rng = np.random.default_rng(0)
    shapes = (PICTURES, 3, 31, 31), (25, 3, 3, 3), (25,), (PICTURES, 25, 16, 16)
    x, w, b, g = (rng.standard_normal(shape).astype(dtype) for shape in shapes)
    forward: dict[str, Work] = {
        OURS: lambda n: F.conv2d(x[:n], w, b, **SETTINGS),
        LOOPS: lambda n: naive.conv2d(x[:n], w, b, **NAIVE),
        "scipy.signal.correlate2d": lambda n: scipys(x[:n], w, b),
        "plain loops, jitted": lambda n: jitted(x[:n], w, b),
        "NumPy, im2col": lambda n: vectorized(x[:n], w, b),
    }
    backward: dict[str, Work] = {
        OURS: lambda n: F.conv2d_backward(g[:n], x[:n], w, **SETTINGS),
        LOOPS: lambda n: naive.conv2d_backward(g[:n], x[:n], w, **NAIVE),
        "NumPy, im2col and col2im": lambda n: vectorized_backward(g[:n], x[:n], w),
    }
    if torch is not None:
        tx, tw, tb, tg = map(torch.from_numpy, (x, w, b, g))
        pairs = [[value] * 2 for value in (STRIDE, PADDING, 1)]
        forward["PyTorch"] = lambda n: torch.conv2d(tx[:n], tw, tb, STRIDE, PADDING)
        backward["PyTorch"] = lambda n: torch.ops.aten.convolution_backward(
            tg[:n], tx[:n], tw, [len(w)], *pairs, False, [0, 0], 1, [True] * 3)
    return {"forward": forward, "gradients": backward}


def measure(
    works: dict[str, Work], rounds: int, clock: Callable[[], float], tolerance: float
) -> dict[str, list[float]]:
    """Seconds of each in every round, for all pictures; before the first all have to find what the reference finds."""
    counts = {name: 1 if name == LOOPS else PICTURES for name in works}
    for name, work in works.items():
        pair = work(counts[name]), works[OURS](counts[name])
        for found, expected in zip(*(one if isinstance(one, tuple) else (one,) for one in pair), strict=True):
            np.testing.assert_allclose(found, expected, 0, tolerance * np.abs(expected).max(), err_msg=name)
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            work(counts[name])  # memory touched
            seconds: list[float] = []
            while sum(seconds) < ROUND:
                start = clock()
                work(counts[name])
                seconds.append(clock() - start)
            times[name].append(statistics.median(seconds) * PICTURES / counts[name])
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--cpu-time", action="store_true", help="time on the processor, with other processes beside it")
    options = parser.parse_args()
    clock = time.thread_time if options.cpu_time else time.perf_counter
    config.set_num_threads(1)
    if torch is not None:
        torch.set_num_threads(1)
        torch.set_grad_enabled(False)
    for dtype, tolerance in TOLERANCE.items():
        table = Table("", "", title=f"{dtype.__name__}, one thread; {LOOPS}: one picture, times {PICTURES}")
        table.add_column("ms", justify="right")
        table.add_column("times ours", justify="right")
        for what, works in contestants(dtype).items():
            with threadpool_limits(1):
                times = measure(works, options.rounds, clock, tolerance)
            for name, seconds in times.items():
                ratio = statistics.median(one / two for one, two in zip(seconds, times[OURS], strict=True))
                table.add_row(what, name, f"{1e3 * statistics.median(seconds):,.3f}", f"{ratio:,.2f}")
            table.add_section()
        Console(width=110, highlight=False).print(table)


if __name__ == "__main__":
    main()
