"""Batch norm and local response norm.

Letters as in the folder's `__init__`; L counts the positions of a feature map, H W.

Batch norm reads every feature map twice while it stays in the cache: once for its mean, once for the squared
distances from this mean. Maps are joined by the formulas of Chan, Golub and LeVeque (1983), so that there is no
difference of large numbers, and all sums are in double precision.

Local response norm visits the channels of a strip of positions that fits into the cache; positions are the
vectorised loop. The sums over neighboring channels are added up anew for each channel: a sliding sum would save
additions but keep an infinity forever.
"""

import math

import numpy as np

from cnncourse.machinery.compiling import jit

STRIP = 256
"""Positions that local response norm does at a time: with some 100 channels they fill half of a 256 KiB cache."""


@jit(fastmath={"reassoc"})
def statistics(first, last, x, mean, var):
    """Mean and variance, divided by the number of values, of channels `first`, ..., `last - 1` of x (N, C, L)."""
    N, L = x.shape[0], x.shape[2]
    for c in range(first, last):
        count, center, spread = 0, 0.0, 0.0
        for n in range(N):
            plane = x[n, c]
            total = 0.0
            for i in range(L):
                total += np.float64(plane[i])
            middle = total / L
            distance = 0.0
            for i in range(L):
                difference = np.float64(plane[i]) - middle
                distance += difference * difference
            shift = middle - center
            spread += distance + shift * shift * L * count / (count + L)
            count += L
            center += shift * L / count
        mean[c] = center
        var[c] = spread / count


@jit
def standardize(first, last, x, mean, var, weight, bias, eps, out, overwrite):
    """out = weight (x - mean) / sqrt(var + eps) + bias for planes `first`, ..., `last - 1` of x (N, C, L).

    `out` may be `x`; elementwise.py says why that has to be told.
    """
    C = x.shape[1]
    for plane in range(first, last):
        n, c = plane // C, plane % C
        before, after = x[n, c], out[n, c]
        scale = weight[c] / math.sqrt(np.float64(var[c]) + eps)
        center = x.dtype.type(mean[c])
        # What rounding took from the mean is given back in the shift: channels far from zero stay exact.
        shift = x.dtype.type((np.float64(center) - mean[c]) * scale + bias[c])
        factor = x.dtype.type(scale)
        if overwrite:
            for i in range(len(before)):
                before[i] = factor * (before[i] - center) + shift
        else:
            for i in range(len(before)):
                after[i] = factor * (before[i] - center) + shift


@jit(fastmath={"reassoc"})
def gradient_sums(first, last, grad_out, x, mean, var, eps, grad_weight, grad_bias):
    """Sums of grad_out (x - mean) / sqrt(var + eps) and of grad_out, for channels `first`, ..., `last - 1`."""
    N, L = x.shape[0], x.shape[2]
    for c in range(first, last):
        center = np.float64(mean[c])
        total, product = 0.0, 0.0
        for n in range(N):
            upstream, plane = grad_out[n, c], x[n, c]
            for i in range(L):
                total += np.float64(upstream[i])
                product += np.float64(upstream[i]) * (np.float64(plane[i]) - center)
        grad_weight[c] = product / math.sqrt(np.float64(var[c]) + eps)
        grad_bias[c] = total


@jit
def batch_backward(first, last, grad_out, x, mean, var, weight, eps, grad_weight, grad_bias, count, grad_x, overwrite):
    """grad_x = weight / sqrt(var + eps) (grad_out - level - slope (x - mean)), for planes. `grad_x` may be `grad_out`.

    Level and slope are what would only move the batch's mean and variance. Where the statistics are not the batch's,
    `count`, the number of values of a channel, is given as zero, and nothing is taken off, whatever x is.
    """
    C = x.shape[1]
    for plane in range(first, last):
        n, c = plane // C, plane % C
        upstream, before, after = grad_out[n, c], x[n, c], grad_x[n, c]
        inverse = 1 / math.sqrt(np.float64(var[c]) + eps)
        center, factor = x.dtype.type(mean[c]), x.dtype.type(weight[c] * inverse)
        level, slope = x.dtype.type(grad_bias[c] / count), x.dtype.type(grad_weight[c] * inverse / count)
        if overwrite and count:
            for i in range(len(before)):
                upstream[i] = factor * (upstream[i] - level - slope * (before[i] - center))
        elif overwrite:
            for i in range(len(before)):
                upstream[i] *= factor
        elif count:
            for i in range(len(before)):
                after[i] = factor * (upstream[i] - level - slope * (before[i] - center))
        else:
            for i in range(len(before)):
                after[i] = factor * upstream[i]


@jit
def _power(base, beta, out):
    """out = base^-beta; for the usual 3/4 by square roots, which are vector instructions."""
    one = base.dtype.type(1)
    if beta == 0.75:
        for i in range(len(base)):
            root = math.sqrt(base[i])
            out[i] = one / (root * math.sqrt(root))
    elif beta == 0.5:
        for i in range(len(base)):
            out[i] = one / math.sqrt(base[i])
    elif beta == 1:
        for i in range(len(base)):
            out[i] = one / base[i]
    else:
        exponent = base.dtype.type(-beta)
        for i in range(len(base)):
            out[i] = base[i] ** exponent


@jit
def _neighbors(squares, c, before, after, scale, k, out):
    """out = k + scale times the sum over channels c - before, ..., c + after."""
    zero = out.dtype.type(0)
    out[:] = zero
    for other in range(max(c - before, 0), min(c + after + 1, len(squares))):
        square = squares[other]
        for i in range(len(out)):
            out[i] += square[i]
    for i in range(len(out)):
        out[i] = k + scale * out[i]


@jit
def response_forward(first, last, x, out, size, scale, beta, k):
    """Tasks are strips of x (N, C, L), sample after sample."""
    C, L = x.shape[1:]
    strips = -(-L // STRIP)
    before, after = size // 2, (size - 1) // 2
    squares = np.empty((C, STRIP), x.dtype)
    base = np.empty(STRIP, x.dtype)
    for task in range(first, last):
        n, start = task // strips, task % strips * STRIP
        width = min(STRIP, L - start)
        for c in range(C):
            values, square = x[n, c, start:start + width], squares[c]
            for i in range(width):
                square[i] = values[i] * values[i]
        for c in range(C):
            _neighbors(squares[:, :width], c, before, after, scale, k, base[:width])
            _power(base[:width], beta, base[:width])
            values, results = x[n, c, start:start + width], out[n, c, start:start + width]
            for i in range(width):
                results[i] = values[i] * base[i]


@jit
def response_backward(first, last, grad_out, x, grad_x, size, scale, beta, k):
    """With d the divisor before its power: grad_x = grad_out d^-beta - 2 scale beta x sum(grad_out x d^(-beta - 1)).

    The sum is over the channels whose neighbors include this one: the window of the forward pass, mirrored.
    """
    C, L = x.shape[1:]
    strips = -(-L // STRIP)
    before, after = size // 2, (size - 1) // 2
    squares = np.empty((C, STRIP), x.dtype)
    terms = np.empty((C, STRIP), x.dtype)
    base, power = np.empty(STRIP, x.dtype), np.empty(STRIP, x.dtype)
    factor = x.dtype.type(-2 * scale * beta)
    zero = x.dtype.type(0)
    for task in range(first, last):
        n, start = task // strips, task % strips * STRIP
        width = min(STRIP, L - start)
        for c in range(C):
            values, square = x[n, c, start:start + width], squares[c]
            for i in range(width):
                square[i] = values[i] * values[i]
        for c in range(C):
            _neighbors(squares[:, :width], c, before, after, scale, k, base[:width])
            _power(base[:width], beta, power[:width])
            values, upstream = x[n, c, start:start + width], grad_out[n, c, start:start + width]
            results, term = grad_x[n, c, start:start + width], terms[c]
            for i in range(width):
                passed = upstream[i] * power[i]
                results[i] = passed
                term[i] = passed * values[i] / base[i]
        for c in range(C):
            _neighbors(terms[:, :width], c, after, before, factor, zero, base[:width])
            values, results = x[n, c, start:start + width], grad_x[n, c, start:start + width]
            for i in range(width):
                results[i] += values[i] * base[i]
