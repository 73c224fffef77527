"""Which settings of a layer fit its input."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np

from autograder.exercises.local_connectivity.common import NOTEBOOK
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import geometry

Triples = tuple[tuple[int, int, int], ...]


def _all_that(rule: Callable[[int, int, int, int], bool]) -> Callable[..., Triples]:
    """A listing of all settings for which a rule on (input, kernel, stride, padding) holds, in the right order."""
    def listing(size: int, kernels: Sequence[int], strides: Sequence[int], paddings: Sequence[int]) -> Triples:
        return tuple((f, s, p) for f, s, p in product(kernels, strides, paddings) if rule(size, f, s, p))
    return listing


_right = _all_that(lambda w, f, s, p: geometry.fits(w, f, s, p))


def _ordered(*axes: int) -> Callable[..., Triples]:
    """The right settings, in the order of loops over other lists first: 0 kernel sizes, 1 strides, 2 paddings."""
    def listing(size: int, *choices: Sequence[int]) -> Triples:
        return tuple(sorted(_right(size, *choices), key=lambda t: [choices[axis].index(t[axis]) for axis in axes]))
    return listing


def _written_as(*axes: int) -> Callable[..., tuple[tuple[int, ...], ...]]:
    """The right settings, each triple in another order."""
    return lambda *arguments: tuple(tuple(t[axis] for axis in axes) for t in _right(*arguments))


def _until(stop: Callable[[bool, bool, bool], bool]) -> Callable[..., Triples]:
    """The loops left after a turn: `stop` is told whether stride and padding are the last ones, and whether it fits."""
    def listing(size: int, kernels: Sequence[int], strides: Sequence[int], paddings: Sequence[int]) -> Triples:
        found = []
        for f, s, p in product(kernels, strides, paddings):
            fits = geometry.fits(size, f, s, p)
            found += [(f, s, p)] * fits
            if stop(s == strides[-1], p == paddings[-1], fits):
                break
        return tuple(found)
    return listing


def _only_last(kernel_too: bool) -> Callable[..., Triples]:
    """The list begins anew with every kernel size, or with every stride."""
    def listing(size: int, kernels: Sequence[int], strides: Sequence[int], paddings: Sequence[int]) -> Triples:
        return _right(size, kernels[-1:], strides if kernel_too else strides[-1:], paddings)
    return listing


def _stopping_at_a_fit(size: int, kernels: Sequence[int], strides: Sequence[int], paddings: Sequence[int]) -> Triples:
    """For each kernel size and stride the first padding that fits."""
    return tuple(found for f, s in product(kernels, strides) for found in _right(size, (f,), (s,), paddings)[:1])


def _side_by_side(size: int, kernels: Sequence[int], strides: Sequence[int], paddings: Sequence[int]) -> Triples:
    """First with first, second with second."""
    return tuple(t for t in zip(kernels, strides, paddings, strict=False) if geometry.fits(size, *t))


def _strides_with_paddings(
    size: int, kernels: Sequence[int], strides: Sequence[int], paddings: Sequence[int]
) -> Triples:
    """All kernel sizes, but strides and paddings side by side."""
    return tuple((f, s, p) for f in kernels for s, p in zip(strides, paddings, strict=False)
                 if geometry.fits(size, f, s, p))


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
                      _all_that(lambda w, f, s, p: w + 2 * p >= f and (w + 2 * p) % s == 0),
                      also=(_all_that(lambda w, f, s, p: (w + 2 * p) % s == 0),)),
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
                      _all_that(lambda w, f, s, p: w + 2 * p >= f and (w - f + 2 * p + 1) % s == 0),
                      also=(_all_that(lambda w, f, s, p: w + 2 * p + 1 >= f and (w - f + 2 * p + 1) % s == 0),)),
        Misconception("whole division instead of a remainder",
                      "The operator // gives the number of steps, % gives what is left over. Whether a stride fits is "
                      "decided by what is left over.",
                      _all_that(lambda w, f, s, p: w + 2 * p >= f and (w - f + 2 * p) // s == 0),
                      also=(_all_that(lambda w, f, s, p: w + 2 * p >= f and (w - f + 2 * p) // s != 0),)),
        Misconception("turned around", "These are the settings that do not fit.",
                      _all_that(lambda w, f, s, p: not geometry.fits(w, f, s, p)),
                      also=(_all_that(lambda w, f, s, p: w + 2 * p >= f and (w - f + 2 * p) % s != 0),)),
        Misconception("only settings that keep the size",
                      "A setting fits if the output size is a whole number; it need not be the input's.",
                      _all_that(lambda w, f, s, p: geometry.fits(w, f, s, p)
                                and geometry.output_size(w, f, s, p) == w)),
        Misconception("more conditions than two",
                      "Two things have to hold: there is room for the window, and the stride leads exactly to the end. "
                      "Other rules of good design, such as odd kernels or strides that are not larger than the kernel, "
                      "are not asked for.",
                      _all_that(lambda w, f, s, p: geometry.fits(w, f, s, p) and s <= f),
                      also=(_all_that(lambda w, f, s, p: geometry.fits(w, f, s, p) and p < f),
                            _all_that(lambda w, f, s, p: geometry.fits(w, f, s, p) and f % 2 == 1))),
        Misconception("loops in another order",
                      "The settings are right, but in another order: the kernel size varies slowest, the padding "
                      "fastest, each in the order of its list.",
                      _ordered(2, 1, 0), also=(_ordered(1, 0, 2), _ordered(0, 2, 1), _ordered(1, 2, 0),
                                               _ordered(2, 0, 1), lambda *a: tuple(sorted(_right(*a))))),
        Misconception("triples in another order",
                      "The settings are right, but each one has to be written as (kernel_size, stride, padding).",
                      _written_as(1, 0, 2), also=(_written_as(0, 2, 1), _written_as(2, 1, 0), _written_as(1, 2, 0))),
        Misconception("returned too early",
                      "The return stands inside of a loop and ends the function there. It belongs after all of them.",
                      _until(lambda last_stride, last_padding, fits: True),
                      also=(_until(lambda last_stride, last_padding, fits: last_padding),
                            _until(lambda last_stride, last_padding, fits: last_padding and last_stride),
                            _until(lambda last_stride, last_padding, fits: fits))),
        Misconception("list begun anew in a loop",
                      "Only the settings of the last turn are left: the empty list has to be made once, before all "
                      "loops.",
                      _only_last(kernel_too=True), also=(_only_last(kernel_too=False),)),
        Misconception("the first padding that fits",
                      "All settings that fit are asked for. Here the search goes on to the next stride as soon as one "
                      "padding fits: look for a break.",
                      _stopping_at_a_fit),
        Misconception("lists walked through side by side",
                      "Every kernel size goes with every stride and every padding. zip pairs the first with the first "
                      "and the second with the second only.",
                      _side_by_side, also=(_strides_with_paddings,)),
    )
    hints = (
        "For one setting: how far can the window move, and when does the stride lead exactly to the end?",
        "Three nested loops, in the order of the arguments; keep a setting if two things hold.",
        "What is left after one window is W - F + 2 P: it must not be negative, and its remainder when divided by the "
        "stride must be zero.",
    )
