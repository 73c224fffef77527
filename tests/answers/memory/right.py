"""Right answers to every exercise, each by another way of thinking; none of them calls the reference."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import reduce
from itertools import pairwise
from operator import mul

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

KINDS = {"input", "conv", "pool", "fc"}


# ---- format_bytes
def format_loop(count, binary):
    units = ["B", "KiB", "MiB", "GiB", "TiB"] if binary else ["B", "kB", "MB", "GB", "TB"]
    step = 1024 if binary else 1000
    if count < step:
        return f"{count} B"
    number, place = count, 0
    while number >= step and place < len(units) - 1:
        number, place = number / step, place + 1
    return f"{number:.1f} {units[place]}"


def format_from_the_top(count, binary):
    i, step = ("i", 1024) if binary else ("", 1000)
    for power, letter in ((4, "T"), (3, "G"), (2, "M"), (1, "K" if binary else "k")):
        if count >= step**power:
            return f"{count / step**power:0.1f} {letter}{i}B"
    return str(count) + " B"


def format_logarithm(count, binary):
    step = (1000, 1024)[binary]
    power = min((len(str(count)) - 1) // 3, 4) if not binary else min(max(count.bit_length() - 1, 0) // 10, 4)
    name = (" kMGT"[power] if not binary else " KMGT"[power]).strip()
    number = str(count) if power == 0 else format(np.float64(count) / step**power, ".1f")
    return " ".join([number, name + ("i" if binary and power else "") + "B"])


# ---- activation_bytes
def activations_loop(layers, batch_size, bytes_per_number):
    found = []
    for kind, shape in layers:
        if kind in ("relu", "bn", "dropout", "flatten", "add"):
            found.append(0)
            continue
        numbers = 1
        for length in shape:
            numbers = numbers * length
        found.append(numbers * batch_size * bytes_per_number)
    return found


def activations_numpy(layers, batch_size, bytes_per_number):
    counts = np.array([np.prod(shape) for _, shape in layers])
    mask = np.array([kind in KINDS for kind, _ in layers])
    return np.where(mask, counts, 0) * bytes_per_number * batch_size


def activations_functional(layers, batch_size, bytes_per_number):
    return tuple(reduce(mul, (*shape, batch_size), bytes_per_number) * (kind in KINDS) for kind, shape in layers)


def activations_float(layers, batch_size, bytes_per_number):
    return [float(batch_size * bytes_per_number * math.prod(s)) if k in KINDS else 0.0 for k, s in layers]


# ---- parameter_memory
def parameters_loop(weight_shapes, optimizer, bytes_per_number):
    count = 0
    for shape in weight_shapes:
        count += int(np.prod(shape)) + shape[0]
    if optimizer == "sgd":
        caches = 0
    elif optimizer == "adam":
        caches = 2
    else:
        caches = 1
    return count * bytes_per_number, count * bytes_per_number, caches * count * bytes_per_number


def parameters_filters(weight_shapes, optimizer, bytes_per_number):
    once = sum(shape[0] * (1 + math.prod(shape[1:])) for shape in weight_shapes) * bytes_per_number
    return [once, once, once * {"sgd": 0, "momentum": 1, "rmsprop": 1, "adam": 2}[optimizer]]


def parameters_vector(weight_shapes, optimizer, bytes_per_number):
    once = 0
    for filters, *rest in weight_shapes:
        inputs = 1
        while rest:
            inputs *= rest.pop()
        once += filters * inputs + filters
    copies = np.array([1, 1, ["sgd", "momentum", "adam"].index(optimizer.replace("rmsprop", "momentum"))])
    return copies * once * bytes_per_number


# ---- workspace_and_data
def columns_formula(x_shape, kernel_size, stride, padding, bytes_per_number):
    n, c, h, w = x_shape
    kh, kw = kernel_size
    return (n * c * kh * kw * ((h - kh + 2 * padding) // stride + 1) * ((w - kw + 2 * padding) // stride + 1)
            * bytes_per_number)


def columns_counted(x_shape, kernel_size, stride, padding, bytes_per_number):
    positions = [len(range(0, side + 2 * padding - extent + 1, stride))
                 for side, extent in zip(x_shape[2:], kernel_size, strict=True)]
    return math.prod([*x_shape[:2], *kernel_size, *positions]) * bytes_per_number


def columns_view(x_shape, kernel_size, stride, padding, bytes_per_number):
    sides = [side + 2 * padding for side in x_shape[2:]]
    nothing = np.broadcast_to(np.zeros((), np.int8), (*x_shape[:2], *sides))
    windows = sliding_window_view(nothing, kernel_size, axis=(2, 3))[:, :, ::stride, ::stride]
    return np.int64(windows.size) * bytes_per_number


def data_sum(raw_shape, crop_shape, batch_size, waiting, versions):
    return batch_size * (waiting * math.prod(raw_shape) + 4 * versions * math.prod(crop_shape))


def data_arrays(raw_shape, crop_shape, batch_size, waiting, versions):
    raw = np.broadcast_to(np.uint8(0), (waiting, batch_size, *raw_shape))
    crops = np.broadcast_to(np.float32(0), (versions, batch_size, *crop_shape))
    return raw.size * raw.itemsize + crops.size * crops.itemsize


def data_loops(raw_shape, crop_shape, batch_size, waiting, versions):
    total = 0
    for _ in range(waiting):
        total += batch_size * int(np.prod(raw_shape))
    for _ in range(versions):
        total += batch_size * int(np.prod(crop_shape)) * 4
    return float(total)


# ---- training_and_inference
def training_plain(sizes, parameter_count, batch_size, optimizer, bytes_per_number):
    copies = {"sgd": 2, "momentum": 3, "rmsprop": 3, "adam": 4}[optimizer]
    return (copies * parameter_count + batch_size * sum(sizes)) * bytes_per_number


def training_numpy(sizes, parameter_count, batch_size, optimizer, bytes_per_number):
    caches = ("sgd", "momentum", "adam").index("momentum" if optimizer == "rmsprop" else optimizer)
    return np.dot([2 + caches, batch_size], [parameter_count, np.sum(sizes)]) * bytes_per_number


def training_loop(sizes, parameter_count, batch_size, optimizer, bytes_per_number):
    total = 0.0
    for size in sizes:
        total += size * batch_size * bytes_per_number
    for needed in (True, True, optimizer != "sgd", optimizer == "adam"):
        total += parameter_count * bytes_per_number * needed
    return total


def inference_zip(sizes, parameter_count, batch_size, bytes_per_number):
    pair = max(map(sum, pairwise(sizes)))
    return (parameter_count + batch_size * pair) * bytes_per_number


def inference_numpy(sizes, parameter_count, batch_size, bytes_per_number):
    pairs = np.convolve(sizes, [1, 1], "valid")
    return bytes_per_number * parameter_count + bytes_per_number * batch_size * pairs.max()


def inference_simulated(sizes, parameter_count, batch_size, bytes_per_number):
    always = parameter_count * bytes_per_number
    held, peak = sizes[0] * batch_size * bytes_per_number, 0
    for size in sizes[1:]:
        made = size * batch_size * bytes_per_number
        peak = max(peak, always + held + made)
        held = made
    return peak


# ---- largest_batch
def batch_floor(amount, unit, fixed_bytes, bytes_per_sample):
    budget = amount * {"MB": 10**6, "MiB": 2**20, "GB": 10**9, "GiB": 2**30}[unit]
    return max(int((budget - fixed_bytes) // bytes_per_sample), 0)


def batch_branches(amount, unit, fixed_bytes, bytes_per_sample):
    base = 1024 if "i" in unit else 1000
    free = amount * base ** (2 if unit[0] == "M" else 3) - fixed_bytes
    if free < bytes_per_sample:
        return 0
    return free // bytes_per_sample


def batch_bisection(amount, unit, fixed_bytes, bytes_per_sample):
    budget = int(amount * (10**6 if unit == "MB" else 2**20 if unit == "MiB" else 10**9 if unit == "GB" else 2**30))
    low, high = 0, 2**40
    while high - low > 1:
        middle = (low + high) // 2
        if fixed_bytes + middle * bytes_per_sample <= budget:
            low = middle
        else:
            high = middle
    return low


# ---- fixed_and_per_sample
def line_slope(batch_1, peak_1, batch_2, peak_2):
    sample = (peak_2 - peak_1) / (batch_2 - batch_1)
    return peak_1 - sample * batch_1, sample


def line_solve(batch_1, peak_1, batch_2, peak_2):
    return np.linalg.solve([[1, batch_1], [1, batch_2]], [peak_1, peak_2])


def line_determinants(batch_1, peak_1, batch_2, peak_2):
    whole = batch_1 - batch_2
    return [(batch_1 * peak_2 - batch_2 * peak_1) / whole, (peak_1 - peak_2) / whole]


def line_fitted(batch_1, peak_1, batch_2, peak_2):
    slope, intercept = np.polyfit([batch_1, batch_2], [peak_1, peak_2], 1)
    return intercept, slope


# ---- checkpointed_bytes
def kept_slices(sizes, segment_length):
    kept = sum(sizes[::segment_length])
    return kept + max(sum(sizes[i + 1:i + segment_length]) for i in range(0, len(sizes), segment_length))


def kept_loop(sizes, segment_length):
    kept = largest = segment = 0
    for number, size in enumerate(sizes):
        if number % segment_length == 0:
            kept, segment = kept + size, 0
        else:
            segment += size
            largest = max(largest, segment)
    return kept + largest


def kept_table(sizes, segment_length):
    rows = -(-len(sizes) // segment_length)
    table = np.zeros(rows * segment_length)
    table[:len(sizes)] = sizes
    table = table.reshape(rows, segment_length)
    return table[:, 0].sum() + table[:, 1:].sum(axis=1).max()


# ---- best_segment_length
def best_min(sizes):
    return min(range(1, len(sizes) + 1), key=lambda length: kept_slices(sizes, length))


def best_loop_downward(sizes):
    best, peak = None, float("inf")
    for length in range(len(sizes), 0, -1):
        needed = kept_loop(sizes, length)
        if needed < peak:
            best, peak = length, needed
    return best


def best_argmin(sizes):
    return np.argmin([kept_table(sizes, length) for length in range(1, len(sizes) + 1)]) + 1


# ---- mixed_precision_bytes
def mixed_formula(parameter_count, activation_count, batch_size, optimizer):
    caches = {"sgd": 0, "momentum": 1, "rmsprop": 1, "adam": 2}[optimizer]
    return (8 + 4 * caches) * parameter_count, 2 * activation_count * batch_size


def mixed_listed(parameter_count, activation_count, batch_size, optimizer):
    widths = [2, 2, 4]
    if optimizer != "sgd":
        widths += [4, 4] if optimizer == "adam" else [4]
    return np.array([sum(width * parameter_count for width in widths), activation_count * batch_size * 2])


def mixed_like_single(parameter_count, activation_count, batch_size, optimizer):
    single = parameters_filters(((parameter_count, 0),), optimizer, 4)
    return [float(sum(single)), batch_size * activation_count * 16 / 8]


# ---- further ways: recursion, reduceat, exact fractions, single precision, text out of NumPy
def format_recursive(count, binary, place=0):
    step = 1024 if binary else 1000
    if count >= step and place < 4:
        return format_recursive(count / step, binary, place + 1)
    unit = ("B KiB MiB GiB TiB" if binary else "B kB MB GB TB").split()[place]
    return np.str_(f"{count if place == 0 else round(float(count), 1)} {unit}")


def activations_single(layers, batch_size, bytes_per_number):
    counts = [np.prod(shape, dtype=np.float32) if kind in KINDS else False for kind, shape in layers]
    return np.float32(batch_size * bytes_per_number) * np.asarray(counts, np.float32)


def training_arrays(sizes, parameter_count, batch_size, optimizer, bytes_per_number):
    arrays = [parameter_count] * {"sgd": 2, "adam": 4}.get(optimizer, 3) + [size * batch_size for size in sizes]
    return np.float32(sum(arrays) * bytes_per_number)


def inference_recursive(sizes, parameter_count, batch_size, bytes_per_number):
    def largest(rest):
        return rest[0] + rest[1] if len(rest) == 2 else max(rest[0] + rest[1], largest(rest[1:]))
    return np.array((parameter_count + batch_size * largest(sizes)) * bytes_per_number)


def batch_fraction(amount, unit, fixed_bytes, bytes_per_sample):
    power = "BMG".index(unit[0]) + 1
    budget = Fraction(amount) * (1024 if unit[1] == "i" else 1000) ** power
    return np.clip(np.floor(float((budget - fixed_bytes) / bytes_per_sample)), 0, None)


def line_fractions(batch_1, peak_1, batch_2, peak_2):
    sample = Fraction(peak_2 - peak_1, batch_2 - batch_1)
    return np.array([float(peak_2 - sample * batch_2), float(sample)], np.float32)


def kept_reduceat(sizes, segment_length):
    number = np.arange(len(sizes))
    kept = number % segment_length == 0
    again = np.add.reduceat(np.where(kept, 0, sizes), number[kept])
    return np.dot(kept, sizes) + again.max()


def best_from_the_long_end(sizes):
    # Keeping everything takes as much as keeping the input only, so length 1 is never better than all others.
    return max(range(2, len(sizes) + 1), key=lambda length: -kept_loop(sizes, length), default=1)


RIGHT: dict[str, list[tuple]] = {
    "format_bytes": [(f,) for f in (format_loop, format_from_the_top, format_logarithm, format_recursive)],
    "activation_bytes": [(f,) for f in (activations_loop, activations_numpy, activations_functional,
                                        activations_float, activations_single)],
    "parameter_memory": [(f,) for f in (parameters_loop, parameters_filters, parameters_vector)],
    "workspace_and_data": [(columns_formula, data_sum), (columns_counted, data_arrays), (columns_view, data_loops)],
    "training_and_inference": [(training_plain, inference_zip), (training_numpy, inference_numpy),
                               (training_loop, inference_simulated), (training_arrays, inference_recursive)],
    "largest_batch": [(f,) for f in (batch_floor, batch_branches, batch_bisection, batch_fraction)],
    "fixed_and_per_sample": [(f,) for f in (line_slope, line_solve, line_determinants, line_fitted,
                                            line_fractions)],
    "checkpointed_bytes": [(f,) for f in (kept_slices, kept_loop, kept_table, kept_reduceat)],
    "best_segment_length": [(f,) for f in (best_min, best_loop_downward, best_argmin, best_from_the_long_end)],
    "mixed_precision_bytes": [(f,) for f in (mixed_formula, mixed_listed, mixed_like_single)],
}
