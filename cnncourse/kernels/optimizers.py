"""Updates of weights in place: one pass over parameter, gradient and state, with nothing kept in between.

NumPy would write each step of a formula (square, root, quotient) to memory as large as the parameter, and a
fully connected layer's parameters are most of a network. Here every element is read once, and its new value and state
are written back; the loops hold no branches, so the compiler makes vector instructions of them. The numbers come in
the arrays' own precision. p is the parameter, g its gradient.
"""

from __future__ import annotations

import numpy as np

from cnncourse.machinery.compiling import jit


@jit
def sgd(first, last, p, g, rate, decay):
    for i in range(first, last):
        p[i] -= rate * (g[i] + decay * p[i])


@jit
def momentum(first, last, p, g, velocity, rate, decay, kept):
    for i in range(first, last):
        velocity[i] = kept * velocity[i] + (g[i] + decay * p[i])
        p[i] -= rate * velocity[i]


@jit
def nesterov(first, last, p, g, velocity, rate, decay, kept):
    for i in range(first, last):
        slope = g[i] + decay * p[i]
        velocity[i] = kept * velocity[i] + slope
        p[i] -= rate * (slope + kept * velocity[i])


@jit
def rmsprop(first, last, p, g, squares, rate, decay, kept, fresh, eps):
    for i in range(first, last):
        slope = g[i] + decay * p[i]
        squares[i] = kept * squares[i] + fresh * slope * slope
        p[i] -= rate * slope / (np.sqrt(squares[i]) + eps)


@jit
def adam(first, last, p, g, means, squares, rate, decay, fresh_mean, kept, fresh, root_correction, eps):
    """`rate` is already divided by the first moment's correction, `root_correction` is the second's root."""
    for i in range(first, last):
        slope = g[i] + decay * p[i]
        means[i] += fresh_mean * (slope - means[i])
        squares[i] = kept * squares[i] + fresh * slope * slope
        p[i] -= rate * means[i] / (np.sqrt(squares[i]) / root_correction + eps)
