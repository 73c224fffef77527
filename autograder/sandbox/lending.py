"""Sandboxes that stay: started once, lent to one submission after the other, given back empty.

A sandbox's first process imports NumPy and waits. For each submission it gets two fresh pipes and forks; when the
submission is done it kills everything else in there, empties the folder that could be written to, and says so. A
sandbox that does not is ended, and so is one whose first process a stranger has killed or stopped.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from autograder.errors import SandboxLostError
from autograder.sandbox import cgroups
from autograder.sandbox.cgroups import Group
from autograder.sandbox.exchange import Worker
from autograder.sandbox.isolation import Limits, start

START_SECONDS = 30.0
CLEARING_SECONDS = 4.0
T = TypeVar("T")


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
        self._group = _group(limits)
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                self._process = _in_a_lasting_thread(partial(
                    start, limits, group=self._group, stdin=theirs, stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL, start_new_session=True))
        except BaseException:
            self._release()
            raise
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
        self._release()

    def _release(self) -> None:
        self._control.close()
        if self._group:
            self._group.remove()

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


def _group(limits: Limits) -> Group | None:
    """A control group for a sandbox; None where resource limits have to do."""
    folder = cgroups.parent()
    try:
        return Group(folder, limits.memory_bytes + limits.scratch_bytes, limits.processes) if folder else None
    except OSError:
        return None


def _in_a_lasting_thread(work: Callable[[], T]) -> T:
    """Bubblewrap ends with the thread that has started it, and a sandbox may outlive the one that needs it first."""
    if threading.current_thread() is threading.main_thread():
        return work()
    return _lasting_thread(os.getpid()).submit(work).result()


@functools.cache
def _lasting_thread(process: int) -> ThreadPoolExecutor:
    """One thread of this process that ends with it; forks do not have it, and get their own."""
    return ThreadPoolExecutor(1, thread_name_prefix="sandboxes")


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

    def unlock(self) -> None:
        """Another thread may have held the lock when this process was forked."""
        self._lock = threading.Lock()

    def end_all(self) -> None:
        with self._lock:
            for (process, _), waiting in self._waiting.items():
                while waiting and process == os.getpid():
                    waiting.pop().kill()


_idle = _Idle()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.unlock)


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
    SandboxLostError
        If a new sandbox does not answer.
    """
    if trusted:
        return _trusted_worker(limits)
    while (waiting := _idle.take(limits)) is not None:
        if worker := waiting.lend():
            return worker
    if worker := Sandbox(limits).lend():
        return worker
    raise SandboxLostError(f"a new sandbox ended, or did not answer within {START_SECONDS:g} s")


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
