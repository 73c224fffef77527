"""What the exercises on layers share: mistakes of every layer, and inputs that bring them to light."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.exercises.local_connectivity import mistakes
from autograder.judging.exercise import Case, Misconception
from cnncourse import functional as F

NOTEBOOK = "01-local-connectivity"

FLIPPED = ("flipped kernel",
           "A convolutional layer does not flip its filter: the entry at the top left of the filter meets the entry at "
           "the top left of the window. What the mathematicians call convolution turns the filter by half a turn "
           "first, as np.convolve and scipy.signal.convolve2d do; this layer is a cross-correlation.")
NO_BIAS = ("bias forgotten", "Every output of filter k is a dot product plus the filter's own bias, bias[k].")
BIAS_ALONG_WIDTH = (
    "bias added along the width",
    "NumPy lines up shapes from the last axis: a bias of shape (K,) added to (N, K, OH, OW) meets the columns, not the "
    "filters. It needs the shape (K, 1, 1).")
BIAS_ALONG_HEIGHT = (
    "bias added along the height",
    "NumPy lines up shapes from the last axis: a bias of shape (K, 1) added to (N, K, OH, OW) meets the rows, not the "
    "filters. It needs one more axis behind, the shape (K, 1, 1).")
ONE_BIAS = ("one bias for all filters",
            "Filter k has a bias of its own, bias[k], and only this one is added to its map.")
BIAS_PER_TAP = ("bias added once per weight",
                "The bias is added once to each output, after the sum. Here it stands inside of the sum: look at the "
                "brackets.")
MANY_BIASES = ("bias added once per channel",
               "The bias belongs to the filter, not to its channels: it is added once to each output, after the sum "
               "over channels.")
FIRST_CHANNEL = ("only the first channel",
                 "The filter spans the full depth: the dot product runs over all channels of the window.")
LAST_CHANNEL = ("only the last channel counts",
                "The contributions of all channels are summed. Here each one replaces what was there before: look at "
                "where `=` stands and `+=` should.")
LAST_PRODUCT = ("only the last product counts",
                "A dot product adds up all products of the window. Here each one replaces the one before: look at "
                "where `=` stands and `+=` should.")
ONE_SAMPLE = ("only the first sample",
              "The layer is applied to every sample of the batch; here only the first one counts.")
ONE_FILTER = ("the same filter for every output",
              "Each feature map has its own filter: output k is computed with weight[k] and bias[k].")


def draw_layer(rng: np.random.Generator, x: tuple[int, ...], weight: tuple[int, int, int]) -> tuple[Any, Any, Any]:
    """Input, weights and biases for filters of (out_channels, height, width); no bias is near zero or like another."""
    filters, rows, columns = weight
    bias = rng.permutation(filters) + rng.uniform(0.5, 1.0, filters)
    return rng.standard_normal(x), rng.standard_normal((filters, x[1], rows, columns)), bias


def layer_cases(rng: np.random.Generator, answer: str) -> Iterator[Case]:
    """Calls of a layer with stride and padding."""
    def case(
        name: str, x: tuple[int, ...], weight: tuple[int, int, int], stride: int, padding: int, **more: Any
    ) -> Case:
        return Case(name, (*draw_layer(rng, x, weight), stride, padding), answer, **more)

    channels, filters = (int(n) for n in rng.integers([2, 2], [5, 5]))
    yield case("one channel, one filter", (1, 1, 5, 5), (1, 3, 3), 1, 0)
    yield case("several channels and filters", (1, channels, 5, 5), (filters, 3, 3), 1, 0)
    yield case("two samples", (2, 2, 5, 5), (3, 3, 3), 1, 0)
    yield case("padding 1", (1, 2, 4, 4), (2, 3, 3), 1, 1)
    yield case("stride 2", (1, 2, 7, 7), (2, 3, 3), 2, 0)
    yield case("taller than wide, stride 2, padding 1", (2, 3, 9, 5), (2, 3, 3), 2, 1)
    yield case("wider than tall, padding 1", (1, 2, 4, 9), (3, 3, 3), 1, 1)
    yield case("a kernel taller than wide", (2, 2, 6, 7), (3, 4, 2), 1, 0)
    yield case("a kernel wider than tall, stride 2", (1, 2, 6, 9), (2, 2, 3), 2, 0)
    yield case("an even kernel, padding 2", (1, 2, 5, 4), (2, 2, 2), 1, 2)
    yield case("a stride larger than the kernel", (1, 2, 8, 11), (2, 2, 2), 3, 0)
    yield case("windows side by side", (1, 3, 6, 4), (2, 2, 2), 2, 0)
    yield case("a 1x1 kernel", (2, 5, 3, 4), (4, 1, 1), 1, 0)
    yield case("a kernel larger than the input without its padding", (1, 2, 2, 3), (2, 3, 4), 1, 1)
    yield case("a window as large as the input", (2, 2, 3, 4), (3, 3, 4), 1, 0)
    x, weight, bias = (array.astype(np.float32) for array in draw_layer(rng, (1, 2, 6, 5), (3, 3, 3)))
    yield Case("single precision", (x, weight, bias, 1, 1), answer)
    x, weight, bias = draw_layer(rng, (2, 2, 5, 12), (2, 3, 3))
    yield Case("strided memory", (x[..., ::2], weight, bias, 1, 1), answer)
    x, weight, bias = draw_layer(rng, (2, 3, 5, 6), (2, 3, 2))
    yield Case("Fortran order", (np.asfortranarray(x), np.asfortranarray(weight), bias, 1, 0), answer)
    yield case("other numbers in the shapes of an earlier case", (2, 3, 9, 5), (2, 3, 3), 2, 1)
    yield case("a stride that does not divide evenly", (1, 2, 6, 8), (2, 3, 3), 2, 0, may_raise=True)


def layer_misconceptions(answer: str) -> Iterator[Misconception]:
    """Mistakes of any layer with stride and padding."""
    def turned(*axes: int) -> mistakes.Layer:
        return lambda x, w, b, s, p: F.conv2d(x, np.flip(w, axes), b, stride=s, padding=p)

    yield Misconception(*FLIPPED, turned(2, 3), answer, also=(turned(1, 2, 3), turned(1, 2), turned(2), turned(3)))
    yield Misconception(*NO_BIAS, lambda x, w, b, s, p: F.conv2d(x, w, stride=s, padding=p), answer)
    yield Misconception(*ONE_BIAS, lambda x, w, b, s, p: F.conv2d(x, w, b[:1].repeat(len(b)), stride=s, padding=p),
                        answer, also=(lambda x, w, b, s, p: F.conv2d(x, w, stride=s, padding=p) + b.sum(),))
    yield Misconception(*ONE_FILTER,
                        lambda x, w, b, s, p: F.conv2d(x, w[:1].repeat(len(w), axis=0), b, stride=s, padding=p),
                        answer, also=(mistakes.first_filter_and_bias, mistakes.filter_of_the_sample))
    yield Misconception("padding ignored", "The window slides over the padded input: add the zeros before you slide.",
                        lambda x, w, b, s, p: F.conv2d(x, w, b, stride=s), answer)
    yield Misconception("edge values instead of zeros",
                        "Zero padding adds zeros around the picture. Here the values of its border are repeated.",
                        mistakes.padded_otherwise(lambda p: (p, p), mode="edge"), answer,
                        also=(mistakes.padded_otherwise(lambda p: (p, p), mode="symmetric"),))
    yield Misconception("stride ignored",
                        "The window moves by the stride, down and to the right: with stride 2 about a quarter of the "
                        "positions remain.",
                        lambda x, w, b, s, p: F.conv2d(x, w, b, padding=p), answer)
