"""Right answers to every exercise, each by another way of thinking; none of them calls the reference.

`RIGHT[exercise]` is a list of tuples of functions, one for each answer of the exercise.
"""

from __future__ import annotations

import math
from itertools import product

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view
from scipy import signal


# ---- output_size
def size_floor(input_size, kernel_size, stride, padding):
    return (input_size + 2 * padding - kernel_size) // stride + 1


def size_counted(input_size, kernel_size, stride, padding):
    return len(range(-padding, input_size + padding - kernel_size + 1, stride))


def size_numpy_float(input_size, kernel_size, stride, padding):
    return np.floor((input_size - kernel_size + 2 * padding) / stride) + 1


def size_refusing(input_size, kernel_size, stride, padding):
    steps, rest = divmod(input_size - kernel_size + 2 * padding, stride)
    if rest:
        raise ValueError("does not fit")
    return steps + 1


def size_asserting(input_size, kernel_size, stride, padding):
    assert (input_size - kernel_size + 2 * padding) % stride == 0
    return np.int64((input_size - kernel_size + 2 * padding) / stride + 1)


def size_recursive(input_size, kernel_size, stride, padding):
    def positions(left):
        return 1 + positions(left - stride) if left >= stride else 1

    return positions(input_size + 2 * padding - kernel_size)


def size_refusing_in_one_line(input_size, kernel_size, stride, padding):
    size = (input_size + 2 * padding - kernel_size) / stride + 1
    if not size.is_integer(): raise ValueError(f"{size} is not whole")  # noqa: E701
    return np.array(size)


# ---- receptive_field_slice
def field_slices(x, row, column, kernel_size, stride):
    height, width = kernel_size
    return x[:, row * stride:row * stride + height, column * stride:column * stride + width]


def field_windows(x, row, column, kernel_size, stride):
    return sliding_window_view(x, kernel_size, axis=(1, 2))[:, row * stride, column * stride]


def field_loops(x, row, column, kernel_size, stride):
    return [[[x[c, row * stride + i, column * stride + j] for j in range(kernel_size[1])]
             for i in range(kernel_size[0])] for c in range(x.shape[0])]


def field_rolled(x, row, column, kernel_size, stride):
    moved = np.roll(x, (-row * stride, -column * stride), axis=(1, 2))
    return np.asfortranarray(moved[:, :kernel_size[0], :kernel_size[1]])


# ---- zero_pad
def pad_numpy(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))


def pad_write(x, padding):
    n, c, h, w = x.shape
    out = np.zeros((n, c, h + 2 * padding, w + 2 * padding), order="F")
    out[:, :, padding:padding + h, padding:padding + w] = x
    return out


def pad_concatenate(x, padding):
    for axis in (2, 3):
        shape = list(x.shape)
        shape[axis] = padding
        x = np.concatenate([np.zeros(shape, x.dtype), x, np.zeros(shape, x.dtype)], axis=axis)
    return x.tolist()


def pad_product(x, padding):
    above, beside = (np.eye(n + 2 * padding, n, -padding, dtype=x.dtype) for n in x.shape[2:])
    return above @ x @ beside.T


# ---- conv2d_forward
def conv_loops(x, weight, bias, stride, padding):
    n, c, h, w = x.shape
    k, _, r, s = weight.shape
    padded = pad_write(x, padding)
    rows, columns = (h + 2 * padding - r) // stride + 1, (w + 2 * padding - s) // stride + 1
    out = np.zeros((n, k, rows, columns))
    for i, j, p, q in product(range(n), range(k), range(rows), range(columns)):
        total = bias[j]
        for a, b, d in product(range(c), range(r), range(s)):
            total += padded[i, a, p * stride + b, q * stride + d] * weight[j, a, b, d]
        out[i, j, p, q] = total
    return out


def conv_windows(x, weight, bias, stride, padding):
    windows = sliding_window_view(pad_numpy(x, padding), weight.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.tensordot(windows, weight, axes=((1, 4, 5), (1, 2, 3))).transpose(0, 3, 1, 2) + bias[:, None, None]


def conv_taps(x, weight, bias, stride, padding):
    padded = pad_numpy(x, padding)
    r, s = weight.shape[2:]
    rows, columns = (padded.shape[2] - r) // stride + 1, (padded.shape[3] - s) // stride + 1
    out = np.tile(bias.reshape(1, -1, 1, 1), (len(x), 1, rows, columns)).astype(x.dtype)
    for i, j in product(range(r), range(s)):
        seen = padded[:, :, i:i + (rows - 1) * stride + 1:stride, j:j + (columns - 1) * stride + 1:stride]
        out = out + np.einsum("nchw,kc->nkhw", seen, weight[:, :, i, j])
    return out


def conv_scipy(x, weight, bias, stride, padding):
    padded = pad_numpy(x, padding)
    full = [[sum(signal.correlate2d(sample[c], filter_[c], mode="valid") for c in range(len(sample))) + b
             for filter_, b in zip(weight, bias, strict=True)] for sample in padded]
    return np.array(full)[:, :, ::stride, ::stride]


def conv_fourier(x, weight, bias, stride, padding):
    assert (x.shape[2] + 2 * padding - weight.shape[2]) % stride == 0
    assert (x.shape[3] + 2 * padding - weight.shape[3]) % stride == 0
    padded = pad_numpy(x, padding).astype(np.float64)
    size = padded.shape[2:]
    product_ = np.fft.rfft2(padded)[:, None] * np.conj(np.fft.rfft2(weight.astype(np.float64), size))[None]
    full = np.fft.irfft2(product_.sum(axis=2), size)
    rows, columns = (size[a] - weight.shape[2 + a] + 1 for a in (0, 1))
    return np.asfortranarray(full[:, :, :rows:stride, :columns:stride] + bias[:, None, None])


def conv_bounds(x, weight, bias, stride, padding):
    """Without a padded copy: what lies outside is skipped."""
    (n, _, h, w), (k, _, r, s) = x.shape, weight.shape
    rows, columns = (h + 2 * padding - r) // stride + 1, (w + 2 * padding - s) // stride + 1
    out = [[[[float(b)] * columns for _ in range(rows)] for b in bias] for _ in range(n)]
    for i, j, p, q, u, v in product(range(n), range(k), range(rows), range(columns), range(r), range(s)):
        y, z = p * stride + u - padding, q * stride + v - padding
        if 0 <= y < h and 0 <= z < w:
            out[i][j][p][q] += float(x[i, :, y, z] @ weight[j, :, u, v])
    return out


def conv_scattered(x, weight, bias, stride, padding):
    """Each input gives to all outputs that see it."""
    (n, _, h, w), (k, _, r, s) = x.shape, weight.shape
    rows, columns = (h + 2 * padding - r) // stride + 1, (w + 2 * padding - s) // stride + 1
    out = np.empty((n, k, rows, columns), order="F")
    out[...] = bias[:, None, None]
    for y, z, u, v in product(range(h), range(w), range(r), range(s)):
        (p, down), (q, across) = divmod(y + padding - u, stride), divmod(z + padding - v, stride)
        if down == across == 0 and 0 <= p < rows and 0 <= q < columns:
            out[:, :, p, q] += x[:, :, y, z] @ weight[:, :, u, v].T
    return out


def conv_one_matrix(x, weight, bias, stride, padding):
    """The layer as one large matrix that is mostly zero."""
    padded, (k, c, r, s) = pad_numpy(x, padding), weight.shape
    h, w = padded.shape[2:]
    rows, columns = (h - r) // stride + 1, (w - s) // stride + 1
    matrix = np.zeros((k, rows, columns, c, h, w))
    for p, q in product(range(rows), range(columns)):
        matrix[:, p, q, :, p * stride:p * stride + r, q * stride:q * stride + s] = weight
    out = padded.reshape(len(x), -1) @ matrix.reshape(k * rows * columns, -1).T
    return out.reshape(len(x), k, rows, columns) + bias.reshape(1, k, 1, 1)


# ---- conv2d_matmul
def columns_loops(x, kernel_size, stride, padding):
    padded = pad_write(x, padding)
    rows = size_floor(x.shape[2], kernel_size[0], stride, padding)
    columns = size_floor(x.shape[3], kernel_size[1], stride, padding)
    out = np.empty((len(x), x.shape[1] * kernel_size[0] * kernel_size[1], rows * columns))
    for p, q in product(range(rows), range(columns)):
        block = padded[:, :, p * stride:p * stride + kernel_size[0], q * stride:q * stride + kernel_size[1]]
        out[:, :, p * columns + q] = block.reshape(len(x), -1)
    return out


def columns_strides(x, kernel_size, stride, padding):
    padded = np.ascontiguousarray(pad_numpy(x, padding))
    n, c, h, w = padded.shape
    rows, columns = (h - kernel_size[0]) // stride + 1, (w - kernel_size[1]) // stride + 1
    a, b, d, e = padded.strides
    view = as_strided(padded, (n, c, *kernel_size, rows, columns), (a, b, d, e, d * stride, e * stride))
    return view.reshape(n, c * kernel_size[0] * kernel_size[1], rows * columns)


def columns_indices(x, kernel_size, stride, padding):
    padded = pad_numpy(x, padding)
    rows = (padded.shape[2] - kernel_size[0]) // stride + 1
    columns = (padded.shape[3] - kernel_size[1]) // stride + 1
    c, i, j = (g.ravel() for g in np.meshgrid(*map(range, (x.shape[1], *kernel_size)), indexing="ij"))
    p, q = (g.ravel() * stride for g in np.meshgrid(range(rows), range(columns), indexing="ij"))
    return padded[:, c[:, None], i[:, None] + p, j[:, None] + q]


def _product(columns):
    def layer(x, weight, bias, stride, padding):
        table = np.asarray(columns(x, weight.shape[2:], stride, padding))
        rows = size_floor(x.shape[2], weight.shape[2], stride, padding)
        return (weight.reshape(len(weight), -1) @ table + bias[:, None]).reshape(len(x), len(weight), rows, -1)
    return layer


def columns_taps(x, kernel_size, stride, padding):
    padded = pad_numpy(x, padding)
    rows, columns = ((padded.shape[2 + a] - kernel_size[a]) // stride + 1 for a in (0, 1))
    out = np.zeros((*x.shape[:2], *kernel_size, rows, columns))
    for u, v in product(*map(range, kernel_size)):
        out[:, :, u, v] = padded[:, :, u::stride, v::stride][:, :, :rows, :columns]
    return out.reshape(len(x), -1, rows * columns)


def product_with_bias_row(x, weight, bias, stride, padding):
    """The bias as one more weight, of an input that is always one; the whole batch in one product."""
    table = np.concatenate([columns_taps(sample[None], weight.shape[2:], stride, padding)[0] for sample in x], axis=1)
    out = np.c_[weight.reshape(len(weight), -1), bias] @ np.r_[table, np.ones((1, table.shape[1]))]
    rows = size_floor(x.shape[2], weight.shape[2], stride, padding)
    return out.reshape(len(weight), len(x), rows, -1).swapaxes(0, 1)


# ---- conv1x1
def pixels_einsum(x, weight, bias):
    return np.einsum("nchw,kc->nkhw", x, weight) + bias[:, None, None]


def pixels_matmul(x, weight, bias):
    n, c, h, w = x.shape
    return (weight @ x.reshape(n, c, h * w) + bias[:, None]).reshape(n, -1, h, w)


def pixels_loops(x, weight, bias):
    out = np.zeros((len(x), len(weight), *x.shape[2:]))
    for k, (row, b) in enumerate(zip(weight, bias, strict=True)):
        out[:, k] = sum(row[c] * x[:, c] for c in range(x.shape[1])) + b
    return out.tolist()


def pixels_last(x, weight, bias):
    return np.moveaxis(np.moveaxis(x, 1, -1) @ weight.T + bias, -1, 1)


# ---- dilated_conv2d
def dilated_taps(x, weight, bias, dilation):
    r, s = weight.shape[2:]
    rows, columns = x.shape[2] - dilation * (r - 1), x.shape[3] - dilation * (s - 1)
    out = np.zeros((len(x), len(weight), rows, columns)) + bias[:, None, None]
    for i, j in product(range(r), range(s)):
        seen = x[:, :, i * dilation:, j * dilation:][:, :, :rows, :columns]
        out += np.einsum("nchw,kc->nkhw", seen, weight[:, :, i, j])
    return out


def dilated_holes(x, weight, bias, dilation):
    k, c, r, s = weight.shape
    spread = np.zeros((k, c, dilation * (r - 1) + 1, dilation * (s - 1) + 1), weight.dtype)
    spread[:, :, ::dilation, ::dilation] = weight
    return conv_windows(x, spread, bias, 1, 0)


def dilated_windows(x, weight, bias, dilation):
    spans = [dilation * (n - 1) + 1 for n in weight.shape[2:]]
    windows = sliding_window_view(x, spans, axis=(2, 3))[..., ::dilation, ::dilation]
    return np.einsum("nchwrs,kcrs->nkhw", windows, weight) + bias[:, None, None]


def dilated_phases(x, weight, bias, dilation):
    """Every dilation-th input belongs to one ordinary layer."""
    rows, columns = (x.shape[a] - dilation * (weight.shape[a] - 1) for a in (2, 3))
    out = np.zeros((len(x), len(weight), rows, columns))
    for p, q in product(range(min(dilation, rows)), range(min(dilation, columns))):
        out[:, :, p::dilation, q::dilation] = conv_windows(x[:, :, p::dilation, q::dilation], weight, bias, 1, 0)
    return out


# ---- settings_that_fit
def settings_loops(input_size, kernel_sizes, strides, paddings):
    found = []
    for kernel_size in kernel_sizes:
        for stride in strides:
            for padding in paddings:
                left = input_size + 2 * padding - kernel_size
                if left >= 0 and left % stride == 0:
                    found.append((kernel_size, stride, padding))
    return found


def settings_comprehension(input_size, kernel_sizes, strides, paddings):
    return [[f, s, p] for f, s, p in product(kernel_sizes, strides, paddings)
            if f <= input_size + 2 * p and math.fmod(input_size - f + 2 * p, s) == 0]


def settings_float(input_size, kernel_sizes, strides, paddings):
    sizes = {(f, s, p): (input_size - f + 2 * p) / s + 1 for f in kernel_sizes for s in strides for p in paddings}
    return tuple(setting for setting, size in sizes.items() if size >= 1 and size.is_integer())


def settings_array(input_size, kernel_sizes, strides, paddings):
    table = np.array(list(product(kernel_sizes, strides, paddings)))
    left = input_size + 2 * table[:, 2] - table[:, 0]
    return table[(left >= 0) & (left % table[:, 1] == 0)]


RIGHT = {
    "output_size": [(f,) for f in (size_floor, size_counted, size_numpy_float, size_refusing, size_asserting,
                                size_recursive, size_refusing_in_one_line)],
    "receptive_field_slice": [(f,) for f in (field_slices, field_windows, field_loops, field_rolled)],
    "zero_pad": [(f,) for f in (pad_numpy, pad_write, pad_concatenate, pad_product)],
    "conv2d_forward": [(f,) for f in (conv_loops, conv_windows, conv_taps, conv_scipy, conv_fourier,
                                   conv_bounds, conv_scattered, conv_one_matrix)],
    "conv2d_matmul": [(f, _product(f)) for f in (columns_loops, columns_strides, columns_indices)]
    + [(columns_taps, product_with_bias_row)],
    "conv1x1": [(f,) for f in (pixels_einsum, pixels_matmul, pixels_loops, pixels_last)],
    "dilated_conv2d": [(f,) for f in (dilated_taps, dilated_holes, dilated_windows, dilated_phases)],
    "settings_that_fit": [(f,) for f in (settings_loops, settings_comprehension, settings_float, settings_array)],
}
