"""Average pooling: who is counted, and the share that each input gets back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.exercises.pooling.common import (
    COLUMNS_ONLY,
    FIRST_CHANNEL,
    FIRST_SAMPLE,
    NEGATIVE_START,
    NOTEBOOK,
    ROWS_ONLY,
    SQUARE_INPUTS,
    SQUARE_WINDOWS,
    STRIDE_IGNORED,
    STRIDE_IS_WINDOW,
    SWAPPED,
    Pair,
    only,
    square_output,
)
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F

ALWAYS_WINDOW = ("always divided by the window's size",
                 "With count_include_pad False, only inputs are counted, not the zeros of the padding: a window in the "
                 "corner is divided by a smaller number.")
NEVER_WINDOW = ("always divided by the number of inputs",
                "With count_include_pad True, the zeros of the padding count like inputs: every window is divided by "
                "the same number.")
SWITCHED = ("count_include_pad the wrong way round",
            "True means that the padding's zeros are counted, False that only inputs are.")
SHARED_HEIGHT = ("divided by a square",
                 "A window has KH * KW entries. Here one of the two numbers seems to be used twice.")


def average(x: np.ndarray, kernel_size: Any, stride: Any, padding: int, counted: bool) -> np.ndarray:
    return F.avg_pool2d(x, kernel_size, stride, padding, count_include_pad=bool(counted))


def _padded_by(before: bool, after: bool, mode: str = "constant") -> Callable[..., np.ndarray]:
    """An average over an input that is padded in another way; the zeros count."""
    def wrong(x: np.ndarray, kernel_size: Pair, stride: int, padding: int, counted: bool) -> np.ndarray:
        around = (padding * before, padding * after)
        padded = np.pad(x, ((0, 0), (0, 0), around, around), mode=mode)  # type: ignore[call-overload]
        return F.avg_pool2d(padded, kernel_size, stride)
    return wrong


def _edges(x: np.ndarray, kernel_size: Pair, stride: int, padding: int, counted: bool) -> np.ndarray:
    """Values of the border all around, and the right divisors."""
    ones = np.ones((1, 1, *x.shape[2:]), x.dtype)
    right = average(ones, kernel_size, stride, padding, True) / average(ones, kernel_size, stride, padding, counted)
    return _padded_by(True, True, mode="edge")(x, kernel_size, stride, padding, counted) / right


def _negative_starts(x: np.ndarray, kernel_size: Pair, stride: int, padding: int, counted: bool,
                     *, of_nothing: int = 1) -> np.ndarray:
    """Slices of the picture itself; what begins at a negative number is counted from the end, and mostly empty."""
    out = np.empty_like(average(x, kernel_size, stride, padding, counted))
    for i, j in np.ndindex(out.shape[2:]):
        top, left = i * stride - padding, j * stride - padding
        block = x[:, :, top:top + kernel_size[0], left:left + kernel_size[1]]
        count = kernel_size[0] * kernel_size[1] if counted else max(block[0, 0].size, of_nothing)
        with np.errstate(invalid="ignore"):
            out[:, :, i, j] = block.sum(axis=(2, 3)) / count
    return out


def _padding_once(x: np.ndarray, kernel_size: Pair, stride: int, padding: int, counted: bool) -> np.ndarray:
    rows, columns = ((x.shape[a + 2] + padding - kernel_size[a]) // stride + 1 for a in (0, 1))
    return average(x, kernel_size, stride, padding, counted)[:, :, :rows, :columns]


def _times(factor: Callable[[Pair, int], float]) -> Callable[..., np.ndarray]:
    """A right average times a number."""
    def wrong(x: np.ndarray, kernel_size: Pair, stride: int, padding: int, counted: bool) -> np.ndarray:
        return average(x, kernel_size, stride, padding, counted) * x.dtype.type(factor(kernel_size, stride))
    return wrong


def padded_settings(rng: np.random.Generator) -> Iterator[tuple[str, tuple[int, int, int, int], Pair, int, int, bool]]:
    """Name, shape of x, kernel_size, stride, padding, count_include_pad."""
    channels = int(rng.integers(2, 4))
    yield "windows side by side", (1, channels, 4, 4), (2, 2), 2, 0, True
    yield "two samples, taller than wide", (2, 2, 6, 4), (2, 2), 2, 0, False
    yield "wider than tall, overlapping windows", (1, 2, 5, 9), (3, 3), 2, 0, True
    yield "windows that move by one", (2, 2, 4, 5), (2, 2), 1, 0, True
    yield "a window taller than wide", (1, 2, 7, 5), (3, 2), 2, 0, False
    yield "a window wider than tall, stride 1", (2, 2, 4, 7), (2, 4), 1, 0, True
    yield "a stride larger than the window", (2, 2, 8, 11), (2, 2), 3, 0, True
    yield "padding 1, zeros counted", (1, 2, 5, 6), (3, 3), 2, 1, True
    yield "padding 1, only inputs counted", (1, 2, 5, 6), (3, 3), 2, 1, False
    yield "padding 1, a window wider than tall, zeros counted", (2, 3, 4, 7), (2, 3), 1, 1, True
    yield "padding 1, a window taller than wide, only inputs counted", (2, 3, 7, 4), (4, 2), 2, 1, False
    yield "padding 2, zeros counted", (1, 2, 6, 5), (5, 4), 3, 2, True
    yield "padding 2, only inputs counted", (1, 2, 6, 5), (4, 5), 3, 2, False
    yield "a window larger than the picture without its padding", (2, 1, 3, 4), (4, 5), 1, 2, False


@exercise("avg_pool2d_forward", notebook=NOTEBOOK, points=4)
class AvgPool2dForward:
    """Average pooling: the mean of every window, with or without the padding's zeros.

    x has shape (N, C, H, W), kernel_size is (KH, KW); stride and padding are whole numbers, the padding at most half of
    the window. Return shape (N, C, OH, OW): the sum over each window of the zero-padded input, divided by KH * KW if
    count_include_pad is True, otherwise by the number of entries of x in the window.
    """

    def avg_pool2d_forward(x, kernel_size, stride, padding, count_include_pad):
        return average(x, kernel_size, stride, padding, count_include_pad)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        for name, shape, *settings in padded_settings(rng):
            yield Case(name, (rng.standard_normal(shape), *settings))
        yield Case("single precision", (rng.standard_normal((2, 2, 5, 6)).astype(np.float32), (3, 2), 2, 1, False))
        yield Case("strided memory", (rng.standard_normal((2, 2, 5, 12))[..., ::2], (2, 3), 2, 1, True))
        yield Case("Fortran order", (np.asfortranarray(rng.standard_normal((2, 3, 4, 5))), (3, 2), 1, 1, False))

    misconceptions = (
        Misconception(*ALWAYS_WINDOW, lambda x, k, s, p, c: average(x, k, s, p, True)),
        Misconception(*NEVER_WINDOW, lambda x, k, s, p, c: average(x, k, s, p, False)),
        Misconception(*SWITCHED, lambda x, k, s, p, c: average(x, k, s, p, not c)),
        Misconception("sum instead of mean", "The sum of a window is divided by how many entries are counted.",
                      lambda x, k, s, p, c: average(x, k, s, p, True) * x.dtype.type(k[0] * k[1])),
        Misconception(*SHARED_HEIGHT, _times(lambda k, s: k[1] / k[0]), also=(_times(lambda k, s: k[0] / k[1]),)),
        Misconception("divided by the stride",
                      "How far windows lie apart has nothing to do with how many entries one of them holds.",
                      _times(lambda k, s: k[0] * k[1] / s**2)),
        Misconception("maximum instead of mean", "All entries of the window count, not only the largest.",
                      lambda x, k, s, p, c: F.max_pool2d(x, k, s, p)),
        Misconception("padding ignored", "The window slides over the padded picture, which makes the output larger.",
                      lambda x, k, s, p, c: average(x, k, s, 0, c)),
        Misconception("edge values instead of zeros",
                      "The padding consists of zeros. Here the values of the border are repeated.",
                      _edges, also=(_padded_by(True, True, mode="edge"),)),
        Misconception("padding before only", "The zeros come on all four sides; here they are above and to the left.",
                      _padded_by(True, False)),
        Misconception("padding after only",
                      "The zeros come on all four sides; here they are below and to the right only.",
                      _padded_by(False, True)),
        Misconception(*NEGATIVE_START, _negative_starts,
                      also=(lambda *arguments: _negative_starts(*arguments, of_nothing=0),)),
        Misconception("padding on all four axes",
                      "Zeros come around each picture, not before and after the samples and channels: np.pad takes a "
                      "pair of numbers for every axis.",
                      lambda x, k, s, p, c: average(np.pad(x, p), k, s, 0, True)),
        Misconception("padding counted once", "P zeros lie on each of two sides: the padded picture has H + 2 P rows.",
                      _padding_once),
        Misconception("mean over the channels too",
                      "Each channel is pooled on its own; pooling never mixes channels.",
                      lambda x, k, s, p, c: np.broadcast_to(
                          y := average(x, k, s, p, c).mean(axis=1, keepdims=True),
                          (len(y), x.shape[1], *y.shape[2:])),
                      also=(lambda x, k, s, p, c: average(x, k, s, p, c).mean(axis=1, keepdims=True),)),
        Misconception("rounded up", "Only windows that lie in the padded picture as a whole count.",
                      lambda x, k, s, p, c: F.avg_pool2d(x, k, s, p, ceil_mode=True, count_include_pad=bool(c))),
        Misconception(*STRIDE_IGNORED, lambda x, k, s, p, c: average(x, k, 1, p, c)),
        Misconception(*STRIDE_IS_WINDOW, lambda x, k, s, p, c: average(x, k, k, p, c)),
        Misconception(*ROWS_ONLY, lambda x, k, s, p, c: average(x, k, (s, 1), p, c)),
        Misconception(*COLUMNS_ONLY, lambda x, k, s, p, c: average(x, k, (1, s), p, c)),
        Misconception(*SWAPPED, lambda x, k, s, p, c: average(x, (k[1], k[0]), s, p, c)),
        Misconception(*SQUARE_WINDOWS, lambda x, k, s, p, c: average(x, (k[0], k[0]), s, p, c),
                      also=(lambda x, k, s, p, c: average(x, (k[1], k[1]), s, p, c),)),
        Misconception(*SQUARE_INPUTS, square_output(average)),
        Misconception(*FIRST_SAMPLE, only(0, average)),
        Misconception(*FIRST_CHANNEL, only(1, average)),
    )
    hints = (
        "A window in the corner, 3 x 3 with padding 1: how many of its nine entries are inputs?",
        "Pad with zeros and sum each window. For the divisor there are two rules; count the inputs by how far the "
        "window reaches into the picture, or let a picture of ones tell you.",
        "Padded by zeros, a picture of ones has in each window as many ones as there are inputs: sum its windows in "
        "the same way, and divide by that.",
    )
