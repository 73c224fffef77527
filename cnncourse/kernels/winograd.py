"""Winograd's convolution for 3 x 3 kernels at stride 1: four by four outputs from 36 products instead of 144.

The idea in ten lines. Multiplying two polynomials takes fewer products if both are first evaluated at some points, the
values multiplied, and the result interpolated. Four neighboring outputs of a three-tap filter are such a product: six
points are enough, so 6 x 6 products serve a tile of 4 x 4 outputs, which takes 144 otherwise. A tile of 6 x 6 inputs is
evaluated (rows, then columns), every filter too; for each of the 36 points the sum over channels is then a matrix
product over all tiles, done by tiles.py; the 36 sums of a tile are interpolated to its 16 outputs. The points are
0, +-5/8, +-3/2 and infinity: every number in the evaluation of the inputs is then exact in single precision, and
rounding errors are about five times smaller than with the usual 0, +-1, +-2 and infinity, near those of plain
addition. A value that is not finite would spread over its tile; `winograd` says if it met one.

References
----------
Winograd: Arithmetic complexity of computations, 1980. Lavin and Gray: Fast algorithms for convolutional neural
networks, 2016, section 4. Barabasz, Anderson, Soodhalter and Gregg: Error analysis and improving the accuracy of
Winograd convolution for deep neural networks, 2020, on the choice of points.
"""

import numpy as np

from cnncourse.kernels.convolution import DEPTH
from cnncourse.kernels.patches import part, runs
from cnncourse.machinery.compiling import jit
from cnncourse.machinery.tiles import ROWS, TILE_BYTES, VECTOR_BYTES, VECTORS, multiply_tile
from cnncourse.machinery.vectors import (
    LANES,
    clear_bytes,
    copy_bytes,
    deinterleaved,
    interleaved,
    lanewise,
)

OUTPUTS, TAPS = 4, 3
POINTS = OUTPUTS + TAPS - 1
COLUMNS = VECTORS * LANES
CHANNELS = 4 * LANES  # of a filter that are evaluated together
STRIPS = 4  # that are multiplied before their sums are interpolated
GAP = 5 * 64  # between the values at one point and the next, lest they share the same few places of a cache
A, B = 5 / 8, 3 / 2  # the points are 0, A, -A, B, -B and infinity


def evaluate(x0, x1, x2, x3, x4, x5):
    """Six inputs of a row, combined for each of the six points."""
    even_a, odd_a = x4 - B * B * x2, A * x3 - A * B * B * x1
    even_b, odd_b = x4 - A * A * x2, B * x3 - A * A * B * x1
    return (A * A * B * B * x0 - (A * A + B * B) * x2 + x4, even_a + odd_a, even_a - odd_a, even_b + odd_b,
            even_b - odd_b, A * A * B * B * x1 - (A * A + B * B) * x3 + x5)


def evaluate_filter(w0, w1, w2):
    """The three weights of a row as a polynomial at each of the six points, divided by what `evaluate` left out."""
    at_a, at_b = 1 / (2 * A * A * (A * A - B * B)), 1 / (2 * B * B * (B * B - A * A))
    even_a, odd_a = at_a * w0 + at_a * A * A * w2, at_a * A * w1
    even_b, odd_b = at_b * w0 + at_b * B * B * w2, at_b * B * w1
    return 1 / (A * A * B * B) * w0, even_a + odd_a, even_a - odd_a, even_b + odd_b, even_b - odd_b, 1.0 * w2


def interpolate(s0, s1, s2, s3, s4, s5):
    """Four outputs of a row from its products at the six points."""
    plus_a, minus_a, plus_b, minus_b = s1 + s2, s1 - s2, s3 + s4, s3 - s4
    return (s0 + plus_a + plus_b, A * minus_a + B * minus_b, A * A * plus_a + B * B * plus_b,
            A * A * A * minus_a + B * B * B * minus_b + s5)


_evaluate_rows = deinterleaved(evaluate, OUTPUTS, TAPS - 1)
_evaluate_columns = lanewise(evaluate, POINTS)
_evaluate_filter = lanewise(evaluate_filter, TAPS)
_interpolate_columns = lanewise(interpolate, POINTS)
_interpolate_rows = interleaved(interpolate, POINTS)


@jit
def _evaluate_block(weight, flip, start, filters, taps, half, values, target, row_pitch, pitch):
    """Evaluate filters start, ..., of weight (K, C, 3, 3), or of (C, K, 3, 3), turned by half a turn.

    Filter start + k for channel c at point i goes to target + i * pitch + k * row_pitch + 4 * c.
    """
    C = weight.shape[0] if flip else weight.shape[1]
    row = CHANNELS * 4
    for k in range(filters):
        for c in range(0, C, CHANNELS):
            count = min(CHANNELS, C - c)
            for i in range(count):
                for r in range(TAPS):
                    for s in range(TAPS):
                        if flip:
                            taps[8 - 3 * r - s, i] = weight[c + i, start + k, r, s]
                        else:
                            taps[3 * r + s, i] = weight[start + k, c + i, r, s]
            for lane in range(0, row, VECTOR_BYTES):
                for s in range(TAPS):
                    _evaluate_filter(taps.ctypes.data + s * row + lane, TAPS * row,
                                     half.ctypes.data + s * row + lane, TAPS * row)
                for i in range(POINTS):
                    _evaluate_filter(half.ctypes.data + TAPS * i * row + lane, row,
                                     values.ctypes.data + POINTS * i * row + lane, row)
            for point in range(POINTS * POINTS):
                copy_bytes(target + point * pitch + k * row_pitch + c * 4, values.ctypes.data + point * row, count * 4)


@jit
def _gather(source, n, c, y, x, wanted, target):
    """Copy `wanted` inputs of a row from column x on, zeros where there are none."""
    H, W = source.shape[2:]
    low, high = wanted, wanted
    if 0 <= y < H:
        low = min(max(-x, 0), wanted)
        high = max(min(W - x, wanted), low)
    if low > 0:
        clear_bytes(target, low * 4)
    if high > low:
        copy_bytes(target + low * 4, source.ctypes.data + n * source.strides[0] + c * source.strides[1]
                   + (y * W + x + low) * 4, (high - low) * 4)
    if high < wanted:
        clear_bytes(target + high * 4, (wanted - high) * 4)


@jit
def _evaluate_strip(source, c, pieces, count, top, left, lines, half, target, pitch):
    """Evaluate a strip of tiles of one channel; the values at point i go to target + i * pitch."""
    H, W = source.shape[2:]
    here, there = lines.ctypes.data, lines.ctypes.data + lines.strides[0]
    n, p, q, length = pieces[0, 0], pieces[0, 1], pieces[0, 2], pieces[0, 3]
    inside = length == COLUMNS and OUTPUTS * q >= left and OUTPUTS * (q + length + 1) - left <= W
    for i in range(POINTS):
        row, next_row = here, there
        y = OUTPUTS * pieces[0, 1] + i - top
        if inside and 0 <= y < H:
            row = source.ctypes.data + n * source.strides[0] + c * source.strides[1] + (y * W + OUTPUTS * q - left) * 4
            next_row = row + OUTPUTS * 4
        else:
            at = 0
            for piece in range(count):
                n, p, q, length = pieces[piece, 0], pieces[piece, 1], pieces[piece, 2], pieces[piece, 3]
                y, x = OUTPUTS * p + i - top, OUTPUTS * q - left
                _gather(source, n, c, y, x, OUTPUTS * length, here + at * OUTPUTS * 4)
                _gather(source, n, c, y, x + OUTPUTS, OUTPUTS * length, there + at * OUTPUTS * 4)
                at += length
            if at < COLUMNS:  # what lies in memory there may look like NaN
                clear_bytes(here + at * OUTPUTS * 4, (COLUMNS - at) * OUTPUTS * 4)
                clear_bytes(there + at * OUTPUTS * 4, (COLUMNS - at) * OUTPUTS * 4)
        for lane in range(0, TILE_BYTES, VECTOR_BYTES):
            _evaluate_rows(row + lane * OUTPUTS, next_row + lane * OUTPUTS,
                           half.ctypes.data + i * POINTS * TILE_BYTES + lane, TILE_BYTES)
    for j in range(POINTS):
        for lane in range(0, TILE_BYTES, VECTOR_BYTES):
            _evaluate_columns(half.ctypes.data + j * TILE_BYTES + lane, POINTS * TILE_BYTES,
                              target + j * pitch + lane, POINTS * pitch)


@jit
def _interpolate_strip(sums, pitch, half, line, pieces, count, out, k, start):
    """Write the outputs of one filter for a strip of tiles; the sums for point i are at sums + i * pitch.

    Returns zero, or NaN if an output is not finite.
    """
    P, Q = out.shape[2:]
    for j in range(POINTS):
        for lane in range(0, TILE_BYTES, VECTOR_BYTES):
            _interpolate_columns(sums + j * pitch + lane, POINTS * pitch, half.ctypes.data + j * TILE_BYTES + lane,
                                 POINTS * TILE_BYTES)
    check = np.float32(0)
    n, p, q, length = pieces[0, 0], pieces[0, 1], pieces[0, 2], pieces[0, 3]
    inside = length == COLUMNS and OUTPUTS * (q + length) <= Q
    for i in range(OUTPUTS):
        row = line.ctypes.data
        y = OUTPUTS * pieces[0, 1] + i
        if inside and y < P:
            row = out.ctypes.data + (((n * out.shape[1] + k) * P + y) * Q + OUTPUTS * q) * 4
        for lane in range(0, TILE_BYTES, VECTOR_BYTES):
            check += _interpolate_rows(half.ctypes.data + i * POINTS * TILE_BYTES + lane, TILE_BYTES,
                                       row + lane * OUTPUTS, start)
        if inside:
            continue
        at = 0
        for piece in range(count):
            n, p, q, length = pieces[piece, 0], pieces[piece, 1], pieces[piece, 2], pieces[piece, 3]
            y = OUTPUTS * p + i
            if y < P:
                copy_bytes(out.ctypes.data + (((n * out.shape[1] + k) * P + y) * Q + OUTPUTS * q) * 4,
                           row + at * OUTPUTS * 4, min(OUTPUTS * length, Q - OUTPUTS * q) * 4)
            at += length
    return check


@jit
def evaluate_inputs(first, last, memory, source, top, left, grid, start, strips, parts, inputs, pitch):
    """Do tasks first to last - 1: one of `strips` strips, one of `parts` parts of the channels.

    source (N, C, H, W); grid: rows and columns of tiles in a picture; strip 0 begins with tile `start` of the batch.
    The values of a strip's tiles for channel c at point i go to byte i * pitch + (strip * C + c) * TILE_BYTES of
    `inputs`.
    """
    N, C = source.shape[:2]
    like = np.empty(1, np.float32)
    half = part(memory, 0, POINTS * POINTS, COLUMNS, like)
    lines = part(memory, POINTS * POINTS * TILE_BYTES, 2, OUTPUTS * COLUMNS, like)
    pieces = np.empty((COLUMNS, 5), np.int64)
    for task in range(first, last):
        strip, share = task // parts, task % parts
        begin = start + strip * COLUMNS
        count = runs(begin, min(begin + COLUMNS, N * grid[0] * grid[1]), grid[0], grid[1], pieces)
        for c in range(share * C // parts, (share + 1) * C // parts):
            _evaluate_strip(source, c, pieces, count, top, left, lines, half,
                            inputs.ctypes.data + (strip * C + c) * TILE_BYTES, pitch)


@jit
def winograd(
    first, last, memory, multiply, weight, flip, inputs, input_pitch, bias, out, start, strips, width, parts, fine
):
    """Do tasks first to last - 1: `width` filters, and one of `parts` parts of the strips.

    weight as in `_evaluate_block`, inputs from `evaluate_inputs`, bias (K,), out (N, K, P, Q); fine[task] becomes false
    if an output is not finite.
    """
    C = weight.shape[0] if flip else weight.shape[1]
    N, K = out.shape[:2]
    down, across = -(-out.shape[2] // OUTPUTS), -(-out.shape[3] // OUTPUTS)
    zero = np.float32(0)
    like = np.empty(1, np.float32)
    point_pitch, sum_pitch = width * C * 4 + GAP, STRIPS * width * TILE_BYTES + GAP
    points = memory.ctypes.data
    sums = points + 36 * point_pitch
    rest = memory[36 * (point_pitch + sum_pitch):]
    half = part(rest, 0, POINTS * POINTS, COLUMNS, like)
    lines = part(rest, POINTS * POINTS * TILE_BYTES, 1, OUTPUTS * COLUMNS, like)
    taps = part(rest, 0, TAPS * TAPS, CHANNELS, like)
    half_weights = part(rest, TAPS * TAPS * CHANNELS * 4, TAPS * POINTS, CHANNELS, like)
    values = part(rest, TAPS * (TAPS + POINTS) * CHANNELS * 4, POINTS * POINTS, CHANNELS, like)
    pieces = np.empty((STRIPS, COLUMNS, 5), np.int64)
    counts = np.empty(STRIPS, np.int64)
    no_bias = np.zeros(ROWS, np.float32)
    evaluated = -1
    for task in range(first, last):
        k0, share = task // parts * width, task % parts
        filters = min(width, K - k0)
        if k0 != evaluated:
            _evaluate_block(weight, flip, k0, filters, taps, half_weights, values, points, C * 4, point_pitch)
            evaluated = k0
        check = zero
        last_strip = (share + 1) * strips // parts
        for strip0 in range(share * strips // parts, last_strip, STRIPS):
            used = min(STRIPS, last_strip - strip0)
            for point in range(POINTS * POINTS):
                for strip in range(used):
                    for k in range(0, filters, ROWS):
                        for c in range(0, C, DEPTH):
                            multiply_tile(
                                multiply, min(ROWS, filters - k), points + point * point_pitch + (k * C + c) * 4, C * 4,
                                inputs.ctypes.data + point * input_pitch + ((strip0 + strip) * C + c) * TILE_BYTES,
                                TILE_BYTES, min(DEPTH, C - c),
                                sums + point * sum_pitch + (strip * width + k) * TILE_BYTES, TILE_BYTES,
                                no_bias.ctypes.data, int(c == 0))
            for strip in range(used):
                begin = start + (strip0 + strip) * COLUMNS
                counts[strip] = runs(begin, min(begin + COLUMNS, N * down * across), down, across, pieces[strip])
                for k in range(filters):
                    check += _interpolate_strip(sums + (strip * width + k) * TILE_BYTES, sum_pitch, half, lines[0],
                                                pieces[strip], counts[strip], out, k0 + k, bias[k0 + k])
        if check != zero:  # NaN is not
            fine[task] = False


def scratch(width, channels):
    """Bytes of memory that a thread needs for `winograd` with so many filters a task."""
    small = max(POINTS * POINTS * TILE_BYTES + OUTPUTS * TILE_BYTES, 72 * CHANNELS * 4)
    return 36 * (width * channels * 4 + STRIPS * width * TILE_BYTES + 2 * GAP) + small


INPUT_SCRATCH = (POINTS * POINTS + 2 * OUTPUTS) * TILE_BYTES
"""Bytes of memory that a thread needs for `evaluate_inputs`."""
