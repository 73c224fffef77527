"""The fully connected layer, and the activation after any layer."""

from __future__ import annotations

import numpy as np

from cnncourse.errors import ShapeError
from cnncourse.functional.arguments import Array, array, gradient


def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """Multiply by a matrix and add a bias: every output sees every input.

    Parameters
    ----------
    x : ndarray, shape (N, in_features), float32 or float64
    weight : ndarray, shape (out_features, in_features), dtype of x
    bias : ndarray, shape (out_features,), dtype of x, optional

    Returns
    -------
    ndarray, shape (N, out_features), dtype of x

    Raises
    ------
    ShapeError, ArrayTypeError

    Notes
    -----
    out = x weight^T + bias.
    """
    x, weight = _checked("linear", x, weight)
    out = x @ weight.T
    if bias is not None:
        bias = array("linear", "bias", bias, 1, x)
        if len(bias) != len(weight):
            raise ShapeError(f"linear: bias has {len(bias)} entries, weight {len(weight)} rows; there has to be one "
                             "for each")
        out += bias
    return out


def linear_backward(grad_out: Array, x: Array, weight: Array) -> tuple[Array, Array, Array]:
    """Gradients of `linear` with respect to its input, weight and bias.

    Parameters
    ----------
    grad_out : ndarray, shape (N, out_features), dtype of x
    x, weight
        As given to `linear`.

    Returns
    -------
    grad_x, grad_weight, grad_bias : ndarray
        Of the shapes of x, weight and bias.

    Raises
    ------
    ShapeError, ArrayTypeError
    """
    x, weight = _checked("linear_backward", x, weight)
    grad_out = gradient("linear_backward", grad_out, (len(x), len(weight)), x)
    return grad_out @ weight, grad_out.T @ x, grad_out.sum(axis=0)


def relu(x: Array) -> Array:
    """Keep what is positive, and put zero in place of the rest; NaN stays.

    Parameters
    ----------
    x : ndarray of any shape, float32 or float64

    Returns
    -------
    ndarray, shape and dtype of x

    Raises
    ------
    ArrayTypeError

    References
    ----------
    Nair and Hinton: Rectified linear units improve restricted Boltzmann machines, 2010.
    """
    x = array("relu", "x", x, np.ndim(x))
    return np.maximum(x, x.dtype.type(0))


def relu_backward(grad_out: Array, x: Array) -> Array:
    """Gradient of `relu`: it passes where the input is positive, and at exactly zero it does not.

    Parameters
    ----------
    grad_out, x : ndarray of one shape, float32 or float64

    Returns
    -------
    ndarray, shape and dtype of x

    Raises
    ------
    ShapeError, ArrayTypeError
    """
    x = array("relu_backward", "x", x, np.ndim(x))
    grad_out = gradient("relu_backward", grad_out, x.shape, x)
    return np.where(x <= 0, x.dtype.type(0), grad_out)


def _checked(operation: str, x: Array, weight: Array) -> tuple[Array, Array]:
    x = array(operation, "x", x, 2)
    weight = array(operation, "weight", weight, 2, x)
    if x.shape[1] != weight.shape[1]:
        raise ShapeError(f"{operation}: x has {x.shape[1]} features and weight takes {weight.shape[1]} "
                         f"(x: {x.shape}, weight: {weight.shape}); weight has to have shape (out_features, "
                         f"{x.shape[1]})")
    return x, weight
