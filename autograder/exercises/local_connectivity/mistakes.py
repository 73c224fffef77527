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


Sizes = Callable[[tuple[int, ...], tuple[int, ...], int], tuple[int, int]]


def _right_sizes(padded: tuple[int, ...], kernel: tuple[int, ...], stride: int) -> tuple[int, int]:
    return (padded[0] - kernel[0]) // stride + 1, (padded[1] - kernel[1]) // stride + 1


def looped(
    sizes: Sizes = _right_sizes,
    turns: Callable[[int, int], tuple[int, int]] = lambda rows, columns: (rows, columns),
    corner: Callable[[int, int, int, tuple[int, ...]], tuple[int, int]] = lambda i, j, stride, kernel: (
        i * stride, j * stride),
    extent: Callable[[tuple[int, ...]], tuple[int, ...]] = lambda kernel: kernel,
    step: Callable[[int], int] = lambda stride: 1,
    entry: Callable[[int, int, int, int], tuple[int, ...]] = lambda n, k, i, j: (n, k, i, j),
    value: Callable[..., Any] = lambda window, weight, bias, k: np.sum(window * weight[k]) + bias[k],
) -> Layer:
    """The layer by loops with a part of it replaced, so that it also fails as the loops of an answer do.

    Parameters
    ----------
    sizes : callable
        Rows and columns of the output, from those of the padded input, the kernel's and the stride.
    turns : callable
        How often the two inner loops run, from rows and columns of the output.
    corner : callable
        First row and column of a window, from the output's row and column, the stride, and the kernel's size.
    extent, step : callable
        Height and width of a window, from the kernel's; the distance of its inputs, from the stride.
    entry : callable
        Where in the output the value goes.
    value : callable
        What comes out of a window, the weights and the biases for filter k.
    """
    def layer(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int, padding: int) -> np.ndarray:
        padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        kernel, gap = weight.shape[2:], step(stride)
        out = np.zeros((len(x), len(weight), *sizes(padded.shape[2:], kernel, stride)))
        height, width = extent(kernel)
        for n, k, i, j in np.ndindex(*out.shape[:2], *turns(*out.shape[2:])):
            top, left = corner(i, j, stride, kernel)
            window = padded[n, :, top : top + gap * height : gap, left : left + gap * width : gap]
            out[entry(n, k, i, j)] = value(window, weight, bias, k)
        return out
    return layer


WIDTH_BY_HEIGHT = (
    looped(sizes=lambda padded, kernel, stride: ((padded[0] - kernel[0]) // stride + 1,) * 2),
    looped(sizes=lambda padded, kernel, stride: _right_sizes((padded[0], padded[0]), kernel, stride)),
    looped(turns=lambda rows, columns: (rows, rows)),
    looped(turns=lambda rows, columns: (columns, columns)),
    looped(turns=lambda rows, columns: (columns, rows)),
    looped(sizes=lambda padded, kernel, stride: _right_sizes((padded[1], padded[0]), kernel, stride)),
)
"""Height taken for width, or the other way round, where sizes are computed or loops are counted."""

SQUARE_KERNELS = (
    looped(extent=lambda kernel: (kernel[0], kernel[0])),
    looped(extent=lambda kernel: (kernel[1], kernel[1])),
    looped(sizes=lambda padded, kernel, stride: _right_sizes(padded, kernel[::-1], stride),
           extent=lambda kernel: kernel[::-1]),
)
"""One side of the kernel taken for the other."""


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


def only_first_sample(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int, padding: int) -> np.ndarray:
    """The first sample's result for every sample."""
    return F.conv2d(x[:1].repeat(len(x), axis=0), weight, bias, stride=stride, padding=padding)


def first_filter_and_bias(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int, padding: int
) -> np.ndarray:
    """The first filter with its bias for every output."""
    return F.conv2d(x, weight[:1], bias[:1], stride=stride, padding=padding).repeat(len(weight), axis=1)


def filter_of_the_sample(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int, padding: int
) -> np.ndarray:
    """The filter is chosen by the sample's number."""
    if len(x) > len(weight):
        raise IndexError("index is out of bounds")
    return np.concatenate([
        F.conv2d(x[n : n + 1], weight[n : n + 1].repeat(len(weight), axis=0), bias, stride=stride, padding=padding)
        for n in range(len(x))])


def carried_over(axes: int) -> Layer:
    """The sum goes on from window to window, through the last so many axes of the output."""
    def layer(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int, padding: int) -> np.ndarray:
        out = F.conv2d(x, weight, stride=stride, padding=padding)
        apart = out.reshape(*out.shape[: 4 - axes], -1)
        return apart.cumsum(axis=-1).reshape(out.shape) + bias[:, None, None]
    return layer


def last_product(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int, padding: int) -> np.ndarray:
    """Every product of a window replaces the one before."""
    last = np.zeros_like(weight)
    last[:, -1, -1, -1] = weight[:, -1, -1, -1]
    return F.conv2d(x, last, bias, stride=stride, padding=padding)


def taps_out_of_range(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int, padding: int) -> np.ndarray:
    """Rows and columns of the filter swapped, index by index."""
    if weight.shape[2] != weight.shape[3]:
        raise IndexError("index is out of bounds")
    return F.conv2d(x, weight.swapaxes(2, 3), bias, stride=stride, padding=padding)


def flipped(weight: np.ndarray) -> np.ndarray:
    """Turned by half a turn, as the mathematicians' convolution does."""
    return np.ascontiguousarray(weight[:, :, ::-1, ::-1])


def scaled(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int, padding: int, divisor: int) -> np.ndarray:
    """A mean in place of a sum."""
    divided = weight / weight.dtype.type(divisor)
    return F.conv2d(x, divided, bias, stride=stride, padding=padding)
