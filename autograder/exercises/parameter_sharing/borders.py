"""Where the border is seen: outputs whose windows reach into the padding."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from autograder.exercises.parameter_sharing.counting import NOTEBOOK
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F

Array = np.ndarray


def _seen(input_size: int, kernel_size: int, stride: int, padding: int) -> Array:
    """How many entries of the picture itself each window holds."""
    row, ones = np.ones((1, 1, 1, input_size)), np.ones((1, 1, 1, kernel_size))
    return F.conv2d(row, ones, stride=(1, stride), padding=(0, padding))[0, 0, 0]


def _free(input_size: int, kernel_size: int, stride: int, padding: int) -> tuple[int, int]:
    free = np.flatnonzero(_seen(input_size, kernel_size, stride, padding) == kernel_size)
    return (int(free[0]), int(free[-1]) + 1) if len(free) else (0, 0)


def _bounds(
    first: Callable[[int, int, int, int], int], stop: Callable[[int, int, int, int], int]
) -> Callable[..., tuple[int, int]]:
    """A pair from two formulas in input size, kernel size, stride and padding; (0, 0) where nothing is between."""
    def pair(*settings: int) -> tuple[int, int]:
        start, end = first(*settings), stop(*settings)
        return (start, end) if start < end else (0, 0)
    return pair


def _size(w: int, f: int, s: int, p: int) -> int:
    return (w + 2 * p - f) // s + 1


def _first(w: int, f: int, s: int, p: int) -> int:
    return math.ceil(p / s)


def _stop(w: int, f: int, s: int, p: int) -> int:
    return (w + p - f) // s + 1


@exercise("border_free", notebook=NOTEBOOK, points=3)
class BorderFree:
    """Which outputs do not see the padding, along one axis.

    A window of `kernel_size` slides over `input_size` inputs with `padding` zeros on both sides, `stride` at a time.
    Return a pair (first, stop), as for a slice: the outputs first, ..., stop - 1 are those whose window holds inputs
    only, no padding. If there is none, return (0, 0).
    """

    def border_free(input_size, kernel_size, stride, padding):
        return _free(input_size, kernel_size, stride, padding)

    returns = ("first", "stop")

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        yield Case("no padding: all of them", (7, 3, 1, 0))
        yield Case("padding that keeps the size", (8, 3, 1, 1))
        yield Case("padding 2, kernel 5", (10, 5, 1, 2))
        yield Case("stride 2, padding 1", (9, 3, 2, 1))
        yield Case("stride 2, padding 1, even input", (10, 3, 2, 1))
        yield Case("stride 3, padding 2", (14, 5, 3, 2))
        yield Case("stride 4, padding 2: AlexNet on 224", (224, 11, 4, 2))
        yield Case("an even kernel", (8, 2, 1, 1))
        yield Case("padding larger than the kernel", (5, 2, 1, 3))
        yield Case("more padding than usual, stride 2", (11, 3, 2, 4))
        yield Case("a kernel as large as the input", (5, 5, 1, 2))
        yield Case("a kernel larger than the input", (3, 5, 1, 2))
        yield Case("one output, and it sees padding", (3, 5, 2, 1))
        yield Case("the stride steps over all of them", (3, 3, 2, 1))
        yield Case("a stride larger than the kernel", (12, 2, 3, 1))
        yield Case("a stride that does not divide evenly, no padding", (10, 3, 2, 0))
        for number in range(3):
            kernel, stride = (int(n) for n in rng.integers([2, 2], [6, 5]))
            padding = int(rng.integers(1, kernel + 2))
            yield Case(f"drawn at random, {number + 1}", (int(rng.integers(12, 30)), kernel, stride, padding))

    misconceptions = (
        Misconception("all outputs", "Near the border a window reaches into the padding: those outputs do not count.",
                      lambda *a: (0, _size(*a))),
        Misconception("stride ignored",
                      "Output i looks at the padded input from i * stride on: at the left border fewer outputs see "
                      "padding if the stride is larger.",
                      _bounds(lambda w, f, s, p: p, lambda w, f, s, p: w + p - f + 1)),
        Misconception("first output rounded down",
                      "The first window without padding may start after the first input, but not before it.",
                      _bounds(lambda w, f, s, p: p // s, _stop)),
        Misconception("one output more on the left",
                      "A window that starts with the first input itself holds no padding.",
                      _bounds(lambda w, f, s, p: p // s + 1 if p else 0, _stop)),
        Misconception("last output instead of stop",
                      "As for a slice, `stop` is one more than the last output that counts.",
                      _bounds(_first, lambda *a: _stop(*a) - 1), also=(
                          lambda *a: (_free(*a)[0], max(_free(*a)[1] - 1, 0)),)),
        Misconception("the same on both sides",
                      "If the stride does not divide evenly, or leaves inputs over, the right border differs from "
                      "the left one: count it by itself.",
                      _bounds(_first, lambda *a: _size(*a) - _first(*a))),
        Misconception("half a kernel on each side",
                      "This holds for stride 1 and padding (F - 1)/2. In general the padding says how many outputs see "
                      "it, not the kernel.",
                      _bounds(lambda w, f, s, p: f // 2, lambda w, f, s, p: _size(w, f, s, p) - f // 2)),
        Misconception("padding outputs cut off, whatever the stride",
                      "One step of the output is a step of `stride` inputs: the padding is passed sooner.",
                      _bounds(lambda w, f, s, p: p, lambda w, f, s, p: _size(w, f, s, p) - p)),
        Misconception("nothing left not noticed",
                      "If no window fits into the picture without padding, the answer is (0, 0).",
                      lambda *a: (_first(*a), _stop(*a))),
        Misconception("end of the kernel forgotten",
                      "A window that starts inside may still end in the padding on the right.",
                      _bounds(_first, lambda w, f, s, p: min((w + p - 1) // s + 1, _size(w, f, s, p)))),
        Misconception("padding on the right counted as input",
                      "The window may end with the last input at the latest, not in the padding after it.",
                      _bounds(_first, _size)),
        Misconception("counted in inputs", "The pair counts outputs, not positions in the padded input.",
                      _bounds(lambda w, f, s, p: p, lambda w, f, s, p: p + w)),
        Misconception("no padding added on the left",
                      "The input begins behind the padding: output i starts at input i * stride - padding.",
                      _bounds(lambda w, f, s, p: 0, lambda w, f, s, p: (w - f) // s + 1)),
    )
    hints = (
        "For stride 1: output i sees the padded entries i to i + F - 1. Which of them are padding?",
        "Output i begins at input i * stride - padding. This must be 0 or more, and the window's last input must be "
        "input_size - 1 or less. A loop over all outputs that keeps those that fulfill both is a fine answer.",
        "Collect all i from 0 to the number of outputs with i * stride - padding >= 0 and i * stride - padding + "
        "kernel_size <= input_size. The first one and the last one plus 1 are the pair; if the list is empty, (0, 0).",
    )
