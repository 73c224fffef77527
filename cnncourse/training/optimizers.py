"""Optimizers: how a gradient becomes a change of the weights, in place."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from cnncourse import functional as F
from cnncourse.errors import ArgumentError
from cnncourse.functional.arguments import Array
from cnncourse.functional.steps import bounded, check_arrays, pair_of_betas


@dataclass(frozen=True)
class Optimizer:
    """What all optimizers share: settings that do not change, and a dictionary of arrays that do.

    Attributes
    ----------
    learning_rate : float
        At least 0.
    weight_decay : float
        Times the parameter, added to its gradient: the gradient of weight_decay / 2 times the sum of its squares.
    state : dict of str to ndarray
        What is remembered from step to step: "<parameter>.<what>", made at a parameter's first step.
    kept : tuple of str
        Of what there is one array in the shape of each parameter.
    """

    learning_rate: float
    weight_decay: float = field(default=0.0, kw_only=True)
    state: dict[str, Array] = field(default_factory=dict, init=False, repr=False, compare=False)
    kept: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        self._check("learning_rate", self.learning_rate)
        self._check("weight_decay", self.weight_decay)

    def step(
        self, parameters: Mapping[str, Array], gradients: Mapping[str, Array], learning_rate: float | None = None
    ) -> None:
        """Move every parameter against its gradient.

        Parameters
        ----------
        parameters : mapping of str to ndarray, float32 or float64
            Changed in place. Give a part of a network's parameters to leave the others as they are.
        gradients : mapping of str to ndarray
            Of the same names, shapes and dtypes; further ones are not looked at.
        learning_rate : float, optional
            In place of the optimizer's own, for schedules.

        Raises
        ------
        ArgumentError
            If a gradient is missing, or an array cannot be changed in place.
        ShapeError, ArrayTypeError
            If a gradient or the state does not go with its parameter.

        Notes
        -----
        Everything is checked before the first parameter is changed. Apart from the state, made at the first step, no
        memory is taken.
        """
        rate = self.learning_rate if learning_rate is None else self._check("learning_rate", learning_rate)
        for name, parameter in parameters.items():
            self._compare(name, parameter, gradients.get(name))
        for name, parameter in parameters.items():
            state = [self._remembered(f"{name}.{what}", parameter) for what in self.kept]
            self._move(name, parameter, gradients[name], state, rate)

    def _move(self, name: str, parameter: Array, gradient: Array, state: Sequence[Array], rate: float) -> None:
        """Change one parameter and its state, whose arrays come in the order of `kept`."""
        raise NotImplementedError

    def _check(self, setting: str, value: float, below: float = math.inf) -> float:
        return bounded(f"{type(self).__name__}: {setting}", value, below)

    def _remembered(self, key: str, parameter: Array) -> Array:
        if key not in self.state:
            self.state[key] = np.zeros_like(parameter)
        return self.state[key]

    def _compare(self, name: str, parameter: Array, gradient: Array | None) -> None:
        kind = type(self).__name__
        if gradient is None:
            raise ArgumentError(f"{kind}: there is no gradient for {name}; it takes a forward pass with training=True "
                                "and a backward pass before each step")
        state = {f"the state {what!r} of an earlier step": self.state[f"{name}.{what}"] for what in self.kept
                 if f"{name}.{what}" in self.state}
        check_arrays(kind, name, parameter, {"its gradient": gradient, **state},
                     advice="each network needs an optimizer of its own")


@dataclass(frozen=True)
class SGD(Optimizer):
    """Stochastic gradient descent: a step straight down the slope of the current batch.

    Parameters
    ----------
    learning_rate : float, optional
    weight_decay : float, optional

    Notes
    -----
    p <- p - rate g, with g the gradient plus weight_decay p.

    References
    ----------
    Robbins and Monro: A stochastic approximation method, 1951.
    """

    learning_rate: float = 0.01

    def _move(self, name: str, parameter: Array, gradient: Array, state: Sequence[Array], rate: float) -> None:
        F.sgd_step(parameter, gradient, rate, weight_decay=self.weight_decay)


@dataclass(frozen=True)
class Momentum(Optimizer):
    """Gradient descent with a velocity, which forgets slowly: it gains speed where slopes agree, and damps zigzags.

    Parameters
    ----------
    learning_rate : float, optional
    momentum : float, optional
        How much of the velocity is kept at each step; from 0 to below 1.
    nesterov : bool, optional
        Step from where the velocity would lead.
    weight_decay : float, optional

    Notes
    -----
    v <- momentum v + g; p <- p - rate v, or p - rate (g + momentum v) with Nesterov's. This is the form of PyTorch's
    SGD: the rate stands outside of the velocity, so that changing it acts at once.

    References
    ----------
    Polyak: Some methods of speeding up the convergence of iteration methods, 1964.
    Sutskever, Martens, Dahl and Hinton: On the importance of initialization and momentum in deep learning, 2013.
    """

    learning_rate: float = 0.01
    momentum: float = 0.9
    nesterov: bool = False
    kept: ClassVar[tuple[str, ...]] = ("velocity",)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check("momentum", self.momentum, below=1)

    def _move(self, name: str, parameter: Array, gradient: Array, state: Sequence[Array], rate: float) -> None:
        velocity, = state
        F.momentum_step(parameter, gradient, velocity, rate, self.momentum, nesterov=self.nesterov,
                        weight_decay=self.weight_decay)


@dataclass(frozen=True)
class RMSProp(Optimizer):
    """Divide each gradient by the root of its running mean square: every parameter gets a step size of its own.

    Parameters
    ----------
    learning_rate : float, optional
    alpha : float, optional
        How much of the mean square is kept at each step; from 0 to below 1.
    eps : float, optional
        Added to the root, so that nothing is divided by zero.
    weight_decay : float, optional

    Notes
    -----
    s <- alpha s + (1 - alpha) g^2; p <- p - rate g / (sqrt(s) + eps).

    References
    ----------
    Tieleman and Hinton: Lecture 6.5, RMSProp, of Neural Networks for Machine Learning, 2012.
    """

    learning_rate: float = 0.01
    alpha: float = 0.99
    eps: float = 1e-8
    kept: ClassVar[tuple[str, ...]] = ("squares",)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check("alpha", self.alpha, below=1)
        self._check("eps", self.eps)

    def _move(self, name: str, parameter: Array, gradient: Array, state: Sequence[Array], rate: float) -> None:
        squares, = state
        F.rmsprop_step(parameter, gradient, squares, rate, self.alpha, eps=self.eps, weight_decay=self.weight_decay)


@dataclass(frozen=True)
class Adam(Optimizer):
    """Running means of gradient and squared gradient, both corrected for having begun at zero.

    Parameters
    ----------
    learning_rate : float, optional
    betas : (float, float), optional
        How much of the mean and of the mean square is kept at each step; from 0 to below 1.
    eps : float, optional
    weight_decay : float, optional

    Notes
    -----
    At step t: m <- beta1 m + (1 - beta1) g; s <- beta2 s + (1 - beta2) g^2;
    p <- p - rate m / (1 - beta1^t) / (sqrt(s / (1 - beta2^t)) + eps). Steps are counted for each parameter.

    References
    ----------
    Kingma and Ba: Adam, a method for stochastic optimization, algorithm 1, 2015.
    """

    learning_rate: float = 0.001
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    kept: ClassVar[tuple[str, ...]] = ("means", "squares")

    def __post_init__(self) -> None:
        super().__post_init__()
        for beta in pair_of_betas("Adam", self.betas):
            self._check("each of betas", beta, below=1)
        self._check("eps", self.eps)

    def _move(self, name: str, parameter: Array, gradient: Array, state: Sequence[Array], rate: float) -> None:
        count = self.state.setdefault(f"{name}.steps", np.zeros((), np.int64))
        count += 1
        means, squares = state
        F.adam_step(parameter, gradient, means, squares, int(count), rate, self.betas, eps=self.eps,
                    weight_decay=self.weight_decay)
