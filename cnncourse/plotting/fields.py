"""Figures of receptive fields: through the full depth of the input, through gaps, through many layers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from cnncourse import functional as F
from cnncourse import geometry
from cnncourse.plotting.illustration import (
    BLUE,
    GRAY,
    INK,
    ORANGE,
    PALE,
    RED,
    Illustration,
    bare,
    illustrated,
    outline,
)

SHIFT = 0.9
"""How far each slice of a volume is drawn behind the one before it, in cells."""


@illustrated
def receptive_field(
    in_shape: tuple[int, int, int],
    out_channels: int,
    kernel_size: int,
    stride: int = 1,
    position: tuple[int, int] = (0, 0),
) -> Illustration:
    """The block of the input that one output neuron sees: small in height and width, full in depth.

    Parameters
    ----------
    in_shape : tuple of int
        (C, H, W) of the input; best drawn up to 12 pixels wide.
    out_channels : int
        Number of filters.
    kernel_size, stride : int, optional
    position : tuple of int, optional
        Row and column of the output neuron.

    Returns
    -------
    Illustration
        Input volume on the left, output volume on the right, slices one behind the other.

    Raises
    ------
    ValueError
        If the output has no such position.
    """
    channels, height, width = in_shape
    out_height, out_width = ((extent - kernel_size) // stride + 1 for extent in (height, width))
    row, column = position
    if not (0 <= row < out_height and 0 <= column < out_width):
        raise ValueError(f"position {position} is outside of the output of {out_height} x {out_width}")
    gap = width + SHIFT * channels + 2.5
    right = gap + out_width + SHIFT * out_channels
    shift = (height - out_height) / 2
    top = max(SHIFT * channels, SHIFT * out_channels - shift)
    figure = Illustration(7.0, 7.0 * (height + 1.5 + top) / (right + 0.5) + 0.35)
    axes = bare(figure.subplots())
    block = (row * stride, column * stride, kernel_size, kernel_size)
    for channel in reversed(range(channels)):
        _slice(axes, SHIFT * channel, (height, width), block, edge=RED)
    _through_depth(axes, block, SHIFT * (channels - 1))
    for channel in reversed(range(out_channels)):
        _slice(axes, gap + SHIFT * channel, (out_height, out_width), (row, column, 1, 1), edge=BLUE,
               rise=SHIFT * channel - shift, filled=channel == 0)
    for corner, end in ((block[0], row), (block[0] + kernel_size, row + 1)):
        axes.plot([block[1] + kernel_size, gap + column], [corner, end + shift], color=RED, linewidth=1.2)
    axes.text(width / 2, height + 0.4, f"input: {channels} x {height} x {width}", ha="center", va="top")
    axes.text(gap + out_width / 2, out_height + shift + 0.4, f"output: {out_channels} x {out_height} x {out_width}",
              ha="center", va="top")
    axes.set(xlim=(-0.5, right), ylim=(height + 1.5, -top), aspect="equal")
    weights = channels * kernel_size**2
    axes.set_title(f"one neuron sees {channels} x {kernel_size} x {kernel_size} = {weights} values")
    rows, columns = (f"{start} to {start + kernel_size - 1}" for start in block[:2])
    figure.alt = (f"An input of {channels} x {height} x {width} and an output of {out_channels} x {out_height} x "
                  f"{out_width}. The output neuron at row {row}, column {column} sees rows {rows} and columns "
                  f"{columns} of all {channels} input channels: {weights} values.")
    return figure


def _slice(
    axes: Axes, x: float, size: tuple[int, int], block: tuple[int, int, int, int], *, edge: str,
    rise: float | None = None, filled: bool = True,
) -> None:
    """One channel as a grid, a block of it framed; `x` shifts it right and, without `rise`, up by its depth."""
    height, width = size
    up = x if rise is None else rise
    axes.add_patch(Rectangle((x, -up), width, height, facecolor=PALE, edgecolor=GRAY, linewidth=0.8))
    for line in range(1, height):
        axes.plot([x, x + width], [line - up] * 2, color="white", linewidth=0.8)
    for line in range(1, width):
        axes.plot([x + line] * 2, [-up, height - up], color="white", linewidth=0.8)
    top, left, block_height, block_width = block
    axes.add_patch(Rectangle((x + left, top - up), block_width, block_height, edgecolor=edge, linewidth=2.2,
                             facecolor=(*_rgb(edge), 0.35 if filled else 0.0)))


def _through_depth(axes: Axes, block: tuple[int, int, int, int], depth: float) -> None:
    """Edges of the block that run from the first channel to the last, and its hidden frame at the back."""
    top, left, height, width = block
    axes.add_patch(Rectangle((left + depth, top - depth), width, height, facecolor="none", edgecolor=RED,
                             linestyle="--", linewidth=1.2))
    for y in (top, top + height):
        for x in (left, left + width):
            axes.plot([x, x + depth], [y, y - depth], color=RED, linestyle="--", linewidth=1.2)


def _rgb(color: str) -> tuple[float, ...]:
    return tuple(int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))


@illustrated
def taps(*stacks: Sequence[int], kernel_size: int = 3) -> Illustration:
    """Which inputs one neuron at the top of a stack of one-dimensional layers depends on.

    Parameters
    ----------
    *stacks : sequences of int
        For each panel the dilations of its layers, from the input upwards: (1, 2, 4).
    kernel_size : int, optional
        Number of taps of every layer.

    Returns
    -------
    Illustration
        One panel for each stack; nodes that matter are filled, lines are weights.
    """
    reach = max(_field(dilations, kernel_size) for dilations in stacks) // 2 + 1
    figure = Illustration(7.0, 0.35 + sum(0.55 * len(dilations) + 0.95 for dilations in stacks))
    ratios = [len(dilations) + 1.6 for dilations in stacks]
    panels = figure.subplots(len(stacks), 1, squeeze=False, height_ratios=ratios)[:, 0]
    for axes, dilations in zip(panels, stacks, strict=True):
        _network(axes, dilations, kernel_size, reach)
    told = "; ".join(_told(dilations, kernel_size) for dilations in stacks)
    figure.alt = f"What a neuron on top of one-dimensional layers with {kernel_size} taps each depends on: {told}."
    return figure


def _field(dilations: Sequence[int], kernel_size: int) -> int:
    return geometry.receptive_field(_windows(dilations, kernel_size)).size


def _windows(dilations: Sequence[int], kernel_size: int) -> list[geometry.Window]:
    return [geometry.Window(kernel_size, dilation=dilation) for dilation in dilations]


def _told(dilations: Sequence[int], kernel_size: int) -> str:
    """The panel's title: how many inputs are seen, and how far apart the outer ones lie."""
    seen, span = len(geometry.inputs_seen(_windows(dilations, kernel_size))), _field(dilations, kernel_size)
    spread = "" if seen == span else f", spread over {span}"
    noun = "dilation" if len(dilations) == 1 else "dilations"
    return f"{noun} {', '.join(map(str, dilations))}: {seen} inputs{spread}"


def _reached(dilations: Sequence[int], kernel_size: int) -> list[set[float]]:
    """For each level, the input first, the places from which a path leads to the neuron on top."""
    levels: list[set[float]] = [{0.0}]
    for dilation in reversed(dilations):
        steps = _steps(dilation, kernel_size)
        levels.append({place + step for place in levels[-1] for step in steps})
    return levels[::-1]


def _steps(dilation: int, kernel_size: int) -> list[float]:
    return [(tap - (kernel_size - 1) / 2) * dilation for tap in range(kernel_size)]


def _network(axes: Axes, dilations: Sequence[int], kernel_size: int, reach: int) -> None:
    depth = len(dilations)
    for level, used in enumerate(_reached(dilations, kernel_size)):
        # An even number of taps puts every second level between the places of the others.
        between = next(iter(used)) % 1
        unused = [x + between for x in range(-reach, reach + 1) if x + between not in used]
        axes.plot(unused, [level] * len(unused), "o", color="white", markeredgecolor=GRAY, markersize=6)
        axes.plot(sorted(used), [level] * len(used), "o", color=BLUE if level else ORANGE, markeredgecolor=INK,
                  markersize=9, zorder=3)
        label = "input" if level == 0 else f"layer {level}, dilation {dilations[level - 1]}"
        axes.text(-reach - 0.8, level, label, ha="right", va="center")
        for node in used if level else ():
            for step in _steps(dilations[level - 1], kernel_size):
                axes.plot([node, node + step], [level, level - 1], color=BLUE, linewidth=1, zorder=1)
    bare(axes, _told(dilations, kernel_size))
    axes.set(xlim=(-reach - 0.5, reach + 0.5), ylim=(-0.4, depth + 0.4))


@illustrated
def effective_field(depths: Sequence[int] = (2, 6, 12, 24), kernel_size: int = 3) -> Illustration:
    """How much each input pixel matters to one neuron, through more and more layers of stride 1.

    Parameters
    ----------
    depths : sequence of int, optional
        Numbers of layers, one panel each.
    kernel_size : int, optional

    Returns
    -------
    Illustration
        Brightness is the share of all paths from a pixel to the neuron, with all weights alike; the frame holds
        the whole receptive field; the dotted frame holds the smallest centered square with nine tenths of the paths.

    References
    ----------
    Luo, Li, Urtasun, Zemel: Understanding the effective receptive field in deep convolutional neural networks,
    2016.
    """
    largest = _field([1] * max(depths), kernel_size)
    figure = Illustration(7.0, 2.6)
    told = []
    for axes, depth in zip(np.atleast_1d(figure.subplots(1, len(depths))), depths, strict=True):
        field = _field([1] * depth, kernel_size)
        paths = _paths(depth, kernel_size)
        margin = (largest - field) // 2
        axes.imshow(np.pad(paths / paths.max(), margin), cmap="cividis", vmin=0, vmax=1)
        core = _core(paths)
        for side, style in ((field, "-"), (core, ":")):
            start = (largest - side) / 2
            outline(axes, start, start, side, side, edgecolor="white" if style == ":" else ORANGE, linestyle=style,
                    linewidth=2)
        bare(axes, f"{depth} layer{'s' * (depth > 1)}\nall: {field} x {field}\n90 %: {core} x {core}")
        told.append(f"{depth} layers: {field} x {field}, nine tenths of it within {core} x {core}")
    figure.alt = ("The weight of each input pixel for one neuron, as bright spots that grow more slowly than the "
                  f"receptive field around them. {'; '.join(told)}.")
    return figure


def _paths(depth: int, kernel_size: int) -> np.ndarray:
    """Share of the paths from each pixel of the receptive field to the neuron."""
    kernel = np.full((1, 1, kernel_size, kernel_size), kernel_size**-2.0)
    paths: np.ndarray = np.ones((1, 1, 1, 1))
    for _ in range(depth):
        paths = F.conv2d(paths, kernel, np.zeros(1), padding=kernel_size - 1)
    return paths[0, 0]


def _core(paths: np.ndarray, share: float = 0.9) -> int:
    """Side of the smallest centered square that holds this share."""
    size = paths.shape[0]
    for cut in range(size // 2, 0, -1):
        if paths[cut : size - cut, cut : size - cut].sum() >= share:
            return size - 2 * cut
    return size
