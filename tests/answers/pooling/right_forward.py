"""Right answers to the exercises on what pooling computes and what it keeps."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view
from scipy import ndimage, signal


def windows_of(x, kernel_size, stride):
    return sliding_window_view(x, kernel_size, axis=(2, 3))[:, :, ::stride, ::stride]


def starts(size, kernel_size, stride):
    return range(0, size - kernel_size + 1, stride)


def padded(x, padding, value=0.0):
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)), constant_values=value)


# ---- max_pool2d_forward
def max_loops(x, kernel_size, stride):
    n, c, h, w = x.shape
    kh, kw = kernel_size
    out = np.zeros((n, c, (h - kh) // stride + 1, (w - kw) // stride + 1))
    for i, j, p, q in np.ndindex(out.shape):
        best = None
        for a, b in product(range(kh), range(kw)):
            value = x[i, j, p * stride + a, q * stride + b]
            best = value if best is None or value > best else best
        out[i, j, p, q] = best
    return out


def max_windows(x, kernel_size, stride):
    return windows_of(x, kernel_size, stride).max(axis=(4, 5))


def max_taps(x, kernel_size, stride):
    """One shifted copy of the picture for each entry of the window, compared place by place."""
    rows, columns = starts(x.shape[2], kernel_size[0], stride), starts(x.shape[3], kernel_size[1], stride)
    out = np.full((*x.shape[:2], len(rows), len(columns)), -np.inf, dtype=x.dtype)
    for a, b in np.ndindex(*kernel_size):
        np.maximum(out, x[:, :, [r + a for r in rows]][..., [q + b for q in columns]], out=out)
    return np.asfortranarray(out)


def max_along_axes(x, kernel_size, stride):
    """First along the rows, then along the columns; nested lists come out."""
    columns = [x[..., q:q + kernel_size[1]].max(axis=3) for q in starts(x.shape[3], kernel_size[1], stride)]
    x = np.stack(columns, axis=3)
    rows = [x[:, :, r:r + kernel_size[0]].max(axis=2) for r in starts(x.shape[2], kernel_size[0], stride)]
    return np.stack(rows, axis=2).tolist()


def max_scipy(x, kernel_size, stride):
    """A filter that leaves the size as it is, of which only whole windows are kept."""
    full = ndimage.maximum_filter(x, size=(1, 1, *kernel_size), mode="nearest",
                                  origin=(0, 0, -(kernel_size[0] // 2), -(kernel_size[1] // 2)))
    rows, columns = (x.shape[a + 2] - kernel_size[a] + 1 for a in (0, 1))
    return full[:, :, :rows:stride, :columns:stride]


def max_strides(x, kernel_size, stride):
    x = np.ascontiguousarray(x)
    n, c, h, w = x.shape
    rows, columns = (h - kernel_size[0]) // stride + 1, (w - kernel_size[1]) // stride + 1
    a, b, d, e = x.strides
    return as_strided(x, (n, c, rows, columns, *kernel_size), (a, b, d * stride, e * stride, d, e)).max((4, 5))


# ---- activations_kept
def kept_marked(height, width, kernel_size, stride):
    read, windows = np.zeros((height, width), bool), 0
    for top, left in product(starts(height, kernel_size[0], stride), starts(width, kernel_size[1], stride)):
        read[top:top + kernel_size[0], left:left + kernel_size[1]] = True
        windows += 1
    return windows / read.size, int((~read).sum())


def kept_formula(height, width, kernel_size, stride):
    share, read = 1.0, 1
    for size, kernel in zip((height, width), kernel_size, strict=True):
        positions = (size - kernel) // stride + 1
        share *= positions / size
        read *= positions * kernel if stride >= kernel else (positions - 1) * stride + kernel
    return [share, height * width - read]


def kept_sets(height, width, kernel_size, stride):
    rows = {r + a for r in starts(height, kernel_size[0], stride) for a in range(kernel_size[0])}
    columns = {q + b for q in starts(width, kernel_size[1], stride) for b in range(kernel_size[1])}
    outputs = len(starts(height, kernel_size[0], stride)) * len(starts(width, kernel_size[1], stride))
    return np.float64(outputs) / (height * width), np.float64(height * width - len(rows) * len(columns))


# ---- avg_pool2d_forward
def avg_loops(x, kernel_size, stride, padding, count_include_pad):
    n, c, h, w = x.shape
    rows, columns = ((size + 2 * padding - k) // stride + 1 for size, k in zip((h, w), kernel_size, strict=True))
    out = np.zeros((n, c, rows, columns), x.dtype)
    for p, q in np.ndindex(rows, columns):
        top, left = p * stride - padding, q * stride - padding
        block = x[:, :, max(top, 0):top + kernel_size[0], max(left, 0):left + kernel_size[1]]
        count = kernel_size[0] * kernel_size[1] if count_include_pad else block.shape[2] * block.shape[3]
        out[:, :, p, q] = block.sum(axis=(2, 3)) / count
    return out


def avg_windows(x, kernel_size, stride, padding, count_include_pad):
    surrounding = 0.0 if count_include_pad else np.nan
    windows = windows_of(padded(x, padding, surrounding), kernel_size, stride)
    return np.nanmean(windows, axis=(4, 5))


def avg_ones(x, kernel_size, stride, padding, count_include_pad):
    """The sum of the windows over the sum of those of a picture of ones."""
    def sums(picture):
        total = 0
        for a, b in np.ndindex(*kernel_size):
            moved = picture[:, :, a:picture.shape[2] - kernel_size[0] + a + 1]
            total = total + moved[..., b:picture.shape[3] - kernel_size[1] + b + 1][:, :, ::stride, ::stride]
        return total

    ones = padded(np.ones_like(x), padding, 1.0 if count_include_pad else 0.0)
    return np.asfortranarray(sums(padded(x, padding)) / sums(ones))


def avg_integral(x, kernel_size, stride, padding, count_include_pad):
    """Sums of windows from a table of sums over everything above and to the left."""
    def sums(picture):
        table = np.pad(picture.astype(np.float64), ((0, 0), (0, 0), (1, 0), (1, 0))).cumsum(axis=2).cumsum(axis=3)
        kh, kw = kernel_size
        whole = table[:, :, kh:, kw:] - table[:, :, :-kh, kw:] - table[:, :, kh:, :-kw] + table[:, :, :-kh, :-kw]
        return whole[:, :, ::stride, ::stride]

    count = math.prod(kernel_size) if count_include_pad else sums(padded(np.ones_like(x), padding))
    return (sums(padded(x, padding)) / count).tolist()


# ---- l2_pool2d_forward
def l2_loops(x, kernel_size, stride):
    rows, columns = starts(x.shape[2], kernel_size[0], stride), starts(x.shape[3], kernel_size[1], stride)
    return [[[[math.sqrt(sum(float(value) ** 2 for value in plane[r:r + kernel_size[0], q:q + kernel_size[1]].flat))
               for q in columns] for r in rows] for plane in sample] for sample in x]


def l2_windows(x, kernel_size, stride):
    return np.sqrt(np.square(windows_of(x, kernel_size, stride)).sum(axis=(-1, -2)))


def l2_norm(x, kernel_size, stride):
    return np.linalg.norm(windows_of(x, kernel_size, stride), axis=(4, 5))


def l2_average(x, kernel_size, stride):
    return np.sqrt(avg_loops(x * x, kernel_size, stride, 0, True) * (kernel_size[0] * kernel_size[1]))


def l2_correlated(x, kernel_size, stride):
    sums = np.array([[signal.correlate2d(plane * plane, np.ones(kernel_size), mode="valid") for plane in sample]
                     for sample in x])
    return np.sqrt(np.maximum(sums, 0))[:, :, ::stride, ::stride]


# ---- max_pool2d_with_indices
def indexed_loops(x, kernel_size, stride, padding):
    n, c, h, w = x.shape
    rows, columns = ((size + 2 * padding - k) // stride + 1 for size, k in zip((h, w), kernel_size, strict=True))
    out, indices = np.zeros((n, c, rows, columns)), np.zeros((n, c, rows, columns), int)
    for i, j, p, q in np.ndindex(out.shape):
        best = -np.inf
        for a, b in np.ndindex(*kernel_size):
            row, column = p * stride + a - padding, q * stride + b - padding
            if 0 <= row < h and 0 <= column < w and x[i, j, row, column] > best:
                best = x[i, j, row, column]
                indices[i, j, p, q] = row * w + column
        out[i, j, p, q] = best
    return out, indices


def indexed_windows(x, kernel_size, stride, padding):
    windows = windows_of(padded(x, padding, -np.inf), kernel_size, stride)
    flat = windows.reshape(*windows.shape[:4], -1)
    row, column = np.unravel_index(flat.argmax(axis=-1), kernel_size)
    row += (np.arange(flat.shape[2]) * stride - padding)[:, None]
    column += np.arange(flat.shape[3]) * stride - padding
    return flat.max(axis=-1), np.ravel_multi_index((row, column), x.shape[2:])


def indexed_last(x, kernel_size, stride, padding):
    """The numbers of the plane are cut into windows like the plane itself; the last of tied maxima is named."""
    numbers = np.arange(x.shape[2] * x.shape[3]).reshape(1, 1, *x.shape[2:])
    number = windows_of(padded(numbers, padding, -1), kernel_size, stride).reshape(-1, math.prod(kernel_size))
    windows = windows_of(padded(x, padding, -np.inf), kernel_size, stride)
    flat = windows.reshape(*windows.shape[:4], -1)
    last = flat.shape[-1] - 1 - flat[..., ::-1].argmax(axis=-1)
    indices = np.take_along_axis(np.broadcast_to(number.reshape(1, 1, *flat.shape[2:]), flat.shape), last[..., None],
                                 axis=-1)[..., 0]
    values = np.take_along_axis(x.reshape(*x.shape[:2], -1), indices.reshape(*x.shape[:2], -1), axis=2)
    return [values.reshape(indices.shape), indices.astype(float)]


def indexed_by_chance(x, kernel_size, stride, padding):
    """Any one of tied maxima."""
    chance = np.random.default_rng(0)
    out, indices = indexed_loops(x, kernel_size, stride, padding)
    for i, j, p, q in np.ndindex(out.shape):
        top, left = max(p * stride - padding, 0), max(q * stride - padding, 0)
        block = x[i, j, top:p * stride - padding + kernel_size[0], left:q * stride - padding + kernel_size[1]]
        row, column = chance.choice(np.argwhere(block == block.max()))
        indices[i, j, p, q] = (top + row) * x.shape[3] + left + column
    return np.asfortranarray(out), np.asfortranarray(indices)
