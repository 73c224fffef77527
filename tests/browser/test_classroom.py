"""A whole round in a class on JupyterHub, by clicking: from the release of an assignment to feedback that is read."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from autograder.assignment.cells import grade_id, is_answer
from autograder.authoring.build import source_notebook
from autograder.demo import people
from autograder.exercises.contents import find
from tests.browser.desks import Instructor, Student
from tests.classroom import ASSIGNMENT
from tests.hub import commands, jupyterhub

WRITTEN = "explain-full-depth"
CODE_POINTS, ALL_POINTS = 24, 27

pytestmark = [pytest.mark.slow, pytest.mark.sandbox, pytest.mark.browser]


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    with jupyterhub(tmp_path_factory.mktemp("hub")) as found:
        found.start()
        yield found
        print("\n".join(found.story()))


@pytest.fixture
def pictures(tmp_path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def answers(hub):
    """Function that gives the answers of one of the demo's students, by grade_id."""
    root = Path(__file__).resolve().parents[2]
    solutions = {grade_id(cell): cell.source for cell in source_notebook(root, ASSIGNMENT).cells
                 if is_answer(cell)}
    everybody = people.answers(solutions, solutions)
    return lambda student: everybody[student]


class Clock:
    """Says how long each step took."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    def __call__(self, step: str) -> None:
        now = time.monotonic()
        print(f"{step}: {now - self._since:.1f} s")
        self._since = now


def test_a_round_from_release_to_feedback_that_names_the_mistake(hub, browser, answers, pictures, root):
    clock = Clock()
    instructor = Instructor(browser, hub, "instructor", pictures)
    ada, chen = (Student(browser, hub, name, pictures) for name in ("ada", "chen"))
    for line in commands("course release"):  # as the instructor does it in a terminal
        subprocess.run([Path(sys.executable).parent / shlex.split(line)[0], *shlex.split(hub.translate(line))[1:]],
                       cwd=root, check=True)
    clock("course release, while servers start")
    for desk in (instructor, ada, chen):
        desk.sit_down()
    clock("JupyterLab for three")
    instructor.open_formgrader()
    assert "Successfully released" in instructor.press("release", ASSIGNMENT)
    clock("release")

    for student in (ada, chen):
        student.fetch(ASSIGNMENT)
        student.open(ASSIGNMENT)
    clock("fetch and open")
    right, wrong = answers("boris"), answers("chen")
    for name, source in right.items():
        if name == WRITTEN:
            ada.write_text("YOUR ANSWER HERE", source)
        else:
            ada.write(f"def {name}(", source)
    chen.write("def conv2d_forward(", wrong["conv2d_forward"])
    clock("write")
    for student in (ada, chen):
        student.picture("written")
        for cell in ("import numpy as np", "from autograder import", "def conv2d_forward("):
            student.run(cell)
    assert "all 20 cases pass" in ada.run('check("conv2d_forward"').inner_text()
    assert "flipped kernel" in chen.run('check("conv2d_forward"').inner_text()
    chen.picture("check")
    clock("run the check")
    for student in (ada, chen):
        student.save()
    said = chen.validate()
    assert 'check("conv2d_forward"' in said
    assert "YOUR ANSWER HERE" in said
    assert "did not provide a response" in said
    clock("validate")
    for student in (ada, chen):
        student.submit(ASSIGNMENT)
        student.picture("submitted")
    clock("submit")

    assert "Successfully collected" in instructor.press("collect", ASSIGNMENT)
    instructor.go("2")  # the number of submissions
    for student in ("ada", "chen"):
        assert "Successfully autograded" in instructor.press("autograde", student)
    assert f"{CODE_POINTS} / {ALL_POINTS}" in instructor.text("ada")
    assert f"0 / {ALL_POINTS}" in instructor.text("chen")
    clock("collect and autograde")
    instructor.go("Manual Grading", ASSIGNMENT, ASSIGNMENT)
    instructor.mark(f"{CODE_POINTS} / {ALL_POINTS}", WRITTEN, "2.5", "What about the bias?")
    assert f"{CODE_POINTS + 2.5} / {ALL_POINTS}" in instructor.text("2.5 / 3")
    instructor.go("Manage Assignments")
    assert "Successfully generated" in instructor.press("generate-feedback", ASSIGNMENT)
    assert "Successfully released" in instructor.press("release-feedback", ASSIGNMENT)
    clock("mark by hand, feedback")

    page = chen.fetch_feedback(ASSIGNMENT)
    mistake = page.locator("blockquote", has_text="flipped kernel")
    mistake.scroll_into_view_if_needed()
    chen.picture("feedback")
    explanation, = (known.explanation for known in find("conv2d_forward").misconceptions
                    if known.name == "flipped kernel")
    assert explanation in mistake.inner_text()
    page = ada.fetch_feedback(ASSIGNMENT)
    assert "What about the bias?" in page.locator("body").inner_text()
    ada.picture("feedback")
    clock("read feedback")


def test_students_servers_have_no_formgrader(hub, browser):
    ada = Student(browser, hub, "ada")
    ada.sit_down()
    ada.page.get_by_role("menubar").get_by_text("Nbgrader", exact=True).click()
    entries = ada.page.locator(".lm-Menu:visible .lm-Menu-itemLabel").all_inner_texts()
    assert [entry for entry in entries if entry] == ["Assignment List"]
    answer = ada.page.goto(f"{hub.server_url('ada')}/formgrader/manage_assignments")
    assert answer.status == 404
