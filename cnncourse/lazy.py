"""Names that a package hands on without importing what they stand for: that is done when somebody asks for one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def handing_on(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make `__getattr__` and `__dir__` of a package.

    Parameters
    ----------
    package : str
        Its `__name__`.
    homes : mapping of str to str
        For each name the module of the package that it is taken from; empty if it is a module itself.

    Returns
    -------
    getattr, dir : callable

    Examples
    --------
    >>> find, names = handing_on("cnncourse", {"geometry": "", "ShapeError": "errors"})
    >>> find("ShapeError").__name__, find("geometry").__name__
    ('ShapeError', 'cnncourse.geometry')
    """
    def find(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        if not homes[name]:
            return import_module(f"{package}.{name}")
        return getattr(import_module(f"{package}.{homes[name]}"), name)

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return find, names
