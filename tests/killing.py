"""The grading command, and `kill -9` of something that it needs, at a moment of one's choice."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import psutil

from tests.classroom import ASSIGNMENT
from tests.faults import Differences, State, differences, half_written, state

GRACE_SECONDS = 5.0
"""So long after the end of the command, its processes may still be there."""
RUN_SECONDS = 120.0
MOST_RUNS = 4
PR_SET_CHILD_SUBREAPER = 36
OTHERS = ("resource_tracker",)
"""Parts of the command line of processes that do no grading."""


@dataclass
class Outcome:
    """What came of one try.

    Attributes
    ----------
    beginning : str
        See `tests.faults`.
    moment : float
        Seconds after the start.
    victim : str
        What was killed; empty if the command had ended before.
    differences : Differences
        From an undisturbed run, in the end.
    half_written : list of str
        Files that were not whole at the kill or in the end.
    left_over : list of str
        Processes that were there GRACE_SECONDS after the command had ended.
    unclear : list of str
        Last words of runs that were not killed themselves and ended with a traceback, without a word, or never.
    runs : int
        How often the command was started after the kill until it ended well.
    seconds : float
        From the kill to the good end, repairs included.
    """

    beginning: str
    moment: float
    victim: str = ""
    differences: Differences = field(default_factory=Differences)
    half_written: list[str] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)
    runs: int = 0
    seconds: float = 0.0

    @property
    def faults(self) -> list[str]:
        """Everything that is not as it should be, in words."""
        kinds = {"lost": self.differences.lost, "doubled": self.differences.doubled, "stray": self.differences.stray,
                 "half-written": self.half_written, "left over": self.left_over, "unclear": self.unclear}
        return [f"{kind}: {one}" for kind, found in kinds.items() for one in found]


class Grading:
    """One run of `course grade`.

    Parameters
    ----------
    folder : Path
        The course.
    *options : str
        Of the command.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self._output = folder.with_name(f"{folder.name}.output")
        with self._output.open("wb") as file:
            self.process = psutil.Popen(
                [sys.executable, "-m", "autograder.cli", "grade", ASSIGNMENT, "--course", str(folder), *options],
                stdout=file, stderr=file, stdin=subprocess.DEVNULL, start_new_session=True)

    @property
    def output(self) -> str:
        """What it has said so far."""
        return self._output.read_text(errors="replace")

    def wait(self) -> int | None:
        """Its exit status; None if it did not end and had to be killed."""
        try:
            return self.process.wait(RUN_SECONDS)
        except psutil.TimeoutExpired:
            kill(self.process.pid)
            self.process.wait()
            return None

    def complaint(self, status: int | None) -> str:
        """What is wrong with the way in which it ended; empty if it ended well or with a clear sentence."""
        output = self.output
        if status is None:
            return f"no end within {RUN_SECONDS:g} s: {output[-1000:]}"
        said = "Error:" in output or ("failed" in output and " 0 failed" not in output)
        if "Traceback" in output or "--- Logging error" in output or status not in (0, 1) or (status and not said):
            return f"status {status}: {output[-1500:]}"
        return ""


def try_once(
    folder: Path, beginning: str, moment: float, strike: Callable[[psutil.Popen], str], expected: State, *,
    options: Iterable[str] = (), mend: Callable[[], None] = lambda: None, db_url: str | None = None,
    services: Callable[[], set[int]] = set,
) -> Outcome:
    """Grade, kill something at a moment, grade again until all is well, and compare.

    Parameters
    ----------
    folder : Path
        A course; `beginning` says how it stands.
    beginning : str
    moment : float
    strike : callable
        Kills something that the command needs; says what, or nothing if there is nothing to kill any more.
    expected : State
    options : iterable of str, optional
        Of the command.
    mend : callable, optional
        Starts again what was killed.
    db_url : str, optional
    services : callable, optional
        Processes that stay, with what belongs to them.
    """
    outcome = Outcome(beginning, moment)
    options = [*options, *(["--db-url", db_url] if db_url else [])]
    others = {child.pid for child in psutil.Process().children()}
    with adopting():
        grading = Grading(folder, *options, *(["--force"] if beginning == "forced" else []))
        time.sleep(moment)
        outcome.victim = strike(grading.process)
        struck = time.monotonic()
        outcome.half_written += half_written(folder)
        status = grading.wait()
        if outcome.victim != "command" and (complaint := grading.complaint(status)):
            outcome.unclear.append(complaint)
        outcome.left_over += left_over(others | services())
        mend()
        while status != 0 and outcome.runs < MOST_RUNS:
            outcome.runs += 1
            grading = Grading(folder, *options)
            if complaint := grading.complaint(status := grading.wait()):
                outcome.unclear.append(complaint)
        outcome.seconds = time.monotonic() - struck
        outcome.left_over += left_over(others | services())
    if status != 0:
        outcome.unclear.append(f"no good end after {outcome.runs} more runs: {grading.output[-1500:]}")
    outcome.differences = differences(expected, state(folder, db_url))
    outcome.half_written += half_written(folder)
    return outcome


# ---- strikes ---------------------------------------------------------------------------------------------------------

def at_the_command(process: psutil.Popen) -> str:
    """Kill the command itself."""
    if process.poll() is not None:
        return ""
    kill(process.pid)
    return "command"


def at_a_worker(process: psutil.Popen, rng: Random) -> str:
    """Kill one of its processes that grade, or the one that starts these."""
    return _one_of(process, rng, lambda one: not _is_sandbox(one))


def at_a_sandbox(process: psutil.Popen, rng: Random) -> str:
    """Kill a process of a sandbox."""
    return _one_of(process, rng, _is_sandbox)


def kill(pid: int) -> None:
    """End one process without any warning."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _one_of(process: psutil.Popen, rng: Random, wanted: Callable[[psutil.Process], bool]) -> str:
    """Kill one of a command's processes as soon as there is one."""
    while process.poll() is None:
        with contextlib.suppress(psutil.Error):
            found = [one for one in process.children(recursive=True) if wanted(one)
                     and one.status() != psutil.STATUS_ZOMBIE and not any(o in _words(one) for o in OTHERS)]
            if found:
                victim = rng.choice(found)
                name = _words(victim)
                kill(victim.pid)
                return name[-60:]
        time.sleep(0.005)
    return ""


def _is_sandbox(process: psutil.Process) -> bool:
    return any(one.name() == "bwrap" for one in [process, *process.parents()])


def _words(process: psutil.Process) -> str:
    return " ".join(process.cmdline()) or process.name()


# ---- what is left ----------------------------------------------------------------------------------------------------

@contextlib.contextmanager
def adopting() -> Iterator[None]:
    """Become the parent of processes whose parent was killed, wherever they are in the tree."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def left_over(services: set[int]) -> list[str]:
    """Processes below this one that do not end, apart from services; they are ended."""
    deadline = time.monotonic() + GRACE_SECONDS
    while (there := _below(services)) and time.monotonic() < deadline:
        time.sleep(0.05)
    found = []
    for process in there:
        with contextlib.suppress(psutil.Error):
            found.append(f"{process.pid} {_words(process)[:100]}")
            kill(process.pid)
    return found


def _below(services: set[int]) -> list[psutil.Process]:
    found = []
    for child in psutil.Process().children():
        if child.pid not in services:
            found += [child, *child.children(recursive=True)]
    return [process for process in found if not _is_gone(process)]


def _is_gone(process: psutil.Process) -> bool:
    try:
        if process.status() != psutil.STATUS_ZOMBIE:
            return False
        if process.ppid() == os.getpid():
            os.waitpid(process.pid, os.WNOHANG)
    except (psutil.Error, ChildProcessError):
        pass
    return True
