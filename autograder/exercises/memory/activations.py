"""The first kind of memory: what every layer leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Any

import numpy as np

from autograder.exercises.memory.common import BATCH_FORGOTTEN, BITS, ELEMENTS, FOUR_BYTES, NOTEBOOK, STORED
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse.layers.base import size_of

Layers = tuple[tuple[str, tuple[int, ...]], ...]
EVERYTHING = (*STORED, "relu", "bn", "dropout", "flatten", "add")


def _without(*kinds: str) -> tuple[str, ...]:
    return tuple(kind for kind in STORED if kind not in kinds)


def _counted(
    stored: tuple[str, ...] = STORED, size: Callable[[tuple[int, ...]], int] = size_of,
    factor: Callable[[int, int], float] = lambda batch, width: batch * width,
) -> Callable[[Layers, int, int], tuple[Any, ...]]:
    """Bytes of each layer by some rule; by default the right one."""
    def counted(layers: Layers, batch_size: int, bytes_per_number: int) -> tuple[Any, ...]:
        times = factor(batch_size, bytes_per_number)
        return tuple(size(shape) * times if kind in stored else 0 for kind, shape in layers)
    return counted


_right = _counted()


def _input_once(layers: Layers, batch_size: int, bytes_per_number: int) -> tuple[int, ...]:
    (_, first), *_ = layers
    return (size_of(first) * bytes_per_number, *_right(layers, batch_size, bytes_per_number)[1:])


def _in_place_left_out(layers: Layers, batch_size: int, bytes_per_number: int) -> tuple[int, ...]:
    return tuple(count for count in _right(layers, batch_size, bytes_per_number) if count)


def _product_carried_on(layers: Layers, batch_size: int, bytes_per_number: int) -> tuple[int, ...]:
    """The product of the lengths is not begun anew."""
    found, numbers = [], 1
    for kind, shape in layers:
        if kind in STORED:
            numbers *= size_of(shape)
        found.append(numbers * batch_size * bytes_per_number if kind in STORED else 0)
    return tuple(found)


@exercise("activation_bytes", notebook=NOTEBOOK, points=3)
class ActivationBytes:
    """Memory that each layer's result takes, in bytes.

    `layers` is a tuple of pairs (kind, shape), the shape being that of one picture's result: (channels, height, width)
    or (features,). The results of the kinds "input", "conv", "pool" and "fc" take memory; all other kinds work in
    place and take 0. There are `batch_size` pictures, and each number takes `bytes_per_number` bytes. Return a list
    with one whole number for each layer, in their order.
    """

    def activation_bytes(layers, batch_size, bytes_per_number):
        return _right(layers, batch_size, bytes_per_number)

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
        Misconception(*BATCH_FORGOTTEN, _counted(factor=lambda batch, width: width)),
        Misconception(*ELEMENTS, _counted(factor=lambda batch, width: batch)),
        Misconception(*BITS, _counted(factor=lambda batch, width: 8 * batch * width)),
        Misconception(*FOUR_BYTES, _counted(factor=lambda batch, width: 4 * batch)),
        Misconception("neither batch nor bytes",
                      "These are the numbers of one picture. A batch has several pictures, and each number takes "
                      "several bytes.", _counted(factor=lambda batch, width: 1)),
        Misconception("ReLU counted again",
                      "ReLU works in place: it writes into the memory of the layer before it, which is counted "
                      "already.", _counted(stored=(*STORED, "relu"))),
        Misconception("batch norm counted again",
                      "In this account batch norm works in place, like ReLU.", _counted(stored=(*STORED, "bn"))),
        Misconception("dropout counted again",
                      "In this account dropout works in place, like ReLU.", _counted(stored=(*STORED, "dropout"))),
        Misconception("flatten counted again",
                      "Flatten only reads the same memory under another shape: nothing is copied.",
                      _counted(stored=(*STORED, "flatten"))),
        Misconception("every layer counted",
                      "Only some kinds of layer need memory of their own for the result; the others work in place. "
                      "Look at the rule of counting.", _counted(stored=EVERYTHING)),
        Misconception("input not counted",
                      "The pictures themselves are in memory too: the first convolution needs them again in the "
                      "backward pass.", _counted(stored=_without("input")),
                      also=(lambda layers, batch, width: _right(layers, batch, width)[1:],)),
        Misconception("input counted for one picture",
                      "The input is a batch, too: as many pictures as everything after it.", _input_once),
        Misconception("pooling not counted",
                      "Pooling learns nothing, but its result is a new and smaller volume that takes memory.",
                      _counted(stored=_without("pool"))),
        Misconception("fully connected layers not counted",
                      "The results of fully connected layers are few numbers, but they are in memory.",
                      _counted(stored=_without("fc"))),
        Misconception("convolutions only",
                      "The input and the results of pooling and of fully connected layers take memory, too.",
                      _counted(stored=("conv",))),
        Misconception("layers that work in place left out",
                      "The list needs an entry for every layer: 0 for those that work in place.", _in_place_left_out),
        Misconception("channels forgotten",
                      "One picture's result is a volume: channels times height times width.",
                      _counted(size=lambda shape: size_of(shape[1:]) if len(shape) == 3 else shape[0])),
        Misconception("width taken from the height",
                      "Height and width are two numbers; pictures need not be square.",
                      _counted(size=lambda shape: shape[0] * shape[1] ** 2 if len(shape) == 3 else shape[0])),
        Misconception("height taken from the width",
                      "Height and width are two numbers; pictures need not be square.",
                      _counted(size=lambda shape: shape[0] * shape[2] ** 2 if len(shape) == 3 else shape[0])),
        Misconception("lengths added instead of multiplied",
                      "A block of C times H times W numbers has their product in it, not their sum.",
                      _counted(size=lambda shape: sum(shape))),
        Misconception("batch size added",
                      "Every picture has a block of its own: the numbers of one block times the pictures, not plus.",
                      lambda layers, batch, width: tuple((size_of(shape) + batch) * width if kind in STORED else 0
                                                         for kind, shape in layers)),
        Misconception("the product carried on from layer to layer",
                      "Each layer's product begins anew at 1. Where is it set?", _product_carried_on),
        Misconception("only the first layer",
                      "All layers are wanted. Does a return inside of the loop end it in its first round?",
                      lambda layers, batch, width: _right(layers, batch, width)[:1],
                      also=(lambda layers, batch, width: _right(layers, batch, width)[0],)),
        Misconception("None instead of 0",
                      "A layer that works in place takes no memory of its own, and no memory is the number 0.",
                      lambda layers, batch, width: tuple(
                          size if kind in STORED else None
                          for (kind, _), size in zip(layers, _right(layers, batch, width), strict=True))),
        Misconception("running total",
                      "Each entry is the memory of one layer alone, not of all layers so far.",
                      lambda layers, batch, width: tuple(accumulate(_right(layers, batch, width))),
                      also=(lambda layers, batch, width: tuple(
                          total if kind in STORED else 0 for (kind, _), total
                          in zip(layers, accumulate(_right(layers, batch, width)), strict=True)),)),
        Misconception("activations counted twice",
                      "Each result counts once. Gradients of activations come and go in the backward pass; they are "
                      "not part of this account.", _counted(factor=lambda batch, width: 2 * batch * width)),
        Misconception("only the total",
                      "The result is a list with the memory of each layer; their sum comes later.",
                      lambda layers, batch, width: sum(_right(layers, batch, width))),
        Misconception("mebibytes instead of bytes",
                      "The result is wanted in bytes, a whole number; units come in when it is shown.",
                      _counted(factor=lambda batch, width: batch * width / 2**20)),
    )
    hints = (
        "How many numbers has one picture's result of shape (64, 56, 56)? And 32 pictures? And how many bytes?",
        "Go through the layers; for each one append either the product of four things or 0 to a list.",
        'np.prod(shape) multiplies all lengths of a shape, also of one with a single length. kind in ("input", "conv", '
        '"pool", "fc") says whether the layer counts.',
    )
