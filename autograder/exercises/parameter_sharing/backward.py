"""The gradients of a convolution, written as they are defined."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Any

import numpy as np

from autograder.exercises.parameter_sharing import mistakes
from autograder.exercises.parameter_sharing.counting import NOTEBOOK
from autograder.exercises.parameter_sharing.mistakes import by_loops, changed, cropped, from_other, only, partly
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


def backward_misconceptions(answer: str) -> Iterator[Misconception]:
    """Mistakes of any backward pass, whether it uses loops or matrix products."""
    def named(name: str, explanation: str, *wrong: mistakes.Backward) -> Misconception:
        return Misconception(name, explanation, wrong[0], answer, also=wrong[1:])

    ones = from_other(grad_out=np.ones_like)
    yield named("upstream gradient ignored",
                "How strongly the loss depends on an output is in grad_out. All three gradients are sums in which "
                "every term has an entry of grad_out as a factor.",
                ones, partly(ones, 0), partly(ones, 1), partly(ones, 2))
    yield named("gradients in another order",
                "The result is the gradient of the input, then of the weights, then of the bias, in this order.",
                *[lambda *a, order=order: tuple(mistakes.right(*a)[part] for part in order)  # type: ignore[misc]
                  for order in permutations(range(3)) if order != (0, 1, 2)])
    yield named("gradient not cropped",
                "The gradient of the input has the shape of x. What was computed is that of the padded input: the "
                "entries for the zeros around have to be cut off.",
                cropped(lambda whole, p, size: whole))
    yield named("empty without padding",
                "A slice p : -p is empty for p = 0, since -0 is 0 and not the end. Say where the slice ends by "
                "counting from the start.",
                cropped(lambda whole, p, size: whole[:, :, p:-p, p:-p]))
    yield named("cropped at the wrong place",
                "The padding lies on all four sides: the gradient of x is the middle part of the padded one.",
                cropped(lambda whole, p, size: whole[:, :, : size[0], : size[1]]),
                cropped(lambda whole, p, size: whole[:, :, 2 * p :, 2 * p :]))
    yield named("cropped on one side",
                "Padding was added before and after: it has to be cut off at both ends.",
                cropped(lambda whole, p, size: whole[:, :, p:, p:]),
                cropped(lambda whole, p, size: whole[:, :, : whole.shape[2] - p, : whole.shape[3] - p]))
    yield named("rows that no window reads are missing",
                "The gradient of the input has the shape of x. Where the stride does not divide evenly, the last rows "
                "and columns are read by no window: their gradient is zero, but it is there.",
                mistakes.leftovers_dropped)
    yield named("flipped kernel in the gradient of the input",
                "An output used weight[k] as it is, unflipped: what goes back into its window is weight[k] times "
                "an entry of grad_out.",
                partly(from_other(weight=mistakes.flipped), 0))
    yield named("gradient of the weights flipped",
                "The weight at the top left met the top left of each window, so its gradient stands there too.",
                changed(weight=mistakes.flipped))
    yield named("gradient of the weights averaged",
                "Contributions of samples and positions are added. If the loss is a mean over samples, its division "
                "is in grad_out already.",
                changed(weight=lambda w, n, t: w / n), changed(weight=lambda w, n, t: w / t),
                changed(weight=lambda w, n, t: w / n / t))
    yield named("gradient of the bias averaged",
                "The bias is added to every output of its map, in all samples: its gradient is the sum of those "
                "entries of grad_out, not their mean.",
                changed(bias=lambda b, n, t: b / n), changed(bias=lambda b, n, t: b / t),
                changed(bias=lambda b, n, t: b / n / t))
    yield named("weights and bias averaged",
                "A sum over samples and positions is wanted, for the weights and for the bias. If the loss is a mean, "
                "its division is in grad_out already.",
                changed(weight=lambda w, n, t: w / n, bias=lambda b, n, t: b / n),
                changed(weight=lambda w, n, t: w / n / t, bias=lambda b, n, t: b / n / t))
    yield named("all gradients averaged",
                "Nothing is divided here, not even by the number of samples. If the loss is a mean, its division is "
                "in grad_out already.",
                changed(*[lambda gradient, n, t: gradient / n] * 3))
    yield named("gradient of the bias not summed over samples",
                "All samples use the same bias: one number for each filter remains, of shape (K,).",
                mistakes.bias_summed(2, 3))
    yield named("gradient of the bias summed over samples only",
                "The bias of a filter is added at every position: its gradient sums over rows and columns, too.",
                mistakes.bias_summed(0))
    yield named("one gradient for all biases",
                "Each filter has its own bias; its gradient sums the entries of its own map.",
                mistakes.bias_summed(0, 1, 2, 3),
                lambda g, *rest: (*mistakes.right(g, *rest)[:2], np.full(g.shape[1], g.sum(), g.dtype)))
    yield named("gradient of the bias along the wrong axis",
                "The filters are the second axis of grad_out: sum over all axes but this one.",
                mistakes.bias_summed(1, 2, 3), mistakes.bias_summed(0, 1, 2), mistakes.bias_summed(0, 1, 3))
    yield named("only the last sample counts",
                "All samples share the weights: their contributions are added. Here each sample replaces the one "
                "before it.",
                *_of_one_sample(-1))
    yield named("only the first sample counts",
                "All samples of the batch contribute to the gradients of weights and bias, and each has a gradient of "
                "its own with respect to its input.",
                *_of_one_sample(0), changed(x=only(0, 0)))
    yield named("only one filter in the gradient of the input",
                "Every filter has looked at the input: what they send back is added over all filters.",
                partly(from_other(grad_out=only(1, -1)), 0), partly(from_other(grad_out=only(1, 0)), 0))
    yield named("only the first channel",
                "Windows and filters run through all channels, and so do their gradients.",
                changed(x=only(1, 0), weight=only(1, 0)), changed(x=only(1, 0)), changed(weight=only(1, 0)))
    yield named("filters summed in the gradient of the weights",
                "Sharing goes on within one feature map: each filter keeps a gradient of its own.",
                changed(weight=lambda w, *_: np.array(np.broadcast_to(w.sum(axis=0), w.shape))),
                changed(weight=lambda w, *_: w.sum(axis=0)))
    yield named("all windows from the first sample",
                "Output (n, k, i, j) looked at the window of sample n: that window belongs into the gradient of the "
                "weights.",
                partly(from_other(x=mistakes.first_everywhere(0)), 1))
    yield named("all samples sent back into the first",
                "What an output of sample n sends back goes into the input of sample n.",
                changed(x=mistakes.all_in_the_first))
    yield named("the first filter for all outputs",
                "An output of map k used filter k, and that filter goes back into its window.",
                partly(from_other(weight=mistakes.first_everywhere(0)), 0))
    yield named("all filters' gradients in the first",
                "Each filter has a gradient of its own: what map k contributes belongs to filter k.",
                changed(weight=mistakes.all_in_the_first))
    yield named("the first channel for all channels",
                "Channel c of a filter has met channel c of the window.",
                partly(from_other(x=mistakes.first_everywhere(1)), 1))
    yield named("filters and channels exchanged",
                "The gradient of the weights is laid out as the weights: filters first, then channels.",
                changed(weight=lambda w, *_: w.swapaxes(0, 1)))
    yield named("rows and columns of the kernel exchanged",
                "Row u of the filter meets row u of the window. Here rows and columns are exchanged.",
                changed(weight=lambda w, *_: w.swapaxes(2, 3)))
    yield named("stride ignored",
                "Output (i, j) belongs to the window at row i * stride and column j * stride, in the gradient of the "
                "input and in that of the weights.",
                mistakes.stride_missing)
    yield named("stride missing in the gradient of the input",
                "The gradient of the weights is right. But what output (i, j) sends back goes into the window at row "
                "i * stride and column j * stride.",
                partly(mistakes.stride_missing, 0))
    yield named("stride missing in the gradient of the weights",
                "The gradient of the input is right. But output (i, j) has looked at the window at row i * stride and "
                "column j * stride.",
                partly(mistakes.stride_missing, 1))


def _of_one_sample(index: int) -> tuple[mistakes.Backward, ...]:
    alone = from_other(grad_out=only(0, index))
    return partly(alone, 1, 2), partly(alone, 1), partly(alone, 2), alone


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
        *backward_misconceptions("conv2d_backward"),
        Misconception("everything overwritten",
                      "Each gradient is a sum of many terms. Here each term replaces the one before it: look at where "
                      "`=` stands and `+=` should.",
                      by_loops("set", "set", "set"), also=(by_loops("set", "set"),)),
        Misconception("gradient of the input overwritten",
                      "An input that lies in several windows gets a contribution from each of them, and from each "
                      "filter. Here each replaces the one before it: look at where `=` stands and `+=` should.",
                      by_loops(into_x="set"), also=(by_loops(into_x="windows"),)),
        Misconception("gradient of the weights overwritten",
                      "A filter is used at all positions of all samples; each contributes. Here each replaces the one "
                      "before it: look at where `=` stands and `+=` should.",
                      by_loops(into_weight="set"), also=(by_loops(into_weight="set", into_bias="set"),)),
        Misconception("gradient of the bias overwritten",
                      "Every output of a map contributes to the gradient of its bias; here only the last one counts.",
                      by_loops(into_bias="set")),
        Misconception("input and weights exchanged",
                      "In a product of a weight and an input, the derivative with respect to the weight is the input, "
                      "and the other way round.",
                      mistakes.exchanged, also=(partly(mistakes.exchanged, 0), partly(mistakes.exchanged, 1))),
        Misconception("no room for the padding",
                      "The windows lie in the padded input. The gradient of the weights needs that input, and the "
                      "gradient of the input is collected in an array of its size: in one of the size of x, windows at "
                      "the border come out too small.",
                      mistakes.input_not_padded, also=(mistakes.gradient_not_padded,)),
        Misconception("padding after only",
                      "The zeros were on all four sides of the picture; here they are below and to the right only.",
                      partly(mistakes.padded_after, 1)),
        Misconception("as many columns as rows",
                      "grad_out has OH rows and OW columns: two numbers. Here one of them seems to be used for both.",
                      mistakes.square_outputs),
        Misconception("only square inputs",
                      "The input has a height and a width. Here one of them seems to be used for both.",
                      mistakes.square_inputs),
        Misconception("only square kernels",
                      "A kernel has a height and a width, weight.shape[2] and weight.shape[3]. Here one of them seems "
                      "to be used for both.",
                      mistakes.square_kernels),
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
