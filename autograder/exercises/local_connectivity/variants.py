"""Layers with 1x1 filters, and with gaps in the filter."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.exercises.local_connectivity import variant_mistakes as mistakes
from autograder.exercises.local_connectivity.common import (
    BIAS_ALONG_HEIGHT,
    BIAS_ALONG_WIDTH,
    FIRST_CHANNEL,
    FLIPPED,
    LAST_CHANNEL,
    MANY_BIASES,
    NO_BIAS,
    NOTEBOOK,
    ONE_BIAS,
    ONE_FILTER,
    ONE_SAMPLE,
    draw_layer,
)
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F


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
        yield case("other numbers in the shapes of an earlier case", (3, 2, 2, 4), 3)

    misconceptions = (
        Misconception(*NO_BIAS, lambda x, w, b: mistakes.pointwise(x, w, 0 * b)),
        Misconception(*MANY_BIASES, lambda x, w, b: mistakes.pointwise(x, w, b * b.dtype.type(x.shape[1]))),
        Misconception(*ONE_BIAS, lambda x, w, b: mistakes.pointwise(x, w, b[:1].repeat(len(b))),
                      also=(lambda x, w, b: mistakes.pointwise(x, w, 0 * b) + b.sum(),)),
        Misconception(*BIAS_ALONG_WIDTH, lambda x, w, b: mistakes.pointwise(x, w, 0 * b) + b),
        Misconception(*BIAS_ALONG_HEIGHT, lambda x, w, b: mistakes.pointwise(x, w, 0 * b) + b[:, None]),
        Misconception("channels and pixels mixed",
                      "A reshape keeps the order of the entries, and in NCHW a channel's pixels come before the next "
                      "channel: the channel axis has to be moved, not reshaped away.",
                      mistakes.mixed_pixels, also=(mistakes.reshaped_back,)),
        Misconception("weight transposed",
                      "The filters are the rows of the weight, of shape (K, C): weight[k, c] belongs to filter k and "
                      "channel c.",
                      mistakes.transposed_weight,
                      also=(mistakes.transposed_by_index,
                            lambda x, w, b: np.einsum("nchw,ck->nkhw", x, w) + b[:, None, None])),
        Misconception("channels last in the result",
                      "The result is NCHW like the input: the filters' axis comes second, not last.",
                      lambda x, w, b: mistakes.pointwise(x, w, b).transpose(0, 2, 3, 1)),
        Misconception(*FIRST_CHANNEL, lambda x, w, b: mistakes.pointwise(x[:, :1], w[:, :1], b)),
        Misconception(*LAST_CHANNEL, lambda x, w, b: mistakes.pointwise(x[:, -1:], w[:, -1:], b)),
        Misconception(*ONE_FILTER, lambda x, w, b: mistakes.pointwise(x, w[:1].repeat(len(w), axis=0), b)),
        Misconception("channels averaged", "The contributions of the channels are summed, not averaged.",
                      lambda x, w, b: mistakes.pointwise(x, w / w.dtype.type(w.shape[1]), b)),
        Misconception(*ONE_SAMPLE, lambda x, w, b: mistakes.pointwise(x[:1].repeat(len(x), axis=0), w, b),
                      also=(lambda x, w, b: mistakes.pointwise(x[:1], w, b),)),
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
        yield case("other numbers in the shapes of an earlier case", (1, 2, 13, 9), (2, 3, 2), 3)

    misconceptions = (
        Misconception("dilation counted from zero",
                      "Here dilation 1 leaves a gap of one. In PyTorch, TensorFlow and ONNX, and here, it is the "
                      "distance from tap to tap: 1 means no gap. The older counting of CS231n's text calls that 0.",
                      lambda x, w, b, d: F.conv2d(x, w, b, dilation=d + 1)),
        Misconception("dilation ignored", "With dilation d the taps of the filter lie d inputs apart.",
                      lambda x, w, b, d: F.conv2d(x, w, b), also=(mistakes.gaps_in_the_size_only,)),
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
        Misconception("span of the filter miscounted",
                      "The windows do not fit: the span of the filter, the size of the output and the step of the "
                      "slice do not belong together. Draw one row of three taps with dilation 3. How many inputs do "
                      "they span, and where can the first tap lie?",
                      mistakes.span_too_short, also=(mistakes.span_too_short_by_index,)),
        Misconception("one row and column too few",
                      "The size of the output is the input's size less the span of the filter, plus one: the first "
                      "position counts too.",
                      lambda x, w, b, d: F.conv2d(x, w, b, dilation=d)[:, :, :-1, :-1]),
        Misconception("only square kernels",
                      "A kernel has a height and a width, and each spans its own number of inputs. Here one of them "
                      "seems to be used for both.",
                      mistakes.only_square_kernels),
        Misconception("gaps filled with copies",
                      "Between the taps nothing is multiplied: the inputs in the gaps are not used. Here each tap is "
                      "repeated.",
                      mistakes.filled),
        Misconception("padded to keep the size",
                      "There is no padding in this exercise: the result is smaller than the input, by the span of the "
                      "filter less one.",
                      lambda x, w, b, d: F.conv2d(x, w, b, dilation=d, padding="same")),
        Misconception(*FLIPPED, lambda x, w, b, d: F.conv2d(x, np.flip(w, (2, 3)), b, dilation=d)),
        Misconception(*NO_BIAS, lambda x, w, b, d: F.conv2d(x, w, dilation=d)),
        Misconception(*ONE_BIAS, lambda x, w, b, d: F.conv2d(x, w, b[:1].repeat(len(b)), dilation=d)),
        Misconception(*MANY_BIASES, lambda x, w, b, d: F.conv2d(x, w, b * b.dtype.type(x.shape[1]), dilation=d)),
        Misconception(*ONE_FILTER, lambda x, w, b, d: F.conv2d(x, w[:1].repeat(len(w), axis=0), b, dilation=d)),
        Misconception(*FIRST_CHANNEL, lambda x, w, b, d: F.conv2d(x[:, :1], w[:, :1], b, dilation=d)),
        Misconception(*LAST_CHANNEL, lambda x, w, b, d: F.conv2d(x[:, -1:], w[:, -1:], b, dilation=d)),
        Misconception(*ONE_SAMPLE, lambda x, w, b, d: F.conv2d(x[:1].repeat(len(x), axis=0), w, b, dilation=d),
                      also=(lambda x, w, b, d: F.conv2d(x[:1], w, b, dilation=d),)),
    )
    hints = (
        "Three taps with dilation 2 touch the inputs 0, 2 and 4. How many inputs do they span?",
        "It is the layer that you wrote, with two changes: the span of the filter in the output size, and a step in "
        "the slice of the window.",
        "A slice start : start + span : dilation takes every dilation-th input. With span d (F - 1) + 1 it has exactly "
        "F entries.",
    )
