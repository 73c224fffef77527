"""L2 pooling: the length of every window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.exercises.pooling.common import (
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

EPSILONS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)


def norm(x: np.ndarray, kernel_size: Pair, stride: Any) -> np.ndarray:
    return F.lp_pool2d(x, 2, kernel_size, stride)


def _sum(x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
    return F.lp_pool2d(x, 1, kernel_size, stride)


def _length(block: np.ndarray, axis: tuple[int, int]) -> np.ndarray:
    return np.sqrt((block**2).sum(axis=axis))


def _plus(epsilon: float, *, under_the_root: bool = False) -> Callable[..., np.ndarray]:
    """A norm with a small number added."""
    def wrong(x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
        norms, small = norm(x, kernel_size, stride), x.dtype.type(epsilon)
        return np.sqrt(norms**2 + small) if under_the_root else norms + small
    return wrong


@exercise("l2_pool2d_forward", notebook=NOTEBOOK, points=2)
class L2Pool2dForward:
    """L2 pooling: the root of the sum of squares of every window.

    x has shape (N, C, H, W), kernel_size is (KH, KW), stride a whole number for both axes; no padding, sizes rounded
    down. Return shape (N, C, OH, OW).
    """

    def l2_pool2d_forward(x, kernel_size, stride):
        return norm(x, kernel_size, stride)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        yield from pooling_cases(rng)
        x = rng.standard_normal((1, 2, 4, 6))
        x[:, :, :2, :2] = 0
        yield Case("a window of zeros", (x, (2, 2), 2))

    misconceptions = (
        Misconception("L2 without the root",
                      "The length of a vector is the root of its sum of squares. Here the sum itself is returned: "
                      "inputs twice as large would give an output four times as large.",
                      lambda x, k, s: norm(x, k, s)**2, also=(lambda x, k, s: F.avg_pool2d(x * x, k, s),)),
        Misconception("mean of the squares",
                      "The squares are summed, not averaged.",
                      lambda x, k, s: np.sqrt(F.avg_pool2d(x * x, k, s)),
                      also=(lambda x, k, s: norm(x, k, s) / x.dtype.type(k[0] * k[1]),)),
        Misconception("spread around the mean",
                      "A standard deviation subtracts the mean of the window first; the length of a vector does not.",
                      lambda x, k, s: unfolded(x, k, s).std(axis=-1)),
        Misconception("sum instead of root of squares",
                      "Entries are squared before they are summed, so that signs do not matter.",
                      _sum, also=(lambda x, k, s: np.abs(_sum(x, k, s)), lambda x, k, s: np.sqrt(np.abs(_sum(x, k, s))),
                                  lambda x, k, s: _sum(x, k, s)**2)),
        Misconception("L1 instead of L2", "Squares are summed, not absolute values.",
                      lambda x, k, s: _sum(np.abs(x), k, s)),
        Misconception("root before the sum", "First all squares are summed, then one root is taken.",
                      lambda x, k, s: _sum(np.sqrt(np.abs(x)), k, s)),
        Misconception("maximum instead of norm", "All entries of the window count, not only the largest.",
                      lambda x, k, s: F.max_pool2d(x, k, s), also=(lambda x, k, s: F.max_pool2d(np.abs(x), k, s),)),
        Misconception("negative inputs left out",
                      "Squares of negative entries are positive and count like the others.",
                      lambda x, k, s: norm(np.maximum(x, 0), k, s)),
        Misconception("spectral norm",
                      "np.linalg.norm(window, 2) of a matrix is something else, its largest singular value. The "
                      "window is to be taken as one long vector.",
                      lambda x, k, s: np.linalg.norm(
                          np.lib.stride_tricks.sliding_window_view(x, k, axis=(2, 3))[:, :, ::s, ::s], 2, axis=(4, 5))),
        Misconception("an epsilon that changes the result",
                      "A small number added under the root or to it shifts the result. Nothing can be divided by zero "
                      "here, so none is needed.",
                      _plus(EPSILONS[0]),
                      also=(*map(_plus, EPSILONS[1:]),
                            *(_plus(e, under_the_root=True) for e in (*EPSILONS, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12)))),
        Misconception("one norm for all channels", "Each channel is pooled on its own.",
                      lambda x, k, s: np.broadcast_to(
                          y := np.sqrt((norm(x, k, s)**2).sum(axis=1, keepdims=True)),
                          (len(y), x.shape[1], *y.shape[2:])),
                      also=(lambda x, k, s: np.sqrt((norm(x, k, s)**2).sum(axis=1, keepdims=True)),)),
        Misconception(*STRIDE_IGNORED, lambda x, k, s: norm(x, k, 1)),
        Misconception(*STRIDE_IS_WINDOW, lambda x, k, s: norm(x, k, k),
                      also=(cut_apart(_length), placed(_length, side_by_side))),
        Misconception(*STRIDE_AS_SIZE, placed(_length, as_large_as_the_stride)),
        Misconception(*TRANSPOSED, placed(_length, transposed)),
        Misconception(*ROWS_ONLY, lambda x, k, s: norm(x, k, (s, 1))),
        Misconception(*COLUMNS_ONLY, lambda x, k, s: norm(x, k, (1, s))),
        Misconception(*NOT_IN_POSITION, moved(norm, lambda s: (1, 1))),
        Misconception(*SWAPPED, lambda x, k, s: norm(x, k[::-1], s)),
        Misconception(*SQUARE_WINDOWS, lambda x, k, s: norm(x, (k[0], k[0]), s),
                      also=(lambda x, k, s: norm(x, (k[1], k[1]), s),)),
        Misconception(*SQUARE_INPUTS, square_output(norm)),
        Misconception(*FIRST_SAMPLE, only(0, norm)),
        Misconception(*FIRST_CHANNEL, only(1, norm)),
    )
    hints = (
        "A window of 1 x 2 with the entries 3 and -4: how long is this vector?",
        "The windows are those of max pooling. Only what is done with one of them is new: squares, their sum, a root.",
        "np.sqrt(np.sum(window ** 2)). Or average the squares by your average pooling: what is missing then before "
        "the root is taken?",
    )
