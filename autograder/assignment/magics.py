"""Cells as Python: what IPython makes of magics, commands of the system and questions, by its own rules.

What a magic is, is decided here only, and by IPython. What it does where answers are graded stands in
`autograder.sandbox.meaning`: nothing, as a rule.
"""

from __future__ import annotations

import ast
import atexit
import contextlib
import os
import re
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

from autograder.assignment.ipython_reader import LENGTH

MAX_CHARACTERS = 1 << 16
"""A longer cell is taken as it is."""
CELL_SECONDS = 4.0
SUBMISSION_SECONDS = 8.0
START_SECONDS = 60.0
SIGNS = re.compile(r"[%!?]|\A\s*\n[ \t]|\A[ \t]|^[ \t]*[,;/]|^>>>|^In \[", re.MULTILINE)
"""Without one of these no text is anything but Python to IPython."""
BODY_RUNS = re.compile(r"\s*%%(?:time|capture|prun)\b[^\n]*(?=\n)")
"""Cell magics that run their cell as it would run without them."""
MOST_BODIES = 5
NO_PYTHON = (SyntaxError, ValueError, RecursionError, MemoryError)


class MagicsReader:
    """Reads the cells of one submission, for a limited time."""

    def __init__(self) -> None:
        self._left = SUBMISSION_SECONDS

    def python_of(self, source: str) -> tuple[str, str]:
        """A cell as Python, and how to go on with a sentence that begins with the cell, if IPython took too long.

        Parameters
        ----------
        source : str
            What cannot be read comes back as it is, and will be no Python for the one who runs it either.
        """
        if len(source) > MAX_CHARACTERS or not SIGNS.search(source) or _is_python(source):
            return source, ""
        if self._left <= 0:
            return source, " was not read: there is too much in this notebook that only IPython understands."
        began = time.monotonic()
        try:
            return _transformed(source, min(CELL_SECONDS, self._left)), ""
        except TimeoutError:
            self._left -= time.monotonic() - began
            return source, " took IPython too long to read; nothing of it was used."
        except _NotReadError:
            return source, ""


class _NotReadError(Exception):
    """IPython cannot read it either, or is not there."""


def _is_python(source: str) -> bool:
    with warnings.catch_warnings(action="ignore"):  # they would be ours to print, and are the student's
        try:
            ast.parse(source)
        except NO_PYTHON:
            return False
    return True


def _transformed(source: str, seconds: float) -> str:
    for _ in range(MOST_BODIES):
        plain = BODY_RUNS.sub("", source, count=1) if BODY_RUNS.match(source) else source
        if plain == source:
            break
        source = plain
        if _is_python(source):
            return source
    with _lock:
        return _process().ask(source, seconds)


class _Process:
    """The process that knows IPython's rules."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        script = Path(__file__).with_name("ipython_reader.py")
        self._child = subprocess.Popen([sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL)
        self._exchange(b"", START_SECONDS)

    @property
    def lives(self) -> bool:
        return self._child.poll() is None

    def ask(self, source: str, seconds: float) -> str:
        """What IPython makes of a text.

        Raises
        ------
        TimeoutError
            If it takes longer; the process is ended then.
        _NotReadError
            If it makes nothing of it.
        """
        data = source.encode("utf-8", "replace")
        good, answer = self._exchange(LENGTH.pack(True, len(data)) + data, seconds)
        if not good:
            raise _NotReadError(answer)
        return answer

    def end(self) -> None:
        """End the process."""
        with contextlib.suppress(OSError):
            self._child.kill()
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]

    def _exchange(self, question: bytes, seconds: float) -> tuple[bool, str]:
        late = threading.Event()

        def ring() -> None:
            late.set()
            self._child.kill()

        alarm = threading.Timer(seconds, ring)
        alarm.start()
        try:
            assert self._child.stdin is not None and self._child.stdout is not None
            self._child.stdin.write(question)
            self._child.stdin.flush()
            head = self._child.stdout.read(LENGTH.size)
            good, size = LENGTH.unpack(head) if len(head) == LENGTH.size else (False, 0)
            answer = self._child.stdout.read(size)
            if len(head) < LENGTH.size or len(answer) < size:
                raise BrokenPipeError("the process ended")
            return good, answer.decode("utf-8", "replace")
        except OSError as error:
            self.end()
            raise TimeoutError if late.is_set() else _NotReadError(str(error)) from error
        finally:
            alarm.cancel()


_lock = threading.Lock()
_running: _Process | None = None


def _process() -> _Process:
    """The process of this process; a fork has none of its own at first, and leaves its parent's alone."""
    global _running
    if _running is None or _running.owner != os.getpid() or not _running.lives:
        _running = _Process()
    return _running


def _unlock() -> None:
    """Another thread may have held the lock when this process was forked."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlock)


@atexit.register
def end() -> None:
    """End the process that was started here."""
    if _running is not None and _running.owner == os.getpid():
        _running.end()
