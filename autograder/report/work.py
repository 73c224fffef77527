"""What the course directory holds besides the reports: answers, names, feedback pages, the instructor's own cells."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nbgrader.api import Student

from autograder.assignment.cells import grade_id, is_answer, source_of
from autograder.classroom.course import Course
from autograder.classroom.verdicts import RECORD, SOURCES


@dataclass(frozen=True)
class Work:
    """What one student handed in, as it was graded.

    Attributes
    ----------
    answers : dict of str to str
        Sources of the code that was asked for, by name.
    seconds : float
        How long the answers ran; 0 if that is not known.
    """

    answers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


def read_work(folder: Path) -> Work:
    """Answers in the autograded notebooks of a folder; what cannot be read is left out.

    Parameters
    ----------
    folder : Path
        Need not be there.
    """
    answers: dict[str, str] = {}
    seconds = 0.0
    for path in sorted(folder.glob("*.ipynb")):
        try:
            notebook = json.loads(path.read_bytes())
            record = notebook["metadata"].get(RECORD, {})
            own = dict(_answers(notebook["cells"]))
            answers |= own | {name: source for name, source in record.get(SOURCES, {}).items() if name in own}
            seconds += float(record.get("seconds", 0.0))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue
    return Work(answers, seconds)


def instructors_answers(course: Course, assignment: str) -> dict[str, list[str]]:
    """Stubs and solutions, as far as their notebooks are there."""
    found: dict[str, list[str]] = {}
    for folder in (course.directory.release_directory, course.directory.source_directory):
        for name, source in read_work(course.step(folder, ".", assignment)).answers.items():
            found.setdefault(name, []).append(source)
    return found


def names_of(course: Course) -> dict[str, tuple[str, str]]:
    """First and last names by student, empty where the gradebook has none."""
    with course.gradebook() as gradebook:
        people = gradebook.db.query(Student.id, Student.first_name, Student.last_name)
        return {student: (first or "", last or "") for student, first, last in people}


def feedback_links(course: Course, assignment: str, students: list[str], start: Path) -> dict[str, str]:
    """Addresses of the feedback pages that are there, relative to the folder `start`."""
    with course.gradebook() as gradebook:
        notebooks = [notebook.name for notebook in gradebook.find_assignment(assignment).notebooks]
    links = {}
    for student in students:
        folder = course.step(course.directory.feedback_directory, student, assignment)
        for page in (folder / f"{name}.html" for name in notebooks):
            if page.is_file():
                # A folder's name may hold what means something in an address: # ? % and spaces.
                links[student] = quote(Path(os.path.relpath(page, start)).as_posix(), errors="surrogateescape")
                break
    return links


def _answers(cells: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for cell in cells:
        if cell["cell_type"] == "code" and is_answer(cell):
            yield grade_id(cell), source_of(cell)
