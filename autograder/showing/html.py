"""A result as HTML: for the notebook, and for the feedback page, whose sanitizer allows little."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from autograder.judging.result import call_text, difference, explained, headline, likelihood
from autograder.showing.templating import template
from cnncourse.language import mark, say

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from autograder.judging.result import CaseResult, Result
    from autograder.showing.picture import Picture

SIGNS = {mark("passed"): "✓", mark("failed"): "✗", mark("not tried"): "·"}
"""How a case went, in a sign that needs no color."""


def notebook_html(result: Result, cautions: Sequence[str] = ()) -> str:
    """The result for a notebook, with the picture inside and hints to open.

    Parameters
    ----------
    result : Result
    cautions : sequence of str, optional
        What is said beside it.

    Returns
    -------
    str
        HTML without scripts; colors follow JupyterLab's theme.
    """
    picture = picture_of(result)
    return template("check.html.j2").render(
        _content(result), picture=Markup(picture.html()) if picture else "", cautions=cautions)


def feedback_outputs(result: Result, tells: str = "mistake") -> list[NotebookNode]:
    """The result as outputs of a check cell in an autograded notebook.

    Parameters
    ----------
    result : Result
    tells : str, optional
        How much a page tells: the "mistake", only the "case" that differs, or only the "mark".

    Returns
    -------
    list of NotebookNode
        Text and HTML that a sanitizer leaves as they are; the picture, if there is one; the list of cases.
    """
    if tells == "mark":
        return [_output({"text/plain": headline(result)})]
    if tells == "case":
        result = replace(result, diagnoses=())
    content = _content(result)
    html = template("feedback.html.j2").render(content)
    outputs = [_output({"text/html": html, "text/plain": result.message})]
    if picture := picture_of(result):
        outputs.append(_output({"image/svg+xml": picture.svg, "text/plain": picture.alt}))
    if content["failure"]:
        cases = template("feedback_cases.html.j2").render(content, described=picture.alt if picture else "")
        names = "\n".join(" ".join(case) for case in content["cases"])
        outputs.append(_output({"text/html": cases, "text/plain": names}))
    return outputs


def _output(data: dict[str, str]) -> NotebookNode:
    """An output of a cell; nbformat's own function holds each against the schema, which takes longer than the rest."""
    from nbformat import from_dict

    return from_dict({"output_type": "display_data", "data": data, "metadata": {}})


def picture_of(result: Result) -> Picture | None:
    """The first failure as a picture; None if there is nothing to draw."""
    failure = result.first_failure
    if failure is None or result.not_written:
        return None
    from autograder.showing.picture import difference_picture

    names = result.exercise.parameter_names(failure.case.answer)
    return difference_picture(failure.comparison, dict(zip(names, failure.case.arguments, strict=True)))


def _content(result: Result) -> dict[str, Any]:
    failure = None if result.not_written else result.first_failure

    def case_name(case: CaseResult) -> str:
        name = say(case.case.name)
        return f"{case.case.answer}: {name}" if len(result.exercise.answers) > 1 else name

    return {
        "result": result,
        "exercise": result.exercise,
        "headline": headline(result),
        "cases": [(SIGNS[state], state, case_name(case)) for case, state in _states(result)],
        "failure": failure,
        "call": call_text(result, failure) if failure else "",
        "difference": difference(failure) if failure else "",
        "diagnoses": [(likelihood(d.certainty), d, explained(d)) for d in result.diagnoses],
    }


def _states(result: Result) -> list[tuple[Any, str]]:
    """Cases with how they went; those after an answer that ended for good were not tried."""
    ended: set[str] = set()
    found = []
    for case in result.cases:
        state = "passed" if case.passed else "not tried" if case.case.answer in ended else "failed"
        if case.outcome.ending.gives_up:
            ended.add(case.case.answer)
        found.append((case, state))
    return found
