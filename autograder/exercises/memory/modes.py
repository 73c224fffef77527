"""Training remembers all layers, inference two neighbors."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np

from autograder.exercises.memory import common
from autograder.exercises.memory.common import NAMES, NOTEBOOK, STATES
from autograder.judging.exercise import Case, Misconception, exercise

Rule = Callable[[Sequence[int]], float]


def _largest_pair(sizes: Sequence[int]) -> int:
    return max(one + other for one, other in pairwise(sizes))


def _around_largest(sizes: Sequence[int], step: int) -> int:
    at = int(np.argmax(sizes))
    return sizes[at] + (sizes[at + step] if 0 <= at + step < len(sizes) else 0)


def _training(
    activations: Rule = sum, states: Mapping[str, int] = STATES, copies: int = 2,
    batch: Callable[[int], int] = int, parameters_times: Callable[[int], int] = lambda batch: 1,
    width: Callable[[int], int] = int,
) -> Callable[[Sequence[int], int, int, str, int], float]:
    """Bytes in training by some rule; by default the right one."""
    def training(
        sizes: Sequence[int], parameter_count: int, batch_size: int, optimizer: str, bytes_per_number: int
    ) -> float:
        learned = (copies + states[optimizer]) * parameter_count * parameters_times(batch_size)
        return (learned + batch(batch_size) * activations(sizes)) * width(bytes_per_number)
    return training


def _inference(
    activations: Rule = _largest_pair, copies: int = 1, batch: Callable[[int], int] = int,
    parameters_times: Callable[[int], int] = lambda batch: 1, width: Callable[[int], int] = int,
) -> Callable[[Sequence[int], int, int, int], float]:
    """Bytes in inference by some rule; by default the right one."""
    def inference(sizes: Sequence[int], parameter_count: int, batch_size: int, bytes_per_number: int) -> float:
        learned = copies * parameter_count * parameters_times(batch_size)
        return (learned + batch(batch_size) * activations(sizes)) * width(bytes_per_number)
    return inference


_BATCH_ON_PARAMETERS = (
    "All pictures of a batch share the same parameters: what belongs to the parameters does not grow with the batch.")


@exercise("training_and_inference", notebook=NOTEBOOK, points=4, answers=("training_bytes", "inference_bytes"))
class TrainingAndInference:
    """Memory of a network that learns, and of one that only answers, in bytes.

    `sizes` are the numbers of one picture that each step of a chain leaves behind: the input first, then each layer
    that is counted. There are `parameter_count` parameters and `batch_size` pictures.

    In training all activations of the batch are kept, and parameters, their gradients and the optimizer's caches are
    in memory. In inference only the parameters are, and of the activations those that a layer reads and those that it
    writes: at the worst moment, the largest pair of neighbors.
    """

    def training_bytes(sizes, parameter_count, batch_size, optimizer, bytes_per_number):
        return _training()(sizes, parameter_count, batch_size, optimizer, bytes_per_number)

    def inference_bytes(sizes, parameter_count, batch_size, bytes_per_number):
        return _inference()(sizes, parameter_count, batch_size, bytes_per_number)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def drawn(count: int) -> tuple[int, ...]:
            return tuple(int(n) for n in rng.permutation(np.arange(40, 40 + 7 * count, 7)))

        yield Case("one picture, plain SGD", ((12, 30, 10), 100, 1, "sgd", 4), "training_bytes")
        for number, optimizer in enumerate(NAMES):
            yield Case(f"a batch of {8 + number}, {optimizer}", ((50, 90, 20, 10), 300 + number, 8 + number, optimizer,
                                                                4), "training_bytes")
        yield Case("half precision", ((50, 90, 20, 10), 77, 16, "adam", 2), "training_bytes")
        yield Case("double precision, increasing sizes", ((10, 20, 30, 45), 77, 3, "momentum", 8), "training_bytes")
        yield Case("many more parameters than activations", ((3, 5, 2), 100000, 4, "adam", 4), "training_bytes")
        yield Case("training, drawn at random", (drawn(6), int(rng.integers(50, 500)), int(rng.integers(2, 20)),
                                                 str(rng.choice(["rmsprop", "adam"])), int(rng.choice([2, 8]))),
                   "training_bytes")
        yield Case("one picture, decreasing sizes", ((40, 30, 20, 10), 100, 1, 4), "inference_bytes")
        yield Case("a batch of 8", ((40, 30, 20, 10), 100, 8, 4), "inference_bytes")
        yield Case("increasing sizes", ((10, 20, 30, 45), 60, 5, 4), "inference_bytes")
        yield Case("the largest pair lies in the middle", ((10, 50, 70, 15, 20), 60, 3, 4), "inference_bytes")
        yield Case("the largest size has small neighbors", ((10, 25, 80, 20, 60, 65, 5), 60, 3, 4), "inference_bytes")
        yield Case("the two largest are not neighbors", ((90, 10, 20, 85, 60, 70), 60, 3, 2), "inference_bytes")
        yield Case("the pair starts at an odd place", ((5, 60, 61, 4, 50), 90, 2, 8), "inference_bytes")
        yield Case("the largest pair comes first", ((70, 65, 3, 50, 40, 8), 90, 2, 4), "inference_bytes")
        yield Case("inference, drawn at random", (drawn(9), int(rng.integers(50, 500)), int(rng.integers(2, 20)),
                                                  int(rng.choice([2, 8]))), "inference_bytes")

    misconceptions = (
        Misconception("batch size applied to everything", _BATCH_ON_PARAMETERS,
                      _training(parameters_times=lambda batch: batch)),
        Misconception("batch size forgotten", common.BATCH_FORGOTTEN[1], _training(batch=lambda batch: 1)),
        Misconception("parameters or gradients forgotten",
                      "The parameters are in memory, and each of them has a gradient, until the optimizer's step is "
                      "done.", _training(copies=1)),
        Misconception("caches only",
                      "The parameters and their gradients are in memory, beside the optimizer's caches.",
                      _training(copies=0)),
        Misconception("bytes for the activations only",
                      "Parameters are numbers, too, and take as many bytes each as activations do.",
                      lambda sizes, p, n, optimizer, width: (2 + STATES[optimizer]) * p + n * sum(sizes) * width),
        Misconception(*common.ADAM_COUNTED_AS_MOMENTUM, _training(states=common.ADAM_AS_MOMENTUM)),
        Misconception(*common.RMSPROP_COUNTED_AS_ADAM, _training(states=common.RMSPROP_AS_ADAM)),
        Misconception(*common.ONLY_ADAM_REMEMBERS, _training(states=common.ONLY_ADAM)),
        Misconception(*common.SGD_REMEMBERS, _training(states=common.SGD_WITH_ONE)),
        Misconception(*common.ALWAYS_THREE_TIMES, _training(states=common.ALWAYS_ONE)),
        Misconception("caches forgotten", "Three of the four optimizers keep something for each parameter.",
                      _training(states=common.NEVER)),
        Misconception("training counted like inference",
                      "In training every layer's result is kept for the backward pass, not the largest pair alone.",
                      _training(activations=_largest_pair), also=(_training(activations=max),)),
        Misconception("gradients or caches for each picture",
                      "The gradients of a batch are added up into one array, and caches belong to parameters: neither "
                      "grows with the batch.",
                      lambda sizes, p, n, optimizer, width: (
                          (1 + STATES[optimizer] + n) * p + n * sum(sizes)) * width,
                      also=(lambda sizes, p, n, optimizer, width: (
                                (2 + n * STATES[optimizer]) * p + n * sum(sizes)) * width,
                            lambda sizes, p, n, optimizer, width: (
                                1 + n * (1 + STATES[optimizer])) * p * width + n * sum(sizes) * width)),
        Misconception("Adam with three caches",
                      "Adam remembers two numbers for each parameter. The gradient is counted already.",
                      _training(states={**STATES, "adam": 3})),
        Misconception("sizes multiplied", "The results of different layers lie side by side: their sizes add up.",
                      _training(activations=math.prod)),
        Misconception("not in bytes", "The result is wanted in bytes; units come in when it is shown.",
                      lambda *given: _training()(*given) / 2**20,
                      also=(lambda *given: _training()(*given) / 1024,)),
        Misconception("activations counted twice",
                      "Gradients of activations come and go in the backward pass; in this account activations count "
                      "once.", _training(activations=lambda sizes: 2 * sum(sizes))),
        Misconception("input not counted", "The first size is the input's, and it is kept like all others.",
                      _training(activations=lambda sizes: sum(sizes[1:]))),
        Misconception("last layer not counted", "All sizes count, the last one included.",
                      _training(activations=lambda sizes: sum(sizes[:-1]))),
        Misconception(*common.ELEMENTS, _training(width=lambda width: 1)),
        Misconception(*common.FOUR_BYTES, _training(width=lambda width: 4)),
        Misconception("batch size applied to the parameters", _BATCH_ON_PARAMETERS,
                      _inference(parameters_times=lambda batch: batch), "inference_bytes"),
        Misconception("batch size forgotten in inference", common.BATCH_FORGOTTEN[1],
                      _inference(batch=lambda batch: 1), "inference_bytes"),
        Misconception("sum instead of the largest pair",
                      "Without a backward pass nobody needs old activations: each one can go as soon as the next layer "
                      "has read it.", _inference(activations=sum), "inference_bytes"),
        Misconception("largest layer alone",
                      "While a layer works, its input and its output are both in memory.",
                      _inference(activations=max), "inference_bytes"),
        Misconception("the two largest layers",
                      "The two largest results need not be there at the same time: only neighbors are.",
                      _inference(activations=lambda sizes: sum(sorted(sizes)[-2:])), "inference_bytes"),
        Misconception("the largest and the one after it",
                      "The pair with the largest sum need not hold the largest size, and its partner may come before.",
                      _inference(activations=lambda sizes: _around_largest(sizes, 1)), "inference_bytes"),
        Misconception("the largest and the one before it",
                      "The pair with the largest sum need not hold the largest size, and its partner may come after.",
                      _inference(activations=lambda sizes: _around_largest(sizes, -1)), "inference_bytes"),
        Misconception("the largest and its larger neighbor",
                      "The pair with the largest sum need not hold the largest size: two middling neighbors may be "
                      "more together.",
                      _inference(activations=lambda sizes: max(_around_largest(sizes, 1), _around_largest(sizes, -1))),
                      "inference_bytes"),
        Misconception("only pairs side by side",
                      "Every layer has a pair, its input and its output. The output of one is the input of the next: "
                      "pairs overlap.",
                      _inference(activations=lambda sizes: max(sum(sizes[i:i + 2]) for i in range(0, len(sizes), 2))),
                      "inference_bytes"),
        Misconception("the first pair only", "Look at all pairs of neighbors, not at the first one alone.",
                      _inference(activations=lambda sizes: sizes[0] + sizes[1]), "inference_bytes"),
        Misconception("the last pair only", "Look at all pairs of neighbors, not at the last one alone.",
                      _inference(activations=lambda sizes: sizes[-2] + sizes[-1]), "inference_bytes"),
        Misconception("some pairs not looked at",
                      "There is one pair less than there are sizes. Where does your loop begin, and where does it end?",
                      _inference(activations=lambda sizes: _largest_pair(sizes[1:])), "inference_bytes",
                      also=(_inference(activations=lambda sizes: _largest_pair(sizes[:-1])),
                            _inference(activations=lambda sizes: _largest_pair(sizes[1:-1])))),
        Misconception("the last and the first taken as neighbors",
                      "The chain is no ring: sizes[-1] is the last size, which the first layer never sees.",
                      _inference(activations=lambda sizes: _largest_pair([*sizes, sizes[0]])), "inference_bytes"),
        Misconception("all pairs added",
                      "The pairs are there one after the other, not all at once: the largest one decides.",
                      _inference(activations=lambda sizes: sum(one + other for one, other in pairwise(sizes))),
                      "inference_bytes"),
        Misconception("the smallest pair", "The memory has to suffice for the worst moment.",
                      _inference(activations=lambda sizes: min(one + other for one, other in pairwise(sizes))),
                      "inference_bytes"),
        Misconception("an average pair", "The memory has to suffice for the worst moment, not for an average one.",
                      _inference(activations=lambda sizes: 2 * sum(sizes) / len(sizes)), "inference_bytes",
                      also=(_inference(activations=lambda sizes: sum(map(sum, pairwise(sizes))) / (len(sizes) - 1)),)),
        Misconception("the input and the largest layer",
                      "The input can go as soon as the first layer has read it: only neighbors are in memory together.",
                      _inference(activations=lambda sizes: sizes[0] + max(sizes[1:])), "inference_bytes"),
        Misconception("inference counted like training",
                      "Inference needs neither gradients nor old activations.",
                      _inference(activations=sum, copies=2), "inference_bytes"),
        Misconception("three neighbors", "A layer reads one result and writes one: two are there at a time.",
                      _inference(activations=lambda sizes: max(sum(sizes[i:i + 3]) for i in range(len(sizes) - 2))),
                      "inference_bytes"),
        Misconception("gradients in inference", "Without a backward pass there are no gradients.",
                      _inference(copies=2), "inference_bytes"),
        Misconception("parameters left out", "The parameters are in memory in inference, too.",
                      _inference(copies=0), "inference_bytes"),
        Misconception("bytes for the activations only in inference",
                      "Parameters are numbers, too, and take as many bytes each as activations do.",
                      lambda sizes, p, n, width: p + n * _largest_pair(sizes) * width, "inference_bytes"),
        Misconception("bytes per number forgotten in inference", common.ELEMENTS[1],
                      _inference(width=lambda width: 1), "inference_bytes"),
        Misconception("always four bytes in inference", common.FOUR_BYTES[1],
                      _inference(width=lambda width: 4), "inference_bytes"),
    )
    hints = (
        "Which part grows with the number of pictures, and which one does not? Write the two parts one under the "
        "other.",
        "Training: the copies of the parameters depend on the optimizer; the activations are a sum. Inference: one "
        "copy, and the largest of many small sums.",
        "zip(sizes, sizes[1:]) runs through all pairs of neighbors. Only the activations are multiplied by the batch "
        "size; everything is multiplied by the bytes of a number.",
    )
