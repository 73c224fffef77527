"""Convolution as one matrix product whose right factor is never built, only a block of it that fits the cache.

The idea in ten lines. Write every patch of the input that a filter sees as a column: then a convolution is the product
of the weights, a row for each filter, with that matrix (im2col). The matrix is as many times larger than the input as
the kernel has taps, so building it costs more than it gains. Here a block of it is filled, some 200 columns (output
positions) wide and 256 rows (channel and tap) tall, which stays in the second-level cache; it is multiplied by the
weights tile by tile (see tiles.py), and the next block takes its place. Positions are numbered through all pictures of
a batch, so that small maps fill the tiles too. Measured, a block's filling costs a tenth of the products with 64
filters, less with more; the gradients (weight_gradient.py, input_gradient.py) are products of the same kind.
"""

import numpy as np

from cnncourse.kernels.threads import jit
from cnncourse.kernels.tiles import ROWS, TILE_BYTES, multiply_tile
from cnncourse.kernels.vectors import clear_bytes, copy_every

DEPTH = 256  # rows of a block: with a tile's width of 64 bytes, half of a first-level cache of 32 KiB
FILTERS = 16 * ROWS  # their weights for one block stay in the second-level cache beside it
PITCH_BYTES = 13 * 64  # of a block's row: an odd number of cache lines, so that a column's lines get sets of their own
WIDTH_BYTES = PITCH_BYTES - 64
SCRATCH = DEPTH * PITCH_BYTES + ROWS * TILE_BYTES
"""Bytes of memory that a thread needs for `correlate`."""


@jit
def part(memory, start, rows, columns, like):
    """Rows and columns of numbers like those of another array, from byte `start` of a thread's memory on."""
    return memory[start:start + rows * columns * like.itemsize].view(like.dtype).reshape(rows, columns)


@jit
def runs(first, last, P, Q, found):
    """Write positions first to last - 1 of all pictures as pieces of rows: (picture, row, column, length); count."""
    count = 0
    while first < last:
        n, rest = first // (P * Q), first % (P * Q)
        p, q = rest // Q, rest % Q
        length = min(Q - q, last - first)
        found[count, 0], found[count, 1], found[count, 2], found[count, 3] = n, p, q, length
        count += 1
        first += length
    return count


@jit
def fill(block, pieces, count, source, channel, row, rows, taps, step_y, step_x):
    """Fill `rows` rows of a block from row `row` of the matrix on, row = channel * number of taps + tap."""
    H, W = source.shape[2:]
    T = len(taps)
    size = source.itemsize
    zero = source.dtype.type(0)
    c, t = channel + row // T, row % T
    for index in range(rows):
        up, left = taps[t, 0], taps[t, 1]
        target = block.ctypes.data + index * block.strides[0]
        plane = source.ctypes.data + c * source.strides[1]
        for piece in range(count):
            n, p, q, length = pieces[piece, 0], pieces[piece, 1], pieces[piece, 2], pieces[piece, 3]
            y, x = p * step_y + up, q * step_x + left
            low, high = length, length
            if 0 <= y < H:
                low = 0
                while low < length and x + low * step_x < 0:
                    low += 1
                while high > low and x + (high - 1) * step_x >= W:
                    high -= 1
            if low > 0:
                clear_bytes(target, low * size)
            if high > low:
                line = plane + n * source.strides[0] + (y * W + x + low * step_x) * size
                copy_every(zero, size, target + low * size, line, step_x, high - low)
            if high < length:
                clear_bytes(target + high * size, (length - high) * size)
            target += length * size
        t += 1
        if t == T:
            c, t = c + 1, 0


@jit
def correlate(first, last, memory, source, weight, bias, taps, steps, out, width, splits):
    """Do tasks first to last - 1 of a convolution: a group, one of `splits` parts of its filters, `width` positions.

    source (N, groups * C, H, W). weight (groups, M, C * T): a row is a filter by channel and tap. bias (groups * M,).
    taps (T, 2): how far down and right of a position's input each tap looks; steps: from one position's input to the
    next, down and right. out (N, groups * M, P, Q).
    """
    groups, M, D = weight.shape
    C = D // len(taps)
    P, Q = out.shape[2:]
    plane = P * Q
    total = len(out) * plane
    size = source.itemsize
    columns = TILE_BYTES // size
    pitch = PITCH_BYTES // size
    blocks = -(-total // width)
    zero = source.dtype.type(0)
    block = part(memory, 0, DEPTH, pitch, source)
    tile = part(memory, DEPTH * PITCH_BYTES, ROWS, columns, source)
    pieces = np.empty((width, 4), np.int64)
    lanes = np.empty(width, np.int64)
    flat = out.reshape(-1)
    for task in range(first, last):
        group, rest = task // (splits * blocks), task % (splits * blocks)
        split, start = rest // blocks, rest % blocks * width
        stop = min(start + width, total)
        m_first, m_last = split * M // splits, (split + 1) * M // splits
        count = runs(start, stop, P, Q, pieces)
        for f in range(start, stop):
            lanes[f - start] = f // plane * groups * M * plane + f % plane
        for k in range(0, D, DEPTH):
            depth = min(DEPTH, D - k)
            fill(block, pieces, count, source, group * C, k, depth, taps, steps[0], steps[1])
            for m0 in range(m_first, m_last, FILTERS):
                m1 = min(m0 + FILTERS, m_last)
                for strip in range(0, stop - start, columns):
                    used = min(columns, stop - start - strip)
                    together = used == columns and lanes[strip + columns - 1] - lanes[strip] == columns - 1
                    b = block.ctypes.data + strip * size
                    for m in range(m0, m1, ROWS):
                        rows = min(ROWS, m1 - m)
                        a = weight.ctypes.data + ((group * M + m) * D + k) * size
                        shift = (group * M + m) * plane
                        begin = bias.ctypes.data + (group * M + m) * size
                        if together:
                            multiply_tile(rows, zero, a, D * size, b, PITCH_BYTES, depth,
                                          flat.ctypes.data + (lanes[strip] + shift) * size, plane * size, begin, k == 0)
                            continue
                        # What lies in the block beyond its last column is multiplied too, and dropped.
                        if k > 0:
                            for i in range(rows):
                                for lane in range(used):
                                    tile[i, lane] = flat[lanes[strip + lane] + shift + i * plane]
                        multiply_tile(rows, zero, a, D * size, b, PITCH_BYTES, depth, tile.ctypes.data, TILE_BYTES,
                                      begin, k == 0)
                        for i in range(rows):
                            for lane in range(used):
                                flat[lanes[strip + lane] + shift + i * plane] = tile[i, lane]
