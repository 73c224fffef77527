"""The zeros around the picture."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from autograder.exercises.local_connectivity.common import NOTEBOOK
from autograder.judging.exercise import Case, Misconception, exercise


def _padded(x: np.ndarray, rows: tuple[int, int], columns: tuple[int, int], **mode: str) -> np.ndarray:
    return np.pad(x, ((0, 0), (0, 0), rows, columns), **mode)  # type: ignore[call-overload, no-any-return]


def _written(x: np.ndarray, shape: tuple[int, int], rows: slice, columns: slice) -> np.ndarray:
    """x written into a block of an array of zeros, as an answer would do it; what does not fit raises."""
    out = np.zeros((*x.shape[:2], *shape), x.dtype)
    out[:, :, rows, columns] = x
    return out


def _to_minus_padding(x: np.ndarray, padding: int) -> np.ndarray:
    rows, columns = x.shape[2:]
    inside = slice(padding, -padding)
    return _written(x, (rows + 2 * padding, columns + 2 * padding), inside, inside)


def _square_only(x: np.ndarray, padding: int) -> np.ndarray:
    rows, columns = x.shape[2:]
    side = rows + 2 * padding
    return _written(x, (side, side), slice(padding, padding + rows), slice(padding, padding + columns))


def _first_sample(x: np.ndarray, padding: int) -> np.ndarray:
    out = _padded(x, (padding, padding), (padding, padding))
    out[1:] = 0
    return out


def _cleared_in_place(x: np.ndarray, padding: int) -> np.ndarray:
    for picture in (x, x.swapaxes(2, 3)):
        picture[:, :, :padding] = 0
        picture[:, :, -padding:] = 0
    return x


def _padded_by(x: np.ndarray, padding: int, mode: str) -> np.ndarray:
    return _padded(x, (padding, padding), (padding, padding), mode=mode)


def _border_cleared(x: np.ndarray, padding: int) -> np.ndarray:
    out = np.zeros_like(x)
    rows, columns = x.shape[2:]
    inside = (..., slice(padding, max(rows - padding, padding)), slice(padding, max(columns - padding, padding)))
    out[inside] = x[inside]
    return out


@exercise("zero_pad", notebook=NOTEBOOK, points=2)
class ZeroPad:
    """Put zeros around every picture of a batch.

    x has shape (N, C, H, W). Return an array of shape (N, C, H + 2 padding, W + 2 padding) with `padding` zeros on
    each of the four sides of every picture and x in the middle. Samples and channels are not padded.
    """

    def zero_pad(x, padding):
        return _padded(x, (padding, padding), (padding, padding))

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
        Misconception("padding before only",
                      "The zeros come on all four sides; here they are above and to the left only.",
                      lambda x, p: _padded(x, (p, 0), (p, 0))),
        Misconception("padding after only",
                      "The zeros come on all four sides; here they are below and to the right only.",
                      lambda x, p: _padded(x, (0, p), (0, p))),
        Misconception("all padding on one side",
                      "The result has the right size, but the picture has to lie in its middle, with as many zeros "
                      "before as after.",
                      lambda x, p: _padded(x, (2 * p, 0), (2 * p, 0)),
                      also=(lambda x, p: _padded(x, (0, 2 * p), (0, 2 * p)),)),
        Misconception("twice as many zeros",
                      "`padding` zeros on each side make the axis 2 * padding longer. Here each side got that many.",
                      lambda x, p: _padded(x, (2 * p, 2 * p), (2 * p, 2 * p))),
        Misconception("padding shared between the sides",
                      "`padding` is the number of zeros on each side, not on both sides together.",
                      lambda x, p: _padded(x, (p // 2, p - p // 2), (p // 2, p - p // 2))),
        Misconception("all four axes padded",
                      "Padding surrounds each picture. Samples and channels made of zeros do not exist: pad the last "
                      "two axes only.",
                      lambda x, p: np.pad(x, p)),
        Misconception("channels padded as well",
                      "The channel axis is not part of the picture's plane: pad the last two axes only.",
                      lambda x, p: np.pad(x, ((0, 0), (p, p), (p, p), (p, p)))),
        Misconception("the first two axes padded",
                      "In NCHW the picture's rows and columns are the last two axes; here samples and channels were "
                      "padded.",
                      lambda x, p: np.pad(x, ((p, p), (p, p), (0, 0), (0, 0)))),
        Misconception("padded as if channels came last",
                      "Here the second and the third axis were padded. In (N, C, H, W) rows and columns are the last "
                      "two; libraries in which channels come last have them elsewhere.",
                      lambda x, p: np.pad(x, ((0, 0), (p, p), (p, p), (0, 0)))),
        Misconception("rows only",
                      "The zeros come on all four sides; here there are none to the left and right.",
                      lambda x, p: _padded(x, (p, p), (0, 0))),
        Misconception("columns only",
                      "The zeros come on all four sides; here there are none above and below.",
                      lambda x, p: _padded(x, (0, 0), (p, p))),
        Misconception("edge values instead of zeros",
                      "Zero padding adds zeros. Here values of the picture are repeated around it.",
                      lambda x, p: _padded(x, (p, p), (p, p), mode="edge"),
                      also=tuple(partial(_padded_by, mode=mode) for mode in ("reflect", "symmetric", "wrap"))),
        Misconception("ones instead of zeros",
                      "What lies around the picture has to be zero; here it is one. With which values does the new "
                      "array begin?",
                      lambda x, p: _padded(x - 1, (p, p), (p, p)) + x.dtype.type(1)),
        Misconception("border cleared instead of added",
                      "Padding adds new rows and columns around the picture. Here the picture kept its size and lost "
                      "its border.",
                      _border_cleared, also=(_cleared_in_place,)),
        Misconception("a slice that ends at minus padding",
                      "padding : -padding is the inside only while padding is positive: for padding 0 the slice 0 : -0 "
                      "is empty, since -0 is 0. Count the end from the start instead.",
                      _to_minus_padding),
        Misconception("only square pictures",
                      "Height and width are two numbers. Here the width of the result is computed from the height.",
                      _square_only),
        Misconception("only the first sample",
                      "Every picture of the batch is padded; here all but the first are gone.",
                      _first_sample, also=(lambda x, p: _padded(x[:1], (p, p), (p, p)),)),
        Misconception("one row too few",
                      "There are `padding` zeros on each side, so each axis grows by twice the padding.",
                      lambda x, p: _padded(x, (p, max(p - 1, 0)), (p, max(p - 1, 0)))),
    )
    hints = (
        "How large is the result, along each of the four axes?",
        "Make an array of zeros of that size, and write x into the right block of it; or look at the second argument "
        "of np.pad, which takes one pair for each axis.",
        "The block where x goes starts at `padding` along the rows and columns, and spans everything along samples and "
        "channels.",
    )
