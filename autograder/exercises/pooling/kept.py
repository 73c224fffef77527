"""Counting: what is left after pooling, and what is never looked at."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from autograder.exercises.pooling.common import NOTEBOOK, ONE_FORGOTTEN, Pair
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import geometry

Counts = tuple[float, int]


def _positions(size: int, kernel_size: int, stride: int) -> int:
    return geometry.output_size(size, kernel_size, stride, rounding="floor")


def _read(size: int, kernel_size: int, stride: int) -> int:
    """How many entries of an axis lie in at least one window."""
    steps = _positions(size, kernel_size, stride) - 1
    return steps * min(kernel_size, stride) + kernel_size


def _reached(size: int, kernel_size: int, stride: int) -> int:
    """Up to where along an axis the windows reach, gaps between them included."""
    return (_positions(size, kernel_size, stride) - 1) * stride + kernel_size


def _counts(
    positions: Callable[[int, int, int], float] = _positions, read: Callable[[int, int, int], int] = _read,
) -> Callable[..., Counts]:
    """The exercise's answer, from rules along one axis."""
    def counts(height: int, width: int, kernel_size: Pair, stride: int) -> Counts:
        rows, columns = ((size, k, stride) for size, k in zip((height, width), kernel_size, strict=True))
        return (positions(*rows) * positions(*columns) / (height * width),
                height * width - read(*rows) * read(*columns))
    return counts


_right = _counts()


@exercise("activations_kept", notebook=NOTEBOOK, points=3)
class ActivationsKept:
    """How much of a feature map is left after pooling, and how much of it was never looked at.

    A map of `height` x `width` is pooled by windows of kernel_size = (KH, KW), `stride` entries apart along both axes,
    without padding, rounded down. Return two numbers: the size of the output as a share of the size of the input, from
    0 to 1; and how many entries of the input lie in no window at all.
    """

    def activations_kept(height, width, kernel_size, stride):
        return _right(height, width, kernel_size, stride)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        yield Case("even sizes, 2 x 2 with stride 2", (8, 8, (2, 2), 2))
        yield Case("odd sizes, 2 x 2 with stride 2", (7, 7, (2, 2), 2))
        yield Case("taller than wide", (10, 6, (2, 2), 2))
        yield Case("wider than tall, one side odd", (4, 9, (2, 2), 2))
        yield Case("overlapping windows", (55, 55, (3, 3), 2))
        yield Case("overlapping windows, entries left over", (8, 11, (3, 3), 2))
        yield Case("windows that move by one", (6, 5, (3, 3), 1))
        yield Case("a window taller than wide", (9, 7, (4, 2), 2))
        yield Case("a window wider than tall", (7, 12, (2, 5), 3))
        yield Case("a stride larger than the window", (11, 14, (2, 2), 3))
        yield Case("a stride larger than the window along one axis", (12, 13, (2, 5), 4))
        yield Case("a window of one entry, stride 2", (6, 7, (1, 1), 2))
        yield Case("one window over everything", (7, 5, (7, 5), 1))
        sizes, kernel = rng.integers(12, 40, 2), rng.integers(1, 7, 2)
        yield Case("drawn at random",
                   (int(sizes[0]), int(sizes[1]), (int(kernel[0]), int(kernel[1])), int(rng.integers(2, 6))))

    misconceptions = (
        Misconception("share that is removed", "The first number is the share that is left, not the one that is gone.",
                      lambda h, w, k, s: (1 - _right(h, w, k, s)[0], _right(h, w, k, s)[1])),
        Misconception("percent instead of a share", "The first number lies between 0 and 1.",
                      lambda h, w, k, s: (100 * _right(h, w, k, s)[0], _right(h, w, k, s)[1])),
        Misconception("one over the stride squared",
                      "This is what is left if everything fits. Otherwise the output's sizes are rounded down, and "
                      "less is left: compute the output's size.",
                      lambda h, w, k, s: (1 / s**2, _right(h, w, k, s)[1])),
        Misconception("one over the window's size",
                      "How many windows there are depends on how far they lie apart. Here they are counted as if they "
                      "lay side by side.",
                      lambda h, w, k, s: (1 / (k[0] * k[1]), _right(h, w, k, s)[1]),
                      also=(lambda h, w, k, s: (h // k[0] * (w // k[1]) / (h * w), _right(h, w, k, s)[1]),)),
        Misconception("not rounded", "A number of windows is a whole number along each axis: round down.",
                      _counts(positions=lambda n, k, s: (n - k) / s + 1)),
        Misconception("rounded up", "Windows that hang over the border are not counted here.",
                      _counts(positions=lambda n, k, s: math.ceil((n - k) / s) + 1)),
        Misconception(*ONE_FORGOTTEN, _counts(positions=lambda n, k, s: (n - k) // s)),
        Misconception("only one axis", "A share of the area is the product of two shares of lengths.",
                      lambda h, w, k, s: (_positions(h, k[0], s) / h, _right(h, w, k, s)[1]),
                      also=(lambda h, w, k, s: (_positions(w, k[1], s) / w, _right(h, w, k, s)[1]),)),
        Misconception("overlaps counted twice",
                      "An entry in two windows is still one entry. The number of windows times their size counts it "
                      "twice.",
                      lambda h, w, k, s: (_right(h, w, k, s)[0],
                                          h * w - _positions(h, k[0], s) * _positions(w, k[1], s) * k[0] * k[1]),
                      also=(lambda h, w, k, s: (_right(h, w, k, s)[0], max(0, h * w - _positions(h, k[0], s)
                                                                           * _positions(w, k[1], s) * k[0] * k[1])),)),
        Misconception("gaps between windows forgotten",
                      "At the border entries may be left over. With a stride larger than the window there are also "
                      "gaps between the windows.",
                      _counts(read=_reached)),
        Misconception("border forgotten",
                      "Between the windows the count is right. What is left over behind the last window is not read "
                      "either.",
                      lambda h, w, k, s: (_right(h, w, k, s)[0], _reached(h, k[0], s) * _reached(w, k[1], s)
                                          - _read(h, k[0], s) * _read(w, k[1], s))),
        Misconception("rows and columns subtracted one by one",
                      "Where a row that is not read crosses a column that is not read, one entry belongs to both; "
                      "and a row is as long as the map is wide.",
                      lambda h, w, k, s: (_right(h, w, k, s)[0],
                                          (h - _read(h, k[0], s)) * w + (w - _read(w, k[1], s)) * h),
                      also=(lambda h, w, k, s: (_right(h, w, k, s)[0],
                                                (h - _read(h, k[0], s)) * (w - _read(w, k[1], s))),
                            lambda h, w, k, s: (_right(h, w, k, s)[0],
                                                h - _read(h, k[0], s) + w - _read(w, k[1], s)))),
        Misconception("entries that are read", "The second number counts the entries that lie in no window.",
                      lambda h, w, k, s: (_right(h, w, k, s)[0], h * w - _right(h, w, k, s)[1])),
        Misconception("inputs that are not kept",
                      "An entry that loses against the others in its window has been looked at. The second number "
                      "counts those that lie in no window.",
                      lambda h, w, k, s: (_right(h, w, k, s)[0],
                                          h * w - _positions(h, k[0], s) * _positions(w, k[1], s))),
        Misconception("window height and width swapped",
                      "kernel_size is (height, width): the first number belongs to the rows.",
                      lambda h, w, k, s: _right(w, h, k, s)),
    )
    hints = (
        "Draw 7 x 7 entries and windows of 2 x 2 with stride 2. How many windows are there, and which entries lie in "
        "none?",
        "Both numbers are products of something along the rows and something along the columns. An entry is read if "
        "its row is read and its column is read.",
        "Along one axis: mark the entries of each window in an array of False, and count the marks. Or: the last "
        "window has KH rows, each one before it adds min(stride, KH).",
    )
