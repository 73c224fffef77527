"""Feedback pages again, with the marks that are in the gradebook now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import nbformat

from autograder.classroom.course import Course
from autograder.classroom.marking import NotebookMarks
from autograder.cohort.batch import shown
from autograder.cohort.guards import in_words
from autograder.cohort.pages import Pages
from autograder.cohort.writer import GradebookWriter

AT_ONCE = 100


def write_feedback(course: Course, assignment: str, students: Sequence[str] | None = None) -> Iterator[tuple[str, str]]:
    """Write feedback pages from the autograded notebooks and the gradebook, after hand marking for instance.

    Parameters
    ----------
    course : Course
    assignment : str
    students : sequence of str, optional
        By default everybody who handed in.

    Yields
    ------
    tuple of (str, str)
        A student, and why there is no page; an empty text if there is one.

    Raises
    ------
    AutograderError
        If the assignment is not in the gradebook, or the gradebook cannot be read.
    """
    names = list(students if students is not None else course.submitted(assignment))
    pages = Pages(course)
    with in_words(), course.gradebook() as gradebook:
        writer = GradebookWriter(gradebook, assignment)
        for start in range(0, len(names), AT_ONCE):
            part = names[start : start + AT_ONCE]
            standings = writer.standings(part)
            for student in part:
                problem = "" if student in standings else "It is not graded yet."
                for name, most in writer.notebooks.items() if student in standings else ():
                    standing = standings[student]
                    marks = NotebookMarks(
                        {cell: (points, False) for cell, points in standing.automatic.get(name, {}).items()},
                        standing.automatic_comments.get(name, {}), standing.penalties.get(name))
                    source = course.autograded_folder(student, assignment) / f"{name}.ipynb"
                    try:
                        pages.write(nbformat.read(source, as_version=4), shown(marks, standing, name, most),
                                    course.feedback_folder(student, assignment) / f"{name}.html", source)
                    except (OSError, ValueError) as error:
                        problem = ("It is not graded yet." if isinstance(error, FileNotFoundError)
                                   else f"The page could not be written: {error}")
                yield student, problem
