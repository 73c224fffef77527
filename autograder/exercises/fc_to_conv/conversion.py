"""One layer in two forms: weights as filters and back, a convolution as a matrix, and how many parameters each has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.exercises import words
from autograder.exercises.fc_to_conv.common import NOTEBOOK, single
from autograder.exercises.making import in_answer
from autograder.exercises.written import Written
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
        Misconception(*words.CHANNELS_LAST, _reshaped("KHWC", 0, 3, 1, 2)),
        Misconception(*words.COLUMNS_FIRST, _reshaped("KCWH", 0, 1, 3, 2)),
        Misconception(*words.FORTRAN_ORDER, lambda w, s: w.reshape((len(w), *s), order="F")),
        Misconception("height and width of the maps swapped",
                      "maps_shape is (C, H, W), and a filter is C x H x W like the maps that it meets: its third axis "
                      "counts rows.", _reshaped("KCWH")),
        Misconception("filters along the last axis",
                      "Each row of the weights belongs to one output and becomes one filter: the filter is the first "
                      "axis before and after. Here the numbers of different rows are mixed.",
                      _reshaped("CHWK", 3, 0, 1, 2)),
        Misconception("weights transposed first",
                      "Row k of the weights is filter k already: nothing has to be turned before the reshape.",
                      lambda w, s: w.T.reshape(len(w), *s)),
        Misconception("channels in front of the filters", "The result is (K, C, H, W): the filter comes first.",
                      _reshaped("KCHW", 1, 0, 2, 3)),
        Misconception("channels behind the window",
                      "The values are right, but the axes of a filter are in the order C, H, W.",
                      _reshaped("KCHW", 0, 2, 3, 1)),
        Misconception(*words.FLIPPED, lambda w, s: w.reshape(len(w), *s)[:, :, ::-1, ::-1],
                      also=(lambda w, s: w.reshape(len(w), *s)[:, ::-1, ::-1, ::-1],)),
        Misconception(*words.DEPTH_LOST, lambda w, s: w.reshape(len(w), *s)[:, 0],
                      also=(lambda w, s: w.reshape(len(w), *s)[:, :1], lambda w, s: w.reshape(len(w), *s).sum(axis=1),
                            lambda w, s: w.reshape(len(w), *s).mean(axis=1))),
        *in_answer(
            "filters_to_fc",
            Misconception(*words.CHANNELS_LAST, lambda w: w.transpose(0, 2, 3, 1).reshape(len(w), -1)),
            Misconception(*words.COLUMNS_FIRST, lambda w: w.transpose(0, 1, 3, 2).reshape(len(w), -1)),
            Misconception(*words.FORTRAN_ORDER, lambda w: w.reshape(len(w), -1, order="F")),
            Misconception(*words.FLIPPED, lambda w: w[:, :, ::-1, ::-1].reshape(len(w), -1),
                          also=(lambda w: w[..., ::-1].reshape(len(w), -1),
                                lambda w: w[:, :, ::-1].reshape(len(w), -1))),
            Misconception("filters mixed on the way back",
                          "A row holds the weights of one filter. A reshape keeps the order of the numbers, and here "
                          "the filter is not the axis that counts slowest.", lambda w: w.T.reshape(len(w), -1),
                          also=(lambda w: w.reshape(-1, len(w)).T,)),
            Misconception(*words.DEPTH_LOST, lambda w: w[:, 0].reshape(len(w), -1),
                          also=(lambda w: w.sum(axis=1).reshape(len(w), -1),
                                lambda w: w.mean(axis=1).reshape(len(w), -1))),
            Misconception("all filters in one row", "Each filter becomes a row of its own.", np.ravel),
            Misconception("one column for each filter", "Each filter becomes a row, not a column.",
                          lambda w: w.reshape(len(w), -1).T),
            Misconception("rows for channels", "A filter with all of its channels is one row.",
                          lambda w: w.reshape(-1, w[0, 0].size)),
        ),
    )
    hints = (
        "Row k of the weights holds the numbers of filter k in the order in which flatten_maps wrote the maps. How "
        "much has to be moved?",
        "reshape alone is enough, in both directions: the order of the axes K, C, H, W is the order of the numbers.",
        "The new shape is the number of rows followed by the three numbers of maps_shape. Back: keep the first axis, "
        "and -1 for the rest.",
    )


def _by_windows(weight, bias, input_size, stride, padding):
    """Each filter written at each of its windows, on maps with the padding around them."""
    (filters, channels, down, right), (height, width) = weight.shape, input_size
    rows = (height + 2 * padding - down) // stride + 1
    columns = (width + 2 * padding - right) // stride + 1
    matrix = np.zeros((filters, rows, columns, channels, height + 2 * padding, width + 2 * padding))
    for i, j in np.ndindex(rows, columns):
        top, left = i * stride, j * stride
        matrix[:, i, j, :, top:top + down, left:left + right] = weight
    inside = matrix[..., padding:padding + height, padding:padding + width]
    return inside.reshape(filters * rows * columns, -1), np.repeat(bias, rows * columns)


def _by_taps(weight, bias, input_size, stride, padding):
    """Each weight written at its place in the vector, if that does not lie in the padding."""
    (filters, channels, down, right), (height, width) = weight.shape, input_size
    rows = (height + 2 * padding - down) // stride + 1
    columns = (width + 2 * padding - right) // stride + 1
    matrix = np.zeros((filters, rows, columns, channels * height * width))
    for i, j, c, r, s in np.ndindex(rows, columns, channels, down, right):
        row, column = i * stride + r - padding, j * stride + s - padding
        inside = 0 <= row < height and 0 <= column < width
        if inside:
            matrix[:, i, j, (c * height + row) * width + column] = weight[:, c, r, s]
    return matrix.reshape(filters * rows * columns, -1), np.repeat(bias, rows * columns)


WINDOWS, TAPS = Written.of(_by_windows), Written.of(_by_taps)
_WRAPPED = {"+ row) * width + column": "+ row % height) * width + column % width"}


def _rows_in_order(*axes: int) -> Callable[..., Any]:
    """Rows counted in another order of (K, OH, OW), biases likewise."""
    bias = "np.repeat(bias, rows * columns)"
    return WINDOWS.edited({"inside.reshape": f"inside.transpose(*{axes}, 3, 4, 5).reshape",
                    bias: f"{bias}.reshape(filters, rows, columns).transpose{axes}.ravel()"})


def _bias(written: str) -> Callable[..., Any]:
    """Another long bias."""
    return WINDOWS.edited({"np.repeat(bias, rows * columns)": written})


@exercise("conv_as_matrix", notebook=NOTEBOOK, points=5)
class ConvAsMatrix:
    """A convolutional layer written as a fully connected one.

    weight has shape (K, C, KH, KW), bias (K,), input_size is (H, W); stride and padding are whole numbers for both
    axes. Return a tuple (matrix, long_bias): for any maps x of shape (C, H, W), matrix @ x.ravel() + long_bias has to
    be the layer's output (K, OH, OW), flattened filter after filter and row after row. The shapes are
    (K * OH * OW, C * H * W) and (K * OH * OW,). Sizes are rounded down.
    """

    def conv_as_matrix(weight, bias, input_size, stride, padding):
        layer = Conv2d(len(weight), weight.shape[2:], stride=stride, padding=padding)
        found = convert.to_fully_connected(layer, (weight.shape[1], *input_size), weight, bias)
        return found.weight, found.bias

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
        Misconception(*words.FLIPPED, WINDOWS.edited({"] = weight": "] = weight[:, :, ::-1, ::-1]"})),
        Misconception(*words.KERNEL_TRANSPOSED, lambda w, b, z, s, p: _by_windows(w.swapaxes(2, 3), b, z, s, p)),
        Misconception("positions before filters",
                      "The output is flattened filter after filter: all positions of filter 0 come first. Here all "
                      "filters of position 0 do.", _rows_in_order(1, 2, 0)),
        Misconception(*words.POSITIONS_DOWNWARDS, _rows_in_order(0, 2, 1)),
        Misconception("inputs with channels last",
                      "x.ravel() holds channel 0 completely, then channel 1. The columns of this matrix are in the "
                      "order of NHWC.",
                      WINDOWS.edited({"inside.reshape": "inside.transpose(0, 1, 2, 4, 5, 3).reshape"})),
        Misconception("inputs counted down the columns",
                      "x.ravel() goes along the rows of a channel; the columns of this matrix go down its columns.",
                      WINDOWS.edited({"inside.reshape": "inside.swapaxes(4, 5).reshape"}),
                      also=(WINDOWS.edited({"inside.reshape": "inside.swapaxes(3, 5).reshape"}),)),
        Misconception("biases one after the other",
                      "All positions of filter 0 come first and share its bias: bias[0] stands there OH * OW times. "
                      "Here the list of biases is repeated as a whole.", _bias("np.tile(bias, rows * columns)")),
        Misconception("one bias for each filter",
                      "A fully connected layer has a bias for each of its outputs, and a filter has one output at "
                      "each position.", _bias("bias")),
        Misconception(*words.BIAS_FORGOTTEN, _bias("np.zeros(filters * rows * columns)")),
        Misconception(*words.STRIDE_IGNORED, lambda w, b, z, s, p: _by_windows(w, b, z, 1, p)),
        Misconception(*words.STRIDE_NOT_IN_POSITION, WINDOWS.edited({"i * stride, j * stride": "i, j"}),
                      also=(WINDOWS.edited({"i * stride, j * stride": "i * stride, j"}),
                            WINDOWS.edited({"i * stride, j * stride": "i, j * stride"}))),
        Misconception(*words.ONE_ROW_AND_COLUMN_FEWER,
                      WINDOWS.edited({"- down) // stride + 1": "- down) // stride",
                               "- right) // stride + 1": "- right) // stride"})),
        Misconception(*words.PADDING_IGNORED, lambda w, b, z, s, p: _by_windows(w, b, z, s, 0),
                      also=(WINDOWS.edited({", height + 2 * padding, width + 2 * padding": ", height, width"}),)),
        Misconception("columns for the padding",
                      "The matrix is multiplied by x.ravel() without zeros around it. Weights that meet a zero of the "
                      "padding do nothing, and have no column.", WINDOWS.edited({"return inside": "return matrix"})),
        Misconception("weights in the padding wrap around",
                      "A tap of the filter that lies in the padding meets no input. A negative index does not fail, "
                      "it counts from the end: such weights have landed on the other side of the maps.",
                      TAPS.edited({"if inside": "if True", **_WRAPPED}),
                      also=(TAPS.edited({"0 <= row < height and 0 <= column": "row < height and column", **_WRAPPED}),
                            TAPS.edited({"0 <= row < height and 0 <= column": "row < height and column"}),
                            TAPS.edited({"if inside": "if True"}))),
        Misconception("filter in one piece",
                      "Neighboring rows of a filter meet neighboring rows of the maps, and these lie one whole row of "
                      "the maps apart in x.ravel(). Here a channel's weights stand side by side.",
                      TAPS.edited({"i * stride + r - padding, j * stride + s - padding":
                                   "0, max(0, (i * stride - padding) * width + j * stride - padding) + r * right + s",
                                   "0 <= row < height and 0 <= column < width": "column < height * width"})),
        Misconception(*words.ONLY_FIRST_POSITION, WINDOWS.edited({"np.ndindex(rows, columns)": "np.ndindex(1, 1)"})),
        Misconception(*words.FIRST_CHANNEL,
                      WINDOWS.edited({"j, :, top": "j, :1, top", "] = weight": "] = weight[:, :1]"})),
        Misconception(*words.FIRST_CHANNEL_FOR_ALL, WINDOWS.edited({"] = weight": "] = weight[:, :1]"})),
        Misconception(*words.ONE_FILTER, WINDOWS.edited({"] = weight": "] = weight[:1]"})),
        Misconception(*words.ONE_BIAS, _bias("np.repeat(0 * bias + bias[0], rows * columns)"),
                      also=(_bias("np.repeat(0 * bias + bias.sum(), rows * columns)"),)),
        Misconception("bias for the first outputs only",
                      "Every output of the fully connected layer has a bias; here most of them are zero.",
                      _bias("np.pad(bias, (0, filters * (rows * columns - 1)))"),
                      also=(_bias("np.outer(bias, np.arange(rows * columns) == 0).ravel()"),)),
        Misconception(*words.BIAS_PER_CHANNEL, _bias("np.repeat(channels * bias, rows * columns)"),
                      also=(_bias("np.repeat((channels + 1) * bias, rows * columns)"),)),
        Misconception(*words.EDGE_VALUES,
                      TAPS.edited({"if inside": "if True", "height + row)": "height + np.clip(row, 0, height - 1))",
                                    "width + column]": "width + np.clip(column, 0, width - 1)]"})),
        Misconception("padding left out of the position",
                      "The windows start in the padding: row i * stride of the padded maps is row i * stride - "
                      "padding of the maps themselves.",
                      WINDOWS.edited({"padding:padding + height, padding:padding + width": ":height, :width"})),
        Misconception(*words.EMPTY_WITHOUT_PADDING,
                      WINDOWS.edited({"padding:padding + height, padding:padding + width":
                              "padding:-padding, padding:-padding"})),
        Misconception(*words.HEIGHT_AND_WIDTH_SWAPPED, lambda w, b, z, s, p: _by_windows(w, b, z[::-1], s, p)),
        Misconception("matrix transposed",
                      "matrix @ x.ravel() needs one column for each input, one row for each output.",
                      WINDOWS.edited({"-1), np": "-1).T, np"})),
    )
    hints = (
        "Take one filter of 2 x 2 on one map of 3 x 3, and write the four rows of nine numbers on paper.",
        "Make a matrix of zeros with the axes (K, OH, OW, C, H, W) first. Each output (k, i, j) gets the filter k, "
        "written at its window. Reshape at the end.",
        "Padding: make the zeros with H + 2 padding rows and W + 2 padding columns, write matrix[k, i, j, :, i * "
        "stride : i * stride + KH, j * stride : j * stride + KW] = weight[k], and cut the border off before you "
        "reshape. np.repeat writes each bias several times.",
    )
