"""Fully connected layers, and what changes the shape but no value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from cnncourse import functional as F
from cnncourse.errors import ShapeError
from cnncourse.functional.arguments import Array
from cnncourse.geometry.settings import whole
from cnncourse.layers.base import Arrays, Kept, Layer, Mode, Shape, only, size_of


@dataclass(frozen=True, repr=False)
class Linear(Layer):
    """A fully connected layer: every output sees every input.

    Attributes
    ----------
    out_features : int
    bias : bool
    """

    out_features: int
    bias: bool = True

    prefix: ClassVar[str] = "fc"
    stored: ClassVar[bool] = True
    keeps_input: ClassVar[bool] = True

    def __post_init__(self) -> None:
        whole("Linear: out_features", self.out_features, 1)

    def output_shape(self, *inputs: Shape) -> Shape:
        shape = only(self, inputs)
        if len(shape) != 1:
            raise ShapeError(f"Linear takes a vector (features,), the input has shape {shape}; Flatten() before it "
                             f"makes {size_of(shape)} features of that")
        return (self.out_features,)

    def parameter_shapes(self, *inputs: Shape) -> dict[str, Shape]:
        self.output_shape(*inputs)
        weight = (self.out_features, inputs[0][0])
        return {"weight": weight, "bias": (self.out_features,)} if self.bias else {"weight": weight}

    def multiply_adds(self, *inputs: Shape) -> int:
        self.output_shape(*inputs)
        return self.out_features * inputs[0][0]

    def forward(
        self, inputs: tuple[Array, ...], parameters: Arrays, buffers: Arrays, mode: Mode, overwrite: bool = False
    ) -> tuple[Array, Any]:
        return F.linear(inputs[0], parameters["weight"], parameters.get("bias")), None

    def backward(
        self, grad_out: Array, kept: Kept, parameters: Arrays, wanted: tuple[bool, ...], overwrite: bool = False
    ) -> tuple[tuple[Array | None, ...], dict[str, Array]]:
        grad_x, grad_weight, grad_bias = F.linear_backward(grad_out, kept.inputs[0], parameters["weight"])
        gradients = {"weight": grad_weight, "bias": grad_bias} if self.bias else {"weight": grad_weight}
        return (grad_x if wanted[0] else None,), gradients


@dataclass(frozen=True, repr=False)
class Flatten(Layer):
    """Feature maps as one vector, channel after channel, row after row; no value is copied."""

    prefix: ClassVar[str] = "flatten"

    def shares(self, training: bool) -> bool:
        return True

    def output_shape(self, *inputs: Shape) -> Shape:
        return (size_of(only(self, inputs)),)

    def forward(
        self, inputs: tuple[Array, ...], parameters: Arrays, buffers: Arrays, mode: Mode, overwrite: bool = False
    ) -> tuple[Array, Any]:
        return inputs[0].reshape(len(inputs[0]), size_of(inputs[0].shape[1:])), None

    def backward(
        self, grad_out: Array, kept: Kept, parameters: Arrays, wanted: tuple[bool, ...], overwrite: bool = False
    ) -> tuple[tuple[Array | None, ...], dict[str, Array]]:
        return (grad_out.reshape(len(grad_out), *kept.shapes[0]),), {}


@dataclass(frozen=True, repr=False)
class Identity(Layer):
    """Hands its input on: the straight way of a residual block."""

    prefix: ClassVar[str] = "identity"

    def shares(self, training: bool) -> bool:
        return True

    def output_shape(self, *inputs: Shape) -> Shape:
        return only(self, inputs)

    def forward(
        self, inputs: tuple[Array, ...], parameters: Arrays, buffers: Arrays, mode: Mode, overwrite: bool = False
    ) -> tuple[Array, Any]:
        return inputs[0], None

    def backward(
        self, grad_out: Array, kept: Kept, parameters: Arrays, wanted: tuple[bool, ...], overwrite: bool = False
    ) -> tuple[tuple[Array | None, ...], dict[str, Array]]:
        return (grad_out,), {}
