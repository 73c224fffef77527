"""From outcomes to a result: run the cases, compare, explain."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from autograder import exercise as declarations
from autograder.compare import Verdict, compare
from autograder.diagnose import Diagnosis, diagnose
from autograder.errors import AutograderError
from autograder.exercise import Case, Exercise
from autograder.runner import LocalRunner, Outcome, Runner
from cnncourse import config
from cnncourse.language import say

REFUSALS = ("ValueError", "AssertionError", "GeometryError")
"""What an answer may raise on a case with `may_raise`."""

GIVE_UP = ("not written", "missing", "time", "crash")
"""After one of these the other cases of the same answer are not tried: they would end alike, only later."""


@dataclass(frozen=True)
class CaseResult:
    """One case, what the answer did, and the verdict on it."""

    case: Case
    outcome: Outcome
    verdict: Verdict

    @property
    def passed(self) -> bool:
        """Whether the answer did what it had to."""
        return self.verdict.equal


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
    """

    exercise: Exercise
    cases: tuple[CaseResult, ...]
    diagnoses: tuple[Diagnosis, ...]

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
        return all(case.outcome.kind == "not written" for case in self.cases)

    @property
    def first_failure(self) -> CaseResult | None:
        """The case that a person should look at first."""
        return next((case for case in self.cases if not case.passed), None)

    @property
    def message(self) -> str:
        """The judgment in plain text."""
        from autograder.message import plain

        return plain(self)

    def answer_passed(self, answer: str) -> bool:
        """Whether all cases of one answer passed."""
        own = [case for case in self.cases if case.case.answer == answer]
        return bool(own) and all(case.passed for case in own)


def judge(
    exercise: Exercise, runner: Runner, seed: int = 0, announce: Callable[[Case], None] = lambda case: None,
    explain: bool = True,
) -> Result:
    """Run all cases of an exercise and explain what fails.

    Parameters
    ----------
    exercise : Exercise
    runner : Runner
        Calls the answers, here or in a sandbox.
    seed : int, optional
        From which the inputs are drawn.
    announce : callable, optional
        Called with each case before its outcome is taken; in a sandbox it may have run ahead.
    explain : bool, optional
        Whether to look for the mistake behind what fails, which takes longer than the cases.

    Returns
    -------
    Result
    """
    results: list[CaseResult] = []
    ended: dict[str, Outcome] = {}
    with config.exact():  # the reference takes no short cut that rounds otherwise
        for answer, group in groupby(exercise.cases(seed), key=lambda case: case.answer):
            cases = list(group)
            with closing(runner.calls(answer, [case.arguments for case in cases])) as outcomes:
                for case in cases:
                    announce(case)
                    outcome = ended.get(answer) or next(outcomes)
                    if outcome.kind in GIVE_UP:
                        ended[answer] = outcome
                    results.append(CaseResult(case, outcome, _verdict(exercise, case, outcome)))
        return Result(exercise, tuple(results), diagnose(exercise, results) if explain else ())


def grade_answers(
    exercise_name: str, functions: Callable[..., Any] | Sequence[Callable[..., Any]] | Mapping[str, Callable[..., Any]],
    seed: int = 0,
) -> Result:
    """Judge functions in this process, without a notebook.

    Parameters
    ----------
    exercise_name : str
        One of `autograder.exercises()`.
    functions : callable, sequence of callables, or mapping of names to callables
        The answers, in the exercise's order where they have no names.
    seed : int, optional
        From which the inputs are drawn; the same seed gives the same inputs.

    Returns
    -------
    Result
        With `.passed`, `.score` (0 to 1), `.misconceptions` (names, the likeliest first) and `.message`.

    Raises
    ------
    UnknownExerciseError
        If there is no such exercise.
    AutograderError
        If the number or the names of the functions are not the exercise's.
    """
    exercise = declarations.find(exercise_name)
    return judge(exercise, LocalRunner(by_name(exercise, functions)), seed)


def by_name(exercise: Exercise, functions: Any) -> Mapping[str, Callable[..., Any]]:
    """Functions in any form that `grade_answers` takes, by the names of the exercise's answers."""
    takes = f"{exercise.name} takes {len(exercise.answers)} function(s): {', '.join(exercise.answers)}"
    if isinstance(functions, Mapping):
        if unknown := set(functions) - set(exercise.answers):
            raise AutograderError(f"{takes}; {', '.join(sorted(map(str, unknown)))} is not among them")
        return functions
    functions = (functions,) if callable(functions) else tuple(functions)
    if len(functions) != len(exercise.answers):
        raise AutograderError(f"{takes}; {len(functions)} given")
    for function in functions:
        if not callable(function):
            raise AutograderError(f"{takes}; {function!r} is not a function: pass it by name, without calling it")
    return dict(zip(exercise.answers, functions, strict=True))


def _verdict(exercise: Exercise, case: Case, outcome: Outcome) -> Verdict:
    if case.may_raise and outcome.refused and outcome.error_type in REFUSALS:
        return Verdict(True)
    expected = exercise.references[case.answer](*case.arguments)
    if outcome.kind != "value":
        return Verdict(False, outcome.kind, outcome.text, expected=expected)
    names = exercise.returns.get(case.answer, ())
    verdict = compare(expected, outcome.value, exercise.tolerance, names)
    if verdict.reason == "values" and case.answer in exercise.alternatives:
        expected = exercise.alternatives[case.answer](outcome.value, *case.arguments)
        verdict = compare(expected, outcome.value, exercise.tolerance, names)
    if verdict.equal and outcome.changed_inputs:
        parameters = exercise.parameter_names(case.answer)
        changed = ", ".join(parameters[i] for i in outcome.changed_inputs)
        return Verdict(False, "input changed", say("The result is right, but the call wrote into its input {names}: "
                       "whoever called it still needs the old values.", names=changed), expected=expected,
                       given=outcome.value)
    return verdict
