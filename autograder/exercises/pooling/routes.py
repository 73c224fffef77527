"""The way back through max pooling from the input alone: ties and overlapping windows included."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.exercises import words
from autograder.exercises.pooling import forms, ties
from autograder.exercises.pooling.common import NOTEBOOK, Pair, descending, settings_of_windows
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F

LOOPS = Written("""
    def max_pool2d_backward(grad_out, x, kernel_size, stride):
        KH, KW = kernel_size
        down = across = stride
        OH, OW = grad_out.shape[2:]
        out = np.zeros_like(x)
        for n, c, i, j in np.ndindex(*grad_out.shape[:2], OH, OW):
            top, left = i * down, j * across
            rows, columns = slice(top, top + KH), slice(left, left + KW)
            window = x[n, c, rows, columns]
            row, column = np.unravel_index(window.argmax(), window.shape)
            out[n, c, top + row, left + column] += grad_out[n, c, i, j]
        return out
    """)
FIRST = "np.unravel_index(window.argmax(), window.shape)"
TARGET = "out[n, c, top + row, left + column] += grad_out[n, c, i, j]"


def _sending(shares: str) -> Written:
    """Each entry of a window gets a share of its gradient."""
    return LOOPS.edited({TARGET: f"out[n, c, rows, columns] += grad_out[n, c, i, j] * ({shares})"})


def _tiled(grad_out: np.ndarray, x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
    """Outputs and gradients enlarged to the size of the input and compared with it, as if windows were tiles."""
    tile = np.ones(kernel_size)
    return (x == np.kron(F.max_pool2d(x, kernel_size, stride), tile)) * np.kron(grad_out, tile)


EVERY_MAXIMUM = _sending("window == window.max()")
OVERWRITING = (
    EVERY_MAXIMUM.edited({"+=": "="}),
    _sending("np.arange(KH * KW).reshape(KH, KW) == window.argmax()").edited({"+=": "="}),
    LOOPS.edited({TARGET: "out[n, c, rows, columns][window == window.max()] = grad_out[n, c, i, j]"}))
"""Later windows replace all entries of earlier ones, or their maxima alone."""


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
        *forms.of_backward(LOOPS, overwriting=OVERWRITING, side_by_side=(_tiled,)),
        Misconception("all ties get the full gradient",
                      "Where several entries of a window are largest, the window's gradient is to be divided among "
                      "them or given to one of them. Here each gets all of it, and the window sends more than it has "
                      "received.",
                      EVERY_MAXIMUM),
        Misconception("no gradient where there are ties",
                      "A window whose largest value occurs several times still hands on its whole gradient, to one of "
                      "these entries or shared among them. Here it is lost.",
                      _sending("(window == window.max()) * ((window == window.max()).sum() == 1)")),
        Misconception("row and column found apart",
                      "Where a window has several largest entries, the row of one of them and the column of another "
                      "meet at an entry that need not be a maximum: look for both at once.",
                      LOOPS.edited({FIRST: "window.max(axis=1).argmax(), window.max(axis=0).argmax()"}),
                      also=(LOOPS.edited({FIRST: "[np.where(window == window.max())[axis][-axis] for axis in (0, 1)]"
                                          }),)),
        Misconception("equal values outside of the window",
                      "The maximum has to be looked for in its own window. Here an entry elsewhere in the plane gets a "
                      "gradient because it happens to have the same value.",
                      LOOPS.edited({TARGET: "out[n, c] += grad_out[n, c, i, j] * (x[n, c] == window.max())"}),
                      also=(LOOPS.edited({TARGET: "out[n, c].reshape(-1)[np.argmax(x[n, c] == window.max())]"
                                                  " += grad_out[n, c, i, j]"}),)),
        Misconception("gradient spread over the window",
                      "Only the largest entry acts on the output of a max pooling window; a small change of the others "
                      "changes nothing. Shares for all of them belong to average pooling.",
                      _sending("1 / (KH * KW)"), also=(_sending("1"),)),
        Misconception("gradient at the window's corner",
                      "The gradient goes to the place of the maximum within its window, not to the place where the "
                      "window begins.",
                      LOOPS.edited({"top + row, left + column": "top, left"})),
        Misconception("entry of the window taken for a place in the plane",
                      "argmax of a window counts the window's own entries. Its place in the plane depends on where the "
                      "window lies.",
                      LOOPS.edited({TARGET: "out[n, c][divmod(window.argmax(), x.shape[3])] += grad_out[n, c, i, j]"})),
        Misconception(*words.ENTRY_BY_HEIGHT, LOOPS.edited({FIRST: "divmod(window.argmax(), KH)"})),
        Misconception(*words.MINIMUM, LOOPS.edited({"argmax": "argmin"})),
        Misconception(*words.LARGEST_MAGNITUDE, LOOPS.edited({"window.argmax": "np.abs(window).argmax"})),
        Misconception(*words.MAXIMUM_FROM_ZERO, LOOPS.edited({"+= grad_out": "+= (window.max() > 0) * grad_out"}),
                      detail="A window of negative numbers has a maximum too, and hands its gradient to it."),
        Misconception(*words.TIMES_INPUT, LOOPS.edited({"+= grad_out": "+= window.max() * grad_out"}),
                      also=(LOOPS.edited({"+= grad_out[n, c, i, j]": "+= window.max()"}),),
                      detail="The output of a window is its maximum itself, and changes as much as the maximum does."),
        Misconception(*words.DIVIDED_BY_WINDOW_SIZE, LOOPS.edited({"+= grad_out": "+= 1 / (KH * KW) * grad_out"}),
                      detail="The maximum gets the whole gradient."),
        Misconception(*words.DIVIDED_BY_WINDOWS, forms.averaged(LOOPS),
                      detail="An input that is the maximum of several windows acts on all their outputs."),
        Misconception(*words.ONE_MAXIMUM_FOR_CHANNELS,
                      LOOPS.edited({"+= grad_out": "+= (window.max() == x[n, :, rows, columns].max()) * grad_out"}),
                      detail="So each hands on its own gradient. Here only the channel with the largest entry does."),
        Misconception(*words.ONE_MAXIMUM_FOR_PLANES,
                      LOOPS.edited({"+= grad_out": "+= (window.max() == x[:, :, rows, columns].max()) * grad_out"})),
    )
    hints = (
        "Take one output after the other: which window did it look at, which entry of it was the largest, and what "
        "does that entry get?",
        "Start with zeros like x. For each output look up its window of x, find the place of the largest entry within "
        "it, and add the output's gradient there. Why add?",
        "np.unravel_index(window.argmax(), window.shape) gives row and column within the window. The place in the "
        "plane is i * stride further down and j * stride further right.",
    )
