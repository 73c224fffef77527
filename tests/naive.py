"""Plain-loop twins of the kernels: written from the definitions, with no care for speed, to be read and believed.

Everything is done with Python numbers, one output at a time, and comes back in double precision. Settings are pairs
(vertical, horizontal), padding is ((top, bottom), (left, right)). Nothing is shared with `cnncourse`.
"""

from __future__ import annotations

import itertools
import math

import numpy as np


def positions(size, kernel, stride, padding, dilation=1, ceil_mode=False):
    """First input of every window along one axis; the padding before the input has negative indices."""
    before, after = padding
    reach = (kernel - 1) * dilation + 1
    starts = []
    start = -before
    if not ceil_mode:
        while start + reach <= size + after:
            starts.append(start)
            start += stride
        return starts
    while True:
        starts.append(start)
        if start + reach >= size + after:
            break
        start += stride
    if starts[-1] >= size:
        starts.pop()
    return starts


def windows(shape, kernel, stride, padding, dilation=(1, 1), ceil_mode=False):
    """Yield (p, q, pairs of (tap, input) that lie on the picture) for every window of a plane."""
    height, width = shape
    rows = positions(height, kernel[0], stride[0], padding[0], dilation[0], ceil_mode)
    columns = positions(width, kernel[1], stride[1], padding[1], dilation[1], ceil_mode)
    for (p, top), (q, left) in itertools.product(enumerate(rows), enumerate(columns)):
        pairs = []
        for r, s in itertools.product(range(kernel[0]), range(kernel[1])):
            i, j = top + r * dilation[0], left + s * dilation[1]
            if 0 <= i < height and 0 <= j < width:
                pairs.append(((r, s), (i, j)))
        yield p, q, pairs


def output_shape(shape, kernel, stride, padding, dilation=(1, 1), ceil_mode=False):
    """Numbers of windows along both axes."""
    axes = zip(shape, kernel, stride, padding, dilation, strict=True)
    return tuple(len(positions(*axis, ceil_mode)) for axis in axes)


def conv2d(x, weight, bias, stride, padding, dilation, groups):
    """Each output is a sum of products and a bias."""
    filters, depth, *kernel = weight.shape
    out = np.zeros((len(x), filters, *output_shape(x.shape[2:], kernel, stride, padding, dilation)))
    for n, k in itertools.product(range(len(x)), range(filters)):
        group = k // (filters // groups)
        for p, q, pairs in windows(x.shape[2:], kernel, stride, padding, dilation):
            total = float(bias[k])
            for c in range(depth):
                for (r, s), (i, j) in pairs:
                    total += float(weight[k, c, r, s]) * float(x[n, group * depth + c, i, j])
            out[n, k, p, q] = total
    return out


def conv2d_backward(grad_out, x, weight, stride, padding, dilation, groups):
    """Each product of the forward pass hands the output's gradient back to both of its factors."""
    filters, depth, *kernel = weight.shape
    grad_x, grad_weight, grad_bias = np.zeros(x.shape), np.zeros(weight.shape), np.zeros(filters)
    for n, k in itertools.product(range(len(x)), range(filters)):
        group = k // (filters // groups)
        for p, q, pairs in windows(x.shape[2:], kernel, stride, padding, dilation):
            upstream = float(grad_out[n, k, p, q])
            grad_bias[k] += upstream
            for c in range(depth):
                channel = group * depth + c
                for (r, s), (i, j) in pairs:
                    grad_x[n, channel, i, j] += upstream * float(weight[k, c, r, s])
                    grad_weight[k, c, r, s] += upstream * float(x[n, channel, i, j])
    return grad_x, grad_weight, grad_bias


def max_pool2d(x, kernel, stride, padding, dilation, ceil_mode):
    """The largest value of each window and where it lies: the first of equals, the last NaN before everything."""
    shape = (*x.shape[:2], *output_shape(x.shape[2:], kernel, stride, padding, dilation, ceil_mode))
    out, indices = np.full(shape, -math.inf), np.full(shape, -1)
    for n, c in itertools.product(*map(range, x.shape[:2])):
        for p, q, pairs in windows(x.shape[2:], kernel, stride, padding, dilation, ceil_mode):
            values = [(float(x[n, c, i, j]), i * x.shape[3] + j) for _, (i, j) in pairs]
            not_numbers = [found for found in values if math.isnan(found[0])]
            if not_numbers:
                out[n, c, p, q], indices[n, c, p, q] = not_numbers[-1]
            elif values:
                out[n, c, p, q], indices[n, c, p, q] = max(values, key=lambda found: found[0])
    return out, indices


def max_pool2d_backward(grad_out, x, kernel, stride, padding, dilation, ceil_mode):
    """The whole gradient goes where the maximum was."""
    grad_x = np.zeros(x.shape)
    _, indices = max_pool2d(x, kernel, stride, padding, dilation, ceil_mode)
    for n, c, p, q in np.ndindex(indices.shape):
        if indices[n, c, p, q] >= 0:
            grad_x[n, c].flat[indices[n, c, p, q]] += float(grad_out[n, c, p, q])
    return grad_x


def divisors(shape, kernel, stride, padding, ceil_mode, count_include_pad):
    """What each window's sum is divided by: its places on the padded picture, or on the picture itself."""
    found = {}
    room = [size + sum(sides) for size, sides in zip(shape, padding, strict=True)]
    rows = positions(shape[0], kernel[0], stride[0], padding[0], 1, ceil_mode)
    columns = positions(shape[1], kernel[1], stride[1], padding[1], 1, ceil_mode)
    for p, q, pairs in windows(shape, kernel, stride, padding, (1, 1), ceil_mode):
        top, left = rows[p] + padding[0][0], columns[q] + padding[1][0]
        inside = [1 for r in range(kernel[0]) for s in range(kernel[1]) if top + r < room[0] and left + s < room[1]]
        found[p, q] = len(inside) if count_include_pad else len(pairs)
    return found


def avg_pool2d(x, kernel, stride, padding, ceil_mode, count_include_pad):
    """The sum of each window, divided."""
    out = np.zeros((*x.shape[:2], *output_shape(x.shape[2:], kernel, stride, padding, (1, 1), ceil_mode)))
    counts = divisors(x.shape[2:], kernel, stride, padding, ceil_mode, count_include_pad)
    for n, c in itertools.product(*map(range, x.shape[:2])):
        for p, q, pairs in windows(x.shape[2:], kernel, stride, padding, (1, 1), ceil_mode):
            out[n, c, p, q] = sum(float(x[n, c, i, j]) for _, (i, j) in pairs) / counts[p, q]
    return out


def avg_pool2d_backward(grad_out, x, kernel, stride, padding, ceil_mode, count_include_pad):
    """Each place of a window gets the same share."""
    grad_x = np.zeros(x.shape)
    counts = divisors(x.shape[2:], kernel, stride, padding, ceil_mode, count_include_pad)
    for n, c in itertools.product(*map(range, x.shape[:2])):
        for p, q, pairs in windows(x.shape[2:], kernel, stride, padding, (1, 1), ceil_mode):
            for _, (i, j) in pairs:
                grad_x[n, c, i, j] += float(grad_out[n, c, p, q]) / counts[p, q]
    return grad_x


def lp_pool2d(x, power, kernel, stride, padding, ceil_mode):
    """The root of the sum of powers; a window that is cut off at the end is scaled up to a whole one."""
    out = np.zeros((*x.shape[:2], *output_shape(x.shape[2:], kernel, stride, padding, (1, 1), ceil_mode)))
    counts = divisors(x.shape[2:], kernel, stride, padding, ceil_mode, True)
    for n, c in itertools.product(*map(range, x.shape[:2])):
        for p, q, pairs in windows(x.shape[2:], kernel, stride, padding, (1, 1), ceil_mode):
            total = sum(real_power(float(x[n, c, i, j]), power) for _, (i, j) in pairs)
            out[n, c, p, q] = real_power(total * kernel[0] * kernel[1] / counts[p, q], 1 / power)
    return out


def real_power(base, exponent):
    """A power within the real numbers, NaN where there is none."""
    if base < 0 and exponent != int(exponent):
        return math.nan
    return base**exponent


def lp_pool2d_backward(grad_out, x, power, kernel, stride, padding, ceil_mode):
    """Each value of a window gets x^(p - 1) / out^(p - 1); a window that sums to zero passes nothing on."""
    grad_x = np.zeros(x.shape)
    out = lp_pool2d(x, power, kernel, stride, padding, ceil_mode)
    counts = divisors(x.shape[2:], kernel, stride, padding, ceil_mode, True)
    for n, c in itertools.product(*map(range, x.shape[:2])):
        for p, q, pairs in windows(x.shape[2:], kernel, stride, padding, (1, 1), ceil_mode):
            norm = out[n, c, p, q]
            if norm == 0:
                continue
            scale = kernel[0] * kernel[1] / counts[p, q]
            for _, (i, j) in pairs:
                slope = scale * real_power(float(x[n, c, i, j]), power - 1) * real_power(norm, 1 - power)
                grad_x[n, c, i, j] += float(grad_out[n, c, p, q]) * slope
    return grad_x


def im2col(x, kernel, stride, padding, dilation):
    """One column for each window, one row for each tap of each channel."""
    rows, columns = output_shape(x.shape[2:], kernel, stride, padding, dilation)
    out = np.zeros((len(x), x.shape[1] * kernel[0] * kernel[1], rows * columns))
    for n, c in itertools.product(*map(range, x.shape[:2])):
        for p, q, pairs in windows(x.shape[2:], kernel, stride, padding, dilation):
            for (r, s), (i, j) in pairs:
                out[n, (c * kernel[0] + r) * kernel[1] + s, p * columns + q] = float(x[n, c, i, j])
    return out


def col2im(columns, shape, kernel, stride, padding, dilation):
    """Every entry is added to the input that `im2col` took it from."""
    channels = columns.shape[1] // (kernel[0] * kernel[1])
    x = np.zeros((len(columns), channels, *shape))
    width = output_shape(shape, kernel, stride, padding, dilation)[1]
    for n, c in itertools.product(*map(range, x.shape[:2])):
        for p, q, pairs in windows(shape, kernel, stride, padding, dilation):
            for (r, s), (i, j) in pairs:
                x[n, c, i, j] += float(columns[n, (c * kernel[0] + r) * kernel[1] + s, p * width + q])
    return x


def numerical_gradient(function, x, grad_out, step=1e-6):
    """Slope of sum(function(x) * grad_out) along every entry of x, from both sides."""
    slope = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[index] += step
        below[index] -= step
        slope[index] = np.sum((function(above) - function(below)) * grad_out) / (2 * step)
    return slope
