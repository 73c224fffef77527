"""Right answers to every exercise, each by another way of thinking; none of them calls the reference."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view
from scipy import ndimage, signal


# ---- flatten_maps
def flat_reshape(x):
    return x.reshape(x.shape[0], -1)


def flat_loops(x):
    n, c, h, w = x.shape
    out = np.zeros((n, c * h * w), order="F")
    for i, j, p, q in product(range(n), range(c), range(h), range(w)):
        out[i, j * h * w + p * w + q] = x[i, j, p, q]
    return out


def flat_lists(x):
    return [list(sample.flat) for sample in x]


def flat_concatenated(x):
    return np.hstack([x[:, c, i] for c in range(x.shape[1]) for i in range(x.shape[2])])


def place_formula(channel, row, column, maps_shape):
    _, height, width = maps_shape
    return channel * height * width + row * width + column


def place_horner(channel, row, column, maps_shape):
    place = 0
    for index, length in zip((channel, row, column), maps_shape, strict=True):
        place = place * length + index
    return place


def place_searched(channel, row, column, maps_shape):
    numbered = np.arange(math.prod(maps_shape)).reshape(maps_shape)
    return numbered[channel, row, column]


def place_counted(channel, row, column, maps_shape):
    return float(list(np.ndindex(*maps_shape)).index((channel, row, column)))


# ---- linear_forward
def dense_matmul(x, weight, bias):
    return x @ weight.T + bias


def dense_loops(x, weight, bias):
    out = []
    for sample in x:
        out.append([b + sum(w * value for w, value in zip(row, sample, strict=True))
                    for row, b in zip(weight, bias, strict=True)])
    return out


def dense_einsum(x, weight, bias):
    return np.asfortranarray(np.einsum("nd,kd->nk", x, weight) + bias[None, :])


def dense_columns(x, weight, bias):
    return (np.dot(weight, x.transpose()) + bias[:, np.newaxis]).T


def dense_augmented(x, weight, bias):
    return np.hstack([x, np.ones((len(x), 1), x.dtype)]) @ np.column_stack([weight, bias]).T


# ---- linear_backward
def dense_back_matmul(grad_out, x, weight):
    return grad_out @ weight, grad_out.T @ x, grad_out.sum(axis=0)


def dense_back_loops(grad_out, x, weight):
    grad_x, grad_weight, grad_bias = np.zeros(x.shape), np.zeros(weight.shape), np.zeros(len(weight))
    for n, k in np.ndindex(*grad_out.shape):
        grad_bias[k] += grad_out[n, k]
        for d in range(x.shape[1]):
            grad_weight[k, d] += grad_out[n, k] * x[n, d]
            grad_x[n, d] += grad_out[n, k] * weight[k, d]
    return [grad_x, grad_weight, grad_bias]


def dense_back_samples(grad_out, x, weight):
    grad_weight = sum(np.outer(g, sample) for g, sample in zip(grad_out, x, strict=True))
    grad_x = np.stack([weight.T @ g for g in grad_out])
    return grad_x, np.asfortranarray(grad_weight), np.ones(len(x), x.dtype) @ grad_out


def dense_back_columns(grad_out, x, weight):
    return (weight.T @ grad_out.T).T, np.einsum("nk,nd->kd", grad_out, x), np.add.reduce(grad_out)


def dense_back_add_at(grad_out, x, weight):
    n, k = (index.ravel() for index in np.indices(grad_out.shape))
    upstream = grad_out[n, k][:, None]
    grad_x, grad_weight, grad_bias = np.zeros(x.shape), np.zeros(weight.shape), np.zeros(len(weight))
    np.add.at(grad_x, n, upstream * weight[k])
    np.add.at(grad_weight, k, upstream * x[n])
    np.add.at(grad_bias, k, upstream[:, 0])
    return grad_x, grad_weight, grad_bias


# ---- fc_to_filters
def filters_reshape(weight, maps_shape):
    return weight.reshape(-1, *maps_shape)


def filters_loops(weight, maps_shape):
    channels, height, width = maps_shape
    out = np.zeros((len(weight), channels, height, width))
    for k, c, i, j in np.ndindex(*out.shape):
        out[k, c, i, j] = weight[k, (c * height + i) * width + j]
    return out


def filters_split(weight, maps_shape):
    channels, height, _ = maps_shape
    return [[np.split(channel, height) for channel in np.split(row, channels)] for row in weight]


def rows_reshape(weight):
    return weight.reshape(len(weight), -1)


def rows_loops(weight):
    return [[value for channel in filter_ for row in channel for value in row] for filter_ in weight]


def rows_numbered(weight):
    _, c, h, w = weight.shape
    out = np.zeros((len(weight), c * h * w), order="F")
    for place, (i, j, p) in enumerate(np.ndindex(c, h, w)):
        out[:, place] = weight[:, i, j, p]
    return out


# ---- conv_as_matrix
def matrix_slices(weight, bias, input_size, stride, padding):
    filters, channels, kernel_height, kernel_width = weight.shape
    height, width = input_size
    rows = (height + 2 * padding - kernel_height) // stride + 1
    columns = (width + 2 * padding - kernel_width) // stride + 1
    matrix = np.zeros((filters, rows, columns, channels, height + 2 * padding, width + 2 * padding), weight.dtype)
    for i, j in np.ndindex(rows, columns):
        top, left = i * stride, j * stride
        matrix[:, i, j, :, top:top + kernel_height, left:left + kernel_width] = weight
    inside = matrix[..., padding:padding + height, padding:padding + width]
    return inside.reshape(filters * rows * columns, -1), bias.repeat(rows * columns)


def matrix_indices(weight, bias, input_size, stride, padding):
    (filters, channels, r, s), (h, w) = weight.shape, input_size
    rows, columns = (h + 2 * padding - r) // stride + 1, (w + 2 * padding - s) // stride + 1
    matrix, long = [], []
    for k, i, j in product(range(filters), range(rows), range(columns)):
        line = [0.0] * (channels * h * w)
        for c, u, v in product(range(channels), range(r), range(s)):
            row, column = i * stride + u - padding, j * stride + v - padding
            if 0 <= row < h and 0 <= column < w:
                line[c * h * w + row * w + column] = weight[k, c, u, v]
        matrix.append(line)
        long.append(bias[k])
    return matrix, long


def matrix_impulses(weight, bias, input_size, stride, padding):
    """Column after column: what the layer makes of an input with a single one."""
    channels, (h, w) = weight.shape[1], input_size
    inputs = np.eye(channels * h * w).reshape(-1, channels, h, w)
    padded = np.pad(inputs, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = sliding_window_view(padded, weight.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    outputs = np.einsum("ncpqrs,kcrs->nkpq", windows, weight)
    positions = outputs.shape[2] * outputs.shape[3]
    return outputs.reshape(len(inputs), -1).T, np.kron(bias, np.ones(positions))


def matrix_selections(weight, bias, input_size, stride, padding):
    """One matrix along each axis says which input a tap meets at a position."""
    def met(length, taps):
        positions = (length + 2 * padding - taps) // stride + 1
        inputs = np.arange(positions)[:, None] * stride + np.arange(taps) - padding
        return (inputs[..., None] == np.arange(length)).astype(float)

    down, across = (met(*both) for both in zip(input_size, weight.shape[2:], strict=True))
    matrix = np.einsum("kcrs,irh,jsw->kijchw", weight, down, across)
    positions = (len(weight), len(down), len(across))
    return (matrix.reshape(math.prod(positions), -1),
            np.broadcast_to(bias[:, None, None], positions).reshape(-1).tolist())


# ---- fc_conv_parameters
def dense_count(input_shape, out_features):
    channels, height, width = input_shape
    return channels * height * width * out_features, out_features


def dense_count_numpy(input_shape, out_features):
    return np.array([np.prod(input_shape) * out_features, out_features])


def dense_count_list(input_shape, out_features):
    return [float(sum(math.prod(input_shape) for _ in range(out_features))), out_features]


def filter_count(input_shape, out_channels, kernel_size, stride):
    return input_shape[0] * kernel_size[0] * kernel_size[1] * out_channels, out_channels


def filter_count_arrays(input_shape, out_channels, kernel_size, stride):
    return (np.zeros((out_channels, input_shape[0], *kernel_size), np.int8).size, np.zeros(out_channels).size)


def filter_count_total(input_shape, out_channels, kernel_size, stride):
    both = (input_shape[0] * math.prod(kernel_size) + 1) * out_channels
    return [both - out_channels, out_channels]


# ---- slide_fc
def slide_loops(features, weight, bias, window):
    n, _, height, width = features.shape
    h, w = window
    out = np.zeros((n, len(weight), height - h + 1, width - w + 1))
    for i, j in np.ndindex(*out.shape[2:]):
        out[:, :, i, j] = features[:, :, i:i + h, j:j + w].reshape(n, -1) @ weight.T + bias
    return out


def slide_windows(features, weight, bias, window):
    filters = weight.reshape(len(weight), features.shape[1], *window)
    windows = sliding_window_view(features, window, axis=(2, 3))
    return np.einsum("ncijhw,kchw->nkij", windows, filters) + bias[:, None, None]


def slide_taps(features, weight, bias, window):
    filters = weight.reshape(len(weight), -1, *window)
    rows, columns = (length - taps + 1 for length, taps in zip(features.shape[2:], window, strict=True))
    out = 0
    for u, v in np.ndindex(*window):
        out = out + np.tensordot(filters[:, :, u, v], features[:, :, u:u + rows, v:v + columns], axes=(1, 1))
    return (out + bias.reshape(-1, 1, 1, 1)).swapaxes(0, 1)


def slide_scipy(features, weight, bias, window):
    filters = weight.reshape(len(weight), -1, *window)
    return [[sum(signal.correlate2d(maps, taps, mode="valid") for maps, taps in zip(sample, filter_, strict=True)) + b
             for filter_, b in zip(filters, bias, strict=True)] for sample in features]


def slide_fourier(features, weight, bias, window):
    """A correlation is a product of spectra; what wraps around is cut off."""
    filters, size = weight.reshape(len(weight), -1, *window), features.shape[2:]
    spectra = np.fft.rfft2(features), np.fft.rfft2(filters, s=size).conj()
    scores = np.fft.irfft2(np.einsum("nchw,kchw->nkhw", *spectra), s=size)
    return scores[:, :, :size[0] - window[0] + 1, :size[1] - window[1] + 1] + bias[:, None, None]


# ---- crop_scores
def crops_loops(x, classify, size, stride):
    rows, columns = (x.shape[2] - size[0]) // stride + 1, (x.shape[3] - size[1]) // stride + 1
    out = None
    for i, j in product(range(rows), range(columns)):
        top, left = i * stride, j * stride
        scores = classify(x[:, :, top:top + size[0], left:left + size[1]])
        if out is None:
            out = np.zeros((*scores.shape, rows, columns))
        out[:, :, i, j] = scores
    return out


def crops_at_once(x, classify, size, stride):
    every = sliding_window_view(x, size, axis=(2, 3))[:, :, ::stride, ::stride].transpose(0, 2, 3, 1, 4, 5)
    scores = classify(every.reshape(-1, *every.shape[3:]))
    return scores.reshape(*every.shape[:3], -1).transpose(0, 3, 1, 2)


def crops_lists(x, classify, size, stride):
    h, w = size
    table = [[classify(x[:, :, top:top + h, left:left + w]) for left in range(0, x.shape[3] - w + 1, stride)]
             for top in range(0, x.shape[2] - h + 1, stride)]
    return np.moveaxis(np.array(table), (0, 1), (2, 3))


def crops_one_sample_at_a_time(x, classify, size, stride):
    x = np.ascontiguousarray(x)
    out = []
    for sample in x:
        c, height, width = sample.shape
        shape = (c, (height - size[0]) // stride + 1, (width - size[1]) // stride + 1, *size)
        a, b, d = sample.strides
        view = as_strided(sample, shape, (a, b * stride, d * stride, b, d))
        maps = [[classify(view[:, i, j][None])[0] for j in range(shape[2])] for i in range(shape[1])]
        out.append(np.stack([np.stack(row, axis=-1) for row in maps], axis=-2))
    return out


# ---- score_map_size
def stride_product(layers):
    total = 1
    for _, _, _, stride, _ in layers:
        total *= stride
    return total


def stride_math(layers):
    return math.prod(layer[3] for layer in layers)


def stride_measured(layers):
    """How far the last map's second position lies from its first, walking back to the picture."""
    at = 1
    for layer in reversed(layers):
        at = at * layer[3]
    return np.int64(at)


def stride_logarithm(layers):
    return round(math.exp(sum(math.log(layer[3]) for layer in layers)))


def map_size_loop(picture_size, layers):
    height, width = picture_size
    for _, _, (kernel_height, kernel_width), stride, padding in layers:
        height = (height - kernel_height + 2 * padding) // stride + 1
        width = (width - kernel_width + 2 * padding) // stride + 1
    return height, width


def map_size_counted(picture_size, layers):
    size = list(picture_size)
    for layer in layers:
        for axis in (0, 1):
            size[axis] = len(range(0, size[axis] + 2 * layer[4] - layer[2][axis] + 1, layer[3]))
    return size


def map_size_recursive(picture_size, layers):
    if not len(layers):
        return np.array(picture_size)
    _, _, kernel_size, stride, padding = layers[0]
    after = (np.array(picture_size) - np.array(kernel_size) + 2 * padding) // stride + 1
    return map_size_recursive(after, layers[1:])


def map_size_axis_by_axis(picture_size, layers):
    def along(length, axis):
        for layer in layers:
            length = math.floor((length - layer[2][axis] + 2 * layer[4]) / layer[3]) + 1
        return length
    return along(picture_size[0], 0), along(picture_size[1], 1)


def map_size_rounded_once(picture_size, layers):
    """Rounding down commutes with whole steps: fractions kept to the end give the same whole number."""
    lengths = [Fraction(length) for length in picture_size]
    for _, _, kernel_size, stride, padding in layers:
        lengths = [(length - taps + 2 * padding) / stride + 1
                   for length, taps in zip(lengths, kernel_size, strict=True)]
    return [math.floor(length) for length in lengths]


# ---- sliding_cost
def cost_loop(input_shape, layers):
    channels, height, width = input_shape
    total = 0
    for kind, filters, (kernel_height, kernel_width), stride, padding in layers:
        height = (height - kernel_height + 2 * padding) // stride + 1
        width = (width - kernel_width + 2 * padding) // stride + 1
        if kind == "conv":
            total += filters * channels * kernel_height * kernel_width * height * width
        channels = filters
    return total


def cost_by_prefix(input_shape, layers):
    depths = [input_shape[0]] + [layer[1] for layer in layers]
    return sum(depths[i] * depths[i + 1] * math.prod(layers[i][2])
               * math.prod(map_size_loop(input_shape[1:], layers[:i + 1]))
               for i in range(len(layers)) if layers[i][0] != "pool")


def cost_recursive(input_shape, layers):
    if not layers:
        return 0.0
    (kind, filters, kernel, *_), rest = layers[0], layers[1:]
    size = map_size_counted(input_shape[1:], layers[:1])
    own = math.prod((filters, input_shape[0], *kernel, *size)) if kind == "conv" else 0
    return own + cost_recursive((filters, *size), rest)


def both_by_map(picture_shape, crop_shape, layers):
    rows, columns = map_size_loop(picture_shape[1:], layers)
    return cost_loop(picture_shape, layers), rows * columns * cost_loop(crop_shape, layers)


def both_by_steps(picture_shape, crop_shape, layers):
    stride = stride_math(layers)
    rows = (picture_shape[1] - crop_shape[1]) // stride + 1
    columns = (picture_shape[2] - crop_shape[2]) // stride + 1
    return [cost_by_prefix(picture_shape, layers), sum([cost_by_prefix(crop_shape, layers)] * rows * columns)]


def both_floats(picture_shape, crop_shape, layers):
    positions = np.prod(map_size_counted(picture_shape[1:], layers))
    return np.array([cost_recursive(picture_shape, layers), positions * cost_recursive(crop_shape, layers)])


# ---- pick_peaks
def peaks_greedy(scores, threshold, distance):
    left = scores.astype(float)
    found = []
    while left.max() >= threshold:
        row, column = np.unravel_index(np.argmax(left), left.shape)
        found.append((int(row), int(column)))
        left[max(row - distance, 0):row + distance + 1, max(column - distance, 0):column + distance + 1] = -np.inf
    return found


def peaks_sorted(scores, threshold, distance):
    places = [(i, j) for i in range(scores.shape[0]) for j in range(scores.shape[1]) if scores[i, j] >= threshold]
    found = []
    for i, j in sorted(places, key=lambda place: scores[place], reverse=True):
        if all(max(abs(i - a), abs(j - b)) > distance for a, b in found):
            found.append([i, j])
    return found


def peaks_flags(scores, threshold, distance):
    rows, columns = np.indices(scores.shape)
    order = np.argsort(-np.ascontiguousarray(scores).ravel(), kind="stable")
    free = np.ones(scores.shape, bool)
    found = []
    for place in order:
        i, j = divmod(int(place), scores.shape[1])
        if scores[i, j] < threshold:
            break
        if free[i, j]:
            found.append((i, j))
            free &= (abs(rows - i) > distance) | (abs(columns - j) > distance)
    return tuple(found)


def peaks_dilated(scores, threshold, distance):
    taken = np.zeros(scores.shape, bool)
    found = []
    while True:
        near = ndimage.maximum_filter(taken.astype(int), size=2 * distance + 1, mode="constant") > 0
        left = [(-float(scores[i, j]), i, j) for i, j in np.argwhere(~near) if scores[i, j] >= threshold]
        if not left:
            return np.array(found).reshape(-1, 2) if found else []
        _, row, column = min(left)
        taken[row, column] = True
        found.append((row, column))


def peaks_recursive(scores, threshold, distance, crossed=None):
    left = np.ma.masked_array(np.ascontiguousarray(scores), mask=np.zeros(scores.shape, bool), copy=True)
    if crossed is not None:
        left.mask |= crossed
    if left.mask.all() or left.max() < threshold:
        return ()
    row, column = divmod(int(left.argmax()), scores.shape[1])
    rows, columns = np.indices(scores.shape)
    near = np.maximum(abs(rows - row), abs(columns - column)) <= distance
    return (row, column), *peaks_recursive(scores, threshold, distance, left.mask | near)


RIGHT: dict[str, list[tuple]] = {
    "flatten_maps": [(flat_reshape, place_formula), (flat_loops, place_horner), (flat_lists, place_searched),
                     (flat_concatenated, place_counted)],
    "linear_forward": [(dense_matmul,), (dense_loops,), (dense_einsum,), (dense_columns,), (dense_augmented,)],
    "linear_backward": [(dense_back_matmul,), (dense_back_loops,), (dense_back_samples,), (dense_back_columns,),
                        (dense_back_add_at,)],
    "fc_to_filters": [(filters_reshape, rows_reshape), (filters_loops, rows_loops), (filters_split, rows_numbered)],
    "conv_as_matrix": [(matrix_slices,), (matrix_indices,), (matrix_impulses,), (matrix_selections,)],
    "fc_conv_parameters": [(dense_count, filter_count), (dense_count_numpy, filter_count_arrays),
                           (dense_count_list, filter_count_total)],
    "slide_fc": [(slide_loops,), (slide_windows,), (slide_taps,), (slide_scipy,), (slide_fourier,)],
    "crop_scores": [(crops_loops,), (crops_at_once,), (crops_lists,), (crops_one_sample_at_a_time,)],
    "score_map_size": [(stride_product, map_size_loop), (stride_math, map_size_counted),
                       (stride_measured, map_size_recursive), (stride_logarithm, map_size_axis_by_axis),
                       (stride_product, map_size_rounded_once)],
    "sliding_cost": [(cost_loop, both_by_map), (cost_by_prefix, both_by_steps), (cost_recursive, both_floats)],
    "pick_peaks": [(peaks_greedy,), (peaks_sorted,), (peaks_flags,), (peaks_dilated,), (peaks_recursive,)],
}
