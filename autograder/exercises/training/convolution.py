"""A convolutional layer that is fast enough to be trained: patches as rows, and matrix products both ways."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from autograder.exercises.training import common, filters
from autograder.exercises.training.common import NOTEBOOK, Array
from autograder.exercises.training.filters import patches, product
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F

PATCHES, FORWARD, BACKWARD = "patch_rows", "conv_same_forward", "conv_same_backward"


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
        out = F.conv2d(x, weight, bias, padding=filters.half(weight.shape[2:]))
        return out, patches(x, weight.shape[2:])

    def conv_same_backward(grad_out, rows, weight):
        x = filters.picture_of(rows, grad_out, weight)
        return F.conv2d_backward(grad_out, x, weight, padding=filters.half(weight.shape[2:]))

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
                      "patch reaches beyond it: there are zeros.",
                      lambda x, k: product(F.im2col(x, k))),
        Misconception("padded by a whole kernel",
                      "A patch reaches half a kernel beyond the position in its middle, on each side.",
                      lambda x, k: product(F.im2col(x, k, padding=(k[0] - 1, k[1] - 1)))),
        Misconception("padding on one side",
                      "The position lies in the middle of its patch: half of the padding goes before the picture and "
                      "half after it.",
                      filters.padded_before, also=(filters.padded_after,)),
        Misconception("edge values instead of zeros", "Beyond the border there are zeros.", filters.padded_by_edges),
        Misconception("padding of the height for both axes",
                      "A kernel has a height and a width, and each axis is padded by half of its own.",
                      lambda x, k: product(F.im2col(x, k, padding=(k[0] // 2, k[0] // 2))),
                      also=(lambda x, k: product(F.im2col(x, k, padding=(k[1] // 2, k[1] // 2))),)),
        Misconception("kernel height and width swapped",
                      "kernel_size is (height, width): the first number belongs to the rows of the picture.",
                      lambda x, k: patches(x, k[::-1])),
        Misconception("patches in columns", "A row of the result is a patch; here the patches are columns.",
                      lambda x, k: patches(x, k).T),
        Misconception("channel as the fastest index",
                      "A row lists its patch as reshape does: all of channel 0 first, row by row.",
                      filters.channels_last),
        Misconception("kernel columns before rows",
                      "Within a channel the patch is listed row by row; here column by column.",
                      filters.taps_transposed),
        Misconception("patches turned by half a turn",
                      "The patch is copied as it is. Only in the gradient of the input something is turned.",
                      filters.taps_turned),
        Misconception("positions down the columns first",
                      "Positions come in reading order: along a row of the picture, then down.",
                      filters.positions_transposed),
        Misconception("samples as the fastest index",
                      "All positions of the first sample come first, then those of the second. Here each position "
                      "comes with all samples before the next one.",
                      filters.samples_last),
        Misconception("samples kept apart",
                      "All rows of the batch stand in one matrix, so that one product does the whole batch.",
                      lambda x, k: patches(x, k).reshape(len(x), -1, x.shape[1] * k[0] * k[1])),
        *(Misconception(name, text, wrong, FORWARD, also) for name, text, wrong, also in (
            ("bias forgotten", "Each output of filter k is a dot product plus the filter's bias, bias[k].",
             filters.forward(lambda out, x, w, b: F.conv2d(x, w, padding=filters.half(w.shape[2:]))), ()),
            ("bias added twice", "Each output gets the bias of its filter once.",
             filters.forward(lambda out, x, w, b: out + b[:, np.newaxis, np.newaxis]), ()),
            ("filters and positions mixed",
             "The product has a row for each position and a column for each filter. A reshape keeps the order of the "
             "entries: it can split the rows into samples, rows and columns, and then the filters' axis has to be "
             "moved.",
             filters.forward(lambda out, x, w, b: filters.regrouped(out)), ()),
            ("channels last", "The output is (N, K, H, W): the filters' axis comes second, not last.",
             filters.forward(lambda out, x, w, b: out.transpose(0, 2, 3, 1)), ()),
            ("height and width mixed up",
             "The rows run along a row of the picture first, so the width is the last axis when they are taken apart.",
             filters.forward(lambda out, x, w, b: np.ascontiguousarray(out.reshape(
                 *out.shape[:2], out.shape[3], out.shape[2]).swapaxes(2, 3))), ()),
            ("filters reshaped instead of transposed",
             "A filter has to become a column. weight.reshape(-1, K) has the right shape, but cuts the weights into "
             "pieces that are no filters: flatten each filter to a row first, then transpose.",
             filters.forward(lambda out, x, w, b: filters.with_weight(x, filters.reshaped(w), b)), ()),
            ("filter turned by half a turn",
             "The layer is a cross-correlation: entry by entry, without turning the filter.",
             filters.forward(lambda out, x, w, b: filters.with_weight(x, w[:, :, ::-1, ::-1], b)), ()),
            ("filters flattened column by column",
             "The patches are listed channel, row, column, and so the filters have to be.",
             filters.forward(lambda out, x, w, b: filters.with_weight(x, w.transpose(0, 1, 3, 2).reshape(w.shape), b)),
             ()),
            ("activation included", "The rectifier is a layer of its own; negative outputs stay.",
             filters.forward(lambda out, x, w, b: F.relu(out)), ()),
            ("input kept in place of the rows",
             "What the backward pass needs is the rows, returned beside the output; here it is something else.",
             lambda x, w, b: (filters.with_weight(x, w, b), x), ()),
            ("only the output returned",
             "Two values are asked for: the output, and the rows for the backward pass.",
             lambda x, w, b: filters.with_weight(x, w, b), ()),
        )),
        *(Misconception(name, text, wrong, BACKWARD, also) for name, text, wrong, also in (
            ("filter not turned for grad_x",
             "An input reaches the output to its right through the left tap, and the one to its left through the "
             "right tap. Seen from the input the filter is turned by half a turn.",
             filters.backward(lambda grads, g, r, w: (filters.input_gradient(g, w[:, :, ::-1, ::-1]), *grads[1:])), ()),
            ("channels and filters not exchanged",
             "On the way back the filters' maps come in and the channels come out: the first two axes of the weight "
             "change places.",
             filters.backward(lambda grads, g, r, w: (filters.input_gradient(g, w.swapaxes(0, 1)), *grads[1:])), ()),
            ("contributions overwritten in grad_x",
             "An input lies in several patches, and its gradient is the sum over all of them. Here only the last one "
             "counts: look at where `=` stands and `+=` should.",
             filters.backward(lambda grads, g, r, w: (filters.overwritten(g, w), *grads[1:])), ()),
            ("grad_x with its padding",
             "The zeros around the picture get gradients too, but nobody asks for them: cut off what lies beyond the "
             "border.",
             filters.backward(lambda grads, g, r, w: (filters.whole_gradient(g, w), *grads[1:])), ()),
            ("grad_x cut off at the wrong side",
             "The picture lies in the middle of the padded one: cut off the same on both sides.",
             filters.backward(lambda grads, g, r, w: (filters.corner(g, w), *grads[1:])), ()),
            ("gradients of the samples averaged",
             "The shared weights get the sum over all positions of all samples. The mean over the batch is taken "
             "already, in the gradient of the loss.",
             filters.backward(lambda grads, g, r, w: (grads[0], grads[1] / len(g), grads[2] / len(g))),
             (filters.backward(lambda grads, g, r, w: (grads[0], grads[1] / len(g), grads[2])),)),
            ("gradient of the bias averaged",
             "The bias is added at every position of every sample, so its gradient is the sum over all of them.",
             filters.backward(lambda grads, g, r, w: (*grads[:2], g.mean(axis=(0, 2, 3)))),
             (filters.backward(lambda grads, g, r, w: (*grads[:2], g.sum(axis=(2, 3)).mean(axis=0))),)),
            ("gradients averaged over positions and samples",
             "Weights and bias are used at every position of every sample, and their gradients are sums over all of "
             "them.",
             filters.backward(lambda grads, g, r, w: (grads[0], grads[1] / len(r), grads[2] / len(r))), ()),
            ("one number for all biases",
             "Each filter has a bias of its own, and a gradient: the sum runs over samples, rows and columns, not over "
             "the filters.",
             filters.backward(lambda grads, g, r, w: (*grads[:2], g.sum())), ()),
            ("gradient of the bias not summed over the samples",
             "There is one bias for each filter: the sum runs over samples, rows and columns.",
             filters.backward(lambda grads, g, r, w: (*grads[:2], g.sum(axis=(2, 3)))), ()),
            ("gradient not taken apart like the output",
             "grad_out is (N, K, H, W). A row for each position needs the filters' axis last before the reshape.",
             filters.scrambled_backward, ()),
            ("grad_weight reshaped instead of transposed",
             "rows.T times the gradient has a column for each filter. It has to be transposed before it gets the "
             "weight's shape.",
             filters.backward(lambda grads, g, r, w: (
                 grads[0], np.ascontiguousarray(grads[1].reshape(len(w), -1).T).reshape(w.shape), grads[2])), ()),
            ("only the first sample", "The weights are used on every sample, and their gradients are sums over them.",
             filters.first_sample, ()),
        )),
        Misconception("padding of one always", "Half a kernel, rounded down, depends on the kernel: 1 fits 3 only.",
                      lambda x, k: product(F.im2col(x, k, padding=1))),
        Misconception("patches not brought to the front",
                      "The positions have to come before the channels: move the axes before the reshape.",
                      lambda x, k: F.im2col(x, k, padding=filters.half(k)).reshape(
                          len(x), x.shape[1], k[0], k[1], *x.shape[2:]).transpose(0, 1, 4, 5, 2, 3).reshape(
                          -1, x.shape[1] * k[0] * k[1])),
        Misconception("one channel only", "A patch spans all channels.", lambda x, k: patches(x[:, :1], k),
                      also=(lambda x, k: patches(x.sum(axis=1, keepdims=True), k),)),
        *(Misconception(name, text, wrong, BACKWARD, also) for name, text, wrong, also in (
            ("grad_x by the middle of the filters only",
             "An input lies in the patches of its neighbors, too: each tap of the filter brings something back.",
             filters.backward(lambda grads, g, r, w: (np.einsum(
                 "nkij,kc->ncij", g, w[:, :, w.shape[2] // 2, w.shape[3] // 2]), *grads[1:])), ()),
            ("grad_x left out", "Three gradients are asked for; the first is that of the input.",
             filters.backward(lambda grads, g, r, w: grads[1:]), ()),
        )),
    )
    hints = (
        "Take a picture of 2 x 2 and a 3 x 3 filter. Write down the four rows. Which of their entries are zeros?",
        "Forward: rows times filters, each filter a column. Backward: the same two matrices, each transposed once, "
        "give grad_weight and the gradient of the rows. What patch_rows copied has to be added back.",
        "Write grad_out as a matrix g with a row for each position. grad_weight is g.T @ rows in the weight's shape, "
        "grad_bias the sum over g's rows. For grad_x: the rows of grad_out times the weight with its first two axes "
        "exchanged and its filters turned by half a turn; or g @ filters, taken apart and added tap by tap.",
    )
