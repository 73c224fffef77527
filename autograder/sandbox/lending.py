"""Sandboxes that stay: started once, lent to one submission after the other, given back empty.

A sandbox's first process imports NumPy and waits (see `inside/lender.py`). For each submission it gets two fresh pipes
and forks; when the submission is done it kills everything of it, empties the folder that could be written to, compares
all that strangers could have changed with what it was, and says that it is ready. A sandbox that does not say so is
ended, and the next submission gets a new one.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from autograder.errors import SandboxLostError
from autograder.sandbox import cgroups
from autograder.sandbox.cgroups import Group
from autograder.sandbox.exchange import Tenant
from autograder.sandbox.settings import Limits
from autograder.sandbox.way import Way

START_SECONDS = 30.0
CLEARING_SECONDS = 4.0
ENDING_SECONDS = 3.0
"""How long a first process may take to clear up and end, once nobody speaks to it any more."""
LAST_WORDS_SECONDS = 1.0
MESSAGE = 1 << 11
USED_UP = b"used up"
"""What a first process says that has no user left to give to a submission."""

T = TypeVar("T")


class Sandbox:
    """One sandbox with its first process, which waits for submissions.

    Parameters
    ----------
    limits : Limits
    way : Way
        How it is isolated.

    Raises
    ------
    OSError
        If its first process cannot be started.
    """

    def __init__(self, limits: Limits, way: Way) -> None:
        self.limits, self.way = limits, way
        self._group = _group(limits)
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                self._started = _in_a_lasting_thread(partial(
                    way.start, limits, self._group, stdin=theirs, stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL, start_new_session=True))
        except BaseException:
            self._release()
            raise
        self._ready = False
        self._told = b""
        self._submission = 0
        try:
            self._control.send(self._started.settings.message())
        except BaseException:
            self.kill()
            raise

    def lend(self) -> Tenant | None:
        """A tenant for one submission; None if this sandbox is of no use any more."""
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
        return Tenant(given, answers, self._take_back, self._discard)

    @property
    def last_words(self) -> str:
        """What its first process has said instead of being ready."""
        return self._told.decode(errors="replace")

    def kill(self) -> None:
        """End the sandbox and everything in it."""
        if self._control.fileno() < 0:
            return
        process = self._started.process
        self._hear_the_rest()
        if not self._started.ends_by_itself:
            self._control.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(ENDING_SECONDS)
            if process.returncode != 0 and self._submission:
                # Whatever became of the first process, all of a submission is in one process group.
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._submission, signal.SIGKILL)
        end_process(process)
        self._release()
        self._started.clean()

    def _discard(self) -> str:
        self._hear_the_rest(LAST_WORDS_SECONDS)
        self.kill()
        return self.last_words

    def _release(self) -> None:
        self._control.close()
        if self._group:
            self._group.remove()

    def _take_back(self) -> str:
        """Have everything of the submission ended, and keep the sandbox for others; or else say why it is not kept."""
        if self._control.fileno() < 0:
            return ""
        try:
            self._control.send(b"end")
            self._ready = self._is_ready_within(CLEARING_SECONDS)
        except OSError:
            self._ready = False
        if self._ready:
            idle.keep(self)
            return ""
        self.kill()
        return "" if self._told == USED_UP else self.last_words or "its first process ended"

    def _is_ready_within(self, seconds: float) -> bool:
        self._control.settimeout(seconds)
        return self._hear() == b"ready"

    def _hear(self) -> bytes:
        """What the first process says, which process group a submission has excepted; nothing if it has ended."""
        while (message := self._control.recv(MESSAGE)).startswith(b"lent "):
            self._submission = int(message[5:])
        if message == b"ready":
            self._submission = 0
        elif message:
            self._told = message
        return message

    def _hear_the_rest(self, seconds: float = 0.0) -> None:
        with contextlib.suppress(OSError):
            self._control.settimeout(seconds)
            while self._hear():
                pass


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
        self._waiting: dict[tuple[int, Limits, str], list[Sandbox]] = {}

    def take(self, limits: Limits, way: Way) -> Sandbox | None:
        with self._lock:
            waiting = self._waiting.get((os.getpid(), limits, way.name))
            return waiting.pop() if waiting else None

    def keep(self, sandbox: Sandbox) -> None:
        with self._lock:
            self._waiting.setdefault((os.getpid(), sandbox.limits, sandbox.way.name), []).append(sandbox)

    def unlock(self) -> None:
        """Another thread may have held the lock when this process was forked."""
        self._lock = threading.Lock()

    def end_all(self) -> None:
        with self._lock:
            for (process, _, _), waiting in self._waiting.items():
                while waiting and process == os.getpid():
                    waiting.pop().kill()


idle = _Idle()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=idle.unlock)


@atexit.register
def end_idle() -> None:
    """End the sandboxes that wait; the next submission gets a new one."""
    idle.end_all()


def tenant_for(limits: Limits, way: Way) -> Tenant:
    """A tenant for one submission, from a sandbox that waits or from a new one.

    Parameters
    ----------
    limits : Limits
    way : Way

    Raises
    ------
    OSError
        If no sandbox can be started.
    SandboxLostError
        If a new sandbox does not answer.
    """
    while (waiting := idle.take(limits, way)) is not None:
        if tenant := waiting.lend():
            return tenant
    new = Sandbox(limits, way)
    if tenant := new.lend():
        return tenant
    raise SandboxLostError(new.last_words or f"a new sandbox ended, or did not answer within {START_SECONDS:g} s")


def greeted(tenant: Tenant) -> None:
    """Wait until a tenant answers, before it has run anything of a stranger's.

    Raises
    ------
    SandboxLostError
        If it does not, which is the sandbox's failure and nobody else's.
    """
    for _ in tenant.exchange([({"op": "hello"}, None)], START_SECONDS):
        pass


def end_process(process: subprocess.Popen[bytes]) -> None:
    """End a process and all of its group, and wait for it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
    process.wait()
