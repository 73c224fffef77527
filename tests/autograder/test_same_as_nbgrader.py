"""The same class graded by `course grade`, and by nbgrader's own commands: the same rows, notebooks and pages."""

from __future__ import annotations

import datetime
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup

from autograder import cohort
from autograder.classroom.course import Course
from tests.attacks.model import cell
from tests.classroom import ASSIGNMENT, CONFIGURATION, Classroom

pytestmark = pytest.mark.sandbox

LATE = "c = get_config()\nc.LateSubmissionPlugin.penalty_method = 'zero'\n"
DUE = datetime.datetime(2026, 10, 9, 12)
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
ROWS = {
    "grade": "SELECT s.student_id, b.name, g.auto_score, g.manual_score, g.extra_credit, g.needs_manual_grade "
             "FROM grade g JOIN base_cell b ON b.id = g.cell_id JOIN submitted_notebook n ON n.id = g.notebook_id "
             "JOIN submitted_assignment s ON s.id = n.assignment_id ORDER BY 1, 2",
    "comment": "SELECT s.student_id, b.name, c.auto_comment, c.manual_comment "
               "FROM comment c JOIN base_cell b ON b.id = c.cell_id JOIN submitted_notebook n ON n.id = c.notebook_id "
               "JOIN submitted_assignment s ON s.id = n.assignment_id ORDER BY 1, 2",
    "penalty": "SELECT s.student_id, s.timestamp, n.late_submission_penalty, n.flagged FROM submitted_notebook n "
               "JOIN submitted_assignment s ON s.id = n.assignment_id ORDER BY 1",
}


def written(classroom: Classroom, text: str, attachments: dict | None = None) -> dict:
    """A solved notebook with a written answer."""
    notebook = classroom.solved()
    cell(notebook, "explain-full-depth")["source"] = text
    if attachments:
        cell(notebook, "explain-full-depth")["attachments"] = attachments
    return notebook


def hand_in(classroom: Classroom) -> None:
    """Everybody hands in, some of them late."""
    wrong = {"conv2d_forward": "def conv2d_forward(x, weight, bias, stride, padding):\n    return x[:, ::-1]\n"}
    class_ = {
        "solver": classroom.solved(), "stub": classroom.stub, "wrong": classroom.solved(**wrong),
        "raises": classroom.solved(zero_pad="def zero_pad(x, padding):\n    raise ValueError('<b>no</b>')\n"),
        "broken": b"{ this is no notebook",
        "moved": json.loads(json.dumps(classroom.solved()).replace('"grade_id"', '"id"')),
        "writer": written(classroom, "It **spans** all.\n\n$x_1 < 2$, `a[i]`, <script>alert(1)</script>\n\n- one"),
        "painter": written(classroom, "![a](attachment:p.png)", {"p.png": {"image/png": PIXEL}}),
        "late": classroom.solved(), "late-wrong": classroom.solved(**wrong), "punctual": classroom.solved(),
    }
    for student, content in class_.items():
        when = {"late": "2026-10-09 13:00:00 UTC", "late-wrong": "2026-10-10 00:00:00 UTC"}.get(
            student, "2026-10-09 11:59:59 UTC")
        classroom.hand_in(student, content, {"timestamp.txt": when, "notes.txt": "beside the notebook"})


def mark_by_hand(course: Course) -> None:
    """What a person enters before everything is graded once more."""
    with course.gradebook() as gradebook:
        for student, points, extra in (("writer", 2.0, None), ("late-wrong", 1.5, 0.5), ("solver", None, 1.0)):
            entry = gradebook.find_grade("explain-full-depth", ASSIGNMENT, ASSIGNMENT, student)
            entry.manual_score, entry.extra_credit = points, extra
        gradebook.find_grade("check-conv2d_forward", ASSIGNMENT, ASSIGNMENT, "wrong").manual_score = 3.0
        gradebook.find_comment("explain-full-depth", ASSIGNMENT, ASSIGNMENT, "writer").manual_comment = "Say *why*."
        gradebook.db.commit()


def nbgrader(folder: Path, *arguments: str) -> None:
    """Run one of nbgrader's commands in a course directory."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    ran = subprocess.run([sys.executable, "-m", "nbgrader", *arguments, "--force"], cwd=folder, capture_output=True,
                         text=True, check=False, env=environment)
    assert ran.returncode == 0, ran.stderr[-3000:]


def rows(folder: Path) -> dict[str, list]:
    """Everything that grading enters."""
    with sqlite3.connect(folder / "gradebook.db") as database:
        return {name: database.execute(query).fetchall() for name, query in ROWS.items()}


def notebook(path: Path) -> nbformat.NotebookNode:
    """An autograded notebook without the seconds that judging took."""
    content = nbformat.read(path, as_version=4)
    content["metadata"]["cnncourse"].pop("seconds")
    return content


@pytest.mark.slow
def test_rows_notebooks_and_pages_are_those_of_nbgraders_own_commands(root, tmp_path):
    ours = Classroom(root, tmp_path / "ours")
    (ours.folder / "nbgrader_config.py").write_text(CONFIGURATION + LATE)
    with ours.course.gradebook() as gradebook:
        gradebook.find_assignment(ASSIGNMENT).duedate = DUE
        gradebook.db.commit()
    hand_in(ours)
    ours.grade()
    mark_by_hand(ours.course)
    theirs = tmp_path / "theirs"
    shutil.copytree(ours.folder, theirs)  # the secret too: the inputs have to be the same
    for step in ("autograded", "feedback"):
        shutil.rmtree(theirs / step)
    reports = ours.grade(force=True, lower=True)  # as nbgrader does
    nbgrader(theirs, "autograde", ASSIGNMENT)
    nbgrader(theirs, "generate_feedback", ASSIGNMENT)

    assert rows(ours.folder) == rows(theirs)
    assert len(rows(ours.folder)["penalty"]) == len(reports) == 11
    penalties = dict(row[0::2] for row in rows(ours.folder)["penalty"])
    assert penalties["late"] == 24.0
    assert penalties["punctual"] is None
    assert reports["late"].score == 0.0
    assert reports["writer"].score == 26.0
    for student in reports:
        one = ours.path("autograded", student)
        other = theirs / one.relative_to(ours.folder)
        assert notebook(one) == notebook(other), student
        assert {p.name for p in one.parent.iterdir()} == {p.name for p in other.parent.iterdir()}
        assert one.stat().st_mode == other.stat().st_mode
        page = ours.path("feedback", student, ".html")
        same = theirs / page.relative_to(ours.folder)
        assert BeautifulSoup(page.read_text(), "html.parser") == BeautifulSoup(same.read_text(), "html.parser"), student


def test_feedback_written_again_is_the_page_that_nbgrader_writes(root, tmp_path):
    classroom = Classroom(root, tmp_path / "course")
    classroom.hand_in("writer", written(classroom, "It spans all channels."))
    classroom.hand_in("nobody", classroom.solved())
    classroom.grade("writer")
    with classroom.course.gradebook() as gradebook:
        gradebook.find_grade("explain-full-depth", ASSIGNMENT, ASSIGNMENT, "writer").manual_score = 1.0
        gradebook.find_comment("explain-full-depth", ASSIGNMENT, ASSIGNMENT, "writer").manual_comment = "Half of it."
        gradebook.db.commit()
    problems = dict(cohort.write_feedback(classroom.course, ASSIGNMENT))
    assert problems == {"nobody": "It is not graded yet.", "writer": ""}
    page = classroom.path("feedback", "writer", ".html")
    here = page.read_text()
    assert "Half of it." in here
    assert "Score: 1.0 / 3.0" in here
    nbgrader(classroom.folder, "generate_feedback", ASSIGNMENT, "--student", "writer")
    assert BeautifulSoup(page.read_text(), "html.parser") == BeautifulSoup(here, "html.parser")
