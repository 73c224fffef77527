"""A result as HTML: for the notebook, and for the feedback page, whose sanitizer allows little."""

from __future__ import annotations

import base64
from functools import cache
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup

from autograder import message
from cnncourse.language import mark, say

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from autograder.judge import CaseResult, Result
    from cnncourse.plotting.illustration import Illustration

SIGNS = {mark("passed"): "✓", mark("failed"): "✗", mark("not tried"): "·"}
"""How a case went, in a sign that needs no color."""


def notebook_html(result: Result) -> str:
    """The result for a notebook, with the picture inside and hints to open.

    Parameters
    ----------
    result : Result

    Returns
    -------
    str
        HTML without scripts; colors follow JupyterLab's theme.
    """
    picture = picture_of(result)
    return _template("check.html.j2").render(_content(result), picture=Markup(picture.html()) if picture else "")


def feedback_outputs(result: Result) -> list[NotebookNode]:
    """The result as outputs of a check cell in an autograded notebook.

    Parameters
    ----------
    result : Result

    Returns
    -------
    list of NotebookNode
        Text and HTML that a sanitizer leaves as they are; the picture, if there is one; the list of cases.
    """
    content = _content(result)
    html = _template("feedback.html.j2").render(content)
    outputs = [_output({"text/html": html, "text/plain": result.message})]
    picture = picture_of(result)
    if picture is not None:
        from cnncourse.plotting.illustration import shown_width

        data = picture.png()
        outputs.append(_output({"image/png": base64.b64encode(data).decode(), "text/plain": picture.alt},
                               {"image/png": {"alt": picture.alt, "width": shown_width(data)}}))
    if content["failure"]:
        cases = _template("feedback_cases.html.j2").render(content)
        names = "\n".join(" ".join(case) for case in content["cases"])
        outputs.append(_output({"text/html": cases, "text/plain": names}))
    return outputs


def _output(data: dict[str, str], metadata: dict[str, Any] | None = None) -> NotebookNode:
    """An output of a cell; nbformat's own function holds each against the schema, which takes longer than the rest."""
    from nbformat import from_dict

    return from_dict({"output_type": "display_data", "data": data, "metadata": metadata or {}})


def picture_of(result: Result) -> Illustration | None:
    """The first failure as a picture; None if there is nothing to draw."""
    failure = result.first_failure
    if failure is None or result.not_written:
        return None
    from autograder.picture import difference_figure

    names = result.exercise.parameter_names(failure.case.answer)
    return difference_figure(failure.verdict, dict(zip(names, failure.case.arguments, strict=True)))


def _content(result: Result) -> dict[str, Any]:
    failure = None if result.not_written else result.first_failure

    def case_name(case: CaseResult) -> str:
        name = say(case.case.name)
        return f"{case.case.answer}: {name}" if len(result.exercise.answers) > 1 else name

    return {
        "result": result,
        "exercise": result.exercise,
        "headline": message.headline(result),
        "cases": [(SIGNS[state], state, case_name(case)) for case, state in _states(result)],
        "failure": failure,
        "call": message.call_text(result, failure) if failure else "",
        "difference": message.difference(failure) if failure else "",
        "diagnoses": [(message.likelihood(d.certainty), d) for d in result.diagnoses],
    }


def _states(result: Result) -> list[tuple[Any, str]]:
    """Cases with how they went; those after an answer that ended for good were not tried."""
    ended: set[str] = set()
    found = []
    for case in result.cases:
        state = "passed" if case.passed else "not tried" if case.case.answer in ended else "failed"
        if case.outcome.kind in ("not written", "missing", "time", "crash"):
            ended.add(case.case.answer)
        found.append((case, state))
    return found


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(loader=jinja2.PackageLoader("autograder"), autoescape=True, trim_blocks=True,
                                     lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    environment.globals["say"] = say
    return environment


def _template(name: str) -> jinja2.Template:
    return _environment().get_template(name)
