"""From scores to probabilities, and to the loss that training makes small."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncourse.errors import ArgumentError, ShapeError
from cnncourse.functional.arguments import Array, array, gradient, parts
from cnncourse.geometry.settings import real, whole
from cnncourse.kernels import losses as kernels
from cnncourse.machinery.threads import share


def softmax(x: Array, dim: int = 1) -> Array:
    """Turn scores into probabilities: positive, and one in sum.

    Parameters
    ----------
    x : ndarray, float32 or float64
        Scores, usually (N, classes) or, one for each position, (N, classes, P, Q).
    dim : int, optional
        The dimension of the classes.

    Returns
    -------
    ndarray, shape and dtype of x

    Raises
    ------
    ArgumentError
        If x does not have this dimension.
    ArrayTypeError

    Notes
    -----
    exp(x_i) / sum of exp(x_j). The largest score is subtracted first, which changes nothing and keeps exp finite.
    """
    x = array("softmax", "x", x)
    _check_dim("softmax", x, dim)
    dim %= x.ndim
    return _softmax(x, math.prod(x.shape[:dim]), x.shape[dim], math.prod(x.shape[dim + 1:]))


def softmax_backward(grad_out: Array, y: Array, dim: int = 1) -> Array:
    """Gradient of `softmax`, found from its output.

    Parameters
    ----------
    grad_out : ndarray, shape and dtype of y
    y : ndarray, float32 or float64
        What `softmax` returned.
    dim : int, optional
        As given to `softmax`.

    Returns
    -------
    ndarray, shape and dtype of y

    Raises
    ------
    ArgumentError, ShapeError, ArrayTypeError

    Notes
    -----
    y_i (g_i - sum of g_j y_j), with g for grad_out.
    """
    y = array("softmax_backward", "y", y)
    _check_dim("softmax_backward", y, dim)
    grad_out = gradient("softmax_backward", grad_out, y.shape, y, "y")
    with np.errstate(invalid="ignore"):
        grad_x: Array = grad_out * y
        grad_x -= y * grad_x.sum(dim, keepdims=True)
    return grad_x


def cross_entropy(logits: Array, targets: NDArray[np.integer[Any]]) -> float:
    """How surprised the scores are by the right classes: the mean of -log of their probabilities.

    Parameters
    ----------
    logits : ndarray, shape (N, classes) or (N, classes, ...), float32 or float64
        Scores, before any softmax.
    targets : ndarray of int, shape (N,) or (N, ...)
        The right classes, counted from 0.

    Returns
    -------
    float
        NaN if there are no samples. Guessing evenly among K classes costs log(K).

    Raises
    ------
    ShapeError
        If there is not one target for each row of scores.
    ArgumentError
        If a target is no class.
    ArrayTypeError

    Notes
    -----
    -mean of log softmax(logits)[target] = mean of (log sum exp(logits - m)) - (logits[target] - m), where m is the
    largest score: neither overflows, and a probability that rounds to zero still has a finite logarithm.
    """
    rows, chosen = _rows("cross_entropy", logits, targets)
    if not len(rows):
        return float("nan")
    losses = np.empty(len(rows))
    share(kernels.losses, len(rows), rows, rows.dtype == np.float32, chosen, losses, parts=parts(8 * rows.size))
    return float(np.add.reduce(losses)) / len(rows)


def cross_entropy_backward(
    logits: Array, targets: NDArray[np.integer[Any]], grad_out: float = 1.0
) -> Array:
    """Gradient of `cross_entropy` with respect to the scores.

    Parameters
    ----------
    logits, targets
        As given to `cross_entropy`.
    grad_out : float, optional
        Gradient of what is made small with respect to this loss; below 1 for a loss that counts less.

    Returns
    -------
    ndarray, shape and dtype of logits

    Raises
    ------
    ShapeError, ArgumentError, ArrayTypeError

    Notes
    -----
    grad_out (softmax(logits) - one-hot targets) / number of targets.
    """
    rows, chosen = _rows("cross_entropy_backward", logits, targets)
    scale = real("cross_entropy_backward: grad_out", grad_out)
    grad = _softmax(rows, len(rows), rows.shape[1], 1)
    grad[np.arange(len(rows)), chosen] -= 1
    grad *= scale / max(len(rows), 1)
    if logits.ndim == 2:
        return grad
    shape = logits.shape
    return np.ascontiguousarray(np.moveaxis(grad.reshape(shape[0], *shape[2:], shape[1]), -1, 1))


def _softmax(x: Array, samples: int, classes: int, positions: int) -> Array:
    out = np.empty_like(x)
    shape: tuple[int, ...] = (samples, classes, positions)
    kernel = kernels.softmax_of_maps
    if positions == 1:
        shape, kernel = shape[:2], kernels.softmax
    if x.size:
        share(kernel, samples, x.reshape(shape), x.dtype == np.float32, out.reshape(shape), parts=parts(8 * x.size))
    return out


def _check_dim(operation: str, x: Array, dim: int) -> None:
    if whole(f"{operation}: dim", dim, -x.ndim) >= x.ndim:
        raise ArgumentError(f"{operation}: x of shape {x.shape} has no dimension {dim}")


def _rows(operation: str, logits: Any, targets: Any) -> tuple[Array, NDArray[np.integer[Any]]]:
    """Scores of one position in each row, and the column that is right in each."""
    logits = array(operation, "logits", logits)
    if logits.ndim < 2 or logits.shape[1] == 0:
        raise ShapeError(f"{operation}: logits has to have shape (samples, classes) or (samples, classes, ...), its "
                         f"shape is {logits.shape}")
    expected = (logits.shape[0], *logits.shape[2:])
    if not isinstance(targets, np.ndarray) or targets.dtype.kind not in "iu":
        given = f"an array of {targets.dtype}" if isinstance(targets, np.ndarray) else f"a {type(targets).__name__}"
        raise ArgumentError(f"{operation}: targets has to be an array of whole numbers, the right classes; {given} was "
                            "given")
    if targets.shape != expected:
        raise ShapeError(f"{operation}: targets has shape {targets.shape}; for logits of {logits.shape} it has to have "
                         f"{expected}")
    classes = logits.shape[1]
    if targets.size and not 0 <= int(targets.min()) <= int(targets.max()) < classes:
        raise ArgumentError(f"{operation}: targets have to be from 0 to {classes - 1}, there are some from "
                            f"{targets.min()} to {targets.max()}")
    rows = logits if logits.ndim == 2 else np.ascontiguousarray(np.moveaxis(logits, 1, -1)).reshape(-1, classes)
    return rows, np.require(targets, np.int64, ["C", "W"]).reshape(-1)
