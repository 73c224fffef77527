"""What grading comes to when something that it needs is killed on the way, or the disk is full.

A few tries of each kind, in the middle of the work; `course bench faults` makes as many as one likes, at any moment.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import sqlite3
import subprocess
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from random import Random

import pytest

from autograder.classroom.course import Course
from autograder.cohort import grade
from autograder.cohort.guards import log_to_file
from autograder.cohort.pool import LocalProcesses, ThisProcess
from autograder.errors import AutograderError
from tests import killing, needs
from tests.classroom import ASSIGNMENT, CONFIGURATION, Classroom
from tests.effort import rest_slow
from tests.faults import WRITER, Beginnings, differences, half_written, state
from tests.places import place

STUDENTS = 10
PAGES = 3
"""So many pages a run has written when something is killed."""
DISK = 48 << 20
ROOM = 700_000
"""Bytes that are left on a disk: two pages fit."""


@pytest.fixture(scope="module")
def beginnings(root):
    """A class before anything goes wrong, in a folder that a server's user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    folder.chmod(0o755)
    yield Beginnings(root, folder / "beginnings", STUDENTS)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.sandbox
@pytest.mark.parametrize("kind, beginning, seed", rest_slow([
    ("command", "first", 1), ("command", "resubmitted", 2), ("worker", "first", 3), ("worker", "forced", 4),
    ("scheduler", "first", 5), ("sandbox", "first", 7), ("sandbox", "forced", 8),
    pytest.param("database", "resubmitted", 6, marks=pytest.mark.postgresql),
]))
def test_what_was_killed_midway_comes_to_the_undisturbed_marks(kind, beginning, seed, beginnings, tmp_path):
    folder = beginnings.copy(beginning, tmp_path / "course")
    leave_unfinished(folder, beginnings.students[0])
    with place(kind, Path(tempfile.mkdtemp(dir=beginnings.folder.parent)), beginnings) as here:
        outcome = killing.try_once(
            folder, beginning, 0.0, midway(folder, partial(here.strike, rng=Random(seed))), beginnings.expected,
            options=here.options, mend=here.mend, db_url=here.db_url(beginning), services=here.services)
    assert outcome.victim
    assert outcome.faults == []


@pytest.mark.sandbox
def test_what_a_killed_worker_has_left_goes_although_there_is_nothing_to_grade(root, tmp_path):
    classroom = Classroom(root, tmp_path)
    classroom.hand_in("ada", classroom.stub)
    classroom.grade()
    there = {path for path in tmp_path.rglob("*") if path.is_file()}
    leave_unfinished(tmp_path, "ada")
    assert classroom.grade()["ada"].status == "unchanged"
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == there


@pytest.mark.sandbox
@pytest.mark.slow
def test_a_full_disk_is_told_in_a_sentence_and_nothing_is_broken(beginnings, tmp_path):
    folder = tmp_path / "course"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", folder], capture_output=True,
                             check=False)
    if mounted.returncode:
        needs.leave_out("rights", f"nothing can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        shutil.copytree(beginnings.folder / "first", folder, dirs_exist_ok=True)
        ballast = folder / "ballast"
        for room in (0, ROOM):
            ballast.unlink(missing_ok=True)
            fill(ballast, room)
            assert_stops_in_words(killing.Grading(folder, "--workers", "2"), folder, "No space left|disk is full")
        ballast.unlink()
        assert_comes_to(beginnings, folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.sandbox
@pytest.mark.slow
def test_files_that_may_not_grow_are_told_in_a_sentence_and_nothing_is_broken(beginnings, tmp_path):
    folder = beginnings.copy("first", tmp_path / "course")
    grading = killing.Grading(folder, "--workers", "2")
    size = (folder / "gradebook.db").stat().st_size
    resource.prlimit(grading.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    assert_stops_in_words(grading, folder, "File too large|disk I/O error|disk is full")
    assert_comes_to(beginnings, folder)


def test_a_log_that_does_not_fit_on_the_disk_stops_nothing(capfd):
    with log_to_file(Path("/dev/full")) as log:
        log.info("ada: graded")
    assert capfd.readouterr() == ("", "")


def test_a_pool_is_closed_whatever_stops_grading(tmp_path):
    class Open(ThisProcess):
        closed = False

        def close(self):
            self.closed = True

    (tmp_path / "nbgrader_config.py").write_text(CONFIGURATION)
    pool = Open()
    with pytest.raises(AutograderError, match="Nothing was handed in"):
        list(grade(Course(tmp_path, trust=True), ASSIGNMENT, pool=pool))
    assert pool.closed


def test_closed_processes_leave_no_thread_that_the_end_of_python_could_disturb():
    before = threading.enumerate()
    pool = LocalProcesses(2)
    assert threading.enumerate() != before
    pool.close()
    assert threading.enumerate() == before


def midway(folder, strike):
    """A strike that waits until some pages are written anew."""
    began = time.time()

    def wait_and_strike(process):
        pages = []
        while process.poll() is None and len(pages) < PAGES:
            time.sleep(0.01)
            pages = [page for page in folder.glob("feedback/*/*/*.html") if page.stat().st_mtime >= began]
        return strike(process)

    return wait_and_strike


def leave_unfinished(folder, student):
    """What an earlier command leaves that was killed while it wrote."""
    autograded = folder / "autograded" / student / f".{ASSIGNMENT}.unfinished"
    autograded.mkdir(parents=True)
    (autograded / f"{ASSIGNMENT}.ipynb").write_text('{"cells": [')
    feedback = folder / "feedback" / student / ASSIGNMENT
    feedback.mkdir(parents=True, exist_ok=True)
    (feedback / f".{ASSIGNMENT}.html.1.unfinished").write_text("<html>")


def fill(ballast, room):
    """Fill a disk up to a number of bytes."""
    with ballast.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(bytes(1 << 16))
    os.truncate(ballast, ballast.stat().st_size - room)


def assert_stops_in_words(grading, folder, reason):
    """A run ends with a sentence that names the reason, and leaves nothing that is not whole."""
    status = grading.wait()
    assert status == 1, grading.output
    assert grading.complaint(status) == ""
    assert re.search(reason, " ".join(grading.output.split())), grading.output
    assert half_written(folder) == []
    with sqlite3.connect(folder / "gradebook.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        (by_hand,) = connection.execute("SELECT sum(manual_score) FROM grade").fetchone()
    assert by_hand == 2.0, f"the hand mark of {WRITER} is lost"


def assert_comes_to(beginnings, folder):
    """The same command, undisturbed, comes to what it always comes to."""
    again = killing.Grading(folder)
    assert again.wait() == 0, again.output
    found = differences(beginnings.expected, state(folder))
    assert (found.lost, found.doubled, found.stray) == ([], [], [])
