"""Sandboxes that stay: started once, lent to one submission after the other, given back empty.

A sandbox's first process imports NumPy and waits. For each submission it gets two fresh pipes and forks; when the
submission is done it kills everything else in there, empties the folder that could be written to, and says so. A
sandbox that does not is ended, and so is one whose first process a stranger has killed or stopped.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import threading

from autograder.sandbox.exchange import Worker, WorkerLostError
from autograder.sandbox.isolation import Limits, start

START_SECONDS = 30.0
CLEARING_SECONDS = 4.0


class Sandbox:
    """One sandbox with its first process, which waits for submissions.

    Parameters
    ----------
    limits : Limits

    Raises
    ------
    SandboxUnavailableError
        If no sandbox can start here.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = start(limits, stdin=theirs, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  start_new_session=True)
        self._ready = False

    def lend(self) -> Worker | None:
        """A worker for one submission; None if this sandbox is of no use any more."""
        inside_reads, given = os.pipe()
        answers, inside_writes = os.pipe()
        try:
            if not self._ready and not self._is_ready_within(START_SECONDS):
                raise OSError("the first process does not answer")
            socket.send_fds(self._control, [b"begin"], [inside_reads, inside_writes])
            self._ready = False
        except OSError:
            os.close(given)
            os.close(answers)
            self.kill()
            return None
        finally:
            os.close(inside_reads)
            os.close(inside_writes)
        return Worker(given, answers, self._take_back)

    def kill(self) -> None:
        """End the sandbox and everything in it."""
        _kill(self._process)
        self._control.close()

    def _take_back(self) -> None:
        """Have everything of the submission ended; keep the sandbox for others only if that succeeds."""
        try:
            self._control.send(b"end")
            self._ready = self._is_ready_within(CLEARING_SECONDS)
        except OSError:
            self._ready = False
        if self._ready:
            _idle.keep(self)
        else:
            self.kill()

    def _is_ready_within(self, seconds: float) -> bool:
        self._control.settimeout(seconds)
        return self._control.recv(16) == b"ready"


class _Idle:
    """Sandboxes that wait, by the process that started them and by their limits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[tuple[int, Limits], list[Sandbox]] = {}

    def take(self, limits: Limits) -> Sandbox | None:
        with self._lock:
            waiting = self._waiting.get((os.getpid(), limits))
            return waiting.pop() if waiting else None

    def keep(self, sandbox: Sandbox) -> None:
        with self._lock:
            self._waiting.setdefault((os.getpid(), sandbox.limits), []).append(sandbox)

    def end_all(self) -> None:
        with self._lock:
            for (process, _), waiting in self._waiting.items():
                while waiting and process == os.getpid():
                    waiting.pop().kill()


_idle = _Idle()


@atexit.register
def end_idle() -> None:
    """End the sandboxes that wait; the next submission gets a new one."""
    _idle.end_all()


def worker_for(limits: Limits, *, trusted: bool = False) -> Worker:
    """A worker for one submission, from a sandbox that waits or from a new one.

    Parameters
    ----------
    limits : Limits
    trusted : bool, optional
        Run without walls, in a process of its own.

    Raises
    ------
    SandboxUnavailableError
        If no sandbox can start here.
    WorkerLostError
        If a new sandbox does not answer.
    """
    if trusted:
        return _trusted_worker(limits)
    while (waiting := _idle.take(limits)) is not None:
        if worker := waiting.lend():
            return worker
    if worker := Sandbox(limits).lend():
        return worker
    raise WorkerLostError(f"a new sandbox did not answer within {START_SECONDS:g} s")


def _trusted_worker(limits: Limits) -> Worker:
    folder = tempfile.TemporaryDirectory(prefix="answers-")
    inside_reads, given = os.pipe()
    answers, inside_writes = os.pipe()
    try:
        process = start(
            limits, trusted=True, stdin=inside_reads, stdout=inside_writes, stderr=subprocess.DEVNULL,
            start_new_session=True, cwd=folder.name,
            env={"PATH": os.defpath, "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "Agg"})
    finally:
        os.close(inside_reads)
        os.close(inside_writes)

    def end() -> None:
        _kill(process)
        folder.cleanup()

    return Worker(given, answers, end)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
    process.wait()
