"""L2 pooling: the length of every window."""

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
    def l2_pool2d_forward(x, kernel_size, stride):
        N, C, H, W = x.shape
        KH, KW = kernel_size
        down = across = stride
        OH, OW = (H - KH) // down + 1, (W - KW) // across + 1
        out = np.zeros((N, C, OH, OW), x.dtype)
        for i, j in np.ndindex(OH, OW):
            top, left = i * down, j * across
            rows, columns = slice(top, top + KH), slice(left, left + KW)
            window = x[:, :, rows, columns]
            out[:, :, i, j] = np.sqrt((window**2).sum(axis=(2, 3)))
        return out
    """)
EPSILONS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)


def _of_window(value: str) -> Written:
    """The layer with another number than the length of the window."""
    return LOOPS.edited({"np.sqrt((window**2).sum(axis=(2, 3)))": value})


@exercise("l2_pool2d_forward", notebook=NOTEBOOK, points=2)
class L2Pool2dForward:
    """L2 pooling: the root of the sum of squares of every window.

    x has shape (N, C, H, W), kernel_size is (KH, KW), stride a whole number for both axes; no padding, sizes rounded
    down. Return shape (N, C, OH, OW).
    """

    def l2_pool2d_forward(x, kernel_size, stride):
        return F.lp_pool2d(x, 2, kernel_size, stride)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        yield from pooling_cases(rng)
        x = rng.standard_normal((1, 2, 4, 6))
        x[:, :, :2, :2] = 0
        yield Case("a window of zeros", (x, (2, 2), 2))

    misconceptions = (
        Misconception("L2 without the root",
                      "The length of a vector is the root of its sum of squares. Here the sum itself is returned: "
                      "inputs twice as large would give an output four times as large.",
                      LOOPS.ending("out **= 2"), also=(LOOPS.ending("out = out**2 / (KH * KW)"),)),
        Misconception("mean of the squares", "The squares are summed, not averaged.",
                      LOOPS.edited({".sum(": ".mean("}), also=(LOOPS.ending("out /= KH * KW"),)),
        Misconception("spread around the mean",
                      "A standard deviation subtracts the mean of the window first; the length of a vector does not.",
                      _of_window("window.std(axis=(2, 3))")),
        Misconception("sum instead of root of squares",
                      "Entries are squared before they are summed, so that signs do not matter.",
                      _of_window("window.sum(axis=(2, 3))"),
                      also=(_of_window("np.abs(window.sum(axis=(2, 3)))"), _of_window("window.sum(axis=(2, 3))**2"),
                            _of_window("np.sqrt(np.abs(window.sum(axis=(2, 3))))"))),
        Misconception("L1 instead of L2", "Squares are summed, not absolute values.",
                      _of_window("np.abs(window).sum(axis=(2, 3))")),
        Misconception("root before the sum", "First all squares are summed, then one root is taken.",
                      _of_window("np.sqrt(np.abs(window)).sum(axis=(2, 3))")),
        Misconception("maximum instead of norm", "All entries of the window count, not only the largest.",
                      _of_window("window.max(axis=(2, 3))"), also=(_of_window("np.abs(window).max(axis=(2, 3))"),)),
        Misconception("negative inputs left out",
                      "Squares of negative entries are positive and count like the others.",
                      LOOPS.given("x = np.maximum(x, 0)")),
        Misconception("spectral norm",
                      "np.linalg.norm(window, 2) of a matrix is something else, its largest singular value. The "
                      "window is to be taken as one long vector.",
                      _of_window("np.linalg.norm(window, 2, axis=(2, 3))")),
        Misconception(*words.EPSILON, LOOPS.ending("out += 1e-2"),
                      also=(*(LOOPS.ending(f"out += {e}") for e in EPSILONS[1:]),
                            *(LOOPS.ending(f"out = np.sqrt(out**2 + {e})")
                              for e in (*EPSILONS, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12))),
                      detail="Nothing can be divided by zero here, so none is needed."),
        Misconception("one norm for all channels", "Each channel is pooled on its own.",
                      LOOPS.returning("np.sqrt((out**2).sum(axis=1, keepdims=True)).repeat(C, axis=1)"),
                      also=(LOOPS.returning("np.sqrt((out**2).sum(axis=1, keepdims=True))"),)),
        *forms.of_forward(LOOPS, lambda x, k, s: np.sqrt((forms.tiles(x, k)**2).sum(axis=(3, 5)))),
    )
    hints = (
        "A window of 1 x 2 with the entries 3 and -4: how long is this vector?",
        "The windows are those of max pooling. Only what is done with one of them is new: squares, their sum, a root.",
        "np.sqrt(np.sum(window ** 2)). Or average the squares by your average pooling: what is missing then before "
        "the root is taken?",
    )
