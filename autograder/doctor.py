"""What works on this machine, and how to mend what does not."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import SpecifierSet

from autograder.errors import SandboxUnavailableError
from autograder.sandbox import cgroups, isolation, walls

PACKAGES = ("numpy", "numba", "matplotlib", "IPython", "anywidget")
"""What students' notebooks need."""
OF_INSTRUCTORS = ("jupyterlab", "nbgrader", "jupytext")


@dataclass(frozen=True)
class Finding:
    """One thing that was examined."""

    subject: str
    fine: bool
    text: str


def examine(
    announce: Callable[[str, int, int], None] | None = None, course: Path | None = None
) -> list[Finding]:
    """Examine Python, packages, the kernels' machine code, fonts, the sandbox, and who may read and write a course.

    Parameters
    ----------
    announce : callable, optional
        Told about the kernels while they are compiled: what comes next, its number, and how many there are.
    course : Path, optional
        A course directory.
    """
    found: list[Finding] = []
    allowed = importlib.metadata.metadata("cnncourse")["Requires-Python"]
    supported = SpecifierSet(allowed).contains(platform.python_version(), prereleases=True)
    found.append(Finding("Python", supported, f"{platform.python_version()} ({sys.executable})" + (
        "" if supported else f"; {allowed} is needed")))
    grades = importlib.util.find_spec("nbgrader") is not None
    for name in (*PACKAGES, *(OF_INSTRUCTORS if grades else ())):
        found.append(_package(name))
    if all(finding.fine for finding in found):
        found.append(_kernels(announce))
        found.append(_chinese_font())
    if not grades:
        return [*found, Finding("grading", True, "not installed here, and students do without; for it: "
                                                 "python -m pip install 'cnncourse[grade]'")]
    found += _sandbox()
    found.append(_limits())
    usable = all(finding.fine for finding in found if finding.subject in PACKAGES)
    if course is not None and usable and (course / "nbgrader_config.py").is_file():
        found += examine_course(course)
    return found


def examine_course(root: Path) -> list[Finding]:
    """Whether others on this machine could read a course's private files, or change what goes through its exchange.

    Parameters
    ----------
    root : Path
        The course directory.
    """
    from autograder.classroom.course import Course

    if sys.platform == "win32":
        return []
    course = Course(root.resolve())
    exchange = _exchange(course.exchange, str(course.directory.course_id))
    if not course.has_gradebook:  # nobody has handed anything in
        return exchange
    others = 0o007 if course.directory.groupshared else 0o077
    open_to_others = [path for path in course.private_paths if path.exists() and path.stat().st_mode & others]
    private = Finding("course", True, "nobody else can read submissions, marks and solutions")
    if open_to_others:
        names = " ".join(shlex.quote(str(path)) for path in open_to_others)
        whose = "o" if course.directory.groupshared else "go"
        private = Finding("course", False, f"others on this machine can read it; run: chmod {whose}-rwx {names}")
    return [private, *exchange]


def _exchange(exchange: Path, course_id: str) -> list[Finding]:
    """What is wrong with an exchange outside of the course; one in the course's own folder is used by nobody else."""
    if not exchange.is_dir():
        return []
    mode, place = exchange.stat().st_mode, shlex.quote(str(exchange))
    if mode & 0o002 and not mode & 0o1000:
        return [Finding("exchange", False, "whoever may write into it can put another folder in the place of the "
                        f"course's, and read or change what others submit; run: chmod 1777 {place}")]
    if not mode & 0o022:
        return [Finding("exchange", True, f"{exchange} is written by its owner only")]
    own = exchange / course_id
    if not own.exists():
        return [Finding("exchange", False, f"{own} is not there yet, and whoever makes it first is taken for the "
                        f"instructor; run: install --directory --mode 755 {shlex.quote(str(own))}")]
    if own.is_symlink() or own.stat().st_uid != os.getuid():
        return [Finding("exchange", False, f"{own} is not yours: what is released, submitted and returned goes through "
                        "somebody else's folder. Have the administrator remove it, and make it yourself")]
    if own.stat().st_mode & 0o002:
        return [Finding("exchange", False, f"everybody may change what is released; run: chmod 755 "
                        f"{shlex.quote(str(own))}")]
    return [Finding("exchange", True, f"{own} is yours, and nobody else can replace it")]


def _package(name: str) -> Finding:
    try:
        importlib.import_module(name)
    except ImportError as error:
        return Finding(name, False, f"{error}; run python3 course.py again, it installs what is missing")
    return Finding(name, True, importlib.metadata.version(name))


def _kernels(announce: Callable[[str, int, int], None] | None) -> Finding:
    from cnncourse.warming import warm

    warmed = warm(announce)
    if not warmed.folder:
        return Finding("kernels", False, "no folder may be written where compiled kernels could be kept, so every "
                       "process compiles them again; set NUMBA_CACHE_DIR to one that may")
    return Finding("kernels", True, f"all compiled ({warmed.seconds:.1f} s), kept in {warmed.folder}")


def _chinese_font() -> Finding:
    from cnncourse.plotting.illustration import chinese_font

    font = chinese_font()
    return Finding("Chinese labels", True, f"drawn in {font}" if font else "no font has the characters, so the labels "
                   "of figures stay English; on Debian, apt-get install fonts-wqy-zenhei")


def _sandbox() -> list[Finding]:
    """Each way to isolate by itself, and which one is taken and why."""
    found = []
    for name, way in isolation.WAYS.items():
        if reason := isolation.why_not(name):
            found.append(Finding(f"sandbox, {name}", True, f"not here. {reason}"))
        elif escaped := walls.what_gets_out(name):
            found.append(Finding(f"sandbox, {name}", False, f"a test program could still do this: {escaped}"))
        else:
            found.append(Finding(f"sandbox, {name}", True, f"{way.describe()}; a test program could not break out"))
            found += [Finding(f"sandbox, {name}", True, line) for line in way.shortcomings()]
    try:
        chosen = isolation.choose()
    except SandboxUnavailableError as error:
        return [*found, Finding("sandbox", False, f"none can start, so nothing can be graded: {error}")]
    return [*found, Finding("sandbox", True, f"{chosen.way.name} is taken, unless another is asked for: {chosen.why}")]


def _limits() -> Finding:
    return Finding("limits", True, cgroups.description())
