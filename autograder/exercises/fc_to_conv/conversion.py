"""One layer in two forms: weights as filters and back, a convolution as a matrix, and how many parameters each has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.exercises.fc_to_conv import mistakes
from autograder.exercises.fc_to_conv.common import CHANNELS_LAST, COLUMNS_FIRST, FLIPPED, FORTRAN, NOTEBOOK, single
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import convert
from cnncourse.layers import Conv2d, Linear


def _reshaped(order: str, *axes: int) -> Callable[..., np.ndarray]:
    """Rows of weights read as maps whose axes, in the order of `order`, are brought into that of `axes`."""
    def to_filters(weight: np.ndarray, maps_shape: tuple[int, int, int]) -> np.ndarray:
        lengths = dict(zip("KCHW", (len(weight), *maps_shape), strict=True))
        return weight.reshape([lengths[letter] for letter in order]).transpose(axes or (0, 1, 2, 3))
    return to_filters


@exercise("fc_to_filters", notebook=NOTEBOOK, points=3, answers=("fc_to_filters", "filters_to_fc"))
class FCToFilters:
    """Fully connected weights as filters, and filters as fully connected weights.

    fc_to_filters takes the weights (K, C * H * W) of a fully connected layer that sees maps of the shape `maps_shape` =
    (C, H, W), flattened channel after channel and row after row, and returns them as K filters as large as the maps, of
    shape (K, C, H, W). filters_to_fc takes such filters and returns the rows of weights.
    """

    def fc_to_filters(weight, maps_shape):
        return convert.to_convolution(Linear(len(weight), bias=False), maps_shape, weight).weight

    def filters_to_fc(weight):
        return convert.to_fully_connected(Conv2d(len(weight), weight.shape[2:], bias=False), weight.shape[1:],
                                          weight).weight

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def rows(outputs: int, *shape: int) -> tuple[np.ndarray, tuple[int, ...]]:
            return rng.standard_normal((outputs, int(np.prod(shape)))), shape

        yield Case("one filter, one channel", rows(1, 1, 2, 2))
        yield Case("several channels", rows(1, 3, 2, 2))
        yield Case("several filters and channels", rows(4, 2, 3, 3))
        yield Case("taller than wide", rows(3, 2, 4, 2))
        yield Case("wider than tall", rows(2, 3, 2, 5))
        yield Case("as many filters as channels", rows(3, 3, 2, 4))
        yield Case("after a fully connected layer: maps of 1 x 1", rows(3, 5, 1, 1))
        weight, shape = rows(3, 2, 3, 2)
        yield Case("single precision", (*single(weight), shape))
        yield Case("strided memory", (rng.standard_normal((3, 24))[:, ::2], (2, 2, 3)))
        yield Case("Fortran order", (np.asfortranarray(rng.standard_normal((2, 12))), (2, 3, 2)))
        back = "filters_to_fc"
        for name, filters in (
            ("one filter of one channel, back", (1, 1, 2, 3)), ("several channels, back", (1, 3, 2, 2)),
            ("taller than wide, back", (2, 2, 3, 2)), ("wider than tall, back", (3, 2, 2, 4)),
            ("filters of 1 x 1, back", (3, 4, 1, 1)),
        ):
            yield Case(name, (rng.standard_normal(filters),), back)
        yield Case("single precision, back", single(rng.standard_normal((2, 3, 2, 3))), back)
        yield Case("strided memory, back", (rng.standard_normal((2, 3, 4, 6))[:, :, ::2, ::2],), back)
        yield Case("Fortran order, back", (np.asfortranarray(rng.standard_normal((3, 2, 3, 4))),), back)

    misconceptions = (
        Misconception(*CHANNELS_LAST, _reshaped("KHWC", 0, 3, 1, 2)),
        Misconception(*COLUMNS_FIRST, _reshaped("KCWH", 0, 1, 3, 2)),
        Misconception(*FORTRAN, lambda w, s: w.reshape((len(w), *s), order="F")),
        Misconception("height and width swapped",
                      "maps_shape is (C, H, W), and a filter is C x H x W like the maps that it meets: its third axis "
                      "counts rows.",
                      _reshaped("KCWH")),
        Misconception("filters along the last axis",
                      "Each row of the weights belongs to one output and becomes one filter: the filter is the first "
                      "axis before and after. Here the numbers of different rows are mixed.",
                      _reshaped("CHWK", 3, 0, 1, 2)),
        Misconception("weights transposed first",
                      "Row k of the weights is filter k already: nothing has to be turned before the reshape.",
                      lambda w, s: w.T.reshape(len(w), *s)),
        Misconception("channels in front of the filters", "The result is (K, C, H, W): the filter comes first.",
                      _reshaped("KCHW", 1, 0, 2, 3)),
        Misconception("channels last in the result",
                      "The values are right, but the axes of a filter are in the order C, H, W.",
                      _reshaped("KCHW", 0, 2, 3, 1)),
        Misconception(*FLIPPED, lambda w, s: w.reshape(len(w), *s)[:, :, ::-1, ::-1],
                      also=(lambda w, s: w.reshape(len(w), *s)[:, ::-1, ::-1, ::-1],)),
        Misconception("filters without depth",
                      "A filter spans all channels of its input: it has C x H x W weights, not H x W. No weight may "
                      "get lost.",
                      lambda w, s: w.reshape(len(w), *s)[:, 0],
                      also=(lambda w, s: w.reshape(len(w), *s)[:, :1], lambda w, s: w.reshape(len(w), *s).sum(axis=1),
                            lambda w, s: w.reshape(len(w), *s).mean(axis=1))),
        Misconception("channels last on the way back",
                      "A row holds channel 0 of its filter completely, then channel 1; here the channel counts "
                      "fastest.",
                      lambda w: w.transpose(0, 2, 3, 1).reshape(len(w), -1), "filters_to_fc"),
        Misconception("columns before rows on the way back",
                      "A row holds its filter row after row; here it goes down the columns first.",
                      lambda w: w.transpose(0, 1, 3, 2).reshape(len(w), -1), "filters_to_fc"),
        Misconception("order turned around on the way back",
                      "The last axis counts fastest, the channel slowest; here it is the other way round.",
                      lambda w: w.reshape(len(w), -1, order="F"), "filters_to_fc"),
        Misconception("flipped on the way back",
                      "Nothing is turned: the top left of a filter belongs to the top left of the maps.",
                      lambda w: w[:, :, ::-1, ::-1].reshape(len(w), -1), "filters_to_fc",
                      also=(lambda w: w[..., ::-1].reshape(len(w), -1), lambda w: w[:, :, ::-1].reshape(len(w), -1))),
        Misconception("filters mixed on the way back",
                      "A row holds the weights of one filter. A reshape keeps the order of the numbers, and here the "
                      "filter is not the axis that counts slowest.",
                      lambda w: w.T.reshape(len(w), -1), "filters_to_fc",
                      also=(lambda w: w.reshape(-1, len(w)).T,)),
        Misconception("depth lost on the way back", "A row holds the weights for all channels, side by side.",
                      lambda w: w[:, 0].reshape(len(w), -1), "filters_to_fc",
                      also=(lambda w: w.sum(axis=1).reshape(len(w), -1), lambda w: w.mean(axis=1).reshape(len(w), -1))),
        Misconception("all filters in one row", "Each filter becomes a row of its own.",
                      lambda w: w.ravel(), "filters_to_fc"),
        Misconception("one column for each filter", "Each filter becomes a row, not a column.",
                      lambda w: w.reshape(len(w), -1).T, "filters_to_fc"),
        Misconception("rows for channels", "A filter with all of its channels is one row.",
                      lambda w: w.reshape(-1, w[0, 0].size), "filters_to_fc"),
    )
    hints = (
        "Row k of the weights holds the numbers of filter k in the order in which flatten_maps wrote the maps. How "
        "much has to be moved?",
        "reshape alone is enough, in both directions: the order of the axes K, C, H, W is the order of the numbers.",
        "The new shape is the number of rows followed by the three numbers of maps_shape. Back: keep the first axis, "
        "and -1 for the rest.",
    )


Matrix = tuple[np.ndarray, np.ndarray]


def matrix_of(weight: np.ndarray, bias: np.ndarray, size: Any, stride: int, padding: int) -> Matrix:
    """The right matrix and the right long bias."""
    layer = Conv2d(len(weight), weight.shape[2:], stride=stride, padding=padding)
    found = convert.to_fully_connected(layer, (weight.shape[1], *size), weight, bias)
    assert found.bias is not None
    return found.weight, found.bias


@exercise("conv_as_matrix", notebook=NOTEBOOK, points=5)
class ConvAsMatrix:
    """A convolutional layer written as a fully connected one.

    weight has shape (K, C, KH, KW), bias (K,), input_size is (H, W); stride and padding are whole numbers for both
    axes. Return a tuple (matrix, long_bias): for any maps x of shape (C, H, W), matrix @ x.ravel() + long_bias has to
    be the layer's output (K, OH, OW), flattened filter after filter and row after row. The shapes are
    (K * OH * OW, C * H * W) and (K * OH * OW,). Sizes are rounded down.
    """

    def conv_as_matrix(weight, bias, input_size, stride, padding):
        return matrix_of(weight, bias, input_size, stride, padding)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def draw(name: str, shape: tuple[int, ...], size: tuple[int, int], stride: int, padding: int) -> Case:
            return Case(name, (rng.standard_normal(shape), rng.permutation(shape[0]) + rng.uniform(1.1, 1.9, shape[0]),
                               size, stride, padding))

        yield draw("one filter, one channel", (1, 1, 2, 2), (3, 3), 1, 0)
        yield draw("two filters", (2, 1, 2, 2), (3, 3), 1, 0)
        yield draw("three channels", (2, 3, 2, 2), (3, 3), 1, 0)
        yield draw("wider than tall", (2, 2, 2, 2), (3, 5), 1, 0)
        yield draw("taller than wide", (2, 2, 2, 2), (5, 3), 1, 0)
        yield draw("a filter taller than wide", (2, 2, 3, 2), (4, 5), 1, 0)
        yield draw("a filter wider than tall, stride 2", (3, 2, 2, 3), (6, 5), 2, 0)
        yield draw("stride 2", (2, 1, 3, 3), (7, 5), 2, 0)
        yield draw("a stride larger than the filter", (1, 2, 1, 2), (5, 6), 3, 0)
        yield draw("padding 1", (2, 2, 3, 3), (3, 4), 1, 1)
        yield draw("padding 2, stride 2", (2, 1, 3, 2), (4, 3), 2, 2)
        yield draw("a filter as large as the maps", (2, 2, 2, 3), (2, 3), 1, 0)
        yield draw("filters of 1 x 1", (3, 2, 1, 1), (2, 3), 1, 0)
        yield draw("a last row that no window reaches", (2, 1, 2, 2), (5, 4), 2, 0)
        weight, bias = rng.standard_normal((2, 2, 4, 3)), rng.uniform(1, 2, 2)
        yield Case("single precision", (*single(weight, bias), (4, 5), 1, 1))
        yield Case("strided memory", (weight[:, :, ::2], bias, (3, 5), 1, 0))
        yield Case("Fortran order", (np.asfortranarray(weight), bias, (5, 4), 1, 1))

    misconceptions = (
        Misconception(*FLIPPED, lambda w, b, z, s, p: matrix_of(np.ascontiguousarray(w[:, :, ::-1, ::-1]), b, z, s, p)),
        Misconception("kernel transposed",
                      "Row r of the filter meets row r of its window. Here rows and columns of the filter are swapped.",
                      lambda w, b, z, s, p: matrix_of(np.ascontiguousarray(w.swapaxes(2, 3)), b, z, s, p)),
        Misconception("positions before filters",
                      "The output is flattened filter after filter: all positions of filter 0 come first. Here all "
                      "filters of position 0 do.",
                      mistakes.rows_in_order(1, 2, 0)),
        Misconception("positions counted down the columns",
                      "The positions of a filter are written row after row: the column counts fastest.",
                      mistakes.rows_in_order(0, 2, 1)),
        Misconception("inputs with channels last",
                      "x.ravel() holds channel 0 completely, then channel 1. The columns of this matrix are in the "
                      "order of NHWC.",
                      mistakes.columns_in_order(1, 2, 0)),
        Misconception("inputs counted down the columns",
                      "x.ravel() goes along the rows of a channel; the columns of this matrix go down its columns.",
                      mistakes.columns_in_order(0, 2, 1), also=(mistakes.columns_in_order(2, 1, 0),)),
        Misconception("biases one after the other",
                      "All positions of filter 0 come first and share its bias: bias[0] stands there OH * OW times. "
                      "Here the list of biases is repeated as a whole.",
                      lambda w, b, z, s, p: mistakes.with_bias(
                          matrix_of(w, b, z, s, p), lambda long: np.tile(b, len(long) // len(b)))),
        Misconception("one bias for each filter",
                      "A fully connected layer has a bias for each of its outputs, and a filter has one output at each "
                      "position.",
                      lambda w, b, z, s, p: (matrix_of(w, b, z, s, p)[0], b)),
        Misconception("bias forgotten", "Every output is a sum of products plus the bias of its filter.",
                      lambda w, b, z, s, p: mistakes.with_bias(matrix_of(w, b, z, s, p), np.zeros_like)),
        Misconception("stride ignored",
                      "From position to position the window moves by the stride, along both axes.",
                      lambda w, b, z, s, p: matrix_of(w, b, z, 1, p)),
        Misconception("stride missing in the window's position",
                      "The number of positions is right, but the window of position (i, j) starts at row i * stride "
                      "and column j * stride of the padded maps.",
                      mistakes.without_stride_in_position,
                      also=(mistakes.stride_along(0), mistakes.stride_along(1))),
        Misconception("one position too few along each axis",
                      "Before its first step the window has a position too: the number of steps, plus one.",
                      mistakes.one_fewer),
        Misconception("padding ignored", "With padding there are more positions: the windows may reach past the "
                                         "border.",
                      lambda w, b, z, s, p: matrix_of(w, b, z, s, 0), also=(mistakes.no_room_for_padding,)),
        Misconception("columns for the padding",
                      "The matrix is multiplied by x.ravel() without zeros around it. Weights that meet a zero of the "
                      "padding do nothing, and have no column.",
                      lambda w, b, z, s, p: matrix_of(w, b, (z[0] + 2 * p, z[1] + 2 * p), s, 0)),
        Misconception("weights in the padding wrap around",
                      "A tap of the filter that lies in the padding meets no input. A negative index does not fail, it "
                      "counts from the end: such weights have landed on the other side of the maps.",
                      mistakes.wrapped, also=(mistakes.wrapped_before, mistakes.wrapped_in_vector(1),
                                              mistakes.wrapped_in_vector(2))),
        Misconception("filter in one piece",
                      "Neighboring rows of a filter meet neighboring rows of the maps, and these lie one whole row of "
                      "the maps apart in x.ravel(). Here a channel's weights stand side by side.",
                      mistakes.in_one_piece),
        Misconception("only the first position",
                      "Each filter has a row for each of its positions, with the same weights further on. Here only "
                      "the first one is filled.",
                      mistakes.first_position),
        Misconception("only the first channel", "A filter has weights for all channels of its input.",
                      mistakes.first_channel),
        Misconception("the first channel's weights for all channels",
                      "Each channel of a filter has weights of its own.",
                      lambda w, b, z, s, p: matrix_of(np.repeat(w[:, :1], w.shape[1], axis=1), b, z, s, p)),
        Misconception("the same filter for all outputs",
                      "Filter k belongs to the rows of output k; here one filter stands in all of them.",
                      lambda w, b, z, s, p: matrix_of(np.repeat(w[:1], len(w), axis=0), b, z, s, p)),
        Misconception("one bias for all filters", "Each filter has a bias of its own.",
                      lambda w, b, z, s, p: mistakes.with_bias(
                          matrix_of(w, b, z, s, p), lambda long: np.full_like(long, b[0])),
                      also=(lambda w, b, z, s, p: mistakes.with_bias(
                          matrix_of(w, b, z, s, p), lambda long: np.full_like(long, b.sum())),)),
        Misconception("bias for the first outputs only",
                      "Every output of the fully connected layer has a bias; here most of them are zero.",
                      lambda w, b, z, s, p: mistakes.with_bias(
                          matrix_of(w, b, z, s, p), lambda long: np.pad(b, (0, len(long) - len(b)))),
                      also=(lambda w, b, z, s, p: mistakes.with_bias(
                          matrix_of(w, b, z, s, p),
                          lambda long: long * (np.arange(len(long)) % (len(long) // len(b)) == 0)),)),
        Misconception("bias added once per channel",
                      "The bias is added once to an output, after the sum over all channels.",
                      lambda w, b, z, s, p: mistakes.with_bias(
                          matrix_of(w, b, z, s, p), lambda long: long * w.shape[1]),
                      also=(lambda w, b, z, s, p: mistakes.with_bias(
                          matrix_of(w, b, z, s, p), lambda long: long * (w.shape[1] + 1)),)),
        Misconception("edge values in the padding",
                      "The padding is zeros. Here weights in the padding meet the nearest number inside of the maps.",
                      mistakes.clamped),
        Misconception("padding left out of the position",
                      "The windows start in the padding: row i * stride of the padded maps is row i * stride - padding "
                      "of the maps themselves.",
                      mistakes.without_padding_in_position),
        Misconception("nothing left without padding",
                      "A slice that ends at -padding ends at 0 where padding is 0, and is empty: say where it ends by "
                      "counting from its start.",
                      mistakes.cut_at_minus_zero),
        Misconception("height and width of the input swapped", "input_size is (height, width).",
                      lambda w, b, z, s, p: matrix_of(w, b, z[::-1], s, p)),
        Misconception("matrix transposed", "matrix @ x.ravel() needs one column for each input, one row for each "
                                           "output.",
                      lambda w, b, z, s, p: (matrix_of(w, b, z, s, p)[0].T, matrix_of(w, b, z, s, p)[1])),
    )
    hints = (
        "Take one filter of 2 x 2 on one map of 3 x 3, and write the four rows of nine numbers on paper.",
        "Make a matrix of zeros with the axes (K, OH, OW, C, H, W) first. Each output (k, i, j) gets the filter k, "
        "written at its window. Reshape at the end.",
        "Padding: make the zeros with H + 2 padding rows and W + 2 padding columns, write matrix[k, i, j, :, i * "
        "stride : i * stride + KH, j * stride : j * stride + KW] = weight[k], and cut the border off before you "
        "reshape. np.repeat writes each bias several times.",
    )
