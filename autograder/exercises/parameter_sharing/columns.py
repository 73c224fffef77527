"""The same gradients as matrix products: columns back into pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np

from autograder.exercises.parameter_sharing import mistakes
from autograder.exercises.parameter_sharing.backward import backward_cases, backward_misconceptions
from autograder.exercises.parameter_sharing.counting import NOTEBOOK
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F

Array = np.ndarray


def _col2im(columns: Array, x_shape: Any, kernel_size: Any, stride: int, padding: int) -> Array:
    return F.col2im(columns, tuple(x_shape[2:]), tuple(kernel_size), stride=stride, padding=padding)


def _whole(columns: Array, x_shape: Any, kernel_size: Any, stride: int, padding: int) -> Array:
    """The padded picture."""
    size = tuple(extent + 2 * padding for extent in x_shape[2:])
    return F.col2im(columns, size, tuple(kernel_size), stride=stride)


def _cropped(crop: Callable[[Array, int, Any], Array]) -> Callable[..., Array]:
    return lambda columns, x_shape, kernel, s, p: crop(_whole(columns, x_shape, kernel, s, p), p, x_shape[2:])


def _apart(columns: Array, x_shape: Any, kernel_size: Any, stride: int, padding: int) -> Array:
    """Columns with all six axes apart: sample, channel, kernel row and column, row and column of the position."""
    positions = [(size + 2 * padding - k) // stride + 1 for size, k in zip(x_shape[2:], kernel_size, strict=True)]
    return columns.reshape(x_shape[0], x_shape[1], *kernel_size, *positions)


def _overwriting(order: str) -> Callable[..., Array]:
    """Entries replaced in place of added, in a loop over positions or over the taps of the kernel."""
    def backward(columns: Array, x_shape: Any, kernel_size: Any, stride: int, padding: int) -> Array:
        apart = _apart(columns, x_shape, kernel_size, stride, padding)
        samples, channels, height, width = x_shape
        whole = np.zeros((samples, channels, height + 2 * padding, width + 2 * padding), columns.dtype)
        rows, taps, *positions = apart.shape[2:]
        if order == "positions":
            for i, j in np.ndindex(*positions):
                down, right = i * stride, j * stride
                whole[:, :, down : down + rows, right : right + taps] = apart[..., i, j]
        else:
            for u, v in np.ndindex(rows, taps):
                whole[:, :, u : u + positions[0] * stride : stride, v : v + positions[1] * stride : stride][
                    :, :, : positions[0], : positions[1]] = apart[:, :, u, v]
        return whole[:, :, padding : padding + height, padding : padding + width]
    return backward


def _divided(columns: Array, x_shape: Any, *rest: Any) -> Array:
    """Divided by the number of windows that hold an entry, as if im2col had to be undone."""
    count = _col2im(np.ones_like(columns), x_shape, *rest)
    return _col2im(columns, x_shape, *rest) / np.maximum(count, 1)


def _reordered(*axes: int) -> Callable[..., Array]:
    """Columns read as if their six axes had been written in another order."""
    def backward(columns: Array, x_shape: Any, kernel_size: Any, stride: int, padding: int) -> Array:
        apart = _apart(columns, x_shape, kernel_size, stride, padding)
        written = columns.reshape([apart.shape[axis] for axis in axes]).transpose(np.argsort(axes))
        return _col2im(written.reshape(columns.shape), x_shape, kernel_size, stride, padding)
    return backward


def _without_stride(columns: Array, x_shape: Any, kernel_size: Any, stride: int, padding: int) -> Array:
    positions = _apart(columns, x_shape, kernel_size, stride, padding).shape[4:]
    samples, channels, height, width = x_shape
    whole = np.zeros((samples, channels, height + 2 * padding, width + 2 * padding), columns.dtype)
    seen = [extent + k - 1 for extent, k in zip(positions, kernel_size, strict=True)]
    whole[:, :, : seen[0], : seen[1]] = F.col2im(columns, tuple(seen), tuple(kernel_size))
    return whole[:, :, padding : padding + height, padding : padding + width]


def _one_sample(columns: Array, x_shape: Any, *rest: Any) -> Array:
    out = _col2im(columns, x_shape, *rest)
    out[1:] = 0
    return out


def _samples_mixed(grad_out: Array, *rest: Any) -> mistakes.Gradients:
    """grad_out.reshape(K, -1) for a whole batch, without moving the samples' axis behind the filters'."""
    samples, filters, *positions = grad_out.shape
    upstream = np.ascontiguousarray(grad_out).reshape(filters, samples, *positions).swapaxes(0, 1)
    return mistakes.right(upstream, *rest)


def _positions_mixed(grad_out: Array, *rest: Any) -> mistakes.Gradients:
    """(K, T) reshaped to (T, K) where it had to be transposed."""
    samples, filters, *positions = grad_out.shape
    upstream = np.ascontiguousarray(grad_out).reshape(samples, *positions, filters).transpose(0, 3, 1, 2)
    return mistakes.right(upstream, *rest)


def _reshaped_to_transpose(
    grad_out: Array, x: Array, weight: Array, stride: int, padding: int
) -> mistakes.Gradients:
    """(K, CRS) reshaped to (CRS, K) where it had to be transposed."""
    other = np.ascontiguousarray(weight).reshape(-1, len(weight)).T.reshape(weight.shape)
    return mistakes.right(grad_out, x, other, stride, padding)


def _filters_by_columns(grad_out: Array, x: Array, weight: Array, stride: int, padding: int) -> mistakes.Gradients:
    """Filters flattened in another order than the columns of the matrix."""
    other = np.ascontiguousarray(weight.transpose(0, 3, 2, 1)).reshape(weight.shape)
    return mistakes.right(grad_out, x, other, stride, padding)


@exercise("conv2d_backward_matmul", notebook=NOTEBOOK, points=5, answers=("col2im", "conv2d_backward_matmul"))
class Conv2dBackwardMatmul:
    """The same gradients by matrix products.

    col2im is the way back from im2col: it takes columns of shape (N, C * KH * KW, OH * OW) and adds each to the
    window that it belongs to; entries of windows that overlap are summed. It returns an array of x_shape
    (N, C, H, W), without the padding. conv2d_backward_matmul returns what conv2d_backward does, with matrix products.
    """

    def col2im(columns, x_shape, kernel_size, stride, padding):
        return _col2im(columns, x_shape, kernel_size, stride, padding)

    def conv2d_backward_matmul(grad_out, x, weight, stride, padding):
        return F.conv2d_backward(grad_out, x, weight, stride=stride, padding=padding)

    returns: ClassVar = {"conv2d_backward_matmul": ("grad_x", "grad_weight", "grad_bias")}

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def draw(x_shape: tuple[int, ...], kernel_size: tuple[int, int], stride: int, padding: int) -> Array:
            rows, columns = ((size + 2 * padding - k) // stride + 1
                             for size, k in zip(x_shape[2:], kernel_size, strict=True))
            return rng.standard_normal((x_shape[0], x_shape[1] * kernel_size[0] * kernel_size[1], rows * columns))

        def case(name: str, *settings: Any) -> Case:
            return Case(name, (draw(*settings), *settings), "col2im")

        yield case("one channel, windows side by side", (1, 1, 4, 4), (2, 2), 2, 0)
        yield case("windows that overlap", (1, 1, 3, 3), (2, 2), 1, 0)
        yield case("three channels", (1, 3, 4, 4), (2, 2), 1, 0)
        yield case("two samples", (2, 2, 4, 4), (3, 3), 1, 0)
        yield case("padding 1", (1, 2, 3, 3), (3, 3), 1, 1)
        yield case("stride 2, padding 2", (1, 2, 5, 5), (3, 3), 2, 2)
        yield case("taller than wide", (2, 2, 6, 4), (3, 3), 1, 0)
        yield case("a kernel wider than tall, stride 2, padding 1", (1, 2, 4, 7), (2, 3), 2, 1)
        yield case("a kernel taller than wide", (2, 3, 6, 5), (4, 2), 1, 0)
        yield case("a stride larger than the kernel", (1, 2, 8, 5), (2, 2), 3, 0)
        yield case("rows and columns that no window reads", (1, 1, 6, 8), (3, 3), 2, 0)
        settings: tuple[Any, ...] = (2, 2, 4, 5), (3, 2), 1, 1
        columns = draw(*settings).astype(np.float32).repeat(2, axis=2)[..., ::2]
        yield Case("strided memory, single precision", (columns, *settings), "col2im")
        settings = (2, 3, 4, 3), (2, 2), 1, 0
        yield Case("Fortran order", (np.asfortranarray(draw(*settings)), *settings), "col2im")
        yield from backward_cases(rng, "conv2d_backward_matmul")

    misconceptions = (
        Misconception("overwritten where windows overlap",
                      "An entry that lies in several windows gets the sum of what they bring. Here one of them "
                      "replaces the others. Note that NumPy's a[indices] += b adds only once where an index comes "
                      "twice.",
                      _overwriting("positions"), also=(_overwriting("taps"),)),
        Misconception("divided by the number of windows",
                      "col2im does not undo im2col, it sums up. No mean is taken where windows overlap.",
                      _divided),
        Misconception("padding not cut off",
                      "The result has x_shape: the entries for the zeros around the picture have to be cut off.",
                      _cropped(lambda whole, p, size: whole)),
        Misconception("empty without padding",
                      "A slice p : -p is empty for p = 0, since -0 is 0 and not the end. Say where the slice ends by "
                      "counting from the start.",
                      _cropped(lambda whole, p, size: whole[:, :, p:-p, p:-p])),
        Misconception("cropped at the wrong place", "The picture lies in the middle of its padding.",
                      _cropped(lambda whole, p, size: whole[:, :, : size[0], : size[1]]),
                      also=(_cropped(lambda whole, p, size: whole[:, :, 2 * p :, 2 * p :]),)),
        Misconception("stride ignored", "Column i * OW + j belongs to the window at row i * stride, column j * stride.",
                      _without_stride),
        Misconception("channel as the fastest index",
                      "The rows of the matrix list channel, kernel row, kernel column: all taps of channel 0 first.",
                      _reordered(0, 2, 3, 1, 4, 5)),
        Misconception("kernel columns before rows",
                      "Within a channel the rows of the matrix list the kernel row by row.",
                      _reordered(0, 1, 3, 2, 4, 5)),
        Misconception("positions counted downwards",
                      "The columns of the matrix list the positions along a row of the output first, then down.",
                      _reordered(0, 1, 2, 3, 5, 4)),
        Misconception("patches in rows", "Each patch is a column of the matrix, not a row.",
                      _reordered(0, 4, 5, 1, 2, 3)),
        Misconception("only the first sample", "Every sample has columns of its own.", _one_sample),
        *(Misconception(f"{m.name}, in the layer", m.explanation, m.wrong, m.answer, m.also)
          for m in backward_misconceptions("conv2d_backward_matmul")),
        Misconception("samples and filters mixed",
                      "grad_out lists samples first, then filters. A reshape keeps the order of the entries: move the "
                      "axes first, or multiply sample by sample.",
                      _samples_mixed, "conv2d_backward_matmul",
                      also=(mistakes.partly(_samples_mixed, 1), mistakes.partly(_samples_mixed, 0))),
        Misconception("filters and positions mixed",
                      "A matrix (K, T) becomes (T, K) by transposing. A reshape keeps the order of its entries and "
                      "mixes them up.",
                      _positions_mixed, "conv2d_backward_matmul",
                      also=(mistakes.partly(_positions_mixed, 1), mistakes.partly(_positions_mixed, 0))),
        Misconception("reshaped where transposing is meant",
                      "weight.reshape(-1, K) has the shape of the transposed matrix and not its entries: a reshape "
                      "keeps the order of the numbers. Make rows of the filters first, then transpose.",
                      mistakes.partly(_reshaped_to_transpose, 0), "conv2d_backward_matmul"),
        Misconception("filters flattened in another order",
                      "The rows of the columns' matrix list channel, kernel row, kernel column. The filters have to "
                      "be flattened in this order, and their gradient has to be put back in it.",
                      mistakes.partly(_filters_by_columns, 0), "conv2d_backward_matmul",
                      also=(mistakes.changed(weight=lambda w, *_: np.ascontiguousarray(w).reshape(
                          w.shape[0], *w.shape[:0:-1]).transpose(0, 3, 2, 1)),)),
    )
    hints = (
        "For each of the three matrices in Y = W X: which shape has its gradient? Only one way of multiplying "
        "the other two has that shape.",
        "The gradient of W is G times X transposed, summed over the samples; the gradient of X is W transposed times "
        "G, and col2im brings it back. For col2im, loop over the positions, or over the taps of the kernel, and add.",
        "G is grad_out.reshape(N, K, -1); np.swapaxes(columns, 1, 2) transposes each sample's matrix; "
        "weight.reshape(K, -1).T @ G has the shape that col2im takes. In col2im, reshape the columns to "
        "(N, C, KH, KW, OH, OW) first: [..., i, j] is then added to one window of a padded array of zeros.",
    )
