"""The way back through average pooling: the share that each input gets."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.exercises import words
from autograder.exercises.pooling import forms
from autograder.exercises.pooling.average import counting_mistakes, padded_settings
from autograder.exercises.pooling.common import NOTEBOOK, Pair
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F

LOOPS = Written("""
    def avg_pool2d_backward(grad_out, input_size, kernel_size, stride, padding, count_include_pad):
        H, W = input_size
        KH, KW = kernel_size
        down = across = stride
        OH, OW = grad_out.shape[2:]
        inside = np.pad(np.ones(input_size), padding)
        out = np.zeros((*grad_out.shape[:2], H + 2 * padding, W + 2 * padding), grad_out.dtype)
        for i, j in np.ndindex(OH, OW):
            top, left = i * down, j * across
            rows, columns = slice(top, top + KH), slice(left, left + KW)
            count = KH * KW if count_include_pad else inside[rows, columns].sum()
            out[:, :, rows, columns] += grad_out[:, :, i, j, None, None] / count
        out = out[:, :, padding : padding + H, padding : padding + W]
        return out
    """)
CROP = "out = out[:, :, padding : padding + H, padding : padding + W]"
BARE = LOOPS.edited({"H + 2 * padding, W + 2 * padding": "H, W", CROP: "pass",
                     "inside[rows, columns].sum()": "max(out[0, 0, rows, columns].size, 1)",
                     forms.PLACE: "i * down - padding, j * across - padding"})
"""Slices of the picture itself; what begins at a negative number is counted from the end, and mostly empty."""


@exercise("avg_pool2d_backward", notebook=NOTEBOOK, points=4)
class AvgPool2dBackward:
    """Gradient of average pooling.

    grad_out has shape (N, C, OH, OW), input_size is (H, W), the other arguments are those of avg_pool2d_forward. Return
    an array of shape (N, C, H, W): each window hands to each of its entries its gradient divided by the number that the
    forward pass has divided by; where windows overlap, the shares are summed; what falls on the padding is dropped.
    """

    def avg_pool2d_backward(grad_out, input_size, kernel_size, stride, padding, count_include_pad):
        x = np.empty((*grad_out.shape[:2], *input_size), grad_out.dtype)
        return F.avg_pool2d_backward(grad_out, x, kernel_size, stride, padding,
                                     count_include_pad=bool(count_include_pad))

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def gradient(shape: tuple[int, ...], kernel_size: Pair, stride: int, padding: int) -> np.ndarray:
            return rng.standard_normal((*shape[:2], *((shape[a + 2] + 2 * padding - kernel_size[a]) // stride + 1
                                                      for a in (0, 1))))

        for name, shape, *settings in padded_settings(rng):
            yield Case(name, (gradient(shape, *settings[:3]), shape[2:], *settings))  # type: ignore[arg-type]
        yield Case("one window over everything", (rng.standard_normal((2, 3, 1, 1)), (3, 4), (3, 4), 1, 0, True))
        yield Case("single precision", (gradient((2, 2, 5, 6), (3, 2), 2, 1).astype(np.float32), (5, 6), (3, 2), 2, 1,
                                        False))
        wide = gradient((2, 2, 5, 12), (2, 3), 1, 1)
        yield Case("strided memory", (np.repeat(wide, 2, axis=3)[..., ::2], (5, 12), (2, 3), 1, 1, True))
        yield Case("Fortran order", (np.asfortranarray(gradient((2, 3, 4, 5), (3, 2), 2, 1)), (4, 5), (3, 2), 2, 1,
                                     False))

    misconceptions = (
        *counting_mistakes(LOOPS),
        Misconception(*words.NOT_DIVIDED, LOOPS.edited({" / count": ""}),
                      detail="So moving one entry by 1 moves the output by 1 divided by that number. Here each entry "
                             "gets the whole gradient."),
        Misconception(*words.PADDING_KEPT, LOOPS.edited({CROP: "pass"}),
                      detail="What windows send there is dropped."),
        Misconception(*words.EMPTY_WITHOUT_PADDING,
                      LOOPS.edited({CROP: "out = out[:, :, padding:-padding, padding:-padding]"})),
        Misconception("padding not taken off the place",
                      "The result has the right size, but everything lies `padding` rows and columns too far down and "
                      "to the right: window (i, j) begins at row i * stride of the padded input, and the input lies in "
                      "the middle of that.",
                      LOOPS.edited({CROP: "out = out[:, :, :H, :W]"})),
        Misconception("gradient to one entry only",
                      "In a mean all entries of the window have the same weight, so all get the same share.",
                      LOOPS.edited({"out[:, :, rows, columns]": "out[:, :, top, left, None, None]"})),
        Misconception(*words.DIVIDED_BY_WINDOWS, forms.averaged(LOOPS.edited({" / count": ""})),
                      detail="Each window divides by the number of its entries."),
        Misconception(*words.NEGATIVE_START, BARE, also=(BARE.given("count_include_pad = True"),)),
        *forms.of_backward(LOOPS, side_by_side=(
            LOOPS.edited({forms.PLACE: "i * KH, j * KW"}).given("padding, count_include_pad = 0, True"),)),
    )
    hints = (
        "One window of four entries with the gradient 8: what does each entry get? And an entry that lies in two such "
        "windows?",
        "Start with zeros of the padded size. For each output add its share to the whole block of its window, then "
        "cut the padding off.",
        "The share is grad_out[n, c, i, j] divided by the number that the forward pass has used for this window: KH * "
        "KW, or the number of its entries that lie in the picture.",
    )

