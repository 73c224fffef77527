"""Entry by entry: ReLU, sums, copies. Memory sets the speed, so each is one pass and nothing is allocated in between.

Each kernel cuts its part out of flat arrays first. That is more than convenience: from a slice that starts at 0 Numba
knows that no index is negative, and only then does LLVM use vector instructions.
"""

from cnncourse.kernels.threads import jit


@jit
def relu(first, last, x, out):
    """Positive entries and NaN stay. `out` may be `x`."""
    x, out = x[first:last], out[first:last]
    zero = x.dtype.type(0)
    for i in range(len(out)):
        value = x[i]
        out[i] = zero if value <= zero else value


@jit
def relu_backward(first, last, grad_out, x, grad_x):
    """The gradient passes where ReLU let its input pass. `grad_x` may be `grad_out`."""
    grad_out, x, grad_x = grad_out[first:last], x[first:last], grad_x[first:last]
    zero = x.dtype.type(0)
    for i in range(len(grad_x)):
        upstream = grad_out[i]
        grad_x[i] = zero if x[i] <= zero else upstream


@jit
def add(first, last, x, y, out):
    """`out` may be either of them."""
    x, y, out = x[first:last], y[first:last], out[first:last]
    for i in range(len(out)):
        out[i] = x[i] + y[i]


@jit
def masked(first, last, x, mask, scale, out):
    """Dropout: kept entries are scaled; the others are multiplied by zero, so that a NaN does not vanish."""
    x, mask, out = x[first:last], mask[first:last], out[first:last]
    zero = x.dtype.type(0)
    for i in range(len(out)):
        out[i] = x[i] * (scale if mask[i] else zero)


@jit
def tanh_backward(first, last, grad_out, out, grad_x):
    """tanh' = 1 - tanh^2."""
    grad_out, out, grad_x = grad_out[first:last], out[first:last], grad_x[first:last]
    one = out.dtype.type(1)
    for i in range(len(grad_x)):
        grad_x[i] = grad_out[i] * (one - out[i] * out[i])


@jit
def sigmoid_backward(first, last, grad_out, out, grad_x):
    """sigmoid' = sigmoid (1 - sigmoid)."""
    grad_out, out, grad_x = grad_out[first:last], out[first:last], grad_x[first:last]
    one = out.dtype.type(1)
    for i in range(len(grad_x)):
        grad_x[i] = grad_out[i] * (one - out[i]) * out[i]
