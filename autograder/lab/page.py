"""What the course's start page says: how far a student is, what comes next, and links to the notebooks.

The page is a tab of JupyterLab, filled by a small extension of the server (`autograder.lab.server`) and one file of
JavaScript without a build step (labextensions/cnncourse-start). A Markdown or HTML file in the student's folder would
have been less, but JupyterLab does not notice when an open file changes on the disk, so that after the first check it
would have said what is no longer true; a notebook would have needed a kernel to say anything at all. Should a later
JupyterLab refuse the extension, it opens with its launcher and the list of files, and nothing else is lost.

What there is to do is read from the student's own notebooks, not from the exercises' declarations, whose import takes
a second and more: they know their title, their checks and what each is worth.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from autograder.assignment.cells import exercise_of, grading, is_answer, source_of
from autograder.assignment.folders import language_folder
from autograder.checking.progress import ExerciseProgress, by_exercise
from cnncourse.language import current, mark, say

TITLE = mark("Convolutional networks")


@dataclass(frozen=True)
class Task:
    """An exercise as a notebook has it.

    Parameters
    ----------
    exercise : str
    points : float
    cell : str
        Id of the cell in which the answer is written; empty if there is none.
    """

    exercise: str
    points: float
    cell: str = ""


@dataclass(frozen=True)
class Chapter:
    """A notebook of the course.

    Parameters
    ----------
    path : str
        Relative to the student's folder, with slashes.
    title : str
    tasks : tuple of Task
    """

    path: str
    title: str
    tasks: tuple[Task, ...]

    @property
    def name(self) -> str:
        """The assignment's name: 01-local-connectivity."""
        return Path(self.path).stem


@dataclass(frozen=True)
class Step:
    """What to do next, and where."""

    chapter: Chapter
    task: Task
    first: bool

    @property
    def text(self) -> str:
        """A sentence to click on."""
        values = {"exercise": self.task.exercise, "notebook": self.chapter.name}
        return say("Begin with {exercise} in {notebook}", **values) if self.first else say(
            "Go on with {exercise} in {notebook}", **values)


def chapters(folder: Path, language: str) -> list[Chapter]:
    """The notebooks of a language in a student's folder, in the order of the course; others are left out.

    Parameters
    ----------
    folder : Path
        As for `autograder.lab.workspace.prepare`.
    language : str
    """
    found = []
    for path in sorted(language_folder(folder, language).glob("*/*.ipynb")):
        if path.stem != path.parent.name:
            continue
        try:
            stamp = path.stat()
            chapter = _chapter(path, path.relative_to(folder).as_posix(), stamp.st_mtime_ns, stamp.st_size)
        except OSError:
            continue
        if chapter.tasks:
            found.append(chapter)
    return found


def next_step(course: Sequence[Chapter], known: dict[str, ExerciseProgress]) -> Step | None:
    """The first exercise that is not done, beginning with the one that was checked last; None if all are done."""
    tasks = [(chapter, task) for chapter in course for task in chapter.tasks]
    last = max(range(len(tasks)), key=lambda at: _progress_of(known, tasks[at][1]).when, default=0)
    first = all(_progress_of(known, task).tries == 0 for _, task in tasks)
    return next((Step(chapter, task, first) for chapter, task in tasks[last:] + tasks[:last]
                 if not _progress_of(known, task).done), None)


def page(folder: Path, base_url: str = "/") -> str:
    """The page for a student's folder, in the language that is spoken.

    Parameters
    ----------
    folder : Path
    base_url : str, optional
        Of the Jupyter server, for links that are opened in a window of their own.

    Returns
    -------
    str
        HTML without scripts, to be put into a page; colors follow JupyterLab's theme.
    """
    from autograder.showing.templating import template

    language = current()
    course = chapters(folder, language)
    known = by_exercise()
    rows = [_row(chapter, known) for chapter in course]
    return template("start.html.j2").render(
        title=say(TITLE), language=language.replace("_", "-"), rows=rows, step=next_step(course, known),
        earned=sum(row["earned"] for row in rows), possible=sum(row["possible"] for row in rows),
        address=lambda chapter: f"{base_url}lab/tree/{quote(chapter.path)}")


def _row(chapter: Chapter, known: dict[str, ExerciseProgress]) -> dict[str, Any]:
    tasks = [(task, _progress_of(known, task)) for task in chapter.tasks]
    return {"chapter": chapter, "tasks": tasks, "done": sum(own.done for _, own in tasks),
            "earned": sum(task.points * own.score for task, own in tasks),
            "possible": sum(task.points for task, _ in tasks)}


def _progress_of(known: dict[str, ExerciseProgress], task: Task) -> ExerciseProgress:
    return known.get(task.exercise, ExerciseProgress())


@lru_cache(maxsize=64)
def _chapter(path: Path, name: str, changed: int, size: int) -> Chapter:
    """A notebook, read again only after it was saved; without tasks if it cannot be understood."""
    try:
        cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if isinstance(cell, dict)]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return Chapter(name, path.stem, ())
    lines = (line for cell in cells if cell.get("cell_type") == "markdown"
             for line in source_of(cell).splitlines())
    title = next((line[2:].strip() for line in lines if line.startswith("# ")), "")
    return Chapter(name, title or path.stem, tuple(_tasks(cells)))


def _tasks(cells: Sequence[dict[str, Any]]) -> Iterator[Task]:
    """Exercises by their check cells; each is answered in the cells since the one before."""
    answer = ""
    for cell in cells:
        own = grading(cell)
        points = own.get("points")
        if (name := exercise_of(cell)) and isinstance(points, int | float):
            yield Task(name, points, answer)
            answer = ""
        elif is_answer(cell) and not own.get("grade") and not answer:
            answer = str(cell.get("id", ""))
