"""Layers that look at one number at a time, and the softmax."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from cnncourse import functional as F
from cnncourse.errors import ArgumentError
from cnncourse.functional.arguments import Array
from cnncourse.layers.base import Arrays, Kept, Layer, Mode, Shape, only, size_of


@dataclass(frozen=True, repr=False)
class ReLU(Layer):
    """What is positive passes, the rest becomes zero."""

    prefix: ClassVar[str] = "relu"
    keeps_output: ClassVar[bool] = True
    overwrites: ClassVar[bool] = True
    overwrites_gradient: ClassVar[bool] = True

    def output_shape(self, *inputs: Shape) -> Shape:
        return only(self, inputs)


@dataclass(frozen=True, repr=False)
class Tanh(Layer):
    """The hyperbolic tangent."""

    prefix: ClassVar[str] = "tanh"
    keeps_output: ClassVar[bool] = True
    overwrites: ClassVar[bool] = True
    overwrites_gradient: ClassVar[bool] = True

    def output_shape(self, *inputs: Shape) -> Shape:
        return only(self, inputs)


@dataclass(frozen=True, repr=False)
class Sigmoid(Layer):
    """The logistic function 1 / (1 + exp(-x))."""

    prefix: ClassVar[str] = "sigmoid"
    keeps_output: ClassVar[bool] = True
    overwrites: ClassVar[bool] = True
    overwrites_gradient: ClassVar[bool] = True

    def output_shape(self, *inputs: Shape) -> Shape:
        return only(self, inputs)


@dataclass(frozen=True, repr=False)
class Softmax(Layer):
    """Scores as shares that sum up to one, over the features or, at every position, over the channels."""

    prefix: ClassVar[str] = "softmax"
    keeps_output: ClassVar[bool] = True

    def output_shape(self, *inputs: Shape) -> Shape:
        return only(self, inputs)


@dataclass(frozen=True, repr=False)
class Dropout(Layer):
    """In training each number becomes zero with probability p, and the others grow by 1 / (1 - p).

    Attributes
    ----------
    p : float
        At least 0 and below 1.

    References
    ----------
    Srivastava et al.: Dropout: a simple way to prevent neural networks from overfitting, 2014.
    """

    p: float = 0.5

    prefix: ClassVar[str] = "dropout"

    def __post_init__(self) -> None:
        if not 0 <= self.p < 1:
            raise ArgumentError(f"Dropout: p has to be at least 0 and below 1, {self.p!r} was given")

    def output_shape(self, *inputs: Shape) -> Shape:
        return only(self, inputs)
