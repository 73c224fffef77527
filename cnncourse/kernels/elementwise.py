"""Entry by entry: ReLU, sums, gradients of activations. Memory sets the speed, so each is one pass over flat arrays.

Results may overwrite an argument, which `overwrite` says. It has to be said because the compiler uses vector
instructions only where it can see, or check, that arrays do not overlap: what is read and written in one place has to
go by one name. Where an entry is replaced by zero or else stays as it is, even that does not serve, and ReLU in place
takes its loop from `machinery/gates.py`.

Parts are cut out as slices because only of indices that start at 0 Numba knows that they are not negative; vector
instructions take that as well.
"""

from cnncourse.machinery.compiling import jit
from cnncourse.machinery.gates import pass_where_positive


@jit
def relu(first, last, x, out, overwrite):
    """Positive entries and NaN stay. `out` may be `x`."""
    values, results, zero = x[first:last], out[first:last], x.dtype.type(0)
    if overwrite:
        pass_where_positive(values, values)
    else:
        for i in range(len(values)):
            value = values[i]
            results[i] = zero if value <= zero else value


@jit
def relu_backward(first, last, grad_out, x, grad_x, overwrite):
    """The gradient passes where ReLU let its input pass. `grad_x` may be `grad_out`."""
    upstream, values, results, zero = grad_out[first:last], x[first:last], grad_x[first:last], x.dtype.type(0)
    if overwrite:
        pass_where_positive(upstream, values)
    else:
        for i in range(len(values)):
            gradient = upstream[i]
            results[i] = zero if values[i] <= zero else gradient


@jit
def add(first, last, x, y, out, overwrite):
    """`out` may be `x`."""
    ones, others, results = x[first:last], y[first:last], out[first:last]
    if overwrite:
        for i in range(len(ones)):
            ones[i] += others[i]
    else:
        for i in range(len(ones)):
            results[i] = ones[i] + others[i]


@jit
def tanh_backward(first, last, grad_out, y, grad_x, overwrite):
    """tanh' = 1 - tanh^2, from y = tanh(x). `grad_x` may be `grad_out`."""
    upstream, values, results = grad_out[first:last], y[first:last], grad_x[first:last]
    one = y.dtype.type(1)
    if overwrite:
        for i in range(len(values)):
            upstream[i] *= one - values[i] * values[i]
    else:
        for i in range(len(values)):
            results[i] = upstream[i] * (one - values[i] * values[i])


@jit
def sigmoid_backward(first, last, grad_out, y, grad_x, overwrite):
    """sigmoid' = sigmoid (1 - sigmoid), from y = sigmoid(x). `grad_x` may be `grad_out`."""
    upstream, values, results = grad_out[first:last], y[first:last], grad_x[first:last]
    one = y.dtype.type(1)
    if overwrite:
        for i in range(len(values)):
            upstream[i] *= (one - values[i]) * values[i]
    else:
        for i in range(len(values)):
            results[i] = upstream[i] * ((one - values[i]) * values[i])


@jit
def masked(first, last, x, mask, scale, out):
    """Dropout: kept entries are scaled; the others are multiplied by zero, so that a NaN does not vanish."""
    values, kept, results = x[first:last], mask[first:last], out[first:last]
    zero = x.dtype.type(0)
    for i in range(len(values)):
        results[i] = values[i] * (scale if kept[i] else zero)
