"""Operators that slide windows over pictures, and those that take whole pictures as one window."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cnncourse.errors import UnsupportedError
from cnncourse.geometry import dilated_extent, onnx_padding
from cnncourse.layers import (
    AvgPool2d,
    Conv2d,
    Flatten,
    GlobalAvgPool2d,
    Layer,
    LpPool2d,
    MaxPool2d,
    ReLU,
    Shape,
    Sigmoid,
    Softmax,
)
from cnncourse.onnx_import.building import NONE, Builder, Sides
from cnncourse.onnx_import.reading import Operation

WINDOW: dict[str, Any] = {"auto_pad": "NOTSET", "dilations": [1, 1], "kernel_shape": None, "pads": None,
                          "strides": [1, 1]}


def convolution(build: Builder, operation: Operation) -> None:
    """Conv; a constant added behind it becomes its bias."""
    settings = operation.settings(**WINDOW, group=1)
    weight = build.constant(operation, 1, "the weight")
    if weight.ndim != 4:
        raise UnsupportedError(f"{operation}: the weight has shape {weight.shape}; only pictures, which take four "
                               "dimensions, are convolved")
    settings["kernel_shape"] = list(weight.shape[2:])
    tensor, window = _window(build, operation, settings)
    arrays, output = build.with_bias(operation, weight, 2)
    layer = Conv2d(weight.shape[0], **window, groups=settings["group"], bias="bias" in arrays)
    build.add(operation, layer, tensor, output=output, arrays=arrays)


def maximum(build: Builder, operation: Operation) -> None:
    """MaxPool. Zeros of a Pad are as good as none if no input is below zero."""
    settings = operation.settings(**WINDOW, ceil_mode=0, storage_order=0)
    tensor, window = _window(build, operation, settings)
    if tensor != operation.inputs[0] and not _not_negative(build, build.node(tensor, operation)):
        raise UnsupportedError(f"{operation}: there is a Pad with zeros before it, and inputs may be below zero")
    build.add(operation, MaxPool2d(**window, ceil_mode=bool(settings["ceil_mode"])), tensor)


def _not_negative(build: Builder, name: str) -> bool:
    return name != "input" and isinstance(build.network.node(name).layer, (ReLU, Sigmoid, Softmax))


def average(build: Builder, operation: Operation) -> None:
    """AveragePool. Zeros of a Pad are counted, so that those of its own have to be as well."""
    settings = operation.settings(**WINDOW, ceil_mode=0, count_include_pad=0)
    tensor, window = _window(build, operation, settings)
    _without_dilation(operation, window)
    counts = bool(settings["count_include_pad"])
    if tensor != operation.inputs[0] and not counts:
        if any(settings["pads"] or ()) or settings["auto_pad"].startswith("SAME"):
            raise UnsupportedError(f"{operation}: there is a Pad before it, whose zeros count, and its own do not")
        counts = True
    build.add(operation, AvgPool2d(**window, ceil_mode=bool(settings["ceil_mode"]), count_include_pad=counts), tensor)


def norm(build: Builder, operation: Operation) -> None:
    """LpPool. It takes magnitudes, the layer does not: both are the same for even p."""
    settings = operation.settings(**WINDOW, ceil_mode=0, p=2)
    tensor, window = _window(build, operation, settings)
    _without_dilation(operation, window)
    layer, shape = LpPool2d(_even(operation, settings["p"]), **window), build.shape(tensor, operation)
    if settings["ceil_mode"] and replace(layer, ceil_mode=True).output_shape(shape) != layer.output_shape(shape):
        raise operation.unsupported("ceil_mode", "a window that hangs over the border is scaled up here, and not there")
    build.add(operation, layer, tensor)


def _without_dilation(operation: Operation, window: dict[str, Any]) -> None:
    if window.pop("dilation") != 1:
        raise operation.unsupported("dilations", "only maximum pooling has gaps here")


def _even(operation: Operation, power: int) -> int:
    if power % 2:
        raise operation.unsupported("p", "ONNX takes magnitudes, the layer here does not: even powers alone agree")
    return power


def _window(build: Builder, operation: Operation, settings: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The tensor to read and kernel size, stride, padding and dilation, with a Pad before the operation taken in."""
    tensor, around = build.unpadded(operation.inputs[0])
    shape = build.shape(tensor, operation)
    kernel = settings["kernel_shape"]
    if len(shape) != 3 or kernel is None or len(kernel) != 2:
        raise UnsupportedError(f"{operation}: the input has shape {shape} for one sample and kernel_shape is {kernel}; "
                               "windows slide over pictures, along two axes")
    axes = list(zip(_sizes(shape, around), kernel, settings["strides"], settings["dilations"], strict=True))
    own = _own_padding(operation, settings, axes)
    if settings.get("ceil_mode") and around != NONE:
        raise operation.unsupported("ceil_mode", "with a Pad before it, it is not known which windows are dropped")
    if settings["auto_pad"] != "NOTSET":
        settings["ceil_mode"] = 0  # it rounds by a rule of its own
    (above, below), (left, right) = (
        (one[0] + other[0], one[1] + other[1]) for one, other in zip(own, around, strict=True))
    padding: Any = ((above, below), (left, right))
    if above == below and left == right:
        padding = _short((above, left))
    return tensor, {"kernel_size": _short(kernel), "stride": _short(settings["strides"]), "padding": padding,
                    "dilation": _short(settings["dilations"])}


def _sizes(shape: Shape, around: Sides) -> tuple[int, int]:
    return shape[1] + sum(around[0]), shape[2] + sum(around[1])


def _own_padding(operation: Operation, settings: dict[str, Any], axes: list[tuple[int, int, int, int]]) -> Sides:
    rule, pads = settings["auto_pad"], settings["pads"] or [0] * 4
    if len(pads) != 4 or min(pads) < 0 or (rule != "NOTSET" and any(pads)):
        raise operation.unsupported("pads", f"with auto_pad = {rule!r} there have to be "
                                    + ("four numbers of at least 0" if rule == "NOTSET" else "none"))
    if rule == "NOTSET":
        return (pads[0], pads[2]), (pads[1], pads[3])
    for size, kernel, stride, dilation in axes:
        if rule != "VALID" and (-(-size // stride) - 1) * stride + dilated_extent(kernel, dilation) < size:
            raise operation.unsupported("auto_pad", f"with stride {stride} windows of {kernel} leave out some of the "
                                        f"{size} inputs, and ONNX does not say which")
    vertical, horizontal = (onnx_padding(*axis, rule) for axis in axes)
    return vertical, horizontal


def _short(pair: Any) -> Any:
    """A number in place of two that are the same."""
    return int(pair[0]) if pair[0] == pair[1] else (int(pair[0]), int(pair[1]))


def whole_maps(build: Builder, operation: Operation) -> None:
    """GlobalAveragePool, GlobalMaxPool and GlobalLpPool."""
    shape = build.shape(operation.inputs[0], operation)
    if len(shape) != 3:
        raise UnsupportedError(f"{operation}: the input has shape {shape} for one sample; it has to be feature maps")
    layer: Layer
    if operation.operator == "GlobalLpPool":
        layer = LpPool2d(_even(operation, operation.settings(p=2)["p"]), _short(shape[1:]))
    else:
        operation.settings()
        layer = GlobalAvgPool2d() if operation.operator == "GlobalAveragePool" else MaxPool2d(_short(shape[1:]))
    build.add(operation, layer, operation.inputs[0])


def mean(build: Builder, operation: Operation) -> None:
    """ReduceMean over height and width, which is a global pool; the axes came as an attribute before version 18."""
    settings = operation.settings(axes=None, keepdims=1, noop_with_empty_axes=0)
    if len(operation.inputs) > 1 and operation.inputs[1]:
        settings["axes"] = build.constant(operation, 1, "axes").tolist()
    shape = build.shape(operation.inputs[0], operation)
    axes = sorted(axis % 4 for axis in settings["axes"] or ())
    if len(shape) != 3 or axes != [2, 3]:
        raise UnsupportedError(f"{operation}: the mean over axes {settings['axes']} of {shape}; only that over height "
                               "and width of feature maps, [2, 3], is known")
    build.add(operation, GlobalAvgPool2d(), operation.inputs[0])
    if not settings["keepdims"]:
        build.add(operation, Flatten(), operation.outputs[0])


def pad(build: Builder, operation: Operation) -> None:
    """Pad with zeros around the picture, for the next operation to take over; up to version 10 with attributes."""
    settings = operation.settings(mode="constant", pads=None, value=0.0)
    pads = settings["pads"] if operation.version < 11 else build.constant(operation, 1, "pads").tolist()
    value, axes = settings["value"], list(range(4))
    if len(operation.inputs) > 2 and operation.inputs[2]:
        value = float(build.constant(operation, 2, "the value"))
    if len(operation.inputs) > 3 and operation.inputs[3]:
        axes = [axis % 4 for axis in build.constant(operation, 3, "axes").tolist()]
    before, after = [0] * 4, [0] * 4
    for number, axis in enumerate(axes):
        before[axis], after[axis] = pads[number], pads[number + len(axes)]
    shape = build.shape(build.unpadded(operation.inputs[0])[0], operation)
    if settings["mode"] != "constant" or value or len(shape) != 3 or any(before[:2] + after[:2]) or (
            min(before + after) < 0):
        raise UnsupportedError(f"{operation}: {settings['mode']} padding of {pads} with {value}; only zeros around "
                               "height and width are known")
    build.same(operation, operation.inputs[0], ((before[2], after[2]), (before[3], after[3])))
