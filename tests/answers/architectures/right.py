"""Right answers to every exercise, each by another way of thinking; none of them calls the reference."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from itertools import accumulate, product

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import signal


# ---- expand_pattern
def pattern_lists(n, m, k, pool):
    block = ["CONV", "RELU"] * n + (["POOL"] if pool else [])
    return ["INPUT", *block * m, *["FC", "RELU"] * k, "FC"]


def pattern_loops(n, m, k, pool):
    names = ["INPUT"]
    for _ in range(m):
        for _ in range(n):
            names.append("CONV")
            names.append("RELU")
        if pool:
            names.append("POOL")
    for _ in range(k):
        names.append("FC")
        names.append("RELU")
    names.append("FC")
    return tuple(names)


def pattern_text(n, m, k, pool):
    """Brackets are replaced in the text itself, the inner ones first."""
    text = f"INPUT [[CONV RELU]*{n} {'POOL' if pool else ''}]*{m} [FC RELU]*{k} FC"
    while "[" in text:
        text = re.sub(r"\[([^][]*)\]\*(\d+)", lambda found: (found[1] + " ") * int(found[2]), text)
    return text.split()


# ---- halvings
def halvings_loop(height, width):
    count = 0
    while height % 2 == 0 and width % 2 == 0:
        height, width, count = height // 2, width // 2, count + 1
    return count


def halvings_gcd(height, width):
    common = math.gcd(height, width)
    return next(power for power in range(64) if common % 2 ** (power + 1))


def halvings_text(height, width):
    return min(len(binary) - len(binary.rstrip("0")) for binary in (f"{height:b}", f"{width:b}"))


def halvings_recursive(height, width):
    return 0 if height % 2 or width % 2 else 1 + halvings_recursive(height // 2, width // 2)


# ---- follow_sizes
def sizes_divmod(size, layers):
    height, width = size
    sizes, misfits = [], []
    for number, (kernel, stride, padding) in enumerate(layers):
        down, across = height + 2 * padding - kernel, width + 2 * padding - kernel
        if down < 0 or across < 0:
            misfits.append(number)
            break
        if down % stride or across % stride:
            misfits.append(number)
        height, width = down // stride + 1, across // stride + 1
        sizes.append((height, width))
    return sizes, misfits


def sizes_counted(size, layers):
    """Window after window is put down."""
    sizes, misfits = (), ()
    for number, (kernel, stride, padding) in enumerate(layers):
        starts = [range(-padding, side + padding - kernel + 1, stride) for side in size]
        if not all(starts):
            return sizes, (*misfits, number)
        if any(first[-1] + kernel != side + padding for first, side in zip(starts, size, strict=True)):
            misfits += (number,)
        size = tuple(map(len, starts))
        sizes += (size,)
    return [list(sizes), list(misfits)]


def sizes_fractions(size, layers):
    def through(size, layers, number):
        if not layers:
            return [], []
        kernel, stride, padding = layers[0]
        exact = [Fraction(side + 2 * padding - kernel, stride) + 1 for side in size]
        if min(side + 2 * padding - kernel for side in size) < 0:
            return [], [number]
        sizes, misfits = through([math.floor(one) for one in exact], layers[1:], number + 1)
        whole = all(one.denominator == 1 for one in exact)
        return [np.array([math.floor(one) for one in exact]), *sizes], misfits if whole else [number, *misfits]

    return through(size, layers, 0)


# ---- convolution_cost
def convolution_parameters_formula(in_channels, out_channels, kernel_size, groups):
    height, width = kernel_size
    return out_channels * (in_channels // groups) * height * width + out_channels


def convolution_parameters_arrays(in_channels, out_channels, kernel_size, groups):
    weight = np.empty((out_channels, in_channels // groups, *kernel_size), np.int8)
    return np.int64(weight.size + np.empty(out_channels).size)


def convolution_parameters_by_groups(in_channels, out_channels, kernel_size, groups):
    total = 0
    for _ in range(groups):
        for _ in range(out_channels // groups):
            total += in_channels // groups * kernel_size[0] * kernel_size[1] + 1
    return float(total)


def convolution_work_formula(in_shape, out_channels, kernel_size, stride, padding, groups):
    channels, height, width = in_shape
    rows = (height - kernel_size[0] + 2 * padding) // stride + 1
    columns = (width - kernel_size[1] + 2 * padding) // stride + 1
    return out_channels * rows * columns * kernel_size[0] * kernel_size[1] * channels // groups


def convolution_work_counted(in_shape, out_channels, kernel_size, stride, padding, groups):
    places = [len(range(0, side + 2 * padding - size + 1, stride))
              for side, size in zip(in_shape[1:], kernel_size, strict=True)]
    return np.prod([*places, *kernel_size, in_shape[0] / groups, out_channels], dtype=float)


def convolution_work_by_groups(in_shape, out_channels, kernel_size, stride, padding, groups):
    padded = np.broadcast_to(np.int8(0), [side + 2 * padding for side in in_shape[1:]])
    windows = sliding_window_view(padded, kernel_size)[::stride, ::stride]
    return sum(windows.size * (in_shape[0] // groups) * (out_channels // groups) for _ in range(groups))


# ---- stack_receptive_field
def field_upwards(layers):
    size = step = 1
    for kernel, stride, dilation in layers:
        size += dilation * (kernel - 1) * step
        step *= stride
    return size


def field_downwards(layers):
    size = 1
    for kernel, stride, dilation in reversed(layers):
        size = (size - 1) * stride + dilation * (kernel - 1) + 1
    return size


def field_of_reached(layers):
    first = last = 0
    for kernel, stride, dilation in layers[::-1]:
        first, last = first * stride, last * stride + dilation * (kernel - 1)
    return last - first + 1


def field_products(layers):
    strides = [1, *accumulate((stride for _, stride, _ in layers), lambda a, b: a * b)]
    return 1.0 + sum(d * (k - 1) * s for (k, _, d), s in zip(layers, strides, strict=False))


# ---- stack_cost
def stack_parameters_sum(channels, kernel_sizes):
    return sum(size**2 * channels**2 + channels for size in kernel_sizes)


def stack_parameters_filters(channels, kernel_sizes):
    total = 0
    for size in kernel_sizes:
        one_filter = size * size * channels + 1
        total += channels * one_filter
    return total


def stack_parameters_array(channels, kernel_sizes):
    sizes = np.array(kernel_sizes)
    return (sizes @ sizes) * channels**2 + len(sizes) * channels


def stack_work_sum(channels, height, width, kernel_sizes):
    return sum(size**2 * channels**2 for size in kernel_sizes) * height * width


def stack_work_numbers(channels, height, width, kernel_sizes):
    return sum(channels * height * width * (channels * size * size) for size in kernel_sizes)


def stack_work_array(channels, height, width, kernel_sizes):
    return float(np.square(kernel_sizes).sum() * channels * channels * height * width)


def stack_kept_product(channels, height, width, kernel_sizes):
    return channels * height * width * len(kernel_sizes)


def stack_kept_loop(channels, height, width, kernel_sizes):
    kept = 0
    for _ in kernel_sizes:
        kept += channels * height * width
    return kept


def stack_kept_arrays(channels, height, width, kernel_sizes):
    return sum(np.broadcast_to(0, (channels, height, width)).size for _ in kernel_sizes)


# ---- network_cost
def network_followed(in_shape, layers):
    shape = in_shape
    parameters, work, kept = 0, 0, math.prod(in_shape)
    for kind, *settings in layers:
        if kind == "CONV":
            filters, kernel, stride, padding, groups = settings
            rows, columns = ((side - kernel + 2 * padding) // stride + 1 for side in shape[1:])
            weights = filters * (shape[0] // groups) * kernel**2
            parameters += weights + filters
            work += weights * rows * columns
            shape = (filters, rows, columns)
        elif kind == "POOL":
            kernel, stride, padding = settings
            shape = (shape[0], *((side - kernel + 2 * padding) // stride + 1 for side in shape[1:]))
        else:
            units, = settings
            parameters += math.prod(shape) * units + units
            work += math.prod(shape) * units
            shape = (units,)
        kept += math.prod(shape)
    return parameters, work, kept


def network_fc_as_convolution(in_shape, layers):
    """An FC layer is a convolution with a filter as large as its input."""
    channels, height, width = in_shape
    rows = [(0, 0, channels * height * width)]
    for layer in layers:
        if layer[0] == "FC":
            layer = ("CONV", layer[1], (height, width), 1, 0, 1)
        *filters, kernel, stride, padding = layer[1:4] if layer[0] == "POOL" else layer[1:5]
        kernel = kernel if isinstance(kernel, tuple) else (kernel, kernel)
        height, width = ((side + 2 * padding - size) // stride + 1
                         for side, size in zip((height, width), kernel, strict=True))
        seen = 0
        if filters:
            seen, channels = channels // layer[5] * kernel[0] * kernel[1], filters[0]
        rows.append((channels * (seen + 1) if filters else 0, channels * height * width * seen,
                     channels * height * width))
    return np.sum(rows, axis=0)


def network_recursive(in_shape, layers):
    numbers = math.prod(in_shape)
    if not layers:
        return [0, 0, numbers]
    kind, *settings = layers[0]
    parameters = work = 0
    if kind == "FC":
        shape = settings
        parameters, work = (numbers + 1) * settings[0], numbers * settings[0]
    else:
        window = settings[-4:-1] if kind == "CONV" else settings
        sides = [len(range(0, side + 2 * window[2] - window[0] + 1, window[1])) for side in in_shape[1:]]
        shape = [settings[0] if kind == "CONV" else in_shape[0], *sides]
        if kind == "CONV":
            one = in_shape[0] // settings[4] * window[0] * window[0]
            parameters, work = settings[0] * (one + 1), one * math.prod(shape)
    later = network_recursive(tuple(shape), layers[1:])
    return [parameters + later[0], work + later[1], numbers + later[2]]


# ---- inception_forward
def windows_of(x, size, stride=1, padding=0, value=0.0):
    around = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    padded = np.pad(x, around, constant_values=value)
    return sliding_window_view(padded, size, axis=(2, 3))[:, :, ::stride, ::stride]


def conv(x, layer, stride=1, padding=0):
    weight, bias = layer
    windows = windows_of(x, weight.shape[2:], stride, padding)
    return np.einsum("nchwrs,kcrs->nkhw", windows, weight) + bias[:, None, None]


def relu(x):
    return np.maximum(x, 0)


def inception_windows(x, one, before_three, three, before_five, five, after_pool):
    pooled = windows_of(x, (3, 3), 1, 1, -np.inf).max(axis=(-2, -1))
    return np.concatenate([
        relu(conv(x, one)),
        relu(conv(relu(conv(x, before_three)), three, padding=1)),
        relu(conv(relu(conv(x, before_five)), five, padding=2)),
        relu(conv(pooled, after_pool)),
    ], axis=1)


def conv_by_taps(x, layer, stride=1, padding=0):
    """Tap after tap of the filter, each a product of matrices at all positions."""
    weight, bias = layer
    filters, _, rows, columns = weight.shape
    n, c, h, w = x.shape
    padded = np.zeros((n, c, h + 2 * padding, w + 2 * padding))
    padded[:, :, padding:padding + h, padding:padding + w] = x
    height, width = (h + 2 * padding - rows) // stride + 1, (w + 2 * padding - columns) // stride + 1
    out = np.zeros((n, filters, height, width))
    for u, v in np.ndindex(rows, columns):
        seen = padded[:, :, u:u + stride * (height - 1) + 1:stride, v:v + stride * (width - 1) + 1:stride]
        out += np.tensordot(seen, weight[:, :, u, v], axes=(1, 1)).transpose(0, 3, 1, 2)
    return out + bias.reshape(1, -1, 1, 1)


def inception_in_place(x, one, before_three, three, before_five, five, after_pool):
    n, _, h, w = x.shape
    layers = (one, three, five, after_pool)
    ends = np.cumsum([len(weight) for weight, _ in layers])
    out = np.empty((n, ends[-1], h, w), order="F")
    pooled = np.array(x, copy=True)
    for i, j in product(range(h), range(w)):
        pooled[:, :, i, j] = x[:, :, max(i - 1, 0):i + 2, max(j - 1, 0):j + 2].max(axis=(2, 3))
    inputs = x, relu(conv_by_taps(x, before_three)), relu(conv_by_taps(x, before_five)), pooled
    for end, layer, given in zip(ends, layers, inputs, strict=True):
        size = layer[0].shape[2]
        out[:, end - len(layer[0]):end] = conv_by_taps(given, layer, padding=(size - 1) // 2).clip(min=0)
    return out


def inception_by_sample(x, one, before_three, three, before_five, five, after_pool):
    """Through SciPy, sample by sample, channel by channel."""
    def convolved(maps, layer):
        return [sum(signal.correlate2d(channel, kernel, "same") for channel, kernel in zip(maps, kernels, strict=True))
                + bias for kernels, bias in zip(*layer, strict=True)]

    def positive(maps):
        return [np.where(one > 0, one, 0) for one in maps]

    out = []
    for sample in x:
        around = np.pad(sample, ((0, 0), (1, 1), (1, 1)), mode="edge")
        pooled = np.max([around[:, i:i + x.shape[2], j:j + x.shape[3]] for i in range(3) for j in range(3)], axis=0)
        out.append(positive(convolved(sample, one))
                   + positive(convolved(positive(convolved(sample, before_three)), three))
                   + positive(convolved(positive(convolved(sample, before_five)), five))
                   + positive(convolved(pooled, after_pool)))
    return np.array(out).tolist()


# ---- inception_cost
def channels_cases(in_channels, filters, reduced):
    one, _, three, _, five, after_pool = filters
    return one + three + five + (after_pool if reduced else in_channels)


def channels_slices(in_channels, filters, reduced):
    return sum(filters[:5:2]) + (in_channels, filters[5])[reduced]


def channels_arrays(in_channels, filters, reduced):
    last = [filters[0], filters[2], filters[4], filters[5] if reduced else in_channels]
    return np.concatenate([np.zeros((1, count)) for count in last], axis=1).shape[1]


def inception_layers(in_channels, filters, reduced):
    one, before_three, three, before_five, five, after_pool = filters
    layers = [(one, in_channels, 1)]
    layers += [(before_three, in_channels, 1), (three, before_three, 3)] if reduced else [(three, in_channels, 3)]
    layers += [(before_five, in_channels, 1), (five, before_five, 5)] if reduced else [(five, in_channels, 5)]
    return layers + [(after_pool, in_channels, 1)] * reduced


def inception_parameters_list(in_channels, filters, reduced):
    return sum(k * c * s * s + k for k, c, s in inception_layers(in_channels, filters, reduced))


def inception_parameters_formula(in_channels, filters, reduced):
    a, b, c, d, e, f = filters
    if reduced:
        return (a + b + d + f) * (in_channels + 1) + c * (9 * b + 1) + e * (25 * d + 1)
    return a * (in_channels + 1) + c * (9 * in_channels + 1) + e * (25 * in_channels + 1)


def inception_parameters_arrays(in_channels, filters, reduced):
    total = 0
    for k, c, s in inception_layers(in_channels, filters, reduced):
        total += np.empty((k, c, s, s), np.int8).nbytes + np.empty(k, np.int8).nbytes
    return total


def inception_work_list(in_channels, height, width, filters, reduced):
    return height * width * sum(k * c * s * s for k, c, s in inception_layers(in_channels, filters, reduced))


def inception_work_formula(in_channels, height, width, filters, reduced):
    a, b, c, d, e, f = filters
    if reduced:
        return (in_channels * (a + b + d + f) + 9 * b * c + 25 * d * e) * height * width
    return (a + 9 * c + 25 * e) * in_channels * height * width


def inception_work_from_parameters(in_channels, height, width, filters, reduced):
    biases = sum(filters) if reduced else sum(filters[:5:2])
    return height * width * (inception_parameters_formula(in_channels, filters, reduced) - biases)


# ---- residual_forward
def residual_windows(x, first, second, shortcut, stride):
    inner = conv(relu(conv(x, first, stride, 1)), second, 1, 1)
    return relu(inner + (x if shortcut is None else conv(x, shortcut, stride)))


def residual_by_taps(x, first, second, shortcut, stride):
    out = conv_by_taps(x, first, stride, 1)
    out[out < 0] = 0
    out = conv_by_taps(out, second, 1, 1)
    if shortcut is None:
        out += x
    else:
        mixed = np.tensordot(shortcut[0][:, :, 0, 0], x[:, :, ::stride, ::stride], axes=(1, 1)).swapaxes(0, 1)
        out += mixed + shortcut[1][:, np.newaxis, np.newaxis]
    return np.asfortranarray(np.where(out > 0, out, 0))


def residual_positions(x, first, second, shortcut, stride):
    def layer(x, pair, stride, padding):
        (weight, bias), (h, w) = pair, x.shape[2:]
        size = weight.shape[2]
        x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        return np.array([[[[(sample[:, i:i + size, j:j + size] * kernel).sum() + b
                            for j in range(0, w + 2 * padding - size + 1, stride)]
                           for i in range(0, h + 2 * padding - size + 1, stride)]
                          for kernel, b in zip(weight, bias, strict=True)] for sample in x])

    around = x if shortcut is None else layer(x, shortcut, stride, 0)
    total = layer(np.clip(layer(x, first, stride, 1), 0, None), second, 1, 1) + around
    return ((total + abs(total)) / 2).tolist()


# ---- residual_backward
def both_paths(grad_out, x, branch, branch_backward):
    g = grad_out * (x + branch(x) > 0)
    return g + branch_backward(g, x)


def both_paths_written(grad_out, x, branch, branch_backward):
    total = np.add(x, branch(x))
    g = np.zeros_like(grad_out)
    for place in np.ndindex(g.shape):
        if total[place] > 0:
            g[place] = grad_out[place]
    grad_x = branch_backward(g.copy(), x)
    for place in np.ndindex(g.shape):
        grad_x[place] += g[place]
    return np.asfortranarray(grad_x)


def both_paths_where(grad_out, x, branch, branch_backward):
    out = relu(branch(x) + x)
    g = np.where(out == 0, 0, grad_out)
    return np.sum([branch_backward(g, x), g], axis=0).tolist()


# ---- bottleneck_cost
def bottleneck_parameters_list(in_channels, middle, stride):
    layers = [(in_channels, middle, 1), (middle, middle, 9), (middle, 4 * middle, 1)]
    if stride != 1 or in_channels != 4 * middle:
        layers.append((in_channels, 4 * middle, 1))
    return sum(seen * filters * taps + 2 * filters for seen, filters, taps in layers)


def bottleneck_parameters_formula(in_channels, middle, stride):
    total = in_channels * middle + 13 * middle**2 + 12 * middle
    if not (stride == 1 and in_channels == 4 * middle):
        total += 4 * middle * in_channels + 8 * middle
    return total


def bottleneck_parameters_arrays(in_channels, middle, stride):
    shapes = [(middle, in_channels), (middle, middle, 3, 3), (4 * middle, middle)]
    shapes += [] if (stride, in_channels) == (1, 4 * middle) else [(4 * middle, in_channels)]
    return sum(np.zeros(shape, np.int8).size + 2 * shape[0] for shape in shapes)


def bottleneck_work_list(in_channels, middle, height, width, stride, version):
    small = ((height - 1) // stride + 1) * ((width - 1) // stride + 1)
    first = small if version == "v1" else height * width
    total = first * in_channels * middle + small * (9 * middle**2 + 4 * middle**2)
    if stride > 1 or in_channels != 4 * middle:
        total += small * in_channels * 4 * middle
    return total


def bottleneck_work_followed(in_channels, middle, height, width, stride, version):
    def layer(shape, filters, size, step):
        channels, *sides = shape
        new = [(side + 2 * (size // 2) - size) // step + 1 for side in sides]
        return (filters, *new), filters * channels * size**2 * new[0] * new[1]

    steps = {"v1": (stride, 1, 1), "v1.5": (1, stride, 1)}[version]
    start = shape = (in_channels, height, width)
    total = 0
    for filters, size, step in zip((middle, middle, 4 * middle), (1, 3, 1), steps, strict=True):
        shape, work = layer(shape, filters, size, step)
        total += work
    return total if shape == start else total + layer(start, 4 * middle, 1, stride)[1]


def bottleneck_work_counted(in_channels, middle, height, width, stride, version):
    places = len(range(0, height, stride)) * len(range(0, width, stride))
    before = {"v1": places, "v1.5": height * width}[version]
    straight = stride == 1 and in_channels == 4 * middle
    return float(before * middle * in_channels + places * middle * (13 * middle + 4 * in_channels * (not straight)))


# ---- separable_cost
def separable_parameters_sum(in_channels, out_channels, kernel_size):
    return in_channels * (kernel_size**2 + 1) + out_channels * (in_channels + 1)


def separable_parameters_arrays(in_channels, out_channels, kernel_size):
    arrays = (np.empty((in_channels, 1, kernel_size, kernel_size)), np.empty(in_channels),
              np.empty((out_channels, in_channels, 1, 1)), np.empty(out_channels))
    return sum(array.size for array in arrays)


def separable_parameters_by_groups(in_channels, out_channels, kernel_size):
    def convolution(c, k, size, groups):
        return k * (c // groups) * size * size + k

    return convolution(in_channels, in_channels, kernel_size, in_channels) + convolution(
        in_channels, out_channels, 1, 1)


def separable_work_sum(in_channels, out_channels, kernel_size, height, width):
    return (in_channels * kernel_size**2 + in_channels * out_channels) * height * width


def separable_work_loop(in_channels, out_channels, kernel_size, height, width):
    work = 0
    for _ in range(in_channels):
        work += height * width * kernel_size * kernel_size
    for _ in range(out_channels):
        work += height * width * in_channels
    return work


def separable_work_from_parameters(in_channels, out_channels, kernel_size, height, width):
    weights = separable_parameters_arrays(in_channels, out_channels, kernel_size) - in_channels - out_channels
    return np.float64(weights) * height * width


# ---- transposed_conv2d
def transposed_stamps(x, weight, bias, stride):
    (n, _, h, w), (_, k, r, s) = x.shape, weight.shape
    out = np.zeros((n, k, (h - 1) * stride + r, (w - 1) * stride + s), dtype=x.dtype)
    for i in range(h):
        for j in range(w):
            stamp = np.einsum("nc,ckrs->nkrs", x[:, :, i, j], weight)
            out[:, :, i * stride:i * stride + r, j * stride:j * stride + s] += stamp
    return out + bias[:, None, None]


def transposed_spread(x, weight, bias, stride):
    """Zeros between the inputs, then a true convolution, which turns the filter."""
    n, c, h, w = x.shape
    spread = np.zeros((n, c, (h - 1) * stride + 1, (w - 1) * stride + 1))
    spread[:, :, ::stride, ::stride] = x
    return [[sum(signal.convolve2d(spread[b, i], weight[i, o], "full") for i in range(c)) + bias[o]
             for o in range(weight.shape[1])] for b in range(n)]


def transposed_by_taps(x, weight, bias, stride):
    (n, _, h, w), (_, k, r, s) = x.shape, weight.shape
    out = np.empty((n, k, (h - 1) * stride + r, (w - 1) * stride + s), order="F")
    out[...] = bias.reshape(k, 1, 1)
    for u, v in np.ndindex(r, s):
        out[:, :, u:u + (h - 1) * stride + 1:stride, v:v + (w - 1) * stride + 1:stride] += np.einsum(
            "nchw,ck->nkhw", x, weight[:, :, u, v])
    return out


RIGHT = {
    "expand_pattern": [(pattern_lists,), (pattern_loops,), (pattern_text,)],
    "halvings": [(halvings_loop,), (halvings_gcd,), (halvings_text,), (halvings_recursive,)],
    "follow_sizes": [(sizes_divmod,), (sizes_counted,), (sizes_fractions,)],
    "convolution_cost": [
        (convolution_parameters_formula, convolution_work_formula),
        (convolution_parameters_arrays, convolution_work_counted),
        (convolution_parameters_by_groups, convolution_work_by_groups)],
    "stack_receptive_field": [(field_upwards,), (field_downwards,), (field_of_reached,), (field_products,)],
    "stack_cost": [
        (stack_parameters_sum, stack_work_sum, stack_kept_product),
        (stack_parameters_filters, stack_work_numbers, stack_kept_loop),
        (stack_parameters_array, stack_work_array, stack_kept_arrays)],
    "network_cost": [(network_followed,), (network_fc_as_convolution,), (network_recursive,)],
    "inception_forward": [(inception_windows,), (inception_in_place,), (inception_by_sample,)],
    "inception_cost": [
        (channels_cases, inception_parameters_list, inception_work_list),
        (channels_slices, inception_parameters_formula, inception_work_formula),
        (channels_arrays, inception_parameters_arrays, inception_work_from_parameters)],
    "residual_forward": [(residual_windows,), (residual_by_taps,), (residual_positions,)],
    "residual_backward": [(both_paths,), (both_paths_written,), (both_paths_where,)],
    "bottleneck_cost": [
        (bottleneck_parameters_list, bottleneck_work_list), (bottleneck_parameters_formula, bottleneck_work_followed),
        (bottleneck_parameters_arrays, bottleneck_work_counted)],
    "separable_cost": [
        (separable_parameters_sum, separable_work_sum), (separable_parameters_arrays, separable_work_loop),
        (separable_parameters_by_groups, separable_work_from_parameters)],
    "transposed_conv2d": [(transposed_stamps,), (transposed_spread,), (transposed_by_taps,)],
}
