"""One layer in two forms: the same numbers as a fully connected layer and as a convolution.

A vector that comes from feature maps holds channel after channel, row after row. A row of a fully connected layer's
weights is therefore a filter as large as the maps, written out in the same order: converting it only changes the shape.
The other way round a convolution is a fully connected layer most of whose weights are zero, and the others copies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cnncourse.errors import ArgumentError, ShapeError
from cnncourse.functional.arguments import Array, Windows, array, windows
from cnncourse.layers import Conv2d, Layer, Linear, Shape
from cnncourse.layers.base import maps, size_of

MOST_BYTES = 2**30
"""A matrix larger than this is not made unless asked for: 1 GiB."""


@dataclass(frozen=True, eq=False)
class Converted:
    """A layer in its other form, with its arrays.

    Attributes
    ----------
    layer : Conv2d or Linear
    weight : ndarray
    bias : ndarray or None
    output_shape : tuple of int
        What the layer gives for one sample, as feature maps (C, H, W).
    """

    layer: Layer
    weight: Array
    bias: Array | None
    output_shape: Shape


def to_convolution(layer: Linear, input_shape: Shape, weight: Array, bias: Array | None = None) -> Converted:
    """A fully connected layer as a convolution whose filters are as large as the feature maps before it.

    Parameters
    ----------
    layer : Linear
    input_shape : (int, int, int)
        Feature maps (C, H, W) that the layer sees flattened; (features, 1, 1) after another fully connected layer.
    weight : ndarray, shape (out_features, C * H * W)
    bias : ndarray, shape (out_features,), optional

    Returns
    -------
    Converted
        A `Conv2d` of kernel (H, W) and its weight of shape (out_features, C, H, W): the same memory, if the given one
        is contiguous. The bias is the given one.

    Raises
    ------
    ShapeError, ArrayTypeError

    Notes
    -----
    As many weights as before: a filter spans the full depth, and with one position nothing is shared. What is gained
    is that the convolution also takes larger inputs.

    Examples
    --------
    >>> weight, bias = np.zeros((4096, 25088), np.float32), np.zeros(4096, np.float32)
    >>> converted = to_convolution(Linear(4096), (512, 7, 7), weight, bias)
    >>> converted.layer, converted.weight.shape
    (Conv2d(4096, 7), (4096, 512, 7, 7))
    """
    channels, height, width = maps(layer, (input_shape,))
    _check("to_convolution", layer, layer.parameter_shapes((size_of(input_shape),)), weight, bias)
    window = height if height == width else (height, width)
    return Converted(Conv2d(layer.out_features, window, bias=layer.bias),
                     weight.reshape(layer.out_features, channels, height, width), bias, (layer.out_features, 1, 1))


def to_fully_connected(
    layer: Conv2d, input_shape: Shape, weight: Array, bias: Array | None = None, *, max_bytes: int = MOST_BYTES
) -> Converted:
    """A convolution as a fully connected layer on flattened inputs of one size.

    Parameters
    ----------
    layer : Conv2d
    input_shape : (int, int, int)
        Feature maps (C, H, W) that the layer sees.
    weight : ndarray
        Of the shape that `layer.parameter_shapes(input_shape)` tells.
    bias : ndarray, shape (out_channels,), optional
    max_bytes : int, optional
        How large the matrix may become.

    Returns
    -------
    Converted
        A `Linear` with as many features as the convolution has outputs, filter by filter and row by row, the matrix,
        and a bias for each output. Where the window covers its whole input, the inverse of `to_convolution`: the same
        memory in another shape, if the given one is contiguous.

    Raises
    ------
    ArgumentError
        If the matrix would be larger than `max_bytes`.
    ShapeError, GeometryError, ArrayTypeError

    Notes
    -----
    Row (k, p, q) holds weight[k, c, r, s] at column (c, p S - P + r d, q S - P + s d), where that lies within the
    input, and zero elsewhere.
    """
    channels, height, width = maps(layer, (input_shape,))
    _check("to_fully_connected", layer, layer.parameter_shapes(input_shape), weight, bias)
    output_shape = layer.output_shape(input_shape)
    dense = Linear(size_of(output_shape), layer.bias)
    found = windows("to_fully_connected", (height, width), layer.kernel_size, layer.stride, layer.padding,
                    layer.dilation)
    if weight.shape == (output_shape[0], *input_shape) and output_shape[1:] == (1, 1) and not any(
            (*found.vertical, *found.horizontal)):
        return Converted(dense, weight.reshape(len(weight), -1), bias, output_shape)
    matrix_bytes = size_of(output_shape) * size_of(input_shape) * weight.itemsize
    if matrix_bytes > max_bytes:
        raise ArgumentError(
            f"to_fully_connected: the matrix of {layer} on {input_shape} would have {size_of(output_shape):,} x "
            f"{size_of(input_shape):,} entries and take {matrix_bytes / 2**20:,.0f} MiB, for {weight.size:,} different "
            f"weights; max_bytes allows {max_bytes / 2**20:,.0f} MiB. A smaller input gives a smaller matrix")
    matrix = _matrix(_every_pair(layer, weight, channels), found, (height, width))
    repeated = None if bias is None else np.repeat(bias, size_of(output_shape[1:]))
    return Converted(dense, matrix, repeated, output_shape)


def _check(operation: str, layer: Layer, shapes: dict[str, Shape], weight: Array, bias: Array | None) -> None:
    if not isinstance(weight, np.ndarray) or weight.dtype not in (np.float32, np.float64):
        array(operation, "weight", weight, len(shapes["weight"]))  # says what is wrong, and else might copy
    if weight.shape != shapes["weight"]:
        raise ShapeError(f"{operation}: weight has shape {weight.shape}, {layer} on this input needs "
                         f"{shapes['weight']}")
    if (bias is None) != ("bias" not in shapes):
        raise ShapeError(f"{operation}: {layer} has {'a' if bias is None else 'no'} bias, "
                         f"{'none' if bias is None else 'one'} was given")
    if bias is not None and array(operation, "bias", bias, 1, weight).shape != shapes["bias"]:
        raise ShapeError(f"{operation}: bias has shape {bias.shape}, {layer} needs {shapes['bias']}")


def _every_pair(layer: Conv2d, weight: Array, channels: int) -> Array:
    """Weights for every pair of filter and channel: zeros between groups, and where there is no connection."""
    if layer.groups == 1 and layer.connections is None:
        return weight
    full = np.zeros((layer.out_channels, channels, *weight.shape[-2:]), weight.dtype)
    if layer.connections is not None:
        kernels = iter(weight)
        for number, seen in enumerate(layer.connections):
            for channel in seen:
                full[number, channel] = next(kernels)
        return full
    filters, depth = layer.out_channels // layer.groups, channels // layer.groups
    for group in range(layer.groups):
        rows = slice(group * filters, (group + 1) * filters)
        full[rows, group * depth:(group + 1) * depth] = weight[rows]
    return full


def _matrix(weight: Array, found: Windows, size: tuple[int, int]) -> Array:
    """Each weight at all places where the convolution uses it."""
    filters, channels, *kernel = weight.shape
    matrix = np.zeros((filters, *found.output, channels, *size), weight.dtype)
    for r in range(kernel[0]):
        rows, above = _meeting(found.output[0], size[0], found.stride[0], r * found.dilation[0] - found.vertical[0])
        for s in range(kernel[1]):
            columns, beside = _meeting(found.output[1], size[1], found.stride[1],
                                       s * found.dilation[1] - found.horizontal[0])
            # Positions are paired with the inputs under this tap, so that they come first, filters and channels last.
            matrix[:, rows[:, None], columns, :, above[:, None], beside] = weight[:, :, r, s]
    return matrix.reshape(filters * found.output[0] * found.output[1], -1)


def _meeting(positions: int, size: int, stride: int, shift: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions at which a tap meets an input, and which one: position * stride + shift."""
    outputs = np.arange(positions)
    inputs = outputs * stride + shift
    inside = (inputs >= 0) & (inputs < size)
    return outputs[inside], inputs[inside]
