"""What lies in a sandbox: a Python interpreter with its library, NumPy and Matplotlib, and our own few files."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import re
import sys
import sysconfig
from pathlib import Path

ALLOWED_DISTRIBUTIONS = ("numpy", "matplotlib")
"""What an answer may import beside the standard library; what these need comes with them."""

HERE = Path(__file__).parent
OWN_FILES = {path.name: path for path in (
    *(HERE / f"{name}.py" for name in ("tenant", "meaning", "needed", "standins", "wire")),
    *(HERE / "inside" / f"{name}.py" for name in ("doorkeeper", "heir", "kernel", "lender", "state")))}
"""Our files, which run there."""
STAND_INS = {f"{name}.py": HERE / "inside" / f"{name}.py" for name in ("autograder", "cnncourse")}
"""What strangers' code imports instead of the course's packages."""
SYSTEM_LIBRARIES = ("/usr/lib", "/usr/lib64", "/lib", "/lib64")
OF_OTHERS = ("site-packages", "dist-packages")


def environment(scratch: str) -> dict[str, str]:
    """All environment variables that there are, in a sandbox whose scratch folder this is."""
    return {
        "HOME": scratch, "LANG": "C.UTF-8", "MPLBACKEND": "Agg", "MPLCONFIGDIR": scratch, "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1", "PATH": "/nonexistent", "TMPDIR": scratch,
    }


def standard_library() -> Path:
    """The interpreter's own library."""
    return Path(sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix}))


def base_python() -> Path:
    """Where the interpreter belongs, beside its library; a virtual environment may hold a copy of its own."""
    return Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")


def real_python() -> Path:
    """The interpreter's file."""
    return Path(os.path.realpath(sys.executable))


@functools.cache
def allowed_packages() -> dict[str, Path]:
    """Top-level files and folders of the allowed distributions and of what they require."""
    paths: dict[str, Path] = {}
    waiting, seen = list(ALLOWED_DISTRIBUTIONS), set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        for file in distribution.files or ():
            top = file.parts[0]
            if top not in ("..", "__pycache__") and not top.endswith((".dist-info", ".pth")):
                paths[top] = Path(str(distribution.locate_file(top)))
        for requirement in distribution.requires or ():
            if "extra ==" not in requirement:
                waiting.append(re.match(r"[\w.-]+", requirement).group())  # type: ignore[union-attr]
    return {name: path for name, path in paths.items() if path.exists()}


def bootstrap(*folders: str | Path, library: tuple[str, ...] = ()) -> str:
    """Python code that puts folders on the path and starts the first process.

    Parameters
    ----------
    *folders : str or Path
        Ours, and the packages'.
    library : tuple of str, optional
        What else is on the path; by default where the interpreter has found its library.
    """
    own = [str(folder) for folder in folders]
    path = f"sys.path[:] = {[*own, *library]!r}" if library else f"sys.path[:0] = {own!r}"
    return f"import sys; {path}; import lender; lender.main()"
