"""Files that are whole or not there at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

UNFINISHED = ".unfinished"


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
    unfinished = path.with_name(f".{path.name}.{os.getpid()}{UNFINISHED}")
    try:
        unfinished.write_bytes(content)
        unfinished.chmod(permissions)
        unfinished.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise


def remove_unfinished(folder: Path) -> None:
    """Remove what `replace_file` has left in a folder where it was killed.

    Parameters
    ----------
    folder : Path
        It may be missing.
    """
    for path in folder.glob(f".*{UNFINISHED}"):
        with contextlib.suppress(OSError):
            path.unlink()
