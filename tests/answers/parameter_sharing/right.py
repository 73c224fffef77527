"""Right answers to every exercise, each by another way of thinking; none of them calls the reference."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def _pad(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))


def _windows(x, kernel_size, stride, padding):
    """(N, C, OH, OW, KH, KW)"""
    return sliding_window_view(_pad(x, padding), kernel_size, axis=(2, 3))[:, :, ::stride, ::stride]


# ---- sharing_parameters
def unshared_formula(in_shape, out_channels, kernel_size, stride, padding, bias):
    channels, height, width = in_shape
    rows = (height + 2 * padding - kernel_size[0]) // stride + 1
    columns = (width + 2 * padding - kernel_size[1]) // stride + 1
    return out_channels * rows * columns * (channels * kernel_size[0] * kernel_size[1] + bias)


def shared_formula(in_shape, out_channels, kernel_size, stride, padding, bias):
    return out_channels * (in_shape[0] * kernel_size[0] * kernel_size[1] + (1 if bias else 0))


def unshared_counted(in_shape, out_channels, kernel_size, stride, padding, bias):
    neurons = 0
    for _ in range(-padding, in_shape[1] + padding - kernel_size[0] + 1, stride):
        for _ in range(-padding, in_shape[2] + padding - kernel_size[1] + 1, stride):
            neurons += out_channels
    return neurons * in_shape[0] * math.prod(kernel_size) + (neurons if bias else 0)


def shared_arrays(in_shape, out_channels, kernel_size, stride, padding, bias):
    weight = np.empty((out_channels, in_shape[0], *kernel_size), np.int8)
    return weight.size + np.zeros(out_channels).size * bias


def unshared_floats(in_shape, out_channels, kernel_size, stride, padding, bias):
    positions = np.floor((np.array(in_shape[1:]) + 2 * padding - np.array(kernel_size)) / stride) + 1
    return float(np.prod(positions) * out_channels * (in_shape[0] * np.prod(kernel_size) + float(bias)))


def shared_numpy(in_shape, out_channels, kernel_size, stride, padding, bias):
    return np.int64(out_channels) * (np.prod([in_shape[0], *kernel_size]) + np.int64(bias))


# ---- locally_connected
def local_loops(x, weight, bias, stride, padding):
    padded = _pad(x, padding)
    rows, columns, filters, _, height, width = weight.shape
    out = np.zeros((len(x), filters, rows, columns))
    for n, k, i, j in np.ndindex(out.shape):
        window = padded[n, :, i * stride:i * stride + height, j * stride:j * stride + width]
        out[n, k, i, j] = np.sum(window * weight[i, j, k]) + bias[k, i, j]
    return out


def local_einsum(x, weight, bias, stride, padding):
    windows = _windows(x, weight.shape[4:], stride, padding)
    return np.einsum("ncijuv,ijkcuv->nkij", windows, weight) + bias


def local_matmul(x, weight, bias, stride, padding):
    rows, columns, filters = weight.shape[:3]
    windows = _windows(x, weight.shape[4:], stride, padding).transpose(2, 3, 1, 4, 5, 0)
    table = windows.reshape(rows, columns, -1, len(x))
    out = weight.reshape(rows, columns, filters, -1) @ table
    return np.asfortranarray(out.transpose(3, 2, 0, 1) + bias)


def local_taps(x, weight, bias, stride, padding):
    padded = _pad(x, padding)
    rows, columns, _, channels, height, width = weight.shape
    out = np.tile(bias, (len(x), 1, 1, 1)).astype(x.dtype)
    for c, u, v in product(range(channels), range(height), range(width)):
        seen = padded[:, c, u:u + rows * stride:stride, v:v + columns * stride:stride][:, :rows, :columns]
        out = out + seen[:, None] * weight[:, :, :, c, u, v].transpose(2, 0, 1)
    return out.tolist()


# ---- shift_equivariance
def shift_loops(x, down, right):
    out = np.zeros(x.shape)
    height, width = x.shape[2:]
    for i, j in product(range(height), range(width)):
        if 0 <= i - down < height and 0 <= j - right < width:
            out[:, :, i, j] = x[:, :, i - down, j - right]
    return out


def shift_rolled(x, down, right):
    out = np.roll(x, (down, right), (2, 3))
    height, width = x.shape[2:]
    rows, columns = np.arange(height) - down, np.arange(width) - right
    inside = np.outer((rows >= 0) & (rows < height), (columns >= 0) & (columns < width))
    return np.where(inside, out, 0)


def shift_matrices(x, down, right):
    rows, columns = np.eye(x.shape[2], k=-down), np.eye(x.shape[3], k=right)
    return (rows @ x @ columns).tolist()


def shift_padded(x, down, right):
    far = max(abs(down), abs(right))
    height, width = x.shape[2:]
    return _pad(x, far)[:, :, far - down:far - down + height, far - right:far - right + width]


def moves_close(layer, x, down, right, stride):
    return np.isclose(layer(shift_loops(x, down * stride, right * stride)), shift_loops(layer(x), down, right))


def moves_difference(layer, x, down, right, stride):
    before = np.asarray(layer(shift_padded(x, stride * down, stride * right)))
    after = shift_padded(np.asarray(layer(x)), down, right)
    return np.abs(before - after) < 1e-6


def moves_loops(layer, x, down, right, stride):
    moved, still = layer(shift_rolled(x, down * stride, right * stride)), layer(x)
    out = np.zeros(still.shape, bool)
    for n, c, i, j in np.ndindex(out.shape):
        inside = 0 <= i - down < out.shape[2] and 0 <= j - right < out.shape[3]
        out[n, c, i, j] = math.isclose(moved[n, c, i, j], still[n, c, i - down, j - right] if inside else 0,
                                       abs_tol=1e-9)
    return out.tolist()


def moves_equal(layer, x, down, right, stride):
    return layer(shift_padded(x, down * stride, right * stride)) == shift_padded(layer(x), down, right)


def shift_step_by_step(x, down, right):
    if down:
        row = np.zeros_like(x[:, :, :1])
        moved = [row, x[:, :, :-1]] if down > 0 else [x[:, :, 1:], row]
        return shift_step_by_step(np.concatenate(moved, axis=2), down - (1 if down > 0 else -1), right)
    if right:
        return shift_step_by_step(x.swapaxes(2, 3), right, 0).swapaxes(2, 3)
    return x


def moves_numbers(layer, x, down, right, stride):
    """Ones and zeros."""
    before = layer(shift_step_by_step(x, down * stride, right * stride))
    return 1.0 * (np.round(before - shift_step_by_step(layer(x), down, right), 6) == 0)


# ---- border_free
def free_formula(input_size, kernel_size, stride, padding):
    first = -(-padding // stride)
    stop = (input_size + padding - kernel_size) // stride + 1
    return (first, stop) if stop > first else (0, 0)


def free_listed(input_size, kernel_size, stride, padding):
    outputs = (input_size + 2 * padding - kernel_size) // stride + 1
    free = [i for i in range(outputs)
            if i * stride - padding >= 0 and i * stride - padding + kernel_size <= input_size]
    return [free[0], free[-1] + 1] if free else [0, 0]


def free_painted(input_size, kernel_size, stride, padding):
    row = np.pad(np.ones(input_size), padding)
    whole = sliding_window_view(row, kernel_size)[::stride].all(axis=1)
    return np.array([np.argmax(whole), np.argmax(whole) + whole.sum()]) if whole.any() else np.zeros(2)


# ---- shared_gradient
def each_loops(grad_out, x, kernel_size, stride, padding):
    samples, filters, rows, columns = grad_out.shape
    height, width = kernel_size
    padded = _pad(x, padding)
    out = np.zeros((samples, rows, columns, filters, x.shape[1], height, width))
    for n, i, j, k in product(range(samples), range(rows), range(columns), range(filters)):
        window = padded[n, :, i * stride:i * stride + height, j * stride:j * stride + width]
        out[n, i, j, k] = grad_out[n, k, i, j] * window
    return out


def each_einsum(grad_out, x, kernel_size, stride, padding):
    return np.einsum("nkij,ncijuv->nijkcuv", grad_out, _windows(x, kernel_size, stride, padding))


def each_broadcast(grad_out, x, kernel_size, stride, padding):
    windows = _windows(x, kernel_size, stride, padding).transpose(0, 2, 3, 1, 4, 5)[:, :, :, None]
    return np.asfortranarray(grad_out.transpose(0, 2, 3, 1)[..., None, None, None] * windows)


def sum_axes(unshared):
    return unshared.sum(axis=(0, 1, 2))


def sum_loops(unshared):
    out = np.zeros(unshared.shape[3:])
    for index in np.ndindex(unshared.shape[:3]):
        out += unshared[index]
    return out


def sum_flat(unshared):
    samples, rows, columns, *filters = unshared.shape
    return (np.ones(samples * rows * columns) @ unshared.reshape(samples * rows * columns, -1)).reshape(filters)


# ---- numerical_gradient
def slope_copies(f, x, step):
    x = x.astype(np.float64)
    out = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        raised, lowered = x.copy(), x.copy()
        raised[index] += step
        lowered[index] -= step
        out[index] = (f(raised) - f(lowered)) / (2 * step)
    return out


def slope_moved_and_back(f, x, step):
    x = np.array(x, dtype=np.float64, order="C")
    flat, slopes = x.reshape(-1), []
    for index, old in enumerate(flat.tolist()):
        flat[index] = old + step
        above = f(x)
        flat[index] = old - step
        slopes.append((above - f(x)) / step / 2)
        flat[index] = old
    return np.reshape(slopes, x.shape)


def slope_directions(f, x, step):
    x = np.asarray(x, float)
    directions = np.eye(x.size).reshape(x.size, *x.shape) * step
    slopes = [(float(f(x + direction)) - float(f(x - direction))) / (2 * step) for direction in directions]
    return np.array(slopes).reshape(x.shape).tolist()


def slope_nditer(f, x, step):
    x = x.astype(float, order="F")
    out = np.empty_like(x)
    for _ in (entries := np.nditer(x, flags=["multi_index"])):
        where = entries.multi_index
        old = x[where]
        x[where] = old + step
        out[where] = f(x)
        x[where] = old - step
        out[where] = (out[where] - f(x)) / (2 * step)
        x[where] = old
    return out


# ---- conv2d_backward
def backward_loops(grad_out, x, weight, stride, padding):
    samples, filters, rows, columns = grad_out.shape
    height, width = weight.shape[2:]
    padded = _pad(x, padding)
    grad_padded, grad_weight, grad_bias = np.zeros(padded.shape), np.zeros(weight.shape), np.zeros(filters)
    for n, k, i, j in product(range(samples), range(filters), range(rows), range(columns)):
        upstream = grad_out[n, k, i, j]
        down, right = i * stride, j * stride
        grad_bias[k] += upstream
        grad_weight[k] += upstream * padded[n, :, down:down + height, right:right + width]
        grad_padded[n, :, down:down + height, right:right + width] += upstream * weight[k]
    return grad_padded[:, :, padding:padding + x.shape[2], padding:padding + x.shape[3]], grad_weight, grad_bias


def backward_scalars(grad_out, x, weight, stride, padding):
    """Seven loops, without a padded copy: what lies outside is skipped."""
    grad_x, grad_weight = np.zeros(x.shape), np.zeros(weight.shape)
    for n, k, i, j in np.ndindex(grad_out.shape):
        for c, u, v in np.ndindex(weight.shape[1:]):
            row, column = i * stride + u - padding, j * stride + v - padding
            if 0 <= row < x.shape[2] and 0 <= column < x.shape[3]:
                grad_x[n, c, row, column] += grad_out[n, k, i, j] * weight[k, c, u, v]
                grad_weight[k, c, u, v] += grad_out[n, k, i, j] * x[n, c, row, column]
    return grad_x.tolist(), grad_weight.tolist(), [float(g.sum()) for g in grad_out.swapaxes(0, 1)]


def backward_taps(grad_out, x, weight, stride, padding):
    """Over the taps of the kernel, all positions at once."""
    rows, columns = grad_out.shape[2:]
    padded = _pad(x, padding)
    grad_padded, grad_weight = np.zeros_like(padded, order="F"), np.zeros(weight.shape, x.dtype)
    for u, v in np.ndindex(weight.shape[2:]):
        where = (..., slice(u, u + (rows - 1) * stride + 1, stride), slice(v, v + (columns - 1) * stride + 1, stride))
        grad_padded[where] += np.einsum("nkij,kc->ncij", grad_out, weight[:, :, u, v])
        grad_weight[:, :, u, v] = np.einsum("nkij,ncij->kc", grad_out, padded[where])
    end = [size + padding for size in x.shape[2:]]
    return [grad_padded[:, :, padding:end[0], padding:end[1]], grad_weight, np.einsum("nkij->k", grad_out)]


def backward_dilated(grad_out, x, weight, stride, padding):
    """The gradient of the input as a full correlation of the spread-out upstream gradient with the flipped kernel."""
    samples, filters, rows, columns = grad_out.shape
    height, width = weight.shape[2:]
    full = np.zeros((samples, filters, x.shape[2] + 2 * padding + height - 1, x.shape[3] + 2 * padding + width - 1))
    full[:, :, height - 1:height - 1 + rows * stride:stride, width - 1:width - 1 + columns * stride:stride][
        :, :, :rows, :columns] = grad_out
    windows = sliding_window_view(full, (height, width), axis=(2, 3))
    grad_padded = np.einsum("nkijuv,kcuv->ncij", windows, weight[:, :, ::-1, ::-1])
    grad_x = grad_padded[:, :, padding:padding + x.shape[2], padding:padding + x.shape[3]]
    grad_weight = np.einsum("nkij,ncijuv->kcuv", grad_out, _windows(x, (height, width), stride, padding))
    return grad_x.astype(np.float32) if x.dtype == np.float32 else grad_x, grad_weight, grad_out.sum((0, 2, 3))


def backward_basis(grad_out, x, weight, stride, padding):
    """The layer as a matrix, row by row what it makes of an input with a single one; its transpose goes back."""
    unit = np.eye(x[0].size).reshape(-1, *x.shape[1:])
    kernel_size = weight.shape[2:]
    matrix = np.einsum("ncijuv,kcuv->nkij", _windows(unit, kernel_size, stride, padding), weight)
    grad_x = grad_out.reshape(len(x), -1) @ matrix.reshape(len(unit), -1).T
    grad_weight = np.einsum("nkij,ncijuv->kcuv", grad_out, _windows(x, kernel_size, stride, padding))
    return grad_x.reshape(x.shape), np.asfortranarray(grad_weight), tuple(grad_out.sum(axis=(0, 2, 3)))


# ---- conv2d_backward_matmul
def fold_positions(columns, x_shape, kernel_size, stride, padding):
    samples, channels, height, width = x_shape
    rows = (height + 2 * padding - kernel_size[0]) // stride + 1
    across = (width + 2 * padding - kernel_size[1]) // stride + 1
    patches = columns.reshape(samples, channels, *kernel_size, rows, across)
    out = np.zeros((samples, channels, height + 2 * padding, width + 2 * padding))
    for i, j in product(range(rows), range(across)):
        out[:, :, i * stride:i * stride + kernel_size[0], j * stride:j * stride + kernel_size[1]] += patches[..., i, j]
    return out[:, :, padding:padding + height, padding:padding + width]


def _places(x_shape, kernel_size, stride, padding):
    """For each entry of one sample's columns its flat index in the padded sample."""
    _, channels, height, width = x_shape
    size = (channels, height + 2 * padding, width + 2 * padding)
    table = _windows(np.arange(math.prod(size)).reshape(1, *size), kernel_size, stride, 0)[0]
    return table.transpose(0, 3, 4, 1, 2).reshape(channels * math.prod(kernel_size), -1), size


def fold_add_at(columns, x_shape, kernel_size, stride, padding):
    places, size = _places(x_shape, kernel_size, stride, padding)
    out = np.zeros((x_shape[0], math.prod(size)), columns.dtype)
    np.add.at(out, (slice(None), places), columns)
    whole = out.reshape(x_shape[0], *size)
    return whole[:, :, padding:size[1] - padding, padding:size[2] - padding]


def fold_bincount(columns, x_shape, kernel_size, stride, padding):
    places, size = _places(x_shape, kernel_size, stride, padding)
    samples = [np.bincount(places.ravel(), one.ravel(), math.prod(size)).reshape(size) for one in columns]
    return np.stack(samples)[:, :, padding:padding + x_shape[2], padding:padding + x_shape[3]].tolist()


def _unfold(x, kernel_size, stride, padding):
    windows = _windows(x, kernel_size, stride, padding).transpose(0, 1, 4, 5, 2, 3)
    return windows.reshape(len(x), x.shape[1] * math.prod(kernel_size), -1)


def products_batched(grad_out, x, weight, stride, padding):
    samples, filters = grad_out.shape[:2]
    upstream = grad_out.reshape(samples, filters, -1)
    columns = _unfold(x, weight.shape[2:], stride, padding)
    grad_weight = np.sum(upstream @ columns.swapaxes(1, 2), axis=0).reshape(weight.shape)
    grad_columns = weight.reshape(filters, -1).T @ upstream
    grad_x = fold_positions(grad_columns, x.shape, weight.shape[2:], stride, padding)
    return grad_x, grad_weight, upstream.sum(axis=(0, 2))


def products_by_sample(grad_out, x, weight, stride, padding):
    grad_x, grad_weight, grad_bias = [], 0, 0
    flat = weight.reshape(len(weight), -1)
    for one, upstream in zip(x, grad_out, strict=True):
        upstream = upstream.reshape(len(weight), -1)
        grad_weight = grad_weight + upstream @ _unfold(one[None], weight.shape[2:], stride, padding)[0].T
        grad_bias = grad_bias + upstream @ np.ones(upstream.shape[1])
        grad_x.append(fold_add_at((flat.T @ upstream)[None], (1, *one.shape), weight.shape[2:], stride, padding)[0])
    return np.array(grad_x), grad_weight.reshape(weight.shape), grad_bias


def products_one_matrix(grad_out, x, weight, stride, padding):
    """The whole batch in one product, samples beside each other."""
    filters = len(weight)
    upstream = grad_out.transpose(1, 0, 2, 3).reshape(filters, -1)
    columns = _unfold(x, weight.shape[2:], stride, padding).transpose(1, 0, 2)
    grad_columns = (weight.reshape(filters, -1).T @ upstream).reshape(columns.shape).transpose(1, 0, 2)
    grad_weight = np.asfortranarray((upstream @ columns.reshape(len(columns), -1).T).reshape(weight.shape))
    return (fold_bincount(grad_columns, x.shape, weight.shape[2:], stride, padding), grad_weight,
            [float(row.sum()) for row in upstream])


RIGHT: dict[str, list[tuple]] = {
    "sharing_parameters": [(unshared_formula, shared_formula), (unshared_counted, shared_arrays),
                           (unshared_floats, shared_numpy)],
    "locally_connected": [(local_loops,), (local_einsum,), (local_matmul,), (local_taps,)],
    "shift_equivariance": [(shift_loops, moves_close), (shift_rolled, moves_difference), (shift_matrices, moves_loops),
                           (shift_padded, moves_equal), (shift_step_by_step, moves_numbers)],
    "border_free": [(free_formula,), (free_listed,), (free_painted,)],
    "shared_gradient": [(each_loops, sum_axes), (each_einsum, sum_loops), (each_broadcast, sum_flat)],
    "numerical_gradient": [(slope_copies,), (slope_moved_and_back,), (slope_directions,), (slope_nditer,)],
    "conv2d_backward": [(backward_loops,), (backward_scalars,), (backward_taps,), (backward_dilated,),
                        (backward_basis,)],
    "conv2d_backward_matmul": [(fold_positions, products_batched), (fold_add_at, products_by_sample),
                               (fold_bincount, products_one_matrix)],
}
