"""Feedback of `course grade` handed to students by nbgrader's exchange."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.classroom import ASSIGNMENT, Classroom

pytestmark = pytest.mark.sandbox
SECRET = "s" * 128


def nbgrader(classroom: Classroom, *command: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "nbgrader", *command, ASSIGNMENT], cwd=classroom.folder, text=True,
                          capture_output=True, check=False)


@pytest.fixture
def classroom(root, tmp_path) -> Classroom:
    """One submission that came through the exchange, graded by `course grade`."""
    classroom = Classroom(root, tmp_path / "course")
    assert nbgrader(classroom, "release_assignment").returncode == 0
    classroom.hand_in("ada", classroom.solved(), {"timestamp.txt": "2026-10-09 17:30:00.000000 UTC\n",
                                                  "submission_secret.txt": SECRET})
    classroom.grade()
    return classroom


def released(classroom: Classroom) -> list[str]:
    return [path.name for path in (classroom.folder / "exchange" / "cnncourse" / "feedback").glob("*.html")]


def test_feedback_of_course_grade_is_released(classroom):
    done = nbgrader(classroom, "release_feedback")
    assert done.returncode == 0, done.stderr
    assert len(released(classroom)) == 1


@pytest.mark.slow
def test_feedback_that_nbgrader_generates_from_what_course_grade_graded_is_released(classroom):
    for command in (("generate_feedback", "--force"), ("release_feedback",)):
        done = nbgrader(classroom, *command)
        assert done.returncode == 0, done.stderr
    assert len(released(classroom)) == 1
