"""Blocks that save work: the bottleneck, and depthwise separable convolution."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.exercises import words
from autograder.exercises.architectures.patterns import NOTEBOOK
from autograder.exercises.making import in_answer
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse.layers import Add, BatchNorm2d, Conv2d
from cnncourse.network import Network


def _bottleneck(in_channels: int, middle: int, height: int, width: int, stride: int, version: str) -> Network:
    first, second = (stride, 1) if version == "v1" else (1, stride)
    network = Network((in_channels, height, width))

    def convolution(filters: int, size: int, step: int, reads: str) -> str:
        name = network.add(Conv2d(filters, size, stride=step, padding=size // 2, bias=False), reads)
        return network.add(BatchNorm2d(), name)

    last = convolution(4 * middle, 1, 1, convolution(middle, 3, second, convolution(middle, 1, first, "input")))
    straight = stride == 1 and in_channels == 4 * middle
    network.add(Add(), last, "input" if straight else convolution(4 * middle, 1, stride, "input"))
    return network


def _parameters(in_channels, middle, stride):
    """A right answer, of which wrong ones are edits."""
    wide = 4 * middle
    layers = [(middle, in_channels, 1), (middle, middle, 3), (wide, middle, 1)]
    if stride > 1 or in_channels != wide:
        layers.append((wide, in_channels, 1))
    return sum(filters * (depth * side * side + 2) for filters, depth, side in layers)


def _work(in_channels, middle, height, width, stride, version):
    """A right answer, of which wrong ones are edits."""
    wide = 4 * middle
    positions = ((height - 1) // stride + 1) * ((width - 1) // stride + 1)
    at_first = height * width if version == "v1.5" else positions
    work = middle * in_channels * at_first + 9 * middle * middle * positions + wide * middle * positions
    if stride > 1 or in_channels != wide:
        work += wide * in_channels * positions
    return work


COUNT, WORK = Written.of(_parameters), Written.of(_work)


@exercise("bottleneck_cost", notebook=NOTEBOOK, points=4,
          answers=("bottleneck_parameters", "bottleneck_multiply_adds"), tolerance=1e-12)
class BottleneckCost:
    """What a bottleneck block of a residual network costs.

    Three convolutions without biases: 1x1 from `in_channels` to `middle`, 3x3 with padding 1 from `middle` to `middle`,
    1x1 from `middle` to 4 * middle. Batch norm follows each and learns two numbers for each of its channels. The
    shortcut is straight if the stride is 1 and in_channels equals 4 * middle; otherwise it is a 1x1 convolution to
    4 * middle channels with the block's stride, without bias, with batch norm. The block's stride is that of its first
    1x1 convolution if `version` is "v1", and of its 3x3 convolution if it is "v1.5". Multiply-adds are those of the
    convolutions; the height and the width of the input need not be divisible by the stride.
    """

    def bottleneck_parameters(in_channels, middle, stride):
        return _bottleneck(in_channels, middle, stride, stride, stride, "v1").parameter_count()

    def bottleneck_multiply_adds(in_channels, middle, height, width, stride, version):
        return _bottleneck(in_channels, middle, height, width, stride, version).multiply_adds()

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        middle = int(rng.integers(5, 20))
        height, width = (int(n) for n in rng.choice(np.arange(9, 30), 2, replace=False))
        blocks = (
            ("straight shortcut", 256, 64, 56, 56, 1), ("the first block of ResNet-50", 64, 64, 56, 56, 1),
            ("stride 2", 256, 128, 56, 56, 2), ("stride 2, as many channels", 32, 8, 12, 20, 2),
            ("taller than wide, odd sizes, stride 2", 12, 4, 15, 7, 2), ("stride 3", 10, 6, 11, 17, 3),
            ("wider than tall, straight", 20, 5, 6, 13, 1),
            ("drawn at random, stride 2", 3 * middle, middle, height, width, 2),
            ("drawn at random, straight", 4 * middle, middle, height, width, 1),
        )
        for name, c, m, h, w, s in blocks:
            yield Case(name, (c, m, s), "bottleneck_parameters")
            for version in ("v1", "v1.5"):
                yield Case(f"{name}, {version}", (c, m, h, w, s, version), "bottleneck_multiply_adds")

    misconceptions = (
        Misconception("batch norm forgotten", "Batch norm learns a scale and a shift for each of its channels.",
                      COUNT.edited({" + 2": ""})),
        Misconception("one number for batch norm",
                      "Batch norm learns two numbers for each channel: a scale and a shift.",
                      COUNT.edited({" + 2": " + 1"})),
        Misconception("biases added", "Convolutions before batch norm have no biases: its shift does their work.",
                      COUNT.edited({" + 2": " + 3"})),
        Misconception("four numbers for batch norm",
                      "Running means and variances are remembered, not learned: they are no parameters.",
                      COUNT.edited({" + 2": " + 4"})),
        Misconception("batch norm of the channels before",
                      "Batch norm comes after the convolution: it has the channels that the convolution gives.",
                      COUNT.edited({"filters * (depth * side * side + 2)": "depth * (filters * side * side + 2)"}),
                      also=(COUNT.edited({"in layers)": "in layers) - 2 * (wide - in_channels) * bool(layers[3:])"}),)),
        Misconception("shortcut's convolution forgotten",
                      "Where the shortcut cannot be straight, its 1x1 convolution has weights too.",
                      COUNT.edited({"in layers)": "in layers[:3])"})),
        Misconception("shortcut never straight", "A straight shortcut has no parameters, and multiplies nothing.",
                      COUNT.edited({"if stride > 1 or in_channels != wide": "if True"})),
        Misconception("shortcut decided by the channels alone",
                      "With a stride the block's output is smaller than its input, so that the input cannot be added.",
                      COUNT.edited({"stride > 1 or ": ""})),
        Misconception("shortcut decided by the stride alone",
                      "Where the number of channels changes, the input cannot be added as it is either.",
                      COUNT.edited({" or in_channels != wide": ""})),
        Misconception("no batch norm on the shortcut", "The shortcut's convolution is followed by batch norm as well.",
                      COUNT.edited({"in layers)": "in layers) - 2 * wide * bool(layers[3:])"})),
        Misconception("not widened again",
                      "The last 1x1 convolution gives four times as many channels as the middle has.",
                      COUNT.edited({"4 * middle": "middle"})),
        Misconception("the 3x3 at full width",
                      "The 3x3 convolution sits in the bottleneck: `middle` channels in and out.",
                      COUNT.edited({"(middle, middle, 3), (wide, middle, 1)": "(wide, middle, 3), (wide, wide, 1)"}),
                      also=(COUNT.edited({"middle, 3)": "in_channels, 3)"}),)),
        Misconception(*words.KERNEL_NOT_SQUARED, COUNT.edited({"side * side": "side"})),
        *in_answer(
            "bottleneck_multiply_adds",
            Misconception("versions swapped",
                          "v1 is the paper's: its stride is on the first 1x1. v1.5 has it on the 3x3 convolution.",
                          WORK.edited({"==": "!="})),
            Misconception("version ignored",
                          "Where the stride is decides at how many positions the first convolution works.",
                          WORK.edited({'version == "v1.5"': "False"}),
                          also=(WORK.edited({'version == "v1.5"': "True"}),)),
            Misconception(*words.STRIDE_IGNORED,
                          WORK.edited({"((height - 1) // stride + 1) * ((width - 1) // stride + 1)":
                                       "height * width"})),
            Misconception(*words.AT_INPUT_POSITIONS,
                          WORK.edited({"in_channels * at_first": "in_channels * height * width",
                                       "9 * middle * middle * positions": "9 * middle * middle * at_first",
                                       "wide * in_channels * positions": "wide * in_channels * height * width"}),
                          also=(WORK.edited({"in_channels * at_first": "in_channels * height * width",
                                             "9 * middle * middle * positions": "9 * middle * middle * at_first"}),
                                WORK.edited({"9 * middle * middle * positions": "9 * middle * middle * at_first"}))),
            Misconception("shortcut's work at all positions",
                          "The shortcut's convolution has the block's stride too: it gives as many positions as the "
                          "block.",
                          WORK.edited({"wide * in_channels * positions": "wide * in_channels * height * width"})),
            Misconception("shortcut's work forgotten", "Where the shortcut is a convolution, it works too.",
                          WORK.edited({"work += wide": "work += 0"})),
            Misconception("shortcut never straight", "A straight shortcut has no parameters, and multiplies nothing.",
                          WORK.edited({"if stride > 1 or in_channels != wide": "if True"})),
            Misconception("halved sizes rounded down",
                          "(7 - 3 + 2) // 2 + 1 is 4, not 3: with an odd size the first and the last row both count.",
                          WORK.edited({"((height - 1) // stride + 1) * ((width - 1) // stride + 1)":
                                       "(height // stride) * (width // stride)"})),
            Misconception(*words.WORK_WITHOUT_POSITIONS, WORK.given("height = width = 1")),
            Misconception("batch norm counted as work", "Only convolutions are counted here.",
                          WORK.edited({"in_channels * at_first": "(in_channels + 2) * at_first",
                                       "9 * middle * middle": "(9 * middle + 2) * middle",
                                       "wide * middle": "wide * (middle + 2)",
                                       "wide * in_channels": "wide * (in_channels + 2)"})),
            Misconception(*words.SQUARE_INPUTS, WORK.given("width = height"), also=(WORK.given("height = width"),)),
            Misconception(*words.COUNTED_APART, WORK.returning("2 * work")),
        ),
    )
    hints = (
        "List the convolutions as (filters, channels that they see, side): three of them, sometimes four.",
        "Parameters: the weights of the list, and two numbers for each filter. For the work ask of each convolution "
        "how large its *output* is; only one of them depends on the version.",
        "After the stride a side of n is (n - 1) // stride + 1. In v1 all convolutions give outputs of that size; in "
        "v1.5 the first one still gives outputs of the input's size.",
    )


def _separable(c: int, k: int, size: int, height: int, width: int) -> Network:
    network = Network((c, height, width))
    network.add(Conv2d(c, size, padding=size // 2, groups=c))
    network.add(Conv2d(k, 1))
    return network


POINTWISE_FORGOTTEN = (
    "pointwise layer forgotten", "The depthwise layer cannot mix channels: a 1x1 layer follows it, and costs more.")
DEPTHWISE_AS_DEEP = "depthwise filters as deep as the input", "A depthwise filter sees one channel only."
DEPTHWISE_FOR_OUTPUTS = (
    "a depthwise filter for each output channel", "The depthwise layer has as many filters as its input has channels.")
ORDINARY = "one ordinary convolution", "That is the convolution that the two layers stand in for."


@exercise("separable_cost", notebook=NOTEBOOK, points=2,
          answers=("separable_parameters", "separable_multiply_adds"), tolerance=1e-12)
class SeparableCost:
    """What a depthwise separable convolution costs.

    First a depthwise convolution: one square filter of side `kernel_size` for each channel, which sees that channel
    only. Then a pointwise one: `out_channels` filters of 1x1 that see all channels. Both have biases, stride 1, and
    keep height and width.
    """

    def separable_parameters(in_channels, out_channels, kernel_size):
        return _separable(in_channels, out_channels, kernel_size, 1, 1).parameter_count()

    def separable_multiply_adds(in_channels, out_channels, kernel_size, height, width):
        return _separable(in_channels, out_channels, kernel_size, height, width).multiply_adds()

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        c, k, h, w = (int(n) for n in rng.choice(np.arange(9, 60), 4, replace=False))
        layers = (("one channel", 1, 1, 3, 6, 6), ("256 channels", 256, 256, 3, 14, 14),
                  ("more filters than channels", 8, 24, 3, 10, 10), ("fewer filters than channels", 30, 7, 5, 9, 16),
                  ("a filter of 7, taller than wide", 12, 18, 7, 20, 8),
                  ("drawn at random", c, k, int(rng.choice([3, 5, 7])), h, w))
        for name, channels, filters, size, height, width in layers:
            yield Case(name, (channels, filters, size), "separable_parameters")
            yield Case(name, (channels, filters, size, height, width), "separable_multiply_adds")

    misconceptions = (
        Misconception(*words.BIASES_FORGOTTEN, lambda c, k, f: c * f * f + c * k),
        Misconception("depthwise biases forgotten", "The depthwise layer has filters too, and each has a bias.",
                      lambda c, k, f: c * f * f + c * k + k),
        Misconception("pointwise biases forgotten", "The pointwise layer has a bias for each of its filters.",
                      lambda c, k, f: c * f * f + c * k + c),
        Misconception(*words.ONE_BIAS, lambda c, k, f: c * f * f + c * k + 2),
        Misconception(*POINTWISE_FORGOTTEN, lambda c, k, f: c * (f * f + 1)),
        Misconception(*DEPTHWISE_AS_DEEP, lambda c, k, f: c * (c * f * f + 1) + k * (c + 1)),
        Misconception(*DEPTHWISE_FOR_OUTPUTS, lambda c, k, f: k * (f * f + 1) + k * (c + 1)),
        Misconception(*ORDINARY, lambda c, k, f: k * (c * f * f + 1)),
        Misconception("pointwise filters of one channel", "A 1x1 filter sees all channels of its input.",
                      lambda c, k, f: c * (f * f + 1) + 2 * k),
        Misconception(*words.KERNEL_NOT_SQUARED, lambda c, k, f: c * (f + 1) + k * (c + 1)),
        Misconception("the two layers multiplied", "The layers come one after the other: their costs add up.",
                      lambda c, k, f: c * f * f * c * k, also=(lambda c, k, f: c * (f * f + 1) * k * (c + 1),)),
        *in_answer(
            "separable_multiply_adds",
            Misconception(*words.WORK_WITHOUT_POSITIONS, lambda c, k, f, h, w: c * f * f + c * k),
            Misconception("positions for one layer only", "Both layers work at every position.",
                          lambda c, k, f, h, w: h * w * c * f * f + c * k,
                          also=(lambda c, k, f, h, w: c * f * f + h * w * c * k,)),
            Misconception(*words.BIASES_AS_WORK, lambda c, k, f, h, w: h * w * (c * f * f + c * k + c + k)),
            Misconception(*POINTWISE_FORGOTTEN, lambda c, k, f, h, w: h * w * c * f * f),
            Misconception("work of the depthwise layer forgotten", "The depthwise layer works too.",
                          lambda c, k, f, h, w: h * w * c * k),
            Misconception(*DEPTHWISE_AS_DEEP, lambda c, k, f, h, w: h * w * (c * c * f * f + c * k)),
            Misconception(*DEPTHWISE_FOR_OUTPUTS, lambda c, k, f, h, w: h * w * (k * f * f + c * k)),
            Misconception(*ORDINARY, lambda c, k, f, h, w: h * w * c * k * f * f),
            Misconception(*words.PADDING_IGNORED, lambda c, k, f, h, w: (h - f + 1) * (w - f + 1) * (c * f * f + c * k),
                          also=(lambda c, k, f, h, w: (h - f + 1) * (w - f + 1) * c * f * f + h * w * c * k,)),
            Misconception(*words.SQUARE_INPUTS, lambda c, k, f, h, w: h * h * (c * f * f + c * k),
                          also=(lambda c, k, f, h, w: w * w * (c * f * f + c * k),)),
            Misconception(*words.COUNTED_APART, lambda c, k, f, h, w: 2 * h * w * (c * f * f + c * k)),
        ),
    )
    hints = (
        "Two layers, one after the other. How many filters has each, and how many numbers is one filter?",
        "Depthwise: in_channels filters, each with kernel_size squared weights and a bias. Pointwise: an ordinary 1x1 "
        "layer.",
        "The pointwise layer has out_channels filters of in_channels weights and a bias. For the work leave out biases "
        "and multiply by height times width.",
    )
