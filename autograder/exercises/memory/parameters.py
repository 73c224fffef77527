"""The second kind of memory: parameters, and what training adds for each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from autograder.exercises import words
from autograder.exercises.memory import common
from autograder.exercises.memory.common import NAMES, NOTEBOOK, STATES
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse.layers.base import size_of

Shape = tuple[int, ...]
Shapes = tuple[Shape, ...]


def _layer(shape: Shape) -> int:
    """Weights and biases of one layer."""
    return size_of(shape) + shape[0]


def _counted(
    layer: Callable[[Shape], int] = _layer, states: Mapping[str, int] = STATES, gradients: int = 1,
    width: Callable[[int], float] = float, take: Callable[[Shapes], Shapes] = lambda shapes: shapes,
) -> Callable[[Shapes, str, int], tuple[Any, ...]]:
    """Bytes by some rule; by default the right one."""
    def counted(weight_shapes: Shapes, optimizer: str, bytes_per_number: int) -> tuple[Any, ...]:
        once = int(sum(map(layer, take(weight_shapes))) * width(bytes_per_number))
        return once, gradients * once, states[optimizer] * once
    return counted


_right = _counted()


def _also_gradient(weight_shapes: Shapes, optimizer: str, bytes_per_number: int) -> tuple[int, ...]:
    once, slopes, caches = _right(weight_shapes, optimizer, bytes_per_number)
    return once, slopes, slopes + caches


def _everything_last(weight_shapes: Shapes, optimizer: str, bytes_per_number: int) -> tuple[int, ...]:
    once, slopes, caches = _right(weight_shapes, optimizer, bytes_per_number)
    return once, slopes, once + slopes + caches


def _running(weight_shapes: Shapes, optimizer: str, bytes_per_number: int) -> tuple[int, ...]:
    once, slopes, caches = _right(weight_shapes, optimizer, bytes_per_number)
    return once, once + slopes, once + slopes + caches


@exercise("parameter_memory", notebook=NOTEBOOK, points=3)
class ParameterMemory:
    """Memory for parameters, their gradients and the optimizer's caches, in bytes.

    `weight_shapes` has one shape for each layer: (K, C, KH, KW) of a convolution or (K, C) of a fully connected layer.
    Each layer has K biases as well. `optimizer` is "sgd", "momentum", "rmsprop" or "adam". Return three whole numbers:
    bytes of all parameters, of all gradients, and of what the optimizer remembers from step to step.
    """

    lists = ("weight_shapes",)

    def parameter_memory(weight_shapes, optimizer, bytes_per_number):
        return _right(weight_shapes, optimizer, bytes_per_number)

    returns = ("parameters", "gradients", "caches")

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        few, more = (int(n) for n in rng.integers([5, 10], [10, 20]))
        yield Case("one fully connected layer, plain SGD", (((few, 84),), "sgd", 4))
        yield Case("one convolution, momentum", (((few, 3, 5, 5),), "momentum", 4))
        yield Case("one convolution, RMSProp", (((more, 4, 3, 3),), "rmsprop", 4))
        yield Case("one convolution, Adam", (((4, more, 3, 3),), "adam", 4))
        yield Case("several layers", (((6, 1, 5, 5), (16, 6, 5, 5), (120, 400), (84, 120), (10, 84)), "momentum", 4))
        yield Case("half precision", (((5, 2, 3, 3), (7, 20)), "sgd", 2))
        yield Case("double precision", (((5, 2, 3, 3), (7, 20)), "adam", 8))
        yield Case("a kernel taller than wide", (((4, 3, 7, 1), (5, 4, 3, 2)), "rmsprop", 4))
        yield Case("a kernel wider than tall", (((4, 3, 1, 7),), "adam", 2))
        yield Case("1x1 kernels and one filter", (((9, 4, 1, 1), (1, 9, 1, 1)), "momentum", 8))
        for optimizer in NAMES:
            shapes = tuple(tuple(int(n) for n in rng.integers([2, 12, 1, 4], [12, 30, 4, 7])) for _ in range(2))
            layers = (*shapes, tuple(int(n) for n in rng.integers([20, 50], [50, 90])))
            yield Case(f"drawn at random, {optimizer}", (layers, optimizer, int(rng.choice([2, 8]))))

    misconceptions = (
        Misconception(*words.BIASES_FORGOTTEN, _counted(layer=size_of)),
        Misconception("a bias for each input channel",
                      "A layer has as many biases as it has outputs, which is the first length of the weight's shape.",
                      _counted(layer=lambda shape: size_of(shape) + shape[1]),
                      also=(_counted(layer=lambda shape: size_of(shape) + shape[1] * (len(shape) == 4)
                                     + shape[0] * (len(shape) == 2)),)),
        Misconception("a bias for each column of the kernel",
                      "A layer has as many biases as it has outputs: that is the first length of the weight's shape, "
                      "not the last.", _counted(layer=lambda shape: size_of(shape) + shape[-1])),
        Misconception("biases of one kind of layer forgotten",
                      "Convolutions have biases, and fully connected layers have them, too.",
                      _counted(layer=lambda shape: size_of(shape) + shape[0] * (len(shape) == 4)),
                      also=(_counted(layer=lambda shape: size_of(shape) + shape[0] * (len(shape) == 2)),)),
        Misconception(*words.LENGTHS_ADDED, _counted(layer=lambda shape: sum(shape) + shape[0])),
        Misconception("biases counted as bytes", "A bias is a number like a weight, and takes as many bytes.",
                      lambda shapes, optimizer, width: tuple(
                          times * sum(size_of(shape) * width + shape[0] for shape in shapes)
                          for times in (1, 1, STATES[optimizer]))),
        Misconception("a number of caches instead of bytes",
                      "The third number is in bytes, too: each cache has a number for every parameter.",
                      lambda shapes, optimizer, width: (*_right(shapes, optimizer, width)[:2], STATES[optimizer])),
        Misconception(*words.BIAS_FOR_EACH_CHANNEL, _counted(layer=lambda shape: size_of(shape) + shape[0] * shape[1])),
        Misconception(*words.ONE_BIAS, _counted(layer=lambda shape: size_of(shape) + 1)),
        Misconception(*words.DEPTH_FORGOTTEN, _counted(layer=lambda shape: size_of((shape[0], *shape[2:])) + shape[0])),
        Misconception(*words.SQUARE_KERNELS,
                      _counted(layer=lambda shape: size_of((*shape[:-1], shape[2])) + shape[0] if len(shape) == 4
                               else _layer(shape))),
        Misconception("gradients forgotten",
                      "Backward computes a gradient for every parameter, and all of them are in memory when the "
                      "optimizer takes its step.", _counted(gradients=0)),
        Misconception(*words.ADAM_COUNTED_AS_MOMENTUM, _counted(states=common.ADAM_AS_MOMENTUM)),
        Misconception(*words.RMSPROP_COUNTED_AS_ADAM, _counted(states=common.RMSPROP_AS_ADAM)),
        Misconception(*words.ONLY_ADAM_REMEMBERS, _counted(states=common.ONLY_ADAM)),
        Misconception(*words.SGD_REMEMBERS, _counted(states=common.SGD_WITH_ONE)),
        Misconception(*words.ALWAYS_THREE_TIMES, _counted(states=common.ALWAYS_ONE)),
        Misconception(*words.CACHES_FORGOTTEN, _counted(states=common.NEVER)),
        Misconception("the gradient counted as a cache",
                      "The third number is only what the optimizer keeps from one step to the next; gradients have "
                      "their own entry.", _also_gradient),
        Misconception("caches hold everything",
                      "The third number is what the optimizer remembers, without parameters and gradients.",
                      _everything_last),
        Misconception("running totals", "Each of the three numbers stands for itself, without those before it.",
                      _running),
        Misconception("gradients and caches swapped",
                      "The order is: parameters, gradients, what the optimizer remembers.",
                      lambda shapes, optimizer, width: tuple(_right(shapes, optimizer, width)[i] for i in (0, 2, 1))),
        Misconception(*words.ONLY_TOTAL, lambda shapes, optimizer, width: sum(_right(shapes, optimizer, width))),
        Misconception(*words.ELEMENTS, _counted(width=lambda width: 1)),
        Misconception(*words.BITS, _counted(width=lambda width: 8 * width)),
        Misconception(*words.FOUR_BYTES, _counted(width=lambda width: 4)),
        Misconception(*words.FIRST_LAYER, _counted(take=lambda shapes: shapes[:1])),
        Misconception(*words.LAST_LAYER, _counted(take=lambda shapes: shapes[-1:])),
    )
    hints = (
        "How many numbers does one layer learn, biases included? How many numbers more does training keep for each?",
        "Add up weights and biases of all layers, and multiply by the bytes of a number: that is the first result. The "
        "other two are multiples of it.",
        "np.prod(shape) + shape[0] counts one layer. A dictionary from the optimizer's name to the number of caches "
        "spares a chain of if and elif.",
    )
