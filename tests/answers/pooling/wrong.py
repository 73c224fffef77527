"""Wrong answers written out as students write them, not as the misconceptions are coded."""

from __future__ import annotations

import numpy as np

from tests.answers.pooling import wrong_windows
from tests.answers.pooling.edited import MUTATIONS as MUTATIONS
from tests.answers.pooling.right_forward import padded, windows_of


# ---- forward
def max_from_zeros(x, kernel_size, stride):
    n, c, h, w = x.shape
    out = np.zeros((n, c, (h - kernel_size[0]) // stride + 1, (w - kernel_size[1]) // stride + 1))
    for i, j, p, q in np.ndindex(out.shape):
        for value in x[i, j, p * stride:p * stride + kernel_size[0], q * stride:q * stride + kernel_size[1]].flat:
            if value > out[i, j, p, q]:
                out[i, j, p, q] = value
    return out


def max_of_tiles(x, kernel_size, stride):
    n, c, h, w = x.shape
    return x.reshape(n, c, h // kernel_size[0], kernel_size[0], w // kernel_size[1], kernel_size[1]).max((3, 5))


def max_one_side(x, kernel_size, stride):
    n, c, h, w = x.shape
    k = kernel_size[0]
    out = np.zeros((n, c, (h - k) // stride + 1, (w - k) // stride + 1))
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            out[:, :, i, j] = x[:, :, i * stride:i * stride + k, j * stride:j * stride + k].max(axis=(2, 3))
    return out


def max_over_channels(x, kernel_size, stride):
    windows = windows_of(x, kernel_size, stride)
    out = np.empty(windows.shape[:4])
    for n, i, j in np.ndindex(len(x), *windows.shape[2:4]):
        out[n, :, i, j] = windows[n, :, i, j].max()
    return out


def max_without_stride(x, kernel_size, stride):
    rows, columns = windows_of(x, kernel_size, stride).shape[2:4]
    out = np.empty((*x.shape[:2], rows, columns))
    for i, j in np.ndindex(rows, columns):
        out[:, :, i, j] = x[:, :, i:i + kernel_size[0], j:j + kernel_size[1]].max((2, 3))
    return out


def max_square_picture(x, kernel_size, stride):
    """The number of columns is computed from the height."""
    rows = (x.shape[2] - kernel_size[0]) // stride + 1
    columns = (x.shape[2] - kernel_size[1]) // stride + 1
    out = np.zeros((*x.shape[:2], rows, columns))
    for i, j in np.ndindex(rows, columns):
        at = (..., slice(i * stride, i * stride + kernel_size[0]), slice(j * stride, j * stride + kernel_size[1]))
        out[:, :, i, j] = x[at].max((2, 3))
    return out


def average_clipped(x, kernel_size, stride, padding, count_include_pad):
    """np.mean of what is left of the window, whatever was asked for."""
    rows, columns = windows_of(padded(x, padding), kernel_size, stride).shape[2:4]
    out = np.empty((*x.shape[:2], rows, columns))
    for i, j in np.ndindex(rows, columns):
        top, left = i * stride - padding, j * stride - padding
        block = x[:, :, max(0, top):top + kernel_size[0], max(0, left):left + kernel_size[1]]
        out[:, :, i, j] = block.mean(axis=(2, 3))
    return out


# ---- backward
def backward(send):
    """By loops; `send` puts one window's gradient into the window's block of grad_x."""
    def answer(grad_out, x, kernel_size, stride):
        grad_x = np.zeros_like(x)
        for n, c, i, j in np.ndindex(grad_out.shape):
            at = (n, c, slice(i * stride, i * stride + kernel_size[0]), slice(j * stride, j * stride + kernel_size[1]))
            send(grad_x[at], x[at], grad_out[n, c, i, j])
        return grad_x
    return answer


def assigned(block, window, gradient):
    block[np.unravel_index(window.argmax(), window.shape)] = gradient


def masked_assigned(block, window, gradient):
    block[...] = (window == window.max()) * gradient


def masked_where(block, window, gradient):
    block[window == window.max()] = gradient


def masked(block, window, gradient):
    block += (window == window.max()) * gradient


def masked_if_alone(block, window, gradient):
    mask = window == window.max()
    if mask.sum() == 1:
        block += mask * gradient


def smeared(block, window, gradient):
    block += gradient / window.size


def largest_magnitude(block, window, gradient):
    block[np.unravel_index(np.abs(window).argmax(), window.shape)] += gradient


def positive_only(block, window, gradient):
    best, at = 0, None
    for index, value in np.ndenumerate(window):
        if value > best:
            best, at = value, index
    if at is not None:
        block[at] += gradient


def times_value(block, window, gradient):
    block += (window == window.max()) * window * gradient


def ones_only(block, window, gradient):
    block[np.unravel_index(window.argmax(), window.shape)] += 1


def compared_in_the_plane(grad_out, x, kernel_size, stride):
    """Where is this maximum? Looked up in the whole plane."""
    out = windows_of(x, kernel_size, stride).max(axis=(4, 5))
    grad_x = np.zeros_like(x)
    for n, c, i, j in np.ndindex(grad_out.shape):
        grad_x[n, c][x[n, c] == out[n, c, i, j]] += grad_out[n, c, i, j]
    return grad_x


def flat_entry(grad_out, x, kernel_size, stride):
    grad_x = np.zeros_like(x)
    for n, c, i, j in np.ndindex(grad_out.shape):
        window = x[n, c, i * stride:i * stride + kernel_size[0], j * stride:j * stride + kernel_size[1]]
        grad_x[n, c].flat[window.argmax()] += grad_out[n, c, i, j]
    return grad_x


def upsampled(grad_out, x, kernel_size, stride):
    """Outputs and gradients repeated to the size of the picture."""
    def large(y):
        return y.repeat(kernel_size[0], axis=2).repeat(kernel_size[1], axis=3)

    return (x == large(windows_of(x, kernel_size, stride).max((4, 5)))) * large(grad_out)


def norm_divided(block, window, gradient):
    block += gradient * window / np.linalg.norm(window)


def norm_of_squares(block, window, gradient):
    block += 2 * gradient * window


def norm_doubled(block, window, gradient):
    norm = np.linalg.norm(window)
    if norm:
        block += 2 * gradient * window / norm


def norm_epsilon(block, window, gradient):
    block += gradient * window / np.sqrt(np.sum(window**2) + np.asarray(1e-5, window.dtype))


def signed(block, window, gradient):
    block += gradient * np.sign(window)


def masked_in_all_planes(grad_out, x, kernel_size, stride):
    """window.max() without axes: one number for the whole batch."""
    grad_x = np.zeros_like(x)
    for i, j in np.ndindex(grad_out.shape[2:]):
        at = (..., slice(i * stride, i * stride + kernel_size[0]), slice(j * stride, j * stride + kernel_size[1]))
        grad_x[at] += (x[at] == x[at].max()) * grad_out[:, :, i:i + 1, j:j + 1]
    return grad_x


def cut_with_minus(grad_out, input_size, kernel_size, stride, padding, count_include_pad):
    size = [side + 2 * padding for side in input_size]
    ones = padded(np.ones((1, 1, *input_size)), padding)
    out = np.zeros((*grad_out.shape[:2], *size))
    for i, j in np.ndindex(grad_out.shape[2:]):
        at = (..., slice(i * stride, i * stride + kernel_size[0]), slice(j * stride, j * stride + kernel_size[1]))
        count = kernel_size[0] * kernel_size[1] if count_include_pad else ones[at].sum()
        out[at] += grad_out[:, :, i:i + 1, j:j + 1] / count
    return out[:, :, padding:-padding, padding:-padding]


def scattered_in_one(grad_out, indices, input_size):
    out = np.zeros((*grad_out.shape[:2], *input_size))
    np.add.at(out.reshape(-1), indices.reshape(-1), grad_out.reshape(-1))
    return out


def scattered_plus(grad_out, indices, input_size):
    """A += on repeated indices, which NumPy carries out once."""
    out = np.zeros((*grad_out.shape[:2], input_size[0] * input_size[1]))
    for n, c in np.ndindex(grad_out.shape[:2]):
        out[n, c, indices[n, c].ravel()] += grad_out[n, c].ravel()
    return out.reshape(*grad_out.shape[:2], *input_size)


def indexed_from_a_minimum(x, kernel_size, stride, padding):
    return indexed_zeros(x, kernel_size, stride, padding, x.min())


def indexed_zeros(x, kernel_size, stride, padding, value=0):
    windows = windows_of(padded(x, padding, value), kernel_size, stride)
    flat = windows.reshape(*windows.shape[:4], -1)
    row, column = np.unravel_index(flat.argmax(axis=-1), kernel_size)
    row = row + np.arange(flat.shape[2])[:, None] * stride - padding
    column = column + np.arange(flat.shape[3]) * stride - padding
    return flat.max(axis=-1), row * x.shape[3] + column


def indexed_in_the_window(x, kernel_size, stride, padding):
    windows = windows_of(padded(x, padding, -np.inf), kernel_size, stride)
    flat = windows.reshape(*windows.shape[:4], -1)
    return flat.max(axis=-1), flat.argmax(axis=-1)


WRONG: list[tuple] = [
    *wrong_windows.WRONG,
    ("max_pool2d_forward", "maximum started at zero", max_from_zeros),
    ("max_pool2d_forward", "maximum started at some number",
     lambda x, k, s: windows_of(x, k, s).max(axis=(4, 5), initial=-1000)),
    ("max_pool2d_forward", "one maximum for all planes",
     lambda x, k, s: windows_of(x, k, s).max(axis=(0, 1, 4, 5)) + np.zeros((*x.shape[:2], 1, 1))),
    ("max_pool2d_forward", "stride taken for the window's size", max_of_tiles),
    ("max_pool2d_forward", "only square windows", max_one_side),
    ("max_pool2d_forward", "one maximum for all channels", max_over_channels),
    ("max_pool2d_forward", "stride missing in the window's position", max_without_stride),
    ("max_pool2d_forward", "mean instead of maximum", lambda x, k, s: windows_of(x, k, s).mean((4, 5))),
    ("max_pool2d_forward", "stride ignored", lambda x, k, s: windows_of(x, k, 1).max((4, 5))),
    ("activations_kept", "one over the stride squared",
     lambda h, w, k, s: (1 / s**2, h * w - len({r * s + a for r in range((h - k[0]) // s + 1) for a in range(k[0])})
                         * len({q * s + b for q in range((w - k[1]) // s + 1) for b in range(k[1])}))),
    ("avg_pool2d_forward", "always divided by the number of inputs", average_clipped),
    ("avg_pool2d_forward", "always divided by the window's size",
     lambda x, k, s, p, c: windows_of(padded(x, p), k, s).mean((4, 5))),
    ("avg_pool2d_forward", "divided by a square",
     lambda x, k, s, p, c: windows_of(padded(x, p), k, s).sum((4, 5)) / (
         k[0] ** 2 if c else windows_of(padded(np.ones_like(x), p), k, s).sum((4, 5)) * k[0] / k[1])),
    ("l2_pool2d_forward", "L2 without the root", lambda x, k, s: (windows_of(x, k, s) ** 2).sum((4, 5))),
    ("l2_pool2d_forward", "mean of the squares", lambda x, k, s: np.sqrt((windows_of(x, k, s) ** 2).mean((4, 5)))),
    ("l2_pool2d_forward", "spectral norm",
     lambda x, k, s: np.linalg.svd(windows_of(x, k, s), compute_uv=False).max(axis=-1)),
    ("max_pool2d_with_indices", "padding with zeros wins", indexed_zeros),
    ("max_pool2d_with_indices", "padding with a number that can win", indexed_from_a_minimum),
    ("max_pool2d_with_indices", "index within the window", indexed_in_the_window),
    ("max_pool2d_backward_by_indices", "indices counted through all planes", scattered_in_one),
    ("max_pool2d_backward_by_indices", "overlapping windows overwritten", scattered_plus),
    ("max_pool2d_backward", "overlapping windows overwritten", backward(assigned)),
    ("max_pool2d_backward", "overlapping windows overwritten", backward(masked_assigned)),
    ("max_pool2d_backward", "overlapping windows overwritten", backward(masked_where)),
    ("max_pool2d_backward", "all ties get the full gradient", backward(masked)),
    ("max_pool2d_backward", "no gradient where there are ties", backward(masked_if_alone)),
    ("max_pool2d_backward", "gradient spread over the window", backward(smeared)),
    ("max_pool2d_backward", "largest magnitude", backward(largest_magnitude)),
    ("max_pool2d_backward", "maximum started at zero", backward(positive_only)),
    ("max_pool2d_backward", "multiplied by the input", backward(times_value)),
    ("max_pool2d_backward", "upstream gradient ignored", backward(ones_only)),
    ("max_pool2d_backward", "equal values outside of the window", compared_in_the_plane),
    ("max_pool2d_backward", "entry of the window taken for a place in the plane", flat_entry),
    ("max_pool2d_backward", "stride taken for the window's size", upsampled),
    ("max_pool2d_backward", "one maximum for all planes", masked_in_all_planes),
    ("l2_pool2d_backward", "gradient of L1", backward(signed)),
    ("avg_pool2d_backward", "empty without padding", cut_with_minus),
    ("l2_pool2d_backward", "divided by zero", backward(norm_divided)),
    ("l2_pool2d_backward", "not divided by the norm", backward(norm_of_squares)),
    ("l2_pool2d_backward", "a factor of two", backward(norm_doubled)),
    ("l2_pool2d_backward", "an epsilon that changes the result", backward(norm_epsilon)),
    ("pooled_size", "one rule for all: floor", lambda w, f, s, p, library: (w - f + 2 * p) // s + 1),
]
"""(exercise, name that the judge has to say first, function)."""

FRIENDLY_ONLY: list[tuple] = [
    ("max_pool2d_forward", "taller than wide", max_square_picture),
    ("max_pool2d_forward", "overlapping windows", max_of_tiles),
    ("max_pool2d_forward", "a window taller than wide", max_one_side),
    ("max_pool2d_backward", "overlapping windows", upsampled),
    ("max_pool2d_backward", "overlapping windows", backward(assigned)),
    ("max_pool2d_backward", "all inputs equal", backward(masked)),
    ("max_pool2d_backward", "the same maximum in every window", compared_in_the_plane),
    ("avg_pool2d_forward", "padding 1, only inputs counted",
     lambda x, k, s, p, c: windows_of(padded(x, p), k, s).mean((4, 5))),
    ("l2_pool2d_backward", "a window of zeros", backward(norm_divided)),
    ("activations_kept", "a window wider than tall",
     lambda h, w, k, s: (((h - k[0]) // s + 1) * ((w - k[1]) // s + 1) / (h * w),
                         h * w - ((h - k[0]) // s * s + k[0]) * ((w - k[1]) // s * s + k[1]))),
]
"""(exercise, piece of the case's name that has to be shown, function): right on friendly inputs only."""
