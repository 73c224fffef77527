"""What is around a run of grading: one command at a time, a log for people, and words for what stops it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from autograder.errors import AutograderError

LOCK_FILE = ".grading.lock"
REMEDY = "What is finished is kept; mend this and run the same command again."


@contextmanager
def in_words() -> Iterator[None]:
    """Say what keeps a gradebook or a file from being read or written: a server that is gone, a disk that is full."""
    try:
        yield
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().rstrip(".")
        raise AutograderError(f"The gradebook could not be read or written: {reason}. {REMEDY}") from error
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise AutograderError(f"Grading stopped: {error.strerror or error}{where}. {REMEDY}") from error


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Let one command at a time write the gradebook of a course."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with open(root / LOCK_FILE, "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise AutograderError(f"Another command grades in {root} at this moment. Wait until it is done."
                                  ) from None
        yield


class _LogFile(logging.FileHandler):
    """Goes on without a line that does not fit on the disk: whatever else has to be written there says so."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Print no traceback."""


@contextmanager
def log_to_file(path: Path) -> Iterator[logging.Logger]:
    """A log for people: one line for each submission, and details where something failed."""
    log = logging.getLogger(f"{__name__}.{os.getpid()}")
    handler = _LogFile(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    try:
        yield log
    finally:
        log.removeHandler(handler)
        with suppress(OSError):
            handler.close()
