"""Figures of the numbers inside a convolution: one dot product, the flip, patches turned into columns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes

from cnncourse import functional as F
from cnncourse.plotting.illustration import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    RED,
    Illustration,
    bare,
    counted,
    illustrated,
    numbers,
    outline,
)


@illustrated
def dot_product(patch: np.ndarray, kernel: np.ndarray, bias: float = 0.0) -> Illustration:
    """One output value spelled out: patch times filter entry by entry, summed, plus bias.

    Parameters
    ----------
    patch : array of shape (C, KH, KW)
        The block of the input that the output neuron sees; up to four channels are drawn well.
    kernel : array of shape (C, KH, KW)
    bias : float, optional

    Returns
    -------
    Illustration
        A row for each channel: patch, filter, products and their sum; the total stands below.

    Raises
    ------
    ValueError
        If the two shapes differ or do not have three axes.
    """
    if patch.shape != kernel.shape or patch.ndim != 3:
        raise ValueError(f"patch {patch.shape} and kernel {kernel.shape} have to share one shape (C, KH, KW)")
    products = patch * kernel
    channels, height, width = patch.shape
    figure = Illustration(7.0, 0.75 + 0.5 * height * channels)
    grid = figure.subplots(channels, 7, squeeze=False, width_ratios=[width, 0.7, width, 0.7, width, 0.7, 2.2])
    for channel, row in enumerate(grid):
        for axes, values in zip(row[::2], (patch, kernel, products), strict=False):
            numbers(axes, values[channel], limit=float(np.abs(values).max()) or 1.0)
        for axes, sign in zip(row[1::2], "×=→", strict=True):
            bare(axes).text(0.5, 0.5, sign, ha="center", va="center", fontsize=16)
        bare(row[6]).set_box_aspect(height / 2.2)
        row[6].text(0.5, 0.5, _signed(products[channel].sum()), ha="center", va="center", fontsize=15, weight="bold")
        row[0].text(-0.8, (height - 1) / 2, f"channel {channel}", rotation=90, ha="center", va="center")
    for axes, title in zip(grid[0, ::2], ("patch", "filter", "products", "sum"), strict=True):
        axes.set_title(title)
    sums = products.sum(axis=(1, 2))
    terms = " + ".join(_bracketed(value) for value in sums)
    total = f"{terms} + {_bracketed(bias)} (bias) = {_signed(sums.sum() + bias)}"
    figure.supxlabel(total, fontsize=13, color=INK)
    figure.alt = (f"A patch and a filter of shape {patch.shape}, multiplied entry by entry; the products of each "
                  f"channel are summed and the bias is added: {total}.")
    return figure


@illustrated
def flipped_kernel(kernel: np.ndarray) -> Illustration:
    """What a filter makes of a single bright pixel, without and with the flip of a true convolution.

    Parameters
    ----------
    kernel : array of shape (KH, KW)
        Best without symmetry, and with odd sizes, so that the bright pixel has a middle to lie in.

    Returns
    -------
    Illustration
        Input, filter, cross-correlation (what the layers compute) and convolution (what mathematics calls so).
    """
    height, width = kernel.shape
    impulse = np.zeros((1, 1, 2 * height - 1, 2 * width - 1))
    impulse[0, 0, height - 1, width - 1] = 1
    bias = np.zeros(1)
    correlated = F.conv2d(impulse, kernel[np.newaxis, np.newaxis].astype(float), bias)[0, 0]
    convolved = F.conv2d(impulse, kernel[np.newaxis, np.newaxis, ::-1, ::-1].astype(float), bias)[0, 0]
    figure = Illustration(7.0, 2.6)
    panels = (("input:\none bright pixel", impulse[0, 0]), ("filter\n", kernel),
              ("cross-correlation:\nno flip", correlated), ("convolution:\nfilter flipped first", convolved))
    drawn = figure.subplots(1, 4, width_ratios=[values.shape[1] + 1 for _, values in panels])
    for axes, (title, values) in zip(drawn, panels, strict=True):
        numbers(axes, values, limit=float(np.abs(kernel).max()), size=10)
        # The same number of cells in height everywhere: then all cells are of one size.
        middle = (values.shape[0] - 1) / 2
        axes.set(xlim=(-1, values.shape[1]), ylim=(middle + height - 0.5, middle - height + 0.5))
        axes.set_title(title, fontsize=11)
    figure.alt = ("A single bright pixel, filtered. Cross-correlation answers with the filter turned by half a turn, "
                  f"{correlated.tolist()}; convolution answers with the filter as it is, {convolved.tolist()}.")
    return figure


@illustrated
def patches_as_columns(
    x: np.ndarray,
    kernel_size: tuple[int, int],
    stride: int = 1,
    im2col: Callable[..., np.ndarray] | None = None,
) -> Illustration:
    """Each patch of a picture becomes one column of a matrix.

    Parameters
    ----------
    x : array of shape (1, C, H, W)
        A small picture; its numbers are written into it.
    kernel_size : tuple of int
        Height and width of the patch.
    stride : int, optional
    im2col : callable, optional
        Called as im2col(x, kernel_size, stride, padding); by default the reference.

    Returns
    -------
    Illustration
        Three of the patches are framed in the picture, and the same three in the matrix.
    """
    compute = im2col or (lambda *a: F.im2col(a[0], a[1], stride=a[2], padding=a[3]))
    columns = np.asarray(compute(x, kernel_size, stride, 0))[0]
    _, channels, height, width = x.shape
    kernel_height, kernel_width = kernel_size
    steps = (width - kernel_width) // stride + 1
    figure = Illustration(7.0, max(2.6, 0.27 * columns.shape[0] + 0.9))
    grid = figure.add_gridspec(channels, 2, width_ratios=[1, 1.7])
    pictures = [figure.add_subplot(grid[channel, 0]) for channel in range(channels)]
    matrix = figure.add_subplot(grid[:, 1])
    limit = float(np.abs(x).max())
    numbers(matrix, columns, limit=limit, size=10)
    marks = ((0, BLUE, "-"), (1, ORANGE, "--"), (columns.shape[1] - 1, GREEN, ":"))
    for channel, axes in enumerate(pictures):
        numbers(axes, x[0, channel], limit=limit, size=10)
        axes.set_title(f"picture, channel {channel}" if channels > 1 else "picture")
    for position, color, line in marks:
        row, column = divmod(position, steps)
        for axes in pictures:
            outline(axes, row * stride, column * stride, kernel_height, kernel_width, edgecolor=color, linestyle=line)
        outline(matrix, 0, position, columns.shape[0], 1, edgecolor=color, linestyle=line)
    matrix.set_title(f"{columns.shape[0]} rows: one for each weight\n{columns.shape[1]} columns: one for each position")
    if channels > 1:
        _label_channels(matrix, channels, kernel_height * kernel_width)
    figure.alt = (f"A picture of {counted(channels, 'channel')}, {height} by {width}. Its "
                  f"{columns.shape[1]} patches of {kernel_height} by {kernel_width} stand as columns in a matrix of "
                  f"shape {columns.shape}; the first, the second and the last patch are framed in both.")
    return figure


def _label_channels(axes: Axes, channels: int, rows: int) -> None:
    for channel in range(channels):
        axes.text(-0.8, rows * (channel + 0.5) - 0.5, f"channel {channel}", rotation=90, ha="right", va="center")
        if channel:
            axes.axhline(rows * channel - 0.5, color=RED, linewidth=2)


def _signed(value: float) -> str:
    return f"{value:.6g}".replace("-", "−")


def _bracketed(value: float) -> str:
    return f"({_signed(value)})" if value < 0 else _signed(value)
