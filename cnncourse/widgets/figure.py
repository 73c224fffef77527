"""A figure made of one JavaScript module and the data it needs, with or without a kernel."""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import anywidget
import traitlets

from cnncourse.errors import ArgumentError
from cnncourse.language import mark, say

COMMON_LABELS = {
    "play": mark("Play"),
    "pause": mark("Pause"),
    "first": mark("First"),
    "back": mark("Back"),
    "next": mark("Next"),
}
"""Words of the buttons that several figures have."""

GEOMETRY_LABELS = {
    "offer": mark("{setting} {value} gives {size}"),
    "no_offer": mark("no setting near these fits"),
    "setting_stride": mark("stride"),
    "setting_padding": mark("padding"),
    "setting_kernel_size": mark("kernel_size"),
    "setting_input_size": mark("input_size"),
    "not_whole": mark("({sum})/{stride} + 1 = {size} is not a whole number; {offers}; rounding 'floor' gives "
                      "{floor}, 'ceil' gives {ceil}"),
    "window": mark("a window of {kernel}"),
    "window_dilated": mark("a window of {kernel} taps with dilation {dilation}, which spans {dilation}*({kernel} - "
                           "1) + 1 = {extent},"),
    "too_large": mark("{window} does not fit into {input} + {before} + {after} = {padded} padded inputs; {offers}"),
}
"""The words of `cnncourse.geometry`'s errors, with what is put in between braces."""


@cache
def _source(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


class Figure(anywidget.AnyWidget):
    """An interactive figure.

    In a notebook it is shown as a page of its own that needs no kernel, and so it is still alive when the notebook is
    opened again, exported or made into a book. A widget that is bound to a kernel would then only say that its model
    is gone; `connect` makes it one for whoever wants to read or set `settings` from Python.

    Parameters
    ----------
    modules : sequence of str
        The figure's JavaScript files, its own last, without the ending.
    data : mapping
        What the module draws; anything that JSON can hold.
    settings : mapping
        What the controls show at first.
    labels : mapping of str to str
        The figure's words in English, by name; said in the language that is spoken.
    translated : mapping of str to str, optional
        Words to take instead, by the same names.

    Attributes
    ----------
    data, settings, labels : dict

    Raises
    ------
    ArgumentError
        If there is no word of a translated name.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    data = traitlets.Dict().tag(sync=True)
    settings = traitlets.Dict().tag(sync=True)
    labels = traitlets.Dict().tag(sync=True)
    _connected = False

    def __init__(
        self, modules: Sequence[str], data: Mapping[str, Any], settings: Mapping[str, Any], labels: Mapping[str, str],
        translated: Mapping[str, str] | None = None,
    ) -> None:
        words = {name: say(english) for name, english in {**COMMON_LABELS, **labels}.items()}
        unknown = sorted(set(translated or ()) - set(words))
        if unknown:
            raise ArgumentError(f"labels: there is nothing called {', '.join(unknown)}; there are {', '.join(words)}")
        # Read at once: a trait is synchronized as text, and a page without a kernel needs the text too.
        super().__init__(
            _esm="\n".join(_source(f"{name}.js") for name in ("shared", *modules)), _css=_source("figures.css"),
            data=dict(data), settings=dict(settings), labels={**words, **(translated or {})})

    def __repr__(self) -> str:
        return f"{self.labels['title']} {self.labels['about']}"

    def connect(self) -> Figure:
        """Show it as a widget of the kernel from now on: `settings` is what the reader has chosen, and may be set.

        Returns
        -------
        Figure
            Itself.
        """
        self._connected = True
        return self

    def open(self) -> None:
        """Tell the notebook of the model; not before somebody asks for it, as notebooks save every model they know."""

    @property
    def model_id(self) -> str | None:
        """Name of the model in the notebook; asking for it makes it known there."""
        super().open()
        found: str | None = super().model_id
        return found

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        bundle, metadata = (super()._repr_mimebundle_(**kwargs) or ({}, {})) if self._connected else ({}, {})
        return {**bundle, "text/plain": repr(self), "text/html": static_html(self)}, metadata


def static_html(figure: Figure) -> str:
    """A figure as HTML that lives without a kernel and without any other file.

    Parameters
    ----------
    figure : Figure

    Returns
    -------
    str
        A fragment: style, data as JSON, and the module. Where scripts are not run, it says what would be there.
    """
    state = {"data": figure.data, "settings": figure.settings, "labels": figure.labels}
    # "</" would end the script element, and "<!--" begin a comment, wherever they stand.
    data = json.dumps(state, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    name = hashlib.sha256((figure._esm + data).encode()).hexdigest()[:16]
    return (f'<div data-cnn-figure="{name}"><style>{figure._css}</style>'
            f'<script type="application/json">{data}</script>'
            f'<div class="cnn-place"><p>{html.escape(repr(figure))}</p></div>'
            f'<script type="module">const CNN_FIGURE = "{name}";\n{figure._esm}\n{_source("static.js")}</script></div>')
