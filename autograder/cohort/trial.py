"""Grading on trial: in a copy of the course, so that nothing of it changes, marks before and after."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from autograder.classroom.course import LOG_FILE, Course
from autograder.cohort.grading import Report, reports
from autograder.errors import AutograderError

NOT_COPIED = ("report", "dist", "exchange", ".git", ".jupyter", "__pycache__", ".ipynb_checkpoints", LOG_FILE)


@dataclass(frozen=True)
class Change:
    """What grading would change for one student.

    Attributes
    ----------
    student : str
    before, after : float or None
        Points; None if there is no mark.
    exercises : mapping of str to tuple of (float, float)
        Points before and after, of those exercises for which they differ.
    report : Report
        Of the run on trial.
    """

    student: str
    before: float | None
    after: float | None
    exercises: Mapping[str, tuple[float, float]]
    report: Report

    @property
    def is_one(self) -> bool:
        """Whether anything changes."""
        return self.before != self.after or bool(self.exercises)


@contextmanager
def on_trial(course: Course) -> Iterator[Course]:
    """A copy of a course, gone in the end.

    Parameters
    ----------
    course : Course

    Raises
    ------
    AutograderError
        If what grading writes lies elsewhere than in the course's folder.
    """
    own = course.directory
    kind, _, place = own.db_url.partition(":///")
    outside = [folder for folder in (own.autograded_directory, own.feedback_directory) if Path(folder).is_absolute()]
    if kind != "sqlite" or not place or outside:
        raise AutograderError("a dry run copies the course, and this one keeps its gradebook or its notebooks outside "
                              f"of its folder: {outside[0] if outside else own.db_url}")
    with tempfile.TemporaryDirectory(prefix="course-on-trial-") as folder:
        copy = Path(folder, "course")
        database = (course.root / place).resolve()
        shutil.copytree(course.root, copy, copy_function=_linked, symlinks=True, ignore=shutil.ignore_patterns(
            *NOT_COPIED, f"{database.name}*"))
        target = copy / "gradebook.db"
        if database.is_file():
            with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as source, closing(
                    sqlite3.connect(target)) as into:
                source.backup(into)
        yield Course(copy, trust=course.trust, sandbox=course.sandbox, db_url=f"sqlite:///{target}")


def _linked(source: str, target: str) -> None:
    """The same file under another name where that is possible: grading replaces files and never writes into one."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def changes(
    course: Course, assignment: str, run: Callable[[Course], list[Report]]
) -> list[Change]:
    """What a run of grading would change, without changing anything.

    Parameters
    ----------
    course : Course
    assignment : str
    run : callable
        Grades in the course that it is given.
    """
    with on_trial(course) as copy:
        before = {report.student: report for report in reports(copy, assignment)}
        after = run(copy)
    course.teach()
    return [_change(before.get(report.student), report) for report in after]


def _change(before: Report | None, after: Report) -> Change:
    earlier = before.verdicts if before else {}
    names = {**earlier, **after.verdicts}
    points = {name: (earlier[name].points if name in earlier else 0.0,
                     after.verdicts[name].points if name in after.verdicts else 0.0) for name in names}
    return Change(after.student, before.score if before and before.verdicts else None,
                  after.score if after.verdicts else None,
                  {name: pair for name, pair in points.items() if pair[0] != pair[1]} if earlier else {}, after)
