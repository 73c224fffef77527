"""A class and everything that grading it leaves, to be compared after something went wrong on the way.

Grading begins from one of three folders: nobody but one student is graded yet, everybody was graded on earlier work, or
all is graded and is graded again by force. It comes to the same `State` from each of them.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import re
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbgrader.api import BaseCell, Comment, Grade, Student, SubmittedAssignment, SubmittedNotebook
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from autograder.cohort import ledger
from tests.attacks.model import EXERCISE, WRONG, cell
from tests.classroom import ASSIGNMENT, CONFIGURATION, Classroom

BEGINNINGS = ("first", "resubmitted", "forced")
WRITER = "s09-writer"
DUE = datetime.datetime(2026, 10, 9, 12)
PENALTY = "c = get_config()\nc.LateSubmissionPlugin.penalty_method = 'zero'\n"
REPLACED = "it was replaced after this submission"
KEYS = {"student": 1, "submitted_assignment": 1, "submitted_notebook": 1, "grade": 2, "comment": 2, "ledger": 2}
"""Tables, and how many columns of `State.rows` name a row."""


def submissions(classroom: Classroom, count: int) -> dict[str, Any]:
    """What a class hands in: right, wrong in several ways, unwritten, broken, late, in words."""
    pad = "def zero_pad(x, padding):\n    return {}\n"
    size = ("def output_size(input_size, kernel_size, stride, padding):\n"
            "    return (input_size - kernel_size + padding) // stride + 1\n")
    in_words = classroom.solved()
    cell(in_words, "explain-full-depth")["source"] = "The filter spans all channels."
    kinds = {
        "solved": classroom.solved(), "flat": classroom.solved(**{EXERCISE: WRONG}), "stub": classroom.stub,
        "unpadded": classroom.solved(zero_pad=pad.format("x")), "broken": b"{ this is no notebook",
        "raises": classroom.solved(zero_pad=pad.format("1 / 0")), "late": classroom.solved(),
        "size": classroom.solved(output_size=size),
        "two": classroom.solved(output_size=size, zero_pad=pad.format("2 * x")), "writer": in_words,
        "exits": classroom.solved(conv1x1="def conv1x1(x, weight, bias):\n    import os\n    os._exit(1)\n"),
        "empty": {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []},
    }
    names = list(kinds)
    return {f"s{number:02d}-{names[number % len(names)]}": kinds[names[number % len(names)]]
            for number in range(count)}


def hand_in(folder: Path, class_: Mapping[str, Any], day: int) -> None:
    """Everybody hands in on some day of October, with a file beside the notebook."""
    for student, content in class_.items():
        own = folder / "submitted" / student / ASSIGNMENT
        own.mkdir(parents=True, exist_ok=True)
        written = content if isinstance(content, bytes) else json.dumps(content).encode()
        (own / f"{ASSIGNMENT}.ipynb").write_bytes(written)
        (own / "timestamp.txt").write_text(f"2026-10-{day:02d} {13 if student.endswith('late') else 11}:00:00 UTC")
        (own / "data.txt").write_text(f"{student}\n" * 2000)


class Beginnings:
    """Folders of a course from which grading begins, and what it has to come to.

    Parameters
    ----------
    root : Path
        The checkout.
    folder : Path
    count : int, optional
        Students, at least ten.

    Attributes
    ----------
    students : list of str
    expected : State
        What an undisturbed run leaves.
    """

    def __init__(self, root: Path, folder: Path, count: int = 12) -> None:
        self.folder = folder
        classroom = Classroom(root, folder / "base")
        (classroom.folder / "nbgrader_config.py").write_text(CONFIGURATION + PENALTY)
        with classroom.course.gradebook() as gradebook:
            gradebook.find_assignment(ASSIGNMENT).duedate = DUE
            gradebook.db.commit()
        class_ = submissions(classroom, count)
        self.students = list(class_)
        hand_in(classroom.folder, dict(zip(class_, [*list(class_.values())[1:], classroom.stub], strict=True)), day=8)
        classroom.grade(WRITER)
        mark_by_hand(classroom)
        hand_in(self.copy("base", self.folder / "first"), class_, day=9)
        classroom.grade(force=True)
        hand_in(self.copy("base", self.folder / "resubmitted"), class_, day=9)
        hand_in(classroom.folder, class_, day=9)
        classroom.grade()
        self.expected = state(self.copy("base", self.folder / "forced"))

    def copy(self, beginning: str, folder: Path) -> Path:
        """A folder to grade in."""
        return shutil.copytree(self.folder / beginning, folder)


def mark_by_hand(classroom: Classroom) -> None:
    """A mark and a comment that no grading may change."""
    with classroom.course.gradebook() as gradebook:
        grade = gradebook.find_grade("explain-full-depth", ASSIGNMENT, ASSIGNMENT, WRITER)
        grade.manual_score, grade.needs_manual_grade = 2.0, False
        comment = gradebook.find_comment("explain-full-depth", ASSIGNMENT, ASSIGNMENT, WRITER)
        comment.manual_comment = "Nearly: say why."
        gradebook.db.commit()


@dataclass(frozen=True)
class State:
    """Everything that grading leaves, apart from times.

    Attributes
    ----------
    rows : dict of str to list of tuple
        By table.
    files : dict of str to object
        Autograded notebooks, feedback pages and what lies beside them, by path.
    """

    rows: dict[str, list[tuple[Any, ...]]]
    files: dict[str, Any]


@dataclass
class Differences:
    """How a state differs from what it should be."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    stray: list[str] = field(default_factory=list)


def state(folder: Path, db_url: str | None = None) -> State:
    """What is in a course's folder and its gradebook."""
    engine = create_engine(db_url or f"sqlite:///{folder / 'gradebook.db'}")
    try:
        with Session(engine) as session:
            rows = {name: sorted(map(tuple, session.execute(query)), key=repr) for name, query in _queries().items()}
    finally:
        engine.dispose()
    rows["ledger"] = [(*row[:-1], _comparable(json.loads(row[-1]))) for row in rows["ledger"]]
    files = {str(path.relative_to(folder)): _content(path) for step in ("autograded", "feedback")
             for path in sorted((folder / step).rglob("*")) if not path.is_dir()}
    return State(rows, files)


def differences(expected: State, found: State) -> Differences:
    """What is lost or otherwise, what is there more than once, and which files nobody asked for."""
    result = Differences()
    for table, rows in expected.rows.items():
        width = KEYS[table]
        there = Counter(map(repr, found.rows[table]))
        missing = Counter(map(repr, rows)) - there
        result.lost += [f"{table}: {row}" for row in missing]
        keys = Counter(row[:width] for row in found.rows[table]) - Counter(row[:width] for row in rows)
        result.doubled += [f"{table}: {key}" for key in keys]
    result.lost += [path for path, content in expected.files.items()
                    if path not in found.files or found.files[path] != content]
    result.stray = [path for path in found.files if path not in expected.files]
    return result


def half_written(folder: Path) -> list[str]:
    """Files under their own names that are not whole."""
    broken = []
    for path in [*folder.glob("autograded/*/*/*.ipynb"), *folder.glob("feedback/*/*/*.html")]:
        if not path.name.startswith("."):
            try:
                text = path.read_text()
            except FileNotFoundError:  # what goes on after the kill is about to replace it
                continue
            try:
                whole = "cells" in json.loads(text) if path.suffix == ".ipynb" else text.rstrip().endswith("</html>")
            except ValueError:
                whole = False
            if not whole:
                broken.append(str(path.relative_to(folder)))
    return broken


def _queries() -> dict[str, Any]:
    submitted = (SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
    student, line = SubmittedAssignment.student_id, ledger.LEDGER.c
    return {
        "student": select(Student.id),
        "submitted_assignment": select(student, SubmittedAssignment.timestamp, SubmittedAssignment.extension),
        "submitted_notebook": select(student, SubmittedNotebook.late_submission_penalty,
                                     SubmittedNotebook.flagged).join(*submitted),
        "grade": select(student, BaseCell.name, Grade.auto_score, Grade.manual_score, Grade.extra_credit,
                        Grade.needs_manual_grade).select_from(SubmittedAssignment).join(*submitted)
        .join(Grade, Grade.notebook_id == SubmittedNotebook.id).join(BaseCell, BaseCell.id == Grade.cell_id),
        "comment": select(student, BaseCell.name, Comment.auto_comment, Comment.manual_comment)
        .select_from(SubmittedAssignment).join(*submitted)
        .join(Comment, Comment.notebook_id == SubmittedNotebook.id).join(BaseCell, BaseCell.id == Comment.cell_id),
        "ledger": select(line.assignment, line.student, line.submission, line.version, line.status, line.record),
    }


def _content(path: Path) -> Any:
    content = path.read_bytes()
    with contextlib.suppress(ValueError):
        if path.suffix == ".ipynb":
            return _comparable(json.loads(content))
    if path.suffix == ".html":  # the template's blank lines are fewer where a process has seen a cell before
        return re.sub(rb"\s+", b" ", re.sub(rb"[A-Z][a-z]+ \d+, 20\d\d", b"date", content))
    return content


def _comparable(value: Any) -> Any:
    """A record without times, and without the note that a sandbox which died was replaced."""
    if isinstance(value, dict):
        return {name: _comparable(inner) for name, inner in value.items()
                if name != "seconds" and not (name == "sandbox" and REPLACED in str(inner))}
    return [_comparable(inner) for inner in value if REPLACED not in str(inner)] if isinstance(value, list) else value
