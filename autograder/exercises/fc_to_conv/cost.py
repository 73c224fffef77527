"""What looking at a large picture costs: one pass, or one crop after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.exercises import words
from autograder.exercises.fc_to_conv.common import NOTEBOOK, Layers, conv, pool, sizes, vgg16
from autograder.exercises.fc_to_conv.map_sizes import small_network
from autograder.exercises.making import in_answer
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import layers as L
from cnncourse.network import Network


def _chain(input_shape, layers):
    """Layer after layer."""
    channels, height, width = input_shape
    total = 0
    for kind, filters, (down, right), stride, padding in layers:
        rows = (height + 2 * padding - down) // stride + 1
        columns = (width + 2 * padding - right) // stride + 1
        if kind == "conv":
            total += filters * channels * down * right * rows * columns
            channels = filters
        height, width = rows, columns
    return total


def _both(picture_shape, crop_shape, layers):
    """One pass, and a pass for each position."""
    rows, columns = sizes(picture_shape[1:], layers)[-1]
    return _chain(picture_shape, layers), rows * columns * _chain(crop_shape, layers)


CHAIN, CROPS = Written.of(_chain), Written.of(_both)


def _crops_along(count: str) -> Callable[..., Any]:
    """Another number of crops along each axis, in `long` (the picture's side), `short` (the crop's) and `step`."""
    return CROPS.edited({"rows, columns =": f"step = _stride(layers)\n    rows, columns = [{count} for long, short in "
                                            "zip(picture_shape[1:], crop_shape[1:])] or"})
def _stride(layers: Layers) -> int:
    return int(np.prod([layer[3] for layer in layers], dtype=int))


@exercise("sliding_cost", notebook=NOTEBOOK, points=4, answers=("chain_cost", "crops_against_one_pass"))
class SlidingCost:
    """Multiply-adds of a network, and of looking at a large picture in two ways.

    layers is a list of descriptions (kind, out_channels, kernel_size, stride, padding), as in score_map_size; only
    convolutions multiply, and biases do not count. chain_cost returns the multiply-adds for one input of input_shape
    = (C, H, W). crops_against_one_pass returns two numbers for one picture: the multiply-adds of one pass over all of
    it, and those of one pass for each crop of crop_shape, one crop for each position of the map of scores.
    """

    def chain_cost(input_shape, layers):
        network = Network(input_shape)
        for kind, channels, kernel_size, stride, padding in layers:
            network.add(L.Conv2d(channels, kernel_size, stride=stride, padding=padding) if kind == "conv"
                        else L.MaxPool2d(kernel_size, stride=stride, padding=padding))
        return network.multiply_adds()

    def crops_against_one_pass(picture_shape, crop_shape, layers):
        return _both(picture_shape, crop_shape, layers)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        digits = (conv(12, 5), pool(12), conv(32, 5), conv(64, 4), conv(11, 1))
        strided = (conv(8, (5, 3), 2, 1), pool(8, 2), conv(6, (3, 2), 1, 0), conv(5, (2, 4)))
        height, width = (int(n) for n in rng.permutation([21, 26]) + rng.integers(0, 4))
        yield Case("one convolution", ((1, 5, 5), (conv(1, 3),)))
        yield Case("several channels", ((3, 6, 6), (conv(4, 3),)))
        yield Case("one convolution, wider than tall, stride 2", ((2, 7, 10), (conv(3, (3, 2), 2),)))
        yield Case("padding", ((2, 6, 5), (conv(4, 3, 1, 1), conv(3, (2, 3), 1, 2))))
        yield Case("a pooling layer", ((1, 20, 20), digits))
        yield Case("VGG-16", ((3, 224, 224), vgg16()))
        yield Case("strides in convolutions", ((3, height, width), strided))
        yield Case("drawn at random", ((2, width, height), small_network(rng, 1)))
        both = "crops_against_one_pass"
        yield Case("a picture of the network's own size", ((1, 20, 20), (1, 20, 20), digits), both)
        yield Case("a network for digits on a larger picture", ((1, 60, 60), (1, 20, 20), digits), both)
        yield Case("VGG-16 on 384 pixels", ((3, 384, 384), (3, 224, 224), vgg16()), both)
        yield Case("a wide picture", ((1, 40, 91), (1, 20, 20), digits), both)
        crop = (3, 17, 19)  # gives one position with `strided`
        yield Case("crops that are not square", ((3, 17 + height, 19 + width), crop, strided), both)
        yield Case("a tall picture, drawn at random",
                   ((1, 70 + 2 * int(rng.integers(1, 20)), 32), (1, 20, 20), digits), both)

    misconceptions = (
        Misconception("input size instead of output size",
                      "A filter is multiplied once at each position, and there are as many positions as outputs.",
                      CHAIN.edited({"right * rows * columns": "right * height * width"})),
        Misconception(*words.DEPTH_FORGOTTEN, CHAIN.edited({"filters * channels": "filters"})),
        Misconception("filters forgotten", "Each of the filters is multiplied at each position.",
                      CHAIN.edited({"filters * channels": "channels"})),
        Misconception(*words.WORK_WITHOUT_POSITIONS, CHAIN.edited({" * rows * columns": ""})),
        Misconception(*words.BIASES_AS_WORK, CHAIN.edited({"channels * down * right": "(channels * down * right + 1)"}),
                      also=(CHAIN.edited({" * rows * columns": " * rows * columns + filters"}),)),
        Misconception("filters in place of the channels",
                      "A filter is as deep as the layer's input. Is the number of channels replaced before it is used?",
                      CHAIN.edited({"filters * channels": "filters * filters"})),
        Misconception(*words.FIRST_LAYER, CHAIN.edited({"in layers": "in layers[:1]"})),
        Misconception(*words.COUNTED_APART, CHAIN.edited({"total += ": "total += 2 * "})),
        Misconception("pooling counted", "Pooling compares and multiplies nothing.",
                      CHAIN.edited({'if kind == "conv"': "if True"}),
                      also=(CHAIN.edited({'if kind == "conv"': "if True",
                                     "filters * channels": 'filters * (channels if kind == "conv" else 1)'}),)),
        Misconception(*words.POOLING_LEFT_OUT,
                      CHAIN.edited({"in layers": 'in [one for one in layers if one[0] == "conv"]'})),
        Misconception(*words.STRIDE_IGNORED, CHAIN.edited({"in layers:": "in layers:\n        stride = 1"})),
        Misconception(*words.PADDING_IGNORED, CHAIN.edited({"in layers:": "in layers:\n        padding = 0"})),
        Misconception("channels of the picture in all layers",
                      "A layer's input has as many channels as the layer before has filters.",
                      CHAIN.edited({"channels = filters": "pass"})),
        Misconception(*words.SQUARE_KERNELS, CHAIN.edited({"down * right": "down * down"}),
                      also=(CHAIN.edited({"down * right": "right * right"}),)),
        Misconception(*words.SQUARE_INPUTS, CHAIN.edited({"rows * columns": "rows * rows"}),
                      also=(CHAIN.edited({"rows * columns": "columns * columns"}),)),
        Misconception(*words.LAST_LAYER, CHAIN.edited({"total +=": "total ="})),
        *in_answer(
            "crops_against_one_pass",
            Misconception("crops counted once",
                          "There is a crop for each position of the map of scores, and each one takes a pass.",
                          CROPS.edited({"rows * columns * ": ""})),
            Misconception("crops next to each other",
                          "The crops overlap: they lie as far apart as the network's stride says.",
                          _crops_along("long // short")),
            Misconception("a crop at each pixel",
                          "Neighboring positions of the map lie a whole network stride apart in the picture, not one "
                          "pixel.", _crops_along("long - short + 1")),
            Misconception(*words.ONE_ROW_AND_COLUMN_FEWER, _crops_along("(long - short) // step")),
            Misconception("crops all over the picture",
                          "A crop has to fit into the picture: near the right and lower border none can start.",
                          _crops_along("long // step")),
            Misconception("crops along one axis only",
                          "The map has rows and columns of positions: their product counts.",
                          CROPS.edited({"rows * columns": "rows"}),
                          also=(CROPS.edited({"rows * columns": "columns"}),
                                CROPS.edited({"rows * columns": "(rows + columns)"}))),
            Misconception("a square map of crops", "The map has rows and columns of positions: two numbers.",
                          CROPS.edited({"rows * columns": "rows * rows"}),
                          also=(CROPS.edited({"rows * columns": "columns * columns"}),)),
            Misconception("one pass counted at each position",
                          "The first number is a single pass over the picture: it gives all positions at once.",
                          CROPS.edited({"return ": "return rows * columns * "})),
            Misconception("always 36 crops",
                          "36 is the number for VGG on 384 pixels. How many crops fit depends on the picture and on "
                          "the network.", CROPS.edited({"rows * columns": "36"})),
            Misconception("one pass over a crop only",
                          "The first number is the one pass over the whole picture; every layer has more positions "
                          "there.", CROPS.edited({"_chain(picture_shape": "_chain(crop_shape"})),
            Misconception("each crop as large as the picture", "A pass over a crop costs what the crop's size costs.",
                          CROPS.edited({"_chain(crop_shape": "_chain(picture_shape"})),
            Misconception("the two numbers swapped", "The one pass comes first, the crops second.",
                          lambda *given: _both(*given)[::-1]),
            Misconception("ratio instead of both", "Return the two numbers; their ratio is taken later.",
                          lambda *given: _both(*given)[1] / _both(*given)[0]),
        ),
    )
    hints = (
        "One output of a convolution is one window: how many products? And how many outputs are there?",
        "Go through the layers with three numbers that change: channels, height, width. A convolution adds filters "
        "times channels before it times kernel height and width times rows and columns after it; pooling only changes "
        "the size.",
        "For the crops: score_map_size tells the rows and columns of positions, chain_cost what one crop takes. The "
        "one pass is chain_cost of the whole picture.",
    )
