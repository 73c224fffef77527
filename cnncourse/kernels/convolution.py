"""Direct convolution: every weight meets every input that it touches, one output row at a time.

The idea in ten lines. An output pixel is a sum over channels, kernel rows and kernel columns. Instead of finishing one
pixel after the other, take one weight, and add weight times input to a whole output row at once: the innermost loop
then runs along contiguous memory with one fixed weight, which the compiler turns into vector instructions (at stride
1; larger strides gather). Padding is never built: for each weight, `_reach` gives the output columns whose input
lies inside the picture, and the others would only add zero. The two gradients are the same loops with the roles
changed: the input's gradient receives weight times output gradient, the weight's gradient collects their products.
"""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def _reach(offset, step, size, count):
    """First and one past the last output position whose input, position * step + offset, lies in [0, size)."""
    first = 0
    if offset < 0:
        first = (-offset + step - 1) // step
    last = (size - 1 - offset) // step + 1 if size - 1 - offset >= 0 else 0
    return min(first, count), max(min(last, count), min(first, count))


@njit(cache=True, nogil=True)
def forward(x, weight, bias, out, sh, sw, ph, pw, dh, dw, groups):
    """Fill `out` (N, K, P, Q) from x (N, C, H, W), weight (K, C / groups, R, S) and bias (K,)."""
    N, _, H, W = x.shape
    K, C, R, S = weight.shape
    P, Q = out.shape[2:]
    per_group = K // groups
    for n in range(N):
        for k in range(K):
            first_channel = (k // per_group) * C
            out[n, k] = bias[k]
            for c in range(C):
                for r in range(R):
                    top, bottom = _reach(r * dh - ph, sh, H, P)
                    for s in range(S):
                        left, right = _reach(s * dw - pw, sw, W, Q)
                        w = weight[k, c, r, s]
                        for p in range(top, bottom):
                            source = x[n, first_channel + c, p * sh + r * dh - ph]
                            target = out[n, k, p]
                            shift = s * dw - pw
                            for q in range(left, right):  # vectorized at stride 1
                                target[q] += w * source[q * sw + shift]


@njit(cache=True, nogil=True)
def backward_input(grad_out, weight, grad_x, sh, sw, ph, pw, dh, dw, groups):
    """Add into `grad_x` (N, C, H, W), which is zero at first."""
    N, _, H, W = grad_x.shape
    K, C, R, S = weight.shape
    P, Q = grad_out.shape[2:]
    per_group = K // groups
    for n in range(N):
        for k in range(K):
            first_channel = (k // per_group) * C
            for c in range(C):
                for r in range(R):
                    top, bottom = _reach(r * dh - ph, sh, H, P)
                    for s in range(S):
                        left, right = _reach(s * dw - pw, sw, W, Q)
                        w = weight[k, c, r, s]
                        for p in range(top, bottom):
                            target = grad_x[n, first_channel + c, p * sh + r * dh - ph]
                            source = grad_out[n, k, p]
                            shift = s * dw - pw
                            for q in range(left, right):
                                target[q * sw + shift] += w * source[q]


@njit(cache=True, nogil=True)
def backward_weight(grad_out, x, grad_weight, sh, sw, ph, pw, dh, dw, groups):
    """Fill `grad_weight` (K, C / groups, R, S)."""
    N, _, H, W = x.shape
    K, C, R, S = grad_weight.shape
    P, Q = grad_out.shape[2:]
    per_group = K // groups
    for k in range(K):
        first_channel = (k // per_group) * C
        for c in range(C):
            for r in range(R):
                top, bottom = _reach(r * dh - ph, sh, H, P)
                for s in range(S):
                    left, right = _reach(s * dw - pw, sw, W, Q)
                    shift = s * dw - pw
                    # In double precision: this sum runs over all images and positions.
                    total = np.float64(0)
                    for n in range(N):
                        for p in range(top, bottom):
                            source = x[n, first_channel + c, p * sh + r * dh - ph]
                            upstream = grad_out[n, k, p]
                            for q in range(left, right):
                                total += np.float64(upstream[q]) * np.float64(source[q * sw + shift])
                    grad_weight[k, c, r, s] = total
