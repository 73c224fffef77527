"""What an Inception block costs, with its 1x1 layers and without them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.exercises.architectures.inception import Filters
from autograder.exercises.architectures.patterns import NOTEBOOK
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse.layers import Concatenate, Conv2d, MaxPool2d
from cnncourse.network import Network


def _block(channels: int, height: int, width: int, filters: Filters, reduced: bool) -> Network:
    """The block as a network: with the 1x1 layers before 3x3, before 5x5 and after the pool, or without them."""
    one, before_three, three, before_five, five, after_pool = filters
    network = Network((channels, height, width))
    read = "input"
    ends = [network.add(Conv2d(one, 1), read)]
    for before, count, size in ((before_three, three, 3), (before_five, five, 5)):
        start = network.add(Conv2d(before, 1), read) if reduced else read
        ends.append(network.add(Conv2d(count, size, padding=size // 2), start))
    pooled = network.add(MaxPool2d(3, 1, padding=1), read)
    ends.append(network.add(Conv2d(after_pool, 1), pooled) if reduced else pooled)
    network.add(Concatenate(), *ends)
    return network


def _layers(c: int, filters: Filters, reduced: bool) -> list[tuple[int, int, int]]:
    """Filters, channels that they see, and side of each convolution."""
    one, before_three, three, before_five, five, after_pool = filters
    if not reduced:
        return [(one, c, 1), (three, c, 3), (five, c, 5)]
    return [(one, c, 1), (before_three, c, 1), (three, before_three, 3), (before_five, c, 1), (five, before_five, 5),
            (after_pool, c, 1)]


def _weights(c: int, filters: Filters, reduced: bool) -> int:
    return sum(k * d * s * s for k, d, s in _layers(c, filters, reduced))


def _biases(c: int, filters: Filters, reduced: bool) -> int:
    return sum(k for k, _, _ in _layers(c, filters, reduced))


def _all_read_the_input(c: int, filters: Filters, reduced: bool) -> int:
    return sum(k * c * s * s for k, _, s in _layers(c, filters, reduced))


def _small_layers_free(c: int, filters: Filters, reduced: bool) -> list[tuple[int, int, int]]:
    layers = _layers(c, filters, reduced)
    return [layers[0], layers[2], layers[4], layers[5]] if reduced else layers


def _no_projection(c: int, filters: Filters, reduced: bool) -> list[tuple[int, int, int]]:
    return _layers(c, filters, reduced)[:5]


@exercise("inception_cost", notebook=NOTEBOOK, points=4,
          answers=("inception_channels", "inception_parameters", "inception_multiply_adds"), tolerance=1e-12)
class InceptionCost:
    """What an Inception block costs with its 1x1 layers, and what it would cost without them.

    `filters` holds six numbers, in the order of the block's layers: (one, before_three, three, before_five, five,
    after_pool). If `reduced` is False, the layers before_three, before_five and after_pool are left out: the 3x3 and
    the 5x5 layer read the block's input, and the pooled channels go to the output as they are.
    """

    def inception_channels(in_channels, filters, reduced):
        return _block(in_channels, 1, 1, filters, reduced).output_shape[0]

    def inception_parameters(in_channels, filters, reduced):
        return _block(in_channels, 1, 1, filters, reduced).parameter_count()

    def inception_multiply_adds(in_channels, height, width, filters, reduced):
        return _block(in_channels, height, width, filters, reduced).multiply_adds()

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        drawn = tuple(int(n) for n in rng.choice(np.arange(3, 40), 6, replace=False))
        channels, height, width = (int(n) for n in rng.choice(np.arange(40, 80), 3, replace=False))
        blocks = (
            ("one filter in every layer", 2, 4, 4, (1, 1, 1, 1, 1, 1)),
            ("GoogLeNet's block 3a", 192, 28, 28, (64, 96, 128, 16, 32, 32)),
            ("GoogLeNet's block 4d", 512, 14, 14, (112, 144, 288, 32, 64, 64)),
            ("taller than wide", 16, 12, 5, (3, 5, 7, 2, 4, 6)),
            ("more channels in the block than in its input", 6, 9, 20, (8, 12, 10, 9, 11, 7)),
            ("drawn at random", channels, height, width, drawn),
        )
        for name, c, h, w, filters in blocks:
            for reduced in (True, False):
                told = f"{name}, {'with' if reduced else 'without'} the 1x1 layers"
                yield Case(told, (c, filters, reduced), "inception_channels")
                yield Case(told, (c, filters, reduced), "inception_parameters")
                yield Case(told, (c, h, w, filters, reduced), "inception_multiply_adds")

    misconceptions = (
        Misconception("all layers counted as output",
                      "Only the last layer of each branch goes to the output; what stands before it does not.",
                      lambda c, f, r: sum(f) if r else f[0] + f[2] + f[4] + c),
        Misconception("pooled channels forgotten", "The pooling branch goes to the output too.",
                      lambda c, f, r: f[0] + f[2] + f[4] + (f[5] if r else 0),
                      also=(lambda c, f, r: f[0] + f[2] + f[4],)),
        Misconception("pooling passes everything on",
                      "With the 1x1 layers, one of them follows the pool and decides how many channels come out.",
                      lambda c, f, r: f[0] + f[2] + f[4] + c),
        Misconception("after_pool kept without the 1x1 layers",
                      "If `reduced` is False, nothing follows the pool, and pooling keeps the number of channels.",
                      lambda c, f, r: f[0] + f[2] + f[4] + f[5]),
        Misconception("channels as in a sum", "Branches are put side by side: their channels add up.",
                      lambda c, f, r: max(f[0], f[2], f[4], f[5] if r else c)),
        Misconception("the input's channels",
                      "A block may change the number of channels: add up what the branches give.",
                      lambda c, f, r: c),
        Misconception("biases forgotten",
                      "Every filter of all six layers has a bias.", _weights, "inception_parameters"),
        Misconception("3x3 and 5x5 read the input",
                      "With the 1x1 layers before them, these filters are only as deep as those layers have filters.",
                      lambda c, f, r: _all_read_the_input(c, f, r) + _biases(c, f, r), "inception_parameters"),
        Misconception("1x1 layers before others free", "The 1x1 layers have weights and biases too.",
                      lambda c, f, r: sum(k * (d * s * s + 1) for k, d, s in _small_layers_free(c, f, r)),
                      "inception_parameters"),
        Misconception("the layer after the pool free", "Pooling has no parameters; the 1x1 convolution after it does.",
                      lambda c, f, r: sum(k * (d * s * s + 1) for k, d, s in _no_projection(c, f, r)),
                      "inception_parameters"),
        Misconception("always with the 1x1 layers", "If `reduced` is False, three of the six layers are not there.",
                      lambda c, f, r: _weights(c, f, True) + _biases(c, f, True), "inception_parameters"),
        Misconception("1x1 layers before others kept",
                      "If `reduced` is False, the 3x3 and 5x5 layers read the block's input, and no 1x1 layer stands "
                      "before them or after the pool.",
                      lambda c, f, r: sum(k * (d * s * s + 1) for k, d, s in (
                          _layers(c, f, r) + ([] if r else [(f[1], c, 1), (f[3], c, 1), (f[5], c, 1)]))),
                      "inception_parameters"),
        Misconception("after_pool counted without the 1x1 layers", "If `reduced` is False, nothing follows the pool.",
                      lambda c, f, r: _weights(c, f, r) + _biases(c, f, r) + (0 if r else f[5] * (c + 1)),
                      "inception_parameters"),
        Misconception("kernels not squared", "A 3x3 filter has 9 weights for each channel, a 5x5 filter 25.",
                      lambda c, f, r: sum(k * (d * s + 1) for k, d, s in _layers(c, f, r)), "inception_parameters"),
        Misconception("biases counted as multiply-adds", "Multiply-adds are counted without biases.",
                      lambda c, h, w, f, r: h * w * (_weights(c, f, r) + _biases(c, f, r)), "inception_multiply_adds"),
        Misconception("positions forgotten", "Each weight works at every position: height times width of them.",
                      lambda c, h, w, f, r: _weights(c, f, r), "inception_multiply_adds",
                      also=(lambda c, h, w, f, r: _weights(c, f, r) + _biases(c, f, r),)),
        Misconception("work of 3x3 and 5x5 on the input",
                      "With the 1x1 layers before them, these filters are only as deep as those layers have filters.",
                      lambda c, h, w, f, r: h * w * _all_read_the_input(c, f, r), "inception_multiply_adds"),
        Misconception("work of the 1x1 layers forgotten", "The 1x1 layers before 3x3 and 5x5 work too.",
                      lambda c, h, w, f, r: h * w * sum(k * d * s * s for k, d, s in _small_layers_free(c, f, r)),
                      "inception_multiply_adds"),
        Misconception("work after the pool forgotten", "The 1x1 layer after the pool works too.",
                      lambda c, h, w, f, r: h * w * sum(k * d * s * s for k, d, s in _no_projection(c, f, r)),
                      "inception_multiply_adds"),
        Misconception("work without padding", "Padding keeps height and width: all layers have the same positions.",
                      lambda c, h, w, f, r: sum(k * d * s * s * (h - s + 1) * (w - s + 1)
                                                for k, d, s in _layers(c, f, r)),
                      "inception_multiply_adds"),
        Misconception("a square picture", "Height and width are two numbers.",
                      lambda c, h, w, f, r: h * h * _weights(c, f, r), "inception_multiply_adds",
                      also=(lambda c, h, w, f, r: w * w * _weights(c, f, r),)),
        Misconception("work always with the 1x1 layers",
                      "If `reduced` is False, three of the six layers are not there.",
                      lambda c, h, w, f, r: h * w * _weights(c, f, True), "inception_multiply_adds"),
        Misconception("multiplications and additions counted apart",
                      "One multiplication with the addition that follows it is one multiply-add, not two.",
                      lambda c, h, w, f, r: 2 * h * w * _weights(c, f, r), "inception_multiply_adds"),
        Misconception("pooling counted as work", "Pooling compares, it does not multiply: it is not counted.",
                      lambda c, h, w, f, r: h * w * (_weights(c, f, r) + 9 * c), "inception_multiply_adds"),
    )
    hints = (
        "Draw the block and write on each arrow how many channels go along it.",
        "List the convolutions as (filters, channels that they see, side of the kernel): six with the 1x1 layers, "
        "three without them. The rest is a sum over this list.",
        "Each convolution has filters * (channels * side * side + 1) parameters, and without the + 1 that many "
        "multiply-adds at each of height * width positions. The output has the filters of the four last layers; "
        "without the 1x1 layers the fourth branch passes in_channels on.",
    )
