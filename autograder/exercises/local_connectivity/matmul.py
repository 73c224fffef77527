"""The same layer as one matrix product."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.exercises.local_connectivity import column_mistakes as mistakes
from autograder.exercises.local_connectivity.common import (
    FIRST_CHANNEL,
    NOTEBOOK,
    ONE_SAMPLE,
    layer_cases,
    layer_misconceptions,
)
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F


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
        Misconception("patches in rows",
                      "Here every patch is a row of the result. It has to be a column: rows are taps, columns are "
                      "positions.",
                      lambda x, k, s, p: F.im2col(x, k, stride=s, padding=p).swapaxes(1, 2)),
        Misconception("channel as the fastest index",
                      "The rows come in the order channel, kernel row, kernel column, so all taps of channel 0 first: "
                      "the order in which weight.reshape lists a filter.",
                      mistakes.channels_last_rows, also=(mistakes.fortran_rows,)),
        Misconception("kernel columns before rows",
                      "Within a channel the rows of the result list the kernel row by row. Here it is listed column by "
                      "column.",
                      mistakes.taps_transposed),
        Misconception("positions counted downwards",
                      "The positions come in reading order: along a row of the output first, then down. Here they run "
                      "down first.",
                      mistakes.positions_transposed),
        Misconception("positions numbered by the height",
                      "The window in row i and column j is number i * OW + j, since a row of the output has OW "
                      "windows. Here it looks like OH.",
                      mistakes.numbered_by_height),
        Misconception("stride missing in the window's position",
                      "The number of columns is right. But the window of output (i, j) starts at row i * stride and "
                      "column j * stride of the padded input.",
                      mistakes.stride_not_in_position),
        Misconception(*FIRST_CHANNEL, lambda x, k, s, p: F.im2col(x[:, :1], k, stride=s, padding=p)),
        Misconception(*ONE_SAMPLE, lambda x, k, s, p: F.im2col(x[:1].repeat(len(x), axis=0), k, stride=s, padding=p)),
        Misconception("only square kernels",
                      "A kernel has a height and a width, kernel_size[0] and kernel_size[1]. Here one of them is used "
                      "for both.",
                      lambda x, k, s, p: F.im2col(x, (k[0], k[0]), stride=s, padding=p),
                      also=(lambda x, k, s, p: F.im2col(x, (k[1], k[1]), stride=s, padding=p),
                            mistakes.square_kernels)),
        Misconception("kernel height and width swapped",
                      "kernel_size is (height, width): the first number belongs to the rows of the picture.",
                      lambda x, k, s, p: F.im2col(x, (k[1], k[0]), stride=s, padding=p)),
        Misconception("windows that do not overlap",
                      "Windows lie one stride apart. Here they lie one kernel size apart.",
                      lambda x, k, s, p: F.im2col(x, k, stride=k, padding=p), also=(mistakes.side_by_side,)),
        Misconception("padding ignored", "The windows are taken from the padded picture.",
                      lambda x, k, s, p: F.im2col(x, k, stride=s)),
        Misconception("stride ignored", "Neighboring windows lie one stride apart, along both axes.",
                      lambda x, k, s, p: F.im2col(x, k, padding=p)),
        Misconception("samples side by side",
                      "The samples stay apart, along the first axis of the result; here their columns stand side by "
                      "side in one matrix.",
                      lambda x, k, s, p: np.concatenate(list(F.im2col(x, k, stride=s, padding=p)), axis=1)),
        *(replace(m, name=f"{m.name} in the layer") for m in layer_misconceptions("conv2d_matmul")),
        Misconception("filters and samples mixed",
                      "The product of the filters with the columns of a whole batch lists filters first. A reshape "
                      "keeps that order of the entries: the axes have to be transposed before.",
                      mistakes.scrambled, "conv2d_matmul"),
        Misconception("filters and positions mixed",
                      "A reshape keeps the order of the entries. Only a product that lists filters first and positions "
                      "second can be reshaped to (filters, rows, columns); one that lists positions first has to be "
                      "transposed before.",
                      mistakes.pixels_scrambled, "conv2d_matmul", also=(mistakes.filters_taken_for_pixels,)),
        Misconception("bias added to the positions",
                      "The product has a row for each filter and a column for each position. A bias of shape (K,) is "
                      "lined up with the columns: it needs the shape (K, 1).",
                      mistakes.bias_along_positions, "conv2d_matmul"),
        Misconception("a reshape in place of flattening",
                      "Each filter becomes one row: weight.reshape(K, -1). A reshape to (-1, K) cuts the same numbers "
                      "into other pieces, and no transposition puts them together again.",
                      lambda x, w, b, s, p: F.conv2d(x, w.reshape(-1, len(w)).T.reshape(w.shape), b, stride=s,
                                                     padding=p), "conv2d_matmul"),
        Misconception("filters flattened in another order",
                      "The rows of im2col list channel, kernel row, kernel column. The filters have to be flattened in "
                      "the same order.",
                      lambda x, w, b, s, p: F.conv2d(x, np.ascontiguousarray(
                          w.transpose(0, 3, 2, 1)).reshape(w.shape), b, stride=s, padding=p), "conv2d_matmul",
                      also=(lambda x, w, b, s, p: F.conv2d(x, np.ascontiguousarray(
                          w.transpose(0, 2, 3, 1)).reshape(w.shape), b, stride=s, padding=p),)),
    )
    hints = (
        "Write down one column for a picture of 3x3 and windows of 2x2. How many columns are there, and how long are "
        "they?",
        "Column i * OW + j is window (i, j) of the padded sample, with all channels, flattened by reshape. For the "
        "layer, flatten each filter to a row: rows times columns is all dot products at once.",
        "The product of the filters, (K, C * KH * KW), with the columns of one sample, (C * KH * KW, OH * OW), has "
        "shape (K, OH * OW): add a bias to each row, then reshape to (K, OH, OW).",
    )
