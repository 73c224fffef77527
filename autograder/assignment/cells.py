"""Which cell of a notebook is what: decided here only."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_solution

CHECK_PREFIX = "check-"
"""What the grade_id of an exercise's check cell begins with; the rest is the exercise."""


def grade_id(cell: Any) -> str:
    """nbgrader's name of a cell; empty if it has none, or none that makes sense."""
    metadata = cell.get("metadata") if isinstance(cell, dict) else None
    own = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    name = own.get("grade_id") if isinstance(own, dict) else None
    return name if isinstance(name, str) else ""


def is_answer(cell: Any) -> bool:
    """Whether a cell of the instructor's notebook is one that students write."""
    return bool(grade_id(cell)) and bool(cell.metadata.nbgrader.get("solution"))


def exercise_of(cell: NotebookNode) -> str:
    """Name of the exercise that a check cell is for; empty for any other cell."""
    name = grade_id(cell)
    if is_grade(cell) and not is_solution(cell) and name.startswith(CHECK_PREFIX):
        return name.removeprefix(CHECK_PREFIX)
    return ""
