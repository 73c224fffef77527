"""The convolutional layer, written as it is defined."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.exercises import words
from autograder.exercises.local_connectivity import forms
from autograder.exercises.local_connectivity.common import NOTEBOOK, layer_cases
from autograder.exercises.local_connectivity.forms import AT_ONCE, LOOPS, OUTPUT_ROWS_AND_COLUMNS, SUM, WITHOUT_BIAS
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F


def _of_window(value: str) -> Written:
    """Something else than the sum of the products of window and filter."""
    return LOOPS.edited({SUM: value})


def _carried_over(axes: int) -> Written:
    """The sum goes on from window to window, through the last so many axes of the output."""
    return WITHOUT_BIAS.returning(
        f"out.reshape(*out.shape[:{4 - axes}], -1).cumsum(axis=-1).reshape(out.shape) + bias[:, None, None]")


SPREAD = LOOPS.edited({"top : top + KH, left : left + KW":
                       "top : top + stride * KH : stride, left : left + stride * KW : stride"})
"""Windows whose inputs lie one stride apart."""


@exercise("conv2d_forward", notebook=NOTEBOOK, points=5)
class Conv2dForward:
    """A convolutional layer: slide every filter over the padded input.

    x has shape (N, C, H, W), weight (K, C, KH, KW), bias (K,); stride and padding are whole numbers for both axes.
    Return an array of shape (N, K, OH, OW) whose entry (n, k, i, j) is the dot product of filter k with the window of
    padded sample n at row i * stride and column j * stride, plus bias[k]. Sizes are rounded down.
    """

    def conv2d_forward(x, weight, bias, stride, padding):
        return F.conv2d(x, weight, bias, stride=stride, padding=padding)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        return layer_cases(rng, "conv2d_forward")

    misconceptions = (
        *forms.of_layers("conv2d_forward"),
        *forms.of_channels(AT_ONCE, "conv2d_forward"),
        Misconception(*words.BIAS_PER_WEIGHT, AT_ONCE.given("bias = bias * weight[0].size")),
        Misconception(*words.BIAS_ALONG_WIDTH, WITHOUT_BIAS.returning("out + bias")),
        Misconception(*words.BIAS_ALONG_HEIGHT, WITHOUT_BIAS.returning("out + bias[:, None]")),
        Misconception("one channel for each filter",
                      "The filter spans the full depth. Here filter k meets a single channel, that of the same number; "
                      "such layers exist, they are called depthwise, but this is not one.",
                      _of_window("np.sum(window[k % C] * weight[k, k % C])"),
                      also=(_of_window("np.sum(window[k] * weight[k, k])"),)),
        Misconception("only the last product counts",
                      "A dot product adds up all products of the window. Here each one replaces the one before: look "
                      "at where `=` stands and `+=` should.",
                      _of_window("(window * weight[k])[-1, -1, -1]")),
        Misconception("sum not started anew",
                      "Every output is a sum of its own. Here the sum of one window goes on into the next: where is it "
                      "set to zero?",
                      _carried_over(2), also=tuple(_carried_over(axes) for axes in (1, 3, 4))),
        Misconception("matrix product of window and filter",
                      "The layer multiplies number by number at the same place and adds up. The operator @ and np.dot "
                      "multiply rows by columns.",
                      _of_window("np.sum(window @ weight[k])"),
                      also=(_of_window("np.sum(np.dot(window, weight[k]))"),)),
        Misconception(*words.PADDING_BEFORE_ONLY, forms.padded("(padding, 0)"),
                      detail="Or the output's size counts them once, which leaves out the windows that reach the other "
                             "sides."),
        Misconception(*words.PADDING_AFTER_ONLY, forms.padded("(0, padding)")),
        Misconception(*words.PADDING_ON_ONE_SIDE, forms.padded("(2 * padding, 0)"),
                      also=(forms.padded("(0, 2 * padding)"),)),
        Misconception(*words.ROWS_PADDED_ONLY, forms.padded("(padding, padding)", "(0, 0)")),
        Misconception(*words.COLUMNS_PADDED_ONLY, forms.padded("(0, 0)", "(padding, padding)")),
        Misconception(*words.STRIDE_ALONG_ROWS_ONLY, AT_ONCE.given("stride = stride, 1")),
        Misconception(*words.STRIDE_ALONG_COLUMNS_ONLY, AT_ONCE.given("stride = 1, stride")),
        Misconception(*words.STRIDE_NOT_IN_POSITION, forms.window_at("i, j"),
                      detail="The size of the output is right."),
        Misconception("stride missing in the window's column",
                      "The rows of the window are right. But the window of output (i, j) starts at column j * stride.",
                      forms.window_at("i * stride, j")),
        Misconception("stride missing in the window's row",
                      "The columns of the window are right. But the window of output (i, j) starts at row i * stride.",
                      forms.window_at("i, j * stride")),
        Misconception(*words.KERNEL_AS_STRIDE, forms.window_at("i * KH, j * KW")),
        Misconception("stride applied to the kernel",
                      "The stride moves the window. Inside of the window the inputs are neighbors; gaps between them "
                      "are a matter of dilation.",
                      SPREAD.edited({"i * stride, j * stride": "i, j"}), also=(SPREAD,)),
        Misconception(*words.ONE_ROW_AND_COLUMN_FEWER, AT_ONCE.returning("out[:, :, :-1, :-1]")),
        Misconception(*words.SQUARE_INPUTS, LOOPS.edited({"out = np.zeros": "OW = OH; out = np.zeros"}),
                      also=(LOOPS.edited({"(W + ": "(H + "}), LOOPS.edited({"H, W = x.shape": "W, H = x.shape"}),
                            *(LOOPS.edited({OUTPUT_ROWS_AND_COLUMNS: f"np.ndindex(N, K, {turns})"})
                              for turns in ("OH, OH", "OW, OW", "OW, OH")))),
        Misconception("rows and columns of the output swapped",
                      "Row i of the output belongs to row i * stride of the input, column j to column j * stride. Here "
                      "they have changed places, in the window or where the result is written.",
                      LOOPS.edited({"out[n, k, i, j]": "out[n, k, j, i]"}),
                      also=(forms.window_at("j * stride, i * stride"),)),
        Misconception(*words.SQUARE_KERNELS, LOOPS.edited({"left + KW": "left + KH"}),
                      also=(LOOPS.edited({"top + KH": "top + KW"}), LOOPS.edited({"K, C, KH, KW =": "K, C, KW, KH ="})),
                      detail="They are weight.shape[2] and weight.shape[3]."),
        Misconception(*words.KERNEL_TRANSPOSED, AT_ONCE.given("weight = weight.swapaxes(2, 3)"),
                      also=(_of_window("sum(window[:, u, v] @ weight[k, :, v, u] for u, v in np.ndindex(KH, KW))"),)),
        Misconception(*words.MEAN_INSTEAD_OF_SUM, AT_ONCE.given("weight = weight / weight[0].size"),
                      also=(AT_ONCE.given("weight = weight / weight[0, 0].size"),)),
        Misconception(*words.CHANNELS_AVERAGED, AT_ONCE.given("weight = weight / weight.shape[1]")),
        Misconception("negative outputs cut off",
                      "The activation is a layer of its own and comes after this one: negative outputs are kept here.",
                      AT_ONCE.returning("np.maximum(out, 0)")),
    )
    hints = (
        "Start with one output number: which sample, which filter, which block of the padded input? You wrote a "
        "function for that block.",
        "Four nested loops, over samples, filters, rows and columns of the output, each time one sum of products plus "
        "a bias. Make the array of zeros first: its size is another function that you wrote.",
        "Inside of the loops take the window of the padded sample that starts at (i * stride, j * stride), with all "
        "channels and the kernel's height and width; multiply it by filter k entry by entry, sum up, add bias[k].",
    )
