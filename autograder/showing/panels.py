"""One plane of an array as a drawing: its colors, its numbers, what is marked in it, and what stands around it."""

from __future__ import annotations

import base64
import io
import math
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from cnncourse.language import say

MOST_ANNOTATED = 100
"""Arrays of at most so many entries are drawn with their numbers."""

WIDTH = 690
"""In CSS pixels, as all sizes here: what a notebook shows without making the numbers much smaller."""

CELL_WIDTH, CELL_HEIGHT = 41, 31
UNANNOTATED = 260
NARROWEST = 120
LETTER, LINE = 7.6, 15
"""Width of a letter of a title, height of a line of text."""

BESIDE, GAP, TITLE, BELOW, HEADLINE = 45, 10, 27, 50, 30
"""Room for a panel's labels on the left, for nothing on its right, for what stands above and below it, and for the
words on top of them all."""

BOLD = 3.6
"""Width of the dark line of an outline; a light one lies on it."""


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
        """Width and height of the array itself."""
        rows, columns = self.values.shape
        if self.annotated:
            return columns * CELL_WIDTH, rows * CELL_HEIGHT
        return UNANNOTATED * min(1, columns / rows), UNANNOTATED * min(1, rows / columns)

    @property
    def width(self) -> float:
        """With what stands beside it; a title has to fit as well."""
        return BESIDE + max(NARROWEST, LETTER * len(self.title), self.inner[0]) + GAP

    @property
    def height(self) -> float:
        """With what stands above and below it."""
        return TITLE + self.inner[1] + BELOW


def drawn(panel: Panel, left: float, top: float) -> dict[str, Any]:
    """What the template needs to know of a panel whose array begins at a place."""
    (rows, columns), (width, height) = panel.values.shape, panel.inner
    wide, high = width / columns, height / rows
    marked = np.zeros(panel.values.shape, bool) if panel.marked is None else panel.marked
    steps = [range(0, size, max(1, size // 8, math.ceil(room / one)))
             for size, one, room in ((rows, high, LINE), (columns, wide, 2 * LINE))]
    ticks = "".join([*(f"M-4 {(row + 0.5) * high:.4g}h4" for row in steps[0]),
                     *(f"M{(column + 0.5) * wide:.4g} {height:.4g}v4" for column in steps[1])])
    return {
        "left": round(left, 1), "top": round(top, 1), "width": round(width, 1), "height": round(height, 1),
        "title": [panel.title], "grid": ticks, "thin": 1, "below": 38, "beside": 36,
        "down": say("row"), "across": say("column"),
        "rows": [((row + 0.5) * high, panel.corner[0] + row) for row in steps[0]],
        "columns": [((column + 0.5) * wide, panel.corner[1] + column) for column in steps[1]],
        "fills": _fills(panel) if panel.annotated else (), "image": "" if panel.annotated else _image(panel),
        "numbers": _numbers(panel, marked) if panel.annotated else (),
        "marks": "".join(_mark(row * high, column * wide, high, wide) for row, column in np.argwhere(marked)),
        "bold": min(BOLD, 0.3 * wide, 0.3 * high),
    }


def _fills(panel: Panel) -> list[tuple[str, str]]:
    """The colors of an array, each with the cells that have it."""
    cells: dict[str, list[tuple[int, ...]]] = defaultdict(list)
    for place, color in zip(np.ndindex(panel.values.shape), _colors(panel).reshape(-1, 4).tolist(), strict=True):
        cells[f"#{bytes(color[:3]).hex()}"].append(place)
    return [(color, "".join(f"M{column * CELL_WIDTH} {row * CELL_HEIGHT}h{CELL_WIDTH}v{CELL_HEIGHT}h-{CELL_WIDTH}z"
                            for row, column in places)) for color, places in cells.items()]


def _image(panel: Panel) -> str:
    """An array as a PNG file, a pixel an entry, in base64."""
    from matplotlib.image import imsave

    stream = io.BytesIO()
    imsave(stream, _colors(panel), format="png", metadata={"Software": ""})
    return base64.b64encode(stream.getvalue()).decode()


def _colors(panel: Panel) -> np.ndarray:
    """Red, green, blue and opacity of each entry, as bytes; white for what is not a number."""
    low, high = panel.limits
    with np.errstate(all="ignore"):
        steps = np.clip((panel.values - low) / (high - low), 0, 1) * 255
    colors = _color_map(panel.colors)[np.nan_to_num(steps).astype(int)]
    colors[np.isnan(steps)] = 255
    return colors


@cache
def _color_map(name: str) -> np.ndarray:
    from matplotlib import colormaps

    return np.asarray(colormaps[name](np.arange(256), bytes=True))


def _numbers(panel: Panel, marked: np.ndarray) -> list[tuple[str, list[tuple[float, float, str]]]]:
    """The numbers of an array, dark ones and light ones; a marked cell has its cross above the number."""
    low, high = panel.limits
    found: dict[str, list[tuple[float, float, str]]] = {"black": [], "white": []}
    for (row, column), value in np.ndenumerate(panel.values):
        dark = np.isnan(value) or value > (low + high) / 2
        y = (row + 0.5 + 0.12 * marked[row, column]) * CELL_HEIGHT
        found["black" if dark else "white"].append(((column + 0.5) * CELL_WIDTH, round(y, 1), short(value)))
    return list(found.items())


def _mark(top: float, left: float, high: float, wide: float) -> str:
    """Outline of a cell, and a cross in its upper right corner, as a path."""
    x, y, w, h = left + 0.04 * wide, top + 0.04 * high, 0.92 * wide, 0.92 * high
    across, down = 0.12 * wide, 0.15 * high
    return (f"M{x:.1f} {y:.1f}h{w:.1f}v{h:.1f}h-{w:.1f}z"
            f"M{left + 0.8 * wide:.1f} {top + 0.08 * high:.1f}l{across:.1f} {down:.1f}"
            f"m0-{down:.1f}l-{across:.1f} {down:.1f}")


def short(value: float) -> str:
    """A number of at most five characters or so."""
    text = f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) < 100 else f"{value:.2g}"
    return "0" if text == "-0" else text
