"""Layers that slide filters: with weights that all positions share, or without sharing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from cnncourse import functional as F
from cnncourse.errors import ArgumentError, ShapeError
from cnncourse.functional.arguments import Array, Padding, Pair, windows
from cnncourse.functional.demand import conv2d_demand
from cnncourse.geometry.settings import per_axis, whole
from cnncourse.layers.base import Arrays, Kept, Layer, Mode, Shape, Work, maps, size_of
from cnncourse.layers.settings import check_window


@dataclass(frozen=True, repr=False)
class Conv2d(Layer):
    """Filters that slide over the picture.

    Attributes
    ----------
    out_channels : int
    kernel_size : int or (vertical, horizontal)
    stride, padding, dilation, groups
        As in `cnncourse.functional.conv2d`.
    bias : bool
    connections : tuple of tuple of int, optional
        For each filter the input channels that it sees, where it does not see all of them. The weight has shape
        (number of connections, kernel height, kernel width) then: the kernels of the first filter, of the second, ...

    Raises
    ------
    ArgumentError
        If a setting is not a whole number, or too small, or the connections are not lists of channels, one for each
        filter.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner: Gradient-based learning applied to document recognition, 1998; table I has
    LeNet-5's connections.
    """

    out_channels: int
    kernel_size: Pair
    stride: Pair = 1
    padding: Padding = 0
    dilation: Pair = 1
    groups: int = 1
    bias: bool = True
    connections: tuple[tuple[int, ...], ...] | None = None

    prefix: ClassVar[str] = "conv"
    stored: ClassVar[bool] = True
    keeps_input: ClassVar[bool] = True

    def __post_init__(self) -> None:
        whole("Conv2d: out_channels", self.out_channels, 1)
        whole("Conv2d: groups", self.groups, 1)
        check_window("Conv2d", self.kernel_size, self.stride, self.padding, self.dilation)
        if self.connections is not None:
            self._check_connections(self.connections)

    def _check_connections(self, connections: tuple[tuple[int, ...], ...]) -> None:
        if len(connections) != self.out_channels:
            raise ArgumentError(f"Conv2d: connections has to list the input channels of each of the "
                                f"{self.out_channels} filters; it lists those of {len(connections)}")
        for number, channels in enumerate(connections):
            if not channels or len(set(channels)) != len(channels) or min(channels) < 0:
                raise ArgumentError(f"Conv2d: filter {number} is connected to {channels}; it has to be one or more "
                                    "input channels, each once, counted from 0")
        if self.groups != 1:
            raise ArgumentError(f"Conv2d: groups={self.groups} and connections both say which channels a filter "
                                "sees; give one of them")

    def output_shape(self, *inputs: Shape) -> Shape:
        channels, height, width = maps(self, inputs)
        if channels % self.groups or self.out_channels % self.groups:
            raise ShapeError(f"Conv2d: groups={self.groups} has to divide the {channels} input channels and the "
                             f"{self.out_channels} filters")
        if self.connections is not None and max(map(max, self.connections)) >= channels:
            raise ShapeError(f"Conv2d: connections go up to channel {max(map(max, self.connections))}; the input has "
                             f"channels 0 to {channels - 1}")
        found = windows("Conv2d", (height, width), self.kernel_size, self.stride, self.padding, self.dilation)
        return self.out_channels, *found.output

    def parameter_shapes(self, *inputs: Shape) -> dict[str, Shape]:
        channels, _, _ = maps(self, inputs)
        kernel = per_axis("Conv2d: kernel_size", self.kernel_size, 1)
        weight: Shape = (self.out_channels, channels // self.groups, *kernel)
        if self.connections is not None:
            weight = (sum(map(len, self.connections)), *kernel)
        return {"weight": weight, "bias": (self.out_channels,)} if self.bias else {"weight": weight}

    def multiply_adds(self, *inputs: Shape) -> int:
        _, height, width = self.output_shape(*inputs)
        rows, columns = per_axis("Conv2d: kernel_size", self.kernel_size, 1)
        pairs = (self.out_channels * (inputs[0][0] // self.groups) if self.connections is None
                 else sum(map(len, self.connections)))
        return pairs * rows * columns * height * width

    def forward(
        self, inputs: tuple[Array, ...], parameters: Arrays, buffers: Arrays, mode: Mode, overwrite: bool = False
    ) -> tuple[Array, Any]:
        x, = inputs
        return F.conv2d(x, self._dense(parameters["weight"], x.shape[1]), parameters.get("bias"), stride=self.stride,
                        padding=self.padding, dilation=self.dilation, groups=self.groups), None

    def backward(
        self, grad_out: Array, kept: Kept, parameters: Arrays, wanted: tuple[bool, ...], overwrite: bool = False
    ) -> tuple[tuple[Array | None, ...], dict[str, Array]]:
        x, = kept.inputs
        grad_x, grad_weight, grad_bias = F.conv2d_backward(
            grad_out, x, self._dense(parameters["weight"], x.shape[1]), stride=self.stride, padding=self.padding,
            dilation=self.dilation, groups=self.groups, input_gradient=wanted[0])
        if self.connections is not None:
            grad_weight = grad_weight[self._pairs(self.connections)]
        gradients = {"weight": grad_weight, "bias": grad_bias} if self.bias else {"weight": grad_weight}
        return (grad_x,), gradients

    def makes(self, wanted: tuple[bool, ...]) -> tuple[bool, ...]:
        return wanted

    def forward_work(self, mode: Mode, batch_size: int, itemsize: int, *inputs: Shape) -> Work:
        return self._work(batch_size, itemsize, inputs[0], backward=False, input_gradient=False)

    def backward_work(self, wanted: tuple[bool, ...], batch_size: int, itemsize: int, *inputs: Shape) -> Work:
        return self._work(batch_size, itemsize, inputs[0], backward=True, input_gradient=wanted[0])

    def _work(
        self, batch_size: int, itemsize: int, shape: Shape, backward: bool, input_gradient: bool
    ) -> Work:
        dense = (self.out_channels, shape[0] // self.groups, *per_axis("Conv2d: kernel_size", self.kernel_size, 1))
        demand = conv2d_demand(
            (batch_size, *shape), dense, np.dtype(f"f{itemsize}"), stride=self.stride, padding=self.padding,
            dilation=self.dilation, groups=self.groups, backward=backward, input_gradient=input_gradient)
        # The weights of a partly connected layer are laid out among zeros, and so is their gradient.
        copies = (1 + backward) * itemsize * size_of(dense) if self.connections is not None else 0
        return Work(passing=demand.passing + copies, standing=demand.standing)

    def _dense(self, weight: Array, channels: int) -> Array:
        """Weights of a partly connected layer among zeros."""
        if self.connections is None:
            return weight
        dense = np.zeros((self.out_channels, channels, *weight.shape[1:]), weight.dtype)
        dense[self._pairs(self.connections)] = weight
        return dense

    @staticmethod
    def _pairs(connections: tuple[tuple[int, ...], ...]) -> tuple[list[int], list[int]]:
        """Filter and channel of each connection."""
        pairs = [(number, channel) for number, channels in enumerate(connections) for channel in channels]
        return [number for number, _ in pairs], [channel for _, channel in pairs]


@dataclass(frozen=True, repr=False)
class LocallyConnected2d(Layer):
    """Filters that differ from position to position: local connectivity without parameter sharing.

    Attributes
    ----------
    out_channels : int
    kernel_size : int or (vertical, horizontal)
    stride, padding
        As in `cnncourse.functional.locally_connected2d`.
    bias : bool
        One for each filter and position.

    References
    ----------
    Taigman, Yang, Ranzato and Wolf: DeepFace, 2014.
    """

    out_channels: int
    kernel_size: Pair
    stride: Pair = 1
    padding: Padding = 0
    bias: bool = True

    prefix: ClassVar[str] = "local"
    stored: ClassVar[bool] = True
    keeps_input: ClassVar[bool] = True

    def __post_init__(self) -> None:
        whole("LocallyConnected2d: out_channels", self.out_channels, 1)
        check_window("LocallyConnected2d", self.kernel_size, self.stride, self.padding)

    def output_shape(self, *inputs: Shape) -> Shape:
        _, height, width = maps(self, inputs)
        found = windows("LocallyConnected2d", (height, width), self.kernel_size, self.stride, self.padding, 1)
        return self.out_channels, *found.output

    def parameter_shapes(self, *inputs: Shape) -> dict[str, Shape]:
        output = self.output_shape(*inputs)
        kernel = per_axis("LocallyConnected2d: kernel_size", self.kernel_size, 1)
        weight = (*output[1:], output[0], inputs[0][0], *kernel)
        return {"weight": weight, "bias": output} if self.bias else {"weight": weight}

    def multiply_adds(self, *inputs: Shape) -> int:
        filters, height, width = self.output_shape(*inputs)
        rows, columns = per_axis("LocallyConnected2d: kernel_size", self.kernel_size, 1)
        return filters * height * width * inputs[0][0] * rows * columns

    def forward(
        self, inputs: tuple[Array, ...], parameters: Arrays, buffers: Arrays, mode: Mode, overwrite: bool = False
    ) -> tuple[Array, Any]:
        return F.locally_connected2d(inputs[0], parameters["weight"], parameters.get("bias"), stride=self.stride,
                                     padding=self.padding), None

    def backward(
        self, grad_out: Array, kept: Kept, parameters: Arrays, wanted: tuple[bool, ...], overwrite: bool = False
    ) -> tuple[tuple[Array | None, ...], dict[str, Array]]:
        grad_x, grad_weight, grad_bias = F.locally_connected2d_backward(
            grad_out, kept.inputs[0], parameters["weight"], stride=self.stride, padding=self.padding)
        gradients = {"weight": grad_weight, "bias": grad_bias} if self.bias else {"weight": grad_weight}
        return (grad_x if wanted[0] else None,), gradients
