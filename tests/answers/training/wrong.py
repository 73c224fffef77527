"""Wrong answers written out as students write them, not as the misconceptions are coded."""

from __future__ import annotations

import numpy as np

from tests.answers.mutations import Edit, Mutations
from tests.answers.training import right


# ---- softmax
def softmax_overflows(scores):
    result = []
    for row in scores:
        terms = np.exp(row)
        result.append(terms / sum(terms))
    return np.array(result)


def softmax_global_maximum(scores):
    scores = scores - scores.max()
    return np.exp(scores) / np.exp(scores).sum(axis=1)[:, None]


# ---- cross_entropy
def loss_with_log_of_zero(scores, labels):
    total = 0
    for row, label in zip(right.softmax_shifted(scores), labels, strict=True):
        total -= np.log(row[label])
    return total / len(labels)


def loss_sum(scores, labels):
    table = np.log(right.softmax_shifted(scores - scores.max(axis=1, keepdims=True)))
    return -sum(np.where(np.isinf(table[n, label]), scores[n, label] - scores[n].max(), table[n, label])
                for n, label in enumerate(labels))


def gradient_of_scores(scores, labels):
    gradient = scores.copy()
    for n, label in enumerate(labels):
        gradient[n, label] -= 1
    return gradient / len(labels)


def gradient_not_averaged(scores, labels):
    return right.softmax_by_differences(scores) - np.eye(scores.shape[1])[labels]


# ---- relu_layer
def relu_backward_by_gradient(grad_out, x):
    grad_x = grad_out.copy()
    grad_x[grad_out < 0] = 0
    return grad_x


def relu_backward_at_zero(grad_out, x):
    grad_x = grad_out.copy()
    grad_x[x < 0] = 0
    return grad_x


# ---- conv_same
def forward_without_moving_axes(x, weight, bias):
    rows = right.rows_windows(x, weight.shape[2:])
    out = rows @ weight.reshape(len(weight), -1).T + bias
    return out.reshape(len(x), len(weight), x.shape[2], x.shape[3]), rows


def rows_for_square_kernels(x, kernel_size):
    """One padding for both axes."""
    padding = kernel_size[0] // 2
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = right.sliding_window_view(padded, kernel_size, axis=(2, 3))
    return windows.transpose(0, 2, 3, 1, 4, 5).reshape(-1, x.shape[1] * kernel_size[0] * kernel_size[1])


def backward_overwrites(grad_out, rows, weight):
    samples, count, height, width = grad_out.shape
    channels, kernel_height, kernel_width = weight.shape[1:]
    matrix = grad_out.transpose(0, 2, 3, 1).reshape(-1, count)
    patches = (matrix @ weight.reshape(count, -1)).reshape(samples, height, width, *weight.shape[1:])
    padded = np.zeros((samples, channels, height + kernel_height - 1, width + kernel_width - 1), grad_out.dtype)
    for u in range(kernel_height):
        for v in range(kernel_width):
            padded[:, :, u:u + height, v:v + width] = patches[..., u, v].transpose(0, 3, 1, 2)
    top, left = kernel_height // 2, kernel_width // 2
    inner = padded[:, :, top:top + height, left:left + width]
    return inner, (matrix.T @ rows).reshape(weight.shape), matrix.sum(axis=0)


def backward_with_the_mean(grad_out, rows, weight):
    grad_x, grad_weight, _ = right.backward_turned(grad_out, rows, weight)
    return grad_x, grad_weight, grad_out.mean(axis=(0, 2, 3))


# ---- pool2x2
def pool_from_zero(x):
    out = np.zeros((*x.shape[:2], x.shape[2] // 2, x.shape[3] // 2))
    for i in range(2):
        for j in range(2):
            out = np.maximum(out, x[:, :, i::2, j::2])
    return out


def pool_backward_all_ties(grad_out, x):
    grad_x = np.zeros_like(x)
    for n, c, i, j in np.ndindex(grad_out.shape):
        block = x[n, c, 2 * i:2 * i + 2, 2 * j:2 * j + 2]
        grad_x[n, c, 2 * i:2 * i + 2, 2 * j:2 * j + 2] = (block == np.max(block)) * grad_out[n, c, i, j]
    return grad_x


def pool_width_by_height(x):
    n, c, h, _ = x.shape
    return x[:, :, :, :h].reshape(n, c, h // 2, 2, h // 2, 2).max(axis=(3, 5))


# ---- chain
def chain_back_forward_order(backwards, inputs, grad_out):
    for backward, x in zip(backwards, inputs, strict=True):
        grad_out = backward(grad_out, x)
    return grad_out


def chain_outputs(layers, x):
    outputs = []
    for layer in layers:
        x = layer(x)
        outputs.append(x)
    return x, outputs


# ---- digit_network
def gradients_of_the_sum(x, labels, parameters):
    loss, *grads = right.gradients_matmul(x, labels, parameters)
    return [loss] + [grad * len(x) for grad in grads]


def scores_flattened_otherwise(x, parameters):
    maps = x
    for layer in (0, 2):
        maps, _ = right.forward_product(maps, parameters[layer], parameters[layer + 1])
        maps = right.pool_reshape(np.maximum(maps, 0))
    return np.moveaxis(maps, 1, -1).reshape(len(x), -1) @ parameters[4].T + parameters[5]


# ---- he_weights
def he_outputs(noise):
    return noise * np.sqrt(2.0 / noise.shape[0])


def he_axis_one(noise):
    return np.sqrt(2.0 / noise.shape[1]) * noise


# ---- sgd_step
def step_without_memory(weight, gradient, velocity, learning_rate, momentum, weight_decay):
    velocity = gradient + weight_decay * weight
    weight = weight - learning_rate * velocity
    return weight, velocity


def step_old_form(weight, gradient, velocity, learning_rate, momentum, weight_decay):
    velocity = momentum * velocity - learning_rate * (gradient + weight_decay * weight)
    return weight + velocity, velocity


def update_everything_decays(parameters, gradients, velocities, learning_rate, momentum, weight_decay):
    pairs = [right.step_lines(*three, learning_rate, momentum, weight_decay)
             for three in zip(parameters, gradients, velocities, strict=True)]
    return [p for p, _ in pairs], [v for _, v in pairs]


# ---- mini_batches
def batches_full_only(order, batch_size):
    return [order[i * batch_size:(i + 1) * batch_size] for i in range(len(order) // batch_size)]


def batches_in_order(order, batch_size):
    return [list(range(len(order)))[i:i + batch_size] for i in range(0, len(order), batch_size)]


# ---- warmup_cosine
def rate_from_zero(epoch, epochs, warmup, peak):
    if warmup > 0 and epoch < warmup:
        return peak * (epoch / warmup)
    return peak / 2 * (1 + np.cos(np.pi * min(epoch, epochs) / epochs))


def rate_without_end(epoch, epochs, warmup, peak):
    if epoch < warmup:
        return peak * epoch / warmup
    return 0.5 * peak * (1 + np.cos(np.pi * (epoch - warmup) / (epochs - warmup)))


# ---- digit_report
def counts_by_fancy_index(labels, predictions, classes):
    counts = np.zeros([classes, classes])
    counts[labels, predictions] = counts[labels, predictions] + 1
    return counts


def counts_transposed(labels, predictions, classes):
    counts = [[0] * classes for _ in range(classes)]
    for truth, guess in zip(labels, predictions, strict=True):
        counts[guess][truth] += 1
    return counts


def accuracy_of_classes(scores, labels):
    found = np.argmax(scores, axis=1)
    return sum(np.mean(found[labels == k] == k) for k in set(labels.tolist())) / len(set(labels.tolist()))


# ---- shift_pictures
def shift_rolled(x, down, right):
    out = np.zeros_like(x)
    for n in range(len(x)):
        out[n] = np.roll(np.roll(x[n], down[n], axis=1), right[n], axis=2)
    return out


def shift_first(x, down, right_):
    return right.shift_padded(x, np.repeat(down[:1], len(x)), np.repeat(right_[:1], len(x)))


def shift_square(x, down, right_):
    """Rows and columns are both counted by the height."""
    height = x.shape[2]
    far = int(max(np.abs(down).max(), np.abs(right_).max()))
    padded = np.pad(x, ((0, 0), (0, 0), (far, far), (far, far)))
    return np.stack([padded[n, :, far - d:far - d + height, far - r:far - r + height]
                     for n, (d, r) in enumerate(zip(down, right_, strict=True))])


GRADIENT, SCORES = right.gradient_shifted, right.scores_matmul
WRONG = [
    ("softmax", "something else than the largest score subtracted", lambda scores: np.exp(
        scores - scores.mean(1)[:, None]) / np.exp(scores - scores.mean(1)[:, None]).sum(1)[:, None]),
    ("warmup_cosine", "whole epochs only", lambda epoch, epochs, warmup, peak: peak * (
        epoch // 1 / warmup if epoch // 1 < warmup
        else (1 + np.cos(np.pi * min(1, (epoch // 1 - warmup) / (epochs - warmup)))) / 2)),
    ("mini_batches", "samples in reverse order",
     lambda order, size: [order[::-1][i:i + size] for i in range(0, len(order), size)]),
    ("softmax", "largest score not subtracted", softmax_overflows),
    ("softmax", "one maximum for the whole batch", softmax_global_maximum),
    ("softmax", "summed over the samples", lambda s: right.softmax_shifted(s.T).T),
    ("cross_entropy", "logarithm of zero", (loss_with_log_of_zero, GRADIENT)),
    ("cross_entropy", "loss summed", (loss_sum, GRADIENT)),
    ("cross_entropy", "one subtracted from the scores", (right.loss_shifted, gradient_of_scores)),
    ("cross_entropy", "gradient not divided by the batch", (right.loss_shifted, gradient_not_averaged)),
    ("relu_layer", "mask from the gradient", (right.relu_where, relu_backward_by_gradient)),
    ("relu_layer", "zero counted as positive", (right.relu_half, relu_backward_at_zero)),
    ("relu_layer", "largest along an axis", (lambda x: x.max(0), right.relu_backward_mask)),
    ("conv_same", "filters and positions mixed",
     (right.rows_taps, forward_without_moving_axes, right.backward_turned)),
    ("conv_same", "padding of the height for both axes",
     (rows_for_square_kernels, right.forward_product, right.backward_turned)),
    ("conv_same", "overlapping windows overwritten",
     (right.rows_windows, right.forward_product, backward_overwrites)),
    ("conv_same", "gradient of the bias averaged", (right.rows_windows, right.forward_product, backward_with_the_mean)),
    ("pool2x2", "never below zero", (pool_from_zero, right.pool_backward_first)),
    ("pool2x2", "all ties get the whole gradient", (right.pool_corners, pool_backward_all_ties)),
    ("chain", "backward in forward order", (right.chain_loop, chain_back_forward_order)),
    ("chain", "outputs kept instead of inputs", (chain_outputs, right.chain_back_numbers)),
    ("digit_network", "gradients not divided by the batch", (SCORES, gradients_of_the_sum)),
    ("digit_network", "flattened with channels last", (scores_flattened_otherwise, right.gradients_matmul)),
    ("he_weights", "outputs counted instead of inputs", he_outputs),
    ("he_weights", "only channels counted", he_axis_one),
    ("sgd_step", "velocity overwritten", (step_without_memory, right.update_loop)),
    ("sgd_step", "learning rate inside of the velocity", (step_old_form, right.update_loop)),
    ("sgd_step", "biases decay too", (right.step_lines, update_everything_decays)),
    ("mini_batches", "last batch dropped", batches_full_only),
    ("mini_batches", "order ignored", batches_in_order),
    ("warmup_cosine", "cosine counted from the beginning", rate_from_zero),
    ("warmup_cosine", "rises again after the end", rate_without_end),
    ("digit_report", "each pair counted once", (right.accuracy_mean, counts_by_fancy_index)),
    ("digit_report", "right and predicted classes exchanged", (right.accuracy_loop, counts_transposed)),
    ("digit_report", "mean over the classes", (accuracy_of_classes, right.counts_loop)),
    ("shift_pictures", "wrapped around", shift_rolled),
    ("shift_pictures", "one shift for all pictures", shift_first),
]
FRIENDLY_ONLY = [
    ("conv_same", "a kernel taller than wide", (rows_for_square_kernels, right.forward_product, right.backward_turned)),
    ("pool2x2", "taller than wide", (pool_width_by_height, right.pool_backward_shared)),
    ("shift_pictures", "one column to the right", shift_square),
    ("softmax", "scores around 1000", softmax_overflows),
]

MUTATIONS = [
    Mutations("softmax", '''
        def softmax(scores):
            top = scores.max(axis=1, keepdims=True)
            terms = np.exp(scores - top)
            total = terms.sum(axis=1, keepdims=True)
            return terms / total
    ''', (
        Edit("one maximum for the whole batch", "scores.max(axis=1, keepdims=True)", "scores.max()"),
        Edit("largest score not subtracted", "np.exp(scores - top)", "np.exp(scores)"),
        Edit("summed over the samples", "terms.sum(axis=1, keepdims=True)", "terms.sum(axis=0)"),
        Edit("sums along the columns", "terms.sum(axis=1, keepdims=True)", "terms.sum(axis=1)"),
        Edit("not divided by the sum", "return terms / total", "return terms"),
        Edit("", "return terms / total", "return total / terms"),
    )),
    Mutations("cross_entropy", '''
        def cross_entropy_loss(scores, labels):
            shifted = scores - scores.max(axis=1, keepdims=True)
            total = np.exp(shifted).sum(axis=1)
            own = shifted[np.arange(len(labels)), labels]
            return np.mean(np.log(total) - own)

        def cross_entropy_gradient(scores, labels):
            terms = np.exp(scores - scores.max(1)[:, None])
            grad = terms / terms.sum(1)[:, None]
            grad[range(len(labels)), labels] -= 1
            return grad / len(scores)
    ''', (
        Edit("loss summed", "np.mean(np.log(total) - own)", "np.sum(np.log(total) - own)"),
        Edit("loss overflows", "shifted = scores - scores.max(axis=1, keepdims=True)", "shifted = scores"),
        Edit("every sample with every label", "shifted[np.arange(len(labels)), labels]", "shifted[:, labels].mean(1)"),
        Edit("gradient overflows", "np.exp(scores - scores.max(1)[:, None])", "np.exp(scores)"),
        Edit("right class not subtracted", "labels] -= 1", "labels] -= 0"),
        Edit("one subtracted in every row", "grad[range(len(labels)), labels]", "grad[:, labels]"),
        Edit("gradient not divided by the batch", "return grad / len(scores)", "return grad"),
    )),
    Mutations("relu_layer", '''
        def relu_forward(x):
            return np.maximum(x, 0)

        def relu_backward(grad_out, x):
            passes = x > 0
            return grad_out * passes
    ''', (
        Edit("largest along an axis", "np.maximum(x, 0)", "np.max(x, 0)"),
        Edit("absolute value", "np.maximum(x, 0)", "np.maximum(x, -x)"),
        Edit("zero counted as positive", "x > 0", "x >= 0"),
        Edit("mask turned around", "x > 0", "x <= 0"),
        Edit("slope without the gradient", "return grad_out * passes", "return 1.0 * passes"),
        Edit("multiplied by the output", "return grad_out * passes", "return grad_out * x * (x > 0)"),
    )),
    Mutations("conv_same", '''
        def patch_rows(x, kernel_size):
            KH, KW = kernel_size
            xp = np.pad(x, ((0, 0), (0, 0), (KH // 2, KH // 2), (KW // 2, KW // 2)))
            w = np.lib.stride_tricks.sliding_window_view(xp, (KH, KW), (2, 3))
            w = w.transpose(0, 2, 3, 1, 4, 5)
            return w.reshape(-1, x.shape[1] * KH * KW)

        def conv_same_forward(x, weight, bias):
            K = len(weight)
            N, C, H, W = x.shape
            rows = patch_rows(x, weight.shape[2:])
            y = rows @ weight.reshape(K, -1).T + bias
            return y.reshape(N, H, W, K).transpose(0, 3, 1, 2), rows

        def conv_same_backward(grad_out, rows, weight):
            N, K, H, W = grad_out.shape
            _, C, KH, KW = weight.shape
            g = grad_out.transpose(0, 2, 3, 1).reshape(-1, K)
            taps = (g @ weight.reshape(K, -1)).reshape(N, H, W, C, KH, KW)
            gx = np.zeros((N, C, H + KH - 1, W + KW - 1), g.dtype)
            for u in range(KH):
                for v in range(KW):
                    gx[:, :, u:u + H, v:v + W] += taps[..., u, v].transpose(0, 3, 1, 2)
            gx = gx[:, :, KH // 2:KH // 2 + H, KW // 2:KW // 2 + W]
            return gx, (g.T @ rows).reshape(weight.shape), g.sum(axis=0)
    ''', (
        Edit("", "(KW // 2, KW // 2)))", "(KW // 2, KW // 2)), mode='edge')"),
        Edit("", "w.transpose(0, 2, 3, 1, 4, 5)", "w.transpose(0, 2, 3, 4, 5, 1)"),
        Edit("", "w.transpose(0, 2, 3, 1, 4, 5)", "w.transpose(0, 2, 3, 1, 5, 4)"),
        Edit("filters reshaped instead of transposed",
             "weight.reshape(K, -1).T + bias", "weight.reshape(-1, K) + bias"),
        Edit("bias forgotten", "weight.reshape(K, -1).T + bias", "weight.reshape(K, -1).T"),
        Edit("filters and positions mixed", "y.reshape(N, H, W, K).transpose(0, 3, 1, 2)", "y.reshape(N, K, H, W)"),
        Edit("filters along the last axis of the output",
             "y.reshape(N, H, W, K).transpose(0, 3, 1, 2)", "y.reshape(N, H, W, K)"),
        Edit("overlapping windows overwritten", "v:v + W] += taps", "v:v + W] = taps"),
        Edit("grad_x cut off at the wrong side", "KH // 2:KH // 2 + H, KW // 2:KW // 2 + W", ":H, :W"),
        Edit("gradient of the bias averaged", "g.sum(axis=0)", "g.mean(axis=0)"),
        Edit("gradients of the samples averaged", "(g.T @ rows).reshape(weight.shape)",
             "(g.T @ rows).reshape(weight.shape) / N"),
    )),
    Mutations("pool2x2", '''
        def pool2x2_forward(x):
            N, C, H, W = x.shape
            return x.reshape(N, C, H // 2, 2, W // 2, 2).max(axis=(3, 5))

        def pool2x2_backward(grad_out, x):
            N, C, H, W = x.shape
            b = x.reshape(N, C, H // 2, 2, W // 2, 2)
            best = (b == b.max(axis=(3, 5), keepdims=True))
            share = best / best.sum(axis=(3, 5), keepdims=True)
            return (share * grad_out[:, :, :, None, :, None]).reshape(x.shape)
    ''', (
        Edit("average instead of maximum", ".max(axis=(3, 5))", ".mean(axis=(3, 5))"),
        Edit("smallest instead of largest", ".max(axis=(3, 5))", ".min(axis=(3, 5))"),
        Edit("blocks half a picture apart", "x.reshape(N, C, H // 2, 2, W // 2, 2).max(axis=(3, 5))",
             "x.reshape(N, C, 2, H // 2, 2, W // 2).max(axis=(2, 4))"),
        Edit("all ties get the whole gradient", "best / best.sum(axis=(3, 5), keepdims=True)", "best"),
        Edit("places without the gradient", "(share * grad_out[:, :, :, None, :, None])", "(1.0 * best)"),
        Edit("gradient for all four", "(share * grad_out[:, :, :, None, :, None])",
             "(np.ones_like(b) * grad_out[:, :, :, None, :, None])"),
        Edit("multiplied by the largest entry", "(share * grad_out", "(share * b * grad_out"),
    )),
    Mutations("chain", '''
        def chain_forward(layers, x):
            kept = []
            for layer in layers:
                kept.append(x)
                x = layer(x)
            return x, tuple(kept)

        def chain_backward(backwards, inputs, grad_out):
            for back, x in zip(backwards[::-1], inputs[::-1]):
                grad_out = back(grad_out, x)
            return grad_out
    ''', (
        Edit("outputs kept instead of inputs", "kept.append(x)\n        x = layer(x)",
             "x = layer(x)\n        kept.append(x)"),
        Edit("from the last layer to the first", "for layer in layers", "for layer in reversed(layers)"),
        Edit("only the output returned", "return x, tuple(kept)", "return x"),
        Edit("inputs turned around, layers not", "backwards[::-1]", "backwards"),
        Edit("layers turned around, inputs not", "inputs[::-1]", "inputs"),
        Edit("arguments of backward swapped", "back(grad_out, x)", "back(x, grad_out)"),
        Edit("first layer left out", "zip(backwards[::-1], inputs[::-1])",
             "list(zip(backwards[::-1], inputs[::-1]))[:-1]"),
    )),
    Mutations("digit_network", '''
        def conv(x, w, b):
            p, q = w.shape[2] // 2, w.shape[3] // 2
            xp = np.pad(x, ((0, 0), (0, 0), (p, p), (q, q)))
            v = np.lib.stride_tricks.sliding_window_view(xp, w.shape[2:], (2, 3))
            return np.einsum("ncijuv,kcuv->nkij", v, w) + b[:, None, None], v

        def pool(x):
            n, c, h, w = x.shape
            return x.reshape(n, c, h // 2, 2, w // 2, 2).max((3, 5))

        def double(x):
            return x.repeat(2, 2).repeat(2, 3)

        def run(x, parameters):
            w1, b1, w2, b2, w3, b3 = parameters
            a1, v1 = conv(x, w1, b1)
            z1 = a1 * (a1 > 0)
            p1 = pool(z1)
            a2, v2 = conv(p1, w2, b2)
            z2 = a2 * (a2 > 0)
            p2 = pool(z2)
            f = p2.reshape(len(x), -1)
            return f @ w3.T + b3, f, (v1, a1, z1, p1, v2, a2, z2, p2)

        def network_scores(x, parameters):
            return run(x, parameters)[0]

        def network_gradients(x, labels, parameters):
            w1, b1, w2, b2, w3, b3 = parameters
            s, f, (v1, a1, z1, p1, v2, a2, z2, p2) = run(x, parameters)
            s = s - s.max(1)[:, None]
            e = np.exp(s)
            total = e.sum(1)
            rows = np.arange(len(x))
            loss = np.mean(np.log(total) - s[rows, labels])
            g = e / total[:, None]
            g[rows, labels] -= 1
            g = g / len(x)
            gw3, gb3 = g.T @ f, g.sum(0)
            g = double((g @ w3).reshape(p2.shape)) * (z2 == double(p2))
            g = g * (a2 > 0)
            gw2, gb2 = np.einsum("nkij,ncijuv->kcuv", g, v2), g.sum((0, 2, 3))
            r, t = w2.shape[2] // 2, w2.shape[3] // 2
            gp = np.pad(g, ((0, 0), (0, 0), (r, r), (t, t)))
            back = np.lib.stride_tricks.sliding_window_view(gp, w2.shape[2:], (2, 3))
            g = np.einsum("nkijuv,kcuv->ncij", back, w2[:, :, ::-1, ::-1])
            g = double(g) * (z1 == double(p1))
            g = g * (a1 > 0)
            gw1, gb1 = np.einsum("nkij,ncijuv->kcuv", g, v1), g.sum((0, 2, 3))
            return loss, gw1, gb1, gw2, gb2, gw3, gb3
    ''', (
        Edit("bias of the scores forgotten", "f @ w3.T + b3", "f @ w3.T"),
        Edit("loss summed over the samples", "np.mean(np.log", "np.sum(np.log"),
        Edit("right class forgotten at the scores", "g[rows, labels] -= 1", "g[rows, labels] -= 0"),
        Edit("gradients not divided by the batch", "g = g / len(x)", "g = g / 1"),
        Edit("rectifier left out on the way back", "g = g * (a2 > 0)", "g = g * 1"),
        Edit("rectifier left out on the way back", "g = g * (a1 > 0)", "g = g * 1"),
        Edit("", "w2[:, :, ::-1, ::-1]", "w2"),
        Edit("", "g = double(g) * (z1 == double(p1))", "g = double(g)"),
        Edit("gradients in backward order", "return loss, gw1, gb1, gw2, gb2, gw3, gb3",
             "return loss, gw3, gb3, gw2, gb2, gw1, gb1"),
        Edit("gradients in a tuple of their own", "return loss, gw1, gb1, gw2, gb2, gw3, gb3",
             "return loss, (gw1, gb1, gw2, gb2, gw3, gb3)"),
    )),
    Mutations("he_weights", '''
        def he_weights(noise):
            inputs = np.prod(noise.shape[1:])
            variance = 2 / inputs
            return noise * np.sqrt(variance)
    ''', (
        Edit("all weights counted", "noise.shape[1:]", "noise.shape"),
        Edit("only the window counted", "noise.shape[1:]", "noise.shape[2:]"),
        Edit("outputs counted instead of inputs", "noise.shape[1:]", "noise.shape[:1]"),
        Edit("one instead of two", "2 / inputs", "1 / inputs"),
        Edit("multiplied by the root of n over 2", "2 / inputs", "inputs / 2"),
        Edit("root forgotten", "np.sqrt(variance)", "variance"),
    )),
    Mutations("sgd_step", '''
        def momentum_step(weight, gradient, velocity, learning_rate, momentum, weight_decay):
            slope = gradient + weight_decay * weight
            new = momentum * velocity + slope
            return weight - learning_rate * new, new

        def update_all(parameters, gradients, velocities, learning_rate, momentum, weight_decay):
            a, b = [], []
            for p, g, v in zip(parameters, gradients, velocities):
                decay = weight_decay if p.ndim > 1 else 0
                p, v = momentum_step(p, g, v, learning_rate, momentum, decay)
                a.append(p)
                b.append(v)
            return a, b
    ''', (
        Edit("weight decay with the wrong sign",
             "gradient + weight_decay * weight", "gradient - weight_decay * weight"),
        Edit("decay without the weight", "gradient + weight_decay * weight", "gradient + weight_decay"),
        Edit("velocity overwritten", "momentum * velocity + slope", "slope"),
        Edit("velocity not weakened", "momentum * velocity + slope", "velocity + slope"),
        Edit("step uphill", "weight - learning_rate * new, new", "weight + learning_rate * new, new"),
        Edit("velocity returned as it was",
             "weight - learning_rate * new, new", "weight - learning_rate * new, velocity"),
        Edit("step with the old velocity",
             "weight - learning_rate * new, new", "weight - learning_rate * velocity, new"),
        Edit("biases decay too", "weight_decay if p.ndim > 1 else 0", "weight_decay"),
        Edit("biases decay instead of weights", "p.ndim > 1", "p.ndim == 1"),
        Edit("pairs instead of two tuples", "return a, b", "return list(zip(a, b))"),
    )),
    Mutations("mini_batches", '''
        def mini_batches(order, batch_size):
            count = -(-len(order) // batch_size)
            found = []
            for number in range(count):
                first = number * batch_size
                found.append(order[first:first + batch_size])
            return found
    ''', (
        Edit("last batch dropped", "-(-len(order) // batch_size)", "len(order) // batch_size"),
        Edit("an empty batch at the end", "-(-len(order) // batch_size)", "len(order) // batch_size + 1"),
        Edit("one sample too few in each batch", "first + batch_size]", "first + batch_size - 1]"),
        Edit("order ignored", "order[first:first + batch_size]",
             "np.arange(len(order))[first:first + batch_size]"),
        Edit("order sorted", "order[first:first + batch_size]", "sorted(order)[first:first + batch_size]"),
        Edit("every so manieth sample", "order[first:first + batch_size]", "order[number::count]"),
    )),
    Mutations("warmup_cosine", '''
        def warmup_cosine(epoch, epochs, warmup, peak):
            if epoch < warmup:
                return peak * epoch / warmup
            t = (epoch - warmup) / (epochs - warmup)
            t = min(t, 1)
            return peak * (1 + np.cos(np.pi * t)) / 2
    ''', (
        Edit("rises again after the end", "min(t, 1)", "t"),
        Edit("cosine counted from the beginning", "(epoch - warmup) / (epochs - warmup)", "epoch / epochs"),
        Edit("one not added to the cosine", "(1 + np.cos(np.pi * t)) / 2", "np.cos(np.pi * t)"),
        Edit("not halved", "(1 + np.cos(np.pi * t)) / 2", "(1 + np.cos(np.pi * t))"),
        Edit("pi forgotten", "np.cos(np.pi * t)", "np.cos(t)"),
        Edit("no warm-up", "return peak * epoch / warmup", "return peak"),
        Edit("peak forgotten", "return peak * epoch / warmup", "return epoch / warmup"),
    )),
    Mutations("digit_report", '''
        def accuracy(scores, labels):
            found = scores.argmax(axis=1)
            return np.mean(found == labels)

        def confusion_counts(labels, predictions, classes):
            counts = np.zeros((classes, classes), int)
            for i, j in zip(labels, predictions):
                counts[i, j] += 1
            return counts
    ''', (
        Edit("largest score down the columns", "argmax(axis=1)", "argmax(axis=0)"),
        Edit("smallest score wins", "argmax(axis=1)", "argmin(axis=1)"),
        Edit("share of the wrong ones", "found == labels", "found != labels"),
        Edit("number instead of share", "np.mean(found", "np.sum(found"),
        Edit("right and predicted classes exchanged", "counts[i, j] += 1", "counts[j, i] += 1"),
        Edit("each pair counted once", "counts[i, j] += 1", "counts[i, j] = 1"),
        Edit("began with ones", "np.zeros(", "np.ones("),
    )),
    Mutations("shift_pictures", '''
        def shift_pictures(x, down, right):
            N, C, H, W = x.shape
            m = max(abs(down).max(), abs(right).max())
            big = np.pad(x, ((0, 0), (0, 0), (m, m), (m, m)))
            out = np.zeros_like(x)
            for n in range(N):
                i = m - down[n]
                j = m - right[n]
                out[n] = big[n, :, i:i + H, j:j + W]
            return out
    ''', (
        Edit("up instead of down", "m - down[n]", "m + down[n]"),
        Edit("left instead of right", "m - right[n]", "m + right[n]"),
        Edit("one shift for all pictures",
             "i = m - down[n]\n        j = m - right[n]", "i = m - down[0]\n        j = m - right[0]"),
        Edit("edge values come in", "(m, m)))", "(m, m)), 'edge')"),
        Edit("wrapped around", "(m, m)))", "(m, m)), 'wrap')"),
        Edit("only the rows moved", "m - right[n]", "m"),
        Edit("only the first picture", "range(N)", "range(1)"),
    )),
]
