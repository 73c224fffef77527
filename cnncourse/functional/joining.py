"""Where branches of a network meet: side by side in the channels, or added up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnncourse.errors import ArgumentError, ShapeError
from cnncourse.functional.arguments import Array, array, parts, result
from cnncourse.geometry.settings import whole
from cnncourse.kernels import elementwise as kernels
from cnncourse.machinery.threads import share


def concatenate(arrays: Sequence[Array]) -> Array:
    """Put the channels of several arrays one after the other.

    Parameters
    ----------
    arrays : sequence of ndarray, shapes (N, C_1, ...), (N, C_2, ...), ..., float32 or float64
        Alike but for the number of channels.

    Returns
    -------
    ndarray, shape (N, C_1 + C_2 + ..., ...)

    Raises
    ------
    ArgumentError
        If there is nothing to join.
    ShapeError, ArrayTypeError

    References
    ----------
    Szegedy et al.: Going deeper with convolutions, 2015, figure 2.
    """
    checked = _alike("concatenate", arrays, 1)
    if checked[0].ndim < 2 or len({one.shape[:1] + one.shape[2:] for one in checked}) > 1:
        raise ShapeError("concatenate: arrays may differ in the number of channels only, their shapes are "
                         f"{_shapes(checked)}")
    return np.concatenate(checked, axis=1)


def concatenate_backward(grad_out: Array, channels: Sequence[int]) -> list[Array]:
    """Gradient of `concatenate`: each array gets back its own channels.

    Parameters
    ----------
    grad_out : ndarray, shape (N, C, ...), float32 or float64
    channels : sequence of int
        How many channels each array had.

    Returns
    -------
    list of ndarray, shapes (N, channels[0], ...), (N, channels[1], ...), ...

    Raises
    ------
    ShapeError
        If they do not add up.
    ArgumentError, ArrayTypeError
    """
    grad_out = array("concatenate_backward", "grad_out", grad_out)
    if np.ndim(channels) != 1:
        raise ArgumentError(f"concatenate_backward: channels has to list how many each array had, {channels!r} was "
                            "given")
    counts = [whole("concatenate_backward: channels", count, 0) for count in channels]
    if grad_out.ndim < 2 or sum(counts) != grad_out.shape[1]:
        raise ShapeError(f"concatenate_backward: grad_out has shape {grad_out.shape}; with channels {tuple(counts)} it "
                         f"has to have {sum(counts)} channels")
    ends = np.cumsum(counts)
    return [grad_out[:, end - count:end].copy() for count, end in zip(counts, ends, strict=True)]


def add(*arrays: Array, out: Array | None = None) -> Array:
    """The sum of two or more arrays of one shape, as where a shortcut meets its residual.

    The gradient of the sum is the gradient of each of them.

    Parameters
    ----------
    *arrays : ndarray of one shape, float32 or float64
    out : ndarray, optional
        C-contiguous memory for the result; it may be one of the first two arrays, which is then overwritten.

    Returns
    -------
    ndarray

    Raises
    ------
    ArgumentError
        If there are less than two, or `out` lies where a later one is still needed.
    ShapeError, ArrayTypeError

    References
    ----------
    He, Zhang, Ren and Sun: Deep residual learning for image recognition, 2016, equation 1.
    """
    total, *others = _alike("add", arrays, 2)
    if any(one.shape != total.shape for one in others):
        raise ShapeError(f"add: arrays have to have one shape, their shapes are {_shapes([total, *others])}")
    if out is not None and any(np.may_share_memory(out, one) for one in others[1:]):
        raise ArgumentError("add: out may be one of the first two arrays, not a later one: the sum of the first two "
                            "would overwrite it")
    out = result("add", out, total.shape, total)
    for one in others:
        if one is out:
            total, one = one, total
        share(kernels.add, out.size, total.ravel(), one.ravel(), out.ravel(), total is out,
              parts=parts(out.size))
        total = out
    return out


def _alike(operation: str, arrays: Sequence[Array], least: int) -> list[Array]:
    if not isinstance(arrays, (list, tuple)):
        raise ArgumentError(f"{operation}: a list or tuple of arrays is needed, a {type(arrays).__name__} was given")
    if len(arrays) < least:
        raise ArgumentError(f"{operation}: at least {least} {'array is' if least == 1 else 'arrays are'} needed, "
                            f"{len(arrays)} given")
    first = array(operation, "array 0", arrays[0])
    return [first, *(array(operation, f"array {number}", one, like=first, reference="array 0")
                     for number, one in enumerate(arrays[1:], 1))]


def _shapes(arrays: Sequence[Array]) -> str:
    return ", ".join(str(one.shape) for one in arrays)
