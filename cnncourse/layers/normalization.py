"""Layers that bring values to a common scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from cnncourse import functional as F
from cnncourse.errors import ArgumentError
from cnncourse.functional.arguments import Array
from cnncourse.geometry.settings import real, whole
from cnncourse.layers.base import Arrays, Kept, Layer, Mode, Shape, Work, maps


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
        for name in ("alpha", "beta", "k"):
            real(f"LocalResponseNorm: {name}", getattr(self, name))

    def output_shape(self, *inputs: Shape) -> Shape:
        return maps(self, inputs)

    def forward(
        self, inputs: tuple[Array, ...], parameters: Arrays, buffers: Arrays, mode: Mode, overwrite: bool = False
    ) -> tuple[Array, Any]:
        return F.local_response_norm(inputs[0], self.size, self.alpha, self.beta, self.k), None

    def backward(
        self, grad_out: Array, kept: Kept, parameters: Arrays, wanted: tuple[bool, ...], overwrite: bool = False
    ) -> tuple[tuple[Array | None, ...], dict[str, Array]]:
        x, = kept.inputs
        return (F.local_response_norm_backward(grad_out, x, self.size, self.alpha, self.beta, self.k),), {}


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
    overwrites: ClassVar[bool] = True
    overwrites_gradient: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not real("BatchNorm2d: eps", self.eps) > 0:
            raise ArgumentError(f"BatchNorm2d: eps has to be above 0, {self.eps!r} was given")
        if not 0 <= real("BatchNorm2d: momentum", self.momentum) <= 1:
            raise ArgumentError(f"BatchNorm2d: momentum has to be from 0 to 1, {self.momentum!r} was given")

    def output_shape(self, *inputs: Shape) -> Shape:
        return maps(self, inputs)

    def parameter_shapes(self, *inputs: Shape) -> dict[str, Shape]:
        channels, _, _ = maps(self, inputs)
        return {"weight": (channels,), "bias": (channels,)} if self.affine else {}

    def buffer_shapes(self, *inputs: Shape) -> dict[str, Shape]:
        channels, _, _ = maps(self, inputs)
        return {"running_mean": (channels,), "running_var": (channels,)}

    def forward(
        self, inputs: tuple[Array, ...], parameters: Arrays, buffers: Arrays, mode: Mode, overwrite: bool = False
    ) -> tuple[Array, Any]:
        x, = inputs
        weight, bias = parameters.get("weight"), parameters.get("bias")
        mean, var = buffers["running_mean"], buffers["running_var"]
        target = x if overwrite else None
        if not mode.training:
            return F.batch_norm(x, weight, bias, mean, var, eps=self.eps, out=target), None
        output, statistics = F.batch_norm(x, weight, bias, mean, var, training=True, momentum=self.momentum,
                                          eps=self.eps, out=target)
        if mode.update:
            assert statistics.running_mean is not None and statistics.running_var is not None
            mean[:], var[:] = statistics.running_mean, statistics.running_var
        return output, statistics if mode.keep else None

    def backward(
        self, grad_out: Array, kept: Kept, parameters: Arrays, wanted: tuple[bool, ...], overwrite: bool = False
    ) -> tuple[tuple[Array | None, ...], dict[str, Array]]:
        grad_x, grad_weight, grad_bias = F.batch_norm_backward(
            grad_out, kept.inputs[0], parameters.get("weight"), training=True, eps=self.eps, statistics=kept.extra,
            out=grad_out if overwrite else None)
        return (grad_x,), {"weight": grad_weight, "bias": grad_bias} if self.affine else {}

    def forward_work(self, mode: Mode, batch_size: int, itemsize: int, *inputs: Shape) -> Work:
        # The functional keeps two numbers in double precision and two more for each channel.
        statistics = (2 * 8 + 2 * itemsize) * inputs[0][0]
        return Work(kept=statistics) if mode.keep else Work(passing=statistics)
