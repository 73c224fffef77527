"""Layers that bring values to a common scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from cnncourse import functional as F
from cnncourse.errors import ArgumentError
from cnncourse.functional.arguments import Array
from cnncourse.geometry.settings import whole
from cnncourse.layers.base import Arrays, Kept, Layer, Mode, Shape, maps, size_of


@dataclass(frozen=True, repr=False)
class LocalResponseNorm(Layer):
    """Divide each value by a measure of its neighbors in the channels before and after.

    Attributes
    ----------
    size : int
        How many channels count.
    alpha, beta, k : float
        As in `cnncourse.functional.local_response_norm`: alpha is divided by the size.

    References
    ----------
    Krizhevsky, Sutskever and Hinton: ImageNet classification with deep convolutional neural networks, 2012,
    section 3.3.
    """

    size: int
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 1.0

    prefix: ClassVar[str] = "lrn"
    keeps_input: ClassVar[bool] = True

    def __post_init__(self) -> None:
        whole("LocalResponseNorm: size", self.size, 1)

    def output_shape(self, *inputs: Shape) -> Shape:
        return maps(self, inputs)


@dataclass(frozen=True, repr=False)
class BatchNorm2d(Layer):
    """Bring every channel to mean zero and variance one over the batch, then scale and shift it as learned.

    Attributes
    ----------
    eps : float
        Added to the variance.
    momentum : float
        Share of the new batch in the running mean and variance.
    affine : bool
        Whether a scale and a shift are learned.

    References
    ----------
    Ioffe and Szegedy: Batch normalization: accelerating deep network training, 2015, algorithms 1 and 2.
    """

    eps: float = 1e-5
    momentum: float = 0.1
    affine: bool = True

    prefix: ClassVar[str] = "bn"
    keeps_input: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not self.eps > 0:
            raise ArgumentError(f"BatchNorm2d: eps has to be above 0, {self.eps!r} was given")
        if not 0 <= self.momentum <= 1:
            raise ArgumentError(f"BatchNorm2d: momentum has to be from 0 to 1, {self.momentum!r} was given")

    def output_shape(self, *inputs: Shape) -> Shape:
        return maps(self, inputs)

    def parameter_shapes(self, *inputs: Shape) -> dict[str, Shape]:
        channels, _, _ = maps(self, inputs)
        return {"weight": (channels,), "bias": (channels,)} if self.affine else {}

    def buffer_shapes(self, *inputs: Shape) -> dict[str, Shape]:
        channels, _, _ = maps(self, inputs)
        return {"running_mean": (channels,), "running_var": (channels,)}
