"""What one convolutional layer costs."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from autograder.exercises import words
from autograder.exercises.architectures.patterns import NOTEBOOK
from autograder.exercises.making import in_answer
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse.layers import Conv2d


def _parameters(in_channels, out_channels, kernel_size, groups):
    """A right answer, of which wrong ones are edits."""
    (down, right), depth = kernel_size, in_channels // groups
    return out_channels * (depth * down * right + 1)


def _work(in_shape, out_channels, kernel_size, stride, padding, groups):
    """A right answer, of which wrong ones are edits."""
    (channels, height, width), (down, right) = in_shape, kernel_size
    rows = (height + 2 * padding - down) // stride + 1
    columns = (width + 2 * padding - right) // stride + 1
    return out_channels * (channels // groups) * down * right * rows * columns


COUNT, WORK = Written.of(_parameters), Written.of(_work)


@exercise("convolution_cost", notebook=NOTEBOOK, points=3,
          answers=("convolution_parameters", "convolution_multiply_adds"), tolerance=1e-12)
class ConvolutionCost:
    """Parameters and multiply-adds of one convolutional layer.

    `kernel_size` is a pair (height, width). With `groups` greater than 1 channels and filters are dealt out to that
    many groups, and a filter sees the channels of its own group only. `in_shape` is (channels, height, width). Sizes
    are rounded down. Parameters include one bias for each filter; multiply-adds are counted without biases.
    """

    def convolution_parameters(in_channels, out_channels, kernel_size, groups):
        shapes = Conv2d(out_channels, kernel_size, groups=groups).parameter_shapes((in_channels, *kernel_size))
        return sum(math.prod(shape) for shape in shapes.values())

    def convolution_multiply_adds(in_shape, out_channels, kernel_size, stride, padding, groups):
        return Conv2d(out_channels, kernel_size, stride, padding, groups=groups).multiply_adds(in_shape)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        layers = (
            ("one channel, one filter", (1, 7, 7), 1, (3, 3), 1, 0, 1),
            ("a color picture", (3, 8, 8), 5, (3, 3), 1, 1, 1),
            ("AlexNet's first layer", (3, 227, 227), 96, (11, 11), 4, 0, 1),
            ("AlexNet's second layer, two groups", (96, 27, 27), 256, (5, 5), 1, 2, 2),
            ("taller than wide, stride 2", (4, 21, 9), 6, (3, 3), 2, 1, 1),
            ("a kernel wider than tall", (2, 10, 12), 3, (1, 5), 1, 0, 1),
            ("a kernel taller than wide, stride 2, padding 2", (6, 9, 15), 4, (4, 3), 2, 2, 2),
            ("depthwise: as many groups as channels", (8, 12, 10), 8, (3, 3), 1, 1, 8),
            ("two filters for each channel", (5, 12, 7), 10, (3, 5), 2, 2, 5),
            ("more channels than filters", (64, 14, 11), 16, (1, 1), 1, 0, 1),
        )
        groups, channels, filters = (int(n) for n in rng.integers([2, 2, 5], [4, 5, 8]))
        height, width = (int(n) for n in rng.choice(np.arange(12, 30), 2, replace=False))
        drawn = ("drawn at random", (groups * channels, height, width), groups * filters, (3, 2), 3, 1, groups)
        for name, in_shape, out_channels, kernel, stride, padding, parts in (*layers, drawn):
            yield Case(name, (in_shape[0], out_channels, kernel, parts), "convolution_parameters")
            yield Case(name, (in_shape, out_channels, kernel, stride, padding, parts), "convolution_multiply_adds")

    misconceptions = (
        Misconception(*words.BIASES_FORGOTTEN, COUNT.edited({" + 1": ""})),
        Misconception(*words.BIAS_FOR_EACH_CHANNEL,
                      COUNT.edited({"(depth * down * right + 1)": "depth * (down * right + 1)"}),
                      also=(COUNT.edited({" + 1)": ") + in_channels"}),)),
        Misconception(*words.ONE_BIAS, COUNT.edited({" + 1)": ") + 1"})),
        Misconception(*words.GROUPS_IGNORED, COUNT.edited({" // groups": ""})),
        Misconception(*words.GROUPS_TWICE, COUNT.edited({" + 1)": ") // groups + out_channels"}),
                      also=(COUNT.edited({"out_channels * ": "out_channels // groups * "}),),
                      detail="With two groups half of the filters see the one half of the channels, half the other."),
        Misconception("biases divided by the groups", "Groups change what a filter sees. It has its bias all the same.",
                      COUNT.edited({" + 1)": ") + out_channels // groups"})),
        Misconception(*words.SQUARE_KERNELS, COUNT.edited({"down * right": "down * down"}),
                      also=(COUNT.edited({"down * right": "right * right"}),)),
        Misconception(*words.HEIGHT_AND_WIDTH_ADDED, COUNT.edited({"down * right": "(down + right)"})),
        Misconception(*words.DEPTH_FORGOTTEN, COUNT.edited({"depth * down": "down"})),
        Misconception("out_channels forgotten", "That is one filter; the layer has several.",
                      COUNT.edited({"out_channels * ": ""}), also=(COUNT.edited({"out_channels * ": "", " + 1": ""}),)),
        Misconception("groups counted once more",
                      "The sum over the groups is in the number of filters already: `out_channels` counts all of them.",
                      COUNT.edited({"out_channels * ": "groups * out_channels * "})),
        *in_answer(
            "convolution_multiply_adds",
            Misconception(*words.WORK_WITHOUT_POSITIONS, WORK.edited({" * rows * columns": ""})),
            Misconception(*words.AT_INPUT_POSITIONS, WORK.edited({"rows * columns": "height * width"})),
            Misconception(*words.BIASES_AS_WORK, WORK.edited({"return ": "return out_channels * rows * columns + "})),
            Misconception(*words.STRIDE_IGNORED, WORK.given("stride = 1")),
            Misconception(*words.PADDING_IGNORED, WORK.given("padding = 0")),
            Misconception(*words.PADDING_COUNTED_ONCE, WORK.given("padding /= 2")),
            Misconception(*words.ROUNDED_UP, WORK.edited({"down) // stride": "down + stride - 1) // stride",
                                                          "right) // stride": "right + stride - 1) // stride"})),
            Misconception(*words.NOT_ROUNDED, WORK.edited({"down) //": "down) /", "right) //": "right) /"})),
            Misconception(*words.ONE_FORGOTTEN, WORK.edited({"down) // stride + 1": "down) // stride",
                                                             "right) // stride + 1": "right) // stride"})),
            Misconception(*words.SQUARE_INPUTS, WORK.edited({"rows * columns": "rows * rows"}),
                          also=(WORK.edited({"rows * columns": "columns * columns"}),)),
            Misconception(*words.GROUPS_IGNORED, WORK.edited({"channels // groups": "channels"})),
            Misconception(*words.GROUPS_TWICE, WORK.edited({"// groups)": "// groups) // groups"})),
            Misconception(*words.DEPTH_FORGOTTEN, WORK.edited({" * (channels // groups)": ""})),
            Misconception("one map only", "Every filter makes a map of its own, and each map costs the same.",
                          WORK.edited({"out_channels * ": ""})),
            Misconception(*words.SQUARE_KERNELS, WORK.edited({"down * right": "down * down"}),
                          also=(WORK.edited({"down * right": "right * right"}),)),
            Misconception(*words.KERNEL_SWAPPED, WORK.edited({"(down, right)": "(right, down)"})),
            Misconception(*words.COUNTED_APART, WORK.edited({"return ": "return 2 * "})),
        ),
    )
    hints = (
        "How many numbers does one filter consist of? With groups it is less deep than the input.",
        "Parameters: filters times the numbers of one filter, and the biases. For the work count the numbers of the "
        "output first: channels, height and width. Each is one dot product.",
        "One filter has (in_channels / groups) * height * width weights. An output map has ((H - F + 2 * P) // S + 1) "
        "rows, columns likewise; its numbers cost one multiply-add for each weight of the filter.",
    )
