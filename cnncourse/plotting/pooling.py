"""Figures of pooling: what windows make of numbers, where maxima lie, and how gradients find their way back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle

from cnncourse import functional as F
from cnncourse.plotting.illustration import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    RED,
    SKY,
    Illustration,
    bare,
    counted,
    illustrated,
    numbers,
    outline,
)

COLORS = (RED, SKY, ORANGE, GREEN, BLUE, INK)
LINES = ("-", "--", ":", "-.")
"""Windows differ by the line too, for those who cannot tell the colors."""


@illustrated
def pooled_windows(plane: np.ndarray, kernel_size: tuple[int, int], stride: int) -> Illustration:
    """The same windows pooled in three ways.

    Parameters
    ----------
    plane : array of shape (H, W)
        Small whole numbers are best to read.
    kernel_size : tuple of int
    stride : int

    Returns
    -------
    Illustration
        The plane with every window framed, and the maximum, the mean and the L2 norm of each, framed alike.
    """
    x = plane[None, None].astype(np.float64)
    results = {
        "maximum": F.max_pool2d(x, kernel_size, stride)[0, 0],
        "mean": F.avg_pool2d(x, kernel_size, stride)[0, 0],
        "L2 norm": F.lp_pool2d(x, 2, kernel_size, stride)[0, 0],
    }
    (height, width), (rows, columns) = plane.shape, results["maximum"].shape
    figure = Illustration(7.0, 0.4 + max(7.0 * height / (width + 3 * columns + 3), 1.2))
    grid = figure.subplots(1, 4, width_ratios=(width, columns, columns, columns))
    numbers(grid[0], plane)
    grid[0].set_title(f"input, {height} x {width}")
    _frame_windows(grid[0], (rows, columns), kernel_size, stride)
    for axes, (name, result) in zip(grid[1:], results.items(), strict=True):
        numbers(axes, np.round(result, 1), size=11.5 if columns < 4 else 9)
        axes.set_title(name)
        _frame_windows(axes, (rows, columns), (1, 1), 1)
    told = "; ".join(f"{name} {np.round(result, 2).tolist()}" for name, result in results.items())
    figure.alt = (f"A plane of {height} x {width} numbers with {counted(rows * columns, 'window')} of {kernel_size[0]} "
                  f"x {kernel_size[1]}, {stride} apart: {plane.tolist()}. Of each window: {told}.")
    return figure


@illustrated
def maxima_and_indices(plane: np.ndarray, kernel_size: tuple[int, int], stride: int) -> Illustration:
    """Where in the plane each window's maximum lies, counted row by row.

    Parameters
    ----------
    plane : array of shape (H, W)
    kernel_size : tuple of int
    stride : int

    Returns
    -------
    Illustration
        The plane with its maxima ringed and every entry's number in small type; beside it the maxima and their
        indices.
    """
    out, indices = F.max_pool2d(plane[None, None].astype(np.float64), kernel_size, stride, return_indices=True)
    (height, width), (rows, columns) = plane.shape, out.shape[2:]
    figure = Illustration(7.0, 0.45 + 7.0 * max(height, 2.5) / (width + 2 * columns + 3))
    grid = figure.subplots(1, 3, width_ratios=(width, columns, columns))
    numbers(grid[0], plane, size=13)
    grid[0].set_title("input; small: number of the entry")
    bound = np.abs(plane).max()
    for (row, column), value in np.ndenumerate(plane):
        grid[0].text(column - 0.42, row - 0.4, str(row * width + column), ha="left", va="top", fontsize=8.5,
                     color="white" if value < 0.25 * bound else INK)
    for index in np.unique(indices):
        grid[0].add_patch(Circle((index % width, index // width), 0.33, facecolor="none", edgecolor=RED, linewidth=2.5))
    for i, j in np.ndindex(rows, columns):
        outline(grid[0], i * stride, j * stride, *kernel_size, edgecolor="white", linewidth=3)
    for axes, name, values in zip(grid[1:], ("out", "indices"), (out, indices), strict=True):
        numbers(axes, values[0, 0].astype(float), limit=float(bound) if name == "out" else height * width, size=13)
        axes.set_title(name)
        _frame_windows(axes, (rows, columns), (1, 1), 1)
    figure.alt = (f"A plane of {height} x {width} numbers: {plane.tolist()}. The maxima of its "
                  f"{counted(rows * columns, 'window')}, {out[0, 0].tolist()}, are ringed; counted row by row they are "
                  f"the entries {indices[0, 0].tolist()}.")
    return figure


@illustrated
def gradient_routes(
    plane: np.ndarray, grad_out: np.ndarray, kernel_size: tuple[int, int], stride: int
) -> Illustration:
    """What each kind of pooling hands back to its input.

    Parameters
    ----------
    plane : array of shape (H, W)
    grad_out : array, shape of the output
    kernel_size : tuple of int
    stride : int

    Returns
    -------
    Illustration
        The input and the gradient from above; below, the gradients of the input for maximum, mean and L2 norm.
    """
    x, above = plane[None, None].astype(np.float64), grad_out[None, None].astype(np.float64)
    gradients = {
        "maximum": F.max_pool2d_backward(above, x, kernel_size, stride)[0, 0],
        "mean": F.avg_pool2d_backward(above, x, kernel_size, stride)[0, 0],
        "L2 norm": F.lp_pool2d_backward(above, x, 2, kernel_size, stride)[0, 0],
    }
    (height, width), (rows, columns) = plane.shape, grad_out.shape
    figure = Illustration(7.0, 0.9 + 2 * 2.2 * height / width)
    (upper,), (lower,) = figure.subfigures(2, 1, squeeze=False)
    left, right = upper.subplots(1, 2)
    numbers(left, plane)
    left.set_title("input")
    _frame_windows(left, (rows, columns), kernel_size, stride)
    numbers(right, grad_out)
    right.set_title("gradient from above")
    _frame_windows(right, (rows, columns), (1, 1), 1)
    for axes, (name, gradient) in zip(lower.subplots(1, 3), gradients.items(), strict=True):
        numbers(axes, np.round(gradient, 1) + 0.0, limit=float(np.abs(grad_out).max()), size=10)
        axes.set_title(name)
        _frame_windows(axes, (rows, columns), kernel_size, stride)
    told = "; ".join(f"{name} {np.round(gradient, 2).tolist()}" for name, gradient in gradients.items())
    figure.alt = (f"Input {plane.tolist()} and gradient from above {grad_out.tolist()}, for windows of "
                  f"{kernel_size[0]} x {kernel_size[1]}, {stride} apart. Gradient of the input: {told}.")
    return figure


@illustrated
def shares_kept(
    input_sizes: Sequence[int], settings: Sequence[tuple[int, int]] = ((2, 2), (3, 2), (3, 3))
) -> Illustration:
    """Which share of the activations is left after pooling a square map.

    Parameters
    ----------
    input_sizes : sequence of int
        Sides of the map, rising.
    settings : sequence of (kernel size, stride), optional

    Returns
    -------
    Illustration
        A line for each setting; dotted, what would be left if nothing were rounded away.
    """
    figure = Illustration(7.0, 3.5)
    axes = figure.subplots()
    told = []
    for (kernel, stride), color, marker in zip(settings, COLORS, "osDv", strict=False):
        sizes = [size for size in input_sizes if size >= kernel]
        shares = [100 * (((size - kernel) // stride + 1) / size) ** 2 for size in sizes]
        axes.plot(sizes, shares, "-" + marker, color=color, markersize=5, linewidth=1.2,
                  label=f"{kernel} x {kernel}, stride {stride}")
        axes.axhline(100 / stride**2, color=color, linestyle=":", linewidth=1.2)
        told.append(f"windows of {kernel} with stride {stride}: from {shares[0]:.3g} % at size {sizes[0]} to "
                    f"{shares[-1]:.3g} % at size {sizes[-1]}, at most {max(shares):.3g} %")
    axes.legend(frameon=False, ncols=len(settings), loc="upper center", bbox_to_anchor=(0.5, 1.16))
    axes.set(xlabel="side of the map", ylabel="activations left, %", ylim=(0, None))
    figure.alt = ("Share of the activations that is left after pooling a square map against its side; dotted, one over "
                  f"the stride squared. {'; '.join(told)}.")
    return figure


def _frame_windows(axes: Axes, output: tuple[int, int], kernel_size: tuple[int, int], stride: int) -> None:
    """Frame every window, a little smaller than its cells, so that neighbors and overlaps stay apart."""
    for number, (i, j) in enumerate(np.ndindex(output)):
        inset = 0.07 + 0.05 * ((i + j) % 2)
        outline(axes, i * stride + inset, j * stride + inset, kernel_size[0] - 2 * inset, kernel_size[1] - 2 * inset,
                edgecolor=COLORS[number % len(COLORS)], linestyle=LINES[number // len(COLORS) % len(LINES)],
                linewidth=2.2)
    bare(axes, axes.get_title())
