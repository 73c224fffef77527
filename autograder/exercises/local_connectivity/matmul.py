"""The same layer as one matrix product."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.exercises import words
from autograder.exercises.local_connectivity import forms
from autograder.exercises.local_connectivity.common import NOTEBOOK, layer_cases
from autograder.exercises.local_connectivity.forms import AT_ONCE, WITHOUT_BIAS
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F

IM2COL = Written("""
    def im2col(x, kernel_size, stride, padding):
        N, C, H, W = x.shape
        KH, KW = kernel_size
        OH, OW = (H + 2 * padding - KH) // stride + 1, (W + 2 * padding - KW) // stride + 1
        padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        out = np.zeros((N, C * KH * KW, OH * OW), x.dtype)
        for i, j in np.ndindex(OH, OW):
            top, left = i * stride, j * stride
            patch = padded[:, :, top : top + KH, left : left + KW]
            out[:, :, i * OW + j] = patch.reshape(N, C * KH * KW)
        return out
    """)


SIDE_BY_SIDE = IM2COL.edited({"i * stride, j * stride": "i * KH, j * KW"})


def _listed(patch: str) -> Written:
    """Patches that are flattened in another order."""
    return IM2COL.edited({"patch.reshape": f"{patch}.reshape"})


def _numbered(position: str) -> Written:
    """Another column for the window in row i and column j."""
    return IM2COL.edited({"i * OW + j": position})


@exercise("conv2d_matmul", notebook=NOTEBOOK, points=5, answers=("im2col", "conv2d_matmul"))
class Conv2dMatmul:
    """The same layer as one matrix product.

    im2col copies every window of every padded sample into a column: it returns shape (N, C * KH * KW, OH * OW), the
    rows in the order channel, kernel row, kernel column, the columns from left to right and then down. conv2d_matmul
    returns what conv2d_forward does, by multiplying the filters, one in each row, with these columns.
    """

    def im2col(x, kernel_size, stride, padding):
        return F.im2col(x, kernel_size, stride=stride, padding=padding)

    def conv2d_matmul(x, weight, bias, stride, padding):
        return F.conv2d(x, weight, bias, stride=stride, padding=padding)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def case(name: str, shape: tuple[int, ...], kernel_size: tuple[int, int], stride: int, padding: int,
                 **more: Any) -> Case:
            return Case(name, (rng.standard_normal(shape), kernel_size, stride, padding), "im2col", **more)

        yield case("one channel, 2x2 windows", (1, 1, 3, 3), (2, 2), 1, 0)
        yield case("three channels", (1, 3, 4, 4), (2, 2), 1, 0)
        yield case("two samples", (2, 2, 4, 4), (3, 3), 1, 0)
        yield case("padding 1", (1, 2, 3, 3), (3, 3), 1, 1)
        yield case("stride 2", (1, 2, 5, 5), (3, 3), 2, 0)
        yield case("taller than wide", (2, 2, 6, 4), (3, 3), 1, 0)
        yield case("a kernel wider than tall, stride 2, padding 1", (1, 2, 4, 7), (2, 3), 2, 1)
        yield case("a kernel taller than wide", (2, 3, 6, 5), (4, 2), 1, 0)
        yield case("a stride larger than the kernel", (1, 2, 8, 5), (2, 2), 3, 0)
        yield Case("strided memory, single precision",
                   (rng.standard_normal((2, 2, 4, 10)).astype(np.float32)[..., ::2], (3, 2), 1, 1), "im2col")
        yield case("other numbers in the shape of an earlier case", (2, 3, 6, 5), (4, 2), 1, 0)
        yield case("a stride that does not divide evenly", (1, 1, 6, 6), (3, 3), 2, 0, may_raise=True)
        yield from layer_cases(rng, "conv2d_matmul")

    misconceptions = (
        Misconception(*words.PATCHES_IN_ROWS, IM2COL.returning("out.swapaxes(1, 2)"),
                      detail="Rows are taps, columns are positions."),
        Misconception(*words.CHANNEL_FASTEST, _listed("patch.transpose(0, 2, 3, 1)"),
                      also=(_listed("patch.transpose(0, 3, 2, 1)"),),
                      detail="It is the order in which weight.reshape lists a filter."),
        Misconception(*words.KERNEL_COLUMNS_FIRST, _listed("patch.swapaxes(2, 3)")),
        Misconception(*words.POSITIONS_DOWNWARDS, _numbered("j * OH + i")),
        Misconception("positions numbered by the height",
                      "The window in row i and column j is number i * OW + j, since a row of the output has OW "
                      "windows. Here it looks like OH.",
                      _numbered("i * OH + j")),
        Misconception(*words.STRIDE_NOT_IN_POSITION, IM2COL.edited({"i * stride, j * stride": "i, j"}),
                      detail="The number of columns is right."),
        Misconception(*words.FIRST_CHANNEL, IM2COL.given("x = x[:, :1]"),
                      detail="A patch spans the full depth."),
        Misconception(*words.FIRST_SAMPLE, IM2COL.given("x = x[:1].repeat(len(x), axis=0)")),
        Misconception(*words.SQUARE_KERNELS, IM2COL.given("kernel_size = kernel_size[0], kernel_size[0]"),
                      also=(IM2COL.given("kernel_size = kernel_size[1], kernel_size[1]"),
                            IM2COL.edited({"left + KW": "left + KH"})),
                      detail="They are kernel_size[0] and kernel_size[1]."),
        Misconception(*words.KERNEL_SWAPPED, IM2COL.given("kernel_size = kernel_size[::-1]")),
        Misconception(*words.KERNEL_AS_STRIDE,
                      SIDE_BY_SIDE.edited({"- KH) // stride": "- KH) // KH", "- KW) // stride": "- KW) // KW"}),
                      also=(SIDE_BY_SIDE,)),
        Misconception(*words.PADDING_IGNORED, IM2COL.given("padding = 0")),
        Misconception(*words.STRIDE_IGNORED, IM2COL.given("stride = 1")),
        Misconception("samples side by side",
                      "The samples stay apart, along the first axis of the result; here their columns stand side by "
                      "side in one matrix.",
                      IM2COL.returning("np.concatenate(out, axis=1)")),
        *(replace(m, name=f"{m.name} in the layer") for m in forms.of_layers("conv2d_matmul")),
        Misconception("filters and samples mixed",
                      "The product of the filters with the columns of a whole batch lists filters first. A reshape "
                      "keeps that order of the entries: the axes have to be transposed before.",
                      AT_ONCE.returning("out.swapaxes(0, 1).reshape(out.shape)"), "conv2d_matmul"),
        Misconception(*words.FILTERS_AND_POSITIONS_MIXED,
                      AT_ONCE.returning("out.transpose(0, 2, 3, 1).reshape(out.shape)"), "conv2d_matmul",
                      also=(AT_ONCE.returning("out.reshape(len(x), *out.shape[2:], len(weight))"
                                              ".transpose(0, 3, 1, 2)"),),
                      detail="Only a product that lists filters first and positions second can be reshaped to "
                             "(filters, rows, columns)."),
        Misconception("bias added to the positions",
                      "The product has a row for each filter and a column for each position. A bias of shape (K,) is "
                      "lined up with the columns, and it belongs to the rows.",
                      WITHOUT_BIAS.returning("(out.reshape(*out.shape[:2], -1) + bias).reshape(*out.shape[:3], -1)"),
                      "conv2d_matmul"),
        Misconception("a reshape in place of flattening",
                      "Each filter becomes one row. A reshape to (-1, K) cuts the same numbers into other pieces, and "
                      "no transposition puts them together again.",
                      AT_ONCE.given("weight = weight.reshape(-1, len(weight)).T.reshape(weight.shape)"),
                      "conv2d_matmul"),
        Misconception(*words.FILTERS_IN_ANOTHER_ORDER,
                      AT_ONCE.given("weight = weight.transpose(0, 3, 2, 1).reshape(weight.shape)"), "conv2d_matmul",
                      also=(AT_ONCE.given("weight = weight.transpose(0, 2, 3, 1).reshape(weight.shape)"),)),
    )
    hints = (
        "Write down one column for a picture of 3x3 and windows of 2x2. How many columns are there, and how long are "
        "they?",
        "Column i * OW + j is window (i, j) of the padded sample, with all channels, flattened by reshape. For the "
        "layer, flatten each filter to a row: rows times columns is all dot products at once.",
        "The product of the filters, (K, C * KH * KW), with the columns of one sample, (C * KH * KW, OH * OW), has "
        "shape (K, OH * OW): add a bias to each row, then reshape to (K, OH, OW).",
    )
