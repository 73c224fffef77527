"""The way up: transposed convolution, by which generators enlarge."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.exercises.architectures.patterns import NOTEBOOK
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F

Array = np.ndarray


def _stamped(x: Array, weight: Array, bias: Array, stride: int) -> Array:
    """The gradient of a convolution's input: its weights, read the other way round."""
    rows, columns = ((n - 1) * stride + size for n, size in zip(x.shape[2:], weight.shape[2:], strict=True))
    like = np.zeros((len(x), weight.shape[1], rows, columns), x.dtype)
    grad, _, _ = F.conv2d_backward(x, like, weight, stride=stride)
    assert grad is not None
    return grad + bias[:, np.newaxis, np.newaxis]


def _by_stamps(x: Array, weight: Array, bias: Array, stride: int, *, add: bool = True, biased: bool = False,
               step: int | None = None) -> Array:
    """Stamp after stamp, with other habits: overwriting, a bias in every stamp, another distance."""
    distance = stride if step is None else step
    height, width = weight.shape[2:]
    out = np.zeros((len(x), weight.shape[1], (x.shape[2] - 1) * stride + height, (x.shape[3] - 1) * stride + width))
    for i, j in np.ndindex(*x.shape[2:]):
        stamp = np.einsum("nc,ckrs->nkrs", x[:, :, i, j], weight)
        if biased:
            stamp = stamp + bias[:, np.newaxis, np.newaxis]
        place = (..., slice(i * distance, i * distance + height), slice(j * distance, j * distance + width))
        out[place] = out[place] + stamp if add else stamp
    return out if biased else out + bias[:, np.newaxis, np.newaxis]


def _only_square(x: Array, weight: Array, bias: Array, stride: int) -> Array:
    right = _stamped(x, weight, bias, stride)
    side = (x.shape[2] - 1) * stride + weight.shape[2]
    if side < right.shape[3]:
        raise ValueError("operands could not be broadcast together")
    return np.pad(right, ((0, 0), (0, 0), (0, 0), (0, side - right.shape[3])))


def _cropped(x: Array, weight: Array, bias: Array, stride: int) -> Array:
    return _stamped(x, weight, bias, stride)[:, :, :x.shape[2] * stride, :x.shape[3] * stride]


def _stamped_larger(x: Array, weight: Array, bias: Array, stride: int, more: int) -> Array:
    """Rows and columns below and to the right that no stamp reaches."""
    around = ((0, 0), (0, 0), (0, more), (0, more))
    return np.pad(_stamped(x, weight, np.zeros_like(bias), stride), around) + bias[:, np.newaxis, np.newaxis]


def _convolved(x: Array, weight: Array, bias: Array, stride: int) -> Array:
    """An ordinary convolution instead."""
    if x.shape[2] < weight.shape[2] or x.shape[3] < weight.shape[3]:
        raise ValueError("negative dimensions are not allowed")
    return F.conv2d(x, weight.swapaxes(0, 1), bias, stride=stride)


def _axes_swapped(x: Array, weight: Array, bias: Array, stride: int) -> Array:
    """Weights read as in a convolution: NumPy complains unless there are as many channels out as in."""
    if weight.shape[0] != weight.shape[1]:
        raise ValueError("operands could not be broadcast together")
    return _stamped(x, weight.swapaxes(0, 1), bias, stride)


def _draw(rng: np.random.Generator, x: tuple[int, ...], weight: tuple[int, int, int], stride: int) -> tuple:
    filters, rows, columns = weight
    return (rng.standard_normal(x), rng.standard_normal((x[1], filters, rows, columns)),
            rng.permutation(filters) + rng.uniform(0.5, 1.0, filters), stride)


@exercise("transposed_conv2d", notebook=NOTEBOOK, points=3)
class TransposedConv2d:
    """A transposed convolution: every input number puts a stamp of the filter's size into a larger output.

    `x` has shape (N, C, H, W), `weight` (C, K, KH, KW) with the input's channels first, `bias` (K,). The number
    x[n, c, i, j] times weight[c] is added to the output of sample n, from row i * stride and column j * stride on;
    where stamps overlap, they add up. The output has (H - 1) * stride + KH rows, columns likewise, and bias[k] is
    added once to each number of channel k.
    """

    def transposed_conv2d(x, weight, bias, stride):
        return _stamped(x, weight, bias, stride)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        yield Case("one stamp", _draw(rng, (1, 1, 1, 1), (1, 3, 3), 1))
        yield Case("stamps side by side", _draw(rng, (1, 1, 3, 3), (1, 2, 2), 2))
        yield Case("overlapping stamps", _draw(rng, (1, 1, 4, 4), (1, 3, 3), 1))
        yield Case("overlapping stamps, stride 2", _draw(rng, (1, 1, 3, 3), (1, 3, 3), 2))
        yield Case("several channels in and out", _draw(rng, (1, 3, 3, 3), (2, 3, 3), 2))
        yield Case("as many channels out as in", _draw(rng, (1, 2, 3, 4), (2, 3, 3), 2))
        yield Case("two samples, taller than wide", _draw(rng, (2, 2, 5, 2), (3, 3, 3), 2))
        yield Case("a kernel wider than tall", _draw(rng, (1, 2, 3, 4), (2, 2, 4), 2))
        yield Case("a kernel taller than wide, wider than tall", _draw(rng, (2, 2, 2, 5), (2, 4, 3), 1))
        yield Case("gaps between the stamps", _draw(rng, (1, 2, 3, 2), (2, 2, 2), 3))
        yield Case("DCGAN's 4x4 with stride 2", _draw(rng, (1, 4, 4, 4), (3, 4, 4), 2))
        x, weight, bias, stride = _draw(rng, (1, 2, 4, 3), (2, 3, 3), 2)
        yield Case("single precision", (*(a.astype(np.float32) for a in (x, weight, bias)), stride))
        x, weight, bias, stride = _draw(rng, (2, 2, 3, 8), (2, 3, 2), 2)
        yield Case("strided memory", (x[..., ::2], weight, bias, stride))
        x, weight, bias, stride = _draw(rng, (2, 3, 3, 2), (2, 2, 3), 1)
        yield Case("Fortran order", (np.asfortranarray(x), np.asfortranarray(weight), bias, stride))

    misconceptions = (
        Misconception("overlaps overwritten",
                      "Where stamps overlap they add up. Look at where `=` stands and `+=` should.",
                      lambda x, w, b, s: _by_stamps(x, w, b, s, add=False),
                      also=(lambda x, w, b, s: _by_stamps(x, w, b, s, add=False, biased=True),)),
        Misconception("bias in every stamp",
                      "The bias is added once to each number of the output, not with each stamp.",
                      lambda x, w, b, s: _by_stamps(x, w, b, s, biased=True)),
        Misconception("bias once per channel", "The bias is added once, after the stamps of all channels.",
                      lambda x, w, b, s: _stamped(x, w, b * b.dtype.type(len(w)), s)),
        Misconception("bias forgotten", "Each channel of the output has a bias.",
                      lambda x, w, b, s: _stamped(x, w, np.zeros_like(b), s)),
        Misconception("bias added along the width",
                      "A bias of shape (K,) meets the columns; it needs the shape (K, 1, 1).",
                      lambda x, w, b, s: _stamped(x, w, np.zeros_like(b), s) + b),
        Misconception("stamps one pixel apart",
                      "Neighbors in the input are `stride` pixels apart in the output. The output's size is right.",
                      lambda x, w, b, s: _by_stamps(x, w, b, s, step=1)),
        Misconception("stride ignored", "The stride moves the stamps apart and makes the output larger.",
                      lambda x, w, b, s: _stamped(x, w, b, 1)),
        Misconception("kernel flipped",
                      "A stamp shows the filter as it is. The flip belongs to the other way of computing this, with "
                      "zeros put between the inputs.",
                      lambda x, w, b, s: _stamped(x, w[:, :, ::-1, ::-1], b, s)),
        Misconception("kernel transposed", "Row r of the filter goes to row r of the stamp.",
                      lambda x, w, b, s: _stamped(x, w.swapaxes(2, 3), b, s)),
        Misconception("channels of the weight swapped",
                      "The first axis of this weight counts input channels, the second one output channels: the "
                      "other way round than in a convolution.",
                      _axes_swapped),
        Misconception("only the first channel", "Each input channel has stamps of its own, and all are added.",
                      lambda x, w, b, s: _stamped(x[:, :1], w[:1], b, s)),
        Misconception("only the last channel counts", "The stamps of all channels are added: look for `=` and `+=`.",
                      lambda x, w, b, s: _stamped(x[:, -1:], w[-1:], b, s)),
        Misconception("only the first sample",
                      "Every sample of the batch is enlarged; here the others hold the bias only.",
                      lambda x, w, b, s: _stamped(
                          np.concatenate([x[:1], np.zeros_like(x[1:])]), w, b, s)),
        Misconception("output cut to a multiple of the stride",
                      "The last stamp starts (H - 1) * stride rows down and has all of its rows.", _cropped),
        Misconception("output too large",
                      "The last stamp begins (H - 1) * stride rows down: below it there is nothing. Here empty rows "
                      "and columns follow.",
                      lambda x, w, b, s: _stamped_larger(x, w, b, s, s - 1),
                      also=(lambda x, w, b, s: _stamped_larger(x, w, b, s, s),)),
        Misconception("an ordinary convolution",
                      "A convolution gathers a block into one number; here one number is spread over a block.",
                      _convolved),
        Misconception("only square inputs", "Height and width are two numbers, in the picture and in the kernel.",
                      _only_square),
    )
    hints = (
        "Begin with one input number and one channel: which block of the output does it change?",
        "Make the output with zeros, in its full size. Loop over the samples, the input's channels, rows and columns; "
        "the stamp is a number times weight[c], for all output channels at once.",
        "out[n, :, i * stride : i * stride + KH, j * stride : j * stride + KW] += x[n, c, i, j] * weight[c], and the "
        "bias at the very end, with the shape (K, 1, 1).",
    )
