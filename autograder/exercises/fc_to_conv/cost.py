"""What looking at a large picture costs: one pass, or one crop after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.exercises.fc_to_conv.common import NOTEBOOK, Layers, conv, pool, sizes, vgg16
from autograder.exercises.fc_to_conv.map_sizes import small_network
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import layers as L
from cnncourse.network import Network

Shape = tuple[int, int, int]
Term = Callable[[int, int, tuple[int, int], tuple[int, int], tuple[int, int]], int]


def total(input_shape: Shape, layers: Layers) -> int:
    """Multiply-adds of the network on inputs of this shape, as the reference counts them."""
    network = Network(input_shape)
    for kind, channels, kernel_size, stride, padding in layers:
        network.add(L.Conv2d(channels, kernel_size, stride=stride, padding=padding) if kind == "conv"
                    else L.MaxPool2d(kernel_size, stride=stride, padding=padding))
    return network.multiply_adds()


def _summed(term: Term, convolutions_only: bool = True, through: Callable[[Layers], Layers] = lambda some: some) -> Any:
    """A cost from the terms (channels before, after, kernel, size before, size after) of the layers."""
    def cost(input_shape: Shape, layers: Layers) -> int:
        layers = through(layers)
        places = sizes(input_shape[1:], layers)
        depths = [input_shape[0], *(layer[1] for layer in layers)]
        return sum(term(depths[i], depths[i + 1], layer[2], places[i], places[i + 1])
                   for i, layer in enumerate(layers) if layer[0] == "conv" or not convolutions_only)
    return cost


def _without_stride(layers: Layers) -> Layers:
    return tuple((*layer[:3], 1, layer[4]) for layer in layers)


def _without_padding(layers: Layers) -> Layers:
    return tuple((*layer[:4], 0) for layer in layers)


def _without_pooling(layers: Layers) -> Layers:
    return tuple(layer for layer in layers if layer[0] == "conv")


def _product(before: int, after: int, kernel: tuple[int, int], size: tuple[int, int]) -> int:
    return before * after * kernel[0] * kernel[1] * size[0] * size[1]


def _first_depth(input_shape: Shape, layers: Layers) -> int:
    places = sizes(input_shape[1:], layers)[1:]
    return sum(_product(input_shape[0], layer[1], layer[2], size)
               for layer, size in zip(layers, places, strict=True) if layer[0] == "conv")


def positions(picture: Shape, layers: Layers) -> int:
    """Crops that the map of scores stands for."""
    rows, columns = sizes(picture[1:], layers)[-1]
    return rows * columns


def _stride(layers: Layers) -> int:
    return int(np.prod([layer[3] for layer in layers], dtype=int))


def _crops_by(count: Callable[[Shape, Shape, Layers], int]) -> Callable[..., tuple[int, int]]:
    """crops_against_one_pass with another number of crops."""
    return lambda picture, crop, layers: (total(picture, layers), count(picture, crop, layers) * total(crop, layers))


def _along(picture: Shape, crop: Shape, step: Callable[[int, int], int]) -> int:
    return int(np.prod([step(long, short) for long, short in zip(picture[1:], crop[1:], strict=True)]))


@exercise("sliding_cost", notebook=NOTEBOOK, points=4, answers=("chain_cost", "crops_against_one_pass"))
class SlidingCost:
    """Multiply-adds of a network, and of looking at a large picture in two ways.

    layers is a list of descriptions (kind, out_channels, kernel_size, stride, padding), as in score_map_size; only
    convolutions multiply, and biases do not count. chain_cost returns the multiply-adds for one input of input_shape
    = (C, H, W). crops_against_one_pass returns two numbers for one picture: the multiply-adds of one pass over all of
    it, and those of one pass for each crop of crop_shape, one crop for each position of the map of scores.
    """

    def chain_cost(input_shape, layers):
        return total(input_shape, layers)

    def crops_against_one_pass(picture_shape, crop_shape, layers):
        return total(picture_shape, layers), positions(picture_shape, layers) * total(crop_shape, layers)

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
                      _summed(lambda c, k, f, before, after: _product(c, k, f, before))),
        Misconception("depth forgotten",
                      "At each position a filter multiplies its window in full depth: all channels of its input.",
                      _summed(lambda c, k, f, before, after: _product(1, k, f, after))),
        Misconception("filters forgotten", "Each of the filters is multiplied at each position.",
                      _summed(lambda c, k, f, before, after: _product(c, 1, f, after))),
        Misconception("positions forgotten",
                      "These are the weights. Each of them is multiplied once at each position.",
                      _summed(lambda c, k, f, before, after: _product(c, k, f, (1, 1)))),
        Misconception("biases counted", "Adding the bias is no multiply-add; it is left out here.",
                      _summed(lambda c, k, f, before, after: _product(c, k, f, after) + k * after[0] * after[1]),
                      also=(_summed(lambda c, k, f, before, after: _product(c, k, f, after) + k),)),
        Misconception("filters in place of the channels",
                      "A filter is as deep as the layer's input. Is the number of channels replaced before it is used?",
                      _summed(lambda c, k, f, before, after: _product(k, k, f, after))),
        Misconception("only the first layer",
                      "The work of all layers is summed. If you have a loop: does the return stand after it?",
                      lambda shape, layers: total(shape, layers[:1])),
        Misconception("multiplications and additions counted one by one",
                      "One multiplication with its addition is one multiply-add.",
                      _summed(lambda c, k, f, before, after: 2 * _product(c, k, f, after))),
        Misconception("pooling counted", "Pooling compares and multiplies nothing.",
                      _summed(lambda c, k, f, before, after: _product(c, k, f, after), convolutions_only=False),
                      also=(lambda shape, layers: total(shape, layers) + sum(
                          _product(layer[1], 1, layer[2], size) for layer, size in zip(
                              layers, sizes(shape[1:], layers)[1:], strict=True) if layer[0] == "pool"),)),
        Misconception("pooling left out", "Pooling costs nothing itself, but makes the maps of later layers smaller.",
                      _summed(lambda c, k, f, before, after: _product(c, k, f, after), through=_without_pooling)),
        Misconception("strides ignored", "With a stride there are fewer positions.",
                      _summed(lambda c, k, f, before, after: _product(c, k, f, after), through=_without_stride)),
        Misconception("padding ignored", "With padding there are more positions.",
                      _summed(lambda c, k, f, before, after: _product(c, k, f, after), through=_without_padding)),
        Misconception("channels of the picture in all layers",
                      "A layer's input has as many channels as the layer before has filters.", _first_depth),
        Misconception("only square kernels", "kernel_size is (height, width), and a filter has the product of both.",
                      _summed(lambda c, k, f, before, after: _product(c, k, (f[0], f[0]), after)),
                      also=(_summed(lambda c, k, f, before, after: _product(c, k, (f[1], f[1]), after)),)),
        Misconception("only square maps", "Positions are rows times columns.",
                      _summed(lambda c, k, f, before, after: _product(c, k, f, (after[0], after[0]))),
                      also=(_summed(lambda c, k, f, before, after: _product(c, k, f, (after[1], after[1]))),)),
        Misconception("only the last layer", "The work of all layers is summed: look at `=` and `+=`.",
                      lambda shape, layers: _product(layers[-2][1] if len(layers) > 1 else shape[0], layers[-1][1],
                                                     layers[-1][2], sizes(shape[1:], layers)[-1])),
        Misconception("crops counted once",
                      "There is a crop for each position of the map of scores, and each one takes a pass.",
                      _crops_by(lambda picture, crop, layers: 1), "crops_against_one_pass"),
        Misconception("crops side by side",
                      "The crops overlap: they lie as far apart as the network's stride says.",
                      _crops_by(lambda picture, crop, layers: _along(picture, crop, lambda long, short: long // short)),
                      "crops_against_one_pass"),
        Misconception("a crop at each pixel",
                      "Neighboring positions of the map lie a whole network stride apart in the picture, not one "
                      "pixel.",
                      _crops_by(lambda picture, crop, layers: _along(
                          picture, crop, lambda long, short: long - short + 1)), "crops_against_one_pass"),
        Misconception("one crop too few along each axis",
                      "Steps plus one: the first crop needs no step.",
                      _crops_by(lambda picture, crop, layers: _along(
                          picture, crop, lambda long, short: (long - short) // _stride(layers))),
                      "crops_against_one_pass"),
        Misconception("crops all over the picture",
                      "A crop has to fit into the picture: near the right and lower border none can start.",
                      _crops_by(lambda picture, crop, layers: _along(
                          picture, crop, lambda long, short: long // _stride(layers))), "crops_against_one_pass"),
        Misconception("crops along one axis only", "The map has rows and columns of positions: their product counts.",
                      _crops_by(lambda picture, crop, layers: sizes(picture[1:], layers)[-1][0]),
                      "crops_against_one_pass",
                      also=(_crops_by(lambda picture, crop, layers: sizes(picture[1:], layers)[-1][1]),
                            _crops_by(lambda picture, crop, layers: sum(sizes(picture[1:], layers)[-1])))),
        Misconception("a square map of crops", "The map has rows and columns of positions: two numbers.",
                      _crops_by(lambda picture, crop, layers: sizes(picture[1:], layers)[-1][0] ** 2),
                      "crops_against_one_pass",
                      also=(_crops_by(lambda picture, crop, layers: sizes(picture[1:], layers)[-1][1] ** 2),)),
        Misconception("one pass counted at each position",
                      "The first number is a single pass over the picture: it gives all positions at once.",
                      lambda picture, crop, layers: (positions(picture, layers) * total(picture, layers),
                                                     positions(picture, layers) * total(crop, layers)),
                      "crops_against_one_pass"),
        Misconception("always 36 crops",
                      "36 is the number for VGG on 384 pixels. How many crops fit depends on the picture and on the "
                      "network.",
                      _crops_by(lambda picture, crop, layers: 36), "crops_against_one_pass"),
        Misconception("one pass over a crop only",
                      "The first number is the one pass over the whole picture; every layer has more positions there.",
                      lambda picture, crop, layers: (total(crop, layers),
                                                     positions(picture, layers) * total(crop, layers)),
                      "crops_against_one_pass"),
        Misconception("each crop as large as the picture", "A pass over a crop costs what the crop's size costs.",
                      lambda picture, crop, layers: (total(picture, layers),
                                                     positions(picture, layers) * total(picture, layers)),
                      "crops_against_one_pass"),
        Misconception("the two numbers swapped", "The one pass comes first, the crops second.",
                      lambda picture, crop, layers: (positions(picture, layers) * total(crop, layers),
                                                     total(picture, layers)), "crops_against_one_pass"),
        Misconception("ratio instead of both", "Return the two numbers; their ratio is taken later.",
                      lambda picture, crop, layers: positions(picture, layers) * total(crop, layers)
                      / total(picture, layers), "crops_against_one_pass"),
    )
    hints = (
        "One output of a convolution is one window: how many products? And how many outputs are there?",
        "Go through the layers with three numbers that change: channels, height, width. A convolution adds filters "
        "times channels before it times kernel height and width times rows and columns after it; pooling only changes "
        "the size.",
        "For the crops: score_map_size tells the rows and columns of positions, chain_cost what one crop takes. The "
        "one pass is chain_cost of the whole picture.",
    )
