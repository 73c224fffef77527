"""The same layer in other forms: one matrix product, 1x1 filters, filters with gaps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.exercise import Case, Misconception, exercise
from autograder.exercises.local_connectivity import mistakes
from autograder.exercises.local_connectivity.common import (
    BIAS_ALONG_WIDTH,
    FIRST_CHANNEL,
    FLIPPED,
    LAST_CHANNEL,
    MANY_BIASES,
    NO_BIAS,
    ONE_FILTER,
    draw_layer,
    layer_cases,
    layer_misconceptions,
)
from autograder.exercises.local_connectivity.one_neuron import NOTEBOOK
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
                      mistakes.channels_last_rows),
        Misconception("kernel columns before rows",
                      "Within a channel the rows of the result list the kernel row by row. Here it is listed column by "
                      "column.",
                      mistakes.taps_transposed),
        Misconception("positions counted downwards",
                      "The positions come in reading order: along a row of the output first, then down. Here they run "
                      "down first.",
                      mistakes.positions_transposed),
        Misconception("kernel height and width swapped",
                      "kernel_size is (height, width): the first number belongs to the rows of the picture.",
                      lambda x, k, s, p: F.im2col(x, (k[1], k[0]), stride=s, padding=p)),
        Misconception("windows that do not overlap",
                      "Windows lie one stride apart. Here they lie one kernel size apart.",
                      lambda x, k, s, p: F.im2col(x, k, stride=k, padding=p)),
        Misconception("padding ignored", "The windows are taken from the padded picture.",
                      lambda x, k, s, p: F.im2col(x, k, stride=s)),
        Misconception("stride ignored", "Neighboring windows lie one stride apart, along both axes.",
                      lambda x, k, s, p: F.im2col(x, k, padding=p)),
        Misconception("samples side by side",
                      "The samples stay apart, along the first axis of the result; here their columns stand side by "
                      "side in one matrix.",
                      lambda x, k, s, p: np.concatenate(list(F.im2col(x, k, stride=s, padding=p)), axis=1)),
        *(Misconception(f"{m.name} in the layer", m.explanation, m.wrong, m.answer)
          for m in layer_misconceptions("conv2d_matmul")),
        Misconception("filters and samples mixed",
                      "The product of the filters with the columns of a whole batch lists filters first. A reshape "
                      "keeps that order of the entries: the axes have to be transposed before.",
                      mistakes.scrambled, "conv2d_matmul"),
        Misconception("filters and positions mixed",
                      "A product that lists positions first and filters second cannot be reshaped to (filters, rows, "
                      "columns): a reshape keeps the order of the entries. Transpose first.",
                      mistakes.pixels_scrambled, "conv2d_matmul"),
        Misconception("filters flattened column by column",
                      "The rows of im2col list channel, kernel row, kernel column. The filters have to be flattened in "
                      "the same order.",
                      lambda x, w, b, s, p: F.conv2d(x, np.ascontiguousarray(
                          w.transpose(0, 3, 2, 1)).reshape(w.shape), b, stride=s, padding=p), "conv2d_matmul"),
    )
    hints = (
        "Write down one column for a picture of 3x3 and windows of 2x2. How many columns are there, and how long are "
        "they?",
        "Column i * OW + j is window (i, j) of the padded sample, with all channels, flattened by reshape. For the "
        "layer, flatten each filter to a row: rows times columns is all dot products at once.",
        "The product of the filters, (K, C * KH * KW), with the columns of one sample, (C * KH * KW, OH * OW), has "
        "shape (K, OH * OW): add a bias to each row, then reshape to (K, OH, OW).",
    )


@exercise("conv1x1", notebook=NOTEBOOK, points=2)
class Conv1x1:
    """A convolution with 1x1 filters: the same small matrix applied to every pixel.

    x has shape (N, C, H, W), weight (K, C), bias (K,). Return shape (N, K, H, W): at each pixel, channel k of the
    result is the dot product of weight[k] with the C channels of that pixel, plus bias[k].
    """

    def conv1x1(x, weight, bias):
        return mistakes.pointwise(x, weight, bias)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def case(name: str, shape: tuple[int, ...], filters: int) -> Case:
            x, weight, bias = draw_layer(rng, shape, (filters, 1, 1))
            return Case(name, (x, weight[:, :, 0, 0], bias))

        yield case("one pixel", (1, 3, 1, 1), 2)
        yield case("as many filters as channels", (1, 2, 3, 3), 2)
        yield case("fewer filters than channels", (1, 4, 3, 3), 2)
        yield case("more filters than channels", (1, 2, 3, 3), 5)
        yield case("taller than wide", (1, 3, 4, 2), 2)
        yield case("several samples", (3, 2, 2, 4), 3)
        yield case("one channel", (2, 1, 3, 2), 3)
        yield case("as many channels as pixels", (2, 4, 2, 2), 3)
        x, weight, bias = (a.astype(np.float32) for a in draw_layer(rng, (2, 3, 3, 2), (4, 1, 1)))
        yield Case("single precision", (x, weight[:, :, 0, 0], bias))
        x, weight, bias = draw_layer(rng, (2, 3, 3, 8), (2, 1, 1))
        yield Case("strided memory", (x[..., ::2], weight[:, :, 0, 0], bias))

    misconceptions = (
        Misconception(*NO_BIAS, lambda x, w, b: mistakes.pointwise(x, w, 0 * b)),
        Misconception(*MANY_BIASES, lambda x, w, b: mistakes.pointwise(x, w, b * b.dtype.type(x.shape[1]))),
        Misconception(*BIAS_ALONG_WIDTH, lambda x, w, b: mistakes.pointwise(x, w, 0 * b) + b),
        Misconception("channels and pixels mixed",
                      "A reshape keeps the order of the entries, and in NCHW a channel's pixels come before the next "
                      "channel: the channel axis has to be moved, not reshaped away.",
                      mistakes.mixed_pixels),
        Misconception("channels last in the result",
                      "The result is NCHW like the input: the filters' axis comes second, not last.",
                      lambda x, w, b: mistakes.pointwise(x, w, b).transpose(0, 2, 3, 1)),
        Misconception(*FIRST_CHANNEL, lambda x, w, b: mistakes.pointwise(x[:, :1], w[:, :1], b)),
        Misconception(*LAST_CHANNEL, lambda x, w, b: mistakes.pointwise(x[:, -1:], w[:, -1:], b)),
        Misconception(*ONE_FILTER, lambda x, w, b: mistakes.pointwise(x, w[:1].repeat(len(w), axis=0), b)),
        Misconception("channels averaged", "The contributions of the channels are summed, not averaged.",
                      lambda x, w, b: mistakes.pointwise(x, w / w.dtype.type(w.shape[1]), b)),
        Misconception("only the first sample",
                      "The layer is applied to every sample of the batch; here all but the first stay zero.",
                      lambda x, w, b: np.concatenate([mistakes.pointwise(x[:1], w, b),
                                                      np.zeros((len(x) - 1, len(w), *x.shape[2:]), x.dtype)])),
    )
    hints = (
        "At one pixel: C numbers go in, K numbers come out. Which product of a matrix and a vector is that?",
        "The sum runs over the channel axis of x and the second axis of weight, at all samples and pixels at once: "
        "np.einsum or np.tensordot sums over a chosen pair of axes.",
        "With reshape, (C, H, W) becomes (C, H * W) without moving anything: the weight times that is (K, H * W). The "
        "bias needs the shape (K, 1, 1) to be added to each filter's map.",
    )


@exercise("dilated_conv2d", notebook=NOTEBOOK, points=3)
class DilatedConv2d:
    """A convolution whose filter has gaps.

    x has shape (N, C, H, W), weight (K, C, KH, KW), bias (K,); stride 1, no padding. The taps of the filter lie
    `dilation` inputs apart, along both axes, so that dilation 1 is the ordinary layer. Return shape (N, K, OH, OW).
    """

    def dilated_conv2d(x, weight, bias, dilation):
        return F.conv2d(x, weight, bias, dilation=dilation)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def case(name: str, x: tuple[int, ...], weight: tuple[int, int, int], dilation: int) -> Case:
            return Case(name, (*draw_layer(rng, x, weight), dilation))

        yield case("dilation 1, the ordinary layer", (1, 2, 7, 7), (2, 2, 2), 1)
        yield case("dilation 2", (1, 1, 8, 8), (1, 3, 3), 2)
        yield case("several channels, filters and samples", (2, 3, 8, 8), (2, 3, 3), 2)
        yield case("taller than wide, dilation 3", (1, 2, 13, 9), (2, 3, 2), 3)
        yield case("a kernel wider than tall", (1, 2, 7, 12), (3, 2, 4), 2)
        yield case("a kernel taller than wide", (2, 1, 14, 8), (2, 4, 2), 3)
        yield case("an input that leaves a single row", (1, 2, 7, 10), (2, 3, 3), 3)
        yield case("a 1x1 kernel: nothing to spread", (1, 2, 5, 6), (2, 1, 1), 4)
        x, weight, bias = (a.astype(np.float32) for a in draw_layer(rng, (1, 2, 9, 8), (2, 2, 3), ))
        yield Case("single precision", (x, weight, bias, 2))
        x, weight, bias = draw_layer(rng, (1, 2, 9, 18), (2, 3, 2))
        yield Case("strided memory", (x[..., ::2], weight, bias, 2))

    misconceptions = (
        Misconception("dilation counted from zero",
                      "Here dilation 1 leaves a gap of one. In PyTorch, TensorFlow and ONNX, and here, it is the "
                      "distance from tap to tap: 1 means no gap. The older counting of CS231n's text calls that 0.",
                      lambda x, w, b, d: F.conv2d(x, w, b, dilation=d + 1)),
        Misconception("dilation ignored", "With dilation d the taps of the filter lie d inputs apart.",
                      lambda x, w, b, d: F.conv2d(x, w, b)),
        Misconception("dilation used as stride",
                      "Dilation spreads the taps of the filter. The window itself still moves by one: it is the stride "
                      "that would skip positions.",
                      lambda x, w, b, d: F.conv2d(x, w, b, stride=d)),
        Misconception("dilation and stride together",
                      "The taps are spread rightly, but the window has to stop at every position: stride 1.",
                      lambda x, w, b, d: F.conv2d(x, w, b, stride=d, dilation=d)),
        Misconception("dilation along the rows only", "The taps are spread along both axes.",
                      lambda x, w, b, d: F.conv2d(x, w, b, dilation=(d, 1))),
        Misconception("dilation along the columns only", "The taps are spread along both axes.",
                      lambda x, w, b, d: F.conv2d(x, w, b, dilation=(1, d))),
        Misconception("span counted as d F",
                      "F taps have F - 1 steps of d between them: they span d (F - 1) + 1 inputs, not d F. The last "
                      "positions are missing.",
                      mistakes.too_long),
        Misconception("gaps filled with copies",
                      "Between the taps nothing is multiplied: the inputs in the gaps are not used. Here each tap is "
                      "repeated.",
                      mistakes.filled),
        Misconception("padded to keep the size",
                      "There is no padding in this exercise: the result is smaller than the input, by the span of the "
                      "filter less one.",
                      lambda x, w, b, d: F.conv2d(x, w, b, dilation=d, padding="same")),
        Misconception(*FLIPPED, lambda x, w, b, d: F.conv2d(x, mistakes.flipped(w), b, dilation=d)),
        Misconception(*NO_BIAS, lambda x, w, b, d: F.conv2d(x, w, dilation=d)),
        Misconception(*FIRST_CHANNEL, lambda x, w, b, d: F.conv2d(x[:, :1], w[:, :1], b, dilation=d)),
    )
    hints = (
        "Three taps with dilation 2 touch the inputs 0, 2 and 4. How many inputs do they span?",
        "It is the layer that you wrote, with two changes: the span of the filter in the output size, and a step in "
        "the slice of the window.",
        "A slice start : start + span : dilation takes every dilation-th input. With span d (F - 1) + 1 it has exactly "
        "F entries.",
    )
