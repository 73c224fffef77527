"""Training remembers all layers, inference two neighbors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np

from autograder.exercises import words
from autograder.exercises.making import in_answer
from autograder.exercises.memory import common
from autograder.exercises.memory.common import NAMES, NOTEBOOK, STATES
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise


def _training(sizes, parameter_count, batch_size, optimizer, bytes_per_number):
    """A right answer, of which wrong ones are edits."""
    copies = 2 + STATES[optimizer]
    return (copies * parameter_count + batch_size * sum(sizes)) * bytes_per_number


def _inference(sizes, parameter_count, batch_size, bytes_per_number):
    """A right answer, of which wrong ones are edits."""
    pairs = [sum(pair) for pair in pairwise(sizes)]
    return (parameter_count + batch_size * max(pairs)) * bytes_per_number


TRAINING, INFERENCE = Written.of(_training), Written.of(_inference)


def _with_states(states: Mapping[str, int]) -> Written:
    """Optimizers that remember other numbers of numbers."""
    return TRAINING.edited({"STATES": str(states)})


def _activations(rule: str) -> Written:
    """Another count of what is in memory at the worst moment of inference."""
    return INFERENCE.edited({"max(pairs)": rule})


_BESIDE = "(sizes[at + {0}] if 0 <= at + {0} < len(sizes) else 0)"
"""The neighbor of the largest size, which is number `at`."""


def _largest_and(other: str) -> Written:
    """The largest size and another one."""
    return INFERENCE.edited({"pairs = ": "at = sizes.index(max(sizes))\n    pairs = ",
                             "max(pairs)": f"(sizes[at] + {other})"})


@exercise("training_and_inference", notebook=NOTEBOOK, points=4, answers=("training_bytes", "inference_bytes"))
class TrainingAndInference:
    """Memory of a network that learns, and of one that only answers, in bytes.

    `sizes` are the numbers of one picture that each step of a chain leaves behind: the input first, then each layer
    that is counted. There are `parameter_count` parameters and `batch_size` pictures.

    In training all activations of the batch are kept, and parameters, their gradients and the optimizer's caches are
    in memory. In inference only the parameters are, and of the activations those that a layer reads and those that it
    writes: at the worst moment, the largest pair of neighbors.
    """

    lists = ("sizes",)

    def training_bytes(sizes, parameter_count, batch_size, optimizer, bytes_per_number):
        return _training(sizes, parameter_count, batch_size, optimizer, bytes_per_number)

    def inference_bytes(sizes, parameter_count, batch_size, bytes_per_number):
        return _inference(sizes, parameter_count, batch_size, bytes_per_number)

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
        Misconception(*words.BATCH_ON_PARAMETERS, TRAINING.given("parameter_count *= batch_size")),
        Misconception(*words.BATCH_FORGOTTEN, TRAINING.given("batch_size = 1")),
        Misconception("parameters or gradients forgotten",
                      "The parameters are in memory, and each of them has a gradient, until the optimizer's step is "
                      "done.", TRAINING.edited({"2 +": "1 +"})),
        Misconception("caches only", "The parameters and their gradients are in memory, beside the optimizer's caches.",
                      TRAINING.edited({"2 + ": ""})),
        Misconception(*words.BYTES_FOR_ACTIVATIONS_ONLY,
                      TRAINING.edited({"(copies": "copies", "sum(sizes))": "sum(sizes)"})),
        Misconception(*words.ADAM_COUNTED_AS_MOMENTUM, _with_states(common.ADAM_AS_MOMENTUM)),
        Misconception(*words.RMSPROP_COUNTED_AS_ADAM, _with_states(common.RMSPROP_AS_ADAM)),
        Misconception(*words.ONLY_ADAM_REMEMBERS, _with_states(common.ONLY_ADAM)),
        Misconception(*words.SGD_REMEMBERS, _with_states(common.SGD_WITH_ONE)),
        Misconception(*words.ALWAYS_THREE_TIMES, _with_states(common.ALWAYS_ONE)),
        Misconception(*words.CACHES_FORGOTTEN, _with_states(common.NEVER)),
        Misconception(*words.ADAM_WITH_THREE, _with_states({**STATES, "adam": 3})),
        Misconception("training counted like inference",
                      "In training every layer's result is kept for the backward pass, not the largest pair alone.",
                      TRAINING.edited({"sum(sizes)": "max(sum(pair) for pair in pairwise(sizes))"}),
                      also=(TRAINING.edited({"sum(sizes)": "max(sizes)"}),)),
        Misconception("gradients or caches for each picture",
                      "The gradients of a batch are added up into one array, and caches belong to parameters: neither "
                      "grows with the batch.", TRAINING.edited({"2 +": "1 + batch_size +"}),
                      also=(TRAINING.edited({"+ STATES": "+ batch_size * STATES"}),
                            TRAINING.edited({"2 + STATES[optimizer]": "1 + batch_size * (1 + STATES[optimizer])"}))),
        Misconception("sizes multiplied", "The results of different layers lie side by side: their sizes add up.",
                      TRAINING.edited({"sum(sizes)": "int(np.prod(sizes))"})),
        Misconception(*words.NOT_IN_BYTES, TRAINING.given("bytes_per_number /= 2 ** 20"),
                      also=(TRAINING.given("bytes_per_number /= 1024"),)),
        Misconception(*words.ACTIVATIONS_TWICE, TRAINING.given("batch_size *= 2")),
        Misconception(*words.INPUT_NOT_COUNTED, TRAINING.given("sizes = sizes[1:]")),
        Misconception("last layer not counted", "All sizes count, the last one included.",
                      TRAINING.given("sizes = sizes[:-1]")),
        Misconception(*words.ELEMENTS, TRAINING.given("bytes_per_number = 1")),
        Misconception(*words.FOUR_BYTES, TRAINING.given("bytes_per_number = 4")),
        *in_answer(
            "inference_bytes",
            Misconception(*words.BATCH_ON_PARAMETERS, INFERENCE.given("parameter_count *= batch_size")),
            Misconception(*words.BATCH_FORGOTTEN, INFERENCE.given("batch_size = 1")),
            Misconception("sum instead of the largest pair",
                          "Without a backward pass nobody needs old activations: each one can go as soon as the next "
                          "layer has read it.", _activations("sum(sizes)")),
            Misconception("largest layer alone", "While a layer works, its input and its output are both in memory.",
                          _activations("max(sizes)")),
            Misconception("the two largest layers",
                          "The two largest results need not be there at the same time: only neighbors are.",
                          _activations("sum(sorted(sizes)[-2:])")),
            Misconception("the largest and the one after it",
                          "The pair with the largest sum need not hold the largest size, and its partner may come "
                          "before.", _largest_and(_BESIDE.format("1"))),
            Misconception("the largest and the one before it",
                          "The pair with the largest sum need not hold the largest size, and its partner may come "
                          "after.", _largest_and(_BESIDE.format("-1"))),
            Misconception("the largest and its larger neighbor",
                          "The pair with the largest sum need not hold the largest size: two middling neighbors may "
                          "be more together.", _largest_and(f"max({_BESIDE.format('1')}, {_BESIDE.format('-1')})")),
            Misconception("only pairs side by side",
                          "Every layer has a pair, its input and its output. The output of one is the input of the "
                          "next: pairs overlap.",
                          _activations("max(sum(sizes[i:i + 2]) for i in range(0, len(sizes), 2))")),
            Misconception("one pair only", "Look at all pairs of neighbors, not at the first or the last one alone.",
                          _activations("pairs[0]"), also=(_activations("pairs[-1]"),)),
            Misconception("some pairs not looked at",
                          "There is one pair less than there are sizes. Where does your loop begin, and where does it "
                          "end?", _activations("max(pairs[1:])"),
                          also=(_activations("max(pairs[:-1])"), _activations("max(pairs[1:-1])"))),
            Misconception("the last and the first taken as neighbors",
                          "The chain is no ring: sizes[-1] is the last size, which the first layer never sees.",
                          _activations("max(*pairs, sizes[-1] + sizes[0])")),
            Misconception("all pairs added",
                          "The pairs are there one after the other, not all at once: the largest one decides.",
                          _activations("sum(pairs)")),
            Misconception("the smallest pair", "The memory has to suffice for the worst moment.",
                          _activations("min(pairs)")),
            Misconception("an average pair", "The memory has to suffice for the worst moment, not for an average one.",
                          _activations("2 * sum(sizes) / len(sizes)"), also=(_activations("sum(pairs) / len(pairs)"),)),
            Misconception("the input and the largest layer",
                          "The input can go as soon as the first layer has read it: only neighbors are in memory "
                          "together.", _activations("(sizes[0] + max(sizes[1:]))")),
            Misconception("inference counted like training", "Inference needs neither gradients nor old activations.",
                          _activations("sum(sizes)").given("parameter_count *= 2")),
            Misconception("three neighbors", "A layer reads one result and writes one: two are there at a time.",
                          _activations("max(sum(sizes[i:i + 3]) for i in range(len(sizes) - 2))")),
            Misconception("gradients in inference", "Without a backward pass there are no gradients.",
                          INFERENCE.given("parameter_count *= 2")),
            Misconception("parameters left out", "The parameters are in memory in inference, too.",
                          INFERENCE.given("parameter_count = 0")),
            Misconception(*words.BYTES_FOR_ACTIVATIONS_ONLY,
                          INFERENCE.edited({"(parameter_count": "parameter_count", "max(pairs))": "max(pairs)"})),
            Misconception(*words.ELEMENTS, INFERENCE.given("bytes_per_number = 1")),
            Misconception(*words.FOUR_BYTES, INFERENCE.given("bytes_per_number = 4")),
        ),
    )
    hints = (
        "Which part grows with the number of pictures, and which one does not? Write the two parts one under the "
        "other.",
        "Training: the copies of the parameters depend on the optimizer; the activations are a sum. Inference: one "
        "copy, and the largest of many small sums.",
        "zip(sizes, sizes[1:]) runs through all pairs of neighbors. Only the activations are multiplied by the batch "
        "size; everything is multiplied by the bytes of a number.",
    )
