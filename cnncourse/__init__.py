"""The reference of the course: convolutional networks on NumPy arrays, with every size and gradient computed right."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from cnncourse import config, errors, geometry
from cnncourse.errors import (
    ArgumentError,
    ArrayTypeError,
    CNNCourseError,
    DivergenceError,
    FileError,
    GeometryError,
    PatternError,
    ShapeError,
    UnsupportedError,
)

# Numba takes half a second to import, so only those pay who compute.
LAZY = ("convert", "data", "functional", "layers", "memory", "network", "onnx_import", "pattern", "training", "weights",
        "zoo")

__all__ = [
    "ArgumentError",
    "ArrayTypeError",
    "CNNCourseError",
    "DivergenceError",
    "FileError",
    "GeometryError",
    "PatternError",
    "ShapeError",
    "UnsupportedError",
    "config",
    "convert",
    "data",
    "errors",
    "functional",
    "geometry",
    "layers",
    "memory",
    "network",
    "onnx_import",
    "pattern",
    "training",
    "weights",
    "zoo",
]


def __getattr__(name: str) -> ModuleType:
    if name in LAZY:
        return import_module(f"cnncourse.{name}")
    raise AttributeError(f"module 'cnncourse' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *LAZY})
