"""The demo under circumstances that people really have, several at a time."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import nbgrader
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.sandbox]
LAST = "course.py lab --instructor --course"


@dataclass(frozen=True)
class Circumstances:
    """How and where the command runs.

    Attributes
    ----------
    folder : str
        Name of the folder that the checkout and nbgrader lie in.
    variables : dict of str to str or None
        Of the environment; None takes one away.
    umask : int
    terminal : bool
        Whether a terminal watches, instead of a file.
    home : str
        "own", "read-only" or "none".
    """

    folder: str
    variables: dict[str, str | None] = field(default_factory=dict)
    umask: int = 0o022
    terminal: bool = False
    home: str = "own"


CASES = {
    "no locale, odd path, strict umask, narrow": Circumstances(
        "kürs 50% x's", {"LC_ALL": "C", "COLUMNS": "20"}, umask=0o077),
    "dumb narrow terminal, home that is read-only": Circumstances(
        "plain", {"TERM": "dumb", "COLUMNS": "40"}, terminal=True, home="read-only"),
    "no home, ASCII output to a file": Circumstances(
        "课 程", {"LANG": None, "LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii", "TERM": None, "USER": None},
        home="none"),
}


def run_in_terminal(command: list[str], environment: dict[str, str], cwd: Path) -> tuple[int, str]:
    """Run with a terminal for all three streams; status and what it shows."""
    ours, theirs = pty.openpty()
    shown: list[bytes] = []

    def read() -> None:
        try:
            while data := os.read(ours, 65536):
                shown.append(data)
        except OSError:  # nobody has it open any more
            pass

    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, cwd=cwd)
    os.close(theirs)
    reader = threading.Thread(target=read)
    reader.start()
    status = process.wait()
    reader.join()
    os.close(ours)
    return status, b"".join(shown).decode(errors="replace")


@pytest.mark.parametrize("case", CASES)
def test_the_demo_runs_to_its_end(case, root, tmp_path):
    now = CASES[case]
    base = tmp_path / now.folder
    before = os.umask(now.umask)
    try:
        for name in ("autograder", "cnncourse", "solutions"):
            shutil.copytree(root / name, base / "course" / name)
        # nbgrader gives the path of its installation to others; the rest of the packages lie where they are.
        shutil.copytree(Path(nbgrader.__file__).parent, base / "nbgrader")
        home = tmp_path / "home"
        home.mkdir(mode=0o555 if now.home == "read-only" else 0o755)
        environment = dict(os.environ) | {"PYTHONPATH": f"{base / 'course'}{os.pathsep}{base}"}
        environment |= {"HOME": str(home) if now.home == "own" else "/proc/nowhere"}
        environment.pop("CNNCOURSE_STATE", None)
        for name, value in now.variables.items():
            environment.pop(name, None)
            if value is not None:
                environment[name] = value
        if now.home == "none":
            environment.pop("HOME")
        command = [sys.executable, "-m", "autograder.cli", "demo"]
        if now.terminal:
            status, output = run_in_terminal(command, environment, base / "course")
        else:
            with (tmp_path / "output").open("wb") as file:
                status = subprocess.run(command, env=environment, cwd=base / "course", stdin=subprocess.DEVNULL,
                                        stdout=file, stderr=subprocess.STDOUT, check=False).returncode
            output = (tmp_path / "output").read_text(encoding="utf-8", errors="replace")
    finally:
        os.umask(before)
    assert status == 0, output
    assert "Traceback" not in output and LAST in output, output
    assert (base / "course" / "demo" / "class.png").is_file()
    assert len(list((base / "course" / "demo" / "feedback").glob("*/*/*.html"))) == 12
    right, wrong = ("+", "-") if now.variables.get("PYTHONIOENCODING") == "ascii" else ("✓", "✗")
    assert right in output and wrong in output
