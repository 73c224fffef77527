"""A class in the terminal: progress while it is graded, scores by exercise, mistakes, what to look at."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from autograder.report.summary import count_misconceptions, exercises_of, problems
from autograder.text import one_line

if TYPE_CHECKING:
    from autograder.classroom.course import Course
    from autograder.classroom.versions import Why
    from autograder.cohort import Report
    from autograder.cohort.pool import Pool
    from autograder.cohort.trial import Change

console = Console()

MOST_ROWS = 200
MOST_NAMES = 10
"""What is more than this is for `course report`'s files, not for a terminal."""


def grade_with_progress(
    where: Course, assignment: str, students: list[str] | None = None, *, force: bool = False, lower: bool = False,
    pool: Pool | None = None,
) -> list[Report]:
    """Grade with a progress bar: done, running, failed, rate, time left; the reports in the order of the class."""
    from autograder.cohort import grade as grade_all

    total = len(students or where.submitted(assignment))
    columns = (TextColumn("grading"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"),
               TimeRemainingColumn(), TextColumn("{task.description}"))
    finished: list[Report] = []
    running: set[str] = set()
    failed = 0
    began = time.monotonic()
    with Progress(*columns, console=console, transient=False) as progress:
        task = progress.add_task("", total=total)
        for one in grade_all(where, assignment, students, force=force, lower=lower, on_start=running.add, pool=pool,
                             on_reasons=lambda reasons: say_reasons(reasons, total),
                             on_isolated=lambda how: progress.console.print(f"isolated by {escape(one_line(how))}")):
            finished.append(one)
            running.discard(one.student)
            failed += one.status == "failed"
            rate = len(finished) / (time.monotonic() - began)
            progress.update(task, completed=len(finished),
                            description=f"{rate:.1f} a second, {len(running)} running, {failed} failed")
    return sorted(finished, key=lambda report: report.student)


def say_reasons(reasons: Counter[Why], total: int) -> None:
    """What is about to be graded and why, a line each; nothing where everybody is new."""
    from autograder.classroom.versions import Why

    if list(reasons) == [Why.NEW] and reasons.total() == total:
        return
    for why, count in reasons.most_common():
        console.print(f"{count} to be graded because {why}")
    if left := total - reasons.total():
        console.print(f"{left} stay as they are")


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
            escape(one_line(report.student)),
            *map(report.sign, names),
            f"{report.score:g} / {report.max_score:g}",
            f"{report.seconds:.1f}" if report.status == "graded" else report.status,
        )
    return table


def changes(found: Sequence[Change]) -> Table | str:
    """Marks before and after, for those whose marks differ; a sentence if there are none."""
    differing = [change for change in found if change.is_one]
    if not differing:
        return "No mark would change."
    table = Table(title="What would change", caption="\n".join(_left_out(len(differing))))
    for header in ("student", "before", "after", "exercises"):
        table.add_column(header, justify="right" if header in ("before", "after") else "left",
                         no_wrap=header == "student")
    for change in differing[:MOST_ROWS]:
        points = ("-" if mark is None else f"{mark:g}" for mark in (change.before, change.after))
        exercises = ", ".join(f"{name} {was:g} → {now:g}" for name, (was, now) in change.exercises.items())
        table.add_row(escape(one_line(change.student)), *points, escape(one_line(exercises)))
    return table


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


def _left_out(rows: int) -> list[str]:
    return [f"and {rows - MOST_ROWS} more, see the files of course report"] if rows > MOST_ROWS else []
