"""Two-dimensional convolution, which is a cross-correlation: the kernel is not flipped."""

from __future__ import annotations

from typing import Any

import numpy as np

from cnncourse.errors import ShapeError
from cnncourse.functional.arguments import Array, Padding, Pair, Windows, array, gradient, windows
from cnncourse.geometry.settings import whole
from cnncourse.kernels import ways


def conv2d(
    x: Array, weight: Array, bias: Array | None = None, *, stride: Pair = 1, padding: Padding = 0, dilation: Pair = 1,
    groups: int = 1,
) -> Array:
    """Slide every filter over the padded input; each position gives one dot product plus the filter's bias.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W), float32 or float64
    weight : ndarray, shape (K, C / groups, R, S), dtype of x
    bias : ndarray, shape (K,), dtype of x, optional
    stride, dilation : int or (vertical, horizontal), optional
        Dilation 1 means a kernel without gaps.
    padding : int, (vertical, horizontal), ((top, bottom), (left, right)), "same" or "valid", optional
        Zeros around the input. "same" is PyTorch's at stride 1 and TensorFlow's SAME (ONNX's SAME_UPPER) otherwise.
    groups : int, optional
        Filters of one group see the channels of that group only.

    Returns
    -------
    ndarray, shape (N, K, P, Q), dtype of x

    Raises
    ------
    ShapeError
        If channels, filters, groups and bias do not agree.
    GeometryError
        If the kernel is larger than the padded input.
    ArrayTypeError
        If an array is not float32 or float64, or the precisions differ.
    ArgumentError
        If a setting is not a whole number, or too small.

    Notes
    -----
    out[n, k, p, q] = bias[k] + sum over c, r, s of
    weight[k, c, r, s] * x[n, c, p S + r d - P, q S + s d - P], where x is zero outside of its bounds.
    P = floor((H + padding - d (R - 1) - 1) / S) + 1 rows come out, as in PyTorch.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner: Gradient-based learning applied to document recognition, 1998.
    """
    x, weight, found, groups = _checked("conv2d", x, weight, stride, padding, dilation, groups)
    if bias is None:
        bias = np.zeros(len(weight), x.dtype)
    else:
        bias = array("conv2d", "bias", bias, 1, x)
        if len(bias) != len(weight):
            raise ShapeError(f"conv2d: bias has {len(bias)} entries and weight {len(weight)} filters "
                             f"(weight: {weight.shape}); there has to be one for each")
    out = np.empty((len(x), len(weight), *found.output), x.dtype)
    ways.forward(x, weight, bias, out, found.stride, found.before, found.dilation, groups)
    return out


def conv2d_backward(
    grad_out: Array, x: Array, weight: Array, *, stride: Pair = 1, padding: Padding = 0, dilation: Pair = 1,
    groups: int = 1, input_gradient: bool = True,
) -> tuple[Array | None, Array, Array]:
    """Gradients of `conv2d` with respect to its input, weight and bias.

    Parameters
    ----------
    grad_out : ndarray, shape (N, K, P, Q), dtype of x
        Gradient of the loss with respect to the output.
    x, weight, stride, padding, dilation, groups
        As given to `conv2d`.
    input_gradient : bool, optional
        Whether `grad_x` is wanted; a network's first layer does not need it, and it is half of the work.

    Returns
    -------
    grad_x : ndarray, shape of x
        None if it is not wanted.
    grad_weight : ndarray, shape of weight
        A weight is used at every position of every sample: its gradient is the sum over all of them.
    grad_bias : ndarray, shape (K,)

    Raises
    ------
    ShapeError, GeometryError, ArrayTypeError, ArgumentError
        As `conv2d`; also if `grad_out` does not have the output's shape.

    Notes
    -----
    With i = p S + r d - P and j likewise: grad_x[n, c, i, j] sums weight[k, c, r, s] * grad_out[n, k, p, q] over all
    k, r, s, p, q that meet there; grad_weight[k, c, r, s] sums x[n, c, i, j] * grad_out[n, k, p, q] over n, p, q.
    """
    x, weight, found, groups = _checked("conv2d_backward", x, weight, stride, padding, dilation, groups)
    grad_out = gradient("conv2d_backward", grad_out, (len(x), len(weight), *found.output), x)
    grad_x, grad_weight = np.empty_like(x) if input_gradient else None, np.empty_like(weight)
    settings = found.stride, found.before, found.dilation, groups
    if grad_x is not None:
        ways.input_gradient(grad_out, weight, grad_x, *settings)
    ways.weight_gradient(grad_out, x, grad_weight, *settings)
    return grad_x, grad_weight, ways.bias_gradient(grad_out)


def _checked(
    operation: str, x: Any, weight: Any, stride: Any, padding: Any, dilation: Any, groups: Any
) -> tuple[Array, Array, Windows, int]:
    x = array(operation, "x", x, 4)
    weight = array(operation, "weight", weight, 4, x)
    groups = whole(f"{operation}: groups", groups, 1)
    if x.shape[1] % groups or len(weight) % groups or weight.shape[1] != x.shape[1] // groups:
        raise ShapeError(f"{operation}: {_disagreement(x, weight, groups)}")
    return x, weight, windows(operation, x.shape[2:], weight.shape[2:], stride, padding, dilation), groups


def _disagreement(x: Array, weight: Array, groups: int) -> str:
    shapes = f"(x: {x.shape}, weight: {weight.shape}, groups={groups})"
    if x.shape[1] % groups or len(weight) % groups:
        return f"groups has to divide the {x.shape[1]} channels of x and the {len(weight)} filters of weight {shapes}"
    return (f"weight has {weight.shape[1]} input channels and x has {x.shape[1]} {shapes}; weight has to have shape "
            f"(out_channels, {x.shape[1] // groups}, kernel_height, kernel_width)")
