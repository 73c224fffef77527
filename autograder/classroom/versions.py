"""What marks and pages depend on beside the submission: a fingerprint for each, so that only what changed is redone.

A change in a report's page, in JupyterLab's start page or in the book redoes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, astuple, dataclass
from enum import StrEnum
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

from autograder.classroom.course import Course
from autograder.classroom.plugins import JudgeAnswers
from autograder.classroom.template import instructors_path

MARKS = ("autograder/judging", "autograder/exercises", "autograder/sandbox", "autograder/classroom",
         "autograder/assignment", "cnncourse")
"""Folders whose code can change a mark: declarations, comparison, what of a notebook counts, sandbox, kernels."""

PAGES = ("autograder/showing", "autograder/templates", "autograder/locale", "autograder/cohort/pages.py")
"""What can change a student's page and no mark."""

NEITHER = ("cnncourse/plotting", "cnncourse/widgets", "cnncourse/locale")


class Why(StrEnum):
    """Why a submission is graded, in words that follow "because": the first that holds."""

    FORCED = "it was asked for"
    NEW = "it is new"
    AGAIN = "something else was handed in"
    FAILED = "it failed before"
    MARKS = "the judge has changed"
    NOTEBOOKS = "the notebook that was handed out has changed"
    SETTINGS = "limits or penalties have changed"
    PAGES = "what pages show has changed"
    MISSING = "a notebook or a page of it is missing"


@dataclass(frozen=True)
class Versions:
    """Fingerprints of what a graded submission was graded with.

    Attributes
    ----------
    marks, notebooks, settings, pages : str
        Of the judge's code, the instructor's notebooks, limits and penalties, and what pages are made of.
    """

    marks: str
    notebooks: str
    settings: str
    pages: str

    @classmethod
    def of(cls, course: Course, assignment: str, notebooks: Iterable[str]) -> Self:
        """The versions of this installation, for an assignment of a course.

        Parameters
        ----------
        course : Course
        assignment : str
        notebooks : iterable of str
            Names of the assignment's notebooks.
        """
        handed_out = hashlib.sha256()
        for name in sorted(notebooks):
            handed_out.update(name.encode() + instructors_path(course.directory, assignment, name).read_bytes())
        settings = JudgeAnswers(config=course.config)
        penalties = str(course.config.AssignLatePenalties.get("plugin_class", ""))
        return cls(marks(), handed_out.hexdigest(), _digest(asdict(settings.limits), penalties), pages())

    @classmethod
    def from_json(cls, kept: Mapping[str, Any] | None) -> Self | None:
        """Read what `to_json` gave; None if that is not to be had."""
        parts = cls.__dataclass_fields__
        return cls(**{name: str(kept[name]) for name in parts}) if kept and parts.keys() <= kept.keys() else None

    def to_json(self) -> dict[str, str]:
        """For JSON."""
        return asdict(self)

    @property
    def digest(self) -> str:
        """All of them in one."""
        return _digest(*astuple(self))

    def why_not(self, earlier: Versions | None) -> Why | None:
        """What has changed since earlier; None if nothing has."""
        if earlier is None or earlier.marks != self.marks:
            return Why.MARKS
        if earlier.notebooks != self.notebooks:
            return Why.NOTEBOOKS
        if earlier.settings != self.settings:
            return Why.SETTINGS
        return Why.PAGES if earlier.pages != self.pages else None


@cache
def marks() -> str:
    """Fingerprint of the code that can change a mark."""
    return _of_files(MARKS, ("*.py",))


@cache
def pages() -> str:
    """Fingerprint of what can change a page."""
    return _of_files(PAGES, ("*.py", "*.j2", "*.po"))


def _of_files(places: Iterable[str], patterns: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for name, path in sorted(_files(places, patterns)):
        digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _files(places: Iterable[str], patterns: Iterable[str]) -> Iterator[tuple[str, Path]]:
    for place in places:
        package, _, inner = place.partition("/")
        specification = find_spec(package)
        assert specification is not None and specification.submodule_search_locations is not None
        root = Path(specification.submodule_search_locations[0])
        found = [root / inner] if (root / inner).is_file() else [
            path for pattern in patterns for path in (root / inner).rglob(pattern)]
        for path in found:
            name = f"{package}/{path.relative_to(root).as_posix()}"
            if not any(name.startswith(f"{left_out}/") for left_out in NEITHER):
                yield name, path


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
