"""What was expected, what was given and what went in; differences are outlined and crossed, so no color is needed.

The pictures are SVG: a hundred are drawn in the time that matplotlib takes for one, letters stay sharp in every size,
and the browser has the fonts of every language.
"""

from __future__ import annotations

import base64
import html
import io
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from autograder.compare import Verdict
from autograder.templating import template
from cnncourse.language import say

MOST_ANNOTATED = 100
"""Arrays of at most so many entries are drawn with their numbers."""

MOST_READ_OUT = 36
"""Arrays of at most so many entries are spelled out for those who cannot see the picture."""

MOST_DRAWN = 64
MOST_INPUTS = 3
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

SHAPE = 170
"""Width of the largest shape."""

MOST_LINES = 40
"""A shape with more rows or columns has no lines between them."""


NO_VALUES: dict[str, Any] = {"image": "", "numbers": (), "marks": "", "rows": (), "columns": (), "bold": 0}
"""What the drawing of a shape lacks."""


@dataclass(frozen=True)
class Picture:
    """A drawing, and what it shows in words.

    Attributes
    ----------
    svg : str
    alt : str
    width : int
        In CSS pixels.
    """

    svg: str
    alt: str
    width: int

    def html(self) -> str:
        """The picture as HTML that needs no other file."""
        source = base64.b64encode(self.svg.encode()).decode("ascii")
        return (f'<img alt="{html.escape(self.alt)}" src="data:image/svg+xml;base64,{source}" '
                f'width="{self.width}" style="max-width: 100%; height: auto">')


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


def difference_picture(verdict: Verdict, arguments: Mapping[str, Any] | None = None) -> Picture | None:
    """Draw what was expected and what was given, and the input where it is small enough to be read.

    Parameters
    ----------
    verdict : Verdict
        Of two arrays that differ.
    arguments : mapping of str to object, optional
        What the answer was called with; the first array of two or more dimensions is drawn.

    Returns
    -------
    Picture or None
        None where there is nothing to draw: numbers, text, an exception.
    """
    expected, given = verdict.expected, verdict.given
    if not (isinstance(expected, np.ndarray) and isinstance(given, np.ndarray)) or expected.ndim == 0:
        return None
    name, source = next(((name, value) for name, value in (arguments or {}).items()
                         if isinstance(value, np.ndarray) and value.ndim >= 2 and value.size), ("", None))
    if verdict.reason == "shape":
        return _of_shapes(expected.shape, given.shape, say("input {name}", name=name),
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
    alt = " ".join([f"{said[0].upper()}{said[1:]}.", *map(_spoken, results + inputs)])
    return _of_panels(results, inputs, said, alt)


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


def _of_panels(results: Sequence[Panel], inputs: Sequence[Panel], headline: str, alt: str) -> Picture:
    """All panels in one row if there is room; otherwise the input comes below, in rows of its own."""
    rows = [row for panels in (results, inputs) for row in _rows(panels)]
    if len(together := _rows([*inputs, *results])) == 1:
        rows = together
    drawn = []
    top: float = HEADLINE
    for row in rows:
        left = 0.0
        for panel in row:
            wide = panel.inner[0]
            drawn.append(_drawn(panel, left + BESIDE + (panel.width - BESIDE - GAP - wide) / 2, top + TITLE))
            left += panel.width
        top += max(panel.height for panel in row)
    width = max(LETTER * len(headline), *(sum(panel.width for panel in row) for row in rows))
    return _picture(drawn, width, top, alt, headline)


def _picture(panels: list[dict[str, Any]], width: float, height: float, alt: str, headline: str = "") -> Picture:
    svg = template("picture.svg.j2").render(panels=panels, width=round(width), height=round(height), said=alt,
                                            headline=headline)
    return Picture(svg, alt, round(width))


def _rows(panels: Sequence[Panel]) -> list[list[Panel]]:
    rows: list[list[Panel]] = []
    for panel in panels:
        if rows and sum(other.width for other in rows[-1]) + panel.width <= WIDTH:
            rows[-1].append(panel)
        else:
            rows.append([panel])
    return rows


def _drawn(panel: Panel, left: float, top: float) -> dict[str, Any]:
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
        dark = np.isnan(value) or (value if np.isfinite(value) else np.sign(value) * np.inf) > (low + high) / 2
        y = (row + 0.5 + 0.12 * marked[row, column]) * CELL_HEIGHT
        found["black" if dark else "white"].append(((column + 0.5) * CELL_WIDTH, round(y, 1), _short(value)))
    return list(found.items())


def _short(value: float) -> str:
    """A number of at most five characters or so."""
    text = f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) < 100 else f"{value:.2g}"
    return "0" if text == "-0" else text


def _spoken(panel: Panel) -> str:
    """A small panel's numbers in words."""
    if panel.values.size > MOST_READ_OUT:
        return say("{title}: {rows} rows, {columns} columns.", title=panel.title.capitalize(),
                   rows=panel.values.shape[0], columns=panel.values.shape[1])
    rows = "; ".join(", ".join(map(_short, row)) for row in panel.values)
    return say("{title}, row by row: {rows}.", title=panel.title[0].upper() + panel.title[1:], rows=rows)


def _mark(top: float, left: float, high: float, wide: float) -> str:
    """Outline of a cell, and a cross in its upper right corner, as a path."""
    x, y, w, h = left + 0.04 * wide, top + 0.04 * high, 0.92 * wide, 0.92 * high
    across, down = 0.12 * wide, 0.15 * high
    return (f"M{x:.1f} {y:.1f}h{w:.1f}v{h:.1f}h-{w:.1f}z"
            f"M{left + 0.8 * wide:.1f} {top + 0.08 * high:.1f}l{across:.1f} {down:.1f}"
            f"m0-{down:.1f}l-{across:.1f} {down:.1f}")


def _of_shapes(
    expected: tuple[int, ...], given: tuple[int, ...], source_name: str, source: tuple[int, ...] | None
) -> Picture:
    """The last two axes of the shapes as rectangles on one scale."""
    results = (say("expected"), say("yours"))
    shapes = dict(zip(results, (expected, given), strict=True)) | ({} if source is None else {source_name: source})
    sizes = {title: (1, 1, *shape)[-2:] for title, shape in shapes.items()}
    scale = SHAPE / max(1, *(side for size in sizes.values() for side in size))
    panels = []
    left, bottom = 0.0, 0.0
    for title, (rows, columns) in sizes.items():
        width, height = columns * scale, rows * scale
        lines = [str(shapes[title])]
        room = max(width, LETTER * max(len(title), len(lines[0])))
        grid = "".join([*(f"M0 {row * scale:.4g}h{width:.4g}" for row in range(1, rows if rows <= MOST_LINES else 0)),
                        *(f"M{column * scale:.4g} 0v{height:.4g}"
                          for column in range(1, columns if columns <= MOST_LINES else 0))])
        outline = f"M0 0h{width:.4g}v{height:.4g}h-{width:.4g}z"
        fills = [("#8fa8c8" if title in results else "#d9d9d9", outline)]
        panels.append(NO_VALUES | {
            "left": round(left + BESIDE + (room - width) / 2, 1), "top": 2 * TITLE, "width": round(width, 1),
            "height": round(height, 1), "title": [title, *lines], "grid": grid, "thin": 0.6, "below": 20, "beside": 12,
            "fills": [*fills, ("url(#hatch)", outline)] if title == results[1] else fills,
            "across": say("1 column") if columns == 1 else say("{count} columns", count=columns),
            "down": say("1 row") if rows == 1 else say("{count} rows", count=rows),
        })
        left += BESIDE + room + GAP
        bottom = max(bottom, height)
    alt = say("Shapes, drawn on one scale: {shapes}.", shapes="; ".join(
        f"{title} {shape}" for title, shape in shapes.items()))
    return _picture(panels, left, 2 * TITLE + bottom + TITLE, alt)
