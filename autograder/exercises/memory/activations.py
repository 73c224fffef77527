"""The first kind of memory: what every layer leaves behind."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.exercises import words
from autograder.exercises.memory.common import NOTEBOOK, STORED
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse.layers.base import size_of


def _counted(layers, batch_size, bytes_per_number):
    """A right answer, of which wrong ones are edits."""
    sizes = []
    for kind, shape in layers:
        size = size_of(shape) * batch_size * bytes_per_number
        sizes.append(size if kind in STORED else 0)
    return tuple(sizes)


SIZES = Written.of(_counted)


def _with(*kinds: str) -> Written:
    """Kinds of layer counted that work in place."""
    return SIZES.edited({"kind in STORED": f"kind in {(*STORED, *kinds)}"})


def _without(*kinds: str) -> Written:
    """Kinds of layer not counted."""
    return SIZES.edited({"kind in STORED": f"kind in {tuple(kind for kind in STORED if kind not in kinds)}"})


def _of_one_picture(numbers: str) -> Written:
    """Another count of the numbers in a volume, in its `shape`."""
    return SIZES.edited({"size_of(shape)": f"({numbers} if len(shape) == 3 else shape[0])"})


@exercise("activation_bytes", notebook=NOTEBOOK, points=3)
class ActivationBytes:
    """Memory that each layer's result takes, in bytes.

    `layers` is a tuple of pairs (kind, shape), the shape being that of one picture's result: (channels, height, width)
    or (features,). The results of the kinds "input", "conv", "pool" and "fc" take memory; all other kinds work in
    place and take 0. There are `batch_size` pictures, and each number takes `bytes_per_number` bytes. Return a list
    with one whole number for each layer, in their order.
    """

    lists = ("layers",)

    def activation_bytes(layers, batch_size, bytes_per_number):
        return _counted(layers, batch_size, bytes_per_number)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def n(low: int, high: int) -> int:
            return int(rng.integers(low, high))

        yield Case("an input and a convolution, one picture, single precision",
                   ((("input", (3, 8, 8)), ("conv", (4, 8, 8))), 1, 4))
        yield Case("a batch of 16", ((("input", (3, 8, 8)), ("conv", (4, 8, 8))), 16, 4))
        yield Case("with ReLU and pooling", (
            (("input", (3, 8, 8)), ("conv", (4, 8, 8)), ("relu", (4, 8, 8)), ("pool", (4, 4, 4))), 2, 4))
        yield Case("a fully connected layer at the end", (
            (("input", (1, 6, 6)), ("conv", (2, 4, 4)), ("relu", (2, 4, 4)), ("pool", (2, 2, 2)),
             ("flatten", (8,)), ("fc", (10,)), ("relu", (10,)), ("fc", (5,))), 3, 4))
        yield Case("half precision", ((("input", (3, 5, 5)), ("conv", (6, 5, 5)), ("relu", (6, 5, 5))), 5, 2))
        yield Case("double precision", ((("input", (3, 5, 5)), ("conv", (6, 3, 3)), ("pool", (6, 1, 1))), 7, 8))
        yield Case("taller than wide", (
            (("input", (3, 9, 4)), ("conv", (5, 7, 2)), ("relu", (5, 7, 2)), ("pool", (5, 3, 1))), 2, 4))
        yield Case("wider than tall", ((("input", (3, 4, 11)), ("conv", (5, 4, 11)), ("pool", (5, 2, 5))), 3, 2))
        yield Case("batch norm, dropout and an addition", (
            (("input", (3, 6, 5)), ("conv", (7, 6, 5)), ("bn", (7, 6, 5)), ("relu", (7, 6, 5)), ("conv", (7, 6, 5)),
             ("bn", (7, 6, 5)), ("add", (7, 6, 5)), ("relu", (7, 6, 5)), ("dropout", (7, 6, 5)), ("fc", (4,))), 4, 4))
        yield Case("one channel", ((("input", (1, 7, 6)), ("conv", (1, 5, 4)), ("relu", (1, 5, 4))), 6, 4))
        yield Case("the beginning of VGG-16", (
            (("input", (3, 224, 224)), ("conv", (64, 224, 224)), ("relu", (64, 224, 224)), ("conv", (64, 224, 224)),
             ("relu", (64, 224, 224)), ("pool", (64, 112, 112))), 32, 4))
        c, k, h, w = n(2, 5), n(5, 9), n(6, 12), n(12, 20)
        yield Case("drawn at random", (
            (("input", (c, h, w)), ("conv", (k, h - 2, w - 2)), ("relu", (k, h - 2, w - 2)), ("bn", (k, h - 2, w - 2)),
             ("pool", (k, h // 2 - 1, w // 2 - 1)), ("dropout", (k, h // 2 - 1, w // 2 - 1)),
             ("flatten", (k * (h // 2 - 1) * (w // 2 - 1),)), ("fc", (n(5, 40),))), n(2, 50), int(rng.choice([2, 8]))))

    misconceptions = (
        Misconception(*words.BATCH_FORGOTTEN, SIZES.given("batch_size = 1")),
        Misconception(*words.ELEMENTS, SIZES.given("bytes_per_number = 1")),
        Misconception(*words.BITS, SIZES.given("bytes_per_number *= 8")),
        Misconception(*words.FOUR_BYTES, SIZES.given("bytes_per_number = 4")),
        Misconception("neither batch nor bytes",
                      "These are the numbers of one picture. A batch has several pictures, and each number takes "
                      "several bytes.", SIZES.given("batch_size = bytes_per_number = 1")),
        Misconception("ReLU counted again",
                      "ReLU works in place: it writes into the memory of the layer before it, which is counted "
                      "already.", _with("relu")),
        Misconception("batch norm counted again", "In this account batch norm works in place, like ReLU.", _with("bn")),
        Misconception("dropout counted again", "In this account dropout works in place, like ReLU.", _with("dropout")),
        Misconception("flatten counted again",
                      "Flatten only reads the same memory under another shape: nothing is copied.", _with("flatten")),
        Misconception("every layer counted",
                      "Only some kinds of layer need memory of their own for the result; the others work in place. "
                      "Look at the rule of counting.", SIZES.edited({"kind in STORED": "True"})),
        Misconception(*words.INPUT_NOT_COUNTED, _without("input"),
                      also=(SIZES.edited({"tuple(sizes)": "tuple(sizes[1:])"}),)),
        Misconception("input counted for one picture",
                      "The input is a batch, too: as many pictures as everything after it.",
                      SIZES.edited({"* batch_size": '* (1 if kind == "input" else batch_size)'})),
        Misconception("pooling not counted",
                      "Pooling learns nothing, but its result is a new and smaller volume that takes memory.",
                      _without("pool")),
        Misconception("fully connected layers not counted",
                      "The results of fully connected layers are few numbers, but they are in memory.", _without("fc")),
        Misconception("convolutions only",
                      "The input and the results of pooling and of fully connected layers take memory, too.",
                      _without("input", "pool", "fc")),
        Misconception("layers that work in place left out",
                      "The list needs an entry for every layer: 0 for those that work in place.",
                      SIZES.edited({"tuple(sizes)": "tuple(size for size in sizes if size)"})),
        Misconception("channels forgotten", "One picture's result is a volume: channels times height times width.",
                      _of_one_picture("shape[1] * shape[2]")),
        Misconception(*words.SQUARE_INPUTS, _of_one_picture("shape[0] * shape[1] ** 2"),
                      also=(_of_one_picture("shape[0] * shape[2] ** 2"),)),
        Misconception(*words.LENGTHS_ADDED, SIZES.edited({"size_of(shape)": "sum(shape)"})),
        Misconception("batch size added",
                      "Every picture has a block of its own: the numbers of one block times the pictures, not plus.",
                      SIZES.edited({"size_of(shape) * batch_size": "(size_of(shape) + batch_size)"})),
        Misconception("the product carried on from layer to layer",
                      "Each layer's product begins anew at 1. Where is it set?",
                      SIZES.edited({"sizes = []": "sizes, numbers = [], 1", "size_of(shape) *": "numbers *",
                                    "        size =": "        numbers *= size_of(shape) if kind in ('input', 'conv', "
                                                      "'pool', 'fc') else 1\n        size ="})),
        Misconception(*words.FIRST_LAYER, SIZES.edited({"tuple(sizes)": "tuple(sizes[:1])"}),
                      also=(SIZES.edited({"tuple(sizes)": "sizes[0]"}),)),
        Misconception("None instead of 0",
                      "A layer that works in place takes no memory of its own, and no memory is the number 0.",
                      SIZES.edited({"else 0": "else None"})),
        Misconception("running total", "Each entry is the memory of one layer alone, not of all layers so far.",
                      SIZES.edited({"tuple(sizes)": "tuple(np.cumsum(sizes))"}),
                      also=(SIZES.edited({"tuple(sizes)": "tuple(np.cumsum(sizes) * (np.array(sizes) > 0))"}),)),
        Misconception(*words.ACTIVATIONS_TWICE, SIZES.given("batch_size *= 2")),
        Misconception(*words.ONLY_TOTAL, SIZES.edited({"tuple(sizes)": "sum(sizes)"})),
        Misconception(*words.NOT_IN_BYTES, SIZES.given("bytes_per_number /= 2 ** 20")),
    )
    hints = (
        "How many numbers has one picture's result of shape (64, 56, 56)? And 32 pictures? And how many bytes?",
        "Go through the layers; for each one append either the product of four things or 0 to a list.",
        'np.prod(shape) multiplies all lengths of a shape, also of one with a single length. kind in ("input", "conv", '
        '"pool", "fc") says whether the layer counts.',
    )
