"""Which cell of a notebook is what: decided here only.

A cell may be a stranger's and of any quality: what makes no sense is as if it were not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CHECK_PREFIX = "check-"
"""What the grade_id of an exercise's check cell begins with; the rest is the exercise."""


HANDING_IN = "handing-in"
"""Tag of cells for those who hand in; readers of the book do without."""


ANYWHERE = "# Makes this notebook run anywhere"
"""What the cell begins with that installs the course where it is missing; nobody's work is in it."""


INSTALLED = "\ninstall_the_course()"
"""What that cell ends with, in every release."""


def own_part(source: str) -> str:
    """Text of a cell without what installs the course above it; what a student writes below is the student's."""
    return source.rpartition(INSTALLED)[2] if source.startswith(ANYWHERE) and INSTALLED in source else source


def is_for_handing_in(cell: Any) -> bool:
    """Whether a cell of ours is only for those who hand in."""
    return HANDING_IN in cell["metadata"].get("tags", ())


def grading(cell: Any) -> Mapping[str, Any]:
    """nbgrader's part of a cell's metadata; empty if there is none."""
    metadata = cell.get("metadata") if isinstance(cell, dict) else None
    own = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return own if isinstance(own, dict) else {}


def grade_id(cell: Any) -> str:
    """nbgrader's name of a cell; empty if it has none."""
    name = grading(cell).get("grade_id")
    return name if isinstance(name, str) else ""


def is_answer(cell: Any) -> bool:
    """Whether a cell of the instructor's notebook is one that students write."""
    return bool(grade_id(cell)) and bool(grading(cell).get("solution"))


def exercise_of(cell: Any) -> str:
    """Name of the exercise that a check cell is for; empty for any other cell."""
    name, own = grade_id(cell), grading(cell)
    return name.removeprefix(CHECK_PREFIX) if (
        own.get("grade") and not own.get("solution") and name.startswith(CHECK_PREFIX)) else ""


def source_of(cell: Any) -> str:
    """Text of a cell, which a file may keep in lines."""
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(part for part in source if isinstance(part, str)) if (
        isinstance(source, list)) else ""
