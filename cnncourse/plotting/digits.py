"""Figures of handwritten digits and of a network that reads them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from cnncourse import functional as F
from cnncourse.plotting.illustration import INK, Illustration, bare, counted, illustrated


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
    figure, grid = _grid(len(pictures), columns, 7.0, 0.3)
    for axes, picture, label in zip(grid, pictures, labels, strict=False):
        _ink(axes, picture[0], str(label))
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
    figure = Illustration(7.0, 2 * rows * 5.4 / columns * before.shape[2] / before.shape[3] + 0.5)
    grid = figure.add_gridspec(3, columns + 1, width_ratios=[2.3] + [1] * columns, height_ratios=[rows, 0.25, rows])
    for block, (name, weight) in enumerate((("at the\nbeginning", before), ("after\ntraining", after))):
        inner = grid[2 * block, 1:].subgridspec(rows, columns)
        bare(figure.add_subplot(grid[2 * block, 0])).text(0, 0.5, name, va="center", fontsize=12)
        for number, kernel in enumerate(weight[:, 0]):
            axes = bare(figure.add_subplot(inner[divmod(number, columns)]))
            axes.imshow(kernel, cmap="cividis", vmin=-bound, vmax=bound)
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
    figure = Illustration(7.0, 0.8 * len(stages) + 0.1)
    grid = figure.add_gridspec(len(stages), most + 1, width_ratios=[2.2] + [1] * most)
    said = []
    for row, (name, values) in enumerate(stages.items()):
        label = bare(figure.add_subplot(grid[row, 0]))
        label.text(0, 0.5, f"{name}\n{' x '.join(map(str, values.shape))}", va="center", fontsize=11)
        if values.ndim == 1:
            axes = figure.add_subplot(grid[row, 1:])
            axes.bar(range(len(values)), values, color=INK)
            axes.axhline(0, color=INK, linewidth=0.8)
            axes.set(xticks=range(len(values)), yticks=[])
            said.append(f"{name}, {len(values)} numbers, the largest at {int(values.argmax())}")
            continue
        shown = values[:most]
        bound, signed = float(np.abs(shown).max()) or 1.0, bool(shown.min() < 0)
        for column, plane in enumerate(shown):
            axes = figure.add_subplot(grid[row, column + 1])
            axes.imshow(plane, cmap="cividis" if signed else "gray_r", vmin=-bound if signed else 0, vmax=bound)
            _framed(axes)
        said.append(f"{name}, {counted(len(values), 'map')} of {values.shape[1]} by {values.shape[2]}, "
                    f"{np.mean(values == 0):.0%} zeros")
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


def _framed(axes: Axes) -> Axes:
    axes.set_axis_on()
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color="#B0B0B0", linewidth=0.8)
    return axes


def _ink(axes: Axes, picture: np.ndarray, title: str) -> None:
    axes.imshow(picture, cmap="gray_r", vmin=0, vmax=1)
    _framed(axes).set_title(title)
