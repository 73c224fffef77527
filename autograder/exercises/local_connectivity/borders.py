"""The zeros around the picture."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.exercises import words
from autograder.exercises.local_connectivity.common import NOTEBOOK
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise

WRITTEN_INTO = Written("""
    def zero_pad(x, padding):
        N, C, H, W = x.shape
        out = np.zeros((N, C, H + 2 * padding, W + 2 * padding), x.dtype)
        out[:, :, padding : padding + H, padding : padding + W] = x
        return out
    """)
INSIDE = "padding : padding + H, padding : padding + W"
SHRUNK = "padding : max(H - padding, 0), padding : max(W - padding, 0)"
PADDED = Written("""
    def zero_pad(x, padding):
        out = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        return out
    """)


def _padded(rows: str, columns: str) -> Written:
    """Other pairs of numbers before and after each axis of the picture."""
    return PADDED.edited({"(padding, padding), (padding, padding)": f"{rows}, {columns}"})


def _axes(*padded: int) -> Written:
    """Padding on other axes."""
    pairs = ", ".join("(padding, padding)" if axis in padded else "(0, 0)" for axis in range(4))
    return PADDED.edited({"(0, 0), (0, 0), (padding, padding), (padding, padding)": pairs})


def _cleared_in_place(x: np.ndarray, padding: int) -> np.ndarray:
    for picture in (x, x.swapaxes(2, 3)):
        picture[:, :, :padding] = 0
        picture[:, :, -padding:] = 0
    return x


@exercise("zero_pad", notebook=NOTEBOOK, points=2)
class ZeroPad:
    """Put zeros around every picture of a batch.

    x has shape (N, C, H, W). Return an array of shape (N, C, H + 2 padding, W + 2 padding) with `padding` zeros on
    each of the four sides of every picture and x in the middle. Samples and channels are not padded.
    """

    def zero_pad(x, padding):
        return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def batch(*shape: int) -> np.ndarray:
            return rng.uniform(1, 2, shape) * rng.choice([-1, 1], shape)

        yield Case("one picture, padding 1", (batch(1, 1, 3, 3), 1))
        yield Case("two samples, three channels", (batch(2, 3, 3, 3), 1))
        yield Case("padding 2", (batch(1, 2, 4, 4), 2))
        yield Case("taller than wide", (batch(2, 2, 5, 2), 1))
        yield Case("wider than tall", (batch(2, 1, 2, 6), 2))
        yield Case("no padding at all", (batch(2, 2, 3, 4), 0))
        yield Case("padding larger than the picture", (batch(1, 2, 2, 1), 3))
        yield Case("single precision", (batch(1, 2, 3, 4).astype(np.float32), 1))
        yield Case("strided memory", (batch(2, 2, 3, 8)[..., ::2], 1))
        yield Case("Fortran order", (np.asfortranarray(batch(2, 3, 4, 3)), 2))
        yield Case("other numbers in the shape of an earlier case", (batch(2, 2, 5, 2), 1))

    misconceptions = (
        Misconception(*words.PADDING_BEFORE_ONLY, _padded("(padding, 0)", "(padding, 0)")),
        Misconception(*words.PADDING_AFTER_ONLY, _padded("(0, padding)", "(0, padding)")),
        Misconception(*words.PADDING_ON_ONE_SIDE, _padded("(2 * padding, 0)", "(2 * padding, 0)"),
                      also=(_padded("(0, 2 * padding)", "(0, 2 * padding)"),)),
        Misconception("twice as many zeros",
                      "`padding` zeros on each side make the axis 2 * padding longer. Here each side got that many.",
                      PADDED.given("padding = 2 * padding")),
        Misconception("padding shared between the sides",
                      "`padding` is the number of zeros on each side, not on both sides together.",
                      _padded(*["(padding // 2, padding - padding // 2)"] * 2)),
        Misconception(*words.ALL_AXES_PADDED, _axes(0, 1, 2, 3)),
        Misconception("channels padded as well",
                      "The channel axis is not part of the picture's plane: pad the last two axes only.",
                      _axes(1, 2, 3)),
        Misconception("the first two axes padded",
                      "In NCHW the picture's rows and columns are the last two axes; here samples and channels were "
                      "padded.",
                      _axes(0, 1)),
        Misconception("padded as if channels came last",
                      "Here the second and the third axis were padded. In (N, C, H, W) rows and columns are the last "
                      "two; libraries in which channels come last have them elsewhere.",
                      _axes(1, 2)),
        Misconception(*words.ROWS_PADDED_ONLY, _axes(2)),
        Misconception(*words.COLUMNS_PADDED_ONLY, _axes(3)),
        Misconception(*words.EDGE_VALUES, PADDED.edited({"padding)))": "padding)), mode='edge')"}),
                      also=tuple(PADDED.edited({"padding)))": f"padding)), mode='{mode}')"})
                                 for mode in ("reflect", "symmetric", "wrap"))),
        Misconception("ones instead of zeros",
                      "What lies around the picture has to be zero; here it is one. With which values does the new "
                      "array begin?",
                      WRITTEN_INTO.edited({"np.zeros": "np.ones"})),
        Misconception("border cleared instead of added",
                      "Padding adds new rows and columns around the picture. Here the picture kept its size and lost "
                      "its border.",
                      WRITTEN_INTO.edited({"H + 2 * padding, W + 2 * padding": "H, W", f"[:, :, {INSIDE}] = x":
                                           f"[:, :, {SHRUNK}] = x[:, :, {SHRUNK}]"}),
                      also=(_cleared_in_place,)),
        Misconception(*words.EMPTY_WITHOUT_PADDING,
                      WRITTEN_INTO.edited({INSIDE: "padding:-padding, padding:-padding"})),
        Misconception(*words.SQUARE_INPUTS, WRITTEN_INTO.edited({"W + 2 * padding": "H + 2 * padding"})),
        Misconception(*words.FIRST_SAMPLE, PADDED.ending("out[1:] = 0"), also=(PADDED.given("x = x[:1]"),)),
        Misconception("one row too few",
                      "There are `padding` zeros on each side, so each axis grows by twice the padding.",
                      _padded(*["(padding, max(padding - 1, 0))"] * 2)),
    )
    hints = (
        "How large is the result, along each of the four axes?",
        "Make an array of zeros of that size, and write x into the right block of it; or look at the second argument "
        "of np.pad, which takes one pair for each axis.",
        "The block where x goes starts at `padding` along the rows and columns, and spans everything along samples and "
        "channels.",
    )
