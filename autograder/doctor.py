"""What works on this machine, and how to mend what does not."""

from __future__ import annotations

import importlib
import importlib.metadata
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from autograder.sandbox import isolation
from autograder.sandbox.session import Cell, SandboxRunner

PACKAGES = ("numpy", "numba", "matplotlib", "sklearn", "jupyterlab", "nbgrader", "jupytext")

BREAKOUT = '''
def breakout(*paths):
    """Try what a stranger might; name everything that works."""
    import os, socket
    worked = []
    for name in (*paths, "/etc/passwd", "/home"):
        try:
            os.listdir(name) if os.path.isdir(name) else open(name).read()
            worked.append("read " + name)
        except OSError:
            pass
    for name in ("/grader/worker.py", "/usr/x", "/x"):
        try:
            open(name, "a").close()
            worked.append("write " + name)
        except OSError:
            pass
    try:
        socket.create_connection(("127.0.0.1", 1), timeout=1)
        worked.append("connect")
    except ConnectionRefusedError:
        pass  # the sandbox has a loopback device of its own, with nobody listening
    except OSError:
        pass
    try:
        import cnncourse.functional
        worked.append("import the reference")
    except ImportError:
        pass
    if os.getuid() == 0:
        worked.append("be root")
    if sum(name.isdigit() for name in os.listdir("/proc")) > 8:
        worked.append("see other processes")
    if set(os.environ) - {"HOME", "LANG", "MPLBACKEND", "MPLCONFIGDIR", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS",
                          "PATH", "PWD", "LC_CTYPE", "TMPDIR"}:
        worked.append("read the environment")
    return ", ".join(worked)
'''


@dataclass(frozen=True)
class Finding:
    """One thing that was examined."""

    subject: str
    fine: bool
    text: str


def examine(announce: Callable[[str, int, int], None] | None = None) -> list[Finding]:
    """Examine Python, packages, the kernels' machine code and the sandbox.

    Parameters
    ----------
    announce : callable, optional
        Told about the kernels while they are compiled: what comes next, its number, and how many there are.
    """
    found: list[Finding] = []
    supported = (3, 11) <= sys.version_info[:2] <= (3, 13)
    found.append(Finding("Python", supported, platform.python_version() + (
        "" if supported else "; 3.11, 3.12 or 3.13 is needed")))
    for name in PACKAGES:
        found.append(_package(name))
    if all(finding.fine for finding in found):
        found.append(_kernels(announce))
    found.append(_sandbox())
    return found


def _package(name: str) -> Finding:
    try:
        importlib.import_module(name)
    except ImportError as error:
        return Finding(name, False, f"{error}; run python3 course.py again, it installs what is missing")
    distribution = {"sklearn": "scikit-learn"}.get(name, name)
    return Finding(name, True, importlib.metadata.version(distribution))


def _kernels(announce: Callable[[str, int, int], None] | None) -> Finding:
    from cnncourse.warming import warm

    warmed = warm(announce)
    if not warmed.folder:
        return Finding("kernels", False, "no folder may be written where compiled kernels could be kept, so every "
                       "process compiles them again; set NUMBA_CACHE_DIR to one that may")
    return Finding("kernels", True, f"all compiled ({warmed.seconds:.1f} s), kept in {warmed.folder}")


def _sandbox() -> Finding:
    if reason := isolation.why_unavailable():
        return Finding("sandbox", False, reason)
    with SandboxRunner([Cell("breakout", BREAKOUT)]) as runner:
        outcome = runner.call("breakout", (str(isolation.HERE), str(Path.home() / ".ssh")))
    if outcome.kind != "value" or outcome.value:
        what = outcome.value if outcome.kind == "value" else outcome.text
        return Finding("sandbox", False, f"a test program could still do this: {what}")
    return Finding("sandbox", True, f"{isolation.find_bubblewrap()}; a test program could not break out")
