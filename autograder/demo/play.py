"""The whole path with a made-up class: build, release, hand in, grade, feedback, results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
from rich.console import Console

from autograder.assignment.cells import grade_id, is_answer
from autograder.authoring.build import source_notebook
from autograder.authoring.release import enter
from autograder.classroom.course import Course
from autograder.demo import people
from autograder.errors import AutograderError

ASSIGNMENT = "01-local-connectivity"
HANDED_IN = "2026-10-09 17:30:00 UTC"
CONFIGURATION = '''\
"""nbgrader for the demo's class; made by `course demo`."""

from autograder.configuration import configure

configure(get_config(), course_id="demo")
'''


def run(folder: Path, console: Console, sandbox: str | None = None) -> None:
    """Play the class in `folder`; whatever is finished there already is not done again.

    Parameters
    ----------
    folder : Path
        Becomes a course directory of nbgrader.
    console : Console
        Where progress and tables go.
    sandbox : str, optional
        How submissions are isolated; see `isolation.choose`.

    Raises
    ------
    AutograderError
        If the folder holds something else.
    """
    from autograder.report.figure import class_figure
    from autograder.report.write import write_report
    from autograder.terminal import grade_with_progress, misconceptions, notes, scores

    _prepare(folder)
    course = Course(folder, sandbox=sandbox)
    console.print(f"building and releasing {ASSIGNMENT}")
    released = enter(course, ASSIGNMENT)
    students = hand_in(course, released)
    console.print(f"{len(students)} students hand in")
    reports = grade_with_progress(course, ASSIGNMENT)
    for table in (scores(reports), misconceptions(reports), notes(reports)):
        console.print(table)
    picture = folder / "class.png"
    class_figure(ASSIGNMENT, reports).savefig(picture)
    page = course.step(course.directory.feedback_directory, "chen", ASSIGNMENT) / f"{ASSIGNMENT}.html"
    summary = write_report(course, ASSIGNMENT, None, reports)[0]
    console.print(f"\nA picture of this:  {picture}\nA report on it:     {summary}\nA feedback page:    {page}\n"
                  "nbgrader's formgrader on the result:\n"
                  f"    python3 course.py lab --instructor --course {folder}", highlight=False, soft_wrap=True)


def hand_in(course: Course, released: Path) -> list[str]:
    """Write everybody's notebook into the course's folder of submissions; names of the students."""
    stubs = _answer_cells(nbformat.read(released, as_version=4))
    solutions = _answer_cells(source_notebook(course.texts, ASSIGNMENT))
    everybody = people.answers(solutions, stubs)
    for student, sources in everybody.items():
        notebook = json.loads(released.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            name = grade_id(cell)
            if name in sources:
                cell["source"] = sources[name]
        target = course.step(course.directory.submitted_directory, student, ASSIGNMENT) / f"{ASSIGNMENT}.ipynb"
        _write_if_new(target, json.dumps(notebook, indent=1) + "\n")
        _write_if_new(target.with_name("timestamp.txt"), f"{HANDED_IN}\n")
    with course.gradebook() as gradebook:
        for student, (first, last) in people.NAMES.items():
            gradebook.update_or_create_student(student, first_name=first, last_name=last)
    return list(everybody)


def _answer_cells(notebook: Any) -> dict[str, str]:
    return {grade_id(cell): cell.source for cell in notebook.cells if is_answer(cell)}


def _prepare(folder: Path) -> None:
    configuration = folder / "nbgrader_config.py"
    if configuration.is_file() and configuration.read_text(encoding="utf-8") == CONFIGURATION:
        return
    if folder.exists() and any(folder.iterdir()):
        raise AutograderError(f"{folder} holds something else; choose another folder with --folder")
    folder.mkdir(parents=True, exist_ok=True)
    configuration.write_text(CONFIGURATION, encoding="utf-8")


def _write_if_new(path: Path, text: str) -> None:
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
