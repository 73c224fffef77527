"""How many parameters a fully connected layer has, and how many a convolution."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.exercises.fc_to_conv import mistakes
from autograder.exercises.fc_to_conv.common import NOTEBOOK
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse.layers import Conv2d, Linear


@exercise("fc_conv_parameters", notebook=NOTEBOOK, points=2, answers=("fc_parameters", "conv_parameters"))
class FCConvParameters:
    """How many parameters the two forms have.

    input_shape is (C, H, W). fc_parameters counts those of a fully connected layer on the flattened maps,
    conv_parameters those of a convolutional layer with `out_channels` filters of kernel_size = (KH, KW), moved by
    `stride`, no padding. Both return a tuple (weights, biases) of whole numbers.
    """

    def fc_parameters(input_shape, out_features):
        return mistakes.counted(Linear(out_features), (int(np.prod(input_shape)),))

    def conv_parameters(input_shape, out_channels, kernel_size, stride):
        return mistakes.counted(Conv2d(out_channels, kernel_size, stride=stride), input_shape)

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
        Misconception("depth forgotten",
                      "Each output sees the maps in their full depth: every channel has weights of its own.",
                      lambda shape, k: (shape[1] * shape[2] * k, k)),
        Misconception("no biases", "Each output has a bias.", lambda shape, k: (int(np.prod(shape)) * k, 0)),
        Misconception("one bias only", "Each output has a bias of its own.",
                      lambda shape, k: (int(np.prod(shape)) * k, 1)),
        Misconception("one bias for each input", "The bias is added to an output: there are as many as outputs.",
                      lambda shape, k: (int(np.prod(shape)) * k, int(np.prod(shape))),
                      also=(lambda shape, k: (int(np.prod(shape)) * k, shape[0]),)),
        Misconception("a bias for each weight", "The bias is added once to each output, not to each product.",
                      lambda shape, k: (int(np.prod(shape)) * k,) * 2),
        Misconception("biases counted as weights", "The two numbers are asked for one by one.",
                      lambda shape, k: ((int(np.prod(shape)) + 1) * k, k)),
        Misconception("one number for both", "Return weights and biases as two numbers.",
                      lambda shape, k: (int(np.prod(shape)) + 1) * k),
        Misconception("height used twice", "Height and width of the maps are two numbers.",
                      lambda shape, k: (shape[0] * shape[1] * shape[1] * k, k),
                      also=(lambda shape, k: (shape[0] * shape[2] * shape[2] * k, k),)),
        Misconception("height and width added", "Maps of H rows and W columns have H times W numbers.",
                      lambda shape, k: (shape[0] * (shape[1] + shape[2]) * k, k)),
        Misconception("inputs and outputs added", "Each output has a weight for each input: their numbers multiply.",
                      lambda shape, k: (int(np.prod(shape)) + k, k)),
        Misconception("one output only", "Each output has a whole row of weights.",
                      lambda shape, k: (int(np.prod(shape)), k)),
        Misconception("shared over the depth",
                      "Sharing means that a filter keeps its weights from position to position. Within one window each "
                      "weight is used once: the filter spans the full depth of its input, with other weights in each "
                      "channel.",
                      lambda shape, k, f, s: (f[0] * f[1] * k, k), "conv_parameters"),
        Misconception("counted at each position",
                      "A filter keeps its weights and its bias from position to position. However many positions there "
                      "are, they count once.",
                      lambda shape, k, f, s: mistakes.at_each_position(shape, k, f, s, (True, True)),
                      "conv_parameters"),
        Misconception("a bias at each position",
                      "The bias belongs to the filter, and is shared by all positions like the weights.",
                      lambda shape, k, f, s: mistakes.at_each_position(shape, k, f, s, (False, True)),
                      "conv_parameters"),
        Misconception("as large as the input",
                      "A filter is as large as its window, and reaches over the whole input only if the window does.",
                      lambda shape, k, f, s: (int(np.prod(shape)) * k, k), "conv_parameters"),
        Misconception("filters without biases", "Each filter has a bias.",
                      lambda shape, k, f, s: (shape[0] * f[0] * f[1] * k, 0), "conv_parameters"),
        Misconception("a bias for each channel of a filter",
                      "The bias is added after the sum over the channels: one for each filter.",
                      lambda shape, k, f, s: (shape[0] * f[0] * f[1] * k, shape[0] * k), "conv_parameters",
                      also=(lambda shape, k, f, s: (shape[0] * f[0] * f[1] * k, shape[0]),)),
        Misconception("one filter only", "Each of the filters has weights of its own.",
                      lambda shape, k, f, s: (shape[0] * f[0] * f[1], k), "conv_parameters",
                      also=(lambda shape, k, f, s: (shape[0] * f[0] * f[1], 1),)),
        Misconception("stride counted in",
                      "The stride decides how far the filter moves, and so about its positions. It has no weights.",
                      lambda shape, k, f, s: (shape[0] * f[0] * f[1] * k * s, k), "conv_parameters",
                      also=(lambda shape, k, f, s: (shape[0] * f[0] * f[1] * k // s, k),
                            lambda shape, k, f, s: (shape[0] * f[0] * f[1] * k // s**2, k))),
        Misconception("biases of filters counted as weights", "The two numbers are asked for one by one.",
                      lambda shape, k, f, s: ((shape[0] * f[0] * f[1] + 1) * k, k), "conv_parameters"),
        Misconception("one number for weights and biases", "Return weights and biases as two numbers.",
                      lambda shape, k, f, s: (shape[0] * f[0] * f[1] + 1) * k, "conv_parameters"),
        Misconception("a bias for each weight of a filter", "A filter adds its bias once, not to each product.",
                      lambda shape, k, f, s: (shape[0] * f[0] * f[1] * k,) * 2, "conv_parameters"),
        Misconception("one bias for all filters", "Each filter has a bias of its own.",
                      lambda shape, k, f, s: (shape[0] * f[0] * f[1] * k, 1), "conv_parameters"),
        Misconception("only square filters", "kernel_size holds two numbers, height and width.",
                      lambda shape, k, f, s: (shape[0] * f[0] * f[0] * k, k), "conv_parameters",
                      also=(lambda shape, k, f, s: (shape[0] * f[1] * f[1] * k, k),)),
    )
    hints = (
        "For one output: how many numbers does it see, and how many numbers does it add at the end?",
        "Fully connected: every output sees all C * H * W inputs. Convolution: a filter sees its window, in full "
        "depth. Where does the size of the picture come in?",
        "Multiply the weights of one output, or of one filter, by their number. Stride, height and width of the "
        "picture decide about the work of a convolution, not about its parameters.",
    )
