"""The gradients of a convolution's weights and biases: sums over all positions of all pictures.

The idea in ten lines. A weight meets one input at each output position, and its gradient is the sum over positions of
that input times the output's gradient: the product of the matrix of patches (im2col, see convolution.py) with the
output's gradient, positions being what is summed over. Again only a block of patches is filled at a time, and again
tiles.py multiplies: rows of the block, a channel and a tap each, are the rows of the tile, filters its columns. For
that the output's gradient is laid out once with the filters of a tile side by side (`side_by_side`). A thread owns some
rows and adds up all positions for them, so that no two threads add to the same number, and the order of each sum is
always the same.
"""

import numpy as np

from cnncourse.kernels.patches import LINES_BYTES, PITCH_BYTES, WIDTH_BYTES, fill, part, runs
from cnncourse.machinery.compiling import jit
from cnncourse.machinery.tiles import ROWS, TILE_BYTES, VECTOR_BYTES, multiply_tile
from cnncourse.machinery.vectors import move_number, transpose_tile

CHUNK = 48  # positions, times numbers in a cache line or so, that are laid out before the next filters


@jit
def side_by_side(first, last, grad_out, start, stop, found):
    """Lay out strips first to last - 1 of filters for positions start to stop - 1 of all pictures.

    grad_out (N, groups, M, P * Q), found (groups * strips, positions, filters of a tile): filters beyond M are zero.
    """
    groups, M, plane = grad_out.shape[1:]
    columns = found.shape[2]
    strips = len(found) // groups
    size = grad_out.itemsize
    lanes = VECTOR_BYTES // size
    zero = grad_out.dtype.type(0)
    for strip in range(first, last):
        group, m = strip // strips, strip % strips * columns
        filters = min(columns, M - m)
        if filters < columns:
            found[strip, :stop - start] = zero
        for f0 in range(start, stop, CHUNK):
            f = f0
            while f < min(f0 + CHUNK, stop):
                n, position = f // plane, f % plane
                length = min(plane - position, min(f0 + CHUNK, stop) - f)
                source = grad_out.ctypes.data + (((n * groups + group) * M + m) * plane + position) * size
                target = found.ctypes.data + (strip * found.shape[1] + f - start) * TILE_BYTES
                done = 0
                while done + lanes <= length:
                    at = 0
                    while at + lanes <= filters:
                        transpose_tile(zero, source + (at * plane + done) * size, plane * size,
                                       target + done * TILE_BYTES + at * size, TILE_BYTES)
                        at += lanes
                    for lane in range(at, filters):
                        for i in range(done, done + lanes):
                            move_number(zero, target + i * TILE_BYTES + lane * size, source + (lane * plane + i) * size)
                    done += lanes
                for i in range(done, length):
                    for lane in range(filters):
                        move_number(zero, target + i * TILE_BYTES + lane * size, source + (lane * plane + i) * size)
                f += length


@jit
def weight_gradient(first, last, memory, multiply, source, side, start, stop, window, grid, rows, begin, grad_weight):
    """Do tasks first to last - 1: a task is `rows` rows (channel and tap) of one group.

    source (N, groups * C, H, W); window as in `fill`; side from `side_by_side`; grid: rows and columns of output
    positions; grad_weight (groups, M, C * T) is set, or added to unless `begin`.
    """
    groups, _, D = grad_weight.shape
    C = D // (window[0] * window[1])
    P, Q = grid
    size = source.itemsize
    strips = len(side) // groups
    columns = side.shape[2]
    pitch = PITCH_BYTES // size
    width = WIDTH_BYTES // size
    parts = -(-D // rows)
    block = part(memory, 0, rows, pitch, source)
    sums = part(memory, rows * PITCH_BYTES, rows, strips * columns, source)
    lanes = VECTOR_BYTES // size
    square = part(memory, rows * (PITCH_BYTES + strips * TILE_BYTES), lanes, lanes, source)
    lines = memory[rows * (PITCH_BYTES + strips * TILE_BYTES) + VECTOR_BYTES * VECTOR_BYTES:]
    pieces = np.empty((width, 5), np.int64)
    no_bias = np.zeros(ROWS, source.dtype)
    for task in range(first, last):
        group, row = task // parts, task % parts * rows
        used = min(rows, D - row)
        for f in range(start, stop, width):
            depth = min(width, stop - f)
            count = runs(f, f + depth, P, Q, pieces)
            fill(block, pieces, count, Q, source, group * C, row, used, window, lines)
            for strip in range(strips):
                b = side.ctypes.data + ((group * strips + strip) * side.shape[1] + f - start) * TILE_BYTES
                for i in range(0, used, ROWS):
                    multiply_tile(multiply, min(ROWS, used - i), block.ctypes.data + i * PITCH_BYTES, PITCH_BYTES, b,
                                  TILE_BYTES, depth, sums.ctypes.data + (i * strips * columns + strip * columns) * size,
                                  strips * TILE_BYTES, no_bias.ctypes.data, int(f == start))
        _hand_over(sums, used, square, grad_weight[group], row, begin)


def scratch(rows, strips):
    """Bytes of memory that a thread needs for `weight_gradient`."""
    return rows * (PITCH_BYTES + strips * TILE_BYTES) + VECTOR_BYTES * VECTOR_BYTES + LINES_BYTES


def rows_within(count, strips):
    """How many rows a task may have for a thread to need at most so many bytes."""
    return (count - scratch(0, strips)) // (PITCH_BYTES + strips * TILE_BYTES)


@jit
def _hand_over(sums, rows, square, grad_weight, row, begin):
    """Set or add to grad_weight[m, row + i] what is in sums[i, m], i < rows, a square of lanes at a time."""
    M = len(grad_weight)
    size = sums.itemsize
    lanes = VECTOR_BYTES // size
    zero = sums.dtype.type(0)
    for m in range(0, M, lanes):
        for i in range(0, rows, lanes):
            if m + lanes <= M and i + lanes <= rows:
                transpose_tile(zero, sums.ctypes.data + i * sums.strides[0] + m * size, sums.strides[0],
                               square.ctypes.data, VECTOR_BYTES)
            else:
                for down in range(min(lanes, M - m)):
                    for right in range(min(lanes, rows - i)):
                        square[down, right] = sums[i + right, m + down]
            for down in range(min(lanes, M - m)):
                target, found = grad_weight[m + down, row + i:row + min(i + lanes, rows)], square[down]
                if begin:
                    for right in range(len(target)):
                        target[right] = found[right]
                else:
                    for right in range(len(target)):
                        target[right] += found[right]


@jit(fastmath={"reassoc"})
def bias_gradient(first, last, grad_out, found):
    """Sum filters first to last - 1: grad_out (N, K, P * Q), found (K,)."""
    N, _, plane = grad_out.shape
    for k in range(first, last):
        total = np.float64(0)
        for n in range(N):
            row = grad_out[n, k]
            for f in range(0, plane, 512):  # short sums in the arrays' precision, their total in double precision
                part = grad_out.dtype.type(0)
                for i in range(f, min(f + 512, plane)):
                    part += row[i]
                total += part
        found[k] = total
