"""Layers with 1x1 filters, and with gaps in the filter."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.exercises import words
from autograder.exercises.local_connectivity import forms
from autograder.exercises.local_connectivity.common import NOTEBOOK, draw_layer
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F

POINTWISE = Written("""
    def conv1x1(x, weight, bias):
        N, C, H, W = x.shape
        out = np.einsum("kc,nchw->nkhw", weight, x) + bias[:, None, None]
        return out
    """)
PRODUCT = 'np.einsum("kc,nchw->nkhw", weight, x)'
DILATED = Written("""
    def dilated_conv2d(x, weight, bias, dilation):
        out = F.conv2d(x, weight, bias, dilation=dilation)
        return out
    """)
DILATED_LOOPS = Written("""
    def dilated_conv2d(x, weight, bias, dilation):
        N, C, H, W = x.shape
        K, C, KH, KW = weight.shape
        down, across = dilation * (KH - 1) + 1, dilation * (KW - 1) + 1
        out = np.zeros((N, K, H - down + 1, W - across + 1))
        for n, k, i, j in np.ndindex(out.shape):
            window = x[n, :, i : i + down : dilation, j : j + across : dilation]
            out[n, k, i, j] = np.sum(window * weight[k]) + bias[k]
        return out
    """)


def _fails_if(condition: str, error: str) -> Written:
    """A dilated layer whose shapes do not go together in some cases."""
    return DILATED.given(f"if {condition}: raise {error}")


@exercise("conv1x1", notebook=NOTEBOOK, points=2)
class Conv1x1:
    """A convolution with 1x1 filters: the same small matrix applied to every pixel.

    x has shape (N, C, H, W), weight (K, C), bias (K,). Return shape (N, K, H, W): at each pixel, channel k of the
    result is the dot product of weight[k] with the C channels of that pixel, plus bias[k].
    """

    def conv1x1(x, weight, bias):
        return F.conv2d(x, np.ascontiguousarray(weight)[:, :, None, None], bias)

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
        *forms.of_parameters(POINTWISE, "conv1x1"),
        *forms.of_channels(POINTWISE, "conv1x1"),
        Misconception(*words.BIAS_ALONG_WIDTH, POINTWISE.edited({"bias[:, None, None]": "bias"})),
        Misconception(*words.BIAS_ALONG_HEIGHT, POINTWISE.edited({"bias[:, None, None]": "bias[:, None]"})),
        Misconception("channels and pixels mixed",
                      "A reshape keeps the order of the entries, and in NCHW a channel's pixels come before the next "
                      "channel: the channel axis has to be moved, not reshaped away.",
                      POINTWISE.returning("(x.reshape(N, H * W, C) @ weight.T + bias).reshape(N, len(weight), H, W)"),
                      also=(POINTWISE.returning("out.transpose(0, 2, 3, 1).reshape(out.shape)"),)),
        Misconception("weight transposed",
                      "The filters are the rows of the weight, of shape (K, C): weight[k, c] belongs to filter k and "
                      "channel c.",
                      POINTWISE.edited({'"kc,': '"ck,'}),
                      also=(POINTWISE.edited({PRODUCT: "np.stack([sum(weight[c, k] * x[:, c] for c in range(C))"
                                                       " for k in range(len(weight))], axis=1)"}),)),
        Misconception("channels last in the result",
                      "The result is NCHW like the input: the filters' axis comes second, not last.",
                      POINTWISE.returning("out.transpose(0, 2, 3, 1)")),
        Misconception(*words.CHANNELS_AVERAGED, POINTWISE.given("weight = weight / weight.shape[1]")),
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
        *forms.of_parameters(DILATED, "dilated_conv2d"),
        *forms.of_channels(DILATED, "dilated_conv2d"),
        Misconception("dilation counted from zero",
                      "Here dilation 1 leaves a gap of one. In PyTorch, TensorFlow and ONNX, and here, it is the "
                      "distance from tap to tap: 1 means no gap. The older counting of CS231n's text calls that 0.",
                      DILATED.given("dilation = dilation + 1")),
        Misconception("dilation ignored", "With dilation d the taps of the filter lie d inputs apart.",
                      DILATED.given("dilation = 1"),
                      also=(DILATED_LOOPS.edited({"i : i + down : dilation, j : j + across : dilation":
                                                  "i : i + KH, j : j + KW"}),)),
        Misconception("dilation used as stride",
                      "Dilation spreads the taps of the filter. The window itself still moves by one: it is the stride "
                      "that would skip positions.",
                      DILATED.edited({"dilation=dilation": "stride=dilation"})),
        Misconception("dilation and stride together",
                      "The taps are spread rightly, but the window has to stop at every position: stride 1.",
                      DILATED.edited({"dilation=dilation": "stride=dilation, dilation=dilation"})),
        Misconception("dilation along the rows only", "The taps are spread along both axes.",
                      DILATED.given("dilation = dilation, 1")),
        Misconception("dilation along the columns only", "The taps are spread along both axes.",
                      DILATED.given("dilation = 1, dilation")),
        Misconception("span counted as d F",
                      "F taps have F - 1 steps of d between them: they span d (F - 1) + 1 inputs, not d F. The last "
                      "positions are missing.",
                      DILATED_LOOPS.edited({"H - down + 1": "H - dilation * KH + 1",
                                            "W - across + 1": "W - dilation * KW + 1"})),
        Misconception("span of the filter miscounted",
                      "The windows do not fit: the span of the filter, the size of the output and the step of the "
                      "slice do not belong together. Draw one row of three taps with dilation 3. How many inputs do "
                      "they span, and where can the first tap lie?",
                      _fails_if("dilation > 1 and weight[0, 0].size > 1", "ValueError"),
                      also=(_fails_if("dilation > 1 and weight[0, 0].size > 1", "IndexError"),)),
        Misconception(*words.ONE_ROW_AND_COLUMN_FEWER, DILATED.returning("out[:, :, :-1, :-1]"),
                      detail="The size of the output is the input's size less the span of the filter, plus one."),
        Misconception(*words.SQUARE_KERNELS, _fails_if("weight.shape[2] != weight.shape[3]", "ValueError"),
                      detail="Each spans its own number of inputs."),
        Misconception("gaps filled with copies",
                      "Between the taps nothing is multiplied: the inputs in the gaps are not used. Here each tap is "
                      "repeated.",
                      DILATED.given("weight, dilation = weight.repeat(dilation, axis=2).repeat(dilation, axis=3), 1")),
        Misconception("padded to keep the size",
                      "Nothing is padded here: the window stays within the input, and the result is smaller than it.",
                      DILATED.edited({"dilation=dilation": "dilation=dilation, padding='same'"}),
                      detail="It is smaller by the span of the filter less one."),
        Misconception(*words.FLIPPED, DILATED.given("weight = np.flip(weight, (2, 3))"), detail=forms.FLIPPED_DETAIL),
    )
    hints = (
        "Three taps with dilation 2 touch the inputs 0, 2 and 4. How many inputs do they span?",
        "It is the layer that you wrote, with two changes: the span of the filter in the output size, and a step in "
        "the slice of the window.",
        "A slice start : start + span : dilation takes every dilation-th input. With span d (F - 1) + 1 it has exactly "
        "F entries.",
    )
