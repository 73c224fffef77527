"""The way back through max pooling along indices that the forward pass has kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.exercises import words
from autograder.exercises.pooling import forms
from autograder.exercises.pooling.common import NOTEBOOK, folded
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F

LOOPS = Written("""
    def max_pool2d_backward_by_indices(grad_out, indices, input_size):
        N, C, OH, OW = grad_out.shape
        H, W = input_size
        out = np.zeros((N, C, H, W), grad_out.dtype)
        for n, c, i, j in np.ndindex(N, C, OH, OW):
            row, column = divmod(indices[n, c, i, j], W)
            out[n, c, row, column] += grad_out[n, c, i, j]
        return out
    """)
THROUGH_ALL = LOOPS.edited({"out[n, c, row, column]": "out.reshape(-1)[indices[n, c, i, j]]"})
ONES = LOOPS.given("grad_out = np.ones_like(grad_out)")


@exercise("max_pool2d_backward_by_indices", notebook=NOTEBOOK, points=3)
class MaxPool2dBackwardByIndices:
    """Gradient of max pooling from the indices that the forward pass has kept.

    grad_out and indices have shape (N, C, OH, OW); indices counts row by row within each plane, as the forward pass
    has told. input_size is (H, W). Return an array of shape (N, C, H, W): every gradient at the place of its window's
    maximum, summed where several windows name the same place, and zero elsewhere.
    """

    def max_pool2d_backward_by_indices(grad_out, indices, input_size):
        return folded(grad_out, indices, input_size)

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
        Misconception(*words.OVERWRITTEN, LOOPS.edited({"+=": "="})),
        Misconception("indices counted through all planes",
                      "Each plane x[n, c] has its own counting. Here index 0 means the same place for all samples and "
                      "channels, so that everything is gathered in the first plane.",
                      THROUGH_ALL, also=(THROUGH_ALL.edited({"+=": "="}),)),
        Misconception("index taken apart by the height",
                      "Counted row by row, how many entries make one row? That number tells row and column apart, "
                      "and it is not the number of rows.",
                      LOOPS.edited({"], W)": "], H)"})),
        Misconception("index taken apart by the output's width",
                      "Indices count in the planes of the input, whose rows are input_size[1] long. The rows of "
                      "grad_out are shorter.",
                      LOOPS.edited({"], W)": "], OW)"})),
        Misconception(*words.COUNTED_DOWNWARDS,
                      LOOPS.edited({"row, column = divmod(indices[n, c, i, j], W)":
                                    "column, row = divmod(indices[n, c, i, j], H)"})),
        Misconception("indices ignored",
                      "Gradients belong where the indices point. Here they are put down one after the other.",
                      LOOPS.edited({"indices[n, c, i, j]": "i * OW + j"})),
        Misconception("the same indices for all planes",
                      "Each sample and each channel has maxima of its own: indices has to be read at the same n and c.",
                      LOOPS.edited({"indices[n, c,": "indices[0, 0,"}),
                      also=(LOOPS.edited({"indices[n, c,": "indices[0, c,"}),)),
        Misconception("the same indices for all channels",
                      "Each channel has maxima of its own: indices has to be read at the same c.",
                      LOOPS.edited({"indices[n, c,": "indices[n, 0,"})),
        Misconception(*words.UPSTREAM_IGNORED, ONES, also=(ONES.ending("out = np.minimum(out, 1)"),)),
        Misconception(*words.DIVIDED_BY_WINDOWS, forms.averaged(LOOPS),
                      detail="An input that is the maximum of several windows acts on all their outputs."),
        Misconception(*words.HEIGHT_AND_WIDTH_SWAPPED, LOOPS.edited({"H, W = input_size": "W, H = input_size"})),
        Misconception("planes flattened", "The result has the shape of the input: (N, C, H, W).",
                      LOOPS.returning("out.reshape(N, C, -1)")),
        Misconception(*words.FIRST_SAMPLE, LOOPS.ending("out[1:] = 0")),
        Misconception(*words.FIRST_CHANNEL, LOOPS.ending("out[:, 1:] = 0"),
                      detail="Each channel is pooled on its own."),
    )
    hints = (
        "One gradient after the other: which sample, which channel, which place in the plane?",
        "Start with zeros of shape (N, C, H * W). What has to happen when two windows name the same place?",
        "flat[n, c, indices[n, c, i, j]] += grad_out[n, c, i, j] in four loops, or np.add.at, which, unlike "
        "flat[...] += ..., adds repeatedly where an index is repeated; reshape at the end.",
    )
