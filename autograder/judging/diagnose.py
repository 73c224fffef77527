"""Which misconception explains what an answer returned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograder.judging.compare import alike, compare
from autograder.judging.exercise import Case, Exercise, Misconception
from autograder.judging.general import GENERAL
from autograder.judging.local import LocalRunner
from autograder.judging.result import CaseResult, Diagnosis
from autograder.sandbox.outcome import Ending, Outcome

CONVINCING = 0.5
"""Share of the failing cases that a misconception has to explain to be named at all."""

ERROR_WEIGHT = 0.4
"""What the same kind of exception counts, beside 1 for the same value."""

SAME_ERROR = {"GeometryError": "ValueError"}
"""Sizes that do not fit: mistakes written with the reference refuse them, NumPy does where a student writes them."""


@dataclass(frozen=True, order=True)
class _Evidence:
    """What speaks for a mistake: the same on every case; share of the failures explained; share of all cases."""

    exact: bool
    explained: float
    certainty: float


def diagnose(exercise: Exercise, results: Sequence[CaseResult]) -> tuple[Diagnosis, ...]:
    """Explain the failing cases of an exercise.

    Each known misconception is run on the same inputs; one that does what the answer did, on every case, explains
    it. Failing that, one that explains at least half of the failing cases is named as likely. Where an answer has
    several values and no mistake explains all of them together, each value is explained by itself.

    Returns
    -------
    tuple of Diagnosis
        The likeliest first; empty if nothing failed or nothing explains it.
    """
    found: list[Diagnosis] = []
    for answer in exercise.answers:
        own = [r for r in results if r.case.answer == answer]
        failing = [r for r in own if not r.passed]
        if not failing or all(r.outcome.ending.gives_up for r in failing):
            continue
        tries = _Tries(exercise, answer)
        found += tries.explain(own) or _general(exercise, answer, failing) or _value_by_value(exercise, tries, own)
    return tuple(found)


def _value_by_value(exercise: Exercise, tries: _Tries, own: Sequence[CaseResult]) -> list[Diagnosis]:
    """Mistakes in single values of an answer that returns several: two of them together look like neither."""
    given = [result.outcome.value for result in own]
    right = [result.expected for result in own]
    counts = {len(value) if isinstance(value, tuple) else 0 for value in (*given, *right)}
    if len(counts) > 1 or 0 in counts:
        return []
    found: dict[str, Diagnosis] = {}
    for part in range(counts.pop()):
        alone = [replace(result, outcome=replace(result.outcome, value=value[part]),
                         comparison=compare(expected[part], value[part], exercise.tolerance))
                 for result, value, expected in zip(own, given, right, strict=True)]
        if not all(result.passed for result in alone):
            for one in tries.explain(alone, part)[:1]:
                # It is never the whole explanation, so it is never certain.
                found.setdefault(one.name, replace(one, certainty=one.certainty / len(right[0])))
    return list(found.values())


class _Tries:
    """What the known mistakes do on an answer's cases: each is tried on each case once, however often it is asked for.

    Parameters
    ----------
    exercise : Exercise
    answer : str
    """

    def __init__(self, exercise: Exercise, answer: str) -> None:
        self.exercise = exercise
        self.answer = answer
        self.known = [m for m in exercise.misconceptions if m.answer == answer]
        self._outcomes: dict[tuple[Callable[..., Any], int], Outcome] = {}

    def explain(self, own: Sequence[CaseResult], part: int | None = None) -> list[Diagnosis]:
        """The mistakes that explain an answer's results best, or one of its values alone."""
        # Exactly explained is what most mistakes are, and is found out fast: one case that differs ends the comparison.
        weighed = [(e, m) for m in self.known if (e := self._weigh_all(m, own, part, exactly=True))]
        if not weighed and not _says_nothing(own):
            weighed = [(e, m) for m in self.known if (e := self._weigh_all(m, own, part, exactly=False))]
        best = max((evidence for evidence, _ in weighed), default=None)
        return [Diagnosis(m.name, m.explanation, m.answer, evidence.certainty, m.detail)
                for evidence, m in weighed if evidence == best]

    def _weigh_all(
        self, misconception: Misconception, own: Sequence[CaseResult], part: int | None, exactly: bool
    ) -> _Evidence | None:
        """The best that speaks for a misconception in any of its forms."""
        weighed = (self._weigh(wrong, own, part, exactly) for wrong in misconception.forms)
        return max((evidence for evidence in weighed if evidence is not None), default=None)

    def _weigh(
        self, function: Callable[..., Any], own: Sequence[CaseResult], part: int | None, exactly: bool
    ) -> _Evidence | None:
        """How well a wrong implementation explains what an answer did; None as soon as it cannot be convincing."""
        failures = sum(not result.passed for result in own)
        explained, lost, agreeing = 0.0, 0.0, 0
        for result in sorted(own, key=lambda result: result.passed):
            # Many mistakes end in the same kind of exception, which is therefore less of a proof than equal values.
            weight = 0.0 if result.passed else 1.0 if result.outcome.ending is Ending.VALUE else ERROR_WEIGHT
            agrees = _same(self.exercise, self._outcome(function, result.case, part), result)
            agreeing += agrees
            explained += weight * agrees
            lost += (not result.passed) - weight * agrees
            if not agrees and (exactly or lost > (1 - CONVINCING) * failures):
                return None
        exact = agreeing == len(own)
        convincing = exact or explained >= CONVINCING * failures
        return _Evidence(exact, explained / failures, agreeing / len(own)) if convincing else None

    def _outcome(self, function: Callable[..., Any], case: Case, part: int | None) -> Outcome:
        key = (function, id(case))
        if key not in self._outcomes:
            self._outcomes[key] = LocalRunner({self.answer: function}).call(self.answer, case.arguments)
        outcome = self._outcomes[key]
        if part is None or outcome.ending is not Ending.VALUE:
            return outcome
        whole = outcome.value
        if isinstance(whole, tuple) and part < len(whole):
            return replace(outcome, value=whole[part])
        return Outcome(Ending.ERROR, error_type="TypeError", text="There is no such value.")


def _says_nothing(own: Sequence[CaseResult]) -> bool:
    """Whether an answer gave zero, or nothing, wherever it failed: some mistake gives that on some case by chance."""
    return all(result.outcome.ending is Ending.VALUE and _is_zero(result.outcome.value)
               for result in own if not result.passed)


def _is_zero(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_zero, value))
    return isinstance(value, (int, float, np.ndarray)) and not np.any(value)


def _same(exercise: Exercise, wrong: Outcome, result: CaseResult) -> bool:
    if result.outcome.ending is wrong.ending is Ending.VALUE:
        return (wrong.changed_inputs == result.outcome.changed_inputs
                and _alike(wrong.value, result.outcome.value, exercise.tolerance))
    kinds = {SAME_ERROR.get(o.error_type, o.error_type) for o in (wrong, result.outcome)}
    return wrong.ending is result.outcome.ending is Ending.ERROR and len(kinds) == 1


def _alike(wrong: Any, given: Any, tolerance: float) -> bool:
    """Equal to rounding, NaN included; a mistake's value may be of any kind."""
    if wrong is None or given is None:
        return wrong is given
    return alike(wrong, given, tolerance)


def _general(exercise: Exercise, answer: str, failing: Sequence[CaseResult]) -> list[Diagnosis]:
    """A mistake of any exercise that the failing cases show."""
    for mistake in GENERAL:
        if share := mistake.share(exercise, failing):
            return [Diagnosis(mistake.name, mistake.explanation, answer, share)]
    return []
