"""From submitted files to nbgrader's gradebook and feedback pages, on a real gradebook with assignment 01."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from autograder.classroom.seeds import SECRET_FILE
from autograder.cohort import LOG_FILE
from autograder.exercises.contents import every
from tests.attacks.model import EXERCISE, WRONG, cell
from tests.classroom import ASSIGNMENT, Classroom, edited

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def classroom(root, tmp_path_factory) -> Classroom:
    """One course for the module; tests use students of their own."""
    return Classroom(root, tmp_path_factory.mktemp("course"))


def maximum(classroom: Classroom) -> float:
    """Points of all check cells."""
    return sum(c["metadata"]["nbgrader"]["points"] for c in classroom.stub["cells"]
               if c["metadata"].get("nbgrader", {}).get("grade_id", "").startswith("check-"))


def grade_of(classroom: Classroom, student: str, name: str):
    with classroom.course.gradebook() as gradebook:
        grade = gradebook.find_grade(name, ASSIGNMENT, ASSIGNMENT, student)
        return grade.auto_score, grade.manual_score, grade.needs_manual_grade


def without_bias(classroom: Classroom) -> dict[str, str]:
    """The solution of the exercise, called with a bias of zero."""
    return {EXERCISE: classroom.solutions[EXERCISE] + "\n\n_right = conv2d_forward\n"
            "def conv2d_forward(x, weight, bias, stride, padding):\n"
            "    return _right(x, weight, 0 * bias, stride, padding)\n"}


def test_the_solutions_earn_all_points_and_the_written_answer_waits_for_a_person(classroom):
    classroom.hand_in("solver", classroom.solved())
    report = classroom.grade("solver")["solver"]
    assert report.status == "graded"
    assert report.score == maximum(classroom)
    assert grade_of(classroom, "solver", "explain-full-depth") == (None, None, True)


def test_an_untouched_notebook_earns_nothing_and_every_exercise_says_not_yet_written(classroom):
    classroom.hand_in("untouched", classroom.stub)
    report = classroom.grade("untouched")["untouched"]
    assert report.score == 0
    assert {name: verdict.not_written for name, verdict in report.verdicts.items()} == dict.fromkeys(
        (exercise.name for exercise in every(ASSIGNMENT)), True)
    assert grade_of(classroom, "untouched", "explain-full-depth") == (0, None, False)


def test_a_mistake_is_named_in_the_report_the_autograded_notebook_and_the_feedback_page(classroom):
    classroom.hand_in("forgetful", classroom.solved(**without_bias(classroom)))
    report = classroom.grade("forgetful")["forgetful"]
    assert report.verdicts[EXERCISE].misconceptions == ("bias forgotten",)
    assert report.score == maximum(classroom) - report.verdicts[EXERCISE].max_points
    check = next(c for c in classroom.autograded("forgetful").cells if c.id == f"check-{EXERCISE}")
    assert any("bias forgotten" in output.data["text/plain"] for output in check.outputs)
    page = classroom.path("feedback", "forgetful", ".html").read_text()
    assert "bias forgotten" in page
    assert 'src="data:image/svg+xml;base64,' in page
    assert "(outlined and crossed). Expected" in page


BROKEN = {
    "not JSON": lambda classroom: b"\x00\x01 this is no notebook",
    "not Python": lambda classroom: classroom.solved(**{EXERCISE: "def conv2d_forward(x)\n    return"}),
    "no cells": lambda classroom: {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []},
    "format of the future": lambda classroom: classroom.solved() | {"nbformat": 9},
    "no metadata": lambda classroom: edited(classroom.solved(), lambda n: [c.update(metadata={}) for c in n["cells"]]),
    "duplicated cells": lambda classroom: edited(
        classroom.solved(), lambda n: n["cells"].extend(json.loads(json.dumps(n["cells"])))),
    "renamed cells": lambda classroom: edited(
        classroom.solved(), lambda n: [c["metadata"]["nbgrader"].update(grade_id=f"x{i}")
                                       for i, c in enumerate(n["cells"]) if "nbgrader" in c["metadata"]]),
    "nbgrader metadata of an old schema": lambda classroom: edited(
        classroom.solved(), lambda n: [c["metadata"]["nbgrader"].update(schema_version=1)
                                       for c in n["cells"] if "nbgrader" in c["metadata"]]),
    "an output of 50 MB": lambda classroom: edited(
        classroom.solved(), lambda n: cell(n, EXERCISE).update(
            outputs=[{"output_type": "stream", "name": "stdout", "text": "x" * 50_000_000}])),
    "a missing answer": lambda classroom: edited(classroom.solved(), lambda n: n["cells"].remove(cell(n, EXERCISE))),
}
ALL_POINTS = ("format of the future", "no metadata", "duplicated cells", "renamed cells",
              "nbgrader metadata of an old schema", "an output of 50 MB")
NO_POINTS = ("not JSON", "no cells")


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_notebook_gets_a_score_for_what_is_there_and_a_word_on_what_is_not(kind, classroom):
    student = kind.replace(" ", "-")
    classroom.hand_in(student, BROKEN[kind](classroom))
    report = classroom.grade(student)[student]
    assert report.status == "graded", report
    full = maximum(classroom)
    at_stake = 0 if kind in ALL_POINTS else full if kind in NO_POINTS else report.verdicts[EXERCISE].max_points
    assert report.score == full - at_stake, report
    if kind not in ("format of the future", "nbgrader metadata of an old schema", "an output of 50 MB",
                    "duplicated cells"):
        assert report.problems
    assert classroom.path("feedback", student, ".html").is_file()


def test_a_submission_without_its_notebook_fails_and_the_others_are_graded(classroom):
    for student, name in (("misnamed", "Untitled.ipynb"), ("lost", "Untitled.txt")):
        classroom.hand_in(student, classroom.solved())
        path = classroom.path("submitted", student)
        path.rename(path.with_name(name))
    classroom.hand_in("next", classroom.solved())
    reports = classroom.grade("misnamed", "lost", "next")
    assert reports["lost"].status == "failed"
    assert "no notebook is there" in reports["lost"].problems[0]
    assert reports["lost"].score == 0
    assert "Untitled.ipynb was taken in its place" in reports["misnamed"].problems[0]
    assert reports["misnamed"].score == reports["next"].score == maximum(classroom)


def test_links_among_the_submitted_files_are_refused_and_the_others_are_graded(classroom):
    for student in ("linker", "neighbor"):
        classroom.hand_in(student, classroom.solved())
    classroom.path("submitted", "linker").with_name("data.txt").symlink_to("/dev/zero")
    reports = classroom.grade("linker", "neighbor")
    assert reports["linker"].status == "failed"
    assert "data.txt" in reports["linker"].problems[0]
    assert reports["neighbor"].score == maximum(classroom)


def test_a_hostile_submission_changes_nothing_outside_its_own_marks(classroom):
    classroom.hand_in("victim", classroom.solved())
    classroom.grade("victim")
    secret = (classroom.folder / SECRET_FILE).read_bytes()
    attack = (
        "import glob, os, sqlite3\n"
        "def conv2d_forward(*a):\n"
        f"    for path in {[str(classroom.folder / 'gradebook.db'), str(classroom.path('submitted', 'victim'))]!r}:\n"
        "        os.remove(path) if os.path.exists(path) else None\n"
        "    for folder, _, files in os.walk('/'):\n"
        "        for name in files:\n"
        "            if name.endswith(('.db', '.ipynb', '-secret')): os.remove(os.path.join(folder, name))\n"
        "    return np.zeros((1, 1, 1, 1))\n")
    classroom.hand_in("attacker", classroom.solved(**{EXERCISE: attack}))
    report = classroom.grade("attacker")["attacker"]
    assert report.verdicts[EXERCISE].score == 0
    assert classroom.path("submitted", "victim").is_file()
    assert (classroom.folder / SECRET_FILE).read_bytes() == secret
    assert grade_of(classroom, "victim", f"check-{EXERCISE}")[0] > 0


def test_scripts_in_a_written_answer_reach_neither_the_feedback_page_nor_the_formgrader(classroom):
    from nbconvert.exporters import HTMLExporter

    notebook = classroom.solved()
    cell(notebook, "explain-full-depth")["source"] = (
        "Because.<script>alert('XSS')</script><img src=x onerror=alert('XSS')>\n\n[XSS](javascript:alert('XSS'))")
    classroom.hand_in("scripter", notebook)
    classroom.grade("scripter")
    exporter = HTMLExporter(config=classroom.course.config)  # made by the formgrader in this way
    shown, _ = exporter.from_filename(str(classroom.path("autograded", "scripter")))
    for page in (classroom.path("feedback", "scripter", ".html").read_text(), shown):
        assert "Because." in page
        written = page[page.index("Because.") - 20:][:400]
        assert not re.search(r"<script|<img|href=.javascript", written)


def test_grading_again_changes_nothing_and_forced_regrading_gives_the_same(classroom):
    classroom.hand_in("steady", classroom.solved(**{EXERCISE: WRONG}))
    first = classroom.grade("steady")["steady"]
    assert classroom.grade("steady")["steady"].status == "unchanged"
    again = classroom.grade("steady", force=True)["steady"]
    assert (again.status, again.score, again.verdicts) == ("graded", first.score, first.verdicts)


def test_a_hand_mark_survives_regrading_and_reaches_the_feedback(classroom):
    notebook = classroom.solved()
    cell(notebook, "explain-full-depth")["source"] = "The filter spans all channels."
    classroom.hand_in("writer", notebook)
    before = classroom.grade("writer")["writer"].score
    with classroom.course.gradebook() as gradebook:
        grade = gradebook.find_grade("explain-full-depth", ASSIGNMENT, ASSIGNMENT, "writer")
        grade.manual_score, grade.needs_manual_grade = 2.0, False
        comment = gradebook.find_comment("explain-full-depth", ASSIGNMENT, ASSIGNMENT, "writer")
        comment.manual_comment = "Nearly: say why."
        gradebook.db.commit()
    assert classroom.grade("writer", force=True)["writer"].score == before + 2
    assert grade_of(classroom, "writer", "explain-full-depth")[1] == 2
    page = classroom.path("feedback", "writer", ".html").read_text()
    assert "Nearly: say why." in page
    assert "Score: 2.0 / 3.0" in page


def test_nbgraders_own_command_gives_the_same_marks(classroom):
    sources = without_bias(classroom)
    for student in ("by-course", "by-nbgrader"):
        classroom.hand_in(student, classroom.solved(**sources))
    here = classroom.grade("by-course")["by-course"]
    ran = subprocess.run([sys.executable, "-m", "nbgrader", "autograde", ASSIGNMENT, "--student", "by-nbgrader"],
                         cwd=classroom.folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    with classroom.course.gradebook() as gradebook:
        assert gradebook.find_submission(ASSIGNMENT, "by-nbgrader").score == here.score < maximum(classroom)


def test_the_formgraders_autograde_button_gives_the_same_marks(classroom):
    """The button calls nbgrader's API with the configuration of the course directory."""
    from nbgrader.apps.api import NbGraderAPI

    sources = without_bias(classroom)
    for student in ("by-hand", "by-button"):
        classroom.hand_in(student, classroom.solved(**sources))
    here = classroom.grade("by-hand")["by-hand"]
    pressed = NbGraderAPI(config=classroom.course.config).autograde(ASSIGNMENT, "by-button")
    assert pressed["success"], pressed.get("error")
    with classroom.course.gradebook() as gradebook:
        assert gradebook.find_submission(ASSIGNMENT, "by-button").score == here.score < maximum(classroom)


def test_nbgrader_refuses_with_a_remedy_where_no_sandbox_can_start(classroom):
    classroom.hand_in("refused", classroom.solved())
    program = ("import sys\nfrom autograder.sandbox import isolation\n"
               "isolation.why_unavailable = lambda: 'no walls here; mend it so.'\n"
               "import autograder.classroom.plugins as g\ng.why_unavailable = isolation.why_unavailable\n"
               "from nbgrader.apps.nbgraderapp import main\n"
               f"sys.argv = ['nbgrader', 'autograde', '{ASSIGNMENT}', '--student', 'refused']\nmain()")
    ran = subprocess.run([sys.executable, "-c", program], cwd=classroom.folder, capture_output=True, text=True,
                         check=False)
    assert ran.returncode != 0
    assert "no walls here; mend it so." in ran.stderr
    assert "--JudgeAnswers.trust_submissions=True" in ran.stderr
    assert not classroom.path("autograded", "refused").exists()


@pytest.mark.slow
def test_a_killed_run_is_taken_up_again_and_nothing_counts_twice(root, tmp_path):
    classroom = Classroom(root, tmp_path / "killed")
    students = [f"s{i}" for i in range(6)]
    for student in students:
        classroom.hand_in(student, classroom.solved())
    command = [sys.executable, "-m", "autograder.cli", "grade", ASSIGNMENT, "--course", str(classroom.folder)]
    for _ in range(3):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        already = len(list(classroom.folder.glob("feedback/*")))
        deadline = time.monotonic() + 30
        while len(list(classroom.folder.glob("feedback/*"))) <= already and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    reports = classroom.grade()
    assert [report.score for report in reports.values()] == [maximum(classroom)] * 6
    assert {report.status for report in classroom.grade().values()} == {"unchanged"}
    with sqlite3.connect(classroom.folder / "gradebook.db") as database:
        assert database.execute("SELECT COUNT(*) FROM submitted_assignment").fetchone() == (6,)


def test_inputs_differ_between_students_and_come_back_when_graded_again(classroom):
    """The words on a difference hold values of the input."""
    wrong = "def zero_pad(x, padding):\n    return np.pad(2 * x, ((0, 0), (0, 0), (padding,) * 2, (padding,) * 2))\n"
    for student in ("first", "second"):
        classroom.hand_in(student, classroom.solved(zero_pad=wrong))
    messages = {student: report.verdicts["zero_pad"].message
                for student, report in classroom.grade("first", "second").items()}
    assert messages["first"] != messages["second"]
    again = classroom.grade("first", force=True)["first"].verdicts["zero_pad"].message
    assert again == messages["first"]


def test_details_for_the_instructor_are_logged_to_a_file(classroom):
    classroom.hand_in("logged", classroom.solved())
    classroom.grade("logged")
    assert "logged" in (classroom.folder / LOG_FILE).read_text()
