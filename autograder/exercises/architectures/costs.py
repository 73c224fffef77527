"""What one convolutional layer costs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from autograder.exercises.architectures.patterns import NOTEBOOK
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse.geometry import output_size
from cnncourse.layers import Conv2d

Shape = tuple[int, int, int]
Pair = tuple[int, int]


def _work(
    positions: Callable[[Shape, Pair, int, int], float],
    pairs: Callable[[int, int, int], float] = lambda c, k, g: c * k // g,
    taps: Callable[[Pair], float] = math.prod,
) -> Callable[..., float]:
    """Multiply-adds as positions times pairs of channel and filter times taps, each counted in some way."""
    def count(in_shape: Shape, out_channels: int, kernel_size: Pair, stride: int, padding: int, groups: int) -> float:
        where = positions(in_shape, kernel_size, stride, padding)
        return where * pairs(in_shape[0], out_channels, groups) * taps(kernel_size)
    return count


def _sides(shape: Shape, kernel: Pair, s: int, p: int) -> Pair:
    return output_size(shape[1:], kernel, s, p, rounding="floor")


def _outputs(shape: Shape, kernel: Pair, s: int, p: int) -> int:
    return math.prod(_sides(shape, kernel, s, p))


def _with_biases(shape: Shape, k: int, kernel: Pair, s: int, p: int, g: int) -> int:
    return _outputs(shape, kernel, s, p) * k * (math.prod(kernel) * shape[0] // g + 1)


def _not_rounded(shape: Shape, kernel: Pair, s: int, p: int) -> float:
    return math.prod((n - f + 2 * p) / s + 1 for n, f in zip(shape[1:], kernel, strict=True))


def _rounded_up(shape: Shape, kernel: Pair, s: int, p: int) -> int:
    return math.prod(-((f - n - 2 * p) // s) + 1 for n, f in zip(shape[1:], kernel, strict=True))


def _padded_once(shape: Shape, kernel: Pair, s: int, p: int) -> int:
    return math.prod((n - f + p) // s + 1 for n, f in zip(shape[1:], kernel, strict=True))


def _one_too_few(shape: Shape, kernel: Pair, s: int, p: int) -> int:
    return math.prod((n - f + 2 * p) // s for n, f in zip(shape[1:], kernel, strict=True))


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
        Misconception("bias forgotten", "Each filter has a bias of its own, beside its weights.",
                      lambda c, k, f, g: k * c // g * f[0] * f[1]),
        Misconception("bias once per channel",
                      "A filter adds its bias once, after the sum over channels: there are as many biases as filters.",
                      lambda c, k, f, g: k * (c // g) * (f[0] * f[1] + 1),
                      also=(lambda c, k, f, g: k * c // g * f[0] * f[1] + c,)),
        Misconception("one bias for the layer", "Each filter has a bias of its own, not the layer as a whole.",
                      lambda c, k, f, g: k * c // g * f[0] * f[1] + 1),
        Misconception("groups ignored",
                      "A filter sees the channels of its own group only: it is not as deep as the input.",
                      lambda c, k, f, g: k * (c * f[0] * f[1] + 1)),
        Misconception("groups divided out twice",
                      "Groups make each filter less deep; the number of filters stays what it is. With two groups half "
                      "of the filters see the one half of the channels, half the other.",
                      lambda c, k, f, g: (k // g) * (c // g) * f[0] * f[1] + k,
                      also=(lambda c, k, f, g: (k // g) * ((c // g) * f[0] * f[1] + 1),)),
        Misconception("biases divided by the groups", "Groups change what a filter sees. It has its bias all the same.",
                      lambda c, k, f, g: k * (c // g) * f[0] * f[1] + k // g),
        Misconception("square kernels only", "The kernel has a height and a width; here one of them is used for both.",
                      lambda c, k, f, g: k * (c // g * f[0] ** 2 + 1),
                      also=(lambda c, k, f, g: k * (c // g * f[1] ** 2 + 1),)),
        Misconception("height and width added", "A kernel of 4 rows and 3 columns has 4 times 3 taps in each channel.",
                      lambda c, k, f, g: k * (c // g * (f[0] + f[1]) + 1)),
        Misconception("in_channels forgotten", "A filter spans all channels that it sees: its depth counts too.",
                      lambda c, k, f, g: k * (f[0] * f[1] + 1)),
        Misconception("out_channels forgotten", "That is one filter; the layer has several.",
                      lambda c, k, f, g: c // g * f[0] * f[1] + 1, also=(lambda c, k, f, g: c // g * f[0] * f[1],)),
        Misconception("groups counted once more",
                      "The sum over the groups is in the number of filters already: `out_channels` counts all of them.",
                      lambda c, k, f, g: g * k * (c // g * f[0] * f[1] + 1)),
        Misconception("positions forgotten",
                      "That is how many weights there are. Each weight works once at every position of the output.",
                      _work(lambda shape, f, s, p: 1), "convolution_multiply_adds"),
        Misconception("positions of the input",
                      "The filter is placed once for each *output* number: with a stride, or without padding, there "
                      "are fewer of them than input numbers.",
                      _work(lambda shape, f, s, p: shape[1] * shape[2]), "convolution_multiply_adds"),
        Misconception("biases counted as multiply-adds", "Adding the bias needs no multiplication; it is not counted.",
                      _with_biases, "convolution_multiply_adds"),
        Misconception("stride ignored", "With stride 2 the filter stands at about a quarter of the positions.",
                      _work(lambda shape, f, s, p: _outputs(shape, f, 1, p)), "convolution_multiply_adds"),
        Misconception("padding ignored", "The filter slides over the padded input.",
                      _work(lambda shape, f, s, p: math.prod((n - k) // s + 1 for n, k in
                                                             zip(shape[1:], f, strict=True))),
                      "convolution_multiply_adds"),
        Misconception("padding counted once", "The padding lies on both sides of the input.",
                      _work(_padded_once), "convolution_multiply_adds"),
        Misconception("sizes rounded up", "Where the last step would stick out, the position is left out: round down.",
                      _work(_rounded_up), "convolution_multiply_adds"),
        Misconception("sizes not rounded", "There are no half positions: round the output's height and width down.",
                      _work(_not_rounded), "convolution_multiply_adds"),
        Misconception("the first position forgotten",
                      "The window has a position before its first step: steps plus one.",
                      _work(_one_too_few), "convolution_multiply_adds"),
        Misconception("width computed like the height", "Height and width each have their own size.",
                      _work(lambda shape, f, s, p: _sides(shape, f, s, p)[0] ** 2), "convolution_multiply_adds",
                      also=(_work(lambda shape, f, s, p: _sides(shape, f, s, p)[1] ** 2),)),
        Misconception("filters see all channels",
                      "A filter multiplies with the channels of its own group only.",
                      _work(_outputs, lambda c, k, g: c * k), "convolution_multiply_adds"),
        Misconception("work divided by the groups twice",
                      "Groups make each filter less deep; the number of filters stays what it is.",
                      _work(_outputs, lambda c, k, g: (c // g) * (k // g)), "convolution_multiply_adds"),
        Misconception("depth of the filters forgotten",
                      "For one output number a filter multiplies in each channel it sees.",
                      _work(_outputs, lambda c, k, g: k), "convolution_multiply_adds"),
        Misconception("one map only", "Every filter makes a map of its own, and each map costs the same.",
                      _work(_outputs, lambda c, k, g: c // g), "convolution_multiply_adds"),
        Misconception("work of square kernels",
                      "The kernel has a height and a width; here one of them is used for both.",
                      _work(_outputs, taps=lambda f: f[0] ** 2), "convolution_multiply_adds",
                      also=(_work(_outputs, taps=lambda f: f[1] ** 2),)),
        Misconception("kernel's height and width swapped",
                      "A kernel of 4 rows and 3 columns fits less often down than across: its height goes with the "
                      "picture's height.",
                      _work(lambda shape, f, s, p: _outputs(shape, f[::-1], s, p)), "convolution_multiply_adds"),
        Misconception("multiplications and additions counted apart",
                      "A multiply-add is one multiplication together with the addition that follows it.",
                      _work(_outputs, lambda c, k, g: 2 * c * k // g), "convolution_multiply_adds"),
    )
    hints = (
        "How many numbers does one filter consist of? With groups it is less deep than the input.",
        "Parameters: filters times the numbers of one filter, and the biases. For the work count the numbers of the "
        "output first: channels, height and width. Each is one dot product.",
        "One filter has (in_channels / groups) * height * width weights. An output map has ((H - F + 2 * P) // S + 1) "
        "rows, columns likewise; its numbers cost one multiply-add for each weight of the filter.",
    )
