"""Sharing the work of kernels among threads, and the memory that they work in.

Every kernel takes `first, last` before its arrays and does that part of its work; it holds no Python object and
releases the interpreter lock. `share` cuts the work into parts, and threads take one part after the other until none
is left; the caller is one of these threads. That is all there is of parallelism here, and on purpose: Numba's own
thread layers either do not survive a fork or do not allow calls from several threads, and BLAS brings threads of its
own that multiply with them. Which thread does which part is left to chance, but no two parts write to the same place
and no sum is split between parts differently from run to run, so that results are.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncourse import config
from cnncourse.machinery.helpers import Helper

LINE_BYTES = 64
KEPT_BYTES = 8 << 20

_helpers: list[Helper] = []
_busy = threading.Lock()
_kept = threading.local()


@dataclass
class Demand:
    """Memory that an operation asks for beside its arguments and results, in bytes.

    Attributes
    ----------
    standing : dict of (str, int) to int
        For each purpose and thread what stays for the next call.
    passing : int
        The most that comes and goes at once.
    """

    standing: dict[tuple[str, int], int] = field(default_factory=dict)
    passing: int = 0

    def note(self, purpose: str, count: int, threads: int) -> None:
        """Memory of one purpose for each of some threads."""
        if count > KEPT_BYTES:
            self.passing = max(self.passing, threads * count)
        else:
            for thread in range(threads):
                self.standing[purpose, thread] = max(self.standing.get((purpose, thread), 0), count + LINE_BYTES)


_demand: ContextVar[Demand | None] = ContextVar("demand", default=None)


@contextmanager
def only_asking() -> Iterator[Demand]:
    """Within this context nothing is computed; what `share`, `memory` and `fresh` are asked for is noted down."""
    demand = Demand()
    token = _demand.set(demand)
    try:
        yield demand
    finally:
        _demand.reset(token)


def is_asking() -> bool:
    """Whether nothing is computed at present; see `only_asking`."""
    return _demand.get() is not None


def share(
    kernel: Callable[..., None], tasks: int, *arguments: Any, parts: int | None = None, scratch: int = 0
) -> None:
    """Call `kernel(first, last, *arguments)` until all of range(tasks) is done, on as many threads as are allowed.

    While the helpers work for another thread of the program, this one does everything by itself.

    Parameters
    ----------
    kernel : compiled function
        Writes only to what belongs to tasks first, ..., last - 1.
    tasks : int
    *arguments
        Passed on.
    parts : int, optional
        Into how many parts the tasks are cut; 1 keeps the work in this thread, which is best below some
        20 microseconds. By default four for each thread, so that a thread that was held up does not hold up the rest.
    scratch : int, optional
        If not zero, the kernel takes so many bytes of memory of its thread's own as a third argument; see `memory`.
    """
    threads = 1 if parts == 1 else min(config.get_num_threads(), tasks)
    if (demand := _demand.get()) is not None:
        if scratch:
            demand.note("work", scratch, threads)
        return
    if scratch:
        plain = kernel

        def kernel(first: int, last: int, *arguments: Any) -> None:
            plain(first, last, memory("work", scratch), *arguments)

    if threads <= 1 or not _busy.acquire(blocking=False):
        kernel(0, tasks, *arguments)
        return
    count = min(parts or 4 * threads, tasks)
    numbers = itertools.count()
    # Emptied in the end: a helper may be late in forgetting what it did, and must not hold on to arrays meanwhile.
    given = [arguments]
    del arguments

    def work() -> None:
        passed = given[0]
        while (part := next(numbers)) < count:
            kernel(part * tasks // count, (part + 1) * tasks // count, *passed)

    try:
        while len(_helpers) < threads - 1:
            _helpers.append(Helper(len(_helpers) + 1))
        jobs = [(helper, helper.begin(work)) for helper in _helpers[:threads - 1]]
        try:
            work()
        finally:
            for helper, job in jobs:
                helper.end(job)
    finally:
        given.clear()
        _busy.release()
    for _, job in jobs:
        if job.error is not None:
            raise job.error


def memory(purpose: str, count: int) -> NDArray[np.uint8]:
    """Memory for short use that begins at a cache line; what is in it is left over from before.

    Fresh memory has to be cleared by the operating system, a page at a time, and is in no cache. So each thread keeps
    what it used last, one piece for each purpose, up to KEPT_BYTES.
    """
    if (demand := _demand.get()) is not None:
        demand.note(purpose, count, 1)
        return np.broadcast_to(np.uint8(0), count)
    kept: dict[str, NDArray[np.uint8]] | None = getattr(_kept, "memory", None)
    if kept is None:
        kept = _kept.memory = {}
    found = kept.get(purpose)
    if found is None or len(found) < count:
        raw = np.empty(count + LINE_BYTES, np.uint8)
        skip = -raw.ctypes.data % LINE_BYTES
        found = raw[skip:skip + count]
        if count <= KEPT_BYTES:
            kept[purpose] = found
    return found


def fresh(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """An array for short use whose size depends on the arguments."""
    if (demand := _demand.get()) is not None:
        one = np.zeros((), dtype)
        found = np.broadcast_to(one, shape)
        demand.passing = max(demand.passing, found.size * one.itemsize)
        return found
    return np.empty(shape, dtype)


def _forget_helpers() -> None:
    """After a fork the threads stayed with the parent."""
    global _busy
    _helpers.clear()
    _busy = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_helpers)
