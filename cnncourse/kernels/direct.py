"""Direct convolution: every weight meets every input that it touches, one output row at a time.

The idea in ten lines. An output pixel is a sum over channels, kernel rows and kernel columns. Instead of finishing one
pixel after the other, take one weight, and add weight times input to a whole output row at once: the innermost loop
then runs along contiguous memory with one fixed weight, which the compiler turns into vector instructions. Padding is
never built: for each weight, `_reach` gives the output columns whose input lies inside the picture, and the others
would only add zero. The two gradients are the same loops with the roles changed: the input's gradient receives weight
times output gradient, the weight's gradient collects their products. This is the fastest way where a group has one or
two filters only, as in a depthwise convolution: no patch is used often enough to be worth copying.
"""

import numpy as np

from cnncourse.machinery.compiling import jit


@jit
def _reach(offset, step, size, count):
    """First and one past the last output position whose input, position * step + offset, lies in [0, size)."""
    first = 0
    if offset < 0:
        first = (-offset + step - 1) // step
    last = (size - 1 - offset) // step + 1 if size - 1 - offset >= 0 else 0
    return min(first, count), max(min(last, count), min(first, count))


@jit
def forward(first, last, x, weight, bias, out, sh, sw, ph, pw, dh, dw, groups):
    """Fill planes first to last - 1, counted n * K + k, of `out` (N, K, P, Q).

    x (N, C, H, W), weight (K, C / groups, R, S), bias (K,).
    """
    H, W = x.shape[2:]
    K, C, R, S = weight.shape
    P, Q = out.shape[2:]
    per_group = K // groups
    for plane in range(first, last):
        n, k = plane // K, plane % K
        first_channel = (k // per_group) * C
        out[n, k] = bias[k]
        for c in range(C):
            for r in range(R):
                top, bottom = _reach(r * dh - ph, sh, H, P)
                for s in range(S):
                    left, right = _reach(s * dw - pw, sw, W, Q)
                    if left == right:
                        continue
                    w = weight[k, c, r, s]
                    for p in range(top, bottom):
                        source = x[n, first_channel + c, p * sh + r * dh - ph, left * sw + s * dw - pw:]
                        target = out[n, k, p, left:right]
                        if sw == 1:
                            for q in range(len(target)):
                                target[q] += w * source[q]
                        else:
                            for q in range(len(target)):
                                target[q] += w * source[q * sw]


@jit
def backward_input(first, last, grad_out, weight, grad_x, sh, sw, ph, pw, dh, dw, groups):
    """Fill what groups first to last - 1, counted n * groups + group, have in `grad_x` (N, C, H, W)."""
    H, W = grad_x.shape[2:]
    K, C, R, S = weight.shape
    P, Q = grad_out.shape[2:]
    per_group = K // groups
    for task in range(first, last):
        n, group = task // groups, task % groups
        grad_x[n, group * C:group * C + C] = 0
        for k in range(group * per_group, group * per_group + per_group):
            for c in range(C):
                for r in range(R):
                    top, bottom = _reach(r * dh - ph, sh, H, P)
                    for s in range(S):
                        left, right = _reach(s * dw - pw, sw, W, Q)
                        if left == right:
                            continue
                        w = weight[k, c, r, s]
                        for p in range(top, bottom):
                            target = grad_x[n, group * C + c, p * sh + r * dh - ph, left * sw + s * dw - pw:]
                            source = grad_out[n, k, p, left:right]
                            if sw == 1:
                                for q in range(len(source)):
                                    target[q] += w * source[q]
                            else:
                                for q in range(len(source)):
                                    target[q * sw] += w * source[q]


@jit(fastmath={"reassoc"})
def backward_weight(first, last, grad_out, x, grad_weight, sh, sw, ph, pw, dh, dw, groups):
    """Fill filters first to last - 1 of `grad_weight` (K, C / groups, R, S)."""
    N, _, H, W = x.shape
    K, C, R, S = grad_weight.shape
    P, Q = grad_out.shape[2:]
    per_group = K // groups
    for k in range(first, last):
        first_channel = (k // per_group) * C
        for c in range(C):
            for r in range(R):
                top, bottom = _reach(r * dh - ph, sh, H, P)
                for s in range(S):
                    left, right = _reach(s * dw - pw, sw, W, Q)
                    total = np.float64(0)  # of the rows' sums: there are many
                    for n in range(N if right > left else 0):
                        for p in range(top, bottom):
                            source = x[n, first_channel + c, p * sh + r * dh - ph, left * sw + s * dw - pw:]
                            upstream = grad_out[n, k, p, left:right]
                            part = x.dtype.type(0)
                            if sw == 1:
                                for q in range(len(upstream)):
                                    part += upstream[q] * source[q]
                            else:
                                for q in range(len(upstream)):
                                    part += upstream[q] * source[q * sw]
                            total += part
                    grad_weight[k, c, r, s] = total
