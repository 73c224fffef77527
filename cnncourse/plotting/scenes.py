"""Figures of large scenes: what a sliding classifier says at every position, and what was found in the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from cnncourse import data
from cnncourse.plotting.illustration import GREEN, ORANGE, RED, SKY, Illustration, bare, illustrated, outline


@illustrated
def score_maps(scene: np.ndarray, maps: Mapping[str, np.ndarray]) -> Illustration:
    """A scene and maps of scores, which are smaller than it.

    Parameters
    ----------
    scene : array of shape (1, 1, H, W)
    maps : mapping of str to array of shape (rows, columns)
        Titles and maps; each has its own scale of colors, from its smallest to its largest number.

    Returns
    -------
    Illustration
    """
    columns = 2
    rows = -(-(len(maps) + 1) // columns)
    figure = Illustration(7.0, rows * (3.3 * scene.shape[2] / scene.shape[3] + 0.4))
    grid = [bare(axes) for axes in figure.subplots(rows, columns, squeeze=False).ravel()]
    _paper(grid[0], scene)
    grid[0].set_title(f"scene, {scene.shape[2]} x {scene.shape[3]} pixels")
    for axes, (title, scores) in zip(grid[1:], maps.items(), strict=False):
        axes.imshow(scores, cmap="cividis")
        axes.set_title(f"{title}, {scores.shape[0]} x {scores.shape[1]}")
    figure.alt = (f"A scene of {scene.shape[2]} x {scene.shape[3]} pixels and maps of scores: " + "; ".join(
        f"{title}, {scores.shape[0]} x {scores.shape[1]}, from {scores.min():.3g} to {scores.max():.3g}, above zero at "
        f"{(scores > 0).mean():.0%} of the positions" for title, scores in maps.items()) + ".").replace("-", "−")
    return figure


@illustrated
def found_digits(
    scene: np.ndarray, found: Sequence[tuple[int, int, int]], labels: np.ndarray, corners: np.ndarray, side: int = 16,
    titles: bool = True,
) -> Illustration:
    """A scene with what was found in it, beside what is there.

    Parameters
    ----------
    scene : array of shape (1, 1, H, W)
    found : sequence of (row, column, digit)
        Top left pixel and digit of each find.
    labels, corners
        As `data.digit_scene` returns them.
    side : int, optional
        Height and width of a digit.
    titles : bool, optional
        Whether to write the digits that were read beside their frames.

    Returns
    -------
    Illustration
        Found and read rightly: a solid frame. Taken for another digit: dashed. Found where there is none: dotted.
        Missed: a circle.
    """
    finds = data.compare_finds(found, labels, corners, side // 4)
    figure = Illustration(7.0, 7.0 * scene.shape[2] / scene.shape[3] + 0.6)
    axes = figure.subplots()
    _paper(bare(axes), scene)
    numbers = [number for number in range(len(found)) if number not in finds.extra]
    nearest = {number: int(np.abs(corners - found[number][:2]).max(axis=1).argmin()) for number in numbers}
    styles = {"right": (GREEN, "-"), "mistaken": (ORANGE, "--"), "extra": (RED, ":")}
    for number, (row, column, digit) in enumerate(found):
        kind = "extra" if number in finds.extra else "right" if nearest[number] in finds.right else "mistaken"
        color, line = styles[kind]
        outline(axes, row, column, side, side, edgecolor=color, linestyle=line, linewidth=1.8)
        if titles:
            axes.text(column + side, row - 0.5, str(digit), color=color, fontsize=11, weight="bold", va="top")
    for number in finds.missed:
        row, column = corners[number]
        axes.plot(column + side / 2 - 0.5, row + side / 2 - 0.5, "o", markersize=34, markerfacecolor="none",
                  markeredgecolor=SKY, markeredgewidth=2.5)
    axes.set_title(str(finds).replace(", ", ",\n", 1), fontsize=11.5)
    figure.alt = f"A scene of digits with frames around those that were found: {finds}."
    return figure


def _paper(axes: Axes, scene: np.ndarray) -> None:
    """Ink on paper: dark on white."""
    axes.imshow(scene[0, 0], cmap="gray_r", vmin=0, vmax=1.15)
