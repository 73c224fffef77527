"""The gradient of a convolution's input: what every output pixel owes to the inputs that its window saw.

The idea in ten lines. In the forward pass the matrix of weights is multiplied by the matrix of patches; so the gradient
of the patches is the transposed matrix of weights times the output's gradient. That gives, for each channel and tap, a
whole row of numbers, one for each output position; each is added to the input that this tap met there (col2im), and
where windows overlap an input collects several. Stride and padding only decide where a row is added. As in the other
kernels the matrix of patches never exists as a whole: a thread owns some channels of some pictures, multiplies for
about 200 positions at a time, and adds the result to its channels before it goes on.
"""

import numpy as np

from cnncourse.kernels.convolution import DEPTH
from cnncourse.kernels.patches import PITCH_BYTES, WIDTH_BYTES, copy_planes, part, runs
from cnncourse.machinery.compiling import jit
from cnncourse.machinery.tiles import ROWS, TILE_BYTES, VECTOR_BYTES, multiply_tile
from cnncourse.machinery.vectors import add_every, clear_bytes, move_number, transpose_tile

SINGLE = (1, 1, 0, 0, 1, 1, 1, 1)  # the window of a 1 x 1 kernel


def scratch(rows, filters, size):
    """Bytes of memory that a thread needs for `input_gradient` with so many rows a task."""
    return (rows + DEPTH) * PITCH_BYTES + rows * filters * size


def rows_within(count, filters, size):
    """How many rows a task may have for a thread to need at most so many bytes; at least one."""
    return max((count - DEPTH * PITCH_BYTES) // (PITCH_BYTES + filters * size), 1)


@jit
def transpose(first, last, weight, found):
    """Transpose a matrix, 64 of its columns a task."""
    for task in range(first, last):
        column = 64 * task
        _transpose(weight[:, column:], min(64, len(found) - column), found[column:])


@jit
def _transpose(weight, rows, found):
    """found[i, m] = weight[m, i], for i < rows."""
    M, D = len(weight), weight.strides[0]
    size = weight.itemsize
    lanes = VECTOR_BYTES // size
    zero = weight.dtype.type(0)
    for m in range(0, M, lanes):
        for i in range(0, rows, lanes):
            source, target = weight.ctypes.data + m * D + i * size, found.ctypes.data + (i * M + m) * size
            if m + lanes <= M and i + lanes <= rows:
                transpose_tile(zero, source, D, target, M * size)
            else:
                for down in range(min(lanes, M - m)):
                    for right in range(min(lanes, rows - i)):
                        move_number(zero, target + (right * M + down) * size, source + down * D + right * size)


@jit
def _add_back(columns, rows, pieces, count, grad_x, channel, window):
    """Add row (channel, tap) of the patches' gradient to where the tap looked."""
    H, W = grad_x.shape[2:]
    R, S, top, left, down, across, step_y, step_x = window
    size = grad_x.itemsize
    zero = grad_x.dtype.type(0)
    for row in range(rows):
        c, r, s = channel + row // (R * S), row % (R * S) // S, row % S
        source = columns.ctypes.data + row * columns.strides[0]
        for piece in range(count):
            n, p, q, length = pieces[piece, 0], pieces[piece, 1], pieces[piece, 2], pieces[piece, 3]
            y, x = p * step_y + r * down - top, q * step_x + s * across - left
            if 0 <= y < H:
                low, high = 0, length
                while low < length and x + low * step_x < 0:
                    low += 1
                while high > low and x + (high - 1) * step_x >= W:
                    high -= 1
                target = (grad_x.ctypes.data + n * grad_x.strides[0] + c * grad_x.strides[1]
                          + (y * W + x + low * step_x) * size)
                add_every(zero, size, target, source + low * size, step_x, high - low)
            source += length * size


@jit
def input_gradient(first, last, memory, multiply, grad_out, grid, weight, window, grad_x, images, channels):
    """Do tasks first to last - 1: up to `images` pictures, a group, and up to `channels` of its channels.

    grad_out (N, groups * M, 1, P * Q), grid (P, Q), weight (groups, M, C * R * S), window as in `fill`; grad_x
    (N, groups * C, H, W).
    """
    groups, M, D = weight.shape
    N, plane = len(grad_out), grid[0] * grid[1]
    T = window[0] * window[1]
    C = D // T
    size = grad_out.itemsize
    columns = TILE_BYTES // size
    width = WIDTH_BYTES // size
    parts = -(-C // channels)
    block = part(memory, 0, DEPTH, PITCH_BYTES // size, grad_out)
    found = part(memory, DEPTH * PITCH_BYTES, channels * T, PITCH_BYTES // size, grad_out)
    turned = part(memory, (DEPTH + channels * T) * PITCH_BYTES, channels * T, M, grad_out)
    pieces, whole = np.empty((width, 5), np.int64), np.empty((width, 5), np.int64)
    no_bias = np.zeros(ROWS, grad_out.dtype)
    prepared = -1
    for task in range(first, last):
        batch, rest = task // (groups * parts), task % (groups * parts)
        group, c0 = rest // parts, rest % parts * channels
        rows = min(channels, C - c0) * T
        n0, n1 = batch * images, min((batch + 1) * images, N)
        if rest != prepared:
            _transpose(weight[group, :, c0 * T:], rows, turned)
            prepared = rest
        home = group * C + c0
        for n in range(n0, n1):
            clear_bytes(grad_x.ctypes.data + n * grad_x.strides[0] + home * grad_x.strides[1],
                        rows // T * grad_x.strides[1])
        for f in range(n0 * plane, n1 * plane, width):
            stop = min(f + width, n1 * plane)
            pictures = runs(f, stop, 1, plane, whole)
            for m in range(0, M, DEPTH):
                depth = min(DEPTH, M - m)
                copy_planes(block, whole, pictures, grad_out, group * M + m, depth)
                for strip in range(0, stop - f, columns):
                    for i in range(0, rows, ROWS):
                        multiply_tile(multiply, min(ROWS, rows - i), turned.ctypes.data + (i * M + m) * size, M * size,
                                      block.ctypes.data + strip * size, PITCH_BYTES, depth,
                                      found.ctypes.data + i * PITCH_BYTES + strip * size, PITCH_BYTES,
                                      no_bias.ctypes.data, int(m == 0))
            count = runs(f, stop, grid[0], grid[1], pieces)
            _add_back(found, rows, pieces, count, grad_x, home, window)
