"""Figures of one layer in two forms: maps as a vector, weights as filters, a convolution as a matrix."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_hex
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from cnncourse import convert
from cnncourse.layers import Conv2d, Linear
from cnncourse.plotting.illustration import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PALE,
    RED,
    SKY,
    Illustration,
    bare,
    counted,
    illustrated,
)

CHANNEL_COLORS = (SKY, ORANGE, GREEN, RED)


@illustrated
def maps_as_vector(maps: np.ndarray, flatten_maps: Callable[[np.ndarray], np.ndarray] | None = None) -> Illustration:
    """Feature maps, and the vector that a fully connected layer sees instead of them.

    Parameters
    ----------
    maps : array of shape (C, H, W)
        Small, with numbers that are all different; up to four channels.
    flatten_maps : callable, optional
        Called with maps of shape (1, C, H, W); by default channel after channel, row after row.

    Returns
    -------
    Illustration

    Raises
    ------
    ValueError
        If two numbers are equal or there are too many channels.
    """
    channels, height, width = maps.shape
    if len(np.unique(maps)) < maps.size or channels > len(CHANNEL_COLORS):
        raise ValueError(f"the numbers have to differ, in at most {len(CHANNEL_COLORS)} channels")
    vector = (maps.reshape(-1) if flatten_maps is None else np.asarray(flatten_maps(maps[np.newaxis])).reshape(-1))
    origin = {float(value): place[0] for place, value in np.ndenumerate(maps)}
    cell = 7.0 / max(vector.size + 1, channels * (width + 1))
    figure = Illustration(7.0, cell * height + cell + 1.1)
    top, bottom = figure.subplots(2, 1, height_ratios=[height, 1.2])
    for channel in range(channels):
        _cells(top, maps[channel], channel * (width + 1), [[CHANNEL_COLORS[channel]] * width] * height)
        top.text(channel * (width + 1) + (width - 1) / 2, -0.75, f"channel {channel}", ha="center", fontsize=11.5)
    colors = [CHANNEL_COLORS[origin[float(value)]] if float(value) in origin else PALE for value in vector]
    _cells(bottom, vector[np.newaxis], 0, [colors])
    bottom.text(-0.5, -0.75, f"the same {vector.size} numbers as a vector", ha="left", fontsize=11.5)
    for axes in (top, bottom):
        axes.set_aspect("equal")
        bare(axes).autoscale_view()
        axes.invert_yaxis()
    figure.alt = (f"Feature maps ({counted(channels, 'channel')} of {height} x {width} numbers), and below them the "
                  f"vector that is made of them: {', '.join(f'{value:g}' for value in vector)}.")
    return figure


def _cells(axes: Axes, values: np.ndarray, left: float, colors: Sequence[Sequence[str]]) -> None:
    """Numbers in colored squares."""
    for (row, column), value in np.ndenumerate(values):
        axes.add_patch(Rectangle((left + column - 0.5, row - 0.5), 1, 1, facecolor=colors[row][column], alpha=0.55,
                                 edgecolor="white", linewidth=1.5))
        axes.text(left + column, row, f"{value:g}", ha="center", va="center", fontsize=10.5, color=INK)


@illustrated
def weights_as_filters(
    weight: np.ndarray, maps_shape: tuple[int, int, int], names: Sequence[str],
    fc_to_filters: Callable[..., np.ndarray] | None = None,
) -> Illustration:
    """Rows of a fully connected layer's weights, and the same numbers as filters.

    Parameters
    ----------
    weight : array of shape (K, C * H * W)
    maps_shape : (C, H, W)
        What the layer sees flattened; of each filter the first channel is drawn.
    names : sequence of str
        One for each row.
    fc_to_filters : callable, optional
        Called as fc_to_filters(weight, maps_shape); by default the reference.

    Returns
    -------
    Illustration
    """
    filters = (convert.to_convolution(Linear(len(weight), bias=False), maps_shape, weight).weight
               if fc_to_filters is None else np.asarray(fc_to_filters(weight, maps_shape)))
    bound = float(np.abs(weight).max()) or 1.0
    columns = min(len(names), 5)
    rows = -(-len(names) // columns)
    figure = Illustration(7.0, 2.3 + rows * (7.0 / columns * filters.shape[2] / filters.shape[3] + 0.3))
    parts = figure.subfigures(2, 1, squeeze=False,
                              height_ratios=[2.3, rows * 7.0 / columns * filters.shape[2] / filters.shape[3]])
    above, below = parts[:, 0]
    strip = above.subplots()
    strip.imshow(weight, cmap="cividis", vmin=-bound, vmax=bound, aspect="auto", interpolation="nearest")
    strip.set(yticks=range(len(names)), yticklabels=names, xlabel="place in the vector",
              title=f"the weights of the layer: {len(weight)} rows of {weight.shape[1]}")
    strip.tick_params(axis="y", labelsize=8 if len(names) > 5 else 10)
    drawn = below.subplots(rows, columns, squeeze=False).ravel()
    for axes in drawn:
        bare(axes)
    for axes, name, filter_ in zip(drawn, names, filters, strict=False):
        axes.imshow(filter_[0], cmap="cividis", vmin=-bound, vmax=bound, interpolation="nearest")
        axes.set_title(name, fontsize=11)
    figure.alt = (f"Above a matrix of {len(weight)} rows with {weight.shape[1]} weights each; below the same rows as "
                  f"{len(filters)} filters of {' x '.join(map(str, filters.shape[1:]))}, for {', '.join(names)}. "
                  "Bright weights speak for it, dark ones against it.")
    return figure


@illustrated
def convolution_as_matrix(
    weight: np.ndarray, input_size: tuple[int, int], stride: int = 1, padding: int = 0,
    conv_as_matrix: Callable[..., tuple[np.ndarray, np.ndarray]] | None = None,
) -> Illustration:
    """A convolution as the matrix of a fully connected layer: mostly zeros, and the others copies of a few weights.

    Parameters
    ----------
    weight : array of shape (K, C, KH, KW)
        With weights that are all different and none of them zero.
    input_size : (H, W)
    stride, padding : int, optional
    conv_as_matrix : callable, optional
        Called as conv_as_matrix(weight, bias, input_size, stride, padding); by default the reference.

    Returns
    -------
    Illustration
    """
    bias = np.zeros(len(weight), weight.dtype)
    layer = Conv2d(len(weight), weight.shape[2:], stride=stride, padding=padding)
    shape = (weight.shape[1], *input_size)
    matrix = (convert.to_fully_connected(layer, shape, weight, bias).weight if conv_as_matrix is None
              else np.asarray(conv_as_matrix(weight, bias, input_size, stride, padding)[0]))
    values = np.unique(weight)
    # Each weight keeps its color wherever it stands; what is neither zero nor a weight would be drawn in red.
    number = np.where(matrix == 0, 0, np.searchsorted(values, matrix) + 1)
    number[(matrix != 0) & ~np.isin(matrix, values)] = len(values) + 1
    figure = Illustration(7.0, min(7.0 * matrix.shape[0] / matrix.shape[1], 4.4) + 0.9)
    axes = figure.subplots()
    colors = [PALE, *_ramp(len(values)), RED]
    axes.imshow(number, cmap=ListedColormap(colors), vmin=0, vmax=len(values) + 1, interpolation="nearest")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))
    zeros = int((matrix == 0).sum())
    axes.set(xlabel=f"input: {' x '.join(map(str, shape))}, written as a vector",
             ylabel=f"output: {' x '.join(map(str, layer.output_shape(shape)))}",
             title=f"{matrix.shape[0]} x {matrix.shape[1]} = {matrix.size:,} weights, {zeros:,} of them zero (gray)\n"
                   f"one color for each of the filters' {weight.size} weights")
    for boundary in range(shape[1] * shape[2], matrix.shape[1], shape[1] * shape[2]):
        axes.axvline(boundary - 0.5, color=BLUE, linewidth=1.2)
    for boundary in range(matrix.shape[0] // len(weight), matrix.shape[0], max(matrix.shape[0] // len(weight), 1)):
        axes.axhline(boundary - 0.5, color=BLUE, linewidth=1.2)
    figure.alt = (f"A matrix of {matrix.shape[0]} x {matrix.shape[1]} weights that computes a convolution. {zeros:,} "
                  f"of its {matrix.size:,} entries are zero; the others are copies of {weight.size} weights, in "
                  "slanted stripes: within a filter, and but for the borders, each row is the row above it, moved on.")
    return figure


def _ramp(count: int) -> list[str]:
    return [to_hex(color) for color in mpl.colormaps["viridis"](np.linspace(0, 1, count))]
