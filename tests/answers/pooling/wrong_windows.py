"""Wrong answers whose windows lie elsewhere than they should, or end elsewhere."""

from __future__ import annotations

import numpy as np

from tests.answers.pooling.right_forward import padded, windows_of


def by_blocks(block):
    """The largest entry of x[:, :, block], for an output of the right size."""
    def answer(x, kernel_size, stride):
        out = np.zeros((*x.shape[:2], *windows_of(x, kernel_size, stride).shape[2:4]))
        for i, j in np.ndindex(out.shape[2:]):
            out[:, :, i, j] = x[(..., *block(i, j, kernel_size, stride))].max(axis=(2, 3))
        return out
    return answer


def max_size_by_division(x, kernel_size, stride):
    """H // stride positions; slices stop at the border by themselves."""
    out = np.zeros((*x.shape[:2], x.shape[2] // stride, x.shape[3] // stride))
    for i, j in np.ndindex(out.shape[2:]):
        top, left = i * stride, j * stride
        out[:, :, i, j] = x[:, :, top:top + kernel_size[0], left:left + kernel_size[1]].max(axis=(2, 3))
    return out


def average_negative_starts(x, kernel_size, stride, padding, count_include_pad):
    out = np.zeros((*x.shape[:2], *windows_of(padded(x, padding), kernel_size, stride).shape[2:4]))
    for i, j in np.ndindex(out.shape[2:]):
        top, left = i * stride - padding, j * stride - padding
        block = x[:, :, top:top + kernel_size[0], left:left + kernel_size[1]]
        count = kernel_size[0] * kernel_size[1] if count_include_pad else max(block[0, 0].size, 1)
        out[:, :, i, j] = block.sum(axis=(2, 3)) / count
    return out


def indexed_cut_off(x, kernel_size, stride, padding, *, start=False):
    """Windows cut off at the border; their start is not, or their width."""
    out = windows_of(padded(x, padding, -np.inf), kernel_size, stride).max(axis=(4, 5))
    indices = np.zeros(out.shape, int)
    for n, c, i, j in np.ndindex(out.shape):
        top, left = i * stride - padding, j * stride - padding
        first, second = max(top, 0), max(left, 0)
        block = x[n, c, first:top + kernel_size[0], second:left + kernel_size[1]]
        if start:
            row, column = divmod(block.argmax(), kernel_size[1])
            indices[n, c, i, j] = (first + row) * x.shape[3] + second + column
        else:
            row, column = np.unravel_index(block.argmax(), block.shape)
            indices[n, c, i, j] = (top + row) * x.shape[3] + left + column
    return out, indices


def scattered_by_put(grad_out, indices, input_size):
    grad_x = np.zeros((*grad_out.shape[:2], *input_size))
    np.put(grad_x, indices, grad_out)
    return grad_x


def routed_apart(grad_out, x, kernel_size, stride):
    """Row and column from two different maxima."""
    grad_x = np.zeros_like(x)
    for n, c, i, j in np.ndindex(grad_out.shape):
        window = x[n, c, i * stride:i * stride + kernel_size[0], j * stride:j * stride + kernel_size[1]]
        rows, columns = np.where(window == window.max())
        grad_x[n, c, i * stride + rows[0], j * stride + columns[-1]] += grad_out[n, c, i, j]
    return grad_x


def shared_repeated(grad_out, input_size, kernel_size, stride, padding, count_include_pad):
    grad_x = np.zeros((*grad_out.shape[:2], *input_size))
    share = grad_out / (kernel_size[0] * kernel_size[1])
    blocks = np.kron(share, np.ones((1, 1, *kernel_size)))[:, :, :input_size[0], :input_size[1]]
    grad_x[:, :, :blocks.shape[2], :blocks.shape[3]] = blocks
    return grad_x


WRONG = [
    ("max_pool2d_forward", "window as large as the stride",
     by_blocks(lambda i, j, k, s: (slice(i * s, i * s + s), slice(j * s, j * s + s)))),
    ("max_pool2d_forward", "stride taken for the window's size",
     by_blocks(lambda i, j, k, s: (slice(i * k[0], i * k[0] + k[0]), slice(j * k[1], j * k[1] + k[1])))),
    ("max_pool2d_forward", "row and column of the output swapped",
     by_blocks(lambda i, j, k, s: (slice(j * s, j * s + k[0]), slice(i * s, i * s + k[1])))),
    ("max_pool2d_forward", "size divided by the stride", max_size_by_division),
    ("avg_pool2d_forward", "slice that starts before the picture", average_negative_starts),
    ("avg_pool2d_forward", "all four axes padded",
     lambda x, k, s, p, counted: windows_of(np.pad(x, p), k, s).mean(axis=(4, 5))),
    ("l2_pool2d_forward", "an epsilon that changes the result",
     lambda x, k, s: np.sqrt((windows_of(x, k, s) ** 2).sum(axis=(4, 5)) + 1e-8)),
    ("max_pool2d_with_indices", "window cut off at the border, its place not", indexed_cut_off),
    ("max_pool2d_with_indices", "window cut off at the border, its place not",
     lambda *arguments: indexed_cut_off(*arguments, start=True)),
    ("max_pool2d_backward_by_indices", "indices counted through all planes", scattered_by_put),
    ("max_pool2d_backward", "row and column found apart", routed_apart),
    ("avg_pool2d_backward", "stride taken for the window's size", shared_repeated),
    ("pooled_size", "one forgotten",
     lambda w, f, s, p, library: {"PyTorch": (w - f + 2 * p) // s + 1, "TensorFlow VALID": (w - f + 1) // s,
                                  "TensorFlow SAME": -(-w // s)}.get(library, 0) or size_up(w, f, s, p, library)),
]


def size_up(w, f, s, p, library):
    """The two rules that round up, right."""
    n = -((f - w - 2 * p) // s) + 1
    return n - ((n - 1) * s >= w + p and (p > 0 or library != "Caffe"))
