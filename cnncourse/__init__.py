"""The reference of the course: convolutional networks on NumPy arrays, with every size and gradient computed right."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
from cnncourse.lazy import handing_on

if TYPE_CHECKING:
    from cnncourse import (
        convert,
        data,
        functional,
        layers,
        memory,
        network,
        onnx_import,
        pattern,
        training,
        weights,
        zoo,
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

__getattr__, __dir__ = handing_on(__name__, dict.fromkeys(LAZY, ""))
