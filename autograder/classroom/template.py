"""The instructor's own notebook: what students were given, and what is graded against."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.converters.base import NbGraderException


def instructors_notebook(coursedir: Any, assignment: str, notebook: str) -> NotebookNode:
    """The notebook that students were given: the release version, or else the source version.

    Raises
    ------
    NbGraderException
        If neither is there.
    """
    path = instructors_path(coursedir, assignment, notebook)
    return _read_once(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=16)
def _read_once(path: Path, modified: int) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def instructors_path(coursedir: Any, assignment: str, notebook: str) -> Path:
    """File of the notebook that students were given.

    Raises
    ------
    NbGraderException
        If there is neither a release nor a source version.
    """
    for folder in (coursedir.release_directory, coursedir.source_directory):
        path = Path(coursedir.format_path(folder, ".", assignment), f"{notebook}.ipynb")
        if path.is_file():
            return path
    raise NbGraderException(f"There is no release or source version of {assignment}/{notebook}.ipynb to grade "
                            "against. Run `course build` first.")
