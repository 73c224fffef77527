"""The start page: what it says about a student's notebooks and their checks."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from autograder import check, hint
from autograder.authoring.build import assignments
from autograder.checking.progress import ExerciseProgress, by_exercise
from autograder.exercises.contents import every, find
from autograder.lab import workspace
from autograder.lab.page import chapters, next_step, page
from cnncourse import language
from tests.classroom import ASSIGNMENT
from tests.conftest import ROOT

MISCONCEPTION = "flipped kernel"


@pytest.fixture
def folder(tmp_path):
    """A student's folder with every notebook."""
    workspace.prepare(ROOT, tmp_path / "work")
    return tmp_path / "work"


def answer(name, mistake=None):
    """Check the reference, or one of the known mistakes."""
    exercise = find(name)
    functions = exercise.references | {one.answer: one.wrong for one in exercise.misconceptions if one.name == mistake}
    check(name, *(functions[one] for one in exercise.answers))


def words(html):
    """What a page says, without its tags."""
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL).split())


def test_the_notebooks_have_the_exercises_and_points_of_the_declarations(folder):
    read = {chapter.name: {task.exercise: task.points for task in chapter.tasks} for chapter in chapters(folder, "en")}
    assert list(read) == list(assignments(ROOT))
    for notebook, tasks in read.items():
        assert tasks == {exercise.name: exercise.points for exercise in every(notebook)}


def test_every_exercise_links_to_the_cell_of_its_answer(folder):
    for chapter in chapters(folder, "en"):
        notebook = json.loads((folder / chapter.path).read_text())
        cells = {cell["id"]: "".join(cell["source"]) for cell in notebook["cells"]}
        for task in chapter.tasks:
            assert "raise NotImplementedError" in cells[task.cell]
            assert any(f"def {name}(" in cells[task.cell] for name in find(task.exercise).answers)


def test_it_begins_with_the_first_exercise_and_goes_on_where_the_student_was(folder):
    assert f"Begin with output_size in {ASSIGNMENT}" in page(folder)
    answer("conv2d_forward", MISCONCEPTION)
    assert f"Go on with conv2d_forward in {ASSIGNMENT}" in page(folder)
    answer("conv2d_forward")
    assert f"Go on with conv2d_matmul in {ASSIGNMENT}" in page(folder)
    answer("settings_that_fit")
    last_of_first = next_step(chapters(folder, "en"), by_exercise())
    assert last_of_first.chapter.name == "02-parameter-sharing"


def test_after_the_last_exercise_it_comes_back_to_those_left_out_and_ends_when_all_pass(folder):
    course = chapters(folder, "en")
    known = {task.exercise: ExerciseProgress(1, 1.0, when=number) for number, task in enumerate(
        (task for chapter in course for task in chapter.tasks), start=1)}
    assert next_step(course, known) is None
    del known["zero_pad"]
    assert next_step(course, known).task.exercise == "zero_pad"


def test_it_says_points_states_and_the_last_mistake(folder):
    answer("zero_pad")
    answer("conv2d_forward", MISCONCEPTION)
    said = words(page(folder))
    cases = len(find("conv2d_forward").cases())
    assert "zero_pad ✓ passed, tried 1 time 2 of 2" in said
    assert re.search(rf"conv2d_forward ✗ \d+ of {cases} cases, tried 1 time [\d.]+ of 5 {MISCONCEPTION}", said)
    assert "output_size · not started 0 of 2" in said
    assert f"1 of 8 exercises of {ASSIGNMENT}" in said


def test_hints_alone_are_no_try(folder):
    hint("conv2d_forward")
    assert "conv2d_forward · not started" in words(page(folder))
    assert by_exercise()["conv2d_forward"].hints == 1


def test_another_language_links_to_its_own_notebooks(tmp_path):
    workspace.prepare(ROOT, tmp_path, "zh_CN")
    with language.speaking("zh"):
        html = page(tmp_path, "/user/ada/")
    assert f'href="/user/ada/lab/tree/zh_CN/{ASSIGNMENT}/{ASSIGNMENT}.ipynb"' in html
    assert 'lang="zh-CN"' in html and "一个神经元看到什么" in html


@pytest.mark.parametrize("text", ["", "[]", '{"cells": 3}', '{"cells": [1, {"metadata": [], "source": 4}]}',
                                  "[" * 10**5])
def test_a_notebook_that_cannot_be_read_is_left_out(folder, text):
    (folder / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").write_text(text)
    assert [chapter.name for chapter in chapters(folder, "en")] == list(assignments(ROOT))[1:]


def test_a_saved_notebook_is_read_again_and_foreign_ones_are_not_shown(folder):
    path = folder / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    shutil.copyfile(path, path.with_name("scratch.ipynb"))
    before = chapters(folder, "en")[0]
    notebook = json.loads(path.read_text())
    notebook["cells"][0]["source"] = "# <b>Mine</b>"
    path.write_text(json.dumps(notebook))
    assert chapters(folder, "en")[0].title == "<b>Mine</b>" != before.title
    assert "<b>Mine</b>" not in page(folder) and "Mine" in page(folder)


def test_an_empty_folder_is_no_error(tmp_path):
    assert "There are no notebooks of the course in this folder." in page(tmp_path)


@pytest.mark.parametrize("kept", ["[]", '{"zero_pad": 3}',
                                  '{"zero_pad": {"score": "all", "tries": NaN, "mistake": 1}}'])
def test_progress_that_makes_no_sense_counts_as_none(folder, tmp_path, kept):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "progress.json").write_text(kept)
    assert "zero_pad · not started 0 of 2" in words(page(folder))
