"""What a course consists of: its assignments, which exercises they have and what these are worth, in course.toml.

A course is a folder. Without a course.toml it teaches the assignments of the library as they are; the library is what
this package ships: texts with solutions, their translations, and the book's own pages.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Self

from autograder.errors import AutograderError, SyllabusError
from autograder.policy import Policy

FILE = "course.toml"
FORMAT = 1
"""Version of the file's own format; a later one is refused, because its meaning is not known here."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
"""What an assignment may be called: it becomes a folder, a file and a column."""

SOURCES, NOTEBOOKS = "build/source", "notebooks"
"""Folders of a course: notebooks with solutions, which are made and not kept, and those of the students."""

SHARE = "share/cnncourse"
"""Where an installation keeps the library, below the environment's own folder."""

KEYS: Mapping[str, type | tuple[type, ...]] = {
    "format": int, "title": str, "id": str, "language": str, "assignments": list, "addresses": dict,
    "policy": dict}
ADDRESSES = ("wheel", "notebooks")
"""Where the class's wheel can be had, and the folder of notebooks on GitHub."""

ASSIGNMENT_KEYS: Mapping[str, type | tuple[type, ...]] = {
    "name": str, "from": str, "exercises": list, "points": dict}


@dataclass(frozen=True)
class Plan:
    """One assignment of a course.

    Attributes
    ----------
    name : str
        Of its folder and its notebook.
    based_on : str
        The assignment of the library whose text it has; empty if the text is the course's own.
    exercises : tuple of str or None
        Those that students answer, in the order of the notebook; None for all that the text has.
    points : mapping of str to float
        What exercises are worth here, where it is not what their declarations say.
    """

    name: str
    based_on: str = ""
    exercises: tuple[str, ...] | None = None
    points: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Syllabus:
    """A course as its course.toml describes it.

    Attributes
    ----------
    root : Path
        The course's folder.
    plans : tuple of Plan
        Its assignments in order.
    title, identifier, language : str
    addresses : mapping of str to str
        Where students find things on the internet.
    policy : Policy
    """

    root: Path
    plans: tuple[Plan, ...]
    title: str = ""
    identifier: str = "cnncourse"
    language: str = "en"
    addresses: Mapping[str, str] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)

    @classmethod
    def read(cls, root: Path) -> Self:
        """Read a folder's course.toml; without one, the course is the library as it is.

        Parameters
        ----------
        root : Path

        Raises
        ------
        SyllabusError
            If the file is none, is of a newer version, or contradicts itself: with the place and what to do.
        """
        path = root / FILE
        if not path.is_file():
            return cls(root, tuple(Plan(name, name) for name in library_assignments(root)))
        try:
            with path.open("rb") as file:
                told = tomllib.load(file)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SyllabusError(f"{path} cannot be read: {error}") from error
        return cls._of(root, told, str(path))

    @classmethod
    def _of(cls, root: Path, told: Mapping[str, Any], path: str) -> Self:
        version = told.get("format", FORMAT)
        if isinstance(version, int) and version > FORMAT:
            raise SyllabusError(f"{path} has format {version}, and this version of the course knows {FORMAT}. Install "
                                "a newer one, or write it in the older format.")
        _insist(told, KEYS, path)
        plans = tuple(_plan(entry, f"{path}, assignment {number}")
                      for number, entry in enumerate(told.get("assignments", ()), 1))
        _insist_on_one(path, "assignment", [plan.name for plan in plans])
        _insist_on_one(path, "exercise", [name for plan in plans for name in plan.exercises or ()])
        for plan in plans:
            if plan.based_on and plan.based_on not in (known := library_assignments(root)):
                raise SyllabusError(f"{path}: {plan.name} is taken from {plan.based_on!r}, which the library does not "
                                    f"have. It has: {', '.join(known)}.")
        addresses = told.get("addresses", {})
        if unknown := sorted(set(addresses) - set(ADDRESSES)):
            raise SyllabusError(f"{path}: there is no address {unknown[0]!r}; there are: {', '.join(ADDRESSES)}")
        if (notebooks := addresses.get("notebooks")) and not str(notebooks).startswith("https://github.com/"):
            raise SyllabusError(f"{path}: notebooks is where they lie on GitHub, "
                                "https://github.com/OWNER/NAME/blob/...; Colab opens them from there")
        if wrong := [name for name, value in addresses.items() if not isinstance(value, str)]:
            raise SyllabusError(f"{path}: the address {wrong[0]!r} is no text")
        try:
            policy = Policy.of(told.get("policy", {}))
        except ValueError as error:
            raise SyllabusError(f"{path}: {error}") from error
        return cls(root, plans, told.get("title", ""), told.get("id", "cnncourse"), told.get("language", "en"),
                   addresses, policy)

    def plan(self, assignment: str) -> Plan:
        """The plan of an assignment.

        Raises
        ------
        SyllabusError
            If the course has none of that name.
        """
        for plan in self.plans:
            if plan.name == assignment:
                return plan
        known = ", ".join(plan.name for plan in self.plans) or f"none; see {FILE}"
        raise SyllabusError(f"This course has no assignment {assignment!r}. Assignments: {known}")

    @property
    def own_exercises(self) -> list[Path]:
        """Files with exercises of the course's own, in alphabetical order."""
        return sorted(path for path in (self.root / "exercises").glob("*.py") if not path.name.startswith("_"))

    @property
    def own(self) -> bool:
        """Whether the folder says itself what it teaches."""
        return (self.root / FILE).is_file()


def _plan(entry: Any, where: str) -> Plan:
    if not isinstance(entry, dict):
        raise SyllabusError(f"{where} is not a table: begin it with [[assignments]]")
    _insist(entry, ASSIGNMENT_KEYS, where)
    name = entry.get("name", "")
    if not NAME.fullmatch(name):
        raise SyllabusError(f"{where}: the name {name!r} does not serve as a file's; letters, digits, - and _ do")
    chosen = entry.get("exercises")
    if chosen is not None and not all(isinstance(exercise, str) for exercise in chosen):
        raise SyllabusError(f"{where}: exercises is a list of names in quotation marks")
    points = entry.get("points", {})
    for exercise, worth in points.items():
        if isinstance(worth, bool) or not isinstance(worth, int | float) or not 0 < worth < 1e6:
            raise SyllabusError(f"{where}: {exercise} is worth {worth!r}; points are a number above 0")
        if chosen is not None and exercise not in chosen:
            raise SyllabusError(f"{where}: points for {exercise!r}, which is not among its exercises")
    return Plan(name, entry.get("from", ""), tuple(chosen) if chosen is not None else None,
                {exercise: float(worth) for exercise, worth in points.items()})


def _insist(told: Mapping[str, Any], known: Mapping[str, Any], where: str) -> None:
    for key, value in told.items():
        if key not in known:
            raise SyllabusError(f"{where}: there is no setting {key!r}; there are: {', '.join(known)}")
        if not isinstance(value, known[key]):
            raise SyllabusError(f"{where}: {key} cannot be {value!r}")


def _insist_on_one(path: str, what: str, names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise SyllabusError(f"{path}: the {what} {name!r} stands there twice")


def library(root: Path | None = None) -> Path:
    """The folder that holds solutions/, book/ and constraints.txt.

    Parameters
    ----------
    root : Path, optional
        A course's folder; where it is a checkout, it is its own library.

    Raises
    ------
    AutograderError
        If this is a student's installation, which has no texts with solutions.
    """
    return root if root is not None and (root / "solutions").is_dir() else _installed_library()


@cache
def _installed_library() -> Path:
    for folder in _places():
        if (folder / "solutions").is_dir():
            return folder
    raise AutograderError("this needs the course's texts, which students' packages do not have: install the course "
                          "from its checkout or from the wheel made of it")


def _places() -> Iterator[Path]:
    """The checkout, or where an installation has put what belongs to it."""
    yield Path(__file__).resolve().parent.parent
    for file in metadata.files("cnncourse") or ():
        if f"{SHARE}/solutions/" in file.as_posix():
            yield Path(str(file.locate())).resolve().parents[1]
            break
    yield Path(sys.prefix, SHARE)


def library_assignments(root: Path | None = None) -> tuple[str, ...]:
    """Names of the assignments that the library has, in order."""
    return tuple(sorted(path.stem for path in (library(root) / "solutions").glob("*.md")))
