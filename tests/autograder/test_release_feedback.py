"""Feedback of `course grade` handed to students by nbgrader's exchange."""

from __future__ import annotations

import subprocess
import sys

import pytest
from nbgrader.apps.api import NbGraderAPI

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


NOT_THROUGH_THE_EXCHANGE = {"aaron": None, "bea [1]": {}, "chen": {"submission_secret.txt": SECRET},
                            "dora": {"timestamp.txt": "2026-10-09 17:30:00 UTC\n", "submission_secret.txt": ""}}
"""By student the files beside a notebook that came otherwise; of the first there is a zip."""
THROUGH_THE_EXCHANGE = ("ada", "cy [2]", "zoe")


@pytest.fixture(scope="module")
def mixed(root, tmp_path_factory) -> Classroom:
    """A class that handed in by all ways, with pages as `course feedback` leaves them."""
    classroom = Classroom(root, tmp_path_factory.mktemp("mixed") / "course")
    for number, student in enumerate(THROUGH_THE_EXCHANGE):
        page(classroom, student, {"timestamp.txt": "2026-10-09 17:30:00.000000 UTC\n",
                                  "submission_secret.txt": str(number) * 128})
    for student, files in NOT_THROUGH_THE_EXCHANGE.items():
        page(classroom, student, files or {})
    return classroom


def page(classroom: Classroom, student: str, files: dict[str, str]) -> None:
    folder = classroom.path("feedback", student).parent
    folder.mkdir(parents=True)
    for name, text in {f"{ASSIGNMENT}.html": f"<p>for {student}</p>", **files}.items():
        (folder / name).write_text(text)


def handed_out(classroom: Classroom) -> set[str]:
    folder = classroom.folder / "exchange" / "cnncourse" / "feedback"
    found = {path.read_text() for path in folder.glob("*.html")}
    for path in folder.glob("*.html"):
        path.unlink()
    return found


EVERYBODY = {f"<p>for {student}</p>" for student in THROUGH_THE_EXCHANGE}


def test_everybody_who_can_fetch_a_page_gets_it_and_the_others_are_named(mixed):
    done = nbgrader(mixed, "release_feedback")
    assert done.returncode == 0, done.stderr
    assert handed_out(mixed) == EVERYBODY
    assert all(student in done.stderr for student in NOT_THROUGH_THE_EXCHANGE)


def test_the_formgrader_releases_the_same_and_says_why_one_student_has_none(mixed, monkeypatch):
    monkeypatch.chdir(mixed.folder)
    api = NbGraderAPI(config=mixed.course.config)
    everybody = api.release_feedback(ASSIGNMENT)
    assert everybody["success"], everybody
    assert handed_out(mixed) == EVERYBODY
    assert api.release_feedback(ASSIGNMENT, "cy [2]")["success"]
    assert handed_out(mixed) == {"<p>for cy [2]</p>"}
    one = api.release_feedback(ASSIGNMENT, "aaron")
    assert not one["success"]
    assert "aaron" in one["error"]
    assert handed_out(mixed) == set()


def test_students_who_are_left_out_stay_out(mixed):
    done = nbgrader(mixed, "release_feedback", "--CourseDirectory.student_id_exclude=zoe,aaron")
    assert done.returncode == 0, done.stderr
    assert handed_out(mixed) == EVERYBODY - {"<p>for zoe</p>"}
    assert "aaron" not in done.stderr
