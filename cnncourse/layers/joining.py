"""Layers with several inputs: where branches of a network meet again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from cnncourse import functional as F
from cnncourse.errors import ShapeError
from cnncourse.functional.arguments import Array
from cnncourse.layers.base import Arrays, Kept, Layer, Mode, Shape


@dataclass(frozen=True, repr=False)
class Concatenate(Layer):
    """Feature maps of all inputs, one after the other.

    References
    ----------
    Szegedy et al.: Going deeper with convolutions, 2015, figure 2.
    """

    prefix: ClassVar[str] = "concat"

    def output_shape(self, *inputs: Shape) -> Shape:
        if not inputs:
            raise ShapeError("Concatenate takes at least one input, none was given")
        if len({shape[1:] for shape in inputs}) > 1 or not inputs[0]:
            raise ShapeError(f"Concatenate joins along the channels, so that height and width have to agree; the "
                             f"inputs have shapes {', '.join(map(str, inputs))}")
        return sum(shape[0] for shape in inputs), *inputs[0][1:]

    def forward(
        self, inputs: tuple[Array, ...], parameters: Arrays, buffers: Arrays, mode: Mode, overwrite: bool = False
    ) -> tuple[Array, Any]:
        return F.concatenate(inputs), None

    def backward(
        self, grad_out: Array, kept: Kept, parameters: Arrays, wanted: tuple[bool, ...], overwrite: bool = False
    ) -> tuple[tuple[Array | None, ...], dict[str, Array]]:
        return tuple(F.concatenate_backward(grad_out, [shape[0] for shape in kept.shapes])), {}


@dataclass(frozen=True, repr=False)
class Add(Layer):
    """The sum of all inputs.

    References
    ----------
    He, Zhang, Ren and Sun: Deep residual learning for image recognition, 2016, equation 1.
    """

    prefix: ClassVar[str] = "add"
    overwrites: ClassVar[bool] = True

    def shares_gradient(self) -> bool:
        return True

    def output_shape(self, *inputs: Shape) -> Shape:
        if len(inputs) < 2:
            raise ShapeError(f"Add takes at least two inputs, {len(inputs)} were given")
        if len(set(inputs)) > 1:
            raise ShapeError(f"Add takes inputs of one shape; these have shapes {', '.join(map(str, inputs))}")
        return inputs[0]

    def forward(
        self, inputs: tuple[Array, ...], parameters: Arrays, buffers: Arrays, mode: Mode, overwrite: bool = False
    ) -> tuple[Array, Any]:
        return F.add(*inputs, out=inputs[0] if overwrite else None), None

    def backward(
        self, grad_out: Array, kept: Kept, parameters: Arrays, wanted: tuple[bool, ...], overwrite: bool = False
    ) -> tuple[tuple[Array | None, ...], dict[str, Array]]:
        return (grad_out,) * len(kept.shapes), {}
