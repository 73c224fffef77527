"""Plain-loop twins of the layers between convolutions: norms, locally connected layers, losses;
and of the steps of optimizers.

As in `tests/naive.py`: Python numbers, one output at a time, double precision, nothing shared with `cnncourse`.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from tests.naive import output_shape, windows


def moments(x, channel):
    """Mean and variance of all values of a channel, divided by their number."""
    values = [float(value) for sample in x for value in sample[channel].flat]
    mean = math.fsum(values) / len(values)
    return mean, math.fsum((value - mean) ** 2 for value in values) / len(values)


def batch_norm(x, weight, bias, means, variances, eps):
    """Each value less the mean, over the standard deviation, scaled and shifted."""
    out = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        c = index[1]
        spread = math.sqrt(float(variances[c]) + eps)
        out[index] = float(weight[c]) * (float(x[index]) - float(means[c])) / spread + float(bias[c])
    return out


def batch_norm_in_training(x, weight, bias, running_mean, running_var, momentum, eps):
    """With the batch's own statistics, which the running ones move towards; (out, running mean, running variance)."""
    found = [moments(x, c) for c in range(x.shape[1])]
    means, variances = zip(*found, strict=True)
    count = x.size // x.shape[1]
    running_mean = [(1 - momentum) * float(old) + momentum * new
                    for old, new in zip(running_mean, means, strict=True)]
    running_var = [(1 - momentum) * float(old) + momentum * new * count / (count - 1)
                   for old, new in zip(running_var, variances, strict=True)]
    return batch_norm(x, weight, bias, means, variances, eps), np.array(running_mean), np.array(running_var)


def neighbors(channels, c, size):
    """Channels whose squares count for channel c."""
    return [other for other in range(c - size // 2, c - size // 2 + size) if 0 <= other < channels]


def response(x, n, c, place, size, alpha, k):
    """What a value is divided by, before the power."""
    squares = [float(x[(n, other, *place)]) ** 2 for other in neighbors(x.shape[1], c, size)]
    return k + alpha / size * math.fsum(squares)


def local_response_norm(x, size, alpha, beta, k):
    """Each value over a power of its neighbors' sum of squares."""
    out = np.zeros(x.shape)
    for n, c, *place in np.ndindex(x.shape):
        out[(n, c, *place)] = float(x[(n, c, *place)]) / response(x, n, c, place, size, alpha, k) ** beta
    return out


def local_response_norm_backward(grad_out, x, size, alpha, beta, k):
    """Each output hands back to its own input, and to all neighbors that it was divided by."""
    grad_x = np.zeros(x.shape)
    for n, c, *place in np.ndindex(x.shape):
        upstream, value = float(grad_out[(n, c, *place)]), float(x[(n, c, *place)])
        base = response(x, n, c, place, size, alpha, k)
        grad_x[(n, c, *place)] += upstream * base**-beta
        for other in neighbors(x.shape[1], c, size):
            slope = 2 * alpha / size * float(x[(n, other, *place)])
            grad_x[(n, other, *place)] -= upstream * value * beta * base ** (-beta - 1) * slope
    return grad_x


def locally_connected2d(x, weight, bias, stride, padding):
    """Each output is a sum of products and a bias, with weights of its own position."""
    filters, depth, *kernel = weight.shape[2:]
    out = np.zeros((len(x), filters, *output_shape(x.shape[2:], kernel, stride, padding)))
    for n, k in itertools.product(range(len(x)), range(filters)):
        for p, q, pairs in windows(x.shape[2:], kernel, stride, padding):
            total = float(bias[k, p, q])
            for c in range(depth):
                for (r, s), (i, j) in pairs:
                    total += float(weight[p, q, k, c, r, s]) * float(x[n, c, i, j])
            out[n, k, p, q] = total
    return out


def locally_connected2d_backward(grad_out, x, weight, stride, padding):
    """Each product hands the output's gradient back to both of its factors."""
    filters, depth, *kernel = weight.shape[2:]
    grad_x, grad_weight, grad_bias = np.zeros(x.shape), np.zeros(weight.shape), np.zeros(grad_out.shape[1:])
    for n, k in itertools.product(range(len(x)), range(filters)):
        for p, q, pairs in windows(x.shape[2:], kernel, stride, padding):
            upstream = float(grad_out[n, k, p, q])
            grad_bias[k, p, q] += upstream
            for c in range(depth):
                for (r, s), (i, j) in pairs:
                    grad_x[n, c, i, j] += upstream * float(weight[p, q, k, c, r, s])
                    grad_weight[p, q, k, c, r, s] += upstream * float(x[n, c, i, j])
    return grad_x, grad_weight, grad_bias


def softmax(scores):
    """Shares of the exponentials of a list of scores."""
    terms = [math.exp(score - max(scores)) for score in scores]
    return [term / math.fsum(terms) for term in terms]


def cross_entropy(logits, targets):
    """Mean of -log of the right class's share."""
    losses = []
    for n, *place in np.ndindex(targets.shape):
        scores = [float(logits[(n, c, *place)]) for c in range(logits.shape[1])]
        largest = max(scores)
        total = math.fsum(math.exp(score - largest) for score in scores)
        losses.append(math.log(total) + largest - scores[targets[(n, *place)]])
    return math.fsum(losses) / len(losses)


def step(rule, parameter, gradient, state, settings):
    """One step of an optimizer: the new parameter and the new state, number by number."""
    moved, later = np.empty(parameter.shape), [np.empty(parameter.shape) for _ in state]
    for place in np.ndindex(parameter.shape):
        p = float(parameter[place])
        g = float(gradient[place]) + settings["weight_decay"] * p
        p, *values = rule(p, g, *(float(array[place]) for array in state), settings)
        moved[place] = p
        for array, value in zip(later, values, strict=True):
            array[place] = value
    return moved, later


def sgd(p, g, settings):
    return p - settings["learning_rate"] * g,


def momentum(p, g, v, settings):
    v = settings["momentum"] * v + g
    along = g + settings["momentum"] * v if settings["nesterov"] else v
    return p - settings["learning_rate"] * along, v


def rmsprop(p, g, s, settings):
    s = settings["alpha"] * s + (1 - settings["alpha"]) * g ** 2
    return p - settings["learning_rate"] * g / (math.sqrt(s) + settings["eps"]), s


def adam(p, g, m, s, settings):
    (first, second), t = settings["betas"], settings["number"]
    m, s = first * m + (1 - first) * g, second * s + (1 - second) * g ** 2
    corrected_mean, corrected_square = m / (1 - first ** t), s / (1 - second ** t)
    return p - settings["learning_rate"] * corrected_mean / (math.sqrt(corrected_square) + settings["eps"]), m, s
