"""Pooling: one number for each window of each channel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from cnncourse.errors import ArgumentError, ShapeError
from cnncourse.functional.arguments import (
    Array,
    Padding,
    Pair,
    Windows,
    array,
    gradient,
    parts,
    pooling_windows,
    shaped,
)
from cnncourse.geometry.settings import real
from cnncourse.kernels import pooling as kernels
from cnncourse.machinery.threads import share


@overload
def max_pool2d(
    x: Array, kernel_size: Pair, stride: Pair | None = None, padding: Padding = 0, *, dilation: Pair = 1,
    ceil_mode: bool = False, return_indices: Literal[False] = False,
) -> Array: ...


@overload
def max_pool2d(
    x: Array, kernel_size: Pair, stride: Pair | None = None, padding: Padding = 0, *, dilation: Pair = 1,
    ceil_mode: bool = False, return_indices: Literal[True],
) -> tuple[Array, NDArray[np.int64]]: ...


def max_pool2d(  # type: ignore[no-untyped-def]
    x, kernel_size, stride=None, padding=0, *, dilation=1, ceil_mode=False, return_indices=False
):
    """The largest input of every window.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W), float32 or float64
    kernel_size : int or (vertical, horizontal)
    stride : int or (vertical, horizontal), optional
        By default the kernel size: windows that do not overlap.
    padding : optional
        As in `conv2d`; padding never wins, whatever the inputs. At most half of the window on both sides.
    dilation : int or (vertical, horizontal), optional
    ceil_mode : bool, optional
        Let the last window hang over the border instead of leaving inputs out.
    return_indices : bool, optional

    Returns
    -------
    out : ndarray, shape (N, C, P, Q), dtype of x
        NaN where a window holds one; -infinity where dilation steps over the whole input.
    indices : ndarray of int64, shape of out
        If asked for: where in its plane each maximum lies, row * W + column; the first of equal ones. -1 if there is
        none.

    Raises
    ------
    GeometryError, ArrayTypeError, ShapeError, ArgumentError

    References
    ----------
    Riesenhuber and Poggio: Hierarchical models of object recognition in cortex, 1999.
    """
    x = array("max_pool2d", "x", x, 4)
    found = pooling_windows("max_pool2d", x.shape[2:], kernel_size, stride, padding, dilation, ceil_mode)
    if return_indices:
        return _maximum(x, found)
    out = np.empty((*x.shape[:2], *found.output), x.dtype)
    _over_planes(kernels.max_forward, x, out, *found.kernel, *found.steps)
    return out


def max_pool2d_backward(
    grad_out: Array, x: Array, kernel_size: Pair, stride: Pair | None = None, padding: Padding = 0, *,
    dilation: Pair = 1, ceil_mode: bool = False, indices: NDArray[np.int64] | None = None,
) -> Array:
    """Gradient of `max_pool2d`: each window's goes to its maximum, the first one of equals.

    Parameters
    ----------
    grad_out : ndarray, shape of the output, dtype of x
    x, kernel_size, stride, padding, dilation, ceil_mode
        As given to `max_pool2d`.
    indices : ndarray of int64, optional
        What `max_pool2d` returned; without them they are found again. With them only the shape of x matters, and any
        array of its shape and dtype will do.

    Returns
    -------
    ndarray, shape and dtype of x
        Where windows overlap and share a maximum, the sum.

    Raises
    ------
    ShapeError
        Also if `grad_out` or `indices` does not have the output's shape.
    GeometryError, ArrayTypeError, ArgumentError
    """
    operation = "max_pool2d_backward"
    x = shaped(operation, "x", x, 4)
    found = pooling_windows(operation, x.shape[2:], kernel_size, stride, padding, dilation, ceil_mode)
    grad_out = gradient(operation, grad_out, (*x.shape[:2], *found.output), x)
    if indices is None:
        _, indices = _maximum(array(operation, "x", x), found)
    elif not isinstance(indices, np.ndarray) or indices.shape != grad_out.shape or indices.dtype.kind not in "iu":
        given = (f"an array of {indices.dtype} and shape {indices.shape}" if isinstance(indices, np.ndarray)
                 else f"a {type(indices).__name__}")
        raise ArgumentError(f"{operation}: indices has to be whole numbers of shape {grad_out.shape}, {given} was "
                            "given")
    grad_x, stray = np.empty(x.shape, x.dtype), np.full(1, -1)
    planes, windows = len(x) * x.shape[1], found.output[0] * found.output[1]
    share(kernels.max_backward, planes, grad_out.reshape(planes, windows),
          np.require(indices, np.int64, ["C", "W"]).reshape(planes, windows),
          grad_x.reshape(planes, x.shape[2] * x.shape[3]), stray, parts=parts(x.size))
    if stray[0] != -1:
        raise ArgumentError(f"{operation}: indices have to lie in a plane of {x.shape[2:]}, there are some from "
                            f"{indices.min()} to {indices.max()}")
    return grad_x


def avg_pool2d(
    x: Array, kernel_size: Pair, stride: Pair | None = None, padding: Padding = 0, *, ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """The mean of every window.

    Parameters
    ----------
    x, kernel_size, stride, padding, ceil_mode
        As in `max_pool2d`; padding counts as zeros.
    count_include_pad : bool, optional
        Divide by the size of the window, padding included; if False by the number of inputs in it.

    Returns
    -------
    ndarray, shape (N, C, P, Q), dtype of x

    Raises
    ------
    GeometryError, ArrayTypeError, ShapeError, ArgumentError

    Notes
    -----
    With ceil_mode, what hangs over the padded input is never counted, as in PyTorch.

    References
    ----------
    LeCun et al.: Backpropagation applied to handwritten zip code recognition, 1989.
    """
    x = array("avg_pool2d", "x", x, 4)
    found = pooling_windows("avg_pool2d", x.shape[2:], kernel_size, stride, padding, 1, ceil_mode)
    if found.kernel == x.shape[2:] and _around(found) == (0, 0, 0, 0):
        return global_avg_pool2d(x)
    return _average(x, found, count_include_pad)


def avg_pool2d_backward(
    grad_out: Array, x: Array, kernel_size: Pair, stride: Pair | None = None, padding: Padding = 0, *,
    ceil_mode: bool = False, count_include_pad: bool = True,
) -> Array:
    """Gradient of `avg_pool2d`: each window shares its own out evenly.

    Parameters
    ----------
    grad_out : ndarray, shape of the output, dtype of x
    x, kernel_size, stride, padding, ceil_mode, count_include_pad
        As given to `avg_pool2d`; only the shape of x matters, and any array of its shape and dtype will do.

    Returns
    -------
    ndarray, shape and dtype of x

    Raises
    ------
    ShapeError, GeometryError, ArrayTypeError, ArgumentError
    """
    x = shaped("avg_pool2d_backward", "x", x, 4)
    found = pooling_windows("avg_pool2d_backward", x.shape[2:], kernel_size, stride, padding, 1, ceil_mode)
    grad_out = gradient("avg_pool2d_backward", grad_out, (*x.shape[:2], *found.output), x)
    return _spread(grad_out, x, found, count_include_pad)


def global_avg_pool2d(x: Array) -> Array:
    """The mean of every feature map.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W), float32 or float64

    Returns
    -------
    ndarray, shape (N, C, 1, 1), dtype of x

    Raises
    ------
    ArrayTypeError, ShapeError

    References
    ----------
    Lin, Chen and Yan: Network in network, 2014, section 3.2.
    """
    x = _pictures("global_avg_pool2d", array("global_avg_pool2d", "x", x, 4))
    out = np.empty((*x.shape[:2], 1, 1), x.dtype)
    planes = out.size
    share(kernels.mean_forward, planes, x.reshape(planes, x.shape[2] * x.shape[3]), out.reshape(planes),
          parts=parts(x.size))
    return out


def global_avg_pool2d_backward(grad_out: Array, x: Array) -> Array:
    """Gradient of `global_avg_pool2d`: the same share for every entry of a feature map.

    Parameters
    ----------
    grad_out : ndarray, shape (N, C, 1, 1), dtype of x
    x : ndarray, shape (N, C, H, W)
        As given to `global_avg_pool2d`; only its shape matters, and any array of its shape and dtype will do.

    Returns
    -------
    ndarray, shape and dtype of x

    Raises
    ------
    ArrayTypeError, ShapeError
    """
    operation = "global_avg_pool2d_backward"
    x = _pictures(operation, shaped(operation, "x", x, 4))
    grad_out = gradient(operation, grad_out, (*x.shape[:2], 1, 1), x)
    grad_x = np.empty(x.shape, x.dtype)
    planes = grad_out.size
    share(kernels.mean_backward, planes, grad_out.reshape(planes), grad_x.reshape(planes, x.shape[2] * x.shape[3]),
          parts=parts(x.size))
    return grad_x


def lp_pool2d(
    x: Array, norm_type: float, kernel_size: Pair, stride: Pair | None = None, padding: Padding = 0, *,
    ceil_mode: bool = False,
) -> Array:
    """The p-norm of every window: p = 2 is L2 pooling, p = 1 sums.

    Parameters
    ----------
    x, kernel_size, stride, padding, ceil_mode
        As in `avg_pool2d`.
    norm_type : float
        p, above 0; infinity takes the largest magnitude.

    Returns
    -------
    ndarray, shape (N, C, P, Q), dtype of x

    Raises
    ------
    ArgumentError
        Also if `norm_type` is not above 0.
    GeometryError, ArrayTypeError, ShapeError

    Notes
    -----
    (sum of x^p)^(1/p). As in PyTorch there are no absolute values: with an odd p negative inputs subtract, and a
    negative sum gives NaN for p other than 1. A window that hangs over the padded input (ceil_mode) is scaled up to a
    whole one.
    """
    x = array("lp_pool2d", "x", x, 4)
    power = _norm("lp_pool2d", norm_type)
    if np.isinf(power):
        return max_pool2d(np.abs(x), kernel_size, stride, padding, ceil_mode=ceil_mode)
    found = pooling_windows("lp_pool2d", x.shape[2:], kernel_size, stride, padding, 1, ceil_mode)
    return _norms(x, found, power)


def lp_pool2d_backward(
    grad_out: Array, x: Array, norm_type: float, kernel_size: Pair, stride: Pair | None = None, padding: Padding = 0,
    *, ceil_mode: bool = False,
) -> Array:
    """Gradient of `lp_pool2d`; zero for windows whose norm is zero, where there is none.

    Parameters
    ----------
    grad_out : ndarray, shape of the output, dtype of x
    x, norm_type, kernel_size, stride, padding, ceil_mode
        As given to `lp_pool2d`.

    Returns
    -------
    ndarray, shape and dtype of x

    Raises
    ------
    ArgumentError, ShapeError, GeometryError, ArrayTypeError

    Notes
    -----
    grad_x = x^(p - 1) times the sum, over the windows that hold x, of grad_out out^(1 - p).
    """
    x = array("lp_pool2d_backward", "x", x, 4)
    power = _norm("lp_pool2d_backward", norm_type)
    if np.isinf(power):
        magnitude = np.abs(x)
        return np.sign(x) * max_pool2d_backward(
            grad_out, magnitude, kernel_size, stride, padding, ceil_mode=ceil_mode)
    found = pooling_windows("lp_pool2d_backward", x.shape[2:], kernel_size, stride, padding, 1, ceil_mode)
    grad_out = gradient("lp_pool2d_backward", grad_out, (*x.shape[:2], *found.output), x)
    out, outer = _norms(x, found, power), np.empty_like(grad_out)
    share(kernels.norm_shares, out.size, grad_out.reshape(-1), out.reshape(-1),
          x.dtype.type(found.kernel[0] * found.kernel[1]), power, outer.reshape(-1), parts=parts(out.size))
    grad_x = _spread(outer, x, found, True)
    if power != 1:
        share(kernels.norm_backward, x.size, grad_x.reshape(-1), x.reshape(-1), power, parts=parts(x.size))
    return grad_x


def _maximum(x: Array, found: Windows) -> tuple[Array, NDArray[np.int64]]:
    out = np.empty((*x.shape[:2], *found.output), x.dtype)
    indices = np.empty(out.shape, np.int64)
    planes = len(x) * x.shape[1]
    share(kernels.max_forward_placed, planes, x.reshape(planes, *x.shape[2:]), out.reshape(planes, *found.output),
          indices.reshape(planes, *found.output), *found.kernel, *found.steps, parts=parts(x.size))
    return out, indices


def _average(x: Array, found: Windows, count_include_pad: bool, scale: float = 1.0, power: float = 1.0) -> Array:
    out = np.empty((*x.shape[:2], *found.output), x.dtype)
    _over_planes(kernels.average_forward, x, out, *found.kernel, *found.stride, *_around(found),
                 bool(count_include_pad), x.dtype.type(scale), power)
    return out


def _norms(x: Array, found: Windows, power: float) -> Array:
    """A norm is a mean of powers, times the size of the window, to the power of 1 / p."""
    return _average(x, found, True, found.kernel[0] * found.kernel[1], power)


def _spread(grad_out: Array, x: Array, found: Windows, count_include_pad: bool) -> Array:
    grad_x = np.empty(x.shape, x.dtype)
    _over_planes(kernels.average_backward, grad_out, grad_x, *found.kernel, *found.stride, *_around(found),
                 bool(count_include_pad))
    return grad_x


def _over_planes(kernel: Callable[..., None], source: Array, target: Array, *settings: Any) -> None:
    """Share the planes of two arrays (N, C, ...) among threads."""
    planes = source.shape[0] * source.shape[1]
    share(kernel, planes, source.reshape(planes, *source.shape[2:]), target.reshape(planes, *target.shape[2:]),
          *settings, parts=parts(max(source.size, target.size)))


def _around(found: Windows) -> tuple[int, int, int, int]:
    return found.vertical[0], found.horizontal[0], found.vertical[1], found.horizontal[1]


def _pictures(operation: str, x: Array) -> Array:
    if x.shape[2] == 0 or x.shape[3] == 0:
        raise ShapeError(f"{operation}: x has shape {x.shape}; there is no mean of no entries")
    return x


def _norm(operation: str, norm_type: float) -> float:
    power = real(f"{operation}: norm_type", norm_type)
    if not power > 0:
        raise ArgumentError(f"{operation}: norm_type has to be above 0, {norm_type!r} was given")
    return power
