"""Where each maximum lies: max pooling that keeps its indices, with padding that never wins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.exercises import words
from autograder.exercises.pooling import forms, ties
from autograder.exercises.pooling.common import NOTEBOOK, descending
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F

LOOPS = Written("""
    def max_pool2d_with_indices(x, kernel_size, stride, padding):
        N, C, H, W = x.shape
        KH, KW = kernel_size
        down = across = stride
        OH, OW = (H + 2 * padding - KH) // down + 1, (W + 2 * padding - KW) // across + 1
        around = ((0, 0), (0, 0), (padding, padding), (padding, padding))
        padded = np.pad(x, around, constant_values=-np.inf)
        values, indices = np.zeros((N, C, OH, OW), x.dtype), np.zeros((N, C, OH, OW), int)
        for n, c, i, j in np.ndindex(N, C, OH, OW):
            top, left = i * down - padding, j * across - padding
            window = padded[n, c, top + padding : top + padding + KH, left + padding : left + padding + KW]
            row, column = divmod(window.argmax(), KW)
            values[n, c, i, j] = window.max()
            indices[n, c, i, j] = (top + row) * W + left + column
        return values, indices
    """)
INDEX = "(top + row) * W + left + column"
INDEX_IN_PADDED = "(top + padding + row) * (W + 2 * padding) + left + padding + column"
CUT_OFF = LOOPS.edited({
    "padded[n, c, top + padding : top + padding + KH, left + padding : left + padding + KW]":
    "x[n, c, max(top, 0) : top + KH, max(left, 0) : left + KW]"})
"""Windows cut off at the border, while their place and their width are those of whole ones."""
OTHER_FILLS = (-9, -10, -99, -100, -999, -1e3, -1e4, -1e5, -1e6)
"""Numbers that students take for smaller than any input."""


def _told(index: str) -> Written:
    """The right maxima, and something else in place of their indices."""
    return LOOPS.edited({INDEX: index})


def _filled(fill: Any) -> Written:
    """The padding consists of another number."""
    return LOOPS.edited({"-np.inf": f"{fill}"})


@exercise("max_pool2d_with_indices", notebook=NOTEBOOK, points=4)
class MaxPool2dWithIndices:
    """Max pooling with padding that also tells where each maximum lies.

    x has shape (N, C, H, W), kernel_size is (KH, KW); stride and padding are whole numbers, the padding at most half of
    the window. Return two arrays of shape (N, C, OH, OW): the largest inputs, and for each of them its place in its
    plane x[n, c], counted row by row: row * W + column, without the padding. Padding never wins, whatever the inputs.
    Where several entries of a window are largest, any one of them may be named.
    """

    def max_pool2d_with_indices(x, kernel_size, stride, padding):
        return F.max_pool2d(x, kernel_size, stride, padding, return_indices=True)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def case(name: str, shape: tuple[int, ...], *settings: Any) -> Case:
            return Case(name, (rng.standard_normal(shape), *settings))

        yield case("one window", (1, 1, 2, 2), (2, 2), 2, 0)
        yield case("windows side by side", (1, 1, 4, 6), (2, 2), 2, 0)
        yield case("several channels", (1, 3, 4, 4), (2, 2), 2, 0)
        yield case("two samples, taller than wide", (2, 2, 6, 4), (2, 2), 2, 0)
        yield case("overlapping windows", (1, 2, 5, 7), (3, 3), 2, 0)
        yield case("a window taller than wide", (2, 2, 7, 5), (3, 2), 2, 0)
        yield case("a window wider than tall, stride 1", (1, 2, 4, 7), (2, 4), 1, 0)
        yield case("a stride larger than the window", (1, 2, 8, 11), (2, 2), 3, 0)
        yield case("padding 1", (2, 2, 5, 6), (3, 3), 2, 1)
        yield Case("padding 1, only negative inputs", (-rng.uniform(0.5, 3, (2, 2, 4, 6)), (2, 2), 2, 1))
        yield Case("padding 2, only negative inputs", (-rng.uniform(0.5, 3, (1, 2, 5, 4)), (4, 5), 1, 2))
        yield Case("padding 1, inputs far below zero", (-rng.uniform(2e6, 3e6, (1, 2, 5, 4)), (3, 2), 1, 1))
        yield Case("padding 1, all inputs equal", (np.full((1, 1, 3, 4), rng.uniform(-2, -1)), (2, 2), 2, 1))
        yield Case("inputs that grow smaller", (descending(rng, (1, 2, 5, 6)), (3, 2), 2, 1))
        yield Case("equal inputs within a window", (rng.integers(-2, 2, (2, 2, 5, 6)).astype(float), (3, 2), 1, 1))
        x = np.full((1, 2, 4, 4), rng.uniform(-2, -1))
        x[0, 0, [0, 1, 2, 3], [1, 0, 2, 3]] = x[0, 1, [0, 1, 2, 3], [0, 1, 3, 2]] = rng.uniform(0.5, 2)
        yield Case("two largest inputs, in different rows and columns", (x, (2, 2), 2, 0))
        yield Case("single precision", (rng.standard_normal((2, 2, 5, 6)).astype(np.float32), (3, 2), 2, 1))
        yield Case("strided memory", (rng.standard_normal((2, 2, 5, 12))[..., ::2], (2, 3), 1, 0))
        yield Case("Fortran order", (np.asfortranarray(rng.standard_normal((2, 3, 6, 5))), (2, 3), 2, 1))

    alternatives = {"max_pool2d_with_indices": ties.nearest_indices}  # noqa: RUF012

    misconceptions = (
        Misconception("padding with zeros wins",
                      "Zero is larger than any negative number, so in windows at the border a padding of zeros beats "
                      "negative inputs. Padding must never win: which number is never the largest?",
                      _filled(0), also=(_filled(0).edited({INDEX: INDEX_IN_PADDED}),)),
        Misconception("padding with a number that can win",
                      "Whatever number the padding consists of, inputs may be smaller still, or equal to it. Padding "
                      "must never win.",
                      _filled(-1), also=(_filled("x.min()"), *map(_filled, OTHER_FILLS))),
        Misconception("index within the window",
                      "The index counts in the plane x[n, c], where all windows share one counting. Here each window "
                      "counts its own entries, so that equal numbers mean different places.",
                      _told("row * KW + column")),
        Misconception("padding not taken off the index",
                      "The place is counted in the picture as it was given, without the padding around it: row 0 is "
                      "the first row of x.",
                      _told("(top + padding + row) * W + left + padding + column"),
                      also=(_told(INDEX_IN_PADDED),
                            _told("(top + padding + row) * W + left + column"),
                            _told("(top + row) * W + left + padding + column"))),
        Misconception("window cut off at the border, its place not",
                      "A window that hangs over the border begins, once it is cut off, at row or column 0 of the "
                      "picture, not at a negative one, and its rows are shorter than KW.",
                      CUT_OFF.edited({"argmax(), KW": "argmax(), window.shape[1]"}),
                      also=(CUT_OFF, CUT_OFF.edited({INDEX: "(max(top, 0) + row) * W + max(left, 0) + column"}))),
        Misconception("row times height",
                      "Counted row by row, each row above an entry puts W entries before it: the row is multiplied by "
                      "the width.",
                      _told("(top + row) * H + left + column")),
        Misconception(*words.COUNTED_DOWNWARDS, _told("(left + column) * H + top + row")),
        Misconception("counted through all channels",
                      "Each plane x[n, c] has a counting of its own that starts at 0. Here the planes before it are "
                      "counted too.",
                      _told("(c * H + top + row) * W + left + column"),
                      also=(_told("((n * C + c) * H + top + row) * W + left + column"),)),
        Misconception(*words.COUNTED_FROM_ONE, _told("(top + row) * W + left + column + 1")),
        Misconception("stride missing in the index",
                      "Inside of the window the place is right. But the window of output (i, j) starts at row "
                      "i * stride and column j * stride.",
                      _told("(i - padding + row) * W + j - padding + column")),
        Misconception(*words.ENTRY_BY_HEIGHT, LOOPS.edited({"argmax(), KW": "argmax(), KH"})),
        Misconception("corner of the window",
                      "These are the places where windows begin. The place of the maximum within the window is "
                      "missing.",
                      _told("top * W + left")),
        Misconception("argmax of the whole plane",
                      "Each window has its own maximum. Here the place of the largest entry of the whole plane is told "
                      "for every window.",
                      _told("x[n, c].argmax()")),
        Misconception("equal value outside of the window",
                      "The place has to lie in the window itself. Here an entry elsewhere in the plane is named "
                      "because it happens to have the same value.",
                      _told("np.flatnonzero(x[n, c] == window.max())[0]")),
        Misconception("row and column apart",
                      "One number is wanted for each window: the row and the column have to be put together.",
                      LOOPS.returning("values, np.stack(np.divmod(indices, W), axis=-1)")),
        Misconception("values and indices swapped", "The values come first, the indices second.",
                      LOOPS.returning("indices, values")),
        Misconception(*words.PADDING_IGNORED, LOOPS.given("padding = 0")),
        Misconception(*words.MINIMUM, LOOPS.given("x = -x").returning("(-values, indices)")),
        Misconception(*words.STRIDE_IGNORED, LOOPS.given("stride = 1"), detail=forms.QUARTER),
        Misconception(*words.STRIDE_IS_WINDOW, LOOPS.edited({forms.STEP: "down, across = KH, KW"})),
        Misconception(*words.WINDOW_SWAPPED, LOOPS.given("kernel_size = kernel_size[::-1]")),
    )
    hints = (
        "Write down a plane of 3 x 4 and number its entries row by row. In a window, argmax counts the window's own "
        "entries: how do you get from there to the numbers of the plane?",
        "Pad with a number that is smaller than any input. For each window take the argmax of the flattened block, "
        "split it into a row and a column of the window, and add where the window starts.",
        "divmod(argmax, KW) gives row and column within the window. The window starts at row i * stride - padding and "
        "column j * stride - padding of x; the index is row * W + column.",
    )
