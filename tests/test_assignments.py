"""The assignments as they are shipped: built, run with and without solutions, and up to date."""

from __future__ import annotations

import copy
import shutil
import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient

from autograder.assignment.cells import exercise_of, grade_id, is_answer
from autograder.assignment.folders import release_folder
from autograder.authoring import build as building
from autograder.errors import BuildError
from autograder.exercises.contents import every
from cnncourse import language
from tests.conftest import ROOT
from tests.effort import rest_slow

NAMES = building.assignments(ROOT)


def run(notebook: nbformat.NotebookNode, folder) -> nbformat.NotebookNode:
    """Run all cells in a kernel; an exception in any of them is an error here."""
    where = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources=where).execute()
    return notebook


def texts(notebook: nbformat.NotebookNode, kind: str) -> list[str]:
    """What cells printed, or displayed as plain text."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    if kind in ("stdout", "stderr"):
        return [output.text for output in outputs if output.output_type == "stream" and output.name == kind]
    return [output.data.get("text/plain", "") for output in outputs if "data" in output]


@pytest.mark.parametrize("name", rest_slow(NAMES))
def test_with_the_solutions_every_check_passes_and_nothing_warns(name, tmp_path):
    done = run(building.source_notebook(ROOT, name), tmp_path)
    assert texts(done, "stderr") == []
    reports = [text for text in texts(done, "display") if "cases" in text]
    passed = [exercise.name for exercise in every(name)
              if any(text.startswith(f"{exercise.name}: all ") for text in reports)]
    assert passed == [exercise.name for exercise in every(name)]


@pytest.mark.parametrize("name", rest_slow(reversed(NAMES)))
def test_without_solutions_every_check_says_not_yet_written_and_nothing_breaks(name, tmp_path):
    path = ROOT / "notebooks" / name / f"{name}.ipynb"
    done = run(nbformat.read(path, as_version=4), tmp_path)
    assert texts(done, "stderr") == []
    shown = texts(done, "display")
    assert [text for text in shown if "cases pass" in text] == []
    for exercise in every(name):
        assert f"{exercise.name}: not yet written." in shown


@pytest.mark.slow
def test_a_chinese_notebook_runs_and_its_checks_pass_in_chinese(tmp_path):
    name = "02-parameter-sharing"
    done = run(building.source_notebook(ROOT, name, "zh_CN"), tmp_path)
    assert texts(done, "stderr") == []
    passed = language.catalogue("zh_CN")["{exercise}: all {total} cases pass."].split("{total}")[0]
    shown = "\n".join(texts(done, "display"))
    assert [e.name for e in every(name) if passed.format(exercise=e.name) not in shown] == []


@pytest.mark.parametrize("spoken", language.LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_students_get_no_solution(name, spoken):
    source = building.source_notebook(ROOT, name, spoken)
    text = (release_folder(ROOT, spoken) / name / f"{name}.ipynb").read_text()
    student = {grade_id(cell): cell for cell in nbformat.reads(text, as_version=4).cells if grade_id(cell)}
    assert "SOLUTION" not in text
    for cell in source.cells:
        if is_answer(cell):
            assert student[grade_id(cell)].source != cell.source
            stub = "raise NotImplementedError" if cell.cell_type == "code" else "YOUR ANSWER HERE"
            assert stub in student[grade_id(cell)].source


@pytest.mark.parametrize("name", NAMES)
def test_every_exercise_of_the_notebook_has_its_answer_cells_and_one_check(name):
    cells = building.source_notebook(ROOT, name).cells
    answers = {grade_id(cell) for cell in cells if is_answer(cell) and cell.cell_type == "code"}
    assert [exercise_of(cell) for cell in cells if exercise_of(cell)] == [e.name for e in every(name)]
    assert answers == {answer for e in every(name) for answer in e.answers}
    assert any(is_answer(cell) and cell.cell_type == "markdown" for cell in cells)


def test_no_code_cell_is_longer_than_a_screen():
    for name in NAMES:
        for cell in building.source_notebook(ROOT, name).cells:
            if cell.cell_type == "code" and not is_answer(cell):
                assert len(cell.source.splitlines()) <= 25


def test_committed_notebooks_are_what_their_sources_give():
    ran = subprocess.run([sys.executable, "-m", "autograder.cli", "build", "--check"], capture_output=True, text=True,
                         check=False)
    assert ran.returncode == 0, ran.stdout


@pytest.fixture
def checkout(tmp_path):
    """A small copy of the checkout, to build in."""
    for folder in ("solutions", "notebooks"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def test_a_changed_source_and_a_missing_notebook_are_found_stale(checkout):
    source = checkout / "solutions" / f"{NAMES[0]}.md"
    notebook = checkout / "notebooks" / NAMES[0] / f"{NAMES[0]}.ipynb"
    assert building.stale(checkout, NAMES[:1]) == []
    source.write_text(source.read_text() + "\n\nOne more line.\n")
    assert building.stale(checkout, NAMES[:1]) == [notebook]
    notebook.unlink()
    assert building.stale(checkout, NAMES[:1]) == [notebook]


def test_building_refuses_to_overwrite_somebodys_answers(checkout):
    path = checkout / "notebooks" / NAMES[0] / f"{NAMES[0]}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    before = copy.deepcopy(notebook)
    next(cell for cell in notebook.cells if is_answer(cell)).source = "def output_size(*a): return 42"
    nbformat.write(notebook, path)
    with pytest.raises(BuildError, match="holds somebody's answers"):
        building.build(checkout, NAMES[:1], checkout / "build", checkout / "notebooks")
    assert "return 42" in path.read_text()
    nbformat.write(before, path)
    building.build(checkout, NAMES[:1], checkout / "build", checkout / "notebooks")


@pytest.mark.parametrize("change, complaint", [
    (lambda text: text.replace("points: 2", "points: 7", 1), "gives 7 points, the exercise is worth 2"),
    (lambda text: text.replace("grade_id: zero_pad", "grade_id: output_size"), "two cells are called output_size"),
    (lambda text: text.replace("check-zero_pad", "check-zero_padd"), "no exercise called 'zero_padd'"),
])
def test_a_source_that_contradicts_its_exercises_is_refused(change, complaint, checkout):
    source = checkout / "solutions" / f"{NAMES[0]}.md"
    changed = change(source.read_text())
    assert changed != source.read_text()
    source.write_text(changed)
    with pytest.raises(BuildError, match=complaint):
        building.source_notebook(checkout, NAMES[0])
