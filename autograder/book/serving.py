"""Show a folder of pages to this machine's own browser, and to nobody else."""

from __future__ import annotations

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from autograder.errors import AutograderError

LOOPBACK = "127.0.0.1"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


def serve(folder: Path, port: int) -> ThreadingHTTPServer:
    """A server of the folder, which answers once its `serve_forever` is called.

    Parameters
    ----------
    folder : Path
    port : int
        0 for any that is free.

    Raises
    ------
    AutograderError
        If the port is taken.
    """
    try:
        return ThreadingHTTPServer((LOOPBACK, port), partial(_Quiet, directory=str(folder)))
    except OSError as error:
        raise AutograderError(f"port {port} cannot be used ({error.strerror}): try --port {port + 1}") from None
