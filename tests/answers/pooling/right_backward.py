"""Right answers to the exercises on gradients of pooling."""

from __future__ import annotations

import math

import numpy as np

from tests.answers.pooling.right_forward import indexed_last, l2_windows, max_windows


# ---- max_pool2d_backward_by_indices
def scattered_loops(grad_out, indices, input_size):
    out = np.zeros((*grad_out.shape[:2], *input_size))
    for n, c, i, j in np.ndindex(grad_out.shape):
        row, column = divmod(indices[n, c, i, j], input_size[1])
        out[n, c, row, column] += grad_out[n, c, i, j]
    return out


def scattered_at(grad_out, indices, input_size):
    n, c = grad_out.shape[:2]
    out = np.zeros((n * c, math.prod(input_size)), grad_out.dtype)
    np.add.at(out, (np.arange(n * c)[:, None], indices.reshape(n * c, -1)), grad_out.reshape(n * c, -1))
    return out.reshape(n, c, *input_size)


def scattered_counted(grad_out, indices, input_size):
    size = math.prod(input_size)
    return [[np.bincount(i.ravel(), g.ravel(), minlength=size).reshape(input_size) for i, g in zip(a, b, strict=True)]
            for a, b in zip(indices, grad_out, strict=True)]


def scattered_product(grad_out, indices, input_size):
    """A matrix with a 1 for each window at its place."""
    hits = indices.reshape(*indices.shape[:2], 1, -1) == np.arange(math.prod(input_size))[:, None]
    return (hits @ grad_out.reshape(*grad_out.shape[:2], -1, 1)).reshape(*grad_out.shape[:2], *input_size)


# ---- max_pool2d_backward
def routed(share):
    """By loops; `share` says how a window's mask of maxima becomes shares."""
    def backward(grad_out, x, kernel_size, stride):
        grad_x = np.zeros(x.shape)
        for n, c, i, j in np.ndindex(grad_out.shape):
            at = (n, c, slice(i * stride, i * stride + kernel_size[0]), slice(j * stride, j * stride + kernel_size[1]))
            grad_x[at] += share(x[at] == x[at].max()) * grad_out[n, c, i, j]
        return grad_x
    return backward


def last_of(mask):
    shares = np.zeros(mask.shape)
    shares[tuple(np.argwhere(mask)[-1])] = 1
    return shares


def by_chance():
    chance = np.random.default_rng(1)

    def shares(mask):
        drawn = mask * chance.uniform(0, 1, mask.shape) ** 4
        return drawn / drawn.sum()
    return shares


def routed_first(grad_out, x, kernel_size, stride):
    grad_x = np.zeros_like(x)
    for n, c, i, j in np.ndindex(grad_out.shape):
        window = x[n, c, i * stride:i * stride + kernel_size[0], j * stride:j * stride + kernel_size[1]]
        a, b = np.unravel_index(np.argmax(window), window.shape)
        grad_x[n, c, i * stride + a, j * stride + b] += grad_out[n, c, i, j]
    return grad_x


def routed_evenly(grad_out, x, kernel_size, stride):
    """Vectorized over samples and channels; ties share evenly."""
    grad_x = np.zeros_like(x, order="F")
    for i, j in np.ndindex(grad_out.shape[2:]):
        at = (..., slice(i * stride, i * stride + kernel_size[0]), slice(j * stride, j * stride + kernel_size[1]))
        mask = x[at] == x[at].max(axis=(2, 3), keepdims=True)
        grad_x[at] += mask / mask.sum(axis=(2, 3), keepdims=True) * grad_out[:, :, i:i + 1, j:j + 1]
    return grad_x


def routed_taps(grad_out, x, kernel_size, stride):
    """Entry by entry of the window: whoever is as large as the maximum takes what is not yet taken."""
    maxima, left, grad_x = max_windows(x, kernel_size, stride), grad_out.copy(), np.zeros_like(x)
    rows, columns = grad_out.shape[2:]
    for a, b in np.ndindex(*kernel_size):
        at = (..., slice(a, a + (rows - 1) * stride + 1, stride), slice(b, b + (columns - 1) * stride + 1, stride))
        taken = np.where(x[at] == maxima, left, 0)
        left = left - taken
        grad_x[at] += taken
    return grad_x.tolist()


def routed_indices(grad_out, x, kernel_size, stride):
    return scattered_at(np.ascontiguousarray(grad_out), indexed_last(x, kernel_size, stride, 0)[1].astype(int),
                        x.shape[2:])


# ---- avg_pool2d_backward
def shared_loops(grad_out, input_size, kernel_size, stride, padding, count_include_pad):
    h, w = input_size
    out = np.zeros((*grad_out.shape[:2], h, w))
    for i, j in np.ndindex(grad_out.shape[2:]):
        top, left = i * stride - padding, j * stride - padding
        bottom, right = min(top + kernel_size[0], h), min(left + kernel_size[1], w)
        top_in, left_in = max(top, 0), max(left, 0)
        count = math.prod(kernel_size) if count_include_pad else (bottom - top_in) * (right - left_in)
        out[:, :, top_in:bottom, left_in:right] += grad_out[:, :, i, j, None, None] / count
    return out


def shared_padded(grad_out, input_size, kernel_size, stride, padding, count_include_pad):
    h, w = input_size
    inside = np.zeros((h + 2 * padding, w + 2 * padding), grad_out.dtype)
    inside[padding:padding + h, padding:padding + w] = 1
    if count_include_pad:
        inside[:] = 1
    out = np.zeros((*grad_out.shape[:2], *inside.shape), grad_out.dtype)
    for n, c, i, j in np.ndindex(grad_out.shape):
        at = (slice(i * stride, i * stride + kernel_size[0]), slice(j * stride, j * stride + kernel_size[1]))
        out[n, c][at] += grad_out[n, c, i, j] / inside[at].sum()
    return out[:, :, padding:padding + h, padding:padding + w]


def shared_matrices(grad_out, input_size, kernel_size, stride, padding, count_include_pad):
    """A window is a product of an interval of rows and one of columns, so two matrices do everything."""
    sides = []
    for size, kernel, outputs in zip(input_size, kernel_size, grad_out.shape[2:], strict=True):
        start = np.arange(outputs)[:, None] * stride - padding
        entries = np.arange(size)
        held = ((entries >= start) & (entries < start + kernel)).astype(grad_out.dtype)
        sides.append(held / (kernel if count_include_pad else held.sum(axis=1, keepdims=True)))
    return (sides[0].T @ grad_out @ sides[1]).tolist()


# ---- l2_pool2d_backward
def normed_loops(grad_out, x, kernel_size, stride):
    grad_x = np.zeros(x.shape)
    for n, c, i, j in np.ndindex(grad_out.shape):
        at = (n, c, slice(i * stride, i * stride + kernel_size[0]), slice(j * stride, j * stride + kernel_size[1]))
        norm = np.sqrt(np.sum(x[at] ** 2))
        if norm > 0:
            grad_x[at] += grad_out[n, c, i, j] * x[at] / norm
    return grad_x


def normed_epsilon(grad_out, x, kernel_size, stride):
    """A number too small to be seen keeps zero from being divided by."""
    grad_x = np.zeros_like(x)
    out = l2_windows(x, kernel_size, stride) + x.dtype.type(1e-12)
    for i, j in np.ndindex(grad_out.shape[2:]):
        at = (..., slice(i * stride, i * stride + kernel_size[0]), slice(j * stride, j * stride + kernel_size[1]))
        grad_x[at] += x[at] * (grad_out / out)[:, :, i:i + 1, j:j + 1]
    return grad_x


def normed_summed(grad_out, x, kernel_size, stride):
    """x comes out of the sum: what remains is an average pooling's backward pass."""
    out = l2_windows(x, kernel_size, stride)
    ratio = np.divide(grad_out, out, out=np.zeros_like(out), where=out != 0)
    spread = shared_padded(ratio, x.shape[2:], kernel_size, stride, 0, True) * math.prod(kernel_size)
    return np.asfortranarray(x * spread)
