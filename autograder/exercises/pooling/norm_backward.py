"""The way back through L2 pooling: each entry gets its share of the window's length."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.exercises import words
from autograder.exercises.pooling import forms
from autograder.exercises.pooling.common import NOTEBOOK, pooling_cases
from autograder.exercises.pooling.norm import EPSILONS
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F

LOOPS = Written("""
    def l2_pool2d_backward(grad_out, x, kernel_size, stride):
        KH, KW = kernel_size
        down = across = stride
        OH, OW = grad_out.shape[2:]
        out = np.zeros_like(x)
        for i, j in np.ndindex(OH, OW):
            top, left = i * down, j * across
            rows, columns = slice(top, top + KH), slice(left, left + KW)
            window = x[:, :, rows, columns]
            norm = np.sqrt((window**2).sum(axis=(2, 3), keepdims=True))
            norm[norm == 0] = np.inf
            out[:, :, rows, columns] += grad_out[:, :, i, j, None, None] * (window / norm)
        return out
    """)


def _sharing(share: str) -> Written:
    """A gradient in which the entries of a window get other shares; NaN where a share is."""
    return LOOPS.edited({"window / norm": share})


def _guarded(norm: str) -> Written:
    """A gradient divided by a norm to which a small number is added."""
    return LOOPS.edited({"norm[norm == 0] = np.inf": f"norm = {norm}"})


@exercise("l2_pool2d_backward", notebook=NOTEBOOK, points=3)
class L2Pool2dBackward:
    """Gradient of L2 pooling.

    grad_out has shape (N, C, OH, OW), x (N, C, H, W), kernel_size is (KH, KW); windows as in l2_pool2d_forward. Return
    an array of the shape of x: each window hands to each of its entries its gradient times the entry, divided by the
    window's norm; shares of overlapping windows are summed. A window whose norm is zero hands on nothing.
    """

    def l2_pool2d_backward(grad_out, x, kernel_size, stride):
        return F.lp_pool2d_backward(grad_out, x, 2, kernel_size, stride)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        for case in pooling_cases(rng):
            x, kernel_size, stride = case.arguments
            if kernel_size == (1, 1):  # whoever adds a tiny number to the norm shall not fail by bad luck
                x = np.copysign(rng.uniform(0.5, 3, x.shape), x)
            grad_out = rng.standard_normal(F.lp_pool2d(x, 2, kernel_size, stride).shape).astype(x.dtype)
            yield Case(case.name, (grad_out, x, kernel_size, stride))
        x = rng.standard_normal((1, 2, 4, 6))
        x[:, :, :2, :2] = 0
        yield Case("a window of zeros", (rng.standard_normal((1, 2, 2, 3)), x, (2, 2), 2))
        x = rng.standard_normal((1, 2, 5, 6))
        x[:, :, 1:4, 2:5] = 0
        yield Case("overlapping windows of zeros", (rng.standard_normal((1, 2, 4, 5)), x, (2, 2), 1))
        yield Case("nothing but zeros", (rng.standard_normal((1, 1, 2, 3)), np.zeros((1, 1, 4, 6)), (2, 2), 2))

    misconceptions = (
        Misconception("divided by zero",
                      "A window of zeros has the norm zero, and 0 / 0 is not a number. At this point the norm has a "
                      "kink and no derivative; the agreement is that such a window sends nothing.",
                      LOOPS.edited({"norm[norm == 0] = np.inf": "pass"})),
        Misconception("not divided by the norm",
                      "The root has a derivative of its own, which divides by the norm. Without it, an input of twice "
                      "the size would get twice the gradient.",
                      _sharing("window"), also=(_sharing("2 * window"),)),
        Misconception("not multiplied by the entry",
                      "An entry acts on the norm as much as its share in it: the derivative of a square contains the "
                      "entry itself. Here all entries of a window get the same.",
                      _sharing("1 / norm + 0 * window")),
        Misconception("sign of the entry lost",
                      "Making a negative entry larger makes the norm smaller: its gradient has the opposite sign.",
                      _sharing("np.abs(window) / norm")),
        Misconception("a factor of two",
                      "The 2 of the square's derivative and the 1/2 of the root's cancel. Here one of the two is "
                      "missing.",
                      _sharing("2 * window / norm"), also=(_sharing("window / norm / 2"),)),
        Misconception("divided by the square of the norm",
                      "The derivative of a root divides by the root, not by what stands under it.",
                      _sharing("window / norm**2")),
        Misconception("multiplied by the norm", "The derivative of a root has the root below the line, not above it.",
                      LOOPS.edited({"norm[norm == 0] = np.inf": "pass", "window / norm": "window * norm"})),
        Misconception("norm of all planes",
                      "Each picture of the batch and each channel has windows of its own. Here one norm is taken over "
                      "all samples and channels at once: a loop is missing, or the axes of the sum.",
                      LOOPS.edited({".sum(axis=(2, 3), keepdims=True)": ".sum(keepdims=True)"})),
        Misconception(*words.DIVIDED_BY_WINDOW_SIZE, _sharing("window / norm / (KH * KW)"),
                      also=(_sharing("1 / (KH * KW) + 0 * window"), _sharing("window / norm / np.sqrt(KH * KW)"))),
        Misconception("gradient of L1",
                      "The sign alone is the derivative of a sum of absolute values. In the length of a vector, large "
                      "entries have a larger share than small ones.",
                      _sharing("np.sign(window)")),
        Misconception("all of it to the largest entry",
                      "Handing everything to one entry belongs to max pooling. All entries of the window act on its "
                      "norm.",
                      lambda g, x, k, s: F.max_pool2d_backward(g, x, k, s)),
        Misconception(*words.EPSILON, _guarded("norm + 1e-2"),
                      also=(*(_guarded(f"norm + {e}") for e in EPSILONS[1:]),
                            *(_guarded(f"np.sqrt(norm**2 + {e})") for e in EPSILONS)),
                      detail="One that keeps from dividing by zero has to be tiny; or treat the norm zero separately."),
        *forms.of_backward(LOOPS),
    )
    hints = (
        "For a window of two entries a and b the norm is sqrt(a**2 + b**2). What is its derivative with respect to a?",
        "One window after the other, as in the backward pass of average pooling: add to the whole block of the window. "
        "What is added differs from entry to entry, and depends on the window's norm.",
        "Add grad_out[n, c, i, j] * window / norm to the block, and only if the norm is not zero.",
    )
