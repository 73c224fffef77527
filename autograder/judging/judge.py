"""From outcomes to a result: run the cases, compare, explain."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import cache
from itertools import groupby

from autograder.errors import OverrunError
from autograder.judging.compare import Comparison, Reason, compare, fits
from autograder.judging.diagnose import diagnose
from autograder.judging.exercise import Case, Exercise
from autograder.judging.result import CaseResult, Result
from autograder.sandbox.outcome import Ending, Outcome, Runner
from cnncourse import config
from cnncourse.language import say

REFUSALS = ("ValueError", "AssertionError", "GeometryError")
"""What an answer may raise on a case with `may_raise`."""

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
        Where the judge itself fails on a case, that case ends with `Ending.FAULT`, and the others are judged.
    """
    results: list[CaseResult] = []
    ended: dict[str, Outcome] = {}
    with config.exact():  # the reference takes no short cut that rounds otherwise
        for answer, group in groupby(exercise.cases(seed), key=lambda case: case.answer):
            cases = list(group)
            with closing(runner.calls(answer, [exercise.handed(case) for case in cases])) as outcomes:
                for case in cases:
                    announce(case)
                    outcome = ended.get(answer) or next(outcomes)
                    if outcome.ending.gives_up:
                        ended[answer] = outcome
                    results.append(_judged(exercise, case, outcome))
        if not explain:
            return Result(exercise, tuple(results), ())
        try:
            return Result(exercise, tuple(results), diagnose(exercise, results))
        except OverrunError:
            raise
        except Exception:  # what is right and what is wrong is known all the same
            return Result(exercise, tuple(results), (), unexplained=traceback.format_exc())


def _judged(exercise: Exercise, case: Case, outcome: Outcome) -> CaseResult:
    """One case; whatever a value brings about in here costs nothing but this case, and is nobody's mistake but ours."""
    try:
        return _compared(exercise, case, outcome)
    except OverrunError:
        raise
    except Exception as error:
        text = say("The judge failed on this case, which is not the answer's fault: {error}. It has to be judged "
                   "again.", error=f"{type(error).__name__}: {error}"[:300])
        fault = replace(outcome, ending=Ending.FAULT, value=None, text=traceback.format_exc())
        return CaseResult(case, fault, Comparison(False, Reason.NO_VALUE, text))


@cache
def make_ready(exercise: Exercise) -> None:
    """Compile what the reference of an exercise needs, once a process: while answers run, their time is counted."""
    for case in exercise.cases():
        exercise.references[case.answer](*case.arguments)


def _compared(exercise: Exercise, case: Case, outcome: Outcome) -> CaseResult:
    if case.may_raise and outcome.refused and outcome.error_type in REFUSALS:
        return CaseResult(case, outcome, Comparison(True))
    expected = exercise.references[case.answer](*case.arguments)
    if outcome.ending is not Ending.VALUE:
        comparison = Comparison(False, Reason.NO_VALUE, outcome.text, expected=expected)
        return CaseResult(case, outcome, comparison, expected)
    names = exercise.returns.get(case.answer, ())
    comparison = compare(expected, outcome.value, exercise.tolerance, names)
    if comparison.reason is Reason.VALUES and case.answer in exercise.alternatives and fits(expected, outcome.value):
        expected = exercise.alternatives[case.answer](outcome.value, *case.arguments)
        comparison = compare(expected, outcome.value, exercise.tolerance, names)
    if comparison.equal and outcome.changed_inputs:
        parameters = exercise.parameter_names(case.answer)
        changed = ", ".join(parameters[i] for i in outcome.changed_inputs)
        text = say("The result is right, but the call wrote into its input {names}: whoever called it still needs the "
                   "old values. It costs no points, for only the process that runs the answer can see it.",
                   names=changed)
        comparison = Comparison(True, Reason.INPUT_CHANGED, text, expected=expected, given=outcome.value)
    return CaseResult(case, outcome, comparison, expected)
