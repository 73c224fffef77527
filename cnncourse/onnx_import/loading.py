"""A model from a file as a network."""

from __future__ import annotations

from typing import Any

from cnncourse.errors import UnsupportedError
from cnncourse.layers import Shape
from cnncourse.network import Network
from cnncourse.onnx_import.building import Builder
from cnncourse.onnx_import.operators import OPERATORS
from cnncourse.onnx_import.reading import Model, Operation, Tensor, read


def load(source: Any, *, input_shape: Shape | None = None) -> Network:
    """Read a convolutional network with its weights.

    Parameters
    ----------
    source : str, path, bytes or onnx.ModelProto
        Weights in files beside the model are read if they lie in its folder, or in one inside of it.
    input_shape : tuple of int, optional
        Of one sample: (C, H, W) or (features,). Needed where the model leaves it open.

    Returns
    -------
    Network
        For inference and for training. Nodes have the names that the network gives; outputs are those of the model,
        in its order, and dropout drops in training alone.

    Raises
    ------
    UnsupportedError
        If there is something that has no counterpart here; the message names node, operator and attribute.
    FileError
        If the file is no model, is damaged, does not fit together, or wants to read outside of its folder.
    ArgumentError
        If the package onnx is missing.
    OSError
        If the file cannot be opened.

    Notes
    -----
    These operators are read: Conv, MaxPool, AveragePool, LpPool, GlobalAveragePool, GlobalMaxPool, GlobalLpPool, Gemm,
    MatMul, Add and Sum, Relu, Sigmoid, Tanh, Softmax, LRN, BatchNormalization, Concat, Flatten, Dropout, Identity,
    Reshape and Squeeze where they flatten, ReduceMean over whole feature maps, and Pad with zeros where the next
    operator can take them. Adding a constant becomes the bias of the layer before.
    """
    model = read(source)
    builder, operations = Builder(model, _sample_shape(model.input, input_shape)), _needed(model)
    for operation in operations:
        builder.fold(operation)
    for operation in operations:
        builder.run(operation, OPERATORS)
    return builder.finish()


def _sample_shape(tensor: Tensor, given: Shape | None) -> Shape:
    """Shape of one sample: what the model says, filled up with what was given."""
    stated = tensor.shape[1:]
    if len(stated) not in (1, 3):
        raise UnsupportedError(f"the input {tensor.name} has {len(tensor.shape)} dimensions; it has to have four, "
                               "(samples, channels, height, width), or two")
    shape = stated if given is None else tuple(given)
    fits = len(shape) == len(stated) and all(one in (None, other) for one, other in zip(stated, shape, strict=True))
    if not fits or not all(isinstance(length, int) and length >= 1 for length in shape):
        open_ = ", ".join("?" if length is None else str(length) for length in stated)
        raise UnsupportedError(f"the input {tensor.name} has shape ({open_}) for one sample; "
                               + ("input_shape has to say what the model leaves open" if given is None
                                  else f"input_shape={given} does not fit that"))
    return tuple(int(length) for length in shape if length is not None)


def _needed(model: Model) -> list[Operation]:
    """The operations that the outputs depend on, in their order."""
    wanted = set(model.outputs)
    needed = []
    for operation in reversed(model.operations):
        if wanted.intersection(operation.outputs):
            wanted.update(operation.inputs)
            needed.append(operation)
    return needed[::-1]
