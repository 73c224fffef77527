"""Layers that look at one number at a time, and the softmax."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from cnncourse import functional as F
from cnncourse.errors import ArgumentError
from cnncourse.functional.arguments import Array
from cnncourse.geometry.settings import real
from cnncourse.layers.base import Arrays, Kept, Layer, Mode, Shape, Work, only, size_of


def _entry_by_entry(function: Callable[..., Array], derivative: Callable[..., Array]) -> tuple[Callable[..., Any], ...]:
    """`output_shape`, `forward` and `backward` of a layer that needs no more than its output to go back."""
    def output_shape(self: Layer, *inputs: Shape) -> Shape:
        return only(self, inputs)

    def forward(
        self: Layer, inputs: tuple[Array, ...], parameters: Arrays, buffers: Arrays, mode: Mode, overwrite: bool = False
    ) -> tuple[Array, Any]:
        return function(inputs[0], out=inputs[0] if overwrite else None), None

    def backward(
        self: Layer, grad_out: Array, kept: Kept, parameters: Arrays, wanted: tuple[bool, ...], overwrite: bool = False
    ) -> tuple[tuple[Array | None, ...], dict[str, Array]]:
        assert kept.output is not None
        return (derivative(grad_out, kept.output, out=grad_out if overwrite else None),), {}

    return output_shape, forward, backward


@dataclass(frozen=True, repr=False)
class ReLU(Layer):
    """What is positive passes, the rest becomes zero."""

    prefix: ClassVar[str] = "relu"
    keeps_output: ClassVar[bool] = True
    overwrites: ClassVar[bool] = True
    overwrites_gradient: ClassVar[bool] = True

    output_shape, forward, backward = _entry_by_entry(F.relu, F.relu_backward)


@dataclass(frozen=True, repr=False)
class Tanh(Layer):
    """The hyperbolic tangent."""

    prefix: ClassVar[str] = "tanh"
    keeps_output: ClassVar[bool] = True
    overwrites: ClassVar[bool] = True
    overwrites_gradient: ClassVar[bool] = True

    output_shape, forward, backward = _entry_by_entry(F.tanh, F.tanh_backward)


@dataclass(frozen=True, repr=False)
class Sigmoid(Layer):
    """The logistic function 1 / (1 + exp(-x))."""

    prefix: ClassVar[str] = "sigmoid"
    keeps_output: ClassVar[bool] = True
    overwrites: ClassVar[bool] = True
    overwrites_gradient: ClassVar[bool] = True

    output_shape, forward, backward = _entry_by_entry(F.sigmoid, F.sigmoid_backward)


@dataclass(frozen=True, repr=False)
class Softmax(Layer):
    """Scores as shares that sum up to one, over the features or, at every position, over the channels."""

    prefix: ClassVar[str] = "softmax"
    keeps_output: ClassVar[bool] = True

    def output_shape(self, *inputs: Shape) -> Shape:
        return only(self, inputs)

    def forward(
        self, inputs: tuple[Array, ...], parameters: Arrays, buffers: Arrays, mode: Mode, overwrite: bool = False
    ) -> tuple[Array, Any]:
        return F.softmax(inputs[0]), None

    def backward(
        self, grad_out: Array, kept: Kept, parameters: Arrays, wanted: tuple[bool, ...], overwrite: bool = False
    ) -> tuple[tuple[Array | None, ...], dict[str, Array]]:
        assert kept.output is not None
        return (F.softmax_backward(grad_out, kept.output),), {}

    def backward_work(self, wanted: tuple[bool, ...], batch_size: int, itemsize: int, *inputs: Shape) -> Work:
        return Work(passing=batch_size * itemsize * (size_of(inputs[0]) + size_of(inputs[0][1:])))


@dataclass(frozen=True, repr=False)
class Dropout(Layer):
    """In training each number becomes zero with probability p, and the others grow by 1 / (1 - p).

    Attributes
    ----------
    p : float
        From 0 to 1.

    References
    ----------
    Srivastava et al.: Dropout: a simple way to prevent neural networks from overfitting, 2014.
    """

    p: float = 0.5

    prefix: ClassVar[str] = "dropout"
    draws: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 <= real("Dropout: p", self.p) <= 1:
            raise ArgumentError(f"Dropout: p has to be a probability from 0 to 1, {self.p!r} was given")

    def output_shape(self, *inputs: Shape) -> Shape:
        return only(self, inputs)

    def shares(self, training: bool) -> bool:
        return not training or self.p == 0

    def forward(
        self, inputs: tuple[Array, ...], parameters: Arrays, buffers: Arrays, mode: Mode, overwrite: bool = False
    ) -> tuple[Array, Any]:
        x, = inputs
        if self.shares(mode.training):
            return x, None
        assert mode.generator is not None
        output, mask = F.dropout(x, self.p, mode.generator)
        return output, mask if mode.keep else None

    def backward(
        self, grad_out: Array, kept: Kept, parameters: Arrays, wanted: tuple[bool, ...], overwrite: bool = False
    ) -> tuple[tuple[Array | None, ...], dict[str, Array]]:
        return (grad_out if kept.extra is None else F.dropout_backward(grad_out, kept.extra, self.p),), {}

    def forward_work(self, mode: Mode, batch_size: int, itemsize: int, *inputs: Shape) -> Work:
        if self.shares(mode.training):
            return Work()
        # The mask has a byte for each number. It is drawn as floats of four bytes, but before the output is made.
        mask = batch_size * size_of(inputs[0])
        return Work(kept=mask) if mode.keep else Work(passing=mask)
