"""From the one text source of an assignment to the notebooks made of it."""

from __future__ import annotations

import io
import logging
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.assignment import prose
from autograder.assignment.cells import exercise_of, grade_id
from autograder.assignment.folders import release_folder
from autograder.authoring.composing import composed, first_cell, last_section, retitle, text_path, translations
from autograder.configuration import configure
from autograder.errors import BuildError
from autograder.exercises.contents import find, teaching
from autograder.syllabus import FILE, Syllabus
from cnncourse.language import speaking

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def assignments(root: Path) -> tuple[str, ...]:
    """Names of the assignments of a course, in its order.

    Parameters
    ----------
    root : Path
        The course's folder.

    Raises
    ------
    SyllabusError
        If its course.toml is wrong.
    BuildError
        If it has none.
    """
    names = tuple(plan.name for plan in Syllabus.read(root).plans)
    if not names:
        raise BuildError(f"{root / FILE} has no assignment yet. One begins with a line [[assignments]].")
    return names


def source_notebook(root: Path, assignment: str, language: str = "en") -> NotebookNode:
    """The notebook with solutions, as nbgrader wants it: stable cell ids, no outputs.

    Parameters
    ----------
    root : Path
        The course's folder.
    assignment : str
    language : str, optional
        Of the prose and the messages, see `cnncourse.language`.

    Raises
    ------
    BuildError
        If the source is missing, two cells share a name, or a check cell is for no exercise.
    SyllabusError
        If the course has no such assignment.
    """
    course = Syllabus.read(root)
    with teaching(course):
        notebook = composed(root, assignment)
        notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
        if language != "en":
            prose.translate(notebook, translations(root, assignment, language), language)
        with speaking(language):
            notebook.cells[1:1] = [first_cell(course.addresses.get("wheel", ""))]
            notebook.cells += last_section()
            retitle(notebook, [find(name) for cell in notebook.cells if (name := exercise_of(cell))])
        seen: set[str] = set()
        for position, cell in enumerate(notebook.cells):
            name = grade_id(cell)
            cell.id = re.sub(r"[^\w-]", "-", name)[:64] or f"cell-{position:03d}"
            if cell.id in seen:
                raise BuildError(f"{text_path(course, course.plan(assignment))}: two cells are called {cell.id}")
            seen.add(cell.id)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    nbformat.validate(notebook)
    return notebook


def build(
    root: Path, names: Iterable[str], source: Path, release: Path, *, language: str = "en",
    database: str | None = None, announce: Callable[[str], None] = lambda name: None,
) -> None:
    """Write source and student notebooks.

    Parameters
    ----------
    root : Path
        The course's folder.
    names : iterable of str
        Assignments.
    source, release : Path
        Where nbgrader's source notebooks and the student notebooks go; one folder an assignment in each.
    language : str, optional
        See `cnncourse.language`.
    database : str, optional
        URL of the gradebook in which to enter the assignment; by default none.
    announce : callable, optional
        Called with each name before it is built.

    Raises
    ------
    BuildError
        See `source_notebook`; also if a student notebook to be replaced holds somebody's answers.
    """
    for name in names:
        announce(name)
        _refuse_to_overwrite_work(release / name / f"{name}.ipynb")
        notebook = source_notebook(root, name, language)
        folder = source / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / f"{name}.ipynb")
        _generate(name, source, release, database)


def stale(root: Path, names: Iterable[str], language: str = "en") -> list[Path]:
    """Student notebooks of a language that are not what their source gives now, missing ones included."""
    committed = release_folder(root, language)
    with tempfile.TemporaryDirectory(prefix="course-build-") as folder:
        fresh = Path(folder)
        names = list(names)
        build(root, names, fresh / "source", fresh / "release", language=language)
        made = {path.relative_to(fresh / "release") for path in (fresh / "release").rglob("*.ipynb")}
        there = {path.relative_to(committed) for name in names
                 for path in (committed / name).rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts}
        return sorted(
            committed / path for path in made | there
            if path not in made or path not in there
            or (fresh / "release" / path).read_bytes() != (committed / path).read_bytes()
        )


def _refuse_to_overwrite_work(path: Path) -> None:
    """Raise if somebody has written answers into a student notebook that is about to be replaced."""
    from nbgrader.utils import compute_checksum, is_solution

    if not path.is_file():
        return
    try:
        cells = nbformat.read(path, as_version=4).cells
    except (ValueError, AttributeError, nbformat.reader.NotJSONError):
        raise BuildError(f"{path} is no notebook any more; move it away, then build again") from None
    for cell in cells:
        if is_solution(cell) and cell.metadata.nbgrader.get("checksum") != compute_checksum(cell):
            raise BuildError(f"{path} holds somebody's answers ({cell.metadata.nbgrader.grade_id}); move it to work/ "
                             "or delete it, then build again")


def _generate(name: str, source: Path, release: Path, database: str | None) -> None:
    """Run nbgrader's own generate_assignment from `source` to `release`."""
    from nbgrader.converters import GenerateAssignment
    from nbgrader.converters.base import NbGraderException
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    common = Path(*[a for a, b in zip(source.parts, release.parts, strict=False) if a == b])
    config = configure(Config(), source=str(source.relative_to(common)), release=str(release.relative_to(common)))
    config.CourseDirectory.root = str(common)
    config.CourseDirectory.assignment_id = name
    config.BaseConverter.force = True
    if database is None:
        config.SaveCells.enabled = False
        config.GenerateAssignment.no_database = True
    else:
        config.CourseDirectory.db_url = database
    converter = GenerateAssignment(coursedir=CourseDirectory(config=config), config=config)
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    log = converter.log
    kept, propagate = list(log.handlers), log.propagate
    log.handlers, log.propagate = [handler], False
    try:
        converter.start()
    except NbGraderException as error:
        raise BuildError(f"nbgrader could not make the student version of {name}:\n{said.getvalue()}") from error
    finally:
        log.handlers, log.propagate = kept, propagate
