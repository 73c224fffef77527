"""How far apart the positions of a network lie in the picture, and how large its map of scores becomes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.exercises import words
from autograder.exercises.fc_to_conv.common import NOTEBOOK, Layers, conv, pool, sizes, vgg16
from autograder.exercises.making import in_answer
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise


def _product(layers: Layers, keep: Callable[[str], bool] = lambda kind: True) -> int:
    return int(np.prod([stride for kind, _, _, stride, _ in layers if keep(kind)], dtype=int))


def _followed(picture_size, layers):
    """Layer after layer."""
    height, width = picture_size
    for _kind, _channels, (down, right), stride, padding in layers:
        height = (height - down + 2 * padding) // stride + 1
        width = (width - right + 2 * padding) // stride + 1
    return height, width


SIZES = Written.of(_followed)


def _by_rule(rule: str) -> Callable[..., Any]:
    """Another rule for one axis of one layer, in `n`, `f`, `stride` and `padding`."""
    right = "({n} - {f} + 2 * padding) // stride + 1"
    return SIZES.edited({right.format(n=n, f=f): rule.replace("n", n, 1).replace("f", f)
                         for n, f in (("height", "down"), ("width", "right"))})


def small_network(rng: np.random.Generator, padding: int) -> Layers:
    """A classifier for small pictures: convolution, pooling, convolution, and two layers that were fully connected."""
    first, second, outputs = (int(n) for n in rng.integers(2, 6, 3))
    return (conv(first, 3, 1, padding), pool(first), conv(second, (3, 2), 1, 0), conv(7, (2, 3)), conv(outputs, 1))


@exercise("score_map_size", notebook=NOTEBOOK, points=3, answers=("network_stride", "score_map_size"))
class ScoreMapSize:
    """How far apart the positions of a network lie, and how many of them a picture has.

    layers is a list of descriptions (kind, out_channels, kernel_size, stride, padding), in the order of the network;
    kind is "conv" or "pool", kernel_size a pair (height, width), the others are whole numbers. Fully connected layers
    have become convolutions. network_stride returns how many pixels lie between neighboring positions of the last map.
    score_map_size returns (rows, columns) of that map for a picture of picture_size = (H, W). All layers round down.
    """

    def network_stride(layers):
        return _product(layers)

    def score_map_size(picture_size, layers):
        return sizes(picture_size, layers)[-1]

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        digits = (conv(12, 5), pool(12), conv(32, 5), conv(64, 4), conv(11, 1))
        strided = (conv(8, (5, 3), 3, 1), conv(8, 3, 2, 1), pool(8, (2, 3), 2), conv(5, (2, 2)))
        overlapping = (conv(4, 3, 1, 1), pool(4, 3, 2), conv(6, 3, 2, 1), pool(6, 3, 3, 1), conv(3, (3, 2)))
        few, wide, step = int(rng.integers(2, 9)), int(rng.integers(3, 9)), int(rng.integers(2, 5))
        yield Case("one convolution", ((conv(few, wide, step),),))
        yield Case("one pooling layer", ((conv(few, 3), pool(wide)),))
        yield Case("VGG-16", (vgg16(),))
        yield Case("strided convolutions and a pooling layer", ((*strided, conv(few, wide, 1, 1)),))
        yield Case("strides 2, 2 and 3", ((*overlapping, conv(few, (3, wide))),))
        yield Case("a stride of 1 throughout", ((conv(few, 5), conv(6, (3, wide))),))
        size = "score_map_size"
        yield Case("one convolution", ((9, 9), (conv(4, 3),)), size)
        yield Case("the size that VGG-16 was made for", ((224, 224), vgg16()), size)
        yield Case("VGG-16 on 384 pixels", ((384, 384), vgg16()), size)
        yield Case("VGG-16 on a wide picture", ((256, 480), vgg16()), size)
        yield Case("a network for digits, on a tall picture", ((120 + few, 61 + wide), digits), size)
        height, width = (int(n) for n in rng.integers(60, 160, 2))
        yield Case("strides in convolutions, padding", ((height, width + 160), strided), size)
        yield Case("overlapping pooling", ((width + 200, height), overlapping), size)
        yield Case("kernels that are not square", ((height + 31, width), small_network(rng, 1)), size)
        yield Case("padding larger than one", ((40, 71), (conv(3, 7, 2, 3), pool(3, 3, 2, 1), conv(5, (7, 9)))), size)

    misconceptions = (
        Misconception(*words.STRIDES_ADDED, lambda layers: sum(layer[3] for layer in layers)),
        Misconception("only the last stride", "All layers below take larger steps in the picture too.",
                      lambda layers: layers[-1][3]),
        Misconception("only the first stride",
                      "The strides of all layers work together. If you have a loop: does the return stand after it?",
                      lambda layers: layers[0][3]),
        Misconception("strides squared", "How far apart positions lie is asked for along one axis, not as an area.",
                      lambda layers: _product(layers) ** 2),
        Misconception("only the largest stride", "The strides of all layers work together.",
                      lambda layers: max(layer[3] for layer in layers)),
        Misconception("strides of pooling left out", "Pooling layers take steps as well.",
                      lambda layers: _product(layers, lambda kind: kind == "conv")),
        Misconception("strides of convolutions left out", "Convolutions may take larger steps too.",
                      lambda layers: _product(layers, lambda kind: kind == "pool")),
        Misconception("kernel sizes multiplied",
                      "How far apart two windows lie is the stride's business, not that of their size.",
                      lambda layers: math.prod(layer[2][0] for layer in layers)),
        Misconception("two for each pooling layer",
                      "A pooling layer may have another stride than 2, and a convolution too.",
                      lambda layers: 2 ** sum(layer[0] == "pool" for layer in layers)),
        *in_answer(
            "score_map_size",
            Misconception("picture divided by the stride",
                          "Windows take away something too: a picture as large as the network was made for has one "
                          "position.", lambda size, layers: tuple(length // _product(layers) for length in size)),
            Misconception(*words.ONE_FORGOTTEN, _by_rule("(n - f + 2 * padding) // stride")),
            Misconception(*words.ROUNDED_UP, _by_rule("-(-(n - f + 2 * padding) // stride) + 1")),
            Misconception(*words.PADDING_COUNTED_ONCE, _by_rule("(n - f + padding) // stride + 1")),
            Misconception(*words.PADDING_IGNORED, _by_rule("(n - f) // stride + 1")),
            Misconception("padding taken away", "Padding makes the maps larger: it is added on both sides.",
                          _by_rule("(n - f - 2 * padding) // stride + 1")),
            Misconception("the one added too early",
                          "The division counts steps, and the first position is added after it: it is no part of what "
                          "is divided.", _by_rule("(n - f + 2 * padding + 1) // stride")),
            Misconception(*words.NOT_ROUNDED, _by_rule("(n - f + 2 * padding) / stride + 1")),
            Misconception(*words.FIRST_LAYER, lambda size, layers: _followed(size, layers[:1])),
            Misconception("every layer begins with the picture",
                          "Each layer works on the maps that the layer before has made, not on the picture.",
                          lambda size, layers: _followed(size, layers[-1:])),
            Misconception("width computed from the height", "The width follows from the width, with the same rule.",
                          SIZES.edited({"(width - right": "(height - right"})),
            Misconception(*words.STRIDE_IGNORED, _by_rule("n - f + 2 * padding + 1")),
            Misconception(*words.POOLING_LEFT_OUT,
                          SIZES.edited({"in layers": 'in [one for one in layers if one[0] == "conv"]'})),
            Misconception("convolutions keep the size",
                          "A convolution keeps the size only where its padding makes up for its window. Those that "
                          "were fully connected layers have large windows and no padding.",
                          SIZES.edited({"in layers": 'in [one for one in layers if one[0] == "pool"]'})),
            Misconception("last layers left out", "The map of scores comes out of the last layer.",
                          SIZES.edited({"in layers": "in layers[:-1]"}),
                          also=(SIZES.edited({"in layers": "in layers[:-2]"}),
                                SIZES.edited({"in layers": "in layers[:-3]"}))),
            Misconception(*words.SQUARE_KERNELS, SIZES.edited({"width - right": "width - down"})),
            Misconception(*words.KERNEL_SWAPPED, SIZES.edited({"(down, right)": "(right, down)"})),
            Misconception(*words.SQUARE_INPUTS, lambda size, layers: _followed((size[0], size[0]), layers),
                          also=(lambda size, layers: (_followed(size, layers)[0],) * 2,)),
            Misconception("columns before rows in the result", "The result is (rows, columns), like (height, width).",
                          lambda size, layers: _followed(size, layers)[::-1]),
        ),
    )
    hints = (
        "Two neighboring outputs of the last pooling layer of VGG: how far apart in its input? How far apart is that "
        "in the maps before the pooling layer before it?",
        "network_stride is a product over all layers. For the size, go through the layers one by one with the rule "
        "that you know from the first notebook, for height and width.",
        "Unpack each layer in the loop: `for kind, out_channels, (kernel_height, kernel_width), stride, padding in "
        "layers:`. One line gives the new height from the old one, a second one the new width; both round down.",
    )
