"""The gradient of a shared weight is the sum of the gradients that unshared ones would have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.exercises.parameter_sharing.counting import NOTEBOOK
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F

Array = np.ndarray


def _each(grad_out: Array, x: Array, kernel_size: Any, stride: int, padding: int) -> Array:
    """Gradients of the weights for each sample and position alone, from the layer that does not share them."""
    samples, filters, *positions = grad_out.shape
    weight = np.zeros((*positions, filters, x.shape[1], *kernel_size), x.dtype)
    return np.stack([
        F.locally_connected2d_backward(grad_out[n : n + 1], x[n : n + 1], weight, stride=stride, padding=padding)[1]
        for n in range(samples)
    ])


def _windows_without_stride(grad_out: Array, x: Array, kernel_size: Any, stride: int, padding: int) -> Array:
    rows, columns = grad_out.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    return _each(grad_out, padded[:, :, : rows + kernel_size[0] - 1, : columns + kernel_size[1] - 1], kernel_size, 1, 0)


def _without_padding(grad_out: Array, x: Array, kernel_size: Any, stride: int, padding: int) -> Array:
    if padding:
        raise ValueError("could not broadcast input array")
    return _each(grad_out, x, kernel_size, stride, padding)


def _one_filter(grad_out: Array, x: Array, *rest: Any) -> Array:
    return _each(np.repeat(grad_out[:, :1], grad_out.shape[1], axis=1), x, *rest)


def _channels_summed(apart: Array) -> Array:
    return np.repeat(apart.sum(axis=4, keepdims=True), apart.shape[4], axis=4)


def _one_channel(grad_out: Array, x: Array, *rest: Any) -> Array:
    out = _each(grad_out, x, *rest)
    out[:, :, :, :, 1:] = 0
    return out


@exercise("shared_gradient", notebook=NOTEBOOK, points=3, answers=("unshared_gradients", "shared_gradient"))
class SharedGradient:
    """The gradient of a shared weight is the sum of the gradients that unshared ones would have.

    grad_out (N, K, OH, OW) is the gradient of the loss with respect to a layer's output, x (N, C, H, W) its input,
    kernel_size is (KH, KW). unshared_gradients returns an array of shape (N, OH, OW, K, C, KH, KW): entry
    [n, i, j, k] is the gradient of the weights that produced output (k, i, j) of sample n, if they were used there
    only: grad_out[n, k, i, j] times the window of the padded sample. shared_gradient takes such an array and returns
    the gradient of the weights of shape (K, C, KH, KW) that all samples and positions share.
    """

    def unshared_gradients(grad_out, x, kernel_size, stride, padding):
        return _each(grad_out, x, kernel_size, stride, padding)

    def shared_gradient(unshared):
        return np.sum(unshared, axis=(0, 1, 2))

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def draw(x: tuple[int, ...], filters: int, kernel_size: tuple[int, int], stride: int, padding: int) -> Any:
            rows, columns = ((size + 2 * padding - k) // stride + 1 for size, k in zip(x[2:], kernel_size, strict=True))
            return (rng.standard_normal((x[0], filters, rows, columns)), rng.standard_normal(x), kernel_size, stride,
                    padding)

        def case(name: str, *settings: Any) -> Case:
            return Case(name, draw(*settings), "unshared_gradients")

        yield case("one channel, one filter", (1, 1, 3, 3), 1, (2, 2), 1, 0)
        yield case("several channels and filters", (1, 3, 4, 4), 2, (3, 3), 1, 0)
        yield case("two samples", (2, 2, 4, 4), 3, (3, 3), 1, 0)
        yield case("padding 1", (1, 2, 3, 3), 2, (3, 3), 1, 1)
        yield case("stride 2", (1, 2, 5, 5), 3, (3, 3), 2, 0)
        yield case("taller than wide, padding 2", (2, 1, 4, 2), 2, (3, 3), 1, 2)
        yield case("a kernel wider than tall, stride 2, padding 1", (2, 2, 3, 6), 3, (2, 3), 2, 1)
        yield case("a stride larger than the kernel", (1, 2, 7, 5), 2, (2, 1), 3, 0)
        yield case("a stride that does not divide evenly", (1, 1, 6, 7), 2, (3, 2), 2, 0)
        grad_out, x, *rest = draw((2, 2, 4, 3), 2, (2, 3), 1, 1)
        yield Case("single precision, Fortran order",
                   (np.asfortranarray(grad_out.astype(np.float32)), np.asfortranarray(x.astype(np.float32)), *rest),
                   "unshared_gradients")
        for name, shape in (("one sample, one position", (1, 1, 1, 2, 3, 2, 2)),
                            ("one sample", (1, 2, 3, 2, 1, 2, 2)),
                            ("several samples at one position", (3, 1, 1, 2, 2, 2, 2)),
                            ("several of everything", (2, 3, 2, 4, 3, 2, 3)),
                            ("one filter of one channel", (2, 3, 4, 1, 1, 3, 2)),
                            ("all axes alike", (2, 2, 2, 2, 2, 2, 2))):
            yield Case(name, (rng.standard_normal(shape),), "shared_gradient")
        unshared = rng.standard_normal((2, 3, 4, 2, 1, 2, 2)).astype(np.float32)
        yield Case("single precision, strided", (unshared[:, :, ::2],), "shared_gradient")

    misconceptions = (
        Misconception("upstream gradient ignored",
                      "How strongly the loss depends on this output is grad_out[n, k, i, j]: the window is multiplied "
                      "by it.",
                      lambda g, *rest: _each(np.ones_like(g), *rest)),
        Misconception("stride missing in the window's position",
                      "Output (i, j) looks at the window at row i * stride and column j * stride.",
                      _windows_without_stride),
        Misconception("padding ignored", "The windows are taken from the padded input.", _without_padding),
        Misconception("the same upstream gradient for all filters",
                      "Each feature map has its own upstream gradient: filter k meets grad_out[n, k].",
                      _one_filter),
        Misconception("only the first channel", "A window runs through all channels, and so does the gradient.",
                      _one_channel),
        Misconception("filters before positions",
                      "The axes are sample, row, column, filter, then the filter's own three; here the filter comes "
                      "before the positions.",
                      lambda *a: np.moveaxis(_each(*a), 3, 1),
                      also=(lambda *a: np.moveaxis(_each(*a), (3, 4, 5, 6), (1, 2, 3, 4)),)),
        Misconception("windows of the first sample only", "Each sample has windows of its own: padded sample n.",
                      lambda g, x, *rest: _each(g, np.repeat(x[:1], len(x), axis=0), *rest)),
        Misconception("channels of the window summed",
                      "A filter has weights for each channel, and each of them its own gradient.",
                      lambda *a: _channels_summed(_each(*a)), also=(lambda *a: _each(*a).sum(axis=4),)),
        Misconception("rows and columns of the kernel exchanged",
                      "The last two axes are rows and columns of the window, in this order.",
                      lambda *a: _each(*a).swapaxes(5, 6)),
        Misconception("rows and columns of positions swapped",
                      "The second axis counts rows of the output, the third columns.",
                      lambda *a: _each(*a).swapaxes(1, 2)),
        Misconception("samples summed already",
                      "This function keeps all contributions apart, those of the samples too.",
                      lambda *a: _each(*a).sum(axis=0)),
        Misconception("positions summed already",
                      "This function keeps all contributions apart, those of the positions too.",
                      lambda *a: _each(*a).sum(axis=(1, 2))),
        Misconception("window turned around",
                      "The weight at the top left met the top left of the window: no flip.",
                      lambda *a: _each(*a)[..., ::-1, ::-1]),
        Misconception("averaged over the samples",
                      "Contributions are added. If the loss is a mean over the samples, its division by N is in "
                      "grad_out already.",
                      lambda u: u.sum(axis=(1, 2)).mean(axis=0), "shared_gradient"),
        Misconception("averaged over the positions",
                      "The loss changes by what all positions contribute together: a sum.",
                      lambda u: u.sum(axis=0).mean(axis=(0, 1)), "shared_gradient"),
        Misconception("averaged over everything", "Contributions are added, not averaged.",
                      lambda u: u.mean(axis=(0, 1, 2)), "shared_gradient"),
        Misconception("samples not summed",
                      "All samples of the batch went through the same weights: they contribute too.",
                      lambda u: u.sum(axis=(1, 2)), "shared_gradient"),
        Misconception("positions not summed",
                      "All positions share the weights; what they contribute is added.",
                      lambda u: u.sum(axis=0), "shared_gradient"),
        Misconception("one axis of positions not summed",
                      "The positions have two axes, rows and columns of the output; all of them share the weights.",
                      lambda u: u.sum(axis=(0, 1)), "shared_gradient", also=(lambda u: u.sum(axis=(0, 2)),)),
        Misconception("summed over the filter itself",
                      "The axes that the shared weight has remain; those that it lacks are summed over.",
                      lambda u: u.sum(axis=(4, 5, 6)), "shared_gradient", also=(lambda u: u.sum(axis=(3, 4, 5, 6)),)),
        Misconception("one number for all weights", "Each weight of each filter has a gradient of its own.",
                      lambda u: u.sum(), "shared_gradient"),
        Misconception("filters summed as well",
                      "Sharing goes on within one feature map. Each filter keeps a gradient of its own.",
                      lambda u: np.array(np.broadcast_to(u.sum(axis=(0, 1, 2, 3)), u.shape[3:])), "shared_gradient",
                      also=(lambda u: u.sum(axis=(0, 1, 2, 3)),)),
        Misconception("channels summed as well", "Each weight of a filter has its own gradient, channel by channel.",
                      lambda u: np.array(np.broadcast_to(u.sum(axis=(0, 1, 2, 4))[:, np.newaxis], u.shape[3:])),
                      "shared_gradient", also=(lambda u: u.sum(axis=(0, 1, 2, 4)),)),
        Misconception("only the last position", "Contributions are added. Here each one replaces the one before it.",
                      lambda u: u[-1, -1, -1], "shared_gradient",
                      also=(lambda u: u[:, -1, -1].sum(axis=0), lambda u: u[-1].sum(axis=(0, 1)))),
        Misconception("only the first position", "All positions and samples contribute.",
                      lambda u: u[0, 0, 0], "shared_gradient",
                      also=(lambda u: u[:, 0, 0].sum(axis=0), lambda u: u[0].sum(axis=(0, 1)))),
    )
    hints = (
        "A neuron multiplies each weight by one number of its window. How does the output follow that weight, then, "
        "and how does the loss follow the output?",
        "For each sample, row, column and filter: the window of the padded sample, times one number of grad_out. "
        "Make an array of zeros of seven axes first and fill it in loops. For the sum, which of the seven axes does "
        "the shared weight not have?",
        "padded[n, :, i * stride : i * stride + KH, j * stride : j * stride + KW] is the window; multiply it by "
        "grad_out[n, k, i, j]. np.sum takes a tuple of axes to sum over.",
    )
