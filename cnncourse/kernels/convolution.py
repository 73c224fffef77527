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

from cnncourse.kernels.patches import LINES_BYTES, PITCH_BYTES, fill, part, runs
from cnncourse.machinery.compiling import jit
from cnncourse.machinery.tiles import ROWS, TILE_BYTES, multiply_tile
from cnncourse.machinery.vectors import prefetch_rows

DEPTH = 256  # rows of a block: with a tile's width of 64 bytes, half of a first-level cache of 32 KiB
FILTERS = 16 * ROWS  # their weights for one block stay in the second-level cache beside it
SCRATCH = DEPTH * PITCH_BYTES + ROWS * TILE_BYTES + LINES_BYTES
"""Bytes of memory that a thread needs for `correlate`."""


@jit
def correlate(first, last, memory, multiply, source, weight, bias, window, straight, out, width, splits):
    """Do tasks first to last - 1 of a convolution: a group, one of `splits` parts of its filters, `width` positions.

    source (N, groups * C, H, W). weight (groups, M, C * R * S): a row is a filter by channel and tap. bias
    (groups * M,). window as in `fill`; `straight`: it is one tap, and rows of the block are rows of the source, which
    are then read where they are. out (N, groups * M, P, Q).
    """
    groups, M, D = weight.shape
    C = D // (window[0] * window[1])
    P, Q = out.shape[2:]
    plane = P * Q
    total = len(out) * plane
    size = source.itemsize
    columns = TILE_BYTES // size
    pitch = PITCH_BYTES // size
    blocks = -(-total // width)
    block = part(memory, 0, DEPTH, pitch, source)
    tile = part(memory, DEPTH * PITCH_BYTES, ROWS, columns, source)
    lines = memory[DEPTH * PITCH_BYTES + ROWS * TILE_BYTES:]
    pieces = np.empty((width, 5), np.int64)
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
            if not straight:
                fill(block, pieces, count, Q, source, group * C, k, depth, window, lines)
            for m0 in range(m_first, m_last, FILTERS):
                m1 = min(m0 + FILTERS, m_last)
                for strip in range(0, stop - start, columns):
                    used = min(columns, stop - start - strip)
                    together = used == columns and lanes[strip + columns - 1] - lanes[strip] == columns - 1
                    b, b_pitch = block.ctypes.data + strip * size, PITCH_BYTES
                    n, position = (start + strip) // plane, (start + strip) % plane
                    if straight and used == columns and position + columns <= plane:  # within one picture
                        b = (source.ctypes.data + n * source.strides[0] + (group * C + k) * source.strides[1]
                             + position * size)
                        b_pitch = source.strides[1]
                    elif straight:
                        b = block.ctypes.data
                        count = runs(start + strip, start + strip + used, P, Q, pieces)
                        fill(block, pieces, count, Q, source, group * C, k, depth, window, lines)
                    for m in range(m0, m1, ROWS):
                        rows = min(ROWS, m1 - m)
                        a = weight.ctypes.data + ((group * M + m) * D + k) * size
                        shift = (group * M + m) * plane
                        begin = bias.ctypes.data + (group * M + m) * size
                        if strip == 0:  # the only time that these weights are not in the cache
                            prefetch_rows(a + ROWS * D * size, D * size, min(ROWS, m1 - m - rows), depth * size)
                        if together:
                            multiply_tile(multiply, rows, a, D * size, b, b_pitch, depth,
                                          flat.ctypes.data + (lanes[strip] + shift) * size, plane * size, begin,
                                          int(k == 0))
                            continue
                        # What lies in the block beyond its last column is multiplied too, and dropped.
                        if k > 0:
                            for i in range(rows):
                                for lane in range(used):
                                    tile[i, lane] = flat[lanes[strip + lane] + shift + i * plane]
                        multiply_tile(multiply, rows, a, D * size, b, b_pitch, depth, tile.ctypes.data, TILE_BYTES,
                                      begin, int(k == 0))
                        for i in range(rows):
                            for lane in range(used):
                                flat[lanes[strip + lane] + shift + i * plane] = tile[i, lane]
