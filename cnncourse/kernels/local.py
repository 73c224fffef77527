"""The locally connected layer: a convolution whose filters differ from position to position.

At each position the patch of each image becomes one row of a small matrix, and each output is the dot product of such a
row with a filter: both lie contiguous in memory. Every weight is used once for each image, so that reading the
weights is what takes the time, and they are read once for the whole batch. Positions share nothing but the input, so
that forward and weight gradients can be cut anywhere; the gradient of the input, where patches overlap, is cut by
images.
"""

import numpy as np

from cnncourse.machinery.compiling import jit


@jit
def _patch(image, top, left, R, S, patch):
    """Copy the window of `image` (C, H, W) that starts at (top, left) into `patch` (C R S), zeros outside."""
    C, H, W = image.shape
    position = 0
    for c in range(C):
        for i in range(top, top + R):
            for j in range(left, left + S):
                patch[position] = image[c, i, j] if 0 <= i < H and 0 <= j < W else patch.dtype.type(0)
                position += 1


@jit(fastmath={"reassoc"})
def _dot(one, other):
    total = one.dtype.type(0)
    for i in range(len(one)):
        total += one[i] * other[i]
    return total


@jit
def forward(first, last, x, weight, bias, out, Q, R, S, sh, sw, ph, pw):
    """Positions of `out` (N, K, P Q), from x (N, C, H, W), weight (P Q, K, C R S) and bias (K, P Q)."""
    N, K = out.shape[:2]
    patches = np.empty((N, weight.shape[2]), x.dtype)
    for position in range(first, last):
        top, left = position // Q * sh - ph, position % Q * sw - pw
        for n in range(N):
            _patch(x[n], top, left, R, S, patches[n])
        for k in range(K):
            filter = weight[position, k]
            for n in range(N):
                out[n, k, position] = bias[k, position] + _dot(filter, patches[n])


@jit
def backward_weight(first, last, grad_out, x, grad_weight, Q, R, S, sh, sw, ph, pw):
    """Positions of `grad_weight` (P Q, K, C R S): each weight was used once for each image."""
    N, K = grad_out.shape[:2]
    patches = np.empty((N, grad_weight.shape[2]), x.dtype)
    for position in range(first, last):
        top, left = position // Q * sh - ph, position % Q * sw - pw
        for n in range(N):
            _patch(x[n], top, left, R, S, patches[n])
        for k in range(K):
            filter = grad_weight[position, k]
            filter[:] = filter.dtype.type(0)
            for n in range(N):
                upstream, patch = grad_out[n, k, position], patches[n]
                for i in range(len(filter)):
                    filter[i] += upstream * patch[i]


@jit
def backward_input(first, last, grad_out, weight, grad_x, Q, R, S, sh, sw, ph, pw):
    """Images of `grad_x` (N, C, H, W), which is zero at first."""
    C, H, W = grad_x.shape[1:]
    K, positions = grad_out.shape[1:]
    patches = np.empty((last - first, weight.shape[2]), weight.dtype)
    for position in range(positions):
        top, left = position // Q * sh - ph, position % Q * sw - pw
        patches[:] = weight.dtype.type(0)
        for k in range(K):
            filter = weight[position, k]
            for n in range(first, last):
                upstream, patch = grad_out[n, k, position], patches[n - first]
                for i in range(len(filter)):
                    patch[i] += upstream * filter[i]
        for n in range(first, last):
            tap = 0
            for c in range(C):
                for i in range(top, top + R):
                    for j in range(left, left + S):
                        if 0 <= i < H and 0 <= j < W:
                            grad_x[n, c, i, j] += patches[n - first, tap]
                        tap += 1
