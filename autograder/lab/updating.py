"""A student's copy of a notebook brought to a newer release: new cells in, answers and own cells kept, nothing lost.

What is a cell of the release's and what a student's own is told by its name, by its text, and by the id that released
cells have. The copy as it was stays beside the new one.
"""

from __future__ import annotations

import difflib
import json
import re
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.assignment.cells import grade_id, is_answer, own_part, source_of
from autograder.assignment.prose import SPOKEN
from autograder.classroom.submission import is_stub
from autograder.errors import RehearsalError
from autograder.files import replace_file
from autograder.rehearsal import nearest

LANGUAGE = re.compile(re.escape(SPOKEN).replace(r"\{language!r\}", r"'\w+'"))
RELEASED = re.compile(r"cell-\d{3}")
"""Ids of cells that are the release's; programs that add cells draw theirs."""
ALIKE = 0.6
"""How much of two texts is the same where one is a newer version of the other."""
LONGEST = 5_000
"""Characters of a text that are compared."""
MOST_MEMBERS = 1_000
KEPT = ("source", "outputs", "execution_count", "attachments")
"""What of an answer's cell is the student's."""


@dataclass
class Update:
    """What an update does to one file.

    Attributes
    ----------
    path, release : Path
        The student's file, and the notebook that it is brought to.
    notebook : dict
        What it becomes.
    changed : bool
        Whether anything becomes otherwise.
    added, kept, own : int
        New cells, answers that were taken over, and cells of the student's own.
    conflicts : list of str
        What a student should look at.
    """

    path: Path
    release: Path
    notebook: dict[str, Any]
    changed: bool
    added: int = 0
    kept: int = 0
    own: int = 0
    conflicts: list[str] = field(default_factory=list)


def update(path: Path, among: Sequence[Path] | None = None) -> Update:
    """Find out what a notebook becomes; nothing is written.

    Parameters
    ----------
    path : Path
    among : sequence of Path, optional
        Notebooks of the newer release; by default those of this installation.

    Raises
    ------
    RehearsalError
        If it is none of the course's notebooks, or no notebook.
    """
    release = nearest(path, among)
    try:
        old = json.loads(path.read_text(encoding="utf-8"))
        before = [cell for cell in old["cells"] if isinstance(cell, dict)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RehearsalError(f"{path} is no notebook that can be read") from error
    new = json.loads(release.read_text(encoding="utf-8"))
    merged = _Merge(before, new["cells"])
    cells = merged.cells()
    result = Update(path, release, {**new, "cells": cells}, _seen(cells) != _seen(before), merged.added, merged.kept,
                    merged.own, merged.conflicts)
    return result


def write(result: Update) -> Path | None:
    """Replace the file in one step; where the earlier one is kept, or None if there is nothing to do."""
    if not result.changed:
        return None
    number = 1
    while (backup := result.path.with_name(f"{result.path.stem}.before-{number}{result.path.suffix}")).exists():
        number += 1
    permissions = result.path.stat().st_mode & 0o777
    replace_file(backup, result.path.read_bytes(), permissions)
    text = json.dumps(result.notebook, indent=1, ensure_ascii=False) + "\n"
    replace_file(result.path, text.encode(), permissions)
    return backup


@contextmanager
def released_in(place: Path) -> Iterator[list[Path]]:
    """The notebooks of a release: a folder, one notebook, or the zip that was handed out.

    Raises
    ------
    RehearsalError
        If there is none.
    """
    if place.suffix.lower() != ".zip":
        yield [place] if place.is_file() else sorted(place.rglob("*.ipynb"))
        return
    with tempfile.TemporaryDirectory(prefix="course-update-") as folder:
        found = []
        try:
            with zipfile.ZipFile(place) as archive:
                for number, member in enumerate(archive.infolist()[:MOST_MEMBERS]):
                    if member.filename.endswith(".ipynb"):
                        target = Path(folder, f"{number}.ipynb")
                        target.write_bytes(archive.read(member))
                        found.append(target)
        except (OSError, zipfile.BadZipFile) as error:
            raise RehearsalError(f"{place} cannot be opened: {error}") from error
        yield found


def copies_in(place: Path) -> list[Path]:
    """The notebooks that a student has: one, or all in a folder, those from before an update left out."""
    found = [place] if place.is_file() else sorted(place.rglob("*.ipynb"))
    return [path for path in found if ".ipynb_checkpoints" not in path.parts
            and not re.search(r"\.before-\d+$", path.stem)]


def _seen(cells: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(cell.get("cell_type"), source_of(cell), grade_id(cell)) for cell in cells]


class _Merge:
    """Puts what is a student's into the cells of a release."""

    def __init__(self, before: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]]) -> None:
        self._before, self._new = before, new
        self._by_name = {grade_id(cell): at for at, cell in enumerate(new) if grade_id(cell)}
        self._by_source: dict[str, list[int]] = {}
        for at, cell in enumerate(new):
            self._by_source.setdefault(_in_any_language(cell), []).append(at)
        self.added = self.kept = self.own = 0
        self.conflicts: list[str] = []

    def cells(self) -> list[dict[str, Any]]:
        """The new release's cells, with answers in them and the student's own cells where they stood."""
        taken: dict[int, dict[str, Any]] = {}
        own: dict[int, list[dict[str, Any]]] = {}
        anchor = -1
        for cell in self._before:
            place = self._place_of(cell, taken)
            if place is None:
                if self._is_own(cell):
                    own.setdefault(anchor, []).append(self._as_own(cell))
                continue
            anchor = max(anchor, place) if grade_id(cell) == "" else place
            if place in taken and self._is_written(cell, place) and source_of(taken[place]) != source_of(cell):
                if self._is_written(taken[place], place):  # the last one that is written counts, as in grading
                    own.setdefault(place, []).append(self._as_own(taken[place]))
                taken[place] = cell
            elif place not in taken:
                taken[place] = cell
        merged = list(own.get(-1, ()))
        for at, cell in enumerate(self._new):
            merged.append(self._filled(cell, at, taken.get(at)))
            merged += own.get(at, ())
        return merged

    def _place_of(self, cell: dict[str, Any], taken: dict[int, dict[str, Any]]) -> int | None:
        """Where a cell is in the new release; None if it is not there."""
        name, source = grade_id(cell), _in_any_language(cell)
        if name:
            return self._by_name.get(name)
        same = self._by_source.get(source, [])
        return next((at for at in same if at not in taken), same[-1] if same else None)

    def _filled(self, new: dict[str, Any], at: int, old: dict[str, Any] | None) -> dict[str, Any]:
        """A cell of the new release with what the student has in its place."""
        if old is None:
            self.added += 1
            return new
        if is_answer(new) and self._is_written(old, at):
            self.kept += 1
            parts: dict[str, Any] = {part: old[part] for part in KEPT if part in old}
            return {**new, **parts}
        if source_of(new).strip() == source_of(old).strip() and "outputs" in old:
            return {**new, "outputs": old["outputs"], "execution_count": old.get("execution_count")}
        if grade_id(new) and not is_answer(new) and source_of(new).strip() != source_of(old).strip():
            self.conflicts.append(f"{grade_id(new)} is the release's cell, and yours was another one")
        return new

    def _is_written(self, cell: dict[str, Any], at: int) -> bool:
        return is_answer(self._new[at]) and not is_stub(source_of(cell), source_of(self._new[at]))

    def _is_own(self, cell: dict[str, Any]) -> bool:
        """Whether a cell that the new release does not have is the student's, and not one of an earlier release."""
        source = source_of(cell)
        if not own_part(source).strip():
            return False
        if grade_id(cell):
            if not is_answer(cell):
                return False
            if is_stub(source, "YOUR ANSWER HERE"):
                return False
            self.conflicts.append(f"{grade_id(cell)} is not asked any more; your answer stands where it was")
            return True
        if cell.get("cell_type") != "markdown":
            # An older version of the release's, or one that the student has changed: answers may need it.
            return True
        return not RELEASED.fullmatch(str(cell.get("id", ""))) and not any(
            _alike(source, source_of(other)) for other in self._new
            if other.get("cell_type") == "markdown" and not grade_id(other))

    def _as_own(self, cell: dict[str, Any]) -> dict[str, Any]:
        self.own += 1
        metadata = {key: value for key, value in cell.get("metadata", {}).items() if key != "nbgrader"}
        return {**cell, "metadata": metadata}


def _in_any_language(cell: dict[str, Any]) -> str:
    """Text of a cell without what makes the checks speak another language."""
    return LANGUAGE.sub("", source_of(cell)).strip()


def _alike(one: str, other: str) -> bool:
    matcher = difflib.SequenceMatcher(None, one[:LONGEST], other[:LONGEST], autojunk=False)
    return matcher.real_quick_ratio() > ALIKE and matcher.quick_ratio() > ALIKE and matcher.ratio() > ALIKE
