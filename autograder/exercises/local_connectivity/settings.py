"""Which settings of a layer fit its input."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product

import numpy as np

from autograder.exercises import words
from autograder.exercises.local_connectivity.common import NOTEBOOK
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import geometry

LOOPS = Written("""
    def settings_that_fit(W, kernel_sizes, strides, paddings):
        out = []
        for F in kernel_sizes:
            for S in strides:
                for P in paddings:
                    if W + 2 * P >= F and (W - F + 2 * P) % S == 0:
                        out.append((F, S, P))
        return out
    """)
HEADS = """for F in kernel_sizes:
            for S in strides:
                for P in paddings:"""
IN_THE_LOOPS = {"first loop": 12, "second loop": 16, "third loop": 20, "condition": 24}
"""How far a line is indented that stands there."""


def _fitting(rule: str) -> Written:
    """Another rule decides which settings fit."""
    return LOOPS.edited({"W + 2 * P >= F and (W - F + 2 * P) % S == 0": rule})


def _also_asked_for(condition: str) -> Written:
    """One condition more."""
    return LOOPS.edited({"% S == 0": f"% S == 0 and {condition}"})


def _nested(*loops: str) -> Written:
    """The three loops in another order."""
    first, second, third = loops
    return LOOPS.edited({HEADS: f"for {first}:\n            for {second}:\n                for {third}:"})


def _returned_in(place: str) -> Written:
    """The return stands inside of a loop or of the condition."""
    append = "out.append((F, S, P))\n"
    return LOOPS.edited({append: append + " " * IN_THE_LOOPS[place] + "return out\n"})


def _begun_before(loop: str) -> Written:
    """The list is made anew before an inner loop."""
    indentation = loop[: len(loop) - len(loop.lstrip())]
    return LOOPS.edited({loop: f"{indentation}out = []\n{loop}"})


@exercise("settings_that_fit", notebook=NOTEBOOK, points=3)
class SettingsThatFit:
    """All settings for which the window covers the padded input exactly.

    Given an input size and lists of kernel sizes, strides and paddings, return a list of all (kernel_size, stride,
    padding) with which the window fits: it is not larger than the padded input, and the stride divides what is left
    without a remainder. The kernel size varies slowest, the padding fastest, each in the order in which it was given.
    """

    lists = ("kernel_sizes", "strides", "paddings")

    def settings_that_fit(input_size, kernel_sizes, strides, paddings):
        return tuple(setting for setting in product(kernel_sizes, strides, paddings)
                     if geometry.fits(input_size, *setting))

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
        Misconception(*words.PADDING_COUNTED_ONCE, _fitting("W + P >= F and (W - F + P) % S == 0")),
        Misconception(*words.PADDING_IGNORED, _fitting("W >= F and (W - F) % S == 0")),
        Misconception("kernel size not subtracted",
                      "The stride has to divide what is left of the padded input after one window, not all of it.",
                      _fitting("W + 2 * P >= F and (W + 2 * P) % S == 0"), also=(_fitting("(W + 2 * P) % S == 0"),)),
        Misconception("too large kernels kept",
                      "A negative number can be divisible too: a kernel larger than the padded input does not fit, "
                      "whatever the stride.",
                      _fitting("(W - F + 2 * P) % S == 0")),
        Misconception("kernels compared with the bare input",
                      "The kernel slides over the padded input: it may be larger than the input without its padding.",
                      LOOPS.edited({"W + 2 * P >= F": "W >= F"})),
        Misconception("a kernel that fills the input left out",
                      "A window just as large as the padded input has one position: it fits.",
                      LOOPS.edited({">=": ">"})),
        Misconception("one added before dividing",
                      "The stride has to divide the way that the window can move, W - F + 2 P; the one of the first "
                      "position comes after the division.",
                      _fitting("W + 2 * P >= F and (W - F + 2 * P + 1) % S == 0"),
                      also=(_fitting("W + 2 * P + 1 >= F and (W - F + 2 * P + 1) % S == 0"),)),
        Misconception("whole division instead of a remainder",
                      "The operator // gives the number of steps, % gives what is left over. Whether a stride fits is "
                      "decided by what is left over.",
                      LOOPS.edited({"% S": "// S"}), also=(LOOPS.edited({"% S == 0": "// S != 0"}),)),
        Misconception("turned around", "These are the settings that do not fit.",
                      _fitting("not (W + 2 * P >= F and (W - F + 2 * P) % S == 0)"),
                      also=(LOOPS.edited({"% S == 0": "% S != 0"}),)),
        Misconception("only settings that keep the size",
                      "A setting fits if the output size is a whole number; it need not be the input's.",
                      _also_asked_for("(W - F + 2 * P) // S + 1 == W")),
        Misconception("more conditions than two",
                      "Two things have to hold: there is room for the window, and the stride leads exactly to the end. "
                      "Other rules of good design, such as odd kernels or strides that are not larger than the kernel, "
                      "are not asked for.",
                      _also_asked_for("S <= F"), also=(_also_asked_for("P < F"), _also_asked_for("F % 2 == 1"))),
        Misconception("loops in another order",
                      "The settings are right, but in another order: the kernel size varies slowest, the padding "
                      "fastest, each in the order of its list.",
                      LOOPS.returning("sorted(out)"),
                      also=tuple(_nested(*loops) for loops in permutations(("F in kernel_sizes", "S in strides",
                                                                            "P in paddings")))[1:]),
        Misconception("triples in another order",
                      "The settings are right, but each one has to be written as (kernel_size, stride, padding).",
                      LOOPS.edited({"(F, S, P)": "(S, F, P)"}),
                      also=tuple(LOOPS.edited({"(F, S, P)": triple})
                                 for triple in ("(F, P, S)", "(P, S, F)", "(S, P, F)", "(P, F, S)"))),
        Misconception("returned too early",
                      "The return stands inside of a loop and ends the function there. It belongs after all of them.",
                      _returned_in("third loop"),
                      also=tuple(map(_returned_in, ("second loop", "first loop", "condition")))),
        Misconception("list begun anew in a loop",
                      "Only the settings of the last turn are left: the empty list has to be made once, before all "
                      "loops.",
                      _begun_before("            for S in strides:"),
                      also=(_begun_before("                for P in paddings:"),)),
        Misconception("the first padding that fits",
                      "All settings that fit are asked for. Here the search goes on to the next stride as soon as one "
                      "padding fits: look for a break.",
                      LOOPS.edited({"out.append((F, S, P))": "out.append((F, S, P)); break"})),
        Misconception("lists walked through side by side",
                      "Every kernel size goes with every stride and every padding. zip pairs the first with the first "
                      "and the second with the second only.",
                      LOOPS.edited({HEADS: "for F, S, P in zip(kernel_sizes, strides, paddings):"}),
                      also=(LOOPS.edited({HEADS: "for F in kernel_sizes:\n"
                                                 "            for S, P in zip(strides, paddings):"}),)),
    )
    hints = (
        "For one setting: how far can the window move, and when does the stride lead exactly to the end?",
        "Three nested loops, in the order of the arguments; keep a setting if two things hold.",
        "What is left after one window is W - F + 2 P: it must not be negative, and its remainder when divided by the "
        "stride must be zero.",
    )
