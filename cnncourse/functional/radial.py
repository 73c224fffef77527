"""Distances to fixed points: the output units of the first LeNet-5."""

from __future__ import annotations

import numpy as np

from cnncourse.errors import ShapeError
from cnncourse.functional.arguments import Array, array, gradient


def squared_distances(x: Array, centers: Array) -> Array:
    """How far each sample is from each center: the sum of squared differences.

    Parameters
    ----------
    x : ndarray, shape (N, features), float32 or float64
    centers : ndarray, shape (K, features), dtype of x

    Returns
    -------
    ndarray, shape (N, K), dtype of x

    Raises
    ------
    ShapeError, ArrayTypeError

    Notes
    -----
    out[n, k] = sum over j of (x[n, j] - centers[k, j])^2.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner: Gradient-based learning applied to document recognition, 1998, equation 7.
    """
    x, centers = _checked("squared_distances", x, centers)
    out = np.empty((len(x), len(centers)), x.dtype)
    for number, center in enumerate(centers):
        # Differences first: |x|^2 - 2 x c + |c|^2 would be a matrix product, and lose what is small.
        difference = x - center
        out[:, number] = np.einsum("nj,nj->n", difference, difference)
    return out


def squared_distances_backward(grad_out: Array, x: Array, centers: Array) -> Array:
    """Gradient of `squared_distances` with respect to x; the centers are fixed.

    Parameters
    ----------
    grad_out : ndarray, shape (N, K), dtype of x
    x, centers
        As given to `squared_distances`.

    Returns
    -------
    ndarray, shape (N, features)

    Raises
    ------
    ShapeError, ArrayTypeError
    """
    x, centers = _checked("squared_distances_backward", x, centers)
    grad_out = gradient("squared_distances_backward", grad_out, (len(x), len(centers)), x)
    grad_x: Array = 2 * (x * grad_out.sum(axis=1, keepdims=True) - grad_out @ centers)
    return grad_x


def _checked(operation: str, x: Array, centers: Array) -> tuple[Array, Array]:
    x = array(operation, "x", x, 2)
    centers = array(operation, "centers", centers, 2, x)
    if x.shape[1] != centers.shape[1]:
        raise ShapeError(f"{operation}: x has {x.shape[1]} features, centers have {centers.shape[1]}; both have to be "
                         "the same")
    return x, centers
