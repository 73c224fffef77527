"""Max pooling: the largest input of every window."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.exercises import words
from autograder.exercises.pooling import forms
from autograder.exercises.pooling.common import NOTEBOOK, pooling_cases
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F

LOOPS = Written("""
    def max_pool2d_forward(x, kernel_size, stride):
        N, C, H, W = x.shape
        KH, KW = kernel_size
        down = across = stride
        OH, OW = (H - KH) // down + 1, (W - KW) // across + 1
        out = np.zeros((N, C, OH, OW), x.dtype)
        for i, j in np.ndindex(OH, OW):
            top, left = i * down, j * across
            rows, columns = slice(top, top + KH), slice(left, left + KW)
            window = x[:, :, rows, columns]
            out[:, :, i, j] = window.max(axis=(2, 3))
        return out
    """)
HIGH, LOW = "window.max(axis=(2, 3))", "window.min(axis=(2, 3))"
OUTPUT_SIZE = "(H - KH) // down + 1, (W - KW) // across + 1"
OTHER_STARTS = (-9, -10, -99, -100, -999, -1e3, -1e4, -1e5, -1e6)
"""Numbers that students take for smaller than any input."""


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
        Misconception(*words.MAXIMUM_FROM_ZERO, LOOPS.returning("np.maximum(out, 0)")),
        Misconception("maximum started at some number",
                      "Whatever number the search starts from, inputs may be smaller still, and then this number wins. "
                      "Start from an entry of the window, or from minus infinity.",
                      LOOPS.returning("np.maximum(out, -1)"),
                      also=tuple(LOOPS.returning(f"np.maximum(out, {start})") for start in OTHER_STARTS)),
        Misconception(*words.MINIMUM, LOOPS.edited({".max(": ".min("})),
        Misconception(*words.LARGEST_MAGNITUDE, LOOPS.given("x = np.abs(x)"),
                      also=(LOOPS.edited({HIGH: f"np.where(-{LOW} > {HIGH}, {LOW}, {HIGH})"}),)),
        Misconception("mean instead of maximum", "Max pooling keeps the largest entry; here entries are averaged.",
                      LOOPS.edited({".max(": ".mean("})),
        Misconception("index instead of value",
                      "argmax tells where the largest entry lies. The output is the entry itself.",
                      LOOPS.edited({".max(axis=(2, 3))": ".reshape(N, C, KH * KW).argmax(axis=2)"})),
        *forms.of_forward(LOOPS, lambda x, k, s: forms.tiles(x, k).max(axis=(3, 5))),
        Misconception(*words.ONE_ROW_AND_COLUMN_FEWER, LOOPS.returning("out[:, :, :-1, :-1]")),
        Misconception("size divided by the stride",
                      "Only windows that lie in the picture as a whole count, and fewer of them fit than the height "
                      "divided by the stride: look at the formula of the size.",
                      LOOPS.edited({OUTPUT_SIZE: "H // down, W // across"})),
        Misconception(*words.ROUNDED_UP, lambda x, k, s: F.max_pool2d(x, k, s, ceil_mode=True),
                      detail="Caffe's pooling counts such a window, this layer does not."),
        Misconception("last row and column of the window left out",
                      "A slice ends before its stop: start : start + n has n entries, start : start + n - 1 one fewer.",
                      LOOPS.edited({forms.SIZE: "slice(top, top + KH - 1), slice(left, left + KW - 1)"})),
        Misconception("window one row and column too large",
                      "A slice ends before its stop: start : start + n has n entries already.",
                      LOOPS.edited({forms.SIZE: "slice(top, top + KH + 1), slice(left, left + KW + 1)"})),
        Misconception(*words.ONE_MAXIMUM_FOR_CHANNELS,
                      LOOPS.returning("out.max(axis=1, keepdims=True).repeat(C, axis=1)"),
                      also=(LOOPS.returning("out.max(axis=1, keepdims=True)"), LOOPS.returning("out.max(axis=1)")),
                      detail="Pooling makes pictures smaller, never the number of channels."),
        Misconception("one maximum for all samples", "Each picture of the batch is pooled on its own.",
                      LOOPS.returning("out.max(axis=0, keepdims=True).repeat(N, axis=0)"),
                      also=(LOOPS.returning("out.max(axis=0, keepdims=True)"),)),
        Misconception(*words.ONE_MAXIMUM_FOR_PLANES, LOOPS.edited({".max(axis=(2, 3))": ".max()"})),
    )
    hints = (
        "How large is the output? It is the rule for the positions of a window, without padding. Then think of one "
        "output: which block of x[n, c] does it look at?",
        "Four nested loops, over samples, channels, rows and columns of the output, each time the largest entry of one "
        "slice. Do you need a value to start from?",
        "The slice starts at row i * stride and column j * stride and has kernel_size[0] rows and kernel_size[1] "
        "columns; its method max() needs no start.",
    )
