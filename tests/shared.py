"""What takes time to make and is the same for many tests: made once, by the first process that needs it."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from filelock import FileLock

VARIABLE = "CNNCOURSE_SHARED"
"""The folder that all processes of one run of the tests share."""


def once(name: str, make: Callable[[Path], None]) -> Path:
    """A folder that is made once in a run of the tests and that nobody writes to afterwards.

    Parameters
    ----------
    name : str
    make : callable
        Takes a folder that is not there yet.
    """
    folder = _folder() / name
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            unfinished = folder.with_name(f"{name}.unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            make(unfinished)
            unfinished.rename(folder)
    return folder


def prepare() -> None:
    """Make the folder, and tell it to the processes that this one starts; it goes away with this one."""
    if VARIABLE not in os.environ:
        os.environ[VARIABLE] = tempfile.mkdtemp(prefix="cnncourse-tests-")
        atexit.register(shutil.rmtree, os.environ[VARIABLE], ignore_errors=True)


@cache
def _folder() -> Path:
    prepare()  # where nobody else did: in benchmarks
    return Path(os.environ[VARIABLE])
