"""Less memory for more work: keep some results, and compute the others once more."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from autograder.exercises import words
from autograder.exercises.memory.common import NOTEBOOK
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise


def _peak(sizes, k):
    """A right answer, of which wrong ones are edits."""
    kept = sum(sizes[::k])
    segments = [sum(sizes[i + 1:i + k]) for i in range(0, len(sizes), k)]
    return kept + max(segments)


PEAK = Written.of(_peak)
_KEPT_TWICE = PEAK.edited({"i + 1:": "i:"})
_TOO_LONG = PEAK.edited({"i + k]": "i + k + 1]"})
_TOO_SHORT = PEAK.edited({"i + k]": "max(i + k - 1, i + 1)]"})
_LAST_LEFT_OUT = PEAK.edited({"max(segments)": "max(segments[:len(sizes) // k], default=0)"})
_FIRST_SEGMENT = PEAK.edited({"max(segments)": "segments[0]"})
_LAST_SEGMENT = PEAK.edited({"max(segments)": "segments[-1]"})
_ONLY_KEPT = PEAK.edited({" + max(segments)": ""})


@exercise("checkpointed_bytes", notebook=NOTEBOOK, points=3)
class CheckpointedBytes:
    """Memory for activations if only every k-th one is kept.

    `sizes` are the bytes of the activations of a chain in their order, the input first. With `segment_length` k the
    activations number 0, k, 2k, ... are kept all the time. Those between two kept ones form a segment, the last one
    perhaps shorter; they are computed again when backward gets there, and are in memory only then, all those of one
    segment at once. Return the most that is in memory: all that is kept, and the largest of the segments.
    """

    lists = ("sizes",)

    def checkpointed_bytes(sizes, segment_length):
        return _peak(sizes, segment_length)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def drawn(count: int) -> tuple[int, ...]:
            return tuple(int(n) for n in rng.permutation(np.arange(10, 10 + 3 * count, 3)))

        yield Case("nine of the same size, every third", ((10,) * 9, 3))
        yield Case("twelve of the same size, every fourth", ((10,) * 12, 4))
        yield Case("everything is kept", ((5, 8, 3, 9, 2), 1))
        yield Case("only the input is kept", ((5, 8, 3, 9, 2), 5))
        yield Case("a segment longer than the chain", ((5, 8, 3, 9, 2), 7))
        yield Case("every second", ((5, 8, 3, 9, 2, 7), 2))
        yield Case("decreasing sizes", ((90, 60, 50, 33, 21, 14, 8, 4), 3))
        yield Case("increasing sizes", ((4, 8, 14, 21, 33, 50, 60, 90), 3))
        yield Case("the largest segment in the middle", ((7, 3, 2, 6, 50, 60, 5, 1, 2), 3))
        yield Case("neither the first, the last nor the largest activation is in the largest segment",
                   ((5, 9, 1, 5, 8, 7, 5, 2, 12), 3))
        yield Case("a short last segment, and it is the largest", ((3, 4, 2, 5, 6, 1, 9, 70), 3))
        yield Case("the last one is kept and has no segment", ((3, 40, 20, 5, 60, 10, 9), 3))
        yield Case("drawn at random", (drawn(11), 4))
        yield Case("drawn at random, longer", (drawn(23), int(rng.integers(3, 7))))

    misconceptions = (
        Misconception(*words.KEPT_TWICE, _KEPT_TWICE),
        Misconception(*words.SEGMENT_TOO_LONG, _TOO_LONG),
        Misconception(*words.SEGMENT_TOO_SHORT, _TOO_SHORT),
        Misconception("all segments at once",
                      "A segment's activations are let go before the next segment is computed again: only one segment "
                      "is in memory at a time.", PEAK.edited({"max(segments)": "sum(segments)"})),
        Misconception("what is kept forgotten",
                      "The kept activations are in memory all the time, and count beside the segment.",
                      PEAK.edited({"kept + ": ""}), also=(PEAK.edited({"kept + ": "", "i + 1:": "i:"}),)),
        Misconception("only what is kept",
                      "Backward needs the activations between the kept ones, too: while it works on a segment, that "
                      "segment is in memory.", _ONLY_KEPT),
        Misconception(*words.FIRST_SEGMENT_ONLY, _FIRST_SEGMENT),
        Misconception(*words.LAST_SEGMENT_ONLY, _LAST_SEGMENT),
        Misconception(*words.LAST_SEGMENT_LEFT_OUT, _LAST_LEFT_OUT),
        Misconception("the largest single activation",
                      "Backward needs a whole segment at once, not one of its activations.",
                      PEAK.edited({"[sum(sizes[i + 1:i + k])": "[max(sizes[i + 1:i + k], default=0)"})),
        Misconception("compared by the first activation",
                      "Segments are compared by their sums. The largest of several lists is, for Python, the one "
                      "whose first entry is largest.",
                      PEAK.edited({"[sum(sizes[i + 1:i + k])": "[list(sizes[i + 1:i + k])",
                                   "max(segments)": "sum(max(segments))"})),
        Misconception("segments begin everywhere",
                      "A segment begins after a kept activation, at 0, k, 2k, ..., and nowhere else.",
                      PEAK.edited({"range(0, len(sizes), k)": "range(len(sizes))"}),
                      also=(PEAK.edited({"range(0, len(sizes), k)": "range(-1, len(sizes) - 1)"}),)),
        Misconception("later checkpoints left out",
                      "In the formula of this exercise all that is kept counts, also what lies behind the segment.",
                      PEAK.edited({"[sum(sizes": "[sum(sizes[:i + 1:k]) + sum(sizes", "kept + ": ""})),
        Misconception("every activation as large as the largest",
                      "The activations have sizes of their own: add up those of a segment.",
                      PEAK.edited({"max(segments)": "(k - 1) * max(sizes)"}),
                      also=(PEAK.edited({"max(segments)": "(min(k, len(sizes)) - 1) * max(sizes)"}),)),
        Misconception("the last activation always kept",
                      "Kept are the numbers 0, k, 2k, ...; the last activation is not kept if it is none of them.",
                      PEAK.edited({"sum(sizes[::k])": "sum(sizes[::k]) + sizes[-1] * ((len(sizes) - 1) % k > 0)"})),
        Misconception("segments averaged", "Memory has to suffice for the largest segment, not for the average one.",
                      PEAK.edited({"max(segments)": "sum(segments) / len(segments)"})),
        Misconception("length taken for a number of segments", "k is the length of a segment, not how many there are.",
                      PEAK.given("k = -(-len(sizes) // min(k, len(sizes)))")),
        Misconception("the ends of segments kept",
                      "Kept are the activations number 0, k, 2k, ...: the input is the first of them.",
                      PEAK.edited({"[::k]": "[k - 1::k]", "i + 1:i + k": "i:i + k - 1"})),
        Misconception("input not kept", "The input is activation number 0 and is kept, like number k and 2k.",
                      PEAK.edited({"[::k]": "[k::k]"}), also=(PEAK.edited({"[::k]": "[1::k]"}),)),
        Misconception("only for equal sizes",
                      "n / k + k holds for activations of the same size. These are not: add up the ones that are "
                      "meant.", lambda sizes, k: (math.ceil(len(sizes) / k) + min(k, len(sizes)) - 1) * sizes[0],
                      also=(lambda sizes, k: len(sizes) / k + k, lambda sizes, k: (len(sizes) / k + k) * sizes[0],
                            lambda sizes, k: (math.ceil(len(sizes) / k) + min(k, len(sizes)) - 1)
                            * sum(sizes) / len(sizes))),
    )
    hints = (
        "Write down ten sizes and circle every third one, beginning with the first. What is circled is kept; what "
        "stands between two circles is a segment.",
        "Two sums are needed: all circled ones, and for each segment those that are not circled. The largest of the "
        "latter is added to the former.",
        "sizes[::k] are the kept ones. The segment after number start is sizes[start + 1 : start + k]; a slice that "
        "reaches beyond the end is just shorter.",
    )


def _peaks(sizes, peak=_peak):
    """The peak with each length, by the right rule or another one."""
    return [peak(sizes, k) for k in range(1, len(sizes) + 1)]


def _best(sizes, peak=_peak):
    """The length with the smallest peak."""
    return 1 + int(np.argmin(_peaks(sizes, peak)))


def _best_by(peak: Written) -> Callable[..., int]:
    """The best length, by another peak."""
    return lambda sizes: _best(sizes, peak)


def _nearest_best(given: Any, sizes: Sequence[int]) -> int:
    """Any length with the smallest peak is right."""
    number, peaks = np.asarray(given).item(), _peaks(sizes)
    return next((k for k, peak in enumerate(peaks, 1) if k == number and peak == min(peaks)), _best(sizes))


@exercise("best_segment_length", notebook=NOTEBOOK, points=3)
class BestSegmentLength:
    """The segment length that needs the least memory.

    `sizes` are the bytes of a chain's activations, as in checkpointed_bytes. Return the length k, from 1 to the number
    of activations, with which the peak is smallest; where several are equally good, any of them.
    """

    lists = ("sizes",)

    def best_segment_length(sizes):
        return _best(sizes)

    alternatives: ClassVar[Mapping[str, Any]] = {"best_segment_length": _nearest_best}

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def drawn(count: int) -> tuple[int, ...]:
            return tuple(int(n) for n in rng.integers(1, 40, count) + 400 * (np.arange(count) % count == 2))

        yield Case("sixteen of the same size", ((10,) * 16,))
        yield Case("a hundred of the same size", ((10,) * 100,))
        yield Case("ten of the same size", ((7,) * 10,))
        yield Case("a single activation", ((5,),))
        yield Case("one large activation among small ones", ((3, 2, 4, 90, 2, 5, 3, 1, 2, 4, 1, 2),))
        yield Case("every second one is large", ((1, 20) * 10,))
        yield Case("every third one is small", ((1, 20, 20) * 6,))
        yield Case("decreasing sizes, as in most networks", (tuple(int(1000 * 0.75**i) for i in range(20)),))
        yield Case("increasing sizes", (tuple(int(1000 * 0.75**i) for i in range(20))[::-1],))
        yield Case("a large input", ((500, 3, 4, 5, 6, 5, 4, 3, 6, 7, 4, 3, 5),))
        yield Case("every sixth one is small", ((9, 40, 40, 40, 40, 40) * 8,))
        yield Case("sizes up and down", ((14, 4, 8, 21, 26, 4, 28, 10, 3, 27, 16),))
        yield Case("sizes up and down, thirteen of them", ((1, 11, 2, 26, 19, 13, 23, 11, 14, 11, 23, 2, 16),))
        yield Case("large ones in the middle", ((1, 3, 10, 4, 17, 29, 27, 19, 14, 21, 9),))
        yield Case("drawn at random", (drawn(25),))

    misconceptions = (
        Misconception("the root of the number",
                      "The root of n is best only if all activations have the same size. Try all lengths.",
                      lambda sizes: round(math.sqrt(len(sizes))),
                      also=(lambda sizes: math.isqrt(len(sizes)), lambda sizes: math.ceil(math.sqrt(len(sizes))),
                            lambda sizes: math.sqrt(len(sizes)))),
        Misconception("the number of segments",
                      "This is how many segments there are. What is wanted is the length of one.",
                      lambda sizes: math.ceil(len(sizes) / _best(sizes)),
                      also=(lambda sizes: len(sizes) // _best(sizes), lambda sizes: len(sizes) / _best(sizes))),
        Misconception("the length that keeps everything",
                      "With length 1 nothing is ever let go, which takes the most memory of all. Is the largest peak "
                      "chosen in place of the smallest, or are the kept activations missing in the peak?",
                      lambda sizes: 1),
        Misconception("the peak instead of the length",
                      "This is how much memory the best length needs. What is wanted is the length itself.",
                      lambda sizes: min(_peaks(sizes)),
                      also=(lambda sizes: (min(_peaks(sizes)), _best(sizes)), _peaks)),
        Misconception("a list of lengths", "One whole number is wanted, even where several lengths are equally good.",
                      lambda sizes: tuple(k for k, peak in enumerate(_peaks(sizes), 1) if peak == min(_peaks(sizes)))),
        Misconception(*words.LAST_SEGMENT_LEFT_OUT, _best_by(_LAST_LEFT_OUT)),
        Misconception(*words.LAST_SEGMENT_ONLY, _best_by(_LAST_SEGMENT)),
        Misconception(*words.SEGMENT_TOO_LONG, _best_by(_TOO_LONG)),
        Misconception(*words.SEGMENT_TOO_SHORT, _best_by(_TOO_SHORT)),
        Misconception("lengths counted from zero",
                      "The first length that is tried is 1, but a list's first index is 0: the result is one off.",
                      lambda sizes: _best(sizes) - 1),
        Misconception("one too long", "The result is one more than the best length. Where does your counting begin?",
                      lambda sizes: _best(sizes) + 1),
        Misconception(*words.KEPT_TWICE, _best_by(_KEPT_TWICE)),
        Misconception("segments forgotten",
                      "Keeping nothing looks best if the segments are not counted: the peak is what is kept and the "
                      "largest segment.", _best_by(_ONLY_KEPT), also=(len,)),
        Misconception(*words.FIRST_SEGMENT_ONLY, _best_by(_FIRST_SEGMENT)),
        Misconception("stopped at the first rise",
                      "The peak may rise and fall again as the length grows: all lengths have to be tried.",
                      lambda sizes: next((k for k, (one, next_one) in enumerate(pairwise(_peaks(sizes)), 1)
                                          if next_one > one), len(sizes))),
        Misconception("only divisors tried",
                      "The last segment may be shorter than the others, so the length need not divide the number of "
                      "activations.",
                      lambda sizes: min((k for k in range(1, len(sizes) + 1) if len(sizes) % k == 0),
                                        key=lambda k: _peak(sizes, k))),
    )
    hints = (
        "For a given length you can compute the peak. How many lengths are there to choose from?",
        "Compute the peak of each length from 1 to the number of activations and keep the best one so far.",
        "min(range(1, len(sizes) + 1), key=...) returns the length for which a function of it is smallest.",
    )
