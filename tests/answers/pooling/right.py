"""Right answers to every exercise, each by another way of thinking; none of them calls the reference.

`RIGHT[exercise]` is a list of tuples of functions, one for each answer of the exercise. Where maxima are tied, the
answers on max pooling differ from each other on purpose: first, last, evenly shared, or by chance.
"""

from __future__ import annotations

import math

import numpy as np

from tests.answers.pooling import right_backward as back
from tests.answers.pooling import right_forward as ahead


# ---- pooling_as_convolution
def average_loop(channels, kernel_size):
    weights = np.zeros((channels, channels, *kernel_size))
    for channel in range(channels):
        weights[channel, channel] = 1 / (kernel_size[0] * kernel_size[1])
    return weights


def average_eye(channels, kernel_size):
    return np.eye(channels)[:, :, None, None] * np.full(kernel_size, 1 / math.prod(kernel_size))


def average_lists(channels, kernel_size):
    share = 1 / kernel_size[0] / kernel_size[1]
    return [[[[share * (k == c)] * kernel_size[1]] * kernel_size[0] for c in range(channels)] for k in range(channels)]


def picking_loop(channels, kernel_size):
    weights = np.zeros((channels, channels, *kernel_size), np.float32)
    weights[range(channels), range(channels), 0, 0] = 1
    return weights


def picking_pad(channels, kernel_size):
    return np.pad(np.eye(channels)[:, :, None, None],
                  ((0, 0), (0, 0), (0, kernel_size[0] - 1), (0, kernel_size[1] - 1)))


def picking_lists(channels, kernel_size):
    return [[[[int(k == c and a == b == 0) for b in range(kernel_size[1])] for a in range(kernel_size[0])]
             for c in range(channels)] for k in range(channels)]


# ---- pooled_size
def size_ifs(input_size, kernel_size, stride, padding, library):
    if library == "TensorFlow SAME":
        return math.ceil(input_size / stride)
    if library == "TensorFlow VALID":
        return math.ceil((input_size - kernel_size + 1) / stride)
    steps = (input_size - kernel_size + 2 * padding) / stride
    if library == "PyTorch":
        return math.floor(steps) + 1
    size = math.ceil(steps) + 1
    may_drop = padding > 0 or library == "PyTorch ceil_mode"
    return size - 1 if may_drop and (size - 1) * stride >= input_size + padding else size


def size_counted(input_size, kernel_size, stride, padding, library):
    """By listing where windows begin."""
    end = input_size + padding
    if library == "TensorFlow SAME":
        return len(range(0, input_size, stride))
    whole = range(-padding, end - kernel_size + 1, stride)
    if library in ("PyTorch", "TensorFlow VALID"):
        return len(whole)
    begins = list(whole)
    if begins[-1] + kernel_size < end:
        begins.append(begins[-1] + stride)
        if begins[-1] >= input_size and (library != "Caffe" or padding):
            begins.pop()
    return len(begins)


def size_table(input_size, kernel_size, stride, padding, library):
    down, rest = divmod(input_size - kernel_size + 2 * padding, stride)
    up = down + 1 + (rest > 0)
    behind = (up - 1) * stride >= input_size + padding
    return float({"Caffe": up - (behind and padding > 0), "PyTorch": down + 1, "PyTorch ceil_mode": up - behind,
                  "TensorFlow VALID": (input_size - kernel_size) // stride + 1,
                  "TensorFlow SAME": (input_size + stride - 1) // stride}[library])


ALONE = {
    "max_pool2d_forward": (ahead.max_loops, ahead.max_windows, ahead.max_taps, ahead.max_along_axes, ahead.max_scipy,
                           ahead.max_strides),
    "activations_kept": (ahead.kept_marked, ahead.kept_formula, ahead.kept_sets),
    "avg_pool2d_forward": (ahead.avg_loops, ahead.avg_windows, ahead.avg_ones, ahead.avg_integral),
    "l2_pool2d_forward": (ahead.l2_loops, ahead.l2_windows, ahead.l2_norm, ahead.l2_average, ahead.l2_correlated),
    "max_pool2d_with_indices": (ahead.indexed_loops, ahead.indexed_windows, ahead.indexed_last,
                                ahead.indexed_by_chance),
    "max_pool2d_backward_by_indices": (back.scattered_loops, back.scattered_at, back.scattered_counted,
                                       back.scattered_product),
    "max_pool2d_backward": (back.routed_first, back.routed(back.last_of), back.routed(back.by_chance()),
                            back.routed_evenly, back.routed_taps, back.routed_indices),
    "avg_pool2d_backward": (back.shared_loops, back.shared_padded, back.shared_matrices),
    "l2_pool2d_backward": (back.normed_loops, back.normed_epsilon, back.normed_summed),
    "pooled_size": (size_ifs, size_counted, size_table),
}
RIGHT: dict[str, list[tuple]] = {exercise: [(function,) for function in functions]
                                 for exercise, functions in ALONE.items()}
RIGHT["pooling_as_convolution"] = [(average_loop, picking_loop), (average_eye, picking_pad),
                                   (average_lists, picking_lists)]
