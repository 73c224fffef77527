"""Mistakes that can be made in any exercise, told from what an answer returned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.judging.compare import Comparison, Reason, compare, reordered
from autograder.sandbox.outcome import Ending

if TYPE_CHECKING:
    from autograder.judging.exercise import Exercise
    from autograder.judging.result import CaseResult

MOST_AXES_PERMUTED = 4
MOST_DIGITS = 5
FEWEST_FOR_A_FACTOR = 3
"""So many entries have to show one factor, or one difference, before it is no accident."""


@dataclass(frozen=True)
class GeneralMistake:
    """A mistake and how it is seen in one failing case.

    Parameters
    ----------
    name, explanation, detail : str
        As in a `Misconception`.
    seen : callable
        Whether a failing case shows it.
    somewhere : callable, optional
        What at least one failing case has to show beside it.
    mostly : bool
        Whether it is enough that the first failing case and half of all show it; otherwise all have to.
    """

    name: str
    explanation: str
    seen: Callable[[Exercise, CaseResult], bool]
    mostly: bool = False
    detail: str = ""
    somewhere: Callable[[Exercise, CaseResult], bool] | None = None

    def share(self, exercise: Exercise, failing: Sequence[CaseResult]) -> float:
        """Which part of the failing cases shows it, in the order in which they failed; 0 if that is not enough."""
        if not self.seen(exercise, failing[0]):
            return 0.0
        if self.somewhere is not None and not any(self.somewhere(exercise, result) for result in failing):
            return 0.0
        share = sum(self.seen(exercise, result) for result in failing) / len(failing)
        return share if share == 1 or (self.mostly and share >= 0.5) else 0.0


def _pair(comparison: Comparison) -> tuple[np.ndarray, np.ndarray] | None:
    """Expected and given where both are numbers in an array of one shape, and at least one entry differs."""
    if comparison.differs is None or comparison.differs.ndim == 0 or np.asarray(comparison.expected).dtype.kind == "b":
        return None
    return np.asarray(comparison.expected), np.asarray(comparison.given)


def _on_arrays(same: Callable[[np.ndarray, np.ndarray, np.ndarray], Any]) -> Callable[[Exercise, CaseResult], bool]:
    """A sign that is looked for in expected, given, and the mask of what differs."""
    def seen(exercise: Exercise, result: CaseResult) -> bool:
        pair = _pair(result.comparison)
        if pair is None or not np.isfinite(pair[1]).all() or result.comparison.differs is None:
            return False
        return bool(same(*pair, result.comparison.differs))
    return seen


def _alike(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Exercise, CaseResult], bool]:
    """Whether the given array is the expected one after a change."""
    return _on_arrays(lambda expected, given, differs: compare(change(expected), given).equal)


def _nothing_returned(exercise: Exercise, result: CaseResult) -> bool:
    return result.outcome.ending is Ending.VALUE and result.outcome.value is None


def _reordered(exercise: Exercise, result: CaseResult) -> bool:
    return reordered(result.expected, result.outcome.value, exercise.tolerance)


def _reshaped(exercise: Exercise, result: CaseResult) -> bool:
    if result.comparison.reason is not Reason.SHAPE:
        return False
    expected, given = np.asarray(result.comparison.expected), result.comparison.given
    if not isinstance(given, np.ndarray):
        return False
    return expected.size == given.size and compare(expected.ravel(), given.ravel(), exercise.tolerance).equal


def _transposed(exercise: Exercise, result: CaseResult) -> bool:
    expected, given = result.comparison.expected, result.comparison.given
    if not (isinstance(expected, np.ndarray) and isinstance(given, np.ndarray)):
        return False
    if sorted(expected.shape) != sorted(given.shape) or not 2 <= given.ndim <= MOST_AXES_PERMUTED:
        return False
    return any(compare(expected, given.transpose(order), exercise.tolerance).equal
               for order in permutations(range(given.ndim)))


def _rounded(exercise: Exercise, result: CaseResult) -> bool:
    expected, given = result.comparison.expected, result.comparison.given
    if result.comparison.differs is None or not np.any(given) or np.asarray(expected).dtype.kind != "f":
        return False
    return any(compare(np.round(expected, digits), given).equal for digits in range(MOST_DIGITS))


def _only_zeros(exercise: Exercise, result: CaseResult) -> bool:
    given = result.outcome.value
    return isinstance(given, np.ndarray) and given.size > 1 and given.dtype.kind != "b" and not given.any()


def _one_factor(expected: np.ndarray, given: np.ndarray, differs: np.ndarray) -> bool:
    nonzero = expected != 0
    if np.count_nonzero(nonzero) < FEWEST_FOR_A_FACTOR or np.ptp(expected[nonzero]) == 0:
        return False
    factor = np.median(given[nonzero] / expected[nonzero])
    return bool(factor and compare(factor * expected, given).equal)


def _one_difference(expected: np.ndarray, given: np.ndarray, differs: np.ndarray) -> bool:
    if expected.dtype.kind == "b" or expected.size < FEWEST_FOR_A_FACTOR or np.ptp(expected) == 0:
        return False
    return compare(expected + np.median(given - expected), given).equal


def _raised(*pieces: str) -> Callable[[Exercise, CaseResult], bool]:
    return lambda exercise, result: (
        result.outcome.ending is Ending.ERROR and any(piece in result.outcome.text for piece in pieces))


GENERAL = (
    GeneralMistake("nothing returned",
                   "The function ends without handing back its result. Printing a value is not returning it: the "
                   "caller gets what stands after the word return.",
                   _nothing_returned),
    GeneralMistake("array not filled",
                   "Some entries of the result were never computed. np.empty reserves memory without setting it: what "
                   "is left there shows up as NaN, infinity or arbitrary numbers.",
                   lambda exercise, result: result.comparison.reason is Reason.NOT_FINITE),
    GeneralMistake("negative values cut off",
                   "What is positive is right, and where a negative number is expected there is a zero. The text asks "
                   "for no activation here.",
                   _alike(lambda expected: np.maximum(expected, 0))),
    GeneralMistake("entries left at zero",
                   "All entries that are not zero are right; the others were never computed, or something replaced "
                   "them by zero. Do the loops reach every sample, every channel, the last row and the last column? "
                   "Does the return stand after the loops, not inside of one?",
                   _on_arrays(lambda expected, given, differs: not given[differs].any()),
                   somewhere=_on_arrays(lambda expected, given, differs: given.any())),
    GeneralMistake("only zeros",
                   "The result holds zeros only. Is what is computed written into the array that is returned, and does "
                   "the loop run at all? Print its ends just before it begins.",
                   _only_zeros),
    GeneralMistake("fractions cut off",
                   "The results are right but for their fractions, which are gone. An array that holds whole numbers "
                   "cuts off whatever is written into it: look at how the result's array is made, and at its dtype.",
                   _alike(np.trunc)),
    GeneralMistake("rounded",
                   "The results are right, and rounded. Numbers are handed back as they are computed; they are rounded "
                   "where they are shown.",
                   _rounded),
    GeneralMistake("wrong sign",
                   "Every entry has the right size and the opposite sign.",
                   _alike(np.negative)),
    GeneralMistake("off by a constant factor",
                   "Within each result all entries are off by one and the same factor. Is something divided, "
                   "multiplied or counted once too often, or once too few?",
                   _on_arrays(_one_factor)),
    GeneralMistake("off by a constant",
                   "Within each result all entries are off by one and the same number. With which values does the "
                   "array begin, and what is added to all of them?",
                   _on_arrays(_one_difference)),
    GeneralMistake("shapes that do not go together",
                   "NumPy was asked to combine arrays whose shapes do not match. Print both shapes just before the "
                   "line that is named: which axis is longer or shorter than you thought?",
                   _raised("broadcast", "mismatch in its core dimension", "not aligned", "cannot reshape array",
                           "must match exactly", "negative dimensions"), mostly=True),
    GeneralMistake("index beyond the end",
                   "An index is larger than the array allows. Which loop runs too far, or along the wrong axis? Print "
                   "the index and the array's shape just before the line that is named.",
                   _raised("out of bounds", "index out of range", "too many indices"), mostly=True),
    GeneralMistake("a fraction where a whole number belongs",
                   "A size or an index has a decimal point. The operator / always gives one, even where it divides "
                   "without a remainder; // gives a whole number.",
                   _raised("'float' object cannot be interpreted as an integer", "slice indices must be integers",
                           "indices must be integers or slices, not float", "only integers, slices"), mostly=True),
    GeneralMistake("values in another order",
                   "The values are right, but they are not returned in the order that the text asks for.",
                   _reordered),
    GeneralMistake("right values in another shape",
                   "The values are right, and in the right order; only the shape of the result is another one.",
                   _reshaped),
    GeneralMistake("axes swapped",
                   "The values are right, but axes of the result have changed places.",
                   _transposed),
)
