"""Which settings of a layer fit its input."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np

from autograder.exercise import Case, Misconception, exercise
from autograder.exercises.local_connectivity.one_neuron import NOTEBOOK
from cnncourse import geometry

Triples = tuple[tuple[int, int, int], ...]


def _all_that(rule: Callable[[int, int, int, int], bool]) -> Callable[..., Triples]:
    """A listing of all settings for which a rule on (input, kernel, stride, padding) holds, in the right order."""
    def listing(size: int, kernels: Sequence[int], strides: Sequence[int], paddings: Sequence[int]) -> Triples:
        return tuple((f, s, p) for f, s, p in product(kernels, strides, paddings) if rule(size, f, s, p))
    return listing


_right = _all_that(lambda w, f, s, p: geometry.fits(w, f, s, p))


def _padding_slowest(size: int, kernels: Sequence[int], strides: Sequence[int], paddings: Sequence[int]) -> Triples:
    return tuple(sorted(_right(size, kernels, strides, paddings),
                        key=lambda t: (paddings.index(t[2]), strides.index(t[1]), kernels.index(t[0]))))


@exercise("settings_that_fit", notebook=NOTEBOOK, points=3)
class SettingsThatFit:
    """All settings for which the window covers the padded input exactly.

    Given an input size and lists of kernel sizes, strides and paddings, return a list of all (kernel_size, stride,
    padding) with which the window fits: it is not larger than the padded input, and the stride divides what is left
    without a remainder. The kernel size varies slowest, the padding fastest, each in the order in which it was given.
    """

    def settings_that_fit(input_size, kernel_sizes, strides, paddings):
        return _right(input_size, kernel_sizes, strides, paddings)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        yield Case("one setting that fits", (7, (3,), (2,), (0,)))
        yield Case("one setting that does not", (10, (3,), (2,), (0,)))
        yield Case("several strides", (10, (3,), (1, 2, 3, 7), (0,)))
        yield Case("several paddings", (10, (3,), (2, 3), (0, 1, 2)))
        yield Case("AlexNet, 224 inputs", (224, (11,), (4,), (0, 1, 2, 3)))
        yield Case("several of each", (12, (3, 4, 5), (1, 2, 3), (0, 1, 2)))
        yield Case("kernels larger than the input", (4, (3, 5, 7, 9), (1, 2, 3), (0, 1)))
        yield Case("a kernel just as large as the padded input", (5, (5, 7), (2, 3), (0, 1)))
        yield Case("lists in another order", (9, (5, 2, 3), (3, 1, 2), (2, 0, 1)))
        size = int(rng.integers(20, 60))
        kernels = tuple(int(n) for n in np.sort(rng.choice(np.arange(1, 12), 4, replace=False)))
        yield Case("drawn at random", (size, kernels, (2, 3, 5), (0, 1, 2, 3)))

    misconceptions = (
        Misconception("padding counted once",
                      "Padding lies on both sides of the input, so it counts twice.",
                      _all_that(lambda w, f, s, p: w + p >= f and (w - f + p) % s == 0)),
        Misconception("padding ignored", "The padding makes the input longer, on both sides.",
                      _all_that(lambda w, f, s, p: w >= f and (w - f) % s == 0)),
        Misconception("kernel size not subtracted",
                      "The stride has to divide what is left of the padded input after one window, not all of it.",
                      _all_that(lambda w, f, s, p: w + 2 * p >= f and (w + 2 * p) % s == 0)),
        Misconception("too large kernels kept",
                      "A negative number can be divisible too: a kernel larger than the padded input does not fit, "
                      "whatever the stride.",
                      _all_that(lambda w, f, s, p: (w - f + 2 * p) % s == 0)),
        Misconception("kernels compared with the bare input",
                      "The kernel slides over the padded input: it may be larger than the input without its padding.",
                      _all_that(lambda w, f, s, p: w >= f and (w - f + 2 * p) % s == 0)),
        Misconception("a kernel that fills the input left out",
                      "A window just as large as the padded input has one position: it fits.",
                      _all_that(lambda w, f, s, p: w + 2 * p > f and (w - f + 2 * p) % s == 0)),
        Misconception("one added before dividing",
                      "The stride has to divide the way that the window can move, W - F + 2 P; the one of the first "
                      "position comes after the division.",
                      _all_that(lambda w, f, s, p: w + 2 * p >= f and (w - f + 2 * p + 1) % s == 0)),
        Misconception("turned around", "These are the settings that do not fit.",
                      _all_that(lambda w, f, s, p: not geometry.fits(w, f, s, p))),
        Misconception("only settings that keep the size",
                      "A setting fits if the output size is a whole number; it need not be the input's.",
                      _all_that(lambda w, f, s, p: geometry.fits(w, f, s, p)
                                and geometry.output_size(w, f, s, p) == w)),
        Misconception("padding varies slowest",
                      "The settings are right, but in another order: the kernel size varies slowest, the padding "
                      "fastest.",
                      _padding_slowest),
        Misconception("stride before kernel size",
                      "The settings are right, but each one has to be written as (kernel_size, stride, padding).",
                      lambda w, f, s, p: tuple((b, a, c) for a, b, c in _right(w, f, s, p))),
    )
    hints = (
        "For one setting: how far can the window move, and when does the stride lead exactly to the end?",
        "Three nested loops, in the order of the arguments; keep a setting if two things hold.",
        "What is left after one window is W - F + 2 P: it must not be negative, and its remainder when divided by the "
        "stride must be zero.",
    )
