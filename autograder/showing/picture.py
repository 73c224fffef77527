"""What was expected, what was given and what went in; differences are outlined and crossed, so no color is needed.

The pictures are SVG: a hundred are drawn in the time that matplotlib takes for one, letters stay sharp in every size,
and the browser has the fonts of every language.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.judging.compare import Comparison
from autograder.showing.panels import BESIDE, GAP, HEADLINE, LETTER, TITLE, WIDTH, Panel, drawn, short
from autograder.showing.templating import template
from cnncourse.language import say

MOST_READ_OUT = 36
"""Arrays of at most so many entries are spelled out for those who cannot see the picture."""

MOST_DRAWN = 64
MOST_INPUTS = 3
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


def difference_picture(comparison: Comparison, arguments: Mapping[str, Any] | None = None) -> Picture | None:
    """Draw what was expected and what was given, and the input where it is small enough to be read.

    Parameters
    ----------
    comparison : Comparison
        Of two arrays that differ.
    arguments : mapping of str to object, optional
        What the answer was called with; the first array of two or more dimensions is drawn.

    Returns
    -------
    Picture or None
        None where there is nothing to draw: numbers, text, an exception.
    """
    expected, given = comparison.expected, comparison.given
    if not (isinstance(expected, np.ndarray) and isinstance(given, np.ndarray)) or expected.ndim == 0:
        return None
    name, source = next(((name, value) for name, value in (arguments or {}).items()
                         if isinstance(value, np.ndarray) and value.ndim >= 2 and value.size), ("", None))
    if comparison.reason == "shape":
        return _of_shapes(expected.shape, given.shape, say("input {name}", name=name),
                          None if source is None else source.shape)
    if comparison.differs is None or comparison.where is None:
        return None
    plane = _plane(comparison.where)
    corner = _corner(comparison.where, _two_dimensional(comparison.differs[plane]).shape)
    shown = tuple(slice(start, start + MOST_DRAWN) for start in corner)
    want, got, differs = (_two_dimensional(np.asarray(a)[plane])[shown] for a in (expected, given, comparison.differs))
    want, got = (np.real(a).astype(float) for a in (want, got))
    limits = _limits(want, got)
    results = [Panel(say("expected"), want, limits, corner), Panel(say("yours"), got, limits, corner, differs)]
    inputs = [] if source is None else _input_panels(name, source, expected.shape, comparison.where)
    total = int(comparison.differs[plane].sum())
    place = [comparison.part] * bool(comparison.part)
    place += [say("slice {index}", index=_index(plane))] * (expected.ndim > 2)
    said = "; ".join([*place, say("{count} of {total} entries differ (outlined and crossed)", count=total,
                                  total=comparison.differs[plane].size)])
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
    shown = []
    top: float = HEADLINE
    for row in rows:
        left = 0.0
        for panel in row:
            wide = panel.inner[0]
            shown.append(drawn(panel, left + BESIDE + (panel.width - BESIDE - GAP - wide) / 2, top + TITLE))
            left += panel.width
        top += max(panel.height for panel in row)
    width = max(LETTER * len(headline), *(sum(panel.width for panel in row) for row in rows))
    return _picture(shown, width, top, alt, headline)


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


def _spoken(panel: Panel) -> str:
    """A small panel's numbers in words."""
    if panel.values.size > MOST_READ_OUT:
        return say("{title}: {rows} rows, {columns} columns.", title=panel.title.capitalize(),
                   rows=panel.values.shape[0], columns=panel.values.shape[1])
    rows = "; ".join(", ".join(map(short, row)) for row in panel.values)
    return say("{title}, row by row: {rows}.", title=panel.title[0].upper() + panel.title[1:], rows=rows)


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
