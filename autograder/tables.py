"""A class in the terminal: scores by exercise, and which mistakes were made how often."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from autograder.cohort import Report
from autograder.exercise import exercises
from autograder.text import one_line

ENDINGS = {"time": "did not finish", "crash": "its process ended", "rejected": "the result could not be read"}
"""How an answer can end without a value or an exception."""

MOST_ROWS = 200
MOST_NAMES = 10
"""What is more than this is for `course report`'s files, not for a terminal."""


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
    table = Table(title="Scores", caption="\n".join(lines + _left_out(len(reports))))
    table.add_column("student", no_wrap=True)
    for position in range(len(names)):
        table.add_column(str(position + 1), justify="center")
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("seconds", justify="right")
    for report in reports[:MOST_ROWS]:
        table.add_row(
            escape(one_line(report.student)), *(mark(report.verdicts.get(name)) for name in names),
            f"{report.score:g} / {report.max_score:g}",
            f"{report.seconds:.1f}" if report.status == "graded" else report.status,
        )
    return table


def problems(reports: Sequence[Report]) -> list[tuple[str, str]]:
    """What an instructor should look at: student and what happened, in one line."""
    return [(report.student, text) for report in reports for text in (
        *dict.fromkeys(first_line(problem) for problem in report.problems),
        *(f"{name}: {ENDINGS[verdict['ended']]}" for name, verdict in report.verdicts.items()
          if verdict["ended"] in ENDINGS))]


def notes(reports: Sequence[Report]) -> Table | str:
    """What an instructor should look at: one row for each problem; an empty text if there is none."""
    found = problems(reports)
    table = Table(title="To look at", caption="\n".join(_left_out(len(found))))
    table.add_column("student", no_wrap=True)
    table.add_column("what happened")
    for student, text in found[:MOST_ROWS]:
        table.add_row(escape(one_line(student)), escape(one_line(text)))
    return table if table.row_count else ""


def misconceptions(reports: Sequence[Report]) -> Table:
    """Which mistakes the class makes."""
    table = Table(title="Misconceptions")
    for header in ("exercise", "misconception", "how many", "who"):
        table.add_column(header, justify="right" if header == "how many" else "left")
    for exercise, name, students in count_misconceptions(reports):
        more = f" and {len(students) - MOST_NAMES} more" if len(students) > MOST_NAMES else ""
        table.add_row(exercise, name, str(len(students)), escape(one_line(", ".join(students[:MOST_NAMES]) + more)))
    return table


def first_line(text: str) -> str:
    """The line of a message or a traceback that says what happened, shortened."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    if not lines:
        return ""
    # Of a traceback the last line says what happened.
    line = lines[-1] if "Error" in lines[-1] else lines[0]
    return line if len(line) < 120 else line[:117] + "..."


def _left_out(rows: int) -> list[str]:
    return [f"and {rows - MOST_ROWS} more, see the files of course report"] if rows > MOST_ROWS else []
