"""Imports as they are in a sandbox, for a process that is in none: the library, NumPy and Matplotlib, our stand-ins.

This file imports the standard library only.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from typing import Any


class _Bare:
    """Finds no module but those that a sandbox has, and asks before all others do."""

    def __init__(self, names: Sequence[str], stand_ins: Mapping[str, str]) -> None:
        self._names = {*names, *sys.stdlib_module_names, "wire", "meaning", "needed", "standins", "tenant"}
        self._stand_ins = stand_ins

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        """The stand-in, or None for what others find; what a sandbox does not have is not there."""
        top = name.partition(".")[0]
        if name in self._stand_ins:
            return importlib.util.spec_from_file_location(name, self._stand_ins[name])
        if top in self._names:
            return None
        raise ModuleNotFoundError(f"No module named {top!r}", name=top)


def leave(names: Sequence[str], stand_ins: Mapping[str, str]) -> None:
    """From now on import nothing else.

    Parameters
    ----------
    names : sequence of str
        Packages that a sandbox has beside the standard library.
    stand_ins : mapping of str to str
        Files that are imported instead of the course's packages.
    """
    sys.meta_path.insert(0, _Bare(names, stand_ins))
