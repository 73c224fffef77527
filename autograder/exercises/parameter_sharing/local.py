"""The layer without sharing: local like a convolution, with filters of its own at every position."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.exercises.parameter_sharing.counting import NOTEBOOK
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F

Array = np.ndarray


def _layer(x: Array, weight: Array, bias: Array, stride: int, padding: int) -> Array:
    return F.locally_connected2d(x, weight, bias, stride=stride, padding=padding)


def _with(weight: Callable[[Array], Array] = np.asarray, bias: Callable[[Array], Array] = np.asarray) -> Any:
    """The layer with other weights or biases than those given."""
    return lambda x, w, b, s, p: _layer(x, weight(w), bias(b), s, p)


def _everywhere(array: Array, *where: Any) -> Array:
    """What stands at one place, repeated at all places."""
    return np.array(np.broadcast_to(array[where], array.shape))


def _positions_swapped(weight: Array) -> Array:
    """weight[j, i] at position (i, j); an index out of range where the output is taller than wide."""
    rows, columns = weight.shape[:2]
    if rows != columns:
        raise IndexError("index is out of bounds")
    return weight.swapaxes(0, 1)


def _bias_turned(x: Array, w: Array, b: Array, s: int, p: int) -> Array:
    if b.shape[1] != b.shape[2]:
        raise ValueError("operands could not be broadcast together")
    return _layer(x, w, b.swapaxes(1, 2), s, p)


def _without_padding(x: Array, w: Array, b: Array, s: int, p: int) -> Array:
    """Windows taken from the bare picture, as far as it reaches."""
    if p:
        raise ValueError("operands could not be broadcast together")
    return _layer(x, w, b, s, p)


def _positions_without_stride(x: Array, w: Array, b: Array, s: int, p: int) -> Array:
    """The output has the right size, but its windows lie one input apart."""
    rows, columns = w.shape[:2]
    reach = (rows + w.shape[4] - 1, columns + w.shape[5] - 1)
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    return F.locally_connected2d(padded[:, :, : reach[0], : reach[1]], w, b)


def _windows_at(down: int | None = None, across: int | None = None) -> Any:
    """The layer with another stride along one of the axes."""
    def layer(x: Array, w: Array, b: Array, s: int, p: int) -> Array:
        padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        out = np.zeros((len(x), w.shape[2], *w.shape[:2]), x.dtype)
        for i, j in np.ndindex(*w.shape[:2]):
            top, left = i * (down or s), j * (across or s)
            window = padded[:, :, top : top + w.shape[4], left : left + w.shape[5]]
            out[:, :, i, j] = np.tensordot(window, w[i, j], ((1, 2, 3), (1, 2, 3))) + b[:, i, j]
        return out
    return layer


def _kernel_turned(weight: Array) -> Array:
    if weight.shape[4] != weight.shape[5]:
        raise ValueError("operands could not be broadcast together")
    return weight.swapaxes(4, 5)


def _padded_otherwise(before: int, after: int, mode: Any = "constant") -> Any:
    """The layer on an input that is padded in another way: so many times the padding before and after."""
    return lambda x, w, b, s, p: _layer(
        np.pad(x, ((0, 0), (0, 0), (before * p, after * p), (before * p, after * p)), mode), w, b, s, 0)


def _first_sample_only(x: Array, w: Array, b: Array, s: int, p: int) -> Array:
    out = _layer(x, w, b, s, p)
    out[1:] = 0
    return out


@exercise("locally_connected", notebook=NOTEBOOK, points=3)
class LocallyConnected:
    """A locally connected layer: filters of its own, and a bias of its own, at each position.

    x has shape (N, C, H, W), weight (OH, OW, K, C, KH, KW), bias (K, OH, OW); stride and padding are whole numbers.
    Return an array of shape (N, K, OH, OW): entry (n, k, i, j) is the dot product of filter weight[i, j, k] with the
    window of padded sample n at row i * stride and column j * stride, plus bias[k, i, j].
    """

    def locally_connected(x, weight, bias, stride, padding):
        return _layer(x, weight, bias, stride, padding)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def draw(x: tuple[int, ...], weight: tuple[int, int, int], stride: int, padding: int) -> tuple[Any, ...]:
            filters, *kernel = weight
            rows, columns = ((size + 2 * padding - k) // stride + 1 for size, k in zip(x[2:], kernel, strict=True))
            return (rng.standard_normal(x), rng.standard_normal((rows, columns, filters, x[1], *kernel)),
                    3 * rng.standard_normal((filters, rows, columns)), stride, padding)

        def case(name: str, *settings: Any) -> Case:
            return Case(name, draw(*settings))

        yield case("one channel, one filter", (1, 1, 4, 4), (1, 2, 2), 1, 0)
        yield case("several channels and filters", (1, 3, 4, 4), (2, 3, 3), 1, 0)
        yield case("two samples", (2, 2, 4, 4), (3, 3, 3), 1, 0)
        yield case("padding 1", (1, 2, 3, 3), (2, 3, 3), 1, 1)
        yield case("stride 2", (1, 2, 5, 5), (3, 3, 3), 2, 0)
        yield case("taller than wide", (2, 2, 6, 4), (3, 3, 3), 1, 0)
        yield case("wider than tall, stride 2, padding 1", (2, 3, 4, 7), (2, 3, 3), 2, 1)
        yield case("a kernel taller than wide", (1, 2, 5, 4), (2, 4, 2), 1, 0)
        yield case("an even kernel, padding 2", (1, 1, 2, 3), (2, 2, 2), 1, 2)
        yield case("a stride larger than the kernel", (1, 2, 8, 5), (2, 2, 2), 3, 0)
        yield case("a stride that does not divide evenly", (1, 2, 6, 7), (2, 3, 2), 2, 0)
        yield case("one position: a fully connected layer", (2, 2, 3, 4), (3, 3, 4), 1, 0)
        x, weight, bias, *rest = draw((2, 2, 5, 4), (2, 3, 2), 1, 1)
        yield Case("single precision", (*(a.astype(np.float32) for a in (x, weight, bias)), *rest))
        x, weight, bias, *rest = draw((2, 2, 4, 5), (2, 2, 3), 1, 0)
        yield Case("Fortran order", (np.asfortranarray(x), np.asfortranarray(weight), bias, *rest))
        x, weight, bias, *rest = draw((1, 2, 4, 5), (2, 2, 3), 2, 1)
        yield Case("strided memory", (x.repeat(2, axis=3)[..., ::2], weight, bias.repeat(2, axis=2)[..., ::2], *rest))

    misconceptions = (
        Misconception("the same filters at every position",
                      "This is a convolution: one filter slides over all positions. Here position (i, j) has filters "
                      "of its own, weight[i, j].",
                      _with(weight=lambda w: _everywhere(w, 0, 0)),
                      also=(lambda x, w, b, s, p: F.conv2d(x, w[0, 0], b[:, 0, 0], stride=s, padding=p),)),
        Misconception("the same filters along a row",
                      "The filters change with the column of the position as well.",
                      _with(weight=lambda w: np.array(np.broadcast_to(w[:, :1], w.shape)))),
        Misconception("the same filters down a column",
                      "The filters change with the row of the position as well.",
                      _with(weight=lambda w: np.array(np.broadcast_to(w[:1], w.shape)))),
        Misconception("filters averaged over the positions",
                      "No position knows the filters of another one: nothing is averaged.",
                      _with(weight=lambda w: np.array(np.broadcast_to(w.mean(axis=(0, 1)), w.shape)))),
        Misconception("the same bias at every position",
                      "The biases are not shared either: bias[k, i, j] belongs to filter k at position (i, j).",
                      _with(bias=lambda b: np.array(np.broadcast_to(b[:, :1, :1], b.shape)))),
        Misconception("rows and columns of the bias swapped",
                      "bias[k, i, j] belongs to row i and column j of the output, in this order.",
                      _bias_turned),
        Misconception("bias forgotten", "To every dot product a bias is added, bias[k, i, j].",
                      _with(bias=np.zeros_like)),
        Misconception("bias added once per channel", "The bias is added once, after the sum over the channels.",
                      lambda x, w, b, s, p: _layer(x, w, b * b.dtype.type(x.shape[1]), s, p)),
        Misconception("rows and columns of positions swapped",
                      "weight[i, j] holds the filters of row i and column j of the output, in this order.",
                      _with(weight=_positions_swapped)),
        Misconception("the same filter for every map",
                      "At one position, each feature map has its own filter: output k uses weight[i, j, k].",
                      _with(weight=lambda w: np.array(np.broadcast_to(w[:, :, :1], w.shape)))),
        Misconception("only the first channel",
                      "The filter spans the full depth: the dot product runs over all channels of the window.",
                      lambda x, w, b, s, p: _layer(x[:, :1], w[:, :, :, :1], b, s, p)),
        Misconception("only the last channel counts",
                      "The contributions of the channels are summed. Here each one replaces what was there before.",
                      lambda x, w, b, s, p: _layer(x[:, -1:], w[:, :, :, -1:], b, s, p)),
        Misconception("bias added once per weight", "The bias is added once, after the sum, not to each product.",
                      lambda x, w, b, s, p: _layer(x, w, b * b.dtype.type(w[0, 0, 0].size), s, p)),
        Misconception("samples summed",
                      "Each sample has an output of its own: the sum runs over channels, rows and columns of the "
                      "window, not over the samples.",
                      lambda x, w, b, s, p: np.repeat(
                          _layer(x, w, 0 * b, s, p).sum(axis=0, keepdims=True), len(x), axis=0) + b),
        Misconception("rows and columns of the kernel exchanged", "Row u of the filter meets row u of the window.",
                      _with(weight=_kernel_turned)),
        Misconception("stride along one axis only",
                      "The window starts at row i * stride and at column j * stride: the stride holds for both axes.",
                      _windows_at(across=1), also=(_windows_at(down=1),)),
        Misconception("edge values in the padding", "The padding is zeros; here the border of the input is repeated.",
                      _padded_otherwise(1, 1, "edge")),
        Misconception("padding on one side", "Half of the padding's zeros lie before the input, the others behind it.",
                      _padded_otherwise(0, 2), also=(_padded_otherwise(2, 0),)),
        Misconception("flipped kernel", "The entry at the top left of a filter meets the top left of the window.",
                      _with(weight=lambda w: w[..., ::-1, ::-1])),
        Misconception("stride missing in the window's position",
                      "weight[i, j] is the right filter, but the window of position (i, j) starts at row i * stride "
                      "and column j * stride of the padded input.",
                      _positions_without_stride),
        Misconception("padding ignored",
                      "The windows are taken from the padded input: add the zeros before you take them.",
                      _without_padding),
        Misconception("mean instead of sum", "A dot product is a sum of products; it is not divided by their number.",
                      lambda x, w, b, s, p: _layer(x, w / w.dtype.type(w[0, 0, 0].size), b, s, p)),
        Misconception("only the first sample",
                      "The layer is applied to every sample of the batch; here all but the first stay zero.",
                      _first_sample_only, also=(lambda x, *rest: _layer(np.repeat(x[:1], len(x), axis=0), *rest),)),
    )
    hints = (
        "Take conv2d_forward of notebook 1. Where in it do the weights come from, and what is different here?",
        "Four loops, over samples, filters, rows and columns of the output. The window is the same as in a "
        "convolution; the filter depends on the position.",
        "Rows and columns of the output are weight.shape[:2]. Inside of the loops multiply the window of the padded "
        "sample by weight[i, j, k] entry by entry, sum up, add bias[k, i, j].",
    )
