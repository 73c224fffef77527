"""A convolutional layer that is fast enough to be trained: patches as rows, and matrix products both ways."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from autograder.exercises import words
from autograder.exercises.making import in_answer
from autograder.exercises.training import common
from autograder.exercises.training.common import NOTEBOOK, Array, half
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F

PATCHES, FORWARD, BACKWARD = "patch_rows", "conv_same_forward", "conv_same_backward"


def patches(x: Array, kernel_size: tuple[int, ...]) -> Array:
    """A row for each position of each sample."""
    columns = F.im2col(x, (kernel_size[0], kernel_size[1]), padding=half(kernel_size))
    return columns.transpose(0, 2, 1).reshape(-1, columns.shape[1])


def _picture(rows: Array, grad_out: Array, weight: Array) -> Array:
    """The input, from the middle of its patches."""
    samples, _, height, width = grad_out.shape
    apart = rows.reshape(samples, height, width, *weight.shape[1:])
    top, left = half(weight.shape[2:])
    return np.ascontiguousarray(apart[..., top, left].transpose(0, 3, 1, 2))


def _rows(x, kernel_size):
    """A right answer, of which wrong ones are edits."""
    (_, channels, _, _), (down, right) = x.shape, kernel_size
    top, left = down // 2, right // 2
    padded = np.pad(x, ((0, 0), (0, 0), (top, top), (left, left)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel_size, axis=(2, 3))
    return windows.transpose(0, 2, 3, 1, 4, 5).reshape(-1, channels * down * right)


def _forward(x, weight, bias):
    """A right answer, of which wrong ones are edits."""
    (samples, _, height, width), filters = x.shape, len(weight)
    rows = _rows(x, weight.shape[2:])
    product = rows @ weight.reshape(filters, -1).T + bias
    out = product.reshape(samples, height, width, filters).transpose(0, 3, 1, 2)
    return out, rows


def _backward(grad_out, rows, weight):
    """A right answer, of which wrong ones are edits."""
    samples, filters, height, width = grad_out.shape
    flat = grad_out.transpose(0, 2, 3, 1).reshape(-1, filters)
    grad_weight = (flat.T @ rows).reshape(weight.shape)
    grad_bias = flat.sum(axis=0)
    turned = weight[:, :, ::-1, ::-1].swapaxes(0, 1)
    product = _rows(grad_out, weight.shape[2:]) @ turned.reshape(len(turned), -1).T
    grad_x = product.reshape(samples, height, width, -1).transpose(0, 3, 1, 2)
    return grad_x, grad_weight, grad_bias


def _by_taps(grad_out, rows, weight):
    """A right answer, of which wrong ones are edits."""
    (_, channels, down, right), (samples, _, height, width) = weight.shape, grad_out.shape
    _, grad_weight, grad_bias = _backward(grad_out, rows, weight)
    padded = np.zeros((samples, channels, height + down - 1, width + right - 1))
    for r, s in np.ndindex(down, right):
        padded[:, :, r:r + height, s:s + width] += np.einsum("nkij,kc->ncij", grad_out, weight[:, :, r, s])
    grad_x = padded[:, :, down // 2:down // 2 + height, right // 2:right // 2 + width]
    return grad_x, grad_weight, grad_bias


ROWS, OUT, BACK, TAPS = Written.of(_rows), Written.of(_forward), Written.of(_backward), Written.of(_by_taps)


def _in_order(*axes: int) -> Written:
    """Axes N, C, H, W, KH, KW of the patches in another order."""
    return ROWS.edited({"(0, 2, 3, 1, 4, 5)": str(axes)})


def _padded(top_and_left: str) -> Written:
    """Another padding."""
    return ROWS.edited({"down // 2, right // 2": top_and_left})


def _returned(values: str) -> Written:
    """Other values than grad_x, grad_weight, grad_bias."""
    return BACK.edited({"return grad_x, grad_weight, grad_bias": f"return {values}"})


@exercise("conv_same", notebook=NOTEBOOK, points=6, answers=(PATCHES, FORWARD, BACKWARD))
class ConvSame:
    """A convolution that keeps the size, forward and backward, by matrix products.

    x has shape (N, C, H, W), weight (K, C, KH, KW) with KH and KW odd, bias (K,); stride 1, and as much zero padding
    as keeps height and width. patch_rows returns shape (N * H * W, C * KH * KW): a row for each position, samples
    first, then rows, then columns of the picture; within a row the patch as reshape lists it. conv_same_forward
    returns the output, shape (N, K, H, W), and these rows. conv_same_backward gets the gradient with respect to the
    output, the rows and the weight; it returns the gradients with respect to x, weight and bias.
    """

    returns: ClassVar = {FORWARD: ("out", "rows"), BACKWARD: ("grad_x", "grad_weight", "grad_bias")}

    def patch_rows(x, kernel_size):
        return patches(x, kernel_size)

    def conv_same_forward(x, weight, bias):
        out = F.conv2d(x, weight, bias, padding=half(weight.shape[2:]))
        return out, patches(x, weight.shape[2:])

    def conv_same_backward(grad_out, rows, weight):
        x = _picture(rows, grad_out, weight)
        return F.conv2d_backward(grad_out, x, weight, padding=half(weight.shape[2:]))

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        draw = rng.standard_normal

        def layer(x: tuple[int, ...], filters: int, kernel_size: tuple[int, int]) -> tuple[Array, Array, Array]:
            return draw(x), draw((filters, x[1], *kernel_size)), draw(filters) + np.arange(1, filters + 1)

        def backward(x: Array, weight: Array, bias: Array) -> tuple[Array, Array, Array]:
            grad_out = draw((len(x), len(weight), *x.shape[2:])).astype(x.dtype)
            return grad_out, patches(x, weight.shape[2:]), weight

        settings: tuple[tuple[str, tuple[int, ...], int, tuple[int, int]], ...] = (
            ("one channel, one filter", (1, 1, 4, 4), 1, (3, 3)),
            ("several channels and filters", (1, 2, 4, 4), 3, (3, 3)),
            ("two samples", (2, 2, 3, 3), 3, (3, 3)),
            ("taller than wide", (2, 3, 5, 3), 2, (3, 3)),
            ("wider than tall", (1, 2, 3, 6), 4, (3, 3)),
            ("as many filters as channels", (2, 2, 3, 4), 2, (3, 3)),
            ("a kernel taller than wide", (2, 2, 6, 4), 3, (5, 3)),
            ("a kernel wider than tall", (1, 3, 4, 6), 2, (1, 5)),
            ("a 1x1 kernel", (2, 3, 3, 4), 2, (1, 1)),
            ("a kernel larger than the picture", (2, 2, 2, 3), 3, (5, 5)),
        )
        for name, shape, count, kernel_size in settings:
            x, weight, bias = layer(shape, count, kernel_size)
            yield Case(name, (x, kernel_size), PATCHES)
            yield Case(name, (x, weight, bias), FORWARD)
            yield Case(name, backward(x, weight, bias), BACKWARD)
        x, weight, bias = (array.astype(np.float32) for array in layer((2, 2, 4, 3), 3, (3, 3)))
        yield Case("single precision", (x, (3, 3)), PATCHES)
        yield Case("single precision", (x, weight, bias), FORWARD)
        yield Case("single precision", backward(x, weight, bias), BACKWARD)
        x, weight, bias = layer((2, 2, 3, 4), 2, (3, 3))
        yield Case("strided memory", (common.strided(x), (3, 3)), PATCHES)
        yield Case("strided memory", (common.strided(x), np.asfortranarray(weight), bias), FORWARD)
        grad_out, rows, _ = backward(x, weight, bias)
        yield Case("Fortran order", (np.asfortranarray(grad_out), rows, common.strided(weight)), BACKWARD)

    misconceptions = (
        Misconception("no padding",
                      "The layer keeps the size, so there is a row for every position of the picture. At the border a "
                      "patch reaches beyond it: there are zeros.", _padded("0, 0")),
        Misconception("padded by a whole kernel",
                      "A patch reaches half a kernel beyond the position in its middle, on each side.",
                      _padded("down - 1, right - 1")),
        Misconception(*words.PADDING_ON_ONE_SIDE, ROWS.edited({"top, top": "2 * top, 0", "left, left": "2 * left, 0"}),
                      also=(ROWS.edited({"top, top": "0, 2 * top", "left, left": "0, 2 * left"}),)),
        Misconception(*words.EDGE_VALUES, ROWS.edited({"left, left))": 'left, left)), mode="edge"'})),
        Misconception("padding of the height for both axes",
                      "A kernel has a height and a width, and each axis is padded by half of its own.",
                      _padded("down // 2, down // 2"), also=(_padded("right // 2, right // 2"),)),
        Misconception(*words.KERNEL_SWAPPED, ROWS.given("kernel_size = kernel_size[::-1]")),
        Misconception("patches in columns", "A row of the result is a patch; here the patches are columns.",
                      lambda x, k: patches(x, k).T),
        Misconception(*words.CHANNEL_FASTEST, _in_order(0, 2, 3, 4, 5, 1)),
        Misconception(*words.KERNEL_COLUMNS_FIRST, _in_order(0, 2, 3, 1, 5, 4)),
        Misconception("patches turned by half a turn",
                      "The patch is copied as it is. Only in the gradient of the input something is turned.",
                      ROWS.edited({"windows.transpose": "windows[..., ::-1, ::-1].transpose"})),
        Misconception(*words.POSITIONS_DOWNWARDS, _in_order(0, 3, 2, 1, 4, 5)),
        Misconception("samples as the fastest index",
                      "All positions of the first sample come first, then those of the second. Here each position "
                      "comes with all samples before the next one.", _in_order(2, 3, 0, 1, 4, 5)),
        Misconception("samples kept apart",
                      "All rows of the batch stand in one matrix, so that one product does the whole batch.",
                      ROWS.edited({"reshape(-1": "reshape(len(x), -1"})),
        Misconception("padding of one always", "Half a kernel, rounded down, depends on the kernel: 1 fits 3 only.",
                      _padded("1, 1")),
        Misconception("patches not brought to the front",
                      "The positions have to come before the channels: move the axes before the reshape.",
                      _in_order(0, 1, 2, 3, 4, 5)),
        Misconception("one channel only", "A patch spans all channels.", ROWS.given("x = x[:, :1]"),
                      also=(ROWS.given("x = x.sum(axis=1, keepdims=True)"),)),
        *in_answer(
            FORWARD,
            Misconception(*words.BIAS_FORGOTTEN, OUT.edited({" + bias": ""})),
            Misconception("bias added twice", "Each output gets the bias of its filter once.",
                          OUT.edited({"+ bias": "+ 2 * bias"})),
            Misconception(*words.FILTERS_AND_POSITIONS_MIXED,
                          OUT.edited({"(samples, height, width, filters).transpose(0, 3, 1, 2)":
                                      "(samples, filters, height, width)"}),
                          detail="The product has a row for each position and a column for each filter."),
            Misconception(*words.FILTERS_LAST, OUT.edited({".transpose(0, 3, 1, 2)": ""})),
            Misconception("height and width mixed up",
                          "The rows run along a row of the picture first, so the width is the last axis when they are "
                          "taken apart.", OUT.edited({"height, width, filters).transpose(0, 3, 1, 2)":
                                                      "width, height, filters).transpose(0, 3, 2, 1)"})),
            Misconception("filters reshaped instead of transposed",
                          "A filter has to become a column. weight.reshape(-1, K) has the right shape, but cuts the "
                          "weights into pieces that are no filters: flatten each filter to a row first, then "
                          "transpose.", OUT.edited({"weight.reshape(filters, -1).T": "weight.reshape(-1, filters)"})),
            Misconception(*words.FLIPPED, OUT.edited({"weight.reshape": "weight[:, :, ::-1, ::-1].reshape"})),
            Misconception("filters flattened column by column",
                          "The patches are listed channel, row, column, and so the filters have to be.",
                          OUT.edited({"weight.reshape": "weight.swapaxes(2, 3).reshape"})),
            Misconception(*words.NEGATIVE_CUT_OFF, OUT.returning("np.maximum(out, 0)")),
            Misconception("input kept in place of the rows",
                          "What the backward pass needs is the rows, returned beside the output; here it is something "
                          "else.", OUT.edited({"return out, rows": "return out, x"})),
            Misconception(*words.ONLY_OUTPUT, OUT.edited({"return out, rows": "return out"})),
        ),
        *in_answer(
            BACKWARD,
            Misconception("filter not turned for grad_x",
                          "An input reaches the output to its right through the left tap, and the one to its left "
                          "through the right tap. Seen from the input the filter is turned by half a turn.",
                          BACK.edited({"[:, :, ::-1, ::-1]": ""})),
            Misconception("channels and filters not exchanged",
                          "On the way back the filters' maps come in and the channels come out: the first two axes of "
                          "the weight change places.", BACK.edited({".swapaxes(0, 1)": ""})),
            Misconception(*words.OVERWRITTEN, TAPS.edited({"+=": "="})),
            Misconception("grad_x with its padding",
                          "The zeros around the picture get gradients too, but nobody asks for them: cut off what "
                          "lies beyond the border.", TAPS.edited({"return grad_x": "return padded"})),
            Misconception("grad_x cut off at the wrong side",
                          "The picture lies in the middle of the padded one: cut off the same on both sides.",
                          TAPS.edited({"down // 2:down // 2 + height, right // 2:right // 2 + width":
                                       ":height, :width"})),
            Misconception("grad_x by the middle of the filters only",
                          "An input lies in the patches of its neighbors, too: each tap of the filter brings "
                          "something back.", TAPS.edited({"np.ndindex(down, right)": "[(down // 2, right // 2)]"})),
            Misconception("gradients of the samples averaged",
                          "The shared weights get the sum over all positions of all samples. The mean over the batch "
                          "is taken already, in the gradient of the loss.",
                          _returned("grad_x, grad_weight / samples, grad_bias / samples"),
                          also=(_returned("grad_x, grad_weight / samples, grad_bias"),)),
            Misconception(*words.BIAS_GRADIENT_AVERAGED, _returned("grad_x, grad_weight, grad_bias / len(flat)"),
                          also=(_returned("grad_x, grad_weight, grad_bias / samples"),)),
            Misconception("gradients averaged over positions and samples",
                          "Weights and bias are used at every position of every sample, and their gradients are sums "
                          "over all of them.", _returned("grad_x, grad_weight / len(rows), grad_bias / len(rows)")),
            Misconception("one number for all biases",
                          "Each filter has a bias of its own, and a gradient: the sum runs over samples, rows and "
                          "columns, not over the filters.", _returned("grad_x, grad_weight, grad_bias.sum()")),
            Misconception("gradient of the bias not summed over the samples",
                          "There is one bias for each filter: the sum runs over samples, rows and columns.",
                          _returned("grad_x, grad_weight, grad_out.sum(axis=(2, 3))")),
            Misconception("gradient not taken apart like the output",
                          "grad_out is (N, K, H, W). A row for each position needs the filters' axis last before the "
                          "reshape.", BACK.edited({
                              "    flat =": "    grad_out = grad_out.reshape(samples, height, width, filters)"
                                            ".transpose(0, 3, 1, 2)\n    flat ="}),
                          also=(BACK.edited({"grad_out.transpose(0, 2, 3, 1)": "grad_out"}),)),
            Misconception("grad_weight reshaped instead of transposed",
                          "rows.T times the gradient has a column for each filter. It has to be transposed before it "
                          "gets the weight's shape.", BACK.edited({"flat.T @ rows": "rows.T @ flat"})),
            Misconception(*words.FIRST_SAMPLE_COUNTS,
                          BACK.edited({"flat.T @ rows": "flat[:height * width].T @ rows[:height * width]",
                                       "flat.sum": "flat[:height * width].sum"})),
            Misconception("grad_x left out", "Three gradients are asked for; the first is that of the input.",
                          _returned("grad_weight, grad_bias")),
        ),
    )
    hints = (
        "Take a picture of 2 x 2 and a 3 x 3 filter. Write down the four rows. Which of their entries are zeros?",
        "Forward: rows times filters, each filter a column. Backward: the same two matrices, each transposed once, "
        "give grad_weight and the gradient of the rows. What patch_rows copied has to be added back.",
        "Write grad_out as a matrix g with a row for each position. grad_weight is g.T @ rows in the weight's shape, "
        "grad_bias the sum over g's rows. For grad_x: the rows of grad_out times the weight with its first two axes "
        "exchanged and its filters turned by half a turn; or g @ filters, taken apart and added tap by tap.",
    )
