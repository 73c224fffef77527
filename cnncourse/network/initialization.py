"""First values of what a network learns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from cnncourse.errors import ArgumentError, ArrayTypeError
from cnncourse.functional.arguments import Array
from cnncourse.layers import ReLU, Sigmoid, Softmax, Tanh
from cnncourse.layers.base import size_of
from cnncourse.network.graph import Graph, Node

OTHER_ACTIVATIONS = (Tanh, Sigmoid, Softmax)


def precision(dtype: DTypeLike) -> np.dtype[Any]:
    """Single or double precision.

    Raises
    ------
    ArrayTypeError
        If it is neither.
    """
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = None
    if found not in (np.float32, np.float64):
        raise ArrayTypeError(f"dtype has to be float32 or float64, {dtype if found is None else found} was given")
    return found


def generator_from(operation: str, given: Any) -> np.random.Generator:
    """A generator of random numbers: the one that was given, or one from a seed.

    Raises
    ------
    ArgumentError
        If it is neither.
    """
    try:
        return np.random.default_rng(given)
    except (TypeError, ValueError):
        raise ArgumentError(f"{operation}: generator has to be a np.random.Generator, or a seed: a whole number of at "
                            f"least 0; {given!r} was given") from None


def initial_parameters(graph: Graph, generator: np.random.Generator, dtype: DTypeLike) -> dict[str, Array]:
    """Random weights, zeros for biases, ones for the scales of batch norm and trainable pooling.

    Parameters
    ----------
    graph : Graph
    generator : np.random.Generator
    dtype : float32 or float64

    Returns
    -------
    dict of str to ndarray

    Notes
    -----
    The weights of convolution and linear layers are normal with mean zero. Their variance is 2 / n, where n is the
    number of inputs of one output, if a ReLU follows before the next such layer, because it halves the mean square;
    and 1 / n if none does.

    References
    ----------
    He, Zhang, Ren and Sun: Delving deep into rectifiers, 2015, section 2.2.
    LeCun, Bottou, Orr and Müller: Efficient backprop, 1998, section 4.6.
    """
    kind = precision(dtype)
    rectified = _rectified(graph)
    parameters = {}
    for node in graph.nodes:
        for key, shape in node.parameter_shapes.items():
            if len(shape) == 1:
                value = np.full(shape, 1 if key == "weight" else 0, kind)
            elif key == "weight":
                value = generator.standard_normal(shape, kind)
                value *= kind.type(np.sqrt((2 if node.name in rectified else 1) / _inputs_of_one(node)))
            else:
                value = np.zeros(shape, kind)
            parameters[f"{node.name}.{key}"] = value
    return parameters


def initial_buffers(graph: Graph, dtype: DTypeLike) -> dict[str, Array]:
    """Running mean zero and variance one.

    Parameters
    ----------
    graph : Graph
    dtype : float32 or float64

    Returns
    -------
    dict of str to ndarray
    """
    return {name: np.full(shape, 1 if name.endswith(".running_var") else 0, precision(dtype))
            for name, shape in graph.buffer_shapes.items()}


def _inputs_of_one(node: Node) -> float:
    """How many inputs one output sees: its multiply-adds."""
    return node.multiply_adds / size_of(node.output_shape)


def _rectified(graph: Graph) -> set[str]:
    """Nodes whose output reaches a ReLU through nothing but normalization, pooling and joining."""
    found: set[str] = set()
    for node in reversed(graph.nodes):
        if isinstance(node.layer, ReLU) or (node.name in found and not node.multiply_adds
                                            and not isinstance(node.layer, OTHER_ACTIVATIONS)):
            found.update(node.inputs)
    return found
