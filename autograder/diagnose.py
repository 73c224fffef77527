"""Which misconception explains what an answer returned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.compare import compare, reordered
from autograder.exercise import Exercise, Misconception
from autograder.runner import LocalRunner, Outcome

if TYPE_CHECKING:
    from autograder.judge import CaseResult

CONVINCING = 0.5
"""Share of the failing cases that a misconception has to explain to be named at all."""

ERROR_WEIGHT = 0.4
"""What the same kind of exception counts, beside 1 for the same value."""


@dataclass(frozen=True)
class Diagnosis:
    """One mistake that explains failing cases.

    Attributes
    ----------
    name, explanation : str
    answer : str
        The function in which it was made.
    certainty : float
        Share of the answer's cases on which the answer does exactly what the mistake does; 1 where all agree.
    """

    name: str
    explanation: str
    answer: str
    certainty: float = 1.0


@dataclass(frozen=True, order=True)
class _Evidence:
    """What speaks for a mistake: the same on every case; share of the failures explained; share of all cases."""

    exact: bool
    explained: float
    certainty: float


def diagnose(exercise: Exercise, results: Sequence[CaseResult]) -> tuple[Diagnosis, ...]:
    """Explain the failing cases of an exercise.

    Each known misconception is run on the same inputs; one that does what the answer did, on every case, explains
    it. Failing that, one that explains at least half of the failing cases is named as likely.

    Returns
    -------
    tuple of Diagnosis
        The likeliest first; empty if nothing failed or nothing explains it.
    """
    found: list[Diagnosis] = []
    for answer in exercise.answers:
        own = [r for r in results if r.case.answer == answer]
        failing = [r for r in own if not r.passed]
        if not failing or all(r.outcome.kind in ("not written", "missing", "time", "crash") for r in failing):
            continue
        known = _known(exercise, answer, own)
        found += known or _general(exercise, answer, failing)
    return tuple(found)


def _known(exercise: Exercise, answer: str, own: Sequence[CaseResult]) -> list[Diagnosis]:
    known = [m for m in exercise.misconceptions if m.answer == answer]
    # Exactly explained is what most mistakes are, and is found out fast: one case that differs ends the comparison.
    weighed = [(e, m) for m in known if (e := _weigh_all(exercise, m, own, exactly=True))]
    if not weighed:
        weighed = [(e, m) for m in known if (e := _weigh_all(exercise, m, own, exactly=False))]
    best = max((evidence for evidence, _ in weighed), default=None)
    return [Diagnosis(m.name, m.explanation, answer, evidence.certainty) for evidence, m in weighed if evidence == best]


def _weigh_all(
    exercise: Exercise, misconception: Misconception, own: Sequence[CaseResult], exactly: bool
) -> _Evidence | None:
    """The best that speaks for a misconception in any of its forms."""
    weighed = (_weigh(exercise, misconception.answer, wrong, own, exactly)
               for wrong in (misconception.wrong, *misconception.also))
    return max((evidence for evidence in weighed if evidence is not None), default=None)


def _weigh(
    exercise: Exercise, answer: str, function: Callable[..., Any], own: Sequence[CaseResult], exactly: bool
) -> _Evidence | None:
    """How well a wrong implementation explains what an answer did; None as soon as it cannot be convincing."""
    runner = LocalRunner({answer: function})
    failures = sum(not result.passed for result in own)
    explained, lost, agreeing = 0.0, 0.0, 0
    for result in sorted(own, key=lambda result: result.passed):
        # Many mistakes end in the same kind of exception, which is therefore less of a proof than equal values.
        weight = 0.0 if result.passed else 1.0 if result.outcome.kind == "value" else ERROR_WEIGHT
        agrees = _same(exercise, runner.call(answer, result.case.arguments), result)
        agreeing += agrees
        explained += weight * agrees
        lost += (not result.passed) - weight * agrees
        if not agrees and (exactly or lost > (1 - CONVINCING) * failures):
            return None
    exact = agreeing == len(own)
    convincing = exact or explained >= CONVINCING * failures
    return _Evidence(exact, explained / failures, agreeing / len(own)) if convincing else None


def _same(exercise: Exercise, wrong: Outcome, result: CaseResult) -> bool:
    if result.outcome.kind == "value" and wrong.kind == "value":
        return (wrong.changed_inputs == result.outcome.changed_inputs
                and _alike(wrong.value, result.outcome.value, exercise.tolerance))
    return wrong.kind == result.outcome.kind == "error" and wrong.error_type == result.outcome.error_type


def _alike(wrong: Any, given: Any, tolerance: float) -> bool:
    """Equal to rounding, NaN included; a mistake's value may be of any kind."""
    if wrong is None or given is None:
        return wrong is given
    return compare(wrong, given, tolerance).equal


def _general(exercise: Exercise, answer: str, failing: Sequence[CaseResult]) -> list[Diagnosis]:
    """Mistakes that can be made in any exercise."""
    named = partial(Diagnosis, answer=answer)
    outcomes = [r.outcome for r in failing]
    if all(o.kind == "value" and o.value is None for o in outcomes):
        return [named("nothing returned", "The function ends without handing back its result. Printing a value is "
                      "not returning it: the caller gets what stands after the word return.")]
    if all(r.verdict.reason == "input changed" for r in failing):
        return [named("input changed", "The function writes into the arrays that it was given. They belong to the "
                      "caller, who may need them again, for the backward pass for instance: work on a new array.")]
    if all(r.verdict.reason == "not finite" for r in failing):
        return [named("array not filled", "Some entries of the result were never computed. np.empty reserves memory "
                      "without setting it: what is left there shows up as NaN, infinity or arbitrary numbers.")]
    if all(reordered(exercise.references[answer](*r.case.arguments), r.outcome.value, exercise.tolerance)
           for r in failing):
        return [named("values in another order", "The values are right, but they are not returned in the order "
                      "that the text asks for.")]
    if all(_transposed(o, r.verdict.expected) for o, r in zip(outcomes, failing, strict=True)):
        return [named("axes swapped", "The values are right, but two axes of the result have changed places.")]
    return []


def _transposed(outcome: Outcome, expected: Any) -> bool:
    given = outcome.value
    if not (isinstance(given, np.ndarray) and isinstance(expected, np.ndarray)) or given.ndim != expected.ndim:
        return False
    return any(
        compare(expected, np.swapaxes(given, i, j)).equal
        for i in range(given.ndim) for j in range(i)
    )
