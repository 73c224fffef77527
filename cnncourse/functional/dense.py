"""The fully connected layer."""

from __future__ import annotations

import numpy as np

from cnncourse.errors import ShapeError
from cnncourse.functional.arguments import Array, array, gradient, parts
from cnncourse.kernels import dense as kernels
from cnncourse.machinery.threads import share


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
    out = x weight^T + bias. BLAS takes no part: it would bring threads of its own, whatever
    `cnncourse.config.get_num_threads` says.
    """
    x, weight = _checked("linear", x, weight)
    if bias is None:
        bias = np.zeros(len(weight), x.dtype)
    else:
        bias = array("linear", "bias", bias, 1, x)
        if len(bias) != len(weight):
            raise ShapeError(f"linear: bias has {len(bias)} entries, weight {len(weight)} rows; there has to be one "
                             "for each")
    out = np.empty((len(x), len(weight)), x.dtype)
    share(kernels.forward, _blocks(len(weight), kernels.ROWS), x, weight, bias, out, parts=_parts(x, weight))
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
    # Without samples or outputs there is nothing to add up.
    made = np.empty if grad_out.size else np.zeros
    grad_x, grad_weight = made(x.shape, x.dtype), made(weight.shape, x.dtype)
    share(kernels.backward_input, _blocks(x.shape[1], kernels.CHUNK), grad_out, weight, grad_x,
          parts=_parts(x, weight))
    share(kernels.backward_weight, _blocks(len(weight), kernels.ROWS), grad_out, x, grad_weight,
          parts=_parts(x, weight))
    return grad_x, grad_weight, grad_out.sum(axis=0)


def _blocks(length: int, block: int) -> int:
    return -(-length // block)


def _parts(x: Array, weight: Array) -> int | None:
    """A pass over the weights takes longer the more samples there are, from some four on."""
    return parts(weight.size * max(1, len(x) // 4))


def _checked(operation: str, x: Array, weight: Array) -> tuple[Array, Array]:
    x = array(operation, "x", x, 2)
    weight = array(operation, "weight", weight, 2, x)
    if x.shape[1] != weight.shape[1]:
        raise ShapeError(f"{operation}: x has {x.shape[1]} features and weight takes {weight.shape[1]} "
                         f"(x: {x.shape}, weight: {weight.shape}); weight has to have shape (out_features, "
                         f"{x.shape[1]})")
    return x, weight
