"""Backward passes of max pooling that go wrong: each does one thing that students really do.

All are called like `max_pool2d_backward`: (grad_out, x, kernel_size, stride).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.exercises.pooling.common import Pair, folded, places, unfolded
from cnncourse import functional as F

Backward = Callable[[np.ndarray, np.ndarray, Pair, int], np.ndarray]


def send(
    shares: Callable[[np.ndarray, Pair, int], np.ndarray], *, step: Callable[[Pair, int], Any] = lambda k, s: s,
    overwrite: bool = False,
) -> Backward:
    """Each window sends its gradient times its `shares`; its windows lie `step` apart, clear of the border or not."""
    def backward(grad_out: np.ndarray, x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
        rows, columns = grad_out.shape[2:]
        steps = step(kernel_size, stride)
        sent = shares(x, kernel_size, steps)[:, :, :rows, :columns] * grad_out[..., None]
        return folded(sent, places(x.shape[3], (rows, columns), kernel_size, steps), x.shape[2:], overwrite=overwrite)
    return backward


def every_maximum(x: np.ndarray, kernel_size: Pair, stride: Any) -> np.ndarray:
    windows = unfolded(x, kernel_size, stride)
    return (windows == windows.max(axis=-1, keepdims=True)).astype(x.dtype)


def unless_tied(x: np.ndarray, kernel_size: Pair, stride: Any) -> np.ndarray:
    tied = every_maximum(x, kernel_size, stride)
    return tied * (tied.sum(axis=-1, keepdims=True) == 1)


def row_and_column_apart(x: np.ndarray, kernel_size: Pair, stride: Any, *, last: bool = False) -> np.ndarray:
    """A row that holds a maximum and a column that holds one, which may belong to different maxima."""
    windows = unfolded(x, kernel_size, stride)
    blocks = windows.reshape(*windows.shape[:4], *kernel_size)
    row, column = blocks.max(axis=5).argmax(axis=-1), blocks.max(axis=4).argmax(axis=-1)
    if last:  # rows[0] and columns[-1] of np.where
        column = (windows.shape[-1] - 1 - windows[..., ::-1].argmax(axis=-1)) % kernel_size[1]
    return (np.arange(windows.shape[-1]) == (row * kernel_size[1] + column)[..., None]).astype(x.dtype)


def overwriting_maxima(grad_out: np.ndarray, x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
    """grad_x[maximum] = gradient: later windows erase what earlier ones have sent to the same maximum."""
    _, indices = F.max_pool2d(x, kernel_size, stride, return_indices=True)
    return folded(grad_out, indices, x.shape[2:], overwrite=True)


def overwriting_ties(grad_out: np.ndarray, x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
    """The same, with every tied entry of a window overwritten."""
    out = np.zeros_like(x)
    maxima = F.max_pool2d(x, kernel_size, stride)
    for i, j in np.ndindex(grad_out.shape[2:]):
        at = (..., slice(i * stride, i * stride + kernel_size[0]), slice(j * stride, j * stride + kernel_size[1]))
        tied = x[at] == maxima[:, :, i:i + 1, j:j + 1]
        out[at] = np.where(tied, grad_out[:, :, i:i + 1, j:j + 1], out[at])
    return out


def anywhere_in_the_plane(grad_out: np.ndarray, x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
    """Every entry of the plane that equals a window's maximum gets the window's gradient."""
    maxima = F.max_pool2d(x, kernel_size, stride)
    out = np.zeros_like(x)
    for i, j in np.ndindex(grad_out.shape[2:]):
        out += (x == maxima[:, :, i:i + 1, j:j + 1]) * grad_out[:, :, i:i + 1, j:j + 1]
    return out


def first_in_the_plane(grad_out: np.ndarray, x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
    """The first entry of the plane that equals a window's maximum gets the window's gradient."""
    maxima = F.max_pool2d(x, kernel_size, stride)
    flat = x.reshape(*x.shape[:2], 1, 1, -1)
    return folded(grad_out, (flat == maxima[..., None]).argmax(axis=-1), x.shape[2:])


def entry_as_place(grad_out: np.ndarray, x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
    return folded(grad_out, unfolded(x, kernel_size, stride).argmax(axis=-1), x.shape[2:])


def taken_apart_by_height(grad_out: np.ndarray, x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
    row, column = np.divmod(unfolded(x, kernel_size, stride).argmax(axis=-1), kernel_size[0])
    rows, columns = grad_out.shape[2:]
    row, column = row + np.arange(rows)[:, None] * stride, column + np.arange(columns) * stride
    if row.max() >= x.shape[2] or column.max() >= x.shape[3]:
        raise IndexError("index is out of bounds")
    return folded(grad_out, row * x.shape[3] + column, x.shape[2:])


def cut(block: Callable[[Pair, int], tuple[Pair, Pair]]) -> Backward:
    """Windows of another size and step, from the kernel's; cut off at the border, where nothing may be left of them."""
    def backward(grad_out: np.ndarray, x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
        out = np.zeros_like(x).reshape(-1, *x.shape[2:])
        planes = x.reshape(out.shape)
        (height, width), (down, across) = block(kernel_size, stride)
        for i, j in np.ndindex(grad_out.shape[2:]):
            at = slice(i * down, i * down + height), slice(j * across, j * across + width)
            windows = planes[:, *at]
            if not windows[0].size:
                raise ValueError("attempt to get argmax of an empty sequence")
            first = windows.reshape(len(planes), -1).argmax(axis=1)
            rows, columns = np.divmod(first, windows.shape[2])
            out[:, *at][np.arange(len(planes)), rows, columns] += grad_out[:, :, i, j].ravel()
        return out.reshape(x.shape)
    return backward


def tiled(grad_out: np.ndarray, x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
    """Outputs and gradients enlarged to the size of the input and compared with it, as if windows were tiles."""
    tile = np.ones(kernel_size)
    return (x == np.kron(F.max_pool2d(x, kernel_size, stride), tile)) * np.kron(grad_out, tile)


def one_for_all_channels(grad_out: np.ndarray, x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
    """The largest input of all channels gets a gradient; the other channels get none."""
    largest = F.max_pool2d(x, kernel_size, stride)
    largest = largest == largest.max(axis=1, keepdims=True)
    return F.max_pool2d_backward(grad_out * largest, x, kernel_size, stride)


def one_for_all_planes(grad_out: np.ndarray, x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
    """Of all samples and channels, only those that hold the largest entry of all get a gradient."""
    largest = F.max_pool2d(x, kernel_size, stride)
    largest = largest == largest.max(axis=(0, 1), keepdims=True)
    return F.max_pool2d_backward(grad_out * largest, x, kernel_size, stride)


def averaged(grad_out: np.ndarray, x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
    count = F.max_pool2d_backward(np.ones_like(grad_out), x, kernel_size, stride)
    return F.max_pool2d_backward(grad_out, x, kernel_size, stride) / np.maximum(count, 1)


def square_output(grad_out: np.ndarray, x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
    """As many columns of windows as there are rows of them."""
    side, width = grad_out.shape[2:]
    if side > width:
        raise IndexError("index is out of bounds")
    kept = np.zeros_like(grad_out)
    kept[..., :side] = grad_out[..., :side]
    return F.max_pool2d_backward(kept, x, kernel_size, stride)


def started_at_zero(grad_out: np.ndarray, x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
    return F.max_pool2d_backward(grad_out * (F.max_pool2d(x, kernel_size, stride) > 0), x, kernel_size, stride)


def value_routed(grad_out: np.ndarray, x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
    maxima = F.max_pool2d(x, kernel_size, stride)
    return F.max_pool2d_backward(grad_out * maxima, x, kernel_size, stride)
