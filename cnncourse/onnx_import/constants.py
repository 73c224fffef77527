"""What can be worked out without an input: constants made from constants, and the shapes that exporters compute.

Many exporters write "flatten" as a computation with the shape of a tensor. The number of samples is not known here; it
is written as 0, which in a Reshape means to keep that dimension. It may be moved about, but not reckoned with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncourse.errors import FileError
from cnncourse.onnx_import.reading import Operation

Constant = NDArray[Any]

LARGEST_SHAPE = 64
"""No tensor has more dimensions; larger constants are weights, which are not computed with."""


def fold(operation: Operation, inputs: list[Constant | None], of_samples: bool = False) -> Constant | None:
    """The output of an operation whose inputs are constants, or None if it is not one of those that are worked out.

    Parameters
    ----------
    operation : Operation
    inputs : list of ndarray or None
    of_samples : bool, optional
        Whether the number of samples may be among the numbers.

    Raises
    ------
    FileError
        If the operation does not fit its inputs.
    """
    rule = RULES.get(operation.operator)
    given = [array for array in inputs if array is not None]
    if rule is None or (of_samples and operation.operator in ARITHMETIC) or (
            operation.operator not in ON_WEIGHTS and any(one.size > LARGEST_SHAPE for one in given)):
        return None
    try:
        found = np.asarray(rule(operation, *inputs))
        return found if found.dtype.kind in "fiub" else None
    except (IndexError, ValueError, TypeError, KeyError) as error:
        raise FileError(f"{operation} does not fit its inputs: {error}") from None


def shape_of(operation: Operation, shape: tuple[int, ...]) -> Constant:
    """What the operator Shape gives for a batch of arrays of this shape."""
    settings = operation.settings(start=0, end=None)
    return np.array([0, *shape], np.int64)[settings["start"]:settings["end"]]


def _constant(operation: Operation) -> Any:
    (value,) = operation.attributes.values()
    return value


def _reshape(operation: Operation, data: Constant, shape: Constant) -> Constant:
    keep = not operation.attributes.get("allowzero", 0)
    return data.reshape([data.shape[at] if keep and not length else length for at, length in enumerate(shape)])


def _axes(operation: Operation, given: Constant | None) -> tuple[int, ...]:
    """Axes are an attribute in older versions, and an input in newer ones."""
    return tuple(int(axis) for axis in (operation.attributes["axes"] if given is None else given))


def _full(operation: Operation, shape: Constant) -> Constant:
    if np.prod(shape.astype(float)) > LARGEST_SHAPE:
        raise ValueError(f"a constant of shape {shape.tolist()} is no shape and no weight")
    return np.full(shape, operation.attributes.get("value", np.float32(0)))


def _squeeze(operation: Operation, data: Constant, axes: Constant | None = None) -> Any:
    every = axes is None and "axes" not in operation.attributes
    return data.squeeze() if every else data.squeeze(_axes(operation, axes))


def _slice(operation: Operation, data: Constant, *ends: Constant | None) -> Any:
    if not ends:
        ends = tuple(np.array(operation.attributes[name]) for name in ("starts", "ends"))
        ends += (np.array(operation.attributes["axes"]),) if "axes" in operation.attributes else ()
    starts, stops = ends[:2]
    assert starts is not None and stops is not None
    axes = ends[2] if len(ends) > 2 and ends[2] is not None else range(len(starts))
    steps = ends[3] if len(ends) > 3 and ends[3] is not None else [1] * len(starts)
    for axis, start, stop, step in zip(axes, starts, stops, steps, strict=True):
        data = data[(slice(None),) * (int(axis) % data.ndim) + (slice(int(start), int(stop), int(step)),)]
    return data


RULES: dict[str, Callable[..., Any]] = {
    "Cast": lambda operation, data: data.astype(np.int64) if data.dtype.kind in "iu" else data,
    "Concat": lambda operation, *parts: np.concatenate(parts, operation.attributes["axis"]),
    "Constant": _constant,
    "ConstantOfShape": _full,
    "Gather": lambda operation, data, where: np.take(data, where, operation.attributes.get("axis", 0)),
    "Identity": lambda operation, data: data,
    "Mul": lambda operation, first, second: first * second,
    "Reshape": _reshape,
    "Shape": lambda operation, data: np.array(data.shape, np.int64),
    "Slice": _slice,
    "Squeeze": _squeeze,
    "Sub": lambda operation, first, second: first - second,
    "Transpose": lambda operation, data: data.transpose(operation.attributes.get("perm")),
    "Unsqueeze": lambda operation, data, axes=None: np.expand_dims(data, _axes(operation, axes)),
}

ON_WEIGHTS = ("Constant", "Identity", "Reshape", "Shape", "Transpose")
"""Those that cost nothing, whatever the size."""

ARITHMETIC = ("ConstantOfShape", "Mul", "Sub")
"""Those that would take the 0 for a number."""
