"""Pooling as a convolution: which weights average, and which only pick."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.exercises import words
from autograder.exercises.pooling.common import NOTEBOOK
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise

AVERAGE = Written("""
    def average_weights(channels, kernel_size):
        KH, KW = kernel_size
        out = np.zeros((channels, channels, KH, KW))
        for c in range(channels):
            out[c, c] = 1 / (KH * KW)
        return out
    """)
PICK = AVERAGE.edited({"out[c, c] = 1 / (KH * KW)": "out[c, c, 0, 0] = 1"})


def _in_every_function(weights: Written, answer: str) -> Iterator[Misconception]:
    """Mistakes in which channels and axes change places."""
    name = f" in {answer}" if answer != "average_weights" else ""
    one_deep = weights.edited({"channels, channels, KH": "channels, 1, KH", "[c, c": "[c, 0"})
    yield Misconception("channels mixed" + name,
                        "Pooling treats each channel on its own, but a filter sums over all channels of its input: the "
                        "weights between different channels have to be zero.",
                        weights.edited({"[c, c": "[c, :"}), answer)
    yield Misconception("one filter channel instead of all" + name,
                        "Each of the C filters spans the full depth of the input: the shape is (C, C, KH, KW).",
                        one_deep, answer,
                        also=(one_deep.returning("out[:, 0]"), one_deep.returning("out[0, 0]"),
                              one_deep.returning("out.swapaxes(0, 1)")))
    yield Misconception("kernel axes first" + name,
                        "The weights have the order filter, input channel, row, column, as in PyTorch.",
                        weights.returning("out.transpose(2, 3, 0, 1)"), answer)
    yield Misconception(words.WINDOW_SWAPPED[0] + name, words.WINDOW_SWAPPED[1],
                        weights.given("kernel_size = kernel_size[::-1]"), answer)
    yield Misconception("only the first filter" + name,
                        "There are as many filters as channels, and each of them passes its own channel on. Here all "
                        "but the first give zero.",
                        weights.ending("out[1:] = 0"), answer)


def _block(value: str) -> Written:
    """Another number than one divided by the window's size."""
    return AVERAGE.edited({"1 / (KH * KW)": value})


def _picked(place: str) -> Written:
    """Another entry than the one at the upper left."""
    return PICK.edited({"0, 0] = 1": f"{place}] = 1"})


@exercise("pooling_as_convolution", notebook=NOTEBOOK, points=3, answers=("average_weights", "subsampling_weights"))
class PoolingAsConvolution:
    """Weights with which a strided convolution is a pooling layer.

    channels is the number C of channels, kernel_size is (KH, KW). Both functions return weights of shape
    (C, C, KH, KW), in the order filter, input channel, row, column, for a convolution without bias. With
    average_weights it computes the mean of each window, channel by channel; with subsampling_weights it picks the entry
    at the upper left of each window, channel by channel.
    """

    def average_weights(channels, kernel_size):
        each = np.full(kernel_size, 1 / (kernel_size[0] * kernel_size[1]))
        return np.multiply.outer(np.eye(channels), each)

    def subsampling_weights(channels, kernel_size):
        each = np.zeros(kernel_size)
        each[0, 0] = 1
        return np.multiply.outer(np.eye(channels), each)

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
        *_in_every_function(AVERAGE, "average_weights"),
        Misconception(*words.NOT_DIVIDED, _block("1")),
        Misconception("divided by the channels too",
                      "The mean runs over one window of one channel; the number of channels plays no part.",
                      AVERAGE.ending("out /= channels")),
        Misconception("mean over channels and window",
                      "These weights average all channels. Pooling never mixes channels.",
                      AVERAGE.edited({"[c, c]": "[c, :]"}).ending("out /= channels")),
        Misconception("divided by one side only", "A window has KH * KW entries.",
                      _block("1 / KH"), also=tuple(map(_block, ("1 / KW", "1 / KH**2", "1 / KW**2", "1 / (KH + KW)")))),
        *_in_every_function(PICK, "subsampling_weights"),
        Misconception("every entry picked", "Only one entry of the window is passed on: all other weights are zero.",
                      _picked(":"), "subsampling_weights", also=(_picked("0"), _picked(":, 0"))),
        Misconception("mean instead of one entry", "Subsampling looks at one entry of the window and at no other.",
                      AVERAGE, "subsampling_weights"),
        Misconception("the middle of the window",
                      "The entry at the upper left is wanted: row 0 and column 0 of the window.",
                      _picked("KH // 2, KW // 2"), "subsampling_weights",
                      also=(_picked("(KH - 1) // 2, (KW - 1) // 2"),)),
        Misconception("the end of the window",
                      "The entry at the upper left is wanted: row 0 and column 0 of the window.",
                      _picked("-1, -1"), "subsampling_weights"),
        Misconception("the upper right of the window",
                      "The entry at the upper left is wanted: row 0 and column 0 of the window.",
                      _picked("0, -1"), "subsampling_weights", also=(_picked("-1, 0"),)),
    )
    hints = (
        "A filter sums weight times input over all channels and the whole window. For output channel 2, which input "
        "channels may have an influence?",
        "Start with zeros of shape (C, C, KH, KW). For each channel c, weights[c, c] is one small block of KH x KW: "
        "what stands in it for a mean, and what if one entry is picked?",
        "A mean weighs every entry with the same number, and these numbers add up to 1. Picking one entry is a block "
        "with a single 1.",
    )
