"""Figures of one pass against many crops: which pixels are seen how often, where padding tells, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.ticker import MaxNLocator

from cnncourse import convert
from cnncourse.plotting.illustration import BLUE, GREEN, ORANGE, RED, Illustration, bare, illustrated, outline
from cnncourse.plotting.photographs import _show


@illustrated
def crops_of_picture(picture: np.ndarray, size: tuple[int, int], stride: int) -> Illustration:
    """Crops that overlap, and in how many of them each pixel lies.

    Parameters
    ----------
    picture : array of shape (1, 3, H, W)
    size : (int, int)
        Of the crops.
    stride : int

    Returns
    -------
    Illustration
    """
    rows, columns = convert.crops(picture, size, stride).shape[1:3]
    seen = np.zeros(picture.shape[2:], int)
    for i, j in np.ndindex(rows, columns):
        seen[i * stride:i * stride + size[0], j * stride:j * stride + size[1]] += 1
    figure = Illustration(7.0, 3.4 * picture.shape[2] / picture.shape[3] + 1.0)
    left, right = figure.subplots(1, 2)
    _show(left, picture, f"{rows} x {columns} = {rows * columns} crops of {size[0]} x {size[1]}")
    for (i, j), color in zip(((0, 0), (0, 1), (rows - 1, columns - 1)), (RED, ORANGE, GREEN), strict=True):
        outline(left, i * stride, j * stride, *size, edgecolor=color, linewidth=2)
    drawn = right.imshow(seen, cmap="cividis", vmin=0)
    bare(right, "in how many crops each pixel lies").set_anchor("N")
    figure.colorbar(drawn, ax=[left, right], orientation="horizontal", shrink=0.5)
    figure.alt = (f"A set of {rows * columns} crops of {size[0]} x {size[1]} pixels, {stride} apart, in a picture of "
                  f"{picture.shape[2]} x {picture.shape[3]}; the first two and the last one are framed. A pixel in the "
                  f"middle lies in up to {seen.max()} crops, one in the corner in {seen[0, 0]}, on average in "
                  f"{seen.mean():.1f}.")
    return figure


@illustrated
def border_rings(differences: Mapping[str, np.ndarray], limit: float = 1e-5) -> Illustration:
    """Where the maps of a crop differ from the same place in the maps of the whole picture.

    Parameters
    ----------
    differences : mapping of str to array of shape (1, C, H, W)
        Titles, and one array minus the other.
    limit : float, optional
        What may come of rounding.

    Returns
    -------
    Illustration
    """
    figure = Illustration(7.0, 7.0 / len(differences) + 0.3)
    told = []
    for axes, (title, difference) in zip(
            figure.subplots(1, len(differences), squeeze=False)[0], differences.items(), strict=True):
        differs = (np.abs(difference) > limit).any(axis=(0, 1))
        axes.imshow(differs, cmap="cividis", vmin=0, vmax=1, interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        axes.set_title(f"{title}\n{differs.mean():.0%} differ", fontsize=11.5)
        told.append(f"{title}: {differs.mean():.0%}")
    figure.alt = ("Where the maps of a crop differ from those of the whole picture: a ring along the border, wider "
                  f"after more layers. {'; '.join(told)} of the positions.")
    return figure


@illustrated
def padding_differences(effects: Mapping[str, convert.PaddingEffect]) -> Illustration:
    """At each position, how far the scores of one pass are from those of the crop.

    Parameters
    ----------
    effects : mapping of str to PaddingEffect
        Titles, and what `convert.padding_effect` found.

    Returns
    -------
    Illustration
        All maps share one scale of colors.
    """
    largest = max(float(effect.by_position.max()) for effect in effects.values()) or 1.0
    shapes = [effect.by_position.shape for effect in effects.values()]
    width = 6.2 / len(effects)
    figure = Illustration(7.0, width * max(rows / columns for rows, columns in shapes) + 1.0)
    grid = figure.subplots(1, len(effects), squeeze=False)[0]
    for axes, (title, effect) in zip(grid, effects.items(), strict=True):
        drawn = axes.imshow(effect.by_position, cmap="cividis", vmin=0, vmax=largest)
        axes.set(title=f"{title}\nlargest: {effect.by_position.max():.1g}", xlabel="position", xticks=[], yticks=[])
    figure.colorbar(drawn, ax=list(grid), label="difference / largest score", shrink=0.9)
    figure.alt = "How far scores of one pass are from those of crops, relative to the largest score. " + " ".join(
        f"{title}: between {effect.by_position.min():.1g} and {effect.by_position.max():.1g} over "
        f"{' x '.join(map(str, effect.by_position.shape))} positions; the same class at {effect.agreement:.0%}."
        for title, effect in effects.items())
    return figure


@illustrated
def evaluation_costs(costs: Mapping[str, tuple[float, float]], unit: str = "multiply-adds") -> Illustration:
    """What one pass and the crops cost, side by side.

    Parameters
    ----------
    costs : mapping of str to (one pass, crops)
    unit : str, optional

    Returns
    -------
    Illustration
    """
    figure = Illustration(7.0, 0.75 * len(costs) + 1.1)
    axes = figure.subplots()
    most = max(crops for _, crops in costs.values())
    for place, (one, crops) in enumerate(costs.values()):
        for shift, value, color, hatch in ((-0.2, one, BLUE, ""), (0.2, crops, ORANGE, "//")):
            axes.barh(place + shift, value, 0.38, color=color, hatch=hatch, edgecolor="white")
            times = f"  ({crops / one:.1f} times)" if shift > 0 else ""
            axes.text(value + 0.01 * most, place + shift, f"{_short(value)}{times}", va="center", fontsize=10.5)
    axes.set(yticks=range(len(costs)), yticklabels=list(costs), xlim=(0, 1.32 * most), xlabel=unit)
    axes.invert_yaxis()
    axes.legend(handles=[axes.patches[0], axes.patches[1]], labels=["one pass", "crop by crop"], frameon=False,
                loc="upper right")
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(lambda value, _: _short(value) if value else "0")
    figure.alt = f"Bars of {unit}. " + " ".join(
        f"{name}: one pass {_short(one)}, crop by crop {_short(crops)}, {crops / one:.1f} times as much."
        for name, (one, crops) in ((name.replace("\n", ", "), pair) for name, pair in costs.items()))
    return figure


def _short(value: float) -> str:
    for size, letter in ((1e9, " billion"), (1e6, " million")):
        if value >= size:
            return f"{value / size:.3g}{letter}" if value < 1000 * size else f"{value / size:,.0f}{letter}"
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"
