"""What a class gets: the student notebook, an installable wheel and the tested versions; no solutions, no secret."""

from __future__ import annotations

import tempfile
import zipfile
from importlib import metadata
from pathlib import Path

from autograder.authoring import build as building
from autograder.authoring.wheels import students_wheel
from autograder.classroom.course import Course
from autograder.syllabus import library

INSTRUCTIONS = """\
{assignment}

1. Install (Python {pythons}):
       python -m pip install --constraint constraints.txt "{wheel}[lab]"
   Where Jupyter is installed already, leave out [lab]; on Colab, Kaggle and the like also the constraint, so that
   nothing there is replaced:
       python -m pip install {wheel}
2. Open the notebook:
       jupyter lab {assignment}.ipynb
3. Write your answers, run the checks, save, run the last cell, which says what grading would give, and hand in
   {assignment}.ipynb.
"""


def release(
    course: Path, assignment: str, to: Path, language: str = "en", db_url: str | None = None
) -> list[Path]:
    """Enter an assignment into the course's gradebook and pack what students need.

    Parameters
    ----------
    course : Path
        The course's folder, with nbgrader_config.py.
    assignment : str
    to : Path
        Folder for the zip.
    language : str, optional
        See `cnncourse.language`.
    db_url : str, optional
        The gradebook's database; by default the course's own.

    Returns
    -------
    list of Path
        The student notebook and the zip.

    Raises
    ------
    BuildError
        If the notebook or the wheel cannot be made.
    """
    where = Course(course, db_url=db_url)
    notebook = enter(where, assignment, language)
    to.mkdir(parents=True, exist_ok=True)
    archive = to / f"{assignment}.zip"
    with tempfile.TemporaryDirectory(prefix="course-release-") as folder:
        wheel = students_wheel(Path(folder), where.syllabus, assignment, notebook.parents[1])
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as pack:
            pack.write(notebook, f"{assignment}/{assignment}.ipynb")
            pack.write(wheel, f"{assignment}/{wheel.name}")
            pack.write(library(course) / "constraints.txt", f"{assignment}/constraints.txt")
            pack.writestr(f"{assignment}/README.txt", INSTRUCTIONS.format(
                assignment=assignment, wheel=wheel.name, pythons=metadata.metadata("cnncourse")["Requires-Python"]))
    return [notebook, archive]


def enter(course: Course, assignment: str, language: str = "en") -> Path:
    """Build one assignment into a course's folder and its gradebook; the student notebook."""
    course.make_private()
    source, out = (Path(course.root, folder) for folder in
                   (course.directory.source_directory, course.directory.release_directory))
    building.build(course.texts, [assignment], source, out, language=language, database=course.directory.db_url)
    course.make_exchange()
    return out / assignment / f"{assignment}.ipynb"
