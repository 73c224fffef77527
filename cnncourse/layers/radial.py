"""A layer that compares with fixed patterns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from cnncourse import functional as F
from cnncourse.errors import ArgumentError, ShapeError
from cnncourse.functional.arguments import Array
from cnncourse.layers.base import Arrays, Kept, Layer, Mode, Shape, Work, only


@dataclass(frozen=True, repr=False)
class RadialBasis(Layer):
    """Scores that say how near the features are to fixed centers: minus the squared distances.

    Attributes
    ----------
    centers : tuple of tuple of float
        One for each score. They are chosen by hand and not learned.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner: Gradient-based learning applied to document recognition, 1998, equation 7. The
    paper's units give the distance itself, so that there the smallest output wins.
    """

    centers: tuple[tuple[float, ...], ...]

    prefix: ClassVar[str] = "rbf"
    stored: ClassVar[bool] = True
    keeps_input: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not self.centers or len(set(map(len, self.centers))) != 1 or not self.centers[0]:
            raise ArgumentError("RadialBasis: centers has to be one or more rows of numbers, all of one length")

    def output_shape(self, *inputs: Shape) -> Shape:
        shape = only(self, inputs)
        if shape != (len(self.centers[0]),):
            raise ShapeError(f"RadialBasis takes a vector of {len(self.centers[0])} features, as its centers have; the "
                             f"input has shape {shape}")
        return (len(self.centers),)

    def multiply_adds(self, *inputs: Shape) -> int:
        """A square and an addition for each feature of each center, counted as in a linear layer."""
        return self.output_shape(*inputs)[0] * len(self.centers[0])

    def forward(
        self, inputs: tuple[Array, ...], parameters: Arrays, buffers: Arrays, mode: Mode, overwrite: bool = False
    ) -> tuple[Array, Any]:
        x, = inputs
        out = F.squared_distances(x, self._array(x))
        return np.negative(out, out=out), None

    def backward(
        self, grad_out: Array, kept: Kept, parameters: Arrays, wanted: tuple[bool, ...], overwrite: bool = False
    ) -> tuple[tuple[Array | None, ...], dict[str, Array]]:
        x, = kept.inputs
        return (F.squared_distances_backward(-grad_out, x, self._array(x)),), {}

    def forward_work(self, mode: Mode, batch_size: int, itemsize: int, *inputs: Shape) -> Work:
        features, scores = len(self.centers[0]), len(self.centers)
        return Work(passing=(scores + batch_size) * features * itemsize)

    def backward_work(self, wanted: tuple[bool, ...], batch_size: int, itemsize: int, *inputs: Shape) -> Work:
        features, scores = len(self.centers[0]), len(self.centers)
        return Work(passing=(scores * features + batch_size * (2 * features + scores)) * itemsize)

    def _array(self, like: Array) -> Array:
        return np.array(self.centers, like.dtype)
