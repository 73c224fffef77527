"""A course directory for tests and benchmarks: release, hand in, grade."""

from __future__ import annotations

import copy
import json
import shutil
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Gradebook

from autograder import cohort
from autograder.assignment.cells import grade_id, is_answer
from autograder.authoring.build import source_notebook
from autograder.authoring.release import enter
from autograder.classroom.course import Course
from tests import shared

ASSIGNMENT = "01-local-connectivity"
CONFIGURATION = "from autograder.configuration import configure\n\nconfigure(get_config())\n"


class Classroom:
    """One course with assignment 01 released."""

    def __init__(self, root: Path, folder: Path, language: str = "en") -> None:
        def release(new: Path) -> None:
            new.mkdir()
            (new / "nbgrader_config.py").write_text(CONFIGURATION)
            enter(Course(new), ASSIGNMENT, language)

        made = shared.once(f"classroom-{language}-{zlib.crc32(bytes(root.resolve())):x}", release)
        shutil.copytree(made, folder, dirs_exist_ok=True)
        self.folder = folder
        self.released = folder / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
        self.stub = json.loads(self.released.read_text())
        self.solutions = {grade_id(cell): cell.source for cell in source_notebook(root, ASSIGNMENT).cells
                          if is_answer(cell)}

    @property
    def course(self) -> Course:
        """The course as its configuration file describes it."""
        return Course(self.folder)

    def path(self, step: str, student: str, suffix: str = ".ipynb") -> Path:
        """A notebook's file in one of nbgrader's folders."""
        return self.folder / step / student / ASSIGNMENT / f"{ASSIGNMENT}{suffix}"

    def solved(self, **changes: str) -> dict[str, Any]:
        """A notebook with the solutions, or other sources by grade_id (dashes written as underscores)."""
        notebook = copy.deepcopy(self.stub)
        sources = self.solutions | changes
        for cell in notebook["cells"]:
            name = grade_id(cell)
            if name in sources:
                cell["source"] = sources[name]
        return notebook

    def hand_in(
        self, student: str, content: bytes | Mapping[str, Any], files: Mapping[str, str] | None = None
    ) -> None:
        """Put a file, and perhaps others, into a student's folder of submissions."""
        path = self.path("submitted", student)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        for name, text in (files or {}).items():
            (path.parent / name).write_text(text)

    def grade(self, *students: str, **options: Any) -> dict[str, cohort.Report]:
        """Grade, by default everybody; reports by student."""
        return {report.student: report
                for report in cohort.grade(self.course, ASSIGNMENT, list(students) or None, **options)}

    def autograded(self, student: str) -> nbformat.NotebookNode:
        """The autograded notebook."""
        return nbformat.read(self.path("autograded", student), as_version=4)


def empty_gradebook(path: Path) -> str:
    """Put a gradebook with nothing in it into a file; its address."""
    def make(new: Path) -> None:
        new.mkdir()
        Gradebook(f"sqlite:///{new / 'gradebook.db'}").close()

    shutil.copyfile(shared.once("gradebook", make) / "gradebook.db", path)
    return f"sqlite:///{path}"


def edited(notebook: dict[str, Any], edit: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """A copy of a notebook after an edit."""
    changed = copy.deepcopy(notebook)
    edit(changed)
    return changed
