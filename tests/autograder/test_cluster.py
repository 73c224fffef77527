"""Grading on a real Dask cluster into a real PostgreSQL server, beside the same class here in SQLite."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from autograder.classroom.course import Course
from autograder.cohort import grade, reports
from autograder.cohort.pool import Cluster
from autograder.errors import AutograderError
from tests import services
from tests.classroom import ASSIGNMENT, Classroom

pytestmark = pytest.mark.sandbox

STUDENTS = 8


@pytest.fixture(scope="module")
def classroom(root, tmp_path_factory) -> Classroom:
    """A class with right, wrong and missing answers, late ones too."""
    classroom = Classroom(root, tmp_path_factory.mktemp("cluster"))
    for number in range(STUDENTS):
        wrong = {"zero_pad": "def zero_pad(x, padding):\n    return x\n"} if number % 2 else {}
        classroom.hand_in(f"student{number}", classroom.solved(**wrong) if number % 3 else classroom.stub)
    return classroom


@pytest.fixture(scope="module")
def server():
    """A PostgreSQL server in a folder that its user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    folder.chmod(0o755)
    with services.postgresql(folder / "data") as running:
        yield running
    shutil.rmtree(folder, ignore_errors=True)


def marks(course: Course) -> dict:
    """Every row of grades, as a person would compare them."""
    with course.gradebook() as gradebook:
        return {(submission.student.id, entry.name): (entry.auto_score, entry.manual_score, entry.needs_manual_grade)
                for submission in gradebook.assignment_submissions(ASSIGNMENT)
                for notebook in submission.notebooks for entry in notebook.grades}


@pytest.mark.slow
@pytest.mark.postgresql
def test_a_cluster_and_postgresql_give_the_marks_that_this_machine_and_sqlite_give(classroom, server, root, tmp_path):
    here = {report.student: (report.status, report.score) for report in grade(classroom.course, ASSIGNMENT)}
    expected = marks(classroom.course)
    config = classroom.folder / "nbgrader_config.py"
    before = config.read_text()
    config.write_text(before + f"c = get_config()\nc.CourseDirectory.db_url = {server.url!r}\n")
    try:
        from autograder.authoring.release import enter

        enter(Course(classroom.folder), ASSIGNMENT)
        with services.dask_cluster(2, tmp_path) as cluster:
            ran = subprocess.run([sys.executable, "-m", "autograder.cli", "grade", ASSIGNMENT, "--course",
                                  str(classroom.folder), "--scheduler", cluster.address, "--db-url", server.url],
                                 capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        course = Course(classroom.folder, db_url=server.url)
        there = {report.student: ("graded", report.score) for report in reports(course, ASSIGNMENT)}
        assert there == here
        assert marks(course) == expected
        assert {report.status for report in grade(course, ASSIGNMENT)} == {"unchanged"}
    finally:
        config.write_text(before)


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_nothing(classroom, tmp_path):
    list(grade(classroom.course, ASSIGNMENT))  # unless it is graded already
    expected = marks(classroom.course)
    with services.dask_cluster(2, tmp_path) as cluster:
        pool = Cluster(cluster.address, batch=1)
        killed = threading.Thread(target=lambda: (time.sleep(1.5), cluster.workers[0].kill()))
        killed.start()
        found = list(grade(classroom.course, ASSIGNMENT, force=True, pool=pool))
        killed.join()
    assert {report.status for report in found} == {"graded"}
    assert len(found) == STUDENTS
    assert marks(classroom.course) == expected


@pytest.mark.slow
def test_a_scheduler_that_is_killed_ends_the_command_with_a_remedy(classroom, tmp_path):
    with services.dask_cluster(1, tmp_path) as cluster:
        pool = Cluster(cluster.address, batch=1)
        found = []
        with pytest.raises(AutograderError, match="start it again"):
            for report in grade(classroom.course, ASSIGNMENT, force=True, pool=pool):
                found.append(report)
                cluster.kill()
    assert len(found) < STUDENTS
    statuses = [report.status for report in grade(classroom.course, ASSIGNMENT)]
    assert len(statuses) == STUDENTS and set(statuses) <= {"graded", "unchanged"}


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "no address"])
def test_a_scheduler_that_does_not_answer_is_named(address):
    with pytest.raises(AutograderError, match="does not answer"):
        Cluster(address, seconds=1)
