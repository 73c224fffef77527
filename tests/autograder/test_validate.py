"""nbgrader's Validate: what a student is told before handing in."""

from __future__ import annotations

import json

import pytest
from nbgrader.validator import Validator

from autograder.assignment.cells import grade_id, is_answer
from autograder.authoring.build import source_notebook
from autograder.demo import people
from tests.classroom import ASSIGNMENT

SETUP = "import numpy as np\nfrom autograder import check"
EXERCISES = ("zero_pad", "conv2d_forward")


@pytest.fixture
def validated(root, tmp_path):
    """Function that validates a notebook with two exercises; the sources of the cells that failed."""
    notebook = source_notebook(root, ASSIGNMENT)
    solutions = {grade_id(cell): cell.source for cell in notebook.cells if is_answer(cell)}
    names = [f"{prefix}{name}" for name in EXERCISES for prefix in ("", "check-")]
    first = next(cell for cell in notebook.cells if cell.source.startswith("import numpy"))
    first.source = SETUP
    notebook.cells = [first, *(cell for cell in notebook.cells if grade_id(cell) in names)]

    def run(student):
        answers = people.answers(solutions, solutions)[student]
        for cell in notebook.cells:
            if is_answer(cell):
                cell.source = answers[grade_id(cell)]
        path = tmp_path / f"{ASSIGNMENT}.ipynb"
        path.write_text(json.dumps(notebook))
        return [cell["source"] for cell in Validator().validate(str(path)).get("failed", [])]

    return run


@pytest.mark.slow
def test_right_answers_pass(validated):
    assert validated("boris") == []


def test_a_wrong_answer_fails_in_the_cell_of_its_check(validated):
    assert validated("chen") == ['check("conv2d_forward", conv2d_forward)']
