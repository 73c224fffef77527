"""Softmax and the logarithm of a sum of exponentials, row by row.

The exponential is written out for single precision, because compiled loops can only call the library's for one number
at a time. e^x = 2^n e^r with n = x / log(2) rounded and |r| at most log(2) / 2: n goes into the bits of the exponent,
and a polynomial does the rest (coefficients of the Cephes library; off by at most 2 in the last place).
"""

import math

import numpy as np

from cnncourse.machinery.compiling import jit

STRIP = 256
"""Positions of a map that are done at a time."""
LOG2_E = np.float32(1.44269504088896341)
LOG_2_HIGH, LOG_2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)
C5, C4, C3 = np.float32(1.9875691500e-4), np.float32(1.3981999507e-3), np.float32(8.3334519073e-3)
C2, C1, C0 = np.float32(4.1665795894e-2), np.float32(1.6666665459e-1), np.float32(5.0000001201e-1)
LOWEST = np.float32(-87.0)
"""Where e^x is about as small as a normal number can be."""


@jit(fastmath={"contract"})
def _exponential(x):
    """e^x for x up to 0 in single precision; 0 below LOWEST, and NaN for NaN."""
    one, half = np.float32(1), np.float32(0.5)
    n = np.floor(max(x, LOWEST) * LOG2_E + half)
    r = (x - n * LOG_2_HIGH) - n * LOG_2_LOW
    series = ((((C5 * r + C4) * r + C3) * r + C2) * r + C1) * r + C0
    value = (series * r * r + r) + one
    power = np.int32((np.int32(n) + np.int32(127)) << np.int32(23)).view(np.float32)
    return np.float32(0) if x < LOWEST else value * power


@jit
def _largest(row, one, two):
    """Halves are compared with each other until one number is left; NaN wins."""
    n = len(row)
    for i in range(n):
        one[i] = row[i]
    while n > 1:
        half = (n + 1) // 2
        upper = one[half:n]
        for i in range(len(upper)):
            best, value = one[i], upper[i]
            two[i] = value if (value > best) | (value != value) else best
        if n % 2:
            two[half - 1] = one[half - 1]
        one, two = two, one
        n = half
    return one[0]


@jit
def _exponentials(row, largest, out):
    for i in range(len(row)):
        out[i] = _exponential(np.float32(row[i] - largest))


@jit
def _library_exponentials(row, largest, out):
    for i in range(len(row)):
        out[i] = math.exp(row[i] - largest)


@jit(fastmath={"reassoc"})
def _sum(row):
    total = row.dtype.type(0)
    for i in range(len(row)):
        total += row[i]
    return total


@jit
def _shifted(row, one, two, single, out):
    """Fill `out` with e^(row - largest), and return the largest."""
    largest = _largest(row, one, two)
    if single:
        _exponentials(row, largest, out)
    else:
        _library_exponentials(row, largest, out)
    return largest


@jit
def softmax(first, last, x, single, out):
    """Rows `first`, ..., `last - 1` of x (rows, classes); `single` says that it is single precision."""
    one, two = np.empty(x.shape[1], x.dtype), np.empty(x.shape[1], x.dtype)
    for n in range(first, last):
        values = out[n]
        _shifted(x[n], one, two, single, values)
        total = _sum(values)
        for i in range(len(values)):
            values[i] /= total


@jit
def _subtract(row, largest, out):
    for i in range(len(row)):
        out[i] = row[i] - largest[i]


@jit
def softmax_of_maps(first, last, x, single, out):
    """Samples of x (samples, classes, positions): a strip of positions at a time, class after class."""
    K, L = x.shape[1:]
    largest, spare, total = np.empty(STRIP, x.dtype), np.empty(STRIP, x.dtype), np.empty(STRIP, x.dtype)
    zero = x.dtype.type(0)
    for n in range(first, last):
        for start in range(0, L, STRIP):
            stop = min(start + STRIP, L)
            for i in range(stop - start):
                largest[i] = x[n, 0, start + i]
                total[i] = zero
            for k in range(1, K):
                row = x[n, k, start:stop]
                for i in range(len(row)):
                    best, value = largest[i], row[i]
                    spare[i] = value if (value > best) | (value != value) else best
                largest, spare = spare, largest
            for k in range(K):
                shares = out[n, k, start:stop]
                _subtract(x[n, k, start:stop], largest, spare)
                if single:
                    _exponentials(spare[:stop - start], zero, shares)
                else:
                    _library_exponentials(spare[:stop - start], zero, shares)
                for i in range(len(shares)):
                    total[i] += shares[i]
            for k in range(K):
                shares = out[n, k, start:stop]
                for i in range(len(shares)):
                    shares[i] /= total[i]


@jit
def losses(first, last, x, single, targets, out):
    """-log softmax(x)[target] for each row, in double precision."""
    one, two = np.empty(x.shape[1], x.dtype), np.empty(x.shape[1], x.dtype)
    values = np.empty(x.shape[1], x.dtype)
    for n in range(first, last):
        largest = _shifted(x[n], one, two, single, values)
        out[n] = math.log(np.float64(_sum(values))) - (np.float64(x[n, targets[n]]) - np.float64(largest))
