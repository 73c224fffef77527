"""Where the border is seen: outputs whose windows reach into the padding."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.exercises import words
from autograder.exercises.parameter_sharing.common import NOTEBOOK
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F

RULES = Written("""
    def border_free(input_size, kernel_size, stride, padding):
        size = (input_size + 2 * padding - kernel_size) // stride + 1
        first = -(-padding // stride)
        stop = (input_size + padding - kernel_size) // stride + 1
        return (first, stop) if first < stop else (0, 0)
    """)
FIRST, STOP = "-(-padding // stride)", "(input_size + padding - kernel_size) // stride + 1"


def _bounds(first: str = FIRST, stop: str = STOP) -> Written:
    """One of the two by another rule, or both."""
    return RULES.edited({FIRST: first, STOP: stop})


@exercise("border_free", notebook=NOTEBOOK, points=3)
class BorderFree:
    """Which outputs do not see the padding, along one axis.

    A window of `kernel_size` slides over `input_size` inputs with `padding` zeros on both sides, `stride` at a time.
    Return a pair (first, stop), as for a slice: the outputs first, ..., stop - 1 are those whose window holds inputs
    only, no padding. If there is none, return (0, 0).
    """

    def border_free(input_size, kernel_size, stride, padding):
        row, ones = np.ones((1, 1, 1, input_size)), np.ones((1, 1, 1, kernel_size))
        inputs_seen = F.conv2d(row, ones, stride=(1, stride), padding=(0, padding))[0, 0, 0]
        free = np.flatnonzero(inputs_seen == kernel_size)
        return (int(free[0]), int(free[-1]) + 1) if len(free) else (0, 0)

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
                      RULES.returning("0, size")),
        Misconception(*words.STRIDE_IGNORED, RULES.given("stride = 1"),
                      detail="Output i looks at the padded input from i * stride on: at the left border fewer outputs "
                             "see padding if the stride is larger."),
        Misconception("first output rounded down",
                      "The first window without padding may start after the first input, but not before it.",
                      _bounds(first="padding // stride")),
        Misconception("one output more on the left",
                      "A window that starts with the first input itself holds no padding.",
                      _bounds(first="padding // stride + 1 if padding else 0")),
        Misconception("last output instead of stop",
                      "As for a slice, `stop` is one more than the last output that counts.",
                      _bounds(stop=f"{STOP} - 1"), also=(RULES.returning(
                          "(first, stop - 1) if first < stop else (0, 0)"),)),
        Misconception("the same on both sides",
                      "If the stride does not divide evenly, or leaves inputs over, the right border differs from "
                      "the left one: count it by itself.",
                      _bounds(stop="size - first")),
        Misconception("half a kernel on each side",
                      "This holds for stride 1 and padding (F - 1)/2. In general the padding says how many outputs see "
                      "it, not the kernel.",
                      _bounds("kernel_size // 2", "size - kernel_size // 2")),
        Misconception("padding outputs cut off, whatever the stride",
                      "One step of the output is a step of `stride` inputs: the padding is passed sooner.",
                      _bounds("padding", "size - padding")),
        Misconception("nothing left not noticed",
                      "If no window fits into the picture without padding, the answer is (0, 0).",
                      RULES.returning("first, stop")),
        Misconception("end of the kernel forgotten",
                      "A window that starts inside may still end in the padding on the right.",
                      _bounds(stop="min((input_size + padding - 1) // stride + 1, size)")),
        Misconception("padding on the right counted as input",
                      "The window may end with the last input at the latest, not in the padding after it.",
                      _bounds(stop="size")),
        Misconception("counted in inputs", "The pair counts outputs, not positions in the padded input.",
                      _bounds("padding", "padding + input_size")),
        Misconception("no padding added on the left",
                      "The input begins behind the padding: output i starts at input i * stride - padding.",
                      _bounds("0", "(input_size - kernel_size) // stride + 1")),
    )
    hints = (
        "For stride 1: output i sees the padded entries i to i + F - 1. Which of them are padding?",
        "Output i begins at input i * stride - padding. This must be 0 or more, and the window's last input must be "
        "input_size - 1 or less. A loop over all outputs that keeps those that fulfill both is a fine answer.",
        "Collect all i from 0 to the number of outputs with i * stride - padding >= 0 and i * stride - padding + "
        "kernel_size <= input_size. The first one and the last one plus 1 are the pair; if the list is empty, (0, 0).",
    )
