"""The way back through max pooling along indices that the forward pass has kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.exercises.pooling.common import (
    AVERAGED,
    FIRST_CHANNEL,
    FIRST_SAMPLE,
    NOTEBOOK,
    ONES,
    OVERWRITTEN,
    Pair,
    folded,
    only,
)
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F


def _spread(grad_out: np.ndarray, indices: np.ndarray, size: Pair, *, overwrite: bool = False) -> np.ndarray:
    return folded(grad_out, indices, size, overwrite=overwrite)


def _through_everything(grad_out: np.ndarray, indices: np.ndarray, size: Pair) -> np.ndarray:
    """All gradients end up in the first plane, because indices are used on the array flattened as a whole."""
    out = np.zeros((*grad_out.shape[:2], size[0] * size[1]), grad_out.dtype)
    np.add.at(out.reshape(-1), indices.ravel(), grad_out.ravel())
    return out.reshape(*grad_out.shape[:2], *size)


def _through_everything_overwritten(grad_out: np.ndarray, indices: np.ndarray, size: Pair) -> np.ndarray:
    out = np.zeros((*grad_out.shape[:2], *size), grad_out.dtype)
    np.put(out, indices, grad_out)
    return out


def _by_output_width(grad_out: np.ndarray, indices: np.ndarray, size: Pair) -> np.ndarray:
    row, column = np.divmod(indices, grad_out.shape[3])
    if row.max() >= size[0] or column.max() >= size[1]:
        raise IndexError("index is out of bounds")
    return _spread(grad_out, row * size[1] + column, size)


def _by_height(grad_out: np.ndarray, indices: np.ndarray, size: Pair) -> np.ndarray:
    row, column = np.divmod(indices, size[0])
    if row.max() >= size[0] or column.max() >= size[1]:
        raise IndexError("index is out of bounds")
    return _spread(grad_out, row * size[1] + column, size)


def _down_the_columns(grad_out: np.ndarray, indices: np.ndarray, size: Pair) -> np.ndarray:
    return np.ascontiguousarray(_spread(grad_out, indices, size).reshape(*grad_out.shape[:2], size[1], size[0])
                                .swapaxes(2, 3))


def _first_entries(grad_out: np.ndarray, indices: np.ndarray, size: Pair) -> np.ndarray:
    count = indices[0, 0].size
    return _spread(grad_out, np.broadcast_to(np.arange(count).reshape(indices.shape[2:]), indices.shape), size)


def _mean(grad_out: np.ndarray, indices: np.ndarray, size: Pair) -> np.ndarray:
    return _spread(grad_out, indices, size) / np.maximum(_spread(np.ones_like(grad_out), indices, size), 1)


@exercise("max_pool2d_backward_by_indices", notebook=NOTEBOOK, points=3)
class MaxPool2dBackwardByIndices:
    """Gradient of max pooling from the indices that the forward pass has kept.

    grad_out and indices have shape (N, C, OH, OW); indices counts row by row within each plane, as the forward pass
    has told. input_size is (H, W). Return an array of shape (N, C, H, W): every gradient at the place of its window's
    maximum, summed where several windows name the same place, and zero elsewhere.
    """

    def max_pool2d_backward_by_indices(grad_out, indices, input_size):
        return _spread(grad_out, indices, input_size)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def case(name: str, shape: tuple[int, ...], *settings: Any, dtype: type = np.float64) -> Case:
            _, indices = F.max_pool2d(rng.standard_normal(shape), *settings, return_indices=True)
            return Case(name, (rng.standard_normal(indices.shape).astype(dtype), indices, shape[2:]))

        yield case("one window", (1, 1, 2, 2), (2, 2), 2)
        yield case("windows side by side", (1, 1, 4, 4), (2, 2), 2)
        yield case("several channels", (1, 3, 4, 4), (2, 2), 2)
        yield case("two samples", (2, 2, 4, 4), (2, 2), 2)
        yield case("taller than wide", (2, 2, 8, 4), (2, 2), 2)
        yield case("wider than tall", (1, 2, 4, 9), (2, 3), 3)
        yield case("windows that move by one: places named several times", (1, 2, 5, 6), (3, 3), 1)
        yield Case("one place named by all windows",
                   (rng.standard_normal((2, 1, 2, 3)), np.full((2, 1, 2, 3), 7), (4, 5)))
        yield case("padding in the forward pass", (2, 2, 5, 4), (3, 3), 2, 1)
        yield case("inputs that no window reads", (1, 2, 8, 11), (2, 2), 3)
        yield case("single precision", (2, 2, 6, 5), (3, 2), 1, dtype=np.float32)
        _, indices = F.max_pool2d(rng.standard_normal((2, 2, 5, 9)), (3, 3), 1, return_indices=True)
        yield Case("strided memory",
                   (rng.standard_normal((2, 2, 3, 14))[..., ::2], np.asfortranarray(indices), (5, 9)))

    misconceptions = (
        Misconception(*OVERWRITTEN, lambda g, i, size: _spread(g, i, size, overwrite=True)),
        Misconception("indices counted through all planes",
                      "Each plane x[n, c] has its own counting. Here index 0 means the same place for all samples and "
                      "channels, so that everything is gathered in the first plane.",
                      _through_everything, also=(_through_everything_overwritten,)),
        Misconception("index taken apart by the height",
                      "Counted row by row, W entries make a row: the row is index // W, the column index % W.",
                      _by_height),
        Misconception("index taken apart by the output's width",
                      "Indices count in the planes of the input, whose rows are input_size[1] long. The rows of "
                      "grad_out are shorter.",
                      _by_output_width),
        Misconception("counted down the columns",
                      "Indices count row by row. Here the result is filled column by column.",
                      _down_the_columns),
        Misconception("indices ignored",
                      "Gradients belong where the indices point. Here they are put down one after the other.",
                      _first_entries),
        Misconception("the same indices for all planes",
                      "Each sample and each channel has maxima of its own: indices has to be read at the same n and c.",
                      lambda g, i, size: _spread(g, np.broadcast_to(i[:1, :1], i.shape), size),
                      also=(lambda g, i, size: _spread(g, np.broadcast_to(i[:1], i.shape), size),)),
        Misconception("the same indices for all channels",
                      "Each channel has maxima of its own: indices has to be read at the same c.",
                      lambda g, i, size: _spread(g, np.broadcast_to(i[:, :1], i.shape), size)),
        Misconception(*ONES, lambda g, i, size: _spread(np.ones_like(g), i, size),
                      also=(lambda g, i, size: np.minimum(_spread(np.ones_like(g), i, size), 1),)),
        Misconception(*AVERAGED, _mean),
        Misconception("height and width swapped", "input_size is (height, width), in this order.",
                      lambda g, i, size: _spread(g, i, size[::-1])),
        Misconception("planes flattened", "The result has the shape of the input: (N, C, H, W).",
                      lambda g, i, size: _spread(g, i, size).reshape(*g.shape[:2], -1)),
        Misconception(*FIRST_SAMPLE, only(0, _spread)),
        Misconception(*FIRST_CHANNEL, only(1, _spread)),
    )
    hints = (
        "One gradient after the other: which sample, which channel, which place in the plane?",
        "Start with zeros of shape (N, C, H * W). What has to happen when two windows name the same place?",
        "flat[n, c, indices[n, c, i, j]] += grad_out[n, c, i, j] in four loops, or np.add.at, which, unlike "
        "flat[...] += ..., adds repeatedly where an index is repeated; reshape at the end.",
    )
