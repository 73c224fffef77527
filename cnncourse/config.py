"""Settings of the reference: how many threads it may use, and whether it may take short cuts that round differently."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from cnncourse.geometry.settings import whole

THREADS_VARIABLE = "CNNCOURSE_NUM_THREADS"
"""Environment variable with the number of threads; by default one for each processor that this process may use."""

_num_threads: int | None = None
_winograd: ContextVar[bool] = ContextVar("winograd", default=True)


def get_num_threads() -> int:
    """How many threads one operation may use.

    Returns
    -------
    int
    """
    if _num_threads is None:
        set_num_threads(int(os.environ.get(THREADS_VARIABLE, "0")) or processors())
        return get_num_threads()
    return _num_threads


def set_num_threads(number: int) -> None:
    """Set how many threads one operation may use, for the whole process.

    Parameters
    ----------
    number : int
        At least 1. Results differ by rounding at most.

    Raises
    ------
    ArgumentError
    """
    global _num_threads
    _num_threads = whole("set_num_threads: number", number, 1)


def winograd_allowed() -> bool:
    """Whether convolutions may use Winograd's algorithm where it is faster; see `exact`.

    Returns
    -------
    bool
    """
    return _winograd.get()


@contextmanager
def exact() -> Iterator[None]:
    """Within this context convolutions add products and nothing else: no Winograd transforms.

    Winograd's algorithm rounds more: in single precision results differ by about 1e-5 of the largest one instead of
    1e-6. The judge compares within this context. It holds for the current thread (and its asyncio tasks) alone.

    Examples
    --------
    >>> with exact():
    ...     winograd_allowed()
    False
    """
    token = _winograd.set(False)
    try:
        yield
    finally:
        _winograd.reset(token)


def processors() -> int:
    """How many processors this process may use.

    Returns
    -------
    int
    """
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1
