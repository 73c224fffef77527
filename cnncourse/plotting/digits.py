"""Figures of handwritten digits and of a network that reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from cnncourse import functional as F
from cnncourse.plotting.illustration import INK, Illustration, bare, counted, illustrated, outline


@illustrated
def digit_examples(pictures: np.ndarray, labels: np.ndarray, columns: int = 10) -> Illustration:
    """Pictures of digits with their labels.

    Parameters
    ----------
    pictures : array of shape (N, 1, H, W)
        From 0 (paper) to 1 (ink).
    labels : array of shape (N,)
    columns : int, optional

    Returns
    -------
    Illustration
    """
    rows = -(-len(pictures) // columns)
    figure = Illustration(7.0, rows * 7.0 / columns * 1.35 + 0.1)
    axes = bare(figure.subplots())
    for number, (picture, label) in enumerate(zip(pictures[:, 0], labels, strict=True)):
        row, column = number // columns * 1.35 + 0.35, number % columns
        _tile(axes, picture, row, column, cmap="gray_r", vmin=0, vmax=1)
        axes.text(column + 0.48, row - 0.02, str(label), ha="center", va="bottom", fontsize=12)
    axes.set(xlim=(0, columns), ylim=(1.35 * rows, 0), aspect=1)
    figure.alt = (f"Digits: {counted(len(pictures), 'picture')} of {pictures.shape[2]} by {pictures.shape[3]} pixels, "
                  f"with the digits that they show: {', '.join(map(str, labels))}.")
    return figure


@illustrated
def misread_digits(
    pictures: np.ndarray, labels: np.ndarray, scores: np.ndarray, most: int = 12
) -> Illustration:
    """What a network gets wrong, the surest mistakes first.

    Parameters
    ----------
    pictures : array of shape (N, 1, H, W)
    labels : array of shape (N,)
        What is right.
    scores : array of shape (N, K)
        Of the network; right answers are left out.
    most : int, optional
        How many are shown.

    Returns
    -------
    Illustration
    """
    probabilities = F.softmax(np.asarray(scores, np.float64))
    guesses = probabilities.argmax(axis=1)
    sureness = probabilities.max(axis=1)
    wrong = np.flatnonzero(guesses != labels)
    shown = wrong[np.argsort(-sureness[wrong], kind="stable")][:most]
    figure, grid = _grid(max(len(shown), 1), 6, 7.0, 0.55)
    texts = []
    for axes, number in zip(grid, shown, strict=False):
        _ink(axes, pictures[number, 0], f"{labels[number]}, read as {guesses[number]}\n{sureness[number]:.0%} sure")
        axes.title.set_fontsize(10)
        texts.append(f"a {labels[number]} read as {guesses[number]} with {sureness[number]:.0%}")
    if not texts:
        grid[0].text(0.5, 0.5, "no mistakes", ha="center", va="center", color=INK)
    figure.alt = (f"Misread: {len(wrong)} of {counted(len(labels), 'picture')}"
                  + (f"; shown are {'; '.join(texts)}." if texts else "."))
    return figure


@illustrated
def confusion_table(counts: np.ndarray) -> Illustration:
    """What was taken for what; numbers on the diagonal are right answers.

    Parameters
    ----------
    counts : array of shape (K, K)
        Rows are the right classes, columns the predicted ones.

    Returns
    -------
    Illustration
    """
    counts = np.asarray(counts)
    classes = len(counts)
    beside = counts * (1 - np.eye(classes, dtype=counts.dtype))
    figure = Illustration(5.4, 4.7)
    axes = figure.subplots()
    axes.imshow(np.where(beside > 0, beside, np.nan), cmap="cividis_r", vmin=0, vmax=max(float(beside.max()), 4))
    for (row, column), count in np.ndenumerate(counts):
        if count:
            dark = row != column and count > 0.6 * max(float(beside.max()), 4)
            axes.text(column, row, f"{count:g}", ha="center", va="center", color="white" if dark else INK,
                      weight="normal" if row == column else "bold")
    axes.set(xlabel="read as", ylabel="right digit", xticks=range(classes), yticks=range(classes))
    axes.set_xticks(np.arange(classes) - 0.5, minor=True)
    axes.set_yticks(np.arange(classes) - 0.5, minor=True)
    axes.grid(which="minor", color="#D0D0D0", linewidth=0.8)
    axes.tick_params(which="minor", length=0)
    pairs = [(int(beside[i, j]), i, j) for i, j in np.argwhere(beside > 0)]
    said = ", ".join(f"{i} as {j} {_times(count)}" for count, i, j in sorted(pairs, key=lambda pair: -pair[0]))
    figure.alt = (f"Table of {classes} by {classes} classes. {int(np.trace(counts))} of {int(counts.sum())} are right. "
                  f"Wrong: {said or 'none'}.")
    return figure


@illustrated
def filters_before_and_after(before: np.ndarray, after: np.ndarray) -> Illustration:
    """The filters of a first layer as they began and as they were learned.

    Parameters
    ----------
    before, after : array of shape (K, 1, KH, KW)

    Returns
    -------
    Illustration
        Yellow is positive, blue negative, gray zero; one scale for all.
    """
    bound = float(max(np.abs(before).max(), np.abs(after).max()))
    columns = min(len(before), 8)
    rows = -(-len(before) // columns)
    height, width = before.shape[2:]
    # One pair of axes for all of them: many would take seconds to lay out.
    figure = Illustration(7.0, (2 * rows + 0.5) * 7.0 / (columns + 2.5) * height / width + 0.2)
    axes = bare(figure.subplots())
    for block, (name, weight) in enumerate((("at the\nbeginning", before), ("after\ntraining", after))):
        top = block * (rows + 0.5)
        axes.text(-2.4, top + rows / 2, name, va="center", fontsize=12)
        for number, kernel in enumerate(weight[:, 0]):
            _tile(axes, kernel, top + number // columns, number % columns, cmap="cividis", vmin=-bound, vmax=bound)
    axes.set(xlim=(-2.5, columns), ylim=(2 * rows + 0.5, 0), aspect=height / width)
    likeness = [float(np.corrcoef(one.ravel(), other.ravel())[0, 1]) for one, other in zip(before, after, strict=True)]
    figure.alt = (f"Filters: {len(before)} of {before.shape[2]} by {before.shape[3]}, before and after "
                  f"training. Their weights are {np.sqrt(np.mean(before**2)):.2g} in size before and "
                  f"{np.sqrt(np.mean(after**2)):.2g} after; {sum(value > 0.8 for value in likeness)} of them still "
                  "look nearly as they began (correlation above 0.8).")
    return figure


@illustrated
def network_stages(stages: Mapping[str, np.ndarray], most: int = 8) -> Illustration:
    """One picture on its way through a network.

    Parameters
    ----------
    stages : mapping of str to array
        What each step gave: maps of shape (C, H, W), or in the end numbers of shape (K,).
    most : int, optional
        How many maps of each step are shown.

    Returns
    -------
    Illustration
    """
    figure = Illustration(7.0, 7.0 / (most + 2.8) * len(stages) + 0.2)
    axes = bare(figure.subplots())
    said = []
    for row, (name, values) in enumerate(stages.items()):
        axes.text(-2.7, row + 0.45, f"{name}\n{' x '.join(map(str, values.shape))}", va="center", fontsize=11)
        if values.ndim == 1:
            _bars(axes, values, row, most)
            said.append(f"{name}, {len(values)} numbers, the largest at {int(values.argmax())}")
            continue
        shown = values[:most]
        bound, signed = float(np.abs(shown).max()) or 1.0, bool(shown.min() < 0)
        for column, plane in enumerate(shown):
            _tile(axes, plane, row, column, cmap="cividis" if signed else "gray_r", vmin=-bound if signed else 0,
                  vmax=bound)
        said.append(f"{name}, {counted(len(values), 'map')} of {values.shape[1]} by {values.shape[2]}, "
                    f"{np.mean(values == 0):.0%} zeros")
    axes.set(xlim=(-2.8, most), ylim=(len(stages) + 0.1, 0), aspect=1)
    figure.alt = f"A picture on its way through a network: {'; '.join(said)}."
    return figure


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _grid(count: int, columns: int, width: float, above: float) -> tuple[Illustration, list[Axes]]:
    """A figure with room for so many pictures, and its axes in reading order."""
    columns = max(columns, 1)
    rows = -(-count // columns)
    figure = Illustration(width, rows * (width / columns * 0.9 + above))
    return figure, [bare(axes) for axes in figure.subplots(rows, columns, squeeze=False).ravel()]


def _tile(axes: Axes, plane: np.ndarray, row: float, column: float, **colors: Any) -> None:
    """A picture in a square of the drawing, with a little room around it."""
    axes.imshow(plane, extent=(column + 0.05, column + 0.9, row + 0.9, row + 0.05), aspect="auto", **colors)
    outline(axes, row + 0.55, column + 0.55, 0.85, 0.85, edgecolor="#B0B0B0", linewidth=0.8)


def _bars(axes: Axes, values: np.ndarray, row: float, width: float) -> None:
    """Numbers as bars, upward from a line if positive, downward if negative, each with its index below."""
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    step, scale = width / len(values), 0.65 / ((high - low) or 1.0)
    zero = row + 0.05 + high * scale
    for number, value in enumerate(values):
        middle = (number + 0.5) * step
        axes.add_patch(Rectangle((middle - 0.4 * step, zero), 0.8 * step, -float(value) * scale, facecolor=INK))
        axes.text(middle, row + 0.76, str(number), ha="center", va="top", fontsize=10)
    axes.plot([0, width], [zero, zero], color=INK, linewidth=0.8)


def _ink(axes: Axes, picture: np.ndarray, title: str) -> None:
    axes.imshow(picture, cmap="gray_r", vmin=0, vmax=1)
    axes.set_axis_on()
    axes.set(xticks=[], yticks=[], title=title)
    axes.spines[:].set(visible=True, color="#B0B0B0", linewidth=0.8)
