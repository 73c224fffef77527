"""Two arrays side by side, and where they differ: marked by an outline and a cross, so that no color is needed."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from autograder.compare import Verdict

MOST_ANNOTATED = 100
MOST_DRAWN = 64
DOTS_PER_INCH = 110


def difference_figure(verdict: Verdict) -> Figure | None:
    """Draw what was expected and what was given.

    Parameters
    ----------
    verdict : Verdict
        Of two arrays that differ.

    Returns
    -------
    Figure or None
        None where there is nothing to draw: numbers, text, an exception.
    """
    expected, given = verdict.expected, verdict.given
    if not (isinstance(expected, np.ndarray) and isinstance(given, np.ndarray)) or expected.ndim == 0:
        return None
    if verdict.reason == "shape":
        return _shapes_figure(expected.shape, given.shape)
    if verdict.differs is None or verdict.where is None:
        return None
    plane = _plane(verdict.where)
    want, got, differs = (_two_dimensional(np.asarray(a)[plane]) for a in (expected, given, verdict.differs))
    corner = _corner(verdict.where, differs.shape)
    shown = tuple(slice(start, start + MOST_DRAWN) for start in corner)
    figure = _arrays_figure(want[shown], got[shown], differs[shown], corner)
    index = ", ".join(":" if isinstance(i, slice) else str(i) for i in plane)
    place = [verdict.part] * bool(verdict.part) + [f"slice [{index}]"] * (expected.ndim > 2)
    count = f"{int(differs.sum())} of {differs.size} entries differ (outlined and crossed)"
    figure.suptitle("; ".join([*place, count]), fontsize=9)
    return figure


def png(figure: Figure) -> bytes:
    """A figure as a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH)
    return buffer.getvalue()


def _plane(where: tuple[int, ...]) -> tuple[Any, ...]:
    """Index of the two-dimensional slice, along the last two axes, that holds an entry."""
    return (*where[:-2], slice(None), slice(None)) if len(where) > 1 else (slice(None),)


def _corner(where: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, int]:
    """First row and column of the part that is drawn, so that the first difference lies in it."""
    row, column = where[-2:] if len(where) > 1 else (0, where[0])
    return tuple(max(0, min(at - MOST_DRAWN // 2, size - MOST_DRAWN))  # type: ignore[return-value]
                 for at, size in zip((row, column), shape, strict=True))


def _two_dimensional(array: np.ndarray) -> np.ndarray:
    return array[None, :] if array.ndim == 1 else array


def _arrays_figure(want: np.ndarray, got: np.ndarray, differs: np.ndarray, corner: tuple[int, int]) -> Figure:
    want, got = (np.real(a).astype(float) for a in (want, got))
    finite = np.concatenate([a[np.isfinite(a)] for a in (want, got)])
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    rows, columns = want.shape
    width = min(10.0, max(5.0, 0.62 * columns * 2 + 1.2))
    height = min(6.0, max(1.9, 0.42 * rows + 1.1))
    figure = Figure(figsize=(width, height), layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes, array, title in ((left, want, "expected"), (right, got, "yours")):
        axes.imshow(array, cmap="cividis", vmin=low, vmax=high if high > low else low + 1)
        axes.set_title(title)
        axes.set_xlabel("column")
        axes.set_ylabel("row")
        _whole_ticks(axes, want.shape, corner)
        if array.size <= MOST_ANNOTATED:
            _annotate(axes, array, low, high)
    for row, column in np.argwhere(differs):
        _mark(right, row, column)
    return figure


def _annotate(axes: Axes, array: np.ndarray, low: float, high: float) -> None:
    middle = (low + high) / 2
    size = 9 if array.shape[1] <= 6 else 7
    for (row, column), value in np.ndenumerate(array):
        axes.text(column, row, _short(value), ha="center", va="center", fontsize=size,
                  color="black" if np.isfinite(value) and value > middle else "white")


def _short(value: float) -> str:
    """A number of at most five characters or so."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) < 100 else f"{value:.2g}"


def _mark(axes: Axes, row: int, column: int) -> None:
    for color, thickness in (("black", 3.0), ("white", 1.2)):
        axes.add_patch(Rectangle((column - 0.46, row - 0.46), 0.92, 0.92, fill=False, edgecolor=color,
                                 linewidth=thickness))
        axes.plot([column + 0.2, column + 0.42], [row - 0.42, row - 0.2], color=color, linewidth=thickness)
        axes.plot([column + 0.2, column + 0.42], [row - 0.2, row - 0.42], color=color, linewidth=thickness)


def _whole_ticks(axes: Axes, shape: tuple[int, ...], corner: tuple[int, int]) -> None:
    """Ticks at whole rows and columns, numbered as in the whole array."""
    for axis, size, start in zip((axes.yaxis, axes.xaxis), shape, corner, strict=True):
        places = range(0, size, max(1, size // 8))
        axis.set_ticks(list(places), labels=[str(start + place) for place in places])


def _shapes_figure(expected: tuple[int, ...], given: tuple[int, ...]) -> Figure:
    """The last two axes of both shapes as rectangles on one scale."""
    figure = Figure(figsize=(5.6, 2.4), layout="constrained")
    sizes = [shape[-2:] if len(shape) > 1 else (1, *shape) for shape in (expected, given)]
    sizes = [size if len(size) == 2 else (1, 1) for size in sizes]
    rows, columns = (max(1, *(size[axis] for size in sizes)) for axis in (0, 1))
    for axes, size, shape, title in zip(figure.subplots(1, 2), sizes, (expected, given), ("expected", "yours"),
                                        strict=True):
        axes.add_patch(Rectangle((0, 0), size[1], size[0], facecolor="#8fa8c8", edgecolor="black",
                                 hatch="" if title == "expected" else "//"))
        for row in range(1, size[0] if size[0] <= 40 else 0):
            axes.plot([0, size[1]], [row, row], color="black", linewidth=0.4)
        for column in range(1, size[1] if size[1] <= 40 else 0):
            axes.plot([column, column], [0, size[0]], color="black", linewidth=0.4)
        axes.set(xlim=(-0.5, columns + 0.5), ylim=(rows + 0.5, -0.5), aspect="equal",
                 title=f"{title}: shape {shape}", xlabel=f"{size[1]} columns", ylabel=f"{size[0]} rows")
        axes.title.set_fontsize(9)
        axes.set_xticks([])
        axes.set_yticks([])
    return figure
