"""Marks after something has changed: just those that are concerned, none lower unasked, and the attempt that counts."""

from __future__ import annotations

import datetime
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from random import Random

import nbformat
import pytest
import tomlkit

from autograder.assignment.cells import grade_id
from autograder.authoring.release import enter
from autograder.classroom.course import Course
from autograder.classroom.versions import Why
from autograder.cohort import grade, reports, trial, watching
from autograder.cohort.ledger import attempts
from autograder.errors import AutograderError
from autograder.exercises.contents import teach
from tests.effort import rest_slow

pytestmark = pytest.mark.sandbox
WEEK = "week-1"
EXERCISE = '''\
from autograder.judging.exercise import Case, Misconception, exercise

@exercise("{name}", notebook="week-1", points=4)
class One:
    """{factor} times x.

    x  a number
    """
    def {name}(x):
        return {factor} * x

    def cases(rng):
        for x in (0, 1, 2, 3):
            yield Case(str(x), (x,))

    misconceptions = (Misconception("as it is", "It has to grow.", lambda x: x),)
    hints = ("a", "b", "c")
'''
NAMES = ("double", "triple")
ANSWERS = ("2 * x", "3 * x", "x", "x + 2", "0", "2 * x if x else 7")
DUE = datetime.datetime(2026, 10, 9, 12)
PENALTY = "c = get_config()\nc.LateSubmissionPlugin.penalty_method = 'zero'\n"


class Room:
    """A small class, in a course with two exercises that take no time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.points: dict[str, float] = {}
        self.policy: dict[str, object] = {}
        self.factors = {"double": 2, "triple": 3}
        self.late_costs = False
        folder.mkdir()
        self.write()
        self.release()

    @property
    def course(self) -> Course:
        return Course(self.folder)

    def write(self) -> None:
        (self.folder / "exercises").mkdir(exist_ok=True)
        for name, factor in self.factors.items():
            (self.folder / "exercises" / f"{name}.py").write_text(EXERCISE.format(name=name, factor=factor))
        (self.folder / "course.toml").write_text(tomlkit.dumps({"policy": self.policy, "assignments": [
            {"name": WEEK, "exercises": list(NAMES), "points": self.points}]}))
        (self.folder / "nbgrader_config.py").write_text(
            "from autograder.configuration import configure\nconfigure(get_config(), course=__file__)\n"
            + (PENALTY if self.late_costs else ""))

    def release(self) -> None:
        enter(self.course, WEEK)

    def hand_in(self, student: str, double: str, triple: str, day: int = 9) -> None:
        notebook = nbformat.read(self.folder / "notebooks" / WEEK / f"{WEEK}.ipynb", as_version=4)
        for cell in notebook.cells:
            name = grade_id(cell)
            if name in NAMES:
                cell.source = f"def {name}(x):\n    return {double if name == 'double' else triple}\n"
        place = self.course.submitted_folder(student, WEEK)
        place.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, place / f"{WEEK}.ipynb")
        (place / "timestamp.txt").write_text(f"2026-10-{day:02d} 11:00:00 UTC")

    def due(self, day: int) -> None:
        with self.course.gradebook() as gradebook:
            gradebook.find_assignment(WEEK).duedate = DUE.replace(day=day)
            gradebook.db.commit()

    def extend(self, student: str, days: int) -> None:
        with self.course.gradebook() as gradebook:
            gradebook.find_submission(WEEK, student).extension = datetime.timedelta(days=days)
            gradebook.db.commit()

    def grade(self, **options):
        found: list[Counter] = []
        done = {one.student: one for one in grade(self.course, WEEK, on_reasons=found.append, **options)}
        return done, found[0]

    def marks(self, **options) -> dict[str, float]:
        return {student: report.score for student, report in self.grade(**options)[0].items()}

    def fresh(self, folder: Path) -> Room:
        """The same settings and files in a course that was never graded."""
        room = Room(folder)
        room.points, room.policy, room.factors = self.points, self.policy, self.factors
        room.late_costs = self.late_costs
        room.write()
        room.release()
        shutil.copytree(self.folder / "submitted", folder / "submitted", dirs_exist_ok=True)
        with self.course.gradebook() as old, room.course.gradebook() as new:
            new.find_assignment(WEEK).duedate = old.find_assignment(WEEK).duedate
            for submission in old.assignment_submissions(WEEK):
                new.update_or_create_student(submission.student_id)
                new.update_or_create_submission(WEEK, submission.student_id, extension=submission.extension)
            new.db.commit()
        return room


@pytest.fixture
def room(tmp_path):
    yield Room(tmp_path / "course")
    teach(None)


def change(room: Room, rng: Random) -> None:
    """Something that people change after grading."""
    kind = rng.choice(["points", "due", "extension", "exercise", "hand in", "policy", "penalty", "notebook"])
    if kind == "points":
        room.points = {name: rng.choice([1, 4, 9]) for name in NAMES if rng.random() < 0.7}
    elif kind == "due":
        room.due(rng.choice([5, 9, 12]))
    elif kind == "extension":
        room.extend(rng.choice(["ada", "bob", "cy"]), rng.choice([0, 2, 5]))
    elif kind == "exercise":
        room.factors = room.factors | {rng.choice(NAMES): rng.choice([2, 3])}
    elif kind == "hand in":
        room.hand_in(rng.choice(["ada", "bob", "cy"]), rng.choice(ANSWERS), rng.choice(ANSWERS), rng.choice([8, 10]))
    elif kind == "policy":
        room.policy = {"partial_credit": rng.random() < 0.5}
    elif kind == "penalty":
        room.late_costs = not room.late_costs
    room.write()
    if kind in ("points", "notebook"):
        room.release()


@pytest.mark.parametrize("seed", rest_slow(range(8), 2))
def test_after_any_changes_marks_are_those_of_a_course_that_was_graded_once(seed, room, tmp_path):
    rng = Random(seed)
    for student in ("ada", "bob", "cy"):
        room.hand_in(student, rng.choice(ANSWERS), rng.choice(ANSWERS), rng.choice([8, 10]))
    room.due(9)
    marks = room.marks()
    for _ in range(5):
        before = {student: (path.read_bytes(), path.stat().st_mtime_ns) for student in marks
                  for path in (room.course.submitted_folder(student, WEEK) / f"{WEEK}.ipynb",)}
        change(room, rng)
        tried = {one.student: one for one in trial.changes(room.course, WEEK, lambda copy: list(grade(copy, WEEK)))}
        now, _ = room.grade()
        assert {student: one.after for student, one in tried.items()} == {
            student: report.score for student, report in now.items()}
        for student, report in now.items():
            path = room.course.submitted_folder(student, WEEK) / f"{WEEK}.ipynb"
            same = before[student] == (path.read_bytes(), path.stat().st_mtime_ns)
            assert not same or report.score >= marks[student] - 1e-9
            assert (report.status == "kept") == any("no mark falls without --lower" in one for one in report.problems)
        assert room.grade()[1].total() == 0  # nothing is done twice
        marks = {student: report.score for student, report in now.items()}
    assert room.marks(lower=True) == room.fresh(tmp_path / "fresh").marks()


def test_a_lower_mark_is_kept_named_with_both_figures_and_entered_when_asked(room):
    room.hand_in("ada", "2 * x", "3 * x")
    room.hand_in("bob", "2 * x", "x")
    assert room.marks() == {"ada": 8, "bob": 4}
    page = room.course.feedback_folder("ada", WEEK) / f"{WEEK}.html"
    shown = page.read_bytes()
    room.factors["triple"] = 5
    room.write()
    done, reasons = room.grade()
    assert reasons == {Why.MARKS: 2}
    assert (done["ada"].status, done["ada"].score, done["bob"].status) == ("kept", 8, "graded")
    assert done["ada"].problems == ("It would get 4 instead of 8 of 8 points now, and keeps what it has: no mark falls "
                                    "without --lower.",)
    assert page.read_bytes() == shown
    assert [one.status for one in reports(room.course, WEEK)] == ["kept", "unchanged"]
    assert room.marks(lower=True) == {"ada": 4, "bob": 4}
    assert page.read_bytes() != shown


def test_lateness_is_a_reason_of_its_own_and_only_for_those_concerned(room):
    room.late_costs = True
    room.write()
    for student, day in (("ada", 8), ("bob", 10), ("cy", 11)):
        room.hand_in(student, "2 * x", "3 * x", day)
    room.due(9)
    assert room.marks() == {"ada": 8, "bob": 0, "cy": 0}
    room.extend("bob", 2)
    done, reasons = room.grade()
    assert reasons == {Why.LATENESS: 1} and done["bob"].score == 8
    room.due(12)
    assert room.grade()[1] == {Why.LATENESS: 1}  # bob was in time before
    room.due(5)
    done, reasons = room.grade()
    assert reasons == {Why.LATENESS: 3} and {one.status for one in done.values()} == {"kept"}


def test_a_penalty_of_ones_own_counts_with_its_settings_and_its_code(room, monkeypatch):
    monkeypatch.syspath_prepend(str(room.folder))
    plugin = ("from nbgrader.plugins import BasePlugin\nfrom traitlets import Float\nclass Late(BasePlugin):\n"
              "    share = Float(0.5).tag(config=True)\n"
              "    def late_submission_penalty(self, student_id, score, total_seconds_late):\n"
              "        return score * self.share\n")
    (room.folder / "own_late.py").write_text(plugin)
    config = room.folder / "nbgrader_config.py"
    config.write_text(config.read_text() + "c = get_config()\nc.AssignLatePenalties.plugin_class = 'own_late.Late'\n")
    room.hand_in("ada", "2 * x", "3 * x", 10)
    room.due(9)
    assert room.marks() == {"ada": 4}
    config.write_text(config.read_text() + "c.Late.share = 0.25\n")
    done, reasons = room.grade()
    assert reasons == {Why.SETTINGS: 1} and done["ada"].score == 6


@pytest.mark.parametrize("attempt, expected", [("last", [4, 8, 0, 4]), ("best", [4, 8, 8, 8]), ("first", [4, 4, 4, 4])])
def test_the_attempt_counts_that_the_course_has_decided_on(attempt, expected, room):
    room.policy = {"attempt": attempt}
    room.write()
    for (double, triple), mark in zip((("2 * x", "x"), ("2 * x", "3 * x"), ("x", "x"), ("x", "3 * x")), expected,
                                      strict=True):
        room.hand_in("ada", double, triple)
        done, _ = room.grade()
        assert done["ada"].score == mark
        assert room.grade()[1].total() == 0
    with room.course.gradebook() as gradebook, gradebook.engine.connect() as connection:
        made = attempts(connection, WEEK)
    assert [one.score for one in made] == [4, 8, 0, 4]
    assert [bool(one.kept_out) for one in made] == {
        "last": [False] * 4, "best": [False, False, True, True], "first": [False, True, True, True]}[attempt]
    room.policy = {}
    room.write()
    assert room.grade()[0]["ada"].score == 4  # another decision: the last one counts now


def test_partial_credit_gives_the_share_of_cases(room):
    room.hand_in("ada", "2 * x if x < 3 else 0", "3 * x")
    assert room.marks() == {"ada": 4}
    room.policy = {"partial_credit": True}
    room.write()
    done, reasons = room.grade()
    assert reasons == {Why.SETTINGS: 1} and done["ada"].score == 7 and done["ada"].verdicts["double"].points == 3


@pytest.mark.parametrize("tells, seen", [("mistake", (True, True)), ("case", (False, True)), ("mark", (False, False))])
def test_a_page_tells_what_the_course_has_decided_on(tells, seen, room):
    room.policy = {"feedback": tells}
    room.write()
    room.hand_in("ada", "x", "3 * x")
    done, _ = room.grade()
    page = (room.course.feedback_folder("ada", WEEK) / f"{WEEK}.html").read_text()
    assert ("It has to grow" in page, "expected" in page or "has to be" in page) == seen
    assert "double: 1 of 4 cases pass" in page
    assert done["ada"].verdicts["double"].misconceptions == ("as it is",)  # the instructor is told


def test_what_is_out_of_step_is_told_with_the_command_that_mends_it(room):
    room.hand_in("ada", "2 * x", "3 * x")
    room.points = {"double": 7}
    room.write()
    with pytest.raises(AutograderError, match=r"double is worth 7 points now, and 4 .* course release week-1"):
        room.grade()
    path = room.folder / "notebooks" / WEEK / f"{WEEK}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if grade_id(cell) != "check-double"]
    nbformat.write(notebook, path)
    os.utime(path, (time.time() + 2,) * 2)
    with pytest.raises(AutograderError, match=r"do not agree on check-double\. To enter .* course release week-1"):
        room.grade()
    path.unlink()
    room.release()
    assert room.marks() == {"ada": 11}


def contents(folder: Path) -> dict[str, object]:
    """Everything in a folder, with its times; of a database what is in it."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".db":
            with sqlite3.connect(path) as connection:
                found[str(path)] = list(connection.iterdump())
        elif "__pycache__" not in path.parts:
            found[str(path)] = (path.stat().st_mtime_ns, path.stat().st_mode, path.is_file() and path.read_bytes())
    return found


def test_a_dry_run_shows_marks_before_and_after_and_changes_nothing(room):
    room.hand_in("ada", "2 * x", "x")
    room.hand_in("bob", "2 * x", "3 * x")
    room.grade()
    room.hand_in("ada", "x", "3 * x")
    room.hand_in("new", "2 * x", "3 * x")
    room.factors["triple"] = 4
    room.write()
    before = contents(room.folder)
    ran = subprocess.run([sys.executable, "-m", "autograder.cli", "grade", WEEK, "--course", str(room.folder),
                          "--dry-run", "--lower"], capture_output=True, text=True, check=False,
                         env={**os.environ, "COLUMNS": "120"})
    assert ran.returncode == 0, ran.stdout + ran.stderr
    rows = {line.split("│")[1].strip(): [cell.strip() for cell in line.split("│")[2:5]]
            for line in ran.stdout.splitlines() if line.startswith("│")}
    assert rows == {"ada": ["4", "0", "double 4 → 0"], "bob": ["8", "4", "triple 4 → 0"], "new": ["-", "4", ""]}
    assert contents(room.folder) == before


def test_watching_grades_what_arrives_once_it_is_whole_and_ends_when_told(room):
    room.hand_in("ada", "2 * x", "3 * x")
    given: list[list[str]] = []
    over = threading.Event()
    watcher = threading.Thread(target=lambda: watching.watch(
        room.course, WEEK, given.append, look_seconds=0.05, quiet_seconds=0.4, stop=over))
    watcher.start()
    try:
        wait_for(lambda: given == [["ada"]])
        room.hand_in("bob", "2 * x", "3 * x")
        path = room.course.submitted_folder("bob", WEEK) / f"{WEEK}.ipynb"
        whole = path.read_bytes()
        for end in range(0, len(whole), len(whole) // 5):  # it arrives slowly
            path.write_bytes(whole[:end])
            time.sleep(0.1)
            assert given == [["ada"]]
        path.write_bytes(whole)
        wait_for(lambda: given == [["ada"], ["bob"]])
        room.hand_in("ada", "x", "3 * x")
        wait_for(lambda: given == [["ada"], ["bob"], ["ada"]])
    finally:
        over.set()
        watcher.join(5)
    assert not watcher.is_alive()


@pytest.mark.slow
def test_the_watching_command_ends_well_at_a_signal(room):
    room.hand_in("ada", "2 * x", "3 * x")
    process = subprocess.Popen([sys.executable, "-m", "autograder.cli", "grade", WEEK, "--course", str(room.folder),
                                "--watch"], stdout=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "300"})
    assert process.stdout is not None
    said = ""
    while "waiting for submissions" not in said:
        line = process.stdout.readline()
        assert line, said
        said += line
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert [one.status for one in reports(room.course, WEEK)] == ["unchanged"]


def wait_for(condition) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
