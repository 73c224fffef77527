"""How many parameters a layer has, with weights of its own at every position and with shared ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import geometry, layers

NOTEBOOK = "02-parameter-sharing"
Count = Callable[..., int]


def _count(layer: Any, in_shape: tuple[int, ...]) -> int:
    return sum(math.prod(shape) for shape in layer.parameter_shapes(in_shape).values())


def _unshared(in_shape: Any, out_channels: int, kernel_size: Any, stride: int, padding: int, bias: bool) -> int:
    layer = layers.LocallyConnected2d(out_channels, kernel_size, stride=stride, padding=padding, bias=bias)
    return _count(layer, in_shape)


def _shared(in_shape: Any, out_channels: int, kernel_size: Any, stride: int, padding: int, bias: bool) -> int:
    return _count(layers.Conv2d(out_channels, kernel_size, stride=stride, padding=padding, bias=bias), in_shape)


def _positions(in_shape: Any, kernel_size: Any, stride: int, padding: int) -> tuple[int, int]:
    return geometry.output_size(tuple(in_shape[1:]), tuple(kernel_size), stride, padding, rounding="floor")


def _by_parts(rule: Callable[..., int]) -> Count:
    """A count from channels, filters, kernel (rows, columns), positions (rows, columns) and bias (0 or 1)."""
    def count(in_shape: Any, out_channels: int, kernel_size: Any, stride: int, padding: int, bias: bool) -> int:
        positions = _positions(in_shape, kernel_size, stride, padding)
        return rule(in_shape[0], out_channels, tuple(kernel_size), positions, int(bias))
    return count


def _neurons_counted_otherwise(positions: Callable[..., tuple[int, int]]) -> Count:
    """A count without sharing on a wrong number of positions."""
    def count(in_shape: Any, out_channels: int, kernel_size: Any, stride: int, padding: int, bias: bool) -> int:
        neurons = out_channels * math.prod(positions(in_shape, kernel_size, stride, padding))
        return int(neurons * (in_shape[0] * math.prod(kernel_size) + bias))
    return count


def _padding_once(in_shape: Any, kernel_size: Any, stride: int, padding: int) -> tuple[int, int]:
    rows, columns = ((size + padding - kernel) // stride + 1
                     for size, kernel in zip(in_shape[1:], kernel_size, strict=True))
    return rows, columns


def _not_rounded(in_shape: Any, out_channels: int, kernel_size: Any, stride: int, padding: int, bias: bool) -> float:
    rows, columns = ((size + 2 * padding - kernel) / stride + 1
                     for size, kernel in zip(in_shape[1:], kernel_size, strict=True))
    return float(out_channels * rows * columns * (in_shape[0] * math.prod(kernel_size) + bias))


def _square(in_shape: Any, kernel_size: Any, stride: int, padding: int) -> tuple[int, int]:
    rows = _positions(in_shape, kernel_size, stride, padding)[0]
    return rows, rows


def _rounded_up(in_shape: Any, kernel_size: Any, stride: int, padding: int) -> tuple[int, int]:
    rows, columns = (-((kernel - size - 2 * padding) // stride) + 1
                     for size, kernel in zip(in_shape[1:], kernel_size, strict=True))
    return rows, columns


def _one_fewer(in_shape: Any, kernel_size: Any, stride: int, padding: int) -> tuple[int, int]:
    rows, columns = _positions(in_shape, kernel_size, stride, padding)
    return rows - 1, columns - 1


@exercise("sharing_parameters", notebook=NOTEBOOK, points=3, answers=("unshared_parameters", "shared_parameters"))
class SharingParameters:
    """The number of parameters of a layer, without and with sharing.

    A layer slides `out_channels` filters of `kernel_size` (height, width) over an input of `in_shape` (C, H, W).
    unshared_parameters counts for a layer in which every neuron has weights of its own, and a bias of its own if
    `bias` is True; shared_parameters for a layer in which all neurons of one feature map share a filter and a bias.
    Both return a whole number. Sizes of the output are rounded down.
    """

    def unshared_parameters(in_shape, out_channels, kernel_size, stride, padding, bias):
        return _unshared(in_shape, out_channels, kernel_size, stride, padding, bias)

    def shared_parameters(in_shape, out_channels, kernel_size, stride, padding, bias):
        return _shared(in_shape, out_channels, kernel_size, stride, padding, bias)

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
        Misconception("biases forgotten",
                      "With bias=True every neuron has one parameter more than weights. It is the `+ 1` in the "
                      "formula.",
                      lambda i, o, k, s, p, b: _unshared(i, o, k, s, p, False)),
        Misconception("biases counted always", "With bias=False the layer has weights and nothing else.",
                      lambda i, o, k, s, p, b: _unshared(i, o, k, s, p, True)),
        Misconception("one bias for each map",
                      "Nothing is shared here, the biases neither: each neuron, at each position, has its own.",
                      _by_parts(lambda c, k, f, o, b: k * math.prod(o) * c * math.prod(f) + k * b)),
        Misconception("one bias for the whole layer",
                      "Nothing is shared here, the biases neither: each neuron has its own, not the layer as a whole.",
                      _by_parts(lambda c, k, f, o, b: k * math.prod(o) * c * math.prod(f) + b)),
        Misconception("a bias for every weight", "A neuron adds its bias once to the sum, not to each product.",
                      _by_parts(lambda c, k, f, o, b: k * math.prod(o) * c * math.prod(f) * (1 + b))),
        Misconception("a bias for every channel",
                      "A neuron adds one bias to its sum, whatever the number of channels that it sees.",
                      _by_parts(lambda c, k, f, o, b: k * math.prod(o) * c * (math.prod(f) + b))),
        Misconception("depth of the filter forgotten",
                      "A neuron sees all channels of its block: a weight for each of them.",
                      _by_parts(lambda c, k, f, o, b: k * math.prod(o) * (math.prod(f) + b))),
        Misconception("only one feature map",
                      "There are as many feature maps as filters, and each has neurons at all positions.",
                      _by_parts(lambda c, k, f, o, b: math.prod(o) * (c * math.prod(f) + b))),
        Misconception("positions forgotten",
                      "This is the number with sharing. Without it, each position of the output has its own set.",
                      _shared),
        Misconception("neurons wired to the whole picture",
                      "The layer is local: a neuron has weights for its block, not for all pixels of the picture.",
                      lambda i, o, k, s, p, b: o * math.prod(_positions(i, k, s, p)) * (math.prod(i) + int(b))),
        Misconception("positions of the input counted",
                      "There is a neuron for each position of the output; the picture has more pixels than that.",
                      _neurons_counted_otherwise(lambda i, k, s, p: tuple(i[1:]))),
        Misconception("stride ignored", "With stride 2 the filter has about a quarter of the positions.",
                      _neurons_counted_otherwise(lambda i, k, s, p: _positions(i, k, 1, p))),
        Misconception("padding ignored", "Padding makes room for more positions.",
                      _neurons_counted_otherwise(lambda i, k, s, p: _positions(i, k, s, 0))),
        Misconception("padding counted once", "Padding lies on both sides of the picture: it counts twice.",
                      _neurons_counted_otherwise(_padding_once)),
        Misconception("only square outputs", "Height and width of the output are two numbers.",
                      _neurons_counted_otherwise(_square)),
        Misconception("positions not rounded",
                      "Half a position does not exist: where the stride does not divide evenly, rows and columns of "
                      "the output are rounded down, each by itself and before they are multiplied.",
                      _not_rounded, also=(lambda *a: int(_not_rounded(*a)),)),
        Misconception("positions rounded up",
                      "A window that would reach past the end has no position: sizes are rounded down.",
                      _neurons_counted_otherwise(_rounded_up)),
        Misconception("stride along one axis only", "The window moves by the stride downwards and to the right.",
                      _neurons_counted_otherwise(lambda i, k, s, p: (_positions(i, k, s, p)[0],
                                                                     _positions(i, k, 1, p)[1])),
                      also=(_neurons_counted_otherwise(lambda i, k, s, p: (_positions(i, k, 1, p)[0],
                                                                           _positions(i, k, s, p)[1])),)),
        Misconception("rows and columns added", "Positions lie in rows and columns: their numbers are multiplied.",
                      _by_parts(lambda c, k, f, o, b: k * sum(o) * (c * math.prod(f) + b))),
        Misconception("only square filters", "A filter has a height and a width, and they may differ.",
                      _by_parts(lambda c, k, f, o, b: k * math.prod(o) * (c * f[0] ** 2 + b)),
                      also=(_by_parts(lambda c, k, f, o, b: k * math.prod(o) * (c * f[1] ** 2 + b)),)),
        Misconception("one position too few",
                      "The number of positions is the number of steps plus one: before its first step the window has "
                      "a position too.",
                      _neurons_counted_otherwise(_one_fewer)),
        Misconception("biases forgotten when sharing",
                      "Each filter has a bias, which all its neurons share. The 34,848 of the note lacks them.",
                      lambda i, o, k, s, p, b: _shared(i, o, k, s, p, False), "shared_parameters"),
        Misconception("biases counted always when sharing", "With bias=False there are the filters and nothing else.",
                      lambda i, o, k, s, p, b: _shared(i, o, k, s, p, True), "shared_parameters"),
        Misconception("one bias for the layer", "Each filter has a bias of its own.",
                      _by_parts(lambda c, k, f, o, b: k * c * math.prod(f) + b), "shared_parameters"),
        Misconception("a bias for every channel of the filter",
                      "The bias is added once to the sum over all channels: one for each filter.",
                      _by_parts(lambda c, k, f, o, b: k * c * (math.prod(f) + b)), "shared_parameters"),
        Misconception("biases not shared",
                      "The neurons of a map share their bias as they share their weights: one for each filter, not "
                      "one for each position.",
                      _by_parts(lambda c, k, f, o, b: k * (c * math.prod(f) + math.prod(o) * b)), "shared_parameters"),
        Misconception("nothing shared", "All positions of one map use the same filter: it is counted once.",
                      _unshared, "shared_parameters"),
        Misconception("depth of the shared filter forgotten",
                      "A filter runs through all channels of its input: a weight for each of them.",
                      _by_parts(lambda c, k, f, o, b: k * (math.prod(f) + b)), "shared_parameters"),
        Misconception("filters as large as the picture",
                      "A filter has a weight for each number of its block, not for each pixel of the picture.",
                      lambda i, o, k, s, p, b: o * (math.prod(i) + int(b)), "shared_parameters"),
        Misconception("one filter for all maps",
                      "Sharing goes on within one feature map. Different maps have different filters.",
                      _by_parts(lambda c, k, f, o, b: c * math.prod(f) + b), "shared_parameters"),
        Misconception("only square kernels", "A kernel has a height and a width, and they may differ.",
                      _by_parts(lambda c, k, f, o, b: k * (c * f[0] ** 2 + b)), "shared_parameters",
                      also=(_by_parts(lambda c, k, f, o, b: k * (c * f[1] ** 2 + b)),)),
    )
    hints = (
        "Count the parameters of a single neuron first. Then ask how many neurons there are, and which of them use "
        "the same parameters.",
        "A neuron has a weight for each number in its block, and the block runs through all channels. The output has "
        "one neuron for each filter and each position; notebook 1 has the formula for the number of positions.",
        "Without sharing: filters times positions times (weights of one neuron, plus 1 if there are biases). With "
        "sharing the positions drop out.",
    )
