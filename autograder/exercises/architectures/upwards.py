"""The way up: transposed convolution, by which generators enlarge."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.exercises import words
from autograder.exercises.architectures.patterns import NOTEBOOK
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F


def _stamped(x, weight, bias, stride):
    """A right answer, of which wrong ones are edits."""
    height, width = x.shape[2:]
    filters, down, right = weight.shape[1:]
    out = np.zeros((len(x), filters, (height - 1) * stride + down, (width - 1) * stride + right))
    for i, j in np.ndindex(height, width):
        stamp = np.einsum("nc,ckrs->nkrs", x[:, :, i, j], weight)
        top, left = i * stride, j * stride
        out[:, :, top:top + down, left:left + right] += stamp
    return out + bias[:, np.newaxis, np.newaxis]


STAMPS = Written.of(_stamped)
_BIASED_STAMP = {"x[:, :, i, j], weight)": "x[:, :, i, j], weight) + bias[:, np.newaxis, np.newaxis]",
                 "return out + bias[:, np.newaxis, np.newaxis]": "return out"}


def _larger(by: str) -> Written:
    """Rows and columns below and to the right that no stamp reaches."""
    return STAMPS.edited({"(height - 1) * stride + down": f"(height - 1) * stride + down + {by}",
                          "(width - 1) * stride + right": f"(width - 1) * stride + right + {by}"})


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
        # The gradient of a convolution's input: its weights, read the other way round.
        rows, columns = ((n - 1) * stride + size for n, size in zip(x.shape[2:], weight.shape[2:], strict=True))
        like = np.zeros((len(x), weight.shape[1], rows, columns), x.dtype)
        return F.conv2d_backward(x, like, weight, stride=stride)[0] + bias[:, np.newaxis, np.newaxis]

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
                      STAMPS.edited({"+= stamp": "= stamp"}),
                      also=(STAMPS.edited({"+= stamp": "= stamp", **_BIASED_STAMP}),)),
        Misconception("bias in every stamp",
                      "The bias is added once to each number of the output, not with each stamp.",
                      STAMPS.edited(_BIASED_STAMP)),
        Misconception(*words.BIAS_PER_CHANNEL, STAMPS.given("bias = len(weight) * bias")),
        Misconception(*words.BIAS_FORGOTTEN, STAMPS.given("bias = 0 * bias")),
        Misconception(*words.BIAS_ALONG_WIDTH, STAMPS.edited({"bias[:, np.newaxis, np.newaxis]": "bias"})),
        Misconception("stamps one pixel apart",
                      "Neighbors in the input are `stride` pixels apart in the output. The output's size is right.",
                      STAMPS.edited({"i * stride, j * stride": "i, j"})),
        Misconception(*words.STRIDE_IGNORED, STAMPS.given("stride = 1"),
                      detail="The stride moves the stamps apart and makes the output larger."),
        Misconception("stamp flipped",
                      "A stamp shows the filter as it is. The flip belongs to the other way of computing this, with "
                      "zeros put between the inputs.", STAMPS.given("weight = weight[:, :, ::-1, ::-1]")),
        Misconception("stamp transposed", "Row r of the filter goes to row r of the stamp.",
                      STAMPS.given("weight = weight.swapaxes(2, 3)")),
        Misconception("channels of the weight swapped",
                      "The first axis of this weight counts input channels, the second one output channels: the other "
                      "way round than in a convolution.", STAMPS.given("weight = weight.swapaxes(0, 1)")),
        Misconception(*words.FIRST_CHANNEL, STAMPS.given("x, weight = x[:, :1], weight[:1]")),
        Misconception(*words.LAST_CHANNEL, STAMPS.given("x, weight = x[:, -1:], weight[-1:]")),
        Misconception(*words.FIRST_SAMPLE, STAMPS.given("x = np.concatenate([x[:1], 0 * x[1:]])"),
                      detail="The others hold the bias only."),
        Misconception("output cut to a multiple of the stride",
                      "The last stamp starts (H - 1) * stride rows down and has all of its rows.",
                      STAMPS.edited({"return out + bias[:, np.newaxis, np.newaxis]":
                                     "return (out + bias[:, np.newaxis, np.newaxis])"
                                     "[:, :, :height * stride, :width * stride]"})),
        Misconception("output too large",
                      "The last stamp begins (H - 1) * stride rows down: below it there is nothing. Here empty rows "
                      "and columns follow.", _larger("stride - 1"), also=(_larger("stride"),)),
        Misconception("an ordinary convolution",
                      "A convolution gathers a block into one number; here one number is spread over a block.",
                      lambda x, w, b, s: F.conv2d(x, w.swapaxes(0, 1), b, stride=s)),
        Misconception(*words.SQUARE_INPUTS,
                      STAMPS.edited({"(width - 1) * stride + right": "(height - 1) * stride + down"})),
    )
    hints = (
        "Begin with one input number and one channel: which block of the output does it change?",
        "Make the output with zeros, in its full size. Loop over the samples, the input's channels, rows and columns; "
        "the stamp is a number times weight[c], for all output channels at once.",
        "out[n, :, i * stride : i * stride + KH, j * stride : j * stride + KW] += x[n, c, i, j] * weight[c], and the "
        "bias at the very end, with the shape (K, 1, 1).",
    )
