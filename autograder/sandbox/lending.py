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
from collections.abc import Callable
from typing import Any, BinaryIO

from autograder.sandbox import wire
from autograder.sandbox.isolation import Limits, start

START_SECONDS = 30.0
CLEARING_SECONDS = 4.0


class WorkerLostError(Exception):
    """The worker ended, hung or broke the protocol.

    Attributes
    ----------
    late : bool
        Whether it was ended because its time was over.
    """

    def __init__(self, text: str, late: bool = False) -> None:
        super().__init__(text)
        self.late = late


class Worker:
    """What runs one submission: two pipes, and a way to end it.

    Parameters
    ----------
    given, answers : file
        Where frames are written to, and read from.
    on_end : callable
        Ends all of its processes; called once.
    """

    def __init__(self, given: BinaryIO, answers: BinaryIO, on_end: Callable[[], None]) -> None:
        self._given = given
        self._answers = answers
        self._on_end = on_end
        self._ending = threading.Lock()
        self._ended = False

    def ask(self, header: dict[str, Any], value: Any, seconds: float) -> tuple[dict[str, Any], Any]:
        """Send one frame and wait for the answer.

        Raises
        ------
        WorkerLostError
            If no well-formed answer comes in time.
        """
        late = threading.Event()

        def give_up() -> None:
            late.set()
            self._end_processes()

        watch = threading.Timer(seconds, give_up)
        watch.start()
        try:
            self.tell(header, value)
            frame = wire.read_frame(self._answers.read)
        except (OSError, ValueError) as error:
            raise WorkerLostError(str(error), late.is_set()) from error
        finally:
            watch.cancel()
        if frame is None:
            raise WorkerLostError("the process ended", late.is_set())
        return frame

    def tell(self, header: dict[str, Any], value: Any = None) -> None:
        """Send one frame to which there is no answer.

        Raises
        ------
        WorkerLostError
            If nobody reads it any more.
        """
        try:
            self._given.write(wire.pack(header, value))
            self._given.flush()
        except OSError as error:
            raise WorkerLostError(str(error)) from error

    def end(self) -> None:
        """End its processes and release the pipes."""
        self._end_processes()
        for pipe in (self._given, self._answers):
            with contextlib.suppress(OSError):
                pipe.close()

    def _end_processes(self) -> None:
        with self._ending:
            if not self._ended:
                self._ended = True
                self._on_end()


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
        return Worker(os.fdopen(given, "wb"), os.fdopen(answers, "rb"), self._take_back)

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
    process = start(
        limits, trusted=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        start_new_session=True, cwd=folder.name,
        env={"PATH": os.defpath, "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "Agg"})
    assert process.stdin is not None and process.stdout is not None

    def end() -> None:
        _kill(process)
        folder.cleanup()

    return Worker(process.stdin, process.stdout, end)  # type: ignore[arg-type]


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
    process.wait()
