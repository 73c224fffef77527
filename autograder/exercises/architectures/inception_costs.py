"""What an Inception block costs, with its 1x1 layers and without them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from autograder.exercises import words
from autograder.exercises.architectures.inception import Filters
from autograder.exercises.architectures.patterns import NOTEBOOK
from autograder.exercises.making import in_answer
from autograder.exercises.written import Written
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


def _multiplied(in_channels, height, width, filters, reduced, bias=0):
    """Multiply-adds of the convolutions; with a bias, at a single position, they are as many as the parameters."""
    one, before_three, three, before_five, five, after_pool = filters
    layers = [(one, in_channels, 1), (three, in_channels, 3), (five, in_channels, 5)]
    if reduced:
        layers = [(one, in_channels, 1), (three, before_three, 3), (five, before_five, 5),
                  (before_three, in_channels, 1), (before_five, in_channels, 1), (after_pool, in_channels, 1)]
    return sum(count * (depth * side * side + bias) * height * width for count, depth, side in layers)


def _of_parameters(changed: Callable[..., int]) -> Callable[..., int]:
    """The same mistake where parameters are counted."""
    return lambda in_channels, filters, reduced: changed(in_channels, 1, 1, filters, reduced, 1)


WORK = Written.of(_multiplied)
ALL_READ_THE_INPUT = (
    "3x3 and 5x5 read the input",
    "With the 1x1 layers before them, these filters are only as deep as those layers have filters.")
SMALL_LAYERS_FREE = (
    "1x1 layers before others free", "The 1x1 layers before 3x3 and 5x5 have weights and biases too, and they work.")
PROJECTION_FREE = (
    "the layer after the pool free", "Pooling has no parameters and no work; the 1x1 convolution after it has both.")
ALWAYS_REDUCED = "always with the 1x1 layers", "If `reduced` is False, three of the six layers are not there."

_all_read_the_input = WORK.edited({"before_three, 3": "in_channels, 3", "before_five, 5": "in_channels, 5"})
_small_layers_free = WORK.edited({"(before_three, in_channels, 1), (before_five, in_channels, 1), ": ""})
_projection_free = WORK.edited({", (after_pool, in_channels, 1)": ""})
_always_reduced = WORK.edited({"if reduced": "if True"})


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
                      "A block may change the number of channels: add up what the branches give.", lambda c, f, r: c),
        *in_answer(
            "inception_parameters",
            Misconception(*words.BIASES_FORGOTTEN, lambda c, f, r: _multiplied(c, 1, 1, f, r)),
            Misconception(*ALL_READ_THE_INPUT, _of_parameters(_all_read_the_input)),
            Misconception(*SMALL_LAYERS_FREE, _of_parameters(_small_layers_free)),
            Misconception(*PROJECTION_FREE, _of_parameters(_projection_free)),
            Misconception(*ALWAYS_REDUCED, _of_parameters(_always_reduced)),
            Misconception("1x1 layers before others kept",
                          "If `reduced` is False, the 3x3 and 5x5 layers read the block's input, and no 1x1 layer "
                          "stands before them or after the pool.",
                          _of_parameters(WORK.edited({
                              "in_channels, 5)]":
                              "in_channels, 5), (before_three + before_five + after_pool, in_channels, 1)]"}))),
            Misconception("after_pool counted without the 1x1 layers",
                          "If `reduced` is False, nothing follows the pool.",
                          _of_parameters(WORK.edited({"in_channels, 5)]":
                                                      "in_channels, 5), (after_pool, in_channels, 1)]"}))),
            Misconception(*words.KERNEL_NOT_SQUARED, _of_parameters(WORK.edited({"side * side": "side"}))),
        ),
        *in_answer(
            "inception_multiply_adds",
            Misconception(*words.BIASES_AS_WORK, WORK.given("bias = 1")),
            Misconception(*words.WORK_WITHOUT_POSITIONS, WORK.given("height = width = 1"),
                          also=(WORK.given("height = width = bias = 1"),)),
            Misconception(*ALL_READ_THE_INPUT, _all_read_the_input),
            Misconception(*SMALL_LAYERS_FREE, _small_layers_free),
            Misconception(*PROJECTION_FREE, _projection_free),
            Misconception(*words.PADDING_IGNORED,
                          WORK.edited({"* height * width": "* (height - side + 1) * (width - side + 1)"})),
            Misconception(*words.SQUARE_INPUTS, WORK.given("width = height"), also=(WORK.given("height = width"),)),
            Misconception(*ALWAYS_REDUCED, _always_reduced),
            Misconception(*words.COUNTED_APART, lambda *given: 2 * _multiplied(*given)),
            Misconception("pooling counted as work", "Pooling compares, it does not multiply: it is not counted.",
                          WORK.edited({"in layers)": "in layers) + 9 * in_channels * height * width"})),
        ),
    )
    hints = (
        "Draw the block and write on each arrow how many channels go along it.",
        "List the convolutions as (filters, channels that they see, side of the kernel): six with the 1x1 layers, "
        "three without them. The rest is a sum over this list.",
        "Each convolution has filters * (channels * side * side + 1) parameters, and without the + 1 that many "
        "multiply-adds at each of height * width positions. The output has the filters of the four last layers; "
        "without the 1x1 layers the fourth branch passes in_channels on.",
    )
