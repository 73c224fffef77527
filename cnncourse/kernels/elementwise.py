"""Entry by entry: ReLU, sums, gradients of activations. Memory sets the speed, so each is one pass over flat arrays.

Results may overwrite an argument. Then the compiler cannot know that no entry depends on one written before, and would
do without vector instructions; for this reason a block of results goes into a buffer first, which stays in the L1
cache, and from there to its place. (Overwriting an entry by itself or zero would even become a store under a mask,
five times as slow.) Blocks are cut out as slices because only of indices that start at 0 Numba knows that they are
not negative, which vector instructions take too.
"""

import numpy as np

from cnncourse.kernels.threads import jit

BLOCK = 1024


@jit
def _put(results, out):
    for i in range(len(out)):
        out[i] = results[i]


@jit
def relu(first, last, x, out):
    """Positive entries and NaN stay. `out` may be `x`."""
    results, zero = np.empty(BLOCK, x.dtype), x.dtype.type(0)
    for start in range(first, last, BLOCK):
        stop = min(start + BLOCK, last)
        values = x[start:stop]
        for i in range(len(values)):
            value = values[i]
            results[i] = zero if value <= zero else value
        _put(results, out[start:stop])


@jit
def relu_backward(first, last, grad_out, x, grad_x):
    """The gradient passes where ReLU let its input pass. `grad_x` may be `grad_out`."""
    results, zero = np.empty(BLOCK, x.dtype), x.dtype.type(0)
    for start in range(first, last, BLOCK):
        stop = min(start + BLOCK, last)
        values, upstream = x[start:stop], grad_out[start:stop]
        for i in range(len(values)):
            gradient = upstream[i]
            results[i] = zero if values[i] <= zero else gradient
        _put(results, grad_x[start:stop])


@jit
def add(first, last, x, y, out):
    """`out` may be either of them."""
    results = np.empty(BLOCK, x.dtype)
    for start in range(first, last, BLOCK):
        stop = min(start + BLOCK, last)
        ones, others = x[start:stop], y[start:stop]
        for i in range(len(ones)):
            results[i] = ones[i] + others[i]
        _put(results, out[start:stop])


@jit
def masked(first, last, x, mask, scale, out):
    """Dropout: kept entries are scaled; the others are multiplied by zero, so that a NaN does not vanish."""
    x, mask, out = x[first:last], mask[first:last], out[first:last]
    zero = x.dtype.type(0)
    for i in range(len(out)):
        out[i] = x[i] * (scale if mask[i] else zero)


@jit
def tanh_backward(first, last, grad_out, y, grad_x):
    """tanh' = 1 - tanh^2, from y = tanh(x). `grad_x` may be `grad_out`."""
    results, one = np.empty(BLOCK, y.dtype), y.dtype.type(1)
    for start in range(first, last, BLOCK):
        stop = min(start + BLOCK, last)
        values, upstream = y[start:stop], grad_out[start:stop]
        for i in range(len(values)):
            results[i] = upstream[i] * (one - values[i] * values[i])
        _put(results, grad_x[start:stop])


@jit
def sigmoid_backward(first, last, grad_out, y, grad_x):
    """sigmoid' = sigmoid (1 - sigmoid), from y = sigmoid(x). `grad_x` may be `grad_out`."""
    results, one = np.empty(BLOCK, y.dtype), y.dtype.type(1)
    for start in range(first, last, BLOCK):
        stop = min(start + BLOCK, last)
        values, upstream = y[start:stop], grad_out[start:stop]
        for i in range(len(values)):
            results[i] = upstream[i] * (one - values[i]) * values[i]
        _put(results, grad_x[start:stop])
