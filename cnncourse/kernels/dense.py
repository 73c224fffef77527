"""Matrix products of the fully connected layer: a large matrix of weights, and a batch that is small beside it.

Reading the weights is what takes the time, so each is read from memory once and used for all samples while it is in
the cache: rows are taken in blocks, and blocks in chunks of columns. Along a chunk, loops are vectorised. Forward each
sum is split among vector lanes (`reassoc`) in the same way every time; two rows meet four samples at once so that what
was loaded is used several times before it leaves its register. Backward, rows are added up with the gradients as
factors: four rows at once to two rows of the result.

Letters: N samples, C input features, K output features.
"""

import numpy as np

from cnncourse.machinery.compiling import jit

ROWS = 32
"""Rows of the weights that one task takes: with CHUNK columns of single precision they take 128 KiB."""
CHUNK = 1024
"""Columns taken at a time."""


@jit(fastmath={"reassoc", "contract"})
def _two_by_four(w0, w1, x0, x1, x2, x3):
    zero = w0.dtype.type(0)
    s00, s01, s02, s03, s10, s11, s12, s13 = zero, zero, zero, zero, zero, zero, zero, zero
    for i in range(len(w0)):
        a, b = w0[i], w1[i]
        s00 += a * x0[i]
        s01 += a * x1[i]
        s02 += a * x2[i]
        s03 += a * x3[i]
        s10 += b * x0[i]
        s11 += b * x1[i]
        s12 += b * x2[i]
        s13 += b * x3[i]
    return s00, s01, s02, s03, s10, s11, s12, s13


@jit(fastmath={"reassoc", "contract"})
def _two_by_one(w0, w1, x0):
    zero = w0.dtype.type(0)
    s0, s1 = zero, zero
    for i in range(len(w0)):
        s0 += w0[i] * x0[i]
        s1 += w1[i] * x0[i]
    return s0, s1


@jit
def forward(first, last, x, weight, bias, out):
    """Blocks of ROWS columns of `out` (N, K) = x (N, C) weight (K, C)^T + bias (K)."""
    N, C = x.shape
    K = len(weight)
    for block in range(first, last):
        begin, end = block * ROWS, min((block + 1) * ROWS, K)
        for n in range(N):
            for k in range(begin, end):
                out[n, k] = bias[k]
        for start in range(0, C, CHUNK):
            stop = min(start + CHUNK, C)
            for n in range(0, N - 3, 4):
                for k in range(begin, end, 2):
                    other = min(k + 1, end - 1)  # an odd last row is done twice and added once
                    s00, s01, s02, s03, s10, s11, s12, s13 = _two_by_four(
                        weight[k, start:stop], weight[other, start:stop], x[n, start:stop], x[n + 1, start:stop],
                        x[n + 2, start:stop], x[n + 3, start:stop])
                    out[n, k] += s00
                    out[n + 1, k] += s01
                    out[n + 2, k] += s02
                    out[n + 3, k] += s03
                    if other > k:
                        out[n, other] += s10
                        out[n + 1, other] += s11
                        out[n + 2, other] += s12
                        out[n + 3, other] += s13
            for n in range(N - N % 4, N):
                for k in range(begin, end, 2):
                    other = min(k + 1, end - 1)
                    s0, s1 = _two_by_one(weight[k, start:stop], weight[other, start:stop], x[n, start:stop])
                    out[n, k] += s0
                    if other > k:
                        out[n, other] += s1


@jit(fastmath={"contract"})
def _add_four(a, b, c, d, e, f, g, h, one, two, three, four, sums):
    for i in range(len(one)):
        w, x, y, z = one[i], two[i], three[i], four[i]
        sums[i] = (((sums[i] + a * w) + b * x) + c * y) + d * z
        sums[CHUNK + i] = (((sums[CHUNK + i] + e * w) + f * x) + g * y) + h * z


@jit(fastmath={"contract"})
def _add_one(a, b, one, sums):
    for i in range(len(one)):
        sums[i] += a * one[i]
        sums[CHUNK + i] += b * one[i]


@jit
def _add_rows(ones, others, rows, first, last, start, stop, fresh, out, other_out, sums):
    """Two sums of rows, part of their columns, times factors; to what is in the outputs, unless `fresh`."""
    width = stop - start
    for i in range(width):
        sums[i] = sums.dtype.type(0) if fresh else out[i]
    for i in range(width):
        sums[CHUNK + i] = sums.dtype.type(0) if fresh else other_out[i]
    rest = last - (last - first) % 4
    for k in range(first, rest, 4):
        _add_four(ones[k], ones[k + 1], ones[k + 2], ones[k + 3], others[k], others[k + 1], others[k + 2],
                  others[k + 3], rows[k, start:stop], rows[k + 1, start:stop], rows[k + 2, start:stop],
                  rows[k + 3, start:stop], sums)
    for k in range(rest, last):
        _add_one(ones[k], others[k], rows[k, start:stop], sums)
    for i in range(width):
        other_out[i] = sums[CHUNK + i]
    for i in range(width):
        out[i] = sums[i]


@jit
def backward_input(first, last, grad_out, weight, grad_x):
    """Chunks of CHUNK columns of `grad_x` (N, C) = grad_out (N, K) weight (K, C)."""
    N, K = grad_out.shape
    C = weight.shape[1]
    sums = np.empty(2 * CHUNK, grad_x.dtype)
    for chunk in range(first, last):
        start, stop = chunk * CHUNK, min((chunk + 1) * CHUNK, C)
        for begin in range(0, K, ROWS):
            for n in range(0, N, 2):
                other = min(n + 1, N - 1)  # an odd last sample is done twice
                _add_rows(grad_out[n], grad_out[other], weight, begin, min(begin + ROWS, K), start, stop, begin == 0,
                          grad_x[n, start:stop], grad_x[other, start:stop], sums)


@jit
def backward_weight(first, last, grad_out, x, grad_weight):
    """Blocks of ROWS rows of `grad_weight` (K, C) = grad_out (N, K)^T x (N, C)."""
    N, C = x.shape
    K = len(grad_weight)
    sums = np.empty(2 * CHUNK, x.dtype)
    for block in range(first, last):
        for start in range(0, C, CHUNK):
            stop = min(start + CHUNK, C)
            for begin in range(0, N, 2 * ROWS):
                for k in range(block * ROWS, min((block + 1) * ROWS, K), 2):
                    other = min(k + 1, K - 1)
                    _add_rows(grad_out[:, k], grad_out[:, other], x, begin, min(begin + 2 * ROWS, N), start, stop,
                              begin == 0, grad_weight[k, start:stop], grad_weight[other, start:stop], sums)
