"""A class in the terminal: scores by exercise, and which mistakes were made how often."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from autograder.cohort import Report
from autograder.exercise import exercises

ENDINGS = {"time": "did not finish", "crash": "its process ended", "rejected": "the result could not be read"}
"""How an answer can end without a value or an exception."""


def exercises_of(reports: Sequence[Report]) -> list[str]:
    """Names of the exercises in the reports, in the order of the notebook."""
    found = {name for report in reports for name in report.verdicts}
    return [name for name in exercises() if name in found]


def mark(verdict: dict | None) -> str:
    """How one exercise went, in one sign that needs no color: right, part, wrong, not written, no verdict."""
    if verdict is None:
        return " "
    if verdict["not_written"]:
        return "·"
    if verdict["score"] == 1:
        return "✓"
    return "½" if verdict["score"] > 0 else "✗"


def count_misconceptions(reports: Sequence[Report]) -> list[tuple[str, str, list[str]]]:
    """Exercise, misconception and the students who have it; the most frequent first."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for report in reports:
        for exercise, verdict in report.verdicts.items():
            for name in verdict["misconceptions"]:
                found[exercise, name].append(report.student)
    ordered = sorted(found.items(), key=lambda entry: -len(entry[1]))
    return [(exercise, name, students) for (exercise, name), students in ordered]


def scores(reports: Sequence[Report]) -> Table:
    """One row a student: a sign for each exercise, points, and the seconds that grading took."""
    names = exercises_of(reports)
    legend = [f"{position + 1} {name}" for position, name in enumerate(names)]
    lines = ["✓ right   ½ in part   ✗ wrong   · not written"]
    lines += ["   ".join(legend[start : start + 3]) for start in range(0, len(legend), 3)]
    table = Table(title="Scores", caption="\n".join(lines))
    table.add_column("student", no_wrap=True)
    for position in range(len(names)):
        table.add_column(str(position + 1), justify="center")
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("seconds", justify="right")
    for report in reports:
        table.add_row(
            escape(report.student), *(mark(report.verdicts.get(name)) for name in names),
            f"{report.score:g} / {report.max_score:g}",
            f"{report.seconds:.1f}" if report.status == "graded" else report.status,
        )
    return table


def notes(reports: Sequence[Report]) -> Table | str:
    """What an instructor should look at: one row for each problem; an empty text if there is none."""
    table = Table(title="To look at")
    table.add_column("student", no_wrap=True)
    table.add_column("what happened")
    for report in reports:
        found = [_first_line(problem) for problem in dict.fromkeys(report.problems)]
        found += [f"{name}: {ENDINGS[verdict['ended']]}" for name, verdict in report.verdicts.items()
                  if verdict["ended"] in ENDINGS]
        for text in found:
            table.add_row(escape(report.student), escape(text))
    return table if table.row_count else ""


def misconceptions(reports: Sequence[Report]) -> Table:
    """Which mistakes the class makes."""
    table = Table(title="Misconceptions")
    for header in ("exercise", "misconception", "how many", "who"):
        table.add_column(header, justify="right" if header == "how many" else "left")
    for exercise, name, students in count_misconceptions(reports):
        table.add_row(exercise, name, str(len(students)), escape(", ".join(students)))
    return table


def _first_line(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    if not lines:
        return ""
    # Of a traceback the last line says what happened.
    line = lines[-1] if "Error" in lines[-1] else lines[0]
    return line if len(line) < 120 else line[:117] + "..."
