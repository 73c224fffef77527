"""Pooling: one number for each window of each channel."""

from __future__ import annotations

from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from cnncourse.errors import ArgumentError
from cnncourse.functional.arguments import Array, Padding, Pair, Windows, array, gradient, pooling_windows
from cnncourse.kernels import pooling as kernels


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
    out, indices = _maximum(x, found)
    return (out, indices) if return_indices else out


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
        What `max_pool2d` returned; without them they are found again.

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
    x = array("max_pool2d_backward", "x", x, 4)
    found = pooling_windows("max_pool2d_backward", x.shape[2:], kernel_size, stride, padding, dilation, ceil_mode)
    grad_out = gradient("max_pool2d_backward", grad_out, (*x.shape[:2], *found.output), x)
    if indices is None:
        _, indices = _maximum(x, found)
    elif indices.shape != grad_out.shape or indices.dtype.kind not in "iu":
        raise ArgumentError(f"max_pool2d_backward: indices has to be whole numbers of shape {grad_out.shape}, an "
                            f"array of {indices.dtype} and shape {indices.shape} was given")
    elif indices.size and not -1 <= indices.min() <= indices.max() < x.shape[2] * x.shape[3]:
        raise ArgumentError(f"max_pool2d_backward: indices have to lie in a plane of {x.shape[2:]}, there are some "
                            f"from {indices.min()} to {indices.max()}")
    grad_x = np.zeros_like(x)
    kernels.max_backward(grad_out, np.ascontiguousarray(indices, np.int64), grad_x)
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
    return _average(x, pooling_windows("avg_pool2d", x.shape[2:], kernel_size, stride, padding, 1, ceil_mode),
                    count_include_pad)


def avg_pool2d_backward(
    grad_out: Array, x: Array, kernel_size: Pair, stride: Pair | None = None, padding: Padding = 0, *,
    ceil_mode: bool = False, count_include_pad: bool = True,
) -> Array:
    """Gradient of `avg_pool2d`: each window shares its own out evenly.

    Parameters
    ----------
    grad_out : ndarray, shape of the output, dtype of x
    x, kernel_size, stride, padding, ceil_mode, count_include_pad
        As given to `avg_pool2d`; only the shape of x matters.

    Returns
    -------
    ndarray, shape and dtype of x

    Raises
    ------
    ShapeError, GeometryError, ArrayTypeError, ArgumentError
    """
    x = array("avg_pool2d_backward", "x", x, 4)
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
    x = array("global_avg_pool2d", "x", x, 4)
    return avg_pool2d(x, x.shape[2:])


def global_avg_pool2d_backward(grad_out: Array, x: Array) -> Array:
    """Gradient of `global_avg_pool2d`: the same share for every entry of a feature map.

    Parameters
    ----------
    grad_out : ndarray, shape (N, C, 1, 1), dtype of x
    x : ndarray, shape (N, C, H, W)
        As given to `global_avg_pool2d`; only its shape matters.

    Returns
    -------
    ndarray, shape and dtype of x

    Raises
    ------
    ArrayTypeError, ShapeError
    """
    x = array("global_avg_pool2d_backward", "x", x, 4)
    return avg_pool2d_backward(grad_out, x, x.shape[2:])


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
    return _lp(x, power, found)


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
    out = _lp(x, power, found)
    with np.errstate(all="ignore"):
        outer = np.where(out == 0, x.dtype.type(0), grad_out * out ** x.dtype.type(1 - power))
        spread = _spread(outer * x.dtype.type(found.kernel[0] * found.kernel[1]), x, found, True)
        # Where no window passes anything on, x^(p - 1) may be infinite (p < 1) and must not make a NaN of the zero.
        return np.where(spread == 0, x.dtype.type(0), spread * x ** x.dtype.type(power - 1))


def _maximum(x: Array, found: Windows) -> tuple[Array, NDArray[np.int64]]:
    out = np.empty((*x.shape[:2], *found.output), x.dtype)
    indices = np.empty(out.shape, np.int64)
    kernels.max_forward(x, out, indices, *found.kernel, *found.steps)
    return out, indices


def _average(x: Array, found: Windows, count_include_pad: bool) -> Array:
    out = np.empty((*x.shape[:2], *found.output), x.dtype)
    kernels.average_forward(x, out, *found.kernel, *found.stride, *_around(found), bool(count_include_pad))
    return out


def _spread(grad_out: Array, x: Array, found: Windows, count_include_pad: bool) -> Array:
    grad_x = np.zeros_like(x)
    kernels.average_backward(grad_out, grad_x, *found.kernel, *found.stride, *_around(found), bool(count_include_pad))
    return grad_x


def _around(found: Windows) -> tuple[int, int, int, int]:
    return found.vertical[0], found.horizontal[0], found.vertical[1], found.horizontal[1]


def _lp(x: Array, power: float, found: Windows) -> Array:
    with np.errstate(all="ignore"):
        sums = _average(x ** x.dtype.type(power), found, True) * x.dtype.type(found.kernel[0] * found.kernel[1])
        return np.asarray(sums ** x.dtype.type(1 / power))


def _norm(operation: str, norm_type: float) -> float:
    power = float(norm_type)
    if not power > 0:
        raise ArgumentError(f"{operation}: norm_type has to be above 0, {norm_type!r} was given")
    return power
