"""The gradient of a shared weight is the sum of the gradients that unshared ones would have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.exercises import words
from autograder.exercises.parameter_sharing.common import NOTEBOOK
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F

APART = Written("""
    def unshared_gradients(grad_out, x, kernel_size, stride, padding):
        N, K, OH, OW = grad_out.shape
        KH, KW = kernel_size
        padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        out = np.zeros((N, OH, OW, K, x.shape[1], KH, KW), x.dtype)
        for n, i, j, k in np.ndindex(N, OH, OW, K):
            top, left = i * stride, j * stride
            out[n, i, j, k] = grad_out[n, k, i, j] * padded[n, :, top : top + KH, left : left + KW]
        return out
    """)
SUMMED = Written("""
    def shared_gradient(unshared):
        return unshared.sum(axis=(0, 1, 2))
    """)


def _over(axes: str) -> Written:
    """The sum over other axes."""
    return SUMMED.edited({"(0, 1, 2)": axes})


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
        samples, filters, *positions = grad_out.shape
        weight = np.zeros((*positions, filters, x.shape[1], *kernel_size), x.dtype)
        return np.stack([
            F.locally_connected2d_backward(grad_out[[n]], x[[n]], weight, stride=stride, padding=padding)[1]
            for n in range(samples)])

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
        Misconception(*words.UPSTREAM_IGNORED, APART.given("grad_out = np.ones_like(grad_out)"),
                      detail="The window is multiplied by grad_out[n, k, i, j]."),
        Misconception(*words.STRIDE_NOT_IN_POSITION, APART.edited({"i * stride, j * stride": "i, j"})),
        Misconception(*words.PADDING_IGNORED, APART.given("padding = 0")),
        Misconception("the same upstream gradient for all filters",
                      "Each feature map has its own upstream gradient: filter k meets grad_out[n, k].",
                      APART.edited({"grad_out[n, k, i, j]": "grad_out[n, 0, i, j]"})),
        Misconception(*words.FIRST_CHANNEL, APART.ending("out[:, :, :, :, 1:] = 0"),
                      detail="A window runs through all channels, and so does the gradient."),
        Misconception("filters before positions",
                      "The axes are sample, row, column, filter, then the filter's own three; here the filter comes "
                      "before the positions.",
                      APART.returning("np.moveaxis(out, 3, 1)"),
                      also=(APART.returning("np.moveaxis(out, (3, 4, 5, 6), (1, 2, 3, 4))"),)),
        Misconception("windows of the first sample only", "Each sample has windows of its own: padded sample n.",
                      APART.edited({"padded[n,": "padded[0,"})),
        Misconception("channels of the window summed",
                      "A filter has weights for each channel, and each of them its own gradient.",
                      APART.ending("out[...] = out.sum(axis=4, keepdims=True)"),
                      also=(APART.returning("out.sum(axis=4)"),)),
        Misconception(*words.KERNEL_TRANSPOSED, APART.returning("out.swapaxes(5, 6)"),
                      detail="The last two axes are rows and columns of the window, in this order."),
        Misconception(*words.POSITIONS_SWAPPED, APART.returning("out.swapaxes(1, 2)"),
                      detail="The second axis counts rows of the output, the third columns."),
        Misconception("samples summed already",
                      "This function keeps all contributions apart, those of the samples too.",
                      APART.returning("out.sum(axis=0)")),
        Misconception("positions summed already",
                      "This function keeps all contributions apart, those of the positions too.",
                      APART.returning("out.sum(axis=(1, 2))")),
        Misconception("window turned around",
                      "The weight at the top left met the top left of the window: no flip.",
                      APART.returning("out[..., ::-1, ::-1]")),
        Misconception("averaged over the samples",
                      "Contributions are added. If the loss is a mean over the samples, its division by N is in "
                      "grad_out already.",
                      SUMMED.returning("unshared.sum(axis=(1, 2)).mean(axis=0)"), "shared_gradient"),
        Misconception("averaged over the positions",
                      "The loss changes by what all positions contribute together: a sum.",
                      SUMMED.returning("unshared.sum(axis=0).mean(axis=(0, 1))"), "shared_gradient"),
        Misconception("averaged over everything", "Contributions are added, not averaged.",
                      SUMMED.edited({".sum(": ".mean("}), "shared_gradient"),
        Misconception("samples not summed",
                      "All samples of the batch went through the same weights: they contribute too.",
                      _over("(1, 2)"), "shared_gradient"),
        Misconception("positions not summed",
                      "All positions share the weights; what they contribute is added.",
                      _over("0"), "shared_gradient"),
        Misconception("one axis of positions not summed",
                      "The positions have two axes, rows and columns of the output; all of them share the weights.",
                      _over("(0, 1)"), "shared_gradient", also=(_over("(0, 2)"),)),
        Misconception("summed over the filter itself",
                      "The axes that the shared weight has remain; those that it lacks are summed over.",
                      _over("(4, 5, 6)"), "shared_gradient", also=(_over("(3, 4, 5, 6)"),)),
        Misconception("one number for all weights", "Each weight of each filter has a gradient of its own.",
                      _over("None"), "shared_gradient"),
        Misconception("filters summed as well",
                      "Sharing goes on within one feature map. Each filter keeps a gradient of its own.",
                      SUMMED.returning("unshared.sum(axis=(0, 1, 2, 3)) + np.zeros(unshared.shape[3:])"),
                      "shared_gradient",
                      also=(_over("(0, 1, 2, 3)"),)),
        Misconception("channels summed as well", "Each weight of a filter has its own gradient, channel by channel.",
                      SUMMED.returning("unshared.sum(axis=(0, 1, 2, 4))[:, None] + np.zeros(unshared.shape[3:])"),
                      "shared_gradient", also=(_over("(0, 1, 2, 4)"),)),
        Misconception("only the last position", "Contributions are added. Here each one replaces the one before it.",
                      SUMMED.returning("unshared[-1, -1, -1]"), "shared_gradient",
                      also=(SUMMED.returning("unshared[:, -1, -1].sum(axis=0)"),
                            SUMMED.returning("unshared[-1].sum(axis=(0, 1))"))),
        Misconception(*words.ONLY_FIRST_POSITION, SUMMED.returning("unshared[0, 0, 0]"), "shared_gradient",
                      also=(SUMMED.returning("unshared[:, 0, 0].sum(axis=0)"),
                            SUMMED.returning("unshared[0].sum(axis=(0, 1))"))),
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
