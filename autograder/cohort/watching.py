"""Grading what arrives: a look at the submissions now and then, until somebody stops it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from autograder.classroom.course import Course

LOOK_SECONDS = 2.0
QUIET_SECONDS = 3.0
"""So long a student's files have to be the same before they are graded: they may be arriving."""


def watch(
    course: Course, assignment: str, grade: Callable[[list[str]], None], *, look_seconds: float = LOOK_SECONDS,
    quiet_seconds: float = QUIET_SECONDS, stop: threading.Event | None = None,
) -> None:
    """Call `grade` with students whose files are new or otherwise, each time there are some.

    Parameters
    ----------
    course : Course
    assignment : str
    grade : callable
        Is given the students; at first everybody, since it finds out itself what is done already.
    look_seconds, quiet_seconds : float, optional
    stop : threading.Event, optional
        Ends it once it is set; so do SIGTERM and Ctrl+C, after the submissions at hand.
    """
    seen: dict[str, object] = {}
    done: dict[str, object] = {}
    since: dict[str, float] = {}
    with _until_stopped(stop or threading.Event()) as over:
        while not over.is_set():
            now = time.monotonic()
            for student in course.submitted(assignment):
                state = _state(course, student, assignment)
                if seen.get(student) != state:
                    seen[student], since[student] = state, now
            ready = [student for student, state in seen.items()
                     if done.get(student) != state and (not done or now - since[student] >= quiet_seconds)
                     and _is_quiet(state, quiet_seconds)]
            if ready:
                grade(sorted(ready))
                done |= {student: seen[student] for student in ready}
            over.wait(look_seconds)


def _state(course: Course, student: str, assignment: str) -> tuple[tuple[str, int, int], ...]:
    """Names, times and sizes of what a student has handed in."""
    found = []
    for path in course.files(student, assignment):
        try:
            told = os.lstat(path)
        except OSError:
            continue
        found.append((str(path), told.st_mtime_ns, told.st_size))
    stamp = Path(course.submitted_folder(student, assignment), "timestamp.txt")
    if stamp.is_file():
        found.append((str(stamp), stamp.stat().st_mtime_ns, stamp.stat().st_size))
    return tuple(found)


def _is_quiet(state: object, seconds: float) -> bool:
    """Whether files were not written to just now."""
    assert isinstance(state, tuple)
    return all(time.time() - modified / 1e9 >= seconds or modified / 1e9 > time.time() for _, modified, _ in state)


@contextmanager
def _until_stopped(over: threading.Event) -> Iterator[threading.Event]:
    """An event that SIGTERM sets too."""
    if threading.current_thread() is not threading.main_thread():
        yield over
        return
    before = signal.signal(signal.SIGTERM, lambda *_: over.set())
    try:
        yield over
    finally:
        signal.signal(signal.SIGTERM, before)
