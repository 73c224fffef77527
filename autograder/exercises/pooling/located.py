"""Where each maximum lies: max pooling that keeps its indices, with padding that never wins."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from autograder.exercises.pooling import ties
from autograder.exercises.pooling.common import (
    NOTEBOOK,
    STRIDE_IGNORED,
    STRIDE_IS_WINDOW,
    SWAPPED,
    Pair,
    descending,
    places,
    unfolded,
)
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F

Both = tuple[np.ndarray, np.ndarray]


def _right(x: np.ndarray, kernel_size: Pair, stride: Any, padding: int) -> Both:
    return F.max_pool2d(x, kernel_size, stride, padding, return_indices=True)


def _located(x: np.ndarray, kernel_size: Pair, stride: int, padding: int) -> tuple[np.ndarray, ...]:
    """Maxima, and their rows and columns in the plane."""
    out, indices = _right(x, kernel_size, stride, padding)
    return (out, *np.divmod(indices, x.shape[3]))


def _in_padded_plane(x: np.ndarray, kernel_size: Pair, stride: int, padding: int) -> Both:
    """Indices counted in the plane with its padding."""
    out, row, column = _located(x, kernel_size, stride, padding)
    return out, (row + padding) * (x.shape[3] + 2 * padding) + column + padding


def _partly(x: np.ndarray, kernel_size: Pair, stride: int, padding: int, *, rows: int, columns: int) -> Both:
    """Indices whose rows or columns still count the padding."""
    out, row, column = _located(x, kernel_size, stride, padding)
    return out, (row + rows * padding) * x.shape[3] + column + columns * padding


def _entry(x: np.ndarray, kernel_size: Pair, stride: int, padding: int, *, fill: float = -np.inf) -> Both:
    """Maxima, and which entry of its window each one is."""
    around = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    windows = unfolded(np.pad(x, around, constant_values=fill), kernel_size, stride)
    return windows.max(axis=-1), windows.argmax(axis=-1)


def _padded_with(
    x: np.ndarray, kernel_size: Pair, stride: int, padding: int, *, fill: float = 0,
    corrected: bool = True,
) -> Both:
    """Padded with a number, by default zero; the index is told in the plane, or in the padded one."""
    around = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    padded = np.pad(x, around, constant_values=fill)
    out, indices = _right(padded, kernel_size, stride, 0)
    row, column = np.divmod(indices, padded.shape[3])
    return out, (row - padding) * x.shape[3] + column - padding if corrected else indices


def _put_together(x, kernel_size, stride, padding, *, by=1, step=None, off=1) -> Both:  # type: ignore[no-untyped-def]
    """Indices from the entry of the window: taken apart `by` its height (0) or width (1), moved by `step`."""
    out, entry = _entry(x, kernel_size, stride, padding)
    row, column = np.divmod(entry, kernel_size[by])
    step = stride if step is None else step
    row = row + np.arange(out.shape[2])[:, None] * step - off * padding
    return out, row * x.shape[3] + column + np.arange(out.shape[3]) * step - off * padding


def _cut_off(x: np.ndarray, kernel_size: Pair, stride: int, padding: int, *, corner: int, width: bool) -> Both:
    """The window is cut off at the border; its place (`corner`) or its own width is taken from the whole window."""
    out, indices = _right(x, kernel_size, stride, padding)
    for n, c, i, j in np.ndindex(out.shape):
        top, left = i * stride - padding, j * stride - padding
        block = x[n, c, max(top, 0):top + kernel_size[0], max(left, 0):left + kernel_size[1]]
        row, column = divmod(int(block.argmax()), kernel_size[1] if width else block.shape[1])
        indices[n, c, i, j] = (max(top, corner) + row) * x.shape[3] + max(left, corner) + column
    return out, indices


def _through_channels(x: np.ndarray, kernel_size: Pair, stride: int, padding: int, *, samples: bool = False) -> Both:
    out, indices = _right(x, kernel_size, stride, padding)
    plane = np.arange(x.shape[1])[:, None, None]
    if samples:
        plane = plane + np.arange(len(x))[:, None, None, None] * x.shape[1]
    return out, indices + plane * x.shape[2] * x.shape[3]


def _whole_plane(x: np.ndarray, kernel_size: Pair, stride: int, padding: int) -> Both:
    out, indices = _right(x, kernel_size, stride, padding)
    largest = x.reshape(*x.shape[:2], -1).argmax(axis=-1)
    return out, np.broadcast_to(largest[..., None, None], indices.shape)


def _first_equal(x: np.ndarray, kernel_size: Pair, stride: int, padding: int) -> Both:
    """Where the maximum's value is found first in its plane."""
    out, indices = _right(x, kernel_size, stride, padding)
    equal = x.reshape(*x.shape[:2], 1, 1, -1) == out[..., None]
    return out, equal.argmax(axis=-1).astype(indices.dtype)


@exercise("max_pool2d_with_indices", notebook=NOTEBOOK, points=4)
class MaxPool2dWithIndices:
    """Max pooling with padding that also tells where each maximum lies.

    x has shape (N, C, H, W), kernel_size is (KH, KW); stride and padding are whole numbers, the padding at most half of
    the window. Return two arrays of shape (N, C, OH, OW): the largest inputs, and for each of them its place in its
    plane x[n, c], counted row by row: row * W + column, without the padding. Padding never wins, whatever the inputs.
    Where several entries of a window are largest, any one of them may be named.
    """

    def max_pool2d_with_indices(x, kernel_size, stride, padding):
        return _right(x, kernel_size, stride, padding)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def case(name: str, shape: tuple[int, ...], *settings: Any) -> Case:
            return Case(name, (rng.standard_normal(shape), *settings))

        yield case("one window", (1, 1, 2, 2), (2, 2), 2, 0)
        yield case("windows side by side", (1, 1, 4, 6), (2, 2), 2, 0)
        yield case("several channels", (1, 3, 4, 4), (2, 2), 2, 0)
        yield case("two samples, taller than wide", (2, 2, 6, 4), (2, 2), 2, 0)
        yield case("overlapping windows", (1, 2, 5, 7), (3, 3), 2, 0)
        yield case("a window taller than wide", (2, 2, 7, 5), (3, 2), 2, 0)
        yield case("a window wider than tall, stride 1", (1, 2, 4, 7), (2, 4), 1, 0)
        yield case("a stride larger than the window", (1, 2, 8, 11), (2, 2), 3, 0)
        yield case("padding 1", (2, 2, 5, 6), (3, 3), 2, 1)
        yield Case("padding 1, only negative inputs", (-rng.uniform(0.5, 3, (2, 2, 4, 6)), (2, 2), 2, 1))
        yield Case("padding 2, only negative inputs", (-rng.uniform(0.5, 3, (1, 2, 5, 4)), (4, 5), 1, 2))
        yield Case("padding 1, inputs far below zero", (-rng.uniform(2e6, 3e6, (1, 2, 5, 4)), (3, 2), 1, 1))
        yield Case("padding 1, all inputs equal", (np.full((1, 1, 3, 4), rng.uniform(-2, -1)), (2, 2), 2, 1))
        yield Case("inputs that grow smaller", (descending(rng, (1, 2, 5, 6)), (3, 2), 2, 1))
        yield Case("equal inputs within a window", (rng.integers(-2, 2, (2, 2, 5, 6)).astype(float), (3, 2), 1, 1))
        x = np.full((1, 2, 4, 4), rng.uniform(-2, -1))
        x[0, 0, [0, 1, 2, 3], [1, 0, 2, 3]] = x[0, 1, [0, 1, 2, 3], [0, 1, 3, 2]] = rng.uniform(0.5, 2)
        yield Case("two largest inputs, in different rows and columns", (x, (2, 2), 2, 0))
        yield Case("single precision", (rng.standard_normal((2, 2, 5, 6)).astype(np.float32), (3, 2), 2, 1))
        yield Case("strided memory", (rng.standard_normal((2, 2, 5, 12))[..., ::2], (2, 3), 1, 0))
        yield Case("Fortran order", (np.asfortranarray(rng.standard_normal((2, 3, 6, 5))), (2, 3), 2, 1))

    alternatives = {"max_pool2d_with_indices": ties.nearest_indices}  # noqa: RUF012

    misconceptions = (
        Misconception("padding with zeros wins",
                      "Zero is larger than any negative number, so in windows at the border a padding of zeros beats "
                      "negative inputs. Padding must never win: which number is never the largest?",
                      _padded_with, also=(partial(_padded_with, corrected=False),)),
        Misconception("padding with a number that can win",
                      "Whatever number the padding consists of, inputs may be smaller still, or equal to it. Padding "
                      "must never win.",
                      partial(_padded_with, fill=-1),
                      also=(lambda x, k, s, p: _padded_with(x, k, s, p, fill=x.min()),
                            *(partial(_padded_with, fill=fill) for fill in (-9, -10, -99, -100, -999, -1e3, -1e4, -1e5,
                                                                            -1e6)))),
        Misconception("index within the window",
                      "The index counts in the plane x[n, c], where all windows share one counting. Here each window "
                      "counts its own entries, so that equal numbers mean different places.",
                      _entry),
        Misconception("padding not taken off the index",
                      "The place is counted in the picture as it was given, without the padding around it: row 0 is "
                      "the first row of x.",
                      lambda x, k, s, p: _put_together(x, k, s, p, off=0),
                      also=(_in_padded_plane, partial(_partly, rows=1, columns=0),
                            partial(_partly, rows=0, columns=1))),
        Misconception("window cut off at the border, its place not",
                      "A window that hangs over the border begins, once it is cut off, at row or column 0 of the "
                      "picture, not at a negative one, and its rows are shorter than KW.",
                      partial(_cut_off, corner=-1000, width=False),
                      also=(partial(_cut_off, corner=0, width=True), partial(_cut_off, corner=-1000, width=True))),
        Misconception("row times height",
                      "Counted row by row, each row above an entry puts W entries before it: the row is multiplied by "
                      "the width.",
                      lambda x, k, s, p: (_located(x, k, s, p)[0],
                                          _located(x, k, s, p)[1] * x.shape[2] + _located(x, k, s, p)[2])),
        Misconception("counted down the columns",
                      "The plane is counted row by row, as ravel does. Here it is counted column by column.",
                      lambda x, k, s, p: (_located(x, k, s, p)[0],
                                          _located(x, k, s, p)[2] * x.shape[2] + _located(x, k, s, p)[1])),
        Misconception("counted through all channels",
                      "Each plane x[n, c] has a counting of its own that starts at 0. Here the planes before it are "
                      "counted too.",
                      _through_channels, also=(lambda x, k, s, p: _through_channels(x, k, s, p, samples=True),)),
        Misconception("counted from one", "The first entry of a plane has index 0.",
                      lambda x, k, s, p: (_right(x, k, s, p)[0], _right(x, k, s, p)[1] + 1)),
        Misconception("stride missing in the index",
                      "Inside of the window the place is right. But the window of output (i, j) starts at row "
                      "i * stride and column j * stride.",
                      lambda x, k, s, p: _put_together(x, k, s, p, step=1)),
        Misconception("window's entry taken apart by its height",
                      "A window of KH x KW has KW entries in a row: entry number a lies in row a // KW and column "
                      "a % KW of the window.",
                      lambda x, k, s, p: _put_together(x, k, s, p, by=0)),
        Misconception("corner of the window",
                      "These are the places where windows begin. The place of the maximum within the window is "
                      "missing.",
                      lambda x, k, s, p: (y := _right(x, k, s, p)[0],
                                          places(x.shape[3], y.shape[2:], (1, 1), s)[..., 0]
                                          - p * (x.shape[3] + 1) + np.zeros(y.shape, int))),
        Misconception("argmax of the whole plane",
                      "Each window has its own maximum. Here the place of the largest entry of the whole plane is told "
                      "for every window.",
                      _whole_plane),
        Misconception("equal value outside of the window",
                      "The place has to lie in the window itself. Here an entry elsewhere in the plane is named "
                      "because it happens to have the same value.",
                      _first_equal),
        Misconception("row and column apart",
                      "One number is wanted for each window: the row and the column have to be put together.",
                      lambda x, k, s, p: (_located(x, k, s, p)[0], np.stack(_located(x, k, s, p)[1:], axis=-1))),
        Misconception("values and indices swapped", "The values come first, the indices second.",
                      lambda x, k, s, p: _right(x, k, s, p)[::-1]),
        Misconception("padding ignored", "The window slides over the padded picture, which makes the output larger.",
                      lambda x, k, s, p: _right(x, k, s, 0)),
        Misconception("minimum instead of maximum", "The largest entry is wanted, not the smallest.",
                      lambda x, k, s, p: (-_right(-x, k, s, p)[0], _right(-x, k, s, p)[1])),
        Misconception(*STRIDE_IGNORED, lambda x, k, s, p: _right(x, k, 1, p)),
        Misconception(*STRIDE_IS_WINDOW, lambda x, k, s, p: _right(x, k, k, p)),
        Misconception(*SWAPPED, lambda x, k, s, p: _right(x, (k[1], k[0]), s, p)),
    )
    hints = (
        "Write down a plane of 3 x 4 and number its entries row by row. In a window, argmax counts the window's own "
        "entries: how do you get from there to the numbers of the plane?",
        "Pad with a number that is smaller than any input. For each window take the argmax of the flattened block, "
        "split it into a row and a column of the window, and add where the window starts.",
        "divmod(argmax, KW) gives row and column within the window. The window starts at row i * stride - padding and "
        "column j * stride - padding of x; the index is row * W + column.",
    )
