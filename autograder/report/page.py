"""The report's page: one file without foreign addresses, readable without script, color or style."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from autograder.judging.verdict import How
from autograder.report.columns import side_by_side
from autograder.report.numbers import BINS, ClassNumbers
from autograder.report.similar import Group, Similarities
from autograder.report.summary import first_line, problems
from autograder.showing.templating import template

MOST_STUDENTS = 60
MOST_LINKS = 4
MOST_IN_ROW = 8
MOST_GROUPS = 20
MOST_CODE = 3
MOST_PROBLEMS = 100
SLOWEST = 10
HEAT = (0.05, 0.1, 0.2, 0.4)
"""Shares of the class from which on a cell of the heat map is a shade darker."""

LETTERS = {"right": "r", "in part": "p", "wrong": "w", "did not finish": "t", "not written": "n",
           "not judged": "j"}
HOW_SIMILAR = {"letter": "the same text, letter by letter", "form": "the same after renaming and formatting"}


@dataclass(frozen=True)
class Content:
    """Everything that is on the page.

    Attributes
    ----------
    assignment : str
    numbers : ClassNumbers
    names : mapping of str to tuple of str
        First and last name by student.
    links : mapping of str to str
        Address of the feedback page by student, where there is one.
    similar : Similarities
    answers : mapping of str to mapping of str to str
        Sources by student and answer.
    """

    assignment: str
    numbers: ClassNumbers
    names: Mapping[str, tuple[str, str]]
    links: Mapping[str, str]
    similar: Similarities
    answers: Mapping[str, Mapping[str, str]]


def render(content: Content) -> str:
    """The page as HTML."""
    script = template("report.js.j2").render()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    numbers = content.numbers
    return template("report.html.j2").render(
        c=content, n=numbers, outcomes=list(How), letters=LETTERS, bins=_bars(numbers.histogram), size=BINS,
        students=_rows(content), groups=[_group(content, group) for group in content.similar.groups[:MOST_GROUPS]],
        problems=_grouped(problems(numbers.reports)), first_line=first_line, heat=_heat,
        slowest=numbers.slowest(SLOWEST), most_students=MOST_STUDENTS, most_links=MOST_LINKS, most_row=MOST_IN_ROW,
        most_problems=MOST_PROBLEMS, shades=HEAT, rich=_rich_text, script=Markup(script), digest=digest)


def _rows(content: Content) -> list[dict[str, Any]]:
    """The table of students."""
    rows = []
    exercises = [exercise.name for exercise in content.numbers.exercises]
    for report in content.numbers.reports:
        verdicts = [report.verdicts.get(name) for name in exercises]
        first, last = content.names.get(report.student, ("", ""))
        rows.append({
            "report": report, "name": f"{first} {last}".strip(),
            "share": 100 * report.score / report.max_score if report.max_score else 0.0,
            "marks": [(verdict.how.sign, verdict.how) if verdict else (" ", "no verdict") for verdict in verdicts],
            "seconds": content.numbers.seconds.get(report.student),
        })
    return rows


def _bars(counts: Sequence[int]) -> list[dict[str, Any]]:
    """The histogram's bars, in a picture 720 wide whose ground line lies at 200."""
    highest = max(*counts, 1)
    return [{"x": 40 + 68 * i, "height": 160 * count / highest, "count": count,
             "label": f"{100 * i // BINS}–{100 * (i + 1) // BINS} %"} for i, count in enumerate(counts)]


def _heat(share: float) -> int:
    return sum(share >= limit for limit in HEAT)


def _grouped(found: Sequence[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """Students by what happened, the most frequent first."""
    students: dict[str, list[str]] = defaultdict(list)
    for student, text in found:
        students[text].append(student)
    return sorted(students.items(), key=lambda entry: -len(entry[1]))


def _group(content: Content, group: Group) -> dict[str, Any]:
    shown = []
    for match in group.matches[:MOST_CODE]:
        left, right = (content.answers[student][match.answer] for student in match.pair)
        how = HOW_SIMILAR.get(match.kind, f"{100 * match.similarity:.0f} % of the structure in common")
        shown.append({"match": match, "how": how, "lines": side_by_side(left, right)})
    return {"students": group.students, "shown": shown, "weight": group.weight,
            "more": [match.answer for match in group.matches[MOST_CODE:]]}


def _rich_text(text: str) -> Markup:
    """Text of a declaration with its `code` set as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))).replace("**", ""))
