"""A network from the operations of a model, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncourse.errors import CNNCourseError, FileError, UnsupportedError
from cnncourse.functional.arguments import Array
from cnncourse.layers import Layer, Shape
from cnncourse.network import Network
from cnncourse.onnx_import import constants
from cnncourse.onnx_import.reading import Model, Operation

Sides = tuple[tuple[int, int], tuple[int, int]]
"""Zeros above and below, left and right."""

NONE: Sides = ((0, 0), (0, 0))

Rules = Mapping[str, Callable[["Builder", Operation], None]]
"""What to do with each operator."""


class Builder:
    """The network so far, and where each tensor of the model is found in it.

    Parameters
    ----------
    model : Model
    input_shape : tuple of int

    Attributes
    ----------
    network : Network
    constants : dict of str to ndarray
        Tensors that do not depend on the input.
    """

    def __init__(self, model: Model, input_shape: Shape) -> None:
        self.model = model
        self.network = Network(input_shape, model.name or "network")
        self.constants = dict(model.constants)
        self._nodes = {model.input.name: "input"}
        self._padded: dict[str, tuple[str, Sides]] = {}
        self._of_samples: set[str] = set()
        self._arrays: dict[str, dict[str, Array]] = {}
        self._readers: dict[str, list[Operation]] = {}
        for operation in model.operations:
            for tensor in operation.inputs:
                self._readers.setdefault(tensor, []).append(operation)

    def fold(self, operation: Operation) -> None:
        """Work an operation out at once, if it does not depend on the input."""
        found: NDArray[Any] | None = None
        of_samples = any(tensor in self._of_samples for tensor in operation.inputs)
        if operation.operator == "Shape" and operation.inputs[0] in self._nodes:
            found, of_samples = constants.shape_of(operation, self.shape(operation.inputs[0], operation)), True
        elif all(not tensor or tensor in self.constants for tensor in operation.inputs):
            found = constants.fold(operation, [self.constants.get(tensor) for tensor in operation.inputs], of_samples)
        if found is not None:
            self.constants[operation.outputs[0]] = found
            self._of_samples |= {operation.outputs[0]} if of_samples else set()

    def run(self, operation: Operation, rules: Rules) -> None:
        """Take in one operation."""
        self.fold(operation)
        if self._known(operation.outputs[0]):
            return  # a constant, or a sum that the layer before has taken as its bias
        for tensor in operation.inputs:
            if tensor and not self._known(tensor):
                raise FileError(f"{operation} reads {tensor!r}, which nothing before it gives")
        for tensor in operation.outputs[1:]:
            if tensor in self._readers or tensor in self.model.outputs:
                raise UnsupportedError(f"{operation}: its further output {tensor!r} is used; there is only the first")
        if operation.operator not in rules:
            raise UnsupportedError(f"{operation}: there is no such layer; the operators that can be read are "
                                   f"{', '.join(sorted(rules))}")
        try:
            rules[operation.operator](self, operation)
        except (FileError, UnsupportedError):
            raise
        except CNNCourseError as error:
            raise UnsupportedError(f"{operation}: {error}") from None
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:  # attributes of the wrong kind or length
            raise FileError(f"{operation} does not fit its attributes or inputs: {error}") from None

    def _known(self, tensor: str) -> bool:
        return tensor in self.constants or tensor in self._nodes or tensor in self._padded

    def node(self, tensor: str, operation: Operation) -> str:
        """The node that gives a tensor."""
        if tensor in self._nodes:
            return self._nodes[tensor]
        if tensor in self._padded:
            raise UnsupportedError(f"{operation}: there is a Pad before it; convolution, average and Lp pooling can "
                                   "take over zeros around a picture, this operator cannot")
        raise UnsupportedError(f"{operation}: {tensor!r} is a constant; only weights and biases may be")

    def unpadded(self, tensor: str) -> tuple[str, Sides]:
        """The tensor without the zeros that a Pad has put around it, and these."""
        return self._padded.get(tensor, (tensor, NONE))

    def shape(self, tensor: str, operation: Operation) -> Shape:
        """Shape of one sample of a tensor."""
        return self.network.shape_of(self.node(tensor, operation))

    def constant(self, operation: Operation, index: int, what: str) -> NDArray[Any]:
        """An input that has to be a constant."""
        tensor = operation.inputs[index] if index < len(operation.inputs) else ""
        if not tensor:
            raise FileError(f"{operation}: {what} is missing")
        if tensor not in self.constants:
            raise UnsupportedError(f"{operation}: {what} is computed by the model; it has to be a constant")
        return self.constants[tensor]

    def add(
        self, operation: Operation, layer: Layer, *tensors: str, output: str = "",
        arrays: Mapping[str, NDArray[Any]] | None = None,
    ) -> None:
        """Append a layer that reads these tensors and has these weights."""
        name = self.network.add(layer, *(self.node(tensor, operation) for tensor in tensors))
        node = self.network.node(name)
        for key, shape in {**node.parameter_shapes, **node.buffer_shapes}.items():
            array, kind = (arrays or {})[key], self.model.input.dtype
            if array.shape != shape:
                raise FileError(f"{operation}: {key} has shape {array.shape}; for an input of {node.input_shapes[0]} "
                                f"it has to have {shape}")
            if array.dtype != kind:
                raise UnsupportedError(f"{operation}: {key} is {array.dtype} and the input of the model {kind}; both "
                                       "have to be the same")
            self._arrays.setdefault(name, {})[key] = np.array(array, order="C")
        self._nodes[output or operation.outputs[0]] = name

    def same(self, operation: Operation, tensor: str, sides: Sides = NONE) -> None:
        """The operation gives what it was given, but for zeros around it."""
        tensor, before = self.unpadded(tensor)
        after = tuple((one[0] + other[0], one[1] + other[1]) for one, other in zip(before, sides, strict=True))
        if after == NONE:
            self._nodes[operation.outputs[0]] = self.node(tensor, operation)
        else:
            self._padded[operation.outputs[0]] = tensor, (after[0], after[1])

    def with_bias(
        self, operation: Operation, weight: NDArray[Any], dimensions: int, scale: float = 1
    ) -> tuple[dict[str, NDArray[Any]], str]:
        """Weight and bias of a layer, and the tensor that it gives.

        Parameters
        ----------
        operation : Operation
        weight : ndarray, shape (features, ...)
        dimensions : int
            That the output has behind the features.
        scale : float, optional
            Of the bias that is the operation's third input; to it comes the constant that is added behind, if that
            is all that happens to the output.
        """
        features, arrays = len(weight), {"weight": weight}
        if len(operation.inputs) > 2 and operation.inputs[2]:
            bias = self.constant(operation, 2, "the bias")
            if bias.size not in (1, features) or bias.shape[-1:] not in ((), (1,), (features,)):
                raise UnsupportedError(f"{operation}: the bias has shape {bias.shape}; it has to be one number for "
                                       f"each of the {features} outputs")
            arrays["bias"] = np.broadcast_to(bias.reshape(-1), (features,)) * bias.dtype.type(scale)
        added, output = self._added_behind(operation, features, dimensions)
        if added is not None:
            arrays["bias"] = arrays["bias"] + added if "bias" in arrays else added
        return arrays, output

    def _added_behind(
        self, operation: Operation, features: int, dimensions: int
    ) -> tuple[NDArray[Any] | None, str]:
        output = operation.outputs[0]
        readers = self._readers.get(output, [])
        if len(readers) != 1 or readers[0].operator != "Add" or output in self.model.outputs:
            return None, output
        added = next((self.constants[tensor] for tensor in readers[0].inputs if tensor in self.constants), None)
        if added is None or added.ndim > dimensions + 2:
            return None, output
        full = added.reshape((1,) * (dimensions + 2 - added.ndim) + added.shape)
        if full.shape[0] != 1 or full.shape[1] not in (1, features) or full.size != full.shape[1]:
            return None, output
        return np.broadcast_to(full.reshape(-1), (features,)), readers[0].outputs[0]

    def finish(self) -> Network:
        """The network with its weights."""
        outputs = []
        for tensor in self.model.outputs:
            if tensor not in self._nodes:
                raise FileError(f"the output {tensor!r} of the model is a constant, padded, or given by nothing")
            outputs.append(self._nodes[tensor])
        self.network.set_outputs(*dict.fromkeys(outputs))
        every = {f"{name}.{key}": array for name, arrays in self._arrays.items() for key, array in arrays.items()}
        self.network.parameters = {name: every[name] for name in self.network.parameter_shapes}
        self.network.buffers = {name: every[name] for name in self.network.buffer_shapes}
        return self.network
