"""Assignments with test cells of nbgrader's own kind: run in the sandbox, with the marks that nbgrader gives."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from autograder.classroom.course import Course
from autograder.cohort import forgeable, grade
from autograder.configuration import configure
from autograder.errors import AutograderError
from autograder.report.write import write_report
from tests.effort import rest_slow

pytestmark = pytest.mark.sandbox
NAME = "statistics"
CONFIGURATION = "from autograder.configuration import configure\n\nconfigure(get_config())\n"


def cell(source: str, name: str, **own) -> nbformat.NotebookNode:
    settings = {"grade": False, "grade_id": name, "locked": True, "schema_version": 3, "solution": False, "task": False}
    return new_code_cell(source, id=name, metadata={"nbgrader": {**settings, "cell_type": "code", **own}})


def assignment() -> nbformat.NotebookNode:
    """Given data, two answers, tests in the open, hidden, with helpers, and with a number for their points."""
    return new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
                        cells=[
        new_markdown_cell("# Means"),
        cell("import numpy as np\ndata = np.array([3.0, 1.0, 2.0])", "given-data"),
        cell("def mean(x):\n    ### BEGIN SOLUTION\n    return sum(x) / len(x)\n    ### END SOLUTION", "mean",
             solution=True, locked=False),
        cell("close = lambda a, b: abs(a - b) < 1e-9\nassert close(mean(data), 2)", "test-mean", grade=True, points=2),
        cell("assert close(mean([4]), 4)\n### BEGIN HIDDEN TESTS\nassert mean([1, 2]) == 1.5\n### END HIDDEN TESTS",
             "test-mean-hidden", grade=True, points=3),
        cell("def middle(x):\n    ### BEGIN SOLUTION\n    return sorted(x)[len(x) // 2]\n    ### END SOLUTION",
             "middle", solution=True, locked=False),
        cell("score = 0\nif middle([3, 1, 2]) == 2:\n    score += 1.5\nif middle([1]) == 1:\n    score += 2.5\nscore",
             "test-middle", grade=True, points=4),
    ])


MEANS = ("return sum(x) / len(x)", "return sum(x) // len(x)", "return scale * sum(x) / len(x)", "return 2", "1 / 0",
         "return np.mean(x)", "raise NotImplementedError()")
MIDDLES = ("return sorted(x)[len(x) // 2]", "return x[len(x) // 2]", "return 1", "return mean(x)", "pass")


@pytest.fixture
def course(tmp_path) -> Course:
    make(tmp_path / "course", CONFIGURATION, configure(Config()))
    return Course(tmp_path / "course")


def make(folder: Path, configuration: str, config: Config) -> None:
    (folder / "source" / NAME).mkdir(parents=True)
    (folder / "nbgrader_config.py").write_text(configuration)
    nbformat.write(assignment(), folder / "source" / NAME / f"{NAME}.ipynb")
    config.CourseDirectory.root = str(folder)
    assert NbGraderAPI(coursedir=CourseDirectory(config=config), config=config).generate_assignment(NAME)["success"]


def hand_in(folder: Path, student: str, mean: str, middle: str, extra: str = "", **changed: str) -> None:
    notebook = nbformat.read(folder / "release" / NAME / f"{NAME}.ipynb", as_version=4)
    sources = {"mean": f"def mean(x):\n    {mean}", "middle": f"def middle(x):\n    {middle}", **changed}
    for one in notebook.cells:
        name = one.metadata.get("nbgrader", {}).get("grade_id", "").replace("-", "_")
        one.source = sources.get(name, one.source)
    if extra:
        notebook.cells.insert(2, new_code_cell(extra))
    path = folder / "submitted" / student / NAME / f"{NAME}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", rest_slow(range(2)))
def test_honest_notebooks_get_what_nbgrader_gives(seed, course, tmp_path):
    rng = Random(seed)
    plain = tmp_path / "plain"
    make(plain, "c = get_config()\n", Config())
    for number in range(6):
        mean, middle = rng.choice(MEANS), rng.choice(MIDDLES)
        for folder in (course.root, plain):
            hand_in(folder, f"s{number}", mean, middle, "scale = 1")
    config = Config()
    config.CourseDirectory.root = str(plain)
    api = NbGraderAPI(coursedir=CourseDirectory(config=config), config=config)
    for number in range(6):
        assert api.autograde(NAME, f"s{number}")["success"]
    with Gradebook(f"sqlite:///{plain / 'gradebook.db'}") as gradebook:
        expected = {one.student.id: one.score for one in gradebook.assignment_submissions(NAME)}
    assert {one.student: one.score for one in grade(course, NAME)} == expected


def test_tests_give_points_and_the_report_has_a_column_for_each(course):
    hand_in(course.root, "right", MEANS[0], MIDDLES[0])
    hand_in(course.root, "own", MEANS[2], MIDDLES[0], "scale = 1")
    hand_in(course.root, "hidden", MEANS[1], MIDDLES[1])
    hand_in(course.root, "stub", MEANS[-1], "raise NotImplementedError")
    hand_in(course.root, "cheat", "return 0", "return 0", test_mean="assert True", test_middle="4",
            given_data="import numpy as np\ndata = np.zeros(3)")
    done = {one.student: one for one in grade(course, NAME)}
    assert {student: one.score for student, one in done.items()} == {
        "right": 9, "own": 9, "hidden": 2 + 2.5, "stub": 0, "cheat": 0}
    assert "AssertionError" in done["hidden"].verdicts["test-mean-hidden"].message
    assert done["stub"].verdicts["test-mean"].not_written
    page = (course.feedback_folder("hidden", NAME) / f"{NAME}.html").read_text()
    assert "This test gives 62% of its points" in page and "BEGIN HIDDEN" not in page and "mean([1, 2])" not in page
    write_report(course, NAME)
    rows = (course.root / "report" / NAME / "scores.csv").read_text().splitlines()
    assert rows[0].endswith("test-mean,test-mean-hidden,test-middle")
    assert next(row for row in rows if row.startswith("hidden,")).endswith("2.0,0.0,2.5")


def test_what_can_be_forged_is_named_and_can_be_refused(course):
    assert forgeable(course, NAME) == ["test-mean", "test-mean-hidden", "test-middle"]
    hand_in(course.root, "ada", MEANS[0], MIDDLES[0])
    config = course.root / "nbgrader_config.py"
    config.write_text(CONFIGURATION + "c = get_config()\nc.JudgeAnswers.test_cells = 'refuse'\n")
    with pytest.raises(AutograderError, match=r"refused here .* can forge them: test-mean"):
        list(grade(Course(course.root), NAME))


def test_a_module_that_the_sandbox_has_not_is_named_and_never_a_silent_zero(course):
    hand_in(course.root, "ada", "return pandas.Series(x).mean()", MIDDLES[0], "import pandas")
    (report,) = grade(course, NAME)
    assert report.score == 4
    assert any("No module named 'pandas'" in problem for problem in report.problems)


def test_nbgraders_own_command_gives_the_same(course, tmp_path):
    hand_in(course.root, "hidden", MEANS[1], MIDDLES[1])
    other = tmp_path / "other"
    shutil.copytree(course.root, other)
    (report,) = grade(course, NAME)
    config = Course(other).config
    api = NbGraderAPI(coursedir=CourseDirectory(config=config), config=config)
    assert api.autograde(NAME, "hidden")["success"]
    with Course(other).gradebook() as gradebook:
        assert gradebook.find_submission(NAME, "hidden").score == report.score == 4.5
