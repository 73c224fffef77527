"""What works on this machine, and how to mend what does not."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass

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


def examine(announce: Callable[[str, int, int], None] | None = None) -> list[Finding]:
    """Examine Python, packages, the kernels' machine code, fonts and the sandbox.

    Parameters
    ----------
    announce : callable, optional
        Told about the kernels while they are compiled: what comes next, its number, and how many there are.
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
    return found


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
