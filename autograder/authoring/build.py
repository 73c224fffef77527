"""From the one text source of an assignment to the notebooks made of it."""

from __future__ import annotations

import io
import logging
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from autograder.assignment import prose
from autograder.assignment.cells import exercise_of
from autograder.assignment.folders import release_folder
from autograder.configuration import configure
from autograder.errors import AutograderError, BuildError
from autograder.exercises.contents import find
from cnncourse import language as languages

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def assignments(root: Path) -> tuple[str, ...]:
    """Names of the assignments whose source lies in solutions/.

    Raises
    ------
    BuildError
        If there is no such folder, or nothing in it.
    """
    names = tuple(sorted(path.stem for path in (root / "solutions").glob("*.md")))
    if not names:
        raise BuildError(f"{root / 'solutions'} holds no assignment: run this in a checkout of the course")
    return names


def source_notebook(root: Path, assignment: str, language: str = "en") -> NotebookNode:
    """The notebook with solutions, as nbgrader wants it: stable cell ids, no outputs.

    Parameters
    ----------
    root : Path
        The checkout.
    assignment : str
    language : str, optional
        Of the prose and the messages, see `cnncourse.language`.

    Raises
    ------
    BuildError
        If the source is missing, two cells share a name, or a check cell contradicts its exercise.
    """
    from autograder.authoring.build import check_cells_agree

    path = root / "solutions" / f"{assignment}.md"
    if not path.is_file():
        raise BuildError(f"There is no {path}. Assignments: {', '.join(assignments(root))}")
    notebook = jupytext.read(path)
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    seen: set[str] = set()
    for position, cell in enumerate(notebook.cells):
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        cell.id = re.sub(r"[^\w-]", "-", name)[:64] or f"cell-{position:03d}"
        if cell.id in seen:
            raise BuildError(f"{path}: two cells are called {cell.id}")
        seen.add(cell.id)
    try:
        check_cells_agree(notebook)
    except AutograderError as error:
        raise BuildError(f"{path}: {error}") from error
    if language != "en":
        translation = prose.catalogue_path(root, assignment, language)
        prose.translate(notebook, languages.read(translation) if translation.is_file() else {}, language)
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
        The checkout.
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


def check_cells_agree(nb: NotebookNode) -> None:
    """Hold a notebook's check cells against the declared exercises.

    Raises
    ------
    AutograderError
        If a check cell names no exercise, or points differ.
    """
    for cell in nb.cells:
        if name := exercise_of(cell):
            points = find(name).points
            if float(cell.metadata.nbgrader.points) != points:
                raise AutograderError(f"check-{name} gives {cell.metadata.nbgrader.points} points, "
                                      f"the exercise is worth {points:g}")
