"""Files that are whole or not there at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def replace_file(path: Path, content: bytes, permissions: int) -> None:
    """Write a file under another name, then give it its own; whoever reads it sees the old one or the new one.

    Parameters
    ----------
    path : Path
        In a folder that exists.
    content : bytes
    permissions : int
        As for `os.chmod`.

    Raises
    ------
    OSError
        If it cannot be written, the disk is full for instance; the old file is as it was then.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        unfinished.write_bytes(content)
        unfinished.chmod(permissions)
        unfinished.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise
