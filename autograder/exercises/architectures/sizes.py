"""Rules for sizes: which layers of a list do not fit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.exercises import words
from autograder.exercises.architectures.patterns import NOTEBOOK
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import geometry


def _followed(size, layers):
    """A right answer, of which wrong ones are edits."""
    sizes, misfits = [], []
    for number, (kernel, stride, padding) in enumerate(layers):
        ways = [side + 2 * padding - kernel for side in size]
        if min(ways) < 0:
            misfits.append(number)
            break
        if any(way % stride for way in ways):
            misfits.append(number)
        size = tuple(way // stride + 1 for way in ways)
        sizes.append(size)
    return tuple(sizes), tuple(misfits)


SIZES = Written.of(_followed)
_IN_WAYS = "any(way % stride for way in ways)"
_STEP = "size = tuple(way // stride + 1 for way in ways)\n        sizes.append(size)"


def _misfit_if(condition: str) -> Written:
    """Another sign of a layer that does not fit."""
    return SIZES.edited({_IN_WAYS: condition})


@exercise("follow_sizes", notebook=NOTEBOOK, points=3)
class FollowSizes:
    """Follow a picture's size through a list of layers, and say which layers do not fit.

    `size` is (height, width); `layers` lists (kernel_size, stride, padding), square windows with the same padding on
    all four sides. Return two lists: the (height, width) after each layer, rounded down where something is left over;
    and the numbers, counted from 0, of the layers that do not fit: the stride leaves something over along the height
    or the width. A window larger than the padded input has no output: its number ends the second list, and neither it
    nor a later layer adds a size.
    """

    lists = ("layers",)

    def follow_sizes(size, layers):
        sizes, misfits = [], []
        for number, (kernel_size, stride, padding) in enumerate(layers):
            if not all(geometry.fits(side, kernel_size, stride, padding) for side in size):
                misfits.append(number)
            try:
                size = geometry.output_size(size, kernel_size, stride, padding, rounding="floor")
            except geometry.GeometryError:
                break
            sizes.append(size)
        return tuple(sizes), tuple(misfits)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        same, pool, large = (3, 1, 1), (2, 2, 0), (5, 1, 2)
        yield Case("one convolution that keeps the size", ((8, 8), (same,)))
        yield Case("one pool", ((8, 8), (pool,)))
        yield Case("one pool that does not fit", ((7, 7), (pool,)))
        yield Case("everything fits", ((32, 32), (same, same, pool, large, pool, same, pool)))
        yield Case("only the height does not fit", ((9, 8), (same, pool)))
        yield Case("only the width does not fit", ((8, 10), (pool, pool, same)))
        yield Case("taller than wide, several misfits", ((45, 22), (same, pool, large, pool, same, pool)))
        yield Case("AlexNet with 227", ((227, 227), ((11, 4, 0), (3, 2, 0), large, (3, 2, 0), same, (3, 2, 0))))
        yield Case("AlexNet with 224", ((224, 224), ((11, 4, 0), (3, 2, 0), large, (3, 2, 0), same, (3, 2, 0))))
        yield Case("stride 2 with padding", ((21, 12), ((3, 2, 1), (5, 2, 2), (4, 3, 1))))
        yield Case("a window that is too large, in the middle", ((12, 6), (pool, (5, 1, 0), pool, same)))
        yield Case("a window as large as the padded input", ((4, 3), (pool, (3, 1, 1), (4, 2, 1))))
        yield Case("stride 3, remainders 1 and 2", ((11, 13), ((3, 3, 0), (2, 3, 1))))
        yield Case("no layers", ((5, 4), ()))
        height, width = (int(n) for n in rng.choice(np.arange(40, 90), 2, replace=False))
        layers = tuple((int(k), int(s), int(p)) for k, s, p in
                       zip(rng.integers(2, 5, 4), rng.integers(1, 4, 4), rng.integers(0, 2, 4), strict=True))
        yield Case("drawn at random", ((height, width), (*layers, pool)))

    returns = ("sizes", "misfits")
    misconceptions = (
        Misconception(*words.ROUNDED_UP, SIZES.edited({"way // stride": "-(-way // stride)"})),
        Misconception(*words.NOT_ROUNDED, SIZES.edited({"way // stride": "way / stride"})),
        Misconception("only the height checked", "A layer has to fit along both axes: look at the width too.",
                      _misfit_if("ways[0] % stride")),
        Misconception("only the width checked", "A layer has to fit along both axes: look at the height too.",
                      _misfit_if("ways[1] % stride")),
        Misconception("a misfit only if both axes leave something over",
                      "One axis with something left over is enough for a misfit.", SIZES.edited({"any": "all"})),
        Misconception(*words.PADDING_COUNTED_ONCE, SIZES.edited({"2 * padding": "padding"})),
        Misconception(*words.PADDING_IGNORED, SIZES.edited({" + 2 * padding": ""})),
        Misconception("windows compared with the bare input",
                      "A window may be larger than the input if the padding makes room for it.",
                      SIZES.edited({"min(ways) < 0": "min(size) < kernel"})),
        Misconception("the stride divides the padded input",
                      "The stride has to divide the way that the window can move, which is shorter than the padded "
                      "input.", _misfit_if("any((way + kernel) % stride for way in ways)")),
        Misconception("the size instead of the way divided",
                      "The stride has to divide the way that the window can move, not the size of the input.",
                      _misfit_if("any(side % stride for side in size)")),
        Misconception(*words.ONE_FORGOTTEN, SIZES.edited({"way // stride + 1": "max(way // stride, 1)"})),
        Misconception("counted from 1", "Layers are counted from 0, as Python does.",
                      SIZES.edited({"enumerate(layers)": "enumerate(layers, 1)"})),
        Misconception("every layer gets the picture", "A layer's input is the output of the layer before it.",
                      SIZES.edited({"size = tuple": "after = tuple", "append(size)": "append(after)",
                                    "break": "continue"})),
        Misconception("stopped at the first misfit",
                      "A misfit loses a row or a column, and the next layer goes on with what is left; only a window "
                      "that is too large ends the list.", SIZES.edited({_STEP: f"{_STEP}\n        if misfits: break"}),
                      also=(SIZES.edited({_STEP: f"if misfits: break\n        {_STEP}"}),)),
        Misconception("too large windows go on",
                      "A window larger than the padded input has no position at all: there is no output to go on with.",
                      SIZES.edited({"min(ways) < 0": "False"}), also=(SIZES.edited({"break": "continue"}),)),
        Misconception("too large window not noted",
                      "A layer whose window is larger than the padded input does not fit either: its number ends the "
                      "second list.", SIZES.edited({"misfits.append(number)\n            break": "break"})),
        Misconception("misfits left out",
                      "A layer that does not fit loses a row or a column, but it is there: its output, rounded down, "
                      "is listed, and the next layer gets it.",
                      SIZES.edited({_STEP: f"if {_IN_WAYS}: continue\n        {_STEP}"}),
                      also=(SIZES.edited({_STEP: f"if not {_IN_WAYS}: {_STEP}"}),)),
        Misconception("fitting layers listed", "The second list holds the layers that do not fit.",
                      SIZES.edited({"tuple(misfits)": "tuple(i for i in range(len(layers)) if i not in misfits)"})),
        Misconception("a change of size taken for a misfit",
                      "A pool may make the picture smaller and fit: what counts is whether anything is left over.",
                      _misfit_if("tuple(way // stride + 1 for way in ways) != tuple(size)")),
        Misconception("odd sizes taken for misfits",
                      "An odd output is not a misfit. The next layer may be one, if it halves.",
                      _misfit_if("any((way // stride + 1) % 2 for way in ways)")),
        Misconception(*words.HEIGHT_AND_WIDTH_SWAPPED, SIZES.edited({"append(size)": "append(size[::-1])"})),
        Misconception("the picture's size listed too",
                      "The first list has one size for each layer, what comes *after* it.",
                      SIZES.edited({"misfits = [],": "misfits = [size],"})),
        Misconception(*words.STRIDE_IGNORED, SIZES.edited({"way // stride + 1": "way + 1"})),
    )
    hints = (
        "One layer, one axis first: how far can the window move, and does the stride lead exactly to the end?",
        "Loop over the layers with enumerate, and keep the current height and width. For each axis the way is "
        "W - F + 2 P: its remainder decides, and a negative way is the end.",
        "Compute both ways. If one is negative, note the number and stop. If one has a remainder when divided by the "
        "stride, note the number. Then replace height and width by way // stride + 1 and note the pair.",
    )
