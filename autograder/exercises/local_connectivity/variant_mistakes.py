"""Wrong layers with 1x1 filters, and with gaps in the filter."""

from __future__ import annotations

import numpy as np

from cnncourse import functional as F


def mixed_pixels(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """1x1 convolution after a reshape that mixes channels and pixels."""
    samples, channels, rows, columns = x.shape
    table = np.ascontiguousarray(x).reshape(samples, rows * columns, channels)
    return (table @ weight.T + bias).reshape(samples, len(weight), rows, columns)


def reshaped_back(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """1x1 convolution with the channels last, reshaped back where a transposition is needed."""
    out = pointwise(x, weight, bias)
    return np.ascontiguousarray(out.transpose(0, 2, 3, 1)).reshape(out.shape)


def transposed_weight(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """The weight read as (C, K); it fits only where both are the same."""
    if weight.shape[0] != weight.shape[1]:
        raise ValueError("operands could not be broadcast together")
    return pointwise(x, weight.T, bias)


def transposed_by_index(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """The same, number by number."""
    if weight.shape[0] != weight.shape[1]:
        raise IndexError("index is out of bounds")
    return pointwise(x, weight.T, bias)


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
    if rows < 0 or columns < 0:
        raise ValueError("negative dimensions are not allowed")
    return out[:, :, :rows, :columns]


def gaps_in_the_size_only(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, dilation: int) -> np.ndarray:
    """The size of the output is right; the taps are neighbors."""
    rows, columns = (x.shape[a] - dilation * (weight.shape[a] - 1) for a in (2, 3))
    return F.conv2d(x, weight, bias)[:, :, :rows, :columns]


def only_square_kernels(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, dilation: int) -> np.ndarray:
    """The kernel's width is taken to be its height."""
    if weight.shape[2] != weight.shape[3]:
        raise ValueError("operands could not be broadcast together")
    return F.conv2d(x, weight, bias, dilation=dilation)


def span_too_short(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, dilation: int) -> np.ndarray:
    """Windows run over the border, or hold more or fewer inputs than the filter has taps."""
    if dilation > 1 and weight[0, 0].size > 1:
        raise ValueError("operands could not be broadcast together")
    return F.conv2d(x, weight, bias, dilation=dilation)


def span_too_short_by_index(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, dilation: int) -> np.ndarray:
    """The same, number by number."""
    if dilation > 1 and weight[0, 0].size > 1:
        raise IndexError("index is out of bounds")
    return F.conv2d(x, weight, bias, dilation=dilation)
