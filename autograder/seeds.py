"""The course's secret, from which the inputs of every graded submission are drawn."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

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
    ValueError
        If the file is there but too short to be a secret.
    """
    path = course / SECRET_FILE
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        secret = bytes.fromhex(path.read_text().strip())
        if len(secret) < SECRET_BYTES:
            raise ValueError(f"{path} holds no secret of {SECRET_BYTES} bytes; delete it to get a new one, "
                             "and grade everything again") from None
        return secret
    secret = secrets.token_bytes(SECRET_BYTES)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret.hex() + "\n")
    return secret


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
