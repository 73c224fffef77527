"""Counting: what is left after pooling, and what is never looked at."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.exercises import words
from autograder.exercises.pooling.common import NOTEBOOK
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import geometry

RULES = Written("""
    def activations_kept(height, width, kernel_size, stride):
        KH, KW = kernel_size
        OH, OW = (height - KH) // stride + 1, (width - KW) // stride + 1
        rows, columns = (OH - 1) * min(stride, KH) + KH, (OW - 1) * min(stride, KW) + KW
        return OH * OW / (height * width), height * width - rows * columns
    """)


def _share(share: str) -> Written:
    """The first number by another rule."""
    return RULES.edited({"OH * OW / (height * width)": share})


def _unread(count: str) -> Written:
    """The second number by another rule."""
    return RULES.edited({"height * width - rows * columns": count})


def _windows(down: str, across: str) -> Written:
    """The first number from another number of windows along each axis."""
    return _share(f"({down}) * ({across}) / (height * width)")


@exercise("activations_kept", notebook=NOTEBOOK, points=3)
class ActivationsKept:
    """How much of a feature map is left after pooling, and how much of it was never looked at.

    A map of `height` x `width` is pooled by windows of kernel_size = (KH, KW), `stride` entries apart along both axes,
    without padding, rounded down. Return two numbers: the size of the output as a share of the size of the input, from
    0 to 1; and how many entries of the input lie in no window at all.
    """

    def activations_kept(height, width, kernel_size, stride):
        (rows, columns), (KH, KW) = (
            geometry.output_size((height, width), kernel_size, stride, rounding="floor"), kernel_size)
        read = ((rows - 1) * min(stride, KH) + KH) * ((columns - 1) * min(stride, KW) + KW)
        return rows * columns / (height * width), height * width - read

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
                      _share("1 - OH * OW / (height * width)")),
        Misconception("percent instead of a share", "The first number lies between 0 and 1.",
                      _share("100 * OH * OW / (height * width)")),
        Misconception("one over the stride squared",
                      "This is what is left if everything fits. Otherwise the output's sizes are rounded down, and "
                      "less is left: compute the output's size.",
                      _share("1 / stride**2")),
        Misconception("one over the window's size",
                      "How many windows there are depends on how far they lie apart. Here they are counted as if they "
                      "lay side by side.",
                      _share("1 / (KH * KW)"), also=(_windows("height // KH", "width // KW"),)),
        Misconception(*words.NOT_ROUNDED, _windows("(height - KH) / stride + 1", "(width - KW) / stride + 1"),
                      detail="Windows are counted along each axis by itself: round down there."),
        Misconception(*words.ROUNDED_UP, _windows("-((KH - height) // stride) + 1", "-((KW - width) // stride) + 1")),
        Misconception(*words.ONE_FORGOTTEN, _windows("OH - 1", "OW - 1")),
        Misconception("only one axis", "A share of the area is the product of two shares of lengths.",
                      _share("OH / height"), also=(_share("OW / width"),)),
        Misconception("overlaps counted twice",
                      "An entry in two windows is still one entry. The number of windows times their size counts it "
                      "twice.",
                      _unread("height * width - OH * OW * KH * KW"),
                      also=(_unread("max(0, height * width - OH * OW * KH * KW)"),)),
        Misconception("gaps between windows forgotten",
                      "At the border entries may be left over. With a stride larger than the window there are also "
                      "gaps between the windows.",
                      RULES.edited({"min(stride, KH)": "stride", "min(stride, KW)": "stride"})),
        Misconception("border forgotten",
                      "Between the windows the count is right. What is left over behind the last window is not read "
                      "either.",
                      _unread("((OH - 1) * stride + KH) * ((OW - 1) * stride + KW) - rows * columns")),
        Misconception("rows and columns subtracted one by one",
                      "Where a row that is not read crosses a column that is not read, one entry belongs to both; "
                      "and a row is as long as the map is wide.",
                      _unread("(height - rows) * width + (width - columns) * height"),
                      also=(_unread("(height - rows) * (width - columns)"),
                            _unread("height - rows + width - columns"))),
        Misconception("entries that are read", "The second number counts the entries that lie in no window.",
                      _unread("rows * columns")),
        Misconception("inputs that are not kept",
                      "An entry that loses against the others in its window has been looked at. The second number "
                      "counts those that lie in no window.",
                      _unread("height * width - OH * OW")),
        Misconception(*words.WINDOW_SWAPPED, RULES.given("kernel_size = kernel_size[::-1]")),
    )
    hints = (
        "Draw 7 x 7 entries and windows of 2 x 2 with stride 2. How many windows are there, and which entries lie in "
        "none?",
        "Both numbers are products of something along the rows and something along the columns. An entry is read if "
        "its row is read and its column is read.",
        "Along one axis: mark the entries of each window in an array of False, and count the marks. Or: the last "
        "window has KH rows, each one before it adds min(stride, KH).",
    )
