"""The layer without sharing: local like a convolution, with filters of its own at every position."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.exercises import words
from autograder.exercises.parameter_sharing.common import NOTEBOOK
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F

LOOPS = Written("""
    def locally_connected(x, weight, bias, stride, padding):
        OH, OW, K, C, KH, KW = weight.shape
        around = ((0, 0), (0, 0), (padding, padding), (padding, padding))
        padded = np.pad(x, around)
        out = np.zeros((len(x), K, OH, OW), x.dtype)
        for i, j in np.ndindex(OH, OW):
            top, left = i * stride, j * stride
            window = padded[:, :, top : top + KH, left : left + KW]
            out[:, :, i, j] = np.tensordot(window, weight[i, j], ((1, 2, 3), (1, 2, 3))) + bias[:, i, j]
        return out
    """)


def _filters(at_position: str) -> Written:
    """Other filters at position (i, j)."""
    return LOOPS.edited({"weight[i, j]": at_position})


def _bias(at_position: str) -> Written:
    """Something else added at position (i, j)."""
    return LOOPS.edited({"bias[:, i, j]": at_position})


def _window_at(place: str) -> Written:
    """The window of position (i, j) starts elsewhere."""
    return LOOPS.edited({"i * stride, j * stride": place})


def _padded(each: str) -> Written:
    """Other numbers of zeros before and after each axis of the picture."""
    return LOOPS.edited({"(padding, padding), (padding, padding)": f"{each}, {each}"})


@exercise("locally_connected", notebook=NOTEBOOK, points=3)
class LocallyConnected:
    """A locally connected layer: filters of its own, and a bias of its own, at each position.

    x has shape (N, C, H, W), weight (OH, OW, K, C, KH, KW), bias (K, OH, OW); stride and padding are whole numbers.
    Return an array of shape (N, K, OH, OW): entry (n, k, i, j) is the dot product of filter weight[i, j, k] with the
    window of padded sample n at row i * stride and column j * stride, plus bias[k, i, j].
    """

    def locally_connected(x, weight, bias, stride, padding):
        return F.locally_connected2d(x, weight, bias, stride=stride, padding=padding)

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
                      _filters("weight[0, 0]"),
                      also=(_filters("weight[0, 0]").edited({"bias[:, i, j]": "bias[:, 0, 0]"}),)),
        Misconception("the same filters along a row",
                      "The filters change with the column of the position as well.", _filters("weight[i, 0]")),
        Misconception("the same filters down a column",
                      "The filters change with the row of the position as well.", _filters("weight[0, j]")),
        Misconception("filters averaged over the positions",
                      "No position knows the filters of another one: nothing is averaged.",
                      _filters("weight.mean(axis=(0, 1))")),
        Misconception("the same bias at every position",
                      "The biases are not shared either: bias[k, i, j] belongs to filter k at position (i, j).",
                      _bias("bias[:, 0, 0]")),
        Misconception("rows and columns of the bias swapped",
                      "bias[k, i, j] belongs to row i and column j of the output, in this order.",
                      _bias("bias[:, j, i]")),
        Misconception(*words.BIAS_FORGOTTEN, _bias("0"), detail="At each position it is another one: bias[k, i, j]."),
        Misconception(*words.BIAS_PER_CHANNEL, _bias("C * bias[:, i, j]")),
        Misconception(*words.POSITIONS_SWAPPED, _filters("weight[j, i]"),
                      detail="weight[i, j] holds the filters of row i and column j of the output, in this order."),
        Misconception("the same filter for every map",
                      "At one position, each feature map has its own filter: output k uses weight[i, j, k].",
                      _filters("weight[i, j, :1].repeat(K, axis=0)")),
        Misconception(*words.FIRST_CHANNEL, LOOPS.given("x, weight = x[:, :1], weight[:, :, :, :1]"),
                      detail="The filter spans the full depth: the dot product runs over all channels of the window."),
        Misconception(*words.LAST_CHANNEL, LOOPS.given("x, weight = x[:, -1:], weight[:, :, :, -1:]")),
        Misconception(*words.BIAS_PER_WEIGHT, _bias("C * KH * KW * bias[:, i, j]")),
        Misconception(*words.SAMPLES_SUMMED, LOOPS.edited({"dot(window,": "dot(window.sum(axis=0, keepdims=True),"}),
                      detail="The sum runs over channels, rows and columns of the window."),
        Misconception(*words.KERNEL_TRANSPOSED, _filters("weight[i, j].swapaxes(2, 3)")),
        Misconception(*words.STRIDE_ALONG_ONE_AXIS, _window_at("i * stride, j"), also=(_window_at("i, j * stride"),)),
        Misconception(*words.EDGE_VALUES, LOOPS.edited({"np.pad(x, around)": "np.pad(x, around, mode='edge')"})),
        Misconception(*words.PADDING_ON_ONE_SIDE, _padded("(0, 2 * padding)"), also=(_padded("(2 * padding, 0)"),)),
        Misconception(*words.FLIPPED, LOOPS.given("weight = weight[..., ::-1, ::-1]")),
        Misconception(*words.STRIDE_NOT_IN_POSITION, _window_at("i, j"),
                      detail="The filters, weight[i, j], are right."),
        Misconception(*words.PADDING_IGNORED, LOOPS.given("padding = 0"), detail="Add the zeros before you slide."),
        Misconception(*words.MEAN_INSTEAD_OF_SUM, LOOPS.edited({" + bias": " / (C * KH * KW) + bias"})),
        Misconception(*words.FIRST_SAMPLE, LOOPS.ending("out[1:] = 0"),
                      also=(LOOPS.given("x = x[:1].repeat(len(x), axis=0)"),)),
    )
    hints = (
        "Take conv2d_forward of notebook 1. Where in it do the weights come from, and what is different here?",
        "Four loops, over samples, filters, rows and columns of the output. The window is the same as in a "
        "convolution; the filter depends on the position.",
        "Rows and columns of the output are weight.shape[:2]. Inside of the loops multiply the window of the padded "
        "sample by weight[i, j, k] entry by entry, sum up, add bias[k, i, j].",
    )
