"""A whole network, counted."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.exercises import words
from autograder.exercises.architectures.patterns import NOTEBOOK
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse.layers import Conv2d, Flatten, Linear, MaxPool2d
from cnncourse.network import Network

Layers = tuple[tuple[Any, ...], ...]

SMALL = (("CONV", 4, 3, 1, 1, 1), ("POOL", 2, 2, 0), ("FC", 5))
LENET = (("CONV", 6, 5, 1, 0, 1), ("POOL", 2, 2, 0), ("CONV", 16, 5, 1, 0, 1), ("POOL", 2, 2, 0), ("FC", 120),
         ("FC", 84), ("FC", 10))


def alexnet(groups: int) -> Layers:
    """AlexNet's layers, as the exercise lists them."""
    return (("CONV", 96, 11, 4, 0, 1), ("POOL", 3, 2, 0), ("CONV", 256, 5, 1, 2, groups), ("POOL", 3, 2, 0),
            ("CONV", 384, 3, 1, 1, 1), ("CONV", 384, 3, 1, 1, groups), ("CONV", 256, 3, 1, 1, groups),
            ("POOL", 3, 2, 0), ("FC", 4096), ("FC", 4096), ("FC", 1000))


def _network(shape: tuple[int, ...], layers: Layers) -> Network:
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


def _counted(in_shape, layers):
    """A right answer, of which wrong ones are edits."""
    shape = in_shape
    parameters, work, stored = 0, 0, math.prod(shape)
    for kind, *settings in layers:
        if kind == "FC":
            inputs, units = math.prod(shape), settings[0]
            parameters += units * (inputs + 1)
            work += units * inputs
            shape = (units,)
        else:
            channels, height, width = shape
            filters, kernel, stride, padding, groups = settings if kind == "CONV" else (channels, *settings, 1)
            rows = (height + 2 * padding - kernel) // stride + 1
            columns = (width + 2 * padding - kernel) // stride + 1
            if kind == "CONV":
                weights = filters * (channels // groups) * kernel * kernel
                parameters += weights + filters
                work += weights * rows * columns
            shape = (filters, rows, columns)
        stored += math.prod(shape)
    return parameters, work, stored


COUNT = Written.of(_counted)


def _by_rule(rule: str) -> Written:
    """Another rule for one axis, in `n`, `padding`, `kernel` and `stride`."""
    return COUNT.edited({f"({side} + 2 * padding - kernel) // stride + 1": rule.replace("n", side, 1)
                         for side in ("height", "width")})


def _fully_connected(inputs: str) -> Written:
    """Another number of inputs of the first FC."""
    return COUNT.edited({"math.prod(shape), settings[0]": f"{inputs} if len(shape) == 3 else shape[0], settings[0]"})


def _pools(change: str) -> Written:
    """Other settings of the pools."""
    return COUNT.edited({"(channels, *settings, 1)": f"(channels, {change}, 1)"})


@exercise("network_cost", notebook=NOTEBOOK, points=4, tolerance=1e-12)
class NetworkCost:
    """Parameters, multiply-adds and activations of a whole network.

    `in_shape` is (channels, height, width). `layers` lists tuples: ("CONV", filters, kernel_size, stride, padding,
    groups), ("POOL", kernel_size, stride, padding) and ("FC", units). Sizes are rounded down; the first FC reads all
    numbers of what came before it. Return three numbers: parameters, biases included; multiply-adds of CONV and FC
    without biases; activations, that is the numbers of the input and of the output of every layer in the list.
    """

    lists = ("layers",)

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
        Misconception(*words.BIASES_FORGOTTEN, COUNT.edited({"inputs + 1": "inputs", "weights + filters": "weights"})),
        Misconception("biases of convolutions forgotten",
                      "Every filter has a bias too, not only the units of FC layers.",
                      COUNT.edited({"weights + filters": "weights"})),
        Misconception("biases of FC layers forgotten", "Every unit of an FC layer has a bias too.",
                      COUNT.edited({"inputs + 1": "inputs"})),
        Misconception(*words.BIAS_FOR_EACH_CHANNEL,
                      COUNT.edited({"weights + filters": "weights + filters * (channels // groups)"})),
        Misconception(*words.GROUPS_IGNORED, COUNT.edited({"channels // groups": "channels"})),
        Misconception(*words.GROUPS_TWICE, COUNT.edited({"// groups)": "// groups) // groups"})),
        Misconception(*words.DEPTH_FORGOTTEN, COUNT.edited({"(channels // groups) * ": ""})),
        Misconception(*words.KERNEL_NOT_SQUARED, COUNT.edited({"kernel * kernel": "kernel"})),
        Misconception(*words.WORK_WITHOUT_POSITIONS, COUNT.edited({"weights * rows * columns": "weights"})),
        Misconception(*words.AT_INPUT_POSITIONS,
                      COUNT.edited({"weights * rows * columns": "weights * height * width"})),
        Misconception("work of FC layers forgotten", "An FC layer has one multiply-add for each of its weights.",
                      COUNT.edited({"work += units": "work += 0"})),
        Misconception(*words.BIASES_AS_WORK,
                      COUNT.edited({"units * inputs": "units * (inputs + 1)",
                                    "weights * rows": "(weights + filters) * rows"})),
        Misconception(*words.COUNTED_APART, COUNT.edited({", work, stored\n": ", 2 * work, stored\n"})),
        Misconception(*words.BYTES, COUNT.edited({", work, stored\n": ", work, 4 * stored\n"})),
        Misconception(*words.PADDING_IGNORED, _by_rule("(n - kernel) // stride + 1")),
        Misconception(*words.PADDING_COUNTED_ONCE, _by_rule("(n + padding - kernel) // stride + 1")),
        Misconception(*words.ROUNDED_UP, _by_rule("-(-(n + 2 * padding - kernel) // stride) + 1")),
        Misconception("pooling changes the channels", "Pooling works in each map on its own: the channels stay.",
                      COUNT.edited({"(channels, *settings": "(channels // settings[0] or 1, *settings"}),
                      also=(COUNT.edited({"(channels, *settings": "(1, *settings"}),)),
        Misconception("FC reads one number for each channel",
                      "The first FC reads all numbers that came before it: channels times height times width.",
                      _fully_connected("shape[0]")),
        Misconception("FC reads the picture",
                      "The first FC reads what the layer before it gives, whose size and channels have changed.",
                      _fully_connected("math.prod(in_shape)"),
                      also=(_fully_connected("shape[0] * in_shape[1] * in_shape[2]"),)),
        Misconception("FC reads one map", "The first FC reads all maps, not only one of them.",
                      _fully_connected("shape[1] * shape[2]")),
        Misconception("input not among the activations", "The input is counted among the activations.",
                      COUNT.edited({"0, 0, math.prod(shape)": "0, 0, 0"})),
        Misconception("pools not among the activations", "What a pool gives is stored too: it is another array.",
                      COUNT.edited({"stored += ": 'stored += (kind != "POOL") * '})),
        Misconception("FC outputs not among the activations", "What an FC layer gives is stored too.",
                      COUNT.edited({"stored += ": 'stored += (kind != "FC") * '})),
        Misconception("channels not updated",
                      "After a convolution there are as many channels as it has filters: the next layer reads those.",
                      COUNT.edited({"shape = (filters": "shape = (channels", "stored += math.prod(shape)":
                                    'stored += math.prod((filters, rows, columns) if kind != "FC" else shape)'})),
        Misconception("a second FC reads the maps again",
                      "After an FC there are no maps any more: the next FC reads one number for each of its units.",
                      COUNT.edited({"shape = (units,)": "shape = (units, *shape[1:])",
                                    "stored += math.prod(shape)":
                                    'stored += units if kind == "FC" else math.prod(shape)'})),
        Misconception("pools moved by their window",
                      "A pool has a stride of its own, which may differ from its window.",
                      _pools("settings[0], settings[0], settings[2]")),
        Misconception("padding of pools ignored", "A pool may have padding too.", _pools("*settings[:2], 0")),
        Misconception("ReLUs among the activations", "ReLUs work in place; only the layers in the list are counted.",
                      COUNT.edited({"stored += ": 'stored += (1 if kind == "POOL" else 2) * ', ", work, stored\n":
                                    ', work, stored - (math.prod(shape) if kind == "FC" else 0)\n'})),
        Misconception("only the final output", "The outputs of all layers are activations, not only the last one's.",
                      COUNT.edited({"stored += ": "stored = "})),
        Misconception("values in another order", "The order is parameters, multiply-adds, activations.",
                      COUNT.edited({"return parameters, work": "return work, parameters"}),
                      also=(COUNT.edited({"return parameters, work, stored": "return parameters, stored, work"}),)),
    )
    hints = (
        "Follow the shape from layer to layer, and add to three counters on the way.",
        "Begin with the shape of the input and count its numbers among the activations. For each layer: compute the "
        "new shape, then the layer's parameters and multiply-adds, then the numbers of the new shape.",
        "Unpack with kind, *settings = layer. CONV: filters * (channels // groups) * kernel_size ** 2 weights, each "
        "used at every new position. POOL: a new size only. FC: the product of the shape before it, times the units.",
    )
