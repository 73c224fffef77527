"""A result in plain text: for terminals, logs, and readers who cannot see the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from autograder.judging.compare import Comparison, Reason, written
from autograder.judging.exercise import Case, Exercise
from autograder.sandbox.outcome import Ending, Outcome
from cnncourse.language import say

LONGEST_ARGUMENT = 200
"""Characters of one argument in a call: a long list of layers is cut off."""


@dataclass(frozen=True)
class CaseResult:
    """One case, what the answer did, and how that compares.

    Attributes
    ----------
    case : Case
    outcome : Outcome
    comparison : Comparison
    expected : object
        The whole right value; of a tuple the comparison keeps only the part that differs. None where the answer
        refused settings that it may refuse.
    """

    case: Case
    outcome: Outcome
    comparison: Comparison
    expected: Any = None

    @property
    def passed(self) -> bool:
        """Whether the answer did what it had to."""
        return self.comparison.equal


@dataclass(frozen=True)
class Diagnosis:
    """One mistake that explains failing cases.

    Attributes
    ----------
    name, explanation, detail : str
        As in a `Misconception`.
    answer : str
        The function in which it was made.
    certainty : float
        Share of the answer's cases on which the answer does exactly what the mistake does; 1 where all agree.
    """

    name: str
    explanation: str
    answer: str
    certainty: float = 1.0
    detail: str = ""


@dataclass(frozen=True)
class Result:
    """The judgment of one exercise.

    Attributes
    ----------
    exercise : Exercise
    cases : tuple of CaseResult
        In the order in which they ran.
    diagnoses : tuple of Diagnosis
        What explains the failures, the likeliest first.
    unexplained : str
        The traceback, where the judge failed while it looked for an explanation.
    """

    exercise: Exercise
    cases: tuple[CaseResult, ...]
    diagnoses: tuple[Diagnosis, ...]
    unexplained: str = ""

    @property
    def passed(self) -> bool:
        """Whether every case of every answer passed."""
        return bool(self.cases) and all(case.passed for case in self.cases)

    @property
    def score(self) -> float:
        """Share of the exercise that is right, 0 to 1: the share of its answers that pass all of their cases."""
        right = [self.answer_passed(answer) for answer in self.exercise.answers]
        return sum(right) / len(right)

    @property
    def points(self) -> float:
        """The score in points."""
        return self.score * self.exercise.points

    @property
    def misconceptions(self) -> tuple[str, ...]:
        """Names of the mistakes that explain the failures, the likeliest first."""
        return tuple(diagnosis.name for diagnosis in self.diagnoses)

    @property
    def not_written(self) -> bool:
        """Whether nothing of the exercise is written yet."""
        return all(case.outcome.ending is Ending.NOT_WRITTEN for case in self.cases)

    @property
    def faults(self) -> tuple[str, ...]:
        """Tracebacks of the cases on which the judge itself failed: no mark can be told from the others."""
        return tuple(case.outcome.text for case in self.cases if case.outcome.ending is Ending.FAULT)

    @property
    def remark(self) -> str:
        """What a person should know although the value is right: that a call wrote into its inputs."""
        return next((case.comparison.text for case in self.cases
                     if case.passed and case.comparison.reason is Reason.INPUT_CHANGED), "")

    @property
    def first_failure(self) -> CaseResult | None:
        """The case that a person should look at first."""
        return next((case for case in self.cases if not case.passed), None)

    @property
    def message(self) -> str:
        """The judgment in plain text."""
        return plain(self)

    def answer_passed(self, answer: str) -> bool:
        """Whether all cases of one answer passed."""
        own = [case for case in self.cases if case.case.answer == answer]
        return bool(own) and all(case.passed for case in own)


def plain(result: Result) -> str:
    """The whole judgment, a few lines."""
    lines = [headline(result)]
    failure = result.first_failure
    if failure is not None and not result.not_written:
        lines.append(say("First case that differs: {name}: {call}", name=say(failure.case.name),
                         call=call_text(result, failure)))
        lines.append(f"  {difference(failure)}")
        lines += [say("{how}: {name}. {explanation}", how=likelihood(d.certainty), name=say(d.name),
                      explanation=explained(d)) for d in result.diagnoses]
    return "\n".join([*lines, result.remark] if result.remark else lines)


def headline(result: Result) -> str:
    """One sentence: passed, not yet written, or how many cases pass."""
    name = result.exercise.name
    if result.not_written:
        return say("{exercise}: not yet written.", exercise=name)
    if result.faults:
        return say("{exercise}: not judged. The judge itself failed on {count} of {total} cases.", exercise=name,
                   count=len(result.faults), total=len(result.cases))
    right = sum(case.passed for case in result.cases)
    if result.passed:
        return say("{exercise}: all {total} cases pass.", exercise=name, total=len(result.cases))
    return say("{exercise}: {count} of {total} cases pass.", exercise=name, count=right, total=len(result.cases))


def difference(failure: CaseResult) -> str:
    """What went wrong in one case."""
    ending, text = failure.outcome.ending, failure.comparison.text
    if ending is Ending.ERROR:
        return say("It raised {error}", error=text)
    if ending is Ending.REJECTED:
        return say("Its result could not be read: {problem}", problem=text)
    if ending is Ending.NOT_WRITTEN:
        return say("It is not yet written.")
    return text


def likelihood(certainty: float) -> str:
    """How a diagnosis is introduced."""
    return say("This is what happens with") if certainty == 1 else say("This looks like")


class Explained(Protocol):
    """A mistake with words: one that an exercise declares, one of any exercise, or a diagnosis."""

    @property
    def explanation(self) -> str:
        """What exercises share that know it."""

    @property
    def detail(self) -> str:
        """What is particular to one exercise; empty if nothing is."""


def explained(mistake: Explained) -> str:
    """The whole explanation of a mistake: the one that exercises share, then what is particular to this one."""
    if not mistake.detail:
        return say(mistake.explanation)
    return say("{explanation} {detail}", explanation=say(mistake.explanation), detail=say(mistake.detail))


def call_text(result: Result, case_result: CaseResult) -> str:
    """The call with shapes in place of arrays: conv2d_forward(x (1, 2, 5, 4), ..., stride=2)."""
    case = case_result.case
    names = result.exercise.parameter_names(case.answer)
    shown = ", ".join(_argument(n, a) for n, a in zip(names, result.exercise.handed(case), strict=True))
    return f"{case.answer}({shown})"


def _argument(name: str, value: Any) -> str:
    if isinstance(value, np.ndarray) and value.size > 6:
        return say("{name} of shape {shape}", name=name, shape=value.shape)
    if isinstance(value, np.ndarray):
        digits = 3 if value.dtype.kind == "f" else 0
        return f"{name}={np.round(value.astype(float), digits).tolist() if digits else value.tolist()}"
    text = written(value)
    return f"{name}={text}" if len(text) <= LONGEST_ARGUMENT else f"{name}={text[:LONGEST_ARGUMENT - 4]} ..."
