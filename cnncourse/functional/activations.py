"""Activations, which follow a layer and look at each of its outputs alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncourse.errors import ArgumentError, ShapeError
from cnncourse.functional.arguments import Array, array, gradient, parts, result
from cnncourse.geometry.settings import real
from cnncourse.kernels import elementwise as kernels
from cnncourse.machinery.threads import share


def relu(x: Array, *, out: Array | None = None) -> Array:
    """Keep what is positive, and put zero in place of the rest; NaN stays.

    Parameters
    ----------
    x : ndarray of any shape, float32 or float64
    out : ndarray, shape and dtype of x, optional
        C-contiguous memory for the result; `out=x` overwrites x.

    Returns
    -------
    ndarray, shape and dtype of x

    Raises
    ------
    ArrayTypeError, ShapeError

    References
    ----------
    Nair and Hinton: Rectified linear units improve restricted Boltzmann machines, 2010.
    """
    x = array("relu", "x", x)
    out = result("relu", out, x.shape, x)
    share(kernels.relu, x.size, x.ravel(), out.ravel(), out is x, parts=parts(x.size))
    return out


def relu_backward(grad_out: Array, x: Array, *, out: Array | None = None) -> Array:
    """Gradient of `relu`: it passes where the input is positive, and at exactly zero it does not.

    Parameters
    ----------
    grad_out : ndarray, shape and dtype of x
    x : ndarray, float32 or float64
        As given to `relu`, or what it returned: both are positive in the same places.
    out : ndarray, shape and dtype of x, optional
        C-contiguous memory for the result; `out=grad_out` overwrites grad_out.

    Returns
    -------
    ndarray, shape and dtype of x

    Raises
    ------
    ShapeError, ArrayTypeError
    """
    return _backward("relu_backward", kernels.relu_backward, grad_out, x, "x", out)


def tanh(x: Array, *, out: Array | None = None) -> Array:
    """The hyperbolic tangent, from -1 to 1.

    Parameters
    ----------
    x, out
        As in `relu`.

    Returns
    -------
    ndarray, shape and dtype of x

    Raises
    ------
    ArrayTypeError, ShapeError

    Notes
    -----
    LeNet-5 scales it: 1.7159 tanh(2/3 x).

    References
    ----------
    LeCun, Bottou, Orr and Müller: Efficient backprop, 1998, section 4.4.
    """
    x = array("tanh", "x", x)
    return np.tanh(x, out=result("tanh", out, x.shape, x))


def tanh_backward(grad_out: Array, y: Array, *, out: Array | None = None) -> Array:
    """Gradient of `tanh`, found from its output.

    Parameters
    ----------
    grad_out : ndarray, shape and dtype of y
    y : ndarray, float32 or float64
        What `tanh` returned.
    out : ndarray, optional
        As in `relu_backward`.

    Returns
    -------
    ndarray, shape and dtype of y

    Raises
    ------
    ShapeError, ArrayTypeError

    Notes
    -----
    grad_out (1 - y^2).
    """
    return _backward("tanh_backward", kernels.tanh_backward, grad_out, y, "y", out)


def sigmoid(x: Array, *, out: Array | None = None) -> Array:
    """The logistic function 1 / (1 + exp(-x)), from 0 to 1.

    Parameters
    ----------
    x, out
        As in `relu`.

    Returns
    -------
    ndarray, shape and dtype of x

    Raises
    ------
    ArrayTypeError, ShapeError
    """
    x = array("sigmoid", "x", x)
    out = result("sigmoid", out, x.shape, x)
    with np.errstate(over="ignore"):  # exp(-x) may be infinite, which gives 0 as it should
        np.exp(np.negative(x, out=out), out=out)
    out += 1
    return np.reciprocal(out, out=out)


def sigmoid_backward(grad_out: Array, y: Array, *, out: Array | None = None) -> Array:
    """Gradient of `sigmoid`, found from its output.

    Parameters
    ----------
    grad_out : ndarray, shape and dtype of y
    y : ndarray, float32 or float64
        What `sigmoid` returned.
    out : ndarray, optional
        As in `relu_backward`.

    Returns
    -------
    ndarray, shape and dtype of y

    Raises
    ------
    ShapeError, ArrayTypeError

    Notes
    -----
    grad_out y (1 - y): at most a quarter of what comes in, which is why deep stacks of sigmoids learn slowly.
    """
    return _backward("sigmoid_backward", kernels.sigmoid_backward, grad_out, y, "y", out)


def dropout(x: Array, p: float, generator: np.random.Generator) -> tuple[Array, NDArray[np.bool_]]:
    """Put zero in place of each entry with probability p, and scale the others up so that the mean stays.

    Parameters
    ----------
    x : ndarray of any shape, float32 or float64
    p : float
        Probability of zero, from 0 to 1.
    generator : np.random.Generator
        The same state draws the same mask, for both precisions and any number of threads.

    Returns
    -------
    out : ndarray, shape and dtype of x
    mask : ndarray of bool, shape of x
        What was kept.

    Raises
    ------
    ArgumentError
        If p is no probability, or `generator` no generator.
    ArrayTypeError

    Notes
    -----
    out = x mask / (1 - p), in training only: nothing has to be done with a trained network. Dropped entries are
    multiplied by zero, as in PyTorch, so that NaN and infinity do not go unnoticed.

    References
    ----------
    Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov: Dropout: a simple way to prevent neural networks from
    overfitting, 2014.
    """
    x = array("dropout", "x", x)
    scale = _scale("dropout", p, x)
    if not isinstance(generator, np.random.Generator):
        raise ArgumentError(f"dropout: generator has to be a np.random.Generator, a {type(generator).__name__} was "
                            "given; np.random.default_rng(0) makes one")
    mask: NDArray[np.bool_] = generator.random(x.shape, np.float32) >= p
    return _masked(x, mask, scale), mask


def dropout_backward(grad_out: Array, mask: NDArray[np.bool_], p: float) -> Array:
    """Gradient of `dropout`: it passes where the input did, and is scaled as the input was.

    Parameters
    ----------
    grad_out : ndarray, shape of mask, float32 or float64
    mask : ndarray of bool
        What `dropout` returned.
    p : float
        As given to `dropout`.

    Returns
    -------
    ndarray, shape and dtype of grad_out

    Raises
    ------
    ArgumentError, ArrayTypeError, ShapeError
    """
    grad_out = array("dropout_backward", "grad_out", grad_out)
    scale = _scale("dropout_backward", p, grad_out)
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_ or mask.shape != grad_out.shape:
        given = f"{mask.dtype} and shape {mask.shape}" if isinstance(mask, np.ndarray) else type(mask).__name__
        raise ShapeError(f"dropout_backward: mask has to be an array of bool and shape {grad_out.shape}, one of "
                         f"{given} was given")
    return _masked(grad_out, mask, scale)


def _backward(
    operation: str, kernel: Callable[..., None], grad_out: Array, kept: Array, name: str, out: Array | None
) -> Array:
    kept = array(operation, name, kept)
    grad_out = gradient(operation, grad_out, kept.shape, kept, name)
    out = result(operation, out, kept.shape, kept)
    share(kernel, kept.size, grad_out.ravel(), kept.ravel(), out.ravel(), out is grad_out,
          parts=parts(kept.size))
    return out


def _scale(operation: str, p: float, x: Array) -> Any:
    if not 0 <= real(f"{operation}: p", p) <= 1:
        raise ArgumentError(f"{operation}: p has to be a probability from 0 to 1, {p!r} was given")
    return x.dtype.type(1 / (1 - p) if p < 1 else 0)


def _masked(x: Array, mask: NDArray[np.bool_], scale: Any) -> Array:
    out = np.empty_like(x)
    kept = np.require(mask, requirements=["C", "W"])
    share(kernels.masked, x.size, x.ravel(), kept.ravel(), scale, out.ravel(), parts=parts(x.size))
    return out
