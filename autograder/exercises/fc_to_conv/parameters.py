"""How many parameters a fully connected layer has, and how many a convolution."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.exercises import words
from autograder.exercises.fc_to_conv.common import NOTEBOOK
from autograder.exercises.making import in_answer
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse.layers import Conv2d, Layer, Linear


def _counted(layer: Layer, shape: Any) -> tuple[int, int]:
    """Weights and biases of a layer."""
    shapes = layer.parameter_shapes(shape)
    return math.prod(shapes["weight"]), math.prod(shapes["bias"])


def _positions(shape: tuple[int, ...], kernel_size: tuple[int, ...], stride: int) -> int:
    """How many places a filter has."""
    return math.prod((length - taps) // stride + 1 for length, taps in zip(shape[1:], kernel_size, strict=True))


@exercise("fc_conv_parameters", notebook=NOTEBOOK, points=2, answers=("fc_parameters", "conv_parameters"))
class FCConvParameters:
    """How many parameters the two forms have.

    input_shape is (C, H, W). fc_parameters counts those of a fully connected layer on the flattened maps,
    conv_parameters those of a convolutional layer with `out_channels` filters of kernel_size = (KH, KW), moved by
    `stride`, no padding. Both return a tuple (weights, biases) of whole numbers.
    """

    def fc_parameters(input_shape, out_features):
        return _counted(Linear(out_features), (math.prod(input_shape),))

    def conv_parameters(input_shape, out_channels, kernel_size, stride):
        return _counted(Conv2d(out_channels, kernel_size, stride=stride), input_shape)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        shape = tuple(int(n) for n in rng.permutation([5, 6, 8]))
        units, filters = int(rng.integers(10, 99)), int(rng.integers(3, 30))
        yield Case("one channel", ((1, 3, 3), units))
        yield Case("VGG's first fully connected layer", ((512, 7, 7), 4096))
        yield Case("VGG's last layer", ((4096, 1, 1), 1000))
        yield Case("maps wider than tall", ((filters, 4, 6), units))
        yield Case("drawn at random", (shape, int(rng.integers(10, 30))))
        conv = "conv_parameters"
        yield Case("one channel, one filter", ((1, 5, 4 + filters), 1, (3, 3), 1), conv)
        yield Case("VGG's first fully connected layer as a convolution", ((512, 7, 7), 4096, (7, 7), 1), conv)
        yield Case("the same layer on larger maps", ((512, 9 + filters, 12), 4096, (7, 7), 1), conv)
        yield Case("VGG's first layer", ((3, 224, 224), 64, (3, 3), 1), conv)
        yield Case("AlexNet's first layer", ((3, 227, 227), 96, (11, 11), 4), conv)
        yield Case("a filter wider than tall", ((4, 6, 9), units, (2, 3), 1), conv)
        yield Case("drawn at random, stride 2", ((shape[0], 9, 7), int(rng.integers(10, 30)), (3, 4), 2), conv)

    misconceptions = (
        Misconception(*words.DEPTH_FORGOTTEN, lambda shape, k: (shape[1] * shape[2] * k, k)),
        Misconception(*words.BIASES_FORGOTTEN, lambda shape, k: (math.prod(shape) * k, 0)),
        Misconception("one bias only", "Each output has a bias of its own.",
                      lambda shape, k: (math.prod(shape) * k, 1)),
        Misconception("one bias for each input", "The bias is added to an output: there are as many as outputs.",
                      lambda shape, k: (math.prod(shape) * k, math.prod(shape)),
                      also=(lambda shape, k: (math.prod(shape) * k, shape[0]),)),
        Misconception(*words.BIAS_FOR_EACH_WEIGHT, lambda shape, k: (math.prod(shape) * k,) * 2),
        Misconception(*words.BIASES_AMONG_WEIGHTS, lambda shape, k: ((math.prod(shape) + 1) * k, k)),
        Misconception(*words.ONE_NUMBER_FOR_BOTH, lambda shape, k: (math.prod(shape) + 1) * k),
        Misconception(*words.SQUARE_INPUTS, lambda shape, k: (shape[0] * shape[1] * shape[1] * k, k),
                      also=(lambda shape, k: (shape[0] * shape[2] * shape[2] * k, k),)),
        Misconception(*words.HEIGHT_AND_WIDTH_ADDED, lambda shape, k: (shape[0] * (shape[1] + shape[2]) * k, k)),
        Misconception("inputs and outputs added", "Each output has a weight for each input: their numbers multiply.",
                      lambda shape, k: (math.prod(shape) + k, k)),
        Misconception("one output only", "Each output has a whole row of weights.",
                      lambda shape, k: (math.prod(shape), k)),
        *in_answer(
            "conv_parameters",
            Misconception(*words.DEPTH_FORGOTTEN, lambda shape, k, f, s: (f[0] * f[1] * k, k),
                          detail="Sharing means that a filter keeps its weights from position to position. Within one "
                                 "window each weight is used once."),
            Misconception("counted at each position",
                          "A filter keeps its weights and its bias from position to position. However many positions "
                          "there are, they count once.",
                          lambda shape, k, f, s: (shape[0] * f[0] * f[1] * k * _positions(shape, f, s),
                                                  k * _positions(shape, f, s))),
            Misconception("a bias at each position",
                          "The bias belongs to the filter, and is shared by all positions like the weights.",
                          lambda shape, k, f, s: (shape[0] * f[0] * f[1] * k, k * _positions(shape, f, s))),
            Misconception("as large as the input",
                          "A filter is as large as its window, and reaches over the whole input only if the window "
                          "does.", lambda shape, k, f, s: (math.prod(shape) * k, k)),
            Misconception(*words.BIASES_FORGOTTEN, lambda shape, k, f, s: (shape[0] * f[0] * f[1] * k, 0)),
            Misconception(*words.BIAS_FOR_EACH_CHANNEL,
                          lambda shape, k, f, s: (shape[0] * f[0] * f[1] * k, shape[0] * k),
                          also=(lambda shape, k, f, s: (shape[0] * f[0] * f[1] * k, shape[0]),)),
            Misconception("one filter only", "Each of the filters has weights of its own.",
                          lambda shape, k, f, s: (shape[0] * f[0] * f[1], k),
                          also=(lambda shape, k, f, s: (shape[0] * f[0] * f[1], 1),)),
            Misconception("stride counted in",
                          "The stride decides how far the filter moves, and so about its positions. It has no weights.",
                          lambda shape, k, f, s: (shape[0] * f[0] * f[1] * k * s, k),
                          also=(lambda shape, k, f, s: (shape[0] * f[0] * f[1] * k // s, k),
                                lambda shape, k, f, s: (shape[0] * f[0] * f[1] * k // s**2, k))),
            Misconception(*words.BIASES_AMONG_WEIGHTS, lambda shape, k, f, s: ((shape[0] * f[0] * f[1] + 1) * k, k)),
            Misconception(*words.ONE_NUMBER_FOR_BOTH, lambda shape, k, f, s: (shape[0] * f[0] * f[1] + 1) * k),
            Misconception(*words.BIAS_FOR_EACH_WEIGHT, lambda shape, k, f, s: (shape[0] * f[0] * f[1] * k,) * 2),
            Misconception(*words.ONE_BIAS, lambda shape, k, f, s: (shape[0] * f[0] * f[1] * k, 1)),
            Misconception(*words.SQUARE_KERNELS, lambda shape, k, f, s: (shape[0] * f[0] * f[0] * k, k),
                          also=(lambda shape, k, f, s: (shape[0] * f[1] * f[1] * k, k),)),
        ),
    )
    hints = (
        "For one output: how many numbers does it see, and how many numbers does it add at the end?",
        "Fully connected: every output sees all C * H * W inputs. Convolution: a filter sees its window, in full "
        "depth. Where does the size of the picture come in?",
        "Multiply the weights of one output, or of one filter, by their number. Stride, height and width of the "
        "picture decide about the work of a convolution, not about its parameters.",
    )
