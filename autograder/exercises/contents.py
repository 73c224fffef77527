"""Which exercises there are, in the order of the course.

The library's are in the modules below, and in each in the order of its classes. A course of one's own chooses among
them, says what they are worth, and adds those in its folder `exercises`. A module is imported when somebody asks for an
exercise, not when `autograder` is imported.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import re
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

from autograder.errors import DeclarationError, SyllabusError, UnknownExerciseError
from autograder.judging.exercise import HINT_LEVELS, Exercise
from autograder.syllabus import FILE, Plan, Syllabus
from cnncourse.language import register

TOPICS = {
    "local_connectivity": ("one_neuron", "borders", "layers", "matmul", "variants", "settings"),
    "parameter_sharing": ("counting", "local", "shifts", "borders", "summed", "measured", "backward", "columns"),
    "pooling": (
        "maximum", "kept", "average", "norm", "located", "indices", "routes", "average_backward", "norm_backward",
        "strided", "libraries"),
    "fc_to_conv": ("dense", "backward", "conversion", "parameters", "sliding", "map_sizes", "cost", "peaks"),
    "architectures": (
        "patterns", "halving", "sizes", "costs", "fields", "networks", "inception", "inception_costs", "residual",
        "cheaper", "upwards"),
    "memory": ("units", "activations", "parameters", "rest", "modes", "budget", "recomputing", "precision"),
    "training": (
        "probabilities", "activation", "convolution", "pooling", "chain", "network", "descent", "epochs", "counting",
        "augmentation"),
}
"""The modules with declarations, by the topic's folder; one folder an assignment."""


VARIABLE = "CNNCOURSE_COURSE"
"""Names the folder of the course that is taught, for processes that are started from its folder."""

HANDED_OUT = Path(__file__).resolve().parent.parent / "course"
"""What a class's own package says of its course: made by `course release`, not there in others."""


@dataclass(frozen=True)
class Problem:
    """A file with exercises that cannot be used.

    Attributes
    ----------
    path : Path
    text : str
        Line and what is wrong there.
    """

    path: Path
    text: str

    def __str__(self) -> str:
        return f"{self.path}, {self.text}"


class Taught:
    """The exercises of a course.

    Parameters
    ----------
    syllabus : Syllabus or None
        None for the library as it is.

    Attributes
    ----------
    known : dict of str to Exercise
        All that can be found by name, those that no assignment has included.
    declared : dict of str to Exercise
        The same as their declarations have them, whatever the course says.
    problems : tuple of Problem
        Files of the course's own that cannot be used; the others are.
    """

    def __init__(self, syllabus: Syllabus | None) -> None:
        self.syllabus = syllabus
        self.known = self.declared = dict(_declared())
        self.problems: tuple[Problem, ...] = ()
        self._listed = list(self.known)
        self._wrong: SyllabusError | None = None
        if syllabus is None:
            return
        self.problems = tuple(self._take_own(syllabus))
        self._listed = []
        try:
            for plan in syllabus.plans:
                self._take(plan)
        except SyllabusError as error:  # whoever asks for all exercises is told; each that is there can be found
            self._wrong = error

    @property
    def listed(self) -> tuple[str, ...]:
        """Names of those that the course's assignments have, in their order.

        Raises
        ------
        SyllabusError
            If an assignment asks for an exercise that is not there.
        """
        if self._wrong:
            raise self._wrong
        return tuple(self._listed)

    def _take(self, plan: Plan) -> None:
        for name in self._names(plan):
            if name not in self.known:
                raise SyllabusError(self._missing(plan, name))
            self.known[name] = replace(self.known[name], notebook=plan.name,
                                       points=plan.points.get(name, self.known[name].points))
            self._listed.append(name)

    def _take_own(self, syllabus: Syllabus) -> Iterator[Problem]:
        """Add the exercises and the hints that lie in the course's folder; what cannot be used is told."""
        register(syllabus.root / "locale")
        package = _package(syllabus)
        own: list[Exercise] = []
        for path in syllabus.own_exercises:
            try:
                with _without_bytecode():
                    declared = list(declared_in(f"{package}.{path.stem}"))
                collected([*self.known.values(), *own, *declared])
            except Exception as error:
                yield Problem(path, f"line {_line(error, path)}: {error or type(error).__name__}")
            else:
                own += declared
                if not declared:
                    yield Problem(path, "line 1: it declares no exercise")
        self.declared = collected([*self.known.values(), *own])
        self.known = dict(self.declared)
        for path in sorted((syllabus.root / "hints").glob("*.md")):
            hints = tuple(part.strip() for part in re.split(r"(?m)^---[ \t]*$", path.read_text(encoding="utf-8")))
            if path.stem not in self.known:
                yield Problem(path, f"line 1: there is no exercise {path.stem!r}.{_near(path.stem, self.known)}")
            elif len(hints) != HINT_LEVELS or not all(hints):
                yield Problem(path, f"line 1: {HINT_LEVELS} hints are needed, with a line --- between them, and there "
                                    f"are {len(hints)}")
            else:
                self.known[path.stem] = replace(self.known[path.stem], hints=hints)

    def _names(self, plan: Plan) -> tuple[str, ...]:
        """The exercises of an assignment: those that are chosen, or else all that are declared for it."""
        if plan.exercises is not None:
            return plan.exercises
        named = plan.based_on or plan.name
        found = tuple(exercise.name for exercise in self.known.values() if exercise.notebook == named)
        if unknown := sorted(set(plan.points) - set(found)):
            raise SyllabusError(f"{FILE}: points for {unknown[0]!r}, which {plan.name} does not have")
        return found

    def _missing(self, plan: Plan, name: str) -> str:
        broken = "".join(f" {problem}." for problem in self.problems)
        return f"{FILE}: {plan.name} has an exercise {name!r}, which is not there.{_near(name, self.known)}{broken}"


_chosen: Syllabus | None = None
_taught: dict[str, Taught] = {}


def teach(syllabus: Syllabus | None) -> None:
    """From now on this process finds the exercises of a course; None for those of the library.

    Parameters
    ----------
    syllabus : Syllabus or None
    """
    global _chosen
    # A folder without a course.toml teaches the library as it is.
    _chosen = syllabus if syllabus is not None and syllabus.own else None


@contextmanager
def teaching(syllabus: Syllabus | None) -> Iterator[None]:
    """Find the exercises of a course for a while."""
    before = _chosen
    teach(syllabus)
    try:
        yield
    finally:
        teach(before)


def taught() -> Taught:
    """The exercises of the course that is taught here.

    That is what `teach` was told, or what the environment's variable names, or the course that this package was handed
    out for, or the library.
    """
    syllabus = _chosen
    if syllabus is None:
        folder = Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else HANDED_OUT
        syllabus = Syllabus.read(folder) if (folder / FILE).is_file() else None
    key = _state(syllabus)
    if key not in _taught:
        _taught.clear()
        _taught[key] = Taught(syllabus)
    return _taught[key]


def _state(syllabus: Syllabus | None) -> str:
    """Of a course's folder: it changes with everything that exercises are made of."""
    if syllabus is None or not syllabus.own:
        return ""
    return f"{syllabus.root}\0{hashlib.sha256((syllabus.root / FILE).read_bytes()).hexdigest()}\0{_of_files(syllabus)}"


def _of_files(syllabus: Syllabus) -> str:
    digest = hashlib.sha256()
    for path in sorted((syllabus.root / "exercises").rglob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def fingerprint(assignment: str) -> str:
    """Of all in the course's folder that can change a mark of an assignment; empty for the library as it is."""
    syllabus = taught().syllabus
    if syllabus is None:
        return ""
    worth = [(exercise.name, exercise.points) for exercise in every(assignment)]
    return hashlib.sha256(f"{worth}{_of_files(syllabus)}".encode()).hexdigest()


def find(name: str) -> Exercise:
    """The exercise called `name`.

    Raises
    ------
    UnknownExerciseError
        With the nearest names, where there are any.
    """
    known = taught().known
    if name not in known:
        raise UnknownExerciseError(f"There is no exercise called {name!r}.{_near(name, known)}")
    return known[name]


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(str(name), known, n=3, cutoff=0.5)
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""


def exercises(notebook: str | None = None) -> tuple[str, ...]:
    """Names of all exercises, or of one notebook's, in the order of the course."""
    return tuple(e.name for e in every(notebook))


def every(notebook: str | None = None) -> Iterator[Exercise]:
    """All exercises of the course, or one notebook's, in its order."""
    here = taught()
    return (exercise for exercise in map(here.known.__getitem__, here.listed) if notebook in (None, exercise.notebook))


def _package(syllabus: Syllabus) -> str:
    """The folder with a course's exercises as a package, so that its files can import each other: a new one for each
    state of the folder, for no module is imported twice."""
    name = f"course_exercises_{hashlib.sha256(_state(syllabus).encode()).hexdigest()[:16]}"
    if name not in sys.modules:
        package = ModuleType(name, "Exercises of a course of its own.")
        package.__path__ = [str(syllabus.root / "exercises")]
        sys.modules[name] = package
    return name


@contextmanager
def _without_bytecode() -> Iterator[None]:
    """Import what stands in a file now: Python takes a file of the same second and size for unchanged."""
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


def _line(error: Exception, path: Path) -> int:
    """Where in a file an error came up."""
    if isinstance(error, SyntaxError) and error.lineno:
        return error.lineno
    lines = [frame.lineno or 1 for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path]
    return lines[-1] if lines else 1


def collected(declared: Iterable[Exercise]) -> dict[str, Exercise]:
    """Exercises by name, in the order given.

    Raises
    ------
    DeclarationError
        If two share a name.
    """
    found: dict[str, Exercise] = {}
    for exercise in declared:
        if exercise.name in found:
            raise DeclarationError(f"exercise {exercise.name!r} is declared twice, in {found[exercise.name].module} "
                                   f"and in {exercise.module}")
        found[exercise.name] = exercise
    return found


def declared_in(module: str) -> Iterator[Exercise]:
    """What one module declares, in its order; what it only imports is not its own."""
    for value in vars(import_module(module)).values():
        if isinstance(value, Exercise) and value.module == module:
            yield value


@cache
def _declared() -> dict[str, Exercise]:
    return collected(exercise for topic, modules in TOPICS.items() for module in modules
                     for exercise in declared_in(f"autograder.exercises.{topic}.{module}"))
