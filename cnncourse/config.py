"""Settings of the reference: how many threads it may use, and whether it may take short cuts that round differently."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from cnncourse import processors
from cnncourse.errors import ArgumentError
from cnncourse.geometry.settings import whole

THREADS_VARIABLE = "CNNCOURSE_NUM_THREADS"
OTHERS_VARIABLES = "NUMBA_NUM_THREADS", "OMP_NUM_THREADS"
"""Environment variables with the most threads that may run: ours, and those by which clusters tell every library."""

_num_threads: int | None = None
_winograd: ContextVar[bool] = ContextVar("winograd", default=True)


def get_num_threads() -> int:
    """How many threads one operation may use.

    Returns
    -------
    int
        What `set_num_threads` was told. Before that one for each processor that this process may use, see
        `cnncourse.processors`, and no more than the least of the environment variables CNNCOURSE_NUM_THREADS,
        NUMBA_NUM_THREADS and OMP_NUM_THREADS that are set.

    Raises
    ------
    ArgumentError
        If CNNCOURSE_NUM_THREADS is no number of threads. What the others hold is for others to complain about.
    """
    if _num_threads is None:
        set_num_threads(min([processors.available(), *_asked_for()]))
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


def _asked_for() -> Iterator[int]:
    if (own := os.environ.get(THREADS_VARIABLE, "").strip()) and not (own.isdecimal() and int(own)):
        raise ArgumentError(f"the environment variable {THREADS_VARIABLE} has to be a whole number of at least 1, it "
                            f"is {own!r}")
    for variable in (THREADS_VARIABLE, *OTHERS_VARIABLES):
        first = os.environ.get(variable, "").split(",")[0].strip()  # OpenMP takes a number for each level of nesting
        if first.isdecimal() and int(first):
            yield int(first)
