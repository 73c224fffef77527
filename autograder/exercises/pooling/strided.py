"""Pooling as a convolution: which weights average, and which only pick."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from autograder.exercises.pooling.common import NOTEBOOK, Pair
from autograder.judging.exercise import Case, Misconception, exercise

Weights = Callable[[int, Pair], np.ndarray]

MIXED = ("channels mixed",
         "Pooling treats each channel on its own, but a filter sums over all channels of its input: the weights "
         "between different channels have to be zero.")
DEPTHWISE = ("one filter channel instead of all",
             "Each of the C filters spans the full depth of the input: the shape is (C, C, KH, KW).")
KERNEL_FIRST = ("kernel axes first",
                "The weights have the order filter, input channel, row, column, as in PyTorch.")


def _each_channel(pattern: Callable[[Pair], np.ndarray]) -> Weights:
    """Filter k sees channel k, through a pattern of shape (KH, KW), and nothing else."""
    def weights(channels: int, kernel_size: Pair) -> np.ndarray:
        return np.multiply.outer(np.eye(channels), pattern(kernel_size))
    return weights


def _all_channels(pattern: Callable[[Pair], np.ndarray]) -> Weights:
    """Every filter sees every channel."""
    def weights(channels: int, kernel_size: Pair) -> np.ndarray:
        return np.multiply.outer(np.ones((channels, channels)), pattern(kernel_size))
    return weights


def _even(kernel_size: Pair) -> np.ndarray:
    return np.full(kernel_size, 1 / (kernel_size[0] * kernel_size[1]))


def _at(place: Callable[[Pair], Pair]) -> Callable[[Pair], np.ndarray]:
    """A single 1."""
    def pattern(kernel_size: Pair) -> np.ndarray:
        out = np.zeros(kernel_size)
        out[place(kernel_size)] = 1
        return out
    return pattern


def _first_row(kernel_size: Pair) -> np.ndarray:
    return np.repeat([[1.0], [0]], [1, kernel_size[0] - 1], axis=0) * np.ones(kernel_size)


def _first_column(kernel_size: Pair) -> np.ndarray:
    return _first_row(kernel_size[::-1]).T


_corner = _at(lambda k: (0, 0))
_average, _pick = _each_channel(_even), _each_channel(_corner)


def _first_filter(weights: Weights) -> Weights:
    """All filters but the first are zero."""
    def wrong(channels: int, kernel_size: Pair) -> np.ndarray:
        out = weights(channels, kernel_size)
        out[1:] = 0
        return out
    return wrong


def _shared_mistakes(pattern: Callable[[Pair], np.ndarray], answer: str) -> Iterator[Misconception]:
    """Mistakes in which channels and axes change places."""
    right = _each_channel(pattern)
    name = f" in {answer}" if answer != "average_weights" else ""
    yield Misconception(MIXED[0] + name, MIXED[1], _all_channels(pattern), answer)
    yield Misconception(DEPTHWISE[0] + name, DEPTHWISE[1],
                        lambda c, k: np.multiply.outer(np.ones((c, 1)), pattern(k)), answer,
                        also=(lambda c, k: np.multiply.outer(np.ones(c), pattern(k)), lambda c, k: pattern(k),
                              lambda c, k: np.multiply.outer(np.ones((1, c)), pattern(k))))
    yield Misconception(KERNEL_FIRST[0] + name, KERNEL_FIRST[1], lambda c, k: right(c, k).transpose(2, 3, 0, 1), answer)
    yield Misconception("window height and width swapped" + name,
                        "kernel_size is (height, width): the first number belongs to the rows.",
                        lambda c, k: right(c, k[::-1]), answer)
    yield Misconception("only the first filter" + name,
                        "There are as many filters as channels, and each of them passes its own channel on. Here all "
                        "but the first give zero.",
                        _first_filter(right), answer)


@exercise("pooling_as_convolution", notebook=NOTEBOOK, points=3, answers=("average_weights", "subsampling_weights"))
class PoolingAsConvolution:
    """Weights with which a strided convolution is a pooling layer.

    channels is the number C of channels, kernel_size is (KH, KW). Both functions return weights of shape
    (C, C, KH, KW), in the order filter, input channel, row, column, for a convolution without bias. With
    average_weights it computes the mean of each window, channel by channel; with subsampling_weights it picks the entry
    at the upper left of each window, channel by channel.
    """

    def average_weights(channels, kernel_size):
        return _average(channels, kernel_size)

    def subsampling_weights(channels, kernel_size):
        return _pick(channels, kernel_size)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        for answer in ("average_weights", "subsampling_weights"):
            yield Case("one channel", (1, (2, 2)), answer)
            yield Case("two channels", (2, (2, 2)), answer)
            yield Case("three channels, a window taller than wide", (3, (3, 2)), answer)
            yield Case("as many channels as rows, a window wider than tall", (2, (2, 5)), answer)
            yield Case("a window of one entry", (4, (1, 1)), answer)
            yield Case("a single row", (3, (1, 4)), answer)
            yield Case("drawn at random", (int(rng.integers(3, 7)), (int(rng.integers(3, 5)), int(rng.integers(5, 8)))),
                       answer)

    misconceptions = (
        *_shared_mistakes(_even, "average_weights"),
        Misconception("not divided", "A mean is a sum divided by the number of entries of the window.",
                      _each_channel(np.ones)),
        Misconception("divided by the channels too",
                      "The mean runs over one window of one channel; the number of channels plays no part.",
                      lambda c, k: _average(c, k) / c),
        Misconception("mean over channels and window",
                      "These weights average all channels. Pooling never mixes channels.",
                      lambda c, k: _all_channels(_even)(c, k) / c),
        Misconception("divided by one side only", "A window has KH * KW entries.",
                      lambda c, k: _each_channel(np.ones)(c, k) / k[0],
                      also=(lambda c, k: _each_channel(np.ones)(c, k) / k[1],
                            lambda c, k: _each_channel(np.ones)(c, k) / k[0]**2,
                            lambda c, k: _each_channel(np.ones)(c, k) / k[1]**2,
                            lambda c, k: _each_channel(np.ones)(c, k) / (k[0] + k[1]))),
        *_shared_mistakes(_corner, "subsampling_weights"),
        Misconception("every entry picked", "Only one entry of the window is passed on: all other weights are zero.",
                      _each_channel(np.ones), "subsampling_weights",
                      also=(_each_channel(_first_row), _each_channel(_first_column))),
        Misconception("mean instead of one entry", "Subsampling looks at one entry of the window and at no other.",
                      _average, "subsampling_weights"),
        Misconception("the middle of the window",
                      "The entry at the upper left is wanted: row 0 and column 0 of the window.",
                      _each_channel(_at(lambda k: (k[0] // 2, k[1] // 2))), "subsampling_weights",
                      also=(_each_channel(_at(lambda k: ((k[0] - 1) // 2, (k[1] - 1) // 2))),)),
        Misconception("the end of the window",
                      "The entry at the upper left is wanted: row 0 and column 0 of the window.",
                      _each_channel(_at(lambda k: (-1, -1))), "subsampling_weights"),
        Misconception("the upper right of the window",
                      "The entry at the upper left is wanted: row 0 and column 0 of the window.",
                      _each_channel(_at(lambda k: (0, -1))), "subsampling_weights",
                      also=(_each_channel(_at(lambda k: (-1, 0))),)),
    )
    hints = (
        "A filter sums weight times input over all channels and the whole window. For output channel 2, which input "
        "channels may have an influence?",
        "Start with zeros of shape (C, C, KH, KW). For each channel c, weights[c, c] is one small block of KH x KW: "
        "what stands in it for a mean, and what if one entry is picked?",
        "A mean weighs every entry with the same number, and these numbers add up to 1. Picking one entry is a block "
        "with a single 1.",
    )
