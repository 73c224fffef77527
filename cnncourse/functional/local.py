"""The locally connected layer: local like a convolution, but every position has filters of its own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cnncourse.config import get_num_threads
from cnncourse.errors import ShapeError
from cnncourse.functional.arguments import Array, Padding, Pair, Windows, array, gradient, parts, windows
from cnncourse.kernels import local as kernels
from cnncourse.machinery.threads import share


def locally_connected2d(
    x: Array, weight: Array, bias: Array | None = None, *, stride: Pair = 1, padding: Padding = 0
) -> Array:
    """A convolution without shared weights: the dot product at each position has weights of its own.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W), float32 or float64
    weight : ndarray, shape (P, Q, K, C, R, S), dtype of x
        `weight[p, q]` are the K filters at position (p, q), shaped as those of `conv2d`.
    bias : ndarray, shape (K, P, Q), dtype of x, optional
    stride, padding
        As in `conv2d`.

    Returns
    -------
    ndarray, shape (N, K, P, Q), dtype of x

    Raises
    ------
    ShapeError
        If channels, positions and bias do not agree; the message says how many positions there are.
    GeometryError, ArrayTypeError, ArgumentError

    Notes
    -----
    out[n, k, p, q] = bias[k, p, q] + sum over c, r, s of weight[p, q, k, c, r, s] * x[n, c, p S + r - P, q S + s - P].
    With the same filters at all positions this is `conv2d`, and conv2d's gradient of a weight is the sum of the
    gradients here over the positions.

    References
    ----------
    Taigman, Yang, Ranzato and Wolf: DeepFace: closing the gap to human-level performance in face verification, 2014,
    section 3.
    """
    x, weight, found = _checked("locally_connected2d", x, weight, stride, padding)
    filters = weight.shape[2]
    out = np.empty((len(x), filters, *found.output), x.dtype)
    if bias is None:
        bias = np.zeros(out.shape[1:], x.dtype)
    else:
        bias = array("locally_connected2d", "bias", bias, 3, x)
        if bias.shape != out.shape[1:]:
            raise ShapeError(f"locally_connected2d: bias has shape {bias.shape}; with {filters} filters at each of "
                             f"{found.output} positions it has to have {out.shape[1:]}")
    positions = found.output[0] * found.output[1]
    share(kernels.forward, positions, x, _flat(weight), bias.reshape(filters, positions),
          out.reshape(len(x), filters, positions), *_steps(found), parts=parts(weight.size))
    return out


def locally_connected2d_backward(
    grad_out: Array, x: Array, weight: Array, *, stride: Pair = 1, padding: Padding = 0
) -> tuple[Array, Array, Array]:
    """Gradients of `locally_connected2d` with respect to its input, weight and bias.

    Parameters
    ----------
    grad_out : ndarray, shape (N, K, P, Q), dtype of x
    x, weight, stride, padding
        As given to `locally_connected2d`.

    Returns
    -------
    grad_x : ndarray, shape of x
    grad_weight : ndarray, shape of weight
        The sum over the samples.
    grad_bias : ndarray, shape (K, P, Q)

    Raises
    ------
    ShapeError, GeometryError, ArrayTypeError, ArgumentError
    """
    operation = "locally_connected2d_backward"
    x, weight, found = _checked(operation, x, weight, stride, padding)
    samples, filters, positions = len(x), weight.shape[2], found.output[0] * found.output[1]
    grad_out = gradient(operation, grad_out, (samples, filters, *found.output), x)
    upstream = grad_out.reshape(samples, filters, positions)
    grad_x, grad_weight = np.zeros_like(x), np.empty_like(weight)
    share(kernels.backward_weight, positions, upstream, x, _flat(grad_weight), *_steps(found),
          parts=parts(weight.size))
    # One part for each thread: every part reads all weights.
    share(kernels.backward_input, samples, upstream, _flat(weight), grad_x, *_steps(found),
          parts=parts(samples * weight.size) or min(samples, get_num_threads()))
    return grad_x, grad_weight, grad_out.sum(axis=0)


def _checked(operation: str, x: Any, weight: Any, stride: Any, padding: Any) -> tuple[Array, Array, Windows]:
    x = array(operation, "x", x, 4)
    weight = array(operation, "weight", weight, 6, x)
    shapes = f"(x: {x.shape}, weight: {weight.shape})"
    if weight.shape[3] != x.shape[1]:
        raise ShapeError(f"{operation}: weight has {weight.shape[3]} input channels and x has {x.shape[1]} {shapes}; "
                         "weight has to have shape (rows, columns, out_channels, in_channels, kernel_height, "
                         "kernel_width)")
    found = windows(operation, x.shape[2:], weight.shape[4:], stride, padding, 1)
    if weight.shape[:2] != found.output:
        raise ShapeError(f"{operation}: weight has filters for {weight.shape[:2]} positions; with these settings there "
                         f"are {found.output} {shapes}")
    return x, weight, found


def _flat(weight: Array) -> Array:
    """(P Q, K, C R S), without a copy."""
    rows, columns, filters, *one = weight.shape
    return weight.reshape(rows * columns, filters, math.prod(one))


def _steps(found: Windows) -> tuple[int, ...]:
    """Q, R, S, sh, sw, ph, pw, as the kernels take them."""
    return (found.output[1], *found.kernel, *found.stride, found.vertical[0], found.horizontal[0])
