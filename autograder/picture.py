"""What was expected, what was given and what went in; differences are outlined and crossed, so no color is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from autograder.compare import Verdict
from cnncourse.language import say
from cnncourse.plotting.illustration import Illustration, illustrated

MOST_ANNOTATED = 100
"""Arrays of at most so many entries are drawn with their numbers."""

MOST_READ_OUT = 36
"""Arrays of at most so many entries are spelled out for those who cannot see the picture."""

MOST_DRAWN = 64
MOST_INPUTS = 3
WIDTH = 6.9
"""In inches: 690 pixels, which a notebook shows without making the numbers much smaller."""

CELL_WIDTH, CELL_HEIGHT = 0.41, 0.31
UNANNOTATED = 2.6
NARROWEST = 1.2
BESIDE, GAP, TITLE, BELOW, SUPTITLE = 0.45, 0.1, 0.25, 0.5, 0.3
"""Room for a panel's labels on the left, for nothing on its right, for what stands above and below it, and for the
words on top of them all, in inches."""


@dataclass(frozen=True)
class Panel:
    """One plane of an array, and how it is drawn.

    Parameters
    ----------
    title : str
    values : ndarray of shape (rows, columns)
    limits : tuple of float
        What the darkest and the brightest color stand for.
    corner : tuple of int
        Row and column of the array with which the panel begins.
    marked : ndarray of bool or None
        Entries to be outlined and crossed.
    colors : str
        Name of matplotlib's color map.
    """

    title: str
    values: np.ndarray
    limits: tuple[float, float]
    corner: tuple[int, int] = (0, 0)
    marked: np.ndarray | None = None
    colors: str = "cividis"

    @property
    def annotated(self) -> bool:
        """Whether the numbers fit into their cells."""
        rows, columns = self.values.shape
        return rows * columns <= MOST_ANNOTATED and columns * CELL_WIDTH + BESIDE + GAP <= WIDTH

    @property
    def inner(self) -> tuple[float, float]:
        """Width and height of the array itself, in inches."""
        rows, columns = self.values.shape
        if self.annotated:
            return columns * CELL_WIDTH, rows * CELL_HEIGHT
        return UNANNOTATED * min(1, columns / rows), UNANNOTATED * min(1, rows / columns)

    @property
    def width(self) -> float:
        """In inches, with what stands beside it; a title has to fit as well."""
        return BESIDE + max(NARROWEST, self.inner[0]) + GAP

    @property
    def height(self) -> float:
        """In inches, with what stands above and below it."""
        return TITLE + self.inner[1] + BELOW


@illustrated
def difference_figure(verdict: Verdict, arguments: Mapping[str, Any] | None = None) -> Illustration | None:
    """Draw what was expected and what was given, and the input where it is small enough to be read.

    Parameters
    ----------
    verdict : Verdict
        Of two arrays that differ.
    arguments : mapping of str to object, optional
        What the answer was called with; the first array of two or more dimensions is drawn.

    Returns
    -------
    Illustration or None
        None where there is nothing to draw: numbers, text, an exception.
    """
    expected, given = verdict.expected, verdict.given
    if not (isinstance(expected, np.ndarray) and isinstance(given, np.ndarray)) or expected.ndim == 0:
        return None
    name, source = next(((name, value) for name, value in (arguments or {}).items()
                         if isinstance(value, np.ndarray) and value.ndim >= 2 and value.size), ("", None))
    if verdict.reason == "shape":
        return _shapes_figure(expected.shape, given.shape, say("input {name}", name=name),
                              None if source is None else source.shape)
    if verdict.differs is None or verdict.where is None:
        return None
    plane = _plane(verdict.where)
    corner = _corner(verdict.where, _two_dimensional(verdict.differs[plane]).shape)
    shown = tuple(slice(start, start + MOST_DRAWN) for start in corner)
    want, got, differs = (_two_dimensional(np.asarray(a)[plane])[shown] for a in (expected, given, verdict.differs))
    want, got = (np.real(a).astype(float) for a in (want, got))
    limits = _limits(want, got)
    results = [Panel(say("expected"), want, limits, corner), Panel(say("yours"), got, limits, corner, differs)]
    inputs = [] if source is None else _input_panels(name, source, expected.shape, verdict.where)
    total = int(verdict.differs[plane].sum())
    place = [verdict.part] * bool(verdict.part) + [say("slice {index}", index=_index(plane))] * (expected.ndim > 2)
    said = "; ".join([*place, say("{count} of {total} entries differ (outlined and crossed)", count=total,
                                  total=verdict.differs[plane].size)])
    figure = _panels_figure(results, inputs, said)
    figure.alt = " ".join([f"{said[0].upper()}{said[1:]}.", *map(_spoken, results + inputs)])
    return figure


def _plane(where: tuple[int, ...]) -> tuple[Any, ...]:
    """Index of the two-dimensional slice, along the last two axes, that holds an entry."""
    return (*where[:-2], slice(None), slice(None)) if len(where) > 1 else (slice(None),)


def _index(plane: Sequence[Any]) -> str:
    return f"[{', '.join(':' if isinstance(i, slice) else str(i) for i in plane)}]"


def _corner(where: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, int]:
    """First row and column of the part that is drawn, so that the first difference lies in it."""
    row, column = where[-2:] if len(where) > 1 else (0, where[0])
    return tuple(max(0, min(at - MOST_DRAWN // 2, size - MOST_DRAWN))  # type: ignore[return-value]
                 for at, size in zip((row, column), shape, strict=True))


def _two_dimensional(array: np.ndarray) -> np.ndarray:
    return array[None, :] if array.ndim == 1 else array


def _limits(*arrays: np.ndarray) -> tuple[float, float]:
    finite = np.concatenate([array[np.isfinite(array)] for array in arrays])
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    return low, high if high > low else low + 1


def _input_panels(name: str, source: np.ndarray, expected: tuple[int, ...], where: tuple[int, ...]) -> list[Panel]:
    """Planes of the input that belong to the entry `where` of the result: of its sample, as many as one row holds."""
    if source.dtype.kind not in "biuf":
        return []
    lead = source.shape[:-2]
    at = [where[axis] if axis < len(expected) and size == expected[axis] else 0 for axis, size in enumerate(lead)]
    planes: list[tuple[int, ...]] = [()]
    if lead:
        most = max(1, min(MOST_INPUTS, int(WIDTH / Panel("", source[tuple(at)], (0, 1)).width)))
        first = min(at[-1], lead[-1] - most) if lead[-1] > most else 0
        planes = [(*at[:-1], channel) for channel in range(first, min(first + most, lead[-1]))]
    panels = []
    for plane in planes:
        values = source[plane].astype(float)
        index = _index((*plane, slice(None), slice(None))) if plane else ""
        title = say("input {name}", name=f"{name}{index}")
        panels.append(Panel(title, values, _limits(values), colors="gray"))
    return panels if panels[0].annotated else []


def _panels_figure(results: Sequence[Panel], inputs: Sequence[Panel], title: str) -> Illustration:
    """All panels in one row if there is room; otherwise the input comes below, in rows of its own."""
    rows = [row for panels in (results, inputs) for row in _rows(panels)]
    if len(together := _rows([*inputs, *results])) == 1:
        rows = together
    width = max([sum(panel.width for panel in row) for row in rows])
    heights = [max(panel.height for panel in row) for row in rows]
    height = sum(heights) + SUPTITLE
    figure = Illustration(width, height)
    figure.set_layout_engine("none")  # every place is known, and a layout engine would take most of the time
    figure.text(0, 1, title, fontsize=10, va="top")
    top = height - SUPTITLE
    for row, row_height in zip(rows, heights, strict=True):
        left = 0.0
        for panel in row:
            wide, high = panel.inner
            place = (left + BESIDE + (panel.width - BESIDE - GAP - wide) / 2, top - TITLE - high)
            axes = figure.add_axes((place[0] / width, place[1] / height, wide / width, high / height))
            _draw(axes, panel)
            left += panel.width
        top -= row_height
    return figure


def _rows(panels: Sequence[Panel]) -> list[list[Panel]]:
    rows: list[list[Panel]] = []
    for panel in panels:
        if rows and sum(other.width for other in rows[-1]) + panel.width <= WIDTH:
            rows[-1].append(panel)
        else:
            rows.append([panel])
    return rows


def _draw(axes: Axes, panel: Panel) -> None:
    low, high = panel.limits
    axes.imshow(panel.values, cmap=panel.colors, vmin=low, vmax=high, aspect="auto")
    axes.set_title(panel.title, fontsize=10)
    axes.set_xlabel(say("column"), fontsize=9)
    axes.set_ylabel(say("row"), fontsize=9)
    axes.spines[:].set_visible(True)
    for axis, size, start in zip((axes.yaxis, axes.xaxis), panel.values.shape, panel.corner, strict=True):
        places = range(0, size, max(1, size // 8))
        axis.set_ticks(list(places), labels=[str(start + place) for place in places], fontsize=8.5)
    marked = np.zeros(panel.values.shape, bool) if panel.marked is None else panel.marked
    for (row, column), value in np.ndenumerate(panel.values) if panel.annotated else ():
        axes.text(column, row + 0.12 * marked[row, column], _short(value), ha="center", va="center", fontsize=8.5,
                  color="black" if np.isfinite(value) and value > (low + high) / 2 else "white")
    for row, column in np.argwhere(marked):
        _mark(axes, row, column)


def _short(value: float) -> str:
    """A number of at most five characters or so."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) < 100 else f"{value:.2g}"


def _spoken(panel: Panel) -> str:
    """A small panel's numbers in words."""
    if panel.values.size > MOST_READ_OUT:
        return say("{title}: {rows} rows, {columns} columns.", title=panel.title.capitalize(),
                   rows=panel.values.shape[0], columns=panel.values.shape[1])
    rows = "; ".join(", ".join(map(_short, row)) for row in panel.values)
    return say("{title}, row by row: {rows}.", title=panel.title[0].upper() + panel.title[1:], rows=rows)


def _mark(axes: Axes, row: int, column: int) -> None:
    left, right, above, below = column + 0.3, column + 0.42, row - 0.42, row - 0.27
    for color, thickness in (("black", 2.6), ("white", 1.1)):
        axes.add_patch(Rectangle((column - 0.46, row - 0.46), 0.92, 0.92, fill=False, edgecolor=color,
                                 linewidth=thickness))
        axes.plot([left, right], [above, below], color=color, linewidth=thickness)
        axes.plot([left, right], [below, above], color=color, linewidth=thickness)


def _shapes_figure(
    expected: tuple[int, ...], given: tuple[int, ...], source_name: str, source: tuple[int, ...] | None
) -> Illustration:
    """The last two axes of the shapes as rectangles on one scale."""
    results = (say("expected"), say("yours"))
    shapes = dict(zip(results, (expected, given), strict=True)) | ({} if source is None else {source_name: source})
    sizes = {title: (1, 1, *shape)[-2:] for title, shape in shapes.items()}
    rows, columns = (max(1, *(size[axis] for size in sizes.values())) for axis in (0, 1))
    figure = Illustration(2.3 * len(shapes), 2.5)
    for axes, (title, size) in zip(figure.subplots(1, len(shapes)), sizes.items(), strict=True):
        axes.add_patch(Rectangle((0, 0), size[1], size[0], edgecolor="black", hatch="//" if title == results[1] else "",
                                 facecolor="#8fa8c8" if title in results else "#d9d9d9"))
        for row in range(1, size[0] if size[0] <= 40 else 0):
            axes.plot([0, size[1]], [row, row], color="black", linewidth=0.4)
        for column in range(1, size[1] if size[1] <= 40 else 0):
            axes.plot([column, column], [0, size[0]], color="black", linewidth=0.4)
        axes.set(xlim=(-0.5, columns + 0.5), ylim=(rows + 0.5, -0.5), aspect="equal")
        axes.set_title(f"{title}\n{shapes[title]}", fontsize=10)
        axes.set_xlabel(say("1 column") if size[1] == 1 else say("{count} columns", count=size[1]), fontsize=9)
        axes.set_ylabel(say("1 row") if size[0] == 1 else say("{count} rows", count=size[0]), fontsize=9)
        axes.set_xticks([])
        axes.set_yticks([])
    figure.alt = say("Shapes, drawn on one scale: {shapes}.", shapes="; ".join(
        f"{title} {shape}" for title, shape in shapes.items()))
    return figure
