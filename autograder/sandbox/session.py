"""The judge's side of one submission: a worker in the sandbox, its cells, and calls of its answers.

Nothing that a worker says is believed. Every wait has an end, every message is checked, and a worker that dies
or hangs is replaced by a fresh one that leaves out the cell at fault, so that the other answers keep their chance.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autograder.runner import Outcome
from autograder.sandbox import wire
from autograder.sandbox.isolation import Limits, start

START_SECONDS = 30.0
GRACE_SECONDS = 2.0
MAX_TEXT = 2000
KINDS = ("value", "error", "not written", "missing", "time", "crash", "rejected")


@dataclass(frozen=True)
class Cell:
    """One piece of code to run in the sandbox.

    Attributes
    ----------
    name : str
        The cell's grade_id, for messages.
    source : str
    """

    name: str
    source: str


class WorkerLostError(Exception):
    """The worker ended, hung or broke the protocol."""


class Worker:
    """One process behind the walls and the two pipes to it."""

    def __init__(self, limits: Limits, *, trusted: bool = False) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="answers-") if trusted else None
        self.process = start(
            limits, trusted=trusted, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            start_new_session=True, cwd=self._folder.name if self._folder else None,
            env={"PATH": os.defpath, "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "Agg"} if trusted else None,
        )

    def ask(self, header: dict[str, Any], value: Any, seconds: float) -> tuple[dict[str, Any], Any]:
        """Send one frame and wait for the answer.

        Raises
        ------
        WorkerLostError
            If no well-formed answer comes in time.
        """
        assert self.process.stdin is not None and self.process.stdout is not None
        watch = threading.Timer(seconds, self.kill)
        watch.start()
        try:
            self.process.stdin.write(wire.pack(header, value))
            self.process.stdin.flush()
            frame = wire.read_frame(self.process.stdout.read)
        except (OSError, ValueError) as error:
            raise WorkerLostError(str(error)) from error
        finally:
            watch.cancel()
        if frame is None:
            raise WorkerLostError("the process ended")
        return frame

    def kill(self) -> None:
        """End the worker and everything that it has started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.kill()

    def close(self) -> None:
        """Kill, wait, and release the pipes."""
        self.kill()
        for stream in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()
        self.process.wait()
        if self._folder is not None:
            self._folder.cleanup()


class SandboxRunner:
    """Calls the answers of one submission; a `Runner` and a context manager.

    Parameters
    ----------
    cells : sequence of Cell
        The instructor's setup cells and the student's answer cells, in the notebook's order.
    limits : Limits, optional
    trusted : bool, optional
        Run without walls; for submissions whose authors are trusted.

    Attributes
    ----------
    problems : dict of str to str
        What went wrong while running a cell, by its name.
    seconds : float
        Wall time of the whole, once left.

    Raises
    ------
    SandboxUnavailableError
        On entering, if no sandbox can start here.
    """

    def __init__(self, cells: Sequence[Cell], limits: Limits | None = None, *, trusted: bool = False) -> None:
        self.cells = tuple(cells)
        self.limits = limits or Limits()
        self.trusted = trusted
        self.problems: dict[str, str] = {}
        self._left_out: set[str] = set()
        self._worker: Worker | None = None
        self._began = 0.0
        self._deadline = 0.0
        self.seconds = 0.0

    def __enter__(self) -> SandboxRunner:
        self._began = time.monotonic()
        self._deadline = self._began + self.limits.total_seconds
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        self.seconds = time.monotonic() - self._began

    def call(self, answer: str, arguments: tuple[Any, ...]) -> Outcome:
        """Call one answer in the sandbox; whatever happens there becomes an outcome."""
        if time.monotonic() >= self._deadline:
            return Outcome("time", text=f"The submission had used up its {self.limits.total_seconds:g} s.")
        if self._worker is None and not self._start():
            return Outcome("crash", text=self.problems.get("", "The process could not be started again."))
        assert self._worker is not None
        seconds = self.limits.call_seconds
        try:
            header, value = self._worker.ask(
                {"op": "call", "answer": answer, "seconds": seconds}, arguments, seconds + GRACE_SECONDS)
            return self._believe_little(answer, header, value, len(arguments))
        except WorkerLostError:
            self._stop()
            return Outcome("crash", text="The process that held the answers ended or stopped responding.")

    def _believe_little(self, answer: str, header: dict[str, Any], value: Any, count: int) -> Outcome:
        kind = header.get("kind")
        if kind not in KINDS:
            raise WorkerLostError("an answer of no known kind")
        changed = header.get("changed") or []
        if not (isinstance(changed, list) and all(type(i) is int and 0 <= i < count for i in changed)):
            raise WorkerLostError("inputs that do not exist")
        text = _text(header.get("text"))
        if kind == "missing":
            relevant = {answer: self.problems[answer]} if answer in self.problems else self.problems
            text += "".join(f" Cell {name}: {problem}" for name, problem in relevant.items())
        return Outcome(kind, value, _text(header.get("error_type"))[:100], text, tuple(changed),
                       header.get("refused") is True)

    def _start(self) -> bool:
        """Start a worker and run the cells; one that takes the worker down is left out the next time."""
        while time.monotonic() < self._deadline:
            self._worker = Worker(self.limits, trusted=self.trusted)
            lost = self._run_cells(self._worker)
            if lost is None:
                return True
            self._stop()
            if lost in self._left_out:
                break
            self._left_out.add(lost)
        self._stop()
        return False

    def _run_cells(self, worker: Worker) -> str | None:
        """Run every cell; the name of the one in which the worker was lost, None if all ended."""
        seconds = START_SECONDS + self.limits.cell_seconds
        for cell in self.cells:
            if cell.name in self._left_out:
                continue
            began = time.monotonic()
            try:
                header, _ = worker.ask({"op": "cell", "name": cell.name, "source": cell.source}, None, seconds)
            except WorkerLostError:
                waited = time.monotonic() - began
                self.problems[cell.name] = (
                    f"it did not finish within {seconds:g} s." if waited >= seconds - 0.5
                    else "running it ended the process.")
                return cell.name
            if header.get("status") != "ok":
                self.problems[cell.name] = _text(header.get("text")) or "it raised an error."
            seconds = self.limits.cell_seconds
        return None

    def _stop(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None


def _text(value: Any) -> str:
    """A message from inside: a short string without control characters, or nothing."""
    if not isinstance(value, str):
        return ""
    return "".join(c for c in value[:MAX_TEXT] if c.isprintable() or c == "\n")
