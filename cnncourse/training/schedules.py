"""Learning rates that change while training goes on: factors by which the optimizer's own is multiplied."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cnncourse.errors import ArgumentError
from cnncourse.geometry.settings import real


@dataclass(frozen=True)
class StepDecay:
    """Multiply the learning rate by a factor after every so many epochs.

    Parameters
    ----------
    every : float
        Epochs, above 0.
    factor : float, optional

    Raises
    ------
    ArgumentError

    Notes
    -----
    factor^floor(epoch / every).

    References
    ----------
    He, Zhang, Ren and Sun: Deep residual learning for image recognition, 2016, section 3.4: by 10, twice.
    """

    every: float
    factor: float = 0.1

    def __post_init__(self) -> None:
        _above("StepDecay: every", self.every)
        _above("StepDecay: factor", self.factor)

    def __call__(self, epoch: float) -> float:
        """The factor after so many epochs; fractions of an epoch count."""
        return float(self.factor ** math.floor(epoch / self.every))


@dataclass(frozen=True)
class ExponentialDecay:
    """Let the learning rate shrink a little with every batch, by a factor in every epoch.

    Parameters
    ----------
    factor : float

    Raises
    ------
    ArgumentError

    Notes
    -----
    factor^epoch.
    """

    factor: float

    def __post_init__(self) -> None:
        _above("ExponentialDecay: factor", self.factor)

    def __call__(self, epoch: float) -> float:
        """The factor after so many epochs; fractions of an epoch count."""
        return float(self.factor ** epoch)


@dataclass(frozen=True)
class CosineDecay:
    """Go down along half a cosine, after a start that may rise from zero in a straight line.

    Parameters
    ----------
    epochs : float
        When the end is reached, the start included.
    warmup : float, optional
        Epochs of the start.
    last : float, optional
        The factor at the end, and from there on.

    Raises
    ------
    ArgumentError

    Notes
    -----
    last + (1 - last) (1 + cos(pi t)) / 2, with t = (epoch - warmup) / (epochs - warmup).

    References
    ----------
    Loshchilov and Hutter: SGDR, stochastic gradient descent with warm restarts, 2017, equation 5.
    Goyal et al.: Accurate, large minibatch SGD, 2017, section 2.2, on the start.
    """

    epochs: float
    warmup: float = 0.0
    last: float = 0.0

    def __post_init__(self) -> None:
        _above("CosineDecay: epochs", self.epochs)
        if not 0 <= real("CosineDecay: warmup", self.warmup) < self.epochs:
            raise ArgumentError(f"CosineDecay: warmup has to be from 0 to below epochs={self.epochs}, {self.warmup!r} "
                                "was given")

    def __call__(self, epoch: float) -> float:
        """The factor after so many epochs; fractions of an epoch count."""
        if epoch < self.warmup:
            return epoch / self.warmup
        passed = min((epoch - self.warmup) / (self.epochs - self.warmup), 1.0)
        return self.last + (1 - self.last) * (1 + math.cos(math.pi * passed)) / 2


def _above(name: str, value: float) -> None:
    if not 0 < real(name, value) < math.inf:
        raise ArgumentError(f"{name} has to be a number above 0, {value!r} was given")
