"""Max pooling: the largest input of every window."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from autograder.exercises.pooling.common import (
    ALL_PLANES,
    COLUMNS_ONLY,
    FIRST_CHANNEL,
    FIRST_SAMPLE,
    NOT_IN_POSITION,
    NOTEBOOK,
    ROWS_ONLY,
    SQUARE_INPUTS,
    SQUARE_WINDOWS,
    STRIDE_AS_SIZE,
    STRIDE_IGNORED,
    STRIDE_IS_WINDOW,
    SWAPPED,
    TRANSPOSED,
    Pair,
    as_large_as_the_stride,
    cut_apart,
    max_pool,
    moved,
    only,
    placed,
    pooling_cases,
    side_by_side,
    square_output,
    transposed,
    unfolded,
)
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F


def _largest_magnitude(x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
    windows = unfolded(x, kernel_size, stride)
    return np.take_along_axis(windows, np.abs(windows).argmax(axis=-1)[..., None], axis=-1)[..., 0]


def _started_at(start: float) -> Callable[..., np.ndarray]:
    return lambda x, kernel_size, stride: np.maximum(max_pool(x, kernel_size, stride), start)


def _window_too_small(x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
    """A slice that stops one row and one column too early; it is empty for a window of one entry."""
    if min(kernel_size) == 1:
        raise ValueError("zero-size array to reduction operation maximum which has no identity")
    rows, columns = max_pool(x, kernel_size, stride).shape[2:]
    return max_pool(x, (kernel_size[0] - 1, kernel_size[1] - 1), stride)[:, :, :rows, :columns]


def _window_too_large(x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
    """A slice that stops one row and one column too late, or at the border."""
    longer = np.pad(x, ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=-np.inf)
    return max_pool(longer, (kernel_size[0] + 1, kernel_size[1] + 1), stride)


def _as_many_as_strides(x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
    """H // stride rows; the last windows are cut off at the border."""
    (down, across), (rows, columns) = kernel_size, (side // stride for side in x.shape[2:])
    longer = np.pad(x, ((0, 0), (0, 0), (0, down), (0, across)), constant_values=-np.inf)
    return max_pool(longer, kernel_size, stride)[:, :, :rows, :columns]


@exercise("max_pool2d_forward", notebook=NOTEBOOK, points=4)
class MaxPool2dForward:
    """Max pooling: the largest input of every window.

    x has shape (N, C, H, W), kernel_size is (KH, KW), stride a whole number for both axes. Return an array of shape
    (N, C, OH, OW) whose entry (n, c, i, j) is the largest entry of x[n, c] in the window of KH rows and KW columns that
    starts at row i * stride and column j * stride. There is no padding, and sizes are rounded down.
    """

    def max_pool2d_forward(x, kernel_size, stride):
        return F.max_pool2d(x, kernel_size, stride)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        return pooling_cases(rng)

    misconceptions = (
        Misconception("maximum started at zero",
                      "In a window that holds negative numbers only, the largest one is negative. Here zero wins: "
                      "something starts at 0, or 0 is among the numbers that are compared.",
                      lambda x, k, s: np.maximum(max_pool(x, k, s), 0)),
        Misconception("maximum started at some number",
                      "Whatever number the search starts from, inputs may be smaller still, and then this number wins. "
                      "Start from an entry of the window, or from minus infinity.",
                      lambda x, k, s: np.maximum(max_pool(x, k, s), -1),
                      also=tuple(_started_at(start) for start in (-9, -10, -99, -100, -999, -1e3, -1e4, -1e5, -1e6))),
        Misconception("minimum instead of maximum", "The largest entry is kept, not the smallest.",
                      lambda x, k, s: -max_pool(-x, k, s)),
        Misconception("largest magnitude",
                      "Numbers are compared with their signs: -3 is smaller than 1. Here the absolute values decide.",
                      lambda x, k, s: max_pool(np.abs(x), k, s), also=(_largest_magnitude,)),
        Misconception("mean instead of maximum", "Max pooling keeps the largest entry; here entries are averaged.",
                      lambda x, k, s: F.avg_pool2d(x, k, s)),
        Misconception("index instead of value",
                      "argmax tells where the largest entry lies. The output is the entry itself.",
                      lambda x, k, s: unfolded(x, k, s).argmax(axis=-1)),
        Misconception(*STRIDE_IGNORED, lambda x, k, s: max_pool(x, k, 1)),
        Misconception(*STRIDE_IS_WINDOW, cut_apart(np.max),
                      also=(lambda x, k, s: max_pool(x, k, k), placed(np.max, side_by_side))),
        Misconception(*STRIDE_AS_SIZE, placed(np.max, as_large_as_the_stride)),
        Misconception(*TRANSPOSED, placed(np.max, transposed)),
        Misconception(*ROWS_ONLY, lambda x, k, s: max_pool(x, k, (s, 1))),
        Misconception(*COLUMNS_ONLY, lambda x, k, s: max_pool(x, k, (1, s))),
        Misconception(*NOT_IN_POSITION, moved(max_pool, lambda s: (1, 1)),
                      also=(moved(max_pool, lambda s: (s, 1)), moved(max_pool, lambda s: (1, s)))),
        Misconception(*SWAPPED, lambda x, k, s: max_pool(x, (k[1], k[0]), s)),
        Misconception(*SQUARE_WINDOWS, lambda x, k, s: max_pool(x, (k[0], k[0]), s),
                      also=(lambda x, k, s: max_pool(x, (k[1], k[1]), s),)),
        Misconception(*SQUARE_INPUTS, square_output(max_pool)),
        Misconception("one row and column too few",
                      "The size of the output is the number of steps plus one: before its first step the window has a "
                      "position too.",
                      lambda x, k, s: max_pool(x, k, s)[:, :, :-1, :-1]),
        Misconception("size divided by the stride",
                      "Only windows that lie in the picture as a whole count, and fewer of them fit than the height "
                      "divided by the stride: look at the formula of the size.",
                      _as_many_as_strides),
        Misconception("rounded up",
                      "Only windows that lie in the picture as a whole count. Here a last one hangs over the border, "
                      "as in Caffe's pooling.",
                      lambda x, k, s: F.max_pool2d(x, k, s, ceil_mode=True)),
        Misconception("last row and column of the window left out",
                      "A slice ends before its stop: start : start + n has n entries, start : start + n - 1 one fewer.",
                      _window_too_small),
        Misconception("window one row and column too large",
                      "A slice ends before its stop: start : start + n has n entries already.",
                      _window_too_large),
        Misconception("one maximum for all channels",
                      "Each channel is pooled on its own: a large value in one channel says nothing about another. "
                      "Pooling makes pictures smaller, never the number of channels.",
                      lambda x, k, s: np.broadcast_to(y := max_pool(x, k, s).max(axis=1, keepdims=True),
                                                      (len(y), x.shape[1], *y.shape[2:])),
                      also=(lambda x, k, s: max_pool(x, k, s).max(axis=1, keepdims=True),
                            lambda x, k, s: max_pool(x, k, s).max(axis=1))),
        Misconception("one maximum for all samples", "Each picture of the batch is pooled on its own.",
                      lambda x, k, s: np.broadcast_to(y := max_pool(x, k, s).max(axis=0, keepdims=True),
                                                      (len(x), *y.shape[1:])),
                      also=(lambda x, k, s: max_pool(x, k, s).max(axis=0, keepdims=True),)),
        Misconception(*ALL_PLANES, lambda x, k, s: np.broadcast_to(
            y := max_pool(x, k, s).max(axis=(0, 1), keepdims=True), (*x.shape[:2], *y.shape[2:]))),
        Misconception(*FIRST_SAMPLE, only(0, max_pool)),
        Misconception(*FIRST_CHANNEL, only(1, max_pool)),
    )
    hints = (
        "How large is the output? It is the rule for the positions of a window, without padding. Then think of one "
        "output: which block of x[n, c] does it look at?",
        "Four nested loops, over samples, channels, rows and columns of the output, each time the largest entry of one "
        "slice. Do you need a value to start from?",
        "The slice starts at row i * stride and column j * stride and has kernel_size[0] rows and kernel_size[1] "
        "columns; its method max() needs no start.",
    )
