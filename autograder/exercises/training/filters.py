"""Patches of a convolution that keeps the size, right ones and wrong ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.exercises.training.common import Array
from cnncourse import functional as F

Size = tuple[int, ...]


def half(kernel_size: Size) -> tuple[int, int]:
    """The padding that keeps height and width."""
    return kernel_size[0] // 2, kernel_size[1] // 2


def product(columns: Array) -> Array:
    """The columns of `im2col` as rows of one matrix."""
    return columns.transpose(0, 2, 1).reshape(-1, columns.shape[1])


def patches(x: Array, kernel_size: Size) -> Array:
    """A row for each position of each sample."""
    return product(F.im2col(x, (kernel_size[0], kernel_size[1]), padding=half(kernel_size)))


def _apart(x: Array, kernel_size: Size) -> Array:
    """Patches with all of their axes: N, H, W, C, KH, KW."""
    samples, channels, height, width = x.shape
    return patches(x, kernel_size).reshape(samples, height, width, channels, *kernel_size)


def _ordered(x: Array, kernel_size: Size, *axes: int) -> Array:
    return _apart(x, kernel_size).transpose(axes).reshape(-1, x.shape[1] * kernel_size[0] * kernel_size[1])


def channels_last(x: Array, kernel_size: Size) -> Array:
    """The channel as the fastest index of a row."""
    return _ordered(x, kernel_size, 0, 1, 2, 4, 5, 3)


def taps_transposed(x: Array, kernel_size: Size) -> Array:
    """The kernel's columns before its rows."""
    return _ordered(x, kernel_size, 0, 1, 2, 3, 5, 4)


def positions_transposed(x: Array, kernel_size: Size) -> Array:
    """Positions counted down the columns first."""
    return _ordered(x, kernel_size, 0, 2, 1, 3, 4, 5)


def samples_last(x: Array, kernel_size: Size) -> Array:
    """All samples of a position side by side."""
    return _ordered(x, kernel_size, 1, 2, 0, 3, 4, 5)


def taps_turned(x: Array, kernel_size: Size) -> Array:
    """Each patch turned by half a turn."""
    return _apart(x, kernel_size)[..., ::-1, ::-1].reshape(-1, x.shape[1] * kernel_size[0] * kernel_size[1])


def _padded(x: Array, rows: tuple[int, int], columns: tuple[int, int], kernel_size: Size, mode: Any) -> Array:
    around = ((0, 0), (0, 0), rows, columns)
    return product(F.im2col(np.pad(x, around, mode=mode), (kernel_size[0], kernel_size[1])))


def padded_before(x: Array, kernel_size: Size) -> Array:
    """All zeros above and to the left."""
    return _padded(x, (kernel_size[0] - 1, 0), (kernel_size[1] - 1, 0), kernel_size, "constant")


def padded_after(x: Array, kernel_size: Size) -> Array:
    """All zeros below and to the right."""
    return _padded(x, (0, kernel_size[0] - 1), (0, kernel_size[1] - 1), kernel_size, "constant")


def padded_by_edges(x: Array, kernel_size: Size) -> Array:
    """The border's values go on."""
    rows, columns = half(kernel_size)
    return _padded(x, (rows, rows), (columns, columns), kernel_size, "edge")


def with_weight(x: Array, weight: Array, bias: Array) -> Array:
    """A right layer, with any filters."""
    return F.conv2d(x, np.ascontiguousarray(weight), bias, padding=half(weight.shape[2:]))


def reshaped(weight: Array) -> Array:
    """What the filters are if weight.reshape(-1, K) is taken for one filter in each column."""
    return np.ascontiguousarray(weight.reshape(-1, len(weight)).T).reshape(weight.shape)


def regrouped(out: Array) -> Array:
    """Positions times filters, reshaped to filters times positions."""
    return np.ascontiguousarray(out.transpose(0, 2, 3, 1)).reshape(out.shape)


def forward(change: Callable[..., Array]) -> Callable[..., Any]:
    """The layer's forward pass with another output."""
    def layer(x: Array, weight: Array, bias: Array) -> Any:
        return change(with_weight(x, weight, bias), x, weight, bias), patches(x, weight.shape[2:])
    return layer


def picture_of(rows: Array, grad_out: Array, weight: Array) -> Array:
    """The input, from the middle of its patches."""
    samples, _, height, width = grad_out.shape
    apart = rows.reshape(samples, height, width, *weight.shape[1:])
    top, left = half(weight.shape[2:])
    return np.ascontiguousarray(apart[..., top, left].transpose(0, 3, 1, 2))


def gradients(grad_out: Array, rows: Array, weight: Array) -> tuple[Array, Array, Array]:
    """Right gradients."""
    x = picture_of(rows, grad_out, weight)
    grad_x, grad_weight, grad_bias = F.conv2d_backward(grad_out, x, weight, padding=half(weight.shape[2:]))
    assert grad_x is not None
    return grad_x, grad_weight, grad_bias


def backward(change: Callable[..., tuple[Array, ...]]) -> Callable[..., tuple[Array, ...]]:
    """The layer's backward pass with other gradients."""
    def layer(grad_out: Array, rows: Array, weight: Array) -> tuple[Array, ...]:
        return change(gradients(grad_out, rows, weight), grad_out, rows, weight)
    return layer


def input_gradient(grad_out: Array, weight: Array) -> Array:
    """The gradient of the input for any filters, by the matrix product that students write: it fails as theirs does."""
    turned = weight[:, :, ::-1, ::-1].swapaxes(0, 1)
    flat = patches(grad_out, weight.shape[2:]) @ turned.reshape(len(turned), -1).T
    samples, _, height, width = grad_out.shape
    return flat.reshape(samples, height, width, -1).transpose(0, 3, 1, 2)


def whole_gradient(grad_out: Array, weight: Array) -> Array:
    """The gradient of the padded input."""
    turned = np.ascontiguousarray(weight[:, :, ::-1, ::-1].swapaxes(0, 1))
    return F.conv2d(grad_out, turned, padding=(weight.shape[2] - 1, weight.shape[3] - 1))


def corner(grad_out: Array, weight: Array) -> Array:
    """The gradient of the padded input, cut off below and to the right only."""
    height, width = grad_out.shape[2:]
    return whole_gradient(grad_out, weight)[:, :, :height, :width]


def overwritten(grad_out: Array, weight: Array) -> Array:
    """Each tap replaces what was there before."""
    (top, left), (height, width) = half(weight.shape[2:]), grad_out.shape[2:]
    padded = np.zeros((len(grad_out), weight.shape[1], height + 2 * top, width + 2 * left), grad_out.dtype)
    for u, v in np.ndindex(*weight.shape[2:]):
        padded[:, :, u : u + height, v : v + width] = np.einsum("nkij,kc->ncij", grad_out, weight[:, :, u, v])
    return padded[:, :, top : top + height, left : left + width]


def scrambled_backward(grad_out: Array, rows: Array, weight: Array) -> tuple[Array, ...]:
    """grad_out reshaped to rows without moving the filters' axis, for the weights and the bias."""
    samples, count, height, width = grad_out.shape
    matrix = grad_out.reshape(-1, count)
    as_seen = np.ascontiguousarray(matrix.reshape(samples, height, width, count).transpose(0, 3, 1, 2))
    return gradients(as_seen, rows, weight)


def first_sample(grad_out: Array, rows: Array, weight: Array) -> tuple[Array, ...]:
    """Weights and bias learn from the first sample alone."""
    grad_x, _, _ = gradients(grad_out, rows, weight)
    positions = grad_out.shape[2] * grad_out.shape[3]
    _, grad_weight, grad_bias = gradients(grad_out[:1], rows[:positions], weight)
    return grad_x, grad_weight, grad_bias
