"""Maximum and average over windows, forward and backward.

Each output pixel visits the inputs of its window that lie inside the picture. The maximum remembers where it was found,
as a flat index into the plane, so that its gradient is a single addition; among equal values the first one in reading
order wins, and NaN, the last one, beats everything, as in PyTorch. The average divides by the number of inputs, or by
the window's size within the padded picture, padding included; a window that hangs over the end of that (ceil_mode) is
cut there.
"""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def max_forward(x, out, indices, R, S, sh, sw, ph, pw, dh, dw):
    """Fill `out` and `indices` (N, C, P, Q) from x (N, C, H, W)."""
    N, C, H, W = x.shape
    P, Q = out.shape[2:]
    for n in range(N):
        for c in range(C):
            plane = x[n, c]
            for p in range(P):
                for q in range(Q):
                    found = -1  # stays so where dilation steps over the whole picture
                    best = -np.inf
                    for r in range(R):
                        i = p * sh + r * dh - ph
                        if 0 <= i < H:
                            for s in range(S):
                                j = q * sw + s * dw - pw
                                if 0 <= j < W:
                                    value = plane[i, j]
                                    if found < 0 or value > best or np.isnan(value):
                                        best = value
                                        found = i * W + j
                    out[n, c, p, q] = best
                    indices[n, c, p, q] = found


@njit(cache=True, nogil=True)
def max_backward(grad_out, indices, grad_x):
    """Add each entry of `grad_out` (N, C, P, Q) to the entry of `grad_x` (N, C, H, W) that was the maximum."""
    N, C, P, Q = grad_out.shape
    W = grad_x.shape[3]
    for n in range(N):
        for c in range(C):
            for p in range(P):
                for q in range(Q):
                    index = indices[n, c, p, q]
                    if index >= 0:
                        grad_x[n, c, index // W, index % W] += grad_out[n, c, p, q]


@njit(cache=True, nogil=True)
def _window(position, stride, before, size, after, kernel):
    """A window inside the picture, and its extent within the padded picture: (start, stop, extent)."""
    start = position * stride - before
    stop = min(start + kernel, size + after)
    return max(start, 0), min(stop, size), stop - start


@njit(cache=True, nogil=True)
def average_forward(x, out, R, S, sh, sw, top, left, bottom, right, count_include_pad):
    """Fill `out` (N, C, P, Q) from x (N, C, H, W)."""
    N, C, H, W = x.shape
    P, Q = out.shape[2:]
    for n in range(N):
        for c in range(C):
            for p in range(P):
                i0, i1, rows = _window(p, sh, top, H, bottom, R)
                for q in range(Q):
                    j0, j1, columns = _window(q, sw, left, W, right, S)
                    total = np.float64(0)
                    for i in range(i0, i1):
                        for j in range(j0, j1):
                            total += x[n, c, i, j]
                    count = rows * columns if count_include_pad else (i1 - i0) * (j1 - j0)
                    out[n, c, p, q] = total / count


@njit(cache=True, nogil=True)
def average_backward(grad_out, grad_x, R, S, sh, sw, top, left, bottom, right, count_include_pad):
    """Add into `grad_x` (N, C, H, W), which is zero at first."""
    N, C, H, W = grad_x.shape
    P, Q = grad_out.shape[2:]
    for n in range(N):
        for c in range(C):
            for p in range(P):
                i0, i1, rows = _window(p, sh, top, H, bottom, R)
                for q in range(Q):
                    j0, j1, columns = _window(q, sw, left, W, right, S)
                    count = rows * columns if count_include_pad else (i1 - i0) * (j1 - j0)
                    share = grad_out[n, c, p, q] / count
                    for i in range(i0, i1):
                        for j in range(j0, j1):
                            grad_x[n, c, i, j] += share
