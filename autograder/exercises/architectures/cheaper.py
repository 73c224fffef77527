"""Blocks that save work: the bottleneck, and depthwise separable convolution."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from autograder.exercises.architectures.patterns import NOTEBOOK
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


def _parts(c: int, m: int, s: int, expand: int = 4) -> list[tuple[int, int, int]]:
    """Filters, channels and side of each convolution, the shortcut's last."""
    shortcut = [(expand * m, c, 1)] if s > 1 or c != expand * m else []
    return [(m, c, 1), (m, m, 3), (expand * m, m, 1), *shortcut]


def _count(parts: list[tuple[int, int, int]], norm: int = 2, bias: int = 0) -> int:
    return sum(k * (d * side * side + norm + bias) for k, d, side in parts)


def _up(n: int, s: int) -> int:
    return -(-n // s)


def _down(n: int, s: int) -> int:
    return n // s


def _work(
    fine: Callable[[str], tuple[bool, ...]], half: Callable[[int, int], int] = _up, per_position: int = 0,
) -> Callable[..., int]:
    """Multiply-adds, where `fine(version)` says which of the four convolutions work at all positions of the input."""
    def count(c: int, m: int, h: int, w: int, s: int, version: str) -> int:
        total = 0
        for (k, d, side), at_all in zip(_parts(c, m, s), fine(version), strict=False):
            positions = h * w if at_all else half(h, s) * half(w, s)
            total += k * (d * side * side + per_position) * positions
        return total
    return count


def _first_fine(version: str) -> tuple[bool, ...]:
    """In v1.5 the first convolution still works on all positions; the 3x3 gives the halved ones."""
    return version == "v1.5", False, False, False


_right = _work(_first_fine)


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
                      lambda c, m, s: _count(_parts(c, m, s), 0)),
        Misconception("one number for batch norm",
                      "Batch norm learns two numbers for each channel: a scale and a shift.",
                      lambda c, m, s: _count(_parts(c, m, s), 1)),
        Misconception("biases added", "Convolutions before batch norm have no biases: its shift does their work.",
                      lambda c, m, s: _count(_parts(c, m, s), 2, 1)),
        Misconception("four numbers for batch norm",
                      "Running means and variances are remembered, not learned: they are no parameters.",
                      lambda c, m, s: _count(_parts(c, m, s), 4)),
        Misconception("batch norm of the channels before",
                      "Batch norm comes after the convolution: it has the channels that the convolution gives.",
                      lambda c, m, s: sum(k * d * side * side + 2 * d for k, d, side in _parts(c, m, s)),
                      also=(lambda c, m, s: _count(_parts(c, m, s)) - (
                          8 * m - 2 * c if len(_parts(c, m, s)) == 4 else 0),)),
        Misconception("shortcut's convolution forgotten",
                      "Where the shortcut cannot be straight, its 1x1 convolution has weights too.",
                      lambda c, m, s: _count(_parts(c, m, s)[:3])),
        Misconception("shortcut never straight", "A straight shortcut has no parameters at all.",
                      lambda c, m, s: _count([*_parts(c, m, s)[:3], (4 * m, c, 1)])),
        Misconception("shortcut decided by the channels alone",
                      "With a stride the block's output is smaller than its input, so that the input cannot be added.",
                      lambda c, m, s: _count(_parts(c, m, 1))),
        Misconception("shortcut decided by the stride alone",
                      "Where the number of channels changes, the input cannot be added as it is either.",
                      lambda c, m, s: _count(_parts(c, m, s)[:4 if s > 1 else 3])),
        Misconception("no batch norm on the shortcut", "The shortcut's convolution is followed by batch norm as well.",
                      lambda c, m, s: _count(_parts(c, m, s)) - (8 * m if len(_parts(c, m, s)) == 4 else 0)),
        Misconception("not widened again",
                      "The last 1x1 convolution gives four times as many channels as the middle has.",
                      lambda c, m, s: _count(_parts(c, m, s, expand=1))),
        Misconception("the 3x3 at full width",
                      "The 3x3 convolution sits in the bottleneck: `middle` channels in and out.",
                      lambda c, m, s: _count([(m, c, 1), (4 * m, m, 3), (4 * m, 4 * m, 1), *_parts(c, m, s)[3:]]),
                      also=(lambda c, m, s: _count([(m, c, 1), (m, c, 3), *_parts(c, m, s)[2:]]),)),
        Misconception("a 3x3 kernel of three weights", "A 3x3 kernel has 9 weights for each channel.",
                      lambda c, m, s: _count(_parts(c, m, s)) - 6 * m * m),
        Misconception("versions swapped",
                      "v1 is the paper's: its stride is on the first 1x1. v1.5 has it on the 3x3 convolution.",
                      lambda c, m, h, w, s, version: _right(c, m, h, w, s, "v1" if version == "v1.5" else "v1.5"),
                      "bottleneck_multiply_adds"),
        Misconception("version ignored",
                      "Where the stride is decides at how many positions the first convolution works.",
                      lambda c, m, h, w, s, version: _right(c, m, h, w, s, "v1"), "bottleneck_multiply_adds",
                      also=(lambda c, m, h, w, s, version: _right(c, m, h, w, s, "v1.5"),)),
        Misconception("stride ignored", "With stride 2 most of the block works at a quarter of the positions.",
                      _work(lambda version: (True,) * 4), "bottleneck_multiply_adds"),
        Misconception("work of a strided layer at all positions of its input",
                      "A layer works once for each position of its *output*; with a stride there are fewer of those.",
                      _work(lambda version: (True, version == "v1.5", False, True)), "bottleneck_multiply_adds",
                      also=(_work(lambda version: (True, version == "v1.5", False, False)),
                            _work(lambda version: (version == "v1.5", version == "v1.5", False, False)))),
        Misconception("shortcut's work at all positions",
                      "The shortcut's convolution has the block's stride too: it gives as many positions as the block.",
                      _work(lambda version: (version == "v1.5", False, False, True)), "bottleneck_multiply_adds"),
        Misconception("shortcut's work forgotten", "Where the shortcut is a convolution, it works too.",
                      lambda c, m, h, w, s, version: _right(c, m, h, w, s, version) - (
                          4 * m * c * _up(h, s) * _up(w, s) if len(_parts(c, m, s)) == 4 else 0),
                      "bottleneck_multiply_adds"),
        Misconception("shortcut always works", "A straight shortcut multiplies nothing.",
                      lambda c, m, h, w, s, version: _right(c, m, h, w, s, version) + (
                          4 * m * c * h * w if len(_parts(c, m, s)) == 3 else 0),
                      "bottleneck_multiply_adds"),
        Misconception("halved sizes rounded down",
                      "(7 - 3 + 2) // 2 + 1 is 4, not 3: with an odd size the first and the last row both count.",
                      _work(_first_fine, _down), "bottleneck_multiply_adds"),
        Misconception("positions forgotten", "Each weight works once at every position of its layer's output.",
                      lambda c, m, h, w, s, version: _count(_parts(c, m, s), 0), "bottleneck_multiply_adds"),
        Misconception("batch norm counted as work", "Only convolutions are counted here.",
                      _work(_first_fine, per_position=2), "bottleneck_multiply_adds"),
        Misconception("a square picture", "Height and width are two numbers.",
                      lambda c, m, h, w, s, version: _right(c, m, h, h, s, version), "bottleneck_multiply_adds",
                      also=(lambda c, m, h, w, s, version: _right(c, m, w, w, s, version),)),
        Misconception("multiplications and additions counted apart",
                      "One multiplication with the addition that follows it is one multiply-add, not two.",
                      lambda c, m, h, w, s, version: 2 * _right(c, m, h, w, s, version), "bottleneck_multiply_adds"),
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
        Misconception("biases forgotten", "Both layers have biases: one for each of their filters.",
                      lambda c, k, f: c * f * f + c * k),
        Misconception("depthwise biases forgotten", "The depthwise layer has filters too, and each has a bias.",
                      lambda c, k, f: c * f * f + c * k + k),
        Misconception("pointwise biases forgotten", "The pointwise layer has a bias for each of its filters.",
                      lambda c, k, f: c * f * f + c * k + c),
        Misconception("one bias for each layer", "A layer has one bias for each of its filters.",
                      lambda c, k, f: c * f * f + c * k + 2),
        Misconception("pointwise layer forgotten", "The depthwise layer cannot mix channels: a 1x1 layer follows it.",
                      lambda c, k, f: c * (f * f + 1)),
        Misconception("depthwise filters as deep as the input", "A depthwise filter sees one channel only.",
                      lambda c, k, f: c * (c * f * f + 1) + k * (c + 1)),
        Misconception("a depthwise filter for each output channel",
                      "The depthwise layer has as many filters as its input has channels.",
                      lambda c, k, f: k * (f * f + 1) + k * (c + 1)),
        Misconception("an ordinary convolution", "That is the convolution that the two layers stand in for.",
                      lambda c, k, f: k * (c * f * f + 1)),
        Misconception("pointwise filters of one channel", "A 1x1 filter sees all channels of its input.",
                      lambda c, k, f: c * (f * f + 1) + 2 * k),
        Misconception("kernel not squared", "A filter of side 3 has 9 weights.",
                      lambda c, k, f: c * (f + 1) + k * (c + 1)),
        Misconception("the two layers multiplied", "The layers come one after the other: their costs add up.",
                      lambda c, k, f: c * f * f * c * k, also=(lambda c, k, f: c * (f * f + 1) * k * (c + 1),)),
        Misconception("positions forgotten", "Each weight works once at every position.",
                      lambda c, k, f, h, w: c * f * f + c * k, "separable_multiply_adds"),
        Misconception("positions for one layer only", "Both layers work at every position.",
                      lambda c, k, f, h, w: h * w * c * f * f + c * k, "separable_multiply_adds",
                      also=(lambda c, k, f, h, w: c * f * f + h * w * c * k,)),
        Misconception("biases counted as multiply-adds", "Multiply-adds are counted without biases.",
                      lambda c, k, f, h, w: h * w * (c * f * f + c * k + c + k), "separable_multiply_adds"),
        Misconception("work of the pointwise layer forgotten", "The 1x1 layer works too, and it is the costlier one.",
                      lambda c, k, f, h, w: h * w * c * f * f, "separable_multiply_adds"),
        Misconception("work of the depthwise layer forgotten", "The depthwise layer works too.",
                      lambda c, k, f, h, w: h * w * c * k, "separable_multiply_adds"),
        Misconception("work of filters as deep as the input", "A depthwise filter sees one channel only.",
                      lambda c, k, f, h, w: h * w * (c * c * f * f + c * k), "separable_multiply_adds"),
        Misconception("work of a depthwise filter for each output channel",
                      "The depthwise layer has as many filters as its input has channels.",
                      lambda c, k, f, h, w: h * w * (k * f * f + c * k), "separable_multiply_adds"),
        Misconception("work of an ordinary convolution", "That is the convolution that the two layers stand in for.",
                      lambda c, k, f, h, w: h * w * c * k * f * f, "separable_multiply_adds"),
        Misconception("work without padding", "Both layers keep height and width.",
                      lambda c, k, f, h, w: (h - f + 1) * (w - f + 1) * (c * f * f + c * k), "separable_multiply_adds",
                      also=(lambda c, k, f, h, w: (h - f + 1) * (w - f + 1) * c * f * f + h * w * c * k,)),
        Misconception("a square picture", "Height and width are two numbers.",
                      lambda c, k, f, h, w: h * h * (c * f * f + c * k), "separable_multiply_adds",
                      also=(lambda c, k, f, h, w: w * w * (c * f * f + c * k),)),
        Misconception("multiplications and additions counted apart",
                      "One multiplication with the addition that follows it is one multiply-add, not two.",
                      lambda c, k, f, h, w: 2 * h * w * (c * f * f + c * k), "separable_multiply_adds"),
    )
    hints = (
        "Two layers, one after the other. How many filters has each, and how many numbers is one filter?",
        "Depthwise: in_channels filters, each with kernel_size squared weights and a bias. Pointwise: an ordinary 1x1 "
        "layer.",
        "The pointwise layer has out_channels filters of in_channels weights and a bias. For the work leave out biases "
        "and multiply by height times width.",
    )
