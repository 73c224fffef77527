"""Right answers to every exercise, each by another way of thinking; none of them calls the reference."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


# ---- softmax
def softmax_shifted(scores):
    shifted = scores - scores.max(axis=1, keepdims=True)
    return np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)


def softmax_loops(scores):
    rows = []
    for row in scores.tolist():
        terms = [math.exp(score - max(row)) for score in row]
        rows.append([term / sum(terms) for term in terms])
    return rows


def softmax_by_differences(scores):
    """One over the sum of exp(s_j - s_k): no maximum needed, infinity gives zero."""
    return 1 / np.exp(scores[:, None, :] - scores[:, :, None]).sum(axis=2)


def softmax_logaddexp(scores):
    return np.asfortranarray(np.exp(scores - np.logaddexp.reduce(scores, axis=1)[:, None]))


# ---- cross_entropy
def loss_shifted(scores, labels):
    shifted = scores - scores.max(axis=1, keepdims=True)
    return np.mean(np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(labels)), labels])


def gradient_shifted(scores, labels):
    gradient = softmax_shifted(scores)
    gradient[np.arange(len(labels)), labels] -= 1
    return gradient / len(labels)


def loss_loops(scores, labels):
    total = 0.0
    for row, label in zip(scores.tolist(), labels.tolist(), strict=True):
        total += math.log(sum(math.exp(score - max(row)) for score in row)) + max(row) - row[label]
    return total / len(labels)


def gradient_loops(scores, labels):
    table = softmax_loops(scores)
    for row, label in zip(table, labels.tolist(), strict=True):
        row[label] -= 1
    return [[value / len(table) for value in row] for row in table]


def loss_logaddexp(scores, labels):
    chosen = np.take_along_axis(scores, labels[:, None], axis=1)
    return float((np.logaddexp.reduce(scores, axis=1, keepdims=True) - chosen).mean())


def gradient_one_hot(scores, labels):
    one_hot = labels[:, None] == np.arange(scores.shape[1])
    return np.asfortranarray((softmax_by_differences(scores) - one_hot) / scores.shape[0])


# ---- relu_layer
def relu_maximum(x):
    return np.maximum(x, 0)


def relu_backward_mask(grad_out, x):
    return grad_out * (x > 0)


def relu_where(x):
    return np.where(x > 0, x, 0.0)


def relu_backward_copy(grad_out, x):
    grad_x = grad_out.copy()
    grad_x[~(x > 0)] = 0
    return grad_x


def relu_half(x):
    return (x + np.abs(x)) / 2


def relu_backward_sign(grad_out, x):
    return np.clip(np.sign(x), 0, None) * grad_out


def relu_list(x):
    return np.array([max(value, 0.0) for value in x.ravel().tolist()]).reshape(x.shape).tolist()


def relu_backward_list(grad_out, x):
    pairs = zip(grad_out.ravel().tolist(), x.ravel().tolist(), strict=True)
    return np.reshape([grad if value > 0 else 0.0 for grad, value in pairs], x.shape, order="C").tolist()


# ---- conv_same
def rows_windows(x, kernel_size):
    (height, width), (top, left) = kernel_size, (kernel_size[0] // 2, kernel_size[1] // 2)
    padded = np.pad(x, ((0, 0), (0, 0), (top, top), (left, left)))
    windows = sliding_window_view(padded, (height, width), axis=(2, 3))
    return windows.transpose(0, 2, 3, 1, 4, 5).reshape(-1, x.shape[1] * height * width)


def forward_product(x, weight, bias):
    rows = rows_windows(x, weight.shape[2:])
    out = (rows @ weight.reshape(len(weight), -1).T + bias).reshape(len(x), *x.shape[2:], -1)
    return out.transpose(0, 3, 1, 2), rows


def backward_turned(grad_out, rows, weight):
    samples, count, height, width = grad_out.shape
    matrix = grad_out.transpose(0, 2, 3, 1).reshape(-1, count)
    turned = weight[:, :, ::-1, ::-1].transpose(1, 0, 2, 3).reshape(weight.shape[1], -1)
    grad_x = (rows_windows(grad_out, weight.shape[2:]) @ turned.T).reshape(samples, height, width, -1)
    return grad_x.transpose(0, 3, 1, 2), (matrix.T @ rows).reshape(weight.shape), matrix.sum(axis=0)


def rows_loops(x, kernel_size):
    samples, channels, height, width = x.shape
    rows = []
    for n, i, j in product(range(samples), range(height), range(width)):
        row = []
        for c, u, v in product(range(channels), range(kernel_size[0]), range(kernel_size[1])):
            p, q = i + u - kernel_size[0] // 2, j + v - kernel_size[1] // 2
            row.append(x[n, c, p, q] if 0 <= p < height and 0 <= q < width else 0.0)
        rows.append(row)
    return rows


def forward_loops(x, weight, bias):
    rows = np.array(rows_loops(x, weight.shape[2:]))
    out = np.zeros((len(x), len(weight), *x.shape[2:]))
    for number, (n, i, j) in enumerate(np.ndindex(len(x), *x.shape[2:])):
        for k in range(len(weight)):
            out[n, k, i, j] = np.dot(rows[number], weight[k].ravel()) + bias[k]
    return out, rows


def backward_loops(grad_out, rows, weight):
    samples, count, height, width = grad_out.shape
    _, channels, kernel_height, kernel_width = weight.shape
    grad_x, grad_weight, grad_bias = np.zeros((samples, channels, height, width)), np.zeros(weight.shape), [0.0] * count
    for number, (n, i, j) in enumerate(np.ndindex(samples, height, width)):
        for k in range(count):
            grad = grad_out[n, k, i, j]
            grad_bias[k] += grad
            grad_weight[k] += grad * rows[number].reshape(weight.shape[1:])
            for u, v in np.ndindex(kernel_height, kernel_width):
                p, q = i + u - kernel_height // 2, j + v - kernel_width // 2
                if 0 <= p < height and 0 <= q < width:
                    grad_x[n, :, p, q] += grad * weight[k, :, u, v]
    return [grad_x, grad_weight, grad_bias]


def rows_taps(x, kernel_size):
    samples, channels, height, width = x.shape
    padded = np.zeros((samples, channels, height + kernel_size[0] - 1, width + kernel_size[1] - 1), x.dtype)
    padded[:, :, kernel_size[0] // 2:, kernel_size[1] // 2:][:, :, :height, :width] = x
    taps = [padded[:, :, u:u + height, v:v + width] for u, v in product(*map(range, kernel_size))]
    return np.asfortranarray(np.stack(taps, axis=2).transpose(0, 3, 4, 1, 2).reshape(samples * height * width, -1))


def forward_einsum(x, weight, bias):
    rows = rows_taps(x, weight.shape[2:])
    apart = rows.reshape(len(x), *x.shape[2:], *weight.shape[1:])
    return np.einsum("nijcuv,kcuv->nkij", apart, weight) + bias[:, None, None], rows


def backward_added(grad_out, rows, weight):
    samples, _, height, width = grad_out.shape
    _, channels, kernel_height, kernel_width = weight.shape
    apart = rows.reshape(samples, height, width, *weight.shape[1:])
    padded = np.zeros((samples, channels, height + kernel_height - 1, width + kernel_width - 1), grad_out.dtype)
    for u, v in product(range(kernel_height), range(kernel_width)):
        padded[:, :, u:u + height, v:v + width] += np.einsum("nkij,kc->ncij", grad_out, weight[:, :, u, v])
    inner = padded[:, :, kernel_height // 2:kernel_height // 2 + height, kernel_width // 2:kernel_width // 2 + width]
    return inner, np.einsum("nkij,nijcuv->kcuv", grad_out, apart), np.einsum("nkij->k", grad_out)


# ---- pool2x2
def pool_reshape(x):
    n, c, h, w = x.shape
    return x.reshape(n, c, h // 2, 2, w // 2, 2).max(axis=(3, 5))


def pool_backward_shared(grad_out, x):
    n, c, h, w = x.shape
    cut = x.reshape(n, c, h // 2, 2, w // 2, 2)
    largest = cut == cut.max(axis=(3, 5), keepdims=True)
    return (grad_out[:, :, :, None, :, None] * largest / largest.sum(axis=(3, 5), keepdims=True)).reshape(x.shape)


def pool_corners(x):
    rows = np.maximum(x[:, :, ::2], x[:, :, 1::2])
    return np.maximum(rows[..., ::2], rows[..., 1::2])


def pool_backward_first(grad_out, x):
    grad_x = np.zeros(x.shape, x.dtype)
    for n, c, i, j in np.ndindex(grad_out.shape):
        block = x[n, c, 2 * i:2 * i + 2, 2 * j:2 * j + 2]
        u, v = divmod(int(block.argmax()), 2)
        grad_x[n, c, 2 * i + u, 2 * j + v] = grad_out[n, c, i, j]
    return grad_x


def pool_list(x):
    n, c, h, w = x.shape
    return [[[[max(x[a, b, i, j], x[a, b, i + 1, j], x[a, b, i, j + 1], x[a, b, i + 1, j + 1])
               for j in range(0, w, 2)] for i in range(0, h, 2)] for b in range(c)] for a in range(n)]


def pool_backward_last(grad_out, x):
    """The last of equals gets all, from a view with four entries in each block."""
    n, c, h, w = x.shape
    four = x.reshape(n, c, h // 2, 2, w // 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(*grad_out.shape, 4)
    last = 3 - four[..., ::-1].argmax(axis=-1)
    found = np.where(np.arange(4) == last[..., None], grad_out[..., None], 0)
    return found.reshape(n, c, h // 2, w // 2, 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(x.shape)


def pool_backward_rows_first(grad_out, x):
    """Rows share before columns do: three equal entries get a quarter, a quarter and a half."""
    def half(grad, one, other):
        share = (one > other) + 0.5 * (one == other)
        return grad * share, grad * (1 - share)

    upper, lower = x[:, :, ::2], x[:, :, 1::2]
    rows = np.maximum(upper, lower)
    to_rows = np.empty(rows.shape)
    to_rows[..., ::2], to_rows[..., 1::2] = half(grad_out, rows[..., ::2], rows[..., 1::2])
    grad_x = np.empty(x.shape)
    grad_x[:, :, ::2], grad_x[:, :, 1::2] = half(to_rows, upper, lower)
    return grad_x


# ---- chain
def chain_loop(layers, x):
    inputs = []
    for layer in layers:
        inputs.append(x)
        x = layer(x)
    return x, inputs


def chain_back_reversed(backwards, inputs, grad_out):
    for backward, x in zip(reversed(backwards), reversed(inputs), strict=True):
        grad_out = backward(grad_out, x)
    return grad_out


def chain_recursive(layers, x):
    if not layers:
        return x, ()
    out, inputs = chain_recursive(layers[1:], layers[0](x))
    return out, (x, *inputs)


def chain_back_recursive(backwards, inputs, grad_out):
    if not backwards:
        return grad_out
    return backwards[0](chain_back_recursive(backwards[1:], inputs[1:], grad_out), inputs[0])


def chain_all_values(layers, x):
    values = [x]
    for number in range(len(layers)):
        values += [layers[number](values[number])]
    return [values[-1], tuple(values[:-1])]


def chain_back_numbers(backwards, inputs, grad_out):
    for number in range(len(backwards) - 1, -1, -1):
        grad_out = backwards[number](grad_out, inputs[number])
    return np.asfortranarray(grad_out)


# ---- digit_network
def scores_matmul(x, parameters):
    w1, b1, w2, b2, w3, b3 = parameters
    maps = pool_reshape(relu_maximum(forward_product(x, w1, b1)[0]))
    maps = pool_reshape(relu_maximum(forward_product(maps, w2, b2)[0]))
    return maps.reshape(len(x), -1) @ w3.T + b3


def gradients_matmul(x, labels, parameters):
    w1, b1, w2, b2, w3, b3 = parameters
    a1, rows1 = forward_product(x, w1, b1)
    z1 = relu_maximum(a1)
    p1 = pool_reshape(z1)
    a2, rows2 = forward_product(p1, w2, b2)
    z2 = relu_maximum(a2)
    p2 = pool_reshape(z2)
    flat = p2.reshape(len(x), -1)
    scores = flat @ w3.T + b3
    grad = gradient_shifted(scores, labels)
    gw3, gb3 = grad.T @ flat, grad.sum(axis=0)
    grad = pool_backward_shared((grad @ w3).reshape(p2.shape), z2)
    grad, gw2, gb2 = backward_turned(relu_backward_mask(grad, a2), rows2, w2)
    grad = pool_backward_shared(grad, z1)
    _, gw1, gb1 = backward_turned(relu_backward_mask(grad, a1), rows1, w1)
    return loss_shifted(scores, labels), gw1, gb1, gw2, gb2, gw3, gb3


def scores_pooled_first(x, parameters):
    """The largest of a block is the same before and after the rectifier."""
    for weight, bias in zip(parameters[0:4:2], parameters[1:4:2], strict=True):
        x = relu_where(pool_corners(forward_einsum(x, weight, bias)[0]))
    return np.einsum("kf,nf->nk", parameters[4], x.reshape(len(x), -1)) + parameters[5]


def gradients_pooled_first(x, labels, parameters):
    kept, maps = [], x
    for weight, bias in zip(parameters[0:4:2], parameters[1:4:2], strict=True):
        before, rows = forward_einsum(maps, weight, bias)
        pooled = pool_corners(before)
        maps = relu_where(pooled)
        kept.append((rows, weight, before, pooled))
    flat = maps.reshape(len(x), -1)
    scores = flat @ parameters[4].T + parameters[5]
    grad = gradient_one_hot(scores, labels)
    found = [np.einsum("nk,nf->kf", grad, flat), grad.sum(axis=0)]
    grad = (grad @ parameters[4]).reshape(maps.shape)
    for rows, weight, before, pooled in reversed(kept):
        grad = pool_backward_last(relu_backward_copy(grad, pooled), before)
        grad, grad_weight, grad_bias = backward_added(grad, rows, weight)
        found = [grad_weight, grad_bias, *found]
    return [loss_logaddexp(scores, labels), *found]


def one_by_one(x, labels, parameters):
    """The mean of what each sample alone gives."""
    each = [gradients_matmul(x[n:n + 1], labels[n:n + 1], parameters) for n in range(len(x))]
    return tuple(sum(parts) / len(x) for parts in zip(*each, strict=True))


def scores_one_by_one(x, parameters):
    return [scores_pooled_first(picture[None], parameters)[0] for picture in x]


# ---- he_weights
def he_size(noise):
    return noise * np.sqrt(2 / noise[0].size)


def he_prod(noise):
    return np.asfortranarray(noise * (2.0 / math.prod(noise.shape[1:])) ** 0.5)


def he_divided(noise):
    return (noise / np.sqrt(noise.size / len(noise) / 2)).tolist()


# ---- sgd_step
def step_lines(weight, gradient, velocity, learning_rate, momentum, weight_decay):
    velocity = momentum * velocity + (gradient + weight_decay * weight)
    return weight - learning_rate * velocity, velocity


def update_loop(parameters, gradients, velocities, learning_rate, momentum, weight_decay):
    moved, kept = [], []
    for parameter, gradient, velocity in zip(parameters, gradients, velocities, strict=True):
        decay = weight_decay if parameter.ndim > 1 else 0
        parameter, velocity = step_lines(parameter, gradient, velocity, learning_rate, momentum, decay)
        moved.append(parameter)
        kept.append(velocity)
    return moved, kept


def step_copies(weight, gradient, velocity, learning_rate, momentum, weight_decay):
    weight, velocity = weight.copy(), velocity.copy()
    velocity *= momentum
    velocity += gradient
    velocity += weight_decay * weight
    weight -= learning_rate * velocity
    return [weight, velocity]


def update_numbers(parameters, gradients, velocities, learning_rate, momentum, weight_decay):
    decays = [weight_decay * (len(p.shape) >= 2) for p in parameters]
    pairs = [step_copies(parameters[i], gradients[i], velocities[i], learning_rate, momentum, decays[i])
             for i in range(len(parameters))]
    return tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs)


def step_entries(weight, gradient, velocity, learning_rate, momentum, weight_decay):
    new = np.empty(weight.shape)
    moved = np.empty(weight.shape)
    for index in np.ndindex(weight.shape):
        new[index] = momentum * velocity[index] + gradient[index] + weight_decay * weight[index]
        moved[index] = weight[index] - learning_rate * new[index]
    return moved.tolist(), new.tolist()


def update_zip(parameters, gradients, velocities, learning_rate, momentum, weight_decay):
    return tuple(zip(*[step_lines(p, g, v, learning_rate, momentum, 0.0 if p.ndim == 1 else weight_decay)
                       for p, g, v in zip(parameters, gradients, velocities, strict=True)], strict=True))


# ---- mini_batches
def batches_slices(order, batch_size):
    return [order[first:first + batch_size] for first in range(0, len(order), batch_size)]


def batches_split(order, batch_size):
    return np.split(order, np.arange(batch_size, len(order), batch_size))


def batches_loop(order, batch_size):
    found = [[]]
    for number in order.tolist():
        if len(found[-1]) == batch_size:
            found.append([])
        found[-1].append(number)
    return tuple(found)


# ---- warmup_cosine
def rate_two_cases(epoch, epochs, warmup, peak):
    if epoch < warmup:
        return peak * epoch / warmup
    t = min((epoch - warmup) / (epochs - warmup), 1)
    return peak * (1 + np.cos(np.pi * t)) / 2


def rate_squared(epoch, epochs, warmup, peak):
    """(1 + cos a) / 2 is the square of cos(a / 2)."""
    if epoch < warmup:
        return epoch * (peak / warmup)
    if epoch >= epochs:
        return 0
    return peak * math.cos(math.pi / 2 * (epoch - warmup) / (epochs - warmup)) ** 2


def rate_numpy(epoch, epochs, warmup, peak):
    curve = np.interp(epoch, [warmup, epochs], [0.0, np.pi])
    rising = epoch / warmup if warmup and epoch < warmup else 1.0
    return np.float64(rising * peak * 0.5 * (1 + np.cos(curve)))


# ---- shift_pictures
def shift_padded(x, down, right):
    far = int(max(np.abs(down).max(), np.abs(right).max()))
    padded = np.pad(x, ((0, 0), (0, 0), (far, far), (far, far)))
    height, width = x.shape[2:]
    out = np.empty_like(x)
    for n, (d, r) in enumerate(zip(down, right, strict=True)):
        out[n] = padded[n, :, far - d:far - d + height, far - r:far - r + width]
    return out


def shift_pixels(x, down, right):
    out = np.zeros(x.shape)
    for n, c, i, j in np.ndindex(x.shape):
        p, q = i + down[n], j + right[n]
        if 0 <= p < x.shape[2] and 0 <= q < x.shape[3]:
            out[n, c, p, q] = x[n, c, i, j]
    return out.tolist()


def shift_matrices(x, down, right):
    """A shift along an axis is a product with a matrix that has a single diagonal of ones."""
    height, width = x.shape[2:]
    return np.asfortranarray(np.stack([np.eye(height, k=-d) @ picture @ np.eye(width, k=r)
                                       for picture, d, r in zip(x, down.tolist(), right.tolist(), strict=True)]))


# ---- digit_report
def accuracy_mean(scores, labels):
    return np.mean(np.argmax(scores, axis=1) == labels)


def counts_loop(labels, predictions, classes):
    counts = np.zeros((classes, classes), dtype=int)
    for label, prediction in zip(labels, predictions, strict=True):
        counts[label, prediction] += 1
    return counts


def accuracy_loop(scores, labels):
    right = 0
    for row, label in zip(scores.tolist(), labels.tolist(), strict=True):
        right += row.index(max(row)) == label
    return right / len(labels)


def counts_add_at(labels, predictions, classes):
    counts = np.zeros((classes, classes))
    np.add.at(counts, (labels, predictions), 1)
    return counts


def accuracy_not_smaller(scores, labels):
    own = scores[np.arange(len(labels)), labels]
    return float(np.count_nonzero((scores <= own[:, None]).all(axis=1))) / len(labels)


def counts_one_hot(labels, predictions, classes):
    every = np.arange(classes)
    return ((labels[:, None] == every).T.astype(int) @ (predictions[:, None] == every)).tolist()


RIGHT = {
    "softmax": [(softmax_shifted,), (softmax_loops,), (softmax_by_differences,), (softmax_logaddexp,)],
    "cross_entropy": [(loss_shifted, gradient_shifted), (loss_loops, gradient_loops),
                      (loss_logaddexp, gradient_one_hot)],
    "relu_layer": [(relu_maximum, relu_backward_mask), (relu_where, relu_backward_copy), (relu_half,
                   relu_backward_sign),
                   (relu_list, relu_backward_list)],
    "conv_same": [(rows_windows, forward_product, backward_turned), (rows_loops, forward_loops, backward_loops),
                  (rows_taps, forward_einsum, backward_added)],
    "pool2x2": [(pool_reshape, pool_backward_shared), (pool_corners, pool_backward_first), (pool_list,
                pool_backward_last), (pool_reshape, pool_backward_rows_first)],
    "chain": [(chain_loop, chain_back_reversed), (chain_recursive, chain_back_recursive),
              (chain_all_values, chain_back_numbers)],
    "digit_network": [(scores_matmul, gradients_matmul), (scores_pooled_first, gradients_pooled_first),
                      (scores_one_by_one, one_by_one)],
    "he_weights": [(he_size,), (he_prod,), (he_divided,)],
    "sgd_step": [(step_lines, update_loop), (step_copies, update_numbers), (step_entries, update_zip)],
    "mini_batches": [(batches_slices,), (batches_split,), (batches_loop,)],
    "warmup_cosine": [(rate_two_cases,), (rate_squared,), (rate_numpy,)],
    "digit_report": [(accuracy_mean, counts_loop), (accuracy_loop, counts_add_at),
                     (accuracy_not_smaller, counts_one_hot)],
    "shift_pictures": [(shift_padded,), (shift_pixels,), (shift_matrices,)],
}
