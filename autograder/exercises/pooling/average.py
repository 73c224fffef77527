"""Average pooling: who is counted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.exercises import words
from autograder.exercises.pooling import forms
from autograder.exercises.pooling.common import NOTEBOOK, Pair
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F

LOOPS = Written("""
    def avg_pool2d_forward(x, kernel_size, stride, padding, count_include_pad):
        N, C, H, W = x.shape
        KH, KW = kernel_size
        down = across = stride
        OH, OW = (H + 2 * padding - KH) // down + 1, (W + 2 * padding - KW) // across + 1
        around = ((0, 0), (0, 0), (padding, padding), (padding, padding))
        padded, inside = np.pad(x, around), np.pad(np.ones_like(x), around)
        out = np.zeros((N, C, OH, OW), x.dtype)
        for i, j in np.ndindex(OH, OW):
            top, left = i * down, j * across
            rows, columns = slice(top, top + KH), slice(left, left + KW)
            count = KH * KW if count_include_pad else inside[0, 0, rows, columns].sum()
            out[:, :, i, j] = padded[:, :, rows, columns].sum(axis=(2, 3)) / count
        return out
    """)
COUNTED = "inside[0, 0, rows, columns].sum()"
BARE = LOOPS.edited({"padded[:, :, rows": "x[:, :, rows", forms.PLACE: "i * down - padding, j * across - padding"})
"""Slices of the picture itself; what begins at a negative number is counted from the end, and mostly empty."""


def _padded_by(each: str) -> Written:
    """An average over an input that is padded in another way; the zeros count."""
    return LOOPS.edited({"(padding, padding), (padding, padding)": f"{each}, {each}"}).edited(
        {"(H + 2 * padding - KH)": "(H + padding - KH)", "(W + 2 * padding - KW)": "(W + padding - KW)"}).given(
        "count_include_pad = True")


def counting_mistakes(loops: Written) -> Iterator[Misconception]:
    """Mistakes in the number that a window is divided by, there and back."""
    yield Misconception("always divided by the window's size",
                        "With count_include_pad False, only inputs are counted, not the zeros of the padding: a window "
                        "in the corner is divided by a smaller number.",
                        loops.given("count_include_pad = True"))
    yield Misconception("always divided by the number of inputs",
                        "With count_include_pad True, the zeros of the padding count like inputs: every window is "
                        "divided by the same number.",
                        loops.given("count_include_pad = False"))
    yield Misconception("count_include_pad the wrong way round",
                        "True means that the padding's zeros are counted, False that only inputs are.",
                        loops.given("count_include_pad = not count_include_pad"))
    yield Misconception("divided by a square",
                        "A window has KH * KW entries. Here one of the two numbers seems to be used twice.",
                        loops.edited({"KH * KW if": "KH * KH if"}),
                        also=(loops.edited({"KH * KW if": "KW * KW if"}),
                              loops.edited({" / count": " / count * KW / KH"}),
                              loops.edited({" / count": " / count * KH / KW"})))
    yield Misconception("divided by the stride",
                        "How far windows lie apart has nothing to do with how many entries one of them holds.",
                        loops.edited({" / count": " / stride**2"}))


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
        return F.avg_pool2d(x, kernel_size, stride, padding, count_include_pad=bool(count_include_pad))

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        for name, shape, *settings in padded_settings(rng):
            yield Case(name, (rng.standard_normal(shape), *settings))
        yield Case("single precision", (rng.standard_normal((2, 2, 5, 6)).astype(np.float32), (3, 2), 2, 1, False))
        yield Case("strided memory", (rng.standard_normal((2, 2, 5, 12))[..., ::2], (2, 3), 2, 1, True))
        yield Case("Fortran order", (np.asfortranarray(rng.standard_normal((2, 3, 4, 5))), (3, 2), 1, 1, False))

    misconceptions = (
        *counting_mistakes(LOOPS),
        Misconception("sum instead of mean", "The sum of a window is divided by how many entries are counted.",
                      LOOPS.edited({" / count": ""}), also=(LOOPS.ending("out *= KH * KW"),)),
        Misconception("maximum instead of mean", "All entries of the window count, not only the largest.",
                      lambda x, k, s, p, c: F.max_pool2d(x, k, s, p)),
        Misconception(*words.PADDING_IGNORED, LOOPS.given("padding = 0")),
        Misconception(*words.EDGE_VALUES, LOOPS.edited({"np.pad(x, around)": "np.pad(x, around, mode='edge')"}),
                      also=(LOOPS.edited({"np.pad(x, around)": "np.pad(x, around, mode='edge')",
                                          COUNTED: "KH * KW"}),)),
        Misconception(*words.PADDING_BEFORE_ONLY, _padded_by("(padding, 0)")),
        Misconception(*words.PADDING_AFTER_ONLY, _padded_by("(0, padding)")),
        Misconception(*words.NEGATIVE_START, BARE.edited({COUNTED: "max(x[0, 0, rows, columns].size, 1)"}),
                      also=(BARE.edited({COUNTED: "x[0, 0, rows, columns].size"}),)),
        Misconception(*words.ALL_AXES_PADDED,
                      LOOPS.given("x, padding, count_include_pad = np.pad(x, padding), 0, True"),
                      detail="np.pad takes a pair of numbers for every axis."),
        Misconception(*words.PADDING_COUNTED_ONCE,
                      LOOPS.edited({"H + 2 * padding": "H + padding", "W + 2 * padding": "W + padding"}),
                      detail="The padded picture has H + 2 P rows."),
        Misconception("mean over the channels too",
                      "Each channel is pooled on its own; pooling never mixes channels.",
                      LOOPS.returning("out.mean(axis=1, keepdims=True).repeat(C, axis=1)"),
                      also=(LOOPS.returning("out.mean(axis=1, keepdims=True)"),)),
        Misconception(*words.ROUNDED_UP,
                      lambda x, k, s, p, c: F.avg_pool2d(x, k, s, p, ceil_mode=True, count_include_pad=bool(c))),
        *forms.of_forward(LOOPS),
    )
    hints = (
        "A window in the corner, 3 x 3 with padding 1: how many of its nine entries are inputs?",
        "Pad with zeros and sum each window. For the divisor there are two rules; count the inputs by how far the "
        "window reaches into the picture, or let a picture of ones tell you.",
        "Padded by zeros, a picture of ones has in each window as many ones as there are inputs: sum its windows in "
        "the same way, and divide by that.",
    )
