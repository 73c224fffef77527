"""A whole network, counted."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograder.exercises.architectures.patterns import NOTEBOOK
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse.layers import Conv2d, Flatten, Linear, MaxPool2d
from cnncourse.network import Network

Layers = tuple[tuple[Any, ...], ...]
Shape = tuple[int, ...]

SMALL = (("CONV", 4, 3, 1, 1, 1), ("POOL", 2, 2, 0), ("FC", 5))
LENET = (("CONV", 6, 5, 1, 0, 1), ("POOL", 2, 2, 0), ("CONV", 16, 5, 1, 0, 1), ("POOL", 2, 2, 0), ("FC", 120),
         ("FC", 84), ("FC", 10))


def alexnet(groups: int) -> Layers:
    """AlexNet's layers, as the exercise lists them."""
    return (("CONV", 96, 11, 4, 0, 1), ("POOL", 3, 2, 0), ("CONV", 256, 5, 1, 2, groups), ("POOL", 3, 2, 0),
            ("CONV", 384, 3, 1, 1, 1), ("CONV", 384, 3, 1, 1, groups), ("CONV", 256, 3, 1, 1, groups),
            ("POOL", 3, 2, 0), ("FC", 4096), ("FC", 4096), ("FC", 1000))


def _network(shape: Shape, layers: Layers) -> Network:
    network = Network(shape)
    for kind, *settings in layers:
        if kind == "CONV":
            filters, kernel, stride, padding, groups = settings
            network.add(Conv2d(filters, kernel, stride, padding, groups=groups))
        elif kind == "POOL":
            network.add(MaxPool2d(*settings))
        else:
            if len(network.output_shape) > 1:
                network.add(Flatten())
            network.add(Linear(*settings))
    return network


@dataclass(frozen=True)
class _Count:
    """A count of the whole network, with one thing or another done wrong."""

    out: Callable[[int, int, int, int], int] = lambda n, f, s, p: (n - f + 2 * p) // s + 1
    weights: Callable[..., int] = lambda k, c, f, g: k * (c // g) * f * f
    biases: Callable[..., int] = lambda k, c, g: k
    positions: Callable[[int, int], int] = lambda before, after: after
    after_pool: Callable[[int, int], int] = lambda channels, kernel: channels
    features: Callable[[Shape, Shape], int] = lambda picture, shape: math.prod(shape)
    stored: tuple[str, ...] = ("INPUT", "CONV", "POOL", "FC")
    dense_bias: int = 1
    dense_work: bool = True
    bias_work: int = 0

    def __call__(self, picture: Shape, layers: Layers) -> tuple[int, int, int]:
        shape, parameters, work, kept = picture, 0, 0, math.prod(picture) * ("INPUT" in self.stored)
        for kind, *settings in layers:
            if kind == "FC":
                inputs = self.features(picture, shape) if len(shape) == 3 else shape[0]
                units, = settings
                parameters += units * (inputs + self.dense_bias)
                work += units * (inputs + self.bias_work) * self.dense_work
                shape = (units,)
            else:
                kernel, stride, padding = settings[1:4] if kind == "CONV" else settings
                channels, height, width = shape
                size = tuple(self.out(n, kernel, stride, padding) for n in (height, width))
                if kind == "CONV":
                    filters, groups = settings[0], settings[4]
                    weights = self.weights(filters, channels, kernel, groups)
                    parameters += weights + self.biases(filters, channels, groups)
                    work += (weights + self.bias_work * filters) * self.positions(height * width, math.prod(size))
                else:
                    filters = self.after_pool(channels, kernel)
                shape = (filters, *size)
            kept += math.prod(shape) * (kind in self.stored)
        return parameters, work, kept


_right = _Count()


def _with(**changes: Any) -> Callable[..., Any]:
    return replace(_right, **changes)


def _rounded_up(n: int, f: int, s: int, p: int) -> int:
    return -((f - n - 2 * p) // s) + 1


def _pools(layers: Layers, change: Callable[[int, int, int], tuple[int, int, int]]) -> Layers:
    """The layers with other settings of their pools."""
    return tuple(("POOL", *change(*layer[1:])) if layer[0] == "POOL" else layer for layer in layers)


def _channels_kept(shape: Shape, layers: Layers) -> tuple[int, int, int]:
    """Each layer's numbers are right for its input, but the channels are always the picture's."""
    parameters, work, kept = 0, 0, math.prod(shape)
    for layer in layers:
        p, m, a = _right(shape, (layer,))
        parameters, work, kept = parameters + p, work + m, kept + a - math.prod(shape)
        out = _network(shape, (layer,)).output_shape
        shape = out if layer[0] == "FC" else (shape[0], *out[1:])
    return parameters, work, kept


def _maps_kept(shape: Shape, layers: Layers) -> tuple[int, int, int]:
    """An FC's units are taken for channels of maps that still have their size."""
    parameters, work, kept = 0, 0, math.prod(shape)
    for layer in layers:
        p, m, a = _right(shape, (layer,))
        parameters, work, kept = parameters + p, work + m, kept + a - math.prod(shape)
        shape = (layer[1], *shape[1:]) if layer[0] == "FC" else _network(shape, (layer,)).output_shape
    return parameters, work, kept


def _relus_counted(shape: Shape, layers: Layers) -> tuple[int, int, int]:
    """Outputs of convolutions and of FCs but the last are counted a second time, as those of the ReLUs after them."""
    parameters, work, kept = _right(shape, layers)
    again = replace(_right, stored=("CONV", "FC"))(shape, layers)[2]
    return parameters, work, kept + again - (layers[-1][1] if layers[-1][0] == "FC" else 0)


@exercise("network_cost", notebook=NOTEBOOK, points=4, tolerance=1e-12)
class NetworkCost:
    """Parameters, multiply-adds and activations of a whole network.

    `in_shape` is (channels, height, width). `layers` lists tuples: ("CONV", filters, kernel_size, stride, padding,
    groups), ("POOL", kernel_size, stride, padding) and ("FC", units). Sizes are rounded down; the first FC reads all
    numbers of what came before it. Return three numbers: parameters, biases included; multiply-adds of CONV and FC
    without biases; activations, that is the numbers of the input and of the output of every layer in the list.
    """

    def network_cost(in_shape, layers):
        network = _network(in_shape, layers)
        return network.parameter_count(), network.multiply_adds(), network.activation_count()

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        yield Case("one convolution", ((1, 6, 6), (("CONV", 3, 3, 1, 0, 1),)))
        yield Case("one FC", ((2, 3, 4), (("FC", 7),)))
        yield Case("convolution, pool, FC", ((3, 8, 8), SMALL))
        yield Case("two FCs", ((2, 4, 4), (("CONV", 5, 3, 1, 1, 1), ("FC", 6), ("FC", 3))))
        yield Case("taller than wide", ((3, 16, 10), (*SMALL[:2], *SMALL)))
        yield Case("groups", ((4, 6, 6), (("CONV", 8, 3, 1, 1, 4), ("POOL", 3, 1, 1), ("CONV", 6, 1, 1, 0, 2))))
        yield Case("something left over", ((1, 11, 15), (("CONV", 2, 4, 2, 1, 1), ("POOL", 2, 2, 0), ("FC", 3))))
        yield Case("LeNet-5", ((1, 32, 32), LENET))
        yield Case("AlexNet, two groups", ((3, 227, 227), alexnet(2)))
        yield Case("no FC, overlapping pools", ((3, 20, 17), (("CONV", 6, 5, 2, 2, 3), ("POOL", 3, 2, 1),
                                                             ("CONV", 4, 3, 1, 0, 2))))
        height, width = (int(n) for n in rng.choice(np.arange(30, 50), 2, replace=False))
        few, many, groups = (int(n) for n in rng.integers([2, 4, 2], [4, 8, 4]))
        yield Case("drawn at random", ((few, height, width), (
            ("CONV", groups * few, 3, 2, 1, 1), ("POOL", 2, 2, 0), ("CONV", groups * many, 5, 1, 2, groups),
            ("POOL", 3, 2, 0), ("FC", many), ("FC", few))))

    returns = ("parameters", "multiply_adds", "activations")
    misconceptions = (
        Misconception("biases forgotten", "Every filter has a bias, and so has every unit of an FC layer.",
                      _with(biases=lambda k, c, g: 0, dense_bias=0)),
        Misconception("biases of convolutions forgotten",
                      "Every filter has a bias too, not only the units of FC layers.",
                      _with(biases=lambda k, c, g: 0)),
        Misconception("biases of FC layers forgotten",
                      "Every unit of an FC layer has a bias too.", _with(dense_bias=0)),
        Misconception("bias once per channel", "A filter has one bias, not one for each of its channels.",
                      _with(biases=lambda k, c, g: k * (c // g))),
        Misconception("groups ignored", "With groups a filter sees only the channels of its own group.",
                      _with(weights=lambda k, c, f, g: k * c * f * f)),
        Misconception("groups divided out twice", "Groups make filters less deep; there are as many of them as before.",
                      _with(weights=lambda k, c, f, g: (k // g) * (c // g) * f * f)),
        Misconception("filters of one channel", "A filter spans the channels of its input.",
                      _with(weights=lambda k, c, f, g: k * f * f)),
        Misconception("kernels not squared", "A kernel of size 3 has 3 rows of 3 weights.",
                      _with(weights=lambda k, c, f, g: k * (c // g) * f)),
        Misconception("work without positions", "Each weight of a filter works once at every position of the output.",
                      _with(positions=lambda before, after: 1)),
        Misconception("work at the input's positions", "A filter works once for each position of the *output*.",
                      _with(positions=lambda before, after: before)),
        Misconception("work of FC layers forgotten", "An FC layer has one multiply-add for each of its weights.",
                      _with(dense_work=False)),
        Misconception("biases counted as multiply-adds",
                      "Multiply-adds are counted without biases.", _with(bias_work=1)),
        Misconception("multiplications and additions counted apart",
                      "One multiplication with the addition that follows it is one multiply-add, not two.",
                      lambda shape, layers: tuple(np.multiply(_right(shape, layers), (1, 2, 1)).tolist())),
        Misconception("bytes instead of numbers", "Activations are counted in numbers, whatever memory each takes.",
                      lambda shape, layers: tuple(np.multiply(_right(shape, layers), (1, 1, 4)).tolist())),
        Misconception("padding ignored", "The window slides over the padded input.",
                      _with(out=lambda n, f, s, p: (n - f) // s + 1)),
        Misconception("padding counted once", "The padding lies on both sides.",
                      _with(out=lambda n, f, s, p: (n - f + p) // s + 1)),
        Misconception("sizes rounded up", "Where the last step would stick out it is left out: round down.",
                      _with(out=_rounded_up)),
        Misconception("pooling changes the channels", "Pooling works in each map on its own: the channels stay.",
                      _with(after_pool=lambda channels, kernel: channels // kernel or 1),
                      also=(_with(after_pool=lambda channels, kernel: 1),)),
        Misconception("FC reads one number for each channel",
                      "The first FC reads all numbers that came before it: channels times height times width.",
                      _with(features=lambda picture, shape: shape[0])),
        Misconception("FC reads the picture",
                      "The first FC reads what the layer before it gives, whose size and channels have changed.",
                      _with(features=lambda picture, shape: math.prod(picture)),
                      also=(_with(features=lambda picture, shape: shape[0] * picture[1] * picture[2]),)),
        Misconception("FC reads one map", "The first FC reads all maps, not only one of them.",
                      _with(features=lambda picture, shape: shape[1] * shape[2])),
        Misconception("input not among the activations", "The input is counted among the activations.",
                      _with(stored=("CONV", "POOL", "FC"))),
        Misconception("pools not among the activations", "What a pool gives is stored too: it is another array.",
                      _with(stored=("INPUT", "CONV", "FC"))),
        Misconception("FC outputs not among the activations", "What an FC layer gives is stored too.",
                      _with(stored=("INPUT", "CONV", "POOL"))),
        Misconception("channels not updated",
                      "After a convolution there are as many channels as it has filters: the next layer reads those.",
                      _channels_kept),
        Misconception("a second FC reads the maps again",
                      "After an FC there are no maps any more: the next FC reads one number for each of its units.",
                      _maps_kept),
        Misconception("pools moved by their window",
                      "A pool has a stride of its own, which may differ from its window.",
                      lambda shape, layers: _right(shape, _pools(layers, lambda f, s, p: (f, f, p)))),
        Misconception("padding of pools ignored", "A pool may have padding too.",
                      lambda shape, layers: _right(shape, _pools(layers, lambda f, s, p: (f, s, 0)))),
        Misconception("ReLUs among the activations", "ReLUs work in place; only the layers in the list are counted.",
                      _relus_counted),
        Misconception("only the final output", "The outputs of all layers are activations, not only the last one's.",
                      lambda shape, layers: (*_right(shape, layers)[:2],
                                             math.prod(_network(shape, layers).output_shape))),
        Misconception("values in another order", "The order is parameters, multiply-adds, activations.",
                      lambda shape, layers: tuple(_right(shape, layers)[i] for i in (1, 0, 2)),
                      also=(lambda shape, layers: tuple(_right(shape, layers)[i] for i in (0, 2, 1)),)),
    )
    hints = (
        "Follow the shape from layer to layer, and add to three counters on the way.",
        "Begin with the shape of the input and count its numbers among the activations. For each layer: compute the "
        "new shape, then the layer's parameters and multiply-adds, then the numbers of the new shape.",
        "Unpack with kind, *settings = layer. CONV: filters * (channels // groups) * kernel_size ** 2 weights, each "
        "used at every new position. POOL: a new size only. FC: the product of the shape before it, times the units.",
    )
