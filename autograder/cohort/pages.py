"""Feedback pages by the thousand: nbgrader's own page without doing the same work for every student.

Most of a page is the same for a whole class: the style sheets, the instructor's text, the message that all cases pass.
nbconvert renders, sanitizes and parses all of that anew for each student. Here one exporter serves a process, and what
a piece of text becomes is remembered. nbgrader's own `generate_feedback` writes the same pages; a test compares the
parsed documents.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
import nbformat
from nbconvert.exporters import HTMLExporter
from nbconvert.filters import Highlight2HTML, clean_html
from nbconvert.filters.widgetsdatatypefilter import WidgetsDataTypeFilter
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbformat import NotebookNode
from nbgrader.converters import GenerateFeedback
from nbgrader.preprocessors import GetGrades
from nbgrader.utils import is_grade, is_solution, is_task
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import TextLexer, get_lexer_by_name
from pygments.util import ClassNotFound
from traitlets.config import Config

from autograder.classroom.course import Course
from autograder.classroom.folding import folded, is_short
from autograder.files import replace_file

REMEMBERED = 1024
"""Pieces of text that each step remembers; longer ones than LONGEST are always done anew."""
LONGEST = 1 << 13
CELL = re.compile(r'(?=<div [^<>]{0,300}class="cell border-box-sizing)')
"""Where nbgrader's template begins a cell."""
NOTEBOOK = '<div id="notebook"'
"""What stands between the style sheets and the first cell."""
PICTURE_WITHOUT_WORDS = re.compile(r"<img(?![^>]*\salt\b)")


@dataclass(frozen=True)
class Shown:
    """What a page says about marks, as the gradebook has them.

    Attributes
    ----------
    scores : mapping of str to (float, float)
        Points of each graded cell, and how many it can have.
    comments : mapping of str to (str or None)
        On each answer.
    late_penalty : float
    """

    scores: Mapping[str, tuple[float, float]]
    comments: Mapping[str, str | None] = field(default_factory=dict)
    late_penalty: float = 0.0


NEEDED_FOR_RELEASE = ("timestamp.txt", "submission_secret.txt")
"""What `nbgrader release_feedback` looks for beside the page: they say whose submission it belongs to."""
MOST_BYTES = 4096


class Pages:
    """Writes feedback pages of one course.

    Parameters
    ----------
    course : Course
    """

    def __init__(self, course: Course) -> None:
        converter = GenerateFeedback(coursedir=course.directory, config=Config(course.config))
        self._permissions = int(str(converter.permissions), 8)
        self._exporter = _PageExporter(parent=converter, config=converter.config)
        for preprocessor in converter.preprocessors:
            if preprocessor is not GetGrades:
                kept = _HeaderOnce if preprocessor is CSSHTMLHeaderPreprocessor else preprocessor
                self._exporter.register_preprocessor(kept)

    def write(self, notebook: NotebookNode, shown: Shown, path: Path, source: Path) -> None:
        """Write one page; the old one stays until the new one is whole. Otherwise as `render`.

        Parameters
        ----------
        notebook : NotebookNode
        shown : Shown
        path : Path
            Where the page goes; its folder is made.
        source : Path
        """
        page = self.render(notebook, shown, source)
        path.parent.mkdir(parents=True, exist_ok=True)
        for name in NEEDED_FOR_RELEASE:
            found = source.with_name(name)
            if found.is_file() and found.stat().st_size <= MOST_BYTES:
                replace_file(path.with_name(name), found.read_bytes(), self._permissions)
            else:
                path.with_name(name).unlink(missing_ok=True)
        replace_file(path, page.encode("utf-8", "replace"), self._permissions)

    def render(self, notebook: NotebookNode, shown: Shown, source: Path) -> str:
        """One page as HTML.

        Parameters
        ----------
        notebook : NotebookNode
            The autograded notebook; it is changed.
        shown : Shown
        source : Path
            The notebook's file.
        """
        _show_marks(notebook, shown)
        modified = datetime.fromtimestamp(source.stat().st_mtime, UTC)
        resources = {
            "unique_key": source.stem, "output_files_dir": f"{source.stem}_files",
            "metadata": {"name": source.stem, "path": str(source.parent),
                         "modified_date": f"{modified:%B} {modified.day}, {modified:%Y}"},
            "nbgrader": {
                "notebook": source.stem, "score": sum(points for points, _ in shown.scores.values())
                - shown.late_penalty, "max_score": sum(most for _, most in shown.scores.values()),
                "late_penalty": shown.late_penalty},
        }
        page, _ = self._exporter.from_notebook_node(notebook, resources)
        return page


def _show_marks(notebook: NotebookNode, shown: Shown) -> None:
    """Write marks and comments where nbgrader's template looks for them."""
    for cell in notebook.cells:
        if is_solution(cell) or is_task(cell):
            cell.metadata.nbgrader["comment"] = shown.comments.get(cell.metadata.nbgrader["grade_id"])
        if is_grade(cell) or is_task(cell):
            points, most = shown.scores.get(cell.metadata.nbgrader["grade_id"], (0.0, 0.0))
            cell.metadata.nbgrader["score"], cell.metadata.nbgrader["points"] = points, most


class _HeaderOnce(CSSHTMLHeaderPreprocessor):
    """The style sheets, put together once a process."""

    _made: list[str] | None = None

    def _generate_header(self, resources: dict[str, Any]) -> list[str]:
        if self._made is None:
            self._made = super()._generate_header(resources)
        return self._made


class _PageExporter(HTMLExporter):
    """nbconvert's exporter, with a memory."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.exclude_unknown = True
        self._highlighters: dict[str | None, Callable[..., str]] = {}
        self._seen: dict[str, str] = {}
        self._include_css = lru_cache(maxsize=8)(self._style_sheet)

    def default_filters(self) -> Iterator[tuple[str, Any]]:
        """The filters of the templates; sanitizing remembers."""
        yield from super().default_filters()
        yield "markdown2html", self._markdown()
        yield "clean_html", _remembering(clean_html)

    def _markdown(self) -> Any:
        render = super().markdown2html
        remembering = _remembering(lambda source: render({}, source))

        @jinja2.pass_context
        def markdown2html(context: Any, source: str) -> str:
            return render(context, source) if context.get("cell", {}).get("attachments") else remembering(source)

        return markdown2html

    def from_notebook_node(  # type: ignore[override]
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **options: Any
    ) -> tuple[str, dict[str, Any]]:
        """What HTMLExporter does, except that it parses the finished page to find pictures without a description."""
        language = nb.metadata.get("language_info", {})
        lexer = language.get("pygments_lexer", language.get("name"))
        if lexer not in self._highlighters:
            self._highlighters[lexer] = _remembering(_highlighter(lexer, self))
        resources = self._init_resources(resources)
        resources["include_css"] = self._include_css
        self.register_filter("highlight_code", self._highlighters[lexer])
        self.register_filter("filter_data_type", WidgetsDataTypeFilter(
            notebook_metadata=self._nb_metadata, parent=self, resources=resources))
        html = self._page(nb, resources)
        alternative = 'alt="No description has been provided for this image"'
        return PICTURE_WITHOUT_WORDS.sub(f"<img {alternative}", html), resources

    def _page(self, nb: NotebookNode, resources: dict[str, Any]) -> str:
        """The page, with the cells that have looked like this before as they looked then."""
        looks = ["" if is_solution(cell) else _to_json(cell) for cell in nb.cells]  # answers are rarely the same
        part = {i: cell for i, cell in enumerate(nb.cells) if looks[i] not in self._seen or is_task(cell)}
        # The list of marks at the top is made from all cells.
        there = [part[i] if i in part else _unseen(cell) for i, cell in enumerate(nb.cells)
                 if i in part or "nbgrader" in cell.metadata]
        end = nbformat.v4.new_markdown_cell("end", id="end")  # the last of two equal cells shows where the page goes on
        rendered = NotebookNode({**nb, "cells": [*there, end, end]})
        html, _ = super(HTMLExporter, self).from_notebook_node(rendered, resources)
        self._nb_metadata.clear()  # or it grows with every page
        start = max(0, html.find(NOTEBOOK))
        head, *cells = CELL.split(html[start:])
        if len(cells) != len(part) + 2:  # somebody has written what begins a cell
            return super(HTMLExporter, self).from_notebook_node(nb, resources)[0]
        foot = cells[-1][len(cells[-2]) :]
        pieces = dict(zip(part, cells, strict=False))
        page = html[:start] + head + "".join(pieces.get(i) or self._seen[look] for i, look in enumerate(looks)) + foot
        for i, piece in pieces.items():
            if looks[i] and len(looks[i]) <= LONGEST and len(self._seen) < REMEMBERED:
                self._seen[looks[i]] = piece
        return page

    def _preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """What Exporter does, without a copy and a look at the schema for each preprocessor."""
        for preprocessor in self._preprocessors:
            nb, resources = preprocessor(nb, resources)
        return nb, resources

    def _style_sheet(self, name: str) -> str:
        return super()._init_resources({})["include_css"](name)


def _unseen(cell: NotebookNode) -> NotebookNode:
    """A cell for the list of marks alone, of a kind that the page leaves out."""
    return NotebookNode(cell_type="unseen", metadata=cell.metadata, source="")


_to_json = json.JSONEncoder().encode


def _highlighter(language: str | None, exporter: HTMLExporter) -> Callable[..., str]:
    """nbconvert's filter for code; where nothing depends on the cell, the same lexer and formatter serve all cells."""
    theirs = Highlight2HTML(pygments_lexer=language, parent=exporter)
    try:
        lexer = get_lexer_by_name("" if not language or language.startswith("ipython") else language)
    except ClassNotFound:
        return lambda source, metadata=None: theirs(source if is_short(source) else folded(source), metadata=metadata)
    formatter = HtmlFormatter(cssclass=f" highlight hl-{language}")
    plain = TextLexer()
    return lambda source, metadata=None: highlight(source or " ", lexer if is_short(source) else plain, formatter)


def _remembering(work: Callable[..., str]) -> Callable[..., str]:
    """A filter that remembers what it made of short texts."""
    remembered = lru_cache(maxsize=REMEMBERED)(work)

    def filtered(source: str, metadata: Any = None) -> str:
        if len(source) > LONGEST or (metadata and metadata.get("magics_language")):
            return work(source, metadata=metadata) if metadata else work(source)
        return remembered(source)

    return filtered
