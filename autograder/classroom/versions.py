"""With what a submission was graded, and why it has to be graded again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, astuple, dataclass
from enum import StrEnum
from typing import Any, Self

from autograder.classroom.course import Course
from autograder.classroom.fingerprints import marks, pages
from autograder.classroom.marking import penalties_fingerprint
from autograder.classroom.own_tests import with_hidden
from autograder.classroom.plugins import JudgeAnswers
from autograder.classroom.template import instructors_notebook, instructors_path
from autograder.exercises.contents import fingerprint


class Why(StrEnum):
    """Why a submission is graded, in words that follow "because": the first that holds."""

    FORCED = "it was asked for"
    NEW = "it is new"
    AGAIN = "something else was handed in"
    FAILED = "it failed before"
    MARKS = "the judge has changed"
    NOTEBOOKS = "the notebook that was handed out has changed"
    SETTINGS = "limits, penalties or policies have changed"
    LATENESS = "its due date or its extension has changed"
    PAGES = "what pages show has changed"
    MISSING = "a notebook or a page of it is missing"


@dataclass(frozen=True)
class Versions:
    """Fingerprints of what a graded submission was graded with.

    Attributes
    ----------
    marks, notebooks, settings, pages : str
        Of the judge's code and the exercises, the instructor's notebooks, limits, penalties and policies, and what
        pages are made of.
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
            template = instructors_notebook(course.directory, assignment, name)
            handed_out.update(repr(with_hidden(template, course.directory, assignment, name)).encode())
        settings = JudgeAnswers(config=course.config)
        return cls(_digest(marks(), fingerprint(assignment)), handed_out.hexdigest(),
                   _digest(asdict(settings.limits), penalties_fingerprint(course.config), settings.partial_credit),
                   _digest(pages(), settings.feedback))

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


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
