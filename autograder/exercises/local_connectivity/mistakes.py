"""Building blocks of wrong convolutions: each does one thing that students really do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cnncourse import functional as F

Layer = Callable[..., np.ndarray]


def padded_otherwise(
    rows: Callable[[int], Any], columns: Callable[[int], Any] | None = None, mode: str = "constant"
) -> Layer:
    """A convolution of an input that is padded in some other way, given from the padding."""
    def layer(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int, padding: int) -> np.ndarray:
        around = ((0, 0), (0, 0), rows(padding), (columns or rows)(padding))
        return F.conv2d(np.pad(x, around, mode=mode), weight, bias, stride=stride)  # type: ignore[call-overload]
    return layer


def only_square_inputs(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int, padding: int) -> np.ndarray:
    """The output's width is computed from the height."""
    out = F.conv2d(x, weight, bias, stride=stride, padding=padding)
    side, width = out.shape[2:]
    if side > width:
        raise ValueError("operands could not be broadcast together")
    return out[..., :side]


def width_by_height(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int, padding: int) -> np.ndarray:
    """The output's width is computed from the height of the input and the width of the kernel."""
    out = F.conv2d(x, weight, bias, stride=stride, padding=padding)
    width = (x.shape[2] + 2 * padding - weight.shape[3]) // stride + 1
    if width > out.shape[3]:
        raise ValueError("operands could not be broadcast together")
    return out[..., :width]


def only_square_kernels(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int, padding: int) -> np.ndarray:
    """The kernel's width is taken to be its height."""
    if weight.shape[2] != weight.shape[3]:
        raise ValueError("operands could not be broadcast together")
    return F.conv2d(x, weight, bias, stride=stride, padding=padding)


def stride_not_in_position(down: bool, across: bool) -> Layer:
    """The output has the right size, but its windows lie one input apart, along one axis or both."""
    def layer(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int, padding: int) -> np.ndarray:
        rows, columns = F.conv2d(x, weight, bias, stride=stride, padding=padding).shape[2:]
        steps = (1 if down else stride, 1 if across else stride)
        return F.conv2d(x, weight, bias, stride=steps, padding=padding)[:, :, :rows, :columns]
    return layer


def first_sample_only(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int, padding: int) -> np.ndarray:
    """The samples after the first stay zero."""
    out = F.conv2d(x, weight, bias, stride=stride, padding=padding)
    out[1:] = 0
    return out


def one_fewer(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int, padding: int) -> np.ndarray:
    """The output size lacks its one."""
    return F.conv2d(x, weight, bias, stride=stride, padding=padding)[:, :, :-1, :-1]


def flipped(weight: np.ndarray) -> np.ndarray:
    """Turned by half a turn, as the mathematicians' convolution does."""
    return np.ascontiguousarray(weight[:, :, ::-1, ::-1])


def scaled(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int, padding: int, divisor: int) -> np.ndarray:
    """A mean in place of a sum."""
    divided = weight / weight.dtype.type(divisor)
    return F.conv2d(x, divided, bias, stride=stride, padding=padding)


def channels_last_rows(x: np.ndarray, kernel_size: tuple[int, int], stride: int, padding: int) -> np.ndarray:
    """im2col with the channel as the fastest index of a row."""
    columns = F.im2col(x, kernel_size, stride=stride, padding=padding)
    apart = columns.reshape(len(x), x.shape[1], -1, columns.shape[2])
    return apart.swapaxes(1, 2).reshape(columns.shape)


def taps_transposed(x: np.ndarray, kernel_size: tuple[int, int], stride: int, padding: int) -> np.ndarray:
    """im2col with the kernel's columns before its rows."""
    columns = F.im2col(x, kernel_size, stride=stride, padding=padding)
    apart = columns.reshape(len(x), x.shape[1], *kernel_size, -1)
    return apart.swapaxes(2, 3).reshape(columns.shape)


def positions_transposed(x: np.ndarray, kernel_size: tuple[int, int], stride: int, padding: int) -> np.ndarray:
    """im2col with positions counted down the columns first."""
    columns = F.im2col(x, kernel_size, stride=stride, padding=padding)
    rows = (x.shape[2] + 2 * padding - kernel_size[0]) // stride + 1
    apart = columns.reshape(*columns.shape[:2], rows, -1)
    return apart.swapaxes(2, 3).reshape(columns.shape)


def scrambled(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int, padding: int) -> np.ndarray:
    """Filters and samples in each other's place: one product for the whole batch, reshaped without a transposition."""
    out = F.conv2d(x, weight, bias, stride=stride, padding=padding)
    return np.ascontiguousarray(out.swapaxes(0, 1)).reshape(out.shape)


def pixels_scrambled(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int, padding: int) -> np.ndarray:
    """Positions times filters, reshaped to filters times positions without a transposition."""
    out = F.conv2d(x, weight, bias, stride=stride, padding=padding)
    return np.ascontiguousarray(out.transpose(0, 2, 3, 1)).reshape(out.shape)


def mixed_pixels(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """1x1 convolution after a reshape that mixes channels and pixels."""
    samples, channels, rows, columns = x.shape
    table = np.ascontiguousarray(x).reshape(samples, rows * columns, channels)
    return (table @ weight.T + bias).reshape(samples, len(weight), rows, columns)


def pointwise(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """A right 1x1 convolution."""
    return F.conv2d(x, np.ascontiguousarray(weight)[:, :, None, None], bias)


def filled(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, dilation: int) -> np.ndarray:
    """Every tap repeated into the gaps after it."""
    return F.conv2d(x, weight.repeat(dilation, axis=2).repeat(dilation, axis=3), bias)


def too_long(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, dilation: int) -> np.ndarray:
    """The window counted as d F inputs long."""
    out = F.conv2d(x, weight, bias, dilation=dilation)
    rows, columns = (x.shape[a] - dilation * weight.shape[a] + 1 for a in (2, 3))
    return out[:, :, :rows, :columns]
