"""Maximum, mean and norm over windows, forward and backward.

A band of rows is copied, padding included, into a buffer that stays in the L1 cache. From then on there are no borders,
and whatever the stride, loops run over contiguous memory and are vectorised: first each place takes together what lies
to its right within a window, along the whole band at once; then, for each output row, each place takes together the
rows of its window; and of these every sw-th is kept. A 3 x 3 window costs 4 steps a place so, not 8.

The order is that of reading, within a row and then row by row, so that the maximum is the first of equal ones, as in
PyTorch; NaN, the last one, beats everything. "Is it larger?" is never a branch: on random inputs processors guess every
other one wrong, which is what window-by-window loops spend most of their time on.

Averages go back by rows too: what each window shares out is spread along one row, and this row is added to all rows of
the window.

Planes are numbered n C + c; arrays are (planes, H, W) and (planes, P, Q).
"""

import math

import numpy as np

from cnncourse.machinery.compiling import jit

BAND = 4096
"""Entries of a band that holds more than one output row: with two helpers of its size it fills a 48 KiB cache."""


@jit
def _rows_of_a_band(P, width, R, sh, dh):
    """How many output rows are done at a time."""
    return max(1, min(P, (BAND // width - (R - 1) * dh - 1) // sh + 1))


@jit
def _load(plane, start, rows, left, width, outside, band):
    """Rows `start`, ..., `start + rows - 1` of a plane (H, W), with `outside` where there is nothing."""
    H, W = plane.shape
    begin, end = min(left, width), min(left + W, width)
    for i in range(rows):
        row = band[i * width:(i + 1) * width]
        if not 0 <= start + i < H:
            for j in range(len(row)):
                row[j] = outside
            continue
        for j in range(begin):
            row[j] = outside
        given, inside = plane[start + i], row[begin:end]
        for j in range(len(inside)):
            inside[j] = given[j]
        for j in range(end, width):
            row[j] = outside


@jit
def _keep(line, step, out):
    """Every `step`-th entry; steps 1 and 2 are written out because LLVM has vector instructions for them."""
    if step == 1:
        for q in range(len(out)):
            out[q] = line[q]
    elif step == 2:
        for q in range(len(out)):
            out[q] = line[2 * q]
    else:
        for q in range(len(out)):
            out[q] = line[step * q]


@jit
def _larger(best, value):
    """The later value if it is larger, or NaN."""
    return value if (value > best) | (value != value) else best


@jit
def _largest(values, taps, gap, out, spare):
    """The largest of values[j], values[j + gap], ..., `taps` of them, for each j; in `out` or in `spare`.

    Nothing is updated in place: LLVM would then store only where a value changes, by masked stores, which are slow.
    """
    n = len(out)
    first = values[:n]
    if taps == 1:
        for j in range(n):
            out[j] = first[j]
        return out
    second = values[gap:gap + n]
    if taps == 2:
        for j in range(n):
            out[j] = _larger(first[j], second[j])
        return out
    third = values[2 * gap:2 * gap + n]
    for j in range(n):
        out[j] = _larger(_larger(first[j], second[j]), third[j])
    for tap in range(3, taps):
        later = values[tap * gap:tap * gap + n]
        for j in range(n):
            spare[j] = _larger(out[j], later[j])
        out, spare = spare, out
    return out


@jit
def max_forward(first, last, x, out, R, S, sh, sw, top, left, dh, dw):
    """Planes `first`, ..., `last - 1` of `out`; -infinity where dilation steps over the whole picture."""
    P, Q = out.shape[1:]
    span = (Q - 1) * sw + 1
    width = span + (S - 1) * dw
    rows = _rows_of_a_band(P, width, R, sh, dh)
    size = ((rows - 1) * sh + (R - 1) * dh + 1) * width
    band, across, spare = np.empty(size, x.dtype), np.empty(size, x.dtype), np.empty(size, x.dtype)
    line, spare_line = np.empty(span, x.dtype), np.empty(span, x.dtype)
    for plane in range(first, last):
        for start in range(0, P, rows):
            stop = min(start + rows, P)
            height = (stop - 1 - start) * sh + (R - 1) * dh + 1
            _load(x[plane], start * sh - top, height, left, width, x.dtype.type(-np.inf), band)
            n = height * width - (S - 1) * dw
            found = _largest(band, S, dw, across[:n], spare[:n])
            for p in range(start, stop):
                begin = (p - start) * sh * width
                _keep(_largest(found[begin:], R, dh * width, line, spare_line), sw, out[plane, p])


@jit
def _largest_placed(values, places, taps, gap, jump, out, where, spare, spare_where):
    """`_largest`, and how far from the first tap it lies: what `places` says, and `jump` for each tap."""
    n = len(out)
    first, first_place = values[:n], places[:n]
    for j in range(n):
        out[j] = first[j]
        where[j] = first_place[j]
    for tap in range(1, taps):
        later, later_place = values[tap * gap:tap * gap + n], places[tap * gap:tap * gap + n]
        distance = np.int32(tap * jump)
        for j in range(n):
            best, value = out[j], later[j]
            better = (value > best) | (value != value)
            spare[j] = value if better else best
            spare_where[j] = later_place[j] + distance if better else where[j]
        out, spare = spare, out
        where, spare_where = spare_where, where
    return out, where


@jit
def _first_inside(top, left, R, S, dh, dw, H, W):
    """The first place of a window that lies in the picture, or -1."""
    for i in range(top, top + R * dh, dh):
        for j in range(left, left + S * dw, dw):
            if 0 <= i < H and 0 <= j < W:
                return i * W + j
    return -1


@jit
def max_forward_placed(first, last, x, out, indices, R, S, sh, sw, top, left, dh, dw):
    """`max_forward`, and the place i W + j of each maximum in its plane; -1 if there is none."""
    H, W = x.shape[1:]
    P, Q = out.shape[1:]
    span = (Q - 1) * sw + 1
    width = span + (S - 1) * dw
    rows = _rows_of_a_band(P, width, R, sh, dh)
    size = ((rows - 1) * sh + (R - 1) * dh + 1) * width
    lowest = x.dtype.type(-np.inf)
    band, across, spare = np.empty(size, x.dtype), np.empty(size, x.dtype), np.empty(size, x.dtype)
    nothing = np.zeros(size, np.int32)
    places, spare_places = np.empty(size, np.int32), np.empty(size, np.int32)
    line, spare_line = np.empty(span, x.dtype), np.empty(span, x.dtype)
    where, spare_where = np.empty(span, np.int32), np.empty(span, np.int32)
    for plane in range(first, last):
        for start in range(0, P, rows):
            stop = min(start + rows, P)
            height = (stop - 1 - start) * sh + (R - 1) * dh + 1
            _load(x[plane], start * sh - top, height, left, width, lowest, band)
            n = height * width - (S - 1) * dw
            found, taps = _largest_placed(
                band, nothing, S, dw, dw, across[:n], places[:n], spare[:n], spare_places[:n])
            for p in range(start, stop):
                begin = (p - start) * sh * width
                largest, offsets = _largest_placed(
                    found[begin:], taps[begin:], R, dh * width, dh * W, line, where, spare_line, spare_where)
                values, index = out[plane, p], indices[plane, p]
                _keep(largest, sw, values)
                _keep(offsets, sw, index)
                corner = (p * sh - top) * W - left
                for q in range(Q):
                    index[q] += corner + q * sw
                for q in range(Q):
                    # Padding is as low as the lowest input, and may have come first.
                    if values[q] == lowest:
                        index[q] = _first_inside(p * sh - top, q * sw - left, R, S, dh, dw, H, W)


@jit
def max_backward(first, last, grad_out, indices, grad_x, stray):
    """Add planes of `grad_out` (planes, P Q) to those entries of `grad_x` (planes, H W) that were the maxima.

    `stray` gets an index that lies outside of the plane, if there is one.
    """
    for plane in range(first, last):
        upstream, index, after = grad_out[plane], indices[plane], grad_x[plane]
        for i in range(len(after)):
            after[i] = after.dtype.type(0)
        for q in range(len(upstream)):
            place = index[q]
            if 0 <= place < len(after):
                after[place] += upstream[q]
            elif place != -1:
                stray[0] = place


@jit
def _window(position, stride, before, size, after, taps):
    """A window inside the picture, and its extent within the padded picture: (start, stop, extent)."""
    start = position * stride - before
    stop = min(start + taps, size + after)
    return max(start, 0), min(stop, size), stop - start


@jit
def _divisors(Q, stride, before, size, after, taps, count_include_pad, dtype):
    """How many places of each window count along one axis."""
    found = np.empty(Q, dtype)
    for q in range(Q):
        start, stop, extent = _window(q, stride, before, size, after, taps)
        found[q] = extent if count_include_pad else stop - start
    return found


@jit
def _sums(values, taps, gap, out):
    """out[j] = values[j] + values[j + gap] + ..., `taps` of them."""
    n = len(out)
    first = values[:n]
    if taps == 1:
        for j in range(n):
            out[j] = first[j]
        return
    second = values[gap:gap + n]
    if taps == 2:
        for j in range(n):
            out[j] = first[j] + second[j]
        return
    third = values[2 * gap:2 * gap + n]
    for j in range(n):
        out[j] = (first[j] + second[j]) + third[j]
    for tap in range(3, taps):
        later = values[tap * gap:tap * gap + n]
        for j in range(n):
            out[j] += later[j]


@jit
def _raise(values, power):
    """values^power, in place; the usual ones without a call to pow."""
    if power == 2:
        for j in range(len(values)):
            values[j] = values[j] * values[j]
    elif power == 3:
        for j in range(len(values)):
            values[j] = values[j] * values[j] * values[j]
    elif power == 0.5:
        for j in range(len(values)):
            values[j] = math.sqrt(values[j])
    elif power != 1:
        exponent = values.dtype.type(power)
        for j in range(len(values)):
            values[j] = values[j] ** exponent


@jit
def average_forward(first, last, x, out, R, S, sh, sw, top, left, bottom, right, count_include_pad, scale, power):
    """Planes `first`, ..., `last - 1` of `out`: the mean of x^power, times `scale`, to the power of 1 / power."""
    H, W = x.shape[1:]
    P, Q = out.shape[1:]
    span = (Q - 1) * sw + 1
    width = span + S - 1
    rows = _rows_of_a_band(P, width, R, sh, 1)
    size = ((rows - 1) * sh + R) * width
    band, across, line = np.empty(size, x.dtype), np.empty(size, x.dtype), np.empty(span, x.dtype)
    counts = _divisors(Q, sw, left, W, right, S, count_include_pad, x.dtype)
    for plane in range(first, last):
        for start in range(0, P, rows):
            stop = min(start + rows, P)
            height = (stop - 1 - start) * sh + R
            _load(x[plane], start * sh - top, height, left, width, x.dtype.type(0), band)
            _raise(band[:height * width], power)
            n = height * width - S + 1
            _sums(band, S, 1, across[:n])
            for p in range(start, stop):
                begin = (p - start) * sh * width
                _sums(across[begin:], R, width, line)
                means = out[plane, p]
                _keep(line, sw, means)
                i0, i1, extent = _window(p, sh, top, H, bottom, R)
                counted = x.dtype.type(extent if count_include_pad else i1 - i0)
                for q in range(Q):
                    means[q] = means[q] * scale / (counted * counts[q])
                _raise(means, 1 / power)


@jit
def average_backward(first, last, grad_out, grad_x, R, S, sh, sw, top, left, bottom, right, count_include_pad):
    """Planes `first`, ..., `last - 1` of `grad_x`."""
    H, W = grad_x.shape[1:]
    P, Q = grad_out.shape[1:]
    dtype = grad_x.dtype.type
    width = (Q - 1) * sw + S
    shares, line = np.empty(Q, grad_x.dtype), np.empty(width, grad_x.dtype)
    counts = _divisors(Q, sw, left, W, right, S, count_include_pad, grad_x.dtype)
    seen = line[left:min(left + W, width)]
    for plane in range(first, last):
        after = grad_x[plane]
        for i in range(H):
            row = after[i]
            for j in range(W):
                row[j] = dtype(0)
        for p in range(P):
            i0, i1, extent = _window(p, sh, top, H, bottom, R)
            counted = dtype(extent if count_include_pad else i1 - i0)
            upstream = grad_out[plane, p]
            for q in range(Q):
                shares[q] = upstream[q] / (counted * counts[q])
            for j in range(width):
                line[j] = dtype(0)
            for s in range(S):
                if sw == 1:
                    places = line[s:s + Q]
                    for q in range(Q):
                        places[q] += shares[q]
                else:
                    places = line[s:]
                    for q in range(Q):
                        places[q * sw] += shares[q]
            for i in range(i0, i1):
                row = after[i]
                for j in range(len(seen)):
                    row[j] += seen[j]


@jit
def norm_shares(first, last, grad_out, norms, scale, power, shares):
    """shares = scale grad_out norms^(1 - power), zero where the norm is zero: there is no gradient."""
    upstream, values, results = grad_out[first:last], norms[first:last], shares[first:last]
    exponent, zero = norms.dtype.type(1 - power), norms.dtype.type(0)
    if power == 2:
        for i in range(len(values)):
            share = scale * upstream[i] / values[i]
            results[i] = zero if values[i] == zero else share
    else:
        for i in range(len(values)):
            share = scale * upstream[i] * values[i] ** exponent
            results[i] = zero if values[i] == zero else share


@jit
def norm_backward(first, last, spread, x, power):
    """Multiply `spread` by x^(power - 1) in place.

    Where no window passes anything on the power may be infinite (below 1), and must not make a NaN of the zero.
    """
    spread, x = spread[first:last], x[first:last]
    exponent, zero = x.dtype.type(power - 1), x.dtype.type(0)
    if power == 2:
        for i in range(len(x)):
            spread[i] *= zero if spread[i] == zero else x[i]
    else:
        for i in range(len(x)):
            spread[i] *= zero if spread[i] == zero else x[i] ** exponent


@jit(fastmath={"reassoc"})
def mean_forward(first, last, x, out):
    """The mean of each plane of x (planes, L)."""
    for plane in range(first, last):
        values = x[plane]
        total = x.dtype.type(0)
        for i in range(len(values)):
            total += values[i]
        out[plane] = total / x.dtype.type(len(values))


@jit
def mean_backward(first, last, grad_out, grad_x):
    """One share for all entries of each plane of `grad_x` (planes, L)."""
    for plane in range(first, last):
        after = grad_x[plane]
        share = grad_out[plane] / grad_x.dtype.type(len(after))
        for i in range(len(after)):
            after[i] = share
