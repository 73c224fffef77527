"""Half of the bytes for some numbers: mixed precision."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from autograder.exercises import words
from autograder.exercises.memory import common
from autograder.exercises.memory.common import NAMES, NOTEBOOK, STATES
from autograder.judging.exercise import Case, Misconception, exercise


def _mixed(
    once: int = 8, cache: int = 4, width: int = 2, states: Mapping[str, int] = STATES,
    batch: Callable[[int], int] = int, parameters_times: Callable[[int], int] = lambda batch: 1,
) -> Callable[[int, int, int, str], tuple[int, int]]:
    """Bytes in mixed precision by some rule; by default the right one.

    `once` is what weights, their copy and gradients take for each parameter: 2 + 4 + 2.
    """
    def mixed(parameter_count: int, activation_count: int, batch_size: int, optimizer: str) -> tuple[int, int]:
        each = once + cache * states[optimizer]
        return (each * parameter_count * parameters_times(batch_size),
                width * activation_count * batch(batch_size))
    return mixed


_right = _mixed()


@exercise("mixed_precision_bytes", notebook=NOTEBOOK, points=2)
class MixedPrecisionBytes:
    """Memory of training in mixed precision, in bytes.

    Activations take two bytes each. For every parameter there are a weight and a gradient of two bytes, a master copy
    of the weight of four bytes, and four bytes for each number that the optimizer remembers of it. Return two whole
    numbers: what belongs to the parameters, and the activations of the batch.
    """

    def mixed_precision_bytes(parameter_count, activation_count, batch_size, optimizer):
        return _right(parameter_count, activation_count, batch_size, optimizer)

    returns = ("parameters", "activations")

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        few = int(rng.integers(100, 200))
        yield Case("one picture, plain SGD", (few, 70, 1, "sgd"))
        yield Case("a batch of 8, momentum", (few, 70, 8, "momentum"))
        yield Case("RMSProp", (2 * few, 3000, 5, "rmsprop"))
        yield Case("Adam", (250, 3000, 5, "adam"))
        yield Case("VGG-16, 64 pictures, Adam", (138_357_544, 15_237_608, 64, "adam"))
        yield Case("ResNet-50, 256 pictures, momentum", (25_557_032, 10_941_416, 256, "momentum"))
        for optimizer in NAMES:
            count, activations, batch = (int(n) for n in rng.integers([50, 500, 2], [500, 5000, 40]))
            yield Case(f"drawn at random, {optimizer}", (count, activations, batch, optimizer))

    misconceptions = (
        Misconception("master copy forgotten",
                      "Steps are often too small for the few digits of half precision, so that a copy of the weights "
                      "is kept in four bytes.", _mixed(once=4)),
        Misconception("a copy in two bytes forgotten",
                      "Both the weights that the layers use and the gradients take two bytes each, beside the master "
                      "copy.", _mixed(once=6)),
        Misconception("only the master copy",
                      "The layers work with weights of two bytes and make gradients of two bytes: both are in memory "
                      "beside the master copy.", _mixed(once=4, width=4)),
        Misconception("gradients in four bytes", "Gradients are computed in half precision here: two bytes each.",
                      _mixed(once=10)),
        Misconception("gradients of the master copy",
                      "There is one gradient for each parameter, in two bytes; the master copy has none of its own.",
                      _mixed(once=12)),
        Misconception("bytes of the activations forgotten",
                      "This is how many activations there are. Each of them takes two bytes.", _mixed(width=1)),
        Misconception(*words.ADAM_WITH_THREE, _mixed(states={**STATES, "adam": 3})),
        Misconception("every part by itself",
                      "All that belongs to the parameters is one number, their sum; the activations are the other.",
                      lambda p, a, n, optimizer: (2 * p, 2 * p, 4 * p, 4 * STATES[optimizer] * p, 2 * a * n),
                      also=(lambda p, a, n, optimizer: (4 * p, 4 * p, 4 * STATES[optimizer] * p, 2 * a * n),)),
        Misconception("caches in two bytes",
                      "What the optimizer remembers stays in single precision: four bytes for each number.",
                      _mixed(cache=2)),
        Misconception("everything in two bytes",
                      "Only weights, gradients and activations have copies in half precision; master copy and caches "
                      "take four bytes.", _mixed(once=4, cache=2), also=(_mixed(once=6, cache=2),)),
        Misconception("activations in four bytes",
                      "In mixed precision an activation takes two bytes; four is single precision.", _mixed(width=4)),
        Misconception(*words.BATCH_FORGOTTEN, _mixed(batch=lambda batch: 1)),
        Misconception(*words.BATCH_ON_PARAMETERS, _mixed(parameters_times=lambda batch: batch)),
        Misconception(*words.ADAM_COUNTED_AS_MOMENTUM, _mixed(states=common.ADAM_AS_MOMENTUM)),
        Misconception(*words.RMSPROP_COUNTED_AS_ADAM, _mixed(states=common.RMSPROP_AS_ADAM)),
        Misconception(*words.ONLY_ADAM_REMEMBERS, _mixed(states=common.ONLY_ADAM)),
        Misconception(*words.SGD_REMEMBERS, _mixed(states=common.SGD_WITH_ONE)),
        Misconception(*words.CACHES_FORGOTTEN, _mixed(states=common.NEVER)),
        Misconception(*words.ONLY_TOTAL, lambda p, a, n, optimizer: sum(_right(p, a, n, optimizer))),
        Misconception("parameters and activations swapped",
                      "The first number belongs to the parameters, the second to the activations.",
                      lambda p, a, n, optimizer: _right(p, a, n, optimizer)[::-1]),
        Misconception(*words.BITS, lambda p, a, n, optimizer: tuple(8 * count for count in _right(p, a, n, optimizer))),
    )
    hints = (
        "Write down for one parameter everything that is kept, and how many bytes each of it takes.",
        "A weight, a gradient, a master copy, and none, one or two caches. Of these, two take two bytes.",
        "The bytes for one parameter are a constant plus four times the number of caches; activations have nothing to "
        "do with the optimizer.",
    )
