"""One step of an optimizer for one parameter, which is changed in place: how a gradient becomes a change."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from cnncourse.errors import ArgumentError, ArrayTypeError, ShapeError
from cnncourse.functional.arguments import Array, array
from cnncourse.geometry.settings import real, whole
from cnncourse.kernels import optimizers as kernels
from cnncourse.machinery.threads import share

SMALL = 1 << 16
"""Parameters with fewer elements are updated by one thread: waking another takes longer."""


def sgd_step(parameter: Array, gradient: Array, learning_rate: float, *, weight_decay: float = 0.0) -> None:
    """Move a parameter straight down the slope.

    Parameters
    ----------
    parameter : ndarray of any shape, float32 or float64
        Changed in place.
    gradient : ndarray, shape and dtype of parameter
    learning_rate : float
        At least 0.
    weight_decay : float, optional
        Times the parameter, added to its gradient.

    Raises
    ------
    ArgumentError
        If a number is out of its range, or the parameter cannot be changed in place.
    ShapeError, ArrayTypeError

    Notes
    -----
    p <- p - rate g, with g the gradient plus weight_decay p.

    References
    ----------
    Robbins and Monro: A stochastic approximation method, 1951.
    """
    _step("sgd_step", kernels.sgd, parameter, gradient, {}, learning_rate, weight_decay)


def momentum_step(
    parameter: Array, gradient: Array, velocity: Array, learning_rate: float, momentum: float = 0.9, *,
    nesterov: bool = False, weight_decay: float = 0.0,
) -> None:
    """Move a parameter by a velocity, which forgets slowly.

    Parameters
    ----------
    parameter, gradient, learning_rate, weight_decay
        As in `sgd_step`.
    velocity : ndarray, shape and dtype of parameter
        Changed in place; zeros before the first step.
    momentum : float, optional
        How much of the velocity is kept; from 0 to below 1.
    nesterov : bool, optional
        Step from where the velocity would lead.

    Raises
    ------
    ArgumentError, ShapeError, ArrayTypeError
        As `sgd_step`.

    Notes
    -----
    v <- momentum v + g; p <- p - rate v, or p - rate (g + momentum v) with Nesterov's.

    References
    ----------
    Polyak: Some methods of speeding up the convergence of iteration methods, 1964.
    Sutskever, Martens, Dahl and Hinton: On the importance of initialization and momentum in deep learning, 2013.
    """
    kept = bounded("momentum_step: momentum", momentum, below=1)
    _step("momentum_step", kernels.nesterov if nesterov else kernels.momentum, parameter, gradient,
          {"velocity": velocity}, learning_rate, weight_decay, kept)


def rmsprop_step(
    parameter: Array, gradient: Array, squares: Array, learning_rate: float, alpha: float = 0.99, *,
    eps: float = 1e-8, weight_decay: float = 0.0,
) -> None:
    """Move a parameter by its gradient over the root of the running mean square.

    Parameters
    ----------
    parameter, gradient, learning_rate, weight_decay
        As in `sgd_step`.
    squares : ndarray, shape and dtype of parameter
        Changed in place; zeros before the first step.
    alpha : float, optional
        How much of the mean square is kept; from 0 to below 1.
    eps : float, optional
        Added to the root.

    Raises
    ------
    ArgumentError, ShapeError, ArrayTypeError
        As `sgd_step`.

    Notes
    -----
    s <- alpha s + (1 - alpha) g^2; p <- p - rate g / (sqrt(s) + eps).

    References
    ----------
    Tieleman and Hinton: Lecture 6.5, RMSProp, of Neural Networks for Machine Learning, 2012.
    """
    kept = bounded("rmsprop_step: alpha", alpha, below=1)
    _step("rmsprop_step", kernels.rmsprop, parameter, gradient, {"squares": squares}, learning_rate, weight_decay,
          kept, 1 - kept, bounded("rmsprop_step: eps", eps))


def adam_step(
    parameter: Array, gradient: Array, means: Array, squares: Array, number: int, learning_rate: float,
    betas: tuple[float, float] = (0.9, 0.999), *, eps: float = 1e-8, weight_decay: float = 0.0,
) -> None:
    """Move a parameter by running means of its gradient and squared gradient, corrected for having begun at zero.

    Parameters
    ----------
    parameter, gradient, learning_rate, weight_decay
        As in `sgd_step`.
    means, squares : ndarray, shape and dtype of parameter
        Changed in place; zeros before the first step.
    number : int
        1 for the first step of this parameter, 2 for the next.
    betas : (float, float), optional
        How much of the mean and of the mean square is kept; from 0 to below 1.
    eps : float, optional
        Added to the root.

    Raises
    ------
    ArgumentError, ShapeError, ArrayTypeError
        As `sgd_step`.

    Notes
    -----
    At step t: m <- beta1 m + (1 - beta1) g; s <- beta2 s + (1 - beta2) g^2;
    p <- p - rate m / (1 - beta1^t) / (sqrt(s / (1 - beta2^t)) + eps).

    References
    ----------
    Kingma and Ba: Adam, a method for stochastic optimization, algorithm 1, 2015.
    """
    first, second = (bounded("adam_step: each of betas", beta, below=1) for beta in pair_of_betas("adam_step", betas))
    number = whole("adam_step: number", number, 1)
    rate = bounded("adam_step: learning_rate", learning_rate) / (1 - first ** number)
    _step("adam_step", kernels.adam, parameter, gradient, {"means": means, "squares": squares}, rate, weight_decay,
          1 - first, second, 1 - second, math.sqrt(1 - second ** number), bounded("adam_step: eps", eps))


def bounded(name: str, value: Any, below: float = math.inf) -> float:
    """A number from 0 to below a bound, or an ArgumentError that names the setting."""
    if not 0 <= real(name, value) < below:
        most = "" if math.isinf(below) else f" and below {below:g}"
        raise ArgumentError(f"{name} has to be at least 0{most}, {value!r} was given")
    return float(value)


def pair_of_betas(operation: str, betas: Any) -> tuple[Any, Any]:
    """Adam's two numbers, or an ArgumentError."""
    if not isinstance(betas, (tuple, list)) or len(betas) != 2:
        raise ArgumentError(f"{operation}: betas has to be two numbers, {betas!r} was given")
    return betas[0], betas[1]


def check_arrays(
    operation: str, name: str, parameter: Array, others: Mapping[str, Array], advice: str = "all have to be the same"
) -> None:
    """Whether a parameter can be changed in place, and gradient and state go with it.

    Parameters
    ----------
    operation, name : str
        Of the optimizer and the parameter, for the complaint.
    parameter : ndarray
    others : mapping of str to ndarray
        Gradient and state, by what they are called in the complaint.
    advice : str, optional
        What to do about shapes that differ.

    Raises
    ------
    ArgumentError, ShapeError, ArrayTypeError
    """
    if not isinstance(parameter, np.ndarray):
        raise ArrayTypeError(f"{operation}: {name} has to be an array, a {type(parameter).__name__} was given")
    if not (parameter.flags.c_contiguous and parameter.flags.writeable):
        raise ArgumentError(f"{operation}: {name} cannot be changed in place: it has to be a contiguous array that may "
                            "be written to; np.array makes a copy that is")
    if parameter.dtype not in (np.float32, np.float64):
        raise ArrayTypeError(f"{operation}: {name} is {parameter.dtype}; it has to be float32 or float64")
    for whose, other in others.items():
        if other.shape != parameter.shape:
            raise ShapeError(f"{operation}: {name} has shape {parameter.shape} and {whose} {other.shape}; {advice}")
        if other.dtype != parameter.dtype:
            raise ArrayTypeError(f"{operation}: {name} is {parameter.dtype} and {whose} {other.dtype}; "
                                 "both have to be the same")


def _step(
    operation: str, kernel: Callable[..., None], parameter: Array, gradient: Array, state: Mapping[str, Array],
    learning_rate: float, weight_decay: float, *settings: float,
) -> None:
    """Check what all steps share, and go through parameter, gradient and state once."""
    numbers = (bounded(f"{operation}: learning_rate", learning_rate),
               bounded(f"{operation}: weight_decay", weight_decay), *settings)
    gradient = array(operation, "gradient", gradient)
    for name, value in {"parameter": parameter, **state}.items():
        check_arrays(operation, name, value, {"gradient": gradient})
    flat = [np.asarray(value).reshape(-1) for value in (parameter, gradient, *state.values())]
    share(kernel, parameter.size, *flat, *map(parameter.dtype.type, numbers),
          parts=1 if parameter.size < SMALL else None)
