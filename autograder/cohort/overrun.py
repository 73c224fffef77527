"""The judge's own work on one submission has an end: what takes too much of its time or memory costs that one only.

What strangers' code does in its sandbox is limited there. This is about the work around it, comparing, explaining,
drawing, writing pages, which a stranger's values and texts could make as long as they like. A thread looks at what the
process uses and, where that is too much, raises an exception in the thread that works. What is asked for all at once,
between two looks, the system refuses. Where work does not return to Python, and so never sees the exception, a process
of a pool is ended after some more time; the submission is then tried once more, alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import multiprocessing
import os
import threading
import time
from collections.abc import Iterator

from autograder.errors import OverrunError

try:
    import resource
except ImportError:  # Windows, where memory is not looked at
    resource = None  # type: ignore[assignment]

SECONDS = 30.0
"""Processor time of the judge's own for one submission; most take half a second."""

MEMORY = 500 << 20
"""What the judge may grow by while it works on one submission, in bytes."""

ROOM = 1 << 30
"""Addresses beyond that which the system still gives: some are asked for and never used."""

LOOK_SECONDS, AGAIN_SECONDS = 0.05, 1.0
KILL_SECONDS = 120.0
"""Wall time beside the sandbox's own after which a process of a pool ends."""


@contextlib.contextmanager
def bounded(wall_seconds: float, seconds: float = SECONDS, memory: int = MEMORY) -> Iterator[None]:
    """Do the judge's work on one submission within limits.

    Parameters
    ----------
    wall_seconds : float
        What the submission itself may take in its sandbox, which is not the judge's.
    seconds : float, optional
        Processor time of this process.
    memory : int, optional
        Bytes by which this process may grow.

    Raises
    ------
    OverrunError
        If it takes more.
    """
    watch = _Watch(seconds, memory)
    in_a_pool = multiprocessing.parent_process() is not None
    with contextlib.ExitStack() as stack:
        if in_a_pool:
            null = stack.enter_context(open(os.devnull, "w"))
            faulthandler.dump_traceback_later(wall_seconds + KILL_SECONDS, exit=True, file=null)
            stack.callback(faulthandler.cancel_dump_traceback_later)
        stack.enter_context(_refusing(memory + ROOM))
        watch.start()
        try:
            try:
                yield
            finally:
                watch.stop()
        except MemoryError:
            raise OverrunError(f"judging it took more than {memory >> 20} MiB of the judge's own memory") from None
        except OverrunError as error:
            watch.stop()  # it may have come just before
            raise OverrunError(watch.text or str(error)) from None


class _Watch:
    """A thread that looks at what the process uses, on behalf of the thread that starts it."""

    def __init__(self, seconds: float, memory: int) -> None:
        self.text = ""
        self._seconds, self._memory = seconds, memory
        self._worker = ctypes.c_ulong(threading.get_ident())
        self._over = threading.Event()
        self._turn = threading.Lock()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def start(self) -> None:
        """From now on."""
        self._began, self._size = time.process_time(), _resident()
        self._thread.start()

    def stop(self) -> None:
        """Raise nothing any more, not even what is on its way."""
        while True:
            try:
                with self._turn:
                    self._over.set()
                ctypes.pythonapi.PyThreadState_SetAsyncExc(self._worker, None)
                break
            except OverrunError:
                continue
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(AGAIN_SECONDS if self.text else LOOK_SECONDS):
            self.text = self.text or self._what_is_too_much()
            if self.text:
                with self._turn:
                    if not self._over.is_set():
                        ctypes.pythonapi.PyThreadState_SetAsyncExc(self._worker, ctypes.py_object(OverrunError))

    def _what_is_too_much(self) -> str:
        if time.process_time() - self._began > self._seconds:
            return f"judging it took more than {self._seconds:g} s of the judge's own time"
        if _resident() - self._size > self._memory:
            return f"judging it took more than {self._memory >> 20} MiB of the judge's own memory"
        return ""


@contextlib.contextmanager
def _refusing(growth: int) -> Iterator[None]:
    """Let the system refuse memory by which this process would grow too much, where it can."""
    size = _pages(0)
    if resource is None or not hasattr(resource, "RLIMIT_AS") or not size:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = size + growth
    if soft != resource.RLIM_INFINITY and soft <= most:
        yield
        return
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _pages(column: int) -> int:
    """Bytes of addresses (0) or of memory (1) that this process has; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[column]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _resident() -> int:
    """Bytes of memory that this process has; where the system does not say, the most that it ever had."""
    return _pages(1) or (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss if resource else 0)
