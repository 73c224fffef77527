"""What a class did, counted: which exercises, how each went, which mistakes were made how often, what to look at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from autograder.exercises.contents import exercises
from autograder.sandbox.outcome import Ending

if TYPE_CHECKING:
    from autograder.cohort import Report

ENDINGS = {Ending.TIME: "did not finish", Ending.CRASH: "its process ended",
           Ending.REJECTED: "the result could not be read",
           Ending.FAULT: "the judge itself failed, there are no points yet; grade again"}
"""How an answer can end without a value or an exception."""


def exercises_of(reports: Sequence[Report]) -> list[str]:
    """Names of the exercises in the reports, in the order of the course; then what is none of its exercises."""
    found = dict.fromkeys(name for report in reports for name in report.verdicts)
    known = exercises()
    return [*(name for name in known if name in found), *(name for name in found if name not in known)]


def count_misconceptions(reports: Sequence[Report]) -> list[tuple[str, str, list[str]]]:
    """Exercise, misconception and the students who have it; the most frequent first."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for report in reports:
        for exercise, verdict in report.verdicts.items():
            for name in dict.fromkeys(verdict.misconceptions):
                found[exercise, name].append(report.student)
    ordered = sorted(found.items(), key=lambda entry: (-len(entry[1]), entry[0][1]))
    return [(exercise, name, students) for (exercise, name), students in ordered]


def problems(reports: Sequence[Report]) -> list[tuple[str, str]]:
    """What an instructor should look at: student and what happened, in one line."""
    return [(report.student, text) for report in reports for text in (
        *dict.fromkeys(first_line(problem) for problem in report.problems),
        *(f"{name}: {ENDINGS[verdict.ended]}" for name, verdict in report.verdicts.items()
          if verdict.ended in ENDINGS))]


def first_line(text: str) -> str:
    """The line of a message or a traceback that says what happened, shortened."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    if not lines:
        return ""
    # Of a traceback the last line says what happened.
    line = lines[-1] if "Error" in lines[-1] else lines[0]
    return line if len(line) < 120 else line[:117] + "..."


