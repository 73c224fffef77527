"""The fully connected layer."""

from __future__ import annotations

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


def _checked(operation: str, x: Array, weight: Array) -> tuple[Array, Array]:
    x = array(operation, "x", x, 2)
    weight = array(operation, "weight", weight, 2, x)
    if x.shape[1] != weight.shape[1]:
        raise ShapeError(f"{operation}: x has {x.shape[1]} features and weight takes {weight.shape[1]} "
                         f"(x: {x.shape}, weight: {weight.shape}); weight has to have shape (out_features, "
                         f"{x.shape[1]})")
    return x, weight
