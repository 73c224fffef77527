"""How many parameters a layer has, with weights of its own at every position and with shared ones."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.exercises import words
from autograder.exercises.parameter_sharing.common import NOTEBOOK
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import layers

UNSHARED = Written("""
    def unshared_parameters(in_shape, K, kernel_size, stride, padding, bias):
        C, H, W = in_shape
        KH, KW = kernel_size
        OH, OW = (H + 2 * padding - KH) // stride + 1, (W + 2 * padding - KW) // stride + 1
        return K * OH * OW * (C * KH * KW + bias)
    """)
SHARED = UNSHARED.returning("K * (C * KH * KW + bias)")


def _positions(rows: str, columns: str) -> Written:
    """Without sharing, on another number of positions."""
    return UNSHARED.edited({"(H + 2 * padding - KH) // stride + 1": rows,
                            "(W + 2 * padding - KW) // stride + 1": columns})


NOT_ROUNDED = _positions("(H + 2 * padding - KH) / stride + 1", "(W + 2 * padding - KW) / stride + 1")


def _count(layer: Any, in_shape: tuple[int, ...]) -> int:
    return sum(math.prod(shape) for shape in layer.parameter_shapes(in_shape).values())


@exercise("sharing_parameters", notebook=NOTEBOOK, points=3, answers=("unshared_parameters", "shared_parameters"))
class SharingParameters:
    """The number of parameters of a layer, without and with sharing.

    A layer slides `out_channels` filters of `kernel_size` (height, width) over an input of `in_shape` (C, H, W).
    unshared_parameters counts for a layer in which every neuron has weights of its own, and a bias of its own if
    `bias` is True; shared_parameters for a layer in which all neurons of one feature map share a filter and a bias.
    Both return a whole number. Sizes of the output are rounded down.
    """

    def unshared_parameters(in_shape, out_channels, kernel_size, stride, padding, bias):
        layer = layers.LocallyConnected2d(out_channels, kernel_size, stride=stride, padding=padding, bias=bias)
        return _count(layer, in_shape)

    def shared_parameters(in_shape, out_channels, kernel_size, stride, padding, bias):
        return _count(layers.Conv2d(out_channels, kernel_size, stride=stride, padding=padding, bias=bias), in_shape)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        drawn = [int(n) for n in rng.integers([2, 14, 20, 3, 2, 3], [5, 20, 30, 7, 4, 6])]
        channels, rows, columns, filters, height, width = drawn
        for answer in ("unshared_parameters", "shared_parameters"):
            yield Case("a gray picture, one filter, no bias", ((1, 5, 5), 1, (3, 3), 1, 0, False), answer)
            yield Case("a gray picture, one filter with its bias", ((1, 5, 5), 1, (3, 3), 1, 0, True), answer)
            yield Case("several channels and filters", ((3, 6, 6), 4, (3, 3), 1, 0, True), answer)
            yield Case("AlexNet's first layer, without biases", ((3, 227, 227), 96, (11, 11), 4, 0, False), answer)
            yield Case("AlexNet's first layer, with biases", ((3, 227, 227), 96, (11, 11), 4, 0, True), answer)
            yield Case("padding 2", ((2, 8, 8), 3, (5, 5), 1, 2, True), answer)
            yield Case("wider than tall, stride 2", ((3, 9, 15), 4, (3, 3), 2, 0, True), answer)
            yield Case("a kernel taller than wide", ((2, 10, 9), 5, (4, 2), 1, 0, True), answer)
            yield Case("a stride that does not divide evenly", ((3, 10, 13), 2, (3, 3), 2, 0, True), answer)
            yield Case("a filter as large as the picture", ((4, 6, 7), 3, (6, 7), 1, 0, True), answer)
            yield Case("drawn at random",
                       ((channels, rows, columns), filters, (height, width), 2, 1, bool(rng.integers(2))), answer)

    misconceptions = (
        Misconception(*words.BIASES_FORGOTTEN, UNSHARED.given("bias = False"),
                      detail="Every neuron has one parameter more than weights. It is the `+ 1` in the formula."),
        Misconception("biases counted always", "With bias=False the layer has weights and nothing else.",
                      UNSHARED.given("bias = True")),
        Misconception("one bias for each map",
                      "Nothing is shared here, the biases neither: each neuron, at each position, has its own.",
                      UNSHARED.returning("K * OH * OW * C * KH * KW + K * bias")),
        Misconception("one bias for the whole layer",
                      "Nothing is shared here, the biases neither: each neuron has its own, not the layer as a whole.",
                      UNSHARED.returning("K * OH * OW * C * KH * KW + bias")),
        Misconception("a bias for every weight", "A neuron adds its bias once to the sum, not to each product.",
                      UNSHARED.returning("K * OH * OW * C * KH * KW * (1 + bias)")),
        Misconception("a bias for every channel",
                      "A neuron adds one bias to its sum, whatever the number of channels that it sees.",
                      UNSHARED.returning("K * OH * OW * C * (KH * KW + bias)")),
        Misconception("depth of the filter forgotten",
                      "A neuron sees all channels of its block: a weight for each of them.",
                      UNSHARED.returning("K * OH * OW * (KH * KW + bias)")),
        Misconception("only one feature map",
                      "There are as many feature maps as filters, and each has neurons at all positions.",
                      UNSHARED.returning("OH * OW * (C * KH * KW + bias)")),
        Misconception(*words.POSITIONS_FORGOTTEN, SHARED,
                      detail="This is the number with sharing. Without it, each position of the output has its own "
                             "set."),
        Misconception("neurons wired to the whole picture",
                      "The layer is local: a neuron has weights for its block, not for all pixels of the picture.",
                      UNSHARED.returning("K * OH * OW * (C * H * W + bias)")),
        Misconception("positions of the input counted",
                      "There is a neuron for each position of the output; the picture has more pixels than that.",
                      _positions("H", "W")),
        Misconception(*words.STRIDE_IGNORED, UNSHARED.given("stride = 1"),
                      detail="With stride 2 the filter has about a quarter of the positions."),
        Misconception(*words.PADDING_IGNORED, UNSHARED.given("padding = 0"),
                      detail="Padding makes room for more positions."),
        Misconception(*words.PADDING_COUNTED_ONCE, UNSHARED.edited({"H + 2 * padding": "H + padding",
                                                                    "W + 2 * padding": "W + padding"})),
        Misconception("only square outputs", "Height and width of the output are two numbers.",
                      UNSHARED.edited({"* OH * OW": "* OH * OH"})),
        Misconception(*words.NOT_ROUNDED, NOT_ROUNDED,
                      also=(NOT_ROUNDED.edited({"return K": "return int(K", "+ bias)": "+ bias))"}),),
                      detail="Rows and columns of the output are rounded down, each by itself and before they are "
                             "multiplied."),
        Misconception(*words.ROUNDED_UP, _positions("-((KH - H - 2 * padding) // stride) + 1",
                                                    "-((KW - W - 2 * padding) // stride) + 1")),
        Misconception(*words.STRIDE_ALONG_ONE_AXIS, UNSHARED.edited({"- KW) // stride": "- KW)"}),
                      also=(UNSHARED.edited({"- KH) // stride": "- KH)"}),)),
        Misconception("rows and columns added", "Positions lie in rows and columns: their numbers are multiplied.",
                      UNSHARED.returning("K * (OH + OW) * (C * KH * KW + bias)")),
        Misconception("only square filters", "A filter has a height and a width, and they may differ.",
                      UNSHARED.edited({"KH * KW": "KH * KH"}), also=(UNSHARED.edited({"KH * KW": "KW * KW"}),)),
        Misconception(*words.ONE_POSITION_FEWER, UNSHARED.edited({"* OH * OW": "* (OH - 1) * (OW - 1)"})),
        Misconception("biases forgotten when sharing",
                      "Each filter has a bias, which all its neurons share. The 34,848 of the note lacks them.",
                      SHARED.given("bias = False"), "shared_parameters"),
        Misconception("biases counted always when sharing", "With bias=False there are the filters and nothing else.",
                      SHARED.given("bias = True"), "shared_parameters"),
        Misconception(*words.ONE_BIAS, SHARED.returning("K * C * KH * KW + bias"), "shared_parameters"),
        Misconception("a bias for every channel of the filter",
                      "The bias is added once to the sum over all channels: one for each filter.",
                      SHARED.returning("K * C * (KH * KW + bias)"), "shared_parameters"),
        Misconception("biases not shared",
                      "The neurons of a map share their bias as they share their weights: one for each filter, not "
                      "one for each position.",
                      SHARED.returning("K * (C * KH * KW + OH * OW * bias)"), "shared_parameters"),
        Misconception("nothing shared", "All positions of one map use the same filter: it is counted once.",
                      UNSHARED, "shared_parameters"),
        Misconception("depth of the shared filter forgotten",
                      "A filter runs through all channels of its input: a weight for each of them.",
                      SHARED.returning("K * (KH * KW + bias)"), "shared_parameters"),
        Misconception("filters as large as the picture",
                      "A filter has a weight for each number of its block, not for each pixel of the picture.",
                      SHARED.returning("K * (C * H * W + bias)"), "shared_parameters"),
        Misconception("one filter for all maps",
                      "Sharing goes on within one feature map. Different maps have different filters.",
                      SHARED.returning("C * KH * KW + bias"), "shared_parameters"),
        Misconception(*words.SQUARE_KERNELS, SHARED.edited({"KH * KW": "KH * KH"}), "shared_parameters",
                      also=(SHARED.edited({"KH * KW": "KW * KW"}),)),
    )
    hints = (
        "Count the parameters of a single neuron first. Then ask how many neurons there are, and which of them use "
        "the same parameters.",
        "A neuron has a weight for each number in its block, and the block runs through all channels. The output has "
        "one neuron for each filter and each position; notebook 1 has the formula for the number of positions.",
        "Without sharing: filters times positions times (weights of one neuron, plus 1 if there are biases). With "
        "sharing the positions drop out.",
    )
