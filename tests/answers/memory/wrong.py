"""Wrong answers written out as students write them, not as the misconceptions are coded."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from tests.answers.mutations import Edit, Mutations

FORMAT = """
def format_bytes(count, binary):
    if binary:
        step, units = 1024, ("B", "KiB", "MiB", "GiB", "TiB")
    else:
        step, units = 1000, ("B", "kB", "MB", "GB", "TB")
    place, number = 0, count
    while number >= step and place < 4:
        number = number / step
        place = place + 1
    if place == 0:
        return str(count) + " B"
    return f"{number:.1f} " + units[place]
"""
ACTIVATIONS = """
def activation_bytes(layers, batch_size, bytes_per_number):
    result = []
    for kind, shape in layers:
        if kind in ("input", "conv", "pool", "fc"):
            numbers = 1
            for length in shape:
                numbers *= length
            result.append(numbers * batch_size * bytes_per_number)
        else:
            result.append(0)
    return result
"""
PARAMETERS = """
def parameter_memory(weight_shapes, optimizer, bytes_per_number):
    count = 0
    for shape in weight_shapes:
        weights = 1
        for length in shape:
            weights *= length
        count += weights + shape[0]
    caches = {"sgd": 0, "momentum": 1, "rmsprop": 1, "adam": 2}
    once = count * bytes_per_number
    return once, 1 * once, caches[optimizer] * once
"""
REST = """
def im2col_bytes(x_shape, kernel_size, stride, padding, bytes_per_number):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH = (H - KH + 2 * padding) // stride + 1
    OW = (W - KW + 2 * padding) // stride + 1
    return N * C * KH * KW * OH * OW * bytes_per_number

def batch_data_bytes(raw_shape, crop_shape, batch_size, waiting, versions):
    raw = raw_shape[0] * raw_shape[1] * raw_shape[2]
    crop = crop_shape[0] * crop_shape[1] * crop_shape[2] * 4
    return batch_size * (waiting * raw + versions * crop)
"""
MODES = """
def training_bytes(sizes, parameter_count, batch_size, optimizer, bytes_per_number):
    caches = 0
    if optimizer in ("momentum", "rmsprop"):
        caches = 1
    if optimizer == "adam":
        caches = 2
    fixed = (2 + caches) * parameter_count
    kept = sum(sizes) * batch_size
    return (fixed + kept) * bytes_per_number

def inference_bytes(sizes, parameter_count, batch_size, bytes_per_number):
    largest = 0
    for i in range(len(sizes) - 1):
        largest = max(largest, sizes[i] + sizes[i + 1])
    return bytes_per_number * (parameter_count + largest * batch_size)
"""
BATCH = """
def largest_batch(amount, unit, fixed_bytes, bytes_per_sample):
    budget = amount * {"MB": 10**6, "MiB": 2**20, "GB": 10**9, "GiB": 2**30}[unit]
    free = budget - fixed_bytes
    batch = int(free // bytes_per_sample)
    return max(batch, 0)
"""
LINE = """
def fixed_and_per_sample(batch_1, peak_1, batch_2, peak_2):
    sample = (peak_2 - peak_1) / (batch_2 - batch_1)
    fixed = peak_1 - sample * batch_1
    return fixed, sample
"""
KEPT = """
def checkpointed_bytes(sizes, segment_length):
    kept = 0
    largest = 0
    for start in range(0, len(sizes), segment_length):
        kept += sizes[start]
        segment = sum(sizes[start + 1 : start + segment_length])
        largest = max(largest, segment)
    return kept + largest
"""
BEST = """
def best_segment_length(sizes):
    best, lowest = 1, float("inf")
    for length in range(1, len(sizes) + 1):
        segments = [sum(sizes[i + 1 : i + length]) for i in range(0, len(sizes), length)]
        peak = sum(sizes[::length]) + max(segments)
        if peak < lowest:
            best, lowest = length, peak
    return best
"""
MIXED = """
def mixed_precision_bytes(parameter_count, activation_count, batch_size, optimizer):
    caches = {"sgd": 0, "momentum": 1, "rmsprop": 1, "adam": 2}
    each = 2 + 2 + 4
    each += 4 * caches[optimizer]
    return each * parameter_count, activation_count * batch_size * 2
"""


def _only_three_lengths(layers, batch_size, bytes_per_number):
    out = []
    for kind, (channels, height, width) in layers:
        stored = kind in ("input", "conv", "pool", "fc")
        out.append(channels * height * width * batch_size * bytes_per_number if stored else 0)
    return out


def _only_convolutions(weight_shapes, optimizer, bytes_per_number):
    count = sum(k * c * h * w + k for k, c, h, w in weight_shapes) * bytes_per_number
    return count, count, count * {"sgd": 0, "momentum": 1, "rmsprop": 1, "adam": 2}[optimizer]


def _returns_in_loop(weight_shapes, optimizer, bytes_per_number):
    total = 0
    for shape in weight_shapes:
        total += np.prod(shape) + shape[0]
        once = int(total) * bytes_per_number
        return once, once, once * {"sgd": 0, "momentum": 1, "rmsprop": 1, "adam": 2}[optimizer]


def _training(sizes, parameter_count, batch_size, optimizer, bytes_per_number):
    caches = {"sgd": 0, "momentum": 1, "rmsprop": 1, "adam": 2}[optimizer]
    return (parameter_count * (2 + caches) + batch_size * sum(sizes)) * bytes_per_number


def _inference(sizes, parameter_count, batch_size, bytes_per_number):
    return (parameter_count + batch_size * max(map(sum, pairwise(sizes)))) * bytes_per_number


def _columns(x_shape, kernel_size, stride, padding, bytes_per_number):
    (n, c, h, w), (r, s) = x_shape, kernel_size
    return n * c * r * s * ((h - r + 2 * padding) // stride + 1) * ((w - s + 2 * padding) // stride + 1) \
        * bytes_per_number


def _data(raw_shape, crop_shape, batch_size, waiting, versions):
    return batch_size * (waiting * math.prod(raw_shape) + versions * 4 * math.prod(crop_shape))


def _divides_whole(count, binary):
    step, place = (1024 if binary else 1000), 0
    while count >= step and place < 4:
        count //= step
        place += 1
    unit = ["B", "KiB" if binary else "kB", *(letter + "i" * binary + "B" for letter in "MGT")][place]
    return f"{count:.1f} {unit}" if place else f"{count} B"


def _product_not_begun_anew(layers, batch_size, bytes_per_number):
    result, numbers = [], 1
    for kind, shape in layers:
        if kind in ("input", "conv", "pool", "fc"):
            for length in shape:
                numbers *= length
            result.append(numbers * batch_size * bytes_per_number)
        else:
            result.append(0)
    return result


def _stride_on_rows(x_shape, kernel_size, stride, padding, bytes_per_number):
    high = (x_shape[2] - kernel_size[0] + 2 * padding) // stride + 1
    wide = x_shape[3] - kernel_size[1] + 2 * padding + 1
    return np.prod([*x_shape[:2], *kernel_size, high, wide]) * bytes_per_number


def _ring_of_pairs(sizes, parameter_count, batch_size, bytes_per_number):
    largest = max(sizes[i] + sizes[i - 1] for i in range(len(sizes)))
    return (parameter_count + batch_size * largest) * bytes_per_number


def _heaviest_by_python(sizes, segment_length):
    segments = [sizes[i + 1:i + segment_length] for i in range(0, len(sizes), segment_length)]
    return sum(sizes[::segment_length]) + sum(max(segments))


WRONG: list[tuple] = [
    ("format_bytes", "fractions lost on the way", _divides_whole),
    ("activation_bytes", "the product carried on from layer to layer", _product_not_begun_anew),
    ("parameter_memory", "biases of one kind of layer forgotten", lambda shapes, optimizer, width: tuple(
        times * width * sum(np.prod(s) + (s[0] if len(s) > 2 else 0) for s in shapes)
        for times in (1, 1, {"sgd": 0, "adam": 2}.get(optimizer, 1)))),
    ("workspace_and_data", "stride along one axis only", (_stride_on_rows, _data)),
    ("training_and_inference", "gradients or caches for each picture",
     (lambda sizes, p, n, optimizer, width: width * (
         p + n * (p + sum(sizes)) + p * {"sgd": 0, "adam": 2}.get(optimizer, 1)), _inference)),
    ("training_and_inference", "the last and the first taken as neighbors", (_training, _ring_of_pairs)),
    ("largest_batch", "amount cut off", lambda amount, unit, fixed, sample: max(0, (
        int(amount) * (1024 if "i" in unit else 1000) ** (2 + (unit[0] == "G")) - fixed) // sample)),
    ("checkpointed_bytes", "compared by the first activation", _heaviest_by_python),
    ("checkpointed_bytes", "later checkpoints left out", lambda sizes, k: max(
        sum(sizes[:i:k]) + sum(sizes[i:i + k]) for i in range(0, len(sizes), k))),
    ("mixed_precision_bytes", "gradients of the master copy",
     lambda p, a, n, optimizer: [4 * p * {"sgd": 3, "adam": 5}.get(optimizer, 4), 2 * a * n]),
    ("format_bytes", "powers of 1,024 for both",
     lambda count, binary: next((f"{count / 1024**p:.1f} {u[binary]}" for p, u in (
         (4, ("TB", "TiB")), (3, ("GB", "GiB")), (2, ("MB", "MiB")), (1, ("kB", "KiB"))) if count >= 1024**p),
         f"{count} B")),
    ("format_bytes", "always the same unit", lambda count, binary: f"{count / 1024**2:.1f} MiB" if binary else
     f"{count / 1e6:.1f} MB"),
    ("format_bytes", "another number of digits",
     lambda count, binary: next((f"{round(count / (1024 if binary else 1000)**p, 1)} {u[binary]}" for p, u in (
         (4, ("TB", "TiB")), (3, ("GB", "GiB")), (2, ("MB", "MiB")), (1, ("kB", "KiB")))
         if count >= (1024 if binary else 1000)**p), f"{count} B").replace(".0 ", " ")),
    ("activation_bytes", "batch size forgotten",
     lambda layers, batch, width: [np.prod(shape) * width * (kind in ("input", "conv", "pool", "fc"))
                                   for kind, shape in layers]),
    ("activation_bytes", "ReLU counted again",
     lambda layers, batch, width: [0 if kind in ("bn", "dropout", "flatten", "add") else np.prod(shape) * width * batch
                                   for kind, shape in layers]),
    ("activation_bytes", "every layer counted",
     lambda layers, batch, width: [math.prod(shape) * batch * width for _, shape in layers]),
    ("activation_bytes", "input not counted",
     lambda layers, batch, width: [math.prod(shape) * batch * width if kind in ("conv", "pool", "fc") else 0
                                   for kind, shape in layers]),
    ("activation_bytes", "only the total",
     lambda layers, batch, width: np.sum([math.prod(shape) * batch * width for kind, shape in layers
                                          if kind in ("input", "conv", "pool", "fc")])),
    ("activation_bytes", "always four bytes",
     lambda layers, batch, width: [np.zeros((1, *shape), np.float32).nbytes * batch
                                   if kind in ("input", "conv", "pool", "fc") else 0 for kind, shape in layers]),
    ("parameter_memory", "biases forgotten",
     lambda shapes, optimizer, width: [sum(math.prod(s) for s in shapes) * width * times for times in
                                       (1, 1, {"sgd": 0, "momentum": 1, "rmsprop": 1, "adam": 2}[optimizer])]),
    ("parameter_memory", "always three times",
     lambda shapes, optimizer, width: (sum(math.prod(s) + s[0] for s in shapes) * width,) * 3),
    ("parameter_memory", "only the first layer", _returns_in_loop),
    ("workspace_and_data", "only one picture", (lambda x, *more: _columns((1, *x[1:]), *more), _data)),
    ("workspace_and_data", "overlapping windows counted once",
     (lambda x, k, s, p, width: int(np.prod(x)) * width, _data)),
    ("workspace_and_data", "raw pictures in four bytes",
     (_columns, lambda raw, crop, n, w, v: 4 * n * (w * math.prod(raw) + v * math.prod(crop)))),
    ("workspace_and_data", "versions of everything that waits",
     (_columns, lambda raw, crop, n, w, v: n * w * (math.prod(raw) + 4 * v * math.prod(crop)))),
    ("training_and_inference", "batch size applied to the parameters",
     (lambda sizes, p, n, optimizer, width: n * width * (
         sum(sizes) + p * {"sgd": 2, "adam": 4}.get(optimizer, 3)),
      _inference)),
    ("training_and_inference", "sum instead of the largest pair",
     (_training, lambda sizes, p, n, width: width * p + width * n * int(np.sum(sizes)))),
    ("training_and_inference", "the two largest layers",
     (_training, lambda sizes, p, n, width: width * (p + n * (max(sizes) + sorted(sizes)[-2])))),
    ("largest_batch", "one sample too many",
     lambda amount, unit, fixed, sample: max(0, int(np.ceil(
         (amount * {"MB": 1e6, "MiB": 2**20, "GB": 1e9, "GiB": 2**30}[unit] - fixed) / sample)))),
    ("largest_batch", "binary units for both",
     lambda amount, unit, fixed, sample: max(0, int(amount * (1024**3 if "G" in unit else 1024**2) - fixed) // sample)),
    ("largest_batch", "fixed memory subtracted for each sample",
     lambda amount, unit, fixed, sample: int(
         amount * {"MB": 1e6, "MiB": 2**20, "GB": 1e9, "GiB": 2**30}[unit] / (fixed + sample))),
    ("fixed_and_per_sample", "memory divided by the batch", lambda b1, p1, b2, p2: (0, p1 / b1)),
    ("fixed_and_per_sample", "the first measurement taken as fixed",
     lambda b1, p1, b2, p2: (p1, (p1 - p2) / (b1 - b2))),
    ("checkpointed_bytes", "kept ones counted twice",
     lambda sizes, k: sum(sizes[::k]) + max(sum(sizes[j] for j in range(i, min(i + k, len(sizes))))
                                            for i in range(0, len(sizes), k))),
    ("checkpointed_bytes", "only for equal sizes", lambda sizes, k: len(sizes) / k + k),
    ("best_segment_length", "the root of the number", lambda sizes: int(len(sizes) ** 0.5)),
    ("best_segment_length", "the length that keeps everything",
     lambda sizes: max(range(1, len(sizes) + 1), key=lambda k: sum(sizes[::k]) + max(
         sum(sizes[i + 1:i + k]) for i in range(0, len(sizes), k)))),
    ("best_segment_length", "lengths counted from zero",
     lambda sizes: int(np.argmin([sum(sizes[::k]) + max(sum(sizes[i + 1:i + k]) for i in range(0, len(sizes), k))
                                  for k in range(1, len(sizes) + 1)]))),
    ("mixed_precision_bytes", "everything in two bytes",
     lambda p, a, n, optimizer: (2 * p * {"sgd": 2, "adam": 4}.get(optimizer, 3), 2 * a * n)),
    ("mixed_precision_bytes", "activations in four bytes",
     lambda p, a, n, optimizer: (4 * p * {"sgd": 2, "adam": 4}.get(optimizer, 3), 4 * a * n)),
]
FRIENDLY_ONLY: list[tuple] = [
    ("activation_bytes", "a fully connected layer at the end", _only_three_lengths),
    ("parameter_memory", "several layers", lambda shapes, optimizer, width: _only_convolutions(
        [s if len(s) == 4 else (*s, 1, 1) for s in shapes[:1]] + list(shapes[1:]), optimizer, width)),
    ("training_and_inference", "increasing sizes",
     (_training, lambda sizes, p, n, width: width * (p + n * (sizes[0] + sizes[1])))),
    ("checkpointed_bytes", "only the input is kept",
     lambda sizes, k: sum(sizes[::k]) + max(sum(sizes[i + 1:i + k]) for i in range(0, len(sizes) - k, k))),
    ("best_segment_length", "one large activation", lambda sizes: round(len(sizes) ** 0.5)),
    ("largest_batch", "the parameters alone", lambda amount, unit, fixed, sample: int(
        (amount * {"MB": 10**6, "MiB": 2**20, "GB": 10**9, "GiB": 2**30}[unit] - fixed) // sample)),
]
MUTATIONS: list[Mutations] = [
    Mutations("format_bytes", FORMAT, (
        Edit("powers of 1,000 for both", "step, units = 1024", "step, units = 1000"),
        Edit("powers of 1,024 for both", "step, units = 1000", "step, units = 1024"),
        Edit("a capital K for a thousand", '"kB"', '"KB"'),
        Edit("the unit comes one byte too late", "number >= step", "number > step"),
        Edit("another number of digits", ":.1f", ":.0f"),
        Edit("bytes with a fraction", 'str(count) + " B"', 'f"{count:.1f} B"'),
        Edit("", "place < 4", "place < 3"),
        Edit("", "number = number / step", "number = number // step"),
    )),
    Mutations("activation_bytes", ACTIVATIONS, (
        Edit("batch size forgotten", "* batch_size ", ""),
        Edit("bytes per number forgotten", " * bytes_per_number", ""),
        Edit("always four bytes", "* bytes_per_number", "* 4"),
        Edit("input not counted", '"input", ', ""),
        Edit("pooling not counted", '"pool", ', ""),
        Edit("fully connected layers not counted", ', "fc"', ""),
        Edit("ReLU counted again", '"conv", ', '"conv", "relu", '),
        Edit("layers that work in place left out", "result.append(0)", "pass"),
        Edit("lengths added instead of multiplied", "numbers *= length", "numbers += length - (numbers == 1)"),
        Edit("", "for length in shape:", "for length in shape[:2]:"),
        Edit("", "return result", "return [result[-1]]"),
    )),
    Mutations("parameter_memory", PARAMETERS, (
        Edit("biases forgotten", " + shape[0]", ""),
        Edit("a bias for each input channel", "+ shape[0]", "+ shape[1]"),
        Edit("one bias for all filters", "weights + shape[0]", "weights + 1"),
        Edit("only the last layer", "count += weights", "count = weights"),
        Edit("Adam counted as momentum", '"adam": 2', '"adam": 1'),
        Edit("RMSProp counted as Adam", '"rmsprop": 1', '"rmsprop": 2'),
        Edit("plain SGD with a cache", '"sgd": 0', '"sgd": 1'),
        Edit("bytes per number forgotten", "count * bytes_per_number", "count"),
        Edit("gradients forgotten", "1 * once", "0 * once"),
        Edit("gradients and caches swapped", "1 * once, caches[optimizer] * once", "caches[optimizer] * once, once"),
        Edit("only the first layer", "in weight_shapes:", "in weight_shapes[:1]:"),
        Edit("", "weights *= length", "weights += length"),
    )),
    Mutations("workspace_and_data", REST, (
        Edit("padding counted once", "OH = (H - KH + 2 * padding) // stride + 1\n    OW = (W - KW + 2 * padding)",
             "OH = (H - KH + padding) // stride + 1\n    OW = (W - KW + padding)"),
        Edit("", "(H - KH + 2 * padding)", "(H - KH)"),
        Edit("", "(W - KW + 2 * padding)", "(W - KH + 2 * padding)"),
        Edit("only one picture", "return N * C", "return C"),
        Edit("kernel size left out of the columns", "KH * KW * OH", "OH"),
        Edit("always four bytes", "OW * bytes_per_number", "OW * 4"),
        Edit("raw pictures in four bytes", "* raw_shape[2]", "* raw_shape[2] * 4"),
        Edit("versions in one byte", "crop_shape[2] * 4", "crop_shape[2]"),
        Edit("only one batch waits", "waiting * raw", "raw"),
        Edit("only one version", "versions * crop", "crop"),
        Edit("batch size left out", "return batch_size * (waiting", "return (waiting"),
    )),
    Mutations("training_and_inference", MODES, (
        Edit("parameters or gradients forgotten", "(2 + caches)", "(1 + caches)"),
        Edit("Adam counted as momentum", "caches = 2", "caches = 1"),
        Edit("momentum and RMSProp remember nothing", "caches = 1", "caches = 0"),
        Edit("", ', "rmsprop"', ""),
        Edit("batch size forgotten", "sum(sizes) * batch_size", "sum(sizes)"),
        Edit("input not counted", "sum(sizes)", "sum(sizes[1:])"),
        Edit("batch size applied to the parameters", "(parameter_count + largest * batch_size)",
             "(parameter_count + largest) * batch_size"),
        Edit("largest layer alone", "max(largest, sizes[i] + sizes[i + 1])", "max(largest, sizes[i], sizes[i + 1])"),
        Edit("one pair only", "largest = max(largest, sizes[i] + sizes[i + 1])",
             "largest = sizes[i] + sizes[i + 1]"),
        Edit("sum instead of the largest pair", "largest = max(largest, sizes[i] + sizes[i + 1])",
             "largest += sizes[i] + sizes[i + 1] * (i == len(sizes) - 2)"),
        Edit("", "range(len(sizes) - 1)", "range(len(sizes) - 2)"),
        Edit("parameters left out", "(parameter_count + largest", "(largest"),
    )),
    Mutations("largest_batch", BATCH, (
        Edit("one sample too many", "int(free // bytes_per_sample)", "int(-(-free // bytes_per_sample))"),
        Edit("rounded to the nearest", "int(free // bytes_per_sample)", "round(free / bytes_per_sample)"),
        Edit("fixed memory not subtracted", " - fixed_bytes", ""),
        Edit("negative batches", "max(batch, 0)", "batch"),
        Edit("at least one sample", "max(batch, 0)", "max(batch, 1)"),
        Edit("", '"GiB": 2**30', '"GiB": 10**9'),
        Edit("", '"MB": 10**6', '"MB": 2**20'),
        Edit("", '"MiB": 2**20', '"MiB": 2**10'),
        Edit("one sample too few", "int(free // bytes_per_sample)", "int((free - 1) // bytes_per_sample)"),
    )),
    Mutations("fixed_and_per_sample", LINE, (
        Edit("divided by the second batch", "(batch_2 - batch_1)", "batch_2"),
        Edit("divided by the sum of the batches", "batch_2 - batch_1", "batch_2 + batch_1"),
        Edit("rounded down", "(peak_2 - peak_1) / ", "(peak_2 - peak_1) // "),
        Edit("one sample subtracted for the whole batch", "sample * batch_1", "sample"),
        Edit("samples added instead of subtracted", "peak_1 - sample", "peak_1 + sample"),
        Edit("results in the other order", "fixed, sample", "sample, fixed"),
        Edit("batches mixed up", "peak_1 - sample * batch_1", "peak_1 - sample * batch_2"),
    )),
    Mutations("checkpointed_bytes", KEPT, (
        Edit("kept ones counted twice", "sizes[start + 1 : start", "sizes[start : start"),
        Edit("segment one too long", "start + segment_length]", "start + segment_length + 1]"),
        Edit("only what is kept", "return kept + largest", "return kept"),
        Edit("what is kept forgotten", "return kept + largest", "return largest"),
        Edit("the last segment only", "largest = max(largest, segment)", "largest = segment"),
        Edit("all segments at once", "largest = max(largest, segment)", "largest += segment"),
        Edit("", "kept += sizes[start]", "kept = sizes[start]"),
        Edit("", "range(0, len(sizes)", "range(0, len(sizes) - 1"),
    )),
    Mutations("best_segment_length", BEST, (
        Edit("the length that keeps everything", "sum(sizes[::length]) + max(segments)", "max(segments)"),
        Edit("segments forgotten", "sum(sizes[::length]) + max(segments)", "sum(sizes[::length])"),
        Edit("the first segment only", "max(segments)", "segments[0]"),
        Edit("the peak instead of the length", "return best", "return lowest"),
        Edit("lengths counted from zero", "best, lowest = length, peak", "best, lowest = length - 1, peak"),
        Edit("kept ones counted twice", "sizes[i + 1 : i + length]", "sizes[i : i + length]"),
        Edit("", "range(1, len(sizes) + 1)", "range(1, len(sizes) // 4 + 1)"),
    )),
    Mutations("mixed_precision_bytes", MIXED, (
        Edit("master copy forgotten", "2 + 2 + 4", "2 + 2"),
        Edit("a copy in two bytes forgotten", "2 + 2 + 4", "2 + 4"),
        Edit("gradients in four bytes", "2 + 2 + 4", "2 + 4 + 4"),
        Edit("caches in two bytes", "4 * caches", "2 * caches"),
        Edit("caches forgotten", "each += 4 * caches[optimizer]", ""),
        Edit("Adam counted as momentum", '"adam": 2', '"adam": 1'),
        Edit("plain SGD with a cache", '"sgd": 0', '"sgd": 1'),
        Edit("batch size forgotten", "* batch_size * 2", "* 2"),
        Edit("activations in four bytes", "* batch_size * 2", "* batch_size * 4"),
    )),
]
