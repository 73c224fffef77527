"""The way back through max pooling from the input alone: ties and overlapping windows included."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from autograder.exercises.pooling import mistakes, ties
from autograder.exercises.pooling.common import (
    ALL_PLANES,
    AVERAGED,
    FIRST_CHANNEL,
    FIRST_SAMPLE,
    NOT_IN_POSITION,
    NOTEBOOK,
    ONES,
    OVERWRITTEN,
    SQUARE_INPUTS,
    SQUARE_WINDOWS,
    STRIDE_IS_WINDOW,
    SWAPPED,
    Pair,
    descending,
    first_maximum,
    only,
    settings_of_windows,
    unfolded,
)
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F

TIMES_INPUT = ("multiplied by the input",
               "The output of a window is its maximum itself, so it changes as much as the maximum does: the gradient "
               "is handed on unchanged. Here it is multiplied by an input.")


def tie_cases(rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray, Pair, int]]:
    """Inputs whose windows have several largest entries."""
    yield "all inputs equal, windows side by side", np.full((1, 2, 4, 4), rng.uniform(-1, 1)), (2, 2), 2
    crossed = np.full((1, 2, 4, 4), rng.uniform(-2, -1))
    crossed[0, 0, [0, 1, 2, 3], [1, 0, 2, 3]] = crossed[0, 1, [0, 1, 2, 3], [0, 1, 3, 2]] = rng.uniform(0.5, 2)
    yield "two largest inputs, in different rows and columns", crossed, (2, 2), 2
    yield "equal inputs in windows side by side", rng.integers(-1, 2, (2, 1, 6, 4)).astype(float), (3, 2), 3
    yield "equal inputs in overlapping windows", rng.integers(-1, 2, (1, 2, 5, 6)).astype(float), (3, 3), 2
    yield "zeros of a rectifier, windows that move by one", np.maximum(rng.standard_normal((1, 2, 4, 5)), 0), (2, 2), 1


@exercise("max_pool2d_backward", notebook=NOTEBOOK, points=5)
class MaxPool2dBackward:
    """Gradient of max pooling from its input.

    grad_out has shape (N, C, OH, OW), x (N, C, H, W), kernel_size is (KH, KW); windows as in max_pool2d_forward. Return
    an array of the shape of x: each window's gradient goes to the window's largest entry; where windows overlap, what
    an entry gets is summed. Where several entries of a window are largest, any of them may get the gradient, or they
    may share it: what matters is that the shares add up to the whole.
    """

    def max_pool2d_backward(grad_out, x, kernel_size, stride):
        return F.max_pool2d_backward(grad_out, x, kernel_size, stride)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def case(name: str, x: np.ndarray, kernel_size: Pair, stride: int) -> Case:
            grad_out = rng.standard_normal(F.max_pool2d(x, kernel_size, stride).shape).astype(x.dtype)
            return Case(name, (grad_out, x, kernel_size, stride))

        for name, shape, kernel_size, stride in settings_of_windows(rng):
            yield case(name, rng.standard_normal(shape), kernel_size, stride)
        x = rng.standard_normal((1, 1, 5, 5))
        x[0, 0, 2, 2] = 9
        yield case("one input that wins in every window", x, (3, 3), 1)
        yield case("only negative inputs", -rng.uniform(0.5, 3, (2, 2, 5, 6)), (2, 3), 1)
        yield case("inputs that grow smaller", descending(rng, (1, 2, 5, 6)), (3, 3), 1)
        equal = rng.uniform(-2, -1, (1, 2, 4, 6))
        for row, column in np.ndindex(2, 3):
            at = rng.integers(2, size=2)
            equal[:, :, 2 * row + at[0], 2 * column + at[1]] = 0.5
        yield case("the same maximum in every window", equal, (2, 2), 2)
        for tied in tie_cases(rng):
            yield case(*tied)
        yield case("single precision", rng.standard_normal((2, 2, 5, 6)).astype(np.float32), (3, 2), 1)
        x = rng.standard_normal((2, 3, 6, 10))[..., ::2]
        yield Case("strided memory", (rng.standard_normal((2, 3, 10, 4))[:, :, ::2], x, (2, 2), 1))
        x = np.asfortranarray(rng.standard_normal((2, 3, 6, 5)))
        yield Case("Fortran order", (np.asfortranarray(rng.standard_normal((2, 3, 3, 2))), x, (2, 3), 2))

    alternatives = {"max_pool2d_backward": ties.nearest_gradient}  # noqa: RUF012

    misconceptions = (
        Misconception(*OVERWRITTEN, mistakes.overwriting_maxima,
                      also=(mistakes.overwriting_ties, mistakes.send(first_maximum, overwrite=True),
                            mistakes.send(mistakes.every_maximum, overwrite=True))),
        Misconception("all ties get the full gradient",
                      "Where several entries of a window are largest, the window's gradient is to be divided among "
                      "them or given to one of them. Here each gets all of it, and the window sends more than it has "
                      "received.",
                      mistakes.send(mistakes.every_maximum)),
        Misconception("no gradient where there are ties",
                      "A window whose largest value occurs several times still hands on its whole gradient, to one of "
                      "these entries or shared among them. Here it is lost.",
                      mistakes.send(mistakes.unless_tied)),
        Misconception("row and column found apart",
                      "Where a window has several largest entries, the row of one of them and the column of another "
                      "meet at an entry that need not be a maximum: look for both at once.",
                      mistakes.send(mistakes.row_and_column_apart),
                      also=(mistakes.send(partial(mistakes.row_and_column_apart, last=True)),)),
        Misconception("equal values outside of the window",
                      "The maximum has to be looked for in its own window. Here an entry elsewhere in the plane gets a "
                      "gradient because it happens to have the same value.",
                      mistakes.anywhere_in_the_plane, also=(mistakes.first_in_the_plane,)),
        Misconception("gradient spread over the window",
                      "Only the largest entry acts on the output of a max pooling window; a small change of the others "
                      "changes nothing. Shares for all of them belong to average pooling.",
                      mistakes.send(lambda x, k, s: np.full_like(unfolded(x, k, s), 1 / (k[0] * k[1]))),
                      also=(mistakes.send(lambda x, k, s: np.ones_like(unfolded(x, k, s))),)),
        Misconception("gradient at the window's corner",
                      "The gradient goes to the place of the maximum within its window, not to the place where the "
                      "window begins.",
                      mistakes.send(lambda x, k, s: (np.arange(k[0] * k[1]) == 0) + 0 * unfolded(x, k, s))),
        Misconception("entry of the window taken for a place in the plane",
                      "argmax of a window counts the window's own entries. Its place in the plane depends on where the "
                      "window lies.",
                      mistakes.entry_as_place),
        Misconception("window's entry taken apart by its height",
                      "A window of KH x KW has KW entries in a row: entry number a lies in row a // KW and column "
                      "a % KW of the window.",
                      mistakes.taken_apart_by_height),
        Misconception("minimum instead of maximum", "The gradient goes to the largest entry, not to the smallest.",
                      mistakes.send(lambda x, k, s: first_maximum(-x, k, s))),
        Misconception("largest magnitude",
                      "Numbers are compared with their signs: -3 is smaller than 1. Here the absolute values decide.",
                      mistakes.send(lambda x, k, s: first_maximum(np.abs(x), k, s))),
        Misconception("maximum started at zero",
                      "A window of negative numbers has a maximum too, and hands its gradient to it. Here such windows "
                      "send nothing.",
                      mistakes.started_at_zero),
        Misconception(*ONES, lambda g, x, k, s: F.max_pool2d_backward(np.ones_like(g), x, k, s),
                      also=(lambda g, x, k, s: np.minimum(F.max_pool2d_backward(np.ones_like(g), x, k, s), 1),)),
        Misconception(*TIMES_INPUT, mistakes.value_routed,
                      also=(lambda g, x, k, s: F.max_pool2d_backward(np.ascontiguousarray(
                          F.max_pool2d(x, k, s)), x, k, s),)),
        Misconception("divided by the window's size",
                      "The maximum gets the whole gradient. Dividing by the number of entries belongs to average "
                      "pooling.",
                      lambda g, x, k, s: F.max_pool2d_backward(g, x, k, s) / x.dtype.type(k[0] * k[1])),
        Misconception(*AVERAGED, mistakes.averaged),
        Misconception(*NOT_IN_POSITION, mistakes.send(first_maximum, step=lambda k, s: 1),
                      also=(mistakes.send(first_maximum, step=lambda k, s: (s, 1)),
                            mistakes.send(first_maximum, step=lambda k, s: (1, s)))),
        Misconception(*STRIDE_IS_WINDOW, mistakes.cut(lambda k, s: (k, k)), also=(mistakes.tiled,)),
        Misconception(*SWAPPED, mistakes.cut(lambda k, s: (k[::-1], (s, s)))),
        Misconception(*SQUARE_WINDOWS, mistakes.cut(lambda k, s: ((k[0], k[0]), (s, s))),
                      also=(mistakes.cut(lambda k, s: ((k[1], k[1]), (s, s))),)),
        Misconception(*SQUARE_INPUTS, mistakes.square_output),
        Misconception("one maximum for all channels",
                      "Each channel is pooled on its own, so each hands on its own gradient. Here only the channel "
                      "with the largest entry does.",
                      mistakes.one_for_all_channels),
        Misconception(*ALL_PLANES, mistakes.one_for_all_planes),
        Misconception(*FIRST_SAMPLE, only(0, F.max_pool2d_backward)),
        Misconception(*FIRST_CHANNEL, only(1, F.max_pool2d_backward)),
    )
    hints = (
        "Take one output after the other: which window did it look at, which entry of it was the largest, and what "
        "does that entry get?",
        "Start with zeros like x. For each output look up its window of x, find the place of the largest entry within "
        "it, and add the output's gradient there. Why add?",
        "np.unravel_index(window.argmax(), window.shape) gives row and column within the window. The place in the "
        "plane is i * stride further down and j * stride further right.",
    )
