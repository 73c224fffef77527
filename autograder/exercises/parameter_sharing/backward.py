"""The gradients of a convolution, written as they are defined."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.exercises import words
from autograder.exercises.parameter_sharing import forms
from autograder.exercises.parameter_sharing.common import NOTEBOOK
from autograder.exercises.parameter_sharing.forms import INTO_BIAS, INTO_WEIGHT, INTO_X, LOOPS, TO_WEIGHT, TO_X
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F


def backward_cases(rng: np.random.Generator, answer: str) -> Iterator[Case]:
    """Calls of a backward pass with stride and padding."""
    def draw(x: tuple[int, ...], weight: tuple[int, int, int], stride: int, padding: int) -> list[Any]:
        filters, *kernel = weight
        rows, columns = ((size + 2 * padding - k) // stride + 1 for size, k in zip(x[2:], kernel, strict=True))
        shapes = (x[0], filters, rows, columns), x, (filters, x[1], *kernel)
        return [rng.standard_normal(shape) for shape in shapes]

    def case(name: str, x: tuple[int, ...], weight: tuple[int, int, int], stride: int, padding: int) -> Case:
        return Case(name, (*draw(x, weight, stride, padding), stride, padding), answer)

    channels, filters = (int(n) for n in rng.permutation([2, 3]))
    yield case("one channel, one filter", (1, 1, 4, 4), (1, 3, 3), 1, 0)
    yield case("several channels and filters", (1, channels, 4, 4), (filters, 3, 3), 1, 0)
    yield case("two samples", (2, 2, 4, 4), (3, 3, 3), 1, 0)
    yield case("padding 1", (1, 2, 4, 4), (3, 3, 3), 1, 1)
    yield case("padding 2, as many filters as channels", (1, 2, 3, 3), (2, 3, 3), 1, 2)
    yield case("stride 2", (1, 2, 5, 5), (3, 3, 3), 2, 0)
    yield case("windows side by side", (1, 2, 6, 4), (3, 2, 2), 2, 0)
    yield case("a stride larger than the kernel", (1, 2, 8, 5), (3, 2, 2), 3, 0)
    yield case("taller than wide, stride 2, padding 1", (2, 3, 7, 5), (2, 3, 3), 2, 1)
    yield case("wider than tall", (2, 1, 4, 6), (2, 3, 3), 1, 0)
    yield case("a kernel taller than wide", (1, 2, 6, 5), (3, 4, 2), 1, 0)
    yield case("a kernel wider than tall, stride 2, padding 1", (2, 2, 4, 7), (1, 2, 3), 2, 1)
    yield case("an even kernel, stride 3, padding 2", (3, 1, 4, 7), (2, 2, 2), 3, 2)
    yield case("rows and columns that no window reads", (1, 2, 6, 8), (3, 3, 3), 2, 0)
    yield case("rows that no window reads, padding 1", (2, 1, 7, 6), (2, 2, 3), 3, 1)
    yield case("a 1x1 kernel, stride 2", (2, 3, 5, 4), (2, 1, 1), 2, 0)
    yield case("a window as large as the input", (2, 2, 3, 4), (3, 3, 4), 1, 0)
    arrays = [array.astype(np.float32) for array in draw((2, 2, 5, 4), (3, 3, 3), 1, 1)]
    yield Case("single precision", (*arrays, 1, 1), answer)
    arrays = [np.repeat(array, 2, axis=3)[..., ::2] for array in draw((2, 2, 4, 6), (3, 3, 2), 2, 1)]
    yield Case("strided memory", (*arrays, 2, 1), answer)
    arrays = [np.asfortranarray(array) for array in draw((2, 3, 4, 5), (2, 3, 2), 1, 0)]
    yield Case("Fortran order", (*arrays, 1, 0), answer)


WINDOW_INTO_X = {f"{INTO_X} += {TO_X}": f"{INTO_X} += {TO_WEIGHT}"}
FILTER_INTO_WEIGHT = {f"{INTO_WEIGHT} += {TO_WEIGHT}": f"{INTO_WEIGHT} += {TO_X}"}


def _set(*places: str) -> Written:
    """What is added in these places replaces what was there before."""
    return LOOPS.edited({f"{place} +=": f"{place} =" for place in places})


@exercise("conv2d_backward", notebook=NOTEBOOK, points=6)
class Conv2dBackward:
    """The gradients of a convolutional layer.

    grad_out (N, K, OH, OW) is the gradient of the loss with respect to the layer's output; x (N, C, H, W), weight
    (K, C, KH, KW), stride and padding are what the layer was called with. Return three arrays: grad_x with the shape
    of x, grad_weight with the shape of weight, and grad_bias of shape (K,). Where the stride does not divide evenly,
    the last rows and columns of x are read by no window; their gradient is zero.
    """

    def conv2d_backward(grad_out, x, weight, stride, padding):
        return F.conv2d_backward(grad_out, x, weight, stride=stride, padding=padding)

    returns = ("grad_x", "grad_weight", "grad_bias")

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        return backward_cases(rng, "conv2d_backward")

    misconceptions = (
        *forms.of_gradients("conv2d_backward"),
        Misconception("everything overwritten",
                      "Each gradient is a sum of many terms. Here each term replaces the one before it: look at where "
                      "`=` stands and `+=` should.",
                      _set(INTO_X, INTO_WEIGHT, INTO_BIAS), also=(_set(INTO_X, INTO_WEIGHT),)),
        Misconception("gradient of the input overwritten",
                      "An input that lies in several windows gets a contribution from each of them, and from each "
                      "filter. Here each replaces the one before it: look at where `=` stands and `+=` should.",
                      _set(INTO_X),
                      also=(LOOPS.edited({f"{INTO_X} += {TO_X}":
                                          f"{INTO_X} = np.tensordot(grad_out[n, :, i, j], weight, 1)"}),)),
        Misconception("gradient of the weights overwritten",
                      "A filter is used at all positions of all samples; each contributes. Here each replaces the one "
                      "before it: look at where `=` stands and `+=` should.",
                      _set(INTO_WEIGHT), also=(_set(INTO_WEIGHT, INTO_BIAS),)),
        Misconception("gradient of the bias overwritten",
                      "Every output of a map contributes to the gradient of its bias; here only the last one counts.",
                      _set(INTO_BIAS)),
        Misconception("input and weights exchanged",
                      "In a product of a weight and an input, the derivative with respect to the weight is the input, "
                      "and the other way round.",
                      LOOPS.edited(WINDOW_INTO_X | FILTER_INTO_WEIGHT),
                      also=(LOOPS.edited(WINDOW_INTO_X), LOOPS.edited(FILTER_INTO_WEIGHT))),
        Misconception("no room for the padding",
                      "The windows lie in the padded input. The gradient of the weights needs that input, and the "
                      "gradient of the input is collected in an array of its size: in one of the size of x, windows at "
                      "the border come out too small.",
                      LOOPS.edited({TO_WEIGHT: "upstream * x[window]"}),
                      also=(LOOPS.edited({"np.zeros_like(padded)": "np.zeros_like(x)", forms.CROP: "grad_padded"}),)),
        Misconception(*words.PADDING_AFTER_ONLY,
                      LOOPS.edited({"(padding, padding), (padding, padding)": "(0, 2 * padding), (0, 2 * padding)"})),
        Misconception("as many columns as rows",
                      "grad_out has OH rows and OW columns: two numbers. Here one of them seems to be used for both.",
                      LOOPS.edited({"np.ndindex(N, K, OH, OW)": "np.ndindex(N, K, OH, OH)"})),
        Misconception(*words.SQUARE_INPUTS,
                      LOOPS.edited({"np.zeros_like(padded)":
                                    "np.zeros((N, C, H + 2 * padding, H + 2 * padding), x.dtype)",
                                    "padding : padding + W": "padding : padding + H"})),
        Misconception(*words.SQUARE_KERNELS, LOOPS.edited({"KH, KW = weight.shape": "KH, KW = weight.shape; KW = KH"}),
                      also=(LOOPS.edited({"KH, KW = weight.shape": "KH, KW = weight.shape; KH = KW"}),),
                      detail="They are weight.shape[2] and weight.shape[3]."),
    )
    hints = (
        "Think of a single output (n, k, i, j). Which inputs, which weights and which bias made it? Only those get "
        "something of grad_out[n, k, i, j].",
        "The same four loops as forward, with three lines inside. Two of them multiply grad_out[n, k, i, j] by what "
        "the other factor of the dot product was; all three add to what is there already. Work on a padded copy of x "
        "and on a gradient of its size.",
        "Inside of the loops, with `window` the block of the padded sample: grad_weight[k] += upstream * window, "
        "the same block of the padded gradient += upstream * weight[k], grad_bias[k] += upstream. At the end keep "
        "rows padding : padding + H and columns padding : padding + W.",
    )
