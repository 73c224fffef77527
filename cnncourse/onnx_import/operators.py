"""All other operators, and the table of them all."""

from __future__ import annotations

from collections.abc import Callable

from cnncourse.errors import UnsupportedError
from cnncourse.layers import (
    Add,
    BatchNorm2d,
    Concatenate,
    Dropout,
    Flatten,
    Layer,
    Linear,
    LocalResponseNorm,
    ReLU,
    Shape,
    Sigmoid,
    Softmax,
    Tanh,
)
from cnncourse.layers.base import size_of
from cnncourse.onnx_import import windows
from cnncourse.onnx_import.building import Builder
from cnncourse.onnx_import.reading import Operation


def product(build: Builder, operation: Operation) -> None:
    """Gemm and MatMul with a constant matrix; a constant added behind becomes the bias."""
    settings = {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0}
    settings = operation.settings(**settings) if operation.operator == "Gemm" else {**settings, **operation.settings()}
    weight, shape = build.constant(operation, 1, "the matrix"), build.shape(operation.inputs[0], operation)
    if settings["transA"]:
        raise operation.unsupported("transA", "the samples have to be the rows")
    if len(shape) != 1 or weight.ndim != 2:
        raise UnsupportedError(f"{operation}: the input has shape {shape} for one sample and the matrix "
                               f"{weight.shape}; a fully connected layer takes a vector and a matrix")
    weight = (weight if settings["transB"] else weight.T) * weight.dtype.type(settings["alpha"])
    arrays, output = build.with_bias(operation, weight, 0, settings["beta"])
    layer = Linear(weight.shape[0], bias="bias" in arrays)
    build.add(operation, layer, operation.inputs[0], output=output, arrays=arrays)


def addition(build: Builder, operation: Operation) -> None:
    """Add and Sum of tensors of one shape."""
    operation.settings()
    if len(operation.inputs) == 1:
        return build.same(operation, operation.inputs[0])
    if constant := next((tensor for tensor in operation.inputs if tensor in build.constants), None):
        raise UnsupportedError(f"{operation}: the constant {constant!r} of shape {build.constants[constant].shape} can "
                               "only be added as a bias, right behind a layer with weights that nothing else reads")
    return build.add(operation, Add(), *operation.inputs)


def concatenation(build: Builder, operation: Operation) -> None:
    """Concat of channels or features."""
    axis = operation.settings(axis=None)["axis"]
    dimensions = 1 + len(build.shape(operation.inputs[0], operation))
    if axis is None or axis % dimensions != 1:
        raise operation.unsupported("axis", "only channels, axis 1, are joined")
    if len(operation.inputs) == 1:
        return build.same(operation, operation.inputs[0])
    return build.add(operation, Concatenate(), *operation.inputs)


def activation(build: Builder, operation: Operation) -> None:
    """Relu, Sigmoid and Tanh."""
    operation.settings()
    layers: dict[str, Layer] = {"Relu": ReLU(), "Sigmoid": Sigmoid(), "Tanh": Tanh()}
    build.add(operation, layers[operation.operator], operation.inputs[0])


def softmax(build: Builder, operation: Operation) -> None:
    """Softmax over the channels. Before version 13 it took everything from an axis on, by default 1, as one."""
    old = operation.version < 13
    axis = operation.settings(axis=1 if old else -1)["axis"]
    shape = build.shape(operation.inputs[0], operation)
    if axis % (1 + len(shape)) != 1 or (old and size_of(shape) != shape[0]):
        raise operation.unsupported("axis", f"with an input of {shape} for one sample only the first of these axes, 1, "
                                    "is known" + (", in version 13 and later" if old else ""))
    build.add(operation, Softmax(), operation.inputs[0])


def response_norm(build: Builder, operation: Operation) -> None:
    """LRN."""
    settings = operation.settings(alpha=1e-4, beta=0.75, bias=1.0, size=None)
    if not isinstance(settings["size"], int) or settings["size"] % 2 == 0:
        raise operation.unsupported("size", "of an even number ONNX takes more channels after, the layer here before")
    layer = LocalResponseNorm(settings["size"], *(_short(settings[name]) for name in ("alpha", "beta", "bias")))
    build.add(operation, layer, operation.inputs[0])


def batch_norm(build: Builder, operation: Operation) -> None:
    """BatchNormalization with known statistics; the momentum of ONNX is the share of the old ones."""
    settings = operation.settings(epsilon=1e-5, momentum=0.9, training_mode=0, spatial=1)
    for attribute, wanted in ("training_mode", 0), ("spatial", 1):
        if settings[attribute] != wanted:
            raise operation.unsupported(attribute, f"only {wanted} is known")
    names = ("weight", "bias", "running_mean", "running_var")
    arrays = {name: build.constant(operation, number, name) for number, name in enumerate(names, 1)}
    layer = BatchNorm2d(_short(settings["epsilon"]), _short(1 - settings["momentum"]))
    build.add(operation, layer, operation.inputs[0], arrays=arrays)


def dropout(build: Builder, operation: Operation) -> None:
    """Dropout; the share that drops came as an attribute before version 12."""
    ratio = operation.settings(ratio=0.5, seed=None)["ratio"]
    if len(operation.inputs) > 1 and operation.inputs[1]:
        ratio = float(build.constant(operation, 1, "the ratio"))
    if len(operation.inputs) > 2 and operation.inputs[2] and build.constant(operation, 2, "training_mode"):
        raise UnsupportedError(f"{operation}: training_mode is on; a model for inference drops nothing")
    build.add(operation, Dropout(_short(ratio)), operation.inputs[0])


def _short(number: float) -> float:
    """What was meant by a number that went through single precision: 0.1, not 0.10000000149."""
    return float(f"{number:.6g}")


def identity(build: Builder, operation: Operation) -> None:
    """Identity."""
    operation.settings()
    build.same(operation, operation.inputs[0])


def flatten(build: Builder, operation: Operation) -> None:
    """Flatten, and Reshape and Squeeze where they do no more than that."""
    shape = build.shape(operation.inputs[0], operation)
    if operation.operator == "Flatten":
        axis = operation.settings(axis=1)["axis"]
        flat = axis % (1 + len(shape)) == 1
        wanted = f"axis = {axis}"
    elif operation.operator == "Squeeze":
        axes = operation.settings(axes=None)["axes"]
        if len(operation.inputs) > 1 and operation.inputs[1]:
            axes = build.constant(operation, 1, "axes").tolist()
        flat = len(shape) == 3 and shape[1:] == (1, 1) and sorted(axis % 4 for axis in axes or ()) == [2, 3]
        wanted = f"axes = {axes}"
    else:
        operation.settings(allowzero=0)
        target = build.constant(operation, 1, "the shape").tolist()
        flat = _flattens(build, shape, target)
        wanted = f"the shape {target}"
    if not flat:
        raise UnsupportedError(f"{operation}: {wanted} for an input of {shape} for one sample; only what makes one "
                               "vector of each sample is known")
    if len(shape) == 1:
        return build.same(operation, operation.inputs[0])
    return build.add(operation, Flatten(), operation.inputs[0])


def _flattens(build: Builder, shape: Shape, target: list[int]) -> bool:
    """Whether a Reshape gives (samples, features)."""
    features, samples = size_of(shape), build.model.input.shape[0]
    if len(target) != 2 or target == [-1, -1]:
        return False
    # The number of samples may be 0, as it is; -1, whatever fits; or what the model says that it is.
    return (target[1] == features and target[0] in (0, -1, samples)) or (target[1] == -1 and target[0] in (0, samples))


OPERATORS: dict[str, Callable[[Builder, Operation], None]] = {
    "Add": addition,
    "AveragePool": windows.average,
    "BatchNormalization": batch_norm,
    "Concat": concatenation,
    "Conv": windows.convolution,
    "Dropout": dropout,
    "Flatten": flatten,
    "Gemm": product,
    "GlobalAveragePool": windows.whole_maps,
    "GlobalLpPool": windows.whole_maps,
    "GlobalMaxPool": windows.whole_maps,
    "Identity": identity,
    "LRN": response_norm,
    "LpPool": windows.norm,
    "MatMul": product,
    "MaxPool": windows.maximum,
    "Pad": windows.pad,
    "ReduceMean": windows.mean,
    "Relu": activation,
    "Reshape": flatten,
    "Sigmoid": activation,
    "Softmax": softmax,
    "Squeeze": flatten,
    "Sum": addition,
    "Tanh": activation,
}
