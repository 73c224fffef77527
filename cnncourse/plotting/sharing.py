"""Figures of sharing: the same weights everywhere, what that saves, and how outputs move with their inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from cnncourse import functional as F
from cnncourse import layers
from cnncourse.plotting.illustration import (
    BLUE,
    GRAY,
    GREEN,
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

LINES = ("-", "--", ":", "-.", (0, (6, 2, 1, 2, 1, 2)))
COLORS = (BLUE, ORANGE, GREEN, RED, GRAY)


@illustrated
def shared_weights(input_size: int = 6, kernel_size: int = 3) -> Illustration:
    """Two layers along one axis, without and with shared weights; equal weights have one color, line and letter.

    Parameters
    ----------
    input_size : int, optional
        Up to about 8 is drawn well.
    kernel_size : int, optional
        Up to 5.

    Returns
    -------
    Illustration
    """
    outputs = input_size - kernel_size + 1
    figure = Illustration(7.0, 5.2)
    panels = figure.subplots(2, 1)
    names = {False: "locally connected: own weights for each output", True: "convolution: shared weights"}
    for axes, (shared, title) in zip(panels, names.items(), strict=True):
        used = set()
        for output, tap in np.ndindex(outputs, kernel_size):
            number = tap if shared else output * kernel_size + tap
            used.add(number)
            start, end = np.array([output + tap, 0.0]), np.array([output + (kernel_size - 1) / 2, 1.0])
            color, line = COLORS[(tap if shared else output) % 5], LINES[tap % 5]
            axes.plot(*np.stack([start, end]).T, color=color, linestyle=line, linewidth=2, zorder=1)
            axes.text(*(start + (0.5 if tap % 2 else 0.22) * (end - start)), _letter(number), ha="center",
                      va="center", fontsize=11, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8})
        axes.scatter(range(input_size), np.zeros(input_size), s=260, color=PALE, edgecolor=INK, zorder=2)
        axes.scatter(np.arange(outputs) + (kernel_size - 1) / 2, np.ones(outputs), s=260, color=PALE, edgecolor=INK,
                     zorder=2)
        axes.text(-0.6, 0, "input", ha="right", va="center")
        axes.text(-0.6, 1, "output", ha="right", va="center")
        axes.set(xlim=(-1.4, input_size - 0.5), ylim=(-0.2, 1.2))
        bare(axes, f"{title}: {counted(len(used), 'weight')}")
    figure.alt = (f"A layer of {outputs} outputs, each connected to {kernel_size} neighboring ones of {input_size} "
                  f"inputs. Without sharing each of the {outputs * kernel_size} lines is a weight of its own; with "
                  f"sharing the same {kernel_size} weights, {', '.join(_letter(n) for n in range(kernel_size))}, come "
                  "back at each output.")
    return figure


def _letter(number: int) -> str:
    return chr(ord("a") + number) if number < 26 else f"a{number - 25}"


@illustrated
def parameter_growth(
    sizes: Sequence[int] = (32, 64, 96, 128, 227, 512), channels: int = 3, out_channels: int = 96,
    kernel_size: int = 11, stride: int = 4,
) -> Illustration:
    """Parameters of one layer on larger and larger pictures: every neuron wired to all pixels, local, and shared.

    Parameters
    ----------
    sizes : sequence of int, optional
        Heights of square pictures.
    channels, out_channels, kernel_size, stride : int, optional
        Settings of the layer; by default those of AlexNet's first one.

    Returns
    -------
    Illustration
    """
    kinds: dict[str, Callable[[int], int]] = {
        "each neuron sees all pixels": lambda size: _fully_connected(size, channels, out_channels, kernel_size, stride),
        "locally connected": lambda size: _parameters(
            layers.LocallyConnected2d(out_channels, kernel_size, stride=stride), (channels, size, size)),
        "shared weights": lambda size: _parameters(
            layers.Conv2d(out_channels, kernel_size, stride=stride), (channels, size, size)),
    }
    figure = Illustration(7.0, 3.9)
    axes = figure.subplots()
    told = []
    for (name, count), color, line, marker in zip(kinds.items(), COLORS, LINES, "sDo", strict=False):
        values = [count(size) for size in sizes]
        axes.loglog(sizes, values, color=color, linestyle=line, marker=marker, linewidth=2, label=name)
        axes.annotate(f"{values[-1]:,}", (sizes[-1], values[-1]), (0, 9), textcoords="offset points", ha="right",
                      fontsize=10.5)
        told.append(f"{name}: {values[0]:,} at {sizes[0]}, {values[-1]:,} at {sizes[-1]}")
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    axes.set_ylim(top=axes.get_ylim()[1] * 4)
    axes.set(xlabel="height and width of the picture", ylabel="parameters of the layer")
    axes.grid(axis="y", color=PALE)
    axes.legend(loc="center left", bbox_to_anchor=(0.0, 0.62), frameon=False)
    figure.alt = (f"Parameters of a layer of {out_channels} filters of {kernel_size} x {kernel_size} with stride "
                  f"{stride}, against the size of the picture, both axes logarithmic. " + "; ".join(told) + ".")
    return figure


def _parameters(layer: Any, shape: tuple[int, ...]) -> int:
    return sum(int(np.prod(sizes)) for sizes in layer.parameter_shapes(shape).values())


def _fully_connected(size: int, channels: int, out_channels: int, kernel_size: int, stride: int) -> int:
    neurons = out_channels * ((size - kernel_size) // stride + 1) ** 2
    return neurons * (channels * size * size + 1)


@illustrated
def one_step(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int = 1, padding: int = 0, *, filter: int = 0,
    position: tuple[int, int] = (0, 0),
) -> Illustration:
    """A convolutional layer at work on one position: the block, the filter, and the output as far as it is computed.

    Parameters
    ----------
    x : array of shape (1, C, H, W)
        Small whole numbers are drawn well.
    weight : array of shape (K, C, KH, KW)
    bias : array of shape (K,)
    stride, padding : int, optional
    filter : int, optional
        Which filter is at work.
    position : tuple of int, optional
        Row and column of the output.

    Returns
    -------
    Illustration
        Padded input and filter channel by channel; the output's maps, with question marks where nothing is computed.

    Raises
    ------
    ValueError
        If there is no such filter or position.
    """
    out = F.conv2d(x.astype(float), weight.astype(float), bias.astype(float), stride=stride, padding=padding)[0]
    if not (0 <= filter < len(out) and 0 <= position[0] < out.shape[1] and 0 <= position[1] < out.shape[2]):
        raise ValueError(f"filter {filter}, position {position} is outside of the output of shape {out.shape}")
    padded = np.pad(x[0], ((0, 0), (padding, padding), (padding, padding)))
    channels, height, width = padded.shape
    kernel_height, kernel_width = weight.shape[2:]
    top, left = position[0] * stride, position[1] * stride
    block = padded[:, top : top + kernel_height, left : left + kernel_width]
    figure = Illustration(7.0, max(channels * 0.32 * height, 2 + 0.3 * out.shape[1] * len(out)) + 0.6)
    grid = figure.add_gridspec(channels, 3, width_ratios=[width, kernel_width + 1.5, out.shape[2] + 1.5])
    for channel in range(channels):
        axes = figure.add_subplot(grid[channel, 0])
        numbers(axes, padded[channel], limit=float(np.abs(padded).max()), size=10)
        outline(axes, padding, padding, *x.shape[2:], edgecolor=INK, linewidth=1.5)
        outline(axes, top, left, kernel_height, kernel_width)
        axes.set_title(f"input, channel {channel}", fontsize=11)
        axes = figure.add_subplot(grid[channel, 1])
        numbers(axes, weight[filter, channel], limit=float(np.abs(weight).max()), size=10)
        axes.set_title(f"filter {filter}: sum {_signed((block * weight[filter])[channel].sum())}", fontsize=11)
    outputs = grid[:, 2].subgridspec(len(out), 1)
    for number, values in enumerate(out):
        axes = figure.add_subplot(outputs[number, 0])
        _as_far_as(axes, values, (number - filter, *position))
        axes.set_title(f"output, map {number}", fontsize=11)
        if number == filter:
            outline(axes, *position, 1, 1)
    sums = [(block * weight[filter])[channel].sum() for channel in range(channels)]
    value = _signed(out[(filter, *position)])
    line = f"{' + '.join(_bracketed(s) for s in sums)} + {_bracketed(bias[filter])} (bias) = {value}"
    figure.supxlabel(line, fontsize=12.5)
    figure.alt = (f"Filter {filter} at position {position} of the output: its block starts at row {top}, column {left} "
                  f"of the input with padding {padding}. The sums of the channels and the bias: {line}.")
    return figure


def _as_far_as(axes: Axes, values: np.ndarray, last: tuple[int, int, int]) -> None:
    """A map with the entries up to the last one computed; maps before the current one are complete."""
    numbers(axes, np.zeros(values.shape), limit=1, text=False)
    maps_later, row, column = last
    for (i, j), value in np.ndenumerate(values):
        done = maps_later < 0 or (maps_later == 0 and (i, j) <= (row, column))
        axes.text(j, i, _signed(value) if done else "?", ha="center", va="center", fontsize=10, color="white")


def _signed(value: float) -> str:
    return f"{value:.6g}".replace("-", "−")


def _bracketed(value: float) -> str:
    return f"({_signed(value)})" if value < 0 else _signed(value)


@illustrated
def moved_outputs(
    pictures: Sequence[np.ndarray], outputs: dict[str, Sequence[np.ndarray]], masks: dict[str, np.ndarray]
) -> Illustration:
    """A picture and the same one moved, what layers make of both, and where the output has moved along.

    Parameters
    ----------
    pictures : two arrays of shape (1, C, H, W)
        Before and after the move.
    outputs : dict of str to two arrays of shape (1, 1, OH, OW)
        For each layer by name.
    masks : dict of str to array of bool, shape (1, 1, OH, OW)
        For each layer, where its output has moved along.

    Returns
    -------
    Illustration
        Last column: bright where input and output move together, hatched where they do not.
    """
    ratio = pictures[0].shape[2] / pictures[0].shape[3]
    figure = Illustration(7.0, (len(outputs) + 1) * (7 / 3 * ratio + 0.3))
    grid = figure.subplots(len(outputs) + 1, 3)
    for axes, picture, title in zip(grid[0], pictures, ("picture", "picture, moved"), strict=False):
        axes.imshow(np.clip(picture[0], 0, 1).transpose(1, 2, 0), cmap="gray", vmin=0, vmax=1)
        bare(axes, title)
    bare(grid[0, 2]).text(0.5, 0.5, "white: the output\nhas moved along\nhatched: it has not", ha="center",
                          va="center", transform=grid[0, 2].transAxes)
    told = []
    for row, (name, pair) in zip(grid[1:], outputs.items(), strict=True):
        bound = float(max(np.abs(output).max() for output in pair)) or 1.0
        for axes, output, title in zip(row, pair, (name, f"{name}, moved"), strict=False):
            axes.imshow(output[0, 0], cmap="cividis", vmin=-bound, vmax=bound)
            bare(axes, title).title.set_fontsize(10.5)
        mask = masks[name][0, 0]
        row[2].contourf(~mask, levels=[0.5, 1.5], colors=[GRAY], hatches=["///"], origin="upper")
        row[2].set(xlim=(-0.5, mask.shape[1] - 0.5), ylim=(mask.shape[0] - 0.5, -0.5), aspect="equal", xticks=[],
                   yticks=[])
        for side in row[2].spines.values():
            side.set_visible(True)
        row[2].set_title(f"{mask.mean():.1%} of the outputs", fontsize=10.5)
        told.append(f"{name}: {mask.mean():.1%} of the outputs have moved along")
    figure.alt = "A picture and the same one moved, seen by layers. " + "; ".join(told) + "."
    return figure
