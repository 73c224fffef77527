"""Figures of gradients: what each position contributes, how it comes back to the input, how exact measuring is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from cnncourse import functional as F
from cnncourse.plotting.illustration import (
    BLUE,
    GRAY,
    INK,
    ORANGE,
    PALE,
    RED,
    Illustration,
    bare,
    counted,
    illustrated,
    numbers,
    outline,
)


@illustrated
def summed_gradients(unshared: np.ndarray, shared: np.ndarray) -> Illustration:
    """What every position of one sample contributes to the gradient of one filter's channel, and the sum.

    Parameters
    ----------
    unshared : array of shape (OH, OW, KH, KW)
        Gradient at each position alone.
    shared : array of shape (KH, KW)
        Gradient of the shared weights, in the scale of its own.

    Returns
    -------
    Illustration
    """
    rows, columns, height, width = unshared.shape
    gap = 1
    wall = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap), np.nan)
    for i, j in np.ndindex(rows, columns):
        wall[i * (height + gap) : i * (height + gap) + height, j * (width + gap) : j * (width + gap) + width] = (
            unshared[i, j])
    figure = Illustration(7.0, 7.0 * 0.66 * wall.shape[0] / wall.shape[1] + 0.7)
    left, sign, right = figure.subplots(1, 3, width_ratios=[2, 0.25, 1])
    bound = float(np.abs(unshared).max()) or 1.0
    left.imshow(wall, cmap="cividis", vmin=-bound, vmax=bound)
    bare(left, f"{rows} x {columns} positions, a gradient each")
    bare(sign).text(0.5, 0.5, "sum\n→", ha="center", va="center", fontsize=15)
    numbers(right, np.round(shared, 2), size=11)
    right.set_title("gradient of the shared filter")
    difference = float(np.abs(unshared.sum(axis=(0, 1)) - shared).max())
    figure.alt = (f"The gradients of {height} x {width} weights at {rows * columns} positions, bright where positive, "
                  f"dark where negative, and beside them the gradient of the shared weights, "
                  f"{np.round(shared, 2).tolist()}; it differs from the sum of all positions by at most "
                  f"{difference:.1g}.")
    return figure


@illustrated
def spread_back(
    grad_out: np.ndarray, weight: np.ndarray, input_shape: tuple[int, int], stride: int = 1, padding: int = 0
) -> Illustration:
    """Each entry of the upstream gradient puts a copy of the filter, times itself, into its window; copies add up.

    Parameters
    ----------
    grad_out : array of shape (OH, OW)
    weight : array of shape (KH, KW)
    input_shape : tuple of int
        Height and width of the input.
    stride, padding : int, optional

    Returns
    -------
    Illustration
        The upstream gradient, filter, what the first two entries and the last put where, and the gradient of the
        input; a thin frame marks the input in its padding.
    """
    rows, columns = grad_out.shape
    size = tuple(extent + 2 * padding for extent in input_shape)
    whole = np.zeros((1, 1, *size))

    def back(upstream: np.ndarray) -> np.ndarray:
        grad_x, _, _ = F.conv2d_backward(upstream[None, None].astype(float), whole, weight[None, None].astype(float),
                                         stride=stride)
        return np.asarray(grad_x)[0, 0]

    chosen = [(0, 0), divmod(min(1, rows * columns - 1), columns), (rows - 1, columns - 1)]
    total = back(grad_out)
    limit = float(np.abs(total).max())
    figure = Illustration(7.0, 2 * (7 / 3 * size[0] / size[1] + 0.45))
    grid = figure.subplots(2, 3)
    numbers(grid[0, 0], grad_out, limit=limit)
    grid[0, 0].set_title("upstream gradient")
    numbers(grid[0, 1], weight, limit=limit)
    grid[0, 1].set_title("filter")
    panels = (grid[0, 2], grid[1, 0], grid[1, 1])
    for axes, (i, j), color, word in zip(panels, chosen, (BLUE, ORANGE, RED), ("first", "second", "last"), strict=True):
        alone = np.zeros_like(grad_out)
        alone[i, j] = grad_out[i, j]
        numbers(axes, back(alone), limit=limit, size=10)
        outline(axes, i * stride, j * stride, *weight.shape, edgecolor=color)
        axes.set_title(f"{word} entry: {grad_out[i, j]:g} × filter".replace("-", "−"), fontsize=10.5)
        outline(grid[0, 0], i, j, 1, 1, edgecolor=color)
    numbers(grid[1, 2], total, limit=limit, size=10)
    grid[1, 2].set_title("all added up", fontsize=10.5)
    for axes in (*panels, grid[1, 2]):
        outline(axes, padding, padding, *input_shape, edgecolor=INK, linewidth=1.2, linestyle="--")
    unread = [extent - ((count - 1) * stride + kernel)
              for extent, count, kernel in zip(size, (rows, columns), weight.shape, strict=True)]
    figure.alt = (f"An upstream gradient of {rows} x {columns}, {grad_out.tolist()}, goes back through a filter, "
                  f"{weight.tolist()}, with stride {stride} and padding {padding}: each entry adds itself times the "
                  f"filter to its window. The sum is {np.round(total, 3).tolist()}. No window reads the last "
                  f"{counted(unread[0], 'row')} and {counted(unread[1], 'column')}.")
    return figure


@illustrated
def step_errors(
    function: Callable[[np.ndarray], float], gradient: np.ndarray, x: np.ndarray,
    steps: Sequence[float] = tuple(10.0 ** -np.arange(1, 13)),
) -> Illustration:
    """How wrong measured gradients are, for larger and smaller steps, one-sided and central.

    Parameters
    ----------
    function : callable
        From an array to a number.
    gradient : array of the shape of x
        The exact one.
    x : array
    steps : sequence of float, optional

    Returns
    -------
    Illustration
    """
    def error(low: int, high: int, step: float) -> float:
        worst = 0.0
        for index in np.ndindex(x.shape):
            ends = []
            for way in (low, high):
                end = x.astype(float)
                end[index] += way * step
                ends.append(function(end))
            slope = (ends[1] - ends[0]) / ((high - low) * step)
            worst = max(worst, abs(float(slope - gradient[index])))
        return worst / float(np.abs(gradient).max())

    figure = Illustration(7.0, 3.6)
    axes = figure.subplots()
    told = []
    kinds = (("one-sided", 0, 1, ORANGE, "--", "s"), ("central", -1, 1, BLUE, "-", "o"))
    for name, low, high, color, line, marker in kinds:
        errors = np.array([error(low, high, step) for step in steps])
        axes.loglog(steps, np.maximum(errors, 1e-17), color=color, linestyle=line, marker=marker, label=name)
        best = int(np.argmin(errors))
        told.append(f"{name} differences are best at step {steps[best]:.0e}, with an error of {errors[best]:.0e}")
    axes.invert_xaxis()
    axes.grid(color=PALE)
    axes.axhline(np.finfo(float).eps, color=GRAY, linestyle=":")
    axes.text(steps[0], 1.5 * np.finfo(float).eps, "rounding of double precision", color=INK, fontsize=10)
    axes.set(xlabel="step (smaller to the right)", ylabel="largest relative error")
    axes.legend(frameon=False)
    figure.alt = "Error of a measured gradient against the step, both logarithmic: " + "; ".join(told) + "."
    return figure


@illustrated
def accuracy_when_moved(shifts: Sequence[int], accuracies: dict[str, Sequence[float]]) -> Illustration:
    """How many digits networks still read when the picture is moved away from where they learned them.

    Parameters
    ----------
    shifts : sequence of int
        Pixels to the right.
    accuracies : dict of str to sequence of float
        For each network by name, from 0 to 1.

    Returns
    -------
    Illustration
    """
    figure = Illustration(7.0, 3.3)
    axes = figure.subplots()
    told = []
    styles = zip(accuracies.items(), (BLUE, ORANGE, RED), ("-", "--", ":"), "osD", strict=False)
    for (name, values), color, line, marker in styles:
        axes.plot(shifts, [100 * value for value in values], color=color, linestyle=line, marker=marker, linewidth=2,
                  label=name)
        told.append(f"{name}: " + ", ".join(f"{100 * value:.0f} % at {shift}"
                                            for shift, value in zip(shifts, values, strict=True)))
    axes.set(xlabel="pixels moved to the right", ylabel="digits read, in percent", ylim=(0, 104))
    axes.set_xticks(list(shifts))
    axes.grid(color=PALE)
    axes.legend(frameon=False, loc="lower center")
    figure.alt = ("Share of test digits that are read rightly, against how far they are moved. "
                  + "; ".join(told) + ".").replace("-", "−")
    return figure
