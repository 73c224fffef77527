"""The rounding rules of Caffe, TensorFlow, PyTorch and ONNX, each under its own name, along one axis."""

from __future__ import annotations

from typing import Literal

from cnncourse.errors import ArgumentError, GeometryError
from cnncourse.geometry.fitting import Settings, too_large
from cnncourse.geometry.padding import same_padding
from cnncourse.geometry.settings import sides, whole
from cnncourse.geometry.sizes import output_size

Sides = int | tuple[int, int]
TensorflowPadding = Literal["SAME", "VALID"]
AutoPad = Literal["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"]


def caffe_conv_output_size(
    input_size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> int:
    """Size of Caffe's convolution: rounded down.

    Parameters
    ----------
    input_size, kernel_size : int
    stride, padding, dilation : int, optional
        Padding is the same on both sides.

    Returns
    -------
    int

    Raises
    ------
    GeometryError
        If the kernel is larger than the padded input.
    ArgumentError
        If a setting is not a whole number, or too small.

    Notes
    -----
    floor((W + 2 P - (d (F - 1) + 1)) / S) + 1

    References
    ----------
    Caffe, ``src/caffe/layers/conv_layer.cpp``, ``compute_output_shape``.
    """
    return output_size(input_size, kernel_size, stride, whole("padding", padding, 0), dilation, "floor")


def caffe_pool_output_size(input_size: int, kernel_size: int, stride: int = 1, padding: int = 0) -> int:
    """Size of Caffe's pooling: rounded up, without a last window that would start in the padding.

    Parameters
    ----------
    input_size, kernel_size : int
    stride, padding : int, optional
        Padding is the same on both sides, and smaller than the kernel.

    Returns
    -------
    int

    Raises
    ------
    GeometryError
        If the kernel is larger than the padded input, or the padding not smaller than the kernel.
    ArgumentError
        If a setting is not a whole number, or too small.

    Notes
    -----
    n = ceil((W + 2 P - F) / S) + 1; if there is padding and (n - 1) S >= W + P, it is n - 1.
    Caffe drops the last window along both axes as soon as there is padding along either; this function knows
    one axis and takes its padding for both. Without padding it never drops one, so that with a stride larger than the
    kernel the last window may lie outside of the input.

    References
    ----------
    Caffe, ``src/caffe/layers/pooling_layer.cpp``.
    """
    pad, kernel = whole("padding", padding, 0), whole("kernel_size", kernel_size, 1)
    if pad >= kernel:
        raise GeometryError(f"Caffe pools with padding smaller than the kernel: padding {pad} and kernel_size "
                            f"{kernel} were given, padding {kernel - 1} is the most that fits")
    size = _rounded_up(Settings(input_size, kernel, stride, pad, 1))
    return size - 1 if pad and (size - 1) * stride >= input_size + pad else size


def tensorflow_output_size(
    input_size: int, kernel_size: int, stride: int = 1, dilation: int = 1, padding: TensorflowPadding = "VALID"
) -> int:
    """Size of TensorFlow's convolution and pooling.

    Parameters
    ----------
    input_size, kernel_size : int
    stride, dilation : int, optional
    padding : {"VALID", "SAME"}, optional

    Returns
    -------
    int

    Raises
    ------
    GeometryError
        If "VALID" is asked for and the kernel is larger than the input.
    ArgumentError
        If a setting is not a whole number, or too small, or `padding` is neither.

    Notes
    -----
    VALID: ceil((W - (d (F - 1) + 1) + 1) / S), which is the same as rounding (W - F) / S + 1 down.
    SAME: ceil(W / S).

    References
    ----------
    TensorFlow, API documentation of ``tf.nn``, notes on padding.
    """
    return output_size(input_size, kernel_size, stride,
                       tensorflow_padding(input_size, kernel_size, stride, dilation, padding), dilation, "floor")


def tensorflow_padding(
    input_size: int, kernel_size: int, stride: int = 1, dilation: int = 1, padding: TensorflowPadding = "SAME"
) -> tuple[int, int]:
    """Zeros that TensorFlow adds.

    Parameters
    ----------
    input_size, kernel_size : int
    stride, dilation : int, optional
    padding : {"SAME", "VALID"}, optional

    Returns
    -------
    (before, after) : tuple of int
        With "SAME" the extra one of an odd total comes after.

    Raises
    ------
    ArgumentError
        If a setting is not a whole number, or too small, or `padding` is neither.

    Notes
    -----
    The total is max((ceil(W / S) - 1) S + d (F - 1) + 1 - W, 0), as in `same_padding`.

    References
    ----------
    TensorFlow, API documentation of ``tf.nn``, notes on padding.
    """
    if padding not in ("SAME", "VALID"):
        raise ArgumentError(f"TensorFlow's padding has to be 'SAME' or 'VALID', {padding!r} was given")
    return same_padding(input_size, kernel_size, stride, dilation) if padding == "SAME" else (0, 0)


def pytorch_conv_output_size(
    input_size: int, kernel_size: int, stride: int = 1, padding: int | Literal["same", "valid"] = 0,
    dilation: int = 1,
) -> int:
    """Size of PyTorch's convolution: rounded down.

    Parameters
    ----------
    input_size, kernel_size : int
    stride, dilation : int, optional
    padding : int, "same" or "valid", optional
        The same on both sides; "same" only with stride 1.

    Returns
    -------
    int

    Raises
    ------
    GeometryError
        If the kernel is larger than the padded input, or "same" is combined with a larger stride.
    ArgumentError
        If a setting is not a whole number, or too small.

    Notes
    -----
    floor((W + 2 P - (d (F - 1) + 1)) / S) + 1

    References
    ----------
    PyTorch, documentation of ``torch.nn.Conv2d``, section Shape.
    """
    if padding == "same" and stride != 1:
        raise GeometryError(f"PyTorch's padding 'same' goes with stride 1 only, stride {stride} was given; "
                            f"TensorFlow's rule is same_padding({input_size}, {kernel_size}, {stride}, {dilation})")
    if not isinstance(padding, str):
        padding = whole("padding", padding, 0)
    return output_size(input_size, kernel_size, stride, padding, dilation, "floor")


def pytorch_pool_output_size(
    input_size: int, kernel_size: int, stride: int | None = None, padding: Sides = 0, dilation: int = 1, *,
    ceil_mode: bool = False,
) -> int:
    """Size of PyTorch's pooling: rounded down, or up without a last window that would start in the padding.

    Parameters
    ----------
    input_size, kernel_size : int
    stride : int, optional
        As large as the kernel if not given.
    padding : int or (before, after), optional
        PyTorch knows only an int; a pair follows the same rule.
    dilation : int, optional
    ceil_mode : bool, optional
        Whether a last window may reach past the end.

    Returns
    -------
    int

    Raises
    ------
    GeometryError
        If the kernel does not fit the padded input, or the padding is larger than half of the kernel.
    ArgumentError
        If a setting is not a whole number, or too small.

    Notes
    -----
    n = floor((W + 2 P - (d (F - 1) + 1)) / S) + 1, with ceil in place of floor in ceil_mode; there, if
    (n - 1) S >= W + P, it is n - 1. Rounded up, a window may be larger than the padded input by less than S.

    References
    ----------
    PyTorch, documentation of ``torch.nn.MaxPool2d``, section Shape.
    """
    before, after = sides("padding", padding)
    kernel = whole("kernel_size", kernel_size, 1)
    if 2 * max(before, after) > kernel:
        raise GeometryError(f"padding has to be at most half of the kernel: padding {padding} was given, "
                            f"kernel_size {kernel} allows {kernel // 2}")
    return _pool_output_size(input_size, kernel_size, kernel_size if stride is None else stride,
                             (before, after), dilation, ceil_mode)


def onnx_output_size(
    input_size: int, kernel_size: int, stride: int = 1, padding: Sides = 0, dilation: int = 1, *,
    auto_pad: AutoPad = "NOTSET", ceil_mode: bool = False,
) -> int:
    """Size of ONNX's convolution and pooling.

    Parameters
    ----------
    input_size, kernel_size : int
    stride, dilation : int, optional
    padding : int or (before, after), optional
        ONNX's ``pads``; counts only with auto_pad "NOTSET".
    auto_pad : {"NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"}, optional
    ceil_mode : bool, optional
        Pooling only. Makes a difference only with auto_pad "NOTSET".

    Returns
    -------
    int

    Raises
    ------
    GeometryError
        If the kernel is larger than the padded input.
    ArgumentError
        If a setting is not a whole number, or too small, or `auto_pad` is none of the four.

    Notes
    -----
    NOTSET rounds as PyTorch does. VALID: ceil((W - (d (F - 1) + 1) + 1) / S). SAME_UPPER and
    SAME_LOWER: ceil(W / S).

    References
    ----------
    ONNX, operators Conv and MaxPool, version 22.
    """
    if auto_pad == "NOTSET":
        return _pool_output_size(input_size, kernel_size, stride, sides("padding", padding), dilation, ceil_mode)
    return output_size(input_size, kernel_size, stride,
                       onnx_padding(input_size, kernel_size, stride, dilation, auto_pad), dilation, "floor")


def onnx_padding(
    input_size: int, kernel_size: int, stride: int = 1, dilation: int = 1, auto_pad: AutoPad = "SAME_UPPER"
) -> tuple[int, int]:
    """Zeros that ONNX's auto_pad adds.

    Parameters
    ----------
    input_size, kernel_size : int
    stride, dilation : int, optional
    auto_pad : {"SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET"}, optional

    Returns
    -------
    (before, after) : tuple of int
        The extra one of an odd total comes after with SAME_UPPER and before with SAME_LOWER.

    Raises
    ------
    ArgumentError
        If a setting is not a whole number, or too small, or `auto_pad` is none of the four.

    Notes
    -----
    The total is max((ceil(W / S) - 1) S + d (F - 1) + 1 - W, 0); VALID and NOTSET add nothing of their own.
    The text of the operators does not say what a total below zero means, which comes up where the stride is larger than
    the kernel. ONNX Runtime then leaves inputs out at both ends; here, as in TensorFlow, nothing is added.

    References
    ----------
    ONNX, operators Conv and MaxPool, version 22.
    """
    if auto_pad not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
        raise ArgumentError(f"auto_pad has to be 'NOTSET', 'VALID', 'SAME_UPPER' or 'SAME_LOWER', "
                            f"{auto_pad!r} was given")
    if auto_pad in ("NOTSET", "VALID"):
        return 0, 0
    fewer, more = same_padding(input_size, kernel_size, stride, dilation)
    return (fewer, more) if auto_pad == "SAME_UPPER" else (more, fewer)


def _pool_output_size(
    input_size: int, kernel_size: int, stride: int, padding: Sides, dilation: int, ceil_mode: bool
) -> int:
    if not ceil_mode:
        return output_size(input_size, kernel_size, stride, padding, dilation, "floor")
    size = _rounded_up(Settings(input_size, kernel_size, stride, padding, dilation))
    return size - 1 if (size - 1) * stride >= input_size + sides("padding", padding)[0] else size


def _rounded_up(settings: Settings) -> int:
    """Rounded up, a window larger than the padded input is still one position, if less than a stride is missing."""
    if -settings.free >= settings.stride:
        raise GeometryError(too_large(settings))
    return -(-settings.free // settings.stride) + 1
