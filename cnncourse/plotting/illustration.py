"""A figure that shows itself once, sharp, and with words for those who cannot see it."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cnncourse import language

# Okabe and Ito's colors, which stay apart for all common kinds of color blindness.
BLUE, ORANGE, GREEN, RED, SKY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9"
INK, GRAY, PALE = "#222222", "#8A8A8A", "#EDEDED"

STYLE = {
    "font.size": 11.5,
    "axes.titlesize": 12,
    "axes.labelsize": 11.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "white",
    "hatch.linewidth": 0.8,
}
"""Large enough to be read when a figure of seven inches is shown at half its width."""

SHARPNESS = 2
"""Pixels per CSS pixel, for screens of high resolution."""

# Merely reading the setting "backend" would make matplotlib choose one and import pyplot.
_SETTINGS: dict[Any, Any] = {name: value for name, value in mpl.rcParamsDefault.items() if name != "backend"} | STYLE

CHINESE = ("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "WenQuanYi Zen Hei",
           "WenQuanYi Micro Hei", "PingFang SC", "Hiragino Sans GB", "Heiti SC", "Microsoft YaHei", "SimHei")
"""Fonts with Chinese characters on the usual systems; the course ships none."""

_Arguments = ParamSpec("_Arguments")
_Drawn = TypeVar("_Drawn")


class Illustration(Figure):
    """A matplotlib figure that carries a description and never passes through pyplot.

    In a notebook it is shown as an `<img>` with the description as its alternative text, once, whichever
    matplotlib backend is set; there is no open figure to close. Everything else is matplotlib's Figure.

    Parameters
    ----------
    width, height : float
        In inches; 7 inches are 700 pixels on the page.
    """

    def __init__(self, width: float = 7.0, height: float = 3.0, **options: Any) -> None:
        super().__init__(figsize=(width, height), dpi=100, layout="constrained", **options)
        self.alt = ""
        engine = self.get_layout_engine()
        if engine is not None:
            engine.set(h_pad=0.08, w_pad=0.06)  # type: ignore[call-arg]

    def png(self) -> bytes:
        """The picture as a PNG file."""
        stream = io.BytesIO()
        with mpl.rc_context(_settings()):
            self.savefig(stream, format="png", dpi=self.dpi * SHARPNESS, bbox_inches="tight", pad_inches=0.08,
                         metadata={"Software": None}, pil_kwargs={"compress_level": 3})
        return stream.getvalue()

    def html(self) -> str:
        """The picture as HTML that needs no other file."""
        picture = self.png()
        width = shown_width(picture)
        source = base64.b64encode(picture).decode("ascii")
        return (f'<img alt="{html.escape(self.alt)}" src="data:image/png;base64,{source}" '
                f'width="{width}" style="max-width: 100%; height: auto">')

    def _ipython_display_(self) -> None:
        # IPython asks for this before any formatter, so a matplotlib backend that has registered its own formatter
        # for figures does not add a second copy of the picture.
        from IPython.display import display

        display({"text/html": self.html(), "text/plain": self.alt}, raw=True)


def shown_width(picture: bytes) -> int:
    """How many CSS pixels wide an illustration's PNG file is; margins are cut off, so only the file knows."""
    return round(int.from_bytes(picture[16:20]) / SHARPNESS)


def illustrated(
    draw: Callable[_Arguments, _Drawn],
) -> Callable[_Arguments, _Drawn]:
    """Draw in the course's style and language, without changing matplotlib's settings for others.

    Where no font has the characters of the language, the labels are English rather than empty boxes.
    """

    @wraps(draw)
    def drawn(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Drawn:
        words = language.current() if language.current() == "en" or chinese_font() else "en"
        with mpl.rc_context(_settings()), language.speaking(words):
            return draw(*args, **kwargs)

    return drawn


@cache
def chinese_font() -> str | None:
    """The first of the usual Chinese fonts that matplotlib finds on this machine."""
    from matplotlib.font_manager import fontManager

    there = {font.name for font in fontManager.ttflist}
    return next((name for name in CHINESE if name in there), None)


def _settings() -> dict[Any, Any]:
    if language.current() == "en" or chinese_font() is None:
        return _SETTINGS
    return _SETTINGS | {"font.family": ["DejaVu Sans", chinese_font()]}


def bare(axes: Axes, title: str = "") -> Axes:
    """Take away frame and ticks: for drawings whose position on the paper means nothing."""
    axes.set_axis_off()
    if title:
        axes.set_title(title)
    return axes


def numbers(
    axes: Axes, values: np.ndarray, *, limit: float | None = None, text: bool = True, size: float = 11.5
) -> None:
    """Draw a matrix as colored cells with its numbers in them.

    Parameters
    ----------
    axes : Axes
    values : array of shape (rows, columns)
    limit : float, optional
        Value of the brightest color, its negative is the darkest; by default the largest absolute value.
    text : bool, optional
        Whether to write the numbers.
    size : float, optional
        Of the letters, in points.
    """
    bound = limit or float(np.abs(values).max(initial=0)) or 1.0
    axes.imshow(values, cmap="cividis", vmin=-bound, vmax=bound)
    rows, columns = values.shape
    for row in range(rows + 1):
        axes.axhline(row - 0.5, color="white", linewidth=1)
    for column in range(columns + 1):
        axes.axvline(column - 0.5, color="white", linewidth=1)
    for (row, column), value in np.ndenumerate(values) if text else ():
        axes.text(column, row, f"{value:g}".replace("-", "−"), ha="center", va="center", fontsize=size,
                  color="white" if value < 0.25 * bound else INK)
    bare(axes)


def outline(axes: Axes, row: float, column: float, height: float, width: float, **style: Any) -> None:
    """Frame a block of the cells that `numbers` or imshow has drawn."""
    options: dict[str, Any] = {"edgecolor": RED, "facecolor": "none", "linewidth": 3, "zorder": 5} | style
    axes.add_patch(Rectangle((column - 0.5, row - 0.5), width, height, **options))


def counted(number: int, noun: str) -> str:
    """A number with its noun: 1 row, 2 rows, 3 entries."""
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{number} {noun if number == 1 else plural}"
