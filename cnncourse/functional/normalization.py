"""Bringing values to a common scale: over the batch for each channel, or over neighboring channels at each position."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, overload

import numpy as np

from cnncourse.errors import ArgumentError, ShapeError
from cnncourse.functional.arguments import Array, array, gradient, parts, result
from cnncourse.geometry.settings import real, whole
from cnncourse.kernels import normalization as kernels
from cnncourse.machinery.threads import share


@dataclass(frozen=True, eq=False)
class BatchStatistics:
    """What batch norm found in a batch, by channel.

    Attributes
    ----------
    mean, var : ndarray of float64, shape (C,)
        Of the batch; the variance is divided by the number of values, as it is used to normalize.
    running_mean, running_var : ndarray or None, shape (C,)
        The running statistics with this batch taken in, in new arrays; None if none were given.
    """

    mean: Array
    var: Array
    running_mean: Array | None
    running_var: Array | None


@overload
def batch_norm(
    x: Array, weight: Array | None = None, bias: Array | None = None, running_mean: Array | None = None,
    running_var: Array | None = None, *, training: Literal[False] = False, momentum: float = 0.1, eps: float = 1e-5,
    out: Array | None = None,
) -> Array: ...


@overload
def batch_norm(
    x: Array, weight: Array | None = None, bias: Array | None = None, running_mean: Array | None = None,
    running_var: Array | None = None, *, training: Literal[True], momentum: float = 0.1, eps: float = 1e-5,
    out: Array | None = None,
) -> tuple[Array, BatchStatistics]: ...


def batch_norm(  # type: ignore[no-untyped-def]
    x, weight=None, bias=None, running_mean=None, running_var=None, *, training=False, momentum=0.1, eps=1e-5,
    out=None,
):
    """Bring every channel to mean zero and variance one, then scale and shift it as learned.

    Parameters
    ----------
    x : ndarray, shape (N, C, ...), float32 or float64
    weight, bias : ndarray, shape (C,), dtype of x, optional
        Scale and shift, by default 1 and 0.
    running_mean, running_var : ndarray, shape (C,), dtype of x, optional
        What inference normalizes with, and training updates.
    training : bool, optional
        Take mean and variance from the batch.
    momentum : float, optional
        Share of the batch in the new running statistics.
    eps : float, optional
        Added to the variance.
    out : ndarray, shape and dtype of x, optional
        C-contiguous memory for the result; `out=x` overwrites x.

    Returns
    -------
    out : ndarray, shape and dtype of x
    statistics : BatchStatistics
        In training only: mean and variance for the backward pass, and the new running statistics. Those that were
        given are not written to.

    Raises
    ------
    ArgumentError
        If inference is given no running statistics, training one without the other, or `eps` is negative.
    ShapeError
        Also in training if there is only one value for each channel: its variance says nothing.
    ArrayTypeError

    Notes
    -----
    out = weight (x - mean) / sqrt(var + eps) + bias. In training var is divided by the number m of values; the
    running variance takes in var m / (m - 1), as in PyTorch: running = (1 - momentum) running + momentum found.
    A batch without samples leaves the running statistics as they are.

    References
    ----------
    Ioffe and Szegedy: Batch normalization: accelerating deep network training by reducing internal covariate shift,
    2015, algorithms 1 and 2.
    """
    momentum = real("batch_norm: momentum", momentum)
    x, weight, bias, running_mean, running_var = _checked(
        "batch_norm", x, eps, weight=weight, bias=bias, running_mean=running_mean, running_var=running_var)
    if (running_mean is None) != (running_var is None):
        raise ArgumentError("batch_norm: running_mean and running_var have to be given both, or neither")
    out = result("batch_norm", out, x.shape, x)
    planes = _planes(x)
    samples, channels, length = planes.shape
    mean, var = _statistics("batch_norm", x) if training else _running("batch_norm", running_mean, running_var)
    weight = np.ones(channels, x.dtype) if weight is None else weight
    bias = np.zeros(channels, x.dtype) if bias is None else bias
    share(kernels.standardize, samples * channels, planes, mean, var, weight, bias, eps, _planes(out), out is x,
          parts=parts(x.size))
    if not training:
        return out
    count = samples * length
    if running_mean is not None and count:
        running_mean = _moved(running_mean, mean, momentum)
        running_var = _moved(running_var, var * (count / (count - 1)), momentum)
    return out, BatchStatistics(mean, var, running_mean, running_var)


def batch_norm_backward(
    grad_out: Array, x: Array, weight: Array | None = None, running_mean: Array | None = None,
    running_var: Array | None = None, *, training: bool = False, eps: float = 1e-5,
    statistics: BatchStatistics | None = None, out: Array | None = None,
) -> tuple[Array, Array, Array]:
    """Gradients of `batch_norm` with respect to its input, weight and bias.

    Parameters
    ----------
    grad_out : ndarray, shape and dtype of x
    x, weight, running_mean, running_var, training, eps
        As given to `batch_norm`.
    statistics : BatchStatistics, optional
        What `batch_norm` returned in training; without them they are found again.
    out : ndarray, shape and dtype of x, optional
        C-contiguous memory for `grad_x`; it may be `grad_out`, which is then overwritten.

    Returns
    -------
    grad_x : ndarray, shape of x
    grad_weight, grad_bias : ndarray, shape (C,)

    Raises
    ------
    ArgumentError, ShapeError, ArrayTypeError
        As `batch_norm`.

    Notes
    -----
    With s = 1 / sqrt(var + eps), y = s (x - mean) and g for grad_out: grad_bias = sum g, grad_weight = sum g y. In
    inference grad_x = weight s g. In training mean and variance depend on x too, and what would only move them is
    taken out: grad_x = weight s (g - mean(g) - y mean(g y)).
    """
    operation = "batch_norm_backward"
    x, weight, running_mean, running_var = _checked(
        operation, x, eps, weight=weight, running_mean=running_mean, running_var=running_var)
    grad_out = gradient(operation, grad_out, x.shape, x)
    grad_x = result(operation, out, x.shape, x)
    planes, upstream = _planes(x), _planes(grad_out)
    samples, channels, length = planes.shape
    if not training:
        mean, var = _running(operation, running_mean, running_var)
    elif statistics is None:
        mean, var = _statistics(operation, x)
    elif isinstance(statistics, BatchStatistics):
        mean, var = statistics.mean, statistics.var
    else:
        raise ArgumentError(f"{operation}: statistics has to be what batch_norm returned in training, a "
                            f"{type(statistics).__name__} was given")
    weight = np.ones(channels, x.dtype) if weight is None else weight
    grad_weight, grad_bias = np.empty(channels, x.dtype), np.empty(channels, x.dtype)
    share(kernels.gradient_sums, channels, upstream, planes, mean, var, eps, grad_weight, grad_bias,
          parts=parts(x.size))
    share(kernels.batch_backward, samples * channels, upstream, planes, mean, var, weight, eps, grad_weight, grad_bias,
          samples * length if training else 0, _planes(grad_x), grad_x is grad_out,
          parts=parts(x.size))
    return grad_x, grad_weight, grad_bias


def local_response_norm(x: Array, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Array:
    """Divide each value by a measure of its neighbors in the channels before and after.

    Parameters
    ----------
    x : ndarray, shape (N, C, ...), float32 or float64
    size : int
        How many channels count, its own included: size // 2 before and (size - 1) // 2 after, fewer at the ends.
    alpha, beta, k : float, optional

    Returns
    -------
    ndarray, shape and dtype of x

    Raises
    ------
    ArgumentError, ShapeError, ArrayTypeError

    Notes
    -----
    out = x / (k + alpha / size * sum of x^2 over the neighbors)^beta. Alpha is divided by the size, as in Caffe,
    PyTorch and ONNX; the paper does not: its n = 5, alpha = 1e-4, k = 2 are `size=5, alpha=5e-4, k=2` here. For even
    sizes ONNX takes the longer side after the channel, PyTorch and this function before it.

    References
    ----------
    Krizhevsky, Sutskever and Hinton: ImageNet classification with deep convolutional neural networks, 2012,
    section 3.3.
    """
    x, number = _mapped("local_response_norm", x, size)
    out = np.empty_like(x)
    planes = _planes(x)
    share(kernels.response_forward, _strips(planes), planes, _planes(out), number,
          *_rule("local_response_norm", x, number, alpha, beta, k), parts=parts(4 * x.size))
    return out


def local_response_norm_backward(
    grad_out: Array, x: Array, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Array:
    """Gradient of `local_response_norm`.

    Parameters
    ----------
    grad_out : ndarray, shape and dtype of x
    x, size, alpha, beta, k
        As given to `local_response_norm`.

    Returns
    -------
    ndarray, shape and dtype of x

    Raises
    ------
    ArgumentError, ShapeError, ArrayTypeError

    Notes
    -----
    With d = k + alpha / size * sum of x^2: grad_x[c] = grad_out[c] d[c]^-beta - 2 alpha beta / size * x[c] times the
    sum of grad_out[c'] x[c'] d[c']^(-beta - 1) over all channels c' that have c among their neighbors.
    """
    x, number = _mapped("local_response_norm_backward", x, size)
    grad_out = gradient("local_response_norm_backward", grad_out, x.shape, x)
    grad_x = np.empty_like(x)
    planes = _planes(x)
    share(kernels.response_backward, _strips(planes), _planes(grad_out), planes, _planes(grad_x), number,
          *_rule("local_response_norm_backward", x, number, alpha, beta, k), parts=parts(4 * x.size))
    return grad_x


def _checked(operation: str, x: Any, eps: Any, **of_channels: Any) -> list[Any]:
    x = _batch(operation, x)
    if not real(f"{operation}: eps", eps) >= 0:
        raise ArgumentError(f"{operation}: eps has to be at least 0, {eps!r} was given")
    checked: list[Any] = [x]
    for name, value in of_channels.items():
        if value is not None:
            value = array(operation, name, value, 1, x)
            if len(value) != x.shape[1]:
                raise ShapeError(f"{operation}: {name} has {len(value)} entries and x {x.shape[1]} channels; there has "
                                 "to be one for each")
        checked.append(value)
    return checked


def _batch(operation: str, x: Any) -> Array:
    x = array(operation, "x", x)
    if x.ndim < 2:
        raise ShapeError(f"{operation}: x has to have samples, channels and any further dimensions, its shape is "
                         f"{x.shape}")
    return x


def _planes(x: Array) -> Array:
    """(N, C, L), without a copy."""
    return x.reshape(x.shape[0], x.shape[1], math.prod(x.shape[2:]))


def _statistics(operation: str, x: Array) -> tuple[Array, Array]:
    planes = _planes(x)
    samples, channels, length = planes.shape
    if samples * length == 1:
        raise ShapeError(f"{operation}: training takes more than one value for each channel, x has shape {x.shape}; a "
                         "larger batch would do, or training=False")
    mean, var = np.zeros(channels), np.zeros(channels)
    if samples * length:
        share(kernels.statistics, channels, planes, mean, var, parts=parts(2 * x.size))
    return mean, var


def _running(operation: str, mean: Array | None, var: Array | None) -> tuple[Array, Array]:
    if mean is None or var is None:
        raise ArgumentError(f"{operation}: inference takes running_mean and running_var; training=True takes the "
                            "batch's own")
    return mean, var


def _moved(running: Array, found: Array, momentum: float) -> Array:
    moved: Array = ((1 - momentum) * running + momentum * found).astype(running.dtype)
    return moved


def _mapped(operation: str, x: Any, size: Any) -> tuple[Array, int]:
    return _batch(operation, x), whole(f"{operation}: size", size, 1)


def _rule(operation: str, x: Array, size: int, alpha: Any, beta: Any, k: Any) -> tuple[Any, float, Any]:
    alpha, beta, k = (real(f"{operation}: {name}", value)
                      for name, value in (("alpha", alpha), ("beta", beta), ("k", k)))
    return x.dtype.type(alpha / size), beta, x.dtype.type(k)


def _strips(planes: Array) -> int:
    return planes.shape[0] * -(-planes.shape[2] // kernels.STRIP)
