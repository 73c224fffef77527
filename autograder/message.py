"""A result in plain text: for terminals, logs, and readers who cannot see the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.compare import written
from cnncourse.language import say

if TYPE_CHECKING:
    from autograder.diagnose import Diagnosis
    from autograder.exercise import Misconception
    from autograder.general import GeneralMistake
    from autograder.judge import CaseResult, Result

LONGEST_ARGUMENT = 200
"""Characters of one argument in a call: a long list of layers is cut off."""


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
    return "\n".join(lines)


def headline(result: Result) -> str:
    """One sentence: passed, not yet written, or how many cases pass."""
    name = result.exercise.name
    if result.not_written:
        return say("{exercise}: not yet written.", exercise=name)
    right = sum(case.passed for case in result.cases)
    if result.passed:
        return say("{exercise}: all {total} cases pass.", exercise=name, total=len(result.cases))
    return say("{exercise}: {count} of {total} cases pass.", exercise=name, count=right, total=len(result.cases))


def difference(failure: CaseResult) -> str:
    """What went wrong in one case."""
    kind, text = failure.outcome.kind, failure.verdict.text
    if kind == "error":
        return say("It raised {error}", error=text)
    if kind == "rejected":
        return say("Its result could not be read: {problem}", problem=text)
    if kind == "not written":
        return say("It is not yet written.")
    return text


def likelihood(certainty: float) -> str:
    """How a diagnosis is introduced."""
    return say("This is what happens with") if certainty == 1 else say("This looks like")


def explained(mistake: Diagnosis | Misconception | GeneralMistake) -> str:
    """The whole explanation of a mistake: the one that exercises share, then what is particular to this one."""
    if not mistake.detail:
        return say(mistake.explanation)
    return say("{explanation} {detail}", explanation=say(mistake.explanation), detail=say(mistake.detail))


def call_text(result: Result, case_result: CaseResult) -> str:
    """The call with shapes in place of arrays: conv2d_forward(x (1, 2, 5, 4), ..., stride=2)."""
    case = case_result.case
    names = result.exercise.parameter_names(case.answer)
    shown = ", ".join(_argument(n, a) for n, a in zip(names, case.arguments, strict=True))
    return f"{case.answer}({shown})"


def _argument(name: str, value: Any) -> str:
    if isinstance(value, np.ndarray) and value.size > 6:
        return say("{name} of shape {shape}", name=name, shape=value.shape)
    if isinstance(value, np.ndarray):
        digits = 3 if value.dtype.kind == "f" else 0
        return f"{name}={np.round(value.astype(float), digits).tolist() if digits else value.tolist()}"
    text = written(value)
    return f"{name}={text}" if len(text) <= LONGEST_ARGUMENT else f"{name}={text[:LONGEST_ARGUMENT - 4]} ..."
