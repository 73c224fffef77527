"""Wrong gradients of a convolution: each does one thing that students really do.

All take (grad_out, x, weight, stride, padding) and return (grad_x, grad_weight, grad_bias).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from cnncourse import functional as F

Array = np.ndarray
Gradients = tuple[Any, ...]
Backward = Callable[..., Gradients]
Change = Callable[..., Any]

BROADCAST = "operands could not be broadcast together"


def right(grad_out: Array, x: Array, weight: Array, stride: int, padding: int) -> Gradients:
    """The gradients as they are."""
    return F.conv2d_backward(grad_out, x, weight, stride=stride, padding=padding)


def changed(x: Change | None = None, weight: Change | None = None, bias: Change | None = None) -> Backward:
    """Right gradients of which some are changed afterwards: change(gradient, number of samples, of positions)."""
    def backward(grad_out: Array, *rest: Any) -> Gradients:
        counts = len(grad_out), grad_out.shape[2] * grad_out.shape[3]
        return tuple(gradient if change is None else change(gradient, *counts)
                     for gradient, change in zip(right(grad_out, *rest), (x, weight, bias), strict=True))
    return backward


def partly(wrong: Backward, *parts: int) -> Backward:
    """The named parts (0: input, 1: weights, 2: bias) from a wrong implementation, the others right."""
    def backward(*arguments: Any) -> Gradients:
        ours, theirs = right(*arguments), wrong(*arguments)
        return tuple(theirs[part] if part in parts else ours[part] for part in range(3))
    return backward


def from_other(grad_out: Change | None = None, x: Change | None = None, weight: Change | None = None) -> Backward:
    """Right gradients for arguments that were changed before."""
    def backward(g: Array, a: Array, w: Array, stride: int, padding: int) -> Gradients:
        g, a, w = (value if change is None else change(value)
                   for value, change in zip((g, a, w), (grad_out, x, weight), strict=True))
        return right(g, a, w, stride, padding)
    return backward


def bias_summed(*axes: int) -> Backward:
    """The gradient of the bias summed over certain axes of grad_out."""
    def backward(grad_out: Array, *rest: Any) -> Gradients:
        return (*right(grad_out, *rest)[:2], grad_out.sum(axis=axes))
    return backward


def padded(x: Array, padding: int) -> Array:
    """Zeros on all four sides."""
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))


def before_cropping(grad_out: Array, x: Array, weight: Array, stride: int, padding: int) -> Array:
    """The gradient of the padded input."""
    return right(grad_out, padded(x, padding), weight, stride, 0)[0]


def cropped(crop: Callable[[Array, int, tuple[int, int]], Array]) -> Backward:
    """The gradient of the padded input cropped in some way, given the padding and the size of x."""
    def backward(grad_out: Array, x: Array, weight: Array, stride: int, padding: int) -> Gradients:
        whole = before_cropping(grad_out, x, weight, stride, padding)
        grad_x = crop(whole, padding, x.shape[2:])  # type: ignore[arg-type]
        return (grad_x, *right(grad_out, x, weight, stride, padding)[1:])
    return backward


def by_loops(
    into_x: str = "add", into_weight: str = "add", into_bias: str = "add", step: Callable[[int], int] | None = None
) -> Backward:
    """Four loops in which each gradient is added to ("add"), or replaced ("set"), or windows are replaced by sums over
    the filters ("windows")."""
    def backward(grad_out: Array, x: Array, weight: Array, stride: int, padding: int) -> Gradients:
        inputs, (rows, columns) = padded(x, padding), weight.shape[2:]
        grad_x, grad_weight = np.zeros_like(inputs), np.zeros(weight.shape, weight.dtype)
        grad_bias = np.zeros(len(weight), grad_out.dtype)
        for n, i, j in product(range(len(x)), *map(range, grad_out.shape[2:])):
            down, right_ = i * stride, j * stride
            window = (n, slice(None), slice(down, down + rows), slice(right_, right_ + columns))
            if into_x == "windows":
                grad_x[window] = np.tensordot(grad_out[n, :, i, j], weight, 1)
            for k, upstream in enumerate(grad_out[n, :, i, j]):
                if into_x != "windows":
                    grad_x[window] = upstream * weight[k] + (grad_x[window] if into_x == "add" else 0)
                grad_weight[k] = upstream * inputs[window] + (grad_weight[k] if into_weight == "add" else 0)
                grad_bias[k] = upstream + (grad_bias[k] if into_bias == "add" else 0)
        height, width = x.shape[2:]
        return grad_x[:, :, padding : padding + height, padding : padding + width], grad_weight, grad_bias
    return backward


def stride_missing(grad_out: Array, x: Array, weight: Array, stride: int, padding: int) -> Gradients:
    """Windows one input apart: position i in place of i * stride."""
    reach = [grad_out.shape[axis] + weight.shape[axis] - 1 for axis in (2, 3)]
    whole = padded(x, padding)
    grad_seen, *rest = right(grad_out, whole[:, :, : reach[0], : reach[1]], weight, 1, 0)
    grad_whole = np.zeros_like(whole)
    grad_whole[:, :, : reach[0], : reach[1]] = grad_seen
    height, width = x.shape[2:]
    return (grad_whole[:, :, padding : padding + height, padding : padding + width], *rest)


def input_not_padded(grad_out: Array, x: Array, weight: Array, stride: int, padding: int) -> Gradients:
    """Windows of the bare input: where they reach beyond it they are too small, and mostly no error can be avoided."""
    grad_x, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    grad_weight, (rows, columns) = np.zeros_like(grad_weight), weight.shape[2:]
    for n, k, i, j in np.ndindex(grad_out.shape):
        down, across = i * stride, j * stride
        grad_weight[k] += grad_out[n, k, i, j] * x[n, :, down : down + rows, across : across + columns]
    return grad_x, grad_weight, grad_bias


def gradient_not_padded(grad_out: Array, x: Array, weight: Array, stride: int, padding: int) -> Gradients:
    """The windows of the padded input, in a gradient that has no room for the padding."""
    grad_x, *rest = right(grad_out, x, weight, stride, padding)
    grad_x, (rows, columns) = np.zeros_like(grad_x), weight.shape[2:]
    for n, k, i, j in np.ndindex(grad_out.shape):
        down, across = i * stride, j * stride
        grad_x[n, :, down : down + rows, across : across + columns] += grad_out[n, k, i, j] * weight[k]
    return (grad_x, *rest)


def padded_after(grad_out: Array, x: Array, weight: Array, stride: int, padding: int) -> Gradients:
    """All zeros below and to the right."""
    lopsided = np.pad(x, ((0, 0), (0, 0), (0, 2 * padding), (0, 2 * padding)))
    return right(grad_out, lopsided, weight, stride, 0)


def exchanged(grad_out: Array, x: Array, weight: Array, stride: int, padding: int) -> Gradients:
    """The gradient of each factor is taken to be that factor itself."""
    inputs, (rows, columns) = padded(x, padding), weight.shape[2:]
    grad_x = np.zeros_like(inputs)
    for n, k, i, j in np.ndindex(grad_out.shape):
        window = (n, slice(None), slice(i * stride, i * stride + rows), slice(j * stride, j * stride + columns))
        grad_x[window] += grad_out[n, k, i, j] * inputs[window]
    upstream = grad_out.sum(axis=(0, 2, 3))
    height, width = x.shape[2:]
    return (grad_x[:, :, padding : padding + height, padding : padding + width],
            upstream[:, None, None, None] * weight, upstream)


def leftovers_dropped(grad_out: Array, x: Array, weight: Array, stride: int, padding: int) -> Gradients:
    """The size of the input is computed back from that of the output."""
    height, width = ((grad_out.shape[axis] - 1) * stride + weight.shape[axis] - 2 * padding for axis in (2, 3))
    grad_x, *rest = right(grad_out, x, weight, stride, padding)
    return (grad_x[:, :, :height, :width], *rest)


def square_outputs(grad_out: Array, x: Array, weight: Array, stride: int, padding: int) -> Gradients:
    """As many columns as rows are visited."""
    rows, columns = grad_out.shape[2:]
    if rows > columns:
        raise IndexError("index is out of bounds")
    visited = grad_out.copy()
    visited[..., rows:] = 0
    return right(visited, x, weight, stride, padding)


def square_inputs(grad_out: Array, x: Array, weight: Array, stride: int, padding: int) -> Gradients:
    """The gradient of the input has as many columns as rows."""
    height, width = x.shape[2:]
    if height < width:
        raise ValueError(BROADCAST)
    grad_x, *rest = right(grad_out, x, weight, stride, padding)
    return (np.pad(grad_x, ((0, 0), (0, 0), (0, 0), (0, height - width))), *rest)


def square_kernels(grad_out: Array, x: Array, weight: Array, stride: int, padding: int) -> Gradients:
    """The kernel's width is taken to be its height."""
    if weight.shape[2] != weight.shape[3]:
        raise ValueError(BROADCAST)
    return right(grad_out, x, weight, stride, padding)


def only(axis: int, index: int) -> Change:
    """Everything along an axis set to zero, except one."""
    def change(gradient: Array, *_: Any) -> Array:
        kept = np.zeros_like(gradient)
        where: tuple[Any, ...] = (*[slice(None)] * axis, index)
        kept[where] = gradient[where]
        return kept
    return change


def flipped(weight: Array, *_: Any) -> Array:
    """Turned by half a turn."""
    return np.ascontiguousarray(weight[:, :, ::-1, ::-1])


def first_everywhere(axis: int) -> Change:
    """What stands first along an axis, at all places of this axis."""
    def change(array: Array) -> Array:
        return np.repeat(array.take([0], axis), array.shape[axis], axis)
    return change


def all_in_the_first(gradient: Array, *_: Any) -> Array:
    """The sum over the first axis in its first entry, zeros in the others."""
    out = np.zeros_like(gradient)
    out[0] = gradient.sum(axis=0)
    return out
