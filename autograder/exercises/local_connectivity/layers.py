"""The convolutional layer, written as it is defined."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.exercises.local_connectivity import mistakes
from autograder.exercises.local_connectivity.common import (
    BIAS_ALONG_HEIGHT,
    BIAS_ALONG_WIDTH,
    BIAS_PER_TAP,
    FIRST_CHANNEL,
    LAST_CHANNEL,
    LAST_PRODUCT,
    MANY_BIASES,
    NOTEBOOK,
    ONE_SAMPLE,
    layer_cases,
    layer_misconceptions,
)
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F


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
        *layer_misconceptions("conv2d_forward"),
        Misconception(*MANY_BIASES,
                      lambda x, w, b, s, p: F.conv2d(x, w, b * b.dtype.type(x.shape[1]), stride=s, padding=p)),
        Misconception(*BIAS_PER_TAP,
                      lambda x, w, b, s, p: F.conv2d(x, w, b * b.dtype.type(w[0].size), stride=s, padding=p)),
        Misconception(*BIAS_ALONG_WIDTH, lambda x, w, b, s, p: F.conv2d(x, w, stride=s, padding=p) + b),
        Misconception(*BIAS_ALONG_HEIGHT, lambda x, w, b, s, p: F.conv2d(x, w, stride=s, padding=p) + b[:, None]),
        Misconception(*FIRST_CHANNEL, lambda x, w, b, s, p: F.conv2d(x[:, :1], w[:, :1], b, stride=s, padding=p)),
        Misconception(*LAST_CHANNEL, lambda x, w, b, s, p: F.conv2d(x[:, -1:], w[:, -1:], b, stride=s, padding=p)),
        Misconception("one channel for each filter",
                      "The filter spans the full depth. Here filter k meets a single channel, that of the same number; "
                      "such layers exist, they are called depthwise, but this is not one.",
                      mistakes.looped(value=lambda window, weight, bias, k: np.sum(
                          window[k % len(window)] * weight[k, k % len(window)]) + bias[k]),
                      also=(mistakes.looped(value=lambda window, weight, bias, k: np.sum(
                          window[k] * weight[k, k]) + bias[k]),)),
        Misconception(*LAST_PRODUCT, mistakes.last_product),
        Misconception("sum not started anew",
                      "Every output is a sum of its own. Here the sum of one window goes on into the next: where is it "
                      "set to zero?",
                      mistakes.carried_over(2), also=tuple(mistakes.carried_over(axes) for axes in (1, 3, 4))),
        Misconception("matrix product of window and filter",
                      "The layer multiplies number by number at the same place and adds up. The operator @ and np.dot "
                      "multiply rows by columns.",
                      mistakes.looped(value=lambda window, weight, bias, k: np.sum(window @ weight[k]) + bias[k]),
                      also=(mistakes.looped(value=lambda window, weight, bias, k: np.sum(
                          np.dot(window, weight[k])) + bias[k]),)),
        Misconception("padding before only",
                      "The zeros come on all four sides of the picture. Here they are above and to the left only, or "
                      "the output's size counts them once, which leaves out the windows that reach the other sides.",
                      mistakes.padded_otherwise(lambda p: (p, 0))),
        Misconception("padding after only",
                      "The zeros come on all four sides of the picture; here they are below and to the right only.",
                      mistakes.padded_otherwise(lambda p: (0, p))),
        Misconception("all padding on one side",
                      "The padded input has the right size, but the picture has to lie in its middle.",
                      mistakes.padded_otherwise(lambda p: (2 * p, 0)),
                      also=(mistakes.padded_otherwise(lambda p: (0, 2 * p)),)),
        Misconception("rows padded only",
                      "The zeros come on all four sides of the picture; here there are none to the left and right.",
                      mistakes.padded_otherwise(lambda p: (p, p), lambda p: (0, 0))),
        Misconception("columns padded only",
                      "The zeros come on all four sides of the picture; here there are none above and below.",
                      mistakes.padded_otherwise(lambda p: (0, 0), lambda p: (p, p))),
        Misconception("stride along the rows only",
                      "The window moves by the stride along both axes; here it moves by one along the columns.",
                      lambda x, w, b, s, p: F.conv2d(x, w, b, stride=(s, 1), padding=p)),
        Misconception("stride along the columns only",
                      "The window moves by the stride along both axes; here it moves by one along the rows.",
                      lambda x, w, b, s, p: F.conv2d(x, w, b, stride=(1, s), padding=p)),
        Misconception("stride missing in the window's position",
                      "The size of the output is right. But the window of output (i, j) starts at row i * stride and "
                      "column j * stride of the padded input.",
                      mistakes.stride_not_in_position(down=True, across=True)),
        Misconception("stride missing in the window's column",
                      "The rows of the window are right. But the window of output (i, j) starts at column j * stride.",
                      mistakes.stride_not_in_position(down=False, across=True)),
        Misconception("stride missing in the window's row",
                      "The columns of the window are right. But the window of output (i, j) starts at row i * stride.",
                      mistakes.stride_not_in_position(down=True, across=False)),
        Misconception("the kernel size used as stride",
                      "The window of output (i, j) starts at row i * stride. Windows that start at i times the "
                      "kernel's height never overlap, whatever the stride.",
                      mistakes.looped(corner=lambda i, j, stride, kernel: (i * kernel[0], j * kernel[1]))),
        Misconception("stride applied to the kernel",
                      "The stride moves the window. Inside of the window the inputs are neighbors; gaps between them "
                      "are a matter of dilation.",
                      mistakes.looped(corner=lambda i, j, stride, kernel: (i, j), step=lambda stride: stride),
                      also=(mistakes.looped(step=lambda stride: stride),)),
        Misconception("one row and column too few",
                      "The size of the output is the number of steps plus one: before its first step the window has a "
                      "position too.",
                      mistakes.one_fewer),
        Misconception("only square inputs",
                      "Height and width are two numbers. Here one of them seems to be used for the other.",
                      mistakes.WIDTH_BY_HEIGHT[0], also=mistakes.WIDTH_BY_HEIGHT[1:]),
        Misconception("rows and columns of the output swapped",
                      "Row i of the output belongs to row i * stride of the input, column j to column j * stride. Here "
                      "they have changed places, in the window or where the result is written.",
                      mistakes.looped(entry=lambda n, k, i, j: (n, k, j, i)),
                      also=(mistakes.looped(corner=lambda i, j, stride, kernel: (j * stride, i * stride)),)),
        Misconception("only square kernels",
                      "A kernel has a height and a width, weight.shape[2] and weight.shape[3]. Here one of them seems "
                      "to be used for both.",
                      mistakes.SQUARE_KERNELS[0], also=mistakes.SQUARE_KERNELS[1:]),
        Misconception("kernel transposed",
                      "Row r of the filter meets row r of the window. Here rows and columns of the filter are swapped.",
                      lambda x, w, b, s, p: F.conv2d(x, w.swapaxes(2, 3), b, stride=s, padding=p),
                      also=(mistakes.taps_out_of_range,)),
        Misconception("mean instead of sum",
                      "A dot product is a sum of products; it is not divided by their number.",
                      lambda x, w, b, s, p: mistakes.scaled(x, w, b, s, p, w[0].size),
                      also=(lambda x, w, b, s, p: mistakes.scaled(x, w, b, s, p, w[0, 0].size),)),
        Misconception("channels averaged",
                      "The contributions of the channels are summed, not averaged.",
                      lambda x, w, b, s, p: mistakes.scaled(x, w, b, s, p, w.shape[1])),
        Misconception(*ONE_SAMPLE, mistakes.first_sample_only,
                      also=(mistakes.only_first_sample,
                            lambda x, w, b, s, p: F.conv2d(x[:1], w, b, stride=s, padding=p))),
        Misconception("negative outputs cut off",
                      "The activation is a layer of its own and comes after this one: negative outputs are kept here.",
                      lambda x, w, b, s, p: F.relu(F.conv2d(x, w, b, stride=s, padding=p))),
    )
    hints = (
        "Start with one output number: which sample, which filter, which block of the padded input? You wrote a "
        "function for that block.",
        "Four nested loops, over samples, filters, rows and columns of the output, each time one sum of products plus "
        "a bias. Make the array of zeros first: its size is another function that you wrote.",
        "Inside of the loops take the window of the padded sample that starts at (i * stride, j * stride), with all "
        "channels and the kernel's height and width; multiply it by filter k entry by entry, sum up, add bias[k].",
    )
