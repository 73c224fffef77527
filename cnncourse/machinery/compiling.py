"""Compiling kernels, and where their machine code is kept."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Set
from functools import cache, partial
from pathlib import Path
from typing import Any

from numba import njit

_folders: set[str] = set()


def jit(function: Callable[..., Any] | None = None, *, fastmath: Set[str] | bool = False) -> Any:
    """Compile a kernel at its first call, keep the machine code on disk, and release the interpreter lock.

    The machine code lies beside the source or, where that may not be written, in the user's cache folder; where
    neither may be, as in some containers, kernels work all the same and are compiled by every process again.

    Parameters
    ----------
    function : function, optional
        Without it, a decorator with these settings comes back.
    fastmath : set of str or bool, optional
        LLVM's flags for arithmetic. {"reassoc"} lets a sum be split among vector lanes, in the same way each time;
        flags that deny NaN and infinity are not for kernels of this package.
    """
    if function is None:
        return partial(jit, fastmath=fastmath)
    compiled = partial(njit, nogil=True, error_model="numpy", fastmath=fastmath)
    try:
        kernel: Any = compiled(cache=True)(function)
    except RuntimeError:  # Numba found no folder that it may write to
        return compiled()(function)
    # Numba compiles again when a kernel's own file changes. But a kernel holds the machine code of those that it calls.
    index = kernel._cache._cache_file
    index._source_stamp = (index._source_stamp, _fingerprint(Path(function.__code__.co_filename).parent))
    _folders.add(kernel._cache.cache_path)
    return kernel


def code_folder() -> str:
    """The folder below which the machine code of all kernels imported so far lies; empty if none may be written to."""
    return os.path.commonpath(_folders) if _folders else ""


@cache
def _fingerprint(folder: Path) -> str:
    """Changes whenever a file beside a kernel changes, or one in this folder, of which all kernels are made."""
    files = sorted({*folder.glob("*.py"), *Path(__file__).parent.glob("*.py")})
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


@jit
def _nothing():
    return 0


# Numba loads half of itself with the first kernel. Better while modules are imported than while somebody waits for a
# result.
_nothing()
