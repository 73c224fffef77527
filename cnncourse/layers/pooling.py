"""Layers that put one number in the place of each window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from cnncourse import functional as F
from cnncourse.errors import ArgumentError
from cnncourse.functional.arguments import Array, Padding, Pair, pooling_windows
from cnncourse.geometry.settings import real
from cnncourse.layers.base import Arrays, Kept, Layer, Mode, Shape, Work, hollow, maps, size_of
from cnncourse.layers.settings import check_window


@dataclass(frozen=True, repr=False)
class MaxPool2d(Layer):
    """The largest input of every window.

    Attributes
    ----------
    kernel_size : int or (vertical, horizontal)
    stride, padding, dilation, ceil_mode
        As in `cnncourse.functional.max_pool2d`; the stride is the kernel size by default.
    """

    kernel_size: Pair
    stride: Pair | None = None
    padding: Padding = 0
    dilation: Pair = 1
    ceil_mode: bool = False

    prefix: ClassVar[str] = "pool"
    stored: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_window("MaxPool2d", self.kernel_size, self.stride, self.padding, self.dilation)

    def output_shape(self, *inputs: Shape) -> Shape:
        channels, height, width = maps(self, inputs)
        found = pooling_windows("MaxPool2d", (height, width), self.kernel_size, self.stride, self.padding,
                                self.dilation, self.ceil_mode)
        return channels, *found.output

    def forward(
        self, inputs: tuple[Array, ...], parameters: Arrays, buffers: Arrays, mode: Mode, overwrite: bool = False
    ) -> tuple[Array, Any]:
        if not mode.keep:
            return F.max_pool2d(inputs[0], self.kernel_size, self.stride, self.padding, dilation=self.dilation,
                                ceil_mode=self.ceil_mode), None
        return F.max_pool2d(inputs[0], self.kernel_size, self.stride, self.padding, dilation=self.dilation,
                            ceil_mode=self.ceil_mode, return_indices=True)

    def backward(
        self, grad_out: Array, kept: Kept, parameters: Arrays, wanted: tuple[bool, ...], overwrite: bool = False
    ) -> tuple[tuple[Array | None, ...], dict[str, Array]]:
        x = hollow(kept, grad_out)
        return (F.max_pool2d_backward(grad_out, x, self.kernel_size, self.stride, self.padding,
                                      dilation=self.dilation, ceil_mode=self.ceil_mode, indices=kept.extra),), {}

    def forward_work(self, mode: Mode, batch_size: int, itemsize: int, *inputs: Shape) -> Work:
        return Work(kept=8 * batch_size * size_of(self.output_shape(*inputs)) if mode.keep else 0)


@dataclass(frozen=True, repr=False)
class AvgPool2d(Layer):
    """The mean of every window.

    Attributes
    ----------
    kernel_size : int or (vertical, horizontal)
    stride, padding, ceil_mode, count_include_pad
        As in `cnncourse.functional.avg_pool2d`; the stride is the kernel size by default.
    """

    kernel_size: Pair
    stride: Pair | None = None
    padding: Padding = 0
    ceil_mode: bool = False
    count_include_pad: bool = True

    prefix: ClassVar[str] = "pool"
    stored: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_window("AvgPool2d", self.kernel_size, self.stride, self.padding)

    def output_shape(self, *inputs: Shape) -> Shape:
        channels, height, width = maps(self, inputs)
        found = pooling_windows("AvgPool2d", (height, width), self.kernel_size, self.stride, self.padding, 1,
                                self.ceil_mode)
        return channels, *found.output

    def forward(
        self, inputs: tuple[Array, ...], parameters: Arrays, buffers: Arrays, mode: Mode, overwrite: bool = False
    ) -> tuple[Array, Any]:
        return F.avg_pool2d(inputs[0], self.kernel_size, self.stride, self.padding, ceil_mode=self.ceil_mode,
                            count_include_pad=self.count_include_pad), None

    def backward(
        self, grad_out: Array, kept: Kept, parameters: Arrays, wanted: tuple[bool, ...], overwrite: bool = False
    ) -> tuple[tuple[Array | None, ...], dict[str, Array]]:
        x = hollow(kept, grad_out)
        return (F.avg_pool2d_backward(grad_out, x, self.kernel_size, self.stride, self.padding,
                                      ceil_mode=self.ceil_mode, count_include_pad=self.count_include_pad),), {}


@dataclass(frozen=True, repr=False)
class LpPool2d(Layer):
    """The p-norm of every window.

    Attributes
    ----------
    norm_type : float
        p, above 0.
    kernel_size : int or (vertical, horizontal)
    stride, padding, ceil_mode
        As in `cnncourse.functional.lp_pool2d`; the stride is the kernel size by default.
    """

    norm_type: float
    kernel_size: Pair
    stride: Pair | None = None
    padding: Padding = 0
    ceil_mode: bool = False

    prefix: ClassVar[str] = "pool"
    stored: ClassVar[bool] = True
    keeps_input: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_window("LpPool2d", self.kernel_size, self.stride, self.padding)
        if not real("LpPool2d: norm_type", self.norm_type) > 0:
            raise ArgumentError(f"LpPool2d: norm_type has to be above 0, {self.norm_type!r} was given")

    def output_shape(self, *inputs: Shape) -> Shape:
        channels, height, width = maps(self, inputs)
        found = pooling_windows("LpPool2d", (height, width), self.kernel_size, self.stride, self.padding, 1,
                                self.ceil_mode)
        return channels, *found.output

    def forward(
        self, inputs: tuple[Array, ...], parameters: Arrays, buffers: Arrays, mode: Mode, overwrite: bool = False
    ) -> tuple[Array, Any]:
        return F.lp_pool2d(inputs[0], self.norm_type, self.kernel_size, self.stride, self.padding,
                           ceil_mode=self.ceil_mode), None

    def backward(
        self, grad_out: Array, kept: Kept, parameters: Arrays, wanted: tuple[bool, ...], overwrite: bool = False
    ) -> tuple[tuple[Array | None, ...], dict[str, Array]]:
        return (F.lp_pool2d_backward(grad_out, kept.inputs[0], self.norm_type, self.kernel_size, self.stride,
                                     self.padding, ceil_mode=self.ceil_mode),), {}

    def forward_work(self, mode: Mode, batch_size: int, itemsize: int, *inputs: Shape) -> Work:
        # The largest magnitude is found among absolute values.
        return Work(passing=batch_size * itemsize * size_of(inputs[0]) if self.norm_type == float("inf") else 0)

    def backward_work(self, wanted: tuple[bool, ...], batch_size: int, itemsize: int, *inputs: Shape) -> Work:
        size, output = size_of(inputs[0]), size_of(self.output_shape(*inputs))
        if self.norm_type == float("inf"):  # signs and absolute values, the maxima and where they are
            return Work(passing=batch_size * (2 * size * itemsize + output * (itemsize + 8)))
        return Work(passing=2 * batch_size * itemsize * output)  # the norms again, and their gradient by a power


@dataclass(frozen=True, repr=False)
class GlobalAvgPool2d(Layer):
    """The mean of every feature map: (C, H, W) becomes (C, 1, 1).

    References
    ----------
    Lin, Chen and Yan: Network in network, 2014, section 3.2.
    """

    prefix: ClassVar[str] = "pool"
    stored: ClassVar[bool] = True

    def output_shape(self, *inputs: Shape) -> Shape:
        return maps(self, inputs)[0], 1, 1

    def forward(
        self, inputs: tuple[Array, ...], parameters: Arrays, buffers: Arrays, mode: Mode, overwrite: bool = False
    ) -> tuple[Array, Any]:
        return F.global_avg_pool2d(inputs[0]), None

    def backward(
        self, grad_out: Array, kept: Kept, parameters: Arrays, wanted: tuple[bool, ...], overwrite: bool = False
    ) -> tuple[tuple[Array | None, ...], dict[str, Array]]:
        return (F.global_avg_pool2d_backward(grad_out, hollow(kept, grad_out)),), {}


@dataclass(frozen=True, repr=False)
class TrainableAvgPool2d(Layer):
    """The mean of every window, times a coefficient and plus a bias that are learned for each channel.

    Attributes
    ----------
    kernel_size : int or (vertical, horizontal)
    stride : int or (vertical, horizontal), optional
        The kernel size by default.

    Notes
    -----
    LeNet-5 adds the inputs up before it multiplies; its coefficients are those of the mean divided by the size of
    the window.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner: Gradient-based learning applied to document recognition, 1998, section II.B,
    layers S2 and S4.
    """

    kernel_size: Pair
    stride: Pair | None = None

    prefix: ClassVar[str] = "pool"
    stored: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_window("TrainableAvgPool2d", self.kernel_size, self.stride, 0)

    def output_shape(self, *inputs: Shape) -> Shape:
        channels, height, width = maps(self, inputs)
        found = pooling_windows("TrainableAvgPool2d", (height, width), self.kernel_size, self.stride, 0, 1, False)
        return channels, *found.output

    def parameter_shapes(self, *inputs: Shape) -> dict[str, Shape]:
        channels, _, _ = maps(self, inputs)
        return {"weight": (channels,), "bias": (channels,)}

    def forward(
        self, inputs: tuple[Array, ...], parameters: Arrays, buffers: Arrays, mode: Mode, overwrite: bool = False
    ) -> tuple[Array, Any]:
        means = F.avg_pool2d(inputs[0], self.kernel_size, self.stride)
        output = means * _by_channel(parameters["weight"])
        output += _by_channel(parameters["bias"])
        return output, means if mode.keep else None

    def backward(
        self, grad_out: Array, kept: Kept, parameters: Arrays, wanted: tuple[bool, ...], overwrite: bool = False
    ) -> tuple[tuple[Array | None, ...], dict[str, Array]]:
        means: Array = kept.extra
        gradients = {"weight": np.einsum("nchw,nchw->c", grad_out, means), "bias": grad_out.sum(axis=(0, 2, 3))}
        grad_means = grad_out * _by_channel(parameters["weight"])
        x = hollow(kept, grad_out)
        return (F.avg_pool2d_backward(grad_means, x, self.kernel_size, self.stride),), gradients

    def forward_work(self, mode: Mode, batch_size: int, itemsize: int, *inputs: Shape) -> Work:
        means = batch_size * itemsize * size_of(self.output_shape(*inputs))
        return Work(kept=means) if mode.keep else Work(passing=means)

    def backward_work(self, wanted: tuple[bool, ...], batch_size: int, itemsize: int, *inputs: Shape) -> Work:
        return Work(passing=batch_size * itemsize * size_of(self.output_shape(*inputs)))


def _by_channel(values: Array) -> Array:
    return values[:, None, None]
