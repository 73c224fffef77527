"""The course's secret, from which the inputs of every graded submission are drawn."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path

from autograder.errors import SecretError
from autograder.files import UNFINISHED

SECRET_FILE = ".course-secret"
SECRET_BYTES = 32


def course_secret(course: Path) -> bytes:
    """The secret of the course in this folder; made on first use, readable by its owner only.

    Parameters
    ----------
    course : Path
        The course directory.

    Raises
    ------
    SecretError
        If the file is there but is no secret of enough bytes.
    """
    path = course / SECRET_FILE
    if not path.exists():
        _make_secret(path)
    try:
        secret = bytes.fromhex(path.read_text().strip())
    except ValueError:
        secret = b""
    if len(secret) < SECRET_BYTES:
        raise SecretError(f"{path} holds no secret of {SECRET_BYTES} bytes; delete it to get a new one, "
                         "and grade everything again")
    return secret


def _make_secret(path: Path) -> None:
    """Write a secret that is whole or not there, whatever ends this; of two that are made at once, one stays."""
    descriptor, name = tempfile.mkstemp(UNFINISHED, f"{path.name}.", path.parent)  # nobody else may read it
    unfinished = Path(name)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_bytes(SECRET_BYTES).hex() + "\n")
        with contextlib.suppress(FileExistsError):
            os.link(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def submission_seed(secret: bytes, student: str, exercise: str, submission: str) -> int:
    """A seed that only the holder of the secret can compute; the same submission always gets the same one.

    Parameters
    ----------
    secret : bytes
    student, exercise : str
    submission : str
        Fingerprint of what was handed in.
    """
    message = "\0".join((student, exercise, submission)).encode()
    return int.from_bytes(hmac.new(secret, message, hashlib.sha256).digest()[:8], "big")
