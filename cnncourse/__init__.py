"""The reference of the course: convolutional networks on NumPy arrays, with every size and gradient computed right."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from cnncourse import errors, geometry
from cnncourse.errors import ArgumentError, ArrayTypeError, CNNCourseError, GeometryError, ShapeError

__all__ = [
    "ArgumentError",
    "ArrayTypeError",
    "CNNCourseError",
    "GeometryError",
    "ShapeError",
    "errors",
    "functional",
    "geometry",
]


def __getattr__(name: str) -> ModuleType:
    # Numba takes half a second to import, so only those pay who compute.
    if name == "functional":
        return import_module("cnncourse.functional")
    raise AttributeError(f"module 'cnncourse' has no attribute {name!r}")
