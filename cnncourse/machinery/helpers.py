"""Threads that wait for work wide awake, so that even jobs of a few microseconds can be shared.

Waking a thread takes some 50 microseconds, longer than many a layer. So a helper that has finished watches for the next
job for a while before it falls asleep, and without holding the interpreter lock: it reads one number in memory, its
bell, over and over. The caller raises this number and goes on to its own part of the work.

When two threads want the interpreter lock in the same moment one of them is put to sleep, and that has to be avoided
too. Hence the order of things: the caller rings while it still holds the lock, and gives it up a few microseconds
later, when its own kernel begins; a helper that hears the bell lets these few pass before it asks for the lock.
Likewise a helper says that it has finished when it no longer holds the lock: as the first thing that it does while it
watches its bell again.
"""

from __future__ import annotations

import platform
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from cnncourse import processors
from cnncourse.machinery.compiling import jit

WATCH = 200e-6
"""Seconds for which a helper watches for the next job before it sleeps."""
PATIENCE = 60e-6
"""Seconds for which a caller watches for the end of a job before it sleeps."""
COURTESY = 4e-6
"""Seconds from the bell until the caller has surely given up the interpreter lock."""
BELL, FINISHED = 0, 8
"""Where the two numbers of a helper lie: on cache lines of their own."""

_X86 = platform.machine().lower() in ("x86_64", "amd64")


@intrinsic
def _look(context: Any, numbers: Any, place: Any) -> Any:
    """Read a number that another thread may write, after a breath that leaves this core to others."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if _X86:
            pause = ir.FunctionType(ir.VoidType(), [])
            builder.call(cgutils.get_or_insert_function(builder.module, pause, "llvm.x86.sse2.pause"), [])
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return builder.load_atomic(builder.gep(data, [arguments[1]]), "acquire", 8)

    return types.int64(numbers, place), generate


@intrinsic
def _tell(context: Any, numbers: Any, place: Any, value: Any) -> Any:
    """Write a number that another thread may read, after everything that was written before."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        builder.store_atomic(arguments[2], builder.gep(data, [arguments[1]]), "release", 8)
        return context.get_dummy_value()

    return types.void(numbers, place, types.int64), generate


@jit
def _listen(numbers, finished, looks, courtesy):
    """Say that job `finished` is done, and watch the bell; whether it rang, or everything has been quiet."""
    _tell(numbers, FINISHED, finished)
    for _ in range(looks):
        if _look(numbers, BELL) != finished:
            for _ in range(courtesy):
                _look(numbers, BELL)
            return True
    return False


@jit
def _await(numbers, number, looks):
    """Watch for the end of job `number`, but not forever."""
    for _ in range(looks):
        if _look(numbers, FINISHED) >= number:
            break


@dataclass(eq=False)
class Job:
    """Work for one helper, and what became of it."""

    work: Callable[[], None]
    number: int
    ended: threading.Lock = field(default_factory=threading.Lock)
    error: BaseException | None = None


class Helper:
    """A thread that does one job after another.

    Parameters
    ----------
    position : int
        Helpers ask for the interpreter lock one after the other, by their positions 1, 2, ...
    """

    def __init__(self, position: int) -> None:
        self._numbers = np.zeros(16, np.int64)
        self._state = threading.Lock()
        self._alarm = threading.Lock()
        self._alarm.acquire()
        self._asleep = False
        self._job: Job | None = None
        # Without a processor of its own, a thread that watches would be in the way of the one that it waits for.
        looks = _looks_per_second(self._numbers) if position < processors.available() else 0.0
        self._watch, self._patience = int(WATCH * looks), int(PATIENCE * looks)
        self._courtesy = int(COURTESY * position * looks)
        threading.Thread(target=self._live, name=f"cnncourse-{position}", daemon=True).start()

    def begin(self, work: Callable[[], None]) -> Job:
        """Hand over work, to be begun within microseconds if all goes well; `end` has to follow."""
        job = Job(work, int(self._numbers[BELL]) + 1)
        job.ended.acquire()
        with self._state:
            self._job = job
            self._numbers[BELL] = job.number
            if self._asleep:
                self._asleep = False
                self._alarm.release()
        return job

    def end(self, job: Job) -> None:
        """Take the work back if it has not been begun, or wait until it is done."""
        with self._state:
            if self._job is job:
                self._job = None
                return
        _await(self._numbers, job.number, self._patience)
        job.ended.acquire()

    def _live(self) -> None:
        number = 0
        while True:
            if not _listen(self._numbers, number, self._watch, self._courtesy):
                with self._state:
                    self._asleep = quiet = self._numbers[BELL] == number
                if quiet:
                    self._alarm.acquire()
            with self._state:
                number, job, self._job = int(self._numbers[BELL]), self._job, None
            if job is not None:
                try:
                    job.work()
                except BaseException as error:
                    job.error = error
                job.ended.release()
                del job


def _looks_per_second(numbers: NDArray[np.int64]) -> float:
    _await(numbers, 1, 1)  # compiled
    looks, fastest = 2_000, 1.0
    for _ in range(3):
        start = time.perf_counter()
        _await(numbers, 1, looks)
        fastest = min(fastest, time.perf_counter() - start)
    return looks / fastest
